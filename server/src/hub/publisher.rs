//! The one writer of the hub: stamps an update, encodes it once, appends it to the log and wakes who waits.

use std::sync::Arc;

use bytes::Bytes;

use super::{Draft, Entry, Hub};
use crate::wire::{Cursor, Update};

/// The one writer of the hub.
pub struct Publisher {
    hub: Arc<Hub>,
    /// Changed by [`Publisher::fill_up_to`].
    update_bytes: Option<usize>,
    last_offset: u64,
    last_seq: Vec<u64>,
}

impl Publisher {
    /// `update_bytes`: the size every encoded update is filled up to.
    pub fn new(hub: Arc<Hub>, update_bytes: Option<usize>) -> Self {
        let last_seq = vec![0; hub.topics.len()];
        Self {
            hub,
            update_bytes,
            last_offset: 0,
            last_seq,
        }
    }

    /// From the next update on: the size every encoded one is filled up to.
    pub fn fill_up_to(&mut self, update_bytes: Option<usize>) {
        self.update_bytes = update_bytes;
    }

    /// How many updates each topic has had.
    pub fn played(&self) -> &[u64] {
        &self.last_seq
    }

    /// Stamps, encodes, logs and announces one update.
    pub fn publish(&mut self, draft: Draft<'_>) {
        self.last_offset += 1;
        self.last_seq[draft.topic] += 1;
        let hub = &self.hub;
        let topic = &hub.topics[draft.topic];
        let update = Update {
            topic: topic.name.as_str().into(),
            epoch: hub.epoch,
            offset: self.last_offset,
            seq: self.last_seq[draft.topic],
            due_us: draft.due_us,
            sent_us: hub.clock.now_us(),
            home: topic.home.as_str().into(),
            away: topic.away.as_str().into(),
            home_score: draft.home_score,
            away_score: draft.away_score,
            minute: draft.minute,
            event: draft.event.into(),
            player: draft.player.into(),
            pad: None,
        };
        let entry = Arc::new(Entry {
            cursor: Cursor {
                epoch: hub.epoch,
                offset: self.last_offset,
            },
            seq: update.seq,
            topic: draft.topic,
            due_us: update.due_us,
            sent_us: update.sent_us,
            json: encode(update, self.update_bytes),
            frames: Default::default(),
            frame_bytes: hub.frame_bytes.clone(),
        });
        hub.log.write().append(entry, hub.bounds);
        hub.wake_topic[draft.topic].send_replace(self.last_offset);
        hub.wake_all.send_replace(self.last_offset);
    }
}

/// Encodes an update, filled up to `size` bytes with `pad` where the bare one is shorter.
pub fn encode(mut update: Update<'_>, size: Option<usize>) -> Bytes {
    if size.is_some() {
        update.pad = Some("".into());
    }
    let mut json = Vec::with_capacity(size.unwrap_or(256));
    // Only a map with keys that are not text, or a failing writer, makes serde_json fail.
    serde_json::to_writer(&mut json, &update).expect("an update is plain data");
    if let Some(size) = size {
        // The last field is `"pad":""`: the filler goes between its quotes.
        const END: &[u8] = br#""}"#;
        let filler = size.saturating_sub(json.len());
        json.truncate(json.len() - END.len());
        json.resize(json.len() + filler, b'x');
        json.extend_from_slice(END);
    }
    json.into()
}
