//! `whyline store`: saying what is kept, and keeping it small.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects, in its helpers as well")]

mod common;

use common::{Ran, finish, program};
use std::fs;
use std::path::Path;

fn run(store: &Path, arguments: &[&str]) -> Ran {
    finish(program().arg("--store").arg(store).args(arguments))
}

/// Two services over two hours, and a plain text without any time.
fn logs(folder: &Path) -> String {
    fs::create_dir_all(folder).unwrap();
    for (name, offset) in [("shop.log", 0), ("pay.log", 30)] {
        let line = |n: u32| {
            let second = n * 2 + offset;
            format!(
                "2026-11-20T{:02}:{:02}:{:02}Z WARN {name} request {n:05} of user u{} was slow\n",
                10 + second / 3600,
                second / 60 % 60,
                second % 60,
                n % 90
            )
        };
        fs::write(folder.join(name), (0..3600).map(line).collect::<String>()).unwrap();
    }
    fs::write(folder.join("notes.txt"), "what we did\nrestarted the shop\n").unwrap();
    folder.to_str().unwrap().to_string()
}

fn count(store: &Path, arguments: &[&str]) -> u64 {
    run(store, &[&["query", "--count"], arguments].concat()).out.trim().parse().unwrap()
}

#[test]
fn told_checked_and_made_small() {
    let place = tempfile::tempdir().unwrap();
    let (store, folder) = (place.path().join("store"), place.path().join("logs"));
    let logs = logs(&folder);
    run(&store, &["ingest", &logs]).expect(0);
    let info = run(&store, &["store", "info", "--format", "json"]).expect(0).json();
    assert_eq!((info["events"].as_u64(), info["unfinished"].as_u64(), info["form"].as_u64()), (Some(7202), Some(0), Some(3)));
    assert_eq!((info["first"].as_str(), info["last"].as_str()), (Some("2026-11-20T10:00:00Z"), Some("2026-11-20T12:00:28Z")));
    assert_eq!(info["sources"].as_array().unwrap().len(), 3);
    assert!(info["ratio"].as_f64().unwrap() < 0.4, "{info}");
    let text = run(&store, &["store", "info"]).expect(0).out;
    assert!(text.contains("7,202 events of 3 sources") && text.contains("shop.log: 3,600 records"), "{text}");
    assert!(run(&store, &["store", "verify"]).expect(0).out.contains("as they were written"));

    // Old events go, the later ones and those without a time stay.
    let later = count(&store, &["*", "--since", "2026-11-20T11:30:00Z"]);
    let shown = run(&store, &["query", "*", "--since", "2026-11-20T11:30:00Z"]).out;
    run(&store, &["store", "rm", "--before", "2026-11-20T11:30:00Z"]).expect(0);
    let timeless = count(&store, &["source:notes.txt"]);
    assert_eq!(count(&store, &["*"]), later + timeless);
    assert_eq!(run(&store, &["query", "*", "--since", "2026-11-20T11:30:00Z"]).out, shown);
    run(&store, &["store", "rm", "--before", "2026-11-20T11:30:00Z"]).expect(1);
    // What was removed is not stored again: the source is known.
    run(&store, &["ingest", &logs]).expect(0);
    assert_eq!(count(&store, &["*"]), later + timeless);

    let pay = count(&store, &["source:pay.log"]);
    assert!(pay > 0);
    run(&store, &["store", "rm", "--source", "pay.*"]).expect(0);
    assert_eq!(count(&store, &["*"]), later + timeless - pay);
    let info = run(&store, &["store", "info", "--format", "json"]).expect(0).json();
    assert_eq!(info["sources"].as_array().unwrap().len(), 2);
    run(&store, &["diagnose"]).expect(0);
    // A source that was removed as a whole can come again.
    run(&store, &["ingest", &logs]).expect(0);
    assert_eq!(count(&store, &["source:pay.log"]), 3600);
    run(&store, &["store", "compact"]).expect(0);
    assert_eq!(count(&store, &["source:pay.log"]), 3600);
    run(&store, &["store", "verify"]).expect(0);
    run(&store, &["store", "rm"]).expect(2);
}

#[test]
fn no_larger_than_told() {
    let place = tempfile::tempdir().unwrap();
    let (store, folder) = (place.path().join("store"), place.path().join("logs"));
    let logs = logs(&folder);
    run(&store, &["ingest", &logs]).expect(0);
    let whole = run(&store, &["store", "info", "--format", "json"]).json()["bytes"].as_u64().unwrap();
    fs::remove_dir_all(&store).unwrap();
    let most = format!("{}", whole * 7 / 10);
    run(&store, &["ingest", "--max-store", &most, &logs]).expect(0).says("oldest events were removed");
    assert!(count(&store, &["*"]) < 7202);
    run(&store, &["store", "verify"]).expect(0);
    run(&store, &["ingest", "--max-store", "a lot", &logs]).expect(2).says("is no size");
}

#[test]
fn many_names_and_long_lines_stay_small() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let file = place.path().join("app.json");
    let mut text = String::new();
    for n in 0..5000 {
        text.push_str(&format!(
            "{{\"ts\":\"2026-11-20T10:{:02}:{:02}Z\",\"msg\":\"order {n}\",\"attribute_{n}\":{n},\"other_{}\":\"x{n}\"}}\n",
            n / 60 % 60,
            n % 60,
            n % 700
        ));
    }
    for n in 0..6 {
        text.push_str(&format!("{{\"ts\":\"2026-11-20T12:00:{n:02}Z\",\"msg\":\"{}\"}}\n", format!("long{n} ").repeat(150_000)));
    }
    fs::write(&file, &text).unwrap();
    let path = file.to_str().unwrap();
    run(&store, &["ingest", "--memory", "200MB", path]).expect(0);
    for query in ["attribute_77:77", "other_5:x5", "order", "long3", "attribute_4999:*", "msg:/long[45] long/"] {
        let stored = run(&store, &["query", "--count", query]);
        assert_eq!(stored.out, run(&store, &["query", "--count", query, path]).out, "{query}");
        assert_eq!(stored.code, 0, "{query}");
    }
}
