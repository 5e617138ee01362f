//! What is held against a bound: an observation, its bound, and the words for both.

use super::{Case, finding};
use crate::{
    floor,
    record::{Arrivals, Bound, FeedPlan, Finding, Plan, SeriesPoint, Verdict},
    report::{
        format::{number, share, time_us},
        histogram::Distribution,
        summary::median,
    },
    run::window::tick_gap_us,
    transports::Asks,
};

/// An observation beside its bound.
pub struct Check {
    code: &'static str,
    bound: Bound,
    /// None: unknown, so not judged.
    value: Option<f64>,
    words: fn(f64) -> String,
    /// What was seen, with `{}` where the value stands.
    what: &'static str,
    /// What it means or what to do.
    advice: &'static str,
}

impl Check {
    /// None while the value is within its bound.
    pub fn finding(self) -> Option<Finding> {
        let value = self.value?;
        let (verdict, bound) = if let Some(invalid) = self.bound.invalid.filter(|invalid| value >= *invalid) {
            (Verdict::Invalid, invalid)
        } else if value >= self.bound.suspect {
            (Verdict::Suspect, self.bound.suspect)
        } else {
            return None;
        };
        let (value, bound, words) = ((self.words)(value), (self.words)(bound), verdict.name().to_lowercase());
        let what = self.what.replace("{}", &value);
        let text = format!("{what} ({words} from {bound}): {}", self.advice);
        Some(finding(verdict, self.code, text))
    }
}

/// A p99 below this is made of wake-ups, which the client alone has as well, in µs.
const ALONE_LEAST_US: u64 = 2_000;
/// Fewer segments sent again are accidents, such as the probe at the end of a silence.
const RETRANSMITS_LEAST: u64 = 10;
/// Reading a socket at T1 takes microseconds, and a burst of deliveries milliseconds: the next update must be farther off.
const QUIET_LEAST_US: f64 = 20_000.0;
/// A second with fewer deliveries has no median worth comparing.
const DELIVERIES_LEAST: u64 = 100;
/// Differences of medians below this are noise of an idle machine, whatever their ratio, in µs.
const DRIFT_LEAST_US: f64 = 2_000.0;

/// Every observation that has a bound.
pub fn checks(case: &Case<'_>) -> Vec<Check> {
    let mut checks = client(case);
    checks.extend(machine(case));
    checks.extend(plan(case));
    checks
}

fn client(case: &Case<'_>) -> Vec<Check> {
    let (figures, health, bounds) = (&case.row.figures, &case.row.health, &case.plan.bounds);
    // Those they could use: where the servers had cores of their own, the clients had the others alone.
    let cores = health.cores_apart.map_or(case.environment.cores, |apart| apart.clients);
    let cores = f64::from(cores);
    let p99_us = figures.latency_p99_us.and_then(|p99| p99.us());
    // A wake-up of either side is all there is below this.
    let p99_us = p99_us.filter(|us| *us >= ALONE_LEAST_US);
    let alone_us = Distribution::quantile_us(case.calibration.map(|one| &one.latency), 0.99);
    vec![
        Check {
            code: "client-cpu",
            bound: bounds.client_cpu_share,
            value: ratio(figures.client_cpu_s, figures.duration_s.map(|s| s * cores)),
            words: share,
            what: "the clients used {} of their cores",
            advice: "they were the bottleneck, or near it; fewer --clients, a lower --rate or a larger machine",
        },
        Check {
            code: "client-lag",
            bound: bounds.client_lag_p50_us,
            value: health.client_lag_worst_p50_us.map(|us| us as f64),
            words: time_us,
            what: "half of the time what arrived waited unread at a client thread for more than {}",
            advice: "the clients were behind, so latency is partly their own; fewer --clients or a lower --rate",
        },
        Check {
            code: "client-pings",
            bound: bounds.unanswered_pings_share,
            value: health.client_pings_unanswered_share,
            words: share,
            what: "{} of the pings to the clients' threads were never answered",
            advice: "a thread was stuck, so what its clients show is not the technique",
        },
        Check {
            code: "client-wait",
            bound: bounds.client_wait_share,
            value: health.client_wait_share,
            words: share,
            what: "a client thread was ready to run and had no core for {} of the window",
            advice: "something else had the cores; stop it, or give this program more of them",
        },
        Check {
            code: "unread",
            bound: bounds.unread_share,
            value: ratio(health.unread_sockets, Some(figures.clients)).filter(|_| is_quiet_at_the_end(case.plan)),
            words: share,
            what: "{} of the connections had unread bytes when the window ended",
            advice: "the clients did not keep up; fewer --clients or a lower --rate",
        },
        Check {
            code: "client-alone",
            bound: bounds.client_alone_share,
            value: ratio(alone_us, p99_us.map(|us| us as f64)).filter(|_| !polls_on_a_grid(case)),
            words: share,
            what: "the clients alone, at a server that only writes, take {} of this p99",
            advice: "the figure is more theirs than the technique's; fewer --clients",
        },
        Check {
            code: "errors",
            bound: bounds.error_share,
            // Those of a planned restart are what is measured there.
            value: ratio(
                figures
                    .errors
                    .map(|errors| errors.saturating_sub(case.row.recovery.as_ref().map_or(0, |one| one.errors))),
                Some(figures.clients),
            ),
            words: share,
            what: "failed connects, requests and sessions were {} of the number of clients",
            advice: "sessions that break measure reconnecting; the row's faults name the first ones",
        },
    ]
}

fn machine(case: &Case<'_>) -> Vec<Check> {
    let (figures, health, bounds) = (&case.row.figures, &case.row.health, &case.plan.bounds);
    let (busy_share, busy) = busy(case);
    vec![
        Check {
            code: "server-lag",
            bound: bounds.server_lag_p50_us,
            value: Distribution::quantile_us(health.server_lag.as_ref(), 0.5).map(|us| us as f64),
            words: time_us,
            what: "half of the time what arrived waited unread at the server for more than {}",
            advice: "the server was saturated: these are figures of a queue, not of the technique",
        },
        Check {
            code: "server-pings",
            bound: bounds.unanswered_pings_share,
            value: health.server_pings_unanswered_share,
            words: share,
            what: "{} of the pings to the server's runtime were never answered",
            advice: "the server was stuck, so these are no figures of the technique",
        },
        Check {
            code: "publish-lag",
            bound: bounds.publish_lag_p99_us,
            value: figures.publish_lag_p99_us.map(|us| us as f64),
            words: time_us,
            what: "the feed was late by {} at p99",
            advice: "that is in every latency of this row; the machine had no core for it in time",
        },
        Check {
            code: "others-cpu",
            bound: bounds.others_cpu_share,
            value: health.others_cpu_share,
            words: share,
            what: "other processes used {} of the machine's CPU",
            advice: "client and server lacked it; stop them and run again",
        },
        Check {
            code: "steal",
            bound: bounds.steal_share,
            value: health.steal_share,
            words: share,
            what: "the hypervisor gave {} of this machine's CPU to others",
            advice: "run again when the host is quieter",
        },
        Check {
            code: "machine-busy",
            bound: bounds.machine_busy_share,
            value: busy_share,
            words: share,
            what: busy,
            advice: "without idle time, latency is the queue for a core",
        },
        Check {
            code: "swapping",
            bound: bounds.swapped_pages,
            value: health.swapped_pages.map(|pages| pages as f64),
            words: number,
            what: "{} pages were swapped in or out",
            advice: "memory was waited for; free some, or fewer --clients",
        },
        Check {
            code: "listen-overflows",
            bound: bounds.listen_overflows,
            value: health.listen_overflows.map(|dropped| dropped as f64),
            words: number,
            what: "{} connections were dropped at a full accept queue",
            advice: "their clients tried again a second later, which is in the connect latency; ramp_per_s slows connecting",
        },
        Check {
            code: "retransmits",
            bound: bounds.retransmitted_share,
            value: retransmitted(case),
            words: share,
            what: "{} of the TCP segments were sent again",
            advice: "the path loses, and every loss waits for a timer or a round trip",
        },
    ]
}

fn plan(case: &Case<'_>) -> Vec<Check> {
    let (figures, bounds) = (&case.row.figures, &case.plan.bounds);
    let window_us = figures.duration_s.map(|s| s * 1e6);
    let p50_us = figures.latency_p50_us.and_then(|p50| p50.us()).map(|us| us as f64);
    vec![
        Check {
            code: "clock",
            bound: bounds.clock_share,
            // The very same clock on one machine: there is no bound to speak of.
            value: ratio(Some(case.row.clock_bound_us), p50_us).filter(|_| case.row.clock_bound_us > 0),
            words: share,
            what: "the server's clock is only known to {} of the median latency",
            advice: "nothing below that can be claimed; measure from nearer, or on one machine",
        },
        Check {
            code: "drift",
            bound: bounds.drift_ratio,
            value: drift(&case.row.series).filter(|_| tick_gap_us(&case.plan.feed).is_some()),
            words: number,
            what: "the median latencies of the window's halves differ by a factor of {}",
            advice: "no steady state was reached: a queue grew or ran empty; a longer settle_s, or less load",
        },
        Check {
            code: "polls-skipped",
            bound: bounds.skipped_share,
            value: skipped(case),
            words: share,
            what: "{} of the polls were due while the one before was still under way",
            advice: "the plan was not kept, so requests are fewer and latency is longer than planned; a longer --poll-interval",
        },
        Check {
            code: "sampled-late",
            bound: bounds.sampled_late_share,
            value: ratio(case.row.phases.sampled_late_us, window_us),
            words: share,
            what: "the counters were read late by {} of the window",
            advice: "so far off are bytes, requests and CPU; a longer --duration, or a less busy machine",
        },
        Check {
            code: "published-off",
            bound: bounds.published_off_share,
            value: published_off(case),
            words: share,
            what: "the updates published differ from the plan by {}",
            advice: "the feed was not the planned one",
        },
    ]
}

fn ratio(value: Option<impl Number>, of: Option<impl Number>) -> Option<f64> {
    let of = of?.float();
    (of > 0.0).then_some(value?.float() / of)
}

/// Counters and figures alike.
trait Number {
    fn float(self) -> f64;
}

impl Number for u64 {
    fn float(self) -> f64 {
        self as f64
    }
}

impl Number for u32 {
    fn float(self) -> f64 {
        self.into()
    }
}

impl Number for f64 {
    fn float(self) -> f64 {
        self
    }
}

/// How busy the machine was, and in which words; or the cores of the servers alone, where they were busier: idle ones on the clients' side are
/// of no use to them. (What the clients use of theirs is a check of its own.)
fn busy(case: &Case<'_>) -> (Option<f64>, &'static str) {
    let (figures, health) = (&case.row.figures, &case.row.health);
    let of_server = health.cores_apart.and_then(|apart| {
        let cores_s = figures.duration_s.map(|s| s * f64::from(apart.server));
        ratio(figures.server_cpu_s, cores_s)
    });
    match (of_server, health.machine_busy_share) {
        (Some(server), machine) if machine.is_none_or(|machine| server > machine) => {
            (Some(server), "the servers' cores were busy for {} of the time")
        }
        (_, machine) => (machine, "the machine's CPU was busy for {} of the time"),
    }
}

/// The largest of what the clients sent again, what the whole machine (with a server on it) sent again, and what reached the clients behind
/// a later segment, as it does when a server elsewhere sends again.
fn retransmitted(case: &Case<'_>) -> Option<f64> {
    let (health, window) = (&case.row.health, case.row.wire.as_ref().and_then(|wire| wire.window));
    let of_clients = window.map(|wire| (wire.retransmitted_segments, wire.segments_sent));
    let to_clients = window.map(|wire| (wire.out_of_order_segments_received, wire.segments_received));
    let of_machine = health.machine_segments_retransmitted.zip(health.machine_segments_sent);
    let known = [of_clients, to_clients, of_machine].into_iter().flatten();
    known
        .map(|(again, all)| match again {
            RETRANSMITS_LEAST.. => again as f64 / all.max(1) as f64,
            _ => 0.0,
        })
        .reduce(f64::max)
}

/// Whether T1 stands clear of the updates around it (see [`tick_gap_us`]): then everything has been read that came before it.
fn is_quiet_at_the_end(plan: &Plan) -> bool {
    tick_gap_us(&plan.feed).is_some_and(|gap_us| gap_us / 2.0 >= QUIET_LEAST_US)
}

fn polls_on_a_grid(case: &Case<'_>) -> bool {
    let row = floor::contender(&case.row.figures.transport);
    row.is_some_and(|row| row.asks == Asks::EveryInterval)
}

/// Polls that were due and not made, over those that were due, where the transport polls on a grid. A poll that hangs until after the window
/// has not been counted as skipped yet: it is missing among the requests.
fn skipped(case: &Case<'_>) -> Option<f64> {
    let figures = &case.row.figures;
    if !polls_on_a_grid(case) {
        return None;
    }
    let due = f64::from(figures.clients) * figures.duration_s? * 1e3 / figures.poll_interval_ms as f64;
    if case.plan.churn.is_some() || case.plan.restart.is_some() {
        // Who is away, or has no server, does not poll, so what is missing says nothing; and with churn fewer polls are due.
        let there = case
            .plan
            .churn
            .map_or(1.0, |churn| churn.stay_s / (churn.stay_s + churn.away_s));
        let due = due * there;
        return ratio(figures.polls_skipped, Some(due));
    }
    let missing = due - figures.requests? as f64;
    // Each client may have one poll more or less in the window than the mean.
    let missing = missing - f64::from(figures.clients);
    ratio(Some((figures.polls_skipped? as f64).max(missing)), Some(due))
}

/// How far the number of published updates is from an even feed's.
fn published_off(case: &Case<'_>) -> Option<f64> {
    let FeedPlan::Simulated {
        topics,
        rate_hz,
        arrivals: Arrivals::Regular,
        ..
    } = case.plan.feed
    else {
        return None;
    };
    let planned = rate_hz * f64::from(topics) * case.row.figures.duration_s?;
    // A window that holds no whole number of ticks has one more or less than the mean.
    let off = (case.row.figures.updates_published? as f64 - planned).abs() - 1.0;
    ratio(Some(off.max(0.0)), Some(planned))
}

/// The larger over the smaller of the median latencies of the window's halves (medians of their seconds).
fn drift(series: &[SeriesPoint]) -> Option<f64> {
    let known: Vec<f64> = series
        .iter()
        .filter(|point| point.deliveries >= DELIVERIES_LEAST)
        .filter_map(|point| Some(point.latency_p50_us? as f64))
        .collect();
    let half = known.len() / 2;
    if half < 2 {
        return None;
    }
    let (first, second) = (
        median(known[..half].to_vec())?,
        median(known[known.len() - half..].to_vec())?,
    );
    let apart = (first - second).abs();
    Some(if apart < DRIFT_LEAST_US {
        1.0
    } else {
        first.max(second) / first.min(second).max(1.0)
    })
}
