//! One comparison in numbers: a mean log ratio, and how far it may be off.
//!
//! ```text
//! log ratios of the blocks (paired), or logs of two runs (unpaired) -> Effect -> p value, interval, repeats that would do
//! ```

use std::cell::OnceCell;

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::bootstrap::Bootstrap;

/// From so many blocks on a bootstrap has enough to draw from: 6 blocks have 462 different resamples, 4 only 35.
pub const BOOTSTRAP_FROM: usize = 6;
/// A standard deviation of logs below is that of the arithmetic, not of the figures.
const EXACT: f64 = 1e-12;
/// The chance that the number of repeats named for an open comparison is enough, if its estimates are right.
const POWER: f64 = 0.8;
/// More repeats than these are not named.
pub const REPEATS_NAMED: u32 = 200;

/// A difference of logs and its spread.
#[derive(Debug)]
pub struct Effect {
    /// The mean log ratio.
    pub mean: f64,
    design: Design,
}

#[derive(Debug)]
enum Design {
    /// A log ratio per block.
    Paired {
        sd: f64,
        values: Vec<f64>,
        bootstrap: OnceCell<Bootstrap>,
    },
    /// Repeats of two runs that share nothing (Welch's t).
    Unpaired { first: Sample, second: Sample },
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    variance: f64,
    repeats: f64,
}

impl Effect {
    /// From one log ratio per block; None for fewer than two. `step` is the finest step of either figure, as a difference of logs.
    pub fn paired(values: Vec<f64>, step: f64) -> Option<Self> {
        let (mean, variance) = moments(&values)?;
        // Rounding to a step adds its square over 12, and a ratio has two rounded figures.
        let variance = variance.max(step * step / 6.0);
        let sd = exact(variance.sqrt());
        Some(Self {
            mean,
            design: Design::Paired {
                sd,
                values,
                bootstrap: OnceCell::new(),
            },
        })
    }

    /// Mean of `second` minus mean of `first`; None when either has fewer than two repeats.
    pub fn unpaired(first: &[f64], second: &[f64], step: f64) -> Option<Self> {
        let sample = |values: &[f64]| {
            let (mean, variance) = moments(values)?;
            let variance = exact(variance.max(step * step / 12.0).sqrt()).powi(2);
            let repeats = values.len() as f64;
            Some((mean, Sample { variance, repeats }))
        };
        let ((first_mean, first), (second_mean, second)) = (sample(first)?, sample(second)?);
        Some(Self {
            mean: second_mean - first_mean,
            design: Design::Unpaired { first, second },
        })
    }

    /// Two-sided p value of no difference.
    pub fn p(&self) -> f64 {
        let (error, freedom) = self.error(None);
        if error == 0.0 {
            return if self.mean.abs() < EXACT { 1.0 } else { 0.0 };
        }
        // The upper tail itself: 1 minus the rest would lose the small ones.
        2.0 * student(freedom).sf(self.mean.abs() / error)
    }

    /// Half the width of Student's interval at the level 1 − `alpha`.
    pub fn half_width(&self, alpha: f64) -> f64 {
        let (error, freedom) = self.error(None);
        quantile(alpha, freedom, error)
    }

    /// The interval at the level 1 − `alpha`. From [`BOOTSTRAP_FROM`] blocks on it reaches as far as Student's and the bootstrap's
    /// together. `least_alpha` is the strictest level that will be asked for: it decides how often is drawn.
    pub fn interval(&self, alpha: f64, least_alpha: f64) -> (f64, f64) {
        let half = self.half_width(alpha);
        let student = (self.mean - half, self.mean + half);
        match &self.design {
            Design::Paired { sd, values, bootstrap } if values.len() >= BOOTSTRAP_FROM && *sd > 0.0 => {
                let bootstrap = bootstrap.get_or_init(|| Bootstrap::of_mean(values, least_alpha));
                let (low, high) = bootstrap.interval(alpha);
                (student.0.min(low), student.1.max(high))
            }
            _ => student,
        }
    }

    /// So many repeats would probably settle this at the level 1 − `alpha`: they make the interval short enough to exclude no
    /// difference, or to lie within `margin`. None when it takes more than [`REPEATS_NAMED`].
    pub fn settles_with(&self, alpha: f64, margin: f64) -> Option<u32> {
        let target = self.mean.abs().max(margin - self.mean.abs());
        let now = match &self.design {
            Design::Paired { values, .. } => values.len() as u32,
            Design::Unpaired { first, second } => first.repeats.min(second.repeats) as u32,
        };
        let suffices = |repeats: u32| {
            let (error, freedom) = self.error(Some(repeats));
            quantile(alpha, freedom, error) + quantile(2.0 * (1.0 - POWER), freedom, error) <= target
        };
        if now >= REPEATS_NAMED || !suffices(REPEATS_NAMED) {
            return None;
        }
        // More repeats are never less sure: halving finds the least.
        let (mut least, mut most) = (now + 1, REPEATS_NAMED);
        while least < most {
            let middle = (least + most) / 2;
            if suffices(middle) {
                most = middle;
            } else {
                least = middle + 1;
            }
        }
        Some(least)
    }

    /// Standard error of the mean and its degrees of freedom, now or with so many repeats.
    fn error(&self, repeats: Option<u32>) -> (f64, f64) {
        let with = |now: f64| repeats.map_or(now, f64::from);
        match &self.design {
            Design::Paired { sd, values, .. } => {
                let blocks = with(values.len() as f64);
                (sd / blocks.sqrt(), blocks - 1.0)
            }
            Design::Unpaired { first, second } => {
                let part = |sample: &Sample| (sample.variance / with(sample.repeats), with(sample.repeats) - 1.0);
                let ((a, a_freedom), (b, b_freedom)) = (part(first), part(second));
                // The bound of Mickey and Brown (1966), whatever the two variances are. Welch and Satterthwaite's estimate is right
                // on average, and claims too much from the few repeats that runs have.
                ((a + b).sqrt(), a_freedom.min(b_freedom))
            }
        }
    }
}

/// Mean and variance; None for fewer than two values.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, squares / (count - 1.0)))
}

fn exact(sd: f64) -> f64 {
    if sd < EXACT { 0.0 } else { sd }
}

fn student(freedom: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom).expect("two repeats or more leave one degree of freedom or more")
}

/// How far a two-sided interval at the level 1 − `alpha` reaches to either side.
fn quantile(alpha: f64, freedom: f64, error: f64) -> f64 {
    if error == 0.0 {
        return 0.0;
    }
    -student(freedom).inverse_cdf(alpha / 2.0) * error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) {
        assert!((value / expected - 1.0).abs() < 2e-4, "{value} is not {expected}");
    }

    /// The table at the end of every textbook, both ends of it, and the strict levels that a family of 36 asks for.
    #[test]
    fn quantiles_and_p_values_are_the_textbooks() {
        for (freedom, alpha, t) in [
            (1.0, 0.05, 12.7062),
            (2.0, 0.05, 4.3027),
            (3.0, 0.05, 3.1824),
            (3.0, 0.01, 5.8409),
            (3.0, 0.001, 12.924),
            (5.0, 0.05, 2.5706),
            (7.0, 0.002, 4.7853),
            (10.0, 0.1, 1.8125),
            (30.0, 0.05, 2.0423),
            (120.0, 0.01, 2.6174),
        ] {
            close(quantile(alpha, freedom, 1.0), t);
            close(2.0 * student(freedom).sf(t), alpha);
        }
        // And back, where no table reaches: one degree of freedom is Cauchy, with a closed form.
        for alpha in [0.05 / 36.0, 0.05 / 500.0, 1e-7] {
            close(
                quantile(alpha, 1.0, 1.0),
                1.0 / (std::f64::consts::PI * alpha / 2.0).tan(),
            );
            for freedom in [2.0, 3.0, 7.3, 199.0] {
                close(2.0 * student(freedom).sf(quantile(alpha, freedom, 1.0)), alpha);
            }
        }
    }

    /// Student's own sleep data (1908): 10 patients, two drugs; t = 4.0621 paired. Unpaired, t =
    /// 1.8608 at the 9 degrees of freedom of either drug, not at Welch's 17.776, which would make p 0.0794.
    #[test]
    fn students_sleep_data_come_out_as_published() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let differences = first.iter().zip(second).map(|(a, b)| b - a).collect();
        let paired = Effect::paired(differences, 0.0).expect("ten pairs");
        close(paired.mean, 1.58);
        close(paired.p(), 0.002833);
        close(paired.mean - paired.half_width(0.05), 0.7001142);
        let unpaired = Effect::unpaired(&first, &second, 0.0).expect("ten and ten");
        close(unpaired.error(None).1, 9.0);
        close(unpaired.p(), 0.0956893);
        close(unpaired.mean + unpaired.half_width(0.05), 3.500777);
    }

    #[test]
    fn figures_that_repeat_themselves_exactly_have_a_point_for_an_interval() {
        let different = Effect::paired(vec![0.5; 4], 0.0).expect("four blocks");
        assert_eq!((different.p(), different.half_width(0.001)), (0.0, 0.0));
        let same = Effect::paired(vec![0.0; 4], 0.0).expect("four blocks");
        assert_eq!(same.p(), 1.0);
        let unpaired = Effect::unpaired(&[1.0; 3], &[1.0; 4], 0.0).expect("three and four");
        assert_eq!((unpaired.mean, unpaired.p()), (0.0, 1.0));
        // The same values from figures that come in coarse steps: chance may have made them equal.
        assert!(Effect::paired(vec![0.5; 4], 0.5).expect("four blocks").p() > 0.01);
    }

    #[test]
    fn too_few_and_senseless_values_are_no_effect() {
        assert!(Effect::paired(vec![], 0.0).is_none());
        assert!(Effect::paired(vec![1.0], 0.0).is_none());
        assert!(Effect::paired(vec![1.0, f64::NAN], 0.0).is_none());
        assert!(Effect::paired(vec![1.0, f64::NEG_INFINITY], 0.0).is_none());
        assert!(Effect::unpaired(&[1.0, 2.0], &[1.0], 0.0).is_none());
    }

    #[test]
    fn the_repeats_named_are_more_than_there_are_and_the_least_that_do() {
        let effect = Effect::paired(vec![0.02, 0.10, 0.06, 0.02], 0.0).expect("four blocks");
        let (alpha, margin) = (0.05 / 6.0, 0.05_f64.ln_1p());
        assert!(effect.half_width(alpha) > effect.mean);
        let enough = effect.settles_with(alpha, margin).expect("some number does");
        let reach = |repeats| {
            let (error, freedom) = effect.error(Some(repeats));
            quantile(alpha, freedom, error) + quantile(0.4, freedom, error)
        };
        assert!(
            enough > 4 && reach(enough) <= effect.mean && reach(enough - 1) > effect.mean,
            "{enough}"
        );
        // A difference far below its noise, in the middle between equivalent and not: no use to wait for it.
        let hopeless = Effect::paired(vec![0.525, -0.475, 0.525, -0.475], 0.0).expect("four blocks");
        assert_eq!(hopeless.settles_with(alpha, margin), None);
    }
}
