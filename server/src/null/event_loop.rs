//! The one thread of the null server: sockets that can be read or written, and the bell that rings for every update.
//!
//! ```text
//! bell   -> Reader -> each update: a frame per framing -> write() to every stream of its topic, and of all topics
//!                     (the floor's sockets: one frame, written as it is, and nothing looked up or stamped between two writes)
//!                  -> the batch:   one answer per topic -> write() to every poll that is held
//! socket -> request -> the state it lacks -> stream | held poll | answered
//! ```
//!
//! A connection knows how far it has been served, and the loop how far it has handed out: where the connection is ahead (it came
//! between two batches), what it has is left out. So no update comes twice, and none is lost, as in [`crate::hub`].

mod hand_out;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Acquire},
    },
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, Waker, event::Event, net::TcpListener};
use slab::Slab;

use super::{
    connection::{Connection, End, Waits},
    frame::{Frame, sse_opening, websocket_opening},
    request::{self, Ask, Kind},
};
use crate::{
    http::FeedQuery,
    hub::{Entry, Filter, Hub, Reader},
    listen,
    stats::{GaugeGuard, Stats, TransportStats},
    transports::answer::POLL_BATCH,
    wire::Mode,
};

const LISTENER: Token = Token(usize::MAX);
const BELL: Token = Token(usize::MAX - 1);
/// Events taken from the kernel at once.
const EVENTS: usize = 1024;
/// How often held polls are looked at: one may be held so much too long.
const TICK: Duration = Duration::from_millis(250);
const CONNECTIONS_MAX: usize = 100_000;
const READ_BUFFER_BYTES: usize = 16 * 1024;

/// A socket that gets bare frames: nothing else needs to be looked up to write to it.
#[derive(Clone, Copy)]
struct FloorSocket {
    key: usize,
    /// Log offset up to which it was served when it came.
    held: u64,
}

pub struct EventLoop {
    poll: Poll,
    listener: TcpListener,
    connections: Slab<Connection>,
    /// Keys of the streams, each in one list: those of all topics first, then by topic.
    streams: Vec<Vec<usize>>,
    /// The same of the polls that are held.
    held: Vec<Vec<usize>>,
    /// The same of the floor's sockets.
    floors: Vec<Vec<FloorSocket>>,
    hub: Arc<Hub>,
    /// How far updates have been handed out.
    reader: Reader,
    stats: Arc<Stats>,
    counts: [Arc<TransportStats>; Kind::ALL.len()],
    stopped: Arc<AtomicBool>,
    buffer: Vec<u8>,
}

impl EventLoop {
    pub fn new(address: SocketAddr, hub: Arc<Hub>, stats: Arc<Stats>, stopped: Arc<AtomicBool>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::from_std(listen::bind_std(address)?);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let mut reader = Reader::open(hub.clone(), Filter::All, Mode::Every, None);
        // The state so far is for those who come: nobody is here yet.
        reader.read(POLL_BATCH);
        let lists = hub.topics().len() + 1;
        Ok(Self {
            poll,
            listener,
            connections: Slab::new(),
            streams: vec![Vec::new(); lists],
            held: vec![Vec::new(); lists],
            floors: vec![Vec::new(); lists],
            reader,
            counts: Kind::ALL.map(|kind| stats.transport(kind.id())),
            hub,
            stats,
            stopped,
            buffer: vec![0; READ_BUFFER_BYTES],
        })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Rings the bell; there must be one only.
    pub fn waker(&self) -> io::Result<Arc<Waker>> {
        Ok(Arc::new(Waker::new(self.poll.registry(), BELL)?))
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// When it hands out more slowly than the feed publishes, so that updates have left the log; when the kernel refuses to poll.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut next_tick = Instant::now() + TICK;
        while !self.stopped.load(Acquire) {
            if let Err(error) = self.poll.poll(&mut events, Some(TICK))
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error);
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(),
                    BELL => self.hand_out()?,
                    Token(key) => self.serve(key, event),
                }
            }
            let now = Instant::now();
            if now >= next_tick {
                next_tick = now + TICK;
                self.expire(now);
                // A failed accept() is not announced again.
                self.accept();
            }
        }
        Ok(())
    }

    fn accept(&mut self) {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    tracing::warn!(%error, "null server: accept failed");
                    return;
                }
            };
            if self.connections.len() >= CONNECTIONS_MAX {
                self.stats.connections_refused.inc();
                continue;
            }
            let entry = self.connections.vacant_entry();
            let interest = Interest::READABLE | Interest::WRITABLE;
            let ready = stream
                .set_nodelay(true)
                .and_then(|()| self.poll.registry().register(&mut stream, Token(entry.key()), interest));
            // A peer that has gone already is nobody's error.
            if ready.is_ok() {
                self.stats.connections_total.inc();
                entry.insert(Connection::new(stream, GaugeGuard::new(&self.stats.connections)));
            }
        }
    }

    /// What one socket has to say, or takes again.
    fn serve(&mut self, key: usize, event: &Event) {
        if let Err(end) = self.try_serve(key, event) {
            if let Some(waits) = self.connections[key].waits {
                let list = list(waits.query.filter);
                for keys in [&mut self.streams[list], &mut self.held[list]] {
                    keys.retain(|one| *one != key);
                }
                self.floors[list].retain(|one| one.key != key);
            }
            ended(&mut self.connections, key, end, &self.stats);
        }
    }

    fn try_serve(&mut self, key: usize, event: &Event) -> Result<(), End> {
        // It may have ended by an event before this one.
        let Some(connection) = self.connections.get_mut(key) else {
            return Ok(());
        };
        if event.is_writable() {
            connection.flush()?;
        }
        if event.is_readable() {
            connection.read(&mut self.buffer)?;
        }
        loop {
            let connection = &mut self.connections[key];
            if connection.waits.is_some() || connection.last {
                return Ok(());
            }
            match request::parse(&connection.unread, &self.hub) {
                Ok(None) => return Ok(()),
                Ok(Some((length, ask))) => {
                    connection.unread.drain(..length);
                    self.answer(key, ask)?;
                }
                Err(request::NotUnderstood) => return Err(End::Closed),
            }
        }
    }

    /// Answers a request as its transport does: with a stream, or with what there is, or later.
    fn answer(&mut self, key: usize, ask: Ask) -> Result<(), End> {
        self.counts[ask.kind as usize].requests.inc();
        match ask.kind {
            Kind::ShortPoll | Kind::LongPoll => self.answer_poll(key, ask.kind, ask.query, ask.close),
            Kind::Sse => self.open_stream(key, &ask, &sse_opening(), Frame::sse),
            Kind::WebSocket => self.open_stream(key, &ask, &websocket_opening(&ask.accept), Frame::websocket),
            Kind::Floor => self.open_stream(key, &ask, &[], Frame::floor),
        }
    }

    /// Writes what a stream begins with, and what it lacks so far.
    fn open_stream(&mut self, key: usize, ask: &Ask, opening: &[u8], frame: fn(&Entry) -> Frame) -> Result<(), End> {
        let connection = &mut self.connections[key];
        connection.write(opening)?;
        let mut reader = ask.query.reader(&self.hub);
        loop {
            let batch = reader.read(POLL_BATCH);
            if batch.reset.is_some() {
                return Err(End::Closed);
            }
            self.counts[ask.kind as usize].count(&batch);
            for entry in &batch.updates {
                connection.write(frame(entry).at(self.hub.clock.now_us()))?;
            }
            if !batch.more {
                break;
            }
        }
        connection.waits = Some(Waits {
            kind: ask.kind,
            query: ask.query,
            held: reader.cursor(),
            until: None,
            close: false,
        });
        let list = list(ask.query.filter);
        match ask.kind {
            Kind::Floor => self.floors[list].push(FloorSocket {
                key,
                held: reader.cursor().offset,
            }),
            _ => self.streams[list].push(key),
        }
        Ok(())
    }

    /// Answers a poll, or holds a long one that there is nothing for.
    fn answer_poll(&mut self, key: usize, kind: Kind, query: FeedQuery, close: bool) -> Result<(), End> {
        let connection = &mut self.connections[key];
        let mut reader = query.reader(&self.hub);
        let batch = reader.read(POLL_BATCH);
        if batch.reset.is_some() {
            return Err(End::Closed);
        }
        if kind == Kind::LongPoll && batch.is_empty() && query.since.is_some() {
            connection.waits = Some(Waits {
                kind,
                query,
                held: reader.cursor(),
                until: Some(Instant::now() + query.wait),
                close,
            });
            self.held[list(query.filter)].push(key);
            return Ok(());
        }
        self.counts[kind as usize].count(&batch);
        connection.last = close;
        let mut answer = Frame::answer(&batch, reader.cursor(), close);
        connection.write(answer.at(self.hub.clock.now_us()))
    }
}

fn list(filter: Filter) -> usize {
    match filter {
        Filter::All => 0,
        Filter::Topic(topic) => 1 + topic,
    }
}

fn ended(connections: &mut Slab<Connection>, key: usize, end: End, stats: &Stats) {
    connections.remove(key);
    if end == End::TooSlow {
        stats.write_stalls.inc();
    }
}
