//! The forms that one word of a rule stands for: "withdraw" also means withdraws, withdrew,
//! withdrawn and withdrawing.
//!
//! Forms are made when the rules are compiled, so that recognising one costs a hash look-up. A form
//! that no one says ("takens") does no harm; a form that is another word does ("us" → "uses"),
//! which is why short words and function words are never inflected.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::FixedState;

/// Verbs whose forms no rule of spelling gives, and nouns with odd plurals.
const IRREGULAR: &[&[&str]] = &[
    &["be", "is", "are", "am", "was", "were", "been", "being"],
    &["become", "becomes", "became", "becoming"],
    &["begin", "begins", "began", "begun", "beginning"],
    &["break", "breaks", "broke", "broken", "breaking"],
    &["bring", "brings", "brought", "bringing"],
    &["buy", "buys", "bought", "buying"],
    &["catch", "catches", "caught", "catching"],
    &["choose", "chooses", "chose", "chosen", "choosing"],
    &["come", "comes", "came", "coming"],
    &["cut", "cuts", "cutting"],
    &["do", "does", "did", "done", "doing"],
    &["draw", "draws", "drew", "drawn", "drawing"],
    &["drive", "drives", "drove", "driven", "driving"],
    &["fall", "falls", "fell", "fallen", "falling"],
    &["feel", "feels", "felt", "feeling"],
    &["find", "finds", "found", "finding"],
    &["forget", "forgets", "forgot", "forgotten", "forgetting"],
    &["freeze", "freezes", "froze", "frozen", "freezing"],
    &["get", "gets", "got", "gotten", "getting"],
    &["give", "gives", "gave", "given", "giving"],
    &["go", "goes", "went", "gone", "going"],
    &["have", "has", "had", "having"],
    &["hear", "hears", "heard", "hearing"],
    &["hide", "hides", "hid", "hidden", "hiding"],
    &["hold", "holds", "held", "holding"],
    &["keep", "keeps", "kept", "keeping"],
    &["know", "knows", "knew", "known", "knowing"],
    &["leave", "leaves", "left", "leaving"],
    &["lend", "lends", "lent", "lending"],
    &["lie", "lies", "lied", "lying"],
    &["lose", "loses", "lost", "losing"],
    &["make", "makes", "made", "making"],
    &["mean", "means", "meant", "meaning"],
    &["meet", "meets", "met", "meeting"],
    &["pay", "pays", "paid", "paying"],
    &["put", "puts", "putting"],
    &["read", "reads", "reading"],
    &["ring", "rings", "rang", "rung", "ringing"],
    &["say", "says", "said", "saying"],
    &["see", "sees", "saw", "seen", "seeing"],
    &["seize", "seizes", "seized", "seizing"],
    &["sell", "sells", "sold", "selling"],
    &["send", "sends", "sent", "sending"],
    &["speak", "speaks", "spoke", "spoken", "speaking"],
    &["spend", "spends", "spent", "spending"],
    &["stand", "stands", "stood", "standing"],
    &["steal", "steals", "stole", "stolen", "stealing"],
    &["take", "takes", "took", "taken", "taking"],
    &["tell", "tells", "told", "telling"],
    &["think", "thinks", "thought", "thinking"],
    &["wear", "wears", "wore", "worn", "wearing"],
    &["withdraw", "withdraws", "withdrew", "withdrawn", "withdrawing", "withdrawal", "withdrawals"],
    &["write", "writes", "wrote", "written", "writing"],
    &["man", "men"],
    &["woman", "women"],
    &["person", "people", "persons"],
    &["child", "children"],
    &["thief", "thieves"],
];

/// The irregular family of a word.
fn irregular(word: &str) -> Option<&'static [&'static str]> {
    static FAMILIES: LazyLock<HashMap<&str, &[&str], FixedState>> = LazyLock::new(|| {
        let of = |family: &&'static [&'static str]| {
            let family = *family;
            family.iter().map(move |form| (*form, family))
        };
        IRREGULAR.iter().flat_map(of).collect()
    });
    FAMILIES.get(word).copied()
}

/// Words that carry grammar rather than meaning.
const GRAMMAR: &[&str] = &[
    "the", "and", "but", "for", "not", "you", "your", "yours", "they", "them", "their", "this",
    "that", "these", "those", "our", "ours", "his", "her", "hers", "its", "she", "him", "who",
    "what", "when", "where", "why", "how", "which", "with", "from", "into", "onto", "over",
    "under", "about", "than", "then", "will", "would", "can", "could", "shall", "should", "may",
    "might", "must", "any", "all", "some", "out", "off", "yes", "now",
];

/// Words whose regular "forms" are other words.
const FIXED: &[&str] =
    &["new", "old", "good", "never", "because", "until", "please", "car", "bus", "gas", "police"];

/// All forms of `word`, itself first. Lower case in, lower case out.
pub fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    let fixed = word.len() < 3
        || GRAMMAR.contains(&word)
        || FIXED.contains(&word)
        || !word.chars().all(|c| c.is_ascii_lowercase());
    if let Some(family) = irregular(word) {
        forms.extend(family.iter().map(|form| (*form).to_owned()));
    } else if !fixed {
        regular(word, &mut forms);
    }
    for at in 0..forms.len() {
        forms.extend(other_spelling(&forms[at]));
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The word is in nearly every utterance, so finding it says little about where a phrase may be.
pub fn is_common(word: &str) -> bool {
    const ALSO: &[&str] =
        &["have", "make", "take", "know", "like", "just", "there", "here", "well"];
    word.len() < 4 || GRAMMAR.contains(&word) || ALSO.contains(&word)
}

fn regular(word: &str, forms: &mut Vec<String>) {
    let consonant_before = |word: &str| {
        word.chars().rev().nth(1).is_some_and(|c| !matches!(c, 'a' | 'e' | 'i' | 'o' | 'u'))
    };
    if word.ends_with(['s', 'x', 'z']) || word.ends_with("ch") || word.ends_with("sh") {
        forms.extend(["es", "ed", "ing"].map(|end| format!("{word}{end}")));
    } else if let Some(stem) = word.strip_suffix('y').filter(|_| consonant_before(word)) {
        forms.extend([format!("{stem}ies"), format!("{stem}ied"), format!("{word}ing")]);
    } else if let Some(stem) = word.strip_suffix('e').filter(|stem| !stem.ends_with('e')) {
        forms.extend([format!("{word}s"), format!("{word}d"), format!("{stem}ing")]);
    } else {
        forms.extend(["s", "ed", "ing"].map(|end| format!("{word}{end}")));
    }
    if doubles(word) {
        let last = &word[word.len() - 1..];
        forms.extend(["ed", "ing"].map(|end| format!("{word}{last}{end}")));
    }
}

/// Consonant, vowel, consonant at the end, as in "stop" and "transfer": the last may double.
fn doubles(word: &str) -> bool {
    let vowel = |c: u8| matches!(c, b'a' | b'e' | b'i' | b'o' | b'u');
    let [.., first, second, third] = word.as_bytes() else { return false };
    !vowel(*first) && vowel(*second) && !vowel(*third) && !matches!(third, b'w' | b'x' | b'y')
}

/// The American spelling of a British form and the other way about.
fn other_spelling(form: &str) -> Option<String> {
    const PAIRS: &[(&str, &str)] = &[
        ("isation", "ization"),
        ("ising", "izing"),
        ("ised", "ized"),
        ("ise", "ize"),
        ("cheque", "check"),
        ("colour", "color"),
        ("favour", "favor"),
        ("honour", "honor"),
        ("neighbour", "neighbor"),
        ("centre", "center"),
        ("licence", "license"),
        ("jewellery", "jewelry"),
        ("programme", "program"),
        ("cancelled", "canceled"),
        ("cancelling", "canceling"),
        ("judgement", "judgment"),
    ];
    const NOT_ISE: &[&str] = &[
        "rise",
        "wise",
        "otherwise",
        "raise",
        "raised",
        "promise",
        "promised",
        "surprise",
        "surprised",
        "exercise",
        "advise",
        "advised",
        "raising",
        "rising",
        "noise",
        "size",
        "prize",
        "seize",
        "seized",
        "seizing",
    ];
    if NOT_ISE.contains(&form) {
        return None;
    }
    PAIRS.iter().find_map(|(british, american)| {
        if form.contains(british) {
            Some(form.replace(british, american))
        } else if *british != "cheque" && form.contains(american) {
            Some(form.replace(american, british))
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::forms;

    fn has(word: &str, expected: &[&str]) {
        let forms = forms(word);
        for form in expected {
            assert!(forms.iter().any(|known| known == form), "{word}: no {form} in {forms:?}");
        }
    }

    #[test]
    fn verbs_and_nouns_inflect() {
        has("withdraw", &["withdraw", "withdrew", "withdrawn", "withdrawing", "withdraws"]);
        has("transfer", &["transfers", "transferred", "transferring"]);
        has("verify", &["verifies", "verified", "verifying"]);
        has("arrange", &["arranged", "arranging"]);
        has("courier", &["couriers"]);
        has("told", &["tell", "telling"]);
    }

    #[test]
    fn spelling_follows_both_sides_of_the_atlantic() {
        has("authorise", &["authorize", "authorized", "authorising"]);
        has("cheque", &["check", "cheques"]);
        assert!(!forms("check").contains(&"cheque".to_owned()));
        assert!(!forms("promise").contains(&"promize".to_owned()));
    }

    #[test]
    fn function_words_stay_as_they_are() {
        for word in ["us", "her", "the", "new", "we"] {
            assert_eq!(forms(word), [word]);
        }
    }
}
