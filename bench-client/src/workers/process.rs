//! One worker as its coordinator sees it: a child process, a thread that reads what it tells, and its end.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStderr, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail, ensure};
use parking_lot::Mutex;

use super::orders::{Order, Orders, Progress, Said};
use crate::{
    fleet::Totals, process::Kept, run::sampler::Sample, sockets::Counts, usage::Usage, virtual_client::ClientLog,
};

/// How long a worker that tells nothing more may take to be gone.
const GONE_PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(2);
/// A line of stderr longer than this is cut.
const WORDS_MOST_BYTES: u64 = 4_096;

/// Everything a worker has told.
#[derive(Debug, Default)]
pub struct Told {
    pub samples: Vec<Sample>,
    pub lags_us: Vec<Vec<u64>>,
    pub logs: Vec<ClientLog>,
    pub totals: Totals,
    pub sockets: Counts,
}

/// A running worker; killed when it is dropped.
pub struct Process {
    /// How it is called in words.
    name: String,
    pid: u32,
    child: Arc<Mutex<Child>>,
    /// None once it is to end.
    stdin: Mutex<Option<ChildStdin>>,
    /// What was asked last by [`Order::Holding`].
    asked: Mutex<Vec<u64>>,
    shared: Arc<Shared>,
    /// Told once: everything, or how it ended without having told it.
    told: Receiver<anyhow::Result<Told>>,
    /// Ends with the worker's stdout.
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    progress: Mutex<Progress>,
    /// How it died before it was to end, in words.
    dead: Mutex<Option<String>>,
}

impl Process {
    pub fn start(orders: Orders) -> anyhow::Result<Self> {
        let name = format!("worker {} of {}", orders.part.index + 1, orders.part.of);
        // The running file itself, even when it was replaced by a newer build meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg("worker");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own: Ctrl-C is for the coordinator, which then stops its workers in good order.
        command.process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (pid, child) = (child.id(), Arc::new(Mutex::new(child)));
        let (say, told) = sync_channel(1);
        let mut process = Self {
            name: name.clone(),
            pid,
            child: child.clone(),
            stdin: Mutex::new(None),
            asked: Mutex::default(),
            shared: Arc::default(),
            told,
            reader: None,
        };
        // From here on whatever fails drops the process, and so ends it.
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            bail!("{name} has no pipes");
        };
        let words = Words::of(stderr)?;
        let shared = process.shared.clone();
        let reading = move || {
            let mut stdout = BufReader::with_capacity(1 << 16, stdout);
            let told = read(&mut stdout, &shared).map_err(|error| {
                let error = anyhow!("{name} {error:#}{}", gone(&child, words));
                *shared.dead.lock() = Some(format!("{error:#}"));
                error
            });
            // It is waited for, or dropped together with who would.
            let _ = say.send(told);
        };
        let reader = std::thread::Builder::new().name("worker-reader".into());
        process.reader = Some(reader.spawn(reading).context("no thread to read a worker")?);
        *process.stdin.lock() = Some(stdin);
        process.order(&Order::Start(Box::new(orders)).line());
        Ok(process)
    }

    /// Gives an order. One that is gone takes none, and its reader says so.
    pub fn order(&self, line: &[u8]) {
        if let Some(stdin) = &mut *self.stdin.lock() {
            let _ = stdin.write_all(line);
        }
    }

    pub fn progress(&self) -> Progress {
        *self.shared.progress.lock()
    }

    /// How it died, where it did.
    pub fn dead(&self) -> Option<String> {
        self.shared.dead.lock().clone()
    }

    pub fn rss_bytes(&self) -> Option<u64> {
        Usage::of(self.pid)?.rss_bytes()
    }

    pub fn holding(&self, last: &[u64]) -> u64 {
        let mut asked = self.asked.lock();
        if *asked != last {
            *asked = last.to_vec();
            self.order(&Order::Holding(last.to_vec()).line());
        }
        self.progress().holding
    }

    /// Waits until then for everything it has to tell, after [`Order::End`].
    pub fn finish(self, deadline: Instant) -> anyhow::Result<Told> {
        match self
            .told
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            Ok(told) => told,
            Err(RecvTimeoutError::Timeout) => bail!("{} has not told in time what its clients noted", self.name),
            Err(RecvTimeoutError::Disconnected) => bail!("{} is heard no more: what reads it has ended", self.name),
        }
        // Dropped here: its stdin ends, and with it whatever is left of it.
    }
}

#[cfg(test)]
impl Process {
    /// A process that never says a word, and what is heard of it instead.
    pub fn silent(name: &str, told: Receiver<anyhow::Result<Told>>) -> Self {
        let child = Command::new("sleep")
            .arg("600")
            .spawn()
            .expect("it is there on every Unix");
        Self {
            name: name.to_owned(),
            pid: child.id(),
            child: Arc::new(Mutex::new(child)),
            stdin: Mutex::new(None),
            asked: Mutex::default(),
            shared: Arc::default(),
            told,
            reader: None,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin.lock().take();
        let mut child = self.child.lock();
        // It has told all, or what it would tell is of no use any more.
        let _ = child.kill();
        let _ = child.wait();
        drop(child);
        if let Some(reader) = self.reader.take() {
            // Its pipe has ended. It runs nothing that panics.
            let _ = reader.join();
        }
    }
}

/// Reads until everything was told.
fn read(from: &mut impl Read, shared: &Shared) -> anyhow::Result<Told> {
    let mut told = Told::default();
    let mut received = 0;
    loop {
        match Said::read(from)?.context("died")? {
            Said::Progress(progress) => *shared.progress.lock() = progress,
            Said::Failed(words) => bail!("failed: {words}"),
            Said::Sample(sample) => told.samples.push(sample),
            Said::Lags(lags_us) => told.lags_us.push(lags_us),
            Said::Log(head) => told.logs.push(head.log()),
            Said::Receipts(receipts) => {
                received += receipts.len() as u64;
                let log = told.logs.last_mut().context("told receipts of nobody")?;
                log.receipts.extend(receipts);
            }
            Said::Ended {
                totals,
                sockets,
                clients,
                receipts,
            } => {
                let heard = (told.logs.len() as u64, received);
                ensure!(
                    heard == (clients, receipts),
                    "told {heard:?} clients and receipts of {:?}",
                    (clients, receipts)
                );
                (told.totals, told.sockets) = (totals, sockets);
                return Ok(told);
            }
        }
    }
}

/// How a process ended that tells nothing more, in words, with what it said.
fn gone(child: &Mutex<Child>, words: Words) -> String {
    let deadline = Instant::now() + GONE_PATIENCE;
    let status = loop {
        match child.lock().try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => {}
            _ => return String::new(),
        }
        std::thread::sleep(LOOK);
    };
    format!(": {}", words.rest().epitaph(status))
}

/// The last lines of stderr, read by a thread until it ends.
struct Words(JoinHandle<Kept>);

impl Words {
    fn of(stderr: ChildStderr) -> anyhow::Result<Self> {
        let reading = move || {
            let (mut kept, mut stderr) = (Kept::default(), BufReader::new(stderr));
            let mut line = Vec::new();
            while let Ok(1..) = (&mut stderr).take(WORDS_MOST_BYTES).read_until(b'\n', &mut line) {
                kept.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
            kept
        };
        let thread = std::thread::Builder::new().name("worker-words".into());
        Ok(Self(
            thread.spawn(reading).context("no thread to read a worker's stderr")?,
        ))
    }

    /// All that are kept, of a process that has ended.
    fn rest(self) -> Kept {
        // It runs nothing that panics.
        self.0.join().unwrap_or_default()
    }
}
