//! The table on stdout: one line per transport, its conditions above, and below only what a reader must know: the verdict
//! with its reasons, notes, thresholds.
//!
//! Latency is that of the merged repeats; report.md has the repeats one by one, and remarks that change no verdict.

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};

use crate::record::{RunRecord, Verdict};
use crate::statistics::between_transports;
use crate::thresholds;

use super::final_scores;
use super::format::{UNKNOWN, bytes, known, number, quantile, share, time_us};
use super::summary::{Summary, summaries};
use super::trust::{self, Standing};
use super::{behaviour, comparisons, describe, floor, notes};

pub(super) const COLUMNS: [&str; 10] = [
    "technique",
    "p50",
    "p99",
    "age\n(mean)",
    "reach",
    "requests\nper s",
    "bytes\nper\nupdate",
    "server\nCPU per\nupdate",
    "memory\nper\nclient",
    "verdict",
];

/// The columns that give up a blank where the table is too wide, first those whose heads are wider than their cells.
const GIVES_WAY: [usize; 9] = [5, 3, 4, 9, 7, 6, 8, 2, 1];

const PLAIN: &str = "0";
const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

/// The run as a table of at most `width` columns, with ANSI bold, dim and colours when `color` is set. Ends with a line end.
///
/// # Errors
/// Names the row whose histogram cannot be read.
pub fn table(record: &RunRecord, width: usize, color: bool) -> Result<String> {
    let summaries = summaries(record)?;
    let mut out = Page {
        text: String::new(),
        width,
        color,
    };
    out.line(&clean(&describe::heading(&record.plan)), BOLD);
    for parts in [describe::load(&record.plan), describe::conditions(&record.plan)] {
        for line in wrap(parts.iter().map(|part| clean(part)), " · ", width) {
            out.line(&line, DIM);
        }
    }
    for line in describe::variants(&record.plan) {
        out.item("·", &line, DIM);
    }
    out.text.push('\n');
    out.figures(&summaries);
    for table in behaviour::tables(&summaries)
        .into_iter()
        .chain(floor::table(&summaries))
    {
        out.behaviour(&table);
    }
    let notes = notes::notes(record, &summaries, Verdict::Suspect);
    if !record.rows.is_empty() || !notes.is_empty() {
        out.text.push('\n');
    }
    out.verdict(record, &summaries);
    for note in notes {
        out.item("!", &note, YELLOW);
    }
    if let Some(unchanged) = trust::unchanged(&summaries) {
        out.item("·", &unchanged, DIM);
    }
    if let Some(words) = final_scores::words(record) {
        out.text.push('\n');
        out.item("final scores:", &words, PLAIN);
    }
    out.claims(record);
    out.thresholds(record, &summaries);
    Ok(out.text)
}

struct Page {
    text: String,
    width: usize,
    color: bool,
}

impl Page {
    fn line(&mut self, text: &str, code: &str) {
        if self.color {
            self.text += &format!("\x1b[{code}m{text}\x1b[0m\n");
        } else {
            self.text += &format!("{text}\n");
        }
    }

    /// Words behind a mark, wrapped so that the mark stands alone at the left.
    fn item(&mut self, mark: &str, words: &str, code: &str) {
        let indent = " ".repeat(mark.chars().count());
        let room = self.width.saturating_sub(mark.chars().count() + 1);
        let lines = wrap(clean(words).split(' ').map(str::to_owned), " ", room);
        for (i, line) in lines.into_iter().enumerate() {
            self.line(&format!("{} {line}", if i == 0 { mark } else { &indent }), code);
        }
    }

    fn figures(&mut self, summaries: &[Summary]) {
        let widest = |table: &Table| {
            let lines = table.lines().map(|line| line.trim_end().chars().count());
            lines.max().unwrap_or(0)
        };
        let wide = figures(summaries, 0);
        let mut table = figures(summaries, widest(&wide).saturating_sub(self.width));
        if widest(&table) > self.width {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(u16::try_from(self.width).unwrap_or(u16::MAX));
        }
        for line in table.trim_fmt().lines() {
            self.text += &self.coloured(line, summaries);
            self.text.push('\n');
        }
    }

    /// A small table below the first one.
    fn behaviour(&mut self, shown: &behaviour::Table) {
        let mut table = bare();
        table.set_header(shown.headers.iter().enumerate().map(|(i, header)| match i {
            0 => shown.title.to_lowercase(),
            // A word a line keeps columns narrow.
            _ => header.replace(' ', "\n"),
        }));
        table.add_rows(shown.rows.iter().map(|row| row.iter().map(|cell| clean(cell))));
        align(&mut table, |_| 2);
        self.text.push('\n');
        for line in table.trim_fmt().lines() {
            self.text += line;
            self.text.push('\n');
        }
    }

    /// The verdict stands at a line's end.
    fn coloured(&self, line: &str, summaries: &[Summary]) -> String {
        // The whole word: INVALID ends with VALID.
        let last = line.split(' ').next_back();
        let mut standings = summaries.iter().filter_map(trust::of_technique);
        let standing = standings.find(|standing| last == Some(standing.name()));
        match standing {
            Some(standing) if self.color => {
                let name = standing.name();
                let before = &line[..line.len() - name.len()];
                format!("{before}\x1b[{}m{name}\x1b[0m", colour(standing))
            }
            _ => line.to_owned(),
        }
    }

    /// The run's verdict, and a line for every finding that counts against it.
    fn verdict(&mut self, record: &RunRecord, summaries: &[Summary]) {
        let Some(standing) = trust::of_run(record) else {
            if !record.rows.is_empty() {
                self.item("verdict:", &format!("none: {}", trust::unjudged(record)), DIM);
            }
            return;
        };
        let words = trust::overall(record, summaries).unwrap_or_default();
        self.item("verdict:", &words, colour(standing));
        for said in trust::said(summaries) {
            if said.verdict > Verdict::Valid {
                let words = format!("{}: {}", said.place, said.words());
                self.item("!", &words, colour(Standing::Judged(said.verdict)));
            }
        }
    }

    /// Who is better, by how much and how surely, for the metrics most people choose by.
    fn claims(&mut self, record: &RunRecord) {
        let lines = comparisons::headlines(record, &between_transports(record));
        if !lines.is_empty() {
            self.text.push('\n');
        }
        for line in lines {
            self.item("=", &line, PLAIN);
        }
    }

    fn thresholds(&mut self, record: &RunRecord, summaries: &[Summary]) {
        let checked = thresholds::check(record, summaries);
        if checked.is_empty() {
            return;
        }
        self.text += "\nthresholds\n";
        for one in checked {
            let code = match one.standing {
                thresholds::Standing::Holds => GREEN,
                thresholds::Standing::Broken => RED,
                thresholds::Standing::Open => YELLOW,
            };
            self.item(&format!("  {}", one.standing.name()), &one.words(), code);
        }
    }
}

fn colour(standing: Standing) -> &'static str {
    match standing {
        Standing::Judged(Verdict::Valid) => GREEN,
        Standing::Judged(Verdict::Suspect) => YELLOW,
        Standing::Judged(Verdict::Invalid) | Standing::Failed => RED,
    }
}

/// Two blanks between columns, and one before `narrow` of them.
fn figures(summaries: &[Summary], narrow: usize) -> Table {
    let mut table = bare();
    table.set_header(COLUMNS);
    for (i, summary) in summaries.iter().enumerate() {
        // Variants stand indented below their technique.
        let first = i == 0 || summaries[i - 1].transport != summary.transport;
        if summary.variant.is_some() && first {
            table.add_row([clean(summary.transport_label)]);
        }
        table.add_row(cells(summary));
    }
    align(&mut table, |i| {
        let rank = GIVES_WAY.iter().position(|column| *column == i);
        if rank.is_some_and(|rank| rank < narrow) { 1 } else { 2 }
    });
    table
}

/// A table with a rule below its head and no other lines.
fn bare() -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The first column to the left, the others to the right, with a gap in front of each.
fn align(table: &mut Table, gap: impl Fn(usize) -> u16) {
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding(if i == 0 { (0, 0) } else { (gap(i), 0) });
        column.set_cell_alignment(if i == 0 {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        });
    }
}

pub(super) fn cells(summary: &Summary) -> Vec<String> {
    vec![
        match summary.variant {
            Some(variant) => format!("  {}", clean(variant)),
            None => clean(summary.label),
        },
        known(summary.latency(0.5), quantile),
        known(summary.latency(0.99), quantile),
        known(summary.age_mean_us(), time_us),
        known(summary.reach(), share),
        known(summary.requests_per_s(), number),
        known(summary.bytes_per_update(), bytes),
        known(summary.server_cpu_us_per_update(), time_us),
        known(summary.server_rss_bytes_per_client(), bytes),
        trust::of_technique(summary).map_or(UNKNOWN, Standing::name).to_owned(),
    ]
}

/// Joins `words` by `separator` into lines of at most `width` characters, unless one word alone is longer.
pub fn wrap(words: impl Iterator<Item = String>, separator: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + separator.chars().count() + word.chars().count() <= width => {
                *line += separator;
                *line += &word;
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Words of the record may hold anything; a terminal gets no control characters from them.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
