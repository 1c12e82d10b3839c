//! All words that any phrase mentions, each with the forms in which it may be heard.

use std::collections::HashMap;

use compact_str::CompactString;
use foldhash::fast::FixedState;

use super::ids::{HeardId, WordId};
use super::inflect::{forms, is_common};
use super::mishearing::{self, Mishearings};
use super::pattern::Class;
use super::words::Word;

/// Ids below this are classes.
const CLASSES: WordId = Class::ALL.len() as WordId;

/// How a phrase wants its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// In any inflection.
    Inflected,
    /// Just so.
    Exact,
    /// In any inflection, or misheard.
    Misheard,
}

/// All words that any phrase mentions.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// The words that each form is a form of.
    by_form: HashMap<CompactString, Vec<WordId>, FixedState>,
    /// What every form and every everyday word is heard as; made by [`settle`](Self::settle), so
    /// that one look-up is enough for nearly all that people say.
    settled: HashMap<CompactString, Box<[HeardId]>, FixedState>,
    by_name: HashMap<(CompactString, Wanted), WordId, FixedState>,
    mishearings: Mishearings,
    /// Whether each id that is not a class is a word that nearly every utterance has.
    is_common: Vec<bool>,
}

impl Vocabulary {
    /// The id of a class.
    pub fn class(class: Class) -> WordId {
        Class::ALL.iter().position(|(_, known)| *known == class).unwrap_or(0) as WordId
    }

    /// The id of a word, which is made if it is new.
    pub fn intern(&mut self, word: &str, wanted: Wanted) -> WordId {
        let next = self.len();
        let name = (CompactString::from(word), wanted);
        if let Some(id) = self.by_name.get(&name) {
            return *id;
        }
        self.by_name.insert(name, next);
        self.is_common.push(is_common(word));
        let all = if wanted == Wanted::Exact { vec![word.to_owned()] } else { forms(word) };
        for form in all {
            if wanted == Wanted::Misheard {
                self.mishearings.add(&form, next);
            }
            self.by_form.entry(form.into()).or_default().push(next);
        }
        next
    }

    /// Whether a word is worth hearing in what sounds like it.
    pub fn can_be_misheard(word: &str) -> bool {
        word.len() >= mishearing::MIN_LETTERS && !is_common(word)
    }

    /// How many ids there are.
    pub fn len(&self) -> u32 {
        self.is_common.len() as WordId + CLASSES
    }

    /// No phrase mentions a word.
    pub fn is_empty(&self) -> bool {
        self.is_common.is_empty()
    }

    /// Nearly every utterance has it: a common word, or a number.
    pub fn is_everywhere(&self, id: WordId) -> bool {
        id.checked_sub(CLASSES).is_none_or(|word| self.is_common[word as usize])
    }

    /// How much of ordinary talk a set of words touches: common words and numbers are everywhere.
    pub fn cost(&self, ids: &[WordId]) -> u32 {
        let one = |id: &WordId| if self.is_everywhere(*id) { 50 } else { 1 };
        ids.iter().map(one).sum()
    }

    /// Prepares for [`look_up`](Self::look_up), when all words are known.
    pub fn settle(&mut self) {
        let forms = self.by_form.keys().map(CompactString::as_str);
        let words: Vec<&str> = forms.chain(mishearing::EVERYDAY.iter().copied()).collect();
        let heard = |word: &&str| {
            let known = self.by_form.get(*word).map_or(&[][..], Vec::as_slice);
            let mut ids: Vec<HeardId> = known.iter().map(|id| HeardId::new(*id, false)).collect();
            let is_everyday = mishearing::is_everyday(word);
            self.mishearings.look_up(word, is_everyday, |id| {
                if !known.contains(&id) {
                    ids.push(HeardId::new(id, true));
                }
            });
            ids.sort_unstable();
            ids.dedup();
            (CompactString::from(*word), ids.into_boxed_slice())
        };
        self.settled = words.iter().map(heard).collect();
    }

    /// Adds the ids that `word` answers to.
    pub fn look_up(&self, word: &Word, ids: &mut Vec<HeardId>) {
        if word.is_time || word.is_number() {
            let classes = Class::ALL.iter().enumerate().filter(|(_, (_, class))| class.holds(word));
            ids.extend(classes.map(|(id, _)| HeardId::new(id as WordId, false)));
        }
        if let Some(known) = self.settled.get(&word.text) {
            ids.extend_from_slice(known);
        } else if !word.is_number() {
            let first = ids.len();
            self.mishearings.look_up(&word.text, false, |id| {
                let heard = HeardId::new(id, true);
                if !ids[first..].contains(&heard) {
                    ids.push(heard);
                }
            });
        }
    }
}
