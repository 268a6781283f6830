//! Reads files with the formats of `formats::system` and prints one event per line: a small stand-in for the driver, to look
//! at what the formats make of a file.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

use std::sync::Arc;
use whyline_event::{Bump, Clock, Event, Origin, Record, Source, Zone};
use whyline_parse::formats::system::system;
use whyline_parse::{Cx, Format};

fn main() {
    let mut clock = Clock { zone: Zone::Offset(0), near: None };
    let mut year = 2026i64;
    let mut files = Vec::new();
    let mut args = std::env::args().skip(1).peekable();
    let mut only_format = false;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "parse" => {}
            "--tz" => clock.zone = Zone::parse(&args.next().unwrap()).unwrap(),
            "--year" => year = args.next().unwrap().parse().unwrap(),
            "--which" => only_format = true,
            _ => files.push(arg),
        }
    }
    clock.near = Some((year - 1970) * 31_556_952 * 1_000_000_000 + 182 * 86_400 * 1_000_000_000);
    for path in files {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        read(&path, &text, &clock, only_format);
    }
}

fn read(path: &str, text: &str, clock: &Clock, only_format: bool) {
    let formats = system();
    let lines: Vec<&str> = text.lines().collect();
    let arena = Bump::new();
    let (order, _) = choose(&formats, &lines, &arena);
    let format = order[0].clone();
    let head: Vec<&str> = lines.iter().take(200).copied().filter(|l| !l.trim().is_empty()).collect();
    let format = format.learn(&head).unwrap_or(format);
    let cx = Cx { arena: &arena, order: &order, depth: 0 };
    if only_format {
        println!("{} {path}", format.name());
        return;
    }
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim().is_empty() {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while end < lines.len() && !starts(format.as_ref(), &cx, lines[end - 1], lines[end]) {
            end += 1;
        }
        let mut last = end;
        while last > at + 1 && lines[last - 1].trim().is_empty() {
            last -= 1;
        }
        let whole: &str = arena.alloc_str(&lines[at..last].join("\n"));
        let origin = Origin { line: at as u64 + 1, lines: (last - at) as u32, ..Origin::default() };
        let mut record = Record::new(whole, origin);
        if format.read(&cx, whole, &mut record).is_none() {
            for other in &order {
                if other.read(&cx, whole, &mut record).is_some() {
                    break;
                }
            }
        }
        let source = Source { path: path.to_string(), ..Source::default() };
        println!("{}", Event::new(&record, &source, clock).to_json());
        at = end;
    }
}

fn starts(format: &dyn Format, cx: &Cx<'_>, previous: &str, line: &str) -> bool {
    !line.trim().is_empty() && format.starts_after(cx, previous, line)
}

/// The formats, the one that fits the first lines best in front.
fn choose(formats: &[Arc<dyn Format>], lines: &[&str], arena: &Bump) -> (Vec<Arc<dyn Format>>, usize) {
    let scratch = Bump::new();
    let _ = arena;
    let cx = Cx { arena: &scratch, order: formats, depth: 0 };
    let sample: Vec<&str> = lines.iter().filter(|l| !l.trim().is_empty()).take(100).map(|l| &*scratch.alloc_str(l)).collect();
    let score = |f: &Arc<dyn Format>| -> u64 {
        sample.iter().map(|l| u64::from(f.read(&cx, l, &mut Record::new(l, Origin::default())).unwrap_or(0))).sum()
    };
    let mut best = 0;
    let mut best_score = 0;
    for (i, f) in formats.iter().enumerate() {
        let s = score(f);
        if s > best_score {
            (best, best_score) = (i, s);
        }
    }
    let mut order = vec![formats[best].clone()];
    order.extend(formats.iter().enumerate().filter(|(i, _)| *i != best).map(|(_, f)| f.clone()));
    (order, best)
}
