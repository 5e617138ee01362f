//! Snapshots of every report, and what holds for all of them. Review changes with `cargo insta review`, or set
//! `INSTA_UPDATE=always` for one run of the tests and read the diff.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::record::{Quantile, RunStatus};

fn records() -> [RunRecord; 3] {
    [fixture::record(), fixture::empty(), fixture::interrupted_replay()]
}

/// Paths of all files below `dir`, relative to it.
fn files(dir: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(dir).unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn terminal() {
    let [record, empty, replay] = records();
    insta::assert_snapshot!("terminal", terminal::table(&record, 100, false).unwrap());
    insta::assert_snapshot!("terminal_empty", terminal::table(&empty, 100, false).unwrap());
    insta::assert_snapshot!("terminal_replay", terminal::table(&replay, 100, false).unwrap());
}

#[test]
fn the_table_keeps_its_width_and_colours_only_when_told() {
    for record in records() {
        for line in terminal::table(&record, 100, false).unwrap().lines() {
            assert!(line.chars().count() <= 100, "{line}");
            assert!(!line.contains('\x1b'), "{line}");
        }
        assert!(terminal::table(&record, 100, true).unwrap().contains('\x1b'));
        // Too narrow for the columns: still a table, not a panic.
        assert!(terminal::table(&record, 1, true).is_ok());
    }
}

#[test]
fn variants_stand_under_their_technique() {
    let record = fixture::varied();
    let table = terminal::table(&record, 100, false).unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    insta::assert_snapshot!("terminal_varied", table);
    let report = markdown::report(&record).unwrap();
    assert!(report.contains("| WebSocket, minimal |"), "{report}");
    let names: Vec<String> = hlog::logs(&record).unwrap().into_iter().map(|log| log.name).collect();
    assert!(names.contains(&"websocket-minimal-1.hlog".to_owned()), "{names:?}");
}

#[test]
fn what_behaviours_brought_about_has_tables_and_charts() {
    let record = fixture::behaved();
    let table = terminal::table(&record, 100, false).unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    insta::assert_snapshot!("terminal_behaved", table);
    let charts = chart::all(&record).unwrap();
    for id in ["recovery", "recovery-requests"] {
        let chart = charts.iter().find(|chart| chart.id == id).unwrap();
        assert!(svg::draw(chart).unwrap().contains("WebSocket, minimal"), "{id}");
    }
    let report = markdown::report(&record).unwrap();
    let page = html::report(&record).unwrap();
    for title in ["Coming back", "The restart", "Peers that never read"] {
        assert!(
            report.contains(&format!("## {title}\n")) && page.contains(title),
            "{title}"
        );
    }
}

#[test]
fn verdicts_have_colours_as_whole_words() {
    let table = terminal::table(&fixture::record(), 100, true).unwrap();
    for coloured in [
        "\x1b[31mINVALID\x1b[0m\n",
        "\x1b[31mFAILED\x1b[0m\n",
        "\x1b[32mVALID\x1b[0m\n",
    ] {
        assert!(table.contains(coloured), "{coloured:?}: {table:?}");
    }
    assert!(!table.contains("IN\x1b"), "{table:?}");
}

/// A record may have been edited: no number in it may end the program.
#[test]
fn the_largest_numbers_are_reported_too() {
    let mut record = fixture::record();
    for row in &mut record.rows {
        let figures = serde_json::to_value(&row.figures).unwrap();
        for (name, value) in figures.as_object().unwrap() {
            if value.is_u64() {
                let mut large = serde_json::to_value(&row.figures).unwrap();
                large[name] = u64::MAX.into();
                // What is too large for its field would not have been read.
                row.figures = serde_json::from_value(large).unwrap_or_else(|_| row.figures.clone());
            }
        }
    }
    terminal::table(&record, 100, false).unwrap();
    write_all(&record, tempfile::tempdir().unwrap().path()).unwrap();
}

#[test]
fn csv_tables() {
    let record = fixture::record();
    insta::assert_snapshot!(
        "summary_csv",
        String::from_utf8(csv::summary(&record).unwrap()).unwrap()
    );
    insta::assert_snapshot!("series_csv", String::from_utf8(csv::series(&record).unwrap()).unwrap());
}

#[test]
fn csv_headers_stand_without_rows_and_unknown_is_empty() {
    let (record, empty) = (fixture::record(), fixture::empty());
    for table in [csv::summary, csv::series] {
        let full = String::from_utf8(table(&record).unwrap()).unwrap();
        let bare = String::from_utf8(table(&empty).unwrap()).unwrap();
        assert_eq!(
            bare.lines().collect::<Vec<_>>(),
            full.lines().take(1).collect::<Vec<_>>()
        );
    }
    let table = csv::summary(&record).unwrap();
    let mut reader = ::csv::Reader::from_reader(table.as_slice());
    let column = |name: &str, headers: &::csv::StringRecord| headers.iter().position(|header| header == name).unwrap();
    let headers = reader.headers().unwrap().clone();
    let failed = reader.records().nth(6).unwrap().unwrap();
    assert_eq!(&failed[column("transport", &headers)], "sse");
    for name in [
        "updates_received",
        "latency_p50_us",
        "server_cpu_s",
        "bytes_per_update",
        "requests",
    ] {
        assert_eq!(&failed[column(name, &headers)], "", "{name}");
    }
}

#[test]
fn markdown() {
    let [record, empty, replay] = records();
    insta::assert_snapshot!("report_md", markdown::report(&record).unwrap());
    insta::assert_snapshot!("report_md_empty", markdown::report(&empty).unwrap());
    insta::assert_snapshot!("report_md_replay", markdown::report(&replay).unwrap());
}

#[test]
fn one_chart() {
    let charts = chart::all(&fixture::record()).unwrap();
    let bytes = charts.iter().find(|chart| chart.id == "bytes-per-update").unwrap();
    insta::assert_snapshot!("bytes_per_update_svg", svg::draw(bytes).unwrap());
}

/// Four repeats of everything, finished; SSE's and WebSocket's p99 are too close for that.
fn four_repeats() -> RunRecord {
    const NOISE: [[f64; 4]; 4] = [
        [1.0, 1.001, 0.999, 1.0],
        [1.0, 1.09, 0.96, 1.03],
        [0.86, 0.83, 0.94, 0.80],
        [0.93, 1.06, 1.10, 0.89],
    ];
    let mut record = fixture::record();
    record.status = RunStatus::Finished;
    record.plan.repeats = 4;
    let first: Vec<_> = record.rows.drain(..4).collect();
    record.rows.clear();
    for repeat in 0..4 {
        for (row, noise) in first.iter().zip(NOISE) {
            let mut row = row.clone();
            let figures = &mut row.figures;
            figures.repeat = repeat as u32 + 1;
            let times = |us: Option<Quantile>| {
                us.and_then(Quantile::us)
                    .map(|us| Quantile::Us((us as f64 * noise[repeat]) as u64))
            };
            figures.latency_p50_us = times(figures.latency_p50_us);
            figures.latency_p99_us = times(figures.latency_p99_us);
            let server_us = figures
                .server_cpu_us_per_update
                .map(|us| us * noise[3 - repeat].powf(0.2));
            figures.server_cpu_us_per_update = server_us;
            record.rows.push(row);
        }
    }
    record
}

fn claims_of(markdown: &str) -> &str {
    let from = markdown.find("## What can be said").unwrap();
    let rest = &markdown[from..];
    &rest[..rest[1..].find("\n## ").unwrap() + 2]
}

#[test]
fn claims() {
    let mut record = four_repeats();
    insta::assert_snapshot!("claims_md", claims_of(&markdown::report(&record).unwrap()));
    insta::assert_snapshot!("claims_terminal", terminal::table(&record, 100, false).unwrap());

    record.plan.looks = Some(crate::record::Looks {
        after_repeats: vec![2, 4],
    });
    let text = terminal::table(&record, 100, false).unwrap();
    assert!(text.contains("= Not settled after 4 of at most 4 repeats: "), "{text}");
    assert!(markdown::report(&record).unwrap().contains("look up to 2 times"));
    record.settled_after = Some(4);
    let text = terminal::table(&record, 100, false).unwrap();
    assert!(text.contains("= Settled after 4 of at most 4 repeats."), "{text}");
    // Rounds behind a look, as an interrupt leaves them, were not meant to be looked at.
    record.rows.retain(|row| row.figures.repeat < 4);
    assert!(
        markdown::report(&record).unwrap().contains("times, as planned"),
        "two repeats are a look"
    );
    record.plan.looks = Some(crate::record::Looks {
        after_repeats: vec![4, 6],
    });
    let text = terminal::table(&record, 100, false).unwrap();
    assert!(
        text.contains("= Nothing is claimed: the run ended before its first look."),
        "{text}"
    );
}

#[test]
fn changes_between_two_runs() {
    let (a, mut b) = (four_repeats(), four_repeats());
    b.id = "20260302T120000Z-live-score".to_owned();
    for row in b.rows.iter_mut().filter(|row| row.figures.transport == "sse") {
        row.figures.server_cpu_us_per_update = row.figures.server_cpu_us_per_update.map(|us| us * 1.5);
        row.figures.bytes_per_update = row.figures.bytes_per_update.map(|bytes| bytes * 1.08);
        row.figures.missed = Some(2);
    }
    let compared = changes::Compared {
        a: &a.id,
        b: &b.id,
        warnings: vec!["kernel: 6.12.0 in A, 6.13.0 in B".to_owned()],
        found: crate::statistics::between_runs(&a, &b, 0.1),
    };
    let text = changes::terminal(&compared, 100);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!("changes_terminal", text);
    insta::assert_snapshot!("changes_md", changes::markdown(&compared));
}

#[test]
fn only_claims_name_a_winner_and_each_carries_its_interval() {
    const WORDS: [&str; 8] = ["better", "worse", "best", "worst", "winner", "wins", "faster", "slower"];
    let names_one = |text: &str| {
        let text = text.to_lowercase();
        text.split(|c: char| !c.is_alphabetic())
            .any(|word| WORDS.contains(&word))
    };
    for record in records().into_iter().chain([four_repeats()]) {
        let markdown = markdown::report(&record).unwrap();
        let claims = claims_of(&markdown);
        assert!(!names_one(&markdown.replace(claims, "")));
        for line in claims.lines().filter(|line| !line.starts_with('|') && names_one(line)) {
            assert!(line.contains(" interval "), "{line}");
        }
        for line in comparisons::headlines(&record, &crate::statistics::between_transports(&record)) {
            assert!(!names_one(&line) || line.contains(" interval "), "{line}");
        }
    }
}

#[test]
fn every_report_is_written_and_nothing_half_written_stays() {
    for record in records() {
        let dir = tempfile::tempdir().unwrap();
        // Twice: reports of the same record replace themselves.
        write_all(&record, dir.path()).unwrap();
        write_all(&record, dir.path()).unwrap();
        let files = files(dir.path());
        for name in [
            "report.md",
            "summary.csv",
            "series.csv",
            "metrics.txt",
            "run.schema.json",
        ] {
            assert!(files.contains(Path::new(name)), "{name}");
        }
        assert!(
            files
                .iter()
                .all(|file| file.extension().is_some_and(|extension| extension != "partial"))
        );
        let written = files.iter().filter(|file| file.starts_with("charts")).count();
        assert_eq!(written, chart::all(&record).unwrap().len());
        let logs = files.iter().filter(|file| file.starts_with("histograms")).count();
        assert_eq!(logs, record.rows.iter().filter(|row| row.latency.is_some()).count());
    }
}
