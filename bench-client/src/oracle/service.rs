//! What arithmetic can't know: how long a machine takes. An allowance instead, in named constants, each with its reason.
//!
//! Predictions stand at a service of nothing, and their ranges reach up to the allowance: a figure beyond it says that server,
//! client or path took longer than this. What is not marked as assumed comes from the committed run in `results/curated`: two
//! cores that client and server share.

use super::feed::Feed;
use crate::{
    record::{FeedPlan, Plan},
    transports::Asks,
};

/// Assumed: a timer's tick, and a few slices of a scheduler that has other things to do. An idle machine needs one of them: the last
/// of 50,000 short polls was 1 ms late.
const BASE_S: f64 = 20e-3;
/// 2,000 clients were told within 19 to 27 ms at p99, at most 13 µs each; over twice that.
const PUSH_S: f64 = 35e-6;
/// 2,000 long polls were answered within 59 to 74 ms at p99, at most 37 µs each; over twice that.
const EXCHANGE_S: f64 = 100e-6;
/// Assumed: a connect and an accept on top cost as much as two exchanges more.
const FRESH_CONNECTION: f64 = 3.0;
/// Assumed: a byte is copied four times between the processes, at a gigabyte a second each time.
const PER_BYTE_S: f64 = 4e-9;
/// Assumed: of random updates, two more may be under way when one comes.
const RANDOM: f64 = 3.0;
/// Answers to a burst: a long poll that saw its first update asks again for the rest.
const EXCHANGES_PER_BURST: f64 = 2.0;
/// Assumed, for a network between: a round trip around the world, and one lost packet sent again.
const REMOTE_S: f64 = 1.0;
/// Polls spread evenly queue for nothing until they take half of the time there is.
const ROOM: f64 = 0.5;

/// The allowance of a row.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    base_s: f64,
    /// Until the last of all clients is served that are due at once.
    round_s: f64,
}

impl Service {
    /// `feed`: where the plan says how updates come. `update_bytes`: how long they are, about.
    pub fn of(plan: &Plan, asks: Asks, feed: Option<&Feed>, update_bytes: f64) -> Self {
        let clients = f64::from(plan.clients);
        let fresh = if plan.keep_alive { 1.0 } else { FRESH_CONNECTION };
        let update_s = update_bytes * PER_BYTE_S;
        // Clients told at once, and of how many updates each.
        let (told, updates) = match (feed, &plan.feed) {
            (Some(feed), _) => (feed.on_busiest_topic(), f64::from(feed.at_once)),
            // The matches of a replay tick in the same instant.
            (None, FeedPlan::Replay { topics, .. }) if plan.follow == crate::record::Follow::All => {
                (clients, f64::from(*topics))
            }
            (None, _) => (clients, 1.0),
        };
        let each_s = match asks {
            Asks::Once => updates * (PUSH_S + update_s),
            Asks::EveryUpdate => EXCHANGE_S * fresh * updates.min(EXCHANGES_PER_BURST) + updates * update_s,
            Asks::EveryInterval => {
                let waiting = feed.map_or(0.0, Feed::per_client_hz) * plan.poll_interval().as_secs_f64();
                let each_s = EXCHANGE_S * fresh + waiting * update_s;
                let busy = clients * each_s / plan.poll_interval().as_secs_f64();
                (busy - ROOM).max(0.0) * each_s
            }
        };
        let random = if feed.is_some_and(|feed| feed.random) {
            RANDOM
        } else {
            1.0
        };
        Self {
            base_s: BASE_S + if plan.remote { REMOTE_S } else { 0.0 },
            round_s: told * each_s * random,
        }
    }

    /// When a share `q` of the clients has been served.
    pub fn at_s(&self, q: f64) -> f64 {
        self.base_s + q * self.round_s
    }

    /// When all have.
    pub fn last_s(&self) -> f64 {
        self.at_s(1.0)
    }
}
