//! The charts, drawn in characters: a picture would be a link, and break where the report is pasted.

use anyhow::Result;

use crate::record::RunRecord;
use crate::report::{chart, text_chart};

use super::table::{escape, fenced};

const PICTURES: &str = "The same as pictures: charts/*.svg and report.html in the run's folder.";

/// # Errors
/// Names the row whose histogram cannot be read.
pub fn charts(record: &RunRecord) -> Result<String> {
    let drawn = chart::all(record)?.into_iter().map(|chart| {
        format!(
            "### {}\n\n{}\n\n{}",
            escape(&chart.title),
            escape(&chart.caption),
            fenced(&text_chart::draw(&chart))
        )
    });
    let drawn: Vec<String> = drawn.collect();
    Ok(if drawn.is_empty() {
        String::new()
    } else {
        format!("## Charts\n\n{}\n\n{}", escape(PICTURES), drawn.join("\n"))
    })
}
