//! Why a plan is refused, in words: the value, the limit and the way out.

use server::settings::FeedSettingsError;

use super::check::UPDATES_LEAST;
use crate::{floor, scenario::suggestion, thresholds::ThresholdError};

/// Why a plan cannot be made. Each names the value, the limit and the way out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("no transport {name:?}{}; there are {}", suggestion(.nearest.as_deref()), known())]
    UnknownTransport { name: String, nearest: Option<String> },
    #[error("transport {0:?} is named twice: once is enough")]
    Twice(String),
    #[error("no transport is named; there are {}", known())]
    NoTransport,
    #[error("{0}: the scenario's variants say it each for themselves; leave it out, or make a scenario of your own")]
    Varied(&'static str),
    #[error("variant {0:?}: expected a name of 1 to 32 lower-case letters, digits and dashes")]
    VariantName(String),
    #[error("variant {0:?} is named twice: tables and files tell variants apart by name")]
    VariantTwice(String),
    #[error(
        "one variant ({0:?}) leaves nothing to compare it with: write its keys into the scenario itself, or add another"
    )]
    OneVariant(String),
    #[error("{count} variants: {most} are the most that a table shows well")]
    TooManyVariants { count: usize, most: usize },
    #[error("variant {name:?}")]
    Variant { name: String, source: Box<PlanError> },
    #[error("{what} {value}: expected {least} to {most}{unit}")]
    Range {
        what: &'static str,
        value: String,
        least: String,
        most: String,
        unit: &'static str,
    },
    #[error(
        "{0} makes no sense with --target: the server there runs its own feed; leave it out, or leave out --target"
    )]
    NotForTarget(&'static str),
    #[error(
        "{rate} updates/s for {duration} s are {updates} updates a client in the window, too few for quantiles: \
         ask for at least {least} ({}), or add --force", longer(*.rate))]
    TooFewUpdates {
        rate: f64,
        duration: f64,
        updates: f64,
        least: f64,
    },
    #[error("the replay ends after {length} s, and settling takes {settle} s of it: lower --speed")]
    ReplayTooShort { length: f64, settle: f64 },
    #[error(
        "bursts of {burst_size} updates at {rate} updates/s come every {gap_s} s: {duration} s hold {updates} updates a client, \
         too few for quantiles; ask for --duration {enough}, or add --force"
    )]
    TooFewBursts {
        burst_size: u32,
        rate: f64,
        gap_s: f64,
        duration: f64,
        updates: f64,
        enough: f64,
    },
    #[error("{0} makes no sense beside replay in one scenario: the file says when and what; leave one of them out")]
    BesideReplay(&'static str),
    #[error(
        "--until-settled {most}: expected {repeats} to {limit}; the run begins with {repeats} repeats (--repeats) and adds rounds up \
         to so many"
    )]
    UntilSettled { most: u32, repeats: u32, limit: u32 },
    #[error(
        "--until-settled looks after {repeats} repeat first, which has no spread to compare with: ask for --repeats 2 or more, \
         4 is usual"
    )]
    TooFewToLook { repeats: u32 },
    #[error(
        "--until-settled compares transports, and one is planned: name two or more with --transport, or leave it out"
    )]
    NothingToSettle,
    #[error(
        "looks after {after:?} repeats: expected rising numbers from {repeats}, the plan's repeats, to {limit} at most"
    )]
    Looks { after: Vec<u32>, repeats: u32, limit: u32 },
    #[error("the transport floor makes no sense {0}; leave it out")]
    Floor(&'static str),
    #[error("{what} {value}: {clients} clients leave some without any; ask for at most {clients}")]
    MoreThanClients {
        what: &'static str,
        value: u32,
        clients: u32,
    },
    #[error("{what} makes no sense {why}; leave one of them out")]
    Processes { what: &'static str, why: &'static str },
    #[error("restart makes no sense {0}")]
    Restart(&'static str),
    #[error(
        "restart: the server comes back {back_s} s after the window begins, and the window lasts {duration_s} s: ask for a --duration above \
         {back_s}, with time to come back in, or for an earlier restart"
    )]
    RestartTooLate { back_s: f64, duration_s: f64 },
    #[error("bounds.{bound} is {value}: expected a finite number of 0 or more")]
    Bound { bound: String, value: String },
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    #[error(transparent)]
    Feed(#[from] FeedSettingsError),
}

fn known() -> String {
    floor::contender_ids().collect::<Vec<_>>().join(", ")
}

fn longer(rate: f64) -> String {
    format!("--duration {}", (UPDATES_LEAST / rate).ceil())
}
