//! The server as a process of its own: started for each row, spoken to over its stdin, gone when this process goes.
//!
//! ```text
//! this executable, again: `serve --child --listen 127.0.0.1:0 …`
//!     stdout -> its address(es) stdin <- `start …`, and the end     stderr -> kept, for when it dies
//! ```
//!
//! CPU and memory of client and server can so be told apart, and every row meets a server that remembers nothing.

mod last_words;

use std::{
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use server::settings::FeedSettings;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use crate::cores;

pub use last_words::{Kept, LastWords};

/// How long a server may take to say its address.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a server may take to go beyond its drain deadline, until it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds the server gives its streams; the clients are gone by then.
const DRAIN_DEADLINE_S: &str = "1";

/// A running server of our own.
pub struct ServerProcess {
    child: Child,
    /// What starts its feed, and what stops it when it is dropped.
    pub switch: Option<FeedSwitch>,
    pub url: String,
    /// Where its null server listens, when it was asked for one with `--null`.
    pub null: Option<SocketAddr>,
    pub pid: u32,
    last_words: LastWords,
}

/// The server's stdin.
pub struct FeedSwitch(ChildStdin);

impl FeedSwitch {
    /// The feed's first due time counts from `at_us` of the server's clock.
    pub async fn start_feed(&mut self, at_us: u64) -> anyhow::Result<()> {
        self.0
            .write_all(format!("start {at_us}\n").as_bytes())
            .await
            .context("the server no longer listens to us")?;
        self.0.flush().await.context("the server no longer listens to us")
    }
}

impl ServerProcess {
    /// Starts one with this feed, which waits for [`FeedSwitch::start_feed`].
    ///
    /// `idle` is how long a connection may be idle between two polls without being closed.
    /// `more` are further flags of `serve`.
    pub async fn start(feed: &FeedSettings, idle: Duration, more: &[&str]) -> anyhow::Result<Self> {
        Self::start_on(None, feed, idle, more).await
    }

    /// The same on these cores; None: on all.
    pub async fn start_on(
        cores: Option<&[usize]>,
        feed: &FeedSettings,
        idle: Duration,
        more: &[&str],
    ) -> anyhow::Result<Self> {
        Self::start_there((cores, "127.0.0.1:0"), feed, idle, more).await
    }

    /// The same at this very address.
    pub async fn start_at(address: &str, feed: &FeedSettings, idle: Duration, more: &[&str]) -> anyhow::Result<Self> {
        Self::start_there((None, address), feed, idle, more).await
    }

    async fn start_there(
        (cores, address): (Option<&[usize]>, &str),
        feed: &FeedSettings,
        idle: Duration,
        more: &[&str],
    ) -> anyhow::Result<Self> {
        // The running file itself, even when it was replaced by a newer build meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.args(["serve", "--child", "--listen", address, "--log-level", "warn"]);
        command.args([
            "--drain-deadline",
            DRAIN_DEADLINE_S,
            "--header-timeout",
            &idle.as_secs_f64().max(15.0).to_string(),
        ]);
        command.args(arguments(feed)).args(more);
        // Only flags decide: a variable meant for `serve` must not change what is measured.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FEED_")) {
            command.env_remove(name);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own: Ctrl-C is for the client, which then stops the server in good order.
        command.process_group(0).kill_on_drop(true);
        let child = cores::on(cores, || command.spawn()).context("the server's cores could not be taken")?;
        let mut child = child.context("the server process could not be started")?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            bail!("the server process has no pipes");
        };
        let last_words = LastWords::of(stderr);
        let mut lines = BufReader::new(stdout).lines();
        let said = timeout(START_TIMEOUT, lines.next_line()).await;
        let pid = child.id().unwrap_or_default();
        let mut process = Self {
            child,
            switch: Some(FeedSwitch(stdin)),
            url: String::new(),
            null: None,
            pid,
            last_words,
        };
        (process.url, process.null) = match said {
            Ok(Ok(Some(line))) => {
                addresses(&line).with_context(|| format!("the server said {line:?}, not its address"))?
            }
            Ok(_) => {
                let status = process.child.wait().await.context("the server process is lost")?;
                bail!("the server ended before it listened: {}", process.epitaph(status).await);
            }
            Err(_) => bail!("the server did not listen within {} s", START_TIMEOUT.as_secs()),
        };
        Ok(process)
    }

    /// Waits for an end that nobody asked for, and says how it came.
    pub async fn died(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => self.epitaph(status).await,
            Err(error) => format!("the server process is lost: {error}"),
        }
    }

    /// Kills it, as a crash would. Returns when it runs no more and its sockets are closed; until [`ServerProcess::died`] its CPU time can
    /// still be read.
    pub async fn kill(&self) -> anyhow::Result<()> {
        let pid = Pid::from_raw(self.pid as i32);
        kill(pid, Signal::SIGKILL).context("the server could not be killed")?;
        let gone = move || waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        let gone = tokio::task::spawn_blocking(gone).await.context("nobody waited")?;
        gone.context("the killed server is lost")?;
        Ok(())
    }

    /// Stops the server and waits until it is gone.
    pub async fn stop(mut self) {
        self.switch.take();
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            // It had its time. Killing is all that is left, and waiting cannot fail then.
            let _ = self.child.kill().await;
        }
    }

    async fn epitaph(&mut self, status: ExitStatus) -> String {
        self.last_words.epitaph(status).await
    }
}

/// The server's URL, and where its null server listens, if there is one.
fn addresses(line: &str) -> Option<(String, Option<SocketAddr>)> {
    let said: serde_json::Value = serde_json::from_str(line).ok()?;
    let null = said.get("null").and_then(|null| null.as_str()?.parse().ok());
    Some((said.get("listening")?.as_str()?.to_owned(), null))
}

/// The feed's settings as the server's flags.
fn arguments(feed: &FeedSettings) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut add = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            arguments.extend([flag.to_owned(), value]);
        }
    };
    add("--topics", feed.topics.map(|n| n.to_string()));
    add("--rate", feed.rate.map(|hz| hz.to_string()));
    add("--payload", feed.payload.map(|bytes| bytes.to_string()));
    add("--arrivals", feed.arrivals.map(|arrivals| arrivals.name().to_owned()));
    add("--burst-size", feed.burst_size.map(|n| n.to_string()));
    add("--seed", feed.seed.map(|n| n.to_string()));
    add(
        "--replay",
        feed.replay.as_ref().map(|file| file.to_string_lossy().into_owned()),
    );
    add("--speed", feed.speed.map(|x| x.to_string()));
    arguments
}
