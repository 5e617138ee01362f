//! Long polling: the server holds the request until there is something new, or until `wait_ms` has passed.
//!
//! ```text
//! GET /feed/long-poll?topic=match-1&since=1763631127000-41&wait_ms=25000
//!     … held until the next update …                              ->   200 {"updates":[{…}],"cursor":"1763631127000-42"}
//!     … nothing for wait_ms, or the server stops …                ->   200 {"updates":[],"cursor":"1763631127000-41"}
//! ```
//!
//! Thousands of clients usually wait for the same next update: its answer is put together once, and the fan-out writes it to all of them.

use std::{borrow::Cow, io, pin::pin, sync::Arc, time::Duration};

use axum::{http::StatusCode, response::Response};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, sleep},
};

use super::{
    Transport,
    answer::{self, POLL_BATCH},
    frame_slot,
};
use crate::{
    fanout::{Framing, Seat},
    front::{self, Length, Line},
    http::{App, FeedRequest},
    hub::{Batch, Entry, Reader},
    stats::{GaugeGuard, TransportStats},
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
    direct,
    upgrades: false,
};

/// The answer of all whose requests differ in nothing that it shows.
static FRAMING: Framing = Framing::Answer(|updates, cursor| match updates {
    [only] if only.cursor == cursor => only
        .frame(frame_slot::LONG_POLL, |_| usual_answer(updates, cursor))
        .clone(),
    _ => usual_answer(updates, cursor),
});

fn usual_answer(updates: &[Arc<Entry>], cursor: Cursor) -> Bytes {
    let body = answer::body(updates, None, false, cursor);
    let mut bytes = front::head(
        StatusCode::OK,
        &answer::headers(true, cursor),
        Length::Known(body.len()),
        false,
    );
    bytes.extend_from_slice(&body);
    bytes.into()
}

fn serve(request: FeedRequest) -> BoxFuture<'static, Response> {
    async move {
        let mut poll = LongPoll::open(&request);
        let mut deadline = pin!(sleep(poll.wait));
        while poll.waits() {
            tokio::select! {
                () = poll.reader.ready() => poll.read(),
                () = &mut deadline => break,
                () = request.app.stop.begun.cancelled() => break,
            }
        }
        poll.answer()
    }
    .boxed()
}

fn direct(request: FeedRequest, line: Line) -> BoxFuture<'static, io::Result<Option<Line>>> {
    let poll = LongPoll::open(&request);
    let FeedRequest { app, stats, .. } = request;
    async move {
        match poll.waits() {
            false => line.answer(poll.answer()).await,
            true => poll.hold(&app, &stats, line).await,
        }
    }
    .boxed()
}

/// A request that is under way.
struct LongPoll {
    reader: Reader,
    batch: Batch,
    /// The client showed what it holds, and nothing has come after it.
    nothing_new: bool,
    /// It says since when, or what it holds: without, the newest state is due at once, even where there is none yet.
    may_wait: bool,
    wait: Duration,
    stats: Arc<TransportStats>,
    /// The seat's, once it has one.
    held: Option<GaugeGuard>,
}

impl LongPoll {
    fn open(request: &FeedRequest) -> Self {
        let FeedRequest {
            app,
            stats,
            query,
            request,
        } = request;
        let held = stats.subscribe();
        let mut reader = query.reader(&app.hub);
        let mut batch = reader.read(POLL_BATCH);
        // A client that shows what it holds waits like one that says since when, even where the address names no cursor.
        let nothing_new = batch.reset.is_none() && answer::not_modified(&app.hub, query, request.headers());
        if nothing_new {
            batch = Batch::default();
        }
        Self {
            reader,
            batch,
            nothing_new,
            may_wait: query.since.is_some() || nothing_new,
            wait: query.wait,
            stats: stats.clone(),
            held: Some(held),
        }
    }

    fn waits(&self) -> bool {
        self.batch.is_empty() && self.may_wait
    }

    fn read(&mut self) {
        self.batch = self.reader.read(POLL_BATCH);
    }

    fn answer(self) -> Response {
        let cursor = self.reader.cursor();
        if self.batch.is_empty() && self.nothing_new {
            return answer::response(None, cursor);
        }
        self.stats.count(&self.batch);
        let Batch {
            updates, reset, more, ..
        } = self.batch;
        answer::response(Some(answer::body(&updates, reset, more, cursor)), cursor)
    }

    /// Waits on the connection's own socket, and answers there, if the fan-out has not.
    async fn hold(mut self, app: &App, stats: &Arc<TransportStats>, mut line: Line) -> io::Result<Option<Line>> {
        // Behind an answer of the fan-out, the next request is what wakes this task: where it is there already, nothing would.
        let mut seat =
            (line.is_usual() && !line.connection.has_more()).then(|| line.seat(&self.reader, &FRAMING, stats));
        if let Some(seat) = &seat
            && let Some(held) = self.held.take()
        {
            seat.hold(held);
        }
        let due = Instant::now() + self.wait;
        let mut over = false;
        while self.waits() && !over {
            let since = self.reader.position();
            if let Some(seat) = &seat {
                seat.hand_over(&self.reader);
            }
            tokio::select! {
                () = news(seat.as_deref(), &mut self.reader, app) => {}
                said = line.connection.readable_by(due) => match said? {
                    false => over = true,
                    // Of one that has its answer it is the next request, for whoever serves that.
                    true if seat.as_ref().is_none_or(|seat| seat.is_handed_over()) => {
                        // Who sends so much meanwhile gets its answer now.
                        over = !line.connection.take_in()?;
                    }
                    true => {}
                }
            }
            if let Some(of) = &seat {
                let turn = of.take();
                if turn.position != since {
                    line.connection.write_all(&turn.unsent).await?;
                    return line.answered().await;
                }
                if line.connection.has_more() {
                    seat = None;
                }
            }
            over |= app.fanout.is_closed();
            self.read();
        }
        line.answer(self.answer()).await
    }
}

/// Returns when there may be something to read, or the server stops.
async fn news(seat: Option<&Seat>, reader: &mut Reader, app: &App) {
    match seat {
        Some(seat) => seat.turn().await,
        None => tokio::select! {
            () = reader.ready() => {}
            () = app.stop.begun.cancelled() => {}
        },
    }
}
