//! Which files are meant: arguments become a list of inputs in a stable order.

use super::encoding::Charset;
use super::{Flow, Spool};
use crate::problem::Problem;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use whyline_event::{Key, Source};

/// Where the bytes of an input come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// Something that can be read once only: a named pipe, the `<(command)` of a shell.
    Stream(PathBuf),
    /// Bytes in memory: what can be read once only, once it has been read.
    Memory(Arc<Vec<u8>>),
    /// The same in a temporary file, where it is large.
    Spool(Spool),
    /// A stream that is read by one pass.
    Flow(Flow),
    /// A stream in an archive.
    Member {
        /// Where the archive is.
        archive: Arc<Place>,
        /// The place of the stream among those of the archive.
        number: usize,
    },
}

/// One stream of log text that is to be read.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name, and what is known about it before it is read. The host is filled in later.
    pub source: Source,
    /// Where the bytes are.
    pub place: Place,
    /// Bytes as they lie on disk (packed), 0 for what is no file.
    pub size: u64,
    /// How its text is written.
    pub charset: Charset,
    /// The folders that may say whose logs these are. What was given may lie deeper than the folder of a machine, so this may
    /// begin higher up than the path of the source.
    pub trail: Trail,
    /// What its place says of all its records: pod, namespace, container.
    pub labels: Vec<(Key, String)>,
    /// It was named by itself, rather than found in a folder or an archive: it is read whatever it looks like.
    pub named: bool,
}

/// A path as far as it may say whose logs lie there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// Folders and file.
    pub path: String,
    /// So many of the first folders count only where the logs name them, too.
    pub doubtful: usize,
}

impl Input {
    /// An input of which nothing is known but its name and place.
    pub fn new(path: String, place: Place) -> Input {
        let trail = Trail { path: path.clone(), doubtful: 0 };
        let source = Source { path, ..Source::default() };
        Input { source, place, size: 0, charset: Charset::default(), trail, labels: Vec::new(), named: true }
    }
}

/// Folders in which people lay down what they gather of several machines, one folder each.
const COLLECTIONS: &[&str] = &["logs", "hosts", "machines", "servers", "nodes", "collected"];

/// The folders above a file from the collection of which it is a part; else its path with the folder above.
fn trail(root: &Path, path: &str) -> Trail {
    let above: Vec<String> = root.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    let from = above.iter().rposition(|folder| COLLECTIONS.contains(&folder.to_ascii_lowercase().as_str()));
    match (from, above.last()) {
        (Some(from), _) => {
            Trail { path: above[from + 1..].iter().map(String::as_str).chain([path]).collect::<Vec<_>>().join("/"), doubtful: 0 }
        }
        (None, Some(folder)) if root.file_name().is_some() => Trail { path: format!("{folder}/{path}"), doubtful: 1 },
        _ => Trail { path: path.to_string(), doubtful: 0 },
    }
}

/// A folder that holds this file is a store of whyline and holds no logs.
const STORE: &str = "whyline-store.json";

/// Folders deeper than this are not entered.
const DEEPEST: usize = 64;

/// Lists the inputs that the arguments mean: files as they are, folders with everything below them, `-` for standard input.
///
/// The order is that of the source names, so it does not depend on the order of the arguments or of the file system. A file
/// that is named twice is read once. Symbolic links are followed only where they stay inside the folder that was named; the
/// others are told.
/// What cannot be entered is told as a [`Problem`] and skipped.
pub fn discover(arguments: &[PathBuf]) -> (Vec<Input>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut files: Vec<(PathBuf, Option<PathBuf>)> = Vec::new();
    let mut inputs = Vec::new();
    let mut roots = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            if !inputs.iter().any(|i: &Input| i.place == Place::Stdin) {
                inputs.push(Input::new("-".into(), Place::Stdin));
            }
            continue;
        }
        match fs::metadata(argument) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                problems.push(Problem::unreadable(&argument.display().to_string(), &error));
            }
            Err(error) => problems.push(Problem::missing(&argument.display().to_string(), &error)),
            Ok(meta) if meta.is_dir() => {
                let root = argument.canonicalize().unwrap_or_else(|_| argument.clone());
                let mut found = Vec::new();
                let mut astray = Vec::new();
                walk(&root, &root, 0, &mut found, &mut astray, &mut problems);
                files.extend(found.into_iter().map(|f| (f, Some(root.clone()))));
                problems.extend(links(argument, &mut astray));
                roots.push(root);
            }
            Ok(meta) if !meta.is_file() => {
                // Its name is kept as it was written: behind it there may be no path at all.
                let path = argument.to_string_lossy().into_owned();
                if !inputs.iter().any(|i: &Input| i.source.path == path) {
                    inputs.push(Input::new(path, Place::Stream(argument.clone())));
                }
            }
            Ok(_) => {
                let file = argument.canonicalize().unwrap_or_else(|_| argument.clone());
                roots.push(file.parent().map(Path::to_path_buf).unwrap_or_default());
                files.push((file, None));
            }
        }
    }
    files.sort();
    files.dedup_by(|a, b| a.0 == b.0);
    let root = common_root(&roots);
    for (file, folder) in files {
        let name = file.strip_prefix(&root).unwrap_or(&file);
        let path = name.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/");
        let meta = fs::metadata(&file).ok();
        let modified = meta
            .as_ref()
            .and_then(|m| m.modified().ok())
            .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
            .and_then(|d| i64::try_from(d.as_secs()).ok());
        let trail = trail(&root, &path);
        let named = folder.is_none();
        let mut input = Input { trail, size: meta.map_or(0, |m| m.len()), named, ..Input::new(path, Place::File(file)) };
        input.source.modified = modified;
        inputs.push(input);
    }
    inputs.sort_by(|a, b| a.source.path.cmp(&b.source.path));
    (inputs, problems)
}

/// One remark for all links that were not followed.
fn links(folder: &Path, astray: &mut [PathBuf]) -> Option<Problem> {
    astray.sort();
    let first = astray.first()?.display();
    let what = match astray.len() {
        1 => format!("the link {first} leads nowhere or out of the folder and was not followed"),
        n => format!("{n} links lead nowhere or out of the folder and were not followed, the first is {first}"),
    };
    let help = "name what they lead to by itself where it is wanted".to_string();
    Some(Problem { help, ..Problem::remark(&folder.display().to_string(), what) })
}

fn walk(folder: &Path, root: &Path, depth: usize, found: &mut Vec<PathBuf>, astray: &mut Vec<PathBuf>, problems: &mut Vec<Problem>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return problems.push(Problem::unreadable(&folder.display().to_string(), &error)),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                problems.push(Problem::unreadable(&folder.display().to_string(), &error));
                continue;
            }
        };
        let path = entry.path();
        let is_link = entry.file_type().is_ok_and(|t| t.is_symlink());
        let target = if is_link { path.canonicalize().ok() } else { Some(path.clone()) };
        let Some(target) = target.filter(|t| !is_link || t.starts_with(root)) else {
            astray.push(path.strip_prefix(root).map_or(path.clone(), Path::to_path_buf));
            continue;
        };
        match fs::metadata(&target) {
            Ok(meta) if meta.is_dir() => {
                // A link to a folder inside the bundle leads to files that are found anyway.
                if !is_link && depth < DEEPEST && !target.join(STORE).exists() {
                    walk(&target, root, depth + 1, found, astray, problems);
                }
            }
            Ok(meta) if meta.is_file() => found.push(target),
            Ok(_) => {}
            Err(error) => problems.push(Problem::unreadable(&path.display().to_string(), &error)),
        }
    }
}

/// The deepest folder that holds all of them.
fn common_root(roots: &[PathBuf]) -> PathBuf {
    let mut all = roots.iter();
    let Some(first) = all.next() else { return PathBuf::new() };
    all.fold(first.clone(), |common, root| {
        common.components().zip(root.components()).take_while(|(a, b)| a == b).map(|(a, _)| a.as_os_str()).collect()
    })
}
