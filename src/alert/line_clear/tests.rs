use proptest::prelude::*;

use super::*;
use crate::call::LineId;
use crate::config::Config;
use crate::time::Wall;

const NOON: u64 = 1_795_348_800;
const THEIRS: Scammer = Scammer::Number(Tag([1; 16]));

fn policy() -> Policy {
    Config::parse("").expect("defaults").hold
}

fn line() -> LineClear {
    LineClear::new(policy())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn at(second: u64) -> Moment {
    Moment { now: Now(seconds(second)), wall: Wall((NOON + second) * 1000) }
}

fn now(second: u64) -> Now {
    at(second).now
}

fn dial(number: &str) -> Private<String> {
    Private::new(number.to_owned())
}

fn caller(tag: u8) -> Caller {
    Caller { tag: Some(Tag([tag; 16])), is_contact: false }
}

const WITHHELD: Caller = Caller { tag: None, is_contact: false };

fn start(line: &mut LineClear, scammer: Scammer, second: u64) -> Change {
    line.start(Id(u128::from(second)), Some(Id(7)), scammer, None, at(second))
}

fn held(seconds_left: u64) -> Gate {
    Gate::Held { remaining: seconds(seconds_left), can_override: true }
}

#[test]
fn a_hold_lasts_five_minutes() {
    let mut line = line();
    assert_eq!(line.outgoing(None, now(99)), Gate::Pass(Reason::Open));
    assert!(matches!(start(&mut line, THEIRS, 100), Change::Began(_)));
    assert_eq!(line.next_deadline(), Some(now(400)));
    assert_eq!((line.tick(now(399)), line.outgoing(None, now(399))), (None, held(1)));
    assert!(matches!(line.tick(now(400)), Some(Change::Ended(_))));
    assert_eq!((line.tick(now(400)), line.next_deadline()), (None, None));
    assert_eq!(line.outgoing(None, now(400)), Gate::Pass(Reason::Open));
}

#[test]
fn nothing_happens_to_a_line_that_is_not_held() {
    let mut line = line();
    assert_eq!(line.restart(now(1)), None);
    assert_eq!(line.extend(seconds(60), now(1)), None);
    assert_eq!((line.end(), line.tick(now(1))), (None, None));
    assert!(!line.is_scammer(caller(1)) && !line.is_scammer(WITHHELD));
}

#[test]
fn a_new_attempt_starts_the_clock_again_and_another_call_keeps_the_name() {
    let mut line = line();
    let _ = start(&mut line, THEIRS, 0);
    let Some(Change::Held(hold)) = line.restart(now(200)) else { panic!("it is held") };
    assert_eq!((hold.until, hold.restarts), (now(500), 1));
    let Change::Held(hold) = start(&mut line, Scammer::Withheld, 250) else { panic!("it began") };
    assert_eq!((hold.id, hold.until, hold.since), (Id(0), now(550), at(0)));
    assert_eq!((hold.scammer, hold.restarts), (Scammer::Withheld, 2));
}

#[test]
fn no_way_of_starting_again_brings_the_end_forward() {
    let mut line = line();
    let _ = line.start(Id(1), Some(Id(7)), THEIRS, Some(seconds(3000)), at(0));
    let _ = start(&mut line, Scammer::Nobody, 10);
    let hold = line.hold().expect("a hold").clone();
    assert_eq!((hold.until, hold.length), (now(3000), seconds(3000)));
    assert_eq!((hold.scammer, hold.incident), (THEIRS, Some(Id(7))), "a hand does not know better");
    let _ = line.start(Id(2), None, Scammer::Nobody, Some(Duration::ZERO), at(20));
    let _ = line.restart(now(20));
    assert_eq!(line.hold().map(|hold| hold.until), Some(now(3020)), "the whole time again");
    let _ = line.extend(Duration::ZERO, now(30));
    assert_eq!(line.hold().map(|hold| hold.until), Some(now(3020)));
}

#[test]
fn no_hold_is_longer_than_a_day() {
    let mut line = line();
    let _ = line.start(Id(1), None, Scammer::Nobody, Some(Duration::MAX), at(0));
    assert_eq!(line.next_deadline(), Some(now(0) + LONGEST));
    let _ = line.extend(Duration::MAX, now(60));
    assert_eq!(line.next_deadline(), Some(now(60) + LONGEST));
}

#[test]
fn the_key_lets_through_only_where_anyone_may() {
    let mut line = line();
    let _ = start(&mut line, THEIRS, 0);
    assert_eq!(line.outgoing(Some("1"), now(1)), Gate::Pass(Reason::Overridden));
    assert_eq!(line.outgoing(Some("2"), now(1)), held(299));
    assert_eq!(line.outgoing(Some(""), now(1)), held(299));
    line.set_policy(Policy { override_by: OverrideBy::Carers, ..policy() });
    let gate = Gate::Held { remaining: seconds(299), can_override: false };
    assert_eq!(line.outgoing(Some("1"), now(1)), gate);
}

#[test]
fn who_is_turned_away_is_for_the_household_to_say() {
    let contact = Caller { is_contact: true, ..caller(2) };
    let answers = |turn_away, scammer| {
        let mut line = LineClear::new(Policy { turn_away, ..policy() });
        let _ = start(&mut line, scammer, 0);
        [caller(1), caller(2), contact, WITHHELD].map(|caller| {
            match line.incoming(caller, now(1)) {
                Gate::TurnAway { reason, remaining } if remaining == seconds(299) => reason,
                Gate::Pass(reason) => reason,
                other => panic!("{other:?}"),
            }
        })
    };
    use Reason::{NotHeldForThis as Not, Scammer as Them, Unknown};
    assert_eq!(answers(TurnAway::Nobody, THEIRS), [Not; 4]);
    assert_eq!(answers(TurnAway::Scammer, THEIRS), [Them, Not, Not, Not]);
    assert_eq!(answers(TurnAway::Unknown, THEIRS), [Them, Unknown, Not, Unknown]);
    assert_eq!(answers(TurnAway::Scammer, Scammer::Withheld), [Not, Not, Not, Them]);
    assert_eq!(answers(TurnAway::Unknown, Scammer::Nobody), [Unknown, Unknown, Not, Unknown]);
}

#[test]
fn a_known_number_is_turned_away_if_it_is_the_scammers() {
    let mut line = line();
    let _ = start(&mut line, THEIRS, 0);
    let forged = Caller { is_contact: true, ..caller(1) };
    assert!(matches!(line.incoming(forged, now(1)), Gate::TurnAway { .. }));
}

#[test]
fn after_an_emergency_call_everybody_reaches_the_line() {
    let mut line = LineClear::new(Policy { turn_away: TurnAway::Unknown, ..policy() });
    let _ = line.start(Id(1), None, THEIRS, Some(LONGEST), at(0));
    line.note_emergency(now(10));
    for caller in [caller(1), caller(2), WITHHELD] {
        assert_eq!(line.incoming(caller, now(5409)), Gate::Pass(Reason::AfterEmergency));
        assert!(matches!(line.incoming(caller, now(5410)), Gate::TurnAway { .. }));
    }
    assert_eq!(line.outgoing(None, now(11)), held(24 * 3600 - 11), "those who are rung wait");
    assert_eq!(line.next_deadline(), Some(now(5410)));
    assert_eq!((line.tick(now(5410)), line.callbacks_until()), (None, None));
}

#[test]
fn a_shorter_time_for_callbacks_does_not_take_back_a_longer_one() {
    let mut line = line();
    line.note_emergency(now(10));
    line.set_policy(Policy { after_emergency: 1, ..policy() });
    line.note_emergency(now(20));
    assert_eq!(line.callbacks_until(), Some(now(5410)));
}

#[test]
fn another_policy_leaves_what_is_held_alone() {
    let mut line = line();
    let _ = start(&mut line, THEIRS, 0);
    line.set_policy(Policy { line_clear: 10, ..policy() });
    assert_eq!(line.outgoing(None, now(100)), held(200));
    let _ = line.restart(now(100));
    assert_eq!(line.outgoing(None, now(100)), held(300), "as was said when it began");
}

#[test]
fn what_is_committed_is_found_again() {
    let mut line = line();
    let _ = start(&mut line, THEIRS, 100);
    let _ = line.restart(now(150));
    let hold = line.hold().expect("a hold");
    let record = hold.record(&LineId::new("home"), BootId(1), at(160));
    assert_eq!(Hold::restore(&record, BootId(1), at(200)).until, now(450));
    let rebooted = Moment { now: now(9), ..at(200) };
    let restored = Hold::restore(&record, BootId(2), rebooted);
    let left = restored.until - rebooted.now;
    assert!((seconds(250)..seconds(251)).contains(&left), "{left:?}");
    assert_eq!((restored.id, restored.scammer), (Id(100), THEIRS));
    assert_eq!((restored.length, restored.restarts), (seconds(300), 1));
}

#[derive(Debug, Clone)]
enum Happening {
    ScamCallEnded,
    ByHand(u64),
    NewAttempt,
    Extended(u64),
    EmergencyCall,
    LetGo,
    /// With another boot or the same.
    Restart(bool),
    Nothing,
}

fn happenings() -> impl Strategy<Value = Vec<(u64, Happening)>> {
    let happening = prop_oneof![
        Just(Happening::ScamCallEnded),
        (0..900_u64).prop_map(Happening::ByHand),
        Just(Happening::NewAttempt),
        (0..900_u64).prop_map(Happening::Extended),
        Just(Happening::EmergencyCall),
        Just(Happening::LetGo),
        any::<bool>().prop_map(Happening::Restart),
        Just(Happening::Nothing),
    ];
    proptest::collection::vec((0..200_u64, happening), 0..60)
}

/// The moment by which the line must be held until, in true seconds, whatever the boot clock shows.
struct World {
    line: LineClear,
    second: u64,
    boot: u128,
    booted: u64,
    promised: Option<u64>,
}

impl World {
    fn at(&self) -> Moment {
        Moment { now: now(self.second - self.booted), wall: at(self.second).wall }
    }

    fn promise(&mut self, length: u64) {
        self.promised = self.promised.max(Some(self.second + length));
    }

    fn restart(&mut self, is_reboot: bool) {
        let (boot, before) = (BootId(self.boot), self.at());
        let record = self.line.hold().map(|it| it.record(&LineId::new("home"), boot, before));
        if is_reboot {
            (self.boot, self.booted) = (self.boot + 1, self.second);
        }
        let hold = record.map(|it| Hold::restore(&it, BootId(self.boot), self.at()));
        self.line = line();
        self.line.restore(hold, None);
    }

    fn happen(&mut self, happening: &Happening) {
        let at = self.at();
        let length = |hold: Option<&Hold>| hold.map(|it| it.length.as_secs());
        match happening {
            Happening::ScamCallEnded => {
                let _ = self.line.start(Id(1), Some(Id(2)), THEIRS, None, at);
                self.promise(300);
            }
            Happening::ByHand(length) => {
                let length_asked = Some(seconds(*length));
                let _ = self.line.start(Id(1), None, Scammer::Nobody, length_asked, at);
                self.promise(*length);
            }
            Happening::NewAttempt => {
                if let Some(length) = length(self.line.hold()) {
                    let _ = self.line.restart(at.now);
                    self.promise(length);
                }
            }
            Happening::Extended(by) => {
                if self.line.extend(seconds(*by), at.now).is_some() {
                    self.promised = self.promised.map(|until| until + by);
                }
            }
            Happening::EmergencyCall => self.line.note_emergency(at.now),
            Happening::LetGo => {
                let _ = self.line.end();
                self.promised = None;
            }
            Happening::Restart(is_reboot) => self.restart(*is_reboot),
            Happening::Nothing => {}
        }
    }
}

proptest! {
    #[test]
    fn a_hold_never_ends_early_and_emergencies_always_pass(happenings in happenings()) {
        let mut world =
            World { line: line(), second: 1000, boot: 1, booted: 0, promised: None };
        for (pause, happening) in happenings {
            world.second += pause;
            let ended = world.line.tick(world.at().now);
            let is_over = world.promised.is_none_or(|until| world.second >= until);
            prop_assert!(is_over || ended.is_none(), "ended early");
            world.promised = world.promised.filter(|_| !is_over);
            world.happen(&happening);
            for number in ["999", "112", "18000", "141999", "1470112"] {
                prop_assert!(world.line.is_emergency(&dial(number)), "{}", number);
            }
            let left = world.promised.map_or(0, |until| until - world.second);
            let gate = world.line.outgoing(None, world.at().now);
            let is_held =
                matches!(gate, Gate::Held { remaining, .. } if remaining >= seconds(left));
            prop_assert!(left == 0 || is_held, "{:?} with {} s to go", gate, left);
        }
    }
}
