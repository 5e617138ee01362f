//! Seeded random numbers that stay the same whatever version of which crate is used.
//!
//! Only raw 64-bit words come from outside, of a generator with a published definition (PCG-XSL-RR 128/64 MCG). How a seed
//! becomes a state and a word becomes a choice is written here, because libraries change both between versions.

use rand_pcg::{Pcg64Mcg, rand_core::RngCore};

/// What the numbers are for. Each use draws from its own stream, so that a change to one leaves the others as they were.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    Fixtures = 1,
    Course = 2,
    Arrivals = 3,
}

#[derive(Debug, Clone)]
pub struct Random(Pcg64Mcg);

impl Random {
    pub fn new(seed: u64, stream: Stream, topic: u32) -> Self {
        let purpose = ((stream as u64) << 32) | u64::from(topic);
        let high = mix(mix(seed) ^ purpose);
        let low = mix(high ^ seed);
        Random(Pcg64Mcg::new((u128::from(high) << 64) | u128::from(low)))
    }

    /// 0..n, evenly; 0 for n = 0.
    pub fn below(&mut self, n: u32) -> u32 {
        // High half of a 64 x 32 bit product: its bias is below n/2^64.
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u32
    }

    /// Exponentially distributed with mean 1, never infinite.
    pub fn exponential(&mut self) -> f64 {
        // 53 bits, the most a f64 holds: in [0, 1), so the logarithm's argument is never 0.
        let unit = (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        -(1.0 - unit).ln()
    }
}

/// The finalizer of SplitMix64: seeds that differ in one bit become words that differ in half of theirs.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mix_is_split_mix_64() {
        // First output of the reference implementation for seed 0.
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn choices_are_even_and_gaps_have_mean_one() {
        let mut random = Random::new(1, Stream::Course, 0);
        let mut counts = [0u32; 10];
        (0..100_000).for_each(|_| counts[random.below(10) as usize] += 1);
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        let mean = (0..100_000).map(|_| random.exponential()).sum::<f64>() / 100_000.0;
        assert!((0.98..1.02).contains(&mean), "{mean}");
    }

    #[test]
    fn topics_streams_and_seeds_differ() {
        let first = |seed, stream, topic| Random::new(seed, stream, topic).below(u32::MAX);
        let all = [
            first(1, Stream::Course, 0),
            first(1, Stream::Course, 1),
            first(1, Stream::Arrivals, 0),
            first(2, Stream::Course, 0),
        ];
        assert!((1..all.len()).all(|i| !all[..i].contains(&all[i])), "{all:?}");
    }
}
