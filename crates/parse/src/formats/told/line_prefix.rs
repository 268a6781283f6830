//! Formats told as PostgreSQL's `log_line_prefix`: which parts stand before the severity word, and in which order.
//!
//! The escapes are those of the manual, section "Error Reporting and Logging".

use super::{Flaw, Made, Part};
use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use crate::formats::postgres::{self, prefix::Prefix};
use crate::stamp;
use regex::Regex;
use std::fmt::Write;
use std::sync::Arc;
use whyline_event::{FormatSpec, Record, Value};

/// Longer prefixes are refused.
const LONGEST: usize = 1000;

/// What an escape stands for: its letter, a name for its group, the shape of its text.
const ESCAPES: &[(char, &str, &str)] = &[
    ('a', "a", ".*?"),
    ('u', "u", ".*?"),
    ('d', "d", ".*?"),
    ('r', "r", r"\S*?(?:\(\d*\))?"),
    ('h', "h", r"\S*?"),
    ('L', "", r"\S*?"),
    ('b', "b", ".*?"),
    ('p', "p", r"\d+"),
    ('P', "", r"\d*"),
    ('t', "m", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+?"),
    ('m', "m", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \S+?"),
    ('n', "m", r"\d+\.\d+"),
    ('i', "i", ".*?"),
    ('e', "e", "[0-9A-Z]{5}"),
    ('c', "c", r"[0-9a-f]+\.[0-9a-f]+"),
    ('l', "", r"\d+"),
    ('s', "", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+?"),
    ('v', "", r"[0-9/]*"),
    ('x', "x", r"\d*"),
    ('Q', "", r"-?\d*"),
];

struct LinePrefix {
    regex: Regex,
    fit: Fit,
}

/// Compiles a `log_line_prefix`.
pub fn compile(spec: &FormatSpec, flaws: &mut Vec<Flaw>) -> Option<Made> {
    let text = setting(&spec.text);
    if text.len() > LONGEST {
        let message = format!("the prefix has more than {LONGEST} bytes");
        flaws.push(Flaw::new(Part::Text, 0..0, message, "paste the value of log_line_prefix only"));
        return None;
    }
    let offset = spec.text.find(text).unwrap_or(0);
    let expression = expression(text, offset, flaws)?;
    match Regex::new(&expression) {
        Ok(regex) => {
            let has = |name: &str| regex.capture_names().flatten().any(|n| n == name);
            let fit = if has("m") { 94 } else { 80 };
            Some(Made { inner: Arc::new(LinePrefix { regex, fit }), own_fields: Vec::new(), durations: Vec::new() })
        }
        Err(error) => {
            flaws.push(Flaw::new(Part::Text, 0..spec.text.len(), format!("the prefix cannot be used: {error}"), ""));
            None
        }
    }
}

/// The value alone, where the whole line of `postgresql.conf` was pasted.
fn setting(text: &str) -> &str {
    let Some(rest) = text.trim_start().strip_prefix("log_line_prefix") else { return text };
    let rest = rest.trim_start().strip_prefix('=').unwrap_or(rest).trim_start();
    let Some(inner) = rest.strip_prefix('\'') else { return text };
    inner.find('\'').and_then(|end| inner.get(..end)).unwrap_or(inner)
}

/// The regular expression for a prefix, the severity word and the message.
fn expression(text: &str, offset: usize, flaws: &mut Vec<Flaw>) -> Option<String> {
    let (mut made, mut open, mut known) = (String::from("^"), 0, Vec::new());
    let mut chars = text.char_indices().peekable();
    let before = flaws.len();
    while let Some((at, c)) = chars.next() {
        if c != '%' {
            made.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
            continue;
        }
        // `%-10p` and `%10p` fill up with blanks.
        let mut padded = false;
        while chars.next_if(|(_, c)| c.is_ascii_digit() || *c == '-').is_some() {
            padded = true;
        }
        let here = |end: usize| offset + at..offset + end;
        match chars.next() {
            Some((_, '%')) => made.push('%'),
            // Processes without a session write nothing from here on.
            Some((_, 'q')) => {
                made.push_str("(?:");
                open += 1;
            }
            Some((end, letter)) => match ESCAPES.iter().find(|(l, ..)| *l == letter) {
                Some((_, name, shape)) => {
                    let blanks = if padded { " *" } else { "" };
                    // A part that is written twice is told by the first.
                    let _ = match name.is_empty() || known.contains(name) {
                        true => write!(made, "{blanks}(?:{shape}){blanks}"),
                        false => write!(made, "{blanks}(?<{name}>{shape}){blanks}"),
                    };
                    known.push(name);
                }
                None => {
                    let help = "see the table of escapes of log_line_prefix in PostgreSQL's manual";
                    let message = format!("log_line_prefix has no escape `%{letter}`");
                    flaws.push(Flaw::new(Part::Text, here(end + letter.len_utf8()), message, help));
                }
            },
            None => flaws.push(Flaw::new(Part::Text, here(at + 1), "a `%` without a letter", "a percent sign is written `%%`")),
        }
    }
    if known.is_empty() && flaws.len() == before {
        let help = "paste the value of log_line_prefix, for instance '%m [%p] %q%u@%d '";
        flaws.push(Flaw::new(Part::Text, offset..offset + text.len(), "the prefix says nothing of the record", help));
    }
    made.push_str(&")?".repeat(open));
    made.push_str("(?<word>[A-Z]+[0-9]?):  (?<message>.*)$");
    (flaws.len() == before).then_some(made)
}

impl Format for LinePrefix {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = first_line(text);
        let found = self.regex.captures(line)?;
        let part = |name: &str| found.name(name).and_then(|m| text.get(m.range())).unwrap_or("").trim();
        let (word, severity) = postgres::severity(part("word"))?;
        let start = found.name("message")?.start();
        let (host, port) = match part("r").split_once('(') {
            Some((host, port)) => (host, port.trim_end_matches(')')),
            None if part("r").is_empty() => (part("h"), ""),
            None => (part("r"), ""),
        };
        let when = part("m");
        let prefix = Prefix {
            stamp: stamp::iso(when).or_else(|| stamp::epoch(when)).map(|(stamp, _)| stamp),
            pid: part("p"),
            user: part("u"),
            database: part("d"),
            host,
            port,
            application: part("a"),
            code: if part("e") == "00000" { "" } else { part("e") },
        };
        postgres::put(cx, &prefix, word, severity, text.get(start..)?, record);
        for (group, name) in [
            ("c", "postgresql.session.id"),
            ("x", "postgresql.transaction.id"),
            ("b", "postgresql.backend.type"),
            ("i", "postgresql.command"),
        ] {
            let value = part(group);
            if !value.is_empty() && value != "0" {
                record.put_other(name, Value::Str(value));
            }
        }
        Some(self.fit)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        self.regex.is_match(line)
    }
}
