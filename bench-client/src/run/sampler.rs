//! Reads counters and CPU clocks at the window's edges and at every second between, on a thread of its own: a runtime that is busy
//! with clients would be late.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
};

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use server::clock::Clock;

use crate::{
    fleet::{self, CounterHandle, Totals},
    machine::{self, MachineCounts},
    sockets::Counts,
    tally::Window,
    usage::{CpuSplit, ServerUsage, Usage},
};

const SECOND_US: u64 = 1_000_000;

/// Everything that is counted by wall clock, at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sample {
    pub at_us: u64,
    pub totals: Totals,
    pub server_cpu_s: Option<f64>,
    /// Without what this sampler itself used.
    pub client_cpu_s: Option<f64>,
    /// The same CPU times by where they were spent.
    pub server_cpu_split: Option<CpuSplit>,
    pub client_cpu_split: Option<CpuSplit>,
    /// At the window's edges alone: reading the sockets one by one takes its time.
    pub edge: Option<Edge>,
}

/// What is read at T0 and T1.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Edge {
    pub sockets: Counts,
    pub machine: MachineCounts,
}

/// A running sampler.
pub struct Sampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Sample>>,
}

impl Sampler {
    /// Samples at the window's start, at every second, and at its end.
    pub fn start(clock: Clock, window: Window, counters: CounterHandle, server: ServerUsage) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let client = Usage::own();
        let sample = move |edge: bool| {
            let totals = counters.totals();
            let server_cpu_s = server.cpu_s();
            let client_cpu_s = client.and_then(|usage| Some(usage.cpu_s()? - own_cpu_s()?));
            let (server_cpu_split, client_cpu_split) = (server.cpu_split(), client.and_then(|usage| usage.cpu_split()));
            Sample {
                // Behind what belongs to the moment: whoever was held up before reading it shows as late.
                at_us: clock.now_us(),
                totals,
                server_cpu_s,
                client_cpu_s,
                server_cpu_split,
                client_cpu_split,
                edge: edge.then(|| Edge {
                    sockets: counters.sockets(true),
                    machine: machine::counts(fleet::THREAD),
                }),
            }
        };
        let thread = std::thread::Builder::new().name("sampler".into()).spawn(move || {
            let mut edges: Vec<u64> = (window.from_us..window.to_us).step_by(SECOND_US as usize).collect();
            edges.push(window.to_us);
            let mut samples = Vec::with_capacity(edges.len());
            for (index, edge) in edges.iter().copied().enumerate() {
                while clock.now_us() < edge && !stopped.load(Relaxed) {
                    std::thread::park_timeout(clock.until(edge));
                }
                let last = index + 1 == edges.len() || stopped.load(Relaxed);
                samples.push(sample(index == 0 || last));
                if last {
                    break;
                }
            }
            samples
        })?;
        Ok(Self { stop, thread })
    }

    /// Takes the last sample now, when the window ends early.
    pub fn cut_short(&self) {
        self.stop.store(true, Relaxed);
        self.thread.thread().unpark();
    }

    /// The samples; blocks until the window has ended.
    pub fn finish(self) -> Vec<Sample> {
        // It runs nothing that panics; if it did, there would be no samples.
        self.thread.join().unwrap_or_default()
    }
}

/// CPU time of the calling thread.
fn own_cpu_s() -> Option<f64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?;
    Some(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}
