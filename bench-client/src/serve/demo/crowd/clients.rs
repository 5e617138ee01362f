//! The clients of a crowd, in the process that is started for them.
//!
//! ```text
//! stdin: a size a line, until it ends -> watch -> threads: clients 0..size, each on one thread -> the lane of their transport
//! stdout: a line of figures each second <- Counts and Counters of every thread
//! ```
//!
//! Every thread starts and ends clients until it has its part of the size: who was there before a change stays connected. Their
//! settings are those of `run`: headers of a browser, kept connections, topics in turn, polls on a grid.

use std::{
    io::{BufRead, Write},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use server::{clock::Clock, wire::Mode};
use tokio::{
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinSet, LocalSet},
    time::{Instant, MissedTickBehavior},
};

use super::figures::Figures;
use crate::{
    control::Control,
    environment,
    fleet::THREAD,
    headers::HeaderSet,
    net::{Counters, Net},
    report::histogram,
    transports::{self, ClientTransport, Endpoint, PollGrid, TopicIndex},
    virtual_client::{
        ClientLog, VirtualClient,
        counted::{Counted, Counts, Sums},
    },
};

/// How often figures are told.
const EVERY: Duration = Duration::from_secs(1);
/// How often a thread looks how late it is.
const PULSE: Duration = Duration::from_millis(50);
/// First connects under way at once, per thread: the server answers the page meanwhile.
const CONNECTS_AT_ONCE: usize = 32;
/// As `run` has them, where its scenario says nothing else.
const POLL_INTERVAL_US: u64 = 1_000_000;
const WAIT_MS: u64 = 25_000;
/// Seeds what is random of a client: nothing, as long as none leaves by itself.
const SEED: u64 = 1;

/// What all clients of a crowd have in common.
struct Kind {
    transport: &'static ClientTransport,
    address: SocketAddr,
    clock: Clock,
    /// Names of the topics, in the server's order.
    names: Vec<String>,
    topics: Arc<TopicIndex>,
    polls_from_us: u64,
}

/// What one thread counts.
struct Part {
    counters: Arc<Counters>,
    counts: Arc<Counts>,
    thread: JoinHandle<Result<()>>,
}

/// Runs the crowd that stdin asks for, until stdin ends.
///
/// # Errors
/// Where `url` is no server of this machine, where a thread cannot start, and where nobody reads the figures any more.
pub async fn run(url: &str, address: SocketAddr, transport: &str) -> Result<()> {
    let kind = Arc::new(kind(url, address, transport).await?);
    let (size, mut asked) = watch::channel(0);
    // Not awaited: it ends with stdin, or with this process.
    std::thread::Builder::new()
        .name("orders".into())
        .spawn(move || take_orders(&size))
        .context("no thread to read stdin")?;
    let threads = environment::cores();
    let parts: Result<Vec<Part>> = (0..threads)
        .map(|index| start(&kind, index, threads, asked.clone()))
        .collect();
    let mut parts = parts?;
    let mut second = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Last::now();
    loop {
        tokio::select! {
            changed = asked.changed() => match changed {
                Ok(()) => continue,
                // What clients still run ends with the process.
                Err(_) => return Ok(()),
            },
            _ = second.tick() => {}
        }
        if let Some(index) = parts.iter().position(|part| part.thread.is_finished()) {
            let ended = parts.swap_remove(index).thread.join();
            return ended.map_err(|_| anyhow!("a thread of the clients panicked"))?;
        }
        let figures = last.figures(&parts, *asked.borrow());
        let line = serde_json::to_string(&figures)?;
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{line}")
            .and_then(|()| stdout.flush())
            .context("nobody reads the figures")?;
    }
}

async fn kind(url: &str, address: SocketAddr, transport: &str) -> Result<Kind> {
    let transport = transports::by_id(transport).with_context(|| format!("no transport {transport:?}"))?;
    let control = Control::new(url).await?;
    let shared = control.clock().await.context("the server's clock could not be read")?;
    ensure!(shared.bound_us == 0, "{url} is not on this machine");
    let stats = control.stats().await.context("the topics could not be read")?;
    let names: Vec<String> = stats.topics.into_iter().map(|one| one.topic).collect();
    ensure!(!names.is_empty(), "{url} has no topic to follow");
    let topics = names.iter().cloned().zip(0..).collect();
    Ok(Kind {
        transport,
        address,
        clock: shared.clock,
        names,
        topics: Arc::new(topics),
        polls_from_us: shared.clock.now_us(),
    })
}

/// Passes on every size that stdin asks for; ending it by its end is the last order.
fn take_orders(size: &watch::Sender<u32>) {
    for line in std::io::stdin().lock().lines() {
        match line.map(|line| line.trim().parse()) {
            Ok(Ok(wanted)) => {
                size.send_replace(wanted);
            }
            Ok(Err(_)) => eprintln!("not understood: expected a number of clients"),
            Err(_) => return,
        }
    }
}

impl Kind {
    fn client(&self, index: u32) -> VirtualClient {
        let topic = index % self.names.len() as u32;
        let endpoint = Endpoint {
            address: self.address,
            authority: self.address.to_string(),
            topic: Some(self.names[topic as usize].clone()),
            topics: self.topics.clone(),
            mode: Mode::Every,
            wait_ms: WAIT_MS,
            headers: HeaderSet::Browser,
            keep_alive: true,
            polls: PollGrid {
                first_us: self.polls_from_us + phase_us(index),
                interval_us: POLL_INTERVAL_US,
            },
        };
        VirtualClient {
            index,
            topic: Some(topic),
            transport: self.transport,
            endpoint: Arc::new(endpoint),
            position: Arc::default(),
            live: None,
            seed: SEED,
            restarts: false,
            churn: None,
            backoff_jitter: true,
        }
    }
}

/// When in the interval a client polls. Whatever the size of the crowd, steps of the golden ratio spread its clients evenly.
fn phase_us(index: u32) -> u64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    ((f64::from(index) * GOLDEN).fract() * POLL_INTERVAL_US as f64) as u64
}

/// Starts a thread for every client of which `index` is the remainder.
fn start(kind: &Arc<Kind>, index: usize, threads: usize, size: watch::Receiver<u32>) -> Result<Part> {
    let net = Net::new(kind.clock);
    let (counters, counts) = (net.counters.clone(), Arc::<Counts>::default());
    let (kind, counting) = (kind.clone(), counts.clone());
    let thread = std::thread::Builder::new()
        .name(THREAD.into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.context("no runtime for the clients")?;
            LocalSet::new().block_on(&runtime, keep(&kind, (index, threads), size, &net, &counting))
        })
        .context("a thread for the clients could not start")?;
    Ok(Part {
        counters,
        counts,
        thread,
    })
}

/// Has as many clients as are asked for, until nobody can ask any more.
async fn keep(
    kind: &Kind,
    (first, step): (usize, usize),
    mut size: watch::Receiver<u32>,
    net: &Net,
    counts: &Arc<Counts>,
) -> Result<()> {
    let gate = Arc::new(Semaphore::new(CONNECTS_AT_ONCE));
    let mut running = JoinSet::new();
    let mut clients: Vec<AbortHandle> = Vec::new();
    let mut pulse = tokio::time::interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let wanted = (first..*size.borrow_and_update() as usize).step_by(step);
        for index in wanted.clone().skip(clients.len()) {
            let client = kind.client(index as u32);
            let (net, gate) = (net.clone(), gate.clone());
            let mut log = ClientLog {
                counted: Some(Counted::new(counts.clone())),
                ..ClientLog::default()
            };
            clients.push(running.spawn_local(async move { client.run(net, gate, &mut log).await }));
        }
        // Their connections close with them.
        clients
            .drain(wanted.len().min(clients.len())..)
            .for_each(|client| client.abort());
        tokio::select! {
            changed = size.changed() => if changed.is_err() { return Ok(()) },
            due = pulse.tick() => counts.late(due.elapsed()),
            Some(ended) = running.join_next() => match ended {
                Err(error) if error.is_cancelled() => {}
                Err(_) => bail!("a client panicked"),
                Ok(()) => bail!("a client ended by itself"),
            },
        }
    }
}

/// The counters when they were read the last time.
struct Last {
    at: Instant,
    deliveries: u64,
    requests: u64,
    bytes: u64,
}

impl Last {
    fn now() -> Self {
        Self {
            at: Instant::now(),
            deliveries: 0,
            requests: 0,
            bytes: 0,
        }
    }

    /// What came since the last time, which is now.
    fn figures(&mut self, parts: &[Part], clients: u32) -> Figures {
        let sum = |pick: fn(&Counters) -> &AtomicU64| -> u64 {
            parts.iter().map(|part| pick(&part.counters).load(Relaxed)).sum()
        };
        let (mut sums, mut latency, mut late_us, mut error) = (Sums::default(), histogram::new(), 0, None);
        for part in parts {
            let reading = part.counts.read();
            sums.add(&reading.sums);
            // It grows by itself; it refuses no value.
            let _ = latency.add(&reading.latency);
            late_us = late_us.max(reading.late_us);
            error = error.or(reading.error);
        }
        let now = Self {
            at: Instant::now(),
            deliveries: sums.deliveries,
            requests: sum(|c| &c.requests),
            // What a first session is set up with is no update's.
            bytes: (sum(|c| &c.bytes_sent) + sum(|c| &c.bytes_received)).saturating_sub(sum(|c| &c.setup_bytes)),
        };
        // Setup is known once a connect has ended, so that the difference may go back for a moment.
        let (deliveries, bytes) = (now.deliveries - self.deliveries, now.bytes.saturating_sub(self.bytes));
        let elapsed_s = now.at.duration_since(self.at).as_secs_f64();
        let quantile = |q| (!latency.is_empty()).then(|| latency.value_at_quantile(q));
        let figures = Figures {
            clients,
            connected: parts.iter().map(|part| part.counts.sessions()).sum(),
            deliveries_per_s: deliveries as f64 / elapsed_s,
            requests_per_s: (now.requests - self.requests) as f64 / elapsed_s,
            bytes_per_s: bytes as f64 / elapsed_s,
            bytes_per_update: (deliveries > 0).then(|| bytes as f64 / deliveries as f64),
            latency_p50_us: quantile(0.5),
            latency_p99_us: quantile(0.99),
            late_max_us: Some(late_us),
            updates: sums.deliveries,
            missed: sums.missed,
            lagged: sums.lagged,
            duplicates: sums.duplicates,
            out_of_order: sums.out_of_order,
            errors: sum(|c| &c.errors),
            error,
        };
        *self = now;
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_of_a_crowd_of_any_size_are_spread_over_the_interval() {
        for size in [2_u32, 7, 50, 1_000, 5_000] {
            let mut phases: Vec<u64> = (0..size).map(phase_us).collect();
            phases.sort_unstable();
            let wrapped = phases[0] + POLL_INTERVAL_US;
            let gaps = phases.windows(2).map(|two| two[1] - two[0]);
            let widest = gaps.chain([wrapped - phases[size as usize - 1]]).max().unwrap();
            // The widest gap of this sequence is below 2.7 times the mean (three-gap theorem).
            assert!(
                widest * u64::from(size) < POLL_INTERVAL_US * 27 / 10,
                "{size}: {widest} µs"
            );
        }
    }
}
