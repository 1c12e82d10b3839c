//! Work on all cores, with results in the order of the work.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How many pieces of work wait for each worker: enough that none is idle, few enough that memory
/// does not grow with the work.
const WAITING: usize = 4;

/// How many threads can work at the same time.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Hands every item that `produce` gives to one of the `workers`, each on a thread of its own, and
/// returns the results in the order of the items.
///
/// # Errors
/// What `produce` fails with; what it gave until then is worked off and forgotten.
pub fn map_in_order<S: Send, T: Send, R: Send, E>(
    workers: Vec<S>,
    produce: impl FnOnce(&mut dyn FnMut(T)) -> Result<(), E>,
    work: impl Fn(&mut S, T) -> R + Sync,
) -> Result<Vec<R>, E> {
    let (todo, queue) = sync_channel::<(usize, T)>(WAITING * workers.len());
    let (queue, work) = (Arc::new(Mutex::new(queue)), &work);
    thread::scope(|scope| {
        let start = |mut worker: S| {
            let queue = Arc::clone(&queue);
            scope.spawn(move || {
                let mut done = Vec::new();
                while let Some((number, item)) = next(&queue) {
                    done.push((number, work(&mut worker, item)));
                }
                done
            })
        };
        let workers: Vec<_> = workers.into_iter().map(start).collect();
        // With the workers gone, the queue must be too: nobody is to wait for a place in it.
        drop(queue);
        let mut number = 0;
        let produced = produce(&mut |item| {
            // It fails when every worker has panicked, which is told below.
            let _ = todo.send((number, item));
            number += 1;
        });
        drop(todo);
        let mut done = Vec::with_capacity(number);
        for worker in workers {
            done.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        produced?;
        done.sort_unstable_by_key(|(number, _)| *number);
        Ok(done.into_iter().map(|(_, result)| result).collect())
    })
}

fn next<T>(queue: &Mutex<Receiver<T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_and_workers_their_state() {
        let produce = |give: &mut dyn FnMut(u64)| {
            (0..500).for_each(give);
            Ok::<_, ()>(())
        };
        let work = |seen: &mut u64, item: u64| {
            *seen += 1;
            // Uneven work, so that workers overtake each other.
            let spin =
                (0..(item % 7) * 1000).fold(item, |sum, next| sum ^ std::hint::black_box(next));
            std::hint::black_box(spin);
            (item * 2, *seen)
        };
        let done = map_in_order(vec![0; 3], produce, work).expect("no failure");
        assert_eq!(done.len(), 500);
        assert!(done.iter().zip(0..).all(|((result, _), item)| *result == item * 2));
        assert!(done.iter().all(|(_, seen)| *seen > 0));
    }

    #[test]
    fn a_failure_of_the_source_is_told() {
        let produce = |give: &mut dyn FnMut(u8)| {
            give(1);
            Err("broken off")
        };
        assert_eq!(map_in_order(vec![(); 2], produce, |(), item| item), Err("broken off"));
    }

    #[test]
    #[should_panic = "a bug"]
    fn a_panic_of_a_worker_does_not_hang_the_work() {
        let produce = |give: &mut dyn FnMut(u8)| {
            (0..100).for_each(give);
            Ok::<_, ()>(())
        };
        let _ = map_in_order(vec![(); 2], produce, |(), _| -> u8 { panic!("a bug") });
    }
}
