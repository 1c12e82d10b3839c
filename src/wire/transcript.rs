//! Transcript lines: JSON, or plain text.
//!
//! ```text
//! {"leg":"remote","start_ms":0,"end_ms":2100,"text":"Good morning.","final":true}
//! remote: Good morning.
//! [1:23.5] remote: Good morning.
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::{Leg, Utterance};
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

/// A line that was read: its call, and the utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The call's name, where the line has one.
    pub call: Option<String>,
    /// What was said.
    pub utterance: Utterance,
}

/// Reads one line; `None` for a blank line or a comment (`#`).
///
/// `clock` is where the last line ended: plain lines without a time follow each other, and a word
/// takes [`WORD_MS`].
///
/// # Errors
/// On a line that is not an utterance.
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
    *clock = (*clock).max(line.utterance.end);
    Ok(Some(line))
}

fn json(text: &str) -> Result<Line, LineError> {
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
    Ok(Line { call: line.call, utterance })
}

/// What is wrong, without the value: a wrong type's message would repeat it.
pub fn json_problem(error: &serde_json::Error) -> String {
    let problem = error.to_string();
    let column = error.column();
    let what = if problem.starts_with("missing field") {
        problem.split(" at line").next().unwrap_or_default().to_owned()
    } else if problem.starts_with("unknown variant") {
        "leg is none of \"remote\", \"protected\" and \"mixed\"".to_owned()
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
    let words = said.split_whitespace().count() as u64;
    let utterance = Utterance {
        leg,
        start,
        end: CallTime(start.0.saturating_add(words * WORD_MS)),
        text: said.trim().to_owned().into(),
        confidence: None,
        is_final: true,
    };
    Ok(Line { call: None, utterance })
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

    fn problem(text: &str) -> String {
        read(text).expect_err("a bad line").to_string()
    }

    #[test]
    fn json_lines_are_read() {
        let text = r#"{"call":"a","leg":"protected","start_ms":5,"end_ms":9,"text":"Hi","x":1}"#;
        let line = read(text).expect("valid").expect("not blank");
        assert_eq!(line.call.as_deref(), Some("a"));
        assert_eq!(line.utterance.leg, Leg::Protected);
        assert_eq!(line.utterance.text.reveal(), "Hi");
        assert!(line.utterance.is_final);
    }

    #[test]
    fn plain_lines_follow_each_other() {
        let mut clock = CallTime::START;
        let mut next = |text: &str| parse(text.as_bytes(), &mut clock).expect("valid");
        assert!(next("# a comment").is_none() && next("  ").is_none());
        let first = next("Remote: one two three").expect("an utterance");
        let second = next("protected: four").expect("an utterance");
        assert_eq!(first.utterance.end, CallTime(1050));
        assert_eq!(second.utterance.start, CallTime(1050));
    }

    #[test]
    fn plain_lines_may_say_when_they_begin() {
        let mut clock = CallTime::START;
        let mut next = |text: &str| {
            let line = parse(text.as_bytes(), &mut clock).expect("valid").expect("an utterance");
            (line.utterance.start.0, line.utterance.end.0)
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
