//! ModSecurity's audit log in JSON (`SecAuditLogFormat JSON`): one transaction to a record, as versions 2 (`apache2/msc_logging.c`,
//! `sec_audit_logger_json`) and 3 (`src/transaction.cc`, `Transaction::toJSON`) write them. A rule with `nolog` stands nowhere else.

use super::flat::{Flat, Scalar};
use super::structured;
use crate::format::Cx;
use crate::formats::access::request;
use crate::formats::fill;
use whyline_event::{Key, Record, Severity, Value};

/// Where the two versions have the same: when, which transaction, whose, and what the rules said.
const TIME: [&str; 2] = ["transaction.time", "transaction.time_stamp"];
const ID: [&str; 2] = ["transaction.transaction_id", "transaction.unique_id"];
const CLIENT: [&str; 2] = ["transaction.remote_address", "transaction.client_ip"];
const MESSAGES: [&str; 2] = ["audit_data.messages", "transaction.messages"];

/// What a message begins with that tells of a request that was not let through (`apache2/re.c`, `perform_interception`).
const DENIED: &str = "Access denied with";

fn first<'a>(flat: &Flat<'a>, keys: [&str; 2]) -> Option<Scalar<'a>> {
    keys.into_iter().find_map(|key| flat.get(key))
}

/// Whether an object is a transaction.
pub fn is(flat: &Flat<'_>) -> bool {
    first(flat, TIME).is_some() && first(flat, ID).is_some() && first(flat, CLIENT).is_some()
}

/// Fills a record. The status of the answer is left to the access log, which has the request as well.
pub fn fill<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    record.stamp = first(flat, TIME).and_then(structured::time);
    fill::once_str(record, Key::ServiceName, "modsecurity");
    for (name, value) in &flat.pairs {
        let Some(text) = value.text() else { continue };
        match *name {
            name if ID.contains(&name) => fill::once_str(record, Key::RequestId, text),
            name if CLIENT.contains(&name) => fill::client(record, text),
            "request.request_line" => request::put(text, cx, record),
            "transaction.request.method" => fill::once_str(record, Key::Method, text),
            "transaction.request.uri" => fill::target(record, text),
            "transaction.time" | "transaction.time_stamp" | "response.body" | "transaction.response.body" => {}
            _ => record.put_other(name, Value::Str(text)),
        }
    }
    let Some(Scalar::List(messages)) = first(flat, MESSAGES) else { return };
    record.put_other("modsecurity.messages", Value::Str(messages));
    let (text, severity) = match messages.find(DENIED).and_then(|at| messages.get(at..)) {
        Some(denied) => (denied, Severity::Error),
        None => (messages.trim_start_matches(['[', '"']), Severity::Warn),
    };
    // The message ends with the quote that no backslash stands before.
    let quote = memchr::memchr_iter(b'"', text.as_bytes()).find(|at| !text.get(..*at).is_some_and(|before| before.ends_with('\\')));
    let message = quote.and_then(|end| text.get(..end)).unwrap_or(text);
    record.body = cx.arena.alloc_str(&message.replace("\\\"", "\""));
    record.severity = record.severity.or(Some(severity));
    let id = message.split("[id \\\"").nth(1).and_then(|rest| rest.split('\\').next());
    if let Some(id) = id {
        fill::once_str(record, Key::EventName, id);
    }
}
