//! The report, for people and for programs.

use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Serialize;

use super::rows::{CallsRow, EarlyRow, RATES, RecallRow, Share, ThresholdRow, percent_name};
use crate::cli::table::Table;

/// Writes to the standard output.
pub(super) struct Report {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
}

impl Report {
    pub fn new(json: bool) -> Self {
        Self { out: BufWriter::new(io::stdout().lock()), json }
    }

    pub fn calls(&mut self, rows: &[CallsRow<'_>]) -> io::Result<()> {
        let heads = "corpus|label|>calls|>groups|>caution|>warning|>danger|>share warned\
                     |>95 %|>median time|>before the ask";
        self.table("", heads, rows, |row| {
            let before = match row.asked {
                0 => "–".to_owned(),
                asked => format!("{} of {asked}", row.before_ask),
            };
            vec![
                name(row.corpus, row.kind),
                row.label.to_owned(),
                row.calls.to_string(),
                row.groups.to_string(),
                row.caution.to_string(),
                row.warning.to_string(),
                row.danger.to_string(),
                percent(row.warning_share),
                between(row.warning_low, row.warning_high),
                seconds(row.median_s),
                before,
            ]
        })
    }

    pub fn thresholds(&mut self, rows: &[ThresholdRow]) -> io::Result<()> {
        let about = match rows.first() {
            Some(row) => format!(
                "Thresholds, on {} groups of honest calls: a rate in percent is the share of them \
                 that may alarm;\nthe threshold is then the highest score that must not.",
                row.honest_groups
            ),
            None => "No honest call is among these: give some to find thresholds by.".to_owned(),
        };
        self.table(&about, "threshold|>decibans|>false alarms|>95 %", rows, |row| {
            let alarms = row.false_alarms;
            vec![
                row.threshold.clone(),
                format!("{:.1}", row.decibans),
                format!("{:.2} %", alarms.share * 100.0),
                format!("{:.2}–{:.2}", alarms.low * 100.0, alarms.high * 100.0),
            ]
        })
    }

    pub fn recall(&mut self, rows: &[RecallRow<'_>]) -> io::Result<()> {
        let about = "Recall: the share of groups of scam calls that pass each threshold, with its \
                     95 % interval.";
        let [rare, few] = RATES.map(percent_name);
        let heads = format!("corpus|>groups|>at {rare}|>at {few}|>caution|>warning|>danger");
        self.table(about, &heads, rows, |row| {
            let columns =
                [row.at_0_1_percent, row.at_1_percent, row.caution, row.warning, row.danger];
            let mut cells = vec![name(row.corpus, row.kind), row.groups.to_string()];
            cells.extend(columns.map(share));
            cells
        })
    }

    pub fn early(&mut self, rows: &[EarlyRow<'_>]) -> io::Result<()> {
        let about = "How early: the share of groups of scam calls that are warned of by then.";
        let heads = "corpus|>groups|>by 15 s|>by 30 s|>by 60 s|>ever|>before the ask|>asks\
                     |>median time";
        self.table(about, heads, rows, |row| {
            let columns = [row.by_15_s, row.by_30_s, row.by_60_s, row.ever, row.before_ask];
            let mut cells = vec![name(row.corpus, row.kind), row.groups.to_string()];
            cells.extend(columns.map(share));
            cells.extend([row.asked_groups.to_string(), seconds(row.median_s)]);
            cells
        })
    }

    fn table<R: Serialize>(
        &mut self,
        about: &str,
        heads: &str,
        rows: &[R],
        cells: impl Fn(&R) -> Vec<String>,
    ) -> io::Result<()> {
        if self.json {
            for row in rows {
                serde_json::to_writer(&mut self.out, row)?;
                writeln!(self.out)?;
            }
            return self.out.flush();
        }
        if !about.is_empty() {
            writeln!(self.out, "\n{about}\n")?;
        }
        if !rows.is_empty() {
            let mut table = Table::new(heads);
            rows.iter().for_each(|row| table.row(cells(row)));
            table.print(&mut self.out)?;
        }
        self.out.flush()
    }
}

/// Kinds stand below their corpus.
fn name(corpus: &str, kind: Option<&str>) -> String {
    kind.map_or_else(|| corpus.to_owned(), |kind| format!("· {kind}"))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn between(low: f64, high: f64) -> String {
    format!("{:.1}–{:.1}", low * 100.0, high * 100.0)
}

fn share(share: Option<Share>) -> String {
    share.map_or_else(
        || "–".to_owned(),
        |it| format!("{} ({})", percent(it.share), between(it.low, it.high)),
    )
}

fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "–".to_owned(), |s| format!("{s:.0} s"))
}
