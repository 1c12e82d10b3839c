//! `lineclear demo`: a spoken scam call through the real pipeline, at the speed of the call.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::paint::{self, BOLD, DIM, styled};
use super::progress;
use super::report::Report;
use super::status::{CliError, Status};
use super::subject::Call;
use crate::alert::line_clear::{Gate, LineClear};
use crate::alert::record::{Id, Scammer};
use crate::alert::watch::{Outcome, Watch};
use crate::audio::voice::Endpointing;
use crate::call::Origin;
use crate::config::Config;
use crate::edge::clock;
use crate::edge::hear::{Ears, Hearing};
use crate::edge::ingest::recording::{self, Recording};
use crate::edge::models::{Model, Status as ModelStatus, Store};
use crate::private::Private;
use crate::rules::{Level, Rulebook, Screen};
use crate::time::{CallTime, Moment, Now};

/// The bundled call: 8 kHz A-law, left the caller, right the person.
const CALL: &[u8] = include_bytes!("../../tests/calls/courier-met-police.wav");

/// How much faster than real the hold is counted down.
const HOLD_SPEED: u32 = 30;

/// How to play the demonstration.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Do not wait: screen the call as fast as this machine can
    #[arg(long)]
    fast: bool,
}

pub(super) fn run(
    options: &Options,
    config: &Config,
    book: Arc<Rulebook>,
) -> Result<Status, CliError> {
    let store = Store::open_default()?;
    introduce(options, config)?;
    fetch_what_is_missing(&store)?;
    let mut ears = Ears::load(&store, Model::Tiny)?;
    let outcome = play(options, config, &book, &mut ears)?;
    hold(options, config, &outcome)?;
    say("")?;
    say("This was the whole of it, on this machine: nothing was sent anywhere, nothing was kept.")?;
    say(&format!("Screen a call of your own: {}", styled(BOLD, "lineclear screen call.wav")))?;
    Ok(Status::OK)
}

fn introduce(options: &Options, config: &Config) -> Result<(), CliError> {
    say(&styled(BOLD, "Lineclear: a scam call, as the box on the line hears it"))?;
    say("")?;
    say("An invented call, spoken by synthetic voices. A man rings Mrs Ellis, says that he is a")?;
    say(
        "detective, and is about to talk her out of her savings. Speech is recognised here; rules",
    )?;
    say(
        "weigh each phrase (+10 is ten times the odds of a scam), and each stage of the script up",
    )?;
    let warning = config.levels.warning;
    say(&format!("to a limit. At a score of {warning:.0} Mrs Ellis is warned."))?;
    if !options.fast {
        say(&styled(DIM, "The call takes as long as it takes, 1 min 46 s; --fast does not wait."))?;
    }
    say("")
}

fn fetch_what_is_missing(store: &Store) -> Result<(), CliError> {
    let models = [Model::Runtime, Model::Voice, Model::Tiny];
    if models.iter().all(|model| store.status(*model) == ModelStatus::Present) {
        return Ok(());
    }
    say(&format!("First use: fetching the models, 85 MB, into {}", store.dir().display()))?;
    progress::fetch(store, &models)?;
    say("")
}

fn play(
    options: &Options,
    config: &Config,
    book: &Arc<Rulebook>,
    ears: &mut Ears,
) -> Result<Outcome, CliError> {
    let mut recording = Recording::from_bytes(CALL, &recording::Options::default())?;
    let length = CallTime(recording.duration_ms());
    let call = Call {
        file: "demo".to_owned(),
        name: "Incoming call, unknown number".to_owned(),
        source: "recording",
        duration: Some(length),
        book: Arc::clone(book),
    };
    let mut report = Report::new(false, &config.advice);
    let mut watch = Watch::new(Screen::new(Arc::clone(book), config.levels, Origin::Unknown));
    report.begin(&call)?;
    let answered = clock::now();
    let mut hearing = Hearing::new(recording.layout(), Endpointing::default());
    hearing.recording(&mut recording, ears, |at, sounds| {
        if !options.fast {
            clock::wait_until(answered + Duration::from_millis(at.0));
        }
        for event in sounds.drain(..).flat_map(|sound| watch.take(sound, at)) {
            report.event(&call, &event, at)?;
        }
        Ok::<_, CliError>(())
    })?;
    let outcome = watch.end();
    say(&format!("{:>8}  {}", length.to_string(), styled(BOLD, "The call ends.")))?;
    report.end(&call, &outcome)?;
    Ok(outcome)
}

/// Keeps the line clear, on a clock that runs faster than the real one.
fn hold(options: &Options, config: &Config, outcome: &Outcome) -> Result<(), CliError> {
    let hold = &config.hold;
    if outcome.highest() < Level::Warning {
        return Ok(());
    }
    let mut line = LineClear::new(hold.clone());
    let (id, scammer) = (Id(0), Scammer::Withheld);
    let _begins = line.start(id, None, scammer, None, Moment::default());
    let Some(until) = line.hold().map(|hold| hold.until) else { return Ok(()) };
    let speed = HOLD_SPEED * if options.fast { 10 } else { 1 };
    let seconds = hold.length().as_secs();
    say("")?;
    say(&styled(BOLD, format!("The line is kept clear for {seconds} seconds")))?;
    say("  so that her next call does not reach the caller, who may still be on the line.")?;
    say(&styled(DIM, format!("  (shortened here: the clock runs {speed} times faster)")))?;
    show_gate(&line, "0117 496 0123", "her daughter")?;
    show_gate(&line, "999", "emergency")?;
    let bar = progress::countdown(seconds);
    let start = clock::now();
    while line.next_deadline().is_some() {
        let now = Now((clock::now() - start) * speed);
        let left = (until - now).as_secs_f64().ceil();
        bar.set_position(seconds.saturating_sub(left as u64));
        bar.set_message(format!("{:.0}:{:02.0} left", (left / 60.0).floor(), left % 60.0));
        if line.tick(now).is_some() {
            bar.finish_and_clear();
            return clear(config);
        }
        clock::wait_until(clock::now() + Duration::from_millis(50));
    }
    Ok(())
}

fn show_gate(line: &LineClear, number: &str, who: &str) -> Result<(), CliError> {
    let number = Private::new(number.to_owned());
    let told = match line.outgoing(None, Now::default()) {
        _ if line.is_emergency(&number) => "passes at once, the old call dropped first".to_owned(),
        Gate::Held { remaining, .. } => {
            format!("is told why, and to wait {} minutes", remaining.as_secs().div_ceil(60))
        }
        _ => "passes".to_owned(),
    };
    say(&format!("  if she rings {who}: {told}"))
}

fn clear(config: &Config) -> Result<(), CliError> {
    let numbers: Vec<String> = config
        .advice
        .contacts
        .iter()
        .filter(|contact| !config.hold.emergency.contains(&contact.number))
        .map(|contact| format!("{} {}", contact.number, contact.name))
        .collect();
    say(&format!("  {}", paint::styled(paint::level(Level::Quiet), "The line is clear.")))?;
    say(&format!("  Ring: {}", numbers.join(" · ")))
}

fn say(text: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}
