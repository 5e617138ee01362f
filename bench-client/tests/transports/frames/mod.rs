//! WebSocket frames made to break their receiver: against our server, and, from a server that is none, against our client.
//!
//! ```text
//! table.rs (both directions) + server.rs -> raw bytes -> our server     its answer, and what everybody else got meanwhile
//!                            + client.rs -> raw bytes -> our client     what it delivered, how it ended, what it said
//! ```
//!
//! Autobahn|Testsuite asks the same, but of endpoints that echo, and on Python 2 alone. Ours do not echo: so the cases stand here, in its
//! sections, each with what RFC 6455 demands. Of Autobahn's own (25.10.1), those that demand no echo pass against `serve --rate 0`.

mod bytes;
mod client;
mod handshakes;
mod refusals;
mod server;
mod table;

use std::io::Write;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_frames_get_what_the_rfc_demands() {
    let (handshakes, mut failed) = handshakes::run().await;
    let (frames, failed_frames) = server::run().await;
    let (client, failed_client) = client::run().await;
    failed.extend(failed_frames);
    failed.extend(failed_client);
    let server = handshakes + frames;
    let line = format!(
        "\nhostile frames: server {server} cases, client {client} cases, {} failed",
        failed.len()
    );
    // Past the test runner, which keeps what a test that passes prints.
    writeln!(std::io::stdout(), "{line}").expect("stdout can be written");
    assert!(failed.is_empty(), "{failed:#?}");
}
