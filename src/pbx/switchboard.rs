//! The calls of protected lines on an exchange: each is tapped, whispered to and cut off from here.
//! Events, orders and moments go in; what to ask Asterisk for, and what to tell, comes out.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Order, Settings};
use super::end_call::EndCallKeys;
use super::exchange::Exchange;
use super::names::{Names, OURS, uuid};
use super::parties::Pair;
use super::tap::{NORMAL, Tap};
use super::whisper::Whisper;
use crate::call::{CallId, Digit, Direction, Leg};
use crate::config;
use crate::time::Now;
use crate::wire::ari::{Bridge, Channel, Event, Request};

/// Call rejected (ITU-T Q.850): what the far party is told when it is dropped.
const REJECTED: u8 = 21;
/// How long a leg may take to be tapped, and a far leg to go, before it is tried again.
const TRY_AGAIN_MS: u128 = 2_000;
/// How often a leg is tried to be tapped.
const MOST_TRIES: u32 = 4;
/// The variables that the dialplan reads when the far leg is gone.
const PROMPT: &str = "LINECLEAR_PROMPT";
const CONNECT: &str = "LINECLEAR_CONNECT";

/// A call that is watched.
#[derive(Debug)]
struct Watched {
    id: CallId,
    pair: Pair,
    taps: Vec<Tapped>,
    whispers: Vec<Whisper>,
    keys: EndCallKeys,
    /// When the far leg was last told to go, and whether more than once.
    dropping: Option<(Now, bool)>,
}

#[derive(Debug)]
struct Tapped {
    tap: Tap,
    tries: u32,
}

/// All calls of an exchange.
#[derive(Debug)]
pub struct Switchboard {
    settings: Settings,
    exchange: Exchange,
    calls: Vec<Watched>,
    /// Channels whose calls nobody listens to: emergency calls, lines that are not screened.
    let_be: BTreeSet<String>,
    names: Names,
}

impl Switchboard {
    /// An exchange of which nothing is known yet. Names are made of the `secret`.
    pub fn new(settings: Settings, secret: [u8; 32]) -> Self {
        let (exchange, calls, let_be) = Default::default();
        let names = Names::new(secret);
        Self { settings, exchange, calls, let_be, names }
    }

    /// Goes on with other settings. Calls of lines that are there no more are over.
    pub fn configure(&mut self, settings: Settings, now: Now) -> Vec<Action> {
        self.settings = settings;
        self.settle(now)
    }

    /// Whether any call is watched.
    pub const fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// Starts again with what a list says, since events may have been missed. What an earlier life
    /// of the program left behind is taken away, and calls that are up are listened to again.
    pub fn resync(
        &mut self,
        channels: Vec<Channel>,
        bridges: Vec<Bridge>,
        now: Now,
    ) -> Vec<Action> {
        self.exchange.set(channels, bridges);
        let exchange = &self.exchange;
        self.let_be.retain(|id| exchange.channel(id).is_some());
        let is_up = |tap: &Tap| tap.channels().iter().all(|id| exchange.channel(id).is_some());
        for call in &mut self.calls {
            call.taps.retain(|tapped| is_up(&tapped.tap));
            call.whispers.clear();
        }
        let left_behind = self.left_behind();
        let mut actions = Vec::new();
        if !left_behind.is_empty() {
            actions.push(Action::Ask(left_behind));
        }
        actions.append(&mut self.settle(now));
        for place in 0..self.calls.len() {
            actions.append(&mut self.listen(place, now));
        }
        actions
    }

    fn left_behind(&self) -> Vec<Request> {
        let taps = || self.calls.iter().flat_map(|call| &call.taps);
        let is_left = |name: &str| name.starts_with(OURS) && !taps().any(|it| it.tap.owns(name));
        let channels = self.exchange.channels().filter(|id| is_left(id));
        let hang_up = |id: &String| Request::HangUp { channel: id.clone(), cause: NORMAL };
        let bridges = self.exchange.bridges().filter(|(id, _)| is_left(id));
        let end = |(id, _): (&String, _)| Request::EndBridge { bridge: id.clone() };
        channels.map(hang_up).chain(bridges.map(end)).collect()
    }

    /// Takes in what happened.
    pub fn take(&mut self, event: &Event, now: Now) -> Vec<Action> {
        self.exchange.take(event);
        let mut actions = match event {
            Event::StasisStart { channel } => {
                let end = Request::HangUp { channel: channel.id.clone(), cause: NORMAL };
                self.is_there(&channel.id, end, now)
            }
            Event::BridgeCreated { bridge } => {
                let end = Request::EndBridge { bridge: bridge.id.clone() };
                self.is_there(&bridge.id, end, now)
            }
            Event::PlaybackFinished { playback } => self.is_played(&playback.id, now),
            Event::ChannelDtmfReceived { digit, channel } => match digit.0 {
                Some(digit) => self.key(digit, &channel.id, now),
                None => Vec::new(),
            },
            Event::Dial { caller: Some(caller), dialstatus, .. } if dialstatus.is_empty() => {
                self.dials(caller)
            }
            Event::ChannelDestroyed { channel } => {
                self.let_be.remove(&channel.id);
                self.fails(&channel.id, now);
                Vec::new()
            }
            _ => Vec::new(),
        };
        if matches!(
            event,
            Event::ChannelDestroyed { .. }
                | Event::ChannelEnteredBridge { .. }
                | Event::ChannelLeftBridge { .. }
                | Event::BridgeMerged { .. }
        ) {
            actions.append(&mut self.settle(now));
        }
        actions
    }

    /// Does what the desk wants of a call. A call that is over meanwhile wants nothing.
    pub fn order(&mut self, call: &CallId, order: Order, now: Now) -> Vec<Action> {
        let Some(place) = self.calls.iter().position(|it| it.id == *call) else {
            return Vec::new();
        };
        match order {
            Order::Whisper(prompt) => self.say(place, &[Leg::Protected], &prompt, now),
            Order::Notice(prompt) => self.say(place, &[Leg::Protected, Leg::Remote], &prompt, now),
            Order::Drop { prompt, connect } => self.drop_far(place, prompt, connect, now),
            Order::LetBe => {
                let channel = self.calls[place].pair.protected.clone();
                self.let_be(channel, now)
            }
        }
    }

    /// Nobody listens to what is said over a channel, nor does anything about it.
    pub fn let_be(&mut self, channel: String, now: Now) -> Vec<Action> {
        if self.exchange.channel(&channel).is_some() {
            self.let_be.insert(channel);
        }
        self.settle(now)
    }

    /// Asterisk refused something.
    pub fn refused(&mut self, request: &Request, now: Now) {
        let name = match request {
            Request::Snoop { new, .. }
            | Request::ExternalMedia { new, .. }
            | Request::MakeBridge { new } => new,
            Request::Join { bridge, .. } => bridge,
            _ => return,
        };
        self.fails(name, now);
    }

    /// A part of a tap is not there, or is gone. The tap is begun anew when its time is up: by then
    /// it is known whether the call itself is over.
    fn fails(&mut self, part: &str, now: Now) {
        let taps = self.calls.iter_mut().flat_map(|call| &mut call.taps);
        for tapped in taps.filter(|tapped| tapped.tap.owns(part)) {
            tapped.tap.fail();
            tapped.tap.since = now;
        }
    }

    /// Lets time pass: what did not come about is tried again.
    pub fn tick(&mut self, now: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        let is_due = |since: Now| (now - since).as_millis() >= TRY_AGAIN_MS;
        for place in 0..self.calls.len() {
            let call = &mut self.calls[place];
            let requests = call.whispers.iter_mut().filter_map(|it| it.pass(now)).collect();
            ask(&mut actions, requests);
            if let Some((since, is_repeated)) = call.dropping.filter(|it| is_due(it.0)) {
                let channel = call.pair.remote.clone();
                call.dropping = Some((now, true));
                actions.push(Action::Ask(vec![Request::HangUp { channel, cause: REJECTED }]));
                if is_repeated && since != now {
                    actions.push(Action::FarLegUp { line: call.pair.line.clone() });
                }
            }
            self.end_whispers(place, now, &mut actions);
            self.tap_again(place, now, &mut actions);
        }
        actions
    }

    fn tap_again(&mut self, place: usize, now: Now, actions: &mut Vec<Action>) {
        let call = &mut self.calls[place];
        for number in 0..call.taps.len() {
            let Tapped { tap, tries } = &call.taps[number];
            let is_late = (now - tap.since).as_millis() >= TRY_AGAIN_MS;
            if tap.is_joined() || !is_late || *tries > MOST_TRIES {
                continue;
            }
            actions.push(Action::Ask(tap.end()));
            if *tries == MOST_TRIES {
                actions.push(Action::NotHeard { leg: tap.leg });
                call.taps[number].tries += 1;
                continue;
            }
            let (leg, channel, tries) = (tap.leg, tap.channel.clone(), *tries);
            let begun = tap_leg(&self.settings, &mut self.names, &call.id, leg, channel, now);
            call.taps[number] = Tapped { tap: begun.0, tries: tries + 1 };
            actions.extend(begun.1);
        }
    }

    /// Something of ours is there. If its call was over before, it is ended: it was asked to end
    /// when it was not there yet.
    fn is_there(&mut self, name: &str, end: Request, now: Now) -> Vec<Action> {
        let mut requests = Vec::new();
        let is_owned = |call: &Watched| {
            let taps = call.taps.iter().any(|it| it.tap.owns(name));
            taps || call.whispers.iter().any(|it| it.owns(name))
        };
        if name.starts_with(OURS) && !self.calls.iter().any(is_owned) {
            requests.push(end);
        }
        for call in &mut self.calls {
            requests.extend(call.taps.iter_mut().filter_map(|it| it.tap.is_there(name)));
            let whispers = call.whispers.iter_mut().filter(|it| it.owns(name));
            requests.extend(whispers.filter_map(|it| it.is_there(name, now)));
        }
        let mut actions = Vec::new();
        ask(&mut actions, requests);
        actions
    }

    fn is_played(&mut self, playback: &str, now: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        for place in 0..self.calls.len() {
            let whispers = self.calls[place].whispers.iter_mut();
            ask(&mut actions, whispers.filter_map(|it| it.is_played(playback, now)).collect());
            self.end_whispers(place, now, &mut actions);
        }
        actions
    }

    /// What has been said needs no channel any more.
    fn end_whispers(&mut self, place: usize, now: Now, actions: &mut Vec<Action>) {
        let whispers = &mut self.calls[place].whispers;
        let over = whispers.iter().filter(|it| it.is_over(now)).map(Whisper::end).collect();
        whispers.retain(|it| !it.is_over(now));
        ask(actions, over);
    }

    fn say(&mut self, place: usize, to: &[Leg], prompt: &str, now: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        for leg in to {
            let (call, sound) = (&mut self.calls[place], self.settings.sound(prompt));
            let pair = &call.pair;
            let channel = if *leg == Leg::Remote { &pair.remote } else { &pair.protected };
            let found = call.whispers.iter().position(|it| it.channel == *channel);
            let whisper = found.unwrap_or_else(|| {
                let whisper = Whisper::new(channel.clone(), &self.names.name(), now);
                actions.push(Action::Ask(vec![whisper.begin()]));
                call.whispers.push(whisper);
                call.whispers.len() - 1
            });
            let request = call.whispers[whisper].say(sound, now);
            ask(&mut actions, request.into_iter().collect());
        }
        actions
    }

    fn drop_far(
        &mut self,
        place: usize,
        prompt: Option<String>,
        connect: Option<&'static str>,
        now: Now,
    ) -> Vec<Action> {
        let call = &mut self.calls[place];
        call.dropping = Some((now, false));
        let protected = self.exchange.channel(&call.pair.protected);
        let mut requests = Vec::new();
        if let Some(protected) = protected {
            let prompt = prompt.map(|prompt| self.settings.sound(&prompt));
            let values = [(PROMPT, prompt), (CONNECT, connect.map(str::to_owned))];
            requests.extend(values.into_iter().filter_map(|(name, value)| {
                Some(Request::SetVariable { variable: protected.shared(name), value: value? })
            }));
        }
        requests.push(Request::HangUp { channel: call.pair.remote.clone(), cause: REJECTED });
        // What is said next must not be said into a warning.
        requests.extend(call.whispers.drain(..).map(|whisper| whisper.end()));
        vec![Action::Ask(requests)]
    }

    fn key(&mut self, digit: Digit, channel: &str, now: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        for call in &mut self.calls {
            let leg = match channel {
                channel if *channel == call.pair.protected => Leg::Protected,
                channel if *channel == call.pair.remote => Leg::Remote,
                _ => continue,
            };
            actions.push(Action::Key { call: call.id.clone(), leg, digit });
            if leg == Leg::Protected && call.keys.push(digit, now) {
                actions.push(Action::EndCall { line: call.pair.line.clone() });
            }
        }
        actions
    }

    fn dials(&self, caller: &Channel) -> Vec<Action> {
        let line = self.settings.lines.telephone(caller);
        let number = self.exchange.dialled(&caller.id);
        let told = line.zip(number).map(|(line, number)| {
            let channel = caller.id.clone();
            Action::Dials { line, channel, number }
        });
        told.into_iter().collect()
    }

    /// Finds out which calls there are, and which go on: a call goes on as long as one of its two
    /// channels is in a call of the same line, whoever was transferred.
    fn settle(&mut self, now: Now) -> Vec<Action> {
        let mut pairs = self.settings.lines.pairs(&self.exchange, &self.let_be);
        let mut actions = Vec::new();
        let mut is_settled = BTreeMap::new();
        for (place, call) in self.calls.iter().enumerate() {
            let same = pairs.iter().position(|pair| is_same(pair, &call.pair));
            if let Some(same) = same {
                is_settled.insert(place, pairs.swap_remove(same));
            }
        }
        for (place, call) in self.calls.iter().enumerate() {
            if is_settled.contains_key(&place) {
                continue;
            }
            let going_on = pairs.iter().position(|pair| goes_on(pair, &call.pair));
            if let Some(going_on) = going_on {
                is_settled.insert(place, pairs.swap_remove(going_on));
            }
        }
        for place in (0..self.calls.len()).rev() {
            match is_settled.remove(&place) {
                Some(pair) => {
                    let call = &mut self.calls[place];
                    let direction = call.pair.direction;
                    call.pair = Pair { direction, ..pair };
                    actions.append(&mut self.listen(place, now));
                }
                None if self.is_over(&self.calls[place]) => {
                    actions.append(&mut self.end(place));
                }
                None => {}
            }
        }
        for pair in pairs {
            actions.append(&mut self.begin(pair, now));
        }
        actions
    }

    /// Between two bridges a call is not over: one of its channels must be gone, or let be.
    fn is_over(&self, call: &Watched) -> bool {
        let Pair { protected, remote, line, .. } = &call.pair;
        let is_gone = |id: &String| self.exchange.channel(id).is_none() || self.let_be.contains(id);
        is_gone(protected) || is_gone(remote) || !self.settings.lines.has(line)
    }

    fn begin(&mut self, pair: Pair, now: Now) -> Vec<Action> {
        let id = CallId::new(&pair.remote);
        let number = match pair.direction {
            Direction::Incoming => self.exchange.channel(&pair.remote).and_then(Channel::number),
            Direction::Outgoing => self.exchange.dialled(&pair.protected),
        };
        let begin = Action::Begin {
            call: id.clone(),
            line: pair.line.clone(),
            direction: pair.direction,
            number,
            is_mixed: self.settings.tap == config::Tap::Mixed,
        };
        let (taps, whispers) = (Vec::new(), Vec::new());
        let keys = EndCallKeys::new(self.settings.end_call.clone());
        self.calls.push(Watched { id, pair, taps, whispers, keys, dropping: None });
        let mut actions = vec![begin];
        actions.append(&mut self.listen(self.calls.len() - 1, now));
        actions
    }

    /// Taps the legs of a call that are not tapped yet, and no others.
    fn listen(&mut self, place: usize, now: Now) -> Vec<Action> {
        let call = &mut self.calls[place];
        let Pair { protected, remote, .. } = &call.pair;
        let legs = match self.settings.tap {
            config::Tap::Mixed => vec![(Leg::Mixed, protected.clone())],
            config::Tap::Legs => {
                vec![(Leg::Remote, remote.clone()), (Leg::Protected, protected.clone())]
            }
        };
        let mut actions = Vec::new();
        let is_wanted = |tap: &Tap| legs.contains(&(tap.leg, tap.channel.clone()));
        for tapped in call.taps.extract_if(.., |tapped| !is_wanted(&tapped.tap)) {
            actions.push(Action::Ask(tapped.tap.end()));
        }
        for (leg, channel) in legs {
            if call.taps.iter().all(|tapped| tapped.tap.leg != leg) {
                let begun = tap_leg(&self.settings, &mut self.names, &call.id, leg, channel, now);
                call.taps.push(Tapped { tap: begun.0, tries: 1 });
                actions.extend(begun.1);
            }
        }
        actions
    }

    fn end(&mut self, place: usize) -> Vec<Action> {
        let call = self.calls.remove(place);
        let mut requests: Vec<_> = call.taps.iter().flat_map(|it| it.tap.end()).collect();
        requests.extend(call.whispers.iter().map(Whisper::end));
        vec![Action::End { call: call.id }, Action::Ask(requests)]
    }
}

/// Begins to tap a leg.
fn tap_leg(
    settings: &Settings,
    names: &mut Names,
    call: &CallId,
    leg: Leg,
    channel: String,
    now: Now,
) -> (Tap, Vec<Action>) {
    let tap = Tap::new(leg, channel, &names.name(), now);
    let id = names.token();
    let mut actions = vec![Action::Expect { call: call.clone(), leg, id }];
    // Each by itself: none needs to wait for the others.
    let begun = tap.begin(&settings.host, uuid(id));
    actions.extend(begun.map(|request| Action::Ask(vec![request])));
    (tap, actions)
}

fn is_same(a: &Pair, b: &Pair) -> bool {
    a.line == b.line && a.protected == b.protected && a.remote == b.remote
}

fn goes_on(new: &Pair, before: &Pair) -> bool {
    let has_one = new.protected == before.protected || new.remote == before.remote;
    new.line == before.line && has_one
}

fn ask(actions: &mut Vec<Action>, requests: Vec<Request>) {
    if !requests.is_empty() {
        actions.push(Action::Ask(requests));
    }
}

#[cfg(test)]
mod tests;
