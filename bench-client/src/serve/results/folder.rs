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

mod brief;
mod listed;

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, File, Metadata},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use serde::Serialize;

use super::{answer::Refusal, shown};
use crate::record::{self, RECORD_MAX_BYTES, RunRecord};
use brief::Brief;
use listed::Entry;
pub use listed::{Listed, Progress};

/// Runs that are listed: the newest.
const LISTED: usize = 500;
/// Entries of the folder that are looked at.
const LOOKED_AT: usize = 20_000;
/// Characters of a reader's words that are passed on.
const WORDS: usize = 600;
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
pub struct Stamp {
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

#[derive(Serialize)]
struct Answer<'a> {
    folder: String,
    /// Runs that are older than those listed.
    left_out: usize,
    runs: Vec<Entry<'a>>,
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
        // Held while reading: who looks meanwhile would read the same files once more.
        let mut known = self.known.lock();
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
        *known = seen;
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

#[cfg(test)]
mod tests;
