//! MongoDB before 4.4: `2026-11-21T10:00:00.123+0000 I NETWORK  [listener] text`, and the older form without level.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::{fill, message};
use crate::stamp;
use whyline_event::{Key, Record, Severity, Stamp, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct MongoText;

struct Line<'a> {
    stamp: Stamp,
    level: &'a str,
    component: &'a str,
    context: &'a str,
    message: &'a str,
}

impl Format for MongoText {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = parse(text)?;
        record.format = "mongodb";
        record.stamp = Some(line.stamp);
        fill::once(record, Key::DbSystem, Value::Str("mongodb"));
        let severity = if line.level.starts_with('D') { Some(Severity::Debug) } else { Severity::from_word(line.level) };
        if let Some(severity) = severity {
            fill::level_as(record, line.level, severity);
        }
        fill::once_str(record, Key::Logger, line.component);
        fill::once_str(record, Key::ThreadName, line.context);
        record.body = line.message;
        // `... 104ms` ends the line of a slow operation.
        if let Some(last) = line.message.rsplit(' ').next().filter(|w| w.ends_with("ms"))
            && let Some(duration) = Value::duration(last)
        {
            fill::once(record, Key::QueryTime, duration);
        }
        if let Some(at) = line.message.find("connection accepted from ") {
            fill::client(record, line.message.get(at + 25..).and_then(|r| r.split(' ').next()).unwrap_or(""));
        }
        message::fields(cx, line.message, record);
        Some(if line.level.is_empty() { 55 } else { 88 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some()
    }
}

fn parse(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.digits == 3 && s.offset.is_some() && text.as_bytes().get(10) == Some(&b'T'))?;
    c.must(" ")?;
    let (mut level, mut component) = ("", "");
    if !c.rest.starts_with('[') {
        level = c.word().filter(|w| matches!(*w, "I" | "W" | "E" | "F" | "D" | "D1" | "D2" | "D3" | "D4" | "D5"))?;
        c.blanks();
        component = c.word().filter(|w| w.bytes().all(|b| b.is_ascii_uppercase() || b == b'-' || b == b'_'))?;
        c.blanks();
    }
    let context = c.between("[", "]").filter(|x| !x.contains(' '))?;
    if level.is_empty()
        && !(context.starts_with("conn") || matches!(context, "initandlisten" | "clientcursormon" | "signalProcessingThread" | "journal"))
    {
        return None;
    }
    c.blanks();
    Some(Line { stamp, level, component: component.trim_matches('-'), context, message: c.rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "2026-11-21T10:00:00.123+0000 I NETWORK  [listener] connection accepted from 10.0.0.7:4001 #9";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(MongoText.read(&cx, text, &mut r), Some(88));
        assert_eq!(
            (r.str(Key::Logger), r.str(Key::ClientAddress), r.int(Key::ClientPort)),
            (Some("NETWORK"), Some("10.0.0.7"), Some(4001))
        );
        assert!(MongoText.starts(&cx, "2026-11-21T10:00:00.123+0000 [conn77] query shop.items 120ms"));
        assert!(!MongoText.starts(&cx, "2026-11-21T10:00:00.123+0000 [main] hello"));
    }
}
