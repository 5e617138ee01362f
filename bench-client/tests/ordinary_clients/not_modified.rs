//! A poll that shows its ETag costs no body while nothing is new: by curl, against a feed that the test publishes by hand.

use tokio::process::Command;

use crate::support::{TestServer, settings, soon};

/// One `curl` with these options; None where there is no curl. Body, and what `--write-out` says behind it.
async fn curl(options: &[&str], url: &str) -> Option<(String, String)> {
    let mut command = Command::new("curl");
    command
        .args(["-sS", "-w", "\n%{http_code} %header{etag}"])
        .args(options)
        .arg(url)
        .kill_on_drop(true);
    let ran = soon(url, command.output()).await.ok()?;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8(ran.stdout).expect("text");
    let (body, written) = said.rsplit_once('\n').expect("what was asked for");
    Some((body.to_owned(), written.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_gets_304_until_there_is_something_new() {
    let mut server = TestServer::start(1, settings());
    for id in ["short-poll", "long-poll"] {
        let held = server.publish(0);
        let tag = format!("\"{}\"", server.cursor(held.offset));
        let url = format!("http://{}/feed/{id}?wait_ms=1", server.address);
        let match_tag = format!("If-None-Match: {tag}");
        let Some((body, written)) = curl(&[], &url).await else {
            return eprintln!("no curl: `other_clients_get_what_ours_get` says so aloud");
        };
        assert!(body.starts_with("{\"updates\":[{\"topic\":\"match-1\""), "{id}: {body}");
        assert_eq!(written, format!("200 {tag}"), "{id}");

        let unchanged = curl(&["-H", &match_tag], &url).await;
        assert_eq!(unchanged, Some((String::new(), format!("304 {tag}"))), "{id}");

        let next = server.publish(0);
        let since = format!("{url}&since={}", server.cursor(held.offset));
        let (body, written) = curl(&["-H", &match_tag], &since).await.expect("it was there");
        assert_eq!(written, format!("200 \"{}\"", server.cursor(next.offset)), "{id}");
        assert!(body.contains(&format!("\"seq\":{},", next.seq)), "{id}: {body}");
    }
}
