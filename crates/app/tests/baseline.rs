//! A good day beside a bundle that begins inside the trouble, and exit codes by grade.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Fixture, Ran, whyline};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Cuts the logs of a fixture: what was written before a time goes below `good`, what was written from another on below `bad`.
fn cut(fixture: &Fixture, good: (&Path, &str), bad: (&Path, &str)) {
    let logs = &fixture.logs;
    let events = whyline(["parse", logs.to_str().unwrap()]).expect(0).events();
    let mut sides: BTreeMap<&str, [BTreeSet<u64>; 2]> = BTreeMap::new();
    for event in &events {
        let Some(time) = event["timestamp"].as_str() else { continue };
        let side = if time < good.1 { 0 } else { 1 };
        if side == 0 || time >= bad.1 {
            let first = event["line"].as_u64().unwrap();
            let numbers = first..first + event["lines"].as_u64().unwrap_or(1);
            sides.entry(event["source"].as_str().unwrap()).or_default()[side].extend(numbers);
        }
    }
    for (source, kept) in sides {
        let text = fs::read_to_string(logs.join(source)).unwrap();
        for (folder, numbers) in [good.0, bad.0].into_iter().zip(kept) {
            let lines: String = (1..).zip(text.lines()).filter(|(n, _)| numbers.contains(n)).map(|(_, line)| format!("{line}\n")).collect();
            if !lines.is_empty() {
                let path = folder.join(source);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, lines).unwrap();
            }
        }
    }
}

/// The good and the bad half of a disk that is full from 09:23:27 on.
fn halves() -> (TempDir, String, String) {
    let folder = TempDir::new().unwrap();
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    cut(&Fixture::named("uploads-disk-full"), (&good, "2026-11-21T09:23:25Z"), (&bad, "2026-11-21T09:23:47Z"));
    let path = |p: &Path| p.to_str().unwrap().to_string();
    let both = (path(&good), path(&bad));
    (folder, both.0, both.1)
}

fn diagnose(arguments: &[&str]) -> Ran {
    whyline([&["diagnose", "--format", "json"], arguments].concat())
}

#[test]
fn a_good_day_says_what_is_usual() {
    let (_folder, good, bad) = halves();
    let alone = diagnose(&[&bad]).expect(0).json();
    assert_eq!(alone["incidents"], Value::Array(Vec::new()), "without a good day a third of failures is usual");
    let ran = diagnose(&[&bad, "--baseline", &good]).expect(0);
    let json = ran.json();
    assert_eq!(json["causes"][0]["id"], "host.disk-full", "{}", json["causes"]);
    let of: Vec<(&str, &str)> =
        json["sources"].as_array().unwrap().iter().filter_map(|s| Some((s["source"].as_str()?, s["baseline_of"].as_str()?))).collect();
    assert!(of.contains(&("baseline/media-web/nginx/access.log", "media-web/nginx/access.log")), "{of:?}");
    let page = whyline(["diagnose", &bad, "--baseline", &good]).expect(0).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains("baseline: 6 logs of a good day, their times moved by"), "{page}");
    // Nothing of the good day is told as trouble, nor does it reach into the time of the bundle.
    let first = json["sources"].as_array().unwrap().iter().find(|s| s["source"] == "media-web/nginx/access.log").unwrap()["first"].clone();
    let last =
        json["sources"].as_array().unwrap().iter().filter(|s| s["baseline_of"].is_string()).map(|s| s["last"].as_str().unwrap()).max();
    assert!(last.unwrap() < first.as_str().unwrap(), "{last:?} {first}");
    for incident in json["incidents"].as_array().unwrap() {
        assert!(incident["end"].as_str().unwrap() > first.as_str().unwrap(), "{incident}");
    }
}

#[test]
fn a_good_day_is_no_evidence() {
    let (_folder, good, bad) = halves();
    // It ends with a kill that has nothing to do with the other day.
    let kill = "Nov 21 09:23:24 media-app kernel: [81231.411] Out of memory: Killed process 2211 (photo-api) total-vm:9231212kB, anon-rss:7123412kB, \
                file-rss:0kB, shmem-rss:0kB, UID:998 pgtables:14812kB oom_score_adj:0\n";
    let syslog = Path::new(&good).join("media-app/syslog");
    fs::write(&syslog, fs::read_to_string(&syslog).unwrap_or_default() + kill).unwrap();
    let json = diagnose(&[&bad, "--baseline", &good]).expect(0).json();
    assert_eq!(json["causes"][0]["id"], "host.disk-full", "{}", json["causes"]);
    let considered = json["incidents"][0]["considered"].as_array().unwrap();
    assert!(considered.iter().all(|c| c["id"] != "host.out-of-memory"), "{considered:?}");
    for cause in json["causes"].as_array().unwrap() {
        for line in cause["evidence"].as_array().unwrap() {
            assert!(!line["source"].as_str().unwrap().starts_with("baseline/"), "{line}");
        }
    }
}

#[test]
fn logs_that_the_bundle_has_not_are_left_out_and_told() {
    let (folder, good, bad) = halves();
    fs::write(folder.path().join("good/mail.log"), "Nov 21 09:20:01 mx1 postfix/qmgr[11]: 4F2: removed\n").unwrap();
    let ran = diagnose(&[&bad, "--baseline", &good]).expect(0).says("baseline/mail.log: the bundle has no such log");
    let json = ran.json();
    let places = |key: &str| json[key].as_array().unwrap().iter().map(|s| s["source"].as_str().unwrap().to_string()).collect::<Vec<_>>();
    assert!(places("sources").iter().all(|source| !source.contains("mail.log")), "{}", json["sources"]);
    assert_eq!(places("notes"), ["baseline/mail.log"]);
}

#[test]
fn a_good_day_goes_with_files_and_without_a_beginning() {
    let (_folder, good, bad) = halves();
    diagnose(&["--baseline", &good]).expect(2).says("name the logs of the outage as well");
    diagnose(&[&bad, "--baseline", &good, "--since", "-1h"]).expect(2).says("cannot be used with");
    diagnose(&[&bad, "--baseline", "/does/not/exist"]).expect(2).says("/does/not/exist");
}

#[test]
fn the_exit_code_tells_the_grade() {
    let failing = Fixture::named("flask-bad-release").logs;
    let healthy = Fixture::named("ok-rolling-restart").logs;
    let (failing, healthy) = (failing.to_str().unwrap(), healthy.to_str().unwrap());
    let grade = diagnose(&[failing]).expect(0).json()["incidents"][0]["grade"].as_str().unwrap().to_string();
    assert_eq!(grade, "P2");
    diagnose(&[failing, "--fail-on", "P1"]).expect(0);
    diagnose(&[failing, "--fail-on", "P2"]).expect(1);
    diagnose(&[failing, "--fail-on", "p3"]).expect(1);
    diagnose(&[healthy, "--fail-on", "P3"]).expect(0);
    diagnose(&[failing, "--fail-on", "P4"]).expect(2).says("[possible values: p1, p2, p3]");
}
