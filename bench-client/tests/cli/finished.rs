//! A run that ends well: what it leaves behind, and whether its figures agree with each other.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::{
    lab::Lab,
    record::{figure, files, load, rows, table},
};

/// And the floor, which a run that names no transports has beside them.
const TRANSPORTS: [&str; 5] = ["short-poll", "long-poll", "sse", "websocket", "floor"];
const CLIENTS: f64 = 8.0;
const UPDATES: f64 = 60.0;
const UPDATE_BYTES: f64 = 256.0;
const POLLS_PER_CLIENT: f64 = 6.0;

/// What other people's scripts read: these columns, so named, in this order. More may stand between them.
const COLUMNS: &str = "scenario,transport,repeat,validity,validity_reasons,mode,clients,topics,rate_hz,update_bytes,\
poll_interval_ms,request_headers,seed,duration_s,updates_published,updates_expected,updates_received,deliveries,missed,\
superseded,duplicates,out_of_order,lagged,negative_latencies,latency_p50_us,latency_p90_us,latency_p99_us,\
latency_p999_us,latency_max_us,age_mean_us,age_p99_us,stale_share,spread_p99_us,publish_lag_p99_us,connect_p50_us,\
connect_p99_us,connections,connections_total,reconnects,errors,requests,requests_total,empty_responses,polls_skipped,\
payload_bytes,bytes_sent,bytes_received,bytes_per_update,setup_bytes_per_client,server_cpu_s,client_cpu_s,\
server_cpu_us_per_update,client_cpu_us_per_update,server_rss_bytes_per_client,server_cpu_kernel_share,client_cpu_kernel_share,\
server_cpu_x_floor,client_cpu_x_floor,spread_x_floor";

#[test]
fn a_run_of_every_transport_leaves_a_true_record_and_every_report() {
    let lab = Lab::new();
    let said = lab
        .run("run ../smoke.toml --clients 8 --duration 1.2 --rate 50 --poll-interval 200 --repeats 2 --out out")
        .with_code(0)
        .saying(&[
            "[1/10] short-poll, repeat 1 of 2",
            "[10/10] short-poll, repeat 2 of 2",
            "8 clients",
        ]);
    for label in [
        "Short polling",
        "Long polling",
        "Server-Sent Events",
        "WebSocket",
        "Floor",
    ] {
        assert!(said.stdout.contains(label), "{label}: {said:#?}");
    }
    assert!(said.stdout.ends_with("report: out/report.md\n"), "{said:#?}");

    let out = lab.path("out");
    let record = load(&out);
    assert_eq!(record["status"], "finished");
    validates(&record, &lab.read("out/run.schema.json"));
    tells_nothing_of_the_machine(&record, &lab);
    in_balanced_order(&record);
    for row in rows(&record) {
        everything_arrived(row);
        figures_agree(row);
        seconds_add_up(row);
        asked_as_its_technique_does(row);
    }
    the_csv_says_the_same(&record, &out);
    every_report_is_there(&out);
    reports_can_be_made_again(&lab, &said.stdout);
}

fn validates(record: &Value, schema: &str) {
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let errors: Vec<_> = validator.iter_errors(record).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

fn tells_nothing_of_the_machine(record: &Value, lab: &Lab) {
    let mut paths = vec![lab.root().display().to_string(), env!("CARGO_MANIFEST_DIR").into()];
    paths.extend(["/tmp", "/root", "/home", "/target/"].map(String::from));
    let text = record.to_string();
    for path in paths {
        assert!(!text.contains(&path), "run.json holds {path}");
    }
    // A short name such as `vm` may be part of a word: only a word of its own gives it away.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("/proc is mounted");
    let is_host = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '.');
        words.any(|word| word == host.trim())
    };
    visit(record, &mut |text| {
        assert!(!is_host(text), "run.json holds the host's name: {text}");
    });
}

fn visit(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(fields) => fields.values().for_each(|item| visit(item, see)),
        _ => {}
    }
}

/// A B C D D C B A: what drifts over time hits all alike.
fn in_balanced_order(record: &Value) {
    let order: Vec<_> = rows(record)
        .iter()
        .map(|row| (row["figures"]["transport"].as_str().unwrap(), figure(row, "repeat")))
        .collect();
    let first = TRANSPORTS.iter().map(|id| (*id, 1.0));
    let second = TRANSPORTS.iter().rev().map(|id| (*id, 2.0));
    assert_eq!(order, first.chain(second).collect::<Vec<_>>());
}

fn everything_arrived(row: &Value) {
    assert_eq!(row["outcome"]["kind"], "ok", "{row:#}");
    assert_eq!(
        figure(row, "updates_published"),
        UPDATES,
        "the same stretch in every row"
    );
    assert_eq!(figure(row, "updates_expected"), UPDATES * CLIENTS);
    assert_eq!(
        figure(row, "updates_received"),
        UPDATES * CLIENTS,
        "reach 100 %: {row:#}"
    );
    for name in [
        "missed",
        "superseded",
        "duplicates",
        "out_of_order",
        "lagged",
        "negative_latencies",
        "errors",
    ] {
        assert_eq!(figure(row, name), 0.0, "{name}: {row:#}");
    }
}

fn figures_agree(row: &Value) {
    let of = |name: &str| figure(row, name);
    let deliveries = of("deliveries");
    let equal = |name: &str, is: f64, should: f64| {
        assert!(
            (is - should).abs() <= 1e-9 * should.abs(),
            "{name} is {is}, not {should}: {row:#}"
        );
    };
    let bytes = of("bytes_sent") + of("bytes_received");
    equal("bytes_per_update", of("bytes_per_update"), bytes / deliveries);
    equal("payload_bytes", of("payload_bytes"), deliveries * UPDATE_BYTES);
    for side in ["server", "client"] {
        let (cpu, ratio) = (of(&format!("{side}_cpu_s")), of(&format!("{side}_cpu_us_per_update")));
        assert!(cpu > 0.0, "{side} took no CPU time: {row:#}");
        equal("CPU per update", ratio, cpu * 1e6 / deliveries);
    }
    assert!(of("bytes_per_update") > UPDATE_BYTES * 0.9, "{row:#}");
    assert_eq!(of("duration_s"), 1.2);
    let quantiles = ["p50", "p90", "p99", "p999", "max"].map(|q| of(&format!("latency_{q}_us")));
    assert!(quantiles.is_sorted() && quantiles[0] > 0.0, "{row:#}");
    assert!((0.0..=1.0).contains(&of("stale_share")), "{row:#}");
    let counted = row["latency"]["count"].as_u64().expect("a count") + row["latency"]["lost"].as_u64().unwrap();
    assert_eq!(
        counted as f64,
        of("updates_expected"),
        "every expected update has a latency"
    );
    assert_eq!(row["connect"]["count"], 8, "every client connected");
}

fn seconds_add_up(row: &Value) {
    let series = row["series"].as_array().expect("a series");
    assert_eq!(series.len(), 2, "a whole second and a part of one");
    for name in ["deliveries", "requests", "bytes_sent", "bytes_received"] {
        let sum: f64 = series.iter().map(|point| point[name].as_f64().expect(name)).sum();
        assert_eq!(sum, figure(row, name), "{name}: {row:#}");
    }
}

fn asked_as_its_technique_does(row: &Value) {
    let of = |name: &str| figure(row, name);
    match row["figures"]["transport"].as_str() {
        Some("short-poll") => {
            let polls = of("requests") + of("polls_skipped");
            let due = CLIENTS * POLLS_PER_CLIENT;
            assert!((polls - due).abs() <= CLIENTS, "{polls} polls, {due} due: {row:#}");
        }
        Some("long-poll") => {
            // One for each delivery, fewer where a slow machine lets two updates share an answer.
            let most = of("deliveries") + CLIENTS;
            assert!((most / 2.0..=most).contains(&of("requests")), "{row:#}");
        }
        _ => {
            assert_eq!(
                (of("requests"), of("connections")),
                (0.0, 0.0),
                "all were open before: {row:#}"
            );
            assert_eq!(
                (of("requests_total"), of("connections_total")),
                (CLIENTS, CLIENTS),
                "{row:#}"
            );
        }
    }
}

fn the_csv_says_the_same(record: &Value, out: &Path) {
    let (header, lines) = table(out, "summary.csv");
    let mut rest = header.iter();
    for column in COLUMNS.split(',') {
        assert!(
            rest.any(|one| one == column),
            "{column} is missing, or out of order: {header:?}"
        );
    }
    assert_eq!(lines.len(), rows(record).len());
    for (line, row) in lines.iter().zip(rows(record)) {
        for (column, cell) in line {
            same(cell, &row["figures"][column], column);
        }
    }
    let (_, seconds) = table(out, "series.csv");
    let points: Vec<_> = rows(record)
        .iter()
        .flat_map(|row| row["series"].as_array().unwrap().iter().map(move |point| (row, point)))
        .collect();
    assert_eq!(seconds.len(), points.len());
    for (line, (row, point)) in seconds.iter().zip(points) {
        for (column, cell) in line {
            let value = point.get(column).unwrap_or(&row["figures"][column]);
            same(cell, value, column);
        }
    }
}

fn same(cell: &str, value: &Value, column: &str) {
    match value {
        Value::Null => assert_eq!(cell, "", "{column}: unknown is an empty cell"),
        Value::String(text) => assert_eq!(cell, text, "{column}"),
        number => assert_eq!(cell.parse::<f64>().ok(), number.as_f64(), "{column}"),
    }
}

fn every_report_is_there(out: &Path) {
    let files = files(out);
    let text = |name: &str| String::from_utf8_lossy(&files[name]).into_owned();
    for id in TRANSPORTS {
        for repeat in [1, 2] {
            let log = text(&format!("histograms/{id}-{repeat}.hlog"));
            assert!(log.contains("#[Histogram log format version 1.3]"), "{log}");
        }
    }
    let charts: Vec<_> = files.keys().filter(|name| name.starts_with("charts/")).collect();
    assert!(charts.len() >= 5, "{charts:?}");
    let report = text("report.md");
    for chart in &charts {
        assert!(chart.ends_with(".svg") && text(chart).starts_with("<svg"), "{chart}");
    }
    // Drawn in characters: it is pasted where neither pictures nor links would come along.
    let drawn = report.split("## Charts\n").nth(1).unwrap_or_default();
    let drawn = drawn.split("<details>").next().unwrap_or_default();
    assert_eq!(drawn.matches("\n### ").count(), charts.len(), "{drawn}");
    let metrics = text("metrics.txt");
    assert!(
        metrics.contains("bench_client_deliveries{") && metrics.ends_with("# EOF\n"),
        "{metrics}"
    );
    assert!(!report.contains("]("), "a link that would break elsewhere");
    let odd: Vec<_> = files.keys().filter(|name| name.ends_with(".partial")).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

/// From run.json alone, to the byte.
fn reports_can_be_made_again(lab: &Lab, printed: &str) {
    let out = lab.path("out");
    let before = files(&out);
    for name in before.keys().filter(|name| *name != "run.json") {
        std::fs::remove_file(out.join(name)).expect("a report can be removed");
    }
    let said = lab.run("report out").with_code(0);
    let after = files(&out);
    let differing = |a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
        a.iter()
            .filter(|(name, bytes)| b.get(*name) != Some(bytes))
            .map(|(name, _)| name.clone())
            .collect()
    };
    assert_eq!(differing(&before, &after), Vec::<String>::new(), "not made again alike");
    assert_eq!(differing(&after, &before), Vec::<String>::new(), "made anew");
    let table = |text: &str| text.split("\nreport").next().unwrap_or_default().trim_end().to_owned();
    assert_eq!(table(&said.stdout), table(printed), "the same table on stdout");
}
