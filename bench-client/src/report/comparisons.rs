//! What a run may claim, in words: sentences that carry their interval, for the terminal and for report.md.
//!
//! ```text
//! RunRecord -> statistics -> Comparisons -> standing (the best by one metric against each other) -> sentences
//! ```

use crate::{
    record::{ContenderId, RunRecord},
    statistics::{Comparison, Comparisons, Interval, Metric, Untested, Verdict, looks::most_repeats, metrics},
};

use super::{
    format::{listed, number, of},
    summary::label,
};

/// Metrics that the terminal says a line about; report.md says all.
const HEADLINES: [&str; 3] = ["latency_p99_us", "bytes_per_update", "server_cpu_us_per_update"];

/// The technique with the lowest figure, against each other one.
pub struct Standing<'a> {
    pub metric: &'static Metric,
    /// Its id.
    pub best: &'a str,
    /// With the best one first; the nearest technique first.
    pub against: Vec<Comparison>,
}

impl Standing<'_> {
    /// Whether the best one is told apart from any, or called equivalent to it.
    fn says_something(&self) -> bool {
        let open = |one: &Comparison| matches!(one.verdict, Verdict::Inconclusive { .. });
        !self.against.iter().all(open)
    }
}

/// Those among whom a best one is looked for: all techniques; with variants the techniques of each variant, and the variants of each
/// technique, because nothing else is compared.
pub fn groups(record: &RunRecord) -> Vec<Vec<String>> {
    let (plan, all) = (&record.plan, record.plan.compared());
    if plan.variants.is_empty() {
        return vec![all.iter().map(ContenderId::to_string).collect()];
    }
    let that = |is: &dyn Fn(&ContenderId) -> bool| -> Vec<String> {
        all.iter().filter(|id| is(id)).map(ContenderId::to_string).collect()
    };
    let of_transports = plan.transports.iter().map(|id| that(&|one| one.transport == *id));
    let variants = plan.variants.iter();
    let of_variants = variants.map(|variant| that(&|one| one.variant.as_ref() == Some(&variant.name)));
    of_transports
        .chain(of_variants)
        .filter(|group| group.len() > 1)
        .collect()
}

/// Who stands where by one metric among these; None when no pair of them was tested.
pub fn standing<'a>(found: &'a Comparisons, metric: &'static Metric, among: &[String]) -> Option<Standing<'a>> {
    let both = |one: &Comparison| among.contains(&one.first) && among.contains(&one.second);
    let of_it = found.all.iter().filter(|one| one.metric.name == metric.name);
    let of_it: Vec<&Comparison> = of_it.filter(|one| both(one)).collect();
    let mean_log = |id: &str| {
        let logs = of_it
            .iter()
            .filter_map(|one| one.seen_from(id))
            .map(|one| one.ratio.ln());
        let (count, sum) = logs.fold((0.0, 0.0), |(count, sum), log| (count + 1.0, sum + log));
        sum / count
    };
    let ids = of_it.iter().flat_map(|one| [one.first.as_str(), one.second.as_str()]);
    let best = ids.min_by(|a, b| mean_log(a).total_cmp(&mean_log(b)))?;
    let mut against: Vec<Comparison> = of_it.iter().filter_map(|one| one.seen_from(best)).collect();
    against.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    Some(Standing { metric, best, against })
}

/// A handful of lines for below the table.
pub fn headlines(record: &RunRecord, found: &Comparisons) -> Vec<String> {
    // One technique: nobody asked for a comparison.
    if record.plan.compared().len() == 1 {
        return Vec::new();
    }
    if let Some(silence) = &found.silence {
        return vec![format!("Nothing is claimed: {silence}")];
    }
    let chosen = metrics::ALL.iter().filter(|metric| HEADLINES.contains(&metric.name));
    let groups = groups(record);
    let standings = chosen.flat_map(|metric| groups.iter().filter_map(|among| standing(found, metric, among)));
    let standings: Vec<Standing> = standings.collect();
    // With variants there are many groups: those that nothing can be said of are counted.
    let (said, open): (Vec<&Standing>, Vec<&Standing>) = standings
        .iter()
        .partition(|standing| groups.len() == 1 || standing.says_something());
    let mut lines: Vec<String> = said.iter().map(|standing| headline(record, found, standing)).collect();
    if !open.is_empty() {
        let groups = of(open.len() as u64, "comparison", "comparisons");
        lines.push(format!(
            "Inconclusive: {groups} of a technique's variants, or of a variant's techniques; report.md has them one by one."
        ));
    }
    lines.extend(ending(record, found));
    lines
}

fn headline(record: &RunRecord, found: &Comparisons, standing: &Standing) -> String {
    let group = |is: fn(&Verdict) -> bool| -> Vec<&Comparison> {
        standing.against.iter().filter(|one| is(&one.verdict)).collect()
    };
    let better = group(|verdict| *verdict == Verdict::Lower);
    let mut parts = Vec::new();
    if let Some(nearest) = better.first() {
        let others = names(record, &better);
        let nearest_is = if better.len() == 1 {
            String::new()
        } else {
            format!("; nearest is {}", label(record, &nearest.second))
        };
        let suspect = suspect(better.iter().any(|one| one.suspect));
        parts.push(format!("better than {others}{nearest_is}: {}{suspect}", times(nearest)));
    }
    for one in group(|verdict| *verdict == Verdict::Equivalent) {
        let suspect = suspect(one.suspect);
        parts.push(format!(
            "equivalent to {}: {}{suspect}",
            label(record, &one.second),
            times(one)
        ));
    }
    for one in group(|verdict| matches!(verdict, Verdict::Inconclusive { .. })) {
        let open = format!("inconclusive against {}: {}", label(record, &one.second), times(one));
        parts.push(open + suspect(one.suspect) + &would_settle(&one.verdict));
    }
    for one in group(|verdict| *verdict == Verdict::Higher) {
        let suspect = suspect(one.suspect);
        parts.push(format!(
            "worse than {}: {}{suspect}",
            label(record, &one.second),
            times(one)
        ));
    }
    for (too_small, why) in [(false, "too few rounds have both"), (true, "too small to measure")] {
        let of_it = |one: &&Untested| one.metric == standing.metric.name && one.too_small == too_small;
        let untested = found.untested.iter().filter(of_it);
        let others: Vec<&str> = untested
            .filter_map(|one| match standing.best {
                best if best == one.first => Some(label(record, &one.second)),
                best if best == one.second => Some(label(record, &one.first)),
                _ => None,
            })
            .collect();
        if !others.is_empty() {
            parts.push(format!("not compared with {}, {why}", listed(&others)));
        }
    }
    let verb = if better.is_empty() { "is lowest, and" } else { "is" };
    format!(
        "{}: {} {verb} {}.",
        standing.metric.label,
        label(record, standing.best),
        parts.join("; ")
    )
}

fn names(record: &RunRecord, comparisons: &[&Comparison]) -> String {
    let names: Vec<&str> = comparisons.iter().map(|one| label(record, &one.second)).collect();
    listed(&names)
}

/// How a run with looks ended; None for the others.
pub fn ending(record: &RunRecord, found: &Comparisons) -> Option<String> {
    record.plan.looks.as_ref()?;
    let most = most_repeats(&record.plan);
    Some(match record.settled_after {
        Some(repeats) => format!("Settled after {repeats} of at most {most} repeats."),
        // It ended between the last row of a look and the look itself.
        None if found.settled() => format!("All is settled after {}, where the run was interrupted.", found.rounds),
        None => {
            let untested = found.untested.iter().filter(|one| !one.too_small);
            let all = found.all.len() + untested.count();
            format!(
                "Not settled after {} of at most {most} repeats: {} of {all} comparisons are open.",
                found.rounds,
                found.open().count()
            )
        }
    })
}

/// `0.85 times as high (99.2 % interval 0.78 to 0.93, 4 repeats)`.
pub fn times(one: &Comparison) -> String {
    let repeats = of(one.blocks.into(), "repeat", "repeats");
    let sure = if is_point(&one.interval) {
        format!("the same in all {repeats}, an interval of length zero")
    } else {
        format!("{}, {repeats}", interval(&one.interval))
    };
    format!("{} times as high ({sure})", ratio(one.ratio))
}

/// Whether every repeat said the very same: there are no two ends to print.
pub fn is_point(interval: &Interval) -> bool {
    interval.low == interval.high
}

/// What stands behind a claim that rests on SUSPECT rows.
pub fn suspect(is_so: bool) -> &'static str {
    if is_so { " (SUSPECT rows among them)" } else { "" }
}

/// What a margin spans, in both directions: `0.952 to 1.05`.
pub fn range(margin: f64) -> String {
    format!("{} to {}", ratio(1.0 / (1.0 + margin)), ratio(1.0 + margin))
}

/// `99.2 % interval 0.78 to 0.93`.
pub fn interval(interval: &Interval) -> String {
    format!("{} interval {}", level(interval.level), span(interval))
}

/// `0.78 to 0.93`.
pub fn span(interval: &Interval) -> String {
    if is_point(interval) {
        return "the same in all".to_owned();
    }
    format!("{} to {}", ratio(interval.low), ratio(interval.high))
}

/// The level of an interval: two digits of what it leaves out.
pub fn level(level: f64) -> String {
    let out = (1.0 - level) * 100.0;
    // 5 % leaves no decimals, 0.14 % two.
    let decimals = (1.0 - out.log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{:.decimals$}", 100.0 - out);
    let text = if decimals > 0 {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text} %")
}

/// Ratios beyond this, or its inverse, are not printed to the digit.
const SAYS_NOTHING: f64 = 10_000.0;

/// A ratio: three digits, or near 1 as many as tell it from 1.
pub fn ratio(ratio: f64) -> String {
    // So wide an interval says nothing; its digits would pretend otherwise.
    if ratio > SAYS_NOTHING {
        return format!("over {}", number(SAYS_NOTHING));
    }
    if ratio < 1.0 / SAYS_NOTHING {
        return format!("under 1/{}", number(SAYS_NOTHING));
    }
    let off = (ratio - 1.0).abs();
    if !(1e-6..0.01).contains(&off) {
        return number(ratio);
    }
    let decimals = (1.0 - off.log10().floor()) as usize;
    format!("{ratio:.decimals$}")
}

/// What an inconclusive comparison needs, as the end of a sentence; empty for the others.
pub fn would_settle(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Inconclusive { repeats: Some(repeats) } => format!(", {repeats} repeats would probably settle it"),
        Verdict::Inconclusive { repeats: None } => ", it would probably take more than 200 repeats".to_owned(),
        _ => String::new(),
    }
}

/// `WebSocket's`, `Server-Sent Events'`.
pub fn possessive(name: &str) -> String {
    if name.ends_with('s') {
        format!("{name}'")
    } else {
        format!("{name}'s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Looks, RunStatus},
        report::{fixture, markdown},
        statistics::between_transports,
    };

    /// Two repeats of figures that are the same for all: everything is equivalent.
    fn all_equivalent() -> RunRecord {
        let mut record = fixture::record();
        let first = record.rows[0].clone();
        for row in &mut record.rows {
            let (transport, repeat) = (row.figures.transport.clone(), row.figures.repeat);
            *row = first.clone();
            (row.figures.transport, row.figures.repeat) = (transport, repeat);
        }
        record.status = RunStatus::Interrupted;
        record
    }

    #[test]
    fn interrupted_behind_the_last_row_of_a_look_nothing_is_called_open() {
        let mut record = all_equivalent();
        record.plan.looks = Some(Looks {
            after_repeats: vec![2, 4],
        });
        let found = between_transports(&record);
        assert_eq!(
            ending(&record, &found).as_deref(),
            Some("All is settled after 2, where the run was interrupted.")
        );
    }

    #[test]
    fn one_technique_is_compared_with_nothing_and_nothing_is_said_of_it() {
        let mut record = all_equivalent();
        record.plan.transports.truncate(1);
        record
            .rows
            .retain(|row| row.figures.transport == record.plan.transports[0]);
        assert!(headlines(&record, &between_transports(&record)).is_empty());
        let report = markdown::report(&record).expect("a report");
        assert!(!report.contains("What can be said") && !report.contains("Nothing is claimed"));
    }

    #[test]
    fn levels_and_ratios_keep_the_digits_that_matter() {
        for (value, text) in [
            (0.95, "95 %"),
            (0.975, "97.5 %"),
            (1.0 - 0.05 / 3.0, "98.3 %"),
            (1.0 - 0.05 / 36.0, "99.86 %"),
            (1.0 - 0.05 / 500.0, "99.99 %"),
        ] {
            assert_eq!(level(value), text);
        }
        for (value, text) in [
            (1.0, "1.00"),
            (0.8512, "0.851"),
            (12.345, "12.3"),
            (0.99963, "0.99963"),
            (1.0021, "1.0021"),
            (0.0226, "0.0226"),
        ] {
            assert_eq!(ratio(value), text);
        }
        assert_eq!(range(0.05), "0.952 to 1.05");
        assert_eq!(possessive("Server-Sent Events"), "Server-Sent Events'");
        assert_eq!(possessive("WebSocket"), "WebSocket's");
    }
}
