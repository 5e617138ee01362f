//! How long clients that came back took to catch up.
//!
//! ```text
//! start of connect() of each session that resumed + publish log -> the newest update at that moment -> when the client held it
//! ```

use server::wire::PublishedUpdate;

use super::{Window, stream::Stream};
use crate::{report::histogram::Distribution, virtual_client::ClientLog};

/// One client's resumes that started in the window.
pub struct Resumes(Vec<Resume>);

struct Resume {
    started_us: u64,
    caught_up: CaughtUp,
}

enum CaughtUp {
    /// It had missed nothing, so there is nothing to time.
    Nothing,
    At(u64),
    Never,
}

impl Resumes {
    pub fn of(log: &ClientLog, window: Window) -> Self {
        let started = log.resumes_us.iter().filter(|started_us| window.contains(**started_us));
        let resumes = started.map(|started_us| Resume {
            started_us: *started_us,
            caught_up: CaughtUp::Nothing,
        });
        Self(resumes.collect())
    }

    /// Adds a topic the client follows: all of them have to be there.
    pub fn follow(&mut self, published: &[PublishedUpdate], stream: &Stream) {
        for resume in &mut self.0 {
            let sent = published.partition_point(|update| update.sent_us <= resume.started_us);
            let Some(newest) = sent.checked_sub(1) else { continue };
            resume.caught_up = match (stream.held_us(newest), &resume.caught_up) {
                (None, _) | (_, CaughtUp::Never) => CaughtUp::Never,
                (Some(held_us), CaughtUp::At(at_us)) if held_us > resume.started_us => {
                    CaughtUp::At(held_us.max(*at_us))
                }
                (Some(held_us), CaughtUp::Nothing) if held_us > resume.started_us => CaughtUp::At(held_us),
                _ => continue,
            };
        }
    }

    pub fn record(self, into: &mut Distribution) {
        for resume in self.0 {
            match resume.caught_up {
                CaughtUp::Nothing => {}
                CaughtUp::At(at_us) => into.histogram.saturating_record(at_us - resume.started_us),
                CaughtUp::Never => into.lost += 1,
            }
        }
    }
}
