//! A path with one fault of known size, between the real program and a real server.
//!
//! ```text
//! client -> request bytes as they are -> server
//! client <- writer thread: each unit at its own deadline <- units.rs <- server
//! ```
//!
//! Only connections that ask for the feed suffer; control calls pass untouched, so client and server read the very same clock. Threads
//! and blocking sockets: a thread sleeps to 0.1 ms, an asynchronous timer only to the next whole millisecond.

use std::{
    io::{Read, Write, copy},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

use server::clock::Clock;

use crate::{
    harm::{Harm, Harmed},
    units::{Framing, Stamp, Unit, Units},
};

/// What the path does to the feed. The default does nothing.
#[derive(Debug, Default)]
pub struct Faults {
    /// Everything the server says comes so much later: order and gaps stay.
    pub delay: Duration,
    /// One stall for each transport named.
    pub stalls: Vec<Stall>,
    /// A new connection is left alone for so long.
    pub slow_accept: Duration,
    /// Every head of the server is longer by so many bytes.
    pub header_bytes: usize,
    pub harm: Option<Harm>,
}

/// Whatever one transport says is held back once, and then handed on all at once.
#[derive(Debug)]
pub struct Stall {
    pub transport: &'static str,
    /// It begins with the first thing said after this, by the server's clock.
    pub from_us: u64,
    pub length: Duration,
    /// When it began.
    begun_us: OnceLock<u64>,
}

impl Stall {
    pub fn new(transport: &'static str, from_us: u64, length: Duration) -> Self {
        Self {
            transport,
            from_us,
            length,
            begun_us: OnceLock::new(),
        }
    }
}

/// A listening relay. Its threads end with their connections, the accepting one with the test.
pub struct Relay {
    pub url: String,
    path: Arc<Path>,
}

struct Path {
    server: SocketAddr,
    clock: Clock,
    faults: Faults,
    /// Transport and stamp of every harmed update.
    harmed: Mutex<Vec<(&'static str, Stamp)>>,
}

impl Relay {
    pub fn start(server: SocketAddr, clock: Clock, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port 0 is always free");
        let address = listener.local_addr().expect("it is bound");
        let path = Arc::new(Path {
            server,
            clock,
            faults,
            harmed: Mutex::default(),
        });
        let shared = path.clone();
        thread::spawn(move || {
            for (number, client) in listener.incoming().flatten().enumerate() {
                let path = shared.clone();
                // A connection that breaks ends; the program under test is what notices.
                thread::spawn(move || path.connection(number as u64, client));
            }
        });
        Self {
            url: format!("http://{address}"),
            path,
        }
    }

    /// When a transport's stall began.
    pub fn stalled_us(&self, transport: &str) -> Option<u64> {
        self.path.stall(transport)?.begun_us.get().copied()
    }

    /// How many updates of a transport were harmed, of those due in `[from_us, to_us)`.
    pub fn harmed(&self, transport: &str, from_us: u64, to_us: u64) -> u64 {
        let harmed = self.path.harmed.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = harmed
            .iter()
            .filter(|(of, stamp)| *of == transport && (from_us..to_us).contains(&stamp.due_us));
        counted.count() as u64
    }
}

impl Path {
    fn connection(&self, number: u64, mut client: TcpStream) -> std::io::Result<()> {
        let mut request = vec![0; 16 * 1024];
        let length = client.read(&mut request)?;
        let feed = asked_for(&request[..length]);
        if feed.is_some() {
            thread::sleep(self.faults.slow_accept);
        }
        let mut server = TcpStream::connect(self.server)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        server.write_all(&request[..length])?;
        let (mut asks, mut asked) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            // Either end may go at any time.
            let _ = copy(&mut asks, &mut asked);
            let _ = asked.shutdown(Shutdown::Write);
        });
        match feed {
            Some((transport, framing)) => self.feed(number, transport, framing, server, client),
            None => {
                copy(&mut server, &mut client)?;
                client.shutdown(Shutdown::Write)
            }
        }
    }

    /// Hands on what the server says, each unit when it is due.
    fn feed(
        &self,
        number: u64,
        transport: &'static str,
        framing: Framing,
        mut server: TcpStream,
        client: TcpStream,
    ) -> std::io::Result<()> {
        let clock = self.clock;
        let (queue, due) = mpsc::channel();
        thread::spawn(move || write(clock, client, due));
        let mut units = Units::new(framing);
        let mut harmed = self.faults.harm.map(|harm| Harmed::new(harm, number));
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = server.read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            let at_us = self.release_us(transport, clock.now_us());
            units.push(&buffer[..length]);
            while let Some(unit) = units.next() {
                let passed = match &mut harmed {
                    Some(harmed) => harmed.pass(unit),
                    None => vec![unit],
                };
                for unit in passed {
                    if queue.send((at_us, self.inflated(unit))).is_err() {
                        return Ok(());
                    }
                }
            }
            let mut done = self.harmed.lock().unwrap_or_else(PoisonError::into_inner);
            done.extend(
                harmed
                    .iter_mut()
                    .flat_map(|harmed| harmed.done.drain(..))
                    .map(|stamp| (transport, stamp)),
            );
        }
    }

    fn stall(&self, transport: &str) -> Option<&Stall> {
        self.faults.stalls.iter().find(|stall| stall.transport == transport)
    }

    /// When something that has come now is handed on.
    fn release_us(&self, transport: &str, now_us: u64) -> u64 {
        let mut release_us = now_us + self.faults.delay.as_micros() as u64;
        if let Some(stall) = self.stall(transport).filter(|stall| now_us >= stall.from_us) {
            let begun_us = *stall.begun_us.get_or_init(|| now_us);
            release_us = release_us.max(begun_us + stall.length.as_micros() as u64);
        }
        release_us
    }

    /// The unit with its longer head, as bytes.
    fn inflated(&self, unit: Unit) -> Vec<u8> {
        let Unit { head: mut bytes, body } = unit;
        if !bytes.is_empty() && self.faults.header_bytes > 0 {
            bytes.truncate(bytes.len() - 2);
            let (name, end) = ("x-ballast: ", "\r\n");
            let ballast = self.faults.header_bytes - name.len() - end.len();
            bytes.extend(format!("{name}{}{end}\r\n", "x".repeat(ballast)).into_bytes());
        }
        bytes.extend(body);
        bytes
    }
}

/// Writes each piece at its time, in order; closes when there is no more.
fn write(clock: Clock, mut client: TcpStream, due: mpsc::Receiver<(u64, Vec<u8>)>) {
    for (at_us, bytes) in due {
        let left = clock.until(at_us);
        if !left.is_zero() {
            thread::sleep(left);
        }
        if client.write_all(&bytes).is_err() {
            break;
        }
    }
    // Gone already, or told now.
    let _ = client.shutdown(Shutdown::Both);
}

/// The transport a request names; none for control calls.
fn asked_for(request: &[u8]) -> Option<(&'static str, Framing)> {
    const ALL: [(&str, Framing); 4] = [
        ("short-poll", Framing::Answers),
        ("long-poll", Framing::Answers),
        ("sse", Framing::Chunks),
        ("websocket", Framing::Frames),
    ];
    let path = request.strip_prefix(b"GET /feed/")?;
    ALL.into_iter().find(|(id, _)| {
        path.strip_prefix(id.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"?"))
    })
}
