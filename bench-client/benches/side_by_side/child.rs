//! Our own server as a child: the bench-client binary that cargo built for this bench.
//!
//! ```text
//! serve --child …   stdout -> its address(es)   stdin <- `start …`; its end ends the server, so a bench that is killed leaves none behind
//! ```

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, bail};

/// How long it may take to listen, and to answer a call.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// So long it neither pings nor expects a pong: bare clients give none.
const NEVER_S: &str = "3600";

/// The bench-client binary as a server; killed when dropped.
pub struct OwnChild(pub Child);

impl OwnChild {
    /// Starts it with these further flags of `serve`; returns what it says of itself.
    pub fn start(flags: &[&str]) -> anyhow::Result<(Self, serde_json::Value)> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-client"));
        command.args(["serve", "--child", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
        command.args([
            "--heartbeat",
            NEVER_S,
            "--peer-timeout",
            NEVER_S,
            "--header-timeout",
            NEVER_S,
        ]);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FEED_")) {
            command.env_remove(name);
        }
        let spawned = command.args(flags).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = Self(spawned.context("the server could not be started")?);
        let stdout = child.0.stdout.take().context("the server has no stdout")?;
        let (tell, told) = mpsc::channel();
        // Ends with the line, or with the process.
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = tell.send(line);
        });
        let line = told
            .recv_timeout(START_TIMEOUT)
            .context("the server did not listen in time")?;
        let said = serde_json::from_str(&line).with_context(|| format!("the server said {line:?}, not its address"))?;
        Ok((child, said))
    }

    pub fn say(&mut self, words: &str) -> anyhow::Result<()> {
        let stdin = self.0.stdin.as_mut().context("the server has no stdin")?;
        stdin
            .write_all(words.as_bytes())
            .context("the server no longer listens to us")
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        // One that is gone already cannot be killed, and is waited for all the same.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One control call, on a connection of its own.
pub fn get<T: serde::de::DeserializeOwned>(address: SocketAddr, path: &str) -> anyhow::Result<T> {
    let mut stream = TcpStream::connect_timeout(&address, START_TIMEOUT)?;
    stream.set_read_timeout(Some(START_TIMEOUT))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .with_context(|| format!("{path}: half an answer"))?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("{path} was answered {head:?}");
    }
    serde_json::from_str(body).with_context(|| format!("{path} was answered something else"))
}
