//! One call that is watched: its taps, what is said in it, and its far leg's end.

use super::action::{Action, Settings};
use super::end_call::EndCallKeys;
use super::exchange::Exchange;
use super::names::Names;
use super::parties::Pair;
use super::tap::Tap;
use super::whisper::{Purpose, Whisper};
use crate::call::{CallId, Digit, Leg};
use crate::config;
use crate::time::Now;
use crate::wire::ari::Request;

/// Call rejected (ITU-T Q.850): what the far party is told when it is dropped.
pub const REJECTED: u8 = 21;
/// How long a leg may take to be tapped, and a far leg to go, before it is tried again.
const TRY_AGAIN_MS: u128 = 2_000;
/// How often in a row a leg is tried to be tapped.
const MOST_TRIES: u32 = 4;
/// The variables that the dialplan reads when the far leg is gone.
const PROMPT: &str = "LINECLEAR_PROMPT";
const CONNECT: &str = "LINECLEAR_CONNECT";

/// A call that is watched.
#[derive(Debug)]
pub struct Watched {
    /// Its name.
    pub id: CallId,
    /// Its channels.
    pub pair: Pair,
    taps: Vec<Tapped>,
    whispers: Vec<Whisper>,
    keys: EndCallKeys,
    dropping: Option<Dropping>,
}

#[derive(Debug)]
struct Tapped {
    tap: Tap,
    tries: u32,
}

/// A far leg that was told to go.
#[derive(Debug)]
struct Dropping {
    channel: String,
    since: Now,
    is_repeated: bool,
}

impl Watched {
    /// A call that nobody listens to yet.
    pub const fn new(id: CallId, pair: Pair, keys: EndCallKeys) -> Self {
        Self { id, pair, taps: Vec::new(), whispers: Vec::new(), keys, dropping: None }
    }

    /// Taps the legs that are not tapped yet, and no others.
    pub fn listen(&mut self, settings: &Settings, names: &mut Names, now: Now) -> Vec<Action> {
        let Pair { protected, remote, .. } = &self.pair;
        let legs = match settings.tap {
            config::Tap::Mixed => vec![(Leg::Mixed, protected.clone())],
            config::Tap::Legs => {
                vec![(Leg::Remote, remote.clone()), (Leg::Protected, protected.clone())]
            }
        };
        let mut actions = Vec::new();
        let is_wanted = |tap: &Tap| legs.contains(&(tap.leg, tap.channel.clone()));
        for tapped in self.taps.extract_if(.., |tapped| !is_wanted(&tapped.tap)) {
            end_tap(&tapped.tap, &mut actions);
        }
        for (leg, channel) in legs {
            if self.taps.iter().all(|tapped| tapped.tap.leg != leg) {
                let tap = self.tap(leg, channel, settings, names, now, &mut actions);
                self.taps.push(Tapped { tap, tries: 1 });
            }
        }
        actions
    }

    /// Begins to tap a leg.
    fn tap(
        &self,
        leg: Leg,
        channel: String,
        settings: &Settings,
        names: &mut Names,
        now: Now,
        actions: &mut Vec<Action>,
    ) -> Tap {
        let id = names.token();
        let tap = Tap::new(leg, channel, &names.name(), id, now);
        actions.push(Action::Expect { call: self.id.clone(), leg, id });
        // Each by itself: none needs to wait for the others.
        let begun = tap.begin(&settings.host);
        actions.extend(begun.map(|request| Action::Ask(vec![request])));
        tap
    }

    /// Events may have been missed: what is not up is begun anew.
    pub fn resync(&mut self, exchange: &Exchange) -> Vec<Action> {
        let is_up = |tap: &Tap| tap.channels().iter().all(|id| exchange.channel(id).is_some());
        // What was being said may have been lost.
        self.whispers.iter_mut().for_each(Whisper::fail);
        let lost = self.taps.extract_if(.., |tapped| !is_up(&tapped.tap));
        lost.map(|lost| Action::Close { id: lost.tap.id }).collect()
    }

    /// Whether a channel or bridge of this name is a part of a tap.
    pub fn taps_with(&self, name: &str) -> bool {
        self.taps.iter().any(|tapped| tapped.tap.owns(name))
    }

    /// Whether a channel or bridge of this name was made for it.
    pub fn owns(&self, name: &str) -> bool {
        self.taps_with(name) || self.whispers.iter().any(|whisper| whisper.owns(name))
    }

    /// A channel or bridge that was asked for is there.
    pub fn is_there(&mut self, name: &str, now: Now) -> Vec<Request> {
        let taps = self.taps.iter_mut().filter_map(|tapped| tapped.tap.is_there(name));
        let whispers = self.whispers.iter_mut().filter(|whisper| whisper.owns(name));
        taps.chain(whispers.filter_map(|whisper| whisper.is_there(name, now))).collect()
    }

    /// A part of a tap is not there, or is gone. The tap is begun anew when its time is up: by then
    /// it is known whether the call itself is over.
    pub fn fails(&mut self, part: &str, now: Now) {
        for tapped in self.taps.iter_mut().filter(|tapped| tapped.tap.owns(part)) {
            tapped.tap.fail();
            tapped.tap.since = now;
        }
    }

    /// A channel to whisper with was refused.
    pub fn whisper_fails(&mut self, name: &str) {
        self.whispers.iter_mut().filter(|whisper| whisper.owns(name)).for_each(Whisper::fail);
    }

    /// What was to be played was refused: what waits is next.
    pub fn is_not_played(&mut self, playback: &str) {
        self.whispers.iter_mut().for_each(|whisper| whisper.is_not_played(playback));
    }

    /// Something was played, or could not be.
    pub fn is_played(&mut self, playback: &str, has_failed: bool, now: Now) -> Vec<Action> {
        let is_its = self.whispers.iter().any(|whisper| whisper.is_playing(playback));
        let mut actions = Vec::new();
        if is_its && has_failed {
            actions.push(Action::NotSaid);
        }
        let next = self.whispers.iter_mut().filter_map(|it| it.is_played(playback, now));
        ask(&mut actions, next.collect());
        self.end_whispers(now, &mut actions);
        actions
    }

    /// What has been said needs no channel any more.
    fn end_whispers(&mut self, now: Now, actions: &mut Vec<Action>) {
        let over = self.whispers.extract_if(.., |whisper| whisper.is_over(now));
        ask(actions, over.map(|whisper| whisper.end()).collect());
    }

    /// The protected person hears a warning and nobody else does; a notice is for both.
    pub fn say(
        &mut self,
        purpose: Purpose,
        sound: &str,
        names: &mut Names,
        now: Now,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let to: &[Leg] = match purpose {
            Purpose::Warning(_) => &[Leg::Protected],
            Purpose::Notice => &[Leg::Protected, Leg::Remote],
        };
        for leg in to {
            let is_remote = *leg == Leg::Remote;
            let channel = if is_remote { &self.pair.remote } else { &self.pair.protected };
            let found = self.whispers.iter().position(|it| it.channel == *channel);
            let whisper = found.unwrap_or_else(|| {
                let whisper = Whisper::new(channel.clone(), &names.name(), now);
                actions.push(Action::Ask(vec![whisper.begin()]));
                self.whispers.push(whisper);
                self.whispers.len() - 1
            });
            let request = self.whispers[whisper].say(purpose, sound.to_owned(), now);
            ask(&mut actions, request.into_iter().collect());
        }
        actions
    }

    /// The far leg goes; then the dialplan says the prompt to the person, or connects the number.
    pub fn drop_far(
        &mut self,
        prompt: Option<String>,
        connect: Option<&'static str>,
        exchange: &Exchange,
        now: Now,
    ) -> Action {
        let channel = self.pair.remote.clone();
        let mut requests = Vec::new();
        if let Some(protected) = exchange.channel(&self.pair.protected) {
            let values = [(PROMPT, prompt), (CONNECT, connect.map(str::to_owned))];
            requests.extend(values.into_iter().filter_map(|(name, value)| {
                Some(Request::SetVariable { variable: protected.shared(name), value: value? })
            }));
        }
        requests.push(Request::HangUp { channel: channel.clone(), cause: REJECTED });
        // What is said next must not be said into a warning.
        requests.extend(self.whispers.drain(..).map(|whisper| whisper.end()));
        self.dropping = Some(Dropping { channel, since: now, is_repeated: false });
        Action::Ask(requests)
    }

    /// A key was pressed on a channel.
    pub fn key(&mut self, digit: Digit, channel: &str, now: Now) -> Vec<Action> {
        let leg = match channel {
            channel if *channel == self.pair.protected => Leg::Protected,
            channel if *channel == self.pair.remote => Leg::Remote,
            _ => return Vec::new(),
        };
        let mut actions = vec![Action::Key { call: self.id.clone(), leg, digit }];
        if leg == Leg::Protected && self.keys.push(digit, now) {
            let (line, call) = (self.pair.line.clone(), self.id.clone());
            actions.push(Action::EndCall { line, call });
        }
        actions
    }

    /// Lets time pass: what did not come about is tried again.
    pub fn tick(
        &mut self,
        exchange: &Exchange,
        settings: &Settings,
        names: &mut Names,
        now: Now,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let again = self.whispers.iter_mut().filter_map(|whisper| {
            whisper.begin_again(&names.name(), now).or_else(|| whisper.pass(now))
        });
        ask(&mut actions, again.collect());
        self.end_whispers(now, &mut actions);
        self.drop_again(exchange, now, &mut actions);
        self.tap_again(settings, names, now, &mut actions);
        actions
    }

    fn drop_again(&mut self, exchange: &Exchange, now: Now, actions: &mut Vec<Action>) {
        let is_up = |dropping: &Dropping| exchange.channel(&dropping.channel).is_some();
        self.dropping = self.dropping.take().filter(is_up);
        let Some(dropping) = self.dropping.as_mut().filter(|it| is_late(it.since, now)) else {
            return;
        };
        let again = Request::HangUp { channel: dropping.channel.clone(), cause: REJECTED };
        actions.push(Action::Ask(vec![again]));
        dropping.since = now;
        if std::mem::replace(&mut dropping.is_repeated, true) {
            actions.push(Action::FarLegUp { line: self.pair.line.clone() });
        }
    }

    fn tap_again(
        &mut self,
        settings: &Settings,
        names: &mut Names,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        for number in 0..self.taps.len() {
            let Tapped { tap, tries } = &mut self.taps[number];
            if tap.is_joined() {
                // It worked: if it breaks, that is another story.
                *tries = 1;
                continue;
            }
            if !is_late(tap.since, now) || *tries > MOST_TRIES {
                continue;
            }
            *tries += 1;
            let (leg, channel, tries) = (tap.leg, tap.channel.clone(), *tries);
            end_tap(tap, actions);
            if tries > MOST_TRIES {
                actions.push(Action::NotHeard { leg });
                continue;
            }
            let tap = self.tap(leg, channel, settings, names, now, actions);
            self.taps[number] = Tapped { tap, tries };
        }
    }

    /// It is over: everything that was made for it ends.
    pub fn end(self) -> Vec<Action> {
        let mut actions = vec![Action::End { call: self.id.clone() }];
        actions.append(&mut self.release());
        actions
    }

    /// Everything that was made for it ends; the call itself may go on.
    pub fn release(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        self.taps.iter().for_each(|tapped| end_tap(&tapped.tap, &mut actions));
        ask(&mut actions, self.whispers.iter().map(Whisper::end).collect());
        actions
    }
}

fn is_late(since: Now, now: Now) -> bool {
    (now - since).as_millis() >= TRY_AGAIN_MS
}

/// Ends a tap: its sound first, or Asterisk waits for it.
fn end_tap(tap: &Tap, actions: &mut Vec<Action>) {
    actions.push(Action::Close { id: tap.id });
    actions.push(Action::Ask(tap.end()));
}

/// Asks, if there is anything to ask for.
pub fn ask(actions: &mut Vec<Action>, requests: Vec<Request>) {
    if !requests.is_empty() {
        actions.push(Action::Ask(requests));
    }
}
