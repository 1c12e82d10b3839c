//! Makes a failing script smaller, by leaving out steps for as long as it still fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::script::{Script, Step};
use super::world::{Kept, World};

/// Runs a script; a panic of the desk is a broken promise too.
pub fn run(script: &Script, steps: &[Step]) -> Kept {
    let run = AssertUnwindSafe(|| World::new(script).run(steps));
    catch_unwind(run).unwrap_or_else(|_| Err("the desk panicked".to_owned()))
}

/// The smallest steps that were found to fail, what they break, and how it came about.
pub fn shrink(script: &Script, most_tries: usize) -> String {
    let mut steps = script.steps.clone();
    let mut tries = 0;
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < steps.len() && tries < most_tries {
            let mut fewer = steps.clone();
            fewer.drain(at..steps.len().min(at + size));
            tries += 1;
            match run(script, &fewer) {
                Err(_) => steps = fewer,
                Ok(()) => at += size,
            }
        }
        size /= 2;
    }
    let mut world = World::new(script);
    world.trace = Some(Vec::new());
    let broken = catch_unwind(AssertUnwindSafe(|| world.run(&steps)));
    let broken = broken.unwrap_or_else(|_| Err("the desk panicked".to_owned()));
    let trace = world.trace.unwrap_or_default().join("\n");
    format!("{trace}\n{}", broken.err().unwrap_or_default())
}
