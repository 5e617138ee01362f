//! Clients that others wrote, against our server: the same updates as ours get, over cuts and over a new start of the server.
//!
//! ```text
//! `serve`, a process <- Cutter, one per client (cuts after n bytes) <- node | python | curl | our own sessions -> Heard
//!        '-> /api/published?detail=true -> compared with what each heard
//! ```
//!
//! A client is a script of a few lines beside this file, which prints what its library hands out; it knows nothing of this test.
//! What is not installed is left out, aloud: `./test.sh` installs it where it can. Nothing here measures.

mod clients;
mod cutter;
mod heard;
mod not_modified;
mod origin;
mod ours;
mod same_updates;
#[path = "../../../server/tests/support/mod.rs"]
mod support;
