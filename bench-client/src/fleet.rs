//! All virtual clients of a row, spread over one thread per core; or over processes, each of which does the same with its part of them.
//!
//! ```text
//! Threads::start -> thread 0: current-thread runtime, clients 0, 2, 4 …   -> counters (read at the window's edges)
//!                `- thread 1: …           clients 1, 3, 5 …               -> ClientLog of each client, at the end
//! Threads::spread -> the same for another kind of client, run by another loop (see [`crate::floor::reader`])
//! Fleet: Threads, or the processes of [`crate::workers`]
//! ```
//!
//! A client never leaves its thread, so nothing on its way is shared with the clients of another. A few feed the progress line, under a lock
//! of their thread that only whoever draws the line takes beside them.

mod either;

use std::{
    cell::RefCell,
    os::unix::net::UnixStream,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::Context;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use server::{
    clock::Clock,
    probe::{self, Lags, Pinger},
};
use tokio::{runtime::LocalOptions, sync::Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    net::{Counters, Net, sources::Sources},
    record::Plan,
    report::histogram,
    sockets::{Counts, Sockets},
    virtual_client::{ClientLog, VirtualClient},
};

pub use either::{Fleet, Stopped};

/// Name of the clients' threads, by which the kernel's tables know them.
pub const THREAD: &str = "clients";
/// How often each thread is asked how late it is: a reading costs it a wake-up, so this is what accuracy and cost allow.
pub const PING_INTERVAL: Duration = Duration::from_millis(20);
/// First connects under way at once, per thread.
pub const CONNECTS_AT_ONCE: usize = 64;
/// Clients whose latencies feed the progress line.
pub const LIVE_SAMPLE: usize = 64;

/// Latencies for the progress line, of the clients of one thread that are sampled: no two threads wait for each other here.
pub type Live = Arc<Mutex<Histogram<u64>>>;

/// Runs a thread's clients, each after its wait, until they are told to stop; answers the pinger meanwhile.
pub type RunThread<C> =
    fn(Vec<(Duration, C)>, UnixStream, &Lags, &Net, &CancellationToken) -> anyhow::Result<Vec<ClientLog>>;

/// Which of a row's clients: those whose index leaves `index` when it is divided by `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub index: u32,
    pub of: u32,
}

impl Part {
    /// All of them.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Its clients, of so many.
    pub fn clients(self, all: u32) -> impl Iterator<Item = u32> {
        (self.index..all).step_by(self.of.max(1) as usize)
    }
}

/// What to start of a row's clients.
#[derive(Debug, Clone)]
pub struct Muster {
    pub threads: usize,
    /// Of the whole row.
    pub clients: u32,
    pub part: Part,
    /// New clients of the whole row per second; None: as fast as connects go.
    pub ramp_per_s: Option<f64>,
    pub sources: u8,
}

impl Muster {
    /// All of so many clients, as fast as connects go, from wherever the kernel likes.
    pub fn all(threads: usize, clients: u32) -> Self {
        Self {
            threads,
            clients,
            part: Part::WHOLE,
            ramp_per_s: None,
            sources: 1,
        }
    }
}

/// Running clients, on threads of this process.
pub struct Threads {
    counters: CounterHandle,
    /// How late each thread was.
    lags: Vec<Lags>,
    /// Asks them, for as long as the fleet lives.
    _pinger: Pinger,
    /// Of each client, by its index.
    positions: Vec<(u32, Arc<AtomicU64>)>,
    threads: Vec<JoinHandle<anyhow::Result<Vec<ClientLog>>>>,
    stop: CancellationToken,
    /// Clients that nobody stopped end when this is dropped: where a row breaks down while they start, nobody sees them.
    _end: DropGuard,
    /// See [`Net::may_ask`].
    hushed: Arc<AtomicBool>,
    /// See [`Net::gathered`].
    gathered: CancellationToken,
    /// Of each thread.
    live: Vec<Live>,
}

/// All counters of the fleet, added up at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub connections: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub requests: u64,
    pub empty_responses: u64,
    pub polls_skipped: u64,
    pub errors: u64,
    pub reconnects: u64,
    pub leaves: u64,
    pub setup_bytes: u64,
    pub connected: u64,
    pub updates: u64,
    pub more_segments_sent: u64,
    pub more_segments_received: u64,
}

impl Totals {
    pub fn add(&mut self, other: &Self) {
        self.connections += other.connections;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.requests += other.requests;
        self.empty_responses += other.empty_responses;
        self.polls_skipped += other.polls_skipped;
        self.errors += other.errors;
        self.reconnects += other.reconnects;
        self.leaves += other.leaves;
        self.setup_bytes += other.setup_bytes;
        self.connected += other.connected;
        self.updates += other.updates;
        self.more_segments_sent += other.more_segments_sent;
        self.more_segments_received += other.more_segments_received;
    }
}

impl Threads {
    /// Starts clients made by `make(index, position, live)`, called in order of the index.
    pub fn start(
        muster: &Muster,
        clock: Clock,
        make: impl FnMut(u32, Arc<AtomicU64>, Option<Live>) -> VirtualClient,
    ) -> anyhow::Result<Self> {
        Self::spread(muster, clock, make, run_thread)
    }

    /// The same of clients that `run` runs on each thread.
    pub fn spread<C: Send + 'static>(
        muster: &Muster,
        clock: Clock,
        mut make: impl FnMut(u32, Arc<AtomicU64>, Option<Live>) -> C,
        run: RunThread<C>,
    ) -> anyhow::Result<Self> {
        let threads = muster.threads;
        let live: Vec<Live> = (0..threads).map(|_| Arc::new(Mutex::new(histogram::new()))).collect();
        let indexes: Vec<u32> = muster.part.clients(muster.clients).collect();
        let positions: Vec<_> = indexes.iter().copied().zip(positions(indexes.len(), threads)).collect();
        let stride = positions.len().div_ceil(LIVE_SAMPLE).max(1);
        let mut made: Vec<Vec<(Duration, C)>> = (0..threads).map(|_| Vec::new()).collect();
        for (place, (index, position)) in positions.iter().enumerate() {
            let sampled = place.is_multiple_of(stride).then(|| live[place % threads].clone());
            let after = |rate| Duration::from_secs_f64(f64::from(*index) / rate);
            let wait = muster.ramp_per_s.map_or(Duration::ZERO, after);
            let client = make(*index, position.clone(), sampled);
            made[place % threads].push((wait, client));
        }
        let pairs: Vec<_> = (0..threads)
            .map(|_| UnixStream::pair())
            .collect::<Result<_, _>>()
            .context("no sockets to ask the threads by")?;
        let (mouths, ears): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let stop = CancellationToken::new();
        let mut fleet = Self {
            counters: CounterHandle(Vec::new()),
            lags: Vec::new(),
            _pinger: Pinger::start(mouths, clock, PING_INTERVAL).context("no thread to ask the threads by")?,
            positions,
            threads: Vec::new(),
            _end: stop.clone().drop_guard(),
            stop,
            hushed: Arc::default(),
            gathered: CancellationToken::new(),
            live,
        };
        for (clients, ear) in made.into_iter().zip(ears) {
            let net = Net {
                hushed: fleet.hushed.clone(),
                gathered: fleet.gathered.clone(),
                sources: Sources::new(muster.sources),
                ..Net::new(clock)
            };
            let lags = Lags::default();
            fleet.counters.0.push((net.counters.clone(), net.sockets.clone()));
            fleet.lags.push(lags.clone());
            let stop = fleet.stop.clone();
            let thread = std::thread::Builder::new()
                .name(THREAD.into())
                .spawn(move || run(clients, ear, &lags, &net, &stop))
                .context("a thread for the clients could not start")?;
            fleet.threads.push(thread);
        }
        Ok(fleet)
    }

    /// The counters now.
    pub fn totals(&self) -> Totals {
        self.counters.totals()
    }

    /// For a thread that reads the counters while the fleet runs.
    pub fn counter_handle(&self) -> CounterHandle {
        self.counters.clone()
    }

    /// How many clients satisfy `holds(client, log offset of the newest update it holds)`.
    pub fn holding(&self, holds: impl Fn(u32, u64) -> bool) -> usize {
        let held = self.positions.iter();
        held.filter(|(client, position)| holds(*client, position.load(Relaxed)))
            .count()
    }

    /// How many hold the newest of what they follow: `last` has the log offset of each topic's newest update.
    pub fn holding_all(&self, plan: &Plan, last: &[u64]) -> usize {
        let last_of_all = last.iter().copied().max().unwrap_or(0);
        let followed = |client: u32| {
            let topic = plan.topic_of(client, last.len() as u32);
            topic.map_or(last_of_all, |topic| last[topic as usize])
        };
        self.holding(|client, position| position >= followed(client))
    }

    /// Live p50 and p99 of the sampled clients, µs.
    pub fn live_quantiles(&self) -> Option<(u64, u64)> {
        let mut live = histogram::new();
        for one in &self.live {
            // Of one form: nothing is lost.
            let _ = live.add(&*one.lock());
        }
        (!live.is_empty()).then(|| (live.value_at_quantile(0.5), live.value_at_quantile(0.99)))
    }

    /// How late each thread was within `[from_us, to_us)`, µs: every ping it answered.
    pub fn lags_us(&self, from_us: u64, to_us: u64) -> Vec<Vec<u64>> {
        let lags = self.lags.iter().map(|lags| lags.between(from_us, to_us));
        lags.collect()
    }

    /// From now on no client leaves, and those that are away come back.
    pub fn gather(&self) {
        self.gathered.cancel();
    }

    /// From now on no client asks for anything; what was asked is still answered.
    pub fn hush(&self) {
        self.hushed.store(true, Relaxed);
    }

    /// Tells every client to end.
    pub fn cancel(&self) {
        self.stop.cancel();
    }

    /// Ends every client and collects what each noted. Blocks until the threads are done.
    pub fn stop(self) -> anyhow::Result<Vec<ClientLog>> {
        self.stop.cancel();
        let mut logs = Vec::with_capacity(self.positions.len());
        for thread in self.threads {
            let done = thread
                .join()
                .map_err(|_| anyhow::anyhow!("a thread of the clients panicked"))?;
            logs.extend(done?);
        }
        logs.sort_unstable_by_key(|log| log.client);
        Ok(logs)
    }
}

/// A position for each client, those of one thread side by side: a thread that writes one would otherwise take its neighbour's cache line
/// from the other thread with every update.
fn positions(clients: usize, threads: usize) -> Vec<Arc<AtomicU64>> {
    let of_thread = |thread| (thread..clients).step_by(threads).map(|_| Arc::default()).collect();
    let by_thread: Vec<Vec<Arc<AtomicU64>>> = (0..threads).map(of_thread).collect();
    (0..clients)
        .map(|client| by_thread[client % threads][client / threads].clone())
        .collect()
}

/// The fleet's counters, wherever they are read.
#[derive(Clone, Default)]
pub struct CounterHandle(Vec<(Arc<Counters>, Arc<Sockets>)>);

impl CounterHandle {
    /// What the kernel counted of the fleet's sockets, and with `unread` what waits in them.
    pub fn sockets(&self, unread: bool) -> Counts {
        let mut sum = Counts::default();
        for (_, sockets) in &self.0 {
            sum.add(&sockets.counts(unread));
        }
        sum
    }

    pub fn totals(&self) -> Totals {
        let sum = |pick: fn(&Counters) -> &AtomicU64| self.0.iter().map(|(one, _)| pick(one).load(Relaxed)).sum();
        Totals {
            connections: sum(|c| &c.connections),
            bytes_sent: sum(|c| &c.bytes_sent),
            bytes_received: sum(|c| &c.bytes_received),
            requests: sum(|c| &c.requests),
            empty_responses: sum(|c| &c.empty_responses),
            polls_skipped: sum(|c| &c.polls_skipped),
            errors: sum(|c| &c.errors),
            reconnects: sum(|c| &c.reconnects),
            leaves: sum(|c| &c.leaves),
            setup_bytes: sum(|c| &c.setup_bytes),
            connected: sum(|c| &c.connected),
            updates: sum(|c| &c.updates),
            more_segments_sent: sum(|c| &c.more_segments_sent),
            more_segments_received: sum(|c| &c.more_segments_received),
        }
    }
}

fn run_thread(
    clients: Vec<(Duration, VirtualClient)>,
    ear: UnixStream,
    lags: &Lags,
    net: &Net,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<ClientLog>> {
    // Its tasks never leave this thread: waking one takes no lock, as it would in a LocalSet.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .context("no runtime for the clients")?;
    let gate = Arc::new(Semaphore::new(CONNECTS_AT_ONCE));
    let logs = Rc::<RefCell<Vec<ClientLog>>>::default();
    // Ends with this thread's runtime. A probe that fails leaves its lags out, and a row without them says so.
    runtime.spawn_local(probe::listen(ear, net.clock, lags.clone()));
    let running: Vec<_> = clients
        .into_iter()
        .map(|(wait, client)| {
            let (net, gate) = (net.clone(), gate.clone());
            let mut noted = Noted {
                log: ClientLog {
                    client: client.index,
                    topic: client.topic,
                    ..ClientLog::default()
                },
                logs: logs.clone(),
            };
            runtime.spawn_local(async move {
                tokio::time::sleep(wait).await;
                client.run(net, gate, &mut noted.log).await;
            })
        })
        .collect();
    runtime.block_on(async {
        // Asked here, once: a client that looked at it with every update would wait for a lock that all threads share.
        stop.cancelled().await;
        for client in &running {
            client.abort();
        }
        for client in running {
            match client.await {
                Err(error) if error.is_panic() => return Err(error).context("a client panicked"),
                _ => {}
            }
        }
        Ok(logs.take())
    })
}

/// What a client notes, which is handed over when the client ends, in whatever way.
struct Noted {
    log: ClientLog,
    logs: Rc<RefCell<Vec<ClientLog>>>,
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.logs.borrow_mut().push(std::mem::take(&mut self.log));
    }
}

#[cfg(test)]
mod tests;
