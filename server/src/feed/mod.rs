//! Where updates come from: a schedule of match events with due times fixed in advance (open loop).
//!
//! ```text
//! simulated | replay | recording -> Feed (matches + events in order of due time) -> driver thread: sleeps
//! until due -> Sink (the hub, and a recording where one is made)
//! ```
//!
//! A late tick is handed out at once, keeps its due time and shifts nothing after it. The feed knows no hub, no log and no
//! sockets: it hands each event to a [`Sink`]. What is due when comes from the schedule alone, never from who listens.

pub mod driver;
pub mod kind;
pub mod recording;
pub mod replay;
pub mod simulated;

use std::{borrow::Cow, time::Duration};

pub use driver::{Driver, DriverPanicked, End, Sink, drive};
pub use replay::{Replay, ReplayError, ReplayKind};
pub use simulated::{Arrivals, Simulated, SimulatedError};

/// A match: one topic of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// `match-1`, `match-2` … in the feed's order.
    pub topic: String,
    pub home: String,
    pub away: String,
}

impl Match {
    /// The match at `index` of a feed: the one place that knows how topics are called.
    fn new(index: usize, home: impl Into<String>, away: impl Into<String>) -> Self {
        Match {
            topic: format!("match-{}", index + 1),
            home: home.into(),
            away: away.into(),
        }
    }
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
    /// Minute of the match, stoppage time counted into 45, 90, 105 or 120.
    pub minute: u16,
    /// One of [`kind::ALL`].
    pub event: &'static str,
    /// Who did it; empty where nobody did. For [`kind::SHOOTOUT_RESULT`] the result, as in `4-2`.
    pub player: Cow<'static, str>,
}

/// Events in order of due time; those due together in a fixed order. May be endless.
pub type Events = Box<dyn Iterator<Item = Event> + Send>;

/// Matches and their events, ready for [`drive`].
pub struct Feed {
    pub matches: Vec<Match>,
    pub events: Events,
    /// How far the events reach; `None` when there is no last one: endless, or silent for ever.
    pub extent: Option<Extent>,
    /// What an encoded update must at least have room for.
    pub longest: Longest,
    /// What its source says besides.
    pub source: Source,
}

/// What the source of a feed says besides its events; nothing, where matches are invented.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// How each match ended, in the feed's order; empty where the source does not know.
    pub results: Vec<MatchResult>,
    /// What whoever plays it should be told, in words.
    pub remarks: Vec<String>,
}

/// How a match ended, by its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchResult {
    /// After the last minute played, home side first; a shoot-out does not count.
    pub score: [u16; 2],
    pub extra_time: bool,
    pub shootout: Option<[u8; 2]>,
    /// Like `2022-12-18T15:00:00Z`.
    pub kick_off: Option<String>,
}

/// How far a feed that ends reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub events: usize,
    /// Due time of the last event, counted from the start of the feed.
    pub length: Duration,
}

/// The worst case of a feed: encoded as JSON with the same times and positions, none of its updates takes more bytes than
/// this one. Whoever pads updates to a fixed size encodes it to learn the smallest size that can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Longest {
    pub of: Match,
    pub event: Event,
}

impl Feed {
    /// A feed of events that are all known. They need not be in order; of those due together, the lower topic comes first,
    /// and within a topic the order given stays.
    fn finite(matches: Vec<Match>, mut events: Vec<Event>) -> Self {
        events.sort_by_key(|event| (event.due, event.topic));
        Self::in_order(matches, events)
    }

    /// A feed of events that are all known and in order of due time; those due together stay as they are.
    fn in_order(matches: Vec<Match>, events: Vec<Event>) -> Self {
        let extent = Extent {
            events: events.len(),
            length: events.last().map_or(Duration::ZERO, |event| event.due),
        };
        let longest = Longest::among(&matches, &events);
        Feed {
            matches,
            events: Box::new(events.into_iter()),
            extent: Some(extent),
            longest,
            source: Source::default(),
        }
    }
}

impl Longest {
    fn among(matches: &[Match], events: &[Event]) -> Self {
        let bytes = |event: &&Event| {
            let of = &matches[event.topic];
            let texts = [&of.topic, &of.home, &of.away, event.event, &event.player].map(encoded_bytes);
            let numbers = [event.home_score, event.away_score, event.minute].map(|n| n.to_string().len());
            texts.iter().sum::<usize>() + numbers.iter().sum::<usize>()
        };
        let Some(event) = events.iter().max_by_key(bytes) else {
            let of = Match {
                topic: String::new(),
                home: String::new(),
                away: String::new(),
            };
            return Longest {
                of,
                event: blank_event(),
            };
        };
        Longest {
            of: matches[event.topic].clone(),
            event: event.clone(),
        }
    }
}

/// What takes no room at all: the longest of no events.
fn blank_event() -> Event {
    Event {
        due: Duration::ZERO,
        topic: 0,
        home_score: 0,
        away_score: 0,
        minute: 0,
        event: "",
        player: Cow::Borrowed(""),
    }
}

/// Size of a text within an encoded update: escaped, quotes included.
fn encoded_bytes(text: &str) -> usize {
    // A string always encodes; six bytes a byte ("\u0000") is the worst JSON can make of it.
    serde_json::to_string(text).map_or(text.len() * 6 + 2, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finite_feed_is_in_order_and_knows_its_extent() {
        let at = |ms, topic, event| Event {
            due: Duration::from_millis(ms),
            topic,
            event,
            ..blank_event()
        };
        let matches = vec![Match::new(0, "A", "B"), Match::new(1, "C", "D")];
        let events = vec![
            at(5, 1, "x"),
            at(9, 0, "last"),
            at(5, 0, "first"),
            at(5, 0, "second"),
            at(0, 1, "start"),
        ];
        let feed = Feed::finite(matches, events);
        assert_eq!(
            feed.extent,
            Some(Extent {
                events: 5,
                length: Duration::from_millis(9)
            })
        );
        let order: Vec<_> = feed.events.map(|event| event.event).collect();
        assert_eq!(order, ["start", "first", "second", "x", "last"]);
    }

    #[test]
    fn the_longest_is_measured_as_encoded() {
        let by = |player| Event {
            player: Cow::Borrowed(player),
            ..blank_event()
        };
        let matches = vec![Match::new(0, "A", "B")];
        // Four bytes as text, but 24 once escaped.
        let longest = Longest::among(
            &matches,
            &[by("twenty bytes of text"), by("\u{1}\u{1}\u{1}\u{1}"), by("")],
        );
        assert_eq!(longest.event.player, "\u{1}\u{1}\u{1}\u{1}");
        assert_eq!(Longest::among(&[], &[]).event, blank_event());
    }
}
