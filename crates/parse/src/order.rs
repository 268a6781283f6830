//! Stamps that cannot be right: from before there were logs, from the far future, or long before the records around them.
//!
//! A clock without battery starts in 1970, a broken counter writes the year 2106, a buffered line comes out an hour late. Such a
//! record is kept as it stands and marked by a note; it counts for nothing where times matter, so no beginning of anything is ever
//! built on it.

use rustc_hash::FxHashMap;
use std::hash::{Hash, Hasher};
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Key, Record, Stamp};

/// 1990-01-01, in seconds: no log is older.
const OLDEST: i64 = 631_152_000;
/// 2100-01-01: no log that can be read today is younger.
const YOUNGEST: i64 = 4_102_444_800;
/// A file may be written so long after its last change was noted: zones and clocks included.
const SLACK: i64 = 36 * 3600;
const YEAR: i64 = 366 * 86_400;
/// Records of one writer run back by seconds, where threads share a file. More than this is no such race.
const BACK: i64 = 300 * NANOS;
/// After so many records in a row that lie behind, the clock was set back, and they are right.
const SETTLED: u32 = 20;
/// So many writers of one source are told apart.
const WRITERS: usize = 1000;

/// What is known of a source's time before its records are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The middle of the dated stamps of its head, in seconds.
    pub usual: Option<i64>,
    /// When the file was last changed, in seconds.
    pub modified: Option<i64>,
    /// When its machine was booted, in UTC nanoseconds: for records that say only how long it had run.
    pub boot: Option<i64>,
    /// The line from which on its clock is set back at the end of summer time.
    pub later_from: Option<u64>,
}

/// Watches the stamps of one block.
#[derive(Debug, Default)]
pub struct Watch {
    expected: Expected,
    /// Stamps of this stretch are plausible, whatever else is known; in nanoseconds.
    plausible: std::ops::Range<i64>,
    writers: FxHashMap<u64, Writer>,
}

/// One program on one machine: others in the same file may have other clocks.
#[derive(Clone, Copy, Debug)]
struct Writer {
    form: Form,
    latest: i64,
    behind: u32,
}

impl Watch {
    /// A watch over a block of a source.
    pub fn new(expected: Expected) -> Self {
        let until = expected.modified.map_or(YOUNGEST, |at| at.saturating_add(SLACK).clamp(OLDEST, YOUNGEST));
        Watch { expected, plausible: OLDEST * NANOS..until * NANOS, writers: FxHashMap::default() }
    }

    /// What is wrong with the stamp of a record, if anything is: a note for people.
    pub fn doubt(&mut self, record: &Record<'_>) -> Option<&'static str> {
        let stamp = record.stamp?;
        self.implausible(&stamp).or_else(|| self.back(&stamp, record))
    }

    fn implausible(&self, stamp: &Stamp) -> Option<&'static str> {
        if self.plausible.contains(&stamp.nanos) || !matches!(stamp.form, Form::Explicit | Form::Civil) {
            return None;
        }
        let second = stamp.nanos.div_euclid(NANOS);
        let Expected { usual, modified, .. } = self.expected;
        // Where most of the source is so, its clock was, and the records still tell their order.
        if second < OLDEST && usual.is_none_or(|usual| usual >= OLDEST) {
            return Some("the stamp lies before 1990; nothing is concluded from it");
        }
        let late = modified.is_some_and(|at| second > at + SLACK) && usual.is_some_and(|usual| second > usual + YEAR);
        if late || second > YOUNGEST && usual.is_none_or(|usual| usual <= YOUNGEST) {
            return Some("the stamp lies in the far future; nothing is concluded from it");
        }
        None
    }

    fn back(&mut self, stamp: &Stamp, record: &Record<'_>) -> Option<&'static str> {
        // Requests that are stamped at their beginning are logged at their end.
        if record.format.ends_with(".access") || matches!(record.format, "haproxy" | "squid" | "traefik" | "w3c") {
            return None;
        }
        let writer = writer_of(record);
        let Some(known) = self.writers.get_mut(&writer) else {
            if self.writers.len() < WRITERS {
                self.writers.insert(writer, Writer { form: stamp.form, latest: stamp.nanos, behind: 0 });
            }
            return None;
        };
        let distance = known.latest.saturating_sub(stamp.nanos);
        // A year or a day that is not written begins anew.
        let anew = match stamp.form {
            Form::NoYear => distance > YEAR / 2 * NANOS,
            Form::TimeOnly => distance > 43_200 * NANOS,
            _ => false,
        };
        if known.form != stamp.form || anew || distance <= BACK || known.behind >= SETTLED {
            // Out of order by little: what comes next is measured against the later one.
            let latest = if distance <= BACK && known.form == stamp.form { known.latest.max(stamp.nanos) } else { stamp.nanos };
            *known = Writer { form: stamp.form, latest, behind: 0 };
            return None;
        }
        known.behind += 1;
        Some("the stamp runs back by more than five minutes; nothing is concluded from it")
    }
}

fn writer_of(record: &Record<'_>) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    record.format.hash(&mut hasher);
    for field in &record.fields {
        if let whyline_event::Name::Known(key @ (Key::HostName | Key::ServiceName | Key::ProcessName | Key::ProcessPid)) = field.name {
            (key as u8).hash(&mut hasher);
            match field.value {
                whyline_event::Value::Str(text) => text.hash(&mut hasher),
                whyline_event::Value::Int(number) => number.hash(&mut hasher),
                _ => {}
            }
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use crate::formats;
    use crate::reading::read_text;

    /// Time and note of each record, a line each.
    fn told(text: &str) -> Vec<(String, bool)> {
        let all = formats::all();
        let mut out = Vec::new();
        let clock = whyline_event::Clock::default();
        read_text(text, None, &all, &mut |record| {
            let time = record.stamp.map_or("-".into(), |s| whyline_event::stamp::rfc3339(clock.instant(&s), 0));
            out.push((time, record.notes.iter().any(|note| note.starts_with("the stamp"))));
        });
        out
    }

    #[test]
    fn what_cannot_be_is_kept_and_marked() {
        let text = "2026-11-20T10:00:00Z app INFO one\n1970-01-01T00:00:07Z app INFO no battery\n2026-11-20T10:00:02Z app INFO two\n\
                    2106-02-07T06:28:15Z app INFO counter\n2026-11-20T10:00:03Z app INFO three\n2026-11-20T08:00:03Z app INFO late\n\
                    2026-11-20T10:00:04Z app INFO four\n";
        let got = told(text);
        let times: Vec<&str> = got.iter().map(|(t, _)| &t[11..19]).collect();
        assert_eq!(times, ["10:00:00", "00:00:07", "10:00:02", "06:28:15", "10:00:03", "08:00:03", "10:00:04"]);
        let marked: Vec<bool> = got.iter().map(|(_, marked)| *marked).collect();
        assert_eq!(marked, [false, true, false, true, false, true, false]);
    }

    #[test]
    fn a_clock_that_was_set_back_is_believed_after_a_while() {
        let mut text = String::new();
        for i in 0..30 {
            text.push_str(&format!("2026-11-20T10:00:{i:02}Z app INFO before\n"));
        }
        for i in 0..40 {
            text.push_str(&format!("2026-11-20T09:10:{i:02}Z app INFO after\n"));
        }
        let got = told(&text);
        assert_eq!(got.iter().filter(|(_, marked)| *marked).count(), super::SETTLED as usize);
        assert_eq!(got[69], ("2026-11-20T09:10:39Z".to_string(), false));
    }

    #[test]
    fn a_source_that_is_all_old_keeps_its_time() {
        let got = told("1970-01-01T00:00:07Z app INFO one\n1970-01-01T00:00:08Z app INFO two\n1970-01-01T00:00:09Z app INFO three\n");
        assert_eq!(got[2], ("1970-01-01T00:00:09Z".to_string(), false));
    }

    #[test]
    fn new_year_and_midnight_are_no_way_back() {
        let got = told("Dec 31 23:59:58 web app: one\nJan  1 00:00:01 web app: two\n");
        assert!(got.iter().all(|(_, marked)| !marked));
    }
}
