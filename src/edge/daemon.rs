//! The parts wired together: started, reloaded, and ended in order.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use etcetera::BaseStrategy;
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, mpsc, watch};

use super::calls::{Calls, Rules};
use super::desk::{self, DeskHandle, Requests};
use super::files::{self, FileError, Selection};
use super::health::{Health, Part};
use super::ingest::feed::{self, Feed};
use super::ingest::folder::Folder;
use super::keeper::{self, Found, Keeper, News, Task};
use super::notify::Channels;
use super::pbx::asterisk::{Asterisk, Parts};
use super::perform::Performer;
use super::reload::{Change, Packs};
use super::rounds::Loop;
use super::store::{self, StoreError};
use super::{clock, systemd, web};
use crate::alert::desk::Desk;
use crate::alert::number::TagKey;
use crate::alert::record::Snapshot;
use crate::config::{self, Config};
use crate::time::Now;

/// What concerns a line as a whole, and nobody has read yet.
const MOST_LINE_EVENTS: usize = 1024;
/// How long a database that another program has locked is waited for at the start.
const LOCKED: Duration = Duration::from_secs(2);
/// How long connections are given to end.
const FAREWELL: Duration = Duration::from_millis(700);
/// How long the threads are given to end: two seconds are promised for all of it.
const LONGEST_END: Duration = Duration::from_millis(1700);

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration or the rules.
    #[error(transparent)]
    File(#[from] FileError),
    /// It cannot listen.
    #[error("{address}: {problem}: is another lineclear running? See [api] and [feed]")]
    Listen {
        /// Where.
        address: String,
        /// What the system says.
        problem: io::Error,
    },
    /// Threads, signals.
    #[error("the system refused a thread or a signal: {0}")]
    System(#[from] io::Error),
    /// Nobody's home.
    #[error("no folder for the database: set store.directory in the configuration")]
    NoFolder,
    /// Two programs that write one database would undo each other's decisions.
    #[error("{0}: another lineclear uses this folder: end it, or set store.directory")]
    Shared(PathBuf),
}

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration file; the defaults if none.
    pub config: Option<PathBuf>,
    /// The rules.
    pub selection: Selection,
}

/// The folder of the database: the configuration's, the service's, or the user's.
///
/// # Errors
/// When there is none of them.
pub fn store_folder(config: &Config) -> Result<PathBuf, DaemonError> {
    if !config.store.directory.as_os_str().is_empty() {
        return Ok(config.store.directory.clone());
    }
    if let Some(folder) = std::env::var_os("STATE_DIRECTORY").filter(|it| !it.is_empty()) {
        return Ok(PathBuf::from(folder));
    }
    let user = etcetera::choose_base_strategy().map_err(|_| DaemonError::NoFolder)?;
    Ok(user.state_dir().unwrap_or_else(|| user.data_dir()).join("lineclear"))
}

/// Runs until it is told to end.
///
/// # Errors
/// When it cannot start.
pub fn run(options: Options) -> Result<(), DaemonError> {
    let config = Arc::new(files::config(options.config.as_deref())?);
    // A limit on the size of files must fail a write, as a full disk does, and not end the program.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
    let packs = Packs::open(options.selection.clone(), clock::now())?;
    let health = Arc::new(Health::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Nothing is changed on the disk, and nobody is told anything, by a program that cannot listen.
    let (http, feeds, sound) = listen(&config, &runtime)?;
    let (desk, requests) = desk::handle();
    let rules = Rules { book: Arc::clone(packs.book()), config: Arc::clone(&config) };
    let calls = Arc::new(Calls::new(desk.clone(), rules, Arc::clone(&health)));
    let (lines, _) = broadcast::channel(MOST_LINE_EVENTS);
    let channels = Arc::new(RwLock::new(Arc::new(Channels::shown(&config.people, &health))));
    show_unscreened(&config, &health);
    let performer = Performer::new(
        runtime.handle().clone(),
        Arc::clone(&calls),
        lines.clone(),
        Arc::clone(&channels),
        desk.clone(),
    );
    let (keeper, keeper_thread, key, snapshot, news) = open_store(&config, &health)?;
    let _released_at_the_end = lock(&store_folder(&config)?)?;
    let desk_thread =
        start_desk(&config, key, snapshot, &keeper, performer, &health, requests, news)?;
    let (calls_of, health_of, lines_of) = (Arc::clone(&calls), Arc::clone(&health), lines.clone());
    let parts = Parts { calls: calls_of, desk: desk.clone(), health: health_of, lines: lines_of };
    let start = |sound| Asterisk::start(runtime.handle(), &config, sound, &parts, random());
    let asterisk = sound.map(start).transpose()?;
    let feed = Feed { calls, desk: desk.clone(), health: Arc::clone(&health), lines };
    feeds.serve(&runtime, &feed);
    let state = Arc::new(web::State {
        desk: desk.clone(),
        keeper: keeper.clone(),
        feed,
        health,
        packs: RwLock::new(packs.status()),
        configuration: RwLock::new(Arc::clone(&config)),
        words: runtime.handle().clone(),
    });
    let (stop, stopped) = watch::channel(false);
    let http_thread = http.serve(Arc::clone(&state), stopped)?;
    let live = asterisk.as_ref().map(|asterisk| Arc::clone(asterisk.live()));
    let stop_folder = Arc::default();
    let daemon = Daemon { options, config, packs, channels, asterisk, state, stop: stop_folder };
    let folder = daemon.start_folder(runtime.handle())?;
    let folder_stop = Arc::clone(&daemon.stop);
    let ran = runtime.block_on(daemon.follow());
    systemd::stopping();
    let latest = clock::now() + LONGEST_END;
    folder_stop.store(true, Ordering::Relaxed);
    // Whoever asks just now is still answered.
    let _ = stop.send(true);
    ended(&http_thread, clock::now() + FAREWELL);
    let _ = runtime.block_on(clock::at_most(FAREWELL, desk.stop()));
    ended(&desk_thread, latest);
    let _ = keeper.give(Task::Stop);
    live.inspect(|live| live.stop(latest));
    let all = [Some(desk_thread), Some(keeper_thread), folder];
    for thread in all.into_iter().flatten() {
        if !ended(&thread, latest) {
            let name = thread.thread().name().unwrap_or("a thread");
            tracing::warn!("{name} takes too long to end: what it was doing is broken off");
        }
    }
    runtime.shutdown_timeout(Duration::from_millis(200));
    tracing::info!("ended");
    ran
}

/// Whether a thread has ended by then.
fn ended(thread: &JoinHandle<()>, latest: Now) -> bool {
    while !thread.is_finished() {
        if clock::now() >= latest {
            return false;
        }
        clock::wait_until(clock::now() + Duration::from_millis(2));
    }
    true
}

/// The HTTP interface, with a runtime of its own: the gate's answer waits for no words.
struct Http {
    runtime: Runtime,
    listener: TcpListener,
}

/// The sockets of feeds.
struct Feeds {
    unix: Option<(UnixListener, PathBuf)>,
    tcp: Option<TcpListener>,
}

/// All that listens; the last is where live sound is brought to.
type Listening = (Http, Feeds, Option<TcpListener>);

/// Takes all addresses.
fn listen(config: &Config, runtime: &Runtime) -> Result<Listening, DaemonError> {
    let taken = |address: String| |problem| DaemonError::Listen { address, problem };
    let http = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let address = config.api.listen;
    let listener = http.block_on(TcpListener::bind(address)).map_err(taken(address.to_string()))?;
    let (path, address) = (&config.feed.socket, &config.feed.tcp);
    let _sockets_belong_to_it = runtime.enter();
    let unix = (!path.as_os_str().is_empty())
        .then(|| feed::bind_unix(path).map_err(taken(path.display().to_string())))
        .transpose()?;
    let tcp = (!address.is_empty())
        .then(|| runtime.block_on(TcpListener::bind(address)).map_err(taken(address.clone())))
        .transpose()?;
    let feeds = Feeds { unix: unix.map(|unix| (unix, path.clone())), tcp };
    let address = config.pbx.asterisk.audio;
    let sound =
        config.pbx.asterisk.is_used().then(|| {
            runtime.block_on(TcpListener::bind(address)).map_err(taken(address.to_string()))
        });
    Ok((Http { runtime: http, listener }, feeds, sound.transpose()?))
}

impl Http {
    fn serve(
        self,
        state: Arc<web::State>,
        stopped: watch::Receiver<bool>,
    ) -> Result<JoinHandle<()>, DaemonError> {
        let lines = state.feed.calls.rules().config.lines.len();
        let address = self.listener.local_addr()?;
        let run = move || {
            if let Err(error) = self.runtime.block_on(web::serve(self.listener, state, stopped)) {
                tracing::error!("the http interface has ended: {error}");
            }
        };
        let thread = std::thread::Builder::new().name("http".to_owned()).spawn(run)?;
        tracing::info!(%address, lines, "ready");
        Ok(thread)
    }
}

impl Feeds {
    fn serve(self, runtime: &Runtime, feed: &Feed) {
        if let Some((listener, path)) = self.unix {
            runtime.spawn(feed::serve_unix(listener, feed.clone(), path));
        }
        if let Some(listener) = self.tcp {
            runtime.spawn(feed::serve_tcp(listener, feed.clone()));
        }
    }
}

/// Holds the folder of the database for this program alone, for as long as the file is open.
fn lock(folder: &Path) -> Result<Option<File>, DaemonError> {
    // Without the folder everything goes on from memory, which is nobody else's.
    let Ok(opened) = File::open(folder) else { return Ok(None) };
    match opened.try_lock() {
        Err(TryLockError::WouldBlock) => Err(DaemonError::Shared(folder.to_owned())),
        // Some file systems know no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(opened)),
    }
}

/// What the desk finds in the database, and the thread that writes it.
type Opened = (Keeper, JoinHandle<()>, TagKey, Snapshot, mpsc::UnboundedReceiver<News>);

/// Opens the database. If it cannot be, everything goes on from memory, and the status says so.
fn open_store(config: &Config, health: &Arc<Health>) -> Result<Opened, DaemonError> {
    let folder = store_folder(config)?;
    let (news, to_desk) = mpsc::unbounded_channel();
    let found = first_open(&folder, health);
    let is_told = found.is_some();
    let (store, snapshot) = match found {
        Some(Found { store, snapshot, is_renewed }) => {
            // The desk hears of it first of all.
            let _ = is_renewed.then(|| news.send(News::Renewed));
            (store, snapshot)
        }
        None => (None, Snapshot::default()),
    };
    let key = store::tag_key(&folder).unwrap_or_else(|error| {
        health.fails(Part::Key, &error.to_string(), clock::wall());
        TagKey::new(random())
    });
    let retention = config.store.retention();
    let health = Arc::clone(health);
    let (keeper, thread) = keeper::start(folder, store, is_told, retention, health, news)?;
    Ok((keeper, thread, key, snapshot, to_desk))
}

fn first_open(folder: &Path, health: &Health) -> Option<Found> {
    let latest = clock::now() + LOCKED;
    loop {
        match keeper::open(folder, health) {
            Ok(found) => return Some(found),
            Err(StoreError::Locked(_)) if clock::now() < latest => {
                clock::wait_until(clock::now() + Duration::from_millis(100));
            }
            Err(error) => {
                health.fails(Part::Store, &error.to_string(), clock::wall());
                return None;
            }
        }
    }
}

/// Random bytes. A machine that has none to give yet gives the time: names stay apart all the same.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    if getrandom::fill(&mut bytes).is_err() {
        let time = clock::now().0.as_nanos().to_le_bytes();
        bytes[..16].copy_from_slice(&time);
    }
    bytes
}

#[allow(clippy::too_many_arguments)]
fn start_desk(
    config: &Arc<Config>,
    key: TagKey,
    snapshot: Snapshot,
    keeper: &Keeper,
    performer: Performer,
    health: &Arc<Health>,
    requests: Requests,
    news: mpsc::UnboundedReceiver<News>,
) -> Result<JoinHandle<()>, DaemonError> {
    let seed = random().first_chunk().copied().unwrap_or_default();
    let mut desk = Desk::new(config, clock::boot_id(), key, u64::from_le_bytes(seed));
    let first = desk.restore(snapshot, config, clock::moment());
    let (config, keeper, health) = (Arc::clone(config), keeper.clone(), Arc::clone(health));
    let desk = Loop::new(desk, config, keeper, performer, Arc::clone(&health));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let alive =
        Alive { health, every: systemd::watchdog().map(|every| every / 3), next: clock::now() };
    let thread = std::thread::Builder::new().name("desk".to_owned());
    let run = move || {
        let mut alive = alive;
        runtime.block_on(desk.run(first, requests, news, |desk| alive.tell(desk)));
    };
    Ok(thread.spawn(run)?)
}

/// Tells systemd that the desk itself is alive, and how things stand.
struct Alive {
    health: Arc<Health>,
    every: Option<Duration>,
    next: Now,
}

impl Alive {
    fn tell(&mut self, desk: &Desk) {
        let now = clock::now();
        if now < self.next {
            return;
        }
        self.next =
            now + self.every.unwrap_or(Duration::from_secs(10)).min(Duration::from_secs(10));
        systemd::alive();
        let held = desk.lines(now).iter().filter(|line| line.hold.is_some()).count();
        let problems: Vec<_> = self.health.problems().keys().map(|part| part.name()).collect();
        let colour = if problems.is_empty() { "green".to_owned() } else { problems.join(", ") };
        let (calls, waiting) = (desk.calls(), desk.waiting());
        let text = format!("{colour}; {calls} calls, {held} lines held, {waiting} to tell");
        systemd::status(&text);
    }
}

struct Daemon {
    options: Options,
    config: Arc<Config>,
    packs: Packs,
    channels: Arc<RwLock<Arc<Channels>>>,
    asterisk: Option<Asterisk>,
    state: Arc<web::State>,
    stop: Arc<AtomicBool>,
}

impl Daemon {
    fn start_folder(
        &self,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Option<JoinHandle<()>>, DaemonError> {
        let (calls, health) = (Arc::clone(&self.state.feed.calls), Arc::clone(&self.state.health));
        let folder = Folder::new(&self.config, calls, health, runtime.clone());
        let stop = Arc::clone(&self.stop);
        let thread = std::thread::Builder::new().name("folder".to_owned());
        Ok(folder.map(|folder| thread.spawn(move || folder.run(&stop))).transpose()?)
    }

    /// Follows changes, and ends on SIGTERM or SIGINT.
    async fn follow(mut self) -> Result<(), DaemonError> {
        let (mut hangup, mut terminate, mut interrupt) = (
            signal(SignalKind::hangup())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        systemd::ready();
        loop {
            let next = clock::now() + super::reload::POLL_EVERY;
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => self.reload().await,
                () = clock::sleep_until(next) => self.poll_rules(),
            }
        }
        tracing::info!("ending");
        Ok(())
    }

    fn poll_rules(&mut self) {
        if let Some(change) = self.packs.poll(clock::now()) {
            self.rules_changed(change);
        }
    }

    fn rules_changed(&self, change: Change) {
        let status = self.packs.status();
        let health = &self.state.health;
        match (change, &status.last_error) {
            (Change::Refused, Some(problem)) => health.fails(Part::Rules, problem, clock::wall()),
            _ => health.works(Part::Rules),
        }
        let (book, config) = (Arc::clone(self.packs.book()), Arc::clone(&self.config));
        self.state.feed.calls.set_rules(Rules { book, config });
        *self.state.packs.write().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// Reads the configuration and the rules again. What does not load leaves what was.
    async fn reload(&mut self) {
        systemd::reloading();
        match files::config(self.options.config.as_deref()) {
            Ok(config) => {
                self.state.health.works(Part::Configuration);
                self.configure(Arc::new(config)).await;
            }
            Err(error) => {
                let message = format!("{error}; the configuration before counts");
                self.state.health.fails(Part::Configuration, &message, clock::wall());
            }
        }
        let change = self.packs.reload(clock::now());
        self.rules_changed(change);
        systemd::ready();
    }

    async fn configure(&mut self, config: Arc<Config>) {
        let listens = |config: &Config| {
            let feed = &config.feed;
            (config.api.listen, feed.socket.clone(), feed.tcp.clone(), config.folder.clone())
        };
        let exchange = |config: &Config| {
            let lines = Vec::new();
            let asterisk = config::Asterisk { lines, ..config.pbx.asterisk.clone() };
            (config.speech.clone(), asterisk)
        };
        if exchange(&config) != exchange(&self.config) {
            tracing::warn!(
                "[speech] and [pbx.asterisk] change at the next start, but for its lines"
            );
        }
        if listens(&config) != listens(&self.config)
            || config.store.directory != self.config.store.directory
        {
            tracing::warn!("[api] listen, [feed], [folder] and [store] change at the next start");
        }
        // Whoever is new can be told before the desk knows of them.
        let channels = Arc::new(Channels::shown(&config.people, &self.state.health));
        *self.channels.write().unwrap_or_else(PoisonError::into_inner) = channels;
        show_unscreened(&config, &self.state.health);
        let desk: &DeskHandle = &self.state.desk;
        desk.configure(Arc::clone(&config)).await;
        if let Some(asterisk) = &self.asterisk {
            asterisk.configure(Arc::clone(&config));
        }
        // If too much waits there, what is kept is kept for as long as before.
        let _ = self.state.keeper.give(Task::Retain(config.store.retention()));
        let state = &self.state.configuration;
        *state.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&config);
        self.config = config;
    }
}

/// Lines that nobody agreed to have screened are shown, lest somebody rely on them.
fn show_unscreened(config: &Config, health: &Health) {
    let lines = config.lines.iter().filter(|line| line.consent.is_none());
    let names: Vec<_> = lines.map(|line| line.id.as_str()).collect();
    if names.is_empty() {
        return health.works(Part::Lines);
    }
    let message =
        format!("not screened, since nobody's consent is configured: {}", names.join(", "));
    health.fails(Part::Lines, &message, clock::wall());
}
