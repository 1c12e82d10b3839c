//! What only one party hears: a channel that is played to, and what is still to be said.

use super::tap::NORMAL;
use crate::rules::Level;
use crate::time::Now;
use crate::wire::ari::Request;

/// No prompt is as long: if Asterisk has not said by then that it is over, it is taken to be.
const LONGEST_MS: u128 = 30_000;
/// How often a channel is asked for, and how long is waited between.
const MOST_TRIES: u32 = 3;
const TRY_AGAIN_MS: u128 = 1_000;

/// What a prompt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// That the line is screened: it is heard to its end.
    Notice,
    /// Of a scam, at this level. One that is worse is said in its place at once.
    Warning(Level),
}

/// What is played.
#[derive(Debug, Clone)]
struct Playing {
    name: String,
    sound: String,
    purpose: Purpose,
    since: Now,
}

/// What one party of a call is told.
#[derive(Debug, Clone)]
pub struct Whisper {
    /// The channel of whoever hears it.
    pub channel: String,
    name: String,
    tries: u32,
    has_failed: bool,
    is_up: bool,
    /// What is to be said, the notice first.
    notice: Option<String>,
    warning: Option<(Level, String)>,
    playing: Option<Playing>,
    since: Now,
    count: u32,
}

impl Whisper {
    /// For whoever is at the end of a channel, with names that begin with `name`.
    pub fn new(channel: String, name: &str, now: Now) -> Self {
        Self {
            channel,
            name: format!("{name}-whisper"),
            tries: 1,
            has_failed: false,
            is_up: false,
            notice: None,
            warning: None,
            playing: None,
            since: now,
            count: 0,
        }
    }

    /// The channel is asked for.
    pub fn begin(&self) -> Request {
        Request::Whisper { channel: self.channel.clone(), new: self.name.clone() }
    }

    /// Something is to be said.
    pub fn say(&mut self, purpose: Purpose, sound: String, now: Now) -> Option<Request> {
        match purpose {
            Purpose::Notice => self.notice = Some(sound),
            Purpose::Warning(level) => {
                // What is being said just now is not begun again.
                let is_said = self.playing.as_ref().is_some_and(|it| it.sound == sound);
                let is_milder = self.warning.as_ref().is_some_and(|(worse, _)| *worse > level);
                if is_said || is_milder {
                    return None;
                }
                self.warning = Some((level, sound));
            }
        }
        self.give_way().or_else(|| self.next(now))
    }

    /// What is being said is stopped for a worse warning. It is asked again until it is over: a
    /// request may come before the one that begins it.
    fn give_way(&self) -> Option<Request> {
        let (level, _) = self.warning.as_ref()?;
        let playing = self.playing.as_ref()?;
        let is_milder = matches!(playing.purpose, Purpose::Warning(milder) if milder < *level);
        is_milder.then(|| Request::StopPlaying { playback: playing.name.clone() })
    }

    /// A channel is there.
    pub fn is_there(&mut self, name: &str, now: Now) -> Option<Request> {
        self.is_up |= name == self.name;
        self.next(now)
    }

    /// Its channel was refused.
    pub const fn fail(&mut self) {
        self.has_failed = true;
    }

    /// What is to be asked for again, under another name: the channel was refused, or is gone.
    pub fn begin_again(&mut self, name: &str, now: Now) -> Option<Request> {
        let is_due = self.has_failed && (now - self.since).as_millis() >= TRY_AGAIN_MS;
        if !is_due || self.tries >= MOST_TRIES {
            return None;
        }
        let (notice, warning) = (self.notice.take(), self.warning.take());
        if notice.is_none() && warning.is_none() {
            return None;
        }
        let tries = self.tries + 1;
        *self = Self { tries, notice, warning, ..Self::new(self.channel.clone(), name, now) };
        Some(self.begin())
    }

    /// Something has been played.
    pub fn is_played(&mut self, playback: &str, now: Now) -> Option<Request> {
        self.is_not_played(playback);
        self.next(now)
    }

    /// Whether this is what is played.
    pub fn is_playing(&self, playback: &str) -> bool {
        self.playing.as_ref().is_some_and(|it| it.name == playback)
    }

    /// What was to be played was refused: what waits is next.
    pub fn is_not_played(&mut self, playback: &str) {
        self.playing = self.playing.take().filter(|it| it.name != playback);
    }

    /// Time passes: a prompt that takes too long is over.
    pub fn pass(&mut self, now: Now) -> Option<Request> {
        if self.playing.as_ref().is_some_and(|it| (now - it.since).as_millis() > LONGEST_MS) {
            self.playing = None;
        }
        self.give_way().or_else(|| self.next(now))
    }

    /// Whether nothing is left to be said, or nobody is there who could hear it.
    pub fn is_over(&self, now: Now) -> bool {
        let is_said = self.notice.is_none() && self.warning.is_none() && self.playing.is_none();
        let is_lost = self.has_failed && self.tries >= MOST_TRIES;
        is_said || is_lost || (!self.is_up && (now - self.since).as_millis() > LONGEST_MS)
    }

    /// Whether a channel of this name is its own.
    pub fn owns(&self, name: &str) -> bool {
        self.name == name
    }

    /// It is not needed any more.
    pub fn end(&self) -> Request {
        Request::HangUp { channel: self.name.clone(), cause: NORMAL }
    }

    fn next(&mut self, now: Now) -> Option<Request> {
        if !self.is_up || self.playing.is_some() {
            return None;
        }
        let (purpose, sound) = match self.notice.take() {
            Some(notice) => (Purpose::Notice, notice),
            None => self.warning.take().map(|(level, it)| (Purpose::Warning(level), it))?,
        };
        self.count += 1;
        let new = format!("{}-{}", self.name, self.count);
        self.playing =
            Some(Playing { name: new.clone(), sound: sound.clone(), purpose, since: now });
        Some(Request::Play { channel: self.name.clone(), new, sound })
    }
}
