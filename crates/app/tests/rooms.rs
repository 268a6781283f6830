//! The house guards itself: no room learns a name it must not know, all keep the workspace's lints, and only the program prints.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says plainly what it expects, in its helpers as well")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The tables of a manifest with the first word of each line; enough of TOML for the manifests of this workspace.
fn tables(room: &str) -> BTreeMap<String, Vec<String>> {
    let path = crates().join(room).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut table = String::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            table = name.trim_matches(['[', ']']).to_string();
            // `[dependencies.name]` names a crate as well.
            if let Some((above, name)) = table.clone().rsplit_once('.').filter(|(above, _)| above.ends_with("dependencies")) {
                found.entry(above.to_string()).or_default().push(name.to_string());
            }
        } else if !line.starts_with(['{', '}', ']', '"']) {
            found.entry(table.clone()).or_default().push(line.to_string());
        }
    }
    found
}

/// The crates that a room names, in whichever table.
fn names(room: &str) -> BTreeSet<String> {
    tables(room)
        .into_iter()
        .filter(|(table, _)| table.ends_with("dependencies"))
        .flat_map(|(_, lines)| lines)
        .map(|line| line.split(['.', '=', ' ']).next().unwrap_or("").trim_matches('"').to_string())
        .collect()
}

/// The crates that a room names outside of its tests.
fn names_in_use(room: &str) -> BTreeSet<String> {
    let all = tables(room);
    let of = |table: &str| all.get(table).cloned().unwrap_or_default();
    of("dependencies")
        .into_iter()
        .chain(of("build-dependencies"))
        .map(|l| l.split(['.', '=', ' ']).next().unwrap_or("").to_string())
        .collect()
}

/// Text, time and data only: nothing here opens a file, a socket or a thread pool.
const EVENT_MAY_KNOW: &[&str] = &["bumpalo", "jiff", "memchr", "rustc-hash", "serde", "serde_json"];
/// The ground floor, and what finds text in text.
const QUERY_MAY_KNOW: &[&str] = &[
    "whyline-event",
    "bumpalo",
    "jiff",
    "memchr",
    "regex",
    "regex-automata",
    "regex-syntax",
    "rustc-hash",
    "serde",
    "thiserror",
    "unicode-segmentation",
    "wide",
    "xxhash-rust",
];
const DIAGNOSE_MUST_NOT: &[&str] = &["tantivy", "nom", "tokio", "clap", "flate2", "zstd", "whyline-parse", "whyline-store"];
const PARSE_MUST_NOT: &[&str] = &["tantivy", "petgraph", "tokio", "clap", "whyline-store", "whyline-diagnose", "whyline-query"];
const STORE_MUST_NOT: &[&str] = &["nom", "petgraph", "clap", "tokio", "whyline-parse", "whyline-diagnose"];

#[test]
fn the_floor_knows_only_what_it_may() {
    for (room, allowed) in [("event", EVENT_MAY_KNOW), ("query", QUERY_MAY_KNOW)] {
        let beyond: Vec<String> = names_in_use(room).into_iter().filter(|n| !allowed.contains(&n.as_str())).collect();
        assert!(beyond.is_empty(), "crates/{room} learnt names that it must not know: {beyond:?}");
    }
}

#[test]
fn rooms_side_by_side_never_meet() {
    for (room, forbidden) in [("diagnose", DIAGNOSE_MUST_NOT), ("parse", PARSE_MUST_NOT), ("store", STORE_MUST_NOT)] {
        let known = names(room);
        assert!(known.contains("whyline-event"), "crates/{room}: no dependencies were found; does this test still read the manifest?");
        let learnt: Vec<&&str> = forbidden.iter().filter(|n| known.contains(**n)).collect();
        assert!(learnt.is_empty(), "crates/{room} learnt names that it must not know: {learnt:?}");
    }
}

#[test]
fn nobody_knows_the_program() {
    for room in rooms() {
        assert!(!names(&room).contains("whyline"), "crates/{room} depends on the program");
    }
}

#[test]
fn every_room_keeps_the_lints() {
    for room in rooms() {
        let lints = tables(&room).remove("lints").unwrap_or_default();
        assert_eq!(lints, ["workspace = true"], "crates/{room}/Cargo.toml must say `[lints] workspace = true` and nothing else there");
    }
}

#[test]
fn only_the_program_prints() {
    let words = ["println!", "print!", "dbg!", "io::stdout", "io::stderr"];
    let mut wrong = Vec::new();
    for room in rooms().into_iter().filter(|r| r != "app") {
        for file in sources(&crates().join(&room).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
                if words.iter().any(|w| line.contains(w)) {
                    wrong.push(format!("{}:{}: {}", file.display(), i + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "only the program prints; these do too:\n{}", wrong.join("\n"));
}

fn rooms() -> Vec<String> {
    let mut rooms: Vec<String> = fs::read_dir(crates())
        .unwrap()
        .map(|e| e.unwrap())
        .filter(|e| e.path().join("Cargo.toml").is_file())
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    rooms.sort();
    assert!(rooms.len() >= 6, "{rooms:?}");
    rooms
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
