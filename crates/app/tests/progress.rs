//! Long work shows how far it has come, on a terminal and nowhere else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects, in its helpers as well")]

mod common;

use common::{access_log, program, whyline};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Longer than it takes until the line is shown.
const LONG: Duration = Duration::from_millis(1400);

#[test]
fn nothing_is_drawn_where_standard_error_is_no_terminal() {
    let mut child = program()
        .args(["parse", "--format", "none", "-"])
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let text = access_log(20_000);
    pipe.write_all(text.as_bytes()).unwrap();
    std::thread::sleep(LONG);
    pipe.write_all(text.as_bytes()).unwrap();
    drop(pipe);
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && said.starts_with("books: "), "{said:?}");
    assert_eq!(said.lines().count(), 1, "{said:?}");
    assert!(!said.contains(['\r', '\x1b']), "{said:?}");
}

/// What a terminal is sent while a command of the shell runs in it; `None` where there is no `script` of util-linux.
#[cfg(target_os = "linux")]
fn on_a_terminal(command: &str, term: &str) -> Option<String> {
    let known = Command::new("script").arg("--version").output().ok()?;
    if !String::from_utf8_lossy(&known.stdout).contains("util-linux") {
        return None;
    }
    let ran = Command::new("script")
        .args(["-q", "-e", "-c", command, "/dev/null"])
        .env("TERM", term)
        .env("WHYLINE", env!("CARGO_BIN_EXE_whyline"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{command}: {ran:?}");
    Some(String::from_utf8(ran.stdout).unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_it_and_keeps_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    fs::write(&log, access_log(20_000)).unwrap();
    let log = log.to_str().unwrap();
    let slow = format!("(cat {log}; sleep {}; cat {log})", LONG.as_secs_f64());
    let commands = [
        (format!("{slow} | $WHYLINE parse --format none -"), "reading: "),
        (format!("{slow} | $WHYLINE diagnose --format json - > /dev/null"), "receiving: "),
        (format!("{slow} | $WHYLINE query --count status:200 -"), "receiving: "),
        (format!("{slow} | $WHYLINE --store {}/store ingest -", folder.path().display()), "receiving: "),
    ];
    let check = |command: &str, shown: &str| {
        let Some(sent) = on_a_terminal(command, "xterm") else { return };
        let line = sent.find(shown).unwrap_or_else(|| panic!("{command}: {sent:?}"));
        assert!(sent[line..].contains(" MB"), "{command}: {sent:?}");
        // The line is cleared, and nothing like it comes after.
        let wiped = sent.rfind("\x1b[2K").unwrap_or_else(|| panic!("{command}: {sent:?}"));
        assert!(!sent[wiped..].contains(shown), "{command}: {sent:?}");
    };
    // They mostly wait.
    std::thread::scope(|scope| {
        for (command, shown) in &commands {
            scope.spawn(|| check(command, shown));
        }
        scope.spawn(|| {
            let Some(sent) = on_a_terminal(&format!("{slow} | $WHYLINE parse --format none -"), "dumb") else { return };
            assert!(!sent.contains("reading: ") && sent.contains("books: "), "a terminal that cannot wipe a line: {sent:?}");
        });
        scope.spawn(|| {
            // Events that are written to the same terminal are not interrupted.
            let Some(sent) = on_a_terminal(&format!("{slow} | $WHYLINE parse -"), "xterm") else { return };
            assert!(!sent.contains("reading: "));
        });
    });
}

#[test]
fn quick_work_says_no_more_than_before() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    fs::write(&log, access_log(200)).unwrap();
    let ran = whyline(["parse", "--format", "none", log.to_str().unwrap()]).expect(0);
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
}
