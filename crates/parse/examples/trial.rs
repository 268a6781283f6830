//! Reads files line by line through the formats and prints what each line became: `trial [-q] FILE...`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::sync::Arc;
use whyline_event::stamp::{Clock, rfc3339};
use whyline_event::{Bump, Origin, Record};
use whyline_parse::{Cx, Format, formats};

fn main() {
    let quiet = std::env::args().any(|a| a == "-q");
    for path in std::env::args().skip(1).filter(|a| a != "-q") {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let arena = Bump::new();
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        let base = formats::web::web();
        let mut order: Vec<Arc<dyn Format>> = Vec::new();
        for format in &base {
            let cx = Cx { arena: &arena, order: &[], depth: 0 };
            let read: Vec<&str> =
                lines.iter().copied().filter(|l| format.read(&cx, l, &mut Record::new(l, Origin::default())).is_some()).collect();
            let head = &read[..read.len().min(200)];
            order.push(format.learn(head).filter(|_| !read.is_empty()).unwrap_or_else(|| format.clone()));
        }
        let mut unread = 0;
        for line in &lines {
            let cx = Cx { arena: &arena, order: &[], depth: 0 };
            let mut best: Option<(u8, Record<'_>)> = None;
            for format in &order {
                let mut record = Record::new(line, Origin::default());
                if let Some(fit) = format.read(&cx, line, &mut record)
                    && best.as_ref().is_none_or(|(had, _)| *had < fit)
                {
                    best = Some((fit, record));
                }
            }
            match best {
                None => {
                    unread += 1;
                    println!("UNREAD {line}");
                }
                Some((fit, record)) if !quiet => {
                    let time = record.stamp.map_or("-".into(), |s| rfc3339(Clock::default().instant(&s), s.digits));
                    let body = if record.body == *line { "" } else { record.body };
                    println!("{fit} {} {time} {:?} [{body}]", record.format, record.severity);
                    for field in &record.fields {
                        println!("      {} = {}", field.name.as_str(), field.value);
                    }
                }
                Some(_) => {}
            }
        }
        println!("{path}: {} lines, {unread} unread", lines.len());
    }
}
