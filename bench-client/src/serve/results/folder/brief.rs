//! A run in a few words and numbers: what the list says of it, kept so that its record need not be read again.

use serde::Serialize;

use crate::{
    record::{FeedPlan, Mode, Outcome, Plan, Row, RunRecord, RunStatus},
    report::{describe, trust},
    run::ahead,
};

/// A run as the list has it.
#[derive(Debug, Clone, Serialize)]
pub struct Brief {
    scenario: String,
    title: String,
    pub started_utc: String,
    /// What the record says: see [`super::Listed::status`].
    #[serde(skip)]
    pub recorded: RunStatus,
    verdict: Option<&'static str>,
    clients: u32,
    topics: u32,
    rate_hz: Option<f64>,
    update_bytes: Option<u64>,
    mode: Mode,
    repeats: u32,
    pub transports: Vec<String>,
    pub labels: Vec<String>,
    pub rows_done: usize,
    rows_failed: usize,
    pub rows_planned: usize,
    /// Of the window.
    duration_s: f64,
    elapsed_s: f64,
    revision: String,
    cores: u32,
    #[serde(skip)]
    pub plan: PlannedPhases,
}

/// How long phases are to take, as far as a plan says.
#[derive(Debug, Clone, Copy)]
pub struct PlannedPhases {
    ramp_s: Option<f64>,
    settle_s: f64,
    measure_s: f64,
}

impl Brief {
    pub fn of(record: &RunRecord) -> Self {
        let plan = &record.plan;
        let transports = plan.contender_ids();
        let (rate_hz, update_bytes) = feed(&plan.feed);
        let failed = |row: &&Row| matches!(row.outcome, Outcome::Failed { .. });
        Self {
            scenario: plan.scenario.clone(),
            title: describe::heading(plan),
            started_utc: record.started_utc.clone(),
            recorded: record.status,
            verdict: trust::of_run(record).map(trust::Standing::name),
            clients: plan.clients,
            topics: plan.topics(),
            rate_hz,
            update_bytes,
            mode: plan.mode,
            repeats: plan.repeats,
            labels: transports.iter().map(|id| record.label(id).to_owned()).collect(),
            rows_done: record.rows.len(),
            rows_failed: record.rows.iter().filter(failed).count(),
            rows_planned: rows_planned(record, transports.len()),
            transports,
            duration_s: plan.duration_s,
            elapsed_s: record.elapsed_s,
            revision: record.tool.revision.clone(),
            cores: record.environment.cores,
            plan: PlannedPhases::of(plan),
        }
    }
}

impl PlannedPhases {
    fn of(plan: &Plan) -> Self {
        Self {
            ramp_s: plan.ramp_per_s.map(|per_s| f64::from(plan.clients) / per_s),
            settle_s: plan.settle_s,
            measure_s: plan.duration_s,
        }
    }

    pub fn of_phase(self, phase: &str) -> Option<f64> {
        match phase {
            "ramp" => self.ramp_s,
            "settle" => Some(self.settle_s),
            "measure" => Some(self.measure_s),
            _ => None,
        }
    }
}

/// With looks, up to the next one: whether more rounds come is decided there.
fn rows_planned(record: &RunRecord, contenders: usize) -> usize {
    let rounds_done = record.rows.len() / contenders.max(1);
    let planned = match record.status {
        RunStatus::Finished | RunStatus::Failed => record.rows.len(),
        RunStatus::Running | RunStatus::Interrupted => ahead(&record.plan, rounds_done as u32 + 1).0,
    };
    planned.max(record.rows.len())
}

fn feed(feed: &FeedPlan) -> (Option<f64>, Option<u64>) {
    match feed {
        FeedPlan::Simulated {
            rate_hz, update_bytes, ..
        } => (Some(*rate_hz), update_bytes.map(Into::into)),
        FeedPlan::Replay { update_bytes, .. } => (None, update_bytes.map(Into::into)),
        FeedPlan::Target {
            rate_hz, update_bytes, ..
        } => (*rate_hz, update_bytes.map(Into::into)),
    }
}
