//! The first line of a recording: what it is, and the matches that its updates are of.

use std::{borrow::Cow, collections::HashSet, io};

use serde::{Deserialize, Serialize};

use super::read::{Mismatch, name, short, without_line};
use crate::feed::{
    Match,
    replay::worldcup::{MAX_MATCHES, MAX_NAME_BYTES},
};

/// What the first line calls itself.
const NAME: &str = "live score feed";
const VERSION: u32 = 1;
const HEADER: &str =
    r#"{"recording":"live score feed","version":1,"update_bytes":…,"topics":[{"topic":…,"home":…,"away":…}]}"#;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    #[serde(borrow)]
    recording: Cow<'a, str>,
    version: u32,
    /// Size every update was filled up to; null: as long as it came.
    update_bytes: Option<u32>,
    #[serde(borrow)]
    topics: Vec<TopicLine<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicLine<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    home: Cow<'a, str>,
    #[serde(borrow)]
    away: Cow<'a, str>,
}

/// The line for these matches, with its end.
pub fn write(matches: &[Match], update_bytes: Option<u32>) -> io::Result<Vec<u8>> {
    let topic = |one| {
        let Match { topic, home, away }: &Match = one;
        TopicLine {
            topic: topic.into(),
            home: home.into(),
            away: away.into(),
        }
    };
    let header = Header {
        recording: NAME.into(),
        version: VERSION,
        update_bytes,
        topics: matches.iter().map(topic).collect(),
    };
    let mut line = serde_json::to_vec(&header)?;
    line.push(b'\n');
    Ok(line)
}

/// The matches of the line, and the size of its updates.
pub fn read(text: &[u8]) -> Result<(Vec<Match>, Option<u32>), Mismatch> {
    let header: Header = serde_json::from_slice(text).map_err(|error| Mismatch::new(HEADER, without_line(&error)))?;
    if (header.recording.as_ref(), header.version) != (NAME, VERSION) {
        let found = format!("{:?} of version {}", short(&header.recording), header.version);
        return Err(Mismatch::new(
            format!("a recording called {NAME:?} of version {VERSION}"),
            found,
        ));
    }
    let count = header.topics.len();
    if !(1..=MAX_MATCHES).contains(&count) {
        return Err(Mismatch::new(format!("1 to {MAX_MATCHES} topics"), count.to_string()));
    }
    let mut matches: Vec<Match> = Vec::with_capacity(count);
    let mut seen = HashSet::new();
    for one in header.topics {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let is_topic = (1..=MAX_NAME_BYTES).contains(&one.topic.len()) && one.topic.bytes().all(plain);
        if !is_topic || one.topic == "all" {
            let expected =
                format!("topics of 1 to {MAX_NAME_BYTES} letters, digits, dashes and dots, and none called \"all\"");
            return Err(Mismatch::new(expected, format!("{:?}", short(&one.topic))));
        }
        for team in [&one.home, &one.away] {
            name(team, "teams")?;
        }
        if !seen.insert(one.topic.to_string()) {
            return Err(Mismatch::new(
                "each topic once",
                format!("{:?} twice", short(&one.topic)),
            ));
        }
        matches.push(Match {
            topic: one.topic.into_owned(),
            home: one.home.into_owned(),
            away: one.away.into_owned(),
        });
    }
    Ok((matches, header.update_bytes))
}
