//! The bench client: drives thousands of real clients against the live score feed and reports what each technique costs.
//!
//! ```text
//! scenario + command line -> plan -> run: for each row  process (server) + fleet (clients) -> tally -> record -> report/
//! ```
//!
//! # Layout
//!
//! * [`cli`], [`exit_code`]: commands, and what the program ends with.  [`scenario`], [`plan`], [`limits`]: what to measure, checked before it starts.
//! * [`run`]: the phases of a row, row by row.  [`process`], [`control`]: the server under test and the talk with it.
//! * [`calibration`]: what the client alone adds, measured against a null server and kept.
//! * [`fleet`], [`virtual_client`]: the load.  [`transports`]: a file and a row per technique.  [`net`]: the only sockets of the load.
//! * [`workers`]: clients in several processes.  [`cores`]: where those run.
//! * [`floor`]: the row that shows what delivering costs at all, and its reader.
//! * [`sockets`], [`machine`]: what the kernel says of the sockets and of the machine.  [`validity`], [`oracle`]: whether a row can be believed.
//! * [`tally`]: what was received against what was published.  [`usage`], [`environment`]: the machine.
//! * [`record`]: the one truth of a run.  [`statistics`]: what may be claimed from it.  [`thresholds`]: what must hold of it.
//!   [`report`]: everything made from it.
//! * `properties`: every parser under attack, for tests and fuzzing alone.
//! * [`serve`]: what the page gets beside the feed: runs, the bytes of an exchange, a demonstration.
//! * [`verify`]: correctness without figures.

pub mod calibration;
pub mod cli;
pub mod control;
pub mod cores;
pub mod environment;
pub mod exit_code;
pub mod fleet;
pub mod floor;
pub mod headers;
pub mod limits;
pub mod machine;
pub mod net;
pub mod oracle;
pub mod plan;
pub mod process;
pub mod progress;
#[cfg(any(test, feature = "fuzzing"))]
pub mod properties;
pub mod record;
pub mod report;
pub mod run;
pub mod scenario;
pub mod serve;
pub mod sockets;
pub mod sse_parser;
pub mod stalled;
pub mod statistics;
pub mod tally;
pub mod thresholds;
pub mod transports;
pub mod usage;
pub mod validity;
pub mod verify;
pub mod virtual_client;
pub mod workers;
