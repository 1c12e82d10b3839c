//! The tones, and how they are told.

use crate::audio::spectrum::FRAME_SAMPLES;

/// Samples between two looks: 32 ms.
pub const HOP: usize = FRAME_SAMPLES / 2;

/// A tone of an exchange, a modem or a fax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// British and American dial tone: 350 + 440 Hz without a break.
    Dial,
    /// Continental dial tone: 425 Hz without a break.
    DialEu,
    /// American busy tone: 480 + 620 Hz, 500 ms on, 500 ms off.
    Busy,
    /// British busy (engaged) tone: 400 Hz, 375 ms on, 375 ms off.
    BusyUk,
    /// Continental busy tone: 425 Hz, 500 ms on, 500 ms off.
    BusyEu,
    /// American reorder tone, for congestion: 480 + 620 Hz, 250 ms on, 250 ms off.
    Reorder,
    /// British congestion (equipment engaged) tone: 400 Hz, on 400 ms, off 350, on 225, off 525.
    CongestionUk,
    /// Continental congestion tone: 425 Hz, 250 ms on, 250 ms off.
    CongestionEu,
    /// British number unobtainable tone: 400 Hz without a break.
    UnobtainableUk,
    /// American ringing: 440 + 480 Hz, 2 s on, 4 s off.
    Ringback,
    /// British ringing: 400 + 450 Hz, on 400 ms, off 200, on 400, off 2000.
    RingbackUk,
    /// Continental ringing: 425 Hz, 1 s on, 4 s off.
    RingbackEu,
    /// Special information tone, before an announcement: 950, 1400, 1800 Hz, 330 ms each.
    Sit,
    /// Calling tone of a fax: 1100 Hz, 500 ms on, 3 s off.
    Cng,
    /// Answer tone of a fax (CED) or a modem (ANS, ANSam): 2100 Hz, with phase reversals or not.
    Ans,
    /// Answer tone of a Bell 103 modem: 2225 Hz.
    Bell,
}

impl Tone {
    /// All tones.
    pub const ALL: [Self; 16] = [
        Self::Dial,
        Self::DialEu,
        Self::Busy,
        Self::BusyUk,
        Self::BusyEu,
        Self::Reorder,
        Self::CongestionUk,
        Self::CongestionEu,
        Self::UnobtainableUk,
        Self::Ringback,
        Self::RingbackUk,
        Self::RingbackEu,
        Self::Sit,
        Self::Cng,
        Self::Ans,
        Self::Bell,
    ];

    /// The name used in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dial => "dial",
            Self::DialEu => "dial_eu",
            Self::Busy => "busy",
            Self::BusyUk => "busy_uk",
            Self::BusyEu => "busy_eu",
            Self::Reorder => "reorder",
            Self::CongestionUk => "congestion_uk",
            Self::CongestionEu => "congestion_eu",
            Self::UnobtainableUk => "unobtainable_uk",
            Self::Ringback => "ringback",
            Self::RingbackUk => "ringback_uk",
            Self::RingbackEu => "ringback_eu",
            Self::Sit => "sit",
            Self::Cng => "cng",
            Self::Ans => "ans",
            Self::Bell => "bell",
        }
    }
}

/// A tone was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Which tone.
    pub tone: Tone,
    /// The sample after which it was recognised, counted from the start of the stream.
    pub at: u64,
    /// The sample at which the burst began that the recognition starts from, within 30 ms.
    pub start: u64,
}
