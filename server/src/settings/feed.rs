//! What can be set of the feed: simulated matches, real ones, or a recording; and the feed these settings ask for.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::{
    FeedDescription, RECORDING,
    feed::{
        Feed,
        replay::{Replay, ReplayError, ReplayKind},
        simulated::{Arrivals, Season, Simulated, SimulatedError},
    },
    hub::encode,
    wire::Update,
};

/// Largest encoded update.
pub const UPDATE_MAX_BYTES: u32 = 64 * 1024;

/// The newest state, an update of every topic, is one answer: topics × payload may not be larger.
const NEWEST_STATE_MAX_BYTES: u64 = 16 * 1024 * 1024;

pub const DEFAULT_RATE_HZ: f64 = 5.0;
pub const DEFAULT_BURST_SIZE: u32 = 10;
pub const DEFAULT_SEED: u64 = 1;

/// The feed: simulated matches, real ones, or what was recorded.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Feed")]
pub struct FeedSettings {
    /// Matches played at once, each a topic [default: 1]
    #[arg(long, env = "FEED_TOPICS", value_name = "N")]
    pub topics: Option<u32>,
    /// Updates per second and topic, 0.1 to 1000; 0 is silence [default: 5]
    #[arg(long, env = "FEED_RATE", value_name = "HZ", allow_negative_numbers = true)]
    pub rate: Option<f64>,
    /// Size of each whole encoded update in bytes, up to 65536 [default: as long as it comes]
    #[arg(long, env = "FEED_PAYLOAD", value_name = "BYTES")]
    pub payload: Option<u32>,
    /// How updates are spread over time [default: regular]
    #[arg(long, env = "FEED_ARRIVALS", value_enum)]
    pub arrivals: Option<ArrivalsSetting>,
    /// Updates due at once, for burst arrivals [default: 10]
    #[arg(long, env = "FEED_BURST_SIZE", value_name = "N")]
    pub burst_size: Option<u32>,
    /// Same seed, same updates [default: 1]
    #[arg(long, env = "FEED_SEED", value_name = "N")]
    pub seed: Option<u64>,
    /// Play real matches instead, of an openfootball worldcup.json or of the table knock-out-2022 that comes along; or what
    /// --record has written
    #[arg(long, env = "FEED_REPLAY", value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// How many times faster than the real match, for a replay [default: 60]; than it was, for a recording [default: 1]
    #[arg(long, env = "FEED_SPEED", value_name = "X", allow_negative_numbers = true)]
    pub speed: Option<f64>,
}

impl ArrivalsSetting {
    pub fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Poisson => "poisson",
            Self::Burst => "burst",
        }
    }
}

/// Spread of updates over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArrivalsSetting {
    /// Evenly spaced
    Regular,
    /// Exponential gaps, as independent events have
    Poisson,
    /// Several at once, then silence; the same mean rate
    Burst,
}

/// Settings that make no feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedSettingsError {
    #[error("{0} makes no sense for a replay: the file says when and what; leave it out, or leave out --replay")]
    NotForReplay(&'static str),
    #[error("--speed is for a replay: name a file with --replay, or use --rate")]
    OnlyForReplay,
    #[error("--burst-size is for burst arrivals: add --arrivals burst, or leave it out")]
    OnlyForBurst,
    #[error(
        "--payload {asked}: an update of this feed takes up to {smallest} bytes, and {UPDATE_MAX_BYTES} are the most; \
             ask for {smallest} to {UPDATE_MAX_BYTES}, or leave it out to send updates as long as they come"
    )]
    Payload { asked: u32, smallest: usize },
    #[error("{topics} topics of {asked}-byte updates: the newest state of all is one answer, and {NEWEST_STATE_MAX_BYTES} bytes \
             are the most; ask for a --payload of at most {} or for fewer --topics", NEWEST_STATE_MAX_BYTES / *.topics)]
    NewestState { topics: u64, asked: u32 },
    #[error(transparent)]
    Simulated(#[from] SimulatedError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

impl FeedSettings {
    /// The feed these settings ask for, and what `/api/stats` says of it.
    pub fn feed(&self) -> Result<(Feed, FeedDescription), FeedSettingsError> {
        self.feed_after(None)
    }

    /// The same, gone on from where the matches of `season` are; that has the seed and the topics of these settings, and is no replay.
    pub(crate) fn feed_after(&self, season: Option<&Season>) -> Result<(Feed, FeedDescription), FeedSettingsError> {
        let (feed, description) = match &self.replay {
            Some(source) => self.replayed(source)?,
            None => self.simulated(season)?,
        };
        if let Some(asked) = description.update_bytes {
            let smallest = smallest_update_bytes(&feed);
            if (asked as usize) < smallest || asked > UPDATE_MAX_BYTES {
                return Err(FeedSettingsError::Payload { asked, smallest });
            }
            let topics = feed.matches.len() as u64;
            if topics * u64::from(asked) > NEWEST_STATE_MAX_BYTES {
                return Err(FeedSettingsError::NewestState { topics, asked });
            }
        }
        Ok((feed, description))
    }

    fn simulated(&self, season: Option<&Season>) -> Result<(Feed, FeedDescription), FeedSettingsError> {
        let arrivals = self.arrivals.unwrap_or(ArrivalsSetting::Regular);
        if self.speed.is_some() {
            return Err(FeedSettingsError::OnlyForReplay);
        }
        if self.burst_size.is_some() && arrivals != ArrivalsSetting::Burst {
            return Err(FeedSettingsError::OnlyForBurst);
        }
        let simulated = Simulated {
            topics: self.topics.unwrap_or(1),
            rate_hz: self.rate.unwrap_or(DEFAULT_RATE_HZ),
            arrivals: match arrivals {
                ArrivalsSetting::Regular => Arrivals::Regular,
                ArrivalsSetting::Poisson => Arrivals::Poisson,
                ArrivalsSetting::Burst => Arrivals::Burst {
                    size: self.burst_size.unwrap_or(DEFAULT_BURST_SIZE),
                },
            },
            seed: self.seed.unwrap_or(DEFAULT_SEED),
        };
        let description = FeedDescription {
            kind: "simulated".into(),
            topics: simulated.topics,
            rate_hz: Some(simulated.rate_hz),
            arrivals: Some(arrivals.name().into()),
            seed: Some(simulated.seed),
            speed: None,
            update_bytes: self.payload,
        };
        let feed = match season {
            Some(season) => simulated.feed_after(season)?,
            None => simulated.feed()?,
        };
        Ok((feed, description))
    }

    fn replayed(&self, source: &Path) -> Result<(Feed, FeedDescription), FeedSettingsError> {
        let for_simulated = [
            ("--topics", self.topics.is_some()),
            ("--rate", self.rate.is_some()),
            ("--arrivals", self.arrivals.is_some()),
            ("--burst-size", self.burst_size.is_some()),
            ("--seed", self.seed.is_some()),
        ];
        if let Some((flag, _)) = for_simulated.iter().find(|(_, given)| *given) {
            return Err(FeedSettingsError::NotForReplay(flag));
        }
        let replay = Replay {
            source: source.to_owned(),
            speed: self.speed,
        };
        let replayed = replay.feed()?;
        let description = FeedDescription {
            kind: match replayed.kind {
                ReplayKind::Matches | ReplayKind::Table => "replay".into(),
                ReplayKind::Recording => RECORDING.into(),
            },
            topics: replayed.feed.matches.len() as u32,
            rate_hz: None,
            arrivals: None,
            seed: None,
            speed: Some(replayed.speed),
            // A recording says itself how large its updates were.
            update_bytes: self.payload.or(replayed.update_bytes),
        };
        Ok((replayed.feed, description))
    }
}

/// What the largest bare update of a feed takes, with times as they are today and positions of six digits.
fn smallest_update_bytes(feed: &Feed) -> usize {
    const NOW_US: u64 = 9_999_999_999_999_999;
    const POSITION: u64 = 999_999;
    let (of, event) = (&feed.longest.of, &feed.longest.event);
    let longest = Update {
        topic: of.topic.as_str().into(),
        epoch: NOW_US / 1_000,
        offset: POSITION,
        seq: POSITION,
        due_us: NOW_US,
        sent_us: NOW_US,
        home: of.home.as_str().into(),
        away: of.away.as_str().into(),
        home_score: event.home_score,
        away_score: event.away_score,
        minute: event.minute,
        event: event.event.into(),
        player: event.player.as_ref().into(),
        pad: None,
    };
    encode(longest, Some(0)).len()
}
