//! Text from logs is hostile: strangers write user agents, paths and names into it.
//!
//! Whatever people read passes through here first. What would steer a terminal, turn the direction of text or hide in it is
//! written as a visible escape (`\x1b`, `\u{202e}`); everything else stays as it stood.

use std::borrow::Cow;

/// The text on one line with everything invisible made visible. A tab becomes a space.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c == '\t' || hidden(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if hidden(c) && (c as u32) < 0x100 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if hidden(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A text of several lines, each made safe.
pub fn lines(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Whether a character is not what it seems: controls (C0, C1, DEL), marks of direction, and formatting that no one sees.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'                       // soft hyphen
            | '\u{34f}'                    // combining grapheme joiner
            | '\u{61c}'                    // Arabic letter mark
            | '\u{115f}'..='\u{1160}'      // Hangul fillers
            | '\u{17b4}'..='\u{17b5}'      // Khmer vowels that are not shown
            | '\u{180b}'..='\u{180f}'      // Mongolian selectors
            | '\u{200b}'..='\u{200f}'      // zero width, left-to-right, right-to-left marks
            | '\u{2028}'..='\u{202e}'      // separators, embeddings and overrides
            | '\u{2060}'..='\u{206f}'      // joiners, isolates, old formatting
            | '\u{3164}' | '\u{ffa0}'      // more fillers
            | '\u{fe00}'..='\u{fe0f}'      // variation selectors
            | '\u{feff}'                   // byte order mark
            | '\u{fff0}'..='\u{fffb}'      // interlinear annotations
            | '\u{1bca0}'..='\u{1bca3}'    // shorthand formatting
            | '\u{1d173}'..='\u{1d17a}'    // musical formatting
            | '\u{e0000}'..='\u{e0fff}'    // tags and more selectors
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays() {
        for text in ["", "GET /api?q=a&b 200", "Größe 3 µs – „ok“ 日本語 🙂", "naïve é"] {
            assert!(matches!(line(text), Cow::Borrowed(t) if t == text), "{text}");
        }
    }

    #[test]
    fn terminals_are_not_steered() {
        assert_eq!(line("a\u{1b}[2Jb\u{7}c\u{9b}31m"), "a\\x1b[2Jb\\x07c\\x9b31m");
        assert_eq!(lines("a\u{1b}\nb"), "a\\x1b\nb");
        assert_eq!(line("a\tb\nc\r\u{7f}\0"), "a b\\nc\\r\\x7f\\x00");
    }

    #[test]
    fn nothing_turns_or_hides() {
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}').chain([
            '\u{200e}',
            '\u{200f}',
            '\u{200b}',
            '\u{feff}',
            '\u{61c}',
            '\u{e0041}',
            '\u{ad}',
        ]) {
            let shown = line(&format!("a{c}b")).into_owned();
            assert_eq!(shown, format!("a\\u{{{:x}}}b", c as u32).replace("\\u{ad}", "\\xad"));
        }
    }

    #[test]
    fn every_character_of_the_plane_is_shown_or_escaped() {
        for c in '\0'..='\u{ffff}' {
            let text = c.to_string();
            let shown = line(&text);
            assert!(!shown.chars().any(hidden), "U+{:04X}", c as u32);
        }
    }
}
