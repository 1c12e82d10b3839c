//! Words on a terminal: marked where the rules found something, and broken into rows.

use std::io::{self, Write};

use super::paint::{self, styled};
use crate::rules::Finding;

/// A word with the space after it.
#[derive(Clone, Copy, PartialEq)]
struct Piece<'a> {
    text: &'a str,
    mark: Mark,
    /// First and last word of a phrase.
    opens: bool,
    closes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Counts,
    Spared,
}

/// A text in rows of at most `width` characters, the phrases that were found in it marked: by
/// colours, or without them by brackets.
pub(super) fn rows(
    text: &str,
    findings: &[Finding],
    width: usize,
    has_colour: bool,
) -> Vec<String> {
    let row = |pieces: Vec<Piece<'_>>| {
        let words = pieces.iter().map(|piece| piece.shown(has_colour)).collect::<String>();
        words.trim_end().to_owned()
    };
    wrap(&pieces(text, findings), width).into_iter().map(row).collect()
}

impl Piece<'_> {
    fn shown(&self, has_colour: bool) -> String {
        let (open, close, style) = match (self.mark, has_colour) {
            (Mark::None, _) => return printable(self.text),
            (Mark::Counts, true) => ("", "", paint::PHRASE),
            (Mark::Counts, false) => ("[", "]", paint::PHRASE),
            (Mark::Spared, true) => ("", "", paint::SPARED),
            (Mark::Spared, false) => ("(", ")", paint::SPARED),
        };
        let text = printable(self.text);
        let trimmed = text.trim_end();
        let space = &text[trimmed.len()..];
        let open = if self.opens { open } else { "" };
        let close = if self.closes { close } else { "" };
        format!("{open}{}{close}{space}", styled(style, trimmed))
    }
}

/// Splits a text into words, each with what the rules make of it.
fn pieces<'a>(text: &'a str, findings: &[Finding]) -> Vec<Piece<'a>> {
    let mut at = 0;
    let mut pieces: Vec<Piece<'a>> = text
        .split_inclusive(' ')
        .map(|word| {
            let (start, end) = (at, at + word.trim_end().len());
            at += word.len();
            let over = |finding: &&Finding| finding.span.start < end && finding.span.end > start;
            let best = findings.iter().filter(over).max_by(|a, b| a.keeps.total_cmp(&b.keeps));
            let mark = match best {
                None => Mark::None,
                Some(finding) if finding.keeps >= 0.5 => Mark::Counts,
                Some(_) => Mark::Spared,
            };
            Piece { text: word, mark, opens: false, closes: false }
        })
        .collect();
    for i in 0..pieces.len() {
        let mark = pieces[i].mark;
        pieces[i].opens = i == 0 || pieces[i - 1].mark != mark;
        pieces[i].closes = pieces.get(i + 1).is_none_or(|next| next.mark != mark);
    }
    pieces
}

/// Breaks words into rows of at most `width` characters.
fn wrap<'a>(pieces: &[Piece<'a>], width: usize) -> Vec<Vec<Piece<'a>>> {
    let mut rows = vec![Vec::new()];
    let mut used = 0;
    for piece in pieces {
        let length = piece.text.chars().count();
        if used > 0 && used + length > width {
            rows.push(Vec::new());
            used = 0;
        }
        used += length;
        if let Some(row) = rows.last_mut() {
            row.push(*piece);
        }
    }
    rows
}

/// What was said must not move the cursor or pass for a line of ours.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `1 rule`, `2 rules`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// At most `width` characters of a text.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Columns to write in: those of the terminal, or what a page takes.
pub(super) fn width() -> usize {
    columns().unwrap_or(100).clamp(60, 110)
}

/// Columns of the terminal, if there is one; `COLUMNS` says otherwise, as for `--help`.
pub(super) fn columns() -> Option<usize> {
    let wanted = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    wanted.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
}

/// One line on the standard output, at once: a live feed is read as it comes.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    writeln!(out, "{text}")?;
    out.flush()
}

/// One JSON object on the standard output, as a line, at once.
pub(super) fn json_line(value: &impl serde::Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}
