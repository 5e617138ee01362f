//! run.schema.json: the JSON Schema of `run.json`, made from the record's own types and sentences.

use schemars::schema_for;

use crate::record::RunRecord;

/// The schema, with a line end.
pub fn json() -> String {
    let schema = serde_json::to_string_pretty(&schema_for!(RunRecord)).expect("a schema is plain JSON");
    schema + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn records_validate_and_damaged_ones_do_not() {
        let schema = serde_json::from_str(&json()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for record in [fixture::record(), fixture::empty()] {
            let value = serde_json::to_value(&record).unwrap();
            let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:#?}");
            assert_eq!(serde_json::from_value::<RunRecord>(value).unwrap(), record);
        }
        let mut damaged = serde_json::to_value(fixture::record()).unwrap();
        damaged["rows"][0]["figures"]["latency_p50_us"] = "soon".into();
        assert!(!validator.is_valid(&damaged));
    }
}
