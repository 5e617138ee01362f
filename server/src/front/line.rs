//! A connection that answers a plain request, on its way through the transport and back.

use std::{io, sync::Arc, time::SystemTime};

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode, header},
};
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;

use super::request::Plain;
use crate::{
    fanout::{Framing, Seat},
    http::App,
    hub::{Filter, Reader},
    io::Connection,
    origin::{self, Asker},
    stats::TransportStats,
    wire::Mode,
};

/// Bytes of an answer's head, for the buffer's first size.
const HEAD_BYTES: usize = 256;

/// A connection with a request that is not answered yet.
pub struct Line {
    pub app: Arc<App>,
    pub connection: Connection,
    /// Of a poll that was held before: one that follows the same finds it again.
    seat: Option<((Filter, Mode), Arc<Seat>)>,
    /// The connection ends with the answer.
    close: bool,
    asker: Asker,
}

/// How long the body behind a head is.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// An answer that has no body by its nature.
    None,
    Known(usize),
    Chunked,
}

impl Line {
    pub fn new(app: Arc<App>, connection: Connection) -> Self {
        Self {
            app,
            connection,
            seat: None,
            close: false,
            asker: Asker::Own,
        }
    }

    /// Another request has come.
    pub fn begin(&mut self, plain: &Plain) {
        let settings = &self.app.settings;
        self.asker = origin::of(&plain.request, &settings.allow_origins, || self.app.page.ports());
        self.close = plain.close;
    }

    /// A seat in the fan-out, of this framing: a line has one transport's polls.
    pub fn seat(&mut self, reader: &Reader, framing: &'static Framing, stats: &Arc<TransportStats>) -> Arc<Seat> {
        let follows = (reader.filter(), reader.mode());
        if let Some((of, seat)) = &self.seat
            && *of == follows
        {
            return seat.clone();
        }
        let seat = self.app.fanout.seat(self.connection.socket(), reader, framing, stats);
        let seat = Arc::new(seat);
        self.seat = Some((follows, seat.clone()));
        seat
    }

    /// True when the answer's head is the same as everybody's.
    pub fn is_usual(&self) -> bool {
        self.asker == Asker::Own && self.app.settings.allow_origins.is_empty() && !self.close
    }

    /// Writes an answer whose body is known. Returns the line for the next request, None where this was the last.
    pub async fn answer(mut self, answer: Response<Body>) -> io::Result<Option<Self>> {
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let length = match head.status {
            StatusCode::NOT_MODIFIED => Length::None,
            _ => Length::Known(body.len()),
        };
        let mut bytes = self.head(Response::from_parts(head, ()), length);
        bytes.extend_from_slice(&body);
        self.connection.write_all(&bytes).await?;
        self.answered().await
    }

    /// What is left of the line behind an answer that has been written.
    pub async fn answered(mut self) -> io::Result<Option<Self>> {
        if let Some((_, seat)) = &self.seat {
            seat.release();
        }
        if self.close || self.app.fanout.is_closed() {
            self.connection.shutdown().await?;
            return Ok(None);
        }
        Ok(Some(self))
    }

    /// The head of an answer to this request: for its page, with the connection's end where it ends, and the time.
    pub fn head(&self, mut answer: Response<()>, length: Length) -> Vec<u8> {
        origin::tell(&self.asker, &self.app.settings.allow_origins, answer.headers_mut());
        let upgraded = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        let close = !upgraded && (self.close || self.app.fanout.is_closed());
        head(answer.status(), answer.headers(), length, close)
    }
}

/// The head of an answer as HTTP/1.1 writes it (RFC 9112, 4), in the order hyper has; `close` says that the connection ends with it.
pub fn head(status: StatusCode, headers: &HeaderMap, length: Length, close: bool) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let reason = status.canonical_reason().unwrap_or_default();
    head.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).as_bytes());
    let also_close = close && headers.contains_key(header::CONNECTION);
    for (name, value) in headers {
        line(&mut head, name.as_str(), value.as_bytes());
        if also_close && name == header::CONNECTION {
            head.truncate(head.len() - b"\r\n".len());
            head.extend_from_slice(b", close\r\n");
        }
    }
    if let Length::Known(bytes) = length {
        line(&mut head, "content-length", bytes.to_string().as_bytes());
    }
    if close && !also_close {
        line(&mut head, "connection", b"close");
    }
    if let Length::Chunked = length {
        line(&mut head, "transfer-encoding", b"chunked");
    }
    line(&mut head, "date", httpdate::fmt_http_date(SystemTime::now()).as_bytes());
    head.extend_from_slice(b"\r\n");
    head
}

fn line(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}
