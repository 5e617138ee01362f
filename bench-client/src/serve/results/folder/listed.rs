//! A run that is there: what its record says, and what its process says meanwhile.
//!
//! ```text
//! run.json (Brief, or words) + underway.json (Note) -> running, or killed -> an entry of the list, how far it is
//! ```

use std::{
    ffi::OsString,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use serde::Serialize;

use super::{Outline, Stamp, brief::Brief, bytes, plain, read};
use crate::{
    record::{RunRecord, RunStatus},
    run::underway,
    serve::results::answer::{self, Refusal},
};

/// Bytes of underway.json, a multiple of what it has.
const UNDERWAY_MAX_BYTES: u64 = 16 << 10;

/// A run that is there.
#[derive(Clone)]
pub struct Listed {
    /// The folder's name.
    pub id: String,
    path: PathBuf,
    stamp: Stamp,
    pub outline: Outline,
    /// Of a record that says `running`.
    note: Option<underway::Note>,
    runs: bool,
}

/// What is measured now.
#[derive(Debug, Clone, Serialize)]
pub struct Now {
    label: String,
    repeat: u32,
    phase: String,
    since_us: u64,
    planned_s: Option<f64>,
}

/// How far a run is.
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    rows_done: usize,
    rows_planned: usize,
    pub now: Option<Now>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Entry<'a> {
    Read {
        id: &'a str,
        status: RunStatus,
        /// Its record says that it runs, and no process does.
        killed: bool,
        #[serde(flatten)]
        brief: &'a Brief,
        now: Option<Now>,
        error: Option<()>,
    },
    Unreadable {
        id: &'a str,
        error: &'a str,
    },
}

/// How long a run that can't be looked at, as in another container or on another machine, is believed without a word of it. Phases of
/// a row are shorter.
const UNSEEN_MAX: Duration = Duration::from_secs(15 * 60);

fn runs(note: &underway::Note, record: &Path) -> bool {
    note.process.runs().unwrap_or_else(|| {
        let written = std::fs::metadata(record.with_file_name(underway::FILE)).and_then(|file| file.modified());
        // A clock ahead of ours has written just now.
        written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < UNSEEN_MAX) || at.elapsed().is_err())
    })
}

impl Listed {
    pub fn of(name: &OsString, path: PathBuf, stamp: Stamp, outline: Outline) -> Self {
        let is_running = matches!(&*outline, Ok(brief) if brief.recorded == RunStatus::Running);
        let note = if is_running { note(&path) } else { None };
        Self {
            id: name.to_string_lossy().into_owned(),
            stamp,
            outline,
            runs: note.as_ref().is_some_and(|note| runs(note, &path)),
            path,
            note,
        }
    }

    /// Changes with the record, and with the program that makes something of it.
    pub fn version(&self) -> String {
        answer::tag(&(self.stamp, answer::BUILD))
    }

    /// Changes with everything that is said of this run.
    pub fn version_now(&self) -> String {
        let now = self.note.as_ref().and_then(|note| note.now.as_ref());
        answer::tag(&(self.stamp, answer::BUILD, self.runs, now))
    }

    /// Of its record.
    pub fn bytes_len(&self) -> u64 {
        self.stamp.bytes
    }

    /// When it was started; of an unreadable one, when its file was written.
    pub fn started(&self) -> String {
        match &*self.outline {
            Ok(brief) => brief.started_utc.clone(),
            Err(_) => {
                let since = Duration::from_secs(self.stamp.modified.0.max(0) as u64);
                humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
            }
        }
    }

    pub fn entry(&self) -> Entry<'_> {
        match &*self.outline {
            Ok(brief) => Entry::Read {
                id: &self.id,
                status: self.status(brief.recorded),
                killed: self.killed(brief.recorded),
                brief,
                now: self.now(brief),
                error: None,
            },
            Err(error) => Entry::Unreadable { id: &self.id, error },
        }
    }

    /// The record once more, whole.
    ///
    /// # Errors
    /// Says what the reader says.
    pub fn record(&self) -> Result<RunRecord, Refusal> {
        if let Err(words) = &*self.outline {
            return Err(Refusal::Broken(words.clone()));
        }
        read(&self.id, &self.path)
            .map(|(_, record)| record)
            .map_err(Refusal::Broken)
    }

    /// run.json as it stands there.
    ///
    /// # Errors
    /// As [`Listed::record`].
    pub fn bytes(&self) -> Result<Vec<u8>, Refusal> {
        let words = |error| Refusal::Broken(format!("{}/run.json can't be read: {error}", self.id));
        bytes(&self.path).map(|(_, bytes)| bytes).map_err(words)
    }

    /// As the record says, but for a run whose process has gone.
    pub fn status(&self, recorded: RunStatus) -> RunStatus {
        if self.killed(recorded) {
            RunStatus::Interrupted
        } else {
            recorded
        }
    }

    pub fn killed(&self, recorded: RunStatus) -> bool {
        recorded == RunStatus::Running && !self.runs
    }

    /// Absent of a run that has ended.
    pub fn progress(&self) -> Option<Progress> {
        let brief = (*self.outline).as_ref().ok()?;
        self.runs.then(|| Progress {
            rows_done: brief.rows_done,
            rows_planned: brief.rows_planned,
            now: self.now(brief),
        })
    }

    fn now(&self, brief: &Brief) -> Option<Now> {
        let now = self.note.as_ref().filter(|_| self.runs)?.now.clone()?;
        let label = brief.transports.iter().position(|id| *id == now.contender);
        let label = label.and_then(|at| brief.labels.get(at));
        Some(Now {
            label: label.unwrap_or(&now.contender).clone(),
            repeat: now.repeat,
            planned_s: brief.plan.of_phase(&now.phase),
            phase: now.phase,
            since_us: now.since_us,
        })
    }
}

/// What stands beside a record under way; None where there is nothing, or nothing that can be read.
fn note(record: &Path) -> Option<underway::Note> {
    let mut text = Vec::new();
    let file = plain(&record.with_file_name(underway::FILE)).ok()?;
    file.take(UNDERWAY_MAX_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
