use super::*;
use crate::alert::desk::Event;
use crate::alert::desk::tests::*;
use crate::config::Config;

fn people(share: &str, tell: &str) -> Config {
    let mut config = screened("");
    let text = format!(
        "[[people]]\nid = \"anna\"\nname = \"Anna\"\nshare = [{share}]\ntell = [{tell}]\n\
         channels = [{{ kind = \"webhook\", url = \"https://example.org/secret\" }}]"
    );
    config.people = Config::parse(&text).expect("people").people;
    config
}

const ALL: &str = "\"caution\", \"warning\", \"danger\", \"hold\"";

#[test]
fn people_are_told_what_they_asked_for() {
    let told_of = |tell: &str| {
        let mut desk = desk_of(&people("", tell));
        let _ = rings(&mut desk, "a", SCAMMER, 0);
        let mut actions = Actions::default();
        for (level, second) in [(Level::Caution, 1), (Level::Warning, 2), (Level::Danger, 3)] {
            actions.append(hear(&mut desk, "a", level, second));
        }
        actions.append(ends(&mut desk, "a", 4));
        actions.append(desk.tick(at(400)));
        let kinds =
            notes(&actions).into_iter().filter(|note| note.state == Delivery::Pending(None));
        let kind = |note: &NotificationRecord| match &note.notice.level {
            Some(level) => level.clone(),
            None => note.notice.kind.name().to_owned(),
        };
        kinds.map(kind).collect::<Vec<_>>()
    };
    assert_eq!(told_of(ALL), ["caution", "warning", "danger", "line-held", "line-clear"]);
    assert_eq!(told_of("\"danger\""), ["danger"]);
    assert_eq!(told_of("\"hold\""), ["line-held", "line-clear"]);
    assert!(told_of("").is_empty());
}

#[test]
fn they_read_what_they_may_know_and_never_the_number() {
    let read = |share: &str| {
        let mut desk = desk_of(&people(share, ALL));
        let _ = rings(&mut desk, "SIP/01632960666", SCAMMER, 0);
        let actions = hear(&mut desk, "SIP/01632960666", Level::Danger, 1);
        let notice = notes(&actions)[0].notice.clone();
        let json = serde_json::to_string(&notice).expect("JSON");
        assert!(!json.contains("960666") && !json.contains("66\""), "{json}");
        (notice.family.is_some(), notice.stage.is_some(), notice.advice.is_some())
    };
    assert_eq!(read("\"family\", \"stage\", \"advice\""), (true, true, true));
    assert_eq!(read("\"family\""), (true, false, false));
    assert_eq!(read("\"stage\""), (false, true, false));
    assert_eq!(read(""), (false, false, false));
}

#[test]
fn each_channel_has_its_own_copy_and_its_own_key() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let actions = hear(&mut desk, "a", Level::Danger, 1);
    let id = desk.incident(&call("a")).expect("an incident").record.id;
    let keys: Vec<_> = notes(&actions).into_iter().map(|note| note.notice.key.clone()).collect();
    let key = |channel| format!("{id}.danger.extraction.anna.{channel}");
    assert_eq!(keys, [key(0), key(1)]);
    let attempts = actions.effects.iter().filter(|it| matches!(it, Effect::Deliver(_)));
    assert_eq!((attempts.count(), desk.waiting()), (2, 2));
}

#[test]
fn what_was_taken_is_committed_and_what_was_not_is_tried_again() {
    let mut desk = desk("");
    let _ = rings(&mut desk, "a", SCAMMER, 0);
    let actions = hear(&mut desk, "a", Level::Danger, 1);
    let keys: Vec<_> = notes(&actions).into_iter().map(|note| note.notice.key.clone()).collect();
    let ended = |desk: &mut Desk, key: &str, outcome, second| {
        let key = key.to_owned();
        desk.handle(Event::Attempted { key, outcome }, at(second)).expect("noted")
    };
    let taken = ended(&mut desk, &keys[0], Outcome::Delivered, 2);
    assert_eq!(notes(&taken)[0].state, Delivery::Delivered(at(2).wall));
    assert!(ended(&mut desk, &keys[0], Outcome::Delivered, 3).is_empty(), "twice is once");
    let failed = ended(&mut desk, &keys[1], Outcome::Later("500".to_owned()), 2);
    assert_eq!(notes(&failed)[0].state, Delivery::Pending(Some("500".to_owned())));
    let again = desk.tick(at(10));
    assert!(matches!(&again.effects[..], [Effect::Deliver(attempt)] if attempt.number == 2));
}
