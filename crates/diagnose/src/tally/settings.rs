//! What services say of their settings when they start: `booking-api started env=production dbPoolMax=12 port=3000`.

use std::fmt::Write;
use whyline_event::{Key, Name, Record};

/// A line tells so many settings at the most; names and values are no longer than this.
const MOST: usize = 40;
const LONG: usize = 40;
/// So many different lines of starts are kept in a bundle: more are lines of something else, and none is kept.
pub(super) const DISTINCT: usize = 4_000;

/// Names of what differs from start to start by its nature: what is of the process, of the release, or of the time. In lower case, without
/// separators.
const OF_THE_START: [&str; 31] = [
    "pid",
    "ppid",
    "port",
    "version",
    "ver",
    "commit",
    "sha",
    "revision",
    "rev",
    "build",
    "release",
    "tag",
    "host",
    "hostname",
    "instance",
    "node",
    "id",
    "uuid",
    "time",
    "ts",
    "timestamp",
    "date",
    "uptime",
    "took",
    "elapsed",
    "duration",
    "ms",
    "seconds",
    "startup",
    "thread",
    "v",
];

/// Whether a record is of settings alone: its whole text is a word for them, and the rest are fields.
pub(super) fn is_of_settings(record: &Record<'_>) -> bool {
    const WORDS: [&str; 10] = [
        "config",
        "configuration",
        "settings",
        "options",
        "effective config",
        "effective configuration",
        "loaded configuration",
        "configuration loaded",
        "config loaded",
        "loaded config",
    ];
    let body = record.body.trim_end_matches(['.', ':']);
    (6..=24).contains(&body.len()) && WORDS.iter().any(|word| body.eq_ignore_ascii_case(word))
}

/// The settings that a line of a start tells, one `name=value` a line, in the order of their names.
pub(super) fn settings(record: &Record<'_>) -> Option<String> {
    // What is done for somebody has started, too.
    let of_request = [Key::Path, Key::RequestId, Key::TraceId, Key::ClientAddress, Key::Duration].iter().any(|key| record.has(*key));
    if of_request {
        return None;
    }
    let mut found: Vec<(&str, String)> = Vec::new();
    for field in &record.fields {
        // What Redis is stands in each of its lines.
        if let Name::Other(name) = field.name
            && name != "redis.role"
        {
            found.push((name, field.value.to_string()));
        }
    }
    let words = record.body.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '{' | '}' | '[' | ']'));
    found.extend(
        words.filter_map(|word| word.split_once('=')).map(|(name, value)| (name, value.trim_matches(['"', '\'', '.']).to_string())),
    );
    found.retain(|(name, value)| is_setting(name) && (1..=LONG).contains(&value.len()) && !value.contains('\n'));
    found.sort_unstable();
    found.dedup();
    if found.is_empty() || found.len() > MOST {
        return None;
    }
    let mut text = String::new();
    for (name, value) in found {
        let _ = writeln!(text, "{name}={value}");
    }
    Some(text)
}

fn is_setting(name: &str) -> bool {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let folded: String = name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| char::from(b.to_ascii_lowercase())).collect();
    plain
        && (2..=LONG).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !OF_THE_START.contains(&folded.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Origin, Value};

    #[test]
    fn settings_of_a_start() {
        for (body, want) in [
            ("booking-api started env=production dbPoolMax=12 port=3000 pid=7", Some("dbPoolMax=12\nenv=production\n")),
            ("Starting worker (concurrency=8, prefetch=\"40\")", Some("concurrency=8\nprefetch=40\n")),
            ("request started id=7 user=eve", Some("user=eve\n")),
            ("listening on 10.0.0.3:8080", None),
            ("order stored total=7", None),
        ] {
            let record = Record::new(body, Origin::default());
            let told = settings(&record).filter(|_| super::super::services::is_start(&record));
            assert_eq!(told.as_deref(), want, "{body}");
        }
        let mut record = Record::new("listening on :3000", Origin::default());
        record.put_other("keepAliveTimeout", Value::Int(1000));
        record.put_other("pid", Value::Int(811));
        assert_eq!(settings(&record).as_deref(), Some("keepAliveTimeout=1000\n"));
        assert!(!is_of_settings(&record) && is_of_settings(&Record::new("Configuration loaded:", Origin::default())));
        record.put(Key::Path, Value::Str("/x"));
        assert_eq!(settings(&record), None);
    }
}
