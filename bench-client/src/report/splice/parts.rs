//! What a region can show of a run.

use std::path::Path;

use anyhow::Result;

use crate::plan;
use crate::record::RunRecord;
use crate::report::format::of;
use crate::report::markdown::table::{escape, fenced, table};
use crate::report::summary::summaries;
use crate::report::{comparisons, terminal, trust};
use crate::statistics::between_transports;

/// As wide as the terminal's table at its widest.
const WIDTH: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Command, what it printed, when and where.
    Table,
    /// The table alone, as a markdown table.
    Figures,
    /// Who is better, and how surely, an item each.
    Claims,
    /// What to type.
    Command,
    /// When, where and by what it was measured, and the verdict.
    Measured,
}

const ALL: [(&str, Part); 5] = [
    ("table", Part::Table),
    ("figures", Part::Figures),
    ("claims", Part::Claims),
    ("command", Part::Command),
    ("measured", Part::Measured),
];

impl Part {
    pub fn by_name(name: &str) -> Option<Self> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, part)| *part)
    }

    pub fn name(self) -> &'static str {
        ALL.iter().find(|(_, part)| *part == self).map_or("", |(name, _)| name)
    }

    pub fn names() -> [&'static str; 5] {
        ALL.map(|(name, _)| name)
    }
}

/// The part as markdown, with a line end.
///
/// # Errors
/// Names the row whose histogram cannot be read.
pub fn make(part: Part, record: &RunRecord, folder: &Path) -> Result<String> {
    Ok(match part {
        Part::Table => format!(
            "{}\n{}\n{}",
            command(record, folder),
            fenced(&terminal::table(record, WIDTH, false)?),
            measured(record)?
        ),
        Part::Figures => figures(record)?,
        Part::Claims => comparisons::headlines(record, &between_transports(record))
            .iter()
            .map(|claim| format!("- {}\n", escape(claim)))
            .collect(),
        Part::Command => command(record, folder),
        Part::Measured => measured(record)?,
    })
}

fn command(record: &RunRecord, folder: &Path) -> String {
    let folder = folder.to_string_lossy();
    let folder = match folder.trim_end_matches('/') {
        "" => ".",
        folder => folder,
    };
    let release = if record.tool.profile == "release" {
        " --release"
    } else {
        ""
    };
    let words = format!("cargo run{release} -- {}\n", plan::command(&record.plan, folder));
    fenced(&words).replacen("text\n", "sh\n", 1)
}

fn figures(record: &RunRecord) -> Result<String> {
    let headers = terminal::COLUMNS.map(|header| header.replace('\n', " "));
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let summaries = summaries(record)?;
    let rows = summaries.iter().map(|summary| {
        let mut cells = terminal::cells(summary);
        // There a variant stands below its technique; here every row names both.
        cells[0] = summary.label.to_owned();
        cells
    });
    Ok(table(&headers, 1, rows))
}

fn measured(record: &RunRecord) -> Result<String> {
    let (tool, machine, plan) = (&record.tool, &record.environment, &record.plan);
    let date = record.started_utc.split('T').next().unwrap_or_default();
    let revision = match tool.revision.as_str() {
        "" => "an unknown revision".to_owned(),
        revision => format!("revision {revision}"),
    };
    let place = if plan.remote {
        "the clients' machine; the server was not started by this run"
    } else {
        match !record.rows.is_empty() && record.rows.iter().all(|row| row.health.cores_apart.is_some()) {
            true => "server and clients on cores of their own, over loopback",
            false => "server and clients shared the cores, over loopback",
        }
    };
    let where_ = format!(
        "Measured on {date} on {} ({}), {} {}, by a {} build of {revision}; {place}.",
        of(machine.cores.into(), "core", "cores"),
        machine.cpu_model,
        machine.os,
        machine.kernel,
        tool.profile,
    );
    let summaries = summaries(record)?;
    let verdict = trust::overall(record, &summaries).unwrap_or_else(|| trust::unjudged(record));
    let ended = trust::exit_code(record, &summaries).unwrap_or_else(|| "The run has not ended".to_owned());
    Ok(format!("{} Verdict: {}. {ended}.\n", escape(&where_), escape(&verdict)))
}
