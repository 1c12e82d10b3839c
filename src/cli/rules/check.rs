//! `lineclear rules check`: what is wrong in packs, shown where it stands.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use clap::Args;

use super::super::paint::{self, BOLD, styled};
use super::super::status::{CliError, Status};
use crate::edge::files::{self, Selection, Source};
use crate::rules::Problem;
use crate::rules::locate::Located;

/// Which packs, and how what is found is told.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Directories of packs, and packs; a lone pack is checked among those of --rules or the
    /// shipped ones, in place of the one with its id
    #[arg(value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// One JSON object a problem
    #[arg(long)]
    json: bool,
    /// End with 1 on warnings too
    #[arg(long)]
    deny_warnings: bool,
}

const EXAMPLES: &str = "\
Examples:
  lineclear rules check config/rules
  lineclear rules check my-scam.toml               one pack, among the shipped ones
  lineclear --local local.toml rules check         the shipped packs with local rules
  lineclear rules check --json --deny-warnings config/rules

docs/rules.md lists the codes, with what to do.

Exit status:
  0   no error; no warning with --deny-warnings
  1   an error, or a warning with --deny-warnings; or a file cannot be read
  2   the command line is wrong";

/// What `rules check --json` writes, one a line.
#[derive(Debug, serde::Serialize)]
struct Told<'a> {
    severity: &'static str,
    code: &'static str,
    file: &'a str,
    /// From 1; the column in characters.
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    /// Bytes of the file, from 0.
    start: usize,
    end: usize,
    place: String,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

pub(super) fn run(options: &Options, selection: &Selection) -> Result<Status, CliError> {
    let (sources, named) = sources(&options.paths, selection)?;
    let mut problems = crate::rules::check(&sources);
    // Of packs that nobody asked about only errors are told: they may be the fault of the others.
    problems.retain(|problem| !problem.code.is_warning() || named.contains(&problem.file));
    let texts: HashMap<&str, (usize, &str, Located<'_>)> = sources
        .iter()
        .enumerate()
        .map(|(at, (file, text))| (file.as_str(), (at, text.as_str(), Located::new(text))))
        .collect();
    problems.sort_by_cached_key(|problem| {
        let start =
            |(at, _, text): &(usize, &str, Located<'_>)| (*at, text.span(&problem.place).start);
        (problem.code.is_warning(), texts.get(problem.file.as_str()).map(start))
    });
    for problem in &problems {
        let Some((_, text, located)) = texts.get(problem.file.as_str()) else { continue };
        if options.json {
            json(problem, located)?;
        } else {
            people(problem, text, located)?;
        }
    }
    let warnings = problems.iter().filter(|problem| problem.code.is_warning()).count();
    let errors = problems.len() - warnings;
    if !options.json {
        summary(named.len(), errors, warnings)?;
    }
    let failed = errors > 0 || (options.deny_warnings && warnings > 0);
    Ok(Status { failed, ..Status::OK })
}

/// The packs that are checked together, and the names of those that were asked about.
fn sources(
    paths: &[PathBuf],
    selection: &Selection,
) -> Result<(Vec<Source>, Vec<String>), CliError> {
    let names = |packs: &[Source]| packs.iter().map(|(file, _)| file.clone()).collect();
    if paths.is_empty() {
        let packs = files::packs(selection)?;
        let named = names(&packs);
        return Ok((packs, named));
    }
    let given = files::packs_at(paths)?;
    let named = names(&given);
    if paths.iter().any(|path| path.is_dir()) {
        let local = selection.local.as_ref().map(|local| files::packs_at(&[local.to_owned()]));
        let local = local.transpose()?.unwrap_or_default();
        return Ok(([given, local].concat(), named));
    }
    let mut packs = files::packs(selection)?;
    let is_given = |(file, text): &Source| {
        given.iter().any(|(other, new)| file == other || (id(new).is_some() && id(new) == id(text)))
    };
    packs.retain(|pack| !is_given(pack));
    let is_local = |(_, text): &Source| id(text).as_deref() == Some("local");
    let (locals, others): (Vec<Source>, Vec<Source>) =
        packs.into_iter().chain(given).partition(is_local);
    Ok(([others, locals].concat(), named))
}

/// The id of a pack, as far as it can be read.
fn id(text: &str) -> Option<String> {
    let (table, _) = toml::de::DeTable::parse_recoverable(text);
    let id = table.get_ref().get("pack")?.get_ref().get("id")?.get_ref().as_str()?;
    Some(id.to_owned())
}

fn json(problem: &Problem, located: &Located<'_>) -> Result<(), CliError> {
    let span = located.span(&problem.place);
    let ((line, column), (end_line, end_column)) =
        (located.line_and_column(span.start), located.line_and_column(span.end));
    let told = Told {
        severity: if problem.code.is_warning() { "warning" } else { "error" },
        code: problem.code.name(),
        file: &problem.file,
        line,
        column,
        end_line,
        end_column,
        start: span.start,
        end: span.end,
        place: problem.place.to_string(),
        message: &problem.message,
        help: problem.help.as_deref(),
    };
    let text = serde_json::to_string(&told).map_err(std::io::Error::from)?;
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn people(problem: &Problem, text: &str, located: &Located<'_>) -> Result<(), CliError> {
    let span = located.span(&problem.place);
    let level = if problem.code.is_warning() { Level::WARNING } else { Level::ERROR };
    let title = match problem.place.syntax {
        Some(_) => problem.message.clone(),
        None => format!("{}: {}", problem.place, problem.message),
    };
    // Only the lines that are meant: a pack is long.
    let from = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let to = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at);
    let snippet = Snippet::source(&text[from..to])
        .line_start(located.line_and_column(from).0)
        .path(&problem.file)
        .annotation(AnnotationKind::Primary.span(span.start - from..span.end - from));
    let mut report = level.primary_title(title).id(problem.code.name()).element(snippet);
    if let Some(help) = &problem.help {
        report = report.element(Level::HELP.message(help));
    }
    let renderer = Renderer::styled().term_width(paint::columns());
    Ok(writeln!(anstream::stdout(), "{}\n", renderer.render(&[report]))?)
}

fn summary(packs: usize, errors: usize, warnings: usize) -> Result<(), CliError> {
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let (packs, errors, warnings) =
        (count(packs, "pack"), count(errors, "error"), count(warnings, "warning"));
    let told = styled(BOLD, format!("{packs}: {errors}, {warnings}"));
    Ok(writeln!(anstream::stdout(), "{told}")?)
}
