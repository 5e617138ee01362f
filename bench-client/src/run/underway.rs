//! What a run is measuring now, for whoever looks at its folder: `underway.json`, there as long as the run is.
//!
//! ```text
//! Progress (row, phase) -> Handle -> a thread of its own -> underway.json -> serve/results
//! ```
//!
//! The record tells of finished rows; this tells of the one between them, and whose process it is: a record that says `running` while no
//! such process is left belongs to a run that was killed. Nothing waits for this file and nothing needs it: a disk that is slow, full or
//! gone costs the note and never the run. No report reads it, and nothing of it is in the record.

mod process;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

pub use process::Process;

/// Name of the file in the run's folder.
pub const FILE: &str = "underway.json";

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub process: Process,
    /// Absent before the first row.
    pub now: Option<Now>,
}

/// The row being measured.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Now {
    /// Transport id, with variants `<transport>/<variant>`.
    pub contender: String,
    /// From 1.
    pub repeat: u32,
    /// `start`, `ramp`, `settle`, `measure` or `drain`.
    pub phase: String,
    /// When the phase began, µs since 1970.
    pub since_us: u64,
}

/// The file of a run under way; it goes when this is dropped.
pub struct Underway {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Where to say what is measured now.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Not yet written. A newer one replaces it: whoever looks wants to know what is now.
    now: Option<Now>,
    ended: bool,
}

impl Underway {
    /// Writes the file into the run's folder, and keeps it up to date from now on.
    pub fn begin(folder: &Path) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let note = Note {
            process: Process::own(),
            now: None,
        };
        let path = folder.join(FILE);
        write(&path, &note);
        let writer = shared.clone();
        let thread = std::thread::Builder::new().name("underway".into());
        Self {
            thread: thread.spawn(move || keep(&path, note, &writer)).ok(),
            shared,
        }
    }

    pub fn handle(&self) -> Handle {
        Handle(self.shared.clone())
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.shared.state.lock().ended = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends after at most two small files; that it panicked would be no reason to lose a run.
            let _ = thread.join();
        }
    }
}

impl Handle {
    /// A phase of a row begins. Never waits for the disk.
    pub fn phase(&self, contender: &str, repeat: u32, phase: &str) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.0.state.lock().now = Some(Now {
            contender: contender.to_owned(),
            repeat,
            phase: phase.to_owned(),
            since_us: since.as_micros() as u64,
        });
        self.0.changed.notify_one();
    }
}

fn keep(path: &Path, mut note: Note, shared: &Shared) {
    loop {
        let mut state = shared.state.lock();
        while state.now.is_none() && !state.ended {
            shared.changed.wait(&mut state);
        }
        if state.ended {
            break;
        }
        note.now = state.now.take();
        drop(state);
        write(path, &note);
    }
    // Gone already, or not to be removed: then its process is gone, which tells as much.
    let _ = fs::remove_file(path);
}

/// Whole or not at all, and without waiting for the disk. What fails is left: the next phase tries again.
fn write(path: &Path, note: &Note) {
    let partial: PathBuf = path.with_extension("json.partial");
    let Ok(text) = serde_json::to_vec(note) else { return };
    let written = fs::write(&partial, text).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(folder: &Path) -> Option<Note> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }

    #[test]
    fn the_file_says_the_newest_phase_and_goes_with_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let underway = Underway::begin(folder.path());
        let first = read(folder.path()).expect("it is there before the first row");
        assert!(first.now.is_none() && first.process.runs() == Some(true));
        let handle = underway.handle();
        for phase in ["start", "ramp", "settle"] {
            handle.phase("sse", 2, phase);
        }
        let settled = || {
            read(folder.path())
                .and_then(|note| note.now)
                .filter(|now| now.phase == "settle")
        };
        let now = std::iter::repeat_with(settled)
            .flatten()
            .next()
            .expect("it is repeated");
        assert_eq!((now.contender.as_str(), now.repeat), ("sse", 2));
        drop(underway);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // A handle that outlives it writes nothing more.
        handle.phase("sse", 3, "start");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_gone_costs_the_note_alone() {
        let folder = tempfile::tempdir().unwrap();
        let underway = Underway::begin(&folder.path().join("none"));
        underway.handle().phase("sse", 1, "start");
        drop(underway);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
