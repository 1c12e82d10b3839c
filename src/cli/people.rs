//! A call told to people: a timeline, then the verdict, the reasons and what to do.

use std::io::{self, Write};

use anstyle::Style;

use super::paint::{self, BOLD, DIM, styled};
use super::subject::{Call, Context, Row};
use crate::alert::watch::{Event, Outcome};
use crate::call::{Signal, Utterance};
use crate::rules::{Finding, Level, Verdict};

/// Columns before the words of an utterance: time, and leg.
const INDENT: usize = 21;

/// Writes a timeline to the standard output.
pub(super) struct People<'a> {
    context: Context<'a>,
    has_colour: bool,
    width: usize,
    /// The call that was told of last: a stream may carry several.
    current: String,
}

impl<'a> People<'a> {
    pub fn new(context: Context<'a>) -> Self {
        Self {
            context,
            has_colour: paint::has_colour(),
            width: paint::columns().clamp(60, 110),
            current: String::new(),
        }
    }

    pub fn begin(&mut self, call: &Call) -> io::Result<()> {
        self.current.clone_from(&call.name);
        let length = call.duration.map(|time| format!("  {time}")).unwrap_or_default();
        line(&format!("{}{}", styled(BOLD, printable(&call.name)), styled(DIM, length)))
    }

    /// Says which call is meant, where it is another than before.
    fn turn_to(&mut self, call: &Call) -> io::Result<()> {
        if self.current != call.name {
            self.current.clone_from(&call.name);
            line(&styled(BOLD, printable(&call.name)))?;
        }
        Ok(())
    }

    pub fn event(&mut self, call: &Call, event: &Event) -> io::Result<()> {
        self.turn_to(call)?;
        match event {
            Event::Speech { utterance, findings } => self.speech(utterance, findings),
            Event::Signal { signal, rules } => self.signal(signal, rules),
            Event::Level { before, verdict, simulated } => self.level(*before, verdict, *simulated),
            Event::Whisper { level, at } => self.whisper(*level, &at.to_string()),
        }
    }

    pub fn end(&mut self, call: &Call, outcome: &Outcome) -> io::Result<()> {
        self.turn_to(call)?;
        let worst = &outcome.worst;
        line("")?;
        line(&self.verdict(outcome))?;
        if let Some(at) = outcome.warned_at() {
            let came = if outcome.simulated { "would have come" } else { "came" };
            line(&format!("         The warning {came} {at} into the call."))?;
        }
        if !worst.hits.is_empty() {
            line("")?;
            line(&styled(BOLD, "Why"))?;
            self.reasons(worst)?;
        }
        self.advise(outcome.highest())
    }

    pub fn summary(&self, rows: &[Row]) -> io::Result<()> {
        let widest = rows.iter().map(|row| row.call.name.chars().count()).max().unwrap_or(0);
        line("")?;
        line(&styled(BOLD, format!("{:widest$}  level    score  warned  scam", "call")))?;
        for row in rows {
            let name = format!("{:widest$}", printable(&row.call.name));
            match &row.outcome {
                Some(outcome) => {
                    let level = outcome.highest();
                    let warned =
                        outcome.warned_at().map_or_else(|| "-".to_owned(), |at| at.to_string());
                    let family = match level {
                        Level::Quiet => None,
                        _ => self.context.family(outcome.worst.family),
                    };
                    let level = styled(paint::level(level), format!("{level:8}"));
                    let (score, family) = (outcome.worst.score, family.unwrap_or("-"));
                    line(&format!("{name}  {level} {score:5.0}  {warned:>6}  {family}"))?;
                }
                None => line(&format!("{name}  not screened"))?,
            }
        }
        Ok(())
    }

    fn speech(&self, utterance: &Utterance, findings: &[Finding]) -> io::Result<()> {
        let text = utterance.text.reveal();
        let leg = styled(paint::leg(utterance.leg), format!("{:9}", utterance.leg));
        let time = styled(DIM, format!("{:>8}", utterance.start.to_string()));
        let rows = wrap(&pieces(text, findings), self.width - INDENT);
        for (number, row) in rows.iter().enumerate() {
            let words = row.iter().map(|piece| self.piece(piece)).collect::<String>();
            match number {
                0 => line(&format!("{time}  {leg}  {}", words.trim_end()))?,
                _ => line(&format!("{:INDENT$}{}", "", words.trim_end()))?,
            }
        }
        if !utterance.is_final {
            return line(&format!("{:INDENT$}{}", "", styled(DIM, "… may still be revised")));
        }
        findings.iter().try_for_each(|finding| self.finding(finding))
    }

    /// One rule that was found, below the words it was found in.
    fn finding(&self, finding: &Finding) -> io::Result<()> {
        let rule = &self.context.book.rules[finding.rule];
        let cue = finding.cue.map(|cue| self.context.book.cues[cue].title.as_str());
        let because = cue.or((finding.misheard > 0).then_some("as it may be misheard"));
        let weight = rule.weight * finding.keeps;
        let text = match because {
            None => format!("{:12} {} +{weight:.0}", rule.stage.name(), rule.title),
            Some(why) if weight < 0.5 => {
                format!("{:12} {}: not counted, {why}", rule.stage.name(), rule.title)
            }
            Some(why) => format!("{:12} {} +{weight:.0}, {why}", rule.stage.name(), rule.title),
        };
        line(&format!("{:INDENT$}{}", "", styled(DIM, format!("└ {text}"))))
    }

    fn signal(&self, signal: &Signal, rules: &[usize]) -> io::Result<()> {
        let leg = styled(paint::leg(signal.leg), format!("{:9}", signal.leg));
        let time = styled(DIM, format!("{:>8}", signal.at.to_string()));
        let kind = signal.kind.name().replace('-', " ");
        line(&format!("{time}  {leg}  ({kind})"))?;
        for rule in rules {
            let finding = Finding::of_signal(*rule);
            self.finding(&finding)?;
        }
        Ok(())
    }

    fn level(&self, before: Level, verdict: &Verdict, simulated: bool) -> io::Result<()> {
        let arrow = if verdict.level > before { "▲" } else { "▼" };
        let name = verdict.level.name().to_uppercase();
        let level = styled(paint::level(verdict.level), format!("{arrow} {name}"));
        let score = styled(DIM, format!("score {:.0}", verdict.score));
        let mark = simulation(simulated);
        line(&format!("{:>8}  {level}  {score}{mark}", verdict.at.to_string()))
    }

    fn whisper(&self, level: Level, at: &str) -> io::Result<()> {
        let advice = self.context.advice(level).unwrap_or_default();
        let style = paint::level(level);
        let head = styled(style, "whisper to the protected person, unheard by the caller:");
        line(&format!("{at:>8}  {head}"))?;
        self.paragraph(advice, style, 12)
    }

    /// Text in rows of the terminal's width, behind `indent` spaces.
    fn paragraph(&self, text: &str, style: Style, indent: usize) -> io::Result<()> {
        for row in wrap(&pieces(text, &[]), self.width - indent) {
            let words = row.iter().map(|piece| piece.text).collect::<String>();
            line(&format!("{:indent$}{}", "", styled(style, words.trim_end())))?;
        }
        Ok(())
    }

    fn verdict(&self, outcome: &Outcome) -> String {
        let level = outcome.highest();
        let name = styled(paint::level(level), level.name().to_uppercase());
        let told = match (level, self.context.family(outcome.worst.family)) {
            (Level::Quiet, _) => "nothing to warn of was heard".to_owned(),
            (_, Some(family)) => format!("{family}, as far as: {}", stage(&outcome.worst)),
            (_, None) => format!("as far as: {}", stage(&outcome.worst)),
        };
        let score = styled(DIM, format!("(score {:.0})", outcome.worst.score));
        let mark = simulation(outcome.simulated);
        format!("{}  {name}  {told}  {score}{mark}", styled(BOLD, "Verdict"))
    }

    fn reasons(&self, worst: &Verdict) -> io::Result<()> {
        for hit in worst.hits.iter().filter(|hit| hit.weight >= 0.5) {
            let rule = &self.context.book.rules[hit.rule];
            let when = styled(DIM, format!("{:>7}", hit.at.to_string()));
            let (weight, stage) = (hit.weight, rule.stage.name());
            line(&format!("  +{weight:<3.0} {when}  {stage:12} {}", rule.title))?;
        }
        let note = "(what one stage of the script says counts together, up to a limit)";
        line(&format!("  {}", styled(DIM, note)))
    }

    fn advise(&self, level: Level) -> io::Result<()> {
        let Some(advice) = self.context.advice(level) else { return Ok(()) };
        line("")?;
        line(&styled(BOLD, "What to do"))?;
        self.paragraph(advice, Style::new(), 2)?;
        if level < Level::Warning {
            return Ok(());
        }
        self.paragraph(&self.context.advice.afterwards, Style::new(), 2)?;
        for contact in &self.context.advice.contacts {
            let (number, name) = (&contact.number, &contact.name);
            line(&format!("  {number:>13}  {name}: {}", contact.when))?;
        }
        Ok(())
    }

    /// Without colours a phrase stands in brackets.
    fn piece(&self, piece: &Piece<'_>) -> String {
        let (open, close) = match (piece.mark, self.has_colour) {
            (Mark::None, _) => return printable(piece.text),
            (_, true) => ("", ""),
            (Mark::Counts, false) => ("[", "]"),
            (Mark::Spared, false) => ("(", ")"),
        };
        let text = printable(piece.text);
        let trimmed = text.trim_end();
        let space = &text[trimmed.len()..];
        let style = match piece.mark {
            Mark::Counts => paint::PHRASE,
            Mark::Spared => paint::SPARED,
            Mark::None => Style::new(),
        };
        let (open, close) =
            (if piece.opens { open } else { "" }, if piece.closes { close } else { "" });
        format!("{open}{}{close}{space}", styled(style, trimmed))
    }
}

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

fn stage(verdict: &Verdict) -> String {
    verdict.stage.map_or_else(|| "no stage".to_owned(), |stage| stage.name().replace('-', " "))
}

/// What is told of a call that warns nobody.
const fn simulation(simulated: bool) -> &'static str {
    if simulated { "  (simulation)" } else { "" }
}

/// What was said must not move the cursor or pass for a line of ours.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn line(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    writeln!(out, "{text}")?;
    out.flush()
}
