//! What stands beside a run of letters and digits: in a text that is sought, and in one that is looked through.

use std::cell::OnceCell;

/// What stands beside a run in a text that is sought.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting {
    pub(crate) before: Beside,
    pub(crate) behind: Beside,
}

/// What stands at one side of a run, in lower case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Beside {
    /// Anything may stand there.
    Anything,
    /// The next letters and digits are these, whatever stands between.
    Run(Box<[u8]>),
    /// These bytes, with nothing between.
    Text(Box<[u8]>),
}

impl Beside {
    /// Before or behind a run of a piece: the rest of the piece, or else the next word of the phrase that the piece is of.
    pub(crate) fn of(rest: Option<&[u8]>, word: Option<&str>) -> Beside {
        match (rest, word) {
            (Some(rest), _) if !rest.is_empty() => Beside::Text(rest.into()),
            (_, Some(word)) => Beside::Run(word.as_bytes().into()),
            _ => Beside::Anything,
        }
    }

    /// The byte that stands at the run, `first` or last of these, if it has to be a certain one.
    pub(crate) fn nearest(&self, first: impl Fn(&[u8]) -> Option<&u8>) -> Option<u8> {
        match self {
            Beside::Text(all) => first(all).copied(),
            Beside::Run(_) | Beside::Anything => None,
        }
    }
}

/// Where a run stands in a text.
#[derive(Debug)]
pub(crate) struct Place<'t> {
    /// What is before it and what is behind it.
    head: &'t [u8],
    tail: &'t [u8],
    /// The same to the end of the run before it, and from the run behind it on.
    runs: OnceCell<(&'t [u8], &'t [u8])>,
}

impl<'t> Place<'t> {
    pub(crate) fn new(text: &'t [u8], from: usize, to: usize) -> Place<'t> {
        Place { head: text.get(..from).unwrap_or(&[]), tail: text.get(to..).unwrap_or(&[]), runs: OnceCell::new() }
    }

    fn runs(&self) -> (&'t [u8], &'t [u8]) {
        *self.runs.get_or_init(|| {
            let end = self.head.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |last| last + 1);
            let start = self.tail.iter().position(u8::is_ascii_alphanumeric).unwrap_or(self.tail.len());
            (self.head.get(..end).unwrap_or(&[]), self.tail.get(start..).unwrap_or(&[]))
        })
    }
}

impl Setting {
    /// Whether it is the one of a place.
    #[inline(always)]
    pub(crate) fn fits(&self, place: &Place<'_>) -> bool {
        let before = match &self.before {
            Beside::Anything => true,
            Beside::Text(all) => ends_with(place.head, all),
            Beside::Run(run) => ends_with(place.runs().0, run),
        };
        before
            && match &self.behind {
                Beside::Anything => true,
                Beside::Text(all) => begins_with(place.tail, all),
                Beside::Run(run) => begins_with(place.runs().1, run),
            }
    }
}

/// Whether a text begins with this one, in any case.
#[inline(always)]
pub(crate) fn begins_with(text: &[u8], what: &[u8]) -> bool {
    is_same(what.first(), text.first()) && text.get(..what.len()).is_some_and(|there| there.eq_ignore_ascii_case(what))
}

/// Whether a text ends with this one, which is not empty, in any case.
#[inline(always)]
pub(crate) fn ends_with(text: &[u8], what: &[u8]) -> bool {
    let there = || text.len().checked_sub(what.len()).and_then(|at| text.get(at..));
    is_same(what.last(), text.last()) && there().is_some_and(|there| there.eq_ignore_ascii_case(what))
}

/// Whether two bytes are there and the same in any case, which spares most comparisons.
#[inline(always)]
fn is_same(sought: Option<&u8>, there: Option<&u8>) -> bool {
    sought.zip(there).is_some_and(|(sought, there)| sought.eq_ignore_ascii_case(there))
}
