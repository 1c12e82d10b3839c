//! Notifications on their way: posted once, tried until somebody takes them or their time is over.
//!
//! Each channel has a queue of its own, so that one that is dead or slow costs the others nothing.
//! After a failure the whole channel waits, longer each time; what failed goes to the end of its
//! queue, so that one bad notification does not stop those behind it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::deadline::waited;
use super::record::{Address, Delivery, NotificationRecord};
use super::timers::Timers;
use crate::time::{Moment, Now};

/// Notifications that may wait; beyond it new ones fail at once, and are shown as failed.
pub const MOST_PENDING: usize = 10_000;
/// How many attempts are under way at a time, on all channels together. The edge makes as many at
/// once, so that none spends its time waiting for its turn.
pub const MOST_ATTEMPTS: usize = 256;
/// How many one channel is given at a time.
const MOST_IN_FLIGHT: usize = 4;
/// The first wait after a failure. It doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// An attempt of which nothing was heard for so long has failed.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(60);

/// Something for the edge to deliver.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What, and to whom.
    pub notification: NotificationRecord,
    /// Its number, from 1.
    pub number: u32,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Delivered,
    /// It may be taken later.
    Later(String),
    /// It never will be.
    Never(String),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The channel may be tried.
    Try(Address),
    /// A notification's time is over.
    GiveUp(String),
    /// An attempt has lasted too long.
    Lost(String),
}

#[derive(Debug)]
struct Pending {
    record: NotificationRecord,
    in_flight: bool,
}

#[derive(Debug, Default)]
struct Channel {
    /// Keys of those that wait.
    queue: VecDeque<String>,
    in_flight: usize,
    failures: u32,
    /// It is not tried before.
    rests_until: Now,
}

/// All notifications that nobody has taken yet.
#[derive(Debug)]
pub struct Outbox {
    give_up: Duration,
    rng: fastrand::Rng,
    pending: BTreeMap<String, Pending>,
    channels: BTreeMap<Address, Channel>,
    /// Attempts under way on all channels.
    in_flight: usize,
    /// Channels that found no room for an attempt, the first first.
    no_room: VecDeque<Address>,
    timers: Timers<Timer>,
}

impl Outbox {
    /// An empty one. `seed` spreads the waits, so that many machines do not knock at once.
    pub fn new(give_up: Duration, seed: u64) -> Self {
        Self {
            give_up,
            rng: fastrand::Rng::with_seed(seed),
            pending: BTreeMap::new(),
            channels: BTreeMap::new(),
            in_flight: 0,
            no_room: VecDeque::new(),
            timers: Timers::default(),
        }
    }

    /// For how long is tried from now on.
    pub const fn set_give_up(&mut self, give_up: Duration) {
        self.give_up = give_up;
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Those that wait, by key.
    pub fn pending(&self) -> impl Iterator<Item = &NotificationRecord> {
        self.pending.values().map(|pending| &pending.record)
    }

    /// Takes in a notification; what is to be committed comes back. The same key is posted once.
    #[must_use]
    pub fn post(
        &mut self,
        mut record: NotificationRecord,
        at: Moment,
    ) -> Option<NotificationRecord> {
        if self.pending.contains_key(&record.notice.key) {
            return None;
        }
        if self.pending.len() >= MOST_PENDING {
            record.state = Delivery::Failed(format!("{MOST_PENDING} others wait already"));
            return Some(record);
        }
        self.queue(record.clone(), self.give_up, at.now);
        Some(record)
    }

    /// Takes over what was committed before a restart. Time that passed meanwhile counts, as far
    /// as the wall clock can tell. What waits already, and may be on its way, is left alone.
    pub fn restore(&mut self, records: Vec<NotificationRecord>, at: Moment) {
        for record in records {
            let key = &record.notice.key;
            if self.pending.contains_key(key) {
                continue;
            }
            let waited = waited(record.posted, at.wall);
            self.queue(record, self.give_up.saturating_sub(waited), at.now);
        }
    }

    /// What is to be delivered now, and what was given up.
    #[must_use]
    pub fn tick(&mut self, at: Moment) -> (Vec<Attempt>, Vec<NotificationRecord>) {
        let (mut attempts, mut records) = (Vec::<Attempt>::new(), Vec::new());
        while let Some(timer) = self.timers.pop_due(at.now) {
            match timer {
                Timer::Try(address) => attempts.extend(self.start(&address, at.now)),
                Timer::GiveUp(key) => records.extend(self.give_up(&key, at.now)),
                Timer::Lost(key) => {
                    let lost = Outcome::Later("the attempt did not end".to_owned());
                    records.extend(self.ended(&key, lost, at));
                }
            }
        }
        // What was given up is not delivered any more.
        attempts.retain(|it| self.pending.contains_key(&it.notification.notice.key));
        (attempts, records)
    }

    /// When [`tick`](Self::tick) has something to do next.
    pub fn next_deadline(&self) -> Option<Now> {
        self.timers.next()
    }

    /// An attempt ended; what is to be committed comes back. An answer that comes after the
    /// notification was given up changes nothing.
    #[must_use]
    pub fn ended(&mut self, key: &str, outcome: Outcome, at: Moment) -> Option<NotificationRecord> {
        let address = self.pending.get(key)?.record.to.clone();
        let was_in_flight = self.land(key, &address);
        let pending = self.pending.get_mut(key)?;
        let channel = self.channels.entry(address.clone()).or_default();
        let record = match outcome {
            Outcome::Delivered => {
                channel.failures = 0;
                channel.rests_until = at.now;
                self.finish(key, Delivery::Delivered(at.wall))
            }
            Outcome::Never(problem) => self.finish(key, Delivery::Failed(problem)),
            Outcome::Later(problem) => {
                channel.failures = channel.failures.saturating_add(1);
                channel.rests_until = at.now + wait(channel.failures, &mut self.rng);
                if was_in_flight {
                    channel.queue.push_back(key.to_owned());
                }
                pending.record.state = Delivery::Pending(Some(problem));
                Some(pending.record.clone())
            }
        };
        self.plan(&address);
        self.make_room(at.now);
        record
    }

    /// Whatever may not be told any more waits no longer; what is to be committed comes back.
    #[must_use]
    pub fn withdraw(
        &mut self,
        may_tell: impl Fn(&NotificationRecord) -> bool,
        why: &str,
        at: Moment,
    ) -> Vec<NotificationRecord> {
        let withdrawn = self.pending().filter(|record| !may_tell(record));
        let keys: Vec<_> = withdrawn.map(|record| record.notice.key.clone()).collect();
        let failed = Delivery::Failed(why.to_owned());
        keys.iter().filter_map(|key| self.leave(key, failed.clone(), at.now)).collect()
    }

    fn queue(&mut self, record: NotificationRecord, give_up: Duration, now: Now) {
        let (key, address) = (record.notice.key.clone(), record.to.clone());
        self.timers.set(Timer::GiveUp(key.clone()), Some(now + give_up));
        let channel = self.channels.entry(address.clone()).or_default();
        channel.queue.push_back(key.clone());
        self.pending.insert(key, Pending { record, in_flight: false });
        self.plan(&address);
    }

    /// Starts as many attempts as the channel is given at a time.
    fn start(&mut self, address: &Address, now: Now) -> Vec<Attempt> {
        let Some(channel) = self.channels.get_mut(address) else { return Vec::new() };
        let mut attempts = Vec::new();
        // A channel that failed is given one: if that is taken, the others follow.
        let most = if channel.failures > 0 { 1 } else { MOST_IN_FLIGHT };
        while channel.in_flight < most {
            if self.in_flight >= MOST_ATTEMPTS {
                if !channel.queue.is_empty() && !self.no_room.contains(address) {
                    self.no_room.push_back(address.clone());
                }
                break;
            }
            let Some(key) = channel.queue.pop_front() else { break };
            let Some(pending) = self.pending.get_mut(&key) else { continue };
            channel.in_flight += 1;
            self.in_flight += 1;
            pending.in_flight = true;
            pending.record.attempts = pending.record.attempts.saturating_add(1);
            self.timers.set(Timer::Lost(key), Some(now + LONGEST_ATTEMPT));
            let notification = pending.record.clone();
            attempts.push(Attempt { number: notification.attempts, notification });
        }
        attempts
    }

    fn give_up(&mut self, key: &str, now: Now) -> Option<NotificationRecord> {
        let problem = match &self.pending.get(key)?.record.state {
            Delivery::Pending(Some(problem)) => problem.clone(),
            _ => "it was never tried".to_owned(),
        };
        self.leave(key, Delivery::Failed(format!("given up: {problem}")), now)
    }

    /// Takes one out of its queue, or calls it back, before anybody took it.
    fn leave(&mut self, key: &str, state: Delivery, now: Now) -> Option<NotificationRecord> {
        let address = self.pending.get(key)?.record.to.clone();
        self.land(key, &address);
        if let Some(channel) = self.channels.get_mut(&address) {
            channel.queue.retain(|waiting| waiting != key);
        }
        let record = self.finish(key, state);
        self.plan(&address);
        self.make_room(now);
        record
    }

    /// It is on its way no more, if it was.
    fn land(&mut self, key: &str, address: &Address) -> bool {
        self.timers.set(Timer::Lost(key.to_owned()), None);
        let pending = self.pending.get_mut(key);
        let was_in_flight = pending.is_some_and(|it| std::mem::take(&mut it.in_flight));
        if was_in_flight {
            self.in_flight -= 1;
            if let Some(channel) = self.channels.get_mut(address) {
                channel.in_flight -= 1;
            }
        }
        was_in_flight
    }

    /// There may be room for an attempt again: the channel that has waited longest for it goes on.
    /// One that rests meanwhile has a timer of its own.
    fn make_room(&mut self, now: Now) {
        while self.in_flight < MOST_ATTEMPTS
            && let Some(address) = self.no_room.pop_front()
        {
            self.plan(&address);
            let channel = self.channels.get(&address);
            if channel.is_some_and(|it| !it.queue.is_empty() && it.rests_until <= now) {
                break;
            }
        }
    }

    fn finish(&mut self, key: &str, state: Delivery) -> Option<NotificationRecord> {
        self.timers.set(Timer::GiveUp(key.to_owned()), None);
        let pending = self.pending.remove(key)?;
        Some(NotificationRecord { state, ..pending.record })
    }

    /// Sets the channel's timer, or forgets a channel that has nothing to do.
    fn plan(&mut self, address: &Address) {
        let Some(channel) = self.channels.get(address) else { return };
        let has_room = channel.in_flight < MOST_IN_FLIGHT;
        let next = (has_room && !channel.queue.is_empty()).then_some(channel.rests_until);
        self.timers.set(Timer::Try(address.clone()), next);
        if channel.queue.is_empty() && channel.in_flight == 0 && channel.failures == 0 {
            self.channels.remove(address);
        }
    }
}

/// The wait after so many failures in a row: it doubles, and each is a random part of it longer or
/// shorter ("equal jitter").
fn wait(failures: u32, rng: &mut fastrand::Rng) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(LONGEST_WAIT).mul_f64(0.5 + rng.f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::LineId;
    use crate::time::Wall;
    use crate::wire::notice::{Notice, NoticeKind};

    fn notification(key: &str, person: &str) -> NotificationRecord {
        let notice = Notice {
            key: key.to_owned(),
            kind: NoticeKind::Level,
            line: "home".to_owned(),
            line_name: "Home".to_owned(),
            at: String::new(),
            level: None,
            incident: None,
            family: None,
            stage: None,
            held_until: None,
            advice: None,
        };
        NotificationRecord {
            to: Address { person: person.to_owned(), channel: 0 },
            notice,
            line: LineId::new("home"),
            posted: at(0).wall,
            attempts: 0,
            state: Delivery::Pending(None),
        }
    }

    fn at(seconds: u64) -> Moment {
        let span = Duration::from_secs(seconds);
        Moment { now: Now(span), wall: Wall(1_800_000_000_000) + span }
    }

    fn outbox() -> Outbox {
        Outbox::new(Duration::from_secs(3600), 1)
    }

    fn keys(attempts: &[Attempt]) -> Vec<&str> {
        attempts.iter().map(|attempt| attempt.notification.notice.key.as_str()).collect()
    }

    #[test]
    fn what_is_posted_is_delivered_once() {
        let mut outbox = outbox();
        assert!(outbox.post(notification("a", "anna"), at(0)).is_some());
        assert!(outbox.post(notification("a", "anna"), at(0)).is_none(), "the same key");
        let (attempts, _) = outbox.tick(at(0));
        assert_eq!(keys(&attempts), ["a"]);
        assert!(outbox.tick(at(1)).0.is_empty(), "it is on its way");
        let record = outbox.ended("a", Outcome::Delivered, at(2)).expect("a record");
        assert_eq!(record.state, Delivery::Delivered(at(2).wall));
        assert!(outbox.is_empty() && outbox.next_deadline().is_none());
        assert!(outbox.ended("a", Outcome::Delivered, at(3)).is_none());
    }

    #[test]
    fn a_channel_that_fails_is_tried_again_later_and_later() {
        let mut outbox = outbox();
        let _ = outbox.post(notification("a", "anna"), at(0));
        let mut waits = Vec::new();
        let mut now = at(0);
        for _ in 0..12 {
            let (attempts, given_up) = outbox.tick(now);
            assert_eq!((attempts.len(), given_up.len()), (1, 0));
            let _ = outbox.ended("a", Outcome::Later("500".to_owned()), now);
            let next = outbox.next_deadline().expect("a wait");
            waits.push((next - now.now).as_secs_f64());
            now = at(now.now.0.as_secs() + (next - now.now).as_secs() + 1);
        }
        assert!((0.5..=1.5).contains(&waits[0]), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= 450.0) && waits[11] >= 150.0, "{waits:?}");
    }

    #[test]
    fn what_nobody_takes_is_given_up_and_says_why() {
        let mut outbox = outbox();
        let _ = outbox.post(notification("a", "anna"), at(0));
        let _ = outbox.tick(at(0));
        let _ = outbox.ended("a", Outcome::Later("no route".to_owned()), at(1));
        let given_up = (2..4000).flat_map(|second| {
            let (attempts, given_up) = outbox.tick(at(second));
            for attempt in &attempts {
                let key = &attempt.notification.notice.key;
                let _ = outbox.ended(key, Outcome::Later("no route".to_owned()), at(second));
            }
            given_up
        });
        let given_up: Vec<_> = given_up.collect();
        assert_eq!(given_up.len(), 1);
        assert_eq!(given_up[0].state, Delivery::Failed("given up: no route".to_owned()));
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_dead_channel_does_not_hold_up_another_nor_a_bad_notification_its_own() {
        let mut outbox = outbox();
        for (key, person) in [("a", "anna"), ("b", "ben"), ("bad", "ben"), ("c", "ben")] {
            let _ = outbox.post(notification(key, person), at(0));
        }
        let (attempts, _) = outbox.tick(at(0));
        assert_eq!(keys(&attempts), ["a", "b", "bad", "c"]);
        let _ = outbox.ended("bad", Outcome::Later("500".to_owned()), at(0));
        let _ = outbox.ended("b", Outcome::Delivered, at(0));
        assert!(outbox.ended("c", Outcome::Never("410".to_owned()), at(0)).is_some());
        assert_eq!(outbox.len(), 2, "anna hangs, and the bad one waits");
    }

    #[test]
    fn an_attempt_that_never_ends_is_made_again() {
        let mut outbox = outbox();
        let _ = outbox.post(notification("a", "anna"), at(0));
        assert_eq!(outbox.tick(at(0)).0.len(), 1);
        let _ = outbox.tick(at(60));
        let (attempts, _) = outbox.tick(at(70));
        assert_eq!((attempts.len(), attempts[0].number), (1, 2));
    }

    #[test]
    fn a_restart_goes_on_with_what_is_left_of_the_time() {
        let mut outbox = outbox();
        outbox.restore(vec![notification("a", "anna")], at(3000));
        assert_eq!(keys(&outbox.tick(at(3000)).0), ["a"]);
        let _ = outbox.ended("a", Outcome::Later("down".to_owned()), at(3001));
        let (_, given_up) = outbox.tick(at(3600));
        assert_eq!(given_up.len(), 1);
    }

    #[test]
    fn what_is_on_its_way_is_not_restored_over() {
        let mut outbox = outbox();
        let posted = outbox.post(notification("a", "anna"), at(0)).expect("posted");
        assert_eq!(outbox.tick(at(0)).0.len(), 1);
        outbox.restore(vec![posted], at(1));
        assert!(outbox.tick(at(1)).0.is_empty(), "it is not started twice");
        let _ = outbox.ended("a", Outcome::Delivered, at(2));
        let all = ["b", "c", "d", "e", "f"].map(|key| notification(key, "anna"));
        all.into_iter().for_each(|note| drop(outbox.post(note, at(3))));
        assert_eq!(outbox.tick(at(3)).0.len(), MOST_IN_FLIGHT, "all the room is there again");
    }

    #[test]
    fn no_attempt_is_started_that_would_have_to_wait_and_the_first_come_first() {
        let mut outbox = outbox();
        let people = MOST_ATTEMPTS / MOST_IN_FLIGHT + 2;
        for number in 0..people * MOST_IN_FLIGHT {
            let (key, person) = (format!("{number}"), format!("p{:03}", number % people));
            let _ = outbox.post(notification(&key, &person), at(0));
        }
        let attempts = outbox.tick(at(0)).0;
        assert_eq!(attempts.len(), MOST_ATTEMPTS);
        let freed = attempts[0].notification.notice.key.clone();
        assert!(outbox.tick(at(1)).0.is_empty(), "there is no room");
        let _ = outbox.ended(&freed, Outcome::Delivered, at(2));
        let next = outbox.tick(at(2)).0;
        let whose: Vec<_> = next.iter().map(|it| it.notification.to.person.clone()).collect();
        assert_eq!(whose, [format!("p{:03}", people - 2)], "who waited, and not who had one");
        let mut started = MOST_ATTEMPTS + 1;
        let mut ends: Vec<_> = attempts.into_iter().skip(1).chain(next).collect();
        while let Some(attempt) = ends.pop() {
            let key = attempt.notification.notice.key;
            let _ = outbox.ended(&key, Outcome::Delivered, at(3));
            let more = outbox.tick(at(3)).0;
            started += more.len();
            ends.extend(more);
        }
        assert_eq!((started, outbox.len()), (people * MOST_IN_FLIGHT, 0));
        assert_eq!((outbox.in_flight, outbox.no_room.len()), (0, 0));
    }

    #[test]
    fn what_is_withdrawn_is_not_delivered_and_says_why() {
        let mut outbox = outbox();
        for key in ["a", "b", "c"] {
            let _ = outbox.post(notification(key, "anna"), at(0));
        }
        assert_eq!(outbox.tick(at(0)).0.len(), 3);
        let _ = outbox.ended("a", Outcome::Later("down".to_owned()), at(1));
        let gone = outbox.withdraw(|it| it.notice.key == "c", "withdrawn", at(2));
        let states: Vec<_> = gone.iter().map(|it| it.state.clone()).collect();
        assert_eq!(states, vec![Delivery::Failed("withdrawn".to_owned()); 2]);
        assert!(outbox.tick(at(100)).0.iter().all(|it| it.notification.notice.key == "c"));
        assert!(outbox.ended("b", Outcome::Delivered, at(101)).is_none());
    }

    #[test]
    fn what_is_given_up_is_not_delivered_in_the_same_breath() {
        let mut outbox = outbox();
        outbox.restore(vec![notification("a", "anna")], at(3600));
        let (attempts, given_up) = outbox.tick(at(3600));
        assert_eq!((attempts.len(), given_up.len(), outbox.next_deadline()), (0, 1, None));
    }

    #[test]
    fn what_was_posted_before_the_clock_was_set_is_tried_after_a_restart() {
        let mut outbox = outbox();
        let posted = NotificationRecord { posted: Wall(9000), ..notification("a", "anna") };
        outbox.restore(vec![posted], at(0));
        assert_eq!(keys(&outbox.tick(at(0)).0), ["a"]);
    }

    #[test]
    fn beyond_the_limit_they_fail_and_are_shown() {
        let mut outbox = outbox();
        for number in 0..MOST_PENDING {
            let _ = outbox.post(notification(&number.to_string(), "anna"), at(0));
        }
        let record = outbox.post(notification("more", "anna"), at(0)).expect("a record");
        assert!(matches!(record.state, Delivery::Failed(_)));
        assert_eq!(outbox.len(), MOST_PENDING);
    }
}
