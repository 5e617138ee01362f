//! Whether the figures can be trusted: verdicts with their reasons near the top, and the observations behind them further down.

use crate::record::{Health, Quantiles, Row, RunRecord, Verdict};
use crate::report::format::{UNKNOWN, count, known, of, quantile, share, time_us};
use crate::report::histogram::Distribution;
use crate::report::summary::Summary;
use crate::report::trust::{self, Said};
use crate::thresholds;

use super::results::{by_row, section};
use super::table::{escape, table};

/// Where the observations stand.
const OBSERVED: &str = "How the machine and the clients were doing";

pub fn verdicts(record: &RunRecord, summaries: &[Summary]) -> String {
    if record.rows.is_empty() {
        return String::new();
    }
    let title = "## Can these figures be trusted?\n\n";
    let Some(overall) = trust::overall(record, summaries) else {
        return format!("{title}There is no verdict: {}.\n", trust::unjudged(record));
    };
    let said = trust::said(summaries);
    let (reasons, remarks): (Vec<&Said>, Vec<&Said>) = said.iter().partition(|said| said.verdict > Verdict::Valid);
    let ended = trust::exit_code(record, summaries).map_or_else(String::new, |words| format!(" {words}."));
    let mut out = format!("{title}**{}**{ended}\n\n{}", escape(&overall), by_technique(summaries));
    if !reasons.is_empty() {
        out += "\nWhat speaks against them:\n\n";
        for said in reasons {
            out += &format!("- **{}** · {}\n", said.verdict.name(), item(said));
        }
    }
    if !remarks.is_empty() {
        out += "\nWhat else was seen, and changes no verdict:\n\n";
        for said in remarks {
            out += &format!("- {}\n", item(said));
        }
    }
    if record.rows.iter().any(observed) {
        out += &format!("\nWhat was observed of each row stands below: *{OBSERVED}*.\n");
    }
    out
}

fn item(said: &Said) -> String {
    format!("{} · {}", escape(&said.place), escape(&said.words()))
}

fn by_technique(summaries: &[Summary]) -> String {
    let rows = summaries.iter().map(|summary| {
        vec![
            summary.label.to_owned(),
            trust::of_technique(summary)
                .map_or(UNKNOWN, trust::Standing::name)
                .to_owned(),
            repeats(summary),
        ]
    });
    table(&["technique", "verdict", "repeats"], 3, rows)
}

/// How many repeats stand how, the gravest first.
fn repeats(summary: &Summary) -> String {
    let mut standings: Vec<_> = summary.rows.iter().map(|row| trust::of_row(row)).collect();
    standings.sort_unstable_by(|a, b| b.cmp(a));
    let parts: Vec<String> = standings
        .chunk_by(PartialEq::eq)
        .map(|alike| {
            format!(
                "{} {}",
                alike.len(),
                alike[0].map_or("without a verdict", trust::Standing::name)
            )
        })
        .collect();
    if parts.is_empty() {
        "not measured".to_owned()
    } else {
        parts.join(", ")
    }
}

/// What had to hold, where anything had.
pub fn thresholds(record: &RunRecord, summaries: &[Summary]) -> String {
    let checked = thresholds::check(record, summaries);
    let rows = checked
        .into_iter()
        .map(|one| vec![one.standing.name().to_owned(), one.text, one.found]);
    section(
        "Thresholds",
        "What was asked of this run, checked against the figures of all repeats together.",
        table(&["outcome", "threshold", "measured"], 3, rows),
    )
}

fn observed(row: &Row) -> bool {
    row.health != Health::default()
}

/// What each row saw of client, server and machine.
pub fn health(record: &RunRecord) -> String {
    if !record.rows.iter().any(observed) {
        return String::new();
    }
    let headers = [
        "client lag p50",
        "client lag p99",
        "server lag p50",
        "server lag p99",
        "client waited for a core",
        "machine busy",
        "other processes",
        "stolen",
        "pages swapped",
        "listen overflows",
        "unread at the end",
        "counters read late",
    ];
    let cells = |row: &Row| {
        let health = &row.health;
        let lag = |lag: &Option<Quantiles>, q| {
            // Merging has read every histogram before; one that cannot be read is unknown here.
            let read = lag.as_ref().and_then(|lag| Distribution::decode(lag).ok());
            known(read.and_then(|lag| lag.quantile(q)), quantile)
        };
        vec![
            lag(&health.client_lag, 0.5),
            lag(&health.client_lag, 0.99),
            lag(&health.server_lag, 0.5),
            lag(&health.server_lag, 0.99),
            known(health.client_wait_share, share),
            known(health.machine_busy_share, share),
            known(health.others_cpu_share, share),
            known(health.steal_share, share),
            known(health.swapped_pages, count),
            known(health.listen_overflows, count),
            unread(health),
            known(row.phases.sampled_late_us, |us| time_us(us as f64)),
        ]
    };
    section(
        OBSERVED,
        "In the window. Lag: what a byte waits in a socket of the client's (the server's) runtime until it is read, by a probe \
         50 (the server's: 20) times a second; it is part of every latency. Waited for a core: share of the window in which the client's threads were \
         ready and had none. Busy, other processes and stolen (by the hypervisor) are shares of all cores. Listen overflows: \
         connections the kernel dropped at a full accept queue, from start to the end of the drain.",
        by_row(record, &headers, 0, cells),
    )
}

fn unread(health: &Health) -> String {
    match (health.unread_sockets, health.unread_bytes) {
        (Some(0), _) => "0".to_owned(),
        (Some(sockets), Some(bytes)) => format!("{} B in {}", count(bytes), of(sockets, "socket", "sockets")),
        (Some(sockets), None) => of(sockets, "socket", "sockets"),
        (None, _) => UNKNOWN.to_owned(),
    }
}
