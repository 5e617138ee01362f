//! What is done to single updates on their way: dropped, sent twice, or sent after the next one; one in a hundred, chosen by a seed.

use rand_pcg::{
    Pcg32,
    rand_core::{RngCore, SeedableRng},
};
use serde_json::Value;

use crate::units::{Stamp, Unit, stamp};

/// One update in so many.
pub const ONE_IN: u32 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    Drop,
    Duplicate,
    /// It comes right after the update that follows it.
    Swap,
}

/// One connection's updates.
pub struct Harmed {
    harm: Harm,
    seed: u64,
    /// Waits for its successor: the update as it stands on the wire, or as it stands in an answer.
    held: Option<Item>,
    /// Every update that was harmed.
    pub done: Vec<Stamp>,
}

enum Item {
    Bytes(Vec<u8>),
    Json(Value),
}

impl Harmed {
    pub fn new(harm: Harm, connection: u64) -> Self {
        Self {
            harm,
            seed: connection << 32,
            held: None,
            done: Vec::new(),
        }
    }

    /// What is handed on in place of this unit.
    pub fn pass(&mut self, mut unit: Unit) -> Vec<Unit> {
        if unit.body.starts_with(b"{\"updates\"") {
            self.answer(&mut unit);
            return vec![unit];
        }
        let Some(stamp) = stamp(&unit.body) else {
            return vec![unit];
        };
        let out = self.update(stamp, Item::Bytes(unit.body));
        let bytes = |item| match item {
            Item::Bytes(body) => Unit { head: Vec::new(), body },
            Item::Json(_) => unreachable!("one connection has one framing"),
        };
        out.into_iter().map(bytes).collect()
    }

    /// The same for every update of a poll's answer, which keeps its cursor: what is lost is lost in silence.
    fn answer(&mut self, unit: &mut Unit) {
        let mut answer: Value = serde_json::from_slice(&unit.body).expect("an answer is JSON");
        let Value::Array(updates) = answer["updates"].take() else {
            panic!("an answer without updates: {answer}");
        };
        let mut passed = Vec::new();
        for update in updates {
            let stamp = serde::Deserialize::deserialize(&update).expect("an update has seq and due time");
            passed.extend(self.update(stamp, Item::Json(update)));
        }
        let json = |item| match item {
            Item::Json(update) => update,
            Item::Bytes(_) => unreachable!("one connection has one framing"),
        };
        answer["updates"] = passed.into_iter().map(json).collect();
        let (before, body) = (unit.body.len(), serde_json::to_vec(&answer).expect("JSON encodes"));
        let head = String::from_utf8_lossy(&unit.head).into_owned();
        let length = format!("content-length: {before}\r\n");
        assert!(head.contains(&length), "{head}");
        unit.head = head
            .replace(&length, &format!("content-length: {}\r\n", body.len()))
            .into_bytes();
        unit.body = body;
    }

    fn update(&mut self, stamp: Stamp, item: Item) -> Vec<Item> {
        if let Some(held) = self.held.take() {
            return vec![item, held];
        }
        let chosen = Pcg32::seed_from_u64(self.seed ^ stamp.seq).next_u32() % ONE_IN == 0;
        if !chosen {
            return vec![item];
        }
        self.done.push(stamp);
        match (self.harm, item) {
            (Harm::Drop, _) => Vec::new(),
            (Harm::Duplicate, Item::Bytes(bytes)) => vec![Item::Bytes(bytes.clone()), Item::Bytes(bytes)],
            (Harm::Duplicate, Item::Json(json)) => vec![Item::Json(json.clone()), Item::Json(json)],
            (Harm::Swap, item) => {
                self.held = Some(item);
                Vec::new()
            }
        }
    }
}
