//! Which pages may use this server: those it serves itself, and those of listed origins (RFC 6454; Fetch standard, "CORS protocol").
//!
//! ```text
//! Host + Origin of a request -> of() -> Own or no page  -> as it is, no word of CORS
//!                                       Listed          -> CORS headers with this origin, credentials allowed
//!                                       Any (by `*`)    -> access-control-allow-origin: *, without credentials
//!                                       Foreign         -> HTTP without CORS headers: the browser keeps the answer from the page
//!                                                          WebSocket and preflight: 403, for there no browser asks anyone
//! ```
//!
//! The server's own origin is `http://` and the Host header: it speaks no TLS itself. Behind a proxy that does, its pages are of another
//! origin as far as it can see, and that one is listed. Whoever sends no Origin is no page of another origin, and passes.

use std::{fmt, str::FromStr};

use axum::http::{HeaderMap, HeaderValue, Request, header};
use url::Url;

/// One entry of `--allow-origin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`: every page there is, but none with credentials.
    Any,
    One(Origin),
}

/// Scheme, host and port, as a browser says them: the host in small letters, a default port left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// A value that names no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no origin: expected scheme://host or scheme://host:port with http or https and nothing behind it, for example \
     https://page.example, or `*` for any"
)]
pub struct MalformedOrigin(String);

impl FromStr for Origin {
    type Err = MalformedOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || MalformedOrigin(brief(text));
        // The URL parser mends what it reads (tabs, backslashes, a missing slash); an origin is exact, so only its own form gets there.
        let (scheme, authority) = text.split_once("://").ok_or_else(malformed)?;
        let exact = (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
            && !authority.ends_with(':')
            && authority
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !br"/\?#@%*".contains(&byte));
        if !exact {
            return Err(malformed());
        }
        let url = Url::parse(text).map_err(|_| malformed())?;
        Ok(Self(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Origin {
    /// The host alone, brackets of IPv6 kept.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        without_port(authority)
    }
}

impl FromStr for AllowedOrigin {
    type Err = MalformedOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "*" => Ok(Self::Any),
            one => one.parse().map(Self::One),
        }
    }
}

/// Where a request comes from, as far as CORS is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asker {
    /// No page of another origin.
    Own,
    /// A page that is listed; what is said to it names its origin as it named itself.
    Listed(HeaderValue),
    /// Another page, where every page may read.
    Any,
    /// Another page, by the origin it named.
    Foreign(String),
}

/// Sorts a request by its Origin header.
pub fn of<B>(request: &Request<B>, allowed: &[AllowedOrigin], own_ports: impl FnOnce() -> Vec<u16>) -> Asker {
    let mut named = request.headers().get_all(header::ORIGIN).iter();
    let Some(origin) = named.next() else {
        return Asker::Own;
    };
    let text = String::from_utf8_lossy(origin.as_bytes());
    // Two origins are as good as a malformed one.
    let parsed = match named.next() {
        None => text.parse::<Origin>().ok(),
        Some(_) => None,
    };
    if parsed.is_some() && parsed == own(request) {
        return Asker::Own;
    }
    // The page reads each transport at a port of its own, so it asks across origins of one server.
    if parsed.is_some() && siblings(request, &own_ports()).any(|sibling| Some(sibling) == parsed) {
        return Asker::Listed(origin.clone());
    }
    let listed = |one: &AllowedOrigin| matches!(one, AllowedOrigin::One(one) if Some(one) == parsed.as_ref());
    if allowed.iter().any(listed) {
        Asker::Listed(origin.clone())
    } else if allowed.contains(&AllowedOrigin::Any) {
        Asker::Any
    } else {
        Asker::Foreign(brief(&text))
    }
}

/// The origin of the pages this request's server serves.
fn own<B>(request: &Request<B>) -> Option<Origin> {
    let authority = match request.uri().authority() {
        // HTTP/2 says it there.
        Some(authority) => authority.as_str(),
        None => request.headers().get(header::HOST)?.to_str().ok()?,
    };
    format!("http://{authority}").parse().ok()
}

/// The origins of this server at its other ports, under the name it was asked by.
fn siblings<B>(request: &Request<B>, ports: &[u16]) -> impl Iterator<Item = Origin> {
    let own = own(request);
    let at = move |port| format!("http://{}:{port}", own.as_ref()?.host()).parse().ok();
    ports.iter().filter_map(at)
}

/// Says to the browser what the page may do with an answer.
pub fn tell(from: &Asker, allowed: &[AllowedOrigin], headers: &mut HeaderMap) {
    // An answer that differs by origin must not be given to another one by a cache, and a cache may get it from a request without any
    // (Fetch standard, "CORS protocol and HTTP caches").
    if !allowed.is_empty() || matches!(from, Asker::Listed(_)) {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    match from {
        Asker::Own | Asker::Foreign(_) => return,
        Asker::Listed(origin) => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
        // With credentials a browser takes no `*`, and to echo whatever asks would hand credentials to every page.
        Asker::Any => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
    }
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag"));
}

/// Why a page gets nothing.
pub fn refusal(origin: &str) -> String {
    format!("origin {origin:?} is not allowed here: --allow-origin lets it")
}

/// The host of `host:port`, brackets of IPv6 kept.
pub(crate) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port))
            if (host.ends_with(']') || !host.contains(':')) && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            host
        }
        _ => authority,
    }
}

/// As much of what a stranger sent as an answer repeats.
pub(crate) fn brief(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_as_a_browser_writes_it() {
        for (text, expected) in [
            ("http://page.test", "http://page.test"),
            ("HTTP://PAGE.test:80", "http://page.test"),
            ("https://page.test:443", "https://page.test"),
            ("https://page.test:80", "https://page.test:80"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(
                text.parse::<Origin>().map(|origin| origin.to_string()),
                Ok(expected.to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_the_form() {
        for text in [
            "",
            "null",
            "page.test",
            "page.test:80",
            "//page.test",
            "http:page.test",
            "http://",
            "http://:80",
            "http://page.test/",
            "http://page.test/path",
            "http://page.test?x",
            "http://page.test#x",
            "http://me@page.test",
            "http://page.test:",
            "http://page.test:port",
            "http://page.test:65536",
            "http://page test",
            "http://page.test\\",
            "http://*.page.test",
            "http://%70age.test",
            "ftp://page.test",
            "file:///page",
            "http://page.test,http://other.test,",
            "http://é.test",
        ] {
            let error = text.parse::<AllowedOrigin>().expect_err(text).to_string();
            assert!(error.contains("scheme://host:port"), "{error}");
        }
    }

    #[test]
    fn a_port_is_no_part_of_the_host() {
        for (authority, host) in [
            ("127.0.0.1:8080", "127.0.0.1"),
            ("localhost", "localhost"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(without_port(authority), host);
        }
    }
}
