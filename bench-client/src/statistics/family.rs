//! Many comparisons, one chance of being wrong: Holm's step-down over a whole family, and what may be said of each.
//!
//! ```text
//! Effects + alpha + margin -> step_down (who is granted which level) -> interval at that level -> Verdict
//! ```
//!
//! Holm (1979): of m open comparisons the one with the least p value is tested at α/m; if it is claimed, the next at α/(m − 1), and
//! so on until one is not. Whatever the truth is, and however the comparisons hang together, the chance of a single wrong
//! "different" in the family is at most α.
//!
//! **Equivalent** is a claim too, and can be wrong where the true difference is at the margin or beyond it. A comparison left open is
//! at risk of one wrong claim alone, whichever, within the share it keeps. One that was claimed to differ hands its share on; if it
//! was precise enough to have been called equivalent instead, and its interval does not lie wholly beyond the margin, it was at
//! risk on one side of it (half a share) and hands on the other half alone. So both kinds of claim together stay within α.

use serde::Serialize;

use super::effect::Effect;

/// What may be said of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// The interval lies wholly below no difference, and not wholly inside the margin.
    Lower,
    /// The same, above.
    Higher,
    /// The interval lies wholly inside the margin.
    Equivalent,
    Inconclusive {
        /// So many repeats would probably settle it; absent when it takes more than are worth naming.
        repeats: Option<u32>,
    },
}

/// An interval of a ratio, and its level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    /// Share of intervals made like this that contain the truth.
    pub level: f64,
}

/// A comparison with what its family allows to be said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    pub verdict: Verdict,
    pub interval: Interval,
}

/// Judges a family. `margin` is a share: ratios from 1/(1 + margin) to 1 + margin are no difference worth choosing by.
pub fn judge(effects: &[Effect], alpha: f64, margin: f64) -> Vec<Judged> {
    let grants = grants(effects, alpha, margin);
    let strictest = strictest(effects, alpha);
    let both = effects.iter().zip(grants);
    both.map(|(effect, grant)| verdict(effect, grant, strictest, margin))
        .collect()
}

/// The level of the first step, which no interval is stricter than.
pub fn strictest(effects: &[Effect], alpha: f64) -> f64 {
    alpha / effects.len().max(1) as f64
}

/// Which comparisons are claimed to differ, and the level of each.
pub fn grants(effects: &[Effect], alpha: f64, margin: f64) -> Vec<Grant> {
    let margin = margin.ln_1p();
    let strictest = strictest(effects, alpha);
    let p_values: Vec<f64> = effects.iter().map(Effect::p).collect();
    step_down(&p_values, alpha, |index, level| {
        let effect = &effects[index];
        let (low, high) = effect.interval(level, strictest);
        if low <= 0.0 && high >= 0.0 {
            return None;
        }
        let reaches_into_margin = low.abs().min(high.abs()) < margin;
        let could_be_equivalent = effect.half_width(alpha) < margin;
        Some(if reaches_into_margin && could_be_equivalent {
            0.5
        } else {
            1.0
        })
    })
}

/// What a granted level lets be said.
pub fn verdict(effect: &Effect, grant: Grant, strictest: f64, margin: f64) -> Judged {
    let margin = margin.ln_1p();
    let (low, high) = effect.interval(grant.alpha, strictest);
    let verdict = if -margin <= low && high <= margin {
        Verdict::Equivalent
    } else if grant.claimed && high < 0.0 {
        Verdict::Lower
    } else if grant.claimed {
        Verdict::Higher
    } else {
        let repeats = effect.settles_with(grant.alpha, margin);
        Verdict::Inconclusive { repeats }
    };
    let interval = Interval {
        low: low.exp(),
        high: high.exp(),
        level: 1.0 - grant.alpha,
    };
    Judged { verdict, interval }
}

/// What Holm's step-down grants a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grant {
    /// The level it was claimed at, or left open at.
    pub alpha: f64,
    pub claimed: bool,
}

/// Walks from the least p value up. `claim` is asked whether the comparison holds at its level and how much of its share it hands on
/// (1: all of it, as Holm has it); None leaves it open.
fn step_down(p_values: &[f64], alpha: f64, claim: impl Fn(usize, f64) -> Option<f64>) -> Vec<Grant> {
    let mut grants = vec![
        Grant {
            alpha: 0.0,
            claimed: false,
        };
        p_values.len()
    ];
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut shares = p_values.len() as f64;
    loop {
        let level = alpha / shares;
        // One that its p value lets pass and its interval does not is passed over, and asked again at the next level.
        let candidates = order.iter().enumerate();
        let mut passing = candidates.take_while(|(_, index)| p_values[**index] <= level);
        let next = passing.find_map(|(place, index)| claim(*index, level).map(|freed| (place, freed)));
        let Some((place, freed)) = next else {
            for index in order {
                grants[index].alpha = level;
            }
            return grants;
        };
        grants[order.remove(place)] = Grant {
            alpha: level,
            claimed: true,
        };
        shares -= freed;
    }
}

#[cfg(test)]
mod tests {
    use rand_pcg::{
        Pcg64Mcg,
        rand_core::{RngCore, SeedableRng},
    };
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;
    use crate::statistics::bootstrap::Bootstrap;

    fn holm(p_values: &[f64]) -> Vec<(f64, bool)> {
        let grants = step_down(p_values, 0.05, |_, _| Some(1.0));
        grants.into_iter().map(|grant| (grant.alpha, grant.claimed)).collect()
    }

    /// By hand: 0.005 ≤ 0.05/4; 0.01 ≤ 0.05/3; 0.03 > 0.05/2 stops, and 0.04 is not looked at, though it is below 0.05/1.
    #[test]
    fn a_family_of_four_by_hand() {
        let expected = [
            (0.05 / 3.0, true),
            (0.05 / 2.0, false),
            (0.05 / 2.0, false),
            (0.05 / 4.0, true),
        ];
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005]), expected);
    }

    #[test]
    fn the_ends_of_holm() {
        assert_eq!(holm(&[]), []);
        assert_eq!(holm(&[0.05]), [(0.05, true)]);
        assert_eq!(holm(&[0.051]), [(0.05, false)]);
        // Ties take their ranks in their order; all of them pass.
        assert_eq!(holm(&[0.0, 0.0]), [(0.025, true), (0.05, true)]);
        assert_eq!(holm(&[0.026, 0.026]), [(0.025, false), (0.025, false)]);
    }

    #[test]
    fn one_that_only_the_bootstrap_holds_back_does_not_stop_the_others() {
        let grants = step_down(&[0.001, 0.002, 0.9], 0.05, |index, _| (index != 0).then_some(1.0));
        let claimed: Vec<bool> = grants.iter().map(|grant| grant.claimed).collect();
        assert_eq!(claimed, [false, true, false]);
        assert_eq!(grants[0].alpha, 0.05 / 2.0);
    }

    fn verdicts(families: &[&[f64]], margin: f64) -> Vec<Verdict> {
        let effects: Vec<Effect> = families
            .iter()
            .map(|values| Effect::paired(values.to_vec(), 0.0).expect("blocks enough"))
            .collect();
        judge(&effects, 0.05, margin)
            .iter()
            .map(|judged| judged.verdict)
            .collect()
    }

    #[test]
    fn below_above_within_the_margin_or_open() {
        let said = verdicts(
            &[
                &[-0.20, -0.22, -0.19, -0.21],
                &[0.20, 0.22, 0.19, 0.21],
                // Surely a difference, and surely too small to choose by.
                &[0.010, 0.011, 0.010, 0.0105],
                &[0.0; 4],
                &[-0.3, 0.4, 0.1, -0.2],
            ],
            0.05,
        );
        assert_eq!(
            said[..4],
            [
                Verdict::Lower,
                Verdict::Higher,
                Verdict::Equivalent,
                Verdict::Equivalent
            ]
        );
        assert!(matches!(said[4], Verdict::Inconclusive { .. }), "{said:?}");
    }

    #[test]
    fn an_interval_across_the_margin_that_excludes_no_difference_is_a_difference() {
        assert_eq!(verdicts(&[&[0.04, 0.05, 0.06, 0.05]], 0.05), [Verdict::Higher]);
        // Without a margin nothing is equivalent but what is equal.
        assert_eq!(
            verdicts(&[&[0.001; 4], &[0.0; 4]], 0.0),
            [Verdict::Higher, Verdict::Equivalent]
        );
    }

    #[test]
    fn intervals_say_the_level_they_were_granted() {
        let values = [vec![-0.20, -0.22, -0.19, -0.21], vec![-0.3, 0.4, 0.1, -0.2]];
        let effects = values.map(|values| Effect::paired(values, 0.0).expect("four blocks"));
        let [sure, open] = judge(&effects, 0.05, 0.05)[..] else {
            panic!("two are two");
        };
        assert!((sure.interval.level - 0.975).abs() < 1e-12, "{sure:?}");
        assert!((open.interval.level - 0.95).abs() < 1e-12, "{open:?}");
        assert!(sure.interval.high < 1.0 && sure.interval.low > 0.0, "{sure:?}");
    }

    #[test]
    fn from_six_blocks_on_the_interval_reaches_as_far_as_either_method() {
        // One long side: there the bootstrap reaches further than Student, on the other side Student does.
        let values = vec![0.05, 0.06, 0.05, 0.07, 0.06, 0.05, 0.06, 0.05, 0.07, 0.06, 0.05, 0.60];
        let (level, mean) = (0.05, values.iter().sum::<f64>() / 12.0);
        let bootstrap = Bootstrap::of_mean(&values, level).interval(level);
        let few = Effect::paired(values[..5].to_vec(), 0.0).expect("five blocks");
        let many = Effect::paired(values, 0.0).expect("twelve blocks");
        let (low, high) = many.interval(level, level);
        assert!(bootstrap.1 > mean + many.half_width(level), "{bootstrap:?}");
        assert_eq!((low, high), (mean - many.half_width(level), bootstrap.1));
        assert_eq!(
            few.interval(level, level).1,
            few.mean + few.half_width(level),
            "too few to draw from"
        );
    }

    #[test]
    fn the_repeats_named_settle_it_four_times_in_five() {
        const TRIALS: u32 = 300;
        let (alpha, margin) = (0.05 / 12.0, 0.05);
        let open = Effect::paired(vec![0.25, 0.05, 0.18, 0.12], 0.0).expect("four blocks");
        let repeats = open.settles_with(alpha, f64::ln_1p(margin)).expect("some number does");
        let mut random = Pcg64Mcg::seed_from_u64(7);
        let mut normal = || Normal::standard().inverse_cdf((f64::from(random.next_u32()) + 0.5) / 2f64.powi(32));
        let sd = (0.1f64.powi(2) + 0.1f64.powi(2) + 2.0 * 0.03f64.powi(2)).sqrt() / 3f64.sqrt();
        let settled = (0..TRIALS).filter(|_| {
            let values = (0..repeats).map(|_| 0.15 + sd * normal()).collect();
            let effect = Effect::paired(values, 0.0).expect("more than four");
            effect.mean - effect.half_width(alpha) > 0.0
        });
        let share = settled.count() as f64 / f64::from(TRIALS);
        assert!((0.65..0.95).contains(&share), "{repeats} repeats settled {share}");
    }
}
