//! Answers to polls: a batch of updates, taken whole or not at all.

use super::{RECEIVED_US, decoder, refused, topics};
use crate::transports::{Arrivals, decode::agreement};

/// Any body is every update in it and a place to go on from, or refused with nothing taken.
pub fn check(data: &[u8]) {
    agreement::of_answer(data, &topics().into());
    let mut arrivals = Arrivals::default();
    match decoder().answer(data, RECEIVED_US, &mut arrivals) {
        Err(error) => refused(&error, &arrivals),
        Ok(answer) => {
            assert_eq!(answer.updates, arrivals.updates.len());
            assert!(
                !answer.more || answer.updates > 0,
                "asking again at once would never end"
            );
            let Ok(value) = serde_json::from_slice::<serde_json::Value>(data) else {
                return;
            };
            let told = value["updates"].as_array().map(Vec::len);
            assert_eq!(told, Some(answer.updates));
            assert_eq!(arrivals.reset, value.get("reset").is_some_and(|reset| !reset.is_null()));
            for arrival in &arrivals.updates {
                assert!(arrival.bytes as usize <= data.len() && arrival.topic < 2);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::{cases, edited, edits, encoded, mutate, update};

    fn answer(sent: &[server::wire::Update<'_>], rest: &str) -> String {
        let updates: Vec<_> = sent.iter().map(encoded).collect();
        format!(r#"{{"updates":[{}],"cursor":"7-42"{rest}}}"#, updates.join(","))
    }

    proptest! {
        #![proptest_config(cases(1))]

        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..100)) {
            check(&data);
        }

        #[test]
        fn updates_come_as_they_were_sent(
            sent in prop::collection::vec(update(), 0..4),
            rest in prop::sample::select(&["", r#","more":true"#, r#","reset":{"reason":"ahead"}"#][..]),
        ) {
            let body = answer(&sent, rest);
            let mut arrivals = Arrivals::default();
            let read = decoder().answer(body.as_bytes(), RECEIVED_US, &mut arrivals);
            if sent.is_empty() && rest.contains("more") {
                prop_assert!(read.is_err());
            } else {
                let read = read.expect("a good answer");
                prop_assert_eq!((read.cursor.to_string(), read.more), ("7-42".to_owned(), rest.contains("more")));
                let seqs: Vec<_> = arrivals.updates.iter().map(|one| one.seq).collect();
                prop_assert_eq!(seqs, sent.iter().map(|one| one.seq).collect::<Vec<_>>());
                for (arrival, update) in arrivals.updates.iter().zip(&sent) {
                    crate::properties::is_told(&encoded(update), arrival);
                }
            }
            check(body.as_bytes());
        }

        #[test]
        fn an_answer_edited_by_hand(
            sent in prop::collection::vec(update(), 0..3),
            rest in prop::sample::select(&["", r#","more":true"#][..]),
            edits in edits(),
        ) {
            check(&edited(&answer(&sent, rest), &edits));
        }

        #[test]
        fn nearly_answers(sent in prop::collection::vec(update(), 0..3), changes in prop::collection::vec(any::<u8>(), 0..40), cut in prop::option::weighted(0.2, any::<usize>())) {
            let mut value = serde_json::from_str(&answer(&sent, r#","more":false"#)).expect("JSON");
            mutate::all(&mut value, &changes);
            let mut body = value.to_string().into_bytes();
            body.truncate(cut.map_or(body.len(), |cut| cut % (body.len() + 1)));
            check(&body);
        }
    }
}
