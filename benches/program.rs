//! What people wait for: whole runs of the program, from its start to its answer, on one thread.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a measurement that cannot be made ends at once")]

mod data;

use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use data::Site;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with the logs of a site, and their bytes.
fn folder(size: usize) -> (TempDir, u64) {
    let site = Site::new(size);
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = 0;
    for (_, path, text) in site.logs() {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        bytes += text.len() as u64;
    }
    (folder, bytes)
}

/// Runs the program, which must find what it is asked for.
fn run(store: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whyline"));
    command.env_remove("TZ").env("NO_COLOR", "1").args(["--threads", "1", "--store"]).arg(store).args(arguments);
    let done = command.output().expect("the program runs");
    assert!(done.status.success(), "{arguments:?}: {}\n{}", done.status, String::from_utf8_lossy(&done.stderr));
    done
}

fn diagnosing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diagnose");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for (name, size) in [("1MB", 1_000_000), ("20MB", 20_000_000)] {
        let (logs, bytes) = folder(size);
        let path = logs.path().to_str().unwrap();
        let diagnose = || run(logs.path(), &["diagnose", "--format", "json", path]);
        let answer: serde_json::Value = serde_json::from_slice(&diagnose().stdout).expect("the answer is JSON");
        assert!(answer["causes"].as_array().is_some_and(|c| !c.is_empty()), "{name}: the trouble in these logs was not found");
        group.throughput(Throughput::Bytes(bytes)).bench_function(name, |b| b.iter(diagnose));
    }
    group.finish();
}

fn storing(criterion: &mut Criterion) {
    let (logs, bytes) = folder(20_000_000);
    let path = logs.path().to_str().unwrap();
    let mut group = criterion.benchmark_group("ingest");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Bytes(bytes));
    group.bench_function("20MB", |b| {
        // The store is made in an empty folder, and removed when nobody looks at the time.
        let store = || tempfile::tempdir().unwrap();
        let ingest = |store: TempDir| {
            run(store.path(), &["ingest", path]);
            store
        };
        b.iter_batched(store, ingest, BatchSize::PerIteration);
    });
    group.finish();
    let store = tempfile::tempdir().unwrap();
    run(store.path(), &["ingest", path]);
    asking(criterion, store.path(), bytes);
}

fn asking(criterion: &mut Criterion, store: &Path, bytes: u64) {
    let mut group = criterion.benchmark_group("query");
    group.sample_size(20).sampling_mode(SamplingMode::Flat).throughput(Throughput::Bytes(bytes));
    let questions = [
        ("field", "status:502"),
        ("rare-word", "oom"),
        ("phrase", "\"stock was reserved\""),
        ("path-regex", "path:/^\\/api\\/orders\\/1[0-9]$/"),
        ("text-regex", "raw:/Killed process [0-9]+/"),
        ("count-by-minute", "status:* | count by status every 1m"),
    ];
    for (name, question) in questions {
        let arguments: &[&str] = if question.contains('|') { &["query", question] } else { &["query", "--count", question] };
        group.bench_function(name, |b| b.iter(|| run(store, arguments)));
    }
    let first = ["query", "--limit", "100", "--format", "jsonl", "status:200"];
    group.bench_function("first-100", |b| b.iter(|| run(store, &first)));
    group.finish();
}

criterion_group!(benches, diagnosing, storing);
criterion_main!(benches);
