//! Measures over requests that a few lines made for the purpose show: what they must see, and what they must not take for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::whyline;
use std::fs;
use tempfile::TempDir;

/// A time of day from seconds behind 20:00.
fn clock(second: i64) -> String {
    format!("{:02}:{:02}:{:02}", 20 + second / 3600, second / 60 % 60, second % 60)
}

/// A line of nginx with the time that a request took and the upstream.
fn served(second: i64, path: &str, status: u16, took: f64, upstream: &str) -> String {
    let client = second % 90 + 1;
    format!(
        "203.0.113.{client} - - [20/Nov/2026:{} +0000] \"GET {path} HTTP/1.1\" {status} 512 \"-\" \"Mozilla/5.0\" rt={took:.3} ua=\"{upstream}\"\n",
        clock(second)
    )
}

fn put(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
}

/// The whole reasoning over a folder, as text.
fn explained(folder: &TempDir) -> String {
    whyline(["diagnose", "--explain", folder.path().to_str().unwrap()]).expect(0).out
}

#[test]
fn a_group_of_servers_has_not_moved() {
    let log = |name: &str| -> String {
        let upstream = |s: i64| match s {
            0..300 if s % 50 == 7 => name,
            0..300 => "10.1.0.4:8000",
            300..400 => name,
            _ => "10.1.0.9:8000",
        };
        let status = |s: i64| if upstream(s) == name { 502 } else { 200 };
        (0..600).map(|s| served(s, "/carts/7", status(s), 0.004, upstream(s))).collect()
    };
    let folder = TempDir::new().unwrap();
    put(&folder, "edge-1/nginx/access.log", &log("10.1.0.5:8000"));
    assert!(explained(&folder).contains("upstream.moved"), "an address that served before has moved");
    put(&folder, "edge-1/nginx/access.log", &log("shop-cart-http"));
    let told = explained(&folder);
    assert!(told.contains("http.502") && !told.contains("upstream.moved"), "{told}");
}

/// A proxy that waits for eight seconds at most, before a service that ends nothing for ten seconds and then all at once.
#[test]
fn a_service_that_stands_still_is_no_short_time_out() {
    let busy = |s: i64| (300..420).contains(&s);
    let edge: String = (0..600)
        .flat_map(|s| (0..5).map(move |n| (s, format!("/bills/{}", s * 5 + n))))
        .map(
            |(s, path)| {
                if busy(s) { served(s + 8, &path, 504, 8.001, "10.1.0.4:8000") } else { served(s, &path, 200, 0.02, "10.1.0.4:8000") }
            },
        )
        .collect();
    let gave_up = |s: i64, path: &str| {
        format!(
            "2026/11/20 {} [error] 811#811: *5 upstream timed out (110: Connection timed out) while reading response header from upstream, client: 203.0.113.9, server: shop.example, request: \"GET {path} HTTP/1.1\", upstream: \"http://10.1.0.4:8000{path}\", host: \"shop.example\"\n",
            clock(s)
        )
    };
    let errors: String = (300..420).flat_map(|s| (0..5).map(move |n| gave_up(s + 8, &format!("/bills/{}", s * 5 + n)))).collect();
    let line = |s: i64, path: &str| format!("2026-11-20T{}.400Z INFO: 10.1.0.2:40112 - \"GET {path} HTTP/1.1\" 200 OK\n", clock(s));
    let own: String = (0..600)
        .flat_map(|s| (0..5).map(move |n| (s, format!("/bills/{}", s * 5 + n))))
        .map(|(s, path)| line(if busy(s) { s / 10 * 10 + 10 } else { s }, &path))
        .collect();
    let folder = TempDir::new().unwrap();
    put(&folder, "edge-1/nginx/access.log", &edge);
    put(&folder, "edge-1/nginx/error.log", &errors);
    put(
        &folder,
        "api-1/api.log",
        &format!("2026-11-20T20:00:00.000Z INFO: Uvicorn running on http://10.1.0.4:8000 (Press CTRL+C to quit)\n{own}"),
    );
    let told = explained(&folder);
    assert!(told.contains("it ended no request at all for 1"), "{told}");
    assert!(told.lines().next().unwrap().contains("app.slow-response"), "{told}");
    // Where the service's own log is not there, the proxy's alone tells that its time-out fitted all the time.
    fs::remove_file(folder.path().join("api-1/api.log")).unwrap();
    let is_told = |told: &str| told.contains(". proxy.timeout-too-short ");
    assert!(!is_told(&explained(&folder)));
    let off = folder.path().join("off.yaml");
    fs::write(&off, "off: [upstream.timeout-far-above-usual]\n").unwrap();
    let logs = folder.path().join("edge-1");
    let told = whyline(["diagnose", "--rules", off.to_str().unwrap(), logs.to_str().unwrap()]).expect(0).out;
    assert!(is_told(&told), "{told}");
}

/// Orders fail from 20:05:00 to 20:06:40; two machines run Redis, of which one is shut down meanwhile, and may
/// say when it is there again. What the application says of each failure is given.
fn with_a_store_shut_down(complaint: &str, comes_back: bool) -> TempDir {
    let fails = |s: i64| (300..400).contains(&s) && s % 2 == 0;
    let folder = TempDir::new().unwrap();
    let path = |s: i64| if s % 2 == 0 { "/orders" } else { "/status" };
    let edge: String = (0..600).map(|s| served(s, path(s), if fails(s) { 500 } else { 200 }, 0.02, "10.1.0.4:8000")).collect();
    put(&folder, "edge-1/nginx/access.log", &edge);
    let own: String = (0..600)
        .map(|s| match fails(s) {
            true => format!("2026-11-20T{}.300Z ERROR orders - order {s} failed: {complaint}\n", clock(s)),
            false => format!("2026-11-20T{}.300Z INFO orders - order {s} placed\n", clock(s)),
        })
        .collect();
    put(&folder, "app-1/orders.log", &format!("2026-11-20T20:00:00.000Z INFO orders - listening on http://10.1.0.4:8000\n{own}"));
    for (host, is_ill) in [("cache-1", false), ("cache-2", true)] {
        let line = |s: i64| match s {
            300 if is_ill => format!("811:M 20 Nov 2026 {}.100 # User requested shutdown...\n", clock(s)),
            400 if is_ill && comes_back => format!("811:M 20 Nov 2026 {}.100 * Ready to accept connections\n", clock(s)),
            301..=400 if is_ill => String::new(),
            _ => format!("811:M 20 Nov 2026 {}.100 * DB saved on disk\n", clock(s)),
        };
        put(&folder, &format!("{host}/redis/redis-server.log"), &(0..600).step_by(10).map(line).collect::<String>());
    }
    folder
}

#[test]
fn a_store_that_says_it_is_ill_is_what_nobody_names() {
    // The application names neither what it asks nor where.
    for (complaint, comes_back) in
        [("timeout of 4000ms exceeded", true), ("redis.exceptions.TimeoutError: Timeout reading from socket", false)]
    {
        let folder = with_a_store_shut_down(complaint, comes_back);
        let told = explained(&folder);
        assert!(told.starts_with("cache.unavailable, redis on cache-2") && !told.contains("2. "), "{told}");
    }
    // Where nothing tells how long it lasted, it is the first to look at all the same.
    let told = explained(&with_a_store_shut_down("timeout of 4000ms exceeded", false));
    assert!(told.contains("cache.unavailable, redis on cache-2") && !told.contains("2. "), "{told}");
}

/// A server hangs from 20:05:00 on; from 20:05:40 on, when the balancer has taken it out or not, requests are refused.
fn hangs_then_refused(is_taken_out: bool) -> String {
    let request = |s: i64, server: &str, times: &str, status: u16, end: &str| {
        format!(
            "2026-11-20T{}.300+00:00 lb-1 haproxy[811]: 203.0.113.{}:40112 [20/Nov/2026:{}.300] www seats/{server} {times} {status} 198 - - {end} 9/9/8/8/0 0/0 \"GET /halls/{s} HTTP/1.1\"\n",
            clock(s),
            s % 90 + 1,
            clock(s)
        )
    };
    let line = |s: i64| match s {
        300..340 => request(s, "seat1", "0/0/0/-1/12000", 504, "sH--"),
        340..440 => request(s, "<NOSRV>", "0/-1/-1/-1/0", 503, "SC--"),
        _ => request(s, "seat1", "0/0/0/3/3", 200, "----"),
    };
    let down = format!(
        "2026-11-20T{}.100+00:00 lb-1 haproxy[811]: Server seats/seat1 is DOWN, reason: Layer7 timeout, check duration: 5000ms. 0 active and 0 backup servers left. 9 sessions active, 0 requeued, 0 remaining in queue.\n",
        clock(340)
    );
    let lines = |from: i64, to: i64| (from..to).map(line).collect::<String>();
    format!("{}{}{}", lines(0, 340), if is_taken_out { down } else { String::new() }, lines(340, 600))
}

#[test]
fn a_server_that_is_taken_out_is_a_step_of_one_trouble() {
    let folder = TempDir::new().unwrap();
    let incidents = |text: &str| {
        put(&folder, "lb-1/haproxy.log", text);
        let told = whyline(["diagnose", "--format", "json", folder.path().to_str().unwrap()]).expect(0).json();
        told["incidents"].as_array().map(Vec::len)
    };
    assert_eq!(incidents(&hangs_then_refused(true)), Some(1));
    assert_eq!(incidents(&hangs_then_refused(false)), Some(2));
}

/// What ends TLS in front tells of handshakes that fail from 20:05:00 on, of so many clients; behind it all requests come from one address.
fn handshakes_fail(clients: i64, every: i64) -> TempDir {
    let folder = TempDir::new().unwrap();
    let failed = |s: i64| {
        let client = s % clients + 1;
        format!(
            "20261120T{}.659554 [ 1909] 203.0.113.{client}:58746 :0 9:10 Handshake failure: error:0A000102:SSL routines::unsupported protocol\n",
            clock(s).replace(':', "")
        )
    };
    let begun = "20261120T200000.598279 [ 1885] {core} hitch 1.7.2 starting\n";
    put(&folder, "tls-1/hitch.log", &format!("{begun}{}", (300..400).map(failed).collect::<String>()));
    let missing = |s: i64| (300..400).contains(&s) && s % every == 0;
    let requests = (0..600).filter(|s| !missing(*s)).flat_map(|s| [s, s]);
    let log: String = requests
        .map(|s| served(s, "/items", 200, 0.02, "10.1.0.4:8000").replacen(&format!("203.0.113.{} ", s % 90 + 1), "127.0.0.1 ", 1))
        .collect();
    put(&folder, "web-1/nginx/access.log", &log);
    folder
}

#[test]
fn handshakes_behind_which_requests_are_missed_are_felt() {
    let told = explained(&handshakes_fail(60, 3));
    assert!(told.contains("TLS handshakes failed at tls-1, 100 times"), "{told}");
    // All requests arrive, or one client tries again and again.
    for folder in [handshakes_fail(60, 1000), handshakes_fail(5, 3)] {
        assert!(explained(&folder).starts_with("Nothing found"));
    }
}

#[test]
fn what_comes_all_of_a_sudden_is_shown_though_all_is_served() {
    let noted = |lines: &[(i64, &str)]| -> Vec<String> {
        let folder = TempDir::new().unwrap();
        put(&folder, "edge-1/nginx/access.log", &(0..600).map(|s| served(s, "/items", 200, 0.02, "10.1.0.4:8000")).collect::<String>());
        let mut log: Vec<(i64, String)> =
            (0..600).step_by(5).map(|s| (s, format!("2026-11-20T{}.100Z INFO shop - page built\n", clock(s)))).collect();
        log.extend(lines.iter().map(|(s, text)| (*s, format!("2026-11-20T{}.300Z {text}\n", clock(*s)))));
        log.sort();
        put(&folder, "app-1/shop.log", &log.into_iter().map(|(_, line)| line).collect::<String>());
        let told = whyline(["diagnose", "--format", "json", folder.path().to_str().unwrap()]).expect(0).json();
        assert_eq!(told["incidents"].as_array().map(Vec::len), Some(0));
        told["noted"].as_array().unwrap().iter().map(|noted| noted["fault"].as_str().unwrap().to_string()).collect()
    };
    let denied = "WARN shop - open /var/lib/shop/sess_1: Permission denied";
    let many: Vec<(i64, &str)> = (250..310).map(|s| (s, denied)).collect();
    assert_eq!(noted(&many), ["host.permission-denied"]);
    // A few; many all the time.
    assert_eq!(noted(&many[..20]), [""; 0]);
    assert_eq!(noted(&(0..600).map(|s| (s, denied)).collect::<Vec<_>>()), [""; 0]);
    let raised = "ERROR shop - TypeError: Cannot read properties of undefined (reading 'split')";
    assert_eq!(noted(&[(300, raised)]), ["app.unhandled-exception"]);
    assert_eq!(noted(&[(120, raised), (300, raised)]), [""; 0]);
}

#[test]
fn the_machine_whose_clock_was_wrong_is_accused() {
    let folder = TempDir::new().unwrap();
    let fails = |s: i64| (300..400).contains(&s) && s % 4 != 0;
    put(
        &folder,
        "edge-1/nginx/access.log",
        &(0..600).map(|s| served(s, "/docs/7", if fails(s) { 401 } else { 200 }, 0.02, "10.1.0.4:8000")).collect::<String>(),
    );
    let own = (0..600).map(|s| match fails(s) {
        true => format!("2026-11-20T{}.300Z WARN vault - request {s} rejected: jwt not active\n", clock(s)),
        false => format!("2026-11-20T{}.300Z INFO vault - request {s} served\n", clock(s)),
    });
    put(
        &folder,
        "vault-1/vault.log",
        &format!("2026-11-20T20:00:00.000Z INFO vault - listening on http://10.1.0.4:8000\n{}", own.collect::<String>()),
    );
    let told = explained(&folder);
    assert!(told.starts_with("time.clock-skew, vault-1"), "{told}");
    let cron =
        (0..10).map(|minute| format!("2026-11-20T20:{minute:02}:01.000000+00:00 login-1 CRON[811]: (root) CMD (/usr/local/sbin/stats)\n"));
    let step = "2026-11-20T20:06:41.100000+00:00 login-1 chronyd[611]: System clock wrong by -187.004411 seconds\n";
    let (before, after): (Vec<String>, Vec<String>) = cron.partition(|line| line.as_str() < "2026-11-20T20:06:30");
    put(&folder, "login-1/syslog", &format!("{}{step}{}", before.concat(), after.concat()));
    let told = explained(&folder);
    assert!(told.starts_with("time.clock-skew, login-1"), "{told}");
}

/// Requests for many paths that one or two servers answer a hundred times slower from 20:05:00 to 20:06:40, by their own log as well.
fn slow(servers: i64, said: &str) -> String {
    let folder = TempDir::new().unwrap();
    let is_slow = |s: i64| (300..400).contains(&s);
    let path = |s: i64| format!("/{}/7", ["items", "carts", "bills", "pages"][(s / 2 % 4) as usize]);
    let ended = |s: i64| if is_slow(s) { s + 4 } else { s };
    let took = |s: i64| if is_slow(s) { 4.0 } else { 0.02 };
    let status = |s: i64| if is_slow(s) && s % 3 > 0 { 504 } else { 200 };
    let upstream = |s: i64| s % 2 % servers;
    put(
        &folder,
        "edge-1/nginx/access.log",
        &(0..600).map(|s| served(ended(s), &path(s), status(s), took(s), &format!("10.1.0.{}:8000", 4 + upstream(s)))).collect::<String>(),
    );
    for server in 0..servers {
        let mut own = format!("2026-11-20T20:00:00.000Z INFO shop - listening on http://10.1.0.{}:8000\n", 4 + server);
        for s in (0..600).filter(|s| upstream(*s) == server) {
            own.push_str(&format!(
                "2026-11-20T{}.100Z INFO shop - GET {} status=200 duration={}ms\n",
                clock(ended(s)),
                path(s),
                took(s) * 1000.0
            ));
            if is_slow(s) && !said.is_empty() {
                own.push_str(&format!("2026-11-20T{}.200Z {said}\n", clock(ended(s))));
            }
        }
        put(&folder, &format!("app-{server}/shop.log"), &own);
    }
    explained(&folder)
}

#[test]
fn machines_that_become_slow_at_once_may_share_the_reason() {
    let told = slow(1, "");
    assert!(told.starts_with("app.slow-response, shop on app-0"), "{told}");
    let told = slow(2, "");
    assert!(told.starts_with("not sure, but likely app.slow-response") && told.contains("/proc/pressure"), "{told}");
    let told = slow(2, "WARN shop - slow request: took 4000 ms");
    assert!(told.starts_with("app.slow-response, shop on app-"), "{told}");
}
