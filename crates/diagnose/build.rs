//! Packs the built-in rules: every YAML file below `rules/` is read once, at build time, and laid down as JSON.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "src/rules/written.rs"]
mod written;

use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../rules");
    println!("cargo:rerun-if-changed={}", root.display());
    for file in ["written", "entries", "keys", "near", "slips", "yaml"] {
        println!("cargo:rerun-if-changed=src/rules/{file}.rs");
    }
    let mut names = Vec::new();
    list(&root, &mut names);
    names.sort();
    let mut files = Vec::new();
    let mut wrong = Vec::new();
    for path in names {
        println!("cargo:rerun-if-changed={}", path.display());
        let name = format!("rules/{}", path.strip_prefix(&root).unwrap().display());
        let file = written::read(&name, &std::fs::read_to_string(&path).unwrap());
        wrong.extend(file.problems.iter().map(|p| format!("{name}:{}:{}: {}; {}", p.at.line, p.at.column, p.message, p.help)));
        files.push(file);
    }
    if !wrong.is_empty() {
        panic!("rules that cannot be read:\n{}", wrong.join("\n"));
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap()).join("pack.json");
    std::fs::write(out, serde_json::to_vec(&files).unwrap()).unwrap();
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            list(&path, found);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            found.push(path);
        }
    }
}
