//! The target of a connection that failed, and the name of the error.

use crate::format::Cx;
use crate::formats::fill;
use crate::seek::{Needle, near, needles};
use aho_corasick::{AhoCorasick, MatchKind};
use std::sync::LazyLock;
use whyline_event::{Key, Record, Value, address};

/// Names of operating system errors that programs print.
const ERRNOS: &[&str] = &[
    "ECONNREFUSED",
    "ECONNRESET",
    "ECONNABORTED",
    "ETIMEDOUT",
    "ESOCKETTIMEDOUT",
    "ENOTFOUND",
    "EAI_AGAIN",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "EPIPE",
    "EMFILE",
    "ENFILE",
    "ENOSPC",
    "EACCES",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "EROFS",
    "EDQUOT",
    "ENOMEM",
    "EPERM",
    "ENOENT",
];

/// Words of a failed connection, besides the names of errors.
const WORDS: &[&str] = &[
    "refused",
    "timed out",
    "imeout",
    "unreachable",
    "reset by peer",
    "getaddrinfo",
    "o such host",
    "No route to host",
    "ould not resolve",
    "ailed to resolve",
    "name resolution",
    "ame or service not known",
    "an't connect",
    "annot connect",
    "ould not connect",
    "nable to connect",
    "ailed to connect",
    "onnection failed",
    "UnknownHost",
    "could not translate host name",
    "host not found",
    "Broken pipe",
    "broken pipe",
    "onnection closed",
    "onnection lost",
    "onnection error",
    "Error connecting",
    "error connecting",
    "server misbehaving",
    "not resolve",
    "not be resolved",
    "n't resolve",
    "annot resolve",
    "to resolve host",
    "failure resolving",
    "DNS resolution failed",
    "nknown MySQL server host",
    "nodename nor servname",
];

/// Errors of name resolution: what is named is a name, not a peer.
const NAMES: &[Needle] = &[
    Needle::new("getaddrinfo ENOTFOUND "),
    Needle::new("getaddrinfo EAI_AGAIN "),
    Needle::new("lookup "),
    Needle::new("UnknownHostException: "),
    Needle::new("could not translate host name "),
    Needle::new("host not found in upstream "),
    Needle::new("Could not resolve host: "),
    Needle::new("ould not resolve host "),
    Needle::new("ould not resolve hostname "),
    Needle::new("Failed to resolve "),
    Needle::new("failed to resolve "),
    Needle::new("not resolve "),
    Needle::new("cannot resolve "),
    Needle::new("resolving "),
    Needle::new("getaddrinfo for "),
    Needle::new("Unknown host "),
    Needle::new("nknown MySQL server host "),
    Needle::new("to resolve host address "),
    Needle::new("annot resolve hostname "),
    Needle::new("DNS resolution failed for "),
];

/// What stands behind such a name: nginx's resolver, and the texts of `getaddrinfo` (glibc, BSD).
const BEHIND: &[Needle] = &[
    Needle::new(" could not be resolved"),
    Needle::new(": Name or service not known"),
    Needle::new(": Temporary failure in name resolution"),
    Needle::new(": nodename nor servname provided"),
];

/// What stands before such a name with its port, in parentheses (.NET).
const PARENTHESES: &[Needle] = &[
    Needle::new("No such host is known. ("),
    Needle::new("Name or service not known ("),
    Needle::new("emporary failure in name resolution ("),
];

/// Pieces of [`ERRNOS`] and [`WORDS`], so that every one of them holds one: few enough for one look at many bytes at a time, and a text
/// that has none of them, as most have not, needs no other.
const PIECES: &[&str] = &[
    "ECONN",
    "TIMEDOUT",
    "ENOT",
    "ENOS",
    "ENOM",
    "ENOE",
    "EAI_",
    "UNREACH",
    "EPIPE",
    "EPERM",
    "FILE",
    "EACC",
    "EADDR",
    "EROFS",
    "EDQUOT",
    "refused",
    "timed out",
    "imeout",
    "nreachable",
    "reset by peer",
    "getaddrinfo",
    " host",
    "resolv",
    "esolution",
    "not known",
    "onnect",
    "nknown",
    "host not found",
    "roken pipe",
    "misbehav",
    "nodename nor",
];

static PIECE: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(PIECES).ok());

/// Leftmost matches, since only of those many bytes at a time are looked at before the automaton is asked. Where words overlap,
/// any of them says the same.
static SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(ERRNOS.iter().chain(WORDS)).ok());

/// Adds peer, name and error.
pub fn read<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    let (Some(piece), Some(search)) = (PIECE.as_ref(), SEARCH.as_ref()) else { return };
    if !piece.is_match(text) {
        return;
    }
    let mut failed = false;
    for found in search.find_iter(text) {
        match ERRNOS.get(found.pattern().as_usize()) {
            Some(name) => {
                fill::once(record, Key::ErrorType, Value::Str(name));
                failed |= !matches!(*name, "EMFILE" | "ENFILE" | "ENOSPC" | "EACCES" | "EROFS" | "EDQUOT" | "ENOMEM" | "EPERM" | "ENOENT");
            }
            None => failed = true,
        }
    }
    if !failed {
        return;
    }
    if let Some(name) = asked_name(text) {
        fill::once_str(record, Key::QName, name);
    }
    if !record.has(Key::Peer)
        && let Some(peer) = peer(cx, text)
    {
        record.put(Key::Peer, Value::Str(peer));
    }
}

/// The name whose resolution failed.
pub fn asked_name(text: &str) -> Option<&str> {
    for mark in NAMES {
        let Some(rest) = mark.after(text) else { continue };
        let rest = rest.trim_start_matches(['\'', '"', '`', '<', '\u{2018}']);
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))).unwrap_or(rest.len());
        let name = rest.get(..end)?.trim_end_matches('.');
        let is_prose = matches!(
            name,
            "host" | "hostname" | "name" | "the" | "failed" | "address" | "for" | "error" | "of" | "in" | "on" | "to" | "was"
        );
        // Other things are looked up as well; Go names the server that was asked, or the failure follows at once.
        let behind = rest.get(end..).unwrap_or("");
        let is_prose =
            is_prose || mark.text() == "lookup " && !name.contains('.') && behind.starts_with(' ') && !behind.starts_with(" on ");
        if address::is_host_name(name)
            && !is_prose
            && (name.contains('.') || rest.as_bytes().get(end) != Some(&b' ') || mark.text() != "resolving ")
        {
            return Some(name);
        }
    }
    if let Some(name) = name_in_front(text).or_else(|| name_in_parentheses(text)) {
        return Some(name);
    }
    // A pool's error names the host it could not resolve further in front.
    if text.contains("ame or service not known") || text.contains("name resolution") {
        let at = text.find("host='").map(|at| at + 6)?;
        let rest = text.get(at..)?;
        return rest.find('\'').and_then(|end| rest.get(..end)).filter(|n| address::is_host_name(n));
    }
    None
}

/// `orders.shop.internal could not be resolved`: with a dot or a dash in it and in one case, since other words and names of classes stand
/// there, too.
fn name_in_front(text: &str) -> Option<&str> {
    let (before, _) = BEHIND.iter().find_map(|mark| mark.split(text))?;
    let from = before.rfind([' ', '\'', '"', '=', '(', '[', '<']).map_or(0, |at| at + 1);
    let name = before.get(from..)?;
    let mixed = name.bytes().any(|b| b.is_ascii_uppercase()) && name.bytes().any(|b| b.is_ascii_lowercase());
    (name.contains(['.', '-']) && !mixed && address::is_host_name(name)).then_some(name)
}

/// `No such host is known. (db.internal:5432)`.
fn name_in_parentheses(text: &str) -> Option<&str> {
    let rest = PARENTHESES.iter().find_map(|mark| mark.after(text))?;
    let name = address::split_port(rest.split(')').next()?).0;
    address::is_host_name(name).then_some(name)
}

/// Adds the server of a request that failed as Go tells it, `Get "https://pay.lan:8443/v1": EOF` (net/url, Error), unless an address is known.
pub fn asked_server<'a>(text: &'a str, record: &mut Record<'a>) {
    const URL: Needle = Needle::new(" \"http");
    if !record.has(Key::Peer)
        && let Some((before, rest)) = URL.split(text)
        && ["Get", "Post", "Put", "Head", "Delete", "Patch", "Options"].iter().any(|method| before.ends_with(method))
        && let Some(server) = server_of(rest)
    {
        record.put_str(Key::Peer, server);
    }
}

/// Host and port of what is left of a URL, which an error follows.
fn server_of(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix("s://").or_else(|| rest.strip_prefix("://"))?;
    let (url, _) = rest.split_once("\": ")?;
    let server = url.split(['/', '?', '#']).next()?;
    let server = server.rsplit_once('@').map_or(server, |(_, server)| server);
    let (host, _) = address::split_port(server);
    (address::ip(host).is_some() || address::is_host_name(host)).then_some(server)
}

/// The address that could not be reached.
fn peer<'a>(cx: &Cx<'a>, text: &'a str) -> Option<&'a str> {
    // `write tcp 10.0.0.2:4433->10.0.0.1:6379: i/o timeout`.
    const ARROW: Needle = Needle::new("->");
    if let Some(rest) = ARROW.after(text) {
        let (word, _) = split_word(rest);
        if let Some(found) = endpoint(word) {
            return Some(found);
        }
    }
    host_and_port(cx, text).or_else(|| first_endpoint(text)).or_else(|| quoted_host(text))
}

/// `host='x', port=80` (urllib3), `at "10.0.0.3", port 5432` (libpq), `host: 'x', port: 80`.
fn host_and_port<'a>(cx: &Cx<'a>, text: &'a str) -> Option<&'a str> {
    if let Some(found) = to_host_port(cx, text) {
        return Some(found);
    }
    const PORT: [Needle; 4] = needles([", port", "\" port ", "' port ", " port: "]);
    let (before, port) = PORT.iter().find_map(|mark| mark.split(text))?;
    let port = port.trim_start_matches(['=', ':', ' ', '\'', '"']);
    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
    let port = port.get(..digits).filter(|p| p.parse::<u16>().is_ok())?;
    // libpq adds the address in parentheses after a name.
    let before = before.trim_end_matches([' ', ',']);
    let host = match before.strip_suffix(')').and_then(|b| b.rsplit_once(" (")) {
        Some((_, inner)) if address::ip(inner).is_some() => inner,
        _ => {
            let bare = before.trim_end_matches(['"', '\'', ')']);
            let from = bare.rfind(['"', '\'', ' ', '=', '(']).map_or(0, |n| n + 1);
            bare.get(from..)?
        }
    };
    let usable = address::ip(host).is_some() || address::is_host_name(host);
    usable.then(|| if host.contains(':') { cx.keep(&format!("[{host}]:{port}")) } else { cx.keep(&format!("{host}:{port}")) })
}

/// `connect to 10.0.0.3 port 80` (curl).
fn to_host_port<'a>(cx: &Cx<'a>, text: &'a str) -> Option<&'a str> {
    const PORT: Needle = Needle::new(" port ");
    let (before, port) = PORT.split(text)?;
    let (before, host) = before.rsplit_once(' ')?;
    let port = port.split(|c: char| !c.is_ascii_digit()).next()?;
    let usable = before.ends_with(" to") && port.parse::<u16>().is_ok() && (address::ip(host).is_some() || address::is_host_name(host));
    usable.then(|| cx.keep(&format!("{host}:{port}")))
}

/// The first word of the text that is an endpoint, other than the near end.
fn first_endpoint(text: &str) -> Option<&str> {
    let mut rest = text;
    let mut previous = "";
    while !rest.is_empty() {
        let (word, tail) = split_word(rest);
        let near = matches!(previous, "from" | "client" | "listen" | "listening" | "bind" | "on" | "local" | "source" | "by")
            && !(previous == "on" && text.contains("an't connect"));
        if !near && let Some(found) = endpoint(word) {
            return Some(found);
        }
        if !word.is_empty() {
            previous = word.trim_matches(['"', '\'', '(', ',', ':']);
        }
        rest = tail;
    }
    None
}

fn split_word(text: &str) -> (&str, &str) {
    let ends = |b: u8| matches!(b, b' ' | b'\n' | b'\t' | b',' | b'(' | b')' | b'<' | b'>' | b'"' | b'\'' | b'=' | b';');
    let end = text.bytes().position(ends).unwrap_or(text.len());
    (text.get(..end).unwrap_or(""), text.get(end + 1..).unwrap_or(""))
}

/// `10.0.0.3:5432`, `db:5432`, `db/10.0.0.3:5432`, `/10.0.0.3:5432`, `tcp://db:1`, `[::1]:80`, within punctuation.
fn endpoint(word: &str) -> Option<&str> {
    near(word, b':')?;
    let word = word.trim_matches(['"', '\'', '`', '(', ')', '{', '}', ',', ';']).trim_end_matches(['.', ':', ']']);
    let word = word.split_once("://").map_or(word, |(_, rest)| rest);
    let word = word.strip_prefix("tcp:").unwrap_or(word);
    let word = word.rsplit_once('@').map_or(word, |(_, rest)| rest);
    // The path of a URL, or the name that Java writes before an address.
    let word = match word.split_once('/') {
        Some((name, rest)) if address::split_port(name).1.is_none() => rest.split('/').next().unwrap_or(rest),
        Some((host, _)) => host,
        None => word,
    };
    let (host, port) = address::split_port(word);
    port.filter(|p| *p > 0)?;
    if address::ip(host).is_some() {
        return Some(word);
    }
    // A name with a port must not be a source position (`app.py:12`) or a clock.
    let source = [".py", ".go", ".js", ".java", ".rs", ".rb", ".php", ".c", ".cc", ".cpp", ".ts", ".kt", ".scala", ".ex", ".cs", ".h"];
    let usable = address::is_host_name(host)
        && !source.iter().any(|s| host.ends_with(s))
        && (host.contains(['.', '-']) || host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
        && !matches!(host, "line" | "port" | "errno" | "code" | "error" | "status" | "pid");
    usable.then_some(word)
}

/// `Can't connect to MySQL server on '10.0.0.5'`: a host in quotes without a port.
fn quoted_host(text: &str) -> Option<&str> {
    let at = [" server on ", " connect to ", " to server at ", " to host ", "onnecting to ", "onnection to ", " to address "]
        .iter()
        .find_map(|mark| text.find(mark).map(|at| at + mark.len()))?;
    let rest = text.get(at..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'));
    let host = match quote {
        Some(q) => rest.get(1..)?.split(q).next()?,
        None => rest.split([' ', ':', ',', ')']).next().filter(|h| address::ip(h).is_some())?,
    };
    (address::ip(host).is_some() || address::is_host_name(host)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn every_word_holds_a_piece() {
        for word in ERRNOS.iter().chain(WORDS) {
            assert!(PIECES.iter().any(|piece| word.contains(piece)), "{word}");
        }
    }

    #[test]
    fn servers_that_go_asked() {
        for (text, want) in [
            ("Get \"https://pay.lan:8443/v1?x=1\": x509: certificate is valid for a.lan, not pay.lan", Some("pay.lan:8443")),
            ("call failed: Post \"http://10.0.0.3/x\": context deadline exceeded", Some("10.0.0.3")),
            ("Get \"https://u:p@pay.lan\": EOF", Some("pay.lan")),
            ("Get \"https://pay.lan/v1\"", None),
            ("see \"http://pay.lan/v1\": there", None),
            ("Get \"http:///x\": EOF", None),
        ] {
            let mut r = Record::new(text, Origin::default());
            asked_server(text, &mut r);
            assert_eq!(r.str(Key::Peer), want, "{text}");
        }
    }

    #[test]
    fn targets() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        for (text, peer, name, error) in [
            ("connect ECONNREFUSED 10.0.0.41:6379", Some("10.0.0.41:6379"), None, Some("ECONNREFUSED")),
            ("getaddrinfo ENOTFOUND db.internal", None, Some("db.internal"), Some("ENOTFOUND")),
            ("dial tcp 10.0.0.1:6379: connect: connection refused", Some("10.0.0.1:6379"), None, None),
            ("dial tcp: lookup db.internal on 127.0.0.11:53: no such host", None, Some("db.internal"), None),
            ("dial tcp: lookup db on 127.0.0.11:53: no such host", None, Some("db"), None),
            ("dial tcp: lookup db: no such host", None, Some("db"), None),
            ("lookup of /services/cart failed: connection timed out", None, None, None),
            ("lookup cart failed: connection timed out", None, None, None),
            ("read tcp 10.0.0.2:44->10.0.0.1:6379: read: connection reset by peer", Some("10.0.0.1:6379"), None, None),
            ("Connection to db/10.0.0.3:5432 refused", Some("10.0.0.3:5432"), None, None),
            ("java.net.ConnectException: Failed to connect to /10.0.0.3:8080", Some("10.0.0.3:8080"), None, None),
            ("Error 111 connecting to cache:6379. Connection refused.", Some("cache:6379"), None, None),
            ("connection to server at \"10.0.0.3\", port 5432 failed: Connection refused", Some("10.0.0.3:5432"), None, None),
            ("connection to server at \"db.lan\" (10.0.0.3), port 5432 failed: timeout expired", Some("10.0.0.3:5432"), None, None),
            ("HTTPConnectionPool(host='pay.lan', port=8080): Max retries exceeded: Connection refused", Some("pay.lan:8080"), None, None),
            ("Can't connect to MySQL server on '10.60.2.5' ([Errno 111] Connection refused)", Some("10.60.2.5"), None, None),
            ("could not translate host name \"db.lan\" to address: Name or service not known", None, Some("db.lan"), None),
            ("curl: (7) Failed to connect to 10.0.0.3 port 80 after 0 ms: Couldn't connect", Some("10.0.0.3:80"), None, None),
            ("orders.shop.internal could not be resolved (3: Host not found)", None, Some("orders.shop.internal"), None),
            ("ssh: Could not resolve hostname build-7: Name or service not known", None, Some("build-7"), None),
            ("cache.lan: Temporary failure in name resolution", None, Some("cache.lan"), None),
            ("io.grpc.ResolveException: Name or service not known", None, None, None),
            ("ERROR 2005 (HY000): Unknown MySQL server host 'db.lan' (-2)", None, Some("db.lan"), None),
            ("wget: unable to resolve host address \u{2018}repo.lan\u{2019}", None, Some("repo.lan"), None),
            ("System.Net.Sockets.SocketException: No such host is known. (db.lan:5432)", Some("db.lan:5432"), Some("db.lan"), None),
            ("Name or service not known (pay:443)", Some("pay:443"), Some("pay"), None),
            (
                "Couldn't resolve server kafka-1:9092 from bootstrap.servers as DNS resolution failed for kafka-1",
                Some("kafka-1:9092"),
                Some("kafka-1"),
                None,
            ),
            ("sudo: unable to resolve host web01: Name or service not known", None, None, None),
            ("failed at app.py:12: connection refused", None, None, None),
            ("connected to 10.0.0.3:5432", None, None, None),
            ("accept4: EMFILE, 10.0.0.3:5432", None, None, Some("EMFILE")),
        ] {
            let mut r = Record::new(text, Origin::default());
            read(&cx, text, &mut r);
            assert_eq!((r.str(Key::Peer), r.str(Key::QName), r.str(Key::ErrorType)), (peer, name, error), "{text}");
        }
    }
}
