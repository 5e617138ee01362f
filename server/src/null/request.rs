//! What a bench client asks, read from a request's head: just enough to know which bytes it waits for.

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{
    http::{FeedQuery, WAIT_DEFAULT_MS, WAIT_MAX_MS},
    hub::{Filter, Hub},
    wire::Mode,
};

/// Headers of one request; a browser's set is half of it.
const HEADERS_MAX: usize = 32;

/// How updates reach the asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    ShortPoll,
    LongPoll,
    Sse,
    WebSocket,
    /// No transport: the frames of a WebSocket, with their true times and nothing around them (see [`super::floor`]).
    Floor,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::ShortPoll, Self::LongPoll, Self::Sse, Self::WebSocket, Self::Floor];

    /// The id of the transport's row.
    pub fn id(self) -> &'static str {
        match self {
            Self::ShortPoll => "short-poll",
            Self::LongPoll => "long-poll",
            Self::Sse => "sse",
            Self::WebSocket => "websocket",
            Self::Floor => super::floor::ID,
        }
    }

    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }
}

/// A request that is understood.
pub struct Ask {
    pub kind: Kind,
    pub query: FeedQuery,
    /// What a WebSocket handshake must be answered with; empty for all others.
    pub accept: String,
    /// The connection is for this one request.
    pub close: bool,
}

/// Nothing the bench client would ask.
#[derive(Debug, PartialEq, Eq)]
pub struct NotUnderstood;

/// The request at the start of `bytes` and its length; None while its head is not whole.
pub fn parse(bytes: &[u8], hub: &Hub) -> Result<Option<(usize, Ask)>, NotUnderstood> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(NotUnderstood),
    };
    let header = |name: &str| {
        let found = request.headers.iter().find(|one| one.name.eq_ignore_ascii_case(name));
        found.map(|one| one.value)
    };
    let (Some("GET"), Some(target)) = (request.method, request.path) else {
        return Err(NotUnderstood);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let kind = path.strip_prefix("/feed/").and_then(Kind::by_id).ok_or(NotUnderstood)?;
    let mut query = feed_query(query, hub).ok_or(NotUnderstood)?;
    if let Some(id) = header("last-event-id") {
        let id = std::str::from_utf8(id).map_err(|_| NotUnderstood)?;
        query.since = Some(id.parse().map_err(|_| NotUnderstood)?);
    }
    let accept = match kind {
        Kind::WebSocket => derive_accept_key(header("sec-websocket-key").ok_or(NotUnderstood)?),
        _ => String::new(),
    };
    let close = header("connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"));
    Ok(Some((
        length,
        Ask {
            kind,
            query,
            accept,
            close,
        },
    )))
}

/// The query as the bench client writes it, without escapes; None when it is another.
fn feed_query(query: &str, hub: &Hub) -> Option<FeedQuery> {
    let (mut filter, mut since, mut mode, mut wait_ms) = (Filter::All, None, Mode::Every, WAIT_DEFAULT_MS);
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match (key, value) {
            ("topic", "all") => filter = Filter::All,
            ("topic", name) => filter = Filter::Topic(hub.topic_named(name)?),
            ("since", cursor) => since = Some(cursor.parse().ok()?),
            ("mode", "every") => mode = Mode::Every,
            ("mode", "latest") => mode = Mode::Latest,
            ("wait_ms", ms) => wait_ms = ms.parse().ok().filter(|ms| *ms <= WAIT_MAX_MS)?,
            _ => return None,
        }
    }
    Some(FeedQuery {
        filter,
        since,
        mode,
        wait: std::time::Duration::from_millis(wait_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        hub::{LogBounds, Topic},
        transports,
        wire::Cursor,
    };

    fn parsed(head: &str) -> Result<Option<(usize, Ask)>, NotUnderstood> {
        let topic = Topic {
            name: "match-1".into(),
            home: "A".into(),
            away: "B".into(),
        };
        let bounds = LogBounds {
            updates_per_topic: 1,
            bytes: 1,
        };
        parse(head.as_bytes(), &Hub::new(Clock::start(), vec![topic], bounds))
    }

    #[test]
    fn every_transport_of_the_table_is_spoken() {
        for row in transports::ALL {
            assert!(Kind::by_id(row.id()).is_some(), "{}", row.id());
        }
    }

    #[test]
    fn a_whole_head_is_read_and_half_of_one_waited_for() {
        let head = "GET /feed/long-poll?topic=match-1&since=7-42&mode=latest&wait_ms=9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let (length, ask) = parsed(head).expect("understood").expect("whole");
        assert_eq!((length, ask.kind, ask.close), (head.len(), Kind::LongPoll, true));
        let FeedQuery {
            filter,
            since,
            mode,
            wait,
        } = ask.query;
        assert_eq!((filter, mode, wait.as_millis()), (Filter::Topic(0), Mode::Latest, 9));
        assert_eq!(since, Some(Cursor { epoch: 7, offset: 42 }));
        for cut in 0..head.len() {
            assert!(parsed(&head[..cut]).is_ok_and(|asked| asked.is_none()), "cut at {cut}");
        }
    }

    #[test]
    fn everything_else_is_not_understood() {
        for head in [
            "POST /feed/sse HTTP/1.1\r\n\r\n",
            "GET /feed/carrier-pigeon HTTP/1.1\r\n\r\n",
            "GET /api/stats HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET /feed/sse?topic=match-2 HTTP/1.1\r\n\r\n",
            "GET /feed/sse?since=x HTTP/1.1\r\n\r\n",
            "GET /feed/long-poll?wait_ms=99999999999999999999 HTTP/1.1\r\n\r\n",
            "GET /feed/long-poll?wait_ms=60001 HTTP/1.1\r\n\r\n",
            "GET /feed/websocket HTTP/1.1\r\n\r\n",
            "GET /feed/sse HTTP/1.1\r\nlast-event-id: \u{e9}\r\n\r\n",
            "\u{16}\u{3}\u{1} hello\r\n\r\n",
            "\0",
        ] {
            assert!(parsed(head).is_err(), "{head:?}");
        }
    }
}
