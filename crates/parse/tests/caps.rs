//! Records over the caps: one event each, all lines counted, the body cut with a note.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod common;

use proptest::prelude::*;
use whyline_event::Record;
use whyline_parse::Counts;

/// What a test wants to know of a record.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    line: u64,
    lines: u32,
    offset: u64,
    length: u64,
    body: usize,
    notes: Vec<&'static str>,
}

fn see(record: &Record<'_>) -> Seen {
    let o = record.origin;
    Seen { line: o.line, lines: o.lines, offset: o.offset, length: o.length, body: record.body.len(), notes: record.notes.clone() }
}

fn read(bytes: &[u8]) -> (Vec<Seen>, Counts) {
    common::read(bytes, see)
}

const HEAD: &str = "2026-11-21 10:00:00,000 ERROR [main] com.example.Shop - no pool\n";

#[test]
fn more_lines_than_are_held() {
    let text = format!("{HEAD}{}\n\n{HEAD}", "\tat x\n".repeat(25_000));
    let (seen, counts) = read(text.as_bytes());
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].lines, seen[0].length), (25_001, (text.len() - HEAD.len() - 3) as u64));
    assert_eq!(seen[0].notes, ["the body was cut at 10,000 lines; the whole text stands in the source"]);
    assert_eq!((seen[1].line, seen[1].offset), (25_004, (text.len() - HEAD.len()) as u64));
    assert_eq!((counts.lines, counts.in_events, counts.blank), (25_004, 25_002, 2));
}

#[test]
fn a_record_over_several_blocks() {
    let frame = format!("\tat com.example.{}(Shop.java:1)\n", "x".repeat(1000));
    let text = format!("{HEAD}{}{HEAD}{HEAD}", frame.repeat(4000));
    let (seen, counts) = read(text.as_bytes());
    assert_eq!(seen.len(), 3);
    assert_eq!((seen[0].lines, seen[0].length), (4001, (text.len() - 2 * HEAD.len() - 1) as u64));
    assert!(seen[0].body <= 1 << 20);
    assert_eq!(seen[0].notes, ["the body was cut at 1 MB; the whole text stands in the source"]);
    assert_eq!((seen[1].line, seen[1].offset), (4002, (text.len() - 2 * HEAD.len()) as u64));
    assert_eq!((counts.lines, counts.in_events, counts.bytes), (4003, 4003, text.len() as u64));
}

#[test]
fn lines_that_a_runtime_split() {
    let text = "x".repeat(40_000);
    let (a, b, c) = (&text[..16_384], &text[16_384..32_768], &text[32_768..]);
    let entry = |log: &str, end: &str| format!("{{\"log\":\"{log}{end}\",\"stream\":\"stdout\",\"time\":\"2026-11-21T10:00:00.1Z\"}}\n");
    let file = format!("{}{}{}{}{}", entry("one", "\\n"), entry(a, ""), entry(b, ""), entry(c, "\\n"), entry("without an end", ""));
    let (seen, counts) = read(file.as_bytes());
    assert_eq!(seen.iter().map(|s| (s.line, s.lines, s.body)).collect::<Vec<_>>(), [(1, 1, 3), (2, 3, 40_000), (5, 1, 14)]);
    assert_eq!((counts.lines, counts.in_events), (5, 5));
    let part = |tag: &str, log: &str| format!("2026-11-21T10:00:00.1Z stderr {tag} {log}\n");
    let file = format!("{}{}{}{}", part("F", "one"), part("P", a), part("P", b), part("F", c));
    let (seen, _) = read(file.as_bytes());
    assert_eq!(seen.iter().map(|s| (s.line, s.lines, s.body)).collect::<Vec<_>>(), [(1, 1, 3), (2, 3, 40_000)]);
    // A part that nothing goes on with says so.
    let (seen, _) = read(format!("{}{}", part("P", "cut"), "2026-11-21T10:00:01.1Z stdout F two\n").as_bytes());
    assert_eq!((seen.len(), &seen[0].notes[..]), (2, &["partial line"][..]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// However long records are, the books balance and every byte lies in one place.
    #[test]
    fn books_balance(parts in proptest::collection::vec((0usize..14_000, 0usize..3, 1usize..160), 1..8)) {
        let mut text = String::new();
        for (lines, blank, width) in &parts {
            text.push_str(HEAD);
            for _ in 0..*lines {
                text.push_str("  ");
                text.push_str(&"y".repeat(*width));
                text.push('\n');
            }
            text.push_str(&"\n".repeat(*blank));
        }
        let (seen, counts) = read(text.as_bytes());
        prop_assert_eq!(counts.lines, text.lines().count() as u64);
        prop_assert_eq!(counts.lines, counts.in_events + counts.blank);
        prop_assert_eq!(counts.bytes, text.len() as u64);
        prop_assert_eq!(counts.records, seen.len() as u64);
        prop_assert_eq!(seen.len(), parts.len());
    }
}
