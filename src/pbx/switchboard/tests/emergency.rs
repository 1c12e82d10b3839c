use super::*;

#[test]
fn nobody_listens_to_an_emergency_call() {
    let mut bench = Bench::new();
    let _ = bench.take(json!({"type": "ChannelCreated", "channel": channel("1.0", ELDER)}));
    assert_eq!(bench.board.let_be("1.0".to_owned(), at(0)), []);
    assert_eq!(bench.enters("b1", &[("1.0", ELDER), ("1.1", TRUNK)]), []);
    let mut late = Bench::new();
    let _ = late.call();
    assert!(is_over(&late.board.let_be("1.1".to_owned(), at(0))), "also if it is known late");
}

#[test]
fn an_emergency_call_is_known_by_its_number_wherever_it_is_dialled() {
    let dialling = |id: &str, name: &str, number: &str| {
        let mut channel = channel(id, name);
        channel["dialplan"] = json!({"exten": number});
        channel
    };
    // From a telephone of the line, and over a trunk that is the line's.
    for (caller, far) in [(ELDER, TRUNK), ("DAHDI/2-1", "PJSIP/analogue-1")] {
        let mut bench = Bench::new();
        let caller_channel = dialling("1.0", caller, "999");
        let dial = json!({"type": "Dial", "dialstatus": "", "caller": caller_channel,
            "peer": channel("1.1", far)});
        assert!(matches!(&bench.take(dial)[..], [Action::Dials { .. }]), "the desk is told");
        assert_eq!(bench.enters("b1", &[("1.0", caller), ("1.1", far)]), [], "{caller}");
    }
    // It was up before anybody followed the exchange.
    let mut after = Bench::new();
    let list = vec![
        serde_json::from_value(dialling("1.0", ELDER, "999")).expect("a channel"),
        serde_json::from_value(channel("1.1", TRUNK)).expect("a channel"),
    ];
    let bridge = json!({"id": "b1", "channels": ["1.0", "1.1"]});
    let bridges = vec![serde_json::from_value(bridge).expect("a bridge")];
    assert_eq!(after.board.resync(list, bridges, at(0)), []);
}

#[test]
fn the_emergency_call_after_a_drop_is_let_be_and_never_dropped() {
    let mut bench = Bench::new();
    let call = bench.call();
    let _ = bench.order(&call, Order::Drop { prompt: None, connect: Some("999") });
    // The caller's channel lingers, while the person's dials anew from the dialplan.
    let mut elder = channel("1.1", ELDER);
    elder["dialplan"] = json!({"exten": "999"});
    let fresh = "PJSIP/trunk-00000009";
    let _ = bench.take(json!({"type": "Dial", "dialstatus": "", "caller": elder,
        "peer": channel("1.9", fresh)}));
    let actions = bench.enters("b2", &[("1.1", ELDER), ("1.9", fresh)]);
    assert!(begun(&actions).is_none() && is_over(&actions));
    for second in 1..10 {
        let asked = requests(&bench.board.tick(at(second * 1_000)));
        let is_fresh =
            |it: &Request| matches!(it, Request::HangUp { channel, .. } if channel == "1.9");
        assert!(!asked.iter().any(is_fresh), "{asked:?}");
    }
}
