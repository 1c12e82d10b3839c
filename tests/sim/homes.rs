//! The lines and the people of a simulated world, and the configuration that says so.

use std::fmt::Write;

use lineclear::config::Config;
use lineclear::rules::Level;

/// How one line is configured.
#[derive(Debug, Clone)]
pub struct Home {
    pub mode: Mode,
    /// The lowest level that is whispered.
    pub from: Level,
    /// Only carers may let go of a hold.
    pub carers_only: bool,
    pub turn_away: TurnAway,
    pub has_consent: bool,
    /// It is not in the configuration.
    pub is_removed: bool,
    /// It has a telecare number of its own.
    pub has_telecare: bool,
    pub notice: bool,
    /// Seconds for which it is kept clear.
    pub length: u64,
    /// Who is told.
    pub people: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Observe,
    Warn,
    Protect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnAway {
    Nobody,
    Scammer,
    Unknown,
}

/// Somebody who is told.
#[derive(Debug, Clone)]
pub struct Person {
    /// From caution to danger, and of holds.
    pub tell: [bool; 4],
    /// Family, stage, advice.
    pub share: [bool; 3],
    pub channels: usize,
}

#[derive(Debug, Clone)]
pub struct Homes {
    pub lines: Vec<Home>,
    pub people: Vec<Person>,
    pub simulate: bool,
    pub max_calls: usize,
    pub give_up_hours: u64,
}

/// Something in the configuration that somebody changes.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    Mode(Mode),
    From(Level),
    Consent(bool),
    Removed(bool),
    CarersOnly(bool),
    TurnAway(TurnAway),
    Simulate(bool),
    Nothing,
}

/// Numbers below this are contacts of every line.
pub const CONTACTS: usize = 4;
/// All the numbers there are.
pub const NUMBERS: usize = 40;
/// In every number, however it is written.
pub const IN_EVERY_NUMBER: &str = "1632960";
/// In every call's name.
pub const IN_EVERY_CALL: &str = "PJSIP";
pub const EMERGENCIES: [&str; 6] = ["999", "112", "18000", "141999", "1470112", "0800 555 0199"];
pub const TELECARE: &str = "0808 157 0199";
pub const MODES: [Mode; 3] = [Mode::Observe, Mode::Warn, Mode::Protect];
pub const TURN_AWAY: [TurnAway; 3] = [TurnAway::Nobody, TurnAway::Scammer, TurnAway::Unknown];
pub const LEVELS: [Level; 3] = [Level::Caution, Level::Warning, Level::Danger];

/// The same number is not always written the same.
pub fn number(number: usize, style: usize) -> String {
    let prefix = ["01632 960", "+441632960", "0044 (0)1632-960"][style % 3];
    format!("{prefix}{number:03}")
}

impl Homes {
    pub fn new(lines: usize, rng: &mut fastrand::Rng) -> Self {
        let people = (0..3).map(|_| Person {
            tell: std::array::from_fn(|_| rng.u8(..4) > 0),
            share: std::array::from_fn(|_| rng.bool()),
            channels: rng.usize(1..=2),
        });
        let people: Vec<_> = people.collect();
        let home = |rng: &mut fastrand::Rng| Home {
            mode: [Mode::Observe, Mode::Warn, Mode::Warn, Mode::Protect][rng.usize(..4)],
            from: LEVELS[rng.usize(..3)],
            carers_only: rng.bool(),
            turn_away: TURN_AWAY[rng.usize(..3)],
            has_consent: rng.u8(..10) > 0,
            is_removed: rng.u8(..20) == 0,
            has_telecare: rng.bool(),
            notice: rng.bool(),
            length: [60, 300, 300, 900][rng.usize(..4)],
            // One may be named twice.
            people: [0, 1, 2, 2].into_iter().filter(|_| rng.bool()).collect(),
        };
        let lines = (0..lines).map(|_| home(rng)).collect();
        let max_calls = if rng.u8(..8) == 0 { 3 } else { 10_000 };
        let give_up_hours = [1, 24][rng.usize(..2)];
        Self { lines, people, simulate: rng.u8(..12) == 0, max_calls, give_up_hours }
    }

    pub fn apply(&mut self, line: usize, change: Change) {
        let home = &mut self.lines[line];
        match change {
            Change::Mode(mode) => home.mode = mode,
            Change::From(from) => home.from = from,
            Change::Consent(has) => home.has_consent = has,
            Change::Removed(is) => home.is_removed = is,
            Change::CarersOnly(only) => home.carers_only = only,
            Change::TurnAway(whom) => home.turn_away = whom,
            Change::Simulate(simulate) => self.simulate = simulate,
            Change::Nothing => {}
        }
    }

    pub fn is_screened(&self, line: usize) -> bool {
        !self.lines[line].is_removed && self.lines[line].has_consent
    }

    /// The people who are told of something that a line has in its list.
    pub fn told(&self, line: usize, of: usize) -> Vec<(usize, usize)> {
        let home = &self.lines[line];
        let people = home.people.iter().filter(|_| self.is_screened(line));
        let told = people.filter(|person| self.people[**person].tell[of]);
        told.flat_map(|it| (0..self.people[*it].channels).map(|channel| (*it, channel))).collect()
    }

    pub fn config(&self) -> Config {
        let mut text = format!(
            "rules.simulate = {}\nfeed.max-calls = {}\noutbox.give-up = {}\n\
             hold.emergency = [\"999\", \"112\", \"18000\", \"0800 555 0199\"]\n",
            self.simulate, self.max_calls, self.give_up_hours
        );
        if self.lines.iter().all(|home| home.is_removed) {
            text.push_str("lines = []\n");
        }
        for (id, home) in self.lines.iter().enumerate().filter(|(_, home)| !home.is_removed) {
            line(&mut text, id, home).expect("a string takes it");
        }
        for (id, person) in self.people.iter().enumerate() {
            let tell = chosen(["caution", "warning", "danger", "hold"], &person.tell);
            let share = chosen(["family", "stage", "advice"], &person.share);
            let channels = vec!["{ kind = \"webhook\" }"; person.channels].join(", ");
            let ids = format!("[[people]]\nid = \"p{id}\"\nname = \"P\"\n");
            text.push_str(&format!(
                "{ids}tell = [{tell}]\nshare = [{share}]\nchannels = [{channels}]\n"
            ));
        }
        Config::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

fn line(text: &mut String, id: usize, home: &Home) -> std::fmt::Result {
    let people: Vec<_> = home.people.iter().map(|person| format!("\"p{person}\"")).collect();
    let contacts: Vec<_> = (0..CONTACTS).map(|it| format!("\"{}\"", number(it, it))).collect();
    writeln!(text, "[[lines]]\nid = \"line-{id}\"\nname = \"Home {id}\"")?;
    writeln!(text, "people = [{}]\ncontacts = [{}]", people.join(","), contacts.join(","))?;
    if home.has_consent {
        writeln!(text, "consent = {{ by = \"Jean\", on = \"2026-11-22\" }}")?;
    }
    let mode = format!("{:?}", home.mode).to_lowercase();
    let turn_away = format!("{:?}", home.turn_away).to_lowercase();
    writeln!(text, "warn.mode = \"{mode}\"\nwarn.from = \"{}\"", home.from.name())?;
    writeln!(text, "warn.notice = {}\nhold.turn-away = \"{turn_away}\"", home.notice)?;
    let whose = if home.carers_only { "carers" } else { "anyone" };
    writeln!(text, "hold.line-clear = {}\nhold.override = \"{whose}\"", home.length)?;
    if home.has_telecare {
        let numbers = "\"999\", \"112\", \"18000\", \"0800 555 0199\"";
        writeln!(text, "hold.emergency = [{numbers}, \"{TELECARE}\"]")?;
    }
    Ok(())
}

fn chosen<const N: usize>(names: [&str; N], which: &[bool; N]) -> String {
    let names = names.iter().zip(which).filter(|(_, is)| **is);
    names.map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
