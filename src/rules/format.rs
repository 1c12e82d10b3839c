//! Packs in one form: keys in one order, a blank line between tables, long lists an item a line.
//! Comments stay with what they stand by.

use std::cmp::Ordering;

use toml_edit::{Array, Decor, DocumentMut, Item, KeyMut, RawString, Table, Value};

/// The longest line of a list that stands on one line, in characters.
const MAX_COLUMNS: usize = 120;

/// The keys of the tables of a pack, in their order; other keys stand behind them as they stood.
const ORDER: [(&str, &[&str]); 12] = [
    ("pack", &["id", "title", "version", "references"]),
    ("stages", &["cap", "floor"]),
    ("groups", &["cap"]),
    ("sequences", &["cap", "floor"]),
    ("families", &["second", "others"]),
    ("reassurance", &["cap"]),
    ("pretext", &["least", "cap-without"]),
    ("cue", &["kind", "title", "phrases", "reach", "same-sentence", "keeps", "lasts"]),
    (
        "suppression",
        &[
            "id",
            "title",
            "speaker",
            "of",
            "keeps",
            "lasts",
            "phrases",
            "must-match",
            "must-not-match",
        ],
    ),
    ("override", &["rule", "enabled", "weight", "maturity", "reason"]),
    (
        "rule",
        &[
            "id",
            "title",
            "stage",
            "weight",
            "bounds",
            "speaker",
            "context",
            "group",
            "half-life",
            "negatable",
            "maturity",
            "tolerance",
            "signal",
            "phrases",
            "sequence",
            "references",
            "false-positives",
            "must-match",
            "must-not-match",
        ],
    ),
    ("sequence", &["steps", "ordered", "within"]),
];

/// A pack that is no TOML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no TOML, `lineclear rules check` shows where: {0}")]
pub struct FormatError(String);

/// Brings a pack into form. What it says stays the same, and a second time changes nothing.
///
/// # Errors
/// When the text is not TOML.
pub fn format(text: &str) -> Result<String, FormatError> {
    let problem = |error: toml_edit::TomlError| FormatError(error.message().to_owned());
    let mut document: DocumentMut = text.parse().map_err(problem)?;
    let trailing = Notes::above(document.trailing().as_str());
    keys(document.as_table_mut(), "", "");
    document.set_trailing(trailing.block());
    let text = document.to_string();
    Ok(format!("{}\n", text.trim_start_matches('\n').trim_end_matches(['\n', ' ', '\t'])))
}

/// Brings a table with a header into form, and all that is in it.
fn table(table: &mut Table, name: &str) {
    let is_less = |left: &str, right: &str| -> Ordering {
        let keys = ORDER.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, keys)| keys);
        let rank = |key| keys.iter().position(|known| *known == key).unwrap_or(keys.len());
        rank(left).cmp(&rank(right))
    };
    table.sort_values_by(|left, _, right, _| is_less(left.get(), right.get()));
    let before = Notes::above(text(table.decor().prefix()));
    let after = Notes::of(text(table.decor().suffix()));
    *table.decor_mut() = Decor::new(before.block(), after.behind());
    keys(table, name, "");
}

/// Brings the keys of a table into form. `dotted` is what stands before each: `stages.hook.`.
fn keys(parent: &mut Table, name: &str, dotted: &str) {
    for (mut key, item) in parent.iter_mut() {
        let own = key.get().to_owned();
        // A table within a named table is one of its kind: [stages.hook].
        let kind = if ["stages", "groups"].contains(&name) { name } else { own.as_str() };
        match item {
            Item::None => {}
            Item::Value(value) => line(&mut key, value, dotted),
            Item::Table(inner) if inner.is_dotted() => {
                keys(inner, kind, &format!("{dotted}{own}."));
            }
            Item::Table(inner) => table(inner, kind),
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(|inner| table(inner, kind)),
        }
    }
}

/// Brings a key and its value into form.
fn line(key: &mut KeyMut<'_>, value: &mut Value, dotted: &str) {
    let before = Notes::above(text(key.leaf_decor().prefix()));
    let width = dotted.chars().count() + key.get().chars().count() + " = ".len();
    *key.leaf_decor_mut() = Decor::new(before.lines(""), " ");
    let after = Notes::of(text(value.decor().suffix()));
    if let Value::Array(array) = value {
        list(array, width);
    }
    *value.decor_mut() = Decor::new(" ", after.behind());
}

/// Brings a list into form. `width` is what stands before it on its line.
fn list(array: &mut Array, width: usize) {
    let mut gaps: Vec<Notes> = Vec::with_capacity(array.len() + 1);
    let mut left_over = Notes::default();
    for value in array.iter_mut() {
        let mut gap = Notes::of(text(value.decor().prefix()));
        gap.add(left_over);
        gaps.push(gap);
        left_over = Notes::of(text(value.decor().suffix()));
        value.decor_mut().clear();
        if let Value::Array(inner) = value {
            list(inner, 0);
        }
        *value.decor_mut() = Decor::new("", "");
    }
    let mut last = Notes::of(array.trailing().as_str());
    last.add(left_over);
    let items: Vec<String> = array.iter().map(ToString::to_string).collect();
    let length: usize = items.iter().map(|item| item.chars().count() + ", ".len()).sum();
    let fits = (width + "[]".len() + length).saturating_sub(", ".len()) <= MAX_COLUMNS
        && !items.iter().any(|item| item.contains('\n'));
    let has_notes = !last.is_empty() || gaps.iter().any(|gap| !gap.is_empty());
    let is_one_line = (fits || items.is_empty()) && !has_notes;
    for (number, (value, gap)) in array.iter_mut().zip(gaps).enumerate() {
        let prefix = match (is_one_line, number) {
            (true, 0) => String::new(),
            (true, _) => " ".to_owned(),
            (false, _) => format!("{}\n{}  ", gap.behind(), gap.lines("  ")),
        };
        *value.decor_mut() = Decor::new(prefix, "");
    }
    array.set_trailing_comma(!is_one_line && !array.is_empty());
    let end = if is_one_line {
        String::new()
    } else {
        format!("{}\n{}", last.behind(), last.lines("  "))
    };
    array.set_trailing(end);
}

fn text(raw: Option<&RawString>) -> Option<&str> {
    raw.and_then(RawString::as_str)
}

/// The comments between two things.
#[derive(Debug, Default)]
struct Notes {
    /// On the line of what stands before.
    behind: Option<String>,
    /// Each on its own line; an empty one is a blank line.
    own: Vec<String>,
}

impl Notes {
    /// What stands above a thing, on lines of its own.
    fn above(space: Option<&str>) -> Self {
        Self::of(Some(&format!("\n{}", space.unwrap_or_default())))
    }

    /// What stands between two things, the first of which may have a comment on its line.
    fn of(space: Option<&str>) -> Self {
        let mut lines = space.unwrap_or_default().split('\n').map(str::trim);
        let behind = lines.next().filter(|first| !first.is_empty()).map(str::to_owned);
        let mut own: Vec<String> = lines.map(str::to_owned).collect();
        // The last is what stands before the thing on its own line.
        own.pop_if(|last| last.is_empty());
        own.dedup_by(|next, before| next.is_empty() && before.is_empty());
        Self { behind, own }
    }

    /// Adds comments that stood before these.
    fn add(&mut self, before: Self) {
        let mut behind = before.behind;
        if self.behind.is_none() {
            self.behind = behind.take();
        }
        let older = behind.into_iter().chain(before.own);
        self.own.splice(0..0, older.filter(|line| !line.is_empty()));
    }

    fn is_empty(&self) -> bool {
        self.behind.is_none() && self.own.iter().all(String::is_empty)
    }

    /// Behind what stands before.
    fn behind(&self) -> String {
        self.behind.as_ref().map(|comment| format!(" {comment}")).unwrap_or_default()
    }

    /// Each on its own line, without blank ones.
    fn lines(&self, indent: &str) -> String {
        let lines = self.own.iter().filter(|line| !line.is_empty());
        lines.map(|line| format!("{indent}{line}\n")).collect()
    }

    /// After one blank line, blank lines between comments kept: what stands before a table.
    fn block(&self) -> String {
        let lines = self.own.iter().skip_while(|line| line.is_empty());
        lines.fold("\n".to_owned(), |block, line| format!("{block}{line}\n"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::SHIPPED;

    fn parsed(text: &str) -> toml::Table {
        toml::from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
    }

    fn comments(text: &str) -> Vec<String> {
        let lines =
            text.lines().filter_map(|line| Some(line[line.find("#!")?..].trim().to_owned()));
        let mut found: Vec<String> = lines.collect();
        found.sort();
        found
    }

    #[test]
    fn a_pack_is_brought_into_form() {
        let long = "\"a phrase that is rather long, so that three do not fit\"";
        let untidy = format!(
            "\n\n# What it is.\n\n\n# More.\n[pack]\ntitle='P' # family\nid =  \"p\"\n\n\n\
             [stages.hook]\nfloor=1.0\ncap = 2.0\n# ---- hooks ----\n\n[[rule]]# the first\n\
             weight=3\n  phrases=[ 'a',\"b\" ]\n# who\n\nspeaker = \"any\"\nid = \"p.a\"\n\
             must-match = [{long},{long}, # behind\n   # before\n {long}]\nodd = 1\n# the end\n"
        );
        let tidy = format!(
            "# What it is.\n\n# More.\n[pack]\nid = \"p\"\ntitle = 'P' # family\n\n\
             [stages.hook]\ncap = 2.0\nfloor = 1.0\n\n# ---- hooks ----\n\n[[rule]] # the first\n\
             id = \"p.a\"\nweight = 3\n# who\nspeaker = \"any\"\nphrases = ['a', \"b\"]\n\
             must-match = [\n  {long},\n  {long}, # behind\n  # before\n  {long},\n]\nodd = 1\n\n\
             # the end\n"
        );
        assert_eq!(format(&untidy).as_deref(), Ok(tidy.as_str()));
        assert!(format("[pack\n").is_err());
    }

    #[test]
    fn shipped_packs_say_the_same_in_form() {
        for (name, text) in SHIPPED {
            let tidy = format(text).expect("TOML");
            assert_eq!(parsed(text), parsed(&tidy), "{name}");
            assert_eq!(format(&tidy).as_deref(), Ok(tidy.as_str()), "{name}");
            let count = |text: &str| text.lines().filter(|l| l.trim().starts_with('#')).count();
            assert_eq!(count(text), count(&tidy), "{name}");
        }
    }

    #[test]
    fn every_key_of_a_pack_has_its_place() {
        let schema = schemars::schema_for!(crate::rules::pack::Pack).to_value();
        let keys = |table: &serde_json::Value| -> Vec<String> {
            let properties = table["properties"].as_object();
            properties.into_iter().flat_map(|all| all.keys().cloned()).collect()
        };
        let tables = schema["$defs"].as_object().expect("definitions");
        for key in tables.values().flat_map(keys) {
            let has_place = ORDER.iter().any(|(_, keys)| keys.contains(&key.as_str()));
            assert!(has_place, "{key} is not in ORDER");
        }
        for table in ["pack", "cue", "suppression", "override", "rule"] {
            assert!(keys(&schema).contains(&table.to_owned()), "{table}");
        }
    }

    /// Space, with or without a comment and blank lines.
    fn space() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(" ".to_owned()),
            Just("\n".to_owned()),
            Just("\n\n\n".to_owned()),
            "[a-z]{1,4}".prop_map(|word| format!(" #! {word}\n")),
            "[a-z]{1,4}".prop_map(|word| format!("\n\n  #! {word}\r\n\n")),
        ]
    }

    fn value() -> impl Strategy<Value = String> {
        let text = prop_oneof![
            "\"[a-z <>|#=~]{0,50}\"",
            "'[a-z\"#]{0,20}'",
            Just("\"\"\"a\nb # x\"\"\"".to_owned()),
            Just("\"\\u00e9 \\\" # x\"".to_owned()),
        ];
        let item = (space(), text.clone(), space()).prop_map(|(a, text, b)| a + &text + &b);
        let list = (proptest::collection::vec(item, 0..6), any::<bool>(), space()).prop_map(
            |(items, comma, end)| {
                let comma = if comma && !items.is_empty() { "," } else { "" };
                format!("[{}{comma}{end}]", items.join(","))
            },
        );
        let list = list.boxed();
        prop_oneof![
            text,
            list.clone(),
            list.prop_map(|inner| format!("[{inner}, {inner}]")),
            Just("{ steps = [\"a\"], within = 3 }".to_owned()),
            Just("12.50".to_owned()),
            Just("true".to_owned()),
        ]
    }

    fn pack() -> impl Strategy<Value = String> {
        let keys = ["id", "weight", "phrases", "sequence", "must-match", "odd", "a.b", "\"x y\""];
        let entry = (proptest::sample::select(keys.to_vec()), value(), "[ \t]{0,3}", space());
        let header =
            prop_oneof![Just("[[rule]]"), Just("[[cue]]"), Just("[ [rule]"), Just("[[ rule ]]")];
        let table = (header, proptest::collection::vec(entry, 0..7), space(), space());
        proptest::collection::vec(table, 1..5).prop_map(|tables| {
            let mut text = String::new();
            for (header, entries, before, after) in tables {
                text += &format!("\n{before}\n{header}{after}\n");
                let mut used = std::collections::BTreeSet::new();
                for (key, value, gap, after) in entries {
                    if used.insert(key) {
                        text += &format!("{gap}{key}{gap}={gap}{value}{after}\n");
                    }
                }
            }
            text
        })
    }

    proptest! {
        #[test]
        fn form_changes_nothing_that_is_said_and_is_reached_at_once(text in pack()) {
            let Ok(table) = toml::from_str::<toml::Table>(&text) else { return Ok(()) };
            let tidy = format(&text).expect("TOML");
            prop_assert_eq!(&table, &parsed(&tidy), "{}", tidy);
            prop_assert_eq!(comments(&text), comments(&tidy), "{}", tidy);
            prop_assert_eq!(format(&tidy), Ok(tidy));
        }
    }
}
