//! When a machine was booted: from records that carry both the time of day and the seconds since boot, as the kernel's do in syslog
//! and in the journal. With it, the seconds in the output of `dmesg` become times.
//!
//! A daemon takes down what the kernel said before it ran as soon as it runs, so a difference is too large rather than too small: of
//! the records of one boot the least difference counts. Such a file can be read only once the whole bundle is known, so it is read
//! a second time, as for the end of summer time.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Form, Key, Record, Stamp, Value};

const MINUTE: i64 = 60 * NANOS;
/// A machine is not booted twice within this; a slow start lies within it.
const APART: i64 = 10 * MINUTE;
/// So many boots of one source are kept.
const MOST: usize = 200;

/// Boots that a source tells of, as its stamps are written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Boots {
    /// By the minute and by what the stamps leave open, in order: the earliest moment of boot, in nanoseconds.
    seen: Vec<((i64, Form), i64)>,
    /// Records that say how long the machine had run, and not when.
    pub timeless: u64,
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
    pub fn record(&mut self, uptime: i64, stamp: Option<&Stamp>) {
        match stamp {
            Some(stamp) => {
                let boot = stamp.nanos.saturating_sub(uptime);
                self.add((boot.div_euclid(MINUTE), stamp.form), boot);
            }
            None => self.timeless += 1,
        }
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
