//! Reading a text as a file, as the program does: in blocks, on two threads.

use std::sync::Mutex;
use whyline_event::{Record, SourceId};
use whyline_parse::{Counts, Options, Sink, pass, prepare};

/// Keeps of each record what a test wants to know, with its line.
struct Keep<'k, T> {
    see: fn(&Record<'_>) -> T,
    seen: &'k Mutex<Vec<(u64, T)>>,
}

impl<T: Send> Sink for Keep<'_, T> {
    fn begin(&mut self, _source: SourceId, _number: u64) {}
    fn record(&mut self, record: &Record<'_>) {
        self.seen.lock().unwrap().push((record.origin.line, (self.see)(record)));
    }
    fn end(&mut self) {}
}

/// What is seen of the records of a file of these bytes, by their lines, and the counts.
pub fn read<T: Send>(bytes: &[u8], see: fn(&Record<'_>) -> T) -> (Vec<T>, Counts) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    std::fs::write(&path, bytes).unwrap();
    let bundle = prepare(&[path], &Options { threads: 2, ..Options::default() });
    let seen = Mutex::new(Vec::new());
    let passed = pass(&bundle, 2, || Keep { see, seen: &seen });
    let counts = passed.counts[0];
    drop(passed);
    let mut seen = seen.into_inner().unwrap();
    seen.sort_by_key(|(line, _)| *line);
    (seen.into_iter().map(|(_, seen)| seen).collect(), counts)
}
