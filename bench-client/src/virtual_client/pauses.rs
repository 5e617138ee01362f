//! How long a client stays, stays away, and waits before it tries again: drawn from the plan's seed, so the same in every run.

use std::time::Duration;

use rand_pcg::{
    Pcg32,
    rand_core::{RngCore, SeedableRng},
};

use crate::record::Churn;

/// Pause before the first try to come back; it doubles up to the longest.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_LONGEST: Duration = Duration::from_secs(2);

/// One client's times.
pub struct Pauses {
    random: Pcg32,
    churn: Option<Churn>,
    backoff_jitter: bool,
}

impl Pauses {
    /// With `backoff_jitter` half of each pause before a new try is random.
    pub fn new(seed: u64, churn: Option<Churn>, backoff_jitter: bool) -> Self {
        Self {
            random: Pcg32::seed_from_u64(seed),
            churn,
            backoff_jitter,
        }
    }

    /// How long it follows a session before it leaves; None: to the end.
    pub fn stay(&mut self) -> Option<Duration> {
        self.churn.map(|churn| self.exponential(churn.stay_s))
    }

    /// How long it stays away once it has left.
    pub fn away(&mut self) -> Duration {
        self.churn
            .map_or(Duration::ZERO, |churn| self.exponential(churn.away_s))
    }

    /// Before the next try, after so many failures in a row. Without jitter clients that were cut together come back together.
    pub fn backoff(&mut self, failures: u32) -> Duration {
        let pause = (BACKOFF_FIRST * (1 << failures.min(8))).min(BACKOFF_LONGEST);
        if !self.backoff_jitter {
            return pause;
        }
        let half = pause.as_micros() as u64 / 2;
        Duration::from_micros(half + self.random.next_u64() % half)
    }

    /// Independent of how long it has lasted, as comings and goings of many people are.
    fn exponential(&mut self, mean_s: f64) -> Duration {
        // In (0, 1]: the logarithm is finite.
        let unit = (self.random.next_u32() as f64 + 1.0) / (f64::from(u32::MAX) + 1.0);
        Duration::from_secs_f64(-mean_s * unit.ln())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_and_absences_have_the_planned_means_and_come_again_with_the_seed() {
        let churn = Churn {
            stay_s: 5.0,
            away_s: 2.0,
        };
        let mut pauses = Pauses::new(7, Some(churn), true);
        const DRAWS: u32 = 20_000;
        let drawn: Vec<_> = (0..DRAWS)
            .map(|_| (pauses.stay().expect("it churns"), pauses.away()))
            .collect();
        let mean = |of: fn(&(Duration, Duration)) -> Duration| {
            drawn.iter().map(|pair| of(pair).as_secs_f64()).sum::<f64>() / f64::from(DRAWS)
        };
        // The mean of so many is known to 0.7 %; five times that never happens.
        assert!((mean(|pair| pair.0) - 5.0).abs() < 0.18, "{}", mean(|pair| pair.0));
        assert!((mean(|pair| pair.1) - 2.0).abs() < 0.07, "{}", mean(|pair| pair.1));
        let mut again = Pauses::new(7, Some(churn), true);
        assert_eq!((again.stay(), again.away()), (Some(drawn[0].0), drawn[0].1));
        assert_eq!(Pauses::new(7, None, true).stay(), None, "without churn nobody leaves");
    }

    #[test]
    fn pauses_double_and_their_random_part_is_half() {
        let mut pauses = Pauses::new(1, None, true);
        let mut in_step = Pauses::new(1, None, false);
        for (failures, whole_ms) in [(0, 100), (1, 200), (3, 800), (5, 2_000), (60, 2_000)] {
            let whole = Duration::from_millis(whole_ms);
            let pause = pauses.backoff(failures);
            assert!(pause >= whole / 2 && pause < whole, "{failures}: {pause:?}");
            assert_eq!(in_step.backoff(failures), whole, "without jitter it is exact");
        }
    }
}
