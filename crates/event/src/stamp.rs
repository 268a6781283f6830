//! Time stamps: as written, and as understood once zone and year of their source are known.
//!
//! A stamp is kept as it was written. What is learnt about a source (zone, year, clock) is a [`Clock`], kept beside it and
//! applied on reading; so a later run may revise it without touching what was stored.

use jiff::Timestamp;
use jiff::civil;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::{Offset, TimeZone};

/// Nanoseconds in a second.
pub const NANOS: i64 = 1_000_000_000;

/// What a written stamp leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Form {
    /// Nothing: it carries an offset (or is an epoch number). `nanos` is UTC.
    Explicit,
    /// The zone. `nanos` counts the civil (wall-clock) time as if it were UTC.
    Civil,
    /// Zone and year (RFC 3164). `nanos` counts the civil time in the leap year 1972.
    NoYear,
    /// Zone and date. `nanos` counts from midnight.
    TimeOnly,
    /// As [`Form::Civil`], written after the clocks of its source were set back at the end of summer time: of the two readings
    /// of a doubled hour the later one.
    CivilLater,
    /// As [`Form::NoYear`], in the same sense.
    NoYearLater,
}

impl Form {
    /// The form of the same stamp after the clocks were set back; explicit stamps and times of day stay what they are.
    pub fn later(self) -> Form {
        match self {
            Form::Civil => Form::CivilLater,
            Form::NoYear => Form::NoYearLater,
            other => other,
        }
    }
}

/// A time stamp as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Nanoseconds since 1970-01-01T00:00:00, in the sense that `form` gives.
    pub nanos: i64,
    /// What is left open.
    pub form: Form,
    /// Offset from UTC in seconds where the stamp carries one.
    pub offset: Option<i32>,
    /// Number of digits written after the second (0 to 9).
    pub digits: u8,
}

impl Stamp {
    /// A stamp in UTC.
    pub fn explicit(nanos: i64, offset: i32, digits: u8) -> Self {
        Stamp { nanos, form: Form::Explicit, offset: Some(offset), digits: digits.min(9) }
    }

    /// A stamp without zone, of a civil time as [`civil_seconds`] counts it.
    pub fn civil(seconds: i64, subsec_nanos: i64, digits: u8) -> Option<Self> {
        Some(Stamp { nanos: at(seconds, subsec_nanos)?, form: Form::Civil, offset: None, digits: digits.min(9) })
    }

    /// A stamp with an offset in seconds, of a civil time as [`civil_seconds`] counts it.
    pub fn with_offset(seconds: i64, subsec_nanos: i64, offset: i32, digits: u8) -> Option<Self> {
        let nanos = at(seconds - i64::from(offset), subsec_nanos)?;
        Some(Stamp { nanos, form: Form::Explicit, offset: Some(offset), digits: digits.min(9) })
    }

    /// A stamp without year and zone. `None` when there is no such day.
    pub fn no_year(month: i64, day: i64, clock: (i64, i64, i64), subsec_nanos: i64, digits: u8) -> Option<Self> {
        let seconds = civil_seconds((1972, month, day), clock)?;
        Some(Stamp { nanos: at(seconds, subsec_nanos)?, form: Form::NoYear, offset: None, digits: digits.min(9) })
    }

    /// The civil time as written, if the stamp is local.
    pub fn written(&self) -> Option<civil::DateTime> {
        match self.form {
            Form::Explicit => None,
            _ => nanos_civil(self.nanos),
        }
    }
}

fn at(seconds: i64, subsec_nanos: i64) -> Option<i64> {
    seconds.checked_mul(NANOS)?.checked_add(subsec_nanos)
}

/// Seconds of a civil time (year, month, day; hour, minute, second) since 1970, counted as if it were UTC. A leap second is read
/// as the last second of its minute. `None` for what no calendar has, and outside of the years 1678 to 2261.
///
/// Days are counted as in Howard Hinnant's `days_from_civil` ("chrono-Compatible Low-Level Date Algorithms").
pub fn civil_seconds((year, month, day): (i64, i64, i64), (hour, minute, second): (i64, i64, i64)) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let of_day = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..61).contains(&second);
    if !(1678..2262).contains(&year) || day < 1 || day > last || !of_day {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y / 400;
    let of_era = y - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second.min(59))
}

/// Nanoseconds of a civil time counted as if it were UTC. `None` outside of the years 1678 to 2261.
pub fn civil_nanos(when: civil::DateTime) -> Option<i64> {
    let stamp = Offset::UTC.to_timestamp(when).ok()?;
    i64::try_from(stamp.as_nanosecond()).ok()
}

/// The inverse of [`civil_nanos`].
pub fn nanos_civil(nanos: i64) -> Option<civil::DateTime> {
    Some(Offset::UTC.to_datetime(Timestamp::from_nanosecond(i128::from(nanos)).ok()?))
}

/// How the time of a record was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The stamp says everything.
    Explicit,
    /// The zone was assumed (option, agreement with neighbours, or UTC).
    ZoneAssumed,
    /// The year (and mostly the zone) was inferred.
    YearInferred,
    /// Taken from the record before.
    Inherited,
}

impl Basis {
    /// The word in `time.basis`.
    pub fn as_str(self) -> &'static str {
        match self {
            Basis::Explicit => "explicit",
            Basis::ZoneAssumed => "zone-assumed",
            Basis::YearInferred => "year-inferred",
            Basis::Inherited => "inherited",
        }
    }
}

/// The zone of a source's local stamps.
#[derive(Clone, Debug, PartialEq)]
pub enum Zone {
    /// A fixed offset from UTC, in seconds.
    Offset(i32),
    /// A zone of the IANA database, with its summer times.
    Named(TimeZone),
}

impl Zone {
    /// Reads `UTC`, `+01:00`, `-0330`, `Europe/Zurich`. `None` when the name is unknown.
    pub fn parse(text: &str) -> Option<Zone> {
        if text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("gmt") {
            return Some(Zone::Offset(0));
        }
        if let Some(sign) = text.strip_prefix(['+', '-']) {
            let digits: String = sign.chars().filter(|c| *c != ':').collect();
            if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let (hours, minutes): (i32, i32) = match digits.len() {
                1 | 2 => (digits.parse().ok()?, 0),
                _ => (digits[..digits.len() - 2].parse().ok()?, digits[digits.len() - 2..].parse().ok()?),
            };
            if hours > 18 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            return Some(Zone::Offset(if text.starts_with('-') { -seconds } else { seconds }));
        }
        TimeZone::get(text).ok().map(Zone::Named)
    }

    /// UTC nanoseconds of a civil time. A time in the doubled hour takes the earlier reading, one in the gap is moved
    /// forward (RFC 5545).
    pub fn to_utc(&self, civil_nanos: i64) -> i64 {
        match self {
            Zone::Offset(seconds) => civil_nanos.saturating_sub(i64::from(*seconds) * NANOS),
            Zone::Named(zone) => nanos_civil(civil_nanos)
                .and_then(|when| zone.to_ambiguous_timestamp(when).compatible().ok())
                .and_then(|t| i64::try_from(t.as_nanosecond()).ok())
                .unwrap_or(civil_nanos),
        }
    }

    /// The same of a time that was written after the clocks were set back: in the doubled hour the later reading. A fixed offset
    /// is the one that held before, so an hour is added.
    pub fn to_utc_later(&self, civil_nanos: i64) -> i64 {
        match self {
            Zone::Offset(_) => self.to_utc(civil_nanos).saturating_add(3600 * NANOS),
            Zone::Named(zone) => nanos_civil(civil_nanos)
                .and_then(|when| zone.to_ambiguous_timestamp(when).later().ok())
                .and_then(|t| i64::try_from(t.as_nanosecond()).ok())
                .unwrap_or(civil_nanos),
        }
    }

    /// The zone as the report writes it: `UTC`, `+01:00`, `Europe/Zurich`.
    pub fn label(&self) -> String {
        match self {
            Zone::Offset(0) => "UTC".into(),
            Zone::Offset(seconds) => offset_label(*seconds),
            Zone::Named(zone) => zone.iana_name().unwrap_or("local").to_string(),
        }
    }
}

/// `+01:00` for 3600.
pub fn offset_label(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// What is known about the clock of a source: makes an instant of a stamp.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// Zone of local stamps.
    pub zone: Zone,
    /// For stamps without year: an instant (UTC nanoseconds) that the true time is near to; the year is chosen so that the
    /// time lies within ten months before it or two months behind.
    pub near: Option<i64>,
    /// How far the clock of the machine is ahead of the bundle's agreed time, in nanoseconds, as measured by requests that it
    /// and a neighbour both logged. Applied in comparison only ([`Clock::agreed`]), never to the shown stamp.
    pub ahead: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { zone: Zone::Offset(0), near: None, ahead: 0 }
    }
}

/// 29 February, in days from the beginning of its year.
const FEBRUARY_29: i64 = 59;
/// Nanoseconds of a day.
const DAY: i64 = 86_400 * NANOS;

impl Stamp {
    /// Whether it is 29 February of a year that it does not name: of one that has this day.
    pub fn is_leap_day(&self) -> bool {
        matches!(self.form, Form::NoYear | Form::NoYearLater) && self.nanos.div_euclid(DAY) - first_day(1972) == FEBRUARY_29
    }
}

impl Clock {
    /// The instant, in UTC nanoseconds.
    pub fn instant(&self, stamp: &Stamp) -> i64 {
        match stamp.form {
            Form::Explicit => stamp.nanos,
            Form::Civil => self.zone.to_utc(stamp.nanos),
            Form::NoYear => self.zone.to_utc(self.with_year(stamp.nanos)),
            Form::CivilLater => self.zone.to_utc_later(stamp.nanos),
            Form::NoYearLater => self.zone.to_utc_later(self.with_year(stamp.nanos)),
            Form::TimeOnly => {
                let near = self.near.unwrap_or(0);
                let base = (near.div_euclid(DAY) * DAY).saturating_add(stamp.nanos);
                let days = [-1, 0, 1].into_iter().map(|d| self.zone.to_utc(base.saturating_add(d * DAY)));
                days.min_by_key(|t| t.saturating_sub(near).saturating_abs()).unwrap_or(base)
            }
        }
    }

    /// The instant on the bundle's agreed clock, for comparison with other machines.
    pub fn agreed(&self, stamp: &Stamp) -> i64 {
        self.instant(stamp).saturating_sub(self.ahead)
    }

    /// How the instant was known.
    pub fn basis(&self, stamp: &Stamp) -> Basis {
        match stamp.form {
            Form::Explicit => Basis::Explicit,
            Form::Civil | Form::CivilLater => Basis::ZoneAssumed,
            Form::NoYear | Form::NoYearLater | Form::TimeOnly => Basis::YearInferred,
        }
    }

    fn with_year(&self, nanos_1972: i64) -> i64 {
        let near = self.near.unwrap_or(0);
        let (day, time) = (nanos_1972.div_euclid(DAY) - first_day(1972), nanos_1972.rem_euclid(DAY));
        let near_year = year_of_day(near.div_euclid(DAY));
        let mut best = None;
        // 29 February names its year: the nearest that has one, at most eight years off (1896 and 1904).
        let (reach, is_leap_day) = if day == FEBRUARY_29 { (8, true) } else { (1, false) };
        for year in near_year - reach..=near_year + reach {
            if is_leap_day && !is_leap(year) {
                continue;
            }
            let earlier = i64::from(day > FEBRUARY_29 && !is_leap(year));
            let Some(nanos) = (first_day(year) + day - earlier).checked_mul(DAY).and_then(|of_day| of_day.checked_add(time)) else {
                continue;
            };
            // What is known is mostly the end of something: a log lies rather before it than behind. Two months ahead count
            // as much as ten back.
            let distance = nanos.abs_diff(near).saturating_mul(if nanos > near { 5 } else { 1 });
            if best.is_none_or(|(d, _)| distance < d) {
                best = Some((distance, nanos));
            }
        }
        best.map_or(nanos_1972, |(_, nanos)| nanos)
    }
}

/// The first day of a year of the Gregorian calendar, in days from 1970-01-01.
fn first_day(year: i64) -> i64 {
    let before = year - 1;
    before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162
}

fn is_leap(year: i64) -> bool {
    first_day(year + 1) - first_day(year) == 366
}

/// The year in which a day lies, counted from 1970-01-01.
fn year_of_day(day: i64) -> i64 {
    // 400 years have 146,097 days; the estimate is off by one at most.
    let year = 1970 + (day * 400).div_euclid(146_097);
    if day < first_day(year) {
        year - 1
    } else if day >= first_day(year + 1) {
        year + 1
    } else {
        year
    }
}

/// An instant as RFC 3339 in UTC, with so many digits after the second, nine at most.
pub fn rfc3339(nanos: i64, digits: u8) -> String {
    let printer = DateTimePrinter::new().precision(Some(digits.min(9)));
    let instant = Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::UNIX_EPOCH);
    printer.timestamp_to_string(&instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        assert_eq!(Zone::parse("+01:00"), Some(Zone::Offset(3600)));
        assert_eq!(Zone::parse("-0330"), Some(Zone::Offset(-12600)));
        assert_eq!(Zone::parse("Mars/Olympus"), None);
        let zurich = Zone::parse("Europe/Zurich").unwrap();
        let summer = civil_nanos(civil::date(2026, 7, 1).at(12, 0, 0, 0)).unwrap();
        assert_eq!(rfc3339(zurich.to_utc(summer), 0), "2026-07-01T10:00:00Z");
    }

    #[test]
    fn the_year_nearest_to_what_is_known() {
        let near = civil_nanos(civil::date(2027, 1, 2).at(0, 0, 0, 0)).unwrap();
        let clock = Clock { near: Some(near), ..Clock::default() };
        let december = Stamp::no_year(12, 31, (23, 59, 58), 0, 0).unwrap();
        assert_eq!(rfc3339(clock.instant(&december), 0), "2026-12-31T23:59:58Z");
        let march = Stamp::no_year(3, 20, (0, 0, 0), 0, 0).unwrap();
        assert_eq!(rfc3339(clock.instant(&march), 0), "2026-03-20T00:00:00Z");
        let january = Stamp::no_year(1, 1, (0, 0, 1), 0, 0).unwrap();
        assert_eq!(rfc3339(clock.instant(&january), 3), "2027-01-01T00:00:01.000Z");
    }

    #[test]
    fn a_leap_day_is_one_of_a_leap_year() {
        let day = Stamp::no_year(2, 29, (10, 0, 0), 0, 0).unwrap();
        for (near, want) in [
            (civil::date(2026, 11, 21), "2024-02-29T10:00:00Z"),
            (civil::date(2028, 2, 28), "2028-02-29T10:00:00Z"),
            (civil::date(2027, 12, 1), "2028-02-29T10:00:00Z"),
            (civil::date(2024, 3, 1), "2024-02-29T10:00:00Z"),
            (civil::date(2100, 6, 1), "2096-02-29T10:00:00Z"),
        ] {
            let clock = Clock { near: civil_nanos(near.at(0, 0, 0, 0)), ..Clock::default() };
            assert_eq!(rfc3339(clock.instant(&day), 0), want, "{near}");
        }
        assert!(day.is_leap_day());
        assert!(!Stamp::no_year(3, 1, (0, 0, 0), 0, 0).unwrap().is_leap_day());
        assert!(!Stamp::no_year(2, 28, (23, 59, 59), 0, 0).unwrap().is_leap_day());
    }

    /// The year of a stamp, by the calendar.
    fn with_year_by_calendar(near: i64, nanos_1972: i64) -> i64 {
        let (when, near_year) = (nanos_civil(nanos_1972).unwrap(), nanos_civil(near).unwrap().year());
        let reach = if (when.month(), when.day()) == (2, 29) { 8 } else { 1 };
        let moved = (near_year - reach..=near_year + reach).filter_map(|year| civil_nanos(when.with().year(year).build().ok()?));
        moved.min_by_key(|nanos| nanos.abs_diff(near).saturating_mul(if *nanos > near { 5 } else { 1 })).unwrap_or(nanos_1972)
    }

    proptest::proptest! {
        #[test]
        fn years_are_those_of_the_calendar(near in -8 * NANOS * NANOS..8 * NANOS * NANOS, day in 0i64..366, time in 0i64..86_400 * NANOS) {
            let nanos_1972 = (731 - 1 + day) * 86_400 * NANOS + time;
            let clock = Clock { near: Some(near), ..Clock::default() };
            proptest::prop_assert_eq!(nanos_civil(nanos_1972).unwrap().year(), 1972);
            proptest::prop_assert_eq!(clock.with_year(nanos_1972), with_year_by_calendar(near, nanos_1972));
        }
    }

    proptest::proptest! {
        /// What stands behind the digits that were written is left off, never rounded.
        #[test]
        fn instants_are_printed_with_their_digits(nanos in proptest::prelude::any::<i64>(), digits in 0u8..12) {
            let when = nanos_civil(nanos).unwrap();
            let second = format!("{}T{:02}:{:02}:{:02}", when.date(), when.hour(), when.minute(), when.second());
            let fraction = format!(".{:09}", when.subsec_nanosecond());
            let fraction = if digits == 0 { "" } else { &fraction[..1 + usize::from(digits.min(9))] };
            proptest::prop_assert_eq!(rfc3339(nanos, digits), format!("{second}{fraction}Z"));
        }
    }
}
