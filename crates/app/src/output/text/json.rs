//! A line of JSON that is too long to be shown: the keys that say what happened are kept, the others are left out visibly.

use serde_json::{Map, Value};

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

/// The line with so many characters at most, in the order of the file, `…` where something was left out. `None` when it is no JSON
/// object, or nothing of it would be left.
pub(super) fn shorter(text: &str, most: usize) -> Option<String> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let mut entries: Vec<(&String, &Value, usize)> =
        object.iter().map(|(key, value)| (key, value, TELLING.iter().position(|t| t == key).unwrap_or(TELLING.len()))).collect();
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
        } else if rank < ERRORS {
            abridged(value, left.saturating_sub(key.chars().count() + 3)).map(|v| format!("{}:{v}", Value::String(key.clone())))
        } else {
            None
        };
        if let Some(entry) = entry {
            used += entry.chars().count() + 3;
            kept[i] = Some(entry);
        }
    }
    let most_telling = entries.drain(..).zip(&kept).any(|((_, _, rank), kept)| kept.is_some() && rank < ERRORS);
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

/// A value in fewer characters: the telling keys of an object, the beginning of a text.
fn abridged(value: &Value, most: usize) -> Option<String> {
    const LEAST: usize = 24;
    match value {
        Value::Object(_) => shorter(&value.to_string(), most),
        // A traceback ends with what it is about.
        Value::String(text) if most >= LEAST && text.starts_with("Traceback") => {
            let skipped = text.chars().count().saturating_sub(most - 6 - text.matches(['\n', '"']).count().min(most / 3));
            Some(Value::String(['…'].into_iter().chain(text.chars().skip(skipped)).collect()).to_string())
        }
        Value::String(text) if most >= LEAST => Some(Value::String(text.chars().take(most - 6).chain(['…']).collect()).to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_kept() {
        let line = r#"{"level":"error","time":"2026-11-21T09:42:47.247Z","pid":8399,"hostname":"account01","msg":"redis client error"}"#;
        assert_eq!(shorter(line, 70).unwrap(), r#"{"level":"error",…,"pid":8399,…,"msg":"redis client error"}"#);
        assert_eq!(shorter(line, 40).unwrap(), r#"{…,"msg":"redis client error"}"#);
        assert_eq!(shorter(line, 12), None);
        let python = format!(r#"{{"exc_info":"Traceback (most recent call last):{}\\nKeyError: 'price'"}}"#, " frame".repeat(30));
        let shown = shorter(&python, 60).unwrap();
        assert!(shown.ends_with(r#"\nKeyError: 'price'"}"#) && shown.chars().count() <= 60, "{shown}");
        let nested = r#"{"time":"2026-11-21T09:42:48Z","err":{"type":"Error","message":"connect ECONNREFUSED 10.0.0.3:6379","stack":"Error: connect\\n at x\\n at y"},"msg":"failed"}"#;
        assert_eq!(shorter(nested, 90).unwrap(), r#"{…,"err":{…,"message":"connect ECONNREFUSED 10.0.0.3:6379",…},"msg":"failed"}"#);
        assert_eq!(shorter("no json", 70), None);
    }
}
