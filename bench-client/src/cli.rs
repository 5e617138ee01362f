//! The command line: what can be asked, and with which exit code it ends.
//!
//! Tables go to stdout, progress and errors to stderr. Exit codes stand in [`crate::exit_code`].

mod calibrate;
mod compare;
mod crowd;
pub(crate) mod dry_run;
mod like;
mod list;
mod pages;
mod report;
mod run;
mod serve;
mod signals;

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::{
    control::Control,
    environment,
    exit_code::{self, FAILED, INTERRUPTED, INVALID, USAGE},
    plan::Overrides,
    progress,
    record::Mode,
    report::terminal,
    scenario::{self, Scenario},
    verify,
    workers::worker,
};

/// Widest table, and its width where stdout is no terminal.
const TABLE_WIDTH: usize = 100;

/// What does live data cost, and how fresh is it? One feed over short polling, long polling, Server-Sent Events and
/// WebSocket, measured with thousands of real connections.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = exit_code::help())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure a scenario: starts its own servers, prints a table, leaves a report
    Run(run::RunArgs),
    /// Measure what the client alone adds; later runs report it
    ///
    /// Each transport once against a null server, which only writes prepared bytes. It is kept in results/calibration, and a run
    /// with the same settings on this machine takes it from there. The flags are those of `run` that say what to measure.
    Calibrate(calibrate::CalibrateArgs),
    /// Show scenarios and transports
    List,
    /// Check every transport for order, completeness, resume and reset, in seconds
    Verify(VerifyArgs),
    /// Make the reports of a run again, from its run.json
    Report(report::ReportArgs),
    /// Compare two runs: what changed from A to B, and how surely; exit code 3 on a regression
    Compare(compare::CompareArgs),
    /// Print a completion script for a shell, such as `source <(bench-client completions bash)`
    Completions {
        /// Shell that is to complete
        shell: clap_complete::Shell,
    },
    /// Print the manual page, such as for `man -l -`
    Man {
        /// Write it into this folder instead, with a page for each command
        #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
    /// Serve the feed, its API and its page
    Serve(serve::ServeArgs),
    /// Clients beside the page; started by `serve --demo`, ends with stdin
    #[command(hide = true)]
    Crowd(crowd::CrowdArgs),
    /// Some of a run's clients; started by `run --workers`, ends with stdin
    #[command(hide = true)]
    Worker,
}

#[derive(Args)]
struct VerifyArgs {
    /// Check the server there instead of one of our own
    #[arg(long, value_name = "URL")]
    target: Option<String>,
}

/// What to measure: the scenario, and what goes before its keys.
#[derive(Args)]
struct PlanArgs {
    /// Name of a scenario, or a .toml file [default: live-score]
    #[arg(value_parser = pages::scenarios(), hide_possible_values = true, value_hint = clap::ValueHint::FilePath)]
    scenario: Option<String>,
    /// Transports to measure, separated by commas [default: all]
    #[arg(long = "transport", value_name = "A,B", value_delimiter = ',')]
    #[arg(value_parser = pages::transports(), hide_possible_values = true)]
    transports: Option<Vec<String>>,
    /// Virtual clients, each with a real connection
    #[arg(long, value_name = "N")]
    clients: Option<u32>,
    /// Updates per second and topic, 0.1 to 1000; 0 is silence
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Size of each whole encoded update
    #[arg(long, value_name = "BYTES")]
    payload: Option<u32>,
    /// Short polling's interval
    #[arg(long, value_name = "MS")]
    poll_interval: Option<u64>,
    /// Length of the measured window
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    duration: Option<f64>,
    /// How often each transport is measured
    #[arg(long, value_name = "K")]
    repeats: Option<u32>,
    /// Matches played at once; client i follows match i mod N
    #[arg(long, value_name = "N")]
    topics: Option<u32>,
    /// Every update, or only the newest of each topic
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// Same seed, same updates
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Play real matches, of an openfootball worldcup.json or of the table knock-out-2022 that comes along; or what
    /// `serve --record` has written
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How many times faster than the real match [default: 60]; than it was, for a recording [default: 1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    speed: Option<f64>,
    /// Processes the clients are spread over, each with its own descriptors and threads [default: 1, this one]
    #[arg(long, value_name = "N")]
    workers: Option<u32>,
    /// Server processes with the same feed; client i is served by process i mod N [default: 1]
    #[arg(long, value_name = "N")]
    nodes: Option<u32>,
    /// Measure even where the window holds too few updates for quantiles
    #[arg(long)]
    force: bool,
}

impl PlanArgs {
    fn scenario(&self) -> Result<Scenario, Failure> {
        match (&self.scenario, &self.replay) {
            (None, Some(file)) => Ok(Scenario::replay(file)),
            (name, _) => Scenario::load(name.as_deref().unwrap_or(scenario::DEFAULT)).map_err(usage),
        }
    }

    fn overrides(&self) -> Overrides {
        Overrides {
            transports: self.transports.clone(),
            clients: self.clients,
            topics: self.topics,
            rate_hz: self.rate,
            update_bytes: self.payload,
            poll_interval_ms: self.poll_interval,
            duration_s: self.duration,
            repeats: self.repeats,
            until_settled: None,
            mode: self.mode,
            seed: self.seed,
            replay: self.replay.clone(),
            speed: self.speed,
            workers: self.workers,
            nodes: self.nodes,
            thresholds: Vec::new(),
            force: self.force,
        }
    }
}

/// An error with the code the program ends with.
struct Failure {
    code: u8,
    error: anyhow::Error,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: FAILED, error }
    }
}

fn usage(error: impl Into<anyhow::Error>) -> Failure {
    Failure {
        code: USAGE,
        error: error.into(),
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors. That stdout is gone is nothing to tell anyone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    match execute(cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(Failure { code, error }) => {
            progress::tell(&format!("error: {error:#}"));
            ExitCode::from(code)
        }
    }
}

fn execute(command: Command) -> Result<u8, Failure> {
    environment::raise_descriptor_limit();
    match command {
        Command::Run(arguments) => runtime()?.block_on(run::command(&arguments)),
        Command::Calibrate(arguments) => runtime()?.block_on(calibrate::execute(&arguments)),
        Command::List => Ok(print(&list::text())?),
        Command::Verify(arguments) => runtime()?.block_on(verify_command(&arguments)),
        Command::Report(arguments) => report::command(&arguments),
        Command::Compare(arguments) => compare::command(&arguments),
        Command::Completions { shell } => Ok(print(&String::from_utf8_lossy(&pages::completions(shell)))?),
        Command::Man { out: None } => Ok(print(&String::from_utf8_lossy(&pages::man()?))?),
        Command::Man { out: Some(folder) } => {
            pages::write_man(&folder)?;
            Ok(print(&format!("manual pages: {}\n", folder.display()))?)
        }
        Command::Serve(arguments) => serve::command(arguments),
        Command::Crowd(arguments) => crowd::command(&arguments),
        Command::Worker => Ok(worker::run().map(|()| 0)?),
    }
}

/// The coordinator's own runtime; the clients have theirs.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(1)
        .enable_all()
        .build()
        .context("the runtime could not start")
}

async fn verify_command(arguments: &VerifyArgs) -> Result<u8, Failure> {
    let target = match &arguments.target {
        Some(url) => Some(Control::new(url).await.map_err(usage)?),
        None => None,
    };
    if let Some(control) = &target {
        control
            .clock()
            .await
            .context("--target: no server of this lab answers there")
            .map_err(usage)?;
    }
    let passed = verify::verify(target, |check| {
        let (mark, words) = match &check.result {
            Ok(words) => ("ok    ", words.clone()),
            Err(error) => ("FAILED", format!("{error:#}")),
        };
        // A closed stdout takes the lines, not the exit code.
        let _ = print(&format!("{mark}  {:<11} {:<17} {words}\n", check.transport, check.name));
    })
    .await?;
    Ok(if passed { 0 } else { FAILED })
}

fn table(record: &crate::record::RunRecord) -> anyhow::Result<String> {
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    terminal::table(record, TABLE_WIDTH, color)
}

/// Prints to stdout. A reader that has left (`| head`) is no failure.
fn print(text: &str) -> anyhow::Result<u8> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("stdout cannot be written"),
        _ => Ok(0),
    }
}
