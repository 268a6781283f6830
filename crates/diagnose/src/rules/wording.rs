//! What a query says and probably does not mean.

use std::ops::Range;
use whyline_query::{Doubt, Looks, Query};

/// A place of a query, in bytes, with what it does there and what was probably meant.
pub struct Remark {
    /// Where.
    pub span: Range<usize>,
    /// What it does.
    pub message: String,
    /// What was probably meant.
    pub help: String,
}

/// Everything that looks like another language.
pub fn remarks(text: &str, query: &Query) -> Vec<Remark> {
    let doubts = query.doubts();
    let of = |span: Range<usize>| {
        let piece = text.get(span.clone())?;
        // A level stands behind the name of its field.
        let behind = piece.rfind(':').map_or(0, |colon| colon + 1);
        let is_it = |doubt: &&Doubt| match doubt.kind {
            Looks::Level => piece.get(behind..) == Some(doubt.word.as_str()),
            Looks::Operator | Looks::Comparison => piece == doubt.word,
        };
        let doubt = doubts.iter().find(is_it)?;
        let from = if doubt.kind == Looks::Level { span.start + behind } else { span.start };
        Some(remark(doubt, from..span.end))
    };
    outside_of_quotes(text).into_iter().filter_map(of).collect()
}

fn remark(Doubt { word, meant, kind }: &Doubt, span: Range<usize>) -> Remark {
    let (message, help) = match kind {
        Looks::Operator => (
            format!("`{word}` is looked for as a word"),
            format!("operators are written in capitals: {meant}; the word itself goes in double quotes"),
        ),
        Looks::Comparison => (format!("`{word}` is looked for as words"), format!("write `{meant}`; words go in double quotes")),
        Looks::Level => (format!("no level is called `{word}`"), format!("did you mean `{meant}`?")),
    };
    Remark { span, message, help }
}

/// The pieces between blanks and parentheses that stand outside of double quotes.
fn outside_of_quotes(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        let ends = c == '"' || !is_quoted && (c.is_whitespace() || matches!(c, '(' | ')'));
        if is_quoted && (is_escaped || c == '\\') {
            is_escaped = !is_escaped;
            continue;
        }
        if ends {
            if !is_quoted && start < at {
                found.push(start..at);
            }
            start = at + c.len_utf8();
            is_quoted ^= c == '"';
        }
    }
    if !is_quoted && start < text.len() {
        found.push(start..text.len());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let Ok(query) = Query::parse(text) else { return vec!["no query".into()] };
        remarks(text, &query).into_iter().map(|r| format!("{}: {}; {}", text.get(r.span).unwrap_or("?"), r.message, r.help)).collect()
    }

    #[test]
    fn other_languages_are_recognised() {
        assert_eq!(
            said("foo and (bar or not baz)"),
            ["and", "or", "not"].map(|w| {
                let capitals = w.to_uppercase();
                format!("{w}: `{w}` is looked for as a word; operators are written in capitals: {capitals}; the word itself goes in double quotes")
            })
        );
        for (text, meant) in [
            ("status=500", "status:500"),
            ("status==500", "status:500"),
            ("x status!=500", "NOT status:500"),
            ("(duration>2s)", "duration:>2s"),
        ] {
            let said = said(text);
            assert!(said.len() == 1 && said.iter().all(|s| s.contains(&format!("looked for as words; write `{meant}`"))), "{said:?}");
        }
    }

    #[test]
    fn words_that_are_meant_are_left_alone() {
        for text in
            [r#""foo and bar" "and" x"#, r#""status=500""#, r#"msg:"a \" and b""#, "msg:/status=500 and x/", "uid=0", "AND=x", "status:500"]
        {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }
}
