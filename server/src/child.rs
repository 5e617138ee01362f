//! The server's main: run until told to stop. Alone it is stopped by a signal; as a bench client's child, by the end of stdin.
//!
//! ```text
//! child:  stdout <- {"listening":"http://127.0.0.1:41234"}          with --null also "null":"127.0.0.1:41235"
//!         stdin  -> start 1763631127000000      the feed's first due time counts from here (µs, the server's clock)
//!         with --feed-start-us it counts from there, as that of a child that was killed did, and has caught up before anyone is served
//!         stdin     ends: the client is gone, however it went; so goes the server
//! ```

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use axum::Router;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    signal::unix::{SignalKind, signal},
};

use crate::{FeedDescription, Ports, Running, feed::Feed, http::App, null, settings::ServerSettings};

pub use crate::feed::recording::RecordError;

/// How long `/readyz` says that a stop is coming before streams end: a balancer that asks meanwhile sends nobody new.
const NOTICE: Duration = Duration::from_millis(300);

/// Serves until a signal, or until stdin ends when started as a child. A [`RecordError`] among the errors is wrong usage.
///
/// Who is no child has a page, with a port for each transport, and the routes of `mount` beside.
pub fn run(
    feed: Feed,
    description: FeedDescription,
    settings: ServerSettings,
    mount: impl FnOnce(&Arc<App>) -> io::Result<Router>,
) -> anyhow::Result<()> {
    for remark in &feed.source.remarks {
        tracing::warn!("{remark}");
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(settings.threads());
    let runtime = runtime.enable_all().build().context("the runtime could not start")?;
    runtime.block_on(async {
        let (child, with_null) = (settings.child, settings.null);
        let in_anothers_place = settings.feed_start_us.is_some();
        let record = settings.record.clone();
        let started = if child {
            crate::start(feed, description, settings)
        } else {
            crate::start_with(feed, description, settings, Ports::OnePerTransport, mount)
        };
        let mut running = started.context("the server could not start")?;
        if in_anothers_place {
            running.caught_up().await;
        }
        if let Some(file) = &record {
            // As it is, for the caller to tell from what fails later.
            running.record(file)?;
        }
        let url = format!("http://{}", running.address);
        if child {
            let null = if with_null { Some(running.start_null()) } else { None };
            let mut null = null.transpose().context("the null server could not start")?;
            let said = match &null {
                Some(bare) => serde_json::json!({ "listening": url, "null": bare.address }),
                None => serde_json::json!({ "listening": url }),
            };
            println!("{said}");
            std::io::stdout().flush().context("stdout is closed")?;
            tokio::select! {
                obeyed = obey(&mut running) => obeyed?,
                error = null::broken(null.as_mut()) => return Err(error).context("the null server ended"),
            }
        } else {
            running
                .start_feed(running.hub.clock.now_us())
                .context("the feed could not start")?;
            // Watched before the address is said: whoever reads it may already stop us in good order.
            let stopped = stop_signal()?;
            tracing::info!("listening on {url}");
            stopped.await;
            tracing::info!("stopping: streams are told and drained");
        }
        // A bench client has no balancer in front of it.
        let notice = if child { Duration::ZERO } else { NOTICE };
        running.stop_after(notice).await;
        Ok(())
    })
}

/// Follows the client's words until they end.
async fn obey(running: &mut Running) -> anyhow::Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match line.split_once(' ').map(|(word, at)| (word, at.trim().parse())) {
            Some(("start", Ok(at_us))) => running.start_feed(at_us).context("the feed could not start")?,
            _ => tracing::warn!(%line, "not understood: expected `start <µs>`"),
        }
    }
    Ok(())
}

/// Watches from now on; the future ends with the first signal.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be watched")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be watched")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
