//! The client side of every transport: one file and one row each, and what they share.
//!
//! ```text
//! virtual_client -> row.open(Endpoint, since) -> Session -> next(): the updates that came, with their receive times
//! ```
//!
//! A session is one live connection (or, for polls, one client's polling). It decodes and keeps the cursor; whether the sequence
//! is right is judged elsewhere, from what it hands out.

use std::{
    collections::HashMap,
    future::poll_fn,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::LocalBoxFuture;
use server::wire::{Cursor, Mode};

use crate::{headers::HeaderSet, net::Net};
use framing::Framing;

pub mod decode;
pub mod framing;
pub mod http;
mod long_poll;
pub mod poll;
mod short_poll;
pub mod sse;
pub mod websocket;

/// A transport as clients use it.
pub struct ClientTransport {
    /// The id of the server's row.
    pub id: &'static str,
    pub asks: Asks,
    /// Its bytes on the wire, for the model of a row.
    pub framing: Framing,
    pub open: OpenSession,
}

/// When a client of a transport makes a request: what a plan's traffic is estimated from, and what the models hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Once, to open its stream.
    Once,
    EveryInterval,
    EveryUpdate,
}

/// Opens a session; returns when it delivers (streams) or has its first answer (polls).
pub type OpenSession = for<'a> fn(
    &'a Net,
    &'a Arc<Endpoint>,
    Option<Cursor>,
) -> LocalBoxFuture<'a, Result<Box<dyn Session>, SessionError>>;

/// Every transport this client speaks.
pub static ALL: [ClientTransport; 4] = [
    ClientTransport {
        id: "short-poll",
        asks: Asks::EveryInterval,
        framing: short_poll::FRAMING,
        open: short_poll::open,
    },
    ClientTransport {
        id: "long-poll",
        asks: Asks::EveryUpdate,
        framing: long_poll::FRAMING,
        open: long_poll::open,
    },
    ClientTransport {
        id: "sse",
        asks: Asks::Once,
        framing: sse::FRAMING,
        open: sse::open,
    },
    ClientTransport {
        id: "websocket",
        asks: Asks::Once,
        framing: websocket::FRAMING,
        open: websocket::open,
    },
];

/// The row with this id.
pub fn by_id(id: &str) -> Option<&'static ClientTransport> {
    ALL.iter().find(|row| row.id == id)
}

/// What one client asks for, and how.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub address: SocketAddr,
    /// `Host` of every request.
    pub authority: String,
    /// The one topic followed; None is all.
    pub topic: Option<String>,
    /// Names of all topics, for their index.
    pub topics: Arc<TopicIndex>,
    pub mode: Mode,
    pub wait_ms: u64,
    pub headers: HeaderSet,
    /// False: a new connection for every request.
    pub keep_alive: bool,
    pub polls: PollGrid,
}

/// Index of each topic by name.
pub type TopicIndex = HashMap<String, u32>;

/// When a short poller's polls are due: `first_us + k · interval_us`, whatever the answers take.
#[derive(Debug, Clone, Copy)]
pub struct PollGrid {
    pub first_us: u64,
    pub interval_us: u64,
}

impl Endpoint {
    /// Path and query for a transport.
    pub fn target(&self, id: &str, since: Option<Cursor>) -> String {
        use std::fmt::Write;
        let topic = self.topic.as_deref().unwrap_or("all");
        let mut target = format!("/feed/{id}?topic={topic}");
        // Writing into a String cannot fail.
        if let Some(since) = since {
            let _ = write!(target, "&since={since}");
        }
        if self.mode == Mode::Latest {
            target.push_str("&mode=latest");
        }
        if id == long_poll::ID {
            let _ = write!(target, "&wait_ms={}", self.wait_ms);
        }
        target
    }
}

/// Why a session ended or never began.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("connection: {0}")]
    Connection(#[from] std::io::Error),
    #[error("http: {0}")]
    Http(#[from] http::HttpError),
    #[error("websocket: {0}")]
    WebSocket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    #[error("the server answered {status}: {body}")]
    Refused { status: u16, body: String },
    #[error("not understood: {0}")]
    Protocol(String),
    #[error("the stream ended")]
    Ended,
    #[error("no answer within {0} s")]
    TimedOut(u64),
}

impl From<tokio_tungstenite::tungstenite::Error> for SessionError {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        // Large, and rare: not worth its place in every result.
        Self::WebSocket(Box::new(error))
    }
}

/// One client's live connection.
pub trait Session {
    /// The next delivery: appends what it brought, also to an error. Whoever asks again after `Pending` goes on where it was.
    fn poll_next(&mut self, cx: &mut Context<'_>, arrivals: &mut Arrivals) -> Poll<Result<(), SessionError>>;

    /// Everything up to here is held: where another session continues.
    fn cursor(&self) -> Option<Cursor>;

    /// Bytes both ways until the session delivered.
    fn setup_bytes(&self) -> u64;
}

impl dyn Session + '_ {
    /// Waits for the next delivery.
    pub async fn next(&mut self, arrivals: &mut Arrivals) -> Result<(), SessionError> {
        poll_fn(|cx| self.poll_next(cx, arrivals)).await
    }
}

/// What one delivery brought.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// The server said that updates may be missing before these.
    pub reset: bool,
    pub updates: Vec<Arrival>,
}

impl Arrivals {
    pub fn is_empty(&self) -> bool {
        self.updates.is_empty() && !self.reset
    }

    pub fn clear(&mut self) {
        self.reset = false;
        self.updates.clear();
    }
}

/// One update as it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub received_us: u64,
    pub due_us: u64,
    pub cursor: Cursor,
    pub seq: u64,
    /// Index of the topic.
    pub topic: u32,
    /// Size of the encoded update.
    pub bytes: u32,
    pub home_score: u16,
    pub away_score: u16,
    /// Result of a shoot-out, home side first, in the update that tells it.
    pub shootout: Option<[u8; 2]>,
}

/// What a server sent and the client does not understand. Its words may be in the message, and errors are kept: they are cut.
pub(crate) fn not_understood(words: impl std::fmt::Display) -> SessionError {
    const WORDS_MAX: usize = 400;
    SessionError::Protocol(words.to_string().chars().take(WORDS_MAX).collect())
}
