//! The program under test: `serve` as a process, and what it says it published.

use std::{net::SocketAddr, process::Stdio};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use server::wire::PublishedAnswer;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::support::{raw, soon};

pub const TOPICS: usize = 2;
/// Per topic. Fast enough that every wait is short, slow enough for a client that starts a process per poll.
const RATE_HZ: &str = "25";

/// A running server.
pub struct Origin {
    child: Child,
    pub address: SocketAddr,
}

impl Origin {
    pub async fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-client"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--rate", RATE_HZ, "--topics"]);
        command.arg(TOPICS.to_string());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FEED_")) {
            command.env_remove(name);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await.expect("its log is text") {
                if let Some((_, url)) = line.split_once("listening on http://") {
                    return url.trim().parse().expect("an address");
                }
            }
            panic!("the server ended before it listened");
        };
        let address = soon("the server listens", listening).await;
        // Read to its end: a full pipe would hold the server up.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, address }
    }

    /// Everything published so far.
    pub async fn published(&self) -> PublishedAnswer {
        let answer = raw::get(self.address, "/api/published?detail=true", &[]).await;
        let published: PublishedAnswer = serde_json::from_slice(&answer.body).expect("the publish log");
        assert!(!published.truncated, "a short test fits the log");
        published
    }

    /// Names of the topics, in the feed's order.
    pub async fn topics(&self) -> Vec<String> {
        let published = self.published().await;
        published.topics.into_iter().map(|topic| topic.topic).collect()
    }

    pub fn terminate(&self) {
        let pid = self.child.id().expect("it runs");
        kill(Pid::from_raw(pid as i32), Signal::SIGTERM).expect("it is ours");
    }

    /// Waits for the end that [`Origin::terminate`] asked for.
    pub async fn ended(&mut self) {
        let status = soon("the server ends", self.child.wait())
            .await
            .expect("a child can be waited for");
        assert!(status.success(), "{status}");
    }
}
