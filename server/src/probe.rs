//! How long a byte waits until a runtime reads it: a socket pair whose one end is written by a thread and read by a task.
//!
//! ```text
//! Pinger (a thread): now -> socket pair -> listen() (a task of the runtime): lag = now − what it reads -> Lags
//! ```
//!
//! The ping takes the way of every other socket: the kernel, the poller, the queue of ready tasks. So its lag is what real data waits
//! before anyone looks at it, and it grows when the runtime is busy, stalled or has no core. Each ping carries its own time: a runtime
//! that was away for a second answers for every ping of that second.

use std::{
    collections::VecDeque,
    io::{self, Write},
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::io::AsyncReadExt;

use crate::clock::Clock;

/// Pings remembered; at 50 a second almost six hours.
const LAGS_KEPT: usize = 1 << 20;
const PING_BYTES: usize = size_of::<u64>();

/// What one ping met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// When it was written, µs since 1970.
    pub at_us: u64,
    pub lag_us: u64,
}

/// The newest pings of a runtime.
#[derive(Debug, Clone, Default)]
pub struct Lags(Arc<Mutex<VecDeque<Lag>>>);

impl Lags {
    /// Lags of the pings written in `[from_us, to_us)`, in µs.
    pub fn between(&self, from_us: u64, to_us: u64) -> Vec<u64> {
        let lags = self.0.lock();
        let within = lags.iter().filter(|lag| (from_us..to_us).contains(&lag.at_us));
        within.map(|lag| lag.lag_us).collect()
    }

    /// Notes the whole pings at the start of these bytes, which were read just then. Returns the length of what is noted: the rest waits
    /// for its other half.
    pub fn hear(&self, bytes: &[u8], now_us: u64) -> usize {
        let whole = bytes.len() - bytes.len() % PING_BYTES;
        for ping in bytes[..whole].as_chunks::<PING_BYTES>().0 {
            let at_us = u64::from_ne_bytes(*ping);
            self.push(Lag {
                at_us,
                lag_us: now_us.saturating_sub(at_us),
            });
        }
        whole
    }

    fn push(&self, lag: Lag) {
        let mut lags = self.0.lock();
        if lags.len() == LAGS_KEPT {
            lags.pop_front();
        }
        lags.push_back(lag);
    }
}

/// Reads pings until nobody writes any more. Runs on the runtime that is asked.
pub async fn listen(ear: UnixStream, clock: Clock, lags: Lags) -> io::Result<()> {
    ear.set_nonblocking(true)?;
    let mut ear = tokio::net::UnixStream::from_std(ear)?;
    let mut pings = [0; PING_BYTES * 64];
    let mut held = 0;
    loop {
        let read = ear.read(&mut pings[held..]).await?;
        if read == 0 {
            return Ok(());
        }
        held += read;
        let whole = lags.hear(&pings[..held], clock.now_us());
        pings.copy_within(whole..held, 0);
        held -= whole;
    }
}

/// The thread that pings; it ends when this is dropped, and with it the tasks that listen.
pub struct Pinger {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pinger {
    /// Pings every mouth every `interval`.
    pub fn start(mut mouths: Vec<UnixStream>, clock: Clock, interval: Duration) -> io::Result<Self> {
        for mouth in &mouths {
            mouth.set_nonblocking(true)?;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let interval_us = interval.as_micros() as u64;
        let thread = std::thread::Builder::new().name("pinger".into()).spawn(move || {
            let mut next_us = clock.now_us();
            while !stopped.load(Relaxed) {
                // A whole process may be stopped, or without a core: then this thread was away too, and the pings it owes count from
                // when they were due, or it would measure only the moments when all is well.
                while next_us + interval_us <= clock.now_us() {
                    ping(&mut mouths, next_us);
                    next_us += interval_us;
                }
                ping(&mut mouths, clock.now_us());
                next_us += interval_us;
                std::thread::park_timeout(clock.until(next_us));
            }
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

fn ping(mouths: &mut [UnixStream], at_us: u64) {
    for mouth in mouths {
        // A full pipe holds hundreds of pings that all still wait: one more tells nothing new.
        let _ = mouth.write(&at_us.to_ne_bytes());
    }
}

impl Drop for Pinger {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It runs nothing that panics.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The runtime is blocked on purpose for as long as it takes until pings wait that were written before.
    #[test]
    fn a_blocked_runtime_answers_for_every_ping_it_left_waiting() {
        const INTERVAL: Duration = Duration::from_millis(1);
        const BLOCKED_US: u64 = 50_000;
        let clock = Clock::start();
        let (mouth, ear) = UnixStream::pair().unwrap();
        let lags = Lags::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let from_us = clock.now_us();
        runtime.block_on(async {
            let listening = tokio::spawn(listen(ear, clock, lags.clone()));
            let pinger = Pinger::start(vec![mouth], clock, INTERVAL).unwrap();
            while lags.between(0, u64::MAX).is_empty() {
                tokio::task::yield_now().await;
            }
            let blocked_from = clock.now_us();
            while clock.now_us() < blocked_from + BLOCKED_US {}
            drop(pinger);
            listening.await.unwrap().unwrap();
        });
        let all = lags.between(from_us, clock.now_us());
        let longest = *all.iter().max().unwrap();
        assert!(longest > BLOCKED_US / 2, "the longest of {} is {longest} µs", all.len());
        let waited = all.iter().filter(|lag| **lag > BLOCKED_US / 10).count();
        assert!(
            waited > 1,
            "{waited} pings waited, not only the one that was read first"
        );
        assert!(lags.between(0, from_us).is_empty(), "nothing outside the range");
    }
}
