//! A small scam family, in a directory of its own, and the program run there.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Ran, finish, program};

/// A small family: a hook, a demand, and what takes the sting out of both.
pub const PACK: &str = r#"
[pack]
id = "toy"
title = "Toy scam"
version = "3"
[stages.hook]
cap = 15.0
floor = 0.2
[stages.extraction]
cap = 14.0
floor = 0.8
[pretext]
least = 4.0
cap-without = 10.0
[[cue]]
kind = "report"
title = "somebody tells of it"
phrases = ["they say"]
reach = 8
keeps = 0.25
[[rule]]
id = "toy.hook.parrot"
title = "Caller speaks of a parrot in trouble"
stage = "hook"
weight = 8.0
half-life = 60
phrases = ["purple parrot <3> (jail|prison)", "arrested <2> parrot"]
references = ["the toy box"]
false-positives = ["a zoo"]
must-match = ["Your purple parrot is in jail."]
must-not-match = ["A parrot."]
[[rule]]
id = "toy.hook.cage"
title = "Caller speaks of the cage"
stage = "hook"
weight = 9.0
phrases = ["golden cage"]
must-match = ["The golden cage."]
must-not-match = ["The cage."]
[[rule]]
id = "toy.extraction.seeds"
title = "Caller wants seeds"
stage = "extraction"
weight = 13.0
phrases = ["send <2> (basket|sack) <2> seeds"]
must-match = ["Send me a basket of seeds."]
must-not-match = ["Seeds."]
[[rule]]
id = "toy.extraction.tone"
title = "A dial tone"
stage = "extraction"
weight = 5.0
maturity = "experimental"
signal = "dial-tone"
"#;

pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    write(&folder, "rules/toy.toml", PACK);
    folder
}

pub fn write(folder: &tempfile::TempDir, name: &str, text: &str) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    fs::write(path, text).expect("written");
}

/// Runs the program in a folder, with the toy rules.
pub fn run(folder: &tempfile::TempDir, arguments: &str) -> Ran {
    let mut command = program(&["--rules", "rules"]);
    command.args(arguments.split_whitespace()).current_dir(folder).env("COLUMNS", "100");
    finish(command)
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program in the repository, with the shipped rules.
pub fn shipped(arguments: &[&str]) -> Ran {
    let mut command = program(arguments);
    command.current_dir(repository());
    finish(command)
}

pub fn objects(ran: &Ran) -> Vec<Value> {
    let object = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    ran.out.lines().map(object).collect()
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

pub fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// Fails unless the parts, with bars between them, stand in `text` in this order.
pub fn assert_in_order(text: &str, parts: &str) {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = flat.as_str();
    for part in parts.split('|') {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in its place in {text}"));
        rest = &rest[at + part.len()..];
    }
}
