//! The rows of the report, as `--json` writes them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Levels;
use crate::measure::bootstrap::{self, Interval, ROUNDS};
use crate::measure::roc;
use crate::measure::sample::{Group, groups, mean};
use crate::measure::{Corpus, Label, Sample};
use crate::rules::Level;
use crate::time::CallTime;

/// The rates of false alarms at which recall is told.
pub(super) const RATES: [f64; 2] = [0.001, 0.01];

/// Seconds of a call by which a warning is told.
pub(super) const EARLY_S: [u64; 3] = [15, 30, 60];

/// What the row over all corpora is called.
pub(super) const ALL: &str = "mean of corpora";

/// The calls of one corpus with one label, or those of one kind among them.
pub(super) struct Slice<'a> {
    corpus: &'a str,
    label: Label,
    kind: Option<&'a str>,
    groups: Vec<Group<'a>>,
    seed: u64,
}

/// `seed` decides what is drawn for the intervals.
pub(super) fn slices(corpora: &[Corpus], by_kind: bool, seed: u64) -> Vec<Slice<'_>> {
    let mut slices = Vec::new();
    for corpus in corpora {
        for label in [Label::Scam, Label::Legit] {
            let samples: Vec<&Sample> =
                corpus.samples.iter().filter(|sample| sample.label == label).collect();
            let mut kinds: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
            if by_kind {
                samples.iter().for_each(|it| kinds.entry(&it.kind).or_default().push(it));
            }
            let kinds = kinds.into_iter().map(|(kind, samples)| (Some(kind), samples));
            let whole = (!samples.is_empty()).then_some((None, samples));
            let slice = |(kind, samples)| Slice {
                corpus: &corpus.name,
                label,
                kind,
                groups: groups(samples),
                seed: seed_of(&corpus.name, kind, seed),
            };
            slices.extend(whole.into_iter().chain(kinds).map(slice));
        }
    }
    slices
}

/// A seed for each row, the same whatever else is measured: corpora of one size must not be drawn
/// alike (FNV-1a, of the names).
fn seed_of(corpus: &str, kind: Option<&str>, seed: u64) -> u64 {
    let bytes = corpus.bytes().chain(kind.unwrap_or_default().bytes());
    bytes.fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl<'a> Slice<'a> {
    fn samples(&self) -> impl Iterator<Item = &'a Sample> {
        self.groups.iter().flatten().copied()
    }

    /// The share of groups in which calls count; a group counts by the share of its calls.
    fn figures(&self, counts: impl Fn(&Sample) -> bool) -> Figures {
        let group = |group: &Group<'_>| mean(group, |sample| f64::from(counts(sample)));
        Figures::of(&self.groups.iter().map(group).collect::<Vec<_>>(), self.seed)
    }

    fn share(&self, counts: impl Fn(&Sample) -> bool) -> Option<Share> {
        self.figures(counts).share()
    }
}

/// A share of groups, 0…1, with its 95 % interval.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Share {
    pub share: f64,
    pub low: f64,
    pub high: f64,
}

/// A figure, and what it is when groups are drawn again.
#[derive(Clone)]
struct Figures {
    value: f64,
    drawn: Vec<f64>,
    groups: usize,
}

impl Figures {
    /// The mean of the groups' values.
    fn of(values: &[f64], seed: u64) -> Self {
        let value = values.iter().sum::<f64>() / values.len() as f64;
        Self { value, drawn: bootstrap::means(values, seed), groups: values.len() }
    }

    /// The mean of several corpora, each counting alike.
    fn mean(all: &[Self]) -> Self {
        let count = all.len() as f64;
        let drawn = |round: usize| all.iter().map(|it| it.drawn[round]).sum::<f64>() / count;
        Self {
            value: all.iter().map(|it| it.value).sum::<f64>() / count,
            drawn: (0..ROUNDS).map(drawn).collect(),
            groups: all.iter().map(|it| it.groups).sum(),
        }
    }

    fn share(self) -> Option<Share> {
        let interval = Interval::of_share(self.drawn, self.groups)?;
        Some(Share { share: self.value, low: interval.low, high: interval.high })
    }
}

/// How many calls reached which level.
#[derive(Debug, Serialize)]
pub(super) struct CallsRow<'a> {
    pub row: &'static str,
    pub corpus: &'a str,
    pub label: &'static str,
    pub kind: Option<&'a str>,
    pub calls: usize,
    pub groups: usize,
    pub caution: usize,
    pub warning: usize,
    pub danger: usize,
    /// The share of groups at warning or above.
    pub warning_share: f64,
    pub warning_low: f64,
    pub warning_high: f64,
    /// Median seconds to the warning, of the calls that were warned of.
    pub median_s: Option<f64>,
    /// Calls in which it is marked when money, card, code or access is asked for.
    pub asked: usize,
    /// Those of them that were warned of before.
    pub before_ask: usize,
}

pub(super) fn calls<'a>(slices: &[Slice<'a>]) -> Vec<CallsRow<'a>> {
    let row = |slice: &Slice<'a>| {
        let reached = |level| slice.samples().filter(|it| it.level() >= level).count();
        let warned = slice.share(|sample| sample.level() >= Level::Warning)?;
        Some(CallsRow {
            row: "calls",
            corpus: slice.corpus,
            label: slice.label.name(),
            kind: slice.kind,
            calls: slice.samples().count(),
            groups: slice.groups.len(),
            caution: reached(Level::Caution),
            warning: reached(Level::Warning),
            danger: reached(Level::Danger),
            warning_share: warned.share,
            warning_low: warned.low,
            warning_high: warned.high,
            median_s: median_s(slice),
            asked: slice.samples().filter(|sample| sample.ask.is_some()).count(),
            before_ask: slice.samples().filter(|it| is_before_ask(it) == Some(true)).count(),
        })
    };
    slices.iter().filter_map(row).collect()
}

fn median_s(slice: &Slice<'_>) -> Option<f64> {
    let mut warned: Vec<f64> =
        slice.samples().filter_map(Sample::warned_at).map(CallTime::as_secs_f64).collect();
    warned.sort_by(f64::total_cmp);
    warned.get(warned.len() / 2).copied()
}

/// Whether the warning came before the ask, where that is marked.
fn is_before_ask(sample: &Sample) -> Option<bool> {
    sample.ask.map(|ask| sample.warned_at().is_some_and(|at| at <= ask))
}

/// Where honest calls put the thresholds.
pub(super) struct Honest<'a> {
    all: Slice<'a>,
    levels: Levels,
    /// By rate: the threshold, and those of honest calls drawn again.
    thresholds: [Option<(f64, Vec<f64>)>; RATES.len()],
}

/// A threshold, and how many honest calls pass it.
#[derive(Debug, Serialize)]
pub(super) struct ThresholdRow {
    pub row: &'static str,
    pub threshold: String,
    /// The share of honest groups that may pass it, where that is what fixes it.
    pub allowed: Option<f64>,
    pub decibans: f64,
    pub honest_groups: usize,
    pub false_alarms: Share,
}

impl<'a> Honest<'a> {
    pub fn new(slices: &[Slice<'a>], levels: Levels, seed: u64) -> Self {
        let whole = slices.iter().filter(|it| it.label == Label::Legit && it.kind.is_none());
        let groups: Vec<Group<'a>> = whole.flat_map(|slice| slice.groups.clone()).collect();
        let honest = roc::Honest::new(&groups);
        let thresholds = RATES.map(|rate| {
            let again = bootstrap::rounds(ROUNDS, groups.len(), seed, |_, draw| {
                honest.threshold_of_draw(rate, draw).unwrap_or_default()
            });
            Some((honest.threshold(rate)?, again))
        });
        let all = Slice { corpus: ALL, label: Label::Legit, kind: None, groups, seed };
        Self { all, levels, thresholds }
    }

    pub fn rows(&self) -> Vec<ThresholdRow> {
        let row = |threshold: String, allowed, decibans, alarms: Option<Share>| {
            let honest_groups = self.all.groups.len();
            let row = "threshold";
            let row = |false_alarms| ThresholdRow {
                row,
                threshold,
                allowed,
                decibans,
                honest_groups,
                false_alarms,
            };
            alarms.map(row)
        };
        let fixed = RATES.iter().zip(&self.thresholds).filter_map(|(rate, threshold)| {
            let decibans = threshold.as_ref()?.0;
            let alarms = self.all.share(|sample| sample.score > decibans);
            row(percent_name(*rate), Some(*rate), decibans, alarms)
        });
        let levels = Level::ALL.into_iter().skip(1).filter_map(|level| {
            let alarms = self.all.share(|sample| sample.level() >= level);
            row(level.name().to_owned(), None, self.decibans(level), alarms)
        });
        fixed.chain(levels).collect()
    }

    const fn decibans(&self, level: Level) -> f64 {
        match level {
            Level::Quiet => 0.0,
            Level::Caution => self.levels.caution,
            Level::Warning => self.levels.warning,
            Level::Danger => self.levels.danger,
        }
    }
}

/// `0.1 %`.
pub(super) fn percent_name(rate: f64) -> String {
    format!("{} %", rate * 100.0)
}

/// How many scams are found.
#[derive(Debug, Serialize)]
pub(super) struct RecallRow<'a> {
    pub row: &'static str,
    pub corpus: &'a str,
    pub kind: Option<&'a str>,
    pub groups: usize,
    /// With one false alarm in a thousand honest groups; none without honest calls.
    pub at_0_1_percent: Option<Share>,
    /// With one in a hundred.
    pub at_1_percent: Option<Share>,
    pub caution: Option<Share>,
    pub warning: Option<Share>,
    pub danger: Option<Share>,
}

pub(super) fn recall<'a>(slices: &[Slice<'a>], honest: &Honest<'_>) -> Vec<RecallRow<'a>> {
    let scams = slices.iter().filter(|slice| slice.label == Label::Scam);
    let found: Vec<_> = scams.map(|slice| (slice, found(slice, honest))).collect();
    let mut rows: Vec<_> = found
        .iter()
        .map(|(slice, found)| row(slice.corpus, slice.kind, slice.groups.len(), found))
        .collect();
    let whole: Vec<_> = found.iter().filter(|(slice, _)| slice.kind.is_none()).collect();
    if whole.len() > 1 {
        let groups = whole.iter().map(|(slice, _)| slice.groups.len()).sum();
        let column = |at: usize| {
            let column: Option<Vec<Figures>> =
                whole.iter().map(|(_, found)| found[at].clone()).collect();
            column.map(|column| Figures::mean(&column))
        };
        rows.push(row(ALL, None, groups, &std::array::from_fn(column)));
    }
    rows
}

/// One for each column of [`RecallRow`].
type Found = [Option<Figures>; RATES.len() + 3];

fn found(slice: &Slice<'_>, honest: &Honest<'_>) -> Found {
    let above = |threshold: f64, group: &Group<'_>| {
        mean(group, |sample| f64::from(sample.score > threshold))
    };
    let fixed = honest.thresholds.each_ref().map(|threshold| {
        let (threshold, again) = threshold.as_ref()?;
        let groups = &slice.groups;
        // Honest calls are drawn again too: the threshold is as unsure as they are few.
        let drawn = bootstrap::rounds(ROUNDS, groups.len(), slice.seed, |round, draw| {
            draw.iter().map(|at| above(again[round], &groups[*at])).sum::<f64>() / draw.len() as f64
        });
        Some(Figures { drawn, ..slice.figures(|sample| sample.score > *threshold) })
    });
    let shipped = [Level::Caution, Level::Warning, Level::Danger]
        .map(|level| Some(slice.figures(|sample| sample.level() >= level)));
    let mut columns = fixed.into_iter().chain(shipped);
    std::array::from_fn(|_| columns.next().flatten())
}

fn row<'a>(corpus: &'a str, kind: Option<&'a str>, groups: usize, found: &Found) -> RecallRow<'a> {
    let [at_0_1_percent, at_1_percent, caution, warning, danger] =
        found.each_ref().map(|figures| figures.clone().and_then(Figures::share));
    let row = "recall";
    RecallRow { row, corpus, kind, groups, at_0_1_percent, at_1_percent, caution, warning, danger }
}

/// How early scams are warned of, at the shipped threshold.
#[derive(Debug, Serialize)]
pub(super) struct EarlyRow<'a> {
    pub row: &'static str,
    pub corpus: &'a str,
    pub kind: Option<&'a str>,
    pub groups: usize,
    pub by_15_s: Option<Share>,
    pub by_30_s: Option<Share>,
    pub by_60_s: Option<Share>,
    pub ever: Option<Share>,
    /// Groups in which it is marked when money, card, code or access is asked for.
    pub asked_groups: usize,
    /// The share of them that was warned of before.
    pub before_ask: Option<Share>,
    pub median_s: Option<f64>,
}

pub(super) fn early<'a>(slices: &[Slice<'a>]) -> Vec<EarlyRow<'a>> {
    let scams = slices.iter().filter(|slice| slice.label == Label::Scam);
    let row = |slice: &Slice<'a>| {
        let by = |seconds: u64| {
            let limit = CallTime(seconds * 1000);
            slice.share(|sample| sample.warned_at().is_some_and(|at| at <= limit))
        };
        let [by_15_s, by_30_s, by_60_s] = EARLY_S.map(by);
        let asked = Slice {
            groups: groups(slice.samples().filter(|sample| sample.ask.is_some())),
            ..*slice
        };
        EarlyRow {
            row: "early",
            corpus: slice.corpus,
            kind: slice.kind,
            groups: slice.groups.len(),
            by_15_s,
            by_30_s,
            by_60_s,
            ever: slice.share(|sample| sample.warned_at().is_some()),
            asked_groups: asked.groups.len(),
            before_ask: asked.share(|sample| is_before_ask(sample) == Some(true)),
            median_s: median_s(slice),
        }
    };
    scams.map(row).collect()
}
