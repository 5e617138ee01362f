//! Distributions of microseconds: to and from the record, merged over repeats, and asked for quantiles.
//!
//! ```text
//! tally -> encode() -> Quantiles in run.json -> Distribution::decode() -> merge -> quantile
//! ```
//!
//! Quantiles are never averaged: histograms are merged, then asked. What never came stands at +∞ and what came before it was
//! due stands below zero; both count towards the ranks, so neither can make the rest look better.

use std::io::Read;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use crate::record::{Quantile, Quantiles};

/// Up to here a new histogram has its memory (about 190 KB) from the start; longer values make it grow, none is clamped.
pub const PREALLOCATED_US: u64 = 3_600_000_000;
/// Significant digits kept of every value.
pub const DIGITS: u8 = 3;

/// How V2 begins, and V2 in deflate.
const COOKIE: u32 = 0x1c84_9313;
const COOKIE_DEFLATED: u32 = 0x1c84_9314;
/// Of V2, before the counts.
const HEAD_BYTES: usize = 40;
/// More than every count of [`DIGITS`] digits up to 2^64 µs, nine bytes each.
const ENCODED_MAX_BYTES: u64 = 1 << 20;

/// An empty histogram of µs, as everything measured here uses it.
pub fn new() -> Histogram<u64> {
    let mut histogram =
        Histogram::new_with_bounds(1, PREALLOCATED_US, DIGITS).expect("constants within what HdrHistogram allows");
    histogram.auto(true);
    histogram
}

/// `histogram` as the record keeps it: V2, deflated, base64.
pub fn encode(histogram: &Histogram<u64>, lost: u64, negative: u64) -> Quantiles {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("a Vec takes every byte, and counts stay below 2^63");
    Quantiles {
        histogram: STANDARD.encode(bytes),
        count: histogram.len(),
        lost,
        negative,
    }
}

/// The V2 encoding inside the deflated one, when it is of a histogram as [`new`] makes it. What a reader of the format takes on trust
/// is checked here: it would make room for any length and any precision that is written there, up to gigabytes.
///
/// ```text
/// deflated: cookie u32, length u32, zlib of -> cookie u32, payload length u32, offset u32, digits u32, low u64, high u64, ratio f64, payload
/// ```
fn inflate(deflated: &[u8]) -> Result<Vec<u8>> {
    let zlib = deflated
        .strip_prefix(&COOKIE_DEFLATED.to_be_bytes())
        .and_then(|rest| rest.get(4..));
    let zlib = zlib.context("the histogram is not HdrHistogram V2, deflated")?;
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(zlib)
        .take(ENCODED_MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .context("the histogram cannot be inflated")?;
    ensure!(
        bytes.len() as u64 <= ENCODED_MAX_BYTES,
        "the histogram has more than {ENCODED_MAX_BYTES} bytes, which none of {DIGITS} digits needs"
    );
    let (head, payload) = bytes.split_at_checked(HEAD_BYTES).context("the histogram breaks off")?;
    let number = |at: std::ops::Range<usize>| {
        head[at]
            .iter()
            .fold(0u64, |number, byte| (number << 8) | u64::from(*byte))
    };
    let (cookie, payload_bytes, digits, low) = (number(0..4), number(4..8), number(12..16), number(16..24));
    ensure!(
        cookie == u64::from(COOKIE) && payload_bytes == payload.len() as u64,
        "the histogram is not HdrHistogram V2, or its payload has another length than it says"
    );
    ensure!(
        digits == u64::from(DIGITS) && low == 1,
        "the histogram has {digits} digits from {low} µs: expected {DIGITS} from 1"
    );
    // The one number that a reader cannot negate; no count of anything is near it.
    ensure!(
        !payload.windows(9).any(|bytes| bytes == [0xff; 9]),
        "the histogram skips 2^63 values"
    );
    Ok(bytes)
}

/// What [`Quantiles`] holds, ready to be merged and asked.
#[derive(Debug, Clone)]
pub struct Distribution {
    pub histogram: Histogram<u64>,
    /// Values at +∞.
    pub lost: u64,
    /// Values below zero, not in the histogram.
    pub negative: u64,
}

impl Distribution {
    /// No values yet.
    pub fn empty() -> Self {
        Self {
            histogram: new(),
            lost: 0,
            negative: 0,
        }
    }

    /// # Errors
    /// When the text is not a V2 histogram in base64, or holds another number of values than `count` says.
    pub fn decode(quantiles: &Quantiles) -> Result<Self> {
        let bytes = STANDARD
            .decode(&quantiles.histogram)
            .context("the histogram is not base64")?;
        let bytes = inflate(&bytes)?;
        let mut histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| anyhow::anyhow!("the histogram is not HdrHistogram V2: {error}"))?;
        ensure!(
            histogram.len() == quantiles.count,
            "the histogram holds {} values, its count says {}",
            histogram.len(),
            quantiles.count
        );
        // Merging may bring longer values than this one has room for.
        histogram.auto(true);
        Ok(Distribution {
            histogram,
            lost: quantiles.lost,
            negative: quantiles.negative,
        })
    }

    /// A quantile of what the record holds, µs; None where it holds nothing, or the quantile is lost.
    pub fn quantile_us(quantiles: Option<&Quantiles>, q: f64) -> Option<u64> {
        Self::decode(quantiles?).ok()?.quantile(q)?.us()
    }

    /// A quantile of a recorded distribution, lost ones included; None where there is none.
    pub fn quantile_of(quantiles: &Quantiles, q: f64) -> Option<Quantile> {
        Self::decode(quantiles).ok()?.quantile(q)
    }

    /// Adds everything in `other`.
    pub fn merge(&mut self, other: &Distribution) {
        self.histogram
            .add(&other.histogram)
            .expect("a histogram that resizes itself takes every value");
        // A record may hold any number.
        self.lost = self.lost.saturating_add(other.lost);
        self.negative = self.negative.saturating_add(other.negative);
    }

    /// All values, the lost and the negative ones too.
    pub fn count(&self) -> u64 {
        let known = self.negative.saturating_add(self.histogram.len());
        known.saturating_add(self.lost)
    }

    /// The smallest value that a share `q` (0 to 1) of all values does not exceed, in µs. `None` when there are no values, or
    /// when it falls among the negative ones: then clocks disagree, and no time can be named.
    pub fn quantile(&self, q: f64) -> Option<Quantile> {
        let rank = ((q * self.count() as f64).ceil() as u64).clamp(1, self.count().max(1));
        let rank = rank.checked_sub(self.negative).filter(|rank| *rank > 0)?;
        if rank <= self.histogram.len() {
            // Half a rank less: the histogram rounds up to the very rank, whatever the division lost.
            let share = (rank as f64 - 0.5) / self.histogram.len() as f64;
            Some(Quantile::Us(self.histogram.value_at_quantile(share)))
        } else if rank <= self.histogram.len().saturating_add(self.lost) {
            Some(Quantile::LOST)
        } else {
            None
        }
    }

    /// The longest value.
    pub fn max(&self) -> Option<Quantile> {
        self.quantile(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(values: impl IntoIterator<Item = u64>, lost: u64, negative: u64) -> Distribution {
        let mut histogram = new();
        for value in values {
            histogram.record(value).unwrap();
        }
        Distribution {
            histogram,
            lost,
            negative,
        }
    }

    #[test]
    fn the_record_keeps_every_value() {
        let before = distribution([0, 1, 999, 1_000_000, PREALLOCATED_US * 10], 3, 2);
        let encoded = encode(&before.histogram, before.lost, before.negative);
        let after = Distribution::decode(&encoded).unwrap();
        assert_eq!(before.histogram, after.histogram);
        assert_eq!(
            (encoded.count, after.lost, after.negative, after.count()),
            (5, 3, 2, 10)
        );
    }

    #[test]
    fn quantiles_come_from_the_merged_values_not_from_an_average() {
        let mut merged = distribution(1..=99, 0, 0);
        merged.merge(&distribution([1000], 0, 0));
        assert_eq!(merged.quantile(0.99), Some(Quantile::Us(99)));
        assert_eq!(merged.quantile(0.991), Some(Quantile::Us(1000)));
        let mut longer = distribution([1], 0, 0);
        longer.merge(&distribution([PREALLOCATED_US * 4], 0, 0));
        assert!(longer.max() > Some(Quantile::Us(PREALLOCATED_US * 3)));
    }

    #[test]
    fn lost_values_stand_at_infinity() {
        let some_lost = distribution(1..=98, 2, 0);
        assert_eq!(some_lost.quantile(0.5), Some(Quantile::Us(50)));
        assert_eq!(some_lost.quantile(0.98), Some(Quantile::Us(98)));
        assert_eq!(some_lost.quantile(0.99), Some(Quantile::LOST));
        assert_eq!(some_lost.max(), Some(Quantile::LOST));
        assert_eq!(distribution([], 5, 0).quantile(0.5), Some(Quantile::LOST));
    }

    #[test]
    fn negative_values_stand_below_all_others_and_have_no_time() {
        let some_negative = distribution(1..=50, 0, 50);
        assert_eq!(some_negative.quantile(0.5), None);
        assert_eq!(some_negative.quantile(0.75), Some(Quantile::Us(25)));
        assert_eq!(distribution([], 0, 5).max(), None);
    }

    #[test]
    fn nothing_measured_has_no_quantile() {
        assert_eq!(distribution([], 0, 0).quantile(0.5), None);
    }

    #[test]
    fn damaged_histograms_are_refused() {
        let good = encode(&distribution([5], 0, 0).histogram, 0, 0);
        for (histogram, count) in [("%%%", 1), ("AAAA", 1), (good.histogram.as_str(), 2)] {
            let damaged = Quantiles {
                histogram: histogram.to_owned(),
                count,
                lost: 0,
                negative: 0,
            };
            assert!(Distribution::decode(&damaged).is_err(), "{histogram} {count}");
        }
    }

    /// V2 bytes as the record keeps them.
    fn deflated(bytes: &[u8]) -> Quantiles {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zlib, bytes).unwrap();
        let zlib = zlib.finish().unwrap();
        let length = (zlib.len() as u32).to_be_bytes();
        Quantiles {
            histogram: STANDARD.encode([&COOKIE_DEFLATED.to_be_bytes()[..], &length, &zlib].concat()),
            count: 1,
            lost: 0,
            negative: 0,
        }
    }

    #[test]
    fn a_histogram_gets_no_more_memory_than_ours_need() {
        let good = encode(&distribution([5], 0, 0).histogram, 0, 0);
        let v2 = inflate(&STANDARD.decode(&good.histogram).unwrap()).unwrap();
        assert!(Distribution::decode(&deflated(&v2)).is_ok());
        let with = |at: usize, bytes: &[u8]| {
            let mut changed = v2.clone();
            changed[at..at + bytes.len()].copy_from_slice(bytes);
            changed
        };
        for (what, bytes) in [
            ("a payload of 4 GiB", with(4, &[0xff; 4])),
            ("nine digits", with(12, &9u32.to_be_bytes())),
            ("another lowest value", with(16, &(1u64 << 40).to_be_bytes())),
            ("one in another", STANDARD.decode(&good.histogram).unwrap()),
            ("no end", vec![0; 64 << 20]),
            ("half a head", v2[..20].to_vec()),
        ] {
            assert!(Distribution::decode(&deflated(&bytes)).is_err(), "{what}");
        }
        // A run of zeros whose length has no opposite.
        let mut skips = with(4, &9u32.to_be_bytes())[..HEAD_BYTES].to_vec();
        skips.extend([0xff; 9]);
        assert!(Distribution::decode(&deflated(&skips)).is_err());
    }

    #[test]
    fn counts_of_any_size_are_summed() {
        let mut most = distribution([1], u64::MAX, u64::MAX);
        most.merge(&distribution([1], u64::MAX, 1));
        assert_eq!((most.count(), most.quantile(0.5)), (u64::MAX, None));
        assert_eq!(distribution([1], u64::MAX, 0).max(), Some(Quantile::LOST));
    }
}
