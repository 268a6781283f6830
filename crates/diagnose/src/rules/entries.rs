//! The shape of the YAML of rule files.

use super::{At, Count, Evidence, Explains, Fault, File, Format, Missing, Sample, Signal, Wanted};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use std::fmt;

/// A rule file as it stands.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct RawFile {
    #[serde(default)]
    signals: Entries<RawSignal>,
    #[serde(default)]
    faults: Entries<RawFault>,
    #[serde(default)]
    formats: Entries<RawFormat>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFormat {
    title: String,
    pattern: Option<Spanned<String>>,
    nginx: Option<Spanned<String>>,
    apache: Option<Spanned<String>>,
    postgres: Option<Spanned<String>>,
    haproxy: Option<Spanned<String>>,
    timestamp: Option<Spanned<String>>,
    zone: Option<Spanned<String>>,
    #[serde(default)]
    units: Entries<Spanned<String>>,
    starts: Option<Spanned<String>>,
    #[serde(default)]
    files: Vec<Spanned<String>>,
    #[serde(default)]
    samples: Vec<RawSample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSample {
    text: Option<Spanned<String>>,
    not: Option<Spanned<String>>,
    #[serde(default)]
    fields: Entries<Wanted>,
}

/// A mapping whose order and places are kept.
struct Entries<V>(Vec<(Spanned<String>, V)>);

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Entries(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Each<V> {
            type Value = Entries<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of ids to rules")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut list = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    list.push(entry);
                }
                Ok(Entries(list))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Entries::default())
            }
        }
        deserializer.deserialize_map(Each(std::marker::PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignal {
    title: String,
    query: Option<Spanned<String>>,
    entity: Option<Spanned<OneOrMany>>,
    #[serde(default)]
    origin: Option<OneOrMany>,
    #[serde(default)]
    examples: RawExamples,
    #[serde(default)]
    quiet: bool,
    count: Option<RawCount>,
    #[serde(default)]
    until: Vec<Spanned<String>>,
    after: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawExamples {
    #[serde(default, rename = "match")]
    matching: Vec<Spanned<String>>,
    #[serde(default, rename = "ignore")]
    ignoring: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount {
    of: Spanned<String>,
    at_least: u64,
    within: Spanned<String>,
    by: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFault {
    title: String,
    #[serde(default)]
    symptom: bool,
    accuses: Option<Spanned<String>>,
    #[serde(default)]
    explains: Vec<RawExplains>,
    #[serde(default)]
    evidence: Vec<RawEvidence>,
    because: Option<RawBecause>,
    #[serde(default)]
    advice: RawAdvice,
    #[serde(default)]
    missing: Vec<RawMissing>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExplains {
    fault: Spanned<String>,
    through: Option<Spanned<String>>,
    #[serde(default, rename = "within")]
    _within: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvidence {
    signal: Spanned<String>,
    strength: Spanned<Strength>,
    speaks: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Strength {
    Number(f64),
    Word(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBecause {
    any: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawAdvice {
    #[serde(default)]
    check: Vec<String>,
    #[serde(default)]
    fix: Vec<String>,
    #[serde(default)]
    prevent: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMissing {
    of: Option<Spanned<String>>,
    #[serde(default)]
    needed: bool,
    #[serde(default)]
    unless: Vec<Spanned<String>>,
    log: String,
    #[serde(default)]
    command: String,
}

const THROUGH: &[&str] = &["upstream", "dependency", "host", "same", "any"];
const WHOSE: &[&str] = &["target", "host", "dependency", "proxy", "resolver", "network", "both"];

impl RawFile {
    /// The plain form. The error says where and what.
    pub fn plain(self, name: &str) -> Result<File, String> {
        let mut file = File { name: name.to_string(), ..File::default() };
        for (id, raw) in self.signals.0 {
            file.signals.push(raw.plain(name, id.into())?);
        }
        for (id, raw) in self.faults.0 {
            file.faults.push(raw.plain(name, id.into())?);
        }
        for (id, raw) in self.formats.0 {
            file.formats.push(raw.plain(name, id.into())?);
        }
        Ok(file)
    }
}

impl RawSignal {
    fn plain(self, name: &str, id: At) -> Result<Signal, String> {
        let entity = match self.entity {
            None => Vec::new(),
            Some(spanned) => {
                let (line, column) = (spanned.referenced.line(), spanned.referenced.column());
                let names = match spanned.value {
                    OneOrMany::One(one) => vec![one],
                    OneOrMany::Many(many) => many,
                };
                names.into_iter().map(|text| At { text, line, column }).collect()
            }
        };
        let origin = match self.origin {
            None => String::new(),
            Some(OneOrMany::One(one)) => one,
            Some(OneOrMany::Many(many)) => many.join("; "),
        };
        let count = match self.count {
            None => None,
            Some(raw) => {
                let within = length_of_time(name, raw.within.into())?;
                Some(Count { of: raw.of.into(), at_least: raw.at_least, within, by: raw.by.map(At::from) })
            }
        };
        Ok(Signal {
            id,
            title: self.title,
            query: self.query.map(At::from),
            entity,
            origin,
            matching: self.examples.matching.into_iter().map(At::from).collect(),
            ignoring: self.examples.ignoring.into_iter().map(At::from).collect(),
            quiet: self.quiet,
            count,
            until: self.until.into_iter().map(At::from).collect(),
            after: self.after.map_or(Ok(0), |after| length_of_time(name, after.into()))?,
        })
    }
}

/// A length of time, in seconds.
fn length_of_time(name: &str, at: At) -> Result<u64, String> {
    let wrong = || format!("{name}:{}:{}: `{}` is no length of time; write for instance `1m` or `30s`", at.line, at.column, at.text);
    seconds(&at.text).ok_or_else(wrong)
}

impl RawFormat {
    fn plain(self, name: &str, id: At) -> Result<Format, String> {
        let told = [
            ("pattern", self.pattern),
            ("nginx", self.nginx),
            ("apache", self.apache),
            ("postgres", self.postgres),
            ("haproxy", self.haproxy),
        ];
        Ok(Format {
            told: told.into_iter().filter_map(|(key, text)| Some((key.to_string(), text?.into()))).collect(),
            title: self.title,
            timestamp: self.timestamp.map(At::from),
            zone: self.zone.map(At::from),
            units: self.units.0.into_iter().map(|(group, unit)| (group.into(), unit.into())).collect(),
            starts: self.starts.map(At::from),
            files: self.files.into_iter().map(At::from).collect(),
            samples: self.samples.into_iter().map(|raw| raw.plain(name, &id)).collect::<Result<_, _>>()?,
            provides: Vec::new(),
            id,
        })
    }
}

impl RawSample {
    fn plain(self, name: &str, id: &At) -> Result<Sample, String> {
        let fields: Vec<(At, Wanted)> = self.fields.0.into_iter().map(|(field, value)| (field.into(), value)).collect();
        match (self.text, self.not) {
            (Some(text), None) => Ok(Sample { text: text.into(), reads: true, fields }),
            (None, Some(text)) if fields.is_empty() => Ok(Sample { text: text.into(), reads: false, fields }),
            (None, Some(text)) => {
                let at = At::from(text);
                Err(format!("{name}:{}:{}: a line that must not be read has no fields; leave `fields` out", at.line, at.column))
            }
            (Some(text), Some(_)) => {
                let at = At::from(text);
                Err(format!(
                    "{name}:{}:{}: a sample is either `text` (to be read) or `not` (not to be read); write two",
                    at.line, at.column
                ))
            }
            (None, None) => {
                let (line, column) = (id.line, id.column);
                Err(format!("{name}:{line}:{column}: a sample of `{}` has neither `text` nor `not`", id.text))
            }
        }
    }
}

impl RawFault {
    fn plain(self, name: &str, id: At) -> Result<Fault, String> {
        let accuses = one_of(name, "accuses", self.accuses, &["target", "speaker"], "it is `target` or `speaker`")?;
        let mut explains = Vec::new();
        for raw in self.explains {
            let through = one_of(name, "through", raw.through, THROUGH, &format!("it is one of {}", THROUGH.join(", ")))?;
            explains.push(Explains { fault: raw.fault.into(), through: through.map_or_else(|| "unsaid".into(), |t| t.text) });
        }
        let mut evidence = Vec::new();
        for raw in self.evidence {
            let (line, column) = (raw.strength.referenced.line(), raw.strength.referenced.column());
            let strength = match raw.strength.value {
                Strength::Number(n) if n >= 1.0 => n,
                Strength::Number(n) => {
                    return Err(format!("{name}:{line}:{column}: a strength of {n} is below 1; for the opposite write `speaks: against`"));
                }
                Strength::Word(word) => match word.as_str() {
                    "weak" => 2.0,
                    "supporting" => 4.0,
                    "strong" => 12.0,
                    "conclusive" => 60.0,
                    other => {
                        return Err(format!(
                            "{name}:{line}:{column}: strength `{other}` is unknown; it is weak, supporting, strong, conclusive or a number"
                        ));
                    }
                },
            };
            let speaks = one_of(name, "speaks", raw.speaks, &["for", "against"], "it is `for` or `against`")?;
            let against = speaks.is_some_and(|speaks| speaks.text == "against");
            evidence.push(Evidence { signal: raw.signal.into(), strength, against });
        }
        Ok(Fault {
            id,
            title: self.title,
            symptom: self.symptom,
            of_speaker: accuses.is_some_and(|accused| accused.text == "speaker"),
            explains,
            evidence,
            because: self.because.map(|b| b.any.into_iter().map(At::from).collect()).unwrap_or_default(),
            check: self.advice.check,
            fix: self.advice.fix,
            prevent: self.advice.prevent,
            missing: self.missing.into_iter().map(|m| m.plain(name)).collect::<Result<_, _>>()?,
        })
    }
}

impl RawMissing {
    fn plain(self, name: &str) -> Result<Missing, String> {
        let of = one_of(name, "of", self.of, WHOSE, &format!("a missing log is of {}", WHOSE.join(", ")))?;
        let of = of.unwrap_or_else(|| At { text: "target".into(), ..At::default() });
        if self.needed && !matches!(of.text.as_str(), "target" | "host" | "dependency") {
            return Err(format!(
                "{name}:{}:{}: whether a log of `{}` was given is not looked at; `needed` goes with `of: target`, `of: host` or `of: dependency`",
                of.line, of.column, of.text
            ));
        }
        if let Some(at) = self.unless.first().cloned().map(At::from).filter(|_| !self.needed) {
            return Err(format!(
                "{name}:{}:{}: `unless` says where a log is not needed, so it goes with `needed: true`",
                at.line, at.column
            ));
        }
        let unless = self.unless.into_iter().map(At::from).collect();
        Ok(Missing { of: of.text, needed: self.needed, unless, log: self.log, command: self.command })
    }
}

/// The word behind a key, if one stands there and is one of these; else the error says what is right.
fn one_of(file: &str, key: &str, said: Option<Spanned<String>>, words: &[&str], right: &str) -> Result<Option<At>, String> {
    match said.map(At::from) {
        Some(at) if !words.contains(&at.text.as_str()) => {
            Err(format!("{file}:{}:{}: `{key}: {}` is unknown; {right}", at.line, at.column, at.text))
        }
        at => Ok(at),
    }
}

/// Seconds of `90`, `90s`, `5m`, `2h`, `1d`.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let unit = match text.get(digits..)?.trim() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::super::read;

    fn missing(entry: &str) -> Result<super::Missing, String> {
        let yaml = format!("faults:\n  app.x:\n    title: x\n    missing:\n      - {entry}\n");
        read("x.yaml", &yaml).map(|file| file.faults.into_iter().flat_map(|fault| fault.missing).next().unwrap_or_default())
    }

    #[test]
    fn a_fault_is_of_the_target_or_of_the_speaker() {
        let fault = |accuses: &str| read("x.yaml", &format!("faults:\n  lb.x:\n    title: x\n{accuses}"));
        let of_speaker = |accuses| fault(accuses).ok().and_then(|file| file.faults.first().map(|fault| fault.of_speaker));
        assert_eq!(of_speaker(""), Some(false));
        assert_eq!(of_speaker("    accuses: target\n"), Some(false));
        assert_eq!(of_speaker("    accuses: speaker\n"), Some(true));
        let wrong = fault("    accuses: proxy\n").err().unwrap_or_default();
        assert!(wrong.starts_with("x.yaml:4:14: `accuses: proxy` is unknown"), "{wrong}");
    }

    #[test]
    fn whose_log_is_missing_must_be_known() {
        let plain = missing("{log: 'a log'}").unwrap_or_default();
        assert_eq!((plain.of.as_str(), plain.needed), ("target", false));
        let needed = missing("{of: dependency, needed: true, log: 'a log'}").unwrap_or_default();
        assert_eq!((needed.of.as_str(), needed.needed), ("dependency", true));
        let wrong = missing("{of: databse, log: 'a log'}").err().unwrap_or_default();
        assert!(wrong.starts_with("x.yaml:5:14: `of: databse` is unknown") && wrong.contains("dependency"), "{wrong}");
        let never = missing("{of: network, needed: true, log: 'a log'}").err().unwrap_or_default();
        assert!(never.starts_with("x.yaml:5:14: ") && never.contains("`of: target`, `of: host` or `of: dependency`"), "{never}");
        let told = missing("{of: host, needed: true, unless: [a.b], log: 'a log'}").unwrap_or_default();
        assert_eq!(told.unless.iter().map(|at| at.text.as_str()).collect::<Vec<_>>(), ["a.b"]);
        let idle = missing("{of: host, unless: [a.b], log: 'a log'}").err().unwrap_or_default();
        assert!(idle.starts_with("x.yaml:5:29: ") && idle.contains("`needed: true`"), "{idle}");
    }
}
