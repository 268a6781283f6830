//! Times as people write them on the command line.
//!
//! Logs are read after the fact, so everything that is relative counts from the last event: `now` is when it was written, `-1h` an hour
//! before it, `today` its day. What was taken is told on standard error. Times without a zone are UTC, or in the zone of `--tz`.

use crate::cli::Window;
use crate::exit::usage;
use anyhow::Result;
use jiff::civil::{Date, Time};
use whyline_event::stamp::{NANOS, civil_nanos, rfc3339};
use whyline_event::{Clock, Form, Zone};
use whyline_query::{Amount, Sense};

/// A stretch of time in seconds since 1970 UTC, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// First second.
    pub from: i64,
    /// Last second.
    pub to: i64,
}

impl Stretch {
    /// Whether an instant (in nanoseconds) lies in it. What has no time does not.
    pub fn holds(&self, time: Option<i64>) -> bool {
        time.is_some_and(|t| (self.from..=self.to).contains(&t.div_euclid(NANOS)))
    }
}

/// From what times count.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// The time of the last event, in nanoseconds.
    pub last: i64,
    /// The zone of times that name none.
    pub zone: Option<&'a Zone>,
}

impl Window {
    /// Whether a stretch is asked for at all.
    pub fn asks(&self) -> bool {
        self.since.is_some() || self.until.is_some() || self.around.is_some()
    }

    /// Whether it can only be known once the last event is.
    pub fn counts_from_last(&self) -> bool {
        [&self.since, &self.until, &self.around]
            .into_iter()
            .flatten()
            .any(|text| !matches!(read(text.trim()), Some(When::Fixed(_) | When::Local(..))))
    }
}

/// The stretch that the options mean.
pub fn stretch(window: &Window, base: &Base<'_>) -> Result<Option<Stretch>> {
    if !window.asks() {
        return Ok(None);
    }
    let at = |option: &str, text: &Option<String>| text.as_deref().map(|t| instant(option, t, base)).transpose();
    let stretch = match at("--around", &window.around)? {
        Some(middle) => {
            let half = length(&window.window).ok_or_else(|| {
                usage(format!("--window: `{}` is no length of time; write for instance `90s`, `5m`, `1h30m`", window.window))
            })?;
            Stretch { from: middle - half, to: middle + half }
        }
        None => Stretch {
            from: at("--since", &window.since)?.unwrap_or(i64::MIN / 4),
            to: at("--until", &window.until)?.unwrap_or(i64::MAX / 4),
        },
    };
    if stretch.from > stretch.to {
        let text = |second: i64| rfc3339(second.saturating_mul(NANOS), 0);
        return Err(usage(format!("--since ({}) is later than --until ({})", text(stretch.from), text(stretch.to))));
    }
    if window.counts_from_last() {
        let text = |second: i64| rfc3339(second.saturating_mul(NANOS), 0);
        let from = window.since.is_some() || window.around.is_some();
        let to = window.until.is_some() || window.around.is_some();
        let from = if from { format!(" from {}", text(stretch.from)) } else { String::new() };
        let to = if to { format!(" to {}", text(stretch.to)) } else { String::new() };
        crate::load::note(&format!("note: events{from}{to}; the last one was written at {}", rfc3339(base.last, 0)));
    }
    Ok(Some(stretch))
}

/// A time as it was written.
#[derive(Clone, Debug, PartialEq)]
enum When {
    /// An instant in seconds.
    Fixed(i64),
    /// A date and time of day in the zone of the reader.
    Local(Date, Time),
    /// Seconds before the last event.
    Before(i64),
    /// So many days before that of the last event, at a time of day.
    Day(i64, Time),
    /// A notation of logs; what it leaves open is taken from the last event.
    Written(whyline_event::Stamp),
}

fn instant(option: &str, text: &str, base: &Base<'_>) -> Result<i64> {
    let zone = base.zone.cloned().unwrap_or(Zone::Offset(0));
    let wrong = || {
        usage(format!(
            "{option}: `{text}` is no time; write `2026-11-21T10:00:00Z`, `2026-11-21 10:00`, `21 Nov 10:00`, `10:00` (on the day of the last event), \
             `-1h` or `1h ago` (before the last event), `yesterday 14:00`, `today 09:30`, `now` or `@1795255001`"
        ))
    };
    let local = |date: Date, time: Time| civil_nanos(date.to_datetime(time)).map(|civil| zone.to_utc(civil).div_euclid(NANOS));
    let found = match read(text.trim()).ok_or_else(wrong)? {
        When::Fixed(second) => Some(second),
        When::Local(date, time) => local(date, time),
        When::Before(seconds) => base.last.div_euclid(NANOS).checked_sub(seconds),
        When::Day(back, time) => {
            let today = day_of(base.last, &zone);
            today.and_then(|d| d.checked_sub(jiff::Span::new().try_days(back).ok()?).ok()).and_then(|date| local(date, time))
        }
        When::Written(stamp) => {
            // A day without its year is the last one that the logs can speak of: a clock takes what lies up to two months ahead.
            let near = if stamp.form == Form::NoYear { base.last.saturating_sub(60 * 86_400 * NANOS) } else { base.last };
            let clock = Clock { near: Some(near), zone, ..Clock::default() };
            Some(clock.instant(&stamp).div_euclid(NANOS))
        }
    };
    found.ok_or_else(wrong)
}

/// The day of an instant in a zone.
fn day_of(nanos: i64, zone: &Zone) -> Option<Date> {
    let at = jiff::Timestamp::from_nanosecond(i128::from(nanos)).ok()?;
    Some(match zone {
        Zone::Offset(seconds) => jiff::tz::Offset::from_seconds(*seconds).ok()?.to_datetime(at).date(),
        Zone::Named(zone) => at.to_zoned(zone.clone()).date(),
    })
}

fn read(text: &str) -> Option<When> {
    if let Some(epoch) = text.strip_prefix('@') {
        return epoch_seconds(epoch).map(When::Fixed);
    }
    if text.eq_ignore_ascii_case("now") {
        return Some(When::Before(0));
    }
    if let Some(back) = text.strip_prefix('-').or_else(|| text.strip_suffix(" ago")) {
        return length(back).map(When::Before);
    }
    let (first, rest) = text.split_once([' ', 'T', 't']).unwrap_or((text, ""));
    let clock = |rest: &str| if rest.trim().is_empty() { Some(Time::midnight()) } else { time_of_day(rest.trim()) };
    for (word, back) in [("today", 0), ("yesterday", 1)] {
        if let Some(rest) = text.get(..word.len()).filter(|t| t.eq_ignore_ascii_case(word)).and(text.get(word.len()..)) {
            return clock(rest).map(|time| When::Day(back, time));
        }
    }
    if let Some(time) = time_of_day(text) {
        return Some(When::Day(0, time));
    }
    if first.len() == 10
        && let Ok(date) = first.parse::<Date>()
    {
        if let Some(time) = clock(rest) {
            return Some(When::Local(date, time));
        }
        if let Ok(at) = text.replacen(' ', "T", 1).replace(' ', "").parse::<jiff::Timestamp>() {
            return Some(When::Fixed(at.as_second().saturating_sub(i64::from(at.subsec_nanosecond() < 0))));
        }
    }
    written(text).map(When::Written)
}

/// A notation of logs. Seconds that are left out are nought, as in `21 Nov 10:00`; a day may stand before its month.
fn written(text: &str) -> Option<whyline_event::Stamp> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if words.len() >= 2
        && words[0].len() <= 2
        && words[0].bytes().all(|b| b.is_ascii_digit())
        && words[1].bytes().all(|b| b.is_ascii_alphabetic())
    {
        words.swap(0, 1);
    }
    // `Nov 21 2026 10:00`: a date with a year, in any of its notations.
    if words.len() >= 3
        && words[2].len() == 4
        && let (Ok(year), Ok(day), Some(month)) = (words[2].parse::<i16>(), words[1].parse::<i8>(), month(words[0]))
    {
        let time = if words.len() == 3 { Some(Time::midnight()) } else { time_of_day(&words[3..].concat()) };
        let civil = civil_nanos(Date::new(year, month, day).ok()?.to_datetime(time?))?;
        return whyline_event::Stamp::civil(civil.div_euclid(NANOS), 0, 0);
    }
    let day = words.get(1).map(|d| format!("{d:0>2}"));
    let clock = match words.len() {
        2 => Some("00:00:00".to_string()),
        3 => time_of_day(words[2]).map(|t| t.strftime("%H:%M:%S").to_string()),
        _ => None,
    };
    let short = words.first().zip(day).zip(clock).map(|((name, day), clock)| format!("{} {day} {clock}", title(name)));
    [Some(text.to_string()), short].into_iter().flatten().find_map(|text| {
        let (stamp, used) = whyline_parse::stamp::prefix(&text)?;
        (used == text.len()).then_some(stamp)
    })
}

/// The month that a word names, as `Nov` or `November`.
fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let short = word.get(..3)?.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, name)| *name == short).map(|(number, _)| number)
}

/// `Nov` of `november`.
fn title(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars.take(2).map(|c| c.to_ascii_lowercase())).collect()
}

/// `10:00`, `9:30`, `10:00:05`, `10:00:05.250`.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "0"));
    let (second, part) = second.split_once(['.', ',']).unwrap_or((second, "0"));
    let number = |text: &str, most: usize| {
        let plain = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse::<i8>().ok()).flatten()
    };
    if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) || minute.len() != 2 {
        return None;
    }
    Time::new(number(hour, 2)?, number(minute, 2)?, number(second, 2)?, 0).ok()
}

/// Seconds since 1970, or milli-, micro- or nanoseconds where the number is too large for seconds.
fn epoch_seconds(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let unit = match number.unsigned_abs() {
        0..100_000_000_000 => 1,
        100_000_000_000..100_000_000_000_000 => 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000_000,
        _ => 1_000_000_000,
    };
    Some(number.div_euclid(unit))
}

/// A length of time in seconds: `90s`, `1h30m`, `2 days`, `1 week`.
fn length(text: &str) -> Option<i64> {
    const WORDS: &[(&str, &str)] = &[
        ("seconds", "s"),
        ("second", "s"),
        ("secs", "s"),
        ("minutes", "m"),
        ("minute", "m"),
        ("mins", "m"),
        ("hours", "h"),
        ("hour", "h"),
        ("days", "d"),
        ("day", "d"),
    ];
    let mut text = text.split_whitespace().collect::<String>();
    for (word, unit) in WORDS {
        text = text.replace(word, unit);
    }
    let weeks = ["weeks", "week", "w"].into_iter().find_map(|word| text.strip_suffix(word)?.parse::<i64>().ok());
    if let Some(weeks) = weeks {
        return weeks.checked_mul(7 * 86_400);
    }
    if !text.ends_with(|c: char| c.is_alphabetic()) {
        return None;
    }
    match Amount::parse(&text, Sense::Duration) {
        Some(Amount::Nanos(ns)) => Some(ns / NANOS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T10:30:00Z, a Saturday.
    const LAST: i64 = 1_795_257_000 * NANOS;

    fn at(text: &str, zone: &str) -> String {
        let zone = Zone::parse(zone).unwrap();
        match instant("--since", text, &Base { last: LAST, zone: Some(&zone) }) {
            Ok(second) => rfc3339(second * NANOS, 0),
            Err(error) => error.to_string().chars().take(30).collect(),
        }
    }

    #[test]
    fn forms() {
        for (text, want) in [
            ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
            ("2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00Z"),
            ("2026-11-21 10:00:00.250 +01:00", "2026-11-21T09:00:00Z"),
            ("2026-11-21t10:00:00z", "2026-11-21T10:00:00Z"),
            ("2026-11-21 10:00", "2026-11-21T10:00:00Z"),
            ("2026-11-21T10:00:05", "2026-11-21T10:00:05Z"),
            ("2026-11-21", "2026-11-21T00:00:00Z"),
            ("10:00", "2026-11-21T10:00:00Z"),
            ("9:05:07", "2026-11-21T09:05:07Z"),
            ("21 Nov 10:00", "2026-11-21T10:00:00Z"),
            ("Nov 21 10:00:30", "2026-11-21T10:00:30Z"),
            ("3 nov 10:00", "2026-11-03T10:00:00Z"),
            ("31 Dec", "2025-12-31T00:00:00Z"),
            ("21 Nov 2025 10:00", "2025-11-21T10:00:00Z"),
            ("21 November 2025", "2025-11-21T00:00:00Z"),
            ("21/Nov/2026:10:00:00 +0100", "2026-11-21T09:00:00Z"),
            ("-1h", "2026-11-21T09:30:00Z"),
            ("1h30m ago", "2026-11-21T09:00:00Z"),
            ("2 days ago", "2026-11-19T10:30:00Z"),
            ("1 week ago", "2026-11-14T10:30:00Z"),
            ("-90s", "2026-11-21T10:28:30Z"),
            ("now", "2026-11-21T10:30:00Z"),
            ("today", "2026-11-21T00:00:00Z"),
            ("today 09:30", "2026-11-21T09:30:00Z"),
            ("Yesterday 14:00", "2026-11-20T14:00:00Z"),
            ("@1795255001", "2026-11-21T09:56:41Z"),
            ("@1795255001999", "2026-11-21T09:56:41Z"),
            ("@1795255001.5", "2026-11-21T09:56:41Z"),
        ] {
            assert_eq!(at(text, "UTC"), want, "{text}");
        }
        for text in
            ["", "later", "25:00", "2026-13-01", "-1x", "-5", "1 ago", "@", "@x", "10", "21 Foo 10:00", "yesterday 99:00", "@1.", "10:0"]
        {
            assert!(at(text, "UTC").starts_with("--since: `"), "{text}: {}", at(text, "UTC"));
        }
    }

    #[test]
    fn in_a_zone() {
        for (text, want) in [
            ("2026-11-21 10:00", "2026-11-21T09:00:00Z"),
            ("2026-07-01 10:00", "2026-07-01T08:00:00Z"),
            ("10:00", "2026-11-21T09:00:00Z"),
            ("21 Nov 10:00", "2026-11-21T09:00:00Z"),
            ("yesterday 00:30", "2026-11-19T23:30:00Z"),
            ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
        ] {
            assert_eq!(at(text, "Europe/Zurich"), want, "{text}");
        }
    }

    #[test]
    fn stretches() {
        let base = Base { last: LAST, zone: None };
        let window = |since: Option<&str>, until: Option<&str>, around: Option<&str>| Window {
            since: since.map(String::from),
            until: until.map(String::from),
            around: around.map(String::from),
            window: "5m".into(),
        };
        let second = LAST / NANOS;
        assert_eq!(stretch(&window(None, None, None), &base).unwrap(), None);
        let around = stretch(&window(None, None, Some("now")), &base).unwrap();
        assert_eq!(around, Some(Stretch { from: second - 300, to: second + 300 }));
        assert!(stretch(&window(Some("now"), Some("-1h"), None), &base).is_err());
        for (text, from_last) in [("2026-11-21 10:00", false), ("@5", false), ("10:00", true), ("-1h", true), ("Nov 21 10:00:00", true)] {
            assert_eq!(window(Some(text), None, None).counts_from_last(), from_last, "{text}");
        }
    }
}
