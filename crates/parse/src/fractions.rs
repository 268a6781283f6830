//! In what a source counts durations that are written with a fraction and without a unit.
//!
//! `duration=58.33` is seconds to one logger and milliseconds to the next. One line does not tell; the beginning of a source mostly does: read
//! as seconds its requests would take half a minute each, or hundreds of them would run at once (Little's law: how many are in hand is how
//! often they come times how long they take), or none of them would ever be quick.

use crate::format::{Cx, Format};
use std::sync::Arc;
use whyline_event::stamp::NANOS;
use whyline_event::{Bump, Key, Origin, Record, Value};

/// What a fraction without a unit counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fractions {
    /// Seconds, as most that write a fraction do.
    #[default]
    Seconds,
    /// Milliseconds.
    Millis,
}

/// Fewer such durations say nothing.
const LEAST: usize = 5;
/// So many say also what never occurs.
const MANY: usize = 20;
/// Requests that usually take longer than this many seconds are rare enough not to be believed.
const LONG: f64 = 30.0;
/// Nor are more than this at once in one log, on the average.
const AT_ONCE: f64 = 100.0;

/// Gathers the durations of a head.
#[derive(Debug, Default)]
pub struct Durations {
    /// Those that carry no unit, in nanoseconds if they are seconds.
    bare: Vec<i64>,
    /// The first and last stamp, in nanoseconds.
    span: Option<(i64, i64)>,
}

impl Durations {
    /// Takes a line and what was read of it with fractions as seconds.
    pub fn add(&mut self, arena: &Bump, order: &[Arc<dyn Format>], line: &str, record: &Record<'_>) {
        if let Some(at) = record.stamp.map(|s| s.nanos) {
            let (first, last) = self.span.unwrap_or((at, at));
            self.span = Some((first.min(at), last.max(at)));
        }
        // The columns of access logs are told by `infer`.
        let Some(seconds) = duration(record).filter(|n| *n > 0 && !record.format.ends_with(".access")) else { return };
        // Whatever is another number of nanoseconds when fractions are milliseconds was one without a unit.
        let mut other = Record::new(line, Origin::default());
        let cx = Cx { fractions: Fractions::Millis, ..Cx::new(arena, order) };
        order.iter().find_map(|format| format.read(&cx, line, &mut other));
        if duration(&other).is_some_and(|n| n != seconds) {
            self.bare.push(seconds);
        }
    }

    /// What the fractions of the source count.
    pub fn told(mut self) -> Fractions {
        told(&mut self.bare, self.span.map_or(0, |(first, last)| last.saturating_sub(first)))
    }
}

fn duration(record: &Record<'_>) -> Option<i64> {
    match record.get(Key::Duration) {
        Some(Value::Duration(n)) => Some(n),
        _ => None,
    }
}

/// What durations count that are so many nanoseconds if they are seconds, ended within a `span` of nanoseconds.
fn told(found: &mut [i64], span: i64) -> Fractions {
    found.sort_unstable();
    let Some(middle) = found.get(found.len() / 2).filter(|_| found.len() >= LEAST).map(|n| *n as f64 / NANOS as f64) else {
        return Fractions::Seconds;
    };
    let sum: f64 = found.iter().map(|n| *n as f64).sum();
    let at_once = if span >= NANOS { sum / span as f64 } else { 0.0 };
    // Two digits of a second are a logger of milliseconds that rounds, where nothing at all took less than a tenth of a second.
    let coarse = found.iter().all(|n| n % (NANOS / 100) == 0);
    let never_quick = found.len() >= MANY && coarse && middle < 5.0 && found.first().is_some_and(|least| *least >= NANOS / 10);
    if middle >= LONG || at_once >= AT_ONCE || never_quick { Fractions::Millis } else { Fractions::Seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(list: impl IntoIterator<Item = f64>, span: i64) -> Fractions {
        let mut found: Vec<i64> = list.into_iter().map(|n| (n * 1e9).round() as i64).collect();
        told(&mut found, span * NANOS)
    }

    #[test]
    fn milliseconds_are_told_by_what_seconds_would_mean() {
        let spread = |from: f64, step: f64| (0..40).map(move |i| from + step * f64::from(i));
        // Half a minute and more as a rule.
        assert_eq!(seconds(spread(20.0, 1.37), 3600), Fractions::Millis);
        // 40 requests of 10 to 20 "seconds" within two seconds.
        assert_eq!(seconds(spread(10.123, 0.251), 2), Fractions::Millis);
        // 0.6, 0.7 ... and nothing below a tenth.
        assert_eq!(seconds(spread(0.6, 0.1), 60), Fractions::Millis);
    }

    #[test]
    fn seconds_stay() {
        let spread = |from: f64, step: f64| (0..40).map(move |i| from + step * f64::from(i));
        assert_eq!(seconds(spread(0.003, 0.011), 10), Fractions::Seconds);
        assert_eq!(seconds(spread(0.01, 0.1), 60), Fractions::Seconds);
        // A model that answers after ten seconds, twice a second.
        assert_eq!(seconds(spread(6.123, 0.251), 20), Fractions::Seconds);
        assert_eq!(seconds([58.3, 61.2, 70.9, 44.1], 5), Fractions::Seconds);
    }
}
