//! `kill -9` at many instants: what was committed is found again, with the right deadline, and
//! whoever is told is told once.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use common::daemon::{Daemon, Hook, eventually, secret};
use lineclear::edge::clock;
use lineclear::edge::store::Store;

const KILLS: u64 = 200;
/// Of those, at least so many while a line is held.
const IN_HOLDS: usize = 50;

/// What is on the disk: when each held line is clear on the boot clock, and which notifications
/// wait.
fn committed(store: &Path) -> (BTreeMap<String, u64>, BTreeSet<String>) {
    let store = Store::open(store).expect("the database opens after every kill");
    let restored = store.snapshot().expect("it can be read");
    assert_eq!((restored.problems.len(), restored.damage.is_none()), (0, true));
    let holds = restored.snapshot.holds.iter();
    let holds = holds.map(|hold| (hold.line.to_string(), hold.deadline.until.0.as_millis() as u64));
    let waiting = restored.snapshot.notifications.into_iter().map(|it| it.notice.key);
    (holds.collect(), waiting.collect())
}

/// All keys that were ever committed, and whether each was delivered.
fn notifications(store: &Path) -> BTreeMap<String, bool> {
    let store = Store::open(store).expect("the database opens");
    let all = store.notifications(None, None, u32::MAX).expect("readable").rows;
    let is_delivered = |state: &lineclear::alert::record::Delivery| {
        matches!(state, lineclear::alert::record::Delivery::Delivered(_))
    };
    all.into_iter().map(|it| (it.notice.key, is_delivered(&it.state))).collect()
}

/// Keeps a daemon busy until it is killed: calls that turn into scams on one line, holds by hand on
/// the other.
fn busy(daemon: &Daemon, round: u64) {
    let mut feed = daemon.feed();
    let call = format!("call {round}");
    feed.start(&call, "home", "01632 960123");
    for (at, words) in [(0, "the parrot"), (1000, "the purple one"), (2000, "a mauve taxi")] {
        feed.say(&call, at, words);
    }
    if !round.is_multiple_of(3) {
        feed.end(&call);
    }
    if round.is_multiple_of(5) {
        let port = daemon.port;
        std::thread::spawn(move || {
            let connect = std::net::TcpStream::connect(("127.0.0.1", port));
            let request = b"POST /v1/lines/other/hold HTTP/1.1\r\nhost: 127.0.0.1\r\n\
                content-length: 0\r\n\r\n";
            connect.and_then(|mut stream| std::io::Write::write_all(&mut stream, request))
        });
    }
}

#[test]
fn nothing_that_was_committed_is_lost_and_nobody_is_told_twice() {
    let (hook, secrets) = (Hook::start(), tempfile::tempdir().expect("a folder"));
    let mut random = fastrand::Rng::with_seed(4);
    let mut daemon = Daemon::start(&hook.channel(&secret(secrets.path())), "");
    let mut in_holds = 0;
    for round in 0..KILLS {
        // Now and then the one who is told cannot be reached.
        hook.answers(if random.u8(..4) == 0 { 500 } else { 200 });
        busy(&daemon, round);
        clock::wait_until(clock::now() + Duration::from_micros(random.u64(..60_000)));
        let (folder, port) = daemon.kill();
        let state = folder.path().join("state");
        let (holds, waiting) = committed(&state);
        in_holds += usize::from(!holds.is_empty());
        daemon = Daemon::again(folder, port);
        for (line, until_ms) in &holds {
            let found = daemon.get(&format!("/v1/lines/{line}"));
            let left = found["hold"]["remaining_seconds"].as_u64();
            let left = left.unwrap_or_else(|| panic!("round {round}: {line} is not held: {found}"));
            let until = clock::now().0.as_millis() as u64 + left * 1000;
            assert!(until + 50 >= *until_ms, "round {round}: {line} ends early: {found}");
        }
        let after: BTreeSet<_> = notifications(&state).into_keys().collect();
        assert!(waiting.is_subset(&after), "round {round}: a notification is gone");
        if round % 20 == 19 {
            // Otherwise one hold would last through all of it.
            daemon.request("DELETE", "/v1/lines/home/hold", "");
            daemon.request("DELETE", "/v1/lines/other/hold", "");
        }
    }
    assert!(in_holds >= IN_HOLDS, "only {in_holds} kills were in a hold");
    hook.answers(200);
    eventually("an empty outbox", || {
        (daemon.get("/v1/status")["notifications_waiting"] == 0).then_some(())
    });
    let (folder, _) = daemon.kill();
    let all = notifications(&folder.path().join("state"));
    let taken = hook.taken.lock().expect("keys").clone();
    let shown: BTreeSet<_> = taken.iter().cloned().collect();
    let lost: Vec<_> = all.keys().filter(|key| !shown.contains(*key)).collect();
    assert!(lost.is_empty() && all.values().all(|delivered| *delivered), "lost: {lost:?}");
    // A kill between the taking and the commit has the same key sent again: whoever takes it shows
    // it once. There are at most four such a kill: a channel makes so many attempts at once.
    let again = taken.len() - shown.len();
    println!(
        "{KILLS} kills, {in_holds} of them in a hold; {} notifications, {again} sent again under \
         the same key",
        shown.len()
    );
    assert!(again as u64 <= 4 * KILLS);
}
