//! What is new, to everyone who waits for it: each update to the streams, each batch to the polls that are held.

use std::{io, sync::Arc, time::Instant};

use super::{EventLoop, ended};
use crate::{
    http::FeedQuery,
    hub::{Batch, Entry},
    null::{frame::Frame, request::Kind},
    transports::answer::POLL_BATCH,
    wire::{Cursor, Mode},
};

impl EventLoop {
    /// Writes everything that is new to everyone who waits for it.
    pub(super) fn hand_out(&mut self) -> io::Result<()> {
        loop {
            let before = self.reader.cursor();
            let batch = self.reader.read(POLL_BATCH);
            if batch.reset.is_some() {
                return Err(io::Error::other(
                    "updates left the log before they were written: one thread cannot feed so many clients so fast",
                ));
            }
            for entry in &batch.updates {
                self.push(0, entry);
                self.push(1 + entry.topic, entry);
            }
            self.answer_held(0, &batch.updates, before);
            for topic in 0..self.hub.topics().len() {
                if !self.held[1 + topic].is_empty() {
                    let of_topic = batch.updates.iter().filter(|entry| entry.topic == topic);
                    let of_topic: Vec<_> = of_topic.cloned().collect();
                    self.answer_held(1 + topic, &of_topic, before);
                }
            }
            if !batch.more {
                return Ok(());
            }
        }
    }

    /// Writes one update to the streams of a list.
    fn push(&mut self, list: usize, entry: &Entry) {
        self.push_floor(list, entry);
        if self.streams[list].is_empty() {
            return;
        }
        let (mut sse, mut websocket) = (None, None);
        let mut delivered = [0; Kind::ALL.len()];
        self.streams[list].retain(|&key| {
            let connection = &mut self.connections[key];
            let Some(waits) = connection.waits.filter(|waits| waits.held.offset < entry.cursor.offset) else {
                return true;
            };
            let frame = match waits.kind {
                Kind::Sse => sse.get_or_insert_with(|| Frame::sse(entry)),
                _ => websocket.get_or_insert_with(|| Frame::websocket(entry)),
            };
            let written = connection.write(frame.at(self.hub.clock.now_us()));
            delivered[waits.kind as usize] += 1;
            if let Err(end) = written {
                ended(&mut self.connections, key, end, &self.stats);
            }
            written.is_ok()
        });
        for (count, delivered) in self.counts.iter().zip(delivered) {
            count.deliveries.inc_by(delivered);
        }
    }

    /// Writes one update to the floor's sockets of a list: the same bytes to each, made once.
    fn push_floor(&mut self, list: usize, entry: &Entry) {
        if self.floors[list].is_empty() {
            return;
        }
        let frame = Frame::floor(entry);
        let (bytes, offset) = (frame.bytes(), entry.cursor.offset);
        let mut delivered = 0;
        self.floors[list].retain(|one| {
            if one.held >= offset {
                return true;
            }
            let written = self.connections[one.key].write(bytes);
            delivered += 1;
            if let Err(end) = written {
                ended(&mut self.connections, one.key, end, &self.stats);
            }
            written.is_ok()
        });
        self.counts[Kind::Floor as usize].deliveries.inc_by(delivered);
    }

    /// Answers the held polls of a list with a batch that was handed out after `before`.
    fn answer_held(&mut self, list: usize, updates: &[Arc<Entry>], before: Cursor) {
        if updates.is_empty() || self.held[list].is_empty() {
            return;
        }
        let batch = Batch {
            updates: updates.to_vec(),
            ..Batch::default()
        };
        let cursor = self.reader.cursor();
        // With and without `connection: close`.
        let mut shared = [false, true].map(|close| Frame::answer(&batch, cursor, close));
        for key in std::mem::take(&mut self.held[list]) {
            let connection = &mut self.connections[key];
            let Some(waits) = connection.waits.take() else { continue };
            let as_all = waits.held.offset <= before.offset && (waits.query.mode == Mode::Every || updates.len() == 1);
            let answered = if as_all {
                self.counts[waits.kind as usize].deliveries.inc_by(updates.len() as u64);
                connection.last = waits.close;
                let frame = &mut shared[usize::from(waits.close)];
                connection.write(frame.at(self.hub.clock.now_us()))
            } else {
                let since = Some(waits.held);
                self.answer_poll(key, waits.kind, FeedQuery { since, ..waits.query }, waits.close)
            };
            if let Err(end) = answered {
                ended(&mut self.connections, key, end, &self.stats);
            }
        }
    }

    /// Answers the held polls whose time is over with nothing.
    pub(super) fn expire(&mut self, now: Instant) {
        for list in 0..self.held.len() {
            let due = |key: &usize| {
                let waits = self.connections[*key].waits;
                waits.is_some_and(|waits| waits.until.is_some_and(|until| until <= now))
            };
            let (due, waiting) = std::mem::take(&mut self.held[list]).into_iter().partition(due);
            self.held[list] = waiting;
            let due: Vec<usize> = due;
            for key in due {
                let connection = &mut self.connections[key];
                let Some(waits) = connection.waits.take() else { continue };
                connection.last = waits.close;
                let mut answer = Frame::answer(&Batch::default(), waits.held, waits.close);
                if let Err(end) = connection.write(answer.at(0)) {
                    ended(&mut self.connections, key, end, &self.stats);
                }
            }
        }
    }
}
