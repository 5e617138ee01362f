//! Records of older versions stay readable, newer ones are refused. `tests/records/version-1` is a real run of that version,
//! cut to two techniques and two repeats.

use std::path::{Path, PathBuf};

use super::*;
use crate::{report, run};

fn version_1() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records/version-1")
}

#[test]
fn a_record_of_version_1_is_read_and_knows_nothing_of_itself() {
    let record = run::load(&version_1()).unwrap();
    assert_eq!((record.schema_version, record.rows.len()), (1, 4));
    assert_eq!(record.plan.bounds, Bounds::default());
    assert_eq!((record.plan.margin, record.plan.looks.is_none()), (0.05, true));
    for row in &record.rows {
        assert_eq!(
            (&row.health, &row.wire, row.figures.validity),
            (&Health::default(), &None, None)
        );
        assert!(row.latency.is_some() && row.figures.bytes_per_update.is_some());
    }
}

#[test]
fn reports_of_a_record_of_version_1_leave_empty_what_it_did_not_know() {
    let record = run::load(&version_1()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    report::write_all(&record, dir.path()).unwrap();
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();

    let mut reader = csv::Reader::from_path(dir.path().join("summary.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let lines: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 4);
    for (name, known) in [
        ("latency_p99_us", true),
        ("bytes_received", true),
        ("validity", false),
        ("wire_bytes_sent", false),
        ("segments_received", false),
        ("client_lag_p99_us", false),
        ("steal_share", false),
    ] {
        let at = headers.iter().position(|header| header == name).unwrap();
        assert!(
            lines.iter().all(|line| line[at].is_empty() != known),
            "{name}: {lines:?}"
        );
    }

    let markdown = read("report.md");
    for words in [
        "There is no verdict: this record has version 1, whose rows said nothing of themselves.",
        "What the packets add is not known",
    ] {
        assert!(markdown.contains(words), "{words}: {markdown}");
    }
    for absent in ["VALID", "How the machine and the clients were doing", "MTU is"] {
        assert!(!markdown.contains(absent), "{absent}: {markdown}");
    }
    assert!(read("charts/bytes-by-layer.svg").contains("TCP and IP headers are not known"));
    let table = report::terminal::table(&record, 100, false).unwrap();
    assert!(table.contains("verdict: none: this record has version 1"), "{table}");
}

#[test]
fn a_record_of_version_1_merges_with_the_others_figures() {
    // What comparing two runs needs: merged histograms, sums, and each repeat's figures.
    let record = run::load(&version_1()).unwrap();
    for summary in report::summary::summaries(&record).unwrap() {
        assert_eq!(summary.rows.len(), 2);
        assert_eq!(summary.latency.as_ref().unwrap().count(), 100_000);
        assert_eq!(summary.reach(), Some(1.0));
        assert!(summary.layers().unwrap().wire.is_none());
    }
}

#[test]
fn a_newer_record_is_refused_whatever_its_shape() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("run.json"),
        r#"{"schema_version": 9, "plan": "of another shape"}"#,
    )
    .unwrap();
    let said = format!("{:#}", run::load(dir.path()).unwrap_err());
    assert!(
        said.contains("has schema version 9, this program knows up to 4: use a newer one"),
        "{said}"
    );
    std::fs::write(dir.path().join("run.json"), r#"{"rows": []}"#).unwrap();
    let said = format!("{:#}", run::load(dir.path()).unwrap_err());
    assert!(said.contains("is not a run this version can read"), "{said}");
}

#[test]
fn what_reports_could_not_be_made_of_in_time_is_refused() {
    let refused = |change: fn(&mut RunRecord)| {
        let mut record = report::fixture::record();
        change(&mut record);
        let text = serde_json::to_vec(&record).unwrap();
        let error = parse(&text, Path::new("there/run.json")).err();
        error.map_or_else(String::new, |error| format!("{error:#}"))
    };
    assert_eq!(refused(|_| ()), "");
    let said = refused(|record| record.rows[3].figures.repeat = u32::MAX);
    assert!(
        said.starts_with("there/run.json") && said.contains("rows[3].figures.repeat is 4294967295: expected 1 to 1000"),
        "{said}"
    );
    let said = refused(|record| record.plan.transports = (0..65).map(|number| number.to_string()).collect());
    assert!(said.contains("65 planned transports: 64 are the most"), "{said}");
    let said = refused(|record| record.rows[0].faults = vec![String::new(); 1_001]);
    assert!(said.contains("rows[0]: 1001 faults: 1000 are the most"), "{said}");
}
