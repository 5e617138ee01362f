//! Tabs that stay open: neither a run nor the server's end waits for one.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    lab::{Lab, until},
    processes::get,
    stage::{Stage, curated},
};

/// What `serve` gives streams that are open when it is told to end.
const DRAIN: &str = "--drain-deadline 5";

/// Requests that a tab has under way; none of them is ever read.
fn open_tab(url: &str) -> Vec<TcpStream> {
    let address = url.trim_start_matches("http://");
    let paths = [
        "/",
        "/api/page",
        "/api/results",
        "/api/stats",
        "/feed/sse",
        "/feed/long-poll",
        "/feed/short-poll",
    ];
    let ask = |path: &&str| {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").expect("it takes a request");
        stream
    };
    paths.iter().map(ask).collect()
}

/// A run takes the time it takes; a tab on the folder it writes to changes neither its end nor its verdict.
#[test]
fn a_run_never_waits_for_a_tab() {
    let lab = Lab::new();
    let (_server, url) = lab.serve("--rate 200 --payload 1024 --results results");
    let tabs: Vec<_> = (0..5).map(|_| open_tab(&url)).collect();
    lab.run("run ../smoke.toml --clients 4 --duration 1.2 --rate 50 --repeats 1 --out results/tiny")
        .with_code(0);
    let record: serde_json::Value = serde_json::from_str(&lab.read("results/tiny/run.json")).expect("JSON");
    assert_eq!(record["status"], "finished");
    drop(tabs);
}

#[test]
fn serve_ends_in_time_with_tabs_open() {
    let lab = Lab::new();
    let (server, url) = lab.serve(&format!("--demo --rate 200 {DRAIN} --results results"));
    let mut tabs: Vec<_> = (0..5).flat_map(|_| open_tab(&url)).collect();
    let address = url.trim_start_matches("http://").parse().expect("an address");
    let page: serde_json::Value = serde_json::from_str(&get(address, "/api/page").expect("it answers")).expect("JSON");
    // Those of the lanes too, by every path.
    for path in page["paths"].as_array().expect("paths") {
        for (transport, port) in path["lanes"].as_object().expect("lanes") {
            let lane = format!("{}:{port}", address.ip());
            let mut stream = TcpStream::connect(&lane).unwrap_or_else(|error| panic!("{transport} at {lane}: {error}"));
            write!(stream, "GET /feed/{transport} HTTP/1.1\r\nhost: {lane}\r\n\r\n").expect("it takes a request");
            tabs.push(stream);
        }
    }
    let busy = || serde_json::from_str::<serde_json::Value>(&get(address, "/api/stats")?).ok();
    until("the tabs are connected", || {
        (busy()?["connections"].as_u64()? >= 20).then_some(())
    });
    let asked = Instant::now();
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0);
    // The notice before and a machine with much to do come on top of the deadline.
    assert!(asked.elapsed() < Duration::from_secs(5 + 10), "{:?}", asked.elapsed());
    for stream in &mut tabs {
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a time above zero");
        // Whatever was on its way, and then the end; a reset is one too.
        let mut rest = Vec::new();
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        }
    }
}

#[test]
fn a_browser_on_every_view_does_not_hold_serve_up() {
    Stage::with(&format!("--demo --rate 20 {DRAIN}"), |lab| curated(lab, "curated")).plays("tabs.mjs");
}
