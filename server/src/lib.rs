//! One live score feed over every real-time technique.
//!
//! ```text
//! feed/ (due times) -> hub (stamps, encodes once, log) -> fanout (to all who keep up) ------> io (counts bytes) -> socket
//!                                                     `-> transports/<id> (each other one) -^
//! ```
//!
//! # Layout
//!
//! * [`feed`]: where updates come from: a simulated season, real matches, or a recording. Knows no hub.
//! * [`feeding`]: who drives the feed into the hub, and how its rate is changed while it goes on.
//! * [`hub`]: the one log and everyone who reads it. Knows no transport.
//! * [`transports`]: a file and a row per technique. They do not import each other.
//! * [`fanout`]: writes each update to the sockets of all sessions that keep up.
//! * [`listen`], [`io`]: the accept loop and its sockets.  [`front`]: plain requests for the feed, served without hyper.
//! * [`http`]: routes for all other requests, the feed's query, control endpoints.
//! * [`origin`]: which pages may use it.  [`peer`]: whether the other end of a socket is still there.
//! * [`page`]: the page's files, the port each transport has for it, and who may change something.
//! * [`wire`]: the shapes that travel.  [`clock`]: the one clock.  [`stats`]: what the server counts of itself.
//! * [`probe`]: how long data waits until the runtime looks at it.
//! * [`null`]: a bare writer of the same bytes, for finding out what a bench client adds by itself.
//! * `properties`: every parser under attack, for tests and fuzzing alone.
//! * [`settings`]: flags and environment, and the feed they ask for.  [`child`]: how a bench client starts and stops this server.
//!
//! This crate never depends on the bench client.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::Router;
use serde::Serialize;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub mod child;
pub mod clock;
pub mod fanout;
pub mod feed;
pub mod feeding;
pub mod front;
pub mod http;
pub mod hub;
pub mod io;
pub mod listen;
pub mod logging;
pub mod null;
pub mod origin;
pub mod page;
pub mod peer;
pub mod probe;
#[cfg(any(test, feature = "fuzzing"))]
pub mod properties;
pub mod settings;
pub mod stats;
pub mod transports;
pub mod wire;

use clock::Clock;
use feed::{
    Feed,
    recording::{RecordError, Recorder},
};
use feeding::Feeding;
use hub::{Hub, Topic};
use listen::Connections;
use page::Page;
use probe::{Lags, Pinger};
use settings::ServerSettings;
use stats::Stats;

/// What `/api/stats` calls the feed when a recording is played.
pub const RECORDING: &str = "recording";

/// What `/api/stats` says of the feed.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct FeedDescription {
    /// `simulated`, `replay` or [`RECORDING`].
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
    /// Cancelled first, when the server is told to stop: `/readyz` says so, and nothing else changes yet.
    pub announced: CancellationToken,
    /// Cancelled when the server stops: streams end, held polls answer.
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
    feeding: Arc<Feeding>,
    /// Where what is published is recorded.
    recorder: Option<Recorder>,
    /// Asks the runtime how late it is, until the server stops.
    pinger: Pinger,
    stop: Stop,
    serving: JoinHandle<()>,
}

/// Binds and serves; the feed starts with [`Running::start_feed`].
pub fn start(feed: Feed, description: FeedDescription, settings: ServerSettings) -> std::io::Result<Running> {
    start_with(feed, description, settings, Ports::One, |_| Ok(Router::new()))
}

/// How many ports a server listens at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    One,
    /// Also one for each transport, for the page (see [`page`]).
    OnePerTransport,
}

/// The same, with the routes of `mount` beside its own; they are guarded by [`page::guard`].
pub fn start_with(
    feed: Feed,
    description: FeedDescription,
    settings: ServerSettings,
    ports: Ports,
    mount: impl FnOnce(&Arc<http::App>) -> std::io::Result<Router>,
) -> std::io::Result<Running> {
    let listener = listen::bind(settings.listen).map_err(|error| {
        let at = settings.listen;
        let advice = match error.kind() {
            std::io::ErrorKind::AddrInUse => ": another program has the port; --listen 127.0.0.1:0 takes a free one",
            _ => "",
        };
        std::io::Error::new(error.kind(), format!("cannot listen on {at}{advice} ({error})"))
    })?;
    let address = listener.local_addr()?;
    let page = Page::new(address.port());
    let mut listeners = vec![listener];
    if ports == Ports::OnePerTransport {
        listeners.extend(lanes(address, &page)?);
    }
    let topic = |one: &feed::Match| Topic {
        name: one.topic.clone(),
        home: one.home.clone(),
        away: one.away.clone(),
    };
    let topics = feed.matches.iter().map(topic).collect();
    let clock = settings.clock_offset_us.map_or_else(Clock::start, Clock::with_offset);
    let feed_start_us = settings.feed_start_us;
    let hub = Hub::new(clock, topics, settings.log_bounds());
    let (lags, pinger) = ask_runtime(clock)?;
    let stats = Arc::new(Stats::default());
    let settings = Arc::new(settings);
    let stop = Stop::default();
    let feeding = Feeding::new(hub.clone(), stats.clone(), feed, description);
    let app = http::App::new(
        hub.clone(),
        stats.clone(),
        settings.clone(),
        feeding.clone(),
        lags,
        stop.clone(),
        page,
    );
    app.fanout.start(&hub, &app.stats, &stop)?;
    let mounted = mount(&app)?;
    let connections = Connections::new(app.clone(), http::router(app, mounted));
    let serving = listeners.into_iter().map(|one| listen::serve(one, connections.clone()));
    let serving = futures_util::future::join_all(serving);
    let history = hub.clone();
    let serving = tokio::spawn(async move {
        if feed_start_us.is_some() {
            caught_up(&history).await;
        }
        serving.await;
    });
    let mut running = Running {
        address,
        hub,
        stats,
        feeding,
        recorder: None,
        pinger,
        stop,
        serving,
    };
    if let Some(at_us) = feed_start_us {
        running.start_feed(at_us)?;
    }
    Ok(running)
}

/// A port for each transport, on the same address.
fn lanes(address: SocketAddr, page: &Page) -> std::io::Result<Vec<TcpListener>> {
    let mut lanes = BTreeMap::new();
    let mut listeners = Vec::new();
    for (position, transport) in transports::ALL.iter().enumerate() {
        let listener = page.bind(address.ip(), position)?;
        lanes.insert(transport.id(), listener.local_addr()?.port());
        listeners.push(listener);
    }
    page.add_path(page::Path {
        id: "direct".into(),
        label: "direct".into(),
        delay_ms: 0,
        stall_ms: 0,
        lanes,
    });
    Ok(listeners)
}

/// How often, and how long at most, a server that takes another's place looks whether its feed has caught up.
const CATCH_UP_LOOK: Duration = Duration::from_millis(1);
const CATCH_UP_LONGEST: Duration = Duration::from_secs(30);

/// Waits until what was due by now has been published: who connects first is told the newest state there is.
async fn caught_up(hub: &Hub) {
    let due_us = hub.clock.now_us();
    let all_there = async {
        while !hub.published(due_us, due_us, false).complete {
            tokio::time::sleep(CATCH_UP_LOOK).await;
        }
    };
    if tokio::time::timeout(CATCH_UP_LONGEST, all_there).await.is_err() {
        tracing::warn!("serving although the feed has not caught up");
    }
}

impl Running {
    /// Waits until what was due by now has been published.
    pub async fn caught_up(&self) {
        caught_up(&self.hub).await;
    }

    /// Records what the feed publishes, from its first update on: to be called before it starts.
    pub fn record(&mut self, path: &Path) -> Result<(), RecordError> {
        if let Some(recorder) = self.feeding.record(path)? {
            self.recorder = Some(recorder);
        }
        Ok(())
    }

    /// Starts the feed: its first due time counts from `at_us` of the hub's clock. Later calls change nothing.
    pub fn start_feed(&mut self, at_us: u64) -> std::io::Result<()> {
        self.feeding.start(at_us)
    }

    /// A null server for this hub, on a port of its own.
    pub fn start_null(&self) -> std::io::Result<null::Null> {
        let address = SocketAddr::new(self.address.ip(), 0);
        null::start(address, self.hub.clone(), &self.stats)
    }

    /// Stops feed and server: `/readyz` says so first, streams are told after `notice`, get the drain deadline to end, and are cut then.
    pub async fn stop_after(self, notice: Duration) {
        self.stop.announced.cancel();
        tokio::time::sleep(notice).await;
        // The recording ends with the feed, while streams are drained. It tells of its own panic.
        let _ = tokio::task::spawn_blocking(move || self.feeding.stop()).await;
        drop(self.pinger);
        self.stop.begun.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the accept loop ended badly");
        }
        if let Some(recorder) = self.recorder {
            // It waits for a bounded time, and tells of itself; that it panicked was printed by its thread.
            let _ = tokio::task::spawn_blocking(|| recorder.finish()).await;
        }
    }

    /// The same at once.
    pub async fn stop(self) {
        self.stop_after(Duration::ZERO).await;
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
