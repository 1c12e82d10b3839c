//! What telephones say, and whether it was heard.

use std::fs;

use audio_codec_algorithms::{decode_alaw, encode_alaw};
use realfft::RealFftPlanner;

use super::capture::{RATE, Stream};
use super::place::project;

/// How long a piece of a prompt is looked for.
const PIECE: usize = RATE as usize;
/// How many of them are looked for.
const PIECES: usize = 3;
/// Below this nobody speaks.
const QUIET: f64 = 1e-3;

/// The best place for a prompt in a stream.
#[derive(Debug, Clone, Copy)]
pub struct Match {
    /// Normalised cross-correlation: 1 is the prompt itself, speech of others stays below 0.4.
    pub likeness: f64,
    /// When the prompt began, in seconds since 1970.
    pub at: f64,
}

/// What the two parties of a spoken call in `tests/calls` say, in A-law: the far one, then the
/// protected one.
pub fn call(name: &str) -> (Vec<u8>, Vec<u8>) {
    let bytes = fs::read(project("tests/calls").join(name).with_extension("wav"));
    let data = a_law_stereo(&bytes.expect("readable"));
    data.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip()
}

/// The sound of a WAV file with two channels of A-law.
fn a_law_stereo(wav: &[u8]) -> Vec<u8> {
    let mut rest = &wav[12..];
    while let Some((head, more)) = rest.split_at_checked(8) {
        let size = u32::from_le_bytes([4, 5, 6, 7].map(|at| head[at])) as usize;
        let chunk = &more[..size.min(more.len())];
        match &head[..4] {
            b"fmt " => assert_eq!(chunk[..4], [6, 0, 2, 0], "not two channels of A-law"),
            b"data" => return chunk.to_vec(),
            _ => {}
        }
        rest = more.get(size + size % 2..).unwrap_or_default();
    }
    panic!("a WAV file without sound")
}

/// A prompt that comes with the program, such as `warning-courier`.
pub fn prompt(name: &str) -> Vec<f32> {
    let path = project("config/prompts/8k").join(name).with_extension("wav");
    let mut wav = hound::WavReader::open(path).expect("a WAV file");
    wav.samples::<i16>().map(|it| f32::from(it.expect("a sample")) / 32768.0).collect()
}

/// The samples of A-law.
pub fn decoded(a_law: &[u8]) -> Vec<f32> {
    a_law.iter().map(|byte| f32::from(decode_alaw(*byte)) / 32768.0).collect()
}

/// So many seconds of the dial tone of the United Kingdom (350 and 440 Hz), in A-law.
pub fn dial_tone(seconds: usize) -> Vec<u8> {
    let sample = |at: usize| {
        let sine = |hz: f64| (std::f64::consts::TAU * hz * at as f64 / RATE).sin();
        encode_alaw((4_000.0 * (sine(350.0) + sine(440.0))) as i16)
    };
    (0..seconds * RATE as usize).map(sample).collect()
}

/// Looks for the loudest seconds of `prompt` in what `stream` has between two times: somebody else
/// may speak over one of them.
pub fn find(stream: &Stream, from: f64, to: f64, prompt: &[f32]) -> Match {
    let power = |at: &usize| piece(prompt, *at).iter().map(|it| it * it).sum::<f32>();
    let mut starts: Vec<_> = (0..prompt.len().max(PIECE) / PIECE).map(|at| at * PIECE).collect();
    starts.sort_by(|a, b| power(b).total_cmp(&power(a)));
    let heard = stream.between(from, to);
    let begin = stream.index(from).min(stream.samples.len()) as f64;
    let found = starts.iter().take(PIECES).map(|&offset| {
        let (likeness, lag) = best(heard, piece(prompt, offset));
        Match { likeness, at: stream.start + (begin + lag as f64 - offset as f64) / RATE }
    });
    let none = Match { likeness: 0.0, at: from };
    found.max_by(|a, b| a.likeness.total_cmp(&b.likeness)).unwrap_or(none)
}

fn piece(prompt: &[f32], at: usize) -> &[f32] {
    &prompt[at..prompt.len().min(at + PIECE)]
}

/// The greatest normalised cross-correlation of `wanted` with a part of `heard`, and where.
fn best(heard: &[f32], wanted: &[f32]) -> (f64, usize) {
    if heard.len() < wanted.len() {
        return (0.0, 0);
    }
    let products = correlation(heard, wanted);
    let energy = |samples: &[f32]| samples.iter().map(|it| f64::from(it * it)).sum::<f64>();
    let own = energy(wanted).sqrt();
    let mut around = energy(&heard[..wanted.len()]);
    let floor = wanted.len() as f64 * QUIET * QUIET;
    let mut best = (0.0, 0);
    for lag in 0..=heard.len() - wanted.len() {
        if around > floor {
            let likeness = f64::from(products[lag]) / (own * around.sqrt());
            best = if likeness > best.0 { (likeness, lag) } else { best };
        }
        let next = heard.get(lag + wanted.len()).copied().unwrap_or_default();
        around += f64::from(next * next) - f64::from(heard[lag] * heard[lag]);
    }
    best
}

/// The cross-correlation at every lag from 0 on.
fn correlation(heard: &[f32], wanted: &[f32]) -> Vec<f32> {
    let size = (heard.len() + wanted.len()).next_power_of_two();
    let mut planner = RealFftPlanner::new();
    let forward = planner.plan_fft_forward(size);
    let spectrum = |samples: &[f32]| {
        let mut padded = samples.to_vec();
        padded.resize(size, 0.0);
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum).expect("sizes that fit");
        spectrum
    };
    let (mut product, other) = (spectrum(heard), spectrum(wanted));
    product.iter_mut().zip(other).for_each(|(left, right)| *left *= right.conj());
    let mut lags = vec![0.0; size];
    // The imaginary parts of the first and the last bin are rounding errors.
    product[0].im = 0.0;
    product[size / 2].im = 0.0;
    planner.plan_fft_inverse(size).process(&mut product, &mut lags).expect("sizes that fit");
    lags.iter_mut().for_each(|lag| *lag /= size as f32);
    lags
}
