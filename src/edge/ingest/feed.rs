//! Transcripts of live calls over sockets: a Unix socket, and TCP on loopback. A connection may
//! carry any number of calls; what is to be done about them comes back on the same connection.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast, mpsc};

use crate::alert::desk::{Event, NewCall};
use crate::call::{CallId, LineId};
use crate::edge::calls::{Calls, MOST_UNREAD};
use crate::edge::desk::{DeskError, DeskHandle};
use crate::edge::health::{Count, Health};
use crate::wire::features::{FeatureError, Parser};
use crate::wire::feed::{self, FeedError, Message, Start, Told};
use crate::wire::transcript::MAX_LINE;

/// Connections at a time; more wait to be taken.
const MOST_CONNECTIONS: usize = 4096;

/// Why a line of a feed was not followed.
#[derive(Debug, thiserror::Error)]
pub enum LineProblem {
    /// It was not understood.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The bytes are no features.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// Bytes where only lines can be.
    #[error("features as bytes go over a socket of the feed: here, write them as lines")]
    OnlyLines,
    /// It is too long, so it was passed over.
    #[error("the line is longer than {MAX_LINE} bytes: write one utterance a line")]
    TooLong,
    /// The desk refused it.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// It does not say which call it is of.
    #[error("the line names no call: add \"call\"")]
    NoCall,
    /// It does not say which line the call is on.
    #[error("the call is on no line: add \"line\", since more than one is configured")]
    NoLine,
    /// The source may not speak of this line.
    #[error("the token is not for this line: the configuration names its lines")]
    OtherLine,
    /// Nothing came for so long that the source is taken to be gone.
    #[error("nothing came for as long as feed.idle says: send the rest in a further request")]
    Idle,
    /// The token was taken back, or is for something else now.
    #[error("the token does not allow this any more: ask with another one")]
    Revoked,
}

/// All that a feed needs.
#[derive(Clone)]
pub struct Feed {
    /// The calls.
    pub calls: Arc<Calls>,
    /// The desk.
    pub desk: DeskHandle,
    /// What fails.
    pub health: Arc<Health>,
    /// What concerns a line as a whole.
    pub lines: broadcast::Sender<Told>,
}

/// Names of calls that a source may have before those of calls that are over are let go.
const FEW_CALLS: usize = 64;

/// One source of lines: which calls are its own, and what they are told.
pub struct Source {
    feed: Feed,
    told: mpsc::Sender<Told>,
    /// The lines of which it may speak; all if none.
    lines: Option<Vec<String>>,
    /// The call and the line of those lines that name none.
    default: Option<NewCall>,
    calls: BTreeSet<CallId>,
    /// With so many calls, those that are over are let go.
    most_calls: usize,
    /// What follows are features as bytes, of this call if it is not refused.
    stream: Option<Option<CallId>>,
}

impl Source {
    /// A source whose calls are told of through `told`. It may speak of these `lines`, of all if
    /// none. `default` has begun already.
    pub fn new(
        feed: Feed,
        told: mpsc::Sender<Told>,
        lines: Option<Vec<String>>,
        default: Option<NewCall>,
    ) -> Self {
        let calls = default.iter().map(|own| own.call.clone()).collect();
        Self { feed, told, lines, default, calls, most_calls: FEW_CALLS, stream: None }
    }

    /// Takes a line. What is wrong with it is told, and the next one is taken.
    pub async fn line(&mut self, bytes: &[u8]) {
        let read = feed::parse(bytes).map_err(LineProblem::from);
        let done = match read {
            Ok(Some(message)) => self.message(message).await,
            Ok(None) => Ok(()),
            Err(problem) => Err(problem),
        };
        if let Err(problem) = done {
            self.complain(&problem);
        }
    }

    /// Tells what was wrong with a line.
    pub fn complain(&self, problem: &LineProblem) {
        self.feed.health.count(Count::BadLines, 1);
        self.explain(problem);
    }

    /// Tells why nothing more is taken.
    pub fn explain(&self, problem: &LineProblem) {
        let message = problem.to_string();
        if self.told.try_send(Told::Error { message }).is_err() {
            self.feed.health.count(Count::Untold, 1);
        }
    }

    async fn message(&mut self, message: Message) -> Result<(), LineProblem> {
        match message {
            Message::Start(start) => self.start(start).await,
            Message::Utterance { call, line, utterance } => {
                let call = self.known(call, line).await?;
                Ok(self.feed.calls.hear(&call, utterance).await?)
            }
            Message::Signal { call, line, signal } => {
                let call = self.known(call, line).await?;
                Ok(self.feed.calls.note(&call, signal).await?)
            }
            Message::Key { call, line, leg, at, digit } => {
                let call = self.known(call, line).await?;
                Ok(self.feed.calls.key(&call, leg, digit, at).await?)
            }
            Message::Features { call, line, frame } => {
                let call = self.known(call, line).await?;
                Ok(self.feed.calls.features(&call, &frame).await?)
            }
            Message::FeatureStream { .. } if self.default.is_some() => Err(LineProblem::OnlyLines),
            Message::FeatureStream { call, line } => {
                let call = self.known(call, line).await;
                // What follows are bytes, whether or not they are wanted.
                self.stream = Some(call.as_ref().ok().cloned());
                call.map(drop)
            }
            Message::End { call } => {
                let call = self.named(call)?;
                self.may_speak_of(self.feed.calls.line_of(&call).as_ref())?;
                self.calls.remove(&call);
                Ok(self.feed.calls.end(&call).await?)
            }
            Message::FarLegUp { line } => {
                self.may_speak_of(Some(&line))?;
                let _kept = self.feed.desk.tell(Event::FarLegUp { line }).await?;
                Ok(())
            }
        }
    }

    /// Takes the features of a call, as bytes, up to their end.
    async fn features(
        &self,
        reader: &mut (impl AsyncBufReadExt + Unpin),
        call: &CallId,
    ) -> Result<(), LineProblem> {
        let (mut parser, mut frames) = (Parser::default(), Vec::new());
        // A source that breaks off is like one that has nothing more to say.
        while let Ok(bytes) = reader.fill_buf().await {
            let read = bytes.len();
            if read == 0 {
                return Ok(parser.finish()?);
            }
            let parsed = parser.push(bytes, |frame| frames.push(*frame));
            reader.consume(read);
            for frame in frames.drain(..) {
                self.feed.calls.features(call, &frame).await?;
            }
            parsed?;
        }
        Ok(())
    }

    async fn start(&mut self, start: Start) -> Result<(), LineProblem> {
        let (call, line) = (self.named(start.call)?, self.line_of(start.line)?);
        let new = NewCall { line, call, direction: start.direction, number: start.number };
        self.begin(new).await
    }

    /// The call of a line; it begins if nobody announced it.
    async fn known(
        &mut self,
        call: Option<CallId>,
        line: Option<LineId>,
    ) -> Result<CallId, LineProblem> {
        let call = self.named(call)?;
        if let Some(line) = self.feed.calls.line_of(&call) {
            self.may_speak_of(Some(&line))?;
            if self.calls.contains(&call) {
                return Ok(call);
            }
        }
        let own = self.default.clone().filter(|own| own.call == call);
        let new = match own {
            Some(own) => own,
            None => {
                let (line, direction) = (self.line_of(line)?, Default::default());
                NewCall { line, call: call.clone(), direction, number: None }
            }
        };
        self.begin(new).await?;
        Ok(call)
    }

    async fn begin(&mut self, new: NewCall) -> Result<(), LineProblem> {
        let call = new.call.clone();
        // A call that is up on another line is not taken over by naming one's own.
        self.may_speak_of(self.feed.calls.line_of(&call).as_ref())?;
        self.may_speak_of(Some(&new.line))?;
        self.feed.calls.start(new, self.told.clone()).await?;
        self.calls.insert(call);
        if self.calls.len() > self.most_calls {
            self.calls.retain(|call| self.feed.calls.is_known(call));
            self.most_calls = FEW_CALLS.max(2 * self.calls.len());
        }
        Ok(())
    }

    fn may_speak_of(&self, line: Option<&LineId>) -> Result<(), LineProblem> {
        let (Some(own), Some(line)) = (&self.lines, line) else { return Ok(()) };
        let may = own.iter().any(|own| own == line.as_str());
        may.then_some(()).ok_or(LineProblem::OtherLine)
    }

    fn named(&self, call: Option<CallId>) -> Result<CallId, LineProblem> {
        let own = || self.default.as_ref().map(|own| own.call.clone());
        call.or_else(own).ok_or(LineProblem::NoCall)
    }

    /// The line of a call that names none: the source's, or the only one.
    fn line_of(&self, line: Option<LineId>) -> Result<LineId, LineProblem> {
        let own = || self.default.as_ref().map(|own| own.line.clone());
        if let Some(line) = line.or_else(own) {
            return Ok(line);
        }
        match self.feed.calls.rules().config.lines.as_slice() {
            [only] => Ok(LineId::new(&only.id)),
            _ => Err(LineProblem::NoLine),
        }
    }
}

/// Listens on a Unix socket that only the program's own user and group may write to.
///
/// # Errors
/// When the socket cannot be made.
pub fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    // What a killed process left behind answers nobody.
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Takes connections for as long as the program runs.
pub async fn serve_unix(listener: UnixListener, feed: Feed, path: PathBuf) {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (read, write) = stream.into_split();
                let feed = feed.clone();
                tokio::spawn(async move {
                    serve(read, write, feed).await;
                    drop(permit);
                });
            }
            Err(error) => not_taken(&format!("of {}: {error}", path.display())).await,
        }
    }
}

/// Takes connections for as long as the program runs.
pub async fn serve_tcp(listener: TcpListener, feed: Feed) {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                // What is told is short and urgent.
                let _ = stream.set_nodelay(true);
                let (read, write) = stream.into_split();
                let feed = feed.clone();
                tokio::spawn(async move {
                    serve(read, write, feed).await;
                    drop(permit);
                });
            }
            Err(error) => not_taken(&format!("of the feed: {error}")).await,
        }
    }
}

/// A connection could not be taken, for want of file handles perhaps: not so fast.
pub async fn not_taken(problem: &str) {
    tracing::warn!("a connection was not taken {problem}");
    let pause = crate::edge::clock::now() + std::time::Duration::from_millis(100);
    crate::edge::clock::sleep_until(pause).await;
}

/// Serves one connection until its source has nothing more to say.
async fn serve(
    read: impl AsyncRead + Unpin,
    write: impl AsyncWrite + Unpin + Send + 'static,
    feed: Feed,
) {
    let (told, to_tell) = mpsc::channel(MOST_UNREAD);
    let (lines, health) = (feed.lines.subscribe(), Arc::clone(&feed.health));
    let writer = tokio::spawn(async move { tell(write, to_tell, lines, &health).await });
    let mut source = Source::new(feed, told, None, None);
    let mut reader = BufReader::new(read);
    let mut buffer = Vec::new();
    while let Ok(Some(is_whole)) = next_line(&mut reader, &mut buffer).await {
        match is_whole {
            true => source.line(&buffer).await,
            false => source.complain(&LineProblem::TooLong),
        }
        let Some(stream) = source.stream.take() else { continue };
        if let Some(call) = stream
            && let Err(problem) = source.features(&mut reader, &call).await
        {
            source.complain(&problem);
        }
        break;
    }
    // Its calls may go on elsewhere, or be silent until they are taken to be over. What is told of
    // them meanwhile still reaches a source that only stopped writing.
    drop(source);
    let _ = writer.await;
}

/// Writes what a source is told, for as long as there may be more and somebody takes it.
async fn tell(
    mut write: impl AsyncWrite + Unpin,
    mut to_tell: mpsc::Receiver<Told>,
    mut lines: broadcast::Receiver<Told>,
    health: &Health,
) {
    let mut has_lines = true;
    loop {
        let next = tokio::select! {
            next = to_tell.recv() => match next { Some(next) => next, None => return },
            next = lines.recv(), if has_lines => match next {
                Ok(next) => next,
                // Too slow for some of it; what is newer still matters.
                Err(RecvError::Lagged(missed)) => {
                    health.count(Count::Untold, missed);
                    continue;
                }
                Err(RecvError::Closed) => {
                    has_lines = false;
                    continue;
                }
            },
        };
        if write.write_all(&json_line(&next)).await.is_err() {
            return;
        }
    }
}

/// Reads a line of at most [`MAX_LINE`] bytes; the rest of a longer one is passed over, and false
/// told. None at the end.
async fn next_line(
    reader: &mut (impl AsyncBufReadExt + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<Option<bool>> {
    buffer.clear();
    let limit = MAX_LINE as u64 + 1;
    if (&mut *reader).take(limit).read_until(b'\n', buffer).await? == 0 {
        return Ok(None);
    }
    let mut is_whole = true;
    while buffer.last() != Some(&b'\n') && buffer.len() > MAX_LINE {
        is_whole = false;
        buffer.clear();
        if (&mut *reader).take(limit).read_until(b'\n', buffer).await? == 0 {
            break;
        }
    }
    Ok(Some(is_whole))
}

/// What is told, as a line.
pub fn json_line(told: &Told) -> Vec<u8> {
    // Only maps with keys that are no strings cannot be written, and there are none.
    let mut line = serde_json::to_vec(told).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_that_was_slow_is_still_told_of_lines() {
        let (lines, receiver) = broadcast::channel(2);
        let clear = |number: u64| Told::LineClear {
            line: number.to_string(),
            prompt: "line-clear".to_owned(),
        };
        for number in 0..5 {
            lines.send(clear(number)).expect("somebody listens");
        }
        let (told, to_tell) = mpsc::channel(1);
        let (write, read) = tokio::io::duplex(4096);
        let health = Arc::new(Health::default());
        let counted = Arc::clone(&health);
        tokio::spawn(async move { tell(write, to_tell, receiver, &counted).await });
        let mut read = BufReader::new(read).lines();
        for number in [3, 4, 5] {
            if number == 5 {
                lines.send(clear(5)).expect("it still listens");
            }
            let line = read.next_line().await.expect("readable").expect("a line");
            assert!(line.contains(&format!("\"line\":\"{number}\"")), "{line}");
        }
        assert_eq!(health.counted(Count::Untold), 3);
        // Nothing more about lines is no end of what is told of calls.
        drop(lines);
        told.send(Told::Ended { call: "a".to_owned() }).await.expect("it still listens");
        drop(told);
        let line = read.next_line().await.expect("readable").expect("a line");
        assert!(line.contains("ended"), "{line}");
        assert_eq!(read.next_line().await.expect("readable"), None);
    }
}
