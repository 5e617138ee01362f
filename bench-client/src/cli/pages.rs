//! `completions` and `man`: what shells and readers of manuals need, made from the same description of commands and flags as
//! `--help`.
//!
//! ```text
//! Cli (clap) -> completions SHELL -> stdout
//!            -> man -> stdout | man --out DIR -> a page per command
//! ```

use std::path::Path;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory, builder::PossibleValue};
use clap_complete::Shell;
use clap_mangen::Man;

use super::Cli;
use crate::{exit_code, floor, scenario};

/// The script, as text.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown(), name(), &mut script);
    match shell {
        Shell::Fish => script.extend(fish_scenarios().bytes()),
        Shell::Bash => script = mended_for_bash(&script),
        _ => {}
    }
    script
}

/// What people may type: the generators would offer hidden commands too.
fn shown() -> Command {
    let whole = Cli::command();
    let subcommands = whole.get_subcommands().filter(|command| !command.is_hide_set());
    Command::new(name())
        .version(env!("CARGO_PKG_VERSION"))
        .args(whole.get_arguments())
        .subcommands(subcommands)
}

/// The generator for bash names a command's states in two ways where the program's name has a dash, so that none would be found.
fn mended_for_bash(script: &[u8]) -> Vec<u8> {
    let script = String::from_utf8_lossy(script);
    let (wrong, right) = (name().replace('-', "__subcmd__"), name().replace('-', "__"));
    script.replace(&wrong, &right).into_bytes()
}

/// The generator for fish leaves out what is no flag.
fn fish_scenarios() -> String {
    let names: Vec<&str> = scenario::BUILT_IN.iter().map(|(name, _)| *name).collect();
    let names = names.join(" ");
    let function = name().replace('-', "_");
    let of = |command: &str| {
        format!(
            "complete -c {} -n \"__fish_{function}_using_subcommand {command}\" -a \"{names}\"\n",
            name()
        )
    };
    of("run") + &of("calibrate")
}

/// The page of the whole program.
pub fn man() -> Result<Vec<u8>> {
    let page = Man::new(Cli::command().disable_help_subcommand(true));
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    page.render_subcommands_section(&mut text)?;
    text.extend(exit_status().bytes());
    page.render_version_section(&mut text)?;
    Ok(text)
}

/// A page for the program and one for each command.
///
/// # Errors
/// Names the folder that could not be written.
pub fn write_man(folder: &Path) -> Result<()> {
    let tried = || format!("the pages could not be written into {}", folder.display());
    std::fs::create_dir_all(folder).with_context(tried)?;
    clap_mangen::generate_to(Cli::command(), folder).with_context(tried)?;
    std::fs::write(folder.join(format!("{}.1", name())), man()?).with_context(tried)
}

fn name() -> &'static str {
    env!("CARGO_PKG_NAME")
}

/// In the order of precedence, as everywhere.
fn exit_status() -> String {
    let codes = exit_code::ALL
        .iter()
        .map(|(code, words)| format!(".TP\n{code}\n{words}\n"));
    format!(
        ".SH \"EXIT STATUS\"\nIn order of precedence:\n{}",
        codes.collect::<String>()
    )
}

/// Completes to the built-in scenarios; anything else may be a file, and is read by [`scenario::Scenario::load`].
pub fn scenarios() -> Suggested {
    Suggested(|| scenario::BUILT_IN.iter().map(|(name, _)| *name).collect())
}

/// Completes to the transports; what is none is refused with the plan, which knows the nearest.
pub fn transports() -> Suggested {
    Suggested(|| floor::contender_ids().collect())
}

/// Any words, of which some are worth suggesting.
#[derive(Clone)]
pub struct Suggested(fn() -> Vec<&'static str>);

impl clap::builder::TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        clap::builder::StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}
