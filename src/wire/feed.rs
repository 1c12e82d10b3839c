//! The feed: what a source of live calls writes, one JSON line each, and what it is told in return.
//! `docs/feed.md` describes both.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::features::{self, FeatureError, Frame};
use super::transcript::{self, LegName, LineError, MAX_LINE, MAX_NAME, SignalName};
use crate::call::{CallId, Digit, Direction, Leg, LineId, Signal, Sound, Utterance};
use crate::private::Private;
use crate::time::CallTime;

/// A line of the feed, read.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A call begins.
    Start(Start),
    /// Words. A call that nobody announced begins with them.
    Utterance {
        /// The call; none where the connection carries one.
        call: Option<CallId>,
        /// The line, for a call that nobody announced.
        line: Option<LineId>,
        /// What was said.
        utterance: Utterance,
    },
    /// Something that is not a word.
    Signal {
        /// The call; none where the connection carries one.
        call: Option<CallId>,
        /// The line, for a call that nobody announced.
        line: Option<LineId>,
        /// What.
        signal: Signal,
    },
    /// A key was pressed.
    Key {
        /// The call; none where the connection carries one.
        call: Option<CallId>,
        /// The line, for a call that nobody announced.
        line: Option<LineId>,
        /// On whose telephone.
        leg: Leg,
        /// When.
        at: CallTime,
        /// Which.
        digit: Digit,
    },
    /// The features of a frame of one leg.
    Features {
        /// The call; none where the connection carries one.
        call: Option<CallId>,
        /// The line, for a call that nobody announced.
        line: Option<LineId>,
        /// The frame.
        frame: Box<Frame>,
    },
    /// What follows on this connection are the features of a call, as bytes.
    FeatureStream {
        /// The call.
        call: Option<CallId>,
        /// The line, for a call that nobody announced.
        line: Option<LineId>,
    },
    /// A call ended.
    End {
        /// The call; none where the connection carries one.
        call: Option<CallId>,
    },
    /// The far leg of the last call on a held line is still up.
    FarLegUp {
        /// The line.
        line: LineId,
    },
}

/// A call begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The call; none where the connection carries one.
    pub call: Option<CallId>,
    /// The line; none where there is only one.
    pub line: Option<LineId>,
    /// Who dialled.
    pub direction: Direction,
    /// The other party's number.
    pub number: Option<Private<String>>,
}

/// A line that is not an utterance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum FeedLine {
    /// A call begins.
    Start {
        /// Tells calls apart where one stream carries several.
        #[serde(default)]
        call: Option<String>,
        /// The protected line; may be left out where only one is configured.
        #[serde(default)]
        line: Option<String>,
        /// Who dialled.
        #[serde(default)]
        direction: DirectionName,
        /// The other party's number; left out if it is withheld.
        #[serde(default)]
        #[schemars(with = "Option<String>")]
        number: Option<Private<String>>,
    },
    /// Something that is not a word.
    Signal {
        /// Which call.
        #[serde(default)]
        call: Option<String>,
        /// Which line, of a call that nobody announced.
        #[serde(default)]
        line: Option<String>,
        /// Where it was heard.
        leg: LegName,
        /// When, in milliseconds from the start of the call.
        at_ms: u64,
        /// What.
        kind: SignalName,
    },
    /// A key was pressed (RFC 4733). Which is never told or kept: only what a number or a code it
    /// was part of.
    Key {
        /// Which call.
        #[serde(default)]
        call: Option<String>,
        /// Which line, of a call that nobody announced.
        #[serde(default)]
        line: Option<String>,
        /// On whose telephone.
        leg: LegName,
        /// When, in milliseconds from the start of the call.
        at_ms: u64,
        /// The sign on the key: `0` to `9`, `A` to `D`, `*` or `#`.
        #[schemars(with = "String")]
        key: Private<String>,
    },
    /// What follows on this connection are the features of a call, as bytes.
    Features {
        /// Which call.
        #[serde(default)]
        call: Option<String>,
        /// Which line, of a call that nobody announced.
        #[serde(default)]
        line: Option<String>,
    },
    /// A call ended.
    End {
        /// Which call.
        #[serde(default)]
        call: Option<String>,
    },
    /// The far leg of the last call on a held line is still up.
    FarLegUp {
        /// The line.
        line: String,
    },
}

/// Who dialled.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DirectionName {
    /// The other party.
    #[default]
    Incoming,
    /// The protected person.
    Outgoing,
}

impl From<DirectionName> for Direction {
    fn from(name: DirectionName) -> Self {
        match name {
            DirectionName::Incoming => Self::Incoming,
            DirectionName::Outgoing => Self::Outgoing,
        }
    }
}

/// What every line may have beside the words.
#[derive(Deserialize)]
struct Head {
    event: Option<serde_json::Value>,
    line: Option<String>,
    call: Option<String>,
    mel: Option<serde::de::IgnoredAny>,
    /// Of the first line of features.
    format: Option<serde::de::IgnoredAny>,
}

/// Why a line is not understood. Messages never repeat what was said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Not an utterance.
    #[error(transparent)]
    Line(#[from] LineError),
    /// Not one of the events.
    #[error(
        "{0}: \"event\" is start, signal, key, features, end or far-leg-up, with the keys that \
         docs/feed.md lists"
    )]
    Event(String),
    /// A key that no telephone has.
    #[error("\"key\" is none of 0 to 9, A to D, * and #")]
    Key,
    /// Not the features of a frame.
    #[error(transparent)]
    Features(#[from] FeatureError),
}

/// Reads one line; `None` for a blank line or a comment (`#`).
///
/// # Errors
/// On a line that is not understood.
pub fn parse(bytes: &[u8]) -> Result<Option<Message>, FeedError> {
    let json = bytes.trim_ascii_start();
    if bytes.len() <= MAX_LINE && json.starts_with(b"{") {
        let head: Result<Head, _> = serde_json::from_slice(bytes);
        match head {
            Ok(Head { event: Some(_), .. }) => return event(bytes).map(Some),
            Ok(Head { mel: Some(_), call, line, .. }) => {
                return features(bytes, call, line).map(Some);
            }
            Ok(Head { format: Some(_), .. }) => return features_begin(bytes),
            Ok(Head { line: Some(line), .. }) => return words(bytes, Some(&line)),
            _ => {}
        }
    }
    words(bytes, None)
}

fn words(bytes: &[u8], line: Option<&str>) -> Result<Option<Message>, FeedError> {
    let read = transcript::parse(bytes, &mut CallTime::START.clone())?;
    let line = line.map(name).transpose()?.map(LineId::new);
    Ok(read.map(|read| {
        let call = read.call.as_deref().map(CallId::new);
        match read.sound {
            Sound::Speech(utterance) => Message::Utterance { call, line, utterance },
            Sound::Signal(signal) => Message::Signal { call, line, signal },
        }
    }))
}

/// The first line of features says which they are.
fn features_begin(bytes: &[u8]) -> Result<Option<Message>, FeedError> {
    features::check_header_json(std::str::from_utf8(bytes).unwrap_or_default())?;
    Ok(None)
}

fn features(
    bytes: &[u8],
    call: Option<String>,
    line: Option<String>,
) -> Result<Message, FeedError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| LineError::NotUtf8(error.valid_up_to() + 1))?;
    let frame = Box::new(Frame::from_json(text)?);
    let call = call.as_deref().map(name).transpose()?.map(CallId::new);
    let line = line.as_deref().map(name).transpose()?.map(LineId::new);
    Ok(Message::Features { call, line, frame })
}

fn event(bytes: &[u8]) -> Result<Message, FeedError> {
    let read: FeedLine = serde_json::from_slice(bytes)
        .map_err(|error| FeedError::Event(transcript::json_problem(&error)))?;
    let call = |name_of: Option<String>| {
        name_of.as_deref().map(name).transpose().map(|it| it.map(CallId::new))
    };
    let line_of = |name_of: Option<String>| {
        name_of.as_deref().map(name).transpose().map(|it| it.map(LineId::new))
    };
    Ok(match read {
        FeedLine::Start { call: of, line, direction, number } => {
            let (line, call, direction) = (line_of(line)?, call(of)?, direction.into());
            Message::Start(Start { call, line, direction, number })
        }
        FeedLine::Signal { call: of, line, leg, at_ms, kind } => {
            let signal = Signal { leg: leg.into(), at: CallTime(at_ms), kind: kind.into() };
            Message::Signal { call: call(of)?, line: line_of(line)?, signal }
        }
        FeedLine::Key { call: of, line, leg, at_ms, key } => {
            let mut signs = key.reveal().chars();
            let digit = signs.next().and_then(Digit::from_char).filter(|_| signs.next().is_none());
            let (digit, leg) = (digit.ok_or(FeedError::Key)?, leg.into());
            let (call, line) = (call(of)?, line_of(line)?);
            Message::Key { call, line, leg, at: CallTime(at_ms), digit }
        }
        FeedLine::Features { call: of, line } => {
            Message::FeatureStream { call: call(of)?, line: line_of(line)? }
        }
        FeedLine::End { call: of } => Message::End { call: call(of)? },
        FeedLine::FarLegUp { line } => Message::FarLegUp { line: LineId::new(name(&line)?) },
    })
}

fn name(name: &str) -> Result<&str, LineError> {
    if name.len() > MAX_NAME { Err(LineError::Name) } else { Ok(name) }
}

/// What the source of a call is told, one JSON line each.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Told {
    /// The call is watched.
    Started {
        /// The call.
        call: String,
        /// What is known of the other party: `unknown`, `known-contact` or `outgoing`.
        origin: &'static str,
    },
    /// The level changed.
    Level {
        /// The call.
        call: String,
        /// The moment in the call.
        at_ms: u64,
        /// `quiet`, `caution`, `warning` or `danger`.
        level: &'static str,
        /// Decibans.
        score: f64,
        /// The furthest stage.
        #[serde(skip_serializing_if = "Option::is_none")]
        stage: Option<&'static str>,
    },
    /// Whisper this to the protected leg, and to no one else.
    Whisper {
        /// The call.
        call: String,
        /// `caution`, `warning` or `danger`.
        level: &'static str,
        /// The prompt's name.
        prompt: String,
    },
    /// Play this to both legs.
    Notice {
        /// The call.
        call: String,
        /// The prompt's name.
        prompt: String,
    },
    /// End the far leg, then play this to the protected one.
    DropFarLeg {
        /// The call.
        call: String,
        /// The prompt's name; none before an emergency call.
        #[serde(skip_serializing_if = "Option::is_none")]
        prompt: Option<String>,
        /// The number to connect the protected leg with afterwards, on a fresh leg.
        #[serde(skip_serializing_if = "Option::is_none")]
        connect: Option<&'static str>,
    },
    /// The call is watched no more.
    Ended {
        /// The call.
        call: String,
    },
    /// The line is held: whoever picks up hears this.
    LineHeld {
        /// The line.
        line: String,
        /// For how many seconds.
        seconds: u64,
        /// The prompt's name.
        prompt: String,
    },
    /// The line is clear.
    LineClear {
        /// The line.
        line: String,
        /// The prompt's name.
        prompt: String,
    },
    /// Nothing more follows from what was said so far; the call may go on. Never written.
    #[serde(skip)]
    BodyEnded {
        /// The call.
        call: String,
    },
    /// A line was not understood, or refused; the others are heard.
    Error {
        /// What, and what to do.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_events_are_told_apart() {
        let read = |text: &str| parse(text.as_bytes()).expect("valid").expect("a message");
        let words =
            r#"{"call":"c","line":"home","leg":"remote","start_ms":0,"end_ms":9,"text":"hi"}"#;
        match read(words) {
            Message::Utterance { call, line, utterance } => {
                assert_eq!(call, Some(CallId::new("c")));
                assert_eq!((line, utterance.end), (Some(LineId::new("home")), CallTime(9)));
            }
            other => panic!("{other:?}"),
        }
        let start = r#"{"event":"start","call":"c","direction":"outgoing","number":"159"}"#;
        match read(start) {
            Message::Start(start) => {
                assert_eq!((start.direction, start.line), (Direction::Outgoing, None));
                assert!(start.number.is_some());
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(
            read(r#"{"event":"end","call":"c"}"#),
            Message::End { call: Some(CallId::new("c")) }
        );
        assert!(matches!(
            read(r#"{"event":"signal","leg":"remote","at_ms":5,"kind":"dial-tone"}"#),
            Message::Signal { .. }
        ));
        let key = r##"{"event":"key","call":"c","leg":"protected","at_ms":7,"key":"#"}"##;
        let (digit, leg) = (Digit::from_char('#').expect("a key"), Leg::Protected);
        let (call, at) = (Some(CallId::new("c")), CallTime(7));
        assert_eq!(read(key), Message::Key { call, line: None, leg, at, digit });
        let bands = vec!["0.5"; 40].join(",");
        let frame = format!(r#"{{"call":"c","leg":"remote","ms":10,"mel":[{bands}]}}"#);
        assert!(matches!(read(&frame), Message::Features { call: Some(_), .. }));
        assert_eq!(parse(features::header_json().as_bytes()), Ok(None));
        assert_eq!(
            read(r#"{"event":"far-leg-up","line":"a"}"#),
            Message::FarLegUp { line: LineId::new("a") }
        );
        assert_eq!(parse(b"  \r"), Ok(None));
    }

    #[test]
    fn messages_do_not_repeat_what_was_said() {
        for text in [
            r#"{"event":"secret-words","call":"c"}"#,
            r#"{"event":"start","number":{"secret-words":1}}"#,
            r#"{"event":7,"text":"secret-words"}"#,
            r#"{"event":"key","leg":"remote","at_ms":1,"key":"secret-words"}"#,
            r#"{"mel":["secret-words"],"leg":"remote","ms":1}"#,
            r#"{"leg":"secret-words","text":"a","start_ms":0,"end_ms":1}"#,
            "secret-words",
        ] {
            let error = parse(text.as_bytes()).expect_err(text).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let long = format!(r#"{{"event":"end","call":"{}"}}"#, "x".repeat(MAX_NAME + 1));
        assert_eq!(parse(long.as_bytes()), Err(FeedError::Line(LineError::Name)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }
    }
}
