//! Helpers of the table tests: a record on one line.

use crate::format::{Cx, Fit, Format};
use whyline_event::stamp::{Clock, rfc3339};
use whyline_event::{Bump, Origin, Record};

/// What a format makes of a text: name, time, severity, body (a dash when it is the whole text) and all fields.
pub fn fields(format: &dyn Format, text: &str) -> String {
    let arena = Bump::new();
    let order = [];
    let cx = Cx::new(&arena, &order);
    let mut record = Record::new(text, Origin::default());
    if format.read(&cx, text, &mut record).is_none() {
        return "unread".into();
    }
    let time = record.stamp.map_or("-".into(), |s| rfc3339(Clock::default().instant(&s), s.digits));
    let severity = record.severity.map_or("-", |s| s.as_str());
    let body = if record.body == text { "-".to_string() } else { format!("[{}]", record.body) };
    let fields: Vec<String> = record.fields.iter().map(|f| format!("{}={}", f.name.as_str(), f.value)).collect();
    format!("{} {time} {severity} {body} {}", record.format, fields.join(" ")).trim_end().to_string()
}

/// The fit alone; checks that a record that was not read is left as it was.
pub fn fit(format: &dyn Format, text: &str) -> Option<Fit> {
    let arena = Bump::new();
    let order = [];
    let cx = Cx::new(&arena, &order);
    let mut record = Record::new(text, Origin::default());
    let fit = format.read(&cx, text, &mut record);
    if fit.is_none() {
        assert!(record.fields.is_empty() && record.format == "generic" && record.body == text && record.stamp.is_none(), "{text}");
    }
    fit
}
