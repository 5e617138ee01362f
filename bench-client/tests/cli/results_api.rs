//! The results as the page gets them: over HTTP from a real `serve`, of a run that another process measures meanwhile.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    lab::{Lab, until},
    processes::{Answer, ask},
    record::load,
};

/// Rows that last long enough to be seen from elsewhere, on a busy machine too.
const ROWS: &str = "run ../smoke.toml --clients 8 --duration 3 --rate 50 --repeats 1";

fn json(url: &str, path: &str) -> Value {
    let answer = ask(url, path, &[]);
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    serde_json::from_slice(&answer.body).expect("it is JSON")
}

fn curated(lab: &Lab, name: &str) {
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/curated/run.json");
    std::fs::create_dir_all(lab.path(name)).unwrap();
    std::fs::copy(from, lab.path(name).join("run.json")).unwrap();
}

#[test]
fn a_run_grows_row_by_row_until_it_has_finished() {
    let lab = Lab::new();
    let (server, url) = lab.serve("--results runs");
    assert_eq!(json(&url, "/api/results")["runs"].as_array().map(Vec::len), Some(0));
    std::fs::create_dir(lab.path("runs")).unwrap();
    let run = lab.start(&format!("{ROWS} --transport sse,websocket --out runs/mine"));
    let mine = || {
        let list = json(&url, "/api/results");
        list["runs"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|run| run["id"] == "mine")
            .cloned()
    };
    for rows in 0..2 {
        until("the row under way is told", || {
            let mine = mine()?;
            let at = (mine["rows_done"] == rows && mine["now"]["phase"] == "measure").then_some(mine)?;
            assert_eq!(
                (&at["status"], &at["rows_planned"]),
                (&"running".into(), &2.into()),
                "{at:#}"
            );
            let contender = ["sse", "WebSocket"][rows];
            assert_eq!(
                at["now"]["label"], contender,
                "a name is known once the first row has ended: {at:#}"
            );
            Some(())
        });
        let one = json(&url, "/api/results/mine");
        assert_eq!(one["id"], "mine");
    }
    let said = run.ended();
    assert!(said.status.success(), "{said:#?}");
    let mine = mine().expect("it is still there");
    assert_eq!(
        (&mine["status"], &mine["rows_done"], &mine["now"]),
        (&"finished".into(), &2.into(), &Value::Null)
    );
    let one = json(&url, "/api/results/mine");
    assert_eq!((&one["status"], &one["progress"]), (&"finished".into(), &Value::Null));
    assert!(!lab.path("runs/mine/underway.json").exists());
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0);
}

#[test]
fn a_killed_run_is_told_from_one_that_runs() {
    let lab = Lab::new();
    let (_server, url) = lab.serve("--results .");
    let run = lab.start("run ../smoke.toml --clients 4 --duration 300 --rate 50 --transport sse --out mine");
    run.server_after(40);
    let mine = || json(&url, "/api/results")["runs"][0].clone();
    assert_eq!(
        (&mine()["status"], &mine()["killed"]),
        (&"running".into(), &false.into())
    );
    run.signal(Signal::SIGKILL);
    run.ended();
    assert_eq!(
        load(&lab.path("mine"))["status"],
        "running",
        "as the record says to the end"
    );
    assert_eq!(
        (&mine()["status"], &mine()["killed"]),
        (&"interrupted".into(), &true.into())
    );
}

#[test]
fn answers_have_their_kinds_and_are_not_sent_twice() {
    let lab = Lab::new();
    curated(&lab, "runs/one");
    curated(&lab, "runs/two");
    let (_server, url) = lab.serve("--results runs");
    let chart = json(&url, "/api/results/one")["charts"][0]["svg"]
        .as_str()
        .expect("an address")
        .to_owned();
    let files = "/api/results/one/files";
    for (path, kind, kept) in [
        ("/api/results", "application/json", false),
        ("/api/results/one", "application/json", false),
        ("/api/results/overlay?run=one&run=two", "application/json", false),
        (chart.as_str(), "image/svg+xml", false),
        (&format!("{chart}&download"), "image/svg+xml", true),
        (&format!("{files}/report.html"), "text/html", false),
        (&format!("{files}/report.html?download"), "text/html", true),
        (&format!("{files}/run.json"), "application/json", true),
        (&format!("{files}/summary.csv"), "text/csv", true),
        (&format!("{files}/histograms/sse-1.hlog"), "text/plain", true),
        ("/vendor/plotly.js", "text/javascript", false),
    ] {
        let first = ask(&url, path, &[]);
        assert_eq!(first.status, 200, "{path}: {first:?}");
        assert!(first.header("content-type").starts_with(kind), "{path}: {first:?}");
        assert_eq!(first.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(
            first.header("content-disposition").starts_with("attachment"),
            kept,
            "{path}"
        );
        let again = ask(&url, path, &[("if-none-match", first.header("etag"))]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}: {again:?}");
    }
    let page = ask(&url, &format!("{files}/report.html"), &[]);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("sandbox allow-scripts") && !policy.contains("allow-same-origin"),
        "{policy}"
    );
    let record = ask(&url, &format!("{files}/run.json"), &[]);
    assert_eq!(record.body, std::fs::read(lab.path("runs/one/run.json")).unwrap());
    let text = String::from_utf8_lossy(&ask(&url, "/api/results/one", &[]).body).into_owned();
    assert!(!text.contains(lab.root().to_str().unwrap()), "no path of this machine");
}

#[test]
fn nothing_outside_of_the_list_can_be_named() {
    let lab = Lab::new();
    curated(&lab, "secret");
    curated(&lab, "runs/one");
    let (_server, url) = lab.serve("--results runs");
    let refused = |path: &str, status: u16| {
        let answer: Answer = ask(&url, path, &[]);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        let words: Value = serde_json::from_slice(&answer.body).expect("an error is JSON");
        assert!(words["error"].is_string(), "{path}: {words}");
    };
    for id in [
        "..",
        "%2e%2e",
        "..%2Fsecret",
        "%2E%2E%2Fsecret",
        "one%2F..%2F..%2Fsecret",
        "%2Fetc",
        "none",
        "one%00",
        "%FF",
    ] {
        let status = if id == "%FF" { 400 } else { 404 };
        for path in ["", "/charts/age.svg", "/files/run.json"] {
            if status == 404 {
                refused(&format!("/api/results/{id}{path}"), status);
            } else {
                assert_eq!(ask(&url, &format!("/api/results/{id}{path}"), &[]).status, status);
            }
        }
        if status == 404 {
            refused(&format!("/api/results/overlay?run=one&run={id}"), status);
        }
    }
    for name in [
        "../one/run.json",
        "..%2F..%2Fsecret%2Frun.json",
        "%2e%2e/%2e%2e/secret/run.json",
        "underway.json",
        "report.htm",
    ] {
        refused(&format!("/api/results/one/files/{name}"), 404);
    }
    refused("/api/results/one/charts/..%2F..%2Frun.json", 404);
    refused("/api/results/overlay?run=one&run=one", 400);
    refused("/api/results/overlay?run=one", 400);
    // Another site's page, and a foreign name that points here.
    let path = "/api/results/one/files/report.html";
    assert_eq!(ask(&url, path, &[("sec-fetch-site", "cross-site")]).status, 403);
    assert_eq!(ask(&url, path, &[("host", "evil.example")]).status, 403);
}
