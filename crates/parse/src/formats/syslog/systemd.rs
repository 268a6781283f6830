//! What systemd writes about its units.

use crate::formats::cursor::Cursor;
use crate::formats::fill;
use crate::seek::Needle;
use whyline_event::{Key, Record, Value};

const KINDS: &[&str] =
    &[".service", ".socket", ".timer", ".target", ".mount", ".automount", ".slice", ".scope", ".path", ".swap", ".device"];

const CODE: Needle = Needle::new("code=");
/// How a process ended, and whether by itself.
const ENDS: [(Needle, bool); 3] = [
    (Needle::new("code=exited, status="), true),
    (Needle::new("code=killed, status="), false),
    (Needle::new("code=dumped, status="), false),
];
const RESTARTS: Needle = Needle::new("restart counter is at ");
/// What a message says anywhere of what was done, and how it begins otherwise.
const ACTIONS: [(Needle, &str); 6] = [
    (Needle::new("killed by the OOM killer"), "oom-kill"),
    (Needle::new("Scheduled restart job"), "restart"),
    (Needle::new("Failed with result "), "failed"),
    (Needle::new("Start request repeated too quickly"), "failed"),
    (Needle::new("Main process exited"), "exited"),
    (Needle::new("Deactivated successfully"), "stopped"),
];
const STARTS: [(&str, &str); 7] = [
    ("Failed to start ", "failed"),
    ("Starting ", "starting"),
    ("Started ", "started"),
    ("Stopping ", "stopping"),
    ("Stopped ", "stopped"),
    ("Reloading ", "reloading"),
    ("Reloaded ", "reloaded"),
];

/// Reads a message of systemd.
pub fn read<'a>(text: &'a str, record: &mut Record<'a>) {
    if let Some(unit) = unit(text) {
        fill::once_str(record, Key::Unit, unit);
    }
    if CODE.is_in(text) {
        for (mark, exited) in ENDS {
            if let Some(ended) = mark.after(text) {
                status(ended, exited, record);
            }
        }
    }
    if let Some(count) = RESTARTS.after(text) {
        let count = Cursor::new(count).digits().and_then(|d| d.parse().ok());
        if let Some(count) = count {
            record.put_other("systemd.unit.restarts", Value::Int(count));
        }
    }
    let said = ACTIONS.iter().find(|(mark, _)| mark.is_in(text));
    let action =
        said.map(|(_, action)| *action).or_else(|| STARTS.iter().find(|(start, _)| text.starts_with(start)).map(|(_, action)| *action));
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
    // A kind begins with a dot, so most words are none without a look at their end.
    let mut from = 0;
    while let Some(dot) = memchr::memchr(b'.', text.as_bytes().get(from..)?).map(|at| from + at) {
        let is_end = |b: &u8| matches!(b, b' ' | b'\n');
        let end = text.as_bytes().get(dot..)?.iter().position(is_end).map_or(text.len(), |n| dot + n);
        let start = text.as_bytes().get(..dot)?.iter().rposition(is_end).map_or(0, |at| at + 1);
        let word = text.get(start..end)?.trim_end_matches([':', '.', ',']).trim_matches(['"', '\'', '`']);
        if KINDS.iter().any(|kind| word.len() > kind.len() && word.ends_with(kind)) {
            return Some(word);
        }
        from = end;
    }
    None
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
