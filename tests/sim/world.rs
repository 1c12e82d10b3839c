//! A machine with a desk, a store and clocks, and calls and people around it.

use std::collections::{BTreeSet, VecDeque};

use lineclear::alert::deadline::BootId;
use lineclear::alert::desk::{Actions, Desk, Effect};
use lineclear::alert::number::TagKey;
use lineclear::alert::record::{Address, Id};
use lineclear::call::{CallId, LineId};
use lineclear::config::Config;
use lineclear::rules::Level;

use super::channels::Channels;
use super::clock::Clock;
use super::commit::Posted;
use super::homes::{Homes, IN_EVERY_CALL, number};
use super::model::Model;
use super::script::{By, Crash, Death, Hand, Other, Plan, Script, Step};
use super::store::Store;

/// A promise that was broken, in words.
pub type Kept<T = ()> = Result<T, String>;

/// Breaks off with words unless the promise is kept.
macro_rules! keep {
    ($kept:expr, $($words:tt)+) => {
        if !$kept {
            return Err(format!($($words)+));
        }
    };
}
pub(crate) use keep;

/// Why the desk was asked for actions.
#[derive(Debug, Clone, Copy)]
pub enum Cause {
    Tick,
    /// The wall clock was set.
    Stepped,
    Restart,
    Reload,
    Begin(usize),
    Heard(usize, Level),
    Ended,
    Asked {
        line: usize,
        is_incoming: bool,
        other: Other,
    },
    FarLeg(usize),
    Hand(usize, Hand, By),
    NotAScam(Id, By),
    Answer,
}

/// Whether the program came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lived {
    On,
    Died,
}

/// A call, as it really is.
#[derive(Debug, Clone)]
pub struct Call {
    pub plan: Plan,
    pub id: CallId,
    pub is_up: bool,
    /// The desk has it.
    pub is_watched: bool,
    pub simulated: bool,
    /// It came in not long after an emergency call.
    pub is_callback: bool,
    /// What was last reported of it, also while nobody wanted to be warned.
    pub heard: Option<Level>,
    /// The highest level that was whispered, as far as this run of the program knows.
    pub warned: Level,
    pub dropped: bool,
}

pub struct World {
    pub clock: Clock,
    pub homes: Homes,
    pub config: Config,
    pub desk: Desk,
    pub store: Store,
    pub channels: Channels,
    pub model: Model,
    pub calls: Vec<Call>,
    /// The calls that the desk has, by line.
    pub watched: Vec<BTreeSet<CallId>>,
    pub posted: Posted,
    pub deaths: VecDeque<Crash>,
    pub rng: fastrand::Rng,
    /// The line that the last step was about.
    pub touched: usize,
    pub trace: Option<Vec<String>>,
    runs: u64,
}

impl World {
    pub fn new(script: &Script) -> Self {
        let (homes, clock) = (script.homes.clone(), Clock::new());
        let config = homes.config();
        let call = |(index, plan): (usize, &Plan)| Call {
            plan: plan.clone(),
            id: CallId::new(&name(index, plan)),
            is_up: false,
            is_watched: false,
            simulated: false,
            is_callback: false,
            heard: None,
            warned: Level::Quiet,
            dropped: false,
        };
        Self {
            desk: Desk::new(&config, BootId(clock.boot), key(), script.seed),
            store: Store::new(),
            channels: Channels::default(),
            model: Model::new(homes.lines.len()),
            calls: script.plans.iter().enumerate().map(call).collect(),
            watched: vec![BTreeSet::new(); homes.lines.len()],
            posted: Posted::default(),
            deaths: VecDeque::new(),
            rng: fastrand::Rng::with_seed(!script.seed),
            touched: 0,
            trace: None,
            runs: 0,
            clock,
            homes,
            config,
        }
    }

    /// Runs a script to its end, and lets everything come to rest.
    pub fn run(&mut self, steps: &[Step]) -> Kept {
        self.start()?;
        for (index, step) in steps.iter().enumerate() {
            self.note(|_| format!("-- {index}: {step:?}"));
            self.step(*step).map_err(|broken| format!("step {index}, {step:?}: {broken}"))?;
            self.check(index).map_err(|broken| format!("after {index}, {step:?}: {broken}"))?;
        }
        self.drain().map_err(|broken| format!("at rest: {broken}"))
    }

    fn step(&mut self, step: Step) -> Kept {
        match step {
            Step::Wait(ms) => self.wait(ms),
            Step::Suspend(ms) => {
                self.clock.truth += ms;
                self.wait(0)
            }
            Step::Wall(by) => self.set_wall(self.clock.offset + by),
            Step::Right => self.set_wall(0),
            Step::Begin { call, asks } => self.begin(call, asks),
            Step::Say { call, level, stage } => self.say(call, level, stage),
            Step::Word(call) => self.word(call),
            Step::End(call) => self.end(call),
            Step::Ask { line, direction, other, with_key } => {
                self.ask(line, direction, other, with_key).map(|_| ())
            }
            Step::FarLeg(line) => self.far_leg(line),
            Step::Hand { line, hand, by } => self.hand(line, hand, by),
            Step::NotAScam { call, by } => self.not_a_scam(call, by),
            Step::Reload { line, change } => self.reload(line, change),
            Step::Channel { person, channel, mood } => {
                self.channels.set(Address { person: format!("p{person}"), channel }, mood);
                Ok(())
            }
            Step::Store(works) => {
                self.set_store(works);
                Ok(())
            }
            Step::Crash(crash) => match crash.death {
                Death::AtOnce => self.crash(crash),
                _ => {
                    self.deaths.push_back(crash);
                    Ok(())
                }
            },
        }
    }

    pub fn set_store(&mut self, works: bool) {
        self.store.set(works);
        if works {
            self.model.commit();
        }
    }

    /// Time passes. The edge ticks when the desk asks for it, and a little later.
    pub fn wait(&mut self, ms: u64) -> Kept {
        let end = self.clock.truth + ms;
        let mut stands_still = 0;
        while stands_still < 1000 {
            let truth = self.clock.truth;
            let due = self.desk.next_deadline().map(|now| self.clock.truth_of(now));
            let late = self.rng.u64(..900);
            let tick = due.map(|due| if due > truth { due + late } else { truth });
            let answer = self.channels.next();
            let next = tick.into_iter().chain(answer).min().unwrap_or(u64::MAX).max(truth);
            if next > end {
                self.clock.truth = truth.max(end);
                return Ok(());
            }
            self.clock.truth = next;
            stands_still = if next > truth { 0 } else { stands_still + 1 };
            match self.channels.answer(next) {
                Some(answer) => self.answered(answer)?,
                None => {
                    let actions = self.desk.tick(self.clock.moment());
                    let _either_way = self.perform(Cause::Tick, actions)?;
                }
            }
        }
        Err("time stands still: the desk asks for ticks without end".to_owned())
    }

    fn set_wall(&mut self, offset: i64) -> Kept {
        let before = std::mem::replace(&mut self.clock.offset, offset);
        if before == offset {
            return Ok(());
        }
        let actions = self.desk.tick(self.clock.moment());
        let is_big = (offset - before).abs() > 2 * super::clock::UNSEEN;
        let written = actions.clone();
        let cause = if is_big { Cause::Stepped } else { Cause::Tick };
        match self.perform(cause, actions)? {
            Lived::On if is_big => self.is_written_anew(&written),
            _ => Ok(()),
        }
    }

    /// Commits, then does what is to be done; unless the program dies before the end.
    pub fn perform(&mut self, cause: Cause, actions: Actions) -> Kept<Lived> {
        self.note(|truth| format!("   {truth} {cause:?} -> {actions:?}"));
        self.says_no_number(&actions)?;
        let commits = !actions.records.is_empty();
        let death = self.deaths.front().map(|crash| crash.death);
        if matches!(death, Some(Death::BeforeCommit)) && commits {
            return self.die();
        }
        self.committed(cause, &actions)?;
        self.store.write(&actions.records);
        self.set_store(self.store.works);
        if matches!(death, Some(Death::AfterCommit)) && commits {
            return self.die();
        }
        for (done, effect) in actions.effects.iter().enumerate() {
            if matches!(death, Some(Death::Amid(most)) if most == done) {
                return self.die();
            }
            self.done(cause, effect)?;
        }
        if matches!(death, Some(Death::Amid(_))) && !actions.effects.is_empty() {
            return self.die();
        }
        self.forget_lines();
        Ok(Lived::On)
    }

    fn die(&mut self) -> Kept<Lived> {
        if let Some(crash) = self.deaths.pop_front() {
            self.crash(crash)?;
        }
        Ok(Lived::Died)
    }

    fn crash(&mut self, crash: Crash) -> Kept {
        self.note(|truth| format!("   {truth} the program dies: {crash:?}"));
        self.channels.crash(self.clock.truth);
        self.store.crash();
        self.model.crash();
        self.clock.truth += crash.outage;
        self.clock.start(crash.boot);
        for call in &mut self.calls {
            (call.is_watched, call.heard) = (false, None);
            (call.warned, call.dropped) = (Level::Quiet, false);
        }
        self.watched.iter_mut().for_each(BTreeSet::clear);
        self.start()
    }

    /// The program starts with what the store has.
    fn start(&mut self) -> Kept {
        self.runs += 1;
        let seed = self.rng.u64(..) ^ self.runs;
        self.desk = Desk::new(&self.config, BootId(self.clock.boot), key(), seed);
        let at = self.clock.moment();
        let actions = self.desk.restore(self.store.snapshot(), &self.config, at);
        self.posted.restarted(&self.clock);
        match self.perform(Cause::Restart, actions)? {
            Lived::On => self.consents_are_committed(),
            Lived::Died => Ok(()),
        }
    }

    /// Everything works again, and time passes until nothing is left to do.
    fn drain(&mut self) -> Kept {
        self.deaths.clear();
        self.set_store(true);
        self.channels.all_well(self.clock.truth);
        self.set_wall(0)?;
        for call in 0..self.calls.len() {
            self.end(call)?;
        }
        let hour = 3_600_000;
        for _ in 0..(self.homes.give_up_hours + 26) {
            self.wait(hour)?;
        }
        self.is_at_rest()
    }

    pub fn line_id(&self, line: usize) -> LineId {
        LineId::new(&format!("line-{line}"))
    }

    pub fn note(&mut self, words: impl Fn(u64) -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(words(self.clock.truth));
        }
    }

    /// Does what the desk asks for.
    fn done(&mut self, cause: Cause, effect: &Effect) -> Kept {
        self.may_be_done(cause, effect)?;
        match effect {
            Effect::Deliver(attempt) => self.channels.deliver(attempt, self.clock.truth),
            Effect::Whisper { call, level, .. } => {
                let call = self.calls.iter_mut().find(|it| it.id == *call);
                call.into_iter().for_each(|it| it.warned = it.warned.max(*level));
            }
            Effect::DropFarLeg { call, prompt: Some(_), .. } => {
                let call = self.calls.iter_mut().find(|it| it.id == *call);
                call.into_iter().for_each(|it| it.dropped = true);
            }
            Effect::Forget { call } => {
                if let Some(index) = self.calls.iter().position(|it| it.id == *call) {
                    self.calls[index].is_watched = false;
                    self.watched[self.calls[index].plan.line].remove(call);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A line that is configured no more, and of which nothing is left, is new when it comes back.
    fn forget_lines(&mut self) {
        for line in 0..self.homes.lines.len() {
            let state = self.model.line(line);
            let is_needed = state.hold.is_some() || state.callbacks.is_some();
            let is_used = is_needed || !self.watched[line].is_empty();
            if self.homes.lines[line].is_removed && !is_used && state.disabled.is_some() {
                self.model.line_mut(line).disabled = None;
            }
        }
    }
}

pub fn key() -> TagKey {
    TagKey::new([7; 32])
}

/// Exchanges write numbers into the names of calls.
fn name(index: usize, plan: &Plan) -> String {
    let other = match plan.other {
        Other::Number(other) => number(other, 0),
        Other::Withheld | Other::Emergency(_) => String::new(),
    };
    format!("{IN_EVERY_CALL}/{other}-{index}")
}
