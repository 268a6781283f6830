//! Values as people, JSON and CSV have them.

use serde_json::Value as Json;
use std::io::{Result, Write};
use whyline_event::stamp::rfc3339;
use whyline_event::{Event, Key, Name, Source};
use whyline_query::pipe::{Cell, Fixed, Unit};

/// An event as a row.
pub fn of_event(event: &Event, source: &Source) -> Vec<Cell> {
    let text = |text: Option<&str>| text.map_or(Cell::Empty, |t| Cell::Text(t.to_string()));
    let field = |key: Key| event.fields.iter().find(|(name, _)| name == Name::Known(key).as_str()).and_then(|(_, v)| v.as_value().as_str());
    let level = event.severity.map(|s| s.as_str()).or_else(|| field(Key::Level));
    let host = field(Key::HostName).or(source.host.as_deref());
    vec![
        event.time.map_or(Cell::Empty, Cell::Time),
        text(level),
        text(host),
        text(Some(&event.source)),
        Cell::Number(Fixed::count(event.origin.line)),
        text(Some(&event.body)),
    ]
}

/// An instant with as many digits after the second as it has: none, three, six or nine.
pub fn time(nanos: i64) -> String {
    let digits = match nanos {
        n if n % 1_000_000_000 == 0 => 0,
        n if n % 1_000_000 == 0 => 3,
        n if n % 1_000 == 0 => 6,
        _ => 9,
    };
    rfc3339(nanos, digits)
}

/// For programs: numbers as numbers, in the unit of their column (seconds, bytes, events per second), times in RFC 3339.
pub fn json(cell: &Cell) -> Json {
    match cell {
        Cell::Empty => Json::Null,
        Cell::Bool(yes) => Json::from(*yes),
        Cell::Number(n) | Cell::Estimate(n) => match n.as_int() {
            Some(whole) => Json::from(whole),
            None => serde_json::Number::from_f64(n.as_f64()).map_or(Json::Null, Json::Number),
        },
        Cell::Time(nanos) => Json::from(time(*nanos)),
        Cell::Text(text) => Json::from(text.as_str()),
        Cell::List(cells) => Json::from(cells.iter().map(json).collect::<Vec<_>>()),
    }
}

/// A row of CSV (RFC 4180, lines ended by a line feed).
pub fn csv_row(out: &mut impl Write, row: &[Cell]) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().flexible(true).buffer_capacity(1 << 10).from_writer(out);
    writer.write_record(row.iter().map(plain)).map_err(std::io::Error::from)?;
    writer.flush()
}

/// The value without unit.
fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Bool(yes) => yes.to_string(),
        Cell::Number(n) | Cell::Estimate(n) => n.to_string(),
        Cell::Time(nanos) => time(*nanos),
        Cell::Text(text) => text.clone(),
        Cell::List(cells) => cells.iter().map(plain).collect::<Vec<_>>().join(", "),
    }
}

/// For people: with its unit, as a query could name it. An empty value is a dash.
pub fn shown(cell: &Cell, unit: Unit) -> String {
    match cell {
        Cell::Empty => "-".into(),
        Cell::Number(n) => number(*n, unit),
        Cell::Estimate(n) => format!("~{}", number(*n, unit)),
        Cell::List(cells) => cells.iter().map(|c| shown(c, unit)).collect::<Vec<_>>().join(", "),
        other => plain(other),
    }
}

fn number(n: Fixed, unit: Unit) -> String {
    match unit {
        Unit::Seconds => duration(n),
        Unit::Bytes => bytes(n),
        Unit::PerSecond => format!("{}/s", rounded(n.as_f64(), 3)),
        Unit::Plain | Unit::Time if n.as_int().is_some() => n.to_string(),
        Unit::Plain | Unit::Time => rounded(n.as_f64(), 4),
    }
}

/// So many digits that say something, and no zeros at the end; the whole part stays whole.
fn rounded(x: f64, digits: i32) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let size = x.abs().log10().floor() as i32;
    let digits = usize::try_from(digits - 1 - size).unwrap_or(0).min(12);
    let text = format!("{x:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// `250ms`, `1.25s`, `3m20s`, `2h5m`.
fn duration(n: Fixed) -> String {
    let seconds = n.as_f64();
    let sign = if seconds < 0.0 { "-" } else { "" };
    let size = seconds.abs();
    let text = match size {
        0.0 => "0s".into(),
        s if s < 1e-6 => format!("{}ns", rounded(s * 1e9, 3)),
        s if s < 1e-3 => format!("{}us", rounded(s * 1e6, 3)),
        s if s < 0.9995 => format!("{}ms", rounded(s * 1e3, 3)),
        s if s < 99.5 => format!("{}s", rounded(s, 3)),
        s => {
            let whole = s.round() as u64;
            let parts = [(whole / 86_400, "d"), (whole / 3_600 % 24, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")];
            let first = parts.iter().position(|(n, _)| *n > 0).unwrap_or(3);
            parts.iter().skip(first).take(2).filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect()
        }
    };
    format!("{sign}{text}")
}

/// `512B`, `1.5kB`, `3.2MB`: thousands.
fn bytes(n: Fixed) -> String {
    let size = n.as_f64();
    let mut units = ["B", "kB", "MB", "GB", "TB"].into_iter();
    let (mut size, mut unit) = (size, units.next().unwrap_or("B"));
    while size.abs() >= 999.5
        && let Some(next) = units.next()
    {
        (size, unit) = (size / 1000.0, next);
    }
    format!("{}{unit}", rounded(size, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        for (nanos, want) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5us"),
            (250_000_000, "250ms"),
            (999_900_000, "1s"),
            (1_254_000_000, "1.25s"),
            (99_600_000_000, "1m40s"),
            (200_000_000_000, "3m20s"),
            (7_500_000_000_000, "2h5m"),
            (7_200_000_000_000, "2h"),
            (90_061_000_000_000, "1d1h"),
            (-250_000_000, "-250ms"),
        ] {
            assert_eq!(shown(&Cell::Number(Fixed::nanos(nanos)), Unit::Seconds), want);
        }
        for (count, want) in [(0, "0B"), (512, "512B"), (1_536, "1.54kB"), (999_900, "1MB"), (3_200_000_000, "3.2GB"), (-2_000, "-2kB")] {
            assert_eq!(shown(&Cell::Number(Fixed::int(count)), Unit::Bytes), want);
        }
        assert_eq!(shown(&Cell::Number(Fixed::float(0.888_888).unwrap()), Unit::PerSecond), "0.889/s");
        assert_eq!(shown(&Cell::Number(Fixed::float(12_345.678).unwrap()), Unit::Plain), "12346");
        assert_eq!(shown(&Cell::Estimate(Fixed::int(12_345)), Unit::Plain), "~12345");
        assert_eq!(shown(&Cell::List(vec![Cell::Text("a".into()), Cell::Empty]), Unit::Plain), "a, -");
    }

    #[test]
    fn numbers_for_programs() {
        assert_eq!(json(&Cell::Number(Fixed::nanos(250_000_000))), Json::from(0.25));
        assert_eq!(json(&Cell::Number(Fixed::int(7))), Json::from(7));
        assert_eq!(json(&Cell::Time(1_500_000_000)), Json::from("1970-01-01T00:00:01.500Z"));
        let mut out = Vec::new();
        csv_row(&mut out, &[Cell::Text("a,\"b\"\nc".into()), Cell::Empty, Cell::Number(Fixed::nanos(1))]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\"a,\"\"b\"\"\nc\",,0.000000001\n");
    }
}
