//! `list`: what can be run, a name and a line or two each.

use super::dry_run;
use crate::{
    floor,
    plan::{self, Overrides},
    report::terminal::wrap,
    scenario::{self, Scenario},
    transports,
};

/// Widest line.
const WIDTH: usize = 100;

pub fn text() -> String {
    let names = scenario::BUILT_IN.iter().map(|(name, _)| *name);
    let ids = floor::contender_ids();
    let widest = names.chain(ids).map(str::len).max().unwrap_or(0);
    let mut text = String::from("Scenarios (run NAME, or a .toml file of your own):\n");
    for (name, _) in scenario::BUILT_IN {
        // They are read and planned by a test.
        let Ok(scenario) = Scenario::load(name) else { continue };
        let Ok(resolved) = plan::resolve(&scenario, &Overrides::default()) else {
            continue;
        };
        let default = if name == scenario::DEFAULT { " (default)" } else { "" };
        let summary = format!("{}{default}", scenario.file.summary);
        text += &item(name, widest, &[&summary, &dry_run::brief(&resolved.plan)]);
    }
    text += "\nTransports (--transport A,B):\n";
    for row in &transports::ALL {
        let described = server::transports::ALL.iter().find(|one| one.id() == row.id);
        let words = described.map_or("", |one| one.description.summary.as_ref());
        text += &item(row.id, widest, &[words]);
    }
    text += "\nBeside them, in a run that names no transports, and with --transport A,B,floor:\n";
    text += &item(floor::ID, widest, &[floor::DESCRIPTION.summary.as_ref()]);
    text
}

/// A name, and beside it what is said of it, each on lines of its own.
fn item(name: &str, widest: usize, said: &[&str]) -> String {
    let room = WIDTH - widest - 4;
    let lines = said
        .iter()
        .flat_map(|words| wrap(words.split(' ').map(str::to_owned), " ", room));
    let line = |(i, line): (usize, String)| format!("  {:<widest$}  {line}\n", if i == 0 { name } else { "" });
    lines.enumerate().map(line).collect()
}
