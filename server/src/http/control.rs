//! The control endpoints around the feed: what the server serves, its clock, its counters, what it published, how it is.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{App, problem};
use crate::{
    FeedDescription,
    clock::boot_id,
    hub::LogStats,
    null::floor,
    stats::{TransportSnapshot, alive_tasks, cpu_seconds, resident_bytes},
    wire::{ClockAnswer, RuntimeLagAnswer, TransportDescription},
};

pub(super) async fn list_transports(State(app): State<Arc<App>>) -> Json<Vec<TransportDescription>> {
    Json(
        app.transports
            .iter()
            .map(|(transport, _)| transport.description.clone())
            .collect(),
    )
}

pub(super) async fn clock(State(app): State<Arc<App>>) -> Response {
    let answer = ClockAnswer {
        now_us: app.hub.clock.now_us(),
        offset_us: app.hub.clock.offset_us(),
        boot_id: boot_id(),
        epoch: app.hub.epoch,
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

/// A stretch of time, and how much is told of it.
#[derive(Deserialize)]
pub(super) struct RangeQuery {
    from_us: Option<u64>,
    to_us: Option<u64>,
    #[serde(default)]
    detail: bool,
}

type RangeResult = Result<Query<RangeQuery>, axum::extract::rejection::QueryRejection>;

/// Answers with what there is of a range: from the beginning until now where it does not say.
fn of_range<T: Serialize>(app: &App, query: RangeResult, answer: impl FnOnce(u64, u64, bool) -> T) -> Response {
    match query {
        Ok(Query(query)) => {
            let to_us = query.to_us.unwrap_or_else(|| app.hub.clock.now_us());
            Json(answer(query.from_us.unwrap_or(0), to_us, query.detail)).into_response()
        }
        Err(rejection) => problem(
            StatusCode::BAD_REQUEST,
            format!(
                "{}; expected from_us=N&to_us=N in µs since 1970, and detail=true or false",
                rejection.body_text()
            ),
        ),
    }
}

pub(super) async fn published(State(app): State<Arc<App>>, query: RangeResult) -> Response {
    of_range(&app, query, |from_us, to_us, detail| {
        app.hub.published(from_us, to_us, detail)
    })
}

pub(super) async fn runtime_lag(State(app): State<Arc<App>>, query: RangeResult) -> Response {
    of_range(&app, query, |from_us, to_us, _| RuntimeLagAnswer {
        lags_us: app.lags.between(from_us, to_us),
    })
}

/// `GET /api/stats`.
#[derive(Serialize)]
struct StatsAnswer<'a> {
    epoch: u64,
    now_us: u64,
    feed: FeedDescription,
    topics: Vec<TopicAnswer<'a>>,
    updates: u64,
    log: LogStats,
    connections: i64,
    connections_total: u64,
    connections_refused: u64,
    header_timeouts: u64,
    write_stalls: u64,
    vanished_peers: u64,
    bytes_received: u64,
    bytes_sent: u64,
    transports: Vec<TransportSnapshot>,
    cpu_s: f64,
    rss_bytes: Option<u64>,
    tasks: u64,
}

#[derive(Serialize)]
struct TopicAnswer<'a> {
    topic: &'a str,
    home: &'a str,
    away: &'a str,
}

pub(super) async fn stats(State(app): State<Arc<App>>) -> Response {
    let stats = &app.stats;
    let topics = app.hub.topics().iter();
    Json(StatsAnswer {
        epoch: app.hub.epoch,
        now_us: app.hub.clock.now_us(),
        feed: app.feed.description(),
        topics: topics
            .map(|topic| TopicAnswer {
                topic: &topic.name,
                home: &topic.home,
                away: &topic.away,
            })
            .collect(),
        updates: stats.updates.get(),
        log: app.hub.log_stats(),
        connections: stats.connections.get(),
        connections_total: stats.connections_total.get(),
        connections_refused: stats.connections_refused.get(),
        header_timeouts: stats.header_timeouts.get(),
        write_stalls: stats.write_stalls.get(),
        vanished_peers: stats.vanished_peers.get(),
        bytes_received: stats.bytes_received.get(),
        bytes_sent: stats.bytes_sent.get(),
        transports: app
            .transports
            .iter()
            .map(|(transport, stats)| stats.snapshot(transport.id()))
            // Beside a null server alone; it is no transport.
            .chain(stats.known(floor::ID))
            .collect(),
        cpu_s: cpu_seconds(),
        rss_bytes: resident_bytes(),
        tasks: alive_tasks(),
    })
    .into_response()
}

/// Says that the server is stopping before its streams end, so that a balancer sends nobody new.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.stop.announced.is_cancelled() || app.stop.begun.is_cancelled() {
        problem(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping")
    } else {
        "ready\n".into_response()
    }
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match app.stats.metrics(app.hub.log_stats()) {
        Ok(text) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the metrics could not be written: {error}"),
        ),
    }
}
