use super::*;
use crate::alert::record::{Delivery, NotificationRecord};
use crate::call::LineId;
use crate::config::Config;
use crate::wire::notice::{Notice, NoticeKind};

pub(super) const AT: Wall = Wall(1_795_305_600_000);

/// A notice with every key.
pub(super) fn notice() -> Notice {
    Notice {
        key: "0123456789abcdef0123456789abcdef.danger.collection.anna.0".to_owned(),
        kind: NoticeKind::Level,
        line: "home".to_owned(),
        line_name: "Jean's telephone \u{260e}".to_owned(),
        at: AT.to_string(),
        level: Some("danger".to_owned()),
        incident: Some("0123456789abcdef0123456789abcdef".to_owned()),
        family: Some("Courier fraud".to_owned()),
        stage: Some("collection".to_owned()),
        held_until: Some(AT.to_string()),
        advice: Some("End the call.\n\"Now\".".to_owned()),
    }
}

pub(super) fn attempt(notice: Notice) -> Attempt {
    let notification = NotificationRecord {
        to: Address { person: "anna".to_owned(), channel: 0 },
        notice,
        line: LineId::new("home"),
        posted: AT,
        attempts: 3,
        state: Delivery::Pending(None),
    };
    Attempt { notification, number: 3 }
}

/// A person with one channel, of these lines of TOML.
fn people(channel: &str) -> Vec<Person> {
    let head = "[[people]]\nid = \"anna\"\nname = \"Anna\"\n[[people.channels]]\n";
    Config::parse(&format!("{head}{channel}")).expect("a configuration").people
}

/// The channel of these lines of TOML, or what is said against it.
pub(super) fn opened(channel: &str) -> Result<Box<dyn Channel>, String> {
    let people = people(channel);
    open("anna", 0, &people[0].channels[0]).map_err(|error| error.to_string())
}

#[test]
fn an_unknown_kind_is_told_the_known_ones_and_the_nearest() {
    let told = opened("kind = \"webhok\"").err();
    let expected = "channel 1 of people.anna: no kind `webhok`: there are command and webhook; \
                    did you mean 'webhook'?";
    assert_eq!(told.as_deref(), Some(expected));
    let told = opened("kind = \"pigeon\"").err().expect("an error");
    assert!(told.ends_with("there are command and webhook"), "{told}");
}

#[test]
fn wrong_settings_are_named_and_no_value_is_told() {
    for (settings, expected) in [
        ("kind = \"webhook\"", "missing field `url`"),
        ("kind = \"webhook\"\nurl = [\"SECRET\"]", "invalid type: sequence"),
        ("kind = \"command\"\nrun = \"/bin/SECRET\"", "invalid type: string \"…\""),
        ("kind = \"command\"\nrun = [\"/bin/true\", \"SECRET\", 5]", "invalid type: integer `5`"),
        ("kind = \"command\"\nruns = []", "did you mean 'run'?"),
        (
            "kind = \"webhook\"\nurl = \"https://SECRET\"\nsecretfile = \"/SECRET\"",
            "unknown field `secretfile`, expected one of `url`, `secret-file`, `ca-file`, \
             `timeout`, did you mean 'secret-file'?",
        ),
    ] {
        let told = opened(settings).err().expect("an error");
        assert!(told.starts_with("channel 1 of people.anna: "), "{told}");
        assert!(told.contains(expected), "{settings}: {told}");
        assert!(!told.contains("SECRET") && !told.contains('\n'), "{told}");
    }
}

#[test]
fn what_is_gone_fails_and_what_is_broken_waits() {
    let (channels, errors) = Channels::open(&people("kind = \"pigeon\""));
    assert_eq!(errors.len(), 1);
    let outcome = channels.deliver(&attempt(notice()), AT);
    assert_eq!(outcome, Outcome::Later(errors[0].to_string()));

    let mut gone = attempt(notice());
    gone.notification.to.channel = 1;
    let expected = "channel 2 of people.anna is not configured any more".to_owned();
    assert_eq!(channels.deliver(&gone, AT), Outcome::Never(expected));

    let (channels, errors) = Channels::open(&people("kind = \"command\"\nrun = [\"/bin/true\"]"));
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(channels.deliver(&attempt(notice()), AT), Outcome::Delivered);
}

#[test]
fn a_body_has_the_keys_of_the_schema_and_no_other() {
    let Ok(body) = channel::body(&attempt(notice())) else { panic!("a body") };
    let body: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&body).expect("an object");
    let schema = schemars::schema_for!(Notice);
    let schema = schema.get("properties").and_then(|keys| keys.as_object()).expect("properties");
    assert!(body.keys().eq(schema.keys()), "{body:?} {schema:?}");
}
