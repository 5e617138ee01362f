//! The virtual clients of a row, made from the plan.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use rand_pcg::{
    Pcg32,
    rand_core::{RngCore, SeedableRng},
};
use server::clock::Clock;

use crate::{
    control::Control,
    environment,
    fleet::{Fleet, Live},
    floor,
    headers::HeaderSet,
    record::{Mode, Plan, RequestHeaders},
    stalled::StalledPeers,
    transports::{self, Endpoint, PollGrid, TopicIndex},
    virtual_client::VirtualClient,
};

/// Makes every client of the row.
pub fn start(
    plan: &Plan,
    id: &str,
    control: &Control,
    clock: Clock,
    matches: &[(String, String, String)],
    seed: u64,
) -> anyhow::Result<Fleet> {
    if id == floor::ID {
        return start_bare(plan, control, clock, matches);
    }
    start_virtual(plan, id, control, clock, matches, seed)
}

/// The floor's clients: the same topics, and nothing to draw by chance.
fn start_bare(
    plan: &Plan,
    control: &Control,
    clock: Clock,
    matches: &[(String, String, String)],
) -> anyhow::Result<Fleet> {
    let topics = indexed(matches);
    let polls = PollGrid {
        first_us: clock.now_us(),
        interval_us: plan.poll_interval_ms * 1_000,
    };
    let make = |index: u32, position, live: Option<Live>| {
        let topic = plan.topic_of(index, matches.len() as u32);
        let followed = topic.map(|topic| matches[topic as usize].0.clone());
        let at = (control.address, control.authority.clone());
        floor::client::Client {
            index,
            topic,
            endpoint: Arc::new(endpoint(plan, at, followed, topics.clone(), polls)),
            position,
            live,
        }
    };
    Fleet::start_bare(environment::cores(), plan.clients, clock, plan.ramp_per_s, make)
}

fn start_virtual(
    plan: &Plan,
    id: &str,
    control: &Control,
    clock: Clock,
    matches: &[(String, String, String)],
    seed: u64,
) -> anyhow::Result<Fleet> {
    let transport = transports::by_id(id).with_context(|| format!("no transport {id:?}"))?;
    let topics = indexed(matches);
    let interval_us = plan.poll_interval_ms * 1_000;
    let grid_from = clock.now_us();
    let mut random = Pcg32::seed_from_u64(seed);
    let make = |index: u32, position, live| {
        let topic = plan.topic_of(index, matches.len() as u32);
        // Spread evenly over the interval, each within a slot of its own: (i + u) / N · P.
        let unit = random.next_u64() as f64 / (u64::MAX as f64 + 1.0);
        let phase = (f64::from(index) + unit) / f64::from(plan.clients) * interval_us as f64;
        let followed = topic.map(|topic| matches[topic as usize].0.clone());
        let polls = PollGrid {
            first_us: grid_from + phase as u64,
            interval_us,
        };
        let at = (control.address, control.authority.clone());
        let endpoint = endpoint(plan, at, followed, topics.clone(), polls);
        VirtualClient {
            index,
            topic,
            transport,
            endpoint: Arc::new(endpoint),
            position,
            live,
            seed,
            restarts: plan.restart.is_some(),
            churn: plan.churn,
            backoff_jitter: plan.backoff_jitter,
        }
    };
    Fleet::start(environment::cores(), plan.clients, clock, plan.ramp_per_s, make)
}

/// Opens the connections that never read; None where the plan has none.
pub async fn start_stalled(
    plan: &Plan,
    id: &str,
    control: &Control,
    clock: Clock,
    matches: &[(String, String, String)],
) -> anyhow::Result<Option<StalledPeers>> {
    if plan.stalled_clients == 0 {
        return Ok(None);
    }
    let transport = transports::by_id(id).with_context(|| format!("no transport {id:?}"))?;
    let topics = indexed(matches);
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
    StalledPeers::start(transport, endpoints, clock).await.map(Some)
}

fn indexed(matches: &[(String, String, String)]) -> Arc<TopicIndex> {
    let names = matches.iter().map(|one| one.0.clone());
    Arc::new(names.zip(0..).collect())
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
