// Go, on one thread: a channel is its ivar, a goroutine what waits for it.
package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"sort"
	"syscall"
	"time"
)

const chainLength = 1000

var kept int

func cpuNs() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

func mallocs() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}

type row struct {
	Config      string  `json:"config"`
	Peer        string  `json:"peer"`
	Ns          float64 `json:"ns"`
	Allocations float64 `json:"allocations"`
}

// measure prints the CPU time of one of the n operations that run(n) performs.
func measure(config string, run func(n int)) {
	const enough = 3e7
	cost := func(n int) float64 {
		before := cpuNs()
		run(n)
		return cpuNs() - before
	}
	n := 1000
	for cost(n) < enough {
		n *= 2
	}
	before := mallocs()
	run(n)
	allocations := float64(mallocs()-before) / float64(n)
	var costs []float64
	for i := 0; i < 5; i++ {
		costs = append(costs, cost(n))
	}
	sort.Float64s(costs)
	text, err := json.Marshal(row{config, "Go", costs[2] / float64(n), allocations})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

func mapDetermined(n int) {
	for ; n > 0; n-- {
		ivar := make(chan int, 1)
		ivar <- 1
		kept += 1 + <-ivar
	}
}

// A goroutine waits for each ivar in turn, and answers.
func fill(n int) {
	ivars, answers := make(chan chan int), make(chan int)
	go func() {
		for ivar := range ivars {
			answers <- 1 + <-ivar
		}
	}()
	for ; n > 0; n-- {
		ivar := make(chan int)
		ivars <- ivar
		ivar <- 1
		kept += <-answers
	}
	close(ivars)
}

func chain(n int) {
	link := func(from, to chan int) { to <- 1 + <-from }
	for ; n > 0; n -= chainLength {
		first := make(chan int, 1)
		end := first
		for i := 0; i < chainLength; i++ {
			next := make(chan int, 1)
			go link(end, next)
			end = next
		}
		first <- 1
		kept += <-end
	}
}

func turns(n int) {
	for ; n > 0; n-- {
		runtime.Gosched()
	}
}

func chooseReady(n int) {
	never := make(chan int)
	for ; n > 0; n-- {
		ivar := make(chan int, 1)
		ivar <- 1
		select {
		case x := <-ivar:
			kept += x
		case x := <-never:
			kept += x
		}
	}
}

func chooseWaiting(n int) {
	never, ivars, answers := make(chan int), make(chan chan int), make(chan int)
	go func() {
		for ivar := range ivars {
			select {
			case x := <-ivar:
				answers <- x
			case x := <-never:
				answers <- x
			}
		}
	}()
	for ; n > 0; n-- {
		ivar := make(chan int)
		ivars <- ivar
		ivar <- 1
		kept += <-answers
	}
	close(ivars)
}

func timers(n int) {
	for ; n > 0; n-- {
		time.NewTimer(30 * time.Minute).Stop()
	}
}

func pipe(n int) {
	values := make(chan int, 10)
	for ; n > 0; n-- {
		values <- 1
		kept += <-values
	}
}

func timeoutReady(n int) {
	for ; n > 0; n-- {
		ivar := make(chan int, 1)
		ivar <- 1
		timer := time.NewTimer(10 * time.Second)
		select {
		case x := <-ivar:
			kept += x
		case <-timer.C:
		}
		timer.Stop()
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	measure("map, determined", mapDetermined)
	measure("fill to continuation", fill)
	measure("link in a chain of 1,000 maps", chain)
	measure("turn of the queue", turns)
	measure("choose of two, one ready", chooseReady)
	measure("choose of two, waiting", chooseWaiting)
	// Others wait as well, as in a server.
	for i := 0; i < 1000; i++ {
		time.NewTimer(time.Hour + time.Duration(i)*time.Second)
	}
	measure("timer added and aborted", timers)
	measure("pipe write and read", pipe)
	measure("with_timeout, ready", timeoutReady)
}
