//! The program as its users meet it: the real binary, real processes and sockets, exit codes, words and files.
//!
//! Loads are tiny and windows about a second long. Nothing here asserts speed: figures are checked against each other, and
//! whoever must wait, waits for an event (see [`lab::until`]).

mod behaviour;
mod calibrate;
mod compare;
mod crowd;
mod demo;
mod finished;
mod floor;
mod interrupted;
mod json;
mod lab;
mod like;
mod lossy;
mod model;
mod output;
mod pages;
mod processes;
mod record;
mod recording;
mod refused;
mod replay;
mod results_api;
mod serve;
mod settled;
mod splice;
mod thresholds;
mod variants;
mod verdict;
mod wire_api;
mod words;
mod workers;
