//! The server's parsers under attack: for each a `check` of any bytes, which says what holds whatever they are.
//!
//! ```text
//! proptest (tests below each check) -+-> check(bytes) -> the real parser -> assertions
//! cargo fuzz (server/fuzz/)         -+
//! ```
//!
//! Both ask the very same function, so an input that one finds can be given to the other. Compiled for tests and for the feature
//! `fuzzing` alone: nothing that is run has it. What a check does not look at: how fast an answer comes.

pub mod cursor;
pub mod query;
pub mod recording;
pub mod replay;
pub mod websocket;

/// Each case ends within this, or it hangs: no answer here waits for anything.
const HANGS_AFTER: std::time::Duration = std::time::Duration::from_secs(30);

/// A runtime for the cases of one thread.
fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

/// How many cases a property gets: `PROPTEST_CASES`, of which a costly one gets one in `share`. Without it about 200, the same in
/// every run: what passed yesterday fails for a change alone.
#[cfg(test)]
fn cases(share: u32) -> proptest::test_runner::Config {
    use proptest::test_runner::{Config, RngSeed};
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
