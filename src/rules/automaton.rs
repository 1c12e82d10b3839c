//! Phrases compiled to position automata (Glushkov's construction) over a shared vocabulary.
//!
//! Each word of a phrase is a position; a set of positions is advanced word by word, so the time is
//! linear in the words whatever the alternatives, options and gaps, and no phrase can run away.

use std::collections::HashMap;

use super::inflect::{forms, is_common};
use super::pattern::Node;
use super::words::Word;

/// Identifies a word (in all its forms), an exact form, or a class.
pub type WordId = u32;

const NUMBER: WordId = 0;
const AMOUNT: WordId = 1;
const LARGE: WordId = 2;

/// Ids below this are classes.
const CLASSES: WordId = 3;

/// The most positions of one phrase, lists opened.
pub const MAX_POSITIONS: usize = 600;

/// All words that any phrase mentions.
#[derive(Debug, Default)]
pub struct Vocabulary {
    by_form: HashMap<String, Vec<WordId>>,
    by_name: HashMap<String, WordId>,
    /// Whether each id that is not a class is a word that nearly every utterance has.
    is_common: Vec<bool>,
}

impl Vocabulary {
    fn intern(&mut self, word: &str, exact: bool) -> WordId {
        let name = if exact { format!("={word}") } else { word.to_owned() };
        let next = self.by_name.len() as WordId + CLASSES;
        if let Some(id) = self.by_name.get(&name) {
            return *id;
        }
        self.by_name.insert(name, next);
        self.is_common.push(is_common(word));
        let all = if exact { vec![word.to_owned()] } else { forms(word) };
        for form in all {
            self.by_form.entry(form).or_default().push(next);
        }
        next
    }

    /// The anchor that ordinary talk touches less: common words and numbers are everywhere.
    fn rarer(&self, left: Option<Vec<WordId>>, right: Option<Vec<WordId>>) -> Option<Vec<WordId>> {
        let cost = |ids: &Vec<WordId>| ids.iter().map(|id| self.cost(*id)).sum::<u32>();
        match (left, right) {
            (Some(left), Some(right)) if cost(&right) < cost(&left) => Some(right),
            (left, right) => left.or(right),
        }
    }

    fn cost(&self, id: WordId) -> u32 {
        let common = id.checked_sub(CLASSES).and_then(|at| self.is_common.get(at as usize));
        if common.copied().unwrap_or(true) { 50 } else { 1 }
    }

    /// The ids that `word` answers to, written into `ids`.
    pub fn look_up(&self, word: &Word, ids: &mut Vec<WordId>) {
        ids.clear();
        if let Some(value) = word.value() {
            ids.push(NUMBER);
            ids.extend(word.is_amount.then_some(AMOUNT));
            ids.extend((value >= 100).then_some(LARGE));
        }
        if let Some(known) = self.by_form.get(&word.text) {
            ids.extend_from_slice(known);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Accepts {
    Any,
    OneOf(Vec<WordId>),
}

impl Accepts {
    fn word(&self, ids: &[WordId]) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(wanted) => wanted.iter().any(|id| ids.contains(id)),
        }
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
    anchor: Vec<WordId>,
    longest: usize,
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
    anchor: Option<Vec<WordId>>,
}

/// The named lists of all packs, parsed.
pub type Lists = HashMap<String, Node>;

struct Builder<'a> {
    vocabulary: &'a mut Vocabulary,
    lists: &'a Lists,
    open_lists: Vec<String>,
    positions: Vec<Position>,
}

impl Automaton {
    /// Compiles a phrase, adding its words to `vocabulary`.
    ///
    /// # Errors
    /// On an unknown or circular list, or a phrase that could match nothing at all.
    pub fn compile(
        node: &Node,
        lists: &Lists,
        vocabulary: &mut Vocabulary,
    ) -> Result<Self, AutomatonError> {
        let mut builder =
            Builder { vocabulary, lists, open_lists: Vec::new(), positions: Vec::new() };
        let part = builder.part(node)?;
        if part.nullable {
            return Err(AutomatonError::MatchesNothing);
        }
        let mut positions = builder.positions;
        for last in part.last {
            positions[usize::from(last)].is_last = true;
        }
        let anchor = part.anchor.ok_or(AutomatonError::NoAnchor)?;
        Ok(Self { positions, first: part.first, anchor, longest: part.longest })
    }

    /// Words of which at least one is in every match: what the index looks for.
    pub fn anchor(&self) -> &[WordId] {
        &self.anchor
    }

    /// The most words that a match can have, gaps included.
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// Calls `found(start, end)` for the shortest match that ends at each word of `from..to`.
    pub fn matches(
        &self,
        ids: &[Vec<WordId>],
        from: usize,
        to: usize,
        threads: &mut Threads,
        mut found: impl FnMut(usize, usize),
    ) {
        threads.reset(self.positions.len());
        for (at, word) in ids.iter().enumerate().take(to).skip(from) {
            let mut best = None;
            threads.step(self, word, at, |start| best = best.max(Some(start)));
            if let Some(start) = best {
                found(start, at + 1);
            }
        }
    }
}

/// The live positions of a running automaton; reused from phrase to phrase.
#[derive(Debug, Default)]
pub struct Threads {
    live: Vec<(u16, usize)>,
    next: Vec<(u16, usize)>,
    slot: Vec<Option<usize>>,
}

impl Threads {
    fn reset(&mut self, positions: usize) {
        self.live.clear();
        self.next.clear();
        self.slot.clear();
        self.slot.resize(positions, None);
    }

    fn step(
        &mut self,
        automaton: &Automaton,
        ids: &[WordId],
        at: usize,
        mut ended: impl FnMut(usize),
    ) {
        let mut live = std::mem::take(&mut self.live);
        for (position, start) in live.drain(..) {
            for &to in &automaton.positions[usize::from(position)].follow {
                self.enter(automaton, to, start, ids);
            }
        }
        for &to in &automaton.first {
            self.enter(automaton, to, at, ids);
        }
        for &(position, start) in &self.next {
            self.slot[usize::from(position)] = None;
            if automaton.positions[usize::from(position)].is_last {
                ended(start);
            }
        }
        self.live = std::mem::replace(&mut self.next, live);
    }

    /// Two threads in one position differ only in where they began: the later one is the tighter.
    fn enter(&mut self, automaton: &Automaton, position: u16, start: usize, ids: &[WordId]) {
        let index = usize::from(position);
        if !automaton.positions[index].accepts.word(ids) {
            return;
        }
        match self.slot[index] {
            Some(slot) => self.next[slot].1 = self.next[slot].1.max(start),
            None => {
                self.slot[index] = Some(self.next.len());
                self.next.push((position, start));
            }
        }
    }
}

impl Builder<'_> {
    fn part(&mut self, node: &Node) -> Result<Part, AutomatonError> {
        match node {
            Node::Word(word) => {
                let id = self.vocabulary.intern(word, false);
                self.leaf(Accepts::OneOf(vec![id]))
            }
            Node::Exact(word) => {
                let id = self.vocabulary.intern(word, true);
                self.leaf(Accepts::OneOf(vec![id]))
            }
            Node::Number => self.leaf(Accepts::OneOf(vec![NUMBER])),
            Node::Amount => self.leaf(Accepts::OneOf(vec![AMOUNT])),
            Node::Large => self.leaf(Accepts::OneOf(vec![LARGE])),
            Node::List(name) => self.list(name),
            Node::Sequence(nodes) => self.sequence(nodes),
            Node::Choice(nodes) => self.choice(nodes),
            Node::Optional(node) => {
                let part = self.part(node)?;
                Ok(Part { nullable: true, anchor: None, ..part })
            }
            Node::Gap(words) => self.gap(*words),
        }
    }

    fn leaf(&mut self, accepts: Accepts) -> Result<Part, AutomatonError> {
        if self.positions.len() == MAX_POSITIONS {
            return Err(AutomatonError::TooLong);
        }
        let position = self.positions.len() as u16;
        let anchor = match &accepts {
            Accepts::OneOf(ids) => Some(ids.clone()),
            Accepts::Any => None,
        };
        self.positions.push(Position { accepts, follow: Vec::new(), is_last: false });
        Ok(Part {
            first: vec![position],
            last: vec![position],
            nullable: false,
            longest: 1,
            anchor,
        })
    }

    fn gap(&mut self, words: u8) -> Result<Part, AutomatonError> {
        let mut part = Part::empty();
        for _ in 0..words {
            let next = self.leaf(Accepts::Any)?;
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
        Part {
            first,
            last,
            nullable: left.nullable && right.nullable,
            longest: left.longest + right.longest,
            anchor: self.vocabulary.rarer(left.anchor, right.anchor),
        }
    }

    /// Single words of a choice share one position, which keeps long lists cheap.
    fn choice(&mut self, nodes: &[Node]) -> Result<Part, AutomatonError> {
        let mut ids = Vec::new();
        let mut parts = Vec::new();
        for node in nodes {
            match node {
                Node::Word(word) => ids.push(self.vocabulary.intern(word, false)),
                Node::Exact(word) => ids.push(self.vocabulary.intern(word, true)),
                Node::Number => ids.push(NUMBER),
                Node::Amount => ids.push(AMOUNT),
                Node::Large => ids.push(LARGE),
                other => parts.push(self.part(other)?),
            }
        }
        if !ids.is_empty() {
            parts.push(self.leaf(Accepts::OneOf(ids))?);
        }
        Ok(parts.into_iter().reduce(either).unwrap_or_else(Part::empty))
    }
}

impl Part {
    const fn empty() -> Self {
        Self { first: Vec::new(), last: Vec::new(), nullable: true, longest: 0, anchor: None }
    }
}

fn either(mut left: Part, right: Part) -> Part {
    left.first.extend(right.first);
    left.last.extend(right.last);
    left.nullable |= right.nullable;
    left.longest = left.longest.max(right.longest);
    left.anchor = left.anchor.zip(right.anchor).map(|(mut left, right)| {
        left.extend(right);
        left
    });
    left
}
