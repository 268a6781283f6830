//! Some fields of the events that a query asks for, without putting the events together: for counting and summing up.

use crate::ask::{Plan, named};
use crate::error::StoreError;
use crate::pack::chunk::Chunk;
use crate::pack::column::Texts;
use crate::pack::planes::Numbers;
use crate::pack::read::damaged;
use crate::pack::shape::Source as From;
use crate::search::{Frame, Question, Times, Turn};
use crate::store::Store;
use std::io;
use whyline_event::{Key, Name, Record, Severity, Source, Value};
use whyline_query::pipe::{Known, Needs};
use whyline_query::{Query, Target};

/// What was asked of one event.
pub struct Visited<'v> {
    /// Number of its source.
    pub source: usize,
    /// Its instant in UTC nanoseconds, by the clock of its source, if that is asked.
    pub time: Option<i64>,
    known: Known<'v>,
}

impl<'v> Visited<'v> {
    /// The event as pipes take it.
    #[inline]
    pub fn known(&self) -> &Known<'v> {
        &self.known
    }

    /// The values of the field that was asked for at this place, in the order of the record; a field may have several, or none.
    pub fn values(&self, field: usize) -> &'v [Value<'v>] {
        self.known.values(field)
    }
}

/// Where a value of a row comes from.
enum Getter<'c> {
    Same(Value<'c>),
    Int(&'c Numbers),
    Float(&'c Numbers),
    Duration(&'c Numbers),
    /// A column of texts, with its dictionary.
    Text(&'c Texts, u32),
    Line,
    Severity,
}

impl Store {
    /// Hands over the asked fields of the events that a query asks for, chunk by chunk: within a source in their order, but not
    /// sorted by time over all of them. The values are those that a query compares with (`Query::matches_in`): a host that the
    /// source gives, the severity before the level word. What is damaged is left out; see [`Store::lost`].
    pub fn visit_fields(
        &self,
        query: &Query,
        frame: &Frame,
        needs: &Needs<'_>,
        each: &mut dyn FnMut(Visited<'_>),
    ) -> Result<(), StoreError> {
        let plan = Plan::new(query);
        let question = Question::new(self, &plan, frame)?;
        let mut turn = Turn::new(self, &plan);
        for (place, number) in question.each_chunk() {
            let Some(pack) = self.spare_pack(place)? else { continue };
            if pack.footer.chunks.get(number).is_some_and(|meta| question.is_outside(meta)) {
                continue;
            }
            let mut visit_chunk = || {
                let chunk = Chunk::open(&pack, number).map_err(self.unreadable())?;
                let rows = question.rows(turn.asker(place, pack.clone()), &chunk)?;
                if rows.is_empty() {
                    return Ok(());
                }
                let (source, clock) = question.of_source(chunk.meta.source)?;
                let mut times = if needs.time { Some(Times::new(&chunk, clock, self)?) } else { None };
                let at = &mut |row: usize| times.as_mut().and_then(|times| times.at(row));
                visit(&chunk, source, needs.fields, &mut rows.iter(), at, each).map_err(self.unreadable())
            };
            let visited = visit_chunk();
            self.spare((place, number), visited)?;
        }
        Ok(())
    }
}

fn visit(
    chunk: &Chunk,
    source: &Source,
    fields: &[Target],
    rows: &mut dyn Iterator<Item = usize>,
    time: &mut dyn FnMut(usize) -> Option<i64>,
    each: &mut dyn FnMut(Visited<'_>),
) -> io::Result<()> {
    let places = chunk.rows()?;
    let getters = (0..chunk.groups.len()).map(|group| of_group(chunk, group, source, fields)).collect::<io::Result<Vec<_>>>()?;
    let number = chunk.meta.source as usize;
    let (mut values, mut ends): (Vec<Value<'_>>, Vec<usize>) = (Vec::new(), Vec::new());
    for row in rows {
        let time = time(row);
        let (Some(group), Some(place)) = (places.group.get(row), places.place.get(row)) else { continue };
        let Some(Some(getters)) = getters.get(usize::from(*group)) else {
            chunk.record(row as u32, 0, &mut |record| of_record(record, source, fields, number, time, each))?;
            continue;
        };
        values.clear();
        ends.clear();
        for field in getters {
            for getter in field {
                values.extend(getter.get(chunk, row, *place as usize)?);
            }
            ends.push(values.len());
        }
        each(Visited { source: number, time, known: Known::new(time, &values, &ends) });
    }
    Ok(())
}

/// Where the fields of the rows of a group are; `None` where a value has to be put together from pieces of the text.
fn of_group<'c>(chunk: &'c Chunk, group: usize, source: &'c Source, fields: &[Target]) -> io::Result<Option<Vec<Vec<Getter<'c>>>>> {
    let mut all = Vec::new();
    for target in fields {
        let mut getters = Vec::new();
        let shape = chunk.shape_of(group)?;
        let places: Vec<From> = match target {
            Target::Format => {
                getters.push(Getter::Same(Value::Str(chunk.pack.names().text(shape.format).unwrap_or(""))));
                Vec::new()
            }
            Target::Source => {
                getters.push(Getter::Same(Value::Str(&source.path)));
                Vec::new()
            }
            Target::Line => {
                getters.push(Getter::Line);
                Vec::new()
            }
            Target::Body => vec![shape.body],
            Target::Raw => vec![From::Atoms(0, shape.atoms.len() as u32)],
            Target::Level => {
                getters.push(Getter::Severity);
                named(chunk.pack.names(), shape, &Target::Key(Key::Level))
            }
            target => named(chunk.pack.names(), shape, target),
        };
        if let (true, Target::Key(Key::HostName), Some(host)) = (places.is_empty(), target, &source.host) {
            getters.push(Getter::Same(Value::Str(host)));
        }
        for from in places {
            match getter(chunk, group, from)? {
                Some(getter) => getters.push(getter),
                None => return Ok(None),
            }
        }
        all.push(getters);
    }
    Ok(Some(all))
}

fn getter(chunk: &Chunk, group: usize, from: From) -> io::Result<Option<Getter<'_>>> {
    Ok(Some(match from {
        From::No | From::Yes => Getter::Same(Value::Bool(from == From::Yes)),
        From::Int(n) => Getter::Int(chunk.numbers(group, n)?),
        From::Float(n) => Getter::Float(chunk.numbers(group, n)?),
        From::Duration(n) => Getter::Duration(chunk.numbers(group, n)?),
        From::Atoms(..) | From::Own(_) => {
            let Some((column, dictionary)) = chunk.column_of(group, from)? else { return Ok(None) };
            let texts = chunk.texts(group, column)?;
            Getter::Text(texts, dictionary)
        }
    }))
}

impl<'c> Getter<'c> {
    fn get(&self, chunk: &'c Chunk, row: usize, place: usize) -> io::Result<Option<Value<'c>>> {
        let missing = || damaged("a value is missing");
        let number = |list: &Numbers| list.get(place).ok_or_else(missing);
        Ok(Some(match self {
            Getter::Same(value) => *value,
            Getter::Int(list) => Value::Int(number(list)?),
            Getter::Float(list) => Value::Float(f64::from_bits(number(list)? as u64)),
            Getter::Duration(list) => Value::Duration(number(list)?),
            Getter::Text(texts, dictionary) => {
                let texts: &'c Texts = texts;
                Value::Str(chunk.text_in(texts, *dictionary, place)?)
            }
            Getter::Line => Value::Int(i64::try_from(chunk.line(row as u32)?).unwrap_or(i64::MAX)),
            Getter::Severity => {
                let (marks, ids) = chunk.marks()?;
                let severity: Option<Severity> = ids.get(row).and_then(|id| marks.get(*id as usize)).and_then(|m| m.severity);
                return Ok(severity.map(|s| Value::Str(s.as_str())));
            }
        }))
    }
}

fn of_record(record: &Record<'_>, source: &Source, fields: &[Target], number: usize, time: Option<i64>, each: &mut dyn FnMut(Visited<'_>)) {
    let (mut values, mut ends): (Vec<Value<'_>>, Vec<usize>) = (Vec::new(), Vec::new());
    for target in fields {
        match target {
            Target::Format => values.push(Value::Str(record.format)),
            Target::Source => values.push(Value::Str(&source.path)),
            Target::Line => values.push(Value::Int(i64::try_from(record.origin.line).unwrap_or(i64::MAX))),
            Target::Body => values.push(Value::Str(record.body)),
            Target::Raw => values.push(Value::Str(record.text)),
            Target::Level => {
                values.extend(record.severity.map(|s| Value::Str(s.as_str())));
                values.extend(record.values(Name::Known(Key::Level)));
            }
            Target::Key(Key::HostName) if !record.has(Key::HostName) => values.extend(source.host.as_deref().map(Value::Str)),
            Target::Key(key) => values.extend(record.values(Name::Known(*key))),
            Target::Other(name) => values.extend(record.values(Name::Other(name))),
            Target::Either(key, name) => values.extend(record.values(record.either(*key, name))),
        }
        ends.push(values.len());
    }
    each(Visited { source: number, time, known: Known::new(time, &values, &ends) });
}
