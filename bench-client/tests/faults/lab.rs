//! Runs of the real program, several at once, and the rows they leave.

use std::{
    fs::File,
    io::Write,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use bench_client::record::{Outcome, Row, RunRecord};
use tempfile::TempDir;

use crate::origin::{GAP_US, RATE_HZ};

pub const TRANSPORTS: [&str; 4] = ["short-poll", "long-poll", "sse", "websocket"];
/// No multiple of the gap between updates: polls meet every phase of it, so two runs have the same latencies.
pub const POLL_INTERVAL_MS: u64 = 103;
/// A whole poll interval and some more.
pub const SETTLE_S: f64 = 0.5;
/// From the start of the program until its clients are connected, on a machine that has other work too.
const START_S: f64 = 0.7;
/// How long a run may take that is waited for. Far more than it takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Faults in time disturb each other; the rest may run beside each other.
static MACHINE: RwLock<()> = RwLock::new(());

/// The machine for one test alone.
pub fn alone() -> RwLockWriteGuard<'static, ()> {
    // A test that failed has left nothing half done here.
    MACHINE.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The machine beside others who do not compare times.
pub fn beside_others() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Says aloud what is not checked here, past the test runner, which keeps what a test that passes prints; test.sh repeats it at its end.
pub fn skipped(what: &str) {
    writeln!(std::io::stdout(), "\nSKIPPED: {what}").expect("stdout can be written");
}

/// One transport, measured once.
#[derive(Debug, Clone)]
pub struct Job {
    pub transport: &'static str,
    pub url: String,
    pub clients: u32,
    pub duration_s: f64,
}

impl Job {
    pub fn new(transport: &'static str, url: &str) -> Self {
        Self {
            transport,
            url: url.to_owned(),
            // A poller gets one answer where the others get five updates: more of them, for as fine a grain.
            clients: if transport == "short-poll" { 8 } else { 4 },
            duration_s: 4.0,
        }
    }

    /// Every transport at this address.
    pub fn all(url: &str) -> Vec<Self> {
        TRANSPORTS.iter().map(|id| Self::new(id, url)).collect()
    }

    pub fn lasting(mut self, duration_s: f64) -> Self {
        self.duration_s = duration_s;
        self
    }

    pub fn of(mut self, clients: u32) -> Self {
        self.clients = clients;
        self
    }

    /// Updates each client expects.
    pub fn updates(&self) -> f64 {
        self.duration_s * RATE_HZ
    }
}

/// So long after its start a run is about in the middle of its window.
pub fn middle_us(duration_s: f64) -> u64 {
    ((START_S + SETTLE_S + duration_s / 2.0) * 1e6) as u64
}

/// A run that has ended.
pub struct Done {
    pub record: RunRecord,
    pub status: ExitStatus,
    pub stderr: String,
    pub folder: PathBuf,
}

impl Done {
    pub fn row(&self) -> &Row {
        &self.record.rows[0]
    }

    /// `[T0, T1)`, by the server's clock.
    pub fn window_us(&self) -> (u64, u64) {
        let from_us = self.row().window_from_us.expect("the window began");
        let length_s = self.row().figures.duration_s.expect("the window ended");
        (from_us, from_us + (length_s * 1e6).round() as u64)
    }

    /// A fault in time may not cost an update.
    #[track_caller]
    pub fn whole(&self) -> &Row {
        assert_eq!(self.row().outcome, Outcome::Ok, "{}", self.stderr);
        self.row()
    }

    /// By how many ms something reached out of the window, or too near to its edges; 0 when it was well within.
    pub fn outside_ms(&self, from_us: u64, length: Duration) -> f64 {
        let (t0, t1) = self.window_us();
        let to_us = from_us + length.as_micros() as u64 + 2 * GAP_US;
        let outside_us = (t0 + 2 * GAP_US).saturating_sub(from_us).max(to_us.saturating_sub(t1));
        outside_us as f64 / 1_000.0
    }
}

/// A folder to work in; it goes when the test ends.
pub struct Lab(TempDir);

impl Lab {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder can be made"))
    }

    /// A new folder within it.
    pub fn folder(&self) -> PathBuf {
        let folder = tempfile::Builder::new().tempdir_in(self.0.path());
        folder.expect("a folder within it").keep()
    }

    /// Runs all jobs at once, each in a process of its own.
    pub fn run(&self, jobs: &[Job]) -> Vec<Done> {
        let started: Vec<_> = jobs.iter().map(|job| self.start(job)).collect();
        started.into_iter().map(Started::ended).collect()
    }

    pub fn start(&self, job: &Job) -> Started {
        self.start_as(job, Command::new(env!("CARGO_BIN_EXE_bench-client")))
    }

    /// Starts a job by a command that ends in the program's name: the arguments follow it.
    pub fn start_as(&self, job: &Job, mut command: Command) -> Started {
        let folder = self.folder();
        let scenario = folder.join("faults.toml");
        let text = format!(
            "poll_interval_ms = {POLL_INTERVAL_MS}\nsettle_s = {SETTLE_S}\nrepeats = 1\nforce = true\n\
             clients = {}\nduration_s = {}\n",
            job.clients, job.duration_s
        );
        std::fs::write(&scenario, text).expect("the folder can be written");
        let file = |name| File::create(folder.join(name)).expect("the folder can be written");
        command
            .arg("run")
            .arg(&scenario)
            .args(["--transport", job.transport, "--target", &job.url, "--out"])
            .arg(folder.join("out"));
        command
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"));
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} could not be started: {error}"));
        Started { child, folder }
    }
}

/// A run under way.
pub struct Started {
    child: Child,
    folder: PathBuf,
}

impl Started {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    pub fn ended(mut self) -> Done {
        let started = Instant::now();
        while self.is_running() {
            if started.elapsed() > PATIENCE {
                // It has not been waited for, so it can be killed.
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("a run has not ended after {PATIENCE:?}: {}", self.stderr());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let status = self.child.wait().expect("it has ended");
        let stderr = self.stderr();
        let folder = self.folder.join("out");
        let record = bench_client::run::load(&folder).unwrap_or_else(|error| panic!("{error:#}: {stderr}"));
        Done {
            record,
            status,
            stderr,
            folder,
        }
    }

    fn stderr(&self) -> String {
        std::fs::read_to_string(self.folder.join("stderr")).unwrap_or_default()
    }
}
