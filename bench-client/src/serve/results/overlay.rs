//! Several runs in the same charts, and of two what changed, as `compare` says it.

use std::collections::HashSet;

use serde::Serialize;

use super::{answer::Refusal, folder::Listed, one::Drawn};
use crate::{
    record::{RunRecord, RunStatus},
    report::{
        changes::{self, Compared},
        chart::{self, overlay},
        describe, differences,
        html::{self, Entry, prose::Section},
    },
    statistics::between_runs,
};

/// More have no lines that can be told apart.
const RUNS: std::ops::RangeInclusive<usize> = 2..=6;

#[derive(Serialize)]
struct Answer {
    runs: Vec<Run>,
    legend: Vec<Entry>,
    charts: Vec<Drawn>,
    /// HTML; of two runs that have a technique in common.
    changes: Option<String>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Run {
    id: String,
    title: String,
    started_utc: String,
    status: RunStatus,
}

/// The runs that are asked for, where they make an overlay.
///
/// # Errors
/// Says which rule they break.
pub fn checked(ids: Vec<String>) -> Result<Vec<String>, Refusal> {
    if !RUNS.contains(&ids.len()) {
        let (least, most) = (RUNS.start(), RUNS.end());
        return Err(Refusal::Wrong(format!(
            "{} runs: {least} to {most} can be laid over each other, such as ?run=A&run=B",
            ids.len()
        )));
    }
    let mut seen = HashSet::new();
    match ids.iter().find(|id| !seen.insert(*id)) {
        Some(twice) => Err(Refusal::Wrong(format!("{twice:?} is named twice"))),
        None => Ok(ids),
    }
}

/// # Errors
/// Says of which run the record can't be read, or what can't be made of it.
pub fn json(listed: &[Listed]) -> Result<Vec<u8>, Refusal> {
    let records: Vec<RunRecord> = listed.iter().map(Listed::record).collect::<Result<_, _>>()?;
    made(listed, &records).map_err(|error| Refusal::Broken(format!("{error:#}")))
}

fn made(listed: &[Listed], records: &[RunRecord]) -> anyhow::Result<Vec<u8>> {
    let both = || listed.iter().zip(records);
    let part = |(listed, record): (&Listed, &RunRecord)| {
        Ok(overlay::Part {
            name: listed.id.clone(),
            charts: chart::all(record)?,
        })
    };
    let parts: Vec<overlay::Part> = both().map(part).collect::<anyhow::Result<_>>()?;
    let found = overlay::overlay(&parts);
    let mut warnings = found.warnings;
    let changes = match (listed, records) {
        ([a, b], [of_a, of_b]) => changes((&a.id, of_a), (&b.id, of_b), &mut warnings),
        _ => {
            // Of two, the changes say so themselves.
            warnings.extend(unlike(listed, records));
            None
        }
    };
    let answer = Answer {
        runs: both()
            .map(|(listed, record)| Run {
                id: listed.id.clone(),
                title: describe::heading(&record.plan),
                started_utc: record.started_utc.clone(),
                status: listed.status(record.status),
            })
            .collect(),
        legend: found
            .owners
            .iter()
            .map(|owner| Entry::for_marks(owner.place, owner.position, &owner.label, &owner.transport))
            .collect(),
        charts: found
            .charts
            .iter()
            .map(|chart| Drawn::of(chart, html::picture(chart)?))
            .collect::<anyhow::Result<_>>()?,
        changes,
        warnings,
    };
    Ok(serde_json::to_vec(&answer)?)
}

/// What changed from the first to the second, with what its reader must know. Unlike the command, it compares different plans too: the
/// charts do so anyway, and here stands what differs.
fn changes((a, of_a): (&str, &RunRecord), (b, of_b): (&str, &RunRecord), warnings: &mut Vec<String>) -> Option<String> {
    let plans = plans(of_a, of_b);
    let others = of_b.plan.contender_ids();
    if !of_a.plan.contender_ids().iter().any(|id| others.contains(id)) {
        warnings.extend(plans);
        warnings.extend(differences::of_circumstances(of_a, of_b));
        warnings.push("the two runs have no technique in common".to_owned());
        return None;
    }
    let compared = Compared {
        a,
        b,
        warnings: plans
            .into_iter()
            .chain(differences::of_circumstances(of_a, of_b))
            .collect(),
        found: between_runs(of_a, of_b, changes::DEFAULT_MARGIN),
    };
    Section::open(&changes::markdown(&compared)).map(|section| section.body)
}

fn plans(a: &RunRecord, b: &RunRecord) -> Vec<String> {
    let different = differences::of_plans(&a.plan, &b.plan);
    different
        .into_iter()
        .map(|one| format!("not the same plan: {one}"))
        .collect()
}

/// Which runs measured something else than the first, or under other circumstances.
fn unlike(listed: &[Listed], records: &[RunRecord]) -> Vec<String> {
    let Some((first, others)) = records.split_first() else {
        return Vec::new();
    };
    let others = others.iter().zip(&listed[1..]);
    let words = others.flat_map(|(other, of)| {
        let words = plans(first, other)
            .into_iter()
            .chain(differences::of_circumstances(first, other));
        words.map(move |words| format!("A {}, B {}: {words}", listed[0].id, of.id))
    });
    words.collect()
}
