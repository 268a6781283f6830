//! Everything else: a stamp near the beginning of the line, a level word if there is one, and the line as it stands.

use crate::format::{Cx, Fit, Format};
use crate::formats::app::level;
use crate::formats::cursor::{Cursor, first_line};
use crate::formats::{exception, fill, message, unstamped};
use crate::stamp;
use std::sync::Arc;
use whyline_event::{Form, Record, Stamp};

/// The reader that takes any text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Generic {
    /// Whether the records of the source carry stamps; `None` until that has been learnt.
    stamped: Option<bool>,
}

/// How far into a line a stamp may begin.
const NEAR: usize = 48;

impl Format for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = first_line(text);
        if cx.depth > 0 && find(line, 2).is_none() {
            return None;
        }
        let found = find(line, NEAR);
        let at_start = found.as_ref().filter(|f| f.at <= 1);
        // Inside an envelope only a text with a stamp of its own is more than the envelope's message.
        if cx.depth > 0 && at_start.is_none() {
            return None;
        }
        record.format = "generic";
        record.body = text;
        if let Some(found) = &found {
            if !(found.stamp.form == Form::TimeOnly && record.stamp.is_some()) {
                record.stamp = Some(found.stamp);
            }
            let mut c = Cursor::new(text.get(found.end..).unwrap_or(""));
            c.rest = c.rest.trim_start_matches([' ', '\t', ']', ')', ':', ',', '-', '|', '"']);
            let word = level_near(&mut c);
            if let Some(word) = word {
                fill::level(record, word);
            }
            if at_start.is_some() {
                c.rest = c.rest.trim_start_matches([' ', '\t', ':', '-', '|']);
                if !c.rest.is_empty() {
                    record.body = c.rest;
                }
            }
        } else if let Some(word) = level::any(&mut Cursor::new(text)) {
            fill::level(record, word);
        } else {
            unstamped::fields(text, record);
        }
        exception::fields(text, record);
        message::fields(cx, record.body, record);
        if text.starts_with([' ', '\t']) {
            return Some(1);
        }
        Some(match found {
            Some(found) if found.at <= 1 && found.stamp.form != Form::TimeOnly => 10,
            Some(_) => 5,
            None => 1,
        })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        match self.stamped {
            Some(true) => find(line, NEAR).is_some(),
            _ => !line.starts_with([' ', '\t']) && !line.starts_with("Caused by: ") && !line.is_empty(),
        }
    }

    fn learn(&self, head: &[&str]) -> Option<Arc<dyn Format>> {
        let stamped = head.iter().filter(|text| find(first_line(text), NEAR).is_some()).count();
        Some(Arc::new(Generic { stamped: Some(stamped * 5 >= head.len() && stamped > 0) }))
    }
}

struct Found {
    stamp: Stamp,
    at: usize,
    end: usize,
}

/// The first stamp among so many bytes at the beginning of a line, at the beginning of a word.
fn find(line: &str, near: usize) -> Option<Found> {
    let bytes = line.as_bytes();
    let mut first_number = true;
    let mut time_only = None;
    for at in 0..bytes.len().min(near) {
        let here = *bytes.get(at)?;
        let begins =
            at == 0 || bytes.get(at - 1).is_some_and(|b| !b.is_ascii_alphanumeric() && *b < 0x80 && !matches!(b, b'.' | b'/' | b'_'));
        if !begins || !(here.is_ascii_alphanumeric() || here == b'@' && at == 0) {
            continue;
        }
        let Some(rest) = line.get(at..) else { continue };
        let found = stamp::prefix(rest).or_else(|| {
            let try_epoch = here.is_ascii_digit() && first_number && at <= 1;
            let epoch = if try_epoch { stamp::epoch(rest) } else { None };
            epoch.filter(|(_, used)| !rest.get(*used..).unwrap_or("").starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '.'))
        });
        if here.is_ascii_digit() {
            first_number = false;
        }
        match found {
            Some((stamp, used)) if stamp.form == Form::TimeOnly => {
                time_only.get_or_insert(Found { stamp, at, end: at + used });
            }
            Some((stamp, used)) => return Some(Found { stamp, at, end: at + used }),
            None => {}
        }
    }
    time_only.filter(|f| f.at <= 1)
}

/// A level among the next two words.
fn level_near<'a>(c: &mut Cursor<'a>) -> Option<&'a str> {
    let mut here = *c;
    if let Some(word) = level::any(&mut here) {
        *c = here;
        c.eat("]");
        return Some(word);
    }
    here.word()?;
    here.blanks();
    level::any(&mut here).or_else(|| later(c.rest))
}

/// A level in capitals with a colon further on: `BILLING: Run[7] WARNING: text`.
fn later(text: &str) -> Option<&str> {
    let line = first_line(text);
    let mut from = 0;
    for word in line.split(' ').take(8) {
        if let Some(level) = word.strip_suffix(':')
            && matches!(level, "WARNING" | "WARN" | "ERROR" | "FATAL" | "CRITICAL" | "SEVERE" | "ALERT" | "EMERGENCY")
        {
            return line.get(from..from + level.len());
        }
        from += word.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin, Severity};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        for (text, body, level, stamped, fit) in [
            ("2026-11-21 10:00:00 hello", "hello", None, true, 10),
            ("web1 [21/Nov/2026:10:00:00 +0100] hello", "web1 [21/Nov/2026:10:00:00 +0100] hello", None, true, 5),
            ("hello", "hello", None, false, 1),
            ("1795253000 hello", "hello", None, true, 10),
            ("ERROR: it broke", "ERROR: it broke", Some(Severity::Error), false, 1),
            ("2026-11-21 10:00:00 - BILLING: Run[7] WARNING: late", "BILLING: Run[7] WARNING: late", Some(Severity::Warn), true, 10),
            ("", "", None, false, 1),
        ] {
            let mut r = Record::new(text, Origin::default());
            assert_eq!(Generic::default().read(&cx, text, &mut r), Some(fit), "{text}");
            assert_eq!((r.body, r.severity, r.stamp.is_some()), (body, level, stamped), "{text}");
        }
        let learnt = Generic::default().learn(&["2026-11-21 10:00:00 a", "  b"]).unwrap();
        assert!(!learnt.starts(&cx, "prose"));
        assert!(learnt.starts(&cx, "2026-11-21 10:00:01 c"));
    }
}
