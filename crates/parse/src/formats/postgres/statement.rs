//! What PostgreSQL's messages say about statements and connections.

use crate::formats::fill;
use whyline_event::{Key, Record, Value};

/// `duration: 1234.5 ms  statement: select ...`, also `execute name:`, `parse`, `bind`.
pub fn duration<'a>(message: &'a str, record: &mut Record<'a>) {
    let Some(rest) = message.strip_prefix("duration: ") else { return };
    let Some((number, after)) = rest.split_once(' ') else { return };
    if let Some(duration) = Value::millis(number) {
        fill::once(record, Key::QueryTime, duration);
    }
    let after = after.strip_prefix("ms").unwrap_or(after).trim_start();
    if let Some((verb, text)) = after.split_once(": ") {
        let verb = verb.split(' ').next().unwrap_or(verb);
        if matches!(verb, "statement" | "execute" | "parse" | "bind" | "plan") {
            fill::once_str(record, Key::Statement, text.trim());
        }
    }
}

/// `connection received: host=... port=...`, `connection authorized: user=... database=...`, and refusals.
pub fn connection<'a>(message: &'a str, record: &mut Record<'a>) {
    if message.starts_with("connection received: ")
        || message.starts_with("connection authorized: ")
        || message.starts_with("disconnection: ")
    {
        for pair in message.split(' ') {
            match pair.split_once('=') {
                Some(("host", "[local]")) => {}
                Some(("host", value)) => fill::once_str(record, Key::ClientAddress, value),
                Some(("port", value)) => fill::once_int(record, Key::ClientPort, value),
                Some(("user", value)) => fill::once_str(record, Key::User, value),
                Some(("database", value)) => fill::once_str(record, Key::Database, value),
                _ => {}
            }
        }
        return;
    }
    if message.contains("authentication failed for user ") || message.starts_with("no pg_hba.conf entry") || message.starts_with("role \"")
    {
        for (mark, key) in [("user \"", Key::User), ("role \"", Key::User), ("host \"", Key::ClientAddress), ("database \"", Key::Database)]
        {
            if let Some(value) = quoted(message, mark) {
                fill::once_str(record, key, value);
            }
        }
        fill::once(record, Key::Action, Value::Str("failed"));
    }
}

fn quoted<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let at = text.find(mark)? + mark.len();
    text.get(at..)?.split('"').next()
}
