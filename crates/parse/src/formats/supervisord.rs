//! supervisord: `2026-11-21 09:32:28,737 INFO spawned: 'thumbd' with pid 6177`.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, begins_record};
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Key, Record, Severity, Stamp, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Supervisord;

const LEVELS: &[(&str, Severity)] = &[
    ("CRIT", Severity::Fatal),
    ("ERRO", Severity::Error),
    ("WARN", Severity::Warn),
    ("INFO", Severity::Info),
    ("DEBG", Severity::Debug),
    ("TRAC", Severity::Trace),
    ("BLAT", Severity::Trace),
];

/// What its messages begin with; `INFO` and `WARN` are the words of every logger.
const MESSAGES: &[&str] = &[
    "spawned: '",
    "exited: ",
    "success: ",
    "gave up: ",
    "stopped: ",
    "waiting for ",
    "supervisord started",
    "RPC interface",
    "Set uid to ",
    "Included extra file",
    "Supervisor is running",
    "received SIG",
    "spawnerr: ",
    "killing '",
    "CRIT Supervisor",
    "reaped ",
    "No file matches",
    "cleaned",
    "daemonizing",
    "Increased ",
    "Server ",
    "fd ",
    "unknown problem",
    "entered ",
    "listening on",
];

impl Format for Supervisord {
    fn name(&self) -> &'static str {
        "supervisord"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let (stamp, (word, severity), message) = parse(text)?;
        let known = MESSAGES.iter().any(|m| message.starts_with(m));
        if !known && matches!(word, "INFO" | "WARN") {
            return None;
        }
        record.format = "supervisord";
        record.stamp = Some(stamp);
        fill::level_as(record, word, severity);
        record.body = message;
        program(message, record);
        Some(if known { 85 } else { 60 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some() || begins_record(line)
    }
}

fn parse(text: &str) -> Option<(Stamp, (&str, Severity), &str)> {
    let mut c = Cursor::new(text);
    let comma = text.as_bytes().get(19) == Some(&b',');
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.digits == 3 && comma)?;
    c.must(" ")?;
    let word = c.word()?;
    let (_, severity) = LEVELS.iter().find(|(w, _)| *w == word)?;
    c.must(" ")?;
    Some((stamp, (word, *severity), c.rest))
}

/// The program, how it ended, and what became of it.
fn program<'a>(message: &'a str, record: &mut Record<'a>) {
    let Some((verb, rest)) = message.split_once(": ") else { return };
    let action = match verb {
        "spawned" => "spawned",
        "exited" => "exited",
        "success" => "running",
        "gave up" => "gave up",
        "stopped" => "stopped",
        "spawnerr" => "failed",
        _ => return,
    };
    fill::once(record, Key::Action, Value::Str(action));
    let mut c = Cursor::new(rest);
    let name = match c.between("'", "'") {
        Some(name) => name,
        None => c.word().unwrap_or(""),
    };
    fill::once_str(record, Key::Unit, name);
    if let Some((_, pid)) = rest.split_once("with pid ")
        && let Ok(pid) = pid.trim().parse()
    {
        record.put_other("process.child.pid", Value::Int(pid));
    }
    if let Some((_, status)) = rest.split_once("exit status ") {
        fill::once_int(record, Key::ExitCode, Cursor::new(status).digits().unwrap_or(""));
    }
    if let Some((_, signal)) = rest.split_once("terminated by SIG") {
        let name = signal.split([';', ' ', ')']).next().unwrap_or("");
        fill::once_str(record, Key::Signal, name);
    }
    if rest.contains("not expected") {
        record.put_other("process.exit.expected", Value::Bool(false));
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
        let text = "2026-11-21 09:32:28,737 WARN exited: thumbs (terminated by SIGSEGV (core dumped); not expected)";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Supervisord.read(&cx, text, &mut r), Some(85));
        assert_eq!((r.str(Key::Unit), r.str(Key::Signal), r.str(Key::Action)), (Some("thumbs"), Some("SEGV"), Some("exited")));
        let text = "2026-11-21 09:32:28,737 INFO a message of any program";
        assert!(Supervisord.read(&cx, text, &mut Record::new(text, Origin::default())).is_none());
    }
}
