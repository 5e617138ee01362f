//! The header sets clients send. A lean client flatters polling threefold, so the default is what a browser sends.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// A fixed set of request headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderSet {
    /// What desktop Chromium sends from a page of the same origin, without cookies.
    Browser,
    /// What the protocol demands.
    Minimal,
}

/// What kind of request the headers belong to: a browser words them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Fetch,
    EventSource,
    /// Besides what the handshake itself demands. No `Sec-WebSocket-Extensions`: this client can't inflate.
    WebSocket,
}

const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const BRANDS: &str = r#""Chromium";v="142", "Not_A Brand";v="99""#;

impl HeaderSet {
    /// The headers besides `Host`, for a page at `authority`.
    pub fn headers(self, purpose: Purpose, authority: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: &str| {
            // Constants, and an authority that came out of a URL: always a valid value.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if purpose == Purpose::EventSource {
            set(header::ACCEPT, "text/event-stream");
        }
        if self == Self::Minimal {
            return headers;
        }
        set(header::USER_AGENT, USER_AGENT);
        set(header::ACCEPT_ENCODING, "gzip, deflate, br, zstd");
        set(header::ACCEPT_LANGUAGE, "en-GB,en;q=0.9");
        if purpose == Purpose::WebSocket {
            set(header::PRAGMA, "no-cache");
            set(header::CACHE_CONTROL, "no-cache");
            set(header::ORIGIN, &format!("http://{authority}"));
            return headers;
        }
        if purpose == Purpose::Fetch {
            set(header::ACCEPT, "*/*");
        } else {
            set(header::CACHE_CONTROL, "no-cache");
        }
        set(header::CONNECTION, "keep-alive");
        set(header::REFERER, &format!("http://{authority}/"));
        set(HeaderName::from_static("sec-ch-ua"), BRANDS);
        set(HeaderName::from_static("sec-ch-ua-mobile"), "?0");
        set(HeaderName::from_static("sec-ch-ua-platform"), r#""Linux""#);
        set(HeaderName::from_static("sec-fetch-dest"), "empty");
        set(HeaderName::from_static("sec-fetch-mode"), "cors");
        set(HeaderName::from_static("sec-fetch-site"), "same-origin");
        headers
    }
}
