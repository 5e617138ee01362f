//! A server that is none: it takes our client's connections and says what the test wants, byte by byte.

use std::{io, net::SocketAddr};

use server::wire::{Cursor, Update};
use tokio::{io::AsyncWriteExt, net::TcpListener};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{
    rig::Clients,
    support::{
        raw::{self, Raw},
        soon,
    },
};

/// Of everything a puppet says.
pub const EPOCH: u64 = 1_763_631_127_000;
pub const TOPIC: &str = "match-1";

pub struct Puppet {
    listener: TcpListener,
    pub address: SocketAddr,
}

/// One connection, with the request it began with.
pub struct Peer {
    pub raw: Raw,
    pub head: String,
}

impl Puppet {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is always free");
        let address = listener.local_addr().expect("it is bound");
        Self { listener, address }
    }

    /// Clients of it.
    pub fn clients(&self) -> Clients {
        Clients::at(self.address, [TOPIC.to_owned()])
    }

    /// The next connection, and its request.
    pub async fn accept(&self) -> Peer {
        let (stream, _) = soon("a connection", self.listener.accept()).await.expect("it listens");
        stream.set_nodelay(true).expect("TCP_NODELAY can be set");
        let mut raw = Raw::on(stream);
        let head = raw.head().await;
        Peer { raw, head }
    }
}

impl Peer {
    /// The head of an answer to a WebSocket handshake.
    pub fn switching(&self) -> String {
        let key = raw::header(&self.head, "sec-websocket-key").expect("a key");
        let accept = derive_accept_key(key.as_bytes());
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
        )
    }

    /// Says this, unless the client has gone.
    pub async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        soon("send", self.raw.stream.write_all(bytes)).await
    }

    /// Where the client wants to go on.
    pub fn since(&self) -> Option<Cursor> {
        let target = self.head.split(' ').nth(1)?;
        let in_target = target.split(['?', '&']).find_map(|one| one.strip_prefix("since="));
        let since = raw::header(&self.head, "last-event-id").or(in_target)?;
        Some(since.parse().expect("a cursor"))
    }

    /// One frame of a client, unmasked: its first byte and its payload. None at the end of the connection.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let rest = self.raw.peek().await?;
        assert!(rest > 0);
        let start = self.raw.exactly(2).await;
        assert_eq!(start[1] & 0x80, 0x80, "a client must mask");
        let length = usize::from(start[1] & 0x7f);
        assert!(length < 126, "our client says nothing long");
        let key = self.raw.exactly(4).await;
        let masked = self.raw.exactly(length).await;
        let payload = masked.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
        Some((start[0], payload.collect()))
    }
}

/// The update at this offset, with this player.
pub fn update_by(offset: u64, player: &str) -> String {
    let update = Update {
        topic: TOPIC.into(),
        epoch: EPOCH,
        offset,
        seq: offset,
        due_us: EPOCH * 1_000 + offset,
        sent_us: EPOCH * 1_000 + offset,
        home: "Norrland".into(),
        away: "Sudport".into(),
        home_score: 2,
        away_score: 1,
        minute: 67,
        event: "goal".into(),
        player: player.into(),
        pad: None,
    };
    serde_json::to_string(&update).expect("plain data")
}

pub fn update(offset: u64) -> String {
    update_by(offset, "Ada Löfgren")
}

pub fn cursor(offset: u64) -> Cursor {
    Cursor { epoch: EPOCH, offset }
}

/// `update` as an event of a stream.
pub fn event(offset: u64) -> String {
    format!("event: update\ndata: {}\nid: {}\n\n", update(offset), cursor(offset))
}

/// A poll's whole answer.
pub fn answer(updates: &[String], cursor: Cursor) -> String {
    let body = format!(r#"{{"updates":[{}],"cursor":"{cursor}"}}"#, updates.join(","));
    with_length("200 OK", "application/json", &body)
}

pub fn with_length(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
