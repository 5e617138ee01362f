//! A client whose CPU is taken away on purpose: what it measures is itself, and the row must say so and be refused.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use bench_client::record::Verdict;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    lab::{Done, Job, Lab, PATIENCE, SETTLE_S, alone, skipped},
    origin::Origin,
};

/// Measured, but no measure of the technique.
const INVALID: i32 = 4;
/// Of every 200 ms the client runs for 50.
const STOPPED: Duration = Duration::from_millis(150);
const RUNNING: Duration = Duration::from_millis(50);
/// Beyond the planned end of the window, which stands half a tick later and is found by a program without CPU.
const STARVED_BEYOND: Duration = Duration::from_millis(500);
/// Programs that only burn CPU, on the one core the client may use.
const BURNERS: usize = 4;

fn job(origin: &Origin) -> Job {
    Job::new("websocket", &origin.url()).of(8).lasting(2.0)
}

#[track_caller]
fn is_invalid(done: &Done, injected: &str, reasons: &[&str]) {
    let row = done.row();
    let found: Vec<_> = row
        .findings
        .iter()
        .map(|finding| format!("{} ({})", finding.code, finding.verdict.name()))
        .collect();
    let validity = row.figures.validity.map_or("none", Verdict::name);
    println!(
        "fault: starved client | websocket | injected {injected} | validity: predicted INVALID and exit code {INVALID}, \
         reported {validity} and {:?}, for {}",
        done.status.code(),
        found.join(", ")
    );
    assert_eq!(row.figures.validity, Some(Verdict::Invalid), "{}", done.stderr);
    let blamed = |code: &str| {
        let mut invalid = row
            .findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Invalid);
        invalid.any(|finding| finding.code == code)
    };
    assert!(
        reasons.iter().any(|code| blamed(code)),
        "none of {reasons:?}: {:#?}",
        row.findings
    );
    assert_eq!(done.status.code(), Some(INVALID), "{}", done.stderr);
}

#[test]
fn a_client_that_is_stopped_three_quarters_of_the_time_is_invalid() {
    let _machine = alone();
    let (lab, origin) = (Lab::new(), Origin::start());
    let mut run = lab.start(&job(&origin));
    let pid = Pid::from_raw(run.pid() as i32);
    // It is not waited for meanwhile, so the pid stays its own; signals to a process that has just ended change nothing.
    while run.is_running() {
        for (signal, length) in [(Signal::SIGSTOP, STOPPED), (Signal::SIGCONT, RUNNING)] {
            let _ = kill(pid, signal);
            thread::sleep(length);
        }
    }
    // Nobody else is to blame: half of the time a byte waits for more than a quarter of the 200 ms.
    is_invalid(&run.ended(), "stopped for 150 of every 200 ms", &["client-lag"]);
}

/// Killed when it is dropped.
struct Burner(Child);

impl Burner {
    fn start(core: &str) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", core, "sh", "-c", "while :; do :; done"]);
        let burner = command.stdin(Stdio::null()).spawn();
        Self(burner.expect("taskset was there a moment ago"))
    }
}

impl Drop for Burner {
    fn drop(&mut self) {
        // It has no end of its own, so this is never too late.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first core this process may use.
fn core() -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let cores = cores.expect("the kernel says which cores").trim();
    cores.split([',', '-']).next().unwrap_or("0").to_owned()
}

#[test]
fn a_client_that_others_crowd_out_is_invalid() {
    let _machine = alone();
    if Command::new("taskset").arg("--version").output().is_err() {
        return skipped("a client that others crowd out: taskset (util-linux) is not there");
    }
    let (lab, origin, core) = (Lab::new(), Origin::start(), core());
    let job = job(&origin);
    let mut command = Command::new("taskset");
    command.args(["-c", &core, "nice", "-n", "19", env!("CARGO_BIN_EXE_bench-client")]);
    let run = lab.start_as(&job, command);
    // Starting takes CPU too; it is taken away once all clients are connected, and given back when the window is over.
    until_connected(&origin, &job);
    let burners: Vec<_> = (0..BURNERS).map(|_| Burner::start(&core)).collect();
    thread::sleep(Duration::from_secs_f64(SETTLE_S + job.duration_s) + STARVED_BEYOND);
    drop(burners);
    let injected = "four programs that burn CPU on its one core, and have precedence";
    is_invalid(&run.ended(), injected, &["client-lag", "client-wait"]);
}

fn until_connected(origin: &Origin, job: &Job) {
    let started = Instant::now();
    while origin.requests(job.transport) < u64::from(job.clients) {
        assert!(started.elapsed() < PATIENCE, "the clients do not connect");
        thread::sleep(Duration::from_millis(10));
    }
}
