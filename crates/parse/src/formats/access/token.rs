//! Cuts a line into columns: bare words, quoted text, bracketed text, `key=value` pairs, lists.

use super::names;

/// How a column was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Up to the next blank.
    #[default]
    Bare,
    /// Between double quotes.
    Quoted,
    /// Between square brackets.
    Bracketed,
}

/// One column of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Token<'a> {
    /// How it was written.
    pub kind: Kind,
    /// The key of `key=value` and `key:value`; empty when it has none.
    pub key: &'a str,
    /// The value, without quotes, brackets and key.
    pub text: &'a str,
    /// Where the column begins in the line, its key and quotes included.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Lines with more columns than this are read up to here; what follows is no access log.
pub const MOST: usize = 40;

/// The columns of a line.
pub struct Tokens<'a> {
    list: [Token<'a>; MOST],
    len: usize,
}

impl<'a> std::ops::Deref for Tokens<'a> {
    type Target = [Token<'a>];
    fn deref(&self) -> &[Token<'a>] {
        self.list.get(..self.len).unwrap_or(&[])
    }
}

/// Cuts a line.
pub fn scan(line: &str) -> Tokens<'_> {
    let mut tokens = Tokens { list: [Token::default(); MOST], len: 0 };
    let mut at = 0;
    while let Some(start) = skip_blanks(line, at) {
        let mut token = one(line, start);
        at = token.end;
        if token.kind == Kind::Bare {
            at = join_list(line, &mut token);
        }
        let Some(place) = tokens.list.get_mut(tokens.len) else { break };
        *place = token;
        tokens.len += 1;
    }
    tokens
}

/// Cuts a line at a mark; blanks and quotes round a column are no part of it.
pub fn separated(line: &str, mark: u8) -> Tokens<'_> {
    let mut tokens = Tokens { list: [Token::default(); MOST], len: 0 };
    let b = line.as_bytes();
    let is_blank = |at: usize| b.get(at).is_some_and(|c| *c != mark && matches!(c, b' ' | b'\t' | b'\r'));
    let mut at = 0;
    while at <= b.len() {
        while is_blank(at) {
            at += 1;
        }
        let token = if b.get(at) == Some(&b'"') {
            let (text, end) = quoted(line, at);
            Token { kind: Kind::Quoted, key: "", text, start: at, end }
        } else {
            let end = b.get(at..).and_then(|rest| memchr::memchr(mark, rest)).map_or(b.len(), |n| at + n);
            let whole = line.get(at..end).unwrap_or("").trim_end();
            let end = at + whole.len();
            match whole.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
                Some(text) => Token { kind: Kind::Bracketed, key: "", text, start: at, end },
                None => {
                    let (key, text) = split_key(whole);
                    Token { kind: Kind::Bare, key, text, start: at, end }
                }
            }
        };
        // What stands between the closing quote and the mark belongs to no column.
        at = b.get(token.end..).and_then(|rest| memchr::memchr(mark, rest)).map_or(b.len() + 1, |n| token.end + n + 1);
        let Some(place) = tokens.list.get_mut(tokens.len) else { break };
        *place = token;
        tokens.len += 1;
    }
    tokens
}

fn skip_blanks(line: &str, at: usize) -> Option<usize> {
    let b = line.as_bytes();
    (at..b.len()).find(|i| !matches!(b[*i], b' ' | b'\t' | b'\r'))
}

/// The column that begins at `start`.
fn one(line: &str, start: usize) -> Token<'_> {
    let b = line.as_bytes();
    match b.get(start) {
        Some(b'"') => {
            let (inner, end) = quoted(line, start);
            return Token { kind: Kind::Quoted, key: "", text: inner, start, end };
        }
        Some(b'[') => {
            if let Some((inner, end)) = bracketed(line, start) {
                return Token { kind: Kind::Bracketed, key: "", text: inner, start, end };
            }
        }
        _ => {}
    }
    let mut end = start;
    while end < b.len() && !matches!(b[end], b' ' | b'\t' | b'\r') {
        if b[end] == b'"' && end > start && matches!(b[end - 1], b'=' | b':') {
            let key = line.get(start..end - 1).unwrap_or("");
            if is_key(key) {
                let (inner, end) = quoted(line, end);
                return Token { kind: Kind::Quoted, key, text: inner, start, end };
            }
        }
        end += 1;
    }
    let text = line.get(start..end).unwrap_or("");
    let (key, text) = split_key(text);
    Token { kind: Kind::Bare, key, text, start, end }
}

/// The key before a `=`, or before a `:` where it is a name that access logs use.
pub fn split_key(text: &str) -> (&str, &str) {
    let Some(at) = text.bytes().position(|c| matches!(c, b'=' | b':')) else { return ("", text) };
    let (key, value) = (text.get(..at).unwrap_or(""), text.get(at + 1..).unwrap_or(""));
    let colon = text.as_bytes().get(at) == Some(&b':');
    if !is_key(key) || value.starts_with('=') || colon && (value.is_empty() || names::lookup(key).is_none()) {
        return ("", text);
    }
    (key, value)
}

fn is_key(text: &str) -> bool {
    let b = text.as_bytes();
    b.first().is_some_and(|c| c.is_ascii_alphabetic() || *c == b'_' || *c == b'$')
        && b.len() <= 40
        && b.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.' | b'$'))
}

/// The text between the quotes at `start`, and where the column ends.
///
/// A quote closes the text when it is not escaped and something that separates columns follows; when there is no such quote,
/// the first unescaped one closes it, else the end of the line.
pub fn quoted(line: &str, start: usize) -> (&str, usize) {
    let b = line.as_bytes();
    let from = start + 1;
    let mut first = None;
    let mut search = from;
    while let Some(found) = memchr::memchr(b'"', b.get(search..).unwrap_or(&[])) {
        let at = search + found;
        search = at + 1;
        let slashes = b[from..at].iter().rev().take_while(|c| **c == b'\\').count();
        if slashes % 2 == 1 {
            continue;
        }
        first = first.or(Some(at));
        if matches!(b.get(at + 1), None | Some(b' ' | b'\t' | b'\r' | b',' | b'|' | b';' | b']' | b')' | b'}')) {
            return (line.get(from..at).unwrap_or(""), at + 1);
        }
    }
    match first {
        Some(at) => (line.get(from..at).unwrap_or(""), at + 1),
        None => (line.get(from..).unwrap_or(""), b.len()),
    }
}

/// The text between the brackets at `start`; `None` when they are those of an IPv6 address (`[::1]:80`) or never close.
fn bracketed(line: &str, start: usize) -> Option<(&str, usize)> {
    let b = line.as_bytes();
    let close = start + memchr::memchr(b']', b.get(start..)?)?;
    match b.get(close + 1) {
        None | Some(b' ' | b'\t' | b'\r' | b'[') => Some((line.get(start + 1..close)?, close + 1)),
        _ => None,
    }
}

/// Lists are one column: `10.0.0.3:80, 10.0.0.4:80 : 10.0.0.5:80`. Lengthens the token, returns where to go on.
fn join_list<'a>(line: &'a str, token: &mut Token<'a>) -> usize {
    let b = line.as_bytes();
    let value = token.end.saturating_sub(token.text.len());
    loop {
        let Some(next) = skip_blanks(line, token.end) else { return token.end };
        let open = line.get(value..token.end).is_some_and(|t| t.len() > 1 && t.ends_with(','));
        let start = if open {
            next
        } else if b[next] == b':'
            && matches!(b.get(next + 1), Some(b' '))
            && token.text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        {
            match skip_blanks(line, next + 1) {
                Some(start) => start,
                None => return token.end,
            }
        } else {
            return token.end;
        };
        if matches!(b[start], b'"' | b'[') {
            return token.end;
        }
        let end = (start..b.len()).find(|i| matches!(b[*i], b' ' | b'\t' | b'\r')).unwrap_or(b.len());
        token.end = end;
        token.text = line.get(value..end).unwrap_or(token.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(line: &str) -> String {
        let column = |t: &Token<'_>| match t.kind {
            Kind::Bare => format!("{}={}", t.key, t.text),
            Kind::Quoted => format!("{}=\"{}\"", t.key, t.text),
            Kind::Bracketed => format!("[{}]", t.text),
        };
        scan(line).iter().map(column).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn columns_between_marks() {
        for (line, mark, want) in [
            ("a|b c | \"d|e\" |k=v|", b'|', "a; b c; \"d|e\"; k:v; "),
            ("[x y],,\"z\"", b',', "[x y]; ; \"z\""),
            ("a b\t c", b'\t', "a b; c"),
        ] {
            let column = |t: &Token<'_>| match t.kind {
                Kind::Bare if t.key.is_empty() => t.text.to_string(),
                Kind::Bare => format!("{}:{}", t.key, t.text),
                Kind::Quoted => format!("\"{}\"", t.text),
                Kind::Bracketed => format!("[{}]", t.text),
            };
            assert_eq!(separated(line, mark).iter().map(column).collect::<Vec<_>>().join("; "), want, "{line}");
        }
    }

    #[test]
    fn columns() {
        for (line, want) in [
            (r#"a "b c" [d e] f"#, r#"=a; ="b c"; [d e]; =f"#),
            (r#"rt=0.1 ua="1.2.3.4:5, 6" x"#, r#"rt=0.1; ua="1.2.3.4:5, 6"; =x"#),
            (r#""a \" b" "" "-""#, r#"="a \" b"; =""; ="-""#),
            (r#""say "hi"" 200"#, r#"="say "hi""; =200"#),
            ("1.2.3.4:5, 6.7.8.9:1 : 2.2.2.2:3 0.1", "=1.2.3.4:5, 6.7.8.9:1 : 2.2.2.2:3; =0.1"),
            ("[::1]:80 [open", "=[::1]:80; =[open"),
            ("status:200 host.example:443 unix:/run/a", "status=200; =host.example:443; =unix:/run/a"),
            ("", ""),
            ("\"", "=\"\""),
        ] {
            assert_eq!(show(line), want, "{line}");
        }
    }
}
