//! The sound of live calls, as Asterisk brings it: a connection a leg (AudioSocket, TCP). Only
//! connections that were asked for are taken.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use super::feed::not_taken;
use crate::audio::resample::{ResampleError, Resampler};
use crate::audio::voice::RATE;
use crate::edge::clock;
use crate::edge::health::{Count, Health};
use crate::edge::live::LegSound;
use crate::time::Now;
use crate::wire::audiosocket::{AudioSocketError, Frame, HANG_UP, Parser, Rate};

/// Connections at a time: two a call.
const MOST_CONNECTIONS: usize = 1024;
/// How long a connection may take to say which leg it brings.
const INTRODUCTION: Duration = Duration::from_secs(2);
/// How long a leg that was asked for may take to come.
const LATEST: Duration = Duration::from_secs(30);
/// Bytes that are read at a time: a tenth of a second at 16 kHz.
const PIECE: usize = 3_200;

/// Why a connection was ended.
#[derive(Debug, thiserror::Error)]
enum SoundError {
    #[error("the connection broke: {0}")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Frame(#[from] AudioSocketError),
    #[error(transparent)]
    Resample(#[from] ResampleError),
    #[error("it did not say within 2 seconds which leg it brings")]
    NoIntroduction,
    #[error("nobody asked for the leg that it brings")]
    Stranger,
}

/// The connections that were asked for, and those that have come.
#[derive(Default)]
pub struct Expected(Mutex<HashMap<u128, Connection>>);

struct Connection {
    /// Whoever hears it; none if it has come.
    leg: Option<LegSound>,
    since: Now,
    closing: Arc<Notify>,
}

impl Expected {
    /// The connection that begins with this id brings the sound of a leg.
    pub fn add(&self, id: u128, leg: LegSound) {
        let now = clock::now();
        let mut all = self.lock();
        all.retain(|_, it| it.leg.is_none() || now - it.since < LATEST);
        all.insert(id, Connection { leg: Some(leg), since: now, closing: Arc::default() });
    }

    /// The connection that begins with this id is ended, and not taken if it comes.
    pub fn close(&self, id: u128) {
        if let Some(connection) = self.lock().remove(&id) {
            connection.closing.notify_one();
        }
    }

    fn take(&self, id: u128) -> Option<(LegSound, Arc<Notify>)> {
        let mut all = self.lock();
        let connection = all.get_mut(&id)?;
        Some((connection.leg.take()?, Arc::clone(&connection.closing)))
    }

    fn is_over(&self, id: u128) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u128, Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes connections for as long as the program runs.
pub async fn serve(listener: TcpListener, expected: Arc<Expected>, health: Arc<Health>) {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (expected, health) = (Arc::clone(&expected), Arc::clone(&health));
                tokio::spawn(async move {
                    if let Err(problem) = bring(stream, &expected).await {
                        health.count(Count::BadSound, 1);
                        tracing::warn!("a connection for sound was ended: {problem}");
                    }
                    drop(permit);
                });
            }
            Err(error) => not_taken(&format!("for sound: {error}")).await,
        }
    }
}

/// Brings the sound of one leg to whoever hears it, until either side ends the connection. It may
/// bring nothing for as long as nobody sends Asterisk anything.
async fn bring(mut stream: TcpStream, expected: &Expected) -> Result<(), SoundError> {
    let mut leg = Leg::new();
    let mut piece = vec![0; PIECE];
    let latest = clock::now() + INTRODUCTION;
    let ended = loop {
        let is_known = leg.sound.is_some();
        let read = tokio::select! {
            read = stream.read(&mut piece) => read?,
            () = leg.closing.notified() => {
                // Whether or not it is read, Asterisk learns of the end.
                let _ = stream.write_all(&HANG_UP).await;
                break Ok(());
            }
            () = clock::sleep_until(latest), if !is_known => {
                break Err(SoundError::NoIntroduction);
            }
        };
        // Asterisk ends a connection wherever it is just then.
        if read == 0 {
            break Ok(());
        }
        let taken = leg.take(piece.get(..read).unwrap_or_default(), expected);
        if taken.is_err() || leg.is_over {
            break taken;
        }
    };
    leg.id.into_iter().for_each(|id| expected.is_over(id));
    ended
}

/// The sound of a leg on its way.
struct Leg {
    parser: Parser,
    id: Option<u128>,
    closing: Arc<Notify>,
    /// Whoever hears it, once it is known whose it is.
    sound: Option<LegSound>,
    /// From 16 kHz, if it comes so.
    resampler: Option<Resampler>,
    samples: Vec<f32>,
    resampled: Vec<f32>,
    is_over: bool,
}

impl Leg {
    fn new() -> Self {
        Self {
            parser: Parser::default(),
            id: None,
            closing: Arc::default(),
            sound: None,
            resampler: None,
            samples: Vec::new(),
            resampled: Vec::new(),
            is_over: false,
        }
    }

    fn take(&mut self, bytes: &[u8], expected: &Expected) -> Result<(), SoundError> {
        let (mut id, mut wide, is_over) = (None, false, &mut self.is_over);
        let samples = &mut self.samples;
        samples.clear();
        let read = self.parser.push(bytes, |frame| match frame {
            Frame::Id(bytes) => id = Some(u128::from_be_bytes(bytes)),
            Frame::Audio { rate, samples: new } => {
                wide = rate == Rate::Hz16000;
                new.append_to(samples);
            }
            Frame::Terminate => *is_over = true,
            // ARI tells of keys, and better: Asterisk sends none of a channel that is snooped on.
            Frame::Digit(_) | Frame::Fault(_) => {}
        });
        if let Some(id) = id {
            let (sound, closing) = expected.take(id).ok_or(SoundError::Stranger)?;
            (self.id, self.sound, self.closing) = (Some(id), Some(sound), closing);
        }
        self.hand_on(wide)?;
        Ok(read?)
    }

    fn hand_on(&mut self, wide: bool) -> Result<(), SoundError> {
        let Some(sound) = self.sound.as_ref().filter(|_| !self.samples.is_empty()) else {
            return Ok(());
        };
        if !wide {
            sound.push(&self.samples);
            return Ok(());
        }
        let resampler = match &mut self.resampler {
            Some(resampler) => resampler,
            none => none.insert(Resampler::new(Rate::Hz16000.hz(), RATE)?),
        };
        self.resampled.clear();
        resampler.push(&self.samples, &mut self.resampled)?;
        sound.push(&self.resampled);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::audiosocket::{audio, hello};

    const ID: u128 = 7;

    /// A leg that was asked for, and its sound.
    fn asked_for() -> (Expected, LegSound) {
        let (expected, sound) = (Expected::default(), LegSound::new(clock::now()));
        expected.add(ID, sound.clone());
        (expected, sound)
    }

    /// A tone at half of full scale, in frames of 20 ms.
    fn tone(rate: Rate, frames: usize) -> Vec<u8> {
        let (hz, mut bytes) = (rate.hz() as usize, Vec::new());
        let sample = |at: usize| {
            let turns = 400.0 * at as f32 / hz as f32;
            0.5 * (std::f32::consts::TAU * turns).sin()
        };
        audio(rate, &(0..frames * hz / 50).map(sample).collect::<Vec<_>>(), &mut bytes);
        bytes
    }

    #[test]
    fn sound_of_either_rate_comes_to_whoever_hears_the_leg() {
        for rate in [Rate::Hz8000, Rate::Hz16000] {
            let (expected, sound) = asked_for();
            let mut leg = Leg::new();
            leg.take(&hello(&ID.to_be_bytes()), &expected).expect("it was asked for");
            for piece in tone(rate, 20).chunks(700) {
                leg.take(piece, &expected).expect("sound");
            }
            let mut samples = Vec::new();
            sound.take(clock::now() + Duration::from_millis(600), &mut samples);
            // The resampler holds back some 50 ms.
            let loud = samples.iter().filter(|sample| sample.abs() > 0.3).count();
            assert!((1_200..2_500).contains(&loud), "{rate:?}: {loud} of 3200 samples");
            assert!(samples.iter().all(|sample| sample.abs() < 0.6), "{rate:?}");
        }
    }

    #[test]
    fn whoever_was_not_asked_for_and_whoever_comes_twice_is_sent_away() {
        let (expected, _sound) = asked_for();
        let refused = Leg::new().take(&hello(&8_u128.to_be_bytes()), &expected);
        assert!(matches!(refused, Err(SoundError::Stranger)), "{refused:?}");
        let hello = hello(&ID.to_be_bytes());
        Leg::new().take(&hello, &expected).expect("it was asked for");
        let again = Leg::new().take(&hello, &expected);
        assert!(matches!(again, Err(SoundError::Stranger)), "{again:?}");
        let nobody = Leg::new().take(&tone(Rate::Hz8000, 1), &expected);
        assert!(matches!(nobody, Err(SoundError::Frame(_))), "{nobody:?}");
    }
}
