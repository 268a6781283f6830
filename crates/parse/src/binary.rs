//! Inputs that are no text: what they are, and what would make text of them.
//!
//! They are read like everything else, line by line, since a guess may be wrong; the reader is told.

use crate::problem::{Gravity, Problem};

/// Bytes of a head that are looked at.
const LOOK: usize = 4096;

/// What is packed or laid out in a way that is not read here: first bytes, name, what helps.
const KINDS: &[(&[u8], &str, &str)] = &[
    (b"\xfd7zXZ\0", "is packed with xz, which is not read here", "unpack it first: `xz -dk FILE`"),
    (b"BZh", "is packed with bzip2, which is not read here", "unpack it first: `bzip2 -dk FILE`"),
    (b"\x04\x22\x4d\x18", "is packed with lz4, which is not read here", "unpack it first: `lz4 -d FILE`"),
    (b"PK\x03\x04", "is a zip archive, which is not read here", "unpack it first and name the folder"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, which is not read here", "unpack it first and name the folder"),
    (b"LPKSHHRH", "is a binary journal of systemd", "write it out first: `journalctl -o json --file FILE > journal.json`"),
    (b"\xff\xfe", "is written in UTF-16, which is not read here", "convert it first: `iconv -f UTF-16 -t UTF-8 FILE`"),
    (b"\xfe\xff", "is written in UTF-16, which is not read here", "convert it first: `iconv -f UTF-16 -t UTF-8 FILE`"),
];
/// Where a tar archive says what it is.
const TAR: std::ops::Range<usize> = 257..262;

/// What is to be said of an input that begins with `head`; `suspected` when its format could not be told for its looks.
pub fn problem(place: &str, head: &[u8], suspected: bool) -> Option<Problem> {
    let unread =
        |what: &str, help: &str| Some(Problem { gravity: Gravity::Unreadable, place: place.into(), what: what.into(), help: help.into() });
    if head.get(TAR) == Some(b"ustar") {
        return unread("is a tar archive, which is not read here", "unpack it first and name the folder");
    }
    let text = !suspected && !controls(head);
    match KINDS.iter().find(|(magic, _, _)| head.starts_with(magic)) {
        // A log may well begin with two letters that mean something elsewhere.
        Some((_, what, help)) if !text => unread(what, help),
        _ if text => None,
        _ => Some(Problem::remark(place, "looks like no text; its lines were kept as they are")),
    }
}

/// Whether more than one byte in twenty is a control character that no log has.
fn controls(head: &[u8]) -> bool {
    let head = &head[..head.len().min(LOOK)];
    let odd = head.iter().filter(|b| matches!(b, 0..=8 | 14..=26 | 28..=31 | 127)).count();
    odd * 20 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(head: &[u8]) -> Option<(Gravity, String)> {
        problem("x", head, false).map(|p| (p.gravity, p.what))
    }

    #[test]
    fn what_is_no_text_is_told() {
        assert_eq!(said(b"2026-11-21 10:00:00 INFO all is well \x1b[0m\n"), None);
        assert_eq!(said(b""), None);
        assert_eq!(said("2026-11-21 10:00:00 INFO caf\u{e9} \u{65e5}\u{672c}\n".as_bytes()), None);
        assert_eq!(said(b"BZh is how this line begins, which is no reason\n"), None);
        let random: Vec<u8> = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(said(&random).map(|s| s.0), Some(Gravity::Remark));
        let xz = [b"\xfd7zXZ\0".as_slice(), &random].concat();
        assert_eq!(said(&xz).map(|s| s.0), Some(Gravity::Unreadable));
        let wide: Vec<u8> = b"\xff\xfe".iter().copied().chain(b"10:00 ERROR".iter().flat_map(|b| [*b, 0])).collect();
        assert!(said(&wide).unwrap().1.contains("UTF-16"));
        let mut tar = vec![0; 512];
        tar[..8].copy_from_slice(b"var/log/");
        tar[TAR].copy_from_slice(b"ustar");
        assert!(said(&tar).unwrap().1.contains("tar archive"));
    }
}
