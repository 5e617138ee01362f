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

use std::{borrow::Cow, convert::Infallible, io::Write, sync::Arc};

use async_stream::stream;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::{FutureExt, Stream, future::BoxFuture};
use tokio_stream::StreamExt;

use super::{PUSH_BATCH, Transport, frame_slot};
use crate::{
    http::{App, FeedRequest},
    hub::{Entry, Reader},
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
};

/// How long a browser should wait before it connects again, and the word that a stream is about to end.
pub(crate) const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n");
/// What stands before the update in its event.
pub(crate) const EVENT_START: &[u8] = b"event: update\ndata: ";
const HEARTBEAT: Bytes = Bytes::from_static(b":\n");

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
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // nginx and its kin would collect events into buffers.
        headers.insert(
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        );
        response
    }
    .boxed()
}

/// Everything one session is sent, until the server stops.
fn events(app: Arc<App>, stats: Arc<TransportStats>, mut reader: Reader) -> impl Stream<Item = Bytes> {
    stream! {
        let _subscriber = stats.subscribe();
        let mut batch = reader.read(PUSH_BATCH);
        yield RETRY;
        loop {
            if let Some(reset) = batch.reset {
                yield reset_event(reset);
            }
            stats.count(&batch);
            for entry in batch.updates {
                yield entry.frame(frame_slot::SSE, update_event);
            }
            tokio::select! {
                () = reader.ready() => batch = reader.read(PUSH_BATCH),
                () = app.stop.begun.cancelled() => break,
            }
        }
        yield RETRY;
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
