//! The address at which a program says that it listens: one of the machine on which it runs.

use crate::formats::fill;
use crate::places::places;
use crate::seek::Needle;
use whyline_event::{Key, Record, Value, address};

/// What stands before the address, in small letters: of servers and frameworks, and of what people write.
const BEFORE: &[&str] = &[
    "listening on ",
    "listening at ",
    "listening at: ",
    "listening on: ",
    "listening on address ",
    "listening on tcp address ",
    // PostgreSQL.
    "listening on ipv4 address ",
    "listening on ipv6 address ",
    // Cassandra.
    "listening for cql clients on ",
    // RabbitMQ.
    "started tcp listener on ",
    // Kafka.
    "awaiting socket connections on ",
    // MariaDB.
    "server socket created on ip: ",
    // Python's own server; Flask and Uvicorn.
    "serving http on ",
    "running on http://",
    "running on https://",
    "serving on ",
    "serving at ",
    "listens on ",
    "listen on ",
    "accepting connections on ",
    "accepting connections at ",
    // uWSGI.
    "bound to tcp address ",
];

/// What people write of their own server, and of one that they call: only behind a version or a word for a server it is the former.
const READY: &[&str] = &["ready on ", "ready at "];

/// Where one of these stands nothing was come by.
const FAILED: &[Needle] = &[
    Needle::new("fail"),
    Needle::new("Fail"),
    Needle::new("annot"),
    Needle::new("an't"),
    Needle::new("nable to"),
    Needle::new("ould not"),
    Needle::new("rror"),
    Needle::new("denied"),
    Needle::new("already in use"),
];

/// Adds the address, and the port where one is told; `text` is known to name an address. One that stands for all of the machine's own
/// is left out.
pub fn read<'a>(text: &'a str, record: &mut Record<'a>) {
    if record.has(Key::LocalAddress) {
        return;
    }
    let Some((address, port)) = told(text) else { return };
    if FAILED.iter().any(|word| word.is_in(text)) {
        return;
    }
    record.put(Key::LocalAddress, Value::Str(address));
    fill::once_int(record, Key::LocalPort, port);
}

/// The address and the digits of the port behind the first words that announce one.
fn told(text: &str) -> Option<(&str, &str)> {
    for at in places(text, [b' ', b'/']) {
        let from = at + 1;
        let Some(first) = text.as_bytes().get(from) else { break };
        if !matches!(first, b'0'..=b'9' | b'[' | b'/' | b'"' | b'\'' | b'h' | b't' | b'a'..=b'f' | b':') || !announced(text.get(..from)?) {
            continue;
        }
        let rest = text.get(from..)?;
        let rest =
            rest.strip_prefix("http://").or_else(|| rest.strip_prefix("https://")).or_else(|| rest.strip_prefix("tcp://")).unwrap_or(rest);
        let rest = rest.trim_start_matches(['"', '\'', '/']);
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '/' | ')' | '}')).unwrap_or(rest.len());
        let word = rest.get(..end)?.trim_end_matches('.');
        let (host, number) = address::split_port(word);
        if address::ip(host).is_none_or(|ip| ip.is_unspecified()) {
            continue;
        }
        if number.is_some() {
            return Some((host, word.rsplit(':').next().unwrap_or("")));
        }
        let behind = rest.get(end..).unwrap_or("").trim_start_matches(['"', '\'', ',', ' ']);
        let port = behind.strip_prefix("port ").or_else(|| behind.strip_prefix("port: ")).unwrap_or("");
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        return Some((host, port.get(..digits).unwrap_or("")));
    }
    None
}

/// Whether words that announce an address end a text.
fn announced(text: &str) -> bool {
    // They all end so, and most other texts do not.
    let last = |n: usize| text.len().checked_sub(n).and_then(|at| text.as_bytes().get(at)).map_or(0, u8::to_ascii_lowercase);
    if !matches!((last(3), last(2), last(1)), (b'o', b'n', b' ') | (b'a', b't', b' ') | (_, b':' | b's', b' ') | (b':', b'/', b'/')) {
        return false;
    }
    let before = |words: &&str| {
        let at = text.len().checked_sub(words.len())?;
        text.as_bytes().get(at..)?.eq_ignore_ascii_case(words.as_bytes()).then(|| text.get(..at))?
    };
    BEFORE.iter().any(|words| before(words).is_some()) || READY.iter().find_map(before).is_some_and(ends_with_a_server)
}

/// Whether a text ends with a version, or with a word for a server.
fn ends_with_a_server(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace().rev().skip_while(|word| matches!(*word, "is" | "now"));
    let Some(word) = words.next() else { return false };
    let version = word.trim_start_matches(['v', 'V']);
    let is_version = version.contains('.') && version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'));
    is_version && version.starts_with(|c: char| c.is_ascii_digit())
        || ["server", "service", "daemon", "listener"].iter().any(|end| word.to_ascii_lowercase().ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    #[test]
    fn whatever_announces_is_looked_at() {
        for words in BEFORE {
            assert!(announced(words) && announced(&words.to_uppercase()), "{words}");
        }
        for words in READY {
            assert!(announced(&format!("server {words}")), "{words}");
        }
    }

    #[test]
    fn addresses_that_are_listened_at() {
        for (text, address, port) in [
            ("metrics-agent 1.2 listening on 10.70.1.9:9100", Some("10.70.1.9"), Some(9100)),
            ("listening on IPv4 address \"10.0.0.5\", port 5432", Some("10.0.0.5"), Some(5432)),
            ("listening on IPv6 address \"2001:db8::5\", port 5432", Some("2001:db8::5"), Some(5432)),
            ("com.example.ledger.Api - ledger is listening on /192.0.2.7:8080", Some("192.0.2.7"), Some(8080)),
            ("Server listening on 192.0.2.7 port 22.", Some("192.0.2.7"), Some(22)),
            ("Listening at: http://10.0.0.5:8000 (4711)", Some("10.0.0.5"), Some(8000)),
            ("* Listening on http://10.0.0.5:9292", Some("10.0.0.5"), Some(9292)),
            (" * Running on http://10.0.0.5:5000/ (Press CTRL+C to quit)", Some("10.0.0.5"), Some(5000)),
            ("Uvicorn running on https://[2001:db8::5]:8443 (Press CTRL+C to quit)", Some("2001:db8::5"), Some(8443)),
            ("Starting listening for CQL clients on /10.0.0.5:9042 (unencrypted)...", Some("10.0.0.5"), Some(9042)),
            ("started TCP listener on 10.0.0.5:5672", Some("10.0.0.5"), Some(5672)),
            ("Awaiting socket connections on 10.0.0.5:9092.", Some("10.0.0.5"), Some(9092)),
            ("Server socket created on IP: '10.0.0.5'.", Some("10.0.0.5"), None),
            ("uwsgi socket 0 bound to TCP address 10.0.0.5:3031 fd 3", Some("10.0.0.5"), Some(3031)),
            ("thumbs 0.9 ready on 10.0.0.5:7000", Some("10.0.0.5"), Some(7000)),
            ("HTTP server is ready at http://10.0.0.5:7000/", Some("10.0.0.5"), Some(7000)),
            ("redis client ready on 10.0.0.3:6379", None, None),
            ("cache ready at 10.0.0.3:6379", None, None),
            // All addresses are nobody's.
            ("Server listening on 0.0.0.0 port 22.", None, None),
            ("Server listening on :: port 22.", None, None),
            ("listening on *:80", None, None),
            // Somebody else's, or none was come by.
            ("connection from 10.0.0.5:4000", None, None),
            ("bound to 10.0.0.5:389 as cn=reader", None, None),
            ("failed to listen on 10.0.0.5:80: address already in use", None, None),
            ("listening on port 8080, pid 10.5", None, None),
        ] {
            let mut r = Record::new(text, Origin::default());
            read(text, &mut r);
            assert_eq!((r.str(Key::LocalAddress), r.int(Key::LocalPort)), (address, port), "{text}");
        }
    }
}
