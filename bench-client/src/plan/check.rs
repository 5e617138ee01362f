//! What every plan must keep to, however it came about: ranges, thresholds, looks, and enough updates for a quantile.

use super::{PlanError, updates_per_client_s};
use crate::{
    floor,
    record::{Arrivals, Bounds, Churn, FeedPlan, Looks, Mode, Plan, Restart},
    thresholds::Threshold,
};

/// Fewer updates in the window give no quantile worth printing.
pub(super) const UPDATES_LEAST: f64 = 20.0;

const CLIENTS: std::ops::RangeInclusive<u32> = 1..=1_000_000;
pub(super) const REPEATS: std::ops::RangeInclusive<u32> = 1..=1_000;
const POLL_INTERVAL_MS: std::ops::RangeInclusive<u64> = 10..=3_600_000;
const WAIT_MS: std::ops::RangeInclusive<u64> = 0..=60_000;
pub(super) const SECONDS: std::ops::RangeInclusive<f64> = 0.1..=86_400.0;
/// A share: twice as much is a difference to anyone.
const MARGIN: std::ops::RangeInclusive<f64> = 0.0..=1.0;
const STALLED_CLIENTS: std::ops::RangeInclusive<u32> = 0..=100_000;
/// More processes than any machine of today has cores for say nothing more about it.
const WORKERS: std::ops::RangeInclusive<u32> = 1..=64;
const NODES: std::ops::RangeInclusive<u32> = 1..=64;
/// Shorter stays are over before a poller has polled twice, and longer absences than an hour are departures.
const CHURN_S: std::ops::RangeInclusive<f64> = 0.05..=3_600.0;
const RESTART_AFTER_S: std::ops::RangeInclusive<f64> = 0.1..=86_400.0;
/// Down for longer, and clients that give up would be the honest scenario.
const RESTART_DOWN_S: std::ops::RangeInclusive<f64> = 0.0..=3_600.0;
const THRESHOLDS: std::ops::RangeInclusive<usize> = 0..=200;
const RAMP_PER_S: std::ops::RangeInclusive<f64> = 1.0..=100_000.0;

/// More make a table that nobody reads.
const VARIANTS_MOST: usize = 8;
const VARIANT_NAME_MOST_BYTES: usize = 32;

/// What holds for every plan, however it came about.
pub(super) fn check(plan: &Plan) -> Result<(), PlanError> {
    check_itself(plan)?;
    check_variants(plan)?;
    check_floor(plan)?;
    check_thresholds(&plan.thresholds, plan)?;
    check_looks(plan)
}

/// A floor that was asked for, where there can be none.
fn check_floor(plan: &Plan) -> Result<(), PlanError> {
    match floor::unfit(plan) {
        Some(why) if plan.transports.iter().any(|id| id == floor::ID) => Err(PlanError::Floor(why)),
        _ => Ok(()),
    }
}

/// Each variant is a plan of its own.
fn check_variants(plan: &Plan) -> Result<(), PlanError> {
    let variants = &plan.variants;
    if variants.len() > VARIANTS_MOST {
        return Err(PlanError::TooManyVariants {
            count: variants.len(),
            most: VARIANTS_MOST,
        });
    }
    if let [one] = variants.as_slice() {
        return Err(PlanError::OneVariant(one.name.clone()));
    }
    for (index, variant) in variants.iter().enumerate() {
        let name = &variant.name;
        let fits = (1..=VARIANT_NAME_MOST_BYTES).contains(&name.len());
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !fits || !name.chars().all(plain) {
            return Err(PlanError::VariantName(name.clone()));
        }
        if variants[..index].iter().any(|one| one.name == *name) {
            return Err(PlanError::VariantTwice(name.clone()));
        }
        check_itself(&plan.varied(Some(name))).map_err(|error| PlanError::Variant {
            name: name.clone(),
            source: Box::new(error),
        })?;
    }
    Ok(())
}

/// The plan's own keys.
fn check_itself(plan: &Plan) -> Result<(), PlanError> {
    in_range("clients", plan.clients, &CLIENTS, "")?;
    check_repeats(plan.repeats)?;
    in_range("poll interval", plan.poll_interval_ms, &POLL_INTERVAL_MS, " ms")?;
    in_range("wait", plan.wait_ms, &WAIT_MS, " ms")?;
    in_range("duration", plan.duration_s, &SECONDS, " s")?;
    in_range("margin", plan.margin, &MARGIN, "")?;
    if let Some(ramp) = plan.ramp_per_s {
        in_range("ramp", ramp, &RAMP_PER_S, " clients/s")?;
    }
    in_range("stalled_clients", plan.stalled_clients, &STALLED_CLIENTS, "")?;
    if let Some(Churn { stay_s, away_s }) = plan.churn {
        in_range("churn.stay_s", stay_s, &CHURN_S, " s")?;
        in_range("churn.away_s", away_s, &CHURN_S, " s")?;
    }
    // Behind churn, of which its default is made.
    in_range("settle", plan.settle_s, &SECONDS, " s")?;
    check_bounds(&plan.bounds)
}

/// Several processes on either side, where there can be several.
pub(super) fn check_processes(plan: &Plan) -> Result<(), PlanError> {
    of_each_variant(plan, check_processes_of)
}

fn check_processes_of(plan: &Plan) -> Result<(), PlanError> {
    in_range("workers", plan.workers, &WORKERS, "")?;
    in_range("nodes", plan.nodes, &NODES, "")?;
    let clients = plan.clients;
    for (what, value) in [("workers", plan.workers), ("nodes", plan.nodes)] {
        if value > clients {
            return Err(PlanError::MoreThanClients { what, value, clients });
        }
    }
    let (workers, nodes) = (plan.workers > 1, plan.nodes > 1);
    let unfit = [
        (
            workers && plan.restart.is_some(),
            "workers",
            "with a restart: what all clients do in each tenth of a second after it is read from one process",
        ),
        (
            nodes && plan.restart.is_some(),
            "nodes",
            "with a restart: one server is killed, and the clients of the others would feel nothing",
        ),
        (
            nodes && plan.remote,
            "nodes",
            "with --target: the server there is as many processes as it is",
        ),
        (
            nodes && plan.churn.is_some(),
            "nodes",
            "with churn: when a client has resumed is told by its own node's publish log, and the row keeps one for all",
        ),
        (
            nodes && plan.stalled_clients > 0,
            "nodes",
            "beside stalled_clients: they stall one server, and the clients of the others would feel nothing",
        ),
    ];
    let found = unfit.into_iter().find(|(unfit, ..)| *unfit);
    found.map_or(Ok(()), |(_, what, why)| Err(PlanError::Processes { what, why }))
}

/// A restart must leave something to measure, and something to measure it by.
pub(super) fn check_restart(plan: &Plan) -> Result<(), PlanError> {
    of_each_variant(plan, check_restart_of)
}

/// The plan's variants one by one, or the plan itself where it has none.
fn of_each_variant(plan: &Plan, check: impl Fn(&Plan) -> Result<(), PlanError>) -> Result<(), PlanError> {
    if plan.variants.is_empty() {
        return check(plan);
    }
    let mut varied = plan.variants.iter().map(|variant| plan.varied(Some(&variant.name)));
    varied.try_for_each(|plan| check(&plan))
}

fn check_restart_of(plan: &Plan) -> Result<(), PlanError> {
    let Some(Restart { after_s, down_s }) = plan.restart else {
        return Ok(());
    };
    in_range("restart.after_s", after_s, &RESTART_AFTER_S, " s")?;
    in_range("restart.down_s", down_s, &RESTART_DOWN_S, " s")?;
    let silent = matches!(plan.feed, FeedPlan::Simulated { rate_hz, .. } if rate_hz == 0.0);
    let unfit = [
        (
            plan.remote,
            "with --target: the server there is not ours to kill; leave one of them out",
        ),
        (
            plan.mode == Mode::Every,
            "in mode every: a new server has a new epoch, so what was published while clients were cut off would be lost to them (lagged), and every \
             row INVALID; set mode = \"latest\"",
        ),
        (
            silent,
            "without updates: there is no newest state to come back to; ask for a rate_hz above 0",
        ),
        (
            plan.churn.is_some(),
            "beside churn: a client that is away when the server is killed was not cut off by it; leave one of them out",
        ),
        (
            plan.stalled_clients > 0,
            "beside stalled_clients: they would be gone with the server; leave one of them out",
        ),
    ];
    if let Some((_, why)) = unfit.into_iter().find(|(unfit, _)| *unfit) {
        return Err(PlanError::Restart(why));
    }
    if after_s + down_s >= plan.duration_s {
        return Err(PlanError::RestartTooLate {
            back_s: after_s + down_s,
            duration_s: plan.duration_s,
        });
    }
    Ok(())
}

pub(super) fn check_repeats(repeats: u32) -> Result<(), PlanError> {
    in_range("repeats", repeats, &REPEATS, "")
}

pub(super) fn check_thresholds(thresholds: &[String], plan: &Plan) -> Result<(), PlanError> {
    let ids = plan.contender_ids();
    in_range("thresholds", thresholds.len(), &THRESHOLDS, "")?;
    for text in thresholds {
        Threshold::parse(text, &ids)?;
    }
    Ok(())
}

/// TOML has words for numbers that are none, with which nothing can be compared and which no record can hold.
fn check_bounds(bounds: &Bounds) -> Result<(), PlanError> {
    // What is no number becomes null.
    let encoded = serde_json::to_value(bounds).unwrap_or_default();
    for (name, bound) in encoded.as_object().into_iter().flatten() {
        for (key, value) in bound.as_object().into_iter().flatten() {
            if !value.as_f64().is_some_and(|value| value >= 0.0) {
                return Err(PlanError::Bound {
                    bound: format!("{name}.{key}"),
                    value: value
                        .as_f64()
                        .map_or_else(|| "no finite number".into(), |value| value.to_string()),
                });
            }
        }
    }
    Ok(())
}

/// A recorded schedule may have been changed by hand: one that ends before its first round would measure nothing.
fn check_looks(plan: &Plan) -> Result<(), PlanError> {
    let Some(Looks { after_repeats }) = &plan.looks else {
        return Ok(());
    };
    let rises = after_repeats.is_sorted_by(|one, next| one < next);
    let ends = after_repeats.last().is_some_and(|last| REPEATS.contains(last));
    if rises && ends && after_repeats.first() == Some(&plan.repeats) {
        return Ok(());
    }
    Err(PlanError::Looks {
        after: after_repeats.clone(),
        repeats: plan.repeats,
        limit: *REPEATS.end(),
    })
}

fn in_range<T: PartialOrd + std::fmt::Display>(
    what: &'static str,
    value: T,
    range: &std::ops::RangeInclusive<T>,
    unit: &'static str,
) -> Result<(), PlanError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (least, most) = (range.start().to_string(), range.end().to_string());
    Err(PlanError::Range {
        what,
        value: value.to_string(),
        least,
        most,
        unit,
    })
}

/// Enough for quantiles, in every variant.
pub(super) fn check_updates(plan: &Plan, force: bool) -> Result<(), PlanError> {
    of_each_variant(plan, |plan| check_updates_of(plan, force))
}

fn check_updates_of(plan: &Plan, force: bool) -> Result<(), PlanError> {
    let Some(rate) = updates_per_client_s(plan).filter(|rate| *rate > 0.0) else {
        return Ok(());
    };
    if let FeedPlan::Simulated {
        rate_hz,
        arrivals: Arrivals::Burst,
        burst_size,
        ..
    } = plan.feed
    {
        return check_bursts(plan, rate_hz, burst_size, rate, force);
    }
    let updates = rate * plan.duration_s;
    // A hair below is a rounding of the product, not a plan too short.
    if force || updates >= UPDATES_LEAST - 1e-6 {
        return Ok(());
    }
    Err(PlanError::TooFewUpdates {
        rate,
        duration: plan.duration_s,
        updates,
        least: UPDATES_LEAST,
    })
}

/// With bursts, only those that fall into the window count, and there the mean rate says little.
fn check_bursts(plan: &Plan, rate_hz: f64, burst_size: u32, per_client: f64, force: bool) -> Result<(), PlanError> {
    let gap_s = f64::from(burst_size) / rate_hz;
    let bursts = (plan.duration_s / gap_s + 1e-9).floor();
    // A client of all topics gets a burst of each.
    let updates = bursts * per_client * gap_s;
    if force || updates >= UPDATES_LEAST - 1e-6 {
        return Ok(());
    }
    let enough = (UPDATES_LEAST / (per_client * gap_s)).ceil().max(1.0) * gap_s;
    Err(PlanError::TooFewBursts {
        burst_size,
        rate: rate_hz,
        gap_s,
        duration: plan.duration_s,
        updates,
        enough,
    })
}
