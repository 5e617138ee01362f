//! The page in a real browser, and against a real `serve`.
//!
//! ```text
//! test -> stage.rs: serve (a process, port 0, results/ of its own) <- Chromium <- node scripts/<name>.mjs <- asks, through stdin and stdout,
//!           |                                                                      for what only the test can do: kill, start, run
//!           '-> checks that a script passed; its figures and what it could not check go on to test.sh
//! ```
//!
//! Every script fails on an error in the console, on what the page's policy refuses, on an uncaught error, and on a request to anywhere
//! else (`scripts/browser.mjs`). Where the page keeps what, stands in `scripts/page.mjs` alone. Screenshots are left under
//! `target/page-screenshots/`. Nothing here asserts speed, except where it is said: those tests are ignored, and `./test.sh --long` runs them.

#[path = "../cli/lab.rs"]
#[allow(dead_code)]
mod lab;
mod long;
#[path = "../cli/processes.rs"]
#[allow(dead_code)]
mod processes;
mod served;
mod stage;
mod tabs;
mod views;
mod weight;
