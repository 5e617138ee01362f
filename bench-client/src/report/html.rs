//! report.html: the run as one page that needs nothing else, to read, to sort and to point at.
//!
//! ```text
//! markdown (its sections) -> prose (HTML) ----+
//! Summary -> glance (the table on top) -------+-> Page (templates/report.html, escapes) -> report.html
//! Chart -> plotly, svg, figures (a table) ----+
//! plotly.js out of its crate, style, script --+
//! ```
//!
//! Facts are worded once: the sections are those of report.md, made HTML here, and numbers are printed by `format`. Without its script,
//! and on paper, the page shows the charts as pictures. Nothing is ever fetched: a policy in the page forbids it.

mod figures;
mod glance;
mod library;
mod prose;
mod table;

use anyhow::{Context, Result};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::record::{RunRecord, Verdict};
use crate::statistics::between_transports;

use super::chart::{self, Chart};
use super::markdown::{
    self, background, calibration, comparisons, final_scores, layers, model, results, trust as verdicts, words,
};
use super::summary::{Summary, summaries};
use super::{describe, notes, plotly, svg, trust};
use library::Library;
use prose::Section;

const STYLE: &str = include_str!("../../templates/report.css");
/// A shape for each technique beside its colour, as the charts have them.
const SHAPES: [&str; 5] = ["●", "■", "◆", "▲", "▼"];

/// The whole page.
///
/// # Errors
/// Names the row whose histogram cannot be read, or the chart that cannot be drawn.
pub fn report(record: &RunRecord) -> Result<String> {
    page(record, Library::get())
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    policy: String,
    style: String,
    script: &'a str,
    library: &'a str,
    title: String,
    /// The run's verdict in a word, and its class.
    standing: Option<(&'static str, String)>,
    notes: String,
    verdict: Option<Section>,
    run: String,
    glance: String,
    legend: Vec<Entry<'a>>,
    charts: Vec<Drawn>,
    /// JSON, safe inside a script element.
    figures: String,
    /// Behind the charts: open ones, then folded ones.
    sections: Vec<Section>,
    claims: Option<Section>,
    thresholds: Option<Section>,
    commands: Vec<(&'static str, String)>,
}

/// A button that hides a technique in every chart.
struct Entry<'a> {
    place: usize,
    colour: usize,
    shape: &'static str,
    label: &'a str,
}

struct Drawn {
    id: &'static str,
    title: String,
    caption: String,
    /// The picture for paper and for pages without script, as a data URI.
    picture: String,
    table: String,
}

fn page(record: &RunRecord, library: &Library) -> Result<String> {
    let summaries = summaries(record)?;
    let charts = chart::all(record)?;
    let style = style();
    let page = Page {
        policy: library::policy(library, library::script(), &style),
        style,
        script: library::script(),
        library: &library.script,
        title: describe::heading(&record.plan),
        standing: trust::of_run(record).map(|standing| (standing.name(), standing.name().to_lowercase())),
        notes: prose::html(&words::notes(&notes::notes(record, &summaries, Verdict::Valid))),
        verdict: Section::open(&verdicts::verdicts(record, &summaries)),
        run: prose::html(words::run(record).trim()),
        glance: glance::table(&summaries)?,
        thresholds: Section::open(&verdicts::thresholds(record, &summaries)),
        claims: Section::open(&comparisons::comparisons(record, &between_transports(record)))
            .map(Section::with_folded_tables),
        legend: legend(&summaries),
        figures: for_the_script(&charts)?,
        charts: charts.iter().map(drawn).collect::<Result<_>>()?,
        sections: sections(record, &summaries)?,
        commands: describe::commands(record),
    };
    page.render().context("could not fill the template of report.html")
}

/// What stands behind the charts: sections of report.md in its order.
fn sections(record: &RunRecord, summaries: &[Summary]) -> Result<Vec<Section>> {
    let open = [
        words::measured(record, summaries),
        markdown::analysis(record),
        background::faults(record),
    ];
    let folded = [
        results::freshness(summaries),
        calibration::share(record)?,
        results::cost(summaries),
        layers::bytes(record, summaries),
        results::repeats(record),
        model::predictions(summaries),
        results::completeness(record),
        verdicts::health(record),
        results::traffic(record),
        results::connecting(summaries),
        results::memory(record),
        final_scores::unfolded(record),
        background::techniques(record),
        background::definitions(record),
        background::machine(record),
    ];
    let behaviours = results::behaviours(summaries);
    let open = behaviours.iter().chain(&open).filter_map(|text| Section::open(text));
    let folded = folded.iter().filter_map(|text| Section::folded(text));
    Ok(open.chain(folded).collect())
}

fn legend<'a>(summaries: &[Summary<'a>]) -> Vec<Entry<'a>> {
    let entry = |summary: &Summary<'a>| Entry {
        place: summary.place,
        colour: summary.position % svg::COLOUR_COUNT,
        shape: SHAPES[summary.place % SHAPES.len()],
        label: summary.label,
    };
    summaries.iter().map(entry).collect()
}

/// The techniques' colours stand in svg.rs alone.
fn style() -> String {
    let colours: String = (0..svg::COLOUR_COUNT)
        .map(|i| format!(".k{i} {{ color: {}; }}\n", svg::hex_colour(i)))
        .collect();
    format!("{STYLE}{colours}")
}

fn for_the_script(charts: &[Chart]) -> Result<String> {
    let figures: Vec<_> = charts.iter().map(plotly::figure).collect();
    // No record string may end the script element: JSON says `<` in another way.
    Ok(serde_json::to_string(&figures)?.replace('<', "\\u003c"))
}

fn drawn(chart: &Chart) -> Result<Drawn> {
    Ok(Drawn {
        id: chart.id,
        title: chart.title.clone(),
        caption: chart.caption.clone(),
        picture: format!("data:image/svg+xml;base64,{}", BASE64.encode(svg::draw(chart)?)),
        table: figures::table(chart)?,
    })
}

#[cfg(test)]
mod tests;
