//! The dial tone beneath a key.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use super::pair::SEGMENT;

/// The North American and British dial tone in Hz (ITU-T E.180 Supplement 2; BT SIN 350).
const TONES: [f64; 2] = [350.0, 440.0];
/// Segments looked at: 32 ms keep the two tones apart, and from the key's.
pub(super) const SEGMENTS: usize = 4;
const SAMPLES: usize = SEGMENTS * SEGMENT;
/// Highest ratio of the two tones' powers: 6 dB of twist.
const MOST_TWIST: f32 = 4.0;

/// cos and sin of both tones under a Hann window, made so that a product is an amplitude.
static TABLE: LazyLock<[[f32; 4]; SAMPLES]> = LazyLock::new(|| {
    std::array::from_fn(|n| {
        let hann = (1.0 - (TAU * n as f64 / SAMPLES as f64).cos()) * 2.0 / SAMPLES as f64;
        let [low, high] = TONES.map(|hz| TAU * hz / 8000.0 * n as f64);
        [low.cos(), low.sin(), high.cos(), high.sin()].map(|part| (hann * part) as f32)
    })
});

/// The mean square of a dial tone in the segments, which follow each other; 0 if there is none.
pub(super) fn power<'a>(segments: impl Iterator<Item = &'a [f32; SEGMENT]>) -> f32 {
    let mut sums = [0.0; 4];
    for (segment, table) in segments.zip(TABLE.as_chunks::<SEGMENT>().0) {
        for (sample, table) in segment.iter().zip(table) {
            sums = std::array::from_fn(|part| sums[part] + sample * table[part]);
        }
    }
    let [low, high] = [(sums[0], sums[1]), (sums[2], sums[3])].map(|(a, b)| (a * a + b * b) / 2.0);
    let is_balanced = low <= MOST_TWIST * high && high <= MOST_TWIST * low;
    if is_balanced { low + high } else { 0.0 }
}
