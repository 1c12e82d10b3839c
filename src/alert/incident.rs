//! One call that became suspicious: when the person is warned, and when the others are told.
//!
//! A warning is not repeated at once, but a higher level or a later stage of the script always
//! breaks through: the worst is said last.

use super::record::{Actor, HistoryRecord, IncidentRecord, Step};
use super::report::Report;
use crate::config::{LevelName, Mode, Warn};
use crate::rules::{Level, Stage};
use crate::time::{Moment, Now, Wall};

/// The steps of which an incident keeps a record.
const MOST_STEPS: u32 = 200;
/// So much more evidence, in decibans, is news worth a repeated warning.
const NEWS: f64 = 3.0;

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Caution => Self::Caution,
            LevelName::Warning => Self::Warning,
            LevelName::Danger => Self::Danger,
        }
    }
}

/// What is to be done after a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "steps must be committed, and warnings given"]
pub struct Moves {
    /// What to commit.
    pub steps: Vec<HistoryRecord>,
    /// Warn the protected person.
    pub warn: bool,
    /// Tell the chosen people.
    pub tell: bool,
    /// End the call.
    pub drop: bool,
}

#[derive(Debug, Clone, Copy)]
struct Warned {
    level: Level,
    stage: Option<Stage>,
    score: f64,
    at: Now,
}

/// A call that became suspicious.
#[derive(Debug)]
pub struct Incident {
    /// As it is committed.
    pub record: IncidentRecord,
    /// The title of its family.
    pub family_title: Option<String>,
    level: Level,
    steps: u32,
    warned: Option<Warned>,
    dropped: bool,
}

impl Incident {
    /// A new one, or one that was open before a restart, of which `steps` are committed. What the
    /// others were told was committed too, and is not told again; nobody knows whether the person
    /// heard the last warning, so they are warned again.
    pub const fn new(record: IncidentRecord, steps: u32) -> Self {
        Self {
            record,
            family_title: None,
            level: Level::Quiet,
            steps,
            warned: None,
            dropped: false,
        }
    }

    /// Takes over what was known of the same call before a restart, under another name.
    pub fn absorb(&mut self, before: &IncidentRecord) {
        let record = &mut self.record;
        record.level = record.level.max(before.level);
        record.stage = record.stage.max(before.stage);
        if before.score > record.score {
            record.score = before.score;
            record.family.clone_from(&before.family);
            record.rules.clone_from(&before.rules);
        }
        record.told.extend(before.told.iter().copied());
        if !matches!(record.not_a_scam, Some(Actor::Carer(_))) {
            record.not_a_scam = before.not_a_scam.clone().or(record.not_a_scam.take());
        }
    }

    /// Takes in what the rules make of the call.
    pub fn take(&mut self, report: &Report, policy: &Warn, at: Moment) -> Moves {
        let mut moves = Moves::default();
        let before = std::mem::replace(&mut self.level, report.level);
        let is_later = report.stage > self.record.stage;
        self.keep(report);
        if report.level != before {
            let step = if report.level > before { Step::Rose } else { Step::Fell };
            moves.steps.extend(self.step(step, at.wall));
        }
        if is_later {
            moves.steps.extend(self.step(Step::Stage, at.wall));
        }
        if self.record.simulated {
            return moves;
        }
        moves.tell = self.tells(report);
        let is_called_off = self.record.not_a_scam.is_some();
        let may_act = policy.mode != Mode::Observe && !is_called_off;
        if may_act && report.level >= policy.from.into() && self.warns(report, policy, at.now) {
            moves.warn = true;
            moves.steps.extend(self.step(Step::Warned, at.wall));
        }
        let protects = policy.mode == Mode::Protect && may_act && !self.dropped;
        if protects && report.level == Level::Danger {
            self.dropped = true;
            moves.drop = true;
            moves.steps.extend(self.step(Step::Dropped, at.wall));
        }
        moves
    }

    /// Takes in a trick that is told by itself: it is warned of each time, and where the person is
    /// protected the call is ended. The report says that it is a warning at least.
    pub fn take_trick(&mut self, report: &Report, policy: &Warn, at: Moment) -> Moves {
        let mut moves = self.take(report, policy, at);
        let is_off = self.record.not_a_scam.is_some();
        if self.record.simulated || is_off || policy.mode == Mode::Observe {
            return moves;
        }
        if !std::mem::replace(&mut moves.warn, true) {
            moves.steps.extend(self.step(Step::Warned, at.wall));
        }
        if policy.mode == Mode::Protect && !std::mem::replace(&mut self.dropped, true) {
            moves.drop = true;
            moves.steps.extend(self.step(Step::Dropped, at.wall));
        }
        moves
    }

    /// Somebody says that it is no scam. What a carer said stands: the person does not weaken it.
    pub fn call_off(&mut self, by: Actor, at: Wall) -> Option<HistoryRecord> {
        match self.record.not_a_scam {
            Some(Actor::Carer(_)) => {}
            _ => self.record.not_a_scam = Some(by),
        }
        self.step(Step::NotAScam, at)
    }

    /// The call ended.
    pub fn end(&mut self, at: Wall) -> Option<HistoryRecord> {
        self.record.ended = Some(at);
        self.step(Step::Ended, at)
    }

    /// The level now; it may be lower than the highest.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// The record holds the worst of the call.
    fn keep(&mut self, report: &Report) {
        let record = &mut self.record;
        record.level = record.level.max(report.level);
        record.stage = record.stage.max(report.stage);
        if report.score >= record.score {
            record.score = report.score;
            record.family = report.family.clone();
            record.rules = report.rules.clone();
            self.family_title = report.family_title.clone();
        }
    }

    fn warns(&mut self, report: &Report, policy: &Warn, now: Now) -> bool {
        let is_news = |warned: &Warned| {
            let is_worse = report.level > warned.level || report.stage > warned.stage;
            let is_more = report.score >= warned.score + NEWS;
            is_worse || (is_more && now >= warned.at + policy.cooldown())
        };
        if self.warned.as_ref().is_some_and(|warned| !is_news(warned)) {
            return false;
        }
        let level = self.warned.map_or(report.level, |warned| warned.level.max(report.level));
        let stage = self.warned.map_or(report.stage, |warned| warned.stage.max(report.stage));
        self.warned = Some(Warned { level, stage, score: report.score, at: now });
        true
    }

    /// The others are told of each level once, and from `warning` on of each later stage.
    fn tells(&mut self, report: &Report) -> bool {
        // A verdict that was revised may have gone back a stage; what was told has not.
        let furthest = self.record.stage;
        let is_told = |(level, stage): &(Level, Option<Stage>)| {
            let is_no_later = furthest <= *stage || report.level < Level::Warning;
            report.level <= *level && is_no_later
        };
        let is_off = matches!(self.record.not_a_scam, Some(Actor::Carer(_)));
        if is_off || report.level < Level::Caution || self.record.told.iter().any(is_told) {
            return false;
        }
        self.record.told.push((report.level, furthest));
        true
    }

    fn step(&mut self, what: Step, at: Wall) -> Option<HistoryRecord> {
        if self.steps >= MOST_STEPS {
            return None;
        }
        self.steps += 1;
        let (incident, step) = (self.record.id, self.steps);
        Some(HistoryRecord {
            incident,
            step,
            at,
            what,
            level: self.level,
            stage: self.record.stage,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::alert::number::Tag;
    use crate::alert::record::Id;
    use crate::call::LineId;
    use crate::config::Config;

    fn policy(mode: Mode) -> Warn {
        Warn { mode, ..Config::parse("").expect("defaults").warn }
    }

    fn incident() -> Incident {
        let record = IncidentRecord {
            id: Id(1),
            line: LineId::new("home"),
            call: Tag([0; 16]),
            number: None,
            last_two: None,
            opened: Wall(0),
            ended: None,
            level: Level::Quiet,
            stage: None,
            family: None,
            score: 0.0,
            rules: Vec::new(),
            not_a_scam: None,
            told: Vec::new(),
            simulated: false,
        };
        Incident::new(record, 0)
    }

    fn report(level: Level, stage: Stage) -> Report {
        Report {
            level,
            score: 10.0 * f64::from(level as u8),
            stage: Some(stage),
            family: Some("courier-fraud".to_owned()),
            family_title: Some("Courier fraud".to_owned()),
            rules: vec!["a".to_owned()],
        }
    }

    fn at(seconds: u64) -> Moment {
        Moment { now: Now(Duration::from_secs(seconds)), wall: Wall(seconds * 1000) }
    }

    #[test]
    fn a_higher_level_and_a_later_stage_break_through_the_cooldown() {
        let (mut incident, policy) = (incident(), policy(Mode::Warn));
        let mut warns = |level, stage, second| {
            let moves = incident.take(&report(level, stage), &policy, at(second));
            (moves.warn, moves.tell)
        };
        assert_eq!(warns(Level::Caution, Stage::Hook, 0), (false, true));
        assert_eq!(warns(Level::Warning, Stage::Secrecy, 10), (true, true));
        assert_eq!(warns(Level::Warning, Stage::Secrecy, 12), (false, false));
        assert_eq!(warns(Level::Warning, Stage::Extraction, 14), (true, true), "a later stage");
        assert_eq!(warns(Level::Danger, Stage::Extraction, 15), (true, true), "a higher level");
        assert_eq!(warns(Level::Caution, Stage::Extraction, 20), (false, false));
        assert_eq!(warns(Level::Danger, Stage::Extraction, 30), (false, false), "nothing new");
    }

    #[test]
    fn more_of_the_same_is_repeated_after_the_cooldown_only() {
        let (mut incident, policy) = (incident(), policy(Mode::Warn));
        let mut score = 30.0;
        let mut warns = |second| {
            score += 5.0;
            let report = Report { score, ..report(Level::Warning, Stage::Secrecy) };
            incident.take(&report, &policy, at(second)).warn
        };
        assert_eq!((warns(0), warns(44), warns(45), warns(46)), (true, false, true, false));
    }

    #[test]
    fn observing_says_nothing_and_protecting_ends_the_call_once() {
        let danger = report(Level::Danger, Stage::Extraction);
        let moves = incident().take(&danger, &policy(Mode::Observe), at(0));
        assert_eq!((moves.warn, moves.drop, moves.tell), (false, false, true));
        let moves = incident().take(&danger, &policy(Mode::Warn), at(0));
        assert_eq!((moves.warn, moves.drop), (true, false));
        let mut incident = incident();
        let moves = incident.take(&danger, &policy(Mode::Protect), at(0));
        assert_eq!((moves.warn, moves.drop), (true, true));
        assert!(!incident.take(&danger, &policy(Mode::Protect), at(1)).drop);
    }

    #[test]
    fn what_was_called_off_is_not_warned_of_and_is_kept() {
        let danger = report(Level::Danger, Stage::Extraction);
        let mut by_person = incident();
        assert!(by_person.call_off(Actor::Person, Wall(5)).is_some());
        let moves = by_person.take(&danger, &policy(Mode::Protect), at(9));
        // Whoever holds the telephone may have been talked into it: the others are still told.
        assert_eq!((moves.warn, moves.drop, moves.tell), (false, false, true));
        assert_eq!(by_person.record.level, Level::Danger);
        let mut by_carer = incident();
        let _ = by_carer.call_off(Actor::Carer("anna".to_owned()), Wall(5));
        assert!(!by_carer.take(&danger, &policy(Mode::Warn), at(9)).tell);
    }

    #[test]
    fn what_a_carer_called_off_the_person_does_not_call_on_again() {
        let mut incident = incident();
        let carer = Actor::Carer("anna".to_owned());
        let _ = incident.call_off(carer.clone(), Wall(5));
        let _ = incident.call_off(Actor::Person, Wall(6));
        assert_eq!(incident.record.not_a_scam, Some(carer));
    }

    #[test]
    fn each_level_and_stage_is_told_once_also_when_the_stage_went_back() {
        let (mut incident, policy) = (incident(), policy(Mode::Warn));
        let mut tells = |level, stage| incident.take(&report(level, stage), &policy, at(0)).tell;
        assert!(tells(Level::Caution, Stage::Extraction));
        assert!(tells(Level::Warning, Stage::Hook), "told as the furthest stage, extraction");
        assert!(!tells(Level::Warning, Stage::Authority));
        assert!(!tells(Level::Warning, Stage::Extraction));
        assert!(tells(Level::Danger, Stage::Hook));
    }

    #[test]
    fn after_a_restart_the_person_is_warned_again_and_the_others_are_not_told_again() {
        let (mut before, policy) = (incident(), policy(Mode::Warn));
        let danger = report(Level::Danger, Stage::Extraction);
        let _ = before.take(&danger, &policy, at(0));
        let mut incident = Incident::new(before.record, 3);
        let moves = incident.take(&danger, &policy, at(1));
        assert_eq!((moves.warn, moves.tell), (true, false));
        assert_eq!(moves.steps[0].step, 4);
    }

    #[test]
    fn a_stage_that_was_reached_and_not_told_is_told_after_a_restart() {
        let (mut before, policy) = (incident(), policy(Mode::Warn));
        assert!(before.take(&report(Level::Warning, Stage::Hook), &policy, at(0)).tell);
        let later = report(Level::Caution, Stage::Extraction);
        assert!(!before.take(&later, &policy, at(1)).tell, "nobody is told of a lower level");
        let mut incident = Incident::new(before.record, 4);
        let warning = report(Level::Warning, Stage::Extraction);
        assert!(incident.take(&warning, &policy, at(2)).tell);
        assert!(!incident.take(&warning, &policy, at(3)).tell);
    }

    #[test]
    fn a_simulated_incident_is_recorded_and_nobody_hears_of_it() {
        let mut incident = incident();
        incident.record.simulated = true;
        let moves =
            incident.take(&report(Level::Danger, Stage::Hook), &policy(Mode::Protect), at(0));
        assert!(!moves.warn && !moves.tell && !moves.drop && !moves.steps.is_empty());
    }

    #[test]
    fn a_level_that_goes_up_and_down_for_hours_does_not_fill_the_disk() {
        let mut incident = incident();
        let steps: usize = (0..5000)
            .map(|second| {
                let level = if second % 2 == 0 { Level::Caution } else { Level::Warning };
                let report = report(level, Stage::Hook);
                incident.take(&report, &policy(Mode::Warn), at(second)).steps.len()
            })
            .sum();
        assert_eq!(steps, MOST_STEPS as usize);
        assert!(incident.end(Wall(9)).is_none() && incident.record.ended.is_some());
    }
}
