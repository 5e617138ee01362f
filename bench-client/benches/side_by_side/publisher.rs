//! Publishes to Nchan what our server's feed publishes to its hub: updates of the same shape and size, on the same kind of schedule.
//!
//! ```text
//! due time (first + k/rate) -> encode, by our server's own function -> POST on one kept connection -> its answer -> the next
//! ```
//!
//! Late, it sends at once and moves nothing after it. It runs in the bench's process: its CPU is not nginx's.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, bail};
use parking_lot::Mutex;
use server::{clock::Clock, hub::encode, wire::Update};

use super::servers::TOPIC;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_MAX_BYTES: usize = 16 * 1024;
/// How long it sleeps at most before it looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// A running publisher; dropped, it stops.
pub struct Publisher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    clock: Clock,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Due time of each update that was taken, in order of seq, which begins at 1.
    due_us: Mutex<Vec<u64>>,
    error: Mutex<Option<String>>,
}

impl Publisher {
    pub fn start(
        address: SocketAddr,
        clock: Clock,
        first_us: u64,
        rate_hz: f64,
        update_bytes: u32,
    ) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let work = move || {
            for seq in 1.. {
                let due_us = first_us + ((seq - 1) as f64 * 1e6 / rate_hz) as u64;
                while clock.now_us() < due_us {
                    if own.stop.load(Relaxed) {
                        return;
                    }
                    std::thread::sleep(clock.until(due_us).min(LOOK));
                }
                let json = update(seq, due_us, clock, update_bytes);
                if let Err(error) = post(&mut stream, &json) {
                    *own.error.lock() = Some(format!("{error:#}"));
                    return;
                }
                own.due_us.lock().push(due_us);
                if own.stop.load(Relaxed) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("publisher".into()).spawn(work)?;
        Ok(Self {
            shared,
            thread: Some(thread),
            clock,
        })
    }

    /// Seq and due time of what was due in the range; None while some of it may still come.
    pub fn published(&self, from_us: u64, to_us: u64) -> anyhow::Result<Option<Vec<(u32, u64)>>> {
        if let Some(error) = &*self.shared.error.lock() {
            bail!("Nchan's publisher: {error}");
        }
        let due_us = self.shared.due_us.lock();
        // One that is due later has been taken, so nothing is missing before it.
        let complete = due_us.last().is_some_and(|last| *last >= to_us) && self.clock.now_us() >= to_us;
        let lines = (1..).zip(due_us.iter().copied());
        let lines = lines.filter(|(_, due_us)| (from_us..to_us).contains(due_us));
        Ok(complete.then(|| lines.collect()))
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.shared.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic was printed by the thread.
            let _ = thread.join();
        }
    }
}

/// An update as our feed would publish it.
fn update(seq: u64, due_us: u64, clock: Clock, update_bytes: u32) -> bytes::Bytes {
    let update = Update {
        topic: TOPIC.into(),
        epoch: clock.now_us() / 1_000,
        offset: seq,
        seq,
        due_us,
        sent_us: clock.now_us(),
        home: "Torvik".into(),
        away: "Åkerby".into(),
        home_score: 1,
        away_score: 0,
        minute: 23,
        event: "shot".into(),
        player: "Lunde".into(),
        pad: None,
    };
    encode(update, Some(update_bytes as usize))
}

fn post(stream: &mut TcpStream, json: &[u8]) -> anyhow::Result<()> {
    let mut request = format!(
        "POST /pub?topic={TOPIC} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        json.len()
    )
    .into_bytes();
    request.extend_from_slice(json);
    stream.write_all(&request)?;
    let mut answer = [0; ANSWER_MAX_BYTES];
    let mut held = 0;
    loop {
        let read = stream.read(&mut answer[held..])?;
        if read == 0 {
            bail!("nginx closed the publisher's connection, or its answer is too long");
        }
        held += read;
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = head.parse(&answer[..held])? else {
            continue;
        };
        if !matches!(head.code, Some(201 | 202)) {
            bail!("an update was answered with status {}", head.code.unwrap_or(0));
        }
        let named = head
            .headers
            .iter()
            .find(|one| one.name.eq_ignore_ascii_case("content-length"));
        let body = named.and_then(|one| std::str::from_utf8(one.value).ok()?.parse::<usize>().ok());
        if held >= length + body.context("an answer without a content-length")? {
            return Ok(());
        }
    }
}
