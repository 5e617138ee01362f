//! A recording: what a server published, as lines of JSON, so that it can be published again.
//!
//! ```text
//! write:  feed's thread -> Tap (never waits) -> bounded queue -> writer thread -> FILE
//! read:   FILE -> header, updates, each checked -> Feed, due as they were
//!
//! {"recording":"live score feed","version":1,"update_bytes":256,"topics":[{"topic":"match-1","home":"Torvik","away":"Åkerby"}]}
//! {"at_us":0,"topic":"match-1","home_score":0,"away_score":0,"minute":0,"event":"kick_off","player":""}
//! {"at_us":200000,"topic":"match-1","home_score":0,"away_score":0,"minute":1,"event":"shot","player":"Lunde"}
//! ```
//!
//! `at_us` is when an update was due, counted from the start of the feed: the schedule's time, because how late a server was is
//! no property of the feed. `seq` and `offset` are not in it: they are counted anew, from the same order, to the same numbers.
//! **A recording has no holes.** What cannot be written ends it; it is then the beginning of what was published.

mod header;
mod read;
mod write;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use read::{LineFault, ReadError, Recorded, read};
pub use write::{Counts, RecordError, Recorder, Tap};

/// Updates of one recording, written or read: a replay holds them all in memory, about 150 bytes each.
pub const MAX_UPDATES: u64 = 2_000_000;
/// Thirty days: nobody records longer.
pub const MAX_AT_US: u64 = 30 * 86_400 * 1_000_000;
/// The longest line, with its end: a header of 10,000 topics has room. An update takes a few hundred bytes.
pub const MAX_LINE_BYTES: u64 = 4 << 20;

/// Every other line: an update.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateLine<'a> {
    at_us: u64,
    #[serde(borrow)]
    topic: Cow<'a, str>,
    home_score: u16,
    away_score: u16,
    minute: u16,
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    player: Cow<'a, str>,
}

/// Whether a file that begins so is meant to be a recording, be it whole or not.
pub fn begins(start: &[u8]) -> bool {
    let after_mark = start.strip_prefix(super::replay::BYTE_ORDER_MARK).unwrap_or(start);
    let object = after_mark.trim_ascii_start().strip_prefix(b"{");
    object.is_some_and(|fields| fields.trim_ascii_start().starts_with(br#""recording""#))
}

#[cfg(test)]
mod tests;
