//! Squid's native access log.
//!
//! ```text
//! 1795255001.250    123 10.0.0.1 TCP_MISS/200 1234 GET http://example.com/ bob HIER_DIRECT/198.51.100.7 text/html
//! ```

use super::meaning::{self, Meaning, Unit, is_status};
use super::request;
use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use crate::stamp;
use whyline_event::{Key, Record, Value, address};

/// Squid's native access log.
#[derive(Clone, Copy, Debug)]
pub struct Squid;

impl Format for Squid {
    fn name(&self) -> &'static str {
        "squid.access"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let mut words = first_line(text).split_ascii_whitespace();
        let (stamp, _) = words.next().filter(|w| w.contains('.')).and_then(stamp::epoch)?;
        let took = words.next().filter(|w| w.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit()))?;
        let client = words.next()?;
        let (cache, status) = words.next()?.split_once('/').filter(|(_, status)| is_status(status))?;
        let bytes = words.next().filter(|w| w.bytes().all(|b| b.is_ascii_digit()))?;
        let method = words.next().filter(|w| request::is_method(w) || *w == "NONE" || *w == "-")?;
        let (target, user) = (words.next()?, words.next()?);
        let (hierarchy, peer) = words.next()?.split_once('/')?;
        record.format = "squid.access";
        record.body = text;
        record.severity = None;
        record.stamp = Some(stamp);
        meaning::put(Meaning::Took(Key::Duration, Unit::Millis), "", took, cx, record);
        meaning::put(Meaning::Client, "", client, cx, record);
        record.put_str(Key::CacheStatus, cache);
        meaning::put(Meaning::Status, "", status, cx, record);
        record.put_int(Key::ResponseBytes, bytes);
        record.put_str(Key::Method, method);
        request::put_target(target, cx, record);
        if let Some(server) = server(method, target) {
            record.put_str(Key::ServerAddress, server);
        }
        record.put_str(Key::User, user);
        record.put_other("squid.hierarchy", Value::Str(hierarchy));
        meaning::put(Meaning::Upstreams, "", peer, cx, record);
        Some(94)
    }
}

/// Whom the client wants to reach: the host in the URL, or what a tunnel is asked to.
fn server<'a>(method: &str, target: &'a str) -> Option<&'a str> {
    let asked = address::of_url(target).or_else(|| (method == "CONNECT").then_some(target))?;
    Some(address::split_port(asked).0).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, fit};
    use super::*;

    #[test]
    fn lines() {
        assert_eq!(
            fields(
                &Squid,
                "1795255001.250    123 10.0.0.1 TCP_MISS/200 1234 GET http://a.example/x?y bob HIER_DIRECT/198.51.100.7 text/html"
            ),
            "squid.access 2026-11-21T09:56:41.250Z - - http.server.request.duration=0.123 client.address=10.0.0.1 http.cache.status=TCP_MISS \
             http.response.status_code=200 http.response.body.size=1234 http.request.method=GET url.full=http://a.example/x?y url.path=/x \
             url.query=y server.address=a.example user.name=bob squid.hierarchy=HIER_DIRECT upstream.address=198.51.100.7"
        );
        let asked = [("CONNECT", "a.example:443"), ("GET", "http://bob@[::1]:80/x"), ("GET", "/x"), ("GET", "http:///x")];
        assert_eq!(asked.map(|(method, target)| server(method, target)), [Some("a.example"), Some("::1"), None, None]);
        for no in ["", "1795255001.250", "1795255001 1 2 3/200 4 GET / - a/b", "1.5 1 10.0.0.1 X/200 1 GET / - a/b"] {
            assert_eq!(fit(&Squid, no), None, "{no}");
        }
    }
}
