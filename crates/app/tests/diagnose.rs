//! The whole way, from logs to the answer, over every recorded incident in `fixtures/`.
//!
//! What the program says is kept in `tests/snapshots/<fixture>.txt` and `.json` and must not change by a byte unnoticed. When a
//! change is meant, `WHYLINE_BLESS=1 cargo test -p whyline --test diagnose` writes the files anew; read the difference before
//! it is committed, as somebody would who is woken by it. Apart from the snapshots each answer is held against
//! `truth.json`, which says what was really done to the systems.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Fixture, lines, names, top};
use jiff::Timestamp;
use serde_json::Value;
use std::fmt::Write;
use std::fs;

/// Seconds that the onset of a cause may be away from the truth.
const ONSET_WITHIN: f64 = 30.0;
/// Citations are cut after so many characters.
const LONGEST_CITATION: usize = 2000;

macro_rules! fixtures {
    ($($name:ident)*) => {
        /// The fixtures that have a test here.
        const TESTED: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                check(&stringify!($name).replace('_', "-"));
            }
        )*
    };
}

fixtures! {
    apache_wrong_database_address
    body_iis_404_13
    crl_nginx_mtls
    flask_bad_release
    haproxy_check_path
    haproxy_listen_dropping
    iscsi_paths_lost_postgres
    k8s_basket_memory_limit
    keycloak_login_guessing
    lock_mysql_apache_laravel
    login_stuffing_behind_limit
    lossy_path_to_store
    mariadb_index_dropped_two_zones
    mariadb_stopped
    mariadb_too_many_connections
    nginx_app_service_stopped
    nginx_old_scanners_tls10
    nginx_upstream_cert_expired
    node_fd_exhausted
    ok_compose_evening
    ok_dump_scan_guessing
    ok_looked_around
    ok_month_end_with_old_noise
    ok_one_caller_limited
    ok_rolling_restart
    orders_nobody_listens
    postgres_log_alone
    price_desk_clock_ahead
    price_service_release
    rabbitmq_queue_at_its_limit
    reports_volume_full
    restore_test_slows_postgres
    sqlalchemy_pool_exhausted
    two_names_and_permissions
    two_redis_and_certificate
    uploads_disk_full
}

#[test]
fn every_fixture_has_its_test_and_its_snapshots() {
    let tested: Vec<String> = TESTED.iter().map(|n| n.replace('_', "-")).collect();
    assert_eq!(names(&top().join("fixtures")), tested, "a folder in fixtures/ needs its line in this file");
    if blessing() {
        return;
    }
    let kept: Vec<String> = tested.iter().flat_map(|id| [format!("{id}.json"), format!("{id}.txt")]).collect();
    assert_eq!(names(&top().join("tests/snapshots")), kept, "snapshots without a fixture, or the other way round");
}

fn check(id: &str) {
    let fixture = Fixture::named(id);
    let text = fixture.diagnose(&[]).expect(0);
    let json = fixture.diagnose(&["--format", "json"]).expect(0);
    assert_eq!((text.err.as_str(), json.err.as_str()), ("", ""), "nothing is wrong with these logs, so nothing need be said of them");
    assert!(!text.out.contains('\u{1b}'), "colours where nobody asked for them");
    let answer = json.json();
    right_cause(&fixture, &answer);
    citations_stand(&fixture, &answer);
    nothing_lost(&fixture, &answer);
    // Last, so that a wrong answer is told as such and not as a difference of texts.
    snapshot(&format!("{id}.txt"), &text.out);
    snapshot(&format!("{id}.json"), &json.out);
}

/// The first cause of an incident is one that really happened, when it happened; healthy logs have none.
fn right_cause(fixture: &Fixture, answer: &Value) {
    let causes = answer["causes"].as_array().unwrap();
    if fixture.healthy() {
        let tolerated = fixture.list("tolerated");
        let alarms: Vec<&str> = ids(causes).into_iter().filter(|id| !tolerated.iter().any(|t| t == id)).collect();
        assert!(alarms.is_empty(), "{}: false alarms: {alarms:?}", fixture.id);
        return;
    }
    let accepted = [fixture.list("root_causes"), fixture.list("also_accepted")].concat();
    let first = causes.first().unwrap_or_else(|| panic!("{}: no cause was found", fixture.id));
    let id = first["id"].as_str().unwrap();
    assert!(accepted.iter().any(|a| a == id), "{}: {id} is named first, {accepted:?} would be right; all: {:?}", fixture.id, ids(causes));
    let single = serde_json::json!([{"cause": id, "onset": fixture.truth["window"]["onset"]}]);
    let faults = fixture.truth.get("faults").unwrap_or(&single).as_array().unwrap();
    for fault in faults {
        let found = causes.iter().find(|c| c["alternative_to"].is_null() && c["id"] == fault["cause"]);
        let found = found.unwrap_or_else(|| panic!("{}: {} is missing; named are {:?}", fixture.id, fault["cause"], ids(causes)));
        let (said, true_) = (seconds(&found["onset"]), seconds(&fault["onset"]));
        assert!((said - true_).abs() <= ONSET_WITHIN, "{}: {id} is said to begin {} s after it did", fixture.id, said - true_);
    }
}

fn ids(causes: &[Value]) -> Vec<&str> {
    causes.iter().map(|c| c["id"].as_str().unwrap()).collect()
}

fn seconds(stamp: &Value) -> f64 {
    let stamp: Timestamp = stamp.as_str().unwrap().parse().unwrap();
    stamp.as_millisecond() as f64 / 1000.0
}

/// Every line that is cited stands where the answer says, word by word.
fn citations_stand(fixture: &Fixture, answer: &Value) {
    for cause in answer["causes"].as_array().unwrap() {
        let evidence = cause["evidence"].as_array().unwrap();
        assert!(!evidence.is_empty(), "{}: {} is said without any proof", fixture.id, cause["id"]);
        for citation in evidence {
            let (source, text) = (citation["source"].as_str().unwrap(), citation["text"].as_str().unwrap());
            let first = citation["line"].as_u64().unwrap() as usize - 1;
            let count = text.split('\n').count();
            let lines = lines(&fixture.logs.join(source));
            let place = format!("{}: {source}:{} for {}", fixture.id, first + 1, cause["id"]);
            assert!(first + count <= lines.len(), "{place}: the file has {} lines only", lines.len());
            let there = lines[first..first + count].join("\n");
            // Of a long record its beginning and its end are cited.
            let ends = text.split_once("\n…\n").or_else(|| text.split_once(" … "));
            let has_ends = |(head, tail): (&str, &str)| {
                let rest = lines[first..].join("\n");
                rest.starts_with(head) && rest.get(head.len()..).is_some_and(|rest| rest.contains(tail))
            };
            let is_first_line = text.chars().count() >= LONGEST_CITATION && there.starts_with(text);
            let stands = there == text || is_first_line || ends.is_some_and(has_ends);
            assert!(stands, "{place}: cited is\n  {text}\nbut there stands\n  {there}");
        }
    }
}

/// The books balance and agree with what lies in the folder.
fn nothing_lost(fixture: &Fixture, answer: &Value) {
    let books = &answer["books"];
    assert_eq!(books["balanced"], true, "{}: {books}", fixture.id);
    let files = fixture.files();
    assert_eq!(books["sources"], files.len(), "{}", fixture.id);
    let real: usize = files.iter().map(|f| lines(f).len()).sum();
    assert_eq!(books["lines"], real, "{}: lines in the books and in the files", fixture.id);
    let sources: u64 = answer["sources"].as_array().unwrap().iter().map(|s| s["lines"].as_u64().unwrap()).sum();
    assert_eq!(books["lines"], sources, "{}: lines in the books and of all sources", fixture.id);
}

fn blessing() -> bool {
    std::env::var_os("WHYLINE_BLESS").is_some_and(|v| !v.is_empty() && v != "0")
}

/// Compares with a snapshot byte for byte, or writes it where `WHYLINE_BLESS` says so.
fn snapshot(name: &str, now: &str) {
    let path = top().join("tests/snapshots").join(name);
    if blessing() {
        return fs::write(&path, now).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "tests/snapshots/{name} says otherwise:\n{}\nIs this meant? Then WHYLINE_BLESS=1 cargo test -p whyline --test diagnose",
        difference(&kept, now)
    );
}

/// The first lines that differ, with a little of what stands around them.
fn difference(kept: &str, now: &str) -> String {
    let (kept, now): (Vec<&str>, Vec<&str>) = (kept.split('\n').collect(), now.split('\n').collect());
    let same = kept.iter().zip(&now).take_while(|(a, b)| a == b).count();
    let tail = kept[same..].iter().rev().zip(now[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut out = String::new();
    for (i, line) in kept.iter().enumerate().take(same).skip(same.saturating_sub(3)) {
        let _ = writeln!(out, "{:>5}   {line}", i + 1);
    }
    for (mark, lines) in [('-', &kept), ('+', &now)] {
        let changed = &lines[same..lines.len() - tail];
        for (i, line) in changed.iter().enumerate().take(12) {
            let _ = writeln!(out, "{:>5} {mark} {line}", same + i + 1);
        }
        if changed.len() > 12 {
            let _ = writeln!(out, "      {mark} and {} more lines", changed.len() - 12);
        }
    }
    for (i, line) in now.iter().enumerate().skip(now.len() - tail).take(3) {
        let _ = writeln!(out, "{:>5}   {line}", i + 1);
    }
    out
}

#[test]
fn differences_are_readable() {
    let shown = difference("a\nb\nc\nd\n", "a\nB\nc\nd\n");
    assert_eq!(shown, "    1   a\n    2 - b\n    2 + B\n    3   c\n    4   d\n    5   \n");
}
