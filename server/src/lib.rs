//! One live score feed over every real-time technique.
//!
//! ```text
//! feed/ (due times) -> hub (stamps, encodes once, log) -> transports/<id> -> hyper -> io (counts bytes) -> socket
//! ```
//!
//! # Layout
//!
//! * [`feed`]: where updates come from: a simulated season, or real matches. Knows no hub.
//! * [`hub`]: the one log and everyone who reads it. Knows no transport.
//! * [`transports`]: a file and a row per technique. They do not import each other.
//! * [`http`]: routes, the feed's query, control endpoints.  [`listen`], [`io`]: the accept loop and its sockets.
//! * [`wire`]: the shapes that travel.  [`clock`]: the one clock.  [`stats`]: what the server counts of itself.
//! * [`probe`]: how long data waits until the runtime looks at it.
//! * [`null`]: a bare writer of the same bytes, for finding out what a bench client adds by itself.
//! * `properties`: every parser under attack, for tests and fuzzing alone.
//! * [`settings`]: flags and environment, and the feed they ask for.  [`child`]: how a bench client starts and stops this server.
//!
//! This crate never depends on the bench client.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub mod child;
pub mod clock;
pub mod feed;
pub mod http;
pub mod hub;
pub mod io;
pub mod listen;
pub mod logging;
pub mod null;
pub mod probe;
#[cfg(any(test, feature = "fuzzing"))]
pub mod properties;
pub mod settings;
pub mod stats;
pub mod transports;
pub mod wire;

use clock::Clock;
use feed::{Driver, Feed, Sink};
use hub::{Draft, Hub, Publisher, Topic};
use probe::{Lags, Pinger};
use settings::ServerSettings;
use stats::Stats;

/// What `/api/stats` says of the feed.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct FeedDescription {
    /// `simulated` or `replay`.
    pub kind: String,
    pub topics: u32,
    /// Updates per second and topic; absent for a replay.
    pub rate_hz: Option<f64>,
    pub arrivals: Option<String>,
    pub seed: Option<u64>,
    pub speed: Option<f64>,
    /// Size every encoded update is filled up to; absent: as long as it comes.
    pub update_bytes: Option<u32>,
}

/// How the server ends: everyone is told, what runs is waited for, and what is left at the deadline is cut.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Cancelled when the server is told to stop: streams end, held polls answer.
    pub begun: CancellationToken,
    /// Cancelled at the drain deadline.
    pub cut: CancellationToken,
    /// Every connection, and every session that outlives its request.
    pub tasks: TaskTracker,
}

/// A server that accepts connections; its feed may still be waiting.
pub struct Running {
    pub address: SocketAddr,
    pub hub: Arc<Hub>,
    stats: Arc<Stats>,
    waiting: Option<(Feed, Option<usize>)>,
    driver: Option<Driver>,
    /// Asks the runtime how late it is, until the server stops.
    pinger: Pinger,
    stop: Stop,
    serving: JoinHandle<()>,
}

/// Binds and serves; the feed starts with [`Running::start_feed`].
pub fn start(feed: Feed, description: FeedDescription, settings: ServerSettings) -> std::io::Result<Running> {
    let listener = listen::bind(settings.listen)?;
    let address = listener.local_addr()?;
    let topic = |one: &feed::Match| Topic {
        name: one.topic.clone(),
        home: one.home.clone(),
        away: one.away.clone(),
    };
    let topics = feed.matches.iter().map(topic).collect();
    let clock = Clock::start();
    let hub = Hub::new(clock, topics, settings.log_bounds());
    let (lags, pinger) = ask_runtime(clock)?;
    let stats = Arc::new(Stats::default());
    let settings = Arc::new(settings);
    let stop = Stop::default();
    let update_bytes = description.update_bytes.map(|bytes| bytes as usize);
    let app = http::App::new(
        hub.clone(),
        stats.clone(),
        settings.clone(),
        description,
        lags,
        stop.clone(),
    );
    let serving = tokio::spawn(listen::serve(
        listener,
        http::router(app),
        stats.clone(),
        settings,
        stop.clone(),
    ));
    Ok(Running {
        address,
        hub,
        stats,
        waiting: Some((feed, update_bytes)),
        driver: None,
        pinger,
        stop,
        serving,
    })
}

impl Running {
    /// Starts the feed: its first due time counts from `at_us` of the hub's clock. Later calls change nothing.
    pub fn start_feed(&mut self, at_us: u64) -> std::io::Result<()> {
        if let Some((feed, update_bytes)) = self.waiting.take() {
            let publisher = Publisher::new(self.hub.clone(), update_bytes);
            let sink = HubSink {
                publisher,
                hub: self.hub.clone(),
                stats: self.stats.clone(),
            };
            let clock = self.hub.clock;
            self.driver = Some(feed::drive(feed.events, at_us, move || clock.now_us(), sink)?);
        }
        Ok(())
    }

    /// A null server for this hub, on a port of its own.
    pub fn start_null(&self) -> std::io::Result<null::Null> {
        let address = SocketAddr::new(self.address.ip(), 0);
        null::start(address, self.hub.clone(), &self.stats)
    }

    /// Stops feed and server: streams are told, get the drain deadline to end, and are cut then.
    pub async fn stop(self) {
        if let Some(driver) = self.driver {
            driver.stop();
            let joined = tokio::task::spawn_blocking(|| driver.join()).await;
            if let Ok(Err(panicked)) = joined {
                tracing::error!(%panicked, "the feed ended badly");
            }
        }
        drop(self.pinger);
        self.stop.begun.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the accept loop ended badly");
        }
    }
}

/// How often the runtime is asked how late it is: a reading costs it a wake-up, so this is what accuracy and cost allow.
pub const PING_INTERVAL: Duration = Duration::from_millis(50);

/// Starts asking the runtime this is called on.
fn ask_runtime(clock: Clock) -> std::io::Result<(Lags, Pinger)> {
    let (mouth, ear) = std::os::unix::net::UnixStream::pair()?;
    let lags = Lags::default();
    let listening = probe::listen(ear, clock, lags.clone());
    // Ends when the pinger is dropped.
    tokio::spawn(async move {
        if let Err(error) = listening.await {
            tracing::warn!(%error, "the runtime's lag is no longer known");
        }
    });
    Ok((lags, Pinger::start(vec![mouth], clock, PING_INTERVAL)?))
}

/// Hands the feed's events to the hub.
struct HubSink {
    publisher: Publisher,
    hub: Arc<Hub>,
    stats: Arc<Stats>,
}

impl Sink for HubSink {
    fn publish(&mut self, event: &feed::Event, due_us: u64) {
        self.publisher.publish(Draft {
            topic: event.topic,
            due_us,
            home_score: event.home_score,
            away_score: event.away_score,
            minute: event.minute,
            event: event.event,
            player: &event.player,
        });
        self.stats.updates.inc();
    }

    fn complete_before(&mut self, next_due_us: Option<u64>) {
        self.hub.complete_before(next_due_us.unwrap_or(u64::MAX));
    }
}
