//! One suite over every row of the transport table: the real sessions of the bench client against the real server.
//!
//! ```text
//! Hand (publishes) -> server in this process -> sockets -> Follower (a real session) | Tap (bare bytes) -> compared with the Hand
//! ```
//!
//! Nothing here measures: no test asserts a speed, and times are upper bounds after which a test fails.

mod bytes;
mod churn;
mod cuts;
mod floor;
mod frames;
mod heartbeats;
mod hostile;
mod hostile_answers;
mod hostile_streams;
mod model;
mod null;
mod order;
mod polls;
mod puppet;
mod race;
mod refusals;
mod resets;
mod rig;
mod shutdown;
mod slow_reader;
mod stalled;
#[path = "../../../server/tests/support/mod.rs"]
mod support;
mod survives;
mod tap;
