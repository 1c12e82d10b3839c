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
use crate::call::LineId;
use crate::time::{Moment, Now};

/// Notifications that may wait; beyond it new ones fail at once, and are shown as failed.
pub const MOST_PENDING: usize = 10_000;
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
    /// as the wall clock can tell.
    pub fn restore(&mut self, records: Vec<NotificationRecord>, at: Moment) {
        for record in records {
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
                Timer::GiveUp(key) => records.extend(self.give_up(&key)),
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
        let pending = self.pending.get_mut(key)?;
        let was_in_flight = std::mem::take(&mut pending.in_flight);
        let address = pending.record.to.clone();
        self.timers.set(Timer::Lost(key.to_owned()), None);
        let channel = self.channels.entry(address.clone()).or_default();
        channel.in_flight -= usize::from(was_in_flight);
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
        record
    }

    /// Nobody is told of a line any more.
    pub fn forget(&mut self, line: &LineId) {
        let of_line = |pending: &&Pending| pending.record.line == *line;
        let keys = self.pending.values().filter(of_line);
        let keys: Vec<_> = keys.map(|pending| pending.record.notice.key.clone()).collect();
        for key in keys {
            let _never_told = self.give_up(&key);
        }
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
            let Some(key) = channel.queue.pop_front() else { break };
            let Some(pending) = self.pending.get_mut(&key) else { continue };
            channel.in_flight += 1;
            pending.in_flight = true;
            pending.record.attempts = pending.record.attempts.saturating_add(1);
            self.timers.set(Timer::Lost(key), Some(now + LONGEST_ATTEMPT));
            let notification = pending.record.clone();
            attempts.push(Attempt { number: notification.attempts, notification });
        }
        attempts
    }

    fn give_up(&mut self, key: &str) -> Option<NotificationRecord> {
        let pending = self.pending.get(key)?;
        let problem = match &pending.record.state {
            Delivery::Pending(Some(problem)) => problem.clone(),
            _ => "it was never tried".to_owned(),
        };
        let address = pending.record.to.clone();
        let in_flight = pending.in_flight;
        if let Some(channel) = self.channels.get_mut(&address) {
            channel.in_flight -= usize::from(in_flight);
            channel.queue.retain(|waiting| waiting != key);
        }
        self.timers.set(Timer::Lost(key.to_owned()), None);
        let record = self.finish(key, Delivery::Failed(format!("given up: {problem}")));
        self.plan(&address);
        record
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
