//! What the rule language promises, on small packs written for it.

use std::sync::Arc;

use lineclear::call::{Leg, Origin, Signal, SignalKind, Sound, Utterance};
use lineclear::config::{Config, Levels};
use lineclear::rules::{Level, Rulebook, Screen, Verdict, load};
use lineclear::time::CallTime;
use proptest::prelude::*;

const HEAD: &str = r#"
[pack]
id = "t"
title = "Test"
version = "1"
[stages.hook]
cap = 40.0
floor = 0.5
[stages.authority]
cap = 40.0
floor = 0.5
[stages.extraction]
cap = 40.0
floor = 0.5
[sequences]
cap = 8.0
floor = 0.5
[reassurance]
cap = 5.0
"#;

/// A rule; `more` is any other keys.
fn rule(id: &str, stage: &str, phrase: &str, more: &str) -> String {
    let weight = if more.contains("weight") { "" } else { "weight = 10.0" };
    format!(
        "[[rule]]\nid = \"t.{id}\"\ntitle = \"{id}\"\nstage = \"{stage}\"\n{weight}\n\
         phrases = [\"{phrase}\"]\nmust-match = [\"{}\"]\nmust-not-match = [\"Good morning.\"]\n\
         {more}\n",
        phrase.replace(['~', '='], "")
    )
}

fn book(rules: &[String]) -> Arc<Rulebook> {
    let pack = format!("{HEAD}{}", rules.join("\n"));
    Arc::new(load(&[("t.toml".to_owned(), pack)]).unwrap_or_else(|error| panic!("{error}")))
}

fn levels() -> Levels {
    Config::parse("").expect("defaults").levels
}

fn screen(book: &Arc<Rulebook>) -> Screen {
    Screen::new(Arc::clone(book), levels(), Origin::Unknown)
}

fn say(leg: Leg, at_s: u64, text: &str) -> Utterance {
    Utterance {
        leg,
        start: CallTime(at_s * 1000),
        end: CallTime(at_s * 1000),
        text: text.to_owned().into(),
        confidence: None,
        is_final: true,
    }
}

/// The verdict on what the other party says, five seconds apart.
fn after(book: &Arc<Rulebook>, said: &[&str]) -> Verdict {
    let mut screen = screen(book);
    for (at, text) in (0..).zip(said) {
        screen.hear(&say(Leg::Remote, at * 5, text));
    }
    screen.verdict()
}

fn ids(book: &Rulebook, verdict: &Verdict) -> Vec<String> {
    let mut ids: Vec<String> =
        verdict.hits.iter().map(|hit| book.rules[hit.rule].id.clone()).collect();
    ids.sort();
    ids
}

#[test]
fn what_is_misheard_counts_for_less() {
    let tolerant = book(&[rule("a", "hook", "metropolitan police", "tolerance = 0.6")]);
    let exact = book(&[rule("a", "hook", "metropolitan police", "")]);
    for (said, weight) in
        [("metropolitan police", 10.0), ("metropolitan please", 6.0), ("metropolitan peas", 0.0)]
    {
        assert!((after(&tolerant, &[said]).score - weight).abs() < 1e-9, "{said}");
    }
    assert_eq!(after(&exact, &["metropolitan please"]).score, 0.0);
}

#[test]
fn the_mishearings_that_recognisers_make_are_heard() {
    let book = book(&[
        rule("account", "extraction", "~safe ~account", ""),
        rule("courier", "extraction", "~courier <4> ~collect", ""),
    ]);
    for said in ["Move it to a safer count.", "A career will come and collect it."] {
        let heard = screen(&book).hear(&say(Leg::Remote, 0, said));
        assert_eq!(heard.findings.len(), 1, "{said}");
        assert!(heard.findings[0].misheard > 0 && heard.findings[0].keeps < 1.0, "{said}");
    }
    for said in ["We had the same count again.", "Take care, I will collect her.", "A safe kind"] {
        assert!(screen(&book).hear(&say(Leg::Remote, 0, said)).findings.is_empty(), "{said}");
    }
}

#[test]
fn numbers_are_told_apart_by_what_they_are() {
    let classes = ["amount", "pin", "code", "card", "sort-code", "telephone", "time", "digits"];
    let rules: Vec<String> = classes
        .iter()
        .map(|class| {
            rule(class, "hook", &format!("it is #{class}"), "")
                .replace(&format!("must-match = [\"it is #{class}\"]"), "must-match = []")
        })
        .collect();
    // The examples are the cases below.
    let pack =
        format!("{HEAD}{}", rules.join("\n")).replace("must-match = []", "must-match = [\"x\"]");
    let error = load(&[("t.toml".to_owned(), pack.clone())]).expect_err("examples that fail");
    assert_eq!(error.0.len(), classes.len());
    let example =
        ["£500", "4417", "881203", "4929 1234 5678 9012", "20-45-67", "07700 900123", "9am", "771"];
    let mut sound = pack;
    for (class, number) in classes.iter().zip(example) {
        let from = format!("phrases = [\"it is #{class}\"]\nmust-match = [\"x\"]");
        assert!(sound.contains(&from), "{class}");
        let to = format!("phrases = [\"it is #{class}\"]\nmust-match = [\"it is {number}\"]");
        sound = sound.replace(&from, &to);
    }
    let book = Arc::new(load(&[("t.toml".to_owned(), sound)]).expect("sound"));
    let found = |said: &str| ids(&book, &after(&book, &[said])).join(" ").replace("t.", "");
    assert_eq!(found("It is four one double seven."), "code digits pin");
    assert_eq!(found("It is forty two."), "");
    assert_eq!(found("It is three thousand pounds."), "amount");
    assert_eq!(found("It is half past nine."), "");
    assert_eq!(found("It is nine o'clock."), "time");
    assert_eq!(found("It is 4929 1234 5678 9012."), "card digits");
}

#[test]
fn a_gap_ends_with_the_sentence_unless_it_says_otherwise() {
    let within = book(&[rule("a", "hook", "withdraw <5> cash", "")]);
    let beyond = book(&[rule("a", "hook", "withdraw <5.> cash", "")]);
    let two = "Please withdraw it today. We need the cash.";
    assert_eq!(after(&within, &[two]).score, 0.0);
    assert!(after(&beyond, &[two]).score > 0.0);
    assert!(after(&within, &["Please withdraw it today in cash."]).score > 0.0);
}

fn sequence(keys: &str) -> String {
    format!(
        "[[rule]]\nid = \"t.seq\"\ntitle = \"seq\"\nstage = \"extraction\"\nweight = 6.0\n\
         [rule.sequence]\nsteps = [\"authority\", \"extraction\"]\n{keys}\n"
    )
}

#[test]
fn a_run_of_ohs_is_no_number_and_no_trap() {
    let book = book(&[rule("a", "hook", "winner", "")]);
    let mut screen = screen(&book);
    screen.hear(&say(Leg::Remote, 0, &format!("nine{}", " oh".repeat(24))));
    let heard = screen.hear(&say(Leg::Remote, 1, "oh hello, you are a winner"));
    assert_eq!(heard.findings.len(), 1);
}

#[test]
fn sequences_add_and_never_take() {
    let parts = [rule("who", "authority", "inspector", ""), rule("cash", "extraction", "cash", "")];
    let plain = book(&parts);
    let with = book(&[parts[0].clone(), parts[1].clone(), sequence("within = 60")]);
    let (who, cash) = ("I am an inspector.", "Fetch the cash.");
    let gain = |said: &[&str]| after(&with, said).score - after(&plain, said).score;
    assert!((gain(&[who, cash]) - 6.0).abs() < 0.2);
    assert!(gain(&[cash, who]).abs() < 1e-9, "in the wrong order");
    assert!(gain(&[who]).abs() < 1e-9);
    assert_eq!(after(&with, &[who]).score, after(&plain, &[who]).score);

    let any = book(&[parts[0].clone(), parts[1].clone(), sequence("ordered = false")]);
    assert!(after(&any, &[cash, who]).score > after(&plain, &[cash, who]).score + 5.0);
    let mut late = screen(&with);
    late.hear(&say(Leg::Remote, 0, who));
    let verdict = late.hear(&say(Leg::Remote, 61, cash)).verdict;
    assert!(!ids(&with, &verdict).contains(&"t.seq".to_owned()), "outside the window");
}

#[test]
fn a_group_caps_what_correlates_and_a_suppression_is_shown() {
    let group = "[groups.greed]\ncap = 12.0\n";
    let rules = [
        group.to_owned(),
        rule("a", "hook", "winner", "group = \"greed\""),
        rule("b", "extraction", "lottery", "group = \"greed\""),
    ];
    assert!((after(&book(&rules), &["A winner of the lottery."]).score - 12.0).abs() < 1e-9);

    let suppression = "[[suppression]]\nid = \"t.quiet\"\ntitle = \"a raffle\"\n\
        phrases = [\"village fair\"]\nof = [\"t.a\", \"extraction\"]\nkeeps = 0.2\nlasts = 60.0\n\
        must-match = [\"the village fair\"]\nmust-not-match = [\"hello\"]\n";
    let book = book(&[rules[0].clone(), rules[1].clone(), rules[2].clone(), suppression.into()]);
    let verdict = after(&book, &["You are a winner.", "It is the village fair."]);
    assert!((verdict.score - 2.0).abs() < 0.1, "{}", verdict.score);
    assert_eq!(verdict.hits[0].suppression, Some(0), "and it says why");
}

#[test]
fn reassurance_takes_little_and_is_bounded() {
    let book = book(&[
        rule("a", "hook", "arrest warrant", "weight = 20.0"),
        rule("b", "hook", "no rush", "weight = -4.0"),
        rule("c", "hook", "drop in", "weight = -4.0"),
    ]);
    assert!((after(&book, &["An arrest warrant. No rush."]).score - 16.0).abs() < 1e-9);
    let both = after(&book, &["An arrest warrant. No rush, drop in."]);
    assert!((both.score - 15.0).abs() < 1e-9, "{}", both.score);
    assert_eq!(both.hits.len(), 3, "what took weight is listed too");
}

#[test]
fn experimental_rules_are_shown_and_do_not_count_until_they_are_trusted() {
    let pack =
        format!("{HEAD}{}", rule("a", "hook", "arrest warrant", "maturity = \"experimental\""));
    let mut book = load(&[("t.toml".to_owned(), pack)]).expect("sound");
    let shown = after(&Arc::new(load_again(&book)), &["An arrest warrant."]);
    assert_eq!((shown.score, shown.hits.len()), (0.0, 1));
    book.trust_experimental();
    assert_eq!(after(&Arc::new(book), &["An arrest warrant."]).score, 10.0);
}

/// A second book of the same rule.
fn load_again(book: &Rulebook) -> Rulebook {
    assert_eq!(book.rules.len(), 1);
    let pack =
        format!("{HEAD}{}", rule("a", "hook", "arrest warrant", "maturity = \"experimental\""));
    load(&[("t.toml".to_owned(), pack)]).expect("sound")
}

#[test]
fn local_rules_change_others_and_leave_their_pack_alone() {
    let pack =
        format!("{HEAD}{}{}", rule("a", "hook", "winner", ""), rule("b", "hook", "loser", ""));
    let local = "[pack]\nid = \"local\"\ntitle = \"Ours\"\nversion = \"1\"\n\
        [[override]]\nrule = \"t.a\"\nweight = 3.0\nreason = \"we play\"\n\
        [[override]]\nrule = \"t.b\"\nenabled = false\n\
        [[override]]\nrule = \"t.gone\"\nenabled = false\n";
    let sources = [("t.toml".to_owned(), pack), ("local.toml".to_owned(), local.to_owned())];
    let book = Arc::new(load(&sources).expect("sound"));
    assert_eq!(after(&book, &["A winner and a loser."]).score, 3.0);
    assert_eq!(book.rules[0].local.as_ref().map(|local| local.shipped_weight), Some(10.0));
    assert_eq!(book.notes.len(), 1, "a rule that is gone is told, and does no harm");
    let tainted = sources[1].1.replace("id = \"local\"", "id = \"other\"");
    assert!(load(&[sources[0].clone(), ("o.toml".to_owned(), tainted)]).is_err());
}

#[test]
fn the_context_of_the_call_counts() {
    let book = book(&[
        rule("in", "hook", "winner", "context = [\"incoming\"]"),
        rule("again", "hook", "winner again", "context = [\"after-suspicious\"]"),
    ]);
    let heard = |screen: Screen| {
        let mut screen = screen;
        screen.hear(&say(Leg::Remote, 0, "A winner again.")).verdict
    };
    let new = |origin| Screen::new(Arc::clone(&book), levels(), origin);
    assert_eq!(heard(new(Origin::Unknown)).hits.len(), 1);
    assert_eq!(heard(new(Origin::Outgoing)).hits.len(), 0);
    let again = heard(new(Origin::Unknown).after_suspicious());
    assert_eq!(again.hits.len(), 2);
    assert!((again.score - 20.0 - levels().after_suspicious).abs() < 1e-9);
}

#[test]
fn signals_are_evidence() {
    let signal = |name: &str, speaker: &str| {
        format!(
            "[[rule]]\nid = \"t.{name}\"\ntitle = \"x\"\nstage = \"extraction\"\nweight = 9.0\n\
             speaker = \"{speaker}\"\nsignal = \"{name}\"\n"
        )
    };
    let book = book(&[signal("keypad-digits", "protected"), signal("emergency-dialled", "any")]);
    for kind in [SignalKind::KeypadDigits, SignalKind::EmergencyDialled] {
        let mut screen = screen(&book);
        screen.hear(&say(Leg::Protected, 0, "Hello?"));
        let signal = Signal { leg: Leg::Protected, at: CallTime(5_000), kind };
        assert_eq!(screen.note(&signal).0.score, 9.0);
    }
}

#[test]
fn the_families_of_one_story_count_more_than_accidents() {
    let pack = |id: &str, word: &str, head: &str| {
        let head = if head.is_empty() { String::new() } else { format!("{HEAD}{head}") };
        let head = head.replace("id = \"t\"", &format!("id = \"{id}\""));
        let own = format!("[pack]\nid = \"{id}\"\ntitle = \"{id}\"\nversion = \"1\"\n");
        let rule = rule(id, "hook", word, "").replace("t.", &format!("{id}."));
        (format!("{id}.toml"), format!("{}{rule}", if head.is_empty() { own } else { head }))
    };
    let packs = [
        pack("a", "winner", "[families]\nsecond = 0.8\nothers = 0.5\n"),
        pack("b", "courier", ""),
        pack("c", "router", ""),
    ];
    let book = Arc::new(load(&packs).unwrap_or_else(|error| panic!("{error}")));
    let verdict = after(&book, &["winner courier router"]);
    assert!((verdict.score - 23.0).abs() < 1e-9, "{}", verdict.score);
}

#[test]
fn a_call_at_another_pace_of_delivery_comes_to_the_same() {
    let book = book(&[rule("a", "hook", "winner <3> lottery", ""), rule("b", "hook", "fee", "")]);
    let call = ["You are a winner", "of the lottery.", "There is a fee."];
    let mut live = lineclear::alert::watch::Watch::new(screen(&book));
    let mut replay = lineclear::alert::watch::Watch::new(screen(&book));
    for (at, text) in (0..).zip(call) {
        let _ = live.take(Sound::Speech(say(Leg::Remote, at, text)), CallTime(at * 1000 + 700));
        let _ = replay.take(Sound::Speech(say(Leg::Remote, at, text)), CallTime(at * 1000));
    }
    let (live, replay) = (live.end(), replay.end());
    assert_eq!(live.verdict, replay.verdict);
    assert_eq!((live.worst.level, live.worst.hits), (replay.worst.level, replay.worst.hits));
    assert!(live.reached[Level::Caution as usize].is_some());
}

/// Words of which some make phrases, numbers and mishearings.
fn talk() -> impl Strategy<Value = Vec<&'static str>> {
    let word = prop_oneof![
        Just("withdraw"),
        Just("withdrew"),
        Just("the"),
        Just("cash"),
        Just("courier"),
        Just("career"),
        Just("nine"),
        Just("two"),
        Just("thousand"),
        Just("hundred"),
        Just("and"),
        Just("pounds"),
        Just("oh"),
        Just("double"),
        Just("07700"),
        Just("900123"),
        Just("safe"),
        Just("account"),
        Just("acount"),
        Just("your"),
        Just("pin"),
        Just("is"),
    ];
    proptest::collection::vec(word, 1..24)
}

fn mixed() -> Arc<Rulebook> {
    static BOOK: std::sync::OnceLock<Arc<Rulebook>> = std::sync::OnceLock::new();
    let example = |rule: String, from: &str, to: &str| rule.replace(from, to);
    Arc::clone(BOOK.get_or_init(|| {
        book(&[
            rule("a", "hook", "withdraw <4> cash", "").replace(
                "must-match = [\"withdraw <4> cash\"]",
                "must-match = [\"withdraw the cash\"]",
            ),
            rule("b", "hook", "~courier <3> ~account", "").replace(
                "must-match = [\"courier <3> account\"]",
                "must-match = [\"courier account\"]",
            ),
            example(
                rule("c", "hook", "withdraw <3> #amount", ""),
                "must-match = [\"withdraw <3> #amount\"]",
                "must-match = [\"withdraw two pounds\"]",
            ),
            example(
                rule("d", "hook", "pin is #digits", ""),
                "must-match = [\"pin is #digits\"]",
                "must-match = [\"pin is nine nine nine\"]",
            ),
            rule("e", "hook", "safe account", ""),
        ])
    }))
}

proptest! {
    #[test]
    fn splitting_an_utterance_at_any_word_finds_the_same(words in talk(), at in 0_usize..24) {
        let book = mixed();
        let at = at % words.len();
        let whole = after(&book, &[&words.join(" ")]);
        let (first, second) = (words[..at].join(" "), words[at..].join(" "));
        let mut halves = screen(&book);
        halves.hear(&say(Leg::Remote, 0, &first));
        let split = halves.hear(&say(Leg::Remote, 0, &second)).verdict;
        let missing: Vec<_> =
            ids(&book, &whole).into_iter().filter(|id| !ids(&book, &split).contains(id)).collect();
        prop_assert!(missing.is_empty(), "{missing:?} lost between '{first}' and '{second}'");
    }

    #[test]
    fn numbers_that_go_on_for_ever_panic_nobody(
        said in proptest::collection::vec(
            proptest::collection::vec(
                prop_oneof![
                    Just("oh"), Just("nine"), Just("double"), Just("20"), Just("hundred"),
                    Just("and"), Just("pounds"), Just("hello"),
                ],
                0..60,
            ),
            1..6,
        ),
    ) {
        let mut screen = screen(&mixed());
        for (at, words) in (0..).zip(&said) {
            screen.hear(&say(Leg::Remote, at, &words.join(" ")));
        }
    }

    #[test]
    fn a_revised_partial_leaves_no_trace(said in proptest::collection::vec(talk(), 1..6)) {
        let book = mixed();
        let (mut plain, mut revised) = (screen(&book), screen(&book));
        for (at, words) in (0..).zip(&said) {
            let text = words.join(" ");
            for length in 0..words.len() {
                let mut partial = say(Leg::Remote, at * 3, &words[..length].join(" "));
                partial.is_final = false;
                revised.hear(&partial);
            }
            let (a, b) = (say(Leg::Remote, at * 3, &text), say(Leg::Remote, at * 3, &text));
            prop_assert_eq!(plain.hear(&a), revised.hear(&b));
        }
    }

    #[test]
    fn the_order_of_rules_does_not_matter(words in talk(), turn in 0_usize..3) {
        let mut rules = vec![
            rule("a", "hook", "withdraw", ""),
            rule("b", "authority", "safe account", ""),
            rule("c", "extraction", "~courier", "tolerance = 0.5"),
        ];
        let forward = book(&rules);
        rules.rotate_left(turn);
        let backward = book(&rules);
        let text = words.join(" ");
        let (a, b) = (after(&forward, &[&text]), after(&backward, &[&text]));
        prop_assert_eq!(ids(&forward, &a), ids(&backward, &b));
        prop_assert!((a.score - b.score).abs() < 1e-9);
    }
}
