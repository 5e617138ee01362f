//! Server-Sent Events: one answer that never ends, read event by event.

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use http::{HeaderValue, Request};
use server::wire::{Cursor, Reset};
use tokio::time::timeout;

use super::{
    Arrivals, Endpoint, Session, SessionError,
    decode::Decoder,
    framing::{Answer, DATE, Framing, Heartbeat, close_header},
    http::{HttpConnection, encode, get_request},
    not_understood,
};
use crate::{
    headers::Purpose,
    net::Net,
    sse_parser::{SseEvent, SseParser},
};

const ID: &str = "sse";

pub const FRAMING: Framing = Framing {
    request: |endpoint, since| request(endpoint, since).map_or(0, |request| encode(&request).len() as u64),
    answer: answer_bytes,
    preamble: PREAMBLE_BYTES,
    pushed: Some(event_bytes),
    // A comment, `:` and a line end, in a chunk of its own; an event in its place does as well.
    heartbeat: Some(Heartbeat {
        bytes: 7,
        even_when_busy: false,
    }),
};

/// How long the head of the stream may take, or a whole refusal.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

pub fn open<'a>(
    net: &'a Net,
    endpoint: &'a Arc<Endpoint>,
    since: Option<Cursor>,
) -> LocalBoxFuture<'a, Result<Box<dyn Session>, SessionError>> {
    async move {
        let mut connection = HttpConnection::open(net, endpoint).await?;
        let request = encode(&request(endpoint, since)?);
        let opened = async {
            let head = connection.get(&request).await?;
            // A refusal is read to its end, which may never come.
            connection.accept(&head, "text/event-stream").await
        };
        match timeout(HEAD_TIMEOUT, opened).await {
            Ok(accepted) => accepted?,
            Err(_) => return Err(SessionError::TimedOut(HEAD_TIMEOUT.as_secs())),
        }
        let setup_bytes = connection.bytes_used();
        let session = Sse {
            decoder: Decoder::new(endpoint.topics.clone()),
            connection,
            parser: SseParser::default(),
            cursor: since,
            setup_bytes,
        };
        Ok(Box::new(session) as Box<dyn Session>)
    }
    .boxed_local()
}

fn request(endpoint: &Endpoint, since: Option<Cursor>) -> Result<Request<()>, SessionError> {
    let mut headers = endpoint.headers.headers(Purpose::EventSource, &endpoint.authority);
    if let Some(since) = since {
        // As EventSource resumes: the address stays as it was, the header says where to go on.
        headers.insert(
            "last-event-id",
            HeaderValue::try_from(since.to_string()).map_err(|error| invalid(&error))?,
        );
    }
    get_request(endpoint, &endpoint.target(ID, None), &headers)
}

/// The chunk behind the head: `c`, `retry: 1000` and their line ends.
const PREAMBLE_BYTES: u64 = 17;

/// Bytes of the answer's head:
///
/// ```text
/// HTTP/1.1 200 OK
/// content-type: text/event-stream
/// cache-control: no-store
/// x-accel-buffering: no
/// transfer-encoding: chunked
/// date: Thu, 20 Nov 2026 12:00:00 GMT
/// ```
fn answer_bytes(endpoint: &Endpoint, _: Answer) -> u64 {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: no\r\n{}\
         transfer-encoding: chunked\r\ndate: {DATE}\r\n\r\n",
        close_header(endpoint)
    );
    head.len() as u64
}

/// Bytes of an event, which is a chunk of its own: `event: update`, `data: {…}`, `id: …` and an empty line.
fn event_bytes(cursor: Cursor, update_bytes: u64) -> u64 {
    chunk_bytes(format!("event: update\ndata: \nid: {cursor}\n\n").len() as u64 + update_bytes)
}

/// A chunk around so many bytes (RFC 9112, 7.1): their number in hex and two line ends.
fn chunk_bytes(data: u64) -> u64 {
    format!("{data:X}\r\n\r\n").len() as u64 + data
}

struct Sse {
    decoder: Decoder,
    connection: HttpConnection,
    parser: SseParser,
    cursor: Option<Cursor>,
    setup_bytes: u64,
}

impl Session for Sse {
    fn poll_next(&mut self, cx: &mut Context<'_>, arrivals: &mut Arrivals) -> Poll<Result<(), SessionError>> {
        let (decoder, cursor, parser) = (&mut self.decoder, &mut self.cursor, &mut self.parser);
        let pieces = self.connection.poll_pieces(cx, |piece, received_us| {
            parser.feed(piece, |event| {
                read_event(&event, decoder, received_us, arrivals, cursor)
            })
        });
        let ended = ready!(pieces)?;
        // What came with the end is handed out before it is told.
        match ended && arrivals.is_empty() {
            true => Poll::Ready(Err(SessionError::Ended)),
            false => Poll::Ready(Ok(())),
        }
    }

    fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    fn setup_bytes(&self) -> u64 {
        self.setup_bytes
    }
}

/// Takes what an event brings, and the position behind it.
pub fn read_event(
    event: &SseEvent<'_>,
    decoder: &mut Decoder,
    received_us: u64,
    arrivals: &mut Arrivals,
    cursor: &mut Option<Cursor>,
) -> Result<(), SessionError> {
    let id = event.id.map(str::parse).transpose().map_err(|error| invalid(&error))?;
    match event.kind {
        "update" => {
            let arrival = decoder.update(event.data, received_us)?;
            // Handed out and not held, it would come once more to the session that resumes.
            if id != Some(arrival.cursor) {
                return Err(not_understood(format!(
                    "update {} came with the id {:?}",
                    arrival.cursor, event.id
                )));
            }
            arrivals.updates.push(arrival);
        }
        "reset" => {
            serde_json::from_str::<Reset>(event.data)
                .map_err(|error| not_understood(format!("a broken reset: {error}")))?;
            arrivals.reset = true;
        }
        // Only an id: the position before the first update.
        "" => {}
        other => {
            return Err(not_understood(format!("an event of the unknown kind {other:?}")));
        }
    }
    *cursor = id.or(*cursor);
    Ok(())
}

fn invalid(error: &dyn std::fmt::Display) -> SessionError {
    not_understood(error)
}
