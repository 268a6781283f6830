//! The end of summer time in a source without offsets: where its clock was set back by an hour.
//!
//! The hour is written twice, and a stamp does not say which of the two it is of; the order of the records does. Blocks are read in
//! any order, so each notes where its own stamps go back, and where they begin and end; the source as a whole is judged afterwards,
//! and read once more with the place known.

use serde::{Deserialize, Serialize};
use whyline_event::stamp::{NANOS, nanos_civil};
use whyline_event::{Form, Record, Zone};

const MINUTE: i64 = 60 * NANOS;
/// A quiet log may pause before and after the hour, so the step that is seen is not exact.
const STEP: std::ops::RangeInclusive<i64> = 50 * MINUTE..=65 * MINUTE;
/// So many records in a row must stay behind before the step is believed; a straggler comes alone.
const STAY: u32 = 5;

/// A place where the stamps of a source step back by about an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fold {
    /// Line of the first record behind the step.
    pub line: u64,
    /// The last stamp before it, as written, in nanoseconds.
    pub from: i64,
    /// The first one behind it.
    pub to: i64,
    /// Neither stamp has a year.
    pub no_year: bool,
}

/// The first stamp of a block, and the latest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ends {
    line: u64,
    first: i64,
    latest: i64,
    no_year: bool,
}

/// Watches the local stamps of one block.
#[derive(Debug, Default)]
pub struct Watch {
    ends: Option<Ends>,
    step: Option<(Fold, u32)>,
    /// The steps that were seen.
    pub folds: Vec<Fold>,
}

impl Watch {
    /// Takes note of the stamp of a record.
    pub fn record(&mut self, record: &Record<'_>) {
        let Some(stamp) = record.stamp.filter(|s| matches!(s.form, Form::Civil | Form::NoYear)) else { return };
        let (line, now, no_year) = (record.origin.line, stamp.nanos, stamp.form == Form::NoYear);
        let Some(ends) = &mut self.ends else {
            self.ends = Some(Ends { line, first: now, latest: now, no_year });
            return;
        };
        if ends.no_year != no_year {
            return;
        }
        if let Some((fold, stayed)) = &mut self.step {
            if now >= fold.from {
                // Back at the old time: it was a straggler, or the hour has passed.
                if *stayed >= STAY {
                    self.folds.push(*fold);
                }
                self.step = None;
            } else {
                *stayed += 1;
            }
        } else if STEP.contains(&ends.latest.saturating_sub(now)) {
            self.step = Some((Fold { line, from: ends.latest, to: now, no_year }, 1));
        }
        ends.latest = ends.latest.max(now);
    }

    /// What the block shows. A step near its end is believed with few records behind it.
    pub fn finish(mut self) -> (Option<Ends>, Vec<Fold>) {
        if let Some((fold, _)) = self.step {
            self.folds.push(fold);
        }
        (self.ends, self.folds)
    }
}

/// The step that is the end of summer time, if a source has one: by the rules of its zone where that was told, else by the calendar,
/// at night between a Saturday and a Sunday of spring or autumn. `zone` is what the user told of the source.
pub fn judge(folds: &[Fold], ends: &[Ends], zone: Option<&Zone>) -> Option<Fold> {
    let mut ends = ends.to_vec();
    ends.sort_unstable();
    let between = ends.windows(2).filter_map(|pair| match pair {
        [a, b] if a.no_year == b.no_year && STEP.contains(&a.latest.saturating_sub(b.first)) => {
            Some(Fold { line: b.line, from: a.latest, to: b.first, no_year: b.no_year })
        }
        _ => None,
    });
    let mut all: Vec<Fold> = folds.iter().copied().chain(between).collect();
    all.sort_unstable();
    all.into_iter().find(|fold| is_end_of_summer(fold, zone))
}

fn is_end_of_summer(fold: &Fold, zone: Option<&Zone>) -> bool {
    let Some(when) = nanos_civil(fold.to) else { return false };
    match zone {
        Some(Zone::Offset(_)) => false,
        Some(Zone::Named(zone)) if !fold.no_year => zone.to_ambiguous_timestamp(when).is_ambiguous(),
        _ => {
            let night = when.hour() < 4 || when.hour() == 23;
            let season = matches!(when.month(), 2..=4 | 9..=11);
            let sunday = matches!(when.weekday(), jiff::civil::Weekday::Sunday | jiff::civil::Weekday::Saturday);
            night && season && (sunday || fold.no_year)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::stamp::civil_seconds;
    use whyline_event::{Origin, Stamp};

    fn watch(times: &[(i64, i64, i64)], day: (i64, i64, i64)) -> (Option<Ends>, Vec<Fold>) {
        let mut watch = Watch::default();
        for (i, time) in times.iter().enumerate() {
            let mut record = Record::new("", Origin { line: i as u64 + 1, ..Origin::default() });
            record.stamp = Stamp::civil(civil_seconds(day, *time).unwrap(), 0, 0);
            watch.record(&record);
        }
        watch.finish()
    }

    const AUTUMN: (i64, i64, i64) = (2026, 10, 25);

    #[test]
    fn the_doubled_hour() {
        let times = [(2, 50, 0), (2, 59, 58), (2, 0, 1), (2, 10, 0), (2, 20, 0), (2, 30, 0), (2, 40, 0), (2, 50, 0), (3, 0, 0)];
        let (ends, folds) = watch(&times, AUTUMN);
        let fold = judge(&folds, &ends.into_iter().collect::<Vec<_>>(), None).unwrap();
        assert_eq!(fold.line, 3);
        assert!(judge(&folds, &[], Some(&Zone::parse("Europe/Zurich").unwrap())).is_some());
        assert!(judge(&folds, &[], Some(&Zone::parse("Asia/Tokyo").unwrap())).is_none());
        assert!(judge(&folds, &[], Some(&Zone::Offset(0))).is_none());
    }

    #[test]
    fn a_straggler_is_no_end_of_summer() {
        let (_, folds) = watch(&[(2, 59, 0), (2, 0, 1), (2, 59, 2), (2, 59, 3)], AUTUMN);
        assert_eq!(folds, []);
    }

    #[test]
    fn a_step_on_another_day_is_none() {
        let (ends, folds) = watch(&[(14, 59, 58), (14, 0, 1), (14, 0, 2)], (2026, 10, 27));
        assert_eq!(judge(&folds, &ends.into_iter().collect::<Vec<_>>(), None), None);
    }

    #[test]
    fn a_step_between_blocks() {
        let (a, _) = watch(&[(2, 10, 0), (2, 59, 0)], AUTUMN);
        let (b, _) = watch(&[(2, 1, 0), (2, 20, 0)], AUTUMN);
        let b = b.map(|b| Ends { line: 3, ..b });
        assert_eq!(judge(&[], &[b.unwrap(), a.unwrap()], None).map(|fold| fold.line), Some(3));
    }
}
