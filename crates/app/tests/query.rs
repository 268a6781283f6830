//! Asking, from the outside: what is written in every form, over files and over the store.
//!
//! What the program writes is kept in `tests/query/NAME.txt`, one file a question, each form below the other. When a change is meant,
//! `WHYLINE_BLESS=1 cargo test -p whyline --test query` writes the files anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Ran, finish, program, top, whyline};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// A question: its name, the fixture that is asked, the expression, further options.
type Question = (&'static str, &'static str, &'static str, &'static [&'static str]);

const QUESTIONS: &[Question] = &[
    ("events", "nginx-app-service-stopped", "status:502 path:/transfers", &["--limit", "3"]),
    ("phrase", "nginx-app-service-stopped", "\"connection refused\" upstream:127.10.2.22 NOT path:/transfers", &["--limit", "2"]),
    ("count-by-status", "nginx-app-service-stopped", "status:* | count by status | sort -count", &[]),
    ("every-minute", "nginx-app-service-stopped", "status:* | count, rate, p50 duration, p99.9 duration, sum bytes by host every 1m", &[]),
    ("slowest", "nginx-app-service-stopped", "duration:>100ms | fields time, path, status, duration | sort -duration, time | limit 5", &[]),
    ("top-paths", "nginx-app-service-stopped", "status:5?? | top 5 path by distinct client", &[]),
    ("timeline", "nginx-app-service-stopped", "status:502 | timeline every 10s", &[]),
    ("patterns", "nginx-app-service-stopped", "level:>=warn | patterns | limit 6", &[]),
    ("levels", "mariadb-stopped", "level:* | count, min time as first, max time as last by host, level", &[]),
    ("context", "nginx-app-service-stopped", "Stopping OR Started format:syslog.* host:app02 | context 1", &[]),
    ("window", "nginx-app-service-stopped", "status:502 | count by upstream", &["--around", "21:08", "--window", "10s"]),
    ("nothing", "nginx-app-service-stopped", "status:418 | count by path", &[]),
    ("rows-of-rows", "uploads-disk-full", "status:* | count by client | count as clients, max count, avg count", &[]),
];

#[test]
fn what_is_written() {
    let mut names: Vec<String> = QUESTIONS.iter().map(|(name, ..)| format!("{name}.txt")).collect();
    names.sort();
    for (name, fixture, expression, options) in QUESTIONS {
        let mut kept = format!("whyline query '{expression}' {} {fixture}\n", options.join(" "));
        for format in ["text", "table", "jsonl", "csv"] {
            if expression.contains("context") && matches!(format, "table" | "csv") {
                continue;
            }
            let ran = ask(fixture, expression, &[&["--format", format], *options].concat());
            writeln!(kept, "\n--- {format}\n{}", ran.out.trim_end()).unwrap();
            if format == "text" && !ran.err.is_empty() {
                writeln!(kept, "\n--- standard error\n{}", ran.err.trim_end()).unwrap();
            }
        }
        snapshot(&format!("{name}.txt"), &kept);
    }
    assert_eq!(common::names(&top().join("tests/query")), names, "a file without a question, or the other way round");
}

fn ask(fixture: &str, expression: &str, options: &[&str]) -> Ran {
    let logs = top().join("fixtures").join(fixture).join("logs");
    let ran = whyline([&["query", expression, logs.to_str().unwrap()], options].concat());
    assert!(matches!(ran.code, 0 | 1) && !ran.out.contains('\u{1b}'), "{expression}: {ran:?}");
    ran
}

fn snapshot(name: &str, found: &str) {
    let path = top().join("tests/query").join(name);
    if std::env::var_os("WHYLINE_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, found).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; bless it once it is right", path.display()));
    for (i, (kept, found)) in kept.lines().zip(found.lines()).enumerate() {
        assert_eq!(found, kept, "{name}:{}", i + 1);
    }
    assert_eq!(found, kept, "{name}");
}

#[test]
fn files_and_store_answer_the_same() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let store = store.to_str().unwrap();
    let logs = top().join("fixtures/nginx-app-service-stopped/logs");
    let logs = logs.to_str().unwrap();
    whyline(["--store", store, "ingest", logs]).expect(0);
    for (_, fixture, expression, options) in QUESTIONS.iter().filter(|(_, fixture, ..)| *fixture == "nginx-app-service-stopped") {
        let formats: &[&str] = if expression.contains("context") { &["text", "jsonl"] } else { &["text", "csv"] };
        for format in formats {
            let options = [&["--format", format], *options].concat();
            let stored = whyline([&["--store", store, "query", expression], &options[..]].concat());
            assert_eq!(stored, ask(fixture, expression, &options), "{expression} as {format}");
        }
        let stored = whyline([&["--store", store, "query", "--count", expression], *options].concat());
        assert_eq!(stored, ask(fixture, expression, &[&["--count"], *options].concat()), "{expression}");
    }
    for threads in ["1", "3"] {
        for expression in ["status:* | p99 duration, distinct client by path", "* | patterns", "* | sort -duration | limit 9", "*"] {
            let one = whyline(["--threads", threads, "query", expression, logs]).expect(0);
            assert_eq!(one.out, whyline(["--store", store, "query", expression]).expect(0).out, "{expression}");
        }
    }
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_string()
}

#[test]
fn records_as_they_stand() {
    let place = tempfile::tempdir().unwrap();
    let text = "2026-11-20 20:00:00 ERROR api order 1 failed \u{7}\n  at handler\n2026-11-20 20:00:01 INFO api order 2 stored\n";
    let log = put(place.path(), "a.log", text.as_bytes());
    assert_eq!(whyline(["query", "*", "--raw", &log]).expect(0).out, text);
    assert_eq!(whyline(["query", "level:error", "--raw", &log]).expect(0).out.lines().count(), 2);
    whyline(["query", "* | count", "--raw", &log]).expect(2).says("--raw");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let place = tempfile::tempdir().unwrap();
    let log = put(place.path(), "a.log", b"2026-11-20 20:00:00 ERROR api connection refused by \x07 10.0.0.3\n");
    let always = whyline(["query", "\"connection refused\"", "--color", "always", &log]).expect(0).out;
    assert!(always.contains("\u{1b}[1m\u{1b}[31mconnection refused\u{1b}[0m by \\x07"), "{always:?}");
    let mut command = program();
    command.env_remove("NO_COLOR").args(["query", "refused", &log]);
    assert!(!finish(&mut command).out.contains('\u{1b}'), "no terminal, no colours");
}

#[test]
fn as_they_are_found() {
    let place = tempfile::tempdir().unwrap();
    let line =
        |minute: usize, i: usize| format!("2026-11-20T20:{minute:02}:{:02}.{:03}Z INFO api order {i} stored\n", i / 1000 % 60, i % 1000);
    // The later file stands first in the order of names, and holds several blocks.
    put(place.path(), "a.log", (0..60_000).map(|i| line(30, i)).collect::<String>().as_bytes());
    put(place.path(), "b.log", (0..1_000).map(|i| line(10, i)).collect::<String>().as_bytes());
    let logs = place.path().to_str().unwrap();
    let sorted = whyline(["query", "order", "--limit", "2", logs]).expect(0).out;
    assert!(sorted.starts_with("b.log:1: 2026-11-20T20:10:00.000Z") && sorted.lines().count() == 2, "{sorted}");
    let stream = whyline(["query", "order", "--stream", "--limit", "2", logs]).expect(0).out;
    assert!(stream.starts_with("a.log:1: 2026-11-20T20:30:00.000Z") && stream.lines().count() == 2, "{stream}");
    let all = whyline(["query", "order | fields source, line", "--format", "csv", "--stream", logs]).expect(0).out;
    let rows: Vec<&str> = all.lines().collect();
    assert_eq!((rows.len(), rows[1], rows[60_000], rows[60_001]), (61_001, "a.log,1", "a.log,60000", "b.log,1"));
    whyline(["query", "order | count", "--stream", logs]).expect(2).says("--stream");
    // Whoever has seen enough closes the pipe.
    let mut child = program().args(["query", "order", logs]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), String::from_utf8(done.stderr).unwrap()), (Some(0), String::new()));
}

#[test]
fn clocks_that_only_the_whole_bundle_tells() {
    let place = tempfile::tempdir().unwrap();
    let ask = |expression: &str| whyline(["query", expression, "--format", "csv", place.path().to_str().unwrap()]).expect(0).out;
    // The same requests in two logs: one with its offset, the other in local time without one.
    let (mut access, mut error) = (String::new(), String::new());
    for i in 0..200 {
        let (m, s) = (i / 60, i % 60);
        access.push_str(&format!(
            "203.0.113.9 - - [20/Nov/2026:21:{m:02}:{s:02} +0100] \"GET /items/{i} HTTP/1.1\" 502 157 \"-\" \"curl/8\" rt=0.010\n"
        ));
        error.push_str(&format!(
            "2026/11/20 21:{m:02}:{s:02} [error] 811#811: *{i} connect() failed (111: Connection refused) while connecting to upstream, client: 203.0.113.9, server: shop, request: \"GET /items/{i} HTTP/1.1\", upstream: \"http://10.0.0.3:8080/items/{i}\", host: \"shop\"\n"
        ));
    }
    put(place.path(), "web01/nginx/access.log", access.as_bytes());
    put(place.path(), "web01/nginx/error.log", error.as_bytes());
    assert_eq!(
        ask("* | count by format every 1h"),
        "time,format,count\n2026-11-20T20:00:00Z,nginx.access,200\n2026-11-20T20:00:00Z,nginx.error,200\n"
    );
}

#[test]
fn what_is_wrong_is_said() {
    let place = tempfile::tempdir().unwrap();
    let log = put(place.path(), "a.log", b"2026-11-20 20:00:00 ERROR api order 1 failed\n");
    whyline(["query", "a | cuont", &log]).expect(2).says("^^^^^").says("did you mean `count`?");
    whyline(["query", "order | count by ordr.id", &log]).expect(0).says("warning: no event has a field called `ordr.id`");
    whyline(["query", "order or api", &log]).expect(1).says("`or` is sought as a word; operators are written in capitals: OR");
    whyline(["query", "@timestamp:>5", &log]).expect(1).says("times are asked with --since");
    whyline(["query", "order | context 2", "--format", "csv", &log]).expect(2).says("text or jsonl");
    whyline(["query", "order", "--since", "half past", &log]).expect(2).says("--since: `half past` is no time").says("1h ago");
    whyline(["query", "order", "--since", "10m ago", "--until", "11m ago", &log]).expect(2).says("later than --until");
    let told = whyline(["query", "order", "--since", "yesterday 14:00", &log]).expect(0);
    told.says("note: events from 2026-11-19T14:00:00Z; the last one was written at 2026-11-20T20:00:00Z");
    assert_eq!(whyline(["query", "order", "--since", "21:30", "--tz", "+02:00", &log]).expect(1).out, "");
    assert_eq!(whyline(["query", "nothing | count", &log]).expect(1).out, "count\n    0\n");
    assert_eq!(whyline(["query", "nothing | count by host", "--format", "csv", &log]).expect(1).out, "host,count\n");
    assert_eq!(whyline(["query", "nothing", "--format", "jsonl", &log]).expect(1).out, "");
}
