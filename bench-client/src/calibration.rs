//! What the client alone adds: each transport of a plan, measured once against a null server that only writes prepared bytes.
//!
//! ```text
//! plan -> run::against_null, row by row -> verdict.rs -> Calibration -> kept.rs: results/calibration/… -> `run` with the same settings -> record
//! ```
//!
//! It says how much of a latency is the client's where the server costs next to nothing. It is no bound for a run: a real server writes
//! more slowly, so less queues up at the client, and takes more CPU, so the client waits longer for a core. It is measured on
//! request and kept, because it changes with the machine and the settings, not from run to run.

mod command;
pub mod kept;
mod verdict;

use std::{path::Path, time::SystemTime};

use crate::{
    environment,
    plan::updates_per_client_s,
    record::{Calibration, Environment, Outcome, Plan, Verdict},
    report::histogram::{self, Distribution},
    run::{Setting, against_null},
};

pub use command::command;

/// How it went, all transports together.
#[derive(Default)]
pub struct Ended {
    /// What was measured to its end.
    pub done: Vec<Done>,
    pub interrupted: bool,
    /// A transport could not be measured, or not be kept: the reason was said.
    pub failed: bool,
    /// A transport was measured, and is not kept: what was observed meanwhile says that the figures are not the client's.
    pub invalid: bool,
}

/// A transport that was measured.
pub struct Done {
    pub calibration: Calibration,
    pub latency: Distribution,
}

/// False for a plan that publishes nothing, for a server elsewhere, whose bytes are not ours to write, and with variants: a calibration is of
/// one kind of client.
pub fn possible(plan: &Plan) -> bool {
    let one_process_each = plan.workers == 1 && plan.nodes == 1;
    one_process_each && !plan.remote && plan.variants.is_empty() && updates_per_client_s(plan) != Some(0.0)
}

/// Measures every transport of the plan against a null server, and keeps each in `folder` as soon as it is done.
pub async fn calibrate(setting: &Setting<'_>, folder: &Path) -> Ended {
    let plan = &setting.resolved.plan;
    let machine = environment::describe();
    let mut ended = Ended::default();
    for (index, id) in plan.transports.iter().enumerate() {
        let measured = match transport(setting, &machine, index, id).await {
            Ok(measured) => measured,
            Err(Cut::Interrupted) => {
                ended.interrupted = true;
                break;
            }
            Err(Cut::Failed) => {
                ended.failed = true;
                continue;
            }
            Err(Cut::Invalid) => {
                ended.invalid = true;
                continue;
            }
        };
        if let Err(error) = kept::keep(folder, plan, &machine, &measured.calibration) {
            setting.progress.say(&format!("{id} is not kept: {error:#}"));
            ended.failed = true;
        }
        ended.done.push(measured);
    }
    setting.progress.done();
    ended
}

/// Why a transport was not measured to its end.
enum Cut {
    Interrupted,
    Failed,
    Invalid,
}

/// All repeats of one transport, added up.
async fn transport(setting: &Setting<'_>, machine: &Environment, index: usize, id: &str) -> Result<Done, Cut> {
    let plan = &setting.resolved.plan;
    let rows = plan.transports.len() * plan.repeats as usize;
    let mut latency = Distribution::empty();
    let (mut client_cpu_s, mut deliveries) = (Some(0.0), 0);
    for repeat in 1..=plan.repeats {
        if setting.interrupt.is_cancelled() {
            return Err(Cut::Interrupted);
        }
        let before = index * plan.repeats as usize + repeat as usize - 1;
        setting.progress.row(before, rows, id, repeat, plan.repeats);
        let (added, mut row) = against_null(setting, id, repeat).await;
        let (verdict, findings) = verdict::judged(plan, machine, &mut row);
        let reason = match row.outcome {
            Outcome::Ok if added.count() > 0 => {
                for finding in &findings {
                    setting.progress.say(&format!("{id}, repeat {repeat} is {finding}"));
                }
                if verdict == Verdict::Invalid {
                    setting
                        .progress
                        .say(&format!("{id} is not kept: measure it again when that is over"));
                    return Err(Cut::Invalid);
                }
                latency.merge(&added);
                client_cpu_s = client_cpu_s.zip(row.figures.client_cpu_s).map(|(sum, one)| sum + one);
                deliveries += row.figures.deliveries.unwrap_or(0);
                continue;
            }
            Outcome::Ok => "nothing was received within the window".to_owned(),
            Outcome::Interrupted => return Err(Cut::Interrupted),
            Outcome::Failed { reason } => reason,
        };
        setting.progress.say(&format!("{id}, repeat {repeat}: {reason}"));
        for fault in &row.faults {
            setting.progress.say(&format!("  {fault}"));
        }
        return Err(Cut::Failed);
    }
    let calibration = Calibration {
        transport: id.to_owned(),
        latency: histogram::encode(&latency.histogram, latency.lost, latency.negative),
        client_cpu_us_per_update: client_cpu_s
            .filter(|_| deliveries > 0)
            .map(|cpu_s| cpu_s * 1e6 / deliveries as f64),
        taken_utc: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        revision: environment::tool().revision,
    };
    Ok(Done { calibration, latency })
}
