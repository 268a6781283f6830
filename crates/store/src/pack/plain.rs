//! Texts of a column that are in no dictionary. They stay as they lie in the file until one is asked for: hexadecimal ids as bytes,
//! decimal numbers as numbers, others one after the other.

use super::lengths::Lengths;
use super::planes::Numbers;
use super::read::damaged;
use super::rooms::Room;
use memchr::memmem;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::io;
use std::rc::Rc;

/// Texts, or some of those of a column.
#[derive(Debug)]
pub(crate) struct Plain {
    held: Held,
    count: usize,
    /// Ids and numbers as texts, one after the other, and where each ends.
    shown: OnceCell<(String, Vec<u32>)>,
}

#[derive(Clone, Debug)]
enum Held {
    /// Bytes in which the texts begin somewhere.
    Texts {
        bytes: Rc<Room>,
        begin: usize,
        lengths: Lengths,
    },
    /// So many bytes an id, from a place on.
    Hex {
        bytes: Rc<Vec<u8>>,
        begin: usize,
        width: usize,
    },
    Decimal(Numbers),
}

impl Plain {
    /// Texts that begin at a place in some bytes and go to their end.
    pub(crate) fn texts(bytes: Room, begin: usize, lengths: Lengths) -> Option<Plain> {
        let count = lengths.len();
        let fits = begin.checked_add(lengths.begin(count)) == Some(bytes.len());
        fits.then(|| Plain::new(Held::Texts { bytes: Rc::new(bytes), begin, lengths }, count))
    }

    /// Hexadecimal texts, each of so many bytes.
    pub(crate) fn hex(bytes: Vec<u8>, width: usize, count: usize) -> Option<Plain> {
        let fits = width > 0 && u32::try_from(bytes.len().checked_mul(2)?).is_ok() && width.checked_mul(count)? == bytes.len();
        fits.then(|| Plain::new(Held::Hex { bytes: Rc::new(bytes), begin: 0, width }, count))
    }

    /// Decimal texts.
    pub(crate) fn decimal(numbers: Numbers, count: usize) -> Plain {
        Plain::new(Held::Decimal(numbers), count)
    }

    fn new(held: Held, count: usize) -> Plain {
        Plain { held, count, shown: OnceCell::new() }
    }

    /// Some of them.
    pub(crate) fn part(&self, from: usize, count: usize) -> Option<Plain> {
        if from.checked_add(count)? > self.count {
            return None;
        }
        let held = match &self.held {
            Held::Texts { bytes, begin, lengths } => {
                Held::Texts { bytes: bytes.clone(), begin: *begin, lengths: lengths.part(from, count)? }
            }
            Held::Hex { bytes, begin, width } => Held::Hex { bytes: bytes.clone(), begin: begin + from * width, width: *width },
            Held::Decimal(numbers) => Held::Decimal(numbers.part(from, count)?),
        };
        Some(Plain::new(held, count))
    }

    /// A text.
    pub(crate) fn get(&self, n: usize) -> io::Result<&str> {
        let found = match &self.held {
            Held::Texts { bytes, begin, lengths } => lengths.span(n).and_then(|(from, to)| text(bytes, *begin, (from, to))),
            Held::Hex { .. } | Held::Decimal(_) => {
                let (text, ends) = self.shown();
                super::column::nth(text, ends, n)
            }
        };
        found.ok_or_else(|| damaged("a text is missing"))
    }

    /// Adds a text to another one.
    pub(crate) fn push(&self, n: usize, out: &mut String) -> io::Result<()> {
        let missing = || damaged("a text is missing");
        if n >= self.count {
            return Err(missing());
        }
        match &self.held {
            Held::Texts { .. } => out.push_str(self.get(n)?),
            Held::Hex { bytes, begin, width } => {
                let from = begin + n * width;
                out.push_str(&hex(bytes.get(from..from + width).ok_or_else(missing)?));
            }
            Held::Decimal(numbers) => push_decimal(numbers.get(n).ok_or_else(missing)?.unsigned_abs(), out),
        }
        Ok(())
    }

    /// The bytes of all of them, one after the other.
    pub(crate) fn whole(&self) -> &[u8] {
        match &self.held {
            Held::Texts { bytes, begin, lengths } => bytes.get(begin + lengths.begin(0)..begin + lengths.begin(self.count)).unwrap_or(&[]),
            Held::Hex { .. } | Held::Decimal(_) => self.shown().0.as_bytes(),
        }
    }

    /// Where each ends in the bytes of all.
    pub(crate) fn ends(&self) -> Cow<'_, [u32]> {
        match &self.held {
            Held::Texts { lengths, .. } => Cow::Owned(lengths.ends()),
            Held::Hex { .. } | Held::Decimal(_) => Cow::Borrowed(&self.shown().1),
        }
    }

    /// Which of them a place in the bytes of all belongs to, and where this one ends there.
    fn at(&self, place: usize) -> Option<(usize, usize)> {
        match &self.held {
            Held::Texts { lengths, .. } => {
                let n = lengths.at(lengths.begin(0) + place)?;
                Some((n, lengths.begin(n + 1) - lengths.begin(0)))
            }
            Held::Hex { .. } | Held::Decimal(_) => {
                let ends = &self.shown().1;
                let n = ends.partition_point(|end| *end as usize <= place);
                Some((n, *ends.get(n)? as usize))
            }
        }
    }

    /// The texts in which something begins, each once, and whether it ends there as well. It is sought in the bytes of all of them, or
    /// in what was made of these, byte by byte.
    pub(crate) fn occurrences<'e>(&'e self, bytes: &'e [u8], wanted: &'e [u8]) -> impl Iterator<Item = (usize, bool)> + 'e {
        let finder = memmem::Finder::new(wanted);
        let mut from = 0;
        std::iter::from_fn(move || {
            let at = from + finder.find(bytes.get(from..)?)?;
            let (n, end) = self.at(at)?;
            // What goes over the end of a text may hide what begins behind it.
            from = end;
            Some((n, at + wanted.len() <= end))
        })
    }

    fn shown(&self) -> &(String, Vec<u32>) {
        self.shown.get_or_init(|| {
            let (mut text, mut ends) = (String::new(), Vec::with_capacity(self.count));
            match &self.held {
                Held::Texts { .. } => {}
                Held::Hex { bytes, begin, width } => {
                    text = hex(bytes.get(*begin..begin + width * self.count).unwrap_or(&[]));
                    ends.extend((1..=self.count).map(|n| (2 * n * width) as u32));
                }
                Held::Decimal(numbers) => numbers.each(|number| {
                    push_decimal(number.unsigned_abs(), &mut text);
                    ends.push(text.len() as u32);
                }),
            }
            (text, ends)
        })
    }
}

fn text(bytes: &[u8], begin: usize, (from, to): (usize, usize)) -> Option<&str> {
    std::str::from_utf8(bytes.get(begin.checked_add(from)?..begin.checked_add(to)?)?).ok()
}

/// The two hexadecimal digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut n = 0;
    while n < 256 {
        pairs[n] = [DIGITS[n >> 4], DIGITS[n & 15]];
        n += 1;
    }
    pairs
};

fn hex(bytes: &[u8]) -> String {
    let mut text = vec![0; bytes.len() * 2];
    text.as_chunks_mut::<2>().0.iter_mut().zip(bytes).for_each(|(pair, byte)| *pair = PAIRS[usize::from(*byte)]);
    String::from_utf8(text).unwrap_or_default()
}

fn push_decimal(mut number: u64, out: &mut String) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    digits[at..].iter().for_each(|digit| out.push(char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::super::planes::Planes;
    use super::*;

    fn numbers(all: &[u8]) -> Numbers {
        Numbers { planes: Planes::new(all.to_vec(), all.len(), 1).unwrap(), base: 0, scale: 1 }
    }

    #[test]
    fn parts_have_their_own_texts() {
        let words: Vec<String> = (0..90).map(|n| "größe".repeat(n % 3)).collect();
        let sizes: Vec<u8> = words.iter().map(|w| w.len() as u8).collect();
        let texts = Plain::texts(format!("xy{}", words.concat()).into_bytes().into(), 2, Lengths::new(numbers(&sizes), 90).unwrap());
        let ids: Vec<String> = (0..90).map(|n| format!("{n:08x}")).collect();
        let hex = Plain::hex((0..90u32).flat_map(u32::to_be_bytes).collect(), 4, 90);
        let counts: Vec<String> = (0..90).map(|n: u8| n.to_string()).collect();
        let decimal = Plain::decimal(numbers(&(0..90).collect::<Vec<u8>>()), 90);
        for (plain, all) in [(texts.unwrap(), words), (hex.unwrap(), ids), (decimal, counts)] {
            for (from, count) in [(0, 90), (33, 40), (89, 1), (90, 0)] {
                let (part, all) = (plain.part(from, count).unwrap(), &all[from..from + count]);
                let mut out = String::new();
                (0..count).for_each(|n| part.push(n, &mut out).unwrap());
                assert_eq!((out.as_bytes(), out.as_str()), (part.whole(), all.concat().as_str()));
                assert!((0..count).all(|n| part.get(n).unwrap() == all[n]));
                assert!(part.get(count).is_err() && part.push(count, &mut out).is_err() && part.at(part.whole().len()).is_none());
                let ends: Vec<usize> = all.iter().scan(0, |end, t| Some(std::mem::replace(end, *end + t.len()) + t.len())).collect();
                let of = |place: usize| ends.partition_point(|end| *end <= place);
                assert!((0..part.whole().len()).all(|place| part.at(place) == Some((of(place), ends[of(place)]))));
                assert!(part.ends().iter().map(|end| *end as usize).eq(ends.iter().copied()));
            }
            assert!(plain.part(50, 41).is_none());
        }
    }

    #[test]
    fn what_goes_over_a_border_hides_nothing() {
        let plain = Plain::texts(b"xaaaxaax".to_vec().into(), 0, Lengths::new(numbers(&[2, 2, 0, 4]), 4).unwrap()).unwrap();
        assert_eq!(plain.occurrences(plain.whole(), b"aa").collect::<Vec<_>>(), [(0, false), (1, true), (3, true)]);
        assert_eq!(plain.occurrences(b"", b"aa").count(), 0);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let three = || Lengths::new(numbers(&[1, 1, 1]), 3).unwrap();
        assert!(Plain::texts(b"abcd".to_vec().into(), 0, three()).is_none() && Plain::texts(b"ab".to_vec().into(), 9, three()).is_none());
        assert!(Plain::hex(vec![0; 7], 2, 3).is_none() && Plain::hex(Vec::new(), 0, 3).is_none());
        // Borders within a letter are found where the text is asked for.
        let cut = Plain::texts("aßb".as_bytes().to_vec().into(), 0, Lengths::new(numbers(&[2, 1, 1]), 3).unwrap()).unwrap();
        assert!(cut.get(0).is_err() && cut.get(1).is_err() && cut.get(2).is_ok());
    }
}
