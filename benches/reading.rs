//! What reading costs: from bytes to records, format by format, and what matching the rules' signals costs beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a measurement that cannot be made ends at once")]

mod data;

use bumpalo::Bump;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use data::Site;
use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use whyline_diagnose::{Matcher, Pack};
use whyline_event::Field;
use whyline_event::{Name, Record, SourceId, Value};
use whyline_parse::{Options, Sink, pass, prepare};
use whyline_query::Scratch;

/// Bytes of all logs together that are read.
const SIZE: usize = 16 << 20;
/// Bytes of all logs together whose messages are matched; their records are held.
const HELD: usize = 2 << 20;

/// Counts records, so that nothing of the reading can be left out.
#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    fn begin(&mut self, _source: SourceId, _number: u64) {}
    fn record(&mut self, record: &Record<'_>) {
        self.0 += 1;
        black_box(record);
    }
    fn end(&mut self) {}
}

/// Reads a file as the program does, on one thread. Gives the number of records.
fn read(path: &Path) -> u64 {
    let options = Options { threads: 1, once: true, ..Options::default() };
    let bundle = prepare(&[path.to_path_buf()], &options);
    let passed = pass(&bundle, 1, Count::default);
    passed.sinks.iter().map(|s| s.0).sum()
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn reading(criterion: &mut Criterion) {
    let site = Site::new(SIZE);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let mut group = criterion.benchmark_group("read");
    for (name, _, text) in site.logs() {
        let path = write(&format!("{name}.log"), text.as_bytes());
        let lines = text.lines().count() as u64;
        assert_eq!(read(&path), lines, "{name}: every line is a record");
        group.throughput(Throughput::Bytes(text.len() as u64)).bench_function(name, |b| b.iter(|| read(&path)));
    }
    let path = write("access-gz.log.gz", &packed(&site.access));
    // By its unpacked bytes, to be compared with the plain log.
    group.throughput(Throughput::Bytes(site.access.len() as u64)).bench_function("access-gz", |b| b.iter(|| read(&path)));
    group.finish();
}

/// A record that outlives its block.
fn held<'a>(record: &Record<'_>, arena: &'a Bump) -> Record<'a> {
    let text = |text: &str| -> &'a str { arena.alloc_str(text) };
    let mut copy = Record::new(text(record.text), record.origin);
    copy.stamp = record.stamp;
    copy.severity = record.severity;
    copy.format = text(record.format);
    copy.body = text(record.body);
    copy.fields.extend(record.fields.iter().map(|field| {
        let name = match field.name {
            Name::Known(key) => Name::Known(key),
            Name::Other(name) => Name::Other(text(name)),
        };
        let value = match field.value {
            Value::Str(value) => Value::Str(text(value)),
            Value::Int(n) => Value::Int(n),
            Value::Float(x) => Value::Float(x),
            Value::Duration(ns) => Value::Duration(ns),
            Value::Bool(b) => Value::Bool(b),
        };
        Field { name, value }
    }));
    copy
}

/// How many signals of the pack the records show, all together.
fn hits(matcher: &Matcher, records: &[Record<'_>]) -> usize {
    let (mut scratch, mut out, mut sum) = (Scratch::default(), Vec::new(), 0);
    for record in records {
        matcher.hits(record, &mut scratch, &mut out);
        sum += out.len();
    }
    sum
}

fn matching(criterion: &mut Criterion) {
    let site = Site::new(HELD);
    let pack = Pack::trusted(Pack::built_in_files().expect("the built-in rules can be read"));
    let matcher = Matcher::new(pack.queries());
    let formats = whyline_parse::formats::all();
    let mut group = criterion.benchmark_group("match");
    for (name, _, text) in site.logs() {
        let arena = Bump::new();
        let mut records = Vec::new();
        whyline_parse::reading::read_text(text, None, &formats, &mut |record| records.push(held(record, &arena)));
        if matches!(name, "syslog" | "nginx-error") {
            assert!(hits(&matcher, &records) > 0, "{name}: there is something to be found");
        }
        group.throughput(Throughput::Bytes(text.len() as u64)).bench_function(name, |b| b.iter(|| hits(&matcher, &records)));
    }
    // What every run of the program pays before it reads the first line.
    group.throughput(Throughput::Elements(matcher.len() as u64)).bench_function("prepare", |b| {
        b.iter_batched(|| pack.queries(), Matcher::new, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, reading, matching);
criterion_main!(benches);
