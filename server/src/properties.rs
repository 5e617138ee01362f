//! The server's parsers under attack: for each a `check` of any bytes, which says what holds whatever they are.
//!
//! ```text
//! proptest (tests below each check) -+-> check(bytes) -> the real parser -> assertions
//! cargo fuzz (server/fuzz/)         -+
//! ```
//!
//! Both ask the very same function, so an input that one finds can be given to the other. Compiled for tests and for the feature
//! `fuzzing` alone: nothing that is run has it. What a check does not look at: how fast an answer comes.

#[cfg(test)]
mod cases;
pub mod cursor;
pub mod query;
pub mod recording;
pub mod replay;
pub mod websocket;

#[cfg(test)]
use cases::cases;

/// Each case ends within this, or it hangs: no answer here waits for anything.
const HANGS_AFTER: std::time::Duration = std::time::Duration::from_secs(30);

/// A runtime for the cases of one thread.
fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}
