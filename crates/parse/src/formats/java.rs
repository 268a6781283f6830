//! Java layouts that the general reader does not see: java.util.logging's two lines and Tomcat's one.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, first_line};
use crate::formats::{exception, fill, message};
use crate::stamp;
use whyline_event::{Form, Key, Record, Severity, Stamp};

/// Tomcat's one-line layout: `21-Nov-2026 10:30:01.123 SEVERE [main] org.example.Host.start text`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tomcat;

struct Line<'a> {
    stamp: Stamp,
    level: &'a str,
    thread: &'a str,
    logger: &'a str,
    function: &'a str,
    message: &'a str,
}

impl Format for Tomcat {
    fn name(&self) -> &'static str {
        "tomcat.system"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = tomcat(text)?;
        record.format = "tomcat.system";
        put(cx, &line, record);
        Some(85)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        tomcat(line).is_some()
    }
}

fn tomcat(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let dash = text.as_bytes().get(2) == Some(&b'-');
    let stamp = c.stamp_by(stamp::clf).filter(|_| dash)?;
    c.must(" ")?;
    let level = level(&mut c)?;
    c.blanks();
    let thread = c.between("[", "]")?;
    c.must(" ")?;
    let place = c.word().filter(|w| w.contains('.'))?;
    c.eat(" ");
    let (logger, function) = place.rsplit_once('.').unwrap_or((place, ""));
    Some(Line { stamp, level, thread, logger, function, message: c.rest })
}

/// java.util.logging's `SimpleFormatter`: the first line has the time, the class and the method, the second the level and
/// the message: `Nov 21, 2026 10:30:01 AM com.example.Shop run` / `INFO: text`.
#[derive(Clone, Copy, Debug, Default)]
pub struct JavaUtilLogging;

impl Format for JavaUtilLogging {
    fn name(&self) -> &'static str {
        "java.util.logging"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let head = first_line(text);
        let (stamp, logger, function) = first(head)?;
        let rest = text.get(head.len() + 1..).unwrap_or("");
        let mut c = Cursor::new(rest);
        let level = level(&mut c).filter(|_| c.eat(": ") || c.eat(":")).unwrap_or("");
        if level.is_empty() && !rest.is_empty() {
            return None;
        }
        record.format = "java.util.logging";
        let message = if rest.is_empty() { head } else { c.rest };
        put(cx, &Line { stamp, level, thread: "", logger, function, message }, record);
        Some(match (rest.is_empty(), logger.contains('.')) {
            (false, _) => 88,
            (true, true) => 60,
            (true, false) => 40,
        })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        first(line).is_some()
    }
}

/// Time, class and method, and nothing else. A class without a package is one only behind the date that begins with a month.
fn first(line: &str) -> Option<(Stamp, &str, &str)> {
    let mut c = Cursor::new(line);
    let stamp = c.stamp()?;
    c.must(" ")?;
    let class = c.word().filter(|w| w.len() > 1 && w.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$')))?;
    c.must(" ")?;
    let function = c.word().filter(|w| w.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'<' | b'>')))?;
    let dated = || stamp.form == Form::Civil && line.starts_with(|month: char| month.is_alphabetic());
    let alone = || class.starts_with(|initial: char| initial.is_ascii_uppercase()) && dated();
    let named = if class.contains('.') { class.len() > 3 } else { alone() };
    (c.at_end() && named && Severity::from_word(class).is_none()).then_some((stamp, class, function))
}

/// A level word in the language of the server.
fn level<'a>(c: &mut Cursor<'a>) -> Option<&'a str> {
    let n = c.rest.find(|ch: char| !ch.is_alphabetic()).unwrap_or(c.rest.len());
    let word = c.rest.get(..n)?;
    if Severity::from_word(word).is_none() && !matches!(word, "FINEST" | "SCHWERWIEGEND" | "ОШИБКА") {
        return None;
    }
    c.take(n)
}

fn put<'a>(cx: &Cx<'a>, line: &Line<'a>, record: &mut Record<'a>) {
    record.stamp = Some(line.stamp);
    if !line.level.is_empty() {
        fill::level(record, line.level);
    }
    fill::once_str(record, Key::ThreadName, line.thread);
    fill::once_str(record, Key::Logger, line.logger);
    fill::once_str(record, Key::CodeFunction, line.function);
    record.body = line.message;
    exception::fields(line.message, record);
    message::fields(cx, line.message, record);
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "21-Nov-2026 10:30:01.123 SEVERE [main] org.example.Host.start No room";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Tomcat.read(&cx, text, &mut r), Some(85));
        assert_eq!((r.body, r.str(Key::Logger), r.severity), ("No room", Some("org.example.Host"), Some(Severity::Error)));
        for text in [
            "Nov 21, 2026 10:30:01 AM com.example.Shop run\nWARNING: No room",
            "Nov. 21, 2026 10:30:01 AM com.example.Shop run\nWARNUNG: No room",
            "Nov 21, 2026 10:30:01 AM Api service\nWARNING: No room",
            "Nov 21, 2026 10:30:01\u{202f}AM Api service\nWARNING: No room",
        ] {
            let mut r = Record::new(text, Origin::default());
            assert_eq!(JavaUtilLogging.read(&cx, text, &mut r), Some(88), "{text}");
            assert_eq!((r.body, r.severity), ("No room", Some(Severity::Warn)));
        }
        assert!(!JavaUtilLogging.starts(&cx, "WARNING: No room"));
        for no in [
            "2026-11-21 10:00:00 a.b c d",
            "2026-11-21 10:00:00 Server started",
            "Nov 21 10:00:00 Web1 up",
            "Nov 21, 2026 10:00:00 AM it runs",
        ] {
            assert!(!JavaUtilLogging.starts(&cx, no), "{no}");
        }
    }
}
