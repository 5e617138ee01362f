//! The table of real matches that comes along: facts in a form of our own, so that nobody needs a file to see real ones.
//!
//! ```text
//! knock-out-2022.toml (built in) -> Played, as from any file
//! ```
//!
//! A name of [`NAMES`] means the table wherever a replay's file is named, whether or not a file is called so as well: what is
//! played must not depend on the folder. Such a file is meant by its path, `./knock-out-2022`.

use std::path::Path;

use serde::Deserialize;
use toml::value::Datetime;

use super::{Goal, Played, Score, minute, worldcup::MAX_NAME_BYTES};
use crate::feed::kind;

/// The table's name, as `--replay` takes it.
pub const NAMES: [&str; 1] = ["knock-out-2022"];
const KNOCK_OUT_2022: &str = include_str!("knock-out-2022.toml");

/// Whether this is the name of a table and not a path.
pub fn is_named(source: &Path) -> bool {
    // Compared as written: `./knock-out-2022` is a file.
    NAMES.iter().any(|name| source.as_os_str() == *name)
}

/// The matches of the table of this name.
pub fn of(source: &Path) -> Option<Vec<Played>> {
    // It is part of the program: a test reads it, and no user can break it.
    is_named(source).then(|| read(KNOCK_OUT_2022).expect("the table that comes along is whole"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "match")]
    matches: Vec<Listed>,
}

/// A match as it is listed. What is left out is empty or false.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// For whoever reads the table.
    #[serde(rename = "round")]
    _round: String,
    kick_off: Datetime,
    home: String,
    away: String,
    score: Score,
    #[serde(default)]
    extra_time: bool,
    shootout: Option<Score>,
    #[serde(default)]
    home_goals: Vec<String>,
    #[serde(default)]
    away_goals: Vec<String>,
}

/// Errors name the place in words: whoever edits the table reads them in a failing test.
fn read(text: &str) -> Result<Vec<Played>, String> {
    let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    table.matches.into_iter().map(played).collect()
}

fn played(listed: Listed) -> Result<Played, String> {
    let name = format!("{} - {}", listed.home, listed.away);
    let mut goals = Vec::new();
    for (side, of_side) in [&listed.home_goals, &listed.away_goals].into_iter().enumerate() {
        for text in of_side {
            goals.push(goal(text, side).ok_or_else(|| format!("{name}: {text:?} is no goal"))?);
        }
    }
    goals.sort_by_key(|goal| (goal.minute, goal.stoppage));
    let scored =
        |until: u16| [0, 1].map(|side| goals.iter().filter(|g| g.side == side && g.minute <= until).count() as u16);
    if scored(minute::MAX) != listed.score {
        return Err(format!(
            "{name}: the goals listed do not make the score {:?}",
            listed.score
        ));
    }
    if goals.iter().any(|goal| goal.minute > 90) && !listed.extra_time {
        return Err(format!("{name}: a goal after minute 90, and no extra time"));
    }
    Ok(Played {
        home: listed.home,
        away: listed.away,
        kick_off: Some(listed.kick_off.to_string()),
        half_time: Some(scored(45)),
        normal_time: listed.extra_time.then(|| scored(90)),
        result: listed.score,
        extra_time: listed.extra_time,
        shootout: listed.shootout,
        goals,
    })
}

/// A goal like `45+1 Daley Blind` or `23 Lionel Messi (penalty)`.
fn goal(text: &str, side: usize) -> Option<Goal> {
    const MARKS: [(&str, &str); 2] = [(" (penalty)", kind::PENALTY_GOAL), (" (own goal)", kind::OWN_GOAL)];
    let (when, who) = text.split_once(' ')?;
    let (minute, stoppage) = minute::read(when)?;
    let marked = MARKS
        .iter()
        .find_map(|(mark, kind)| Some((who.strip_suffix(mark)?, *kind)));
    let (player, kind) = marked.unwrap_or((who, kind::GOAL));
    let minute = u16::try_from(minute)
        .ok()
        .filter(|minute| (1..=minute::MAX).contains(minute))?;
    let stoppage = u16::try_from(stoppage.unwrap_or(0)).ok()?;
    let fits = stoppage == 0 || (stoppage <= minute::MAX_STOPPAGE && minute::PERIOD_ENDS.contains(&minute));
    (fits && (1..=MAX_NAME_BYTES).contains(&player.len())).then(|| Goal {
        minute,
        stoppage,
        side,
        kind,
        player: player.to_owned(),
    })
}

#[cfg(test)]
mod tests;
