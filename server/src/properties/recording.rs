//! Recordings: lines of JSON that a server wrote, or an editor has been at.

use std::time::Duration;

use crate::feed::{
    kind,
    recording::{self, MAX_UPDATES, ReadError},
};

/// No fault's words are longer, whatever stands in the file.
const FAULT_MAX_BYTES: usize = 1_000;

/// Any bytes are refused with a line and a reason, or make a feed in order, of matches that it knows; what stands in front of a torn last line is
/// played.
pub fn check(data: &[u8]) {
    let recorded = match recording::read(data, 1.0) {
        Ok(recorded) => recorded,
        Err(error) => {
            let said = error.to_string();
            assert!(
                matches!(error, ReadError::Line(_)),
                "bytes in memory can be read: {said}"
            );
            assert!(said.starts_with("line ") && said.len() < FAULT_MAX_BYTES, "{said}");
            return;
        }
    };
    let lines = data.split(|byte| *byte == b'\n').count() as u64;
    let feed = recorded.feed;
    let extent = feed.extent.expect("a recording ends");
    let (mut last, mut events) = (Duration::ZERO, 0);
    for event in feed.events {
        assert!(event.due >= last && event.topic < feed.matches.len());
        assert!(kind::ALL.contains(&event.event), "{}", event.event);
        (last, events) = (event.due, events + 1);
    }
    assert_eq!((extent.events, extent.length), (events, last));
    assert!(
        (events as u64) < lines.min(MAX_UPDATES + 1),
        "a line for each update, and one before them"
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::check;
    use crate::{feed::recording, properties::cases};

    const HEADER: &str = r#"{"recording":"live score feed","version":1,"topics":[{"topic":"match-1","home":"A","away":"B"},{"topic":"match-2","home":"C","away":"D"}]}"#;

    fn rarely(good: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
        let odd = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ];
        prop_oneof![60 => good, 1 => odd]
    }

    fn line() -> impl Strategy<Value = Value> {
        let topic = prop::sample::select(&["match-1", "match-2"][..]).prop_map(Value::from);
        let event = prop::sample::select(crate::feed::kind::ALL).prop_map(Value::from);
        let fields = (
            rarely((0..50_000_000u64).prop_map(Value::from)),
            rarely(topic),
            rarely((0..9u16).prop_map(Value::from)),
            rarely((0..120u16).prop_map(Value::from)),
            rarely(event),
            rarely(".{0,20}".prop_map(Value::from)),
        );
        fields.prop_map(|(at_us, topic, score, minute, event, player)| {
            json!({"at_us": at_us, "topic": topic, "home_score": score, "away_score": 0, "minute": minute, "event": event, "player": player})
        })
    }

    fn text(lines: &[Value]) -> String {
        let lines = lines.iter().map(|line| format!("{line}\n"));
        format!("{HEADER}\n{}", lines.collect::<String>())
    }

    proptest! {
        #![proptest_config(cases(2))]

        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..200)) {
            check(&data);
        }

        #[test]
        fn recordings_good_and_bad(lines in prop::collection::vec(line(), 0..6)) {
            check(text(&lines).as_bytes());
        }

        #[test]
        fn wherever_it_is_cut_off_what_is_whole_is_played(seconds in prop::collection::vec(1..100u64, 1..8), cut in 0..400usize) {
            let at = |second: &u64| json!({"at_us": second * 1_000_000, "topic": "match-1", "home_score": 0, "away_score": 0, "minute": 1,
                "event": "clock", "player": ""});
            let mut seconds = seconds;
            seconds.sort_unstable();
            let whole = text(&seconds.iter().map(at).collect::<Vec<_>>());
            let kept = &whole.as_bytes()[..whole.len() - cut.min(whole.len())];
            check(kept);
            let lines = kept.iter().filter(|byte| **byte == b'\n').count();
            // The header and one update at least: less is nothing to play.
            if lines >= 2 {
                let recorded = recording::read(kept, 1.0).expect("what is whole is played");
                let events = recorded.feed.extent.expect("it ends").events;
                // A last line that lacks nothing but its end is whole, too.
                prop_assert!(events == lines - 1 || events == lines, "{events} of {lines} lines");
            }
        }
    }
}
