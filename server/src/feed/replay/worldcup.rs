//! Reads what an openfootball worldcup.json says about its matches, and refuses what cannot be meant.
//!
//! ```text
//! {"matches": [{"team1": "Russia", "team2": "Egypt", "score": {"ht": [0,0], "ft": [3,1], "et": …, "p": …},
//!               "goals1": [{"name": "A. Fathi", "minute": 47, "owngoal": true}, …], "goals2": […]}]}
//! {"rounds": [{"matches": [{"team1": {"name": "Russia"}, "score1": 3, "score2": 1, "score1i": 0, "score2i": 0, …}]}]}
//! ```
//!
//! The files are written by hand and differ by year. A minute is a number, with stoppage beside it as `offset`, or a text like
//! `90+3`. Goals are in any order; own goals stand with the side that gains. `goals1`, `goals2`, `ht` may be missing; fixtures
//! not played yet have no score. The older files (the second line) keep matches in rounds, teams as objects, and a score in
//! numbers of its own: `i` after the first half, `et` after extra time, `p` of the shoot-out. Dates, grounds and groups are
//! left unread.

use std::{io::Read, path::Path};

use serde_json::Value;

use super::{
    Goal, Played, ReplayError, Score, minute,
    place::{At, Fault},
};
use crate::feed::kind;

/// A hundred times the real files.
pub const MAX_FILE_BYTES: u64 = 4 << 20;
/// As many as the feed has topics at most.
pub const MAX_MATCHES: usize = 10_000;
/// Goals of one side, in the score and in the list.
pub const MAX_GOALS: u16 = 99;
/// Bytes of a team's or player's name; 25 is the most in the real files.
pub const MAX_NAME_BYTES: usize = 80;

/// A file without score after extra time means stoppage by a goal in minute 92, extra time by one in minute 109. Up to here
/// it is stoppage.
const LAST_UNMARKED_STOPPAGE: u16 = 105;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tournament {
    pub played: Vec<Played>,
    /// Fixtures with neither score nor goals.
    pub not_played: usize,
}

/// The file's bytes, never more than [`MAX_FILE_BYTES`].
pub fn read(path: &Path, file: impl Read) -> Result<Vec<u8>, ReplayError> {
    let mut text = Vec::new();
    // Bounded while reading: the size a file claims is no promise.
    let read = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text);
    read.map_err(|error| ReplayError::Read {
        path: path.to_owned(),
        error,
    })?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(ReplayError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}

pub fn parse(file: &Value) -> Result<Tournament, Fault> {
    let file = At::top(file);
    let (place, fixtures) = fixtures(&file)?;
    let played = fixtures
        .iter()
        .filter_map(|item| played(item).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    if played.is_empty() {
        return Err(place.fault("at least one match with score or goals"));
    }
    Ok(Tournament {
        not_played: fixtures.len() - played.len(),
        played,
    })
}

/// Every fixture, and where they stand: in `matches`, or in those of each of the `rounds`.
fn fixtures<'a>(file: &At<'a>) -> Result<(At<'a>, Vec<At<'a>>), Fault> {
    const MATCHES: &str = "an array of matches";
    let Some(rounds) = file.optional("rounds")?.filter(|_| !file.has("matches")) else {
        let place = file.required("matches", MATCHES)?;
        let all = place.items(MAX_MATCHES)?;
        return Ok((place, all));
    };
    let mut all = Vec::new();
    for round in rounds.items(MAX_MATCHES)? {
        all.extend(round.required("matches", MATCHES)?.items(MAX_MATCHES - all.len())?);
    }
    Ok((rounds, all))
}

/// `None` for a fixture that has not been played.
fn played(item: &At) -> Result<Option<Played>, Fault> {
    let mut goals = goals_of(item, 0, "goals1")?;
    goals.extend(goals_of(item, 1, "goals2")?);
    let Some(scores) = scores(item, &goals)? else {
        return Ok(None);
    };
    let extra_time = scores.after_extra_time.is_some() || goals.iter().any(is_in_extra_time);
    if !extra_time {
        goals.iter_mut().for_each(count_on_from_90);
    }
    goals.sort_by_key(|goal| (goal.minute, goal.stoppage));
    let listed = [0, 1].map(|side| goals.iter().filter(|goal| goal.side == side).count() as u16);
    Ok(Some(Played {
        home: team(item, "team1")?,
        away: team(item, "team2")?,
        kick_off: None,
        half_time: scores.half_time,
        normal_time: scores.after_extra_time.and(scores.full_time),
        result: scores.after_extra_time.or(scores.full_time).unwrap_or(listed),
        extra_time,
        shootout: scores.shootout,
        goals,
    }))
}

/// A name, or an object that has one.
fn team(item: &At, side: &str) -> Result<String, Fault> {
    const NAME: &str = "a team's name";
    let at = item.required(side, NAME)?;
    match at.value {
        Value::Object(_) => at.required("name", NAME)?.text(MAX_NAME_BYTES),
        _ => at.text(MAX_NAME_BYTES),
    }
}

/// What is known of the score; all of it may be missing where goals are listed.
struct Scores {
    half_time: Option<Score>,
    full_time: Option<Score>,
    after_extra_time: Option<Score>,
    shootout: Option<Score>,
}

/// `None` where nothing was played: neither a score nor goals.
fn scores(item: &At, goals: &[Goal]) -> Result<Option<Scores>, Fault> {
    const FULL_TIME: &str = "the score after 90 minutes, like [2, 1]";
    let object = item.optional("score")?;
    let scores = match &object {
        Some(score) => Scores {
            half_time: pair(score, "ht")?,
            full_time: pair(score, "ft")?,
            after_extra_time: pair(score, "et")?,
            shootout: pair(score, "p")?,
        },
        None => Scores {
            half_time: two_numbers(item, "i")?,
            full_time: two_numbers(item, "")?,
            after_extra_time: two_numbers(item, "et")?,
            shootout: two_numbers(item, "p")?,
        },
    };
    if scores.shootout.is_some_and(|[home, away]| home == away) {
        let at = object.as_ref().map_or(Ok(None), |score| score.optional("p"))?;
        return Err(at.as_ref().unwrap_or(item).fault("a shoot-out that has a winner"));
    }
    let result = scores.after_extra_time.or(scores.full_time);
    let partly = scores.half_time.or(scores.shootout);
    match (&object, result, partly) {
        (_, Some(_), _) => Ok(Some(scores)),
        (Some(score), None, _) => Err(score.missing("ft", FULL_TIME)),
        (None, None, Some(_)) => Err(item.missing("score1", "the home side's goals after 90 minutes")),
        (None, None, None) => Ok((!goals.is_empty()).then_some(scores)),
    }
}

/// A score as `[2, 1]`.
fn pair(of: &At, name: &str) -> Result<Option<Score>, Fault> {
    let Some(at) = of.optional(name)? else { return Ok(None) };
    match at.items(2)?.as_slice() {
        [home, away] => Ok(Some([goals_in_score(home)?, goals_in_score(away)?])),
        _ => Err(at.fault("two numbers of goals")),
    }
}

/// A score as `"score1et": 2, "score2et": 1`.
fn two_numbers(item: &At, what: &str) -> Result<Option<Score>, Fault> {
    let [home, away] = [1, 2].map(|side| format!("score{side}{what}"));
    match (item.optional(&home)?, item.optional(&away)?) {
        (None, None) => Ok(None),
        (Some(at_home), Some(at_away)) => Ok(Some([goals_in_score(&at_home)?, goals_in_score(&at_away)?])),
        (Some(_), None) => Err(item.missing(&away, "the other side's goals as well")),
        (None, Some(_)) => Err(item.missing(&home, "the other side's goals as well")),
    }
}

fn goals_in_score(at: &At) -> Result<u16, Fault> {
    at.whole(0..=MAX_GOALS, "goals")
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

fn goals_of(item: &At, side: usize, name: &str) -> Result<Vec<Goal>, Fault> {
    let Some(list) = item.optional(name)? else {
        return Ok(Vec::new());
    };
    list.items(MAX_GOALS.into())?.iter().map(|at| goal(at, side)).collect()
}

fn goal(at: &At, side: usize) -> Result<Goal, Fault> {
    let (minute, stoppage) = minute::of(at)?;
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
