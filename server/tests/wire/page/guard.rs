//! The guard around what only the page may ask: by Host, by site, by token.

use super::{GUARDED, ask, host, told, with_page};

#[tokio::test]
async fn a_host_that_is_no_name_of_this_server_gets_nothing_of_the_page() {
    let server =
        with_page(|settings| settings.allow_origins = vec!["https://lab.example:8443".parse().expect("an origin")]);
    let port = server.address.port();
    for known in [
        "127.0.0.1",
        "localhost",
        "LocalHost",
        "[::1]",
        "192.168.1.7",
        "lab.example",
    ] {
        for host in [known.to_owned(), format!("{known}:{port}"), format!("{known}:1")] {
            for target in [GUARDED, "/api/page"] {
                let answer = ask(&server, "GET", target, &host, &[]).await;
                assert_eq!(answer.status(), 200, "{target} as {host}: {}", answer.head);
            }
        }
    }
    // A foreign name may be made to point here: DNS rebinding.
    for strange in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "lab.example.evil.example",
        "x@127.0.0.1",
        "",
    ] {
        for target in [GUARDED, "/api/page"] {
            let answer = ask(&server, "GET", target, strange, &[]).await;
            assert!(
                [400, 403].contains(&answer.status()),
                "{target} as {strange:?}: {}",
                answer.head
            );
            assert!(
                !String::from_utf8_lossy(&answer.body).contains("read") && !answer.head.contains("access-control"),
                "{strange:?}"
            );
        }
    }
    let refused = ask(&server, "GET", GUARDED, "evil.example", &[]).await.error();
    assert!(
        refused.contains("evil.example") && refused.contains("--allow-origin"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_read_for_another_sites_page_is_refused() {
    // Who may read the feed may not read what is the page's.
    let server = with_page(|settings| {
        settings.allow_origins = ["*", "http://listed.example"]
            .map(|one| one.parse().expect("an origin"))
            .into();
    });
    let own = host(&server);
    for target in [GUARDED, "/api/page"] {
        for (site, status) in [
            ("same-origin", 200),
            ("none", 200),
            ("cross-site", 403),
            ("same-site", 403),
            ("", 403),
            ("é", 403),
        ] {
            let answer = ask(&server, "GET", target, &own, &[("sec-fetch-site", site)]).await;
            assert_eq!(answer.status(), status, "{target} {site}: {}", answer.head);
        }
        // An older browser, and any that speaks to another machine without TLS, says no Sec-Fetch-Site.
        for origin in ["http://evil.example", "http://listed.example", "null", ""] {
            let answer = ask(&server, "GET", target, &own, &[("origin", origin)]).await;
            assert_eq!(answer.status(), 403, "{target} {origin}: {}", answer.head);
        }
        let answer = ask(&server, "GET", target, &own, &[("origin", &format!("http://{own}"))]).await;
        assert_eq!(answer.status(), 200, "{target}: {}", answer.head);
    }
    // The feed is for everyone who may read it.
    let answer = ask(
        &server,
        "GET",
        "/feed/short-poll",
        "evil.example",
        &[("sec-fetch-site", "cross-site")],
    )
    .await;
    assert_eq!(answer.status(), 200, "{}", answer.head);
}

#[tokio::test]
async fn a_change_takes_the_own_origin_and_the_token_of_this_start() {
    let server = with_page(|_| {});
    let own = host(&server);
    let token = told(&server).await["token"].as_str().expect("a token").to_owned();
    let origin = format!("http://{own}");
    let lane = told(&server).await["paths"][0]["lanes"]["sse"]
        .as_u64()
        .expect("a port");
    let sibling = format!("http://{}:{lane}", server.address.ip());
    let change = async |headers: &[(&str, &str)]| {
        let mut headers = headers.to_vec();
        headers.push(("content-length", "0"));
        ask(&server, "PUT", GUARDED, &own, &headers).await
    };
    assert_eq!(
        change(&[("origin", &origin), ("x-lab-token", &token)]).await.body,
        b"changed\n"
    );

    let wrong = "0".repeat(token.len());
    for headers in [
        vec![],
        vec![("origin", origin.as_str())],
        vec![("x-lab-token", token.as_str())],
        vec![("origin", &origin), ("x-lab-token", "")],
        vec![("origin", &origin), ("x-lab-token", &wrong)],
        vec![("origin", &origin), ("x-lab-token", &token[1..])],
        vec![("origin", "http://evil.example"), ("x-lab-token", &token)],
        vec![("origin", "null"), ("x-lab-token", &token)],
        vec![("origin", &sibling), ("x-lab-token", &token)],
        vec![
            ("origin", &origin),
            ("x-lab-token", &token),
            ("sec-fetch-site", "cross-site"),
        ],
        vec![
            ("origin", &origin),
            ("x-lab-token", &token),
            ("sec-fetch-site", "same-site"),
        ],
    ] {
        let answer = change(&headers).await;
        assert_eq!(answer.status(), 403, "{headers:?}: {}", answer.head);
        assert!(!answer.error().contains(&token), "a refusal tells no token");
    }
    let other = with_page(|_| {});
    let old = told(&other).await["token"].as_str().expect("a token").to_owned();
    assert_eq!(
        change(&[("origin", &origin), ("x-lab-token", &old)]).await.status(),
        403,
        "another start's token"
    );
}

/// A page elsewhere asks its browser to send a change with our header; the browser asks first, and is told no.
#[tokio::test]
async fn no_page_elsewhere_is_let_to_ask_for_a_change() {
    let server = with_page(|_| {});
    let own = host(&server);
    let lane = told(&server).await["paths"][0]["lanes"]["sse"]
        .as_u64()
        .expect("a port");
    let sibling = format!("http://{}:{lane}", server.address.ip());
    for origin in ["http://evil.example", "null", &sibling] {
        let asked = [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "x-lab-token,content-type"),
        ];
        let answer = ask(&server, "OPTIONS", GUARDED, &own, &asked).await;
        let methods = answer.header("access-control-allow-methods").unwrap_or_default();
        let headers = answer.header("access-control-allow-headers").unwrap_or_default();
        assert!(
            !methods.contains("PUT") && !headers.contains("x-lab-token"),
            "{origin}: {}",
            answer.head
        );
        assert_eq!(answer.status() == 403, origin != sibling, "{origin}: {}", answer.head);
    }
}

#[tokio::test]
async fn who_may_read_may_not_write() {
    let server = with_page(|_| {});
    let own = host(&server);
    let token = told(&server).await["token"].as_str().expect("a token").to_owned();
    let origin = format!("http://{own}");
    let page = [
        ("origin", origin.as_str()),
        ("x-lab-token", token.as_str()),
        ("content-length", "0"),
    ];
    for target in ["/", "/results", "/how/sse", "/web/app.js", "/api/page"] {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let answer = ask(&server, method, target, &own, &page).await;
            assert_eq!(answer.status(), 405, "{method} {target}: {}", answer.head);
        }
    }
}
