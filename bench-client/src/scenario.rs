//! Scenarios: what to measure, as TOML. Built in and readable in `scenarios/`, or a file of the user's own.
//!
//! ```text
//! scenarios/<name>.toml | FILE.toml -> ScenarioFile + overrides of the command line -> plan.rs
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;
use server::feed::replay;

use crate::record::{Arrivals, Bounds, Churn, Follow, Mode, RequestHeaders, Restart, Variant};

/// The scenario of a run that names none.
pub const DEFAULT: &str = "live-score";

/// Name and text of every scenario that comes with the program.
pub const BUILT_IN: [(&str, &str); 15] = [
    ("live-score", include_str!("../scenarios/live-score.toml")),
    ("smoke", include_str!("../scenarios/smoke.toml")),
    ("ten-thousand", include_str!("../scenarios/ten-thousand.toml")),
    ("fifty-thousand", include_str!("../scenarios/fifty-thousand.toml")),
    ("idle", include_str!("../scenarios/idle.toml")),
    ("goal-burst", include_str!("../scenarios/goal-burst.toml")),
    ("many-matches", include_str!("../scenarios/many-matches.toml")),
    ("real-matches", include_str!("../scenarios/real-matches.toml")),
    ("latest-state", include_str!("../scenarios/latest-state.toml")),
    ("no-keep-alive", include_str!("../scenarios/no-keep-alive.toml")),
    ("churn", include_str!("../scenarios/churn.toml")),
    ("reconnect-storm", include_str!("../scenarios/reconnect-storm.toml")),
    ("slow-readers", include_str!("../scenarios/slow-readers.toml")),
    ("large-updates", include_str!("../scenarios/large-updates.toml")),
    ("headers", include_str!("../scenarios/headers.toml")),
];

/// A scenario as it is written; what is left out has a default (see [`crate::plan`]).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// One line for lists.
    #[serde(default)]
    pub summary: String,
    /// What to expect and why, in markdown; the report prints it.
    #[serde(default)]
    pub analysis: String,
    pub transports: Option<Vec<String>>,
    pub repeats: Option<u32>,
    pub clients: Option<u32>,
    pub follow: Option<Follow>,
    pub topics: Option<u32>,
    pub rate_hz: Option<f64>,
    pub update_bytes: Option<u32>,
    pub arrivals: Option<Arrivals>,
    pub burst_size: Option<u32>,
    /// A worldcup.json or a recording to play instead, relative to the scenario's file; or the name of a table that comes along.
    pub replay: Option<PathBuf>,
    pub speed: Option<f64>,
    pub mode: Option<Mode>,
    pub poll_interval_ms: Option<u64>,
    pub wait_ms: Option<u64>,
    pub request_headers: Option<RequestHeaders>,
    pub keep_alive: Option<bool>,
    pub seed: Option<u64>,
    pub settle_s: Option<f64>,
    pub duration_s: Option<f64>,
    pub ramp_per_s: Option<f64>,
    /// Clients that leave and come back.
    pub churn: Option<Churn>,
    /// A server that is killed in the window, and comes back.
    pub restart: Option<Restart>,
    /// Random pauses before clients try again.
    pub backoff_jitter: Option<bool>,
    /// Connections beside the clients that never read.
    pub stalled_clients: Option<u32>,
    /// Processes the clients are spread over, and server processes.
    pub workers: Option<u32>,
    pub nodes: Option<u32>,
    /// Where a row becomes suspect or invalid; what is left out keeps its default.
    pub bounds: Option<Bounds>,
    /// What must hold, such as `websocket.latency_p99_ms < 50`.
    pub thresholds: Option<Vec<String>>,
    /// Two techniques are called equivalent when they differ by less than this share.
    pub margin: Option<f64>,
    /// The same plan with some of what clients do done otherwise, each measured beside the others.
    pub variants: Option<Vec<Variant>>,
    /// Measure even when the window holds too few updates for honest quantiles.
    pub force: Option<bool>,
}

/// A scenario with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    pub name: String,
    pub file: ScenarioFile,
}

/// Why a scenario could not be read. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("no scenario {name:?}{}; `list` shows them all, and a name that ends in .toml is read as a file", suggestion(.nearest.as_deref()))]
    Unknown { name: String, nearest: Option<String> },
    #[error("scenario {path}: {error}")]
    Read { path: String, error: std::io::Error },
    /// The parser's message names line and column and shows the line.
    #[error("scenario {name}: {error}")]
    Syntax { name: String, error: toml::de::Error },
}

/// "did you mean", for messages about a name that does not exist.
pub fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(" (did you mean {nearest}?)"))
}

/// The known name most like a wrong one, when it is like it at all.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const ALIKE: f64 = 0.6;
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(wrong, name), name));
    let (score, name) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score >= ALIKE).then(|| name.to_owned())
}

impl Scenario {
    /// Reads a built-in scenario by name, or a file by its path (it ends in `.toml`).
    pub fn load(name: &str) -> Result<Self, ScenarioError> {
        if name.ends_with(".toml") {
            return Self::from_file(Path::new(name));
        }
        match BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
            Some((_, text)) => Self::parse(name, text),
            None => Err(ScenarioError::Unknown {
                name: name.to_owned(),
                nearest: nearest(name, BUILT_IN.iter().map(|(name, _)| *name)),
            }),
        }
    }

    fn from_file(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|error| ScenarioError::Read {
            path: path.display().to_string(),
            error,
        })?;
        let stem = path
            .file_stem()
            .map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy());
        let mut scenario = Self::parse(&name_of(&stem), &text)?;
        let replayed = scenario.file.replay.as_mut().filter(|file| !replay::is_named(file));
        if let (Some(file), Some(folder)) = (replayed, path.parent()) {
            // Joining would lose the dot that tells a file from a table of the same name.
            let folder = if folder == Path::new("") {
                Path::new(".")
            } else {
                folder
            };
            *file = folder.join(&file);
        }
        Ok(scenario)
    }

    /// Reads the text of a scenario.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let file = toml::from_str(text).map_err(|error| ScenarioError::Syntax {
            name: name.to_owned(),
            error,
        })?;
        Ok(Self {
            name: name.to_owned(),
            file,
        })
    }

    /// Real matches or a recording, named on the command line.
    pub fn replay(file: &Path) -> Self {
        let name = file
            .file_stem()
            .map_or_else(|| "replay".into(), |stem| stem.to_string_lossy());
        let (summary, analysis) = match replay::is_recording(file) {
            true => ("What a server published, once more", RECORDING_ANALYSIS),
            false => ("Real matches, all in parallel, faster than they were", REPLAY_ANALYSIS),
        };
        let file = ScenarioFile {
            summary: summary.to_owned(),
            analysis: analysis.to_owned(),
            replay: Some(file.to_owned()),
            repeats: Some(1),
            ..Default::default()
        };
        Self {
            name: name_of(&name),
            file,
        }
    }
}

const REPLAY_ANALYSIS: &str = "Every match of the file is a topic, and client *i* follows topic *i* mod N. A match ticks once a \
minute of play, so for most of the time nothing happens: short polling asks in vain, and what it costs is set by its interval \
and not by the game. Goals come when they come. The final scores below are what the clients ended with.";

const RECORDING_ANALYSIS: &str = "Every match of the recording is a topic, and client *i* follows topic *i* mod N. Updates are due as \
they were when they were recorded, bursts and silence included, so that what was seen once can be measured again. With bursts and \
silence look at the stale share rather than at the age. The final scores below are what the clients ended with.";

/// A name fit for a folder: what is no letter, digit, dash or dot becomes a dash.
fn name_of(stem: &str) -> String {
    let name: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') {
                c
            } else {
                '-'
            }
        })
        .collect();
    let name: String = name.trim_matches(['-', '.']).chars().take(60).collect();
    if name.is_empty() { "scenario".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_scenario_reads_and_says_what_it_is_for() {
        for (name, _) in BUILT_IN {
            let scenario = Scenario::load(name).unwrap();
            assert!(
                !scenario.file.summary.is_empty() && !scenario.file.analysis.is_empty(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest() {
        let error = Scenario::load("live-scores").unwrap_err().to_string();
        assert!(error.contains("did you mean live-score?"), "{error}");
        let error = Scenario::load("zzz").unwrap_err().to_string();
        assert!(!error.contains("did you mean"), "{error}");
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_named_with_their_line() {
        let error = Scenario::parse("x", "clients = 10\nclinets = 5\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2, column 1") && error.contains("clinets"),
            "{error}"
        );
        let error = Scenario::parse("x", "clients = \"many\"\n").unwrap_err().to_string();
        assert!(error.contains("line 1, column 11"), "{error}");
    }

    #[test]
    fn names_are_fit_for_folders() {
        assert_eq!(name_of("../my run: é"), "my-run");
        assert_eq!(name_of("///"), "scenario");
    }
}
