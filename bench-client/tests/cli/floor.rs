//! The floor's row: asked for by name, set against the techniques of its round, and refused where there can be none.

use crate::{
    lab::{Lab, QUICK},
    record::{figure, load, rows, table},
};

const MULTIPLES: [&str; 3] = ["server_cpu_x_floor", "client_cpu_x_floor", "spread_x_floor"];

#[test]
fn a_technique_beside_the_floor_is_a_multiple_of_it() {
    let lab = Lab::new();
    let said = lab
        .run("run ../smoke.toml --clients 8 --duration 1.2 --rate 50 --repeats 2 --transport sse,floor --out out")
        .with_code(0);
    let record = load(&lab.path("out"));
    let order: Vec<&str> = rows(&record)
        .iter()
        .map(|row| row["figures"]["transport"].as_str().expect("an id"))
        .collect();
    assert_eq!(order, ["sse", "floor", "floor", "sse"]);
    for (own, floor) in [(0, 1), (3, 2)].map(|(own, floor)| (&rows(&record)[own], &rows(&record)[floor])) {
        for (multiple, of) in
            MULTIPLES
                .into_iter()
                .zip(["server_cpu_us_per_update", "client_cpu_us_per_update", "spread_p99_us"])
        {
            assert_eq!(figure(own, multiple), figure(own, of) / figure(floor, of), "{multiple}");
            assert_eq!(figure(floor, multiple), 1.0, "{multiple}");
        }
        // Four bytes around each update of 256, and nothing else once it is open. What was due before the window may come within it.
        let received = figure(floor, "bytes_received");
        assert!(
            received % 260.0 == 0.0 && received >= figure(floor, "deliveries") * 256.0,
            "{floor:#}"
        );
        assert_eq!((figure(floor, "requests"), figure(floor, "bytes_sent")), (0.0, 0.0));
        assert_eq!(figure(floor, "updates_received"), figure(own, "updates_received"));
        let predictions = floor["predictions"].as_array().expect("a list");
        let setup = predictions.iter().find(|one| one["metric"] == "setup_bytes_per_client");
        assert!(setup.is_some_and(|one| one["likely_cause"].is_null()), "{setup:#?}");
        assert_eq!(
            floor["health"]["server_requests_total"], 8,
            "counted on both sides: {floor:#}"
        );
        assert_eq!(floor["wire"]["total"]["connections_opened"], 8, "{:#}", floor["wire"]);
    }
    let described = record["transports"].as_array().expect("a list");
    assert_eq!(described[1]["label"], "Floor", "{described:#?}");

    let (header, lines) = table(&lab.path("out"), "summary.csv");
    assert_eq!(header[header.len() - 3..], MULTIPLES);
    assert!(
        lines.iter().all(|line| !line["server_cpu_x_floor"].is_empty()),
        "{lines:#?}"
    );
    assert!(said.stdout.contains("against the floor"), "{said:#?}");
    assert!(lab.read("out/report.md").contains("## Against the floor"));
    assert!(lab.read("out/report.html").contains("Against the floor"));
    // One technique: there is nothing to compare it with.
    assert!(!said.stdout.contains("better than"), "{said:#?}");

    // Recorded, and once more.
    let again = lab.run("run --like out --repeats 1 --dry-run").with_code(0);
    assert!(again.stdout.contains("sse floor"), "{again:#?}");
}

#[test]
fn without_it_nothing_is_divided() {
    let lab = Lab::new();
    let said = lab
        .run(&format!("{QUICK} --transport websocket --out out"))
        .with_code(0);
    let record = load(&lab.path("out"));
    let row = &rows(&record)[0];
    for multiple in MULTIPLES {
        assert!(row["figures"][multiple].is_null(), "{row:#}");
    }
    assert!(!said.stdout.contains("floor") && !lab.read("out/report.md").contains("Against the floor"));
}

#[test]
fn where_there_can_be_none_it_is_left_out_in_a_line_or_refused() {
    let lab = Lab::new();
    for (scenario, why) in [
        ("idle", "without updates"),
        ("latest-state", "with variants"),
        ("live-score --mode latest", "in mode latest"),
    ] {
        let said = lab.run(&format!("run {scenario} --clients 5 --dry-run")).with_code(0);
        let line = said.stdout.lines().find(|line| line.trim_start().starts_with("floor "));
        assert!(
            line.is_some_and(|line| line.contains(&format!("none {why}"))),
            "{said:#?}"
        );
        lab.run(&format!("run {scenario} --clients 5 --transport sse,floor --dry-run"))
            .with_code(2)
            .saying(&[&format!("the transport floor makes no sense {why}"), "leave it out"]);
    }
    let (_server, url) = lab.serve("--rate 50");
    lab.run(&format!(
        "run ../smoke.toml --clients 5 --target {url} --transport sse,floor --dry-run"
    ))
    .with_code(2)
    .saying(&["the transport floor makes no sense with --target"]);
    lab.run("calibrate ../smoke.toml --clients 5 --transport floor")
        .with_code(2)
        .saying(&["nothing of it to calibrate"]);
}

#[test]
fn list_names_it_apart_from_the_techniques() {
    let said = Lab::new().run("list").with_code(0);
    let (techniques, beside) = said.stdout.split_once("\nBeside them").expect("a part of its own");
    let is_of = |text: &str| text.lines().any(|line| line.starts_with("  floor "));
    assert!(!is_of(techniques) && is_of(beside), "{said:#?}");
}
