//! Everything that is kept about a line, for the person whom it is about.

use serde_json::{Value, json};

use super::Store;
use super::error::StoreError;
use super::read::{AuditEntry, Problem, Rows};
use crate::alert::deadline::Committed;
use crate::alert::record::{
    Delivery, HistoryRecord, HoldRecord, IncidentRecord, LineRecord, NotificationRecord, Scammer,
};
use crate::call::LineId;
use crate::config::Consent;
use crate::time::Wall;

impl Store {
    /// Everything about a line, in words and dates; the newest first. Tags are left out: they tell
    /// nobody anything. Rows that cannot be read are named.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn export(&self, id: &LineId) -> Result<Value, StoreError> {
        // One view, whatever is committed meanwhile.
        let view = self.connection.unchecked_transaction();
        let _view = self.judge(view)?;
        let line = Some(id);
        let mut problems = Vec::new();
        let state = each(self.line(id)?, &mut problems, state);
        let consent = each(self.consent(id)?, &mut problems, consent);
        let mut incidents = Vec::new();
        let found = self.incidents(line, u32::MAX)?;
        problems.extend(found.problems.iter().map(Problem::to_string));
        for record in &found.rows {
            let history = self.incident(record.id)?.map(|(_, history)| history);
            let history = history.map(|history| each(history, &mut problems, step));
            incidents.push(incident(record, history.unwrap_or_default()));
        }
        let holds = each(self.holds(line, u32::MAX)?, &mut problems, hold);
        let sent = self.notifications(line, None, u32::MAX)?;
        let notifications = each(sent, &mut problems, notification);
        let audit = each(self.audit(line, u32::MAX)?, &mut problems, audit);
        Ok(json!({
            "line": id.as_str(),
            "consent": consent.first(),
            "state": state.first(),
            "incidents": incidents,
            "holds": holds,
            "notifications": notifications,
            "audit": audit,
            "unreadable": problems,
        }))
    }
}

fn each<T>(rows: Rows<T>, problems: &mut Vec<String>, tell: impl Fn(&T) -> Value) -> Vec<Value> {
    problems.extend(rows.problems.iter().map(Problem::to_string));
    rows.rows.iter().map(tell).collect()
}

fn time(at: Wall) -> String {
    at.to_string()
}

fn state(record: &LineRecord) -> Value {
    let until = |deadline: Option<Committed>| deadline.map(|it| time(it.wall_until));
    json!({
        "left_alone_until": until(record.disabled),
        "callbacks_pass_until": until(record.callbacks),
        "last_suspicious_call": record.suspicious.map(time),
    })
}

fn consent((_, given): &(LineId, Consent)) -> Value {
    json!({ "by": given.by, "on": given.on })
}

fn incident(record: &IncidentRecord, history: Vec<Value>) -> Value {
    json!({
        "id": record.id.to_string(),
        "opened": time(record.opened),
        "ended": record.ended.map(time),
        "last_two_digits": record.last_two.map(|digits| format!("{digits:02}")),
        "level": record.level.name(),
        "stage": record.stage.map(|stage| stage.name()),
        "family": record.family,
        "score": record.score,
        "rules": record.rules,
        "not_a_scam": record.not_a_scam.as_ref().map(ToString::to_string),
        "simulated": record.simulated,
        "history": history,
    })
}

fn step(record: &HistoryRecord) -> Value {
    json!({
        "step": record.step,
        "at": time(record.at),
        "what": record.what.name(),
        "level": record.level.name(),
        "stage": record.stage.map(|stage| stage.name()),
    })
}

fn hold(record: &HoldRecord) -> Value {
    let kept_away = match record.scammer {
        Scammer::Nobody => "nobody",
        Scammer::Withheld => "withheld numbers",
        Scammer::Number(_) => "the number that rang",
    };
    json!({
        "id": record.id.to_string(),
        "incident": record.incident.map(|id| id.to_string()),
        "since": time(record.since),
        "until": time(record.deadline.wall_until),
        "kept_away": kept_away,
        "restarts": record.restarts,
        "ended": record.ended.as_ref().map(|ended| time(ended.at)),
        "ended_by": record.ended.as_ref().map(|ended| ended.by.to_string()),
    })
}

fn notification(record: &NotificationRecord) -> Value {
    let (state, delivered, problem) = match &record.state {
        Delivery::Pending(problem) => ("pending", None, problem.as_ref()),
        Delivery::Delivered(at) => ("delivered", Some(time(*at)), None),
        Delivery::Failed(problem) => ("failed", None, Some(problem)),
    };
    json!({
        "to": record.to.person,
        "channel": record.to.channel,
        "notice": record.notice,
        "posted": time(record.posted),
        "attempts": record.attempts,
        "state": state,
        "delivered": delivered,
        "problem": problem,
    })
}

fn audit(entry: &AuditEntry) -> Value {
    json!({
        "at": time(entry.at),
        "by": entry.actor.to_string(),
        "what": entry.what,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{audit, folder, hold, incident, notification, open, step};
    use super::*;
    use crate::alert::record::Record;

    #[test]
    fn all_of_a_line_is_told_in_words_and_dates() {
        let folder = folder();
        let mut store = open(&folder);
        let (at, line) = (Wall(1_795_305_600_000), LineId::new("home"));
        let failed = Delivery::Failed("410".to_owned());
        let given = Consent { by: "Jean".to_owned(), on: "2026-11-22".to_owned() };
        let records = [
            Record::Incident(IncidentRecord { opened: at, ..incident(1, "home") }),
            Record::Incident(incident(2, "shop")),
            step(1, 1, at.0),
            Record::Hold(HoldRecord { since: at, ..hold(1, "home") }),
            Record::Notification(notification("a", "home", failed)),
            Record::Consent(line.clone(), Some(given)),
            Record::Line(LineRecord {
                line: line.clone(),
                disabled: None,
                callbacks: Some(hold(1, "home").deadline),
                suspicious: Some(at),
            }),
            audit("home", at.0),
        ];
        store.commit(&records).expect("committed");
        let told = store.export(&line).expect("reads");
        let is = |pointer: &str, value: &str| {
            assert_eq!(told.pointer(pointer), Some(&Value::from(value)), "{pointer} of {told:#}");
        };
        is("/line", "home");
        is("/consent/by", "Jean");
        is("/state/last_suspicious_call", "2026-11-22T00:00:00Z");
        is("/state/callbacks_pass_until", "1970-01-01T00:05:01Z");
        is("/incidents/0/opened", "2026-11-22T00:00:00Z");
        is("/incidents/0/last_two_digits", "07");
        is("/incidents/0/history/0/what", "rose");
        is("/holds/0/kept_away", "the number that rang");
        is("/notifications/0/state", "failed");
        is("/notifications/0/notice/line_name", "the line home");
        is("/audit/0/by", "carer anna");
        assert!(!told.to_string().contains("shop"), "{told:#}");
        assert_eq!(told.pointer("/unreadable"), Some(&Value::Array(Vec::new())));
    }
}
