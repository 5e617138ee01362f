//! Our client's handshake, answered by a server that does not do its part (RFC 6455, 4.1): no session may come of it.

use bench_client::transports::by_id;
use futures_util::future::join;

use crate::{
    puppet::{Peer, Puppet},
    rig::Clients,
};

/// What is said to a handshake.
type Answer = fn(&Peer) -> Vec<u8>;

/// Returns how many answers there were, and what failed.
pub async fn run(puppet: &Puppet, clients: &Clients) -> (usize, Vec<String>) {
    let answers = answers();
    let mut failed = Vec::new();
    for (name, answer) in &answers {
        if let Err(error) = refuse(puppet, clients, *answer).await {
            failed.push(format!("client, {name}: {error}"));
        }
    }
    (answers.len(), failed)
}

/// Answers to a handshake that are none.
fn answers() -> Vec<(&'static str, Answer)> {
    vec![
        ("a wrong accept key", |peer| {
            let good = peer.switching();
            good.replace("sec-websocket-accept: ", "sec-websocket-accept: A")
                .into_bytes()
        }),
        ("no accept key", |_| {
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n".to_vec()
        }),
        ("no upgrade", |peer| {
            peer.switching().replace("upgrade: websocket\r\n", "").into_bytes()
        }),
        ("another upgrade", |peer| {
            peer.switching()
                .replace("upgrade: websocket", "upgrade: h2c")
                .into_bytes()
        }),
        ("no connection header", |peer| {
            peer.switching().replace("connection: upgrade\r\n", "").into_bytes()
        }),
        ("200", |peer| {
            peer.switching()
                .replace("101 Switching Protocols", "200 OK")
                .into_bytes()
        }),
        ("301", |_| {
            b"HTTP/1.1 301 Moved Permanently\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec()
        }),
        ("503", |_| {
            b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 4\r\n\r\nfull".to_vec()
        }),
        ("an extension that nobody offered", |peer| {
            peer.switching()
                .replace(
                    "upgrade: websocket",
                    "upgrade: websocket\r\nsec-websocket-extensions: permessage-deflate",
                )
                .into_bytes()
        }),
        ("a subprotocol that nobody offered", |peer| {
            peer.switching()
                .replace(
                    "upgrade: websocket",
                    "upgrade: websocket\r\nsec-websocket-protocol: chat",
                )
                .into_bytes()
        }),
        ("HTTP/1.0", |peer| {
            peer.switching().replace("HTTP/1.1", "HTTP/1.0").into_bytes()
        }),
        ("no HTTP", |_| b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()),
        ("nothing", |_| Vec::new()),
        ("half a head", |peer| peer.switching().as_bytes()[..40].to_vec()),
        ("an endless head", |peer| {
            let good = peer.switching();
            [good.trim_end().as_bytes(), b"\r\nx: ", &[b'x'; 1024 * 1024]].concat()
        }),
    ]
}

/// Answers a handshake and closes: no session may come of it.
async fn refuse(puppet: &Puppet, clients: &Clients, answer: Answer) -> Result<(), String> {
    let row = by_id("websocket").expect("a row");
    let answering = async {
        let mut peer = puppet.accept().await;
        // It may have enough before the end.
        let _ = peer.try_send(&answer(&peer)).await;
    };
    match join(answering, clients.try_open(row, None)).await {
        (_, Ok(_)) => Err("it was taken for a handshake".into()),
        (_, Err(_)) => Ok(()),
    }
}
