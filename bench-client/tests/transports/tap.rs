//! Every transport read as bare bytes, for what a session does not hand out: texts, comments, pings, the way a stream ends.

use std::net::SocketAddr;

use serde_json::Value;

use crate::support::raw::{self, CLOSE, PING, Raw, TEXT, WEBSOCKET_HEADERS};

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// An encoded update.
    Update(String),
    /// Why there is a reset.
    Reset(String),
    /// A comment or a ping.
    Heartbeat,
}

/// One raw client of one transport.
pub struct Tap {
    id: &'static str,
    pub raw: Raw,
    target: String,
    /// Where the next poll continues.
    cursor: Option<String>,
    /// The part of an event stream that is no whole event yet.
    rest: String,
}

impl Tap {
    /// Opens on a connection; `query` starts with `?topic=`.
    pub async fn open(id: &'static str, mut raw: Raw, query: &str) -> Self {
        let target = format!("/feed/{id}{query}");
        match id {
            "short-poll" | "long-poll" => {}
            "sse" => {
                let head = raw.open(&target, &[]).await;
                assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            }
            "websocket" => {
                let head = raw.open(&target, &WEBSOCKET_HEADERS).await;
                assert!(head.starts_with("HTTP/1.1 101"), "{head}");
            }
            other => panic!("no raw reader for {other}: write one here"),
        }
        Self {
            id,
            raw,
            target,
            cursor: None,
            rest: String::new(),
        }
    }

    pub async fn connect(id: &'static str, address: SocketAddr, query: &str) -> Self {
        Self::open(id, Raw::connect(address).await, query).await
    }

    /// The next thing said: an answer, a chunk or a message. May be empty.
    pub async fn next(&mut self) -> Vec<Said> {
        match self.id {
            "sse" => {
                let chunk = self.raw.chunk().await.expect("the stream goes on");
                self.rest += std::str::from_utf8(&chunk).expect("an event stream is UTF-8");
                let whole = self.rest.rfind("\n\n").map_or(0, |at| at + 2);
                let events: String = self.rest.drain(..whole).collect();
                events.split_terminator("\n\n").filter_map(event).collect()
            }
            "websocket" => {
                let (first, payload) = self.raw.frame().await;
                let text = String::from_utf8(payload).expect("text is UTF-8");
                match first {
                    TEXT => vec![message(text)],
                    PING => vec![Said::Heartbeat],
                    other => panic!("a frame {other:#x} {text:?}"),
                }
            }
            _ => self.poll().await,
        }
    }

    async fn poll(&mut self) -> Vec<Said> {
        let mut target = self.target.clone();
        if let Some(cursor) = &self.cursor {
            target += &format!("&since={cursor}");
        }
        self.raw.send_head("GET", &target, &[]).await;
        let answer = self.raw.answer().await;
        assert_eq!(answer.status(), 200, "{}", answer.head);
        let body = String::from_utf8(answer.body).expect("JSON is UTF-8");
        // Raw, so that the texts are those on the wire.
        let parsed: server::wire::PollAnswer<'_> = serde_json::from_str(&body).expect("a batch of updates");
        self.cursor = Some(parsed.cursor.to_string());
        let reset = parsed.reset.map(|reset| Said::Reset(name(&reset.reason)));
        let updates = parsed.updates.iter().map(|update| Said::Update(update.get().into()));
        reset.into_iter().chain(updates).collect()
    }

    /// Everything said until there are this many updates.
    pub async fn updates(&mut self, count: usize) -> Vec<String> {
        let mut updates = Vec::new();
        while updates.len() < count {
            for said in self.next().await {
                match said {
                    Said::Update(json) => updates.push(json),
                    Said::Heartbeat => {}
                    Said::Reset(reason) => panic!("{}: a reset ({reason}) that nothing called for", self.id),
                }
            }
        }
        updates
    }

    /// Reads what a server says to this client when it stops, to the last byte.
    pub async fn farewell(&mut self) {
        match self.id {
            // Its connection is idle.
            "short-poll" => {}
            "long-poll" => {
                let answer = self.raw.answer().await;
                assert_eq!(answer.status(), 200, "{}", answer.head);
                assert_eq!(answer.json()["updates"], Value::Array(Vec::new()));
                assert_eq!(answer.json()["cursor"].as_str(), self.cursor.as_deref());
            }
            "sse" => {
                let last = self.raw.chunk().await.expect("a last word");
                assert_eq!(String::from_utf8_lossy(&last), "retry: 1000\n\n");
                assert_eq!(self.raw.chunk().await, None, "the last chunk");
            }
            "websocket" => {
                let (first, payload) = self.raw.frame().await;
                assert_eq!((first, &payload[..2]), (CLOSE, &1001_u16.to_be_bytes()[..]));
                self.raw.send_frame(CLOSE, &payload[..2]).await;
            }
            other => panic!("no farewell known of {other}: write one here"),
        }
        let rest = self.raw.rest().await;
        assert_eq!(String::from_utf8_lossy(&rest), "", "{}: after the end", self.id);
    }

    /// Sends the poll that is to be held; streams wait by themselves.
    pub async fn wait(&mut self) {
        if self.id == "long-poll" {
            let cursor = self.cursor.as_deref().expect("a first poll");
            let target = format!("{}&since={cursor}", self.target);
            self.raw.send_head("GET", &target, &[]).await;
        }
    }
}

/// One event of a stream whose lines end with LF; None for one that only says an id or a retry.
fn event(block: &str) -> Option<Said> {
    // The standard ends lines at CR too: inside an event there is none, or it would be cut there.
    assert!(!block.contains('\r'), "a CR within {block:?}");
    if block == ":" {
        return Some(Said::Heartbeat);
    }
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let data = field("data")?;
    assert_eq!(block.matches("\ndata: ").count(), 1, "one data line in {block:?}");
    match field("event") {
        Some("update") => {
            let update: Value = serde_json::from_str(data).expect("an update is JSON");
            let cursor = format!("{}-{}", update["epoch"], update["offset"]);
            assert_eq!(field("id"), Some(cursor.as_str()));
            Some(Said::Update(data.to_owned()))
        }
        Some("reset") => {
            let reset: Value = serde_json::from_str(data).expect("a reset is JSON");
            Some(Said::Reset(reset["reason"].as_str().expect("a reason").to_owned()))
        }
        other => panic!("an event {other:?}"),
    }
}

fn message(text: String) -> Said {
    let parsed: Value = serde_json::from_str(&text).expect("a message is JSON");
    match parsed["reset"]["reason"].as_str() {
        Some(reason) => Said::Reset(reason.to_owned()),
        None => Said::Update(text),
    }
}

fn name(reason: &server::wire::ResetReason) -> String {
    let json = serde_json::to_value(reason).expect("a plain enum");
    json.as_str().expect("its name").to_owned()
}

/// GETs the feed over a transport, without upgrading: for what is refused before any stream.
pub async fn refused(id: &str, address: SocketAddr, query: &str) -> raw::Answer {
    raw::get(address, &format!("/feed/{id}{query}"), &[]).await
}
