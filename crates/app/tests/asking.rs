//! What is asked of awkward logs: lists in JSON, lines that are too long or no text, days that few years have; what is said of questions that
//! look like mistakes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::whyline;
use std::fs;
use std::path::Path;

fn put(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_string()
}

/// Each element of a list is one of the values of its field, in files and in a store.
#[test]
fn lists_in_json() {
    let place = tempfile::tempdir().unwrap();
    let lines = [
        r#"{"ts":"2026-11-20T10:00:00Z","level":"info","msg":"one","tags":["x","y z"],"sizes":[5,70],"upstream":["10.0.0.3","10.0.0.4"]}"#,
        r#"{"ts":"2026-11-20T10:00:01Z","level":"info","msg":"two","tags":["x"],"nested":[[1],2],"none":[]}"#,
        r#"{"ts":"2026-11-20T10:00:02Z","level":"info","msg":"three","tags":"x"}"#,
    ];
    let log = put(place.path(), "a.log", lines.join("\n").as_bytes());
    let store = place.path().join("store").to_str().unwrap().to_string();
    whyline(["--store", &store, "ingest", &log]).expect(0);
    for (query, want) in [
        ("tags:x", "3"),
        ("tags:\"y z\"", "1"),
        ("tags:y*", "1"),
        ("tags:(q x)", "3"),
        ("\"y z\"", "1"),
        ("sizes:>50", "1"),
        ("sizes:5 sizes:70", "1"),
        ("sizes:[6 TO 69]", "0"),
        ("NOT tags:/y/", "2"),
        ("upstream:10.0.0.4", "1"),
        ("nested:\"[[1],2]\"", "1"),
        ("none:*", "1"),
    ] {
        let code = u8::from(want == "0").into();
        assert_eq!(whyline(["query", "--count", query, &log]).expect(code).out.trim(), want, "{query}");
        assert_eq!(whyline(["--store", &store, "query", "--count", query]).expect(code).out.trim(), want, "{query} in the store");
    }
    for (query, want) in [("* | count by tags", "tags,count\nx,3\ny z,1\n"), ("* | sum sizes", "sum_sizes\n75\n")] {
        assert_eq!(whyline(["query", query, "--format", "csv", &log]).expect(0).out, want);
        assert_eq!(whyline(["--store", &store, "query", query, "--format", "csv"]).expect(0).out, want);
    }
}

/// What stands behind the first megabyte of a line cannot be found; that is said, with the place.
#[test]
fn lines_that_are_too_long() {
    let place = tempfile::tempdir().unwrap();
    let long = format!("2026-11-20T10:00:01Z INFO {}needle\n", "hay ".repeat(400_000));
    let text = format!("2026-11-20T10:00:00Z INFO first\n{long}2026-11-20T10:00:02Z INFO last\n{long}");
    let log = put(place.path(), "a.log", text.as_bytes());
    let said = "a.log: the record at line 2 and one more are longer than 1 MB or 10,000 lines; what stands behind that is left out";
    whyline(["query", "needle", &log]).expect(1).says(said);
    whyline(["parse", "--format", "none", &log]).expect(0).says(said);
    let store = place.path().join("store").to_str().unwrap().to_string();
    whyline(["--store", &store, "ingest", &log]).expect(0).says(said);
    whyline(["--store", &store, "query", "needle"]).expect(1).says(said);
    // Of the files the whole line can be had.
    assert_eq!(whyline(["query", "hay | limit 1", "--raw", &log]).expect(0).out, long);
}

/// Bytes come out of files as they stand there, and a store says what it does not have.
#[test]
fn bytes_as_they_stand() {
    let place = tempfile::tempdir().unwrap();
    let lines: [&[u8]; 6] = [
        b"2026-11-20 10:00:00 INFO caf\xe9 one",
        b"2026-11-20 10:00:01 INFO \xff\xfe two",
        b"2026-11-20 10:00:02 INFO plain three",
        b"2026-11-20 10:00:03 \x1b[31mERROR\x1b[0m four",
        b"2026-11-20 10:00:04 INFO dos five\r",
        b"2026-11-20 10:00:05 INFO \xf0\x9f\x98 six",
    ];
    let mut bytes = lines.join(&b'\n');
    bytes.push(b'\n');
    put(place.path(), "a.log", &bytes);
    let out = |arguments: &[&str]| {
        let ran = common::program().current_dir(place.path()).args(arguments).output().unwrap();
        (ran.stdout, String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let (raw, said) = out(&["query", "*", "--raw", "--encoding", "utf-8", "a.log"]);
    assert_eq!(raw, bytes, "{}", String::from_utf8_lossy(&raw));
    assert!(!said.contains("UTF-8"), "{said}");
    let (raw, _) = out(&["query", "four OR two", "--raw", "--encoding", "utf-8", "a.log"]);
    assert_eq!(raw, [lines[1], b"\n", lines[3], b"\n"].concat());
    out(&["ingest", "--encoding", "utf-8", "a.log"]);
    for arguments in [&["query", "*", "--raw"][..], &["query", "*", "--raw", "--stream", "--encoding", "utf-8", "a.log"]] {
        let (raw, said) = out(arguments);
        assert!(String::from_utf8(raw).is_ok_and(|text| text.contains("INFO \u{fffd}\u{fffd} two\n")));
        assert!(said.contains("note: 3 events have what stands for bytes that are no UTF-8"), "{said}");
    }
}

/// 29 February is of a year that has one, and the lines around it are of the same year.
#[test]
fn leap_days() {
    let place = tempfile::tempdir().unwrap();
    let line = |at: &str| format!("{at} web01 sshd[1]: hello\n");
    let text = ["Feb 28 23:59:59", "Feb 29 10:00:00", "Mar  1 00:00:01"].map(line).concat();
    let log = put(place.path(), "auth.log", text.as_bytes());
    let file = fs::File::options().write(true).open(&log).unwrap();
    let november = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_000_000);
    file.set_modified(november).unwrap();
    let dates = |options: &[&str]| whyline([&["query", "* | fields time", "--format", "csv", &log], options].concat()).expect(0).out;
    let of = |year: i32| format!("time\n{year}-02-28T23:59:59Z\n{year}-02-29T10:00:00Z\n{year}-03-01T00:00:01Z\n");
    assert_eq!(dates(&[]), of(2024));
    assert_eq!(dates(&["--year", "2020"]), of(2020));
    assert_eq!(dates(&["--year", "2023"]), of(2024));
    assert_eq!(dates(&["--since", "29 Feb 09:00"]).lines().count(), 3);
    whyline(["query", "*", "--since", "2026-02-29", &log]).expect(2).says("no time");
}

/// Questions that may be read and were probably not meant.
#[test]
fn remarks() {
    let place = tempfile::tempdir().unwrap();
    let log = put(place.path(), "a.log", b"2026-11-20 10:00:00 ERROR api order 1 failed\n2026-11-20 10:00:01 INFO api order 2 stored\n");
    for (query, code, said) in [
        ("level:eror", 1, "no level is called `eror`; did you mean `error`?"),
        ("client:10.0.0.0/99", 2, "has 32 bits"),
        ("time:>10:00", 2, "write --since 10:00"),
        ("signal:nginx.upstream-refused", 1, "whyline rules show nginx.upstream-refused"),
        ("signal:nginx.upstream-refusd", 1, "no rule has a signal nginx.upstream-refusd"),
        ("* | count by level | where count > 5", 1, ""),
        ("* | count by level | where nowhere > 5", 2, "the columns here are level, count"),
    ] {
        let ran = whyline(["query", query, &log]).expect(code).says(said);
        assert_eq!(ran.out, "", "{query}");
    }
    assert_eq!(whyline(["query", "* | count every 1w", "--format", "csv", &log]).expect(0).out, "time,count\n2026-11-19T00:00:00Z,2\n");
}

/// A format that does not fit what it is told to read is said to.
#[test]
fn formats_that_do_not_fit() {
    let place = tempfile::tempdir().unwrap();
    let access = "10.0.0.1 - - [20/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl\"\n";
    let one = put(place.path(), "one.log", b"order one\norder two\n");
    let system = put(place.path(), "system.log", b"Nov 20 10:00:00 web01 sshd[1]: hello\n");
    let some = put(place.path(), "some.log", [access, "no request\n", access].concat().as_bytes());
    let all = put(place.path(), "all.log", access.repeat(3).as_bytes());
    let read = |log: &str| whyline(["parse", "--as", "nginx.access", "--format", "none", log]).expect(0);
    read(&one).says("one.log: no record fits nginx.access;").says("--detect");
    read(&system).says("system.log: no record fits nginx.access;");
    read(&some).says("some.log: 1 of 3 records do not fit nginx.access");
    assert!(!read(&all).err.contains("fit"));
    let fields = whyline(["formats", "--fields", "--format", "json"]).expect(0).json();
    let fields = fields["fields"].as_array().unwrap();
    assert!(fields.iter().any(|f| f["name"] == "http.response.status_code" && f["type"] == "int" && f["aliases"][0] == "status"));
}
