//! Holds the house together: reads the sources as text, and names what is out of place.
//!
//! Each check is a function from sources to complaints, so that a second test can show it bad
//! code. What it cannot see: macros of other crates, and methods called on a value's type.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

/// The floors, lowest first: a module imports from below.
const FLOORS: [&str; 6] = [
    "call time private config",
    "audio wire",
    "rules speech",
    "alert measure pbx",
    "edge",
    "cli main",
];
/// Who may import a neighbour on the same floor.
const SIDEWAYS: &str = "call>private call>time config>private main>cli pbx>alert";
/// What only `edge/` may mention.
const WORLD: &str = "std::fs std::net::TcpListener std::net::TcpStream std::net::UdpSocket \
    std::net::ToSocketAddrs std::os::unix::net std::thread std::process::Command \
    std::time::Instant std::time::SystemTime tokio::fs tokio::net tokio::process tokio::time";
/// What a command may mention, beside `edge/`.
const CONSOLE: &str = "std::env std::io::stdin std::io::stdout std::io::stderr";
/// What only `edge/clock.rs` may mention.
const CLOCKS: &str = "std::time::Instant std::time::SystemTime std::thread::sleep \
    tokio::time::Instant tokio::time::sleep";
/// What ends the program, or writes where nobody chose to.
const ABRUPT: &str = ".unwrap() .expect( panic! todo! unimplemented! unreachable! \
    dbg! println! eprintln! print! eprint!";
/// Who unwraps a `Private`, and why.
const REVEALERS: [(&str, &str); 19] = [
    ("src/alert/desk/gate.rs", "compares a dialled number with those people are advised to ring"),
    ("src/alert/number.rs", "compares numbers with the emergency numbers, and makes tags of them"),
    ("src/cli/explain/json.rs", "prints the words of the call that the user asked for"),
    ("src/cli/explain/people.rs", "prints the words of the call that the user asked for"),
    ("src/cli/json.rs", "prints the words of the call that the user asked for"),
    ("src/cli/people.rs", "prints the words of the call that the user asked for"),
    ("src/cli/rules/test.rs", "prints the words of the script that the user asked to test"),
    ("src/edge/calls.rs", "tells the source of a call which of its calls is meant"),
    ("src/edge/client.rs", "sends the user's own token"),
    ("src/edge/notify/mod.rs", "hands a channel's settings to its kind"),
    ("src/edge/pbx/asterisk/client.rs", "logs in to Asterisk"),
    ("src/edge/pbx/asterisk/manager.rs", "logs in to Asterisk"),
    ("src/edge/web/calls.rs", "tells the source of a call that its words were heard"),
    ("src/edge/web/views.rs", "tells an exchange which of its calls to drop"),
    ("src/rules/screen.rs", "reads the words to find phrases in them"),
    ("src/speech/listener.rs", "asks whether anything was heard at all"),
    ("src/wire/ari.rs", "compares a channel's name with the endpoints of the configuration"),
    ("src/wire/ari/request.rs", "tells Asterisk which of its channels is meant"),
    ("src/wire/feed.rs", "reads which key an exchange saw"),
];
const MAX_COLUMNS: usize = 100;
const MAX_FUNCTION: usize = 70;
const MAX_FILE: usize = 500;

type Complaints = Vec<String>;
type Route = Vec<String>;

/// A source file; offsets are the same in `text` and in `code`.
struct Source {
    path: String,
    text: String,
    /// The text, with comments, strings and characters blanked.
    code: String,
    /// What is compiled for tests only.
    tests: Vec<Range<usize>>,
    module: Route,
    mentions: Vec<Mention>,
}

/// A path in the code: of a `use`, or on the spot.
struct Mention {
    at: usize,
    route: Route,
    /// The name that a `use` brings in; empty for a path on the spot.
    alias: String,
    reexport: bool,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let code = without_comments_and_strings(text);
        let marks = code.match_indices("#[cfg(test)]").map(|(at, _)| at);
        let mut tests: Vec<_> = marks.map(|at| at..item_end(&code, at + 12)).collect();
        if !path.starts_with("src/") || path.contains("/tests") {
            tests.push(0..code.len());
        }
        let module = path.trim_start_matches("src/").trim_end_matches(".rs").split('/');
        let module = module.filter(|part| !["mod", "lib"].contains(part)).map(str::to_owned);
        let (module, mentions) = (module.collect(), mentions(&code));
        Self { path: path.into(), text: text.into(), code, tests, module, mentions }
    }

    fn place(&self, at: usize) -> String {
        format!("{}:{}", self.path, self.code[..at].matches('\n').count() + 1)
    }

    fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }
}

struct House {
    sources: Vec<Source>,
    modules: BTreeMap<Route, usize>,
}

impl House {
    fn of(sources: Vec<Source>) -> Self {
        let modules = sources.iter().enumerate().map(|(at, source)| (source.module.clone(), at));
        Self { modules: modules.collect(), sources }
    }

    /// A route from the root: `crate::…` for our own, unchanged for other crates.
    fn absolute(&self, source: &Source, mention: &Mention) -> Route {
        let aliased = |name: &str| source.mentions.iter().find(|other| other.alias == name);
        match aliased(&mention.route[0]).filter(|_| mention.alias.is_empty()) {
            Some(import) => [&self.rooted(source, import), &mention.route[1..]].concat(),
            None => self.rooted(source, mention),
        }
    }

    fn rooted(&self, source: &Source, mention: &Mention) -> Route {
        let supers = mention.route.iter().take_while(|part| *part == "super").count();
        let module = if source.path == "src/main.rs" { &[] } else { source.module.as_slice() };
        let child = [module, &mention.route[..1]].concat();
        let (base, rest) = match mention.route[0].as_str() {
            "crate" | "lineclear" => (&[] as &[String], 1),
            "self" => (module, 1),
            "super" => (&module[..module.len().saturating_sub(supers)], supers),
            _ if self.modules.contains_key(&child) => (module, 0),
            _ => return mention.route.clone(),
        };
        [&["crate".to_owned()], base, &mention.route[rest..]].concat()
    }

    /// The file that an absolute route leads to, through re-exports.
    fn file_of(&self, route: &[String]) -> Option<usize> {
        let route = route.split_first().filter(|(head, _)| *head == "crate")?.1;
        let known = |length: &usize| self.modules.contains_key(&route[..*length]);
        let length = (0..=route.len()).rev().find(known)?;
        let file = self.modules[&route[..length]];
        let source = &self.sources[file];
        let reexport =
            |mention: &&Mention| mention.reexport && route.get(length) == Some(&mention.alias);
        match source.mentions.iter().find(reexport) {
            Some(mention) => self.file_of(&self.rooted(source, mention)),
            None => Some(file),
        }
    }

    /// Which files a file uses outside its tests, and where; a mere re-export is no use.
    fn uses(&self, file: usize) -> BTreeMap<usize, usize> {
        let source = &self.sources[file];
        let words = tokens(&source.code);
        let mut uses = BTreeMap::new();
        for mention in source.mentions.iter().filter(|mention| !source.is_test(mention.at)) {
            let again = words.iter().filter(|word| word.1 == mention.alias).count() > 1;
            let target = self.file_of(&self.absolute(source, mention));
            let is_use = |target: &usize| *target != file && (again || !mention.reexport);
            if let Some(target) = target.filter(is_use) {
                uses.entry(target).or_insert(mention.at);
            }
        }
        uses
    }
}

fn without_comments_and_strings(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let length = opaque(&text[at..], text[..at].ends_with(is_word));
        let blanked = out[at..at + length].iter_mut().filter(|byte| **byte != b'\n');
        blanked.for_each(|byte| *byte = b' ');
        at += length.max(next.len_utf8());
    }
    String::from_utf8(out).expect("whole characters were blanked")
}

/// How much of the beginning of `rest` is a comment, a string or a character.
fn opaque(rest: &str, follows_word: bool) -> usize {
    let until = |from: usize, end: &str| {
        rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
    };
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return until(2, "*/");
    }
    let raw = ["r", "br", "cr"].iter().find_map(|mark| rest.strip_prefix(mark));
    if let Some(raw) = raw.filter(|_| !follows_word) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let start = rest.len() - raw.len() + hashes + 1;
            return until(start, &format!("\"{}", "#".repeat(hashes)));
        }
    }
    let mut inner = rest.char_indices().skip(1);
    if rest.starts_with('"') {
        while let Some((at, next)) = inner.next() {
            match next {
                '"' => return at + 1,
                '\\' => drop(inner.next()),
                _ => {}
            }
        }
        return rest.len();
    }
    match (rest.starts_with('\''), inner.next(), inner.next()) {
        (true, Some((_, '\\')), Some((at, escaped))) => until(at + escaped.len_utf8(), "'"),
        (true, Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// Words, `::` and single signs, with their offsets.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(next) = code[at..].chars().next() {
        let rest = &code[at..];
        let length = match next {
            _ if is_word(next) => rest.find(|next| !is_word(next)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => next.len_utf8(),
        };
        if !next.is_whitespace() {
            tokens.push((at, &rest[..length]));
        }
        at += length;
    }
    tokens
}

/// Where the item that begins at `from` ends: after its `;`, or after its block.
fn item_end(code: &str, from: usize) -> usize {
    let mut open = Vec::new();
    for (at, sign) in code[from..].char_indices() {
        match sign {
            '(' | '[' | '{' => open.push(sign),
            ')' | ']' | '}' if open.pop() == Some('{') && open.is_empty() => return from + at + 1,
            ';' if open.is_empty() => return from + at + 1,
            _ => {}
        }
    }
    code.len()
}

fn mentions(code: &str) -> Vec<Mention> {
    let tokens = tokens(code);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.1);
    let is_name = |at| text(at).starts_with(|sign| is_word(sign) && !sign.is_numeric());
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if text(at) == "use" && text(at + 1) != "<" {
            let public = at > 0 && ["pub", ")"].contains(&text(at - 1));
            at += 1;
            branches(&tokens, &mut at, &[], public, &mut found);
        } else if is_name(at) && text(at + 1) == "::" {
            let (start, mut route) = (tokens[at].0, vec![text(at).to_owned()]);
            while text(at + 1) == "::" && is_name(at + 2) {
                at += 2;
                route.push(text(at).to_owned());
            }
            found.push(Mention { at: start, route, alias: String::new(), reexport: false });
        }
        at += 1;
    }
    found
}

/// The branches of a `use` tree; ends on the sign after it.
fn branches(
    tokens: &[(usize, &str)],
    at: &mut usize,
    trunk: &[String],
    reexport: bool,
    found: &mut Vec<Mention>,
) {
    let mut route = trunk.to_vec();
    let mut alias = None;
    let start = tokens.get(*at).map_or(0, |token| token.0);
    while let Some((_, token)) = tokens.get(*at) {
        match *token {
            ";" | "," | "}" => break,
            "{" => {
                while tokens.get(*at).is_some_and(|token| ["{", ","].contains(&token.1)) {
                    *at += 1;
                    branches(tokens, at, &route, reexport, found);
                }
                *at += 1;
                return;
            }
            "as" => {
                *at += 1;
                alias = tokens.get(*at).map(|token| token.1.to_owned());
            }
            "::" => {}
            "self" if !route.is_empty() => {}
            name => route.push(name.to_owned()),
        }
        *at += 1;
    }
    if route.len() > trunk.len() || alias.is_some() || tokens[*at - 1].1 == "self" {
        let alias = alias.or_else(|| route.last().cloned()).unwrap_or_default();
        found.push(Mention { at: start, route, alias, reexport });
    }
}

fn floors(house: &House) -> Complaints {
    let mut complaints = Vec::new();
    let floor = |name: &str| FLOORS.iter().position(|floor| floor.split(' ').any(|it| it == name));
    for source in &house.sources {
        let Some(own) = source.module.first() else { continue };
        // In a module of tests inside the file, `super` is the file.
        let inner = |it: &&Mention| it.route[0] == "super" && source.is_test(it.at);
        for mention in source.mentions.iter().filter(|mention| !inner(mention)) {
            let route = house.absolute(source, mention);
            let Some(other) = route.get(1).filter(|name| route[0] == "crate" && *name != "*")
            else {
                continue;
            };
            let beside = format!("{own}>{other}");
            let problem = match (floor(own), floor(other)) {
                _ if own == other => continue,
                (Some(own), Some(other)) if other < own => continue,
                (Some(from), Some(to)) if to > from => "which is above it: turn the import round",
                (Some(_), Some(_)) if SIDEWAYS.split(' ').any(|it| it == beside) => continue,
                (Some(_), Some(_)) => "its neighbour: move what both need to a floor below",
                _ => "and one of them has no floor: give it one in tests/tidy.rs",
            };
            let place = source.place(mention.at);
            complaints.push(format!("{place}: `{own}` imports `{other}`, {problem}"));
        }
    }
    complaints
}

/// The shortest circle through each file.
fn circles(house: &House) -> Complaints {
    let uses: Vec<_> = (0..house.sources.len()).map(|file| house.uses(file)).collect();
    let mut circles = BTreeMap::new();
    for start in 0..uses.len() {
        let mut ways = VecDeque::from([vec![start]]);
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop_front() {
            let last = way[way.len() - 1];
            if last == start && way.len() > 1 {
                circles.entry(way.iter().copied().collect::<BTreeSet<_>>()).or_insert(way);
                break;
            }
            let next = uses[last].keys().filter(|next| seen.insert(**next));
            ways.extend(next.map(|next| [way.as_slice(), &[*next]].concat()));
        }
    }
    let step = |pair: &[usize]| {
        let place = house.sources[pair[0]].place(uses[pair[0]][&pair[1]]);
        format!("{place}: uses {}", house.sources[pair[1]].path)
    };
    let told = |way: &Vec<usize>| way.windows(2).map(step).collect::<Vec<_>>().join(", ");
    let remedy = "a circle: move what both need into a file below them, or pass it as an argument";
    circles.values().map(|way| format!("{}: {remedy}", told(way))).collect()
}

fn lengths(sources: &[Source]) -> Complaints {
    let mut complaints = Vec::new();
    for source in sources {
        let (path, code, words) = (&source.path, &source.code, tokens(&source.code));
        let long = source.text.lines().zip(1..).filter(|it| it.0.chars().count() > MAX_COLUMNS);
        let told = |line| format!("{path}:{line}: over {MAX_COLUMNS} columns: break the line");
        complaints.extend(long.map(|(_, line)| told(line)));
        let is_tail =
            |tests: &&Range<usize>| tests.start > 0 && code[tests.end..].trim().is_empty();
        let end = source.tests.iter().find(is_tail).map_or(code.len(), |tail| tail.start);
        let lines = code[..end].lines().count();
        if lines > MAX_FILE {
            complaints.push(format!("{path}:1: {lines} lines, over {MAX_FILE}: split the file"));
        }
        let names = words.windows(2).filter(|pair| pair[0].1 == "fn").map(|pair| pair[1]);
        for (at, name) in names.filter(|(_, name)| name.starts_with(is_word)) {
            let lines = code[at..item_end(code, at)].lines().count();
            if lines > MAX_FUNCTION {
                let problem = format!("{lines} lines, over {MAX_FUNCTION}: split the function");
                complaints.push(format!("{}: `{name}` has {problem}", source.place(at)));
            }
        }
    }
    complaints
}

/// Mentions of what is listed, also by a `*` that covers it.
fn mentioned(house: &House, list: &str, may: impl Fn(&str) -> bool, remedy: &str) -> Complaints {
    let mut complaints = BTreeSet::new();
    for source in house.sources.iter().filter(|source| !may(&source.path)) {
        for mention in &source.mentions {
            let route = house.absolute(source, mention).join("::");
            let covers = |banned: &&str| match route.strip_suffix('*') {
                Some(trunk) if banned.starts_with(trunk) => true,
                _ => format!("{route}::").starts_with(&format!("{banned}::")),
            };
            if let Some(banned) = list.split_whitespace().find(covers) {
                complaints.insert(format!("{}: `{banned}` {remedy}", source.place(mention.at)));
            }
        }
    }
    complaints.into_iter().collect()
}

fn world(house: &House) -> Complaints {
    let edge = |path: &str| path.starts_with("src/edge/");
    let command = |path: &str| path.starts_with("src/cli/") || path == "src/main.rs";
    let console = |path: &str| edge(path) || command(path);
    let clock = |path: &str| path == "src/edge/clock.rs";
    let mut complaints = mentioned(house, WORLD, edge, "touches the world: move it to src/edge/");
    let remedy = "belongs to a command: take the value as an argument";
    complaints.extend(mentioned(house, CONSOLE, console, remedy));
    let remedy = "reads a clock: take `now` as an argument, from src/edge/clock.rs";
    complaints.extend(mentioned(house, CLOCKS, clock, remedy));
    complaints
}

fn abrupt(house: &House) -> Complaints {
    let mut complaints = Vec::new();
    let remedy = "return an error, or write to the output that was passed in";
    for source in &house.sources {
        for banned in ABRUPT.split_whitespace() {
            let inside = |at| banned.starts_with(is_word) && source.code[..at].ends_with(is_word);
            let found = source.code.match_indices(banned).map(|(at, _)| at);
            let found = found.filter(|at| !inside(*at) && !source.is_test(*at));
            let told = |at| format!("{}: `{banned}` outside tests: {remedy}", source.place(at));
            complaints.extend(found.map(told));
        }
    }
    complaints
}

fn reveals(house: &House, allowed: &[(&str, &str)]) -> Complaints {
    let mut complaints = Vec::new();
    let mut unused: BTreeSet<_> = allowed.iter().map(|(path, _)| *path).collect();
    let remedy = "keep it `Private`, or enter the file with its reason in REVEALERS";
    for source in &house.sources {
        let words = tokens(&source.code);
        let call = words
            .windows(2)
            .find(|pair| pair[1].1 == "reveal" && pair[0].1 != "fn" && !source.is_test(pair[1].0));
        if let Some(call) = call.filter(|_| !unused.remove(source.path.as_str())) {
            complaints.push(format!("{}: unwraps a Private: {remedy}", source.place(call[1].0)));
        }
    }
    let stale = |path| format!("{path}:1: reveals nothing: strike it from REVEALERS");
    complaints.extend(unused.into_iter().map(stale));
    complaints
}

fn unsafe_code(house: &House) -> Complaints {
    let has_modules = |source: &Source| tokens(&source.code).iter().any(|word| word.1 == "mod");
    let roots = house.sources.iter().filter(|source| {
        source.path == "src/lib.rs" || source.path == "src/main.rs" && has_modules(source)
    });
    let bad = roots.filter(|source| !source.code.contains("#![forbid(unsafe_code)]"));
    let remedy = "lacks #![forbid(unsafe_code)]: put it on top";
    bad.map(|source| format!("{}:1: {remedy}", source.path)).collect()
}

fn shipped(packs: &[String], rules: &str) -> Complaints {
    let list = rules.split_once("const SHIPPED").map_or("", |(_, rest)| rest);
    let list = list.split_once("];").map_or("", |(list, _)| list);
    let built_in = |pack: &&String| {
        let name = pack.rsplit('/').next().unwrap_or(pack);
        list.contains(&format!("\"{name}\"")) && list.contains(&format!("{pack}\")"))
    };
    let missing = packs.iter().filter(|pack| !built_in(pack));
    let remedy = "is not built in: add it to SHIPPED in src/rules/mod.rs";
    missing.map(|pack| format!("{pack}:1: {remedy}")).collect()
}

fn places(path: &str, text: &str) -> Complaints {
    let needles = [concat!("/", "work", "/"), concat!("/", "root", "/")];
    let relative = |before: &str| before.ends_with(|sign| is_word(sign) || "-.~}".contains(sign));
    let mut complaints = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let found =
            |needle: &&&str| line.match_indices(**needle).any(|(at, _)| !relative(&line[..at]));
        if let Some(needle) = needles.iter().find(found) {
            let remedy = "a path of one machine: make it relative, or an argument";
            complaints.push(format!("{path}:{number}: `{needle}` is {remedy}"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// Every file below the folders that is Rust.
    fn read(folders: &[&str]) -> Vec<Source> {
        let rust = listed().into_iter().filter(|path| path.ends_with(".rs"));
        let within = |path: &String| folders.iter().any(|folder| path.starts_with(folder));
        rust.filter(within).filter_map(|path| Some(Source::new(&path, &text_of(&path)?))).collect()
    }

    /// The files of the project: those that git tracks, and those that it would.
    fn listed() -> Vec<String> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "-co", "--exclude-standard"]);
        let told = git.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("git runs");
        assert!(told.status.success(), "git ls-files: {}", String::from_utf8_lossy(&told.stderr));
        let names = String::from_utf8(told.stdout).expect("names in UTF-8");
        names.split_terminator('\0').map(str::to_owned).collect()
    }

    /// The text of a file; none if it is not text, or was deleted.
    fn text_of(path: &str) -> Option<String> {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
    }

    fn hold(complaints: &[String]) {
        assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    }

    #[test]
    fn a_module_imports_only_what_lies_below() {
        hold(&floors(&House::of(read(&["src/"]))));
    }

    #[test]
    fn no_imports_go_in_a_circle() {
        hold(&circles(&House::of(read(&["src/"]))));
    }

    #[test]
    fn lines_functions_and_files_are_short() {
        hold(&lengths(&read(&["src/", "tests/", "benches/"])));
    }

    #[test]
    fn only_the_edge_touches_the_world() {
        hold(&world(&House::of(read(&["src/"]))));
    }

    #[test]
    fn nothing_ends_the_program_or_prints_unasked() {
        hold(&abrupt(&House::of(read(&["src/"]))));
    }

    #[test]
    fn private_values_leave_where_a_reason_is_given() {
        hold(&reveals(&House::of(read(&["src/"])), &REVEALERS));
    }

    #[test]
    fn unsafe_code_is_forbidden() {
        hold(&unsafe_code(&House::of(read(&["src/"]))));
    }

    #[test]
    fn every_rule_pack_is_built_in() {
        let pack = |path: &String| path.starts_with("config/rules/") && path.ends_with(".toml");
        let packs: Vec<_> = listed().into_iter().filter(pack).collect();
        assert!(!packs.is_empty(), "config/rules: no pack found");
        hold(&shipped(&packs, &text_of("src/rules/mod.rs").expect("src/rules/mod.rs")));
    }

    #[test]
    fn no_file_names_a_place_on_one_machine() {
        let texts = listed().into_iter().filter_map(|path| text_of(&path).map(|text| (path, text)));
        hold(&texts.flat_map(|(path, text)| places(&path, &text)).collect::<Vec<_>>());
    }

    /// What `check` says of a house of these files: where, without the remedies.
    fn said(check: impl Fn(&House) -> Complaints, files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(path, text)| Source::new(path, text));
        let complaints = check(&House::of(sources.collect()));
        let place = |it: &String| it.splitn(3, ':').take(2).collect::<Vec<_>>().join(":");
        let places: BTreeSet<_> = complaints.iter().map(place).collect();
        places.into_iter().collect()
    }

    #[test]
    fn imports_from_above_and_from_neighbours_are_seen() {
        let wire = ("src/wire/mod.rs", "pub mod sip;");
        let alert = ("src/alert/mod.rs", "");
        let bad = [
            "use crate::alert::Desk;",
            "use crate::{call::Leg, alert::{self, Desk}};",
            "use super::super::alert;",
            "fn f() { crate::wire::sip::g() }",
            "fn f() { lineclear::alert::g() }",
            "#[cfg(test)] mod tests { use crate::alert::Desk; }",
            "use crate::unheard::Of;",
        ];
        for text in bad {
            let said = said(floors, &[("src/audio/tones.rs", text), wire, alert]);
            assert_eq!(said, ["src/audio/tones.rs:1"], "{text}");
        }
        let good = "use super::g711; use crate::{call::Leg, time}; use std::{fmt, io};
            // crate::alert
            #[cfg(test)] mod tests { use super::*; const A: &str = \"crate::alert::B\"; }";
        assert!(said(floors, &[("src/audio/tones.rs", good), wire, alert]).is_empty());
        assert!(said(floors, &[("src/call.rs", "use crate::private::Private;")]).is_empty());
        assert_eq!(said(floors, &[("src/time.rs", "use crate::call::Leg;")]), ["src/time.rs:1"]);
        let main = ("src/main.rs", "mod cli;\nfn main() { cli::run() }");
        assert!(said(floors, &[main, ("src/cli/mod.rs", "use lineclear::edge;")]).is_empty());
    }

    #[test]
    fn circles_are_seen_through_chains_reexports_and_paths() {
        let a = ("src/rules/a.rs", "\nuse super::b::B;\npub struct A;");
        let root = ("src/rules/mod.rs", "mod a;\nmod b;\nmod c;\npub use a::A;\npub use c::C;");
        let bad = ["use super::a::A;", "use super::A;", "fn f(_: crate::rules::A) {}"];
        for text in bad {
            let said = said(circles, &[a, ("src/rules/b.rs", text), root]);
            assert_eq!(said, ["src/rules/a.rs:2"], "{text}");
        }
        let through = ("src/rules/b.rs", "use super::{C};");
        let back = ("src/rules/c.rs", "use crate::rules::a;");
        assert_eq!(said(circles, &[a, through, back, root]).len(), 1);
        let parent = ("src/config/mod.rs", "mod check;\nfn f() { check::check() }");
        let child = ("src/config/check.rs", "use super::Config;");
        assert_eq!(said(circles, &[parent, child]), ["src/config/mod.rs:2"]);
        let only_tests = "#[cfg(test)]\nmod tests { use crate::rules::a::A; }";
        assert!(said(circles, &[a, ("src/rules/b.rs", only_tests), root]).is_empty());
        let of_the_root = ("src/rules/b.rs", "const B: usize = super::LIMIT;");
        assert!(said(circles, &[a, of_the_root, root]).is_empty());
    }

    #[test]
    fn what_is_too_long_is_seen() {
        let check = |text: &str| said(|house| lengths(&house.sources), &[("src/call.rs", text)]);
        let (columns, lines) = ("é".repeat(MAX_COLUMNS), "\n".repeat(MAX_FILE));
        assert_eq!(check(&format!("\n//{columns}")), ["src/call.rs:2"]);
        assert!(check(&columns).is_empty());
        assert_eq!(check(&format!("{lines}const A: u8 = 1;")), ["src/call.rs:1"]);
        assert!(check(&format!("use a;\n#[cfg(test)]\nmod tests {{{lines}}}")).is_empty());
        let body = "    f();\n".repeat(MAX_FUNCTION - 1);
        assert_eq!(check(&format!("\nfn f(_: [u8; 2]) {{\n{body}}}")), ["src/call.rs:2"]);
        assert!(check(&format!("fn f(_: fn(u8)) {{\n{}}}", &body[9..])).is_empty());
    }

    #[test]
    fn the_world_is_seen_outside_the_edge() {
        let bad = [
            "use std::{fmt, fs::{self, File}};",
            "fn f() { std::thread::spawn(g); }",
            "use std::time;\nfn f() { time::Instant::now(); }",
            "use std::time::*;",
            "fn f() { std::env::args(); }",
        ];
        for text in bad {
            assert!(!said(world, &[("src/wire/sip.rs", text)]).is_empty(), "{text}");
        }
        let good = "use std::{io::Read, process::ExitCode, time::Duration}; /* std::fs */";
        assert!(said(world, &[("src/wire/sip.rs", good)]).is_empty());
        assert!(said(world, &[("src/edge/store.rs", "use std::fs;")]).is_empty());
        assert!(
            said(world, &[("src/cli/hear.rs", "use std::env; use std::io::stdout;")]).is_empty()
        );
        assert_eq!(said(world, &[("src/cli/hear.rs", "use std::fs;")]).len(), 1);
        let clock = "use std::thread; fn f() { thread::sleep(d) }";
        assert_eq!(said(world, &[("src/edge/store.rs", clock)]).len(), 1);
        assert!(said(world, &[("src/edge/clock.rs", clock)]).is_empty());
    }

    #[test]
    fn abrupt_code_is_seen() {
        for banned in ABRUPT.split_whitespace() {
            let text = format!("fn f() {{\n    {banned}\n}}");
            assert_eq!(said(abrupt, &[("src/call.rs", &text)]), ["src/call.rs:2"], "{banned}");
            assert!(said(abrupt, &[("src/edge/tests.rs", &text)]).is_empty());
        }
        let good = "fn f<'a>(a: &'a str) { a.unwrap_or('\"'); \"panic!\"; r#\"todo!\"#; '\\''; }
            // .unwrap()
            #[cfg(test)]
            mod tests { fn f() { a.unwrap() } }";
        assert!(said(abrupt, &[("src/call.rs", good)]).is_empty());
    }

    #[test]
    fn revealed_values_are_seen_and_so_are_stale_reasons() {
        let check = |house: &House| reveals(house, &[("src/rules/screen.rs", "a reason")]);
        let text = "fn f() {\n    words.reveal()\n}";
        assert!(said(check, &[("src/rules/screen.rs", text)]).is_empty());
        let elsewhere = said(check, &[("src/edge/store.rs", text)]);
        assert_eq!(elsewhere, ["src/edge/store.rs:2", "src/rules/screen.rs:1"]);
        let by_name = ("src/edge/store.rs", "fn f() { words.map(Private::reveal) }");
        assert_eq!(said(check, &[("src/rules/screen.rs", text), by_name]).len(), 1);
    }

    #[test]
    fn a_root_that_allows_unsafe_code_is_seen() {
        assert_eq!(said(unsafe_code, &[("src/lib.rs", "pub mod call;")]), ["src/lib.rs:1"]);
        assert_eq!(said(unsafe_code, &[("src/main.rs", "mod cli;")]), ["src/main.rs:1"]);
        assert!(said(unsafe_code, &[("src/main.rs", "fn main() {}")]).is_empty());
        assert!(said(unsafe_code, &[("src/lib.rs", "#![forbid(unsafe_code)]")]).is_empty());
    }

    #[test]
    fn a_pack_that_is_not_built_in_is_seen() {
        let packs = ["config/rules/a.toml".to_owned(), "config/rules/b.toml".to_owned()];
        let list =
            |name: &str| format!("(\"{name}\", include_str!(\"../../config/rules/{name}\"))");
        let rules = |names: [&str; 2]| format!("const SHIPPED = [{}];", names.map(list).join(","));
        assert!(shipped(&packs, &rules(["a.toml", "b.toml"])).is_empty());
        assert_eq!(shipped(&packs, &rules(["a.toml", "ab.toml"])).len(), 1);
    }

    #[test]
    fn a_place_on_one_machine_is_seen() {
        let path = |folder: &str| format!("\nsee {}{folder}/store", '/');
        assert_eq!(places("README.md", &path("work")).len(), 1);
        assert_eq!(places("README.md", &path("root")).len(), 1);
        assert!(
            places("README.md", "see ./work/store, ~/work/a and https://a.example/root/b")
                .is_empty()
        );
    }
}
