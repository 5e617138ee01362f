//! Long polling: the server holds the request until there is something new, or until `wait_ms` has passed.
//!
//! ```text
//! GET /feed/long-poll?topic=match-1&since=1763631127000-41&wait_ms=25000
//!     … held until the next update …                              ->   200 {"updates":[{…}],"cursor":"1763631127000-42"}
//!     … nothing for wait_ms, or the server stops …                ->   200 {"updates":[],"cursor":"1763631127000-41"}
//! ```
//!
//! Thousands of clients usually wait for the same next update: its answer is put together once and shared.

use std::borrow::Cow;

use axum::response::Response;
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};

use super::{
    Transport,
    answer::{self, POLL_BATCH},
    frame_slot,
};
use crate::{
    http::FeedRequest,
    hub::Batch,
    wire::{Cursor, Delivery, TransportDescription},
};

pub static TRANSPORT: Transport = Transport {
    description: TransportDescription {
        id: Cow::Borrowed("long-poll"),
        label: Cow::Borrowed("Long polling"),
        summary: Cow::Borrowed(
            "The server holds each request until there is something new; the client asks again at once.",
        ),
        delivery: Delivery::Poll,
        resumable: true,
        duplex: false,
        browser_support: Cow::Borrowed("every browser (fetch, XMLHttpRequest)"),
        caveat: Cow::Borrowed(
            "One whole request per update and client: at high rates updates wait for the next request and arrive in batches.",
        ),
    },
    serve,
};

fn serve(request: FeedRequest) -> BoxFuture<'static, Response> {
    async move {
        let FeedRequest {
            app,
            stats,
            query,
            request,
        } = request;
        let _held = stats.subscribe();
        let mut reader = query.reader(&app.hub);
        let mut batch = reader.read(POLL_BATCH);
        // A client that shows what it holds waits like one that says since when, even where the address names no cursor.
        let nothing_new = batch.reset.is_none() && answer::not_modified(&app.hub, &query, request.headers());
        if nothing_new {
            batch = Batch::default();
        }
        // Without `since` the newest state is due at once, even where there is none yet.
        if batch.is_empty() && (query.since.is_some() || nothing_new) {
            let deadline = tokio::time::sleep(query.wait);
            tokio::pin!(deadline);
            while batch.is_empty() {
                tokio::select! {
                    () = reader.ready() => batch = reader.read(POLL_BATCH),
                    () = &mut deadline => break,
                    () = app.stop.begun.cancelled() => break,
                }
            }
        }
        if batch.is_empty() && nothing_new {
            return answer::response(None, reader.cursor());
        }
        stats.count(&batch);
        answer::response(Some(shared_body(&batch, reader.cursor())), reader.cursor())
    }
    .boxed()
}

/// The usual answer, one update that is also the end of the log, is made once for all who wait for it.
fn shared_body(batch: &Batch, cursor: Cursor) -> Bytes {
    match &batch.updates[..] {
        [only] if batch.reset.is_none() && !batch.more && only.cursor == cursor => {
            only.frame(frame_slot::LONG_POLL, |_| answer::body(batch, cursor))
        }
        _ => answer::body(batch, cursor),
    }
}
