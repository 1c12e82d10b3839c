//! ITU-T G.711: the companding laws of the telephone network, at 8 kHz and 8 bits a sample.

use audio_codec_algorithms::{decode_alaw, decode_ulaw};

/// Which of the two laws of ITU-T G.711 a byte is coded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Law {
    /// A-law: Europe and most of the world. Peak ±32256 of 32768.
    Alaw,
    /// µ-law: North America and Japan. Peak ±32124 of 32768.
    Ulaw,
}

impl Law {
    /// The name used on the command line and in configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alaw => "alaw",
            Self::Ulaw => "ulaw",
        }
    }

    /// The law with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Alaw, Self::Ulaw].into_iter().find(|law| law.name() == name)
    }

    /// Appends one sample in −1…1 for each code; allocates only if `samples` must grow.
    pub fn decode(self, codes: &[u8], samples: &mut Vec<f32>) {
        // The law is chosen once a block, so that the loop is nothing but the table.
        match self {
            Self::Alaw => samples.extend(codes.iter().map(|&code| unit(decode_alaw(code)))),
            Self::Ulaw => samples.extend(codes.iter().map(|&code| unit(decode_ulaw(code)))),
        }
    }
}

/// A 16-bit sample in −1…1.
fn unit(sample: i16) -> f32 {
    f32::from(sample) / 32768.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use audio_codec_algorithms::{encode_alaw, encode_ulaw};
    use proptest::prelude::*;

    fn decoded(law: Law, code: u8) -> (i16, f32) {
        let mut unit = Vec::new();
        law.decode(&[code], &mut unit);
        ((unit[0] * 32768.0) as i16, unit[0])
    }

    #[test]
    fn known_codes_of_the_recommendation() {
        // Positive and negative peak, and the codes of silence.
        assert_eq!(decoded(Law::Alaw, 0xAA).0, 32256);
        assert_eq!(decoded(Law::Alaw, 0x2A).0, -32256);
        assert_eq!(decoded(Law::Alaw, 0xD5).0, 8);
        assert_eq!(decoded(Law::Ulaw, 0x80).0, 32124);
        assert_eq!(decoded(Law::Ulaw, 0x00).0, -32124);
        assert_eq!(decoded(Law::Ulaw, 0xFF).0, 0);
    }

    #[test]
    fn every_code_decodes_into_the_unit_range_and_back() {
        for code in 0..=u8::MAX {
            for law in [Law::Alaw, Law::Ulaw] {
                let (whole, unit) = decoded(law, code);
                assert!((-1.0..=1.0).contains(&unit));
                assert_eq!(unit * 32768.0, f32::from(whole));
            }
            assert_eq!(encode_alaw(decoded(Law::Alaw, code).0), code);
            // µ-law has two zeros; 0x7F is the negative one.
            let ulaw = if code == 0x7F { 0xFF } else { code };
            assert_eq!(encode_ulaw(decoded(Law::Ulaw, code).0), ulaw);
        }
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        assert_eq!(Law::from_name("alaw"), Some(Law::Alaw));
        assert_eq!(Law::from_name("ulaw"), Some(Law::Ulaw));
        assert_eq!(Law::from_name("ALAW"), None);
    }

    proptest! {
        #[test]
        fn companding_keeps_samples_within_its_step(sample in -32000_i16..=32000) {
            // The step is a sixteenth of the segment, so at most 1/32 off beyond the first ones.
            let allowed = 16.0 + f32::from(sample).abs() / 31.0;
            for (law, code) in
                [(Law::Alaw, encode_alaw(sample)), (Law::Ulaw, encode_ulaw(sample))]
            {
                let off = (f32::from(decoded(law, code).0) - f32::from(sample)).abs();
                prop_assert!(off <= allowed, "{law:?} {sample}: off by {off}");
            }
        }
    }
}
