//! What lies beside an outage says what is usual, and changes nothing of what the outage was: history, logs that go on, a narrow window,
//! several services in one file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Fixture, whyline};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use tempfile::TempDir;

/// A line of an access log, at a second of 20 November 2026 UTC or of days before.
fn line(days: i64, second: i64, status: u16) -> String {
    let (hour, minute, client) = (second / 3600, second / 60 % 60, second % 90 + 1);
    let day = 20 - days;
    format!(
        "203.0.113.{client} - - [{day:02}/Nov/2026:{hour:02}:{minute:02}:{:02} +0000] \"GET /items/{second} HTTP/1.1\" {status} 512 \"-\" \"Mozilla/5.0\"\n",
        second % 60
    )
}

/// Requests every other second from 20:30 on, for ten minutes; nine of ten fail from 20:35:00 to 20:36:40.
fn outage() -> String {
    let status = |s: i64| if (300..400).contains(&s) && s % 20 != 0 { 502 } else { 200 };
    (0..600).step_by(2).map(|s| line(0, 73_800 + s, status(s))).collect()
}

fn put(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
}

fn diagnose(folder: &TempDir, more: &[&str]) -> Value {
    let args = ["diagnose", "--format", "json", folder.path().to_str().unwrap()];
    whyline(args.iter().chain(more)).expect(0).json()
}

#[test]
fn weeks_of_history_change_no_figure() {
    let folder = TempDir::new().unwrap();
    put(&folder, "web01/access.log", &outage());
    let alone = diagnose(&folder, &[]);
    let symptom = &alone["incidents"][0]["symptoms"][0];
    assert_eq!((symptom["id"].as_str(), symptom["requests"].as_u64(), symptom["failed"].as_u64()), (Some("http.502"), Some(49), Some(45)));
    let mut history: String = (1..20).rev().flat_map(|days| (0..86_400).step_by(30).map(move |s| line(days, s, 200))).collect();
    history.extend((0..73_800).step_by(30).map(|s| line(0, s, 200)));
    put(&folder, "web01/access.log", &format!("{history}{}", outage()));
    let long = diagnose(&folder, &[]);
    for key in ["id", "start", "end", "requests", "failed", "share"] {
        assert_eq!(long["incidents"][0]["symptoms"][0][key], symptom[key], "{key}");
    }
    for key in ["grade", "health", "start", "end"] {
        assert_eq!(long["incidents"][0][key], alone["incidents"][0][key], "{key}");
    }
}

#[test]
fn a_log_of_requests_that_ends_is_no_outage_unless_a_line_says_so() {
    let folder = TempDir::new().unwrap();
    let served: String = (0..600).map(|s| line(0, 73_800 + s, 200)).collect();
    put(&folder, "web01/nginx/access.log", &served);
    let mut system = String::new();
    for minute in 0..150 {
        let (hour, minute) = (20 + (30 + minute) / 60, (30 + minute) % 60);
        writeln!(system, "Nov 20 {hour:02}:{minute:02}:01 web01 CRON[{minute}]: (root) CMD (/usr/local/sbin/stats)").unwrap();
    }
    put(&folder, "web01/syslog", &system);
    assert_eq!(diagnose(&folder, &[])["incidents"].as_array().map(Vec::len), Some(0));
    // Another site that was copied until later changes nothing.
    put(
        &folder,
        "blog03/nginx/access.log",
        &(0..900)
            .map(|s| line(0, 73_801 + s, 200))
            .filter(|l| !l.contains("/items/7"))
            .collect::<String>()
            .replace("203.0.113.", "198.51.100."),
    );
    assert_eq!(diagnose(&folder, &[])["incidents"].as_array().map(Vec::len), Some(0));
    let stop = "Nov 20 20:40:01 web01 systemd[1]: nginx.service: Main process exited, code=dumped, status=11/SEGV\n\
                Nov 20 20:40:01 web01 systemd[1]: nginx.service: Failed with result 'core-dump'.\n";
    let (before, after): (Vec<&str>, Vec<&str>) = system.lines().partition(|line| line.contains(" 20:3"));
    put(&folder, "web01/syslog", &format!("{}\n{stop}{}\n", before.join("\n"), after.join("\n")));
    let told = diagnose(&folder, &[]);
    assert_eq!(told["incidents"][0]["symptoms"][0]["id"], "traffic.drop", "{told}");
}

#[test]
fn a_narrow_window_tells_the_same_of_an_incident() {
    let logs = Fixture::named("nginx-app-service-stopped").logs;
    let answer = |more: &[&str]| {
        let args = ["diagnose", "--format", "json", logs.to_str().unwrap()];
        whyline(args.iter().chain(more)).expect(0).json()
    };
    let (whole, narrow) = (answer(&[]), answer(&["--since", "2026-11-20T21:07:30Z", "--until", "2026-11-20T21:08:20Z"]));
    assert_eq!(whole["causes"][0]["id"], "app.process-down");
    for key in ["id", "confidence", "evidence", "onset"] {
        assert_eq!(narrow["causes"][0][key], whole["causes"][0][key], "{key}");
    }
    assert_eq!(narrow["incidents"], whole["incidents"]);
    // Before the incident there was none.
    assert_eq!(answer(&["--until", "2026-11-20T21:06:00Z"])["incidents"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_request_that_two_containers_of_one_file_log_counts_once() {
    let (mut proxy, mut service) = (String::new(), String::new());
    let mut both = String::new();
    for (number, access) in outage().lines().enumerate() {
        let second = 2 * number;
        let (minute, second) = (30 + second / 60, second % 60);
        let status = access.split(' ').nth(8).unwrap();
        let own = format!(
            r#"{{"time":"2026-11-20T20:{minute:02}:{second:02}.000Z","level":"info","name":"shop","method":"GET","url":"/items/{number}","status":{status},"ms":4,"msg":"request completed"}}"#
        );
        writeln!(both, "web-1   | {access}\nshop-1  | {own}").unwrap();
        writeln!(proxy, "{access}").unwrap();
        writeln!(service, "{own}").unwrap();
    }
    let [one, two] = [(); 2].map(|()| TempDir::new().unwrap());
    put(&one, "compose.log", &both);
    put(&two, "web/access.log", &proxy);
    put(&two, "shop/shop.json", &service);
    let figures = |folder: &TempDir| {
        let symptom = diagnose(folder, &[])["incidents"][0]["symptoms"][0].clone();
        ["id", "requests", "failed"].map(|key| symptom[key].to_string())
    };
    assert_eq!(figures(&one), figures(&two));
    assert_eq!(figures(&one)[2], "45");
}

#[test]
fn a_hole_of_one_server_behind_a_balancer_that_goes_on_was_felt_by_nobody() {
    // The server is told the addresses of the clients; from 20:35 on it gets nothing for a minute.
    let rests = |s: i64| (300..360).contains(&s);
    let balancer: String = (0..600).map(|s| line(0, 73_800 + s, 200)).collect();
    let server: String = (0..600).filter(|s| !rests(*s) && s % 2 == 0).map(|s| line(0, 73_800 + s, 200)).collect();
    let [alone, both] = [(); 2].map(|()| TempDir::new().unwrap());
    for folder in [&alone, &both] {
        put(folder, "web02/nginx/access.log", &server);
        put(
            folder,
            "web02/shop.log",
            &(0..600).map(|s| format!("2026-11-20 20:{:02}:{:02} INFO tick {s}\n", 30 + s / 60, s % 60)).collect::<String>(),
        );
    }
    put(&both, "lb01/nginx/access.log", &balancer);
    assert_eq!(diagnose(&alone, &[])["incidents"][0]["symptoms"][0]["id"], "traffic.drop");
    assert_eq!(diagnose(&both, &[])["incidents"].as_array().map(Vec::len), Some(0));
}
