//! The hot paths themselves: one function each, which makes what it needs and returns the step to be repeated.
//!
//! ```text
//! publish -> encode -> fan-out -> framing -> (socket) -> decode -> tally
//! ```

use std::{hint::black_box, rc::Rc};

use bench_client::{
    sse_parser::SseParser,
    tally::tally,
    transports::{Arrivals, sse, websocket},
};
use bytes::Bytes;
use futures_util::FutureExt;
use server::{
    fanout::Framing,
    hub::{BatchBounds, encode},
    transports::{answer, sse as server_sse, websocket as server_websocket},
    wire::Cursor,
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
    ("server/fan-out/1000", 1_000, || fan_out(1_000)),
    ("server/readers/1", 1, || readers(1)),
    ("server/readers/100", 100, || readers(100)),
    ("server/readers/10000", 10_000, || readers(10_000)),
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

/// Publishing to sessions that keep up: each costs its seat and a system call. The frames are empty, so nothing fills up.
fn fan_out(seats: usize) -> Step {
    static EMPTY: Bytes = Bytes::new();
    static NOTHING: Framing = Framing::Stream(|_| &EMPTY);
    let mut stage = world::Stage::set(seats, &NOTHING);
    Box::new(move || stage.publish())
}

/// One update into the hub, and every session that waits takes it: its future becomes ready, and it reads. No socket, no task.
fn readers(readers: usize) -> Step {
    let (hub, mut publisher) = world::hub();
    publisher.publish(world::draft());
    let mut readers: Vec<_> = (0..readers).map(|_| world::reader(&hub)).collect();
    Box::new(move || {
        publisher.publish(world::draft());
        for reader in &mut readers {
            assert!(reader.ready().now_or_never().is_some(), "there is news");
            assert_eq!(black_box(reader.read(BatchBounds::PUSH)).updates.len(), 1);
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

/// What the first session of an update pays; all others share it.
fn frame_websocket() -> Step {
    let entry = world::entry();
    Box::new(move || {
        black_box(server_websocket::text_frame(black_box(&entry.json)));
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
    let (mut decoder, json) = (world::decoder(), json());
    Box::new(move || {
        black_box(decoder.update(black_box(&json), world::START_US).expect("an update"));
    })
}

fn decode_websocket() -> Step {
    let (mut decoder, json, mut arrivals) = (world::decoder(), json(), Arrivals::default());
    Box::new(move || {
        arrivals.clear();
        websocket::read_message(black_box(&json), &mut decoder, world::START_US, &mut arrivals).expect("an update");
        assert_eq!(arrivals.updates.len(), 1);
    })
}

/// One event, in pieces of so many bytes, through parser and decoder.
fn decode_sse(piece_bytes: usize) -> Step {
    let event = server_sse::update_event(&world::entry());
    let (mut decoder, mut arrivals, mut parser) = (world::decoder(), Arrivals::default(), SseParser::default());
    let mut cursor: Option<Cursor> = None;
    Box::new(move || {
        arrivals.clear();
        for piece in event.chunks(piece_bytes) {
            let read = |event: bench_client::sse_parser::SseEvent<'_>| {
                sse::read_event(&event, &mut decoder, world::START_US, &mut arrivals, &mut cursor)
            };
            parser.feed(black_box(piece), read).expect("an event");
        }
        assert_eq!(arrivals.updates.len(), 1);
    })
}

fn decode_poll(updates: usize) -> Step {
    let batch = world::batch(updates);
    let body = answer::body(&batch.updates, None, false, batch.updates[updates - 1].cursor);
    let (mut decoder, mut arrivals) = (world::decoder(), Arrivals::default());
    Box::new(move || {
        arrivals.clear();
        let answered = decoder.answer(black_box(&body), world::START_US, &mut arrivals);
        answered.expect("an answer");
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
