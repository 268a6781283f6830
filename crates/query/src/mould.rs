//! What texts of one statement in a program have in common: their numbers and ids are left out as far as nothing that is sought could be
//! touched by them. Two texts of ASCII with the same mould have the same answer to what is sought in them.
//!
//! Left out is a whole run of letters and digits that has a digit. Texts that are sought consist of such runs and of what stands between
//! them, too; so a run can take part in a place where one of them stands only if it is a run of it, or begins, ends or contains it, and if
//! the runs beside it are those of the text that is sought. Such runs are kept.

use crate::runs::{each_run, each_run_with_digits};
use crate::setting::{Beside, Place, Setting, begins_with, ends_with};
use crate::sieve::{Pieces, Words};
use crate::texts::Sought;

/// Stands for a run that was left out. No byte of ASCII.
const LEFT_OUT: u8 = 0x80;

/// Makes moulds, for certain texts that are sought.
#[derive(Debug, Default)]
pub(crate) struct Moulds {
    /// Runs that stand whole in something that is sought, by number.
    numbers: Words,
    whole: Vec<Whole>,
    /// Edges of texts that are sought, by the byte in which a run ends that has them at its end.
    ends: Edges,
    /// The same by the byte in which a run begins.
    begins: Edges,
    /// Texts that are sought anywhere in a run.
    within: Pieces,
    /// Some of them have no letter.
    within_numbers: bool,
}

/// A run that stands whole in something that is sought.
#[derive(Debug, Default)]
struct Whole {
    run: String,
    settings: Vec<Setting>,
    /// The bytes before it and behind it that some of the settings allow.
    before: Bytes,
    behind: Bytes,
}

/// A set of bytes in lower case.
#[derive(Debug, Default)]
struct Bytes([u64; 4]);

impl Bytes {
    /// Adds one, or all if none is named.
    fn add(&mut self, byte: Option<u8>) {
        match byte {
            Some(byte) => self.0[usize::from(byte >> 6)] |= 1 << (byte & 63),
            None => self.0 = [u64::MAX; 4],
        }
    }

    /// Whether it has a byte in any case. An end of the text is none of the bytes, and not looked for: what may stand there allows all.
    #[inline(always)]
    fn has(&self, byte: Option<&u8>) -> bool {
        let byte = byte.map_or(0, u8::to_ascii_lowercase);
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

/// Letters and digits at an end of a text that is sought, where more may join them.
#[derive(Debug, PartialEq)]
struct Edge {
    run: Box<[u8]>,
    setting: Setting,
}

/// Edges at one side of runs.
#[derive(Debug, Default)]
struct Edges {
    /// By the byte of the run that is outermost at the side.
    all: Vec<Vec<Edge>>,
    /// For every outermost byte the bytes that stand beside the edge in some of them.
    beside: Vec<Bytes>,
}

impl Edges {
    /// Adds the end of a text, whose outermost byte this is; `beside` is at its other side.
    fn add(&mut self, outermost: Option<&u8>, run: &str, setting: Setting, beside: impl Fn(&Setting) -> Option<u8>) {
        self.all.resize_with(256, Vec::new);
        self.beside.resize_with(256, Bytes::default);
        let Some(outermost) = outermost else { return };
        if let Some(bytes) = self.beside.get_mut(usize::from(*outermost)) {
            bytes.add(beside(&setting));
        }
        let edge = Edge { run: run.as_bytes().into(), setting };
        if let Some(all) = self.all.get_mut(usize::from(*outermost))
            && !all.contains(&edge)
        {
            all.push(edge);
        }
    }

    /// Those that a run with this outermost byte may have, and with this byte beside it at the other side.
    #[inline(always)]
    fn of(&self, outermost: Option<&u8>, beside: Option<&u8>) -> &[Edge] {
        let Some(outermost) = outermost.map(u8::to_ascii_lowercase) else { return &[] };
        if self.beside.get(usize::from(outermost)).is_none_or(|bytes| !bytes.has(beside)) {
            return &[];
        }
        self.all.get(usize::from(outermost)).map_or(&[], Vec::as_slice)
    }
}

impl Moulds {
    /// For these texts.
    pub(crate) fn of(sought: &[Sought]) -> Moulds {
        let mut moulds = Moulds::default();
        let mut within = Vec::new();
        for text in sought.iter().filter(|text| text.piece.is_ascii()) {
            let piece = text.piece.to_ascii_lowercase();
            let bytes = piece.as_bytes();
            // More letters and digits may join the piece where it begins or ends with one.
            let open_before = !text.word && !text.begins && bytes.first().is_some_and(u8::is_ascii_alphanumeric);
            let open_behind = !text.word && !text.ends && bytes.last().is_some_and(u8::is_ascii_alphanumeric);
            each_run(bytes, |from, to| {
                let Some(run) = piece.get(from..to) else { return };
                let (before, behind) = (text.before.first().map(String::as_str), text.after.first().map(String::as_str));
                let setting = Setting { before: Beside::of(bytes.get(..from), before), behind: Beside::of(bytes.get(to..), behind) };
                match (open_before && from == 0, open_behind && to == bytes.len()) {
                    (false, false) => moulds.add_whole(run, setting),
                    (true, false) => moulds.ends.add(run.as_bytes().last(), run, setting, |setting| setting.behind.nearest(<[u8]>::first)),
                    (false, true) => {
                        moulds.begins.add(run.as_bytes().first(), run, setting, |setting| setting.before.nearest(<[u8]>::last))
                    }
                    (true, true) => within.push((run.to_string(), 0)),
                }
            });
            moulds.add_words(&text.before, &piece, |near, far| Setting { before: far, behind: near });
            moulds.add_words(&text.after, &piece, |near, far| Setting { before: near, behind: far });
        }
        for (number, whole) in (0u32..).zip(&moulds.whole) {
            moulds.numbers.add(&whole.run, number);
        }
        moulds.within_numbers = within.iter().any(|(run, _)| is_number(run.as_bytes()));
        moulds.within = Pieces::new(within.into_iter());
        moulds
    }

    /// Adds the words of a phrase at one side of a piece, the nearest first; `setting` is made of what stands at the side of the piece and at
    /// the other one.
    fn add_words(&mut self, words: &[String], piece: &str, setting: impl Fn(Beside, Beside) -> Setting) {
        // What is nearest is the last word of the piece before it, or the first of the one behind it: only of a piece that is one word itself
        // both are known.
        let is_word = piece.bytes().all(|b| b.is_ascii_alphanumeric());
        let mut near = Beside::of(None, is_word.then_some(piece));
        for (at, word) in words.iter().enumerate() {
            self.add_whole(word, setting(near, Beside::of(None, words.get(at + 1).map(String::as_str))));
            near = Beside::of(None, Some(word));
        }
    }

    fn add_whole(&mut self, run: &str, setting: Setting) {
        // Only a run with a digit can be the same as one that has.
        if !run.is_ascii() || !run.bytes().any(|b| b.is_ascii_digit()) {
            return;
        }
        let at = self.whole.iter().position(|whole| whole.run == run).unwrap_or_else(|| {
            self.whole.push(Whole { run: run.to_string(), ..Whole::default() });
            self.whole.len() - 1
        });
        if let Some(whole) = self.whole.get_mut(at).filter(|whole| !whole.settings.contains(&setting)) {
            whole.before.add(setting.before.nearest(<[u8]>::last));
            whole.behind.add(setting.behind.nearest(<[u8]>::first));
            whole.settings.push(setting);
        }
    }

    /// Puts the mould of a text of ASCII into `into`.
    #[inline]
    pub(crate) fn fill(&self, text: &[u8], into: &mut Vec<u8>) {
        into.clear();
        let mut copied = 0;
        each_run_with_digits(text, |from, to| {
            let (Some(run), Some(before)) = (text.get(from..to), text.get(copied..from)) else { return };
            if !self.is_touched(text, run, from, to) {
                into.extend_from_slice(before);
                into.push(LEFT_OUT);
                copied = to;
            }
        });
        into.extend_from_slice(text.get(copied..).unwrap_or(&[]));
    }

    /// Whether a run with a digit, which stands from `from` to `to`, may be a part of a place where something stands that is sought.
    #[inline(always)]
    fn is_touched(&self, text: &[u8], run: &[u8], from: usize, to: usize) -> bool {
        let place = Place::new(text, from, to);
        let (before, behind) = (from.checked_sub(1).and_then(|at| text.get(at)), text.get(to));
        let mut is_whole = false;
        self.numbers.find_run(run, &mut |number| {
            let known = self.whole.get(number as usize).filter(|whole| whole.before.has(before) && whole.behind.has(behind));
            is_whole |= known.is_some_and(|whole| whole.settings.iter().any(|setting| setting.fits(&place)));
        });
        let ends = |edge: &Edge| ends_with(run, &edge.run) && edge.setting.fits(&place);
        let begins = |edge: &Edge| begins_with(run, &edge.run) && edge.setting.fits(&place);
        is_whole
            || self.ends.of(run.last(), behind).iter().any(ends)
            || self.begins.of(run.first(), before).iter().any(begins)
            || self.contains(run)
    }

    fn contains(&self, run: &[u8]) -> bool {
        let mut found = false;
        if self.within_numbers || !is_number(run) {
            self.within.find(run, &mut |_, _, _| found = true);
        }
        found
    }
}

/// Whether a run has no letter.
#[inline(always)]
fn is_number(run: &[u8]) -> bool {
    run.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{Builder, Found};
    use proptest::prelude::*;

    fn sought() -> impl Strategy<Value = Sought> {
        let piece = ("[a1]{1,3}|b1[ :]|( a|1|a1)?-[a1]|[ab1]-[a1]( |1b)?", any::<bool>(), any::<bool>())
            .prop_map(|(piece, begins, ends)| Sought { piece, begins, ends, ..Sought::default() });
        let phrase =
            (prop::collection::vec("a|1|b1|11", 1..4), 0usize..3).prop_map(|(words, by)| Sought::phrase(&words, by % words.len()).unwrap());
        prop_oneof![piece, phrase]
    }

    fn mould(moulds: &Moulds, text: &str) -> Vec<u8> {
        let mut into = Vec::new();
        moulds.fill(text.as_bytes(), &mut into);
        into
    }

    proptest! {
        /// Texts of one mould have the same answers.
        #[test]
        fn texts_of_one_mould_have_the_same_answers(
            all in prop::collection::vec(sought(), 0..6), text in "([aAbB]|1|b1|11|[ :-]|a1){0,14}", others in prop::collection::vec("1|2|a1|1b|b22|111", 14),
        ) {
            let mut builder = Builder::default();
            all.iter().for_each(|sought| builder.add(sought.clone(), 0));
            let numbers: Vec<u32> = all.iter().map(|sought| builder.number(sought).unwrap()).collect();
            let texts = builder.build();
            let moulds = Moulds::of(&all);
            let of = mould(&moulds, &text);
            // Another text: in each place of a run that was left out another one.
            let mut others = others.iter();
            let other: Vec<u8> = of.iter().flat_map(|b| match *b {
                LEFT_OUT => others.next().map_or(&b"2"[..], |other| other.as_bytes()).to_vec(),
                b => vec![b],
            }).collect();
            let other = String::from_utf8(other).unwrap();
            let ask = |text: &str| {
                let mut found = Found::default();
                found.begin(&texts);
                texts.find(text, &mut found, &mut |_| ());
                numbers.iter().map(|number| found.has(*number)).collect::<Vec<_>>()
            };
            if mould(&moulds, &other) == of {
                prop_assert_eq!(ask(&text), ask(&other), "{} {}", text, other);
            }
        }
    }

    #[test]
    fn numbers_are_left_out_where_nothing_sought_has_them() {
        let phrase = |words: &[&str]| Sought::phrase(&words.iter().map(|word| word.to_string()).collect::<Vec<_>>(), 0).unwrap();
        let all = [phrase(&["failed", "111", "refused"]), Sought::piece("code=1".into()), Sought::piece("x15".into())];
        let moulds = Moulds::of(&all);
        for (text, want) in [
            ("connect() failed (111: refused) to 10.0.0.3:8080", "connect() failed (111: refused) to ~.~.~.~:~"),
            ("took 111 ms, failed 111 times", "took ~ ms, failed ~ times"),
            ("exit code=137 in 12", "exit code=137 in ~"),
            ("id 7x15a of 7x16a", "id 7x15a of ~"),
        ] {
            assert_eq!(mould(&moulds, text), want.bytes().map(|b| if b == b'~' { LEFT_OUT } else { b }).collect::<Vec<_>>(), "{text}");
        }
    }
}
