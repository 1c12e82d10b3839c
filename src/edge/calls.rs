//! The calls that are being screened: each with its own watch, and with whoever feeds it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::mpsc;

use super::desk::{DeskError, DeskHandle};
use super::health::{Count, Health};
use crate::alert::desk::{Event as DeskEvent, NewCall};
use crate::alert::report::Report;
use crate::alert::watch::{Event, Watch};
use crate::call::{CallId, LineId, Origin, Signal, Utterance};
use crate::config::Config;
use crate::rules::{Level, Rulebook, Screen};
use crate::speech::listener::Sound;
use crate::time::CallTime;
use crate::wire::feed::Told;

/// What a source may have been told without reading it; beyond it what is told is lost, and
/// counted.
pub const MOST_UNREAD: usize = 256;
/// So much more evidence, in decibans, is told to the desk.
const NEWS: f64 = 1.0;

/// What new calls start with.
pub struct Rules {
    /// The rules.
    pub book: Arc<Rulebook>,
    /// The configuration.
    pub config: Arc<Config>,
}

/// A call that is being screened.
struct Open {
    watch: Watch,
    /// What the desk knows.
    told: Option<Report>,
}

struct Entry {
    open: Arc<Mutex<Open>>,
    source: mpsc::Sender<Told>,
}

/// All calls that are being screened.
pub struct Calls {
    desk: DeskHandle,
    rules: RwLock<Arc<Rules>>,
    health: Arc<Health>,
    calls: Mutex<HashMap<CallId, Entry>>,
}

impl Calls {
    /// No calls yet.
    pub fn new(desk: DeskHandle, rules: Rules, health: Arc<Health>) -> Self {
        let (rules, calls) = (RwLock::new(Arc::new(rules)), Mutex::default());
        Self { desk, rules, health, calls }
    }

    /// New calls start with these.
    pub fn set_rules(&self, rules: Rules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    /// What new calls start with.
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A call begins. Whatever is to be done about it is told to `source`. A call that goes on may
    /// be taken over by another source: the last one is told.
    ///
    /// # Errors
    /// When the desk refuses it.
    pub async fn start(&self, new: NewCall, source: mpsc::Sender<Told>) -> Result<(), DeskError> {
        let (call, line) = (new.call.clone(), new.line.clone());
        let is_known = self.is_known(&call);
        // The entry is there before the desk can have anything told.
        let rules = self.rules();
        if !is_known {
            let open = Arc::new(Mutex::new(Open {
                watch: watch(&rules, &line, Origin::Unknown, false),
                told: None,
            }));
            self.all().insert(call.clone(), Entry { open, source: source.clone() });
            self.health.count(Count::Calls, 1);
        }
        let started = match self.desk.start_call(new).await {
            Ok(started) => started,
            Err(error) => {
                if !is_known {
                    self.all().remove(&call);
                }
                return Err(error);
            }
        };
        match self.all().get_mut(&call) {
            Some(entry) if is_known => entry.source = source,
            Some(entry) => {
                let origin = started.origin;
                lock(&entry.open).watch = watch(&rules, &line, origin, started.after_suspicious);
            }
            None => {}
        }
        let origin = match started.origin {
            Origin::Unknown => "unknown",
            Origin::KnownContact => "known-contact",
            Origin::Outgoing => "outgoing",
        };
        self.tell(&call, |call| Told::Started { call, origin });
        Ok(())
    }

    /// Whether a call is being screened.
    pub fn is_known(&self, call: &CallId) -> bool {
        self.all().contains_key(call)
    }

    /// Something was said.
    ///
    /// # Errors
    /// When the call is not known, or the desk is ending.
    pub async fn hear(&self, call: &CallId, utterance: Utterance) -> Result<(), DeskError> {
        self.health.count(Count::Utterances, 1);
        let at = utterance.end;
        self.take(call, Sound::Speech(utterance), at).await
    }

    /// Something else was heard.
    ///
    /// # Errors
    /// When the call is not known, or the desk is ending.
    pub async fn note(&self, call: &CallId, signal: Signal) -> Result<(), DeskError> {
        self.take(call, Sound::Signal(signal), signal.at).await
    }

    /// The call ended.
    ///
    /// # Errors
    /// When the desk is ending.
    pub async fn end(&self, call: &CallId) -> Result<(), DeskError> {
        self.desk.note(DeskEvent::CallEnded { call: call.clone() }).await
    }

    /// Tells the source of a call something; `what` is given the call's name.
    pub fn tell(&self, call: &CallId, what: impl FnOnce(String) -> Told) {
        let source = self.all().get(call).map(|entry| entry.source.clone());
        let name = call.private().reveal().to_string();
        if source.is_none_or(|source| source.try_send(what(name)).is_err()) {
            self.health.count(Count::Untold, 1);
        }
    }

    /// The call is over.
    pub fn forget(&self, call: &CallId) {
        self.tell(call, |call| Told::Ended { call });
        self.all().remove(call);
    }

    async fn take(&self, call: &CallId, sound: Sound, at: CallTime) -> Result<(), DeskError> {
        let no_call = || DeskError::Refused(crate::alert::desk::Refusal::NoCall);
        let open = self.open(call).ok_or_else(no_call)?;
        let report = {
            let mut open = lock(&open);
            for event in open.watch.take(sound, at) {
                if let Event::Level { verdict, .. } = event {
                    self.tell(call, |call| Told::Level {
                        call,
                        at_ms: verdict.at.0,
                        level: verdict.level.name(),
                        score: (verdict.score * 10.0).round() / 10.0,
                        stage: verdict.stage.map(|stage| stage.name()),
                    });
                }
            }
            open.news()
        };
        self.desk.note(DeskEvent::Heard { call: call.clone(), report }).await
    }

    fn open(&self, call: &CallId) -> Option<Arc<Mutex<Open>>> {
        self.all().get(call).map(|entry| Arc::clone(&entry.open))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<CallId, Entry>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// What the desk does not know yet. Most of what is said changes nothing.
    fn news(&mut self) -> Option<Report> {
        let verdict = self.watch.settled();
        let is_news = match &self.told {
            None => verdict.level >= Level::Caution,
            Some(told) => {
                told.level != verdict.level
                    || told.stage != verdict.stage
                    || verdict.score >= told.score + NEWS
            }
        };
        if is_news {
            self.told = Some(Report::new(verdict, self.watch.book()));
            return self.told.clone();
        }
        None
    }
}

fn watch(rules: &Rules, line: &LineId, origin: Origin, after_suspicious: bool) -> Watch {
    let own = rules.config.lines.iter().find(|it| it.id == line.as_str());
    let levels = own.map_or(rules.config.levels, |line| line.levels);
    let screen = Screen::new(Arc::clone(&rules.book), levels, origin);
    let screen = if after_suspicious { screen.after_suspicious() } else { screen };
    Watch::new(screen).simulated(rules.config.rules.simulate)
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
