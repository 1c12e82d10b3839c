//! Transcripts, line by line, from a file or a pipe.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::time::CallTime;
use crate::wire::transcript::{self, Line, LineError, MAX_LINE};

/// A transcript that is being read. Its memory is bounded by the longest line.
pub struct Transcript {
    source: Box<dyn BufRead>,
    buffer: Vec<u8>,
    line: u64,
    clock: CallTime,
}

/// Why a transcript, or a line of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// It cannot be opened, or breaks off.
    #[error("cannot be read: {0}: check the path and its permissions")]
    Read(#[from] io::Error),
    /// A line is not an utterance. The lines after it can be read.
    #[error("line {line}: {problem}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        problem: LineError,
    },
}

impl Transcript {
    /// Opens `path`; `-` is the standard input.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, TranscriptError> {
        let source: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(io::stdin()))
        } else {
            Box::new(BufReader::new(File::open(path)?))
        };
        Ok(Self { source, buffer: Vec::new(), line: 0, clock: CallTime::START })
    }

    /// The next utterance; `None` at the end. After a bad line, the next reading goes on behind it.
    ///
    /// # Errors
    /// On a line that is not an utterance, or when the source fails.
    pub fn next_line(&mut self) -> Result<Option<Line>, TranscriptError> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            let line = transcript::parse(&self.buffer, &mut self.clock)
                .map_err(|problem| TranscriptError::Line { line: self.line, problem })?;
            if line.is_some() {
                return Ok(line);
            }
        }
    }

    /// Reads a line without its end into the buffer: at most one byte more than a line may have,
    /// the rest is passed over.
    fn read_line(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let limit = MAX_LINE as u64 + 1;
        if self.source.by_ref().take(limit).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(false);
        }
        self.line += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if self.buffer.len() > MAX_LINE {
            self.source.skip_until(b'\n')?;
        }
        Ok(true)
    }
}
