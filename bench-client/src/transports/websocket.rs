//! WebSocket: a handshake, then a message per update.
//!
//! ```text
//! one read -> frames.rs -+-> a whole text message, unmasked and unfragmented -> read_message()
//!                        `-> anything else -> tungstenite (link.rs) -> its messages, its pongs, its errors
//! ```
//!
//! The handshake is tungstenite's, and so is every frame that is not plainly one of the feed's: what is read by hand is the one kind of
//! frame that is measured. A waiting client holds no read buffer.

mod frames;
mod link;

use std::{
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use http::{Request, header};
use server::wire::{Cursor, ResetMessage};
use tokio::time::{Sleep, sleep, timeout};
use tokio_tungstenite::tungstenite::{
    self, Message, WebSocket,
    handshake::client::{generate_key, generate_request},
    protocol::WebSocketConfig,
};

use super::{
    Arrivals, Endpoint, Session, SessionError,
    decode::Decoder,
    framing::{Answer, DATE, Framing, Heartbeat},
    not_understood,
};
use crate::{
    headers::Purpose,
    net::{Meter, Net},
};
pub(crate) use frames::{Frame, first_frame};
use link::{Link, shake_hands};

const ID: &str = "websocket";

pub const FRAMING: Framing = Framing {
    request: request_bytes,
    answer: answer_bytes,
    preamble: 0,
    pushed: Some(message_bytes),
    // An empty ping, and the pong, which is masked as all a client sends: the server hears nothing else from it.
    heartbeat: Some(Heartbeat {
        bytes: 2 + 6,
        even_when_busy: true,
    }),
};

/// For frames that are not read by hand; allocated for every client.
const BUFFER_BYTES: usize = 64;
/// Pongs and the answer to a close, of at most 125 bytes each, that the server takes slowly.
const REPLIES_MAX_BYTES: usize = 16 * 1024;
/// The largest update and a reset around it.
pub(crate) const MESSAGE_MAX_BYTES: usize = 256 * 1024;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the answer to a close may take to leave.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

pub fn open<'a>(
    net: &'a Net,
    endpoint: &'a Arc<Endpoint>,
    since: Option<Cursor>,
) -> LocalBoxFuture<'a, Result<Box<dyn Session>, SessionError>> {
    async move {
        let stream = net.connect(endpoint.address).await?;
        let meter = stream.meter();
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(REPLIES_MAX_BYTES)
            .max_message_size(Some(MESSAGE_MAX_BYTES))
            .max_frame_size(Some(MESSAGE_MAX_BYTES));
        meter.expect_head();
        let handshake = shake_hands(stream, handshake(endpoint, since)?, config);
        let (mut socket, answer) = match timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Ok(done) => done.map_err(refused)?,
            Err(_) => return Err(SessionError::TimedOut(HANDSHAKE_TIMEOUT.as_secs())),
        };
        if let Some(extension) = answer.headers().get(header::SEC_WEBSOCKET_EXTENSIONS) {
            // RFC 6455, 4.1: none was offered, and what it changes about frames is not known here.
            return Err(SessionError::Protocol(format!(
                "the server chose the extension {extension:?}"
            )));
        }
        // What came with the head's end is the first to be read.
        let waiting = socket.get_mut().take_behind();
        let setup_bytes = meter.bytes() - waiting.len() as u64;
        let session = Socket {
            decoder: Decoder::new(endpoint.topics.clone()),
            socket,
            meter,
            waiting,
            by_library: false,
            replies_wait: false,
            closing: None,
            cursor: since,
            setup_bytes,
        };
        Ok(Box::new(session) as Box<dyn Session>)
    }
    .boxed_local()
}

fn handshake(endpoint: &Endpoint, since: Option<Cursor>) -> Result<Request<()>, SessionError> {
    let mut request = Request::get(format!("ws://{}{}", endpoint.authority, endpoint.target(ID, since)))
        .header(header::HOST, &endpoint.authority)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, generate_key())
        .body(())
        .map_err(|error| SessionError::Protocol(format!("the handshake is invalid: {error}")))?;
    request
        .headers_mut()
        .extend(endpoint.headers.headers(Purpose::WebSocket, &endpoint.authority));
    Ok(request)
}

/// Bytes of the handshake's request: of one as it is sent.
fn request_bytes(endpoint: &Endpoint, since: Option<Cursor>) -> u64 {
    let request = handshake(endpoint, since).ok();
    let written = request.and_then(|request| generate_request(request).ok());
    // An address that makes no handshake has sent none.
    written.map_or(0, |(bytes, _)| bytes.len() as u64)
}

/// Bytes of the handshake's answer:
///
/// ```text
/// HTTP/1.1 101 Switching Protocols
/// connection: upgrade
/// upgrade: websocket
/// sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
/// date: Thu, 20 Nov 2026 12:00:00 GMT
/// ```
fn answer_bytes(_: &Endpoint, _: Answer) -> u64 {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\ndate: {DATE}\r\n\r\n"
    );
    head.len() as u64
}

/// Bytes of a text message from the server (RFC 6455, 5.2): unmasked, its length in 7, 7 + 16 or 7 + 64 bits.
pub(crate) fn message_bytes(_: Cursor, update_bytes: u64) -> u64 {
    let header = match update_bytes {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    header + update_bytes
}

/// A refused handshake says why in its body.
fn refused(error: tungstenite::Error) -> SessionError {
    match error {
        tungstenite::Error::Http(answer) => SessionError::Refused {
            status: answer.status().as_u16(),
            body: String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default())
                .chars()
                .take(200)
                .collect(),
        },
        other => other.into(),
    }
}

struct Socket {
    decoder: Decoder,
    socket: WebSocket<Link>,
    meter: Rc<Meter>,
    /// Read, and no whole frame yet.
    waiting: Vec<u8>,
    /// From the first frame on that is neither plain text nor plain control, every byte is tungstenite's: a fragment changes what the next
    /// frames mean, and what is wrong is its to say.
    by_library: bool,
    /// A pong or the answer to a close could not be written at once.
    replies_wait: bool,
    /// The server has closed: how long the answer to that may still take to leave.
    closing: Option<Pin<Box<Sleep>>>,
    cursor: Option<Cursor>,
    setup_bytes: u64,
}

impl Session for Socket {
    fn poll_next(&mut self, cx: &mut Context<'_>, arrivals: &mut Arrivals) -> Poll<Result<(), SessionError>> {
        self.socket.get_mut().wake(cx.waker());
        if self.replies_wait {
            self.reply()?;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        while self.closing.is_none() {
            if !waiting.is_empty() {
                let read = self.read_frames(&waiting, arrivals)?;
                if read > 0 {
                    // The room that a large frame took goes with it.
                    waiting = waiting[read..].to_vec();
                }
                if !arrivals.is_empty() {
                    break;
                }
            }
            let lent = match self.socket.get_mut().poll_bytes(cx)? {
                Poll::Ready(lent) => lent,
                Poll::Pending => {
                    self.waiting = waiting;
                    return Poll::Pending;
                }
            };
            if lent.is_empty() {
                // What this end means hangs on what came before.
                return Poll::Ready(Err(self.end(&waiting, arrivals)));
            }
            if waiting.is_empty() {
                let read = self.read_frames(&lent, arrivals)?;
                waiting = lent[read..].to_vec();
                if !arrivals.is_empty() {
                    break;
                }
            } else {
                waiting.extend_from_slice(&lent);
            }
        }
        self.waiting = waiting;
        if !arrivals.is_empty() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_closed(cx)?);
        Poll::Ready(Err(SessionError::Ended))
    }

    fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    fn setup_bytes(&self) -> u64 {
        self.setup_bytes
    }
}

impl Socket {
    /// Reads what is whole of these bytes, and returns how many that were.
    fn read_frames(&mut self, bytes: &[u8], arrivals: &mut Arrivals) -> Result<usize, SessionError> {
        let mut read = 0;
        while read < bytes.len() && self.closing.is_none() {
            let rest = &bytes[read..];
            if self.by_library {
                self.read_by_library(rest, arrivals)?;
                return Ok(bytes.len());
            }
            match first_frame(rest, MESSAGE_MAX_BYTES) {
                Frame::Text { text, length } => {
                    self.read_text(text, arrivals)?;
                    read += length;
                }
                Frame::Control { length } => {
                    self.read_by_library(&rest[..length], arrivals)?;
                    read += length;
                }
                Frame::Partial => break,
                Frame::Other => self.by_library = true,
            }
        }
        Ok(read)
    }

    fn read_text(&mut self, text: &str, arrivals: &mut Arrivals) -> Result<(), SessionError> {
        let received_us = self.meter.last_read_us();
        self.cursor = Some(read_message(text, &mut self.decoder, received_us, arrivals)?);
        Ok(())
    }

    /// Gives bytes to tungstenite and takes every message that it makes of them.
    fn read_by_library(&mut self, bytes: &[u8], arrivals: &mut Arrivals) -> Result<(), SessionError> {
        self.socket.get_mut().give(bytes);
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => self.read_text(&text, arrivals)?,
                // Pings are answered below us.
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) => {
                    // The answer is queued below us, and leaves with a flush (RFC 6455, 5.5.1). A server that takes nothing any more goes
                    // without.
                    self.closing = Some(Box::pin(sleep(CLOSE_TIMEOUT)));
                    return Ok(());
                }
                Ok(Message::Binary(_) | Message::Frame(_)) => {
                    return Err(SessionError::Protocol("a message that is no text".into()));
                }
                Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return self.reply();
                }
                Err(error) => return Err(ended(error)),
            }
        }
    }

    /// Writes what tungstenite answers; what the server does not take yet is tried again when it does.
    fn reply(&mut self) -> Result<(), SessionError> {
        self.replies_wait = match self.socket.flush() {
            Ok(()) => false,
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => true,
            Err(error) => return Err(ended(error)),
        };
        Ok(())
    }

    /// The server closed its side of the connection.
    fn end(&mut self, waiting: &[u8], arrivals: &mut Arrivals) -> SessionError {
        self.socket.get_mut().end();
        match self.read_by_library(waiting, arrivals) {
            Err(error) => error,
            Ok(()) => SessionError::Ended,
        }
    }

    /// The answer to a close has left, or had its time.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SessionError>> {
        let _ = self.reply();
        match &mut self.closing {
            Some(time) if self.replies_wait => time.as_mut().poll(cx).map(Ok),
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// A connection that ended as it should is no error of tungstenite's.
fn ended(error: tungstenite::Error) -> SessionError {
    match error {
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => SessionError::Ended,
        error => error.into(),
    }
}

/// Reads a message: an update, or the word that some may be missing. Returns the position behind it.
pub fn read_message(
    text: &str,
    decoder: &mut Decoder,
    received_us: u64,
    arrivals: &mut Arrivals,
) -> Result<Cursor, SessionError> {
    if text.starts_with(r#"{"reset""#) {
        let reset: ResetMessage =
            serde_json::from_str(text).map_err(|error| not_understood(format!("a broken reset: {error}")))?;
        arrivals.reset = true;
        return Ok(reset.cursor);
    }
    let arrival = decoder.update(text, received_us)?;
    arrivals.updates.push(arrival);
    Ok(arrival.cursor)
}
