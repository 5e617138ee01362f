//! Long polls: where an answer is whole, and what to ask next.
//!
//! ```text
//! ours   ->  200 … {"updates":[…],"cursor":"1763631127000-42"}           GET …&since=1763631127000-42
//! Nchan  ->  200 … Last-Modified: Fri, 20 Nov …   Etag: 3   {…}          GET …  If-Modified-Since: Fri, …   If-None-Match: 3
//! ```

use std::io::{self, Write};

use memchr::memmem;
use mio::net::TcpStream;

/// The longest answer: a poll of ours brings up to 1 MiB of updates.
const ANSWER_MAX_BYTES: usize = 2 * 1024 * 1024;
const HEADERS_MAX: usize = 32;

/// How the next request names what the client holds.
#[derive(Clone, Copy)]
pub enum Resumes {
    /// By the cursor in the answer's body.
    Cursor,
    /// By `Last-Modified` and `Etag` of the answer's head.
    Headers,
}

/// One client's polling.
#[derive(Clone)]
pub struct LongPoll {
    resumes: Resumes,
    /// Path and query, without what the client holds.
    target: String,
    /// Of an answer that is not whole yet.
    unread: Vec<u8>,
}

impl LongPoll {
    pub fn new(resumes: Resumes, target: &str) -> Self {
        Self {
            resumes,
            target: target.to_owned(),
            unread: Vec::new(),
        }
    }

    /// Takes what was read, and asks again where that completes an answer.
    pub fn take(&mut self, bytes: &[u8], stream: &mut TcpStream) -> io::Result<()> {
        let request = if self.unread.is_empty() {
            self.next_request(bytes)?
        } else {
            self.unread.extend_from_slice(bytes);
            let whole = std::mem::take(&mut self.unread);
            let request = self.next_request(&whole)?;
            if request.is_none() {
                self.unread = whole;
            }
            request
        };
        let Some(request) = request else {
            if self.unread.is_empty() {
                self.unread.extend_from_slice(bytes);
            }
            return match self.unread.len() > ANSWER_MAX_BYTES {
                true => Err(io::Error::other("an answer of more than 2 MiB")),
                false => Ok(()),
            };
        };
        // A request fits into an empty socket, and there is one on the way at most.
        match stream.write(request.as_bytes())? {
            written if written == request.len() => Ok(()),
            _ => Err(io::Error::other("half a request was taken")),
        }
    }

    /// What to ask after this answer; None where it is not whole.
    fn next_request(&self, answer: &[u8]) -> io::Result<Option<String>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Response::new(&mut headers);
        let length = match head.parse(answer).map_err(io::Error::other)? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Ok(None),
        };
        let header = |name: &str| {
            let found = head.headers.iter().find(|one| one.name.eq_ignore_ascii_case(name));
            found.and_then(|one| std::str::from_utf8(one.value).ok())
        };
        if !matches!(head.code, Some(200)) {
            let words = format!("a poll was answered with status {}", head.code.unwrap_or(0));
            return Err(io::Error::other(words));
        }
        let body_bytes = header("content-length").and_then(|bytes| bytes.parse::<usize>().ok());
        let body_bytes = body_bytes.ok_or_else(|| io::Error::other("an answer without a content-length"))?;
        let body = &answer[length..];
        if body.len() < body_bytes {
            return Ok(None);
        }
        if body.len() > body_bytes {
            return Err(io::Error::other("more than an answer came to one request"));
        }
        let target = &self.target;
        let request = match self.resumes {
            Resumes::Cursor => {
                let cursor = cursor(body).ok_or_else(|| io::Error::other("an answer without a cursor"))?;
                format!("GET {target}&since={cursor} HTTP/1.1\r\nHost: bench\r\n\r\n")
            }
            Resumes::Headers => {
                let (since, tag) = header("last-modified")
                    .zip(header("etag"))
                    .ok_or_else(|| io::Error::other("an answer without Last-Modified and Etag"))?;
                format!(
                    "GET {target} HTTP/1.1\r\nHost: bench\r\nIf-Modified-Since: {since}\r\nIf-None-Match: {tag}\r\n\r\n"
                )
            }
        };
        Ok(Some(request))
    }
}

/// The cursor behind the updates. It is looked for from the end, where it stands.
fn cursor(body: &[u8]) -> Option<&str> {
    const KEY: &[u8] = br#""cursor":""#;
    let start = memmem::rfind(body, KEY)? + KEY.len();
    let length = memchr::memchr(b'"', &body[start..])?;
    std::str::from_utf8(&body[start..start + length]).ok()
}
