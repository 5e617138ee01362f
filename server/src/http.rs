//! The routes: the feed over every transport, and the control endpoints around it.
//!
//! ```text
//! request -> limits, origin -> /feed/<id>: query -> the transport's row -> Response
//!                           -> /api/… /readyz /metrics: control.rs
//! ```
//!
//! The query is read here once for all transports; what a transport does with it is its own file.

mod control;

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use tower_http::compression::CompressionLayer;

use crate::{
    Stop,
    fanout::Fanout,
    feeding::Feeding,
    front::Line,
    hub::{Filter, Hub, Reader},
    origin::{self, Asker},
    page::{self, Page},
    probe::Lags,
    settings::ServerSettings,
    stats::{Stats, TransportStats},
    transports::{self, Transport},
    wire::{Cursor, ErrorAnswer, Mode},
};

/// Longest head of a request, the request line included.
pub(crate) const HEAD_MAX_BYTES: usize = 16 * 1024;
/// Longest request target; longer is answered 414.
pub(crate) const URI_MAX_BYTES: usize = 4 * 1024;
/// Longest and default time a long poll may ask to be held.
pub(crate) const WAIT_MAX_MS: u64 = 60_000;
pub(crate) const WAIT_DEFAULT_MS: u64 = 25_000;
/// What browsers may ask across origins, and how long they may remember that.
const CORS_REQUEST_HEADERS: &str = "last-event-id, if-none-match, cache-control, content-type";
const CORS_MAX_AGE_S: &str = "600";

/// What every handler works with.
pub struct App {
    pub hub: Arc<Hub>,
    pub stats: Arc<Stats>,
    pub settings: Arc<ServerSettings>,
    pub feed: Arc<Feeding>,
    pub lags: Lags,
    pub stop: Stop,
    pub page: Page,
    pub fanout: Arc<Fanout>,
    /// The table of transports with the counters of each, row by row.
    pub transports: Vec<(&'static Transport, Arc<TransportStats>)>,
}

impl App {
    pub fn new(
        hub: Arc<Hub>,
        stats: Arc<Stats>,
        settings: Arc<ServerSettings>,
        feed: Arc<Feeding>,
        lags: Lags,
        stop: Stop,
        page: Page,
    ) -> Arc<Self> {
        let fanout = Fanout::new(hub.topics().len(), settings.threads());
        let transports = transports::ALL
            .iter()
            .map(|row| (*row, stats.transport(row.id())))
            .collect();
        Arc::new(Self {
            hub,
            stats,
            settings,
            feed,
            lags,
            stop,
            page,
            fanout,
            transports,
        })
    }
}

/// A request for the feed, as a transport gets it.
pub struct FeedRequest {
    pub app: Arc<App>,
    pub stats: Arc<TransportStats>,
    pub query: FeedQuery,
    /// The request itself, for what only one transport needs of it (an upgrade).
    pub request: Request,
}

/// `?topic=T|all&since=CURSOR&mode=every|latest&wait_ms=N`, checked.
#[derive(Debug, Clone, Copy)]
pub struct FeedQuery {
    pub filter: Filter,
    pub since: Option<Cursor>,
    pub mode: Mode,
    pub wait: Duration,
}

impl FeedQuery {
    /// Where this query starts to read.
    pub fn reader(&self, hub: &Arc<Hub>) -> Reader {
        Reader::open(hub.clone(), self.filter, self.mode, self.since)
    }
}

/// All routes of the server, and those that are mounted beside them.
pub fn router(app: Arc<App>, mounted: Router) -> Router {
    let guarded = mounted
        .layer(middleware::from_fn_with_state(app.clone(), page::guard))
        .layer(CompressionLayer::new());
    Router::new()
        .route("/feed/{id}", get(feed))
        .route("/api/transports", get(control::list_transports))
        .route("/api/stats", get(control::stats))
        .route("/api/clock", get(control::clock))
        .route("/api/published", get(control::published))
        .route("/api/runtime-lag", get(control::runtime_lag))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(control::ready))
        .route("/metrics", get(control::metrics))
        .merge(page::routes(&app))
        .merge(guarded.with_state(()))
        .fallback(|| async {
            problem(
                StatusCode::NOT_FOUND,
                "no such page: /feed/<transport>, /api/transports and / exist",
            )
        })
        .method_not_allowed_fallback(|| async {
            problem(StatusCode::METHOD_NOT_ALLOWED, "only GET is understood here")
        })
        .layer(middleware::from_fn_with_state(app.clone(), limits_and_cors))
        .with_state(app)
}

/// An error as every endpoint answers it: JSON, never cached.
pub fn problem(status: StatusCode, error: impl Into<String>) -> Response {
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (status, no_store, Json(ErrorAnswer { error: error.into() })).into_response()
}

async fn limits_and_cors(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let http1 = request.version() < Version::HTTP_2;
    let mut response = limited(&app, request, next).await;
    if http1 && app.stop.begun.is_cancelled() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn limited(app: &App, request: Request, next: Next) -> Response {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let allowed = &app.settings.allow_origins;
    let from = origin::of(&request, allowed, || app.page.ports());
    let mut response = match (&from, is_preflight(&request)) {
        _ if target > URI_MAX_BYTES => problem(
            StatusCode::URI_TOO_LONG,
            format!("the address has {target} bytes; {URI_MAX_BYTES} are the most"),
        ),
        (Asker::Foreign(origin), true) => problem(StatusCode::FORBIDDEN, origin::refusal(origin)),
        (Asker::Listed(_) | Asker::Any, true) => preflight(),
        _ => next.run(request).await,
    };
    origin::tell(&from, allowed, response.headers_mut());
    response
}

/// A browser's question whether a page of another origin may ask.
fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let said = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, CORS_REQUEST_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, CORS_MAX_AGE_S),
    ];
    (StatusCode::NO_CONTENT, said).into_response()
}

async fn feed(State(app): State<Arc<App>>, id: Result<Path<String>, PathRejection>, request: Request) -> Response {
    let id = match id {
        Ok(Path(id)) => id,
        // `%ff` is no text.
        Err(rejection) => return problem(StatusCode::BAD_REQUEST, rejection.body_text()),
    };
    let Some((transport, stats)) = app.transports.iter().find(|(transport, _)| transport.id() == id) else {
        let known: Vec<_> = app.transports.iter().map(|(transport, _)| transport.id()).collect();
        return problem(
            StatusCode::NOT_FOUND,
            format!("no transport {id:?}: there are {}", known.join(", ")),
        );
    };
    match feed_request(&app, stats, request) {
        Err(refusal) => refusal,
        Ok(request) => (transport.serve)(request).await,
    }
}

/// Answers a [plain](crate::front) request for the transport of this row, on the connection's own socket. Returns the line for the next
/// one, if there may be one.
///
/// # Errors
/// When the connection broke.
pub(crate) fn direct(line: Line, row: usize, request: Request) -> BoxFuture<'static, std::io::Result<Option<Line>>> {
    let app = line.app.clone();
    let (transport, stats) = &app.transports[row];
    match feed_request(&app, stats, request) {
        Err(refusal) => line.answer(refusal).boxed(),
        Ok(request) => (transport.direct)(request, line),
    }
}

/// A request for a transport, counted, as the transport gets it; its refusal where it asks for what there is not.
#[expect(
    clippy::result_large_err,
    reason = "made for a refused request alone, and sent as it is"
)]
fn feed_request(app: &Arc<App>, stats: &Arc<TransportStats>, request: Request) -> Result<FeedRequest, Response> {
    stats.requests.inc();
    Ok(FeedRequest {
        query: feed_query(&app.hub, &request)?,
        app: app.clone(),
        stats: stats.clone(),
        request,
    })
}

/// The query as it stands in the address; what it means is checked by [`feed_query`].
#[derive(Deserialize)]
struct RawQuery<'a> {
    topic: Option<Cow<'a, str>>,
    since: Option<Cow<'a, str>>,
    mode: Option<Cow<'a, str>>,
    wait_ms: Option<Cow<'a, str>>,
}

#[expect(
    clippy::result_large_err,
    reason = "made for a refused request alone, and sent as it is"
)]
fn feed_query(hub: &Hub, request: &Request) -> Result<FeedQuery, Response> {
    let bad = |error: String| problem(StatusCode::BAD_REQUEST, error);
    let Query(raw) =
        Query::<RawQuery<'static>>::try_from_uri(request.uri()).map_err(|rejection| bad(rejection.body_text()))?;
    let filter = match raw.topic.as_deref() {
        None | Some("all") => Filter::All,
        Some(name) => Filter::Topic(hub.topic_named(name).ok_or_else(|| {
            problem(
                StatusCode::NOT_FOUND,
                format!("no topic {name:?}: /api/stats lists the topics, `all` is all of them"),
            )
        })?),
    };
    let since = match last_event_id(request.headers()).or(raw.since.as_deref()) {
        None => None,
        Some(text) => Some(text.parse().map_err(|error| bad(format!("{error}")))?),
    };
    let mode = match raw.mode.as_deref() {
        None | Some("every") => Mode::Every,
        Some("latest") => Mode::Latest,
        Some(other) => return Err(bad(format!("no mode {other:?}: there are every and latest"))),
    };
    let wait_ms = match raw.wait_ms.as_deref() {
        None => WAIT_DEFAULT_MS,
        Some(text) => text.parse().ok().filter(|&wait| wait <= WAIT_MAX_MS).ok_or_else(|| {
            bad(format!(
                "wait_ms={text:?}: expected whole milliseconds from 0 to {WAIT_MAX_MS}"
            ))
        })?,
    };
    Ok(FeedQuery {
        filter,
        since,
        mode,
        wait: Duration::from_millis(wait_ms),
    })
}

/// What a reconnecting EventSource says it has seen last; it beats `since`, which stands in the address of the first connect.
fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get("last-event-id")?;
    // Bytes that are no text are malformed too, and must not pass for "no cursor".
    Some(id.to_str().unwrap_or("(not text)")).filter(|id| !id.is_empty())
}
