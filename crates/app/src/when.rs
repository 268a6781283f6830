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

/// A stretch of time in nanoseconds since 1970 UTC, both ends included. An end that was written without a fraction takes its whole second in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// First instant.
    pub from: i64,
    /// Last instant.
    pub to: i64,
}

impl Stretch {
    /// Whether an instant (in nanoseconds) lies in it. What has no time does not.
    pub fn holds(&self, time: Option<i64>) -> bool {
        time.is_some_and(|t| (self.from..=self.to).contains(&t))
    }
}

/// From what times count.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// The time of the last event, in nanoseconds; nothing where no event has a time.
    pub last: Option<i64>,
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
    let (from, to, fraction) = match at("--around", &window.around)? {
        Some(middle) => {
            let half = length(&window.window).ok_or_else(|| {
                usage(format!("--window: `{}` is no length of time; write for instance `90s`, `5m`, `1h30m`, `200ms`", window.window))
            })?;
            let fraction = [&window.around, &Some(window.window.clone())].into_iter().flatten().any(|text| has_fraction(text));
            (middle.saturating_sub(half), middle.saturating_add(half), fraction)
        }
        None => (
            at("--since", &window.since)?.unwrap_or(i64::MIN),
            at("--until", &window.until)?.unwrap_or(i64::MAX),
            window.until.as_ref().is_some_and(|text| has_fraction(text)),
        ),
    };
    // A second that is named is meant as a whole.
    let to = if to.rem_euclid(NANOS) == 0 && !fraction { to.saturating_add(NANOS - 1) } else { to };
    if from > to {
        return Err(usage(format!("--since ({}) is later than --until ({})", shown(from), shown(to))));
    }
    if window.counts_from_last()
        && let Some(last) = base.last
    {
        let begins = window.since.is_some() || window.around.is_some();
        let ends = window.until.is_some() || window.around.is_some();
        let first = if begins { format!(" from {}", shown(from)) } else { String::new() };
        let end = if ends { format!(" to {}", shown(to)) } else { String::new() };
        crate::load::note(&format!("note: events{first}{end}; the last one was written at {}", rfc3339(last, 0)));
    }
    Ok(Some(Stretch { from, to }))
}

/// An instant for people: milliseconds only where there are any, and where they do not merely say that a second is meant as a whole.
fn shown(nanos: i64) -> String {
    let part = nanos.rem_euclid(NANOS);
    rfc3339(nanos, if part == 0 || part == NANOS - 1 { 0 } else { 3 })
}

/// Whether parts of a second are written out.
fn has_fraction(text: &str) -> bool {
    text.contains(['.', ',']) || ["ms", "us", "µs", "ns"].iter().any(|unit| text.trim_end_matches(" ago").ends_with(unit))
}

/// A time as it was written.
#[derive(Clone, Debug, PartialEq)]
enum When {
    /// An instant in nanoseconds.
    Fixed(i64),
    /// A date and time of day in the zone of the reader.
    Local(Date, Time),
    /// Nanoseconds before the last event.
    Before(i64),
    /// So many days before that of the last event, at a time of day.
    Day(i64, Time),
    /// A notation of logs; what it leaves open is taken from the last event.
    Written(whyline_event::Stamp),
}

/// The instant that an option means, in nanoseconds since 1970 UTC.
pub fn instant(option: &str, text: &str, base: &Base<'_>) -> Result<i64> {
    let zone = base.zone.cloned().unwrap_or(Zone::Offset(0));
    let wrong = || {
        usage(format!(
            "{option}: `{text}` is no time; write `2026-11-21T10:00:00Z`, `2026-11-21 10:00`, `21 Nov 10:00`, `10:00` (on the day of the last event), \
             `-1h` or `1h ago` (before the last event), `yesterday 14:00`, `today 09:30`, `now` or `@1795255001`"
        ))
    };
    let local = |date: Date, time: Time| civil_nanos(date.to_datetime(time)).map(|civil| zone.to_utc(civil));
    let last = || base.last.ok_or_else(|| usage(format!("{option}: `{text}` counts from the last event, but no event here has a time")));
    let found = match read(text.trim()).ok_or_else(wrong)? {
        When::Fixed(nanos) => Some(nanos),
        When::Local(date, time) => local(date, time),
        When::Before(nanos) => last()?.checked_sub(nanos),
        When::Day(back, time) => {
            let today = day_of(last()?, &zone);
            today.and_then(|d| d.checked_sub(jiff::Span::new().try_days(back).ok()?).ok()).and_then(|date| local(date, time))
        }
        When::Written(stamp) => {
            // A day without its year is the last one that the logs can speak of: a clock takes what lies up to two months ahead.
            let near = match (stamp.form, base.last) {
                (Form::Explicit, last) => last,
                (Form::NoYear, _) => Some(last()?.saturating_sub(60 * 86_400 * NANOS)),
                _ => Some(last()?),
            };
            let clock = Clock { near, zone, ..Clock::default() };
            Some(clock.instant(&stamp))
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
    if let Some(number) = text.strip_prefix('@') {
        return epoch(number).map(When::Fixed);
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
            return i64::try_from(at.as_nanosecond()).ok().map(When::Fixed);
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
    let billionths: i32 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    Time::new(number(hour, 2)?, number(minute, 2)?, number(second, 2)?, billionths).ok()
}

/// Nanoseconds since 1970 of a number of seconds, or of milli-, micro- or nanoseconds where it is too large for seconds.
fn epoch(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let unit = match number.unsigned_abs() {
        0..100_000_000_000 => NANOS,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    // What lies below a nanosecond is left out.
    let billionths: i64 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    let part = i64::try_from(i128::from(billionths) * i128::from(unit) / i128::from(NANOS)).ok()?;
    number.checked_mul(unit)?.checked_add(if whole.starts_with('-') { -part } else { part })
}

/// A length of time in nanoseconds: `90s`, `1h30m`, `2 days`, `1 week`, `200ms`.
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
        return weeks.checked_mul(7 * 86_400)?.checked_mul(NANOS);
    }
    if !text.ends_with(|c: char| c.is_alphabetic()) {
        return None;
    }
    match Amount::parse(&text, Sense::Duration) {
        Some(Amount::Nanos(nanos)) => Some(nanos),
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
        match instant("--since", text, &Base { last: Some(LAST), zone: Some(&zone) }) {
            Ok(nanos) => shown(nanos),
            Err(error) => error.to_string().chars().take(30).collect(),
        }
    }

    #[test]
    fn forms() {
        for (text, want) in [
            ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
            ("2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00Z"),
            ("2026-11-21 10:00:00.250 +01:00", "2026-11-21T09:00:00.250Z"),
            ("2026-11-21T10:00:00.4Z", "2026-11-21T10:00:00.400Z"),
            ("2026-11-21 10:00:05.4", "2026-11-21T10:00:05.400Z"),
            ("10:00:05,25", "2026-11-21T10:00:05.250Z"),
            ("-500ms", "2026-11-21T10:29:59.500Z"),
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
            ("@1795255001999", "2026-11-21T09:56:41.999Z"),
            ("@1795255001.5", "2026-11-21T09:56:41.500Z"),
            ("@1795255001250.5", "2026-11-21T09:56:41.250Z"),
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
        let base = Base { last: Some(LAST), zone: None };
        let window = |since: Option<&str>, until: Option<&str>, around: Option<&str>| Window {
            since: since.map(String::from),
            until: until.map(String::from),
            around: around.map(String::from),
            window: "5m".into(),
        };
        assert_eq!(stretch(&window(None, None, None), &base).unwrap(), None);
        let around = stretch(&window(None, None, Some("now")), &base).unwrap();
        assert_eq!(around, Some(Stretch { from: LAST - 300 * NANOS, to: LAST + 301 * NANOS - 1 }));
        // A second is meant as a whole, parts of it are meant as written.
        let until = |text| stretch(&window(None, Some(text), None), &base).unwrap().unwrap().to - LAST;
        assert_eq!(until("2026-11-21 10:30"), NANOS - 1);
        assert_eq!(until("2026-11-21 10:30:00.0"), 0);
        assert_eq!(until("2026-11-21 10:30:00.4"), NANOS / 10 * 4);
        assert_eq!(until("-500ms"), -NANOS / 2);
        let short = Window { window: "200ms".into(), ..window(None, None, Some("now")) };
        assert_eq!(stretch(&short, &base).unwrap(), Some(Stretch { from: LAST - NANOS / 5, to: LAST + NANOS / 5 }));
        for (since, until) in [("now", "-1h"), ("2026-11-21 10:30:00.9", "2026-11-21 10:30:00.1")] {
            assert!(stretch(&window(Some(since), Some(until), None), &base).is_err(), "{since} {until}");
        }
        let timeless = Base { last: None, zone: None };
        assert!(stretch(&window(Some("2026-11-21 10:30"), None, None), &timeless).is_ok());
        let error = stretch(&window(Some("-1h"), None, None), &timeless).unwrap_err().to_string();
        assert!(error.contains("no event here has a time"), "{error}");
        for (text, from_last) in [("2026-11-21 10:00", false), ("@5", false), ("10:00", true), ("-1h", true), ("Nov 21 10:00:00", true)] {
            assert_eq!(window(Some(text), None, None).counts_from_last(), from_last, "{text}");
        }
    }
}
