//! The phases of a row, from a server that listens to clients that hold everything.
//!
//! ```text
//! start    server process, control calls, resident memory before the first client
//! ramp     clients connect, with bounded concurrency
//! settle   the feed starts; nothing is measured yet; at its end, resident memory again
//! measure  [T0, T1): T0 stands between two ticks, the same ones in every row
//! drain    until every client holds the window's last update, or a bound has passed
//! ```

use std::time::Duration;

use anyhow::Context;
use server::clock::Clock;
use tokio::{sync::mpsc, time::sleep};

use super::{
    Setting, catalogue, clients,
    nodes::Nodes,
    published,
    restart::{self, Order},
    row::{Cut, State},
    sampler::{Sample, Sampler},
    stalled,
    window::{foreign_window, tick_gap_us, window},
};
use crate::{
    cores, environment,
    fleet::{self, Fleet},
    machine::{self, MachineCounts},
    process::FeedSwitch,
    record::Plan,
    tally::Window,
    usage::{ServerUsage, Usage, kernel_socket_bytes},
};

/// How often phases look whether they are over, and the progress line is renewed.
pub(super) const LOOK: Duration = Duration::from_millis(50);
/// Time the server gets to read `start` before the first update is due.
const FEED_LEAD_US: u64 = 100_000;
/// How long connecting may take beyond its planned pace.
const RAMP_PATIENCE: Duration = Duration::from_secs(60);
/// Drain lasts at least so long when updates are missing.
const DRAIN_LEAST: Duration = Duration::from_secs(5);
/// The end of settle is read so long before T0: a control call to a busy server takes its time.
const SETTLED_BEFORE_US: u64 = 200_000;
/// How much of a foreign feed's publish log before the window is read at least, so that what was stale at T0 is known.
const CONTEXT_LEAST: Duration = Duration::from_secs(10);

/// What is ours of the server: its use of the machine, what starts its feed (of each node, none of a server elsewhere), and who may be told
/// to restart it.
pub(super) type Ours<'a> = (ServerUsage, &'a mut [FeedSwitch], Option<&'a mpsc::Sender<Order>>);

/// Goes through them until they end, or are cut; `started` is when the row was.
pub(super) async fn phases(
    setting: &Setting<'_>,
    id: &str,
    repeat: u32,
    nodes: &Nodes,
    (server, switches, orders): Ours<'_>,
    started: std::time::Instant,
    state: &mut State,
) -> Result<(), Cut> {
    let plan = &setting.resolved.plan;
    let control = nodes.first();
    state.nodes = nodes.count();
    let clock = nodes.clock().await.context("the server's clock could not be read")?;
    state.clock_bound_us = clock.bound_us;
    let clock = clock.clock;
    state.catalogue = catalogue(&plan.transports, nodes.transports().await?);
    let stats = nodes.stats().await?;
    state.server_requests_before = stats.requests_of(id);
    state.matches = stats
        .topics
        .into_iter()
        .map(|one| (one.topic, one.home, one.away))
        .collect();
    if plan.stalled_clients > 0 {
        let counted = stalled::start(plan, id, control, clock, state).await?;
        state.server_requests_before = counted.requests_of(id);
    }
    state.machine = Some((machine::counts(fleet::THREAD), MachineCounts::default()));
    state.memory.server_rss_before_bytes = server.rss_bytes();
    state.phases.start_s = started.elapsed().as_secs_f64();

    setting.progress.phase("ramp");
    let ramp_from = clock.now_us();
    let seed = plan.seed ^ (u64::from(repeat) << 32);
    state.loopback = control.address.ip().is_loopback();
    let halves = state.halves.clone();
    let on_their_cores = halves.map(|halves| halves.clients);
    let cores = on_their_cores.as_ref().map_or_else(environment::cores, Vec::len);
    let clients = clients::orders(plan, id, nodes, clock, (&state.matches, seed, cores));
    // Starting processes takes its time.
    let start = move || cores::on(on_their_cores.as_deref(), || clients::start(&clients));
    let fleet = tokio::task::spawn_blocking(start).await;
    let fleet = fleet.context("the clients could not be started")?;
    let fleet = fleet.context("the clients' cores could not be taken")??;
    state.fleet = Some(fleet);
    ramp(setting, plan, state).await?;
    state.phases.ramp_s = seconds(clock.now_us() - ramp_from);

    setting.progress.phase("settle");
    let settle_from = clock.now_us();
    let window = if switches.is_empty() {
        foreign_window(plan, control, clock, &stats.feed).await?
    } else {
        let at_us = clock.now_us() + FEED_LEAD_US;
        for switch in switches {
            switch.start_feed(at_us).await?;
        }
        state.feed_start_us = Some(at_us);
        window(plan, at_us, tick_gap_us(&plan.feed))
    };
    // Waits on a thread of its own from now on: whatever else takes long, T0 is not missed.
    let fleet = state.fleet.as_ref().context("no clients")?;
    fleet.sample(window);
    state.sampler = Some(Sampler::start(clock, window, fleet.counter_handle(), server.clone()).context("no sampler")?);
    wait_until(setting, state, clock, window.from_us.saturating_sub(SETTLED_BEFORE_US)).await?;
    settled(nodes, &server, state).await?;
    wait_until(setting, state, clock, window.from_us).await?;
    state.window = Some(window);
    state.phases.settle_s = seconds(window.from_us.saturating_sub(settle_from));

    setting.progress.phase("measure");
    let whole = match plan.restart.zip(orders) {
        Some((planned, orders)) => restart::through(setting, state, (control, clock, window), planned, orders).await,
        None => wait_until(setting, state, clock, window.to_us).await,
    };
    let sampler = state.sampler.take().context("no sampler")?;
    if whole.is_err() {
        sampler.cut_short();
        state.fleet.iter().for_each(Fleet::cut_short);
    }
    state.samples = tokio::task::spawn_blocking(|| sampler.finish())
        .await
        .context("the sampler ended badly")?;
    state.window = ended(window, &state.samples);
    // Cut before it began, there is no window to speak of.
    let Some(window) = state.window else { return whole };
    state.phases.sampled_late_us = sampled_late_us(window, &state.samples);
    state.phases.measure_s = seconds(window.length_us());

    // Not to be interrupted: it is short, and without it the window's last updates would pass for lost.
    setting.progress.phase("drain");
    if let Some(fleet) = &state.fleet {
        fleet.gather();
    }
    let drained = match &whole {
        // It was given up while there was no server, or could not be restarted: there is nobody to ask.
        Err(_) if plan.restart.is_some() && state.outage.is_none() => return whole,
        _ => drain(setting, nodes, window, state).await,
    };
    if let Some(outage) = &mut state.outage {
        state.readings = outage.recorder.finish();
    }
    state.phases.drain_s = seconds(clock.now_us() - window.to_us);
    // Only now: who was stuck at the window's end has answered its pings since.
    state.client_lags_us = state.fleet.as_ref().and_then(|fleet| fleet.lags_us(window));
    // Unknown at a server that has no such page.
    state.server_lags_us = nodes.runtime_lags_us(window.from_us, window.to_us).await.ok();
    if let (Some(lags_us), Some(outage)) = (&mut state.server_lags_us, &mut state.outage) {
        // Of both servers.
        lags_us.append(&mut outage.lags_us);
    }
    if state.clock_bound_us > 0 {
        // Two clocks drift apart while a row lasts: what both readings allow is what is known.
        let again = control
            .clock()
            .await
            .context("the server's clock could not be read again")?;
        let apart_us = clock.offset_us().abs_diff(again.clock.offset_us());
        state.clock_bound_us = state.clock_bound_us.max(again.bound_us) + apart_us;
    }
    drained?;
    whole
}

/// How late the counters were read at the window's edges, at most.
pub(super) fn sampled_late_us(window: Window, samples: &[Sample]) -> Option<u64> {
    let first = samples.first()?.at_us.saturating_sub(window.from_us);
    Some(first.max(samples.last()?.at_us.saturating_sub(window.to_us)))
}

/// The window as it was: to its planned end, or to its last sample when it was cut short. None when it had no two samples.
pub(super) fn ended(window: Window, samples: &[Sample]) -> Option<Window> {
    let last = samples.last().filter(|_| samples.len() > 1)?;
    let to_us = last.at_us.clamp(window.from_us + 1, window.to_us);
    Some(Window { to_us, ..window })
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// Waits until every client has a session, or until patience ends: those that have none count as having missed everything.
async fn ramp(setting: &Setting<'_>, plan: &Plan, state: &State) -> Result<(), Cut> {
    let fleet = state.fleet.as_ref().context("no clients")?;
    let pace = plan.ramp_per_s.map_or(Duration::ZERO, |rate| {
        Duration::from_secs_f64(f64::from(plan.clients) / rate)
    });
    let deadline = tokio::time::Instant::now() + pace + RAMP_PATIENCE;
    loop {
        fleet.sound()?;
        let totals = fleet.totals();
        setting.progress.tick(fleet, plan.clients);
        if totals.connected >= u64::from(plan.clients) {
            return Ok(());
        }
        if tokio::time::Instant::now() >= deadline {
            if totals.connected == 0 {
                return Err(anyhow::anyhow!("no client could connect, after {} tries", totals.errors).into());
            }
            return Ok(());
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            () = setting.interrupt.cancelled() => return Err(Cut::Interrupted),
        }
    }
}

pub(super) async fn wait_until(setting: &Setting<'_>, state: &State, clock: Clock, until_us: u64) -> Result<(), Cut> {
    loop {
        if let Some(fleet) = &state.fleet {
            fleet.sound()?;
            setting.progress.tick(fleet, setting.resolved.plan.clients);
        }
        let left = clock.until(until_us);
        if left.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = sleep(left.min(LOOK)) => {}
            () = setting.interrupt.cancelled() => return Err(Cut::Interrupted),
        }
    }
}

/// What the server holds at the end of settle.
async fn settled(nodes: &Nodes, server: &ServerUsage, state: &mut State) -> anyhow::Result<()> {
    state.memory.server_rss_settled_bytes = server.rss_bytes();
    let workers_bytes = state.fleet.as_ref().and_then(Fleet::workers_rss_bytes);
    let own_bytes = Usage::own().and_then(|usage| usage.rss_bytes());
    state.memory.client_rss_settled_bytes = own_bytes.zip(workers_bytes).map(|(own, workers)| own + workers);
    state.memory.kernel_socket_bytes = kernel_socket_bytes();
    state.memory.server_log_bytes = Some(nodes.stats().await?.log.bytes);
    Ok(())
}

/// Waits until every client holds the last update of the window. Polls go on meanwhile.
async fn drain(setting: &Setting<'_>, nodes: &Nodes, window: Window, state: &mut State) -> anyhow::Result<()> {
    let plan = &setting.resolved.plan;
    let deadline = tokio::time::Instant::now() + DRAIN_LEAST.max(plan.poll_interval() * 2);
    let context = CONTEXT_LEAST.max(plan.poll_interval() * 2).as_micros() as u64;
    let context_us = state.feed_start_us.unwrap_or(window.from_us.saturating_sub(context));
    loop {
        let published = nodes
            .published(context_us, window.to_us)
            .await
            .context("the publish log could not be read")?;
        anyhow::ensure!(
            !published.truncated,
            "the server's publish log no longer holds the whole window: measure a shorter one"
        );
        let complete = published.complete;
        state.published = Some(published);
        if complete || tokio::time::Instant::now() >= deadline {
            break;
        }
        sleep(LOOK).await;
    }
    let published = state.published.as_mut().context("no publish log")?;
    anyhow::ensure!(
        published.complete || nodes.count() == 1,
        "the nodes have not all published the window's updates, and can't be compared"
    );
    if let Some(outage) = &state.outage {
        published::of_both_in_turn(published, &outage.published)
            .context("the new server has another history than the first")?;
    }
    let last: Vec<u64> = published
        .topics
        .iter()
        .map(|topic| topic.last_offset.unwrap_or(0))
        .collect();
    let fleet = state.fleet.as_ref().context("no clients")?;
    while fleet.holding_all(plan, &last) < plan.clients as usize {
        fleet.sound()?;
        if tokio::time::Instant::now() >= deadline {
            break;
        }
        setting.progress.tick(fleet, plan.clients);
        sleep(LOOK).await;
    }
    Ok(())
}
