//! The text logs of applications: Python, Java, Go, Node and whatever else puts time, level and names before a message.

mod brackets;
pub mod head;
pub mod level;
pub mod products;

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::begins_record;
use crate::formats::{exception, fill, golang, message};
use head::{Head, scan};
use std::sync::Arc;
use whyline_event::{Form, Key, Record};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct App {
    /// Whether the records of the source carry stamps; `None` until that has been learnt.
    stamped: Option<bool>,
}

const NAME: &str = "app";

impl Format for App {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let mut head = scan(text);
        let fit = fit(&head)?;
        if let Some(inner) = relayed(&head) {
            head = Head { stamp_first: head.stamp_first, priority: head.priority, ..inner };
        }
        put(cx, text, &head, record);
        record.format = NAME;
        let product = products::name(text, &head);
        if let Some(name) = product {
            record.format = name;
            message::sentences(name, record.body, record);
        }
        Some(if product.is_some() { fit + 15 } else { fit })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        if golang::is_panic(line) || begins_record(line) {
            return true;
        }
        let head = scan(line);
        match self.stamped {
            Some(true) => head.stamp.is_some(),
            Some(false) => fit(&head).is_some(),
            None => head.stamp.is_some() || fit(&head).is_some() && !line.starts_with([' ', '\t']),
        }
    }

    fn learn(&self, head: &[&str]) -> Option<Arc<dyn Format>> {
        let stamped = head.iter().filter(|text| scan(text).stamp.is_some()).count();
        Some(Arc::new(App { stamped: Some(stamped * 5 >= head.len()) }))
    }
}

/// The record of another process that this one passes on, as Airflow does: `[stamp] {relay.py:7} INFO - [stamp] {a.py:1} ERROR -
/// text`.
fn relayed<'a>(head: &Head<'a>) -> Option<Head<'a>> {
    head.file?;
    let at = head.message.find('[').filter(|at| *at <= 80)?;
    let inner = scan(head.message.get(at..)?);
    (inner.stamp.is_some_and(|s| s.form != Form::TimeOnly) && inner.level.is_some() && inner.file.is_some()).then_some(inner)
}

/// How much of a head was found. A stamp alone is left to the generic reader.
fn fit(head: &Head<'_>) -> Option<Fit> {
    let time_only = head.stamp.is_some_and(|s| s.form == Form::TimeOnly);
    match (head.stamp.is_some(), head.level.is_some(), head.has_more()) {
        (true, true, more) => Some(if more { 50 } else { 45 } - if time_only { 10 } else { 0 }),
        (true, false, true) => Some(30),
        (false, true, true) => Some(25),
        (false, true, false) => Some(15),
        _ => None,
    }
}

/// Fills a record from a head.
pub(crate) fn put<'a>(cx: &Cx<'a>, text: &'a str, head: &Head<'a>, record: &mut Record<'a>) {
    // A time of day adds nothing to the full stamp of an envelope.
    if let Some(stamp) = head.stamp
        && !(stamp.form == Form::TimeOnly && record.stamp.is_some())
    {
        record.stamp = Some(stamp);
    }
    if head.priority.is_some() {
        record.severity = head.priority;
    }
    if let Some(word) = head.level {
        fill::level(record, word);
    }
    for (key, value) in
        [(Key::ServiceName, head.service), (Key::ThreadName, head.thread), (Key::Logger, head.logger), (Key::CodeFile, head.file)]
    {
        if let Some(text) = value {
            fill::once_str(record, key, text);
        }
    }
    for (key, value) in [(Key::ProcessPid, head.pid), (Key::CodeLine, head.line)] {
        if let Some(text) = value {
            fill::once_int(record, key, text);
        }
    }
    if let Some(client) = head.client {
        fill::client(record, client);
    }
    // A level alone is no head: the text stays whole.
    record.body = if head.stamp.is_none() && !head.has_more() { text } else { head.message };
    exception::fields(head.message, record);
    message::fields(cx, head.message, record);
}
