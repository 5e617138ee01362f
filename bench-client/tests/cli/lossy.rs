//! A path that loses an update in silence: the run must fail and say which update which client never got.
//!
//! ```text
//! bench client -> relay (this test) -> server
//! ```
//!
//! The relay turns events of one stream into comments of the same length: the stream stays whole, the updates are gone.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{
    lab::Lab,
    record::{figure, load, rows},
};

/// Every so many updates one is lost: rarely enough to be one or two in the window, wherever it begins.
const EVERY: u64 = 150;

/// Passes connections on to `server`; on one of them, hides every update whose seq is a multiple of [`EVERY`].
pub fn relay(server: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = server.trim_start_matches("http://").to_owned();
    let claimed = Arc::new(AtomicBool::new(false));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(upstream) = TcpStream::connect(&server) else {
                break;
            };
            let (client_reads, upstream_writes) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            thread::spawn(move || pass(client_reads, upstream_writes, |_| {}));
            let claimed = claimed.clone();
            let mut mine = false;
            thread::spawn(move || {
                pass(upstream, client, |bytes| {
                    if (mine || !claimed.load(Ordering::SeqCst)) && is_to_hide(bytes) {
                        mine = mine || !claimed.swap(true, Ordering::SeqCst);
                        if mine {
                            hide(bytes);
                        }
                    }
                });
            });
        }
    });
    format!("http://{address}")
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut change: impl FnMut(&mut [u8])) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        change(&mut buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Whether `bytes` are one whole event with an update that is to be lost.
fn is_to_hide(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let seq = text
        .split_once("\"seq\":")
        .and_then(|(_, rest)| rest.split(',').next()?.parse::<u64>().ok());
    text.matches("event: update").count() == 1 && text.contains("\n\n") && seq.is_some_and(|seq| seq % EVERY == 0)
}

/// Makes comments of an event's three fields.
fn hide(bytes: &mut [u8]) {
    for field in [b"id: ".as_slice(), b"event: ", b"data: "] {
        if let Some(at) = bytes.windows(field.len()).position(|window| window == field) {
            bytes[at] = b':';
        }
    }
}

#[test]
fn an_update_lost_in_silence_fails_the_run_and_is_named() {
    let lab = Lab::new();
    let (_server, url) = lab.serve("--rate 50 --payload 256");
    let relayed = relay(&url);
    let said = lab
        .run(&format!(
            "run ../smoke.toml --clients 5 --duration 4 --transport sse --target {relayed} --out out"
        ))
        .with_code(1);
    let record = load(&lab.path("out"));
    let row = &rows(&record)[0];
    assert_eq!(row["outcome"]["kind"], "failed", "{row:#}");
    let missed = figure(row, "missed");
    assert!((1.0..=2.0).contains(&missed), "{row:#}");
    assert_eq!(
        figure(row, "updates_expected") - figure(row, "updates_received"),
        missed
    );
    let fault = row["faults"][0].as_str().unwrap();
    let words: Vec<_> = fault.split(' ').collect();
    assert!(
        matches!(&words[..], ["client", client, "never", "received", "update", update, "of", "match-1"]
            if client.parse::<u32>().is_ok_and(|client| client < 5) && update.parse::<u64>().is_ok_and(|update| update % EVERY == 0)),
        "{fault:?}"
    );
    assert_eq!(row["figures"]["latency_max_us"], "lost");
    assert!(said.stderr.contains(fault), "{said:#?}");
}
