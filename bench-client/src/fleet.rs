//! All virtual clients of a row, spread over one thread per core.
//!
//! ```text
//! Fleet::start -> thread 0: current-thread runtime, clients 0, 2, 4 …   -> counters (read at the window's edges)
//!              `- thread 1: …           clients 1, 3, 5 …               -> ClientLog of each client, at the end
//! Fleet::start_bare -> the same, a bare loop a thread (see [`crate::floor`])
//! ```
//!
//! A client never leaves its thread, so nothing on its way is shared or locked.

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
use server::{
    clock::Clock,
    probe::{self, Lags, Pinger},
};
use tokio::{runtime::LocalOptions, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    floor,
    net::{Counters, Net},
    sockets::{Counts, Sockets},
    virtual_client::{ClientLog, VirtualClient},
};

/// Name of the clients' threads, by which the kernel's tables know them.
pub const THREAD: &str = "clients";
/// How often each thread is asked how late it is: a reading costs it a wake-up, so this is what accuracy and cost allow.
pub const PING_INTERVAL: Duration = Duration::from_millis(20);
/// First connects under way at once, per thread.
pub const CONNECTS_AT_ONCE: usize = 64;
/// Clients whose latencies feed the progress line.
pub const LIVE_SAMPLE: usize = 64;

/// Latencies for the progress line, of the clients that are sampled.
pub type Live = Arc<Mutex<Histogram<u64>>>;

/// Runs a thread's clients, each after its wait, until they are told to stop; answers the pinger meanwhile.
type RunThread<C> =
    fn(Vec<(Duration, C)>, UnixStream, &Lags, &Net, &CancellationToken) -> anyhow::Result<Vec<ClientLog>>;

/// Running clients.
pub struct Fleet {
    counters: CounterHandle,
    /// How late each thread was.
    lags: Vec<Lags>,
    /// Asks them, for as long as the fleet lives.
    _pinger: Pinger,
    positions: Vec<Arc<AtomicU64>>,
    threads: Vec<JoinHandle<anyhow::Result<Vec<ClientLog>>>>,
    stop: CancellationToken,
    /// See [`Net::may_ask`].
    hushed: Arc<AtomicBool>,
    /// See [`Net::gathered`].
    gathered: CancellationToken,
    live: Live,
}

/// All counters of the fleet, added up at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

impl Fleet {
    /// Starts `clients` clients made by `make(index, position, live)`, `ramp_per_s` a second, or as fast as connects go.
    pub fn start(
        threads: usize,
        clients: u32,
        clock: Clock,
        ramp_per_s: Option<f64>,
        make: impl FnMut(u32, Arc<AtomicU64>, Option<Live>) -> VirtualClient,
    ) -> anyhow::Result<Self> {
        Self::spread((threads, clients), clock, ramp_per_s, make, run_thread)
    }

    /// The same of the floor's clients, each thread with an event loop of its own.
    pub fn start_bare(
        threads: usize,
        clients: u32,
        clock: Clock,
        ramp_per_s: Option<f64>,
        make: impl FnMut(u32, Arc<AtomicU64>, Option<Live>) -> floor::client::Client,
    ) -> anyhow::Result<Self> {
        Self::spread((threads, clients), clock, ramp_per_s, make, floor::reader::run)
    }

    fn spread<C: Send + 'static>(
        (threads, clients): (usize, u32),
        clock: Clock,
        ramp_per_s: Option<f64>,
        mut make: impl FnMut(u32, Arc<AtomicU64>, Option<Live>) -> C,
        run: RunThread<C>,
    ) -> anyhow::Result<Self> {
        let live = Arc::new(Mutex::new(crate::report::histogram::new()));
        let positions = positions(clients as usize, threads);
        let stride = (clients as usize).div_ceil(LIVE_SAMPLE).max(1);
        let mut made: Vec<Vec<(Duration, C)>> = (0..threads).map(|_| Vec::new()).collect();
        for index in 0..clients {
            let sampled = (index as usize).is_multiple_of(stride).then(|| live.clone());
            let wait = ramp_per_s.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(f64::from(index) / rate));
            let client = make(index, positions[index as usize].clone(), sampled);
            made[index as usize % threads].push((wait, client));
        }
        let pairs: Vec<_> = (0..threads)
            .map(|_| UnixStream::pair())
            .collect::<Result<_, _>>()
            .context("no sockets to ask the threads by")?;
        let (mouths, ears): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let mut fleet = Self {
            counters: CounterHandle(Vec::new()),
            lags: Vec::new(),
            _pinger: Pinger::start(mouths, clock, PING_INTERVAL).context("no thread to ask the threads by")?,
            positions,
            threads: Vec::new(),
            stop: CancellationToken::new(),
            hushed: Arc::default(),
            gathered: CancellationToken::new(),
            live,
        };
        for (clients, ear) in made.into_iter().zip(ears) {
            let net = Net {
                hushed: fleet.hushed.clone(),
                gathered: fleet.gathered.clone(),
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
        let held = self.positions.iter().enumerate();
        held.filter(|(index, position)| holds(*index as u32, position.load(Relaxed)))
            .count()
    }

    /// Live p50 and p99 of the sampled clients, µs.
    pub fn live_quantiles(&self) -> Option<(u64, u64)> {
        let live = self.live.lock();
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
#[derive(Clone)]
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
