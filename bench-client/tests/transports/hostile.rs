//! Texts made to break framing arrive over every transport as they were published.

use bench_client::transports::ALL;
use server::{feed::Match, wire::Update};

use crate::{
    rig::{Clients, assert_same},
    support::{TestServer, settings},
    tap::Tap,
};

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "a\rb",
        "a\nb",
        "a\r\nb\r\n\r\n",
        "\n\ndata: {\"seq\":1}\n\n",
        "\r\rid: 1-1\r\revent: reset\rdata: {}\r\r",
        "data: x",
        ": a comment",
        "a\u{2028}b\u{2029}c\u{85}d",
        "a\0b",
        "\u{1}\u{1b}[31m\u{7f}",
        "\u{feff}mark",
        "⚽👩🏽\u{200d}🚀 𝄞 é e\u{301} \u{202e}olleh",
        "\"quoted\" \\ \\\\ \\n \\u0000 '",
        "</script><img src=x onerror=alert(1)>",
        "{\"reset\":{\"reason\":\"evicted\"}}",
        "0\r\n\r\nHTTP/1.1 200 OK\r\n",
        "",
    ]
    .map(str::to_owned)
    .into();
    texts.push("x".repeat(64 * 1024));
    texts.push("é\n\"\\".repeat(4 * 1024));
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_arrive_as_they_were_published() {
    let texts = texts();
    for row in &ALL {
        let teams = |(number, text): (usize, &String)| Match {
            topic: format!("match-{}", number + 1),
            home: text.clone(),
            away: format!("{text}{text}"),
        };
        // The long ones stand as players: a team's name is in every update.
        let short: Vec<_> = texts.iter().filter(|text| text.len() < 1_000).cloned().collect();
        let matches: Vec<_> = short.iter().enumerate().map(teams).collect();
        let mut server = TestServer::of(matches.clone(), None, settings());
        let mut tap = Tap::connect(row.id, server.address, "?topic=all&wait_ms=5000").await;
        let mut follower = Clients::of(&server).open(row, Some(server.cursor(0))).await;
        let mut got = Vec::new();
        for (number, player) in texts.iter().enumerate() {
            let topic = number % matches.len();
            let published = server.hand.publish_by(topic, player);
            let json = tap.updates(1).await.remove(0);
            let update: Update<'_> = serde_json::from_str(&json).expect("an update");
            let expected = Update {
                topic: matches[topic].topic.as_str().into(),
                epoch: server.epoch,
                offset: published.offset,
                seq: published.seq,
                due_us: published.due_us,
                sent_us: update.sent_us,
                home: matches[topic].home.as_str().into(),
                away: matches[topic].away.as_str().into(),
                home_score: 2,
                away_score: 1,
                minute: 67,
                event: "goal".into(),
                player: player.as_str().into(),
                pad: None,
            };
            assert!(update == expected, "{}: {player:?} came as {json}", row.id);
            got.push(json.len());
        }
        follower.through(texts.len() as u64).await;
        assert_same(&follower.got(), &server.hand.published, row.id);
        let sizes: Vec<_> = follower.updates.iter().map(|update| update.bytes as usize).collect();
        assert_eq!(sizes, got, "{}: sizes", row.id);
    }
}
