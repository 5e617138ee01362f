//! Age and staleness.
//!
//! Age at t is `t − due time of the newest update held`. A client that holds everything at once sees the feed's own age, a saw
//! whose teeth are the gaps between updates: its mean over time is `E[G²] / 2E[G]` (the mean age of a renewal process), that is
//! `1/(2R)` for even gaps, `B/(2R)` for bursts of B and `1/R` for random ones.
//!
//! A client that looks every P holds at t what was newest at its last look, `a` ago: its age is the feed's age then, plus `a`. Over all
//! clients `a` is uniform on [0, P):
//!
//! ```text
//! mean age = feed's age + P/2          push and long polling: feed's age + service
//! ```
//!
//! In general, update k held from `d_k` after its due time on, the area under the age is `Σ (g_k + d_{k+1})²/2 − d_k²/2`, so
//! `mean age = E[G²]/2E[G] + E[g_k·d_{k+1}]/E[G]` (Kaul, Yates, Gruteser, *Real-time status: How often should one update?*,
//! INFOCOM 2012, take it from there to queues). Where gaps are equal the last term is the mean latency, whatever made it: that is
//! the second prediction, from the row's own latency. For bursts, only the first of each counts, which comes no later than the mean.
//!
//! Stale means that a turn came within those `a`: uniform `a` on [0, P) and a turn every G give `P/(2G)`, or `1 − G/(2P)` where P is
//! longer; random ones `1 − (1 − e^(−RP))/(RP)`.

use super::{
    feed::Feed,
    range::{Range, below},
};

/// Phases over which pollers are averaged.
const PHASES: u32 = 64;

/// Mean age over window, clients and topics, in seconds; None in silence, where nothing has an age.
pub fn mean_s(feed: &Feed, interval_s: f64, service_s: f64) -> Option<Range> {
    if feed.is_silent() {
        return None;
    }
    let phases = if interval_s > 0.0 { PHASES } else { 1 };
    let looked = (0..phases).map(|phase| (f64::from(phase) + 0.5) / f64::from(phases) * interval_s);
    let ages = looked.map(|ago_s| ago_s + newest_age_s(feed, ago_s));
    let mean = ages.sum::<f64>() / f64::from(phases);
    let range = by_chance_s(feed, mean).wider(slots_s(feed, interval_s));
    Some(Range::between(mean, range.low, range.high + service_s))
}

/// Age of the newest update there is, over the window moved back by `ago_s`.
fn newest_age_s(feed: &Feed, ago_s: f64) -> f64 {
    let (from, to) = (feed.since_start_s - ago_s, feed.since_start_s - ago_s + feed.window_s);
    let mean = |area: &dyn Fn(f64) -> f64| (area(to) - area(from)) / feed.window_s;
    if feed.random {
        // Before the first update age counts from the feed's start, so it is min(t, exponential): mean (1 − e^(−Rt))/R.
        let rate = feed.rate_hz;
        return mean(&|t| {
            if t < 0.0 {
                1.0 / (rate * rate) + t * t / 2.0
            } else {
                t / rate + (-rate * t).exp() / (rate * rate)
            }
        });
    }
    let gap = feed.topic_gap_s();
    let topics = u64::from(feed.topics);
    let turns = (0..topics).map(|topic| {
        let first = topic as f64 * feed.turn_s();
        let area = |t: f64| {
            if t < first {
                return t * t / 2.0;
            }
            let teeth = ((t - first) / gap).floor();
            let rest = t - first - teeth * gap;
            first * first / 2.0 + teeth * gap * gap / 2.0 + rest * rest / 2.0
        };
        (feed.on_topic(topic), mean(&area))
    });
    let (clients, age) = turns.fold((0.0, 0.0), |sum, (clients, age)| {
        (sum.0 + clients, sum.1 + clients * age)
    });
    age / clients
}

/// Random gaps: age has the covariance e^(−Rτ)/R², so its mean over a window the variance 2/(R³W), and less over topics. Its area is
/// a sum of squares of exponential gaps, each of which has the skewness 592/20^1.5.
fn by_chance_s(feed: &Feed, mean_s: f64) -> Range {
    const SKEWNESS_OF_A_GAP: f64 = 6.62;
    if !feed.random {
        return Range::exact(mean_s);
    }
    let gaps = feed.rate_hz * feed.window_s * feed.streams();
    Range::by_chance(
        mean_s,
        (2.0 / gaps).sqrt() / feed.rate_hz,
        SKEWNESS_OF_A_GAP / gaps.sqrt(),
    )
}

/// Each client's phase is drawn within a slot of P/N. Seen from an update, each client's delay is off the middle of its slot by half
/// of it, and where the update falls within a slot moves all of them by half of one more, the same way at every update where gaps
/// and slots have a common measure: a whole slot at most.
fn slots_s(feed: &Feed, interval_s: f64) -> f64 {
    let whole_gaps = if feed.random {
        0.0
    } else {
        feed.topic_gap_s() / feed.window_s
    };
    interval_s / f64::from(feed.clients) * (1.0 + whole_gaps)
}

/// Mean age where the mean latency is known: exact for even gaps, an upper bound for bursts, unknown for random ones.
///
/// `longest_s`: the longest latency, where latency may be another one at either edge of the window: `(d² − d'²)/2` of the area is then
/// left over. Pollers have the same delays at both edges, all of them at once: 0.
pub fn from_latency_s(feed: &Feed, latency_s: f64, longest_s: f64) -> Option<Range> {
    if feed.is_silent() || feed.random {
        return None;
    }
    let age = newest_age_s(feed, 0.0);
    // What the window's edges cut off a tooth, and three digits of the histogram.
    let tooth = latency_s.max(longest_s / 2.0) * (feed.topic_gap_s() / feed.window_s).min(1.0);
    let edge = tooth + longest_s * longest_s / (2.0 * feed.window_s) + 0.002 * latency_s;
    let low = if feed.at_once > 1 { age } else { age + latency_s - edge };
    Some(Range::between(age + latency_s, low, age + latency_s + edge))
}

/// Share of client time in which the newest due update was not held.
pub fn stale_share(feed: &Feed, interval_s: f64, service_s: f64) -> Option<Range> {
    if feed.is_silent() {
        return None;
    }
    let (gap, rate) = (feed.topic_gap_s(), feed.rate_hz);
    let share = match (interval_s, feed.random) {
        (0.0, _) => 0.0,
        (p, true) => 1.0 - (1.0 - (-rate * p).exp()) / (rate * p),
        (p, false) if p <= gap => p / (2.0 * gap),
        (p, false) => 1.0 - gap / (2.0 * p),
    };
    let off = if interval_s == 0.0 {
        0.0
    } else if feed.random {
        // Alike over an interval and a gap: so long is a piece of the window that counts as one sample.
        let samples = feed.window_s * feed.streams() / (2.0 * (interval_s + gap));
        below((share * (1.0 - share) / samples).sqrt())
    } else {
        // A window of no whole number of gaps, and phases that are half a slot off.
        let gaps = feed.window_s / gap;
        let cut = if (gaps - gaps.round()).abs() < 1e-3 {
            0.0
        } else {
            0.25 / gaps
        };
        cut + f64::from(feed.topics) / f64::from(feed.clients)
    };
    let high = share + off + service_s / gap;
    Some(Range::between(share, share - off, high.min(1.0)))
}
