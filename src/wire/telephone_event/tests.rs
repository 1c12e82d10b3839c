use super::*;
use proptest::prelude::*;

/// The payload of a packet, as senders make it.
fn payload(event: u8, is_end: bool, duration: u16) -> [u8; 4] {
    let [high, low] = duration.to_be_bytes();
    [event, if is_end { 0x80 | 10 } else { 10 }, high, low]
}

/// All packets of a key of 60 ms: three as it goes on, and the end three times.
fn train(event: u8, timestamp: u32) -> Vec<(u32, [u8; 4])> {
    let on = [160, 320].map(|duration| (timestamp, payload(event, false, duration)));
    [&on[..], &[(timestamp, payload(event, true, 480)); 3]].concat()
}

fn keys<'a>(packets: impl IntoIterator<Item = &'a (u32, [u8; 4])>) -> String {
    let mut events = Events::new();
    packets
        .into_iter()
        .filter_map(|(at, payload)| events.push(*at, payload))
        .map(Digit::as_char)
        .collect()
}

#[test]
fn the_four_bytes_are_read() {
    let event = TelephoneEvent::parse(&[11, 0xca, 0x03, 0x20]);
    let expected = TelephoneEvent { event: 11, is_end: true, volume: 10, duration: 800 };
    assert_eq!(event, Some(expected));
    assert_eq!(expected.digit(), Digit::from_char('#'));
    assert_eq!(TelephoneEvent::parse(&[11, 0xca, 0x03]), None);
    assert!(TelephoneEvent::parse(&[11, 0xca, 0x03, 0x20, 12, 0, 0, 0]).is_some());
}

#[test]
fn events_0_to_15_are_keys_and_the_others_are_not() {
    let digit = |event| TelephoneEvent { event, is_end: false, volume: 0, duration: 0 }.digit();
    assert_eq!(
        (0..=15).filter_map(digit).map(Digit::as_char).collect::<String>(),
        "0123456789*#ABCD"
    );
    assert!((16..=255).all(|event| digit(event).is_none()));
    // A flash of the hook in the middle of a key changes nothing.
    let mut packets = train(5, 1000);
    packets.insert(2, (1200, payload(16, true, 80)));
    assert_eq!(keys(&packets), "5");
}

#[test]
fn the_same_key_twice_is_two() {
    assert_eq!(keys(&[train(1, 8000), train(1, 8800), train(2, 9600)].concat()), "112");
    // Also when the end of the first was lost.
    assert_eq!(keys(&[&train(1, 8000)[..1], &train(1, 8800)].concat()), "11");
    // And when the clock wraps in between.
    assert_eq!(keys(&[train(3, u32::MAX - 300), train(3, 500)].concat()), "33");
}

#[test]
fn late_packets_of_the_key_before_are_not_another() {
    let late = train(1, 8000)[4];
    assert_eq!(keys(&[&train(1, 8000)[..], &train(2, 9600)[..1], &[late]].concat()), "12");
    // A clock that was set anew is not late.
    assert_eq!(keys(&[train(1, 900_000), train(2, 160)].concat()), "12");
}

#[test]
fn a_long_key_in_segments_is_one() {
    let first = [(100, payload(7, false, 65_000)), (100, payload(7, false, u16::MAX))];
    let second = [(65_635, payload(7, false, 160)), (65_635, payload(7, true, 480))];
    assert_eq!(keys(&[first, second].concat()), "7");
    assert_eq!(keys(&[first[0], second[0], second[1]]), "7", "the last of the segment was lost");
}

#[test]
fn a_timestamp_that_runs_on_is_still_one_key() {
    let on = |n: u32| (8000 + 160 * n, payload(4, false, 160 * (n as u16 + 1)));
    assert_eq!(keys(&(0..6).map(on).collect::<Vec<_>>()), "4");
    let end = |n: u32| (8000 + 160 * n, payload(4, true, 160 * (n as u16 + 1)));
    let whole: Vec<_> = (0..6).map(on).chain((6..9).map(end)).collect();
    assert_eq!(keys(&whole), "4");
}

#[test]
fn debug_output_names_no_key() {
    let mut events = Events::new();
    let _ = events.push(0, &payload(9, false, 160));
    assert!(!format!("{events:?}").contains('9'));
    assert!(!format!("{:?}", TelephoneEvent::parse(&payload(9, false, 160))).contains('9'));
}

proptest! {
    #[test]
    fn arbitrary_packets_never_panic(
        timestamps in prop::collection::vec(any::<u32>(), 0..50),
        payload in prop::collection::vec(any::<u8>(), 60),
        length in 0_usize..9,
    ) {
        let mut events = Events::new();
        for (&timestamp, from) in timestamps.iter().zip(0..) {
            let _ = events.push(timestamp, &payload[from..from + length]);
        }
    }

    #[test]
    fn whatever_is_lost_or_doubled_a_key_is_one(
        dialled in prop::collection::vec(0_u8..16, 1..20),
        start in any::<u32>(),
        fates in prop::collection::vec(0_usize..3, 100),
    ) {
        let mut packets = Vec::new();
        for (n, &event) in dialled.iter().enumerate() {
            let train = train(event, start.wrapping_add(800 * n as u32));
            let fates = &fates[5 * n..5 * n + 5];
            // Lost, once or twice; of a key at least one packet arrives.
            packets.extend(train.iter().zip(fates).flat_map(|(it, &copies)| vec![*it; copies]));
            packets.push(train[4]);
        }
        let digit = |&event: &u8| Digit::from_event(event).map(Digit::as_char);
        let expected: String = dialled.iter().filter_map(digit).collect();
        prop_assert_eq!(keys(&packets), expected);
    }
}
