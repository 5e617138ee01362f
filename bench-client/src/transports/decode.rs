//! The part of an update, or of a poll's answer, that measuring needs.
//!
//! ```text
//! JSON -> scan -+-> exactly as our server writes it -> Arrival ------+-> handed out
//!               `-> anything else -> serde_json, which decides ------'
//! the first of a session and one in CHECKED_IN_FULL: both, and they must agree
//! ```
//!
//! It is the client's measured path, so the scan goes once over the bytes and builds nothing. It knows one spelling, that of
//! [`server::wire::Update`] written by serde_json: these fields, in this order, no blanks, no escapes in what it reads. Whatever else is
//! right JSON is read by serde_json alone, and whatever is wrong is refused by it, in its words.

use std::{borrow::Cow, sync::Arc};

use serde::Deserialize;
use server::{
    feed::kind,
    wire::{Cursor, PollAnswer},
};

use super::{Arrival, Arrivals, SessionError, TopicIndex, not_understood};

/// One in so many updates (of a stream) or answers (to a poll) is read by serde_json as well.
const CHECKED_IN_FULL: u32 = 64;

/// Reads what one session gets.
pub struct Decoder {
    topics: Arc<TopicIndex>,
    /// The topic met first: most sessions follow one.
    known: Option<(Box<str>, u32)>,
    /// Updates or answers until the next is read in full.
    until_check: u32,
}

/// What an answer's body says besides its updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    pub cursor: Cursor,
    pub more: bool,
    pub updates: usize,
}

impl Decoder {
    pub fn new(topics: Arc<TopicIndex>) -> Self {
        Self {
            topics,
            known: None,
            until_check: 0,
        }
    }

    /// Decodes an encoded update.
    pub fn update(&mut self, json: &str, received_us: u64) -> Result<Arrival, SessionError> {
        let scanned = self.scan_update(json, received_us);
        match scanned {
            Some(arrival) if !self.is_checked() => Ok(arrival),
            None => self.full_update(json, received_us),
            Some(arrival) => match self.full_update(json, received_us)? {
                full if full == arrival => Ok(arrival),
                full => Err(disagree(json, &arrival, &full)),
            },
        }
    }

    /// Reads a poll's answer, whole or not at all: half of one would come again, and look like a duplicate.
    pub fn answer(&mut self, body: &[u8], received_us: u64, arrivals: &mut Arrivals) -> Result<Answered, SessionError> {
        let before = arrivals.updates.len();
        let scanned = std::str::from_utf8(body)
            .ok()
            .and_then(|body| self.scan_answer(body, received_us, arrivals));
        if let Some(answered) = scanned
            && !self.is_checked()
        {
            return Ok(answered);
        }
        let at_a_glance = arrivals.updates.split_off(before);
        let (answered, reset) = self.full_answer(body, received_us, arrivals).inspect_err(|_| {
            arrivals.updates.truncate(before);
        })?;
        let in_full = &arrivals.updates[before..];
        match scanned {
            Some(scanned) if scanned != answered || at_a_glance != in_full || reset => {
                let error = disagree("an answer", &(scanned, at_a_glance), &(answered, in_full));
                arrivals.updates.truncate(before);
                Err(error)
            }
            _ => {
                arrivals.reset |= reset;
                Ok(answered)
            }
        }
    }

    /// Whether the one at hand is one that is read in full.
    fn is_checked(&mut self) -> bool {
        let checked = self.until_check == 0;
        self.until_check = if checked { CHECKED_IN_FULL } else { self.until_check } - 1;
        checked
    }

    /// Index of a topic.
    fn topic(&mut self, name: &str) -> Option<u32> {
        match &self.known {
            Some((known, index)) if **known == *name => Some(*index),
            Some(_) => self.topics.get(name).copied(),
            None => {
                let index = *self.topics.get(name)?;
                self.known = Some((name.into(), index));
                Some(index)
            }
        }
    }

    fn full_update(&mut self, json: &str, received_us: u64) -> Result<Arrival, SessionError> {
        let head: Head<'_> = serde_json::from_str(json).map_err(|error| not_an_update(json, &error))?;
        let topic = self.topics.get(head.topic.as_ref());
        let topic = *topic.ok_or_else(|| not_understood(format!("an update of the unknown topic {:?}", head.topic)))?;
        Ok(Arrival {
            received_us,
            due_us: head.due_us,
            cursor: Cursor {
                epoch: head.epoch,
                offset: head.offset,
            },
            seq: head.seq,
            topic,
            bytes: json.len() as u32,
            home_score: head.home_score,
            away_score: head.away_score,
            shootout: kind::shootout(&head.event, &head.player),
        })
    }

    /// Returns whether a reset was said, too.
    fn full_answer(
        &mut self,
        body: &[u8],
        received_us: u64,
        arrivals: &mut Arrivals,
    ) -> Result<(Answered, bool), SessionError> {
        let answer: PollAnswer<'_> = serde_json::from_slice(body)
            .map_err(|error| not_understood(format!("the answer is no batch of updates: {error}")))?;
        let updates = answer.updates.len();
        if answer.more && updates == 0 {
            // Asking again at once would ask for ever.
            return Err(SessionError::Protocol(
                "the answer says that there is more, and brings nothing".into(),
            ));
        }
        for update in &answer.updates {
            arrivals.updates.push(self.full_update(update.get(), received_us)?);
        }
        let answered = Answered {
            cursor: answer.cursor,
            more: answer.more,
            updates,
        };
        Ok((answered, answer.reset.is_some()))
    }

    /// None: not spelled as expected, or of no topic known here.
    fn scan_update(&mut self, json: &str, received_us: u64) -> Option<Arrival> {
        let mut scan = Scan(json);
        let arrival = self.scan_one(&mut scan, received_us)?;
        scan.0.is_empty().then_some(arrival)
    }

    /// The updates up to the end of the list are appended even when None comes of it.
    fn scan_answer(&mut self, body: &str, received_us: u64, arrivals: &mut Arrivals) -> Option<Answered> {
        let before = arrivals.updates.len();
        let mut scan = Scan(body);
        scan.word(r#"{"updates":["#)?;
        if scan.word("]").is_none() {
            loop {
                arrivals.updates.push(self.scan_one(&mut scan, received_us)?);
                if scan.word(",").is_none() {
                    break;
                }
            }
            scan.word("]")?;
        }
        scan.word(r#","cursor":""#)?;
        let epoch = scan.number()?;
        scan.word("-")?;
        let offset = scan.number()?;
        scan.word("\"")?;
        let more = scan.word(r#","more":true"#).is_some();
        let updates = arrivals.updates.len() - before;
        // Resets are rare, and more of nothing is wrong: both are for the other reader.
        (scan.0 == "}" && !(more && updates == 0)).then_some(Answered {
            cursor: Cursor { epoch, offset },
            more,
            updates,
        })
    }

    /// One update, from its first brace to its last.
    fn scan_one(&mut self, scan: &mut Scan<'_>, received_us: u64) -> Option<Arrival> {
        let start = scan.0.len();
        scan.word(r#"{"topic":""#)?;
        let topic = scan.text()?;
        scan.word(r#","epoch":"#)?;
        let epoch = scan.number()?;
        scan.word(r#","offset":"#)?;
        let offset = scan.number()?;
        scan.word(r#","seq":"#)?;
        let seq = scan.number()?;
        scan.word(r#","due_us":"#)?;
        let due_us = scan.number()?;
        scan.word(r#","sent_us":"#)?;
        scan.number()?;
        scan.word(r#","home":""#)?;
        scan.text()?;
        scan.word(r#","away":""#)?;
        scan.text()?;
        scan.word(r#","home_score":"#)?;
        let home_score = scan.number()?.try_into().ok()?;
        scan.word(r#","away_score":"#)?;
        let away_score = scan.number()?.try_into().ok()?;
        scan.word(r#","minute":"#)?;
        scan.number()?;
        scan.word(r#","event":""#)?;
        let event = scan.text()?;
        scan.word(r#","player":""#)?;
        let player = scan.text()?;
        if scan.word(r#","pad":""#).is_some() {
            scan.text()?;
        }
        scan.word("}")?;
        Some(Arrival {
            received_us,
            due_us,
            cursor: Cursor { epoch, offset },
            seq,
            topic: self.topic(topic)?,
            bytes: u32::try_from(start - scan.0.len()).ok()?,
            home_score,
            away_score,
            shootout: kind::shootout(event, player),
        })
    }
}

/// What is not scanned yet.
struct Scan<'a>(&'a str);

impl<'a> Scan<'a> {
    /// Goes over exactly this.
    #[inline]
    fn word(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    /// A whole number as JSON has it, of at most 19 digits: any of those fits, and no time is longer.
    #[inline]
    fn number(&mut self) -> Option<u64> {
        const DIGITS_MAX: usize = 19;
        let bytes = self.0.as_bytes();
        let (mut number, mut digits) = (0u64, 0);
        for byte in bytes {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            // Of too many digits nothing comes below.
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            digits += 1;
        }
        if !(1..=DIGITS_MAX).contains(&digits) || (digits > 1 && bytes[0] == b'0') {
            return None;
        }
        self.0 = self.0.get(digits..)?;
        Some(number)
    }

    /// A string that stands as it is, behind its opening quote, and the closing one.
    #[inline]
    fn text(&mut self) -> Option<&'a str> {
        let end = memchr::memchr(b'"', self.0.as_bytes())?;
        let (text, rest) = (self.0.get(..end)?, self.0.get(end + 1..)?);
        // Without a branch for each byte: that is done many at a time.
        let plain = text
            .bytes()
            .fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'\\'));
        self.0 = rest;
        plain.then_some(text)
    }
}

/// The part of an update that measuring needs; the rest is skipped, not built.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    epoch: u64,
    offset: u64,
    seq: u64,
    due_us: u64,
    home_score: u16,
    away_score: u16,
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    player: Cow<'a, str>,
}

fn not_an_update(json: &str, error: &serde_json::Error) -> SessionError {
    let start: String = json.chars().take(120).collect();
    not_understood(format!("{error} in {start:?}"))
}

/// A fault of this client: a figure made of either reading could be wrong.
fn disagree(what: &str, glance: &dyn std::fmt::Debug, full: &dyn std::fmt::Debug) -> SessionError {
    let start: String = what.chars().take(120).collect();
    not_understood(format!(
        "two readings of {start:?} disagree: {glance:?} at a glance, {full:?} in full"
    ))
}

/// That the scan agrees with serde_json wherever it does not refuse.
#[cfg(any(test, feature = "fuzzing"))]
pub mod agreement {
    use super::*;

    /// Returns whether the scan took it.
    pub fn of_update(json: &str, topics: &Arc<TopicIndex>) -> bool {
        let mut decoder = Decoder::new(topics.clone());
        let Some(scanned) = decoder.scan_update(json, 7) else {
            return false;
        };
        let full = decoder.full_update(json, 7);
        assert_eq!(full.ok(), Some(scanned), "{json}");
        true
    }

    /// The same of a poll's answer.
    pub fn of_answer(body: &[u8], topics: &Arc<TopicIndex>) -> bool {
        let mut decoder = Decoder::new(topics.clone());
        let (mut glance, mut full) = (Arrivals::default(), Arrivals::default());
        let Ok(text) = std::str::from_utf8(body) else {
            return false;
        };
        let Some(scanned) = decoder.scan_answer(text, 7, &mut glance) else {
            return false;
        };
        let answered = decoder.full_answer(body, 7, &mut full);
        assert_eq!(answered.ok(), Some((scanned, false)), "{text}");
        assert_eq!(glance.updates, full.updates, "{text}");
        true
    }
}

#[cfg(test)]
mod tests;
