//! What the index holds of a record, so that questions can be narrowed: its words, and the values of its fields.
//!
//! A term of a value is `NUMBER \u{1} TAG VALUE`, NUMBER being that of the field's name in the dictionary and TAG the kind of
//! value; texts stand as written and, where that differs, with their case folded. `NUMBER \u{2}` says that the field is there,
//! `NUMBER \u{3}` that it has a value which is not indexed because of its length.

use crate::codec::place;
use crate::names::spelling;
use whyline_event::{Kind, Name, Record, Value};
use whyline_query::words::{folded, words};

/// Stands between terms that are handed to the index as one text.
pub(crate) const BETWEEN: char = '\u{1f}';
/// Number of the format's name.
pub(crate) const FORMAT: &str = "F";
/// Number of the severity.
pub(crate) const SEVERITY: &str = "L";
/// Longest text value that is indexed, in bytes.
const LONGEST_VALUE: usize = 200;
/// Longest part of a word that is indexed, in bytes.
const LONGEST_WORD: usize = 60;

/// The kind of value that a term holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Bool,
    Duration,
    Float,
    Int,
    Str,
}

impl Tag {
    pub(crate) const ALL: [Tag; 5] = [Tag::Bool, Tag::Duration, Tag::Float, Tag::Int, Tag::Str];
    /// All but texts.
    pub(crate) const NUMBERS: [Tag; 4] = [Tag::Bool, Tag::Duration, Tag::Float, Tag::Int];

    pub(crate) fn letter(self) -> char {
        match self {
            Tag::Bool => 'b',
            Tag::Duration => 'd',
            Tag::Float => 'f',
            Tag::Int => 'i',
            Tag::Str => 's',
        }
    }

    /// The value of a term.
    pub(crate) fn value(self, text: &str) -> Option<Value<'_>> {
        Some(match self {
            Tag::Bool => Value::Bool(text == "true"),
            Tag::Duration => Value::Duration(text.parse().ok()?),
            Tag::Float => Value::Float(text.parse().ok()?),
            Tag::Int => Value::Int(text.parse().ok()?),
            Tag::Str => Value::Str(text),
        })
    }
}

/// Before the values of a kind that a field has.
pub(crate) fn values_of(number: &str, tag: Tag) -> String {
    format!("{number}\u{1}{}", tag.letter())
}

/// The term that says that a field is there.
pub(crate) fn presence(number: &str) -> String {
    format!("{number}\u{2}")
}

/// The term that says that a field has a value that is not indexed.
pub(crate) fn unindexed(number: &str) -> String {
    format!("{number}\u{3}")
}

/// A folded word as the index holds it: its beginning, if it is very long.
pub(crate) fn clipped(word: &str) -> &str {
    if word.len() <= LONGEST_WORD {
        return word;
    }
    let mut end = LONGEST_WORD;
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    &word[..end]
}

/// Whether a word of the index may be only the beginning of one.
pub(crate) fn may_be_clipped(word: &str) -> bool {
    word.len() + 4 > LONGEST_WORD
}

/// The terms of one record.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// Words, each followed by [`BETWEEN`].
    pub(crate) words: String,
    /// Values and presence of fields, likewise.
    pub(crate) values: String,
}

impl Terms {
    /// Gathers the terms of a record in place of those that were there.
    pub(crate) fn gather(&mut self, record: &Record<'_>, number: &mut dyn FnMut(&str) -> Option<u32>) {
        self.words.clear();
        self.values.clear();
        self.add_words(record.body);
        self.value(FORMAT, Value::Str(record.format));
        if let Some(severity) = record.severity {
            self.value(SEVERITY, Value::Str(severity.as_str()));
        }
        for field in &record.fields {
            let free_text = matches!(field.name, Name::Known(key) if key.kind() == Kind::Text);
            let own = matches!(field.name, Name::Other(_));
            match field.value {
                Value::Str(text) if (free_text || own) && !whole_words_of(text, record.body) => self.add_words(text),
                Value::Str(_) => {}
                value if free_text => self.add_words(&value.to_string()),
                _ => {}
            }
            let Some(number) = number(&spelling(field.name)) else { continue };
            let number = number.to_string();
            self.values.push_str(&presence(&number));
            self.values.push(BETWEEN);
            if !free_text {
                self.value(&number, field.value);
            }
        }
    }

    fn add_words(&mut self, text: &str) {
        for word in words(text) {
            if word.is_ascii() {
                let at = self.words.len();
                self.words.push_str(clipped(word));
                self.words[at..].make_ascii_lowercase();
            } else {
                self.words.push_str(clipped(&folded(word)));
            }
            self.words.push(BETWEEN);
        }
    }

    fn value(&mut self, number: &str, value: Value<'_>) {
        let tag = match value {
            Value::Bool(_) => Tag::Bool,
            Value::Duration(_) => Tag::Duration,
            Value::Float(_) => Tag::Float,
            Value::Int(_) => Tag::Int,
            Value::Str(_) => Tag::Str,
        };
        match value {
            Value::Str(text) if text.len() > LONGEST_VALUE || text.contains(BETWEEN) => {
                self.values.push_str(&unindexed(number));
                self.values.push(BETWEEN);
            }
            Value::Str(text) => {
                self.push(number, tag, text);
                let low = folded(text);
                if low != text {
                    self.push(number, tag, &low);
                }
            }
            Value::Duration(n) => self.push(number, tag, &n.to_string()),
            other => self.push(number, tag, &other.to_string()),
        }
    }

    fn push(&mut self, number: &str, tag: Tag, value: &str) {
        self.values.push_str(number);
        self.values.push('\u{1}');
        self.values.push(tag.letter());
        self.values.push_str(value);
        self.values.push(BETWEEN);
    }
}

/// Whether a text is a part of another one in memory that begins and ends between words, so that its words are words there.
fn whole_words_of(text: &str, whole: &str) -> bool {
    let Some(at) = place(text, whole) else { return false };
    let apart = |byte: Option<&u8>| byte.is_none_or(|b| b.is_ascii() && !b.is_ascii_alphanumeric());
    let bytes = whole.as_bytes();
    apart(at.checked_sub(1).and_then(|i| bytes.get(i))) && apart(bytes.get(at + text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Key, Origin};

    #[test]
    fn terms_of_a_record() {
        let text = "GET /Api agent Größe";
        let mut record = Record::new(text, Origin::default());
        record.put(Key::Path, Value::Str(&text[4..8]));
        record.put(Key::UserAgent, Value::Str(&text[9..]));
        record.put(Key::Referer, Value::Str("Über x"));
        record.put(Key::Duration, Value::Duration(5));
        record.put_other("n", Value::Float(1.5));
        let mut terms = Terms::default();
        let mut names = crate::names::Names::default();
        terms.gather(&record, &mut |n| names.number(n));
        let list = |s: &str| s.split_terminator(BETWEEN).map(String::from).collect::<Vec<_>>();
        assert_eq!(list(&terms.words), ["get", "api", "agent", "größe", "über", "x"]);
        assert_eq!(
            list(&terms.values),
            ["F\u{1}sgeneric", "0\u{2}", "0\u{1}s/Api", "0\u{1}s/api", "1\u{2}", "2\u{2}", "3\u{2}", "3\u{1}d5", "4\u{2}", "4\u{1}f1.5"]
        );
        assert_eq!(clipped(&"ä".repeat(40)).len(), 60);
        assert!(may_be_clipped(clipped(&"接".repeat(40))));
    }
}
