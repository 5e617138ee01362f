//! Files to replay: an openfootball worldcup.json, written by hand by anyone.

use std::path::Path;

use crate::feed::{kind, replay};

/// No fault's words are longer, whatever stands in the file.
const FAULT_MAX_BYTES: usize = 1_000;
/// A match minute takes half a second.
const SPEED: f64 = 120.0;

/// Any file is refused with a place and a reason, or makes a feed in order that ends with the file's results.
pub fn check(data: &[u8]) {
    let tournament = match replay::parse(Path::new("check.json"), data) {
        Ok(tournament) => tournament,
        Err(error) => {
            let said = error.to_string();
            assert!(said.starts_with("check.json") && said.len() < FAULT_MAX_BYTES, "{said}");
            return;
        }
    };
    let feed = replay::course::lay_out(&tournament.played, SPEED);
    assert_eq!(feed.matches.len(), tournament.played.len());
    let extent = feed.extent.expect("matches end");
    let mut last = std::time::Duration::ZERO;
    let mut events = 0;
    let mut scores = vec![[0; 2]; feed.matches.len()];
    let mut ended = vec![false; feed.matches.len()];
    for event in feed.events {
        assert!(event.due >= last && event.minute <= replay::minute::MAX);
        assert!(kind::ALL.contains(&event.event), "{}", event.event);
        (last, events) = (event.due, events + 1);
        let score = [event.home_score, event.away_score];
        if event.event != kind::CORRECTION {
            let fell = scores[event.topic].iter().zip(score).any(|(before, now)| now < *before);
            assert!(!fell, "a score fell without a correction");
        }
        scores[event.topic] = score;
        ended[event.topic] |= event.event == kind::FULL_TIME;
    }
    assert_eq!((extent.events, extent.length), (events, last));
    for (topic, of) in tournament.played.iter().enumerate() {
        assert_eq!(
            (scores[topic], ended[topic]),
            (of.result, true),
            "{} - {}",
            of.home,
            of.away
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::check;
    use crate::properties::cases;

    /// Values as such a file has them, and as it should not.
    fn odd() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,100}".prop_map(Value::from),
            Just(json!([[[]]])),
            Just(json!({"minute": {"minute": 1}})),
        ]
    }

    fn rarely(good: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
        prop_oneof![40 => good, 1 => odd()]
    }

    fn score() -> impl Strategy<Value = Value> {
        rarely((0..12u16, 0..12u16).prop_map(|(home, away)| json!([home, away])))
    }

    fn goals() -> impl Strategy<Value = Value> {
        let minute = prop_oneof![
            (0..125u16).prop_map(Value::from),
            (prop::sample::select(&[45, 90, 105, 120, 60][..]), 0..33u16)
                .prop_map(|(minute, more)| format!("{minute}+{more}").into()),
        ];
        let flag = || prop::option::of(rarely(any::<bool>().prop_map(Value::from)));
        let goal = (
            rarely("[A-Za-z \u{e9}\"\\\\]{1,30}".prop_map(Value::from)),
            rarely(minute),
            flag(),
            flag(),
            prop::option::weighted(0.1, rarely((0..40u16).prop_map(Value::from))),
        );
        let goal = goal.prop_map(|(name, minute, owngoal, penalty, offset)| {
            let mut goal = json!({"name": name, "minute": minute, "owngoal": owngoal, "penalty": penalty});
            if let Some(offset) = offset {
                goal["offset"] = offset;
            }
            goal
        });
        rarely(prop::collection::vec(goal, 0..8).prop_map(Value::from))
    }

    fn fixture() -> impl Strategy<Value = Value> {
        let part = || prop::option::of(score());
        let scores =
            (part(), part(), part(), part()).prop_map(|(ht, ft, et, p)| json!({"ht": ht, "ft": ft, "et": et, "p": p}));
        let name = || rarely("[A-Z][a-z]{1,90}".prop_map(Value::from));
        let fixture = (
            name(),
            name(),
            prop::option::of(scores),
            prop::option::of(goals()),
            prop::option::of(goals()),
        );
        rarely(fixture.prop_map(|(team1, team2, score, goals1, goals2)| {
            json!({"team1": team1, "team2": team2, "score": score, "goals1": goals1, "goals2": goals2})
        }))
    }

    proptest! {
        #![proptest_config(cases(2))]

        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..200)) {
            check(&data);
        }

        #[test]
        fn tournaments_good_and_bad(fixtures in prop::collection::vec(fixture(), 0..4)) {
            check(json!({"matches": fixtures}).to_string().as_bytes());
        }
    }
}
