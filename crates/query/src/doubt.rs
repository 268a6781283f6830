//! What a query says that may be read and was probably not meant.

use crate::ast::Node;
use crate::fields::Target;
use crate::query::Query;
use std::fmt;

/// Signs with which other languages compare, the longer ones first.
const SIGNS: [&str; 9] = ["!=", "==", ">=", "<=", "=~", "!~", "=", ">", "<"];

/// Words of a query that look like another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// As they are written.
    pub word: String,
    /// What was probably meant.
    pub meant: String,
    /// They are an operator in small letters, not a comparison.
    pub is_operator: bool,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Doubt { word, meant, is_operator } = self;
        if *is_operator {
            write!(f, "`{word}` is sought as a word; operators are written in capitals: {meant}")
        } else {
            write!(f, "`{word}` is sought as words; a field is asked with a colon: {meant}")
        }
    }
}

impl Query {
    /// What may be read and was probably not meant: operators in small letters, which are sought as words, and comparisons as other languages
    /// write them.
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        self.root().walk(&mut |node, _| {
            if let Node::Words(phrase) = node {
                doubts.extend(doubt(phrase.as_str()));
            }
        });
        doubts
    }
}

fn doubt(word: &str) -> Option<Doubt> {
    let is_operator = matches!(word, "and" | "or" | "not");
    let meant = if is_operator { word.to_uppercase() } else { comparison(word)? };
    Some(Doubt { word: word.to_string(), meant, is_operator })
}

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
        let said = Query::parse("a and b").unwrap().doubts().iter().map(Doubt::to_string).collect::<Vec<_>>();
        assert_eq!(said, ["`and` is sought as a word; operators are written in capitals: AND"]);
    }
}
