//! `serve`: the feed, its API, and the page with results, the wire and, where asked for, a demonstration.

use std::path::PathBuf;

use clap::Args;
use server::{
    child::RecordError,
    settings::{FeedSettings, ServerSettings},
};

use super::{Failure, usage};
use crate::serve;

#[derive(Args)]
pub struct ServeArgs {
    #[command(flatten)]
    feed: FeedSettings,
    #[command(flatten)]
    server: ServerSettings,
    #[command(flatten)]
    page: PageArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Page")]
struct PageArgs {
    /// Let the page change the feed, put delay on the path and add crowds of clients: for a machine of one's own
    #[arg(long)]
    demo: bool,
    /// Folder of the runs that the page shows
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = clap::ValueHint::DirPath)]
    results: PathBuf,
}

pub fn command(arguments: ServeArgs) -> Result<u8, Failure> {
    let ServeArgs { feed, server, page } = arguments;
    server::logging::init(&server);
    let (matches, description) = feed.feed().map_err(usage)?;
    let options = serve::Options {
        results: page.results,
        demo: page.demo.then_some(feed),
    };
    match server::child::run(matches, description, server, |app| serve::mount(app, options)) {
        Err(error) if error.is::<RecordError>() => Err(usage(error)),
        ended => Ok(ended.map(|()| 0)?),
    }
}
