//! The store against a model, and against what disks and other programs do to it. Real databases in
//! temporary folders throughout.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::alert::deadline::{BootId, Committed};
use crate::alert::desk::{Actions, Desk, Event, NewCall};
use crate::alert::number::{Tag, TagKey};
use crate::alert::record::*;
use crate::alert::report::Report;
use crate::call::{CallId, Direction, LineId};
use crate::config::{Config, Consent};
use crate::private::Private;
use crate::rules::{Level, Stage};
use crate::time::{Moment, Now, Wall};
use crate::wire::notice::{Notice, NoticeKind};

pub(super) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

pub(super) fn open(folder: &TempDir) -> Store {
    Store::open(folder.path()).expect("opens")
}

pub(super) fn incident(id: u128, line: &str) -> IncidentRecord {
    IncidentRecord {
        id: Id(id),
        line: LineId::new(line),
        call: Tag([1; 16]),
        number: Some(Tag([2; 16])),
        last_two: Some(7),
        opened: Wall(1_000),
        ended: None,
        level: Level::Warning,
        stage: Some(Stage::Secrecy),
        family: Some(format!("family-of-{line}")),
        score: 27.5,
        rules: vec![format!("rule-of-{line}")],
        not_a_scam: None,
        told: vec![(Level::Warning, Some(Stage::Secrecy))],
        simulated: false,
    }
}

pub(super) fn step(incident: u128, step: u32, at: u64) -> Record {
    let (incident, at, what) = (Id(incident), Wall(at), Step::Rose);
    Record::History(HistoryRecord { incident, step, at, what, level: Level::Caution, stage: None })
}

pub(super) fn hold(id: u128, line: &str) -> HoldRecord {
    let full = Duration::from_secs(300);
    let at = Moment { now: Now(Duration::from_secs(10)), wall: Wall(1_000) };
    HoldRecord {
        id: Id(id),
        line: LineId::new(line),
        incident: Some(Id(id)),
        since: at.wall,
        deadline: Committed::new(BootId(7), at.now + full, full, at),
        length: full,
        scammer: Scammer::Number(Tag([2; 16])),
        restarts: 0,
        ended: None,
    }
}

pub(super) fn notification(key: &str, line: &str, state: Delivery) -> NotificationRecord {
    let notice = Notice {
        key: key.to_owned(),
        kind: NoticeKind::Level,
        line: line.to_owned(),
        line_name: format!("the line {line}"),
        at: Wall(1_000).to_string(),
        level: Some("warning".to_owned()),
        incident: None,
        family: None,
        stage: None,
        held_until: None,
        advice: None,
    };
    NotificationRecord {
        to: Address { person: "anna".to_owned(), channel: 1 },
        notice,
        line: LineId::new(line),
        posted: Wall(1_000),
        attempts: 2,
        state,
    }
}

pub(super) fn audit(line: &str, at: u64) -> Record {
    let (line, actor) = (LineId::new(line), Actor::Carer("anna".to_owned()));
    Record::Audit(AuditRecord { at: Wall(at), line, actor, what: "hold ended" })
}

/// Whether any file of the store has these bytes.
pub(super) fn holds_bytes(folder: &TempDir, needle: &str) -> bool {
    let files = fs::read_dir(folder.path()).expect("a folder");
    files.into_iter().any(|file| {
        let bytes = fs::read(file.expect("a file").path()).expect("reads");
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

/// Deletes all that ended before, and counts it.
pub(super) fn retain(store: &mut Store, before: Wall) -> u64 {
    let mut run = Retention::new(before);
    while store.retain(&mut run).expect("deleted") {}
    run.deleted()
}

pub(super) fn snapshot(store: &Store) -> Snapshot {
    let restored = store.snapshot().expect("reads");
    assert!(restored.problems.is_empty() && restored.damage.is_none(), "{restored:?}");
    restored.snapshot
}

/// What the store is to hold, told simply.
#[derive(Debug, Clone, Default)]
struct Model {
    snapshot: Snapshot,
    history: BTreeMap<(Id, u32), HistoryRecord>,
    audit: BTreeSet<(String, u64, String, &'static str)>,
}

fn put<T: Clone>(rows: &mut Vec<T>, record: &T, same: impl Fn(&T) -> bool) {
    match rows.iter_mut().find(|row| same(row)) {
        Some(row) => row.clone_from(record),
        None => rows.push(record.clone()),
    }
}

impl Model {
    fn apply(&mut self, record: &Record) {
        let all = &mut self.snapshot;
        match record {
            Record::Line(it) => put(&mut all.lines, it, |row| row.line == it.line),
            Record::Incident(it) => put(&mut all.incidents, it, |row| row.id == it.id),
            Record::Hold(it) => put(&mut all.holds, it, |row| row.id == it.id),
            Record::Notification(it) => {
                put(&mut all.notifications, it, |row| row.notice.key == it.notice.key);
            }
            Record::History(it) => drop(self.history.insert((it.incident, it.step), it.clone())),
            Record::Consent(line, None) => all.consents.retain(|row| row.0 != *line),
            Record::Consent(line, Some(given)) => {
                put(&mut all.consents, &(line.clone(), given.clone()), |row| row.0 == *line);
            }
            Record::NotAScam(id, by) => {
                let known = all.incidents.iter_mut().find(|row| row.id == *id);
                known.into_iter().for_each(|row| row.not_a_scam = Some(by.clone()));
            }
            Record::Audit(it) => {
                let entry = (it.line.to_string(), it.at.0, it.actor.to_string(), it.what);
                self.audit.insert(entry);
            }
        }
    }

    /// What a restart is to find of it.
    fn open(&self) -> Snapshot {
        let mut open = self.snapshot.clone();
        open.incidents.retain(|it| it.ended.is_none());
        open.holds.retain(|it| it.ended.is_none());
        open.notifications.retain(|it| matches!(it.state, Delivery::Pending(_)));
        open.notifications.sort_by_key(|it| it.posted);
        let steps = open.incidents.iter().filter_map(|it| {
            let last = self.history.keys().filter(|key| key.0 == it.id).max();
            last.map(|(id, last)| (*id, *last))
        });
        open.steps = steps.collect();
        open
    }
}

fn wall() -> impl Strategy<Value = Wall> {
    prop_oneof![0..5_u64, 0..=i64::MAX as u64].prop_map(Wall)
}

fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![0..5_u64, 0..=i64::MAX as u64].prop_map(Duration::from_millis)
}

fn line() -> impl Strategy<Value = LineId> {
    select(vec!["home", "müller", "a'b"]).prop_map(LineId::new)
}

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![0..3_u128, Just(u128::MAX)].prop_map(Id)
}

fn tag() -> impl Strategy<Value = Tag> {
    any::<[u8; 16]>().prop_map(Tag)
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![Just(Actor::Person), Just(Actor::Lineclear), ".*".prop_map(Actor::Carer)]
}

fn deadline() -> impl Strategy<Value = Committed> {
    let parts = (any::<u128>(), span(), wall(), wall(), span());
    parts.prop_map(|(boot, until, set, wall_until, full)| {
        let (boot, until) = (BootId(boot), Now(until));
        Committed { boot, until, set, wall_until, full }
    })
}

fn incidents() -> impl Strategy<Value = Record> {
    let who = (id(), line(), tag(), option::of(tag()), option::of(0..100_u8));
    let when = (wall(), option::of(wall()));
    let what = (select(Level::ALL.to_vec()), option::of(select(Stage::ALL.to_vec())));
    let told = (select(Level::ALL.to_vec()), option::of(select(Stage::ALL.to_vec())));
    let off = (option::of(actor()), vec(told, 0..3));
    let why = (option::of(".*"), any::<f64>(), vec(".*", 0..3), off, any::<bool>());
    let why = why.prop_filter("a score is a number", |why| !why.1.is_nan());
    (who, when, what, why).prop_map(|(who, (opened, ended), (level, stage), why)| {
        let (id, line, call, number, last_two) = who;
        let (family, score, rules, (not_a_scam, told), simulated) = why;
        Record::Incident(IncidentRecord {
            id,
            line,
            call,
            number,
            last_two,
            opened,
            ended,
            level,
            stage,
            family,
            score,
            rules,
            not_a_scam,
            told,
            simulated,
        })
    })
}

fn holds() -> impl Strategy<Value = Record> {
    let scammer = prop_oneof![
        Just(Scammer::Nobody),
        Just(Scammer::Withheld),
        tag().prop_map(Scammer::Number)
    ];
    let ended = option::of((wall(), actor()).prop_map(|(at, by)| Ended { at, by }));
    let of = (id(), line(), option::of(id()), wall());
    (of, deadline(), span(), scammer, any::<u32>(), ended).prop_map(
        |((id, line, incident, since), deadline, length, scammer, restarts, ended)| {
            Record::Hold(HoldRecord {
                id,
                line,
                incident,
                since,
                deadline,
                length,
                scammer,
                restarts,
                ended,
            })
        },
    )
}

fn notifications() -> impl Strategy<Value = Record> {
    let state = prop_oneof![
        option::of(".*").prop_map(Delivery::Pending),
        wall().prop_map(Delivery::Delivered),
        ".*".prop_map(Delivery::Failed)
    ];
    let parts = ("[a-d]", line(), state, wall(), any::<u32>(), ".*", option::of(".*"));
    parts.prop_map(|(key, line, state, posted, attempts, person, advice)| {
        let mut record = notification(&key, line.as_str(), state);
        record.notice.advice = advice;
        record.to.person = person;
        Record::Notification(NotificationRecord { posted, attempts, ..record })
    })
}

fn record() -> impl Strategy<Value = Record> {
    let lines = (line(), option::of(deadline()), option::of(deadline()), option::of(wall()));
    let history = (id(), 1..5_u32, wall(), select(Step::ALL.to_vec()));
    let consent = option::of((".*", ".*").prop_map(|(by, on)| Consent { by, on }));
    prop_oneof![
        lines.prop_map(|(line, disabled, callbacks, suspicious)| {
            Record::Line(LineRecord { line, disabled, callbacks, suspicious })
        }),
        incidents(),
        history.prop_map(|(incident, step, at, what)| {
            let (level, stage) = (Level::Danger, Some(Stage::Repeat));
            Record::History(HistoryRecord { incident, step, at, what, level, stage })
        }),
        holds(),
        notifications(),
        (line(), consent).prop_map(|(line, consent)| Record::Consent(line, consent)),
        (id(), actor()).prop_map(|(id, by)| Record::NotAScam(id, by)),
        (line(), wall(), actor()).prop_map(|(line, at, actor)| {
            Record::Audit(AuditRecord { at, line, actor, what: "hold ended" })
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_restart_finds_what_was_committed_and_a_commit_may_be_repeated(
        batches in vec(vec(record(), 1..12), 1..6),
    ) {
        let folder = folder();
        let mut store = open(&folder);
        let mut model = Model::default();
        for batch in &batches {
            store.commit(batch).expect("committed");
            batch.iter().for_each(|record| model.apply(record));
            prop_assert_eq!(snapshot(&store), model.open());
            store.commit(batch).expect("committed again");
            batch.iter().for_each(|record| model.apply(record));
        }
        drop(store);
        let store = open(&folder);
        prop_assert_eq!(snapshot(&store), model.open());
        let kept = store.audit(None, u32::MAX).expect("reads").rows;
        prop_assert_eq!(kept.len(), model.audit.len());
        for record in &model.snapshot.incidents {
            let (found, steps) = store.incident(record.id).expect("reads").expect("known");
            let history = model.history.values().filter(|step| step.incident == record.id);
            prop_assert_eq!(&found, record);
            prop_assert_eq!(steps.rows, history.cloned().collect::<Vec<_>>());
        }
        let sort = |mut all: Vec<HoldRecord>| {
            all.sort_by_key(|hold| hold.id);
            all
        };
        let all = store.holds(None, u32::MAX).expect("reads").rows;
        prop_assert_eq!(sort(all), sort(model.snapshot.holds));
    }
}

#[test]
fn what_is_less_than_a_millisecond_makes_a_hold_longer_and_never_shorter() {
    let (folder, mut record) = (folder(), hold(1, "home"));
    record.deadline.until = Now(Duration::from_nanos(5_000_001));
    record.deadline.full = Duration::MAX;
    let mut store = open(&folder);
    store.commit(&[Record::Hold(record)]).expect("committed");
    let found = snapshot(&store).holds[0].deadline;
    assert_eq!(found.until, Now(Duration::from_millis(6)));
    assert_eq!(found.full, Duration::from_millis(i64::MAX as u64));
}

#[test]
fn a_full_disk_is_told_and_nothing_is_half_written() {
    let folder = folder();
    let mut store = open(&folder);
    store.commit(&[Record::Incident(incident(0, "home"))]).expect("committed");
    // As SQLite has it from a disk: a page that cannot be had.
    let limit = |store: &Store, pages: u32| {
        store.connection.execute_batch(&format!("PRAGMA max_page_count = {pages}")).expect("set");
    };
    limit(&store, 1);
    let batch = |from: u128| {
        let many = (from..from + 100).map(|id| Record::Incident(incident(id, "home")));
        many.collect::<Vec<_>>()
    };
    let full = (0..).find_map(|n| store.commit(&batch(n * 100)).err().map(|error| (n, error)));
    let (batches, error) = full.expect("fills up");
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    let told = format!("{}: no space is left", folder.path().join("lineclear.db").display());
    assert!(error.to_string().starts_with(&told), "{error}");
    let kept = |store: &Store| snapshot(store).incidents.len() as u128;
    assert_eq!(kept(&store), (batches * 100).max(1));
    limit(&store, 1_000_000);
    store.commit(&batch(batches * 100)).expect("there is room again");
    assert_eq!(kept(&store), (batches + 1) * 100);
}

#[test]
fn a_lock_is_told_soon_and_when_it_is_gone_all_is_well() {
    let folder = folder();
    let mut store = open(&folder);
    let other = Connection::open(folder.path().join("lineclear.db")).expect("opens");
    other.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    let error = store.commit(&[audit("home", 1)]).expect_err("locked");
    assert!(matches!(error, StoreError::Locked(_)), "{error}");
    let error = Store::open(folder.path()).expect_err("locked");
    assert!(matches!(error, StoreError::Locked(_)), "{error}");
    assert!(snapshot(&store).lines.is_empty(), "reading goes on");
    other.execute_batch("ROLLBACK").expect("unlocked");
    store.commit(&[audit("home", 1)]).expect("committed");
}

/// Root may write any file, so permissions would show nothing where tests run as root. This shows
/// how the answer that SQLite gives for a file that it may only read is told.
#[test]
fn a_database_that_may_only_be_read_is_told() {
    let folder = folder();
    let mut store = open(&folder);
    store.connection.execute_batch("PRAGMA query_only = ON").expect("set");
    let error = store.commit(&[audit("home", 1)]).expect_err("read-only");
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    store.connection.execute_batch("PRAGMA query_only = OFF").expect("set");
    store.commit(&[audit("home", 1)]).expect("committed");
}

#[test]
fn no_number_and_no_name_of_a_call_is_in_the_files() {
    let config = Config::parse(
        "[[lines]]\nid = \"mum\"\nname = \"Mum\"\npeople = [\"anna\"]\n\
         contacts = [\"01632 960456\"]\nconsent = { by = \"Jean\", on = \"2026-11-22\" }\n\
         [[people]]\nid = \"anna\"\nname = \"Anna\"\n\
         [[people.channels]]\nkind = \"command\"\nrun = [\"true\"]\n",
    );
    let config = config.expect("valid");
    let at = Moment { now: Now(Duration::from_secs(9)), wall: Wall(1_800_000_000_000) };
    let mut desk = Desk::new(&config, BootId(1), TagKey::new([7; 32]), 1);
    let mut all = desk.restore(Snapshot::default(), &config, at);
    let (line, call) = (LineId::new("mum"), CallId::new("SIP/01632960123-00000a"));
    let number = Some(Private::new("01632 960123".to_owned()));
    let new = NewCall { line, call: call.clone(), direction: Direction::Incoming, number };
    all.append(desk.start_call(&new, at).expect("starts").1);
    let report = Report {
        level: Level::Danger,
        score: 50.0,
        stage: Some(Stage::Extraction),
        family: Some("courier-fraud".to_owned()),
        family_title: Some("Courier fraud".to_owned()),
        rules: vec!["courier.hook.a".to_owned()],
    };
    let heard = Event::Heard { call: call.clone(), report: Some(report) };
    all.append(desk.handle(heard, at).expect("heard"));
    all.append(desk.handle(Event::CallEnded { call }, at).expect("ends"));
    let folder = folder();
    let mut store = open(&folder);
    let Actions { records, .. } = all;
    store.commit(&records).expect("committed");
    let found = snapshot(&store);
    assert_eq!((found.holds.len(), found.notifications.len()), (1, 2), "{found:?}");
    assert!(holds_bytes(&folder, "courier-fraud"), "it is looked for in the right place");
    for needle in ["960123", "960 123", "960456", "SIP/"] {
        assert!(!holds_bytes(&folder, needle), "{needle}");
    }
}
