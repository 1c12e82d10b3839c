//! What the desk and the database know, as the interface says it.

use std::time::Duration;

use crate::alert::desk::{Answer, LineStatus};
use crate::alert::line_clear::Gate;
use crate::alert::record::{HistoryRecord, IncidentRecord};
use crate::config::Config;
use crate::edge::store::Erased;
use crate::wire::api::{ErasedView, GateView, HoldView, IncidentView, LineView, StepView};

/// Rounded up: nobody is promised less.
fn seconds(span: Duration) -> u64 {
    span.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

pub(super) fn line(status: &LineStatus) -> LineView {
    let hold = status.hold.as_ref().map(|(hold, left)| HoldView {
        id: hold.id.to_string(),
        remaining_seconds: seconds(*left),
        since: hold.since.wall.to_string(),
        incident: hold.incident.map(|id| id.to_string()),
        restarts: hold.restarts,
    });
    LineView {
        line: status.id.to_string(),
        name: status.name.clone(),
        screened: status.is_screened,
        hold,
        off_seconds: status.disabled.map(seconds),
        suspicious: status.suspicious.map(|wall| wall.to_string()),
    }
}

pub(super) fn gate(answer: &Answer, config: &Config, line: &str) -> GateView {
    let own = config.lines.iter().find(|own| own.id == line);
    let key = own.map(|own| own.hold.override_key.clone());
    let (decision, reason, left, override_key) = match answer.gate {
        Gate::Pass(reason) => ("pass", reason.name(), Duration::ZERO, None),
        Gate::Held { remaining, can_override } => {
            ("held", "held", remaining, key.filter(|_| can_override))
        }
        Gate::TurnAway { reason, remaining } => ("turn-away", reason.name(), remaining, None),
    };
    let name = |call: &crate::call::CallId| call.private().reveal().to_string();
    GateView {
        decision: decision.to_owned(),
        reason: reason.to_owned(),
        remaining_seconds: seconds(left),
        override_key,
        prompts: answer.prompts.iter().map(|prompt| prompt.name().to_owned()).collect(),
        drop_first: answer.drop_first.iter().map(name).collect(),
    }
}

/// The answer of the gate for a dialplan: `decision:seconds:key:sounds`. The sounds are in the
/// exchange's folder `sounds`.
pub(super) fn plain(view: &GateView, sounds: &str) -> String {
    let sound = |prompt: &String| format!("{sounds}/{prompt}");
    let played = view.prompts.iter().map(sound).collect::<Vec<_>>().join("&");
    let key = view.override_key.as_deref().unwrap_or_default();
    format!("{}:{}:{key}:{played}", view.decision, view.remaining_seconds)
}

pub(super) fn incident(record: &IncidentRecord, history: &[HistoryRecord]) -> IncidentView {
    let step = |step: &HistoryRecord| StepView {
        at: step.at.to_string(),
        what: step.what.name().to_owned(),
        level: step.level.name().to_owned(),
        stage: step.stage.map(|stage| stage.name().to_owned()),
    };
    IncidentView {
        incident: record.id.to_string(),
        line: record.line.to_string(),
        opened: record.opened.to_string(),
        ended: record.ended.map(|wall| wall.to_string()),
        level: record.level.name().to_owned(),
        score: (record.score * 10.0).round() / 10.0,
        stage: record.stage.map(|stage| stage.name().to_owned()),
        family: record.family.clone(),
        rules: record.rules.clone(),
        number_ends_with: record.last_two.map(|digits| format!("{digits:02}")),
        not_a_scam: record.not_a_scam.as_ref().map(|actor| actor.to_string()),
        simulated: record.simulated,
        history: history.iter().map(step).collect(),
    }
}

pub(super) fn erased(erased: &Erased) -> ErasedView {
    let Erased { incidents, history, holds, notifications, audit, left_in } = erased;
    ErasedView {
        rows: incidents + history + holds + notifications + audit,
        left_in: left_in.iter().map(|path| path.display().to_string()).collect(),
    }
}
