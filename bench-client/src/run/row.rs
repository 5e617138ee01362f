//! One row: its servers are started, the phases gone through (phases.rs), clients and servers ended, and whatever came of it is kept.
//!
//! ```text
//! measure -> observe -> drive: servers of our own, or one elsewhere -> phases -> State -> figures.rs -> Row
//!                                                                        `- ending.rs, however it went
//! ```

use anyhow::Context;
use futures_util::future::{join_all, select_all};
use server::wire::PublishedAnswer;
use tokio::sync::mpsc;

use super::{
    Setting, clients, ending,
    figures::{self, Measured},
    nodes::Nodes,
    phases::{ended, phases, sampled_late_us},
    recorder::Reading,
    restart::{Keeper, Outage},
    sampler::{Sample, Sampler},
    stalled,
};
use crate::{
    control::Control,
    cores::Halves,
    fleet::{Fleet, Totals},
    floor,
    machine::MachineCounts,
    process::{FeedSwitch, ServerProcess},
    record::{Memory, Phases, Row, Stalled, Transport},
    sockets::Counts,
    tally::Window,
    usage::{ServerUsage, Usage},
    virtual_client::ClientLog,
    workers::merge,
};

/// What has been found out so far; survives whatever ends the row.
#[derive(Default)]
pub struct State {
    pub fleet: Option<Fleet>,
    pub sampler: Option<Sampler>,
    pub window: Option<Window>,
    pub samples: Vec<Sample>,
    pub published: Option<PublishedAnswer>,
    pub feed_start_us: Option<u64>,
    pub matches: Vec<clients::Match>,
    pub memory: Memory,
    pub phases: Phases,
    pub catalogue: Vec<Transport>,
    pub clock_bound_us: u64,
    /// Counters at the end of drain.
    pub totals: Option<Totals>,
    /// The same when every client was gone, and what the kernel counted of their sockets.
    pub at_close: Option<(Totals, Counts)>,
    /// What every client noted, once the fleet has ended.
    pub logs: Option<anyhow::Result<Vec<ClientLog>>>,
    /// The server is reached over loopback.
    pub loopback: bool,
    /// Server processes.
    pub nodes: usize,
    /// Where both sides run, when each has cores of its own.
    pub halves: Option<Halves>,
    /// What workers sampled, each for itself; None where there are none.
    pub workers_samples: Option<Vec<Vec<Sample>>>,
    /// How late the clients' threads and the server's runtime were in the window, µs.
    pub client_lags_us: Option<Vec<Vec<u64>>>,
    pub server_lags_us: Option<Vec<u64>>,
    /// The machine before the first client and after the drain.
    pub machine: Option<(MachineCounts, MachineCounts)>,
    /// Requests for this transport that the server had counted before the first client, and of the row alone when all were gone.
    pub server_requests_before: Option<u64>,
    pub server_requests: Option<u64>,
    /// Connections that never read, until the drain is over, and what became of them.
    pub stalled: Option<stalled::Standing>,
    pub stalled_fate: Option<Stalled>,
    /// A restart within the window, and the clients' counters from the kill to the end of drain.
    pub outage: Option<Outage>,
    pub readings: Vec<Reading>,
}

/// Why a row did not run to its end.
pub(super) enum Cut {
    Interrupted,
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Cut {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Measures one transport once. Never fails: what went wrong stands in the row.
pub async fn measure(setting: &Setting<'_>, id: &str, repeat: u32) -> (Row, Vec<Transport>) {
    let mut measured = observe(setting, id, repeat).await;
    let catalogue = std::mem::take(&mut measured.state.catalogue);
    (figures_of(measured).await, catalogue)
}

/// The row that was measured. Computing it takes its time: not on the coordinator's thread.
pub async fn figures_of(measured: Measured) -> Row {
    let row = tokio::task::spawn_blocking(|| figures::row(measured)).await;
    // It is pure: if it panics, that is a bug, and hiding it would make a wrong table.
    row.expect("the figures can be computed")
}

/// Goes through the phases, and keeps everything they left behind, however they ended.
pub async fn observe(setting: &Setting<'_>, id: &str, repeat: u32) -> Measured {
    let mut state = State::default();
    let cut = drive(setting, id, repeat, &mut state).await.err();
    if let Some(sampler) = state.sampler.take() {
        sampler.cut_short();
        state.samples = tokio::task::spawn_blocking(|| sampler.finish())
            .await
            .unwrap_or_default();
    }
    ending::end_fleet(&mut state).await;
    if let Some(workers) = state.workers_samples.take() {
        let own = std::mem::take(&mut state.samples);
        state.samples = merge::samples(own, &workers);
        let late = state.window.and_then(|window| sampled_late_us(window, &state.samples));
        state.phases.sampled_late_us = late;
    }
    // Where the row broke down they still stand.
    state.stalled = None;
    let logs = state.logs.take().unwrap_or_else(|| Ok(Vec::new()));
    state.window = state.window.and_then(|window| ended(window, &state.samples));
    let (logs, broken) = match logs {
        Ok(logs) => (logs, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let end = match (broken, cut) {
        // Without notes nothing can be said of what was received.
        (Some(error), _) => figures::End::Lost(format!("{error:#}")),
        (None, Some(Cut::Failed(error))) => figures::End::Failed(format!("{error:#}")),
        (None, Some(Cut::Interrupted)) => figures::End::Interrupted,
        (None, None) => figures::End::Whole,
    };
    Measured {
        plan: setting.resolved.plan.clone(),
        transport: id.to_owned(),
        repeat,
        results: setting.resolved.source.results.clone(),
        state,
        logs,
        end,
    }
}

/// Starts the server where it is ours, and goes through the phases until they end or the server does.
async fn drive(setting: &Setting<'_>, id: &str, repeat: u32, state: &mut State) -> Result<(), Cut> {
    let started = std::time::Instant::now();
    setting.progress.phase("start");
    if let Some(control) = &setting.target {
        let nodes = Nodes::new(control.clone(), Vec::new());
        let server = (ServerUsage::of(None), &mut [][..], None);
        let result = phases(setting, id, repeat, &nodes, server, started, state).await;
        ending::end(&nodes, id, state, result.is_ok()).await;
        return result;
    }
    let feed = setting.resolved.feed.as_ref().context("the plan has no feed")?;
    let idle = setting.resolved.plan.poll_interval() * 3;
    // The floor's clients, too, connect to what only writes.
    let more: &[&str] = if setting.null || id == floor::ID {
        &["--null"]
    } else {
        &[]
    };
    let plan = &setting.resolved.plan;
    if plan.workers > 1 || plan.nodes > 1 {
        // One process on each side stays on all cores: what it measured so far was measured there.
        state.halves = Halves::of_this_thread();
    }
    let on_its_cores = state.halves.as_ref().map(|halves| halves.server.clone());
    let on_its_cores = on_its_cores.as_deref();
    let mut server = ServerProcess::start_on(on_its_cores, feed, idle, more).await?;
    let first = control_of(&server).await?;
    let mut beside = Vec::new();
    if plan.nodes > 1 {
        // The very same clock for all: what is due at one time is due at that time everywhere.
        let clock = first
            .clock()
            .await
            .context("the server's clock could not be read")?
            .clock;
        let offset_us = clock.offset_us().to_string();
        let more = [more, &["--clock-offset-us", &offset_us]].concat();
        for _ in 1..plan.nodes {
            beside.push(ServerProcess::start_on(on_its_cores, feed, idle, &more).await?);
        }
    }
    let mut others = Vec::with_capacity(beside.len());
    for node in &beside {
        others.push(control_of(node).await?);
    }
    let nodes = Nodes::new(first, others);
    let mut switches: Vec<FeedSwitch> = server.switch.take().into_iter().collect();
    switches.extend(beside.iter_mut().filter_map(|node| node.switch.take()));
    let usage = ServerUsage::of_all(
        Usage::of(server.pid),
        beside.iter().map(|node| Usage::of(node.pid)).collect(),
    );
    // One restart at most is under way.
    let (orders, mut ordered) = mpsc::channel(1);
    let keeper = Keeper {
        feed,
        idle,
        usage: usage.clone(),
    };
    let ours = (usage, &mut switches[..], Some(&orders));
    let result = tokio::select! {
        result = phases(setting, id, repeat, &nodes, ours, started, state) => result,
        error = keeper.keep(&mut server, &mut ordered) => Err(Cut::Failed(error)),
        error = one_died(&mut beside) => Err(Cut::Failed(error)),
    };
    // The clients go first: to them, a server that stops would be one that fails.
    ending::end(&nodes, id, state, result.is_ok()).await;
    drop(switches);
    server.stop().await;
    join_all(beside.into_iter().map(ServerProcess::stop)).await;
    result
}

/// How to speak with a server of ours, whose clients connect to its null server where it has one.
async fn control_of(server: &ServerProcess) -> anyhow::Result<Control> {
    let control = Control::new(&server.url).await?;
    Ok(match server.null {
        Some(null) => control.with_clients_at(null),
        None => control,
    })
}

/// Returns when one of them ended that nobody had stopped; never where there are none.
async fn one_died(nodes: &mut [ServerProcess]) -> anyhow::Error {
    if nodes.is_empty() {
        return std::future::pending().await;
    }
    let deaths = nodes.iter_mut().map(|node| Box::pin(node.died()));
    let (how, index, _) = select_all(deaths).await;
    anyhow::anyhow!("node {} of the server died: {how}", index + 2)
}
