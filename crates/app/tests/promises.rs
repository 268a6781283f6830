//! What the program promises whatever it reads: the same answer however it is asked, and options that do what they say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Fixture, Ran, finish, lines, packed, program, top, unpacked, whyline, whyline_fed};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// Fixtures that between them have every envelope and both kinds of proxy.
const THREE: [&str; 3] = ["two-redis-and-certificate", "ok-compose-evening", "flask-bad-release"];

#[test]
fn the_number_of_threads_changes_no_byte() {
    for fixture in THREE.map(Fixture::named) {
        let one = fixture.diagnose(&["--format", "json", "--threads", "1"]).expect(0);
        for threads in ["2", "8"] {
            let more = fixture.diagnose(&["--format", "json", "--threads", threads]).expect(0);
            assert!(one == more, "{}: another answer with {threads} threads", fixture.id);
        }
        let by_variable = finish(program().env("WHYLINE_THREADS", "3").args(["diagnose", "--format", "json"]).arg(&fixture.logs));
        assert!(one == by_variable, "{}: another answer with WHYLINE_THREADS=3", fixture.id);
    }
}

#[test]
fn events_come_in_their_order_with_any_number_of_threads() {
    let fixture = Fixture::named("lossy-path-to-store");
    let parse = |threads| whyline(["parse", fixture.logs.to_str().unwrap(), "--threads", threads]).expect(0);
    let one = parse("1");
    assert!(one.out == parse("8").out);
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for event in one.events() {
        let line = event["line"].as_u64().unwrap();
        let before = last.insert(event["source"].to_string(), line).unwrap_or(0);
        assert!(line > before, "{event} after line {before}");
    }
}

#[test]
fn files_may_be_named_one_by_one_in_any_order() {
    for fixture in Fixture::all() {
        let folder = fixture.diagnose(&["--format", "json"]).expect(0);
        let named =
            whyline([&["diagnose".to_string(), "--format".into(), "json".into()], &shuffled(fixture.files())[..]].concat()).expect(0);
        assert_eq!(causes(&folder.json()), causes(&named.json()), "{}", fixture.id);
        // Sources are named, and hosts guessed, from the deepest folder that holds everything named. Where that is another one,
        // the names are others.
        let same_root = common_folder(&fixture).as_os_str().is_empty();
        assert!(!same_root || folder.out == named.out, "{}: the causes are the same, other things are not", fixture.id);
    }
}

/// The deepest folder below `logs/` that holds all files.
fn common_folder(fixture: &Fixture) -> PathBuf {
    let folder = |f: &PathBuf| f.parent().unwrap().strip_prefix(&fixture.logs).unwrap().to_path_buf();
    let all =
        fixture.files().iter().map(folder).reduce(|a, b| a.iter().zip(b.iter()).take_while(|(x, y)| x == y).map(|(x, _)| x).collect());
    all.unwrap()
}

/// Another order than that of the names, but the same in every run.
fn shuffled(files: Vec<PathBuf>) -> Vec<String> {
    let mut keyed: Vec<(u32, String)> =
        files.into_iter().enumerate().map(|(i, f)| ((i as u32 + 1).wrapping_mul(2_654_435_761), f.to_str().unwrap().to_string())).collect();
    keyed.sort();
    keyed.into_iter().map(|(_, f)| f).collect()
}

fn causes(answer: &Value) -> Vec<String> {
    answer["causes"].as_array().unwrap().iter().map(|c| format!("{} {} {}", c["id"], c["entities"], c["confidence"])).collect()
}

/// The answer from a fixture without one of its files.
fn without(fixture: &Fixture, gone: &str) -> Value {
    let left = fixture.files().into_iter().filter(|file| !file.ends_with(gone));
    finish(program().args(["diagnose", "--format", "json"]).args(left)).expect(0).json()
}

#[test]
fn one_side_alone_is_not_sure() {
    // "Although the database works" is known only from the database.
    let fixture = Fixture::named("sqlalchemy-pool-exhausted");
    let log = "postgresql/postgresql-15-main.log";
    for (answer, sure) in [(fixture.diagnose(&["--format", "json"]).expect(0).json(), true), (without(&fixture, log), false)] {
        let first = &answer["causes"][0];
        assert_eq!(first["id"], "db.pool-exhausted");
        assert_eq!(first["confidence"].as_f64().unwrap() >= 0.7, sure, "{first}");
        let named = answer["missing"].as_array().unwrap().iter().any(|m| m["log"].as_str().unwrap().contains("log of the database"));
        assert_eq!(named, !sure, "{}", answer["missing"]);
    }
}

#[test]
fn time_outs_alone_do_not_accuse_a_database() {
    // Lost packets look the same from the client's side; the machine of the database counts them.
    let fixture = Fixture::named("lossy-path-to-store");
    assert_eq!(fixture.diagnose(&["--format", "json"]).expect(0).json()["causes"][0]["id"], "net.packet-loss");
    let answer = without(&fixture, "mdb-ber-1/syslog");
    assert_eq!(answer["causes"][0]["id"], "db.unavailable");
    assert!(answer["causes"][0]["confidence"].as_f64().unwrap() < 0.7, "{}", answer["causes"][0]);
    assert_eq!(answer["missing"][0]["log"], "system log of mdb-ber-1", "{}", answer["missing"]);
}

#[test]
fn a_look_into_failing_requests_begins_with_the_logs_that_were_not_given() {
    for (fixture, gone, host, log) in [
        ("nginx-upstream-cert-expired", "nginx/error.log", "web01", "error log of nginx"),
        ("uploads-disk-full", "photo-api.log", "media-app", "log of the services that run there"),
    ] {
        let answer = without(&Fixture::named(fixture), gone);
        assert!(!answer["incidents"].as_array().unwrap().is_empty() && answer["causes"].as_array().unwrap().is_empty(), "{answer}");
        let first = &answer["missing"][0];
        assert_eq!((first["host"].as_str(), first["log"].as_str()), (Some(host), Some(log)), "{}", answer["missing"]);
    }
    // A few lines of an error log are no outage; what users felt only the other log shows.
    let bundle = TempDir::new().unwrap();
    fs::create_dir(bundle.path().join("web1")).unwrap();
    let line = |n: usize| {
        format!(
            "2026/11/21 10:00:{:02} [error] 8#8: *{n} connect() failed (111: Connection refused) while connecting to upstream, client: 198.51.100.7, server: shop.example, request: \"GET /item/{n} HTTP/1.1\", upstream: \"http://10.0.0.5:8000/\", host: \"shop.example\"\n",
            n * 9
        )
    };
    fs::write(bundle.path().join("web1/error.log"), (0..6).map(line).collect::<String>()).unwrap();
    let few = whyline(["diagnose", "--format", "json", bundle.path().to_str().unwrap()]).expect(0).json();
    assert!(few["incidents"].as_array().unwrap().is_empty(), "{few}");
    assert_eq!(few["missing"][0]["log"], "access log of nginx");
    assert!(few["missing"][0]["why"].as_str().unwrap().contains("6 requests"), "{}", few["missing"]);
}

/// A service that systemd starts again and again while its proxy answers 502.
fn crash_loop() -> TempDir {
    let bundle = TempDir::new().unwrap();
    let (web, app) = (bundle.path().join("web1"), bundle.path().join("app1"));
    [&web, &app].into_iter().for_each(|host| fs::create_dir(host).unwrap());
    let clock = |second: usize| format!("10:{:02}:{:02}", second / 60, second % 60);
    let requests = (0..240).map(|second| {
        let status = if (120..200).contains(&second) { 502 } else { 200 };
        let client = second % 200 + 1;
        let time = clock(second);
        format!("198.51.100.{client} - - [21/Nov/2026:{time} +0000] \"GET /item/{second} HTTP/1.1\" {status} 512 \"-\" \"curl/8.1\" 0.050 0.050 10.0.0.5:8000\n")
    });
    fs::write(web.join("access.log"), requests.collect::<String>()).unwrap();
    let starts = (120..200).step_by(6).enumerate().map(|(n, second)| {
        let says = |second: usize, what: &str| format!("2026-11-21T{}+00:00 app1 systemd[1]: {what}\n", clock(second));
        [
            says(second, "shop.service: Main process exited, code=exited, status=1/FAILURE"),
            says(second, "shop.service: Failed with result 'exit-code'."),
            says(second + 5, &format!("shop.service: Scheduled restart job, restart counter is at {}.", n + 1)),
        ]
        .concat()
    });
    let quiet = |at: usize| format!("2026-11-21T{}+00:00 app1 CRON[{at}]: (root) CMD (/usr/local/bin/stats)\n", clock(at));
    let log = [0, 30, 60, 90].map(quiet).concat() + &starts.collect::<String>() + &[210, 239].map(quiet).concat();
    fs::write(app.join("syslog"), log).unwrap();
    bundle
}

#[test]
fn what_only_the_supervisor_saw_is_not_sure() {
    let bundle = crash_loop();
    let ask = || whyline(["diagnose", "--format", "json", bundle.path().to_str().unwrap()]).expect(0).json();
    let alone = ask();
    assert_eq!(alone["causes"][0]["id"], "app.crash");
    assert!(alone["causes"][0]["confidence"].as_f64().unwrap() < 0.7, "{}", alone["causes"][0]);
    assert!(alone["missing"][0]["command"].as_str().unwrap().contains("journalctl -u shop.service"), "{}", alone["missing"]);
    // The service's own log is there and has nothing else to say.
    let lines = (0..240).step_by(4).filter(|second| !(120..200).contains(second));
    let line = |second| format!("2026-11-21T10:{:02}:{:02}+00:00 INFO worker heartbeat {second}\n", second / 60, second % 60);
    fs::write(bundle.path().join("app1/shop.log"), lines.map(line).collect::<String>()).unwrap();
    let both = ask();
    assert_eq!(both["causes"][0]["id"], "app.crash");
    assert!(both["causes"][0]["confidence"].as_f64().unwrap() >= 0.7, "{}", both["causes"][0]);
}

/// A bundle in which only the error log of the proxy `web1` was given, with a line a second for eighty seconds, beside requests that went
/// well elsewhere. `says` is the line's message and upstream.
fn proxy_without_access_log(says: impl Fn(usize) -> (&'static str, String)) -> Value {
    proxy_with_access_log_of(0..0, says)
}

/// The same with an access log of the proxy's own that holds only some of the seconds.
fn proxy_with_access_log_of(own: std::ops::Range<usize>, says: impl Fn(usize) -> (&'static str, String)) -> Value {
    let bundle = TempDir::new().unwrap();
    let (web, other) = (bundle.path().join("web1"), bundle.path().join("shop2"));
    [&web, &other].into_iter().for_each(|host| fs::create_dir(host).unwrap());
    let clock = |second: usize| format!("10:{:02}:{:02}", second / 60, second % 60);
    let errors = (120..200).map(|second| {
        let (message, upstream) = says(second);
        format!(
            "2026/11/21 {} [error] 8#8: *{second} {message}, client: 198.51.100.7, server: shop.example, request: \"GET /item/{second} HTTP/1.1\"{upstream}, host: \"shop.example\"\n",
            clock(second)
        )
    });
    fs::write(web.join("error.log"), errors.collect::<String>()).unwrap();
    let request = |second, at| {
        format!("203.0.113.9 - - [21/Nov/2026:{} +0000] \"GET /{at}/{second} HTTP/1.1\" 200 512 \"-\" \"curl/8.1\"\n", clock(second))
    };
    fs::write(other.join("access.log"), (0..240).map(|second| request(second, "page")).collect::<String>()).unwrap();
    if !own.is_empty() {
        fs::write(web.join("access.log"), own.map(|second| request(second, "item")).collect::<String>()).unwrap();
    }
    whyline(["diagnose", "--format", "json", bundle.path().to_str().unwrap()]).expect(0).json()
}

fn refused(address: &str) -> (&'static str, String) {
    ("connect() failed (111: Connection refused) while connecting to upstream", format!(", upstream: \"http://{address}/\""))
}

#[test]
fn an_error_log_stands_in_for_the_access_log() {
    let felt = |answer: &Value| -> Vec<String> {
        let symptoms = answer["incidents"].as_array().unwrap().iter().flat_map(|i| i["symptoms"].as_array().unwrap());
        symptoms.map(|s| format!("{} {}", s["id"].as_str().unwrap(), s["entity"].as_str().unwrap())).collect()
    };
    let one = proxy_without_access_log(|_| refused("10.0.0.5:8000"));
    assert_eq!(felt(&one), ["http.502 host:web1"]);
    assert_eq!((&one["incidents"][0]["grade"], &one["incidents"][0]["health"]), (&Value::from("P2"), &Value::Null));
    // So it does for the time that the piece of the access log at hand does not hold, and not where requests were logged beside it.
    for (own, told) in [(230..400, true), (10..60, true), (0..240, false)] {
        let piece = proxy_with_access_log_of(own.clone(), |_| refused("10.0.0.5:8000"));
        assert_eq!(felt(&piece), if told { vec!["http.502 host:web1"] } else { Vec::new() }, "{own:?}");
    }
    // A proxy with two servers asks the other one; when these are restarted one by one nobody feels it.
    let rolling = proxy_without_access_log(|second| refused(if second < 160 { "10.0.0.5:8000" } else { "10.0.0.6:8000" }));
    assert_eq!(felt(&rolling), Vec::<String>::new());
    // What the proxy answers itself is an answer for certain, and still nobody knows what went well.
    let large = proxy_without_access_log(|_| ("client intended to send too large body: 10485761 bytes", String::new()));
    assert_eq!(felt(&large), ["http.413 host:web1"]);
    assert_eq!((&large["incidents"][0]["grade"], &large["incidents"][0]["health"]), (&Value::from("P3"), &Value::Null));
}

#[test]
fn standard_input_is_read_like_a_file() {
    let fixture = Fixture::named("two-redis-and-certificate");
    let file = fixture.logs.join("account01/account/account.log");
    let bytes = unpacked(&file);
    let by_name = whyline(["diagnose", "--format", "json", file.to_str().unwrap()]).expect(0);
    assert_eq!(by_name.json()["causes"][0]["id"], "cache.unavailable");
    for fed in [bytes.clone(), packed(&bytes)] {
        let piped = whyline_fed(&["diagnose", "--format", "json", "-"], &fed).expect(0);
        assert_eq!(piped.out.replace("\"-\"", "\"account.log\""), by_name.out);
    }
}

#[test]
fn an_error_log_alone_is_enough() {
    let diagnose = |fixture: &str| {
        let file = Fixture::named(fixture).logs.join("web01/nginx/error.log");
        whyline(["diagnose", "--format", "json", file.to_str().unwrap()]).expect(0).json()
    };
    let expired = diagnose("nginx-upstream-cert-expired");
    assert_eq!(expired["causes"][0]["id"], "tls.certificate-expired");
    // Refusals alone do not say why nothing listens: the trouble is told, and which log would decide.
    let refused = diagnose("nginx-app-service-stopped");
    assert_eq!(refused["incidents"][0]["symptoms"][0]["id"], "http.502");
    assert!(refused["causes"].as_array().unwrap().iter().all(|c| c["confidence"].as_f64().unwrap() < 0.7));
    assert!(!refused["missing"].as_array().unwrap().is_empty());
}

#[test]
fn the_books_of_every_fixture_balance() {
    for fixture in Fixture::all() {
        let ran = whyline(["parse", "--format", "none", fixture.logs.to_str().unwrap()]).expect(0);
        let real: usize = fixture.files().iter().map(|f| lines(f).len()).sum();
        assert_eq!(ran.books().0, real as u64, "{}", fixture.id);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn every_event_says_where_it_stands() {
    for fixture in ["uploads-disk-full", "node-fd-exhausted"].map(Fixture::named) {
        let files: BTreeMap<String, (Vec<u8>, Vec<String>)> = fixture
            .files()
            .iter()
            .map(|f| (f.strip_prefix(&fixture.logs).unwrap().to_str().unwrap().to_string(), (unpacked(f), lines(f))))
            .collect();
        let ran = whyline(["parse", fixture.logs.to_str().unwrap()]).expect(0);
        let events = ran.events();
        assert_eq!(ran.books().1, events.len() as u64);
        for event in &events {
            let number = |key: &str| event[key].as_u64().unwrap() as usize;
            let (bytes, lines) = &files[event["source"].as_str().unwrap()];
            let there = String::from_utf8_lossy(&bytes[number("offset")..number("offset") + number("length")]);
            let by_line = lines[number("line") - 1..number("line") - 1 + number("lines")].join("\n");
            assert_eq!(there, by_line, "{event}");
        }
    }
}

#[test]
fn before_the_onset_nothing_is_found() {
    for fixture in Fixture::all().iter().filter(|f| !f.healthy()) {
        let onset: jiff::Timestamp = fixture.truth["window"]["onset"].as_str().unwrap().parse().unwrap();
        let before = onset.checked_sub(jiff::SignedDuration::from_secs(10)).unwrap().to_string();
        let answer = fixture.diagnose(&["--format", "json", "--until", &before]).expect(0).json();
        assert_eq!((&answer["causes"], &answer["incidents"]), (&Value::Array(vec![]), &Value::Array(vec![])), "{}", fixture.id);
        let text = fixture.diagnose(&["--until", &before]).expect(0);
        assert!(text.out.starts_with("Nothing found"), "{}: {}", fixture.id, text.out);
    }
}

#[test]
fn a_window_around_one_of_two_incidents_shows_that_one() {
    let fixture = Fixture::named("two-redis-and-certificate");
    let found = |more: &[&str]| -> Vec<String> {
        let answer = fixture.diagnose(&[&["--format", "json"], more].concat()).expect(0).json();
        answer["causes"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(found(&["--until", "2026-11-21T09:44:30Z"]), ["cache.unavailable"]);
    assert_eq!(found(&["--since", "2026-11-21 09:44"]), ["tls.certificate-expired"]);
    assert_eq!(found(&["--since", "-2m"]), ["tls.certificate-expired"]);
    assert_eq!(found(&["--around", "09:43", "--window", "75s"]), ["cache.unavailable"]);
}

/// One file in an empty folder.
fn kept(name: &str, text: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let path = folder.path().to_str().unwrap().to_string();
    (folder, path)
}

fn stamps(ran: &Ran) -> Vec<String> {
    ran.events().iter().map(|e| e["timestamp"].as_str().unwrap().to_string()).collect()
}

#[test]
fn tz_moves_stamps_without_a_zone_and_no_others() {
    let (_folder, path) = kept("a.log", "2026-11-21 10:00:00 INFO one\n2026-11-21T10:00:00Z INFO two\n2026-07-01 10:00:00 INFO three\n");
    let with = |zone: &str| stamps(&whyline(["parse", "--tz", zone, &path]).expect(0));
    let given = "2026-11-21T10:00:00Z";
    assert_eq!(with("UTC"), ["2026-11-21T10:00:00Z", given, "2026-07-01T10:00:00Z"]);
    assert_eq!(with("+02:00"), ["2026-11-21T08:00:00Z", given, "2026-07-01T08:00:00Z"]);
    assert_eq!(with("Europe/Zurich"), ["2026-11-21T09:00:00Z", given, "2026-07-01T08:00:00Z"]);
    let basis = &whyline(["parse", &path]).expect(0).events()[0]["time.basis"];
    assert_eq!(basis, "zone-assumed");
}

#[test]
fn tz_may_be_told_for_one_host() {
    let (_folder, path) = kept("web7/a.log", "2026-11-21 10:00:00 INFO one\n");
    fs::create_dir(format!("{path}/web8")).unwrap();
    fs::write(format!("{path}/web8/b.log"), "2026-11-21 10:00:00 INFO two\n").unwrap();
    let ran = whyline(["parse", "--tz", "web8=-05:00", "--tz", "+01:00", &path]).expect(0);
    assert_eq!(stamps(&ran), ["2026-11-21T09:00:00Z", "2026-11-21T15:00:00Z"]);
}

#[test]
fn year_is_that_of_the_first_stamp_without_one() {
    let (_folder, path) = kept("syslog", "Dec 31 23:59:58 web7 sshd[811]: one\nJan  1 00:00:03 web7 sshd[811]: two\n");
    let with = |year: &str| stamps(&whyline(["parse", "--tz", "UTC", "--year", year, &path]).expect(0));
    assert_eq!(with("2019"), ["2019-12-31T23:59:58Z", "2020-01-01T00:00:03Z"]);
    assert_eq!(with("2024"), ["2024-12-31T23:59:58Z", "2025-01-01T00:00:03Z"]);
    let event = &whyline(["parse", "--year", "2019", &path]).expect(0).events()[0];
    assert_eq!(event["time.basis"], "year-inferred");
}

#[test]
fn host_says_whose_logs_these_are() {
    let (_folder, path) = kept("collected/one.log", "2026-11-21 10:00:00 INFO one\n");
    fs::write(format!("{path}/collected/two.log"), "2026-11-21 10:00:01 INFO two\n").unwrap();
    let hosts = |more: &[&str]| -> Vec<Value> {
        let ran = whyline([&["parse", &path], more].concat()).expect(0);
        ran.events().iter().map(|e| e["attributes"]["host.name"].clone()).collect()
    };
    assert_eq!(hosts(&[]), [Value::Null, Value::Null]);
    assert_eq!(hosts(&["--host", "web7=*one*"]), [Value::from("web7"), Value::Null]);
    assert_eq!(hosts(&["--host", "web7=one.log", "--host", "web8=*"]), [Value::from("web7"), Value::from("web8")]);
}

#[test]
fn files_keep_their_date_for_nothing() {
    // Only what stands in the logs may count: a bundle that was copied has lost the times of its files.
    let fixture = Fixture::named("mariadb-stopped");
    let copy = TempDir::new().unwrap();
    for file in fixture.files() {
        let to = copy.path().join(file.strip_prefix(&fixture.logs).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&file, &to).unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        fs::File::options().append(true).open(&to).unwrap().set_modified(long_ago).unwrap();
    }
    let old = whyline(["diagnose", "--format", "json", copy.path().to_str().unwrap()]).expect(0);
    assert!(old.out == fixture.diagnose(&["--format", "json"]).expect(0).out);
}

/// Logs of several blocks: a proxy, and the log of many machines whose services complain of one database, each since another second.
fn large_bundle(folder: &std::path::Path) {
    use std::fmt::Write;
    let (mut access, mut app) = (String::new(), String::new());
    for n in 0..24_000u32 {
        let (second, host) = (n / 4, n * 7 % 12);
        let time = format!("{:02}:{:02}:{:02}", 8 + second / 3600, second / 60 % 60, second % 60);
        let down = (3000 + 9 * host..4000).contains(&second);
        let (status, agent) = (if down { 502 } else { 200 }, "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0");
        let _ = writeln!(
            access,
            "198.51.100.{} - - [21/Nov/2026:{time} +0000] \"GET /items/{n} HTTP/1.1\" {status} {} \"-\" \"{agent}\" rt=0.0{:02} up=10.0.0.{host}:8080",
            n % 200,
            n % 5000,
            n % 90 + 10
        );
        let (level, message) = match down {
            true => ("ERROR", "could not connect to 10.9.0.7:5432: Connection refused"),
            false => ("INFO", "item was handed out"),
        };
        let _ = writeln!(
            app,
            r#"{{"ts":"2026-11-21T{time}.{:03}Z","level":"{level}","host":"app-{host:02}","service":"items","trace":"{:032x}","msg":"{message}"}}"#,
            n % 1000,
            u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        );
    }
    std::fs::write(folder.join("access.log"), access).unwrap();
    std::fs::write(folder.join("app.log"), app).unwrap();
}

#[test]
fn the_number_of_threads_changes_no_byte_of_large_logs() {
    let folder = tempfile::tempdir().unwrap();
    large_bundle(folder.path());
    let diagnose = |threads| whyline(["--threads", threads, "diagnose", "--format", "json", folder.path().to_str().unwrap()]).expect(0);
    let one = diagnose("1");
    assert!(one.out.contains("10.9.0.7"), "the database is not spoken of");
    for threads in ["2", "3", "7", "2", "3"] {
        assert!(one == diagnose(threads), "another answer with {threads} threads");
    }
}

/// Nobody is sent for what lies on the table, nor for the logs of a time server on the internet.
#[test]
fn logs_that_were_given_are_not_asked_for() {
    let asked = |name: &str| {
        let archive = top().join("tests/incidents").join(format!("{name}.tar.gz"));
        let answer = whyline(["diagnose", "--format", "json", archive.to_str().unwrap()]).expect(0).json();
        let list = answer["missing"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| format!("{}: {}", m["host"].as_str().unwrap(), m["log"].as_str().unwrap()));
        list.collect::<Vec<_>>()
    };
    // Both servers log every request with its duration; the balancer's own log tells what users felt.
    let slow = asked("search-slow-for-two-minutes");
    assert!(
        !slow.is_empty() && !slow.iter().any(|log| log.contains("duration of each request") || log.contains("request times as")),
        "{slow:#?}"
    );
    // chronyd names the server that it follows.
    let replica = asked("replica-stopped-on-duplicate-key");
    assert!(
        replica.contains(&"shop1: error log of nginx".to_string()) && !replica.iter().any(|log| log.contains("162.159.")),
        "{replica:#?}"
    );
}

/// lograge's durations are milliseconds, however it is told to write them.
#[test]
fn durations_of_rails_are_milliseconds() {
    let lines = [
        "method=GET path=/cart format=html controller=CartsController action=show status=200 duration=58.33 view=40.43 db=15.26",
        r#"{"method":"GET","path":"/cart","format":"html","controller":"CartsController","action":"show","status":200,"duration":58.33,"view":40.43,"db":15.26,"@timestamp":"2026-11-20T20:31:07.402Z"}"#,
        r#"I, [2026-11-20T20:31:07.402112 #932]  INFO -- : method=GET path=/cart format=html controller=CartsController action=show status=200 duration=58.33 view=40.43 db=15.26"#,
    ];
    for line in lines {
        let events = whyline_fed(&["parse", "-"], format!("{line}\n").as_bytes()).expect(0).events();
        let attributes = &events[0]["attributes"];
        assert_eq!(
            (attributes["http.server.request.duration"].as_f64(), &attributes["url.path"]),
            (Some(0.05833), &"/cart".into()),
            "{line}: {attributes:#}"
        );
    }
}
