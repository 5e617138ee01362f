//! What a child wrote to stderr before it died: its last lines, for the words of its end.
//!
//! ```text
//! stderr -> LastWords (a task; the workers' have a thread) -> Kept: the last lines -> epitaph: how it ended, and what it said
//! ```

use std::{collections::VecDeque, process::ExitStatus, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::ChildStderr,
    task::JoinHandle,
    time::timeout,
};

/// Last lines that are kept.
const WORDS_KEPT: usize = 8;
/// How long they may take to be read once the process has ended.
const WORDS_TIMEOUT: Duration = Duration::from_secs(1);

/// The last lines of a process.
#[derive(Debug, Default)]
pub struct Kept(VecDeque<String>);

impl Kept {
    pub fn push(&mut self, line: String) {
        if self.0.len() == WORDS_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    /// How a process ended, and what it said.
    pub fn epitaph(&self, status: ExitStatus) -> String {
        let words: Vec<_> = self.0.iter().map(String::as_str).collect();
        match words.is_empty() {
            true => status.to_string(),
            false => format!("{status}; it said: {}", words.join(" / ")),
        }
    }
}

/// The last lines a child wrote to stderr, for when it dies.
pub struct LastWords {
    kept: Arc<Mutex<Kept>>,
    /// Ends with the process's stderr, that is with the process.
    reading: JoinHandle<()>,
}

impl LastWords {
    pub fn of(stderr: ChildStderr) -> Self {
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let keeping = kept.clone();
        let reading = tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                keeping.lock().push(line);
            }
        });
        Self { kept, reading }
    }

    /// How a process ended that has ended, and what it said.
    pub async fn epitaph(&mut self, status: ExitStatus) -> String {
        if !self.reading.is_finished() {
            // What it wrote is all there; who holds its stderr still, if anyone, is not waited for.
            let _ = timeout(WORDS_TIMEOUT, &mut self.reading).await;
        }
        self.kept.lock().epitaph(status)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn the_last_lines_stand_behind_the_status() {
        let status = ExitStatus::from_raw(9);
        let mut kept = Kept::default();
        assert_eq!(kept.epitaph(status), "signal: 9 (SIGKILL)");
        (1..=9).for_each(|line| kept.push(format!("line {line}")));
        let said = kept.epitaph(status);
        assert!(
            said.starts_with("signal: 9 (SIGKILL); it said: line 2 / line 3"),
            "{said}"
        );
        assert!(said.ends_with(" / line 9"), "{said}");
    }
}
