//! A format as somebody told it, in plain words: what a rule file writes, on its way to the room that reads.
//!
//! This is data only. What the texts mean, and whether they mean anything, is decided where they are compiled.

/// In which notation a format is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Notation {
    /// A regular expression with named groups (`(?<user.name>\S+)`).
    Pattern,
    /// A `log_format` of nginx.
    Nginx,
    /// A `LogFormat` of Apache.
    Apache,
    /// A `log_line_prefix` of PostgreSQL.
    Postgres,
    /// A `log-format` of HAProxy.
    Haproxy,
}

impl Notation {
    /// Every notation.
    pub const ALL: [Notation; 5] = [Self::Pattern, Self::Nginx, Self::Apache, Self::Postgres, Self::Haproxy];

    /// The key under which a rule file writes it.
    pub fn key(self) -> &'static str {
        match self {
            Notation::Pattern => "pattern",
            Notation::Nginx => "nginx",
            Notation::Apache => "apache",
            Notation::Postgres => "postgres",
            Notation::Haproxy => "haproxy",
        }
    }

    /// Whether it is the notation of an access log: one record for every request, with text that comes from strangers.
    pub fn is_access(self) -> bool {
        matches!(self, Notation::Nginx | Notation::Apache | Notation::Haproxy)
    }
}

/// A format as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatSpec {
    /// The name by which records and queries call it (`shop.orders`).
    pub name: String,
    /// The notation.
    pub notation: Notation,
    /// The text in that notation.
    pub text: String,
    /// How the time stamp is written (`%d/%m/%Y %H:%M:%S`), where its notation does not say so by itself.
    pub timestamp: Option<String>,
    /// The zone of stamps that carry none: `UTC`, `+02:00`, `Europe/Berlin`.
    pub zone: Option<String>,
    /// Units of durations that are written as bare numbers: name of the group, unit (`ms`).
    pub units: Vec<(String, String)>,
    /// A regular expression that fits the first line of every record, and no other line.
    pub starts: Option<String>,
    /// Globs over paths where such records are likely: a hint, never proof.
    pub files: Vec<String>,
}
