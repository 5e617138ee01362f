//! From when each client was restored, and from the clients' counters meanwhile, to the record of a recovery. Pure.

use super::{
    recorder::{BUCKET_US, Reading},
    restart::Restarted,
};
use crate::{
    record::{Recovery, RecoveryPoint},
    report::histogram::{self, Distribution},
    tally::{Restored, Window},
};

/// The recovery; `readings` begin with the kill.
pub fn recovery(window: Window, restarted: Restarted, readings: &[Reading], clients: &Restored) -> Recovery {
    let since = |at_us: u64| at_us.saturating_sub(restarted.killed_us);
    let mut restored = Distribution::empty();
    let after_us: Vec<u64> = clients.at_us.iter().map(|at_us| since(*at_us)).collect();
    after_us.iter().for_each(|us| restored.histogram.saturating_record(*us));
    restored.lost = clients.never;
    let all_us = after_us.iter().copied().max().filter(|_| clients.never == 0);
    let listened_us = since(restarted.listened_us);
    let answered_us = after_us
        .iter()
        .copied()
        .min()
        .map_or(listened_us, |first| first.min(listened_us));
    let series = series(readings, since, &after_us, all_us);
    let peak = |of: fn(&RecoveryPoint) -> u64| {
        // The first bucket began before the kill, and shows the load there was. In a short one a few requests would be a high rate.
        let rates = series
            .iter()
            .filter(|point| point.from_us > 0 && point.to_us - point.from_us >= BUCKET_US / 2);
        rates
            .map(|point| of(point) as f64 * 1e6 / (point.to_us - point.from_us) as f64)
            .reduce(f64::max)
    };
    Recovery {
        killed_after_us: restarted.killed_us.saturating_sub(window.from_us),
        answered_after_us: answered_us,
        restored: histogram::encode(&restored.histogram, restored.lost, 0),
        restored_after_us: all_us,
        restored_after_answer_us: all_us.map(|all| all - answered_us),
        peak_requests_per_s: peak(|point| point.requests),
        peak_connections_per_s: peak(|point| point.connections),
        errors: series.iter().map(|point| point.errors).sum(),
        series,
    }
}

/// A bucket between each two readings, from the one the kill falls into up to the one in which the last client was restored.
fn series(
    readings: &[Reading],
    since: impl Fn(u64) -> u64,
    restored_us: &[u64],
    all_us: Option<u64>,
) -> Vec<RecoveryPoint> {
    let from_the_kill = readings.windows(2).filter(|pair| since(pair[1].at_us) > 0);
    let buckets = from_the_kill.map(|pair| {
        let (from, to) = (&pair[0], &pair[1]);
        let (from_us, to_us) = (since(from.at_us), since(to.at_us));
        RecoveryPoint {
            from_us,
            to_us,
            requests: to.totals.requests - from.totals.requests,
            connections: to.totals.connections - from.totals.connections,
            errors: to.totals.errors - from.totals.errors,
            restored: restored_us.iter().filter(|us| (from_us..to_us).contains(us)).count() as u64,
        }
    });
    let until_all = buckets.take_while(|point| all_us.is_none_or(|all_us| point.from_us <= all_us));
    until_all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Totals;

    const WINDOW: Window = Window {
        from_us: 1_000_000,
        to_us: 9_000_000,
    };
    const RESTARTED: Restarted = Restarted {
        killed_us: 2_000_000,
        started_us: 2_150_000,
        listened_us: 2_180_000,
    };

    /// A reading every 100 ms from a hair before the kill: so many requests, connections and errors by then.
    fn readings() -> Vec<Reading> {
        let counted = [(5, 0, 0), (5, 0, 4), (9, 2, 4), (10, 4, 4), (30, 9, 9)];
        let reading = |(index, (requests, connections, errors)): (usize, (u64, u64, u64))| Reading {
            at_us: 1_999_990 + 100_000 * index as u64,
            totals: Totals {
                requests,
                connections,
                errors,
                ..Totals::default()
            },
        };
        counted.into_iter().enumerate().map(reading).collect()
    }

    #[test]
    fn it_ends_with_the_bucket_in_which_the_last_client_was_restored() {
        let clients = Restored {
            at_us: vec![2_170_000, 2_190_000, 2_250_000],
            never: 0,
        };
        let recovery = recovery(WINDOW, RESTARTED, &readings(), &clients);
        assert_eq!(recovery.killed_after_us, 1_000_000);
        assert_eq!(
            recovery.answered_after_us, 170_000,
            "a client was told before it was said"
        );
        assert_eq!(recovery.restored_after_us, Some(250_000));
        assert_eq!(recovery.restored_after_answer_us, Some(80_000));
        assert_eq!((recovery.restored.count, recovery.restored.lost), (3, 0));
        let of = |pick: fn(&RecoveryPoint) -> u64| recovery.series.iter().map(pick).collect::<Vec<_>>();
        assert_eq!(of(|point| point.restored), [0, 2, 1]);
        assert_eq!(of(|point| point.requests), [0, 4, 1]);
        assert_eq!(of(|point| point.connections), [0, 2, 2]);
        assert_eq!(recovery.errors, 4);
        // The first bucket begins with the kill; the second is 100 ms long.
        assert_eq!(recovery.peak_requests_per_s, Some(40.0));
        assert_eq!(recovery.peak_connections_per_s, Some(20.0));
    }

    #[test]
    fn who_never_comes_back_is_lost_and_the_series_goes_to_its_end() {
        let clients = Restored {
            at_us: vec![2_190_000],
            never: 2,
        };
        let recovery = recovery(WINDOW, RESTARTED, &readings(), &clients);
        assert_eq!((recovery.restored.count, recovery.restored.lost), (1, 2));
        assert_eq!(
            (recovery.restored_after_us, recovery.restored_after_answer_us),
            (None, None)
        );
        assert_eq!(recovery.answered_after_us, 180_000);
        assert_eq!(recovery.series.len(), 4);
        assert_eq!(recovery.peak_requests_per_s, Some(200.0));
    }
}
