//! The console logger of .NET: `fail: Category[13]`, the message indented on the lines below (or behind it).

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::{exception, fill, message};
use whyline_event::{Key, Record, Severity, Stamp};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct DotNet;

struct Line<'a> {
    stamp: Option<Stamp>,
    word: &'a str,
    severity: Severity,
    category: &'a str,
    event: &'a str,
    message: &'a str,
}

impl Format for DotNet {
    fn name(&self) -> &'static str {
        "dotnet"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = parse(text)?;
        record.format = "dotnet";
        if line.stamp.is_some() {
            record.stamp = line.stamp;
        }
        fill::level_as(record, line.word, line.severity);
        fill::once_str(record, Key::Logger, line.category);
        if line.event != "0" {
            fill::once_str(record, Key::EventName, line.event);
        }
        record.body = match line.message.strip_prefix('\n') {
            // The indentation is the logger's.
            Some(block) if block.lines().all(|l| l.starts_with(INDENT) || l.trim().is_empty()) => {
                let lines: Vec<&str> = block.lines().map(|l| l.get(INDENT.len()..).unwrap_or("")).collect();
                cx.keep(lines.join("\n").trim_end())
            }
            Some(block) => block,
            None => line.message.trim_start(),
        };
        exception::fields(record.body, record);
        message::fields(cx, record.body, record);
        Some(88)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some()
    }
}

/// Six blanks, below `info: `.
const INDENT: &str = "      ";

fn parse(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let stamp = if c.rest.as_bytes().first().is_some_and(u8::is_ascii_digit) { Some(c.stamp()?) } else { None };
    c.blanks();
    let word = c.rest.get(..4)?;
    let severity = match word {
        "trce" => Severity::Trace,
        "dbug" => Severity::Debug,
        "info" => Severity::Info,
        "warn" => Severity::Warn,
        "fail" => Severity::Error,
        "crit" => Severity::Fatal,
        _ => return None,
    };
    c.take(4)?;
    c.must(": ")?;
    let category = c.until("[").filter(|t| !t.is_empty() && t.len() <= 200 && !t.contains([' ', '\n']))?;
    let event = c.until("]").filter(|e| !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit() || b == b'-'))?;
    (c.at_end() || c.rest.starts_with(['\n', ' '])).then_some(Line { stamp, word, severity, category, event, message: c.rest })
}
