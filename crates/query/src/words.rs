//! What a word is, and how words are found in a text.
//!
//! A word is a run of letters, digits and marks; everything else separates. Scripts that are written without spaces (Han,
//! Hiragana, Katakana, and the scripts of South-East Asia) go character by character, a mark staying with the character
//! before it. Comparison folds case and stems nothing.

use crate::marks::is_mark;

/// The words of a text, in order.
pub fn words(text: &str) -> Words<'_> {
    Words { rest: text }
}

/// A text with its case folded: every character in lower case, character by character.
///
/// A character outside of ASCII never becomes one of ASCII, so a text without ASCII letters has none after folding.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(fold).collect()
}

/// Whether a text, once folded, is the text given in folded form.
pub fn eq_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        return text.eq_ignore_ascii_case(folded);
    }
    text.chars().flat_map(fold).eq(folded.chars())
}

/// Whether the folded words stand one after the other in the text. No words stand nowhere.
pub fn contains_words(text: &str, words: &[String]) -> bool {
    let Some((first, others)) = words.split_first() else { return false };
    if text.is_ascii() {
        return ascii_contains(text.as_bytes(), first.as_bytes(), others);
    }
    let mut at = Words { rest: text };
    while let Some(word) = at.next() {
        if eq_folded(word, first) {
            let mut ahead = at.clone();
            if others.iter().all(|want| ahead.next().is_some_and(|word| eq_folded(word, want))) {
                return true;
            }
        }
    }
    false
}

/// One character folded.
pub(crate) fn fold(c: char) -> impl Iterator<Item = char> {
    // The Kelvin sign is the only character outside of ASCII whose lower case is a single ASCII letter. It stays itself,
    // so that letters of ASCII can be sought byte by byte.
    const KELVIN: char = '\u{212a}';
    let one = (c.is_ascii() || c == KELVIN).then_some(c.to_ascii_lowercase());
    let many = one.is_none().then(|| c.to_lowercase());
    one.into_iter().chain(many.into_iter().flatten())
}

/// Iterator over the words of a text.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let start = self.rest.char_indices().find(|(_, c)| class(*c) != Class::Separator)?.0;
        let rest = &self.rest[start..];
        let mut chars = rest.char_indices();
        let alone = chars.next().is_some_and(|(_, c)| class(c) == Class::Alone);
        let end = chars
            .find(|(_, c)| match class(*c) {
                Class::Mark => false,
                Class::Letter => alone,
                Class::Alone | Class::Separator => true,
            })
            .map_or(rest.len(), |(i, _)| i);
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Mark,
    Alone,
    Separator,
}

fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Letter } else { Class::Separator };
    }
    if is_mark(c) {
        Class::Mark
    } else if !c.is_alphanumeric() {
        Class::Separator
    } else if stands_alone(c) {
        Class::Alone
    } else {
        Class::Letter
    }
}

/// Letters of the scripts that go by character.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff            // Thai, Lao
        | 0x1000..=0x109f          // Myanmar
        | 0x1780..=0x17ff          // Khmer
        | 0x2e80..=0x2fdf          // radicals
        | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3031..=0x3035 | 0x3038..=0x303c
        | 0x3040..=0x312f          // Hiragana, Katakana, Bopomofo
        | 0x31a0..=0x31ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff
        | 0xff66..=0xff9f          // half-width Katakana
        | 0x1b000..=0x1b16f
        | 0x20000..=0x3fffd)
}

fn ascii_contains(text: &[u8], first: &[u8], others: &[String]) -> bool {
    let Some(&letter) = first.first() else { return false };
    memchr::memchr2_iter(letter, letter.to_ascii_uppercase(), text).any(|at| {
        if at > 0 && text[at - 1].is_ascii_alphanumeric() {
            return false;
        }
        let mut rest = &text[at..];
        take_word(&mut rest, first) && others.iter().all(|word| take_next_word(&mut rest, word.as_bytes()))
    })
}

/// Takes the folded word off the beginning of a text of ASCII if it is the next whole word there, whatever separates it.
pub(crate) fn take_next_word(text: &mut &[u8], word: &[u8]) -> bool {
    let gap = text.iter().take_while(|b| !b.is_ascii_alphanumeric()).count();
    *text = text.get(gap..).unwrap_or(&[]);
    take_word(text, word)
}

/// Takes the folded word off the beginning of a text if it is the whole first word there.
fn take_word(text: &mut &[u8], word: &[u8]) -> bool {
    let Some((head, tail)) = text.split_at_checked(word.len()) else { return false };
    if !head.eq_ignore_ascii_case(word) || tail.first().is_some_and(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    *text = tail;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        words(text).collect()
    }

    fn has(text: &str, phrase: &str) -> bool {
        contains_words(text, &words(phrase).map(folded).collect::<Vec<_>>())
    }

    #[test]
    fn words_of_a_text() {
        assert_eq!(split("connect() failed (111: Connection refused)"), ["connect", "failed", "111", "Connection", "refused"]);
        assert_eq!(split("10.0.0.3:8080 foo_bar don't"), ["10", "0", "0", "3", "8080", "foo", "bar", "don", "t"]);
        assert_eq!(split("Größe über-groß"), ["Größe", "über", "groß"]);
        assert_eq!(split("cafe\u{301} e\u{301}t"), ["cafe\u{301}", "e\u{301}t"]);
        assert_eq!(split("連接失敗 error"), ["連", "接", "失", "敗", "error"]);
        assert_eq!(split("接続エラーcode5"), ["接", "続", "エ", "ラ", "ー", "code5"]);
        assert_eq!(split("연결 거부"), ["연결", "거부"]);
        assert!(split("--- (*) …").is_empty());
    }

    #[test]
    fn words_in_a_row() {
        for text in ["a Connection-Reset by peer", "ä Connection-Reset by peer"] {
            assert!(has(text, "connection reset by peer"));
            assert!(has(text, "RESET"));
            assert!(!has(text, "connection by"));
            assert!(!has(text, "connect"));
            assert!(!has(text, "eset"));
            assert!(!has(text, "peer x"));
        }
        assert!(has("aa aab aa b", "aa b"));
        assert!(has("ÜBER die Größe", "über DIE größe"));
        assert!(has("資料庫連接失敗了", "連接失敗"));
        assert!(!has("abc", ""));
    }

    #[test]
    fn folding_keeps_ascii_apart() {
        for c in ('\u{80}'..=char::MAX).filter(|c| fold(*c).count() == 1) {
            assert!(!fold(c).any(|f| f.is_ascii()), "{c:?}");
        }
    }
}
