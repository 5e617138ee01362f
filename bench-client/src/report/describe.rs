//! Sentences that the terminal and report.md share: under which conditions a run was made, and what its reader must know.

use crate::plan;
use crate::record::{
    Arrivals, FeedPlan, Follow, Mode, Outcome, Plan, Quantile, ReplaySource, RequestHeaders, Row, RunRecord, RunStatus,
    SummaryRow, Variant, Verdict,
};

use super::format::{self, count, of};
use super::summary::Summary;
use super::trust;
use crate::statistics::looks::most_repeats;

/// Share of the window that its counters may be read late before it is said.
const LATE_SHARE: f64 = 0.01;

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
    let shared = |varies: fn(&Variant) -> bool, words: String| (!plan.variants.iter().any(varies)).then_some(words);
    let mut parts: Vec<String> = [
        shared(
            |one| one.clients.is_some(),
            of(plan.clients.into(), "client", "clients"),
        ),
        Some(if plan.variants.iter().any(|one| one.follow.is_some()) {
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
    let varies = |is: fn(&Variant) -> bool| plan.variants.iter().any(is);
    if !plan.backoff_jitter && !varies(|one| one.backoff_jitter.is_some()) {
        parts.push(backoff(false).to_owned());
    }
    if plan.stalled_clients > 0 && !varies(|one| one.stalled_clients.is_some()) {
        parts.push(stalled(plan.stalled_clients));
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
    let shared = |varies: fn(&Variant) -> bool, words: String| (!plan.variants.iter().any(varies)).then_some(words);
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

/// What a reader must know before believing the figures: the run's end, rows that failed or are missing, losses, faults.
///
/// What a finding of at least `least` says is left to it: the report shows those beside the verdict.
pub fn notes(record: &RunRecord, summaries: &[Summary], least: Verdict) -> Vec<String> {
    let mut notes = Vec::new();
    let told = |code: &str| trust::tells(&record.rows, code, least);
    if record.tool.profile == "debug" && !told("debug-build") {
        notes.push("Measured with a DEBUG build: CPU and latency figures are not those of a release build.".to_owned());
    }
    match record.status {
        RunStatus::Running => notes.push("The run has not ended: it is under way, or was killed.".to_owned()),
        RunStatus::Interrupted => {
            notes.push("The run was interrupted: what was measured until then is here.".to_owned())
        }
        RunStatus::Finished | RunStatus::Failed => {}
    }
    let varied = record.plan.variants.iter().any(|one| one.request_headers.is_some());
    if record.plan.request_headers == RequestHeaders::Minimal && !varied {
        notes
            .push("Requests carried minimal headers: fewer bytes than a browser's, which flatters polling.".to_owned());
    }
    notes.extend(foreign_clock(record).filter(|_| !told("clock")));
    notes.extend(late_samples(record).filter(|_| !told("sampled-late")));
    notes.extend(missing_rows(record, summaries));
    for summary in summaries {
        let told = |code: &str| trust::tells(summary.rows.iter().copied(), code, least);
        notes.extend(summary.rows.iter().filter_map(|row| ending(record, summary, row)));
        notes.extend(lost(summary).filter(|_| !["reach", "lagged", "missed"].iter().any(|code| told(code))));
        notes.extend(faults(summary, told));
    }
    notes
}

/// Counters that were read late belong to another window than the updates they are divided by.
fn late_samples(record: &RunRecord) -> Option<String> {
    let worst_us = record.rows.iter().filter_map(|row| row.phases.sampled_late_us).max()?;
    let window_us = record.plan.duration_s * 1e6;
    (worst_us as f64 > window_us * LATE_SHARE).then(|| {
        format!(
            "Bytes, requests and CPU were read up to {} late at a window's edge: figures per update are off by as much of the \
             window. The machine was too busy, or stopped.",
            format::time_us(worst_us as f64)
        )
    })
}

/// A clock that is estimated bounds what latency and age can say.
fn foreign_clock(record: &RunRecord) -> Option<String> {
    let bound_us = record
        .rows
        .iter()
        .map(|row| row.clock_bound_us)
        .max()
        .filter(|bound_us| *bound_us > 0)?;
    let bound = format::time_us(bound_us as f64);
    Some(format!(
        "The server's clock is estimated from round trips: every latency and age may be off by up to {bound} either way."
    ))
}

/// How a row ended, in a word or two.
pub fn outcome(row: &Row) -> String {
    match &row.outcome {
        Outcome::Ok => "ok".to_owned(),
        Outcome::Interrupted => "interrupted".to_owned(),
        Outcome::Failed { reason } => format!("failed: {reason}"),
    }
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
    let topics = match plan.feed {
        FeedPlan::Simulated { topics, .. } | FeedPlan::Replay { topics, .. } | FeedPlan::Target { topics, .. } => {
            topics
        }
    };
    match (plan.follow, topics) {
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

/// Which transports have fewer rows than planned: one sentence per number of rows.
fn missing_rows(record: &RunRecord, summaries: &[Summary]) -> Vec<String> {
    let planned = record.plan.repeats as usize;
    let labels = |measured: usize| -> Vec<&str> {
        summaries
            .iter()
            .filter(|summary| summary.rows.len() == measured)
            .map(|summary| summary.label)
            .collect()
    };
    let mut measured: Vec<usize> = summaries.iter().map(|summary| summary.rows.len()).collect();
    measured.retain(|rows| *rows < planned);
    measured.sort_unstable();
    measured.dedup();
    let sentence = |rows: usize| match rows {
        0 => format!("Not measured: {}.", labels(0).join(", ")),
        some => format!(
            "Only {some} of {planned} repeats measured: {}.",
            labels(some).join(", ")
        ),
    };
    measured.into_iter().map(sentence).collect()
}

/// Why a row is not like the others.
fn ending(record: &RunRecord, summary: &Summary, row: &Row) -> Option<String> {
    let name = format!("{}, repeat {}", summary.label, row.figures.repeat);
    let unknown = if row.latency.is_none() {
        " It adds nothing to the latency shown."
    } else {
        ""
    };
    match &row.outcome {
        Outcome::Failed { reason } => Some(format!("{name}: FAILED: {}.{unknown}", reason.trim_end_matches('.'))),
        Outcome::Interrupted => {
            let window = format::known(row.figures.duration_s, |s| format!("{} s", format::plain(s)));
            let planned = format::plain(record.plan.duration_s);
            Some(format!(
                "{name}: interrupted, window of {window} instead of {planned} s.{unknown}"
            ))
        }
        Outcome::Ok if row.latency.is_none() => Some(format!("{name}: the publish log could not be read.{unknown}")),
        Outcome::Ok => None,
    }
}

fn lost(summary: &Summary) -> Option<String> {
    let latency = summary.latency.as_ref()?;
    let shown = latency.max() == Some(Quantile::LOST);
    shown.then(|| {
        format!(
            "{}: {} of {} expected updates were not received; a quantile that falls there is printed as lost.",
            summary.label,
            count(latency.lost),
            count(latency.count()),
        )
    })
}

/// Counters that should be zero and are not, but for those a finding tells of.
fn faults(summary: &Summary, told: impl Fn(&str) -> bool) -> Option<String> {
    /// A counter, the finding that may tell of it, and its words.
    type Counter = (fn(&SummaryRow) -> Option<u64>, &'static str, &'static str);
    let counters: [Counter; 8] = [
        (|row| row.missed, "missed", "missed without a word"),
        (|row| row.lagged, "lagged", "lost with an explicit reset"),
        (|row| row.duplicates, "duplicates", "received twice"),
        (|row| row.out_of_order, "out-of-order", "out of order"),
        (
            |row| row.negative_latencies,
            "negative-latency",
            "received before they were due (clocks disagree)",
        ),
        (|row| row.errors, "errors", "failed connects, requests or sessions"),
        (|row| row.reconnects, "reconnects", "reconnects"),
        (
            |row| row.polls_skipped,
            "polls-skipped",
            "polls skipped because the one before was still under way",
        ),
    ];
    let words: Vec<String> = counters
        .into_iter()
        .filter(|(_, code, _)| !told(code))
        .filter_map(|(counter, _, words)| {
            let total = summary.total(counter).filter(|total| *total > 0)?;
            Some(format!("{} {words}", count(total)))
        })
        .collect();
    (!words.is_empty()).then(|| format!("{}: {}.", summary.label, words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, summary::summaries};

    #[test]
    fn what_a_shown_finding_tells_is_not_told_again() {
        let mut record = fixture::interrupted_replay();
        let notes_of = |record: &RunRecord, least| notes(record, &summaries(record).unwrap(), least).join("\n");
        assert!(!notes_of(&record, Verdict::Suspect).contains("DEBUG"));
        for row in &mut record.rows {
            row.findings
                .iter_mut()
                .for_each(|finding| finding.verdict = Verdict::Valid);
        }
        // A remark is told in report.md, where it need not be told twice, and not in the terminal.
        assert!(!notes_of(&record, Verdict::Valid).contains("DEBUG"));
        assert!(notes_of(&record, Verdict::Suspect).contains("DEBUG"));
        record.rows.iter_mut().for_each(|row| row.findings.clear());
        assert!(notes_of(&record, Verdict::Valid).contains("DEBUG"));
    }

    #[test]
    fn a_finding_about_one_technique_leaves_the_others_their_notes() {
        let mut record = fixture::record();
        for row in &mut record.rows {
            row.figures.lagged = Some(3);
        }
        let notes = notes(&record, &summaries(&record).unwrap(), Verdict::Suspect);
        let lagged: Vec<_> = notes.iter().filter(|note| note.contains("explicit reset")).collect();
        assert_eq!(lagged.len(), 3, "{notes:?}");
        assert!(!lagged.iter().any(|note| note.starts_with("Long polling")), "{notes:?}");
    }
}
