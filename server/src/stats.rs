//! What the server counts of itself, for `/metrics` (Prometheus text) and `/api/stats` (JSON).
//!
//! Transports and the accept loop count; nothing here is read on the measured path. Gauges fall when their guard is dropped,
//! so a session that ends in any way is no longer counted.

use std::sync::{Arc, atomic::AtomicU64};

use nix::time::{ClockId, clock_gettime};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use serde::Serialize;

use crate::{
    feed::recording,
    hub::{Batch, LogStats},
};

/// Label of everything that is counted per transport.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTransport {
    transport: &'static str,
}

type PerTransport<M> = Family<ByTransport, M>;

/// All counters of the server.
#[derive(Default)]
pub struct Stats {
    pub connections: Gauge,
    pub connections_total: Counter,
    /// Turned away with 503 at the connection cap.
    pub connections_refused: Counter,
    /// Closed because no request head came in time.
    pub header_timeouts: Counter,
    /// Closed because the peer took no byte for too long.
    pub write_stalls: Counter,
    /// Closed because the peer's machine answered nothing any more.
    pub vanished_peers: Counter,
    pub bytes_received: Counter,
    pub bytes_sent: Counter,
    pub updates: Counter,
    /// Times a fan-out task was so late that the log had forgotten what it had not handed out: every session read for itself then.
    pub overruns: Counter,
    /// Of `--record`.
    pub recording: recording::Counts,
    subscribers: PerTransport<Gauge>,
    requests: PerTransport<Counter>,
    deliveries: PerTransport<Counter>,
    resets: PerTransport<Counter>,
    lagged: PerTransport<Counter>,
    silent_peers: PerTransport<Counter>,
}

/// The counters of one transport, looked up once.
#[derive(Clone)]
pub struct TransportStats {
    /// Sessions open now: streams, held polls, requests under way.
    pub subscribers: Gauge,
    pub requests: Counter,
    /// Updates written, over all sessions.
    pub deliveries: Counter,
    pub resets: Counter,
    /// Updates sessions lost with a reset.
    pub lagged: Counter,
    /// Sessions closed because the peer fell silent.
    pub silent_peers: Counter,
}

/// One transport in `/api/stats`.
#[derive(Debug, Serialize)]
pub struct TransportSnapshot {
    pub id: &'static str,
    pub subscribers: i64,
    pub requests: u64,
    pub deliveries: u64,
    pub resets: u64,
    pub lagged: u64,
    pub silent_peers: u64,
}

impl TransportStats {
    /// Counts a session for as long as the guard lives.
    pub fn subscribe(&self) -> GaugeGuard {
        GaugeGuard::new(&self.subscribers)
    }

    /// Counts what a session is about to be sent.
    pub fn count(&self, batch: &Batch) {
        self.deliveries.inc_by(batch.updates.len() as u64);
        self.resets.inc_by(u64::from(batch.reset.is_some()));
        self.lagged.inc_by(batch.lagged);
    }

    pub fn snapshot(&self, id: &'static str) -> TransportSnapshot {
        TransportSnapshot {
            id,
            subscribers: self.subscribers.get(),
            requests: self.requests.get(),
            deliveries: self.deliveries.get(),
            resets: self.resets.get(),
            lagged: self.lagged.get(),
            silent_peers: self.silent_peers.get(),
        }
    }
}

/// One up on a gauge until dropped.
pub struct GaugeGuard(Gauge);

impl GaugeGuard {
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Stats {
    /// The counters of the transport with this id.
    pub fn transport(&self, transport: &'static str) -> Arc<TransportStats> {
        let label = ByTransport { transport };
        Arc::new(TransportStats {
            subscribers: self.subscribers.get_or_create_owned(&label),
            requests: self.requests.get_or_create_owned(&label),
            deliveries: self.deliveries.get_or_create_owned(&label),
            resets: self.resets.get_or_create_owned(&label),
            lagged: self.lagged.get_or_create_owned(&label),
            silent_peers: self.silent_peers.get_or_create_owned(&label),
        })
    }

    /// What was counted under this id, where anything ever looked it up.
    pub fn known(&self, transport: &'static str) -> Option<TransportSnapshot> {
        let is_known = self.requests.get(&ByTransport { transport }).is_some();
        is_known.then(|| self.transport(transport).snapshot(transport))
    }

    /// The OpenMetrics text of everything, with the log's size and the process's CPU and memory as they are now.
    pub fn metrics(&self, log: LogStats) -> Result<String, std::fmt::Error> {
        let mut registry = self.registry();
        measure_now(&mut registry, log);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    fn registry(&self) -> Registry {
        let mut r = Registry::with_prefix("feed");
        r.register("connections_open", "Connections open now", self.connections.clone());
        r.register("connections", "Connections accepted", self.connections_total.clone());
        r.register(
            "connections_refused",
            "Connections turned away at the cap",
            self.connections_refused.clone(),
        );
        r.register(
            "header_timeouts",
            "Connections closed for want of a request head",
            self.header_timeouts.clone(),
        );
        r.register(
            "write_stalls",
            "Connections closed because the peer took nothing",
            self.write_stalls.clone(),
        );
        r.register(
            "vanished_peers",
            "Connections closed because the peer's machine answered nothing",
            self.vanished_peers.clone(),
        );
        r.register_with_unit(
            "received",
            "Socket payload received",
            Unit::Bytes,
            self.bytes_received.clone(),
        );
        r.register_with_unit("sent", "Socket payload sent", Unit::Bytes, self.bytes_sent.clone());
        r.register("updates", "Updates published", self.updates.clone());
        r.register(
            "fanout_overruns",
            "Times the log went on without a fan-out task, and every session read for itself",
            self.overruns.clone(),
        );
        let recording = &self.recording;
        r.register("recorded", "Updates in the recording", recording.recorded.clone());
        r.register(
            "unrecorded",
            "Updates a recording that ended early lacks",
            recording.unrecorded.clone(),
        );
        r.register("subscribers", "Sessions open now", self.subscribers.clone());
        r.register("requests", "Requests for the feed", self.requests.clone());
        r.register("deliveries", "Updates written to sessions", self.deliveries.clone());
        r.register("resets", "Resets said", self.resets.clone());
        r.register("lagged", "Updates sessions lost with a reset", self.lagged.clone());
        r.register(
            "silent_peers",
            "Sessions closed because the peer fell silent",
            self.silent_peers.clone(),
        );
        r
    }
}

/// What is read at the moment of the scrape rather than counted.
fn measure_now(registry: &mut Registry, log: LogStats) {
    let gauge = |value: u64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(value as i64);
        gauge
    };
    let cpu: Counter<f64, AtomicU64> = Counter::default();
    cpu.inc_by(cpu_seconds());
    let resident = gauge(resident_bytes().unwrap_or(0));
    registry.register("tasks", "Tasks of the runtime alive now", gauge(alive_tasks()));
    registry.register("log_updates", "Updates in the log", gauge(log.updates as u64));
    registry.register_with_unit(
        "log",
        "Encoded updates in the log",
        Unit::Bytes,
        gauge(log.bytes as u64),
    );
    registry.register_with_unit("resident_memory", "Resident memory", Unit::Bytes, resident);
    registry.register_with_unit("cpu", "CPU time, user and system", Unit::Seconds, cpu);
}

/// Tasks of the runtime this is called on: connections, sessions, and the few that are always there.
pub fn alive_tasks() -> u64 {
    tokio::runtime::Handle::try_current().map_or(0, |runtime| runtime.metrics().num_alive_tasks() as u64)
}

/// CPU time of this process so far, user and system.
pub fn cpu_seconds() -> f64 {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)
        .map_or(0.0, |time| time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}

/// Resident memory of this process; None where /proc is not mounted.
pub fn resident_bytes() -> Option<u64> {
    resident_bytes_of("self")
}

/// Resident memory of a process by pid (or `self`), from `/proc/PID/status`, in bytes.
pub fn resident_bytes_of(pid: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
