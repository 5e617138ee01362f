//! What the client alone adds, so that a reader can tell its share from the server's; or how to find it out.

use anyhow::{Context, Result};

use crate::calibration;
use crate::floor;
use crate::record::{Calibration, RunRecord};
use crate::report::format::{known, quantile, time_us};
use crate::report::histogram::Distribution;
use crate::report::summary::label;

use super::table::{code, escape};

/// # Errors
/// Names the transport whose calibration cannot be read.
pub fn share(record: &RunRecord) -> Result<String> {
    let mut words = String::new();
    if !record.calibrations.is_empty() {
        words += "\nFrom a null server's write to the client's read: it writes prepared bytes and nothing else, so this is what the \
                  client adds to a latency where the server costs next to nothing.\n\n";
    }
    for one in &record.calibrations {
        let name = escape(label(record, &one.transport));
        words += &format!("- **{name}**: {}\n", sentence(one)?);
    }
    let is_known = |id: &str| record.calibrations.iter().any(|one| one.transport == id);
    let planned = record.plan.transports.iter().map(String::as_str);
    // The floor is a null server's already.
    let unknown: Vec<&str> = planned.filter(|id| !is_known(id) && *id != floor::ID).collect();
    if !unknown.is_empty() && calibration::possible(&record.plan) {
        let names: Vec<&str> = unknown.iter().map(|id| label(record, id)).collect();
        words += &format!(
            "\nNot known for this machine and these settings: {}. {} measures it once.\n",
            escape(&names.join(", ")),
            code(&format!(
                "cargo run --release -- {}",
                calibration::command(&record.plan, &unknown)
            )),
        );
    }
    Ok(if words.is_empty() {
        words
    } else {
        format!("## The client's own share\n{words}")
    })
}

fn sentence(calibration: &Calibration) -> Result<String> {
    let latency = Distribution::decode(&calibration.latency)
        .with_context(|| format!("the calibration of {}", calibration.transport))?;
    let added = |q| known(latency.quantile(q), quantile);
    let date = calibration.taken_utc.split('T').next().unwrap_or_default();
    let revision = match calibration.revision.as_str() {
        "" => String::new(),
        revision => format!(", revision {}", escape(revision)),
    };
    let cpu = calibration.client_cpu_us_per_update;
    let cpu = cpu.map_or(String::new(), |us| {
        format!(" An update takes {} of its CPU there.", time_us(us))
    });
    Ok(format!(
        "The client alone adds p50 {}, p99 {} (measured against a null server on {}{revision}).{cpu}",
        added(0.5),
        added(0.99),
        escape(date),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, histogram};

    fn calibrated(transport: &str) -> Calibration {
        let mut values = histogram::new();
        (1..=1_000).for_each(|us| values.saturating_record(us));
        Calibration {
            transport: transport.into(),
            latency: histogram::encode(&values, 0, 0),
            client_cpu_us_per_update: Some(6.25),
            taken_utc: "2026-03-01T11:00:00Z".into(),
            revision: "0123abc+".into(),
        }
    }

    #[test]
    fn each_technique_has_its_sentence_and_the_others_the_command() {
        let mut record = fixture::record();
        record.calibrations = vec![calibrated("sse")];
        insta::assert_snapshot!(share(&record).unwrap());
        record.calibrations = ["short-poll", "long-poll", "sse", "websocket"].map(calibrated).to_vec();
        assert!(!share(&record).unwrap().contains("calibrate"));
    }

    #[test]
    fn where_it_cannot_be_measured_nothing_is_promised() {
        let mut record = fixture::record();
        record.plan.remote = true;
        assert_eq!(share(&record).unwrap(), "");
    }
}
