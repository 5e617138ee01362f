//! The hot paths themselves: one function each, which makes what it needs and returns the step to be repeated.
//!
//! ```text
//! publish -> encode -> fan-out -> framing -> (socket) -> decode -> tally
//! ```

use std::{hint::black_box, rc::Rc};

use bench_client::{
    sse_parser::SseParser,
    tally::tally,
    transports::{Arrivals, decode, poll, sse, websocket},
};
use futures_util::FutureExt;
use server::{
    hub::encode,
    transports::{answer, sse as server_sse},
    wire::Cursor,
};
use tokio_tungstenite::tungstenite::{
    Message, Utf8Bytes,
    protocol::{Role, WebSocket, WebSocketConfig},
};

use super::world::{self, Noted, UPDATE_BYTES};

/// The step to be repeated.
pub type Step = Box<dyn FnMut()>;

/// Its name, how many updates one step handles, and how it is made.
pub type Path = (&'static str, u64, fn() -> Step);

pub const ALL: &[Path] = &[
    ("server/encode", 1, encode_update),
    ("server/fan-out/1", 1, || fan_out(1)),
    ("server/fan-out/100", 100, || fan_out(100)),
    ("server/fan-out/10000", 10_000, || fan_out(10_000)),
    ("server/frame/sse", 1, frame_sse),
    ("server/frame/websocket", 1, frame_websocket),
    ("server/frame/poll-1", 1, || frame_poll(1)),
    ("server/frame/poll-20", 20, || frame_poll(20)),
    ("client/decode/update", 1, decode_update),
    ("client/decode/websocket", 1, decode_websocket),
    ("client/decode/sse", 1, || decode_sse(usize::MAX)),
    ("client/decode/sse-in-pieces", 1, || decode_sse(100)),
    ("client/decode/poll-1", 1, || decode_poll(1)),
    ("client/decode/poll-20", 20, || decode_poll(20)),
    ("client/tally", 100_000, tally_of_a_row),
];

fn encode_update() -> Step {
    let update = world::update();
    Box::new(move || {
        black_box(encode(black_box(update.clone()), Some(UPDATE_BYTES)));
    })
}

/// One update into the hub, and every session that waits takes it: its future becomes ready, and it reads. No socket, no task.
fn fan_out(readers: usize) -> Step {
    let (hub, mut publisher) = world::hub();
    publisher.publish(world::draft());
    let mut readers: Vec<_> = (0..readers).map(|_| world::reader(&hub)).collect();
    Box::new(move || {
        publisher.publish(world::draft());
        for reader in &mut readers {
            assert!(reader.ready().now_or_never().is_some(), "there is news");
            assert_eq!(black_box(reader.read(world::PUSH_BATCH)).updates.len(), 1);
        }
    })
}

/// What the first session of an update pays; all others share it.
fn frame_sse() -> Step {
    let entry = world::entry();
    Box::new(move || {
        black_box(server_sse::update_event(black_box(&entry)));
    })
}

/// What every session pays: tungstenite frames for each connection anew.
fn frame_websocket() -> Step {
    let entry = world::entry();
    // As small as the server's.
    let config = WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(4 * 1024);
    let mut socket = WebSocket::from_raw_socket(Nowhere, Role::Server, Some(config));
    Box::new(move || {
        let text = Utf8Bytes::try_from(entry.json.clone()).expect("JSON is text");
        socket.send(Message::Text(text)).expect("nowhere takes everything");
    })
}

/// What the first of those who wait for it pays.
fn frame_poll(updates: usize) -> Step {
    let batch = world::batch(updates);
    let cursor = batch.updates[updates - 1].cursor;
    Box::new(move || {
        black_box(answer::body(black_box(&batch.updates), None, false, cursor));
    })
}

fn decode_update() -> Step {
    let (topics, json) = (world::topics(), json());
    Box::new(move || {
        black_box(decode(black_box(&json), &topics, world::START_US).expect("an update"));
    })
}

fn decode_websocket() -> Step {
    let (topics, json, mut arrivals) = (world::topics(), json(), Arrivals::default());
    Box::new(move || {
        arrivals.clear();
        websocket::read_message(black_box(&json), &topics, world::START_US, &mut arrivals).expect("an update");
        assert_eq!(arrivals.updates.len(), 1);
    })
}

/// One event, in pieces of so many bytes, through parser and decoder.
fn decode_sse(piece_bytes: usize) -> Step {
    let event = server_sse::update_event(&world::entry());
    let (topics, mut arrivals, mut parser) = (world::topics(), Arrivals::default(), SseParser::default());
    let mut cursor: Option<Cursor> = None;
    Box::new(move || {
        arrivals.clear();
        for piece in event.chunks(piece_bytes) {
            let read = |event: bench_client::sse_parser::SseEvent<'_>| {
                sse::read_event(&event, &topics, world::START_US, &mut arrivals, &mut cursor)
            };
            parser.feed(black_box(piece), read).expect("an event");
        }
        assert_eq!(arrivals.updates.len(), 1);
    })
}

fn decode_poll(updates: usize) -> Step {
    let batch = world::batch(updates);
    let body = answer::body(&batch.updates, None, false, batch.updates[updates - 1].cursor);
    let (topics, mut arrivals) = (world::topics(), Arrivals::default());
    Box::new(move || {
        arrivals.clear();
        poll::read_answer(black_box(&body), &topics, world::START_US, &mut arrivals).expect("an answer");
        assert_eq!(arrivals.updates.len(), updates);
    })
}

/// A thousand clients with a hundred updates each.
fn tally_of_a_row() -> Step {
    let noted = Rc::new(Noted::new(1_000, 100));
    Box::new(move || {
        assert_eq!(black_box(tally(&noted.evidence())).received, 100_000);
    })
}

fn json() -> String {
    String::from_utf8(world::entry().json.to_vec()).expect("JSON is text")
}

/// A socket that takes everything at once, and has nothing to say.
struct Nowhere;

impl std::io::Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Read for Nowhere {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::WouldBlock.into())
    }
}
