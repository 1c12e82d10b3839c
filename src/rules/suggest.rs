//! What somebody meant who wrote a name that there is not.

/// "did you mean 'extraction'?", if one of the known names is close to `wanted`.
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wanted, known).map(|name| format!("did you mean '{name}'?"))
}

/// The known name that is closest to `wanted`, if any is close: a letter in three may be wrong.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (wanted.chars().count() / 3).max(1);
    let distance = |name: &'a str| (strsim::damerau_levenshtein(wanted, name), name);
    let close = known.into_iter().map(distance).filter(|(distance, _)| *distance <= most);
    close.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_close_is_suggested_and_nothing_else() {
        let stages = ["hook", "authority", "extraction", "collection"];
        let meant = |wanted: &str| nearest(wanted, stages);
        assert_eq!(meant("extracton"), Some("extraction"));
        assert_eq!(meant("collecshun"), Some("collection"));
        assert_eq!(meant("hokk"), Some("hook"));
        assert_eq!(meant("weather"), None);
        assert_eq!(did_you_mean("hoook", stages).as_deref(), Some("did you mean 'hook'?"));
    }
}
