//! The files of a run: its record as it stands in its folder, and everything that reports make of it, made when it is asked for.

use axum::http::header;
use serde::Serialize;

use super::{
    answer::{Refusal, Said},
    folder::Listed,
};
use crate::{
    record::{RunRecord, RunStatus},
    report::{self, hlog},
};

const RECORD: &str = "run.json";
const HISTOGRAMS: &str = "histograms/";

/// What a file is, by its ending.
const TYPES: [(&str, &str); 6] = [
    (".html", "text/html; charset=utf-8"),
    (".svg", "image/svg+xml"),
    (".json", "application/json"),
    (".csv", "text/csv; charset=utf-8"),
    (".md", "text/markdown; charset=utf-8"),
    (".txt", "text/plain; charset=utf-8"),
];
const OTHER: &str = "text/plain; charset=utf-8";

/// report.html runs scripts, those whose digests its own policy names. In the sandbox it has an origin of its own, which is none of this
/// server's: it can ask nothing here, and knows no token. Saving a chart and links to the web work.
const REPORT: &str =
    "sandbox allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'none'";
/// A picture opened as a page of its own: its styles are inside of it.
const PICTURE: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
const OTHERS: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// A file that can be had.
#[derive(Serialize)]
pub struct Named {
    name: String,
    /// Of a run under way only the record's are known: to make every file would take CPU from what is measured.
    bytes: Option<u64>,
    what: String,
}

/// Every file of the run.
///
/// # Errors
/// Names the row whose histogram can't be written.
pub fn of(listed: &Listed, record: &RunRecord) -> anyhow::Result<Vec<Named>> {
    let mut files = vec![Named {
        name: RECORD.to_owned(),
        bytes: Some(listed.bytes_len()),
        what: "the record: everything else is made of it".to_owned(),
    }];
    let running = listed.status(record.status) == RunStatus::Running;
    for file in &report::FILES {
        let made = if running { None } else { Some((file.make)(record)?) };
        files.push(Named {
            name: file.name.to_owned(),
            bytes: made.map(|bytes| bytes.len() as u64),
            what: file.what.to_owned(),
        });
    }
    for log in hlog::logs(record)? {
        files.push(Named {
            name: format!("{HISTOGRAMS}{}", log.name),
            bytes: Some(log.bytes.len() as u64),
            what: "latency of one row, for HdrHistogram tools".to_owned(),
        });
    }
    Ok(files)
}

/// The bytes of a file.
///
/// # Errors
/// There is none of this name, or the record can't be read.
pub fn make(listed: &Listed, name: &str) -> Result<Vec<u8>, Refusal> {
    if name == RECORD {
        return listed.bytes();
    }
    let none = || Refusal::NotFound(format!("no report makes a file {name:?}"));
    let broken = |error| Refusal::Broken(format!("{}: {error:#}", listed.id));
    if let Some(name) = name.strip_prefix(HISTOGRAMS) {
        let logs = hlog::logs(&listed.record()?).map_err(broken)?;
        let log = logs.into_iter().find(|log| log.name == name).ok_or_else(none)?;
        return Ok(log.bytes);
    }
    let file = report::FILES.iter().find(|file| file.name == name).ok_or_else(none)?;
    (file.make)(&listed.record()?).map_err(broken)
}

/// The file as an answer: a page or a picture to look at, or, `to_keep` or of any other kind, a download.
pub fn said(id: &str, name: &str, bytes: Vec<u8>, to_keep: bool) -> Said {
    let kind = TYPES
        .iter()
        .find(|(ending, _)| name.ends_with(ending))
        .map_or(OTHER, |(_, kind)| kind);
    let (policy, to_show) = match name {
        "report.html" => (REPORT, true),
        _ if name.ends_with(".svg") => (PICTURE, true),
        _ => (OTHERS, false),
    };
    let said = Said::text(kind, bytes).with(header::CONTENT_SECURITY_POLICY, policy.to_owned());
    let disposition = if to_show && !to_keep {
        "inline".to_owned()
    } else {
        format!("attachment; filename=\"{}\"", file_name(id, name))
    };
    said.with(header::CONTENT_DISPOSITION, disposition)
        .with(header::REFERRER_POLICY, "no-referrer".to_owned())
}

/// `<run>-<file>` in characters that every disk and header takes.
fn file_name(id: &str, name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    format!("{id}-{name}").chars().map(plain).collect()
}

/// A name as a part of an address (RFC 3986, 2.3).
pub fn in_address(name: &str) -> String {
    let one = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    name.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        assert_eq!(in_address("a b/../ü?"), "a%20b%2F..%2F%C3%BC%3F");
        assert_eq!(file_name("a\"\r\nb", "histograms/sse-1.hlog"), "a___b-sse-1.hlog");
    }
}
