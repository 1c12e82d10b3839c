use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::alert::deadline::{BootId, Committed};
use crate::alert::record::{Actor, AuditRecord, Ended, HoldRecord, Id, Scammer};
use crate::call::LineId;

fn hold(id: u128) -> HoldRecord {
    let full = Duration::from_secs(300);
    let at = crate::time::Moment { now: Now(full), wall: Wall(1_800_000_000_000) };
    HoldRecord {
        id: Id(id),
        line: LineId::new("home"),
        incident: None,
        since: at.wall,
        deadline: Committed::new(BootId(1), at.now + full, full, at),
        length: full,
        scammer: Scammer::Nobody,
        restarts: 0,
        ended: None,
    }
}

fn ended(id: u128) -> HoldRecord {
    let ended = Some(Ended { at: Wall(1_800_000_000_000), by: Actor::Person });
    HoldRecord { ended, ..hold(id) }
}

fn audit(at: u64) -> Record {
    let (line, actor, what) = (LineId::new("home"), Actor::Person, "hold ended");
    Record::Audit(AuditRecord { at: Wall(at), line, actor, what })
}

/// A worker without its thread.
struct Alone {
    worker: Worker,
    keeper: Keeper,
    todo: Receiver<Task>,
    news: UnboundedReceiver<News>,
    place: TempDir,
}

fn alone(is_open: bool) -> Alone {
    let place = tempfile::tempdir().expect("a folder");
    let (folder, flags) = (place.path().join("state"), Arc::new(Flags::default()));
    let (to_desk, news) = unbounded_channel();
    let worker = Worker {
        store: is_open.then(|| Store::open(&folder).expect("opens")),
        is_told: is_open,
        is_well: true,
        retention: Duration::from_secs(1000),
        retaining: None,
        health: Arc::default(),
        news: to_desk,
        flags: Arc::clone(&flags),
        backlog: VecDeque::new(),
        next_look: clock::now(),
        next_retention: clock::now(),
        folder,
    };
    let (tasks, todo) = sync_channel(MOST_WAITING);
    let questions = Arc::new(Semaphore::new(MOST_QUESTIONS));
    Alone { worker, keeper: Keeper { tasks, flags, questions }, todo, news, place }
}

impl Alone {
    fn commit(&mut self, records: Vec<Record>) {
        self.worker.take(Task::Commit { batch: 1, records }, &self.todo);
    }

    /// What the desk was told since the last question.
    fn told(&mut self) -> Vec<&'static str> {
        std::iter::from_fn(|| self.news.try_recv().ok())
            .map(|news| match news {
                News::Kept(_) => "kept",
                News::NotKept(_) => "not kept",
                News::Opened(_) => "opened",
                News::Renewed => "renewed",
            })
            .collect()
    }

    fn is_red(&self) -> bool {
        self.worker.health.problems().contains_key(&Part::Store)
    }

    fn held(&self) -> Vec<Id> {
        let store = Store::open(&self.worker.folder).expect("opens");
        store.snapshot().expect("reads").snapshot.holds.iter().map(|hold| hold.id).collect()
    }
}

#[test]
fn what_the_desk_knows_already_is_not_told_again_when_the_database_comes_back() {
    let mut alone = alone(true);
    alone.commit(vec![Record::Hold(hold(1))]);
    let (state, away) = (alone.worker.folder.clone(), alone.place.path().join("away"));
    std::fs::rename(&state, &away).expect("moved");
    std::fs::write(&state, "in the way").expect("written");
    alone.worker.look_after();
    assert_eq!((alone.told(), alone.is_red()), (vec!["kept"], true));
    alone.commit(vec![Record::Hold(ended(1))]);
    std::fs::remove_file(&state).expect("removed");
    std::fs::rename(&away, &state).expect("it is the old one again");
    alone.worker.look_after();
    assert_eq!(alone.told(), ["not kept", "renewed"], "and not what was in it before");
    assert!(alone.held().is_empty(), "what was ended meanwhile stays ended");
}

#[test]
fn a_database_that_is_opened_late_is_told_once() {
    let mut alone = alone(false);
    alone.worker.look_after();
    assert_eq!((alone.told(), alone.is_red()), (vec!["opened"], false));
    alone.worker.store = None;
    alone.worker.look_after();
    assert_eq!(alone.told(), ["renewed"]);
}

#[test]
fn what_a_damaged_database_holds_is_told_also_if_no_new_one_can_be_made() {
    let alone = alone(true);
    let Alone { mut worker, place, .. } = alone;
    let many = (0..2_000).map(audit).chain([Record::Hold(hold(7))]).collect::<Vec<_>>();
    worker.store.take().expect("open").commit(&many).expect("committed");
    let (folder, health) = (worker.folder.clone(), Health::default());
    let file = folder.join("lineclear.db");
    let mut bytes = std::fs::read(&file).expect("reads");
    // The root of the consents, which come last, so that the holds are read before.
    let connection = rusqlite::Connection::open(&file).expect("opens");
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'consent'";
    let page: u32 = connection.query_row(sql, (), |row| row.get(0)).expect("a page");
    drop(connection);
    let start = (page as usize - 1) * 4096;
    bytes[start..start + 4096].fill(0xA5);
    std::fs::write(&file, bytes).expect("damaged");
    std::fs::create_dir(folder.join("lineclear.db.new")).expect("in the way");
    let found = open(&folder, &health).expect("something is found");
    assert!(found.store.is_none() && found.is_renewed);
    assert_eq!(found.snapshot.holds, [hold(7)]);
    assert!(health.problems().contains_key(&Part::Store));
    std::fs::remove_dir(folder.join("lineclear.db.new")).expect("out of the way");
    let found = open(&folder, &health).expect("opens");
    let kept = found.store.expect("a new one").snapshot().expect("reads").snapshot;
    assert_eq!(kept.holds, [hold(7)], "it is in the new one before anybody writes it again");
    drop(place);
}

#[test]
fn what_was_let_go_is_asked_for_again_and_until_then_the_status_is_red() {
    let mut alone = alone(true);
    let full = (0..MOST_WAITING).map(|_| alone.keeper.give(Task::Retain(RETENTION)));
    assert!(full.collect::<Vec<_>>().iter().all(Result::is_ok));
    let batch = Task::Commit { batch: 1, records: vec![audit(1)] };
    assert!(alone.keeper.give(batch).is_err());
    alone.worker.health.fails(Part::Store, "the disk is too slow", Wall(1));
    alone.commit(vec![audit(2)]);
    assert_eq!((alone.told(), alone.is_red()), (vec!["renewed", "kept"], true));
    alone.commit(vec![audit(3)]);
    assert_eq!((alone.told(), alone.is_red()), (vec!["kept"], false));
    alone.worker.store = None;
    alone.commit((0..=MOST_BACKLOG as u64).map(audit).collect());
    assert_eq!(alone.worker.backlog.len(), MOST_BACKLOG);
    alone.worker.look_after();
    assert!(alone.told().contains(&"renewed"));
}

#[test]
fn questions_leave_room_for_what_is_decided_and_the_end_is_heard() {
    let alone = alone(true);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let Alone { mut worker, keeper, todo, .. } = alone;
    runtime.block_on(async {
        let asked = (0..MOST_QUESTIONS).map(|_| {
            let keeper = keeper.clone();
            tokio::spawn(async move { keeper.ask(|store| store.audit(None, 1)).await })
        });
        let asked: Vec<_> = asked.collect();
        tokio::task::yield_now().await;
        let more = keeper.ask(|store| store.audit(None, 1)).await;
        assert_eq!(more.err().as_deref(), Some("too many questions wait: ask again"));
        assert!(keeper.give(Task::Commit { batch: 1, records: vec![audit(1)] }).is_ok());
        let first = todo.recv().expect("a question");
        worker.take(first, &todo);
        for question in asked {
            assert!(question.await.expect("it ran").is_ok());
        }
        let again = keeper.ask(|store| store.audit(None, 1));
        let work = async { worker.take(todo.recv().expect("a question"), &todo) };
        let (answer, ()) = tokio::join!(again, work);
        assert_eq!(answer.expect("there is room again").rows.len(), 1);
    });
    while keeper.give(Task::Commit { batch: 2, records: vec![audit(2)] }).is_ok() {}
    assert!(keeper.give(Task::Stop).is_err(), "it is full");
    let folder = worker.folder.clone();
    worker.run(&todo);
    assert!(todo.try_recv().is_err(), "what waited is done");
    let store = Store::open(&folder).expect("opens");
    assert_eq!(store.audit(None, 9).expect("reads").rows.len(), 2);
}

#[test]
fn nothing_is_erased_before_what_waits_is_written() {
    let mut alone = alone(true);
    let lock = rusqlite::Connection::open(alone.worker.folder.join("lineclear.db"));
    let lock = lock.expect("opens");
    lock.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    alone.commit(vec![Record::Hold(ended(1))]);
    lock.execute_batch("ROLLBACK").expect("let go");
    let erase = |worker: &mut Worker| {
        let (sent, erased) = std::sync::mpsc::channel();
        worker.answer(Box::new(move |store| {
            let line = LineId::new("home");
            let erased = store.map(|store| store.erase(&line, &Actor::Person, Wall(9)));
            sent.send(erased.expect("a store")).expect("listened to");
        }));
        erased.recv().expect("an answer")
    };
    let erased = erase(&mut alone.worker).expect("it is written first");
    assert_eq!((erased.holds, alone.worker.backlog.len()), (1, 0));
    let lock = rusqlite::Connection::open(alone.worker.folder.join("lineclear.db"));
    let lock = lock.expect("opens");
    lock.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    alone.commit(vec![Record::Hold(ended(2))]);
    let refused = erase(&mut alone.worker).expect_err("it would come back");
    assert!(matches!(refused, StoreError::Behind(_)), "{refused}");
}

#[test]
fn what_was_slow_or_gone_is_well_again_also_if_nothing_is_to_be_written() {
    let mut alone = alone(true);
    alone.worker.health.fails(Part::Store, "the disk is slow", Wall(1));
    alone.worker.look_after();
    assert!(!alone.is_red());
    std::fs::rename(&alone.worker.folder, alone.place.path().join("away")).expect("moved");
    alone.worker.look_after();
    assert_eq!((alone.told(), alone.is_red()), (vec!["renewed"], false));
    alone.worker.is_well = false;
    alone.worker.health.fails(Part::Store, "cannot be deleted", Wall(1));
    alone.worker.look_after();
    assert!(alone.is_red(), "what was tried last failed");
}

#[test]
fn what_is_too_old_is_deleted_a_batch_at_a_time_between_tasks() {
    let mut alone = alone(true);
    alone.commit((0..1_200).map(audit).collect());
    alone.worker.look_after();
    let mut rounds = 0;
    let left = |worker: &Worker| {
        let store = worker.store.as_ref().expect("open");
        store.audit(None, u32::MAX).expect("reads").rows.len()
    };
    while left(&alone.worker) == 1_200 {
        alone.worker.retain();
        rounds += 1;
        assert!(rounds < 20, "it is deleted");
    }
    assert_eq!(left(&alone.worker), 700);
    alone.commit(vec![Record::Hold(hold(1))]);
    let store = alone.worker.store.take();
    alone.worker.retain();
    assert!(alone.worker.retaining.is_none(), "nothing turns round for what is not there");
    alone.worker.store = store;
    alone.worker.look_after();
    while alone.worker.retaining.is_some() {
        alone.worker.retain();
    }
    assert_eq!(left(&alone.worker), 0);
}
