//! The report's sentences: what was run, what to know before reading on, and what each technique showed.

use crate::record::{Mode, Outcome, Plan, Quantile, RequestHeaders, RunRecord, RunStatus};
use crate::report::describe;
use crate::report::format::{bytes, number, of, quantile, share, time_us};
use crate::report::summary::Summary;

use super::table::escape;

pub fn title(record: &RunRecord) -> String {
    format!("# {}\n", escape(&describe::heading(&record.plan)))
}

/// Warnings, before any figure.
pub fn notes(notes: &[String]) -> String {
    let lines: Vec<String> = notes.iter().map(|note| format!("> - {}\n", escape(note))).collect();
    if lines.is_empty() {
        String::new()
    } else {
        format!("> **Before you read the figures**\n>\n{}", lines.concat())
    }
}

pub fn run(record: &RunRecord) -> String {
    let plan = &record.plan;
    let status = match record.status {
        RunStatus::Running => "has not ended",
        RunStatus::Finished => "finished",
        RunStatus::Interrupted => "was interrupted",
        RunStatus::Failed => "has failed rows",
    };
    let place = if plan.remote {
        "The server was not started by this run: its CPU and memory are unknown."
    } else {
        "Server and clients ran on one machine, as two processes, over loopback."
    };
    let headers_vary = plan.varies(|one| one.request_headers.is_some());
    let headers = match plan.request_headers {
        _ if headers_vary => {
            "Which header set requests and handshakes carried is what the variants differ in: `browser` is one fixed set as a desktop \
             browser sends it, `minimal` what the protocol demands."
        }
        RequestHeaders::Browser => {
            "Requests and handshakes carried the `browser` header set: one fixed set as a desktop browser sends it. With \
             `minimal` headers the techniques that poll would show fewer bytes."
        }
        // What that means stands in the notes above.
        RequestHeaders::Minimal => "Requests and handshakes carried the `minimal` header set.",
    };
    format!(
        "Run {id} started {started} UTC, took {elapsed} s and {status}: {load}. Conditions: {conditions}. {place} {headers}\n\n\
         More is in the run's folder: `report.html`, and for machines `run.json` (`run.schema.json`), `summary.csv`, `series.csv`, \
         `metrics.txt`, `histograms/*.hlog`.\n",
        id = escape(&record.id),
        started = escape(record.started_utc.trim_end_matches('Z')),
        elapsed = number(record.elapsed_s),
        load = escape(&describe::load(plan).join(", ")),
        conditions = escape(&describe::conditions(plan).join(", ")),
    ) + &variants(plan)
}

/// What each variant does otherwise.
fn variants(plan: &Plan) -> String {
    let lines = describe::variants(plan).into_iter();
    let lines: Vec<String> = lines.map(|line| format!("- {}\n", escape(&line))).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "\nEvery technique was measured in each of these variants, over the same feed:\n\n{}",
        lines.concat()
    )
}

/// One item per technique.
pub fn measured(record: &RunRecord, summaries: &[Summary]) -> String {
    let items: Vec<String> = summaries.iter().map(|summary| item(record, summary)).collect();
    if items.is_empty() {
        String::new()
    } else {
        format!("## What was measured\n\n{}", items.concat())
    }
}

fn item(record: &RunRecord, summary: &Summary) -> String {
    let sentences: Vec<String> = [
        latency(record.plan.varied(summary.variant).mode, summary),
        summary
            .reach()
            .map(|reach| format!("{} of the expected updates reached their clients.", share(reach))),
        summary
            .age_mean_us()
            .map(|age| format!("What a client showed was {} old on average.", time_us(age))),
        cost(summary),
        summary
            .requests_per_s()
            .map(|rate| format!("All clients together made {} requests per second.", number(rate))),
        summary
            .server_rss_bytes_per_client()
            .map(|memory| format!("A client took {} of server memory.", bytes(memory))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let words = if sentences.is_empty() {
        "no figures.".to_owned()
    } else {
        sentences.join(" ")
    };
    format!("- **{}** ({}): {words}\n", escape(summary.label), repeats(summary))
}

fn repeats(summary: &Summary) -> String {
    let failed = summary
        .rows
        .iter()
        .filter(|row| matches!(row.outcome, Outcome::Failed { .. }))
        .count();
    match summary.rows.len() as u64 {
        0 => "not measured".to_owned(),
        rows if failed > 0 => format!("{}, {failed} failed", of(rows, "repeat", "repeats")),
        rows => of(rows, "repeat", "repeats"),
    }
}

fn latency(mode: Mode, summary: &Summary) -> Option<String> {
    let came = match mode {
        Mode::Every => "of the expected updates came",
        Mode::Latest => "of the expected updates, or a newer one in their place, came",
    };
    let p50 = match summary.latency(0.5)? {
        Quantile::Lost(_) => return Some("More than half of the expected updates never came.".to_owned()),
        p50 => quantile(p50),
    };
    Some(match summary.latency(0.99)? {
        Quantile::Lost(_) => format!("Half {came} within {p50} of their due time; more than 1 % never came."),
        p99 => format!(
            "Half {came} within {p50} of their due time, 99 % within {}.",
            quantile(p99)
        ),
    })
}

fn cost(summary: &Summary) -> Option<String> {
    let parts: Vec<String> = [
        summary
            .bytes_per_update()
            .map(|value| format!("{} of socket payload", bytes(value))),
        summary
            .server_cpu_us_per_update()
            .map(|us| format!("{} of server CPU", time_us(us))),
        summary
            .client_cpu_us_per_update()
            .map(|us| format!("{} of client CPU", time_us(us))),
    ]
    .into_iter()
    .flatten()
    .collect();

    let (last, others) = parts.split_last()?;
    let list = if others.is_empty() {
        last.clone()
    } else {
        format!("{} and {last}", others.join(", "))
    };
    Some(format!("Each delivered update took {list}."))
}
