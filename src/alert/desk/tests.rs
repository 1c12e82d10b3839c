use super::*;
use crate::alert::line_clear::Gate;
use crate::alert::record::{Delivery, HoldRecord, NotificationRecord, Scammer};
use crate::alert::report::Report;
use crate::call::Direction;
use crate::private::Private;
use crate::rules::{Level, Stage};
use crate::time::Wall;

pub(super) const NOON: u64 = 1_795_348_800;
pub(super) const SCAMMER: &str = "01632 960666";
pub(super) const CONTACT: &str = "+44 1632 960001";
pub(super) const OTHER: &str = "01632 960002";

/// One line that is screened, with a person who is told everything over two channels.
pub(super) fn config(of_the_line: &str, whole: &str) -> Config {
    let text = format!(
        r#"{whole}
        [[lines]]
        id = "home"
        name = "Home"
        people = ["anna"]
        contacts = ["01632 960001"]
        {of_the_line}
        [[people]]
        id = "anna"
        name = "Anna"
        tell = ["caution", "warning", "danger", "hold"]
        channels = [{{ kind = "command", run = ["true"] }}, {{ kind = "webhook" }}]"#
    );
    Config::parse(&text).expect("a configuration")
}

pub(super) const AGREED: &str = "consent = { by = \"Jean\", on = \"2026-11-22\" }\n";

pub(super) fn screened(of_the_line: &str) -> Config {
    config(&format!("{AGREED}{of_the_line}"), "")
}

pub(super) fn desk_of(config: &Config) -> Desk {
    let mut desk = Desk::new(config, BootId(1), TagKey::new([7; 32]), 1);
    let _ = desk.restore(Snapshot::default(), config, at(0));
    desk
}

pub(super) fn desk(of_the_line: &str) -> Desk {
    desk_of(&screened(of_the_line))
}

pub(super) fn at(second: u64) -> Moment {
    let wall = Wall((NOON + second) * 1000);
    Moment { now: Now(Duration::from_secs(second)), wall }
}

pub(super) fn home() -> LineId {
    LineId::new("home")
}

pub(super) fn carer() -> Actor {
    Actor::Carer("anna".to_owned())
}

pub(super) fn call(name: &str) -> CallId {
    CallId::new(name)
}

pub(super) fn number(number: &str) -> Option<Private<String>> {
    (!number.is_empty()).then(|| Private::new(number.to_owned()))
}

pub(super) fn new_call(name: &str, direction: Direction, from: &str) -> NewCall {
    NewCall { line: home(), call: call(name), direction, number: number(from) }
}

/// A call comes in; an empty number is a withheld one.
pub(super) fn rings(desk: &mut Desk, name: &str, from: &str, second: u64) -> (Started, Actions) {
    let new = new_call(name, Direction::Incoming, from);
    desk.start_call(&new, at(second)).expect("it is watched")
}

pub(super) fn report(level: Level, stage: Stage) -> Report {
    Report {
        level,
        score: 10.0 + 10.0 * f64::from(level as u8),
        stage: Some(stage),
        family: Some("courier".to_owned()),
        family_title: Some("Courier fraud".to_owned()),
        rules: vec!["cash".to_owned()],
    }
}

pub(super) fn hear(desk: &mut Desk, name: &str, level: Level, second: u64) -> Actions {
    let report = Some(report(level, Stage::Extraction));
    desk.handle(Event::Heard { call: call(name), report }, at(second)).expect("it is known")
}

pub(super) fn ends(desk: &mut Desk, name: &str, second: u64) -> Actions {
    desk.handle(Event::CallEnded { call: call(name) }, at(second)).expect("it is known")
}

/// A call that reaches a level and ends ten seconds later.
pub(super) fn scam_call(desk: &mut Desk, level: Level, second: u64) -> Actions {
    let _ = rings(desk, "scam", SCAMMER, second);
    let mut actions = hear(desk, "scam", level, second);
    actions.append(ends(desk, "scam", second + 10));
    actions
}

pub(super) fn question(direction: Direction, other: &str) -> Question {
    Question { line: home(), direction, number: number(other), key: None, dry_run: false }
}

/// What would be answered.
pub(super) fn ask(desk: &mut Desk, direction: Direction, other: &str, second: u64) -> Answer {
    let question = Question { dry_run: true, ..question(direction, other) };
    let (answer, actions) = desk.gate(&question, at(second));
    assert!(actions.is_empty(), "a dry run changes nothing");
    answer
}

pub(super) fn is_held(desk: &mut Desk, second: u64) -> bool {
    matches!(ask(desk, Direction::Outgoing, OTHER, second).gate, Gate::Held { .. })
}

pub(super) fn notes(actions: &Actions) -> Vec<&NotificationRecord> {
    let records = actions.records.iter();
    records
        .filter_map(|record| match record {
            Record::Notification(note) => Some(note),
            _ => None,
        })
        .collect()
}

/// What is newly told over the first channel.
pub(super) fn told(actions: &Actions) -> Vec<&'static str> {
    let is_new = |note: &&NotificationRecord| note.state == Delivery::Pending(None);
    let posted = notes(actions).into_iter().filter(is_new);
    let of_the_first = posted.filter(|note| note.to.channel == 0);
    of_the_first.map(|note| note.notice.kind.name()).collect()
}

pub(super) fn holds(actions: &Actions) -> Vec<&HoldRecord> {
    let records = actions.records.iter();
    records
        .filter_map(|record| match record {
            Record::Hold(hold) => Some(hold),
            _ => None,
        })
        .collect()
}

pub(super) fn consents(actions: &Actions) -> Vec<bool> {
    let consent = |record: &Record| match record {
        Record::Consent(_, consent) => Some(consent.is_some()),
        _ => None,
    };
    actions.records.iter().filter_map(consent).collect()
}

/// What a store would find after these: the last of each, and only what is not over.
pub(super) fn snapshot(actions: &[&Actions]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for record in actions.iter().flat_map(|actions| &actions.records).cloned() {
        match record {
            Record::Line(line) => {
                snapshot.lines.retain(|it| it.line != line.line);
                snapshot.lines.push(line);
            }
            Record::Incident(incident) => {
                snapshot.incidents.retain(|it| it.id != incident.id);
                snapshot.incidents.extend(incident.ended.is_none().then_some(incident));
            }
            Record::Hold(hold) => {
                snapshot.holds.retain(|it| it.id != hold.id);
                snapshot.holds.extend(hold.ended.is_none().then_some(hold));
            }
            Record::Notification(note) => {
                snapshot.notifications.retain(|it| it.notice.key != note.notice.key);
                let waits = matches!(note.state, Delivery::Pending(_));
                snapshot.notifications.extend(waits.then_some(note));
            }
            Record::Consent(line, consent) => {
                snapshot.consents.retain(|(it, _)| *it != line);
                snapshot.consents.extend(consent.map(|consent| (line, consent)));
            }
            Record::History(_) | Record::NotAScam(..) | Record::Audit(_) => {}
        }
    }
    snapshot
}

/// A restart; the boot clock shows `now`, the wall clock `wall`, seconds after noon.
pub(super) fn restart(
    config: &Config,
    boot: u128,
    found: Snapshot,
    now: u64,
    wall: u64,
) -> (Desk, Actions) {
    let mut desk = Desk::new(config, BootId(boot), TagKey::new([7; 32]), 2);
    let moment = Moment { wall: at(wall).wall, ..at(now) };
    let actions = desk.restore(found, config, moment);
    (desk, actions)
}

fn left(desk: &Desk, now: u64) -> Option<u64> {
    desk.hold(&home()).map(|hold| (hold.until - at(now).now).as_secs())
}

#[test]
fn a_restart_finds_the_hold_whatever_the_clocks_show() {
    let config = screened("");
    let mut desk = desk_of(&config);
    let before = scam_call(&mut desk, Level::Danger, 1000);
    let found = || snapshot(&[&before]);
    let held_at = |boot, now, wall| {
        let (desk, actions) = restart(&config, boot, found(), now, wall);
        assert_eq!(holds(&actions).len(), 1, "the deadline is written anew");
        left(&desk, now)
    };
    assert_eq!(held_at(1, 1110, 0), Some(200), "the boot clock counts, whatever the wall shows");
    assert_eq!(held_at(2, 20, 1110), Some(200), "another boot: the wall clock counts");
    assert_eq!(held_at(2, 20, 900), Some(300), "it went back: the whole time again");
    let (mut desk, actions) = restart(&config, 2, found(), 20, 2000);
    assert_eq!((left(&desk, 20), is_held(&mut desk, 20)), (None, false));
    assert_eq!(told(&actions), ["line-clear"]);
    assert!(actions.effects.iter().any(|it| matches!(it, Effect::LineClear { .. })));
    let never_set = Moment { wall: Wall(5000), ..at(20) };
    let mut desk = Desk::new(&config, BootId(2), TagKey::new([7; 32]), 2);
    let _ = desk.restore(found(), &config, never_set);
    assert_eq!(left(&desk, 20), Some(300));
}

#[test]
fn the_time_for_callbacks_outlives_a_restart_late_and_the_time_off_early() {
    let config = screened("hold.turn-away = \"unknown\"");
    let mut desk = desk_of(&config);
    let emergency = desk.gate(&question(Direction::Outgoing, "999"), at(0)).1;
    let length = Duration::from_secs(7200);
    let off = Event::Disable { line: home(), length, by: carer() };
    let off = desk.handle(off, at(0)).expect("carers may");
    let states = |wall: u64| {
        let (desk, _) = restart(&config, 2, snapshot(&[&emergency, &off]), 20, wall);
        let disabled = desk.lines(at(20).now)[0].disabled.map(|left| left.as_secs());
        let callbacks = desk.lines[&home()].clear.callbacks_until();
        (callbacks.map(|until| (until - at(20).now).as_secs()), disabled)
    };
    assert_eq!(states(1000), (Some(4400), Some(6200)));
    assert_eq!(states(6000), (None, Some(1200)));
    let yesterday = Moment { wall: Wall((NOON - 86_400) * 1000), ..at(20) };
    let mut desk = Desk::new(&config, BootId(2), TagKey::new([7; 32]), 2);
    let _ = desk.restore(snapshot(&[&emergency, &off]), &config, yesterday);
    let line = &desk.lines[&home()];
    assert_eq!(line.clear.callbacks_until(), Some(at(5420).now), "the whole time again");
    assert!(!line.is_disabled(at(20).now), "rather warned too soon than not at all");
}

#[test]
fn a_wall_clock_that_is_set_has_the_deadlines_written_anew() {
    let mut desk = desk("");
    let _ = scam_call(&mut desk, Level::Danger, 0);
    let _ = desk.gate(&question(Direction::Outgoing, "112"), at(20));
    assert!(holds(&desk.tick(at(30))).is_empty());
    let summer = Moment { wall: at(3640).wall, ..at(40) };
    let actions = desk.tick(summer);
    let until = |actions: &Actions| holds(actions)[0].deadline.wall_until;
    assert_eq!(until(&actions), Wall((NOON + 310 + 3600) * 1000));
    assert_eq!(left(&desk, 40), Some(270), "the hold itself knows no wall clock");
    let is_line =
        |record: &Record| matches!(record, Record::Line(line) if line.callbacks.is_some());
    assert!(actions.records.iter().any(is_line));
    assert_eq!(until(&desk.tick(at(50))), Wall((NOON + 310) * 1000), "and back");
}

#[test]
fn a_call_that_goes_on_after_a_restart_goes_on_with_its_incident() {
    let config = screened("");
    let mut desk = desk_of(&config);
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let before = hear(&mut desk, "a", Level::Warning, 1);
    let id = desk.incident(&call("a")).expect("an incident").record.id;
    let (mut desk, _) = restart(&config, 1, snapshot(&[&before]), 100, 100);
    assert_eq!(desk.calls(), 0);
    let _ = rings(&mut desk, "a", SCAMMER, 110);
    let heard = hear(&mut desk, "a", Level::Warning, 120);
    assert_eq!(desk.incident(&call("a")).map(|it| it.record.id), Some(id));
    assert!(notes(&heard).is_empty(), "what was told is not told again");
    assert_eq!(holds(&ends(&mut desk, "a", 500))[0].incident, Some(id));
}

#[test]
fn a_call_that_was_not_heard_of_again_is_over_and_the_line_is_held() {
    let config = screened("");
    let mut desk = desk_of(&config);
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let before = hear(&mut desk, "a", Level::Warning, 1);
    let (mut desk, _) = restart(&config, 1, snapshot(&[&before]), 100, 100);
    assert!(holds(&desk.tick(at(399))).is_empty());
    let actions = desk.tick(at(400));
    let tag = TagKey::new([7; 32]).number(&Private::new(SCAMMER.to_owned()));
    assert_eq!(holds(&actions)[0].scammer, Scammer::Number(tag));
    assert!(is_held(&mut desk, 401));
    assert!(desk.orphans.is_empty());
}

#[test]
fn consent_is_committed_once_and_so_is_that_it_was_withdrawn() {
    let (with, without) = (screened(""), config("", ""));
    let (mut desk, first) = restart(&with, 1, Snapshot::default(), 0, 0);
    assert_eq!(consents(&first), [true]);
    assert!(consents(&desk.configure(&with, at(1))).is_empty());
    assert_eq!(consents(&desk.configure(&without, at(2))), [false]);
    let again = restart(&with, 1, snapshot(&[&first]), 3, 3).1;
    assert!(consents(&again).is_empty());
    let meanwhile = restart(&without, 1, snapshot(&[&first]), 3, 3).1;
    assert_eq!(consents(&meanwhile), [false]);
    let (desk, gone) = restart(&no_lines(), 1, snapshot(&[&first]), 3, 3);
    assert_eq!((consents(&gone), desk.lines.len()), (vec![false], 0));
}

#[test]
fn who_may_not_be_told_any_more_is_not_told() {
    let mut gone = screened("");
    gone.lines[0].people.clear();
    for changed in [config("", ""), no_lines(), gone] {
        let with = screened("");
        let mut desk = desk_of(&with);
        let _ = rings(&mut desk, "a", SCAMMER, 0);
        let before = hear(&mut desk, "a", Level::Warning, 1);
        assert_eq!(desk.waiting(), 2);
        let found = snapshot(&[&before]);
        let actions = desk.configure(&changed, at(2));
        let (mut again, restored) = restart(&changed, 1, found, 3, 3);
        for (desk, actions) in [(&mut desk, actions), (&mut again, restored)] {
            let is_told = |note: &&NotificationRecord| match &note.state {
                Delivery::Failed(why) => why.starts_with("withdrawn: "),
                _ => false,
            };
            assert_eq!(notes(&actions).iter().filter(|note| is_told(note)).count(), 2);
            assert!(desk.waiting() == 0 && desk.tick(at(100)).effects.is_empty());
        }
    }
}

/// A desk that went on for a while without what was committed before.
fn without_database(config: &Config) -> Desk {
    let mut desk = Desk::new(config, BootId(1), TagKey::new([7; 32]), 3);
    let _ = desk.restore(Snapshot::default(), config, at(100));
    desk
}

fn disable(desk: &mut Desk, seconds: u64, second: u64) -> Actions {
    let length = Duration::from_secs(seconds);
    desk.handle(Event::Disable { line: home(), length, by: carer() }, at(second)).expect("may")
}

#[test]
fn who_was_left_alone_or_not_before_a_late_database_is_so_after() {
    let config = screened("");
    let off = disable(&mut desk_of(&config), 7200, 0);
    let mut desk = without_database(&config);
    let _ = disable(&mut desk, 10, 100);
    let _ = desk.handle(Event::Enable { line: home(), by: carer() }, at(105)).expect("may");
    let late = desk.restore(snapshot(&[&off]), &config, at(110));
    assert_eq!(desk.lines(at(110).now)[0].disabled, None);
    assert!(snapshot(&[&off, &late]).lines[0].disabled.is_none(), "and that is committed");
    let mut desk = without_database(&config);
    let _ = disable(&mut desk, 50, 100);
    let on = desk_of(&config).gate(&question(Direction::Outgoing, "999"), at(0)).1;
    let _ = desk.restore(snapshot(&[&on]), &config, at(110));
    let left = desk.lines(at(110).now)[0].disabled;
    assert_eq!(left, Some(Duration::from_secs(40)));
}

#[test]
fn of_two_suspicious_calls_the_later_counts_and_of_two_holds_the_longer() {
    let config = screened("");
    let old = scam_call(&mut desk_of(&config), Level::Danger, 0);
    for (seconds, left_at_110) in [(1000, 991), (10, 200)] {
        let mut desk = without_database(&config);
        let _ = rings(&mut desk, "b", OTHER, 100);
        let _ = hear(&mut desk, "b", Level::Warning, 100);
        let length = Some(Duration::from_secs(seconds));
        let start = Event::StartHold { line: home(), length, by: carer() };
        let new = desk.handle(start, at(101)).expect("may");
        let late = desk.restore(snapshot(&[&old]), &config, at(110));
        assert_eq!(left(&desk, 110), Some(left_at_110));
        let on_disk = snapshot(&[&old, &new, &late]).holds;
        let running = desk.hold(&home()).map(|hold| hold.id);
        let ids: Vec<_> = on_disk.iter().map(|hold| Some(hold.id)).collect();
        assert_eq!(ids, [running], "the other has an end");
        assert_eq!(desk.lines(at(110).now)[0].suspicious, Some(at(100).wall));
    }
}

#[test]
fn a_call_that_was_heard_of_before_a_late_database_has_one_incident() {
    let config = screened("");
    let mut before = desk_of(&config);
    let _ = rings(&mut before, "a", SCAMMER, 0);
    let old = hear(&mut before, "a", Level::Danger, 1);
    let old_id = before.incident(&call("a")).expect("an incident").record.id;
    for is_incident in [false, true] {
        let mut desk = without_database(&config);
        let _ = rings(&mut desk, "a", SCAMMER, 101);
        if is_incident {
            let _ = hear(&mut desk, "a", Level::Caution, 102);
        }
        let late = desk.restore(snapshot(&[&old]), &config, at(110));
        assert!(desk.orphans.is_empty(), "the call is up");
        let record = desk.incident(&call("a")).expect("an incident").record.clone();
        assert_eq!((record.level, record.id == old_id), (Level::Danger, !is_incident));
        let open = snapshot(&[&old, &late]).incidents;
        assert_eq!(open.iter().map(|it| it.id).collect::<Vec<_>>(), [record.id]);
        let _ = desk.handle(Event::Heard { call: call("a"), report: None }, at(390));
        assert!(holds(&desk.tick(at(500))).is_empty(), "nothing is held while it goes on");
        assert_eq!(holds(&ends(&mut desk, "a", 501)).len(), 1);
    }
}

fn no_lines() -> Config {
    Config { lines: Vec::new(), ..config("", "") }
}

#[test]
fn a_line_that_is_configured_no_more_is_held_to_the_end() {
    let config = screened("");
    let mut desk = desk_of(&config);
    let held = scam_call(&mut desk, Level::Danger, 0);
    let _ = desk.configure(&no_lines(), at(20));
    assert!(is_held(&mut desk, 309));
    let (mut restarted, _) = restart(&no_lines(), 1, snapshot(&[&held]), 30, 30);
    for desk in [&mut desk, &mut restarted] {
        assert!(is_held(desk, 309));
        assert!(desk.tick(at(310)).effects.iter().any(|it| matches!(it, Effect::LineClear { .. })));
        assert!(desk.lines.is_empty());
        assert!(!is_held(desk, 311));
    }
}

#[test]
fn a_line_that_goes_while_a_call_is_up_still_drops_it_for_an_emergency_call() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let _ = desk.configure(&no_lines(), at(1));
    let answer = ask(&mut desk, Direction::Outgoing, "999", 2);
    assert_eq!(answer.drop_first, [call("a")]);
    let _ = ends(&mut desk, "a", 3);
    assert!(desk.lines.is_empty());
}

#[test]
fn a_database_that_is_made_anew_holds_all_that_a_restart_needs() {
    let config = screened("");
    let mut desk = desk_of(&config);
    let _ = scam_call(&mut desk, Level::Danger, 0);
    let _ = rings(&mut desk, "b", SCAMMER, 20);
    let _ = hear(&mut desk, "b", Level::Caution, 21);
    let _ = desk.gate(&question(Direction::Outgoing, "999"), at(22));
    let all = Actions { records: desk.records(at(30)), effects: Vec::new() };
    let (restarted, _) = restart(&config, 1, snapshot(&[&all]), 30, 30);
    assert_eq!(restarted.hold(&home()).map(|it| it.until), desk.hold(&home()).map(|it| it.until));
    assert_eq!(restarted.waiting(), desk.waiting());
    assert_eq!((restarted.orphans.len(), restarted.records(at(30)).len()), (1, all.records.len()));
}
