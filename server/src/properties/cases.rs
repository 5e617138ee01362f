//! How often a property is tried; the bench client's properties include this file too.

use proptest::test_runner::{Config, RngSeed};

/// How many cases a property gets: `PROPTEST_CASES`, or else about 200, of costly ones fewer, and the same in every run: what passed yesterday
/// fails for a change alone. `cost`: about how many of the cheapest cases one of these takes as long as.
pub fn cases(cost: u32) -> Config {
    let config = Config {
        // What fails is printed whole, and belongs into a test of its own.
        failure_persistence: None,
        ..Config::default()
    };
    // proptest takes it above everything that is said here.
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return config;
    }
    Config {
        cases: 200 / (cost / 10).max(1),
        rng_seed: RngSeed::Fixed(1),
        ..config
    }
}
