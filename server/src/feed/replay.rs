//! Matches played again: real ones from a file of openfootball's or from the table that comes along, or a recording.
//!
//! ```text
//! FILE.json      -> json, worldcup (what the file says, checked) \
//! knock-out-2022 -> table (facts in a form of our own)            -> course (events, minute by minute) -> Events in order
//! FILE.ndjson    -> recording (what a server published, line by line) -------------------------------> of due time
//! ```
//!
//! A match minute takes 60/speed seconds. Minute m ends with a `clock` event m minutes after kick-off; goals of that minute are
//! spread within it. Stoppage is played as extra minutes as far as the goals show it, its clock standing at 45, 90, 105
//! or 120. **Every break lasts one match minute**: nobody wants to measure fifteen minutes of silence. Match j of N starts j/N
//! of a match minute late, so that the clocks of all matches do not tick in the same instant.
//!
//! It leaves out what the files do not have: cards, substitutions, and the course of a shoot-out.

pub(crate) mod course;
mod json;
pub(crate) mod minute;
mod place;
mod table;
pub mod worldcup;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

pub use self::place::Fault;
use super::{
    Feed,
    recording::{self, LineFault},
};
pub use table::{NAMES, is_named};

/// How many times faster than life. Below 1 nobody would wait for the end.
pub const SPEED: RangeInclusive<f64> = 1.0..=10_000.0;
/// How many times faster than it was recorded. A recorded burst may be looked at slowly.
pub const RECORDING_SPEED: RangeInclusive<f64> = 0.01..=10_000.0;
/// Where nothing is said: a match in a minute and a half.
pub const DEFAULT_SPEED: f64 = 60.0;
/// Where nothing is said of a recording: as it was.
pub const DEFAULT_RECORDING_SPEED: f64 = 1.0;

/// Goals of side 1 (home) and side 2 (away).
pub type Score = [u16; 2];

/// What a replay is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// A file, or one of [`NAMES`].
    pub source: PathBuf,
    /// See [`SPEED`] and [`RECORDING_SPEED`]; `None` takes the default of what the source is.
    pub speed: Option<f64>,
}

/// What the source of a replay turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayKind {
    /// Matches from an openfootball file.
    Matches,
    /// Matches from a table that comes along.
    Table,
    /// What a server published.
    Recording,
}

/// A replay, ready to be played.
pub struct Replayed {
    pub feed: Feed,
    pub kind: ReplayKind,
    pub speed: f64,
    /// Size every update of a recording was filled up to; `None` where they were as long as they came.
    pub update_bytes: Option<u32>,
}

/// A match as its source tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    pub home: String,
    pub away: String,
    /// Like `2022-12-18T15:00:00Z`; only to be shown, because all matches are played at once.
    pub kick_off: Option<String>,
    pub half_time: Option<Score>,
    /// After 90 minutes of a match that had extra time.
    pub normal_time: Option<Score>,
    /// After the last minute played; a shoot-out does not count.
    pub result: Score,
    pub extra_time: bool,
    pub shootout: Option<Score>,
    /// Of both sides, in the order they fell.
    pub goals: Vec<Goal>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// 1 to [`minute::MAX`].
    pub minute: u16,
    /// Minutes after the end of the period; 0 unless `minute` is 45, 90, 105 or 120.
    pub stoppage: u16,
    /// Who gains: 0 home, 1 away.
    pub side: usize,
    /// `goal`, `own_goal` or `penalty_goal`.
    pub kind: &'static str,
    pub player: String,
}

/// A replay that cannot be made. Each message is complete; none has a source to be printed after it.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(
        "a replay at speed {0}: choose between {min} (as in life) and {max} (a match in about half a second)",
        min = SPEED.start(), max = SPEED.end()
    )]
    Speed(f64),
    #[error(
        "a recording at speed {0}: choose between {min} and {max}; 1 plays it as it was recorded",
        min = RECORDING_SPEED.start(), max = RECORDING_SPEED.end()
    )]
    RecordingSpeed(f64),
    #[error(
        "cannot read {path}: {error}; expected a file as in openfootball's worldcup.json, a recording, or the name {names}",
        names = NAMES.join(" or ")
    )]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{path} is larger than {max} bytes, which no tournament needs", max = worldcup::MAX_FILE_BYTES)]
    TooLarge { path: PathBuf },
    #[error("{path} is empty; expected a file as in openfootball's worldcup.json, or a recording")]
    Empty { path: PathBuf },
    /// The error names line and column.
    #[error("{path} is not JSON: {error}; expected a file as in openfootball's worldcup.json, or a recording")]
    Syntax { path: PathBuf, error: serde_json::Error },
    #[error("{path}: {fault}")]
    Content { path: PathBuf, fault: Fault },
    #[error("{path}, {fault}")]
    Line { path: PathBuf, fault: LineFault },
}

/// Whether the file is there and is meant to be a recording.
pub fn is_recording(source: &Path) -> bool {
    let file = File::open(source).ok().filter(|_| !is_named(source));
    file.is_some_and(|file| BufReader::new(file).fill_buf().is_ok_and(recording::begins))
}

impl Replay {
    /// Reads the source and lays out every event. Fixtures without a result yet are left out, with a remark.
    pub fn feed(&self) -> Result<Replayed, ReplayError> {
        if let Some(played) = table::of(&self.source) {
            let speed = self.match_speed()?;
            return Ok(matches(ReplayKind::Table, course::lay_out(&played, speed), speed));
        }
        let failed = |error| ReplayError::Read {
            path: self.source.clone(),
            error,
        };
        let mut file = BufReader::new(File::open(&self.source).map_err(failed)?);
        if recording::begins(file.fill_buf().map_err(failed)?) {
            return self.recorded(file);
        }
        let speed = self.match_speed()?;
        let text = worldcup::read(&self.source, file)?;
        let tournament = parse(&self.source, &text)?;
        let mut feed = course::lay_out(&tournament.played, speed);
        if tournament.not_played > 0 {
            feed.source.remarks.push(format!(
                "{} has {} fixtures without score and goals; they are left out of the feed",
                self.source.display(),
                tournament.not_played
            ));
        }
        Ok(matches(ReplayKind::Matches, feed, speed))
    }

    fn match_speed(&self) -> Result<f64, ReplayError> {
        let speed = self.speed.unwrap_or(DEFAULT_SPEED);
        let good = SPEED.contains(&speed);
        good.then_some(speed).ok_or(ReplayError::Speed(speed))
    }

    fn recorded(&self, file: impl BufRead) -> Result<Replayed, ReplayError> {
        let speed = self.speed.unwrap_or(DEFAULT_RECORDING_SPEED);
        if !RECORDING_SPEED.contains(&speed) {
            return Err(ReplayError::RecordingSpeed(speed));
        }
        let path = &self.source;
        let recorded = recording::read(file, speed).map_err(|error| match error {
            recording::ReadError::Io(error) => ReplayError::Read {
                path: path.clone(),
                error,
            },
            recording::ReadError::Line(fault) => ReplayError::Line {
                path: path.clone(),
                fault,
            },
        })?;
        let mut feed = recorded.feed;
        for remark in &mut feed.source.remarks {
            *remark = format!("{}, {remark}", path.display());
        }
        Ok(Replayed {
            feed,
            kind: ReplayKind::Recording,
            speed,
            update_bytes: recorded.update_bytes,
        })
    }
}

fn matches(kind: ReplayKind, feed: Feed, speed: f64) -> Replayed {
    Replayed {
        feed,
        kind,
        speed,
        update_bytes: None,
    }
}

pub(crate) fn parse(path: &Path, text: &[u8]) -> Result<worldcup::Tournament, ReplayError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(ReplayError::Empty { path: path.to_owned() });
    }
    let value = json::parse(text).map_err(|error| ReplayError::Syntax {
        path: path.to_owned(),
        error,
    })?;
    worldcup::parse(&value).map_err(|fault| ReplayError::Content {
        path: path.to_owned(),
        fault,
    })
}

/// Some editors put it before UTF-8; JSON readers may ignore it (RFC 8259, section 8.1).
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests;
