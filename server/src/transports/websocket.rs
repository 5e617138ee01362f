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
mod turns;

use std::{borrow::Cow, future::poll_fn, io, pin::pin, sync::Arc, task::Poll};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt, future::BoxFuture};
use hyper_util::{rt::TokioIo, server::conn::auto::upgrade};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use self::turns::Turns;
use super::{Transport, frame_slot, lacking};
use crate::{
    fanout::Framing,
    front::{Length, Line},
    http::{App, FeedRequest, problem},
    hub::{Entry, Reader},
    io::{Connection, write_frames},
    origin::{self, Asker},
    stats::TransportStats,
    wire::{Cursor, Delivery, Reset, ResetMessage, TransportDescription},
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
    direct,
    upgrades: true,
};

/// Both are allocated for every connection, so they are small: updates are written as they come.
const READ_BUFFER_BYTES: usize = 256;
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
/// What a client may send at once; it has nothing to say.
const MESSAGE_MAX_BYTES: usize = 4 * 1024;
/// A frame up to here is read to its end before it is refused: closing on unread input would reset the connection, and the Close
/// that says why could be lost.
const FRAME_MAX_BYTES: usize = 16 * 1024;

/// A text frame an update, made once for all sessions.
static FRAMING: Framing = Framing::Stream(update_frame);

fn update_frame(entry: &Entry) -> &Bytes {
    entry.frame(frame_slot::WEBSOCKET, |entry| text_frame(&entry.json).into())
}

fn reset_frame(reset: Reset, cursor: Cursor) -> Vec<u8> {
    // Two numbers and an enum: serde_json cannot fail on them.
    text_frame(&serde_json::to_vec(&ResetMessage { reset, cursor }).unwrap_or_default())
}

/// An unmasked text message in one frame (RFC 6455, 5.2).
pub fn text_frame(text: &[u8]) -> Vec<u8> {
    const FIN_TEXT: u8 = 0x81;
    let mut frame = Vec::with_capacity(text.len() + 10);
    match text.len() {
        short @ 0..126 => frame.extend([FIN_TEXT, short as u8]),
        middle @ 126..65_536 => {
            frame.extend([FIN_TEXT, 126]);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.extend([FIN_TEXT, 127]);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(text);
    frame
}

fn serve(request: FeedRequest) -> BoxFuture<'static, Response> {
    async move {
        let FeedRequest {
            app,
            stats,
            query,
            mut request,
        } = request;
        let answer = match accepted(&app, &request) {
            Ok(answer) => answer,
            Err(refusal) => return refusal,
        };
        let upgrade = hyper::upgrade::on(&mut request);
        let reader = query.reader(&app.hub);
        // The upgraded session outlives its request: from here on shutdown waits for it.
        let (tasks, cut) = (app.stop.tasks.clone(), app.stop.cut.clone());
        tasks.spawn(async move {
            let session = async {
                // A peer that goes before it has its answer gets no session.
                let Ok(upgraded) = upgrade.await else { return };
                if let Ok(parts) = upgrade::downcast::<TokioIo<Connection>>(upgraded) {
                    let mut connection = parts.io.into_inner();
                    connection.give_back(parts.read_buf);
                    session(app, stats, connection, reader, Bytes::new()).await;
                }
            };
            tokio::select! {
                () = session => {}
                () = cut.cancelled() => {}
            }
        });
        answer.map(|()| Body::empty())
    }
    .boxed()
}

fn direct(request: FeedRequest, line: Line) -> BoxFuture<'static, io::Result<Option<Line>>> {
    let FeedRequest {
        app,
        stats,
        query,
        request,
    } = request;
    let answer = match accepted(&app, &request) {
        Ok(answer) => answer,
        Err(refusal) => return line.answer(refusal).boxed(),
    };
    let reader = query.reader(&app.hub);
    let head = line.head(answer, Length::None);
    session(app, stats, line.connection, reader, head.into())
        .map(|()| Ok(None))
        .boxed()
}

/// The answer to a handshake that is one (RFC 6455, 4.2.2), or its refusal.
#[expect(
    clippy::result_large_err,
    reason = "made for a refused upgrade alone, and sent as it is"
)]
fn accepted(app: &App, request: &Request) -> Result<Response<()>, Response> {
    // A page of another origin may open a WebSocket unless someone checks: browsers send Origin, but enforce nothing.
    if let Asker::Foreign(origin) = origin::of(request, &app.settings.allow_origins, || app.page.ports()) {
        return Err(problem(StatusCode::FORBIDDEN, origin::refusal(&origin)));
    }
    let key = handshake::check(request)?;
    let mut answer = Response::new(());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    Ok(answer)
}

/// A session to its end, over a connection whose handshake is done but for these bytes.
fn session(
    app: Arc<App>,
    stats: Arc<TransportStats>,
    connection: Connection,
    reader: Reader,
    unsent: Bytes,
) -> impl Future<Output = ()> {
    let seat = app.fanout.seat(connection.socket(), &reader, &FRAMING, &stats);
    let turns = Turns::new(connection, seat, unsent);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(4 * WRITE_BUFFER_BYTES)
        .max_message_size(Some(MESSAGE_MAX_BYTES))
        .max_frame_size(Some(FRAME_MAX_BYTES));
    async move {
        let mut session = Session {
            socket: WebSocketStream::from_raw_socket(turns, Role::Server, Some(config)).await,
            app,
            stats,
            reader,
        };
        session.run().await;
    }
}

/// One client's live connection.
struct Session {
    app: Arc<App>,
    stats: Arc<TransportStats>,
    socket: WebSocketStream<Turns>,
    reader: Reader,
}

/// Why a session ends.
enum End {
    /// The peer closed, or the connection broke: nobody is left to say goodbye to.
    Gone,
    /// Say this code and reason.
    Close(CloseCode, &'static str),
}

impl From<Error> for End {
    fn from(_: Error) -> Self {
        Self::Gone
    }
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Session {
    async fn run(&mut self) {
        let stats = self.stats.clone();
        let _subscriber = stats.subscribe();
        if let End::Close(code, reason) = self.deliver().await {
            let close = Message::Close(Some(CloseFrame {
                code,
                reason: reason.into(),
            }));
            let goodbye = async {
                if self.socket.send(close).await.is_ok() {
                    // The peer answers with its own Close; then the connection may go (RFC 6455, 7.1.1).
                    while let Some(Ok(_)) = self.socket.next().await {}
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
        let heartbeat = self.app.settings.heartbeat;
        let mut pinged = false;
        let mut alarm = pin!(tokio::time::sleep(heartbeat));
        loop {
            if let Err(end) = self.catch_up().await {
                return end;
            }
            if self.app.fanout.is_closed() {
                return End::Close(CloseCode::Away, "the server is stopping");
            }
            self.socket.get_ref().seat.hand_over(&self.reader);
            let event = tokio::select! {
                event = self.event() => event,
                () = &mut alarm => {
                    // What it said while a batch was on its way to it waits to be read: that is no silence.
                    let said = self.socket.next().now_or_never();
                    match said {
                        Some(said) => Event::Heard(said),
                        None => Event::Silence,
                    }
                }
            };
            let position = self.socket.get_mut().take();
            self.reader.go_on_from(position);
            let done = match event {
                Event::Turn => Ok(()),
                Event::Heard(said) => {
                    // Whatever it says, it lives.
                    pinged = false;
                    alarm.as_mut().reset(Instant::now() + heartbeat);
                    self.heard(said).await
                }
                Event::Silence if pinged => {
                    self.stats.silent_peers.inc();
                    return End::Gone;
                }
                Event::Silence => {
                    pinged = true;
                    alarm.as_mut().reset(Instant::now() + self.app.settings.peer_timeout);
                    let ping = self.socket.send(Message::Ping(Bytes::new())).await;
                    ping.map_err(End::from)
                }
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Returns when the peer has said something, or it is the session's turn to write.
    async fn event(&mut self) -> Event {
        poll_fn(|cx| {
            if let Poll::Ready(said) = self.socket.poll_next_unpin(cx) {
                return Poll::Ready(Event::Heard(said));
            }
            // Behind it: a pong that is still to be written takes the turn.
            self.socket.get_ref().seat.poll_turn(cx).map(|()| Event::Turn)
        })
        .await
    }

    /// What the peer said; an end where that is one.
    async fn heard(&mut self, said: Option<Result<Message, Error>>) -> Result<(), End> {
        match said {
            Some(Ok(Message::Close(_))) => {
                // The answer is queued; without this an update that is ready now would be the end of it.
                let _ = timeout(self.app.settings.peer_timeout, self.socket.flush()).await;
                Err(End::Gone)
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(broken(&error)),
            None => Err(End::Gone),
        }
    }

    /// Writes everything that is there: what is unsent first, then what is behind the reader; when the server stops, no more than what was
    /// begun.
    async fn catch_up(&mut self) -> Result<(), End> {
        self.socket.flush().await?;
        while let Some(frames) = lacking(&self.app, &self.stats, &mut self.reader, update_frame, reset_frame) {
            write_frames(self.socket.get_mut(), frames).await?;
        }
        Ok(())
    }
}

/// What a session waits for.
enum Event {
    /// The fan-out could not write everything.
    Turn,
    Heard(Option<Result<Message, Error>>),
    /// For as long as a heartbeat, or an answer to one, may take.
    Silence,
}

/// The close code a broken incoming message deserves (RFC 6455, 7.4.1).
fn broken(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::Close(CloseCode::Size, "messages are at most 4 KiB here"),
        Error::Utf8(_) => End::Close(CloseCode::Invalid, "text that is not UTF-8"),
        Error::Protocol(violation) => {
            tracing::debug!(%violation, "websocket protocol");
            End::Close(CloseCode::Protocol, "broken frame")
        }
        _ => End::Gone,
    }
}
