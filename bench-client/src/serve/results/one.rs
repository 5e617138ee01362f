//! One run as the page shows it: the parts of report.html, made by the same hands, and its charts as files.
//!
//! ```text
//! run.json -> Report, Charts -> Run (kept until the record is another) -+-> the answer
//! underway.json -> status, progress -> Head (every time) ---------------+
//! ```
//!
//! Drawing takes its time, which a run on the same machine would feel: it is done once a row, and a new phase costs none of it.

use serde::Serialize;

use super::{
    answer::Refusal,
    files,
    folder::{Listed, Progress},
};
use crate::{
    record::{RunRecord, RunStatus},
    report::{
        chart::Chart,
        html::{Block, Entry, Kind, Report, figures},
        plotly::{self, Figure},
        svg,
    },
};

/// What is made of a record.
pub struct Run {
    /// [`Body`] as JSON.
    body: Vec<u8>,
    recorded: RunStatus,
    charts: Vec<(&'static str, String)>,
}

/// What changes while a row is measured.
#[derive(Serialize)]
struct Head<'a> {
    id: &'a str,
    version: &'a str,
    status: RunStatus,
    killed: bool,
    progress: Option<Progress>,
}

#[derive(Serialize)]
struct Body<'a> {
    title: &'a str,
    started_utc: &'a str,
    standing: Option<Standing<'a>>,
    legend: &'a [Entry],
    blocks: Vec<Part<'a>>,
    charts: Vec<Drawn>,
    files: Vec<files::Named>,
    commands: &'a [(&'static str, String)],
}

#[derive(Serialize)]
struct Standing<'a> {
    verdict: &'static str,
    class: &'a str,
}

#[derive(Serialize)]
struct Part<'a> {
    kind: Kind,
    id: &'a str,
    title: Option<&'a str>,
    open: bool,
    html: &'a str,
}

/// A chart on the page: a picture, its figures as a table, and what makes it answer to the pointer.
#[derive(Serialize)]
pub struct Drawn {
    id: &'static str,
    title: String,
    caption: String,
    /// Where the picture is.
    svg: String,
    table: String,
    figure: Figure,
    /// Pixels of the picture, and where in it title and caption end: a page that shows both itself begins there.
    width: i32,
    height: i32,
    top: i32,
}

impl Run {
    /// # Errors
    /// Says why the record can't be read, or what can't be made of it.
    pub fn of(listed: &Listed) -> Result<Self, Refusal> {
        let record = listed.record()?;
        Self::made(listed, &record).map_err(|error| Refusal::Broken(format!("{}: {error:#}", listed.id)))
    }

    fn made(listed: &Listed, record: &RunRecord) -> anyhow::Result<Self> {
        let report = Report::of(record)?;
        let version = listed.version();
        let charts: Vec<(&'static str, String)> = report
            .charts
            .iter()
            .map(|chart| Ok((chart.id, svg::draw(chart)?)))
            .collect::<anyhow::Result<_>>()?;
        // With the version, a browser that shows the page of a growing run fetches the new picture.
        let address = |chart: &Chart| {
            let id = files::in_address(&listed.id);
            format!("/api/results/{id}/charts/{}?v={version}", chart.file_name())
        };
        let body = Body {
            title: &report.title,
            started_utc: &record.started_utc,
            standing: report
                .standing
                .as_ref()
                .map(|(verdict, class)| Standing { verdict, class }),
            legend: &report.legend,
            blocks: std::iter::once(Part::run(&report))
                .chain(report.blocks.iter().map(Part::of))
                .collect(),
            charts: report
                .charts
                .iter()
                .map(|chart| Drawn::of(chart, address(chart)))
                .collect::<anyhow::Result<_>>()?,
            files: files::of(listed, record)?,
            commands: &report.commands,
        };
        Ok(Self {
            body: serde_json::to_vec(&body)?,
            recorded: record.status,
            charts,
        })
    }

    /// The answer, with what the run does now.
    ///
    /// # Errors
    /// None that plain data can have.
    pub fn json(&self, listed: &Listed) -> Result<Vec<u8>, Refusal> {
        let head = Head {
            id: &listed.id,
            version: &listed.version_now(),
            status: listed.status(self.recorded),
            killed: listed.killed(self.recorded),
            progress: listed.progress(),
        };
        let mut json = serde_json::to_vec(&head).map_err(|error| Refusal::Failed(error.to_string()))?;
        // Both are objects with fields: the one's end and the other's beginning make way for a comma.
        json.pop();
        json.push(b',');
        json.extend_from_slice(&self.body[1..]);
        Ok(json)
    }

    /// The picture of a chart.
    pub fn chart(&self, id: &str) -> Option<&String> {
        self.charts.iter().find(|(one, _)| *one == id).map(|(_, svg)| svg)
    }
}

impl<'a> Part<'a> {
    fn run(report: &'a Report) -> Self {
        Self {
            kind: Kind::Prose,
            id: "run",
            title: None,
            open: true,
            html: &report.run,
        }
    }

    fn of(block: &'a Block) -> Self {
        Self {
            kind: block.kind,
            id: &block.id,
            title: (!block.title.is_empty()).then_some(&block.title),
            open: block.open,
            html: &block.html,
        }
    }
}

impl Drawn {
    /// # Errors
    /// Names the chart whose table can't be written.
    pub fn of(chart: &Chart, svg: String) -> anyhow::Result<Self> {
        let frame = svg::frame(chart);
        Ok(Self {
            width: frame.width,
            height: frame.height,
            top: frame.top,
            id: chart.id,
            title: chart.title.clone(),
            caption: chart.caption.clone(),
            svg,
            table: figures::table(chart)?,
            figure: plotly::figure(chart),
        })
    }
}
