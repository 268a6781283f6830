//! The fields of a record that the tally asks for, found in one walk: asking for each by its name would walk over them twenty times.

use whyline_event::{Key, Name, Record, Value};

/// Fields that are asked for by their first value.
const FIRST: [Key; 23] = [
    Key::HostName,
    Key::ServiceName,
    Key::ProcessName,
    Key::ContainerName,
    Key::ContainerId,
    Key::Status,
    Key::Path,
    Key::Method,
    Key::Peer,
    Key::UpstreamAddress,
    Key::Duration,
    Key::UpstreamDuration,
    Key::QueueDuration,
    Key::UpstreamName,
    Key::UpstreamServer,
    Key::Termination,
    Key::RequestId,
    Key::TraceId,
    Key::UrlQuery,
    Key::ClientAddress,
    Key::UserAgent,
    Key::LocalAddress,
    Key::CacheStatus,
];

/// For every key its place in [`FIRST`], counted from one.
const PLACES: [u8; Key::ALL.len()] = {
    let mut places = [0; Key::ALL.len()];
    let mut at = 0;
    while at < FIRST.len() {
        places[FIRST[at] as usize] = at as u8 + 1;
        at += 1;
    }
    places
};

/// Where the fields of a record stand.
pub(super) struct Fields<'f, 'r> {
    record: &'f Record<'r>,
    /// For every key of [`FIRST`] the number of its first field plus one.
    first: [u32; FIRST.len() + 1],
}

/// The text of a value that is text.
pub(super) fn text<'r>(value: Option<Value<'r>>) -> Option<&'r str> {
    value.and_then(|value| value.as_str())
}

impl<'f, 'r> Fields<'f, 'r> {
    pub(super) fn of(record: &'f Record<'r>) -> Self {
        let mut first = [0; FIRST.len() + 1];
        for (next, field) in (1..).zip(record.fields.iter()) {
            let Name::Known(key) = field.name else { continue };
            let place = PLACES.get(key as usize).copied().unwrap_or(0);
            if let Some(first) = first.get_mut(place as usize)
                && *first == 0
            {
                *first = next;
            }
        }
        Fields { record, first }
    }

    /// The first value of a key of [`FIRST`].
    #[inline(always)]
    pub(super) fn get(&self, key: Key) -> Option<Value<'r>> {
        let place = PLACES.get(key as usize).copied().unwrap_or(0);
        let next = self.first.get(place as usize).copied().unwrap_or(0);
        let at = (next as usize).checked_sub(1).filter(|_| place > 0)?;
        self.record.fields.get(at).map(|field| field.value)
    }

    /// The first value of a key of [`FIRST`], if it is text.
    #[inline(always)]
    pub(super) fn text(&self, key: Key) -> Option<&'r str> {
        text(self.get(key))
    }

    /// The service that the record names, as [`crate::entity::service`] has it, the format aside.
    pub(super) fn service(&self) -> Option<&'r str> {
        self.text(Key::ServiceName).or_else(|| self.text(Key::ProcessName)).or_else(|| self.text(Key::ContainerName))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Field, Origin};

    #[test]
    fn the_first_of_each_is_found() {
        let mut record = Record::new("", Origin::default());
        for (number, key) in (0..).zip(Key::ALL.iter().rev().chain(Key::ALL)) {
            record.fields.push(Field { name: Name::Other("x"), value: Value::Int(-1) });
            record.put(*key, Value::Int(number));
        }
        let fields = Fields::of(&record);
        for key in Key::ALL {
            assert_eq!(fields.get(*key), record.get(*key).filter(|_| FIRST.contains(key)), "{key:?}");
        }
        assert!(FIRST.iter().all(|key| Fields::of(&Record::new("", Origin::default())).get(*key).is_none()));
    }
}
