//! How far the figures can be trusted, in words: the verdicts of rows, techniques and the run, and the findings behind them.
//!
//! ```text
//! Row (outcome, validity, findings) -> Standing, Said -> terminal, report.md
//! ```
//!
//! It judges nothing: verdicts and their reasons come with the record. What several rows say alike is said once.

use crate::exit_code;
use crate::record::{Finding, Outcome, Row, RunRecord, RunStatus, SCHEMA_VERSION, Verdict};
use crate::thresholds;

use super::{
    format::listed,
    summary::{Summary, summaries},
};

/// The finding of a row that its conditions change nothing for.
const UNCHANGED: &str = "unchanged";

/// A verdict, or what is graver than any. Ordered: graver is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Judged(Verdict),
    /// The row has failed: there is less than nothing to judge.
    Failed,
}

impl Standing {
    pub fn name(self) -> &'static str {
        match self {
            Standing::Judged(verdict) => verdict.name(),
            Standing::Failed => "FAILED",
        }
    }
}

/// What one row says of itself; nothing in records of version 1.
pub fn of_row(row: &Row) -> Option<Standing> {
    match row.outcome {
        Outcome::Failed { .. } => Some(Standing::Failed),
        Outcome::Ok | Outcome::Interrupted => row.figures.validity.map(Standing::Judged),
    }
}

/// The gravest of a technique's repeats.
pub fn of_technique(summary: &Summary) -> Option<Standing> {
    summary.rows.iter().filter_map(|row| of_row(row)).max()
}

/// The gravest of all rows.
pub fn of_run(record: &RunRecord) -> Option<Standing> {
    record.rows.iter().filter_map(of_row).max()
}

/// The run's verdict in a sentence that names the techniques it comes from.
pub fn overall(record: &RunRecord, summaries: &[Summary]) -> Option<String> {
    let standing = of_run(record)?;
    let so = |summary: &&Summary| of_technique(summary) == Some(standing);
    let names: Vec<&str> = summaries.iter().filter(so).map(|summary| summary.label).collect();
    let names = if names.len() == summaries.len() {
        "every technique".to_owned()
    } else {
        listed(&names)
    };
    Some(match standing {
        Standing::Judged(Verdict::Valid) => "VALID".to_owned(),
        Standing::Judged(Verdict::Suspect) => format!("SUSPECT: read the figures of {names} with care"),
        Standing::Judged(Verdict::Invalid) => format!("INVALID: the figures of {names} do not measure the technique"),
        Standing::Failed => format!("FAILED: rows of {names} failed"),
    })
}

/// Which contenders do under their conditions what they do without them: their rows say so themselves.
pub fn unchanged(summaries: &[Summary]) -> Option<String> {
    let says = |summary: &&Summary| tells(summary.rows.iter().copied(), UNCHANGED, Verdict::Valid);
    let labels: Vec<&str> = summaries.iter().filter(says).map(|summary| summary.label).collect();
    (!labels.is_empty()).then(|| format!("unchanged, as they keep one connection anyway: {}", labels.join("; ")))
}

/// The run's verdict, where it is not VALID.
///
/// # Errors
/// Names the row whose histogram cannot be read.
pub fn reservation(record: &RunRecord) -> anyhow::Result<Option<String>> {
    let valid = Standing::Judged(Verdict::Valid);
    if of_run(record).is_none_or(|standing| standing == valid) {
        return Ok(None);
    }
    Ok(overall(record, &summaries(record)?))
}

/// With which code the run ended, and what that means; None while it has not.
pub fn exit_code(record: &RunRecord, summaries: &[Summary]) -> Option<String> {
    if record.status == RunStatus::Running {
        return None;
    }
    let checked = thresholds::check(record, summaries);
    let broken = checked.iter().any(|one| one.standing == thresholds::Standing::Broken);
    let code = exit_code::of(record, broken);
    Some(format!("Exit code {code}: {}", exit_code::words(code)))
}

/// Why a record with rows has no verdict at all.
pub fn unjudged(record: &RunRecord) -> String {
    let version = record.schema_version;
    if version < SCHEMA_VERSION {
        format!("this record has version {version}, whose rows said nothing of themselves")
    } else {
        "no row of this record says anything of itself".to_owned()
    }
}

/// A finding and every row that has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Said<'a> {
    /// The gravest verdict of those rows.
    pub verdict: Verdict,
    pub code: &'a str,
    /// In words, as the gravest row has it.
    pub text: &'a str,
    /// Whose rows, such as `Long polling, repeats 2 and 3`.
    pub place: String,
    /// The repeat that `text` is about, where the others' words differ.
    pub shown: Option<u32>,
}

/// Every distinct finding, the gravest first; those of one technique that differ in words alone are one.
pub fn said<'a>(summaries: &[Summary<'a>]) -> Vec<Said<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (technique, summary) in summaries.iter().enumerate() {
        for row in &summary.rows {
            for finding in &row.findings {
                add(&mut groups, technique, row.figures.repeat, finding);
            }
        }
    }
    let mut said: Vec<Said> = join(groups).into_iter().map(|group| group.said(summaries)).collect();
    // Stable: within a verdict the plan's order stays.
    said.sort_by_key(|said| std::cmp::Reverse(said.verdict));
    said
}

/// A finding and where it stands.
struct Group<'a> {
    finding: &'a Finding,
    /// Technique and repeat.
    rows: Vec<(usize, u32)>,
    shown: Option<u32>,
}

/// Into the group of the same words, or a new one.
fn add<'a>(groups: &mut Vec<Group<'a>>, technique: usize, repeat: u32, finding: &'a Finding) {
    match groups.iter_mut().find(|group| group.finding == finding) {
        Some(group) => group.rows.push((technique, repeat)),
        None => groups.push(Group {
            finding,
            rows: vec![(technique, repeat)],
            shown: None,
        }),
    }
}

/// Groups of one technique with one code become one, which keeps the gravest words.
fn join(groups: Vec<Group>) -> Vec<Group> {
    let mut joined: Vec<Group> = Vec::new();
    for mut group in groups {
        let alike = |other: &&mut Group| {
            let technique = group.rows[0].0;
            let one_technique = |rows: &[(usize, u32)]| rows.iter().all(|(of, _)| *of == technique);
            other.finding.code == group.finding.code && one_technique(&other.rows) && one_technique(&group.rows)
        };
        let Some(other) = joined.iter_mut().find(alike) else {
            joined.push(group);
            continue;
        };
        if group.finding.verdict > other.finding.verdict {
            std::mem::swap(&mut group, other);
        }
        other.shown = other.shown.or(Some(other.rows[0].1));
        other.rows.extend(group.rows);
    }
    joined
}

impl<'a> Group<'a> {
    fn said(self, summaries: &[Summary<'a>]) -> Said<'a> {
        Said {
            verdict: self.finding.verdict,
            code: &self.finding.code,
            text: &self.finding.text,
            place: place(&self.rows, summaries),
            shown: self.shown,
        }
    }
}

/// Rows by name: as few words as name them all.
fn place(rows: &[(usize, u32)], summaries: &[Summary]) -> String {
    if rows.len() == summaries.iter().map(|summary| summary.rows.len()).sum::<usize>() {
        return "Every row".to_owned();
    }
    let mut parts = Vec::new();
    for (technique, summary) in summaries.iter().enumerate() {
        let mut repeats: Vec<u32> = rows
            .iter()
            .filter(|(of, _)| *of == technique)
            .map(|(_, repeat)| *repeat)
            .collect();
        repeats.sort_unstable();
        match repeats.as_slice() {
            [] => {}
            all if all.len() == summary.rows.len() && all.len() > 1 => parts.push(summary.label.to_owned()),
            [one] => parts.push(format!("{}, repeat {one}", summary.label)),
            several => {
                let numbers: Vec<String> = several.iter().map(u32::to_string).collect();
                let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
                parts.push(format!("{}, repeats {}", summary.label, listed(&numbers)));
            }
        }
    }
    parts.join("; ")
}

impl Said<'_> {
    /// `code: text`, with the repeat the text is about where it must be told.
    pub fn words(&self) -> String {
        match self.shown {
            Some(repeat) => format!("{} (repeat {repeat}): {}", self.code, self.text),
            None => format!("{}: {}", self.code, self.text),
        }
    }
}

/// Whether any of these rows has a finding with this code: then nothing else need say it.
pub fn tells<'a>(rows: impl IntoIterator<Item = &'a Row>, code: &str, least: Verdict) -> bool {
    let mut findings = rows.into_iter().flat_map(|row| &row.findings);
    findings.any(|finding| finding.code == code && finding.verdict >= least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, summary::summaries};

    fn finding(code: &str, verdict: Verdict, text: &str) -> Finding {
        Finding {
            code: code.to_owned(),
            verdict,
            text: text.to_owned(),
        }
    }

    /// The fixture with these findings alone: of each row, in the record's order (short-poll, long-poll, sse, websocket, again).
    fn record(findings: [Vec<Finding>; 8]) -> RunRecord {
        let mut record = fixture::record();
        for (row, findings) in record.rows.iter_mut().zip(findings) {
            row.findings = findings;
        }
        record
    }

    fn lines(record: &RunRecord) -> Vec<String> {
        let said = said(&summaries(record).unwrap());
        let line = |said: &Said| format!("{} {}: {}", said.verdict.name(), said.place, said.words());
        said.iter().map(line).collect()
    }

    #[test]
    fn what_every_row_says_is_said_once() {
        let debug = || vec![finding("debug-build", Verdict::Suspect, "slow.")];
        let record = record([(); 8].map(|()| debug()));
        assert_eq!(lines(&record), ["SUSPECT Every row: debug-build: slow."]);
    }

    #[test]
    fn repeats_that_differ_in_words_are_one_line_with_the_gravest_words() {
        let cpu = |verdict, text| vec![finding("others-cpu", verdict, text)];
        let record = record([
            vec![],
            cpu(Verdict::Suspect, "14 %"),
            vec![],
            cpu(Verdict::Valid, "2 %"),
            vec![],
            cpu(Verdict::Invalid, "31 %"),
            vec![],
            vec![],
        ]);
        assert_eq!(
            lines(&record),
            [
                "INVALID Long polling: others-cpu (repeat 2): 31 %",
                "VALID WebSocket, repeat 1: others-cpu: 2 %"
            ]
        );
    }

    #[test]
    fn a_failed_row_outweighs_every_verdict_and_an_unjudged_one_counts_for_nothing() {
        let mut record = fixture::record();
        for row in &mut record.rows {
            row.outcome = Outcome::Ok;
            row.figures.validity = None;
        }
        let overall_of = |record: &RunRecord| overall(record, &summaries(record).unwrap());
        assert_eq!(overall_of(&record), None);
        record
            .rows
            .iter_mut()
            .for_each(|row| row.figures.validity = Some(Verdict::Valid));
        assert_eq!(overall_of(&record).unwrap(), "VALID");
        record.rows[1].figures.validity = Some(Verdict::Invalid);
        assert_eq!(
            overall_of(&record).unwrap(),
            "INVALID: the figures of Long polling do not measure the technique"
        );
        record.rows[2].outcome = Outcome::Failed {
            reason: "dead".to_owned(),
        };
        assert_eq!(
            overall_of(&record).unwrap(),
            "FAILED: rows of Server-Sent Events failed"
        );
        assert_eq!(
            of_technique(&summaries(&record).unwrap()[1]),
            Some(Standing::Judged(Verdict::Invalid))
        );
    }
}
