//! Figures that come in steps: pages of memory, ticks of a clock, buckets of a histogram.
//!
//! ```text
//! logs of a metric, all transports -> the step it was seen to move by -> a floor for the standard deviation (effect.rs)
//! ```
//!
//! Such figures can repeat themselves exactly by chance, and then show no spread at all: with two values, a pair of
//! identical techniques differs by the same step in four rounds out of four in every hundredth comparison. So a spread is never
//! taken to be below that of rounding to the step.

use std::collections::BTreeMap;

/// Differences below are those of the arithmetic.
const SAME: f64 = 1e-9;
/// From so many repeats on, a figure that never moved counts as one that never does.
const EXACT_FROM: usize = 4;

/// The steps of one metric.
pub struct Steps {
    /// The least gap between two log ratios of one pair.
    ratios: f64,
    /// The least gap between two logs of one transport: 0 when no figure moved.
    logs: f64,
    /// The least gap between any two figures, not logarithms: instruments have even steps.
    figures: f64,
    /// The least difference between two transports.
    apart: f64,
}

impl Steps {
    /// From each transport's logs, and each pair's log ratios.
    pub fn of<'a>(logs: &[Vec<f64>], ratios: impl Iterator<Item = &'a Vec<f64>> + Clone) -> Self {
        let figures = logs.iter().flatten().map(|log| log.exp()).collect();
        let apart = ratios
            .clone()
            .filter_map(|ratios| ratios.first())
            .map(|ratio| ratio.abs());
        Self {
            ratios: least_gap(ratios.cloned()),
            logs: least_gap(logs.iter().cloned()),
            figures: least_gap([figures]),
            apart: least(apart.filter(|ratio| *ratio > SAME)),
        }
    }

    /// The step to reckon with between two transports, as a difference of logs.
    pub fn between(&self, first: &BTreeMap<u32, f64>, second: &BTreeMap<u32, f64>, ratios: &[f64]) -> f64 {
        let is_constant = ratios.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= SAME);
        let by_agreement = match is_constant {
            // Its spread shows; only the rounding of either figure is added.
            false => {
                let step =
                    |logs: &BTreeMap<u32, f64>| self.figures / least(logs.values().map(|log| log.exp())).max(SAME);
                ((step(first).powi(2) + step(second).powi(2)) / 2.0).sqrt()
            }
            // Nothing ever moved: that is what it does, or there were too few repeats to see it move.
            true if self.logs == 0.0 => self.of_constants(ratios.len()),
            // Ratios that agree to the last digit, of figures that move by more: their steps agree, and no more is known.
            true => self.logs,
        };
        by_agreement.max(self.ratios)
    }

    /// The step of repeats of two runs, as a difference of logs; `repeats` are those of the run that has fewer.
    pub fn unpaired(&self, repeats: usize) -> f64 {
        if self.logs == 0.0 {
            self.of_constants(repeats)
        } else {
            self.logs
        }
    }

    /// With so few repeats everything may stand one step apart and agree by chance.
    fn of_constants(&self, repeats: usize) -> f64 {
        if repeats >= EXACT_FROM { 0.0 } else { self.apart }
    }
}

/// The least gap between two of one sample; 0 when none differs from another.
fn least_gap(samples: impl IntoIterator<Item = Vec<f64>>) -> f64 {
    let gaps = samples.into_iter().map(|mut values| {
        values.sort_by(f64::total_cmp);
        let pairs = values
            .windows(2)
            .filter(|pair| pair[1] - pair[0] > SAME * pair[1].abs().max(1.0));
        least(pairs.map(|pair| pair[1] - pair[0]))
    });
    least(gaps.filter(|gap| *gap > 0.0))
}

fn least(values: impl Iterator<Item = f64>) -> f64 {
    let least = values.fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(logs: &[&[f64]]) -> (Steps, f64) {
        let logs: Vec<Vec<f64>> = logs.iter().map(|logs| logs.to_vec()).collect();
        let ratios: Vec<f64> = logs[0].iter().zip(&logs[1]).map(|(a, b)| a - b).collect();
        let steps = Steps::of(&logs, [&ratios].into_iter());
        let by_repeat = |logs: &Vec<f64>| (1..).zip(logs.iter().copied()).collect();
        let step = steps.between(&by_repeat(&logs[0]), &by_repeat(&logs[1]), &ratios);
        (steps, step)
    }

    #[test]
    fn what_never_moves_has_no_step_once_it_was_seen_four_times() {
        assert_eq!(steps(&[&[5.0; 4], &[6.0; 4]]).1, 0.0);
        assert_eq!(steps(&[&[5.0; 3], &[6.0; 3]]).1, 1.0);
        assert_eq!(steps(&[&[5.0; 2], &[5.0; 2]]).1, 0.0);
    }

    #[test]
    fn ratios_that_agree_are_known_to_a_step_of_their_figures() {
        let (steps, step) = steps(&[&[5.0, 5.2, 5.0, 5.0], &[6.0, 6.2, 6.0, 6.0]]);
        assert!((step - 0.2).abs() < 1e-12, "{step}");
        assert!((steps.unpaired(4) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn even_steps_count_although_their_logarithms_are_uneven() {
        let logs = |values: [f64; 3]| values.map(f64::ln);
        let (_, step) = steps(&[&logs([10.0, 9.0, 10.0]), &logs([11.0, 10.0, 11.0])]);
        assert!((0.1..0.12).contains(&step), "{step}");
    }
}
