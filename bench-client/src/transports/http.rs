//! A minimal HTTP/1.1 client on a counted stream, for the transports that make requests.
//!
//! ```text
//! request.rs: bytes encoded once -> Stream -> head.rs (httparse) -> body.rs: where it ends -> transports/{poll,sse}.rs
//! ```
//!
//! It does what these transports need and nothing else: a GET without a body, one request at a time, answers with a length, in chunks or up
//! to the connection's end. A connection that waits holds no buffer, and an answer is read in the task that waits for it, so its receive
//! time is that of the read which completed it. No redirects, no upgrades, no content codings, no trailers handed out.

mod body;
mod head;
mod request;
#[cfg(test)]
mod tests;

use std::{
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, ready},
};

use tokio::io::AsyncWriteExt;

use super::{Endpoint, SessionError, not_understood};
use crate::net::{Meter, Net, Stream};
use body::Body;
pub use head::Head;
pub(crate) use head::end as head_end;
use head::{Framing, HEAD_MAX_BYTES};
pub use request::{Requests, encode, get_request};

/// Largest answer to a poll: the newest state of every topic, which the server bounds at 64 MiB.
const BODY_MAX_BYTES: usize = 80 * 1024 * 1024;
/// Interim answers (1xx) before the one that counts.
const INTERIM_MAX: usize = 100;

/// What is wrong with an answer below its content.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The request may be made again on a fresh connection (RFC 9112, 9.3.1).
    #[error("the connection was closed before an answer came")]
    WentAway,
    /// Nothing of the request was written: it may be made on a fresh connection, as after [`HttpError::WentAway`].
    #[error("the server spoke before it was asked")]
    SpokeFirst,
    #[error("the answer broke off: the connection was closed within it")]
    BrokeOff,
    #[error("no answer of HTTP/1.1: {0}")]
    Head(#[from] httparse::Error),
    #[error("the head of the answer has more than {HEAD_MAX_BYTES} bytes")]
    HeadTooLong,
    #[error("more than {INTERIM_MAX} interim answers")]
    Interim,
    #[error("the answer has no content-length that can be relied on")]
    Length,
    #[error("the answer has a transfer-encoding other than chunked")]
    Coding,
    #[error("the answer has a broken chunk")]
    Chunk,
    #[error("the answer has more than {BODY_MAX_BYTES} bytes")]
    TooLong,
    #[error("the server sent what belongs to no request")]
    Unasked,
}

/// A connection that can take one request after another.
pub struct HttpConnection {
    stream: Stream,
    meter: Rc<Meter>,
    /// Read and not used yet: part of a head, or what came behind one.
    rest: Vec<u8>,
    /// Of the answer under way.
    body: Body,
    keeps_alive: bool,
}

impl HttpConnection {
    pub async fn open(net: &Net, endpoint: &Endpoint) -> Result<Self, SessionError> {
        let stream = net.connect(endpoint.address).await?;
        Ok(Self::on(stream))
    }

    fn on(stream: Stream) -> Self {
        Self {
            meter: stream.meter(),
            stream,
            rest: Vec::new(),
            body: Body::new(Framing::Length(0)),
            keeps_alive: true,
        }
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Bytes both ways without what was read ahead: right behind a head, up to its end.
    pub fn bytes_used(&self) -> u64 {
        self.meter.bytes() - self.rest.len() as u64
    }

    /// True while another request can go out on this connection, as far as is known.
    pub fn is_open(&self) -> bool {
        self.keeps_alive && self.body.is_whole()
    }

    /// Sends a request and waits for the head of its answer.
    pub async fn get(&mut self, request: &[u8]) -> Result<Head, SessionError> {
        poll_fn(|cx| Poll::Ready(self.check_silence(cx))).await?;
        self.meter.expect_head();
        self.stream.write_all(request).await?;
        let mut nothing_yet = true;
        for _ in 0..INTERIM_MAX {
            let head = poll_fn(|cx| self.poll_head(cx, &mut nothing_yet)).await?;
            if !head.is_interim() {
                self.body = Body::new(head.framing);
                self.keeps_alive = head.keeps_alive;
                return Ok(head);
            }
        }
        Err(HttpError::Interim.into())
    }

    /// Between two answers a server has nothing to say but that it goes, in words (a 408) or without. What came with the last answer is
    /// another thing: that answer did not end where it said.
    fn check_silence(&mut self, cx: &mut Context<'_>) -> Result<(), HttpError> {
        if !self.rest.is_empty() {
            return Err(HttpError::Unasked);
        }
        match self.stream.poll_bytes(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(bytes)) if !bytes.is_empty() => Err(HttpError::SpokeFirst),
            Poll::Ready(_) => Err(HttpError::WentAway),
        }
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, nothing_yet: &mut bool) -> Poll<Result<Head, SessionError>> {
        // Behind an interim answer, the next head may be there already.
        if !self.rest.is_empty() && !*nothing_yet {
            let rest = std::mem::take(&mut self.rest);
            if let Some((head, length)) = head::parse(&rest)? {
                self.rest = rest[length..].to_vec();
                return Poll::Ready(Ok(head));
            }
            self.rest = rest;
        }
        loop {
            let bytes = ready!(self.stream.poll_bytes(cx))?;
            if bytes.is_empty() {
                let error = if *nothing_yet {
                    HttpError::WentAway
                } else {
                    HttpError::BrokeOff
                };
                return Poll::Ready(Err(error.into()));
            }
            *nothing_yet = false;
            // Usually a head comes in one piece, and is read where it lies.
            let alone = self.rest.is_empty();
            let seen = self.rest.len();
            if !alone {
                self.rest.extend_from_slice(&bytes);
            }
            let all = if alone { &bytes[..] } else { &self.rest[..] };
            // Only a whole one is worth another reading, or a head in many pieces would be read from its start with each.
            let parsed = match alone || head::end(all, seen).is_some() {
                true => head::parse(all)?,
                false => None,
            };
            let read = parsed.as_ref().map_or(all.len(), |(_, length)| *length);
            if read > HEAD_MAX_BYTES {
                return Poll::Ready(Err(HttpError::HeadTooLong.into()));
            }
            let behind = match &parsed {
                Some((_, length)) => all[*length..].to_vec(),
                None if alone => all.to_vec(),
                None => continue,
            };
            self.rest = behind;
            if let Some((head, _)) = parsed {
                return Poll::Ready(Ok(head));
            }
        }
    }

    /// Hands out the data of a body as it lies in what one read brought, and when that was. True when there is no more to come.
    pub fn poll_pieces(
        &mut self,
        cx: &mut Context<'_>,
        mut on_piece: impl FnMut(&[u8], u64) -> Result<(), SessionError>,
    ) -> Poll<Result<bool, SessionError>> {
        if self.body.is_whole() {
            return Poll::Ready(Ok(true));
        }
        let (rest, lent);
        let mut bytes: &[u8] = if self.rest.is_empty() {
            lent = ready!(self.stream.poll_bytes(cx))?;
            if lent.is_empty() {
                return Poll::Ready(match self.body {
                    Body::UntilEnd => Ok(true),
                    _ => Err(HttpError::BrokeOff.into()),
                });
            }
            &lent
        } else {
            rest = std::mem::take(&mut self.rest);
            &rest
        };
        while !bytes.is_empty() && !self.body.is_whole() {
            let piece = self.body.take(&mut bytes)?;
            if !piece.is_empty() {
                on_piece(piece, self.meter.last_read_us())?;
            }
        }
        self.rest = bytes.to_vec();
        Poll::Ready(Ok(self.body.is_whole()))
    }

    /// Waits for the whole body of an answer, up to [`BODY_MAX_BYTES`], and reads it.
    pub async fn body<T>(
        &mut self,
        read: impl FnOnce(&Meter, &[u8]) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let length = match self.body {
            Body::Length(length) => usize::try_from(length).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        if length != usize::MAX && length > BODY_MAX_BYTES {
            return Err(HttpError::TooLong.into());
        }
        if self.rest.len() == length {
            // It came with its head, as short answers do.
            let body = std::mem::take(&mut self.rest);
            self.body = Body::Length(0);
            return read(&self.meter, &body);
        }
        let mut body = Vec::new();
        loop {
            let taken = poll_fn(|cx| {
                self.poll_pieces(cx, |piece, _| {
                    if body.len() + piece.len() > BODY_MAX_BYTES {
                        return Err(HttpError::TooLong.into());
                    }
                    body.extend_from_slice(piece);
                    Ok(())
                })
            });
            if taken.await? {
                return read(&self.meter, &body);
            }
        }
    }

    /// An answer is a 200 of this media type, or what it says instead.
    pub async fn accept(&mut self, head: &Head, expected: &str) -> Result<(), SessionError> {
        if head.status == 200 {
            let kind = head.content_type.as_deref();
            return match kind.is_some_and(|kind| is_of_type(kind, expected)) {
                true => Ok(()),
                false => Err(not_understood(format!(
                    "expected {expected}, got {:?}",
                    kind.map(String::from_utf8_lossy)
                ))),
            };
        }
        let words = |_: &Meter, body: &[u8]| Ok(String::from_utf8_lossy(body).chars().take(200).collect());
        Err(SessionError::Refused {
            status: head.status,
            body: self.body(words).await?,
        })
    }
}

/// Compares a media type, in whatever case and with whatever parameters (RFC 9110, 8.3.1).
fn is_of_type(kind: &[u8], expected: &str) -> bool {
    let mut parts = kind.split(|byte| *byte == b';');
    parts
        .next()
        .is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(expected.as_bytes()))
}

/// True when a kept connection was closed before it could answer, or given up by what the server said on it before the request was
/// written: the request may be made again on a fresh one (RFC 9112, 9.3.1).
pub fn went_away(error: &SessionError) -> bool {
    matches!(error, SessionError::Http(HttpError::WentAway | HttpError::SpokeFirst))
}
