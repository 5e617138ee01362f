//! The runs under results/, for the page: which there are, each as report.html shows it, and several laid over each other.
//!
//! ```text
//! results/<run>/run.json -> folder.rs (list, cached by file) -+-> GET /api/results
//!                                                             +-> one.rs      GET /api/results/<run>, …/charts/<chart>.svg
//!                                                             +-> overlay.rs  GET /api/results/overlay?run=A&run=B
//!                                                             `-> files.rs    GET /api/results/<run>/files/<name>
//! plotly.js out of its crate ---------------------------------------------> GET /vendor/plotly.js
//! ```
//!
//! Only run.json is ever read: every other file is made from it when it is asked for, so that no page of a foreign folder is served under
//! this origin, and nothing shown is older than its record. A name in an address is looked up among the listed runs and never joined to a
//! path. Files are opened, read and closed: a bench that writes them never waits for a tab that looks.

mod answer;
mod files;
mod folder;
mod one;
mod overlay;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{Path as InAddress, Query, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use tokio::sync::Semaphore;

use crate::report::html::library::Library;
use answer::{Kept, Refusal, Said};
use folder::{Folder, Listed};

/// Reading and drawing at a time: a core is left to the feed where there are two.
const AT_ONCE: usize = 2;
/// How long a question waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the routes share.
struct Results {
    folder: Folder,
    runs: Kept<one::Run>,
    overlays: Kept<Vec<u8>>,
    turns: Arc<Semaphore>,
}

pub fn routes(folder: PathBuf) -> Router {
    let results = Arc::new(Results {
        folder: Folder::new(folder),
        runs: Kept::default(),
        overlays: Kept::default(),
        turns: Arc::new(Semaphore::new(AT_ONCE)),
    });
    Router::new()
        .route("/api/results", get(list))
        .route("/api/results/overlay", get(overlaid))
        .route("/api/results/{id}", get(run))
        .route("/api/results/{id}/charts/{chart}", get(chart))
        .route("/api/results/{id}/files/{*name}", get(file))
        .route("/vendor/plotly.js", get(library))
        .with_state(results)
}

type Shared = State<Arc<Results>>;
/// `?download` asks for a file to keep rather than to look at.
type Asked = Query<Vec<(String, String)>>;

async fn list(State(results): Shared, headers: HeaderMap) -> Response {
    in_turn(results, headers, |results| results.folder.list().map(Said::json)).await
}

async fn run(State(results): Shared, InAddress(id): InAddress<String>, headers: HeaderMap) -> Response {
    in_turn(results, headers, move |results| {
        let listed = results.folder.find(&id)?;
        Ok(Said::json(results.one(&listed)?.json(&listed)?).versioned(&listed.version_now()))
    })
    .await
}

async fn chart(
    State(results): Shared,
    InAddress((id, name)): InAddress<(String, String)>,
    Query(asked): Asked,
    headers: HeaderMap,
) -> Response {
    in_turn(results, headers, move |results| {
        let listed = results.folder.find(&id)?;
        let run = results.one(&listed)?;
        let drawn = name.strip_suffix(".svg").and_then(|name| run.chart(name));
        let drawn = drawn.ok_or_else(|| Refusal::NotFound(format!("this run has no chart {name:?}")))?;
        let said = files::said(&id, &name, drawn.clone().into_bytes(), wanted(&asked));
        Ok(said.versioned(&listed.version()))
    })
    .await
}

async fn file(
    State(results): Shared,
    InAddress((id, name)): InAddress<(String, String)>,
    Query(asked): Asked,
    headers: HeaderMap,
) -> Response {
    in_turn(results, headers, move |results| {
        let listed = results.folder.find(&id)?;
        let bytes = files::make(&listed, &name)?;
        Ok(files::said(&id, &name, bytes, wanted(&asked)))
    })
    .await
}

async fn overlaid(State(results): Shared, Query(asked): Asked, headers: HeaderMap) -> Response {
    in_turn(results, headers, move |results| {
        let ids = asked.into_iter().filter(|(name, _)| name == "run").map(|(_, id)| id);
        let ids = overlay::checked(ids.collect())?;
        let listed: Vec<_> = ids.iter().map(|id| results.folder.find(id)).collect::<Result<_, _>>()?;
        let versions: Vec<String> = listed
            .iter()
            .map(|one| format!("{}@{}", one.id, one.version_now()))
            .collect();
        let json = results.overlays.get(&versions.join(" "), || overlay::json(&listed))?;
        Ok(Said::json(json.to_vec()))
    })
    .await
}

async fn library(headers: HeaderMap) -> Response {
    let library = Library::get();
    Said::text("text/javascript; charset=utf-8", library.script.clone().into_bytes())
        .versioned(library.version())
        .lasting()
        .answer(&headers)
}

fn wanted(asked: &[(String, String)]) -> bool {
    asked.iter().any(|(name, _)| name == "download")
}

impl Results {
    fn one(&self, listed: &Listed) -> Result<Arc<one::Run>, Refusal> {
        let key = format!("{}@{}", listed.id, listed.version());
        self.runs.get(&key, || one::Run::of(listed))
    }
}

/// Does it on a thread for work that waits, when it is its turn.
async fn in_turn(
    results: Arc<Results>,
    headers: HeaderMap,
    work: impl FnOnce(&Results) -> Result<Said, Refusal> + Send + 'static,
) -> Response {
    let turn = tokio::time::timeout(PATIENCE, results.turns.clone().acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Refusal::Busy.answer();
    };
    let done = tokio::task::spawn_blocking(move || {
        let said = work(&results);
        // Kept until here even where nobody waits for the answer any more.
        drop(turn);
        said
    });
    match done.await {
        Ok(Ok(said)) => said.answer(&headers),
        Ok(Err(refusal)) => refusal.answer(),
        Err(_) => Refusal::Failed("this answer could not be made: its maker panicked".to_owned()).answer(),
    }
}

/// The folder as the page calls it: absolute paths stay here.
fn shown(folder: &Path) -> String {
    let name = if folder.is_absolute() {
        folder.file_name().map_or(folder.as_os_str(), |name| name)
    } else {
        folder.as_os_str()
    };
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
