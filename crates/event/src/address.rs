//! Addresses as they stand in logs: `10.0.0.3`, `10.0.0.3:8080`, `[2001:db8::1]:443`, `db.internal:5432`, `unix:/run/x.sock`.

use std::net::{IpAddr, Ipv4Addr};

/// Splits an endpoint into its host part and its port.
///
/// Brackets of IPv6 addresses are dropped; a bare IPv6 address has no port. Text after a second colon that is no address
/// (`unix:/run/app.sock`) stays whole, without a port.
pub fn split_port(text: &str) -> (&str, Option<u16>) {
    if let Some(rest) = text.strip_prefix('[') {
        if let Some((host, tail)) = rest.split_once(']') {
            return (host, tail.strip_prefix(':').and_then(|p| p.parse().ok()));
        }
        return (text, None);
    }
    let colon = text.bytes().rposition(|b| b == b':');
    match colon.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))) {
        Some((host, port)) if !host.contains(':') || host.parse::<std::net::Ipv6Addr>().is_err() && host.contains('.') => {
            match port.parse::<u16>() {
                Ok(number) if !host.contains(':') => (host, Some(number)),
                _ => (text, None),
            }
        }
        _ => (text, None),
    }
}

/// The IP address that a text names, without port, brackets or zone; IPv4-mapped IPv6 addresses as IPv4.
pub fn ip(text: &str) -> Option<IpAddr> {
    // Most words that are asked for are none, and show it by how they begin.
    let run = text.bytes().position(|b| !b.is_ascii_hexdigit())?;
    match (text.as_bytes().get(run), run) {
        (Some(b'.'), 1..=3) => {
            if let Some(found) = v4(text.as_bytes()) {
                return Some(IpAddr::V4(found));
            }
        }
        (Some(b':'), _) | (Some(b'['), 0) => {}
        _ => return None,
    }
    let (host, _) = split_port(text);
    let host = host.split('%').next().unwrap_or(host);
    let first = *host.as_bytes().first()?;
    if !(first.is_ascii_hexdigit() || first == b':') || host.len() > 45 {
        return None;
    }
    let parsed: IpAddr = host.parse().ok()?;
    Some(match parsed {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(parsed, IpAddr::V4),
        v4 => v4,
    })
}

/// Four decimal numbers and nothing more, as they are usually written.
fn v4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut parts = [0u8; 4];
    let (mut part, mut value, mut digits) = (0, 0u16, 0);
    for b in text {
        match b {
            b'0'..=b'9' if digits < 3 && !(digits > 0 && value == 0) => {
                value = value * 10 + u16::from(b - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && part < 3 => {
                *parts.get_mut(part)? = u8::try_from(value).ok()?;
                (part, value, digits) = (part + 1, 0, 0);
            }
            _ => return None,
        }
    }
    if part != 3 || digits == 0 {
        return None;
    }
    *parts.get_mut(3)? = u8::try_from(value).ok()?;
    Some(Ipv4Addr::from(parts))
}

/// Whether a text is `IP:PORT` (or `[IPv6]:PORT`).
pub fn is_ip_port(text: &str) -> bool {
    matches!(split_port(text), (_, Some(_))) && ip(text).is_some()
}

/// Whether a text could be a host name (RFC 1123 labels, at least one letter, also single-label names and underscores as
/// container networks use them).
pub fn is_host_name(text: &str) -> bool {
    if text.len() > 253 || text.starts_with(['.', '-']) {
        return false;
    }
    let (mut letters, mut dot) = (false, false);
    for b in text.bytes() {
        let is_dot = b == b'.';
        if is_dot && dot || !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
            return false;
        }
        letters |= b.is_ascii_alphabetic();
        dot = is_dot;
    }
    letters
}

/// Host and port of a URL as they stand there. A name and a password may stand before them, which are nobody's business (RFC 3986, 3.2.1).
pub fn of_url(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit('@').next().filter(|end| !end.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is told at one look is what a careful look says.
        #[test]
        fn addresses_are_those_of_the_library(text in "[0-9a-f.:]{0,12}|[0-9]{1,3}(\\.[0-9]{1,4}){2,4}(:[0-9]{1,6}|%eth0)?|\\[[0-9a-f:]{2,9}\\](:80)?|[a-h.-]{0,9}") {
            let host = split_port(&text).0;
            let host = host.split('%').next().unwrap_or(host);
            let careful = host.parse::<IpAddr>().ok().map(|ip| match ip {
                IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
                v4 => v4,
            });
            prop_assert_eq!(ip(&text), careful, "{}", text);
            let name = !text.is_empty()
                && text.bytes().any(|b| b.is_ascii_alphabetic())
                && !text.starts_with(['.', '-'])
                && !text.contains("..")
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
            prop_assert_eq!(is_host_name(&text), name, "{}", text);
        }
    }

    #[test]
    fn endpoints() {
        assert_eq!(split_port("10.0.0.3:8080"), ("10.0.0.3", Some(8080)));
        assert_eq!(split_port("10.0.0.3"), ("10.0.0.3", None));
        assert_eq!(split_port("[2001:db8::1]:443"), ("2001:db8::1", Some(443)));
        assert_eq!(split_port("2001:db8::1"), ("2001:db8::1", None));
        assert_eq!(split_port("db.internal:5432"), ("db.internal", Some(5432)));
        assert_eq!(split_port("unix:/run/app.sock"), ("unix:/run/app.sock", None));
        assert_eq!(ip("::ffff:10.0.0.1"), "10.0.0.1".parse().ok());
        assert!(ip("fe80::1%eth0").is_some());
        assert!(is_ip_port("10.0.0.3:8080") && !is_ip_port("10.0.0.3") && !is_ip_port("a:1"));
        assert!(is_host_name("api.shop.internal") && !is_host_name("10.0.0.1") && !is_host_name("a..b"));
    }
}
