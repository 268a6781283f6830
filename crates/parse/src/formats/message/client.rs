//! Who failed to log in, was turned away or banned, where only the message names the address.

use crate::formats::fill;
use crate::places::places;
use crate::seek::{Needle, near};
use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use std::sync::LazyLock;
use whyline_event::{Key, Record, address};

/// Words of messages about a client. The first [`STRONG`] speak of logins, where a lone address is the client's.
const WORDS: &[&str] = &[
    "login",
    "logged in",
    "logon",
    "log in",
    "auth",
    "password",
    "find user",
    "credential",
    "unban",
    "ban ",
    "invalid user",
    "unknown user",
    "no such user",
    "illegal user",
    "sign in",
    "sign-in",
    "brute",
    "username",
    "log-in",
    "account",
    "access denied",
    "passwd",
    "two-factor",
    "2fa",
    "mfa",
    "denied",
    "reject",
    "fail",
    "invalid",
    "attempt",
    "refus",
    "disconnect",
    "block",
    "not allowed",
    "forbidden",
    "found ",
    "attack",
    "violation",
    "bad ",
    "incorrect",
    "wrong",
    "abuse",
    "connect from",
    "connection from",
    "accepted",
    "drop",
    "limit",
    "probe",
    "scan",
    "query",
    "session",
    "request",
    "illegal",
    "error",
    "timeout",
    "timed out",
    "lost connection",
    "non-smtp command",
    "pregreet",
    "client \"",
    "dropped",
    "unallowed",
    "handshake",
    "acl",
    "proto ",
    "packet",
];

const STRONG: usize = 25;

/// What stands before a client's address.
const MARKS: &[&str] = &[
    "from: ",
    "client ",
    "client: ",
    "client=",
    "client_ip=",
    "ip=",
    "ip: ",
    "ip address: ",
    "ip-address: ",
    "ip address ",
    "remote=",
    "rhost=",
    "addr=",
    "address: ",
    "address=",
    "source=",
    "src=",
    "src: ",
    "host=",
    "host: ",
    "by ",
    "peer: ",
    "peer=",
    "(ip ",
    "ip ",
    "from ip ",
    "from host ",
    "remote address ",
    "remote ip: ",
    "remote_ip=",
    "remoteip=",
    "remote_addr=",
    "from ip=",
    "from user ",
    "from=",
    "query ",
    "origin_address=",
    "\"ip\":",
    " h=",
    "unknown",
    "remote: ",
    "from address ",
    "af_inet",
    "af_inet6",
    "client ip: ",
    "source ip: ",
    "ipaddress=",
    "remoteaddr=",
    "from client ",
    "found ",
    "ban ",
];

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasickBuilder::new().ascii_case_insensitive(true).build(WORDS).ok());

/// Adds the client's address; `text` is known to name an address.
pub fn read<'a>(text: &'a str, record: &mut Record<'a>) {
    if record.has(Key::ClientAddress) || record.has(Key::Peer) || record.has(Key::QName) {
        return;
    }
    if let Some(word) = speaker(text).or_else(|| other_end(text)) {
        return fill::client(record, word);
    }
    let mut found = Addresses { text, at: 0 };
    let Some(first) = found.next() else { return };
    let Some(search) = SEARCH.as_ref() else { return };
    let Some(strength) = search.find_overlapping_iter(text).map(|m| m.pattern().as_usize()).min() else { return };
    let mut all = vec![first];
    all.extend(found.take(7));
    // A user's name is a stranger's text and may hold an address of its own: the last `from` counts.
    let marked = |kind: Mark| move |(at, _): &&(usize, &str)| text.get(..*at).and_then(mark) == Some(kind);
    let chosen = all.iter().rev().find(marked(Mark::From)).or_else(|| all.iter().find(marked(Mark::Named)));
    let chosen = chosen.or_else(|| all.iter().find(marked(Mark::Bracket)));
    let chosen = match chosen {
        Some(found) => Some(found),
        None if strength < STRONG && all.iter().all(|(_, a)| *a == first.1) => all.first(),
        None => None,
    };
    if let Some((at, address)) = chosen {
        fill::client(record, address);
        // BIND writes the port after a number sign.
        let after = at + address.len();
        let port =
            text.get(after..).and_then(|t| t.strip_prefix(['#', ':'])).map(|t| t.split(|c: char| !c.is_ascii_digit()).next().unwrap_or(""));
        fill::once_int(record, Key::ClientPort, port.unwrap_or(""));
    }
}

/// Whether there is a dot between digits, or two colons as near to each other as in an IPv6 address: else there is no address.
pub(super) fn may_name_an_address(text: &str) -> bool {
    let b = text.as_bytes();
    let is_digit = |at: usize| b.get(at).is_some_and(u8::is_ascii_digit);
    let mut colon = None;
    places(text, [b'.', b':']).any(|at| {
        if b.get(at) == Some(&b':') {
            return colon.replace(at).is_some_and(|before| at - before <= 5);
        }
        at > 0 && is_digit(at - 1) && is_digit(at + 1)
    })
}

/// `[203.0.113.9:4000] text`, `203.0.113.9:4000 text`: who is spoken of stands first, with a port.
fn speaker(text: &str) -> Option<&str> {
    let (text, close) = text.strip_prefix('[').map_or((text, b' '), |t| (t, b']'));
    let word = near(text, close).map_or(Some(text), |end| text.get(..end))?;
    address::is_ip_port(word).then_some(word)
}

/// Lines that name both ends of a packet: of IPsec's daemon the one that is not itself, of a packet filter the sender, of a
/// scan the scanner.
fn other_end(text: &str) -> Option<&str> {
    const PACKET: Needle = Needle::new("packet: from ");
    const SENDING: Needle = Needle::new("sending packet: from ");
    const RECEIVED: Needle = Needle::new("received packet: from ");
    const TO: Needle = Needle::new(" to ");
    const PROTO: Needle = Needle::new(" proto ");
    if PACKET.is_in(text)
        && let Some(ends) = SENDING.after(text).or_else(|| RECEIVED.after(text))
    {
        let (from, to) = TO.split(ends)?;
        let end = if text.contains("sending packet") { to } else { from };
        return end.split('[').next().filter(|word| address::ip(word).is_some());
    }
    if PROTO.is_in(text)
        && let Some((_, ends)) = text.split_once(", proto ").or_else(|| text.split_once(" proto "))
        && let Some((_, ends)) = ends.split_once(", ")
        && let Some((from, _)) = ends.split_once("->")
    {
        return address::is_ip_port(from).then_some(from);
    }
    // An address has no letters beyond `f`.
    let may_be = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b'[');
    text.as_bytes().first().filter(|b| may_be(b))?;
    let (first, rest) = TO.split(text)?;
    (address::ip(first).is_some() && rest.contains(" ports ")).then_some(first)
}

/// How an address is told to be the client's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// `from`.
    From,
    /// Another word.
    Named,
    /// Brackets after a name, as mail servers write: `host.example [203.0.113.9]`.
    Bracket,
}

fn mark(before: &str) -> Option<Mark> {
    const BIND: Needle = Needle::new("client @0x");
    if BIND.rfind(before).is_some_and(|at| before.len() - at < 32) {
        return Some(Mark::From);
    }
    // Postfix: `from host.example[203.0.113.9]`.
    if let Some((words, _)) = before.strip_suffix('[').and_then(|t| t.rsplit_once(' '))
        && words.len() >= 4
        && words.as_bytes().get(words.len() - 4..).is_some_and(|w| w.eq_ignore_ascii_case(b"from"))
    {
        return Some(Mark::From);
    }
    let bare = before.trim_end_matches(['[', '(', '"', '\'', '<', '/', '`']);
    let ends = |mark: &str| {
        let n = mark.len();
        bare.len() >= n && bare.as_bytes().get(bare.len() - n..).is_some_and(|tail| tail.eq_ignore_ascii_case(mark.as_bytes()))
    };
    // Exim: `H=name ([what it says of itself]) [address]`, or `H=[address]`.
    if before.ends_with("H=([") {
        return None;
    }
    if ends("from ") {
        Some(Mark::From)
    } else if bare.eq_ignore_ascii_case("h=") || MARKS.iter().any(|mark| ends(mark)) {
        Some(Mark::Named)
    } else if before.ends_with('[') && !before.ends_with("([") && bare.ends_with([' ', ')']) {
        Some(Mark::Bracket)
    } else {
        None
    }
}

/// The addresses of a text, with the place where each begins.
struct Addresses<'a> {
    text: &'a str,
    /// Up to where the text was read.
    at: usize,
}

impl<'a> Iterator for Addresses<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let is_part = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':');
        loop {
            // Every address has a dot or a colon; the letters and digits around it belong to it, a dot in front does not.
            let sign = self.at + memchr::memchr2(b'.', b':', bytes.get(self.at..)?)?;
            let run = bytes.get(self.at..sign)?.iter().rev().take_while(|b| is_part(b)).count();
            let behind = bytes.get(sign..)?.iter().take_while(|b| is_part(b)).count();
            let whole = self.text.get(sign - run..sign + behind)?;
            let token = whole.trim_start_matches('.');
            let at = sign + behind - token.len();
            self.at = sign + behind;
            let before = at.checked_sub(1).and_then(|n| bytes.get(n));
            let after = bytes.get(self.at);
            let joined = before.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-' && token.len() < 9)
                || after.is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
            let token = token.trim_end_matches(['.', ':']);
            if joined || token.len() < 3 || token.len() < 7 && !token.contains("::") {
                continue;
            }
            if address::ip(token).is_some_and(|ip| !ip.is_unspecified()) {
                return Some((at, token));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use whyline_event::Origin;

    #[test]
    fn clients() {
        for (text, want) in [
            ("Login failed for bob from 203.0.113.9", Some("203.0.113.9")),
            ("[sshd] Ban 203.0.113.9", Some("203.0.113.9")),
            ("rejected: 10.0.0.1 asked by [2001:db8::7]:4000", Some("2001:db8::7")),
            ("[203.0.113.9:4000] input", Some("203.0.113.9")),
            ("login failed for \"a from 10.0.0.1\" from 203.0.113.9", Some("203.0.113.9")),
            ("authenticator failed for x.lan ([10.0.0.2]) [203.0.113.9]: 535", Some("203.0.113.9")),
            ("wrong password, 203.0.113.9", Some("203.0.113.9")),
            ("auth of 203.0.113.9 went to 10.0.0.9", None),
            ("wrote 10.0.0.1 to file", None),
            ("11[NET] <gw|4> sending packet: from 10.7.7.1[500] to 203.0.113.9[500] (76 bytes)", Some("203.0.113.9")),
            ("forward: in:ppp0 out:bridge1, proto TCP (SYN,ACK), 203.0.113.9:7001->10.7.7.1:9002, len 60", Some("203.0.113.9")),
            ("203.0.113.9 to 10.7.7.1 ports 7001, 7002, 9002", Some("203.0.113.9")),
            ("FAIL: shop per_source_limit from=203.0.113.9", Some("203.0.113.9")),
            ("login {\"ip\":\"203.0.113.9\",\"cart\":7}", Some("203.0.113.9")),
            ("login refused: H=([10.7.7.2]) [203.0.113.9]:7001 I=[10.7.7.1]:465", Some("203.0.113.9")),
            ("H=[203.0.113.9]:7001 rejected by a shop rule", Some("203.0.113.9")),
            ("refused a caller: H=[203.0.113.9]:7002 I=[10.7.7.1]:465", Some("203.0.113.9")),
            ("read tcp 10.7.7.1:7001->10.7.7.2:9002: connection reset by peer", None),
            ("authenticated at 12:30:01 with version 1.2.3", None),
        ] {
            let mut r = Record::new(text, Origin::default());
            read(text, &mut r);
            assert_eq!(r.str(Key::ClientAddress), want, "{text}");
        }
    }

    /// [`Addresses`] by their definition: of every run of digits, letters up to `f`, dots and colons.
    fn by_definition(text: &str) -> Vec<(usize, &str)> {
        let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
        let runs = text.split(|c| !is_part(c)).map(|run| (run.as_ptr() as usize - text.as_ptr() as usize, run));
        runs.filter_map(|(from, run)| {
            let token = run.trim_start_matches('.');
            let at = from + run.len() - token.len();
            let before = text[..at].chars().next_back();
            let after = text[from + run.len()..].chars().next();
            let short = token.len() < 9;
            let token_ = token.trim_end_matches(['.', ':']);
            let joined = before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-' && short)
                || after.is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
            let usable = !joined && token_.len() >= 3 && (token_.len() >= 7 || token_.contains("::"));
            (usable && address::ip(token_).is_some_and(|ip| !ip.is_unspecified())).then_some((at, token_))
        })
        .collect()
    }

    proptest! {
        #[test]
        fn addresses_are_those_of_the_definition(text in "([ x_-]|[.:a1]|10\\.0\\.0\\.[12]|::1|2001:db8::7|\u{e4}){0,12}") {
            prop_assert_eq!(Addresses { text: &text, at: 0 }.collect::<Vec<_>>(), by_definition(&text));
        }
    }
}
