//! Runs that do not get to their end: Ctrl-C, a server that dies, a client that is killed.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::{
    lab::{Lab, Running},
    processes::Server,
    record::{figure, load, rows, table},
};

/// Longer than any test waits: only a cut ends it.
const LONG: &str = "run ../smoke.toml --clients 8 --duration 300 --rate 50 --out out";
/// The window starts at the feed's 26th update (0.5 s of settling at 50 updates/s), so by then it is well under way.
const MEASURING: u64 = 40;

#[test]
fn ctrl_c_saves_what_was_measured() {
    let lab = Lab::new();
    let run = lab.start(&format!("{LONG} --repeats 2 --transport sse"));
    let server = run.server_after(MEASURING);
    run.signal(Signal::SIGINT);
    let said = run
        .ended()
        .with_code(130)
        .saying(&["stopping: what was measured is saved"]);
    assert!(said.stdout.contains("Server-Sent Events"), "{said:#?}");
    assert!(said.stdout.contains("interrupted"), "{said:#?}");
    server.is_gone();

    let record = load(&lab.path("out"));
    assert_eq!(record["status"], "interrupted");
    let [row] = rows(&record) else {
        panic!("the second row was not to begin: {record:#}")
    };
    assert_eq!(row["outcome"]["kind"], "interrupted");
    let duration_s = figure(row, "duration_s");
    assert!(duration_s > 0.1 && duration_s < 299.0, "{duration_s}");
    assert!(figure(row, "updates_expected") > 0.0, "{row:#}");
    assert_eq!(
        figure(row, "updates_expected"),
        figure(row, "updates_received"),
        "what was due until then arrived: {row:#}"
    );
    let (_, lines) = table(&lab.path("out"), "summary.csv");
    assert_eq!(lines.len(), 1);
    assert!(lab.read("out/report.md").contains("interrupted"));
    assert!(lab.path("out/histograms/sse-1.hlog").exists());
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let lab = Lab::new();
    let run = lab.start(&format!("{LONG} --transport sse"));
    let server = run.server_after(MEASURING);
    // A server that does not answer: saving has to wait for it.
    let stopped = Stopped::now(server);
    run.signal(Signal::SIGINT);
    run.says("once more leaves at once");
    let asked = Instant::now();
    run.signal(Signal::SIGINT);
    run.ended().with_code(130);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(load(&lab.path("out"))["status"], "running", "readable, and true");
    drop(stopped);
    server.is_gone();
}

#[test]
fn sigterm_while_settling_is_a_row_without_a_window() {
    let lab = Lab::new();
    lab.write(
        "slow.toml",
        "clients = 4\nrate_hz = 50\nsettle_s = 300\ntransports = [\"sse\", \"long-poll\"]\nrepeats = 1\n",
    );
    let run = lab.start("run slow.toml --out out");
    let server = run.server_after(5);
    run.signal(Signal::SIGTERM);
    run.ended().with_code(130);
    server.is_gone();
    let record = load(&lab.path("out"));
    assert_eq!(rows(&record).len(), 1);
    let row = &rows(&record)[0];
    assert_eq!(row["outcome"]["kind"], "interrupted");
    let (_, lines) = table(&lab.path("out"), "summary.csv");
    for unknown in ["duration_s", "deliveries", "missed", "latency_p50_us", "bytes_sent"] {
        assert_eq!(lines[0][unknown], "", "{unknown} was never measured: {row:#}");
    }
}

#[test]
fn a_server_that_dies_is_one_failed_row() {
    let lab = Lab::new();
    let run = lab.start("run ../smoke.toml --clients 8 --rate 50 --duration 2 --transport sse,websocket --out out");
    run.server_after(MEASURING).signal(Signal::SIGKILL);
    let said = run
        .ended()
        .with_code(1)
        .saying(&["sse, repeat 1: the server died", "SIGKILL", "[2/2] websocket"]);
    assert!(said.stdout.contains("the server died"), "{said:#?}");
    let record = load(&lab.path("out"));
    assert_eq!(record["status"], "failed");
    let [dead, alive] = rows(&record) else {
        panic!("two rows were planned: {record:#}")
    };
    assert_eq!(dead["outcome"]["kind"], "failed");
    let reason = dead["outcome"]["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("the server died") && reason.contains("signal: 9"),
        "{reason}"
    );
    assert_eq!(alive["outcome"]["kind"], "ok", "{alive:#}");
    assert_eq!(figure(alive, "missed"), 0.0);
    let (_, lines) = table(&lab.path("out"), "summary.csv");
    assert_eq!(lines[0]["updates_expected"], "", "the publish log died with the server");
    assert_eq!(lines[0]["missed"], "");
    assert!(lab.read("out/report.md").contains("the server died"));
}

#[test]
fn a_killed_client_takes_its_server_along_and_leaves_the_rows_it_had() {
    let lab = Lab::new();
    let run = lab.start("run ../smoke.toml --clients 8 --rate 50 --duration 1 --transport sse,websocket --out out");
    run.says("[2/2] websocket");
    let server = run.server_after(MEASURING);
    run.signal(Signal::SIGKILL);
    killed(run);
    server.is_gone();
    let record = load(&lab.path("out"));
    assert_eq!(record["status"], "running");
    assert_eq!(rows(&record).len(), 1, "the first row was saved when it ended");
    assert_eq!(rows(&record)[0]["outcome"]["kind"], "ok");
    lab.run("report out").with_code(0);
}

fn killed(run: Running) {
    use std::os::unix::process::ExitStatusExt;
    let said = run.ended();
    assert_eq!(said.status.signal(), Some(Signal::SIGKILL as i32), "{said:#?}");
}

/// A process that stands still until this is dropped.
struct Stopped(Server);

impl Stopped {
    fn now(server: Server) -> Self {
        server.signal(Signal::SIGSTOP);
        Self(server)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.signal(Signal::SIGCONT);
    }
}
