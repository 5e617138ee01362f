//! Where updates come from: a schedule of match events with due times fixed in advance (open loop).
//!
//! ```text
//! simulated | replay -> Feed (matches + events in order of due time) -> driver thread: sleeps until due -> sink (the hub)
//! ```
//!
//! A late tick is handed out at once, keeps its due time and shifts nothing after it. The feed knows no hub, no topic log and
//! no sockets: it hands each event to a closure.

use std::{borrow::Cow, time::Duration};

/// A match: one topic of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// `match-1`, `match-2` … in the feed's order.
    pub topic: String,
    pub home: String,
    pub away: String,
}

/// One event of one match, with the score after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it should be handed out, counted from the start of the feed.
    pub due: Duration,
    /// Index into [`Feed::matches`].
    pub topic: usize,
    pub home_score: u16,
    pub away_score: u16,
    pub minute: u16,
    /// `kick_off`, `clock`, `chance`, `goal`, … (kinds are listed in [`kind`]).
    pub event: &'static str,
    /// Who did it; empty where nobody did.
    pub player: Cow<'static, str>,
}

/// Matches and their events in order of due time; the iterator may be endless.
pub struct Feed {
    pub matches: Vec<Match>,
    pub events: Box<dyn Iterator<Item = Event> + Send>,
}
