//! Filling a record so that what an envelope has said is neither lost nor said twice.

use whyline_event::{Key, Name, Record, Severity, Value, address};

/// Adds a field unless the record has it.
pub fn once<'a>(record: &mut Record<'a>, key: Key, value: Value<'a>) {
    if !record.has(key) {
        record.put(key, value);
    }
}

/// Adds a text field unless the record has it, the text is empty or the dash for "none".
pub fn once_str<'a>(record: &mut Record<'a>, key: Key, text: &'a str) {
    if !text.is_empty() && text != "-" {
        once(record, key, Value::Str(text));
    }
}

/// A pod is the machine that the programs in it see, and its name is their host name.
pub fn pod_as_host(record: &mut Record<'_>) {
    if !record.has(Key::HostName)
        && record.has(Key::Namespace) | record.has(Key::ContainerName)
        && let Some(pod) = record.str(Key::PodName)
    {
        record.put_str(Key::HostName, pod);
    }
}

/// Adds a whole number unless the record has it; nothing where the text is no number.
pub fn once_int<'a>(record: &mut Record<'a>, key: Key, text: &'a str) {
    if let Ok(number) = text.parse() {
        once(record, key, Value::Int(number));
    }
}

/// Sets the level; a level that an envelope gave is replaced.
pub fn level<'a>(record: &mut Record<'a>, word: &'a str) {
    if let Some(severity) = Severity::from_word(word) {
        level_as(record, word, severity);
    } else if !record.has(Key::Level) {
        record.put_str(Key::Level, word);
    }
}

/// Sets a level whose severity the format knows better than the word alone says.
pub fn level_as<'a>(record: &mut Record<'a>, word: &'a str, severity: Severity) {
    record.severity = Some(severity);
    record.fields.retain(|f| f.name != Name::Known(Key::Level));
    record.put_str(Key::Level, word);
}

/// Adds who asked or connected, with the port where one is written.
pub fn client<'a>(record: &mut Record<'a>, text: &'a str) {
    endpoint(record, text, Key::ClientAddress, Key::ClientPort);
}

/// Adds an address under one key and its port under another.
pub fn endpoint<'a>(record: &mut Record<'a>, text: &'a str, host: Key, port: Key) {
    let text = text.trim_matches(['"', '\'']);
    if record.has(host) || text.is_empty() || text == "-" {
        return;
    }
    let (name, number) = address::split_port(text);
    record.put_str(host, name.trim_matches(['[', ']']));
    if let Some(number) = number {
        once(record, port, Value::Int(i64::from(number)));
    }
}

/// Adds the target of a request: a path with its query, or a whole URL.
pub fn target<'a>(record: &mut Record<'a>, target: &'a str) {
    if record.has(Key::Path) || target.is_empty() || target == "-" {
        return;
    }
    let path = match target.split_once("://") {
        Some((scheme, rest)) if scheme.len() <= 8 && scheme.bytes().all(|b| b.is_ascii_alphabetic()) => {
            once_str(record, Key::UrlFull, target);
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
        }
        _ => target,
    };
    match path.split_once('?') {
        Some((path, query)) => {
            record.put_str(Key::Path, path);
            once_str(record, Key::UrlQuery, query);
        }
        None => record.put_str(Key::Path, path),
    }
}

/// Whether a text is a method of HTTP.
pub fn is_method(text: &str) -> bool {
    matches!(
        text,
        "GET"
            | "POST"
            | "PUT"
            | "HEAD"
            | "DELETE"
            | "PATCH"
            | "OPTIONS"
            | "CONNECT"
            | "TRACE"
            | "PROPFIND"
            | "REPORT"
            | "MKCOL"
            | "MOVE"
            | "COPY"
            | "LOCK"
            | "UNLOCK"
            | "PURGE"
            | "SEARCH"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    #[test]
    fn what_an_envelope_said_stays_once() {
        let mut r = Record::new("x", Origin::default());
        once_int(&mut r, Key::ProcessPid, "7");
        once_int(&mut r, Key::ProcessPid, "8");
        level(&mut r, "info");
        level(&mut r, "ERROR");
        assert_eq!(r.int(Key::ProcessPid), Some(7));
        assert_eq!(r.severity, Some(Severity::Error));
        assert_eq!(r.fields.len(), 2);
        client(&mut r, "[2001:db8::1]:99");
        assert_eq!(r.str(Key::ClientAddress), Some("2001:db8::1"));
        assert_eq!(r.int(Key::ClientPort), Some(99));
        target(&mut r, "https://shop.example/a?b=c");
        assert_eq!((r.str(Key::Path), r.str(Key::UrlQuery)), (Some("/a"), Some("b=c")));
    }
}
