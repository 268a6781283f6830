//! What the Java virtual machine writes of itself: garbage collection, and the report of its own end.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, first_line};
use crate::formats::fill;
use crate::seek::Needle;
use crate::stamp;
use whyline_event::{Key, Record, Severity, Value};

/// Garbage collection logs: unified logging (Java 9 and later), and `PrintGCDetails` of Java 8.
#[derive(Clone, Copy, Debug, Default)]
pub struct GcLog;

const NAME: &str = "jvm.gc";

/// First tags of the JVM's unified log (src/hotspot/share/logging/logTag.hpp); other programs write brackets, too.
const TAGS: &[&str] = &[
    "age",
    "arguments",
    "biasedlocking",
    "cds",
    "class",
    "codecache",
    "compilation",
    "container",
    "ergo",
    "event",
    "exceptions",
    "gc",
    "handshake",
    "heap",
    "hotswap",
    "init",
    "jfr",
    "jit",
    "jni",
    "logging",
    "metaspace",
    "methodhandles",
    "module",
    "monitorinflation",
    "nmt",
    "os",
    "pagesize",
    "perf",
    "phases",
    "ref",
    "redefine",
    "safepoint",
    "startuptime",
    "stringdedup",
    "stringtable",
    "symboltable",
    "system",
    "thread",
    "tlab",
    "trimnative",
    "vmthread",
];

impl Format for GcLog {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        match text.as_bytes().first()? {
            b'[' => unified(text, record),
            b'0'..=b'9' => older(text, record),
            _ => None,
        }
    }
}

/// `[2026-11-21T10:15:02.123+0000][12.345s][info][gc,start] GC(42) Pause Young (Normal) (G1 Evacuation Pause) 512M->64M(1024M) 12.345ms`.
fn unified<'a>(text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    let mut c = Cursor::new(text);
    let (mut when, mut level, mut tags, mut clock) = (None, "", "", false);
    while let Some(inner) = c.between("[", "]") {
        let word = inner.trim();
        if tags.is_empty() && matches!(word, "error" | "warning" | "info" | "debug" | "trace") {
            level = word;
        } else if let Some((stamp, used)) = stamp::iso(word) {
            if used != word.len() {
                return None;
            }
            when = Some(stamp);
            clock = true;
        } else if word
            .strip_suffix("ns")
            .or_else(|| word.strip_suffix("ms"))
            .or_else(|| word.strip_suffix('s'))
            .is_some_and(|n| n.parse::<f64>().is_ok())
        {
            clock = true;
        } else if !level.is_empty() && !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b',' | b'+')) {
            tags = word;
            break;
        } else if word.parse::<u64>().is_err() && !word.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-')) {
            return None;
        }
    }
    let first = tags.split([',', '+']).next().unwrap_or(tags);
    if !clock || !TAGS.contains(&first) {
        return None;
    }
    let rest = c.rest.strip_prefix(' ')?;
    record.format = NAME;
    if when.is_some() {
        record.stamp = when;
    }
    fill::level(record, level);
    fill::once_str(record, Key::Logger, tags);
    record.body = rest;
    let said = rest.strip_prefix("GC(").and_then(|r| r.split_once(") ")).map_or(rest, |(_, said)| said);
    if said.starts_with("Pause ")
        && let Some(took) = said.rsplit(' ').next().and_then(|w| w.strip_suffix("ms")).and_then(Value::millis)
    {
        let name = said.split(" (").next().and_then(|n| n.split(char::is_numeric).next()).unwrap_or("").trim();
        pause(name, cause(said), took, heap(said), record);
    }
    Some(if tags.starts_with("gc") || tags.starts_with("safepoint") { 92 } else { 88 })
}

/// `2026-11-21T10:15:02.123+0000: 8123.456: [GC (Allocation Failure) [PSYoungGen: 1K->0K(2K)] 9K->8K(10K), 0.0041230 secs] [Times: ...]`.
const GC: Needle = Needle::new("[GC");
const FULL: Needle = Needle::new("[Full GC");

fn older<'a>(text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    let line = first_line(text);
    let at = GC.find(line).filter(|at| at + 3 <= 64).or_else(|| FULL.find(line).filter(|at| *at < 64))?;
    let mut c = Cursor::new(line.get(..at)?);
    let stamp = c.stamp_by(stamp::iso);
    if stamp.is_some() {
        c.must(": ")?;
    }
    let uptime = c.rest.trim_end().strip_suffix(':').is_some_and(|n| n.parse::<f64>().is_ok());
    if !uptime && !c.rest.is_empty() {
        return None;
    }
    let said = line.get(at + 1..)?;
    record.format = NAME;
    record.body = text.get(at..).unwrap_or(text);
    if stamp.is_some() {
        record.stamp = stamp;
    }
    let name = if said.starts_with("Full GC") { "Full GC" } else { "GC" };
    let took = said.split(" secs]").next().and_then(|s| s.rsplit(' ').next()).and_then(Value::seconds);
    // The pause of the whole comes last, behind those of its parts.
    let whole = said
        .split("[Times: ")
        .next()
        .and_then(|s| s.trim_end().strip_suffix(" secs]"))
        .and_then(|s| s.rsplit(' ').next())
        .and_then(Value::seconds);
    if let Some(took) = whole.or(took) {
        pause(name, cause(said.split(" [").next().unwrap_or(said)), took, heap(said), record);
    }
    Some(92)
}

fn pause<'a>(name: &'a str, cause: &'a str, took: Value<'a>, heap: Option<(i64, i64)>, record: &mut Record<'a>) {
    record.put_other("jvm.gc.name", Value::Str(name));
    if !cause.is_empty() {
        record.put_other("jvm.gc.cause", Value::Str(cause));
    }
    record.put_other("jvm.gc.duration", took);
    if let Some((after, size)) = heap {
        record.put_other("jvm.memory.used_after_last_gc", Value::Int(after));
        record.put_other("jvm.memory.limit", Value::Int(size));
    }
}

/// The last text in parentheses that is no size.
fn cause(said: &str) -> &str {
    let inner = |part: &'_ str| -> Option<usize> { part.find(')') };
    said.split(" (").skip(1).filter_map(|part| part.get(..inner(part)?)).filter(|c| bytes(c).is_none()).last().unwrap_or("")
}

/// What the heap holds after the pause, and its size: the largest of the sizes named.
fn heap(said: &str) -> Option<(i64, i64)> {
    said.split([' ', '[', ','])
        .filter_map(|word| {
            let (_, rest) = word.split_once("->")?;
            let (after, size) = rest.trim_end_matches(']').split_once('(')?;
            Some((bytes(after)?, bytes(size.trim_end_matches(')'))?))
        })
        .max_by_key(|(_, size)| *size)
}

/// `1024M`, `812K`, `64.0M`.
fn bytes(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let factor: f64 = match unit {
        "B" => 1.0,
        "K" => 1024.0,
        "M" => 1_048_576.0,
        "G" => 1_073_741_824.0,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * factor;
    (0.0..9e18).contains(&bytes).then_some(bytes as i64)
}

/// The report of a crash, `hs_err_pidN.log`, and its beginning as it stands on a console.
#[derive(Clone, Copy, Debug, Default)]
pub struct HsErr;

const CRASHED: &str = "# A fatal error has been detected by the Java Runtime Environment";
const NO_MEMORY: &str = "# There is insufficient memory for the Java Runtime Environment to continue";

impl Format for HsErr {
    fn name(&self) -> &'static str {
        "jvm.hs_err"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if !text.starts_with('#') {
            return None;
        }
        let line = text.lines().take(3).find(|l| l.starts_with(CRASHED) || l.starts_with(NO_MEMORY))?;
        record.format = "jvm.hs_err";
        record.body = text;
        fill::level_as(record, "fatal", Severity::Fatal);
        if line.starts_with(NO_MEMORY) {
            fill::once(record, Key::ErrorType, Value::Str("OutOfMemory"));
        }
        for line in text.lines().take(2000) {
            // `#  SIGSEGV (0xb) at pc=0x00007f, pid=811, tid=842`
            if let Some((reason, place)) = line.strip_prefix("#  ").and_then(|l| l.split_once(" at pc=")) {
                let reason = reason.split(' ').next().unwrap_or(reason);
                fill::once_str(record, Key::Signal, reason.strip_prefix("SIG").unwrap_or(reason));
                let pid = place.split_once("pid=").map_or("", |(_, p)| p.split([',', ' ']).next().unwrap_or(""));
                fill::once_int(record, Key::ProcessPid, pid);
            } else if let Some(frame) = line.strip_prefix("# C  [").or_else(|| line.strip_prefix("# V  [")) {
                fill::once_str(record, Key::File, frame.split(['+', ']']).next().unwrap_or(""));
            } else if let Some(command) = line.strip_prefix("Command Line: ") {
                fill::once_str(record, Key::Command, command);
            } else if let Some(host) = line.strip_prefix("Host: ") {
                record.put_other("jvm.host", Value::Str(host));
            } else if let Some(time) = line.strip_prefix("Time: ").or_else(|| line.strip_prefix("time: "))
                && record.stamp.is_none()
            {
                record.stamp = stamp::prefix(time).map(|(stamp, _)| stamp);
            }
        }
        Some(99)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        line.starts_with(CRASHED) || line.starts_with(NO_MEMORY)
    }

    /// A file holds one report.
    fn starts_after(&self, _cx: &Cx<'_>, _previous: &str, _line: &str) -> bool {
        false
    }

    fn block(&self) -> bool {
        true
    }
}
