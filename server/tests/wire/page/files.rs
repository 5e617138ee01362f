//! The files of the page, and the policy they are served with.

use super::{ask, host, told, with_page};

#[tokio::test]
async fn the_policy_is_exactly_this() {
    let server = with_page(|_| {});
    let own = host(&server);
    let page = told(&server).await;
    let ip = server.address.ip();
    let mut ports = vec![server.address.port()];
    ports.extend(
        page["paths"][0]["lanes"]
            .as_object()
            .expect("lanes")
            .values()
            .map(|port| port.as_u64().expect("a port") as u16),
    );
    for address in [
        "/",
        "/results",
        "/results/some-run",
        "/results/overlay?run=a&run=b",
        "/how",
        "/how/sse",
    ] {
        let answer = ask(&server, "GET", address, &own, &[]).await;
        assert_eq!(answer.status(), 200, "{address}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8"),
            "{address}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        let policy = answer.header("content-security-policy").expect("a policy");
        let (connect, rest) = policy.split_once("connect-src 'self'").expect("connections");
        let (listed, rest) = rest.split_once(';').expect("more");
        assert_eq!(
            connect,
            "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self' data: blob:; "
        );
        assert_eq!(rest, " base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
        let mut listed: Vec<_> = listed.split_whitespace().map(str::to_owned).collect();
        let mut expected: Vec<_> = ports
            .iter()
            .flat_map(|port| [format!("http://{ip}:{port}"), format!("ws://{ip}:{port}")])
            .collect();
        listed.sort();
        expected.sort();
        assert_eq!(listed, expected, "{address}");
    }
    // What would be an injection is no host.
    let answer = ask(&server, "GET", "/", "x; script-src *", &[]).await;
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(!policy.contains('*'), "{policy}");
}

#[tokio::test]
async fn files_of_the_page_have_their_type_an_etag_and_no_way_out() {
    let server = with_page(|_| {});
    let own = host(&server);
    let page = ask(&server, "GET", "/", &own, &[]).await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/web/app.js", "text/javascript; charset=utf-8"),
        ("/web/lib/dom.js", "text/javascript; charset=utf-8"),
        ("/web/live/worker.js", "text/javascript; charset=utf-8"),
        ("/web/style.css", "text/css; charset=utf-8"),
        ("/web/icon.svg", "image/svg+xml"),
    ] {
        let answer = ask(&server, "GET", path, &own, &[]).await;
        assert_eq!(
            (answer.status(), answer.header("content-type")),
            (200, Some(kind)),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
        assert!(!answer.head.contains("access-control"), "{path}");
        // A worker is held to the policy of its own script.
        let policy = answer.header("content-security-policy").expect("a policy");
        assert_eq!(Some(policy), page.header("content-security-policy"), "{path}");
        let etag = answer.header("etag").expect("an etag").to_owned();
        let again = ask(&server, "GET", path, &own, &[("if-none-match", &etag)]).await;
        assert_eq!(
            (again.status(), again.header("etag")),
            (304, Some(etag.as_str())),
            "{path}"
        );
        assert!(again.body.is_empty());
        let other = ask(&server, "GET", path, &own, &[("if-none-match", "\"0\"")]).await;
        assert_eq!(other.body, answer.body, "{path}");
    }
    for path in [
        "/web/../Cargo.toml",
        "/web/..%2fCargo.toml",
        "/web/%2e%2e/Cargo.toml",
        "/web/lib/../../Cargo.toml",
        "/web/lib/..%2f..%2fserver%2fCargo.toml",
        "/web//etc/passwd",
        "/web/%2fetc%2fpasswd",
        "/web/app.js%00.svg",
        "/web/..\\Cargo.toml",
        "/web/README.md",
        "/web/.gitignore",
        "/web/lib",
        "/web/lib/",
        "/web/",
        "/web/none.js",
        "/index.html",
    ] {
        let answer = ask(&server, "GET", path, &own, &[]).await;
        assert!([400, 404].contains(&answer.status()), "{path}: {}", answer.head);
        assert!(!String::from_utf8_lossy(&answer.body).contains("[package]"), "{path}");
    }
}
