//! What a client may send on a WebSocket: any bytes behind a good handshake, through the server's real session.
//!
//! ```text
//! bytes -> socket -> front, or hyper -> router -> session -> socket -> frames: updates, pongs, and a Close with the code the bytes deserve
//! ```
//!
//! Every other handshake comes in two pieces: then it is not plain, and hyper's. The peer sends everything, ends its side, and reads on. Its bytes are read a second time, plainly, by RFC 6455.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::Semaphore,
    time::timeout,
};

use super::query;
use crate::{front, http::App, io::Connection};

const HANDSHAKE: &[u8] =
    b"GET /feed/websocket HTTP/1.1\r\nHost: check\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// Everything the server says is updates of a feed that stands still, pongs and a Close.
const SAID_MAX_BYTES: u64 = 1 << 20;
/// See `transports/websocket.rs`.
const MESSAGE_MAX_BYTES: usize = 4 * 1024;
const FRAME_MAX_BYTES: u64 = 16 * 1024;

/// Whatever a client sends, its session ends, and a Close says why where the bytes broke the protocol.
pub fn check(data: &[u8]) {
    thread_local! {
        static SERVER: Server = Server::start();
    }
    let said = SERVER.with(|server| {
        let Server { runtime, listener, .. } = server;
        runtime.block_on(async { timeout(super::HANGS_AFTER, session(server, listener, data)).await })
    });
    let said = said.unwrap_or_else(|_| panic!("the session never ended: {data:02x?}"));
    let closed = closed_with(&said);
    let deserved = deserved(data);
    if let Some(code) = closed {
        assert!(
            deserved.contains(&code),
            "closed with {code}, not one of {deserved:?}: {data:02x?}"
        );
    } else {
        assert!(
            deserved.contains(&GONE),
            "no Close, and one of {deserved:?} is due: {data:02x?}"
        );
    }
}

/// The server of one thread.
struct Server {
    runtime: Runtime,
    listener: TcpListener,
    app: Arc<App>,
    router: Router,
}

impl Server {
    fn start() -> Self {
        let (app, router) = query::server();
        let runtime = super::runtime();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        Self {
            runtime,
            listener,
            app,
            router,
        }
    }
}

/// Everything the server sends behind its handshake.
async fn session(server: &Server, listener: &TcpListener, data: &[u8]) -> Vec<u8> {
    let address = listener.local_addr().expect("an address");
    let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (ours, (theirs, _)) = (ours.expect("a connection"), theirs.expect("its other end"));
    // Millions of cases: a closed port is free again at once.
    SockRef::from(&ours)
        .set_linger(Some(Duration::ZERO))
        .expect("an option");
    // As the accept loop has it: a Close that waits for an acknowledgement would be lost where the peer is reset.
    theirs.set_nodelay(true).expect("an option");
    let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("the only one");
    let theirs = Connection::new(theirs, server.app.stats.clone(), &server.app.settings, permit);
    let (app, router) = (server.app.clone(), server.router.clone());
    let serving = tokio::spawn(async move {
        let Some(other) = front::serve(&app, theirs).await else {
            return;
        };
        let builder = auto::Builder::new(TokioExecutor::new());
        let service = TowerToHyperService::new(router);
        let _ = builder
            .serve_connection_with_upgrades(TokioIo::new(other), service)
            .await;
    });
    let (mut read, mut write) = tokio::io::split(ours);
    let first = match data.len() % 2 {
        0 => HANDSHAKE.len(),
        _ => 1,
    };
    write
        .write_all(&HANDSHAKE[..first])
        .await
        .expect("room for a handshake");
    // The server's task has read it before the rest comes.
    tokio::task::yield_now().await;
    write.write_all(&HANDSHAKE[first..]).await.expect("room for the rest");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(read.read_u8().await.expect("a whole head"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    let send = async {
        // The server may leave first.
        let _ = write.write_all(data).await;
        let _ = write.shutdown().await;
    };
    let mut said = Vec::new();
    let receive = async {
        let mut read = read.take(SAID_MAX_BYTES);
        // What is left unread at the server resets the connection behind its last word.
        let _ = read.read_to_end(&mut said).await;
    };
    tokio::join!(send, receive);
    serving.await.expect("the connection's task ended well");
    said
}

/// The code of the server's Close, which nothing follows; its other frames are whole, unmasked texts, pings and pongs.
fn closed_with(mut said: &[u8]) -> Option<u16> {
    while let [first, second, rest @ ..] = said {
        assert_eq!(second & 0x80, 0, "a server masks nothing");
        let (length, rest) = match second {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => panic!("no update here is that long"),
            short => (usize::from(*short), rest),
        };
        let (payload, rest) = rest.split_at(length);
        match first {
            0x81 => assert!(serde_json::from_slice::<serde_json::Value>(payload).is_ok()),
            0x89 | 0x8a => {}
            0x88 => {
                assert!(rest.is_empty(), "something follows the Close");
                return Some(
                    payload
                        .get(..2)
                        .map_or(NO_CODE, |code| u16::from_be_bytes([code[0], code[1]])),
                );
            }
            other => panic!("a frame that begins with {other:02x}"),
        }
        said = rest;
    }
    assert!(said.is_empty(), "half a frame");
    None
}

/// The client ended without a word: whoever is still there to hear it may be told that this is against the protocol.
const GONE: u16 = 0;
/// A Close without a code, as RFC 6455, 7.1.5 numbers it.
const NO_CODE: u16 = 1005;
const PROTOCOL: u16 = 1002;
const NOT_TEXT: u16 = 1007;
const TOO_LARGE: u16 = 1009;

/// The codes of which one is due. Where one frame breaks several rules, any of them may be named.
fn deserved(mut data: &[u8]) -> BTreeSet<u16> {
    let ended = BTreeSet::from([GONE, PROTOCOL]);
    // The message under way: whether it is text, and what came of it.
    let mut message: Option<(bool, Vec<u8>)> = None;
    loop {
        let Some(frame) = Frame::read(data) else {
            // What its head breaks may be refused before the rest comes; half of anything else is just an end.
            return ended.into_iter().chain(Frame::faults_of_head(data)).collect();
        };
        data = frame.rest;
        let mut faults = Frame::faults_of_head(frame.all);
        match frame.opcode {
            0x8 if faults.is_empty() => return closing(&frame.payload),
            0x9 | 0xa => {}
            0x0..=0x2 => {
                match (&mut message, frame.opcode) {
                    (Some((_, came)), 0) => came.extend_from_slice(&frame.payload),
                    (None, 1 | 2) => message = Some((frame.opcode == 1, frame.payload.clone())),
                    _ => {
                        faults.insert(PROTOCOL);
                    }
                }
                if let Some((is_text, came)) = &message {
                    if came.len() > MESSAGE_MAX_BYTES {
                        faults.insert(TOO_LARGE);
                    }
                    // A character may go on in the next fragment.
                    let broken = std::str::from_utf8(came).err();
                    if *is_text && broken.is_some_and(|broken| frame.fin || broken.error_len().is_some()) {
                        faults.insert(NOT_TEXT);
                    }
                }
            }
            _ => {
                faults.insert(PROTOCOL);
            }
        }
        if !faults.is_empty() {
            return faults;
        }
        if frame.fin && frame.opcode < 8 {
            message = None;
        }
    }
}

/// A Close is answered with its own code; one with half a code, a forbidden code or a reason that is no text breaks the protocol.
fn closing(payload: &[u8]) -> BTreeSet<u16> {
    match payload {
        [] => [NO_CODE, GONE].into(),
        [first, second, reason @ ..] => {
            let code = u16::from_be_bytes([*first, *second]);
            let allowed = matches!(code, 1000..=1003 | 1007..=1013 | 3000..=4999);
            match std::str::from_utf8(reason) {
                Ok(_) if allowed => [code].into(),
                Ok(_) => [PROTOCOL].into(),
                Err(_) => [PROTOCOL, NOT_TEXT].into(),
            }
        }
        _ => [PROTOCOL].into(),
    }
}

struct Frame<'a> {
    fin: bool,
    opcode: u8,
    /// Unmasked.
    payload: Vec<u8>,
    all: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Frame<'a> {
    /// None while it is not whole.
    fn read(data: &'a [u8]) -> Option<Self> {
        let length = Self::announced(data)?;
        let head = Self::head_bytes(data)?;
        let masked = data[1] & 0x80 != 0;
        let start = head + if masked { 4 } else { 0 };
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        let mask = if masked { data.get(head..start)? } else { &[0; 4] };
        let payload = data.get(start..end)?.iter().zip(mask.iter().cycle());
        Some(Self {
            fin: data[0] & 0x80 != 0,
            opcode: data[0] & 0x0f,
            payload: payload.map(|(byte, mask)| byte ^ mask).collect(),
            all: data,
            rest: &data[end..],
        })
    }

    fn head_bytes(data: &[u8]) -> Option<usize> {
        Some(match data.get(1)? & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        })
    }

    /// The length its head announces; None while the head is not whole.
    fn announced(data: &[u8]) -> Option<u64> {
        let extended = data.get(2..Self::head_bytes(data)?)?;
        Some(if extended.is_empty() {
            u64::from(data[1] & 0x7f)
        } else {
            extended.iter().fold(0, |length, byte| (length << 8) | u64::from(*byte))
        })
    }

    /// What a head alone breaks, as far as it is there (RFC 6455, 5.1, 5.2 and 5.5).
    fn faults_of_head(data: &[u8]) -> BTreeSet<u16> {
        let mut faults = BTreeSet::new();
        let (Some(first), Some(second)) = (data.first(), data.get(1)) else {
            return faults;
        };
        let control = first & 0x08 != 0;
        let reserved = first & 0x70 != 0 || !matches!(first & 0x0f, 0..=2 | 8..=10);
        let unfit = control && (first & 0x80 == 0 || second & 0x7f > 125);
        if reserved || unfit || second & 0x80 == 0 {
            faults.insert(PROTOCOL);
        }
        if Self::announced(data).is_some_and(|length| length > FRAME_MAX_BYTES) {
            faults.insert(TOO_LARGE);
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::check;
    use crate::properties::cases;

    /// A frame as a client sends it, with what it may get wrong.
    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let payload = prop_oneof![
            4 => prop::collection::vec(any::<u8>(), 0..8),
            3 => "[a-z\u{e9}\u{26bd}]{0,40}".prop_map(String::into_bytes),
            1 => (0..20_000usize).prop_map(|length| vec![b'x'; length]),
            1 => (any::<u16>(), "[a-z]{0,9}").prop_map(|(code, reason)| [&code.to_be_bytes()[..], reason.as_bytes()].concat()),
        ];
        let first = prop_oneof![
            6 => prop::sample::select(&[0x81u8, 0x82, 0x88, 0x89, 0x8a, 0x01, 0x00, 0x80][..]),
            1 => any::<u8>(),
        ];
        (first, payload, prop::bool::weighted(0.9), any::<[u8; 4]>()).prop_map(|(first, payload, masked, mask)| {
            let mut frame = vec![first];
            let bit = if masked { 0x80 } else { 0 };
            match payload.len() {
                short @ 0..126 => frame.push(bit | short as u8),
                long => {
                    frame.push(bit | 126);
                    frame.extend((long as u16).to_be_bytes());
                }
            }
            if masked {
                frame.extend(mask);
            }
            let mask = if masked { mask } else { [0; 4] };
            frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
            frame
        })
    }

    proptest! {
        #![proptest_config(cases(10))]

        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..200)) {
            check(&data);
        }

        #[test]
        fn frames_good_and_bad(frames in prop::collection::vec(frame(), 0..5), cut in 0..30usize) {
            let mut data = frames.concat();
            // Now and then the last one is cut.
            data.truncate(data.len() - cut.saturating_sub(20).min(data.len()));
            check(&data);
        }
    }
}
