//! The head of an application's log line: stamp, level, process, thread, logger in any order and any brackets.

use super::brackets::{angle, boxed, braces, bracket, is_logger, nest, nested, parens, source};
use super::level;
use crate::formats::cursor::Cursor;
use crate::stamp;
use whyline_event::{Severity, Stamp};

/// What stands before the message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    /// When.
    pub stamp: Option<Stamp>,
    /// The level word.
    pub level: Option<&'a str>,
    /// Process id.
    pub pid: Option<&'a str>,
    /// Thread name or id.
    pub thread: Option<&'a str>,
    /// Logger, class or module.
    pub logger: Option<&'a str>,
    /// The name of the application.
    pub service: Option<&'a str>,
    /// Source file.
    pub file: Option<&'a str>,
    /// Line in it.
    pub line: Option<&'a str>,
    /// An address in brackets: who is spoken of.
    pub client: Option<&'a str>,
    /// Level of a `<6>` prefix.
    pub priority: Option<Severity>,
    /// The stamp stood first.
    pub stamp_first: bool,
    /// The message and all lines after it.
    pub message: &'a str,
}

impl Head<'_> {
    /// Whether anything besides stamp and level was found.
    pub fn has_more(&self) -> bool {
        self.pid.is_some() || self.thread.is_some() || self.logger.is_some() || self.file.is_some()
    }
}

/// Reads the head as far as it goes. What is not understood begins the message.
pub fn scan(text: &str) -> Head<'_> {
    let mut head = Head { message: text, ..Head::default() };
    let mut c = Cursor::new(text);
    if let Some(word) = sd_priority(&mut c) {
        head.priority = Some(word);
    }
    // Programs of HashiCorp set their start messages off.
    c.eat("==> ");
    nest(&mut c, &mut head);
    for _ in 0..14 {
        c.blanks();
        if head.stamp.is_some() || head.level.is_some() {
            separators(&mut c);
        }
        if c.at_end() || !step(&mut c, &mut head) {
            break;
        }
    }
    head.message = c.rest.trim_start_matches([' ', '\t']);
    head
}

/// Takes one piece; false where the message begins.
fn step<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    if head.stamp.is_none() && head.level.is_none() && boxed(c, head) {
        return true;
    }
    if head.stamp.is_none()
        && let Some((stamp, pid)) = stamp_here(c, head.level.is_none() && head.thread.is_none())
    {
        head.pid = head.pid.or(pid);
        head.stamp_first = head.level.is_none();
        head.stamp = Some(stamp);
        return true;
    }
    if head.level.is_none()
        && let Some(word) = level::any(c)
    {
        head.level = Some(word);
        if head.logger.is_none() && c.rest.starts_with(':') {
            python_logger(c, head);
        }
        return true;
    }
    if head.stamp.is_none() && head.level.is_none() {
        return leading(c, head);
    }
    match c.rest.bytes().next() {
        Some(b'[') => bracket(c, head),
        Some(b'{') => braces(c, head),
        Some(b'(') => parens(c, head),
        Some(b'<') => angle(c, head),
        Some(b) if b.is_ascii_digit() => number(c, head),
        _ => before_level(c, head) || head.file.is_none() && function_place(c, head) || logger(c, head),
    }
}

/// `<6>`, as systemd reads it from a program's output.
fn sd_priority(c: &mut Cursor<'_>) -> Option<Severity> {
    let b = c.rest.as_bytes();
    match b {
        [b'<', d @ b'0'..=b'7', b'>', ..] => {
            let level = Severity::from_syslog(d - b'0');
            c.take(3);
            level
        }
        _ => None,
    }
}

fn separators(c: &mut Cursor<'_>) {
    for _ in 0..3 {
        let before = c.rest.len();
        for mark in ["--- ", "-- ", "- ", "| ", ": ", ", ", ":\t", "-\t", "; ", "> "] {
            if c.eat(mark) {
                c.blanks();
            }
        }
        if c.rest.starts_with(":[") || c.rest.starts_with(":(") || c.rest.starts_with("|") {
            c.take(1);
        }
        if c.rest.len() == before {
            break;
        }
    }
}

/// A stamp, perhaps in brackets; at the beginning of a line also an epoch number.
fn stamp_here<'a>(c: &mut Cursor<'a>, first: bool) -> Option<(Stamp, Option<&'a str>)> {
    let mut here = *c;
    let close = if here.eat("[") {
        Some("]")
    } else if here.eat("(") {
        Some(")")
    } else if here.eat("\"") {
        Some("\"")
    } else {
        None
    };
    here.blanks();
    if close == Some("]") {
        zone_first(&mut here);
    }
    let mut pid = None;
    let found = here.stamp().or_else(|| {
        let epoch = if first || close.is_some() { here.stamp_by(stamp::epoch) } else { None };
        epoch.filter(|_| !here.rest.starts_with(|ch: char| ch.is_alphanumeric() || ch == '-' || ch == '.'))
    })?;
    match close {
        Some(close) => {
            // `[2026-11-21 10:00:00 Europe/Berlin]`, `[stamp tag]`: a zone's name may follow.
            let inner = here.until(close)?;
            if inner.len() > 40 {
                return None;
            }
            // Ruby's process id.
            pid = inner.trim_start().strip_prefix('#').filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        }
        None => {
            // A range or a file name is no stamp.
            if here.rest.starts_with(|ch: char| ch.is_alphanumeric() || ch == '_' || ch == '/') {
                return None;
            }
            // A zone in brackets, as SQL Server and others write it.
            here.eat(":");
            here.eat(",");
        }
    }
    *c = here;
    Some((found, pid))
}

/// Monit's `[CET Nov 21 10:15:02]`: the name of a zone before a date of syslog.
fn zone_first(c: &mut Cursor<'_>) {
    let n = c.rest.bytes().take_while(u8::is_ascii_uppercase).count();
    if (3..=5).contains(&n) && c.rest.get(n..).and_then(|t| t.strip_prefix(' ')).is_some_and(|t| stamp::syslog(t).is_some()) {
        c.take(n + 1);
    }
}

/// C++ programs that name the function as well: `File.cpp:12:name(): `.
fn function_place<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    let mut here = *c;
    let Some(word) = here.word().and_then(|w| w.strip_suffix("():")) else { return false };
    let Some((file, line)) = word.rsplit_once(':').and_then(|(place, _)| source(place)).filter(|(file, _)| file.contains(".c")) else {
        return false;
    };
    (head.file, head.line) = (Some(file), Some(line));
    *c = here;
    true
}

/// `LEVEL:logger:message` of Python's `basicConfig`.
fn python_logger<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) {
    let mut here = *c;
    if here.eat(":")
        && let Some(name) = here.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && here.rest.starts_with(':')
        && !here.rest.starts_with("::")
        && !here.rest.starts_with("://")
    {
        here.eat(":");
        head.logger = Some(name);
        *c = here;
    }
}

/// Before stamp and level: a thread or tag in brackets, or a short tag that ends with a colon, when one of them follows.
fn leading<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    let mut here = *c;
    let word = if here.rest.starts_with('[') {
        nested(&mut here, b'[', b']')
    } else {
        here.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b':')).filter(|w| w.len() <= 64)
    };
    let Some(word) = word.map(|w| w.trim_end_matches(':')).filter(|w| !w.is_empty() && w.len() <= 64) else { return false };
    // An address first is an access log's line.
    if whyline_event::address::ip(word).is_some() {
        return false;
    }
    let mut ahead = here;
    ahead.eat(":");
    ahead.blanks();
    if !ahead.rest.starts_with("- -") {
        separators(&mut ahead);
    }
    let mut probe = ahead;
    let follows = stamp_here(&mut probe, false).is_some_and(|(s, _)| s.form != whyline_event::Form::TimeOnly);
    if !follows {
        return false;
    }
    if word.bytes().all(|b| b.is_ascii_digit()) {
        head.pid = Some(word);
    } else if !word.contains(".log") {
        // The name of a log file in front says nothing of the record.
        head.logger = Some(word);
    }
    *c = ahead;
    true
}

/// A number is a process id where a level, `---` or a bracket follows.
fn number<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    if head.pid.is_some() && head.thread.is_some() {
        return false;
    }
    let mut here = *c;
    let Some(digits) = here.run(|b| b.is_ascii_digit() || matches!(b, b'.' | b's' | b'#')) else { return false };
    if !(here.eat("]") || here.rest.starts_with(' ')) {
        return false;
    }
    here.blanks();
    let mut ahead = here;
    let follows = if head.level.is_none() {
        level::any(&mut ahead).is_some()
    } else {
        ahead.rest.starts_with("--- ") || ahead.rest.starts_with("[") && head.stamp_first
    };
    if !follows {
        return false;
    }
    if digits.len() < 11 && digits.bytes().all(|b| b.is_ascii_digit()) {
        if head.pid.is_none() { head.pid = Some(digits) } else { head.thread = Some(digits) }
    }
    *c = here;
    spring(c, head);
    true
}

/// Spring Boot's `--- [application] [thread] [trace-span] logger : text`; of an application without a name only the thread stands there, with
/// ids of a trace behind it or not, and is read as any other (reference manual, Logging, Log Format).
fn spring<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) {
    let mut here = *c;
    let Some(service) = here.must("--- ").and_then(|()| here.between("[", "]")) else { return };
    here.blanks();
    let Some(thread) = here.between("[", "]") else { return };
    let of_trace = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b' '));
    if of_trace(thread) && (thread.contains('-') || thread.trim().is_empty()) {
        return;
    }
    here.blanks();
    if here.rest.starts_with('[') && here.between("[", "]").is_none() {
        return;
    }
    (head.service, head.thread) = (Some(service.trim()), Some(thread.trim()));
    *c = here;
}

/// A single word between stamp and level: a logger, a program, a host.
fn before_level<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    if head.level.is_some() || head.logger.is_some() {
        return false;
    }
    let mut here = *c;
    let Some(word) = here.word().filter(|w| w.len() <= 80 && !w.contains(['"', '=', '(', '{'])) else { return false };
    let mut ahead = here;
    ahead.blanks();
    let mut pid = None;
    let mut inside = ahead;
    if let Some(number) = inside.between("[", "]").filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) {
        pid = Some(number);
        inside.eat(":");
        ahead = inside;
        ahead.blanks();
    }
    separators(&mut ahead);
    let (mut probe, at) = (ahead, ahead);
    let Some(found) = level::any(&mut probe) else { return false };
    // A sentence may hold the word `ERROR`; a column does not begin with a lower-case one.
    if found.bytes().all(|b| b.is_ascii_lowercase()) && !at.rest.starts_with('[') {
        return false;
    }
    head.logger = Some(word.trim_end_matches([':', ',', '|']));
    if head.pid.is_none() {
        head.pid = pid;
    }
    *c = ahead;
    true
}

/// A logger that is set off from the message: `a.b.C - `, `a.b.C   : `, `a.b.C: `, `in module: `.
fn logger<'a>(c: &mut Cursor<'a>, head: &mut Head<'a>) -> bool {
    if head.logger.is_some() && head.file.is_some() || head.level.is_none() && head.stamp.is_none() {
        return false;
    }
    let mut here = *c;
    if here.eat("in ") && head.level.is_some() {
        // Flask: `WARNING in limiter: text`.
        if let Some(name) = here.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).filter(|_| here.rest.starts_with(": ")) {
            head.logger = Some(name);
            *c = here;
            return true;
        }
        return false;
    }
    let Some(word) = here.word().filter(|w| w.len() <= 120) else { return false };
    let tab = here.rest.starts_with('\t');
    let column = here.blanks() > 2 && head.logger.is_none() && head.stamp_first && !here.at_end();
    let mut paren = here;
    // Hadoop: `datanode.DataNode (BlockReceiver.java:flush(419)) - text`.
    if here.rest.starts_with('(')
        && let Some(inner) = nested(&mut paren, b'(', b')')
        && paren.rest.starts_with(" - ")
        && is_logger(word)
    {
        head.logger = Some(word);
        if let Some((file, line)) = source(inner) {
            (head.file, head.line) = (Some(file), Some(line));
        }
        *c = paren;
        return true;
    }
    // log4j's `%t %c - %m`: the thread, then the logger.
    let mut second = here;
    if head.level.is_some()
        && head.thread.is_none()
        && head.logger.is_none()
        && let Some(class) = second
            .word()
            .filter(|w| is_logger(w) && !w.contains(':') && (w.contains('.') || w.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')))
        && second.rest.starts_with(" - ")
        && is_logger(word)
    {
        (head.thread, head.logger) = (Some(word), Some(class));
        *c = second;
        return true;
    }
    let (name, set_off) = if here.rest.starts_with("- ") || here.rest.starts_with("-\n") || here.rest == "-" {
        (word, head.level.is_some())
    } else if [": ", "| ", "[] - "].iter().any(|mark| here.rest.starts_with(mark)) || here.rest.starts_with("-- ") && source(word).is_some()
    {
        (word, true)
    } else if here.rest.starts_with("[req-") || here.rest.starts_with("[-] ") {
        // OpenStack puts the request's context after the logger.
        (word, word.contains('.') || head.level.is_some())
    } else if let Some(name) = word.strip_suffix(':') {
        let code = source(name).is_some_and(|(file, _)| file.contains('.'));
        (
            name,
            code && head.stamp.is_some()
                || (name.contains('.') || name.contains("::"))
                    && head.level.is_some()
                    && head.stamp.is_some()
                    && !name.contains(['/', '[']),
        )
    } else {
        (word, column || tab && head.level.is_some() && word.contains(['.', '/']))
    };
    if !set_off || !is_logger(name) && source(name).is_none() {
        return false;
    }
    // ZooKeeper names the class with the thread; what follows in capitals is a state.
    if name.bytes().all(|b| b.is_ascii_uppercase()) && head.thread.is_some_and(|t| t.contains('@')) {
        return false;
    }
    match source(name) {
        Some((file, line)) if file.contains('.') && head.file.is_none() => (head.file, head.line) = (Some(file), Some(line)),
        Some((class, line)) if head.logger.is_none() => (head.logger, head.line) = (Some(class), Some(line)),
        None if head.logger.is_none() => head.logger = Some(name),
        _ => return false,
    }
    *c = here;
    true
}
