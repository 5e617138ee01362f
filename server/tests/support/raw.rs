//! A peer that works on bare bytes: what it reads is what was on the wire, decoded by rules written here a second time.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::soon;

/// The key of RFC 6455's example, and the answer it must get.
pub const WEBSOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub const WEBSOCKET_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub const WEBSOCKET_HEADERS: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", WEBSOCKET_KEY),
];

/// Opcodes of RFC 6455 with FIN set.
pub const TEXT: u8 = 0x81;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

/// One TCP connection, and what was read from it beyond what was asked for.
pub struct Raw {
    pub stream: TcpStream,
    unread: Vec<u8>,
}

/// A whole HTTP answer.
#[derive(Debug)]
pub struct Answer {
    /// Status line and headers as they came.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn status(&self) -> u16 {
        status(&self.head)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The text of an error answer, which is JSON and never cached.
    pub fn error(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.head);
        assert_eq!(self.header("cache-control"), Some("no-store"), "{}", self.head);
        self.json()["error"].as_str().expect("an error in words").to_owned()
    }
}

/// One GET on a connection of its own.
pub async fn get(address: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Answer {
    let mut raw = Raw::connect(address).await;
    raw.send_head("GET", target, headers).await;
    raw.answer().await
}

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = soon("connect", TcpStream::connect(address)).await;
        Self::on(stream.expect("the server listens"))
    }

    /// A peer whose kernel takes next to nothing while it does not read.
    pub async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4 * 1024).expect("SO_RCVBUF can be set");
        let stream = soon("connect", socket.connect(address)).await;
        Self::on(stream.expect("the server listens"))
    }

    /// A peer on a connection that is there already.
    pub fn on(stream: TcpStream) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon("send", self.stream.write_all(bytes.as_ref()))
            .await
            .expect("the server takes what is sent");
    }

    pub async fn send_head(&mut self, method: &str, target: &str, headers: &[(&str, &str)]) {
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: feed.test\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        self.send(head + "\r\n").await;
    }

    /// Opens a stream: the request, and the answer's head.
    pub async fn open(&mut self, target: &str, headers: &[(&str, &str)]) -> String {
        self.send_head("GET", target, headers).await;
        self.head().await
    }

    /// Reads once; false at the end of the stream, which a reset is too.
    async fn fill(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        match soon("the next bytes", self.stream.read(&mut piece)).await {
            Ok(0) => false,
            Ok(read) => {
                self.unread.extend_from_slice(&piece[..read]);
                true
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn exactly(&mut self, bytes: usize) -> Vec<u8> {
        while self.unread.len() < bytes {
            assert!(
                self.fill().await,
                "the stream ended within {:?}",
                String::from_utf8_lossy(&self.unread)
            );
        }
        self.unread.drain(..bytes).collect()
    }

    /// Everything up to and with this mark.
    async fn through(&mut self, mark: &[u8]) -> Vec<u8> {
        let mut searched = 0;
        loop {
            let window = &self.unread[searched..];
            if let Some(at) = window.windows(mark.len()).position(|window| window == mark) {
                return self.exactly(searched + at + mark.len()).await;
            }
            searched = self.unread.len().saturating_sub(mark.len() - 1);
            assert!(
                self.fill().await,
                "the stream ended within {:?}",
                String::from_utf8_lossy(&self.unread)
            );
        }
    }

    /// Everything that still comes, to the end of the stream.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.unread)
    }

    /// Waits until there is something to read, and says how much; None at the end of the stream.
    pub async fn peek(&mut self) -> Option<usize> {
        if self.unread.is_empty() && !self.fill().await {
            return None;
        }
        Some(self.unread.len())
    }

    /// Status line and headers, with the empty line.
    pub async fn head(&mut self) -> String {
        String::from_utf8(self.through(b"\r\n\r\n").await).expect("a head is text")
    }

    /// A whole answer with a `content-length`, or with none where none is due.
    pub async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let length = match status(&head) {
            204 | 304 => 0,
            _ => header(&head, "content-length")
                .expect("a length")
                .parse()
                .expect("a number"),
        };
        let body = self.exactly(length).await;
        Answer { head, body }
    }

    /// One chunk of a chunked body (RFC 9112, 7.1); None at the last one.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = String::from_utf8(self.through(b"\r\n").await).expect("a size");
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a hexadecimal size");
        let data = self.exactly(size).await;
        assert_eq!(self.exactly(2).await, b"\r\n", "the end of a chunk");
        (size > 0).then_some(data)
    }

    /// One unmasked frame (RFC 6455, 5.2): its first byte and its payload.
    pub async fn frame(&mut self) -> (u8, Vec<u8>) {
        let start = self.exactly(2).await;
        let length = match start[1] {
            126 => u16::from_be_bytes(self.exactly(2).await.try_into().expect("two bytes")) as usize,
            127 => u64::from_be_bytes(self.exactly(8).await.try_into().expect("eight bytes")) as usize,
            short => {
                assert!(short < 126, "a server must not mask");
                short as usize
            }
        };
        (start[0], self.exactly(length).await)
    }

    /// Sends one masked frame, as a client must.
    pub async fn send_frame(&mut self, first: u8, payload: &[u8]) {
        const MASK: [u8; 4] = [1, 2, 3, 4];
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            middle @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.send(frame).await;
    }
}

fn status(head: &str) -> u16 {
    let code = head.split(' ').nth(1).expect("a status line");
    code.parse().expect("a status code")
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
