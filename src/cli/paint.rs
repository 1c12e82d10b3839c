//! Colours, and the little that stands between words and the terminal.

use std::fmt::Display;
use std::io::Write;

use anstyle::{AnsiColor, Style};

use crate::call::Leg;
use crate::rules::Level;

/// The colour of a level.
pub(super) const fn level(level: Level) -> Style {
    let colour = match level {
        Level::Quiet => AnsiColor::Green,
        Level::Caution => AnsiColor::Yellow,
        Level::Warning => AnsiColor::BrightYellow,
        Level::Danger => AnsiColor::BrightRed,
    };
    colour.on_default().bold()
}

/// The colour of a leg.
pub(super) const fn leg(leg: Leg) -> Style {
    match leg {
        Leg::Remote => AnsiColor::Magenta.on_default(),
        Leg::Protected => AnsiColor::Cyan.on_default(),
        Leg::Mixed => AnsiColor::Blue.on_default(),
    }
}

/// For what explains rather than tells.
pub(super) const DIM: Style = Style::new().dimmed();

/// For headings.
pub(super) const BOLD: Style = Style::new().bold();

/// For a phrase that counts.
pub(super) const PHRASE: Style = AnsiColor::BrightRed.on_default().underline();

/// For a phrase that a cue took the sting out of.
pub(super) const SPARED: Style = AnsiColor::Green.on_default().underline();

/// `text` in `style`.
pub(super) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes a line, with its colours if somebody sees them.
pub(super) fn say(text: &str) -> std::io::Result<()> {
    let mut out = anstream::stdout();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Whether the standard output shows colours.
pub(super) fn has_colour() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// Columns of the terminal, or what a page takes.
pub(super) fn columns() -> usize {
    let size = terminal_size::terminal_size();
    size.map_or(100, |(width, _)| usize::from(width.0))
}

/// One line on the standard error: what went wrong.
pub(super) fn complain(error: &dyn Display) {
    let red = AnsiColor::BrightRed.on_default().bold();
    // With the standard error closed there is no one left to tell.
    let _ = writeln!(anstream::stderr(), "{red}error:{red:#} {error}");
}

/// One line on the standard error that is no error.
pub(super) fn note(text: &dyn Display) {
    // With the standard error closed there is no one left to tell.
    let _ = writeln!(anstream::stderr(), "{}", styled(DIM, text));
}
