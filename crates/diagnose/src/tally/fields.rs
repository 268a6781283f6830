//! The fields of a record that the tally asks for, found in one walk: asking for each by its name would walk over them twenty times.

use whyline_event::{Key, Name, Record, Value};

/// Fields of any record: the first of each name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head<'r> {
    pub host: Option<Value<'r>>,
    service: Option<Value<'r>>,
    process: Option<Value<'r>>,
    container: Option<Value<'r>>,
    pub status: Option<Value<'r>>,
    pub path: Option<Value<'r>>,
    pub method: Option<Value<'r>>,
    pub peer: Option<Value<'r>>,
    pub upstream: Option<Value<'r>>,
}

/// The text of a value that is text.
pub(super) fn text<'r>(value: Option<Value<'r>>) -> Option<&'r str> {
    value.and_then(|value| value.as_str())
}

impl<'r> Head<'r> {
    pub(super) fn of(record: &Record<'r>) -> Head<'r> {
        let mut head = Head::default();
        for field in &record.fields {
            let Name::Known(key) = field.name else { continue };
            let place = match key {
                Key::HostName => &mut head.host,
                Key::ServiceName => &mut head.service,
                Key::ProcessName => &mut head.process,
                Key::ContainerName => &mut head.container,
                Key::Status => &mut head.status,
                Key::Path => &mut head.path,
                Key::Method => &mut head.method,
                Key::Peer => &mut head.peer,
                Key::UpstreamAddress => &mut head.upstream,
                _ => continue,
            };
            place.get_or_insert(field.value);
        }
        head
    }

    /// The service that the record names, as [`crate::entity::service`] has it, the format aside.
    pub(super) fn service(&self) -> Option<&'r str> {
        text(self.service).or_else(|| text(self.process)).or_else(|| text(self.container))
    }
}

/// Fields of a request: the first of each name, or the last where that is the one that decided.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked<'r> {
    pub duration: Option<Value<'r>>,
    pub upstream_duration: Option<Value<'r>>,
    pub queue_duration: Option<Value<'r>>,
    pub upstream_name: Option<Value<'r>>,
    pub upstream_server: Option<Value<'r>>,
    pub last_upstream: Option<Value<'r>>,
    pub last_upstream_status: Option<Value<'r>>,
    pub termination: Option<Value<'r>>,
    pub request_id: Option<Value<'r>>,
    pub trace_id: Option<Value<'r>>,
    pub query: Option<Value<'r>>,
    pub client: Option<Value<'r>>,
    pub agent: Option<Value<'r>>,
    pub is_start: Option<Value<'r>>,
}

impl<'r> Asked<'r> {
    pub(super) fn of(record: &Record<'r>) -> Asked<'r> {
        let mut asked = Asked::default();
        for field in &record.fields {
            let place = match field.name {
                Name::Known(Key::UpstreamAddress) => {
                    asked.last_upstream = Some(field.value);
                    continue;
                }
                Name::Known(Key::UpstreamStatus) => {
                    asked.last_upstream_status = Some(field.value);
                    continue;
                }
                Name::Known(Key::Duration) => &mut asked.duration,
                Name::Known(Key::UpstreamDuration) => &mut asked.upstream_duration,
                Name::Known(Key::QueueDuration) => &mut asked.queue_duration,
                Name::Known(Key::UpstreamName) => &mut asked.upstream_name,
                Name::Known(Key::UpstreamServer) => &mut asked.upstream_server,
                Name::Known(Key::Termination) => &mut asked.termination,
                Name::Known(Key::RequestId) => &mut asked.request_id,
                Name::Known(Key::TraceId) => &mut asked.trace_id,
                Name::Known(Key::UrlQuery) => &mut asked.query,
                Name::Known(Key::ClientAddress) => &mut asked.client,
                Name::Known(Key::UserAgent) => &mut asked.agent,
                Name::Other("time.is_start") => &mut asked.is_start,
                _ => continue,
            };
            place.get_or_insert(field.value);
        }
        asked
    }
}
