//! The bytes of an exchange with this server now: one session of our own client, through a relay that writes down what passes.
//!
//! ```text
//! GET /api/wire/<id> -> a turn (one recording a transport) -> a thread: session of the table's row
//!                                                                         `-> wire/relay.rs (keeps each chunk, its time and side) -> the transport's port
//! <- {"connections":[{"chunks":[{"at_us":…,"from":"client","base64":"R0VU…"}]}],…}
//! ```
//!
//! Nothing here is made up for the page: client, header set, server and kernel are those of a run. It ends after three live updates, after
//! three seconds, or when the recording is full, whichever comes first; a silent feed has its handshake and its empty answers.

mod relay;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use server::{
    http::{App, problem},
    wire::Mode,
};
use tokio::{sync::Semaphore, task::LocalSet, time::timeout};

use crate::{
    headers::HeaderSet,
    net::Net,
    transports::{self, Arrivals, ClientTransport, Endpoint, PollGrid, SessionError},
};
use relay::{Connection, Relay, Tcp};

/// Enough to see that one update looks like the next.
const LIVE_UPDATES: u64 = 3;
const LONGEST: Duration = Duration::from_secs(3);
/// How often a short poll asks, and how long a long poll asks to be held: within [`LONGEST`] an empty answer comes, too.
const POLL_INTERVAL: Duration = Duration::from_millis(300);
const WAIT: Duration = Duration::from_secs(1);
/// Recordings of one transport that may wait for the one under way, and how long.
const WAITING_MAX: usize = 4;
const TURN_TIMEOUT: Duration = Duration::from_secs(15);

pub fn routes(app: &Arc<App>) -> Router {
    let turns = transports::ALL.iter().map(|row| (row.id, Turn::default())).collect();
    let recorder = Recorder {
        app: app.clone(),
        turns,
    };
    Router::new()
        .route("/api/wire/{transport}", get(record))
        .with_state(Arc::new(recorder))
}

struct Recorder {
    app: Arc<App>,
    turns: HashMap<&'static str, Turn>,
}

/// Who records a transport, and who waits for that.
struct Turn {
    places: Arc<Semaphore>,
    under_way: Arc<Semaphore>,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(1 + WAITING_MAX)),
            under_way: Arc::new(Semaphore::new(1)),
        }
    }
}

/// `?keep_alive=false`: polls that open a connection each.
#[derive(Deserialize)]
struct WireQuery {
    keep_alive: Option<bool>,
}

/// `GET /api/wire/<transport>`; times in µs since the recording began.
#[derive(Serialize)]
struct WireAnswer {
    transport: &'static str,
    request_headers: &'static str,
    keep_alive: bool,
    /// Live updates the client was handed: all but the first, the state it began with.
    updates: u64,
    took_us: u64,
    /// The recording was full before that.
    truncated: bool,
    /// How the session ended by itself; absent where it was the recording that ended.
    error: Option<String>,
    connections: Vec<Connection>,
    /// Of all connections, by the kernel of the client's side; absent where it does not tell.
    tcp: Option<Tcp>,
}

async fn record(
    State(recorder): State<Arc<Recorder>>,
    Path(id): Path<String>,
    query: Result<Query<WireQuery>, QueryRejection>,
) -> Response {
    let Some((row, turn)) = transports::by_id(&id).and_then(|row| Some((row, recorder.turns.get(row.id)?))) else {
        let known: Vec<_> = transports::ALL.iter().map(|row| row.id).collect();
        let words = format!("no transport {id:?} to record: there are {}", known.join(", "));
        return problem(StatusCode::NOT_FOUND, words);
    };
    let keep_alive = match query {
        Ok(Query(query)) => query.keep_alive.unwrap_or(true),
        Err(rejection) => {
            let words = format!("{}; expected keep_alive=true or false", rejection.body_text());
            return problem(StatusCode::BAD_REQUEST, words);
        }
    };
    let busy = || {
        let words = format!("{id} is being recorded for others: ask again in a few seconds");
        problem(StatusCode::SERVICE_UNAVAILABLE, words)
    };
    let Ok(place) = turn.places.clone().try_acquire_owned() else {
        return busy();
    };
    // The semaphores are never closed; who waits too long is told the same.
    let Ok(Ok(turn)) = timeout(TURN_TIMEOUT, turn.under_way.clone().acquire_owned()).await else {
        return busy();
    };
    let app = recorder.app.clone();
    // A session stays on its thread, so it gets one; the recording is bounded in time, and ends with the server.
    let recorded = tokio::task::spawn_blocking(move || {
        // Kept until it has ended, even where nobody waits for the answer any more.
        let _kept = (place, turn);
        on_this_thread(&app, row, keep_alive)
    })
    .await;
    match recorded {
        Ok(Ok(answer)) => ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Ok(Err(error)) => unrecorded(&id, &error),
        Err(error) => unrecorded(&id, &error),
    }
}

fn unrecorded(id: &str, error: &dyn std::fmt::Display) -> Response {
    let words = format!("{id} could not be recorded: {error}");
    problem(StatusCode::INTERNAL_SERVER_ERROR, words)
}

fn on_this_thread(app: &Arc<App>, row: &'static ClientTransport, keep_alive: bool) -> std::io::Result<WireAnswer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, recorded(app, row, keep_alive))
}

async fn recorded(app: &Arc<App>, row: &'static ClientTransport, keep_alive: bool) -> std::io::Result<WireAnswer> {
    let clock = app.hub.clock;
    let began_us = clock.now_us();
    let port = app.page.lanes().get(row.id).copied();
    let port = port.or_else(|| app.page.ports().first().copied()).unwrap_or_default();
    let server = SocketAddr::new(super::reachable(app.settings.listen.ip()), port);
    let mut relay = Relay::open(server, clock).await?;
    let endpoint = Arc::new(Endpoint {
        address: relay.address,
        authority: server.to_string(),
        topic: app.hub.topics().first().map(|one| one.name.clone()),
        topics: Arc::new(app.hub.topics().iter().map(|one| one.name.clone()).zip(0..).collect()),
        mode: Mode::Every,
        wait_ms: WAIT.as_millis() as u64,
        headers: HeaderSet::Browser,
        keep_alive,
        polls: PollGrid {
            first_us: began_us + POLL_INTERVAL.as_micros() as u64,
            interval_us: POLL_INTERVAL.as_micros() as u64,
        },
    });
    let net = Net::new(clock);
    let mut updates = 0;
    let ended = {
        let session = follow(row, &net, &endpoint, &mut updates);
        tokio::select! {
            ended = session => ended.err(),
            () = relay.full() => None,
            () = tokio::time::sleep(LONGEST) => None,
            () = app.stop.begun.cancelled() => None,
        }
    };
    // The session is gone, and its connections with it: the relay hears their ends.
    let recording = relay.finish().await;
    Ok(WireAnswer {
        transport: row.id,
        request_headers: "browser",
        keep_alive,
        updates,
        took_us: clock.now_us() - began_us,
        truncated: recording.truncated,
        error: ended.map(|error| error.to_string()),
        connections: recording.connections,
        tcp: recording.tcp,
    })
}

/// Reads until there were [`LIVE_UPDATES`] behind the first update, which is the topic's state.
async fn follow(
    row: &ClientTransport,
    net: &Net,
    endpoint: &Arc<Endpoint>,
    live: &mut u64,
) -> Result<(), SessionError> {
    let mut session = (row.open)(net, endpoint, None).await?;
    let mut arrivals = Arrivals::default();
    let mut updates = 0;
    while *live < LIVE_UPDATES {
        arrivals.clear();
        session.next(&mut arrivals).await?;
        updates += arrivals.updates.len() as u64;
        *live = updates.saturating_sub(1);
    }
    Ok(())
}
