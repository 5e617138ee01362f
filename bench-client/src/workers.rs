//! Clients in several processes: more than one process has descriptors for, and on more cores.
//!
//! ```text
//! Workers::start -> this executable, again: `worker`, N times      (worker.rs: what it does there)
//!     stdin  <- orders: JSON lines (orders.rs)                      ends: the coordinator is gone, however it went; so goes the worker
//!     stdout -> what it tells: progress; at the end samples, lags, every client's log, counters
//!     stderr -> its last words, for when it dies
//! stop() -> Stopped: all logs and counters together, or the words of what is lost
//! ```
//!
//! Nothing is estimated or added up twice: logs are the clients' own, counters are sums of counters that were read at the same times. A worker
//! that dies takes its clients' notes along, and the row fails.

pub mod merge;
pub mod orders;
mod process;
pub mod worker;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::bail;
use tokio::time::{Instant, sleep};

use crate::{
    fleet::{Part, Stopped, Totals},
    sockets::Counts,
    tally::Window,
};
use orders::{Order, Orders};
use process::Process;

/// How long a worker may take to tell its counters when it is asked: those told last count otherwise.
const FRESH_PATIENCE: Duration = Duration::from_secs(1);
/// How long all workers together may take to end their clients and to tell what they noted.
const STOP_PATIENCE: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(5);

/// Running workers.
pub struct Workers {
    processes: Vec<Process>,
    /// Times the counters were asked for.
    asked: AtomicU64,
}

impl Workers {
    /// Starts so many processes, each with its part of the clients.
    ///
    /// # Errors
    /// When one cannot be started.
    pub fn start(count: u32, orders: &Orders) -> anyhow::Result<Self> {
        let mut processes = Vec::with_capacity(count as usize);
        for index in 0..count {
            let orders = Orders {
                part: Part { index, of: count },
                ..orders.clone()
            };
            processes.push(Process::start(orders)?);
        }
        Ok(Self {
            processes,
            asked: AtomicU64::new(0),
        })
    }

    pub fn totals(&self) -> Totals {
        let mut sum = Totals::default();
        for process in &self.processes {
            sum.add(&process.progress().totals);
        }
        sum
    }

    pub async fn fresh_totals(&self) -> Totals {
        let number = self.asked.fetch_add(1, Relaxed) + 1;
        self.all(&Order::Tell(number));
        let deadline = Instant::now() + FRESH_PATIENCE;
        let told = |one: &Process| one.progress().told >= number || one.dead().is_some();
        while !self.processes.iter().all(told) && Instant::now() < deadline {
            sleep(LOOK).await;
        }
        self.totals()
    }

    /// How many clients hold the newest of what they follow, as it was told last; the first question is answered a moment later.
    pub fn holding(&self, last: &[u64]) -> usize {
        let ask = |process: &Process| process.holding(last);
        self.processes.iter().map(ask).sum::<u64>() as usize
    }

    pub fn rss_bytes(&self) -> Option<u64> {
        self.processes.iter().map(Process::rss_bytes).sum()
    }

    pub fn sound(&self) -> anyhow::Result<()> {
        match self.processes.iter().find_map(Process::dead) {
            Some(words) => bail!(words),
            None => Ok(()),
        }
    }

    pub fn sample(&self, window: Window) {
        self.all(&Order::Sample {
            from_us: window.from_us,
            to_us: window.to_us,
        });
    }

    pub fn cut_short(&self) {
        self.all(&Order::CutShort);
    }

    pub fn gather(&self) {
        self.all(&Order::Gather);
    }

    pub fn hush(&self) {
        self.all(&Order::Hush);
    }

    /// Ends all workers, and puts together what they tell.
    pub fn stop(self, window: Option<Window>) -> Stopped {
        self.stop_by(std::time::Instant::now() + STOP_PATIENCE, window)
    }

    fn stop_by(self, deadline: std::time::Instant, window: Option<Window>) -> Stopped {
        let window = window.map(|window| (window.from_us, window.to_us));
        // All at once: while one tells its logs the others end their clients.
        self.all(&Order::End { window });
        let mut stopped = Stopped {
            logs: Ok(Vec::new()),
            at_close: Some((Totals::default(), Counts::default())),
            of_workers: Some(Default::default()),
        };
        for process in self.processes {
            match process.finish(deadline) {
                Ok(told) => merge::add(&mut stopped, told),
                // One that is lost leaves no sums: they would pass for those of all. Nobody waits for the others: they end as they are dropped.
                Err(error) => {
                    return Stopped {
                        logs: Err(error),
                        at_close: None,
                        of_workers: Some(Default::default()),
                    };
                }
            }
        }
        if let Ok(logs) = &mut stopped.logs {
            logs.sort_unstable_by_key(|log| log.client);
        }
        stopped
    }

    fn all(&self, order: &Order) {
        let line: Arc<[u8]> = order.line().into();
        self.processes.iter().for_each(|process| process.order(&line));
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc::sync_channel, time::Instant};

    use super::*;

    /// What is said of two workers that tell nothing: of the first in words, when nobody speaks for it any more.
    fn lost(first_is_heard: bool, deadline: Instant) -> String {
        let (say, told) = sync_channel(1);
        let (_never, hung) = sync_channel(1);
        let say = first_is_heard.then_some(say);
        let workers = Workers {
            processes: vec![Process::silent("worker 1", told), Process::silent("worker 2", hung)],
            asked: AtomicU64::new(0),
        };
        let stopped = workers.stop_by(deadline, None);
        assert!(stopped.at_close.is_none() && stopped.of_workers.is_some());
        drop(say);
        stopped.logs.unwrap_err().to_string()
    }

    #[test]
    fn one_that_is_lost_is_the_end_for_all() {
        // Longer than any test waits, for the second, which is hung.
        let far = Instant::now() + Duration::from_secs(3_600);
        assert_eq!(lost(false, far), "worker 1 is heard no more: what reads it has ended");
    }

    #[test]
    fn one_deadline_is_for_all() {
        let said = lost(true, Instant::now());
        assert_eq!(said, "worker 1 has not told in time what its clients noted");
    }
}
