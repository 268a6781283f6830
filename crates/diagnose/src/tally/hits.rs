//! Hits of signals: how many a second, and where the first of each second stand.

use crate::names::NameId;
use crate::rules::SignalId;
use crate::snapshot::Telling;
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Record, Stamp};

/// A record kept as evidence: where it stands. Its text is read again should an answer cite it, which is few of very many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// The stamp as written, later on the agreed clock; in nanoseconds.
    pub nanos: i64,
    /// Line.
    pub line: u32,
    /// Where its text is.
    pub text: Text,
}

/// The text of a sample.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// These bytes of its source: offset and length.
    There(u64, u16),
    /// Here: what was put together of several places cannot be read again in one piece.
    Here(Box<Kept>),
}

/// A text that is kept. It lies behind one pointer more than it needs, so that the many samples without one take less room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// The text.
    pub text: Box<str>,
}

impl Text {
    /// Of a longer text so many bytes of its beginning are shown, and so many of its end: there a stack trace says what it is about.
    pub const HEAD: usize = 500;
    /// See [`Text::HEAD`].
    pub const TAIL: usize = 1490;

    /// The beginning and the end of a longer text, each cut between lines where that leaves most of it.
    pub fn ends(head: &str, tail: &str) -> String {
        const SIGN: char = '\u{fffd}';
        let (head, tail) = (head.trim_end_matches(SIGN), tail.trim_start_matches(SIGN));
        let head = head.rfind('\n').filter(|at| at * 2 >= head.len()).and_then(|at| head.get(..at)).unwrap_or(head);
        let tail = tail.find('\n').filter(|at| at * 2 <= tail.len()).and_then(|at| tail.get(at + 1..)).unwrap_or(tail);
        let mark = if head.contains('\n') || tail.contains('\n') { "\n…\n" } else { " … " };
        format!("{}{mark}{tail}", head.trim_end_matches('\r'))
    }

    /// A text as it is kept: as a whole, or its beginning and its end.
    pub fn kept(text: &str) -> Box<str> {
        if text.len() <= Text::HEAD + Text::TAIL {
            return text.into();
        }
        let border = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (head, tail) = (text.get(..border(Text::HEAD)), text.get(border(text.len() - Text::TAIL)..));
        Text::ends(head.unwrap_or(""), tail.unwrap_or("")).into()
    }
}

impl Sample {
    /// The sample of a record.
    pub(super) fn of(record: &Record<'_>, stamp: &Stamp) -> Sample {
        // A hole in a line, or bytes that were no text, would not be read again as they stand here.
        let as_it_stands = record.origin.length == record.text.len() as u64 && !has_holes(record.text);
        let text = match u16::try_from(record.text.len()) {
            Ok(length) if as_it_stands => Text::There(record.origin.offset, length),
            _ => Text::Here(Box::new(Kept { text: Text::kept(record.text) })),
        };
        Sample { nanos: stamp.nanos, line: u32::try_from(record.origin.line).unwrap_or(u32::MAX), text }
    }
}

/// Whether a text has a zero byte, or the sign that stands for bytes that were no text.
fn has_holes(text: &str) -> bool {
    const SIGN: char = '\u{fffd}';
    memchr::memchr2(0, 0xef, text.as_bytes()).is_some_and(|at| text.as_bytes().get(at) == Some(&0) || text.contains(['\0', SIGN]))
}

/// Whose hits these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HitKey {
    /// The signal.
    pub signal: SignalId,
    /// The source.
    pub source: u32,
    /// What the stamps leave open.
    pub form: Form,
    /// The accused.
    pub entity: NameId,
    /// Host of the writer.
    pub host: NameId,
    /// Service of the writer.
    pub service: NameId,
    /// How their times are to be understood.
    pub telling: Telling,
}

/// Hits of a signal for an entity in a source. Most entities (clients) have a few only.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// Hits per second, as written, in order.
    pub bins: Vec<(i64, u32)>,
    /// The first samples of each second, in order.
    pub samples: Vec<Sample>,
    /// Seconds that have samples.
    seconds: usize,
}

const SAMPLES_A_SECOND: usize = 2;
const SAMPLE_SECONDS: usize = 400;
/// So many seconds have samples before those beyond the cap are dropped, all at once.
const MOST_SECONDS: usize = SAMPLE_SECONDS + SAMPLE_SECONDS / 4;

fn second_of(sample: &Sample) -> i64 {
    sample.nanos.div_euclid(NANOS)
}

impl Hits {
    /// Takes a record.
    pub(super) fn add(&mut self, record: &Record<'_>, stamp: &Stamp) {
        let second = stamp.nanos.div_euclid(NANOS);
        self.count(second, 1);
        // The first of each second by time and line, whatever the order in which blocks come.
        let line = u32::try_from(record.origin.line).unwrap_or(u32::MAX);
        let (from, to) = self.of_second(second);
        let full = to - from >= SAMPLES_A_SECOND;
        if full && self.samples.get(to - 1).is_some_and(|s| (s.nanos, s.line) <= (stamp.nanos, line)) {
            return;
        }
        let sample = Sample::of(record, stamp);
        self.put(sample);
        if self.seconds > MOST_SECONDS {
            self.thin_out();
        }
    }

    fn count(&mut self, second: i64, n: u32) {
        match self.bins.last_mut() {
            // Mostly it is the last one.
            Some((last, count)) if *last == second => *count += n,
            Some((last, _)) if *last > second => match self.bins.binary_search_by_key(&second, |(s, _)| *s) {
                Ok(at) => self.bins.get_mut(at).into_iter().for_each(|(_, count)| *count += n),
                Err(at) => self.bins.insert(at, (second, n)),
            },
            None => {
                self.bins.reserve_exact(1);
                self.bins.push((second, n));
            }
            Some(_) => self.bins.push((second, n)),
        }
    }

    /// Where the samples of a second stand.
    fn of_second(&self, second: i64) -> (usize, usize) {
        let all = &self.samples;
        if all.last().is_none_or(|last| second_of(last) < second) {
            return (all.len(), all.len());
        }
        let from = all.partition_point(|s| second_of(s) < second);
        let same = all.get(from..).into_iter().flatten().take_while(|s| second_of(s) == second).count();
        (from, from + same)
    }

    /// Puts a sample in its place, and takes out what its second then has too many.
    fn put(&mut self, sample: Sample) {
        let (from, to) = self.of_second(second_of(&sample));
        self.seconds += usize::from(from == to);
        let before = self.samples.get(from..to).unwrap_or(&[]).partition_point(|s| *s < sample);
        if self.samples.is_empty() {
            self.samples.reserve_exact(1);
        }
        self.samples.insert(from + before, sample);
        if to + 1 - from > SAMPLES_A_SECOND {
            self.samples.remove(to);
        }
    }

    /// Adds hits of the same key from another part.
    pub(crate) fn merge(&mut self, other: Hits) {
        if self.bins.is_empty() {
            *self = other;
        } else {
            other.bins.into_iter().for_each(|(second, n)| self.count(second, n));
            other.samples.into_iter().for_each(|sample| self.put(sample));
        }
        if self.seconds > SAMPLE_SECONDS {
            self.thin_out();
        }
        self.close();
    }

    /// Gives back what memory is not needed: nothing is added any more, or once for each part.
    pub(super) fn close(&mut self) {
        self.samples.shrink_to_fit();
        self.bins.shrink_to_fit();
    }

    /// Drops the samples of seconds beyond the cap: the first and the last second stay, and of the others those whose hash is
    /// smallest, so that the choice does not depend on the order in which parts were read.
    fn thin_out(&mut self) {
        let (Some(first), Some(last)) = (self.samples.first().map(second_of), self.samples.last().map(second_of)) else { return };
        let mix = |s: i64| (s as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let mut hashes: Vec<u64> =
            self.samples.chunk_by(|a, b| second_of(a) == second_of(b)).map(|same| mix(second_of(&same[0]))).collect();
        hashes.sort_unstable();
        let Some(limit) = hashes.get(SAMPLE_SECONDS).copied() else { return };
        let stays = |s: i64| s == first || s == last || mix(s) < limit;
        self.samples.retain(|sample| stays(second_of(sample)));
        self.seconds = self.samples.chunk_by(|a, b| second_of(a) == second_of(b)).count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_both_ends_are_kept() {
        let trace = format!("Traceback (most recent call last):\n{}KeyError: 'price'", "  File \"a.py\", line 1, in f\n".repeat(200));
        let kept = Text::kept(&trace);
        assert!(kept.starts_with("Traceback") && kept.ends_with("\nKeyError: 'price'") && kept.contains("in f\n…\n  File"), "{kept}");
        assert!(kept.len() <= 2000);
        assert_eq!(&*Text::kept("short"), "short");
        let one = "ä".repeat(2000);
        assert!(Text::kept(&one).contains("ä … ä"));
    }
}
