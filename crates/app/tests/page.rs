//! What the page and the JSON say of their ground: the stretch that was asked for, what could not be read, what was seen though nobody was seen
//! to feel it, an empty store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Fixture, Ran, access_log, finish, packed, program, whyline};
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A text without its line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn put(folder: &Path, path: &str, bytes: &[u8]) -> String {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_string()
}

fn both(arguments: &[&str], code: i32) -> (Ran, Value) {
    let text = whyline([&["diagnose"], arguments].concat()).expect(code);
    let json = whyline([&["diagnose", "--format", "json"], arguments].concat()).expect(code).json();
    (text, json)
}

/// Lines of a log that shout, one log alone; what is told of it, and the fault behind.
const ALONE: [(&str, &str, &str, &str); 3] = [
    (
        "img01/supervisord.log",
        "2026-11-21 09:32:57,733 WARN exited: thumbd (terminated by SIGSEGV; not expected)\n\
         2026-11-21 09:32:58,650 INFO gave up: thumbd entered FATAL state, too many start retries too quickly\n",
        "a process died of a memory fault",
        "app.crash",
    ),
    (
        "app1/dmesg.txt",
        "[Sat Nov 21 09:04:59 2026] Out of memory: Killed process 4242 (java) total-vm:8123456kB, anon-rss:3912345kB, file-rss:0kB, \
         shmem-rss:0kB, UID:998 pgtables:9000kB oom_score_adj:0\n",
        "the kernel killed a process",
        "host.out-of-memory",
    ),
    (
        "edge-7/syslog",
        "2026-11-21T10:50:18.224659+01:00 edge-7 nginx[3459]: 2026/11/21 10:50:18 [emerg] 3459#3459: unknown directive \"add_headers\" in \
         /etc/nginx/nginx.conf:24\n\
         2026-11-21T10:50:18.224750+01:00 edge-7 nginx[3459]: nginx: configuration file /etc/nginx/nginx.conf test failed\n",
        "nginx names an error in its configuration",
        "proxy.config-invalid",
    ),
];

#[test]
fn one_log_alone_that_shouts_is_no_all_clear() {
    for (path, lines, title, fault) in ALONE {
        let folder = TempDir::new().unwrap();
        let log = put(folder.path(), path, lines.as_bytes());
        let (text, json) = both(&[&log], 0);
        let page = flat(&text.out);
        assert!(page.starts_with("No log here shows requests, so nobody can say what users felt"), "{page}");
        assert!(page.contains("SEEN, THOUGH NOBODY WAS SEEN TO FEEL IT") && page.contains(title), "{page}");
        assert!(!page.contains("Nothing found"), "{page}");
        let noted = &json["noted"][0];
        assert_eq!(noted["fault"], fault, "{noted}");
        assert!(lines.starts_with(noted["text"].as_str().unwrap()) && noted["line"] == 1, "{noted}");
        assert!(noted["onset"].as_str() <= noted["last"].as_str() && noted["count"].as_u64() >= Some(1), "{noted}");
        assert_eq!(json["causes"], Value::Array(Vec::new()), "a single line names no cause");
    }
}

#[test]
fn what_goes_on_all_day_is_no_sign() {
    let folder = TempDir::new().unwrap();
    let lines: String = (0..1200)
        .map(|i| {
            let said = if i % 60 == 7 { "ERROR:  deadlock detected" } else { "LOG:  connection authorized: user=erp database=erp" };
            format!("2026-11-13 {:02}:{:02}:15.615 UTC [{}] app@erp {said}\n", i / 60, i % 60, 700 + i)
        })
        .collect();
    let log = put(folder.path(), "db1/postgresql/postgresql.log", lines.as_bytes());
    let (text, json) = both(&[&log], 0);
    assert!(flat(&text.out).starts_with("Nothing found, but no log here shows requests"), "{}", text.out);
    assert_eq!(json["noted"], Value::Array(Vec::new()));
}

#[test]
fn a_service_that_is_started_again_is_no_sign() {
    let folder = TempDir::new().unwrap();
    let line = |second: u32, said: &str| format!("2026-11-21T09:12:{second:02}.180190+00:00 lb1 systemd[1]: {said}\n");
    let lines = [
        line(1, "Stopping shop.service - Shop API..."),
        line(2, "shop.service: Deactivated successfully."),
        line(2, "Stopped shop.service - Shop API."),
        line(3, "Started shop.service - Shop API."),
    ];
    let log = put(folder.path(), "lb1/syslog", lines.concat().as_bytes());
    let (text, json) = both(&[&log], 0);
    assert!(flat(&text.out).starts_with("Nothing found, but no log here shows requests"), "{}", text.out);
    assert_eq!(json["noted"], Value::Array(Vec::new()));
}

#[test]
fn a_stretch_without_events_is_told_as_such() {
    let fixture = Fixture::named("nginx-app-service-stopped");
    let text = fixture.diagnose(&["--around", "2026-11-22 21:08"]).expect(3).says("no event lies in the stretch");
    let page = flat(&text.out);
    assert!(page.starts_with("No event lies in the stretch that was asked for, 2026-11-22 21:03:00–21:13:00 UTC."), "{page}");
    assert!(page.contains("The logs go from 2026-11-20 21:04:23 to 21:09:04 UTC"), "{page}");
    assert!(page.contains("at +01:00, the zone of 3 sources, from 2026-11-20 22:04:23 to 2026-11-20 22:09:04"), "{page}");
    assert!(!page.contains("no time") && !page.contains("were meant"), "{page}");
    // The time of a site that is an hour ahead of UTC.
    let page = flat(&fixture.diagnose(&["--around", "2026-11-20 22:08"]).expect(3).out);
    assert!(page.contains("If those of +01:00 were meant, that is 2026-11-20 21:03:00–21:13:00 UTC"), "{page}");
    assert!(page.contains("as in 2026-11-20T22:03:00+01:00"), "{page}");
    let json = fixture.diagnose(&["--since", "2026-11-21", "--format", "json"]).expect(3).json();
    let window = &json["window"];
    assert_eq!((&window["from"], &window["to"]), (&Value::from("2026-11-21T00:00:00Z"), &Value::Null));
    assert_eq!((&window["records"], &window["logs_to"]), (&Value::from(0), &Value::from("2026-11-20T21:09:04Z")));
}

#[test]
fn a_stretch_is_named_and_each_source_says_what_it_has_of_it() {
    let fixture = Fixture::named("nginx-app-service-stopped");
    let page = flat(&fixture.diagnose(&["--until", "2026-11-20 21:08:00"]).expect(0).out);
    // What lies beside it says how an incident that reaches into it ended.
    assert!(page.contains("21:07:12–21:08:39 (1 min 27 s)") && page.contains("recovered"), "{page}");
    assert!(page.contains("asked: up to 21:08:00"), "{page}");
    let json = fixture.diagnose(&["--until", "2026-11-20 21:08:00", "--format", "json"]).expect(0).json();
    let sources = json["sources"].as_array().unwrap();
    let within: u64 = sources.iter().map(|s| s["within"]["records"].as_u64().unwrap()).sum();
    assert_eq!(json["window"]["records"], within);
    for source in sources {
        assert!(source["within"]["records"].as_u64() <= source["records"].as_u64(), "{source}");
        assert!(source["last"].as_str() >= source["within"]["last"].as_str(), "{source}");
    }
    // Where all was asked for there is no stretch.
    let all = fixture.diagnose(&["--format", "json"]).expect(0).json();
    assert_eq!((&all["window"], &all["sources"][0]["within"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_could_not_be_read_stands_on_the_page() {
    let folder = TempDir::new().unwrap();
    let whole = access_log(2000);
    let bytes = packed(whole.as_bytes());
    put(folder.path(), "web01/nginx/access.log.gz", &bytes[..bytes.len() / 2]);
    let (text, json) = both(&[folder.path().to_str().unwrap()], 3);
    let page = flat(&text.out);
    assert!(page.contains("not read: ") && page.contains("ends too early (truncated)"), "{page}");
    assert!(page.contains("1 input could not be read, wholly or in part"), "{page}");
    let unreadable = &json["unreadable"][0];
    assert!(unreadable["source"].as_str().unwrap().ends_with("access.log.gz"), "{unreadable}");
    assert!(!unreadable["source"].as_str().unwrap().starts_with('/'), "a place is named as the sources are: {unreadable}");
    assert!(unreadable["help"].as_str().unwrap().contains("copy it again"), "{unreadable}");
}

#[test]
fn a_log_that_lies_there_unread_is_not_asked_for() {
    let folder = TempDir::new().unwrap();
    let all = access_log(600);
    let failing = all.lines().enumerate().map(|(i, line)| {
        if i >= 300 && i % 3 == 0 { format!("{}\n", line.replace("HTTP/1.1\" 200", "HTTP/1.1\" 502")) } else { format!("{line}\n") }
    });
    let failing: String = failing.collect();
    put(folder.path(), "web01/nginx/access.log", failing.as_bytes());
    // What is packed and cut off at once is as good as not there.
    put(folder.path(), "web01/nginx/error.log.gz", &packed(failing.as_bytes())[..12]);
    let (text, json) = both(&[folder.path().to_str().unwrap()], 3);
    let missing = json["missing"].as_array().unwrap();
    let error_log = missing.iter().find(|m| m["log"] == "error log of nginx").unwrap_or_else(|| panic!("{missing:#?}"));
    assert!(error_log["unreadable"].as_str().unwrap().ends_with("web01/nginx/error.log.gz"), "{error_log}");
    assert!(flat(&text.out).contains("could not be read"), "{}", text.out);
    assert!(!text.out.contains("/var/log/nginx/error.log"), "it is asked for as if it were not there:\n{}", text.out);
}

#[test]
fn an_empty_store_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let (store, logs) = (folder.path().join("store"), folder.path().join("logs"));
    let log = put(&logs, "web01/access.log", access_log(50).as_bytes());
    let run = |arguments: &[&str]| finish(program().arg("--store").arg(&store).args(arguments));
    run(&["ingest", &log]).expect(0);
    run(&["store", "rm", "--source", "*"]).expect(0);
    let ran = run(&["diagnose"]).expect(3).says("is empty").says("whyline ingest PATH...");
    assert!(ran.out.starts_with("The store is empty"), "{}", ran.out);
    assert!(!ran.out.contains("report this"), "{}", ran.out);
}

#[test]
fn programs_learn_what_people_see() {
    let fixture = Fixture::named("nginx-app-service-stopped");
    let json = fixture.diagnose(&["--format", "json"]).expect(0).json();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["unreadable"], Value::Array(Vec::new()));
    let cause = &json["causes"][0];
    assert_eq!(cause["stands_by"], true);
    let entities: Vec<&str> = cause["entities"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
    let once: std::collections::BTreeSet<&str> = entities.iter().copied().collect();
    assert_eq!(once.len(), entities.len(), "{entities:?}");
    let measured = cause["evidence"].as_array().unwrap().iter().find(|e| e["measured"] == true).unwrap();
    assert!(measured["timestamp"].is_string(), "{measured}");
    assert_eq!(json["incidents"][0]["symptoms"][0]["paths"][0]["failed"].as_u64().map(|n| n > 0), Some(true));
}

#[test]
fn a_good_day_of_other_machines_is_told() {
    let folder = TempDir::new().unwrap();
    put(folder.path(), "good/forum2/nginx/access.log", access_log(300).as_bytes());
    put(folder.path(), "bad/web01/nginx/access.log", access_log(300).replace("21/Nov", "22/Nov").as_bytes());
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    let (text, json) = both(&["--baseline", good.to_str().unwrap(), bad.to_str().unwrap()], 0);
    assert!(flat(&text.out).contains("is of forum2, but stands for"), "{}", text.out);
    assert!(json["notes"][0]["what"].as_str().unwrap().contains("is of forum2"), "{}", json["notes"]);
}
