//! Events for programs: one JSON object a line.

use std::io;

use super::subject::{self, Call};
use super::text;
use crate::alert::watch::{Event, Outcome};
use crate::call::Utterance;
use crate::config::Advice;
use crate::edge::hear::Hearing;
use crate::edge::reload::{Change, PackStatus};
use crate::rules::{Finding, Level, Stage};
use crate::time::CallTime;
use crate::wire::event as wire;

/// Writes JSON lines to the standard output.
pub(super) struct Json<'a> {
    advice: &'a Advice,
}

impl<'a> Json<'a> {
    pub const fn new(advice: &'a Advice) -> Self {
        Self { advice }
    }

    pub fn begin(&self, call: &Call) -> io::Result<()> {
        write(&wire::Event::Call(wire::CallEvent {
            file: call.file.clone(),
            call: call.name.clone(),
            source: call.source,
            duration_ms: call.duration.map(|time| time.0),
        }))
    }

    pub fn event(&self, call: &Call, event: &Event, at: CallTime) -> io::Result<()> {
        let name = call.name.clone();
        write(&match event {
            Event::Speech { utterance, findings } => {
                wire::Event::Utterance(spoken(call, utterance, findings, at))
            }
            Event::Signal { signal, .. } => wire::Event::Signal(wire::SignalEvent {
                call: name,
                leg: signal.leg.into(),
                at_ms: signal.at.0,
                kind: signal.kind.name(),
            }),
            Event::Level { before, verdict, simulated } => wire::Event::Level(wire::LevelEvent {
                call: name,
                at_ms: verdict.at.0,
                level: verdict.level.name(),
                before: before.name(),
                score: tenths(verdict.score),
                stage: verdict.stage.map(Stage::name),
                simulated: *simulated,
            }),
            Event::Whisper { level, at } => wire::Event::Whisper(wire::WhisperEvent {
                call: name,
                at_ms: at.0,
                level: level.name(),
                text: subject::advice(self.advice, *level).unwrap_or_default().to_owned(),
            }),
        })
    }

    pub fn audio(&self, call: &Call, hearing: &Hearing) -> io::Result<()> {
        let legs = hearing.measured().map(|(leg, measured)| wire::LegAudio {
            leg: leg.into(),
            level_dbm0: tenths(measured.level_dbm0),
            active_dbm0: measured.active_dbm0.map(tenths),
            noise_dbm0: measured.noise_dbm0.map(tenths),
            clipped: measured.clipped,
        });
        let (call, legs) = (call.name.clone(), legs.collect());
        let talk = hearing.talk().map(|talk| {
            let share = |ticks: u64| ticks as f64 / talk.ticks().max(1) as f64;
            let (remote, protected) = (share(talk.remote), share(talk.protected));
            let (both, neither) = (share(talk.both), share(talk.neither));
            wire::TalkShares { remote, protected, both, neither }
        });
        write(&wire::Event::Audio(wire::AudioEvent { call, legs, talk }))
    }

    pub fn end(&self, call: &Call, outcome: &Outcome) -> io::Result<()> {
        let worst = &outcome.worst;
        let reasons = worst.hits.iter().map(|hit| {
            let rule = &call.book.rules[hit.rule];
            wire::ReasonEvent {
                rule: rule.id.clone(),
                title: rule.title.clone(),
                stage: rule.stage.name(),
                at_ms: hit.at.0,
                weight: tenths(hit.weight),
            }
        });
        write(&wire::Event::Verdict(wire::VerdictEvent {
            call: call.name.clone(),
            level: outcome.highest().name(),
            score: tenths(worst.score),
            stage: worst.stage.map(Stage::name),
            family: call.family(worst).map(str::to_owned),
            warned_at_ms: outcome.warned_at().map(|time| time.0),
            reasons: reasons.collect(),
            advice: self.whole_advice(outcome.highest()),
            simulated: outcome.simulated,
        }))
    }

    pub fn error(&self, file: &str, message: &str) -> io::Result<()> {
        let (file, message) = (file.to_owned(), message.to_owned());
        write(&wire::Event::Error(wire::ErrorEvent { file, message }))
    }

    pub fn rules(&self, change: Change, status: &PackStatus) -> io::Result<()> {
        let change = match change {
            Change::Reloaded => "reloaded",
            Change::Refused => "refused",
        };
        write(&wire::Event::Rules(wire::RulesEvent { change, status: status.clone() }))
    }

    fn whole_advice(&self, level: Level) -> Option<String> {
        let advice = subject::advice(self.advice, level)?;
        let afterwards = &self.advice.afterwards;
        let also = if level >= Level::Warning { format!(" {afterwards}") } else { String::new() };
        Some(format!("{advice}{also}"))
    }
}

fn spoken(
    call: &Call,
    utterance: &Utterance,
    findings: &[Finding],
    at: CallTime,
) -> wire::UtteranceEvent {
    let found = findings.iter().map(|finding| {
        let rule = &call.book.rules[finding.rule];
        wire::FoundEvent {
            rule: rule.id.clone(),
            title: rule.title.clone(),
            stage: rule.stage.name(),
            start: finding.span.start,
            end: finding.span.end,
            keeps: finding.keeps,
            because: finding.cue.map(|cue| call.book.cues[cue].title.clone()),
        }
    });
    wire::UtteranceEvent {
        call: call.name.clone(),
        leg: utterance.leg.into(),
        start_ms: utterance.start.0,
        end_ms: utterance.end.0,
        at_ms: at.0,
        text: utterance.text.reveal().clone(),
        is_final: utterance.is_final,
        confidence: utterance.confidence,
        found: found.collect(),
    }
}

fn write(event: &wire::Event) -> io::Result<()> {
    text::json_line(event)
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
