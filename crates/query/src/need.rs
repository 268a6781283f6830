//! What a record cannot do without if a query is to match it: cheap to look for, so that most queries need not be asked.

use crate::ast::{Node, Test};
use crate::fields::Target;
use crate::pattern::Piece;
use crate::texts::Sought;
use whyline_event::Key;

/// Something that a record has or has not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Atom {
    /// A text in the body or in a text attribute; texts that are not plain (see [`is_plain`](crate::pattern::is_plain)) may do without.
    Text(Sought),
    /// A text in the whole record.
    Raw(Sought),
    /// The name of the format, case folded.
    Format(String),
    /// A field with a value that passes.
    Field(Target, Test),
    /// A severity, or a level as written, that passes.
    Level(Test),
}

/// Of these, a record that matches has at least one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Need {
    pub(crate) atoms: Vec<Atom>,
    /// How rare they probably are.
    rarity: usize,
}

/// Most atoms of one query.
const MOST: usize = 64;

/// From this rarity on a set of texts is sought besides a rarer one.
const WORTH_SEEKING: usize = 5;

/// Most sets of texts of one expression.
const MOST_SETS: usize = 4;

/// Rarity of a format, to be weighed against the letters of a word. Many queries may name the same format, and whether a
/// record has it is asked before anything else anyway.
const FORMAT: usize = 4;

/// Rarity of a level.
const LEVEL: usize = 3;

/// What is needed for this part of a query to hold. `None` when nothing can be told.
pub(crate) fn need(node: &Node) -> Option<Need> {
    match node {
        Node::All | Node::Not(_) => None,
        Node::And(nodes) => nodes.iter().filter_map(need).max_by_key(|n| n.rarity),
        Node::Or(nodes) => {
            let mut all = Need { atoms: Vec::new(), rarity: usize::MAX };
            for node in nodes {
                let one = need(node)?;
                all.rarity = all.rarity.min(one.rarity);
                all.atoms.extend(one.atoms);
            }
            (all.atoms.len() <= MOST).then_some(all)
        }
        Node::Words(phrase) => best_word(phrase.words(), Atom::Text),
        Node::Field(target, test) => match target {
            Target::Body => in_text(test, Atom::Text),
            Target::Raw => in_text(test, Atom::Raw),
            Target::Format => match test {
                Test::Is(literal) => Some(Need { atoms: vec![Atom::Format(literal.folded().to_string())], rarity: FORMAT }),
                _ => None,
            },
            Target::Level => Some(Need { atoms: vec![Atom::Level(test.clone())], rarity: LEVEL }),
            // The source may supply the host; the others cost no more to ask than to look for.
            Target::Source | Target::Line | Target::Key(Key::HostName) | Target::Either(..) => None,
            Target::Key(_) | Target::Other(_) => {
                let rarity = match test {
                    Test::Present => 4,
                    Test::Compare(..) | Test::Range(_) => 8,
                    Test::Glob(_) => 10,
                    Test::Matches(_) => 7,
                    Test::Is(_) => 12,
                };
                Some(Need { atoms: vec![Atom::Field(target.clone(), test.clone())], rarity })
            }
        },
    }
}

fn in_text(test: &Test, atom: impl Fn(Sought) -> Atom) -> Option<Need> {
    match test {
        Test::Is(literal) => best_word(literal.words(), atom),
        Test::Matches(pattern) => {
            let (rarity, set) = pattern.plain_sets().iter().map(|set| (rarity_of_set(set), set)).max_by_key(|(rarity, _)| *rarity)?;
            Some(Need { atoms: set.iter().map(|piece| atom(Sought::of(piece))).collect(), rarity })
        }
        Test::Glob(glob) => {
            let piece = glob.as_str().split(|c: char| !c.is_ascii() || matches!(c, '*' | '?')).max_by_key(|piece| piece.len())?;
            (piece.len() > 1).then(|| Need { atoms: vec![atom(Sought::piece(piece.to_ascii_lowercase()))], rarity: piece.len().min(20) })
        }
        Test::Present | Test::Compare(..) | Test::Range(_) => None,
    }
}

/// Words that half of all lines have.
const COMMON: &[&str] = &[
    "and",
    "client",
    "connection",
    "error",
    "failed",
    "for",
    "from",
    "http",
    "info",
    "not",
    "process",
    "request",
    "server",
    "service",
    "started",
    "the",
    "to",
    "upstream",
    "warning",
    "while",
    "with",
];

/// How rare a word in lower case probably is.
pub(crate) fn rarity(word: &str) -> usize {
    let letters = word.chars().count().min(20);
    if COMMON.contains(&word) { letters.min(3) } else { letters }
}

/// How rare pieces of text probably are, of which one is needed: as rare as the words in the most common of them together, each sign
/// counting as a letter.
fn rarity_of_set(set: &[Piece]) -> usize {
    let of_piece = |Piece { text: piece, .. }: &Piece| -> usize {
        let signs = piece.chars().filter(|c| !c.is_ascii_alphanumeric() && !c.is_whitespace()).count();
        signs + piece.split(|c: char| !c.is_ascii_alphanumeric()).map(rarity).sum::<usize>()
    };
    set.iter().map(of_piece).min().unwrap_or(0).min(20)
}

/// Sets of texts of which a record has at least one of each if this part of a query, which has no parts itself, is to hold. Where one
/// is known, common ones are left out.
pub(crate) fn sets_of_texts(leaf: &Node) -> Vec<Vec<Sought>> {
    let texts = |atoms: Vec<Atom>| -> Option<Vec<Sought>> {
        let each = atoms.into_iter().map(|atom| match atom {
            Atom::Text(sought) => Some(sought),
            _ => None,
        });
        each.collect()
    };
    let mut sets: Vec<Vec<Sought>> = need(leaf).and_then(|need| texts(need.atoms)).into_iter().collect();
    if let Node::Field(Target::Body, Test::Matches(pattern)) = leaf {
        for set in pattern.plain_sets() {
            let rare = rarity_of_set(set) >= WORTH_SEEKING;
            let set: Vec<Sought> = set.iter().map(Sought::of).collect();
            if rare && sets.len() < MOST_SETS && !sets.contains(&set) {
                sets.push(set);
            }
        }
    }
    sets
}

/// The rarest word. Words of a phrase may be separated by anything, so one of them must do.
fn best_word(words: &[String], atom: impl Fn(Sought) -> Atom) -> Option<Need> {
    let known = words.iter().enumerate().filter(|(_, word)| word.is_ascii() || caseless(word));
    let (at, best) = known.max_by_key(|(_, word)| rarity(word))?;
    Some(Need { rarity: rarity(best), atoms: vec![atom(Sought::phrase(words, at)?)] })
}

/// Whether a word outside of ASCII has only one spelling, so that its bytes can be sought.
fn caseless(word: &str) -> bool {
    word.chars().all(|c| !c.is_ascii() && c.to_lowercase().eq([c]) && c.to_uppercase().eq([c]))
}

/// What it costs to ask, so that the cheapest question of several comes first.
pub(crate) fn cost(node: &Node) -> u32 {
    match node {
        Node::All => 0,
        Node::Not(node) => cost(node),
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().map(cost).max().unwrap_or(0) + 1,
        Node::Words(_) => 8,
        Node::Field(target, test) => {
            let wide = if matches!(target, Target::Body | Target::Raw) { 4 } else { 0 };
            wide + match test {
                _ if matches!(target, Target::Format | Target::Level | Target::Line) => 0,
                Test::Present => 1,
                Test::Is(_) | Test::Compare(..) | Test::Range(_) => 2,
                Test::Glob(_) => 4,
                Test::Matches(_) => 16,
            }
        }
    }
}

/// The same question with the cheapest parts first.
pub(crate) fn cheapest_first(node: &Node) -> Node {
    let sorted = |nodes: &[Node]| {
        let mut nodes: Vec<Node> = nodes.iter().map(cheapest_first).collect();
        nodes.sort_by_key(cost);
        nodes
    };
    match node {
        Node::And(nodes) => Node::And(sorted(nodes)),
        Node::Or(nodes) => Node::Or(sorted(nodes)),
        Node::Not(node) => Node::Not(Box::new(cheapest_first(node))),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;

    fn atoms(text: &str) -> Option<Vec<Atom>> {
        need(Query::parse(text).unwrap().root()).map(|n| n.atoms)
    }

    #[test]
    fn what_is_looked_for() {
        let text = |piece: &str, word| (piece.to_string(), word);
        let format = |name: &str| (format!("format {name}"), true);
        let atoms = |query: &str| {
            atoms(query).map(|list| {
                let each = list.into_iter().map(|atom| match atom {
                    Atom::Text(sought) | Atom::Raw(sought) => (sought.piece, sought.word),
                    Atom::Format(name) => format(&name),
                    other => (format!("{other:?}"), false),
                });
                each.collect::<Vec<_>>()
            })
        };
        for (query, want) in [
            ("format:nginx.error \"connect() failed (111: Connection refused)\"", Some(vec![text("refused", true)])),
            ("format:nginx.error \"not to\"", Some(vec![format("nginx.error")])),
            ("format:nginx.error segmentation", Some(vec![text("segmentation", true)])),
            ("connection refused", Some(vec![text("refused", true)])),
            ("oom OR killed", Some(vec![text("oom", true), text("killed", true)])),
            ("msg:/timed out \\(110/", Some(vec![text("timed out (110", false)])),
            ("msg:/(refused|reset) by/ host:a", Some(vec![text("refused", false), text("reset", false)])),
            ("body:*Broken?pipe*", Some(vec![text("broken", false)])),
            ("raw:segfault", Some(vec![text("segfault", true)])),
            ("größe", None),
            ("größe 接", Some(vec![text("接", false)])),
            ("NOT refused", None),
            ("refused OR NOT reset", None),
            ("*", None),
        ] {
            assert_eq!(atoms(query), want, "{query}");
        }
        assert!(matches!(self::atoms("level:error").as_deref(), Some([Atom::Level(_)])));
        assert!(matches!(self::atoms("status:503 level:error").as_deref(), Some([Atom::Field(Target::Key(Key::Status), _)])));
    }
}
