//! Addresses as they stand in logs: `10.0.0.3`, `10.0.0.3:8080`, `[2001:db8::1]:443`, `db.internal:5432`, `unix:/run/x.sock`.

use std::net::IpAddr;

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
    match text.rsplit_once(':') {
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

/// Whether a text is `IP:PORT` (or `[IPv6]:PORT`).
pub fn is_ip_port(text: &str) -> bool {
    matches!(split_port(text), (_, Some(_))) && ip(text).is_some()
}

/// Whether a text could be a host name (RFC 1123 labels, at least one letter, also single-label names and underscores as
/// container networks use them).
pub fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.split('.').filter(|l| !l.is_empty()).count() > 0
        && !text.starts_with(['.', '-'])
        && !text.contains("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

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
