//! The sound of live calls, as Asterisk brings it: a connection a leg (AudioSocket, TCP). Only
//! connections that were asked for are taken.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::feed::not_taken;
use crate::audio::resample::{ResampleError, Resampler};
use crate::audio::voice::RATE;
use crate::edge::clock;
use crate::edge::health::{Count, Health};
use crate::edge::live::LegSound;
use crate::time::Now;
use crate::wire::audiosocket::{AudioSocketError, Frame, Parser, Rate};

/// Connections at a time: two a call.
const MOST_CONNECTIONS: usize = 1024;
/// How long a connection may take to say which leg it brings.
const INTRODUCTION: Duration = Duration::from_secs(2);
/// How long a connection may bring nothing: Asterisk sends 50 frames a second but for gaps.
const SILENT: Duration = Duration::from_secs(60);
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
    #[error("it brought nothing for a minute")]
    Silent,
}

/// The legs that were asked for, and have not come yet.
#[derive(Default)]
pub struct Expected(Mutex<HashMap<u128, (LegSound, Now)>>);

impl Expected {
    /// The connection that begins with this id brings the sound of a leg.
    pub fn expect(&self, id: u128, leg: LegSound) {
        let now = clock::now();
        let mut all = self.lock();
        all.retain(|_, (_, since)| now - *since < LATEST);
        all.insert(id, (leg, now));
    }

    fn take(&self, id: u128) -> Option<LegSound> {
        self.lock().remove(&id).map(|(leg, _)| leg)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u128, (LegSound, Now)>> {
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

/// Brings the sound of one leg to whoever hears it, until Asterisk ends the connection.
async fn bring(mut stream: TcpStream, expected: &Expected) -> Result<(), SoundError> {
    let mut leg = Leg::new();
    let mut piece = vec![0; PIECE];
    let latest = clock::now() + INTRODUCTION;
    loop {
        let patience = if leg.sound.is_some() { SILENT } else { latest - clock::now() };
        let late = || match leg.sound {
            Some(_) => SoundError::Silent,
            None => SoundError::NoIntroduction,
        };
        let read = clock::at_most(patience, stream.read(&mut piece)).await.ok_or_else(late)??;
        // Asterisk ends a connection wherever it is just then.
        if read == 0 {
            return Ok(());
        }
        leg.take(piece.get(..read).unwrap_or_default(), expected)?;
        if leg.is_over {
            return Ok(());
        }
    }
}

/// The sound of a leg on its way.
struct Leg {
    parser: Parser,
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
            self.sound = Some(expected.take(id).ok_or(SoundError::Stranger)?);
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
