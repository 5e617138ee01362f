//! A run judges itself: verdict, reasons, exit code; and the bounds are the scenario's.

use crate::{
    lab::{Lab, unbounded},
    record::{load, rows},
};

const TINY: &str = "clients = 4\nrate_hz = 50\npoll_interval_ms = 100\nduration_s = 1\nrepeats = 1\n";

/// Everything is within bounds but the one the test sets to nothing: every feed is late by more than that.
fn with_bound(bound: &str) -> String {
    let name = bound.split(' ').next().expect("a name");
    let others = unbounded();
    let others = others.lines().filter(|line| !line.starts_with(name));
    format!("{TINY}{}\n{bound}\n", others.collect::<Vec<_>>().join("\n"))
}

#[test]
fn an_invalid_row_is_said_everywhere_and_ends_with_4() {
    let lab = Lab::new();
    lab.write(
        "mine.toml",
        &with_bound("publish_lag_p99_us = { suspect = 0, invalid = 0 }"),
    );
    let said = lab
        .run("run mine.toml --transport sse,websocket --out out")
        .with_code(4);
    assert!(said.stdout.contains("INVALID"), "{said:#?}");
    let record = load(&lab.path("out"));
    assert_eq!(record["status"], "finished", "measured, all of it");
    for row in rows(&record) {
        assert_eq!(row["figures"]["validity"], "INVALID");
        let worst = &row["findings"][0];
        assert_eq!(
            (&worst["code"], &worst["verdict"]),
            (&"publish-lag".into(), &"INVALID".into())
        );
        let reasons = row["figures"]["validity_reasons"].as_str().expect("reasons");
        assert!(reasons.starts_with("publish-lag: the feed was late by "), "{reasons}");
    }
    let csv = lab.read("out/summary.csv");
    assert!(
        csv.lines().nth(1).is_some_and(|line| line.contains(",sse,1,INVALID,")),
        "{csv}"
    );
    assert!(lab.read("out/report.md").contains("INVALID"));
    // Reports are made again from the record alone, the verdict with them.
    lab.run("report out").with_code(0);
    assert_eq!(csv, lab.read("out/summary.csv"));
}

#[test]
fn a_suspect_row_is_said_and_ends_with_0() {
    let lab = Lab::new();
    lab.write("mine.toml", &with_bound("publish_lag_p99_us = { suspect = 0 }"));
    let said = lab.run("run mine.toml --transport sse --out out").with_code(0);
    assert!(said.stdout.contains("SUSPECT"), "{said:#?}");
    assert_eq!(rows(&load(&lab.path("out")))[0]["figures"]["validity"], "SUSPECT");
}

#[test]
fn a_bound_that_does_not_exist_is_refused_with_its_line() {
    let lab = Lab::new();
    lab.write(
        "mine.toml",
        &format!("{TINY}[bounds]\nother_cpu = {{ suspect = 1, invalid = 1 }}\n"),
    );
    lab.run("run mine.toml")
        .with_code(2)
        .saying(&["line 7", "other_cpu", "others_cpu_share"]);
}

/// Two methods count the same: the clients' own counters and the kernel's, the clients' requests and the server's.
#[test]
fn both_methods_agree_with_connections_kept_and_with_one_per_request() {
    for keep_alive in [true, false] {
        let lab = Lab::new();
        lab.write(
            "mine.toml",
            &format!("keep_alive = {keep_alive}\n{TINY}{}", unbounded()),
        );
        lab.run("run mine.toml --out out").with_code(0);
        for row in rows(&load(&lab.path("out"))) {
            let codes: Vec<_> = row["findings"]
                .as_array()
                .expect("findings")
                .iter()
                .map(|one| &one["code"])
                .collect();
            assert!(
                !codes
                    .iter()
                    .any(|code| *code == "byte-count" || *code == "request-count"),
                "{row:#}"
            );
            assert_eq!(row["health"]["server_requests_total"], row["figures"]["requests_total"]);
            let wire = &row["wire"];
            assert_eq!(wire["socket_bytes_sent_total"], wire["total"]["payload_bytes_sent"]);
            assert!(wire["total"]["bytes_sent"].as_u64() > wire["total"]["payload_bytes_sent"].as_u64());
            assert_eq!(wire["total"]["connections_opened"], row["figures"]["connections_total"]);
        }
    }
}
