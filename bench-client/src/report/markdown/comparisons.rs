//! What the run may claim: a few sentences for each metric, each with its interval, and a table of every pair.

use crate::record::RunRecord;
use crate::report::comparisons::{
    ending, groups, level, possessive, range, ratio, span, standing, suspect, times, would_settle,
};
use crate::report::format::{of, plain};
use crate::report::summary::label;
use crate::statistics::{Comparison, Comparisons, Metric, Verdict, effect::BOOTSTRAP_FROM, metrics};

use super::fit::fold;
use super::table::{escape, table};

/// The section, for a run of two techniques or more: with one there is nothing to compare, and nobody asked.
pub fn comparisons(record: &RunRecord, found: &Comparisons) -> String {
    if record.plan.compared().len() == 1 {
        return String::new();
    }
    let mut parts = vec!["## What can be said\n".to_owned()];
    match &found.silence {
        Some(silence) => parts.push(format!("Nothing is claimed: {silence}\n")),
        None => {
            parts.push(method(found));
            parts.extend(ending(record, found).map(|sentence| format!("**{sentence}**\n")));
            parts.extend(
                metrics::ALL
                    .iter()
                    .filter_map(|metric| of_metric(record, found, metric)),
            );
        }
    }
    // After one round no pair has two, and the sentence above says so.
    parts.extend(untested(record, found).filter(|_| found.rounds > 1));
    parts.join("\n")
}

fn method(found: &Comparisons) -> String {
    let margin = plain((found.margin * 1e4).round() / 100.0);
    let bootstrap = if found.rounds as usize >= BOOTSTRAP_FROM {
        ", together with a bootstrap (BCa): the interval reaches as far as either"
    } else {
        ""
    };
    let looks = if found.looks > 1 {
        format!(
            " The run was to look up to {} times, as planned before it began; the looks share those 5 %.",
            found.looks
        )
    } else {
        String::new()
    };
    format!(
        "Within each round, which measures every technique once, two techniques are compared by the ratio of their figures; \
         Student's t on the logarithms gives the interval{bootstrap}. That assumes noise that multiplies (log-normal, or nearly) \
         and rounds that are independent of each other. The {} below are one family (Holm): the chance that any claim here is wrong is \
         5 % at most, and each interval stands at the level that its rank in the family was granted.{looks}\n\n\
         *Better*: the interval excludes 1, and reaches beyond {margin} %. *Equivalent*: it lies within {}. \
         *Inconclusive*: neither. That is not \"the same\".\n\n\
         Ratios are geometric means over the repeats; the tables merge all repeats, so both may differ a little.\n",
        of(found.all.len() as u64, "comparison", "comparisons"),
        range(found.margin),
    )
}

fn of_metric(record: &RunRecord, found: &Comparisons, metric: &'static Metric) -> Option<String> {
    let groups = groups(record);
    let standings = groups.iter().filter_map(|among| standing(found, metric, among));
    let sentences: Vec<String> = standings
        .flat_map(|standing| standing.against)
        .map(|one| format!("- {}\n", sentence(record, &one)))
        .collect();
    if sentences.is_empty() {
        return None;
    }
    let headers = [
        "technique",
        "against",
        "times",
        "interval",
        "level",
        "repeats",
        "verdict",
    ];
    let of_it = found.all.iter().filter(|one| one.metric.name == metric.name);
    let rows = of_it.map(|one| {
        vec![
            label(record, &one.first).to_owned(),
            label(record, &one.second).to_owned(),
            ratio(one.ratio),
            span(&one.interval),
            level(one.interval.level),
            if one.left_out == 0 {
                one.blocks.to_string()
            } else {
                format!("{} of {}", one.blocks, one.blocks + one.left_out)
            },
            verdict(record, one),
        ]
    });
    let mut title = metric.label.to_owned();
    title[..1].make_ascii_uppercase();
    Some(format!(
        "### {title}\n\n{}\n{}",
        sentences.concat(),
        fold("Every pair", &table(&headers, 2, rows))
    ))
}

/// A comparison with the best technique, whole: it can be quoted alone.
fn sentence(record: &RunRecord, one: &Comparison) -> String {
    let (first, second) = (escape(label(record, &one.first)), escape(label(record, &one.second)));
    let apostrophe = possessive(&first).split_off(first.len());
    let verb = if one.metric.plural { "are" } else { "is" };
    let words = match one.verdict {
        Verdict::Lower => "better than",
        Verdict::Higher => "worse than",
        Verdict::Equivalent => "equivalent to",
        Verdict::Inconclusive { .. } => "not told apart from",
    };
    format!(
        "**{first}**{apostrophe} {} {verb} {words} {}: {}{}{}.",
        one.metric.label,
        possessive(&second),
        times(one),
        suspect(one.suspect),
        would_settle(&one.verdict)
    )
}

fn verdict(record: &RunRecord, one: &Comparison) -> String {
    match one.verdict {
        Verdict::Lower => format!("{} better", label(record, &one.first)),
        Verdict::Higher => format!("{} better", label(record, &one.second)),
        Verdict::Equivalent => "equivalent".to_owned(),
        Verdict::Inconclusive { repeats: Some(repeats) } => format!("inconclusive; try {repeats} repeats"),
        Verdict::Inconclusive { repeats: None } => "inconclusive; more than 200 repeats".to_owned(),
    }
}

/// Where there was nothing to compare, and why.
fn untested(record: &RunRecord, found: &Comparisons) -> Option<String> {
    let few = "fewer than two rounds have a figure of both (rows that failed, were interrupted or are INVALID don't count, nor figures \
               that are lost)";
    let small = "the figure of one was zero or less in a round: too small to measure";
    let lists = [(false, few), (true, small)].map(|(too_small, why)| {
        let lines = lacking(record, found, too_small)?;
        Some(format!("Not compared, as {why}:\n\n{lines}"))
    });
    let lists: Vec<String> = lists.into_iter().flatten().collect();
    (!lists.is_empty()).then(|| lists.join("\n"))
}

/// Pairs with the figures they lack for one of the two reasons.
fn lacking(record: &RunRecord, found: &Comparisons, too_small: bool) -> Option<String> {
    let mut pairs: Vec<((&str, &str), Vec<&str>)> = Vec::new();
    for one in found.untested.iter().filter(|one| one.too_small == too_small) {
        let pair = (one.first.as_str(), one.second.as_str());
        let metric = metrics::ALL.iter().find(|metric| metric.name == one.metric);
        let metric = metric.map_or(one.metric, |metric| metric.label);
        match pairs.iter_mut().find(|(known, _)| *known == pair) {
            Some((_, lacking)) => lacking.push(metric),
            None => pairs.push((pair, vec![metric])),
        }
    }
    let lines = pairs.iter().map(|((first, second), lacking)| {
        let what = if lacking.len() == metrics::ALL.len() {
            "every figure".to_owned()
        } else {
            lacking.join(", ")
        };
        format!(
            "- {} and {}: {what}\n",
            escape(label(record, first)),
            escape(label(record, second))
        )
    });
    let lines: Vec<String> = lines.collect();
    (!lines.is_empty()).then(|| lines.concat())
}
