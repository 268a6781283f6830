//! Output of commands beside the logs: which time its rows have, and what they may say of an incident.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Ran, whyline};
use serde_json::Value;
use std::fs;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// 2026-11-20 20:40:00 UTC.
const WRITTEN: u64 = 1_795_207_200;

/// A file that was written at a time, in a folder of its machine.
fn put(folder: &TempDir, path: &str, text: &str, written: u64) -> String {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(written)).unwrap();
    path.to_str().unwrap().to_string()
}

/// Requests over ten minutes from 20:30:00 on; from 20:35:00 on every second one fails.
fn failing() -> String {
    (0..600)
        .map(|s| {
            let status = if s >= 300 && s % 2 == 0 { 500 } else { 200 };
            let client = s % 90 + 1;
            format!(
                "203.0.113.{client} - - [20/Nov/2026:20:{:02}:{:02} +0000] \"GET /items/{s} HTTP/1.1\" {status} 512 \"-\" \"Mozilla/5.0\"\n",
                30 + s / 60,
                s % 60
            )
        })
        .collect()
}

const FULL: &str = "Filesystem      Size  Used Avail Use% Mounted on\n/dev/vdb1        20G   20G     0 100% /srv/data\n";

fn diagnose(folder: &TempDir) -> (Ran, Value) {
    let ran = whyline(["diagnose", "--format", "json", folder.path().to_str().unwrap()]).expect(0);
    let json = ran.json();
    (ran, json)
}

#[test]
fn a_row_without_a_time_has_that_of_its_file() {
    let folder = TempDir::new().unwrap();
    let df = put(&folder, "df.txt", FULL, WRITTEN);
    for event in whyline(["parse", &df]).expect(0).events() {
        assert_eq!(
            (event["timestamp"].as_str(), event["time.basis"].as_str()),
            (Some("2026-11-20T20:40:00Z"), Some("inherited")),
            "{event}"
        );
    }
    let events = put(
        &folder,
        "events.txt",
        "LAST SEEN            TYPE      REASON    OBJECT       MESSAGE\n2m10s                Warning   Failed    pod/api-1    Error: ErrImagePull\n9s (x4 over 5m)      Warning   BackOff   pod/api-1    Back-off pulling image\n",
        WRITTEN,
    );
    let read = whyline(["parse", &events]).expect(0).events();
    let times: Vec<&str> = read.iter().map(|e| e["timestamp"].as_str().unwrap()).collect();
    assert_eq!(times, ["2026-11-20T20:40:00Z", "2026-11-20T20:37:50Z", "2026-11-20T20:35:00Z"]);
}

#[test]
fn the_time_that_the_output_names_comes_first() {
    let folder = TempDir::new().unwrap();
    let path = put(&folder, "df.txt", &format!("Fri Nov 20 20:36:12 UTC 2026\n{FULL}"), WRITTEN + 86_400);
    for event in whyline(["parse", &path]).expect(0).events() {
        assert_eq!(event["timestamp"], "2026-11-20T20:36:12Z", "{event}");
    }
}

#[test]
fn a_state_counts_without_an_onset_whenever_it_was_copied() {
    // Written while it happened, and as a copy that lost its time.
    for written in [WRITTEN, WRITTEN + 5 * 86_400] {
        let folder = TempDir::new().unwrap();
        put(&folder, "web01/access.log", &failing(), WRITTEN);
        put(&folder, "web01/df.txt", FULL, written);
        let (ran, json) = diagnose(&folder);
        let first = &json["causes"][0];
        assert_eq!(first["id"], "host.disk-full", "{}", ran.out);
        assert_eq!(first["onset"].as_str().and_then(|t| t.get(..16)), Some("2026-11-20T20:35"), "the onset is that of the trouble");
        let title = first["evidence"][0]["title"].as_str().unwrap();
        assert!(title.contains("when this was collected"), "{title}");
    }
}

#[test]
fn a_listing_is_neither_traffic_nor_the_end_of_the_logs() {
    let folder = TempDir::new().unwrap();
    put(&folder, "web01/access.log", &failing(), WRITTEN);
    let alone = diagnose(&folder).1;
    put(&folder, "web01/uptime.txt", " 23:04:07 up 3 days,  2:01,  2 users,  load average: 0.02, 0.22, 0.10\n", WRITTEN + 9_000);
    put(
        &folder,
        "web01/df.txt",
        "Filesystem      Size  Used Avail Use% Mounted on\n/dev/vdb1        20G   12G   8G  60% /\n",
        WRITTEN + 9_000,
    );
    let both = diagnose(&folder).1;
    assert_eq!(alone["incidents"], both["incidents"]);
    assert_eq!(alone["causes"], both["causes"]);
}

#[test]
fn a_state_from_long_before_says_less() {
    let confidence = |stamp: &str| {
        let folder = TempDir::new().unwrap();
        put(&folder, "web01/access.log", &failing(), WRITTEN);
        put(&folder, "web01/df.txt", &format!("{stamp}\n{FULL}"), WRITTEN);
        let (_, json) = diagnose(&folder);
        json["incidents"][0]["considered"][0]["confidence"].as_f64().unwrap()
    };
    let (before, during) = (confidence("Fri Nov 20 18:00:00 UTC 2026"), confidence("Fri Nov 20 20:36:12 UTC 2026"));
    assert!(before < 0.5 && before < during, "{before} {during}");
}

/// Requests to an upstream over ten minutes; from 20:35:00 on it refuses.
fn refused() -> String {
    (0..600)
        .map(|s| {
            let (status, took) = if s >= 300 { (502, "0.001") } else { (200, "0.020") };
            let client = s % 90 + 1;
            format!(
                "203.0.113.{client} - - [20/Nov/2026:20:{:02}:{:02} +0000] \"GET /items/{s} HTTP/1.1\" {status} 512 \"-\" \"Mozilla/5.0\" rt={took} ua=\"192.0.2.22:8080\" us=\"{status}\" ut=\"{took}\"\n",
                30 + s / 60,
                s % 60
            )
        })
        .collect()
}

/// Sockets of app02, which has the address of that upstream, with one more row.
fn sockets(more: &str) -> String {
    format!(
        "Fri Nov 20 20:38:00 UTC 2026\nState    Recv-Q   Send-Q     Local Address:Port     Peer Address:Port   Process\nLISTEN   0        128              0.0.0.0:22            0.0.0.0:*       users:((\"sshd\",pid=7,fd=3))\nLISTEN   0        4096       192.0.2.22:9100            0.0.0.0:*       users:((\"node_exporter\",pid=9,fd=3))\n{more}"
    )
}

/// What was considered for a fault at any place: its best confidence and the names of its terms.
fn considered(json: &Value, id: &str) -> (f64, Vec<String>) {
    let list = json["incidents"][0]["considered"].as_array().unwrap();
    let best = list.iter().filter(|c| c["id"] == id).max_by(|a, b| a["score"].as_f64().unwrap().total_cmp(&b["score"].as_f64().unwrap()));
    best.map_or((0.0, Vec::new()), |c| {
        let terms = c["terms"].as_array().unwrap().iter().map(|t| t["term"].as_str().unwrap().to_string()).collect();
        (c["confidence"].as_f64().unwrap(), terms)
    })
}

#[test]
fn nobody_or_somebody_listens() {
    let look = |more: &str| {
        let folder = TempDir::new().unwrap();
        put(&folder, "web01/access.log", &refused(), WRITTEN);
        put(&folder, "app02/ss.txt", &sockets(more), WRITTEN);
        diagnose(&folder).1
    };
    let nobody = look("");
    assert_eq!(nobody["causes"][0]["id"], "app.process-down", "{nobody:#}");
    let (confidence, terms) = considered(&nobody, "app.process-down");
    assert!(confidence > 0.5 && terms.iter().any(|t| t == "target.not-listening"), "{confidence} {terms:?}");
    let somebody = look("LISTEN   0        128        192.0.2.22:8080            0.0.0.0:*       users:((\"gunicorn\",pid=8,fd=3))\n");
    assert!(considered(&somebody, "app.process-down").0 < 0.3, "{somebody:#}");
    let itself = look("LISTEN   0        128         127.0.0.1:8080            0.0.0.0:*       users:((\"gunicorn\",pid=8,fd=3))\n");
    assert!(considered(&itself, "app.misconfigured").1.iter().any(|t| t == "target.listens-elsewhere"), "{itself:#}");
}

#[test]
fn a_certificate_that_ended_when_the_trouble_began() {
    let folder = TempDir::new().unwrap();
    put(&folder, "web01/access.log", &refused(), WRITTEN);
    let shown = "Fri Nov 20 20:38:00 UTC 2026\n$ openssl x509 -noout -dates -subject -in upstream.pem\nnotBefore=Aug 22 20:34:58 2026 GMT\nnotAfter=Nov 20 20:34:58 2026 GMT\nsubject=CN = items.shop.example\n";
    put(&folder, "web01/certificate.txt", shown, WRITTEN);
    let (_, json) = diagnose(&folder);
    let first = &json["causes"][0];
    assert_eq!(first["id"], "tls.certificate-expired", "{json:#}");
    assert_eq!(first["onset"], "2026-11-20T20:34:58.000Z");
    // One that ended long ago, or is valid, is nobody's reason.
    for end in ["Nov 20 20:34:58 2025", "Dec 20 20:34:58 2026"] {
        put(&folder, "web01/certificate.txt", &shown.replace("Nov 20 20:34:58 2026", end), WRITTEN);
        assert!(considered(&diagnose(&folder).1, "tls.certificate-expired").1.is_empty(), "{end}");
    }
}
