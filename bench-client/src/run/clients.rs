//! The virtual clients of a row, made from the plan.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use rand_pcg::{
    Pcg32,
    rand_core::{RngCore, SeedableRng},
};
use server::clock::Clock;

use super::nodes::Nodes;
use crate::{
    control::Control,
    fleet::{Fleet, Live, Muster, Part, Threads},
    floor,
    headers::HeaderSet,
    limits,
    record::{Mode, Plan, RequestHeaders},
    stalled::StalledPeers,
    transports::{self, Endpoint, PollGrid, TopicIndex},
    virtual_client::VirtualClient,
    workers::{Workers, orders::Orders},
};

/// A topic's name, and whose match it is.
pub type Match = (String, String, String);

/// What the row's clients are made from, all of them; `cores` is how many there are for them.
pub fn orders(
    plan: &Plan,
    id: &str,
    nodes: &Nodes,
    clock: Clock,
    (matches, seed, cores): (&[Match], u64, usize),
) -> Orders {
    Orders {
        plan: plan.clone(),
        transport: id.to_owned(),
        part: Part::WHOLE,
        threads: (cores / plan.workers.max(1) as usize).max(1),
        clock_offset_us: clock.offset_us(),
        topics: matches.iter().map(|one| one.0.clone()).collect(),
        nodes: nodes.all().map(|node| (node.address, node.authority.clone())).collect(),
        seed,
        grid_from_us: clock.now_us(),
        sources: limits::sources(plan),
    }
}

/// Starts every client of the row, in as many processes as the plan says.
pub fn start(orders: &Orders) -> anyhow::Result<Fleet> {
    match orders.plan.workers {
        0 | 1 => start_here(orders).map(Fleet::Threads),
        workers => Workers::start(workers, orders).map(Fleet::Processes),
    }
}

/// Starts the part of the clients that is ordered, on threads of this process.
pub fn start_here(orders: &Orders) -> anyhow::Result<Threads> {
    let plan = &orders.plan;
    let muster = Muster {
        threads: orders.threads,
        clients: plan.clients,
        part: orders.part,
        ramp_per_s: plan.ramp_per_s,
        sources: orders.sources,
    };
    anyhow::ensure!(!orders.nodes.is_empty(), "there is no server to connect to");
    if orders.transport == floor::ID {
        return start_bare(orders, &muster);
    }
    start_virtual(orders, &muster)
}

/// The floor's clients: the same topics, and nothing to draw by chance.
fn start_bare(orders: &Orders, muster: &Muster) -> anyhow::Result<Threads> {
    let topics = indexed(&orders.topics);
    let polls = PollGrid {
        first_us: orders.grid_from_us,
        interval_us: orders.plan.poll_interval_ms * 1_000,
    };
    let make = |index: u32, position, live: Option<Live>| floor::client::Client {
        index,
        topic: orders.plan.topic_of(index, orders.topics.len() as u32),
        endpoint: Arc::new(endpoint_of(orders, index, &topics, polls)),
        position,
        live,
    };
    Threads::spread(
        muster,
        Clock::with_offset(orders.clock_offset_us),
        make,
        floor::reader::run,
    )
}

fn start_virtual(orders: &Orders, muster: &Muster) -> anyhow::Result<Threads> {
    let (plan, id) = (&orders.plan, &orders.transport);
    let transport = transports::by_id(id).with_context(|| format!("no transport {id:?}"))?;
    let topics = indexed(&orders.topics);
    let interval_us = plan.poll_interval_ms * 1_000;
    let mut random = Pcg32::seed_from_u64(orders.seed);
    // Whoever runs a part of the clients draws for all: each has the number it would have among all of them.
    let mut drawn = (0..plan.clients).map(|index| (index, random.next_u64() as f64 / (u64::MAX as f64 + 1.0)));
    let make = |index: u32, position, live| {
        let (_, unit) = drawn.find(|(of, _)| *of == index).unwrap_or_default();
        // Spread evenly over the interval, each within a slot of its own: (i + u) / N · P.
        let phase = (f64::from(index) + unit) / f64::from(plan.clients) * interval_us as f64;
        let polls = PollGrid {
            first_us: orders.grid_from_us + phase as u64,
            interval_us,
        };
        VirtualClient {
            index,
            topic: plan.topic_of(index, orders.topics.len() as u32),
            transport,
            endpoint: Arc::new(endpoint_of(orders, index, &topics, polls)),
            position,
            live,
            seed: orders.seed,
            restarts: plan.restart.is_some(),
            churn: plan.churn,
            backoff_jitter: plan.backoff_jitter,
        }
    };
    Threads::start(muster, Clock::with_offset(orders.clock_offset_us), make)
}

/// What this client asks for, of its node.
fn endpoint_of(orders: &Orders, client: u32, topics: &Arc<TopicIndex>, polls: PollGrid) -> Endpoint {
    let plan = &orders.plan;
    let topics_count = orders.topics.len() as u32;
    let followed = plan.topic_of(client, topics_count);
    let followed = followed.map(|topic| orders.topics[topic as usize].clone());
    let at = orders.nodes[plan.node_of(client, topics_count) as usize % orders.nodes.len()].clone();
    endpoint(plan, at, followed, topics.clone(), polls)
}

/// Opens the connections that never read.
pub async fn start_stalled(
    plan: &Plan,
    id: &str,
    control: &Control,
    clock: Clock,
    matches: &[Match],
) -> anyhow::Result<StalledPeers> {
    let transport = transports::by_id(id).with_context(|| format!("no transport {id:?}"))?;
    let names: Vec<String> = matches.iter().map(|one| one.0.clone()).collect();
    let topics = indexed(&names);
    let polls = PollGrid {
        first_us: clock.now_us(),
        interval_us: plan.poll_interval_ms * 1_000,
    };
    let endpoint = |index| {
        let topic = plan.topic_of(index, matches.len() as u32);
        let followed = topic.map(|topic| matches[topic as usize].0.clone());
        let at = (control.address, control.authority.clone());
        Arc::new(endpoint(plan, at, followed, topics.clone(), polls))
    };
    let endpoints = (0..plan.stalled_clients).map(endpoint).collect();
    StalledPeers::start(transport, endpoints, clock, limits::sources(plan)).await
}

fn indexed(names: &[String]) -> Arc<TopicIndex> {
    Arc::new(names.iter().cloned().zip(0..).collect())
}

/// What a client of the plan asks for, of the server at this address (and under this name).
pub fn endpoint(
    plan: &Plan,
    (address, authority): (SocketAddr, String),
    topic: Option<String>,
    topics: Arc<TopicIndex>,
    polls: PollGrid,
) -> Endpoint {
    Endpoint {
        address,
        authority,
        topic,
        topics,
        mode: mode(plan.mode),
        wait_ms: plan.wait_ms,
        headers: match plan.request_headers {
            RequestHeaders::Browser => HeaderSet::Browser,
            RequestHeaders::Minimal => HeaderSet::Minimal,
        },
        keep_alive: plan.keep_alive,
        polls,
    }
}

/// The plan's mode, as the protocol has it.
pub fn mode(mode: Mode) -> server::wire::Mode {
    match mode {
        Mode::Every => server::wire::Mode::Every,
        Mode::Latest => server::wire::Mode::Latest,
    }
}
