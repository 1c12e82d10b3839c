//! The one thread that writes: it commits what the desk decided, several decisions at a time if
//! they come faster than the disk. What cannot be written waits, and is written when it can be.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::clock;
use super::health::{Count, Health, Part};
use super::store::{self, Store, StoreError};
use crate::alert::record::{Record, Snapshot};
use crate::time::{Now, Wall};

/// Batches that may wait to be written.
const MOST_WAITING: usize = 4096;
/// Batches that are committed together.
const MOST_AT_ONCE: usize = 256;
/// Changes that are kept in memory while they cannot be written.
pub const MOST_BACKLOG: usize = 20_000;
/// How often writing is tried again, and the file looked for.
const RETRY: Duration = Duration::from_secs(1);
/// How often what is too old is deleted.
const RETENTION: Duration = Duration::from_secs(3600);

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
    /// The database was made anew: everything has to be written again.
    Renewed,
}

/// Sends tasks to the thread.
#[derive(Debug, Clone)]
pub struct Keeper {
    tasks: SyncSender<Task>,
}

impl Keeper {
    /// Hands over a task; gives it back if too many wait.
    ///
    /// # Errors
    /// With the task.
    pub fn give(&self, task: Task) -> Result<(), Task> {
        self.tasks.try_send(task).map_err(|error| match error {
            std::sync::mpsc::TrySendError::Full(task)
            | std::sync::mpsc::TrySendError::Disconnected(task) => task,
        })
    }

    /// Looks something up in the database.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, String> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let task = Task::Ask(Box::new(|store| {
            let done = store.and_then(|store| work(store).map_err(|error| error.to_string()));
            // Nobody waits any more: the question is moot.
            let _ = answer.send(done);
        }));
        self.give(task).map_err(|_| "too many questions wait: ask again".to_owned())?;
        answered.await.map_err(|_| "the program is ending".to_owned())?
    }
}

/// Starts the thread. `store` is none if the database could not be opened yet.
///
/// # Errors
/// When the system gives no thread.
pub fn start(
    folder: PathBuf,
    store: Option<Store>,
    retention: Duration,
    health: Arc<Health>,
    news: UnboundedSender<News>,
) -> std::io::Result<(Keeper, JoinHandle<()>)> {
    let (tasks, todo) = sync_channel(MOST_WAITING);
    let worker = Worker {
        folder,
        store,
        retention,
        health,
        news,
        backlog: VecDeque::new(),
        next_look: clock::now() + RETRY,
        next_retention: clock::now(),
    };
    let thread = std::thread::Builder::new().name("keeper".to_owned());
    let thread = thread.spawn(move || worker.run(&todo))?;
    Ok((Keeper { tasks }, thread))
}

/// A database, and what a restart finds in it.
pub struct Found {
    /// The database.
    pub store: Store,
    /// What was in it, or in a damaged one before it.
    pub snapshot: Snapshot,
    /// It is a new one: everything has to be written again.
    pub is_renewed: bool,
}

/// Opens the database in a folder. A damaged one is moved aside, and what it still holds is told.
///
/// # Errors
/// When neither it nor a new one can be opened.
pub fn open(folder: &Path, health: &Health) -> Result<Found, StoreError> {
    let opened = Store::open(folder).and_then(|store| Ok((store.snapshot()?, store)));
    let (restored, store) = match opened {
        Ok(opened) => opened,
        Err(error) if error.is_corrupt() => {
            let store = replace(folder, &error)?;
            return Ok(Found { store, snapshot: Snapshot::default(), is_renewed: true });
        }
        Err(error) => return Err(error),
    };
    for problem in &restored.problems {
        tracing::error!("{problem}");
        health.count(Count::Unreadable, 1);
    }
    let snapshot = restored.snapshot;
    match restored.damage {
        None => Ok(Found { store, snapshot, is_renewed: false }),
        Some(damage) => {
            drop(store);
            Ok(Found { store: replace(folder, &damage)?, snapshot, is_renewed: true })
        }
    }
}

/// Moves a damaged database aside and makes a new one.
fn replace(folder: &Path, damage: &StoreError) -> Result<Store, StoreError> {
    let aside = store::quarantine(folder, clock::wall())?;
    tracing::error!(aside = %aside.display(), "a new database is made: {damage}");
    Store::open(folder)
}

struct Worker {
    folder: PathBuf,
    store: Option<Store>,
    retention: Duration,
    health: Arc<Health>,
    news: UnboundedSender<News>,
    /// What could not be written yet, oldest first.
    backlog: VecDeque<Record>,
    next_look: Now,
    next_retention: Now,
}

impl Worker {
    fn run(mut self, todo: &Receiver<Task>) {
        loop {
            let wait = self.next_look - clock::now();
            match todo.recv_timeout(wait) {
                Ok(task) => {
                    if self.take(task, todo) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if clock::now() >= self.next_look {
                self.look_after();
            }
        }
        self.write_backlog();
        if !self.backlog.is_empty() {
            tracing::error!(changes = self.backlog.len(), "ended with changes that were not kept");
        }
    }

    /// Does a task, and whatever else is to be committed already. Tells whether to stop.
    fn take(&mut self, first: Task, todo: &Receiver<Task>) -> bool {
        let (mut batches, mut records) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        let mut stop = false;
        while let Some(task) = next.take() {
            match task {
                Task::Commit { batch, records: mut more } => {
                    batches.push(batch);
                    records.append(&mut more);
                }
                Task::Ask(work) => {
                    // Whoever asks must see what was decided before.
                    self.commit(&mut batches, &mut records);
                    let none = || "the database cannot be opened: see the status".to_owned();
                    work(self.store.as_mut().ok_or_else(none));
                }
                Task::Retain(retention) => self.retention = retention,
                Task::Stop => stop = true,
            }
            if batches.len() < MOST_AT_ONCE && !stop {
                next = todo.try_recv().ok();
            }
        }
        self.commit(&mut batches, &mut records);
        stop
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
                self.health.works(Part::Store);
                true
            }
            Err(error) => {
                self.fails(&error);
                self.bound_backlog();
                false
            }
        }
    }

    fn bound_backlog(&mut self) {
        let excess = self.backlog.len().saturating_sub(MOST_BACKLOG);
        self.backlog.drain(..excess);
        self.health.count(Count::Lost, excess as u64);
    }

    fn fails(&mut self, error: &StoreError) {
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
        self.write_backlog();
        if now >= self.next_retention && self.store.is_some() && self.backlog.is_empty() {
            self.next_retention = now + RETENTION;
            self.retain();
        }
    }

    fn retain(&mut self) {
        let span = u64::try_from(self.retention.as_millis()).unwrap_or(u64::MAX);
        let before = Wall(clock::wall().0.saturating_sub(span));
        let Some(store) = &mut self.store else { return };
        match store.retain(before) {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "deleted what was kept for long enough"),
            Err(error) => self.fails(&error),
        }
    }

    /// The database could not be opened at the start: what is in it is told when it can be.
    fn open(&mut self) {
        match open(&self.folder, &self.health) {
            Ok(Found { store, snapshot, is_renewed }) => {
                self.health.works(Part::Store);
                self.store = Some(store);
                // The desk has ended if nobody listens.
                let _ = self.news.send(News::Opened(Box::new(snapshot)));
                if is_renewed {
                    let _ = self.news.send(News::Renewed);
                }
            }
            Err(error) => self.fails(&error),
        }
    }

    /// Makes a new database, and asks for everything that it has to hold.
    fn renew(&mut self, damage: Option<&StoreError>) {
        self.store = None;
        let opened = match damage {
            Some(damage) => replace(&self.folder, damage),
            None => Store::open(&self.folder),
        };
        match opened {
            Ok(store) => {
                self.store = Some(store);
                let _ = self.news.send(News::Renewed);
            }
            Err(error) => self.health.fails(Part::Store, &error.to_string(), clock::wall()),
        }
    }
}
