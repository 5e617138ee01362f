//! Walks a JSON value knowing where it stands, so that every fault says which place of the file it means.
//!
//! Bounds come from the caller: what is too long or too large is a fault like any other.

use std::{fmt, ops::RangeInclusive};

use serde_json::Value;

/// A place in the file that does not say what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: expected {expected}, found {found}")]
pub struct Fault {
    /// Like `matches[3].goals1[0].minute`.
    pub at: String,
    pub expected: String,
    pub found: String,
}

/// A value and where it stands, so that every fault can say so.
pub struct At<'a> {
    pub value: &'a Value,
    path: String,
}

impl<'a> At<'a> {
    pub fn top(value: &'a Value) -> Self {
        At {
            value,
            path: String::new(),
        }
    }

    /// `None` when the field is absent or null.
    pub fn optional(&self, name: &str) -> Result<Option<At<'a>>, Fault> {
        let Value::Object(fields) = self.value else {
            return Err(self.fault("an object"));
        };
        let value = fields.get(name).filter(|value| !value.is_null());
        Ok(value.map(|value| At {
            value,
            path: self.path_to(name),
        }))
    }

    pub fn required(&self, name: &str, expected: &str) -> Result<At<'a>, Fault> {
        self.optional(name)?.ok_or_else(|| self.missing(name, expected))
    }

    /// The fault of a field that is not there.
    pub fn missing(&self, name: &str, expected: &str) -> Fault {
        Fault {
            at: self.path_to(name),
            expected: expected.into(),
            found: "nothing".into(),
        }
    }

    /// Whether the field is there, and not null.
    pub fn has(&self, name: &str) -> bool {
        self.value.get(name).is_some_and(|value| !value.is_null())
    }

    pub fn items(&self, max: usize) -> Result<Vec<At<'a>>, Fault> {
        match self.value {
            Value::Array(items) if items.len() <= max => {
                let item = |(i, value)| At {
                    value,
                    path: format!("{}[{i}]", self.path),
                };
                Ok(items.iter().enumerate().map(item).collect())
            }
            _ => Err(self.fault(&format!("an array of at most {max}"))),
        }
    }

    pub fn text(&self, max_bytes: usize) -> Result<String, Fault> {
        match self.value {
            Value::String(text) if (1..=max_bytes).contains(&text.len()) => Ok(text.clone()),
            _ => Err(self.fault(&format!("a text of 1 to {max_bytes} bytes"))),
        }
    }

    pub fn flag(&self, name: &str) -> Result<bool, Fault> {
        self.optional(name)?.map_or(Ok(false), |at| {
            at.value.as_bool().ok_or_else(|| at.fault("true or false"))
        })
    }

    pub fn whole(&self, bounds: RangeInclusive<u16>, what: &str) -> Result<u16, Fault> {
        let number = self.value.as_u64().unwrap_or(u64::MAX);
        self.bounded(number, bounds, what)
    }

    pub fn bounded(&self, number: u64, bounds: RangeInclusive<u16>, what: &str) -> Result<u16, Fault> {
        let within = u16::try_from(number).ok().filter(|number| bounds.contains(number));
        within.ok_or_else(|| self.fault(&format!("{what} from {} to {}", bounds.start(), bounds.end())))
    }

    fn path_to(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub fn fault(&self, expected: &str) -> Fault {
        let at = if self.path.is_empty() { "the file" } else { &self.path };
        Fault {
            at: at.to_owned(),
            expected: expected.to_owned(),
            found: Found(self.value).to_string(),
        }
    }
}

/// A value in few words: a message must not carry half the file.
struct Found<'a>(&'a Value);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARS: usize = 40;
        match self.0 {
            Value::Array(items) => write!(f, "an array of {}", items.len()),
            Value::Object(_) => f.write_str("an object"),
            Value::String(text) if text.chars().count() > MAX_CHARS => {
                write!(
                    f,
                    "{:?}… ({} bytes)",
                    text.chars().take(MAX_CHARS).collect::<String>(),
                    text.len()
                )
            }
            value => write!(f, "{value}"),
        }
    }
}
