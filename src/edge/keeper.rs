//! The one thread that writes: it commits what the desk decided, several decisions at a time if
//! they come faster than the disk. What cannot be written waits, and is written when it can be.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;

use super::clock;
use super::health::{Count, Health, Part};
use super::store::{Restored, Retention, Store, StoreError};
use crate::alert::record::{Record, Snapshot};
use crate::time::{Now, Wall};

/// Tasks that may wait, most of which are batches to be written.
const MOST_WAITING: usize = 4096;
/// Questions that may wait among them: however many ask, there is room for what is decided.
const MOST_QUESTIONS: usize = 32;
/// Tasks that are done in one go, their batches in one commit.
const MOST_AT_ONCE: usize = 256;
/// Changes that are kept in memory while they cannot be written.
pub const MOST_BACKLOG: usize = 20_000;
/// How often writing is tried again, and the file looked for.
const RETRY: Duration = Duration::from_secs(1);
/// How often what is too old is deleted.
const RETENTION: Duration = Duration::from_secs(3600);
/// When that is tried again after it failed.
const RETRY_RETENTION: Duration = Duration::from_secs(60);

/// What is done with the database, or with the reason why there is none.
type Question = Box<dyn FnOnce(Result<&mut Store, String>) + Send>;

/// Something to do with the database.
pub enum Task {
    /// Write this.
    Commit {
        /// Its number.
        batch: u64,
        /// What.
        records: Vec<Record>,
    },
    /// Look something up; the work is told if there is no database.
    Ask(Question),
    /// Keep things for so long from now on.
    Retain(Duration),
    /// Write what waits, and end.
    Stop,
}

/// What the desk is told.
#[derive(Debug)]
pub enum News {
    /// A batch is on the disk.
    Kept(u64),
    /// A batch is in memory only, for now.
    NotKept(u64),
    /// The database could be opened at last: this is what was in it.
    Opened(Box<Snapshot>),
    /// The database is another one, or changes were let go: everything has to be written again.
    Renewed,
}

/// What is said beside the tasks, and does not get lost if too many wait.
#[derive(Debug, Default)]
struct Flags {
    /// Changes were let go that the desk still knows.
    lost: AtomicBool,
    /// Write what waits, and end.
    stop: AtomicBool,
}

/// Sends tasks to the thread.
#[derive(Debug, Clone)]
pub struct Keeper {
    tasks: SyncSender<Task>,
    flags: Arc<Flags>,
    questions: Arc<Semaphore>,
}

impl Keeper {
    /// Hands over a task; gives it back if too many wait. [`Task::Stop`] is heard all the same; a
    /// batch that is not taken is asked for again, with everything, when there is room.
    ///
    /// # Errors
    /// With the task.
    pub fn give(&self, task: Task) -> Result<(), Task> {
        if matches!(task, Task::Stop) {
            self.flags.stop.store(true, Ordering::Release);
        }
        let refused = self.tasks.try_send(task).map_err(|error| match error {
            std::sync::mpsc::TrySendError::Full(task)
            | std::sync::mpsc::TrySendError::Disconnected(task) => task,
        });
        if matches!(refused, Err(Task::Commit { .. })) {
            self.flags.lost.store(true, Ordering::Release);
        }
        refused
    }

    /// Looks something up in the database.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, String> {
        let too_many = "too many questions wait: ask again";
        let waits = Arc::clone(&self.questions).try_acquire_owned();
        let waits = waits.map_err(|_| too_many.to_owned())?;
        let (answer, answered) = tokio::sync::oneshot::channel();
        let task = Task::Ask(Box::new(|store| {
            drop(waits);
            let done = store.and_then(|store| work(store).map_err(|error| error.to_string()));
            // Nobody waits any more: the question is moot.
            let _ = answer.send(done);
        }));
        self.give(task).map_err(|_| too_many.to_owned())?;
        answered.await.map_err(|_| "the program is ending".to_owned())?
    }
}

/// Starts the thread. `store` is none if the database could not be opened yet; `is_told` says that
/// the desk knows what was in it.
///
/// # Errors
/// When the system gives no thread.
pub fn start(
    folder: PathBuf,
    store: Option<Store>,
    is_told: bool,
    retention: Duration,
    health: Arc<Health>,
    news: UnboundedSender<News>,
) -> std::io::Result<(Keeper, JoinHandle<()>)> {
    let (tasks, todo) = sync_channel(MOST_WAITING);
    let flags = Arc::new(Flags::default());
    let worker = Worker {
        folder,
        store,
        is_told,
        is_well: true,
        retention,
        retaining: None,
        health,
        news,
        flags: Arc::clone(&flags),
        backlog: VecDeque::new(),
        next_look: clock::now() + RETRY,
        next_retention: clock::now(),
    };
    let questions = Arc::new(Semaphore::new(MOST_QUESTIONS));
    let thread = std::thread::Builder::new().name("keeper".to_owned());
    let thread = thread.spawn(move || worker.run(&todo))?;
    Ok((Keeper { tasks, flags, questions }, thread))
}

/// A database, and what a restart finds in it.
pub struct Found {
    /// The database; none if it was damaged, and a new one could not be made yet.
    pub store: Option<Store>,
    /// What was in it, or in a damaged one before it.
    pub snapshot: Snapshot,
    /// It is a new one: everything has to be written again.
    pub is_renewed: bool,
}

/// Opens the database in a folder. A damaged one is moved aside, and what it still holds is told.
///
/// # Errors
/// When it cannot be opened, and nobody knows what is in it.
pub fn open(folder: &Path, health: &Health) -> Result<Found, StoreError> {
    let opened = Store::open(folder).and_then(|store| Ok((store.snapshot()?, store)));
    let (Restored { snapshot, problems, damage }, store) = match opened {
        Ok((restored, store)) => (restored, Some(store)),
        Err(error) if error.is_corrupt() => {
            let (snapshot, problems) = (Snapshot::default(), Vec::new());
            (Restored { snapshot, problems, damage: Some(error) }, None)
        }
        Err(error) => return Err(error),
    };
    let is_renewed = damage.is_some();
    let store = match damage {
        None => store,
        Some(damage) => {
            // It is closed before its file is moved.
            drop(store);
            let new = replace(folder, &damage, &snapshot);
            let failed =
                |error: &StoreError| health.fails(Part::Store, &error.to_string(), clock::wall());
            new.inspect_err(failed).ok()
        }
    };
    // As long as no new one can be made, the damaged one is read every second.
    for problem in problems.iter().filter(|_| store.is_some()) {
        tracing::error!("{problem}");
        health.count(Count::Unreadable, 1);
    }
    Ok(Found { store, snapshot, is_renewed })
}

/// Makes a new database with what is known, and moves the damaged one aside.
fn replace(folder: &Path, damage: &StoreError, salvaged: &Snapshot) -> Result<Store, StoreError> {
    let (store, aside) = Store::replace(folder, salvaged, clock::wall())?;
    tracing::error!(aside = %aside.display(), "a new database is made: {damage}");
    Ok(store)
}

struct Worker {
    folder: PathBuf,
    store: Option<Store>,
    /// The desk knows what was in the database. What it decided since then counts: it is never told
    /// again, and writes everything anew instead.
    is_told: bool,
    /// What was tried last succeeded.
    is_well: bool,
    retention: Duration,
    /// What is too old is being deleted.
    retaining: Option<Retention>,
    health: Arc<Health>,
    news: UnboundedSender<News>,
    flags: Arc<Flags>,
    /// What could not be written yet, oldest first.
    backlog: VecDeque<Record>,
    next_look: Now,
    next_retention: Now,
}

impl Worker {
    fn run(mut self, todo: &Receiver<Task>) {
        while !self.flags.stop.load(Ordering::Acquire) {
            let wait = match self.retaining {
                Some(_) => Duration::ZERO,
                None => self.next_look - clock::now(),
            };
            match todo.recv_timeout(wait) {
                Ok(task) => self.take(task, todo),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if clock::now() >= self.next_look {
                self.look_after();
            }
            self.retain();
        }
        while let Ok(task) = todo.try_recv() {
            self.take(task, todo);
        }
        self.write_backlog();
        if !self.backlog.is_empty() {
            tracing::error!(changes = self.backlog.len(), "ended with changes that were not kept");
        }
    }

    /// Does a task, and whatever else waits already, up to some.
    fn take(&mut self, first: Task, todo: &Receiver<Task>) {
        let (mut batches, mut records) = (Vec::new(), Vec::new());
        let more = std::iter::from_fn(|| todo.try_recv().ok());
        for task in std::iter::once(first).chain(more).take(MOST_AT_ONCE) {
            match task {
                Task::Commit { batch, records: mut more } => {
                    batches.push(batch);
                    records.append(&mut more);
                }
                Task::Ask(work) => {
                    // Whoever asks must see what was decided before.
                    self.commit(&mut batches, &mut records);
                    self.answer(work);
                }
                Task::Retain(retention) => self.retention = retention,
                // It was said beside the tasks; this one only wakes the thread.
                Task::Stop => {}
            }
        }
        self.commit(&mut batches, &mut records);
    }

    fn answer(&mut self, work: Question) {
        let is_behind = !self.write_backlog();
        match &mut self.store {
            Some(store) => {
                store.set_behind(is_behind);
                work(Ok(store));
            }
            None => work(Err("the database cannot be opened: see the status".to_owned())),
        }
    }

    fn commit(&mut self, batches: &mut Vec<u64>, records: &mut Vec<Record>) {
        if batches.is_empty() {
            return;
        }
        self.backlog.extend(records.drain(..));
        let kept = self.write_backlog();
        for batch in batches.drain(..) {
            // The desk has ended if nobody listens: then nobody waits for it either.
            let _ = self.news.send(if kept { News::Kept(batch) } else { News::NotKept(batch) });
        }
    }

    /// Writes what waits, in order. Tells whether all of it is on the disk.
    fn write_backlog(&mut self) -> bool {
        let Some(store) = &mut self.store else {
            self.bound_backlog();
            return false;
        };
        if self.backlog.is_empty() {
            return true;
        }
        match store.commit(self.backlog.make_contiguous()) {
            Ok(()) => {
                self.backlog.clear();
                self.is_well = true;
                self.all_is_written();
                true
            }
            Err(error) => {
                self.fails(&error);
                self.bound_backlog();
                false
            }
        }
    }

    /// What was let go is asked for again; until it is written as well, something is wrong.
    fn all_is_written(&mut self) {
        if self.flags.lost.swap(false, Ordering::AcqRel) {
            // The desk has ended if nobody listens.
            let _ = self.news.send(News::Renewed);
        } else if self.is_well {
            self.health.works(Part::Store);
        }
    }

    fn bound_backlog(&mut self) {
        let excess = self.backlog.len().saturating_sub(MOST_BACKLOG);
        if excess > 0 {
            self.backlog.drain(..excess);
            self.flags.lost.store(true, Ordering::Release);
            self.health.count(Count::Lost, excess as u64);
        }
    }

    fn fails(&mut self, error: &StoreError) {
        self.is_well = false;
        self.health.fails(Part::Store, &error.to_string(), clock::wall());
        if error.is_corrupt() {
            self.renew(Some(error));
        }
    }

    /// Once a second: is the file still there, can it be written again, is anything too old?
    fn look_after(&mut self) {
        let now = clock::now();
        self.next_look = now + RETRY;
        match &self.store {
            None => self.open(),
            Some(store) if !store.is_in_place() => {
                let message = format!(
                    "{}: the database is gone from its folder: a new one is made",
                    self.folder.display()
                );
                self.health.fails(Part::Store, &message, clock::wall());
                self.renew(None);
            }
            Some(_) => {}
        }
        if self.write_backlog() {
            // Also if nothing had to be written: what was slow, or gone, may be well again.
            self.all_is_written();
            if now >= self.next_retention && self.retaining.is_none() {
                self.next_retention = now + RETENTION;
                let span = u64::try_from(self.retention.as_millis()).unwrap_or(u64::MAX);
                let before = Wall(clock::wall().0.saturating_sub(span));
                self.retaining = Some(Retention::new(before));
            }
        }
    }

    /// Deletes a batch of what is too old, if it is time; what was decided meanwhile comes first.
    fn retain(&mut self) {
        if self.retaining.is_some() && (self.store.is_none() || !self.backlog.is_empty()) {
            // It begins again when that is over.
            (self.retaining, self.next_retention) = (None, clock::now());
        }
        let (Some(store), Some(run)) = (&mut self.store, &mut self.retaining) else { return };
        let done = store.retain(run);
        let rows = run.deleted();
        match done {
            Ok(true) => self.is_well = true,
            Ok(false) => {
                self.is_well = true;
                self.retaining = None;
                if rows > 0 {
                    tracing::info!(rows, "deleted what was kept for long enough");
                }
            }
            Err(error) => {
                self.retaining = None;
                self.next_retention = clock::now() + RETRY_RETENTION;
                self.fails(&error);
            }
        }
    }

    /// The database could not be opened before: what is in it is told when it can be, once.
    fn open(&mut self) {
        match open(&self.folder, &self.health) {
            Ok(Found { store, snapshot, is_renewed }) => {
                let is_news = !std::mem::replace(&mut self.is_told, true);
                // The desk has ended if nobody listens.
                if is_news {
                    let _ = self.news.send(News::Opened(Box::new(snapshot)));
                }
                self.is_well = store.is_some();
                self.store = store;
                if self.store.is_some() && (is_renewed || !is_news) {
                    let _ = self.news.send(News::Renewed);
                }
            }
            Err(error) => self.fails(&error),
        }
    }

    /// Makes a new database, and asks for everything that it has to hold.
    fn renew(&mut self, damage: Option<&StoreError>) {
        let opened = match damage {
            Some(damage) => {
                let restored = self.store.take().and_then(|store| store.snapshot().ok());
                let salvaged = restored.map(|restored| restored.snapshot).unwrap_or_default();
                replace(&self.folder, damage, &salvaged)
            }
            None => {
                self.store = None;
                Store::open(&self.folder)
            }
        };
        match opened {
            Ok(store) => {
                self.is_well = true;
                self.store = Some(store);
                let _ = self.news.send(News::Renewed);
            }
            Err(error) => self.health.fails(Part::Store, &error.to_string(), clock::wall()),
        }
    }
}

#[cfg(test)]
mod tests;
