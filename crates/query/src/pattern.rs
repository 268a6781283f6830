//! Regular expressions of a query. Their syntax is checked when the query is read; they are compiled when first asked.

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Dot, Hir, HirKind};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A regular expression (Rust syntax, case-sensitive unless it says `(?i)`), sought anywhere in a value.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    plain_pieces: Vec<String>,
    regex: OnceLock<Option<Regex>>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

/// Longest expression, in bytes.
const LONGEST: usize = 8_192;
/// From this size on an expression is compiled as soon as it is read, to see whether it can be.
const LARGE: usize = 10_000;
/// Most bytes of a compiled expression.
const COMPILED: usize = 16 << 20;

impl Pattern {
    /// Reads an expression. The error says what is wrong and where, in bytes of the expression.
    pub fn new(text: &str) -> Result<Pattern, (String, Range<usize>)> {
        let whole = 0..text.len();
        if text.len() > LONGEST {
            return Err((format!("a regular expression may have {LONGEST} bytes at most"), whole));
        }
        let hir = regex_syntax::parse(text).map_err(|error| syntax_error(&error, text))?;
        let regex = OnceLock::new();
        // Only counted repetition can make an expression too large.
        if size(&hir) > LARGE {
            let compiled = compile(text).map_err(|_| ("this regular expression grows too large".to_string(), whole))?;
            let _ = regex.set(Some(compiled));
        }
        let plain_pieces = pieces(&hir, Letters::Plain).unwrap_or_default();
        Ok(Pattern(Arc::new(Inner { text: text.to_string(), plain_pieces, regex })))
    }

    /// As it was written, without the slashes.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Sets of texts in lower-case ASCII, in any case of ASCII letters, each of which every match contains one of; the sets with the longest
    /// texts come first.
    pub fn all_pieces(&self) -> Vec<Vec<String>> {
        let mut sets = Vec::new();
        if let Ok(hir) = regex_syntax::parse(&self.0.text) {
            collect(&hir, &mut sets);
        }
        sets.sort_by_key(|set: &Vec<String>| std::cmp::Reverse(set.iter().map(String::len).min()));
        sets
    }

    /// The texts of an expression that is nothing but texts, in their case, with anything but the end of a line between each and the
    /// next: it matches where they stand in a row.
    pub fn texts_in_a_row(&self) -> Option<Vec<String>> {
        let hir = regex_syntax::parse(&self.0.text).ok()?;
        let parts = match hir.kind() {
            HirKind::Concat(parts) => parts.as_slice(),
            _ => std::slice::from_ref(&hir),
        };
        let anything = Hir::dot(Dot::AnyCharExceptLF);
        let mut texts = Vec::new();
        let mut apart = true;
        for part in parts {
            match part.kind() {
                HirKind::Literal(literal) if apart => {
                    texts.push(std::str::from_utf8(&literal.0).ok()?.to_string());
                    apart = false;
                }
                HirKind::Repetition(r) if r.min == 0 && r.max.is_none() && *r.sub == anything => apart = true,
                _ => return None,
            }
        }
        (!texts.is_empty()).then_some(texts)
    }

    /// Texts in lower case, in any case of ASCII letters, of which every match in a text that is [`is_plain`] contains at least one. Empty
    /// when no such texts are known.
    pub fn plain_pieces(&self) -> &[String] {
        &self.0.plain_pieces
    }

    /// Whether the expression is found in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.regex.get_or_init(|| compile(&self.0.text).ok()).as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Two letters outside of ASCII are another case of letters of ASCII: the long s and the Kelvin sign. Hardly any text has them.
const FOREIGN_CASES: [char; 2] = ['\u{17f}', '\u{212a}'];

/// Whether a text has none of the letters outside of ASCII that are another case of letters of ASCII.
pub fn is_plain(text: &str) -> bool {
    text.is_ascii() || !text.contains(FOREIGN_CASES)
}

/// Which texts pieces are sought in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    /// In any.
    All,
    /// In those that are [`is_plain`].
    Plain,
}

/// About how many states an expression needs.
fn size(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        // A range of characters outside of ASCII takes a few states.
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|r| if r.end().is_ascii() { 1 } else { 4 }).sum::<usize>().max(1)
        }
        HirKind::Class(Class::Bytes(class)) => class.ranges().len().max(1),
        HirKind::Repetition(r) => size(&r.sub).saturating_mul(r.max.unwrap_or(r.min).max(1) as usize).saturating_add(1),
        HirKind::Capture(capture) => size(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(size).fold(0, usize::saturating_add),
    }
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(COMPILED).build()
}

fn syntax_error(error: &regex_syntax::Error, text: &str) -> (String, Range<usize>) {
    let (kind, span) = match error {
        regex_syntax::Error::Parse(e) => (e.kind().to_string(), Some(e.span())),
        regex_syntax::Error::Translate(e) => (e.kind().to_string(), Some(e.span())),
        _ => ("not a regular expression".to_string(), None),
    };
    let span = span.map_or(0..text.len(), |s| s.start.offset..s.end.offset);
    (kind, span)
}

/// Shortest piece that is worth seeking, and most pieces.
const SHORTEST: usize = 2;
const MOST: usize = 24;

/// The texts of which one must be there for the expression to match. The longest is chosen where several must be.
fn pieces(hir: &Hir, letters: Letters) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => best_run(std::slice::from_ref(hir), letters),
        HirKind::Capture(capture) => pieces(&capture.sub, letters),
        HirKind::Repetition(repetition) if repetition.min > 0 => pieces(&repetition.sub, letters),
        HirKind::Concat(parts) => {
            let inner = parts
                .iter()
                .filter(|p| !matches!(p.kind(), HirKind::Literal(_) | HirKind::Class(_)))
                .filter_map(|part| pieces(part, letters));
            inner.chain(best_run(parts, letters)).max_by_key(|set| set.iter().map(String::len).min())
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(pieces(branch, letters)?);
            }
            all.sort();
            all.dedup();
            (all.len() <= MOST).then_some(all)
        }
        _ => None,
    }
}

/// All sets of texts of which one must be there for the expression to match.
fn collect(hir: &Hir, sets: &mut Vec<Vec<String>>) {
    match hir.kind() {
        HirKind::Capture(capture) => collect(&capture.sub, sets),
        HirKind::Repetition(repetition) if repetition.min > 0 => collect(&repetition.sub, sets),
        HirKind::Concat(parts) => {
            // Runs of letters go over several parts; whatever else stands between them is looked into by itself.
            let fixed = |part: &Hir| matches!(part.kind(), HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_));
            for run in parts.chunk_by(|a, b| fixed(a) == fixed(b)) {
                match run.first() {
                    Some(first) if fixed(first) => {
                        // A class that is no letter ends a run; on either side of it may stand one.
                        let letter = |part: &Hir| match part.kind() {
                            HirKind::Class(class) => one_letter(class, Letters::All).is_some(),
                            _ => true,
                        };
                        sets.extend(run.chunk_by(|a, b| letter(a) && letter(b)).filter_map(|run| best_run(run, Letters::All)));
                    }
                    _ => run.iter().for_each(|part| collect(part, sets)),
                }
            }
        }
        _ => sets.extend(pieces(hir, Letters::All)),
    }
}

/// The longest run of letters that stand fixed, one after the other, in the parts of a concatenation. In texts of all letters only
/// those of ASCII count, whose other case is known.
fn best_run(parts: &[Hir], letters: Letters) -> Option<Vec<String>> {
    let mut best = String::new();
    let mut run = String::new();
    let mut end = |run: &mut String| {
        if run.len() > best.len() {
            best = std::mem::take(run);
        }
        run.clear();
    };
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                // What has several cases is a class where case does not matter.
                Ok(text) if letters == Letters::Plain => run.extend(text.chars().map(|c| c.to_ascii_lowercase())),
                _ => {
                    for byte in &literal.0 {
                        if byte.is_ascii() {
                            run.push(char::from(byte.to_ascii_lowercase()));
                        } else {
                            end(&mut run);
                        }
                    }
                }
            },
            HirKind::Class(class) => match one_letter(class, letters) {
                Some(letter) => run.push(letter),
                None => end(&mut run),
            },
            HirKind::Look(_) => {}
            _ => end(&mut run),
        }
    }
    end(&mut run);
    (best.len() >= SHORTEST).then(|| vec![best])
}

/// The letter of a class that is nothing but both cases of it.
fn one_letter(class: &Class, letters: Letters) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let mut letter = None;
    for range in class.ranges() {
        if letters == Letters::Plain && range.start() == range.end() && FOREIGN_CASES.contains(&range.start()) {
            continue;
        }
        if range.start() != range.end() || !range.start().is_ascii() {
            return None;
        }
        let lower = range.start().to_ascii_lowercase();
        if letter.is_some_and(|l| l != lower) {
            return None;
        }
        letter = Some(lower);
    }
    letter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces for texts of all letters.
    fn in_any(pattern: &Pattern) -> Vec<String> {
        pieces(&regex_syntax::parse(pattern.as_str()).unwrap(), Letters::All).unwrap_or_default()
    }

    #[test]
    fn what_a_match_must_contain() {
        for (text, want) in [
            (r"timed out \(110: .*\)", vec!["timed out (110: "]),
            (r"^Connection (refused|reset)$", vec!["connection "]),
            (r"(?i)upper", vec!["upper"]),
            (r"(refused|reset by)", vec!["refused", "reset by"]),
            (r"(?:abc)+x?", vec!["abc"]),
            (r"a.*", vec![]),
            (r"(abc)?", vec![]),
            (r"(abc|\d)", vec![]),
            (r"größe", vec!["gr"]),
            (r"\d+ms", vec!["ms"]),
        ] {
            let pattern = Pattern::new(text).unwrap();
            let mut found = in_any(&pattern);
            found.sort();
            assert_eq!(found, want, "{text}");
        }
        let pattern = Pattern::new(r"^a (?i:bot)/2\.1[0-9]+(up|down)\s.*cs=MISS(x|y+)?$").unwrap();
        assert_eq!(
            pattern.all_pieces(),
            [vec!["a bot/2.1"], vec!["cs=miss"], vec!["down", "up"]].map(|s| s.iter().map(|t| (*t).to_string()).collect::<Vec<_>>())
        );
        assert!(Pattern::new("(ab|cd)?").unwrap().all_pieces().is_empty());
        // The long s is another case of s.
        let pattern = Pattern::new("(?i)reset by peer").unwrap();
        assert_eq!((in_any(&pattern), pattern.plain_pieces()), (vec!["et by peer".to_string()], &["reset by peer".to_string()][..]));
        assert_eq!(Pattern::new("(->|=>|→)x").unwrap().plain_pieces(), ["->", "=>", "→"]);
        assert!(is_plain("größe") && !is_plain("re\u{17f}et"));
    }

    #[test]
    fn texts_in_a_row() {
        let texts = |text: &str| Pattern::new(text).unwrap().texts_in_a_row().map(|t| t.join("|"));
        assert_eq!(texts(r"bot\/2\.1.*cs=MISS").as_deref(), Some("bot/2.1|cs=MISS"));
        assert_eq!(texts(".*größe.*?").as_deref(), Some("größe"));
        for other in ["^a.*b", "a.+b", "a.*b$", "a(?s:.*)b", "(?i)a.*b", ".*", "a[bc]", "a.b", r"(?-u:\x61).*(?R:.)*b", "a|b"] {
            assert_eq!(texts(other), None, "{other}");
        }
    }

    #[test]
    fn wrong_and_too_large() {
        let (message, span) = Pattern::new("a(b").unwrap_err();
        assert_eq!((message.as_str(), span), ("unclosed group", 1..2));
        assert!(Pattern::new(r"(\w{1000}){1000}").is_err());
        assert!(Pattern::new(&"a".repeat(LONGEST + 1)).is_err());
        assert!(Pattern::new(r"\d{3}").unwrap().is_match("x502"));
    }
}
