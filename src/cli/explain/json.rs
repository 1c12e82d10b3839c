//! An explanation for programs: one JSON object a call.

use std::io;

use crate::call::Origin;
use crate::cli::text;
use crate::cli::workbench::Workbench;
use crate::rules::explain::{Explanation, Found, Told, Turn};
use crate::rules::pack::Maturity;
use crate::rules::{Stage, Verdict};
use crate::wire::explanation as wire;

pub(super) fn write(
    file: &str,
    call: &str,
    explanation: &Explanation,
    bench: &Workbench,
) -> io::Result<()> {
    let turns = explanation.turns.iter().enumerate();
    let told = wire::Explanation {
        file: file.to_owned(),
        call: call.to_owned(),
        origin: match explanation.origin {
            Origin::Unknown => "unknown",
            Origin::KnownContact => "known-contact",
            Origin::Outgoing => "outgoing",
        },
        start: tenths(explanation.start),
        turns: turns.map(|(number, one)| turn(number + 1, one, bench)).collect(),
        verdict: verdict(explanation),
        end: moment(&explanation.last),
    };
    text::json_line(&told)
}

fn turn(number: usize, turn: &Turn, bench: &Workbench) -> wire::Turn {
    let (leg, start, end, text, signal) = match &turn.told {
        Told::Speech(said) => {
            (said.leg, said.start, said.end, Some(said.text.reveal().clone()), None)
        }
        Told::Signal(signal) => (signal.leg, signal.at, signal.at, None, Some(signal.kind.name())),
    };
    wire::Turn {
        turn: number,
        leg: leg.into(),
        start_ms: start.0,
        end_ms: end.0,
        text,
        signal,
        is_final: turn.is_settled(),
        found: turn.found.iter().map(|one| found(one, bench)).collect(),
        near: turn.near.iter().map(|near| near_miss(near, bench)).collect(),
        score_before: tenths(turn.before.1),
        faded: tenths(turn.faded),
        score: tenths(turn.verdict.score),
        level_before: turn.before.0.name(),
        level: turn.verdict.level.name(),
    }
}

fn found(found: &Found, bench: &Workbench) -> wire::Found {
    let finding = &found.finding;
    let rule = &bench.book.rules[finding.rule];
    wire::Found {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        stage: rule.stage.name(),
        phrase: found.phrase.map(|phrase| phrase + 1),
        pattern: found.phrase.map(|phrase| bench.phrase(finding.rule, phrase).to_owned()),
        start: finding.span.start,
        end: finding.span.end,
        weight: tenths(rule.weight * finding.keeps),
        keeps: finding.keeps,
        because: finding.cue.map(|cue| bench.book.cues[cue].title.clone()),
        misheard: finding.misheard,
        since_ms: found.since.map(|at| at.0),
        counts: rule.maturity == Maturity::Stable,
    }
}

fn near_miss(near: &crate::rules::phrases::NearMiss, bench: &Workbench) -> wire::Near {
    let rule = &bench.book.rules[near.rule];
    wire::Near {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        stage: rule.stage.name(),
        phrase: near.phrase + 1,
        pattern: bench.phrase(near.rule, near.phrase).to_owned(),
        start: near.span.start,
        end: near.span.end,
        missing: near.missing.clone(),
    }
}

fn verdict(call: &Explanation) -> wire::Verdict {
    let worst = &call.worst;
    let sums = call.sums(worst);
    let reasons = worst.hits.iter().map(|hit| {
        let rule = &call.book.rules[hit.rule];
        wire::Reason {
            rule: rule.id.clone(),
            title: rule.title.clone(),
            stage: rule.stage.name(),
            at_ms: hit.at.0,
            weight: tenths(hit.weight),
            suppressed: hit.suppression.map(|number| call.book.suppressions[number].title.clone()),
            when_heard: tenths(call.when_heard(hit.rule, worst)),
        }
    });
    let stages = sums.stages.iter().map(|sum| wire::StageSum {
        stage: sum.stage.name(),
        heard: tenths(sum.heard),
        cap: tenths(sum.cap),
        counts: tenths(sum.counts()),
    });
    wire::Verdict {
        moment: moment(worst),
        stage: worst.stage.map(Stage::name),
        family: worst.family.map(|pack| call.book.packs[pack].id.clone()),
        reasons: reasons.collect(),
        stages: stages.collect(),
        pretext: sums.pretext.map(|pretext| wire::PretextSum {
            given: pretext.is_given(),
            heard: tenths(pretext.heard),
            least: tenths(pretext.least),
            demands: tenths(pretext.demands),
            cap: tenths(pretext.cap),
            cuts: tenths(pretext.cuts()),
        }),
        sequences: tenths(sums.sequences),
        reassurance: tenths(sums.reassurance),
    }
}

fn moment(verdict: &Verdict) -> wire::Moment {
    wire::Moment { at_ms: verdict.at.0, level: verdict.level.name(), score: tenths(verdict.score) }
}

/// Rounded to tenths; a zero has no sign.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0 + 0.0
}
