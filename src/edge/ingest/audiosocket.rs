//! The sound of live calls, as Asterisk brings it: a connection a leg (AudioSocket, TCP). Only
//! connections that were asked for are taken.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use super::feed::not_taken;
use crate::audio::resample::{ResampleError, Resampler};
use crate::audio::voice::RATE;
use crate::edge::clock;
use crate::edge::health::{Count, Health};
use crate::edge::live::LegSound;
use crate::time::Now;
use crate::wire::audiosocket::{self, AudioSocketError, Frame, HANG_UP, Parser, Rate};

/// Connections at a time: two a call.
const MOST_CONNECTIONS: usize = 1024;
/// How long a connection may take to say which leg it brings.
const INTRODUCTION: Duration = Duration::from_secs(2);
/// How long a leg that was asked for may take to come.
const LATEST: Duration = Duration::from_secs(30);
/// Bytes that are read at a time: a tenth of a second at 16 kHz.
const PIECE: usize = 3_200;
/// How often Asterisk is sent silence, and how much.
const BLOCK: Duration = Duration::from_millis(20);

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

/// Brings the sound of one leg to whoever hears it, until either side ends the connection.
async fn bring(mut stream: TcpStream, expected: &Expected) -> Result<(), SoundError> {
    let mut leg = Leg::new();
    let mut piece = vec![0; PIECE];
    // A frame must not wait for the last one to be acknowledged.
    let _ = stream.set_nodelay(true);
    let now = clock::now();
    let (latest, mut silence) = (now + INTRODUCTION, Silence::new(now));
    let ended = loop {
        let is_known = leg.sound.is_some();
        let read = tokio::select! {
            read = stream.read(&mut piece) => match read {
                // Asterisk ended it with silence unread.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset && is_known => 0,
                read => read?,
            },
            () = leg.closing.notified() => {
                silence.end(&stream);
                break Ok(());
            }
            () = clock::sleep_until(silence.due), if is_known => {
                silence.send(&stream, leg.rate);
                continue;
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

/// The silence that Asterisk is sent for as long as a leg is heard. It reads a connection with its
/// channel locked and waits there for a frame, however long that takes; whatever needs the channel
/// meanwhile waits too, and with it ARI (<https://github.com/asterisk/asterisk/issues/2089>, 2078).
struct Silence {
    rate: Rate,
    frame: Vec<u8>,
    /// Of the frame.
    sent: usize,
    due: Now,
}

impl Silence {
    fn new(now: Now) -> Self {
        let rate = Rate::Hz8000;
        Self { rate, frame: silent(rate), sent: 0, due: now }
    }

    /// Sends a frame at the rate of the leg, or the rest of one; what there is no room for is not
    /// waited for: Asterisk has enough to read then.
    fn send(&mut self, stream: &TcpStream, rate: Rate) {
        self.due = clock::now() + BLOCK;
        if self.sent == 0 && rate != self.rate {
            (self.rate, self.frame) = (rate, silent(rate));
        }
        // Whoever reads finds out that a connection broke.
        let rest = self.frame.get(self.sent..).unwrap_or_default();
        let Ok(sent) = stream.try_write(rest) else { return };
        self.sent = (self.sent + sent) % self.frame.len();
        if self.sent > 0 {
            // Asterisk waits 5 ms for the rest of a frame.
            self.due = clock::now() + Duration::from_millis(1);
        }
    }

    /// Tells Asterisk of the end. It learns of it from the connection's end as well: what there is
    /// no room for is not waited for.
    fn end(&self, stream: &TcpStream) {
        if self.sent == 0 {
            let _ = stream.try_write(&HANG_UP);
        }
    }
}

/// A frame of silence.
fn silent(rate: Rate) -> Vec<u8> {
    let mut frame = Vec::new();
    audiosocket::audio(rate, &[0.0], &mut frame);
    frame
}

/// The sound of a leg on its way.
struct Leg {
    parser: Parser,
    id: Option<u128>,
    closing: Arc<Notify>,
    /// Whoever hears it, once it is known whose it is.
    sound: Option<LegSound>,
    /// At which it comes.
    rate: Rate,
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
            rate: Rate::Hz8000,
            resampler: None,
            samples: Vec::new(),
            resampled: Vec::new(),
            is_over: false,
        }
    }

    fn take(&mut self, bytes: &[u8], expected: &Expected) -> Result<(), SoundError> {
        let mut id = None;
        let Self { samples, is_over, rate: as_read, .. } = self;
        samples.clear();
        let read = self.parser.push(bytes, |frame| match frame {
            Frame::Id(bytes) => id = Some(u128::from_be_bytes(bytes)),
            Frame::Audio { rate, samples: new } => {
                *as_read = rate;
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
        self.hand_on()?;
        Ok(read?)
    }

    fn hand_on(&mut self) -> Result<(), SoundError> {
        let Some(sound) = self.sound.as_ref().filter(|_| !self.samples.is_empty()) else {
            return Ok(());
        };
        if self.rate == Rate::Hz8000 {
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
    use tokio::io::AsyncWriteExt;

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

    #[tokio::test]
    async fn asterisk_is_sent_silence_as_long_as_it_is_heard_so_that_it_waits_for_no_frame() {
        let (expected, _sound) = asked_for();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let to = listener.local_addr().expect("an address");
        let mut asterisk = TcpStream::connect(to).await.expect("a connection");
        let (stream, _) = listener.accept().await.expect("a connection");
        let expected = Arc::new(expected);
        let all = Arc::clone(&expected);
        let brought = tokio::spawn(async move { bring(stream, &all).await });
        asterisk.write_all(&hello(&ID.to_be_bytes())).await.expect("sent");
        let (mut narrow, mut wide) = ([1; 323], [1; 643]);
        for _ in 0..5 {
            asterisk.read_exact(&mut narrow).await.expect("silence");
            assert_eq!(narrow[..3], [0x10, 1, 64]);
            assert!(narrow[3..].iter().all(|byte| *byte == 0));
        }
        asterisk.write_all(&tone(Rate::Hz16000, 1)).await.expect("sent");
        // Frames that were under way.
        while wide[..3] != [0x12, 2, 128] {
            asterisk.read_exact(&mut wide[..3]).await.expect("silence");
            let rest = usize::from(u16::from_be_bytes([wide[1], wide[2]]));
            asterisk.read_exact(&mut wide[3..3 + rest]).await.expect("silence");
        }
        expected.close(ID);
        let mut rest = Vec::new();
        asterisk.read_to_end(&mut rest).await.expect("the end");
        let hang_up = &rest[rest.len() - rest.len() % 643..];
        assert_eq!(hang_up, HANG_UP, "it is told of the end");
        brought.await.expect("no panic").expect("an orderly end");
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
