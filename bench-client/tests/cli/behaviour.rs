//! Clients and servers that do more than stay: rows of such scenarios are whole, true and say what happened.

use serde_json::Value;

use crate::{
    lab::{Lab, unbounded},
    record::{figure, load, rows},
};

/// Runs a small scenario with these keys, through every transport, and returns its record.
fn run(keys: &str) -> Value {
    let lab = Lab::new();
    let scenario = format!("clients = 12\nupdate_bytes = 256\npoll_interval_ms = 100\nrepeats = 1\n{keys}\n");
    lab.write("it.toml", &(scenario + &unbounded()));
    let said = lab.run("run it.toml --out out").with_code(0);
    assert!(!said.stdout.contains("INVALID"), "{said:#?}");
    let record = load(&lab.path("out"));
    assert_eq!(rows(&record).len(), 4);
    record
}

/// The findings with this code.
fn findings<'a>(row: &'a Value, code: &str) -> Vec<&'a Value> {
    let all = row["findings"].as_array().expect("a row has findings");
    all.iter().filter(|finding| finding["code"] == code).collect()
}

#[test]
fn churn_loses_nothing_and_what_is_caught_up_stands_apart() {
    let record = run("rate_hz = 50\nduration_s = 2\nsettle_s = 0.5\nchurn = { stay_s = 0.3, away_s = 0.2 }");
    for row in rows(&record) {
        for none in [
            "missed",
            "duplicates",
            "out_of_order",
            "lagged",
            "errors",
            "negative_latencies",
        ] {
            assert_eq!(figure(row, none), 0.0, "{none}: {row:#}");
        }
        assert_eq!(figure(row, "updates_received"), figure(row, "updates_expected"));
        assert!(figure(row, "leaves") > 12.0, "{row:#}");
        assert_eq!(figure(row, "reconnects"), figure(row, "leaves"), "who left came back");
        assert!(figure(row, "catch_up_updates") > 0.0, "{row:#}");
        assert_eq!(row["catch_up"]["count"], row["figures"]["catch_up_updates"]);
        let apart = row["latency"]["count"].as_f64().expect("a count") + figure(row, "catch_up_updates");
        assert_eq!(
            apart,
            figure(row, "updates_expected"),
            "each update is in one of the two"
        );
        assert!(figure(row, "resume_p50_us") <= figure(row, "resume_p99_us"), "{row:#}");
        assert!(row["figures"]["server_rss_bytes_per_client"].is_null(), "{row:#}");
        assert_eq!(row["predictions"].as_array().map(Vec::len), Some(0), "{row:#}");
        for finding in findings(row, "request-count") {
            assert_eq!(finding["verdict"], "VALID", "{row:#}");
        }
        assert_eq!(findings(row, "byte-count").len(), 0, "{row:#}");
    }
}

#[test]
fn stalled_clients_are_in_no_figure_and_the_row_tells_what_became_of_them() {
    let record = run("rate_hz = 50\nduration_s = 1.2\nsettle_s = 0.5\nstalled_clients = 3");
    for row in rows(&record) {
        assert_eq!(
            figure(row, "updates_received"),
            figure(row, "updates_expected"),
            "{row:#}"
        );
        assert_eq!(figure(row, "updates_expected"), 12.0 * figure(row, "updates_published"));
        assert_eq!(figure(row, "connections_total"), 12.0, "{row:#}");
        assert_eq!(figure(row, "stalled_clients"), 3.0);
        assert_eq!(figure(row, "errors"), 0.0, "{row:#}");
        assert_eq!(row["stalled"]["connections"], 3, "{row:#}");
        assert_eq!(
            row["stalled"]["write_stalls"], 0,
            "too little is written to fill a buffer: {row:#}"
        );
        assert_eq!(findings(row, "request-count").len(), 0, "theirs are taken off: {row:#}");
        assert_eq!(
            row["health"]["server_requests_total"], row["figures"]["requests_total"],
            "{row:#}"
        );
        assert_eq!(findings(row, "byte-count").len(), 0, "{row:#}");
    }
}

#[test]
fn after_a_restart_every_client_has_the_newest_state_again() {
    restarted("");
}

#[test]
#[ignore = "half a minute: the same of other plans"]
fn after_a_restart_in_other_plans_too() {
    for keys in [
        "backoff_jitter = false",
        "follow = \"all\"\ntopics = 2",
        "keep_alive = false",
        "arrivals = \"burst\"\nburst_size = 5",
    ] {
        restarted(keys);
    }
}

fn restarted(keys: &str) {
    const PLAN: &str =
        "mode = \"latest\"\nrate_hz = 50\nduration_s = 2\nsettle_s = 0.3\nrestart = { after_s = 0.4, down_s = 0.2 }";
    let record = run(&format!("{PLAN}\n{keys}"));
    for row in rows(&record) {
        everyone_is_back(row);
    }
}

fn everyone_is_back(row: &Value) {
    let recovery = &row["recovery"];
    assert_eq!(row["outcome"]["kind"], "ok", "{row:#}");
    assert_eq!(recovery["restored"]["count"], 12, "{row:#}");
    assert_eq!(recovery["restored"]["lost"], 0, "{row:#}");
    let us = |name: &str| {
        recovery[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name}: {recovery:#}"))
    };
    assert!(us("killed_after_us") >= 400_000, "{recovery:#}");
    // Not before the pause is over: nobody answers until then.
    assert!(us("answered_after_us") >= 200_000, "{recovery:#}");
    assert_eq!(
        us("restored_after_answer_us"),
        us("restored_after_us") - us("answered_after_us")
    );
    // The histogram keeps three digits.
    let longest = figure(row, "restored_max_us");
    assert!((longest / us("restored_after_us") as f64 - 1.0).abs() < 2e-3, "{row:#}");
    let series = recovery["series"].as_array().expect("a series");
    let sum = |name: &str| series.iter().filter_map(|point| point[name].as_u64()).sum::<u64>();
    assert_eq!(sum("restored"), 12, "{recovery:#}");
    assert!(
        sum("connections") >= 12,
        "each comes back on a new connection: {recovery:#}"
    );
    assert_eq!(sum("errors"), us("errors"));
    assert!(figure(row, "peak_requests_per_s") > 0.0);
    // Nothing is missing, nothing is twice, and both servers are in what is counted.
    for none in ["missed", "duplicates", "out_of_order", "lagged", "negative_latencies"] {
        assert_eq!(figure(row, none), 0.0, "{none}: {row:#}");
    }
    let arrived = figure(row, "updates_received") + figure(row, "superseded");
    assert_eq!(arrived, figure(row, "updates_expected"), "{row:#}");
    assert!(figure(row, "errors") > 0.0, "{row:#}");
    assert!(figure(row, "server_cpu_s") > 0.0, "{row:#}");
    assert!(
        row["health"]["server_requests_total"].is_null(),
        "it went with the first server: {row:#}"
    );
    assert_eq!(findings(row, "byte-count").len(), 0, "{row:#}");
    assert_eq!(findings(row, "restart").len(), 1, "{row:#}");
}
