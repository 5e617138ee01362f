//! A client of any transport, on bare bytes: what it asks, what it is told, and how it leaves.

use std::{future::Future, net::SocketAddr, time::Duration};

use server::wire::PollAnswer;
use socket2::SockRef;
use tokio::{io::AsyncWriteExt, sync::Semaphore, task::JoinSet};

use crate::support::raw::{CLOSE, PING, PONG, Raw, TEXT, WEBSOCKET_HEADERS};

pub const TRANSPORTS: [&str; 4] = ["short-poll", "long-poll", "sse", "websocket"];
pub const STREAMS: [&str; 2] = ["sse", "websocket"];

/// Connections that are opened at once: the accept queue is no part of what is tested.
const OPENING_MAX: usize = 256;
/// How often a short poller asks.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Update {
        seq: u64,
        due_us: u64,
    },
    Reset,
    /// The stream ends in good order: an SSE's last line, or a close code.
    Farewell(String),
}

/// One client's live session.
pub struct Peer {
    pub id: &'static str,
    pub raw: Raw,
    query: String,
    /// What a poll asks with next.
    pub since: Option<String>,
    /// The last line of an event stream so far.
    last: String,
}

impl Peer {
    /// Opens a session that follows `query` (`topic=…`).
    pub async fn open(id: &'static str, raw: Raw, query: &str) -> Self {
        let mut peer = Self {
            id,
            raw,
            query: query.to_owned(),
            since: None,
            last: String::new(),
        };
        if STREAMS.contains(&id) {
            let headers: &[_] = if id == "websocket" { &WEBSOCKET_HEADERS } else { &[] };
            let head = peer.raw.open(&format!("/feed/{id}?{query}"), headers).await;
            assert!(
                head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.1 101"),
                "{id}: {head}"
            );
        }
        peer
    }

    pub async fn connect(id: &'static str, address: SocketAddr, query: &str) -> Self {
        Self::open(id, Raw::connect(address).await, query).await
    }

    /// The next thing it is told, or several; empty for a heartbeat and for a poll without news.
    pub async fn next(&mut self) -> Vec<Said> {
        match self.id {
            "sse" => self.event().await,
            "websocket" => self.message().await,
            _ => {
                self.ask().await;
                self.answer().await
            }
        }
    }

    /// Follows until there is an update.
    pub async fn first_update(&mut self) {
        while !self.next().await.iter().any(|said| matches!(said, Said::Update { .. })) {}
    }

    async fn event(&mut self) -> Vec<Said> {
        let Some(chunk) = self.raw.chunk().await else {
            return vec![Said::Farewell(std::mem::take(&mut self.last))];
        };
        if chunk.starts_with(b"event: reset") {
            return vec![Said::Reset];
        }
        self.last = String::from_utf8_lossy(&chunk[..chunk.len().min(32)]).into_owned();
        update(&chunk).into_iter().collect()
    }

    async fn message(&mut self) -> Vec<Said> {
        let (first, payload) = self.raw.frame().await;
        match first {
            PING => self.raw.send_frame(PONG, &payload).await,
            CLOSE => {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                self.raw.send_frame(CLOSE, &payload[..2]).await;
                return vec![Said::Farewell(code.to_string())];
            }
            TEXT if payload.starts_with(b"{\"reset\"") => return vec![Said::Reset],
            _ => return update(&payload).into_iter().collect(),
        }
        Vec::new()
    }

    /// Sends the next poll.
    pub async fn ask(&mut self) {
        if self.id == "short-poll" && self.since.is_some() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let mut target = format!("/feed/{}?{}", self.id, self.query);
        if let Some(since) = &self.since {
            target += &format!("&since={since}");
        }
        self.raw.send_head("GET", &target, &[]).await;
    }

    async fn answer(&mut self) -> Vec<Said> {
        let answer = self.raw.answer().await;
        assert_eq!(answer.status(), 200, "{}: {}", self.id, answer.head);
        let read: PollAnswer<'_> = serde_json::from_slice(&answer.body).expect("a poll's answer");
        self.since = Some(read.cursor.to_string());
        let mut said: Vec<_> = read.reset.iter().map(|_| Said::Reset).collect();
        said.extend(read.updates.iter().filter_map(|json| update(json.get().as_bytes())));
        said
    }

    /// Leaves without reading what is still on its way: the server's kernel is told by a reset.
    pub fn reset(self) {
        let socket = SockRef::from(&self.raw.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("SO_LINGER can be set");
    }

    /// Leaves as the protocol says, and reads until the server has left too.
    pub async fn leave(mut self) {
        if self.id == "websocket" {
            self.raw.send_frame(CLOSE, &1000_u16.to_be_bytes()).await;
        } else {
            // A server that was quicker has closed already.
            let _ = self.raw.stream.shutdown().await;
        }
        self.raw.rest().await;
    }

    /// Says that it will say no more, and then does nothing at all: the socket stays.
    pub async fn half_close(&mut self) {
        let _ = self.raw.stream.shutdown().await;
    }
}

/// The update in a frame, an event or an answer. Only its head is read: thousands of clients share a machine with the server.
fn update(framed: &[u8]) -> Option<Said> {
    let head = String::from_utf8_lossy(&framed[..framed.len().min(320)]);
    let number = |key: &str| {
        let digits = head.split_once(key)?.1;
        digits[..digits.find(',')?].parse().ok()
    };
    Some(Said::Update {
        seq: number("\"seq\":")?,
        due_us: number("\"due_us\":")?,
    })
}

/// Checks that a client misses nothing, gets nothing twice and is never reset.
#[derive(Debug, Default)]
pub struct Contiguous {
    pub last_seq: Option<u64>,
}

impl Contiguous {
    #[track_caller]
    pub fn check(&mut self, who: &str, said: &Said) {
        match said {
            Said::Update { seq, .. } => {
                if let Some(last) = self.last_seq {
                    assert_eq!(*seq, last + 1, "{who}: seq {seq} after {last}");
                }
                self.last_seq = Some(*seq);
            }
            Said::Reset => panic!("{who}: a reset after {:?}", self.last_seq),
            Said::Farewell(words) => panic!("{who}: the stream ended with {words:?}"),
        }
    }
}

/// Runs `one` for each number below `count`, so many at once, and returns what they return, in any order.
pub async fn many<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    count: usize,
    one: impl Fn(usize) -> F,
) -> Vec<T> {
    let opening = std::sync::Arc::new(Semaphore::new(OPENING_MAX));
    let mut all = JoinSet::new();
    for index in 0..count {
        let (opening, one) = (opening.clone(), one(index));
        all.spawn(async move {
            // Never closed.
            let _turn = opening.acquire().await;
            one.await
        });
    }
    all.join_all().await
}
