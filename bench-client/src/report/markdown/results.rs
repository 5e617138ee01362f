//! The report's tables of figures: over all repeats first, then repeat by repeat.

use crate::record::{Quantile, Row, RunRecord, Verdict};
use crate::report::format::{UNKNOWN, bytes, count, known, number, quantile, range, share, time_us};
use crate::report::summary::{Summary, reach, row_label};
use crate::report::{behaviour, floor, notes};

use super::table::table;

pub fn freshness(summaries: &[Summary]) -> String {
    let headers = [
        "technique",
        "p50",
        "p50 of repeats",
        "p90",
        "p99",
        "p99 of repeats",
        "p99.9",
        "max",
        "age, mean",
        "stale",
        "reach",
    ];
    let rows = summaries.iter().map(|summary| {
        let latency = |q| known(summary.latency(q), quantile);
        vec![
            summary.label.to_owned(),
            latency(0.5),
            known(summary.range(|row| row.latency_p50_us), |spread| {
                range(spread, quantile)
            }),
            latency(0.9),
            latency(0.99),
            known(summary.range(|row| row.latency_p99_us), |spread| {
                range(spread, quantile)
            }),
            latency(0.999),
            latency(1.0),
            known(summary.age_mean_us(), time_us),
            known(summary.stale_share(), share),
            known(summary.reach(), share),
        ]
    });
    section(
        "Freshness",
        "Latency of all repeats together (histograms merged, not averaged); \"of repeats\" is the lowest to the highest \
         single repeat.",
        table(&headers, 1, rows),
    )
}

pub fn cost(summaries: &[Summary]) -> String {
    let headers = [
        "technique",
        "requests per s",
        "bytes per update",
        "server CPU per update",
        "client CPU per update",
        "server memory per client",
    ];
    let rows = summaries.iter().map(|summary| {
        vec![
            summary.label.to_owned(),
            known(summary.requests_per_s(), number),
            known(summary.bytes_per_update(), bytes),
            known(summary.server_cpu_us_per_update(), time_us),
            known(summary.client_cpu_us_per_update(), time_us),
            known(summary.server_rss_bytes_per_client(), bytes),
        ]
    });
    section(
        "Cost",
        "Sums over all repeats, divided by the updates delivered in them; memory is the median of the repeats.",
        table(&headers, 1, rows),
    )
}

/// What each costs over the floor, where there is one.
pub fn against_the_floor(summaries: &[Summary]) -> String {
    floor::table(summaries).map_or_else(String::new, |one| {
        section(one.title, one.intro, table(&one.headers, 1, one.rows))
    })
}

pub fn completeness(record: &RunRecord) -> String {
    let counters = [
        "published",
        "expected",
        "received",
        "superseded",
        "missed",
        "lagged",
        "duplicates",
        "out of order",
        "errors",
        "reconnects",
        "reach",
    ];
    let cells = |row: &Row| {
        let figures = &row.figures;
        vec![
            counted(figures.updates_published),
            counted(figures.updates_expected),
            counted(figures.updates_received),
            counted(figures.superseded),
            counted(figures.missed),
            counted(figures.lagged),
            counted(figures.duplicates),
            counted(figures.out_of_order),
            counted(figures.errors),
            counted(figures.reconnects),
            known(reach(figures), share),
        ]
    };
    section(
        "Completeness",
        "Every update of the window, checked one by one at every client. Missed: never came, and nobody said so. Lagged: lost \
         with an explicit reset.",
        by_row(record, &counters, 0, cells),
    )
}

pub fn repeats(record: &RunRecord) -> String {
    let headers = [
        "outcome",
        "verdict",
        "window",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "max",
        "age, mean",
        "age p99",
        "stale",
        "spread p99",
        "publish lag p99",
        "server CPU",
        "client CPU",
    ];
    let cells = |row: &Row| {
        let figures = &row.figures;
        let latency = |value: Option<Quantile>| known(value, quantile);
        let seconds = |value: Option<f64>| known(value, |s| time_us(s * 1e6));
        vec![
            notes::outcome(row),
            figures.validity.map_or(UNKNOWN, Verdict::name).to_owned(),
            seconds(figures.duration_s),
            latency(figures.latency_p50_us),
            latency(figures.latency_p90_us),
            latency(figures.latency_p99_us),
            latency(figures.latency_p999_us),
            latency(figures.latency_max_us),
            known(figures.age_mean_us, time_us),
            micros(figures.age_p99_us),
            known(figures.stale_share, share),
            micros(figures.spread_p99_us),
            micros(figures.publish_lag_p99_us),
            seconds(figures.server_cpu_s),
            seconds(figures.client_cpu_s),
        ]
    };
    section(
        "Repeat by repeat",
        "In the order they were measured.",
        by_row(record, &headers, 2, cells),
    )
}

pub fn traffic(record: &RunRecord) -> String {
    let headers = [
        "deliveries",
        "updates alone",
        "sent",
        "received",
        "bytes per update",
        "setup bytes per client",
        "requests",
        "requests in total",
        "empty answers",
        "polls skipped",
        "connections",
        "connections in total",
    ];
    let cells = |row: &Row| {
        let figures = &row.figures;
        vec![
            counted(figures.deliveries),
            sized(figures.payload_bytes),
            sized(figures.bytes_sent),
            sized(figures.bytes_received),
            known(figures.bytes_per_update, bytes),
            known(figures.setup_bytes_per_client, bytes),
            counted(figures.requests),
            counted(figures.requests_total),
            counted(figures.empty_responses),
            counted(figures.polls_skipped),
            counted(figures.connections),
            counted(figures.connections_total),
        ]
    };
    section(
        "Bytes, requests and connections",
        "Socket payload as the clients saw it, in the window; \"in total\" and setup: from the start to the end of the drain.",
        by_row(record, &headers, 0, cells),
    )
}

pub fn connecting(summaries: &[Summary]) -> String {
    let headers = [
        "technique",
        "connects",
        "p50",
        "p99",
        "longest",
        "updates caught up",
        "catch-up p50",
        "catch-up p99",
    ];
    let rows = summaries.iter().map(|summary| {
        let connect = |q| {
            known(
                summary.connect.as_ref().and_then(|connect| connect.quantile(q)),
                quantile,
            )
        };
        let catch_up = |q| {
            known(
                summary.catch_up.as_ref().and_then(|catch_up| catch_up.quantile(q)),
                quantile,
            )
        };
        vec![
            summary.label.to_owned(),
            counted(summary.connect.as_ref().map(|connect| connect.count())),
            connect(0.5),
            connect(0.99),
            connect(1.0),
            counted(summary.catch_up.as_ref().map(|catch_up| catch_up.count())),
            catch_up(0.5),
            catch_up(0.99),
        ]
    });
    section(
        "Connecting and catching up",
        "From the start of connect() to a session that delivers; catching up: updates that came by resuming after a cut.",
        table(&headers, 1, rows),
    )
}

/// What the plan's behaviours brought about: a section each.
pub fn behaviours(summaries: &[Summary]) -> Vec<String> {
    let tables = behaviour::tables(summaries).into_iter();
    tables
        .map(|one| section(one.title, one.intro, table(&one.headers, 1, one.rows)))
        .collect()
}

pub fn memory(record: &RunRecord) -> String {
    let headers = [
        "server before",
        "server settled",
        "of it the log",
        "per client",
        "kernel sockets, both ends",
        "client process",
    ];
    let cells = |row: &Row| {
        let memory = &row.memory;
        vec![
            sized(memory.server_rss_before_bytes),
            sized(memory.server_rss_settled_bytes),
            sized(memory.server_log_bytes),
            known(row.figures.server_rss_bytes_per_client, bytes),
            sized(memory.kernel_socket_bytes),
            sized(memory.client_rss_settled_bytes),
        ]
    };
    section(
        "Memory",
        "Resident memory before the first client and at the end of settle; the kernel's socket memory is the whole machine's.",
        by_row(record, &headers, 0, cells),
    )
}

/// A table with a line per row of the record, `left` more columns aligned left.
pub fn by_row(record: &RunRecord, headers: &[&str], left: usize, cells: impl Fn(&Row) -> Vec<String>) -> String {
    let headers: Vec<&str> = ["technique", "repeat"]
        .into_iter()
        .chain(headers.iter().copied())
        .collect();
    let rows = record.rows.iter().map(|row| {
        let mut line = vec![row_label(record, row).to_owned(), row.figures.repeat.to_string()];
        line.extend(cells(row));
        line
    });
    table(&headers, 2 + left, rows)
}

pub fn section(title: &str, intro: &str, table: String) -> String {
    if table.is_empty() {
        String::new()
    } else {
        format!("## {title}\n\n{intro}\n\n{table}")
    }
}

fn counted(value: Option<u64>) -> String {
    known(value, count)
}

fn sized(value: Option<u64>) -> String {
    known(value, |value| bytes(value as f64))
}

fn micros(value: Option<u64>) -> String {
    known(value, |us| time_us(us as f64))
}
