//! Reads what an openfootball worldcup.json says about its matches, and refuses what cannot be meant.
//!
//! ```text
//! {"matches": [{"team1": "Russia", "team2": "Egypt", "score": {"ht": [0,0], "ft": [3,1], "et": …, "p": …},
//!               "goals1": [{"name": "A. Fathi", "minute": 47, "owngoal": true}, …], "goals2": […]}]}
//! ```
//!
//! The files are written by hand and differ by year. A minute is a number, with stoppage beside it as `offset`, or a text like
//! `90+3`. Goals are in any order; own goals stand with the side that gains. `goals1`, `goals2`, `ht` may be missing; fixtures
//! not played yet have no score. Dates, grounds and groups are left unread.

use std::{fs::File, io::Read, path::Path};

use serde_json::Value;

use super::{
    ReplayError,
    place::{At, Fault},
};
use crate::feed::kind;

/// A hundred times the real files.
pub const MAX_FILE_BYTES: u64 = 4 << 20;
/// As many as the feed has topics at most.
pub const MAX_MATCHES: usize = 10_000;
/// Goals of one side, in the score and in the list.
pub const MAX_GOALS: u16 = 99;
/// The end of extra time; more stands in the stoppage.
pub const MAX_MINUTE: u16 = 120;
/// Stoppage minutes of one period; 13 is the most in the real files.
pub const MAX_STOPPAGE: u16 = 30;
/// Bytes of a team's or player's name; 25 is the most in the real files.
pub const MAX_NAME_BYTES: usize = 80;

/// Where a period ends and stoppage may be counted on.
const PERIOD_ENDS: [u16; 4] = [45, 90, 105, 120];
/// A file without score after extra time means stoppage by a goal in minute 92, extra time by one in minute 109. Up to here
/// it is stoppage.
const LAST_UNMARKED_STOPPAGE: u16 = 105;

/// Goals of side 1 (home) and side 2 (away).
pub type Score = [u16; 2];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tournament {
    pub played: Vec<Played>,
    /// Fixtures with neither score nor goals.
    pub not_played: usize,
}

/// A match as the file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    pub home: String,
    pub away: String,
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
    /// 1 to [`MAX_MINUTE`].
    pub minute: u16,
    /// Minutes after the end of the period; 0 unless `minute` is 45, 90, 105 or 120.
    pub stoppage: u16,
    /// Who gains: 0 home, 1 away.
    pub side: usize,
    /// `goal`, `own_goal` or `penalty_goal`.
    pub kind: &'static str,
    pub player: String,
}

/// The file's bytes, never more than [`MAX_FILE_BYTES`].
pub fn read(path: &Path) -> Result<Vec<u8>, ReplayError> {
    let failed = |error| ReplayError::Read {
        path: path.to_owned(),
        error,
    };
    let mut text = Vec::new();
    // Bounded while reading: the size a file claims is no promise.
    File::open(path)
        .map_err(failed)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(ReplayError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}

pub fn parse(file: &Value) -> Result<Tournament, Fault> {
    let file = At::top(file);
    let fixtures = file.required("matches", "an array of matches")?;
    let items = fixtures.items(MAX_MATCHES)?;
    let played = items
        .iter()
        .filter_map(|item| played(item).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    if played.is_empty() {
        return Err(fixtures.fault("at least one match with score or goals"));
    }
    Ok(Tournament {
        not_played: items.len() - played.len(),
        played,
    })
}

/// `None` for a fixture that has not been played.
fn played(item: &At) -> Result<Option<Played>, Fault> {
    let score = item.optional("score")?;
    let mut goals = goals_of(item, 0, "goals1")?;
    goals.extend(goals_of(item, 1, "goals2")?);
    let part = |name| {
        score.as_ref().map_or(Ok(None), |score| {
            score.optional(name)?.map(|at| score_at(&at)).transpose()
        })
    };
    let (half_time, full_time, after_extra_time, shootout) = (part("ht")?, part("ft")?, part("et")?, part("p")?);
    let result = after_extra_time.or(full_time);
    match &score {
        None if goals.is_empty() => return Ok(None),
        Some(score) if result.is_none() => drop(score.required("ft", "the score after 90 minutes, like [2, 1]")?),
        _ => {}
    }
    let extra_time = after_extra_time.is_some() || goals.iter().any(is_in_extra_time);
    if !extra_time {
        goals.iter_mut().for_each(count_on_from_90);
    }
    goals.sort_by_key(|goal| (goal.minute, goal.stoppage));
    let listed = [0, 1].map(|side| goals.iter().filter(|goal| goal.side == side).count() as u16);
    Ok(Some(Played {
        home: item.required("team1", "a team's name")?.text(MAX_NAME_BYTES)?,
        away: item.required("team2", "a team's name")?.text(MAX_NAME_BYTES)?,
        half_time,
        normal_time: after_extra_time.and(full_time),
        result: result.unwrap_or(listed),
        extra_time,
        shootout,
        goals,
    }))
}

/// Whether a goal alone shows that there was extra time.
fn is_in_extra_time(goal: &Goal) -> bool {
    goal.minute + goal.stoppage > LAST_UNMARKED_STOPPAGE && goal.minute > 90
}

/// Minute 92 of a match without extra time is minute 90+2.
fn count_on_from_90(goal: &mut Goal) {
    if goal.minute > 90 {
        goal.stoppage += goal.minute - 90;
        goal.minute = 90;
    }
}

fn score_at(at: &At) -> Result<Score, Fault> {
    let goals = |at: &At| at.whole(0..=MAX_GOALS, "goals");
    match at.items(2)?.as_slice() {
        [home, away] => Ok([goals(home)?, goals(away)?]),
        _ => Err(at.fault("two numbers of goals")),
    }
}

fn goals_of(item: &At, side: usize, name: &str) -> Result<Vec<Goal>, Fault> {
    let Some(list) = item.optional(name)? else {
        return Ok(Vec::new());
    };
    list.items(MAX_GOALS.into())?.iter().map(|at| goal(at, side)).collect()
}

fn goal(at: &At, side: usize) -> Result<Goal, Fault> {
    let (minute, stoppage) = minute_of(at)?;
    let kind = match (at.flag("owngoal")?, at.flag("penalty")?) {
        (true, _) => kind::OWN_GOAL,
        (false, true) => kind::PENALTY_GOAL,
        (false, false) => kind::GOAL,
    };
    let player = at.required("name", "the scorer's name")?.text(MAX_NAME_BYTES)?;
    Ok(Goal {
        minute,
        stoppage,
        side,
        kind,
        player,
    })
}

const MINUTE: &str = "a number or text like \"90+3\"";

/// Minute and stoppage, from `90` and `"offset": 3` or from `"90+3"`.
fn minute_of(goal: &At) -> Result<(u16, u16), Fault> {
    let at = goal.required("minute", MINUTE)?;
    let (minute, in_text) = match at.value {
        Value::String(text) => minute_text(text).ok_or_else(|| at.fault(MINUTE))?,
        Value::Number(number) => (
            number.as_u64().ok_or_else(|| at.fault("a whole number of minutes"))?,
            None,
        ),
        _ => return Err(at.fault(MINUTE)),
    };
    let minute = at.bounded(minute, 1..=MAX_MINUTE, "a minute")?;
    let offset = goal.optional("offset")?;
    let stoppage = match (in_text, offset) {
        (Some(_), Some(offset)) => return Err(offset.fault("no offset beside a minute with its own \"+\"")),
        (Some(in_text), None) => at.bounded(in_text, 0..=MAX_STOPPAGE, "stoppage")?,
        (None, Some(offset)) => offset.whole(0..=MAX_STOPPAGE, "stoppage")?,
        (None, None) => 0,
    };
    if stoppage > 0 && !PERIOD_ENDS.contains(&minute) {
        return Err(at.fault("minute 45, 90, 105 or 120, because stoppage is counted on from it"));
    }
    Ok((minute, stoppage))
}

/// Minute and, after a plus, stoppage: plain decimal numbers.
fn minute_text(text: &str) -> Option<(u64, Option<u64>)> {
    let number = |text: &str| {
        let text = text.trim();
        // `parse` would also take "+3", so that "90++3" passed.
        text.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten()
    };
    match text.split_once('+') {
        Some((minute, stoppage)) => Some((number(minute)?, Some(number(stoppage)?))),
        None => Some((number(text)?, None)),
    }
}
