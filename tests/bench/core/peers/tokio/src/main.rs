//! Tokio, on one thread: a oneshot channel is its ivar.

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::{poll_fn, Future};
use std::hint::black_box;
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

const CHAIN_LENGTH: u64 = 1_000;

struct Counting;
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.store(ALLOCATIONS.load(Relaxed) + 1, Relaxed);
        System.alloc(layout)
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        System.dealloc(pointer, layout)
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}
extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

fn cpu_ns() -> f64 {
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.seconds as f64 * 1e9 + time.nanoseconds as f64
}

/// Prints the CPU time of one of the `n` operations that `run(n)` performs in a task.  (To wake the
/// future of `block_on` itself would cost a system call.)
fn measure<F: Future<Output = ()> + Send + 'static>(runtime: &Runtime, config: &str, run: impl Fn(u64) -> F) {
    const ENOUGH: f64 = 3e7;
    let cost = |n: u64| {
        let before = cpu_ns();
        let task = run(n);
        runtime.block_on(async { tokio::spawn(task).await.unwrap() });
        cpu_ns() - before
    };
    let mut n = 1_000;
    while cost(n) < ENOUGH {
        n *= 2;
    }
    let before = ALLOCATIONS.load(Relaxed);
    cost(n);
    let allocations = (ALLOCATIONS.load(Relaxed) - before) as f64 / n as f64;
    let mut costs: Vec<f64> = (0..5).map(|_| cost(n)).collect();
    costs.sort_by(f64::total_cmp);
    println!(
        "{{\"config\":\"{config}\",\"peer\":\"Tokio\",\"ns\":{:.3},\"allocations\":{allocations:.3}}}",
        costs[2] / n as f64
    );
}

/// Has `future` wait, once.
async fn must_wait<F: Future + Unpin>(future: &mut F) {
    poll_fn(|context| {
        assert!(Pin::new(&mut *future).poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

type Boxed = Pin<Box<dyn Future<Output = i64> + Send>>;

/// A future whose type its caller does not know, as that of a function in a library.
#[inline(never)]
fn ready() -> Boxed {
    Box::pin(async { black_box(1) })
}

fn chain(length: u64, first: oneshot::Receiver<i64>) -> Boxed {
    Box::pin(async move {
        if length == 0 {
            first.await.unwrap()
        } else {
            1 + chain(length - 1, first).await
        }
    })
}

async fn map_determined(n: u64) {
    for _ in 0..n {
        black_box(ready().await + 1);
    }
}

async fn fill(n: u64) {
    for _ in 0..n {
        let (ivar, mut read) = oneshot::channel::<i64>();
        must_wait(&mut read).await;
        ivar.send(1).unwrap();
        black_box(read.await.unwrap() + 1);
    }
}

async fn chains(n: u64) {
    for _ in 0..n / CHAIN_LENGTH {
        let (ivar, read) = oneshot::channel();
        let mut end = chain(CHAIN_LENGTH, read);
        must_wait(&mut end).await;
        ivar.send(1).unwrap();
        black_box(end.await);
    }
}

async fn await_ready(n: u64) {
    for _ in 0..n {
        black_box(ready().await);
    }
}

async fn await_filled(n: u64) {
    for _ in 0..n {
        let (ivar, read) = oneshot::channel::<i64>();
        ivar.send(1).unwrap();
        black_box(read.await.unwrap());
    }
}

async fn turns(n: u64) {
    for _ in 0..n {
        tokio::task::yield_now().await;
    }
}

async fn choose_ready(n: u64) {
    let (_never, mut lost) = oneshot::channel::<i64>();
    for _ in 0..n {
        let (ivar, mut read) = oneshot::channel::<i64>();
        ivar.send(1).unwrap();
        tokio::select! { x = &mut read => { black_box(x.unwrap()); } _ = &mut lost => {} }
    }
}

async fn choose_waiting(n: u64) {
    let (_never, mut lost) = oneshot::channel::<i64>();
    for _ in 0..n {
        let (ivar, mut read) = oneshot::channel::<i64>();
        let mut first = Box::pin(async {
            tokio::select! { x = &mut read => x.unwrap(), _ = &mut lost => 0 }
        });
        must_wait(&mut first).await;
        ivar.send(1).unwrap();
        black_box(first.await);
    }
}

async fn timers(n: u64) {
    for _ in 0..n {
        let mut timer = pin!(sleep(Duration::from_secs(1_800)));
        must_wait(&mut timer).await;
    }
}

async fn pipe(n: u64) {
    let (writer, mut reader) = mpsc::unbounded_channel();
    for _ in 0..n {
        writer.send(1).unwrap();
        black_box(reader.recv().await);
    }
}

async fn timeout_ready(n: u64) {
    for _ in 0..n {
        black_box(timeout(Duration::from_secs(10), ready()).await.unwrap());
    }
}

async fn timeout_waiting(n: u64) {
    for _ in 0..n {
        let (ivar, read) = oneshot::channel::<i64>();
        let mut timed = pin!(timeout(Duration::from_secs(10), read));
        must_wait(&mut timed).await;
        ivar.send(1).unwrap();
        black_box(timed.await.unwrap().unwrap());
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // Others wait as well, as in a server.
    let others: Vec<_> = (0..1_000)
        .map(|i| runtime.spawn(async move { sleep(Duration::from_secs(3_600 + i)).await }))
        .collect();
    measure(&runtime, "map, determined", map_determined);
    measure(&runtime, "fill to continuation", fill);
    measure(&runtime, "link in a chain of 1,000 binds", chains);
    measure(&runtime, "await a ready coroutine", await_ready);
    measure(&runtime, "await a filled ivar", await_filled);
    measure(&runtime, "turn of the queue", turns);
    measure(&runtime, "choose of two, one ready", choose_ready);
    measure(&runtime, "choose of two, waiting", choose_waiting);
    measure(&runtime, "timer added and aborted", timers);
    measure(&runtime, "pipe write and read", pipe);
    measure(&runtime, "recursive bind, a turn", await_ready);
    measure(&runtime, "with_timeout, ready", timeout_ready);
    measure(&runtime, "with_timeout, waiting", timeout_waiting);
    drop(others);
}
