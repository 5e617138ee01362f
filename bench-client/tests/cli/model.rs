//! What the models predict of a real run. Latencies are left out: a busy machine may take any time, and no test asserts speed.

use serde_json::Value;

use crate::{
    lab::{Lab, unbounded},
    record::{load, rows},
};

/// Figures that hold however long the machine takes: counts, and bytes by the counts that were made of them.
const WHATEVER_THE_SPEED: [&str; 5] = [
    "updates_published",
    "updates_expected",
    "setup_bytes_per_client",
    "connections_total",
    "bytes_sent",
];

#[test]
fn a_real_run_is_as_the_models_predict() {
    let lab = Lab::new();
    lab.write(
        "small.toml",
        "clients = 9\ntopics = 2\nrate_hz = 20\nupdate_bytes = 300\npoll_interval_ms = 200\nsettle_s = 0.5\nduration_s = 1.2\nrepeats = 1\n",
    );
    for (name, more) in [
        ("kept", ""),
        ("fresh", "keep_alive = false\nrequest_headers = \"minimal\"\n"),
    ] {
        let scenario = lab.read("small.toml") + more + &unbounded();
        lab.write(&format!("{name}.toml"), &scenario);
        lab.run(&format!("run {name}.toml --out {name}")).with_code(0);
        let record = load(&lab.path(name));
        for row in rows(&record) {
            predicted(row, name);
        }
        let report = lab.read(&format!("{name}/report.md"));
        assert!(report.contains("<summary>Predicted and measured</summary>"), "{report}");
    }
}

fn predicted(row: &Value, name: &str) {
    let (id, predictions) = (
        &row["figures"]["transport"],
        row["predictions"].as_array().expect("a list"),
    );
    for metric in [
        "latency_p99_us",
        "age_mean_us",
        "requests",
        "empty_responses",
        "bytes_per_update",
        "connections",
    ] {
        assert!(
            predictions.iter().any(|one| one["metric"] == metric),
            "{name}, {id}: no {metric}"
        );
    }
    let mut held = 0;
    for one in predictions {
        let metric = one["metric"].as_str().expect("a name");
        let [low, predicted, high] = ["low", "predicted", "high"].map(|key| one[key].as_f64().expect("a number"));
        assert!(low <= predicted && predicted <= high, "{name}, {id}: {one}");
        assert_eq!(
            one["measured"].as_f64(),
            row["figures"][metric].as_f64(),
            "{name}, {id}: {one}"
        );
        if WHATEVER_THE_SPEED.contains(&metric) {
            let measured = one["measured"].as_f64().expect("known");
            // Half a per cent, and one request at an edge: a header more or less would be far outside.
            assert!(
                (measured - predicted).abs() <= 0.005 * predicted + 700.0 * f64::from(u8::from(metric == "bytes_sent")),
                "{name}, {id}: {one}"
            );
            assert_eq!(one["likely_cause"], Value::Null, "{name}, {id}: {one}");
            held += 1;
        }
    }
    assert!(held >= 4, "{name}, {id}: only {held} figures");
}
