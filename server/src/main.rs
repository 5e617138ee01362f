//! The server alone: `cargo run --release -p server`.

use std::process::ExitCode;

use clap::Parser;
use server::child::RecordError;
use server::settings::{FeedSettings, ServerSettings};

/// One live score feed over short polling, long polling, Server-Sent Events and WebSocket.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    feed: FeedSettings,
    #[command(flatten)]
    server: ServerSettings,
}

/// Exit codes: 0 stopped as asked, 1 could not serve, 2 settings that make no sense.
fn main() -> ExitCode {
    let cli = Cli::parse();
    server::logging::init(&cli.server);
    let (feed, description) = match cli.feed.feed() {
        Ok(made) => made,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    match server::child::run(feed, description, cli.server, |_| Ok(Default::default())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<RecordError>() { 2 } else { 1 })
        }
    }
}
