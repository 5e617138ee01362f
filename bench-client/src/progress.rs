//! What is going on, on stderr: a bar on a terminal, plain lines elsewhere.

use std::{
    io::{IsTerminal, Write},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use crate::{fleet::Fleet, report::format, run::underway};

/// How often the bar is renewed at most.
const RENEW: Duration = Duration::from_millis(200);

/// Writes a line to stderr. That nobody reads it (`2>&1 | head`) is no reason to end a run, as `eprintln!` would.
///
/// Words of a record or a file may be in it: control characters become blanks, so that none of them speaks to the terminal.
pub fn tell(line: &str) {
    let plain = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    let line: String = line.chars().map(plain).collect();
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The progress of a run.
pub struct Progress {
    bar: Option<ProgressBar>,
    /// What the bar's message begins with: the row and its phase.
    place: Mutex<Place>,
    /// Who looks from elsewhere is told too.
    underway: Mutex<Option<underway::Handle>>,
    started: Instant,
    /// When the bar was renewed last, ms since the start.
    renewed_ms: AtomicU64,
}

#[derive(Default)]
struct Place {
    contender: String,
    repeat: u32,
    row: String,
    phase: &'static str,
}

impl Progress {
    pub fn on_stderr() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // A constant template: it parses.
            let style = ProgressStyle::with_template("{bar:16} {pos}/{len} {msg}").expect("the template is valid");
            bar.set_style(style.progress_chars("█▌ "));
            bar
        });
        Self {
            bar,
            place: Mutex::default(),
            underway: Mutex::default(),
            started: Instant::now(),
            renewed_ms: AtomicU64::new(0),
        }
    }

    /// Row `index` of `rows` begins.
    pub fn row(&self, index: usize, rows: usize, transport: &str, repeat: u32, repeats: u32) {
        let row = format!("{transport} {repeat}/{repeats}");
        if let Some(bar) = &self.bar {
            bar.set_length(rows as u64);
            bar.set_position(index as u64);
        } else {
            tell(&format!(
                "[{}/{rows}] {transport}, repeat {repeat} of {repeats}",
                index + 1
            ));
        }
        *self.place.lock() = Place {
            contender: transport.to_owned(),
            repeat,
            row,
            phase: "",
        };
    }

    /// Phases are said there as well from now on.
    pub fn also_to(&self, underway: underway::Handle) {
        *self.underway.lock() = Some(underway);
    }

    pub fn phase(&self, phase: &'static str) {
        let mut place = self.place.lock();
        place.phase = phase;
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{} · {phase}", place.row));
        }
        if let Some(underway) = &*self.underway.lock() {
            underway.phase(&place.contender, place.repeat, phase);
        }
    }

    /// Renews the live figures, not more often than people can read them.
    pub fn tick(&self, fleet: &Fleet, clients: u32) {
        let Some(bar) = &self.bar else { return };
        let now_ms = self.started.elapsed().as_millis() as u64;
        if now_ms < self.renewed_ms.load(Relaxed) + RENEW.as_millis() as u64 {
            return;
        }
        self.renewed_ms.store(now_ms, Relaxed);
        let totals = fleet.totals();
        let place = self.place.lock();
        let mut message = format!(
            "{} · {:7} · {}/{} connected · {} received",
            place.row,
            place.phase,
            format::count(totals.connected),
            format::count(clients),
            format::count(totals.updates),
        );
        if let Some((p50, p99)) = fleet.live_quantiles() {
            let time = |us: u64| format::time_us(us as f64);
            message += &format!(" · p50 {} p99 {}", time(p50), time(p99));
        }
        bar.set_message(message);
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| tell(line)),
            None => tell(line),
        }
    }

    /// The run is over: the bar goes.
    pub fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
