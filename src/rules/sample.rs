//! What a phrase can find, as it would be said: for each of its alternatives one way of saying it.

use super::automaton::Lists;
use super::pattern::{Class, Node};

/// A word of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// In any of its forms.
    Word(&'a str),
    /// In just this form.
    Exact(&'a str),
    /// As it is misheard too.
    Misheard(&'a str),
    /// A number.
    Class(Class),
}

/// The most ways of saying one phrase.
const MOST: usize = 2_000;

/// Ways of saying a phrase: one for each of its alternatives, with the `pick`-th of all others. The
/// same alternative has the same place whatever the `pick`.
pub(super) fn ways<'a>(node: &'a Node, lists: &'a Lists, pick: usize) -> Vec<Vec<Token<'a>>> {
    let mut ways = match node {
        Node::Word(word) => vec![vec![Token::Word(word)]],
        Node::Exact(word) => vec![vec![Token::Exact(word)]],
        Node::Misheard(word) => vec![vec![Token::Misheard(word)]],
        Node::Class(class) => vec![vec![Token::Class(*class)]],
        Node::Gap(..) => vec![Vec::new()],
        Node::List(name) => lists.get(name).map_or_else(Vec::new, |list| ways(list, lists, pick)),
        Node::Choice(nodes) => nodes.iter().flat_map(|node| ways(node, lists, pick)).collect(),
        Node::Optional(node) => {
            let mut ways = ways(node, lists, pick);
            ways.push(Vec::new());
            ways
        }
        Node::Sequence(nodes) => {
            let parts: Vec<_> = nodes.iter().map(|node| ways(node, lists, pick)).collect();
            sequences(&parts, pick)
        }
    };
    ways.truncate(MOST);
    ways
}

fn sequences<'a>(parts: &[Vec<Vec<Token<'a>>>], pick: usize) -> Vec<Vec<Token<'a>>> {
    let usual = |at: usize| parts[at].get(pick % parts[at].len().max(1)).into_iter().flatten();
    let with = |changed: usize, way: &[Token<'a>]| {
        let before = (0..changed).flat_map(usual).cloned();
        let after = (changed + 1..parts.len()).flat_map(usual).cloned();
        before.chain(way.iter().cloned()).chain(after).collect()
    };
    let choices = (0..parts.len()).filter(|at| parts[*at].len() > 1);
    let each = |at: usize| parts[at].iter().map(move |way| (at, way));
    let ways: Vec<_> = choices.flat_map(each).map(|(at, way)| with(at, way)).collect();
    match ways.is_empty() {
        true => vec![(0..parts.len()).flat_map(usual).cloned().collect()],
        false => ways,
    }
}

/// A way of saying as a recogniser may write it, small numbers in letters or in figures.
pub(super) fn spoken(way: &[Token<'_>], in_letters: bool) -> String {
    let words = way.iter().map(|token| match token {
        Token::Word(word) | Token::Exact(word) | Token::Misheard(word) => number(word, in_letters),
        Token::Class(class) => of_class(*class),
    });
    words.collect::<Vec<&str>>().join(" ")
}

/// A number is said in letters where that is how people say it.
fn number(word: &str, in_letters: bool) -> &str {
    const LETTERS: [&str; 21] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
    ];
    match word {
        // As figures they are not said of their own.
        "100" => "hundred",
        "1000" => "thousand",
        _ if !in_letters || word.starts_with('0') => word,
        _ => word.parse().ok().and_then(|n: usize| LETTERS.get(n).copied()).unwrap_or(word),
    }
}

const fn of_class(class: Class) -> &'static str {
    match class {
        Class::Number => "7",
        Class::Amount => "£50",
        Class::Large => "250",
        Class::Digits => "417",
        Class::Pin => "4177",
        Class::Code => "41776",
        Class::SortCode => "204567",
        Class::Card => "4526123456789012",
        Class::Telephone => "07700900123",
        Class::Time => "9am",
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::parse;
    use super::*;

    fn said(phrase: &str, pick: usize) -> Vec<String> {
        let lists = Lists::from([("bank".to_owned(), parse("barclays|lloyds").expect("a list"))]);
        let node = parse(phrase).expect("a phrase");
        ways(&node, &lists, pick).iter().map(|way| spoken(way, true)).collect()
    }

    #[test]
    fn every_alternative_is_said_once() {
        assert_eq!(
            said("(ring|call) <3> @bank now?", 0),
            [
                "ring barclays now",
                "call barclays now",
                "ring barclays now",
                "ring lloyds now",
                "ring barclays now",
                "ring barclays",
            ]
        );
        assert_eq!(
            said("(ring|call) @bank", 1),
            ["ring lloyds", "call lloyds", "call barclays", "call lloyds"]
        );
        assert_eq!(said("plain words", 0), ["plain words"]);
        assert_eq!(said("(3|#pin) digits", 0), ["three digits", "4177 digits"]);
    }
}
