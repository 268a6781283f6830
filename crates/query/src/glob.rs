//! Wildcards: `*` for any text, `?` for one character, over the whole value, folding case.

use crate::words::fold;

/// A value with wildcards.
#[derive(Clone, Debug)]
pub struct Glob {
    text: String,
    chars: Vec<char>,
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Glob {
    /// Reads a value with wildcards.
    pub fn new(text: &str) -> Glob {
        Glob { text: text.to_string(), chars: text.chars().collect() }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text before the first wildcard.
    pub fn prefix(&self) -> &str {
        self.text.find(['*', '?']).map_or(&self.text, |at| &self.text[..at])
    }

    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        if text.is_ascii() && self.text.is_ascii() {
            let same = |a: u8, b: u8| a.eq_ignore_ascii_case(&b);
            return fits(self.text.as_bytes(), text.as_bytes(), b'*', b'?', same);
        }
        let text: Vec<char> = text.chars().collect();
        fits(&self.chars, &text, '*', '?', |a, b| a == b || fold(a).eq(fold(b)))
    }
}

/// Goes back to the last star only, so the work is at most the product of both lengths.
fn fits<T: Copy + PartialEq>(glob: &[T], text: &[T], star: T, any: T, same: impl Fn(T, T) -> bool) -> bool {
    let (mut g, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        if g < glob.len() && glob[g] == star {
            back = Some((g, t));
            g += 1;
        } else if g < glob.len() && (glob[g] == any || same(glob[g], text[t])) {
            g += 1;
            t += 1;
        } else if let Some((star_at, from)) = back {
            back = Some((star_at, from + 1));
            g = star_at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|c| *c == star)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (glob, text, want) in [
            ("web?", "web1", true),
            ("web?", "web", false),
            ("web?", "web12", false),
            ("/api/*", "/api/", true),
            ("/api/*", "/API/v1/x", true),
            ("/api/*", "x/api/", false),
            ("*.log", "a.log.log", true),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3", false),
            ("größe?", "GRÖSSE1", false),
            ("gr?ße*", "GRÖße 5\nx", true),
            ("*", "", true),
            ("?", "", false),
        ] {
            assert_eq!(Glob::new(glob).fits(text), want, "{glob} {text}");
        }
        assert_eq!(Glob::new("nginx.*").prefix(), "nginx.");
    }
}
