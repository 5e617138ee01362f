//! Instructions of each hot path, counted by Valgrind's callgrind: the same on a busy machine as on an idle one.
//!
//! ```text
//! this program -> valgrind --tool=callgrind --toggle-collect='*counted*' this program --count NAME -> "Collected : N" -> table
//! ```
//!
//! `cargo bench --bench instructions`, or `-- decode` for those whose name has it. The last run's counts are kept beside the build
//! (`instructions.txt`), and what changed since stands in the last column. Where Valgrind is missing it says so and counts nothing.
//! gungraun would do the same with a program of its own that has to be installed in the very same version.

#[path = "hot_paths/paths.rs"]
mod paths;
#[path = "hot_paths/world.rs"]
mod world;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

/// Before counting: what is allocated or looked up once is done by then.
const WARM_UPS: u32 = 5;
/// Updates that are counted, at least; all of one step where that handles more.
const COUNTED_UPDATES: u64 = 200;
/// How long one path may take under Valgrind, which is some fifty times slower.
const TIMEOUT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name] = &arguments[..]
        && flag == "--count"
    {
        count(name);
        return ExitCode::SUCCESS;
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        // `cargo test --benches`: every path works.
        paths::ALL.iter().for_each(|path| count(path.0));
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        println!("instructions: valgrind is not installed, so nothing is counted. On Debian: apt-get install valgrind");
        return ExitCode::SUCCESS;
    }
    let filters: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let mut kept = Kept::read();
    println!("| path | instructions per update | since the last run |\n|---|--:|--:|");
    for (name, updates, _) in paths::ALL.iter().filter(|path| wanted(path.0)) {
        match counted_by_valgrind(name) {
            Ok(instructions) => {
                let each = instructions as f64 / (u64::from(steps(*updates)) * updates) as f64;
                println!("| {name} | {each:.1} | {} |", kept.change(name, each));
            }
            Err(words) => println!("| {name} | not counted: {words} | |"),
        }
    }
    kept.write();
    ExitCode::SUCCESS
}

fn steps(updates: u64) -> u32 {
    COUNTED_UPDATES.div_ceil(updates) as u32
}

fn count(name: &str) {
    let (_, updates, make) = paths::ALL
        .iter()
        .find(|path| path.0 == name)
        .expect("a name of the table");
    let mut step = make();
    for _ in 0..WARM_UPS {
        step();
    }
    counted(&mut step, steps(*updates));
}

/// Callgrind counts while this is on the stack; it goes by the name.
#[inline(never)]
fn counted(step: &mut paths::Step, steps: u32) {
    for _ in 0..steps {
        step();
    }
}

/// Runs one path under callgrind; what went wrong in words.
fn counted_by_valgrind(name: &str) -> Result<u64, String> {
    let itself = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut log = tempfile::tempfile().map_err(|error| error.to_string())?;
    let mut child = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*instructions*counted*",
        ])
        .arg(itself)
        .args(["--count", name])
        .stdin(Stdio::null())
        .stderr(log.try_clone().map_err(|error| error.to_string())?)
        .spawn()
        .map_err(|error| error.to_string())?;
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < TIMEOUT => std::thread::sleep(Duration::from_millis(20)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("not done within {} s", TIMEOUT.as_secs()));
            }
        }
    };
    let mut words = String::new();
    let read = log.rewind().and_then(|()| log.read_to_string(&mut words));
    read.map_err(|error| error.to_string())?;
    let line = words.lines().find_map(|line| line.split_once("Collected : "));
    let count = line
        .and_then(|(_, count)| count.trim().parse().ok())
        .filter(|count| *count > 0);
    count
        .filter(|_| status.success())
        .ok_or_else(|| format!("valgrind ended with {status} and counted nothing"))
}

/// Counts of the last run, beside the build.
struct Kept {
    file: Option<PathBuf>,
    counts: BTreeMap<String, f64>,
}

impl Kept {
    fn read() -> Self {
        // …/target/release/deps/instructions-0123456789abcdef
        let itself = std::env::current_exe().ok();
        let file = itself.and_then(|path| Some(path.parent()?.parent()?.parent()?.join("instructions.txt")));
        let mut text = String::new();
        if let Some(mut file) = file.as_ref().and_then(|file| File::open(file).ok()) {
            // A file that cannot be read is as good as none.
            let _ = file.read_to_string(&mut text);
        }
        let line = |line: &str| {
            let (name, count) = line.split_once(' ')?;
            Some((name.to_owned(), count.parse().ok()?))
        };
        Self {
            file,
            counts: text.lines().filter_map(line).collect(),
        }
    }

    fn change(&mut self, name: &str, each: f64) -> String {
        match self.counts.insert(name.to_owned(), each) {
            Some(last) => format!("{:+.2} %", (each / last - 1.0) * 100.0),
            None => "–".into(),
        }
    }

    fn write(&self) {
        let lines: String = self
            .counts
            .iter()
            .map(|(name, each)| format!("{name} {each}\n"))
            .collect();
        if let Some(file) = &self.file
            && let Err(error) = std::fs::write(file, lines)
        {
            eprintln!("the counts are not kept: {error}");
        }
    }
}
