//! Event streams: the same events however the bytes are cut, and those that the standard's own algorithm reads.
//!
//! ```text
//! first byte: how the rest is cut · the rest: the stream
//! ```

use server::wire::Cursor;

use super::{FAULT_MAX_BYTES, RECEIVED_US, decoder};
use crate::{
    sse_parser::{SseEvent, SseParser},
    transports::{Arrivals, SessionError, sse},
};

/// Id, kind and data.
type Event = (Option<String>, String, String);

/// Any stream is read as plainly, whole and in pieces; what an event brings is taken or refused.
pub fn check(data: &[u8]) {
    let (&cut, stream) = data.split_first().unwrap_or((&0, &[]));
    // A CR at the very end may be half a line end: one more byte makes it whole for both readers.
    let stream = [stream, b"\n"].concat();
    let expected = plainly(&stream);
    assert_eq!(read(std::iter::once(&stream[..])), expected, "whole");
    assert_eq!(read(stream.chunks(1)), expected, "byte by byte");
    assert_eq!(read(stream.chunks(1 + usize::from(cut % 16))), expected, "in pieces");
    let (first, second) = stream.split_at(usize::from(cut) % stream.len());
    assert_eq!(read([first, second].into_iter()), expected, "in two");
}

/// The events, and whether the stream was refused behind them.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Event>, bool) {
    let mut parser = SseParser::default();
    let (mut decoder, mut arrivals, mut cursor) = (decoder(), Arrivals::default(), None);
    let mut events = Vec::new();
    for piece in pieces {
        let fed = parser.feed(piece, |event| {
            events.push((
                event.id.map(str::to_owned),
                event.kind.to_owned(),
                event.data.to_owned(),
            ));
            if let Err(error) = sse::read_event(&event, &mut decoder, RECEIVED_US, &mut arrivals, &mut cursor) {
                bounded(&error);
            }
            taken(&event, &mut arrivals, cursor);
            Ok(())
        });
        if let Err(error) = fed {
            bounded(&error);
            return (events, true);
        }
    }
    (events, false)
}

fn bounded(error: &SessionError) {
    assert!(error.to_string().len() < FAULT_MAX_BYTES);
}

fn taken(event: &SseEvent<'_>, arrivals: &mut Arrivals, cursor: Option<Cursor>) {
    if let [arrival] = arrivals.updates[..] {
        super::is_told(event.data, &arrival);
        let told = event.id.and_then(|id| id.parse::<Cursor>().ok());
        assert!(told.is_none() || told == cursor);
    }
    arrivals.clear();
}

/// WHATWG HTML, 9.2.6, a line at a time, with this client's two choices: text that is no UTF-8 is refused, and an id without data is told.
fn plainly(stream: &[u8]) -> (Vec<Event>, bool) {
    let stream = stream.strip_prefix("\u{feff}".as_bytes()).unwrap_or(stream);
    let mut events = Vec::new();
    let mut block: Vec<Vec<u8>> = Vec::new();
    let mut line = Vec::new();
    let mut bytes = stream.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {
                if byte == b'\r' && bytes.peek() == Some(&b'\n') {
                    bytes.next();
                }
                if !line.is_empty() {
                    block.push(std::mem::take(&mut line));
                    continue;
                }
                let block: Result<Vec<String>, _> = block.drain(..).map(String::from_utf8).collect();
                match block {
                    Ok(lines) => events.extend(dispatched(&lines)),
                    Err(_) => return (events, true),
                }
            }
            other => line.push(other),
        }
    }
    (events, false)
}

fn dispatched(lines: &[String]) -> Option<Event> {
    let (mut id, mut kind, mut data) = (None, String::new(), String::new());
    for line in lines {
        let at = line.find(':').unwrap_or(line.len());
        let mut value = line.get(at + 1..).unwrap_or("");
        if value.starts_with(' ') {
            value = &value[1..];
        }
        match &line[..at] {
            "event" => kind = value.to_owned(),
            "data" => data = data + value + "\n",
            "id" if !value.contains('\0') => id = Some(value.to_owned()),
            _ => {}
        }
    }
    if data.is_empty() {
        return id.map(|id| (Some(id), String::new(), String::new()));
    }
    data.pop();
    let kind = if kind.is_empty() { "message".to_owned() } else { kind };
    Some((id, kind, data))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::{cases, encoded, update};

    proptest! {
        #![proptest_config(cases(1))]

        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..100)) {
            check(&data);
        }

        #[test]
        fn nearly_streams(
            cut: u8,
            parts in prop::collection::vec("(data|id|event|retry|da|:|: |\r|\n|\r\n|\n\n|\r\r|\u{feff}|\0|\u{e9}|\u{2028}|\\{\\}|reset|update|1-2|x){1,3}", 0..24),
            broken in prop::option::weighted(0.1, (0..200usize, any::<u8>())),
        ) {
            let mut data = vec![cut];
            data.extend_from_slice(parts.concat().as_bytes());
            if let Some((at, byte)) = broken {
                let at = at % data.len();
                data[at] = byte;
            }
            check(&data);
        }

        #[test]
        fn updates_come_as_they_were_sent(cut: u8, sent in prop::collection::vec(update(), 1..4), end in prop::sample::select(&["\n", "\r", "\r\n"][..])) {
            let event = |update: &server::wire::Update<'_>| {
                let cursor = Cursor { epoch: update.epoch, offset: update.offset };
                format!("id: {cursor}{end}event: update{end}data: {}{end}{end}", encoded(update))
            };
            let stream: String = sent.iter().map(event).collect();
            let (events, refused) = plainly(&[stream.as_bytes(), b"\n"].concat());
            let told: Vec<_> = events.into_iter().map(|(_, kind, data)| (kind, data)).collect();
            let expected: Vec<_> = sent.iter().map(|update| ("update".to_owned(), encoded(update))).collect();
            prop_assert_eq!((told, refused), (expected, false));
            check(&[&[cut], stream.as_bytes()].concat());
        }
    }

    #[test]
    fn an_endless_line_is_refused_at_its_bound_however_it_comes() {
        for piece in [&[b'x'; 64][..], &[b'x'; 100_000]] {
            let mut parser = SseParser::default();
            let mut fed = 0;
            while parser.feed(piece, |_| Ok(())).is_ok() {
                fed += piece.len();
                assert!(fed <= 1024 * 1024 + 1, "{fed} bytes were kept");
            }
        }
    }

    #[test]
    fn an_event_is_too_long_in_one_piece_and_in_many() {
        const MOST: usize = 1024 * 1024;
        for (length, fits) in [(MOST, true), (MOST + 1, false)] {
            // The last line's end is part of an event.
            let mut stream = vec![b':'; length - 1];
            stream.extend_from_slice(b"\n\n");
            for pieces in [stream.len(), 4_096, length, length + 1] {
                let mut parser = SseParser::default();
                let fed = stream
                    .chunks(pieces)
                    .try_for_each(|piece| parser.feed(piece, |_| Ok(())));
                assert_eq!(fed.is_ok(), fits, "{length} bytes in pieces of {pieces}");
            }
        }
    }
}
