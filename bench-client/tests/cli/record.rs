//! Reads what a run left behind.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

/// run.json of a folder.
pub fn load(folder: &Path) -> Value {
    let path = folder.join("run.json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("run.json is JSON")
}

/// The rows of run.json.
pub fn rows(record: &Value) -> &[Value] {
    record["rows"].as_array().expect("a record has rows")
}

/// A figure that is known.
#[track_caller]
pub fn figure(row: &Value, name: &str) -> f64 {
    let value = &row["figures"][name];
    value.as_f64().unwrap_or_else(|| panic!("{name} is {value}: {row:#}"))
}

/// A table of a folder: its header, and each line as column and cell.
pub fn table(folder: &Path, name: &str) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    let mut reader = csv::Reader::from_path(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let header: Vec<String> = reader
        .headers()
        .expect("it has a header")
        .iter()
        .map(str::to_owned)
        .collect();
    let lines = reader
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    (header, lines)
}

/// Every file of a folder and what it holds, by its path within the folder.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(one) = folders.pop() {
        for entry in std::fs::read_dir(one)
            .expect("the folder can be read")
            .map(Result::unwrap)
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it lies within").display().to_string();
                found.insert(name, std::fs::read(path).expect("the file can be read"));
            }
        }
    }
    found
}
