//! From spoken words to the phrases that may contain them.
//!
//! Of each phrase the two rarest words that every match needs are indexed: the *anchor*, and a
//! *second* that must be near it. A spoken anchor is answered with the phrases whose second was
//! spoken too, so the cost grows with what is said and not with the number of rules.

use super::automaton::Automaton;
use super::ids::WordId;
use super::row::Row;
use super::vocabulary::Vocabulary;

/// Pairs of one phrase that are indexed; with more, the anchor stands alone.
const MAX_PAIRS: usize = 400;

/// What is indexed under one anchor.
#[derive(Debug, Default)]
struct Posting {
    /// The longest of its phrases, in words: how far from the anchor a match can reach.
    reach: usize,
    /// Phrases without a second.
    alone: Vec<u32>,
    /// Phrases by their second, which are in ascending order.
    seconds: Vec<WordId>,
    /// The phrases of each second.
    pairs: Vec<Vec<u32>>,
}

/// The index of all phrases.
#[derive(Debug, Default)]
pub struct Index {
    postings: Vec<Posting>,
    /// What else each phrase needs.
    needed: Vec<Vec<Vec<WordId>>>,
    /// How many words a match of each phrase can have.
    longest_of: Vec<u32>,
    longest: usize,
}

/// Buffers of a search, kept from utterance to utterance.
#[derive(Debug, Default)]
pub struct Candidates {
    /// (phrase, the anchor's place), in order.
    pub found: Vec<(u32, u32)>,
    present: Vec<u64>,
    spoken: Vec<WordId>,
    /// The first word that was not read before.
    fresh: u32,
}

impl Index {
    /// Indexes the phrases of a rulebook.
    pub fn build<'a>(
        phrases: impl Iterator<Item = &'a Automaton> + Clone,
        vocabulary: &Vocabulary,
    ) -> Self {
        let words = vocabulary.len() as usize;
        let mut uses = vec![0_u32; words];
        for id in phrases.clone().flat_map(Automaton::needed).flatten() {
            uses[*id as usize] += 1;
        }
        let cost = |set: &Vec<WordId>| {
            let shared: u32 = set.iter().map(|id| uses[*id as usize]).sum();
            vocabulary.cost(set).saturating_mul(16).saturating_add(shared)
        };
        let mut index = Self::default();
        index.postings.resize_with(words, Posting::default);
        for (number, automaton) in phrases.enumerate() {
            let mut sets = automaton.needed().to_vec();
            sets.sort_by_key(cost);
            index.add(number as u32, automaton.longest(), sets);
        }
        index
    }

    fn add(&mut self, phrase: u32, longest: usize, mut sets: Vec<Vec<WordId>>) {
        self.longest = self.longest.max(longest);
        let paired = sets.get(1).is_some_and(|second| sets[0].len() * second.len() <= MAX_PAIRS);
        for anchor in &sets[0] {
            let posting = &mut self.postings[*anchor as usize];
            posting.reach = posting.reach.max(longest);
            if !paired {
                posting.alone.push(phrase);
                continue;
            }
            for second in &sets[1] {
                let at = posting.seconds.binary_search(second).unwrap_or_else(|at| {
                    posting.seconds.insert(at, *second);
                    posting.pairs.insert(at, Vec::new());
                    at
                });
                posting.pairs[at].push(phrase);
            }
        }
        sets.drain(..if paired { 2 } else { 1 });
        self.needed.push(sets);
        self.longest_of.push(longest as u32);
    }

    /// The most words of any phrase.
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// Finds the phrases that may have a match which ends among the fresh words of `row`.
    pub fn look_up(&self, row: &Row, candidates: &mut Candidates) {
        candidates.found.clear();
        candidates.fresh = row.fresh() as u32;
        let (fresh, end) = (row.fresh(), row.words().len());
        let first = fresh.saturating_sub(self.longest);
        candidates.mark(row, first..end, self.postings.len());
        for at in first..end {
            for heard in row.ids(at) {
                let posting = &self.postings[heard.id() as usize];
                if at + posting.reach > fresh {
                    self.collect(posting, at as u32, candidates);
                }
            }
        }
        candidates.found.sort_unstable();
        candidates.found.dedup();
    }

    fn collect(&self, posting: &Posting, at: u32, candidates: &mut Candidates) {
        for &phrase in &posting.alone {
            self.add_candidate(phrase, at, candidates);
        }
        if posting.seconds.len() <= candidates.spoken.len() {
            for (second, phrases) in posting.seconds.iter().zip(&posting.pairs) {
                if candidates.is_present(*second) {
                    phrases.iter().for_each(|phrase| self.add_candidate(*phrase, at, candidates));
                }
            }
            return;
        }
        for spoken in 0..candidates.spoken.len() {
            if let Ok(second) = posting.seconds.binary_search(&candidates.spoken[spoken]) {
                let phrases = &posting.pairs[second];
                phrases.iter().for_each(|phrase| self.add_candidate(*phrase, at, candidates));
            }
        }
    }

    fn add_candidate(&self, phrase: u32, at: u32, candidates: &mut Candidates) {
        // From an anchor that lies too far back no match reaches a fresh word.
        if at + self.longest_of[phrase as usize] <= candidates.fresh {
            return;
        }
        let needed = &self.needed[phrase as usize];
        if needed.iter().all(|set| set.iter().any(|id| candidates.is_present(*id))) {
            candidates.found.push((phrase, at));
        }
    }
}

impl Candidates {
    /// Notes which ids were spoken.
    fn mark(&mut self, row: &Row, places: std::ops::Range<usize>, words: usize) {
        for id in self.spoken.drain(..) {
            self.present[id as usize / 64] = 0;
        }
        self.present.resize(words.div_ceil(64), 0);
        for heard in places.flat_map(|at| row.ids(at)) {
            let (id, bit) = (heard.id(), 1 << (heard.id() % 64));
            let block = &mut self.present[id as usize / 64];
            if *block & bit == 0 {
                *block |= bit;
                self.spoken.push(id);
            }
        }
    }

    fn is_present(&self, id: WordId) -> bool {
        self.present[id as usize / 64] & (1 << (id % 64)) != 0
    }
}
