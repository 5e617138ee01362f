//! One run as the page shows it: the parts of report.html, made by the same hands, and its charts as files.

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

/// The answer about one run, and its charts as they are drawn.
pub struct Run {
    pub version: String,
    pub json: Vec<u8>,
    charts: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    version: &'a str,
    title: &'a str,
    started_utc: &'a str,
    status: RunStatus,
    killed: bool,
    standing: Option<Standing<'a>>,
    progress: Option<Progress>,
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
        let svgs: Vec<(&'static str, String)> = report
            .charts
            .iter()
            .map(|chart| Ok((chart.id, svg::draw(chart)?)))
            .collect::<anyhow::Result<_>>()?;
        // The version makes a browser that shows the page of a growing run fetch the new picture.
        let address = |chart: &Chart| {
            let id = files::in_address(&listed.id);
            format!("/api/results/{id}/charts/{}?v={version}", chart.file_name())
        };
        let answer = Answer {
            id: &listed.id,
            version: &version,
            title: &report.title,
            started_utc: &record.started_utc,
            status: listed.status(record.status),
            killed: listed.killed(record.status),
            standing: report
                .standing
                .as_ref()
                .map(|(verdict, class)| Standing { verdict, class }),
            progress: listed.progress(),
            legend: &report.legend,
            blocks: std::iter::once(Part::run(&report))
                .chain(report.blocks.iter().map(Part::of))
                .collect(),
            charts: report
                .charts
                .iter()
                .map(|chart| Drawn::of(chart, address(chart)))
                .collect::<anyhow::Result<_>>()?,
            files: files::of(record)?,
            commands: &report.commands,
        };
        Ok(Self {
            json: serde_json::to_vec(&answer)?,
            charts: svgs,
            version,
        })
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
        Ok(Self {
            id: chart.id,
            title: chart.title.clone(),
            caption: chart.caption.clone(),
            svg,
            table: figures::table(chart)?,
            figure: plotly::figure(chart),
        })
    }
}
