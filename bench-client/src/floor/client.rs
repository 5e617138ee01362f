//! One client of the floor: a socket, the request it begins with, and what it noted.
//!
//! ```text
//! begin() -> Connecting -(writable)-> Asking (the request leaves) -> Open: read -> frames -> decode -> ClientLog
//!                    `- refused, cut, not understood -> Gone: an error, and it stays away
//! ```
//!
//! It notes what a [`crate::virtual_client::VirtualClient`] notes. What it leaves out: coming back, resuming, leaving.

use std::{
    io, mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use hdrhistogram::Histogram;
use http::HeaderMap;
use mio::{Interest, Registry, Token, event::Event};
use parking_lot::Mutex;

use super::{ID, frames::Frames};
use crate::{
    net::{
        Net,
        bare::{Bare, Connecting, Received},
        count,
    },
    transports::{
        Endpoint, SessionError,
        decode::Decoder,
        http::{encode, get_request},
    },
    virtual_client::{ClientLog, kind},
};

/// What a client is made of.
pub struct Client {
    pub index: u32,
    pub topic: Option<u32>,
    pub endpoint: Arc<Endpoint>,
    /// Log offset of the newest update held, for the drain.
    pub position: Arc<AtomicU64>,
    /// Latencies for the progress line; only a sample of the clients has one.
    pub live: Option<Arc<Mutex<Histogram<u64>>>>,
}

/// A client within its reader.
pub struct Following {
    client: Client,
    state: State,
    frames: Frames,
    decoder: Decoder,
    /// When connect() started, µs since 1970.
    started_us: u64,
    pub log: ClientLog,
}

enum State {
    /// Its turn to connect has not come, or it is over for good.
    Away,
    Connecting(Connecting),
    /// So much of the request has left.
    Asking(Bare, Vec<u8>, usize),
    Open(Bare),
}

impl Following {
    pub fn new(client: Client) -> Self {
        let log = ClientLog {
            client: client.index,
            topic: client.topic,
            ..ClientLog::default()
        };
        Self {
            decoder: Decoder::new(client.endpoint.topics.clone()),
            client,
            state: State::Away,
            frames: Frames::default(),
            started_us: 0,
            log,
        }
    }

    /// Whether it has begun and has no session yet.
    pub fn is_opening(&self) -> bool {
        matches!(self.state, State::Connecting(_) | State::Asking(..))
    }

    /// Starts connect().
    pub fn begin(&mut self, net: &Net, registry: &Registry, token: Token) {
        self.started_us = net.clock.now_us();
        let begun = net
            .connect_bare(self.client.endpoint.address)
            .and_then(|mut connecting| {
                registry.register(connecting.source(), token, Interest::READABLE | Interest::WRITABLE)?;
                Ok(connecting)
            });
        match begun {
            Ok(connecting) => self.state = State::Connecting(connecting),
            Err(error) => self.gone(net, &error.into()),
        }
    }

    /// Goes on with what the socket allows now.
    pub fn ready(&mut self, net: &Net, event: &Event, buffer: &mut [u8]) {
        let result = match self.is_opening() {
            true => self.open(net),
            false => Ok(()),
        };
        // An edge is told once: what came while it was opening is read here.
        let result = result.and_then(|()| self.read(net, event.is_read_closed(), buffer));
        if let Err(error) = result {
            self.gone(net, &error);
        }
    }

    /// It has been opening since before this: gives up.
    pub fn too_late(&mut self, net: &Net, before_us: u64) {
        if self.is_opening() && self.started_us < before_us {
            let error = io::Error::new(io::ErrorKind::TimedOut, "no connection in time");
            self.gone(net, &error.into());
        }
    }

    fn open(&mut self, net: &Net) -> Result<(), SessionError> {
        self.state = match mem::replace(&mut self.state, State::Away) {
            State::Connecting(connecting) => match connecting.finish(net)? {
                Ok(bare) => State::Asking(bare, request(&self.client.endpoint)?, 0),
                Err(connecting) => State::Connecting(connecting),
            },
            other => other,
        };
        let State::Asking(bare, request, sent) = &mut self.state else {
            return Ok(());
        };
        *sent += bare.send(net, &request[*sent..])?;
        if *sent < request.len() {
            return Ok(());
        }
        count(&net.counters.requests, 1);
        // No head answers it: a client that has asked is one that is served, from the next update on.
        count(&net.counters.connected, 1);
        count(&net.counters.setup_bytes, request.len() as u64);
        self.log.connect_us = Some(net.clock.now_us() - self.started_us);
        if let State::Asking(bare, ..) = mem::replace(&mut self.state, State::Away) {
            self.state = State::Open(bare);
        }
        Ok(())
    }

    /// Takes everything the socket has. `closed`: the end of the stream was announced, and is behind what can be read.
    fn read(&mut self, net: &Net, closed: bool, buffer: &mut [u8]) -> Result<(), SessionError> {
        let State::Open(bare) = &self.state else { return Ok(()) };
        loop {
            let (bytes, at_us) = match bare.receive(net, buffer)? {
                Received::Bytes { bytes, at_us } => (bytes, at_us),
                Received::Nothing => return Ok(()),
                Received::End => return Err(SessionError::Ended),
            };
            let (client, decoder) = (&self.client, &mut self.decoder);
            let (log, started_us) = (&mut self.log, self.started_us);
            let (mut updates, mut newest) = (0, None);
            let split = self.frames.split(&buffer[..bytes], |text| {
                let arrival = decoder.update(text, at_us)?;
                // Nothing is reset or resumed here.
                let kind = kind(&arrival, false, None, (0, started_us));
                log.note(&arrival, kind, client.live.as_deref());
                updates += 1;
                newest = Some(arrival.cursor.offset);
                Ok(())
            });
            count(&net.counters.updates, updates);
            if let Some(newest) = newest {
                client.position.store(newest, Relaxed);
            }
            split?;
            // A read that leaves room has emptied the socket (epoll(7)).
            if bytes < buffer.len() && !closed {
                return Ok(());
            }
        }
    }

    fn gone(&mut self, net: &Net, error: &SessionError) {
        self.state = State::Away;
        count(&net.counters.errors, 1);
        self.log.errors.push(error.to_string());
    }
}

/// The request as it stands on the wire: what HTTP/1.1 demands and nothing more.
pub fn request(endpoint: &Endpoint) -> Result<Vec<u8>, SessionError> {
    get_request(endpoint, &endpoint.target(ID, None), &HeaderMap::new()).map(|request| encode(&request))
}
