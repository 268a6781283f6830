//! Access logs as labelled lines: LTSV (`label:value` between tabs) and `key=value`.

use super::pairs::{self, Pair};
use super::token;
use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use whyline_event::Record;

/// Access logs in LTSV or as `key=value`.
#[derive(Clone, Copy, Debug)]
pub struct Labelled;

impl Format for Labelled {
    fn name(&self) -> &'static str {
        "nginx.access"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = first_line(text).trim_end();
        let mut found = if line.contains('\t') { ltsv(line)? } else { equals(line)? };
        pairs::read(&mut found, cx, text, record)
    }
}

/// Fewer columns than this are no access record.
const LEAST: usize = 4;

fn ltsv(line: &str) -> Option<Vec<Pair<'_>>> {
    let mut found = Vec::with_capacity(16);
    for column in line.split('\t').filter(|c| !c.is_empty()) {
        let (label, value) = column.split_once(':')?;
        let fits =
            !label.is_empty() && label.len() <= 40 && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if !fits {
            return None;
        }
        found.push(Pair::new(label, value, false));
    }
    (found.len() >= LEAST).then_some(found)
}

fn equals(line: &str) -> Option<Vec<Pair<'_>>> {
    if !line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') || !line.contains('=') {
        return None;
    }
    let tokens = token::scan(line);
    let known = tokens.len() >= LEAST && tokens.iter().all(|t| !t.key.is_empty());
    known.then(|| tokens.iter().map(|t| Pair::new(t.key, t.text, t.kind == token::Kind::Quoted)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, fit};
    use super::*;

    #[test]
    fn lines() {
        for (line, want) in [
            (
                "time:2026-11-21T04:12:20-06:00\thost:2001:db8::1f\treq:GET /api?x=1 HTTP/1.1\tstatus:200\tsize:55\treqtime:0.003\tapptime:0.002\t\
                 upstream:10.8.8.1:3000\tua:Mozilla/5.0 (X11; x)\treferer:-",
                "nginx.access 2026-11-21T10:12:20Z - - http.request.method=GET url.path=/api url.query=x=1 network.protocol.version=1.1 \
                 client.address=2001:db8::1f http.response.status_code=200 http.response.body.size=55 http.server.request.duration=0.003 \
                 upstream.response.duration=0.002 upstream.address=10.8.8.1:3000 user_agent.original=Mozilla/5.0 (X11; x)",
            ),
            (
                "time=2026-11-21T04:12:20Z remote=10.0.0.1 method=PUT uri=/x status=201 took=5ms",
                "nginx.access 2026-11-21T04:12:20Z - - http.request.method=PUT url.path=/x client.address=10.0.0.1 \
                 http.response.status_code=201 http.server.request.duration=0.005",
            ),
        ] {
            assert_eq!(fields(&Labelled, line), want, "{line}");
        }
        for no in ["", "a:b\tc:d", "\t\t", "x", "level=info msg=done method=GET path=/ status=200 x=1", "a:1\tb\tstatus:200"] {
            assert_eq!(fit(&Labelled, no), None, "{no}");
        }
    }
}
