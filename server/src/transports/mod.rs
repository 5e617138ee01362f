//! The table of transports: one file and one row each. They share the hub's log and nothing of each other.

use std::io;

use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::{
    front::Line,
    http::{App, FeedRequest},
    hub::{Batch, BatchBounds, Entry, Reader},
    stats::TransportStats,
    wire::{Cursor, Reset, TransportDescription},
};

pub mod answer;
mod long_poll;
mod short_poll;
pub mod sse;
pub mod websocket;

pub use answer::POLL_BATCH;

/// A way to deliver the feed to a client.
pub struct Transport {
    /// What people need to know about it; the one place it is written.
    pub description: TransportDescription,
    /// Answers `GET /feed/<id>` where hyper speaks: over HTTP/2, and what is not [plain](crate::front).
    pub serve: fn(FeedRequest) -> BoxFuture<'static, Response>,
    /// Answers a plain request on the connection's own socket.
    pub direct: Direct,
    /// A request asks for another protocol.
    pub upgrades: bool,
}

/// Answers on a line; returns it for the next request, if there may be one.
pub type Direct = fn(FeedRequest, Line) -> BoxFuture<'static, io::Result<Option<Line>>>;

impl Transport {
    pub fn id(&self) -> &'static str {
        match self.description.id {
            std::borrow::Cow::Borrowed(id) => id,
            std::borrow::Cow::Owned(_) => unreachable!("the table's descriptions are constants"),
        }
    }
}

/// Every transport of this server, in the order people read them.
pub static ALL: [&Transport; 4] = [
    &short_poll::TRANSPORT,
    &long_poll::TRANSPORT,
    &sse::TRANSPORT,
    &websocket::TRANSPORT,
];

/// What a push session takes from the log and has to write before the fan-out may write for it; none when that is all, and when the
/// server stops.
fn lacking(
    app: &App,
    stats: &TransportStats,
    reader: &mut Reader,
    update_frame: fn(&Entry) -> &Bytes,
    reset_frame: fn(Reset, Cursor) -> Vec<u8>,
) -> Option<Vec<Bytes>> {
    if app.fanout.is_closed() {
        return None;
    }
    // The batch ends here: while its frames wait for a slow peer, the log may forget the updates.
    let batch = reader.read(BatchBounds::PUSH);
    if batch.is_empty() {
        return None;
    }
    stats.count(&batch);
    let Batch { updates, reset, .. } = batch;
    let reset = reset.map(|reset| {
        // The newest state is still to come: a client cut before it must get it when it resumes from here.
        let mut cursor = reader.cursor();
        if let Some(first) = updates.first() {
            cursor.offset = first.cursor.offset - 1;
        }
        reset_frame(reset, cursor).into()
    });
    let updates = updates.iter().map(|entry| update_frame(entry).clone());
    Some(reset.into_iter().chain(updates).collect())
}

/// Framing slots in [`crate::hub::Entry`], one per transport that shares framed updates.
mod frame_slot {
    pub const SSE: usize = 0;
    pub const LONG_POLL: usize = 1;
    pub const WEBSOCKET: usize = 2;
}
