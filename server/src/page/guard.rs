//! Who may ask for what is the page's alone: results, recordings of the wire, and every change.
//!
//! ```text
//! Host unknown            -> 403: a foreign name that was made to point here (DNS rebinding) is no name of ours
//! Sec-Fetch-Site: cross-… -> 403: another site's page asks, even where it could not read the answer
//! another page's Origin   -> 403, whoever else may read the feed
//! POST, PUT, DELETE       -> the page's own Origin must be there, and the token of this start
//! ```

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::TOKEN_HEADER;
use crate::{
    http::{App, problem},
    origin::{AllowedOrigin, brief, without_port},
};

/// Lets through what the page of this start may ask; the rest is told what was missing.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match refusal(&app, &request) {
        Some(why) => problem(StatusCode::FORBIDDEN, why),
        None => next.run(request).await,
    }
}

fn refusal(app: &App, request: &Request) -> Option<String> {
    let headers = request.headers();
    let authority = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => text(headers, "host"),
    };
    if !is_known(without_port(authority), &app.settings.allow_origins) {
        return Some(format!(
            "the host {:?} is not known here: use an IP address or localhost, or --allow-origin http://{}",
            brief(authority),
            brief(authority),
        ));
    }
    if headers.contains_key("sec-fetch-site") && !["same-origin", "none"].contains(&text(headers, "sec-fetch-site")) {
        return Some("this answers to the page of this server alone".into());
    }
    let own = ["http", "https"].map(|scheme| format!("{scheme}://{authority}"));
    let origin = text(headers, header::ORIGIN.as_str());
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    // Browsers say Sec-Fetch-Site to this machine and over TLS alone, and an Origin to every other site.
    let nameless = reads && !headers.contains_key(header::ORIGIN);
    if !nameless && !own.iter().any(|own| own.eq_ignore_ascii_case(origin)) {
        return Some(format!(
            "this must come from the page of this server: origin {:?} is not {:?}",
            brief(origin),
            own[0]
        ));
    }
    if reads {
        return None;
    }
    if !app.page.is_token(text(headers, TOKEN_HEADER)) {
        return Some(format!(
            "a change needs the token of this start in {TOKEN_HEADER}: reload the page, /api/page tells it"
        ));
    }
    None
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// An address can't be made to point elsewhere, and what is listed was meant.
fn is_known(host: &str, allowed: &[AllowedOrigin]) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let listed =
        |one: &AllowedOrigin| matches!(one, AllowedOrigin::One(origin) if origin.host().eq_ignore_ascii_case(host));
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok() || allowed.iter().any(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_address_or_by_list() {
        let listed: Vec<AllowedOrigin> = vec!["https://lab.example:8443".parse().unwrap(), "*".parse().unwrap()];
        for host in [
            "127.0.0.1",
            "localhost",
            "LOCALHOST",
            "[::1]",
            "192.168.1.7",
            "lab.example",
        ] {
            assert!(is_known(host, &listed), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "lab.example.evil.example",
        ] {
            assert!(!is_known(host, &listed), "{host}");
        }
    }
}
