//! What is answered over the packed incidents in `tests/incidents/`, one line each, held against their labels and against the table of
//! the last time. When a change is meant, `WHYLINE_BLESS=1 cargo test -p whyline --test verdicts` writes the table anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{names, top, whyline};
use jiff::Timestamp;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// From here on the program stands by a cause.
const SURE: f64 = 0.70;
/// Seconds that an onset may be away from the truth without a word.
const ONSET_WITHIN: f64 = 30.0;

fn ids(truth: &Value, key: &str) -> Vec<String> {
    truth[key].as_array().into_iter().flatten().map(|id| id.as_str().unwrap().to_string()).collect()
}

/// The verdict on one incident: what is said first, held against what was done.
fn verdict(truth: &Value, answer: &Value) -> String {
    let (wanted, accepted) = (ids(truth, "root_causes"), ids(truth, "also_accepted"));
    let causes: Vec<&Value> = answer["causes"].as_array().unwrap().iter().collect();
    let id = |cause: &Value| cause["id"].as_str().unwrap().to_string();
    if wanted.is_empty() {
        let tolerated = ids(truth, "tolerated");
        let named: Vec<String> = causes.iter().map(|cause| id(cause)).filter(|id| !tolerated.contains(id)).collect();
        return if named.is_empty() { "healthy, clean".into() } else { format!("healthy, accused  {}", named.join(", ")) };
    }
    let Some(first) = causes.first() else { return format!("nothing           {}", wanted.join(", ")) };
    let is_right = wanted.contains(&id(first)) || accepted.contains(&id(first));
    let is_sure = first["confidence"].as_f64().unwrap() >= SURE;
    let (right, sure) = (if is_right { "right" } else { "wrong" }, if is_sure { "sure" } else { "unsure" });
    let mut row = format!("{:16}  {}", format!("{right}, {sure}"), wanted.join(", "));
    if !wanted.contains(&id(first)) {
        row.push_str(&format!(", said {}", id(first)));
    }
    if let (Some(said), Some(truth)) = (first["onset"].as_str(), truth["window"]["onset"].as_str()) {
        let seconds = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond() as f64 / 1000.0;
        let off = seconds(said) - seconds(truth);
        if is_right && off.abs() > ONSET_WITHIN {
            row.push_str(&format!(", onset {off:+.0} s"));
        }
    }
    row
}

/// The row of one packed incident.
fn row(folder: &Path, name: &str) -> String {
    let truth: Value = serde_json::from_str(&fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()).unwrap();
    let archive = folder.join(format!("{name}.tar.gz"));
    let answer = whyline(["diagnose", "--format", "json", archive.to_str().unwrap()]).expect(0).json();
    assert!(answer["books"]["lines"].as_u64().unwrap() > 0, "{name}: nothing was read");
    format!("{name:44} {}\n", verdict(&truth, &answer))
}

#[test]
fn verdicts_are_those_of_the_table() {
    let folder = top().join("tests/incidents");
    let files = names(&folder);
    let mut incidents: Vec<&str> = files.iter().filter_map(|name| name.strip_suffix(".tar.gz")).collect();
    incidents.sort_unstable();
    assert!(incidents.len() >= 40, "{incidents:?}");
    let halves: Vec<&[&str]> = incidents.chunks(incidents.len().div_ceil(2)).collect();
    let rows = &|names: &[&str]| names.iter().map(|name| row(&folder, name)).collect::<String>();
    let table: String = std::thread::scope(|scope| {
        let running: Vec<_> = halves.iter().map(|half| scope.spawn(move || rows(half))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // Whatever the table says: somebody whose systems are well is never told of a fault.
    assert!(!table.contains("healthy, accused"), "{table}");
    let path = folder.join("verdicts.txt");
    if std::env::var_os("WHYLINE_BLESS").is_some() {
        return fs::write(path, table).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<String> = table.lines().filter(|line| !kept.lines().any(|old| old == *line)).map(str::to_string).collect();
    assert!(table == kept, "verdicts changed; WHYLINE_BLESS=1 writes the table anew where that is meant:\n{}", changed.join("\n"));
}

#[test]
fn verdicts_tell_right_from_wrong() {
    let truth = |causes: &str| {
        serde_json::from_str::<Value>(&format!(
            "{{\"root_causes\":[{causes}],\"also_accepted\":[\"b.c\"],\"window\":{{\"onset\":\"2026-11-20T20:31:07Z\"}}}}"
        ))
        .unwrap()
    };
    let answer =
        |id: &str, confidence: f64| serde_json::json!({"causes": [{"id": id, "confidence": confidence, "onset": "2026-11-20T20:32:07Z"}]});
    let nothing = serde_json::json!({"causes": []});
    assert_eq!(verdict(&truth("\"a.b\""), &answer("a.b", 0.7)), "right, sure       a.b, onset +60 s");
    assert_eq!(verdict(&truth("\"a.b\""), &answer("b.c", 0.69)), "right, unsure     a.b, said b.c, onset +60 s");
    assert_eq!(verdict(&truth("\"a.b\""), &answer("x.y", 0.9)), "wrong, sure       a.b, said x.y");
    assert_eq!(verdict(&truth("\"a.b\""), &nothing), "nothing           a.b");
    assert_eq!(
        (verdict(&truth(""), &nothing), verdict(&truth(""), &answer("x.y", 0.3))),
        ("healthy, clean".into(), "healthy, accused  x.y".into())
    );
}
