//! Short polling: the client asks every so often, the server answers at once with what is new, or with nothing.
//!
//! ```text
//! GET /feed/short-poll?topic=match-1&since=1763631127000-41   ->   200 {"updates":[{…}],"cursor":"1763631127000-42"}
//! GET /feed/short-poll?topic=match-1&since=1763631127000-42   ->   200 {"updates":[],"cursor":"1763631127000-42"}
//!     If-None-Match: "1763631127000-42"                       ->   304
//! ```

use std::borrow::Cow;

use axum::response::Response;
use futures_util::{FutureExt, future::BoxFuture};

use super::{
    Transport,
    answer::{self, POLL_BATCH},
};
use crate::{
    http::FeedRequest,
    wire::{Delivery, TransportDescription},
};

pub static TRANSPORT: Transport = Transport {
    description: TransportDescription {
        id: Cow::Borrowed("short-poll"),
        label: Cow::Borrowed("Short polling"),
        summary: Cow::Borrowed(
            "The client asks at a fixed interval; each answer carries what is new since the last, often nothing.",
        ),
        delivery: Delivery::Poll,
        resumable: true,
        duplex: false,
        browser_support: Cow::Borrowed("every browser (fetch, XMLHttpRequest)"),
        caveat: Cow::Borrowed(
            "An update waits half the interval on average, and every client asks whether or not there is anything new.",
        ),
    },
    serve,
    direct: |request, line| async move { line.answer(serve(request).await).await }.boxed(),
    upgrades: false,
};

fn serve(request: FeedRequest) -> BoxFuture<'static, Response> {
    async move {
        let FeedRequest {
            app,
            stats,
            query,
            request,
        } = request;
        let _under_way = stats.subscribe();
        let mut reader = query.reader(&app.hub);
        let batch = reader.read(POLL_BATCH);
        if batch.reset.is_none() && answer::not_modified(&app.hub, &query, request.headers()) {
            return answer::response(None, reader.cursor());
        }
        stats.count(&batch);
        let body = answer::body(&batch.updates, batch.reset, batch.more, reader.cursor());
        answer::response(Some(body), reader.cursor())
    }
    .boxed()
}
