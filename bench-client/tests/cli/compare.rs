//! `compare`: two records, what changed, and the exit code a pipeline acts on.
//!
//! The records are the curated run's with figures set by hand, so that what changed is known.

use std::path::Path;

use serde_json::{Value, json};

use crate::lab::{Lab, Said};

/// Log-normal noise of a few percent, by repeat.
const NOISE: [f64; 4] = [1.01, 0.985, 1.004, 0.997];

/// A record of four transports and four repeats, with the same figures on every machine.
fn record() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/curated/run.json");
    let text = std::fs::read(path).expect("the curated run is committed");
    let mut record: Value = serde_json::from_slice(&text).expect("run.json is JSON");
    record["plan"]["repeats"] = json!(4);
    record["plan"]["looks"] = Value::Null;
    let rows = record["rows"].as_array_mut().expect("a record has rows");
    // The floor is compared with nothing.
    rows.retain(|row| row["figures"]["transport"] != "floor");
    assert_eq!(rows.len(), 16, "four transports, four repeats");
    for row in rows {
        row["outcome"] = json!({"kind": "ok"});
        let figures = &mut row["figures"];
        let noise = NOISE[figures["repeat"].as_u64().expect("a number") as usize - 1];
        figures["validity"] = Value::Null;
        for (name, usual) in FIGURES {
            figures[name] = json!(usual * noise);
        }
        figures["bytes_per_update"] = json!(300.0);
        for name in ["latency_p50_us", "latency_p99_us"] {
            figures[name] = json!((20_000.0 * noise) as u64);
        }
        for name in ["missed", "duplicates", "out_of_order", "lagged"] {
            figures[name] = json!(0);
        }
    }
    record
}

const FIGURES: [(&str, f64); 3] = [
    ("age_mean_us", 110_000.0),
    ("server_cpu_us_per_update", 10.0),
    ("server_rss_bytes_per_client", 5_000.0),
];

/// The rows of one transport.
fn rows_of<'a>(record: &'a mut Value, transport: &'a str) -> impl Iterator<Item = &'a mut Value> {
    let rows = record["rows"].as_array_mut().expect("a record has rows");
    rows.iter_mut()
        .filter(move |row| row["figures"]["transport"] == transport)
}

fn scale(record: &mut Value, transport: &str, figure: &str, by: f64) {
    for row in rows_of(record, transport) {
        let value = row["figures"][figure].as_f64().expect("it is known");
        row["figures"][figure] = if figure.starts_with("latency") {
            json!((value * by) as u64)
        } else {
            json!(value * by)
        };
    }
}

/// Compares a record with a changed copy of it.
#[track_caller]
fn compared(change: impl FnOnce(&mut Value), flags: &str) -> Said {
    both_changed(|_, b| change(b), flags)
}

/// Compares two copies of a record, either changed.
#[track_caller]
fn both_changed(change: impl FnOnce(&mut Value, &mut Value), flags: &str) -> Said {
    let (mut a, mut b) = (record(), record());
    change(&mut a, &mut b);
    let lab = Lab::new();
    std::fs::create_dir(lab.path("a")).unwrap();
    lab.write("a/run.json", &a.to_string());
    lab.write("b.json", &b.to_string());
    // A folder and a file: either will do.
    std::fs::create_dir(lab.path("b")).unwrap();
    std::fs::rename(lab.path("b.json"), lab.path("b/run.json")).unwrap();
    lab.run(&format!("compare a b/run.json {flags}"))
}

#[track_caller]
fn has(text: &str, words: &[&str]) {
    for words in words {
        assert!(text.contains(words), "{words:?} is missing: {text}");
    }
}

#[test]
fn a_run_against_itself_is_no_regression_and_bytes_are_equivalent() {
    let said = compared(|_| {}, "").with_code(0);
    has(
        &said.stdout,
        &["what the machine did meanwhile", "equivalent", "No regression"],
    );
    assert!(!said.stdout.contains("WORSE"), "{said:#?}");
    let bytes = said.stdout.lines().skip_while(|line| *line != "bytes per update");
    let mut bytes = bytes.skip(1).take(4);
    assert!(bytes.all(|line| line.ends_with("equivalent")), "{said:#?}");
}

#[test]
fn worse_beyond_the_margin_ends_with_3_and_better_or_within_it_does_not() {
    let said = compared(|b| scale(b, "sse", "latency_p99_us", 1.5), "").with_code(3);
    has(
        &said.stdout,
        &[
            "WORSE",
            "REGRESSION: Server-Sent Events, latency p99: 1.50 times what it was",
        ],
    );
    let said = compared(|b| scale(b, "sse", "latency_p99_us", 0.5), "").with_code(0);
    has(&said.stdout, &["better", "No regression"]);
    // 7 %: surely more, and within 10 %; beyond 5 %.
    compared(|b| scale(b, "sse", "bytes_per_update", 1.07), "").with_code(0);
    // Surely worse, by an interval that reaches beyond 10 %: its estimate does not.
    let said = compared(|b| scale(b, "sse", "latency_p50_us", 1.09), "").with_code(0);
    has(&said.stdout, &["worse, estimate within the margin"]);
    let said = compared(|b| scale(b, "sse", "bytes_per_update", 1.07), "--margin 5%").with_code(3);
    has(&said.stdout, &["Margin 5 %"]);
    compared(|b| scale(b, "sse", "bytes_per_update", 1.07), "--margin 0.05").with_code(3);
}

#[test]
fn noise_is_no_regression() {
    let said = compared(
        |b| {
            for (row, noise) in rows_of(b, "sse").zip([0.7, 1.9, 1.6, 0.9]) {
                row["figures"]["server_cpu_us_per_update"] = json!(10.0 * noise);
            }
        },
        "",
    )
    .with_code(0);
    has(&said.stdout, &["inconclusive"]);
}

#[test]
fn what_must_not_happen_and_did_is_a_regression_without_any_interval() {
    for counter in ["missed", "duplicates", "out_of_order", "lagged"] {
        let once = |b: &mut Value| rows_of(b, "websocket").next().expect("a row")["figures"][counter] = json!(1);
        let said = compared(once, "").with_code(3);
        has(
            &said.stdout,
            &[&format!("REGRESSION: WebSocket: {counter}: 0 in A, 1 in B")],
        );
    }
    let failed = |b: &mut Value| {
        rows_of(b, "websocket").next().expect("a row")["outcome"] = json!({"kind": "failed", "reason": "it died"});
    };
    has(
        &compared(failed, "").with_code(3).stdout,
        &["WebSocket: rows failed: none in A, 1 in B"],
    );
    let gone = |b: &mut Value| {
        let rows = b["rows"].as_array_mut().expect("rows");
        rows.retain(|row| row["figures"]["transport"] != "websocket");
    };
    has(
        &compared(gone, "").with_code(3).stdout,
        &["WebSocket: measured in A, no row in B"],
    );
}

#[test]
fn invalid_rows_of_b_are_no_measurement_and_precede_a_regression() {
    let invalid =
        |b: &mut Value| rows_of(b, "websocket").next().expect("a row")["figures"]["validity"] = json!("INVALID");
    let words = ["B is no measurement: WebSocket: rows INVALID: 1"];
    has(&compared(invalid, "").with_code(4).stdout, &words);
    let both = |b: &mut Value| {
        invalid(b);
        rows_of(b, "sse").next().expect("a row")["figures"]["missed"] = json!(1);
    };
    let said = compared(both, "").with_code(4);
    has(
        &said.stdout,
        &[words[0], "REGRESSION: Server-Sent Events: missed: 0 in A, 1 in B"],
    );
    let all = |b: &mut Value| {
        for row in b["rows"].as_array_mut().expect("rows") {
            row["figures"]["validity"] = json!("INVALID");
        }
    };
    has(&compared(all, "").with_code(4).stdout, &["B is no measurement"]);
}

/// Where A lost some as well, the share of what was expected decides, and for rows their number.
#[test]
fn more_of_what_must_not_happen_than_in_a_is_a_regression() {
    let missed = |record: &mut Value, missed: u64, expected: u64| {
        for row in rows_of(record, "sse") {
            (row["figures"]["missed"], row["figures"]["updates_expected"]) = (json!(missed), json!(expected));
        }
    };
    let lost = |b: (u64, u64)| {
        let change = |a: &mut Value, of_b: &mut Value| {
            missed(a, 1, 1_000);
            missed(of_b, b.0, b.1);
        };
        both_changed(change, "")
    };
    lost((1, 1_000)).with_code(0);
    lost((2, 2_000)).with_code(0);
    let said = lost((2, 1_000)).with_code(3);
    has(&said.stdout, &["missed: 4 of 4000 expected in A, 8 of 4000 in B"]);
    let failed = |record: &mut Value, count: usize| {
        for row in rows_of(record, "sse").take(count) {
            row["outcome"] = json!({"kind": "failed", "reason": "it died"});
        }
    };
    let rows = |of_a, of_b| {
        let change = |a: &mut Value, b: &mut Value| {
            failed(a, of_a);
            failed(b, of_b);
        };
        both_changed(change, "")
    };
    rows(1, 1).with_code(0);
    has(&rows(1, 2).with_code(3).stdout, &["rows failed: 1 in A, 2 in B"]);
}

#[test]
fn figures_that_b_lost_altogether_are_a_regression() {
    let lost = |b: &mut Value| {
        for row in rows_of(b, "sse") {
            row["figures"]["latency_p99_us"] = json!("lost");
        }
    };
    let said = compared(lost, "").with_code(3);
    let words = "Server-Sent Events: latency p99: 4 repeats with a figure in A, 0 in B";
    has(&said.stdout.split_whitespace().collect::<Vec<_>>().join(" "), &[words]);
}

#[test]
fn runs_that_measured_different_things_are_refused_with_every_difference() {
    let other = |b: &mut Value| {
        b["plan"]["clients"] = json!(17);
        b["plan"]["mode"] = json!("latest");
        b["plan"]["duration_s"] = json!(99.0);
        b["plan"]["feed"]["rate_hz"] = json!(33.0);
    };
    let words = [
        "2000 in A, 17 in B",
        "mode: every in A, latest in B",
        "99 s in B",
        "rate_hz:33",
        "--force",
    ];
    let said = compared(other, "").with_code(2).saying(&words);
    assert_eq!(said.stdout, "", "{said:#?}");
    let said = compared(other, "--force").with_code(0);
    has(&said.stdout, &["! not the same plan: clients: 2000 in A, 17 in B"]);
}

#[test]
fn what_may_explain_a_change_is_said_above_it() {
    let elsewhere = |b: &mut Value| {
        b["environment"]["cpu_model"] = json!("Another CPU");
        b["environment"]["kernel"] = json!("9.9.9");
        b["tool"]["revision"] = json!("feedface");
        b["plan"]["seed"] = json!(77);
        b["plan"]["scenario"] = json!("another");
        b["plan"]["bounds"] = json!({"others_cpu_share": {"suspect": 0.1, "invalid": 0.77}});
    };
    let said = compared(elsewhere, "").with_code(0);
    has(
        &said.stdout,
        &[
            "! machine: ",
            "Another CPU",
            "9.9.9 in B",
            "! revision: ",
            "feedface in B",
            "! seed: 1 in A, 77 in B",
            "! scenario: ",
            "another in B",
            "! bounds, ",
            "invalid:0.77",
        ],
    );
}

#[test]
fn markdown_and_json_say_the_same() {
    let slower = |b: &mut Value| scale(b, "sse", "server_cpu_us_per_update", 1.5);
    let said = compared(slower, "--markdown").with_code(3);
    has(
        &said.stdout,
        &[
            "| technique | figure |",
            "| Server-Sent Events | server CPU per update |",
            "WORSE",
        ],
    );
    let said = compared(slower, "--json").with_code(3);
    let json: Value = serde_json::from_str(&said.stdout).expect("it is JSON");
    assert_eq!(json["regression"], true);
    let changes = json["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 24, "four transports, six figures");
    let change = changes.iter().find(|change| change["regression"] == true).expect("one");
    assert_eq!(
        (&change["transport"], &change["metric"]),
        (&json!("sse"), &json!("server_cpu_us_per_update"))
    );
    assert!(
        (change["ratio"].as_f64().expect("a number") - 1.5).abs() < 0.001,
        "{change}"
    );
    let interval = &change["interval"];
    assert!(
        interval["low"].as_f64() > Some(1.0) && interval["level"].as_f64() > Some(0.95),
        "{change}"
    );
}

#[test]
fn one_repeat_carries_no_claim_and_counters_count_all_the_same() {
    let one = |record: &mut Value| {
        let rows = record["rows"].as_array_mut().expect("rows");
        rows.retain(|row| row["figures"]["repeat"] == 1);
    };
    let said = compared(one, "").with_code(4);
    has(
        &said.stdout,
        &["no figure could be compared", "Not compared: ", "4 in A and 1 in B"],
    );
    let lost = |record: &mut Value| {
        one(record);
        rows_of(record, "sse").next().expect("a row")["figures"]["missed"] = json!(3);
    };
    compared(lost, "").with_code(3);
}

#[test]
fn what_is_no_run_and_no_margin_is_refused() {
    let lab = Lab::new();
    lab.run("compare here there")
        .with_code(2)
        .saying(&["here/run.json", "expected the folder of a run"]);
    lab.run("compare a").with_code(2);
    compared(|_| {}, "--margin 10").with_code(2).saying(&["10% or 0.1"]);
    compared(|_| {}, "--margin ten").with_code(2).saying(&["10% or 0.1"]);
    compared(|_| {}, "--markdown --json").with_code(2);
}
