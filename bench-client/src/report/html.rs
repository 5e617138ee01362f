//! report.html: the run as one page that needs nothing else, to read, to sort and to point at.
//!
//! ```text
//! markdown (its sections) -> prose (HTML) ----+
//! Summary -> glance (the table on top) -------+-> Report -+-> Page (templates/report.html, escapes) -> report.html
//! Chart -> plotly, svg, figures (a table) ----+           `-> serve/results: the run on the comparison page
//! plotly.js out of its crate, style, script --------------+
//! ```
//!
//! Facts are worded once: the sections are those of report.md, made HTML here, and numbers are printed by `format`. Without its script,
//! and on paper, the page shows the charts as pictures. Nothing is ever fetched: a policy in the page forbids it.

pub mod figures;
mod glance;
pub mod library;
pub mod prose;
mod table;

use anyhow::{Context, Result};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

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

/// What a page about a run is made of, in the order it is read. `run`, `glance` and the blocks are HTML, with words of the
/// record escaped; everything else is plain text.
pub struct Report {
    pub title: String,
    /// The run's verdict in a word, and its class.
    pub standing: Option<(&'static str, String)>,
    /// What the run was, in a paragraph or two.
    pub run: String,
    pub blocks: Vec<Block>,
    pub legend: Vec<Entry>,
    pub charts: Vec<Chart>,
    /// What each is for, and what to type.
    pub commands: Vec<(&'static str, String)>,
}

/// A part of the page below its head.
pub struct Block {
    pub kind: Kind,
    /// Kebab-case, once on the page.
    pub id: String,
    pub title: String,
    /// What links to it are called; empty: none leads there.
    pub link: String,
    /// More than its kind says, for the style sheet.
    pub class: String,
    /// False: its reader opens it.
    pub open: bool,
    /// Empty where the charts stand.
    pub html: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Paragraphs without a heading.
    Prose,
    /// The table of the figures that most people choose by.
    Glance,
    /// The place of the charts, whose HTML is left to the page.
    Charts,
    Section,
}

/// A button that hides a technique in every chart.
#[derive(Debug, Serialize)]
pub struct Entry {
    pub place: usize,
    pub colour: usize,
    pub shape: &'static str,
    pub label: String,
    pub transport: String,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    policy: String,
    style: String,
    script: &'a str,
    library: &'a str,
    report: Report,
    drawn: Vec<Drawn>,
    /// JSON, safe inside a script element.
    figures: String,
}

struct Drawn {
    id: &'static str,
    title: String,
    caption: String,
    /// For paper and for pages without script, as a data URI.
    picture: String,
    table: String,
}

fn page(record: &RunRecord, library: &Library) -> Result<String> {
    let report = Report::of(record)?;
    let style = style();
    let page = Page {
        policy: library::policy(library, library::script(), &style),
        style,
        script: library::script(),
        library: &library.script,
        figures: for_the_script(&report.charts)?,
        drawn: report.charts.iter().map(drawn).collect::<Result<_>>()?,
        report,
    };
    page.render().context("could not fill the template of report.html")
}

impl Report {
    /// # Errors
    /// Names the row whose histogram cannot be read, or the table that cannot be written.
    pub fn of(record: &RunRecord) -> Result<Self> {
        let summaries = summaries(record)?;
        let charts = chart::all(record)?;
        let standing = trust::of_run(record).map(|standing| (standing.name(), standing.name().to_lowercase()));
        let class = standing
            .as_ref()
            .map_or("verdict".to_owned(), |(_, class)| format!("verdict {class}"));
        let notes = prose::html(&words::notes(&notes::notes(record, &summaries, Verdict::Valid)));
        let notes = (!notes.is_empty()).then(|| Block::of(Kind::Prose, "notes", "", notes));
        let verdict = Section::open(&verdicts::verdicts(record, &summaries));
        let thresholds = Section::open(&verdicts::thresholds(record, &summaries));
        let claims = Section::open(&comparisons::comparisons(record, &between_transports(record)));
        let blocks = [
            notes,
            verdict.map(|section| Block::section(section).unlinked().classed(&class)),
            thresholds.map(|section| Block::section(section).unlinked()),
            Some(glance(&summaries)?),
            claims.map(|section| Block::section(section.with_folded_tables()).classed("claims")),
            (!charts.is_empty()).then(|| Block::of(Kind::Charts, "charts", "Charts", String::new())),
        ];
        let behind = sections(record, &summaries)?.into_iter().map(Block::section);
        Ok(Self {
            title: describe::heading(&record.plan),
            standing,
            run: prose::html(words::run(record).trim()),
            blocks: blocks.into_iter().flatten().chain(behind).collect(),
            legend: summaries.iter().map(Entry::of).collect(),
            charts,
            commands: describe::commands(record),
        })
    }
}

impl Block {
    fn of(kind: Kind, id: &str, title: &str, html: String) -> Self {
        Self {
            kind,
            id: id.to_owned(),
            title: title.to_owned(),
            link: title.to_owned(),
            class: String::new(),
            open: true,
            html,
        }
    }

    fn section(section: Section) -> Self {
        let open = !section.folded;
        let block = Self::of(Kind::Section, &section.id, &section.title, section.body);
        Self { open, ..block }
    }

    fn unlinked(self) -> Self {
        Self {
            link: String::new(),
            ..self
        }
    }

    fn classed(self, class: &str) -> Self {
        Self {
            class: class.to_owned(),
            ..self
        }
    }
}

fn glance(summaries: &[Summary]) -> Result<Block> {
    let table = glance::table(summaries)?;
    let html = format!(
        "<p>All repeats together: sums over sums, histograms merged; memory is the median. \
         <span class=\"sorts\">A column's head sorts by it.</span></p>\n{table}"
    );
    let block = Block::of(Kind::Glance, "glance", "The figures at a glance", html);
    Ok(Block {
        link: "Figures".to_owned(),
        ..block
    })
}

impl Entry {
    fn of(summary: &Summary) -> Self {
        Self::for_marks(summary.place, summary.position, summary.label, summary.transport)
    }

    /// Of who has this place and colour in the charts.
    pub fn for_marks(place: usize, position: usize, label: &str, transport: &str) -> Self {
        Self {
            place,
            colour: position % svg::COLOUR_COUNT,
            shape: SHAPES[place % SHAPES.len()],
            label: label.to_owned(),
            transport: transport.to_owned(),
        }
    }
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
    let floor = results::against_the_floor(summaries);
    let open = behaviours
        .iter()
        .chain([&floor])
        .chain(&open)
        .filter_map(|text| Section::open(text));
    let folded = folded.iter().filter_map(|text| Section::folded(text));
    Ok(open.chain(folded).collect())
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
        picture: picture(chart)?,
        table: figures::table(chart)?,
    })
}

/// The chart as a data URI: a page that can fetch nothing shows it too.
///
/// # Errors
/// Names the chart that cannot be drawn.
pub fn picture(chart: &Chart) -> Result<String> {
    Ok(format!(
        "data:image/svg+xml;base64,{}",
        BASE64.encode(svg::draw(chart)?)
    ))
}

#[cfg(test)]
mod tests;
