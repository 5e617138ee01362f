//! What the hot paths work on, made the same way for wall time and for instruction counts.
//!
//! ```text
//! Draft -> Publisher -> hub -> Reader -> Entry -> frames -> what a client reads -> receipts -> tally
//! ```

use std::sync::Arc;

use bench_client::{
    tally::{Evidence, TopicLog, Window},
    transports::{TopicIndex, decode::Decoder},
    virtual_client::{ClientLog, Kind, Receipt},
};
use clap::{Args, FromArgMatches};
use server::{
    clock::Clock,
    fanout::{Fanout, Framing, Rounds, Seat},
    hub::{Batch, BatchBounds, Draft, Entry, Filter, Hub, LogBounds, Publisher, Reader, Topic},
    io::Connection,
    settings::ServerSettings,
    stats::{Stats, TransportStats},
    wire::{Mode, PublishedUpdate, Update},
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    sync::Semaphore,
};

/// Size of every encoded update, in bytes: the default scenario's.
pub const UPDATE_BYTES: usize = 256;
/// When the feed began, µs: a time of as many digits as those of today.
pub const START_US: u64 = 1_763_631_127_000_000;
const TOPIC: &str = "match-1";

/// A hub of one topic, and its one writer.
pub fn hub() -> (Arc<Hub>, Publisher) {
    let topic = Topic {
        name: TOPIC.into(),
        home: "Torvik".into(),
        away: "Åkerby".into(),
    };
    let bounds = LogBounds {
        updates_per_topic: 1_000,
        bytes: 1 << 20,
    };
    let hub = Hub::new(Clock::start(), vec![topic], bounds);
    let publisher = Publisher::new(hub.clone(), Some(UPDATE_BYTES));
    (hub, publisher)
}

/// What the feed hands to the hub.
pub fn draft() -> Draft<'static> {
    Draft {
        topic: 0,
        due_us: START_US,
        home_score: 1,
        away_score: 0,
        minute: 23,
        event: "goal",
        player: "Lunde",
    }
}

/// A session of everything from now on.
pub fn reader(hub: &Arc<Hub>) -> Reader {
    let mut reader = Reader::open(hub.clone(), Filter::All, Mode::Every, None);
    reader.read(BatchBounds::PUSH);
    reader
}

/// Sessions that wait in the fan-out, on sockets of their own.
pub struct Stage {
    /// The seats' sockets are its.
    _runtime: Runtime,
    rounds: Rounds,
    publisher: Publisher,
    stats: Arc<TransportStats>,
    delivered: u64,
    seats: Vec<(Seat, TcpStream)>,
}

impl Stage {
    pub fn set(seats: usize, framing: &'static Framing) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (hub, publisher) = hub();
        let all = Arc::new(Stats::default());
        let stats = all.transport("bench");
        let settings = ServerSettings::augment_args(clap::Command::new("bench")).get_matches_from(["bench"]);
        let settings = ServerSettings::from_arg_matches(&settings).expect("the defaults");
        let fanout = Fanout::new(1, 1);
        let rounds = fanout.rounds(&hub, &all).remove(0);
        let seats = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let address = listener.local_addr().expect("an address");
            let mut seated = Vec::new();
            for _ in 0..seats {
                let peer = TcpStream::connect(address).await.expect("a connection");
                let (stream, _) = listener.accept().await.expect("its other end");
                let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("the only one");
                let connection = Connection::new(stream, all.clone(), &settings, permit);
                let reader = reader(&hub);
                let seat = fanout.seat(connection.socket(), &reader, framing, &stats);
                seat.hand_over(&reader);
                seated.push((seat, peer));
            }
            seated
        });
        Self {
            _runtime: runtime,
            rounds,
            publisher,
            stats,
            delivered: 0,
            seats,
        }
    }

    /// Publishes an update, and writes it to everybody.
    ///
    /// # Panics
    /// When somebody did not get it.
    pub fn publish(&mut self) {
        self.publisher.publish(draft());
        self.rounds.go();
        self.delivered += self.seats.len() as u64;
        assert_eq!(self.stats.deliveries.get(), self.delivered);
    }
}

/// So many published updates, as a session gets them.
pub fn batch(updates: usize) -> Batch {
    let (hub, mut publisher) = hub();
    let mut reader = reader(&hub);
    for _ in 0..updates {
        publisher.publish(draft());
    }
    let batch = reader.read(BatchBounds {
        updates,
        bytes: usize::MAX,
    });
    assert_eq!(batch.updates.len(), updates);
    batch
}

/// One published update.
pub fn entry() -> Arc<Entry> {
    batch(1).updates.remove(0)
}

/// One update before it is encoded.
pub fn update() -> Update<'static> {
    Update {
        topic: TOPIC.into(),
        epoch: START_US / 1_000,
        offset: 4_242,
        seq: 4_242,
        due_us: START_US,
        sent_us: START_US + 41,
        home: "Torvik".into(),
        away: "Åkerby".into(),
        home_score: 1,
        away_score: 0,
        minute: 23,
        event: "goal".into(),
        player: "Lunde".into(),
        pad: None,
    }
}

/// Of a session that has begun: the first update is behind it.
pub fn decoder() -> Decoder {
    let topics: TopicIndex = [(TOPIC.to_owned(), 0)].into_iter().collect();
    Decoder::new(Arc::new(topics))
}

/// A row of so many clients that got so many updates each, on time.
pub struct Noted {
    clients: Vec<ClientLog>,
    topics: Vec<TopicLog>,
    window: Window,
}

impl Noted {
    pub fn new(clients: u32, updates: u64) -> Self {
        const GAP_US: u64 = 200_000;
        let due_us = |seq: u64| START_US + seq * GAP_US;
        let published = (1..=updates).map(|seq| PublishedUpdate {
            seq,
            due_us: due_us(seq),
            sent_us: due_us(seq) + 50,
        });
        let receipts = |client: u32| {
            (1..=updates).map(move |seq| Receipt {
                received_us: due_us(seq) + 1_000 + u64::from(client),
                due_us: due_us(seq),
                seq,
                topic: 0,
                bytes: UPDATE_BYTES as u32,
                home_score: 1,
                away_score: 0,
                shootout: None,
                kind: Kind::Live,
            })
        };
        let log = |client| ClientLog {
            client,
            topic: Some(0),
            receipts: receipts(client).collect(),
            ..ClientLog::default()
        };
        Self {
            clients: (0..clients).map(log).collect(),
            topics: vec![TopicLog {
                name: TOPIC.into(),
                updates: published.collect(),
            }],
            window: Window {
                from_us: due_us(1),
                to_us: due_us(updates + 1),
            },
        }
    }

    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            window: self.window,
            mode: Mode::Every,
            clients: &self.clients,
            topics: &self.topics,
            nothing_held_since_us: START_US,
            outage: None,
        }
    }
}
