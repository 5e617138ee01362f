//! Real matches played again: a file of openfootball's worldcup.json, all its matches at once, time compressed.
//!
//! ```text
//! file -> worldcup (what the file says, checked) -> one course of events a match -> Events in order of due time
//! ```
//!
//! A match minute takes 60/speed seconds. Minute m ends with a `clock` event m minutes after kick-off; goals of that minute are
//! spread within it. Stoppage is played as extra minutes as far as the file's goals show it, its clock standing at 45, 90, 105
//! or 120. **Every break lasts one match minute**: nobody wants to measure fifteen minutes of silence. Match j of N starts j/N
//! of a match minute late, so that the clocks of all matches do not tick in the same instant.
//!
//! Goals are the truth while play goes on. The file's score rules at the end: where it lists other goals than that, a
//! `correction` puts the score right before full time, and already at a break whose score the file knows. A half-time score
//! that contradicts a complete list of goals is ignored (the real files have several).
//!
//! It leaves out what the files do not have: cards, substitutions, and the course of a shoot-out.

mod place;
pub mod worldcup;

use std::{
    borrow::Cow,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

pub use self::place::Fault;
use self::worldcup::{Goal, Played, Score};
use super::{Event, Feed, Match, kind};

/// How many times faster than life.
pub const SPEED: RangeInclusive<f64> = 1.0..=10_000.0;

/// What a replay is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    pub path: PathBuf,
    /// See [`SPEED`]; at 60 a match minute takes a second.
    pub speed: f64,
}

/// A replay that cannot be made. Each message is complete; none has a source to be printed after it.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(
        "a replay at speed {0}: choose between {min} (as in life) and {max} (a match in about half a second)",
        min = SPEED.start(), max = SPEED.end()
    )]
    Speed(f64),
    #[error("cannot read {path}: {error}; expected a file as in openfootball's worldcup.json")]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{path} is larger than {max} bytes, which no tournament needs", max = worldcup::MAX_FILE_BYTES)]
    TooLarge { path: PathBuf },
    /// The error names line and column.
    #[error("{path} is not JSON: {error}")]
    Syntax { path: PathBuf, error: serde_json::Error },
    #[error("{path}: {fault}")]
    Content { path: PathBuf, fault: Fault },
}

impl Replay {
    /// Refuses what is out of bounds, without reading anything.
    pub fn validate(&self) -> Result<(), ReplayError> {
        if SPEED.contains(&self.speed) {
            Ok(())
        } else {
            Err(ReplayError::Speed(self.speed))
        }
    }

    /// Reads the file and lays out every event. Fixtures without a result yet are left out, with a warning.
    pub fn feed(&self) -> Result<Feed, ReplayError> {
        self.validate()?;
        let text = worldcup::read(&self.path)?;
        let tournament = parse(&self.path, &text)?;
        if tournament.not_played > 0 {
            tracing::warn!(
                matches = tournament.played.len(),
                left_out = tournament.not_played,
                "the replayed file has fixtures without score and goals; they are not part of the feed"
            );
        }
        Ok(lay_out(&tournament.played, self.speed))
    }
}

pub(crate) fn parse(path: &Path, text: &[u8]) -> Result<worldcup::Tournament, ReplayError> {
    let value = serde_json::from_slice(text).map_err(|error| ReplayError::Syntax {
        path: path.to_owned(),
        error,
    })?;
    worldcup::parse(&value).map_err(|fault| ReplayError::Content {
        path: path.to_owned(),
        fault,
    })
}

pub(crate) fn lay_out(played: &[Played], speed: f64) -> Feed {
    let matches: Vec<_> = played
        .iter()
        .enumerate()
        .map(|(j, of)| Match::new(j, &of.home, &of.away))
        .collect();
    let courses = played.iter().enumerate().map(|(topic, of)| {
        let stagger = topic as f64 / played.len() as f64;
        course(of, topic, |minutes| {
            Duration::from_secs_f64((minutes + stagger) * 60.0 / speed)
        })
    });
    let events = courses.flatten().collect();
    Feed::finite(matches, events)
}

/// A stretch of play without a break.
struct Period {
    begins: &'static str,
    /// Minutes already played when it begins; its own are those after, up to `to`.
    from: u16,
    to: u16,
    ends: &'static str,
    /// Score at its end where the file knows one.
    score: Option<Score>,
}

fn periods(of: &Played) -> Vec<Period> {
    let first = Period {
        begins: kind::KICK_OFF,
        from: 0,
        to: 45,
        ends: kind::HALF_TIME,
        score: of.half_time,
    };
    let second = Period {
        begins: kind::SECOND_HALF,
        from: 45,
        to: 90,
        ends: kind::FULL_TIME,
        score: Some(of.result),
    };
    if !of.extra_time {
        return vec![first, second];
    }
    vec![
        first,
        Period {
            ends: kind::NORMAL_TIME,
            score: of.normal_time,
            ..second
        },
        Period {
            begins: kind::EXTRA_TIME,
            from: 90,
            to: 105,
            ends: kind::EXTRA_TIME_HALF_TIME,
            score: None,
        },
        Period {
            begins: kind::EXTRA_TIME_SECOND_HALF,
            from: 105,
            to: 120,
            ends: kind::FULL_TIME,
            score: Some(of.result),
        },
    ]
}

/// All events of a match. `due` turns match minutes since kick-off, breaks included, into a due time.
fn course(of: &Played, topic: usize, due: impl Fn(f64) -> Duration) -> Vec<Event> {
    let mut course = Course {
        of,
        topic,
        due,
        score: [0, 0],
        events: Vec::new(),
    };
    let (mut now, mut minute) = (0, 0);
    for period in periods(of) {
        now = course.play(&period, now);
        minute = period.to;
    }
    if let Some([home, away]) = of.shootout {
        course.push(
            f64::from(now),
            minute,
            kind::SHOOTOUT_RESULT,
            format!("{home}-{away}").into(),
        );
    }
    course.events
}

/// One match on its way from kick-off to the end.
struct Course<'a, D> {
    of: &'a Played,
    topic: usize,
    due: D,
    /// After the last event laid out.
    score: Score,
    events: Vec<Event>,
}

impl<D: Fn(f64) -> Duration> Course<'_, D> {
    /// Plays a period that begins `now` minutes after kick-off; returns when the next one may begin.
    fn play(&mut self, period: &Period, mut now: u16) -> u16 {
        let goals: Vec<_> = self
            .of
            .goals
            .iter()
            .filter(|goal| goal.minute > period.from && goal.minute <= period.to)
            .collect();
        let stoppage = goals.iter().map(|goal| goal.stoppage).max().unwrap_or(0);
        self.push(f64::from(now), period.from, period.begins, "".into());
        for played in period.from + 1..=period.to + stoppage {
            let in_minute: Vec<_> = goals
                .iter()
                .filter(|goal| goal.minute + goal.stoppage == played)
                .collect();
            for (i, goal) in in_minute.iter().enumerate() {
                self.score(goal, f64::from(now) + (i + 1) as f64 / (in_minute.len() + 1) as f64);
            }
            now += 1;
            self.push(f64::from(now), played.min(period.to), kind::CLOCK, "".into());
        }
        self.put_right(period, now);
        self.push(f64::from(now), period.to, period.ends, "".into());
        now + 1
    }

    fn score(&mut self, goal: &Goal, at: f64) {
        self.score[goal.side] += 1;
        self.push(at, goal.minute, goal.kind, goal.player.clone().into());
    }

    /// The file's score rules at the end of a match, and before it for a side whose list of goals is wrong anyway.
    fn put_right(&mut self, period: &Period, now: u16) {
        let Some(known) = period.score else { return };
        let right = [0, 1].map(|side| {
            let listed = self.of.goals.iter().filter(|goal| goal.side == side).count();
            let complete = listed == usize::from(self.of.result[side]);
            if complete { self.score[side] } else { known[side] }
        });
        if right != self.score {
            self.score = right;
            self.push(f64::from(now), period.to, kind::CORRECTION, "".into());
        }
    }

    fn push(&mut self, at: f64, minute: u16, event: &'static str, player: Cow<'static, str>) {
        let [home_score, away_score] = self.score;
        self.events.push(Event {
            due: (self.due)(at),
            topic: self.topic,
            home_score,
            away_score,
            minute,
            event,
            player,
        });
    }
}

#[cfg(test)]
mod tests;
