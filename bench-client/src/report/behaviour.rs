//! What a plan's behaviours brought about: clients that left and came back, a server that was restarted, peers that never read. Tables as
//! data, for the terminal and for report.md.
//!
//! ```text
//! Row (catch_up, resume, recovery, stalled) of each Summary -> Table -> terminal.rs, markdown.rs
//! ```
//!
//! A plan without such behaviour has none of them.

use crate::record::{Quantile, Recovery, Row, Stalled, SummaryRow};

use super::format::{bytes, count, known, number, quantile, time_us};
use super::histogram::Distribution;
use super::summary::Summary;

/// A table with its heading; the first column names the technique.
pub struct Table {
    pub title: &'static str,
    /// What is shown, in a sentence or two.
    pub intro: &'static str,
    pub headers: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// Every table that these rows have something for.
pub fn tables(summaries: &[Summary]) -> Vec<Table> {
    let found = [
        table(
            "Coming back",
            "Clients left and came back. Caught up: updates that came by resuming; their latency says how long a client was away. \
             Resume: from the start of connect() until all that was missed is held.",
            &[
                "left",
                "caught up",
                "catch-up p50",
                "catch-up p99",
                "resume p50",
                "resume p99",
            ],
            summaries,
            came_back,
        ),
        table(
            "The restart",
            "Times from the kill of the server on. Restored: the client was told the newest state by the new server. Peaks are \
             the highest rates over 100 ms; over several repeats the worst is shown.",
            &[
                "answers again",
                "restored p50",
                "restored p99",
                "all restored",
                "peak requests",
                "peak connects",
                "errors",
            ],
            summaries,
            restored,
        ),
        table(
            "Peers that never read",
            "Connections beside the measured clients, and what the server did about them by the end of the drain, summed over the repeats.",
            &["stalled", "unread", "given up", "resets", "updates lost"],
            summaries,
            stalled,
        ),
    ];
    found.into_iter().flatten().collect()
}

fn table(
    title: &'static str,
    intro: &'static str,
    headers: &[&'static str],
    summaries: &[Summary],
    cells: impl Fn(&Summary) -> Option<Vec<String>>,
) -> Option<Table> {
    let row = |summary: &Summary| {
        let mut row = vec![summary.label.to_owned()];
        row.extend(cells(summary)?);
        Some(row)
    };
    let rows: Vec<_> = summaries.iter().filter_map(row).collect();
    (!rows.is_empty()).then(|| Table {
        title,
        intro,
        headers: ["technique"].into_iter().chain(headers.iter().copied()).collect(),
        rows,
    })
}

fn came_back(summary: &Summary) -> Option<Vec<String>> {
    let left = summary.total(|row: &SummaryRow| row.leaves)?;
    let of =
        |distribution: &Option<Distribution>, q| known(distribution.as_ref().and_then(|one| one.quantile(q)), quantile);
    Some(vec![
        count(left),
        known(summary.total(|row| row.catch_up_updates), count),
        of(&summary.catch_up, 0.5),
        of(&summary.catch_up, 0.99),
        of(&summary.resume, 0.5),
        of(&summary.resume, 0.99),
    ])
}

fn restored(summary: &Summary) -> Option<Vec<String>> {
    let all: Vec<&Recovery> = summary.rows.iter().filter_map(|row| row.recovery.as_ref()).collect();
    let most = |of: fn(&Recovery) -> Option<f64>| all.iter().filter_map(|one| of(one)).reduce(f64::max);
    let restored = summary.restored.as_ref()?;
    let rate = |rate| format!("{}/s", number(rate));
    let never = restored.quantile(1.0) == Some(Quantile::LOST);
    Some(vec![
        known(most(|one| Some(one.answered_after_us as f64)), time_us),
        known(restored.quantile(0.5), quantile),
        known(restored.quantile(0.99), quantile),
        if never {
            format!("{} never", count(restored.lost))
        } else {
            known(restored.quantile(1.0), quantile)
        },
        known(most(|one| one.peak_requests_per_s), rate),
        known(most(|one| one.peak_connections_per_s), rate),
        count(all.iter().map(|one| one.errors).sum::<u64>()),
    ])
}

fn stalled(summary: &Summary) -> Option<Vec<String>> {
    let of_row = |row: &&Row| row.stalled.clone();
    let all: Vec<Stalled> = summary
        .rows
        .iter()
        .filter_map(of_row)
        .filter(|one| one.connections > 0)
        .collect();
    let sum = |of: fn(&Stalled) -> Option<u64>| {
        let values: Vec<u64> = all.iter().filter_map(of).collect();
        (!values.is_empty()).then(|| values.iter().fold(0, |sum: u64, value| sum.saturating_add(*value)))
    };
    (!all.is_empty()).then(|| {
        vec![
            known(sum(|one| Some(one.connections)), count),
            known(sum(|one| Some(one.unread_bytes)), |unread| bytes(unread as f64)),
            known(sum(|one| one.write_stalls), count),
            known(sum(|one| one.resets), count),
            known(sum(|one| one.lagged), count),
        ]
    })
}
