//! Our server, the floor and Nchan side by side, with the same clients and the same updates: what does an update cost each?
//!
//! ```text
//! options -> rows (server × technique) -> repeats, forth and back: measure.rs (servers.rs, nchan.rs, reader.rs) -> table.rs -> stdout
//! ```
//!
//! `cargo bench -p bench-client --bench side-by-side -- --help`; how to read it stands in `benches/README.md`.

mod child;
mod figures;
mod flat_out;
mod long_poll;
mod measure;
mod nchan;
mod noted;
mod publisher;
mod reader;
mod scan;
mod servers;
mod table;

use std::process::ExitCode;

use bench_client::environment;
use clap::Parser;

use measure::{Load, Row, measure};
use servers::{ServerKind, Technique};
use table::Measured;

/// Sets our server, the floor (a bare writer of the same bytes) and Nchan side by side.
#[derive(Parser)]
struct Options {
    /// Clients, each with a connection of its own
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=19_000))]
    clients: u32,
    /// Updates per second; every client gets each
    #[arg(long, default_value_t = 20.0, value_parser = rate)]
    rate: f64,
    /// The same for long polls, which cost a request each [default: a quarter of --rate]
    #[arg(long, value_parser = rate)]
    long_poll_rate: Option<f64>,
    /// Size of each encoded update
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(220..=65_536))]
    update_bytes: u32,
    /// Length of the window
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    seconds: f64,
    /// How often each row is measured; medians are shown
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: u32,
    /// These alone: a server, or server:technique, as in ours,floor or ours:sse,nchan:sse
    #[arg(long, value_delimiter = ',', value_parser = only)]
    only: Vec<(ServerKind, Option<Technique>)>,
    /// Raise the rate until each falls behind, and say where that is
    #[arg(long)]
    flat_out: bool,
    /// Given by cargo bench; without it a few clients check that everything works
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    environment::raise_descriptor_limit();
    if !options.bench {
        scan::check();
        (options.clients, options.repeats, options.seconds) = (20, 1, 0.2);
    }
    let rows = rows(&options);
    let load = Load {
        clients: options.clients as usize,
        update_bytes: options.update_bytes,
        seconds: options.seconds,
    };
    if options.bench {
        header(&options);
    }
    if options.flat_out {
        flat_out::run(&rows, load);
        return ExitCode::SUCCESS;
    }
    let new = |row: &Row| Measured {
        row: *row,
        repeats: Vec::new(),
    };
    let mut measured: Vec<Measured> = rows.iter().map(new).collect();
    for repeat in 0..options.repeats {
        // Forth and back: a machine that slows down slows down everyone.
        let mut order: Vec<usize> = (0..rows.len()).collect();
        if repeat % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let row = rows[index];
            eprintln!("{} {}, repeat {}", row.server.name(), row.technique.id(), repeat + 1);
            measured[index]
                .repeats
                .push(measure(row, load).map_err(|error| format!("{error:#}")));
        }
    }
    if options.bench {
        println!("{}", table::markdown(&measured));
        return ExitCode::SUCCESS;
    }
    // A few clients for a moment: that everything arrives is all this says.
    for one in &measured {
        println!(
            "{} {}: {}",
            one.row.server.name(),
            one.row.technique.id(),
            one.delivered()
        );
    }
    match measured.iter().all(Measured::sound) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// What is measured: at each rate the floor first.
fn rows(options: &Options) -> Vec<Row> {
    let long_poll_rate = options.long_poll_rate.unwrap_or(options.rate / 4.0);
    let asked = |server: ServerKind, technique: Technique| {
        let only = |one: &(ServerKind, Option<Technique>)| one.0 == server && one.1.is_none_or(|one| one == technique);
        let installed = server != ServerKind::Nchan || nchan::installed().is_some();
        installed && (options.only.is_empty() || options.only.iter().any(only))
    };
    let mut rows = Vec::new();
    for long_polls in [false, true] {
        let rate_hz = if long_polls { long_poll_rate } else { options.rate };
        let mut group: Vec<Row> = Vec::new();
        for server in [ServerKind::Floor, ServerKind::Ours, ServerKind::Nchan] {
            for &technique in server.techniques() {
                let here = server == ServerKind::Floor || (technique == Technique::LongPoll) == long_polls;
                if here && asked(server, technique) {
                    group.push(Row {
                        server,
                        technique,
                        rate_hz,
                    });
                }
            }
        }
        // A floor alone belongs to what was asked for once.
        if !long_polls || (!options.flat_out && group.iter().any(|row| row.server != ServerKind::Floor)) {
            rows.append(&mut group);
        } else {
            rows.extend(group.into_iter().filter(|row| row.server != ServerKind::Floor));
        }
    }
    rows
}

fn header(options: &Options) {
    let machine = environment::describe();
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    println!(
        "    cargo bench -p bench-client --bench side-by-side -- {}\n",
        arguments.join(" ")
    );
    println!(
        "{} · {} cores ({}) · {} {} · load {} · bench-client {}{}\n",
        humantime::format_rfc3339_seconds(std::time::SystemTime::now()),
        machine.cores,
        machine.cpu_model,
        machine.os,
        machine.kernel,
        std::fs::read_to_string("/proc/loadavg").map_or("unknown".into(), |load| {
            load.split_whitespace().take(1).collect::<String>()
        }),
        environment::tool().revision,
        nchan::versions().map_or(String::new(), |versions| format!(" · {versions}")),
    );
    let repeats = match options.flat_out {
        true => String::new(),
        false => format!(", {} repeats", options.repeats),
    };
    println!(
        "{} clients, one topic, updates of {} B, window {} s{repeats}; clients and servers share the cores, over loopback\n",
        options.clients, options.update_bytes, options.seconds
    );
    if nchan::installed().is_none() {
        println!("{}\n", nchan::MISSING);
    }
}

fn rate(text: &str) -> Result<f64, String> {
    number(text, 0.5, 1000.0)
}

fn seconds(text: &str) -> Result<f64, String> {
    number(text, 0.1, 600.0)
}

fn number(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value| (least..=most).contains(value));
    value.ok_or_else(|| format!("expected a number from {least} to {most}"))
}

fn only(text: &str) -> Result<(ServerKind, Option<Technique>), String> {
    use clap::ValueEnum;
    let (server, technique) = text
        .split_once(':')
        .map_or((text, None), |(server, one)| (server, Some(one)));
    let technique = technique.map(|one| Technique::from_str(one, true)).transpose();
    let words = |error: String| format!("{error}; expected floor, ours or nchan, alone or as ours:sse");
    let server = ServerKind::from_str(server, true).map_err(words)?;
    Ok((server, technique.map_err(words)?))
}
