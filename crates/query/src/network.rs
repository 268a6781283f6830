//! Addresses and address ranges of a query.

use crate::words::{eq_folded, folded};
use std::net::IpAddr;
use whyline_event::address;

/// An address that a query names: `10.0.0.3`, `10.0.0.3:8080`, `[2001:db8::1]:443`, `db.internal`, `unix:/run/x.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The host part, case folded.
    pub host: String,
    /// The host part as an IP address, if it is one.
    pub ip: Option<IpAddr>,
    /// The port. Without one, any port fits.
    pub port: Option<u16>,
}

impl Endpoint {
    /// Reads an address; any text is one.
    pub fn parse(text: &str) -> Endpoint {
        let (host, port) = address::split_port(text);
        Endpoint { host: folded(host), ip: address::ip(text), port }
    }

    /// Whether an address of a record is this one.
    pub fn fits(&self, text: &str) -> bool {
        let (host, port) = address::split_port(text);
        if self.port.is_some() && self.port != port {
            return false;
        }
        match self.ip {
            Some(_) => address::ip(text) == self.ip,
            None => eq_folded(host, &self.host),
        }
    }
}

/// A range of addresses as `ADDRESS/BITS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// The address and its number of bits, where a text would be a range if its prefix were not longer than that.
    pub(crate) fn too_long(text: &str) -> Option<(IpAddr, u8)> {
        let (base, bits) = text.split_once('/')?;
        let base: IpAddr = base.parse().ok()?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let digits = !bits.is_empty() && bits.len() <= 9 && bits.bytes().all(|b| b.is_ascii_digit());
        (digits && bits.parse::<u32>().is_ok_and(|bits| bits > most)).then_some((base, if base.is_ipv4() { 32 } else { 128 }))
    }

    /// Reads `10.0.0.0/8` or `2001:db8::/32`. `None` when the text is no such range.
    pub fn parse(text: &str) -> Option<Network> {
        let (base, bits) = text.split_once('/')?;
        if bits.is_empty() || bits.len() > 3 || !bits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (base, bits): (IpAddr, u8) = (base.parse().ok()?, bits.parse().ok()?);
        // Records have IPv4 addresses written as IPv6 read as IPv4.
        let (base, bits) = match base {
            IpAddr::V6(v6) => match (v6.to_ipv4_mapped(), bits.checked_sub(96)) {
                (Some(v4), Some(bits)) => (IpAddr::V4(v4), bits),
                _ => (base, bits),
            },
            IpAddr::V4(_) => (base, bits),
        };
        let most = if base.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Network { base, bits })
    }

    /// Whether an address lies in the range.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.base, ip) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                (base.to_bits() ^ ip.to_bits()) & mask == 0
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                (base.to_bits() ^ ip.to_bits()) & mask == 0
            }
            _ => false,
        }
    }

    /// Whether the text names an address in the range, with or without a port.
    pub fn fits(&self, text: &str) -> bool {
        address::ip(text).is_some_and(|ip| self.contains(ip))
    }

    /// First and last address of the range.
    pub fn bounds(&self) -> (IpAddr, IpAddr) {
        match self.base {
            IpAddr::V4(base) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                (IpAddr::V4((base.to_bits() & mask).into()), IpAddr::V4((base.to_bits() | !mask).into()))
            }
            IpAddr::V6(base) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                (IpAddr::V6((base.to_bits() & mask).into()), IpAddr::V6((base.to_bits() | !mask).into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        for (query, text, want) in [
            ("10.0.0.3", "10.0.0.3:8080", true),
            ("10.0.0.3", "10.0.0.30:8080", false),
            ("10.0.0.3:8080", "10.0.0.3:8080", true),
            ("10.0.0.3:8080", "10.0.0.3", false),
            ("10.0.0.3:8080", "10.0.0.3:8081", false),
            ("2001:db8::1", "[2001:DB8:0::1]:443", true),
            ("[2001:db8::1]:443", "[2001:db8::1]:443", true),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("db.internal", "DB.internal:5432", true),
            ("db.internal:5432", "db.internal:5433", false),
            ("unix:/run/app.sock", "unix:/run/app.sock", true),
        ] {
            assert_eq!(Endpoint::parse(query).fits(text), want, "{query} {text}");
        }
    }

    #[test]
    fn networks() {
        for (query, text, want) in [
            ("10.0.0.0/8", "10.200.3.4:80", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("10.0.0.3/32", "10.0.0.3", true),
            ("2001:db8::/32", "[2001:db8:5::1]:443", true),
            ("::/0", "2001:db8::1", true),
            ("::ffff:10.0.0.0/104", "10.2.3.4", true),
            ("10.0.0.0/8", "web01", false),
        ] {
            assert_eq!(Network::parse(query).unwrap().fits(text), want, "{query} {text}");
        }
        for text in ["10.0.0.0/33", "10.0.0.0", "a/8", "10.0.0.0/", "10.0.0/8", "10.0.0.0/+8"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
        let (first, last) = Network::parse("10.1.2.3/24").unwrap().bounds();
        assert_eq!((first.to_string(), last.to_string()), ("10.1.2.0".into(), "10.1.2.255".into()));
    }
}
