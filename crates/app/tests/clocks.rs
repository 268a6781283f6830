//! What time it was: the doubled hour at the end of summer time, stamps that cannot be right, years that nobody wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::whyline;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A log in local time of Zurich over the night of 25 October 2026, when 02:00 to 03:00 comes twice: a line every minute from 01:30 to
/// 03:30 by the clock on the wall, three hours in all.
fn night() -> String {
    let mut text = String::new();
    for minute in 0..180 {
        // Minutes since 01:30; the clock goes back after 90 of them.
        let wall = 90 + minute - if minute >= 90 { 60 } else { 0 };
        writeln!(text, "2026-10-25 {:02}:{:02}:07 [INFO] shop.job: step {minute}", wall / 60, wall % 60).unwrap();
    }
    text
}

fn put(folder: &Path, path: &str, text: &str) -> String {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_string()
}

fn times(arguments: &[&str]) -> Vec<String> {
    whyline(arguments).expect(0).events().iter().map(|e| e["timestamp"].as_str().unwrap().to_string()).collect()
}

#[test]
fn the_doubled_hour_is_told_by_the_order_of_the_records() {
    let folder = TempDir::new().unwrap();
    let log = put(folder.path(), "logs/app01/job.log", &night());
    let every_minute: Vec<String> = (0..180).map(|m| format!("{:02}:{:02}", (23 * 60 + 30 + m) / 60 % 24, (30 + m) % 60)).collect();
    let asked = ["query", "--format", "jsonl", "--limit", "1000", "step", &log];
    for zone in [Some("Europe/Zurich"), Some("app01=Europe/Zurich")] {
        let told: Vec<&str> = zone.iter().flat_map(|z| ["--tz", z]).collect();
        let got = times(&[&asked[..], &told].concat());
        assert_eq!(got.iter().map(|t| t[11..16].to_string()).collect::<Vec<_>>(), every_minute, "{zone:?}");
        assert_eq!((got[0].as_str(), got[179].as_str()), ("2026-10-24T23:30:07Z", "2026-10-25T02:29:07Z"));
    }
    // Without a zone the first half is taken for UTC, and the second goes on from it.
    let got = times(&asked);
    assert_eq!(
        (got[0].as_str(), got[89].as_str(), got[90].as_str()),
        ("2026-10-25T01:30:07Z", "2026-10-25T02:59:07Z", "2026-10-25T03:00:07Z")
    );
    // What is written as it is read knows it, too, where the file can be read twice; its time says that it spans the night.
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_792_900_000);
    fs::File::options().write(true).open(&log).unwrap().set_modified(at).unwrap();
    let parsed = times(&["parse", "--tz", "Europe/Zurich", &log]);
    assert_eq!(parsed.iter().map(|t| t[11..16].to_string()).collect::<Vec<_>>(), every_minute);
    // A fixed offset has no summer time, so what is written counts.
    let got = times(&[&asked[..], &["--tz", "+01:00"]].concat());
    assert!(got.is_sorted() && got.iter().filter(|t| t.starts_with("2026-10-25T01:")).count() == 120, "{got:?}");
}

#[test]
fn a_stored_night_is_the_same_night() {
    let folder = TempDir::new().unwrap();
    let log = put(folder.path(), "logs/app01/job.log", &night());
    let store = folder.path().join("store").to_str().unwrap().to_string();
    whyline(["--store", &store, "ingest", "--tz", "Europe/Zurich", &log]).expect(0);
    let stored = times(&["--store", &store, "query", "--format", "jsonl", "--limit", "1000", "step"]);
    let files = times(&["query", "--format", "jsonl", "--limit", "1000", "--tz", "Europe/Zurich", "step", &log]);
    assert_eq!(stored, files);
    assert_eq!(stored.len(), 180);
    // Once more adds nothing.
    let again = whyline(["--store", &store, "ingest", "--tz", "Europe/Zurich", &log]).expect(0);
    assert!(again.err.contains("of which 0 are new"), "{}", again.err);
}

#[test]
fn a_proxy_with_offsets_and_an_application_without_agree_over_the_night() {
    // The proxy writes offsets; the application does not. Requests share ids on both sides of the change.
    let folder = TempDir::new().unwrap();
    let (mut proxy, mut app) = (String::new(), String::new());
    for minute in 0..180 {
        let wall = 90 + minute - if minute >= 90 { 60 } else { 0 };
        let offset = if minute >= 90 { "+0100" } else { "+0200" };
        let id = format!("{:032x}", 0x9e37_79b9_7f4a_7c15_u128 * (minute as u128 + 1));
        let (h, m) = (wall / 60, wall % 60);
        writeln!(
            proxy,
            "203.0.113.{} - - [25/Oct/2026:{h:02}:{m:02}:07 {offset}] \"GET /items/{minute} HTTP/1.1\" 200 5 \"-\" \"x/1\" rid={id}",
            minute % 200 + 1
        )
        .unwrap();
        writeln!(app, "2026-10-25 {h:02}:{m:02}:07 [INFO] shop: GET /items/{minute} 200 3ms rid={id}").unwrap();
    }
    put(folder.path(), "logs/web01/access.log", &proxy);
    put(folder.path(), "logs/app01/shop.log", &app);
    let logs = folder.path().join("logs").to_str().unwrap().to_string();
    let got = times(&["query", "--format", "jsonl", "--limit", "1000", "path:/items/*", &logs]);
    assert_eq!(got.len(), 360);
    for pair in got.chunks(2) {
        assert_eq!(pair[0], pair[1], "a request and its record in the application are a moment");
    }
}

#[test]
fn a_stamp_that_cannot_be_is_kept_and_marked_and_begins_nothing() {
    let folder = TempDir::new().unwrap();
    let mut text = String::from("1970-01-01 00:00:09 [ERROR] shop: no space left on device: write /srv/data/x\n");
    for second in 0..300 {
        let minute = second / 60;
        writeln!(text, "2026-11-20 10:{minute:02}:{:02} [INFO] shop: GET /items/{second} 200 3ms", second % 60).unwrap();
    }
    text.push_str("2106-02-07 06:28:15 [ERROR] shop: no space left on device: write /srv/data/y\n");
    let log = put(folder.path(), "logs/app01/shop.log", &text);
    let events = whyline(["parse", &log]).expect(0).events();
    let (first, last) = (&events[0], events.last().unwrap());
    assert_eq!(first["timestamp"], "1970-01-01T00:00:09Z");
    assert!(first.to_string().contains("before 1990"), "{first}");
    assert_eq!(last["timestamp"], "2106-02-07T06:28:15Z");
    assert!(last.to_string().contains("far future"), "{last}");
    let answer = whyline(["diagnose", "--format", "json", &log]).expect(0).json();
    assert_eq!(answer["sources"][0]["first"], "2026-11-20T10:00:00Z", "{answer:#}");
    assert_eq!(answer["causes"].as_array().unwrap().len(), 0);
}

#[test]
fn seconds_since_boot_become_times_by_the_machine_s_own_syslog() {
    let folder = TempDir::new().unwrap();
    let dmesg =
        "[    0.000000] Linux version 6.1.0-18-amd64\n[ 7265.500000] Out of memory: Killed process 4711 (java) total-vm:8123456kB\n";
    put(folder.path(), "logs/db01/dmesg.txt", dmesg);
    let other = put(folder.path(), "logs/db02/dmesg.txt", dmesg);
    let syslog = "2026-11-20T08:00:05.100000+00:00 db01 kernel: [    0.000000] Linux version 6.1.0-18-amd64\n\
                  2026-11-20T08:00:05.300000+00:00 db01 kernel: [    5.250000] EXT4-fs (vda1): mounted filesystem\n\
                  2026-11-20T09:10:00.000000+00:00 db01 kernel: [ 4200.000000] eth0: renamed from veth3\n";
    put(folder.path(), "logs/db01/syslog", syslog);
    put(folder.path(), "logs/db02/app.log", "2026-11-20T09:00:00Z db02 app: one\n");
    let logs = folder.path().join("logs").to_str().unwrap().to_string();
    let got = times(&["query", "--format", "jsonl", "\"Killed process\" host:db01", &logs]);
    // Booted at 08:00:00, by the line that was written at once.
    assert_eq!(got, ["2026-11-20T10:01:05.500000Z"]);
    let parsed: Vec<String> = whyline(["parse", &logs])
        .expect(0)
        .events()
        .iter()
        .filter(|e| e["body"].as_str().unwrap().contains("Killed process") && e["source"].as_str().unwrap().contains("db01"))
        .map(|e| e["timestamp"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(parsed, got);
    let untold = whyline(["parse", &other]).expect(0).events();
    assert!(untold.iter().all(|e| e["timestamp"].is_null()), "{untold:?}");
}

/// Where the journal dropped them, the seconds since boot are tied to it by what both hold, or by a boot that the logs tell of; a file's time says nothing.
#[test]
fn seconds_since_boot_become_times_by_what_a_dated_log_holds_as_well() {
    let dmesg = "[    0.000000] Linux version 6.1.0-18-amd64\n[    2.250000] EXT4-fs (vda1): mounted filesystem\n[ 7265.500000] Out of memory: Killed process 4711 (java)\n";
    let monotonic = "[    2.250000] db01 kernel: EXT4-fs (vda1): mounted filesystem\n[ 7000.000000] db01 shop[42]: up\n[ 7265.500000] db01 kernel: Out of memory: Killed process 4711 (java)\n";
    let line = |time: &str, text: &str| format!("2026-11-20T{time}+00:00 db01 {text}\n");
    let version = line("08:00:01.000000", "kernel: Linux version 6.1.0-18-amd64");
    let mounted = line("08:00:02.250000", "kernel: EXT4-fs (vda1): mounted filesystem");
    let killed = line("10:01:05.500000", "kernel: Out of memory: Killed process 4711 (java)");
    let app = line("10:01:06.000000", "shop: up");
    let asked = "$ uptime -s\n2026-11-20 08:00:00\n$ df -h\nFilesystem      Size  Used Avail Use% Mounted on\n/dev/vda1        50G   20G   30G  40% /\n".to_string();
    let (tied, first) = (Some("2026-11-20T10:01:05.500000Z"), Some("2026-11-20T10:01:06.500000Z"));
    for (own, other, want) in [
        (dmesg, [version.as_str(), &mounted, &app].concat(), tied),
        (dmesg, [mounted.as_str(), &killed, &app].concat(), tied),
        (monotonic, [mounted.as_str(), &killed, &app].concat(), tied),
        // One line alone may be of any boot, but the first one of all is the boot.
        (dmesg, [mounted.as_str(), &app].concat(), None),
        (monotonic, [version.as_str(), &app].concat(), first),
        (dmesg, [app.as_str(), &asked].concat(), tied),
    ] {
        let folder = TempDir::new().unwrap();
        put(folder.path(), "logs/db01/kernel.txt", own);
        put(folder.path(), "logs/db01/syslog", &other);
        let ran = whyline(["parse", folder.path().join("logs").to_str().unwrap()]).expect(0);
        let events = ran.events();
        let of_own =
            |e: &&serde_json::Value| e["source"].as_str().unwrap().ends_with("kernel.txt") && e["body"].to_string().contains("Killed");
        let found = events.iter().find(of_own).unwrap();
        assert_eq!(found["timestamp"].as_str(), want, "{other}");
        let told =
            ran.err.contains("lines have only the seconds since boot") && ran.err.contains("in line 3: Out of memory: Killed process");
        assert_eq!(told, want.is_none(), "{}", ran.err);
    }
}

/// A day of a service: restarts at these minutes, and a line every ten minutes.
fn service(minutes: &[u32], line: impl Fn(u32, u32, &str) -> String, start: &str) -> String {
    let mut all: Vec<(u32, u32, &str)> = (0..144).map(|n| (n * 10 + 5, 30, "all well")).collect();
    all.extend(minutes.iter().map(|m| (*m, 3, start)));
    all.sort_unstable();
    all.into_iter().map(|(minute, second, text)| line(minute, second, text)).collect()
}

#[test]
fn restarts_seen_twice_tell_the_zone_of_a_source() {
    let folder = TempDir::new().unwrap();
    let syslog = |minutes: &[u32]| {
        let line =
            |m: u32, s: u32, text: &str| format!("2026-11-20T{:02}:{:02}:{s:02}.000000+00:00 db01 systemd[1]: {text}\n", m / 60, m % 60);
        service(minutes, line, "Started mariadb.service - MariaDB database server.")
    };
    let own = |minutes: &[u32]| {
        // Two hours ahead, and a second later.
        let line = |m: u32, s: u32, text: &str| {
            let m = m + 120;
            format!("2026-11-{:02} {:02}:{:02}:{:02} 0 [Note] {text}\n", 20 + m / 1440, m / 60 % 24, m % 60, s + 1)
        };
        service(minutes, line, "/usr/sbin/mariadbd: ready for connections.")
    };
    for (name, minutes, zone, why) in [
        ("three", &[73u32, 402, 611, 1130][..], "+02:00", "4 restarts agree with db01/syslog"),
        // Two may be chance, and what restarts every hour fits any zone.
        ("two", &[73, 402], "UTC", ""),
        ("hourly", &[60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 660, 720], "UTC", ""),
    ] {
        let place = format!("{name}/logs/db01");
        put(folder.path(), &format!("{place}/syslog"), &syslog(minutes));
        put(folder.path(), &format!("{place}/mariadb.err"), &own(minutes));
        let logs = folder.path().join(name).join("logs").to_str().unwrap().to_string();
        let answer = whyline(["diagnose", "--format", "json", &logs]).expect(0).json();
        let source = answer["sources"].as_array().unwrap().iter().find(|s| s["source"].as_str().unwrap().ends_with(".err")).unwrap();
        assert!(source.to_string().contains(why), "{name}: {source:#}");
        assert_eq!(source["zone"].as_str().unwrap(), zone, "{name}: {source:#}");
    }
}

#[test]
fn strict_ends_well_where_nothing_was_refused() {
    let folder = TempDir::new().unwrap();
    let log = put(folder.path(), "x.log", "2026-11-20 10:00:00 [INFO] a: one\n");
    whyline(["parse", "--strict", &log]).expect(0);
    whyline(["diagnose", "--strict", &log]).expect(0);
}

/// The handler of signals in Redis writes seconds since 1970 between local stamps: that is its zone, and no vote for UTC.
#[test]
fn seconds_since_1970_tell_the_zone_of_the_local_stamps_beside_them() {
    let folder = TempDir::new().unwrap();
    // 1795873867 is 2026-11-28 13:51:07 UTC; the clock on the wall shows nine hours more.
    let log = "77:M 28 Nov 2026 01:02:03.100 * Ready to accept connections tcp
77:M 28 Nov 2026 02:10:44.007 * DB saved on disk
77:signal-handler (1795873867) Received SIGTERM scheduling shutdown...
77:M 28 Nov 2026 22:51:07.130 * User requested shutdown...
";
    put(folder.path(), "logs/kv01/redis.log", log);
    put(folder.path(), "logs/web01/app.log", "2026-11-28 13:00:00Z [INFO] shop: one\n2026-11-28 14:00:00Z [INFO] shop: two\n");
    let answer = whyline(["diagnose", "--format", "json", folder.path().join("logs").to_str().unwrap()]).expect(0).json();
    let source = answer["sources"].as_array().unwrap().iter().find(|s| s["host"] == "kv01").unwrap();
    assert_eq!((source["zone"].as_str().unwrap(), source["last"].as_str().unwrap()), ("+09:00", "2026-11-28T13:51:07Z"), "{source:#}");
}

/// A machine's supervisor asks for its health in a beat of its own; that two beats are always as far apart says nothing of clocks.
#[test]
fn checks_of_health_say_nothing_of_clocks() {
    for (path, behind) in [("/health/live", false), ("/orders/{n}", true)] {
        let folder = TempDir::new().unwrap();
        for (host, shift) in [("app01", 0u32), ("app02", 44)] {
            let mut log = String::new();
            for n in 0..60u32 {
                let second = n * 97 % 60 + n * 60 + shift;
                let (path, minute) = (path.replace("{n}", &n.to_string()), second / 60);
                let time = format!("20/Nov/2026:20:{minute:02}:{:02} +0000", second % 60);
                if minute < 60 && n % 10 < 6 {
                    writeln!(log, "10.0.0.9 - - [{time}] \"GET {path} HTTP/1.1\" 200 2 \"-\" \"kube-probe/1.31\"").unwrap();
                }
            }
            put(folder.path(), &format!("logs/{host}/access.log"), &log);
        }
        let page = whyline(["diagnose", folder.path().join("logs").to_str().unwrap()]).expect(0).out;
        assert_eq!(page.contains("44.0 s"), behind, "{path}: {page}");
    }
}
