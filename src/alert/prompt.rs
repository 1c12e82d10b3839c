//! What is spoken on the line, by the names of the files in `config/prompts/`.

use std::time::Duration;

use crate::rules::Level;

/// The families of scam that have a warning of their own, which names the trick.
const FAMILIES: [&str; 13] = [
    "courier",
    "bank",
    "tax",
    "identity",
    "prosecutor",
    "family",
    "shop",
    "tech",
    "giftcard",
    "invest",
    "loan",
    "utility",
    "robocall",
];

/// A spoken prompt.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Prompt(String);

impl Prompt {
    /// The line is screened: at the start of a call.
    pub fn notice() -> Self {
        Self("notice".to_owned())
    }

    /// The warning of a level; at `warning` it names the trick of the family.
    pub fn warning(level: Level, family: Option<&str>) -> Self {
        let known = family.filter(|family| FAMILIES.contains(family));
        match (level, known) {
            (Level::Quiet | Level::Caution, _) => Self("caution".to_owned()),
            (Level::Warning, Some(family)) => Self(format!("warning-{family}")),
            (Level::Warning, None) => Self("warning".to_owned()),
            (Level::Danger, _) => Self("danger".to_owned()),
        }
    }

    /// The call was ended by Lineclear.
    pub fn dropped() -> Self {
        Self("dropped".to_owned())
    }

    /// The line is kept clear for so long. Minutes are rounded up: nobody is promised less.
    pub fn line_held(remaining: Duration) -> Self {
        let seconds = remaining.as_secs();
        Self(match seconds.div_ceil(60) {
            _ if seconds < 60 => "line-held-under-1".to_owned(),
            minutes @ 1..=10 => format!("line-held-{minutes}"),
            _ => "line-held-over-10".to_owned(),
        })
    }

    /// How to ring anyway: with a key, or by asking a carer.
    pub fn how_to_override(can_override: bool) -> Self {
        let name = if can_override { "override-offer" } else { "override-carer" };
        Self(name.to_owned())
    }

    /// The line is clear, and whom to ring.
    pub fn line_clear() -> Self {
        Self("line-clear".to_owned())
    }

    /// An emergency call goes through.
    pub fn emergency_passing() -> Self {
        Self("emergency-passing".to_owned())
    }

    /// What a caller hears who is turned away.
    pub fn turned_away() -> Self {
        Self("turned-away".to_owned())
    }

    /// The name of its file.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// All that can be asked for.
    pub fn all() -> Vec<Self> {
        let minute = Duration::from_secs(60);
        let mut all: Vec<_> = (0..=11).map(|minutes| Self::line_held(minute * minutes)).collect();
        let families = FAMILIES.iter().map(|family| Self::warning(Level::Warning, Some(family)));
        all.extend(families);
        all.extend(
            [Level::Caution, Level::Warning, Level::Danger].map(|it| Self::warning(it, None)),
        );
        all.extend([true, false].map(Self::how_to_override));
        all.extend([Self::notice(), Self::dropped(), Self::line_clear()]);
        all.extend([Self::emergency_passing(), Self::turned_away()]);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_rounded_up() {
        let said = |seconds| Prompt::line_held(Duration::from_secs(seconds));
        assert_eq!(said(59).name(), "line-held-under-1");
        assert_eq!((said(60).name(), said(61).name()), ("line-held-1", "line-held-2"));
        assert_eq!((said(600).name(), said(601).name()), ("line-held-10", "line-held-over-10"));
    }

    #[test]
    fn a_warning_names_the_trick_where_it_is_known() {
        let said = |level, family| Prompt::warning(level, family).name().to_owned();
        assert_eq!(said(Level::Warning, Some("tech")), "warning-tech");
        assert_eq!(said(Level::Warning, Some("../../etc")), "warning");
        assert_eq!(said(Level::Danger, Some("tech")), "danger");
    }
}
