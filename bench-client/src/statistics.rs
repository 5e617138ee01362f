//! What may be claimed: every pair of transports of a run, and two runs, compared with intervals that say how sure they are.
//!
//! ```text
//! RunRecord -> metrics (logs per repeat) -> pairs | runs -> effect (Student's t, bootstrap) -> family (Holm) -> claims -> report/
//! ```
//!
//! Pure functions of the record: the same record always says the same, and any report can be made again.
//!
//! **The repeat is the unit.** The hundred thousand latencies of one repeat share a server process, a schedule and whatever the
//! machine did in those seconds: they are one observation of the technique. One round (every transport once) is a block; within it a
//! pair is compared by the logarithm of the ratio of a figure, d = ln(a/b), which takes out whatever made the whole round slow.
//!
//! # Assumptions
//!
//! * Noise multiplies and is log-normal, at least nearly so: the d of a pair scatter normally around one true value. Under six
//!   blocks nothing but this assumption carries a claim, since four numbers can't show their own distribution, and a bootstrap of
//!   them is far too narrow. From six blocks on a bootstrap, which assumes no shape, must agree (see [`effect`]).
//! * Rounds are independent of each other. Balanced order (A B C D, D C B A) keeps a steady drift out of the mean where the rounds are
//!   even in number: after an odd number, as some looks have, a steady drift leaves its step of one round over their number in
//!   the mean. A machine that
//!   changes for good between two rounds is noise like any other.
//! * A figure that comes in coarse steps is known to a step at best: the variance is never taken to be below the rounding's.
//! * Holm covers the family: all pairs and all metrics of one run that have two blocks or more. Another run is another
//!   family: of twenty runs of identical techniques, one may claim a difference. Under `--until-settled` the looks share the 5 %.
//! * A figure of zero or less in any repeat, as memory, a difference, can be, is too small to measure: the pair has no comparison by it.
//! * Two runs share nothing: their t stands at the degrees of freedom of the shorter one, whatever their variances.
//! * A figure that repeats itself exactly four times or more, as bytes do, has an interval of length zero. That is what its repeats say.
//!
//! Left out on purpose: figures of merit over several metrics. Which metric matters is the reader's to say.

mod bootstrap;
pub mod effect;
pub mod family;
pub mod looks;
pub mod metrics;
pub mod pairs;
mod runs;
#[cfg(test)]
mod simulation;
mod steps;

pub use family::{Interval, Verdict};
pub use metrics::Metric;
pub use pairs::{Comparison, Comparisons, Untested, between_transports};
pub use runs::{Change, RunChanges, between_runs};

/// The chance that any claim of one run is wrong.
pub const ALPHA: f64 = 0.05;
