//! Corpora of labelled calls to measure on: JSON lines, one call a line.
//!
//! ```text
//! {"id":"…","label":"scam"|"legit","kind":"…","group":"…","utterances":[
//!   {"leg":"caller"|"called"|"unknown","role":"scammer"|"victim",
//!    "start_ms":0,"end_ms":900,"text":"…"}]}
//! ```
//!
//! Or a directory of scripted calls, plain transcripts (`*.txt`) whose comments say what they are:
//! `# family: …` for a scam, `# kind: …` for an honest call, and `# ask` before the turn in which
//! money, card, code or access is asked for.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::call::{Leg, Signal, Sound, Utterance};
use crate::measure::Label;
use crate::private::Private;
use crate::time::CallTime;
use crate::wire::transcript::{self, LineError};

/// A labelled call.
#[derive(Debug, Deserialize)]
pub struct LabelledCall {
    /// Its name.
    pub id: String,
    /// What it is.
    pub label: Label,
    /// What kind of scam or honest call, where the corpus says.
    #[serde(default)]
    pub kind: String,
    /// Near-duplicates share a group.
    #[serde(default)]
    pub group: String,
    /// When money, card, code or access is first asked for, where that is marked.
    #[serde(default)]
    pub ask_ms: Option<u64>,
    /// What was said.
    pub utterances: Vec<CorpusUtterance>,
    /// What else was heard.
    #[serde(skip)]
    pub signals: Vec<Signal>,
    /// How much of its corpus it takes up, by which progress is told.
    #[serde(skip)]
    pub bytes: u64,
}

/// One utterance of a labelled call.
#[derive(Debug, Deserialize)]
pub struct CorpusUtterance {
    leg: CorpusLeg,
    role: Option<String>,
    start_ms: u64,
    end_ms: u64,
    text: Private<String>,
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
    #[error("line {line}: {problem}: a labelled call looks as docs/evaluation.md shows")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it, without its words.
        problem: String,
    },
    /// A line of a scripted call.
    #[error("{file}, line {line}: {problem}")]
    Script {
        /// The script.
        file: String,
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        problem: LineError,
    },
    /// A scripted call that does not say what it is.
    #[error("{0}: neither \"# family: …\" (a scam) nor \"# kind: …\" (an honest call) in it")]
    Unlabelled(String),
}

/// Hands each call of a corpus, or of a directory of scripts, to `each`.
///
/// # Errors
/// When a file cannot be read or a line is not what it should be.
pub fn for_each(path: &Path, mut each: impl FnMut(LabelledCall)) -> Result<(), CorpusError> {
    if path.is_dir() {
        return scripts(path, &mut each);
    }
    for (number, line) in BufReader::new(File::open(path)?).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let call: LabelledCall = serde_json::from_str(&line).map_err(|error| {
            CorpusError::Line { line: number + 1, problem: transcript::json_problem(&error) }
        })?;
        each(LabelledCall { bytes: line.len() as u64 + 1, ..call });
    }
    Ok(())
}

/// How many bytes a corpus, or a directory of scripts, has.
///
/// # Errors
/// When it cannot be read.
pub fn size(path: &Path) -> Result<u64, CorpusError> {
    let files = if path.is_dir() { scripts_in(path)? } else { vec![path.to_owned()] };
    let sizes = files.iter().map(|file| Ok(std::fs::metadata(file)?.len()));
    sizes.sum()
}

fn scripts(directory: &Path, each: &mut impl FnMut(LabelledCall)) -> Result<(), CorpusError> {
    for path in scripts_in(directory)? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        each(script(name, &std::fs::read_to_string(&path)?)?);
    }
    Ok(())
}

fn scripts_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn script(name: String, text: &str) -> Result<LabelledCall, CorpusError> {
    let (mut what, mut ask_ms, mut clock) = (None, None, CallTime::START);
    let (mut utterances, mut signals) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let note = line.strip_prefix("# ").unwrap_or_default();
        if let Some(family) = note.strip_prefix("family:") {
            what = Some((Label::Scam, family.trim()));
        } else if let Some(kind) = note.strip_prefix("kind:") {
            what = Some((Label::Legit, kind.trim()));
        } else if note == "ask" {
            ask_ms = Some(clock.0);
        }
        let read = transcript::parse(line.as_bytes(), &mut clock).map_err(|problem| {
            CorpusError::Script { file: name.clone(), line: number + 1, problem }
        })?;
        match read.map(|line| line.sound) {
            Some(Sound::Speech(utterance)) => utterances.push(utterance.into()),
            Some(Sound::Signal(signal)) => signals.push(signal),
            None => {}
        }
    }
    let (label, kind) = what.ok_or_else(|| CorpusError::Unlabelled(name.clone()))?;
    let (group, kind, bytes) = (name.clone(), kind.to_owned(), text.len() as u64);
    Ok(LabelledCall { id: name, label, kind, group, ask_ms, utterances, signals, bytes })
}

impl From<Utterance> for CorpusUtterance {
    fn from(utterance: Utterance) -> Self {
        let leg = match utterance.leg {
            Leg::Remote => CorpusLeg::Caller,
            Leg::Protected => CorpusLeg::Called,
            Leg::Mixed => CorpusLeg::Unknown,
        };
        let (start_ms, end_ms) = (utterance.start.0, utterance.end.0);
        Self { leg, role: None, start_ms, end_ms, text: utterance.text }
    }
}

impl LabelledCall {
    /// The utterances, with the signals between them.
    pub fn sounds(&self) -> Vec<Sound> {
        let mut sounds: Vec<_> = self.utterances().map(Sound::Speech).collect();
        if !self.signals.is_empty() {
            sounds.extend(self.signals.iter().copied().map(Sound::Signal));
            sounds.sort_by_key(Sound::end);
        }
        sounds
    }

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
                text: one.text.clone(),
                confidence: None,
                is_final: true,
            }
        })
    }
}
