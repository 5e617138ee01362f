//! The verdict of a row on itself: what was observed, held against the plan's bounds. Pure: from the record alone.
//!
//! ```text
//! Row (figures, health, wire, predictions) + Plan.bounds -> findings -> VALID | SUSPECT | INVALID, and why
//! ```
//!
//! A bound is a named field of [`Bounds`](crate::record::Bounds) with its reason; a finding names the value, the bound and the way out.
//! What is unknown is not judged: a server elsewhere tells nothing of its CPU. Findings that change nothing are remarks: said, not hidden.

mod checks;
mod counts;

use crate::floor;
use crate::record::{Calibration, CoresApart, Environment, Finding, Outcome, Plan, Row, RunRecord, Tool, Verdict};
use crate::transports::Asks;

/// What all rows of a run are judged by.
pub struct Circumstances<'a> {
    pub plan: &'a Plan,
    pub tool: &'a Tool,
    pub environment: &'a Environment,
    /// What the client alone adds, where it was ever measured.
    pub calibrations: &'a [Calibration],
}

/// A row among them.
struct Case<'a> {
    plan: &'a Plan,
    tool: &'a Tool,
    environment: &'a Environment,
    /// That of its transport.
    calibration: Option<&'a Calibration>,
    row: &'a Row,
}

/// Judges the row and writes the verdict into it.
pub fn judge(by: &Circumstances<'_>, row: &mut Row) {
    let transport = &row.figures.transport;
    let plan = by.plan.varied(row.figures.variant.as_deref());
    let case = Case {
        plan: &plan,
        tool: by.tool,
        environment: by.environment,
        calibration: by.calibrations.iter().find(|one| one.transport == *transport),
        row,
    };
    let findings = findings(&case);
    row.figures.validity = Some(findings.first().map_or(Verdict::Valid, |worst| worst.verdict));
    let reasons = findings.iter().filter(|finding| finding.verdict > Verdict::Valid);
    let reasons: Vec<_> = reasons
        .map(|finding| format!("{}: {}", finding.code, finding.text))
        .collect();
    row.figures.validity_reasons = (!reasons.is_empty()).then(|| reasons.join("; "));
    row.findings = findings;
}

/// Everything a row has to say about itself, worst first.
fn findings(case: &Case<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = checks::checks(case)
        .into_iter()
        .filter_map(checks::Check::finding)
        .map(|found| unless_planned(case, found))
        .chain(counts::counts(case))
        .chain(outcome(case))
        .collect();
    // Stable: within a verdict the order of the checks stays.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    findings
}

/// Faults that a planned restart brings about: they are what is measured there.
const OF_A_RESTART: [&str; 5] = [
    "publish-lag",
    "drift",
    "polls-skipped",
    "listen-overflows",
    "retransmits",
];

/// What the plan brings about is said and not judged.
fn unless_planned(case: &Case<'_>, mut found: Finding) -> Finding {
    if case.plan.restart.is_some() && OF_A_RESTART.contains(&found.code.as_str()) {
        found.verdict = Verdict::Valid;
        found.text = format!("not judged, as the server was restarted: {}", found.text);
    }
    found
}

fn finding(verdict: Verdict, code: &str, text: impl Into<String>) -> Finding {
    Finding {
        code: code.to_owned(),
        verdict,
        text: text.into(),
    }
}

/// A row that did not run as planned, and how it was built.
fn outcome(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &case.row.outcome {
        Outcome::Ok => {}
        Outcome::Interrupted => findings.push(finding(
            Verdict::Suspect,
            "interrupted",
            "the row was cut short; its figures are of a shorter window than planned",
        )),
        Outcome::Failed { reason } => findings.push(finding(Verdict::Invalid, "failed", reason)),
    }
    if case.tool.profile == "debug" {
        let text = "a debug build takes several times the CPU and time of a release build: add --release";
        findings.push(finding(Verdict::Suspect, "debug-build", text));
    }
    let asks = floor::contender(&case.row.figures.transport).map(|row| row.asks);
    if !case.plan.keep_alive && asks == Some(Asks::Once) {
        let text = "it asks once and keeps that connection: without keep-alive it does what it does with it";
        findings.push(finding(Verdict::Valid, "unchanged", text));
    }
    if case.row.health.interrupts_apart == Some(true) {
        let text = "this kernel takes interrupts out of the processes' CPU time, and much of TCP's work on loopback is done in them: CPU per \
                    update can't be compared with a kernel that does not";
        findings.push(finding(Verdict::Valid, "interrupts-apart", text));
    }
    // A server that shares our clock shares our machine.
    let here = case.row.window_from_us.is_some() && case.row.clock_bound_us == 0;
    if let Some(CoresApart { server, clients }) = case.row.health.cores_apart {
        let text = format!(
            "the servers ran on {server} cores and the clients on {clients} others; what coordinates them, and stalled clients, on any"
        );
        findings.push(finding(Verdict::Valid, "cores-apart", text));
    } else if !case.plan.remote || here {
        let cores = case.environment.cores;
        let text = format!("server and clients shared {cores} cores: each one's work is in the other's latency");
        findings.push(finding(Verdict::Valid, "cores-shared", text));
    }
    findings
}

impl RunRecord {
    /// What its rows are judged by.
    pub fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            plan: &self.plan,
            tool: &self.tool,
            environment: &self.environment,
            calibrations: &self.calibrations,
        }
    }

    /// The verdict of the run: that of its worst row. None without rows.
    pub fn verdict(&self) -> Option<Verdict> {
        self.rows.iter().filter_map(|row| row.figures.validity).max()
    }
}

#[cfg(test)]
mod tests;
