//! Packs changed as text: comments and layout stay as their author wrote them.

use std::collections::BTreeMap;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TomlError, Value};

use super::error::RuleErrors;

/// Packs, given as (file name, text).
pub type Sources = Vec<(String, String)>;

/// Packs with other weights, in decibans, for the rules that `weights` names.
///
/// # Errors
/// When a text is not TOML.
pub fn reweigh(packs: &Sources, weights: &BTreeMap<&str, f64>) -> Result<Sources, RuleErrors> {
    let change = |rule: &mut Table| {
        let Some(weight) = id(rule).and_then(|id| weights.get(id)) else { return };
        if let Some(value) = rule.get_mut("weight").and_then(Item::as_value_mut) {
            // What stands around a value is part of it.
            let around = value.decor().clone();
            *value = Value::from(*weight);
            *value.decor_mut() = around;
        }
    };
    edit(packs, |rules| rules.iter_mut().for_each(change))
}

/// Packs with `copies` of the one rule named `only`, each with an id of its own, and nothing that
/// names other rules. Lists, limits and cues stay.
///
/// # Errors
/// When a text is not TOML.
pub fn isolate(packs: &Sources, only: &str, copies: usize) -> Result<Sources, RuleErrors> {
    let copy = |rule: &Table, number: usize| {
        let mut rule = rule.clone();
        rule["id"] = toml_edit::value(format!("{only}.{number}"));
        rule
    };
    let packs = packs.iter().map(|(file, text)| {
        let mut pack = parse(file, text)?;
        pack.remove("suppression");
        pack.remove("override");
        Ok((file.clone(), pack.to_string()))
    });
    edit(&packs.collect::<Result<_, RuleErrors>>()?, |rules| {
        let kept = rules.iter().find(|rule| id(rule) == Some(only)).cloned();
        let kept = kept.iter().flat_map(|rule| (0..copies).map(|number| copy(rule, number)));
        *rules = kept.collect();
    })
}

fn edit(packs: &Sources, change: impl Fn(&mut ArrayOfTables)) -> Result<Sources, RuleErrors> {
    let edited = packs.iter().map(|(file, text)| {
        let mut pack = parse(file, text)?;
        if let Some(rules) = pack.get_mut("rule").and_then(Item::as_array_of_tables_mut) {
            change(rules);
        }
        Ok((file.clone(), pack.to_string()))
    });
    edited.collect()
}

fn parse(file: &str, text: &str) -> Result<DocumentMut, RuleErrors> {
    text.parse().map_err(|error: TomlError| RuleErrors::syntax(file, &error))
}

fn id(rule: &Table) -> Option<&str> {
    rule.get("id").and_then(Item::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: &str = "# A pack.\n[pack]\nid = 'p' # short\n\n[[rule]]\nid = \"p.a\"\n\
        weight   =  5.0  # from a report\nphrases = [\n  \"a\", # one\n]\n\n# Rare.\n\
        [[rule]]\nid = 'p.b'\nweight = 7\n";

    fn pack(text: &str) -> Sources {
        vec![("p.toml".to_owned(), text.to_owned())]
    }

    #[test]
    fn nothing_but_the_weight_changes() {
        let changed = |weights: &[(&'static str, f64)]| {
            let weights = weights.iter().copied().collect();
            reweigh(&pack(PACK), &weights).expect("TOML").remove(0).1
        };
        assert_eq!(changed(&[("p.a", 6.5)]), PACK.replace("5.0", "6.5"));
        assert_eq!(changed(&[("p.b", 7.0)]), PACK.replace("weight = 7", "weight = 7.0"));
        assert_eq!(changed(&[("p.c", 7.0)]), PACK);
        let error = reweigh(&pack("[pack"), &BTreeMap::new()).expect_err("no TOML");
        assert!(error.to_string().starts_with("p.toml: "), "{error}");
    }

    #[test]
    fn one_rule_is_left_in_as_many_copies() {
        let left = |only| isolate(&pack(PACK), only, 2).expect("TOML").remove(0).1;
        let text = left("p.b");
        assert!(text.contains("id = \"p.b.0\"") && text.contains("id = \"p.b.1\""), "{text}");
        assert_eq!((text.matches("[[rule]]").count(), text.contains("p.a")), (2, false), "{text}");
        let none = left("p.c");
        assert!(none.contains("[pack]") && !none.contains("[[rule]]"), "{none}");
    }
}
