//! Prepared bytes: an update (or a poll's answer) as it goes to the socket, and where in it the times stand.
//!
//! ```text
//! …"due_us":1763631127000000,"sent_us":1763631127000012,…        sixteen digits each, from 2001 to 2286
//!           ^ overwritten             ^ overwritten              at every write, in place: nothing moves, and nothing sums it up
//! ```

use crate::{
    hub::{Batch, Entry},
    transports::{
        answer,
        sse::{self, chunk},
        websocket::text_frame,
    },
    wire::Cursor,
};

/// Digits of a time in µs since 1970.
const TIME_DIGITS: usize = 16;
/// What stands before the updates in a poll's answer.
const ANSWER_START: &[u8] = br#"{"updates":["#;
/// As long as a real one, and nothing reads it.
const DATE: &str = "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";

/// Bytes for the socket.
pub struct Frame {
    bytes: Vec<u8>,
    /// Where a time begins.
    times: Vec<usize>,
}

impl Frame {
    /// The bytes, with every time in them set to this one.
    pub fn at(&mut self, now_us: u64) -> &[u8] {
        let digits = digits(now_us);
        for &start in &self.times {
            self.bytes[start..start + TIME_DIGITS].copy_from_slice(&digits);
        }
        &self.bytes
    }

    /// An update as an unmasked text frame, with the times it has: whoever reads it sees when it was due.
    pub fn floor(entry: &Entry) -> Self {
        Self {
            times: Vec::new(),
            ..Self::websocket(entry)
        }
    }

    /// The bytes as they are.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// An update as a chunk of an event stream.
    pub fn sse(entry: &Entry) -> Self {
        let event = sse::update_event(entry);
        let mut bytes = chunk(&event);
        // The event is the chunk's end, but for the chunk's own.
        let start = bytes.len() - b"\r\n".len() - event.len() + sse::EVENT_START.len();
        bytes.shrink_to_fit();
        Self {
            times: times(&entry.json).map(|at| start + at).collect(),
            bytes,
        }
    }

    /// An update as an unmasked text frame (RFC 6455, 5.2).
    pub fn websocket(entry: &Entry) -> Self {
        let bytes = text_frame(&entry.json);
        let start = bytes.len() - entry.json.len();
        Self {
            times: times(&entry.json).map(|at| start + at).collect(),
            bytes,
        }
    }

    /// A whole answer to a poll; `close` says that the connection ends with it.
    pub fn answer(batch: &Batch, cursor: Cursor, close: bool) -> Self {
        let body = answer::body(&batch.updates, batch.reset, batch.more, cursor);
        let connection = if close { "connection: close\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\netag: \"{cursor}\"\r\n\
             content-length: {}\r\n{connection}{DATE}\r\n",
            body.len()
        );
        let mut bytes = head.into_bytes();
        let mut start = bytes.len() + ANSWER_START.len();
        let mut all = Vec::with_capacity(2 * batch.updates.len());
        for entry in &batch.updates {
            all.extend(times(&entry.json).map(|at| start + at));
            // And the comma.
            start += entry.json.len() + 1;
        }
        bytes.extend_from_slice(&body);
        Self { bytes, times: all }
    }
}

/// What opens an event stream.
pub fn sse_opening() -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: no\r\n\
         transfer-encoding: chunked\r\n{DATE}\r\n"
    );
    let mut opening = head.into_bytes();
    opening.extend(chunk(&sse::RETRY));
    opening
}

/// What opens a WebSocket (RFC 6455, 4.2.2).
pub fn websocket_opening(accept: &str) -> Vec<u8> {
    let head =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ";
    format!("{head}{accept}\r\n{DATE}\r\n").into_bytes()
}

/// Where the times of an encoded update stand. Within a text these keys would have a backslash before their second quote.
fn times(json: &[u8]) -> impl Iterator<Item = usize> {
    let keys: [&[u8]; 2] = [br#""due_us":"#, br#""sent_us":"#];
    keys.into_iter().filter_map(|key| {
        let start = json.windows(key.len()).position(|window| window == key)? + key.len();
        let digits = json[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        // A time before 2001 is a made-up one, and has no room.
        (digits == TIME_DIGITS).then_some(start)
    })
}

fn digits(mut us: u64) -> [u8; TIME_DIGITS] {
    let mut digits = [b'0'; TIME_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (us % 10) as u8;
        us /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::Clock,
        hub::{BatchBounds, Draft, Filter, Hub, LogBounds, Publisher, Reader, Topic},
        wire::{Mode, PollAnswer, Update},
    };

    const NOW_US: u64 = 1_234_567_890_123_456;

    /// Updates of a match whose name tries to pass for a time.
    fn batch(update_bytes: Option<usize>) -> Batch {
        let topic = Topic {
            name: r#""due_us":1111111111111111,"#.into(),
            home: "Ä".into(),
            away: "B".into(),
        };
        let bounds = LogBounds {
            updates_per_topic: 9,
            bytes: 1 << 20,
        };
        let hub = Hub::new(Clock::start(), vec![topic], bounds);
        let mut reader = Reader::open(hub.clone(), Filter::All, Mode::Every, None);
        let bounds = BatchBounds {
            updates: 9,
            bytes: 1 << 20,
        };
        reader.read(bounds);
        let mut publisher = Publisher::new(hub, update_bytes);
        for k in 0..3 {
            publisher.publish(Draft {
                topic: 0,
                due_us: 1_763_631_127_000_000 + k,
                home_score: 0,
                away_score: 0,
                minute: 0,
                event: "clock",
                player: "",
            });
        }
        reader.read(bounds)
    }

    #[track_caller]
    fn stamped(json: &[u8], entry: &Arc<Entry>) {
        let text = std::str::from_utf8(json).expect("text");
        assert_eq!(text.len(), entry.json.len(), "nothing moves");
        let update: Update<'_> = serde_json::from_str(text).expect("an update");
        assert_eq!((update.due_us, update.sent_us), (NOW_US, NOW_US));
        assert_eq!((update.offset, update.seq), (entry.cursor.offset, entry.seq));
    }

    #[test]
    fn every_frame_carries_the_time_of_its_write() {
        for update_bytes in [None, Some(500), Some(70_000)] {
            let batch = batch(update_bytes);
            for entry in &batch.updates {
                let mut frame = Frame::websocket(entry);
                let bytes = frame.at(NOW_US);
                stamped(&bytes[bytes.len() - entry.json.len()..], entry);

                let mut frame = Frame::sse(entry);
                let event = std::str::from_utf8(frame.at(NOW_US)).expect("text");
                let (_, data) = event.split_once("data: ").expect("an event");
                let (data, _id) = data.split_once('\n').expect("an id behind the data");
                stamped(data.as_bytes(), entry);
            }
            let cursor = Cursor { epoch: 1, offset: 3 };
            let mut frame = Frame::answer(&batch, cursor, false);
            let answer = std::str::from_utf8(frame.at(NOW_US)).expect("text");
            let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
            let answer: PollAnswer<'_> = serde_json::from_str(body).expect("an answer");
            assert_eq!(answer.updates.len(), 3);
            for (update, entry) in answer.updates.iter().zip(&batch.updates) {
                stamped(update.get().as_bytes(), entry);
            }
        }
    }

    #[test]
    fn a_time_without_room_stays_as_it_is() {
        assert_eq!(times(br#"{"due_us":12,"sent_us":99}"#).count(), 0);
        assert_eq!(times(b"{}").count(), 0);
        assert_eq!(&digits(42), b"0000000000000042");
    }
}
