//! What the server stands: slow, silent, rude and too many peers, and a stop in the middle of it. Real processes, real sockets.
//!
//! ```text
//! test -> server (a process of its own, its feed running) <- peers of every transport, well behaved and not
//!      -> figure: … (a line in words and numbers, which ./test.sh repeats at its end)
//! ```
//!
//! Figures are of debug builds on a shared machine: they show that a bound holds, not how fast the server is. Where a bound is a
//! ratio of speeds, only `./test.sh --long` asserts it, over interleaved repeats.

mod cap;
mod churn;
mod peer;
mod process;
mod silent;
mod slow_http;
mod stalled;
mod stop;
#[path = "../support/mod.rs"]
mod support;

use std::io::Write;

use tokio::sync::{Mutex, MutexGuard};

/// Says what was measured, past the test harness, which keeps what a passing test prints.
fn figure(words: &str) {
    // In one write, and on a line of its own: other tests write too.
    let line = format!("\nfigure: {words}\n");
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(line.as_bytes()).expect("stdout can be written");
}

/// One test at a time has the machine: what a thousand peers of another do to it is no answer of the server's.
async fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::const_new(());
    MACHINE.lock().await
}
