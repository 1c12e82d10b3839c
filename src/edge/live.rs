//! Live sound, heard as it comes: threads with models of their own, which share the calls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc as to_tasks;

use super::calls::Calls;
use super::clock;
use super::desk::DeskError;
use super::health::{Count, Health, Part};
use super::hear::{Ears, Hearing};
use super::ingest::recording::{Block, Layout};
use super::models::{Model, Store};
use crate::audio::playout::Playout;
use crate::audio::voice::Endpointing;
use crate::call::{CallId, Digit, Leg, Sound};
use crate::config::Speech;
use crate::speech::SpeechError;
use crate::time::Now;

/// How often each call is listened to.
const EVERY: Duration = Duration::from_millis(20);
/// What was heard in a call and nobody has taken yet.
const MOST_SOUNDS: usize = 256;
/// How often the desk may be told that a call goes on in which nobody speaks.
const ALIVE_EVERY: Duration = Duration::from_secs(2);
/// How long what was being said when a call ended is waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often models that do not load are tried again.
const LOAD_EVERY: Duration = Duration::from_secs(30);

/// What a thread is told.
enum Job {
    Begin(Box<Heard>),
    Key { call: CallId, leg: Leg, digit: Digit },
    End(CallId),
    Stop,
}

/// One leg's sound, between whoever brings it and whoever hears it.
#[derive(Clone)]
pub struct LegSound {
    began: Now,
    buffer: Arc<Mutex<Playout>>,
}

impl LegSound {
    /// Of a call that began then.
    pub fn new(began: Now) -> Self {
        Self { began, buffer: Arc::default() }
    }

    /// Samples (8 kHz, −1…1) have come.
    pub fn push(&self, samples: &[f32]) {
        self.lock().push(samples, clock::now() - self.began);
    }

    /// What has come up to a moment and nobody has taken yet.
    pub fn take(&self, until: Now, samples: &mut Vec<f32>) {
        self.lock().take(until - self.began, samples);
    }

    fn lock(&self) -> MutexGuard<'_, Playout> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is heard as it goes on.
pub struct LiveCall {
    call: CallId,
    legs: [LegSound; 2],
    is_mixed: bool,
    thread: mpsc::Sender<Job>,
    /// What is heard in it.
    sounds: to_tasks::Receiver<Sound>,
}

/// What brings sound and keys to a call that is heard.
#[derive(Clone)]
pub struct LiveInput {
    call: CallId,
    legs: [LegSound; 2],
    is_mixed: bool,
    thread: mpsc::Sender<Job>,
}

impl LiveInput {
    /// Where the sound of a leg goes.
    pub fn leg(&self, leg: Leg) -> LegSound {
        let is_second = leg == Leg::Protected && !self.is_mixed;
        self.legs[usize::from(is_second)].clone()
    }

    /// A key was pressed; the exchange saw it.
    pub fn key(&self, leg: Leg, digit: Digit) {
        let leg = match (self.is_mixed, leg) {
            // Nobody could tell the caller's keys from the person's afterwards.
            (true, Leg::Remote) => return,
            (true, _) => Leg::Mixed,
            (false, leg) => leg,
        };
        // A thread that has ended hears nothing any more.
        let _ = self.thread.send(Job::Key { call: self.call.clone(), leg, digit });
    }

    /// The call is over: what is being said is heard out.
    pub fn end(&self) {
        let _ = self.thread.send(Job::End(self.call.clone()));
    }
}

impl LiveCall {
    /// What brings sound to it.
    pub fn input(&self) -> LiveInput {
        let (call, legs, thread) = (self.call.clone(), self.legs.clone(), self.thread.clone());
        LiveInput { call, legs, is_mixed: self.is_mixed, thread }
    }

    /// Screens the call for as long as it is heard, and until `over`.
    ///
    /// # Errors
    /// When the desk does not want it.
    pub async fn screen(
        mut self,
        calls: &Calls,
        over: &tokio::sync::Notify,
    ) -> Result<(), DeskError> {
        let mut latest = None;
        loop {
            let alive = clock::now() + ALIVE_EVERY;
            tokio::select! {
                biased;
                sound = self.sounds.recv() => match sound {
                    Some(Sound::Speech(utterance)) => calls.hear(&self.call, utterance).await?,
                    Some(Sound::Signal(signal)) => calls.note(&self.call, signal).await?,
                    None => return Ok(()),
                },
                () = over.notified(), if latest.is_none() => {
                    latest = Some(clock::now() + LAST_WORDS);
                }
                () = clock::sleep_until(latest.unwrap_or_default()), if latest.is_some() => {
                    return Ok(());
                }
                () = clock::sleep_until(alive), if latest.is_none() => {
                    calls.alive(&self.call).await?;
                }
            }
        }
    }
}

/// Hears live calls.
pub struct Live {
    threads: Vec<(mpsc::Sender<Job>, JoinHandle<()>)>,
    next: AtomicUsize,
}

impl Live {
    /// Starts the threads. The models are loaded with the first call.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(speech: &Speech, health: &Arc<Health>) -> std::io::Result<Self> {
        let model = if speech.model == "base" { Model::Base } else { Model::Tiny };
        let start = |number: usize| {
            let (jobs, given) = mpsc::channel();
            let health = Arc::clone(health);
            let thread = Thread {
                model,
                health,
                ears: None,
                load_at: Now::default(),
                has_failed: false,
                calls: Vec::new(),
                block: Block::default(),
                sounds: Vec::new(),
            };
            let builder = std::thread::Builder::new().name(format!("hear-{number}"));
            builder.spawn(move || thread.run(&given)).map(|thread| (jobs, thread))
        };
        let threads = (1..=speech.threads).map(start).collect::<Result<_, _>>()?;
        Ok(Self { threads, next: AtomicUsize::new(0) })
    }

    /// A call begins. None if no thread hears.
    pub fn begin(&self, call: CallId, is_mixed: bool) -> Option<LiveCall> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let (thread, _) = self.threads.get(turn % self.threads.len().max(1))?;
        let began = clock::now();
        let legs = [LegSound::new(began), LegSound::new(began)];
        let (heard, sounds) = to_tasks::channel(MOST_SOUNDS);
        let layout = if is_mixed { Layout::Mixed } else { Layout::TwoLegs };
        let hearing = Hearing::new(layout, Endpointing::default());
        let job = Heard { call: call.clone(), legs: legs.clone(), is_mixed, hearing, heard };
        thread.send(Job::Begin(Box::new(job))).ok()?;
        Some(LiveCall { call, legs, is_mixed, thread: thread.clone(), sounds })
    }

    /// Ends the threads; what they are doing is waited for until `latest`.
    pub fn stop(&self, latest: Now) {
        for (jobs, _) in &self.threads {
            let _ = jobs.send(Job::Stop);
        }
        while self.threads.iter().any(|(_, thread)| !thread.is_finished()) {
            if clock::now() >= latest {
                tracing::warn!("a thread takes too long to end: what it heard is broken off");
                return;
            }
            clock::wait_until(clock::now() + Duration::from_millis(2));
        }
    }
}

/// A call, as its thread has it.
struct Heard {
    call: CallId,
    legs: [LegSound; 2],
    is_mixed: bool,
    hearing: Hearing,
    heard: to_tasks::Sender<Sound>,
}

struct Thread {
    model: Model,
    health: Arc<Health>,
    ears: Option<Ears>,
    /// When loading the models may be tried next.
    load_at: Now,
    has_failed: bool,
    calls: Vec<Heard>,
    block: Block,
    sounds: Vec<Sound>,
}

impl Thread {
    fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        // A model that is not there is shown before the first call.
        self.load();
        let mut next = clock::now();
        loop {
            // Without a call there is nothing to do, and no reason to wake up.
            let first = if self.calls.is_empty() { jobs.recv().ok() } else { jobs.try_recv().ok() };
            let is_over = first.is_none() && self.calls.is_empty();
            let jobs = first.into_iter().chain(jobs.try_iter());
            if jobs.map(|job| self.follow(job)).any(|goes_on| !goes_on) || is_over {
                return;
            }
            self.listen();
            next = (next + EVERY).max(clock::now());
            clock::wait_until(next);
        }
    }

    /// Does a job; false if it is the last.
    fn follow(&mut self, job: Job) -> bool {
        match job {
            Job::Begin(call) => self.calls.push(*call),
            Job::Key { call, leg, digit } => {
                if let Some(call) = self.calls.iter_mut().find(|it| it.call == call) {
                    call.hearing.key(leg, digit, &mut self.sounds);
                    call.tell(&mut self.sounds, &self.health);
                }
            }
            Job::End(call) => {
                let Some(place) = self.calls.iter().position(|it| it.call == call) else {
                    return true;
                };
                let mut call = self.calls.swap_remove(place);
                if let Some(ears) = &mut self.ears {
                    let done = call.hearing.finish(ears, &mut self.sounds);
                    let _shown = note(done, &self.health);
                }
                call.tell(&mut self.sounds, &self.health);
                self.count(&call);
            }
            Job::Stop => return false,
        }
        true
    }

    /// Hears in each call what has come since the last time.
    fn listen(&mut self) {
        self.load();
        let (now, mut is_fine) = (clock::now(), self.ears.is_some());
        for call in &mut self.calls {
            call.take(now, &mut self.block);
            match &mut self.ears {
                Some(ears) => {
                    let done = call.hearing.push(&self.block, ears, &mut self.sounds);
                    is_fine &= note(done, &self.health);
                }
                None => call.hearing.pass(&self.block, &mut self.sounds),
            }
            call.tell(&mut self.sounds, &self.health);
        }
        // What failed once need not fail again.
        let has_failed = std::mem::replace(&mut self.has_failed, !is_fine);
        if has_failed && is_fine {
            self.health.works(Part::Speech);
        }
    }

    /// What was dropped of the sound of calls that are over is counted.
    fn count(&self, call: &Heard) {
        let dropped = call.legs.iter().map(|leg| leg.lock().dropped()).sum::<u64>();
        // In blocks of 20 ms, begun ones included.
        self.health.count(Count::Unheard, dropped.div_ceil(160));
    }

    fn load(&mut self) {
        if self.ears.is_some() || clock::now() < self.load_at {
            return;
        }
        self.load_at = clock::now() + LOAD_EVERY;
        let store = Store::open_default().map_err(|error| error.to_string());
        let ears =
            store.and_then(|it| Ears::load(&it, self.model).map_err(|error| error.to_string()));
        match ears {
            Ok(ears) => {
                self.ears = Some(ears);
                self.health.works(Part::Speech);
            }
            Err(problem) => self.health.fails(Part::Speech, &problem, clock::wall()),
        }
    }
}

impl Heard {
    /// What has come on each leg, for the same time on both.
    fn take(&self, now: Now, block: &mut Block) {
        block.legs.iter_mut().for_each(Vec::clear);
        let count = if self.is_mixed { 1 } else { 2 };
        for (leg, samples) in self.legs.iter().zip(&mut block.legs).take(count) {
            leg.take(now, samples);
        }
    }

    /// Hands on what was heard. Nobody is waited for: the other calls go on.
    fn tell(&self, sounds: &mut Vec<Sound>, health: &Health) {
        for sound in sounds.drain(..) {
            if self.heard.try_send(sound).is_err() {
                health.count(Count::Unheard, 1);
            }
        }
    }
}

/// Shows that a model fails; whether it does not.
fn note(done: Result<(), SpeechError>, health: &Health) -> bool {
    if let Err(error) = &done {
        health.fails(Part::Speech, &error.to_string(), clock::wall());
    }
    done.is_ok()
}
