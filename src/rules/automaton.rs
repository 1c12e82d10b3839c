//! Phrases compiled to position automata (Glushkov's construction) over a shared vocabulary.
//!
//! Each word of a phrase is a position; a set of positions is advanced word by word, so the time is
//! linear in the words whatever the alternatives, options and gaps, and no phrase can run away.

use std::collections::HashMap;

use super::ids::{HeardId, WordId};
use super::pattern::{Node, Reach};
use super::row::Row;
use super::sieve::{MAX_POSITIONS, Sieve};
use super::vocabulary::{Vocabulary, Wanted};

/// The words of one match that may be misheard: more of them, and anything matches anything.
const MAX_MISHEARD: u8 = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Accepts {
    /// Any word, unless it begins a sentence and the gap ends with the one before.
    Any(Reach),
    /// One of these, in ascending order.
    OneOf(Vec<WordId>),
}

impl Accepts {
    fn one_of(mut ids: Vec<WordId>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self::OneOf(ids)
    }

    /// Whether the word is accepted, and how many mishearings that takes.
    fn cost(&self, heard: &[HeardId], begins_sentence: bool) -> Option<u8> {
        let wanted = match self {
            Self::Any(Reach::Sentence) => return (!begins_sentence).then_some(0),
            Self::Any(Reach::Beyond) => return Some(0),
            Self::OneOf(wanted) => wanted,
        };
        let is_wanted = |heard: &&HeardId| wanted.binary_search(&heard.id()).is_ok();
        heard.iter().filter(is_wanted).map(|heard| u8::from(heard.is_misheard())).min()
    }
}

#[derive(Debug)]
struct Position {
    accepts: Accepts,
    follow: Vec<u16>,
    is_last: bool,
}

/// A compiled phrase.
#[derive(Debug)]
pub struct Automaton {
    positions: Vec<Position>,
    first: Vec<u16>,
    needed: Vec<Vec<WordId>>,
    longest: usize,
    sieve: Sieve,
}

/// Why a phrase cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AutomatonError {
    /// A list that no pack defines.
    #[error("no list is named '@{0}'")]
    UnknownList(String),
    /// A list that contains itself.
    #[error("the list '@{0}' contains itself")]
    CircularList(String),
    /// Everything in the phrase is optional.
    #[error("every word is optional: it would match everywhere")]
    MatchesNothing,
    /// No word of the phrase is needed in every match.
    #[error("no word is needed in every match: give each alternative a word of its own")]
    NoAnchor,
    /// Too many words, lists opened.
    #[error("more than {MAX_POSITIONS} words, its lists included: split the phrase")]
    TooLong,
}

/// First and last positions of a part, and whether it may be empty.
struct Part {
    first: Vec<u16>,
    last: Vec<u16>,
    nullable: bool,
    longest: usize,
    /// Sets of words: of each, one is in every match.
    needed: Vec<Vec<WordId>>,
}

/// The named lists of all packs, parsed.
pub type Lists = HashMap<String, Node>;

struct Builder<'a> {
    vocabulary: &'a mut Vocabulary,
    lists: &'a Lists,
    open_lists: Vec<String>,
    positions: Vec<Position>,
    tolerant: bool,
}

impl Automaton {
    /// Compiles a phrase, adding its words to `vocabulary`. All its longer words may be misheard if
    /// it is `tolerant`.
    ///
    /// # Errors
    /// On an unknown or circular list, or a phrase that could match nothing at all.
    pub fn compile(
        node: &Node,
        lists: &Lists,
        tolerant: bool,
        vocabulary: &mut Vocabulary,
    ) -> Result<Self, AutomatonError> {
        let mut builder =
            Builder { vocabulary, lists, open_lists: Vec::new(), positions: Vec::new(), tolerant };
        let part = builder.part(node)?;
        if part.nullable {
            return Err(AutomatonError::MatchesNothing);
        }
        let mut positions = builder.positions;
        for &last in &part.last {
            positions[usize::from(last)].is_last = true;
        }
        if part.needed.is_empty() {
            return Err(AutomatonError::NoAnchor);
        }
        let sieve = sieve(&positions, &part.first);
        let Part { first, needed, longest, .. } = part;
        Ok(Self { positions, first, needed, longest, sieve })
    }

    /// Whether a match within the words `from..to` may end after the word `fresh`. If not,
    /// [`matches`](Self::matches) finds none there; and this is much quicker.
    pub fn may_match(&self, row: &Row, from: usize, to: usize, fresh: usize) -> bool {
        self.sieve.may_match(row, from, to, fresh)
    }

    /// Sets of words: of each set, one is in every match.
    pub fn needed(&self) -> &[Vec<WordId>] {
        &self.needed
    }

    /// The most words that a match can have, gaps included.
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// One word can be a whole match.
    pub fn can_be_one_word(&self) -> bool {
        self.first.iter().any(|first| self.positions[usize::from(*first)].is_last)
    }

    /// Calls `found(start, end, misheard)` for the best match that ends at each word of
    /// `from..to`: the one with the fewest misheard words, then the shortest.
    pub fn matches(
        &self,
        row: &Row,
        from: usize,
        to: usize,
        threads: &mut Threads,
        mut found: impl FnMut(usize, usize, u8),
    ) {
        threads.reset(self.positions.len());
        for at in from..to {
            let best = threads.step(self, row, at);
            if let Some(thread) = best {
                found(thread.start as usize, at + 1, thread.misheard);
            }
        }
    }
}

fn sieve(positions: &[Position], first: &[u16]) -> Sieve {
    let mut sieve = Sieve::new(positions.len());
    first.iter().for_each(|first| sieve.begins(*first));
    for (number, position) in (0_u16..).zip(positions) {
        match &position.accepts {
            Accepts::Any(reach) => sieve.accepts_any(number, *reach == Reach::Beyond),
            Accepts::OneOf(ids) => ids.iter().for_each(|id| sieve.accepts(number, *id)),
        }
        position.follow.iter().for_each(|next| sieve.follows(number, *next));
        if position.is_last {
            sieve.ends(number);
        }
    }
    sieve
}

/// A match under way.
#[derive(Debug, Clone, Copy)]
struct Thread {
    position: u16,
    misheard: u8,
    start: u32,
}

impl Thread {
    /// Two threads in one position differ only in how they came there.
    const fn is_better_than(self, other: Self) -> bool {
        self.misheard < other.misheard
            || (self.misheard == other.misheard && self.start > other.start)
    }
}

/// The live positions of a running automaton; reused from phrase to phrase.
#[derive(Debug, Default)]
pub struct Threads {
    live: Vec<Thread>,
    next: Vec<Thread>,
    /// Where in `next` the thread of each position is, counted from 1.
    slot: Vec<u16>,
}

impl Threads {
    fn reset(&mut self, positions: usize) {
        self.live.clear();
        self.next.clear();
        self.slot.clear();
        self.slot.resize(positions, 0);
    }

    /// Takes in one word. Returns the best match that ends with it.
    fn step(&mut self, automaton: &Automaton, row: &Row, at: usize) -> Option<Thread> {
        let ids = row.ids(at);
        let begins_sentence = row.begins_sentence(at);
        let mut live = std::mem::take(&mut self.live);
        for thread in live.drain(..) {
            for &position in &automaton.positions[usize::from(thread.position)].follow {
                self.enter(automaton, Thread { position, ..thread }, ids, begins_sentence);
            }
        }
        if !ids.is_empty() {
            for &position in &automaton.first {
                let thread = Thread { position, misheard: 0, start: at as u32 };
                self.enter(automaton, thread, ids, begins_sentence);
            }
        }
        let mut best: Option<Thread> = None;
        for &thread in &self.next {
            let position = usize::from(thread.position);
            self.slot[position] = 0;
            let is_best = best.is_none_or(|best| thread.is_better_than(best));
            if is_best && automaton.positions[position].is_last {
                best = Some(thread);
            }
        }
        self.live = std::mem::replace(&mut self.next, live);
        best
    }

    fn enter(
        &mut self,
        automaton: &Automaton,
        mut thread: Thread,
        ids: &[HeardId],
        begins_sentence: bool,
    ) {
        let index = usize::from(thread.position);
        let Some(cost) = automaton.positions[index].accepts.cost(ids, begins_sentence) else {
            return;
        };
        thread.misheard += cost;
        if thread.misheard > MAX_MISHEARD {
            return;
        }
        match usize::from(self.slot[index]).checked_sub(1) {
            Some(slot) if thread.is_better_than(self.next[slot]) => self.next[slot] = thread,
            Some(_) => {}
            None => {
                self.next.push(thread);
                self.slot[index] = self.next.len() as u16;
            }
        }
    }
}

impl Builder<'_> {
    fn part(&mut self, node: &Node) -> Result<Part, AutomatonError> {
        match node {
            Node::Word(_) | Node::Exact(_) | Node::Misheard(_) | Node::Class(_) => {
                let ids = self.single(node).into_iter().collect();
                self.leaf(Accepts::OneOf(ids))
            }
            Node::List(name) => self.list(name),
            Node::Sequence(nodes) => self.sequence(nodes),
            Node::Choice(nodes) => self.choice(nodes),
            Node::Optional(node) => {
                let part = self.part(node)?;
                Ok(Part { nullable: true, needed: Vec::new(), ..part })
            }
            Node::Gap(words, reach) => self.gap(*words, *reach),
        }
    }

    /// The id of a node that is a single word.
    fn single(&mut self, node: &Node) -> Option<WordId> {
        Some(match node {
            Node::Word(word) if self.tolerant && Vocabulary::can_be_misheard(word) => {
                self.vocabulary.intern(word, Wanted::Misheard)
            }
            Node::Word(word) => self.vocabulary.intern(word, Wanted::Inflected),
            Node::Exact(word) => self.vocabulary.intern(word, Wanted::Exact),
            Node::Misheard(word) => self.vocabulary.intern(word, Wanted::Misheard),
            Node::Class(class) => Vocabulary::class(*class),
            _ => return None,
        })
    }

    fn leaf(&mut self, accepts: Accepts) -> Result<Part, AutomatonError> {
        if self.positions.len() == MAX_POSITIONS {
            return Err(AutomatonError::TooLong);
        }
        let position = self.positions.len() as u16;
        let needed = match &accepts {
            Accepts::OneOf(ids) => vec![ids.clone()],
            Accepts::Any(_) => Vec::new(),
        };
        self.positions.push(Position { accepts, follow: Vec::new(), is_last: false });
        Ok(Part {
            first: vec![position],
            last: vec![position],
            nullable: false,
            longest: 1,
            needed,
        })
    }

    fn gap(&mut self, words: u8, reach: Reach) -> Result<Part, AutomatonError> {
        let mut part = Part::empty();
        for _ in 0..words {
            let next = self.leaf(Accepts::Any(reach))?;
            part = self.join(part, Part { nullable: true, ..next });
        }
        Ok(part)
    }

    fn list(&mut self, name: &str) -> Result<Part, AutomatonError> {
        if self.open_lists.iter().any(|open| open == name) {
            return Err(AutomatonError::CircularList(name.to_owned()));
        }
        let lists = self.lists;
        let node = lists.get(name).ok_or_else(|| AutomatonError::UnknownList(name.to_owned()))?;
        self.open_lists.push(name.to_owned());
        let part = self.part(node);
        self.open_lists.pop();
        part
    }

    fn sequence(&mut self, nodes: &[Node]) -> Result<Part, AutomatonError> {
        let mut whole = Part::empty();
        for node in nodes {
            let next = self.part(node)?;
            whole = self.join(whole, next);
        }
        Ok(whole)
    }

    fn join(&mut self, left: Part, right: Part) -> Part {
        for &last in &left.last {
            let follow = &mut self.positions[usize::from(last)].follow;
            for to in &right.first {
                if !follow.contains(to) {
                    follow.push(*to);
                }
            }
        }
        let (mut first, mut last) = (left.first, right.last);
        if left.nullable {
            first.extend(right.first);
        }
        if right.nullable {
            last.extend(left.last);
        }
        let mut needed = left.needed;
        needed.extend(right.needed);
        Part {
            first,
            last,
            nullable: left.nullable && right.nullable,
            longest: left.longest + right.longest,
            needed,
        }
    }

    /// Single words of a choice share one position, which keeps long lists cheap.
    fn choice(&mut self, nodes: &[Node]) -> Result<Part, AutomatonError> {
        let mut ids = Vec::new();
        let mut parts = Vec::new();
        for node in nodes {
            match self.single(node) {
                Some(id) => ids.push(id),
                None => parts.push(self.part(node)?),
            }
        }
        if !ids.is_empty() {
            parts.push(self.leaf(Accepts::one_of(ids))?);
        }
        let whole = parts.into_iter().reduce(|left, right| self.either(left, right));
        Ok(whole.unwrap_or_else(Part::empty))
    }

    /// Whatever alternative was said, one word of each one's rarest set was.
    fn either(&self, mut left: Part, right: Part) -> Part {
        left.first.extend(right.first);
        left.last.extend(right.last);
        left.nullable |= right.nullable;
        left.longest = left.longest.max(right.longest);
        let rarest =
            |sets: Vec<Vec<WordId>>| sets.into_iter().min_by_key(|set| self.vocabulary.cost(set));
        left.needed = match (rarest(left.needed), rarest(right.needed)) {
            (Some(mut left), Some(right)) => {
                left.extend(right);
                left.sort_unstable();
                left.dedup();
                vec![left]
            }
            _ => Vec::new(),
        };
        left
    }
}

impl Part {
    const fn empty() -> Self {
        Self { first: Vec::new(), last: Vec::new(), nullable: true, longest: 0, needed: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::pattern;

    /// Parts of phrases, and words that they are made of and are not.
    const PARTS: [&str; 8] =
        ["parrot", "purple", "(mauve|teal)", "<2>", "<12.>", "teal?", "=mauve", "(a purple|b)"];
    const WORDS: [&str; 8] = ["parrot", "purple", "mauve", "teal", "a", "b", "so", "so."];

    fn phrase(parts: &[usize], vocabulary: &mut Vocabulary) -> Option<Automaton> {
        let parts: Vec<_> = parts.iter().map(|part| PARTS[*part]).collect();
        let node = pattern::parse(&parts.join(" ")).ok()?;
        Automaton::compile(&node, &Lists::default(), false, vocabulary).ok()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_sieve_lets_pass_what_matches_and_nothing_else(
            parts in proptest::collection::vec(0..PARTS.len(), 1..10),
            words in proptest::collection::vec(0..WORDS.len(), 1..90),
            fresh in 0_usize..90,
        ) {
            let mut vocabulary = Vocabulary::default();
            let Some(automaton) = phrase(&parts, &mut vocabulary) else { return Ok(()) };
            vocabulary.settle();
            let mut row = Row::default();
            let text: Vec<_> = words.iter().map(|word| WORDS[*word]).collect();
            row.push(&text.join(" "));
            row.next(&vocabulary, 1000);
            let (mut ends, mut threads) = (false, Threads::default());
            let to = row.words().len();
            automaton.matches(&row, 0, to, &mut threads, |_, end, _| ends |= end > fresh);
            prop_assert_eq!(automaton.may_match(&row, 0, to, fresh), ends);
        }
    }
}
