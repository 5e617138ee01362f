//! A server, a folder of runs, and a browser that a script drives.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::lab::{Lab, Running};

/// A script of a few checks takes far less; those that watch for minutes say so.
const PATIENCE: Duration = Duration::from_secs(150);
/// What a script that was told to end gets to close its browser.
const FAREWELL: Duration = Duration::from_secs(10);

/// A tiny run, as `lab::QUICK`, into the folder that is served.
const RUN: &str = "run ../smoke.toml --clients 4 --duration 1.2 --rate 50 --repeats 1 --out results/tiny";

/// One browser at a time: two would share the cores, and each takes what the other measures.
static BROWSER: Mutex<()> = Mutex::new(());

/// A `serve` process with what it needs, and the browser's turn.
pub struct Stage {
    lab: Lab,
    server: Option<Running>,
    run: Option<Running>,
    /// As given to `serve`, for a new start.
    arguments: String,
    pub url: String,
    tools: Option<Tools>,
    _turn: MutexGuard<'static, ()>,
}

/// What is needed to drive a browser.
struct Tools {
    npm: PathBuf,
    chromium: PathBuf,
}

impl Stage {
    /// `serve` with these arguments, and the runs of `results/` that are committed.
    pub fn open(arguments: &str) -> Self {
        Self::with(arguments, |_| {})
    }

    /// The same; `prepare` puts files into the folder where `serve` starts.
    pub fn with(arguments: &str, prepare: impl FnOnce(&Lab)) -> Self {
        let turn = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
        let lab = Lab::new();
        prepare(&lab);
        let results = lab.path("results");
        std::fs::create_dir_all(&results).expect("the temporary folder can be written");
        let arguments = format!("{arguments} --results results");
        let (server, url) = lab.serve(&arguments);
        Self {
            lab,
            server: Some(server),
            run: None,
            arguments,
            url,
            tools: Tools::look(),
            _turn: turn,
        }
    }

    /// Runs a script to its end, within the time a few checks take.
    #[track_caller]
    pub fn plays(self, script: &str) {
        self.plays_within(script, &[], PATIENCE);
    }

    /// The same with words for the script, and a time of its own.
    #[track_caller]
    pub fn plays_within(mut self, script: &str, words: &[&str], patience: Duration) {
        let Some(tools) = self.tools.take() else {
            say(&format!(
                "SKIPPED: the page in a browser; it takes chromium, and node with the packages of bench-client/tests/page/scripts/package.json \
                 in target/npm-page (./test.sh installs them): {script}"
            ));
            return;
        };
        let mut child = tools
            .command(script)
            .arg(&self.url)
            .arg(self.lab.path("browser"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("node was there a moment ago");
        let mut stdin = child.stdin.take().expect("it is piped");
        let (lines, heard) = mpsc::channel();
        let stderr = lines.clone();
        read(child.stdout.take(), lines, "");
        read(child.stderr.take(), stderr, "stderr: ");
        let mut said = String::new();
        let until = Instant::now() + patience;
        loop {
            match heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.heard(&line, &mut stdin);
                    said = said + &line + "\n";
                }
                // Both pipes have ended, and so has the script.
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    end(&mut child);
                    panic!("{script} did not end within {patience:?}:\n{said}");
                }
            }
        }
        let status = child.wait().expect("a child can be waited for");
        let server = self.server.as_ref().map(Running::stderr).unwrap_or_default();
        assert!(status.success(), "{script}: {status}\n{said}\nserve said:\n{server}");
        assert!(!server.contains("panicked"), "{script}: {server}");
        assert!(said.contains("ok: "), "{script} checked nothing:\n{said}");
        println!("{said}");
    }

    /// A line of the script: for test.sh, for us, or for whom a failure concerns.
    fn heard(&mut self, line: &str, stdin: &mut ChildStdin) {
        if line.starts_with("figure: ") || line.starts_with("SKIPPED: ") {
            say(line);
        }
        if let Some(asked) = line.strip_prefix("ask: ") {
            let answer = self.answer(asked);
            // A script that is gone meanwhile has said why.
            let _ = writeln!(stdin, "{answer}");
        }
    }

    /// What a script cannot do itself.
    fn answer(&mut self, asked: &str) -> String {
        match asked {
            "kill" => {
                // Dropped, it is killed: as after a power cut, nobody says good-bye.
                self.server = None;
                "killed".into()
            }
            "start" => {
                let address = self.url.trim_start_matches("http://");
                let arguments = format!("serve --listen {address} {}", self.arguments);
                let server = self.lab.start(&arguments);
                server.says("listening on ");
                self.server = Some(server);
                "started".into()
            }
            "stop" => {
                let server = self.server.take().expect("it runs");
                let asked = Instant::now();
                server.signal(Signal::SIGTERM);
                server.ended().with_code(0);
                asked.elapsed().as_millis().to_string()
            }
            "run" => {
                self.run = Some(self.lab.start(RUN));
                "started".into()
            }
            "run ended" => {
                let said = self.run.take().expect("it was started").ended();
                said.status.code().unwrap_or(-1).to_string()
            }
            other => panic!("a script asks for {other:?}, and nobody can do that"),
        }
    }
}

impl Tools {
    fn look() -> Option<Self> {
        let npm = target().join("npm-page");
        let node = Command::new("node")
            .args(["-e", "require('puppeteer-core');require('axe-core')"])
            .current_dir(npm.is_dir().then_some(&npm)?)
            .stderr(Stdio::null())
            .status();
        let path = std::env::var_os("PATH")?;
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        let named = ["chromium", "chromium-browser", "google-chrome"];
        let mut there = named
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        let chromium = there.find(|file| file.is_file())?;
        (node.ok()?.success()).then_some(Self { npm, chromium })
    }

    fn command(&self, script: &str) -> Command {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/scripts");
        let mut command = Command::new("node");
        command
            .env("LAB_NPM", &self.npm)
            .env("LAB_CHROMIUM", &self.chromium)
            .env("LAB_SCREENSHOTS", target().join("page-screenshots"));
        command.arg(scripts.join(script));
        command
    }
}

/// Copies the committed run into the folder that is served, under this name.
pub fn curated(lab: &Lab, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/curated");
    copy(&from, &lab.path("results").join(name));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the temporary folder can be written");
    for entry in std::fs::read_dir(from).expect("results/curated is committed").flatten() {
        let there = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &there);
        } else {
            std::fs::copy(entry.path(), there).expect("a file of the run can be copied");
        }
    }
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("..")
}

/// Past the test runner, which keeps what a test that passes prints.
pub fn say(line: &str) {
    writeln!(std::io::stdout(), "\n{line}").expect("stdout can be written");
}

fn read(pipe: Option<impl std::io::Read + Send + 'static>, to: mpsc::Sender<String>, prefix: &'static str) {
    let pipe = pipe.expect("it is piped");
    // Ends with the script.
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if to.send(format!("{prefix}{line}")).is_err() {
                return;
            }
        }
    });
}

/// Lets a script close its browser, and ends it where it does not.
fn end(child: &mut Child) {
    let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM);
    let until = Instant::now() + FAREWELL;
    while Instant::now() < until {
        if let Ok(Some(_)) = child.try_wait() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    let _ = child.wait();
}
