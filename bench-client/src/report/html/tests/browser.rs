//! The page in a real browser: that its policy lets it work, and that nothing in it runs that should not.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::*;

/// A browser that shows nothing by then is not to be waited for.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the browser made of a page, and what it complained of; or why there is no answer.
fn opened(page: &str) -> Result<(String, String), String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.html");
    std::fs::write(&file, page).unwrap();
    let named = ["chromium", "chromium-browser", "google-chrome"];
    let started = named.iter().find_map(|name| {
        Command::new(name)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--enable-logging=stderr",
                "--dump-dom",
            ])
            .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()
    });
    let child = started.ok_or("there is no Chromium")?;
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    let (send, receive) = mpsc::channel();
    let reader = std::thread::spawn(move || send.send(child.wait_with_output()));
    let output = receive.recv_timeout(PATIENCE);
    if output.is_err() {
        // The one that was started above; its reader then ends too.
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
    let _ = reader.join();
    let output = output
        .map_err(|_| "Chromium did not answer")?
        .map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (dom, said) = (text(&output.stdout), text(&output.stderr));
    if dom.contains("<html") {
        Ok((dom, said))
    } else {
        Err(format!("Chromium showed nothing: {said}"))
    }
}

#[test]
fn a_browser_draws_every_chart_and_refuses_nothing() {
    let record = hostile();
    let (dom, said) = match opened(&report(&record).unwrap()) {
        Ok(shown) => shown,
        Err(why) => {
            // Behind the harness's back: it keeps what tests that pass print.
            writeln!(std::io::stdout(), "\nSKIPPED: report.html in a browser; {why}").unwrap();
            return;
        }
    };
    assert_eq!(
        dom.matches("class=\"plot js-plotly-plot\"").count(),
        chart::all(&record).unwrap().len()
    );
    assert!(
        dom.contains("<button type=\"button\">latency p50</button>"),
        "tables sort"
    );
    let refused: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(!dom.contains("src=\"http://evil") && !dom.contains("<script>alert"));
}
