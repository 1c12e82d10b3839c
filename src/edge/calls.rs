//! The calls that are being screened: each with its own watch, and with whoever feeds it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::clock;
use super::desk::{DeskError, DeskHandle};
use super::health::{Count, Health};
use crate::alert::desk::{Event as DeskEvent, NewCall};
use crate::alert::report::Report;
use crate::alert::watch::{Event, Watch};
use crate::call::{CallId, Digit, Leg, LineId, Origin, Signal, SignalKind, Sound, Utterance};
use crate::config::Config;
use crate::rules::{Level, Rulebook, Screen};
use crate::speech::reported::Reported;
use crate::time::{CallTime, Now};
use crate::wire::features::{Flags, Frame};
use crate::wire::feed::Told;

/// What a source may have been told without reading it; beyond it what is told is lost, and
/// counted.
pub const MOST_UNREAD: usize = 256;
/// So much more evidence, in decibans, is told to the desk.
const NEWS: f64 = 1.0;
/// How often the desk is told that a call goes on, of which there is no news. A call may be silent
/// for ten seconds at least before it is taken to be over.
const ALIVE_EVERY: Duration = Duration::from_secs(2);

/// How often a number that is being keyed is looked at.
const KEYS_EVERY: Duration = Duration::from_millis(250);
/// How long a call that has ended may take to be forgotten: it waits for a commit.
const FORGETTING: Duration = Duration::from_millis(500);

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
    reported: Reported,
    /// When the last key was reported, for as long as a pause after it would tell something.
    keyed: Option<(CallTime, Now)>,
    /// What the desk knows.
    told: Option<Report>,
    /// When the desk is told that the call goes on, if there is no news before.
    alive_at: Now,
}

/// What the desk is told after something was heard.
enum News {
    None,
    Alive,
    Report(Report),
}

struct Entry {
    line: LineId,
    open: Arc<Mutex<Open>>,
    source: mpsc::Sender<Told>,
    /// Closed when the entry is gone; the call has ended if somebody may wait for that.
    gone: Option<Arc<Semaphore>>,
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
        self.gone(&call).await;
        let rules = self.rules();
        let is_known = self.is_known(&call);
        // The entry is there before the desk can have anything told.
        if !is_known {
            let open = Open::new(watch(&rules, &line, Origin::Unknown, false));
            let entry = Entry::new(line.clone(), open, source.clone());
            self.all().insert(call.clone(), entry);
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
        if is_known {
            if let Some(entry) = self.all().get_mut(&call) {
                entry.source = source;
            }
        } else if let Some(open) = self.open(&call) {
            self.health.count(Count::Calls, 1);
            lock(&open).watch = watch(&rules, &line, started.origin, started.after_suspicious);
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

    /// The line that a call is on; none if it is not being screened.
    pub fn line_of(&self, call: &CallId) -> Option<LineId> {
        self.all().get(call).map(|entry| entry.line.clone())
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

    /// A key was pressed; an exchange saw it.
    ///
    /// # Errors
    /// When the call is not known, or the desk is ending.
    pub async fn key(
        self: &Arc<Self>,
        call: &CallId,
        leg: Leg,
        digit: Digit,
        at: CallTime,
    ) -> Result<(), DeskError> {
        let (mut signals, mut is_first) = (Vec::new(), false);
        self.with(call, |open| {
            open.reported.key(leg, digit, at, |signal| signals.push(signal));
            is_first = open.keyed.replace((at, clock::now())).is_none();
        })?;
        if is_first {
            tokio::spawn(Arc::clone(self).wait_for_keys(call.clone()));
        }
        self.report(call, signals).await
    }

    /// The features of a frame, from a probe.
    ///
    /// # Errors
    /// When the call is not known, or the desk is ending.
    pub async fn features(&self, call: &CallId, frame: &Frame) -> Result<(), DeskError> {
        let mut signals = Vec::new();
        self.with(call, |open| {
            open.reported.frame(frame, |signal| signals.push(signal));
            if frame.flags.has(Flags::VOICE) {
                open.watch.voice(frame.leg);
            }
        })?;
        self.report(call, signals).await
    }

    /// A number is complete when nothing more is keyed, whether or not anybody speaks.
    async fn wait_for_keys(self: Arc<Self>, call: CallId) {
        loop {
            clock::sleep_until(clock::now() + KEYS_EVERY).await;
            let (mut signals, mut is_over) = (Vec::new(), true);
            let known = self.with(&call, |open| {
                let Some((at, since)) = open.keyed else { return };
                let passed =
                    CallTime(at.0.saturating_add((clock::now() - since).as_millis() as u64));
                open.reported.pass(passed, |signal| signals.push(signal));
                is_over = !open.reported.is_keyed();
                open.keyed = open.keyed.filter(|_| !is_over);
            });
            if known.and(self.report(&call, signals).await).is_err() || is_over {
                return;
            }
        }
    }

    /// What follows from what a source reported: signals, and that the call goes on.
    async fn report(&self, call: &CallId, signals: Vec<Signal>) -> Result<(), DeskError> {
        for signal in signals {
            self.note(call, signal).await?;
        }
        let mut news = News::None;
        self.with(call, |open| news = open.news(clock::now()))?;
        self.tell_desk(call, news).await
    }

    async fn tell_desk(&self, call: &CallId, news: News) -> Result<(), DeskError> {
        match news {
            News::None => Ok(()),
            News::Alive => self.desk.note(heard(call, None)).await,
            News::Report(report) => self.desk.note(heard(call, Some(report))).await,
        }
    }

    fn with(&self, call: &CallId, work: impl FnOnce(&mut Open)) -> Result<(), DeskError> {
        let no_call = DeskError::Refused(crate::alert::desk::Refusal::NoCall);
        let open = self.open(call).ok_or(no_call)?;
        work(&mut lock(&open));
        Ok(())
    }

    /// The call ended.
    ///
    /// # Errors
    /// When the desk is ending.
    pub async fn end(&self, call: &CallId) -> Result<(), DeskError> {
        self.ending(call).await;
        self.desk.note(DeskEvent::CallEnded { call: call.clone() }).await
    }

    /// The desk is about to be told that the call ended: another of this name waits for that.
    pub async fn ending(&self, call: &CallId) {
        let mut signals = Vec::new();
        let known = self.with(call, |open| open.reported.finish(|signal| signals.push(signal)));
        // A call that is not known, or a desk that ends, has nothing more to tell.
        let _ = known.and(self.report(call, signals).await);
        if let Some(entry) = self.all().get_mut(call) {
            entry.gone.get_or_insert_with(|| Arc::new(Semaphore::new(0)));
        }
    }

    /// The call goes on, whether or not anything is heard in it.
    ///
    /// # Errors
    /// When the call is not known, or the desk is ending.
    pub async fn alive(&self, call: &CallId) -> Result<(), DeskError> {
        self.report(call, Vec::new()).await
    }

    /// Waits until a call of this name that has ended is forgotten: a name may be used again.
    async fn gone(&self, call: &CallId) {
        let gone = self.all().get(call).and_then(|entry| entry.gone.clone());
        if let Some(gone) = gone {
            let _ = clock::at_most(FORGETTING, gone.acquire()).await;
        }
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
        let entry = self.all().remove(call);
        if let Some(gone) = entry.and_then(|entry| entry.gone) {
            gone.close();
        }
    }

    async fn take(&self, call: &CallId, sound: Sound, at: CallTime) -> Result<(), DeskError> {
        let no_call = || DeskError::Refused(crate::alert::desk::Refusal::NoCall);
        let open = self.open(call).ok_or_else(no_call)?;
        let (dialled, is_trick) = trick(&sound);
        let (levels, news) = {
            let mut open = lock(&open);
            let levels = open.watch.take(sound, at).into_iter().filter_map(|event| match event {
                Event::Level { verdict, .. } => Some(verdict),
                _ => None,
            });
            (levels.collect::<Vec<_>>(), open.news(clock::now()))
        };
        for verdict in levels {
            self.tell(call, |call| Told::Level {
                call,
                at_ms: verdict.at.0,
                level: verdict.level.name(),
                score: (verdict.score * 10.0).round() / 10.0,
                stage: verdict.stage.map(|stage| stage.name()),
            });
        }
        self.tell_desk(call, news).await?;
        if is_trick {
            let event = DeskEvent::Trick { call: call.clone(), dialled };
            return self.desk.note(event).await;
        }
        Ok(())
    }

    fn open(&self, call: &CallId) -> Option<Arc<Mutex<Open>>> {
        self.all().get(call).map(|entry| Arc::clone(&entry.open))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<CallId, Entry>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(line: LineId, open: Open, source: mpsc::Sender<Told>) -> Self {
        Self { line, open: Arc::new(Mutex::new(open)), source, gone: None }
    }
}

impl Open {
    fn new(watch: Watch) -> Self {
        let (reported, keyed) = (Reported::default(), None);
        Self { watch, reported, keyed, told: None, alive_at: Now::default() }
    }

    /// What the desk does not know yet. Most of what is said changes nothing.
    fn news(&mut self, now: Now) -> News {
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
            let report = Report::new(verdict, self.watch.book());
            self.told = Some(report.clone());
            self.alive_at = now + ALIVE_EVERY;
            return News::Report(report);
        }
        if now < self.alive_at {
            return News::None;
        }
        self.alive_at = now + ALIVE_EVERY;
        News::Alive
    }
}

/// What somebody dials who thinks that the call is over, and whether a sound is the trick by which
/// they are made to.
fn trick(sound: &Sound) -> (Option<&'static str>, bool) {
    let Sound::Signal(signal) = sound else { return (None, false) };
    let number = signal.kind.dialled().filter(|_| signal.leg != Leg::Remote);
    let is_tone = signal.kind == SignalKind::DialTone && signal.leg == Leg::Remote;
    // Where both parties come in one, the caller may have keyed it, and nobody is connected.
    let dialled = number.filter(|_| signal.leg == Leg::Protected);
    (dialled, number.is_some() || is_tone)
}

fn heard(call: &CallId, report: Option<Report>) -> DeskEvent {
    DeskEvent::Heard { call: call.clone(), report }
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
