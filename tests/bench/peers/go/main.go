// Go's net package, on one processor; with crypto/tls, if there is a certificate.
// main PORT MODE [CERTIFICATE KEY]
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
)

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

var readSize = number("READ_SIZE", 16*1024)
var bulkBytes = number("BULK_BYTES", 1<<30)

func echo(c net.Conn) {
	buffer := make([]byte, readSize)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if _, err := c.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// Answers each line with itself, and all lines that have arrived at once.
func lines(c net.Conn) {
	reader, writer := bufio.NewReader(c), bufio.NewWriter(c)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return
		}
		writer.Write(line)
		if reader.Buffered() == 0 && writer.Flush() != nil {
			return
		}
	}
}

func send(c net.Conn) {
	block := bytes.Repeat([]byte("x"), 64*1024)
	for left := bulkBytes; left > 0; {
		if left < len(block) {
			block = block[:left]
		}
		n, err := c.Write(block)
		if err != nil {
			return
		}
		left -= n
	}
}

func receive(c net.Conn) int {
	buffer := make([]byte, 64*1024)
	for received := 0; ; {
		n, err := c.Read(buffer)
		received += n
		if err != nil {
			if err != io.EOF {
				return -1
			}
			return received
		}
	}
}

func receiveAndAnswer(c net.Conn) {
	fmt.Fprintln(c, receive(c))
}

func both(c net.Conn) {
	received := make(chan int)
	go func() { received <- receive(c) }()
	send(c)
	<-received
}

func main() {
	runtime.GOMAXPROCS(1)
	serve := map[string]func(net.Conn){
		"echo": echo, "line": lines, "send": send, "receive": receiveAndAnswer, "both": both,
	}[os.Args[2]]
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	if len(os.Args) == 5 {
		certificate, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
		if err != nil {
			panic(err)
		}
		listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13,
		})
	}
	for {
		c, err := listener.Accept() // Go sends without delay by default
		if err != nil {
			continue
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}
