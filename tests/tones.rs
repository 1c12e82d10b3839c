//! The tone detectors under every condition of a line, generated from seeds.

mod tones {
    mod keypad;
    mod progress;
    // A full-scale sine is +3.14 dBm0; that this looks like π is chance.
    #[allow(clippy::approx_constant)]
    mod synth;
}
