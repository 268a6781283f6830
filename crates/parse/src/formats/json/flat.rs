//! Reading JSON without building a tree: every scalar with its path.
//!
//! Text is borrowed where it needs no unescaping. A text that ends in the middle (a line cut at a limit, the first line of
//! an object over several lines) yields what was there.

use super::marks::Marks;
use crate::format::Cx;
use crate::formats::keys::{Role, Row};
use whyline_event::Value;

/// A scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// Text, unescaped.
    Str(&'a str),
    /// A number as written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// A list, as written.
    List(&'a str),
}

impl<'a> Scalar<'a> {
    /// The scalar as the value of a field; `None` for `null`.
    pub fn value(self) -> Option<Value<'a>> {
        Some(match self {
            Scalar::Str(s) | Scalar::List(s) => Value::Str(s),
            Scalar::Bool(b) => Value::Bool(b),
            Scalar::Null => return None,
            Scalar::Number(n) => match n.parse::<i64>() {
                Ok(i) => Value::Int(i),
                Err(_) => n.parse::<f64>().map(Value::Float).unwrap_or(Value::Str(n)),
            },
        })
    }

    /// Hands over the values that the scalar gives a field: each element of a list of texts, numbers, `true` and `false` (those of no other
    /// list, of which the text is one value), none of `null`.
    pub fn each(self, cx: &Cx<'a>, visit: &mut dyn FnMut(Value<'a>)) {
        if let Scalar::List(text) = self
            && let Some(elements) = elements(cx, text)
        {
            return elements.into_iter().filter_map(Scalar::value).for_each(visit);
        }
        self.value().into_iter().for_each(visit);
    }

    /// The text of a string or of a number.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Scalar::Str(s) | Scalar::Number(s) => Some(s),
            _ => None,
        }
    }
}

/// The scalars of an object, in order.
#[derive(Debug)]
pub struct Flat<'a> {
    /// Path (names joined by dots) and value.
    pub pairs: Vec<(&'a str, Scalar<'a>)>,
    /// What the names mean, in the order of the pairs.
    pub roles: &'a [Option<Role>],
    /// The object was closed.
    pub whole: bool,
    /// What follows the object.
    pub rest: &'a str,
    /// A bit for the length of each path, which tells that most paths that are asked for are not there.
    lengths: u64,
}

fn length(path: &str) -> u64 {
    1 << (path.len() % 64)
}

impl<'a> Flat<'a> {
    /// The object that has these paths and values.
    pub fn of(cx: &Cx<'a>, pairs: Vec<(&'a str, Scalar<'a>)>) -> Flat<'a> {
        let roles = crate::formats::keys::roles(cx, pairs.iter().map(|(name, _)| *name));
        let lengths = pairs.iter().fold(0, |all, (path, _)| all | length(path));
        Flat { pairs, roles, whole: true, rest: "", lengths }
    }

    /// The value at a path.
    pub fn get(&self, path: &str) -> Option<Scalar<'a>> {
        if self.lengths & length(path) == 0 {
            return None;
        }
        self.pairs.iter().find(|(name, _)| *name == path).map(|(_, value)| *value)
    }

    /// The text at a path.
    pub fn text(&self, path: &str) -> Option<&'a str> {
        self.get(path).and_then(Scalar::text)
    }
}

/// Objects deeper than this, and more scalars than [`MOST`], are left out.
const DEEPEST: u8 = 12;
const MOST: usize = 400;

/// Reads the object that a text begins with. `None` when it is no JSON object.
pub fn flatten<'a>(cx: &Cx<'a>, text: &'a str) -> Option<Flat<'a>> {
    let trimmed = text.trim_start();
    if !trimmed.starts_with('{') {
        return None;
    }
    let marks = Marks::new(trimmed.as_bytes());
    let mut reader = Reader { cx, text: trimmed, at: 0, marks, pairs: Vec::with_capacity(16), row: Row::take(cx), as_before: 0 };
    let whole = match reader.object("", 0) {
        Ok(()) => true,
        Err(Stop::End) => false,
        Err(Stop::Bad) => {
            reader.row.give(cx);
            return None;
        }
    };
    let Reader { at, pairs, mut row, as_before, .. } = reader;
    let roles = match row.roles(pairs.len()) {
        Some(roles) if as_before == pairs.len() => cx.arena.alloc_slice_copy(roles),
        _ => cx.arena.alloc_slice_fill_iter(pairs.iter().enumerate().map(|(at, (name, _))| row.learn(at, name))),
    };
    row.give(cx);
    let lengths = pairs.iter().fold(0, |all, (path, _)| all | length(path));
    Some(Flat { rest: trimmed.get(at..).unwrap_or(""), pairs, roles, whole, lengths })
}

/// Most elements of a list that are values by themselves.
const MOST_ELEMENTS: usize = 64;

/// The elements of a list. `None` where it is empty, where it has lists or objects in it, where it has too many elements, and of an object.
fn elements<'a>(cx: &Cx<'a>, text: &'a str) -> Option<Vec<Scalar<'a>>> {
    if !text.starts_with('[') {
        return None;
    }
    let marks = Marks::new(text.as_bytes());
    let mut reader = Reader { cx, text, at: 1, marks, pairs: Vec::new(), row: Row::default(), as_before: 0 };
    let mut elements = Vec::new();
    loop {
        let first = reader.next().ok()?;
        if matches!(first, b'[' | b'{' | b']') || elements.len() >= MOST_ELEMENTS {
            return None;
        }
        elements.push(reader.scalar(first).ok()?);
        let behind = reader.next().ok()?;
        reader.at += 1;
        match behind {
            b',' => {}
            b']' => return Some(elements),
            _ => return None,
        }
    }
}

/// How many bytes of a text belong to the number that it begins with.
fn number(text: &[u8]) -> usize {
    text.iter().take_while(|b| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')).count()
}

/// Why reading stopped.
enum Stop {
    /// The text ended.
    End,
    /// It is no JSON.
    Bad,
}

struct Reader<'c, 'a> {
    cx: &'c Cx<'a>,
    text: &'a str,
    /// What was read so far.
    at: usize,
    marks: Marks<'a>,
    pairs: Vec<(&'a str, Scalar<'a>)>,
    /// The names of the object before.
    row: Row,
    /// How many pairs have the name of that of the object before in their place.
    as_before: usize,
}

impl<'a> Reader<'_, 'a> {
    /// The next byte that is no blank; mostly it stands right here.
    #[inline(always)]
    fn next(&mut self) -> Result<u8, Stop> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Ok(*byte),
            _ => self.next_behind(),
        }
    }

    fn next_behind(&mut self) -> Result<u8, Stop> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(Stop::End),
            }
        }
    }

    fn object(&mut self, prefix: &'a str, depth: u8) -> Result<(), Stop> {
        self.at += 1;
        if self.next()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            if depth == 0 && self.pairs_as_before() {
                return Ok(());
            }
            if self.next()? != b'"' {
                return Err(Stop::Bad);
            }
            let name = self.string()?;
            if self.next()? != b':' {
                return Err(Stop::Bad);
            }
            self.at += 1;
            let path = if prefix.is_empty() { name } else { self.cx.keep(&format!("{prefix}.{name}")) };
            match self.next()? {
                b'{' if depth < DEEPEST => self.object(path, depth + 1)?,
                first => {
                    let value = self.scalar(first)?;
                    if self.pairs.len() < MOST {
                        self.pairs.push((path, value));
                    }
                }
            }
            match self.next()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(Stop::Bad),
            }
        }
    }

    /// Reads pairs as long as their names are those of the object before and their values texts without escapes or numbers, with at
    /// most a blank between them: the way of most objects. Stops where a name begins, or behind the object: whether it ended.
    #[inline(never)]
    fn pairs_as_before(&mut self) -> bool {
        let (text, bytes) = (self.text, self.text.as_bytes());
        let blank = |at: usize| at + usize::from(bytes.get(at) == Some(&b' '));
        let first = self.pairs.len();
        let (mut at, mut marks, mut ended) = (self.at, self.marks, false);
        for written in self.row.written(first) {
            let end = at + written.len();
            if written.is_empty() || bytes.get(at..end) != Some(written) {
                break;
            }
            let begin = blank(end);
            let (value, behind) = match bytes.get(begin) {
                Some(b'"') => match marks.next(begin + 1) {
                    Some(end) if bytes.get(end) == Some(&b'"') => (text.get(begin + 1..end).map(Scalar::Str), end + 1),
                    _ => break,
                },
                Some(b'-' | b'0'..=b'9') => {
                    let end = begin + number(bytes.get(begin..).unwrap_or(&[]));
                    (text.get(begin..end).map(Scalar::Number), end)
                }
                _ => break,
            };
            let (Some(name), Some(value)) = (text.get(at + 1..end - 2), value) else { break };
            ended = bytes.get(behind) == Some(&b'}');
            if !ended && bytes.get(behind) != Some(&b',') {
                break;
            }
            self.pairs.push((name, value));
            at = if ended { behind + 1 } else { blank(behind + 1) };
            if ended {
                break;
            }
        }
        (self.at, self.marks) = (at, marks);
        self.as_before += self.pairs.len() - first;
        ended
    }

    #[inline]
    fn scalar(&mut self, first: u8) -> Result<Scalar<'a>, Stop> {
        match first {
            b'"' => self.string().map(Scalar::Str),
            b'[' | b'{' => self.raw().map(Scalar::List),
            b't' => self.word("true", Scalar::Bool(true)),
            b'f' => self.word("false", Scalar::Bool(false)),
            b'n' => self.word("null", Scalar::Null),
            b'-' | b'0'..=b'9' => {
                let n = number(self.text.as_bytes().get(self.at..).unwrap_or(&[]));
                let number = self.text.get(self.at..self.at + n).ok_or(Stop::Bad)?;
                self.at += n;
                Ok(Scalar::Number(number))
            }
            _ => Err(Stop::Bad),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn word(&mut self, word: &str, value: Scalar<'a>) -> Result<Scalar<'a>, Stop> {
        if self.rest().starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else if word.starts_with(self.rest()) {
            Err(Stop::End)
        } else {
            Err(Stop::Bad)
        }
    }

    /// A list (or an object too deep), as written.
    fn raw(&mut self) -> Result<&'a str, Stop> {
        let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
        for (at, b) in self.rest().bytes().enumerate() {
            match b {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'[' | b'{' => depth += 1,
                b']' | b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        let raw = self.rest().get(..=at).ok_or(Stop::Bad)?;
                        self.at += at + 1;
                        return Ok(raw);
                    }
                }
                _ => {}
            }
        }
        self.at = self.text.len();
        Err(Stop::End)
    }

    /// The text between the quotes of which the first stands here.
    #[inline]
    fn string(&mut self) -> Result<&'a str, Stop> {
        let begin = self.at + 1;
        match self.marks.next(begin) {
            Some(at) if self.text.as_bytes().get(at) == Some(&b'"') => {
                self.at = at + 1;
                self.text.get(begin..at).ok_or(Stop::Bad)
            }
            first => self.escaped(begin, first),
        }
    }

    /// [`Reader::string`] from a place on, where the first mark is no quote.
    #[cold]
    fn escaped(&mut self, begin: usize, first: Option<usize>) -> Result<&'a str, Stop> {
        let mut next = first;
        while let Some(at) = next {
            if self.text.as_bytes().get(at) == Some(&b'"') {
                let raw = self.text.get(begin..at).ok_or(Stop::Bad)?;
                self.at = at + 1;
                return Ok(self.cx.keep(&unescape(raw)));
            }
            next = self.marks.next(at + 2);
        }
        self.at = self.text.len();
        Err(Stop::End)
    }
}

/// Text with JSON's escapes undone; what is no escape stays as it is.
pub fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(rest.get(..at).unwrap_or(""));
        let after = rest.get(at + 1..).unwrap_or("");
        let mut used = 1;
        match after.bytes().next() {
            Some(b'n') => out.push('\n'),
            Some(b't') => out.push('\t'),
            Some(b'r') => out.push('\r'),
            Some(b'b') => out.push('\u{8}'),
            Some(b'f') => out.push('\u{c}'),
            Some(c @ (b'"' | b'\\' | b'/')) => out.push(char::from(c)),
            Some(b'u') => match code_point(after) {
                Some((c, n)) => {
                    out.push(c);
                    used = n;
                }
                None => {
                    out.push('\u{fffd}');
                    used = if after.is_char_boundary(5) { 5.min(after.len()) } else { 1 };
                }
            },
            _ => {
                out.push('\\');
                used = 0;
            }
        }
        rest = after.get(used..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

/// `uXXXX`, or a surrogate pair.
fn code_point(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| text.get(at..at + 4).and_then(|h| u32::from_str_radix(h, 16).ok());
    let first = unit(1)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, 5));
    }
    if text.get(5..7)? != "\\u" {
        return None;
    }
    let second = unit(7)?;
    let code = 0x10000 + ((first.checked_sub(0xd800)?) << 10) + second.checked_sub(0xdc00)?;
    char::from_u32(code).map(|c| (c, 11))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use whyline_event::Bump;

    #[test]
    fn objects() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let flat =
            flatten(&cx, r#"{"a":{"b":1,"c":"x\n\u00e9\ud83d\ude00"},"d":[1,{"e":"]"}],"f":null,"g":-1.5e3,"h":true} tail"#).unwrap();
        assert!(flat.whole);
        assert_eq!(flat.rest, " tail");
        assert_eq!(flat.get("a.b"), Some(Scalar::Number("1")));
        assert_eq!(flat.text("a.c"), Some("x\né😀"));
        assert_eq!(flat.get("d"), Some(Scalar::List(r#"[1,{"e":"]"}]"#)));
        assert_eq!(flat.get("g").and_then(Scalar::value), Some(Value::Float(-1500.0)));
        let cut = flatten(&cx, r#"{"a":1,"b":"long te"#).unwrap();
        assert!(!cut.whole);
        assert_eq!(cut.text("a"), Some("1"));
        assert_eq!(cut.roles, [None]);
        for no in ["", "[1]", "{a:1}", "{\"a\" 1}", "{\"a\":}"] {
            assert!(flatten(&cx, no).is_none(), "{no}");
        }
    }

    #[test]
    fn lists_give_each_of_their_elements() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let long = format!("[{}]", vec!["1"; MOST_ELEMENTS + 1].join(","));
        for (text, want) in [
            (r#"["a", "b\n,]"]"#, vec![Value::Str("a"), Value::Str("b\n,]")]),
            (r#"[ 1,2.5 ,true,null,"" ]"#, vec![Value::Int(1), Value::Float(2.5), Value::Bool(true), Value::Str("")]),
            (r#"["only"]"#, vec![Value::Str("only")]),
            ("[]", vec![Value::Str("[]")]),
            (r#"[1,{"e":2}]"#, vec![Value::Str(r#"[1,{"e":2}]"#)]),
            (r#"[1,[2]]"#, vec![Value::Str(r#"[1,[2]]"#)]),
            (&long, vec![Value::Str(&long)]),
        ] {
            let line = format!(r#"{{"a":{text}}}"#);
            let flat = flatten(&cx, cx.keep(&line)).unwrap();
            let mut found = Vec::new();
            flat.get("a").unwrap().each(&cx, &mut |value| found.push(format!("{value:?}")));
            assert_eq!(found, want.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>(), "{text}");
        }
    }

    proptest! {
        /// Whatever object was read before, an object says what it says: the names of the one before are only a shorter way.
        #[test]
        fn the_object_before_does_not_show(before in object(), text in object()) {
            let arena = Bump::new();
            let cx = |depth| Cx { depth, ..Cx::new(&arena, &[]) };
            // Beyond the depths that are remembered every object is the first.
            let alone = flatten(&cx(9), &text);
            let _ = flatten(&cx(0), &before);
            let after = flatten(&cx(0), &text);
            let all = |flat: &Option<Flat<'_>>| flat.as_ref().map(|f| format!("{:?}", (&f.pairs, f.roles, f.whole, f.rest, f.lengths)));
            prop_assert_eq!(all(&alone), all(&after));
        }
    }

    const LONG: &str = "a-name-that-is-too-long-to-be-remembered-since-no-logger-would-write-one";

    /// Objects of few names, so that they stand in each other's places, some of them broken.
    fn object() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec!["a", "b", "ts", "level", "msg", "a.b", "x\\\"y", "t\\u00e9", "\u{e9}", "", LONG]);
        let leaf = prop::sample::select(vec![
            "1",
            "\"x\"",
            "null",
            "[1,{}]",
            "\"\\n\"",
            "\"2026-11-21T10:00:00Z\"",
            "nul",
            "{}",
            "{\"b\":1}",
            "{\"a\": {\"b\":[]}}",
        ]);
        let blank = prop::sample::select(vec!["", "", " ", "\n"]);
        let pair = (name, blank.clone(), blank.clone(), leaf).prop_map(|(name, a, b, leaf)| format!("\"{name}\"{a}:{b}{leaf}"));
        (prop::collection::vec(pair, 0..6), blank, prop::sample::select(vec!["}", "}", "}", "", "} x"]))
            .prop_map(|(pairs, blank, end)| format!("{{{}{end}", pairs.join(&format!(",{blank}"))))
    }
}
