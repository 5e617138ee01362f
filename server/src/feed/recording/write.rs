//! Writes a recording, off the feed's thread.
//!
//! ```text
//! feed's thread: Tap::note -> queue (bounded, never waited for) -> writer thread: encode -> buffer -> FILE
//! ```
//!
//! The feed goes on whatever becomes of the file. A queue that is full, a disk that is full and a recording of the largest size
//! end the recording there: said once, and what is missing from then on is counted.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use prometheus_client::metrics::counter::Counter;

use super::{MAX_AT_US, MAX_UPDATES, UpdateLine, header};
use crate::feed::{Event, Match};

/// Updates that wait for the writer: more than the largest burst there is, six MiB.
const QUEUE_UPDATES: usize = 65_536;
/// The file is never further behind than this, as long as the disk keeps up.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Written at once when so much has gathered.
const BUFFER_BYTES: usize = 64 * 1024;
/// How long stopping waits for a disk that does not answer.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// A recording that cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(
        "{0} exists already, and a recording is never written over another file: name a new one with --record, or remove it"
    )]
    Exists(PathBuf),
    #[error(
        "cannot record to {path}: {error}; name a new file with --record, in a folder that exists and can be written"
    )]
    Io { path: PathBuf, error: io::Error },
}

/// What became of the updates published.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Stand in the file.
    pub recorded: Counter,
    /// Published when the recording had ended early, or lost with what ended it.
    pub unrecorded: Counter,
}

/// The feed's end of a recording. Dropped with the feed, which ends the recording in good order.
pub struct Tap {
    queue: SyncSender<Event>,
    broken: Arc<AtomicBool>,
    counts: Counts,
}

/// The writer thread's owner.
pub struct Recorder {
    path: PathBuf,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
    counts: Counts,
}

impl Recorder {
    /// Makes the file, which must not exist, and starts its writer. Blocks for as long as the first line takes.
    pub fn create(
        path: &Path,
        matches: &[Match],
        update_bytes: Option<u32>,
        counts: Counts,
    ) -> Result<(Self, Tap), RecordError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => RecordError::Exists(path.to_owned()),
            _ => RecordError::Io {
                path: path.to_owned(),
                error,
            },
        };
        let file = File::create_new(path).map_err(failed)?;
        Self::start(file, path, matches, update_bytes, counts).map_err(failed)
    }

    pub(super) fn start(
        mut file: impl Write + Send + 'static,
        path: &Path,
        matches: &[Match],
        update_bytes: Option<u32>,
        counts: Counts,
    ) -> io::Result<(Self, Tap)> {
        file.write_all(&header::write(matches, update_bytes)?)?;
        let (queue, waiting) = mpsc::sync_channel(QUEUE_UPDATES);
        let (ending, ended) = mpsc::sync_channel(0);
        let broken = Arc::new(AtomicBool::new(false));
        let mut writer = Writer {
            file,
            path: path.to_owned(),
            topics: matches.iter().map(|one| one.topic.clone()).collect(),
            buffer: Vec::with_capacity(BUFFER_BYTES),
            buffered: 0,
            written: 0,
            flushed: Instant::now(),
            ended: false,
            broken: broken.clone(),
            counts: counts.clone(),
        };
        thread::Builder::new().name("recorder".into()).spawn(move || {
            writer.write(&waiting);
            drop(ending);
        })?;
        let tap = Tap {
            queue,
            broken,
            counts: counts.clone(),
        };
        let recorder = Self {
            path: path.to_owned(),
            ended,
            counts,
        };
        Ok((recorder, tap))
    }

    /// Waits until everything is written, once the tap is gone. Blocks, at most [`FINISH_TIMEOUT`].
    pub fn finish(self) {
        let path = self.path.display();
        // Nothing is ever sent: the channel closes when the thread ends, however it ends.
        if self.ended.recv_timeout(FINISH_TIMEOUT) == Err(RecvTimeoutError::Timeout) {
            tracing::error!(%path, "the recording's end could not be written within {} s", FINISH_TIMEOUT.as_secs());
        }
        let (updates, missing) = (self.counts.recorded.get(), self.counts.unrecorded.get());
        if missing > 0 {
            tracing::warn!(%path, updates, missing, "the recording ends early: it lacks the last updates");
        } else {
            tracing::info!(%path, updates, "the recording is complete");
        }
    }
}

impl Tap {
    /// Hands an update over to the writer; never waits.
    pub fn note(&mut self, event: &Event) {
        if self.broken.load(Ordering::Relaxed) {
            self.counts.unrecorded.inc();
            return;
        }
        if let Err(error) = self.queue.try_send(event.clone()) {
            // An update left out would shift every later seq of its topic: better an end than a hole.
            self.broken.store(true, Ordering::Relaxed);
            self.counts.unrecorded.inc();
            if matches!(error, TrySendError::Full(_)) {
                tracing::error!(
                    "the recording ends here: {QUEUE_UPDATES} updates wait to be written, and no more are kept"
                );
            }
        }
    }
}

/// The writer thread.
struct Writer<W> {
    file: W,
    path: PathBuf,
    topics: Vec<String>,
    /// Whole lines that are not in the file yet.
    buffer: Vec<u8>,
    /// How many lines these are.
    buffered: u64,
    /// Updates taken so far.
    written: u64,
    flushed: Instant,
    /// Nothing is written any more; what still waits is only counted.
    ended: bool,
    /// The same, for the tap.
    broken: Arc<AtomicBool>,
    counts: Counts,
}

impl<W: Write> Writer<W> {
    /// Until the feed is gone.
    fn write(&mut self, waiting: &Receiver<Event>) {
        loop {
            let left = FLUSH_EVERY.saturating_sub(self.flushed.elapsed());
            match waiting.recv_timeout(left) {
                Ok(event) => self.take(&event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.flush(),
            }
            if self.buffer.len() >= BUFFER_BYTES || self.flushed.elapsed() >= FLUSH_EVERY {
                self.flush();
            }
        }
    }

    fn take(&mut self, event: &Event) {
        if self.written == MAX_UPDATES && !self.ended {
            self.give_up(format_args!("{MAX_UPDATES} updates are the most a replay takes"));
        }
        if event.due.as_micros() > u128::from(MAX_AT_US) && !self.ended {
            self.give_up(format_args!("thirty days are the most a replay takes"));
        }
        if self.ended {
            self.counts.unrecorded.inc();
            return;
        }
        let line = UpdateLine {
            at_us: u64::try_from(event.due.as_micros()).unwrap_or(u64::MAX),
            topic: self.topics[event.topic].as_str().into(),
            home_score: event.home_score,
            away_score: event.away_score,
            minute: event.minute,
            event: event.event.into(),
            player: event.player.as_ref().into(),
        };
        // Plain data, into memory: nothing in it can fail.
        serde_json::to_writer(&mut self.buffer, &line).expect("an update is plain data");
        self.buffer.push(b'\n');
        self.buffered += 1;
        self.written += 1;
    }

    /// Into the file with what has gathered.
    fn flush(&mut self) {
        self.flushed = Instant::now();
        if self.buffered == 0 {
            return;
        }
        match self.file.write_all(&self.buffer).and_then(|()| self.file.flush()) {
            Ok(()) => {
                self.counts.recorded.inc_by(self.buffered);
            }
            Err(error) => {
                // A part of them may be in the file, the last one torn: a replay plays up to there.
                self.counts.unrecorded.inc_by(self.buffered);
                self.give_up(format_args!("{error}"));
            }
        }
        self.buffer.clear();
        self.buffered = 0;
    }

    fn give_up(&mut self, why: std::fmt::Arguments<'_>) {
        self.ended = true;
        self.broken.store(true, Ordering::Relaxed);
        let path = self.path.display();
        tracing::error!(%path, "the recording ends here, the feed goes on: {why}");
    }
}
