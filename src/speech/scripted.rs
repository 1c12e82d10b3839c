//! A recogniser that says what it is told: for tests of everything after recognition.

use std::collections::VecDeque;

use super::{Recogniser, Recognition, SpeechError};

/// Answers each segment with the next line of a script, then with silence.
#[derive(Default)]
pub struct Scripted {
    lines: VecDeque<String>,
}

impl Scripted {
    /// A recogniser for these lines.
    pub fn new<S: Into<String>>(lines: impl IntoIterator<Item = S>) -> Self {
        Self { lines: lines.into_iter().map(Into::into).collect() }
    }
}

impl Recogniser for Scripted {
    fn recognise(&mut self, _samples: &[f32]) -> Result<Recognition, SpeechError> {
        let text = self.lines.pop_front().unwrap_or_default();
        Ok(Recognition { text: text.into(), confidence: None })
    }
}
