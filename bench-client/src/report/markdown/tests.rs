//! What holds for the whole report.md, whatever the record says: it fits into a pull request and nothing in it breaks there.

use super::*;
use crate::record::Row;
use crate::report::fixture;

/// So many techniques, each measured so often.
fn large(techniques: usize, repeats: u32) -> RunRecord {
    let mut record = fixture::record();
    record.status = crate::record::RunStatus::Finished;
    let (transport, row) = (record.transports[3].clone(), record.rows[3].clone());
    let id = |i: usize| format!("technique-{i}");
    record.plan.transports = (0..techniques).map(id).collect();
    record.plan.repeats = repeats;
    record.transports = (0..techniques)
        .map(|i| crate::record::Transport {
            id: id(i),
            label: format!("A technique with a rather long name, in variant {i}"),
            ..transport.clone()
        })
        .collect();
    let measured = |repeat: u32, i: usize| {
        let mut row: Row = row.clone();
        let noise = 1.0 + 0.01 * f64::from(repeat) + 0.1 * i as f64;
        row.figures.transport = id(i);
        row.figures.repeat = repeat;
        row.figures.bytes_per_update = row.figures.bytes_per_update.map(|bytes| bytes * noise);
        row.figures.server_cpu_us_per_update = row.figures.server_cpu_us_per_update.map(|us| us * noise);
        row
    };
    record.rows = (1..=repeats)
        .flat_map(|repeat| (0..techniques).map(move |i| (repeat, i)))
        .map(|(repeat, i)| measured(repeat, i))
        .collect();
    record
}

#[test]
fn it_fits_into_a_pull_request_however_large_the_run() {
    let usual = report(&large(4, 4)).unwrap();
    assert!(!usual.contains("Left out"), "the usual run is shown whole");
    // Fewer repeats than bootstraps need, which take long, and as many rows.
    for (techniques, repeats) in [(16, 5), (24, 5)] {
        fits(techniques, repeats);
    }
    let mut record = fixture::record();
    record.plan.analysis = "words ".repeat(20_000);
    record.rows[6].faults = vec!["a fault ".repeat(10_000)];
    let text = report(&record).unwrap();
    assert!(
        text.chars().count() < fit::MOST_CHARS && text.contains("## Freshness"),
        "{text}"
    );
}

#[test]
#[ignore = "half a minute: hundreds of bootstraps"]
fn it_fits_with_ten_repeats_too() {
    fits(8, 10);
}

fn fits(techniques: usize, repeats: u32) {
    let text = report(&large(techniques, repeats)).unwrap();
    assert!(text.chars().count() < fit::MOST_CHARS, "{}", text.chars().count());
    assert!(text.contains("Left out to fit here"), "{text}");
    for kept in [
        "## Can these figures be trusted?",
        "## Freshness",
        "## Cost",
        "## What can be said",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
}

/// A line without its code, in which nothing is markdown.
fn without_code(line: &str) -> String {
    line.replace("\\`", "").split('`').step_by(2).collect()
}

#[test]
fn hostile_names_stay_words() {
    const HOSTILE: &str = "a|b `c` <img src=x onerror=alert(1)> ![d](e) [f](g) @all\n# h\n```\n</details> <!-- i";
    let mut record = fixture::record();
    record.plan.scenario = HOSTILE.to_owned();
    record.plan.summary = HOSTILE.to_owned();
    record.environment.cpu_model = HOSTILE.to_owned();
    for transport in &mut record.transports {
        for text in [&mut transport.label, &mut transport.summary, &mut transport.caveat] {
            *text = HOSTILE.to_owned();
        }
    }
    record.rows[0].faults = vec![HOSTILE.to_owned()];
    let text = report(&record).unwrap();
    let fence = |line: &str| line.chars().take_while(|c| *c == '`').count() >= 3;
    let mut open: Option<&str> = None;
    let mut columns = None;
    for line in text.lines() {
        match open {
            // Only a line of the same backticks closes a block.
            Some(ticks) => {
                if line == ticks {
                    open = None;
                }
                continue;
            }
            None if fence(line) => {
                open = Some(line.trim_end_matches("text"));
                continue;
            }
            None => {}
        }
        let line = &without_code(line);
        for broken in ["<img", "](", "@all", "<!--"] {
            assert!(!line.contains(broken) || line.contains("\\]("), "{broken}: {line}");
        }
        if line.starts_with("</details>") || line.starts_with("# ") {
            assert!(line == "</details>" || line.starts_with("# a"), "{line}");
        }
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let cells = line.replace("\\|", "").matches('|').count();
        assert_eq!(*columns.get_or_insert(cells), cells, "a cell too many: {line}");
    }
    assert_eq!(open, None, "a block that is never closed");
    assert_eq!(
        text.matches("<details>").count(),
        text.lines().filter(|line| *line == "</details>").count()
    );
}
