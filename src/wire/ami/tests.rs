use super::*;
use proptest::prelude::*;

/// As Asterisk 22 writes.
const ANSWERS: &str = "Asterisk Call Manager/11.0.0\r\n\
    Response: Success\r\nActionID: 2\r\nMessage: Authentication accepted\r\n\r\n\
    Response: Error\r\nActionID: 4\r\nMessage: Database entry not found\r\n\r\n\
    Response: Success\r\nActionID: 6\r\nEventList: start\r\nMessage: Result will follow\r\n\r\n\
    Event: DBGetResponse\r\nFamily: hold\r\nKey: home\r\nVal: 1:301\r\nActionID: 6\r\n\r\n\
    Event: DBGetComplete\r\nActionID: 6\r\nEventList: Complete\r\nListItems: 1\r\n\r\n\
    Response: Error\r\nMessage: Missing action in request\r\n\r\n\
    Response: Goodbye\r\nActionID: 99\r\nMessage: Thanks for all the fish.\r\n\r\n";

/// Hands out what `seen` makes of each message.
fn parse<T>(
    bytes: &[u8],
    chunk: usize,
    seen: impl Fn(Message<'_>) -> T,
) -> (Vec<T>, Result<(), AmiError>) {
    let (mut parser, mut all) = (Parser::default(), Vec::new());
    let mut parts = bytes.chunks(chunk);
    let read = parts.try_for_each(|part| parser.push(part, |message| all.push(seen(message))));
    if let Err(error) = &read {
        assert_eq!(parser.push(b"\r\n", |_| {}).as_ref(), Err(error));
    }
    assert!(parser.held.capacity() <= 2 * MAX_MESSAGE);
    (all, read)
}

fn after_banner(text: &str) -> Vec<u8> {
    format!("Asterisk Call Manager/11.0.0\r\n{text}").into_bytes()
}

#[test]
fn the_answers_of_asterisk() {
    let told = |message: Message<'_>| {
        let outcome = message.outcome().map(|outcome| outcome.map_err(str::to_owned));
        (message.action_id(), message.event().map(str::to_owned), outcome)
    };
    let (all, read) = parse(ANSWERS.as_bytes(), 11, told);
    let refused = |why: &str| Some(Err(why.to_owned()));
    let event = |name: &str| Some(name.to_owned());
    let expected = [
        (Some(2), None, Some(Ok(()))),
        (Some(4), None, refused("Database entry not found")),
        (Some(6), None, Some(Ok(()))),
        (Some(6), event("DBGetResponse"), None),
        (Some(6), event("DBGetComplete"), None),
        (None, None, refused("Missing action in request")),
        (Some(99), None, Some(Ok(()))),
    ];
    assert_eq!((all.as_slice(), read), (&expected[..], Ok(())));
    let value = |message: Message<'_>| message.get("Val").map(str::to_owned);
    assert_eq!(parse(ANSWERS.as_bytes(), 500, value).0[3].as_deref(), Some("1:301"));
}

#[test]
fn values_are_found_by_their_name() {
    let text = "\r\n\r\nKey:  a: b \r\nkeys: no\r\nEmpty:\r\nno colon\r\nKEY: later\r\nÉ: é\n\n";
    let mut bytes = after_banner(text);
    bytes.extend(b"Bad: \xff\r\nGood: 1\r\n\r\n");
    let get = |name: &'static str| {
        parse(&bytes, 9, move |message| message.get(name).map(str::to_owned)).0
    };
    assert_eq!(get("key"), [Some("a: b ".into()), None]);
    assert_eq!(get("Empty"), [Some(String::new()), None]);
    assert_eq!(get("É"), [Some("é".into()), None]);
    assert_eq!((get("no colon"), get("ke")), (vec![None, None], vec![None, None]));
    assert_eq!((get("Bad"), get("Good")), (vec![None, None], vec![None, Some("1".into())]));
}

#[test]
fn anything_but_asterisk_is_refused() {
    for text in ["HTTP/1.1 400 Bad Request\r\n\r\n", "\r\n", "asterisk call manager/1\r\n"] {
        assert_eq!(parse(text.as_bytes(), 3, |_| ()).1, Err(AmiError::Banner));
    }
    let mut parser = Parser::default();
    assert_eq!(parser.push(b"Asterisk Call Manager/11.0.0", |_| {}), Ok(()));
    assert!(!parser.is_greeted);
    assert_eq!((parser.push(b"\n", |_| {}), parser.is_greeted), (Ok(()), true));
}

#[test]
fn what_does_not_end_is_refused() {
    let line = |length: usize| format!("V: {}\r\n", "x".repeat(length - 5));
    let length = |message: Message<'_>| message.get("V").map(str::len);
    let most = after_banner(&(line(MAX_LINE) + "\r\n"));
    assert_eq!(parse(&most, 1000, length), (vec![Some(MAX_LINE - 5)], Ok(())));
    let good = "Response: Success\r\n\r\n";
    let at = after_banner(good).len() as u64;
    let long = after_banner(&(good.to_owned() + "A: 1\r\n" + &line(MAX_LINE + 1)));
    assert_eq!(parse(&long, 1000, length), (vec![None], Err(AmiError::LongLine(at + 6))));
    let endless = after_banner(&(good.to_owned() + &line(1024).repeat(129)));
    for chunk in [100, endless.len()] {
        assert_eq!(parse(&endless, chunk, length), (vec![None], Err(AmiError::LongMessage(at))));
    }
    assert_eq!(parse(&[b'A'; 20_000], 3000, length).1, Err(AmiError::LongLine(0)));
}

#[test]
fn actions_as_asterisk_reads_them() {
    let put = Action::db_put(5, "hold", "home", "1795348800:1795349100").unwrap();
    let expected = "Action: DBPut\r\nActionID: 5\r\nFamily: hold\r\nKey: home\r\n\
                    Val: 1795348800:1795349100\r\n\r\n";
    assert_eq!(put.into_bytes(), expected.as_bytes());
    let ping = Action::ping(u64::MAX).into_bytes();
    assert_eq!(ping, b"Action: Ping\r\nActionID: 18446744073709551615\r\n\r\n");
    let login = Action::login(1, "lineclear", "s3cret").unwrap();
    assert_eq!(format!("{login:?}"), "Action(Login)");
    let text = String::from_utf8(login.into_bytes()).unwrap();
    assert!(text.ends_with("Username: lineclear\r\nSecret: s3cret\r\nEvents: off\r\n\r\n"));
    let delete = Action::db_del(1, "hold", "home").unwrap().into_bytes();
    assert!(delete.starts_with(b"Action: DBDel\r\n"));
}

#[test]
fn values_that_would_be_read_otherwise_are_not_sent() {
    for bad in ["home\r\nAction: Originate", "home\n", "ho\rme", "home\0"] {
        assert_eq!(Action::db_del(1, "hold", bad), Err(AmiError::ControlCharacter("Key")));
        assert_eq!(Action::login(1, bad, "s"), Err(AmiError::ControlCharacter("Username")));
    }
    let error = AmiError::LongValue { name: "Val", length: MAX_ACTION_LINE - 4 };
    assert_eq!(Action::db_put(1, "hold", "home", &"1".repeat(MAX_ACTION_LINE - 4)), Err(error));
    assert!(Action::db_put(1, "hold", "home", &"1".repeat(MAX_ACTION_LINE - 5)).is_ok());
}

#[test]
fn messages_print_redacted() {
    let shown = |message: Message<'_>| format!("{message:?}");
    let bytes = after_banner("ActionID: 6\r\nCallerIDNum: 07700900123\r\n\r\n");
    assert_eq!(parse(&bytes, 50, shown).0, ["Message { action_id: Some(6), .. }"]);
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_one_message(
        key in ".{0,20}", value in ".{0,1100}", chunk in 1_usize..300,
    ) {
        let Ok(action) = Action::db_put(7, "hold", &key, &value) else {
            let bad = key.contains(['\r', '\n', '\0']) || value.contains(['\r', '\n', '\0']);
            prop_assert!(bad || value.len() > MAX_ACTION_LINE - 5);
            return Ok(());
        };
        let bytes = [after_banner(""), action.into_bytes()].concat();
        let told = |message: Message<'_>| {
            let get = |name| message.get(name).map(str::to_owned);
            (message.action_id(), get("Action"), get("Key"), get("Val"))
        };
        // Blanks before a value are part of no value.
        let (key, value) = (key.trim_start_matches(' '), value.trim_start_matches(' '));
        let expected = (Some(7), Some("DBPut".into()), Some(key.into()), Some(value.into()));
        prop_assert_eq!(parse(&bytes, chunk, told), (vec![expected], Ok(())));
    }

    #[test]
    fn any_bytes_give_messages_or_the_same_error_in_any_chunks(
        tail in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b'A'), any::<u8>()], 0..600,
        ),
        is_greeted in any::<bool>(), chunk in 1_usize..300,
    ) {
        let bytes = if is_greeted { [after_banner(""), tail].concat() } else { tail };
        let told = |message: Message<'_>| {
            let _ = (message.outcome(), message.event());
            (message.0.to_vec(), message.get("A").map(str::to_owned))
        };
        let (all, read) = parse(&bytes, chunk, told);
        prop_assert!(all.iter().all(|(message, _)| !message.is_empty()));
        prop_assert_eq!((all, read), parse(&bytes, bytes.len().max(1), told));
    }
}
