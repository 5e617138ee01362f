//! A recorded run, once more: its plan to the last value, seed and all, and the feed settings that make it.
//!
//! ```text
//! run.json -> Plan + Changes -> Resolved, as from a scenario
//! ```
//!
//! A record of any version will do. What a record does not keep must be named again: the file of a replay (its name alone is
//! kept) and the server of a remote run.

use std::path::{Path, PathBuf};

use server::{FeedDescription, RECORDING, feed::Source, settings::FeedSettings};

use super::{
    PlanError, REPLAY_TAIL_S, Resolved, check, check_processes, check_repeats, check_restart, check_thresholds, joined,
    looks, setting, transport_ids,
};
use crate::{
    record::{Arrivals, Environment, FeedPlan, Plan, ReplaySource, RunRecord, Tool},
    report::format,
};

/// How far two lengths in seconds may be apart and be called the same: a rounding of text.
const SAME_S: f64 = 1e-3;

/// What may differ from the recorded run.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Where the replayed file is now.
    pub replay: Option<PathBuf>,
    pub repeats: Option<u32>,
    /// See [`crate::record::Looks`].
    pub until_settled: Option<u32>,
    /// On top of the recorded ones.
    pub thresholds: Vec<String>,
}

/// Why a run cannot be repeated. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LikeError {
    #[error(
        "the recorded run replayed {0}, of which its record keeps the name alone: say where it is with --replay {0}"
    )]
    ReplayMissing(String),
    #[error("the recorded run replayed no file: leave --replay out, or plan another run without --like")]
    NoReplay,
    #[error("{given} is not what was replayed ({file}): {fault}")]
    OtherReplay { given: String, file: String, fault: String },
    #[error("the recorded run measured a server elsewhere: say where it is with --target URL")]
    TargetMissing,
    #[error("the recorded run started its own servers: leave --target out, or plan another run without --like")]
    NoTarget,
    #[error("--target publishes another feed than the recorded one: {recorded} then, {now} now")]
    OtherTarget { recorded: String, now: String },
    #[error("the recorded plan cannot be run by this version")]
    Recorded(#[source] PlanError),
    /// What was asked for now is at fault, not the record.
    #[error(transparent)]
    Asked(#[from] PlanError),
}

/// The recorded plan with these changes; `target` is the feed of the server that `--target` names.
pub fn resolve_like(
    record: &RunRecord,
    changes: &Changes,
    target: Option<&FeedDescription>,
) -> Result<Resolved, LikeError> {
    let mut plan = record.plan.clone();
    plan.transports = transport_ids(Some(&plan.transports)).map_err(LikeError::Recorded)?;
    change(&mut plan, changes)?;
    check(&plan).map_err(LikeError::Recorded)?;
    check_processes(&plan).map_err(LikeError::Recorded)?;
    check_restart(&plan).map_err(LikeError::Recorded)?;
    let (feed, source) = feed(&plan, changes, target)?;
    Ok(Resolved { plan, feed, source })
}

/// Makes the changes, each checked for itself: what is refused after this is the record's.
fn change(plan: &mut Plan, changes: &Changes) -> Result<(), PlanError> {
    check_thresholds(&changes.thresholds, plan)?;
    plan.thresholds = joined(&plan.thresholds, &changes.thresholds);
    if let Some(repeats) = changes.repeats {
        check_repeats(repeats)?;
        // So many, whatever the recorded rule would have said.
        (plan.repeats, plan.looks) = (repeats, None);
    }
    if let Some(most) = changes.until_settled {
        plan.looks = Some(looks(plan, most)?);
    }
    Ok(())
}

fn feed(
    plan: &Plan,
    changes: &Changes,
    target: Option<&FeedDescription>,
) -> Result<(Option<FeedSettings>, Source), LikeError> {
    if changes.replay.is_some() && !matches!(plan.feed, FeedPlan::Replay { .. }) {
        return Err(LikeError::NoReplay);
    }
    if target.is_some() && !plan.remote {
        return Err(LikeError::NoTarget);
    }
    match &plan.feed {
        FeedPlan::Target { .. } => {
            let now = target.ok_or(LikeError::TargetMissing)?;
            same_target(&plan.feed, now)?;
            Ok((None, Source::default()))
        }
        FeedPlan::Simulated {
            topics,
            rate_hz,
            update_bytes,
            arrivals,
            burst_size,
        } => {
            let settings = FeedSettings {
                topics: Some(*topics),
                rate: Some(*rate_hz),
                payload: *update_bytes,
                arrivals: Some(setting(*arrivals)),
                burst_size: (*arrivals == Arrivals::Burst).then_some(*burst_size),
                seed: Some(plan.seed),
                ..FeedSettings::default()
            };
            let feed = settings.feed().map_err(PlanError::from);
            let (feed, _) = feed.map_err(LikeError::Recorded)?;
            Ok((Some(settings), feed.source))
        }
        FeedPlan::Replay {
            file,
            source,
            speed,
            topics,
            update_bytes,
            ..
        } => {
            // A table comes along: its name says all of it.
            let table = (*source == ReplaySource::Table).then(|| PathBuf::from(file));
            let given = changes.replay.clone().or(table);
            let given = given.ok_or_else(|| LikeError::ReplayMissing(file.clone()))?;
            let settings = FeedSettings {
                replay: Some(given.clone()),
                speed: Some(*speed),
                payload: *update_bytes,
                ..FeedSettings::default()
            };
            let source = same_replay(plan, (file, *source), *topics, &given, &settings)?;
            Ok((Some(settings), source))
        }
    }
}

/// A file of other matches, or of shorter ones, would measure something else under the recorded name.
fn same_replay(
    plan: &Plan,
    (file, source): (&str, ReplaySource),
    topics: u32,
    given: &Path,
    settings: &FeedSettings,
) -> Result<Source, LikeError> {
    let (mut feed, description) = settings.feed().map_err(PlanError::from)?;
    let other = |fault: String| LikeError::OtherReplay {
        given: given.display().to_string(),
        file: file.to_owned(),
        fault,
    };
    if description.topics != topics {
        let matches = |n: u32| format::of(n.into(), "match", "matches");
        return Err(other(format!(
            "it has {}, and {topics} were played",
            matches(description.topics)
        )));
    }
    if (description.kind == RECORDING) != (source == ReplaySource::Recording) {
        return Err(other("one of the two is a recording, the other is not".into()));
    }
    let Some(extent) = feed.extent else {
        return Ok(feed.source);
    };
    let ends_s = extent.length.as_secs_f64() + REPLAY_TAIL_S;
    let needed_s = plan.settle_s + plan.duration_s;
    if ends_s + SAME_S < needed_s {
        return Err(other(format!(
            "it ends after {ends_s:.1} s, and the run took {needed_s:.1} s of it"
        )));
    }
    if needed_s + SAME_S < ends_s {
        feed.source.results.clear();
    }
    Ok(feed.source)
}

fn same_target(recorded: &FeedPlan, now: &FeedDescription) -> Result<(), LikeError> {
    let words = |feed: &FeedPlan| {
        let FeedPlan::Target {
            topics,
            rate_hz,
            update_bytes,
        } = feed
        else {
            return String::new();
        };
        let known =
            |value: Option<f64>, unit: &str| format::known(value, |value| format!("{} {unit}", format::plain(value)));
        format!(
            "{}, {}, {}",
            format::of((*topics).into(), "topic", "topics"),
            known(*rate_hz, "updates/s per topic"),
            known(update_bytes.map(f64::from), "B each"),
        )
    };
    let now = FeedPlan::Target {
        topics: now.topics,
        rate_hz: now.rate_hz,
        update_bytes: now.update_bytes,
    };
    if *recorded == now {
        return Ok(());
    }
    Err(LikeError::OtherTarget {
        recorded: words(recorded),
        now: words(&now),
    })
}

/// In which ways this program and this machine are not the recorded ones, a line for each of the two.
pub fn differences(record: &RunRecord, tool: &Tool, machine: &Environment) -> Vec<String> {
    let (then, was) = (&record.tool, &record.environment);
    let tool = differing([
        ("version", then.version.clone(), tool.version.clone()),
        ("revision", then.revision.clone(), tool.revision.clone()),
        ("build", then.profile.clone(), tool.profile.clone()),
        ("rustc", then.rustc.clone(), tool.rustc.clone()),
    ]);
    let machine = differing([
        ("system", was.os.clone(), machine.os.clone()),
        ("kernel", was.kernel.clone(), machine.kernel.clone()),
        ("CPU", was.cpu_model.clone(), machine.cpu_model.clone()),
        ("cores", was.cores.to_string(), machine.cores.to_string()),
        (
            "memory",
            format::bytes(was.memory_bytes as f64),
            format::bytes(machine.memory_bytes as f64),
        ),
    ]);
    let line = |what: &str, parts: Option<String>| {
        parts.map(|parts| {
            format!("{what} is not the recorded one ({parts}): figures of the two runs may differ for that alone")
        })
    };
    [line("this program", tool), line("this machine", machine)]
        .into_iter()
        .flatten()
        .collect()
}

fn differing<const N: usize>(parts: [(&str, String, String); N]) -> Option<String> {
    let unknown = |text: String| if text.is_empty() { "unknown".to_owned() } else { text };
    let differing = parts.into_iter().filter(|(_, then, now)| then != now);
    let words: Vec<String> = differing
        .map(|(what, then, now)| format!("{what} {} then, {} now", unknown(then), unknown(now)))
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}
