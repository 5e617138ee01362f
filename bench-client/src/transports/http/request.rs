//! A GET as it goes over the wire.
//!
//! ```text
//! GET /feed/short-poll?topic=match-1&since=1763631127000-42 HTTP/1.1 CRLF  host: … CRLF  … CRLF CRLF
//! `------------------ before ------------------' `- cursor -' `--------------- behind --------------'
//! ```

use std::io::Write;

use http::{HeaderMap, HeaderValue, Request, header};
use server::wire::Cursor;

use super::{Endpoint, SessionError};

/// A GET of this endpoint with its header set.
pub fn get_request(endpoint: &Endpoint, target: &str, headers: &HeaderMap) -> Result<Request<()>, SessionError> {
    let invalid =
        |error: http::Error| SessionError::Protocol(format!("the request for {target:?} is invalid: {error}"));
    let mut request = Request::get(target)
        .header(header::HOST, &endpoint.authority)
        .body(())
        .map_err(invalid)?;
    request
        .headers_mut()
        .extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    if !endpoint.keep_alive {
        request
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(request)
}

/// The bytes of a request without a body (RFC 9112, 3).
pub fn encode(request: &Request<()>) -> Vec<u8> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut bytes = format!("{} {target} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// The requests of one poller, which differ in their cursor alone: encoded once.
pub struct Requests {
    first: Box<[u8]>,
    /// Where in `first` the cursor's part goes.
    place: usize,
}

impl Requests {
    /// `request(since)` makes each of them.
    pub fn new(request: impl Fn(Option<Cursor>) -> Result<Request<()>, SessionError>) -> Result<Self, SessionError> {
        let some = Cursor { epoch: 0, offset: 0 };
        let (first, second) = (encode(&request(None)?), encode(&request(Some(some))?));
        let place = memchr::memmem::find(&second, format!("&since={some}").as_bytes()).unwrap_or(0);
        let requests = Self {
            first: first.into(),
            place,
        };
        if requests.bytes(Some(some)) != second {
            return Err(SessionError::Protocol(format!(
                "two requests differ in more than their cursor: {}",
                String::from_utf8_lossy(&second)
            )));
        }
        Ok(requests)
    }

    /// The request from this cursor on.
    pub fn bytes(&self, since: Option<Cursor>) -> Vec<u8> {
        /// `&since=` and two of the longest numbers.
        const CURSOR_MAX_BYTES: usize = 48;
        let mut bytes = Vec::with_capacity(self.first.len() + CURSOR_MAX_BYTES);
        let (before, behind) = self.first.split_at(self.place);
        bytes.extend_from_slice(before);
        if let Some(since) = since {
            // Into memory: it cannot fail.
            let _ = write!(bytes, "&since={since}");
        }
        bytes.extend_from_slice(behind);
        bytes
    }
}
