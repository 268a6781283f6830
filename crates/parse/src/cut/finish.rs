//! The end of a record: its lines are put together, what only its neighbours tell is added, and it is handed over.

use super::{Cutter, LONGEST_BODY, is_blank, joined, read_into};
use crate::boot;
use crate::formats::cursor::beginning;
use whyline_event::{Key, Origin, Record, Stamp, Value};

/// A record whose lines are all there.
struct Whole<'a> {
    record: Box<Record<'a>>,
    origin: Origin,
    /// Bytes of it had to be replaced.
    lossy: bool,
    /// Not all of its lines are held.
    over: bool,
}

impl<'a> Cutter<'a, '_> {
    /// Ends the record whose lines are open, if any are.
    pub(super) fn finish(&mut self) {
        if let Some(whole) = self.single().or_else(|| self.gathered()) {
            self.deliver(whole);
        }
    }

    /// The open record if it is one line that was read by itself, as nearly all are.
    fn single(&mut self) -> Option<Whole<'a>> {
        let [line] = self.open.as_slice() else { return None };
        if self.over.lines > 0 || self.skipped_lines > 0 || self.in_section {
            return None;
        }
        let record = self.pending.take()?;
        let origin = Origin {
            source: self.source,
            line: line.number,
            lines: line.counted.max(1),
            offset: self.base + line.start as u64,
            length: (line.end - line.start) as u64 + self.skipped,
        };
        let lossy = line.lossy;
        self.counts.in_events += u64::from(line.counted);
        if !self.inside.is_empty() {
            self.inside = Default::default();
        }
        Some(Whole { record, origin, lossy, over: false })
    }

    /// The open lines as one record. `None` where none but blank ones are open.
    fn gathered(&mut self) -> Option<Whole<'a>> {
        // Blank lines at the end belong to no record.
        let over = std::mem::take(&mut self.over);
        let skipped_lines = std::mem::take(&mut self.skipped_lines);
        self.counts.blank += over.blank;
        let beyond = over.lines - over.blank + skipped_lines;
        while beyond == 0
            && let Some(last) = self.open.pop_if(|l| is_blank(l.text))
        {
            self.counts.blank += u64::from(last.counted);
        }
        let (first, last) = (self.open.first()?, self.open.last()?);
        // Of a line with a hole in it two parts may be held; between the lines of one writer others may stand.
        let more = self.open.windows(2).filter(|pair| pair[0].number != pair[1].number).map(|pair| pair[1].counted.max(1));
        let lines = more.map(u64::from).sum::<u64>() + u64::from(first.counted.max(1)) + beyond;
        let origin = Origin {
            source: self.source,
            line: first.number,
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            offset: self.base + first.start as u64,
            length: (last.end.max(over.end) - first.start) as u64 + self.skipped,
        };
        let lossy = self.open.iter().any(|l| l.lossy);
        let in_section = std::mem::take(&mut self.in_section);
        let inside = std::mem::take(&mut self.inside);
        let record = match self.pending.take() {
            Some(record) if self.open.len() == 1 && beyond == 0 && !in_section => record,
            _ => {
                let joined = joined(self.arena, &self.open);
                let mut record = self.blank(joined, origin);
                if in_section {
                    self.sections.read(self.arena, joined, self.before, &mut record);
                } else if !inside.is_empty() {
                    inside.read(&self.cx(), &self.open, &mut record);
                } else {
                    read_into(&self.cx(), joined, &mut record);
                }
                record
            }
        };
        self.counts.in_events += self.open.iter().map(|l| u64::from(l.counted)).sum::<u64>() + beyond;
        Some(Whole { record, origin, lossy, over: over.lines > over.blank })
    }

    /// Notes on a record what was cut or replaced, settles its stamp by the records around it, and hands it over.
    fn deliver(&mut self, whole: Whole<'a>) {
        let Whole { mut record, origin, lossy, over } = whole;
        self.open.clear();
        record.origin = origin;
        let cut = record.body.len() > LONGEST_BODY || origin.length as usize >= LONGEST_BODY || over;
        if cut {
            self.counts.cut += 1;
            self.counts.first_cut.get_or_insert(origin.line);
        }
        if record.body.len() > LONGEST_BODY || origin.length as usize >= LONGEST_BODY {
            record.body = beginning(record.body, LONGEST_BODY);
            record.notes.push("the body was cut at 1 MB; the whole text stands in the source");
        } else if over {
            record.notes.push("the body was cut at 10,000 lines; the whole text stands in the source");
        }
        if lossy {
            record.notes.push("bytes that are no UTF-8 were replaced");
        }
        self.settle(&mut record);
        self.counts.records += 1;
        self.facts.record(&record);
        if let Some(host) = self.host.filter(|_| !record.has(Key::HostName)) {
            record.put(Key::HostName, Value::Str(host));
        }
        (self.sink)(&record);
        self.spare = Some(record);
    }

    /// What the source and the records before say of a record's stamp.
    fn settle(&mut self, record: &mut Record<'a>) {
        if let Some(stamp) = &mut record.stamp
            && self.later_from.is_some_and(|line| record.origin.line >= line)
        {
            stamp.form = stamp.form.later();
        }
        if let (None, Some(boot)) = (record.stamp, self.boot)
            && let Some(at) = boot::uptime(record).and_then(|uptime| boot.checked_add(uptime))
        {
            record.stamp = Some(Stamp::explicit(at, 0, 6));
            record.notes.push("the time is counted from the boot that another log of the machine tells of");
        }
        let shown = record.is_snapshot();
        if !shown {
            self.fold.record(record);
            if let Some(doubt) = self.watch.doubt(record) {
                record.notes.push(doubt);
                record.doubtful = true;
            }
        }
        match record.stamp {
            Some(_) if shown || record.doubtful => {}
            Some(stamp) => self.before = Some(stamp),
            None => {
                record.stamp = self.before;
                record.inherited = self.before.is_some();
            }
        }
    }
}
