//! Words that the terminal and the reports share for what was to be measured: load, conditions, variants, and the commands for it.

use crate::plan;
use crate::record::{Arrivals, FeedPlan, Follow, Mode, Plan, ReplaySource, RequestHeaders, RunRecord, Variant};

use super::format::{self, count, of};
use crate::statistics::looks::most_repeats;

/// The scenario's name, and its one line when it has one.
pub fn heading(plan: &Plan) -> String {
    let (name, summary) = (&plan.scenario, &plan.summary);
    if summary.is_empty() {
        name.clone()
    } else {
        format!("{name}: {summary}")
    }
}

/// Who watched what, in parts: a reader joins them.
pub fn load(plan: &Plan) -> Vec<String> {
    let shared = |varies: fn(&Variant) -> bool, words: String| (!plan.varies(varies)).then_some(words);
    let mut parts: Vec<String> = [
        shared(
            |one| one.clients.is_some(),
            of(plan.clients.into(), "client", "clients"),
        ),
        Some(if plan.varies(|one| one.follow.is_some()) {
            of(plan.topics().into(), "topic", "topics")
        } else {
            follow(plan)
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    parts.extend(behaviour(plan));
    parts.extend(feed(&plan.feed));
    parts.extend(shared(|one| one.mode.is_some(), mode(plan.mode).to_owned()));
    parts
}

/// What clients and server do besides staying, in parts; nothing where they all stay.
pub fn behaviour(plan: &Plan) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(churn) = plan.churn {
        let (stay, away) = (format::plain(churn.stay_s), format::plain(churn.away_s));
        parts.push(format!("leaving after {stay} s and back after {away} s on average"));
    }
    if let Some(restart) = plan.restart {
        let (after, down) = (format::plain(restart.after_s), format::plain(restart.down_s));
        parts.push(format!(
            "server killed {after} s into the window, another started {down} s later"
        ));
    }
    if !plan.backoff_jitter && !plan.varies(|one| one.backoff_jitter.is_some()) {
        parts.push(backoff(false).to_owned());
    }
    if plan.stalled_clients > 0 && !plan.varies(|one| one.stalled_clients.is_some()) {
        parts.push(stalled(plan.stalled_clients));
    }
    if plan.workers > 1 {
        parts.push(format!("clients in {} processes", plan.workers));
    }
    if plan.nodes > 1 {
        parts.push(format!(
            "served by {} server processes, each with the whole feed",
            plan.nodes
        ));
    }
    parts
}

fn backoff(jitter: bool) -> &'static str {
    if jitter {
        "trying again after pauses with a random half"
    } else {
        "trying again in step"
    }
}

fn stalled(clients: u32) -> String {
    match clients {
        0 => "nobody stalled".to_owned(),
        some => format!(
            "{} beside them that never read",
            of(some.into(), "connection", "connections")
        ),
    }
}

/// What a variant does otherwise, in parts; `the plan itself` where that is nothing.
pub fn variant(variant: &Variant) -> Vec<String> {
    let parts = [
        variant.clients.map(|clients| of(clients.into(), "client", "clients")),
        variant.follow.map(|follow| match follow {
            Follow::One => "each on one topic".to_owned(),
            Follow::All => "each on all topics".to_owned(),
        }),
        variant.mode.map(|mode| self::mode(mode).to_owned()),
        variant.poll_interval_ms.map(short_poll),
        variant.wait_ms.map(long_poll),
        variant.request_headers.map(|set| headers(set).to_owned()),
        variant.keep_alive.map(|kept| connections(kept).to_owned()),
        variant.backoff_jitter.map(|jitter| backoff(jitter).to_owned()),
        variant.stalled_clients.map(stalled),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        vec!["the plan itself".to_owned()]
    } else {
        parts
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Every => "every update",
        Mode::Latest => "latest update only",
    }
}

fn headers(set: RequestHeaders) -> &'static str {
    match set {
        RequestHeaders::Browser => "browser headers",
        RequestHeaders::Minimal => "minimal headers",
    }
}

fn connections(kept: bool) -> &'static str {
    if kept {
        "keep-alive"
    } else {
        "a new connection per request"
    }
}

fn short_poll(interval_ms: u64) -> String {
    format!("short poll every {}", ms(interval_ms))
}

fn long_poll(wait_ms: u64) -> String {
    format!("long poll held up to {}", ms(wait_ms))
}

/// How it was measured, in parts; what differs between variants is left to them.
pub fn conditions(plan: &Plan) -> Vec<String> {
    let shared = |varies: fn(&Variant) -> bool, words: String| (!plan.varies(varies)).then_some(words);
    let parts = [
        shared(|one| one.poll_interval_ms.is_some(), short_poll(plan.poll_interval_ms)),
        shared(|one| one.wait_ms.is_some(), long_poll(plan.wait_ms)),
        shared(
            |one| one.request_headers.is_some(),
            headers(plan.request_headers).to_owned(),
        ),
        shared(|one| one.keep_alive.is_some(), connections(plan.keep_alive).to_owned()),
    ];
    let rest = [
        format!("{} s window", format::plain((plan.duration_s * 100.0).round() / 100.0)),
        repeats(plan),
        format!("seed {}", plan.seed),
    ];
    parts.into_iter().flatten().chain(rest).collect()
}

/// What each variant does otherwise, a line each.
pub fn variants(plan: &Plan) -> Vec<String> {
    let line = |one: &Variant| format!("{}: {}", one.name, variant(one).join(" · "));
    plan.variants.iter().map(line).collect()
}

/// `4 repeats`, or `4 to 20 repeats`.
pub fn repeats(plan: &Plan) -> String {
    match most_repeats(plan) {
        most if most > plan.repeats => format!("{} to {most} repeats, until settled", plan.repeats),
        _ => of(plan.repeats.into(), "repeat", "repeats"),
    }
}

/// What to type for the same run, and for the same reports. Where the run's folder lies now the record does not know.
pub fn commands(record: &RunRecord) -> Vec<(&'static str, String)> {
    vec![
        (
            "Measure the same once more, where DIR is this run's folder: same plan, same seed, same updates",
            format!("cargo run --release -- {}", plan::command(&record.plan, "DIR")),
        ),
        (
            "Make these reports again from run.json",
            "cargo run --release -- report DIR".to_owned(),
        ),
    ]
}

/// What each update weighs and when it comes.
fn feed(feed: &FeedPlan) -> Vec<String> {
    let mut parts = Vec::new();
    let update_bytes = match feed {
        FeedPlan::Simulated {
            rate_hz,
            update_bytes,
            arrivals,
            burst_size,
            ..
        } => {
            let arrivals = match arrivals {
                Arrivals::Regular => "evenly spaced".to_owned(),
                Arrivals::Poisson => "at random (Poisson)".to_owned(),
                Arrivals::Burst => format!("in bursts of {burst_size}"),
            };
            parts.push(rate(*rate_hz));
            parts.push(arrivals);
            update_bytes
        }
        FeedPlan::Replay {
            file,
            source,
            speed,
            update_bytes,
            ..
        } => {
            let what = match source {
                ReplaySource::Matches | ReplaySource::Table => "replay of",
                ReplaySource::Recording => "recording",
            };
            parts.push(format!("{what} {file} at {}×", format::plain(*speed)));
            update_bytes
        }
        FeedPlan::Target {
            rate_hz, update_bytes, ..
        } => {
            parts.push("the target's own feed".to_owned());
            parts.extend(rate_hz.map(rate));
            update_bytes
        }
    };
    parts.push(update_bytes.map_or_else(
        || "updates of their natural size".to_owned(),
        |bytes| format!("updates of {} B", count(bytes)),
    ));
    parts
}

fn rate(rate_hz: f64) -> String {
    format!("{} updates/s per topic", format::plain(rate_hz))
}

fn follow(plan: &Plan) -> String {
    match (plan.follow, plan.topics()) {
        (_, 1) => "one topic".to_owned(),
        (Follow::One, topics) => format!("each on one of {} topics", count(topics)),
        (Follow::All, topics) => format!("each on all {} topics", count(topics)),
    }
}

fn ms(ms: u64) -> String {
    if ms < 1_000 {
        format!("{ms} ms")
    } else {
        format!("{} s", format::plain(ms as f64 / 1e3))
    }
}
