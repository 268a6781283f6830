//! PHP's error log and PHP-FPM's own: `[21-Nov-2026 10:06:46 Europe/Berlin] PHP Fatal error:  text`,
//! `[21-Nov-2026 10:06:46] WARNING: [pool www] server reached pm.max_children setting (5)`.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::{exception, fill, message};
use crate::seek::Needle;
use crate::stamp;
use whyline_event::{Key, Record, Severity, Stamp, Value, Zone};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Php;

/// PHP's words for the kinds of errors.
const KINDS: &[(&str, Severity)] = &[
    ("PHP Fatal error:", Severity::Fatal),
    ("PHP Parse error:", Severity::Fatal),
    ("PHP Catchable fatal error:", Severity::Fatal),
    ("PHP Recoverable fatal error:", Severity::Fatal),
    ("PHP Core error:", Severity::Fatal),
    ("PHP Compile error:", Severity::Fatal),
    ("PHP Warning:", Severity::Warn),
    ("PHP Core warning:", Severity::Warn),
    ("PHP Notice:", Severity::Info),
    ("PHP Deprecated:", Severity::Info),
    ("PHP Strict standards:", Severity::Info),
];

/// What PHP wrote to its standard error and a web server's error log hands on is told by PHP (nginx: `FastCGI sent in stderr`, httpd:
/// AH01071 `Got error`).
pub(super) fn handed_on(record: &mut Record<'_>) {
    const MARK: Needle = Needle::new("PHP message: ");
    if MARK.is_in(record.body) {
        fill::once_str(record, Key::ServiceName, "php-fpm");
    }
}

impl Format for Php {
    fn name(&self) -> &'static str {
        "php"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let (stamp, mut c) = parse(text)?;
        let mut fit = 62;
        let fpm = level(&mut c);
        let kind = KINDS.iter().find(|(word, _)| c.rest.starts_with(word));
        record.format = if fpm.is_some() { "php-fpm" } else { "php" };
        record.stamp = Some(stamp);
        if let Some((word, severity)) = fpm {
            fill::level_as(record, word, severity);
            fit = 85;
            pool(c.rest, record);
        }
        if let Some((word, severity)) = kind {
            let word = word.trim_end_matches(':');
            fill::level_as(record, word.strip_prefix("PHP ").unwrap_or(word), *severity);
            fit = 90;
        }
        record.body = c.rest;
        uncaught(c.rest, record);
        exception::fields(c.rest, record);
        place(c.rest, record);
        message::fields(cx, c.rest, record);
        Some(fit)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some()
    }
}

fn parse(text: &str) -> Option<(Stamp, Cursor<'_>)> {
    let mut c = Cursor::new(text);
    c.must("[")?;
    if c.rest.as_bytes().get(2) != Some(&b'-') {
        return None;
    }
    let stamp = c.stamp_by(stamp::clf)?;
    let zone = c.until("]").filter(|z| z.len() < 40)?.trim();
    c.blanks();
    let stamp = match Zone::parse(zone).filter(|_| stamp.offset.is_none() && !zone.is_empty()) {
        Some(zone) => {
            let utc = zone.to_utc(stamp.nanos);
            let offset = i32::try_from((stamp.nanos - utc) / 1_000_000_000).unwrap_or(0);
            Stamp::explicit(utc, offset, stamp.digits)
        }
        None => stamp,
    };
    Some((stamp, c))
}

/// PHP-FPM's level: `WARNING: `.
fn level<'a>(c: &mut Cursor<'a>) -> Option<(&'a str, Severity)> {
    let mut here = *c;
    let word = here.run(|b| b.is_ascii_uppercase())?;
    let severity = match word {
        "ALERT" => Severity::Fatal,
        "ERROR" => Severity::Error,
        "WARNING" => Severity::Warn,
        "NOTICE" => Severity::Info,
        "DEBUG" => Severity::Debug,
        _ => return None,
    };
    here.must(": ")?;
    *c = here;
    Some((word, severity))
}

/// `[pool www] child 7, script '/srv/x.php' (request: "GET /x") executing too slow (5.1 sec), logging`, exits of children.
fn pool<'a>(message: &'a str, record: &mut Record<'a>) {
    let mut c = Cursor::new(message);
    if let Some(name) = c.between("[pool ", "]") {
        record.put_other("php.fpm.pool", Value::Str(name));
    }
    c.blanks();
    if c.eat("child ") {
        if let Some(pid) = c.digits().and_then(|d| d.parse().ok()) {
            record.put_other("process.child.pid", Value::Int(pid));
        }
        if let Some((_, rest)) = c.rest.split_once("exited on signal ") {
            let (number, name) = rest.split_once(" (").unwrap_or((rest, ""));
            let name = name.split([')', ' ', '-']).next().unwrap_or("").trim_start_matches("SIG");
            fill::once_str(record, Key::Signal, if name.is_empty() { number } else { name });
        } else if let Some((_, rest)) = c.rest.split_once("exited with code ") {
            fill::once_int(record, Key::ExitCode, Cursor::new(rest).digits().unwrap_or(""));
        }
        if let Some((_, rest)) = c.rest.split_once("script '") {
            fill::once_str(record, Key::File, rest.split('\'').next().unwrap_or(""));
        }
    }
}

/// `PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /srv/x.php:12`.
fn uncaught<'a>(message: &'a str, record: &mut Record<'a>) {
    let Some((_, rest)) = message.split_once("Uncaught ") else { return };
    let Some((type_, tail)) = rest.split_once(": ") else { return };
    if type_.len() < 120 && type_.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'\\' | b'_')) {
        fill::once_str(record, Key::ExceptionType, type_);
        let line = tail.lines().next().unwrap_or(tail);
        let end = line.rfind(" in /").unwrap_or(line.len());
        fill::once_str(record, Key::ExceptionMessage, line.get(..end).unwrap_or(line));
        if message.contains("Stack trace:") {
            fill::once_str(record, Key::StackTrace, rest);
        }
    }
}

/// `in /srv/x.php:12`, `in /srv/x.php on line 12`.
fn place<'a>(message: &'a str, record: &mut Record<'a>) {
    let line = message.lines().rev().find(|l| l.contains(" in /") || l.trim_start().starts_with("thrown in /")).unwrap_or("");
    let Some(at) = line.rfind(" in /") else { return };
    let rest = line.get(at + 4..).unwrap_or("");
    if let Some((file, number)) = rest.split_once(" on line ") {
        fill::once_str(record, Key::CodeFile, file);
        fill::once_int(record, Key::CodeLine, number.trim());
    } else if let Some((file, number)) = rest.rsplit_once(':')
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        fill::once_str(record, Key::CodeFile, file);
        fill::once_int(record, Key::CodeLine, number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "[21-Nov-2026 10:06:46 Europe/Berlin] PHP Fatal error:  Uncaught PDOException: gone in /srv/x.php:12\nStack trace:\n#0 {main}\n  thrown in /srv/x.php on line 12";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Php.read(&cx, text, &mut r), Some(90));
        assert_eq!((r.str(Key::ExceptionType), r.str(Key::ExceptionMessage)), (Some("PDOException"), Some("gone")));
        assert_eq!((r.str(Key::CodeFile), r.int(Key::CodeLine)), (Some("/srv/x.php"), Some(12)));
        assert_eq!(r.stamp.and_then(|s| s.offset), Some(3600));
        let text = "[21-Nov-2026 10:06:46] WARNING: [pool www] child 77 exited on signal 11 (SIGSEGV) after 3.5 seconds from start";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Php.read(&cx, text, &mut r), Some(85));
        assert_eq!((r.format, r.severity, r.str(Key::Signal)), ("php-fpm", Some(Severity::Warn), Some("SEGV")));
    }
}
