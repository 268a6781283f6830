//! Reads files as the program does and prints one event per line, without the rest of the program:
//! `events [--year Y] [--tz ZONE] FILE...`.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::sync::Mutex;
use whyline_event::{Event, Record, SourceId, Zone};
use whyline_parse::reading::facts_of_heads;
use whyline_parse::{Bundle, Options, Settled, Sink, pass, prepare, settle_clocks};

struct Writer<'a> {
    bundle: &'a Bundle,
    settled: &'a [Settled],
    lines: &'a Mutex<Vec<(u64, Vec<String>)>>,
    number: u64,
    own: Vec<String>,
}

impl Sink for Writer<'_> {
    fn begin(&mut self, _source: SourceId, number: u64) {
        self.number = number;
    }

    fn record(&mut self, record: &Record<'_>) {
        let i = record.origin.source.0 as usize;
        let event = Event::new(record, &self.bundle.inputs[i].source, &self.settled[i].clock);
        self.own.push(event.to_json().to_string());
    }

    fn end(&mut self) {
        self.lines.lock().unwrap().push((self.number, std::mem::take(&mut self.own)));
    }
}

fn main() {
    let mut options = Options { threads: 2, ..Options::default() };
    let mut files = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "parse" => {}
            "--tz" => options.told.zone = Zone::parse(&args.next().unwrap()),
            "--year" => options.told.year = args.next().unwrap().parse().ok(),
            _ => files.push(arg.into()),
        }
    }
    let bundle = prepare(&files, &options);
    let settled = settle_clocks(&bundle, &facts_of_heads(&bundle), &options.told);
    let lines = Mutex::new(Vec::new());
    pass(&bundle, options.threads, || Writer { bundle: &bundle, settled: &settled, lines: &lines, number: 0, own: Vec::new() });
    let mut lines = lines.into_inner().unwrap();
    lines.sort();
    let mut out = std::io::stdout().lock();
    for line in lines.iter().flat_map(|(_, own)| own) {
        if writeln!(out, "{line}").is_err() {
            return;
        }
    }
}
