//! The oracle: what arithmetic says must come out of a row, beside what did.
//!
//! ```text
//! Plan, row of transports::ALL (when it asks, its bytes) -> Case -> freshness + traffic + bytes -> Expected -> Prediction
//!                                                           feed, age, service: what they count with
//! ```
//!
//! Every model follows from the scenario: from the rate, the interval, the window, the headers and the frames. It hangs on when a
//! transport asks ([`Asks`]) and on its bytes ([`crate::transports::framing`]), so a new transport has a model without a word here.
//! Each file derives its formulas; `tests.rs` holds them against a simulation that knows none.
//!
//! Where two measured figures are tied by arithmetic, one is predicted from the other too; such a model says `second method`.
//! Where the plan does not say how updates come (a replay, a server elsewhere), only what holds for any feed is predicted.
//!
//! A figure outside its range is not to be taken on trust, and has its likely cause beside it. Where only a machine's time is in it, the
//! row stays what it is: a slow machine is no fault. Anything else makes it suspect (see [`crate::validity`]).

mod age;
mod bytes;
mod feed;
mod freshness;
mod range;
mod service;
#[cfg(test)]
mod tests;
mod traffic;
pub mod typical;

use crate::{
    floor,
    record::{FeedPlan, Follow, Plan, Prediction, Row},
    report::format::time_us,
    transports::{Asks, ClientTransport},
};
use feed::Feed;
use range::Range;
use service::Service;

/// Counters read later than this count what is not of the window.
const READ_LATE_US: u64 = 5_000;

/// One row's scenario, as the models read it.
struct Case<'a> {
    plan: &'a Plan,
    row: &'a ClientTransport,
    asks: Asks,
    /// None where the plan does not say how updates come.
    feed: Option<Feed>,
    service: Service,
    follows_all: bool,
    /// Size of an encoded update: planned, or the row's own mean; 0 where neither is known.
    update_bytes: f64,
    size_planned: bool,
    window_s: f64,
    /// How late counters were read at the window's edges.
    read_late_us: Option<u64>,
}

/// A figure as a model expects it.
struct Expected {
    /// A column of summary.csv.
    metric: &'static str,
    range: Range,
    model: String,
    /// What probably made it larger, or smaller.
    above: String,
    below: String,
}

/// The predictions for a row, with what it measured beside them. None for a row without a window, and none where clients come and go, or
/// the server: every model counts with both being there all the time.
pub fn predict(plan: &Plan, row: &Row) -> Vec<Prediction> {
    if plan.churn.is_some() || plan.restart.is_some() {
        return Vec::new();
    }
    let Some(case) = Case::of(plan, row) else {
        return Vec::new();
    };
    // Columns by name, as summary.csv has them: a metric that is none is never known.
    let figures = serde_json::to_value(&row.figures).unwrap_or_default();
    let expected = [
        freshness::expected(&case, row),
        traffic::expected(&case, row),
        bytes::expected(&case, row),
    ];
    let expected = expected
        .into_iter()
        .flatten()
        .filter(|expected| expected.range.is_finite());
    let beside = |expected: Expected| {
        let measured = figures[expected.metric].as_f64();
        expected.beside(measured)
    };
    expected.map(beside).collect()
}

impl<'a> Case<'a> {
    fn of(plan: &'a Plan, measured: &Row) -> Option<Self> {
        let row = floor::contender(&measured.figures.transport)?;
        // As it was: an interrupted row has a shorter one.
        let window_s = measured.figures.duration_s?;
        let feed = Feed::of(plan, window_s);
        let (FeedPlan::Simulated { update_bytes, .. }
        | FeedPlan::Replay { update_bytes, .. }
        | FeedPlan::Target { update_bytes, .. }) = plan.feed;
        let own_mean = || {
            let figures = &measured.figures;
            let deliveries = figures.deliveries.filter(|deliveries| *deliveries > 0)?;
            Some(figures.payload_bytes? as f64 / deliveries as f64)
        };
        let bytes = update_bytes.map(f64::from).or_else(own_mean).unwrap_or(0.0);
        Some(Self {
            plan,
            row,
            asks: row.asks,
            service: Service::of(plan, row.asks, feed.as_ref(), bytes),
            feed,
            follows_all: plan.follow == Follow::All,
            update_bytes: bytes,
            size_planned: update_bytes.is_some(),
            window_s,
            read_late_us: measured.phases.sampled_late_us,
        })
    }

    /// Why a counter is off: that it was read late, where that is so, or `otherwise`.
    fn counted(&self, otherwise: &str) -> String {
        match self.read_late_us.filter(|late_us| *late_us >= READ_LATE_US) {
            Some(late_us) => format!("counters were read {} late at a window's edge", time_us(late_us as f64)),
            None => otherwise.to_owned(),
        }
    }

    /// Seconds between two looks of a client; 0 where updates come by themselves.
    fn interval_s(&self) -> f64 {
        match self.asks {
            Asks::EveryInterval => self.plan.poll_interval().as_secs_f64(),
            Asks::EveryUpdate | Asks::Once => 0.0,
        }
    }
}

impl Expected {
    fn beside(self, measured: Option<f64>) -> Prediction {
        let Range { predicted, low, high } = self.range;
        let likely_cause = measured
            .filter(|measured| !self.range.holds(*measured))
            .map(|measured| if measured > high { self.above } else { self.below });
        Prediction {
            metric: self.metric.into(),
            predicted,
            low,
            high,
            measured,
            model: self.model,
            likely_cause,
        }
    }
}
