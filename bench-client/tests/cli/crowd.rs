//! Crowds beside the page of `serve --demo`: asked for over HTTP, run by processes of their own, and gone with their server.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::Stdio,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use crate::{
    lab::{Lab, Running, until},
    lossy::relay,
    processes::{self, children, get},
};

const TRANSPORTS: [&str; 4] = ["short-poll", "long-poll", "sse", "websocket"];
const CROWDS: &str = "/api/demo/crowd";

/// A server with a page, and what the page knows of it.
struct Demo {
    serve: Running,
    address: SocketAddr,
    token: String,
}

impl Demo {
    fn start(lab: &Lab, more: &str) -> Self {
        let (serve, url) = lab.serve(&format!("--demo --rate 20 --topics 4 {more}"));
        let address = url.trim_start_matches("http://").parse().expect("an address");
        let page = json_of(address, "/api/page");
        let token = page["token"].as_str().expect("the page is told a token").to_owned();
        Self { serve, address, token }
    }

    fn crowds(&self) -> Value {
        json_of(self.address, CROWDS)
    }

    /// The crowd of a transport, when there is one.
    fn crowd(&self, transport: &str) -> Option<Value> {
        let crowds = self.crowds();
        let crowds = crowds["crowds"].as_array().expect("a list");
        crowds.iter().find(|crowd| crowd["transport"] == transport).cloned()
    }

    /// Status and answer of a PUT as the page sends it.
    fn put(&self, transport: &str, body: &str) -> (u16, Value) {
        put(self.address, &self.token, transport, body)
    }

    #[track_caller]
    fn set(&self, transport: &str, clients: u32) {
        let (status, answer) = self.put(transport, &json!({ "clients": clients }).to_string());
        assert_eq!(status, 200, "{answer}");
        let crowds = answer["crowds"].as_array().expect("answers as GET does");
        let sizes = crowds.iter().filter(|crowd| crowd["transport"] == transport);
        let sizes: Vec<_> = sizes.map(|crowd| &crowd["clients"]).collect();
        let expected: &[Value] = if clients == 0 { &[] } else { &[json!(clients)] };
        assert!(sizes.into_iter().eq(expected), "{answer}");
    }

    /// Waits until a crowd satisfies this, and returns it then.
    fn until(&self, transport: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut seen = None;
        until(&format!("{transport}: {what}"), || {
            let crowd = self
                .crowd(transport)
                .filter(|_| !self.serve.stderr().contains("panicked"));
            seen = crowd.or(seen.take());
            seen.clone().filter(|crowd| holds(crowd))
        })
    }

    fn connections(&self) -> u64 {
        let stats = json_of(self.address, "/api/stats");
        stats["connections"].as_u64().expect("a number")
    }
}

fn json_of(address: SocketAddr, path: &str) -> Value {
    let body = get(address, path).expect("the server answers");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
}

fn put(address: SocketAddr, token: &str, transport: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        stream,
        "PUT {CROWDS}/{transport} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nx-lab-token: {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers whole");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    (status.expect("a status"), body)
}

fn number(crowd: &Value, name: &str) -> f64 {
    crowd[name].as_f64().unwrap_or_else(|| panic!("{name} of {crowd:#}"))
}

#[test]
fn crowds_of_every_transport_get_everything_grow_shrink_and_go() {
    let lab = Lab::new();
    let demo = Demo::start(&lab, "");
    for transport in TRANSPORTS {
        demo.set(transport, 50);
    }
    for transport in TRANSPORTS {
        let crowd = demo.until(transport, "all connected, and updates of the last second", |crowd| {
            crowd["connected"] == 50 && crowd["bytes_per_update"].is_number() && crowd["latency_p99_us"].is_number()
        });
        for none in ["missed", "lagged", "duplicates", "out_of_order"] {
            assert_eq!(crowd[none], 0, "{crowd:#}");
        }
        assert!(
            number(&crowd, "latency_p50_us") <= number(&crowd, "latency_p99_us"),
            "{crowd:#}"
        );
        assert!(
            number(&crowd, "bytes_per_update") > 100.0 && number(&crowd, "late_max_us") > 0.0,
            "{crowd:#}"
        );
        assert!((1.0..=600.0).contains(&number(&crowd, "ends_in_s")), "{crowd:#}");
    }
    assert!(demo.connections() >= 200);
    let server = demo.crowds()["server"].clone();
    for known in ["cpu_share", "cpu_us_per_update", "rss_bytes", "connections"] {
        assert!(number(&server, known) > 0.0, "{server:#}");
    }

    // It goes on from where it was, in the same process.
    let (before, processes) = (demo.until("sse", "updates", |_| true), children(demo.serve.pid()));
    demo.set("sse", 80);
    let grown = demo.until("sse", "grown", |crowd| crowd["connected"] == 80);
    demo.set("sse", 20);
    let shrunk = demo.until("sse", "shrunk", |crowd| crowd["connected"] == 20);
    assert!(
        number(&before, "updates") < number(&grown, "updates"),
        "{before:#} {grown:#}"
    );
    assert!(
        number(&grown, "updates") < number(&shrunk, "updates"),
        "{grown:#} {shrunk:#}"
    );
    assert_eq!(
        (&shrunk["missed"], &shrunk["duplicates"]),
        (&json!(0), &json!(0)),
        "{shrunk:#}"
    );
    assert_eq!(children(demo.serve.pid()).len(), processes.len());

    for transport in TRANSPORTS {
        demo.set(transport, 0);
    }
    assert_eq!(demo.crowds()["crowds"], json!([]));
    until("no connection but the one that asks", || {
        (demo.connections() <= 1).then_some(())
    });
    until("no process of a crowd", || {
        children(demo.serve.pid()).is_empty().then_some(())
    });
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let lab = Lab::new();
    let demo = Demo::start(&lab, "--max-connections 300");
    let crowds = demo.crowds();
    assert_eq!((&crowds["crowds"], &crowds["most_s"]), (&json!([]), &json!(600)));
    // 256 of the 300 are left to others.
    assert_eq!(crowds["most_clients"], 44);
    let refused = |(status, answer): (u16, Value), expected: u16, words: &[&str]| {
        let error = answer["error"].as_str().unwrap_or_default();
        assert_eq!(status, expected, "{answer}");
        assert!(words.iter().all(|words| error.contains(words)), "{words:?}: {answer}");
    };
    refused(demo.put("sse", "{\"clients\":45}"), 400, &["45", "44"]);
    refused(demo.put("sse", "{\"clients\":5000000000}"), 400, &["5000000000", "44"]);
    for body in [
        "",
        "{}",
        "{\"clients\":-1}",
        "{\"clients\":1.5}",
        "{\"clients\":1,\"more\":2}",
    ] {
        refused(demo.put("sse", body), 400, &["expected {\"clients\":N}"]);
    }
    refused(demo.put("pigeon", "{\"clients\":1}"), 404, &["pigeon", "websocket"]);
    refused(put(demo.address, "", "sse", "{\"clients\":1}"), 403, &["token"]);
    demo.set("sse", 40);
    refused(demo.put("websocket", "{\"clients\":5}"), 409, &["5", "40", "44"]);
    demo.set("websocket", 4);

    let (_plain, url) = lab.serve("");
    let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    refused(put(address, "", "sse", "{\"clients\":1}"), 404, &["no such page"]);
}

#[test]
fn a_process_that_is_stopped_or_dies_disturbs_no_other_crowd() {
    let lab = Lab::new();
    let demo = Demo::start(&lab, "");
    demo.set("sse", 5);
    demo.until("sse", "connected", |crowd| crowd["connected"] == 5);
    let [dying] = children(demo.serve.pid())[..] else {
        panic!("one process for one crowd");
    };
    demo.set("websocket", 5);
    demo.until("websocket", "connected", |crowd| crowd["connected"] == 5);

    let dying = Pid::from_raw(dying as i32);
    kill(dying, Signal::SIGSTOP).unwrap();
    let silent = demo.until("sse", "silence is told", |crowd| crowd["error"].is_string());
    let words = silent["error"].as_str().unwrap();
    assert!(words.contains("nothing was heard"), "{silent:#}");
    assert_eq!(
        (&silent["connected"], &silent["latency_p50_us"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(
        number(&silent, "deliveries_per_s"),
        0.0,
        "no figure of then is one of now"
    );
    kill(dying, Signal::SIGCONT).unwrap();
    demo.until("sse", "it goes on", |crowd| {
        crowd["error"].is_null() && crowd["connected"] == 5
    });

    kill(dying, Signal::SIGKILL).unwrap();
    let dead = demo.until("sse", "death is told", |crowd| crowd["error"].is_string());
    assert!(dead["error"].as_str().unwrap().contains("signal: 9"), "{dead:#}");
    assert_eq!((&dead["connected"], &dead["ends_in_s"]), (&json!(0), &json!(0)));
    assert!(number(&dead, "updates") > 0.0, "what it had counted stays: {dead:#}");
    let other = demo.until("websocket", "it is there", |_| true);
    demo.until("websocket", "it goes on", |crowd| {
        crowd["connected"] == 5 && number(crowd, "updates") > number(&other, "updates")
    });

    demo.set("sse", 7);
    demo.until("sse", "a new process", |crowd| {
        crowd["error"].is_null() && crowd["connected"] == 7
    });
    assert_eq!(children(demo.serve.pid()).len(), 2);
}

#[test]
fn crowds_go_with_their_server_however_it_goes() {
    let lab = Lab::new();
    for (signal, code) in [(Signal::SIGTERM, Some(0)), (Signal::SIGKILL, None)] {
        let demo = Demo::start(&lab, "");
        for transport in TRANSPORTS {
            demo.set(transport, 5);
        }
        for transport in TRANSPORTS {
            demo.until(transport, "connected", |crowd| crowd["connected"] == 5);
        }
        let processes = children(demo.serve.pid());
        assert_eq!(processes.len(), TRANSPORTS.len());
        demo.serve.signal(signal);
        let said = demo.serve.ended();
        assert_eq!(said.status.code(), code, "{said:#?}");
        assert!(!said.stderr.contains("drain deadline"), "{said:#?}");
        if signal == Signal::SIGTERM {
            let left: Vec<_> = processes.iter().filter(|pid| processes::runs(**pid)).collect();
            assert!(left.is_empty(), "the server has waited for them: {left:?}");
        }
        until("no process of a crowd", || {
            (!processes.iter().any(|pid| processes::runs(*pid))).then_some(())
        });
    }
}

#[test]
fn what_a_path_loses_in_silence_is_missed_and_the_process_ends_with_its_stdin() {
    let lab = Lab::new();
    let (_server, url) = lab.serve("--rate 200");
    // It hides updates of one client now and then.
    let relayed = relay(&url);
    let address = relayed.trim_start_matches("http://");
    let mut command = lab.command(&format!("crowd --url {url} --address {address} --transport sse"));
    let mut process = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut orders = process.stdin.take().expect("a pipe");
    writeln!(orders, "3").expect("it listens");
    let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
    let told = until("something is missed", || {
        let line = lines.next().expect("it goes on").expect("text");
        let figures: Value = serde_json::from_str(&line).expect("a line of figures");
        (figures["missed"] != 0).then_some(figures)
    });
    assert!(number(&told, "missed") < 0.05 * number(&told, "updates"), "{told:#}");
    assert_eq!(
        (&told["connected"], &told["duplicates"], &told["out_of_order"]),
        (&json!(3), &json!(0), &json!(0))
    );
    drop(orders);
    let status = until("it ends", || process.try_wait().expect("a child can be waited for"));
    assert!(status.success(), "{status}");
}

#[test]
fn nobody_is_offered_the_command_that_runs_a_crowd() {
    let lab = Lab::new();
    lab.run("man --out pages").with_code(0);
    assert!(!lab.path("pages/bench-client-crowd.1").exists());
    let shells = ["bash", "zsh", "fish", "elvish", "powershell"].map(|shell| format!("completions {shell}"));
    for words in shells.iter().map(String::as_str).chain(["--help", "man", "help"]) {
        let said = lab.run(words).with_code(0);
        // `serve --demo` says what it lets the page do.
        let text = said.stdout.replace("crowds of clients", "");
        assert!(!text.is_empty() && !text.contains("crowd"), "{words}: {said:#?}");
    }
}
