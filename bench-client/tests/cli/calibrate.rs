//! `calibrate`: what it leaves, and which runs find it.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    lab::{Lab, QUICK, unbounded},
    record::{files, load},
};

const CALIBRATE: &str = "calibrate ../smoke.toml --clients 8 --duration 1.2 --rate 50";
const TRANSPORTS: [&str; 4] = ["short-poll", "long-poll", "sse", "websocket"];

#[test]
fn it_is_kept_and_runs_with_the_same_settings_report_it() {
    let lab = Lab::new();
    let said = lab.run(CALIBRATE).with_code(0);
    for id in TRANSPORTS {
        assert!(said.stdout.lines().any(|line| line.trim().starts_with(id)), "{said:#?}");
    }
    assert!(said.stdout.contains("results/calibration"), "{said:#?}");
    let kept = files(&lab.path("results/calibration"));
    assert_eq!(kept.len(), TRANSPORTS.len(), "{:?}", kept.keys());
    for (name, text) in &kept {
        let file: Value = serde_json::from_slice(text).expect("a calibration is JSON");
        let calibration = &file["calibration"];
        let id = calibration["transport"].as_str().expect("a transport");
        assert!(name.starts_with(id) && TRANSPORTS.contains(&id), "{name}");
        // 50 updates/s for 1.2 s to 8 clients. Short polls also bring what was due before; the last ones bring theirs later.
        let count = calibration["latency"]["count"].as_u64().expect("a count");
        assert!((240..=720).contains(&count), "{name}: {count} updates");
        assert_eq!(calibration["latency"]["negative"], 0, "{name}");
        assert!(calibration["client_cpu_us_per_update"].as_f64() > Some(0.0), "{name}");
    }

    // Another seed and another length are the same client under the same load.
    let longer = QUICK.replace("--duration 1.2", "--duration 1.5");
    lab.run(&format!("{longer} --seed 7 --transport sse,websocket --out same"))
        .with_code(0);
    let found = load(&lab.path("same"))["calibrations"].clone();
    let found = found.as_array().expect("a list");
    let ids: Vec<_> = found.iter().map(|one| one["transport"].as_str()).collect();
    assert_eq!(ids, [Some("sse"), Some("websocket")]);
    for one in found {
        let same = |text: &Vec<u8>| serde_json::from_slice::<Value>(text).is_ok_and(|file| file["calibration"] == *one);
        assert!(kept.values().any(same), "the record holds what was kept");
    }
    let report = lab.read("same/report.md");
    assert_eq!(report.matches("The client alone adds p50").count(), 2, "{report}");

    lab.run(&format!("{QUICK} --poll-interval 300 --transport sse --out other"))
        .with_code(0);
    assert_eq!(load(&lab.path("other"))["calibrations"], serde_json::json!([]));
    let report = lab.read("other/report.md");
    let command = "calibrate smoke --clients 8 --poll-interval 300 --rate 50";
    assert!(
        report.contains(&format!("`cargo run --release -- {command}`")),
        "{report}"
    );
}

/// Debug builds are suspect anyway: what the bound adds is told by its code.
#[test]
fn what_is_invalid_is_not_kept_and_what_is_suspect_is_said() {
    let lab = Lab::new();
    let bounds = unbounded();
    let others = bounds.lines().filter(|line| !line.starts_with("client_cpu_share"));
    let others = others.collect::<Vec<_>>().join("\n");
    let scenario = "clients = 4\nrate_hz = 50\nduration_s = 1\nrepeats = 1\ntransports = [\"sse\"]\n";
    let bounded = |bound: &str| {
        let text = format!("{scenario}{others}\nclient_cpu_share = {bound}\n");
        lab.write("mine.toml", &text);
        lab.run("calibrate mine.toml")
    };
    let said = bounded("{ suspect = 0, invalid = 0 }").with_code(4);
    let said = said.saying(&[
        "sse, repeat 1 is INVALID: client-cpu: the clients used ",
        "sse is not kept",
    ]);
    assert_eq!(said.stdout, "");
    assert!(!lab.path("results").exists());
    let said = bounded("{ suspect = 0 }").with_code(0);
    let said = said.saying(&["sse, repeat 1 is SUSPECT: client-cpu: the clients used "]);
    assert!(said.stdout.contains("sse"), "{said:#?}");
    assert_eq!(files(&lab.path("results/calibration")).len(), 1);
}

#[test]
fn a_damaged_file_is_said_and_fails_no_run() {
    let lab = Lab::new();
    lab.run(&format!("{CALIBRATE} --transport sse")).with_code(0);
    let folder = lab.path("results/calibration");
    for name in files(&folder).keys() {
        std::fs::write(folder.join(name), "not JSON").expect("it can be written");
    }
    let said = lab.run(&format!("{QUICK} --transport sse --out out")).with_code(0);
    let said = said.saying(&["results/calibration/sse-8-", "is left out", "`calibrate`"]);
    assert_eq!(
        load(&lab.path("out"))["calibrations"],
        serde_json::json!([]),
        "{said:#?}"
    );
    // The damaged one is replaced.
    lab.run(&format!("{CALIBRATE} --transport sse")).with_code(0);
    assert_eq!(files(&folder).len(), 1);
}

#[test]
fn what_it_cannot_measure_is_refused() {
    let lab = Lab::new();
    for (flags, words) in [
        (
            "--target http://127.0.0.1:1",
            ["--target http://127.0.0.1:1", "leave it out"],
        ),
        ("--rate 0 --force", ["publishes nothing", "--rate"]),
        ("--clients 0", ["clients 0", "expected 1 to"]),
        ("--out here", ["--out", "Usage"]),
    ] {
        lab.run(&format!("calibrate smoke {flags}")).with_code(2).saying(&words);
    }
    assert_eq!(std::fs::read_dir(lab.root()).expect("a folder").count(), 0);
}

#[test]
fn ctrl_c_keeps_nothing_of_what_was_not_measured_to_its_end() {
    let lab = Lab::new();
    let calibrating = lab.start("calibrate smoke --clients 8 --duration 300 --rate 50 --transport sse,websocket");
    calibrating.says("[1/2] sse");
    calibrating.signal(Signal::SIGINT);
    let said = calibrating.ended().with_code(130);
    assert_eq!(said.stdout, "", "{said:#?}");
    assert!(!lab.path("results").exists());
}
