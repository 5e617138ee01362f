//! What travels: the shapes of the feed protocol, shared by the server and by every client written in Rust.
//!
//! This module knows serde alone: no sockets, no hub, no clock. Times are integers in µs since 1970 (see [`crate::clock`]).
//! It leaves out how the shapes are framed: that is each transport's own file.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

/// One event of a match with the score after it, exactly as it is encoded for every client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Update<'a> {
    /// The match, as clients ask for it in `?topic=`.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// Changes whenever the server starts anew; offsets and seqs of two epochs have nothing to do with each other.
    pub epoch: u64,
    /// Position in the hub's one log: contiguous over all topics, from 1.
    pub offset: u64,
    /// Position in this topic: contiguous, from 1. What clients check completeness by.
    pub seq: u64,
    /// When the schedule wanted this update out. Latency counts from here, so that a late server cannot hide.
    pub due_us: u64,
    /// When the hub handed it out.
    pub sent_us: u64,
    #[serde(borrow)]
    pub home: Cow<'a, str>,
    #[serde(borrow)]
    pub away: Cow<'a, str>,
    pub home_score: u16,
    pub away_score: u16,
    /// Minute of the match, stoppage time counted into 45, 90, 105 or 120.
    pub minute: u16,
    /// `kick_off`, `clock`, `goal` … (see [`crate::feed`]).
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// Who did it; empty where nobody did.
    #[serde(borrow)]
    pub player: Cow<'a, str>,
    /// Filler that brings the encoded update to the configured size.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub pad: Option<Cow<'a, str>>,
}

/// A position in the log, written `epoch-offset`: "I hold everything up to and including this."
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub epoch: u64,
    pub offset: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.offset)
    }
}

/// A cursor that is not two plain decimal numbers with a dash between.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed cursor {0:?}: expected EPOCH-OFFSET, two decimal numbers, for example 1763631127000-42")]
pub struct MalformedCursor(pub String);

impl FromStr for Cursor {
    type Err = MalformedCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `u64::from_str` would also take "+1".
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse::<u64>().ok()).flatten()
        };
        text.split_once('-')
            .and_then(|(epoch, offset)| {
                Some(Cursor {
                    epoch: number(epoch)?,
                    offset: number(offset)?,
                })
            })
            .ok_or_else(|| MalformedCursor(text.chars().take(80).collect()))
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Whether a client wants every update or only the newest one per topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every update, in order.
    #[default]
    Every,
    /// Only the newest update per topic counts; older ones may be jumped over.
    Latest,
}

/// Why a cursor could not be continued. Always said aloud, and always followed by the newest state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// Updates after the cursor have left the bounded log.
    Evicted,
    /// The cursor is of another start of the server.
    OtherEpoch,
    /// The cursor names an offset this epoch has not reached.
    Ahead,
}

/// The announcement that updates may be missing between the cursor and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    pub reason: ResetReason,
}

/// Answer of short-poll and long-poll, as a client reads it. Updates stay raw, so that their encoded size is known.
#[derive(Debug, Deserialize)]
pub struct PollAnswer<'a> {
    #[serde(borrow)]
    pub updates: Vec<&'a RawValue>,
    /// What to ask with next.
    pub cursor: Cursor,
    /// The answer was cut at its bound: ask again now.
    #[serde(default)]
    pub more: bool,
    #[serde(default)]
    pub reset: Option<Reset>,
}

/// WebSocket message that says a [`Reset`]; the newest state follows in messages of its own.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ResetMessage {
    pub reset: Reset,
    /// Just before the newest state that follows: it is not held yet.
    pub cursor: Cursor,
}

/// Who starts the transfer of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    Push,
    Poll,
}

/// What people need to know about a transport: written once, in the transport's server file, and carried from there
/// through `/api/transports` into run.json, reports and the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportDescription {
    /// Permanent, kebab-case: file names, URLs, CSV and charts use it.
    pub id: Cow<'static, str>,
    pub label: Cow<'static, str>,
    /// One sentence: how an update gets to the client.
    pub summary: Cow<'static, str>,
    pub delivery: Delivery,
    /// Whether a cut client can continue without loss.
    pub resumable: bool,
    /// Whether the client can send on the same connection.
    pub duplex: bool,
    pub browser_support: Cow<'static, str>,
    /// What surprises people in production.
    pub caveat: Cow<'static, str>,
}

/// `GET /api/clock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAnswer {
    pub now_us: u64,
    /// What the server adds to CLOCK_MONOTONIC. A client with the same `boot_id` adds the same and shares the clock.
    pub offset_us: i64,
    /// The kernel's boot id; empty where there is none.
    pub boot_id: String,
    pub epoch: u64,
}

/// `GET /api/runtime-lag?from_us&to_us`: how long pings written in `[from_us, to_us)` waited until the runtime read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeLagAnswer {
    pub lags_us: Vec<u64>,
}

/// `GET /api/published?from_us&to_us[&detail=true]`: what was published with a due time in `[from_us, to_us)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedAnswer {
    pub epoch: u64,
    pub from_us: u64,
    pub to_us: u64,
    /// True once nothing due before `to_us` can still be published.
    pub complete: bool,
    /// True when part of the range has left the bounded publish log: counts are then too small.
    pub truncated: bool,
    /// Every topic of the feed, in the feed's order.
    pub topics: Vec<PublishedTopic>,
}

/// What one topic published in the range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedTopic {
    pub topic: String,
    pub count: u64,
    pub first_seq: Option<u64>,
    pub last_seq: Option<u64>,
    /// Log offset of the last one.
    pub last_offset: Option<u64>,
    /// Only with `detail=true`: one entry per update, in order of seq.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<PublishedUpdate>,
}

/// One line of the publish log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedUpdate {
    pub seq: u64,
    pub due_us: u64,
    pub sent_us: u64,
}

/// Body of every 4xx and 5xx the server answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAnswer {
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_round_trip() {
        let cursor = Cursor {
            epoch: 1_763_631_127_000,
            offset: 42,
        };
        assert_eq!("1763631127000-42".parse(), Ok(cursor));
        assert_eq!(cursor.to_string(), "1763631127000-42");
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "+1-2",
            "1-+2",
            "1-2-3",
            " 1-2",
            "1-2 ",
            "a-b",
            "1.0-2",
            "99999999999999999999-1",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?} was taken for a cursor");
        }
    }
}
