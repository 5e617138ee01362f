//! One simulated client: connects, follows its session, comes back when it is cut, and notes every update it gets. With churn it leaves
//! by itself, stays away, and resumes where it stood.
//!
//! ```text
//! connect -> follow --(leaves)--> away -> connect, with its cursor
//!                   `-(cut)-----> pause -'
//! ```
//!
//! It judges nothing: what it noted is compared with the publish log afterwards (see [`crate::tally`]).

pub mod counted;
mod pauses;

use std::{
    collections::HashSet,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use server::wire::Cursor;

use crate::{
    net::{Net, count},
    record::Churn,
    transports::{Arrival, Arrivals, ClientTransport, Endpoint, SessionError},
};
use counted::Counted;
use pauses::Pauses;

/// Errors a client keeps in words; the rest are only counted.
const ERRORS_KEPT: usize = 3;

/// An update as one client got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub received_us: u64,
    pub due_us: u64,
    pub seq: u64,
    pub topic: u32,
    pub bytes: u32,
    pub home_score: u16,
    pub away_score: u16,
    /// Result of a shoot-out, home side first, in the update that tells it. Two bytes: it fits where nothing stood.
    pub shootout: Option<[u8; 2]>,
    pub kind: Kind,
}

impl Receipt {
    /// What is noted of an update that came.
    fn of(arrival: &Arrival, kind: Kind) -> Self {
        Self {
            received_us: arrival.received_us,
            due_us: arrival.due_us,
            seq: arrival.seq,
            topic: arrival.topic,
            bytes: arrival.bytes,
            home_score: arrival.home_score,
            away_score: arrival.away_score,
            shootout: arrival.shootout,
            kind,
        }
    }
}

/// How a receipt came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Published while the session was open.
    Live,
    /// The newest state at the start of a session that did not resume.
    Initial,
    /// Due while the client was away: after the last session ended, and before the one that resumed was opened.
    CatchUp,
    /// The newest state after a reset: what lies between was lost aloud.
    AfterReset,
}

/// Everything one client noted.
#[derive(Debug, Default)]
pub struct ClientLog {
    pub client: u32,
    /// The one topic it follows; None is all.
    pub topic: Option<u32>,
    /// In order of arrival; none of a client that only counts them.
    pub receipts: Vec<Receipt>,
    /// Where receipts go instead, and with them what would grow with time; None: they are noted.
    pub counted: Option<Counted>,
    /// From the start of connect() to the first session that delivers.
    pub connect_us: Option<u64>,
    /// When connect() started, µs since 1970, of each session that resumed and was not reset.
    pub resumes_us: Vec<u64>,
    /// The first errors in words.
    pub errors: Vec<String>,
}

impl ClientLog {
    /// Notes an update that came. Where it is also sampled for the progress line, `live` takes its latency.
    pub fn note(&mut self, arrival: &Arrival, kind: Kind, live: Option<&Mutex<Histogram<u64>>>) {
        let receipt = Receipt::of(arrival, kind);
        match &mut self.counted {
            None => self.receipts.push(receipt),
            Some(counted) => counted.take(&receipt),
        }
        if let (Some(live), Kind::Live) = (live, kind) {
            live.lock()
                .saturating_record(receipt.received_us.saturating_sub(receipt.due_us));
        }
    }

    /// Receipts so far.
    fn received(&self) -> u64 {
        match &self.counted {
            None => self.receipts.len() as u64,
            Some(counted) => counted.receipts(),
        }
    }
}

/// What a client is made of.
pub struct VirtualClient {
    pub index: u32,
    pub topic: Option<u32>,
    pub transport: &'static ClientTransport,
    pub endpoint: Arc<Endpoint>,
    /// Log offset of the newest update held, for the drain.
    pub position: Arc<AtomicU64>,
    /// Latencies for the progress line; only a sample of the clients has one.
    pub live: Option<Arc<Mutex<Histogram<u64>>>>,
    pub seed: u64,
    /// The server is restarted within the row.
    pub restarts: bool,
    /// Whether it leaves by itself and comes back.
    pub churn: Option<Churn>,
    /// Half of each pause before it tries again is random, as clients do that mean to spare the server.
    pub backoff_jitter: bool,
}

/// How a session ended.
enum End {
    Cut(SessionError),
    /// The client closed it: no error of anyone's.
    Left,
}

impl VirtualClient {
    /// Runs until dropped; what it has noted so far is always in `log`. Whose log it is says whoever began it: a client that is dropped
    /// before its turn has one too.
    pub async fn run(self, net: Net, gate: Arc<tokio::sync::Semaphore>, log: &mut ClientLog) {
        let mut cursor = None;
        // When the last session that brought anything ended.
        let mut gone_us = 0;
        let mut pauses = Pauses::new(self.seed ^ u64::from(self.index), self.churn, self.backoff_jitter);
        let mut failures = 0;
        loop {
            let before = log.received();
            let stay = pauses.stay();
            let end = self.session(&net, &gate, (&mut cursor, gone_us), stay, log).await;
            if log.received() > before {
                gone_us = net.clock.now_us();
            }
            let error = match end {
                End::Cut(error) => error,
                End::Left => {
                    count(&net.counters.leaves, 1);
                    failures = 0;
                    net.away(pauses.away()).await;
                    continue;
                }
            };
            count(&net.counters.errors, 1);
            if self.restarts {
                // What it holds is the old server's: until the new one has told it something, it is not where the drain waits for it.
                self.position.store(0, Relaxed);
            }
            if let Some(counted) = &log.counted {
                counted.failed(&error);
            }
            if log.errors.len() < ERRORS_KEPT {
                log.errors.push(error.to_string());
            }
            // A session that delivered starts the pauses over.
            failures = if log.received() > before { 0 } else { failures + 1 };
            tokio::time::sleep(pauses.backoff(failures)).await;
        }
    }

    /// One session, from connect to its end. The stay counts from when it delivers: who is still connecting does not leave.
    async fn session(
        &self,
        net: &Net,
        gate: &tokio::sync::Semaphore,
        (cursor, gone_us): (&mut Option<Cursor>, u64),
        stay: Option<Duration>,
        log: &mut ClientLog,
    ) -> End {
        let again = log.connect_us.is_some();
        // Bounds the connects of the ramp: it is to fill a server, not to try it. Who comes back waits for nobody, as in the world; what an
        // accept queue that overflows then costs (a SYN is sent again after a second) is in the connect latency, and `listen-overflows`.
        let turn = match again {
            false => gate.acquire().await.ok(),
            true => None,
        };
        let started_us = net.clock.now_us();
        let resumed = *cursor;
        let mut session = match (self.transport.open)(net, &self.endpoint, resumed).await {
            Ok(session) => session,
            Err(error) => return End::Cut(error),
        };
        drop(turn);
        let _open = log.counted.as_ref().map(Counted::session);
        count(
            if again {
                &net.counters.reconnects
            } else {
                &net.counters.connected
            },
            1,
        );
        if !again {
            // What it takes to begin; how long coming back takes is another figure.
            log.connect_us = Some(net.clock.now_us() - started_us);
            count(&net.counters.setup_bytes, session.setup_bytes());
        }
        if resumed.is_some() && log.counted.is_none() {
            log.resumes_us.push(started_us);
        }
        let mut leave = pin!(net.leave(stay));
        let mut nothing_yet = true;
        let mut arrivals = Arrivals::default();
        // Topics whose newest state a reset announced and which has not come yet: a push sends it in messages of its own.
        let mut awaited = HashSet::new();
        loop {
            arrivals.clear();
            let next = tokio::select! {
                biased;
                next = session.next(&mut arrivals) => next,
                // What was half read is not held, and asked for again.
                // Who holds nothing yet has no place to come back to, and would miss what is published meanwhile: it stays until it has.
                () = &mut leave, if log.received() > 0 => return End::Left,
            };
            if arrivals.reset {
                if nothing_yet && resumed.is_some() {
                    // The server could not go on from there: it was no resume.
                    log.resumes_us.pop();
                }
                awaited.extend(self.followed());
            }
            for arrival in &arrivals.updates {
                let reset = !awaited.is_empty() && awaited.remove(&arrival.topic);
                let kind = kind(arrival, reset, resumed, (gone_us, started_us));
                log.note(arrival, kind, self.live.as_deref());
            }
            nothing_yet &= arrivals.updates.is_empty() && !arrivals.reset;
            count(&net.counters.updates, arrivals.updates.len() as u64);
            *cursor = session.cursor();
            if let Some(newest) = arrivals.updates.last() {
                self.position.store(newest.cursor.offset, Relaxed);
            }
            if let Err(error) = next {
                return End::Cut(error);
            }
        }
    }

    /// Indexes of the topics it follows.
    fn followed(&self) -> Vec<u32> {
        self.topic
            .map_or_else(|| self.endpoint.topics.values().copied().collect(), |topic| vec![topic])
    }
}

/// What was due while a client was away it catches up. What was due before, when it had not asked yet, waited for it like anything a
/// poller waits for, and longer: it is no catching up, or leaving would spare pollers their longest waits.
pub(crate) fn kind(arrival: &Arrival, reset: bool, resumed: Option<Cursor>, (gone_us, started_us): (u64, u64)) -> Kind {
    match (reset, resumed) {
        (true, _) => Kind::AfterReset,
        (false, None) if arrival.due_us < started_us => Kind::Initial,
        (false, Some(_)) if (gone_us..started_us).contains(&arrival.due_us) => Kind::CatchUp,
        _ => Kind::Live,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_due_while_a_client_was_away_is_caught_up() {
        let cursor = Cursor { epoch: 1, offset: 1 };
        let due = |due_us| Arrival {
            received_us: 9_000,
            due_us,
            cursor,
            seq: 1,
            topic: 0,
            bytes: 1,
            home_score: 0,
            away_score: 0,
            shootout: None,
        };
        let away = (2_000, 5_000);
        let kinds = [1_999, 2_000, 4_999, 5_000].map(|due_us| kind(&due(due_us), false, Some(cursor), away));
        assert_eq!(kinds, [Kind::Live, Kind::CatchUp, Kind::CatchUp, Kind::Live]);
        assert_eq!(kind(&due(1_999), false, None, (0, 5_000)), Kind::Initial);
        assert_eq!(kind(&due(1_999), true, Some(cursor), away), Kind::AfterReset);
    }
}
