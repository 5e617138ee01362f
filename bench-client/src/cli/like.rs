//! `run --like DIR`: the plan of a recorded run instead of a scenario's.

use std::path::Path;

use super::{
    Failure,
    run::{RunArgs, check_served, target_feed},
    usage,
};
use crate::{
    control::Control,
    environment,
    plan::{self, Changes, Resolved},
    progress, run,
};

/// The record says all of this; a flag that contradicts it makes another run.
pub const CONFLICTS: [&str; 14] = [
    "scenario",
    "transports",
    "clients",
    "rate",
    "payload",
    "poll_interval",
    "duration",
    "topics",
    "mode",
    "seed",
    "speed",
    "workers",
    "nodes",
    "force",
];

pub async fn resolve(dir: &Path, arguments: &RunArgs, target: Option<&Control>) -> Result<Resolved, Failure> {
    let record = run::load(dir).map_err(usage)?;
    let changes = Changes {
        replay: arguments.plan.replay.clone(),
        repeats: arguments.plan.repeats,
        until_settled: arguments.until_settled,
        thresholds: arguments.thresholds.clone(),
    };
    let feed = match target {
        Some(control) => Some(target_feed(control).await?),
        None => None,
    };
    let resolved = plan::resolve_like(&record, &changes, feed.as_ref()).map_err(usage)?;
    if let Some(control) = target {
        check_served(&resolved, control).await?;
    }
    for difference in plan::differences(&record, &environment::tool(), &environment::describe()) {
        progress::tell(&format!("warning: {difference}"));
    }
    Ok(resolved)
}
