//! A folder to work in, and the program under test in it.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::processes::{Server, children};

/// How long anything may take that is waited for. Far more than it takes: a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Small and fast: one row of it takes two seconds.
pub const QUICK: &str = "run ../smoke.toml --clients 8 --duration 1.2 --rate 50 --repeats 1";
/// The scenario `smoke` for a machine that runs many tests at once: nothing that a busy machine does makes it suspect.
const SMOKE: &str = include_str!("../../scenarios/smoke.toml");

/// Waits until there is a value, and returns it.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The `[bounds]` of a scenario that no observation reaches.
pub fn unbounded() -> String {
    let bounds = serde_json::to_value(bench_client::record::Bounds::default()).expect("bounds are plain data");
    let bounds = bounds.as_object().expect("bounds are a table");
    let lines = bounds.iter().map(|(name, bound)| match bound.is_object() {
        true => format!("{name} = {{ suspect = 1e18 }}\n"),
        false => format!("{name} = 0\n"),
    });
    format!("[bounds]\n{}", lines.collect::<String>())
}

/// A folder of its own for one test; it goes when the test ends.
pub struct Lab {
    _folder: TempDir,
    /// Where commands run; beside it stands [`SMOKE`].
    root: PathBuf,
}

impl Lab {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let root = folder.path().join("lab");
        std::fs::create_dir(&root).expect("the temporary folder can be written");
        let lab = Self { _folder: folder, root };
        lab.write("../smoke.toml", &format!("{SMOKE}\n{}", unbounded()));
        lab
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the temporary folder can be written");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program with these words as arguments, in this folder.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-client"));
        command.args(arguments.split_whitespace());
        self.dressed(command)
    }

    /// The program behind a line of shell, such as a limit it must live with.
    pub fn behind(&self, line: &str, arguments: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{line}; exec \"$0\" \"$@\"")]);
        command.arg(env!("CARGO_BIN_EXE_bench-client"));
        command.args(arguments.split_whitespace());
        self.dressed(command)
    }

    fn dressed(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FEED_")) {
            command.env_remove(name);
        }
        command.env_remove("NO_COLOR").current_dir(self.root());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &str) -> Said {
        Running::start(self.command(arguments)).ended()
    }

    pub fn start(&self, arguments: &str) -> Running {
        Running::start(self.command(arguments))
    }

    /// A `serve` process on a free port, and its address.
    pub fn serve(&self, more: &str) -> (Running, String) {
        let running = self.start(&format!("serve --listen 127.0.0.1:0 {more}"));
        let url = until("serve says its address", || {
            let said = running.stderr();
            let line = said.lines().find(|line| line.contains("listening on "))?;
            line.split("listening on ").nth(1).map(|url| url.trim().to_owned())
        });
        (running, url)
    }
}

/// What a program said until it ended.
#[derive(Debug)]
pub struct Said {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// Asserts the exit code.
    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }

    /// Asserts what stands on stderr.
    #[track_caller]
    pub fn saying(self, words: &[&str]) -> Self {
        for words in words {
            assert!(self.stderr.contains(words), "{words:?} is missing: {self:#?}");
        }
        self
    }
}

/// The program, under way. Killed when it is dropped.
pub struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} could not be started: {error}"));
        let (stdout, stderr) = (Stream::of(child.stdout.take()), Stream::of(child.stderr.take()));
        Self { child, stdout, stderr }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything on stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid() as i32), signal).expect("it runs, or has not been waited for yet");
    }

    /// Waits until these words stand on stderr.
    pub fn says(&self, words: &str) {
        until(&format!("stderr says {words:?}"), || {
            self.stderr().contains(words).then_some(())
        });
    }

    /// Waits for the server this run has started, and until it has published so many updates.
    pub fn server_after(&self, updates: u64) -> Server {
        until("the run's server listens", || {
            let mut listening = children(self.pid()).into_iter().filter_map(Server::of_process);
            listening.next().filter(|server| server.updates() >= Some(updates))
        })
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Said {
        let status = until("the program ends", || {
            self.child.try_wait().expect("a child can be waited for")
        });
        Said {
            status,
            stdout: self.stdout.rest(),
            stderr: self.stderr.rest(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, most of the time; a test that failed must not leave it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes out of a pipe, read by a thread of its own until the pipe ends.
#[derive(Default)]
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Stream {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let Some(mut pipe) = pipe else { return Self::default() };
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let kept = text.clone();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&buffer[..n]);
            }
        });
        Self {
            text,
            thread: Some(thread),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn rest(&mut self) -> String {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("reading does not panic");
        }
        self.text()
    }
}
