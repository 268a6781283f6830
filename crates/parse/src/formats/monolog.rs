//! Monolog's line format, as Laravel and Symfony write it: `[stamp] channel.LEVEL: message {context} []`.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::{exception, fill, message};
use whyline_event::{Form, Key, Record, Severity};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Monolog;

impl Format for Monolog {
    fn name(&self) -> &'static str {
        "monolog"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let mut c = Cursor::new(text);
        c.must("[")?;
        let stamp = c.stamp().filter(|s| s.form != Form::TimeOnly)?;
        c.must("] ")?;
        // The message as Monolog writes it, channel and level in front: people and rules know it so.
        let body = c.rest;
        let head = c.word()?.strip_suffix(':')?;
        let (channel, level) = head.rsplit_once('.')?;
        let known = matches!(level, "DEBUG" | "INFO" | "NOTICE" | "WARNING" | "ERROR" | "CRITICAL" | "ALERT" | "EMERGENCY");
        if !known || channel.is_empty() || !channel.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
            return None;
        }
        let severity = Severity::from_word(level)?;
        c.blanks();
        record.format = "monolog";
        record.stamp = Some(stamp);
        record.body = body;
        fill::level_as(record, level, severity);
        fill::once_str(record, Key::Logger, channel);
        thrown(cx, c.rest, record);
        exception::fields(c.rest, record);
        message::fields(cx, c.rest, record);
        Some(90)
    }
}

/// `"exception":"[object] (App\\Shop\\PoolException(code: 0): no pool at /srv/Pool.php:12)`, then the trace.
fn thrown<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    let Some((_, object)) = text.split_once("[object] (") else { return };
    let Some((class, rest)) = object.split_once("(code: ") else { return };
    if class.len() > 200 || class.contains([' ', '\n']) {
        return;
    }
    fill::once_str(record, Key::ExceptionType, if class.contains("\\\\") { cx.keep(&class.replace("\\\\", "\\")) } else { class });
    if let Some((_, said)) = rest.split_once("): ") {
        let line = said.split('\n').next().unwrap_or(said);
        fill::once_str(record, Key::ExceptionMessage, line.rsplit_once(" at /").map_or(line, |(said, _)| said));
    }
    if let Some((_, trace)) = text.split_once("[stacktrace]\n") {
        fill::once_str(record, Key::StackTrace, trace.trim_end());
    }
}
