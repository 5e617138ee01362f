//! Reads a recording and checks every line of it.
//!
//! Its last line may be torn, where a recording server was killed: what stands before is played, and said to be all there is.
//! Any other line that is not as it should be is a fault with its number.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, BufRead, Read},
    time::Duration,
};

use super::{MAX_AT_US, MAX_LINE_BYTES, MAX_UPDATES, UpdateLine, header};
use crate::feed::{
    Event, Feed, MatchResult, kind,
    replay::{BYTE_ORDER_MARK, worldcup::MAX_NAME_BYTES},
};

const UPDATE: &str =
    r#"an update, {"at_us":…,"topic":…,"home_score":…,"away_score":…,"minute":…,"event":…,"player":…}"#;
/// A minute beyond any match; the feed's own end at 120.
const MAX_MINUTE: u16 = 999;

/// A line that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}; found {found}")]
pub struct LineFault {
    /// Counted from 1.
    pub line: u64,
    pub expected: String,
    pub found: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Line(#[from] LineFault),
}

/// A recording, ready to be played.
pub struct Recorded {
    pub feed: Feed,
    /// Size every update was filled up to.
    pub update_bytes: Option<u32>,
}

/// Reads all of it, `speed` times as fast as it was recorded.
pub fn read(file: impl BufRead, speed: f64) -> Result<Recorded, ReadError> {
    let mut lines = Lines {
        file,
        number: 0,
        text: Vec::new(),
    };
    lines.next()?;
    let text = lines.text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&lines.text);
    let (matches, update_bytes) = header::read(text).map_err(|mismatch| lines.fault(mismatch))?;
    let topics: HashMap<_, _> = matches
        .iter()
        .enumerate()
        .map(|(i, one)| (one.topic.clone(), i))
        .collect();
    let mut events: Vec<Event> = Vec::new();
    let mut from_us = 0;
    let mut torn = None;
    while lines.next()? {
        if events.len() as u64 >= MAX_UPDATES {
            let most = format!("the end: {MAX_UPDATES} updates are the most");
            return Err(lines.fault(Mismatch::new(most, "one more")).into());
        }
        match update(&lines.text, &topics, from_us) {
            Ok((at_us, mut event)) => {
                from_us = at_us;
                event.due = due(at_us, speed);
                events.push(event);
            }
            Err(Wrong::Form(error)) if error.is_eof() && !lines.text.ends_with(b"\n") => torn = Some(lines.number),
            Err(Wrong::Form(error)) => return Err(lines.fault(Mismatch::new(UPDATE, without_line(&error))).into()),
            Err(Wrong::Content(mismatch)) => return Err(lines.fault(mismatch).into()),
        }
    }
    if events.is_empty() {
        return Err(lines.fault(Mismatch::new("at least one whole update", "none")).into());
    }
    let results = results(matches.len(), &events);
    let mut feed = Feed::in_order(matches, events);
    feed.source.results = results;
    feed.source.remarks.extend(torn.map(|line| {
        let before = feed.extent.map_or(0, |extent| extent.events);
        format!(
            "line {line}: the recording is cut off in the middle of this line, and played up to there: {before} updates"
        )
    }));
    Ok(Recorded { feed, update_bytes })
}

/// To the µs at any speed, because due times are.
fn due(at_us: u64, speed: f64) -> Duration {
    let us = if speed == 1.0 {
        at_us
    } else {
        (at_us as f64 / speed).round() as u64
    };
    Duration::from_micros(us)
}

/// The file line by line; a line that never ends is not read to its end.
struct Lines<F> {
    file: F,
    /// Of the line in `text`, from 1.
    number: u64,
    /// With its end, if it has one.
    text: Vec<u8>,
}

impl<F: BufRead> Lines<F> {
    /// Whether there is a next line.
    fn next(&mut self) -> Result<bool, ReadError> {
        self.text.clear();
        let read = (&mut self.file)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut self.text)?;
        self.number += u64::from(read > 0);
        if read as u64 == MAX_LINE_BYTES && !self.text.ends_with(b"\n") {
            let most = format!("a line of at most {MAX_LINE_BYTES} bytes");
            return Err(self.fault(Mismatch::new(most, "a longer one")).into());
        }
        Ok(read > 0)
    }

    fn fault(&self, Mismatch { expected, found }: Mismatch) -> LineFault {
        LineFault {
            // An empty file has no line; what it lacks is the first.
            line: self.number.max(1),
            expected,
            found,
        }
    }
}

/// Why a line is no update.
enum Wrong {
    /// Not even JSON, or not of this form.
    Form(serde_json::Error),
    Content(Mismatch),
}

impl From<Mismatch> for Wrong {
    fn from(mismatch: Mismatch) -> Self {
        Wrong::Content(mismatch)
    }
}

/// What a line should say, and what it says.
pub(super) struct Mismatch {
    expected: String,
    found: String,
}

impl Mismatch {
    pub fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// When it was due, µs after the start, and the event, due when the caller says.
fn update(text: &[u8], topics: &HashMap<String, usize>, from_us: u64) -> Result<(u64, Event), Wrong> {
    let line: UpdateLine = serde_json::from_slice(text).map_err(Wrong::Form)?;
    let quoted = |text: &str| format!("{:?}", short(text));
    if line.at_us < from_us {
        let expected = format!("at_us of at least {from_us}, as in the line before");
        return Err(Mismatch::new(expected, line.at_us.to_string()).into());
    }
    if line.at_us > MAX_AT_US {
        let expected = format!("at_us of at most {MAX_AT_US}, which is thirty days");
        return Err(Mismatch::new(expected, line.at_us.to_string()).into());
    }
    let topic = topics.get(line.topic.as_ref());
    let topic = *topic.ok_or_else(|| Mismatch::new("a topic of the first line", quoted(&line.topic)))?;
    let event = kind::ALL.iter().find(|kind| **kind == line.event);
    let known = || format!("an event out of {}", kind::ALL.join(", "));
    let event = event.ok_or_else(|| Mismatch::new(known(), quoted(&line.event)))?;
    if line.minute > MAX_MINUTE {
        let expected = format!("a minute up to {MAX_MINUTE}");
        return Err(Mismatch::new(expected, line.minute.to_string()).into());
    }
    if !line.player.is_empty() {
        name(&line.player, "a player")?;
    }
    let event = Event {
        due: Duration::ZERO,
        topic,
        home_score: line.home_score,
        away_score: line.away_score,
        minute: line.minute,
        event,
        player: Cow::Owned(line.player.into_owned()),
    };
    Ok((line.at_us, event))
}

/// Refuses a name that is empty or too long.
pub(super) fn name(text: &str, whose: &str) -> Result<(), Mismatch> {
    match (1..=MAX_NAME_BYTES).contains(&text.len()) {
        true => Ok(()),
        false => Err(Mismatch::new(
            format!("{whose} with names of 1 to {MAX_NAME_BYTES} bytes"),
            format!("{:?} ({} bytes)", short(text), text.len()),
        )),
    }
}

/// A message must not carry half the file.
pub(super) fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// serde_json counts lines within what it was given, which was one line.
pub(super) fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(words) => format!("{words} (column {})", error.column()),
        None => text,
    }
}

/// What every topic's last update says, as far as it was recorded.
fn results(topics: usize, events: &[Event]) -> Vec<MatchResult> {
    let mut results = vec![
        MatchResult {
            score: [0, 0],
            extra_time: false,
            shootout: None,
            kick_off: None,
        };
        topics
    ];
    for event in events {
        let result = &mut results[event.topic];
        result.score = [event.home_score, event.away_score];
        result.extra_time = event.minute > 90;
        result.shootout = kind::shootout(event.event, &event.player);
    }
    results
}
