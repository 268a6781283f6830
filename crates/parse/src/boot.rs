//! When a machine was booted: from records that carry both the time of day and the seconds since boot, as the kernel's do in syslog
//! and in the journal. With it, the seconds in the output of `dmesg` become times.
//!
//! A daemon takes down what the kernel said before it ran as soon as it runs, so a difference is too large rather than too small: of
//! the records of one boot the least difference counts. Such a file can be read only once the whole bundle is known, so it is read
//! a second time, as for the end of summer time.
//!
//! Most journals drop the seconds since boot. Then lines of the kernel that both the output of `dmesg` and a dated log hold tell when the machine was
//! booted, where two or more agree ([`shared`]); else its first line, `Linux version ...`, in a dated log, and what `uptime -s` says. The time of a file tells nothing:
//! it was copied.

use crate::facts::{Moment, hash, keep, prune};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Form, Key, Record, Severity, Stamp, Value};

const MINUTE: i64 = 60 * NANOS;
/// A machine is not booted twice within this; a slow start lies within it.
const APART: i64 = 10 * MINUTE;
/// So many boots of one source are kept.
const MOST: usize = 200;

/// Lines of two sources that tell of one boot agree within this: syslog drops fractions of seconds, a daemon reads what was said before it ran.
const AGREE: i64 = 3 * NANOS;
/// So many shared lines have to agree.
const LEAST: usize = 2;
/// Lines of the kernel that are kept of a source: those with the smallest hashes, so that two sources keep the same ones.
const LINES: usize = 2000;
/// Of one line so many dates are looked at.
const MOST_DATES: usize = 50;
/// Further back than this the seconds since boot step only where a machine was booted again.
const BACK: i64 = MINUTE;
/// So many letters of a grave line are told.
const LONGEST: usize = 80;
/// A line that names one of these is worth being told of.
const GRAVE: &[&str] = &[
    "Out of memory",
    "Memory cgroup out of memory",
    "Kernel panic",
    "BUG: ",
    "I/O error",
    "segfault at ",
    "blocked for more than",
    "Remounting filesystem read-only",
    "Hardware Error",
    "soft lockup",
    "nf_conntrack: table full",
];

/// Boots that a source tells of, as its stamps are written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Boots {
    /// By the minute and by what the stamps leave open, in order: the earliest moment of boot, in nanoseconds.
    seen: Vec<((i64, Form), i64)>,
    /// Records that say how long the machine had run, and not when.
    pub timeless: u64,
    /// Their texts as hashes, with the milliseconds since boot.
    #[serde(default)]
    undated: Vec<Moment>,
    /// The greatest of these times.
    #[serde(default)]
    longest: i64,
    /// Lines of the kernel with a date, and without the time since boot.
    #[serde(default)]
    dated: Vec<Moment>,
    /// The time since boot steps back: these are records of several boots.
    #[serde(default)]
    several: bool,
    /// The first grave line among the timeless ones, by its number.
    #[serde(default)]
    pub grave: Option<(u64, String)>,
    /// The time since boot of the record before.
    #[serde(skip)]
    before: i64,
    /// Lines of larger hashes would be dropped at the end: undated, then dated.
    #[serde(skip)]
    bounds: [Option<u64>; 2],
}

/// The time since boot that a record tells.
pub fn uptime(record: &Record<'_>) -> Option<i64> {
    match record.get(Key::Uptime) {
        Some(Value::Duration(nanos)) => Some(nanos),
        _ => None,
    }
}

impl Boots {
    /// Takes note of a record that tells how long the machine had run, with its own stamp, if it has one.
    pub fn record(&mut self, record: &Record<'_>, uptime: i64, stamp: Option<&Stamp>) {
        match stamp {
            Some(stamp) => {
                let boot = stamp.nanos.saturating_sub(uptime);
                self.add((boot.div_euclid(MINUTE), stamp.form), boot);
            }
            None => self.timeless(record, uptime),
        }
    }

    fn timeless(&mut self, record: &Record<'_>, uptime: i64) {
        self.timeless += 1;
        self.several |= uptime.saturating_add(BACK) < self.before;
        self.before = uptime;
        self.longest = self.longest.max(uptime);
        let line = Moment { hash: hash(&[record.body]), millis: uptime.div_euclid(1_000_000), form: Form::Explicit };
        keep(&mut self.undated, &mut self.bounds[0], line, LINES);
        let number = record.origin.line;
        if self.grave.as_ref().is_none_or(|(line, _)| number < *line)
            && (record.severity.is_some_and(|s| s >= Severity::Error) || GRAVE.iter().any(|words| record.body.contains(words)))
        {
            let line = record.body.lines().next().unwrap_or("");
            let cut = if line.chars().nth(LONGEST).is_some() { " ..." } else { "" };
            self.grave = Some((number, line.chars().take(LONGEST).collect::<String>().trim_end().to_string() + cut));
        }
    }

    /// Takes note of a line of the kernel that has a date, and does not say how long the machine had run.
    pub fn dated(&mut self, record: &Record<'_>, stamp: &Stamp) {
        if record.body.starts_with("Linux version ") {
            self.add((stamp.nanos.div_euclid(MINUTE), stamp.form), stamp.nanos);
        }
        let line = Moment { hash: hash(&[record.body]), millis: stamp.nanos.div_euclid(1_000_000), form: stamp.form };
        keep(&mut self.dated, &mut self.bounds[1], line, LINES);
    }

    /// Must be called after the last record: drops lines beyond the cap.
    pub fn finish(&mut self) {
        prune(&mut self.undated, LINES);
        prune(&mut self.dated, LINES);
    }

    fn add(&mut self, key: (i64, Form), boot: i64) {
        match self.seen.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => {
                if let Some((_, least)) = self.seen.get_mut(at) {
                    *least = boot.min(*least);
                }
            }
            Err(at) => {
                self.seen.insert(at, (key, boot));
                // The last ones count, in whatever order they come.
                if self.seen.len() > MOST {
                    self.seen.remove(0);
                }
            }
        }
    }

    /// Adds what another part of the source tells.
    pub fn merge(&mut self, other: Boots) {
        other.seen.into_iter().for_each(|(key, boot)| self.add(key, boot));
        self.timeless += other.timeless;
        other.undated.into_iter().for_each(|line| keep(&mut self.undated, &mut self.bounds[0], line, LINES));
        other.dated.into_iter().for_each(|line| keep(&mut self.dated, &mut self.bounds[1], line, LINES));
        self.longest = self.longest.max(other.longest);
        self.several |= other.several;
        self.grave = [self.grave.take(), other.grave].into_iter().flatten().min();
    }

    /// The lines of the kernel that it dates, by their hashes, on a clock: in UTC nanoseconds.
    pub fn lines<'a>(&'a self, clock: &'a Clock) -> impl Iterator<Item = (u64, i64)> + 'a {
        self.dated.iter().map(|line| {
            let stamp = Stamp { nanos: line.millis.saturating_mul(1_000_000), form: line.form, offset: None, digits: 3 };
            (line.hash, clock.instant(&stamp))
        })
    }

    /// Whether its records may be dated by one boot.
    pub fn is_of_one(&self) -> bool {
        !self.several
    }

    /// Whether its records were all written by a moment, were the machine booted at `boot`.
    fn fits(&self, boot: i64, before: Option<i64>) -> bool {
        before.is_none_or(|before| boot.saturating_add(self.longest) <= before.saturating_add(APART))
    }

    /// When the machine was booted, by lines that dated logs of it hold as well ([`Boots::lines`]). Of several boots that agree with equally many, the last
    /// one; `before` is when the file was written.
    pub fn shared(&self, dated: impl Iterator<Item = (u64, i64)>, before: Option<i64>) -> Option<i64> {
        // What is said again and again ties to nothing.
        let mut own: BTreeMap<u64, Option<i64>> = BTreeMap::new();
        for line in &self.undated {
            own.entry(line.hash).and_modify(|millis| *millis = None).or_insert(Some(line.millis));
        }
        let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
        let mut boots: Vec<(i64, u64)> = Vec::new();
        for (hash, at) in dated {
            let Some(uptime) = own.get(&hash).copied().flatten() else { continue };
            let times = seen.entry(hash).or_default();
            *times += 1;
            let boot = at.saturating_sub(uptime.saturating_mul(1_000_000));
            if *times <= MOST_DATES && self.fits(boot, before) {
                boots.push((boot, hash));
            }
        }
        boots.sort_unstable();
        let mut best: Option<(usize, i64)> = None;
        for (from, (first, _)) in boots.iter().enumerate() {
            let near: Vec<&(i64, u64)> = boots.iter().skip(from).take_while(|(boot, _)| boot - first <= AGREE).collect();
            let lines = near.iter().map(|(_, hash)| hash).collect::<std::collections::BTreeSet<_>>().len();
            if lines >= LEAST
                && best.is_none_or(|(most, _)| lines >= most)
                && let Some((middle, _)) = near.get((near.len() - 1) / 2)
            {
                best = Some((lines, *middle));
            }
        }
        best.map(|(_, boot)| boot)
    }

    /// The last of boots that the logs tell of, as far as its records fit to it: [`last`].
    pub fn last(&self, moments: impl Iterator<Item = i64>, before: Option<i64>) -> Option<i64> {
        last(moments.filter(|boot| self.fits(*boot, before)), before)
    }

    /// The moments of boot on a clock, in UTC nanoseconds.
    pub fn instants<'a>(&'a self, clock: &'a Clock) -> impl Iterator<Item = i64> + 'a {
        self.seen.iter().map(|((_, form), nanos)| clock.instant(&Stamp { nanos: *nanos, form: *form, offset: None, digits: 6 }))
    }
}

/// The last boot of a machine, from the moments that all its sources tell; `before` is when the file that needs it was written.
pub fn last(moments: impl Iterator<Item = i64>, before: Option<i64>) -> Option<i64> {
    let mut all: Vec<i64> = moments.filter(|at| before.is_none_or(|before| *at <= before.saturating_add(APART))).collect();
    all.sort_unstable();
    // One boot's moments lie close together, and the earliest is the truest.
    let mut boots: BTreeMap<i64, i64> = BTreeMap::new();
    for at in all {
        match boots.last_entry() {
            Some(mut entry) if at - *entry.get() <= APART => *entry.get_mut() = at,
            _ => drop(boots.insert(at, at)),
        }
    }
    boots.last_key_value().map(|(first, _)| *first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source of lines without dates, and one of lines with them, on the clock of UTC.
    fn tied(undated: &[(i64, &'static str)], dated: &[(i64, &'static str)], before: Option<i64>) -> Option<i64> {
        let (mut own, mut other) = (Boots::default(), Boots::default());
        for (uptime, text) in undated {
            own.record(&Record::new(text, whyline_event::Origin::default()), uptime * NANOS, None);
        }
        for (at, text) in dated {
            other.dated(&Record::new(text, whyline_event::Origin::default()), &Stamp::explicit(at * NANOS, 0, 0));
        }
        own.finish();
        own.is_of_one().then(|| own.shared(other.lines(&Clock::default()), before.map(|b| b * NANOS))).flatten().map(|boot| boot / NANOS)
    }

    #[test]
    fn lines_that_a_dated_log_holds_as_well_tell_of_the_boot() {
        let lines = [(5, "eth0: up"), (9, "md0: active"), (900, "Killed process 7 (java)")];
        // The daemon that writes down what was said before it ran is late.
        let day = 1_795_000_000;
        let first = [(day + 6, "eth0: up"), (day + 9, "md0: active")];
        assert_eq!(tied(&lines, &first, None), Some(day));
        // One line alone may be of any boot, and so may two that do not agree.
        assert_eq!(tied(&lines, &first[..1], None), None);
        assert_eq!(tied(&lines, &[(day, "eth0: up"), (day + 900, "md0: active")], None), None);
        // What was said again and again ties to nothing.
        assert_eq!(tied(&[(5, "eth0: up"), (7, "eth0: up"), (9, "md0: active")], &first, None), None);
        // Of two boots the one with more lines, else the later one, but none after the file was written.
        let second = [(day + 7005, "eth0: up"), (day + 7009, "md0: active")];
        let killed = [(day + 900, "Killed process 7 (java)")];
        assert_eq!(tied(&lines, &[first, second].concat(), None), Some(day + 7000));
        assert_eq!(tied(&lines, &[first.as_slice(), &second, &killed].concat(), None), Some(day));
        assert_eq!(tied(&lines, &[first, second].concat(), Some(day + 5000)), Some(day));
        assert_eq!(tied(&lines, &second, Some(day)), None);
        // Records of several boots are none of one.
        assert_eq!(tied(&[(900, "a"), (5, "eth0: up"), (9, "md0: active")], &first, None), None);
    }

    #[test]
    fn the_last_boot_is_the_earliest_moment_of_its_kind() {
        let at = |minutes: i64, seconds: i64| minutes * MINUTE + seconds * NANOS;
        let moments = [at(0, 9), at(0, 3), at(500, 40), at(501, 2), at(500, 37), at(900, 0)];
        assert_eq!(last(moments.into_iter(), None), Some(at(900, 0)));
        assert_eq!(last(moments.into_iter(), Some(at(800, 0))), Some(at(500, 37)));
        assert_eq!(last(moments.into_iter(), Some(at(100, 0))), Some(at(0, 3)));
        assert_eq!(last([].into_iter(), None), None);
    }
}
