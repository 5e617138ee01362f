//! How often a property is tried; the bench client's properties include this file too.

use proptest::test_runner::{Config, RngSeed};

/// How many cases a property gets: `PROPTEST_CASES`, of which a costly one gets one in `share`. Without it about 200, the same in
/// every run: what passed yesterday fails for a change alone.
pub fn cases(share: u32) -> Config {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = Config {
        // What fails is printed whole, and belongs into a test of its own.
        failure_persistence: None,
        ..Config::default()
    };
    if asked {
        let cases = (config.cases / share).max(1);
        return Config { cases, ..config };
    }
    // So few cost little even of what is costly.
    let cases = 200 / (share / 10).max(1);
    let rng_seed = RngSeed::Fixed(1);
    Config {
        cases,
        rng_seed,
        ..config
    }
}
