//! What shows that an access line was written by Apache, whatever its `LogFormat`.
//!
//! - `%b` writes `-` where no bytes were sent; nginx writes 0 (mod_log_config, `log_bytes_sent`).
//! - `%T/%D`, seconds and microseconds of the same time, is the usual way to have both.
//! - `%{UNIQUE_ID}e` is 24 characters of a base64 of Apache's own, 27 since 2.5 (mod_unique_id).
//! - Apache asks itself to wake its children, and signs that (`ap_wake...`, `internal dummy connection`).

use super::anchors::{anchors, behind};
use super::token::{Kind, scan};

/// Whether a line shows it.
pub(super) fn proves(line: &str) -> bool {
    let tokens = scan(line);
    let Some(found) = anchors(line, &tokens).filter(|a| a.status.is_some()) else { return false };
    let mut columns = behind(&tokens, &found).filter(|t| t.key.is_empty());
    let Some(size) = columns.next() else { return false };
    size.kind == Kind::Bare && size.text == "-"
        || columns.any(|t| match t.kind {
            Kind::Bare => is_both_times(t.text) || is_unique_id(t.text),
            _ => t.text.ends_with("(internal dummy connection)") || is_both_times(t.text) || is_unique_id(t.text),
        })
}

/// `0/12345`, also between the stars of the manual: seconds, and microseconds that are as many seconds.
fn is_both_times(text: &str) -> bool {
    let Some((seconds, micros)) = text.trim_matches('*').split_once('/') else { return false };
    let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse::<u64>().ok()).flatten();
    matches!((number(seconds), number(micros)), (Some(s), Some(us)) if us / 1_000_000 == s && us >= 20)
}

/// The alphabet is that of base64 with `@` and `-` (`_` since 2.4.28) in place of `+` and `/`.
fn is_unique_id(text: &str) -> bool {
    let alphabet = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'-' | b'_'));
    let kinds = [u8::is_ascii_uppercase as fn(&u8) -> bool, u8::is_ascii_lowercase, u8::is_ascii_digit];
    matches!(text.len(), 24 | 27) && alphabet && kinds.iter().all(|kind| text.bytes().any(|b| kind(&b)))
}

#[cfg(test)]
mod tests {
    use super::proves;

    #[test]
    fn lines() {
        const HEAD: &str = r#"198.51.100.7 - - [21/Nov/2026:10:00:00 +0100] "GET /a HTTP/1.1""#;
        for (tail, want) in [
            (r#"304 - "-" "curl/8.1""#, true),
            (r#"200 12 "-" "curl/8.1" 0/12345"#, true),
            (r#"200 12 "-" "curl/8.1" **3/3412345**"#, true),
            (r#"200 12 "-" "curl/8.1" Zz8kQn8AAQEAAAB1aX0AAAAC"#, true),
            (r#"200 126 "-" "Apache/2.4.62 (Debian) (internal dummy connection)""#, true),
            (r#"200 12 "-" "curl/8.1""#, false),
            (r#"200 12 "-" "curl/8.1" - 0.003"#, false),
            (r#"200 12 "-" "curl/8.1" 12/7"#, false),
            (r#"200 12 "-" "curl/8.1" 77ab77ab77ab77ab77ab77ab"#, false),
            (r#"499 0 "-" "-""#, false),
        ] {
            assert_eq!(proves(&format!("{HEAD} {tail}")), want, "{tail}");
        }
    }
}
