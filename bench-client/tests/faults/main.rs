//! The instrument against faults of known size: each must show at its size, in its place, and nowhere else.
//!
//! ```text
//! the real program -> Relay (this test: one fault) -> Origin (a real server in this test, itself faulty on demand)
//!        '-> run.json -> compared with what arithmetic says of the fault, and with the same run without it at the same time
//! ```
//!
//! What is expected is computed before it is measured, from the fault and the schedule alone. Where time is compared, a run through a
//! relay without fault goes along on the same machine at the same moment, so no absolute speed is asserted; tolerances are tight
//! enough to tell a fault from half of it and from twice it. `cargo test --test faults -- --nocapture` prints the table of the docs.

mod bytes;
mod capture;
mod feed_and_hub;
mod harm;
mod hlog;
mod lab;
mod losses;
mod origin;
mod packets;
mod relay;
mod starved;
#[path = "../../../server/tests/support/mod.rs"]
mod support;
mod table;
mod timing;
mod units;
