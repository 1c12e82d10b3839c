//! What the rules cost, with many of them: `cargo bench --bench rules`.
//!
//! The rules are made up in the mix that large packs have: 35 % exact phrases, 30 % inflected ones,
//! 25 % with a gap of 3 to 8 words, 10 % that may be misheard. One thread throughout.
//!
//! `-- --rules FILE --text FILE` measures other rules and utterances: rules in a neutral form
//! (`{"rules":[{"id","slots":[{"alts":[…],"ed":0}],"gaps":[…]}]}`), utterances one a line. `--hits`
//! prints the hits of each utterance instead, to be compared with another engine's.
#![allow(clippy::disallowed_methods)]

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lineclear::call::{Leg, Origin, Sound, Utterance};
use lineclear::config::Config;
use lineclear::rules::{Rulebook, Screen, load};
use lineclear::time::CallTime;
use lineclear::wire::transcript;

/// Utterances a second, JSON included, of Hyperscan 5.4 on equivalent expressions (2,000 rules).
const HYPERSCAN: f64 = 139_000.0;

/// Utterances of one call.
const CALL: usize = 20;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let read = |path: String| std::fs::read_to_string(path).expect("a readable file");
    let lines: Vec<String> = match value("--text") {
        Some(path) => read(path).lines().map(str::to_owned).collect(),
        None => made_up_talk(200_000),
    };
    if let Some(path) = value("--rules") {
        let pack = neutral(&read(path));
        if args.iter().any(|arg| arg == "--hits") {
            return hits(&pack, &lines);
        }
        return measure("given", &pack, &lines);
    }
    if let Some(rules) = value("--only").and_then(|rules| rules.parse().ok()) {
        return measure(&format!("{rules} rules"), &made_up_pack(rules), &lines);
    }
    // Each in a process of its own, so that memory is what it alone takes.
    for rules in ["200", "2000", "20000"] {
        let program = std::env::current_exe().expect("this program");
        let status = std::process::Command::new(program).args(["--only", rules]).status();
        assert!(status.expect("a second process").success(), "{rules} rules");
    }
    adversarial(&made_up_pack(2_000));
}

fn measure(name: &str, pack: &str, lines: &[String]) {
    let before = memory_mb("VmRSS:");
    let (load_time, book) = timed(|| Arc::new(compiled(pack)));
    let memory = memory_mb("VmRSS:") - before;
    println!("{name}: {} phrases, {} utterances", book.phrases.len(), lines.len());
    row("load, ms", millis(load_time), 100.0 / millis(load_time), "× below 100 ms");
    row("memory, MB", memory, 40.0 / memory, "× below 40 MB");

    let utterances: Vec<Utterance> =
        lines.iter().enumerate().map(|(at, text)| utterance(at, text)).collect();
    let time = best_of(3, || {
        let mut hits = 0;
        for call in utterances.chunks(CALL) {
            let mut screen = new_screen(&book);
            hits += call.iter().map(|one| screen.hear(one).findings.len()).sum::<usize>();
        }
        hits
    });
    let rate = lines.len() as f64 / time.as_secs_f64();
    let bytes: usize = lines.iter().map(String::len).sum();
    row("screening, utterances a second", rate, rate / HYPERSCAN, "of Hyperscan with JSON");
    row("screening, MB a second", bytes as f64 / 1e6 / time.as_secs_f64(), 1.0, "");

    let json: Vec<String> =
        lines.iter().enumerate().map(|(at, text)| json_line(at, text)).collect();
    let time = best_of(3, || with_json(&book, &json));
    let rate = lines.len() as f64 / time.as_secs_f64();
    row("JSON in and out, utterances a second", rate, rate / HYPERSCAN, "of Hyperscan with JSON");

    let p99 = percentile_99(&book, &utterances);
    row("99th percentile, µs an utterance", p99, 100.0 / p99, "× below 100 µs");
}

fn row(what: &str, figure: f64, ratio: f64, of: &str) {
    println!("  {what:40} {figure:12.2} {ratio:8.2} {of}");
}

fn with_json(book: &Arc<Rulebook>, lines: &[String]) -> usize {
    let mut out = String::new();
    let mut written = 0;
    for call in lines.chunks(CALL) {
        let mut screen = new_screen(book);
        let mut clock = CallTime::START;
        for line in call {
            let line = transcript::parse(line.as_bytes(), &mut clock).expect("valid");
            let Some(Sound::Speech(utterance)) = line.map(|line| line.sound) else { continue };
            let heard = screen.hear(&utterance);
            out.clear();
            let (level, score) = (heard.verdict.level.name(), heard.verdict.score);
            let _ = write!(out, "{{\"level\":\"{level}\",\"score\":{score:.1},\"hits\":[");
            for hit in &heard.verdict.hits {
                let id = &book.rules[hit.rule].id;
                let _ = write!(out, "{{\"rule\":\"{id}\",\"weight\":{:.1}}},", hit.weight);
            }
            out.push_str("]}");
            written += out.len();
        }
    }
    written
}

fn percentile_99(book: &Arc<Rulebook>, utterances: &[Utterance]) -> f64 {
    let mut times: Vec<Duration> = Vec::with_capacity(utterances.len());
    for call in utterances.chunks(CALL) {
        let mut screen = new_screen(book);
        for one in call {
            let start = Instant::now();
            std::hint::black_box(screen.hear(one));
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    times[times.len() * 99 / 100].as_secs_f64() * 1e6
}

/// Text made to hurt: the time for four times as much must be four times as long.
fn adversarial(pack: &str) {
    let book = Arc::new(compiled(pack));
    println!("hostile text, 1 MB and 4 MB in one utterance");
    let mut talk = made_up_talk(20_000).join(" ");
    talk.truncate(4_000_000);
    let texts = [
        ("one word repeated", "account ".repeat(500_000)),
        ("every word misheard", "acount transffer certifcate ".repeat(142_857)),
        ("two words repeated", "withdraw cash ".repeat(285_714)),
        ("digits", "nine ".repeat(800_000)),
        ("talk", talk.repeat(5)),
    ];
    for (name, text) in texts {
        let hear = |bytes: usize| {
            let one = utterance(0, &text[..text.floor_char_boundary(bytes)]);
            best_of(2, || new_screen(&book).hear(&one).findings.len())
        };
        let (short, long) = (hear(1_000_000), hear(4_000_000));
        let ratio = long.as_secs_f64() / short.as_secs_f64();
        row(&format!("{name}, ms a MB"), millis(short), ratio, "× for 4 MB");
    }
    row("peak memory, MB", memory_mb("VmHWM:"), 1.0, "");
}

/// Prints `utterance<TAB>rule` for every hit.
fn hits(pack: &str, lines: &[String]) {
    let book = Arc::new(compiled(pack));
    let mut out = String::new();
    for (at, text) in lines.iter().enumerate() {
        for finding in new_screen(&book).hear(&utterance(0, text)).findings {
            let _ = writeln!(out, "{at}\t{}", &book.rules[finding.rule].id[2..]);
        }
    }
    print!("{out}");
}

fn new_screen(book: &Arc<Rulebook>) -> Screen {
    static CONFIG: std::sync::LazyLock<Config> =
        std::sync::LazyLock::new(|| Config::parse("").expect("defaults"));
    Screen::new(Arc::clone(book), CONFIG.levels, Origin::Unknown)
}

fn compiled(pack: &str) -> Rulebook {
    load(&[("bench.toml".to_owned(), pack.to_owned())]).unwrap_or_else(|error| panic!("{error}"))
}

fn utterance(at: usize, text: &str) -> Utterance {
    let start = CallTime((at % CALL) as u64 * 3_000);
    Utterance {
        leg: if at % 3 == 2 { Leg::Protected } else { Leg::Remote },
        start,
        end: CallTime(start.0 + 2_500),
        text: text.to_owned().into(),
        confidence: None,
        is_final: true,
    }
}

fn json_line(at: usize, text: &str) -> String {
    let one = utterance(at, text);
    let (leg, start, end) = (one.leg, one.start.0, one.end.0);
    let text = serde_json::to_string(text).expect("text");
    format!(r#"{{"leg":"{leg}","start_ms":{start},"end_ms":{end},"text":{text}}}"#)
}

const HEAD: &str = "[pack]\nid = \"b\"\ntitle = \"Bench\"\nversion = \"1\"\n\
                    [stages.hook]\ncap = 60.0\nfloor = 0.3\n";

/// A pack of phrases, one a rule, each with an example of it.
fn pack_of(phrases: impl Iterator<Item = (String, String, String)>) -> String {
    let mut pack = HEAD.to_owned();
    for (id, phrase, example) in phrases {
        let _ = write!(
            pack,
            "[[rule]]\nid = \"b.{id}\"\ntitle = \"{id}\"\nstage = \"hook\"\nweight = 1.0\n\
             speaker = \"any\"\nphrases = [\"{phrase}\"]\nmust-match = [\"{example}\"]\n\
             must-not-match = [\"Good morning.\"]\n"
        );
    }
    pack
}

fn neutral(json: &str) -> String {
    let rules: serde_json::Value = serde_json::from_str(json).expect("rules");
    let rules = rules["rules"].as_array().expect("rules").iter().map(|rule| {
        let (mut phrase, mut example) = (String::new(), String::new());
        let gaps = rule["gaps"].as_array().expect("gaps");
        for (at, slot) in rule["slots"].as_array().expect("slots").iter().enumerate() {
            let sign = if slot["ed"] == 1 { '~' } else { '=' };
            let alts: Vec<&str> =
                slot["alts"].as_array().expect("alts").iter().filter_map(|a| a.as_str()).collect();
            let words: Vec<String> = alts.iter().map(|word| word_of(sign, word)).collect();
            let _ = write!(phrase, "({}) ", words.join("|"));
            let _ = write!(example, "{} ", alts[0]);
            if let Some(gap) = gaps.get(at).and_then(|gap| gap.as_u64()).filter(|gap| *gap > 0) {
                let _ = write!(phrase, "<{gap}> ");
            }
        }
        (rule["id"].as_str().expect("an id").to_owned(), phrase, example)
    });
    pack_of(rules)
}

/// A word as phrases write it: what people say as a number is normalised, so not exact.
fn word_of(sign: char, word: &str) -> String {
    let normal = lineclear::rules::words::words(word);
    match normal.as_slice() {
        [one] if one.text == word => format!("{sign}{word}"),
        _ => word.to_owned(),
    }
}

const VERBS: &str = "\
    buy send give tell withdraw deposit transfer pay verify confirm provide install download \
    open press collect move hide keep connect protect enter return claim cancel renew \
    suspend freeze block share read photograph convert invest load hand bring post leave \
    wrap count check order cash borrow sign answer follow ignore delete report record repeat";
const NOUNS: &str = "\
    card account money savings statement passcode password number computer laptop router \
    licence parcel refund fee fine bail warrant courier officer envelope taxi voucher wallet \
    pension investment deposit mortgage insurance passport certificate inspector manager \
    cashier branch safe vault jewellery watch necklace invoice balance benefit rebate \
    penalty charge lawyer solicitor court prosecutor customs shipment delivery subscription \
    warranty loan interest credit debt claim prize lottery donation charity tablet handset \
    network signal operator customer";
const QUALIFIERS: &str = "\
    your the my this bank gift secure new old last spare personal joint cash online current \
    second large urgent official private temporary digital local foreign";
const LEADS: &str = "you must|please|i need you to|can you|we want you to|you have to|just|now";
const TALK: &str = "\
    well we went to the garden on sunday and it was lovely weather so she made a cake for \
    everyone they said the train was late again but he did not mind because the children \
    were asleep what time are you coming over tomorrow do you want me to bring anything i \
    think that would be nice if the rain stops yes of course no not really maybe after lunch \
    then";

fn words_of(list: &str) -> Vec<&str> {
    list.split_whitespace().collect()
}

/// Marsaglia's xorshift: the bench must be the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

fn made_up_pack(rules: usize) -> String {
    let mut dice = Dice(7);
    let (verbs, nouns, qualifiers) = (words_of(VERBS), words_of(NOUNS), words_of(QUALIFIERS));
    let leads: Vec<&str> = LEADS.split('|').collect();
    let mut seen = std::collections::HashSet::new();
    let mut phrases = Vec::with_capacity(rules);
    while phrases.len() < rules {
        let (lead, verb) = (dice.pick(&leads), dice.pick(&verbs));
        let (qualifier, noun) = (dice.pick(&qualifiers), dice.pick(&nouns));
        let (other, gap) = (dice.pick(&nouns), 3 + dice.below(6));
        let exact = |words: &str| words.split(' ').map(|w| format!("={w} ")).collect::<String>();
        let (phrase, example) = match phrases.len() * 100 / rules {
            0..35 => {
                let said = format!("{lead} {verb} {qualifier} {noun}");
                (exact(&said), said)
            }
            35..65 => {
                let phrase = format!("{verb} (the|your|a)? {qualifier} {noun}");
                (phrase, format!("{verb} your {qualifier} {noun}"))
            }
            65..90 => {
                let phrase = format!("{verb} <{gap}> ({noun}|{other})");
                (phrase, format!("{verb} it with the {noun}"))
            }
            _ => (format!("={verb} ~{noun} =and ~{other}"), format!("{verb} {noun} and {other}")),
        };
        if seen.insert(phrase.clone()) {
            phrases.push((format!("r{}", phrases.len()), phrase, example));
        }
    }
    pack_of(phrases.into_iter())
}

/// Utterances of some 55 bytes; in 8 % of the calls some of them are demands.
fn made_up_talk(utterances: usize) -> Vec<String> {
    let mut dice = Dice(99);
    let (verbs, nouns, qualifiers) = (words_of(VERBS), words_of(NOUNS), words_of(QUALIFIERS));
    let (talk, leads) = (words_of(TALK), LEADS.split('|').collect::<Vec<_>>());
    let mut lines = Vec::with_capacity(utterances);
    let mut is_scam = false;
    for at in 0..utterances {
        if at % CALL == 0 {
            is_scam = dice.below(100) < 8;
        }
        let mut words: Vec<&str> = (0..4 + dice.below(14)).map(|_| dice.pick(&talk)).collect();
        if is_scam && dice.below(2) == 0 {
            words.extend([dice.pick(&leads), dice.pick(&verbs), dice.pick(&qualifiers)]);
            words.extend([dice.pick(&nouns), "and", dice.pick(&nouns)]);
        } else if dice.below(4) == 0 {
            words.extend([dice.pick(&verbs), "it to the", dice.pick(&nouns)]);
        }
        lines.push(words.join(" "));
    }
    lines
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

fn best_of<T>(runs: usize, work: impl Fn() -> T) -> Duration {
    (0..runs).map(|_| timed(|| std::hint::black_box(work())).0).min().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Memory of this process, from the kernel; 0 where it does not say.
fn memory_mb(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
