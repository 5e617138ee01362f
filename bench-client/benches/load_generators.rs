//! Load generators side by side: requests per second of client CPU, ours against wrk and oha, at as many connections.
//!
//! ```text
//! ours: bench-client run … --json (starts its own server)            -> requests and client CPU of its window, from run.json
//! wrk, oha: the same server as a child <- the tool, N connections    -> requests as the server counts them, CPU of the tool's whole life
//! ```
//!
//! They do not do the same: ours polls on a schedule, resumes by cursor, decodes each update and keeps its receipt; the others ask as fast
//! as they can, look at the status and drop the body. `cargo bench -p bench-client --bench load-generators -- --help`.

#[path = "side_by_side/child.rs"]
mod child;

use std::{
    net::SocketAddr,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use bench_client::environment;
use clap::Parser;
use nix::sys::resource::{UsageWho, getrusage};

use child::{OwnChild, get};

/// What a tool may take beyond its time.
const GRACE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);
/// Size of each update, and of nearly each answer.
const UPDATE_BYTES: &str = "256";

/// Requests per second of client CPU: our short poller against wrk and oha.
#[derive(Parser)]
struct Options {
    /// Connections of each
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    clients: u32,
    /// Milliseconds from poll to poll of our clients; the feed has an update for each, and the others ask as fast as they can
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(10..=1_000))]
    poll_interval: u32,
    /// How long each runs
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// How often each runs
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    repeats: u32,
    /// Given by cargo bench; without it a few clients check that everything works
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one tool came to.
struct Outcome {
    requests: u64,
    seconds: f64,
    cpu_s: f64,
    remark: String,
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    environment::raise_descriptor_limit();
    if !options.bench {
        (options.clients, options.seconds, options.repeats) = (5, 1, 1);
    }
    let machine = environment::describe();
    println!(
        "{} · {} cores ({}) · {} {} · {} connections, {} s, our clients poll every {} ms\n",
        humantime::format_rfc3339_seconds(std::time::SystemTime::now()),
        machine.cores,
        machine.cpu_model,
        machine.os,
        machine.kernel,
        options.clients,
        options.seconds,
        options.poll_interval
    );
    println!(
        "| load generator | requests/s | client, cores | requests per second of client CPU | remark |\n|---|--:|--:|--:|---|"
    );
    let mut failed = false;
    for repeat in 0..options.repeats {
        let mut names = ["bench-client", "wrk", "oha"];
        if repeat % 2 == 1 {
            names.reverse();
        }
        for name in names {
            let outcome = match name {
                "bench-client" => ours(&options),
                _ if !on_path(name) => {
                    println!("| {name} | – | – | – | not on PATH, left out{} |", advice(name));
                    continue;
                }
                _ => other(name, &options),
            };
            match outcome {
                Ok(one) => println!(
                    "| {name} | {:.0} | {:.2} | {:.0} | {} |",
                    one.requests as f64 / one.seconds,
                    one.cpu_s / one.seconds,
                    one.requests as f64 / one.cpu_s,
                    one.remark
                ),
                Err(error) => {
                    failed = true;
                    println!("| {name} | – | – | – | {error:#} |");
                }
            }
        }
    }
    match failed && !options.bench {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

fn advice(name: &str) -> &'static str {
    match name {
        "wrk" => "; on Debian: apt-get install wrk",
        _ => "; cargo install oha",
    }
}

fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// Our short poller, with as few headers as the others send.
fn ours(options: &Options) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let scenario = folder.path().join("short-polls.toml");
    let words = format!(
        "summary = \"Short polls\"\nanalysis = \"None.\"\nclients = {}\nrate_hz = {}\nupdate_bytes = {UPDATE_BYTES}\npoll_interval_ms = {}\n\
         duration_s = {}\nsettle_s = 0.5\nrepeats = 1\nrequest_headers = \"minimal\"\n",
        options.clients,
        1_000.0 / f64::from(options.poll_interval),
        options.poll_interval,
        options.seconds
    );
    std::fs::write(&scenario, words)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-client"));
    command
        .arg("run")
        .arg(&scenario)
        .args(["--transport", "short-poll", "--json", "--force", "--out"]);
    let stdout = std::fs::File::create(folder.path().join("stdout"))?;
    command
        .arg(folder.path().join("run"))
        .stdout(stdout)
        .stderr(Stdio::null());
    wait(command, Duration::from_secs(options.seconds.into()) + GRACE)?;
    let record = std::fs::read_to_string(folder.path().join("stdout"))?;
    let record: serde_json::Value = serde_json::from_str(&record).context("the run left no record")?;
    let row = record.pointer("/rows/0/figures").context("the run has no row")?;
    let number = |key: &str| row.get(key).and_then(serde_json::Value::as_f64);
    let skipped = number("polls_skipped").unwrap_or(0.0);
    let verdict = row
        .get("validity")
        .and_then(|verdict| verdict.as_str())
        .unwrap_or("no verdict");
    Ok(Outcome {
        requests: number("requests").context("the row has no requests")? as u64,
        seconds: f64::from(options.seconds),
        cpu_s: number("client_cpu_s").context("the row has no client CPU")?,
        remark: format!("paced, each update decoded; {skipped} polls skipped; {verdict}"),
    })
}

/// A tool that asks as fast as it can.
fn other(name: &str, options: &Options) -> anyhow::Result<Outcome> {
    let (mut server, said) = OwnChild::start(&["--payload", UPDATE_BYTES])?;
    let url = said
        .get("listening")
        .and_then(|url| url.as_str())
        .context("the server said no address")?;
    let address: SocketAddr = url.trim_start_matches("http://").parse()?;
    let clock: server::wire::ClockAnswer = get(address, "/api/clock")?;
    server.say(&format!("start {}\n", clock.now_us))?;
    let (clients, seconds) = (options.clients.to_string(), format!("{}s", options.seconds));
    let mut command = Command::new(name);
    match name {
        "wrk" => command.args(["-t", "1", "-c", &clients, "-d", &seconds]),
        _ => command.args(["-z", &seconds, "-c", &clients, "--no-tui"]),
    };
    command.arg(format!("{url}/feed/short-poll?topic=match-1"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (requests_before, cpu_before_s) = (requests(address)?, cpu_of_ended_children_s()?);
    wait(command, Duration::from_secs(options.seconds.into()) + GRACE)?;
    // The server runs still, so what ended is the tool alone.
    let cpu_s = cpu_of_ended_children_s()? - cpu_before_s;
    Ok(Outcome {
        requests: requests(address)? - requests_before,
        seconds: f64::from(options.seconds),
        cpu_s,
        remark: "as fast as it can, bodies dropped".into(),
    })
}

/// Short polls the server has answered so far.
fn requests(address: SocketAddr) -> anyhow::Result<u64> {
    let stats: serde_json::Value = get(address, "/api/stats")?;
    let rows = stats
        .get("transports")
        .and_then(|rows| rows.as_array())
        .context("no transports")?;
    let row = rows
        .iter()
        .find(|row| row.get("id").is_some_and(|id| id == "short-poll"));
    row.and_then(|row| row.get("requests")?.as_u64())
        .context("no requests in the server's statistics")
}

fn cpu_of_ended_children_s() -> anyhow::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// Runs it to its end; kills it where that does not come. Its exit code is no matter: a run that is invalid has its figures all the same.
fn wait(mut command: Command, longest: Duration) -> anyhow::Result<()> {
    let mut child = command.stdin(Stdio::null()).spawn().context("could not be started")?;
    let deadline = Instant::now() + longest;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            bail!("it did not end within {} s", longest.as_secs());
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
