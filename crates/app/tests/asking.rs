//! What is asked of awkward logs: lists in JSON, lines that are too long or no text, days that few years have; what is said of questions that
//! look like mistakes.

mod common;

use common::whyline;
use std::fs;
use std::path::Path;

fn put(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_string()
}

/// Each element of a list is one of the values of its field, in files and in a store.
#[test]
fn lists_in_json() {
    let place = tempfile::tempdir().unwrap();
    let lines = [
        r#"{"ts":"2026-11-20T10:00:00Z","level":"info","msg":"one","tags":["x","y z"],"sizes":[5,70],"upstream":["10.0.0.3","10.0.0.4"]}"#,
        r#"{"ts":"2026-11-20T10:00:01Z","level":"info","msg":"two","tags":["x"],"nested":[[1],2],"none":[]}"#,
        r#"{"ts":"2026-11-20T10:00:02Z","level":"info","msg":"three","tags":"x"}"#,
    ];
    let log = put(place.path(), "a.log", lines.join("\n").as_bytes());
    let store = place.path().join("store").to_str().unwrap().to_string();
    whyline(["--store", &store, "ingest", &log]).expect(0);
    for (query, want) in [
        ("tags:x", "3"),
        ("tags:\"y z\"", "1"),
        ("tags:y*", "1"),
        ("tags:(q x)", "3"),
        ("\"y z\"", "1"),
        ("sizes:>50", "1"),
        ("sizes:5 sizes:70", "1"),
        ("sizes:[6 TO 69]", "0"),
        ("NOT tags:/y/", "2"),
        ("upstream:10.0.0.4", "1"),
        ("nested:\"[[1],2]\"", "1"),
        ("none:*", "1"),
    ] {
        let code = u8::from(want == "0").into();
        assert_eq!(whyline(["query", "--count", query, &log]).expect(code).out.trim(), want, "{query}");
        assert_eq!(whyline(["--store", &store, "query", "--count", query]).expect(code).out.trim(), want, "{query} in the store");
    }
    for (query, want) in [("* | count by tags", "tags,count\nx,3\ny z,1\n"), ("* | sum sizes", "sum_sizes\n75\n")] {
        assert_eq!(whyline(["query", query, "--format", "csv", &log]).expect(0).out, want);
        assert_eq!(whyline(["--store", &store, "query", query, "--format", "csv"]).expect(0).out, want);
    }
}
