//! WebSocket: a handshake, then a message per update.

use std::{rc::Rc, sync::Arc, time::Duration};

use futures_util::{FutureExt, SinkExt, StreamExt, future::LocalBoxFuture};
use http::{Request, header};
use server::wire::{Cursor, ResetMessage};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message,
        handshake::client::{generate_key, generate_request},
        protocol::WebSocketConfig,
    },
};

use super::{
    Arrivals, Endpoint, Session, SessionError, TopicIndex, decode,
    framing::{Answer, DATE, Framing, Heartbeat},
    not_understood,
};
use crate::{
    headers::Purpose,
    net::{Meter, Net, Stream},
};

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

/// Allocated for every client; the stock 128 KiB would be 1.3 GB for ten thousand.
const BUFFER_BYTES: usize = 4 * 1024;
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
            .write_buffer_size(BUFFER_BYTES)
            .max_write_buffer_size(4 * BUFFER_BYTES)
            .max_message_size(Some(MESSAGE_MAX_BYTES))
            .max_frame_size(Some(MESSAGE_MAX_BYTES));
        meter.expect_head();
        let handshake = client_async_with_config(handshake(endpoint, since)?, stream, Some(config));
        let (socket, answer) = match timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Ok(done) => done.map_err(refused)?,
            Err(_) => return Err(SessionError::TimedOut(HANDSHAKE_TIMEOUT.as_secs())),
        };
        if let Some(extension) = answer.headers().get(header::SEC_WEBSOCKET_EXTENSIONS) {
            // RFC 6455, 4.1: none was offered, and what it changes about frames is not known here.
            return Err(SessionError::Protocol(format!(
                "the server chose the extension {extension:?}"
            )));
        }
        let setup_bytes = meter.bytes_to_head();
        let session = Socket {
            endpoint: endpoint.clone(),
            socket,
            meter,
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
    endpoint: Arc<Endpoint>,
    socket: WebSocketStream<Stream>,
    meter: Rc<Meter>,
    cursor: Option<Cursor>,
    setup_bytes: u64,
}

impl Session for Socket {
    fn next<'a>(&'a mut self, arrivals: &'a mut Arrivals) -> LocalBoxFuture<'a, Result<(), SessionError>> {
        async move {
            let message = self.socket.next().await.ok_or(SessionError::Ended)??;
            match message {
                Message::Text(text) => {
                    let received_us = self.meter.last_read_us();
                    self.cursor = Some(read_message(&text, &self.endpoint.topics, received_us, arrivals)?);
                    Ok(())
                }
                Message::Close(_) => {
                    // The answer is queued below us, and leaves with a flush (RFC 6455, 5.5.1). A server that takes nothing any more
                    // goes without.
                    let _ = timeout(CLOSE_TIMEOUT, self.socket.flush()).await;
                    Err(SessionError::Ended)
                }
                // Pings are answered below us.
                Message::Ping(_) | Message::Pong(_) => Ok(()),
                Message::Binary(_) | Message::Frame(_) => {
                    Err(SessionError::Protocol("a message that is no text".into()))
                }
            }
        }
        .boxed_local()
    }

    fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    fn setup_bytes(&self) -> u64 {
        self.setup_bytes
    }
}

/// Reads a message: an update, or the word that some may be missing. Returns the position behind it.
pub fn read_message(
    text: &str,
    topics: &TopicIndex,
    received_us: u64,
    arrivals: &mut Arrivals,
) -> Result<Cursor, SessionError> {
    if text.starts_with(r#"{"reset""#) {
        let reset: ResetMessage =
            serde_json::from_str(text).map_err(|error| not_understood(format!("a broken reset: {error}")))?;
        arrivals.reset = true;
        return Ok(reset.cursor);
    }
    let arrival = decode(text, topics, received_us)?;
    arrivals.updates.push(arrival);
    Ok(arrival.cursor)
}
