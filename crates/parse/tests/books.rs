//! Whatever bytes a file holds: each of its lines is in an event or blank.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod common;

use proptest::prelude::*;
use proptest::sample::select;

/// Pieces of which files are put together: what ends lines or seems to, what is white space to some and not to others, holes, broken and other encodings,
/// beginnings of records, objects, tables and envelopes.
const PIECES: &[&[u8]] = &[
    b"\n",
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"\n\n",
    b"\x0b",
    b"\x0c",
    b"\x1c",
    b"\x85",
    b"\xc2\x85",
    b"\xc2\xa0",
    b"\xe2\x80\xa8",
    b"\xe3\x80\x80",
    b" ",
    b"\t",
    b"\0",
    b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\x1b[0m",
    b"\x1b[31m",
    b"caf\xe9",
    "\u{65e5}\u{672c}".as_bytes(),
    b"word",
    b"\x7fELF",
    b"{",
    b"}",
    b"{\"a\": [",
    b"{\"level\":\"info\",\"msg\":\"up\"}",
    b"2026-11-21 10:00:00,000 ERROR [main] com.example.Shop - no pool",
    b"2026-11-21T10:00:00Z INFO up",
    b"Nov 21 10:00:00 web1 app[7]: up",
    b"2026-11-21T10:00:00.1Z stdout P part",
    b"2026-11-21T10:00:00.1Z stdout F ",
    b"Filesystem     1K-blocks  Used Available Use% Mounted on",
    b"192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"",
    b"\tat com.example.Shop(Shop.java:1)",
    b"Caused by: x",
    b"Traceback (most recent call last):",
    b"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-21T10:00:00.1Z\"}",
    b"[Fri Nov 21 10:00:00 2026] up",
];

fn lines(bytes: &[u8]) -> u64 {
    bytes.split_inclusive(|b| *b == b'\n').count() as u64
}

fn balances(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (records, counts) = common::read(bytes, |record| record.origin);
    prop_assert_eq!(counts.lines, counts.in_events + counts.blank, "{}", bytes.escape_ascii());
    prop_assert_eq!(counts.records, records.len() as u64);
    Ok(())
}

/// White space that only some take for it, behind a hole, was counted beside the line in which it stands.
#[test]
fn what_stands_behind_a_hole_is_no_line_of_its_own() {
    let hole = [0; 40];
    for behind in [&b"\x0b"[..], b"\xc2\x85", b"\x1b[0m", b"\x0c ", b"x", b" "] {
        for before in [&b"up"[..], b"", b"\x0b", b"{\"a\":"] {
            let text = [b"first\n", before, &hole, behind, &hole, b"\x0b\nlast\n"].concat();
            let (_, counts) = common::read(&text, |_| ());
            assert_eq!((counts.lines, counts.in_events + counts.blank), (3, 3), "{}", text.escape_ascii());
        }
    }
}

/// Lines that a terminal broke, over several blocks: each record is whole, and each line is counted.
#[test]
fn broken_lines_over_several_blocks() {
    let mut text = String::new();
    for n in 0..12_000 {
        let line = format!(
            "192.0.2.{} - - [21/Nov/2026:10:{:02}:{:02} +0000] \"GET /{}/{n} HTTP/1.1\" 200 {n} \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
            n % 200,
            n / 60 % 60,
            n % 60,
            "x".repeat(n * 7 % 90)
        );
        for piece in line.as_bytes().chunks(80) {
            text.push_str(std::str::from_utf8(piece).unwrap());
            text.push('\n');
        }
    }
    let (seen, counts) = common::read(text.as_bytes(), |r| (r.format.to_string(), r.origin, r.stamp.is_some()));
    assert_eq!((seen.len(), counts.lines, counts.in_events), (12_000, lines(text.as_bytes()), lines(text.as_bytes())));
    let (mut line, mut offset) = (1, 0);
    for (format, origin, stamped) in seen {
        assert_eq!((format.as_str(), origin.line, origin.offset, stamped), ("nginx.access", line, offset, true));
        line += u64::from(origin.lines);
        offset += origin.length + 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn of_pieces_of_logs_and_binaries(pieces in prop::collection::vec(select(PIECES), 0..60)) {
        let bytes = pieces.concat();
        balances(&bytes)?;
    }

    #[test]
    fn of_random_bytes(bytes in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(0), 1 => Just(b'\n')], 0..600)) {
        balances(&bytes)?;
    }

    /// UTF-8 without the sign of other encodings: the lines that are counted are those of the file.
    #[test]
    fn of_text_with_holes(pieces in prop::collection::vec(prop_oneof!["[ -~]{0,30}", Just("\n".to_string()), Just("\0".repeat(20)), Just("\u{b}".to_string())], 0..40)) {
        let bytes = pieces.concat().into_bytes();
        let (_, counts) = common::read(&bytes, |_| ());
        prop_assert_eq!(counts.lines, counts.in_events + counts.blank);
        prop_assert!(counts.lines == lines(&bytes) || bytes.iter().all(|b| *b == 0), "{}", bytes.escape_ascii());
    }
}
