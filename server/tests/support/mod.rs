//! What tests over real sockets share: a server on port 0 whose feed the test publishes by hand, and a raw peer for it.
//!
//! ```text
//! test -> TestServer::publish -> hub -> transports -> socket -> Raw (bytes as they are)
//! ```
//!
//! The feed's own schedule is left out: what is published, and when, is the test's decision alone.

// Each suite uses its own part of this.
#![allow(dead_code)]

pub mod raw;

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use clap::{Args, FromArgMatches};
use server::{
    FeedDescription, Ports, Running,
    feed::{Event, Feed, Longest, Match},
    http::App,
    hub::{Draft, Publisher},
    settings::ServerSettings,
    wire::Cursor,
};

/// How long anything that must happen may take before the test fails.
pub const SOON: Duration = Duration::from_secs(30);

/// Due time of the update at offset 0; every later one is due a millisecond after the one before.
const FIRST_DUE_US: u64 = 1_763_631_127_000_000;

/// Waits for what must happen, at most [`SOON`].
pub async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(SOON, event).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: not within {} s", SOON.as_secs()),
    }
}

/// Waits until a condition that nothing announces is true, at most [`SOON`].
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    soon(what, async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The defaults, on a free port.
pub fn settings() -> ServerSettings {
    let command = ServerSettings::augment_args(clap::Command::new("test"));
    let matches = command.get_matches_from(["test", "--listen", "127.0.0.1:0"]);
    ServerSettings::from_arg_matches(&matches).expect("the defaults are valid")
}

/// `match-1` … of a feed.
pub fn matches(count: usize) -> Vec<Match> {
    let one = |number| Match {
        topic: format!("match-{number}"),
        home: "Norrland".into(),
        away: "Sudport".into(),
    };
    (1..=count).map(one).collect()
}

/// One published update, as every client that follows it must get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    pub topic: usize,
    pub offset: u64,
    pub seq: u64,
    pub due_us: u64,
}

/// The hub's one writer, in the hands of the test.
pub struct Hand {
    publisher: Publisher,
    /// Everything published so far, by its own count: the hub is not asked.
    pub published: Vec<Published>,
}

impl Hand {
    /// Publishes one update of a topic.
    pub fn publish(&mut self, topic: usize) -> Published {
        self.publish_by(topic, "Ada Löfgren")
    }

    /// Publishes one update of a topic, by this player.
    pub fn publish_by(&mut self, topic: usize, player: &str) -> Published {
        let offset = self.published.len() as u64 + 1;
        let seq = self.published.iter().rev().find(|one| one.topic == topic);
        let published = Published {
            topic,
            offset,
            seq: seq.map_or(1, |last| last.seq + 1),
            due_us: FIRST_DUE_US + offset * 1_000,
        };
        self.publisher.publish(Draft {
            topic,
            due_us: published.due_us,
            home_score: 2,
            away_score: 1,
            minute: 67,
            event: "goal",
            player,
        });
        self.published.push(published);
        published
    }
}

/// A server in this process.
pub struct TestServer {
    pub running: Running,
    pub address: SocketAddr,
    pub epoch: u64,
    pub matches: Vec<Match>,
    pub hand: Hand,
}

impl TestServer {
    /// Serves a feed of `topics` matches; updates are as long as they come.
    pub fn start(topics: usize, settings: ServerSettings) -> Self {
        Self::of(matches(topics), None, settings)
    }

    /// Serves a feed of these matches, every update filled up to `update_bytes`.
    pub fn of(matches: Vec<Match>, update_bytes: Option<usize>, settings: ServerSettings) -> Self {
        Self::whole(matches, update_bytes, settings, Ports::One, |_| Ok(Router::new()))
    }

    /// Serves it at these ports, with the routes of `mount` beside.
    pub fn with(
        topics: usize,
        settings: ServerSettings,
        ports: Ports,
        mount: impl FnOnce(&Arc<App>) -> io::Result<Router>,
    ) -> Self {
        Self::whole(matches(topics), None, settings, ports, mount)
    }

    fn whole(
        matches: Vec<Match>,
        update_bytes: Option<usize>,
        settings: ServerSettings,
        ports: Ports,
        mount: impl FnOnce(&Arc<App>) -> io::Result<Router>,
    ) -> Self {
        let description = FeedDescription {
            kind: "by hand".into(),
            topics: matches.len() as u32,
            rate_hz: None,
            arrivals: None,
            seed: None,
            speed: None,
            update_bytes: update_bytes.map(|bytes| bytes as u32),
        };
        let feed = Feed {
            matches: matches.clone(),
            events: Box::new(std::iter::empty()),
            extent: None,
            longest: Longest {
                of: matches[0].clone(),
                event: Event {
                    due: Duration::ZERO,
                    topic: 0,
                    home_score: 0,
                    away_score: 0,
                    minute: 0,
                    event: "",
                    player: "".into(),
                },
            },
            source: Default::default(),
        };
        let running = server::start_with(feed, description, settings, ports, mount).expect("port 0 is always free");
        let publisher = Publisher::new(running.hub.clone(), update_bytes);
        Self {
            address: running.address,
            epoch: running.hub.epoch,
            matches,
            hand: Hand {
                publisher,
                published: Vec::new(),
            },
            running,
        }
    }

    pub fn publish(&mut self, topic: usize) -> Published {
        self.hand.publish(topic)
    }

    pub fn cursor(&self, offset: u64) -> Cursor {
        Cursor {
            epoch: self.epoch,
            offset,
        }
    }

    /// `GET /api/stats`.
    pub async fn stats(&self) -> serde_json::Value {
        stats(self.address).await
    }
}

/// `GET /api/stats`.
pub async fn stats(address: SocketAddr) -> serde_json::Value {
    let answer = raw::get(address, "/api/stats", &[]).await;
    serde_json::from_slice(&answer.body).expect("/api/stats is JSON")
}

/// One counter of one transport in `/api/stats`.
pub fn counter(stats: &serde_json::Value, transport: &str, name: &str) -> i64 {
    let rows = stats["transports"].as_array().expect("a list of transports");
    let row = rows
        .iter()
        .find(|row| row["id"] == transport)
        .expect("the transport is served");
    row[name]
        .as_i64()
        .unwrap_or_else(|| panic!("no counter {name} in {row}"))
}
