//! What is on the wire, byte by byte, and what the listener does not put up with.
//!
//! Expected exchanges stand here as people would read them; what differs from run to run is masked: `<epoch>`, `<us>` for a
//! time in µs, `<date>` for the Date header.

mod exchanges;
mod listen;
mod methods;
mod null;
mod origins;
mod page;
mod plain;
#[path = "../support/mod.rs"]
mod support;
mod websocket_limits;

/// Replaces what differs from run to run.
fn mask(text: &str, epoch: u64) -> String {
    // Times first: their digits may well begin like the epoch's.
    let masked = mask_number(text, "\"sent_us\":", "<us>").replace(&epoch.to_string(), "<epoch>");
    let line = |line: &str| match line.starts_with("date: ") {
        true => "date: <date>\r\n".to_owned(),
        false => line.to_owned(),
    };
    masked.split_inclusive('\n').map(line).collect()
}

/// Replaces the number after every `key`.
fn mask_number(text: &str, key: &str, mask: &str) -> String {
    let mut parts = text.split(key);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked += key;
        masked += mask;
        masked += part.trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    masked
}
