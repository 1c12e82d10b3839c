//! Scripted calls that say what is expected of them: a transcript whose comments are claims.
//!
//! ```text
//! # expect: warning before ask        # expect: below warning      # expect: danger by 45s
//! # expect: rule courier.hook.*       # expect: no rule bank.*     # expect: family courier
//! # here: caution                     what holds at this point of the file
//! # ask                               before the turn that asks for money, card, code or access
//! ```

use super::explain::{Explanation, Turn};
use super::phrases::MATCHES;
use super::score::Level;
use super::screen::Verdict;
use crate::call::Sound;
use crate::time::CallTime;
use crate::wire::transcript::{self, LineError};

/// A scripted call.
#[derive(Debug)]
pub struct Script {
    /// What is heard, in the order of the lines.
    pub sounds: Vec<Sound>,
    /// What is expected.
    pub claims: Vec<Claim>,
}

/// Something that is expected of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Its line, from 1.
    pub line: usize,
    /// As it is written: `warning before ask`.
    pub text: String,
    what: What,
    when: When,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    AtLeast(Level),
    Below(Level),
    Rule(String),
    NoRule(String),
    Family(String),
}

/// Where a claim holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    /// Over the whole call.
    Ever,
    /// By this moment.
    By(CallTime),
    /// In this many turns from the first: up to the line that asks.
    Before(usize),
    /// After this many turns.
    Here(usize),
}

/// Why a script cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ScriptError {
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line of a script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is neither an utterance nor a signal.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A second call.
    #[error("another call begins: a test is one call, so write one file for each")]
    SecondCall,
    /// A claim that is none.
    #[error(
        "'{0}' is no expectation: write a level (caution, warning, danger), 'below' and a level, \
         'rule ID', 'no rule ID' or 'family ID'; after it may stand 'by 45s' or 'before ask'"
    )]
    Claim(String),
    /// A claim that cannot fail.
    #[error("every call is quiet or above: write 'below caution'")]
    Quiet,
    /// `# expect` without a colon.
    #[error("an expectation is written '# expect: warning', with a colon")]
    Colon,
    /// `before ask` where nothing is asked.
    #[error("no '# ask' says where it is asked: put one before that turn")]
    NoAsk,
    /// A time in a claim about one moment.
    #[error("'# here:' is about this point of the call: leave out 'by' and 'before'")]
    HereHasNoTime,
}

/// A claim that does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What happened instead.
    pub got: String,
    /// The index of the turn that shows it best.
    pub turn: Option<usize>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// On a line that is neither an utterance nor a comment, and on a claim that is none.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut script = Self { sounds: Vec::new(), claims: Vec::new() };
        let (mut clock, mut call, mut ask) = (CallTime::START, None, None);
        for (number, line) in text.lines().enumerate() {
            let error = |problem: Problem| ScriptError { line: number + 1, problem };
            let turns = script.sounds.len();
            if let Some(note) = line.trim_start_matches('\u{feff}').trim().strip_prefix('#') {
                if note.trim() == "ask" {
                    ask = ask.or(Some(turns));
                }
                script.claims.extend(claim(note.trim(), number + 1, turns).map_err(error)?);
                continue;
            }
            let read = transcript::parse(line.as_bytes(), &mut clock);
            let Some(read) = read.map_err(|problem| error(problem.into()))? else { continue };
            if turns > 0 && read.call != call {
                return Err(error(Problem::SecondCall));
            }
            call = read.call;
            script.sounds.push(read.sound);
        }
        script.set_ask(ask)?;
        Ok(script)
    }

    /// The line that asks may stand below the claims that speak of it.
    fn set_ask(&mut self, ask: Option<usize>) -> Result<(), ScriptError> {
        for claim in &mut self.claims {
            if matches!(claim.when, When::Before(_)) {
                let missing = ScriptError { line: claim.line, problem: Problem::NoAsk };
                claim.when = When::Before(ask.ok_or(missing)?);
            }
        }
        Ok(())
    }
}

/// The claim in a comment, if it is one; `turns` stand above it.
fn claim(note: &str, line: usize, turns: usize) -> Result<Option<Claim>, Problem> {
    let (text, is_here) = if let Some(text) = note.strip_prefix("expect:") {
        (text.trim(), false)
    } else if let Some(text) = note.strip_prefix("here:") {
        (text.trim(), true)
    } else if note.split_whitespace().next() == Some("expect") {
        return Err(Problem::Colon);
    } else {
        return Ok(None);
    };
    let unknown = || Problem::Claim(text.to_owned());
    let (what, mut when) = if let Some(what) = text.strip_suffix(" before ask") {
        (what, When::Before(0))
    } else if let Some((what, time)) = text.split_once(" by ") {
        let time = time.trim();
        let time = time.strip_suffix('s').unwrap_or(time);
        (what, When::By(CallTime::parse(time).ok_or_else(unknown)?))
    } else {
        (text, When::Ever)
    };
    if is_here {
        match when {
            When::Ever => when = When::Here(turns),
            _ => return Err(Problem::HereHasNoTime),
        }
    }
    let words: Vec<&str> = what.split_whitespace().collect();
    let level = |name: &str| Level::from_name(name).ok_or_else(unknown);
    let what = match words.as_slice() {
        ["quiet"] | ["below", "quiet"] => return Err(Problem::Quiet),
        ["below", name] => What::Below(level(name)?),
        ["rule", id] => What::Rule((*id).to_owned()),
        ["no", "rule", id] => What::NoRule((*id).to_owned()),
        ["family", id] => What::Family((*id).to_owned()),
        [name] => What::AtLeast(level(name)?),
        _ => return Err(unknown()),
    };
    Ok(Some(Claim { line, text: text.to_owned(), what, when }))
}

impl Claim {
    /// Holds the claim against a call.
    ///
    /// # Errors
    /// When it does not hold: what happened instead.
    pub fn check(&self, call: &Explanation) -> Result<(), Failure> {
        if self.names_nothing(call) {
            return fail("nothing in the packs that are loaded has this name".to_owned(), None);
        }
        match &self.what {
            What::AtLeast(level) => self.at_least(call, *level),
            What::Below(level) => self.below(call, *level),
            What::Rule(pattern) => self.rule(call, pattern),
            What::NoRule(pattern) => match found(call, self.turns(call), pattern) {
                Some((turn, id)) => fail(format!("{id} was found"), Some(turn)),
                None => Ok(()),
            },
            What::Family(family) => self.family(call, family),
        }
    }

    /// A claim on a rule or a family that there is not would hold, or fail, whatever is said.
    fn names_nothing(&self, call: &Explanation) -> bool {
        match &self.what {
            What::Rule(pattern) | What::NoRule(pattern) => {
                !call.book.rules.iter().any(|rule| fits(pattern, &rule.id))
            }
            What::Family(family) => !call.book.packs.iter().any(|pack| pack.id == *family),
            What::AtLeast(_) | What::Below(_) => false,
        }
    }

    /// The turns that the claim is about.
    fn turns<'a>(&self, call: &'a Explanation) -> &'a [Turn] {
        let count = match self.when {
            When::Ever => call.turns.len(),
            When::Before(turns) | When::Here(turns) => turns.min(call.turns.len()),
            When::By(time) => call.turns.iter().take_while(|turn| turn.verdict.at <= time).count(),
        };
        &call.turns[..count]
    }

    /// The verdicts that the claim is about: words that may be revised count only where the call
    /// ends on them, and at their own place.
    fn verdicts<'a>(&self, call: &'a Explanation) -> Vec<(Option<usize>, &'a Verdict)> {
        let turns = self.turns(call);
        let told = turns.iter().enumerate().map(|(at, turn)| (Some(at), turn));
        match self.when {
            When::Here(_) => told.rev().take(1).map(|(at, turn)| (at, &turn.verdict)).collect(),
            _ => {
                let settled = told.filter(|(_, turn)| turn.is_settled());
                let verdicts = settled.map(|(at, turn)| (at, &turn.verdict));
                let end = (self.when == When::Ever).then_some((None, &call.last));
                verdicts.chain(end).collect()
            }
        }
    }

    fn at_least(&self, call: &Explanation, level: Level) -> Result<(), Failure> {
        let verdicts = self.verdicts(call);
        if verdicts.iter().any(|(_, verdict)| verdict.level >= level) {
            return Ok(());
        }
        let late = call.reached(level).filter(|_| !matches!(self.when, When::Here(_)));
        if let Some(turn) = late {
            let at = call.turns[turn].verdict.at;
            return fail(format!("{level} was reached only at {at}"), Some(turn));
        }
        // Of equals, the first.
        match verdicts.iter().rev().max_by(|left, right| left.1.score.total_cmp(&right.1.score)) {
            Some((turn, best)) => {
                let (level, score, at) = (best.level, best.score, best.at);
                fail(format!("no more than {level}, with a score of {score:.1} at {at}"), *turn)
            }
            None => fail("nothing was said by then".to_owned(), None),
        }
    }

    fn below(&self, call: &Explanation, level: Level) -> Result<(), Failure> {
        match self.verdicts(call).iter().find(|(_, verdict)| verdict.level >= level) {
            Some((turn, verdict)) => {
                let (level, score, at) = (verdict.level, verdict.score, verdict.at);
                fail(format!("{level}, with a score of {score:.1} at {at}"), *turn)
            }
            None => Ok(()),
        }
    }

    fn rule(&self, call: &Explanation, pattern: &str) -> Result<(), Failure> {
        if found(call, self.turns(call), pattern).is_some() {
            return Ok(());
        }
        if let Some((turn, id)) = found(call, &call.turns, pattern) {
            let at = call.turns[turn].verdict.at;
            return fail(format!("{id} was found only at {at}"), Some(turn));
        }
        let of_rule = |rule: usize| fits(pattern, &call.book.rules[rule].id);
        let turns = || call.turns.iter().enumerate();
        for (at, turn) in turns() {
            if let Some(one) = turn.found.iter().find(|one| of_rule(one.finding.rule)) {
                let id = &call.book.rules[one.finding.rule].id;
                let cue = one.finding.cue.map(|cue| format!(": {}", call.book.cues[cue].title));
                let because = cue.unwrap_or_default();
                return fail(format!("{id} was found but does not count{because}"), Some(at));
            }
        }
        for (at, turn) in turns() {
            if let Some(near) = turn.near.iter().find(|near| of_rule(near.rule)) {
                let id = &call.book.rules[near.rule].id;
                let told = format!(
                    "{id} was not found: in its phrase {}, \"{}\" was missing",
                    near.phrase + 1,
                    near.missing
                );
                return fail(told, Some(at));
            }
        }
        fail("it was not found".to_owned(), None)
    }

    fn family(&self, call: &Explanation, wanted: &str) -> Result<(), Failure> {
        let verdicts = self.verdicts(call);
        let worst = match self.when {
            When::Ever => Some((None, &call.worst)),
            _ => verdicts
                .into_iter()
                .rev()
                .max_by(|left, right| left.1.score.total_cmp(&right.1.score)),
        };
        let family = worst.and_then(|(_, verdict)| verdict.family);
        match family.map(|pack| call.book.packs[pack].id.as_str()) {
            Some(id) if id == wanted => Ok(()),
            Some(id) => fail(format!("the family is {id}"), worst.and_then(|(turn, _)| turn)),
            None => fail("no family was recognised".to_owned(), None),
        }
    }
}

fn fail(got: String, turn: Option<usize>) -> Result<(), Failure> {
    Err(Failure { got, turn })
}

/// The first of the turns in which a rule that fits was found and counts, and the rule's id.
fn found<'a>(call: &'a Explanation, turns: &[Turn], pattern: &str) -> Option<(usize, &'a str)> {
    turns.iter().enumerate().filter(|(_, turn)| turn.is_settled()).find_map(|(at, turn)| {
        let counts = turn.found.iter().filter(|one| one.finding.keeps >= MATCHES);
        let mut ids = counts.map(|one| call.book.rules[one.finding.rule].id.as_str());
        Some((at, ids.find(|id| fits(pattern, id))?))
    })
}

/// Whether an id fits a pattern, in which `*` stands for anything.
pub fn fits(pattern: &str, id: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| id.strip_prefix(head)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Problem {
        Script::parse(text).expect_err("a bad script").problem
    }

    #[test]
    fn claims_are_told_from_other_comments() {
        let text = "# family: courier\n#expect: warning before ask\n# here he asks\nremote: a\n\
                    # here: below danger\n# ask\nprotected: b\n# expect: no rule a.*\n# ask\n";
        let script = Script::parse(text).expect("a script");
        let claims: Vec<_> = script
            .claims
            .iter()
            .map(|claim| (claim.line, claim.text.as_str(), claim.when))
            .collect();
        let expected = [
            (2, "warning before ask", When::Before(1)),
            (5, "below danger", When::Here(1)),
            (8, "no rule a.*", When::Ever),
        ];
        assert_eq!((claims.as_slice(), script.sounds.len()), (&expected[..], 2));
    }

    #[test]
    fn times_are_read_in_seconds_and_minutes() {
        for (text, ms) in [("45s", 45_000), ("45", 45_000), ("1:05", 65_000), ("0.5s", 500)] {
            let script = Script::parse(&format!("# expect: danger by {text}")).expect("a script");
            assert_eq!(script.claims[0].when, When::By(CallTime(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_claim_is_refused_with_its_line() {
        let error = Script::parse("remote: a\n# expect: warnign").expect_err("a bad level");
        assert!(error.to_string().starts_with("line 2: 'warnign' is no expectation: "), "{error}");
        for text in ["", "rule", "below", "warning by soon", "no family a", "warning before tea"] {
            let problem = problem(&format!("# expect: {text}"));
            assert_eq!(problem, Problem::Claim(text.to_owned()));
        }
        assert_eq!(problem("# expect: quiet"), Problem::Quiet);
        assert_eq!(problem("# expect warning"), Problem::Colon);
        assert_eq!(problem("# expect: warning before ask"), Problem::NoAsk);
        assert_eq!(problem("# here: warning by 45s"), Problem::HereHasNoTime);
        let line = |call: &str| {
            format!(r#"{{"call":"{call}","leg":"remote","start_ms":0,"end_ms":9,"text":"a"}}"#)
        };
        assert_eq!(problem(&format!("{}\n{}", line("a"), line("b"))), Problem::SecondCall);
    }

    #[test]
    fn patterns_fit_ids() {
        for pattern in ["courier.hook.x", "courier.*", "*", "*.hook.*", "c*.x", "courier.hook.x*"] {
            assert!(fits(pattern, "courier.hook.x"), "{pattern}");
        }
        for pattern in ["courier", "bank.*", "*.hook", "courier.hook.x.*", "*x*x", ""] {
            assert!(!fits(pattern, "courier.hook.x"), "{pattern}");
        }
    }
}
