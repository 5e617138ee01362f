//! When `--until-settled` looks, and what it sees.

use crate::record::{Looks, Plan, RunRecord};

use super::pairs::{Comparisons, between_transports_until};

/// Each look after half as many repeats again as the one before.
const GROWTH: f64 = 1.5;
/// Every look takes its part of the chance of being wrong: a few are enough.
const LOOKS_MOST: u32 = 8;

/// The schedule from `repeats` to `most`, fixed before the first row: the looks, and with them the level of each, may not depend on
/// what they show.
pub fn schedule(repeats: u32, most: u32) -> Looks {
    let steps = f64::from(LOOKS_MOST - 1);
    let growth = GROWTH.max((f64::from(most) / f64::from(repeats)).powf(1.0 / steps));
    let mut after_repeats = vec![repeats];
    while let Some(last) = after_repeats.last().copied().filter(|last| *last < most) {
        let next = (f64::from(last) * growth).round() as u32;
        after_repeats.push(next.clamp(last + 1, most));
    }
    Looks { after_repeats }
}

/// The most repeats a plan may take.
pub fn most_repeats(plan: &Plan) -> u32 {
    let last = plan.looks.as_ref().and_then(|looks| looks.after_repeats.last());
    last.copied().unwrap_or(plan.repeats)
}

/// What a look after `repeats` rounds sees; None when none is due then.
pub fn look(record: &RunRecord, repeats: u32) -> Option<Comparisons> {
    let looks = record.plan.looks.as_ref()?;
    let due = looks.after_repeats.contains(&repeats);
    due.then(|| between_transports_until(record, repeats))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_end_at_the_most_and_are_few() {
        let looks = |repeats, most| schedule(repeats, most).after_repeats;
        assert_eq!(looks(4, 20), [4, 6, 9, 14, 20]);
        assert_eq!(looks(4, 4), [4]);
        assert_eq!(looks(2, 5), [2, 3, 5]);
        assert_eq!(looks(4, 5), [4, 5]);
        for (repeats, most) in [(2, 1_000), (4, 1_000), (3, 77), (999, 1_000)] {
            let looks = looks(repeats, most);
            assert!(looks.len() <= LOOKS_MOST as usize + 1, "{looks:?}");
            assert!(looks.is_sorted_by(|a, b| a < b), "{looks:?}");
            assert_eq!((looks[0], looks[looks.len() - 1]), (repeats, most));
        }
    }
}
