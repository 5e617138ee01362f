//! `report DIR`: the reports of a run once more, and its table in other people's documents.
//!
//! ```text
//! DIR/run.json -> report/ -> DIR
//!              -> splice -> between the markers of a markdown file
//! ```

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueHint};

use super::{Failure, print, table, usage};
use crate::{
    report::{self, file, splice},
    run,
};

#[derive(Args)]
pub struct ReportArgs {
    /// Folder of the run
    #[arg(value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// Renew what stands between markers in a markdown file; repeatable
    ///
    /// A region begins with a line <!-- bench-client:PART --> and ends with <!-- /bench-client:PART -->. PART is table (the
    /// command, what it printed, and when and where), figures (the table alone, in markdown), claims, command or measured. A
    /// name may follow it in the first line. The rest of the file stays as it is, to the byte.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    splice: Vec<PathBuf>,
    /// Renew the regions of this name alone
    #[arg(long, value_name = "NAME", requires = "splice")]
    region: Option<String>,
}

pub fn command(arguments: &ReportArgs) -> Result<u8, Failure> {
    let record = run::load(&arguments.dir).map_err(usage)?;
    let dir = if arguments.dir.ends_with("run.json") {
        arguments.dir.with_file_name("")
    } else {
        arguments.dir.clone()
    };
    // All of them before the first is written: a wrong marker leaves everything as it was.
    let mut renewed = Vec::new();
    for path in &arguments.splice {
        let text = std::fs::read(path).with_context(|| format!("--splice {} could not be read", path.display()));
        let text = text.map_err(usage)?;
        let new = splice::renew(&text, arguments.region.as_deref(), &record, &dir)?;
        let new = new
            .with_context(|| format!("--splice {}", path.display()))
            .map_err(usage)?;
        renewed.push((path, new != text, new));
    }
    report::write_all(&record, &dir)?;
    print(&format!("{}\nreports: {}\n", table(&record)?, dir.display()))?;
    for (path, changed, text) in renewed {
        if changed {
            file::replace(path, &text)?;
        }
        let said = if changed { "renewed" } else { "up to date" };
        print(&format!("{}: {said}\n", path.display()))?;
    }
    Ok(0)
}
