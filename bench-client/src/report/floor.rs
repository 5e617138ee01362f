//! Each contender against the floor: what it costs over what delivering costs at all. A table as data, for the terminal, report.md and
//! report.html.
//!
//! ```text
//! Row (x_floor, kernel shares) of each Summary -> median over the repeats -> Table -> terminal.rs, markdown.rs, html.rs
//! ```
//!
//! A run without the floor has none. Nothing is claimed here: repeats are few, and the floor is no technique to choose.

use super::{
    behaviour::Table,
    format::{known, number, time_us},
    summary::{Summary, median},
};
use crate::{floor, record::SummaryRow};

const INTRO: &str = "The floor is no technique. One thread frames each update once and writes it to plain sockets, and a bare loop per core reads \
    them: the same clients, updates and processes as in every row, and nothing else. It says what delivering costs on this machine at all. \
    Medians over the repeats; *× floor* is over the floor of the same repeat, *spread* is the p99 of first to last client. *Kernel* is the kernel's share \
    of a process's CPU time, the rest is its own (user); the kernel knows the sum and finds out the share by its ticks, so it is rough.\n\n\
    What it is biased by: the floor has one writing thread, so that a server with more may come below its spread; on loopback the sender's CPU \
    includes the receiver's TCP input, the floor's like everyone's; its reader decodes what all decode, and parses frames and nothing else; where \
    several updates share an answer, as with polls, a technique may cost less per update than writing each by itself.";

const HEADERS: [&str; 9] = [
    "technique",
    "server CPU per update",
    "server × floor",
    "server kernel",
    "client CPU per update",
    "client × floor",
    "client kernel",
    "spread p99",
    "spread × floor",
];

/// The table; None where no row is of the floor.
pub fn table(summaries: &[Summary]) -> Option<Table> {
    let measured = |one: &&Summary| one.transport == floor::ID && !one.rows.is_empty();
    summaries.iter().find(measured)?;
    Some(Table {
        title: "Against the floor",
        intro: INTRO,
        headers: HEADERS.to_vec(),
        rows: summaries.iter().map(cells).collect(),
    })
}

fn cells(summary: &Summary) -> Vec<String> {
    let of = |figure: fn(&SummaryRow) -> Option<f64>| {
        let known = summary.rows.iter().filter_map(|row| figure(&row.figures));
        median(known.collect())
    };
    let times = |figure| known(of(figure), |times| format!("{} ×", number(times)));
    vec![
        summary.label.to_owned(),
        known(of(|row| row.server_cpu_us_per_update), time_us),
        times(|row| row.server_cpu_x_floor),
        known(of(|row| row.server_cpu_kernel_share), percent),
        known(of(|row| row.client_cpu_us_per_update), time_us),
        times(|row| row.client_cpu_x_floor),
        known(of(|row| row.client_cpu_kernel_share), percent),
        known(of(|row| row.spread_p99_us.map(|us| us as f64)), time_us),
        times(|row| row.spread_x_floor),
    ]
}

/// Without decimals, which ticks do not give.
fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, summary::summaries, terminal};

    #[test]
    fn a_run_without_the_floor_says_nothing_of_it() {
        let record = fixture::record();
        assert!(table(&summaries(&record).unwrap()).is_none());
        assert!(!terminal::table(&record, 100, false).unwrap().contains("floor"));
    }

    #[test]
    fn medians_stand_beside_each_other_within_100_columns() {
        let record = fixture::with_floor();
        let summaries = summaries(&record).unwrap();
        let shown = table(&summaries).unwrap();
        let floor = shown.rows.last().expect("it is the last of the plan");
        assert_eq!((floor[0].as_str(), floor[2].as_str()), ("Floor", "1.00 ×"));
        insta::assert_snapshot!(shown.rows.iter().map(|row| row.join(" | ") + "\n").collect::<String>());
        let terminal = terminal::table(&record, 100, false).unwrap();
        assert!(terminal.contains("against the floor"), "{terminal}");
        for line in terminal.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn every_report_has_the_section_and_what_it_is_biased_by() {
        let record = fixture::with_floor();
        let page = crate::report::html::report(&record).unwrap();
        let markdown = crate::report::markdown::report(&record).unwrap();
        for words in ["Against the floor", "What it is biased by", "1.00 ×"] {
            assert!(page.contains(words) && markdown.contains(words), "{words}");
        }
    }
}
