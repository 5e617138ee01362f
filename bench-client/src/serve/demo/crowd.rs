//! Crowds: clients of the bench beside the page, so that one sees what a technique does with a thousand more of them.
//!
//! ```text
//! GET /api/demo/crowd ----------- newest figures of every crowd, and of the server
//! PUT /api/demo/crowd/<id> -> Order -> keeper.rs: a process for each transport's crowd -> clients.rs: its clients -> this server's lane
//! ```
//!
//! A crowd has a process of its own, so that neither its CPU time nor its memory is the server's, and no crowd disturbs another. Its size
//! changes within the process: who was connected stays so, and nothing it has counted is lost. Whoever looks reads the newest figures, and
//! who looks slowly, or no more, holds up nobody.

mod bounds;
pub(crate) mod clients;
mod figures;
mod keeper;
mod server;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use ::server::http::{App, problem};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::Instant};

use crate::{serve, transports};
use bounds::{Bounds, lacks_memory};
use figures::Figures;
use keeper::Order;
use server::ServerFigures;

/// How long a crowd goes on when nobody asks for it again: a page that was left open loads the machine no longer.
const MOST_TIME: Duration = Duration::from_secs(600);
/// What `{"clients":N}` may take.
const BODY_MAX_BYTES: usize = 1_024;

/// All crowds of a server: one per transport at most.
struct Crowds {
    app: Arc<App>,
    bounds: Bounds,
    each: Mutex<BTreeMap<&'static str, Crowd>>,
    server: watch::Receiver<ServerFigures>,
}

/// Ends when this is dropped: nobody gives orders then.
struct Crowd {
    orders: watch::Sender<Order>,
    told: watch::Receiver<Figures>,
}

#[derive(Serialize)]
struct CrowdsAnswer {
    /// Of each transport.
    most_clients: u32,
    /// Seconds after which a crowd ends by itself.
    most_s: u64,
    crowds: Vec<CrowdAnswer>,
    server: ServerFigures,
}

#[derive(Serialize)]
struct CrowdAnswer {
    transport: &'static str,
    ends_in_s: u64,
    #[serde(flatten)]
    figures: Figures,
}

/// The body of a PUT.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    clients: u64,
}

pub fn routes(app: &Arc<App>) -> Router {
    let crowds = Arc::new(Crowds {
        app: app.clone(),
        bounds: Bounds::of(&app.settings),
        each: Mutex::default(),
        server: server::watch(app),
    });
    Router::new()
        .route("/api/demo/crowd", get(show))
        .route("/api/demo/crowd/{transport}", put(set))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(crowds)
}

async fn show(State(crowds): State<Arc<Crowds>>) -> Response {
    crowds.answer()
}

async fn set(
    State(crowds): State<Arc<Crowds>>,
    Path(transport): Path<String>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Response {
    let Some(row) = transports::by_id(&transport) else {
        let known: Vec<_> = transports::ALL.iter().map(|row| row.id).collect();
        let words = format!("no transport {transport:?}: there are {}", known.join(", "));
        return problem(StatusCode::NOT_FOUND, words);
    };
    let clients = match asked {
        Ok(Json(Asked { clients })) => clients,
        Err(rejection) => {
            let words = format!("{}; expected {{\"clients\":N}}", rejection.body_text());
            return problem(StatusCode::BAD_REQUEST, words);
        }
    };
    match crowds.set(row.id, clients) {
        Ok(()) => crowds.answer(),
        Err((status, words)) => problem(status, words),
    }
}

impl Crowds {
    /// Gives a crowd this size; 0 ends it.
    fn set(&self, id: &'static str, clients: u64) -> Result<(), (StatusCode, String)> {
        let Bounds {
            most_clients,
            most_of_all,
        } = self.bounds;
        let fits = u32::try_from(clients).ok().filter(|clients| *clients <= most_clients);
        let clients = fits.ok_or_else(|| {
            let words = format!("{clients} clients are too many: {most_clients} of a transport are the most here");
            (StatusCode::BAD_REQUEST, words)
        })?;
        let mut each = self.each.lock();
        if clients == 0 {
            each.remove(id);
            return Ok(());
        }
        if self.app.stop.begun.is_cancelled() {
            return Err((StatusCode::SERVICE_UNAVAILABLE, "the server is stopping".into()));
        }
        let others = each.iter().filter(|(other, _)| **other != id);
        let others: u32 = others.map(|(_, crowd)| crowd.clients()).sum();
        if others + clients > most_of_all {
            let words = format!(
                "{clients} clients do not fit beside the {others} of other transports: this server has room for {most_of_all}"
            );
            return Err((StatusCode::CONFLICT, words));
        }
        let now = each.get(id).map_or(0, Crowd::clients);
        if let Some(words) = lacks_memory(clients.saturating_sub(now)) {
            return Err((StatusCode::SERVICE_UNAVAILABLE, words));
        }
        let order = Order {
            clients,
            until: Instant::now() + MOST_TIME,
            lasts: MOST_TIME,
        };
        // One whose process has ended takes no orders, and a new one takes its place.
        let taken = each.get(id).is_some_and(|crowd| crowd.orders.send(order).is_ok());
        if !taken {
            each.insert(id, self.start(id, order));
        }
        Ok(())
    }

    fn start(&self, id: &'static str, order: Order) -> Crowd {
        let (orders, asked) = watch::channel(order);
        let (telling, told) = watch::channel(Figures::default());
        let page = &self.app.page;
        let host = serve::reachable(self.app.settings.listen.ip());
        // The first one is that of the server's address.
        let main = page.ports().first().copied().unwrap_or_default();
        let lane = page.lanes().get(id).copied().unwrap_or(main);
        let url = format!("http://{}", SocketAddr::new(host, main));
        let command = keeper::command(&url, SocketAddr::new(host, lane), id);
        let stop = &self.app.stop;
        // The server waits for it when it stops.
        stop.tasks
            .spawn(keeper::keep(command, asked, telling, stop.begun.clone()));
        Crowd { orders, told }
    }

    fn answer(&self) -> Response {
        let each = self.each.lock();
        let answer = CrowdsAnswer {
            most_clients: self.bounds.most_clients,
            most_s: MOST_TIME.as_secs(),
            crowds: each.iter().map(|(transport, crowd)| crowd.answer(transport)).collect(),
            server: self.server.borrow().clone(),
        };
        drop(each);
        ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
    }
}

impl Crowd {
    fn is_over(&self) -> bool {
        self.orders.is_closed()
    }

    /// Connections it has, or is to have.
    fn clients(&self) -> u32 {
        if self.is_over() {
            0
        } else {
            self.orders.borrow().clients
        }
    }

    fn answer(&self, transport: &'static str) -> CrowdAnswer {
        let order = *self.orders.borrow();
        let left = order.until.saturating_duration_since(Instant::now());
        CrowdAnswer {
            transport,
            ends_in_s: if self.is_over() {
                0
            } else {
                left.as_secs_f64().ceil() as u64
            },
            figures: Figures {
                // What was asked for last; the process has it a moment later.
                clients: order.clients,
                ..self.told.borrow().clone()
            },
        }
    }
}
