//! Every pair of contenders of a run, by every metric: blocked by rounds. Contenders are the transports; with variants, each transport in
//! each of them.
//!
//! ```text
//! RunRecord -> log ratios of the rounds -> Effect -> family -> Comparisons
//! ```

use super::{ALPHA, Interval, Metric, Verdict, effect::Effect, family, metrics, steps::Steps};
use crate::record::{ContenderId, Outcome, Plan, Row, RunRecord, RunStatus};

/// Every comparison of a run.
#[derive(Debug)]
pub struct Comparisons {
    /// The family: pairs and metrics with two blocks or more, by metric, then in the plan's order.
    pub all: Vec<Comparison>,
    /// Pairs and metrics that had too few blocks to say anything.
    pub untested: Vec<Untested>,
    /// Complete or not, the rounds that were looked at.
    pub rounds: u32,
    /// The chance of a wrong claim that this family was given.
    pub alpha: f64,
    /// Looks that share [`ALPHA`]; 1 where there was one.
    pub looks: u32,
    /// A share: less is no difference worth choosing by.
    pub margin: f64,
    /// Why nothing is claimed, in a sentence, when nothing is.
    pub silence: Option<String>,
}

/// Two transports and one metric.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub metric: &'static Metric,
    /// Ids. The first has the lower figure, so that the ratio is at most 1.
    pub first: String,
    pub second: String,
    /// First over second: the mean of the blocks' log ratios.
    pub ratio: f64,
    pub interval: Interval,
    pub verdict: Verdict,
    /// Blocks that both have a figure in.
    pub blocks: u32,
    /// Rounds that one of them has none in: failed, interrupted, INVALID, unknown or lost.
    pub left_out: u32,
    /// Whether figures of SUSPECT rows are among those compared.
    pub suspect: bool,
}

/// Two transports and a metric that both can have, with fewer than two blocks or with a figure of zero or less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untested {
    pub metric: &'static str,
    pub first: String,
    pub second: String,
    pub blocks: u32,
    /// No number of repeats would help.
    pub too_small: bool,
}

impl Comparisons {
    /// Comparisons that are neither a difference nor equivalent, and those that could not be tested and might be with more repeats.
    pub fn open(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let open = self.all.iter().filter(|one| !one.is_settled());
        let open = open.map(|one| (one.metric.name, one.first.as_str(), one.second.as_str()));
        let untested = self.untested.iter().filter(|one| !one.too_small);
        open.chain(untested.map(|one| (one.metric, one.first.as_str(), one.second.as_str())))
    }

    /// Whether every comparison says something.
    pub fn settled(&self) -> bool {
        !self.all.is_empty() && self.open().next().is_none()
    }

    /// Comparisons that claim a difference.
    pub fn differences(&self) -> usize {
        self.all.iter().filter(|one| one.is_difference()).count()
    }
}

impl Comparison {
    pub fn is_difference(&self) -> bool {
        self.verdict == Verdict::Lower
    }

    pub fn is_settled(&self) -> bool {
        self.is_difference() || self.verdict == Verdict::Equivalent
    }
}

/// Every pair of transports of a run by every metric.
pub fn between_transports(record: &RunRecord) -> Comparisons {
    let measured = record.rows.iter().map(|row| row.figures.repeat).max().unwrap_or(0);
    let last_repeat = match &record.plan.looks {
        None => measured,
        // What was measured behind the last look was never meant to be looked at.
        Some(looks) => {
            let complete = |repeats: u32| record.rows.len() >= repeats as usize * record.plan.contenders().len();
            let reached = looks.after_repeats.iter().copied().filter(|look| complete(*look));
            reached.max().unwrap_or(0)
        }
    };
    let mut found = match record.status {
        // How many rounds there will be is not known here: looking after each would be a look more.
        RunStatus::Running => silent(record, last_repeat),
        _ => between_transports_until(record, last_repeat),
    };
    found.silence = silence(record, &found);
    found
}

fn silence(record: &RunRecord, found: &Comparisons) -> Option<String> {
    if record.status == RunStatus::Running {
        return Some("the run has not ended, and its repeats were not all measured.".into());
    }
    if !found.all.is_empty() {
        return None;
    }
    Some(match (record.plan.compared().len(), found.rounds) {
        (0, _) => "the plan names no technique.".into(),
        (1, _) => "there is one technique, and nothing to compare it with.".into(),
        (_, 0) if record.plan.looks.is_some() => "the run ended before its first look.".into(),
        (_, 0) => "nothing was measured.".into(),
        (_, 1) => "one repeat can't show how much repeats differ: claims need two or more (--repeats 4).".into(),
        _ => "no two techniques have a figure in two rounds or more.".into(),
    })
}

/// The same with the first repeats alone.
pub fn between_transports_until(record: &RunRecord, last_repeat: u32) -> Comparisons {
    let mut found = silent(record, last_repeat);
    let (pairs, effects) = effects(record, last_repeat, &mut found.untested);
    let judged = family::judge(&effects, found.alpha, found.margin);
    let all = pairs.into_iter().zip(&effects).zip(judged);
    found.all = all
        .map(|((pair, effect), judged)| {
            let comparison = Comparison {
                metric: pair.metric,
                first: pair.first.clone(),
                second: pair.second.clone(),
                ratio: effect.mean.exp(),
                interval: judged.interval,
                verdict: judged.verdict,
                blocks: pair.blocks,
                left_out: last_repeat.saturating_sub(pair.blocks),
                suspect: [&pair.first, &pair.second]
                    .iter()
                    .any(|id| metrics::suspect(record, id, pair.metric, last_repeat)),
            };
            if effect.mean > 0.0 {
                comparison.turned()
            } else {
                comparison
            }
        })
        .collect();
    found
}

/// Two contenders of the plan and a metric.
pub(super) struct Pair {
    pub metric: &'static Metric,
    pub first: String,
    pub second: String,
    pub blocks: u32,
}

/// Two techniques under the same conditions, or one under two: any other pair would differ in two things at once.
///
/// In mode latest fewer updates are delivered, so a figure per update of one mode says nothing beside that of the other.
fn comparable(plan: &Plan, metric: &Metric, a: &ContenderId, b: &ContenderId) -> bool {
    let alike = a.variant == b.variant || a.transport == b.transport;
    alike && (plan.mode_of(a) == plan.mode_of(b) || !metric.name.ends_with("_per_update"))
}

/// The family, in order; what can't be tested is told apart.
pub(super) fn effects(record: &RunRecord, last_repeat: u32, untested: &mut Vec<Untested>) -> (Vec<Pair>, Vec<Effect>) {
    let contenders = record.plan.compared();
    let mut tested = Vec::new();
    for metric in &metrics::ALL {
        let logs: Vec<_> = contenders
            .iter()
            .map(|id| (id, metrics::logs(record, &id.to_string(), metric, last_repeat)))
            .collect();
        let mut pairs = Vec::new();
        for (first, (first_id, a)) in logs.iter().enumerate() {
            for (second, (second_id, b)) in logs.iter().enumerate().skip(first + 1) {
                if !comparable(&record.plan, metric, first_id, second_id) {
                    continue;
                }
                let blocks = a.iter().filter_map(|(repeat, a)| Some(a - b.get(repeat)?));
                pairs.push(((first, *first_id), (second, *second_id), blocks.collect::<Vec<f64>>()));
            }
        }
        let samples = logs
            .iter()
            .map(|(_, logs)| logs.values().copied().collect::<Vec<f64>>());
        let steps = Steps::of(&samples.collect::<Vec<_>>(), pairs.iter().map(|(_, _, ratios)| ratios));
        for (first, second, ratios) in pairs {
            let blocks = ratios.len() as u32;
            let step = steps.between(&logs[first.0].1, &logs[second.0].1, &ratios);
            let (first, second) = (first.1.to_string(), second.1.to_string());
            let too_small = [&first, &second]
                .iter()
                .any(|id| metrics::too_small(record, id, metric, last_repeat));
            let effect = Effect::paired(ratios, step).filter(|_| !too_small);
            if let Some(effect) = effect {
                let pair = Pair {
                    metric,
                    first,
                    second,
                    blocks,
                };
                tested.push((pair, effect));
            } else if [&first, &second].iter().all(|id| has(record, id, metric, last_repeat)) {
                untested.push(Untested {
                    metric: metric.name,
                    first,
                    second,
                    blocks,
                    too_small,
                });
            }
        }
    }
    tested.into_iter().unzip()
}

/// Whether a contender can have this figure: unknown in every row that is well, as CPU is for a server elsewhere, it can't.
fn has(record: &RunRecord, contender: &str, metric: &Metric, last_repeat: u32) -> bool {
    let mut rows = record
        .rows
        .iter()
        .filter(|row| row.figures.is_of(contender) && row.figures.repeat <= last_repeat && row.outcome == Outcome::Ok);
    let lost = |row: &Row| metric.name.starts_with("latency") && row.figures.latency_max_us.is_some();
    rows.clone().next().is_none() || rows.any(|row| (metric.of)(&row.figures).is_some() || lost(row))
}

impl Comparison {
    /// The same with this transport first; None when it is of others.
    pub fn seen_from(&self, id: &str) -> Option<Self> {
        if self.first == id {
            Some(self.clone())
        } else {
            (self.second == id).then(|| self.clone().turned())
        }
    }

    /// The same, the other way round.
    fn turned(self) -> Self {
        Self {
            first: self.second,
            second: self.first,
            ratio: 1.0 / self.ratio,
            interval: Interval {
                low: 1.0 / self.interval.high,
                high: 1.0 / self.interval.low,
                ..self.interval
            },
            verdict: match self.verdict {
                Verdict::Lower => Verdict::Higher,
                Verdict::Higher => Verdict::Lower,
                same => same,
            },
            ..self
        }
    }
}

fn silent(record: &RunRecord, rounds: u32) -> Comparisons {
    let looks = record
        .plan
        .looks
        .as_ref()
        .map_or(1, |looks| looks.after_repeats.len() as u32);
    Comparisons {
        all: Vec::new(),
        untested: Vec::new(),
        rounds,
        alpha: ALPHA / f64::from(looks.max(1)),
        looks,
        margin: record.plan.margin,
        silence: None,
    }
}

#[cfg(test)]
mod tests;
