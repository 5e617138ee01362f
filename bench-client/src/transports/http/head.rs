//! The head of an answer: parsed by httparse, judged here (RFC 9112, 4 to 6.3).

use std::mem::MaybeUninit;

use super::HttpError;

/// The longest head; hyper takes 400 KiB.
pub const HEAD_MAX_BYTES: usize = 64 * 1024;
/// Header lines of an answer, as many as hyper takes.
const HEADERS_MAX: usize = 100;

/// What a head says of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    pub content_type: Option<Vec<u8>>,
    pub framing: Framing,
    /// The connection may carry another request behind this answer.
    pub keeps_alive: bool,
}

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Length(u64),
    Chunked,
    /// With the connection.
    UntilEnd,
}

impl Head {
    /// Says that another answer follows, which is the one (RFC 9110, 15.2).
    pub fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }
}

/// The head at the start of `bytes` and its length; None while it is not whole.
pub fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, HttpError> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut []);
    let parsed =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut answer, bytes, &mut headers)?;
    let httparse::Status::Complete(length) = parsed else {
        return Ok(None);
    };
    let status = answer.code.unwrap_or_default();
    let is_1_1 = answer.version == Some(1);
    let mut said = Said::default();
    for header in answer.headers.iter() {
        said.take(header.name, header.value)?;
    }
    let framing = match status {
        // RFC 9112, 6.3: these have no body, whatever they say.
        100..=199 | 204 | 304 => Framing::Length(0),
        _ if said.codings > 0 => said.chunked(is_1_1)?,
        _ => said.length.map_or(Framing::UntilEnd, Framing::Length),
    };
    let head = Head {
        status,
        content_type: said.content_type.map(<[u8]>::to_vec),
        keeps_alive: !said.close
            && (is_1_1 || said.keep_alive)
            // It is another protocol's from here on.
            && status != 101
            && framing != Framing::UntilEnd
            // RFC 9112, 6.1: who says both may mean harm.
            && !(said.codings > 0 && said.length.is_some()),
        framing,
    };
    Ok(Some((head, length)))
}

/// The headers that matter.
#[derive(Default)]
struct Said<'a> {
    content_type: Option<&'a [u8]>,
    length: Option<u64>,
    /// Transfer codings, and whether the last of them is the one known here.
    codings: usize,
    is_chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl<'a> Said<'a> {
    fn take(&mut self, name: &str, value: &'a [u8]) -> Result<(), HttpError> {
        // Most are told apart by their length.
        match name.len() {
            10 if name.eq_ignore_ascii_case("connection") => {
                for option in list(value) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            12 if name.eq_ignore_ascii_case("content-type") => {
                // Of several, the first.
                self.content_type.get_or_insert(value);
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                for one in list(value) {
                    let length = decimal(one).ok_or(HttpError::Length)?;
                    if *self.length.get_or_insert(length) != length {
                        return Err(HttpError::Length);
                    }
                }
                // Said, and nothing.
                self.length.ok_or(HttpError::Length)?;
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                for coding in list(value) {
                    self.codings += 1;
                    self.is_chunked = coding.eq_ignore_ascii_case(b"chunked");
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Nothing but `chunked` was asked for or is read here.
    fn chunked(&self, is_1_1: bool) -> Result<Framing, HttpError> {
        if self.codings == 1 && self.is_chunked && is_1_1 {
            return Ok(Framing::Chunked);
        }
        Err(HttpError::Coding)
    }
}

/// The items of a list (RFC 9110, 5.6.1).
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let items = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    items.filter(|item| !item.is_empty())
}

/// Digits and nothing else: `parse` would also take a sign.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// How far into `bytes` the first head may reach: behind the first empty line, whose lines may end with LF alone, as httparse has it.
/// `seen` of them were looked at before and held none.
pub fn end(bytes: &[u8], seen: usize) -> Option<usize> {
    // The two line ends may have been cut apart.
    let start = seen.saturating_sub(2);
    memchr::memchr_iter(b'\n', &bytes[start..]).find_map(|at| match bytes[start + at + 1..] {
        [b'\n', ..] => Some(start + at + 2),
        [b'\r', b'\n', ..] => Some(start + at + 3),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &str) -> Result<Head, HttpError> {
        let text = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
        let (head, length) = parse(text.as_bytes())?.expect("whole");
        assert_eq!(length, text.len());
        assert_eq!(end(format!("{text}behind").as_bytes(), 0), Some(length));
        Ok(head)
    }

    #[test]
    fn a_body_ends_where_its_head_says() {
        for (headers, framing, keeps_alive) in [
            ("Content-Length: 12\r\n", Framing::Length(12), true),
            (
                "content-length: 12\r\ncontent-length: 12\r\n",
                Framing::Length(12),
                true,
            ),
            ("content-length: 12, 12\r\n", Framing::Length(12), true),
            ("transfer-encoding: Chunked\r\n", Framing::Chunked, true),
            (
                "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
                Framing::Chunked,
                false,
            ),
            ("", Framing::UntilEnd, false),
            (
                "content-length: 0\r\nconnection: x, CLOSE\r\n",
                Framing::Length(0),
                false,
            ),
        ] {
            let head = of(headers).expect(headers);
            assert_eq!((head.framing, head.keeps_alive), (framing, keeps_alive), "{headers}");
        }
        let (none, _) = parse(b"HTTP/1.1 204 None\r\ncontent-length: 5\r\n\r\n")
            .expect("a head")
            .expect("whole");
        assert_eq!(none.framing, Framing::Length(0));
        for (line, keeps_alive) in [("", false), ("connection: keep-alive\r\n", true)] {
            let old = format!("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n{line}\r\n");
            let (head, _) = parse(old.as_bytes()).expect("a head").expect("whole");
            assert_eq!(head.keeps_alive, keeps_alive, "{old}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for headers in [
            "content-length: 12\r\ncontent-length: 13\r\n",
            "content-length: 12, 13\r\n",
            "content-length: +12\r\n",
            "content-length: -1\r\n",
            "content-length: 1 2\r\n",
            "content-length: \r\n",
            "content-length: 18446744073709551616\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: chunked, chunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked, gzip\r\n",
            "transfer-encoding: identity\r\n",
            "a : b\r\n",
            "a: b\r\n c\r\n",
        ] {
            assert!(of(headers).is_err(), "{headers:?}");
        }
        assert!(parse(b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn a_head_ends_with_its_empty_line_however_it_came() {
        for head in [
            "HTTP/1.1 200 OK\r\na: b\r\n\r\n",
            "HTTP/1.1 200 OK\na: b\n\n",
            "a\r\n\n",
            "a\n\r\n",
        ] {
            let all = format!("{head}b\r\n\r\n");
            for seen in 0..head.len() {
                assert_eq!(end(&all.as_bytes()[..seen], 0), None, "{head:?} cut at {seen}");
                assert_eq!(end(all.as_bytes(), seen), Some(head.len()), "{head:?}, {seen} seen");
            }
        }
    }
}
