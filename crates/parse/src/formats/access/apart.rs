//! Access lines of a layout of one's own in which the request stands apart: method and target are columns of their own, with a time before
//! them, a status beside them and the client's address somewhere.
//!
//! Columns are parted by blanks, tabs, bars, semicolons or commas. What the others mean is told by their shape, as in `shape`.

use super::anchors::find_time;
use super::infer::{self, Row};
use super::meaning::{self, Meaning};
use super::request;
use super::shape::{by_shape, is_level, is_of_envelope};
use super::token::{self, Kind, Token, Tokens};
use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use std::ops::Range;
use std::sync::Arc;
use whyline_event::{Key, Record, Stamp, Value, address};

/// The reader.
#[derive(Clone, Debug, Default)]
pub struct Apart {
    /// What the columns behind the request mean, where the source taught it.
    tail: Option<Vec<Meaning>>,
}

const NAME: &str = "http.access";

impl Format for Apart {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = first_line(text).trim_end();
        let tokens = columns(line);
        let places = places(line, &tokens)?;
        record.format = NAME;
        record.body = text;
        record.severity = None;
        record.stamp = Some(places.stamp);
        let client = tokens.get(places.client)?;
        meaning::put(Meaning::Client, "", client.text, cx, record);
        if let Some(method) = tokens.get(places.method) {
            record.put(Key::Method, Value::Str(method.text));
        }
        for (at, meaning) in [(places.target, Meaning::Target), (places.status, Meaning::Status)] {
            if let Some(token) = tokens.get(at) {
                meaning::put(meaning, "", token.text, cx, record);
            }
        }
        for (at, token) in tokens.iter().enumerate().take(places.target) {
            if !places.holds(at) {
                meaning::put(by_shape(token, true), token.key, token.text, cx, record);
            }
        }
        self.put_tail(line, &tokens, &places, cx, record);
        Some(if self.tail.is_some() { 78 } else { 70 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        places(line, &columns(line)).is_some()
    }

    fn learn(&self, head: &[&str]) -> Option<Arc<dyn Format>> {
        let lines: Vec<(&str, Tokens<'_>)> =
            head.iter().map(|text| first_line(text).trim_end()).map(|line| (line, columns(line))).collect();
        let rows: Vec<Row<'_>> = lines
            .iter()
            .filter_map(|(line, tokens)| {
                let places = places(line, tokens)?;
                let status = tokens.get(places.status).map_or("", |t| t.text);
                Some(Row { columns: behind(tokens, &places).copied().collect(), status })
            })
            .collect();
        (rows.len() > 1).then(|| Arc::new(Apart { tail: Some(infer::tail(&rows)) }) as Arc<dyn Format>)
    }
}

impl Apart {
    fn put_tail<'a>(&self, line: &'a str, tokens: &Tokens<'a>, places: &Places, cx: &Cx<'a>, record: &mut Record<'a>) {
        let alone;
        let tail: &[Meaning] = match &self.tail {
            Some(learnt) => learnt,
            None => {
                let status = tokens.get(places.status).map_or("", |t| t.text);
                alone = infer::tail(&[Row { columns: behind(tokens, places).copied().collect(), status }]);
                &alone
            }
        };
        for (at, token) in behind(tokens, places).enumerate() {
            let meaning = match token.key {
                "" => tail.get(at).copied().unwrap_or(Meaning::Nothing),
                key => super::shape::keyed(key, token.text, false),
            };
            if meaning == Meaning::Text(Key::UserAgent) && infer::is_bare_agent(token) {
                // A user agent without quotes takes the rest of the line, or of its column.
                let end = separator(line).map_or(line.len(), |_| token.end);
                meaning::put(meaning, "", line.get(token.start..end).unwrap_or(token.text), cx, record);
                return;
            }
            meaning::put(meaning, token.key, token.text, cx, record);
        }
    }
}

/// Which column is what.
struct Places {
    stamp: Stamp,
    time: Range<usize>,
    client: usize,
    method: usize,
    target: usize,
    status: usize,
}

impl Places {
    fn holds(&self, at: usize) -> bool {
        self.time.contains(&at) || [self.client, self.method, self.target, self.status].contains(&at)
    }
}

/// The columns behind the target that are none of the known ones.
fn behind<'t, 'a>(tokens: &'t Tokens<'a>, places: &'t Places) -> impl Iterator<Item = &'t Token<'a>> {
    tokens.iter().enumerate().skip(places.target + 1).filter(|(at, _)| !places.holds(*at)).map(|(_, token)| token)
}

fn columns(line: &str) -> Tokens<'_> {
    match separator(line) {
        Some(mark) => token::separated(line, mark),
        None => token::scan(line),
    }
}

/// The mark between columns, where it is no blank: it stands four times at least, and the method alone between two.
fn separator(line: &str) -> Option<u8> {
    let is_method = |column: &str| request::is_known_method(column.trim().trim_matches('"'));
    ['\t', '|', ';', ',']
        .into_iter()
        .find(|mark| line.matches(*mark).count() >= 4 && line.split(*mark).any(is_method))
        .map(|mark| mark as u8)
}

fn places(line: &str, tokens: &Tokens<'_>) -> Option<Places> {
    let plain = |at: usize| tokens.get(at).filter(|t| t.key.is_empty() && t.kind != Kind::Bracketed);
    let is = |at: usize, test: fn(&str) -> bool| plain(at).is_some_and(|t| test(t.text));
    let method = (0..tokens.len()).find(|at| is(*at, request::is_known_method))?;
    let target = [method + 1, method + 2].into_iter().find(|at| is(*at, request::is_target))?;
    let behind_protocol = is(target + 1, |text| text.starts_with("HTTP/")).then_some(target + 2);
    let beside = [Some(target + 1), behind_protocol, method.checked_sub(1)];
    let status = beside.into_iter().flatten().find(|at| is(*at, is_answer))?;
    let (stamp, time) = find_time(line, tokens, method)?;
    let free = |at: &usize| !time.contains(at) && *at != status;
    let client = (0..tokens.len()).filter(free).find(|at| is(*at, is_client))?;
    // What a logger writes before its message, and words of a sentence: no columns of requests.
    let before = tokens.iter().enumerate().take(method).filter(|(at, _)| free(at));
    if before.into_iter().any(|(_, t)| t.key.is_empty() && (is_level(t) || is_of_envelope(t))) {
        return None;
    }
    let is_word =
        |t: &Token<'_>| t.kind == Kind::Bare && t.key.is_empty() && t.text.len() > 1 && t.text.bytes().all(|b| b.is_ascii_lowercase());
    let agent = tokens.iter().position(infer::is_bare_agent).unwrap_or(tokens.len());
    let words = tokens.iter().take(agent).filter(|t| is_word(t) && !matches!(t.text, "http" | "https" | "ws" | "wss")).count();
    (words <= 1).then_some(Places { stamp, time, client, method, target, status })
}

/// Whether a text is a status that servers answer with (RFC 9110, and nginx's 499 and the like).
fn is_answer(text: &str) -> bool {
    meaning::is_status(text) && matches!(text.as_bytes().first(), Some(b'1'..=b'5'))
}

fn is_client(text: &str) -> bool {
    address::ip(text).is_some() || address::is_ip_port(text)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, fit};
    use super::*;

    #[test]
    fn any_order() {
        let want = "http.access 2026-12-01T05:37:32Z - - client.address=192.0.2.26 http.request.method=GET url.path=/seats/7 \
                    http.response.status_code=504";
        for line in [
            "2026-12-01T07:37:32+02:00 192.0.2.26 GET /seats/7 504",
            "2026-12-01T07:37:32+02:00 192.0.2.26 504 GET \"/seats/7\"",
            "[01/Dec/2026:07:37:32 +0200] 192.0.2.26 GET /seats/7 504",
            "192.0.2.26 [01/Dec/2026:07:37:32 +0200] GET /seats/7 504",
            "2026-12-01T07:37:32+02:00\t192.0.2.26\tGET\t/seats/7\t504",
            "2026-12-01T07:37:32+02:00 | 192.0.2.26 | GET | /seats/7 | 504",
            "192.0.2.26|2026-12-01T07:37:32+02:00|GET|/seats/7|504",
            "2026-12-01T07:37:32+02:00,192.0.2.26,\"GET\",\"/seats/7\",504",
        ] {
            assert_eq!(fields(&Apart::default(), line), want, "{line}");
        }
    }

    #[test]
    fn columns_are_learnt() {
        let lines = [
            "2026-12-01T07:37:32+02:00 192.0.2.26 200 GET \"/a?x=1\" 0.021 0.020 \"okhttp/4.12.0\"",
            "2026-12-01T07:37:33+02:00 192.0.2.27 504 GET \"/b\" 10.001 10.000 \"okhttp/4.12.0\"",
        ];
        let learnt = Apart::default().learn(&lines).unwrap();
        assert_eq!(
            fields(&*learnt, lines[1]),
            "http.access 2026-12-01T05:37:33Z - - client.address=192.0.2.27 http.request.method=GET url.path=/b \
             http.response.status_code=504 http.server.request.duration=10.001 upstream.response.duration=10 \
             user_agent.original=okhttp/4.12.0"
        );
    }

    #[test]
    fn other_lines_are_left() {
        for no in [
            "",
            "2026-12-01T07:37:32Z GET /seats/7 504",
            "2026-12-01T07:37:32Z INFO 192.0.2.26 GET /seats/7 504",
            "2026-12-01T07:37:32Z web1 app[7]: 192.0.2.26 GET /seats/7 504",
            "2026-12-01T07:37:32Z 192.0.2.26 asked for GET /seats/7 504 times",
            "2026-12-01T07:37:32Z 192.0.2.26 GET /seats/7 took 504",
            "192.0.2.26 GET /seats/7 504",
            "2026-12-01T07:37:32Z 192.0.2.26 GET seats 504",
        ] {
            assert_eq!(fit(&Apart::default(), no), None, "{no}");
        }
    }
}
