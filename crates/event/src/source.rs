//! Where records come from.

/// Number of a source within one run: its place in the stable order of all inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceId(pub u32);

/// One stream of records: a file, a member of an archive, standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Path relative to the common root of all arguments, `/` between folders; archive members as `a.tar.gz!/var/log/x`.
    pub path: String,
    /// The host of records that name none: from `--host`, else from the folder; `None` when unknown.
    pub host: Option<String>,
    /// When the file was last changed, in seconds since 1970 UTC, if the file system says so.
    pub modified: Option<i64>,
}
