//! The last words of one leg, with what the vocabulary knows of each: an utterance is appended, and
//! phrases and numbers may go on in it.

use super::found::Match;
use super::ids::HeardId;
use super::numbers;
use super::vocabulary::Vocabulary;
use super::words::{self, Word};

/// The words of an utterance that are read at a time. A person says some 40 in 12 seconds; of a
/// longer text every word is read, and memory does not grow with it.
const CHUNK: usize = 1_000;

/// The last words of a leg. Memory is bounded: words are dropped once no phrase can begin in them.
#[derive(Debug, Default, Clone)]
pub struct Row {
    words: Vec<Word>,
    ids: Vec<HeardId>,
    /// Where the ids of each word end.
    ends: Vec<u32>,
    /// The first word that was not read before.
    fresh: usize,
    /// The words of the number that stands at the end, as they were said: it may go on.
    open: Vec<Word>,
    /// Where that number begins.
    open_from: usize,
    /// The cues among the words that were read before.
    pub(super) cues: Vec<Match>,
    /// What was taken in and not read yet, numbers not joined.
    waiting: Vec<Word>,
}

impl Row {
    /// Forgets what was said.
    pub fn clear(&mut self) {
        self.words.clear();
        self.ids.clear();
        self.ends.clear();
        self.open.clear();
        self.cues.clear();
        self.fresh = 0;
    }

    /// Takes in an utterance; [`next`](Self::next) then makes its words fresh, in pieces.
    pub fn push(&mut self, text: &str) {
        self.waiting.clear();
        words::split(text, &mut self.waiting);
        // Read from the end, so that pieces can be taken off cheaply.
        self.waiting.reverse();
    }

    /// Makes the next piece of the utterance fresh. `keep` is how many words back a phrase or cue
    /// may begin. False if there is none.
    pub fn next(&mut self, vocabulary: &Vocabulary, keep: usize) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        self.forget(keep);
        self.fresh = self.words.len();
        if self.waiting.last().is_some_and(numbers::goes_on) {
            self.reopen();
        }
        let piece = self.waiting.len().saturating_sub(CHUNK);
        self.words.extend(self.waiting.drain(piece..).rev());
        let open = self.fresh + numbers::open_end(&self.words[self.fresh..]);
        self.open.clear();
        self.open.extend_from_slice(&self.words[open..]);
        // The end is joined apart, so that it is known where it begins and can be taken back.
        let mut end = self.words.split_off(open);
        numbers::join(&mut self.words, self.fresh);
        self.open_from = self.words.len();
        numbers::join(&mut end, 0);
        self.words.append(&mut end);
        numbers::mark(&mut self.words, self.fresh);
        for word in &self.words[self.fresh..] {
            vocabulary.look_up(word, &mut self.ids);
            self.ends.push(self.ids.len() as u32);
        }
        true
    }

    /// Takes back the number at the end, to join it anew with what follows it.
    fn reopen(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let from = self.open_from;
        self.words.truncate(from);
        self.ends.truncate(from);
        self.ids.truncate(self.ends.last().map_or(0, |end| *end as usize));
        self.cues.retain(|cue| cue.end <= from);
        self.fresh = from;
        for word in &mut self.open {
            word.span = 0..0;
        }
        self.words.append(&mut self.open);
    }

    /// Drops words that lie too far back, some at a time.
    fn forget(&mut self, keep: usize) {
        if self.words.len() < 4 * keep.max(16) {
            return;
        }
        let gone = self.words.len() - keep;
        if gone > self.open_from && !self.open.is_empty() {
            return self.clear();
        }
        let ids = self.ends[gone - 1];
        self.words.drain(..gone);
        self.ids.drain(..ids as usize);
        self.ends.drain(..gone);
        self.ends.iter_mut().for_each(|end| *end -= ids);
        self.open_from = self.open_from.saturating_sub(gone);
        self.cues.retain(|cue| cue.start >= gone);
        for cue in &mut self.cues {
            cue.start -= gone;
            cue.end -= gone;
        }
    }

    /// All words that are remembered.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// The first word that was not read before.
    pub const fn fresh(&self) -> usize {
        self.fresh
    }

    /// Whether a sentence ended before the word.
    pub fn begins_sentence(&self, at: usize) -> bool {
        at > 0 && self.words[at - 1].ends_sentence
    }

    /// What the vocabulary knows of a word.
    pub fn ids(&self, at: usize) -> &[HeardId] {
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[from as usize..self.ends[at] as usize]
    }

    /// The bytes of the utterance that the words `start..end` came from; a word of an earlier
    /// utterance counts as its beginning.
    pub fn span(&self, start: usize, end: usize) -> std::ops::Range<usize> {
        let from = if start < self.fresh { 0 } else { self.words[start].span.start };
        from..self.words[end - 1].span.end
    }
}
