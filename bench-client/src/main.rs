//! `cargo run --release -- run`: from nothing to a table.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_client::cli::main()
}
