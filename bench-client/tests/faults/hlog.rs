//! The .hlog files against another implementation of HdrHistogram: Python's, from PyPI.
//!
//! test.sh makes an environment that has it (`target/venv`); LAB_PYTHON names another interpreter.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    lab::{Job, Lab, beside_others, skipped},
    origin::Origin,
    table::{Expected, all_hold},
};

/// 200 updates for each: 1,000 values, so that every quantile asked for falls on one of them, however ranks are rounded.
const CLIENTS: u32 = 5;

/// An interpreter with the package `hdrhistogram`.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../venv/bin/python3");
    let named = std::env::var_os("LAB_PYTHON").map(PathBuf::from);
    let mut candidates = named.into_iter().chain([own, "python3".into()]);
    candidates.find(|python| {
        let asked = Command::new(python).args(["-c", "import hdrh"]).output();
        asked.is_ok_and(|asked| asked.status.success())
    })
}

#[test]
fn another_hdrhistogram_reads_the_same_from_the_logs_as_stands_in_the_summary() {
    let _machine = beside_others();
    let Some(python) = python() else {
        return skipped(
            "histogram logs against another HdrHistogram: no Python with the package hdrhistogram (./test.sh installs it)",
        );
    };
    let (lab, origin) = (Lab::new(), Origin::start());
    let jobs = Job::all(&origin.url()).into_iter().map(|job| job.of(CLIENTS));
    let jobs: Vec<_> = jobs.collect();
    let mut lines = Vec::new();
    for done in lab.run(&jobs) {
        let id = &done.whole().figures.transport;
        let log = done.folder.join(format!("histograms/{id}-1.hlog"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/read_hlog.py");
        let read = Command::new(&python)
            .arg(script)
            .arg(&log)
            .output()
            .expect("it ran before");
        let said = String::from_utf8_lossy(&read.stdout);
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let read: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert_eq!(read["intervals"], 1, "{said}");
        let summary = summary(&done.folder);
        for (column, read_as) in [
            ("updates_received", "count"),
            ("latency_p50_us", "p50"),
            ("latency_p90_us", "p90"),
            ("latency_p99_us", "p99"),
            ("latency_p999_us", "p999"),
            ("latency_max_us", "max"),
        ] {
            lines.push(Expected {
                fault: "none: histogram logs read by Python",
                injected: "nothing".into(),
                transport: id.clone(),
                figure: column,
                unit: if read_as == "count" { "updates" } else { "µs" },
                predicted: read[read_as].as_f64().unwrap_or_else(|| panic!("{read_as}: {said}")),
                reported: summary(column),
                tolerance: 0.0,
            });
        }
    }
    all_hold(&lines);
}

/// The cells of summary.csv's one row.
fn summary(folder: &Path) -> impl Fn(&str) -> f64 {
    let mut reader = csv::Reader::from_path(folder.join("summary.csv")).expect("a run leaves its summary");
    let header = reader.headers().expect("it has a header").clone();
    let row = reader.records().next().expect("it has a row").expect("it is CSV");
    move |column| {
        let at = header.iter().position(|one| one == column);
        let cell = &row[at.unwrap_or_else(|| panic!("no column {column}"))];
        cell.parse()
            .unwrap_or_else(|error| panic!("{column} is {cell:?}: {error}"))
    }
}
