//! Tests of values, put to columns.

use super::answers::Answers;
use super::chunk::{Asker, Part};
use super::plan::Leaf;
use crate::bits::Bits;
use crate::names::Names;
use crate::pack::column::Texts;
use crate::pack::planes::Numbers;
use crate::pack::shape::{Shape, Source as From};
use std::io;
use whyline_event::{Key, Name, Value};
use whyline_query::Target;

/// Of the kinds of numbers: whole ones without a unit.
const INT: u8 = 0;

/// Where the values of a field are in the records of a shape; of either field the values of the one that goes first, if it is there.
pub(crate) fn named(names: &Names, shape: &Shape, target: &Target) -> Vec<From> {
    let of = |name: Name<'_>| -> Vec<From> {
        shape.fields.iter().filter(|(n, _)| names.name(*n) == Some(name)).map(|(_, from)| *from).collect()
    };
    match (target.field().map(of).unwrap_or_default(), target) {
        (none, Target::Either(_, own)) if none.is_empty() => of(Name::Other(own)),
        (found, _) => found,
    }
}

impl<'q> Asker<'q> {
    /// The live places at which a value of a target passes.
    pub(super) fn of_value(&mut self, leaf: &'q Leaf<'q>, target: &Target, part: Part<'_>, live: &Bits) -> io::Result<Bits> {
        let everything = |yes: bool| if yes { live.clone() } else { Bits::none(part.count()) };
        match target {
            Target::Format => {
                let format = self.pack.names().text(part.shape.format).unwrap_or("");
                return Ok(everything(leaf.fits(Value::Str(format))));
            }
            Target::Source => return Ok(everything(leaf.fits_source(part.source))),
            Target::Line => return of_line(leaf, part, live),
            _ => {}
        }
        let named = match target {
            Target::Level => self.sources(&Target::Key(Key::Level), part.shape),
            target => self.sources(target, part.shape),
        };
        if named.is_empty() && *target == Target::Key(Key::HostName) {
            return Ok(everything(leaf.fits_source(part.source)));
        }
        let mut found = if *target == Target::Level { of_severity(leaf, part, live)? } else { Bits::none(part.count()) };
        for from in named {
            let mut rest = live.clone();
            rest.and_not(&found);
            if rest.is_empty() {
                break;
            }
            found.or(&self.value_of(leaf, from, part, &rest)?);
        }
        Ok(found)
    }

    /// The live places at which a value passes.
    pub(super) fn value_of(&mut self, leaf: &'q Leaf<'q>, from: From, part: Part<'_>, live: &Bits) -> io::Result<Bits> {
        let everything = |yes: bool| if yes { live.clone() } else { Bits::none(part.count()) };
        match from {
            From::No | From::Yes => Ok(everything(leaf.fits(Value::Bool(from == From::Yes)))),
            From::Int(n) => self.of_numbers(leaf, INT, part.chunk.numbers(part.group, n)?, live),
            From::Float(n) => self.of_numbers(leaf, 1, part.chunk.numbers(part.group, n)?, live),
            From::Duration(n) => self.of_numbers(leaf, 2, part.chunk.numbers(part.group, n)?, live),
            From::Atoms(..) | From::Own(_) => match part.column_of(from) {
                Some((column, dictionary)) => self.of_texts(leaf, part.chunk.texts(part.group, column)?, dictionary, live),
                None => self.by_text(from, part, live, &|text| leaf.fits(Value::Str(text))),
            },
        }
    }

    fn of_numbers(&mut self, leaf: &'q Leaf<'q>, kind: u8, numbers: &Numbers, live: &Bits) -> io::Result<Bits> {
        if kind == INT {
            let answers = self.whole.entry(leaf.id).or_default();
            if let Some(found) = answers.select_numbers(numbers, live, |number| leaf.fits(Value::Int(number)))? {
                return Ok(found);
            }
        }
        const CACHED: usize = 256;
        let cache = self.recent.entry((leaf.id, kind)).or_insert_with(|| vec![None; CACHED].into_boxed_slice());
        let memory = &mut self.numbers;
        let yes = |number: i64| {
            let cell = &mut cache[(number as u64 ^ number as u64 >> 20) as usize % CACHED];
            match *cell {
                Some((same, yes)) if same == number => yes,
                _ => {
                    let yes = *memory.entry((leaf.id, kind, number)).or_insert_with(|| {
                        leaf.fits(match kind {
                            INT => Value::Int(number),
                            1 => Value::Float(f64::from_bits(number as u64)),
                            _ => Value::Duration(number),
                        })
                    });
                    *cell = Some((number, yes));
                    yes
                }
            }
        };
        Ok(numbers.select(live, yes))
    }

    fn of_texts(&mut self, leaf: &'q Leaf<'q>, texts: &Texts, dictionary: u32, live: &Bits) -> io::Result<Bits> {
        if let Texts::Plain(plain) = texts {
            let mut found = Bits::none(live.len());
            for place in live.iter() {
                if leaf.fits(Value::Str(plain.get(place)?)) {
                    found.set(place);
                }
            }
            return Ok(found);
        }
        let pack = self.pack.clone();
        if !self.values.contains_key(&(leaf.id, dictionary)) {
            let answers = match self.candidates(leaf, dictionary)? {
                Some(may) => Answers::candidates(may),
                None => Answers::unknown(pack.entries(dictionary)?.len()),
            };
            self.values.insert((leaf.id, dictionary), answers);
        }
        let answers = self.values.entry((leaf.id, dictionary)).or_default();
        answers.select(texts, live, |id| Ok(leaf.fits(Value::Str(pack.entry(dictionary, id)?))))
    }
}

fn of_line<'q>(leaf: &'q Leaf<'q>, part: Part<'_>, live: &Bits) -> io::Result<Bits> {
    let mut found = Bits::none(part.count());
    let rows = part.chunk.rows()?.of.get(part.group).map_or(&[][..], Vec::as_slice);
    for place in live.iter() {
        let Some(row) = rows.get(place) else { break };
        if leaf.fits(Value::Int(i64::try_from(part.chunk.line(*row)?).unwrap_or(i64::MAX))) {
            found.set(place);
        }
    }
    Ok(found)
}

fn of_severity<'q>(leaf: &'q Leaf<'q>, part: Part<'_>, live: &Bits) -> io::Result<Bits> {
    let (marks, ids) = part.chunk.marks()?;
    let passes: Vec<bool> = marks.iter().map(|m| m.severity.is_some_and(|s| leaf.fits_severity(s))).collect();
    let mut found = Bits::none(part.count());
    let rows = part.chunk.rows()?.of.get(part.group).map_or(&[][..], Vec::as_slice);
    for place in live.iter() {
        let mark = rows.get(place).and_then(|row| ids.get(*row as usize));
        if mark.and_then(|m| passes.get(*m as usize)).is_some_and(|yes| *yes) {
            found.set(place);
        }
    }
    Ok(found)
}
