//! A call told to people: a timeline, then the verdict, the reasons and what to do.

use std::io;

use anstyle::Style;

use super::paint::{self, BOLD, DIM, styled};
use super::subject::{self, Call, Row};
use super::text::{self, line, printable};
use crate::alert::watch::{Event, Outcome};
use crate::call::{Signal, Utterance};
use crate::config::Advice;
use crate::edge::hear::Hearing;
use crate::rules::{Finding, Level, Rulebook, Verdict};

/// The share of clipped samples from which recognition suffers.
const WORTH_TELLING: f64 = 0.001;
/// Columns before the words of an utterance: time, and leg.
const INDENT: usize = 21;

/// Writes a timeline to the standard output.
pub(super) struct People<'a> {
    advice: &'a Advice,
    has_colour: bool,
    width: usize,
    /// The call that was told of last: a stream may carry several.
    current: String,
}

impl<'a> People<'a> {
    pub fn new(advice: &'a Advice) -> Self {
        Self {
            advice,
            has_colour: paint::has_colour(),
            width: text::width(),
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
            Event::Speech { utterance, findings } => self.speech(&call.book, utterance, findings),
            Event::Signal { signal, rules } => self.signal(&call.book, signal, rules),
            Event::Level { before, verdict, simulated } => self.level(*before, verdict, *simulated),
            Event::Whisper { level, at } => self.whisper(*level, &at.to_string()),
        }
    }

    pub fn end(&mut self, call: &Call, outcome: &Outcome) -> io::Result<()> {
        self.turn_to(call)?;
        let worst = &outcome.worst;
        line("")?;
        line(&verdict(call, outcome))?;
        if let Some(at) = outcome.warned_at() {
            let came = if outcome.simulated { "would have come" } else { "came" };
            line(&format!("         The warning {came} {at} into the call."))?;
        }
        if !worst.hits.is_empty() {
            line("")?;
            line(&styled(BOLD, "Why"))?;
            reasons(&call.book, worst)?;
        }
        self.advise(outcome.highest())
    }

    pub fn summary(&self, rows: &[Row]) -> io::Result<()> {
        let widest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        line("")?;
        line(&styled(BOLD, format!("{:widest$}  level    score  warned  scam", "call")))?;
        for row in rows {
            let name = format!("{:widest$}", printable(&row.name));
            match &row.outcome {
                Some(outcome) => {
                    let level = outcome.highest();
                    let warned =
                        outcome.warned_at().map_or_else(|| "-".to_owned(), |at| at.to_string());
                    let family = row.family.as_deref().filter(|_| level > Level::Quiet);
                    let level = styled(paint::level(level), format!("{level:8}"));
                    let (score, family) = (outcome.worst.score, family.unwrap_or("-"));
                    line(&format!("{name}  {level} {score:5.0}  {warned:>6}  {family}"))?;
                }
                None => line(&format!("{name}  not screened"))?,
            }
        }
        Ok(())
    }

    fn speech(
        &self,
        book: &Rulebook,
        utterance: &Utterance,
        findings: &[Finding],
    ) -> io::Result<()> {
        let leg = styled(paint::leg(utterance.leg), format!("{:9}", utterance.leg));
        let time = styled(DIM, format!("{:>8}", utterance.start.to_string()));
        let width = self.width - INDENT;
        let rows = text::rows(utterance.text.reveal(), findings, width, self.has_colour);
        for (number, words) in rows.iter().enumerate() {
            match number {
                0 => line(&format!("{time}  {leg}  {words}"))?,
                _ => line(&format!("{:INDENT$}{words}", ""))?,
            }
        }
        if !utterance.is_final {
            return line(&format!("{:INDENT$}{}", "", styled(DIM, "… may still be revised")));
        }
        findings.iter().try_for_each(|one| finding(book, one))
    }

    /// What the line was like, below the last words.
    pub fn audio(&self, hearing: &Hearing) -> io::Result<()> {
        line("")?;
        for (leg, measured) in hearing.measured() {
            let level = measured.active_dbm0.unwrap_or(measured.level_dbm0);
            let noise = measured.noise_dbm0.map(|noise| format!(", noise {noise:.0}"));
            let clipped = (measured.clipped > WORTH_TELLING)
                .then(|| format!(", {:.1} % clipped", measured.clipped * 100.0));
            let (noise, clipped) = (noise.unwrap_or_default(), clipped.unwrap_or_default());
            let leg = styled(paint::leg(leg), format!("{leg:9}"));
            let text = styled(DIM, format!("{level:.0} dBm0{noise}{clipped}"));
            line(&format!("{:>8}  {leg}  {text}", styled(DIM, "line".to_owned())))?;
        }
        let Some(talk) = hearing.talk() else { return Ok(()) };
        let percent = |share: f64| share * 100.0;
        let (remote, protected) = (percent(talk.remote_share()), percent(talk.protected_share()));
        let both = percent(talk.double_talk());
        let text = format!(
            "the caller spoke {remote:.0} % of the time, the person {protected:.0} %, both at once \
             {both:.0} %"
        );
        line(&format!("{:>8}  {}", styled(DIM, "talk".to_owned()), styled(DIM, text)))
    }

    fn signal(&self, book: &Rulebook, signal: &Signal, rules: &[usize]) -> io::Result<()> {
        let leg = styled(paint::leg(signal.leg), format!("{:9}", signal.leg));
        let time = styled(DIM, format!("{:>8}", signal.at.to_string()));
        let kind = signal.kind.name().replace('-', " ");
        line(&format!("{time}  {leg}  ({kind})"))?;
        for rule in rules {
            finding(book, &Finding::of_signal(*rule))?;
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
        let advice = subject::advice(self.advice, level).unwrap_or_default();
        let style = paint::level(level);
        let head = styled(style, "whisper to the protected person, unheard by the caller:");
        line(&format!("{at:>8}  {head}"))?;
        self.paragraph(advice, style, 12)
    }

    /// Text in rows of the terminal's width, behind `indent` spaces.
    fn paragraph(&self, text: &str, style: Style, indent: usize) -> io::Result<()> {
        for row in text::rows(text, &[], self.width - indent, self.has_colour) {
            line(&format!("{:indent$}{}", "", styled(style, row)))?;
        }
        Ok(())
    }

    fn advise(&self, level: Level) -> io::Result<()> {
        let Some(advice) = subject::advice(self.advice, level) else { return Ok(()) };
        line("")?;
        line(&styled(BOLD, "What to do"))?;
        self.paragraph(advice, Style::new(), 2)?;
        if level < Level::Warning {
            return Ok(());
        }
        self.paragraph(&self.advice.afterwards, Style::new(), 2)?;
        for contact in &self.advice.contacts {
            let (number, name) = (&contact.number, &contact.name);
            line(&format!("  {number:>13}  {name}: {}", contact.when))?;
        }
        Ok(())
    }
}

/// One rule that was found, below the words it was found in.
fn finding(book: &Rulebook, finding: &Finding) -> io::Result<()> {
    let rule = &book.rules[finding.rule];
    let cue = finding.cue.map(|cue| book.cues[cue].title.as_str());
    let because = cue.or((finding.misheard > 0).then_some("as it may be misheard"));
    let weight = rule.weight * finding.keeps;
    let text = match because {
        None => format!("{:12} {} {weight:+.0}", rule.stage.name(), rule.title),
        Some(why) if weight < 0.5 => {
            format!("{:12} {}: not counted, {why}", rule.stage.name(), rule.title)
        }
        Some(why) => format!("{:12} {} +{weight:.0}, {why}", rule.stage.name(), rule.title),
    };
    line(&format!("{:INDENT$}{}", "", styled(DIM, format!("└ {text}"))))
}

fn verdict(call: &Call, outcome: &Outcome) -> String {
    let level = outcome.highest();
    let name = styled(paint::level(level), level.name().to_uppercase());
    let told = match (level, call.family(&outcome.worst)) {
        (Level::Quiet, _) => "nothing to warn of was heard".to_owned(),
        (_, Some(family)) => format!("{family}, as far as: {}", stage(&outcome.worst)),
        (_, None) => format!("as far as: {}", stage(&outcome.worst)),
    };
    let score = styled(DIM, format!("(score {:.0})", outcome.worst.score));
    format!("{}  {name}  {told}  {score}", styled(BOLD, "Verdict"))
}

fn reasons(book: &Rulebook, worst: &Verdict) -> io::Result<()> {
    for hit in worst.hits.iter().filter(|hit| hit.weight >= 0.5) {
        let rule = &book.rules[hit.rule];
        let when = styled(DIM, format!("{:>7}", hit.at.to_string()));
        let (weight, stage) = (hit.weight, rule.stage.name());
        line(&format!("  +{weight:<3.0} {when}  {stage:12} {}", rule.title))?;
    }
    let note = "(what one stage of the script says counts together, up to a limit)";
    line(&format!("  {}", styled(DIM, note)))
}

fn stage(verdict: &Verdict) -> String {
    verdict.stage.map_or_else(|| "no stage".to_owned(), |stage| stage.name().replace('-', " "))
}

/// What is told of a call that warns nobody.
const fn simulation(simulated: bool) -> &'static str {
    if simulated { "  (simulation)" } else { "" }
}
