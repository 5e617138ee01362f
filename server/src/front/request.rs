//! The head of a plain request, and what makes one plain.

use std::{cell::RefCell, io};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Request, Uri, header},
};
use bytes::Bytes;

use crate::{
    http::{HEAD_MAX_BYTES, URI_MAX_BYTES},
    io::Connection,
    transports,
};

/// More headers are no client of the feed's.
const HEADERS_MAX: usize = 64;

/// What the feed looks at; a request is served by these alone.
static LOOKED_AT: [HeaderName; 8] = [
    header::IF_NONE_MATCH,
    HeaderName::from_static("last-event-id"),
    header::ORIGIN,
    header::UPGRADE,
    header::HOST,
    header::CONNECTION,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
];

/// Whoever says one of these means something that is hyper's to deal with.
static NOT_PLAIN: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    header::TE,
    header::TRAILER,
];

thread_local! {
    /// Nobody keeps a buffer to wait with: a head is read into its thread's, and taken out of it before anything else is done.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; HEAD_MAX_BYTES].into());
}

/// What a connection says first.
#[expect(
    clippy::large_enum_variant,
    reason = "taken apart where it is made; a box would be an allocation for every request"
)]
pub enum Read {
    /// It was announced, and is not there.
    Nothing,
    Ended,
    Plain(Plain),
    /// For hyper, from here on.
    Other(Bytes),
}

/// A plain request.
pub struct Plain {
    /// Of [`transports::ALL`].
    pub row: usize,
    pub request: Request<Body>,
    /// The connection ends with its answer.
    pub close: bool,
    /// What came behind it.
    pub behind: Bytes,
}

/// Reads once, what is there.
///
/// # Errors
/// When the connection broke.
pub fn read(connection: &mut Connection) -> io::Result<Read> {
    BUFFER.with_borrow_mut(|buffer| {
        let bytes = match connection.read_now(buffer) {
            Ok(0) => return Ok(Read::Ended),
            Ok(read) => &buffer[..read],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Read::Nothing),
            Err(error) => return Err(error),
        };
        Ok(match plain(bytes) {
            Some(plain) => Read::Plain(plain),
            None => Read::Other(Bytes::copy_from_slice(bytes)),
        })
    })
}

/// The request at the start of these bytes, if it is whole and plain.
pub fn plain(bytes: &[u8]) -> Option<Plain> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = head.parse(bytes) else {
        return None;
    };
    let (Some("GET"), Some(1), Some(target)) = (head.method, head.version, head.path) else {
        return None;
    };
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let id = path.strip_prefix("/feed/")?;
    let row = transports::ALL.iter().position(|transport| transport.id() == id)?;
    let mut request = Request::new(Body::empty());
    let named = |one: &httparse::Header<'_>, name: &HeaderName| one.name.eq_ignore_ascii_case(name.as_str());
    let has = |name: &HeaderName| head.headers.iter().any(|one| named(one, name));
    if NOT_PLAIN.iter().any(has) || (has(&header::UPGRADE) && !transports::ALL[row].upgrades) {
        return None;
    }
    // Of interest to a handshake, or where a page of another origin asks.
    let with_host = has(&header::UPGRADE) || has(&header::ORIGIN);
    let (mut close, mut hosts) = (false, 0);
    for one in head.headers.iter() {
        let Some(name) = LOOKED_AT.iter().find(|name| named(one, name)) else {
            continue;
        };
        if name == header::CONNECTION {
            close |= one.value.eq_ignore_ascii_case(b"close");
            let known: [&[u8]; 4] = [b"close", b"keep-alive", b"upgrade", b"keep-alive, upgrade"];
            if !known.iter().any(|known| one.value.eq_ignore_ascii_case(known)) {
                return None;
            }
        }
        hosts += usize::from(name == header::HOST);
        if with_host || (name != header::HOST && name != header::CONNECTION) {
            request
                .headers_mut()
                .append(name.clone(), HeaderValue::from_bytes(one.value).ok()?);
        }
    }
    if target.len() > URI_MAX_BYTES || hosts != 1 {
        return None;
    }
    *request.uri_mut() = Uri::try_from(target).ok()?;
    Some(Plain {
        row,
        request,
        close,
        behind: Bytes::copy_from_slice(&bytes[length..]),
    })
}
