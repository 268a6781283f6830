//! Regular expressions of a query. Their syntax is checked when the query is read; they are compiled when first asked.

use crate::edges::Edges;
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Dot, Hir, HirKind, Look};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A regular expression (Rust syntax, case-sensitive unless it says `(?i)`), sought anywhere in a value.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    plain_sets: Vec<Vec<Piece>>,
    /// Whatever matches ends with it.
    ending: Box<[u8]>,
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
        let mut plain_sets = Vec::new();
        collect(&hir, Letters::Plain, Edges::default(), &mut plain_sets);
        Ok(Pattern(Arc::new(Inner { text: text.to_string(), plain_sets, ending: ending(&hir).into(), regex })))
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
            collect(&hir, Letters::All, Edges::default(), &mut sets);
        }
        sets.sort_by_key(|set: &Vec<Piece>| std::cmp::Reverse(shortest(set)));
        sets.into_iter().map(|set| set.into_iter().map(|piece| piece.text).collect()).collect()
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

    /// Sets of texts in lower case, in any case of ASCII letters; every match in a text that is [`is_plain`] contains one of each set.
    pub(crate) fn plain_sets(&self) -> &[Vec<Piece>] {
        &self.0.plain_sets
    }

    /// Whether the expression is found in a text.
    pub fn is_match(&self, text: &str) -> bool {
        text.as_bytes().ends_with(&self.0.ending)
            && self.0.regex.get_or_init(|| compile(&self.0.text).ok()).as_ref().is_some_and(|regex| regex.is_match(text))
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

/// The text right before the end of the whole value, where an expression asks for both (`7$`); else nothing.
fn ending(hir: &Hir) -> &[u8] {
    match hir.kind() {
        HirKind::Concat(parts) => match parts.as_slice() {
            [.., text, end] if *end.kind() == HirKind::Look(Look::End) => match text.kind() {
                HirKind::Literal(literal) => &literal.0,
                _ => &[],
            },
            _ => &[],
        },
        _ => &[],
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

/// A text that a match must contain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Piece {
    /// In lower case.
    pub(crate) text: String,
    /// It begins with a letter or digit of ASCII, and none stands before it.
    pub(crate) begins: bool,
    /// It ends with a letter or digit of ASCII, and none stands behind it.
    pub(crate) ends: bool,
}

/// Shortest piece that is worth seeking, and most pieces.
const SHORTEST: usize = 2;
const MOST: usize = 24;

/// The length of the shortest piece.
fn shortest(set: &[Piece]) -> Option<usize> {
    set.iter().map(|piece| piece.text.len()).min()
}

/// The texts of which one must be there for the expression to match. The longest is chosen where several must be.
fn pieces(hir: &Hir, letters: Letters, edges: Edges) -> Option<Vec<Piece>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => best_run(std::slice::from_ref(hir), letters, edges),
        HirKind::Capture(capture) => pieces(&capture.sub, letters, edges),
        HirKind::Repetition(repetition) if repetition.min > 0 => pieces(&repetition.sub, letters, edges.of_first()),
        HirKind::Concat(parts) => {
            let inner = parts
                .iter()
                .enumerate()
                .filter(|(_, p)| !matches!(p.kind(), HirKind::Literal(_) | HirKind::Class(_)))
                .filter_map(|(at, part)| pieces(part, letters, edges.within(parts, at..at + 1)));
            inner.chain(best_run(parts, letters, edges)).max_by_key(|set| shortest(set))
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(pieces(branch, letters, edges)?);
            }
            all.sort();
            all.dedup();
            (all.len() <= MOST).then_some(all)
        }
        _ => None,
    }
}

/// All sets of texts of which one must be there for the expression to match.
fn collect(hir: &Hir, letters: Letters, edges: Edges, sets: &mut Vec<Vec<Piece>>) {
    match hir.kind() {
        HirKind::Capture(capture) => collect(&capture.sub, letters, edges, sets),
        HirKind::Repetition(repetition) if repetition.min > 0 => collect(&repetition.sub, letters, edges.of_first(), sets),
        HirKind::Concat(parts) => {
            // Runs of letters go over several parts; whatever else stands between them is looked into by itself. A class that is no letter
            // ends a run; on either side of it may stand one.
            let fixed = |part: &Hir| matches!(part.kind(), HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_));
            let letter = |part: &Hir| match part.kind() {
                HirKind::Class(class) => one_letter(class, letters).is_some(),
                _ => true,
            };
            let mut from = 0;
            for run in parts.chunk_by(|a, b| fixed(a) && fixed(b) && letter(a) && letter(b)) {
                let edges = edges.within(parts, from..from + run.len());
                from += run.len();
                match run {
                    [part] if !fixed(part) => collect(part, letters, edges, sets),
                    _ => sets.extend(best_run(run, letters, edges)),
                }
            }
        }
        _ => sets.extend(pieces(hir, letters, edges)),
    }
}

/// The longest run of letters that stand fixed, one after the other, in the parts of a concatenation. In texts of all letters only
/// those of ASCII count, whose other case is known.
fn best_run(parts: &[Hir], letters: Letters, edges: Edges) -> Option<Vec<Piece>> {
    let mut best: Option<Piece> = None;
    let mut run = Piece { text: String::new(), begins: false, ends: false };
    // The number of the part behind the last one of which the run has letters; what else stands between is no more than a border of words.
    let mut behind = 0;
    let mut end = |run: &mut Piece, behind: usize| {
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if run.text.len() > best.as_ref().map_or(0, |best| best.text.len()) {
            run.begins &= joins(run.text.chars().next());
            run.ends = joins(run.text.chars().next_back()) && edges.after(parts, behind);
            best = Some(run.clone());
        }
        run.text.clear();
    };
    for (at, part) in parts.iter().enumerate() {
        if run.text.is_empty() {
            run.begins = edges.before(parts, at);
        }
        match part.kind() {
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                // What has several cases is a class where case does not matter.
                Ok(text) if letters == Letters::Plain => {
                    run.text.extend(text.chars().map(|c| c.to_ascii_lowercase()));
                    behind = at + 1;
                }
                _ => {
                    for byte in &literal.0 {
                        if byte.is_ascii() {
                            run.text.push(char::from(byte.to_ascii_lowercase()));
                        } else {
                            end(&mut run, behind);
                        }
                    }
                }
            },
            HirKind::Class(class) => match one_letter(class, letters) {
                Some(letter) => {
                    run.text.push(letter);
                    behind = at + 1;
                }
                None => end(&mut run, behind),
            },
            HirKind::Look(_) => {}
            _ => end(&mut run, behind),
        }
    }
    end(&mut run, behind);
    // In texts of all letters a piece may begin and end anywhere in a literal.
    let certain = letters == Letters::Plain;
    best.filter(|best| best.text.len() >= SHORTEST)
        .map(|best| vec![Piece { begins: best.begins && certain, ends: best.ends && certain, ..best }])
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
    use proptest::prelude::*;

    /// Pieces for texts of all letters.
    fn in_any(pattern: &Pattern) -> Vec<String> {
        let found = pieces(&regex_syntax::parse(pattern.as_str()).unwrap(), Letters::All, Edges::default()).unwrap_or_default();
        found.into_iter().map(|piece| piece.text).collect()
    }

    /// Sets of pieces for plain texts, a bar where a piece begins or ends a word.
    fn in_plain(pattern: &Pattern) -> Vec<Vec<String>> {
        let bar = |is: bool| if is { "|" } else { "" };
        let shown = |piece: &Piece| [bar(piece.begins), &piece.text, bar(piece.ends)].concat();
        pattern.plain_sets().iter().map(|set| set.iter().map(shown).collect()).collect()
    }

    #[test]
    fn where_pieces_begin_and_end_words() {
        for (text, want) in [
            (r"\b(version|release)s? \S+ (is )?(live|installed)\b", vec![vec!["|release", "|version"], vec!["|installed|", "|live|"]]),
            (r"(^|[\s:])\s*(on|off)(\n|$)", vec![vec!["|off|", "|on|"]]),
            (r"a+on-?off", vec![vec!["on"], vec!["off"]]),
            (r"(\w|-)on(-|.)(x ){2,}", vec![vec!["on"], vec!["x "]]),
            (r"\bon(?i:ce)$", vec![vec!["|once|"]]),
            (r"\b\[off\]\b", vec![vec!["[off]"]]),
        ] {
            assert_eq!(in_plain(&Pattern::new(text).unwrap()), want, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Where an expression matches, a piece of each set stands, and begins and ends words where it is said to.
        #[test]
        fn every_match_has_a_piece_of_each_set(
            parts in prop::collection::vec((prop::sample::select(PARTS), prop::sample::select(vec!["", "", "", "?", "+", "{2}"])), 1..8),
            other in prop::collection::vec(prop::sample::select(PARTS), 0..4),
            texts in prop::collection::vec("([abAB]|ab|[ab]|[ -_\n]|\u{e9}){0,9}", 1..20),
            end in prop::sample::select(vec!["", "", "b$", "(?i:b)$", "(?m:b$)"]),
        ) {
            let first: String = parts.iter().flat_map(|(part, times)| ["(?:", *part, ")", *times]).collect();
            let text = if other.is_empty() { first } else { format!("(?:{first}|{})a?", other.concat()) } + end;
            let pattern = Pattern::new(&text).unwrap();
            let regex = Regex::new(&text).unwrap();
            for text in &texts {
                prop_assert_eq!(pattern.is_match(text), regex.is_match(text), "{} in {:?}", pattern.as_str(), text);
            }
            for text in texts.iter().filter(|text| pattern.is_match(text)) {
                let bytes = text.as_bytes();
                let joins = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
                let stands = |piece: &Piece| {
                    let length = piece.text.len();
                    (0..(bytes.len() + 1).saturating_sub(length)).any(|at| {
                        bytes[at..at + length].eq_ignore_ascii_case(piece.text.as_bytes())
                            && !(piece.begins && at > 0 && joins(at - 1))
                            && !(piece.ends && joins(at + length))
                    })
                };
                for set in pattern.plain_sets() {
                    prop_assert!(set.iter().any(stands), "{} in {text:?}: {set:?}", pattern.as_str());
                }
            }
        }
    }

    const PARTS: &[&str] = &[
        "a",
        "b",
        "ab",
        "aB",
        " ",
        "-",
        "_",
        r"\b",
        r"\B",
        "^",
        "$",
        r"\s*",
        r"\s",
        "[ab]",
        "[ -]",
        "(a|b)",
        "( |^)",
        "(-|$)",
        "(ab )",
        "(?i:ab)",
        "(?m:^)",
        "(?m:$)",
        ".",
        ".*",
        "\u{e9}",
        r"(?-u:\b)",
        r"\b{start}",
        r"\b{end-half}",
        "(ba|ab b)",
    ];

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
        assert_eq!((in_any(&pattern), in_plain(&pattern)), (vec!["et by peer".to_string()], vec![vec!["reset by peer".to_string()]]));
        assert_eq!(in_plain(&Pattern::new("(->|=>|→)x").unwrap()), [["->", "=>", "→"]]);
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
