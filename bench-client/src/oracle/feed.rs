//! The feed as arithmetic sees it: what is due when, and what a client that looks now and then finds.
//!
//! ```text
//! Plan -> Feed: ticks in and around the window, updates per look, age of the newest one
//! ```
//!
//! `R` is the rate per topic, `T` the number of topics, `N` of clients, `W` the window's length, `P` an interval.
//!
//! * **Regular**: turn `k` is due at `k/(T·R)` and brings one update of topic `k mod T`; **burst**: at `k·B/(T·R)`, with `B` updates
//!   at once. Everything about them is exact: the window opens halfway between two turns. `G = T·turn` lies between two of one topic.
//! * **Poisson**: due times are independent of each other and of everybody who looks. Whoever looks at any moment sees what time
//!   shows on average (PASTA: Wolff, *Poisson Arrivals See Time Averages*, Operations Research 30, 1982), so expectations are
//!   integrals, and a count of mean `m` has the standard deviation `√m`.
//!
//! A look every `P` at a phase of its own finds nothing new when no turn fell between it and the one before. With turns a client
//! follows every `g`:
//!
//! ```text
//! regular, burst   1 − min(1, P/g)            the share of phases whose interval lies between two turns
//! poisson          e^(−λP)                    λ = rate of all the client follows
//! ```

use super::range::Range;
use crate::{
    record::{Arrivals, FeedPlan, Follow, Mode, Plan},
    run::window::{tick_gap_us, window},
};

/// Due times are whole microseconds: a turn on the window's edge may fall on either side of it.
const EDGE_S: f64 = 2e-6;
/// Pieces that an integral over random arrivals is cut into.
const PIECES: u32 = 4_096;

/// A feed whose rate the plan knows, and the window that is cut out of it. Times are seconds since T0.
#[derive(Debug, Clone)]
pub struct Feed {
    pub clients: u32,
    pub topics: u32,
    /// Every client follows every topic.
    pub all: bool,
    /// Updates per second and topic; 0 is silence.
    pub rate_hz: f64,
    pub random: bool,
    /// Updates due at once.
    pub at_once: u32,
    pub latest: bool,
    /// T0 since the feed began.
    pub since_start_s: f64,
    pub window_s: f64,
}

impl Feed {
    /// The plan's feed with a window of this length; None where the plan does not say how updates come.
    pub fn of(plan: &Plan, window_s: f64) -> Option<Self> {
        let FeedPlan::Simulated {
            topics,
            rate_hz,
            arrivals,
            burst_size,
            ..
        } = plan.feed
        else {
            return None;
        };
        Some(Self {
            clients: plan.clients,
            topics,
            all: plan.follow == Follow::All,
            rate_hz,
            random: arrivals == Arrivals::Poisson,
            at_once: if arrivals == Arrivals::Burst { burst_size } else { 1 },
            latest: plan.mode == Mode::Latest,
            since_start_s: window(plan, 0, tick_gap_us(&plan.feed)).from_us as f64 / 1e6,
            window_s,
        })
    }

    pub fn is_silent(&self) -> bool {
        self.rate_hz == 0.0
    }

    /// Topics one client follows.
    pub fn followed(&self) -> f64 {
        if self.all { f64::from(self.topics) } else { 1.0 }
    }

    /// Topics that anybody follows: so many independent feeds.
    pub fn streams(&self) -> f64 {
        let topics = if self.all {
            self.topics
        } else {
            self.topics.min(self.clients)
        };
        f64::from(topics)
    }

    /// Updates per second that one client is due.
    pub fn per_client_hz(&self) -> f64 {
        self.rate_hz * self.followed()
    }

    /// Between two turns of the feed.
    pub fn turn_s(&self) -> f64 {
        f64::from(self.at_once) / (f64::from(self.topics) * self.rate_hz)
    }

    /// Between two turns of one topic.
    pub fn topic_gap_s(&self) -> f64 {
        f64::from(self.at_once) / self.rate_hz
    }

    /// Between two turns of what one client follows; on average, where they are random.
    pub fn followed_gap_s(&self) -> f64 {
        f64::from(self.at_once) / self.per_client_hz()
    }

    /// Clients that follow a topic: client i follows i mod T.
    pub fn on_topic(&self, topic: u64) -> f64 {
        let topics = u64::from(self.topics);
        if self.all {
            return f64::from(self.clients);
        }
        let clients = u64::from(self.clients);
        (clients / topics + u64::from(topic % topics < clients % topics)) as f64
    }

    /// Most clients on one topic.
    pub fn on_busiest_topic(&self) -> f64 {
        self.on_topic(0)
    }

    /// Numbers of the turns due in `[from_s, to_s)`.
    fn turns(&self, from_s: f64, to_s: f64) -> std::ops::Range<u64> {
        if self.is_silent() {
            return 0..0;
        }
        let first_from = |at_s: f64| ((self.since_start_s + at_s) / self.turn_s()).ceil().max(0.0) as u64;
        first_from(from_s)..first_from(to_s)
    }

    /// When updates are due in `[from_s, to_s)`, and how many pairs of a client and an update that makes. Random ones: their
    /// density, in pieces.
    pub fn due(&self, from_s: f64, to_s: f64) -> Vec<(f64, f64)> {
        let from_s = from_s.max(-self.since_start_s);
        if self.random && !self.is_silent() && to_s > from_s {
            let piece_s = (to_s - from_s) / f64::from(PIECES);
            let pairs = f64::from(self.clients) * self.per_client_hz() * piece_s;
            let pieces = (0..PIECES).map(|piece| (from_s + (f64::from(piece) + 0.5) * piece_s, pairs));
            return pieces.collect();
        }
        let updates = f64::from(self.at_once);
        let turns = self.turns(from_s, to_s);
        let turn = |turn: u64| {
            let at_s = turn as f64 * self.turn_s() - self.since_start_s;
            (at_s, updates * self.on_topic(turn))
        };
        turns.map(turn).collect()
    }

    /// A count of pairs, and what it may be because arrivals are random: one update makes many pairs, which come or miss together.
    pub fn by_chance(&self, pairs: f64) -> Range {
        let each = f64::from(self.clients) * self.followed() / self.streams();
        self.count_by_chance(pairs / each).scaled(each)
    }

    /// The same for a count of updates: of mean m, its deviation is √m and its skewness 1/√m.
    pub fn count_by_chance(&self, updates: f64) -> Range {
        if self.random && updates > 0.0 {
            Range::by_chance(updates, updates.sqrt(), 1.0 / updates.sqrt())
        } else {
            Range::exact(updates)
        }
    }

    /// Updates due in the window: `T·R·W`, whole turns where they are even.
    pub fn published(&self) -> Range {
        let mean = f64::from(self.topics) * self.rate_hz * self.window_s;
        if self.random {
            return self.count_by_chance(mean);
        }
        let until = |to_s: f64| self.turns(0.0, to_s).count() as f64 * f64::from(self.at_once);
        let edge = |by_s: f64| until(self.window_s + by_s);
        Range::between(edge(0.0), edge(-EDGE_S), edge(EDGE_S))
    }

    /// The same for every client that follows them.
    pub fn expected(&self) -> Range {
        let until = |to_s: f64| self.due(0.0, to_s).iter().map(|(_, pairs)| pairs).sum::<f64>();
        let mean = until(self.window_s);
        let edge = |by_s: f64| until(self.window_s + by_s);
        Range::between(mean, edge(-EDGE_S), edge(EDGE_S)).spread_like(self.by_chance(mean))
    }

    /// Pairs of what is due in `[from_s, W)` and received in the window: a look every `interval_s` (0: at once), `service_s` later.
    pub fn received(&self, from_s: f64, interval_s: f64, service_s: f64) -> f64 {
        let due = self.due(from_s, self.window_s);
        let received = due
            .iter()
            .map(|(at_s, pairs)| pairs * self.share_received(at_s + service_s, interval_s));
        received.sum()
    }

    /// The share of phases whose first look after `at_s` falls into the window, before a newer update in mode latest.
    fn share_received(&self, at_s: f64, interval_s: f64) -> f64 {
        if interval_s == 0.0 {
            return f64::from(u8::from((0.0..self.window_s).contains(&at_s)));
        }
        let from = (-at_s).clamp(0.0, interval_s);
        let to = (self.window_s - at_s).clamp(0.0, interval_s);
        if !self.latest {
            return (to - from) / interval_s;
        }
        if self.random {
            // Not jumped over after x: e^(−Rx).
            let kept = |x: f64| -(-self.rate_hz * x).exp() / self.rate_hz;
            return (kept(to) - kept(from)) / interval_s;
        }
        let until = to.min(self.topic_gap_s());
        (until - from).max(0.0) / interval_s / f64::from(self.at_once)
    }

    /// True when an interval before T0 lies within the feed, so that the window is steady from its start.
    pub fn is_steady(&self, interval_s: f64) -> bool {
        self.since_start_s >= interval_s
    }

    /// The share of looks, one every `interval_s`, that find nothing new. `jitter_s`: how much closer or further apart two looks may be.
    pub fn empty_share(&self, interval_s: f64, jitter_s: f64) -> Range {
        if self.is_silent() {
            return Range::exact(1.0);
        }
        if !self.random {
            let share = |interval_s: f64| 1.0 - (interval_s.max(0.0) / self.followed_gap_s()).min(1.0);
            return Range::between(
                share(interval_s),
                share(interval_s + jitter_s),
                share(interval_s - jitter_s),
            );
        }
        // Intervals that overlap are alike: the time over which "nothing in the last P" averages out has this variance.
        let (rate, empty) = (self.per_client_hz(), (-self.per_client_hz() * interval_s).exp());
        let alike = 2.0 * (empty * (1.0 - empty) / rate - interval_s * empty * empty);
        let feeds = self.streams() / self.followed();
        let deviation = (alike.max(0.0) / (self.window_s * feeds)).sqrt();
        // Few gaps are longer than P, and what they are longer by is exponential: a sum of m such has the skewness 3/√(2m).
        let long_gaps = rate * self.window_s * feeds * empty;
        let range = Range::by_chance(empty, deviation, 3.0 / (2.0 * long_gaps).sqrt()).wider(empty * rate * jitter_s);
        Range::between(empty, range.low, range.high.min(1.0))
    }

    /// Updates a client's position in the log has before `at_s`: what its cursor says.
    pub fn offset_at(&self, at_s: f64) -> f64 {
        if self.is_silent() {
            return 0.0;
        }
        let since_start_s = (self.since_start_s + at_s).max(0.0);
        if self.random {
            return f64::from(self.topics) * self.rate_hz * since_start_s;
        }
        self.turns(-self.since_start_s, at_s).count() as f64 * f64::from(self.at_once)
    }
}
