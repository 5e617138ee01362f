//! `run --json`: stdout is the record and nothing else, however the run ends; what people must know goes to stderr.

use nix::sys::signal::Signal;

use crate::{
    lab::{Lab, Said, unbounded},
    record::{load, rows},
};

/// To the byte, and one document.
#[track_caller]
fn only_the_record(lab: &Lab, said: &Said) {
    assert_eq!(said.stdout, lab.read("out/run.json"));
    serde_json::from_str::<serde_json::Value>(&said.stdout).expect("one JSON document");
}

#[test]
fn an_invalid_run_prints_its_record_and_says_why_on_stderr() {
    let lab = Lab::new();
    let others = unbounded();
    let others = others.lines().filter(|line| !line.starts_with("publish_lag"));
    lab.write(
        "mine.toml",
        &format!(
            "clients = 4\nrate_hz = 50\nduration_s = 1\nrepeats = 1\n{}\npublish_lag_p99_us = {{ suspect = 0, invalid = 0 }}",
            others.collect::<Vec<_>>().join("\n")
        ),
    );
    let said = lab
        .run("run mine.toml --transport sse --out out --json --threshold sse.deliveries<1")
        .with_code(4)
        .saying(&["broken threshold: sse.deliveries<1", "verdict: INVALID"]);
    only_the_record(&lab, &said);
}

#[test]
fn an_interrupted_run_prints_what_it_has() {
    let lab = Lab::new();
    let run = lab
        .start("run ../smoke.toml --clients 8 --duration 300 --rate 50 --repeats 2 --transport sse --out out --json");
    let _server = run.server_after(40);
    run.signal(Signal::SIGINT);
    let said = run.ended().with_code(130);
    only_the_record(&lab, &said);
    let record = load(&lab.path("out"));
    assert_eq!(
        (record["status"].as_str(), rows(&record).len()),
        (Some("interrupted"), 1)
    );
}

#[test]
fn a_record_that_cannot_be_saved_is_printed_whole() {
    let lab = Lab::new();
    let quick = format!("{} --transport sse --out out --json", crate::lab::QUICK);
    let said = crate::lab::Running::start(lab.behind("ulimit -f 8", &quick))
        .ended()
        .with_code(1)
        .saying(&["error: the results could not be saved"]);
    let record: serde_json::Value = serde_json::from_str(&said.stdout).expect("one JSON document");
    assert_eq!(record["status"], "finished");
}
