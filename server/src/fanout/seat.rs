//! One session's place in the fan-out: whose turn it is to write to its socket, and how far it has been served.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Acquire},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Framing, Pass, row::Row};
use crate::{
    hub::{Position, Reader},
    io::Socket,
    stats::{GaugeGuard, TransportStats},
    wire::Mode,
};

/// A seat as its session has it; dropping it leaves the row.
pub struct Seat {
    outlet: Arc<Outlet>,
    row: Arc<Row>,
    number: usize,
}

/// A seat as a shard has it.
pub(super) struct Outlet {
    socket: Arc<Socket>,
    mode: Mode,
    framing: &'static Framing,
    stats: Arc<TransportStats>,
    closed: Arc<AtomicBool>,
    state: Mutex<State>,
    /// The session's task, woken when it gets its turn.
    task: AtomicWaker,
}

struct State {
    /// Whose turn it is: true for the fan-out.
    fanout: bool,
    position: Position,
    /// What the socket did not take of the last frame: to be written before anything else.
    unsent: Bytes,
    /// The last time the fan-out wrote, or got the turn.
    wrote_at: Instant,
    /// Of a poll that is not answered yet.
    held: Option<GaugeGuard>,
}

/// What a session takes over with its turn.
pub struct Turn {
    pub position: Position,
    /// To be written before anything else.
    pub unsent: Bytes,
}

impl Seat {
    pub(super) fn new(row: &Arc<Row>, outlet: Outlet) -> Self {
        let outlet = Arc::new(outlet);
        Self {
            number: row.add(outlet.clone()),
            row: row.clone(),
            outlet,
        }
    }

    /// Gives the fan-out the turn, of a session that has written everything its reader has read. The turn comes back at once where more
    /// has been published meanwhile, and when the server stops.
    pub fn hand_over(&self, reader: &Reader) {
        {
            let mut state = self.outlet.state.lock();
            state.position = reader.position();
            state.wrote_at = Instant::now();
            state.fanout = true;
        }
        // A shard that has passed by already does not come again for it.
        if reader.is_behind() || self.outlet.closed.load(Acquire) {
            self.outlet.state.lock().fanout = false;
        }
    }

    /// Keeps what counts a held poll until the poll is answered, by whoever does it.
    pub fn hold(&self, held: GaugeGuard) {
        self.outlet.state.lock().held = Some(held);
    }

    /// The poll has been answered.
    pub fn release(&self) {
        self.outlet.state.lock().held = None;
    }

    /// True while it is the fan-out's turn.
    pub fn is_handed_over(&self) -> bool {
        self.outlet.state.lock().fanout
    }

    /// Ready when it is the session's turn.
    pub fn poll_turn(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.outlet.task.register(cx.waker());
        match self.is_handed_over() {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }

    /// Returns when it is the session's turn: its socket did not take everything. A poll that has its answer is not woken for that.
    pub async fn turn(&self) {
        poll_fn(|cx| self.poll_turn(cx)).await;
    }

    /// Takes the turn, if it is not the session's already.
    pub fn take(&self) -> Turn {
        let mut state = self.outlet.state.lock();
        state.fanout = false;
        Turn {
            position: state.position,
            unsent: std::mem::take(&mut state.unsent),
        }
    }

    /// When the fan-out last wrote, or else got the turn.
    pub fn wrote_at(&self) -> Instant {
        self.outlet.state.lock().wrote_at
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.outlet.state.lock().fanout = false;
        self.row.remove(self.number);
    }
}

impl Outlet {
    pub fn new(
        socket: Arc<Socket>,
        mode: Mode,
        framing: &'static Framing,
        stats: Arc<TransportStats>,
        closed: Arc<AtomicBool>,
    ) -> Self {
        Self {
            socket,
            mode,
            framing,
            stats,
            closed,
            state: Mutex::new(State {
                fanout: false,
                position: Position::default(),
                unsent: Bytes::new(),
                wrote_at: Instant::now(),
                held: None,
            }),
            task: AtomicWaker::new(),
        }
    }

    /// Writes the pass's updates, or lets the session write them itself.
    pub fn hand(&self, pass: &mut Pass<'_>) {
        let (Some(first), Some(newest)) = (pass.entries.first(), pass.entries.last()) else {
            return;
        };
        let mut state = self.state.lock();
        if !state.fanout || state.position.offset >= newest.cursor.offset {
            return;
        }
        let (position, now) = (pass.position, pass.now);
        // Otherwise it lacks something that came before, has a part of this, or wants only the newest: that is for its own reader.
        let continues = (pass.since..first.cursor.offset).contains(&state.position.offset)
            && (self.mode == Mode::Every || pass.entries.len() == 1);
        let mut whole = false;
        if continues {
            let framed = pass.framed(self.framing, &self.stats);
            // Nothing written: its own task finds out whether the socket is full or broken.
            if let Ok(written) = self.socket.write_now(&framed.bytes) {
                framed.seats += 1;
                whole = written == framed.bytes.len();
                state.unsent = framed.bytes.slice(written..);
                state.position = position;
                state.wrote_at = now;
                state.held = None;
            }
        }
        state.fanout = whole && matches!(self.framing, Framing::Stream(_));
        drop(state);
        if !whole {
            self.task.wake();
        }
    }

    /// Gives the session its turn.
    pub fn give_back(&self) {
        self.state.lock().fanout = false;
        self.task.wake();
    }
}
