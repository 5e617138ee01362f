//! `run --like`: a recorded run once more, from its record alone.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    lab::{Lab, QUICK, unbounded},
    record::{figure, load, rows},
};

/// A real run of schema version 1.
fn version_1() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records/version-1");
    path.display().to_string()
}

#[test]
fn a_run_is_repeated_with_its_plan_and_its_updates() {
    let lab = Lab::new();
    let flags = "--transport websocket,sse --seed 9 --payload 300 --threshold all.missed==0";
    lab.run(&format!("{QUICK} {flags} --out first")).with_code(0);
    let said = lab.run("run --like first --out second").with_code(0);
    assert!(
        !said.stderr.contains("warning:"),
        "the same program on the same machine: {said:#?}"
    );
    let (first, second) = (load(&lab.path("first")), load(&lab.path("second")));
    assert_eq!(first["plan"], second["plan"]);
    assert_eq!(second["plan"]["seed"], 9);
    for (one, other) in rows(&first).iter().zip(rows(&second)) {
        for name in [
            "updates_published",
            "updates_expected",
            "updates_received",
            "payload_bytes",
        ] {
            assert_eq!(figure(one, name), figure(other, name), "{name}");
        }
    }
    // The record itself may be named, and a few things may be asked for on top.
    lab.run("run --like first/run.json --repeats 2 --threshold sse.reach==1 --out third")
        .with_code(0);
    let third = load(&lab.path("third"));
    assert_eq!(rows(&third).len(), 4);
    assert_eq!(third["plan"]["thresholds"], json!(["all.missed==0", "sse.reach==1"]));
}

#[test]
fn a_record_of_version_1_is_repeated_too_and_what_differs_is_said() {
    let lab = Lab::new();
    let said = lab
        .run(&format!("run --like {} --dry-run", version_1()))
        .with_code(0)
        .saying(&[
            "warning: this program is not the recorded one (",
            "revision 4074e4fc6814 then",
            "build release then, debug now",
        ]);
    for words in [
        "live-score: 2,000 clients",
        "sse websocket, websocket sse",
        "1 match at 5 updates/s (regular), 256-byte updates",
        "settle 1.5 s, measure 5 s",
    ] {
        assert!(said.stdout.contains(words), "{words}: {said:#?}");
    }
}

#[test]
fn whatever_would_make_it_another_run_is_refused() {
    let lab = Lab::new();
    let like = version_1();
    for flag in [
        "smoke",
        "--transport sse",
        "--clients 3",
        "--rate 3",
        "--payload 300",
        "--poll-interval 100",
        "--duration 3",
        "--topics 2",
        "--mode every",
        "--seed 1",
        "--speed 10",
        "--force",
    ] {
        lab.run(&format!("run --like {like} {flag}"))
            .with_code(2)
            .saying(&["--like", "cannot be used with"]);
    }
    lab.run(&format!("run --like {like} --replay cup.json"))
        .with_code(2)
        .saying(&["the recorded run replayed no file", "--replay"]);
    lab.run(&format!("run --like {like} --threshold short-poll.missed==0"))
        .with_code(2)
        .saying(&["no transport \"short-poll\" in this plan"]);
    lab.run(&format!("run --like {like} --repeats 0"))
        .with_code(2)
        .saying(&["repeats 0", "expected 1 to 1000"]);
    lab.run("run --like not-there")
        .with_code(2)
        .saying(&["not-there/run.json", "expected the folder of a run"]);
    let (_serve, url) = lab.serve("");
    lab.run(&format!("run --like {like} --target {url}"))
        .with_code(2)
        .saying(&["started its own servers", "--target"]);
    assert!(!lab.path("results").exists());
}

#[test]
fn what_is_asked_for_now_and_what_was_recorded_are_told_apart() {
    let lab = Lab::new();
    let like = version_1();
    for (flags, words) in [
        ("--threshold sse.mised==0", "no metric \"mised\""),
        ("--repeats 3 --until-settled 2", "--until-settled 2: expected 3 to 1000"),
        ("--repeats 0", "repeats 0: expected 1 to 1000"),
    ] {
        let said = lab.run(&format!("run --like {like} {flags}")).with_code(2);
        let said = said.saying(&[words]);
        assert!(!said.stderr.contains("recorded plan"), "{said:#?}");
    }
    let recorded = std::fs::read_to_string(Path::new(&like).join("run.json")).expect("a record");
    let recorded: Value = serde_json::from_str(&recorded).expect("a record");
    let refused = |key: &str, value: Value, words: &str| {
        let mut changed = recorded.clone();
        changed["plan"][key] = value;
        lab.write("run.json", &changed.to_string());
        let said = lab.run("run --like . --out out").with_code(2);
        let said = said.saying(&["the recorded plan cannot be run by this version: "]);
        assert_eq!(said.stderr.matches(words).count(), 1, "once: {said:#?}");
    };
    refused("clients", json!(0), "clients 0: expected 1 to");
    // Looks that would end the run before its first round, that stand still, that begin elsewhere, that never end.
    for looks in [json!([]), json!([0]), json!([2, 2]), json!([3]), json!([2, 1001])] {
        refused("looks", json!({ "after_repeats": looks }), "looks after [");
    }
    assert!(!lab.path("out").exists());
}

/// A match of 90 minutes; another would be other updates under the same name.
fn cup(matches: usize) -> String {
    let one = json!({"team1": "Aland", "team2": "Borneo", "score": {"ft": [1, 0]}, "goals1": [{"name": "Ada", "minute": 12}]});
    json!({"name": "Cup", "matches": vec![one; matches]}).to_string()
}

#[test]
fn a_replay_needs_its_file_again() {
    let lab = Lab::new();
    lab.write("cup.json", &cup(1));
    lab.write("other.json", &cup(2));
    let scenario = "replay = \"cup.json\"\nspeed = 2000\npoll_interval_ms = 100\nclients = 2\nrepeats = 1\n";
    lab.write("cup.toml", &format!("{scenario}{}", unbounded()));
    lab.run("run cup.toml --transport sse --out first").with_code(0);
    lab.run("run --like first --dry-run").with_code(2).saying(&[
        "the recorded run replayed cup.json",
        "keeps the name alone",
        "--replay cup.json",
    ]);
    lab.run("run --like first --replay other.json --dry-run")
        .with_code(2)
        .saying(&["other.json is not what was replayed (cup.json)", "2 matches"]);
    lab.run("run --like first --replay none.json --dry-run")
        .with_code(2)
        .saying(&["none.json", "No such file"]);
    lab.run("run --like first --replay cup.json --out second").with_code(0);
    let (first, second) = (load(&lab.path("first")), load(&lab.path("second")));
    assert_eq!(first["plan"], second["plan"]);
    assert_eq!(rows(&first)[0]["final_scores"], rows(&second)[0]["final_scores"]);
}

#[test]
fn a_remote_run_needs_its_target_again() {
    let lab = Lab::new();
    let (_serve, url) = lab.serve("--rate 50 --topics 2");
    let quick = "--clients 4 --duration 1.2 --repeats 1 --transport websocket";
    lab.run(&format!("run ../smoke.toml {quick} --target {url} --out first"))
        .with_code(0);
    lab.run("run --like first --dry-run")
        .with_code(2)
        .saying(&["measured a server elsewhere", "--target URL"]);
    let (_other, other_url) = lab.serve("--rate 20");
    lab.run(&format!("run --like first --target {other_url} --dry-run"))
        .with_code(2)
        .saying(&[
            "another feed",
            "2 topics, 50 updates/s per topic",
            "1 topic, 20 updates/s",
        ]);
    lab.run(&format!("run --like first --target {url} --out second"))
        .with_code(0);
    assert_eq!(load(&lab.path("first"))["plan"], load(&lab.path("second"))["plan"]);
}
