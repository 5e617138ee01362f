//! A connection that answers a plain request, on its way through the transport and back.

use std::{io, sync::Arc, time::SystemTime};

use axum::{
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode, header},
};
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;

use crate::{
    http::App,
    io::Connection,
    origin::{self, Asker},
};

/// Bytes of an answer's head, for the buffer's first size.
const HEAD_BYTES: usize = 256;

/// A connection with a request that is not answered yet.
pub struct Line {
    pub app: Arc<App>,
    pub connection: Connection,
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
    pub fn new(app: Arc<App>, connection: Connection, request: &Request<Body>, close: bool) -> Self {
        let asker = origin::of(request, &app.settings.allow_origins, || app.page.ports());
        Self {
            app,
            connection,
            close,
            asker,
        }
    }

    /// True when the answer's head is the same as everybody's.
    pub fn is_usual(&self) -> bool {
        self.asker == Asker::Own && self.app.settings.allow_origins.is_empty() && !self.close
    }

    /// Writes an answer whose body is known. Returns the connection for the next request, None where this was the last.
    pub async fn answer(mut self, answer: Response<Body>) -> io::Result<Option<Connection>> {
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

    /// What is left of the connection behind an answer that has been written.
    pub async fn answered(mut self) -> io::Result<Option<Connection>> {
        if self.close || self.app.stop.begun.is_cancelled() {
            self.connection.shutdown().await?;
            return Ok(None);
        }
        Ok(Some(self.connection))
    }

    /// The head of an answer to this request: for its page, with the connection's end where it ends, and the time.
    pub fn head(&self, mut answer: Response<()>, length: Length) -> Vec<u8> {
        origin::tell(&self.asker, &self.app.settings.allow_origins, answer.headers_mut());
        let upgraded = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        let close = !upgraded && (self.close || self.app.stop.begun.is_cancelled());
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
