//! The files of the page, and the policy they are served with (Content Security Policy Level 3).

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use include_dir::{Dir, include_dir};
use tower_http::compression::CompressionLayer;

use super::guard;
use crate::{
    http::{App, problem},
    origin::without_port,
};

static FILES: Dir = include_dir!("$CARGO_MANIFEST_DIR/../web");
/// A debug build reads them anew for every request: who works on the page need not build.
const ON_DISK: Option<&str> = if cfg!(debug_assertions) {
    Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../web"))
} else {
    None
};

/// What a file of the page is; others, such as its README, are not served.
const TYPES: [(&str, &str); 4] = [
    ("html", "text/html; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("svg", "image/svg+xml"),
];

/// The page at each address it has, its files, and what it is told.
pub fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let views = ["/", "/results", "/results/{*rest}", "/how", "/how/{*rest}"];
    let views = views
        .into_iter()
        .fold(Router::new(), |router, at| router.route(at, get(page)));
    let told = Router::new()
        .route("/api/page", get(told))
        .layer(middleware::from_fn_with_state(app.clone(), guard));
    let files = views.route("/web/{*path}", get(file)).merge(told);
    files.layer(CompressionLayer::new())
}

async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    held(answer("index.html", &headers), &app, &headers)
}

/// A worker's script is held to the policy it comes with, not to that of the page which starts it (Content Security Policy Level 3, 4.2.1):
/// so every file comes with it.
async fn file(State(app): State<Arc<App>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    held(answer(&path, &headers), &app, &headers)
}

/// Held to the policy.
fn held(mut response: Response, app: &App, asked: &HeaderMap) -> Response {
    let host = asked.get(header::HOST).and_then(|host| host.to_str().ok());
    let policy = policy(host.unwrap_or_default(), &app.page.ports());
    let said = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer".into()),
    ];
    for (name, value) in said {
        // Ports are numbers, and a host that makes no header value made none that could be read either.
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn told(State(app): State<Arc<App>>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(app.page.answer())).into_response()
}

fn answer(path: &str, asked: &HeaderMap) -> Response {
    let kind = TYPES.iter().find(|(ending, _)| path.ends_with(&format!(".{ending}")));
    let (Some((_, kind)), Some(bytes)) = (kind, bytes(path)) else {
        return problem(StatusCode::NOT_FOUND, "no such file of the page: / shows it");
    };
    let etag = etag(&bytes);
    let said = [
        (header::CONTENT_TYPE, *kind),
        (header::ETAG, etag.as_str()),
        // Asked for again each time, and answered 304: a new build is never seen half.
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    if asked
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes())
    {
        return (StatusCode::NOT_MODIFIED, said).into_response();
    }
    (said, bytes).into_response()
}

fn bytes(path: &str) -> Option<Cow<'static, [u8]>> {
    if !is_plain(path) {
        return None;
    }
    match ON_DISK {
        Some(folder) => std::fs::read(std::path::Path::new(folder).join(path))
            .ok()
            .map(Cow::Owned),
        None => FILES.get_file(path).map(|file| Cow::Borrowed(file.contents())),
    }
}

/// Names and slashes only: no step upwards, no other root.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !part.starts_with('.')
    })
}

fn etag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    // Weak (RFC 9110, 8.8.1): the same whether or not it travels compressed.
    format!("W/\"{:016x}\"", hasher.finish())
}

/// Scripts and styles of this origin, connections to this host's own ports (but of an address of IPv6, for which a policy has no words),
/// and nothing else. The chart library fills an empty
/// style element by rules, which the digest of nothing allows.
fn policy(host: &str, ports: &[u16]) -> String {
    const EMPTY: &str = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
    let name = without_port(host);
    let named = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let lanes: String = ports
        .iter()
        .filter(|_| named)
        .map(|port| format!(" http://{name}:{port} ws://{name}:{port}"))
        .collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' {EMPTY}; img-src 'self' data: blob:; connect-src 'self'{lanes}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_own_ports_and_takes_no_words_of_a_strange_host() {
        let own = policy("127.0.0.1:8080", &[8080, 4001]);
        assert!(
            own.contains("connect-src 'self' http://127.0.0.1:8080 ws://127.0.0.1:8080 http://127.0.0.1:4001"),
            "{own}"
        );
        let strange = policy("a; script-src *", &[8080]);
        assert!(
            strange.contains("connect-src 'self';") && !strange.contains('*'),
            "{strange}"
        );
    }

    #[test]
    fn only_files_of_the_page_are_served() {
        assert!(bytes("index.html").is_some());
        for path in [
            "../Cargo.toml",
            "/etc/passwd",
            "lib/../../Cargo.toml",
            ".gitignore",
            "",
            "lib//dom.js",
        ] {
            assert!(bytes(path).is_none(), "{path}");
        }
        assert_eq!(answer("README.md", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }
}
