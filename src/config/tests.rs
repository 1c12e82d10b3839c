use std::time::Duration;

use super::*;

#[test]
fn what_is_wrong_is_told_without_numbers_and_secrets() {
    for wrong in [
        "[[lines]]\ncontacts = [\"01632 960123\" \"01632 960124\"]",
        "[[lines]]\ncontacts = [441632960123]",
        "[[people]]\nid = \"anna\"\nname = 960123",
        "[[people]]\nchannels = [{ kind = \"command\", run = [\"a\", \"--token=960123] }]",
        "[warn]\nmode = \"960123\"",
    ] {
        let error = Config::parse(wrong).expect_err("it is wrong").to_string();
        assert!(!error.contains("960"), "{error}");
    }
    let error = Config::parse("\n[hold]\nline-clear = = 3").expect_err("no TOML").to_string();
    assert!(error.contains("line 3, column 14"), "{error}");
}

#[test]
fn the_file_of_defaults_and_an_empty_file_are_the_same() {
    let defaults = Config::parse(DEFAULT).expect("the file of defaults is valid");
    assert_eq!(Config::parse(""), Ok(defaults.clone()));
    assert_eq!(defaults.hold.length(), Duration::from_secs(300));
    assert!(defaults.advice.contacts.len() >= 4);
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one() {
    let error = Config::parse("[hold]\nline-cleer = 3").expect_err("unknown key").to_string();
    assert!(error.contains("did you mean `line-clear`?"), "{error}");
    let error = Config::parse("[[lines]]\nid = \"a\"\nname = \"A\"\nwarm = {}");
    let error = error.expect_err("unknown key").to_string();
    assert!(error.contains("did you mean `warn`?"), "{error}");
    let error = Config::parse("[quite-different]").expect_err("unknown key").to_string();
    assert!(!error.contains("did you mean"), "{error}");
}

#[test]
fn values_out_of_bounds_name_key_value_and_bound() {
    let error = Config::parse("[levels]\nwarning = 10.0").expect_err("too low").to_string();
    assert!(error.starts_with("levels.warning is 10"), "{error}");
    assert!(Config::parse("[hold]\nline-clear = 5").is_err());
    let error = Config::parse("[hold]\nemergency = [\"112\"]").expect_err("no 999").to_string();
    assert!(error.contains("999, 112 and 18000 must be among them"), "{error}");
}

#[test]
fn a_key_that_is_given_leaves_its_neighbours_alone() {
    let config = Config::parse("[hold]\nline-clear = 600").expect("valid");
    assert_eq!(config.hold.length(), Duration::from_secs(600));
    assert_eq!(config.hold.emergency, ["999", "112", "18000"]);
}

const TWO_LINES: &str = "[hold]\nline-clear = 600\n\
    [[lines]]\nid = \"mum\"\nname = \"Mum\"\npeople = [\"anna\"]\nwarn.mode = \"protect\"\n\
    contacts = [\"01632 960123\"]\n\
    [[lines]]\nid = \"dad\"\nname = \"Dad\"\nhold.line-clear = 900\nlevels.warning = 30.0\n\
    [[people]]\nid = \"anna\"\nname = \"Anna\"\n\
    [[people.channels]]\nkind = \"command\"\nrun = [\"true\"]\n";

#[test]
fn each_line_has_its_own_levels_and_policy() {
    let config = Config::parse(TWO_LINES).expect("valid");
    let (mum, dad) = (&config.lines[0], &config.lines[1]);
    assert_eq!((mum.warn.mode, dad.warn.mode), (Mode::Protect, Mode::Warn));
    assert_eq!((mum.hold.line_clear, dad.hold.line_clear), (600, 900));
    assert_eq!((mum.levels.warning, dad.levels.warning), (25.0, 30.0));
    assert_eq!(config.people[0].channels[0].kind, "command");
    assert!(!format!("{config:?}").contains("960123"));
}

#[test]
fn a_line_is_checked_like_the_whole() {
    let said = |text: &str| Config::parse(text).expect_err("refused").to_string();
    let error = said("[[lines]]\nid = \"a\"\nname = \"A\"\nhold.emergency = [\"112\"]");
    assert!(error.starts_with("lines.a.hold.emergency is"), "{error}");
    let error = said(&TWO_LINES.replace("[\"anna\"]", "[\"ana\"]"));
    assert!(error.contains("lines.mum.people is \"ana\"") && error.contains("anna"), "{error}");
    let error = said(&TWO_LINES.replace("\"dad\"", "\"mum\""));
    assert!(error.contains("lines.mum.id"), "{error}");
    let error = said("[[lines]]\nid = \"a/b\"\nname = \"A\"");
    assert!(error.contains("letters, digits and hyphens"), "{error}");
}

#[test]
fn beyond_loopback_a_token_is_needed() {
    let error = Config::parse("[api]\nlisten = \"0.0.0.0:7450\"").expect_err("open").to_string();
    assert!(error.contains("api.listen") && error.contains("lineclear token"), "{error}");
    let error = Config::parse("[feed]\ntcp = \"192.0.2.1:7451\"").expect_err("open").to_string();
    assert!(error.contains("feed.tcp"), "{error}");
    let token = format!(
        "[api]\nlisten = \"0.0.0.0:7450\"\n[[api.tokens]]\nname = \"anna\"\nrole = \"carer\"\n\
         sha256 = \"{}\"",
        "ab".repeat(32)
    );
    assert!(Config::parse(&token).is_ok());
    assert!(Config::parse(&token.replace("abab", "xyz")).is_err());
}

#[test]
fn a_token_is_somebodys_own_and_for_lines_that_there_are() {
    let token = |name: &str, digits: &str, more: &str| {
        let sha256 = digits.repeat(32);
        format!(
            "[[api.tokens]]\nname = \"{name}\"\nrole = \"carer\"\nsha256 = \"{sha256}\"\n{more}\n"
        )
    };
    let said = |tokens: &str| Config::parse(&format!("{tokens}{TWO_LINES}")).map(|_| ());
    assert_eq!(said(&token("anna", "ab", "lines = [\"mum\", \"dad\"]")), Ok(()));
    for (lines, shown) in [("[]", "[]"), ("[\"mum\", \"mun\"]", "[\"mum\", \"mun\"]")] {
        let error = said(&token("anna", "ab", &format!("lines = {lines}"))).expect_err("refused");
        let error = error.to_string();
        assert!(error.starts_with(&format!("api.tokens.anna.lines is {shown}: ")), "{error}");
    }
    let two = |name: &str, digits: &str| token("anna", "ab", "") + &token(name, digits, "");
    assert_eq!(said(&two("ben", "cd")), Ok(()));
    let error = said(&two("anna", "cd")).expect_err("two of a name").to_string();
    assert!(error.contains("api.tokens.anna.name"), "{error}");
    let error = said(&two("ben", "AB")).expect_err("two of a token").to_string();
    assert!(error.contains("api.tokens.ben.sha256"), "{error}");
}

#[test]
fn what_counts_is_shown_line_by_line() {
    let table = effective(TWO_LINES).expect("TOML");
    let lines = table["lines"].as_array().expect("lines");
    assert_eq!(lines[1]["hold"]["line-clear"].as_integer(), Some(900));
    assert_eq!(lines[0]["hold"]["line-clear"].as_integer(), Some(600));
    assert_eq!(table["hold"]["after-emergency"].as_integer(), Some(90));
}

#[test]
fn an_asterisk_is_on_this_machine_and_of_known_lines() {
    let parse = |text: &str| Config::parse(&format!("[pbx.asterisk]\n{text}"));
    for url in ["http://127.0.0.1:8088", "http://[::1]:8088/", "http://localhost:8088"] {
        assert!(parse(&format!("url = \"{url}\"")).is_ok(), "{url}");
    }
    for wrong in [
        "url = \"https://127.0.0.1:8088\"",
        "url = \"http://192.0.2.1:8088\"",
        "url = \"http://localhost:1@example.org\"",
        "url = \"http://127.0.0.1\"",
        "ami = \"192.0.2.1:5038\"",
        "audio = \"0.0.0.0:9092\"",
        "sounds = \"Lineclear\"",
        "end-call-key = \"0a\"",
        "lines = [{ line = \"nobody\", telephones = [\"PJSIP/elder\"] }]",
        "lines = [{ line = \"home\" }]",
        "lines = [{ line = \"home\", telephones = [\"elder\"] }]",
        "lines = [{ line = \"home\", telephones = [\"PJSIP/a\"], trunks = [\"PJSIP/a\"] }]",
    ] {
        assert!(matches!(parse(wrong), Err(ConfigError::Value { .. })), "{wrong}");
    }
}
