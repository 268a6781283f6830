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
