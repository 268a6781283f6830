//! What systemd writes about its units.

use crate::formats::cursor::Cursor;
use crate::formats::fill;
use whyline_event::{Key, Record, Value};

const KINDS: &[&str] =
    &[".service", ".socket", ".timer", ".target", ".mount", ".automount", ".slice", ".scope", ".path", ".swap", ".device"];

/// Reads a message of systemd.
pub fn read<'a>(text: &'a str, record: &mut Record<'a>) {
    if let Some(unit) = unit(text) {
        fill::once_str(record, Key::Unit, unit);
    }
    for mark in ["code=exited, status=", "code=killed, status=", "code=dumped, status="] {
        if let Some(at) = text.find(mark) {
            status(text.get(at + mark.len()..).unwrap_or(""), mark.starts_with("code=exited"), record);
        }
    }
    if let Some(at) = text.find("restart counter is at ") {
        let count = Cursor::new(text.get(at + 22..).unwrap_or("")).digits().and_then(|d| d.parse().ok());
        if let Some(count) = count {
            record.put_other("systemd.unit.restarts", Value::Int(count));
        }
    }
    let action = [
        ("killed by the OOM killer", "oom-kill"),
        ("Scheduled restart job", "restart"),
        ("Failed with result ", "failed"),
        ("Start request repeated too quickly", "failed"),
        ("Main process exited", "exited"),
        ("Deactivated successfully", "stopped"),
    ]
    .iter()
    .find(|(mark, _)| text.contains(mark))
    .map(|(_, action)| *action)
    .or_else(|| {
        [
            ("Failed to start ", "failed"),
            ("Starting ", "starting"),
            ("Started ", "started"),
            ("Stopping ", "stopping"),
            ("Stopped ", "stopped"),
            ("Reloading ", "reloading"),
            ("Reloaded ", "reloaded"),
        ]
        .iter()
        .find(|(start, _)| text.starts_with(start))
        .map(|(_, action)| *action)
    });
    if let Some(action) = action {
        fill::once(record, Key::Action, Value::Str(action));
    }
}

/// `1/FAILURE`, `9/KILL`, `143/n/a`.
fn status<'a>(text: &'a str, exited: bool, record: &mut Record<'a>) {
    let mut c = Cursor::new(text);
    let Some(number) = c.digits() else { return };
    if exited {
        fill::once_int(record, Key::ExitCode, number);
    } else {
        let name = if c.eat("/") { c.run(|b| b.is_ascii_alphanumeric()).unwrap_or(number) } else { number };
        fill::once_str(record, Key::Signal, name);
    }
}

/// The unit that a message names: `x.service: ...`, or the first word that ends like a unit.
pub fn unit(text: &str) -> Option<&str> {
    text.split([' ', '\n'])
        .map(|word| word.trim_end_matches([':', '.', ',']).trim_matches(['"', '\'', '`']))
        .find(|word| KINDS.iter().any(|kind| word.len() > kind.len() && word.ends_with(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    #[test]
    fn units() {
        for (text, unit, exit, signal, action) in [
            ("Started shop.service - The shop.", "shop.service", None, None, "started"),
            ("shop.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED", "shop.service", Some(3), None, "exited"),
            ("shop.service: Main process exited, code=killed, status=9/KILL", "shop.service", None, Some("KILL"), "exited"),
            ("shop.service: Scheduled restart job, restart counter is at 5.", "shop.service", None, None, "restart"),
            ("shop.service: A process of this unit has been killed by the OOM killer.", "shop.service", None, None, "oom-kill"),
            ("Failed to start shop.service - The shop.", "shop.service", None, None, "failed"),
        ] {
            let mut r = Record::new(text, Origin::default());
            read(text, &mut r);
            assert_eq!(
                (r.str(Key::Unit), r.int(Key::ExitCode), r.str(Key::Signal), r.str(Key::Action)),
                (Some(unit), exit, signal, Some(action)),
                "{text}"
            );
        }
    }
}
