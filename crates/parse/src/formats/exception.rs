//! Exceptions and stack traces in records of several lines.

use crate::formats::{fill, unstamped};
use crate::seek::Needle;
use whyline_event::{Key, Record, Value};

const TRACEBACK: Needle = Needle::new("Traceback (most recent call last):");
const GOROUTINE: Needle = Needle::new("goroutine ");
const PANICKED: Needle = Needle::new("' panicked at ");
const RUBY: Needle = Needle::new(".rb:");
const CAUSE: Needle = Needle::new("Caused by: ");
/// .NET writes the exceptions from the outermost to the innermost, and all their frames below (System.Exception.ToString).
const INNER: Needle = Needle::new("---> ");

/// Adds what a record of several lines tells about an exception. Does nothing where there is no trace.
pub fn fields<'a>(text: &'a str, record: &mut Record<'a>) {
    if !text.contains('\n') || record.has(Key::StackTrace) {
        return;
    }
    if let Some((type_, message, trace)) =
        python(text).or_else(|| go(text)).or_else(|| frames(text)).or_else(|| ruby(text)).or_else(|| rust(text))
    {
        put(type_, message, trace, record);
        if let Some((type_, message)) = root_cause(text)
            && record.last(Key::ExceptionType) != Some(Value::Str(type_))
        {
            let message = without_code(message, record);
            record.put_str(Key::ExceptionType, type_);
            record.put_str(Key::ExceptionMessage, message);
        }
    }
}

/// Adds a text that is known to be a stack trace, and what its first lines tell.
pub fn stack<'a>(text: &'a str, record: &mut Record<'a>) {
    fields(text, record);
    if !record.has(Key::StackTrace) {
        record.put_str(Key::StackTrace, text);
        if let Some((type_, message)) = header(text.lines().next().unwrap_or("")) {
            fill::once_str(record, Key::ExceptionType, type_);
            fill::once_str(record, Key::ExceptionMessage, message);
        }
    }
}

fn put<'a>(type_: &'a str, message: &'a str, trace: &'a str, record: &mut Record<'a>) {
    let message = without_code(message, record);
    fill::once_str(record, Key::ExceptionType, type_);
    fill::once_str(record, Key::ExceptionMessage, message);
    fill::once_str(record, Key::StackTrace, trace.trim_end());
}

/// .NET writes the code of an error of the system between class and message: `SocketException (111): Connection refused`.
fn without_code<'a>(message: &'a str, record: &mut Record<'a>) -> &'a str {
    let Some((code, rest)) = message.strip_prefix('(').and_then(|rest| rest.split_once("): ")) else { return message };
    let digits = code.strip_prefix("0x").unwrap_or(code);
    if digits.is_empty() || digits.len() > 10 || !digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return message;
    }
    fill::once_int(record, Key::Errno, code);
    rest
}

/// Python: after `Traceback (most recent call last):` and indented lines, the line that begins at the margin.
fn python(text: &str) -> Option<(&str, &str, &str)> {
    let first = TRACEBACK.find(text)?;
    let at = TRACEBACK.rfind(text)?;
    let trace = text.get(first..)?;
    let last = text.get(at..)?;
    for line in last.lines().skip(1) {
        if line.starts_with([' ', '\t']) || line.is_empty() {
            continue;
        }
        let (type_, message) = header(line)?;
        return Some((type_, message, trace));
    }
    None
}

/// Go: `panic: text`, then `goroutine 1 [running]:`.
fn go(text: &str) -> Option<(&str, &str, &str)> {
    let at = GOROUTINE.find(text)?;
    let trace = text.get(at..)?;
    let line = text.lines().find(|l| l.contains("panic: ") || l.starts_with("fatal error: "))?;
    let message = line.split_once("panic: ").or_else(|| line.split_once("fatal error: ")).map_or(line, |(_, m)| m);
    Some(("panic", message, trace))
}

/// Java, JavaScript, C#: frames that begin with `at `; the line before the first names the exception.
fn frames(text: &str) -> Option<(&str, &str, &str)> {
    let mut start = 0;
    let mut candidate: Option<(usize, &str)> = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let is_frame = bare.starts_with("at ") && line.starts_with([' ', '\t']);
        if is_frame {
            let (from, header_line) = candidate?;
            let (type_, message) = header(header_line)?;
            return Some((type_, message, text.get(from..)?));
        }
        // The inner ones of .NET stand below the outermost, with which the trace begins.
        let inner = bare.starts_with("---> ") && candidate.is_some_and(|(_, outer)| header(outer).is_some());
        if candidate.is_none() || !inner && header(bare).is_some() {
            candidate = Some((start, bare));
        }
        start += line.len();
    }
    None
}

/// Rust: `thread 'main' panicked at src/main.rs:2:5:`, the message on the line below.
fn rust(text: &str) -> Option<(&str, &str, &str)> {
    let at = PANICKED.find(text)?;
    let mut lines = text.get(at..)?.lines();
    let head = lines.next()?;
    let message = if head.ends_with(':') { lines.next()? } else { head.split_once(" at '")?.1.rsplit_once("', ")?.0 };
    Some(("panic", message, text))
}

/// Ruby: `Class: message` or `Class (message)`, then frames `file.rb:12:in `name'`, perhaps after an empty line.
fn ruby(text: &str) -> Option<(&str, &str, &str)> {
    let at = RUBY.find(text)?;
    let start = text.get(..at)?.rfind('\n')? + 1;
    text.get(at..)?.split('\n').next().filter(|line| line.contains(":in "))?;
    let header = text.get(..start)?.lines().rev().find(|line| !line.trim().is_empty())?.trim();
    for (mark, end) in [(": ", ""), (" (", ")")] {
        // What stands before may be the program's own.
        let Some((before, message)) = header.split_once(mark) else { continue };
        let class = before.rsplit(' ').next().unwrap_or(before);
        let bare = class.rsplit("::").next().unwrap_or(class);
        let shaped = class.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_'))
            && bare.starts_with(|c: char| c.is_ascii_uppercase());
        if shaped && (class.contains("::") || bare.ends_with("Error") || bare.ends_with("Exception")) {
            return Some((class, message.strip_suffix(end).unwrap_or(message), text.get(start..)?));
        }
    }
    None
}

/// The last `Caused by: Type: message`, or `---> Type: message`.
fn root_cause(text: &str) -> Option<(&str, &str)> {
    let behind = |needle: &Needle, length: usize| {
        let at = needle.rfind(text)?;
        header(text.get(at + length..)?.lines().next()?)
    };
    behind(&CAUSE, 11).or_else(|| behind(&INNER, 5))
}

/// `Type: message` or `Type`, where the type looks like a class; also at the end of a longer line
/// (`... failed: java.io.IOException: closed`).
fn header(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("Uncaught ").unwrap_or(line);
    let line = unstamped::thread(line).map_or(line, |(_, exception)| exception);
    let mut from = 0;
    // The first words may be the program's own; a class ends in a usual word or stands before a colon.
    loop {
        let rest = line.get(from..)?;
        let end = rest.find(|c: char| c == ':' || c.is_whitespace()).unwrap_or(rest.len());
        let word = rest.get(..end)?;
        let after = rest.get(end..)?;
        // `Exception Info: a.B` of .NET's own reports: the word alone names no class.
        let vague = matches!(word, "Exception" | "Error") && after.starts_with(' ');
        if !vague && is_class(word, from == 0 && after.starts_with(':')) {
            let message = after.strip_prefix(':').unwrap_or(after).trim();
            return Some((word, message));
        }
        from += end + after.chars().next()?.len_utf8();
    }
}

fn is_class(word: &str, alone: bool) -> bool {
    const ENDS: [&str; 11] =
        ["Exception", "Error", "Throwable", "Interrupt", "Exit", "Warning", "Fault", "Failure", "Timeout", "Refused", "Iteration"];
    // Most words have no such end, and no class is looked for where there is neither.
    let ends = matches!(word.bytes().next_back(), Some(b'n' | b'r' | b'e' | b't' | b'g' | b'd')) && ENDS.iter().any(|e| word.ends_with(e));
    let packaged = alone && word.contains('.') && !word.contains('/');
    if !(ends || packaged) {
        return false;
    }
    let name = word.rsplit(['.', '$', '\\', '/']).next().unwrap_or(word);
    word.len() < 160
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'$' | b'_' | b'\\' | b'/'))
        && name.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    #[test]
    fn traces() {
        for (text, type_, message) in [
            (
                "boom\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\nshop.db.Lost: gone away",
                "shop.db.Lost",
                "gone away",
            ),
            ("request failed\njava.io.IOException: closed\n\tat a.B.c(B.java:1)\n\t... 3 more", "java.io.IOException", "closed"),
            ("unhandled TypeError: x is not a function\n    at f (/srv/a.js:1:2)", "TypeError", "x is not a function"),
            ("panic: nil map\n\ngoroutine 1 [running]:\nmain.main()", "panic", "nil map"),
        ] {
            let mut r = Record::new(text, Origin::default());
            fields(text, &mut r);
            assert_eq!((r.str(Key::ExceptionType), r.str(Key::ExceptionMessage)), (Some(type_), Some(message)), "{text}");
            assert!(r.has(Key::StackTrace));
        }
        let text = "a.AException: x\n\tat a.B.c(B.java:1)\nCaused by: b.CException: y: z\n\tat q";
        let mut r = Record::new(text, Origin::default());
        fields(text, &mut r);
        assert_eq!(r.last(Key::ExceptionType), Some(Value::Str("b.CException")));
        assert_eq!(r.last(Key::ExceptionMessage), Some(Value::Str("y: z")));
        let text = "failed: GET /x\nShop.DbException: no rows ---> see below\n ---> Data.SqlException (0x80131904): A network-related error.\n \
                    ---> System.ComponentModel.Win32Exception (53): The network path was not found.\n   at Shop.Db.Get()";
        let mut r = Record::new(text, Origin::default());
        fields(text, &mut r);
        assert_eq!(r.str(Key::ExceptionType), Some("Shop.DbException"));
        assert_eq!(r.last(Key::ExceptionType), Some(Value::Str("System.ComponentModel.Win32Exception")));
        assert_eq!(r.last(Key::ExceptionMessage), Some(Value::Str("The network path was not found.")));
        assert_eq!(r.int(Key::Errno), Some(53));
        assert!(r.str(Key::StackTrace).is_some_and(|trace| trace.starts_with("Shop.DbException") && trace.contains("SqlException")));
        let text = "Exception in thread \"main\" a.BException: x\n\tat a.B.c(B.java:1)";
        let mut r = Record::new(text, Origin::default());
        fields(text, &mut r);
        assert_eq!((r.str(Key::ExceptionType), r.str(Key::ExceptionMessage)), (Some("a.BException"), Some("x")));
        let mut r = Record::new("two\nlines at all", Origin::default());
        fields("two\nlines at all", &mut r);
        assert!(r.fields.is_empty());
    }
}
