//! Progress bars, on the standard error and only on a terminal.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::status::CliError;
use crate::edge::models::{Model, Progress, Store};

/// A bar over `total` milliseconds of a recording; hidden for short ones.
pub(super) fn recording(total_ms: u64) -> ProgressBar {
    if total_ms < 30_000 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total_ms / 1000), ProgressDrawTarget::stderr());
    let template = "{bar:30} {percent:>3} %  {pos} of {len} s heard, {eta} left";
    bar.set_style(style(template));
    bar
}

/// A bar over `bytes` of corpora.
pub(super) fn corpora(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    bar.set_style(style("{bar:30} {percent:>3} %  {bytes} of {total_bytes} screened, {eta} left"));
    bar
}

/// A bar over rules.
pub(super) fn rules(total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    bar.set_style(style("{bar:30} {percent:>3} %  {pos} of {len} rules, {eta} left"));
    bar
}

/// A bar that counts down `total` seconds.
pub(super) fn countdown(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    bar.set_style(style("  {bar:40}  {msg}"));
    bar
}

/// Fetches models with a bar for each download.
pub(super) fn fetch(store: &Store, models: &[Model]) -> Result<(), CliError> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.enable_steady_tick(Duration::from_millis(120));
    let mut told = String::new();
    let result = store.fetch(models, &mut |progress| {
        let line = show(&bar, &progress);
        // Without a terminal each step is told once, in words.
        if bar.is_hidden() && line != told {
            // With the standard error closed there is no one left to tell.
            let _ = writeln!(anstream::stderr(), "{line}");
            told = line;
        }
    });
    bar.finish_and_clear();
    Ok(result?)
}

fn show(bar: &ProgressBar, progress: &Progress<'_>) -> String {
    let line = match progress {
        Progress::Waiting { .. } => "waiting for another fetch to finish".to_owned(),
        Progress::Downloading { what, done, total } => {
            bar.set_length(*total);
            bar.set_position(*done);
            bar.set_style(style("{bar:30} {bytes:>10} of {total_bytes:10}  {msg}"));
            let line = format!("downloading {what}, {:.0} MB", *total as f64 / 1e6);
            bar.set_message(line.clone());
            return line;
        }
        Progress::Verifying { what } => format!("verifying {what}"),
        Progress::Unpacking { what } => format!("unpacking {what}"),
        Progress::Converting { step } => format!("converting: {step}"),
        Progress::Done { model, fetched: true } => format!("{model}: fetched and verified"),
        Progress::Done { model, fetched: false } => format!("{model}: already there"),
    };
    bar.set_style(style("{spinner} {msg}"));
    bar.set_message(line.clone());
    line
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}
