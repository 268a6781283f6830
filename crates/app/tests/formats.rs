//! `whyline formats`: the catalogue, one entry, and what was chosen for files. The answers are kept in `tests/formats/`; when a change
//! of them is meant, `WHYLINE_BLESS=1 cargo test -p whyline --test formats` writes them anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{top, whyline};
use std::fs;

/// Compares an answer with the kept one.
#[track_caller]
fn kept(name: &str, answer: &str) {
    let path = top().join("tests/formats").join(name);
    if std::env::var_os("WHYLINE_BLESS").is_some() {
        fs::write(&path, answer).unwrap();
    }
    let want = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(answer, want, "the answer is another than {}", path.display());
}

fn logs() -> String {
    top().join("tests/formats/logs").to_str().unwrap().to_string()
}

#[test]
fn one_entry() {
    kept("redis.txt", &whyline(["formats", "redis"]).expect(0).out);
    let json = whyline(["formats", "sshd", "--format", "json"]).expect(0).json();
    assert_eq!((json["format"].as_str(), json["reader"].as_str()), (Some("syslog.rfc3164"), Some("syslog.rfc3164")));
    assert!(json["fields"].as_array().unwrap().iter().any(|f| f["name"] == "client.port" && f["type"] == "whole number"), "{json}");
}

#[test]
fn all_entries() {
    let text = whyline(["formats"]).expect(0).out;
    for line in ["nginx.error ", "postgresql.csv ", "kernel "] {
        assert!(text.lines().any(|l| l.starts_with(line)), "{line} in {text}");
    }
    let json = whyline(["formats", "--format", "json"]).expect(0).json();
    assert_eq!(json["formats"].as_array().unwrap().len() + 2, text.lines().count());
}

#[test]
fn names_that_were_meant() {
    whyline(["formats", "nginx.eror"]).expect(2).says("nginx.eror: there is no such format; perhaps nginx.error");
    whyline(["parse", "--as", "kafak", "x.log"]).expect(2).says("perhaps kafka");
    // A name of the catalogue stands for its reader.
    let path = format!("{}/app.syslog", logs());
    assert_eq!(whyline(["parse", "--as", "sshd", &path]).expect(0).events().len(), 3);
}

#[test]
fn what_was_chosen() {
    let logs = logs();
    kept("detected.txt", &whyline(["formats", "--detect", &logs]).expect(0).out);
    kept("detected.json", &whyline(["formats", "--detect", &logs, "--format", "json"]).expect(0).out);
    // Any number of threads gives the same answer.
    let one = whyline(["--threads", "1", "formats", "--detect", &logs]).expect(0).out;
    assert_eq!(one, whyline(["--threads", "4", "formats", "--detect", &logs]).expect(0).out);
    whyline(["formats", "--detect", "no-such-file"]).expect(2);
}
