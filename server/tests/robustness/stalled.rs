//! One reader in a hundred stalls: the others notice nothing, the server keeps no queue for it, and it is told what it lost.
//!
//! ```text
//! feed -> hub -> 1,000 who read one topic each      their latency, with and without the stalled
//!             `-> 10 who follow all of it and take nothing     memory, then a reset, then the newest state
//! ```

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    figure,
    peer::{Contiguous, Peer, STREAMS, Said, many},
    process::Server,
    support::{counter, raw::Raw, soon, until},
};

const CLIENTS: usize = 1_000;
const STALLED: usize = CLIENTS / 100;
const TOPICS: usize = 100;
/// 1 MB/s for one who follows all. The log holds six seconds of it, so that a machine that is busy elsewhere makes nobody else fall out.
const FEED: &str = "--rate 5 --topics 100 --payload 2048 --log-updates 30 --heartbeat 60 --write-timeout 60";

/// What the server may hold for one that takes nothing: a batch of 64 KiB in the log's form and again as framed, the update that
/// exceeds it, hyper's 16 KiB, and the session itself.
const STALLED_MAX_BYTES: u64 = 192 << 10;
/// More than kernel and server take for one that does not read (400 KB): once the log has lost so many after it stalled, so has it.
const TAKEN_MAX_UPDATES: u64 = 200;
/// In which the stalled fill what there is to fill.
const FILL: Duration = Duration::from_secs(2);

/// (due, latency) of what one client got, µs.
type Noted = Arc<Mutex<Vec<(u64, i64)>>>;

/// A server with a thousand clients that follow a topic each.
struct Crowd {
    server: Server,
    noted: Vec<Noted>,
    following: Vec<tokio::task::JoinHandle<()>>,
    /// Due time of the newest update of one of them, µs.
    newest: watch::Receiver<u64>,
}

impl Crowd {
    async fn gather() -> Self {
        let server = Server::start(FEED).await;
        let (address, clock) = (server.address, server.clock);
        let (tell, newest) = watch::channel(0);
        let crowd = many(CLIENTS, move |index| {
            let tell = tell.clone();
            async move {
                let id = STREAMS[index % 2];
                let topic = format!("topic=match-{}", index / 2 % TOPICS + 1);
                let mut peer = Peer::connect(id, address, &topic).await;
                let noted = Noted::default();
                let notes = noted.clone();
                let following = tokio::spawn(async move {
                    let mut order = Contiguous::default();
                    loop {
                        for said in peer.next().await {
                            order.check(id, &said);
                            if let Said::Update { due_us, .. } = said {
                                notes.lock().push((due_us, clock.now_us() as i64 - due_us as i64));
                                if index == 0 {
                                    tell.send_replace(due_us);
                                }
                            }
                        }
                    }
                });
                (noted, following)
            }
        })
        .await;
        let (noted, following) = crowd.into_iter().unzip();
        Self {
            server,
            noted,
            following,
            newest,
        }
    }

    /// Waits until everyone's updates that were due by then have come for the one who tells.
    async fn until(&mut self, at_us: u64) {
        let newest = self.newest.wait_for(|&due_us| due_us >= at_us);
        soon("the feed goes on", newest).await.expect("it is followed");
    }

    async fn pass(&mut self, time: Duration) -> (u64, u64) {
        let from_us = self.server.clock.now_us();
        let to_us = from_us + time.as_micros() as u64;
        self.until(to_us).await;
        (from_us, to_us)
    }

    /// 99 % of what was due then came within this, ms.
    fn p99_ms(&self, (from_us, to_us): (u64, u64)) -> f64 {
        let mut latencies: Vec<i64> = Vec::new();
        for noted in &self.noted {
            let noted = noted.lock();
            let due_then = noted.iter().filter(|(due_us, _)| (from_us..to_us).contains(due_us));
            latencies.extend(due_then.map(|(_, latency_us)| latency_us));
        }
        assert!(latencies.len() > CLIENTS, "the window holds next to nothing");
        latencies.sort_unstable();
        latencies[(latencies.len() * 99).div_ceil(100) - 1] as f64 / 1_000.0
    }

    /// Opens those who follow everything, and take nothing from the first byte.
    async fn join(&self) -> Vec<Peer> {
        let mut joined = Vec::new();
        for index in 0..STALLED {
            let raw = Raw::connect_narrow(self.server.address).await;
            joined.push(Peer::open(STREAMS[index % 2], raw, "topic=all").await);
        }
        joined
    }

    fn assert_nobody_missed_anything(&self) {
        let ended = self.following.iter().filter(|one| one.is_finished()).count();
        assert_eq!(ended, 0, "{ended} of {CLIENTS} had a gap, a reset or an end");
    }
}

/// A phase without them.
async fn without_stalled(crowd: &mut Crowd, window: Duration) -> f64 {
    crowd.pass(FILL).await;
    let window = crowd.pass(window).await;
    crowd.p99_ms(window)
}

/// A phase in which one in a hundred takes nothing; then it reads again. Returns with the latency how much the server grew, bytes.
async fn with_stalled(crowd: &mut Crowd, window: Duration) -> (f64, i64) {
    let before = crowd.server.stats().await;
    let rss_before = crowd.server.rss_bytes();
    let stalled = crowd.join().await;
    crowd.pass(FILL).await;
    let window = crowd.pass(window).await;
    let p99_ms = crowd.p99_ms(window);
    let grown = crowd.server.rss_bytes() as i64 - rss_before as i64;
    assert!(
        grown <= (STALLED as u64 * STALLED_MAX_BYTES) as i64,
        "{grown} bytes for {STALLED} stalled"
    );
    let lost = before["log"]["last_offset"].as_u64().expect("an offset") + TAKEN_MAX_UPDATES;
    until("the stalled have fallen out of the log", async || {
        crowd.server.stats().await["log"]["evicted_through"].as_u64() > Some(lost)
    })
    .await;
    for mut peer in stalled {
        let (mut reset, id) = (false, peer.id);
        soon("the reset is told", async {
            while !reset {
                reset = peer.next().await.contains(&Said::Reset);
            }
            peer.first_update().await;
        })
        .await;
        assert!(reset, "{id}");
    }
    let after = crowd.server.stats().await;
    for id in STREAMS {
        let more = |name| counter(&after, id, name) - counter(&before, id, name);
        assert_eq!(more("resets"), (STALLED / 2) as i64, "{id}: {after}");
        assert!(more("lagged") > 0, "{id}: {after}");
    }
    (p99_ms, grown)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

/// Phases without and with the stalled, in turns: A B B A … The ratio of the median latencies.
async fn ratio(pairs: usize, window: Duration) -> f64 {
    let _machine = crate::alone().await;
    let mut crowd = Crowd::gather().await;
    without_stalled(&mut crowd, FILL).await;
    let (mut without, mut with, mut grown) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..pairs {
        for stalls in [pair % 2 == 1, pair % 2 == 0] {
            if stalls {
                let (p99_ms, more) = with_stalled(&mut crowd, window).await;
                with.push(p99_ms);
                grown.push(more as f64);
            } else {
                without.push(without_stalled(&mut crowd, window).await);
            }
        }
    }
    crowd.assert_nobody_missed_anything();
    let (without, with, grown) = (median(without), median(with), median(grown));
    let ratio = with / without;
    figure(&format!(
        "{STALLED} of {} readers stalled: p99 of the other {CLIENTS} {with:.2} ms, {without:.2} ms without them, ratio {ratio:.2} (median of {pairs}); \
         memory {:+.0} KiB for a stalled one (bound {} KiB); all {STALLED} were told by a reset and counted as lagged",
        CLIENTS + STALLED,
        grown / 1024.0 / STALLED as f64,
        STALLED_MAX_BYTES >> 10
    ));
    ratio
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_readers_cost_little_and_are_told() {
    ratio(1, Duration::from_secs(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes, and asserts a ratio of latencies: for a machine that does nothing else"]
async fn stalled_readers_do_not_slow_the_others() {
    let ratio = ratio(6, Duration::from_secs(5)).await;
    assert!(
        ratio <= 1.1,
        "p99 with stalled readers is {ratio:.2} times that without"
    );
}

/// The others wait for the write timeout; here it comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_stay_stalled_are_closed_and_counted() {
    let _machine = crate::alone().await;
    let server = Server::start("--rate 5 --topics 100 --payload 2048 --heartbeat 60 --write-timeout 1").await;
    let begun = Instant::now();
    let mut stalled = Vec::new();
    for index in 0..STALLED {
        let raw = Raw::connect_narrow(server.address).await;
        stalled.push(Peer::open(STREAMS[index % 2], raw, "topic=all").await);
    }
    until("all are closed", async || {
        let stats = server.stats().await;
        stats["write_stalls"] == STALLED && stats["connections"] == 1
    })
    .await;
    figure(&format!(
        "{STALLED} readers that took nothing were closed {:.2} s after the first came (write timeout 1 s), and counted",
        begun.elapsed().as_secs_f64()
    ));
    for mut peer in stalled {
        // What was on its way, and then the end.
        peer.raw.rest().await;
    }
}
