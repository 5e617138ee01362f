//! Server-Sent Events (WHATWG HTML, 9.2): one response that never ends, an event per update.
//!
//! ```text
//! GET /feed/sse?topic=match-1          Last-Event-ID: 1763631127000-41 (a browser says it when it reconnects)
//!
//! 200, content-type: text/event-stream
//! retry: 1000
//! event: update
//! data: {…}
//! id: 1763631127000-42
//!
//! :                                    (a comment every heartbeat of silence, so that proxies and dead peers are noticed)
//! event: reset
//! data: {"reason":"evicted"}
//!
//! retry: 1000                          (the last line before a server that stops ends the stream)
//! ```
//!
//! `retry` and comments are lines, not blocks: an empty line behind them would make some readers hand out an event without data.
//! The id comes last: some readers (npm's @microsoft/fetch-event-source) note it with its line, and not with the whole event as they
//! should. Cut within an update, they would resume behind what they never handed out.
//! Events are framed by hand: an update is JSON, so it holds no line break, and its framing is made once for all sessions.

use std::{
    borrow::Cow,
    convert::Infallible,
    io::{self, Write},
    pin::pin,
    sync::Arc,
};

use async_stream::stream;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::{FutureExt, Stream, future::BoxFuture};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, sleep},
};
use tokio_stream::StreamExt;

use super::{Transport, frame_slot, lacking};
use crate::{
    fanout::Framing,
    front::{Length, Line},
    http::{App, FeedRequest},
    hub::{BatchBounds, Entry, Reader},
    io::{Connection, write_frames},
    stats::TransportStats,
    wire::{Delivery, Reset, TransportDescription},
};

pub static TRANSPORT: Transport = Transport {
    description: TransportDescription {
        id: Cow::Borrowed("sse"),
        label: Cow::Borrowed("Server-Sent Events"),
        summary: Cow::Borrowed("One response that never ends; the server writes an event for every update."),
        delivery: Delivery::Push,
        resumable: true,
        duplex: false,
        browser_support: Cow::Borrowed("every current browser (EventSource), reconnecting and resuming by itself"),
        caveat: Cow::Borrowed(
            "Over HTTP/1.1 a browser opens about six connections per origin, tabs together; a buffering proxy holds events back.",
        ),
    },
    serve,
    direct,
    upgrades: false,
};

/// How long a browser should wait before it connects again, and the word that a stream is about to end.
pub(crate) const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n");
/// What stands before the update in its event.
pub(crate) const EVENT_START: &[u8] = b"event: update\ndata: ";
const HEARTBEAT: Bytes = Bytes::from_static(b":\n");

/// The end of a chunked body (RFC 9112, 7.1).
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// An event a chunk, made once for all sessions.
static FRAMING: Framing = Framing::Stream(update_chunk);

fn update_chunk(entry: &Entry) -> &Bytes {
    entry.frame(frame_slot::SSE, |entry| chunk(&update_event(entry)).into())
}

/// The event within a chunk: hyper frames it again.
fn event_of(chunk: &Bytes) -> Bytes {
    let start = chunk.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    chunk.slice(start..chunk.len() - b"\r\n".len())
}

/// One chunk of a chunked body (RFC 9112, 7.1).
pub(crate) fn chunk(data: &[u8]) -> Vec<u8> {
    let mut chunk = Vec::with_capacity(data.len() + 12);
    // Writing into a Vec cannot fail.
    let _ = write!(chunk, "{:X}\r\n", data.len());
    chunk.extend_from_slice(data);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx and its kin would collect events into buffers.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    headers
}

fn serve(request: FeedRequest) -> BoxFuture<'static, Response> {
    async move {
        let FeedRequest { app, stats, query, .. } = request;
        let reader = query.reader(&app.hub);
        let heartbeat = app.settings.heartbeat;
        let events = events(app, stats, reader);
        let events = events
            .timeout_repeating(tokio::time::interval(heartbeat))
            .map(|event| match event {
                Ok(event) => Ok(event),
                Err(_quiet) => Ok::<_, Infallible>(HEARTBEAT),
            });
        let mut response = Response::new(Body::from_stream(events));
        *response.headers_mut() = headers();
        response
    }
    .boxed()
}

/// Everything one session is sent, until the server stops.
fn events(app: Arc<App>, stats: Arc<TransportStats>, mut reader: Reader) -> impl Stream<Item = Bytes> {
    stream! {
        let _subscriber = stats.subscribe();
        let mut batch = reader.read(BatchBounds::PUSH);
        yield RETRY;
        loop {
            if let Some(reset) = batch.reset {
                yield reset_event(reset);
            }
            stats.count(&batch);
            for entry in batch.updates {
                yield event_of(update_chunk(&entry));
            }
            tokio::select! {
                () = reader.ready() => batch = reader.read(BatchBounds::PUSH),
                () = app.stop.begun.cancelled() => break,
            }
        }
        yield RETRY;
    }
}

fn direct(request: FeedRequest, line: Line) -> BoxFuture<'static, io::Result<Option<Line>>> {
    let FeedRequest { app, stats, query, .. } = request;
    let reader = query.reader(&app.hub);
    let mut head = Response::new(());
    *head.headers_mut() = headers();
    let mut opening = line.head(head, Length::Chunked);
    opening.extend(chunk(&RETRY));
    let mut session = Session {
        connection: line.connection,
        app,
        stats,
        reader,
    };
    async move {
        session.connection.write_all(&opening).await?;
        drop(opening);
        session.run().await.map(|()| None)
    }
    .boxed()
}

/// A stream on the connection's own socket.
struct Session {
    connection: Connection,
    app: Arc<App>,
    stats: Arc<TransportStats>,
    reader: Reader,
}

impl Session {
    async fn run(&mut self) -> io::Result<()> {
        let _subscriber = self.stats.subscribe();
        let heartbeat = self.app.settings.heartbeat;
        let mut alarm = pin!(sleep(heartbeat));
        let seat = self
            .app
            .fanout
            .seat(self.connection.socket(), &self.reader, &FRAMING, &self.stats);
        loop {
            self.catch_up().await?;
            if self.app.fanout.is_closed() {
                let end = [&chunk(&RETRY), LAST_CHUNK].concat();
                self.connection.write_all(&end).await?;
                return self.connection.shutdown().await;
            }
            seat.hand_over(&self.reader);
            let quiet = loop {
                tokio::select! {
                    () = seat.turn() => break false,
                    gone = self.connection.gone() => return Err(gone),
                    () = &mut alarm => {
                        let due = seat.wrote_at() + heartbeat;
                        let quiet = due <= Instant::now();
                        alarm.as_mut().reset(if quiet { Instant::now() + heartbeat } else { due });
                        if quiet {
                            break true;
                        }
                    }
                }
            };
            let turn = seat.take();
            self.reader.go_on_from(turn.position);
            self.connection.write_all(&turn.unsent).await?;
            if quiet {
                self.connection.write_all(&chunk(&HEARTBEAT)).await?;
            }
        }
    }

    /// Writes everything that is there; when the server stops, no more than what was begun.
    async fn catch_up(&mut self) -> io::Result<()> {
        let reset_chunk = |reset, _| chunk(&reset_event(reset));
        while let Some(frames) = lacking(&self.app, &self.stats, &mut self.reader, update_chunk, reset_chunk) {
            write_frames(&mut self.connection, frames).await?;
        }
        Ok(())
    }
}

/// An update as an event of the stream.
pub fn update_event(entry: &Entry) -> Bytes {
    let mut event = Vec::with_capacity(entry.json.len() + 64);
    event.extend_from_slice(EVENT_START);
    event.extend_from_slice(&entry.json);
    // Writing into a Vec cannot fail.
    let _ = write!(event, "\nid: {}\n\n", entry.cursor);
    event.into()
}

fn reset_event(reset: Reset) -> Bytes {
    // Two plain enums: serde_json cannot fail on them.
    let reset = serde_json::to_string(&reset).unwrap_or_default();
    format!("event: reset\ndata: {reset}\n\n").into()
}
