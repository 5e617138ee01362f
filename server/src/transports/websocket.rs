//! WebSocket (RFC 6455): after the handshake a text message per update, a ping when it is quiet.
//!
//! ```text
//! GET /feed/websocket?topic=match-1&since=1763631127000-41    Upgrade: websocket   ->   101 Switching Protocols
//! 81 7e 01 00  {"topic":"match-1",…}        FIN, text, 256 bytes, unmasked: 4 bytes of framing
//! 81 ..        {"reset":{"reason":"evicted"},"cursor":"1763631127000-90"}
//! 89 00                                     ping; a peer that leaves it unanswered is closed
//! 88 02 03 e9                               close: 1001 the server stops, 1009 too large, 1002 and 1007 broken frames
//! ```
//!
//! A handshake that is none is refused in `websocket/handshake.rs`. Clients have nothing to say here; what they send is bounded, read (or pings and closes would never be seen) and dropped.

mod handshake;

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    extract::{
        FromRequestParts, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt, SinkExt, future::BoxFuture};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite;

use super::{PUSH_BATCH, Transport};
use crate::{
    http::{App, FeedRequest, problem},
    hub::{Batch, Reader},
    origin::{self, Asker},
    stats::TransportStats,
    wire::{Delivery, ResetMessage, TransportDescription},
};

pub static TRANSPORT: Transport = Transport {
    description: TransportDescription {
        id: Cow::Borrowed("websocket"),
        label: Cow::Borrowed("WebSocket"),
        summary: Cow::Borrowed(
            "After one handshake both sides send messages on the same connection; an update is one message.",
        ),
        delivery: Delivery::Push,
        resumable: true,
        duplex: true,
        browser_support: Cow::Borrowed(
            "every current browser (WebSocket); reconnecting and resuming is up to the page",
        ),
        caveat: Cow::Borrowed(
            "No reconnect, no resume and no Origin check come with it: the application must bring all three.",
        ),
    },
    serve,
};

/// Both are allocated for every connection, so they are small: updates are written as they come.
const READ_BUFFER_BYTES: usize = 1024;
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
/// What a client may send at once; it has nothing to say.
const MESSAGE_MAX_BYTES: usize = 4 * 1024;
/// A frame up to here is read to its end before it is refused: closing on unread input would reset the connection, and the Close
/// that says why could be lost.
const FRAME_MAX_BYTES: usize = 16 * 1024;

fn serve(request: FeedRequest) -> BoxFuture<'static, Response> {
    async move {
        let FeedRequest {
            app,
            stats,
            query,
            request,
        } = request;
        // A page of another origin may open a WebSocket unless someone checks: browsers send Origin, but enforce nothing.
        if let Asker::Foreign(origin) = origin::of(&request, &app.settings.allow_origins, || app.page.ports()) {
            return problem(StatusCode::FORBIDDEN, origin::refusal(&origin));
        }
        let (mut parts, _) = request.into_parts();
        if let Err(refusal) = handshake::check(&parts) {
            return refusal;
        }
        let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => upgrade,
            Err(rejection) => return problem(rejection.status(), rejection.body_text()),
        };
        let reader = query.reader(&app.hub);
        // The upgraded session outlives its request: from here on shutdown waits for it.
        let owned = app.stop.tasks.token();
        upgrade
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(MESSAGE_MAX_BYTES)
            .max_frame_size(FRAME_MAX_BYTES)
            .on_upgrade(move |socket| async move {
                let cut = app.stop.cut.clone();
                tokio::select! {
                    () = Session { app, stats, socket, reader }.run() => {}
                    () = cut.cancelled() => {}
                }
                drop(owned);
            })
            .into_response()
    }
    .boxed()
}

/// One client's live connection.
struct Session {
    app: Arc<App>,
    stats: Arc<TransportStats>,
    socket: WebSocket,
    reader: Reader,
}

/// Why a session ends.
enum End {
    /// The peer closed, or the connection broke: nobody is left to say goodbye to.
    Gone,
    /// Say this code and reason.
    Close(u16, &'static str),
}

impl Session {
    async fn run(mut self) {
        let stats = self.stats.clone();
        let _subscriber = stats.subscribe();
        let end = self.deliver().await;
        if let End::Close(code, reason) = end {
            let close = Message::Close(Some(CloseFrame {
                code,
                reason: reason.into(),
            }));
            let goodbye = async {
                if self.socket.send(close).await.is_ok() {
                    // The peer answers with its own Close; then the connection may go (RFC 6455, 7.1.1).
                    while let Some(Ok(_)) = self.socket.recv().await {}
                }
            };
            // A peer that does not answer is left without.
            let _ = timeout(
                self.app.settings.peer_timeout.min(self.app.settings.drain_deadline / 2),
                goodbye,
            )
            .await;
        }
    }

    async fn deliver(&mut self) -> End {
        let (heartbeat, peer_timeout) = (self.app.settings.heartbeat, self.app.settings.peer_timeout);
        let mut pinged = false;
        let alarm = tokio::time::sleep(heartbeat);
        tokio::pin!(alarm);
        let shutdown = self.app.stop.begun.clone();
        loop {
            tokio::select! {
                incoming = self.socket.recv() => {
                    // Whatever it says, it lives.
                    pinged = false;
                    alarm.as_mut().reset(Instant::now() + heartbeat);
                    if let Some(end) = self.heard(incoming, peer_timeout).await {
                        return end;
                    }
                }
                () = self.reader.ready() => {
                    let batch = self.reader.read(PUSH_BATCH);
                    if self.send(batch).await.is_err() {
                        return End::Gone;
                    }
                }
                () = &mut alarm => {
                    // What it said while a batch was on its way to it waits to be read: that is no silence.
                    let said = self.socket.recv().now_or_never();
                    if let Some(incoming) = said {
                        pinged = false;
                        alarm.as_mut().reset(Instant::now() + heartbeat);
                        if let Some(end) = self.heard(incoming, peer_timeout).await {
                            return end;
                        }
                        continue;
                    }
                    if pinged {
                        self.stats.silent_peers.inc();
                        return End::Gone;
                    }
                    pinged = true;
                    alarm.as_mut().reset(Instant::now() + peer_timeout);
                    if self.socket.send(Message::Ping(Default::default())).await.is_err() {
                        return End::Gone;
                    }
                }
                () = shutdown.cancelled() => return End::Close(close_code::AWAY, "the server is stopping"),
            }
        }
    }

    /// What the peer said, or that it is gone; None where the session goes on.
    async fn heard(&mut self, incoming: Option<Result<Message, axum::Error>>, peer_timeout: Duration) -> Option<End> {
        match incoming {
            Some(Ok(Message::Close(_))) => {
                // The answer is queued; without this an update that is ready now would be the end of it.
                let _ = timeout(peer_timeout, self.socket.flush()).await;
                Some(End::Gone)
            }
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(broken(error)),
            None => Some(End::Gone),
        }
    }

    async fn send(&mut self, batch: Batch) -> Result<(), axum::Error> {
        self.stats.count(&batch);
        if let Some(reset) = batch.reset {
            // The newest state is still to come: a client cut before it must get it when it resumes from here.
            let mut cursor = self.reader.cursor();
            if let Some(first) = batch.updates.first() {
                cursor.offset = first.cursor.offset - 1;
            }
            // Two numbers and an enum: serde_json cannot fail on them.
            let message = serde_json::to_string(&ResetMessage { reset, cursor }).unwrap_or_default();
            self.socket.feed(Message::Text(message.into())).await?;
        }
        for entry in batch.updates {
            // Made by serde_json, so it is text; the check costs less than a copy.
            let text = Utf8Bytes::try_from(entry.json.clone()).unwrap_or_default();
            self.socket.feed(Message::Text(text)).await?;
        }
        self.socket.flush().await
    }
}

/// The close code a broken incoming message deserves (RFC 6455, 7.4.1).
fn broken(error: axum::Error) -> End {
    let error = error.into_inner();
    match error.downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => End::Close(close_code::SIZE, "messages are at most 4 KiB here"),
        Some(tungstenite::Error::Utf8(_)) => End::Close(close_code::INVALID, "text that is not UTF-8"),
        Some(tungstenite::Error::Protocol(violation)) => {
            tracing::debug!(%violation, "websocket protocol");
            End::Close(close_code::PROTOCOL, "broken frame")
        }
        _ => End::Gone,
    }
}
