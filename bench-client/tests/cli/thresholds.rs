//! Thresholds: checked before anything starts, and again when all is measured.

use crate::lab::{Lab, QUICK, unbounded};

#[test]
fn a_broken_threshold_ends_with_3_and_is_named_with_what_was_measured() {
    let lab = Lab::new();
    lab.write(
        "gate.toml",
        &format!(
            "clients = 8\nduration_s = 1.2\nrate_hz = 50\nrepeats = 1\ntransports = [\"sse\", \"websocket\"]\n\
             thresholds = [\"all.missed == 0\"]\n{}",
            unbounded()
        ),
    );
    let mut command = lab.command("run gate.toml --out out");
    command.args(["--threshold", "websocket.requests > 1000000"]);
    let said = crate::lab::Running::start(command).ended().with_code(3);
    let lines = [
        "pass all.missed == 0: sse 0, websocket 0",
        "FAIL websocket.requests > 1000000: 0",
    ];
    for line in lines {
        assert!(said.stdout.contains(line), "{line}: {said:#?}");
    }
    let report = lab.read("out/report.md");
    for line in [
        "| pass | all.missed == 0 | sse 0, websocket 0 |",
        "| FAIL | websocket.requests &gt; 1000000 | 0 |",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
    // The report shows them again; it is no run that could break them.
    let again = lab.run("report out").with_code(0);
    assert!(again.stdout.contains(lines[1]), "{again:#?}");
}

#[test]
fn with_json_a_broken_threshold_is_said_on_stderr() {
    let lab = Lab::new();
    let mut command = lab.command(&format!("{QUICK} --transport sse --out out --json"));
    command.args(["--threshold", "sse.deliveries<1"]);
    let said = crate::lab::Running::start(command)
        .ended()
        .with_code(3)
        .saying(&["broken threshold: sse.deliveries<1: "]);
    assert_eq!(said.stdout, lab.read("out/run.json"));
}

#[test]
fn thresholds_that_hold_change_nothing_and_a_dry_run_shows_them() {
    let lab = Lab::new();
    let quick = format!("{QUICK} --transport sse --threshold sse.reach==1 --threshold all.latency_p99_s<3600");
    let said = lab.run(&format!("{quick} --dry-run")).with_code(0);
    assert!(said.stdout.contains("threshold         sse.reach==1"), "{said:#?}");
    lab.run(&format!("{quick} --out out")).with_code(0);
}

#[test]
fn a_threshold_that_cannot_be_checked_is_refused_before_anything_starts() {
    for (threshold, words) in [
        ("websocket.latency_p99_ms", ["there is no operator", "< <= > >= == !="]),
        ("websocket.latency_p99_ms<fast", ["\"fast\" is no number", "such as"]),
        (
            "websocket.latncy_p99_ms<5",
            ["no metric \"latncy_p99_ms\"", "did you mean latency_p99_ms?"],
        ),
        (
            "web-socket.missed==0",
            ["no transport \"web-socket\"", "did you mean websocket?"],
        ),
        (
            "sse.missed==0",
            ["no transport \"sse\" in this plan", "it has websocket"],
        ),
        ("websocket.missed=0", ["\"=\" is no operator", "websocket.missed=0"]),
    ] {
        let lab = Lab::new();
        lab.run(&format!("{QUICK} --transport websocket --threshold {threshold}"))
            .with_code(2)
            .saying(&words);
        assert!(!lab.path("results").exists(), "{threshold}");
    }
}
