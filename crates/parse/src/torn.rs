//! Lines with holes: runs of zeros that a crash left in a file whose blocks were never written, or that a program left which
//! went on writing at its old place after its log had been truncated.

use std::ops::Range;

/// So many zeros in a row inside of a line are a hole; fewer may be part of what a program wrote.
const HOLE: usize = 16;

/// The parts of a line that are text. What stands behind a hole is another line that lost its beginning's end, not the rest of
/// what stood before. At least one part, which may be empty.
pub fn parts(line: &[u8]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < line.len() {
        // Zeros at the beginning are never text.
        let start = at + line[at..].iter().take_while(|b| **b == 0).count();
        let hole = memchr::memmem::find(&line[start..], &[0; HOLE]);
        let end = hole.map_or(line.len(), |n| start + n);
        // A few zeros at the end of the line belong to the hole as well.
        let end = start + line[start..end].iter().rposition(|b| *b != 0).map_or(0, |n| n + 1);
        if !line[start..end].trim_ascii().is_empty() {
            parts.push(start..end);
        }
        at = hole.map_or(line.len(), |n| start + n);
    }
    if parts.is_empty() {
        parts.push(0..0);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &[u8]) -> Vec<&[u8]> {
        parts(line).into_iter().map(|r| &line[r]).collect()
    }

    #[test]
    fn holes() {
        let hole = [0; 4096];
        assert_eq!(texts(&[&hole[..], b"after"].concat()), [b"after"]);
        assert_eq!(texts(&[b"cut o", &hole[..], b"whole"].concat()), [&b"cut o"[..], b"whole"]);
        assert_eq!(texts(&[b"before", &hole[..]].concat()), [b"before"]);
        assert_eq!(texts(b"\0\0few in front"), [b"few in front"]);
        assert_eq!(texts(b"a\0b"), [b"a\0b"]);
        assert_eq!(texts(&hole), [b""]);
        assert_eq!(texts(b""), [b""]);
        assert_eq!(texts(&[b" ", &hole[..], b" "].concat()), [b""]);
    }
}
