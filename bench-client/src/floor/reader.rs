//! One thread of the floor's clients: a bare loop around epoll, and no task, timer or buffer per client.
//!
//! ```text
//! epoll -> the pinger's byte -> Lags          (asked as every other thread of clients, by a socket among the others)
//!       -> a socket of a client -> read() into the one buffer -> client.rs
//! ```

use std::{
    io::Read,
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use anyhow::Context;
use mio::{Events, Interest, Poll, Token};
use server::probe::Lags;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Following};
use crate::{
    fleet::CONNECTS_AT_ONCE,
    net::{CONNECT_TIMEOUT, Net},
    virtual_client::ClientLog,
};

/// Events taken from the kernel at once.
const EVENTS: usize = 1_024;
/// Shared by all clients of the thread: more than arrives between two turns, so that one read empties a socket.
const BUFFER_BYTES: usize = 64 * 1_024;
/// Room for a second of pings.
const PINGS_BYTES: usize = 512;
/// How often it looks whether it is to stop, and whether a connect takes too long. The pinger wakes it far more often.
const TICK: Duration = Duration::from_millis(50);
/// The pinger's, beside the clients' own.
const EAR: Token = Token(usize::MAX);

/// Runs these clients, each from its time on, until it is told to stop; returns what each noted.
///
/// # Errors
/// Where the kernel gives no epoll or refuses to wait.
pub fn run(
    clients: Vec<(Duration, Client)>,
    ear: UnixStream,
    lags: &Lags,
    net: &Net,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<ClientLog>> {
    let mut poll = Poll::new().context("no epoll for the clients")?;
    ear.set_nonblocking(true).context("the pinger's socket")?;
    let mut ear = Ear {
        stream: mio::net::UnixStream::from_std(ear),
        bytes: [0; PINGS_BYTES],
        held: 0,
    };
    poll.registry()
        .register(&mut ear.stream, EAR, Interest::READABLE)
        .context("the pinger's socket")?;
    let (waits, mut all): (Vec<Duration>, Vec<Following>) = clients
        .into_iter()
        .map(|(wait, client)| (wait, Following::new(client)))
        .unzip();
    let mut events = Events::with_capacity(EVENTS);
    let mut buffer = vec![0; BUFFER_BYTES];
    let started = Instant::now();
    // Clients that have begun; of these, those without a session.
    let (mut begun, mut opening) = (0, 0);
    let mut looked = started;
    while !stop.is_cancelled() {
        let mut wait = TICK;
        while opening < CONNECTS_AT_ONCE
            && let Some(turn) = waits.get(begun)
        {
            let left = turn.saturating_sub(started.elapsed());
            if !left.is_zero() {
                wait = wait.min(left);
                break;
            }
            all[begun].begin(net, poll.registry(), Token(begun));
            opening += usize::from(all[begun].is_opening());
            begun += 1;
        }
        match poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error).context("epoll"),
            _ => {}
        }
        for event in &events {
            match event.token() {
                EAR => ear.listen(net, lags),
                Token(index) => {
                    let was_opening = all[index].is_opening();
                    all[index].ready(net, event, &mut buffer);
                    opening -= usize::from(was_opening && !all[index].is_opening());
                }
            }
        }
        if opening > 0 && looked.elapsed() >= TICK {
            looked = Instant::now();
            let before_us = net.clock.now_us() - CONNECT_TIMEOUT.as_micros() as u64;
            all.iter_mut().for_each(|one| one.too_late(net, before_us));
            opening = all.iter().filter(|one| one.is_opening()).count();
        }
    }
    // Whoever reads the counters next finds every socket closed.
    Ok(all.into_iter().map(|one| one.log).collect())
}

/// The end of a socket pair that the pinger writes to.
struct Ear {
    stream: mio::net::UnixStream,
    bytes: [u8; PINGS_BYTES],
    /// Of a ping that is not whole yet.
    held: usize,
}

impl Ear {
    fn listen(&mut self, net: &Net, lags: &Lags) {
        // What fails, or has ended, is a probe without answers, and the row says so.
        while let Ok(read @ 1..) = self.stream.read(&mut self.bytes[self.held..]) {
            self.held += read;
            let heard = lags.hear(&self.bytes[..self.held], net.clock.now_us());
            self.bytes.copy_within(heard..self.held, 0);
            self.held -= heard;
        }
    }
}
