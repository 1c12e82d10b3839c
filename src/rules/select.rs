//! Rules named by others: `secrecy` (a stage), `bank.hook.*`, `bank.hook.fraud|courier.hook.*`.

use super::rulebook::Rule;
use super::stage::Stage;

/// The indices of the rules that `selector` names. A stage does not name sequences: they follow
/// from other rules, and must not follow from themselves.
pub fn rules(selector: &str, rules: &[Rule]) -> Vec<usize> {
    let parts: Vec<&str> = selector.split('|').map(str::trim).collect();
    let is_named = |rule: &Rule| parts.iter().any(|part| names(part, rule));
    (0..rules.len()).filter(|at| is_named(&rules[*at])).collect()
}

fn names(part: &str, rule: &Rule) -> bool {
    if let Some(stage) = Stage::from_name(part) {
        return rule.stage == stage && !rule.is_sequence;
    }
    match part.strip_suffix('*') {
        Some(prefix) => rule.id.starts_with(prefix) && !rule.is_sequence,
        None => rule.id == part,
    }
}
