use super::*;
use proptest::prelude::*;

fn some_frame() -> impl Strategy<Value = Frame> {
    let mel = proptest::collection::vec(-30.0_f32..30.0, BANDS);
    (0..3_usize, any::<u8>(), any::<u64>(), mel).prop_map(|(leg, flags, ms, mel)| Frame {
        leg: LEGS[leg],
        flags: Flags(flags),
        ms,
        mel: std::array::from_fn(|band| mel[band]),
    })
}

fn parse(bytes: &[u8], chunk: usize) -> (Vec<Frame>, Result<(), FeatureError>) {
    let (mut parser, mut frames) = (Parser::default(), Vec::new());
    let mut parts = bytes.chunks(chunk);
    let read = parts.try_for_each(|part| parser.push(part, |frame| frames.push(*frame)));
    (frames, read.and_then(|()| parser.finish()))
}

fn stream(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = header().to_vec();
    bytes.extend(frames.iter().flat_map(Frame::to_bytes));
    bytes
}

fn near(a: &Frame, b: &Frame, error: f32) -> bool {
    let mel = a.mel.iter().zip(b.mel).all(|(a, b)| (a - b).abs() <= error);
    (a.leg, a.flags, a.ms) == (b.leg, b.flags, b.ms) && mel
}

#[test]
fn errors_name_place_and_remedy() {
    let frame = Frame { leg: Leg::Mixed, flags: Flags::VOICE, ms: 7, mel: [-1.0; BANDS] };
    let bytes = stream(&[frame, frame]);
    for (place, value, expected) in [
        (0, b'R', FeatureError::Magic),
        (4, 2, FeatureError::Version(2)),
        (
            5,
            80,
            FeatureError::Setting { at: 5, what: "the number of bands", found: 80, expected: 40 },
        ),
        (13, 1, FeatureError::Reserved(12)),
        (16, 3, FeatureError::Leg { at: 16, found: 3 }),
        (16 + 92 + 3, 1, FeatureError::Reserved(16 + 92 + 2)),
    ] {
        let mut bad = bytes.clone();
        bad[place] = value;
        assert_eq!(parse(&bad, 7).1, Err(expected));
    }
    assert_eq!(parse(&bytes[..100], 7).1, Err(FeatureError::EndsEarly(100)));
    assert_eq!(parse(&[], 7).1, Err(FeatureError::EndsEarly(0)));
    assert!(FeatureError::HeaderLine.to_string().contains(r#""rate":8000"#));
}

#[test]
fn errors_of_lines() {
    let bands = |count: usize| vec!["0"; count].join(",");
    let line = |leg: &str, flag: &str, count| {
        format!(r#"{{"leg":"{leg}","ms":1,"flags":["{flag}"],"mel":[{}],"new":1}}"#, bands(count))
    };
    assert!(Frame::from_json(&line("remote", "fax", 40)).is_ok());
    assert_eq!(Frame::from_json(&line("them", "fax", 40)), Err(FeatureError::LegName));
    assert_eq!(Frame::from_json(&line("remote", "5", 40)), Err(FeatureError::FlagName(1)));
    assert_eq!(Frame::from_json(&line("remote", "fax", 39)), Err(FeatureError::Bands(39)));
    assert!(matches!(Frame::from_json("{"), Err(FeatureError::Json(_))));
    assert_eq!(Frame::from_json(&" ".repeat(5000)), Err(FeatureError::LongLine));
    assert_eq!(check_header_json(&header_json()), Ok(()));
    let other = header_json().replace("8000", "16000");
    assert_eq!(check_header_json(&other), Err(FeatureError::HeaderLine));
}

#[test]
fn what_is_no_number_is_written_as_one() {
    let mut mel = [f32::INFINITY; BANDS];
    mel[0] = f32::NAN;
    let frame = Frame { leg: Leg::Remote, flags: Flags::KEY, ms: 0, mel };
    let (frames, read) = parse(&stream(&[frame]), 50);
    assert_eq!((read, frames[0].mel[0], frames[0].mel[1].round()), (Ok(()), 0.0, 32.0));
    assert!(Frame::from_json(&frame.to_json()).is_ok());
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        frames in proptest::collection::vec(some_frame(), 0..6), chunk in 1_usize..300,
    ) {
        let (read, end) = parse(&stream(&frames), chunk);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(read.len(), frames.len());
        prop_assert!(read.iter().zip(&frames).all(|(a, b)| near(a, b, 0.000_5)));
        for frame in &frames {
            let line = Frame::from_json(&frame.to_json());
            prop_assert!(line.is_ok_and(|line| near(&line, frame, 0.000_502)));
        }
    }

    #[test]
    fn any_bytes_give_frames_or_the_same_error_in_any_chunks(
        tail in proptest::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..600),
        has_header in any::<bool>(), chunk in 1_usize..300,
    ) {
        let bytes = if has_header { [header().as_slice(), &tail].concat() } else { tail };
        let (frames, end) = parse(&bytes, chunk);
        let whole = parse(&bytes, bytes.len().max(1));
        prop_assert_eq!(format!("{frames:?}{end:?}"), format!("{:?}{:?}", whole.0, whole.1));
    }

    #[test]
    fn any_text_is_no_panic(line in ".{0,200}") {
        let _ = (Frame::from_json(&line), check_header_json(&line));
    }
}
