//! From everything a row left behind to its line in the record. Pure: no clock, no socket.

use server::feed::MatchResult;

use super::{
    clients::mode,
    final_scores::{final_scores, wrong_scores},
    health::{health, wire},
    recovery::recovery,
    row::State,
    sampler::Sample,
};
use crate::{
    oracle,
    record::{
        FeedPlan, FinalScore, Health, Mode, Outcome, Plan, Quantile, Quantiles, Recovery, RequestHeaders, Row,
        SeriesPoint, SummaryRow, Wire,
    },
    report::histogram::{self, Distribution},
    tally::{self, Evidence, Outage, Tally, TopicLog},
    usage::CpuSplit,
    virtual_client::ClientLog,
};

/// Errors of clients that a row repeats in words.
const ERRORS_KEPT: usize = 5;

/// A row as it was measured.
pub struct Measured {
    pub plan: Plan,
    pub transport: String,
    pub repeat: u32,
    /// How the matches of a replay end; empty where that is unknown or beyond the window.
    pub results: Vec<MatchResult>,
    pub state: State,
    pub logs: Vec<ClientLog>,
    pub end: End,
}

/// How the phases ended.
pub enum End {
    Whole,
    Interrupted,
    Failed(String),
    /// The same, and what clients noted is lost.
    Lost(String),
}

/// The row of the record.
pub fn row(mut measured: Measured) -> Row {
    let plan = &measured.plan;
    // A client that never ran expects its updates too.
    let topics = measured.state.matches.len() as u32;
    for client in measured.logs.len() as u32..plan.clients {
        let topic = plan.topic_of(client, topics);
        measured.logs.push(ClientLog {
            client,
            topic,
            ..ClientLog::default()
        });
    }
    let tally = judged(&mut measured);
    let mut figures = planned(&measured);
    counted(&mut figures, &measured);
    if let Some(tally) = &tally {
        delivered(&mut figures, tally);
    }
    ratios(&mut figures, &measured);
    let mut connect = Distribution::empty();
    for us in measured.logs.iter().filter_map(|log| log.connect_us) {
        connect.histogram.saturating_record(us);
    }
    figures.connect_p50_us = connect.quantile(0.5).and_then(Quantile::us);
    figures.connect_p99_us = connect.quantile(0.99).and_then(Quantile::us);
    let faults = faults(&measured, tally.as_ref());
    let final_scores = final_scores(&measured);
    let (health, wire) = (health(&measured.state), wire(&measured.state));
    observed(&mut figures, &health, wire.as_ref());
    let recovery = recovered(&measured, tally.as_ref());
    if let Some(recovery) = &recovery {
        figures.restored_p50_us = Distribution::quantile_of(&recovery.restored, 0.5);
        figures.restored_max_us = Distribution::quantile_of(&recovery.restored, 1.0);
        figures.peak_requests_per_s = recovery.peak_requests_per_s;
    }
    let mut row = Row {
        outcome: outcome(&measured, tally.as_ref(), &final_scores),
        series: series(&measured.state.samples, tally.as_ref()),
        latency: tally.as_ref().map(|tally| encode(&tally.latency)),
        catch_up: tally
            .as_ref()
            .filter(|tally| tally.catch_up.count() > 0)
            .map(|tally| encode(&tally.catch_up)),
        resume: tally
            .as_ref()
            .filter(|tally| tally.resume.count() > 0)
            .map(|tally| encode(&tally.resume)),
        connect: (connect.count() > 0).then(|| encode(&connect)),
        memory: measured.state.memory.clone(),
        clock_bound_us: measured.state.clock_bound_us,
        window_from_us: measured.state.window.map(|window| window.from_us),
        health,
        wire,
        predictions: Vec::new(),
        findings: Vec::new(),
        phases: measured.state.phases.clone(),
        final_scores,
        faults,
        recovery,
        stalled: measured.state.stalled_fate.clone(),
        figures,
    };
    row.predictions = oracle::predict(&measured.plan, &row);
    row
}

fn encode(distribution: &Distribution) -> Quantiles {
    histogram::encode(&distribution.histogram, distribution.lost, distribution.negative)
}

/// How the clients came back after a restart, where there was one and it can be told.
fn recovered(measured: &Measured, tally: Option<&Tally>) -> Option<Recovery> {
    let (state, outage) = (&measured.state, measured.state.outage.as_ref()?);
    let recovery = recovery(
        state.window?,
        outage.restarted,
        &state.readings,
        tally?.restored.as_ref()?,
    );
    Some(recovery)
}

/// The tally, where there is a window and a publish log to judge by.
fn judged(measured: &mut Measured) -> Option<Tally> {
    let window = measured.state.window?;
    let published = measured.state.published.take()?;
    let topics = TopicLog::from_answer(published);
    Some(tally::tally(&Evidence {
        window,
        mode: mode(measured.plan.mode),
        clients: &measured.logs,
        topics: &topics,
        outage: measured.state.outage.as_ref().map(|outage| Outage {
            started_us: outage.restarted.started_us,
        }),
        nothing_held_since_us: measured.state.feed_start_us.unwrap_or(window.from_us),
    }))
}

/// What the row was meant to be.
fn planned(measured: &Measured) -> SummaryRow {
    let plan = &measured.plan;
    let (rate_hz, update_bytes) = match &plan.feed {
        FeedPlan::Simulated {
            rate_hz, update_bytes, ..
        } => (Some(*rate_hz), *update_bytes),
        FeedPlan::Replay { update_bytes, .. } => (None, *update_bytes),
        FeedPlan::Target {
            rate_hz, update_bytes, ..
        } => (*rate_hz, *update_bytes),
    };
    SummaryRow {
        scenario: plan.scenario.clone(),
        transport: measured.transport.clone(),
        repeat: measured.repeat,
        mode: plan.mode.name().into(),
        clients: plan.clients,
        topics: plan.topics(),
        rate_hz,
        update_bytes,
        poll_interval_ms: plan.poll_interval_ms,
        request_headers: match plan.request_headers {
            RequestHeaders::Browser => "browser".into(),
            RequestHeaders::Minimal => "minimal".into(),
        },
        seed: plan.seed,
        stalled_clients: plan.stalled_clients,
        ..SummaryRow::default()
    }
}

/// What counters and clocks say: by wall clock within the window, and in total.
fn counted(figures: &mut SummaryRow, measured: &Measured) {
    let state = &measured.state;
    figures.duration_s = state
        .window
        .filter(|_| !state.samples.is_empty())
        .map(|w| w.length_us() as f64 / 1e6);
    if let Some(totals) = &state.totals {
        figures.connections_total = Some(totals.connections);
        figures.reconnects = Some(totals.reconnects);
        figures.leaves = measured.plan.churn.map(|_| totals.leaves);
        figures.errors = Some(totals.errors);
        figures.requests_total = Some(totals.requests);
        figures.setup_bytes_per_client = Some(totals.setup_bytes as f64 / f64::from(measured.plan.clients));
    }
    if let (Some(first), Some(last)) = (state.samples.first(), state.samples.last())
        && state.samples.len() > 1
    {
        let (from, to) = (&first.totals, &last.totals);
        figures.connections = Some(to.connections - from.connections);
        figures.requests = Some(to.requests - from.requests);
        figures.empty_responses = Some(to.empty_responses - from.empty_responses);
        figures.polls_skipped = Some(to.polls_skipped - from.polls_skipped);
        figures.bytes_sent = Some(to.bytes_sent - from.bytes_sent);
        figures.bytes_received = Some(to.bytes_received - from.bytes_received);
        figures.server_cpu_s = difference(first.server_cpu_s, last.server_cpu_s);
        figures.client_cpu_s = difference(first.client_cpu_s, last.client_cpu_s);
        figures.server_cpu_kernel_share = kernel_share(first.server_cpu_split, last.server_cpu_split);
        figures.client_cpu_kernel_share = kernel_share(first.client_cpu_split, last.client_cpu_split);
    }
    let memory = &state.memory;
    if let (Some(before), Some(settled), Some(log)) = (
        memory.server_rss_before_bytes,
        memory.server_rss_settled_bytes,
        memory.server_log_bytes,
    ) && measured.plan.churn.is_none()
    {
        let grown = settled as f64 - before as f64 - log as f64;
        figures.server_rss_bytes_per_client = Some(grown / f64::from(measured.plan.clients));
    }
}

fn difference(from: Option<f64>, to: Option<f64>) -> Option<f64> {
    Some(to? - from?)
}

fn kernel_share(from: Option<CpuSplit>, to: Option<CpuSplit>) -> Option<f64> {
    to?.kernel_share_since(&from?)
}

/// What the comparison with the publish log says.
fn delivered(figures: &mut SummaryRow, tally: &Tally) {
    figures.updates_published = Some(tally.published);
    figures.updates_expected = Some(tally.expected);
    figures.updates_received = Some(tally.received);
    figures.deliveries = Some(tally.deliveries);
    figures.payload_bytes = Some(tally.payload_bytes);
    figures.missed = Some(tally.missed);
    figures.superseded = Some(tally.superseded);
    figures.duplicates = Some(tally.duplicates);
    figures.out_of_order = Some(tally.out_of_order);
    figures.lagged = Some(tally.lagged);
    figures.negative_latencies = Some(tally.latency.negative + tally.catch_up.negative);
    let quantile = |q| tally.latency.quantile(q);
    figures.latency_p50_us = quantile(0.5);
    figures.latency_p90_us = quantile(0.9);
    figures.latency_p99_us = quantile(0.99);
    figures.latency_p999_us = quantile(0.999);
    figures.latency_max_us = tally.latency.max();
    figures.catch_up_updates = Some(tally.catch_up.count());
    let caught_up = |q| tally.catch_up.quantile(q).and_then(Quantile::us);
    figures.catch_up_p50_us = caught_up(0.5);
    figures.catch_up_p99_us = caught_up(0.99);
    figures.resume_p50_us = tally.resume.quantile(0.5);
    figures.resume_p99_us = tally.resume.quantile(0.99);
    figures.age_mean_us = tally.age_mean_us;
    figures.age_p99_us = tally.age_p99_us;
    figures.stale_share = tally.stale_share;
    figures.spread_p99_us = tally.spread_p99_us;
    figures.publish_lag_p99_us = tally.publish_lag_p99_us;
}

/// What the kernel and the probes say, in the window.
fn observed(figures: &mut SummaryRow, health: &Health, wire: Option<&Wire>) {
    let p99_us = |lag: &Option<Quantiles>| Distribution::quantile_us(lag.as_ref(), 0.99);
    figures.client_lag_p99_us = p99_us(&health.client_lag);
    figures.server_lag_p99_us = p99_us(&health.server_lag);
    figures.others_cpu_share = health.others_cpu_share;
    figures.steal_share = health.steal_share;
    // Without a window there is nothing to divide or to show.
    let Some(window) = wire.and_then(|wire| wire.window) else {
        return;
    };
    figures.wire_bytes_sent = Some(window.bytes_sent);
    figures.wire_bytes_received = Some(window.bytes_received);
    figures.segments_sent = Some(window.segments_sent);
    figures.segments_received = Some(window.segments_received);
    figures.retransmitted_segments = Some(window.retransmitted_segments);
    let deliveries = figures.deliveries.filter(|deliveries| *deliveries > 0);
    let per_update = |bytes: u64| deliveries.map(|deliveries| bytes as f64 / deliveries as f64);
    figures.wire_bytes_per_update = per_update(window.bytes_sent + window.bytes_received);
    figures.wire_bytes_per_update_at_1500 = per_update(window.bytes_sent_at_1500 + window.bytes_received_at_1500);
}

/// Cost per delivery; none where nothing was delivered.
fn ratios(figures: &mut SummaryRow, measured: &Measured) {
    let Some(deliveries) = figures.deliveries.filter(|deliveries| *deliveries > 0) else {
        return;
    };
    if measured.state.samples.len() < 2 {
        return;
    }
    let per_update = |value: f64| value / deliveries as f64;
    let bytes = figures
        .bytes_sent
        .zip(figures.bytes_received)
        .map(|(sent, received)| sent + received);
    figures.bytes_per_update = bytes.map(|bytes| per_update(bytes as f64));
    figures.server_cpu_us_per_update = figures.server_cpu_s.map(|s| per_update(s * 1e6));
    figures.client_cpu_us_per_update = figures.client_cpu_s.map(|s| per_update(s * 1e6));
}

/// A transport that loses, repeats or disorders an update in silence has failed, however good its figures look. Where only the
/// newest update counts, none of this is a promise.
fn outcome(measured: &Measured, tally: Option<&Tally>, final_scores: &[FinalScore]) -> Outcome {
    let failed = |reason: String| Outcome::Failed { reason };
    let tally = match (&measured.end, tally) {
        (End::Interrupted, _) => return Outcome::Interrupted,
        (End::Lost(reason), _) => return failed(reason.clone()),
        (End::Failed(reason), _) => return failed(format!("{reason}{}", received_by_then(measured))),
        (End::Whole, None) => return failed("there is no publish log to compare with".into()),
        (End::Whole, Some(tally)) => tally,
    };
    if tally.disagreements > 0 {
        let n = tally.disagreements;
        return failed(format!(
            "{n} updates carry other due times than the publish log: the server contradicts itself"
        ));
    }
    let silent = [
        (tally.missed, "missed"),
        (tally.duplicates, "received twice"),
        (tally.out_of_order, "received out of order"),
    ];
    let said: Vec<_> = silent
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
    if !said.is_empty() && measured.plan.mode == Mode::Every {
        return failed(format!("of {} expected updates: {}", tally.expected, said.join(", ")));
    }
    // Whatever the mode, the newest state is what everybody must end with.
    wrong_scores(final_scores).map_or(Outcome::Ok, failed)
}

/// A row without a publish log has no figures about updates; this much is known all the same.
fn received_by_then(measured: &Measured) -> String {
    let received: usize = measured.logs.iter().map(|log| log.receipts.len()).sum();
    format!("; its clients had received {received} updates by then")
}

fn faults(measured: &Measured, tally: Option<&Tally>) -> Vec<String> {
    let mut faults = tally.map(|tally| tally.faults.clone()).unwrap_or_default();
    let errors = measured
        .logs
        .iter()
        .filter_map(|log| log.errors.first().map(|error| (log.client, error)));
    // Stopping a row cuts what is under way, which is no error of anyone's: those are not in the logs.
    faults.extend(
        errors
            .take(ERRORS_KEPT)
            .map(|(client, error)| format!("client {client}: {error}")),
    );
    faults
}

fn series(samples: &[Sample], tally: Option<&Tally>) -> Vec<SeriesPoint> {
    let seconds = samples.windows(2).enumerate();
    seconds
        .map(|(second, pair)| {
            let (from, to) = (&pair[0], &pair[1]);
            let delivered = tally.and_then(|tally| tally.seconds.get(second));
            let quantile = |q| delivered.and_then(|one| one.latency.quantile(q)).and_then(Quantile::us);
            SeriesPoint {
                second: second as u32,
                deliveries: delivered.map_or(0, |one| one.deliveries),
                latency_p50_us: quantile(0.5),
                latency_p99_us: quantile(0.99),
                requests: to.totals.requests - from.totals.requests,
                bytes_sent: to.totals.bytes_sent - from.totals.bytes_sent,
                bytes_received: to.totals.bytes_received - from.totals.bytes_received,
                server_cpu_s: difference(from.server_cpu_s, to.server_cpu_s),
                client_cpu_s: difference(from.client_cpu_s, to.client_cpu_s),
            }
        })
        .collect()
}
