//! Latency, age and staleness of a row.
//!
//! **Latency.** Short polling: client i asks at `(i + u)/N·P + k·P`, so an update due at any moment meets exactly one client in each
//! slot of P/N until its next poll: the delay is uniform on (0, P] whatever the feed does, and quantile q stands at `q·P`, off by
//! two slots at most (of those who follow the topic: `2·P·T/N`). Long polling and push: at once, so `0`. Service comes on top.
//! In mode latest it is the time until the client holds the update or a newer one: the next poll brings either.

use super::{Case, Expected, age, range::Range};
use crate::{
    record::Row,
    report::{
        format::{count, known, share, time_us},
        histogram::{DIGITS, Distribution},
    },
    transports::Asks,
};

const QUANTILES: [(f64, &str); 3] = [
    (0.5, "latency_p50_us"),
    (0.9, "latency_p90_us"),
    (0.99, "latency_p99_us"),
];

pub fn expected(case: &Case<'_>, row: &Row) -> Vec<Expected> {
    let mut all: Vec<Expected> = QUANTILES
        .into_iter()
        .map(|(q, metric)| latency(case, row, q, metric))
        .collect();
    let Some(feed) = &case.feed else { return all };
    let (interval_s, service_s) = (case.interval_s(), case.service.last_s());
    let waits = if interval_s > 0.0 { " + P/2" } else { "" };
    let gap = match (feed.random, feed.at_once) {
        (true, _) => "1/R",
        (false, 1) => "1/(2R)",
        (false, _) => "B/(2R)",
    };
    if let Some(range) = age::mean_s(feed, interval_s, service_s).filter(|_| feed.is_steady(interval_s)) {
        all.push(Expected {
            metric: "age_mean_us",
            range: micros(range),
            model: format!("{gap}{waits} + service"),
            above: busy(case, row),
            below: "updates came more often than planned, or the clocks disagree".into(),
        });
    }
    // In steady state only: what was not held before the window is in the age and in no latency.
    let latency = row.latency.as_ref().filter(|_| feed.is_steady(interval_s));
    let measured_s = latency.and_then(latency_s);
    let second = measured_s.and_then(|(mean_s, longest_s)| {
        let longest_s = if interval_s > 0.0 { 0.0 } else { longest_s };
        age::from_latency_s(feed, mean_s, longest_s)
    });
    if let Some(range) = second {
        all.push(Expected {
            metric: "age_mean_us",
            range: micros(range),
            model: format!("second method: {gap} + mean latency as measured"),
            above: "age and latency contradict each other: updates were late at the window's edge, or one of the two is wrong".into(),
            below: "age and latency contradict each other: one of the two is wrong".into(),
        });
    }
    if let Some(range) = age::stale_share(feed, interval_s, service_s).filter(|_| feed.is_steady(interval_s)) {
        let model = match (interval_s, feed.random) {
            (0.0, _) => "0 + service/G",
            (_, true) => "1 − (1 − e^(−RP))/(RP)",
            (p, false) if p <= feed.topic_gap_s() => "P/(2G)",
            _ => "1 − G/(2P)",
        };
        all.push(Expected {
            metric: "stale_share",
            range,
            model: model.into(),
            above: busy(case, row),
            below: "clients hold updates sooner than they can ask for them: they ask more often than planned".into(),
        });
    }
    all
}

fn latency(case: &Case<'_>, row: &Row, q: f64, metric: &'static str) -> Expected {
    let interval_s = case.interval_s();
    let waited_s = q * interval_s;
    // A topic's clients are every T-th slot.
    let apart = if case.follows_all {
        1.0
    } else {
        f64::from(case.plan.topics())
    };
    let slots_s = 2.0 * interval_s * apart / f64::from(case.plan.clients);
    let clock_s = row.clock_bound_us as f64 / 1e6;
    let low_s = waited_s - slots_s - clock_s;
    let high_s = (waited_s + slots_s).min(interval_s) + case.service.at_s(q) + clock_s;
    let digits = 1.0 + 10f64.powi(-i32::from(DIGITS));
    Expected {
        metric,
        range: micros(Range::between(waited_s, low_s, high_s * digits)),
        model: match case.asks {
            Asks::EveryInterval => format!("{q}·P + service"),
            Asks::EveryUpdate | Asks::Once => "0 + service".into(),
        },
        above: busy(case, row),
        below: "answers came before their polls were due: clients ask more often than planned, or the clocks disagree"
            .into(),
    }
}

/// Why something takes longer than it may.
fn busy(case: &Case<'_>, row: &Row) -> String {
    let skipped = row.figures.polls_skipped.unwrap_or(0);
    if skipped > 0 {
        return format!("server or client was saturated: {} polls were skipped", count(skipped));
    }
    let others = row.health.others_cpu_share;
    let others = others.filter(|share| *share > case.plan.bounds.others_cpu_share.suspect);
    if let Some(others) = others {
        return format!("other processes took {} of the machine's CPU", share(others));
    }
    let took = |q: f64, latency: Option<crate::record::Quantile>| {
        let took_us = latency
            .and_then(crate::record::Quantile::us)
            .map(|us| us as f64 - q * case.interval_s() * 1e6);
        known(took_us, |us| time_us(us.max(0.0)))
    };
    let figures = &row.figures;
    format!(
        "server, client or path was saturated: service took {} at p50 and {} at p99",
        took(0.5, figures.latency_p50_us),
        took(0.99, figures.latency_p99_us)
    )
}

/// Mean and longest latency of the row's histogram; None where updates are missing from it, because then it is no mean of all.
fn latency_s(latency: &crate::record::Quantiles) -> Option<(f64, f64)> {
    let latency = Distribution::decode(latency).ok()?;
    let whole = latency.lost == 0 && latency.negative == 0 && latency.count() > 0;
    whole.then(|| (latency.histogram.mean() / 1e6, latency.histogram.max() as f64 / 1e6))
}

fn micros(seconds: Range) -> Range {
    seconds.scaled(1e6)
}
