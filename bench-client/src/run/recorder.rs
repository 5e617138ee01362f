//! The clients' counters every 100 ms, from the kill of a server on, on a thread of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
};

use server::clock::Clock;

use crate::fleet::{CounterHandle, Totals};

pub(super) const BUCKET_US: u64 = 100_000;
/// A minute: who is not back by then is lost.
const BUCKETS_MOST: u64 = 600;

/// The fleet's counters at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub at_us: u64,
    pub totals: Totals,
}

/// Records from its start until it is finished or dropped.
pub struct Recorder {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Reading>>>,
}

impl Recorder {
    pub fn start(clock: Clock, counters: CounterHandle) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let first = Reading {
            totals: counters.totals(),
            at_us: clock.now_us(),
        };
        let record = move || {
            let mut readings = vec![first];
            let mut at_us = first.at_us;
            for _ in 0..BUCKETS_MOST {
                // From the last reading on: one that came late makes no short bucket behind it.
                at_us += BUCKET_US;
                while clock.now_us() < at_us && !stopped.load(Relaxed) {
                    std::thread::park_timeout(clock.until(at_us));
                }
                readings.push(Reading {
                    totals: counters.totals(),
                    at_us: clock.now_us(),
                });
                at_us = at_us.max(clock.now_us());
                if stopped.load(Relaxed) {
                    break;
                }
            }
            readings
        };
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(record)?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// The readings until now, in order; waits a moment for the last. There are none the second time.
    pub fn finish(&mut self) -> Vec<Reading> {
        self.stop.store(true, Relaxed);
        let Some(thread) = self.thread.take() else {
            return Vec::new();
        };
        thread.thread().unpark();
        // It runs nothing that panics; if it did, there would be no readings.
        thread.join().unwrap_or_default()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.finish();
    }
}
