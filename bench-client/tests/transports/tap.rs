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
    /// The part of an event stream that is no whole line yet.
    rest: String,
    /// The fields of an event that is not whole yet.
    fields: Vec<(String, String)>,
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
            fields: Vec::new(),
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
                let mut said = Vec::new();
                while let Some(end) = self.rest.find('\n') {
                    let line: String = self.rest.drain(..=end).collect();
                    said.extend(self.line(line.trim_end_matches('\n')));
                }
                said
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

    /// One line of an event stream (WHATWG HTML, 9.2.6).
    fn line(&mut self, line: &str) -> Option<Said> {
        // CR ends a line too, so within one there must be none.
        assert!(!line.contains('\r'), "a CR within {line:?}");
        if line.is_empty() {
            return Some(event(&std::mem::take(&mut self.fields)));
        }
        match line.split_once(": ").unwrap_or((line, "")) {
            (":", _) => return Some(Said::Heartbeat),
            ("retry", _) => {}
            (field, value) => self.fields.push((field.to_owned(), value.to_owned())),
        }
        None
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
                assert_eq!(String::from_utf8_lossy(&last), "retry: 1000\n");
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

/// One event; no field stands in it twice.
fn event(fields: &[(String, String)]) -> Said {
    let value = |name: &str| {
        let mut values = fields.iter().filter(|(field, _)| field == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice in {fields:?}");
        value
    };
    let data = value("data").expect("an event has data");
    let parsed: Value = serde_json::from_str(data).expect("data is JSON");
    match value("event") {
        Some("update") => {
            let cursor = format!("{}-{}", parsed["epoch"], parsed["offset"]);
            assert_eq!(value("id"), Some(cursor.as_str()));
            Said::Update(data.to_owned())
        }
        Some("reset") => Said::Reset(parsed["reason"].as_str().expect("a reason").to_owned()),
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
