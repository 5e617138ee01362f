//! Clients and servers in several processes: the same counts as in one, real processes that end, and a row that fails with one of them.

use std::fs;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    lab::{Lab, Running, until},
    processes::{children, runs},
    record::{figure, load, rows},
};

const SMALL: &str = "run ../smoke.toml --clients 30 --duration 1.2 --rate 50 --repeats 1";
/// Longer than any test waits: only a cut ends it.
const LONG: &str = "run ../smoke.toml --clients 8 --duration 300 --rate 50 --out out --transport sse";

/// What is the same however many processes there are: what was due, what came, what was opened for it.
const COUNTS: [&str; 8] = [
    "updates_published",
    "updates_expected",
    "updates_received",
    "missed",
    "connections_total",
    "reconnects",
    "errors",
    "setup_bytes_per_client",
];

/// Runs it with these flags through every transport and the floor, and checks each row against itself.
fn measured(flags: &str) -> Value {
    let lab = Lab::new();
    lab.run(&format!("{SMALL} --out out {flags}")).with_code(0);
    let record = load(&lab.path("out"));
    assert_eq!(rows(&record).len(), 5, "four transports and the floor");
    for row in rows(&record) {
        assert_eq!(row["outcome"]["kind"], "ok", "{row:#}");
        assert_eq!(
            figure(row, "updates_received"),
            figure(row, "updates_expected"),
            "{row:#}"
        );
        assert_eq!(
            row["health"]["server_requests_total"].as_f64(),
            Some(figure(row, "requests_total")),
            "both ends count the same: {row:#}"
        );
        let wire = &row["wire"];
        assert_eq!(
            wire["total"]["connections_opened"].as_f64(),
            Some(figure(row, "connections_total"))
        );
        assert_eq!(
            wire["total"]["payload_bytes_sent"], wire["socket_bytes_sent_total"],
            "the kernel counts what the clients do: {wire:#}"
        );
        assert!(
            figure(row, "client_cpu_s") > 0.0 && figure(row, "server_cpu_s") > 0.0,
            "{row:#}"
        );
        assert_eq!(row["series"].as_array().map(Vec::len), Some(2), "{row:#}");
    }
    record
}

#[test]
fn three_processes_count_what_one_does() {
    let (one, three) = (measured(""), measured("--workers 3"));
    assert_eq!(
        (&one["plan"]["workers"], &three["plan"]["workers"]),
        (&Value::Null, &3.into())
    );
    for (one, three) in rows(&one).iter().zip(rows(&three)) {
        for name in COUNTS {
            assert_eq!(figure(one, name), figure(three, name), "{name}: {three:#}");
        }
        assert_eq!(one["latency"]["count"], three["latency"]["count"]);
    }
}

#[test]
fn two_nodes_serve_what_one_does() {
    let two = measured("--workers 2 --nodes 2");
    assert_eq!(two["plan"]["nodes"], 2);
    for row in rows(&two) {
        assert_eq!(figure(row, "updates_published") * 30.0, figure(row, "updates_expected"));
        assert_eq!(figure(row, "connections_total"), 30.0);
    }
    // More nodes than workers: the clients of one process are served by both.
    measured("--nodes 2");
}

/// Processes of a run whose command line has this word.
fn started(run: &Running, word: &str) -> Vec<u32> {
    let has = |pid: &u32| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split('\0').any(|one| one == word)
    };
    children(run.pid()).into_iter().filter(has).collect()
}

/// All processes of a run that measures: two workers, two nodes, once updates arrive.
fn under_way(run: &Running) -> (Vec<u32>, Vec<u32>) {
    run.server_after(40);
    let (workers, nodes) = (started(run, "worker"), started(run, "serve"));
    assert_eq!((workers.len(), nodes.len()), (2, 2), "real processes");
    (workers, nodes)
}

fn all_gone(pids: &[u32]) {
    until("every process is gone", || {
        pids.iter().all(|pid| !runs(*pid)).then_some(())
    });
}

fn kill_hard(pid: u32) {
    kill(Pid::from_raw(pid as i32), Signal::SIGKILL).expect("it runs");
}

#[test]
fn a_worker_that_dies_fails_its_row() {
    let lab = Lab::new();
    let run = lab.start(&format!("{LONG} --workers 2 --nodes 2"));
    let (workers, nodes) = under_way(&run);
    kill_hard(workers[1]);
    let said = run.ended().with_code(1);
    all_gone(&[workers, nodes].concat());
    let record = load(&lab.path("out"));
    let row = &rows(&record)[0];
    let reason = row["outcome"]["reason"].as_str().expect("a reason");
    let named = ["worker 1 of 2", "worker 2 of 2"]
        .iter()
        .any(|name| reason.contains(name));
    assert!(named && reason.contains("died: signal: 9"), "{reason}");
    assert!(
        !reason.contains("received"),
        "what its clients noted is not known: {reason}"
    );
    for unknown in ["updates_received", "requests", "client_cpu_s", "bytes_received"] {
        assert!(
            row["figures"][unknown].is_null(),
            "sums of what is left are none: {row:#}"
        );
    }
    assert!(
        said.stdout.contains("failed") || said.stdout.contains("INVALID"),
        "{said:#?}"
    );
}

#[test]
fn a_node_that_dies_fails_its_row() {
    let lab = Lab::new();
    let run = lab.start(&format!("{LONG} --workers 2 --nodes 2"));
    let (workers, nodes) = under_way(&run);
    // The second one started.
    kill_hard(*nodes.iter().max().expect("two of them"));
    run.ended().with_code(1).saying(&["died: signal: 9"]);
    all_gone(&[workers, nodes].concat());
}

#[test]
fn ctrl_c_ends_all_processes_and_saves_what_was_measured() {
    let lab = Lab::new();
    let run = lab.start(&format!("{LONG} --workers 2 --nodes 2"));
    let (workers, nodes) = under_way(&run);
    run.signal(Signal::SIGINT);
    run.ended().with_code(130);
    all_gone(&[workers, nodes].concat());
    let record = load(&lab.path("out"));
    let row = &rows(&record)[0];
    assert_eq!(row["outcome"]["kind"], "interrupted");
    assert!(figure(row, "updates_expected") > 0.0, "{row:#}");
    assert_eq!(
        figure(row, "updates_expected"),
        figure(row, "updates_received"),
        "{row:#}"
    );
    assert!(figure(row, "bytes_received") > 0.0, "{row:#}");
}

#[test]
fn nothing_is_left_of_a_run_that_was_killed() {
    let lab = Lab::new();
    let run = lab.start(&format!("{LONG} --workers 2 --nodes 2"));
    let (workers, nodes) = under_way(&run);
    run.signal(Signal::SIGKILL);
    all_gone(&[workers, nodes].concat());
}

#[test]
fn more_processes_than_can_be_are_refused() {
    let lab = Lab::new();
    for (flags, words) in [
        ("--workers 0", "workers 0: expected 1 to 64"),
        ("--workers 65", "workers 65: expected 1 to 64"),
        (
            "--workers 4 --clients 3",
            "workers 4: 3 clients leave some without any; ask for at most 3",
        ),
        ("--nodes 2 --target http://127.0.0.1:9", "--target"),
    ] {
        lab.run(&format!("run smoke {flags}")).with_code(2).saying(&[words]);
    }
    let said = lab.run("run fifty-thousand --dry-run");
    assert!(said.stdout.contains("clients in 3 processes"), "{said:#?}");
    assert!(said.stdout.contains("served by 3 server processes"), "{said:#?}");
}
