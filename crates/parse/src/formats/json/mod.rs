//! Structured logs in JSON, one object to a record.

pub mod flat;
pub mod list;
mod marks;
mod modsecurity;
pub mod products;
pub mod structured;
pub mod yaml;

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::begins_record;
use flat::flatten;
use whyline_event::Record;

/// The reader of JSON records of any logger.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

const NAME: &str = "json";

impl Format for Json {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let flat = flatten(cx, text)?;
        if flat.whole && !flat.rest.trim().is_empty() {
            return None;
        }
        if let Some(product) = products::find(&flat) {
            record.format = product.name;
            (product.fill)(cx, &flat, record);
            return Some(90);
        }
        let found = structured::look_as(&flat.pairs, flat.roles);
        if flat.pairs.is_empty() && flat.whole
            || cx.depth > 0 && found.message.is_none() && found.time.is_none() && !found.http && !found.level
        {
            return None;
        }
        record.format = NAME;
        structured::put(cx, &flat.pairs, &found, record);
        if let Some(inner) = found.message.filter(|m| may_be_record(m)) {
            cx.inner(NAME, inner.trim_end_matches(['\n', '\r']), record);
        }
        if !flat.whole {
            record.notes.push("JSON cut off");
        }
        Some(if flat.whole { found.fit() } else { found.fit().min(40) })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        line.starts_with('{') || begins_record(line)
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

/// Whether a message begins as records of other formats do: with an object, an address or a full date.
fn may_be_record(text: &str) -> bool {
    let text = text.trim_start_matches(['[', '"']);
    let b = text.as_bytes();
    match b.first() {
        Some(b'{') => true,
        Some(c) if c.is_ascii_digit() => {
            crate::stamp::iso(text).is_some()
                || crate::stamp::clf(text).is_some()
                || text.split(' ').next().is_some_and(|w| whyline_event::address::ip(w).is_some()) && text.contains("] \"")
        }
        _ => false,
    }
}
