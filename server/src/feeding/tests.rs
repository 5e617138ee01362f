//! A feed that is changed while it goes on, on its real thread: waited for by what it publishes, judged by due times.

use super::*;
use crate::{clock::Clock, hub, settings::ArrivalsSetting};

const BOUNDS: hub::LogBounds = hub::LogBounds {
    updates_per_topic: 100_000,
    bytes: 64 << 20,
};

fn settings(rate: f64) -> FeedSettings {
    FeedSettings {
        topics: Some(3),
        rate: Some(rate),
        seed: Some(7),
        ..FeedSettings::default()
    }
}

fn feeding(settings: &FeedSettings) -> Arc<Feeding> {
    let (feed, description) = settings.feed().expect("settings of a feed");
    let topic = |one: &feed::Match| hub::Topic {
        name: one.topic.clone(),
        home: one.home.clone(),
        away: one.away.clone(),
    };
    let hub = Hub::new(Clock::start(), feed.matches.iter().map(topic).collect(), BOUNDS);
    let feeding = Feeding::new(hub, Arc::default(), feed, description);
    feeding.may_change();
    feeding
}

/// Waits for so many updates in all.
fn published(feeding: &Feeding, updates: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut wakes = feeding.hub.wakes();
    runtime
        .block_on(wakes.wait_for(|offset| *offset >= updates))
        .expect("the hub is there");
}

/// Due times of everything published, in order of offset; of one topic, where one is named.
fn due_us(feeding: &Feeding, topic: Option<usize>) -> Vec<u64> {
    let told = feeding.hub.published(0, u64::MAX, true).topics;
    let lines = told
        .iter()
        .enumerate()
        .filter(|(index, _)| topic.is_none_or(|one| one == *index));
    let mut due: Vec<_> = lines
        .flat_map(|(_, one)| one.updates.iter().map(|update| update.due_us))
        .collect();
    due.sort_unstable();
    due
}

/// Topic, score, minute and event of everything in the log, one topic after the other.
fn content(feeding: &Feeding) -> Vec<Vec<serde_json::Value>> {
    let of_topic = |topic| {
        let since = crate::wire::Cursor {
            epoch: feeding.hub.epoch,
            offset: 0,
        };
        let mut reader = hub::Reader::open(
            feeding.hub.clone(),
            hub::Filter::Topic(topic),
            crate::wire::Mode::Every,
            Some(since),
        );
        let mut all = Vec::new();
        loop {
            let batch = reader.read(hub::BatchBounds {
                updates: 10_000,
                bytes: usize::MAX,
            });
            if batch.updates.is_empty() {
                return all;
            }
            all.extend(
                batch
                    .updates
                    .iter()
                    .map(|entry| serde_json::from_slice(&entry.json).expect("an update")),
            );
        }
    };
    (0..feeding.hub.topics().len()).map(of_topic).collect()
}

#[test]
fn the_matches_go_on_at_another_rate_and_size() {
    for arrivals in [
        ArrivalsSetting::Regular,
        ArrivalsSetting::Poisson,
        ArrivalsSetting::Burst,
    ] {
        let at = |rate, payload| FeedSettings {
            arrivals: Some(arrivals),
            payload,
            ..settings(rate)
        };
        let feeding = feeding(&at(100.0, None));
        feeding.start(feeding.hub.clock.now_us()).expect("a thread");
        published(&feeding, 60);
        let described = feeding.change(&at(400.0, Some(1_000))).expect("it goes on");
        assert_eq!((described.rate_hz, described.update_bytes), (Some(400.0), Some(1_000)));
        assert_eq!(feeding.description(), described);
        let changed_at = feeding.hub.log_stats().last_offset;
        published(&feeding, changed_at + 100);
        // Twice, from where the first change left the matches.
        feeding.change(&at(50.0, None)).expect("it goes on");
        published(&feeding, feeding.hub.log_stats().last_offset + 10);
        feeding.stop();

        let content = content(&feeding);
        let mut undisturbed = vec![Vec::new(); 3];
        for event in at(100.0, None).feed().expect("a feed").0.events.take(100_000) {
            undisturbed[event.topic].push(event);
        }
        for (updates, undisturbed) in content.iter().zip(&undisturbed) {
            assert!(updates.len() > 20, "{arrivals:?}: {}", updates.len());
            for (index, (update, event)) in updates.iter().zip(undisturbed).enumerate() {
                assert_eq!(update["seq"], index as u64 + 1, "{arrivals:?}");
                let told = (
                    &update["event"],
                    &update["player"],
                    &update["minute"],
                    &update["home_score"],
                    &update["away_score"],
                );
                let wanted = (
                    event.event,
                    event.player.as_ref(),
                    event.minute,
                    event.home_score,
                    event.away_score,
                );
                assert!(
                    *told.0 == wanted.0
                        && *told.1 == wanted.1
                        && *told.2 == wanted.2
                        && *told.3 == wanted.3
                        && *told.4 == wanted.4,
                    "{arrivals:?}: {update} is not {event:?}"
                );
            }
        }
        let mut all: Vec<_> = content.concat();
        all.sort_by_key(|update| update["offset"].as_u64());
        let due: Vec<_> = all
            .iter()
            .map(|update| update["due_us"].as_u64().expect("a time"))
            .collect();
        assert!(due.is_sorted(), "{arrivals:?}");
        assert!(
            all.iter()
                .enumerate()
                .all(|(index, update)| update["offset"] == index as u64 + 1)
        );
    }
}

#[test]
fn spacing_is_that_of_the_rate_on_both_sides_of_a_change() {
    let feeding = feeding(&settings(100.0));
    feeding.start(feeding.hub.clock.now_us()).expect("a thread");
    published(&feeding, 31);
    feeding.change(&settings(250.0)).expect("it goes on");
    published(&feeding, feeding.hub.log_stats().last_offset + 61);
    feeding.stop();
    let gaps = |topic| -> Vec<_> {
        due_us(&feeding, topic)
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect()
    };
    for (topic, before, after) in [(None, 3_333, 1_333), (Some(0), 10_000, 4_000), (Some(2), 10_000, 4_000)] {
        let gaps = gaps(topic);
        // Whole µs of exact times: one more or less.
        let is = |gap: u64, wanted: u64| (wanted..=wanted + 1).contains(&gap) || gap + 1 == wanted;
        let old = gaps.iter().take_while(|gap| is(**gap, before)).count();
        let new = gaps.iter().rev().take_while(|gap| is(**gap, after)).count();
        // The one between them is neither, nor shorter than the new one, and there is one in each topic.
        assert!(
            old + new + 1 >= gaps.len() && old > 5 && new > 15,
            "{topic:?}: {gaps:?}"
        );
        assert!(gaps.iter().all(|gap| gap + 1 >= after), "{topic:?}: {gaps:?}");
    }
}

#[test]
fn what_was_complete_stays_as_it_was() {
    // Silence ends a schedule: what follows would be complete for ever.
    let silent = settings(0.0);
    let feeding = feeding(&silent);
    feeding.start(feeding.hub.clock.now_us()).expect("a thread");
    let mut last = 0;
    for rate in [0.1, 500.0, 0.0, 0.1, 1000.0] {
        let now_us = feeding.hub.clock.now_us();
        assert!(
            !feeding.hub.published(0, now_us + 1_000_000, false).complete,
            "the future is not known"
        );
        let before = feeding.hub.published(0, now_us, true);
        feeding.change(&settings(rate)).expect("it goes on");
        if rate >= 500.0 {
            last = feeding.hub.log_stats().last_offset + 20;
            published(&feeding, last);
        }
        if before.complete {
            assert_eq!(feeding.hub.published(0, now_us, true).topics, before.topics, "{rate}");
        }
    }
    feeding.stop();
    assert!(last >= 40);
}

#[test]
fn what_cannot_be_changed_says_why_and_goes_on() {
    let feeding = feeding(&settings(100.0));
    assert!(matches!(feeding.change(&settings(10.0)), Err(ChangeError::Waiting)));
    feeding.start(feeding.hub.clock.now_us()).expect("a thread");
    let before = feeding.description();
    let payload = FeedSettings {
        payload: Some(10),
        ..settings(10.0)
    };
    for refused in [settings(5_000.0), settings(-1.0), payload] {
        assert!(
            matches!(feeding.change(&refused), Err(ChangeError::Settings(_))),
            "{refused:?}"
        );
    }
    let other = FeedSettings {
        seed: Some(8),
        ..settings(10.0)
    };
    assert!(matches!(feeding.change(&other), Err(ChangeError::OtherMatches)));
    assert_eq!(feeding.description(), before);
    published(&feeding, feeding.hub.log_stats().last_offset + 10);
    feeding.stop();
    assert!(matches!(feeding.change(&settings(10.0)), Err(ChangeError::Over(_))));
}

#[test]
fn a_replay_has_no_rate() {
    let replay = FeedSettings {
        replay: Some("knock-out-2022".into()),
        ..FeedSettings::default()
    };
    let feeding = feeding(&replay);
    feeding.start(feeding.hub.clock.now_us()).expect("a thread");
    assert!(matches!(feeding.change(&replay), Err(ChangeError::Given(kind)) if kind == "replay"));
    feeding.stop();
}
