//! Corpora of labelled calls to measure on: JSON lines, one call a line.
//!
//! ```text
//! {"id":"…","label":"scam"|"legit","kind":"…","group":"…","utterances":[
//!   {"leg":"caller"|"called"|"unknown","role":"scammer"|"victim",
//!    "start_ms":0,"end_ms":900,"text":"…"}]}
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

use crate::call::{Leg, Utterance};
use crate::time::CallTime;

/// A labelled call.
#[derive(Debug, Deserialize)]
pub struct LabelledCall {
    /// Its name.
    pub id: String,
    /// What it is.
    pub label: Label,
    /// Near-duplicates share a group.
    #[serde(default)]
    pub group: String,
    /// What was said.
    pub utterances: Vec<CorpusUtterance>,
}

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// A scam.
    Scam,
    /// An honest call.
    Legit,
}

/// One utterance of a labelled call.
#[derive(Debug, Deserialize)]
pub struct CorpusUtterance {
    leg: CorpusLeg,
    role: Option<String>,
    start_ms: u64,
    end_ms: u64,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CorpusLeg {
    Caller,
    Called,
    Unknown,
}

/// Why a corpus cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The file.
    #[error("cannot be read: {0}: check the path")]
    Read(#[from] io::Error),
    /// A line of it.
    #[error("line {line}: {problem}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        problem: serde_json::Error,
    },
}

/// Hands each call of a corpus to `each`.
///
/// # Errors
/// When the file cannot be read or a line is not a labelled call.
pub fn for_each(path: &Path, mut each: impl FnMut(LabelledCall)) -> Result<(), CorpusError> {
    for (number, line) in BufReader::new(File::open(path)?).lines().enumerate() {
        let line = line?;
        let call = serde_json::from_str(&line)
            .map_err(|problem| CorpusError::Line { line: number + 1, problem })?;
        each(call);
    }
    Ok(())
}

impl LabelledCall {
    /// The utterances as the pipeline takes them. Whoever dialled is the remote party, unless a
    /// role says who is the victim; where nobody knows, the leg is mixed.
    pub fn utterances(&self) -> impl Iterator<Item = Utterance> + '_ {
        self.utterances.iter().map(|one| {
            let leg = match (one.role.as_deref(), one.leg) {
                (Some("victim"), _) => Leg::Protected,
                (Some("scammer"), _) | (_, CorpusLeg::Caller) => Leg::Remote,
                (_, CorpusLeg::Called) => Leg::Protected,
                (_, CorpusLeg::Unknown) => Leg::Mixed,
            };
            Utterance {
                leg,
                start: CallTime(one.start_ms),
                end: CallTime(one.end_ms.max(one.start_ms)),
                text: one.text.clone().into(),
                confidence: None,
                is_final: true,
            }
        })
    }
}
