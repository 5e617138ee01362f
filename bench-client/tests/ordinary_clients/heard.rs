//! What one client heard, in order: written by whoever reads the client, looked at by the test.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Deserialize;
use server::wire::{ResetReason, Update};
use tokio::sync::Notify;

use crate::support::SOON;

/// One line of a script's output.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    Open,
    /// An encoded update as it came, and the id of its event where it has one.
    Update {
        text: String,
        id: Option<String>,
    },
    Reset {
        reason: ResetReason,
    },
    /// The library handed out something that the protocol does not have.
    Unasked,
    Cut,
    /// A WebSocket's close code: the server's, or 1006 where there was none.
    Closed {
        code: u16,
    },
    /// What an event stream said of coming back.
    Retry {
        ms: u64,
    },
    NotModified,
}

/// An update, as far as every client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    pub topic: String,
    pub epoch: u64,
    pub offset: u64,
    pub seq: u64,
    pub due_us: u64,
    pub bytes: usize,
    /// The encoded update; our own sessions don't keep it.
    pub text: Option<String>,
}

/// What it comes to.
#[derive(Debug, Clone)]
pub enum Heard {
    Update(Got),
    Reset(ResetReason),
    /// Anything else, kept for the test's own questions and for its messages.
    Said(Line),
}

impl Heard {
    /// Reads a script's line; an update that is none ends the test.
    pub fn read(line: &str) -> Self {
        let line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        match line {
            Line::Update { text, id } => {
                let update: Update<'_> =
                    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text:?}"));
                let cursor = format!("{}-{}", update.epoch, update.offset);
                assert!(id.is_none_or(|id| id == cursor), "the id of {text}");
                Self::Update(Got {
                    topic: update.topic.into(),
                    epoch: update.epoch,
                    offset: update.offset,
                    seq: update.seq,
                    due_us: update.due_us,
                    bytes: text.len(),
                    text: Some(text),
                })
            }
            Line::Reset { reason } => Self::Reset(reason),
            other => Self::Said(other),
        }
    }

    pub fn update(&self) -> Option<&Got> {
        match self {
            Self::Update(got) => Some(got),
            _ => None,
        }
    }
}

/// Grows while its client runs; the test ends with the client, and so does it.
#[derive(Debug, Default)]
pub struct Notebook {
    heard: Mutex<Vec<Heard>>,
    noted: Notify,
}

impl Notebook {
    pub fn note(&self, heard: Heard) {
        self.heard.lock().push(heard);
        self.noted.notify_one();
    }

    pub fn all(&self) -> Vec<Heard> {
        self.heard.lock().clone()
    }

    /// Waits until what was heard fulfils this; says what the client heard last when that takes too long.
    pub async fn until(self: &Arc<Self>, what: &str, holds: impl Fn(&[Heard]) -> bool) {
        let waiting = async {
            while !holds(&self.heard.lock()) {
                self.noted.notified().await;
            }
        };
        if tokio::time::timeout(SOON, waiting).await.is_err() {
            let heard = self.heard.lock();
            let last = &heard[heard.len().saturating_sub(4)..];
            panic!(
                "{what}: not within {} s; {} lines, the last: {last:#?}",
                SOON.as_secs(),
                heard.len()
            );
        }
    }
}
