//! `lineclear rules list`: what the rules are.

use clap::Args;
use serde::Serialize;

use crate::cli::paint::{BOLD, DIM, styled};
use crate::cli::status::{CliError, Status};
use crate::cli::text::{self, line};
use crate::cli::workbench::Workbench;
use crate::edge::files::Selection;
use crate::rules::Stage;
use crate::rules::pack::{Header, Maturity, RuleText, Speaker};

/// Columns that a title needs beside the others: with fewer it stands below.
const LEAST_TITLE: usize = 24;

/// Which rules.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// Show this rule wholly: phrases, examples, references, false positives
    #[arg(value_name = "RULE_ID", conflicts_with_all = ["pack", "stage"])]
    rule: Option<String>,
    /// Only rules of this pack
    #[arg(long, value_name = "ID")]
    pack: Option<String>,
    /// Only rules of this stage of the script
    #[arg(long, value_parser = stage)]
    stage: Option<Stage>,
    /// One JSON object a rule
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  lineclear rules list --stage secrecy
  lineclear rules list courier.hook.card-cloned
  lineclear --rules my-rules rules list --pack courier --json";

fn stage(name: &str) -> Result<Stage, String> {
    let names = || Stage::ALL.map(Stage::name).join(", ");
    Stage::from_name(name).ok_or_else(|| format!("the stages are {}", names()))
}

/// A rule as it is written.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row<'a> {
    id: &'a str,
    title: &'a str,
    pack: &'a str,
    family: &'a str,
    stage: &'static str,
    weight: f64,
    speaker: &'static str,
    maturity: &'static str,
    half_life: f64,
    negatable: bool,
    signal: Option<&'a str>,
    phrases: &'a [String],
    must_match: &'a [String],
    must_not_match: &'a [String],
    references: &'a [String],
    false_positives: &'a [String],
}

pub(super) fn run(options: &Options, rules: &Selection) -> Result<Status, CliError> {
    let bench = Workbench::open(rules)?;
    let wanted = |(pack, rule): &(&Header, &RuleText)| {
        options.rule.as_ref().is_none_or(|id| rule.id == *id)
            && options.pack.as_ref().is_none_or(|id| pack.id == *id)
            && options.stage.is_none_or(|stage| rule.stage == stage)
    };
    let rows: Vec<Row<'_>> = bench.texts.rules().filter(wanted).map(Row::new).collect();
    match (&options.rule, &options.pack) {
        (Some(id), _) if rows.is_empty() => return Err(CliError::NoRule(id.clone())),
        (_, Some(pack)) if bench.book.packs.iter().all(|header| header.id != *pack) => {
            let packs: Vec<&str> = bench.book.packs.iter().map(|pack| pack.id.as_str()).collect();
            return Err(CliError::NoPack(pack.clone(), packs.join(", ")));
        }
        _ => {}
    }
    if options.json {
        rows.iter().try_for_each(text::json_line)?;
    } else if options.rule.is_some() {
        rows.iter().try_for_each(show)?;
    } else {
        table(&rows)?;
    }
    Ok(Status::OK)
}

impl<'a> Row<'a> {
    fn new((pack, rule): (&'a Header, &'a RuleText)) -> Self {
        Self {
            id: &rule.id,
            title: &rule.title,
            pack: &pack.id,
            family: &pack.title,
            stage: rule.stage.name(),
            weight: rule.weight,
            speaker: match rule.speaker {
                Speaker::Remote => "remote",
                Speaker::Protected => "protected",
                Speaker::Any => "any",
            },
            maturity: match rule.maturity {
                Maturity::Stable => "stable",
                Maturity::Experimental => "experimental",
            },
            half_life: rule.half_life,
            negatable: rule.negatable,
            signal: rule.signal.as_deref(),
            phrases: &rule.phrases,
            must_match: &rule.must_match,
            must_not_match: &rule.must_not_match,
            references: &rule.references,
            false_positives: &rule.false_positives,
        }
    }

    fn cells(&self) -> [String; 6] {
        let phrases = match self.signal {
            Some(_) => "signal".to_owned(),
            None => self.phrases.len().to_string(),
        };
        [
            self.id.to_owned(),
            self.stage.to_owned(),
            format!("{:.1}", self.weight),
            self.speaker.to_owned(),
            phrases,
            self.maturity.to_owned(),
        ]
    }
}

/// A row a rule, as wide as the terminal; where that is narrow, the title stands below.
fn table(rows: &[Row<'_>]) -> Result<(), CliError> {
    const HEAD: [&str; 6] = ["rule", "stage", "weight", "speaker", "phrases", "maturity"];
    let cells: Vec<[String; 6]> = rows.iter().map(Row::cells).collect();
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|at| cells.iter().map(|row| row[at].len()).fold(HEAD[at].len(), usize::max))
        .collect();
    let join = |cells: [&str; 6]| {
        let cell = |(at, cell): (usize, &str)| {
            let width = widths[at];
            let is_number = at == 2 || at == 4;
            if is_number { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        };
        cells.into_iter().enumerate().map(cell).collect::<Vec<_>>().join("  ")
    };
    let used = widths.iter().sum::<usize>() + 2 * widths.len();
    // What a program reads is not cut.
    let columns = text::columns().unwrap_or(usize::MAX);
    let is_wide = columns >= used + LEAST_TITLE;
    let head = format!("{}{}", join(HEAD), if is_wide { "  title" } else { "" });
    line(&styled(BOLD, text::cut(&head, columns)))?;
    for (row, cells) in rows.iter().zip(&cells) {
        let cells = join(cells.each_ref().map(String::as_str));
        if is_wide {
            line(&text::cut(&format!("{cells}  {}", row.title), columns))?;
        } else {
            line(&text::cut(cells.trim_end(), columns))?;
            line(&styled(DIM, text::cut(&format!("  {}", row.title), columns)))?;
        }
    }
    let packs: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.pack).collect();
    let rules = text::count(rows.len(), "rule");
    let told = format!("{rules} in {}", text::count(packs.len(), "pack"));
    Ok(line(&styled(DIM, told))?)
}

/// Everything that is written of a rule.
fn show(row: &Row<'_>) -> std::io::Result<()> {
    line(&styled(BOLD, row.id))?;
    line(row.title)?;
    line("")?;
    line(&format!("pack        {} ({})", row.pack, row.family))?;
    line(&format!("stage       {}", row.stage))?;
    line(&format!("weight      {:.1} decibans", row.weight))?;
    line(&format!("speaker     {}", row.speaker))?;
    line(&format!("maturity    {}", row.maturity))?;
    line(&format!("half-life   {:.0} s", row.half_life))?;
    line(&format!("negatable   {}", if row.negatable { "yes" } else { "no" }))?;
    if let Some(signal) = row.signal {
        line(&format!("signal      {signal}"))?;
    }
    let numbered = row.phrases.iter().enumerate();
    let phrases: Vec<String> =
        numbered.map(|(at, phrase)| format!("{:>3}  {phrase}", at + 1)).collect();
    let parts: [(&str, &[String]); 5] = [
        ("Phrases", &phrases),
        ("Must match", row.must_match),
        ("Must not match", row.must_not_match),
        ("False positives", row.false_positives),
        ("References", row.references),
    ];
    for (name, lines) in parts.iter().filter(|(_, lines)| !lines.is_empty()) {
        line("")?;
        line(&styled(BOLD, name))?;
        lines.iter().try_for_each(|text| line(&format!("  {text}")))?;
    }
    Ok(())
}
