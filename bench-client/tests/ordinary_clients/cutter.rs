//! A path that breaks: hands on the bytes of each connection, and cuts it when the server has said so many.
//!
//! ```text
//! client <- at most n bytes, then FIN or RST <- Cutter <- server, which may be another one for the next connection
//! ```
//!
//! It reads nothing of what passes: the clients speak HTTP/1.1, HTTP/2 and WebSocket. The relay of `tests/faults` knows the feed's
//! units and harms those; here a cut may fall anywhere, in the middle of a head, an event or a character.

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Of each connection, what the client said first and what the server said last.
const KEPT_BYTES: usize = 1024;

/// When connections are cut.
#[derive(Debug, Clone, Copy)]
pub struct Cuts {
    /// In their order: after how many bytes from the server; None lets one live, as all those behind do.
    pub after_bytes: &'static [Option<usize>],
    /// False: a cut that would fall behind the end of a line falls before it.
    pub behind_a_line: bool,
}

/// One connection, as it passed.
#[derive(Debug, Clone, Default)]
pub struct Passage {
    pub asked: Vec<u8>,
    pub said_last: Vec<u8>,
}

/// A listening path to one server; it ends when it is dropped.
pub struct Cutter {
    pub address: SocketAddr,
    path: Arc<Path>,
    accepting: JoinHandle<()>,
}

struct Path {
    /// Whose path it is, for messages.
    name: String,
    server: Mutex<SocketAddr>,
    /// For the connections to come.
    cuts: Mutex<VecDeque<Option<usize>>>,
    behind_a_line: bool,
    left: watch::Sender<usize>,
    passages: Mutex<Vec<Passage>>,
}

impl Cutter {
    pub async fn start(name: &str, server: SocketAddr, cuts: Cuts) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is always free");
        let address = listener.local_addr().expect("it is bound");
        let path = Arc::new(Path {
            name: name.to_owned(),
            server: Mutex::new(server),
            cuts: Mutex::new(cuts.after_bytes.iter().copied().collect()),
            behind_a_line: cuts.behind_a_line,
            left: watch::Sender::new(cuts.after_bytes.iter().flatten().count()),
            passages: Mutex::default(),
        });
        let shared = path.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let path = shared.clone();
                // A connection that breaks is what this is for; either end notices by itself.
                tokio::spawn(async move { path.connection(client).await });
            }
        });
        Self {
            address,
            path,
            accepting,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections from now on lead to this server.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.path.server.lock() = server;
    }

    /// Returns when every cut was made.
    pub async fn all_cut(&self) {
        let mut left = self.path.left.subscribe();
        left.wait_for(|left| *left == 0).await.expect("its sender is kept here");
    }

    /// All connections so far.
    pub fn passages(&self) -> Vec<Passage> {
        self.path.passages.lock().clone()
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Path {
    async fn connection(&self, client: TcpStream) -> io::Result<()> {
        let limit = self.cuts.lock().pop_front().flatten();
        let number = {
            let mut passages = self.passages.lock();
            passages.push(Passage::default());
            passages.len() - 1
        };
        let address = *self.server.lock();
        let mut server = TcpStream::connect(address).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let mut client = client;
        let mut left = limit.unwrap_or(usize::MAX);
        {
            let (mut from_client, mut to_client) = client.split();
            let (mut from_server, mut to_server) = server.split();
            let asking = async {
                let mut buffer = vec![0; 16 * 1024];
                loop {
                    let length = from_client.read(&mut buffer).await?;
                    if length == 0 {
                        return to_server.shutdown().await;
                    }
                    self.keep(number, |passage| &mut passage.asked, &buffer[..length], false);
                    to_server.write_all(&buffer[..length]).await?;
                }
            };
            let answering = async {
                let mut buffer = vec![0; 16 * 1024];
                while left > 0 {
                    let length = from_server.read(&mut buffer).await?;
                    if length == 0 {
                        return to_client.shutdown().await;
                    }
                    let mut passed = length.min(left);
                    left -= passed;
                    while left == 0 && !self.behind_a_line && buffer[..passed].ends_with(b"\n") {
                        passed -= 1;
                    }
                    self.keep(number, |passage| &mut passage.said_last, &buffer[..passed], true);
                    to_client.write_all(&buffer[..passed]).await?;
                }
                Err(io::ErrorKind::ConnectionAborted.into())
            };
            // Both to their ends, or until one breaks. That breaks the other too.
            let _: io::Result<_> = tokio::try_join!(asking, answering);
        }
        if left == 0 {
            let last = self.passages.lock()[number].said_last.clone();
            let last = last[last.len().saturating_sub(40)..].escape_ascii();
            println!("{}: connection {number} is cut behind {last}", self.name);
            // In turn: an end of the stream within something, and a reset.
            if number % 2 == 1 {
                client.set_zero_linger()?;
            }
            drop(client);
            self.left.send_modify(|left| *left -= 1);
        }
        Ok(())
    }

    /// Keeps the first bytes of a direction, or the last.
    fn keep(&self, number: usize, side: impl Fn(&mut Passage) -> &mut Vec<u8>, bytes: &[u8], last: bool) {
        let mut passages = self.passages.lock();
        let kept = side(&mut passages[number]);
        if last {
            kept.extend_from_slice(bytes);
            kept.drain(..kept.len().saturating_sub(KEPT_BYTES));
        } else {
            let room = KEPT_BYTES.saturating_sub(kept.len());
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}
