//! One walk from left to right through a line whose columns are known ([`super::quick`]).

use super::anchors::bare_time;
use super::meaning::{self, Meaning};
use super::quick::{Column, MOST_BEFORE, MustBe, Quick};
use super::request::{self, Request};
use super::shape;
use super::steps::{self, Step, eight, ends_at};
use super::token::{Kind, Token, split_key};
use crate::format::{Cx, Fit};
use crate::formats::cursor::{is_tight, trimmed};
use crate::marks::{Marks, Own};
use crate::stamp;
use whyline_event::{Key, Record, Stamp, Value, address};

impl Quick {
    /// Reads a line. `None`, and the record as it was, for a text that needs the careful reader.
    pub fn read<'a>(&self, line: &'a str, cx: &Cx<'a>, record: &mut Record<'a>) -> Option<Fit> {
        self.read_marked(line, &Own::default().mark(line.as_bytes())?, cx, record)
    }

    /// [`Quick::read`] of a line whose marks are known.
    pub fn read_marked<'a>(&self, line: &'a str, marks: &Marks<'_>, cx: &Cx<'a>, record: &mut Record<'a>) -> Option<Fit> {
        let mark = record.fields.len();
        let Some((stamp, vhost)) = self.walk(line, marks, cx, record) else {
            record.fields.truncate(mark);
            return None;
        };
        record.format = if self.apache || vhost { "apache.access" } else { "nginx.access" };
        record.body = line;
        record.severity = None;
        record.stamp = Some(stamp);
        Some(88)
    }

    /// Adds the fields of a line. Returns its stamp, and whether it begins with a virtual host and its port.
    fn walk<'a>(&self, line: &'a str, marks: &Marks<'_>, cx: &Cx<'a>, record: &mut Record<'a>) -> Option<(Stamp, bool)> {
        let mut way = Way { line, bytes: line.as_bytes(), marks: *marks, at: 0 };
        record.fields.reserve(2 * MOST_BEFORE + self.behind.len());
        let mut before = [Word::default(); MOST_BEFORE];
        let before = before.get_mut(..self.before)?;
        for place in before.iter_mut() {
            *place = way.word()?;
        }
        let from = way.at;
        let (end, dots) = steps::digits_and_dots(way.bytes, from, false);
        // Digits and three dots: no notation of time looks so.
        let usual_client = steps::are_three(dots) && end >= from + 7 && end <= from + 15 && ends_at(way.bytes, end);
        let client = if usual_client { way.take(from, end, end)? } else { way.word()?.text };
        if !usual_client && reads_like_time(line, client, way.at - 1 - client.len()) {
            return None;
        }
        let vhost = put_before(line, before, usual_client, cx, record)?;
        match usual_client {
            true => record.put(Key::ClientAddress, Value::Str(client)),
            false => meaning::put_client(client, record),
        }
        // Mostly neither the identity nor the user is known.
        if way.bytes.get(way.at..way.at + 4) == Some(b"- - ") {
            way.at += 4;
        } else {
            if way.word()?.text != "-" {
                return None;
            }
            let user = way.word()?.text;
            if user.len() >= 10 && reads_like_time(line, user, way.at - 1 - user.len()) {
                return None;
            }
            record.put_str(Key::User, user);
        }
        let stamp = way.time()?;
        request::put_plain(&way.request()?, record);
        record.put(Key::Status, Value::Int(way.status()?));
        self.behind(way, cx, record)?;
        Some((stamp, vhost))
    }

    /// Adds the fields behind the status; the last one must end with the line. A function of its own, and what it does seldom in another:
    /// processors have few registers, and this loop is half of the reading.
    #[inline(never)]
    fn behind<'a>(&self, way: Way<'a, '_>, cx: &Cx<'a>, record: &mut Record<'a>) -> Option<()> {
        let mut at = way.at;
        for column in &self.behind {
            let from = way.lead(column, at)?;
            at = match way.usual(column, at, from, record) {
                Some(next) => next,
                None => self.any(column, Way { at: from, ..way }, cx, record)?,
            };
        }
        // Behind the last column stands the end, which was counted as a blank.
        (at == way.line.len() + 1).then_some(())
    }

    /// Adds the field of a column behind the status, whatever its value. Returns where the next column begins.
    #[inline(never)]
    fn any<'a>(&self, column: &Column, mut way: Way<'a, '_>, cx: &Cx<'a>, record: &mut Record<'a>) -> Option<usize> {
        let from = way.at;
        let text = way.value(column)?;
        self.put(column, text, way.line, from, cx, record)?;
        Some(way.at)
    }

    /// Adds the field of a column behind the status; `text` begins at `from`.
    #[inline]
    fn put<'a>(&self, column: &Column, text: &'a str, line: &'a str, from: usize, cx: &Cx<'a>, record: &mut Record<'a>) -> Option<()> {
        let first = text.as_bytes().first().copied().unwrap_or(0);
        if first == b'-' && text.len() == 1 {
            return Some(());
        }
        let fits = match column.must_be {
            MustBe::Anything => true,
            MustBe::Size => text.bytes().all(|b| b.is_ascii_digit()),
            MustBe::Addresses => text.split(',').all(|t| address::ip(t.trim()).is_some()),
        };
        if !fits {
            return None;
        }
        let key = || {
            let start = from - column.lead.len();
            line.get(start..start + column.key).unwrap_or("")
        };
        match column.meaning {
            Some(Meaning::Text(key)) => record.put_str(key, trimmed(text)),
            Some(Meaning::Took(key, unit)) => match meaning::duration(text, unit) {
                Some(value) => record.put(key, value),
                None => meaning::put(Meaning::Took(key, unit), "", text, cx, record),
            },
            Some(Meaning::Ints(key)) => match small_number(text) {
                Some(number) => record.put(key, Value::Int(number)),
                None => meaning::put(Meaning::Ints(key), "", text, cx, record),
            },
            Some(Meaning::Upstreams) if is_ip_and_port(text) => record.put(Key::UpstreamAddress, Value::Str(text)),
            // What begins with a letter is no number.
            Some(Meaning::Named) if first.is_ascii_alphabetic() && column.kind == Kind::Bare => record.put_other(key(), Value::Str(text)),
            Some(Meaning::Named) => meaning::put(Meaning::Named, key(), text, cx, record),
            Some(Meaning::Nothing) => {}
            Some(meaning) => meaning::put(meaning, "", text, cx, record),
            None => meaning::put(shape::keyed(key(), text, self.upstream_keys), key(), text, cx, record),
        }
        Some(())
    }
}

/// Adds the columns before the client. Returns whether the first is a virtual host with its port; `None` where they show that the line
/// is of an envelope or of another order.
fn put_before<'a>(line: &str, before: &[Word<'a>], usual_client: bool, cx: &Cx<'a>, record: &mut Record<'a>) -> Option<bool> {
    if let [only] = before
        && usual_client
        && only.is_host_name()
    {
        record.put(Key::ServerAddress, Value::Str(only.text));
        return Some(false);
    }
    let mut meanings = [Meaning::Nothing; MOST_BEFORE];
    let mut start = 0;
    for (at, (word, place)) in before.iter().zip(&mut meanings).enumerate() {
        *place = before_client(word)?;
        let text = word.text;
        // A word begins a time only where a day or a time of day follows.
        let word = usual_client && at + 1 == before.len() && word.begins_with_letter() && !word.has(COLON);
        if (at == 0 || text.len() >= 10) && !word && reads_like_time(line, text, start) {
            return None;
        }
        start += text.len() + 1;
    }
    let first = before.first().copied().unwrap_or_default();
    let vhost = meanings.first() == Some(&Meaning::Server) && first.has(COLON) && address::split_port(first.text).1.is_some();
    for (word, meaning) in before.iter().zip(meanings) {
        match meaning {
            Meaning::Server if !vhost && !word.has(COLON) => record.put_str(Key::ServerAddress, word.text),
            meaning => meaning::put(meaning, "", word.text, cx, record),
        }
    }
    Some(vhost)
}

/// A place in a line.
struct Way<'a, 'm> {
    line: &'a str,
    bytes: &'a [u8],
    marks: Marks<'m>,
    at: usize,
}

impl<'a> Way<'a, '_> {
    /// A part of the line. `str::get` of the standard library is not put in place here, and a call costs as much again.
    #[inline(always)]
    fn part(&self, from: usize, end: usize) -> Option<&'a str> {
        let (before, _) = self.line.split_at_checked(end)?;
        before.split_at_checked(from).map(|(_, part)| part)
    }

    /// The text up to `end`, with the blank or the end of the line behind `after` passed.
    #[inline(always)]
    fn take(&mut self, from: usize, end: usize, after: usize) -> Option<&'a str> {
        if self.bytes.get(after).is_some_and(|b| *b != b' ') {
            return None;
        }
        self.at = after + 1;
        self.part(from, end)
    }

    /// A value without key, quotes or brackets.
    #[inline(always)]
    fn word(&mut self) -> Option<Word<'a>> {
        let from = self.at;
        let end = self.marks.end(from)?;
        let word = Word::of(self.take(from, end, end)?);
        word.is_one_value().then_some(word)
    }

    /// The time in its brackets.
    fn time(&mut self) -> Option<Stamp> {
        let from = self.at + 1;
        if self.bytes.get(self.at) != Some(&b'[') {
            return None;
        }
        // The usual time has 26 letters.
        if self.bytes.get(from + 26) == Some(&b']')
            && let Some(stamp) = self.part(from, from + 26).and_then(stamp::common_log)
        {
            self.take(from, from + 26, from + 27)?;
            return Some(stamp);
        }
        let end = from + memchr::memchr(b']', self.bytes.get(from..)?)?;
        meaning::time(self.take(from, end, end + 1)?)
    }

    /// Three digits, the first not 0, or `000`.
    #[inline(always)]
    fn status(&mut self) -> Option<i64> {
        let number = steps::three_digits(self.bytes, self.at)?;
        self.at += 4;
        (number >= 100 || number == 0).then_some(number)
    }

    /// The request in its quotes; nearly all are `METHOD target HTTP/version` with single blanks.
    fn request(&mut self) -> Option<Request<'a>> {
        let (b, from) = (self.bytes, self.at + 1);
        if b.get(self.at) != Some(&b'"') {
            return None;
        }
        let end = self.marks.quote(from)?;
        let first = self.marks.end(from)?;
        let second = self.marks.end(first + 1)?;
        if first < second && second < end && self.marks.end(second + 1) == Some(end) {
            let (method, target) = (self.part(from, first)?, self.part(first + 1, second)?);
            let version = self.part(second + 1, end)?.strip_prefix("HTTP/").unwrap_or("");
            if request::is_method(method) && request::is_version(version) && is_tight(target) {
                self.take(from, end, end + 1)?;
                return Some(Request { method, target, version: Some(version) });
            }
        }
        request::split_http(self.take(from, end, end + 1)?)
    }

    /// Where the value of a column behind the status begins, whose lead must stand at a place.
    #[inline(always)]
    fn lead(&self, column: &Column, at: usize) -> Option<usize> {
        let (b, from) = (self.bytes, at + column.lead.len());
        let same = match eight(b, at) {
            Some(word) if column.lead.len() <= 8 => word & column.word.1 == column.word.0,
            _ => b.get(at..from)? == column.lead.as_bytes(),
        };
        same.then_some(from)
    }

    /// Reads a value of the usual form, which begins at `from`, of a column that begins at `start`. Returns where the next column begins;
    /// `None` for any other value.
    #[inline(always)]
    fn usual(&self, column: &Column, start: usize, from: usize, record: &mut Record<'a>) -> Option<usize> {
        let b = self.bytes;
        let first = b.get(from).copied().unwrap_or(b' ');
        if first == b'-' && column.kind == Kind::Bare && ends_at(b, from + 1) {
            return Some(from + 2);
        }
        match column.step {
            Step::Any => None,
            Step::Seconds(key) => {
                let (value, end) = steps::seconds(b, from)?;
                record.put(key, value);
                Some(end + 1)
            }
            Step::Number(key) => {
                let (number, end) = steps::number(b, from)?;
                record.put(key, Value::Int(number));
                Some(end + 1)
            }
            Step::Endpoint => {
                let (end, _) = steps::digits_and_dots(b, from, true);
                let text = self.part(from, end)?;
                if end < from + 2 || end > from + 15 || !ends_at(b, end) || text.ends_with(':') {
                    return None;
                }
                record.put(Key::UpstreamAddress, Value::Str(text));
                Some(end + 1)
            }
            Step::Quoted(key) => {
                let end = self.marks.quote(from).filter(|end| ends_at(b, end + 1))?;
                let text = self.part(from, end).filter(|text| is_tight(text))?;
                if text != "-" {
                    record.put(key, Value::Str(text));
                }
                Some(end + 2)
            }
            Step::Word(key) => {
                let (text, end) = self.tight(from)?;
                record.put(key, Value::Str(text));
                Some(end + 1)
            }
            // What begins with a letter is no number.
            Step::Name if first.is_ascii_alphabetic() => {
                let (text, end) = self.tight(from)?;
                record.put_other(self.part(start, start + column.key).unwrap_or(""), Value::Str(text));
                Some(end + 1)
            }
            Step::Name => None,
        }
    }

    /// A value behind a key, which begins at `from`, if it has neither blanks at its ends nor goes on; and where it ends.
    #[inline(always)]
    fn tight(&self, from: usize) -> Option<(&'a str, usize)> {
        let end = self.marks.end(from).filter(|end| ends_at(self.bytes, *end))?;
        let text = self.part(from, end).filter(|text| is_tight(text))?;
        (!text.starts_with('=') && ends_whole(text)).then_some((text, end))
    }

    /// The value of a column behind the status, which begins here.
    #[inline]
    fn value(&mut self, column: &Column) -> Option<&'a str> {
        let (b, from) = (self.bytes, self.at);
        match column.kind {
            Kind::Bare => {
                let end = self.marks.end(from)?;
                let text = self.take(from, end, end)?;
                let one = if column.key > 0 { ends_whole(text) && !text.starts_with('=') } else { Word::of(text).is_one_value() };
                one.then_some(text)
            }
            Kind::Bracketed => {
                let end = from + memchr::memchr(b']', b.get(from..)?)?;
                self.take(from, end, end + 1)
            }
            Kind::Quoted => {
                let end = self.marks.quote(from)?;
                self.take(from, end, end + 1)
            }
        }
    }
}

/// Whether a value is not empty and does not go on: lists do so behind a comma, and behind a colon that stands alone.
#[inline]
fn ends_whole(text: &str) -> bool {
    match text.as_bytes() {
        [] | [b':'] => false,
        [only] => *only != 0,
        [.., last] => *last != b',',
    }
}

/// A text without blanks, and what it is made of.
#[derive(Clone, Copy, Default)]
struct Word<'a> {
    text: &'a str,
    /// The classes of its bytes.
    seen: u8,
}

/// Of a letter that is in no address.
const LETTER: u8 = 1;
/// Of a dash.
const DASH: u8 = 2;
/// Of what is neither letter, digit nor dash.
const ODD: u8 = 4;
/// Of a colon.
const COLON: u8 = 8;
/// Of an equals sign.
const EQUALS: u8 = 16;
/// What the bytes of a name are.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b'g'..=b'z' => LETTER,
            b'-' => DASH,
            b':' => COLON | ODD,
            b'=' => EQUALS | ODD,
            other if other.is_ascii_alphanumeric() => 0,
            _ => ODD,
        };
        byte += 1;
    }
    class
};

impl<'a> Word<'a> {
    #[inline(always)]
    fn of(text: &'a str) -> Self {
        Word { text, seen: text.bytes().fold(0, |seen, byte| seen | CLASS[usize::from(byte)]) }
    }

    #[inline(always)]
    fn has(&self, classes: u8) -> bool {
        self.seen & classes != 0
    }

    #[inline(always)]
    fn begins_with_letter(&self) -> bool {
        self.text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
    }

    /// `web-04`: a letter that is in no address, and a sign that is in no level.
    #[inline(always)]
    fn is_host_name(&self) -> bool {
        self.seen & (LETTER | DASH | ODD) == LETTER | DASH && self.text.len() < 200 && self.begins_with_letter()
    }

    /// Whether the careful reader would find one value in it, without key, quotes or brackets.
    #[inline(always)]
    fn is_one_value(&self) -> bool {
        let first = self.text.as_bytes().first().copied().unwrap_or(0);
        // Numbers and addresses have no key before them.
        let may_have_key = first.is_ascii_alphabetic() || matches!(first, b'_' | b'$');
        let has_key = || self.has(COLON | EQUALS) && !split_key(self.text).0.is_empty();
        ends_whole(self.text) && first != b'[' && !(may_have_key && has_key())
    }
}

/// What a column before the client means; `None` where it shows that the line is of an envelope.
fn before_client(word: &Word<'_>) -> Option<Meaning> {
    if word.is_host_name() {
        return Some(Meaning::Server);
    }
    let token = Token { kind: Kind::Bare, key: "", text: word.text, start: 0, end: 0 };
    (!shape::is_of_envelope(&token) && !shape::is_level(&token)).then(|| shape::before_client(&token))
}

/// Whether a text in a line reads like a time, as it would if the line were of another order.
fn reads_like_time(line: &str, text: &str, start: usize) -> bool {
    bare_time(line, text, start).is_some()
}

/// Whether a text is made of what IPv4 addresses and ports are made of.
fn is_ip_and_port(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b':'))
}

/// A whole number of up to twelve digits.
fn small_number(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 12 {
        return None;
    }
    text.bytes().try_fold(0i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}
