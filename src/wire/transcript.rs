//! Transcript lines: JSON, or plain text.
//!
//! ```text
//! {"leg":"remote","start_ms":0,"end_ms":2100,"text":"Good morning.","final":true}
//! remote: Good morning.
//! [1:23.5] remote: Good morning.
//! {"leg":"remote","at_ms":9000,"signal":"dial-tone"}
//! remote: [dial-tone]
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::{Leg, Signal, SignalKind, Sound, Utterance};
use crate::private::Private;
use crate::time::CallTime;

/// The longest line that is read, in bytes.
pub const MAX_LINE: usize = 64 * 1024;

/// The longest name of a call, in bytes.
pub const MAX_NAME: usize = 256;

/// How long a word takes where a transcript has no times, in milliseconds.
pub const WORD_MS: u64 = 350;

/// One utterance: one line of a JSON transcript. Unknown keys are passed over.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct TranscriptLine {
    /// Tells calls apart where one stream carries several.
    #[serde(default)]
    pub call: Option<String>,
    /// Who spoke.
    pub leg: LegName,
    /// When the first word began, in milliseconds from the start of the call.
    pub start_ms: u64,
    /// When the last word ended.
    pub end_ms: u64,
    /// The words.
    #[schemars(with = "String")]
    pub text: Private<String>,
    /// False while the words may still be revised by a line with the same leg.
    #[serde(default = "yes", rename = "final")]
    pub is_final: bool,
}

/// A line of a JSON transcript.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum AnyLine {
    /// What was said.
    Words(TranscriptLine),
    /// What else was heard.
    Signal(SignalLine),
}

/// Something that was heard and is not a word: one line of a JSON transcript.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct SignalLine {
    /// Tells calls apart where one stream carries several.
    #[serde(default)]
    pub call: Option<String>,
    /// Where it was heard.
    pub leg: LegName,
    /// When, in milliseconds from the start of the call.
    pub at_ms: u64,
    /// What.
    pub signal: SignalName,
}

/// The names of [`SignalKind`].
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignalName {
    /// A dial tone.
    DialTone,
    /// A ringing tone.
    RingingTone,
    /// An engaged tone.
    EngagedTone,
    /// Number unobtainable.
    UnobtainableTone,
    /// A fax or a modem.
    DataTone,
    /// Several digits were keyed.
    KeypadDigits,
    /// As many digits as a PIN or a passcode has were keyed.
    CodeKeyed,
    /// The number of a payment card was keyed.
    CardKeyed,
    /// 999, 112 or 18000 was dialled while the call was up.
    EmergencyDialled,
    /// 101 was dialled while the call was up.
    PoliceDialled,
    /// 159 was dialled while the call was up.
    BankDialled,
    /// One party has spoken for nine tenths of all that was said.
    SpeaksMost,
}

impl From<SignalName> for SignalKind {
    fn from(name: SignalName) -> Self {
        match name {
            SignalName::DialTone => Self::DialTone,
            SignalName::RingingTone => Self::RingingTone,
            SignalName::EngagedTone => Self::EngagedTone,
            SignalName::UnobtainableTone => Self::UnobtainableTone,
            SignalName::DataTone => Self::DataTone,
            SignalName::KeypadDigits => Self::KeypadDigits,
            SignalName::CodeKeyed => Self::CodeKeyed,
            SignalName::CardKeyed => Self::CardKeyed,
            SignalName::EmergencyDialled => Self::EmergencyDialled,
            SignalName::PoliceDialled => Self::PoliceDialled,
            SignalName::BankDialled => Self::BankDialled,
            SignalName::SpeaksMost => Self::SpeaksMost,
        }
    }
}

/// The legs of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LegName {
    /// The other party.
    Remote,
    /// The person whom the line belongs to.
    Protected,
    /// Nobody can say who spoke.
    Mixed,
}

impl From<LegName> for Leg {
    fn from(name: LegName) -> Self {
        match name {
            LegName::Remote => Self::Remote,
            LegName::Protected => Self::Protected,
            LegName::Mixed => Self::Mixed,
        }
    }
}

impl From<Leg> for LegName {
    fn from(leg: Leg) -> Self {
        match leg {
            Leg::Remote => Self::Remote,
            Leg::Protected => Self::Protected,
            Leg::Mixed => Self::Mixed,
        }
    }
}

const fn yes() -> bool {
    true
}

/// Why a line is not an utterance. Messages never repeat what was said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Longer than [`MAX_LINE`].
    #[error("the line is longer than {MAX_LINE} bytes: write one utterance a line")]
    TooLong,
    /// Not UTF-8.
    #[error("byte {0} of the line is not UTF-8: save the transcript as UTF-8")]
    NotUtf8(usize),
    /// Not JSON, or not the keys of an utterance.
    #[error("{0}: a line needs \"leg\", \"start_ms\", \"end_ms\" and \"text\"")]
    Json(String),
    /// Not the keys of a signal.
    #[error("{0}: a signal needs \"leg\", \"at_ms\" and \"signal\", one that docs/rules.md lists")]
    Signal(String),
    /// Neither JSON nor "leg: words".
    #[error("neither JSON nor \"remote: words\", \"protected: words\" or \"mixed: words\"")]
    Plain,
    /// A time that is none.
    #[error(
        "the time in brackets is none: write minutes and seconds, [1:23.5], or seconds, [83.5]"
    )]
    Time,
    /// A call's name that is no name.
    #[error("the call's name is longer than {MAX_NAME} bytes: give calls short names")]
    Name,
    /// An utterance that ends before it begins.
    #[error("end_ms ({end_ms}) is less than start_ms ({start_ms})")]
    Times {
        /// As given.
        start_ms: u64,
        /// As given.
        end_ms: u64,
    },
}

/// A line that was read: its call, and what was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The call's name, where the line has one.
    pub call: Option<String>,
    /// What was heard.
    pub sound: Sound,
}

/// Reads one line; `None` for a blank line or a comment (`#`).
///
/// `clock` is where the last line ended: plain lines without a time follow each other, and a word
/// takes [`WORD_MS`].
///
/// # Errors
/// On a line that is neither an utterance nor a signal.
pub fn parse(bytes: &[u8], clock: &mut CallTime) -> Result<Option<Line>, LineError> {
    if bytes.len() > MAX_LINE {
        return Err(LineError::TooLong);
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| LineError::NotUtf8(error.valid_up_to() + 1))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let line = if text.starts_with('{') { json(text)? } else { plain(text, *clock)? };
    *clock = (*clock).max(line.sound.end());
    Ok(Some(line))
}

fn json(text: &str) -> Result<Line, LineError> {
    // Words may hold the key too: only a line without "text" is a signal.
    if text.contains("\"signal\"") && !text.contains("\"text\"") {
        return signal(text);
    }
    let line: TranscriptLine =
        serde_json::from_str(text).map_err(|error| LineError::Json(json_problem(&error)))?;
    if line.call.as_ref().is_some_and(|name| name.len() > MAX_NAME) {
        return Err(LineError::Name);
    }
    let (start_ms, end_ms) = (line.start_ms, line.end_ms);
    if end_ms < start_ms {
        return Err(LineError::Times { start_ms, end_ms });
    }
    let utterance = Utterance {
        leg: line.leg.into(),
        start: CallTime(start_ms),
        end: CallTime(end_ms),
        text: line.text,
        confidence: None,
        is_final: line.is_final,
    };
    Ok(Line { call: line.call, sound: Sound::Speech(utterance) })
}

fn signal(text: &str) -> Result<Line, LineError> {
    let line: SignalLine =
        serde_json::from_str(text).map_err(|error| LineError::Signal(json_problem(&error)))?;
    if line.call.as_ref().is_some_and(|name| name.len() > MAX_NAME) {
        return Err(LineError::Name);
    }
    let (leg, at, kind) = (line.leg.into(), CallTime(line.at_ms), line.signal.into());
    Ok(Line { call: line.call, sound: Sound::Signal(Signal { leg, at, kind }) })
}

/// What is wrong, without the value: a wrong type's message would repeat it.
pub fn json_problem(error: &serde_json::Error) -> String {
    let problem = error.to_string();
    let column = error.column();
    let what = if problem.starts_with("missing field") {
        problem.split(" at line").next().unwrap_or_default().to_owned()
    } else if problem.starts_with("unknown variant") {
        "a name is none of those that there are".to_owned()
    } else if error.is_data() {
        "a value has the wrong type".to_owned()
    } else {
        "not JSON".to_owned()
    };
    format!("{what} (column {column})")
}

fn plain(text: &str, clock: CallTime) -> Result<Line, LineError> {
    let (start, text) = match text.strip_prefix('[') {
        Some(timed) => timed_from(timed).ok_or(LineError::Time)?,
        None => (clock, text),
    };
    let (leg, said) = text.split_once(':').ok_or(LineError::Plain)?;
    let leg = Leg::from_name(&leg.trim().to_lowercase()).ok_or(LineError::Plain)?;
    if let Some(kind) = signal_in_brackets(said) {
        return Ok(Line { call: None, sound: Sound::Signal(Signal { leg, at: start, kind }) });
    }
    let words = said.split_whitespace().count() as u64;
    let utterance = Utterance {
        leg,
        start,
        end: CallTime(start.0.saturating_add(words * WORD_MS)),
        text: said.trim().to_owned().into(),
        confidence: None,
        is_final: true,
    };
    Ok(Line { call: None, sound: Sound::Speech(utterance) })
}

/// `[dial-tone]`. Other brackets, such as `[laughter]`, are words.
fn signal_in_brackets(said: &str) -> Option<SignalKind> {
    SignalKind::from_name(said.trim().strip_prefix('[')?.strip_suffix(']')?)
}

/// `1:23.5] remote: words` → the time, and what stands behind it.
fn timed_from(text: &str) -> Option<(CallTime, &str)> {
    let (time, rest) = text.split_once(']')?;
    Some((CallTime::parse(time.trim())?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Line>, LineError> {
        parse(text.as_bytes(), &mut CallTime::default())
    }

    fn utterance(line: Line) -> Utterance {
        match line.sound {
            Sound::Speech(utterance) => utterance,
            Sound::Signal(signal) => panic!("{signal:?}"),
        }
    }

    #[test]
    fn signals_stand_among_the_words() {
        for kind in SignalKind::ALL {
            let name = kind.name();
            let json = format!(r#"{{"call":"a","leg":"remote","at_ms":7,"signal":"{name}"}}"#);
            let plain = format!("[0.007] Remote: [{name}]");
            for text in [json, plain] {
                let line = read(&text).expect("valid").expect("not blank");
                let signal = Signal { leg: Leg::Remote, at: CallTime(7), kind };
                assert_eq!(line.sound, Sound::Signal(signal));
            }
        }
        let laughter = read("remote: [laughter]").expect("valid").expect("not blank");
        assert_eq!(utterance(laughter).text.reveal(), "[laughter]");
        assert!(
            problem(r#"{"leg":"remote","signal":"bell","at_ms":1}"#).contains("a signal needs")
        );
    }

    fn problem(text: &str) -> String {
        read(text).expect_err("a bad line").to_string()
    }

    #[test]
    fn json_lines_are_read() {
        let text = r#"{"call":"a","leg":"protected","start_ms":5,"end_ms":9,"text":"Hi","x":1}"#;
        let line = read(text).expect("valid").expect("not blank");
        assert_eq!(line.call.as_deref(), Some("a"));
        let utterance = utterance(line);
        assert_eq!((utterance.leg, utterance.is_final), (Leg::Protected, true));
        assert_eq!(utterance.text.reveal(), "Hi");
    }

    #[test]
    fn plain_lines_follow_each_other() {
        let mut clock = CallTime::START;
        let mut next = |text: &str| parse(text.as_bytes(), &mut clock).expect("valid");
        assert!(next("# a comment").is_none() && next("  ").is_none());
        let first = next("Remote: one two three").expect("an utterance");
        let second = next("protected: four").expect("an utterance");
        assert_eq!(first.sound.end(), CallTime(1050));
        assert_eq!(utterance(second).start, CallTime(1050));
    }

    #[test]
    fn plain_lines_may_say_when_they_begin() {
        let mut clock = CallTime::START;
        let mut next = |text: &str| {
            let line = parse(text.as_bytes(), &mut clock).expect("valid").expect("an utterance");
            let utterance = utterance(line);
            (utterance.start.0, utterance.end.0)
        };
        assert_eq!(next("[01:23] remote: one two"), (83_000, 83_700));
        assert_eq!(next("protected: three"), (83_700, 84_050));
        assert_eq!(next("[ 90.5 ]remote: four"), (90_500, 90_850));
        assert_eq!(next("[1:00] mixed: the legs may overlap"), (60_000, 61_400));
        assert_eq!(next("remote: five"), (90_850, 91_200));
        for wrong in ["[1:75] remote: a", "[soon] remote: a", "[1:20 remote: a", "[] remote: a"] {
            assert!(problem(wrong).contains("time in brackets"), "{wrong}");
        }
        assert!(problem("[1:20] a secret").contains("neither JSON nor"));
    }

    #[test]
    fn errors_name_the_problem_and_never_the_words() {
        let missing = problem(r#"{"leg":"remote","start_ms":0,"text":"secret"}"#);
        assert!(missing.starts_with("missing field `end_ms`"), "{missing}");
        let wrong = problem(r#"{"leg":"remote","start_ms":"secret","end_ms":0,"text":""}"#);
        assert!(!wrong.contains("secret"), "{wrong}");
        assert!(problem("{nonsense").contains("not JSON"));
        assert!(problem("no leg here").contains("neither JSON nor"));
        assert!(problem(r#"{"leg":"mixed","start_ms":9,"end_ms":2,"text":""}"#).contains("less"));
        let bytes = b"remote: caf\xe9";
        let error = parse(bytes, &mut CallTime::default()).expect_err("latin-1");
        assert_eq!(error, LineError::NotUtf8(12));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            let _ = parse(&bytes, &mut CallTime::default());
        }
    }
}
