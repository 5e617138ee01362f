//! A run: every row of the plan, one after another, saved as each ends.
//!
//! ```text
//! Plan -> row.rs (phases.rs: start, ramp, settle, measure, drain) -> figures.rs -> Row -> RunRecord -> run.json and reports, row by row
//! ```
//!
//! One row that fails is a row with an error, not a lost run. Ctrl-C ends the row under way with what it has measured.

pub(crate) mod clients;
mod ending;
mod figures;
mod final_scores;
mod health;
mod nodes;
mod null;
mod phases;
mod published;
mod recorder;
mod recovery;
mod restart;
mod row;
pub mod sampler;
mod stalled;
pub mod underway;
pub(crate) mod window;

pub use null::against_null;

use std::{
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::{
    calibration::kept,
    control::Control,
    environment, floor,
    plan::Resolved,
    progress::Progress,
    record::{self, Outcome, Plan, RunRecord, RunStatus, SCHEMA_VERSION, Transport},
    report,
    statistics::looks::{self, most_repeats},
    validity,
};
use underway::Underway;

/// Name of the schema beside run.json.
const SCHEMA_FILE: &str = "run.schema.json";

/// Faults of a failed row that are said at once; the record has more.
const FAULTS_SAID: usize = 3;

/// Open comparisons that are named after a look.
const OPEN_SAID: usize = 3;

/// Where and how a run is made.
#[derive(Clone)]
pub struct Setting<'a> {
    pub resolved: &'a Resolved,
    /// The server elsewhere, when there is one.
    pub target: Option<Control>,
    /// Clients connect to the null server beside ours, for a calibration.
    pub null: bool,
    /// Folder of the run, or none to take `results/<id>`.
    pub out: Option<PathBuf>,
    pub interrupt: CancellationToken,
    pub progress: &'a Progress,
}

/// A run that has ended.
pub struct Ended {
    pub record: RunRecord,
    pub folder: PathBuf,
    /// The last save failed, and why: the figures exist in memory alone.
    pub unsaved: Option<anyhow::Error>,
}

/// The folder could not be made: bad input, nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{0} exists already: name another folder with --out, or remove it")]
    Exists(String),
    #[error("the folder {path} could not be made: {error}")]
    Io { path: String, error: std::io::Error },
}

/// Measures every row of the plan, and with looks more rounds, until all is settled or the last look is over.
pub async fn run(setting: Setting<'_>) -> anyhow::Result<Ended> {
    let plan = &setting.resolved.plan;
    let now = SystemTime::now();
    let started_utc = humantime::format_rfc3339_seconds(now).to_string();
    let id = format!("{}-{}", started_utc.replace(':', "-"), plan.scenario);
    let folder = setting.out.clone().unwrap_or_else(|| Path::new("results").join(&id));
    make_folder(&folder)?;
    // Before the first save and until after the last: a record that says `running` has it beside it.
    let underway = Underway::begin(&folder);
    setting.progress.also_to(underway.handle());
    let mut record = RunRecord {
        schema: SCHEMA_FILE.into(),
        schema_version: SCHEMA_VERSION,
        id,
        status: RunStatus::Running,
        started_utc,
        elapsed_s: 0.0,
        tool: environment::tool(),
        plan: plan.clone(),
        environment: environment::describe(),
        transports: Vec::new(),
        contenders: Vec::new(),
        calibrations: Vec::new(),
        settled_after: None,
        rows: Vec::new(),
    };
    record.name_contenders();
    let say = |line: &str| setting.progress.say(line);
    record.calibrations = kept::matching(Path::new(kept::FOLDER), plan, &record.environment, say);
    if let Some(why) = floor::left_out(plan) {
        setting.progress.say(&format!("no floor {why}"));
    }
    let started = Instant::now();
    // What this and the next saves fail of is said as it happens; the last one decides.
    let _ = save(&mut record, &folder, started, setting.progress);
    for repeat in 1..=most_repeats(plan) {
        for (id, repeat) in plan.round(repeat) {
            if setting.interrupt.is_cancelled() {
                break;
            }
            let (rows, repeats) = ahead(plan, repeat);
            setting
                .progress
                .row(record.rows.len(), rows, &id.to_string(), repeat, repeats);
            let varied = setting.resolved.varied(id.variant.as_deref());
            let varied = Setting {
                resolved: &varied,
                ..setting.clone()
            };
            let (mut row, catalogue) = row::measure(&varied, &id.transport, repeat).await;
            row.figures.variant = id.variant.clone();
            validity::judge(&record.circumstances(), &mut row);
            if let Outcome::Failed { reason } = &row.outcome {
                setting.progress.say(&format!("{id}, repeat {repeat}: {reason}"));
                for fault in row.faults.iter().take(FAULTS_SAID) {
                    setting.progress.say(&format!("  {fault}"));
                }
            }
            if record.transports.is_empty() {
                record.transports = catalogue;
                record.name_contenders();
            }
            record.rows.push(row);
            // The floor's row stands first in every other round: whichever comes later is set against the other.
            floor::multiples::set(&mut record.rows);
            let _ = save(&mut record, &folder, started, setting.progress);
        }
        if setting.interrupt.is_cancelled() || settled(&mut record, repeat, setting.progress) {
            break;
        }
    }
    setting.progress.done();
    record.status = status(&record, setting.interrupt.is_cancelled());
    let unsaved = save(&mut record, &folder, started, setting.progress).err();
    drop(underway);
    Ok(Ended {
        record,
        folder,
        unsaved,
    })
}

/// Rows and repeats that are sure to come, from this repeat on: up to the next look.
pub fn ahead(plan: &Plan, repeat: u32) -> (usize, u32) {
    let looks = plan.looks.iter().flat_map(|looks| &looks.after_repeats);
    let next = looks.copied().find(|look| *look >= repeat);
    let repeats = next.unwrap_or(plan.repeats);
    (repeats as usize * plan.contenders().len(), repeats)
}

/// Looks at the comparisons where the plan has a look, and says what is open. True when nothing is.
fn settled(record: &mut RunRecord, repeats: u32, progress: &Progress) -> bool {
    let Some(found) = looks::look(record, repeats) else {
        return false;
    };
    let most = most_repeats(&record.plan);
    if found.settled() {
        progress.say(&format!("settled after {repeats} of at most {most} repeats"));
        record.settled_after = Some(repeats);
        return true;
    }
    let open: Vec<String> = found
        .open()
        .map(|(metric, first, second)| format!("{metric} of {first} and {second}"))
        .collect();
    let (named, others) = open.split_at(open.len().min(OPEN_SAID));
    let others = match others.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let all = found.all.len() + found.untested.len();
    progress.say(&format!(
        "after {repeats} of at most {most} repeats {} of {all} comparisons are open: {}{others}",
        open.len(),
        named.join(", ")
    ));
    false
}

fn status(record: &RunRecord, interrupted: bool) -> RunStatus {
    if interrupted {
        RunStatus::Interrupted
    } else if record
        .rows
        .iter()
        .any(|row| matches!(row.outcome, Outcome::Failed { .. }))
    {
        RunStatus::Failed
    } else {
        RunStatus::Finished
    }
}

/// A new folder for the run; one that exists is never written into.
fn make_folder(folder: &Path) -> Result<(), FolderError> {
    let name = || folder.display().to_string();
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(|error| FolderError::Io { path: name(), error })?;
    }
    std::fs::create_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => FolderError::Exists(name()),
        _ => FolderError::Io { path: name(), error },
    })
}

/// Saves the record first, then the reports made from it. A failure is said, and the run goes on: the next save may succeed.
fn save(record: &mut RunRecord, folder: &Path, started: Instant, progress: &Progress) -> anyhow::Result<()> {
    record.elapsed_s = (started.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0;
    let saved = write(record, folder);
    if let Err(error) = &saved {
        progress.say(&format!("not saved: {error:#}"));
    }
    saved
}

fn write(record: &RunRecord, folder: &Path) -> anyhow::Result<()> {
    let mut json = serde_json::to_vec_pretty(record).context("the record could not be encoded")?;
    json.push(b'\n');
    report::file::write(&folder.join("run.json"), &json)?;
    report::write_all(record, folder)
}

/// Reads a run's record back.
pub fn load(folder: &Path) -> anyhow::Result<RunRecord> {
    // The record itself may be named too.
    let path = if folder.ends_with("run.json") {
        folder.to_owned()
    } else {
        folder.join("run.json")
    };
    record::read(&path)
}

/// The server's catalogue as the record keeps it, in the plan's order.
fn catalogue(plan_order: &[String], described: Vec<server::wire::TransportDescription>) -> Vec<Transport> {
    // The floor is in no server's catalogue.
    let described: Vec<_> = described.into_iter().chain([floor::DESCRIPTION.clone()]).collect();
    let find = |id: &String| described.iter().find(|one| one.id == *id);
    let found = plan_order.iter().filter_map(find);
    found
        .map(|one| Transport {
            id: one.id.to_string(),
            label: one.label.to_string(),
            summary: one.summary.to_string(),
            delivery: match one.delivery {
                server::wire::Delivery::Push => "push".into(),
                server::wire::Delivery::Poll => "poll".into(),
            },
            resumable: one.resumable,
            duplex: one.duplex,
            browser_support: one.browser_support.to_string(),
            caveat: one.caveat.to_string(),
        })
        .collect()
}
