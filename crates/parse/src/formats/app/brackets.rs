//! The pieces of a head that stand in brackets, and what kind of name a word is.

use super::head::Head;
use crate::formats::cursor::Cursor;
use crate::stamp;

/// `[stamp LEVEL module]` of Rust's env_logger, `[stamp: LEVEL/process]` of Celery.
pub(super) fn boxed<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    let mut here = *c;
    let Some(stamp) = here.must("[").and_then(|()| here.stamp()) else { return false };
    here.eat(":");
    here.blanks();
    let Some(inner) = here.until("]").filter(|t| t.len() <= 120) else { return false };
    let n = inner.find(|ch: char| !ch.is_ascii_uppercase()).unwrap_or(inner.len());
    let (level, name) = (inner.get(..n).unwrap_or(""), inner.get(n..).unwrap_or(""));
    if level.len() < 2 || whyline_event::Severity::from_word(level).is_none() || !(name.is_empty() || name.starts_with([' ', '/'])) {
        return false;
    }
    (head.stamp, head.level, head.stamp_first) = (Some(stamp), Some(level), true);
    let bare = name.trim_start_matches([' ', '/']);
    if is_logger(bare) {
        if name.starts_with('/') { head.thread = Some(bare) } else { head.logger = Some(bare) }
    }
    *c = here;
    true
}

/// `[Nest] 17  - stamp LEVEL [Context] text`.
pub(super) fn nest<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) {
    let mut here = *c;
    if here.eat("[Nest] ")
        && let Some(pid) = here.digits()
        && here.blanks() > 0
        && here.eat("- ")
    {
        here.blanks();
        head.pid = Some(pid);
        *c = here;
    }
}

/// A bracket that may hold brackets.
pub(super) fn nested<'a>(c: &mut Cursor<'a>, open: u8, close: u8) -> Option<&'a str> {
    let mut depth = 0usize;
    for (at, b) in c.rest.bytes().enumerate().take(240) {
        if b == b'\n' {
            return None;
        }
        if b == open {
            depth += 1;
        } else if b == close {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                let inner = c.rest.get(1..at)?;
                c.take(at + 1)?;
                return Some(inner);
            }
        }
    }
    None
}

pub(super) fn bracket<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    let mut here = *c;
    let Some(inner) = nested(&mut here, b'[', b']') else { return false };
    let word = inner.trim();
    if word.is_empty() {
        *c = here;
        return true;
    }
    let number = word.strip_prefix("pid ").or_else(|| word.strip_prefix("pid:")).unwrap_or(word);
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let tail = number.get(digits..).unwrap_or("");
    if digits > 0 && (tail.is_empty() || tail.starts_with([':', '-', '.', '#']) && tail.bytes().skip(1).all(|b| b.is_ascii_digit())) {
        if head.pid.is_none() {
            head.pid = number.get(..digits);
        } else if head.thread.is_none() {
            head.thread = Some(word);
        }
        *c = here;
        here.eat(":");
        c.rest = here.rest;
        return true;
    }
    // Key-value context, sentences and lists belong to the message.
    let context =
        word.contains("=") && !word.contains('@') || word.contains("\": ") || word.contains(", ") || word.matches(' ').count() > 3;
    if context || word.len() > 160 {
        return false;
    }
    // A second time is of a record inside.
    if stamp::prefix(word).is_some_and(|(stamp, used)| stamp.form != whyline_event::Form::TimeOnly && used == word.len()) {
        return false;
    }
    let address = word.strip_prefix("client ").unwrap_or(word);
    if whyline_event::address::ip(address).is_some() || whyline_event::address::is_ip_port(address) {
        if head.client.is_some() {
            return false;
        }
        head.client = Some(address);
    } else if let Some((file, line)) = source(word).filter(|(file, _)| file.contains('.') || head.stamp.is_some()) {
        if head.file.is_some() {
            return false;
        }
        (head.file, head.line) = (Some(file), Some(line));
    } else if (is_thread(word) || head.stamp.is_none() && source(word).is_some()) && head.thread.is_none() {
        head.thread = Some(word);
    } else if is_logger(word) && head.logger.is_none() {
        head.logger = Some(word);
    } else if head.thread.is_none() {
        head.thread = Some(word);
    } else {
        return false;
    }
    here.eat(":");
    *c = here;
    true
}

pub(super) fn braces<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    let mut here = *c;
    let Some(inner) = nested(&mut here, b'{', b'}') else { return false };
    let inner = inner.trim_matches(['{', '}']);
    match source(inner) {
        Some((file, line)) if head.file.is_none() => (head.file, head.line) = (Some(file), Some(line)),
        _ => return false,
    }
    *c = here;
    true
}

pub(super) fn parens<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    let mut here = *c;
    let Some(inner) = nested(&mut here, b'(', b')') else { return false };
    if head.file.is_none()
        && let Some((file, line)) = source(inner).or_else(|| lighttpd(inner))
    {
        (head.file, head.line) = (Some(file), Some(line));
    } else if head.level.is_some() && head.thread.is_none() && (is_thread(inner) || is_logger(inner) && here.rest.starts_with(':')) {
        head.thread = Some(inner);
    } else {
        return false;
    }
    here.eat(":");
    *c = here;
    true
}

/// Erlang's process: `<0.692.0>`.
pub(super) fn angle<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    let mut here = *c;
    match here.between("<", ">") {
        Some(inner) if head.thread.is_none() && inner.contains('.') && inner.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            head.thread = Some(inner);
            *c = here;
            true
        }
        _ => false,
    }
}

/// `file.ext:12`, `Class:12`, `Class.java:method(12)`.
pub(super) fn source(text: &str) -> Option<(&str, &str)> {
    let (file, line) = text.rsplit_once([':', '#', '@'])?;
    let line = line.trim_end_matches(')');
    let line = line.rsplit_once('(').map_or(line, |(_, l)| l);
    let fits = !file.is_empty()
        && file.len() < 140
        && !file.contains([' ', '[', '='])
        && !line.is_empty()
        && line.len() <= 6
        && line.bytes().all(|b| b.is_ascii_digit())
        && whyline_event::address::ip(file).is_none();
    fits.then_some((file, line))
}

/// `gw_backend.c.278`, as lighttpd writes the place.
fn lighttpd(text: &str) -> Option<(&str, &str)> {
    let (file, line) = text.rsplit_once('.')?;
    (file.ends_with(".c") && !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit())).then_some((file, line))
}

pub(super) fn is_thread(word: &str) -> bool {
    const MARKS: &[&str] = &[
        "thread",
        "Thread",
        "pool-",
        "exec",
        "worker",
        "Worker",
        "nio-",
        "main",
        "Executor",
        "task-",
        "http-",
        "reactor",
        "scheduling",
        "Timer",
        "virtual-",
        "eventloop",
        "queue-",
    ];
    MARKS.iter().any(|m| word.contains(m)) && !word.contains("__main__") || word.contains(' ')
}

pub(super) fn is_logger(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 120
        && word.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'/'))
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$' | b'-' | b'#' | b'/' | b':' | b'@' | b'[' | b']' | b'*'))
}
