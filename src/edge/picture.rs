//! A picture of a call: what each leg sounds like over time, and where voice, words, tones and keys
//! are. For a person who wants to see what was heard; `lineclear features --plot` draws it.

use std::path::{Path, PathBuf};

use plotters::backend::BitMapBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::style::RGBColor;
use plotters::style::colors::WHITE;

use crate::time::CallTime;
use crate::wire::features::{BANDS, Flags, Frame};

/// Columns at most: a longer call has several frames in each.
const MOST_COLUMNS: usize = 4000;
/// Pixels of a band, and of a strip below the spectrogram.
const BAND: i32 = 4;
const STRIP: i32 = 8;
const GAP: i32 = 12;
/// Logarithms that are black and white: a quiet line, and a loud vowel.
const DARKEST: f32 = -9.0;
const BRIGHTEST: f32 = 6.0;
/// Milliseconds from frame to frame.
const FRAME_MS: u64 = 10;

const VOICE: RGBColor = RGBColor(60, 160, 75);
const WORDS: RGBColor = RGBColor(70, 70, 70);
const TONE: RGBColor = RGBColor(230, 120, 0);
const KEY: RGBColor = RGBColor(40, 90, 210);

/// The picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}: name a .png file in a folder where you may write", path.display())]
pub struct PictureError {
    path: PathBuf,
    problem: String,
}

/// One leg of the picture.
#[derive(Debug, Clone, Default)]
pub struct LegPicture {
    /// Brightness of each band, and the flags, frame by frame.
    frames: Vec<([u8; BANDS], Flags)>,
    words: Vec<(CallTime, CallTime)>,
}

impl LegPicture {
    /// Adds the next frame.
    pub fn push(&mut self, frame: &Frame) {
        let share = |band: f32| ((band - DARKEST) / (BRIGHTEST - DARKEST)).clamp(0.0, 1.0);
        self.frames.push((frame.mel.map(|band| (share(band) * 255.0) as u8), frame.flags));
    }

    /// Words were said from `start` to `end`.
    pub fn words(&mut self, start: CallTime, end: CallTime) {
        self.words.push((start, end));
    }
}

/// Draws the legs below each other: a spectrogram from 60 Hz at the bottom to 3.8 kHz, then strips
/// for voice (green), words (grey), tones (orange) and keys (blue).
///
/// # Errors
/// When the file cannot be written.
pub fn draw(path: &Path, legs: &[LegPicture]) -> Result<(), PictureError> {
    let wrong = |problem: String| PictureError { path: path.to_owned(), problem };
    let most = legs.iter().map(|leg| leg.frames.len()).max().unwrap_or(0).max(1);
    let per_column = most.div_ceil(MOST_COLUMNS);
    let (width, height) = (most.div_ceil(per_column), legs.len() as i32 * leg_height() + GAP);
    let area = BitMapBackend::new(path, (width as u32, height as u32)).into_drawing_area();
    let drawn = || -> Result<(), Box<dyn std::error::Error + '_>> {
        area.fill(&WHITE)?;
        for (number, leg) in legs.iter().enumerate() {
            let top = GAP + number as i32 * leg_height();
            spectrogram(&area, leg, top, per_column)?;
            strips(&area, leg, top + BANDS as i32 * BAND, per_column)?;
        }
        Ok(area.present()?)
    };
    drawn().map_err(|error| wrong(error.to_string()))
}

const fn leg_height() -> i32 {
    BANDS as i32 * BAND + 4 * STRIP + GAP
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
type Drawn<'a> = Result<(), Box<dyn std::error::Error + 'a>>;

fn spectrogram<'a>(area: &Area<'a>, leg: &LegPicture, top: i32, per_column: usize) -> Drawn<'a> {
    for (x, frames) in leg.frames.chunks(per_column).enumerate() {
        for band in 0..BANDS {
            let loudest = frames.iter().map(|(bands, _)| bands[band]).max().unwrap_or(0);
            let low = top + (BANDS - band) as i32 * BAND;
            block(area, x as i32, low - BAND, BAND, &heat(loudest))?;
        }
    }
    Ok(())
}

fn strips<'a>(area: &Area<'a>, leg: &LegPicture, top: i32, per_column: usize) -> Drawn<'a> {
    let is_tone = |flags: Flags| flags.0 & !(Flags::VOICE.0 | Flags::KEY.0) != 0;
    for (x, frames) in leg.frames.chunks(per_column).enumerate() {
        let any = |is: &dyn Fn(Flags) -> bool| frames.iter().any(|(_, flags)| is(*flags));
        let from = CallTime((x * per_column) as u64 * FRAME_MS);
        let to = CallTime(((x + 1) * per_column) as u64 * FRAME_MS);
        let has_words = leg.words.iter().any(|(start, end)| *start < to && from < *end);
        let marks = [
            (any(&|flags| flags.has(Flags::VOICE)), VOICE),
            (has_words, WORDS),
            (any(&is_tone), TONE),
            (any(&|flags| flags.has(Flags::KEY)), KEY),
        ];
        for (row, (is_set, colour)) in marks.into_iter().enumerate() {
            if is_set {
                block(area, x as i32, top + row as i32 * STRIP + 1, STRIP - 1, &colour)?;
            }
        }
    }
    Ok(())
}

fn block<'a>(area: &Area<'a>, x: i32, y: i32, height: i32, colour: &RGBColor) -> Drawn<'a> {
    for y in y..y + height {
        area.draw_pixel((x, y), colour)?;
    }
    Ok(())
}

/// From black over red and yellow to white.
fn heat(brightness: u8) -> RGBColor {
    let third = |from: u8| brightness.saturating_sub(from).saturating_mul(3);
    RGBColor(third(0), third(85), third(170))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Leg;

    #[test]
    fn a_loud_band_and_a_voice_are_seen_where_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("call.png");
        let mut leg = LegPicture::default();
        let mut mel = [-20.0; BANDS];
        mel[0] = 6.0;
        for ms in [0, 10] {
            let flags = if ms == 0 { Flags::VOICE } else { Flags::default() };
            leg.push(&Frame { leg: Leg::Remote, flags, ms, mel });
        }
        draw(&path, &[leg]).expect("drawn");
        let picture = image(&path);
        let lowest_band = GAP + BANDS as i32 * BAND - 1;
        assert_eq!(picture(0, lowest_band), [255, 255, 255], "loud");
        assert_eq!(picture(0, GAP), [0, 0, 0], "silent");
        let voice = lowest_band + 3;
        assert_eq!(picture(0, voice), [VOICE.0, VOICE.1, VOICE.2]);
        assert_eq!(picture(1, voice), [255, 255, 255]);
        let nowhere = draw(Path::new("/nowhere/at/all.png"), &[]).expect_err("no folder");
        assert!(nowhere.to_string().contains("/nowhere/at/all.png"), "{nowhere}");
    }

    /// What a PNG shows at a place.
    fn image(path: &Path) -> impl Fn(i32, i32) -> [u8; 3] + use<> {
        let file = std::fs::File::open(path).expect("a file");
        let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("PNG");
        let mut bytes = vec![0; reader.output_buffer_size()];
        let info = reader.next_frame(&mut bytes).expect("pixels");
        let width = info.width as i32;
        move |x, y| {
            let at = (y * width + x) as usize * 3;
            [bytes[at], bytes[at + 1], bytes[at + 2]]
        }
    }
}
