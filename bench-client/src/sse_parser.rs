//! Reads an event stream (WHATWG HTML, 9.2.6) from pieces of any size.
//!
//! It is the client's measured path, so it borrows: an event's fields are slices of the buffer. `retry` and comments are read and
//! dropped.

use crate::transports::SessionError;

/// The longest event; longer ones end the session rather than fill the memory.
const EVENT_MAX_BYTES: usize = 1024 * 1024;

/// One event, or an id that stands alone (then `kind` and `data` are empty).
#[derive(Debug, PartialEq, Eq)]
pub struct SseEvent<'a> {
    pub id: Option<&'a str>,
    /// The `event` field; `message` when there is none, empty when there is no data either.
    pub kind: &'a str,
    pub data: &'a str,
}

/// Holds what came after the last whole event.
#[derive(Debug, Default)]
pub struct SseParser {
    rest: Vec<u8>,
    /// How far `rest` has been looked at: it is never read twice, however small the pieces.
    place: Place,
    started: bool,
    /// The piece before ended with CR: a LF at the start of the next one belongs to it.
    after_cr: bool,
}

/// A place in an event that is not whole yet.
#[derive(Debug, Default)]
struct Place {
    /// Where the line under way begins.
    line: usize,
    /// Before this there is no end of that line.
    seen: usize,
}

impl SseParser {
    /// Takes the next piece and hands out every event that it completes.
    pub fn feed(
        &mut self,
        piece: &[u8],
        mut on_event: impl FnMut(SseEvent<'_>) -> Result<(), SessionError>,
    ) -> Result<(), SessionError> {
        let Some(last) = piece.last() else { return Ok(()) };
        let after_cr = std::mem::replace(&mut self.after_cr, *last == b'\r');
        // Where something waits, the CR is its end, and a CRLF joins up by itself.
        let read_already = after_cr && self.rest.is_empty();
        let piece = piece.strip_prefix(b"\n").filter(|_| read_already).unwrap_or(piece);
        // Usually a piece is a whole event and nothing waits: then it is read where it lies.
        let mut waited = std::mem::take(&mut self.rest);
        let alone = waited.is_empty();
        if !alone {
            waited.extend_from_slice(piece);
        }
        let mut stream = if alone { piece } else { &waited[..] };
        if !self.started && !stream.is_empty() {
            if stream.len() < 3 && b"\xef\xbb\xbf".starts_with(stream) {
                self.rest = stream.to_vec();
                return Ok(());
            }
            self.started = true;
            stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
        }
        while let Some((block, rest)) = split_block(stream, &mut self.place) {
            if block.len() > EVENT_MAX_BYTES {
                return Err(too_long());
            }
            read_block(block, &mut on_event)?;
            stream = rest;
        }
        // Half of a line's end may be there, which is no part of the event.
        if stream.strip_suffix(b"\r").unwrap_or(stream).len() > EVENT_MAX_BYTES {
            return Err(too_long());
        }
        // Unless it still grows: the room that a large event took goes with it.
        self.rest = if alone || stream.len() < waited.len() {
            stream.to_vec()
        } else {
            waited
        };
        Ok(())
    }
}

fn too_long() -> SessionError {
    SessionError::Protocol(format!("an event of more than {EVENT_MAX_BYTES} bytes"))
}

/// Splits off everything up to the first empty line; where there is none, `place` remembers how far it looked.
fn split_block<'a>(stream: &'a [u8], place: &mut Place) -> Option<(&'a [u8], &'a [u8])> {
    loop {
        let Some((line, next)) = split_line(&stream[place.seen..]) else {
            // A CR at the end is looked at again.
            place.seen = stream.len() - usize::from(stream.last() == Some(&b'\r'));
            return None;
        };
        let next = place.seen + next;
        if place.seen + line.len() == place.line {
            let block = &stream[..place.line];
            *place = Place::default();
            return Some((block, &stream[next..]));
        }
        *place = Place { line: next, seen: next };
    }
}

/// The first line without its end, and where the next one starts. A CR at the end of what is there may be half a CRLF: the line is
/// whole all the same, and [`SseParser::after_cr`] remembers what may follow.
fn split_line(stream: &[u8]) -> Option<(&[u8], usize)> {
    let end = memchr::memchr2(b'\n', b'\r', stream)?;
    match (stream[end], stream.get(end + 1)) {
        (b'\r', Some(b'\n')) => Some((&stream[..end], end + 2)),
        _ => Some((&stream[..end], end + 1)),
    }
}

fn read_block(
    mut block: &[u8],
    on_event: &mut impl FnMut(SseEvent<'_>) -> Result<(), SessionError>,
) -> Result<(), SessionError> {
    let (mut id, mut kind, mut data) = (None, "", None::<std::borrow::Cow<'_, str>>);
    while let Some((line, next)) = split_line(block) {
        block = &block[next..];
        let line = std::str::from_utf8(line)
            .map_err(|error| SessionError::Protocol(format!("the event stream is not UTF-8: {error}")))?;
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" if !value.contains('\0') => id = Some(value),
            "event" => kind = value,
            "data" => {
                data = Some(match data {
                    None => value.into(),
                    Some(before) => (before.into_owned() + "\n" + value).into(),
                });
            }
            _ => {}
        }
    }
    match data {
        Some(data) => on_event(SseEvent {
            id,
            kind: if kind.is_empty() { "message" } else { kind },
            data: &data,
        }),
        None if id.is_some() => on_event(SseEvent { id, kind: "", data: "" }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<(Option<String>, String, String)> {
        let mut events = Vec::new();
        let mut parser = SseParser::default();
        for piece in pieces {
            parser
                .feed(piece, |event| {
                    events.push((
                        event.id.map(str::to_owned),
                        event.kind.to_owned(),
                        event.data.to_owned(),
                    ));
                    Ok(())
                })
                .expect("a good stream");
        }
        events
    }

    const STREAM: &[u8] = "\u{feff}retry: 1000\n\n:\n\nid: 1-2\nevent: update\ndata: {\"a\":\"ü\u{2028}\"}\n\ndata:x\r\ndata: y\r\rid: 7-7\n\n"
        .as_bytes();

    fn expected() -> Vec<(Option<String>, String, String)> {
        vec![
            (Some("1-2".into()), "update".into(), "{\"a\":\"ü\u{2028}\"}".into()),
            (None, "message".into(), "x\ny".into()),
            (Some("7-7".into()), String::new(), String::new()),
        ]
    }

    #[test]
    fn whole_and_cut_anywhere_it_reads_the_same() {
        assert_eq!(read(&[STREAM]), expected());
        for cut in 0..=STREAM.len() {
            let (first, second) = STREAM.split_at(cut);
            assert_eq!(read(&[first, second]), expected(), "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(read(&bytes), expected());
    }

    #[test]
    fn an_event_is_handed_out_with_the_cr_that_ends_it() {
        let one = (None, "message".to_owned(), "x".to_owned());
        let two = (None, "message".to_owned(), "y".to_owned());
        for piece in [b"data: x\r\r".as_slice(), b"data: x\r\n\r"] {
            assert_eq!(read(&[piece]), std::slice::from_ref(&one));
        }
        assert_eq!(
            read(&[b"data: x\r", b"\n", b"", b"\r", b"\ndata: y\r", b"\r"]),
            [one, two]
        );
    }

    #[test]
    fn what_is_read_leaves_no_room_behind() {
        let mut parser = SseParser::default();
        let large = format!("data: {}\n", "x".repeat(70_000));
        for piece in [large.as_bytes(), b"\ndata: y"] {
            parser.feed(piece, |_| Ok(())).expect("a good stream");
        }
        assert!(
            parser.rest.capacity() < 10,
            "{} for half of the last",
            parser.rest.capacity()
        );
        parser.feed(b"\n\n", |_| Ok(())).expect("a good stream");
        assert_eq!(parser.rest.capacity(), 0);
    }

    #[test]
    fn an_endless_event_ends_the_session() {
        let mut parser = SseParser::default();
        let piece = vec![b'x'; EVENT_MAX_BYTES + 1];
        assert!(parser.feed(&piece, |_| Ok(())).is_err());
    }
}
