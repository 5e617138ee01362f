use std::sync::Arc;

use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::*;
use crate::{
    clock::Clock,
    http::App,
    hub::{Draft, LogBounds, Publisher, Topic},
    io::Connection,
    properties::query,
};

/// The numbers of the updates, so that a test reads what came.
static NUMBERS: Framing = Framing::Stream(|update| update.frame(0, |update| vec![update.cursor.offset as u8].into()));
static ANSWER: Framing =
    Framing::Answer(|updates, _| updates.iter().map(|update| update.cursor.offset as u8).collect());

/// A hub of two topics, whose one shard is the test itself.
struct Stage {
    hub: Arc<Hub>,
    publisher: Publisher,
    fanout: Arc<Fanout>,
    rounds: Rounds,
    app: Arc<App>,
    stats: Arc<TransportStats>,
}

impl Stage {
    fn set() -> Self {
        let topic = |name: &str| Topic {
            name: name.into(),
            home: "A".into(),
            away: "B".into(),
        };
        let bounds = LogBounds {
            updates_per_topic: 100,
            bytes: 1 << 20,
        };
        let hub = Hub::new(Clock::start(), vec![topic("1"), topic("2")], bounds);
        let (app, _) = query::server();
        let fanout = Fanout::new(2, 1);
        Self {
            publisher: Publisher::new(hub.clone(), None),
            rounds: fanout.rounds(&hub, &app.stats).remove(0),
            fanout,
            stats: app.stats.transport("sse"),
            app,
            hub,
        }
    }

    fn publish(&mut self, topic: usize) {
        self.publisher.publish(Draft {
            topic,
            due_us: 0,
            home_score: 0,
            away_score: 0,
            minute: 0,
            event: "clock",
            player: "",
        });
    }

    /// One pass of the shard over what has been published since the last.
    fn pass(&mut self) {
        self.rounds.go();
    }

    /// A session at the newest state, and its peer.
    async fn session(&self, filter: Filter, framing: &'static Framing) -> (Seat, Reader, TcpStream) {
        self.session_in(Mode::Every, filter, framing).await
    }

    async fn session_in(&self, mode: Mode, filter: Filter, framing: &'static Framing) -> (Seat, Reader, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (peer, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("the only one");
        let connection = Connection::new(
            accepted.expect("a connection").0,
            self.app.stats.clone(),
            &self.app.settings,
            permit,
        );
        connection.stream().writable().await.expect("nothing is in its way");
        let mut reader = Reader::open(self.hub.clone(), filter, mode, None);
        reader.read(BatchBounds::PUSH);
        let seat = self.fanout.seat(connection.socket(), &reader, framing, &self.stats);
        (seat, reader, peer.expect("a connection"))
    }
}

async fn came(peer: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut came = vec![0; bytes];
    peer.read_exact(&mut came).await.expect("as many");
    came
}

#[tokio::test]
async fn whoever_gave_the_turn_gets_what_it_follows_once_and_in_order() {
    let mut stage = Stage::set();
    let (all, all_reader, mut all_peer) = stage.session(Filter::All, &NUMBERS).await;
    let (second, second_reader, mut second_peer) = stage.session(Filter::Topic(1), &NUMBERS).await;
    all.hand_over(&all_reader);
    second.hand_over(&second_reader);
    for topics in [&[0][..], &[1, 0, 1], &[1]] {
        for topic in topics {
            stage.publish(*topic);
        }
        stage.pass();
        // A second look at the same changes nothing.
        stage.pass();
    }
    assert_eq!(came(&mut all_peer, 5).await, [1, 2, 3, 4, 5]);
    assert_eq!(came(&mut second_peer, 3).await, [2, 4, 5]);
    assert_eq!(second.take().position, Position { offset: 5, seq: 3 });
    assert_eq!(stage.stats.deliveries.get(), 8);
}

#[tokio::test]
async fn whoever_has_the_turn_is_left_alone_and_goes_on_by_itself() {
    let mut stage = Stage::set();
    let (seat, mut reader, mut peer) = stage.session(Filter::All, &NUMBERS).await;
    stage.publish(0);
    stage.pass();
    // It came while the session had the turn: handing over is refused until it has been read.
    seat.hand_over(&reader);
    assert!(!seat.is_handed_over());
    assert_eq!(reader.read(BatchBounds::PUSH).updates.len(), 1);
    seat.hand_over(&reader);
    assert!(seat.is_handed_over());
    stage.publish(0);
    stage.pass();
    assert_eq!(came(&mut peer, 1).await, [2]);
    reader.go_on_from(seat.take().position);
    assert!(
        reader.read(BatchBounds::PUSH).is_empty(),
        "it holds what the fan-out wrote"
    );
}

#[tokio::test]
async fn a_session_that_is_ahead_of_the_shard_gets_nothing_twice() {
    let mut stage = Stage::set();
    let (seat, mut reader, mut peer) = stage.session(Filter::All, &NUMBERS).await;
    stage.publish(0);
    stage.publish(0);
    assert_eq!(reader.read(BatchBounds::PUSH).updates.len(), 2);
    seat.hand_over(&reader);
    // The shard comes by with what the session has, and once with more behind it.
    stage.publish(0);
    stage.pass();
    assert!(!seat.is_handed_over(), "it has a part of that");
    reader.go_on_from(seat.take().position);
    assert_eq!(reader.read(BatchBounds::PUSH).updates.len(), 1);
    seat.hand_over(&reader);
    stage.publish(0);
    stage.pass();
    assert_eq!(came(&mut peer, 1).await, [4]);
}

#[tokio::test]
async fn where_only_the_newest_counts_what_piled_up_is_left_to_the_session() {
    let mut stage = Stage::set();
    let (seat, mut reader, mut peer) = stage.session_in(Mode::Latest, Filter::Topic(0), &NUMBERS).await;
    seat.hand_over(&reader);
    stage.publish(0);
    stage.pass();
    assert_eq!(came(&mut peer, 1).await, [1]);
    assert!(seat.is_handed_over());
    for _ in 0..3 {
        stage.publish(0);
    }
    stage.pass();
    assert!(!seat.is_handed_over());
    reader.go_on_from(seat.take().position);
    let updates = reader.read(BatchBounds::PUSH).updates;
    assert_eq!(
        updates.iter().map(|update| update.cursor.offset).collect::<Vec<_>>(),
        [4]
    );
}

#[tokio::test]
async fn a_poll_is_answered_once() {
    let mut stage = Stage::set();
    let (seat, reader, mut peer) = stage.session(Filter::Topic(0), &ANSWER).await;
    seat.hand_over(&reader);
    stage.publish(1);
    stage.pass();
    assert!(seat.is_handed_over(), "that is not for it");
    for _ in 0..2 {
        stage.publish(0);
        stage.pass();
    }
    assert!(!seat.is_handed_over());
    let turn = seat.take();
    assert_eq!((turn.position.offset, turn.unsent.len()), (2, 0));
    assert_eq!(came(&mut peer, 1).await, [2]);
}

#[tokio::test]
async fn a_socket_that_is_full_gives_the_turn_back_with_the_rest() {
    static LONG: Framing =
        Framing::Stream(|update| update.frame(0, |update| vec![update.cursor.offset as u8; 8 << 20].into()));
    let mut stage = Stage::set();
    let (seat, reader, mut peer) = stage.session(Filter::All, &LONG).await;
    seat.hand_over(&reader);
    stage.publish(0);
    stage.pass();
    seat.turn().await;
    let turn = seat.take();
    assert_eq!(turn.position.offset, 1, "its rest is all that is missing of it");
    let written = (8 << 20) - turn.unsent.len();
    assert!(written > 0 && !turn.unsent.is_empty(), "{written}");
    assert!(came(&mut peer, written).await.iter().all(|byte| *byte == 1));
    assert!(seat.take().unsent.is_empty(), "taken once");
}

#[tokio::test]
async fn seats_come_and_go_while_a_row_is_gone_through() {
    let stage = Stage::set();
    let (first, ..) = stage.session(Filter::All, &NUMBERS).await;
    let (second, ..) = stage.session(Filter::All, &NUMBERS).await;
    let row = &stage.fanout.shards[0].rows[0];
    let shown = |number, most| {
        let mut shown = 0;
        row.each(number, most, |_| shown += 1).map(|next| (shown, next))
    };
    assert_eq!(shown(0, 1), Some((1, 1)));
    drop(first);
    assert_eq!(shown(1, 32), Some((1, 2)), "the second has its number still");
    assert_eq!(shown(2, 32), None);
    drop(second);
    assert_eq!(shown(0, 32), None, "an empty row holds nothing");
}

#[tokio::test]
async fn when_the_server_stops_everybody_has_the_turn_and_keeps_it() {
    let stage = Stage::set();
    let stop = Stop::default();
    stage
        .fanout
        .start(&stage.hub, &stage.app.stats, &stop)
        .expect("a thread");
    let (seat, reader, _peer) = stage.session(Filter::Topic(1), &NUMBERS).await;
    seat.hand_over(&reader);
    assert!(seat.is_handed_over());
    stop.begun.cancel();
    seat.turn().await;
    assert!(stage.fanout.is_closed());
    seat.hand_over(&reader);
    assert!(!seat.is_handed_over());
    stop.tasks.close();
    stop.tasks.wait().await;
}
