//! Where calibrations are kept: a file for each transport, machine and settings, beside the runs.
//!
//! ```text
//! results/calibration/<transport>-<clients>-<hash of everything that must be the same>.json
//! ```
//!
//! The file says itself what it is for, and is believed only where that is the same to the letter: the name is a way to find it.
//! The build's version and profile belong to it, because the client's code is what is measured; its revision is kept and shown.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::possible;
use crate::{
    environment,
    record::{Calibration, Environment, FeedPlan, Follow, Mode, Plan, RequestHeaders},
    report::{file, histogram::Distribution},
};

/// The folder, seen from where the program runs.
pub const FOLDER: &str = "results/calibration";

/// What the client's share depends on. Seed, repeats and lengths are not in it: they change how well it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Conditions {
    version: String,
    profile: String,
    cpu_model: String,
    cores: u32,
    kernel: String,
    transport: String,
    clients: u32,
    follow: Follow,
    feed: FeedPlan,
    mode: Mode,
    poll_interval_ms: u64,
    wait_ms: u64,
    request_headers: RequestHeaders,
    keep_alive: bool,
}

/// One file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    conditions: Conditions,
    calibration: Calibration,
}

impl Conditions {
    fn of(plan: &Plan, machine: &Environment, transport: &str) -> Self {
        let tool = environment::tool();
        Self {
            version: tool.version,
            profile: tool.profile,
            cpu_model: machine.cpu_model.clone(),
            cores: machine.cores,
            kernel: machine.kernel.clone(),
            transport: transport.to_owned(),
            clients: plan.clients,
            follow: plan.follow,
            feed: plan.feed.clone(),
            mode: plan.mode,
            poll_interval_ms: plan.poll_interval_ms,
            wait_ms: plan.wait_ms,
            request_headers: plan.request_headers,
            keep_alive: plan.keep_alive,
        }
    }

    fn file_name(&self) -> String {
        // Another compiler may hash otherwise: then the file is not found, and made again.
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(self).unwrap_or_default().hash(&mut hasher);
        format!("{}-{}-{:016x}.json", self.transport, self.clients, hasher.finish())
    }
}

/// Keeps a calibration, in place of one of the same conditions.
pub fn keep(folder: &Path, plan: &Plan, machine: &Environment, calibration: &Calibration) -> anyhow::Result<PathBuf> {
    let conditions = Conditions::of(plan, machine, &calibration.transport);
    let path = folder.join(conditions.file_name());
    let kept = Kept {
        conditions,
        calibration: calibration.clone(),
    };
    let mut json = serde_json::to_vec_pretty(&kept).context("the calibration could not be encoded")?;
    json.push(b'\n');
    file::write(&path, &json)?;
    Ok(path)
}

/// The calibrations that were made under the plan's conditions on this machine. One that cannot be read is said and left out.
pub fn matching(folder: &Path, plan: &Plan, machine: &Environment, mut say: impl FnMut(&str)) -> Vec<Calibration> {
    let mut found = Vec::new();
    let applies = possible(plan);
    for id in plan.transports.iter().filter(|_| applies) {
        let conditions = Conditions::of(plan, machine, id);
        let path = folder.join(conditions.file_name());
        match read(&path, &conditions) {
            Ok(calibration) => found.extend(calibration),
            Err(error) => say(&format!(
                "{} is left out: {error:#}; `calibrate` makes it again",
                path.display()
            )),
        }
    }
    found
}

/// None where there is no such file.
fn read(path: &Path, conditions: &Conditions) -> anyhow::Result<Option<Calibration>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let kept: Kept = serde_json::from_slice(&text).context("it is no calibration")?;
    ensure!(
        kept.conditions == *conditions && kept.calibration.transport == conditions.transport,
        "it is of other conditions than its name says"
    );
    Distribution::decode(&kept.calibration.latency)?;
    Ok(Some(kept.calibration))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan, report::histogram, scenario::Scenario};

    fn plan_of(overrides: &plan::Overrides) -> Plan {
        let scenario = Scenario::load("live-score").expect("a built-in scenario");
        plan::resolve(&scenario, overrides).expect("a good plan").plan
    }

    fn calibration() -> Calibration {
        let mut values = histogram::new();
        values.saturating_record(42);
        Calibration {
            transport: "sse".into(),
            latency: histogram::encode(&values, 0, 0),
            client_cpu_us_per_update: Some(7.3),
            taken_utc: "2026-03-01T12:00:00Z".into(),
            revision: "0123abc".into(),
        }
    }

    /// What is found for a plan, and what is said meanwhile.
    fn found(folder: &Path, plan: &Plan, machine: &Environment) -> (Vec<Calibration>, Vec<String>) {
        let mut said = Vec::new();
        let found = matching(folder, plan, machine, |line| said.push(line.to_owned()));
        (found, said)
    }

    #[test]
    fn it_is_found_under_the_same_conditions_and_no_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let (usual, machine) = (plan_of(&plan::Overrides::default()), environment::describe());
        assert_eq!(found(folder.path(), &usual, &machine), (vec![], vec![]));
        keep(folder.path(), &usual, &machine, &calibration()).expect("kept");
        assert_eq!(found(folder.path(), &usual, &machine), (vec![calibration()], vec![]));

        let longer = plan::Overrides {
            duration_s: Some(9.0),
            repeats: Some(7),
            seed: Some(3),
            ..plan::Overrides::default()
        };
        assert_eq!(found(folder.path(), &plan_of(&longer), &machine).0.len(), 1);
        let with = |change: fn(&mut Plan)| {
            let mut plan = usual.clone();
            change(&mut plan);
            plan
        };
        for other in [
            with(|plan| plan.clients += 1),
            with(|plan| plan.follow = Follow::All),
            with(|plan| plan.mode = Mode::Latest),
            with(|plan| plan.poll_interval_ms += 1),
            with(|plan| plan.wait_ms += 1),
            with(|plan| plan.request_headers = RequestHeaders::Minimal),
            with(|plan| plan.keep_alive = false),
            with(|plan| plan.remote = true),
            with(|plan| plan.transports.retain(|id| id != "sse")),
            plan_of(&plan::Overrides {
                rate_hz: Some(5.5),
                ..plan::Overrides::default()
            }),
            plan_of(&plan::Overrides {
                update_bytes: Some(300),
                ..plan::Overrides::default()
            }),
        ] {
            assert_eq!(found(folder.path(), &other, &machine), (vec![], vec![]), "{other:?}");
        }
        for other in [
            Environment {
                cores: machine.cores + 1,
                ..machine.clone()
            },
            Environment {
                kernel: "other".into(),
                ..machine.clone()
            },
            Environment {
                cpu_model: "other".into(),
                ..machine.clone()
            },
        ] {
            assert_eq!(found(folder.path(), &usual, &other), (vec![], vec![]), "{other:?}");
        }
    }

    #[test]
    fn a_damaged_one_is_said_and_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let (usual, machine) = (plan_of(&plan::Overrides::default()), environment::describe());
        let path = keep(folder.path(), &usual, &machine, &calibration()).expect("kept");
        let good = std::fs::read_to_string(&path).expect("just written");
        for (damaged, why) in [
            (String::new(), "no calibration"),
            (
                good.replace("\"clients\": 2000", "\"clients\": 2001"),
                "other conditions",
            ),
            (
                good.replace("\"transport\": \"sse\"", "\"transport\": \"sso\""),
                "other conditions",
            ),
            (good.replace("\"count\": 1", "\"count\": 2"), "holds 1 values"),
        ] {
            std::fs::write(&path, damaged).expect("it can be written");
            let (found, said) = found(folder.path(), &usual, &machine);
            assert_eq!((found.len(), said.len()), (0, 1), "{said:?}");
            assert!(said[0].contains(why) && said[0].contains("`calibrate`"), "{said:?}");
        }
    }
}
