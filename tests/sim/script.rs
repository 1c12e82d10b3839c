//! What happens in a simulated world, made up from a seed before anything runs: so that steps can
//! be left out when a failure is made smaller.

use lineclear::call::Direction;
use lineclear::rules::Level;

use super::channels::Mood;
use super::clock::Boot;
use super::homes::{CONTACTS, Change, Homes, LEVELS, MODES, NUMBERS, TURN_AWAY};

/// The other end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    Number(usize),
    Withheld,
    Emergency(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Person,
    Carer,
}

/// A call that is going to be made.
#[derive(Debug, Clone)]
pub struct Plan {
    pub line: usize,
    pub direction: Direction,
    pub other: Other,
}

/// What people do with a line. Times are in seconds.
#[derive(Debug, Clone, Copy)]
pub enum Hand {
    Start(Option<u64>),
    Extend(u64),
    End,
    Disable(u64),
    Enable,
}

/// When the program dies.
#[derive(Debug, Clone, Copy)]
pub enum Death {
    AtOnce,
    /// When something is to be committed, and before it is.
    BeforeCommit,
    /// After something was committed, and before anything is done.
    AfterCommit,
    /// After so many of the things that are to be done.
    Amid(usize),
}

#[derive(Debug, Clone, Copy)]
pub struct Crash {
    pub death: Death,
    /// Milliseconds until the program runs again.
    pub outage: u64,
    pub boot: Boot,
}

/// One thing that happens. Calls and lines are named by their number. Times are in milliseconds.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Wait(u64),
    /// The machine sleeps; its boot clock counts.
    Suspend(u64),
    /// The wall clock is set by so much.
    Wall(i64),
    /// The wall clock is set right.
    Right,
    /// A call begins; the exchange asks first, or its source announces it without asking.
    Begin {
        call: usize,
        asks: bool,
    },
    /// Something was said, and the rules make this of it.
    Say {
        call: usize,
        level: Level,
        stage: usize,
    },
    /// Something was said that changes nothing.
    Word(usize),
    End(usize),
    Ask {
        line: usize,
        direction: Direction,
        other: Other,
        with_key: bool,
    },
    FarLeg(usize),
    Hand {
        line: usize,
        hand: Hand,
        by: By,
    },
    NotAScam {
        call: usize,
        by: By,
    },
    Reload {
        line: usize,
        change: Change,
    },
    Channel {
        person: usize,
        channel: usize,
        mood: Mood,
    },
    /// The disk works, or does not.
    Store(bool),
    Crash(Crash),
}

/// A world and what happens in it.
#[derive(Debug, Clone)]
pub struct Script {
    pub seed: u64,
    pub homes: Homes,
    pub plans: Vec<Plan>,
    pub steps: Vec<Step>,
}

/// A call of a script that is being written.
struct Writing {
    call: usize,
    is_scam: bool,
}

struct Writer {
    rng: fastrand::Rng,
    lines: usize,
    plans: Vec<Plan>,
    steps: Vec<Step>,
    up: Vec<Writing>,
}

impl Script {
    /// So many calls on so many lines.
    pub fn new(seed: u64, lines: usize, calls: usize) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let homes = Homes::new(lines, &mut rng);
        let mut writer = Writer { rng, lines, plans: vec![], steps: vec![], up: vec![] };
        while writer.plans.len() < calls || !writer.up.is_empty() {
            writer.write(calls);
        }
        Self { seed, homes, plans: writer.plans, steps: writer.steps }
    }
}

impl Writer {
    fn write(&mut self, calls: usize) {
        match self.rng.u8(..100) {
            0..16 if self.plans.len() < calls => self.begin(),
            0..58 => self.talk(),
            58..66 => self.end(),
            66..80 => {
                let wait = self.wait();
                self.steps.push(Step::Wait(wait));
            }
            80..85 => self.ask(),
            85..91 => self.hand(),
            91..97 => self.trouble(),
            _ => self.crash(),
        }
    }

    fn begin(&mut self) {
        let call = self.plans.len();
        let is_scam = self.rng.u8(..5) < 2;
        let direction =
            if self.rng.u8(..4) == 0 { Direction::Outgoing } else { Direction::Incoming };
        let (line, other) = (self.rng.usize(..self.lines), self.other(direction));
        self.plans.push(Plan { line, direction, other });
        let asks = self.rng.u8(..3) > 0;
        self.steps.push(Step::Begin { call, asks });
        if self.rng.u8(..10) == 0 {
            self.steps.push(Step::Begin { call, asks: false });
        }
        self.up.push(Writing { call, is_scam });
    }

    fn other(&mut self, direction: Direction) -> Other {
        match self.rng.u8(..8) {
            0 if direction == Direction::Outgoing => Other::Emergency(self.rng.usize(..6)),
            0 | 1 => Other::Withheld,
            2 => Other::Number(self.rng.usize(..CONTACTS)),
            // Few numbers, so that they ring again.
            _ => Other::Number(self.rng.usize(CONTACTS..NUMBERS)),
        }
    }

    fn talk(&mut self) {
        if self.up.is_empty() {
            return;
        }
        let which = self.rng.usize(..self.up.len());
        let Writing { call, is_scam } = self.up[which];
        if self.rng.u8(..4) == 0 {
            return self.steps.push(Step::Word(call));
        }
        let levels = match is_scam {
            true => [Level::Quiet, Level::Caution, Level::Warning, Level::Danger],
            false => [Level::Quiet, Level::Quiet, Level::Quiet, Level::Caution],
        };
        let (level, stage) = (levels[self.rng.usize(..4)], self.rng.usize(..7));
        self.steps.push(Step::Say { call, level, stage });
        if self.rng.u8(..20) == 0 {
            let by = self.by();
            self.steps.push(Step::NotAScam { call, by });
        }
        if self.rng.bool() {
            let wait = self.rng.u64(..20_000);
            self.steps.push(Step::Wait(wait));
        }
    }

    /// Some end twice, and some are heard of again after their end.
    fn end(&mut self) {
        if self.up.is_empty() {
            return;
        }
        let which = self.rng.usize(..self.up.len());
        let call = self.up.swap_remove(which).call;
        self.steps.push(Step::End(call));
        match self.rng.u8(..12) {
            0 => self.steps.push(Step::End(call)),
            1 => self.steps.push(Step::Say { call, level: Level::Danger, stage: 1 }),
            2 => {
                let by = self.by();
                self.steps.push(Step::NotAScam { call, by });
            }
            3..6 => {
                let line = self.plans[call].line;
                self.steps.push(Step::FarLeg(line));
            }
            6..8 => self.rings_again(call),
            _ => {}
        }
    }

    /// Whoever rang, rings again soon.
    fn rings_again(&mut self, call: usize) {
        let Plan { line, other, .. } = self.plans[call];
        let wait = self.rng.u64(..200_000);
        self.steps.push(Step::Wait(wait));
        let direction = Direction::Incoming;
        self.steps.push(Step::Ask { line, direction, other, with_key: false });
    }

    fn ask(&mut self) {
        let line = self.rng.usize(..self.lines);
        let direction = if self.rng.bool() { Direction::Outgoing } else { Direction::Incoming };
        let other = self.other(direction);
        let with_key = self.rng.u8(..4) == 0;
        self.steps.push(Step::Ask { line, direction, other, with_key });
    }

    fn hand(&mut self) {
        let (line, by) = (self.rng.usize(..self.lines), self.by());
        let seconds = self.rng.u64(..1200);
        let hand = match self.rng.u8(..12) {
            0..3 => Hand::Start(self.rng.bool().then_some(seconds)),
            3..6 => Hand::Extend(seconds),
            6..8 => Hand::End,
            8..11 => Hand::Disable(seconds),
            _ => Hand::Enable,
        };
        self.steps.push(Step::Hand { line, hand, by });
    }

    fn trouble(&mut self) {
        let line = self.rng.usize(..self.lines);
        let step = match self.rng.u8(..16) {
            0..3 => Step::Reload { line, change: self.change() },
            3..9 => {
                let (person, channel) = (self.rng.usize(..3), self.rng.usize(..2));
                Step::Channel { person, channel, mood: self.mood() }
            }
            9 | 10 => Step::Store(false),
            11..13 => Step::Store(true),
            13 => Step::Suspend(self.rng.u64(..900_000)),
            14 => {
                let most = [400, 5_000, 3_600_000][self.rng.usize(..3)];
                Step::Wall(if self.rng.bool() { most } else { -most })
            }
            _ => Step::Right,
        };
        self.steps.push(step);
    }

    fn crash(&mut self) {
        let death = match self.rng.u8(..4) {
            0 => Death::AtOnce,
            1 => Death::BeforeCommit,
            2 => Death::AfterCommit,
            _ => Death::Amid(self.rng.usize(..4)),
        };
        let boot = match self.rng.u8(..8) {
            0..3 => Boot::Same,
            3..6 => Boot::Right,
            6 => Boot::Epoch,
            _ => Boot::Saved(self.rng.u64(..7_200_000)),
        };
        let outage = [5_000, 20_000, 120_000, 1_000_000][self.rng.usize(..4)];
        let outage = self.rng.u64(5_000..=outage);
        self.steps.push(Step::Crash(Crash { death, outage, boot }));
    }

    fn change(&mut self) -> Change {
        match self.rng.u8(..10) {
            0 => Change::Mode(MODES[self.rng.usize(..3)]),
            1 => Change::From(LEVELS[self.rng.usize(..3)]),
            2 => Change::Consent(false),
            3 => Change::Consent(true),
            4 => Change::Removed(true),
            5 | 6 => Change::Removed(false),
            7 => Change::CarersOnly(self.rng.bool()),
            8 => Change::TurnAway(TURN_AWAY[self.rng.usize(..3)]),
            _ if self.rng.u8(..8) == 0 => Change::Simulate(self.rng.bool()),
            _ => Change::Nothing,
        }
    }

    fn mood(&mut self) -> Mood {
        match self.rng.u8(..10) {
            0..4 => Mood::Well,
            4 => Mood::Slow(self.rng.u64(1_000..90_000)),
            5 | 6 => Mood::Dead,
            7 => Mood::Silent,
            8 => Mood::TakesAndFails,
            _ => Mood::Refuses,
        }
    }

    fn wait(&mut self) -> u64 {
        match self.rng.u8(..20) {
            0..10 => self.rng.u64(..5_000),
            10..16 => self.rng.u64(..60_000),
            16..19 => self.rng.u64(..400_000),
            _ => self.rng.u64(..7_200_000),
        }
    }

    fn by(&mut self) -> By {
        if self.rng.bool() { By::Person } else { By::Carer }
    }
}
