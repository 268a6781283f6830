//! Time stamps whose notation was told, in the letters of `strptime`.

use jiff::Timestamp;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;
use whyline_event::stamp::civil_nanos;
use whyline_event::{Form, Stamp};

/// A notation of time stamps.
#[derive(Clone, Debug)]
pub struct Stamps(String);

impl Stamps {
    /// A notation; the error says what is wrong with it. A time is written in it and read again, so that what passes can be read.
    pub fn new(notation: &str) -> Result<Stamps, String> {
        // A day after the twelfth, an hour after noon, a fraction: nothing that could stand for something else.
        let sample = Timestamp::from_nanosecond(1_795_292_467_123_000_000).map_err(|e| e.to_string())?.to_zoned(TimeZone::UTC);
        let written = strtime::format(notation, &sample).map_err(|e| e.to_string())?;
        let stamps = Stamps(notation.to_string());
        match BrokenDownTime::parse(notation, &written) {
            Err(error) => Err(error.to_string()),
            Ok(_) if stamps.read(&written).is_none() => Err("it has no time of day, or half of a date".into()),
            Ok(_) => Ok(stamps),
        }
    }

    /// The stamp that a text spells, all of it.
    pub fn read(&self, text: &str) -> Option<Stamp> {
        let mut parts = BrokenDownTime::parse(&self.0, text).ok()?;
        let digits = digits(text, &parts);
        if parts.timestamp().is_some() || parts.offset().is_some() && parts.year().is_some() {
            let nanos = i64::try_from(parts.to_timestamp().ok()?.as_nanosecond()).ok()?;
            let offset = parts.offset().map_or(0, |o| o.seconds());
            return Some(Stamp { nanos, form: Form::Explicit, offset: Some(offset), digits });
        }
        parts.hour()?;
        let has_date = parts.month().is_some() || parts.day().is_some() || parts.day_of_year().is_some();
        let form = match (parts.year().is_some(), has_date) {
            (true, _) => Form::Civil,
            (false, true) => Form::NoYear,
            (false, false) => Form::TimeOnly,
        };
        if form == Form::NoYear {
            parts.set_year(Some(1972)).ok()?;
            // The day of the week is that of another year.
            parts.set_weekday(None);
        }
        if form == Form::TimeOnly {
            let time = parts.to_time().ok()?;
            let nanos = civil_nanos(jiff::civil::date(1970, 1, 1).to_datetime(time))?;
            return Some(Stamp { nanos, form, offset: None, digits });
        }
        Some(Stamp { nanos: civil_nanos(parts.to_datetime().ok()?)?, form, offset: None, digits })
    }
}

/// How many digits of the second's fraction were written.
fn digits(text: &str, parts: &BrokenDownTime) -> u8 {
    if parts.subsec_nanosecond().is_none() {
        return 0;
    }
    let after = text.rsplit(['.', ',', ':']).next().unwrap_or("");
    after.bytes().take_while(u8::is_ascii_digit).count().min(9) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Clock;
    use whyline_event::stamp::rfc3339;

    #[test]
    fn notations() {
        for (notation, text, want, form) in [
            ("%d/%m/%Y %H:%M:%S", "05/11/2026 20:31:07", "2026-11-05T20:31:07Z", Form::Civil),
            ("%m/%d/%y %I:%M:%S %p", "11/05/26 08:31:07 PM", "2026-11-05T20:31:07Z", Form::Civil),
            ("%Y%m%d%H%M%S,%f", "20261105203107,250", "2026-11-05T20:31:07.250Z", Form::Civil),
            ("%Y-%m-%d %H:%M:%S%.f %z", "2026-11-05 20:31:07.5 +0100", "2026-11-05T19:31:07.5Z", Form::Explicit),
            ("%s", "1795292467", "2026-11-21T20:21:07Z", Form::Explicit),
            ("%d.%m. %H:%M:%S", "05.01. 00:00:09", "1970-01-05T00:00:09Z", Form::NoYear),
            ("%Hh%M", "20h31", "1970-01-01T20:31:00Z", Form::TimeOnly),
        ] {
            let stamp = Stamps::new(notation).unwrap().read(text).unwrap_or_else(|| panic!("{notation} {text}"));
            let clock = Clock { near: Some(43_200_000_000_000), ..Clock::default() };
            assert_eq!((rfc3339(clock.instant(&stamp), stamp.digits).as_str(), stamp.form), (want, form), "{notation}");
        }
        assert!(Stamps::new("%d/%m/%Y %H:%M:%S").unwrap().read("31/02/2026 10:00:00").is_none());
        assert!(Stamps::new("%d/%m/%Y %H:%M:%S").unwrap().read("01/02/2026 10:00:00 x").is_none());
    }

    #[test]
    fn notations_that_are_none() {
        for no in ["%", "%!", "%Y-%m-%d", "%K:%M", "no letters"] {
            assert!(Stamps::new(no).is_err(), "{no}");
        }
    }
}
