//! What a query says that may be read and was probably not meant.

use crate::ast::{Node, Test};
use crate::fields::{Target, nearest};
use crate::query::Query;
use std::fmt;
use whyline_event::Severity;

/// Signs with which other languages compare, the longer ones first.
const SIGNS: [&str; 9] = ["!=", "==", ">=", "<=", "=~", "!~", "=", ">", "<"];

/// Words of a query that look like another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// As they are written.
    pub word: String,
    /// What was probably meant.
    pub meant: String,
    /// What they look like.
    pub kind: Looks,
}

/// What words of a query look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// An operator in small letters.
    Operator,
    /// A comparison as another language writes it.
    Comparison,
    /// A level that was misspelt.
    Level,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Doubt { word, meant, kind } = self;
        match kind {
            Looks::Operator => write!(f, "`{word}` is sought as a word; operators are written in capitals: {meant}"),
            Looks::Comparison => write!(f, "`{word}` is sought as words; a field is asked with a colon: {meant}"),
            Looks::Level => write!(f, "no level is called `{word}`; did you mean `{meant}`?"),
        }
    }
}

impl Query {
    /// What may be read and was probably not meant: operators in small letters, which are sought as words, and comparisons as other languages
    /// write them.
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        self.root().walk(&mut |node, _| match node {
            Node::Words(phrase) => doubts.extend(doubt(phrase.as_str())),
            Node::Field(Target::Level, Test::Is(level)) => doubts.extend(misspelt(level.as_str())),
            _ => {}
        });
        doubts
    }
}

fn doubt(word: &str) -> Option<Doubt> {
    let is_operator = matches!(word, "and" | "or" | "not");
    let meant = if is_operator { word.to_uppercase() } else { comparison(word)? };
    Some(Doubt { word: word.to_string(), meant, kind: if is_operator { Looks::Operator } else { Looks::Comparison } })
}

/// A level that nearly is one of those that programs write. Others may well be the writer's own (`level:` asks the word as written, too).
fn misspelt(word: &str) -> Option<Doubt> {
    // Some programs write `eror`; whoever asks for it hardly means these.
    if Severity::from_word(word).is_some() && !word.eq_ignore_ascii_case("eror") {
        return None;
    }
    let meant = nearest(&word.to_lowercase(), LEVELS.iter().copied())?;
    Some(Doubt { word: word.to_string(), meant: meant.to_string(), kind: Looks::Level })
}

/// The levels that are mostly asked for.
const LEVELS: &[&str] = &["trace", "debug", "info", "notice", "warn", "warning", "error", "fatal", "critical", "alert", "emergency"];

/// What a comparison of a known field means that is written as in another language.
fn comparison(text: &str) -> Option<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@')))?;
    let (name, rest) = text.split_at(end);
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
    let value = rest.strip_prefix(sign)?;
    if value.is_empty() || value.contains(char::is_whitespace) || matches!(Target::find(name), Target::Other(_)) {
        return None;
    }
    Some(match sign {
        "=" | "==" => format!("{name}:{value}"),
        "!=" => format!("NOT {name}:{value}"),
        "=~" => format!("{name}:/{value}/"),
        "!~" => format!("NOT {name}:/{value}/"),
        _ => format!("{name}:{sign}{value}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_of_other_languages() {
        for (text, meant) in [
            ("status!=200", Some("NOT status:200")),
            ("status=502", Some("status:502")),
            ("status==502", Some("status:502")),
            ("duration>2s", Some("duration:>2s")),
            ("status>=500", Some("status:>=500")),
            ("path=~x", Some("path:/x/")),
            ("a=b", None),
            ("status=", None),
            ("status", None),
            ("\"status=200 in text\"", None),
        ] {
            let query = Query::parse(text).unwrap();
            let want: Vec<String> =
                meant.map(|m| format!("`{text}` is sought as words; a field is asked with a colon: {m}")).into_iter().collect();
            assert_eq!(query.doubts().iter().map(Doubt::to_string).collect::<Vec<_>>(), want, "{text}");
        }
        for (text, want) in [
            ("level:eror", vec!["no level is called `eror`; did you mean `error`?"]),
            ("level:(WRAN info)", vec!["no level is called `WRAN`; did you mean `warn`?"]),
            ("severity:critcal", vec!["no level is called `critcal`; did you mean `critical`?"]),
            ("level:err level:NOTICE level:log level:banana level:w* NOT level:error", vec![]),
        ] {
            let said = Query::parse(text).unwrap().doubts().iter().map(Doubt::to_string).collect::<Vec<_>>();
            assert_eq!(said, want, "{text}");
        }
        let said = Query::parse("a and b").unwrap().doubts().iter().map(Doubt::to_string).collect::<Vec<_>>();
        assert_eq!(said, ["`and` is sought as a word; operators are written in capitals: AND"]);
    }
}
