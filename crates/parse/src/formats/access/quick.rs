//! The straight way through the lines of one source.
//!
//! Nearly all lines of an access log have the same columns in the same places. What [`super::shape`] finds out anew for each line is
//! laid down once, from the head of the source, and each line is then read in one walk from left to right ([`super::walk`]). A line that
//! differs in anything that could change its meaning is left to the careful reader, so that both always say the same (a property test
//! holds them against each other).

use super::anchors::{self, anchors};
use super::meaning::{Meaning, Unit};
use super::names;
use super::shape;
use super::steps::Step;
use super::token::{Kind, Token, scan};
use whyline_event::Key;

/// More columns than this are left to the careful reader.
const MOST: usize = 32;
/// So many columns before the client at most.
pub const MOST_BEFORE: usize = 7;

/// One column behind the status, as the source writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// How its value ends.
    pub kind: Kind,
    /// What stands before the value: the key with its separator, an opening quote or bracket.
    pub lead: Box<str>,
    /// The first eight bytes of the lead as a number, and which of them count.
    pub word: (u64, u64),
    /// How much of the lead is the key.
    pub key: usize,
    /// What it means, unless that depends on the value.
    pub meaning: Option<Meaning>,
    /// How its usual values are read.
    pub step: Step,
    /// What the value must look like for the column to mean that.
    pub must_be: MustBe,
}

/// By which values the combined format is known; they must be seen to be so in every line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MustBe {
    /// Nothing of that kind.
    Anything,
    /// A number of bytes, or a dash.
    Size,
    /// A list of addresses, or a dash.
    Addresses,
}

/// The columns of a source: `... client ident user [time] "request" status ...`.
#[derive(Clone, Debug)]
pub struct Quick {
    /// How many columns stand before the client.
    pub before: usize,
    /// The columns behind the status.
    pub behind: Vec<Column>,
    /// The source is Apache's, or its lines have a shape that only Apache writes.
    pub apache: bool,
    /// Keys of upstream times are among the columns: two abbreviations then speak of the upstream.
    pub upstream_keys: bool,
}

impl Quick {
    /// The way through lines like most of these. `tail` is what the source taught about the columns behind the status; `None`
    /// where they are those of the combined format. Returns `None` when the lines are not of the usual order.
    pub fn of(lines: &[&str], tail: Option<&[Meaning]>, apache: bool) -> Option<Quick> {
        let mut found: Vec<(Quick, usize)> = Vec::new();
        for line in lines {
            let Some(quick) = Self::from_line(line, tail, apache) else { continue };
            match found.iter_mut().find(|(q, _)| q.behind == quick.behind && q.before == quick.before) {
                Some((_, n)) => *n += 1,
                None => found.push((quick, 1)),
            }
        }
        // The first of the most frequent ones.
        let most = found.iter().map(|(_, n)| *n).max()?;
        found.into_iter().find(|(_, n)| *n == most).map(|(quick, _)| quick)
    }

    fn from_line(line: &str, tail: Option<&[Meaning]>, apache: bool) -> Option<Quick> {
        let tokens = scan(line);
        let anchors = anchors(line, &tokens)?;
        let (time, request) = (anchors.time.start, anchors.request);
        let usual = anchors.stamp.is_some() && time >= 3 && anchors.time.end == request && request == time + 1;
        let is = |at: usize, kind: Kind| tokens.get(at).is_some_and(|t| t.kind == kind && t.key.is_empty());
        if !usual
            || tokens.len() > MOST
            || time - 3 > MOST_BEFORE
            || anchors.status != Some(request + 1)
            || !(0..time).all(|at| is(at, Kind::Bare))
            || !is(time, Kind::Bracketed)
            || !is(request, Kind::Quoted)
            || !is(request + 1, Kind::Bare)
        {
            return None;
        }
        let behind: Vec<&Token<'_>> = anchors::behind(&tokens, &anchors).collect();
        let upstream_keys = shape::has_upstream_keys(behind.iter().copied());
        let mut columns = Vec::with_capacity(behind.len());
        for (at, token) in tokens.iter().skip(request + 2).enumerate() {
            let mut column = column(line, token)?;
            column.meaning = match token.key {
                "" => Some(tail.unwrap_or(&shape::PLAIN).get(at).copied().unwrap_or(Meaning::Nothing)),
                "ua" | "us" => None,
                key => Some(names::lookup(key).unwrap_or(Meaning::Named)),
            };
            // A user agent without quotes goes on to the end of the line.
            if token.kind == Kind::Bare && column.meaning == Some(Meaning::Text(Key::UserAgent)) {
                return None;
            }
            columns.push(column);
        }
        if tail.is_none() {
            mark_plain(&mut columns)?;
        }
        for column in &mut columns {
            let keyed = column.key > 0;
            column.step = match (column.kind, column.must_be, column.meaning) {
                // A fraction means seconds to those who do not say what they count.
                (Kind::Bare, MustBe::Anything, Some(Meaning::Took(key, Unit::Seconds | Unit::Guess))) => Step::Seconds(key),
                (Kind::Bare, MustBe::Anything | MustBe::Size, Some(Meaning::Ints(key))) => Step::Number(key),
                (Kind::Bare, MustBe::Anything, Some(Meaning::Upstreams)) => Step::Endpoint,
                (Kind::Quoted, MustBe::Anything, Some(Meaning::Text(key))) => Step::Quoted(key),
                (Kind::Bare, MustBe::Anything, Some(Meaning::Text(key))) if keyed => Step::Word(key),
                (Kind::Bare, MustBe::Anything, Some(Meaning::Named)) if keyed => Step::Name,
                _ => Step::Any,
            };
        }
        Some(Quick { before: time - 3, behind: columns, apache: apache || behind.len() == 1, upstream_keys })
    }
}

/// Marks the columns by whose values the combined format is known; `None` when they are not those of the combined format.
fn mark_plain(columns: &mut [Column]) -> Option<()> {
    let Some((size, rest)) = columns.split_first_mut() else { return Some(()) };
    size.must_be = MustBe::Size;
    let mut texts: Vec<&mut Column> = rest.iter_mut().filter(|column| column.key == 0).collect();
    let fits = size.kind == Kind::Bare && size.key == 0;
    let quoted = matches!(texts.len(), 0 | 2 | 3) && texts.iter().all(|column| column.kind == Kind::Quoted);
    if let Some(forwarded) = texts.get_mut(2) {
        forwarded.must_be = MustBe::Addresses;
    }
    (fits && quoted).then_some(())
}

fn column(line: &str, token: &Token<'_>) -> Option<Column> {
    let from = match token.kind {
        Kind::Bare => token.end.checked_sub(token.text.len())?,
        Kind::Quoted => token.start + token.key.len() + if token.key.is_empty() { 1 } else { 2 },
        Kind::Bracketed => token.start + 1,
    };
    let lead = line.get(token.start..from)?;
    let mut first = [0u8; 8];
    let mut mask = [0u8; 8];
    for ((place, mask), byte) in first.iter_mut().zip(&mut mask).zip(lead.bytes()) {
        (*place, *mask) = (byte, 0xff);
    }
    let word = (u64::from_le_bytes(first), u64::from_le_bytes(mask));
    Some(Column {
        kind: token.kind,
        lead: lead.into(),
        word,
        key: token.key.len(),
        meaning: None,
        step: Step::Any,
        must_be: MustBe::Anything,
    })
}

#[cfg(test)]
mod tests {
    use super::super::shape::Shaped;
    use super::super::testing::fields;
    use crate::formats::cursor::beginning;
    use proptest::prelude::*;

    const LINES: [&str; 6] = [
        r#"198.51.100.7 - eve [20/Nov/2026:22:05:41 +0100] "GET /a?b=c HTTP/1.1" 200 53 "https://x.example/" "curl/8.1 (a, b)""#,
        r#"www.x.example:443 198.51.100.7 - - [20/Nov/2026:22:05:41 +0100] "POST / HTTP/2.0" 400 226 "-" "-" "203.0.113.1""#,
        r#"203.0.113.5 - - [20/Nov/2026:22:05:41 +0000] "GET / HTTP/1.1" 502 5 "-" "a/1" 0.004 0.003 10.0.0.1:80"#,
        r#"web-1 203.0.113.5 - - [20/Nov/2026:22:05:41 +0000] "GET / HTTP/1.1" 502 5 "-" "a/1" rt=0.004 urt=- us=502 up=10.0.0.1:80 x="y""#,
        r#"203.0.113.5 - - [20/Nov/2026:22:05:41 +0000] "GET / HTTP/1.1" 200 5"#,
        r#"203.0.113.5 - - [20/Nov/2026:22:05:41 +0000] "GET / HTTP/1.1" 200 5 "-" "a/1" 1500 rid:7 [abc-80] ua="10.0.0.2:80""#,
    ];

    fn learnt(lines: &[&str]) -> (Shaped, Shaped) {
        let quick = Shaped::learnt("nginx.access", lines).unwrap();
        let careful = quick.clone().careful();
        assert!(quick.is_quick());
        (quick, careful)
    }

    #[test]
    fn the_usual_lines_take_the_straight_way() {
        for line in LINES {
            let (quick, careful) = learnt(&[line, line]);
            assert!(quick.reads_quickly(line), "{line}");
            assert_eq!(fields(&quick, line), fields(&careful, line), "{line}");
        }
    }

    #[test]
    fn the_elements_of_a_list_are_in_one_unit() {
        let line = LINES[3].replace("rt=0.004", "rt=0.004,04");
        assert_ne!(line, LINES[3]);
        let (quick, careful) = learnt(&[LINES[3], LINES[3]]);
        assert_eq!(fields(&quick, &line), fields(&careful, &line));
        assert!(fields(&quick, &line).contains("duration=4 "), "{}", fields(&quick, &line));
    }

    /// Pieces that turn up where they are not expected.
    const PIECES: [&str; 30] = [
        "-",
        " ",
        "\"",
        "[",
        "]",
        "\\",
        "\t",
        ",",
        ", ",
        ":",
        " : ",
        "=",
        "10.0.0.9:80",
        "::1",
        "rt=",
        "GET",
        "HTTP/1.1",
        "502",
        "0.5",
        "20/Nov/2026:22:05:41 +0100",
        "Nov 20 22:05:41",
        "1795255001",
        "\u{e4}",
        "\r",
        "error",
        "app:",
        "127.0.0.1,",
        "a=b",
        "\"\"",
        "x y",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]
        /// Both readers say the same of any line, however it departs from what the source taught.
        #[test]
        fn both_ways_say_the_same(
            taught in 0..LINES.len(),
            given in 0..LINES.len(),
            changes in prop::collection::vec((0.0..1.0f64, 0usize..12, 0..PIECES.len()), 0..4),
        ) {
            let (quick, careful) = learnt(&[LINES[taught], LINES[taught]]);
            let mut line = LINES[given].to_string();
            for (place, cut, piece) in changes {
                let from = beginning(&line, (line.len() as f64 * place) as usize).len();
                let to = beginning(&line, from + cut).len();
                line.replace_range(from..to, PIECES[piece]);
            }
            prop_assert_eq!(fields(&quick, &line), fields(&careful, &line), "{}", line);
        }
    }
}
