//! Syslog: the lines that syslog daemons and the journal write to files, and messages as they are received.

pub mod head;
pub mod kernel;
pub mod rfc3164;
pub mod rfc5424;
pub mod services;
pub mod systemd;

use whyline_event::{Key, Record, Severity, Value};

pub use rfc3164::Rfc3164;
pub use rfc5424::Rfc5424;

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

/// The facility of a PRI value.
pub fn facility(pri: u8) -> Option<&'static str> {
    FACILITIES.get(usize::from(pri >> 3)).copied()
}

/// Puts what a PRI value says.
pub fn put_pri(record: &mut Record<'_>, pri: u8) {
    record.severity = Severity::from_syslog(pri & 7);
    record.put(Key::Priority, Value::Int(i64::from(pri)));
    if let Some(name) = facility(pri) {
        record.put(Key::Facility, Value::Str(name));
    }
}

/// Reads `<PRI>` at the beginning of a text: the value and the rest.
pub fn pri(text: &str) -> Option<(u8, &str)> {
    let (number, rest) = text.strip_prefix('<')?.split_once('>')?;
    if number.is_empty() || number.len() > 3 {
        return None;
    }
    let pri: u8 = number.parse().ok().filter(|n| *n < 192)?;
    Some((pri, rest))
}
