//! A real server in this process, with a feed that can be held up at will.
//!
//! ```text
//! simulated season -> Blocking (waits once, when told) -> server::start -> http://127.0.0.1:port
//! ```
//!
//! Its feed has been running for a while when the first client comes: offsets have four digits throughout, so two runs of one
//! technique exchange the same bytes to the last digit.

use std::{net::SocketAddr, thread, time::Duration};

use server::{
    FeedDescription, Running,
    clock::Clock,
    feed::{Arrivals, Events, Simulated},
};
use tokio::runtime::{Builder, Runtime};

use crate::support::{counter, settings, stats};

pub const RATE_HZ: f64 = 50.0;
/// Time between two updates.
pub const GAP_US: u64 = 20_000;
pub const UPDATE_BYTES: u32 = 400;
/// 1,250 updates.
pub const RUNNING_SINCE_US: u64 = 25_000_000;
/// Enough for held polls beside the one that holds the hub.
const WORKERS: usize = 4;

/// The server; gone when it is dropped.
pub struct Origin {
    pub running: Running,
    pub address: SocketAddr,
    pub clock: Clock,
    runtime: Runtime,
}

impl Origin {
    pub fn start() -> Self {
        Self::with(RUNNING_SINCE_US, |events, _| events)
    }

    /// Its feed is what `change` makes of the season's events; it began so long ago.
    pub fn with(since_us: u64, change: impl FnOnce(Events, Clock) -> Events) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .enable_all()
            .build()
            .expect("a runtime");
        // The server takes its own offset a moment later; µs between the two do not matter to a fault of ms.
        let clock = Clock::start();
        let seed = 1;
        let season = Simulated {
            topics: 1,
            rate_hz: RATE_HZ,
            arrivals: Arrivals::Regular,
            seed,
        };
        let mut feed = season.feed().expect("a valid season");
        feed.events = change(feed.events, clock);
        let description = FeedDescription {
            kind: "simulated".into(),
            topics: 1,
            rate_hz: Some(RATE_HZ),
            arrivals: Some("regular".into()),
            seed: Some(seed),
            speed: None,
            update_bytes: Some(UPDATE_BYTES),
        };
        let running = runtime.block_on(async {
            let mut running = server::start(feed, description, settings()).expect("port 0 is always free");
            let at_us = running.hub.clock.now_us() - since_us;
            running.start_feed(at_us).expect("the feed's thread starts");
            running
        });
        Self {
            address: running.address,
            clock: running.hub.clock,
            running,
            runtime,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests for a transport, by the server's own count.
    pub fn requests(&self, transport: &str) -> u64 {
        let stats = self.runtime.block_on(stats(self.address));
        counter(&stats, transport, "requests") as u64
    }

    /// When the first update after this is due.
    pub fn due_after(&self, at_us: u64) -> u64 {
        let recent = self.running.hub.published(at_us - 10 * GAP_US, at_us, true);
        let last = recent.topics[0].updates.last().expect("the feed runs").due_us;
        last + ((at_us - last) / GAP_US + 1) * GAP_US
    }
}

/// The season, except that asking for the first event after `from_us` takes `length` longer.
pub fn blocking(events: Events, clock: Clock, from_us: u64, length: Duration) -> Events {
    let mut blocked = false;
    Box::new(events.inspect(move |_| {
        if !blocked && clock.now_us() >= from_us {
            blocked = true;
            thread::sleep(length);
        }
    }))
}
