//! The server as people run it: a process, its log on stderr, ended by a signal.

use std::{
    net::SocketAddr,
    process::{ExitStatus, Stdio},
};

use nix::{
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        signal::{Signal, kill},
    },
    unistd::Pid,
};
use server::{clock::Clock, stats::resident_bytes_of};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::support::{self, raw, soon};

/// A running server; killed when it is dropped.
pub struct Server {
    child: Child,
    pid: u32,
    pub address: SocketAddr,
    /// The very clock of its time stamps.
    pub clock: Clock,
    pub epoch: u64,
}

impl Server {
    /// Starts it on a free port.
    pub async fn start(arguments: &str) -> Self {
        raise_descriptor_limit();
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FEED_")) {
            command.env_remove(name);
        }
        command
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments.split_whitespace());
        command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the server starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let said = soon("the server's address", log.next_line()).await;
        let said = said.expect("its log can be read").expect("it says its address");
        let (_, address) = said.split_once("http://").unwrap_or_else(|| panic!("{said}"));
        let address = address.trim().parse().expect("an address");
        // A full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        let clock = raw::get(address, "/api/clock", &[]).await.json();
        Self {
            pid: child.id().expect("it runs"),
            child,
            address,
            clock: Clock::with_offset(clock["offset_us"].as_i64().expect("an offset")),
            epoch: clock["epoch"].as_u64().expect("an epoch"),
        }
    }

    pub async fn stats(&self) -> serde_json::Value {
        support::stats(self.address).await
    }

    pub fn rss_bytes(&self) -> u64 {
        resident_bytes_of(&self.pid.to_string()).expect("/proc is there")
    }

    pub fn descriptors(&self) -> usize {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.pid)).expect("/proc is there");
        open.count()
    }

    pub fn terminate(&self) {
        kill(Pid::from_raw(self.pid as i32), Signal::SIGTERM).expect("it runs");
    }

    pub async fn ended(&mut self) -> ExitStatus {
        soon("the server ends", self.child.wait())
            .await
            .expect("it is our child")
    }
}

/// As many sockets as the machine lets this process have; the server inherits it.
fn raise_descriptor_limit() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("there is a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("up to the hard limit one may go");
}
