//! A row's clients, wherever they run: what the phases ask of them.
//!
//! ```text
//! phases -> Fleet -> Threads: counters of this process, read as they are
//!                 `-> Workers: orders down their pipes, progress up; what was counted comes at the end
//! ```

use super::{CounterHandle, Threads, Totals};
use crate::{
    record::Plan, run::sampler::Sample, sockets::Counts, tally::Window, virtual_client::ClientLog, workers::Workers,
};

/// Running clients.
pub enum Fleet {
    Threads(Threads),
    Processes(Workers),
}

/// What clients leave behind that have ended.
pub struct Stopped {
    /// What each noted. An error when some of it is lost.
    pub logs: anyhow::Result<Vec<ClientLog>>,
    /// Counters and the kernel's counts of the same moment, when every connection was closed; None when some of it is lost.
    pub at_close: Option<(Totals, Counts)>,
    /// None where clients ran on threads of this process.
    pub of_workers: Option<WorkersTold>,
}

/// What only workers can tell of themselves; nothing when one of them is lost.
#[derive(Debug, Default)]
pub struct WorkersTold {
    /// How late each of their threads was in the window, µs.
    pub lags_us: Vec<Vec<u64>>,
    /// Of each worker, at the times at which the coordinator samples too.
    pub samples: Vec<Vec<Sample>>,
}

impl Fleet {
    /// The counters now; of workers, as they told them last.
    pub fn totals(&self) -> Totals {
        match self {
            Self::Threads(threads) => threads.totals(),
            Self::Processes(workers) => workers.totals(),
        }
    }

    /// The counters not before now. Of a worker that does not answer in time, what it told last.
    pub async fn fresh_totals(&self) -> Totals {
        match self {
            Self::Threads(threads) => threads.totals(),
            Self::Processes(workers) => workers.fresh_totals().await,
        }
    }

    /// For a thread that reads the counters of this process while the fleet runs: those of workers are not among them.
    pub fn counter_handle(&self) -> CounterHandle {
        match self {
            Self::Threads(threads) => threads.counter_handle(),
            Self::Processes(_) => CounterHandle::default(),
        }
    }

    /// How many clients hold the newest of what they follow: `last` has the log offset of each topic's newest update.
    pub fn holding_all(&self, plan: &Plan, last: &[u64]) -> usize {
        match self {
            Self::Threads(threads) => threads.holding_all(plan, last),
            Self::Processes(workers) => workers.holding(last),
        }
    }

    /// Live p50 and p99 of the sampled clients, µs. Workers tell none: quantiles can't be put together.
    pub fn live_quantiles(&self) -> Option<(u64, u64)> {
        match self {
            Self::Threads(threads) => threads.live_quantiles(),
            Self::Processes(_) => None,
        }
    }

    /// How late each thread was within the window, µs; None of workers, who tell it when they have ended.
    pub fn lags_us(&self, window: Window) -> Option<Vec<Vec<u64>>> {
        match self {
            Self::Threads(threads) => Some(threads.lags_us(window.from_us, window.to_us)),
            Self::Processes(_) => None,
        }
    }

    /// Resident memory of worker processes; 0 where there are none.
    pub fn workers_rss_bytes(&self) -> Option<u64> {
        match self {
            Self::Threads(_) => Some(0),
            Self::Processes(workers) => workers.rss_bytes(),
        }
    }

    /// Whether every worker still runs.
    ///
    /// # Errors
    /// Which one died, and how.
    pub fn sound(&self) -> anyhow::Result<()> {
        match self {
            Self::Threads(_) => Ok(()),
            Self::Processes(workers) => workers.sound(),
        }
    }

    /// Workers sample this window by themselves.
    pub fn sample(&self, window: Window) {
        if let Self::Processes(workers) = self {
            workers.sample(window);
        }
    }

    /// Workers take their last sample now.
    pub fn cut_short(&self) {
        if let Self::Processes(workers) = self {
            workers.cut_short();
        }
    }

    /// From now on no client leaves, and those that are away come back.
    pub fn gather(&self) {
        match self {
            Self::Threads(threads) => threads.gather(),
            Self::Processes(workers) => workers.gather(),
        }
    }

    /// From now on no client asks for anything; what was asked is still answered.
    pub fn hush(&self) {
        match self {
            Self::Threads(threads) => threads.hush(),
            Self::Processes(workers) => workers.hush(),
        }
    }

    /// Ends every client and collects what each noted. Blocks until they are done. Workers tell how late they were in the window, where
    /// there was one.
    pub fn stop(self, window: Option<Window>) -> Stopped {
        match self {
            Self::Threads(threads) => {
                let counters = threads.counter_handle();
                let logs = threads.stop();
                Stopped {
                    logs,
                    // Nothing is open any more: only so can they be held against each other.
                    at_close: Some((counters.totals(), counters.sockets(false))),
                    of_workers: None,
                }
            }
            Self::Processes(workers) => workers.stop(window),
        }
    }
}
