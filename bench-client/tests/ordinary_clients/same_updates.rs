//! Every client at once, ours and others', each over a path that is cut: no gap, no duplicate, the same bytes.

use std::collections::HashMap;

use server::wire::{PublishedAnswer, ResetReason};
use tokio::task::LocalSet;

use crate::{
    clients::{Client, Installed, ORDINARY, ours},
    cutter::Passage,
    heard::{Got, Heard, Line},
    origin::{Origin, TOPICS},
    support::soon,
};

/// How many more updates make it sure that a client goes on.
const ON: usize = 10;

#[tokio::test]
async fn other_clients_get_what_ours_get_over_cuts_and_over_a_new_start_of_the_server() {
    LocalSet::new().run_until(same_updates()).await;
}

async fn same_updates() {
    let installed = Installed::look();
    let mut first = Origin::start().await;
    let topics = first.topics().await;
    let mut clients = Vec::new();
    for row in ours() {
        clients.push(Client::ours(row, first.address, &topics).await);
    }
    for row in ORDINARY.iter().filter(|row| installed.has(row)) {
        clients.push(Client::ordinary(row, &installed, first.address).await);
    }

    for client in &clients {
        soon(&format!("{}: every cut is made", client.name), client.cutter.all_cut()).await;
        let (before, what) = (updates(&client.notebook.all()), format!("{}: it goes on", client.name));
        client
            .notebook
            .until(&what, |heard| updates(heard) >= before + ON)
            .await;
    }
    let published_first = first.published().await;
    everybody_holds(&clients, &published_first).await;

    // Whoever comes back from here on meets another server.
    let second = Origin::start().await;
    for client in &clients {
        client.cutter.lead_to(second.address);
    }
    first.terminate();
    first.ended().await;
    for client in &clients {
        let what = format!("{}: a reset, and on", client.name);
        client
            .notebook
            .until(&what, |heard| updates(after_reset(heard)) >= ON)
            .await;
    }
    let published_second = second.published().await;
    everybody_holds(&clients, &published_second).await;

    let mut texts = HashMap::new();
    let count = clients.len();
    for client in clients {
        let (name, transport, passages) = (client.name.clone(), client.transport, client.cutter.passages());
        let heard = client.stop().await;
        told_of_the_end(&name, transport, &heard, &passages);
        let resets: Vec<_> = heard
            .iter()
            .filter_map(|one| match one {
                Heard::Reset(reason) => Some(*reason),
                _ => None,
            })
            .collect();
        assert_eq!(resets, [ResetReason::OtherEpoch], "{name}: resets");
        let (mut before, mut after): (Vec<Got>, Vec<Got>) = (Vec::new(), Vec::new());
        for got in heard.iter().filter_map(Heard::update) {
            let part = if got.epoch == published_first.epoch {
                &mut before
            } else {
                &mut after
            };
            part.push(got.clone());
        }
        assert_eq!(
            updates(after_reset(&heard)),
            after.len(),
            "{name}: nothing of the old epoch after the reset"
        );
        as_published(&name, &before, &published_first);
        as_published(&name, &after, &published_second);
        for got in before.iter().chain(&after) {
            same_text(&name, got, &mut texts);
        }
    }
    assert!(texts.len() > 2 * ON, "{} different updates", texts.len());
    println!("{count} clients held the same {} updates", texts.len());
}

fn updates(heard: &[Heard]) -> usize {
    heard.iter().filter(|one| one.update().is_some()).count()
}

fn after_reset(heard: &[Heard]) -> &[Heard] {
    let reset = heard.iter().position(|one| matches!(one, Heard::Reset(_)));
    reset.map_or(&[], |at| &heard[at..])
}

/// Waits until each holds the newest update of this publish log.
async fn everybody_holds(clients: &[Client], published: &PublishedAnswer) {
    let newest = published
        .topics
        .iter()
        .filter_map(|topic| topic.last_offset)
        .max()
        .expect("updates were published");
    for client in clients {
        let what = format!("{}: update {newest} of epoch {}", client.name, published.epoch);
        client
            .notebook
            .until(&what, |heard| {
                let last = heard.iter().rev().find_map(Heard::update);
                last.is_some_and(|last| last.epoch == published.epoch && last.offset >= newest)
            })
            .await;
    }
}

/// What one client got of one epoch is the newest state, and then everything in its order: by offset, by seq, and by the publish log.
/// The log was read while the feed went on: what came after it is held against order alone.
fn as_published(name: &str, got: &[Got], published: &PublishedAnswer) {
    for pair in got.windows(2) {
        let [before, after] = pair else {
            unreachable!("windows of two")
        };
        assert_eq!(
            after.offset,
            before.offset + 1,
            "{name}: the log's order, {before:?}, {after:?}"
        );
    }
    assert_eq!(published.topics.len(), TOPICS);
    for topic in &published.topics {
        let of_topic: Vec<_> = got.iter().filter(|got| got.topic == topic.topic).collect();
        let first = of_topic
            .first()
            .unwrap_or_else(|| panic!("{name}: nothing of {}", topic.topic))
            .seq;
        let logged: HashMap<_, _> = topic.updates.iter().map(|update| (update.seq, update)).collect();
        for (number, got) in of_topic.iter().enumerate() {
            assert_eq!(got.seq, first + number as u64, "{name}: {}", topic.topic);
            let Some(logged) = logged.get(&got.seq) else {
                assert!(Some(got.seq) > topic.last_seq, "{name}: {got:?} was never published");
                continue;
            };
            assert_eq!(got.due_us, logged.due_us, "{name}: {got:?}");
            if let Some(text) = &got.text {
                let sent = format!("\"sent_us\":{},", logged.sent_us);
                assert!(text.contains(&sent), "{name}: {text} without {sent}");
            }
        }
        let last = of_topic.last().map(|got| got.seq);
        assert!(
            last >= topic.last_seq,
            "{name}: {} to {last:?} of {:?}",
            topic.topic,
            topic.last_seq
        );
    }
}

/// The same update is the same text at everyone; of our own sessions the size is known.
fn same_text(name: &str, got: &Got, texts: &mut HashMap<(u64, u64), (usize, Option<String>)>) {
    let known = texts
        .entry((got.epoch, got.offset))
        .or_insert_with(|| (got.bytes, got.text.clone()));
    assert_eq!(known.0, got.bytes, "{name}: size of {got:?}");
    match (&known.1, &got.text) {
        (Some(known), Some(text)) => assert_eq!(known, text, "{name}"),
        (None, Some(text)) => known.1 = Some(text.clone()),
        _ => {}
    }
}

/// The server's last words reached the client, and each came back as its kind does.
fn told_of_the_end(name: &str, transport: &str, heard: &[Heard], passages: &[Passage]) {
    let said = |what: fn(&Line) -> bool| heard.iter().any(|one| matches!(one, Heard::Said(line) if what(line)));
    let unasked = heard.iter().find(|one| matches!(one, Heard::Said(Line::Unasked)));
    assert!(unasked.is_none(), "{name}: {unasked:?}");
    assert!(
        said(|line| matches!(line, Line::Cut | Line::Closed { .. })),
        "{name}: it noticed no cut"
    );
    let others = !name.starts_with("our ");
    if transport == "websocket" && others {
        assert!(
            said(|line| matches!(line, Line::Closed { code: 1001 })),
            "{name}: no close with 1001"
        );
    }
    if transport != "sse" || name.contains("http2") {
        return;
    }
    // The last stream is open; before it came the one that the first server ended.
    let ended = passages
        .iter()
        .rev()
        .nth(1)
        .unwrap_or_else(|| panic!("{name}: one connection only"));
    let last_words = String::from_utf8_lossy(&ended.said_last).into_owned();
    assert!(
        last_words.ends_with("C\r\nretry: 1000\n\r\n0\r\n\r\n"),
        "{name}: {last_words:?}"
    );
    for (number, passage) in passages.iter().enumerate() {
        let head = String::from_utf8_lossy(&passage.asked).to_ascii_lowercase();
        assert_eq!(
            head.contains("\r\nlast-event-id: "),
            number > 0,
            "{name}: connection {number} asked {head}"
        );
    }
    if matches!(name, "@microsoft/fetch-event-source" | "httpx-sse" | "curl -N") {
        assert!(
            said(|line| matches!(line, Line::Retry { ms: 1000 })),
            "{name}: no retry"
        );
    }
}
