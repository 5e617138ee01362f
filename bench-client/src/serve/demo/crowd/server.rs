//! What the server costs while crowds are there: its own process, so that crowds are not in it. The page's requests are, and so are
//! the delayed paths and recordings of the wire, which run in it too.
//!
//! ```text
//! CPU clock, deliveries of every transport -> each second: what came since the last -> the newest is kept
//! ```

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use server::{
    http::App,
    stats::{cpu_seconds, resident_bytes},
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior},
};

/// What a figure is of.
const EVERY: Duration = Duration::from_secs(1);

/// The server's share of `GET /api/demo/crowd`; rates are of the last second.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ServerFigures {
    /// Of one core; None until it has run for a second.
    pub cpu_share: Option<f64>,
    /// Per update written to anyone, by whatever transport; None where there was none.
    pub cpu_us_per_update: Option<f64>,
    pub rss_bytes: Option<u64>,
    /// Open now, those of the page included.
    pub connections: i64,
}

/// Keeps the figures new until the server stops.
pub fn watch(app: &Arc<App>) -> watch::Receiver<ServerFigures> {
    let (told, figures) = watch::channel(ServerFigures::default());
    let app = app.clone();
    app.stop.tasks.clone().spawn(async move {
        let mut second = tokio::time::interval(EVERY);
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Moment::now(&app);
        loop {
            tokio::select! {
                () = app.stop.begun.cancelled() => return,
                _ = second.tick() => {}
            }
            let now = Moment::now(&app);
            told.send_replace(now.since(&last, &app));
            last = now;
        }
    });
    figures
}

struct Moment {
    at: Instant,
    cpu_s: f64,
    deliveries: u64,
}

impl Moment {
    fn now(app: &App) -> Self {
        Self {
            at: Instant::now(),
            cpu_s: cpu_seconds(),
            deliveries: app.transports.iter().map(|(_, stats)| stats.deliveries.get()).sum(),
        }
    }

    fn since(&self, last: &Self, app: &App) -> ServerFigures {
        let elapsed_s = self.at.duration_since(last.at).as_secs_f64();
        let cpu_s = self.cpu_s - last.cpu_s;
        let deliveries = self.deliveries - last.deliveries;
        // The first look is no second long.
        let whole = elapsed_s >= EVERY.as_secs_f64() / 2.0;
        ServerFigures {
            cpu_share: whole.then(|| cpu_s / elapsed_s),
            cpu_us_per_update: (whole && deliveries > 0).then(|| cpu_s * 1e6 / deliveries as f64),
            rss_bytes: resident_bytes(),
            connections: app.stats.connections.get(),
        }
    }
}
