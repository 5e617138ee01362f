//! Who drives the feed into the hub, and how another schedule takes its place while clients read on.
//!
//! ```text
//! Feed -> Driver (a thread) -> HubSink -> hub, and the recording where one is made
//!           |  stop, join         ^ gives the sink back: seq, offset and epoch are in it
//! change: the season played to here -> Feed at another rate -> another Driver
//! ```
//!
//! Due times never go back: the first update of a new schedule is due when it would be after the last one, but not before the change.
//! What the old schedule owed and had not handed out by then is due by the new one. An interval that was called complete stays as it
//! is, because a feed that may change promises nothing about the future (see `Hub::may_change`).
//!
//! Only invented matches can be changed: what happens in them depends on the seed alone, when it happens is free. A replay is given. A recording goes on with
//! what is due when, but says one size of updates: the one it began with.

use std::{io, mem, path::Path, sync::Arc, time::Duration};

use parking_lot::{Mutex, RwLock};

use crate::{
    FeedDescription,
    feed::{
        self, Driver, Event, Feed, Sink,
        recording::{RecordError, Recorder, Tap},
        simulated::Season,
    },
    hub::{Draft, Hub, Publisher},
    settings::{FeedSettings, FeedSettingsError},
    stats::Stats,
};

/// A change that was not made. But for [`ChangeError::Thread`] the feed goes on as before.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    Settings(#[from] FeedSettingsError),
    #[error("the feed is a {0}, which says itself when an update is due: only a simulated feed has a rate to choose")]
    Given(String),
    #[error("other matches: topics, seed and arrivals of a feed stay what they are")]
    OtherMatches,
    #[error("the feed has not started yet")]
    Waiting,
    #[error("the feed has stopped: {0}")]
    Over(String),
    #[error("the feed's thread could not be started again, and nothing more is published: {0}")]
    Thread(io::Error),
}

/// The feed of a server, from before its start to its end.
pub struct Feeding {
    hub: Arc<Hub>,
    stats: Arc<Stats>,
    /// Changes with the feed.
    description: RwLock<FeedDescription>,
    state: Mutex<State>,
    /// How far the matches were at the last change; none before the first. Who has it makes a change.
    season: Mutex<Option<Season>>,
}

enum State {
    Waiting {
        feed: Box<Feed>,
        tap: Option<Tap>,
    },
    Playing {
        driver: Driver<HubSink>,
        start_us: u64,
    },
    /// Why, in words.
    Over(String),
}

impl Feeding {
    pub fn new(hub: Arc<Hub>, stats: Arc<Stats>, feed: Feed, description: FeedDescription) -> Arc<Self> {
        Arc::new(Self {
            hub,
            stats,
            description: RwLock::new(description),
            state: Mutex::new(State::Waiting {
                feed: Box::new(feed),
                tap: None,
            }),
            season: Mutex::default(),
        })
    }

    /// The feed as it is now.
    pub fn description(&self) -> FeedDescription {
        self.description.read().clone()
    }

    /// To be called before the feed starts, where it is to be changed later.
    pub fn may_change(&self) {
        self.hub.may_change();
    }

    /// Records from the first update on; nothing where the feed has started.
    pub fn record(&self, path: &Path) -> Result<Option<Recorder>, RecordError> {
        let update_bytes = self.description.read().update_bytes;
        let State::Waiting { feed, tap } = &mut *self.state.lock() else {
            return Ok(None);
        };
        let counts = self.stats.recording.clone();
        let (recorder, own) = Recorder::create(path, &feed.matches, update_bytes, counts)?;
        *tap = Some(own);
        Ok(Some(recorder))
    }

    /// Starts the feed: its first due time counts from `start_us` of the hub's clock. Later calls change nothing.
    pub fn start(&self, start_us: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        let (feed, tap) = match mem::replace(&mut *state, State::Over("its thread could not be started".into())) {
            State::Waiting { feed, tap } => (feed, tap),
            started => {
                *state = started;
                return Ok(());
            }
        };
        let sink = HubSink {
            publisher: Publisher::new(self.hub.clone(), self.update_bytes()),
            hub: self.hub.clone(),
            stats: self.stats.clone(),
            tap,
            last_due_us: start_us,
        };
        *state = State::Playing {
            driver: self.drive(feed.events, start_us, sink)?,
            start_us,
        };
        Ok(())
    }

    /// Goes on at the rate and the size of these settings, which are of the same matches. Blocks for as long as it takes to play what
    /// was published since the last change, without waiting; the feed stands still for a small part of that.
    ///
    /// # Errors
    /// See [`ChangeError`].
    pub fn change(&self, settings: &FeedSettings) -> Result<FeedDescription, ChangeError> {
        let now = self.description();
        let Some(seed) = now.seed else {
            return Err(ChangeError::Given(now.kind));
        };
        // What is wrong with the settings is found before anything is touched.
        let (_, wanted) = settings.feed()?;
        if (wanted.topics, wanted.seed, &wanted.arrivals) != (now.topics, now.seed, &now.arrivals) {
            return Err(ChangeError::OtherMatches);
        }
        let mut season = self.season.lock();
        let season = season.get_or_insert_with(|| Season::new(seed, now.topics));
        // While the feed still goes on, so that it stands still for what comes after this alone, however long it has run.
        season.play_to(&self.hub.played());
        let mut state = self.state.lock();
        let (driver, start_us) = match mem::replace(&mut *state, State::Over("a change failed".into())) {
            State::Playing { driver, start_us } => (driver, start_us),
            other => {
                let refusal = match &other {
                    State::Over(why) => ChangeError::Over(why.clone()),
                    _ => ChangeError::Waiting,
                };
                *state = other;
                return Err(refusal);
            }
        };
        driver.stop();
        let mut sink = match driver.join() {
            Ok((_, sink)) => sink,
            Err(panicked) => {
                *state = State::Over(panicked.to_string());
                return Err(ChangeError::Over(panicked.to_string()));
            }
        };
        season.play_to(sink.publisher.played());
        let (feed, description) = settings.feed_after(Some(season))?;
        *self.description.write() = description.clone();
        sink.publisher.fill_up_to(self.update_bytes());
        let events = shifted(feed.events, start_us, sink.last_due_us, self.hub.reopen());
        *state = State::Playing {
            driver: self.drive(events, start_us, sink).map_err(ChangeError::Thread)?,
            start_us,
        };
        Ok(description)
    }

    /// Ends the feed for good, and the recording with it. Blocks until its thread has ended, which publishes one more update at most.
    pub fn stop(&self) {
        if let State::Playing { driver, .. } =
            mem::replace(&mut *self.state.lock(), State::Over("so has the server".into()))
        {
            driver.stop();
            if let Err(panicked) = driver.join() {
                tracing::error!(%panicked, "the feed ended badly");
            }
        }
    }

    fn update_bytes(&self) -> Option<usize> {
        self.description.read().update_bytes.map(|bytes| bytes as usize)
    }

    fn drive(
        &self,
        events: impl Iterator<Item = Event> + Send + 'static,
        start_us: u64,
        sink: HubSink,
    ) -> io::Result<Driver<HubSink>> {
        let clock = self.hub.clock;
        feed::drive(events, start_us, move || clock.now_us(), sink)
    }
}

/// Events whose due times count from the last one published, moved so that they count from the start of the feed as ever: the driver
/// and a recording see one feed. The first is due at `now_us` where it would have been before.
fn shifted(events: feed::Events, start_us: u64, last_due_us: u64, now_us: u64) -> impl Iterator<Item = Event> + Send {
    let mut events = events.peekable();
    let gap_us = events
        .peek()
        .map_or(0, |first| u64::try_from(first.due.as_micros()).unwrap_or(u64::MAX));
    let zero_us = last_due_us.max(now_us.saturating_sub(gap_us));
    let shift = Duration::from_micros(zero_us.saturating_sub(start_us));
    events.map(move |mut event| {
        event.due = event.due.saturating_add(shift);
        event
    })
}

/// Hands the feed's events to the hub.
struct HubSink {
    publisher: Publisher,
    hub: Arc<Hub>,
    stats: Arc<Stats>,
    tap: Option<Tap>,
    /// Of the newest update; of the feed's start before the first.
    last_due_us: u64,
}

impl Sink for HubSink {
    fn publish(&mut self, event: &Event, due_us: u64) {
        self.publisher.publish(Draft {
            topic: event.topic,
            due_us,
            home_score: event.home_score,
            away_score: event.away_score,
            minute: event.minute,
            event: event.event,
            player: &event.player,
        });
        self.last_due_us = due_us;
        self.stats.updates.inc();
        if let Some(tap) = &mut self.tap {
            tap.note(event);
        }
    }

    fn complete_before(&mut self, next_due_us: Option<u64>) {
        self.hub.complete_before(next_due_us.unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests;
