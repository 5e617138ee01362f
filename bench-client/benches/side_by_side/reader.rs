//! The client of every server here: plain TCP sockets, one thread, one epoll, one buffer.
//!
//! ```text
//! sockets -> epoll -> read() into the one buffer -> scan.rs: seqs -> receipts (seq, when that read returned)
//!                                                -> long_poll.rs: where an answer is whole, the next request
//! ```
//!
//! It decodes nothing and has no memory per client but a few bytes, so its own share is small and the same for every server. What it
//! does check: each client's seqs are contiguous. Absent on purpose: masks, pongs, chunks; servers are told not to ping.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use memchr::memmem::Finder;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use server::clock::Clock;

use super::{
    long_poll::LongPoll,
    noted::Noted,
    scan::{MARKER, TAIL_MAX, Tail},
};

/// The most one read takes: a thousand updates of the usual size.
const BUFFER_BYTES: usize = 256 * 1024;
/// Events taken from the kernel at once.
const EVENTS: usize = 1024;
/// How often the thread looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(20);
/// How long one connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the clients say.
#[derive(Clone)]
pub struct Plan {
    pub address: SocketAddr,
    pub clients: usize,
    pub request: String,
    /// A status line comes before the first update.
    pub head: bool,
    /// The request is asked again after every answer.
    pub long_poll: Option<LongPoll>,
}

/// What the thread tells while it runs.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Clients that were answered (where nothing answers: that are connected) or cut.
    opened: AtomicU32,
    /// The newest seq that as many clients hold as there are.
    held_by_all: AtomicU32,
}

/// A running reader; dropped, its thread ends and its connections with it.
pub struct Reader {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Noted>>,
}

struct Client {
    stream: TcpStream,
    tail: Tail,
    last_seq: u32,
    opened: bool,
    long_poll: Option<LongPoll>,
}

impl Reader {
    /// Connects all clients, one after the other, and sends their requests.
    pub fn connect(plan: &Plan, clock: Clock) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut clients = Vec::with_capacity(plan.clients);
        for index in 0..plan.clients {
            let mut stream = std::net::TcpStream::connect_timeout(&plan.address, CONNECT_TIMEOUT)?;
            stream.set_nodelay(true)?;
            // Gone at once and without TIME_WAIT when it is dropped: a run opens tens of thousands.
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
            stream.write_all(plan.request.as_bytes())?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry()
                .register(&mut stream, Token(index), Interest::READABLE)?;
            clients.push(Some(Client {
                stream,
                tail: Tail::default(),
                last_seq: 0,
                opened: false,
                long_poll: plan.long_poll.clone(),
            }));
        }
        let shared = Arc::new(Shared::default());
        if !plan.head {
            shared.opened.store(plan.clients as u32, Relaxed);
        }
        let mut work = Work {
            clients,
            clock,
            shared: shared.clone(),
            noted: Noted::since(clock.now_us()),
            head: plan.head,
        };
        let thread = std::thread::Builder::new()
            .name("reader".into())
            .spawn(move || work.run(poll))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Clients that were answered or cut.
    pub fn opened(&self) -> usize {
        self.shared.opened.load(Relaxed) as usize
    }

    pub fn held_by_all(&self) -> u32 {
        self.shared.held_by_all.load(Relaxed)
    }

    /// Closes all connections; None where the thread panicked, which it has told itself.
    pub fn finish(mut self) -> Option<Noted> {
        self.shared.stop.store(true, Relaxed);
        self.thread.take()?.join().ok()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    clients: Vec<Option<Client>>,
    clock: Clock,
    shared: Arc<Shared>,
    noted: Noted,
    head: bool,
}

impl Work {
    fn run(&mut self, mut poll: Poll) -> Noted {
        let mut buffer = vec![0; TAIL_MAX + BUFFER_BYTES];
        let finder = Finder::new(MARKER);
        let mut events = Events::with_capacity(EVENTS);
        while !self.shared.stop.load(Relaxed) {
            match poll.poll(&mut events, Some(LOOK)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    self.noted.fault = Some(format!("epoll: {error}"));
                    break;
                }
                _ => {}
            }
            for event in &events {
                let Token(index) = event.token();
                let Some(mut client) = self.clients[index].take() else {
                    continue;
                };
                match self.read(&mut client, &finder, &mut buffer) {
                    Ok(()) => self.clients[index] = Some(client),
                    Err(error) => {
                        self.noted.cut += 1;
                        self.noted.fault.get_or_insert(error.to_string());
                        if !client.opened && self.head {
                            self.shared.opened.fetch_add(1, Relaxed);
                        }
                    }
                }
            }
        }
        self.clients.clear();
        std::mem::take(&mut self.noted)
    }

    /// Reads until the socket is empty. A read that does not fill the buffer has emptied it (epoll(7), question 9).
    fn read(&mut self, client: &mut Client, finder: &Finder<'_>, buffer: &mut [u8]) -> io::Result<()> {
        let (clients, shared) = (self.clients.len() as u32, &self.shared);
        loop {
            let read = match client.stream.read(&mut buffer[TAIL_MAX..]) {
                Ok(0) => return Err(io::Error::other("the server closed a connection")),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let at_us = self.clock.now_us().saturating_sub(self.noted.origin_us) as u32;
            let bytes = &buffer[TAIL_MAX..TAIL_MAX + read];
            if !client.opened {
                if self.head {
                    let good = bytes.starts_with(b"HTTP/1.1 200") || bytes.starts_with(b"HTTP/1.1 101");
                    if !good {
                        let start = String::from_utf8_lossy(&bytes[..read.min(60)]).into_owned();
                        return Err(io::Error::other(format!("a client was answered {start:?}")));
                    }
                    self.shared.opened.fetch_add(1, Relaxed);
                }
                client.opened = true;
            }
            // Asked again before anything is noted: a slow note must not make a slow poller.
            if let Some(long_poll) = &mut client.long_poll {
                long_poll.take(bytes, &mut client.stream)?;
            }
            let (noted, last_seq) = (&mut self.noted, &mut client.last_seq);
            client.tail.scan(finder, buffer, read, |seq| {
                if noted.note(seq, at_us, last_seq) == clients {
                    shared.held_by_all.store(seq, Relaxed);
                }
            });
            if read < buffer.len() - TAIL_MAX {
                return Ok(());
            }
        }
    }
}
