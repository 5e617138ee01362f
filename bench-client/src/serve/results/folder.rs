//! Which runs there are.
//!
//! ```text
//! results/ -> folders with a run.json -> its stamp known? -> Brief        (kept until the file is another)
//!                                              `-> read the record -> Brief, or why it can't be read
//! results/<run>/underway.json -> is its process still there? -> running, or killed
//! ```
//!
//! A link is left out, be it the folder of a run or its run.json: what it leads to is listed where it stands, or stands elsewhere. A run
//! that can't be read has an entry with the reader's words.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, File, Metadata},
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use parking_lot::Mutex;
use serde::Serialize;

use super::{
    answer::{self, Refusal},
    shown,
};
use crate::{
    record::{self, FeedPlan, Mode, Outcome, Plan, RECORD_MAX_BYTES, RunRecord, RunStatus},
    report::{describe, trust},
    run::{ahead, underway},
};

/// Runs that are listed: the newest.
const LISTED: usize = 500;
/// Entries of the folder that are looked at.
const LOOKED_AT: usize = 20_000;
/// Characters of a reader's words that are passed on.
const WORDS: usize = 600;
/// Bytes of underway.json, a multiple of what it has.
const UNDERWAY_MAX_BYTES: u64 = 16 << 10;
/// The name that an address has taken already.
const TAKEN: &str = "overlay";

/// A folder of runs.
pub struct Folder {
    path: PathBuf,
    /// What each run.json said when it was read last; those that are gone are forgotten.
    known: Mutex<HashMap<OsString, (Stamp, Outline)>>,
}

type Outline = Arc<Result<Brief, String>>;

/// What changes with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            inode: meta.ino(),
            bytes: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        }
    }
}

/// A run as the list has it.
#[derive(Debug, Clone, Serialize)]
pub struct Brief {
    scenario: String,
    title: String,
    started_utc: String,
    #[serde(skip)]
    recorded: RunStatus,
    /// Absent in the record alone: see [`Listed::status`].
    verdict: Option<&'static str>,
    clients: u32,
    topics: u32,
    rate_hz: Option<f64>,
    update_bytes: Option<u64>,
    mode: Mode,
    repeats: u32,
    transports: Vec<String>,
    labels: Vec<String>,
    rows_done: usize,
    rows_failed: usize,
    rows_planned: usize,
    /// Of the window.
    duration_s: f64,
    elapsed_s: f64,
    revision: String,
    cores: u32,
    #[serde(skip)]
    plan: PlannedPhases,
}

/// How long phases are to take, as far as a plan says.
#[derive(Debug, Clone, Copy)]
struct PlannedPhases {
    ramp_s: Option<f64>,
    settle_s: f64,
    measure_s: f64,
}

/// A run that is there.
#[derive(Clone)]
pub struct Listed {
    /// The folder's name.
    pub id: String,
    path: PathBuf,
    stamp: Stamp,
    outline: Outline,
    /// Of a record that says `running`.
    note: Option<underway::Note>,
    runs: bool,
}

/// What is measured now.
#[derive(Debug, Clone, Serialize)]
pub struct Now {
    label: String,
    repeat: u32,
    phase: String,
    since_us: u64,
    planned_s: Option<f64>,
}

/// How far a run is.
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    rows_done: usize,
    rows_planned: usize,
    now: Option<Now>,
}

#[derive(Serialize)]
struct Answer<'a> {
    folder: String,
    /// Runs that are older than those listed.
    left_out: usize,
    runs: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Read {
        id: &'a str,
        status: RunStatus,
        /// Its record says that it runs, and no process does.
        killed: bool,
        #[serde(flatten)]
        brief: &'a Brief,
        now: Option<Now>,
        error: Option<()>,
    },
    Unreadable {
        id: &'a str,
        error: &'a str,
    },
}

impl Folder {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            known: Mutex::default(),
        }
    }

    /// The list as JSON, the newest first.
    ///
    /// # Errors
    /// Says why the folder can't be read; one that is not there is an empty one.
    pub fn list(&self) -> Result<Vec<u8>, Refusal> {
        let (listed, left_out) = self.scan()?;
        let answer = Answer {
            folder: shown(&self.path),
            left_out,
            runs: listed.iter().map(Listed::entry).collect(),
        };
        serde_json::to_vec(&answer).map_err(|error| Refusal::Failed(error.to_string()))
    }

    /// The listed run of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(&self, id: &str) -> Result<Listed, Refusal> {
        let (listed, _) = self.scan()?;
        let found = listed.into_iter().find(|one| one.id == id);
        found.ok_or_else(|| Refusal::NotFound(format!("no run {id:?} is in {}", shown(&self.path))))
    }

    /// Every run, the newest first, and how many older ones are left out.
    fn scan(&self) -> Result<(Vec<Listed>, usize), Refusal> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
            Err(error) => {
                let words = format!("the folder {} can't be read: {error}", shown(&self.path));
                return Err(Refusal::Failed(words));
            }
        };
        // One that goes away meanwhile is simply not there.
        let folders = entries.take(LOOKED_AT).flatten();
        let folders = folders.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut found: Vec<(OsString, PathBuf, Metadata)> = folders
            .filter_map(|entry| {
                let path = entry.path().join("run.json");
                let meta = fs::symlink_metadata(&path).ok().filter(|meta| !meta.is_symlink())?;
                Some((entry.file_name(), path, meta))
            })
            .collect();
        // By when they were written: when they were started stands in the files that need not all be read.
        found.sort_by_key(|(_, _, meta)| std::cmp::Reverse(Stamp::of(meta).modified));
        let left_out = found.len().saturating_sub(LISTED);
        found.truncate(LISTED);
        let mut known = std::mem::take(&mut *self.known.lock());
        let mut seen = HashMap::new();
        let mut listed = Vec::new();
        for (name, path, meta) in found {
            let mut entry = known.remove(&name).filter(|(stamp, _)| *stamp == Stamp::of(&meta));
            if entry.is_none() {
                entry = outline(&name, &path);
            }
            let Some((stamp, outline)) = entry else { continue };
            listed.push(Listed::of(&name, path, stamp, outline.clone()));
            seen.insert(name, (stamp, outline));
        }
        *self.known.lock() = seen;
        listed.sort_by_key(|one| std::cmp::Reverse(one.started()));
        Ok((listed, left_out))
    }
}

/// Reads a record for the list; None where it has gone.
fn outline(name: &OsString, path: &Path) -> Option<(Stamp, Outline)> {
    let id = name.to_string_lossy();
    match read(&id, path) {
        Ok((stamp, record)) => {
            let brief = match (name.to_str(), &*id == TAKEN) {
                (None, _) => Err("the name of this folder is not UTF-8: rename it".to_owned()),
                (_, true) => Err(format!("a folder called {TAKEN} has no address here: rename it")),
                _ => Ok(Brief::of(&record)),
            };
            Some((stamp, Arc::new(brief)))
        }
        Err(error) => {
            let stamp = Stamp::of(&fs::symlink_metadata(path).ok()?);
            let words: String = error.chars().take(WORDS).collect();
            Some((stamp, Arc::new(Err(words))))
        }
    }
}

/// The record, and the stamp of the very file it was read from.
fn read(id: &str, path: &Path) -> Result<(Stamp, RunRecord), String> {
    // What people see is the name below the folder, whatever the folder is.
    let name = Path::new(id).join("run.json");
    let (stamp, text) = bytes(path).map_err(|error| format!("{} can't be read: {error}", name.display()))?;
    let record = record::parse(&text, &name).map_err(|error| format!("{error:#}"))?;
    Ok((stamp, record))
}

/// A plain file's bytes, in bounds. Not to be kept waiting by a pipe, nor led elsewhere by a link.
fn bytes(path: &Path) -> std::io::Result<(Stamp, Vec<u8>)> {
    let file = plain(path)?;
    let meta = file.metadata()?;
    if meta.len() > RECORD_MAX_BYTES {
        let words = format!("it has {} bytes, {RECORD_MAX_BYTES} are the most", meta.len());
        return Err(std::io::Error::other(words));
    }
    Ok((Stamp::of(&meta), record::bytes(file)?))
}

fn plain(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    let file = options
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(std::io::Error::other("it is no plain file"))
    }
}

impl Listed {
    fn of(name: &OsString, path: PathBuf, stamp: Stamp, outline: Outline) -> Self {
        let is_running = matches!(&*outline, Ok(brief) if brief.recorded == RunStatus::Running);
        let note = if is_running { note(&path) } else { None };
        Self {
            id: name.to_string_lossy().into_owned(),
            path,
            stamp,
            outline,
            runs: note.as_ref().is_some_and(|note| note.process.runs()),
            note,
        }
    }

    /// Changes with everything that is said of this run.
    pub fn version(&self) -> String {
        let now = self.note.as_ref().and_then(|note| note.now.as_ref());
        answer::tag(&(self.stamp, self.runs, now))
    }

    /// When it was started; of an unreadable one, when its file was written.
    fn started(&self) -> String {
        match &*self.outline {
            Ok(brief) => brief.started_utc.clone(),
            Err(_) => {
                let since = Duration::from_secs(self.stamp.modified.0.max(0) as u64);
                humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
            }
        }
    }

    fn entry(&self) -> Entry<'_> {
        match &*self.outline {
            Ok(brief) => Entry::Read {
                id: &self.id,
                status: self.status(brief.recorded),
                killed: self.killed(brief.recorded),
                brief,
                now: self.now(brief),
                error: None,
            },
            Err(error) => Entry::Unreadable { id: &self.id, error },
        }
    }

    /// The record once more, whole.
    ///
    /// # Errors
    /// Says what the reader says.
    pub fn record(&self) -> Result<RunRecord, Refusal> {
        if let Err(words) = &*self.outline {
            return Err(Refusal::Broken(words.clone()));
        }
        read(&self.id, &self.path)
            .map(|(_, record)| record)
            .map_err(Refusal::Broken)
    }

    /// run.json as it stands there.
    ///
    /// # Errors
    /// As [`Listed::record`].
    pub fn bytes(&self) -> Result<Vec<u8>, Refusal> {
        let words = |error| Refusal::Broken(format!("{}/run.json can't be read: {error}", self.id));
        bytes(&self.path).map(|(_, bytes)| bytes).map_err(words)
    }

    /// As the record says, but for a run whose process has gone.
    pub fn status(&self, recorded: RunStatus) -> RunStatus {
        if self.killed(recorded) {
            RunStatus::Interrupted
        } else {
            recorded
        }
    }

    pub fn killed(&self, recorded: RunStatus) -> bool {
        recorded == RunStatus::Running && !self.runs
    }

    /// Absent of a run that has ended.
    pub fn progress(&self) -> Option<Progress> {
        let brief = (*self.outline).as_ref().ok()?;
        self.runs.then(|| Progress {
            rows_done: brief.rows_done,
            rows_planned: brief.rows_planned,
            now: self.now(brief),
        })
    }

    fn now(&self, brief: &Brief) -> Option<Now> {
        let now = self.note.as_ref().filter(|_| self.runs)?.now.clone()?;
        let label = brief.transports.iter().position(|id| *id == now.contender);
        let label = label.and_then(|at| brief.labels.get(at));
        Some(Now {
            label: label.unwrap_or(&now.contender).clone(),
            repeat: now.repeat,
            planned_s: match now.phase.as_str() {
                "ramp" => brief.plan.ramp_s,
                "settle" => Some(brief.plan.settle_s),
                "measure" => Some(brief.plan.measure_s),
                _ => None,
            },
            phase: now.phase,
            since_us: now.since_us,
        })
    }
}

/// What stands beside a record under way; None where there is nothing, or nothing that can be read.
fn note(record: &Path) -> Option<underway::Note> {
    let mut text = Vec::new();
    let file = plain(&record.with_file_name(underway::FILE)).ok()?;
    file.take(UNDERWAY_MAX_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

impl Brief {
    fn of(record: &RunRecord) -> Self {
        let plan = &record.plan;
        let transports = plan.contender_ids();
        let (rate_hz, update_bytes) = feed(&plan.feed);
        let failed = |row: &&record::Row| matches!(row.outcome, Outcome::Failed { .. });
        Self {
            scenario: plan.scenario.clone(),
            title: describe::heading(plan),
            started_utc: record.started_utc.clone(),
            recorded: record.status,
            verdict: trust::of_run(record).map(trust::Standing::name),
            clients: plan.clients,
            topics: plan.topics(),
            rate_hz,
            update_bytes,
            mode: plan.mode,
            repeats: plan.repeats,
            labels: transports.iter().map(|id| record.label(id).to_owned()).collect(),
            rows_done: record.rows.len(),
            rows_failed: record.rows.iter().filter(failed).count(),
            rows_planned: rows_planned(record, transports.len()),
            transports,
            duration_s: plan.duration_s,
            elapsed_s: record.elapsed_s,
            revision: record.tool.revision.clone(),
            cores: record.environment.cores,
            plan: PlannedPhases::of(plan),
        }
    }
}

impl PlannedPhases {
    fn of(plan: &Plan) -> Self {
        Self {
            ramp_s: plan.ramp_per_s.map(|per_s| f64::from(plan.clients) / per_s),
            settle_s: plan.settle_s,
            measure_s: plan.duration_s,
        }
    }
}

/// With looks, up to the next one: whether more rounds come is decided there.
fn rows_planned(record: &RunRecord, contenders: usize) -> usize {
    let rounds_done = record.rows.len() / contenders.max(1);
    let planned = match record.status {
        RunStatus::Finished | RunStatus::Failed => record.rows.len(),
        RunStatus::Running | RunStatus::Interrupted => ahead(&record.plan, rounds_done as u32 + 1).0,
    };
    planned.max(record.rows.len())
}

fn feed(feed: &FeedPlan) -> (Option<f64>, Option<u64>) {
    match feed {
        FeedPlan::Simulated {
            rate_hz, update_bytes, ..
        } => (Some(*rate_hz), update_bytes.map(Into::into)),
        FeedPlan::Replay { update_bytes, .. } => (None, update_bytes.map(Into::into)),
        FeedPlan::Target {
            rate_hz, update_bytes, ..
        } => (*rate_hz, update_bytes.map(Into::into)),
    }
}

#[cfg(test)]
mod tests;
