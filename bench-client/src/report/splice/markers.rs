//! Where the regions of a file are.

use std::ops::Range;

use super::parts::Part;
use crate::scenario::{nearest, suggestion};

/// Before a part's name, in a comment that no renderer shows.
const OPEN: &str = "bench-client:";
const CLOSE: &str = "/bench-client:";

/// What is wrong with a file's markers. Lines are counted from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkerError {
    #[error(
        "there is nothing to renew: put a line <!-- bench-client:table --> and a line <!-- /bench-client:table --> where the table \
         is to stand"
    )]
    None,
    #[error("no region is named {name:?}: there are {}", listed(.known))]
    Unnamed { name: String, known: Vec<String> },
    #[error("line {line}: there is no part {part:?}{}; there are {}", suggestion(.nearest.as_deref()), Part::names().join(", "))]
    UnknownPart {
        line: usize,
        part: String,
        nearest: Option<String>,
    },
    #[error(
        "line {line}: {marker} can't be read: a part, and in the first line a name of one word, is all a marker holds"
    )]
    Malformed { line: usize, marker: String },
    #[error(
        "line {line}: a region begins within that of line {opened}: close that first, with <!-- /bench-client:{part} -->"
    )]
    Nested {
        line: usize,
        opened: usize,
        part: &'static str,
    },
    #[error("line {line}: a region ends here that never began: put <!-- bench-client:{part} --> before it")]
    Unopened { line: usize, part: &'static str },
    #[error("line {line}: this ends {part}, and line {opened} began {began}: make both the same")]
    Mismatched {
        line: usize,
        part: &'static str,
        opened: usize,
        began: &'static str,
    },
    #[error("line {line}: the region that begins here has no end: put <!-- /bench-client:{part} --> behind it")]
    Unclosed { line: usize, part: &'static str },
    #[error(
        "line {line}: line {first} has a region of the same part and name: give one of them another name, as in <!-- bench-client:{part} NAME -->"
    )]
    Duplicate {
        line: usize,
        first: usize,
        part: &'static str,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none with a name".to_owned()
    } else {
        names.join(", ")
    }
}

/// A stretch of the file that is to be made again.
#[derive(Debug, PartialEq)]
pub struct Region {
    pub part: Part,
    /// The bytes between the two markers' lines.
    pub inside: Range<usize>,
    /// How the line of the first marker ends.
    pub ending: &'static [u8],
}

struct Marker {
    part: Part,
    name: Option<String>,
    closes: bool,
}

struct Found {
    region: Region,
    name: Option<String>,
    line: usize,
}

/// The regions of the file in their order: all, or those of one name. All markers are checked either way.
pub fn regions(text: &[u8], name: Option<&str>) -> Result<Vec<Region>, MarkerError> {
    let found = all(text)?;
    if found.is_empty() {
        return Err(MarkerError::None);
    }
    let Some(name) = name else {
        return Ok(found.into_iter().map(|found| found.region).collect());
    };
    let known = found.iter().filter_map(|found| found.name.clone()).collect();
    let named = found.into_iter().filter(|found| found.name.as_deref() == Some(name));
    let named: Vec<Region> = named.map(|found| found.region).collect();
    if named.is_empty() {
        return Err(MarkerError::Unnamed {
            name: name.to_owned(),
            known,
        });
    }
    Ok(named)
}

fn all(text: &[u8]) -> Result<Vec<Found>, MarkerError> {
    let mut found: Vec<Found> = Vec::new();
    let mut open: Option<Found> = None;
    let mut fence: Option<String> = None;
    let mut at = 0;
    for (i, bytes) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let (line, start) = (i + 1, at);
        at += bytes.len();
        let words = String::from_utf8_lossy(bytes);
        // What a region holds is ours: a block left open in it would hide its end.
        if open.is_none() && in_code(&mut fence, words.trim_end()) {
            continue;
        }
        // Further in it is code (CommonMark, 4.4).
        let indent = words.len() - words.trim_start().len();
        let Some(marker) = marker(words.trim(), line)?.filter(|_| indent <= 3 || open.is_some()) else {
            continue;
        };
        let part = marker.part.name();
        match (open.take(), marker.closes) {
            (Some(opened), false) => {
                return Err(MarkerError::Nested {
                    line,
                    opened: opened.line,
                    part: opened.region.part.name(),
                });
            }
            (None, true) => return Err(MarkerError::Unopened { line, part }),
            (Some(opened), true) if opened.region.part != marker.part => {
                return Err(MarkerError::Mismatched {
                    line,
                    part,
                    opened: opened.line,
                    began: opened.region.part.name(),
                });
            }
            (Some(mut opened), true) => {
                opened.region.inside.end = start;
                found.push(opened);
            }
            (None, false) => {
                let twin = |other: &&Found| other.region.part == marker.part && other.name == marker.name;
                if let Some(first) = found.iter().find(twin) {
                    return Err(MarkerError::Duplicate {
                        line,
                        first: first.line,
                        part,
                    });
                }
                let ending: &[u8] = if bytes.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
                let region = Region {
                    part: marker.part,
                    inside: at..at,
                    ending,
                };
                open = Some(Found {
                    region,
                    name: marker.name,
                    line,
                });
            }
        }
    }
    match open {
        Some(opened) => Err(MarkerError::Unclosed {
            line: opened.line,
            part: opened.region.part.name(),
        }),
        None => Ok(found),
    }
}

/// Whether a line is of a code block, fences included.
fn in_code(fence: &mut Option<String>, line: &str) -> bool {
    let indented = line.len() - line.trim_start_matches(' ').len();
    let line = line.trim_start_matches(' ');
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'));
    let run: String = line.chars().take_while(|c| Some(*c) == mark).collect();
    let is_fence = run.len() >= 3 && indented <= 3;
    match fence {
        Some(open) => {
            if is_fence && run.starts_with(open.as_str()) && run.len() == line.len() {
                *fence = None;
            }
            true
        }
        None if is_fence && !(run.starts_with('`') && line[run.len()..].contains('`')) => {
            *fence = Some(run);
            true
        }
        None => false,
    }
}

/// A line that is nothing but one of our markers; None for every other line.
fn marker(line: &str, number: usize) -> Result<Option<Marker>, MarkerError> {
    let inner = line.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
    let Some(inner) = inner.map(str::trim) else {
        return Ok(None);
    };
    let (words, closes) = match (inner.strip_prefix(OPEN), inner.strip_prefix(CLOSE)) {
        (Some(words), _) => (words, false),
        (None, Some(words)) => (words, true),
        (None, None) => return Ok(None),
    };
    let mut words = words.split_whitespace();
    let (part, name, more) = (words.next().unwrap_or_default(), words.next(), words.next());
    if more.is_some() || (closes && name.is_some()) {
        return Err(MarkerError::Malformed {
            line: number,
            marker: line.to_owned(),
        });
    }
    let Some(part) = Part::by_name(part) else {
        return Err(MarkerError::UnknownPart {
            line: number,
            part: part.to_owned(),
            nearest: nearest(part, Part::names()),
        });
    };
    Ok(Some(Marker {
        part,
        name: name.map(str::to_owned),
        closes,
    }))
}
