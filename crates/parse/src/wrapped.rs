//! Lines that a terminal broke: copied from its window, a line that was longer than the window is wide stands on several lines, all but the
//! last of them exactly as long as the window is wide.
//!
//! They are joined again before anything else looks at them, where that is clear: nearly every line of the greatest length is followed by one that does
//! not begin as the records of the source do, and joined the lines are read far better than as they stand. A record then spans several
//! lines of its source, and its text is the joined one.

use crate::detect::Plan;
use std::collections::BTreeMap;

/// No window is narrower, or nobody reads logs in it.
const NARROWEST: usize = 40;
/// So many lines of the greatest length there have to be, and one in so many.
const FEWEST: usize = 5;
const ONE_IN: usize = 20;
/// How far the rests may be indented, as some viewers do.
const INDENTS: [usize; 3] = [0, 2, 4];
/// A line begins like another one where so many signs are the same, runs of digits and of letters being one sign each.
const SIGNS: usize = 10;
/// Beginnings that are known of a source.
const MOST_BEGINNINGS: usize = 16;
/// A record is joined up to this length.
const LONGEST: usize = 256 << 10;

/// How the lines of a source were broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    /// Characters of a line that goes on in the next one, without what the rests are indented by.
    pub columns: usize,
    /// Blanks in front of the rests.
    indent: usize,
    /// How records begin.
    beginnings: Vec<String>,
}

/// The lines of a head as they may have stood before they were broken.
pub struct Joined {
    /// How they were broken.
    pub wrap: Wrap,
    /// Lines, joined.
    pub head: Vec<u8>,
    /// The share of lines that go on in the next one.
    pub share: f64,
    /// The share of joined lines that are indented: of a record whose lines were several before they were broken.
    indented: f64,
}

/// How a line begins: runs of digits are one sign, so are those of letters and digits, and those of blanks.
fn beginning(line: &str) -> String {
    let mut signs = String::with_capacity(SIGNS);
    let mut count = 0;
    let mut last = '\0';
    for c in line.chars().take(256) {
        let sign = match c {
            '0'..='9' => '0',
            c if c.is_alphanumeric() => 'a',
            ' ' | '\t' => ' ',
            c => c,
        };
        let word = |c: char| matches!(c, '0' | 'a');
        if word(sign) && word(last) {
            // Letters make a word of a number.
            if sign == 'a' && last == '0' {
                signs.pop();
                signs.push('a');
                last = 'a';
            }
            continue;
        }
        if sign == ' ' && last == ' ' {
            continue;
        }
        if count == SIGNS {
            break;
        }
        signs.push(sign);
        (last, count) = (sign, count + 1);
    }
    signs
}

fn width(line: &str) -> usize {
    line.chars().count()
}

impl Wrap {
    /// What a line is without the indentation of a rest; nothing where it is none.
    fn rest<'l>(&self, line: &'l str) -> Option<&'l str> {
        let (front, rest) = line.split_at_checked(self.indent)?;
        front.bytes().all(|b| b == b' ').then_some(rest)
    }

    /// Whether a record goes on behind a piece of it.
    fn is_full(&self, piece: &str) -> bool {
        // Most lines are too short for that by their bytes alone.
        piece.len() >= self.columns && width(piece) == self.columns
    }

    /// Whether a line begins as records of the source do.
    fn begins(&self, line: &str) -> bool {
        let own = beginning(line);
        self.beginnings.contains(&own)
    }

    /// What a line adds to a record whose last piece is `piece`, if it goes on with it.
    pub fn next<'l>(&self, piece: &str, line: &'l str, so_far: usize) -> Option<&'l str> {
        if !self.is_full(piece) || so_far > LONGEST || line.trim().is_empty() {
            return None;
        }
        let rest = self.rest(line)?;
        (!self.begins(line)).then_some(rest)
    }

    /// Whether a record begins with a line, by the one before: a place at which a source may be cut.
    pub fn begins_behind(&self, before: &[u8], line: &[u8]) -> bool {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes)).into_owned();
        let before = text(before);
        let full = self.is_full(&before) || self.rest(&before).is_some_and(|rest| self.is_full(rest));
        !full && self.begins(&text(line))
    }

    /// Lines joined.
    fn joined(&self, lines: &[&str]) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut piece = "";
        for line in lines {
            match out.last_mut().and_then(|open| self.next(piece, line, open.len()).map(|rest| (open, rest))) {
                Some((open, rest)) => {
                    open.push_str(rest);
                    piece = rest;
                }
                None => {
                    out.push(line.to_string());
                    piece = line;
                }
            }
        }
        out
    }
}

/// How a head looks that may have been broken: told by the lengths of its lines and what follows the longest ones. The formats have the last word.
pub fn looks(head: &[u8]) -> Option<Joined> {
    // Nothing is broken where the lines are short.
    if head.len() < FEWEST * NARROWEST {
        return None;
    }
    let text = String::from_utf8_lossy(head);
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let longest = lines.iter().map(|line| width(line)).max().filter(|most| *most >= NARROWEST)?;
    INDENTS.iter().find_map(|indent| broken(&lines, longest.checked_sub(*indent)?, *indent))
}

fn broken(lines: &[&str], columns: usize, indent: usize) -> Option<Joined> {
    let mut wrap = Wrap { columns, indent, beginnings: Vec::new() };
    let is_full = |line: &str| wrap.is_full(line) || indent > 0 && wrap.rest(line).is_some_and(|rest| wrap.is_full(rest));
    let full: Vec<bool> = lines.iter().map(|line| is_full(line)).collect();
    let count = full.iter().filter(|full| **full).count();
    if count < FEWEST.max(lines.len() / ONE_IN) {
        return None;
    }
    // Behind a line that is not full a record begins, or the next line of one.
    let mut beginnings: BTreeMap<String, usize> = BTreeMap::new();
    let mut all = 0;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        if at == 0 || full.get(at - 1) == Some(&false) {
            *beginnings.entry(beginning(line)).or_default() += 1;
            all += 1;
        }
    }
    let mut beginnings: Vec<(usize, String)> = beginnings.into_iter().filter(|(_, n)| n * 33 >= all).map(|(signs, n)| (n, signs)).collect();
    beginnings.sort_by(|a, b| b.cmp(a));
    wrap.beginnings = beginnings.into_iter().take(MOST_BEGINNINGS).map(|(_, signs)| signs).collect();
    let behind: Vec<&str> =
        lines.windows(2).zip(&full).filter(|(pair, full)| **full && !pair[1].trim().is_empty()).map(|(pair, _)| pair[1]).collect();
    let rests: Vec<&str> = behind.iter().copied().filter(|line| !wrap.begins(line) && wrap.rest(line).is_some()).collect();
    // What is indented behind a long line is mostly the trace behind its message, and what is always the same is one of the program's own lines.
    let indented = rests.iter().filter(|line| wrap.rest(line).is_some_and(|rest| rest.starts_with([' ', '\t']))).count();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    rests.iter().for_each(|line| *times.entry(line).or_default() += 1);
    let commonest = times.into_values().max().unwrap_or(0);
    let clear =
        rests.len() * 10 >= behind.len() * 8 && rests.len() >= FEWEST - 1 && indented * 3 <= rests.len() && commonest * 2 <= rests.len();
    if !clear {
        return None;
    }
    let joined: Vec<String> = wrap.joined(lines).into_iter().filter(|line| !line.trim().is_empty()).collect();
    let indented = joined.iter().filter(|line| line.starts_with([' ', '\t'])).count() as f64 / joined.len().max(1) as f64;
    Some(Joined { share: count as f64 / lines.len().max(1) as f64, wrap, head: joined.join("\n").into_bytes(), indented })
}

/// The share of joined lines that a format reads, and how many more than were read before.
const READ: f64 = 0.9;
const MORE: f64 = 0.15;

/// Whether joined lines are plainly what stood there before.
pub fn is_right(before: &Plan, joined: &Joined, after: &Plan) -> bool {
    let known = after.format != "generic" && after.share + joined.indented >= READ;
    known && (before.format == "generic" || after.share >= before.share + MORE)
}

/// Whether lines that cannot be joined look broken all the same, so that it is worth being told of.
pub fn is_doubtful(before: &Plan, joined: &Joined) -> bool {
    before.share < 0.7 && joined.share >= 0.1 && joined.wrap.indent == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::read_text;
    use whyline_event::{Form, Key};

    fn broken_at(columns: usize, indent: &str, text: &str) -> String {
        let mut out = String::new();
        for line in text.lines() {
            let mut rest: Vec<char> = line.chars().collect();
            let mut first = true;
            loop {
                let next = rest.split_off(rest.len().min(columns));
                out.push_str(if first { "" } else { indent });
                out.extend(rest);
                out.push('\n');
                (rest, first) = (next, false);
                if rest.is_empty() {
                    break;
                }
            }
        }
        out
    }

    /// Records of different lengths; some are as long as the window is wide, or twice that.
    fn access() -> String {
        (0..60)
            .map(|n| {
                let path = "x".repeat(n * 7 % 90);
                format!(
                    "192.0.2.{} - - [21/Nov/2026:10:00:{:02} +0000] \"GET /{path} HTTP/1.1\" 200 {n} \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64) caf\u{e9}\"\n",
                    n % 200,
                    n
                )
            })
            .collect()
    }

    fn pg() -> String {
        let say = |n: usize| {
            format!("2026-11-21 10:00:{:02}.123 UTC [{}] ERROR:  {}\n", n, 4000 + n, "deadlock detected while waiting ".repeat(1 + n % 6))
        };
        (0..60).map(say).collect()
    }

    /// Records of several lines, the others indented.
    fn detailed() -> String {
        let tail = |n: usize| {
            format!("{}\n\tProcess {n}: update products set stock = stock + 0 where id = {n}", "waits for a lock ".repeat(n % 5))
        };
        pg().lines().enumerate().map(|(n, line)| if n % 3 == 0 { format!("{line}{}\n", tail(n)) } else { format!("{line}\n") }).collect()
    }

    type Seen = (String, u64, u32, u64, u64, bool, String);

    fn seen(text: &str) -> Vec<Seen> {
        let mut out = Vec::new();
        read_text(text, None, &crate::formats::all(), &mut |r| {
            let o = r.origin;
            out.push((
                r.format.to_string(),
                o.line,
                o.lines,
                o.offset,
                o.length,
                r.stamp.is_some_and(|s| s.form != Form::TimeOnly),
                r.text.to_string(),
            ));
        });
        out
    }

    #[test]
    fn beginnings() {
        assert_eq!(beginning("192.0.2.7 - - [21/Nov"), "0.0.0.0 - ");
        assert_eq!(beginning("Nov  1 10:00:00 web1 x"), "a 0 0:0:0 ");
        assert_eq!(beginning("3f2a x"), "a a");
        assert_eq!(beginning(""), "");
    }

    #[test]
    fn broken_lines_are_one_record() {
        for (text, format, indent) in
            [(access(), "nginx.access", ""), (access(), "nginx.access", "  "), (pg(), "postgresql", ""), (pg(), "postgresql", "    ")]
        {
            let wrapped = broken_at(80, indent, &text);
            let (whole, found) = (seen(&text), seen(&wrapped));
            assert_eq!(found.len(), whole.len());
            let (mut line, mut offset) = (1, 0);
            for (was, is) in whole.iter().zip(&found) {
                assert_eq!((is.0.as_str(), is.5, &is.6), (format, true, &was.6));
                assert_eq!((is.1, is.3), (line, offset));
                let pieces = is.6.chars().count().div_ceil(80) as u32;
                assert_eq!(is.2, pieces, "{}", is.6);
                let length = is.6.len() + (pieces as usize - 1) * (1 + indent.len());
                assert_eq!(is.4, length as u64);
                (line, offset) = (line + u64::from(pieces), offset + length as u64 + 1);
            }
        }
    }

    #[test]
    fn records_of_several_lines_stay_so() {
        let (whole, found) = (seen(&detailed()), seen(&broken_at(80, "", &detailed())));
        let texts = |seen: &[Seen]| seen.iter().map(|s| (s.0.clone(), s.6.clone())).collect::<Vec<_>>();
        assert_eq!(texts(&found), texts(&whole));
        assert!(found.iter().any(|s| s.6.contains("\n\tProcess ")));
    }

    #[test]
    fn what_was_not_broken_is_left_alone() {
        // All lines are as long as each other.
        let equal: String = (10..60)
            .map(|n| format!("2026-11-21 10:00:{n},000 INFO  [main] com.example.shop.OrderService - order accepted {n}\n"))
            .collect();
        // A trace behind the longest line.
        let trace: String = (10..60)
            .map(|n| format!("2026-11-21 10:00:{n},000 ERROR [main] com.example.shop.OrderService - no pool {n}\njava.io.IOException: half closed\n\tat com.example.Shop.run(Shop.java:{n})\n"))
            .collect();
        for text in [access(), pg(), detailed(), equal, trace] {
            assert!(looks(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn fields_are_those_of_the_whole_line() {
        let wrapped = broken_at(80, "", &access());
        let mut agents = 0;
        read_text(&wrapped, None, &crate::formats::all(), &mut |r| {
            agents += usize::from(r.str(Key::UserAgent) == Some("Mozilla/5.0 (X11; Linux x86_64) caf\u{e9}"))
        });
        assert_eq!(agents, 60);
    }
}
