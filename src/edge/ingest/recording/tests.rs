use std::f64::consts::TAU;
use std::io::{Cursor, Write as _};

use proptest::prelude::*;

use super::*;

/// Two seconds of a tone at −6 dBFS.
fn tone(hz: f64, rate_hz: u32) -> Vec<f64> {
    let step = TAU * hz / f64::from(rate_hz);
    (0..2 * rate_hz).map(|n| 0.5 * (step * f64::from(n)).sin()).collect()
}

/// A WAV file; `bits` 0 stands for the 32-bit float format.
fn wav(tag: u16, channels: u16, rate_hz: u32, bits: u16, audio: &[u8]) -> Vec<u8> {
    let block = channels.wrapping_mul(bits.div_ceil(8));
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + audio.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0");
    bytes.extend([tag.to_le_bytes(), channels.to_le_bytes()].concat());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend(rate_hz.wrapping_mul(u32::from(block)).to_le_bytes());
    bytes.extend([block.to_le_bytes(), bits.to_le_bytes()].concat());
    bytes.extend(b"data");
    bytes.extend((audio.len() as u32).to_le_bytes());
    bytes.extend(audio);
    bytes
}

/// A mono tone of 1 kHz as 16-bit PCM.
fn tone_16(rate_hz: u32) -> Vec<u8> {
    let samples = tone(1000.0, rate_hz);
    samples.iter().flat_map(|x| ((x * 32768.0) as i16).to_le_bytes()).collect()
}

fn begin(bytes: &[u8], options: &Options) -> Result<Recording, RecordingError> {
    let size = Some(bytes.len() as u64);
    Recording::begin(Box::new(Cursor::new(bytes.to_vec())), size, options)
}

fn streamed(bytes: &[u8], options: &Options) -> Result<Recording, RecordingError> {
    Recording::begin(Box::new(Cursor::new(bytes.to_vec())), None, options)
}

/// Both legs to the end.
fn all(recording: &mut Recording) -> Result<[Vec<f32>; 2], RecordingError> {
    let (mut legs, mut block) = ([Vec::new(), Vec::new()], Block::default());
    while recording.next_block(&mut block)? {
        for (leg, part) in legs.iter_mut().zip(&block.legs) {
            assert!(part.len() <= BLOCK_SAMPLES);
            leg.extend_from_slice(part);
        }
    }
    Ok(legs)
}

/// Fails unless `leg` is the tone, but for `tolerance` and the first and last tenth of a second.
fn assert_tone(leg: &[f32], hz: f64, tolerance: f32) {
    assert_eq!(leg.len(), 16000);
    let ideal = tone(hz, RATE);
    let worst = leg[800..15200].iter().zip(&ideal[800..]).map(|(a, b)| (a - *b as f32).abs());
    let worst = worst.fold(0.0, f32::max);
    assert!(worst <= tolerance, "{hz} Hz: off by {worst}");
}

fn refusal(bytes: &[u8]) -> String {
    begin(bytes, &Options::default()).unwrap_err().to_string()
}

#[test]
fn every_depth_decodes_a_known_tone() {
    let coded = |code: &dyn Fn(f64) -> Vec<u8>| -> Vec<u8> {
        tone(1000.0, RATE).into_iter().flat_map(code).collect()
    };
    let low = |value: i32, bytes: usize| value.to_le_bytes()[..bytes].to_vec();
    let whole = |x: f64, bits: i32| (x * 2_f64.powi(bits - 1)) as i32;
    let eight = coded(&|x| vec![(whole(x, 8) + 128) as u8]);
    let alaw = coded(&|x| vec![audio_codec_algorithms::encode_alaw(whole(x, 16) as i16)]);
    let ulaw = coded(&|x| vec![audio_codec_algorithms::encode_ulaw(whole(x, 16) as i16)]);
    for (tag, bits, audio, tolerance) in [
        (wav::TAG_PCM, 8, eight, 0.01),
        (wav::TAG_PCM, 16, coded(&|x| low(whole(x, 16), 2)), 1e-4),
        (wav::TAG_PCM, 24, coded(&|x| low(whole(x, 24), 3)), 1e-6),
        (wav::TAG_PCM, 32, coded(&|x| low(whole(x, 32), 4)), 1e-6),
        (wav::TAG_FLOAT, 32, coded(&|x| (x as f32).to_le_bytes().to_vec()), 1e-6),
        (wav::TAG_ALAW, 8, alaw.clone(), 0.02),
        (wav::TAG_ULAW, 8, ulaw.clone(), 0.02),
    ] {
        let bytes = wav(tag, 1, RATE, bits, &audio);
        let mut recording = begin(&bytes, &Options::default()).unwrap();
        assert_eq!(recording.layout(), Layout::Mixed);
        assert_eq!(recording.duration_ms(), 2000);
        let [mixed, none] = all(&mut recording).unwrap();
        assert_tone(&mixed, 1000.0, tolerance);
        assert!(none.is_empty());
    }
    for (law, audio) in [(Law::Alaw, alaw), (Law::Ulaw, ulaw)] {
        let options = Options { raw: Some(law), ..Options::default() };
        let mut recording = begin(&audio, &options).unwrap();
        assert_eq!(recording.duration_ms(), 2000);
        assert_tone(&all(&mut recording).unwrap()[0], 1000.0, 0.02);
        let mut recording = streamed(&audio, &options).unwrap();
        assert_eq!(recording.duration_ms(), 0, "not known");
        assert_tone(&all(&mut recording).unwrap()[0], 1000.0, 0.02);
    }
}

#[test]
fn every_rate_comes_out_at_8_khz() {
    for rate_hz in [8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000] {
        let bytes = wav(wav::TAG_PCM, 1, rate_hz, 16, &tone_16(rate_hz));
        let mut recording = begin(&bytes, &Options::default()).unwrap();
        assert_eq!(recording.duration_ms(), 2000);
        assert_tone(&all(&mut recording).unwrap()[0], 1000.0, 0.001);
    }
}

#[test]
fn the_remote_channel_becomes_the_first_leg() {
    let pairs = tone(500.0, 16000).into_iter().zip(tone(1500.0, 16000));
    let both = pairs.flat_map(|(left, right)| [left, right]);
    let audio: Vec<u8> = both.flat_map(|x| ((x * 32768.0) as i16).to_le_bytes()).collect();
    let bytes = wav(wav::TAG_PCM, 2, 16000, 16, &audio);
    for (remote, first, second) in [(Channel::Left, 500.0, 1500.0), (Channel::Right, 1500.0, 500.0)]
    {
        let options = Options { remote, ..Options::default() };
        let mut recording = begin(&bytes, &options).unwrap();
        assert_eq!(recording.layout(), Layout::TwoLegs);
        let legs = all(&mut recording).unwrap();
        assert_tone(&legs[0], first, 0.001);
        assert_tone(&legs[1], second, 0.001);
    }
}

#[test]
fn blocks_are_20_ms_but_for_the_last() {
    let bytes = wav(wav::TAG_PCM, 1, 8000, 16, &[0; 2 * 400]);
    let mut recording = begin(&bytes, &Options::default()).unwrap();
    let mut block = Block::default();
    let mut lengths = Vec::new();
    while recording.next_block(&mut block).unwrap() {
        lengths.push(block.legs[0].len());
    }
    assert_eq!(lengths, [160, 160, 80]);
    assert!(!recording.next_block(&mut block).unwrap(), "the end stays the end");
    assert!(block.legs[0].is_empty());
}

#[test]
fn a_streamed_recording_goes_on_until_its_end() {
    let mut bytes = wav(wav::TAG_PCM, 1, 8000, 16, &tone_16(8000));
    bytes[4..8].fill(0xFF);
    bytes[40..44].fill(0xFF);
    let mut recording = begin(&bytes, &Options::default()).unwrap();
    assert_eq!(recording.duration_ms(), 2000);
    assert_tone(&all(&mut recording).unwrap()[0], 1000.0, 0.001);
    assert_tone(
        &all(&mut streamed(&bytes, &Options::default()).unwrap()).unwrap()[0],
        1000.0,
        0.001,
    );

    let options = Options { max_minutes: 0, ..Options::default() };
    let error = all(&mut streamed(&bytes, &options).unwrap()).unwrap_err();
    assert!(matches!(error, RecordingError::EndlessStream(0)), "{error}");
    let error = all(&mut streamed(&bytes[..44], &options).unwrap()).unwrap_err();
    assert!(matches!(error, RecordingError::NoSamples), "{error}");
}

#[test]
fn metadata_behind_the_audio_is_not_heard() {
    let mut bytes = wav(wav::TAG_PCM, 1, 8000, 16, &[0; 32]);
    bytes.extend(b"LIST\x08\0\0\0INFOhiss");
    let legs = all(&mut begin(&bytes, &Options::default()).unwrap()).unwrap();
    assert_eq!(legs[0], [0.0; 16]);
}

#[test]
fn truncation_is_known_at_the_start_or_found_in_the_stream() {
    let bytes = wav(wav::TAG_PCM, 1, 8000, 16, &tone_16(8000));
    let cut = &bytes[..44 + 24_000];
    assert_eq!(
        refusal(cut),
        "breaks off 1.5 s into the recording: its data chunk says 32000 bytes, the file holds \
         24000: copy it again, or keep what there is with `ffmpeg -i IN -ar 8000 OUT.wav`"
    );
    let error = all(&mut streamed(cut, &Options::default()).unwrap()).unwrap_err();
    let RecordingError::Truncated { at_s, announced, held } = error else { panic!("{error}") };
    assert_eq!((at_s, announced, held), (1.5, 32_000, 24_000));
}

#[test]
fn refusals_name_the_place_and_the_remedy() {
    assert!(refusal(b"ID3\x04 music").starts_with(
        "is not a WAV recording, it does not begin with a RIFF header: convert it with `ffmpeg"
    ));
    assert!(
        refusal(&wav(1, 1, 8000, 16, &[0; 4])[..30])
            .starts_with("has a damaged WAV header, it ends inside its header, at byte 30: ")
    );
    assert!(refusal(b"").starts_with("is empty, 0 bytes long"));
    assert!(refusal(&wav(1, 1, 8000, 16, &[])).starts_with("holds no audio"));
    assert!(refusal(&wav(1, 1, 96000, 16, &[0; 4])).contains("96000 Hz"));
    assert!(refusal(&wav(1, 1, 6000, 16, &[0; 4])).contains("6000 Hz"));
    assert!(refusal(&wav(1, 12, 8000, 16, &[0; 24])).starts_with("has 12 channels"));
    assert!(refusal(&wav(1, 0, 8000, 16, &[0; 24])).starts_with("has 0 channels"));
    for (tag, bits, named) in [
        (0x0002, 4, "is coded as Microsoft ADPCM (format tag 0x0002, 4 bits)"),
        (0x0055, 0, "is coded as MP3 (format tag 0x0055, 0 bits)"),
        (0x0003, 64, "is coded as floating point of an unusual depth (format tag 0x0003, 64 bits)"),
        (0x0001, 12, "is coded as PCM of an unusual depth (format tag 0x0001, 12 bits)"),
    ] {
        let message = refusal(&wav(tag, 1, 8000, bits, &[0; 24]));
        assert!(message.starts_with(named) && message.contains("ffmpeg"), "{message}");
    }
    let options = Options { raw: Some(Law::Alaw), ..Options::default() };
    let error = begin(&wav(1, 1, 8000, 16, &[0; 4]), &options).unwrap_err();
    assert_eq!(error.to_string(), "begins with a WAV header: leave out --raw");
}

#[test]
fn the_limit_is_on_minutes() {
    let options = Options { raw: Some(Law::Ulaw), ..Options::default() };
    let of = |minutes: u64, options: &Options| {
        Recording::begin(Box::new(io::empty()), Some(minutes * 60 * 8000), options).map(|_| ())
    };
    assert!(of(120, &options).is_ok());
    assert_eq!(
        of(180, &options).unwrap_err().to_string(),
        "lasts 3 h 0 min, and the limit is 120 minutes: split it, or raise the limit with \
         --max-minutes"
    );
    assert!(of(180, &Options { max_minutes: 180, ..options }).is_ok());
}

#[test]
fn a_failing_disk_is_reported_with_the_place() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("input/output error"))
        }
    }
    let bytes = wav(wav::TAG_PCM, 1, 8000, 16, &tone_16(8000));
    let source = Cursor::new(bytes[..44 + 16_000].to_vec()).chain(Failing);
    let size = Some(bytes.len() as u64);
    let mut recording = Recording::begin(Box::new(source), size, &Options::default()).unwrap();
    let error = all(&mut recording).unwrap_err().to_string();
    assert!(error.starts_with("cannot be read beyond 1.0 s: input/output error: "), "{error}");

    let error = Recording::begin(Box::new(Failing), None, &Options::default()).unwrap_err();
    assert!(matches!(error, RecordingError::Read { .. }), "{error}");
}

#[test]
fn files_and_what_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let open = |path: &Path| Recording::open(path, &Options::default());
    assert!(matches!(open(directory.path()), Err(RecordingError::Directory)));
    let path = directory.path().join("call.wav");
    assert!(matches!(open(&path), Err(RecordingError::NotFound)));

    let mut file = File::create(&path).unwrap();
    assert!(matches!(open(&path), Err(RecordingError::Empty)));
    file.write_all(&wav(wav::TAG_PCM, 1, 8000, 16, &tone_16(8000))).unwrap();
    assert_tone(&all(&mut open(&path).unwrap()).unwrap()[0], 1000.0, 0.001);

    let denied = RecordingError::opening(io::ErrorKind::PermissionDenied.into());
    assert!(denied.to_string().starts_with("may not be read by this user"));
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(
        tag in prop_oneof![Just(1_u16), Just(3), Just(6), Just(7), any::<u16>()],
        channels in 0_u16..4,
        rate_hz in prop_oneof![Just(8000_u32), Just(16000), Just(44100), any::<u32>()],
        bits in prop_oneof![Just(8_u16), Just(16), Just(24), Just(32), any::<u16>()],
        audio in proptest::collection::vec(any::<u8>(), 0..3000),
        cut in 0_usize..3100,
    ) {
        let mut bytes = wav(tag, channels, rate_hz, bits, &audio);
        bytes.truncate(cut.max(12));
        for opened in [begin(&bytes, &Options::default()), streamed(&bytes, &Options::default())] {
            let Ok(mut recording) = opened else { continue };
            if let Ok(legs) = all(&mut recording) {
                prop_assert!(legs.iter().flatten().all(|x| (-1.0..=1.0).contains(x)));
            }
        }
    }
}
