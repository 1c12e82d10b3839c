//! Words as a recogniser mishears them: what sounds alike, and what is one letter off.
//!
//! "career" is heard for courier, "metropolitan please" for police, "safer count" for safe account.
//! Targets are indexed by sound and by their forms with one letter left out, so that a heard word
//! costs a few look-ups, however many targets there are.

use std::collections::HashMap;

use compact_str::CompactString;
use foldhash::fast::FixedState;

use super::ids::WordId;

/// Shorter words sound like too many others.
pub const MIN_LETTERS: usize = 4;

/// Shorter words are one letter from too many others.
const MIN_EDITED: usize = 5;

/// Longer "words" are noise, and would cost more than their share.
const MAX_LETTERS: usize = 24;

/// The words of all rules that may be misheard.
#[derive(Debug, Default)]
pub struct Mishearings {
    targets: Vec<(CompactString, WordId)>,
    by_deletion: HashMap<u64, Vec<u32>, FixedState>,
    by_sound: HashMap<CompactString, Vec<u32>, FixedState>,
}

impl Mishearings {
    /// Lets `form` be misheard, as a form of the word `id`.
    pub fn add(&mut self, form: &str, id: WordId) {
        let number = self.targets.len() as u32;
        if !is_plain(form) {
            return;
        }
        self.targets.push((form.into(), id));
        self.by_sound.entry(sound(form)).or_default().push(number);
        if form.len() >= MIN_EDITED {
            self.by_deletion.entry(hash(form.bytes())).or_default().push(number);
            each_deletion(form, |hash| self.by_deletion.entry(hash).or_default().push(number));
        }
    }

    /// Calls `found` with each word that `heard` may stand for. It may be called twice.
    /// `everyday` words are said far more often than they are misheard: see [`is_everyday`].
    pub fn look_up(&self, heard: &str, everyday: bool, mut found: impl FnMut(WordId)) {
        if self.targets.is_empty() || !is_plain(heard) {
            return;
        }
        let numbers = self.by_sound.get(&sound(heard)).into_iter().flatten();
        for (target, id) in numbers.map(|number| &self.targets[*number as usize]) {
            if sounds_like(heard, target, everyday) {
                found(*id);
            }
        }
        if everyday {
            return;
        }
        let mut probe = |hash: u64| {
            let numbers = self.by_deletion.get(&hash).into_iter().flatten();
            for (target, id) in numbers.map(|number| &self.targets[*number as usize]) {
                if within_one_edit(heard, target) {
                    found(*id);
                }
            }
        };
        probe(hash(heard.bytes()));
        each_deletion(heard, probe);
    }
}

fn is_plain(word: &str) -> bool {
    (MIN_LETTERS..=MAX_LETTERS).contains(&word.len())
        && word.bytes().all(|letter| letter.is_ascii_lowercase())
}

const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

/// A polynomial hash, so that leaving a letter out costs one step.
fn hash(letters: impl Iterator<Item = u8>) -> u64 {
    letters.fold(0, |hash, letter| hash.wrapping_mul(BASE).wrapping_add(u64::from(letter)))
}

/// The hash of the word without each of its letters in turn.
fn each_deletion(word: &str, mut each: impl FnMut(u64)) {
    let (mut behind, mut power) = (0_u64, 1_u64);
    let mut prefixes = [0_u64; MAX_LETTERS + 1];
    for (at, letter) in word.bytes().enumerate() {
        prefixes[at + 1] = prefixes[at].wrapping_mul(BASE).wrapping_add(u64::from(letter));
    }
    for (at, letter) in word.bytes().enumerate().rev() {
        each(prefixes[at].wrapping_mul(power).wrapping_add(behind));
        behind = behind.wrapping_add(u64::from(letter).wrapping_mul(power));
        power = power.wrapping_mul(BASE);
    }
}

/// One letter was inserted, left out or replaced, and the words differ.
fn within_one_edit(heard: &str, target: &str) -> bool {
    let (short, long) = if heard.len() <= target.len() { (heard, target) } else { (target, heard) };
    let (short, long) = (short.as_bytes(), long.as_bytes());
    if target.len() < MIN_EDITED || long.len() - short.len() > 1 || short == long {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(left, right)| left == right).count();
    let replaced = usize::from(short.len() == long.len());
    short[same + replaced..] == long[same + 1..]
}

/// The sound of a word, roughly: its consonants, as southern English speaks them. Vowels are what
/// recognisers mistake first; an `r` is heard only before one.
fn sound(word: &str) -> CompactString {
    let letters = word.as_bytes();
    let mut key = CompactString::default();
    let (mut at, mut after_vowel) = (0, true);
    while at < letters.len() {
        let next = letters.get(at + 1).copied().unwrap_or(b' ');
        let before_vowel = matches!(next, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
        let before_soft = matches!(next, b'e' | b'i' | b'y');
        let (heard, used) = match (letters[at], next) {
            (b'p', b'h') => ("f", 2),
            (b'g', b'h') => ("", 2),
            (b'k', b'n') | (b'w', b'r') if at == 0 => ("", 1),
            (b't', b'h') => ("0", 2),
            (b's' | b'c', b'h') => ("x", 2),
            (b'c', _) if before_soft => ("s", 1),
            (b'c' | b'q' | b'k', _) => ("k", 1),
            (b'x', _) => ("ks", 1),
            (b'z' | b's', _) => ("s", 1),
            (b'g', _) if before_soft => ("j", 1),
            (b'd', b'g') => ("j", 2),
            (b'r' | b'w' | b'h', _) if !before_vowel => ("", 1),
            (b'y', _) if at > 0 || !before_vowel => ("", 1),
            (b'a' | b'e' | b'i' | b'o' | b'u', _) => ("", 1),
            (_, _) => (&word[at..=at], 1),
        };
        if after_vowel || !key.ends_with(heard) {
            key.push_str(heard);
        }
        after_vowel = heard.is_empty();
        at += used;
    }
    key
}

/// Words of one sound are alike if they are spelled alike too, or have consonants enough to tell.
fn sounds_like(heard: &str, target: &str, everyday: bool) -> bool {
    /// "please" and "police" share three.
    const TELLING: usize = 3;
    if heard == target {
        return false;
    }
    let (syllables, wanted) = (vowel_groups(heard), vowel_groups(target));
    // An everyday word that is longer than the target was said: "policy" is no police.
    syllables.abs_diff(wanted) <= 1
        && (syllables <= wanted || !everyday)
        && (sound(target).len() >= TELLING
            || 2 * edits(heard, target) <= heard.len().max(target.len()))
}

fn vowel_groups(word: &str) -> usize {
    let is_vowel = |c: u8| matches!(c, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let word = word.strip_suffix('e').unwrap_or(word).as_bytes();
    let begins = |at: usize| is_vowel(word[at]) && (at == 0 || !is_vowel(word[at - 1]));
    (0..word.len()).filter(|at| begins(*at)).count()
}

/// Levenshtein's distance.
fn edits(left: &str, right: &str) -> usize {
    let right = right.as_bytes();
    let mut row: [usize; MAX_LETTERS + 1] = std::array::from_fn(|at| at);
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

/// Words of ordinary talk that are a letter away from words of scams: who says "policy" or
/// "person" means it.
pub fn is_everyday(word: &str) -> bool {
    EVERYDAY.binary_search(&word).is_ok()
}

/// In alphabetical order.
pub const EVERYDAY: &[&str] = &[
    "about", "above", "accent", "accident", "across", "actor", "adopt", "advert", "advice",
    "after", "again", "agree", "ahead", "alert", "alive", "allow", "alone", "along", "already",
    "although", "always", "amount", "amounts", "angel", "angle", "annoy", "another", "apart",
    "apple", "argue", "around", "arrive", "arrived", "aside", "asked", "aunt", "awake", "award",
    "aware", "away", "back", "bake", "baker", "band", "bark", "basic", "basket", "bath", "beach",
    "bear", "beat", "bed", "been", "before", "begin", "behind", "being", "below", "best", "better",
    "between", "bill", "bills", "bird", "bite", "black", "blank", "block", "blood", "board",
    "boat", "body", "book", "books", "both", "bought", "bound", "bowl", "bread", "break", "brick",
    "bring", "broad", "broken", "brother", "brown", "build", "built", "burn", "came", "camp",
    "cancer", "candy", "card", "cards", "care", "careful", "carry", "cart", "case", "cases",
    "cast", "castle", "catch", "cause", "centre", "chair", "chance", "change", "changed", "charge",
    "charges", "chart", "chase", "cheap", "check", "cheer", "cheese", "chief", "child", "choice",
    "church", "clean", "clear", "clerk", "click", "climb", "clock", "close", "closed", "cloth",
    "clothes", "cloud", "coach", "coast", "coat", "cold", "colour", "come", "comes", "common",
    "cook", "cool", "corner", "cost", "couch", "could", "count", "counter", "country", "county",
    "couple", "course", "court", "cousin", "cover", "crack", "crash", "cream", "create", "cried",
    "cross", "crowd", "crown", "daily", "dance", "dark", "date", "dates", "daughter", "dead",
    "deal", "dear", "death", "deep", "deliver", "depth", "desk", "dinner", "doctor", "doctors",
    "door", "doubt", "down", "draft", "dream", "dress", "drink", "drive", "driver", "drop",
    "during", "each", "early", "earth", "east", "easy", "edge", "eight", "either", "elder", "else",
    "empty", "enjoy", "enough", "enter", "entry", "equal", "even", "event", "ever", "every",
    "exact", "excuse", "expect", "extra", "face", "fact", "fair", "fall", "false", "family",
    "farm", "fast", "father", "favour", "fear", "feed", "feel", "field", "fight", "final", "find",
    "fine", "finger", "finish", "fire", "first", "fish", "flat", "floor", "flower", "follow",
    "food", "forget", "form", "forms", "forth", "forty", "forward", "found", "freed", "fresh",
    "friend", "front", "fruit", "full", "further", "game", "garden", "gate", "gave", "giant",
    "girl", "given", "glad", "glass", "goes", "going", "gold", "gone", "good", "grade", "grand",
    "grant", "grass", "great", "green", "grey", "ground", "group", "grow", "grown", "guess",
    "guest", "guide", "hair", "half", "hand", "handle", "hands", "hang", "happen", "happy", "hard",
    "hate", "head", "hear", "heard", "heart", "heat", "heavy", "help", "here", "hill", "hold",
    "holiday", "home", "hope", "horse", "hospital", "hotel", "hour", "hours", "house", "human",
    "idea", "inside", "invent", "invite", "issue", "items", "joint", "judge", "keep", "kept",
    "kind", "kitchen", "knew", "know", "known", "lady", "land", "large", "last", "late", "later",
    "laugh", "learn", "least", "leave", "left", "lesson", "letter", "level", "life", "light",
    "like", "line", "list", "listen", "little", "live", "local", "lone", "long", "longer", "look",
    "loose", "lose", "loss", "lots", "loud", "love", "lovely", "lower", "lucky", "lunch", "make",
    "maker", "many", "march", "market", "match", "matter", "maybe", "meal", "mean", "meant",
    "meat", "meet", "metal", "might", "mile", "milk", "mind", "mine", "minute", "minutes", "miss",
    "model", "money", "month", "more", "morning", "most", "mother", "mouth", "move", "movie",
    "much", "music", "must", "myself", "name", "near", "nearly", "neck", "need", "nephew", "never",
    "news", "next", "nice", "niece", "night", "noise", "none", "normal", "north", "notice",
    "number", "numbers", "nurse", "occur", "ocean", "offer", "office", "offices", "often", "older",
    "once", "only", "open", "order", "orders", "other", "ought", "outer", "outside", "oven",
    "over", "owner", "page", "paid", "pain", "paint", "pair", "paper", "parent", "park", "part",
    "parts", "party", "pass", "past", "pattern", "peace", "people", "perhaps", "period", "person",
    "phase", "phone", "photo", "piano", "pick", "picture", "piece", "pink", "pint", "place",
    "places", "plain", "plan", "plane", "plant", "plate", "play", "player", "please", "pocket",
    "point", "policy", "polite", "pool", "poor", "post", "poster", "potato", "power", "press",
    "pretty", "price", "pride", "prince", "print", "prize", "proof", "proud", "public", "pull",
    "push", "quick", "quiet", "quite", "radio", "rain", "raise", "range", "rather", "reach",
    "read", "reader", "ready", "real", "really", "reason", "receive", "recent", "record",
    "relation", "rent", "reply", "rest", "result", "return", "rich", "ride", "right", "ring",
    "river", "road", "rock", "room", "rooms", "rough", "round", "route", "safe", "said", "sale",
    "sales", "salt", "same", "sand", "save", "saved", "scale", "scene", "school", "score",
    "screen", "search", "seat", "second", "seem", "seen", "sell", "send", "sense", "sent", "serve",
    "service", "seven", "several", "shade", "shall", "shape", "share", "sharp", "sheet", "shelf",
    "shell", "shift", "shine", "ship", "shirt", "shoe", "shoot", "shop", "shops", "shore", "short",
    "should", "shout", "show", "shower", "sick", "side", "sight", "sign", "simple", "since",
    "single", "sister", "site", "sixty", "size", "skill", "skin", "sleep", "slow", "small",
    "smart", "smell", "smile", "smoke", "snow", "soft", "some", "song", "soon", "sore", "sort",
    "sorts", "sound", "soup", "south", "space", "spare", "speak", "speed", "spend", "spent",
    "sport", "spring", "staff", "stage", "stair", "stand", "star", "stare", "start", "state",
    "stated", "states", "station", "stay", "steam", "step", "stick", "still", "stone", "stood",
    "stop", "store", "storm", "story", "stove", "street", "strong", "study", "stuff", "style",
    "sugar", "suit", "summer", "supper", "supply", "support", "sure", "swear", "sweet", "swim",
    "table", "take", "taken", "taker", "talk", "tall", "taste", "teach", "team", "tear", "tell",
    "teller", "text", "thank", "thanks", "that", "their", "them", "then", "there", "these", "they",
    "thick", "thing", "things", "think", "third", "thirty", "this", "those", "though", "three",
    "throw", "tight", "time", "times", "tired", "title", "today", "told", "tooth", "topic",
    "total", "touch", "tough", "tour", "tower", "town", "trade", "trail", "train", "travel",
    "treat", "tree", "trick", "trip", "trouble", "trunk", "trust", "truth", "turn", "twice",
    "type", "uncle", "under", "unite", "unless", "until", "upper", "upset", "usual", "valley",
    "value", "very", "view", "visit", "voice", "vote", "wait", "wake", "walk", "wall", "want",
    "warm", "wash", "waste", "watch", "water", "wave", "wear", "week", "weeks", "weight", "well",
    "went", "were", "west", "what", "wheel", "when", "where", "which", "while", "white", "whole",
    "whose", "wide", "wife", "wild", "will", "wind", "window", "wine", "winter", "wire", "wish",
    "with", "woman", "women", "wonder", "wood", "wool", "word", "words", "work", "worked",
    "worker", "world", "worry", "worse", "worth", "would", "wrap", "write", "wrong", "wrote",
    "year", "years", "young", "your",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(heard: &str, target: &str) -> bool {
        let mut mishearings = Mishearings::default();
        mishearings.add(target, 7);
        let mut found = false;
        mishearings.look_up(heard, is_everyday(heard), |id| found |= id == 7);
        found
    }

    #[test]
    fn what_recognisers_hear_is_found() {
        for (heard, target) in [
            ("career", "courier"),
            ("carrier", "courier"),
            ("currier", "courier"),
            ("please", "police"),
            ("safer", "safe"),
            ("count", "account"),
            ("withdrawl", "withdrawal"),
            ("detectiv", "detective"),
            ("metropolitian", "metropolitan"),
            ("fraude", "fraud"),
        ] {
            assert!(alike(heard, target), "{heard} for {target}");
        }
    }

    #[test]
    fn ordinary_words_are_themselves() {
        for (heard, target) in [
            ("policy", "police"),
            ("person", "prison"),
            ("care", "courier"),
            ("curry", "courier"),
            ("kind", "account"),
            ("same", "safe"),
            ("cart", "card"),
            ("amount", "account"),
        ] {
            assert!(!alike(heard, target), "{heard} for {target}");
        }
    }

    #[test]
    fn the_everyday_words_can_be_searched() {
        assert!(EVERYDAY.is_sorted_by(|left, right| left < right));
    }

    proptest::proptest! {
        #[test]
        fn one_edit_is_found_and_two_are_not_claimed(word in "[a-z]{5,12}", at in 0_usize..5) {
            let mut shorter = word.clone();
            shorter.remove(at);
            let mut longer = word.clone();
            longer.insert(at, 'q');
            for heard in [&shorter, &longer] {
                proptest::prop_assert!(alike(heard, &word) || is_everyday(heard) || *heard == word);
            }
        }

        #[test]
        fn no_text_panics(heard in "\\PC{0,40}", target in "[a-z]{0,30}") {
            alike(&heard, &target);
        }
    }
}
