//! What a plan asks of the machine, and whether the machine has it. Too much is refused before anything starts.

use server::hub::PUBLISH_LOG_MAX;

use crate::{
    environment::{self, available_memory_bytes},
    floor,
    net::sources::{self, CONNECTIONS_PER_SOURCE, SOURCES_MOST},
    oracle::typical,
    plan::updates_per_client_s,
    record::{Environment, FeedPlan, Follow, Plan},
    transports::{Asks, ClientTransport, framing::Answer},
    virtual_client::Receipt,
};

/// Descriptors a process needs besides its connections: runtime, files, pipes, control calls.
pub(crate) const DESCRIPTORS_BESIDES: u64 = 64;
/// Memory of one connection, both ends and the kernel's buffers, as measured with 10,000 idle connections, rounded up.
pub(crate) const CONNECTION_BYTES: u64 = 64 * 1024;
/// Where in the log requests are looked at: positions of four digits.
const TYPICAL_OFFSET: u64 = 1_000;

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
    let row = floor::contender(transport);
    let Overhead { exchange, pushed } = row.map_or_else(Overhead::default, |row| overhead(plan, row, update));
    let (requests, overhead) = match row.map_or(Asks::Once, |row| row.asks) {
        Asks::EveryInterval => (polls, Some(polls * exchange)),
        Asks::EveryUpdate => (deliveries.unwrap_or(0.0), deliveries.map(|n| n * exchange)),
        Asks::Once => (0.0, deliveries.map(|n| n * pushed)),
    };
    let bytes = deliveries.zip(overhead).map(|(n, overhead)| n * update + overhead);
    Traffic {
        requests_per_s: requests,
        deliveries_per_s: deliveries,
        bytes_per_s: bytes,
    }
}

/// Bytes around the updates themselves.
#[derive(Default)]
struct Overhead {
    /// A request and an answer without updates.
    exchange: f64,
    /// Framing of one pushed update.
    pushed: f64,
}

fn overhead(plan: &Plan, row: &ClientTransport, update_bytes: f64) -> Overhead {
    let topic = (plan.follow == Follow::One).then_some(0);
    let (endpoint, cursor) = (typical::endpoint(plan, topic), typical::cursor(TYPICAL_OFFSET));
    let nothing = Answer {
        cursor,
        updates: 0,
        update_bytes: 0,
    };
    let framing = &row.framing;
    let exchange = (framing.request)(&endpoint, Some(cursor)) + (framing.answer)(&endpoint, nothing);
    let update_bytes = update_bytes as u64;
    let pushed = framing
        .pushed
        .map_or(0, |pushed| pushed(cursor, update_bytes) - update_bytes);
    Overhead {
        exchange: exchange as f64,
        pushed: pushed as f64,
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
    let contenders = plan.contenders();
    let rows = contenders.iter().map(|id| row_s(&plan.varied(id.variant.as_deref())));
    rows.sum::<f64>() * f64::from(plan.repeats)
}

fn row_s(plan: &Plan) -> f64 {
    const START_AND_DRAIN_S: f64 = 1.0;
    const CONNECTS_PER_S: f64 = 5_000.0;
    let ramp = f64::from(plan.clients) / plan.ramp_per_s.unwrap_or(CONNECTS_PER_S);
    START_AND_DRAIN_S + ramp + plan.settle_s + plan.duration_s
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

/// Everything the plan needs: the most that any of its variants does.
pub fn needs(plan: &Plan, machine: &Environment) -> Vec<Need> {
    let of_one = |plan: &Plan| needs_of_one(plan, machine);
    let variants = plan.variants.iter().map(|one| of_one(&plan.varied(Some(&one.name))));
    let most = |a: Vec<Need>, b: Vec<Need>| -> Vec<Need> {
        let pairs = a.into_iter().zip(b);
        pairs.map(|(a, b)| if b.needed > a.needed { b } else { a }).collect()
    };
    variants.reduce(most).unwrap_or_else(|| of_one(plan))
}

fn needs_of_one(plan: &Plan, machine: &Environment) -> Vec<Need> {
    let clients = u64::from(plan.clients);
    let limit = machine.descriptor_limit;
    let stalled = u64::from(plan.stalled_clients);
    let possible = limit.saturating_sub(DESCRIPTORS_BESIDES + stalled);
    // The process with the most connections: both ends have as many, and fewer processes share them where there are fewer.
    let processes = u64::from(if plan.remote {
        plan.workers
    } else {
        plan.workers.min(plan.nodes)
    });
    let descriptors = Need {
        what: "descriptors per process",
        needed: clients.div_ceil(processes) + stalled + DESCRIPTORS_BESIDES,
        available: Some(limit),
        way_out: format!(
            "--clients {} fits; --workers and --nodes divide them over processes; `ulimit -Hn` and limits.conf raise the limit",
            possible * processes
        ),
    };
    let ports = Need {
        what: "local ports",
        needed: connections_per_node(plan),
        available: (machine.ephemeral_ports > 0).then_some(match plan.remote {
            true => u64::from(machine.ephemeral_ports),
            // Over loopback, as many source addresses as it takes.
            false => per_source(machine.ephemeral_ports) * SOURCES_MOST,
        }),
        way_out: "fewer --clients or a shorter --duration; net.ipv4.ip_local_port_range widens the range".into(),
    };
    // What workers noted is told before it is dropped: then it is there twice.
    let copies = if plan.workers > 1 { 2.0 } else { 1.0 };
    let receipts = received_by_one(plan) * clients as f64 * copies;
    let memory = Need {
        what: "memory, bytes",
        // A plan within all ranges may still ask for more than can be counted.
        needed: (receipts as u64)
            .saturating_mul(size_of::<Receipt>() as u64)
            .saturating_add((clients + stalled) * CONNECTION_BYTES),
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

/// Connections to the address of one server in a row, those that are closed included: a closed one keeps its port for a minute. A server of
/// our own has a new port for each row, so rows do not add up.
pub fn connections_per_node(plan: &Plan) -> u64 {
    let fresh = if plan.keep_alive { 0 } else { fresh_connections(plan) };
    let all = u64::from(plan.clients) + returns(plan) + fresh;
    all.div_ceil(plan.nodes.max(1).into()) + u64::from(plan.stalled_clients)
}

/// Source addresses that the connections of a row to one server come from, those of stalled clients included.
pub fn sources(plan: &Plan) -> u8 {
    sources::needed(connections_per_node(plan), per_source(environment::ephemeral_ports()))
}

/// Connections that come from one source address, of a machine with so many local ports (0: it does not say). A quarter of a narrow range is
/// left: the last free ports take long to find, listeners and control calls have some, and clients do not take turns to the last one.
fn per_source(ephemeral_ports: u32) -> u64 {
    match u64::from(ephemeral_ports) {
        0 => CONNECTIONS_PER_SOURCE,
        ports => (ports * 3 / 4).clamp(1, CONNECTIONS_PER_SOURCE),
    }
}

/// Updates one client notes in a row, about, where the plan says so.
fn received_by_one(plan: &Plan) -> f64 {
    if let FeedPlan::Replay {
        updates: Some(updates),
        topics,
        ..
    } = plan.feed
    {
        let followed = if plan.follow == Follow::All { 1 } else { topics.max(1) };
        return updates as f64 / f64::from(followed);
    }
    updates_per_client_s(plan).unwrap_or(0.0) * (plan.duration_s + plan.settle_s)
}

/// Updates the feed publishes in a row, where the plan says so.
fn published(plan: &Plan) -> u64 {
    if let FeedPlan::Replay {
        updates: Some(updates), ..
    } = plan.feed
    {
        return updates;
    }
    let (Some(per_client), topics) = (updates_per_client_s(plan), f64::from(plan.topics())) else {
        return 0;
    };
    let topics_followed = if plan.follow == Follow::All { 1.0 } else { topics };
    (per_client * topics_followed * (plan.settle_s + plan.duration_s)) as u64
}

/// Connections a row opens because clients that had left, or were cut off, come back.
fn returns(plan: &Plan) -> u64 {
    let round_s = plan.churn.map(|churn| churn.stay_s + churn.away_s);
    let per_client = round_s.map_or(0.0, |round_s| (plan.settle_s + plan.duration_s) / round_s);
    // After a restart all come back at once.
    let restarts = u64::from(plan.restart.is_some());
    (per_client * f64::from(plan.clients)) as u64 + restarts * u64::from(plan.clients)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_range_of_ports_takes_more_addresses() {
        let addresses = |connections, ports| sources::needed(connections, per_source(ports));
        assert_eq!([0, 28_232, 64_512].map(|ports| addresses(50_000, ports)), [3; 3]);
        assert_eq!(addresses(50_000, 1_000), 67);
        for ports in [1, 100, 1_000, 28_232] {
            let most = per_source(ports) * SOURCES_MOST;
            let each = most.div_ceil(addresses(most, ports).into());
            assert!(each <= ports.into(), "what is allowed fits: {each} of {ports}");
        }
    }
}
