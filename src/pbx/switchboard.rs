//! The calls of protected lines on an exchange: each is tapped, whispered to and cut off from here.
//! Events, orders and moments go in; what to ask Asterisk for, and what to tell, comes out.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Order, Settings};
use super::end_call::EndCallKeys;
use super::exchange::Exchange;
use super::names::{Names, OURS};
use super::parties::Pair;
use super::tap::NORMAL;
use super::watched::{Watched, ask};
use super::whisper::Purpose;
use crate::call::{CallId, Digit, Direction};
use crate::config;
use crate::time::Now;
use crate::wire::ari::{Bridge, Channel, Event, Playback, Request};

/// All calls of an exchange.
#[derive(Debug)]
pub struct Switchboard {
    settings: Settings,
    exchange: Exchange,
    calls: Vec<Watched>,
    /// Channels whose calls nobody listens to: emergency calls, lines that are not screened.
    let_be: BTreeSet<String>,
    /// How many calls each channel has been the far leg of: every call has a name of its own.
    begun: BTreeMap<String, u32>,
    names: Names,
}

impl Switchboard {
    /// An exchange of which nothing is known yet. Names are made of the `secret`.
    pub fn new(settings: Settings, secret: [u8; 32]) -> Self {
        let (exchange, calls, let_be, begun) = Default::default();
        Self { settings, exchange, calls, let_be, begun, names: Names::new(secret) }
    }

    /// Goes on with other settings. Calls of lines that are there no more are over.
    pub fn configure(&mut self, settings: Settings, now: Now) -> Vec<Action> {
        self.settings = settings;
        let pairs = self.settings.lines.pairs(&self.exchange, &self.let_be);
        let is_none = |call: &Watched| !pairs.iter().any(|pair| goes_on(pair, &call.pair));
        let over: Vec<_> = (0..self.calls.len()).filter(|it| is_none(&self.calls[*it])).collect();
        let mut actions: Vec<_> =
            over.into_iter().rev().flat_map(|it| self.calls.remove(it).end()).collect();
        actions.append(&mut self.settle(now));
        actions
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
        self.begun.retain(|id, _| exchange.channel(id).is_some());
        let mut actions: Vec<_> =
            self.calls.iter_mut().flat_map(|call| call.resync(exchange)).collect();
        let left_behind = self.left_behind();
        if !left_behind.is_empty() {
            actions.push(Action::Ask(left_behind));
        }
        actions.append(&mut self.settle(now));
        let (settings, names) = (&self.settings, &mut self.names);
        actions.extend(self.calls.iter_mut().flat_map(|call| call.listen(settings, names, now)));
        actions
    }

    fn left_behind(&self) -> Vec<Request> {
        let is_tap = |name: &str| self.calls.iter().any(|call| call.taps_with(name));
        let is_left = |name: &str| name.starts_with(OURS) && !is_tap(name);
        let channels = self.exchange.channels().filter(|id| is_left(id));
        let hang_up = |id: &String| Request::HangUp { channel: id.clone(), cause: NORMAL };
        let bridges = self.exchange.bridges().filter(|(id, _)| is_left(id));
        let end = |(id, _): (&String, _)| Request::EndBridge { bridge: id.clone() };
        channels.map(hang_up).chain(bridges.map(end)).collect()
    }

    /// The program ends: what was made on the exchange is taken away, and the calls go on.
    pub fn release(&mut self) -> Vec<Action> {
        self.calls.drain(..).flat_map(|call| call.release()).collect()
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
            Event::PlaybackFinished { playback } => self.is_played(playback, now),
            Event::ChannelDtmfReceived { digit, channel } => match digit.0 {
                Some(digit) => self.key(digit, &channel.id, now),
                None => Vec::new(),
            },
            Event::Dial { caller: Some(caller), peer, dialstatus } if dialstatus.is_empty() => {
                self.dials(caller, peer)
            }
            Event::ChannelDestroyed { channel } => {
                self.let_be.remove(&channel.id);
                self.begun.remove(&channel.id);
                self.calls.iter_mut().for_each(|call| call.fails(&channel.id, now));
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
        let (call, names) = (&mut self.calls[place], &mut self.names);
        let sound = |prompt: String| self.settings.sound(&prompt);
        match order {
            Order::Whisper(level, prompt) => {
                call.say(Purpose::Warning(level), &sound(prompt), names, now)
            }
            Order::Notice(prompt) => call.say(Purpose::Notice, &sound(prompt), names, now),
            Order::Drop { prompt, connect } => {
                vec![call.drop_far(prompt.map(sound), connect, &self.exchange, now)]
            }
            Order::LetBe => {
                let channel = call.pair.protected.clone();
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
        let fails: &mut dyn FnMut(&mut Watched) = match request {
            Request::Snoop { new, .. }
            | Request::ExternalMedia { new, .. }
            | Request::MakeBridge { new } => &mut |call| call.fails(new, now),
            Request::Join { bridge, .. } => &mut |call| call.fails(bridge, now),
            Request::Whisper { new, .. } => &mut |call| call.whisper_fails(new),
            Request::Play { new, .. } => &mut |call| call.is_not_played(new),
            _ => return,
        };
        self.calls.iter_mut().for_each(fails);
    }

    /// Lets time pass: what did not come about is tried again.
    pub fn tick(&mut self, now: Now) -> Vec<Action> {
        let Self { calls, exchange, settings, names, .. } = self;
        calls.iter_mut().flat_map(|call| call.tick(exchange, settings, names, now)).collect()
    }

    /// Something of ours is there. If its call was over before, it is ended: it was asked to end
    /// when it was not there yet.
    fn is_there(&mut self, name: &str, end: Request, now: Now) -> Vec<Action> {
        let mut requests = Vec::new();
        if name.starts_with(OURS) && !self.calls.iter().any(|call| call.owns(name)) {
            requests.push(end);
        }
        requests.extend(self.calls.iter_mut().flat_map(|call| call.is_there(name, now)));
        let mut actions = Vec::new();
        ask(&mut actions, requests);
        actions
    }

    fn is_played(&mut self, playback: &Playback, now: Now) -> Vec<Action> {
        let (id, has_failed) = (&playback.id, playback.state == "failed");
        self.calls.iter_mut().flat_map(|call| call.is_played(id, has_failed, now)).collect()
    }

    fn key(&mut self, digit: Digit, channel: &str, now: Now) -> Vec<Action> {
        self.calls.iter_mut().flat_map(|call| call.key(digit, channel, now)).collect()
    }

    /// Somebody dials. If it is an emergency call, nobody listens to it, whoever answers.
    fn dials(&mut self, caller: &Channel, peer: &Channel) -> Vec<Action> {
        let line = self.settings.lines.dials(caller, peer);
        let number = self.exchange.dialled(&caller.id);
        let Some((line, number)) = line.zip(number) else { return Vec::new() };
        if self.settings.is_emergency(&line, &number) {
            self.let_be.insert(caller.id.clone());
        }
        vec![Action::Dials { line, number }]
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
                    actions.append(&mut call.listen(&self.settings, &mut self.names, now));
                }
                None if self.is_over(&self.calls[place]) => {
                    actions.append(&mut self.calls.remove(place).end());
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
        let number = match pair.direction {
            Direction::Incoming => self.exchange.channel(&pair.remote).and_then(Channel::number),
            Direction::Outgoing => self.exchange.dialled(&pair.protected),
        };
        let is_emergency = number.as_ref().is_some_and(|it| {
            pair.direction == Direction::Outgoing && self.settings.is_emergency(&pair.line, it)
        });
        if is_emergency {
            // It was dialled before anybody followed the exchange.
            self.let_be.insert(pair.protected);
            return Vec::new();
        }
        let id = self.new_id(&pair.remote);
        let begin = Action::Begin {
            call: id.clone(),
            line: pair.line.clone(),
            direction: pair.direction,
            number,
            is_mixed: self.settings.tap == config::Tap::Mixed,
        };
        let keys = EndCallKeys::new(self.settings.end_call.clone());
        let mut call = Watched::new(id, pair, keys);
        let mut actions = vec![begin];
        actions.append(&mut call.listen(&self.settings, &mut self.names, now));
        self.calls.push(call);
        actions
    }

    /// The name of a call. The first one of a far leg is known by its channel also after a restart.
    fn new_id(&mut self, remote: &str) -> CallId {
        let count = self.begun.entry(remote.to_owned()).or_default();
        *count += 1;
        if *count == 1 { CallId::new(remote) } else { CallId::new(&format!("{remote}/{count}")) }
    }
}

fn is_same(a: &Pair, b: &Pair) -> bool {
    a.line == b.line && a.protected == b.protected && a.remote == b.remote
}

fn goes_on(new: &Pair, before: &Pair) -> bool {
    let has_one = new.protected == before.protected || new.remote == before.remote;
    new.line == before.line && has_one
}

#[cfg(test)]
mod tests;
