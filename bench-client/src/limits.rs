//! What a plan asks of the machine, and whether the machine has it. Too much is refused before anything starts.

use server::hub::PUBLISH_LOG_MAX;

use crate::{
    environment::available_memory_bytes,
    plan::updates_per_client_s,
    record::{Environment, Follow, Plan},
    transports::{self, Asks},
    virtual_client::Receipt,
};

/// Descriptors a process needs besides its connections: runtime, files, pipes, control calls.
const DESCRIPTORS_BESIDES: u64 = 64;
/// Memory of one connection, both ends and the kernel's buffers, as measured with 10,000 idle connections, rounded up.
const CONNECTION_BYTES: u64 = 64 * 1024;
/// Bytes of a browser's request and of an answer's head: for the estimate alone.
const REQUEST_BYTES: f64 = 750.0;
const ANSWER_HEAD_BYTES: f64 = 200.0;
/// Framing of one pushed update: for the estimate alone.
const PUSH_BYTES: f64 = 60.0;

/// What a row of one transport is expected to move. An estimate for people, not a measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    pub requests_per_s: f64,
    /// None when the feed does not say how much it publishes.
    pub deliveries_per_s: Option<f64>,
    pub bytes_per_s: Option<f64>,
}

/// The expected traffic of a transport under this plan.
pub fn traffic(plan: &Plan, transport: &str) -> Traffic {
    let clients = f64::from(plan.clients);
    let deliveries = updates_per_client_s(plan).map(|rate| rate * clients);
    let update = update_bytes(plan);
    let polls = clients * 1_000.0 / plan.poll_interval_ms as f64;
    let exchange = REQUEST_BYTES + ANSWER_HEAD_BYTES;
    let (requests, overhead) = match transports::by_id(transport).map_or(Asks::Once, |row| row.asks) {
        Asks::EveryInterval => (polls, Some(polls * exchange)),
        Asks::EveryUpdate => (deliveries.unwrap_or(0.0), deliveries.map(|n| n * exchange)),
        Asks::Once => (0.0, deliveries.map(|n| n * PUSH_BYTES)),
    };
    let bytes = deliveries.zip(overhead).map(|(n, overhead)| n * update + overhead);
    Traffic {
        requests_per_s: requests,
        deliveries_per_s: deliveries,
        bytes_per_s: bytes,
    }
}

fn update_bytes(plan: &Plan) -> f64 {
    use crate::record::FeedPlan::{Replay, Simulated, Target};
    const UNPADDED_BYTES: u32 = 230;
    let (Simulated { update_bytes, .. } | Replay { update_bytes, .. } | Target { update_bytes, .. }) = &plan.feed;
    f64::from(update_bytes.unwrap_or(UNPADDED_BYTES))
}

/// How long the whole run takes, about, in seconds.
pub fn run_s(plan: &Plan) -> f64 {
    const START_AND_DRAIN_S: f64 = 1.0;
    const CONNECTS_PER_S: f64 = 5_000.0;
    let ramp = f64::from(plan.clients) / plan.ramp_per_s.unwrap_or(CONNECTS_PER_S);
    let row = START_AND_DRAIN_S + ramp + plan.settle_s + plan.duration_s;
    row * (plan.transports.len() as f64) * f64::from(plan.repeats)
}

/// One thing the machine must have enough of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub what: &'static str,
    pub needed: u64,
    /// None when the machine does not say.
    pub available: Option<u64>,
    /// What to do when it is too little.
    pub way_out: String,
}

impl Need {
    pub fn is_met(&self) -> bool {
        self.available.is_none_or(|available| self.needed <= available)
    }
}

/// Everything the plan needs.
pub fn needs(plan: &Plan, machine: &Environment) -> Vec<Need> {
    let clients = u64::from(plan.clients);
    let limit = machine.descriptor_limit;
    let possible = limit.saturating_sub(DESCRIPTORS_BESIDES);
    let descriptors = Need {
        what: "descriptors per process",
        needed: clients + DESCRIPTORS_BESIDES,
        available: Some(limit),
        way_out: format!("--clients {possible} fits; `ulimit -Hn` and limits.conf raise the limit"),
    };
    // A closed connection keeps its port for a minute; a server of our own has a new port for each row, so rows do not add up.
    let ports_needed = clients + if plan.keep_alive { 0 } else { fresh_connections(plan) };
    let ports = Need {
        what: "local ports",
        needed: ports_needed,
        available: (machine.ephemeral_ports > 0).then_some(u64::from(machine.ephemeral_ports)),
        way_out: "fewer --clients or a shorter --duration; net.ipv4.ip_local_port_range widens the range".into(),
    };
    let receipts = updates_per_client_s(plan).unwrap_or(0.0) * (plan.duration_s + plan.settle_s) * clients as f64;
    let memory = Need {
        what: "memory, bytes",
        // A plan within all ranges may still ask for more than can be counted.
        needed: (receipts as u64)
            .saturating_mul(size_of::<Receipt>() as u64)
            .saturating_add(clients * CONNECTION_BYTES),
        available: available_memory_bytes(),
        way_out: "fewer --clients, or a shorter --duration (every update of every client is noted)".into(),
    };
    let lines = Need {
        what: "lines of the publish log",
        needed: published(plan),
        available: Some(PUBLISH_LOG_MAX as u64),
        way_out: "a shorter --duration, fewer --topics or a lower --rate".into(),
    };
    vec![descriptors, ports, memory, lines]
}

/// Updates the feed publishes in a row, where the plan says so.
fn published(plan: &Plan) -> u64 {
    let (Some(per_client), topics) = (updates_per_client_s(plan), f64::from(plan.topics())) else {
        return 0;
    };
    let topics_followed = if plan.follow == Follow::All { 1.0 } else { topics };
    (per_client * topics_followed * (plan.settle_s + plan.duration_s)) as u64
}

/// Connections a row opens when each request has its own.
fn fresh_connections(plan: &Plan) -> u64 {
    let per_s = plan
        .transports
        .iter()
        .map(|id| traffic(plan, id).requests_per_s)
        .fold(0.0, f64::max);
    (per_s * (plan.settle_s + plan.duration_s)) as u64
}
