//! Storing, asking and diagnosing over the store, from the outside.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects, in its helpers as well")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn whyline(store: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_whyline")).arg("--store").arg(store).args(arguments).env_remove("WHYLINE_THREADS").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The answer and the exit code.
fn answer(store: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let output = whyline(store, arguments);
    assert!(!text(&output.stderr).contains("panicked"), "{arguments:?}: {}", text(&output.stderr));
    (text(&output.stdout), output.status.code())
}

fn ingest(store: &Path, arguments: &[&str]) -> String {
    let output = whyline(store, &[&["ingest"], arguments].concat());
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("; balanced"), "{told}");
    told
}

/// Ten minutes of a proxy and what is behind it, which stops in the middle.
fn bundle(folder: &Path) {
    let (mut access, mut error, mut syslog) = (String::new(), String::new(), String::new());
    for second in 0..600 {
        let (minute, s) = (second / 60, second % 60);
        let down = (300..480).contains(&second);
        let (status, took) = if down { (502, "0.001") } else { (200, "0.020") };
        access.push_str(&format!(
            "203.0.113.{} - - [20/Nov/2026:21:{minute:02}:{s:02} +0100] \"GET /api/orders/{second} HTTP/1.1\" {status} 157 \"-\" \"curl/8\" rt={took}\n",
            second % 9
        ));
        if down {
            error.push_str(&format!(
                "2026/11/20 21:{minute:02}:{s:02} [error] 811#811: *{second} connect() failed (111: Connection refused) while connecting to upstream, client: 203.0.113.{}, server: shop, request: \"GET /api/orders/{second} HTTP/1.1\", upstream: \"http://10.0.0.3:8080/api/orders/{second}\", host: \"shop\"\n",
                second % 9
            ));
        }
    }
    syslog.push_str("Nov 20 21:00:01 app02 systemd[1]: Started api.service - Shop API.\n");
    syslog.push_str("Nov 20 21:04:59 app02 systemd[1]: api.service: Main process exited, code=killed, status=9/KILL\n");
    syslog.push_str("Nov 20 21:04:59 app02 systemd[1]: api.service: Failed with result 'signal'.\n");
    syslog.push_str("Nov 20 21:08:00 app02 systemd[1]: Started api.service - Shop API.\n");
    for (path, content) in [("web01/nginx/access.log", &access), ("web01/nginx/error.log", &error), ("app02/syslog", &syslog)] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    fs::copy(folder.join("web01/nginx/error.log"), folder.join("web01/nginx/error.log.copy")).unwrap();
}

fn asks_the_same(store: &Path, logs: &str, expression: &[&str]) -> usize {
    for format in ["text", "jsonl"] {
        let stored = answer(store, &[&["query", "--format", format], expression].concat());
        let read = answer(store, &[&["query", "--format", format], expression, &[logs]].concat());
        assert_eq!(stored, read, "{expression:?} as {format}");
    }
    let (count, code) = answer(store, &[&["query", "--count"], expression].concat());
    assert_eq!((count.clone(), code), answer(store, &[&["query", "--count"], expression, &[logs]].concat()), "{expression:?}");
    let count = count.trim().parse().unwrap();
    assert_eq!(code, Some(if count == 0 { 1 } else { 0 }));
    count
}

fn diagnoses_the_same(store: &Path, logs: &str, options: &[&str]) -> String {
    let stored = answer(store, &[&["diagnose", "--format", "json"], options].concat());
    let read = answer(store, &[&["diagnose", "--format", "json"], options, &[logs]].concat());
    assert_eq!(stored, read);
    stored.0
}

#[test]
fn a_store_answers_like_the_files() {
    let place = tempfile::tempdir().unwrap();
    let (store, folder) = (place.path().join("store"), place.path().join("logs"));
    bundle(&folder);
    let logs = folder.to_str().unwrap();
    let told = ingest(&store, &[logs]);
    assert!(told.contains("964 records = 784 stored + 180 duplicate"), "{told}");
    assert_eq!(asks_the_same(&store, logs, &["status:502 path:/api/*"]), 180);
    assert_eq!(asks_the_same(&store, logs, &["\"connection refused\" upstream:10.0.0.3"]), 180);
    assert_eq!(asks_the_same(&store, logs, &["host:app02 NOT msg:/Started/"]), 2);
    assert_eq!(asks_the_same(&store, logs, &["status:>=500 OR unit:api.service", "--limit", "7"]), 184);
    assert_eq!(asks_the_same(&store, logs, &["status:200", "--around", "2026-11-20T20:01:00Z", "--window", "10s"]), 21);
    assert_eq!(asks_the_same(&store, logs, &["status:*", "--since", "-10s"]), 11);
    assert_eq!(asks_the_same(&store, logs, &["nothing.of:this"]), 0);
    let diagnosis = diagnoses_the_same(&store, logs, &[]);
    assert!(diagnosis.contains("incident-1") && diagnosis.contains("error.log.copy"), "{diagnosis}");
    diagnoses_the_same(&store, logs, &["--until", "2026-11-20T20:06:00Z"]);
    diagnoses_the_same(&store, logs, &["--tz", "app02=+03:00"]);

    // Once more: nothing new, and the same answers.
    let told = ingest(&store, &[logs]);
    assert!(told.contains("964 records = 0 stored + 964 duplicate"), "{told}");
    assert_eq!(diagnoses_the_same(&store, logs, &[]), diagnosis);
}

#[test]
fn what_grew_was_moved_or_packed_is_recognised() {
    let place = tempfile::tempdir().unwrap();
    let (store, folder) = (place.path().join("store"), place.path().join("logs"));
    bundle(&folder);
    let logs = folder.to_str().unwrap();
    let access = folder.join("web01/nginx/access.log");
    let whole = fs::read_to_string(&access).unwrap();
    let cut = whole.match_indices('\n').nth(399).unwrap().0 + 1 + 30;
    // The last line is not complete yet.
    fs::write(&access, &whole[..cut]).unwrap();
    ingest(&store, &[logs]);
    fs::write(&access, &whole).unwrap();
    ingest(&store, &[logs]);
    assert_eq!(asks_the_same(&store, logs, &["format:*"]), 784);
    let grown = diagnoses_the_same(&store, logs, &[]);
    // Rotated away, something new in its place.
    fs::rename(&access, folder.join("web01/nginx/access.log.1")).unwrap();
    let later = whole.replace("20/Nov/2026:21", "20/Nov/2026:22").lines().take(50).map(|l| format!("{l}\n")).collect::<String>();
    fs::write(&access, later).unwrap();
    let told = ingest(&store, &[logs]);
    assert!(told.contains("50 stored"), "{told}");
    assert_eq!(asks_the_same(&store, logs, &["source:*access*"]), 650);
    assert_ne!(diagnoses_the_same(&store, logs, &[]), grown);
    // Another folder inside: the store itself is no log.
    let inside = folder.join(".whyline");
    ingest(&inside, &[logs]);
    assert!(ingest(&inside, &[logs]).contains(" 0 stored"));
}

#[test]
fn a_large_file_grows_by_its_new_lines_only() {
    let place = tempfile::tempdir().unwrap();
    let (store, file) = (place.path().join("store"), place.path().join("app.log"));
    let line = |i: usize| {
        format!(
            "2026-11-20T20:{:02}:{:02}Z ERROR api order {i} failed: timed out after 30 s{}\n",
            i / 60 % 60,
            i % 60,
            if i.is_multiple_of(5) { "\n  at handler" } else { "" }
        )
    };
    let text: String = (0..6000).map(line).collect();
    fs::write(&file, &text).unwrap();
    let logs = file.to_str().unwrap();
    ingest(&store, &[logs]);
    // The last record goes on.
    fs::write(&file, format!("{text}  and one more line of it\n{}", line(6001))).unwrap();
    let told = ingest(&store, &[logs]);
    assert!(told.contains("6001 records = 2 stored + 5999 duplicate"), "{told}");
    assert_eq!(asks_the_same(&store, logs, &["order"]), 6001);
    assert_eq!(asks_the_same(&store, logs, &["msg:/one more line/"]), 1);
}

#[test]
fn what_is_wrong_is_said() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let output = whyline(&store, &["query", "status:502"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("whyline ingest"), "{}", text(&output.stderr));
    let output = whyline(&store, &["query", "status:>=abc"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("^^^"), "{}", text(&output.stderr));
    fs::write(place.path().join("a.log"), "2026-11-20 20:00:00 ERROR a\u{1b}]0;b\u{7} \u{202e}c\td\n").unwrap();
    let output = whyline(place.path(), &["ingest", place.path().join("a.log").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let log = place.path().join("a.log");
    ingest(&store, &[log.to_str().unwrap()]);
    let output = whyline(&store, &["query", "stauts:502"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("`status`"), "{}", text(&output.stderr));
    let (shown, code) = answer(&store, &["query", "*"]);
    assert_eq!(code, Some(0));
    assert!(shown.starts_with("a.log:1: 2026-11-20") && !shown.contains(['\u{1b}', '\u{202e}']) && shown.contains("c\td"), "{shown:?}");
}

#[test]
fn real_incidents() {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let Ok(entries) = fs::read_dir(fixtures) else { return };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    for folder in folders.iter().take(3) {
        let place = tempfile::tempdir().unwrap();
        let logs = folder.to_str().unwrap();
        let store = place.path().join("store");
        whyline(&store, &["ingest", logs]);
        diagnoses_the_same(&store, logs, &[]);
        asks_the_same(&store, logs, &["level:>=error"]);
    }
}
