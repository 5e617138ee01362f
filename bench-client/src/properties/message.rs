//! WebSocket messages from the server: an update, or a reset.

use super::{RECEIVED_US, decoder, is_told, refused, topics};
use crate::transports::{Arrivals, decode::agreement, websocket};

/// Any text is one update as it stands there, a reset, or refused.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    agreement::of_update(text, &topics().into());
    let mut arrivals = Arrivals::default();
    match websocket::read_message(text, &mut decoder(), RECEIVED_US, &mut arrivals) {
        Err(error) => refused(&error, &arrivals),
        Ok(cursor) => match (&arrivals.updates[..], arrivals.reset) {
            ([], true) => {}
            ([arrival], false) => {
                assert_eq!(arrival.cursor, cursor);
                is_told(text, arrival);
            }
            other => panic!("{other:?} of {text}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use server::wire::{Cursor, Reset, ResetMessage, ResetReason};

    use super::*;
    use crate::properties::{cases, edited, edits, encoded, mutate, update};

    proptest! {
        #![proptest_config(cases(1))]

        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..100)) {
            check(&data);
        }

        #[test]
        fn an_update_comes_as_it_was_sent(sent in update()) {
            let mut arrivals = Arrivals::default();
            let cursor = websocket::read_message(&encoded(&sent), &mut decoder(), RECEIVED_US, &mut arrivals).expect("an update");
            prop_assert_eq!((cursor.epoch, cursor.offset, arrivals.updates[0].seq), (sent.epoch, sent.offset, sent.seq));
            check(encoded(&sent).as_bytes());
            // What has nothing to escape is not left to serde_json.
            let plain = !encoded(&sent).contains('\\') && sent.epoch.max(sent.offset).max(sent.seq).max(sent.due_us) < 10u64.pow(19);
            prop_assert!(!plain || agreement::of_update(&encoded(&sent), &topics().into()));
        }

        #[test]
        fn a_reset_comes_as_it_was_sent(epoch: u64, offset: u64) {
            let cursor = Cursor { epoch, offset };
            let message = ResetMessage { reset: Reset { reason: ResetReason::Evicted }, cursor };
            let text = serde_json::to_string(&message).expect("plain data");
            let mut arrivals = Arrivals::default();
            prop_assert_eq!(websocket::read_message(&text, &mut decoder(), RECEIVED_US, &mut arrivals).ok(), Some(cursor));
            prop_assert!(arrivals.reset);
        }

        #[test]
        fn nearly_updates(sent in update(), changes in prop::collection::vec(any::<u8>(), 0..40), cut in prop::option::weighted(0.2, any::<usize>())) {
            let mut value = serde_json::to_value(&sent).expect("plain data");
            mutate::all(&mut value, &changes);
            let mut text = value.to_string().into_bytes();
            text.truncate(cut.map_or(text.len(), |cut| cut % (text.len() + 1)));
            check(&text);
        }

        #[test]
        fn an_update_edited_by_hand(sent in update(), edits in edits()) {
            check(&edited(&encoded(&sent), &edits));
        }

        #[test]
        fn nearly_resets(reason in "(evicted|ahead|other_epoch|[a-z]{0,9}|x{3000})", cursor in "[0-9]{1,20}-?[0-9]{0,20}") {
            check(format!(r#"{{"reset":{{"reason":"{reason}"}},"cursor":"{cursor}"}}"#).as_bytes());
        }
    }
}
