//! The loop that follows an Asterisk: events and orders go to the switchboard, and what it wants is
//! done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::{Notify, mpsc, watch as latest};
use tokio_tungstenite::tungstenite::Message;

use super::client::{Client, ClientError, Events};
use super::parts::{Parts, settings};
use crate::alert::desk::{Event as DeskEvent, NewCall, Question};
use crate::alert::line_clear::{Gate, Reason};
use crate::alert::record::Actor;
use crate::call::{CallId, Direction, LineId};
use crate::config::{self, Config};
use crate::edge::calls::MOST_UNREAD;
use crate::edge::clock;
use crate::edge::health::{Count, Part};
use crate::edge::ingest::audiosocket::Expected;
use crate::edge::live::{Live, LiveInput};
use crate::pbx::action::{Action, Order};
use crate::pbx::switchboard::Switchboard;
use crate::private::Private;
use crate::rules::Level;
use crate::time::Now;
use crate::wire::ari::{Event, Request};
use crate::wire::feed::Told;

/// How often time passes for the switchboard.
const TICK: Duration = Duration::from_millis(250);
/// How often Asterisk is asked whether it is still there…
const PING_EVERY: Duration = Duration::from_secs(5);
/// …and how long it may say nothing.
const SILENT: Duration = Duration::from_secs(15);
/// How long is waited before Asterisk is tried again: twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Calls whose exchange has said nothing for so long are taken to be over: their holds must begin,
/// and end.
const LOST: Duration = Duration::from_secs(60);
/// What waits to be done here.
const MOST_NEWS: usize = 1024;

/// What comes of something that was done aside.
enum News {
    Refused(Request),
    /// The desk does not want a call.
    NotWanted(CallId),
    /// Of a call that ended, everything is told. One of the same name may have begun since.
    Over(CallId, Arc<Notify>),
}

/// A call that is heard.
struct Own {
    input: LiveInput,
    over: Arc<Notify>,
}

/// Follows an Asterisk.
pub struct Watch {
    /// How it is reached.
    asterisk: config::Asterisk,
    parts: Parts,
    live: Arc<Live>,
    expected: Arc<Expected>,
    board: Switchboard,
    own: HashMap<CallId, Own>,
    told: (mpsc::Sender<Told>, mpsc::Receiver<Told>),
    news: (mpsc::Sender<News>, mpsc::Receiver<News>),
}

impl Watch {
    /// Of an Asterisk that is not asked yet. Names of what is made there come from the `secret`.
    pub fn new(
        config: &Arc<Config>,
        parts: Parts,
        live: Arc<Live>,
        expected: Arc<Expected>,
        secret: [u8; 32],
    ) -> Self {
        let asterisk = config.pbx.asterisk.clone();
        let board = Switchboard::new(settings(&asterisk, config), secret);
        Self {
            asterisk,
            parts,
            live,
            expected,
            board,
            own: HashMap::new(),
            told: mpsc::channel(MOST_UNREAD),
            news: mpsc::channel(MOST_NEWS),
        }
    }

    /// Follows it for as long as the program runs.
    pub async fn run(mut self, mut configured: latest::Receiver<Arc<Config>>) {
        let (mut wait, mut lost_at) = (FIRST_WAIT, clock::now() + LOST);
        loop {
            let since = clock::now();
            let Err(problem) = self.follow(&mut configured, &mut lost_at).await else { return };
            let health = &self.parts.health;
            let message = format!("{problem}; calls go on, and nobody listens to them");
            health.fails(Part::Exchange, &message, clock::wall());
            let has_worked = clock::now() - since > LONGEST_WAIT;
            wait = if has_worked { FIRST_WAIT } else { (wait * 2).min(LONGEST_WAIT) };
            if !self.wait(clock::now() + wait, &mut configured, lost_at).await {
                return;
            }
        }
    }

    /// Waits while Asterisk is not there; false if the program ends.
    async fn wait(
        &mut self,
        until: Now,
        configured: &mut latest::Receiver<Arc<Config>>,
        lost_at: Now,
    ) -> bool {
        loop {
            tokio::select! {
                () = clock::sleep_until(until) => break,
                changed = configured.changed() => match changed {
                    Ok(()) => {
                        let settings = settings(&self.asterisk, &configured.borrow_and_update());
                        let actions = self.board.configure(settings, clock::now());
                        self.perform(actions, None);
                    }
                    Err(_) => return false,
                },
                // Nobody can be told anything just now; a far leg that is to go is told later.
                Some(told) = self.told.1.recv() => {
                    if matches!(told, Told::DropFarLeg { .. }) {
                        let actions = self.tell(told);
                        self.perform(actions, None);
                    }
                }
                Some(news) = self.news.1.recv() => {
                    let actions = self.note(news);
                    self.perform(actions, None);
                }
            }
        }
        if clock::now() >= lost_at {
            let actions = self.board.resync(Vec::new(), Vec::new(), clock::now());
            self.perform(actions, None);
        }
        true
    }

    /// Follows it until it is gone; returns if the program ends.
    async fn follow(
        &mut self,
        configured: &mut latest::Receiver<Arc<Config>>,
        lost_at: &mut Now,
    ) -> Result<(), ClientError> {
        // The password may have changed.
        let client = Client::new(&self.asterisk)?;
        let mut events = client.events().await?;
        // From here on no event is missed; what was before, the lists tell.
        let asked = client.clone();
        let listed = blocking(move || {
            // Without it there is more to read, and nothing else.
            if let Err(error) = asked.ask(&Request::Filter) {
                tracing::warn!("{error}");
            }
            asked.list()
        });
        let (channels, bridges) = listed.await?;
        self.parts.health.works(Part::Exchange);
        tracing::info!(channels = channels.len(), "follows Asterisk");
        let actions = self.board.resync(channels, bridges, clock::now());
        self.perform(actions, Some(&client));
        let result = self.events(&client, &mut events, configured).await;
        *lost_at = clock::now() + LOST;
        result
    }

    async fn events(
        &mut self,
        client: &Client,
        events: &mut Events,
        configured: &mut latest::Receiver<Arc<Config>>,
    ) -> Result<(), ClientError> {
        let mut heard_at = clock::now();
        let (mut tick, mut ping) = (clock::now() + TICK, clock::now() + PING_EVERY);
        loop {
            let now = clock::now();
            let actions = tokio::select! {
                message = events.next() => {
                    heard_at = clock::now();
                    self.message(message)?
                }
                Some(told) = self.told.1.recv() => self.tell(told),
                Some(news) = self.news.1.recv() => self.note(news),
                changed = configured.changed() => match changed {
                    Ok(()) => {
                        let settings = settings(&self.asterisk, &configured.borrow_and_update());
                        self.board.configure(settings, now)
                    }
                    Err(_) => {
                        let actions = self.board.release();
                        self.perform(actions, Some(client));
                        return Ok(());
                    }
                },
                () = clock::sleep_until(tick) => {
                    tick = clock::now() + TICK;
                    if now >= ping {
                        ping = now + PING_EVERY;
                        ask_whether_there(events, heard_at, &self.asterisk.url).await?;
                    }
                    self.board.tick(clock::now())
                }
            };
            self.perform(actions, Some(client));
        }
    }

    fn message(
        &mut self,
        message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> Result<Vec<Action>, ClientError> {
        let gone =
            |problem: String| ClientError::Connect { url: self.asterisk.url.clone(), problem };
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) | None => return Err(gone("it ended".to_owned())),
            Some(Ok(_)) => return Ok(Vec::new()),
            Some(Err(error)) => return Err(gone(error.to_string())),
        };
        match Event::parse(&text) {
            Ok(Event::ApplicationReplaced) => {
                Err(gone("another program calls itself lineclear there".to_owned()))
            }
            Ok(event) => Ok(self.board.take(&event, clock::now())),
            Err(error) => {
                tracing::warn!("an event was passed over: {error}");
                Ok(Vec::new())
            }
        }
    }

    /// What the desk tells of a call.
    fn tell(&mut self, told: Told) -> Vec<Action> {
        let (call, order) = match told {
            Told::Whisper { call, level, prompt } => {
                let level = Level::from_name(level).unwrap_or(Level::Danger);
                (call, Order::Whisper(level, prompt))
            }
            Told::Notice { call, prompt } => (call, Order::Notice(prompt)),
            Told::DropFarLeg { call, prompt, connect } => (call, Order::Drop { prompt, connect }),
            _ => return Vec::new(),
        };
        self.board.order(&CallId::new(&call), order, clock::now())
    }

    fn note(&mut self, news: News) -> Vec<Action> {
        let now = clock::now();
        match news {
            News::Refused(request) => {
                self.board.refused(&request, now);
                Vec::new()
            }
            News::NotWanted(call) => self.board.order(&call, Order::LetBe, now),
            News::Over(call, over) => {
                if self.own.get(&call).is_some_and(|own| Arc::ptr_eq(&own.over, &over)) {
                    self.own.remove(&call);
                }
                Vec::new()
            }
        }
    }

    /// Does what the switchboard wants; what there is nobody to ask for is not asked for.
    fn perform(&mut self, actions: Vec<Action>, client: Option<&Client>) {
        for action in actions {
            self.perform_one(action, client);
        }
    }

    fn perform_one(&mut self, action: Action, client: Option<&Client>) {
        match action {
            Action::Ask(requests) => {
                client.into_iter().for_each(|client| self.ask(requests.clone(), client.clone()));
            }
            Action::Begin { call, line, direction, number, is_mixed } => {
                let new = NewCall { line, call, direction, number };
                self.begin(new, is_mixed);
            }
            Action::Expect { call, leg, id } => {
                if let Some(own) = self.own.get(&call) {
                    self.expected.add(id, own.input.leg(leg));
                }
            }
            Action::Close { id } => self.expected.close(id),
            Action::Key { call, leg, digit } => {
                if let Some(own) = self.own.get(&call) {
                    own.input.key(leg, digit);
                }
            }
            Action::EndCall { line, call } => {
                tracing::info!(%line, "the person ends the call");
                self.desk(DeskEvent::EndCall { line, call: Some(call), by: Actor::Person });
            }
            Action::FarLegUp { line } => {
                tracing::warn!(%line, "the far leg did not go when it was told to");
                self.desk(DeskEvent::FarLegUp { line });
            }
            Action::Dials { line, number } => self.dials(line, number),
            Action::NotSaid => {
                tracing::warn!("a prompt could not be played: see `lineclear pbx check`");
                self.parts.health.count(Count::Unsaid, 1);
            }
            Action::NotHeard { leg } => {
                tracing::warn!(%leg, "a leg could not be listened to: see `lineclear pbx check`");
                self.parts.health.count(Count::Unheard, 1);
            }
            Action::End { call } => {
                if let Some(own) = self.own.get(&call) {
                    own.input.end();
                    own.over.notify_one();
                }
            }
        }
    }

    /// Asks Asterisk aside: nobody waits for it here.
    fn ask(&self, requests: Vec<Request>, client: Client) {
        let news = self.news.0.clone();
        tokio::task::spawn_blocking(move || {
            for request in requests {
                let Err(error) = client.ask(&request) else { continue };
                // What ended by itself need not be ended.
                let is_gone = matches!(error, ClientError::Refused { status: 404, .. });
                if !is_gone {
                    tracing::warn!("{error}");
                }
                // If so much waits, the switchboard finds out when the time for it is over.
                let _ = news.try_send(News::Refused(request));
            }
        });
    }

    fn begin(&mut self, new: NewCall, is_mixed: bool) {
        let call = new.call.clone();
        let Some(live) = self.live.begin(call.clone(), is_mixed) else { return };
        let over = Arc::new(Notify::new());
        let own = Own { input: live.input(), over: Arc::clone(&over) };
        self.own.insert(call.clone(), own);
        let (calls, told, news) =
            (Arc::clone(&self.parts.calls), self.told.0.clone(), self.news.0.clone());
        tokio::spawn(async move {
            let result = match calls.start(new, told).await {
                Ok(()) => live.screen(&calls, &over).await,
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                tracing::warn!("a call is not screened: {error}");
                let _ = news.send(News::NotWanted(call.clone())).await;
            }
            // A desk that is ending ends the call itself; one that never knew it does not mind.
            let _ = calls.end(&call).await;
            let _ = news.send(News::Over(call, over)).await;
        });
    }

    fn desk(&self, event: DeskEvent) {
        let desk = self.parts.desk.clone();
        tokio::spawn(async move {
            if let Err(error) = desk.tell(event).await {
                tracing::debug!("{error}");
            }
        });
    }

    /// Somebody dials: before an emergency call, what is up is dropped, and those who ring back get
    /// through. The dialplan does not wait for this.
    fn dials(&self, line: LineId, number: Private<String>) {
        let desk = self.parts.desk.clone();
        let direction = Direction::Outgoing;
        let question = Question { line, direction, number: Some(number), key: None, dry_run: true };
        tokio::spawn(async move {
            let Ok(answer) = desk.gate(question.clone()).await else { return };
            let is_emergency = answer.gate == Gate::Pass(Reason::Emergency);
            if is_emergency || !answer.drop_first.is_empty() {
                let _ = desk.gate(Question { dry_run: false, ..question }).await;
            }
        });
    }
}

/// Whether Asterisk is still there: a machine that vanished ends no connection.
async fn ask_whether_there(
    events: &mut Events,
    heard_at: Now,
    url: &str,
) -> Result<(), ClientError> {
    let gone =
        |problem: &str| ClientError::Connect { url: url.to_owned(), problem: problem.to_owned() };
    if clock::now() - heard_at > SILENT {
        return Err(gone("it says nothing any more"));
    }
    events.send(Message::Ping(Default::default())).await.map_err(|error| gone(&error.to_string()))
}

/// Asks aside, and waits.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    let broken = |_| ClientError::Refused { what: "answer", status: 0 };
    tokio::task::spawn_blocking(work).await.map_err(broken)?
}
