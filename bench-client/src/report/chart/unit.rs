//! Units of an axis: which words a value has, and which unit fits a stretch of values.

use serde::Serialize;

use crate::report::comparisons;
use crate::report::format;

/// Unit of the values along an axis; drawers print ticks with µs, ms, s or B, KiB, MiB as they fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    Microseconds,
    Seconds,
    Bytes,
    /// Of 1.
    Share,
    /// A plain number.
    Count,
    /// 1 / (1 − q) of a quantile q: 2 is 50 %, 100 is 99 %.
    OneIn,
}

impl Unit {
    /// A value in words, as every table prints it.
    pub fn words(self, value: f64) -> String {
        match self {
            Unit::Microseconds => format::time_us(value),
            Unit::Seconds => format::time_us(value * 1e6),
            Unit::Bytes => format::bytes(value),
            Unit::Share => format::share(value),
            Unit::Count => format::number(value),
            Unit::OneIn => comparisons::level(1.0 - 1.0 / value),
        }
    }

    /// The size and name of the unit that fits values up to `high`.
    pub fn prefix(self, high: f64) -> (f64, &'static str) {
        let units: &[(f64, &'static str)] = match self {
            Unit::Microseconds => &[(1e6, " s"), (1e3, " ms"), (1.0, " µs")],
            Unit::Bytes => &[
                (1_073_741_824.0, " GiB"),
                (1_048_576.0, " MiB"),
                (1_024.0, " KiB"),
                (1.0, " B"),
            ],
            Unit::Seconds => &[(1.0, " s")],
            Unit::Share => &[(0.01, " %")],
            Unit::Count | Unit::OneIn => &[(1.0, "")],
        };
        units
            .iter()
            .copied()
            .find(|(size, _)| high >= *size)
            .unwrap_or(units[units.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_updates_has_the_digits_that_tell_it_from_all() {
        for (one_in, words) in [
            (1.0, "0 %"),
            (2.0, "50 %"),
            (46.4, "97.8 %"),
            (1_000.0, "99.9 %"),
            (100_000.0, "99.999 %"),
        ] {
            assert_eq!(Unit::OneIn.words(one_in), words);
        }
    }
}
