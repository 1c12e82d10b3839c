//! The list of mutants must not rot: each is in its file, once. `tests/mutants/run` tries them.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Mutants {
    mutant: Vec<Mutant>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    /// The promise that the simulator must see broken.
    breaks: String,
    file: String,
    find: String,
    replace: String,
}

#[test]
fn each_mutant_is_found_exactly_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    let list: Mutants = toml::from_str(&read("tests/mutants/mutants.toml")).expect("TOML");
    let mut names = BTreeSet::new();
    for mutant in &list.mutant {
        let Mutant { name, breaks, file, find, replace } = mutant;
        assert_eq!(read(file).matches(find.as_str()).count(), 1, "{name}: {find:?} in {file}");
        assert!(find != replace && !breaks.is_empty(), "{name} changes nothing");
        assert!(names.insert(name), "two mutants are called {name:?}");
    }
}
