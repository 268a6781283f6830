//! Storing that is killed, that finds no room, or that others are at already.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects, in its helpers as well")]

mod common;

use common::{finish, program};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Files of several kinds, each of which becomes a batch.
fn logs(folder: &Path) -> PathBuf {
    let logs = folder.join("logs");
    fs::create_dir_all(&logs).unwrap();
    for file in 0..5 {
        let access = |n: u32| {
            let (minute, second) = (n / 60 % 60, n % 60);
            format!(
                "192.0.2.{} - - [20/Nov/2026:1{file}:{minute:02}:{second:02} +0000] \"GET /api/orders/{n} HTTP/1.1\" {} {} \"-\" \"curl/8\"\n",
                n % 250,
                if n.is_multiple_of(50) { 502 } else { 200 },
                n * 37 % 9000
            )
        };
        let plain =
            |n: u32| format!("2026-11-20T1{file}:{:02}:{:02}Z ERROR shop order {n} failed: timed out\n  at handler\n", n / 60 % 60, n % 60);
        let text: String = (0..60).map(|n| if file % 2 == 0 { access(n) } else { plain(n) }).collect();
        fs::write(logs.join(format!("{file}.log")), text).unwrap();
    }
    logs
}

fn ingest(store: &Path, logs: &Path) -> Command {
    let mut command = program();
    command.arg("--store").arg(store).args(["ingest", "--batch", "3kB"]).arg(logs);
    command
}

fn ask(store: &Path, arguments: &[&str]) -> String {
    let ran = finish(program().arg("--store").arg(store).args(arguments));
    assert!(ran.code == 0 || ran.code == 1, "{arguments:?}: {}", ran.err);
    ran.out
}

/// Everything that the store holds.
fn content(store: &Path) -> String {
    ask(store, &["query", "*", "--format", "jsonl"])
}

fn count(store: &Path) -> u64 {
    ask(store, &["query", "*", "--count"]).trim().parse().unwrap()
}

/// How often storing is killed; `WHYLINE_KILLS=10000` asks for a longer run.
fn kills() -> u64 {
    std::env::var("WHYLINE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(200)
}

#[test]
fn killed_at_any_moment() {
    let place = tempfile::tempdir().unwrap();
    let logs = logs(place.path());
    let undisturbed = place.path().join("undisturbed");
    let begun = Instant::now();
    finish(&mut ingest(&undisturbed, &logs)).expect(0);
    let whole = begun.elapsed();
    let (wanted, all) = (content(&undisturbed), count(&undisturbed));
    assert_eq!(all, 300);
    let (mut seed, mut killed, mut rounds, mut inside) = (0x9e37_79b9_7f4a_7c15u64, 0u64, 0u64, 0);
    while killed < kills() {
        let store = place.path().join(format!("store{rounds}"));
        let mut last = 0;
        loop {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let patience = whole.mul_f64((seed >> 11) as f64 / (1u64 << 53) as f64 * 1.1);
            let mut child = ingest(&store, &logs).stderr(std::process::Stdio::null()).spawn().unwrap();
            let begun = Instant::now();
            let ended = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break Some(status);
                }
                if begun.elapsed() >= patience {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    break None;
                }
                std::thread::sleep(Duration::from_micros(200));
            };
            if let Some(status) = ended {
                assert_eq!(status.code(), Some(0));
                break;
            }
            killed += 1;
            let opened = finish(program().arg("--store").arg(&store).args(["query", "*", "--count"]));
            // Before the first commit there is no store yet.
            let now = if opened.code == 2 { 0 } else { opened.out.trim().parse::<u64>().unwrap() };
            assert!(now >= last && now <= all, "{last} events, then {now}");
            inside += u64::from(now > last && now < all);
            last = now;
            // Checking takes its time.
            if opened.code != 2 && killed.is_multiple_of(4) {
                let verified = finish(program().arg("--store").arg(&store).args(["store", "verify"]));
                assert_eq!(verified.code, 0, "{}", verified.out);
            }
        }
        assert!(content(&store) == wanted, "another content after having been killed");
        assert_eq!(finish(program().arg("--store").arg(&store).args(["store", "verify"])).code, 0);
        fs::remove_dir_all(&store).unwrap();
        rounds += 1;
    }
    assert!(inside > 0, "never killed between two batches");
}

#[test]
fn no_room() {
    let place = tempfile::tempdir().unwrap();
    let logs = logs(place.path());
    let (store, undisturbed) = (place.path().join("store"), place.path().join("undisturbed"));
    finish(&mut ingest(&undisturbed, &logs)).expect(0);
    // Files may grow to some blocks only, which is as good as a full disk.
    let mut failed = 0;
    for blocks in [1, 4, 8, 16] {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let mut command = Command::new("sh");
        command
            .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_whyline"), "--store"])
            .arg(&store)
            .args(["ingest", "--batch", "3kB"])
            .arg(&logs);
        let ran = finish(&mut command);
        if ran.code != 0 {
            failed += 1;
            assert_eq!(ran.code, 3, "{}", ran.err);
            assert!(ran.err.contains("no room") || ran.err.contains("too large"), "{}", ran.err);
            let opened = finish(program().arg("--store").arg(&store).args(["query", "*", "--count"]));
            assert!(opened.code == 0 || opened.code == 1 || opened.code == 2 && opened.err.contains("no store"), "{}", opened.err);
        }
    }
    assert!(failed > 0);
    finish(&mut ingest(&store, &logs)).expect(0);
    assert!(content(&store) == content(&undisturbed));
}

#[test]
fn one_at_a_time_and_read_only() {
    let place = tempfile::tempdir().unwrap();
    let logs = logs(place.path());
    let store = place.path().join("store");
    finish(&mut ingest(&store, &logs)).expect(0);
    // Somebody else holds the lock.
    let lock = fs::File::options().write(true).open(store.join("lock")).unwrap();
    lock.lock().unwrap();
    fs::write(store.join("lock"), "4711").unwrap();
    finish(&mut ingest(&store, &logs)).expect(3).says("another process (pid 4711) is writing");
    assert_eq!(count(&store), 300);
    drop(lock);
    // Asking writes nothing.
    let listed = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap());
        let mut all: Vec<_> = entries.map(|e| (e.path(), e.metadata().unwrap().modified().unwrap())).collect();
        all.sort();
        all
    };
    let before = (listed(&store), listed(&store.join("index")));
    let set = |mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        for path in [store.clone(), store.join("index")] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set(0o555);
    assert_eq!(count(&store), 300);
    ask(&store, &["store", "info"]);
    assert_eq!((listed(&store), listed(&store.join("index"))), before);
    set(0o755);
}
