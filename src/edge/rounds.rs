//! The desk's own loop: what happens goes through the pure desk; what it decides is committed, then
//! done. If the disk takes longer than [`PATIENCE`], things are done from memory: a warning must
//! not wait for a disk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::clock;
use super::desk::{Kept, Request, Requests, Summary};
use super::health::{Count, Health, Part};
use super::keeper::{Keeper, News, Task};
use super::perform::Performer;
use crate::alert::desk::{Actions, Answer, Desk, Effect, Question, Refusal};
use crate::config::Config;
use crate::time::{Moment, Now};

/// How long a decision waits for the disk.
pub const PATIENCE: Duration = Duration::from_millis(250);
/// How often the desk looks at the clocks when nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// A decision that waits for the disk.
struct Waiting {
    batch: u64,
    since: Now,
    effects: Vec<Effect>,
    answers: Vec<oneshot::Sender<Result<Kept, Refusal>>>,
}

/// The desk and all that it needs to act.
pub struct Loop {
    desk: Desk,
    config: Arc<Config>,
    keeper: Keeper,
    performer: Performer,
    health: Arc<Health>,
    waiting: VecDeque<Waiting>,
    next_batch: u64,
}

impl Loop {
    /// A loop that goes on from what `desk` restored; `actions` is what follows from that.
    pub fn new(
        desk: Desk,
        config: Arc<Config>,
        keeper: Keeper,
        performer: Performer,
        health: Arc<Health>,
    ) -> Self {
        let waiting = VecDeque::new();
        Self { desk, config, keeper, performer, health, waiting, next_batch: 0 }
    }

    /// Runs until it is stopped. `alive` is called in every round, at least once a second.
    pub async fn run(
        mut self,
        first: Actions,
        mut requests: Requests,
        mut news: mpsc::UnboundedReceiver<News>,
        mut alive: impl FnMut(&Desk),
    ) {
        self.commit(first, None);
        let mut ending: Option<Now> = None;
        let mut is_drained = false;
        loop {
            let at = clock::moment();
            let tick = self.desk.tick(at);
            self.commit(tick, None);
            self.lose_patience(at.now);
            alive(&self.desk);
            let is_late = ending.is_some_and(|latest| at.now >= latest);
            if is_late || (is_drained && self.waiting.is_empty()) {
                break;
            }
            tokio::select! {
                biased;
                Some(news) = news.recv() => self.take_news(news),
                Some(request) = requests.urgent.recv() => self.take(request),
                request = requests.usual.recv(), if !is_drained => match request {
                    Some(Request::Stop) => {
                        requests.usual.close();
                        requests.urgent.close();
                        ending = Some(at.now + 2 * PATIENCE);
                    }
                    Some(request) => self.take(request),
                    None => is_drained = true,
                },
                () = clock::sleep_until(self.next_round(at.now)) => {}
            }
        }
    }

    fn next_round(&self, now: Now) -> Now {
        let patience = self.waiting.front().map(|waiting| waiting.since + PATIENCE);
        let next = self.desk.next_deadline().into_iter().chain(patience).min();
        next.map_or(now + HEARTBEAT, |next| next.min(now + HEARTBEAT))
    }

    fn take(&mut self, request: Request) {
        let at = clock::moment();
        match request {
            Request::Start(new, answer) => {
                let started = self.desk.start_call(&new, at);
                let started = started.map(|(started, actions)| {
                    self.commit(actions, None);
                    started
                });
                if started.is_err() {
                    self.health.count(Count::CallsRefused, 1);
                }
                // Whoever asked may have gone.
                let _ = answer.send(started);
            }
            Request::Event(event, answer) => match self.desk.handle(event, at) {
                Ok(actions) => self.commit(actions, answer),
                Err(refusal) => {
                    let _ = answer.map(|answer| answer.send(Err(refusal)));
                }
            },
            Request::Gate(question, answer) => self.gate(&question, answer, at),
            Request::Lines(answer) => {
                let lines = self.desk.lines(at.now);
                let (calls, waiting) = (self.desk.calls(), self.desk.waiting());
                let _ = answer.send(Summary { lines, calls, waiting });
            }
            Request::Configure(config) => {
                let actions = self.desk.configure(&config, at);
                self.config = config;
                self.commit(actions, None);
            }
            Request::Erase(line, answer) => {
                let actions = self.desk.erase(&line, at);
                self.commit(actions, None);
                let _ = answer.send(());
            }
            Request::Rewrite => self.rewrite(at),
            Request::Stop => {}
        }
    }

    fn rewrite(&mut self, at: Moment) {
        let records = self.desk.records(at);
        self.commit(Actions { records, effects: Vec::new() }, None);
    }

    /// The answer and the dropping of legs wait for nothing: an emergency call must not.
    fn gate(&mut self, question: &Question, answer: oneshot::Sender<Answer>, at: Moment) {
        let (told, mut actions) = self.desk.gate(question, at);
        let _ = answer.send(told);
        let effects = std::mem::take(&mut actions.effects);
        let (now, later): (Vec<_>, Vec<_>) =
            effects.into_iter().partition(|effect| matches!(effect, Effect::DropFarLeg { .. }));
        self.performer.perform(now);
        self.commit(Actions { effects: later, ..actions }, None);
    }

    /// Hands the records to the keeper; the effects follow when they are on the disk.
    fn commit(&mut self, actions: Actions, answer: Option<oneshot::Sender<Result<Kept, Refusal>>>) {
        let Actions { records, effects } = actions;
        if records.is_empty() {
            return self.after_what_waits(effects, answer);
        }
        self.next_batch += 1;
        let batch = self.next_batch;
        let (since, answers) = (clock::now(), answer.into_iter().collect());
        self.waiting.push_back(Waiting { batch, since, effects, answers });
        if let Err(task) = self.keeper.give(Task::Commit { batch, records }) {
            let Task::Commit { records, .. } = task else { return };
            let message = "the disk is too slow: changes are held in memory only";
            self.health.fails(Part::Store, message, clock::wall());
            self.health.count(Count::Lost, records.len() as u64);
            self.done(batch, Kept::InMemory);
        }
    }

    /// What needs no commit keeps its place behind what does.
    fn after_what_waits(
        &mut self,
        effects: Vec<Effect>,
        answer: Option<oneshot::Sender<Result<Kept, Refusal>>>,
    ) {
        match self.waiting.back_mut() {
            Some(last) => {
                last.effects.extend(effects);
                last.answers.extend(answer);
            }
            None => {
                self.performer.perform(effects);
                let _ = answer.map(|answer| answer.send(Ok(Kept::OnDisk)));
            }
        }
    }

    fn take_news(&mut self, news: News) {
        let at = clock::moment();
        match news {
            News::Kept(batch) => self.done(batch, Kept::OnDisk),
            News::NotKept(batch) => self.done(batch, Kept::InMemory),
            News::Opened(snapshot) => {
                let config = Arc::clone(&self.config);
                let actions = self.desk.restore(*snapshot, &config, at);
                self.commit(actions, None);
            }
            News::Renewed => self.rewrite(at),
        }
    }

    /// Everything up to `batch` is done.
    fn done(&mut self, batch: u64, kept: Kept) {
        while self.waiting.front().is_some_and(|waiting| waiting.batch <= batch) {
            let Some(waiting) = self.waiting.pop_front() else { return };
            self.performer.perform(waiting.effects);
            for answer in waiting.answers {
                let _ = answer.send(Ok(kept));
            }
        }
    }

    fn lose_patience(&mut self, now: Now) {
        let is_late = |waiting: &&Waiting| now >= waiting.since + PATIENCE;
        let late = self.waiting.iter().take_while(is_late).last().map(|waiting| waiting.batch);
        if let Some(batch) = late {
            let message = "the disk is slow: warnings and holds go on from memory";
            self.health.fails(Part::Store, message, clock::wall());
            self.done(batch, Kept::InMemory);
        }
    }
}
