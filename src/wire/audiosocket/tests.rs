use super::*;
use proptest::prelude::*;

const UUID: [u8; 16] = [7; 16];

/// A frame that outlives its bytes.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    Terminate,
    Id([u8; 16]),
    Digit(char),
    Audio(Rate, Vec<f32>),
    Fault(Option<u8>),
}

fn kept(frame: Frame<'_>) -> Kept {
    match frame {
        Frame::Terminate => Kept::Terminate,
        Frame::Id(id) => Kept::Id(id),
        Frame::Digit(digit) => Kept::Digit(digit.as_char()),
        Frame::Audio { rate, samples } => {
            let mut all = Vec::new();
            samples.append_to(&mut all);
            assert_eq!((samples.len(), samples.is_empty()), (all.len(), all.is_empty()));
            Kept::Audio(rate, all)
        }
        Frame::Fault(code) => Kept::Fault(code),
    }
}

fn parse(bytes: &[u8], chunk: usize) -> (Vec<Kept>, Result<(), AudioSocketError>) {
    let (mut parser, mut frames) = (Parser::default(), Vec::new());
    let mut parts = bytes.chunks(chunk);
    let read = parts.try_for_each(|part| parser.push(part, |frame| frames.push(kept(frame))));
    if let Err(error) = &read {
        assert_eq!(parser.push(&hello(&UUID), |_| {}).as_ref(), Err(error));
        assert_eq!(parser.finish().as_ref(), Err(error));
    }
    (frames, read.and_then(|()| parser.finish()))
}

fn raw(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind][..], &(payload.len() as u16).to_be_bytes(), payload].concat()
}

/// What comes of one frame after the first.
fn second(kind: u8, payload: &[u8]) -> Result<Kept, AudioSocketError> {
    let (mut frames, read) = parse(&[&hello(&UUID)[..], &raw(kind, payload)].concat(), 5);
    read.map(|()| frames.remove(1))
}

fn write(frame: &Kept) -> Vec<u8> {
    match frame {
        Kept::Terminate => HANG_UP.to_vec(),
        Kept::Id(id) => hello(id).to_vec(),
        Kept::Digit(sign) => key(Digit::from_char(*sign).unwrap()).to_vec(),
        Kept::Audio(rate, samples) => {
            let mut bytes = Vec::new();
            audio(*rate, samples, &mut bytes);
            bytes
        }
        Kept::Fault(code) => raw(0xff, code.as_slice()),
    }
}

#[test]
fn the_bytes_that_asterisk_sends() {
    let mut bytes = [&[1, 0, 16][..], &UUID, &[3, 0, 1, b'5']].concat();
    bytes.extend([0x10, 0x01, 0x40]);
    bytes.extend([0x00, 0x80, 0xff, 0x7f].repeat(80));
    bytes.extend([0x12, 0x02, 0x80]);
    bytes.extend([0x00, 0x40].repeat(320));
    bytes.extend([0x10, 0, 0]);
    let (frames, end) = parse(&bytes, 7);
    let loud = [-1.0, 32_767.0 / 32_768.0].repeat(80);
    let expected = [
        Kept::Id(UUID),
        Kept::Digit('5'),
        Kept::Audio(Rate::Hz8000, loud),
        Kept::Audio(Rate::Hz16000, vec![0.5; 320]),
        Kept::Audio(Rate::Hz8000, vec![]),
    ];
    assert_eq!((frames.as_slice(), end), (&expected[..], Ok(())));
}

#[test]
fn a_connection_begins_with_one_identity_and_has_an_end() {
    for kind in [0x00, 0x03, 0x10, 0x47, 0xff] {
        assert_eq!(parse(&raw(kind, &[]), 9).1, Err(AudioSocketError::NoId(kind)));
    }
    assert_eq!(second(0x01, &UUID), Err(AudioSocketError::SecondId(19)));
    let ended = [&hello(&UUID)[..], &HANG_UP, &key(Digit::from_event(1).unwrap())].concat();
    assert_eq!(parse(&ended[..22], 4), (vec![Kept::Id(UUID), Kept::Terminate], Ok(())));
    assert_eq!(parse(&ended, 4).1, Err(AudioSocketError::AfterEnd(22)));
    for cut in [0, 1, 18, 20] {
        assert_eq!(parse(&ended[..cut], 4).1, Err(AudioSocketError::EndsEarly(cut as u64)));
    }
    assert_eq!(parse(&ended[..19], 4).1, Ok(()));
}

#[test]
fn lengths_that_cannot_be() {
    let (at, zeros) = (19, [0; 6720]);
    for (kind, lengths, expected) in
        [(0x00, &[1, 2][..], "none"), (0x03, &[0, 2], "1"), (0xff, &[2, 300], "one or none")]
    {
        for &found in lengths {
            let error = AudioSocketError::Length { at, kind, found, expected };
            assert_eq!(second(kind, &zeros[..found]), Err(error));
        }
    }
    for found in [0, 15, 17] {
        let error = AudioSocketError::Length { at: 0, kind: 1, found, expected: "16" };
        assert_eq!(parse(&raw(1, &zeros[..found]), 2).1, Err(error));
    }
    for (kind, hz, found) in [
        (0x10, 8000, 1),
        (0x10, 8000, 160),
        (0x10, 8000, 319),
        (0x10, 8000, 480),
        (0x10, 8000, 3520),
        (0x12, 16_000, 320),
        (0x12, 16_000, 641),
        (0x12, 16_000, 6720),
    ] {
        let error = AudioSocketError::AudioLength { at, hz, found };
        assert_eq!(second(kind, &zeros[..found]), Err(error));
    }
    assert_eq!(second(0x10, &zeros[..3200]), Ok(Kept::Audio(Rate::Hz8000, vec![0.0; 1600])));
    assert_eq!(second(0x12, &zeros[..6400]), Ok(Kept::Audio(Rate::Hz16000, vec![0.0; 3200])));
}

#[test]
fn later_sound_has_any_whole_samples() {
    let after = |found: usize| {
        let bytes =
            [&hello(&UUID)[..], &raw(0x10, &[]), &raw(0x10, &[1; 320]), &raw(0x10, &[1; 2])];
        parse(&[&bytes.concat()[..], &raw(0x12, &vec![1; found])].concat(), 33).1
    };
    for found in [0, 2, 116, 160, 6400] {
        assert_eq!(after(found), Ok(()));
    }
    for found in [1, 161, 6402] {
        let error = AudioSocketError::AudioLength { at: 350, hz: 16_000, found };
        assert_eq!(after(found), Err(error));
    }
    let silent = [&hello(&UUID)[..], &raw(0x10, &[]), &raw(0x10, &[1; 160])].concat();
    let error = AudioSocketError::AudioLength { at: 22, hz: 8000, found: 160 };
    assert_eq!(parse(&silent, 33).1, Err(error));
}

#[test]
fn other_kinds_rates_and_keys() {
    let (at, block) = (19, [0; 320]);
    for (kind, hz) in [(0x11, 12_000), (0x13, 24_000), (0x15, 44_100), (0x18, 192_000)] {
        assert_eq!(second(kind, &block), Err(AudioSocketError::Rate { at, hz }));
    }
    for kind in [0x02, 0x04, 0x0f, 0x19, 0xfe] {
        assert_eq!(second(kind, &block), Err(AudioSocketError::Kind { at, kind }));
    }
    for found in [0, 5, b'E', b' ', 0xff] {
        assert_eq!(second(3, &[found]), Err(AudioSocketError::Key { at: 22, found }));
    }
    for sign in "0123456789*#ABCDabcd".chars() {
        assert_eq!(second(3, &[sign as u8]), Ok(Kept::Digit(sign.to_ascii_uppercase())));
    }
    assert_eq!(second(0xff, &[]), Ok(Kept::Fault(None)));
    assert_eq!(second(0xff, &[4]), Ok(Kept::Fault(Some(4))));
}

#[test]
fn errors_name_place_and_remedy() {
    let coded = second(0x10, &[0xd5; 160]).unwrap_err().to_string();
    assert_eq!(
        coded,
        "byte 19: 160 bytes are not 20 to 200 ms of 16-bit samples at 8000 Hz, but 20 ms of A-law \
         or µ-law: ask Asterisk for linear samples, with format=slin in externalMedia or with \
         /c(slin) at the end of Dial(AudioSocket/…)"
    );
    let odd = second(0x10, &[0; 33]).unwrap_err().to_string();
    assert!(odd.contains("8000 Hz: ask Asterisk"), "{odd}");
    let fast = second(0x16, &[0; 1920]).unwrap_err().to_string();
    assert!(fast.contains("48000 Hz: ask Asterisk for slin (8000 Hz) or slin16"), "{fast}");
    assert!(AudioSocketError::NoId(0x47).to_string().contains("not with 0x47"));
}

#[test]
fn what_is_said_and_keyed_prints_redacted() {
    let mut parser = Parser::default();
    let bytes = [&hello(&UUID)[..], &raw(3, b"8"), &raw(0x10, &[88; 320]), &[3, 0, 1]].concat();
    let mut shown = String::new();
    assert_eq!(parser.push(&bytes, |frame| shown += &format!("{frame:?}")), Ok(()));
    assert!(
        shown.ends_with("Digit(Digit([private]))Audio { rate: Hz8000, samples: Samples(160) }")
    );
    assert_eq!(format!("{parser:?}"), "Parser(byte 346, Heard, None)");
}

fn some_frame() -> impl Strategy<Value = Kept> {
    let sample = any::<i16>().prop_map(|sample| f32::from(sample) / 32_768.0);
    prop_oneof![
        prop::sample::select("0123456789*#ABCD".chars().collect::<Vec<_>>()).prop_map(Kept::Digit),
        proptest::collection::vec(sample.clone(), 160)
            .prop_map(|samples| Kept::Audio(Rate::Hz8000, samples)),
        proptest::collection::vec(sample, 320)
            .prop_map(|samples| Kept::Audio(Rate::Hz16000, samples)),
        any::<Option<u8>>().prop_map(Kept::Fault),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        mut frames in proptest::collection::vec(some_frame(), 0..6), id in any::<[u8; 16]>(),
        is_ended in any::<bool>(), chunk in 1_usize..900,
    ) {
        frames.insert(0, Kept::Id(id));
        frames.extend(is_ended.then_some(Kept::Terminate));
        let bytes: Vec<_> = frames.iter().flat_map(write).collect();
        prop_assert_eq!(parse(&bytes, chunk), (frames, Ok(())));
    }

    #[test]
    fn any_samples_are_written_and_fill_whole_frames(
        samples in proptest::collection::vec(any::<f32>(), 0..700), is_wide in any::<bool>(),
    ) {
        let rate = if is_wide { Rate::Hz16000 } else { Rate::Hz8000 };
        let mut bytes = hello(&UUID).to_vec();
        audio(rate, &samples, &mut bytes);
        let (frames, end) = parse(&bytes, 100);
        prop_assert_eq!(end, Ok(()));
        let length = rate.hz() as usize / 50;
        prop_assert_eq!(frames.len(), 1 + samples.len().div_ceil(length));
    }

    #[test]
    fn any_bytes_give_frames_or_the_same_error_in_any_chunks(
        tail in proptest::collection::vec(
            prop_oneof![Just(0_u8), Just(1), Just(3), Just(0x10), Just(0x40), any::<u8>()], 0..900,
        ),
        has_id in any::<bool>(), chunk in 1_usize..300,
    ) {
        let bytes = if has_id { [&hello(&UUID)[..], &tail].concat() } else { tail };
        prop_assert_eq!(parse(&bytes, chunk), parse(&bytes, bytes.len().max(1)));
    }
}
