//! The page's files and policy, a port for each transport, and the guard around what only the page may ask: as bytes on a socket.

mod files;
mod guard;
mod lanes;

use axum::{
    Router,
    routing::{get, put},
};
use server::{Ports, settings::ServerSettings};

use crate::support::{
    TestServer,
    raw::{Answer, Raw},
    settings,
};

/// Stands for what is mounted beside the feed: results, and changes.
const GUARDED: &str = "/api/guarded";

/// A server with a page, as `serve` starts it.
fn with_page(change: impl FnOnce(&mut ServerSettings)) -> TestServer {
    let mut settings = settings();
    change(&mut settings);
    let mut server = TestServer::with(1, settings, Ports::OnePerTransport, |app| {
        app.page.offer("guarded");
        Ok(Router::new().route(GUARDED, get(|| async { "read\n" }).merge(put(|| async { "changed\n" }))))
    });
    server.publish(0);
    server
}

/// One request with a Host of its own.
async fn ask(server: &TestServer, method: &str, target: &str, host: &str, headers: &[(&str, &str)]) -> Answer {
    let mut raw = Raw::connect(server.address).await;
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    if !host.is_empty() {
        head += &format!("host: {host}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    raw.send(head + "\r\n").await;
    raw.answer().await
}

fn host(server: &TestServer) -> String {
    server.address.to_string()
}

/// What `/api/page` tells the page.
async fn told(server: &TestServer) -> serde_json::Value {
    let answer = ask(
        server,
        "GET",
        "/api/page",
        &host(server),
        &[("sec-fetch-site", "same-origin")],
    )
    .await;
    assert_eq!(answer.status(), 200, "{}", answer.head);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}
