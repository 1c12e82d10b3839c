//! Thousands of lines and calls in virtual time, while clocks jump, disks fail, channels die and
//! the program is killed: after every step the promises are held against a model of their own.
//!
//! `LINECLEAR_SIM_SEED` sets the first seed, `LINECLEAR_SIM_CALLS` how many calls there are, and
//! `LINECLEAR_SIM_TRIES` how often a failure is run again to make it smaller.

mod sim {
    pub mod acts;
    pub mod channels;
    pub mod clock;
    pub mod commit;
    pub mod homes;
    pub mod model;
    pub mod promises;
    pub mod script;
    pub mod shrink;
    pub mod store;
    pub mod world;
}

use std::sync::atomic::{AtomicUsize, Ordering};

use sim::script::Script;
use sim::shrink;

/// The size of one world: lines, and calls.
const SMALL: (usize, usize) = (8, 50);
/// Of so many worlds one is an operator's.
const OPERATORS: usize = 64;
const LARGE: (usize, usize) = (200, 400);

fn setting(name: &str, usual: usize) -> usize {
    let value = std::env::var(name).ok();
    value.map_or(usual, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The sizes of the worlds in which so many calls are made.
fn worlds(calls: usize) -> Vec<(usize, usize)> {
    let mut made = 0;
    let sizes = (1..).map(|it| if it % OPERATORS == 1 { LARGE } else { SMALL });
    let so_far = |size: &(usize, usize)| {
        let before = made;
        made += size.1;
        before < calls
    };
    sizes.take_while(so_far).collect()
}

#[test]
fn no_promise_is_broken_whatever_happens() {
    let first = setting("LINECLEAR_SIM_SEED", 1);
    let worlds = worlds(setting("LINECLEAR_SIM_CALLS", 10_000));
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let work = || {
        while failed.load(Ordering::Relaxed) == usize::MAX {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((lines, calls)) = worlds.get(index) else { break };
            let script = Script::new((first + index) as u64, *lines, *calls);
            if shrink::run(&script, &script.steps).is_err() {
                failed.fetch_min(index, Ordering::Relaxed);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    if let Some((lines, calls)) = worlds.get(failed.into_inner()) {
        report(first, &worlds, (*lines, *calls));
    }
}

/// Fails with the first world that does, made as small as can be.
fn report(first: usize, worlds: &[(usize, usize)], size: (usize, usize)) {
    for (index, (lines, calls)) in worlds.iter().enumerate().filter(|(_, it)| **it == size) {
        let seed = first + index;
        let script = Script::new(seed as u64, *lines, *calls);
        if shrink::run(&script, &script.steps).is_err() {
            let smallest = shrink::shrink(&script, setting("LINECLEAR_SIM_TRIES", 300));
            panic!("seed {seed}, {lines} lines, {calls} calls:\n{smallest}");
        }
    }
}
