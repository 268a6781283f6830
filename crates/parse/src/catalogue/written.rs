//! An entry of the catalogue as its YAML file has it. `build.rs` reads it with this very file.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known of one format: a kind of log, by the name under which events carry it or people look for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name, which is that of the file (`nginx.error`).
    #[serde(default)]
    pub name: String,
    /// What it is, in a few words.
    pub title: String,
    /// What is read: software, versions, the configuration that makes it.
    pub reads: String,
    /// The value of `format` in its events, where that is another name (sshd writes into `syslog.rfc3164`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The built-in reader, where its name differs from the format's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// The manual or source text that it was written from.
    pub source: Vec<String>,
    /// How surely such lines are told from others, and by what.
    pub fit: String,
    /// Records, with what is read of them.
    pub samples: Vec<Sample>,
    /// Texts that look alike and are of another format.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

/// A record and what is read of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Lines that stand before it in the file and teach the format (names of columns); no part of what is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The record, one line or several.
    pub text: String,
    /// Whether it is only told in a source of its own: records of blocks, texts without a stamp that could belong to the record before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub alone: bool,
    /// What an event of it holds: `timestamp`, `severity_text`, `body`, `format`, and attributes by their names. A missing key
    /// says nothing, `null` says that the attribute is absent. Times without zone are in UTC, those without year in 2026.
    pub expect: BTreeMap<String, serde_json::Value>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Entry {
    /// The value of `format` in events of this entry.
    pub fn format_name(&self) -> &str {
        self.format.as_deref().unwrap_or(&self.name)
    }

    /// The name of the reader among [`crate::formats::all`].
    pub fn reader_name(&self) -> &str {
        self.reader.as_deref().unwrap_or_else(|| self.format_name())
    }
}

/// Reads an entry. The error says the file and the place in it.
#[allow(dead_code, reason = "only the build script reads YAML")]
pub fn read<E: std::fmt::Display>(name: &str, yaml: &str, parse: impl Fn(&str) -> Result<Entry, E>) -> Result<Entry, String> {
    let mut entry = parse(yaml).map_err(|e| format!("catalogue/{name}.yaml: {e}"))?;
    if entry.samples.is_empty() {
        return Err(format!("catalogue/{name}.yaml: there is no sample"));
    }
    entry.name = name.to_string();
    for sample in &mut entry.samples {
        // A block scalar ends with a line end that the record does not have.
        sample.text.truncate(sample.text.trim_end_matches('\n').len());
    }
    Ok(entry)
}
