//! Changes to a JSON value, as bytes tell them: what an editor, a bug or an enemy might do to it.
//!
//! ```text
//! bytes -> where (a path down the value) -> what (leave out, repeat, replace, cut) -> the next change
//! ```

use serde_json::{Value, json};

/// Changes told by one input.
const CHANGES_MAX: usize = 4;
/// Bytes by which an array grows.
const REPEATED_MAX_BYTES: usize = 64 * 1024;

/// Makes every change that the bytes tell.
pub fn all(value: &mut Value, bytes: &[u8]) {
    let mut bytes = bytes.iter().copied();
    for _ in 0..CHANGES_MAX {
        if bytes.len() == 0 {
            return;
        }
        one(value, &mut bytes);
    }
}

fn one(value: &mut Value, bytes: &mut impl Iterator<Item = u8>) {
    let mut next = || usize::from(bytes.next().unwrap_or(0));
    let mut at = value;
    loop {
        // Rarely the change is made half way down.
        let stop = next() % 8 == 7;
        let choice = next();
        let inside = match at {
            Value::Object(fields) => fields.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if stop || inside == 0 {
            change(at, choice, next());
            return;
        }
        at = match at {
            Value::Object(fields) => fields.values_mut().nth(choice % inside).expect("within"),
            Value::Array(items) => &mut items[choice % inside],
            _ => return,
        };
    }
}

fn change(value: &mut Value, what: usize, how: usize) {
    match (what % 4, &mut *value) {
        (0, Value::Object(fields)) if !fields.is_empty() => {
            let key = fields.keys().nth(how % fields.len()).expect("within").clone();
            fields.remove(&key);
        }
        (0, Value::Array(items)) if !items.is_empty() => drop(items.remove(how % items.len())),
        (1, Value::Array(items)) if !items.is_empty() => {
            let item = items[how % items.len()].clone();
            // Many of what is short: what is long takes long for a good reason.
            let most = 1 + REPEATED_MAX_BYTES / item.to_string().len();
            let times = [1, 2, 5, 70, 1_100][how % 5].min(most);
            items.extend(std::iter::repeat_n(item, times));
        }
        (0, Value::String(text)) => {
            let keep = text.chars().count() * how / 256;
            *text = text.chars().take(keep).collect();
        }
        (1, Value::String(text)) => {
            // One character becomes another: base64 stays base64.
            let at = text.chars().count() * how / 256;
            *text = text
                .chars()
                .enumerate()
                .map(|(i, c)| if i == at { 'B' } else { c })
                .collect();
        }
        (1 | 2, Value::Number(number)) => {
            let number = number.as_f64().unwrap_or(0.0);
            *value = match how % 6 {
                0 => json!(-number),
                1 => json!(number * 1e9),
                2 => json!(number + 1.0),
                3 => json!((number * 2.0).trunc() as u64),
                4 => json!((number / 3.0).trunc() as u64),
                _ => json!(number * 1e-9),
            };
        }
        _ => *value = hostile(how),
    }
}

fn hostile(which: usize) -> Value {
    let values = [
        Value::Null,
        json!(0),
        json!(1),
        json!(-1),
        json!(u64::MAX),
        json!(u64::MAX / 2),
        json!(i64::MIN),
        json!(u32::MAX),
        json!(f64::MAX),
        json!(f64::MIN),
        json!(f64::MIN_POSITIVE),
        json!(5e-324),
        json!(1e-300),
        json!(1e20),
        json!(0.1),
        json!(true),
        json!(""),
        json!("lost"),
        json!("websocket"),
        json!("\u{0}\u{1b}[31m|`<script>\r\n](x) **é⚽\u{202e}"),
        json!("x".repeat(5_000)),
        json!("NaN"),
        json!("all.missed == 0"),
        json!([]),
        json!({}),
        json!([[[[]]]]),
    ];
    values[which % values.len()].clone()
}
