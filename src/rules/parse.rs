//! The text of a pack → the pack, with every mistake of form and not only the first.
//!
//! The reader of TOML stops at a mistake. So each is noted and taken out of what was read, and the
//! rest is read again.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use super::error::{Code, Place, Problem};
use super::pack::Pack;
use super::suggest;

/// The most mistakes of one file that are told: more, and it is no pack at all.
const MOST: usize = 100;

/// Reads a pack. There is none if it is no TOML, or something in it had to be left out whole;
/// with a mistake of another kind the pack lacks just what is wrong.
pub(super) fn parse(file: &str, text: &str) -> (Option<Pack>, Vec<Problem>) {
    let (mut table, errors) = DeTable::parse_recoverable(text);
    let at = |span: Range<usize>| Place::syntax(text, span);
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            let place = at(error.span().unwrap_or_default());
            Problem::new(Code::Syntax, file, place, format!("not TOML: {}", error.message()))
        })
        .collect();
    if !problems.is_empty() {
        return (None, problems);
    }
    let (mut is_whole, mut taken) = (true, Vec::<Taken>::new());
    while problems.len() < MOST {
        let error = match Pack::deserialize(Deserializer::from(table.clone())) {
            Ok(pack) => {
                problems.sort_by_key(|problem| problem.place.syntax.as_ref().map(|at| at.0));
                return (Some(pack).filter(|_| is_whole), problems);
            }
            Err(error) => error,
        };
        let mistake = Mistake::of(error.message());
        let top = table.span();
        // What is missing at the top of the file is told there.
        let span = error.span().filter(|span| *span != top).unwrap_or_default();
        // A key whose value was wrong is not missing too.
        let follows = |key: &String| taken.contains(&Taken::Key(span.clone(), key.clone()));
        if !mistake.missing.as_ref().is_some_and(follows) {
            let Mistake { message, help, .. } = &mistake;
            let problem = Problem::new(Code::Syntax, file, at(span.clone()), message.clone());
            problems.push(problem.helped(help.clone()));
        }
        let meant = mistake.meant.as_deref();
        let Some(out) = take_out(table.get_mut(), &Range::default(), &span, meant) else { break };
        is_whole &= mistake.missing.is_none() && out != Taken::Item;
        taken.push(out);
    }
    (None, problems)
}

/// What the reader of TOML says, as a person is told.
struct Mistake {
    message: String,
    help: Option<String>,
    /// The name that was meant.
    meant: Option<String>,
    /// The key that is missing.
    missing: Option<String>,
}

impl Mistake {
    fn of(message: &str) -> Self {
        let mut names = message.split('`').skip(1).step_by(2);
        let wrong = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        let meant = suggest::nearest(wrong, known.iter().copied());
        let list = || Some(format!("there are {}", known.join(", "))).filter(|_| !known.is_empty());
        let help = meant.map(|name| format!("did you mean '{name}'?")).or_else(list);
        let (is_key, is_missing) =
            (message.starts_with("unknown field"), message.starts_with("missing field"));
        let told = match message {
            _ if is_key => format!("unknown key '{wrong}'"),
            _ if message.starts_with("unknown variant") => format!("there is no '{wrong}'"),
            _ if is_missing => format!("the key '{wrong}' is missing"),
            _ => message.to_owned(),
        };
        Self {
            message: told,
            help: if is_missing { None } else { help },
            meant: meant.filter(|_| !is_missing).map(str::to_owned),
            missing: is_missing.then(|| wrong.to_owned()),
        }
    }
}

/// What was taken out.
#[derive(Debug, PartialEq)]
enum Taken {
    /// A key of the table at this place.
    Key(Range<usize>, String),
    /// An item of a list.
    Item,
}

/// Takes what stands at `span` out of the table at `own`, or puts what was meant in its place.
fn take_out(
    table: &mut DeTable<'_>,
    own: &Range<usize>,
    span: &Range<usize>,
    meant: Option<&str>,
) -> Option<Taken> {
    // A list of tables has the place of its first.
    let is_list = |value: &DeValue<'_>| {
        value.as_array().is_some_and(|items| items.iter().any(|item| item.span() == *span))
    };
    let is_meant = |(key, value): &(&Spanned<_>, &Spanned<_>)| {
        key.span() == *span || (value.span() == *span && !is_list(value.get_ref()))
    };
    let found = table.iter().find(is_meant).map(|(key, _)| key.get_ref().to_string());
    let Some(key) = found else {
        return table.iter_mut().find_map(|(_, value)| take_out_of(value, span, meant));
    };
    let mut value = table.remove(key.as_str())?;
    let Some(meant) = meant else { return Some(Taken::Key(own.clone(), key)) };
    let is_name = value.span() == *span && value.get_ref().is_str();
    let name = if is_name { key.as_str() } else { meant };
    if is_name {
        *value.get_mut() = DeValue::String(meant.to_owned().into());
    }
    if !table.contains_key(name) {
        table.insert(Spanned::new(span.clone(), name.to_owned().into()), value);
    }
    Some(Taken::Key(own.clone(), key))
}

fn take_out_of(
    value: &mut Spanned<DeValue<'_>>,
    span: &Range<usize>,
    meant: Option<&str>,
) -> Option<Taken> {
    let own = value.span();
    match value.get_mut() {
        DeValue::Table(table) => take_out(table, &own, span, meant),
        DeValue::Array(items) if items.iter().any(|item| item.span() == *span) => {
            let mut rest = DeArray::new();
            let others = items.iter().filter(|item| item.span() != *span);
            others.for_each(|item| rest.push(item.clone()));
            *items = rest;
            Some(Taken::Item)
        }
        DeValue::Array(items) => items.iter_mut().find_map(|item| take_out_of(item, span, meant)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: &str = "[pack]\nid = \"p\"\ntitle = \"P\"\nversion = \"1\"\n";

    fn told(more: &str) -> (bool, Vec<String>) {
        let (pack, problems) = parse("p.toml", &format!("{PACK}{more}"));
        (pack.is_some(), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn all_mistakes_of_form_are_told_with_what_was_meant() {
        let (is_whole, problems) = told(
            "[pretext]\nleest = 4.0\ncap-without = \"a\"\n[stages.hok]\ncap = 1\nfloor = 1\n\
             [[rule]]\nid = \"p.a\"\ntitel = \"A\"\nstage = \"hokk\"\nweight = 1\n\
             [[rule]]\nid = \"p.b\"\nweights = 3\n",
        );
        assert!(!is_whole);
        let all = problems.join("\n");
        for part in [
            "p.toml:6: unknown key 'leest' (did you mean 'least'?)",
            "p.toml:7: invalid type: string \"a\", expected",
            "p.toml:8: there is no 'hok' (did you mean 'hook'?)",
            "p.toml:13: unknown key 'titel' (did you mean 'title'?)",
            "p.toml:14: there is no 'hokk' (did you mean 'hook'?)",
            "p.toml:18: unknown key 'weights' (did you mean 'weight'?)",
            "p.toml:16: the key 'title' is missing",
        ] {
            assert!(all.contains(part), "{part} in\n{all}");
        }
        assert!(!all.contains("'cap-without' is missing"), "{all}");
    }

    #[test]
    fn a_pack_with_a_key_too_many_is_read_on() {
        let (is_whole, problems) = told("colour = \"red\"\n");
        assert!(is_whole);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let (is_whole, problems) = told("[[rule]\nid = = 3\n");
        assert!(!is_whole);
        assert!(problems.len() >= 2, "{problems:?}");
        assert!(problems[0].starts_with("p.toml:5: not TOML: "), "{problems:?}");
        assert!(!told("").1.iter().any(|_| true));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]a-z=\"\\n .#']{0,80}") {
            let _ = parse("p.toml", &text);
        }
    }
}
