//! Tells cheaply that a phrase does not match: its automaton with one bit a position.
//!
//! Most phrases whose rarest words were spoken do not match in the end. All positions advance at
//! once, by the bit-parallel form of Glushkov's automaton (G. Navarro, M. Raffinot, "New techniques
//! for regular expression searching", Algorithmica 41, 2004); where a match begins and what was
//! misheard in it is left to [`Automaton::matches`](super::automaton::Automaton::matches).

use super::ids::WordId;
use super::row::Row;

/// The most positions of one phrase, lists opened.
pub const MAX_POSITIONS: usize = 600;

/// Blocks of 64 positions of the longest phrase.
const MAX_BLOCKS: usize = MAX_POSITIONS.div_ceil(64);

/// The sets of positions of one phrase, each of `blocks` words of 64 bits, one after the other.
#[derive(Debug, Default)]
pub struct Sieve {
    blocks: usize,
    first: Vec<u64>,
    last: Vec<u64>,
    /// Those that any word is accepted by.
    beyond: Vec<u64>,
    /// Those that any word is accepted by which does not begin a sentence.
    within: Vec<u64>,
    /// By position.
    follow: Vec<u64>,
    /// The words that are asked for, in ascending order.
    words: Vec<WordId>,
    /// By word, those that it is accepted by.
    accept: Vec<u64>,
}

impl Sieve {
    /// A sieve without edges.
    pub fn new(positions: usize) -> Self {
        let blocks = positions.div_ceil(64);
        let none = vec![0; blocks];
        Self {
            blocks,
            first: none.clone(),
            last: none.clone(),
            beyond: none.clone(),
            within: none,
            follow: vec![0; blocks * positions],
            words: Vec::new(),
            accept: Vec::new(),
        }
    }

    /// A match may begin here.
    pub fn begins(&mut self, position: u16) {
        set(&mut self.first, position);
    }

    /// A match may end here.
    pub fn ends(&mut self, position: u16) {
        set(&mut self.last, position);
    }

    /// Any word is accepted here, also one that begins a sentence if it is `beyond` one.
    pub fn accepts_any(&mut self, position: u16, beyond: bool) {
        set(if beyond { &mut self.beyond } else { &mut self.within }, position);
    }

    /// This word is accepted here.
    pub fn accepts(&mut self, position: u16, word: WordId) {
        let at = self.words.binary_search(&word).unwrap_or_else(|at| {
            self.words.insert(at, word);
            let place = at * self.blocks;
            self.accept.splice(place..place, std::iter::repeat_n(0, self.blocks));
            at
        });
        set(&mut self.accept[at * self.blocks..][..self.blocks], position);
    }

    /// After `position` comes `next`.
    pub fn follows(&mut self, position: u16, next: u16) {
        let place = usize::from(position) * self.blocks;
        set(&mut self.follow[place..][..self.blocks], next);
    }

    /// Whether a match within the words `from..to` may end after the word `fresh`.
    pub fn may_match(&self, row: &Row, from: usize, to: usize, fresh: usize) -> bool {
        match self.blocks {
            1 => self.passes::<1>(row, from, to, fresh),
            2 => self.passes::<2>(row, from, to, fresh),
            _ => self.passes::<MAX_BLOCKS>(row, from, to, fresh),
        }
    }

    /// `N` blocks, or as many as there are if it is the most: loops of a length that the compiler
    /// knows are no loops.
    fn passes<const N: usize>(&self, row: &Row, from: usize, to: usize, fresh: usize) -> bool {
        let blocks = if N == MAX_BLOCKS { self.blocks } else { N };
        let mut live = [0_u64; N];
        for at in from..to {
            let mut next = [0_u64; N];
            if !row.ids(at).is_empty() {
                next[..blocks].copy_from_slice(&self.first[..blocks]);
            }
            for (block, mut bits) in live[..blocks].iter().copied().enumerate() {
                while bits != 0 {
                    let position = block * 64 + bits.trailing_zeros() as usize;
                    let follow = &self.follow[position * blocks..][..blocks];
                    next.iter_mut().zip(follow).for_each(|(next, follow)| *next |= follow);
                    bits &= bits - 1;
                }
            }
            let accepted = self.accepted::<N>(blocks, row, at);
            next.iter_mut().zip(&accepted).for_each(|(next, accepted)| *next &= accepted);
            let ends = next.iter().zip(&self.last).any(|(next, last)| next & last != 0);
            if ends && at >= fresh {
                return true;
            }
            live = next;
        }
        false
    }

    /// The positions that accept a word.
    fn accepted<const N: usize>(&self, blocks: usize, row: &Row, at: usize) -> [u64; N] {
        let mut set = [0; N];
        set[..blocks].copy_from_slice(&self.beyond[..blocks]);
        if !row.begins_sentence(at) {
            set.iter_mut().zip(&self.within).for_each(|(set, within)| *set |= within);
        }
        for heard in row.ids(at) {
            let Ok(word) = self.words.binary_search(&heard.id()) else { continue };
            let accept = &self.accept[word * blocks..][..blocks];
            set.iter_mut().zip(accept).for_each(|(set, accept)| *set |= accept);
        }
        set
    }
}

fn set(bits: &mut [u64], position: u16) {
    bits[usize::from(position) / 64] |= 1 << (position % 64);
}
