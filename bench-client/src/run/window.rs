//! Where the window stands: after settling, halfway between two ticks of the feed, so that no tick falls on its edge and every
//! row of a run measures the same ones.

use server::{FeedDescription, clock::Clock};

use crate::{
    control::Control,
    record::{Arrivals, FeedPlan, Plan},
    tally::Window,
};

/// Microseconds between two ticks of a feed that ticks evenly (over all topics, or between its bursts).
pub fn tick_gap_us(feed: &FeedPlan) -> Option<f64> {
    let FeedPlan::Simulated {
        topics,
        rate_hz,
        arrivals,
        burst_size,
        ..
    } = feed
    else {
        return None;
    };
    let per_tick = match arrivals {
        Arrivals::Regular => 1.0,
        Arrivals::Burst => f64::from(*burst_size),
        Arrivals::Poisson => return None,
    };
    (*rate_hz > 0.0).then(|| 1e6 * per_tick / (rate_hz * f64::from(*topics)))
}

/// The window of a feed that starts at `feed_us`: after settling, halfway between two ticks.
pub fn window(plan: &Plan, feed_us: u64, gap_us: Option<f64>) -> Window {
    let settle_us = plan.settle_s * 1e6;
    let offset_us = match gap_us {
        Some(gap) => ((settle_us / gap).ceil() + 0.5) * gap,
        None => settle_us,
    };
    let from_us = feed_us + offset_us as u64;
    Window {
        from_us,
        to_us: from_us + (plan.duration_s * 1e6) as u64,
    }
}

/// The window at a server whose feed runs already: halfway between two of its ticks, where it ticks evenly.
pub async fn foreign_window(
    plan: &Plan,
    control: &Control,
    clock: Clock,
    feed: &FeedDescription,
) -> anyhow::Result<Window> {
    let now_us = clock.now_us();
    let even = feed.arrivals.as_deref() == Some("regular");
    let rate = feed
        .rate_hz
        .filter(|rate| even && *rate > 0.0)
        .map(|rate| rate * f64::from(feed.topics));
    let Some(gap_us) = rate.map(|rate| 1e6 / rate) else {
        return Ok(window(plan, now_us, None));
    };
    let recent = control
        .published(now_us.saturating_sub(2_000_000 + 2 * gap_us as u64), now_us)
        .await?;
    let last = recent
        .topics
        .iter()
        .filter_map(|topic| topic.updates.last())
        .map(|update| update.due_us)
        .max();
    Ok(window(plan, last.unwrap_or(now_us), last.map(|_| gap_us)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan, scenario::Scenario};

    fn plan_of(overrides: &plan::Overrides) -> Plan {
        let scenario = Scenario::load("live-score").expect("a built-in scenario");
        plan::resolve(&scenario, overrides).expect("a good plan").plan
    }

    #[test]
    fn both_edges_stand_halfway_between_two_ticks() {
        for (rate_hz, topics) in [(5.0, 1), (5.0, 7), (10.0, 3), (1_000.0, 1)] {
            let overrides = plan::Overrides {
                rate_hz: Some(rate_hz),
                topics: Some(topics),
                ..Default::default()
            };
            let plan = plan_of(&overrides);
            let gap = tick_gap_us(&plan.feed).expect("an even feed");
            let feed_us = 1_700_000_000_000_000;
            let window = window(&plan, feed_us, Some(gap));
            assert!((window.from_us - feed_us) as f64 >= plan.settle_s * 1e6, "it settled");
            for edge in [window.from_us, window.to_us] {
                let ticks = (edge - feed_us) as f64 / gap;
                let apart = (ticks - ticks.floor() - 0.5).abs();
                assert!(
                    apart * gap <= 2.0,
                    "{rate_hz} Hz, {topics} topics: {apart} of a gap off the middle"
                );
            }
        }
    }

    #[test]
    fn without_even_ticks_the_window_follows_settling() {
        let plan = plan_of(&plan::Overrides::default());
        let window = window(&plan, 1_000, None);
        assert_eq!(window.from_us, 1_000 + (plan.settle_s * 1e6) as u64);
        assert_eq!(window.length_us(), 5_000_000);
    }
}
