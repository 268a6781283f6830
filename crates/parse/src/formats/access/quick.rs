//! The straight way through the lines of one source.
//!
//! Nearly all lines of an access log have the same columns in the same places. What [`super::shape`] finds out anew for each line is
//! laid down once, from the head of the source, and each line is then read in one walk from left to right. A line that differs in
//! anything that could change its meaning is left to the careful reader, so that both always say the same (a property test holds
//! them against each other).

use super::anchors::{self, anchors, bare_time};
use super::meaning::{self, Meaning, is_status};
use super::names;
use super::request;
use super::shape;
use super::token::{Kind, Token, scan, split_key};
use crate::format::{Cx, Fit};
use crate::stamp;
use whyline_event::{Key, Record, Stamp, Value, address};

/// More columns than this are left to the careful reader.
const MOST: usize = 32;

/// One column as the source writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    kind: Kind,
    /// What stands before the value: the key with its separator, an opening quote or bracket.
    lead: Box<str>,
    /// Its first eight bytes as a number, and which of them count.
    word: (u64, u64),
    /// How much of the lead is the key.
    key: usize,
    /// What it means, unless that depends on the value.
    meaning: Option<Meaning>,
}

/// The columns of a source: `... client ident user [time] "request" status ...`.
#[derive(Clone, Debug)]
pub struct Quick {
    columns: Vec<Column>,
    /// The column of the client.
    client: usize,
    /// The columns behind the status are those of the combined format, which must be seen to be so in every line.
    plain: Option<Plain>,
    /// The source is Apache's, or its lines have a shape that only Apache writes.
    apache: bool,
    /// Keys of upstream times are among the columns: two abbreviations then speak of the upstream.
    upstream_keys: bool,
}

/// Where the columns stand by whose values the combined format is known.
#[derive(Clone, Debug)]
struct Plain {
    size: Option<usize>,
    forwarded: Option<usize>,
}

impl Plain {
    /// Of columns from the `first`th on; `None` when they are not those of the combined format.
    fn of(columns: &[Column], first: usize) -> Option<Plain> {
        let mut behind = columns.iter().enumerate().skip(first);
        let Some((size, column)) = behind.next() else { return Some(Plain { size: None, forwarded: None }) };
        let quoted: Vec<(usize, &Column)> = behind.filter(|(_, column)| column.key == 0).collect();
        let fits = column.kind == Kind::Bare && column.key == 0;
        let texts = matches!(quoted.len(), 0 | 2 | 3) && quoted.iter().all(|(_, column)| column.kind == Kind::Quoted);
        (fits && texts).then(|| Plain { size: Some(size), forwarded: quoted.get(2).map(|(at, _)| *at) })
    }
}

type Spans = [(u32, u32); MOST];

impl Quick {
    /// The way through lines like most of these. `tail` is what the source taught about the columns behind the status; `None`
    /// where they are those of the combined format. Returns `None` when the lines are not of the usual order.
    pub fn of(lines: &[&str], tail: Option<&[Meaning]>, apache: bool) -> Option<Quick> {
        let mut found: Vec<(Quick, usize)> = Vec::new();
        for line in lines {
            let Some(quick) = Self::from_line(line, tail, apache) else { continue };
            match found.iter_mut().find(|(q, _)| q.columns == quick.columns && q.client == quick.client) {
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
        let bare = |t: &Token<'_>| t.kind == Kind::Bare && t.key.is_empty();
        if !usual
            || tokens.len() > MOST
            || time > 10
            || anchors.status != Some(request + 1)
            || tokens.get(time)?.kind != Kind::Bracketed
            || !tokens.iter().take(time).all(bare)
            || !tokens.get(request + 1).is_some_and(bare)
        {
            return None;
        }
        let behind: Vec<&Token<'_>> = anchors::behind(&tokens, &anchors).collect();
        let upstream_keys = shape::has_upstream_keys(behind.iter().copied());
        let mut columns = Vec::with_capacity(tokens.len());
        for (at, token) in tokens.iter().enumerate() {
            let mut column = column(line, token)?;
            if at > request + 1 {
                let meaning = match token.key {
                    "" => Some(tail.unwrap_or(&shape::PLAIN).get(at - request - 2).copied().unwrap_or(Meaning::Nothing)),
                    "ua" | "us" => None,
                    key => Some(names::lookup(key).unwrap_or(Meaning::Named)),
                };
                // A user agent without quotes goes on to the end of the line.
                if token.kind == Kind::Bare && meaning == Some(Meaning::Text(Key::UserAgent)) {
                    return None;
                }
                column.meaning = meaning;
            }
            columns.push(column);
        }
        let plain = match tail {
            Some(_) => None,
            None => Some(Plain::of(&columns, time + 3)?),
        };
        Some(Quick { columns, client: time - 3, plain, apache: apache || behind.len() == 1, upstream_keys })
    }

    /// Reads a line. `None`, and the record as it was, for a text that needs the careful reader.
    pub fn read<'a>(&self, line: &'a str, cx: &Cx<'a>, record: &mut Record<'a>) -> Option<Fit> {
        let mut spans = [(0, 0); MOST];
        self.cut(line, &mut spans)?;
        let of = |at: usize| spans.get(at).and_then(|(from, to)| line.get(*from as usize..*to as usize)).unwrap_or("");
        let (client, time) = (self.client, self.client + 3);
        if of(client + 1) != "-" {
            return None;
        }
        let stamp = time_of(of(time))?;
        let request = request::split_http(of(time + 1))?;
        let status = small_number(of(time + 2)).filter(|_| is_status(of(time + 2)))?;
        if !self.is_plain(&of) {
            return None;
        }
        let usual_client = is_ipv4(of(client));
        self.no_other_time(line, &spans, usual_client)?;
        let mut head = [Meaning::Nothing; 8];
        for at in 0..client {
            *head.get_mut(at)? = before_client(of(at))?;
        }
        let vhost = head.first() == Some(&Meaning::Server)
            && memchr::memchr(b':', of(0).as_bytes()).is_some()
            && address::split_port(of(0)).1.is_some();
        record.format = if self.apache || vhost { "apache.access" } else { "nginx.access" };
        record.body = line;
        record.severity = None;
        record.stamp = Some(stamp);
        for (at, meaning) in head.iter().enumerate().take(client) {
            match meaning {
                Meaning::Server if !vhost && !of(at).contains(':') => record.put_str(Key::ServerAddress, of(at)),
                meaning => meaning::put(*meaning, "", of(at), cx, record),
            }
        }
        match usual_client {
            true => record.put(Key::ClientAddress, Value::Str(of(client))),
            false => meaning::put_client(of(client), record),
        }
        record.put_str(Key::User, of(client + 2));
        request::put_http(&request, cx, record);
        record.put(Key::Status, Value::Int(status));
        self.put_tail(line, &spans, cx, record);
        Some(88)
    }

    fn put_tail<'a>(&self, line: &'a str, spans: &Spans, cx: &Cx<'a>, record: &mut Record<'a>) {
        let first = self.client + 6;
        let columns = self.columns.get(first..).unwrap_or(&[]);
        for (column, (from, to)) in columns.iter().zip(spans.get(first..).unwrap_or(&[])) {
            let (from, to) = (*from as usize, *to as usize);
            let Some(text) = line.get(from..to) else { continue };
            let key = || {
                let start = from - column.lead.len();
                line.get(start..start + column.key).unwrap_or("")
            };
            if text == "-" {
                continue;
            }
            match column.meaning {
                Some(Meaning::Text(key)) => record.put_str(key, meaning::trimmed(text)),
                Some(Meaning::Took(key, unit)) => match meaning::duration(text, unit) {
                    Some(value) => record.put(key, value),
                    None => meaning::put(Meaning::Took(key, unit), "", text, cx, record),
                },
                Some(Meaning::Ints(key)) => match small_number(text) {
                    Some(number) => record.put(key, Value::Int(number)),
                    None => meaning::put(Meaning::Ints(key), "", text, cx, record),
                },
                Some(Meaning::Upstreams) if !text.bytes().any(|b| matches!(b, b',' | b' ')) => {
                    meaning::put_upstream(text, record);
                }
                Some(Meaning::Named) => meaning::put(Meaning::Named, key(), text, cx, record),
                Some(Meaning::Nothing) => {}
                Some(meaning) => meaning::put(meaning, "", text, cx, record),
                None => meaning::put(shape::keyed(key(), text, self.upstream_keys), key(), text, cx, record),
            }
        }
    }

    /// Where each column's value stands, if the line has just these columns with one blank between them.
    fn cut(&self, line: &str, spans: &mut Spans) -> Option<()> {
        let b = line.as_bytes();
        // Escapes and further lines are rare, and not read here.
        if b.len() > u32::MAX as usize || memchr::memchr2(b'\\', b'\n', b).is_some() {
            return None;
        }
        let mut at = 0;
        for (column, span) in self.columns.iter().zip(spans.iter_mut()) {
            let from = at + column.lead.len();
            let same = match eight(b, at) {
                Some(word) if column.lead.len() <= 8 => word & column.word.1 == column.word.0,
                _ => b.get(at..from)? == column.lead.as_bytes(),
            };
            if !same {
                return None;
            }
            let end = match column.kind {
                Kind::Bare => bare(b, from, column)?,
                // The usual time has 26 letters, none of them a bracket.
                Kind::Bracketed if b.get(from + 26) == Some(&b']') && !b.get(from..from + 26)?.contains(&b']') => from + 26,
                Kind::Bracketed => from + memchr::memchr(b']', b.get(from..)?)?,
                Kind::Quoted => from + memchr::memchr(b'"', b.get(from..)?)?,
            };
            *span = (from as u32, end as u32);
            at = end + usize::from(column.kind != Kind::Bare);
            if b.get(at).is_some_and(|b| *b != b' ') {
                return None;
            }
            at += 1;
        }
        // Behind the last column stands the end, which was counted as a blank.
        (at == b.len() + 1).then_some(())
    }

    /// Whether a line keeps to the columns of the combined format, as far as their values say so.
    fn is_plain<'a>(&self, of: &impl Fn(usize) -> &'a str) -> bool {
        let Some(plain) = &self.plain else { return true };
        let is_size = |text: &str| text == "-" || text.bytes().all(|b| b.is_ascii_digit());
        let is_list = |text: &str| text == "-" || text.split(',').all(|t| address::ip(t.trim()).is_some());
        plain.size.is_none_or(|at| is_size(of(at))) && plain.forwarded.is_none_or(|at| is_list(of(at)))
    }

    /// Nothing before the time in its brackets reads like a time, as it would if the line were of another order.
    fn no_other_time(&self, line: &str, spans: &Spans, usual_client: bool) -> Option<()> {
        for at in 0..self.client + 3 {
            if at == self.client && usual_client {
                continue;
            }
            let (from, to) = *spans.get(at)?;
            let text = line.get(from as usize..to as usize)?;
            if at > 0 && text.len() < 10 {
                continue;
            }
            // A word begins a time only where a day or a time of day follows.
            let b = text.as_bytes();
            let before = usual_client && at + 1 == self.client;
            let word = before && b.first().is_some_and(u8::is_ascii_alphabetic) && !b.contains(&b':');
            if !word && bare_time(line, text, from as usize).is_some() {
                return None;
            }
        }
        Some(())
    }
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
    Some(Column { kind: token.kind, lead: lead.into(), word, key: token.key.len(), meaning: None })
}

/// The eight bytes at `at`, the first one lowest.
fn eight(b: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(b.get(at..at + 8)?.try_into().ok()?))
}

/// How many bytes from `from` on come before a blank, a control character or a double quote.
///
/// Eight bytes are looked at together: a byte is below `n` when taking `n` off it borrows (Bit Twiddling Hacks, "determine if a
/// word has a byte less than n"). Borrows may reach higher bytes, so only the lowest mark counts.
fn word_len(b: &[u8], from: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut at = from;
    while let Some(x) = eight(b, at) {
        let quote = x ^ (ONES * b'"' as u64);
        let marks = (x.wrapping_sub(ONES * 0x21) & !x | quote.wrapping_sub(ONES) & !quote) & (ONES * 0x80);
        if marks != 0 {
            return at - from + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = b.get(at..).unwrap_or(&[]);
    at - from + rest.iter().position(|b| *b <= b' ' || *b == b'"').unwrap_or(rest.len())
}

/// The end of the bare value at `from`; `None` where the careful reader would find more in it than one value.
fn bare(b: &[u8], from: usize, column: &Column) -> Option<usize> {
    let end = from + word_len(b, from);
    let (first, last) = (*b.get(from)?, *b.get(end.wrapping_sub(1))?);
    // Lists go on behind a comma, and behind a colon that stands alone.
    if end == from || last == b',' && end > from + 1 || first == b':' && end == from + 1 || b.get(end) == Some(&b'"') {
        return None;
    }
    if column.key > 0 {
        return (first != b'=').then_some(end);
    }
    if first == b'[' {
        return None;
    }
    if first.is_ascii_alphabetic() || matches!(first, b'_' | b'$') {
        let text = b.get(from..end)?;
        if text.iter().any(|b| matches!(b, b'=' | b':')) && !split_key(std::str::from_utf8(text).ok()?).0.is_empty() {
            return None;
        }
    }
    Some(end)
}

/// What a column before the client means; `None` where it shows that the line is of an envelope.
fn before_client(text: &str) -> Option<Meaning> {
    // `web-04`: a letter that is in no address, and a sign that is in no level.
    let b = text.as_bytes();
    if b.len() < 200
        && b.first().is_some_and(u8::is_ascii_alphabetic)
        && b.iter().any(|b| matches!(b, b'g'..=b'z'))
        && b.contains(&b'-')
        && b.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    {
        return Some(Meaning::Server);
    }
    let token = Token { kind: Kind::Bare, key: "", text, start: 0, end: 0 };
    (!shape::is_of_envelope(&token) && !shape::is_level(&token)).then(|| shape::before_client(&token))
}

/// Whether a text has the looks of an IPv4 address: digits and three dots. No notation of time looks so.
fn is_ipv4(text: &str) -> bool {
    let b = text.as_bytes();
    let dots = b.iter().filter(|b| **b == b'.').count();
    let digits = b.iter().filter(|b| b.is_ascii_digit()).count();
    dots == 3 && digits >= 4 && dots + digits == b.len() && b.len() <= 15
}

/// A whole number of up to twelve digits.
fn small_number(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 12 {
        return None;
    }
    text.bytes().try_fold(0i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

fn time_of(text: &str) -> Option<Stamp> {
    stamp::common_log(text).or_else(|| meaning::time(text))
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
