//! What Python's application servers write of requests: uvicorn (also hypercorn in its likeness) and uWSGI.

use crate::format::{Cx, Fit, Format};
use crate::formats::access::put_request;
use crate::formats::cursor::{Cursor, first_line};
use crate::formats::fill;
use crate::seek::Needle;
use crate::stamp;
use whyline_event::{Key, Record, Value, address};

/// uvicorn's access line: `INFO:     203.0.113.9:50122 - "GET /cart HTTP/1.1" 500 Internal Server Error`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uvicorn;

impl Format for Uvicorn {
    fn name(&self) -> &'static str {
        "uvicorn.access"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = first_line(text);
        // Cheap first: the request in quotes and a word of three digits behind it.
        const QUOTE: Needle = Needle::new(" - \"");
        let quote = QUOTE.find(line)?;
        let mut head = Cursor::new(line.get(..quote)?);
        let stamp = head.stamp();
        head.blanks();
        let level = match head.rest.split_once(':') {
            Some((word, rest)) if whyline_event::Severity::from_word(word).is_some() => {
                head.rest = rest.trim_start();
                Some(word)
            }
            _ => None,
        };
        let client = head.rest.trim_end();
        if level.is_none() || !address::is_ip_port(client) && !client.is_empty() {
            return None;
        }
        let (request, rest) = line.get(quote + 4..)?.rsplit_once("\" ")?;
        let status = rest.split(' ').next().filter(|s| s.len() == 3)?;
        status.parse::<u16>().ok().filter(|n| (100..600).contains(n))?;
        record.format = "uvicorn.access";
        record.body = text;
        if stamp.is_some() {
            record.stamp = stamp;
        }
        fill::level(record, level?);
        fill::client(record, client);
        put_request(request, cx, record);
        fill::once_int(record, Key::Status, status);
        Some(92)
    }
}

/// uWSGI: its request lines, and what the master says of itself with a stamp in front.
///
/// `[pid: 811|app: 0|req: 1/1] 203.0.113.9 (ann) {34 vars in 400 bytes} [Sat Nov 21 10:15:02 2026] GET /cart => generated 12 bytes
/// in 3 msecs (HTTP/1.1 200) 2 headers in 80 bytes (1 switches on core 0)`
#[derive(Clone, Copy, Debug, Default)]
pub struct Uwsgi;

impl Format for Uwsgi {
    fn name(&self) -> &'static str {
        "uwsgi"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if text.starts_with("[pid: ") {
            return uwsgi_request(text, record);
        }
        let (stamp, said) = uwsgi_notice(text)?;
        let own = said.starts_with("*** ") || ["uWSGI", "HARAKIRI", "SIGPIPE: ", "DAMN ! worker "].iter().any(|word| said.contains(word));
        if !own {
            return None;
        }
        record.format = "uwsgi";
        record.body = said;
        if stamp.is_some() {
            record.stamp = stamp;
        }
        Some(85)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        line.starts_with("[pid: ") || uwsgi_notice(line).is_some()
    }
}

fn uwsgi_request<'a>(text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    let mut c = Cursor::new(text);
    c.must("[pid: ")?;
    let pid = c.digits()?;
    c.until("] ")?;
    let client = c.until(" (")?;
    let user = c.until(") {")?;
    c.until("} [")?;
    let stamp = c.stamp()?;
    c.must("] ")?;
    let method = c.word().filter(|w| fill::is_method(w))?;
    c.must(" ")?;
    let target = c.until(" => generated ")?;
    let bytes = c.digits()?;
    c.must(" bytes in ")?;
    let took = c.digits()?;
    let unit = c.until(" (")?;
    let protocol = c.word()?;
    c.blanks();
    let status = c.digits()?;
    record.format = "uwsgi";
    record.body = text;
    record.stamp = Some(stamp);
    fill::once_int(record, Key::ProcessPid, pid);
    fill::client(record, client);
    fill::once_str(record, Key::User, user);
    fill::once_str(record, Key::Method, method);
    fill::target(record, target);
    fill::once_int(record, Key::Status, status);
    fill::once_int(record, Key::ResponseBytes, bytes);
    fill::once_str(record, Key::HttpVersion, protocol.strip_prefix("HTTP/").unwrap_or(""));
    let duration = if unit.contains("micros") {
        took.parse::<i64>().ok().map(|n| Value::Duration(n.saturating_mul(1000)))
    } else {
        Value::millis(took)
    };
    if let Some(duration) = duration {
        fill::once(record, Key::Duration, duration);
    }
    Some(93)
}

/// `Sat Nov 21 10:15:02 2026 - *** text ***`, and the start-up banner, whose stamp is inside.
fn uwsgi_notice(text: &str) -> Option<(Option<whyline_event::Stamp>, &str)> {
    if let Some(banner) = text.strip_prefix("*** Starting uWSGI ") {
        let time = banner.split_once(" on [")?.1;
        return Some((stamp::prefix(time).map(|(stamp, _)| stamp), text));
    }
    let mut c = Cursor::new(text);
    // The C library's date: weekday first, the year last.
    if !text.as_bytes().first()?.is_ascii_uppercase() || text.as_bytes().get(3) != Some(&b' ') {
        return None;
    }
    let stamp = c.stamp()?;
    c.must(" - ")?;
    Some((Some(stamp), c.rest))
}
