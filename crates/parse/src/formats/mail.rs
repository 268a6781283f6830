//! Exim's main and reject logs.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::{fill, message};
use crate::stamp;
use whyline_event::{Form, Key, Record, Severity, Value};

/// `2026-11-21 10:15:02 1tDkQ6-000abc-1x <= sender H=host [address] ...`, perhaps with zone and process id behind the stamp.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exim;

/// The flags of a line, and what they say was done.
const FLAGS: &[(&str, &str)] = &[
    ("<= ", "received"),
    ("=> ", "delivered"),
    ("-> ", "delivered"),
    (">> ", "delivered"),
    ("** ", "failed"),
    ("== ", "deferred"),
    ("*> ", "suppressed"),
    ("(= ", "received"),
];

/// Beginnings of lines without a message id.
const SAID: &[&str] = &[
    "H=",
    "SMTP connection from ",
    "SMTP protocol ",
    "SMTP syntax error ",
    "SMTP command timeout ",
    "SMTP data timeout ",
    "SMTP call from ",
    "TLS error on connection from ",
    "no host name found for IP address ",
    "no IP address found for host ",
    "Start queue run: ",
    "End queue run: ",
    "unexpected disconnection while reading SMTP ",
    "rejected EHLO from ",
    "rejected HELO from ",
    "exim 4",
];

impl Format for Exim {
    fn name(&self) -> &'static str {
        "exim"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let mut c = Cursor::new(text);
        let stamp = c.stamp_by(stamp::iso).filter(|s| matches!(s.digits, 0 | 3) && s.form != Form::TimeOnly)?;
        c.must(" ")?;
        let pid = if c.rest.starts_with('[') { c.between("[", "]").filter(|p| p.bytes().all(|b| b.is_ascii_digit()))? } else { "" };
        c.blanks();
        let id = c.peek();
        let body = c.rest;
        let has_id = is_message_id(id);
        if has_id {
            c.word();
            c.blanks();
        } else if !SAID.iter().any(|said| body.starts_with(said)) && !body.contains(" login authenticator failed for ") {
            return None;
        }
        record.format = "exim";
        record.stamp = Some(stamp);
        record.body = body;
        fill::once_int(record, Key::ProcessPid, pid);
        if has_id {
            record.put_other("mail.queue_id", Value::Str(id));
        }
        flagged(c.rest, record);
        message::fields(cx, c.rest, record);
        Some(if has_id { 90 } else { 75 })
    }
}

/// Two notations: `1tDkQ6-000abc-1x`, and since 4.97 `1tDkQ6-000000001Ab-1XyZ`.
fn is_message_id(word: &str) -> bool {
    let mut parts = word.split('-').map(|p| (p.len(), p.bytes().all(|b| b.is_ascii_alphanumeric())));
    matches!(
        (parts.next(), parts.next(), parts.next(), parts.next()),
        (Some((6, true)), Some((6, true)), Some((2, true)), None) | (Some((6, true)), Some((11, true)), Some((4, true)), None)
    )
}

fn flagged<'a>(said: &'a str, record: &mut Record<'a>) {
    let Some((flag, action)) = FLAGS.iter().find(|(flag, _)| said.starts_with(flag)) else {
        if said.contains(" rejected ") || said.starts_with("rejected ") {
            fill::once(record, Key::Action, Value::Str("rejected"));
        } else if said.contains("authenticator failed") {
            fill::once(record, Key::Action, Value::Str("failed"));
        }
        return;
    };
    fill::once(record, Key::Action, Value::Str(action));
    match *action {
        "failed" => fill::level_as(record, flag.trim(), Severity::Error),
        "deferred" => fill::level_as(record, flag.trim(), Severity::Warn),
        _ => {}
    }
    let rest = said.get(flag.len()..).unwrap_or("");
    let who = rest.split(' ').next().unwrap_or("").trim_end_matches(':');
    record.put_other(if *action == "received" { "mail.from" } else { "mail.to" }, Value::Str(who));
    // Of a delivery the host is the one that takes the message.
    if *action != "received"
        && let Some((_, host)) = rest.split_once(" H=")
        && let Some((_, address)) = host.split_once('[')
    {
        fill::once_str(record, Key::Peer, address.split(']').next().unwrap_or(""));
    }
    if *action == "received"
        && let Some((_, host)) = rest.split_once(" H=")
        && let Some((_, address)) = host.split_once(" [").or_else(|| host.strip_prefix('[').map(|address| ("", address)))
    {
        fill::client(record, address.split(']').next().unwrap_or(""));
    }
    if let Some((_, number)) = rest.split_once(" defer (") {
        fill::once_int(record, Key::Errno, number.split(')').next().unwrap_or(""));
    }
}
