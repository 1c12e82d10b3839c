//! What is written in a pack, made ready to score.

use super::pack::{CueText, OverrideText, RuleText, SuppressionText};
use super::rulebook::{Cue, Local, Rule, Suppression};
use crate::call::SignalKind;

pub(super) fn rule(
    text: &RuleText,
    pack: usize,
    group: Option<usize>,
    signal: Option<SignalKind>,
) -> Rule {
    Rule {
        id: text.id.clone(),
        title: text.title.clone(),
        pack,
        stage: text.stage,
        weight: text.weight,
        bounds: text.bounds,
        speaker: text.speaker,
        context: text.context.clone(),
        tolerance: text.tolerance.unwrap_or(DEFAULT_TOLERANCE),
        group,
        half_life: text.half_life,
        negatable: text.negatable,
        maturity: text.maturity,
        local: None,
        is_sequence: text.sequence.is_some(),
        signal,
    }
}

/// The share of the weight that counts where a phrase marks a word with `~` and its rule does not
/// say more.
const DEFAULT_TOLERANCE: f64 = 0.6;

pub(super) fn cue(text: &CueText) -> Cue {
    Cue {
        kind: text.kind,
        title: text.title.clone(),
        reach: text.reach,
        same_sentence: text.same_sentence,
        keeps: text.keeps,
        lasts: text.lasts,
    }
}

pub(super) fn suppression(text: &SuppressionText, of: Vec<bool>) -> Suppression {
    Suppression {
        id: text.id.clone(),
        title: text.title.clone(),
        speaker: text.speaker,
        of,
        keeps: text.keeps,
        lasts: text.lasts,
    }
}

pub(super) fn change(rule: &mut Rule, change: &OverrideText) {
    let shipped_weight = rule.local.as_ref().map_or(rule.weight, |local| local.shipped_weight);
    rule.weight = change.weight.unwrap_or(rule.weight);
    rule.maturity = change.maturity.unwrap_or(rule.maturity);
    let (enabled, reason) = (change.enabled, change.reason.clone());
    rule.local = Some(Local { enabled, shipped_weight, reason });
}
