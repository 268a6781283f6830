//! Packs the catalogue of formats: every YAML file below `catalogue/` is read once, at build time, and laid down as JSON.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "src/catalogue/written.rs"]
mod written;

use std::path::PathBuf;

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("catalogue");
    println!("cargo:rerun-if-changed={}", root.display());
    println!("cargo:rerun-if-changed=src/catalogue/written.rs");
    let mut entries = Vec::new();
    let mut wrong = Vec::new();
    for path in std::fs::read_dir(&root).unwrap().flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "yaml")) {
        println!("cargo:rerun-if-changed={}", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap();
        let yaml = std::fs::read_to_string(&path).unwrap();
        match written::read(name, &yaml, |text| serde_saphyr::from_str(text)) {
            Ok(entry) => entries.push(entry),
            Err(error) => wrong.push(error),
        }
    }
    if !wrong.is_empty() {
        wrong.sort();
        panic!("entries of the catalogue that cannot be read:\n{}", wrong.join("\n"));
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap()).join("catalogue.json");
    std::fs::write(out, serde_json::to_vec(&entries).unwrap()).unwrap();
}
