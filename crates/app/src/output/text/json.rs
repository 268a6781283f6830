//! A line of JSON that is too long to be shown: the keys that say what happened are kept, the others are left out visibly.

use serde_json::{Map, Value};
use whyline_query::Marks;

/// Keys that are shown first, the most telling one at the front. Nested keys count by their own name.
const TELLING: &[&str] = &[
    "msg",
    "message",
    "MESSAGE",
    "error",
    "err",
    "exception",
    "exc_info",
    "level",
    "severity",
    "status",
    "code",
    "type",
    "url",
    "path",
    "name",
];

/// How many of them speak of the failure itself.
const ERRORS: usize = 7;

/// The line with so many characters at most, in the order of the file, `…` where something was left out. What the marks find is kept like
/// messages are. `None` when it is no JSON object, or nothing of it would be left.
pub(super) fn shorter(text: &str, most: usize, marks: &Marks) -> Option<String> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let sought = sought(&object, marks);
    let rank = |key: &String| if sought == Some(key) { rank(key).min(MOST_TELLING) } else { rank(key) };
    let entries: Vec<(&String, &Value, usize)> = object.iter().map(|(key, value)| (key, value, rank(key))).collect();
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|i| entries[*i].2);
    let mut kept: Vec<Option<String>> = vec![None; entries.len()];
    // Braces, and a mark with its comma before every entry at worst.
    let mut used = 4;
    for i in order {
        let (key, value, rank) = entries[i];
        let left = most.saturating_sub(used + 3);
        let entry = format!("{}:{value}", Value::String(key.clone()));
        // What tells most is cut rather than left out.
        let entry = if entry.chars().count() <= left {
            Some(entry)
        } else if rank <= MOST_TELLING {
            // One long text leaves room for what was sought in another.
            let is_before = sought.is_some_and(|sought| sought != key && rank < MOST_TELLING);
            let left = if is_before { left / 2 } else { left };
            abridged(value, left.saturating_sub(key.chars().count() + 3), marks).map(|v| format!("{}:{v}", Value::String(key.clone())))
        } else {
            None
        };
        if let Some(entry) = entry {
            used += entry.chars().count() + 3;
            kept[i] = Some(entry);
        }
    }
    let most_telling = entries.iter().zip(&kept).any(|((_, _, rank), kept)| kept.is_some() && *rank <= MOST_TELLING);
    let mut parts: Vec<&str> = Vec::new();
    for entry in &kept {
        match entry {
            Some(entry) => parts.push(entry),
            None if parts.last() != Some(&"…") => parts.push("…"),
            None => {}
        }
    }
    most_telling.then(|| format!("{{{}}}", parts.join(",")))
}

/// The key of what shows the signal, in a text of more than a word: the most telling one where there are several.
fn sought<'o>(object: &'o Map<String, Value>, marks: &Marks) -> Option<&'o String> {
    let is_prose = |value: &Value| match value {
        Value::String(text) => text.contains(' '),
        Value::Object(_) | Value::Array(_) => true,
        _ => false,
    };
    let found = object.iter().filter(|(_, value)| is_prose(value) && !marks.places(&value.to_string()).is_empty());
    found.map(|(key, _)| key).min_by_key(|key| rank(key))
}

/// An entry comes before others by what its key tells.
fn rank(key: &str) -> usize {
    let at = TELLING.iter().position(|t| *t == key).unwrap_or(TELLING.len());
    at + 1 + MOST_TELLING * usize::from(at >= ERRORS)
}

/// The last rank of what is cut rather than left out.
const MOST_TELLING: usize = ERRORS;

/// A value in fewer characters: the telling keys of an object, of a text what was sought in it, else its beginning.
fn abridged(value: &Value, most: usize, marks: &Marks) -> Option<String> {
    const LEAST: usize = 24;
    match value {
        Value::Object(_) => shorter(&value.to_string(), most, marks),
        Value::String(text) if most >= LEAST => {
            let count = text.chars().count();
            let sought = marks.places(text).last().map(|place| text.get(..place.end).unwrap_or("").chars().count());
            let piece = |room: usize| {
                let skipped = match sought {
                    // A traceback ends with what it is about.
                    None if text.starts_with("Traceback") => count.saturating_sub(room),
                    Some(end) if end > room => (end + room / 4).min(count) - room.min(count),
                    _ => 0,
                };
                let before = if skipped > 0 { "…" } else { "" };
                let behind = if skipped + room < count { "…" } else { "" };
                let text: String = text.chars().skip(skipped).take(room).collect();
                Value::String(format!("{before}{text}{behind}")).to_string()
            };
            // Quotes, marks, and what is written with more characters in JSON.
            (1..=most).rev().map(piece).find(|piece| piece.chars().count() <= most)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(text: &str, most: usize) -> Option<String> {
        shorter(text, most, &Marks::default())
    }

    #[test]
    fn what_was_sought_is_kept() {
        let query = whyline_query::Query::parse("\"INSERT command denied\"").unwrap();
        let line = r#"{"level":"error","sqlState":"42000","stack":"Error: a long story that nobody reads INSERT command denied to user shop for table payments and so on","msg":"request failed","path":"/pay"}"#;
        let shown = shorter(line, 100, &Marks::of(&query)).unwrap();
        assert!(shown.contains("INSERT command denied") && shown.chars().count() <= 100, "{shown}");
    }

    #[test]
    fn what_happened_is_kept() {
        let line = r#"{"level":"error","time":"2026-11-21T09:42:47.247Z","pid":8399,"hostname":"account01","msg":"redis client error"}"#;
        assert_eq!(none(line, 70).unwrap(), r#"{"level":"error",…,"pid":8399,…,"msg":"redis client error"}"#);
        assert_eq!(none(line, 40).unwrap(), r#"{…,"msg":"redis client error"}"#);
        assert_eq!(none(line, 12), None);
        let python = format!(r#"{{"exc_info":"Traceback (most recent call last):{}\\nKeyError: 'price'"}}"#, " frame".repeat(30));
        let shown = none(&python, 60).unwrap();
        assert!(shown.ends_with(r#"\nKeyError: 'price'"}"#) && shown.chars().count() <= 60, "{shown}");
        let nested = r#"{"time":"2026-11-21T09:42:48Z","err":{"type":"Error","message":"connect ECONNREFUSED 10.0.0.3:6379","stack":"Error: connect\\n at x\\n at y"},"msg":"failed"}"#;
        assert_eq!(none(nested, 90).unwrap(), r#"{…,"err":{…,"message":"connect ECONNREFUSED 10.0.0.3:6379",…},"msg":"failed"}"#);
        assert_eq!(none("no json", 70), None);
    }
}
