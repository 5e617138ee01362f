//! The server alone: `cargo run --release -p server`.

use clap::Parser;
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

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    server::logging::init(&cli.server);
    let (feed, description) = match cli.feed.feed() {
        Ok(made) => made,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(2);
        }
    };
    server::child::run(feed, description, cli.server)
}
