//! The keys of a mapping and what stands behind them, with what is wrong said in words that a writer of rules knows.

use super::near;
use super::yaml::{Node, Value};
use super::{At, Problem};

/// A mapping of which the keys are taken out one by one.
pub struct Keys<'n> {
    /// Where the mapping begins.
    pub at: At,
    pairs: Vec<(String, &'n Node)>,
}

impl<'n> Keys<'n> {
    /// What stands behind a key, unless that is nothing.
    pub fn take(&mut self, key: &str) -> Option<&'n Node> {
        let place = self.pairs.iter().position(|(own, _)| own == key)?;
        Some(self.pairs.swap_remove(place).1).filter(|node| !node.is_nothing())
    }

    /// The same, but it stays.
    pub fn peek(&self, key: &str) -> Option<&'n Node> {
        self.pairs.iter().find(|(own, _)| own == key).map(|(_, node)| *node).filter(|node| !node.is_nothing())
    }
}

/// Reads what stands behind keys, and gathers what is wrong.
#[derive(Default)]
pub struct Reader {
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Reader {
    /// Notes something that is wrong.
    pub fn wrong(&mut self, at: &At, message: String, help: String) {
        self.problems.push(Problem { at: at.clone(), message, help });
    }

    /// Reads one rule, and says whether something was wrong with it.
    pub fn entry<T>(&mut self, read: impl FnOnce(&mut Reader) -> T) -> (T, bool) {
        let before = self.problems.len();
        let read = read(self);
        (read, self.problems.len() > before)
    }

    /// The keys of a mapping, known ones only. One that is nearly known counts as the one that was meant, so that nothing is told twice.
    pub fn keys<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<Keys<'n>> {
        let Value::Map(pairs) = &node.value else {
            let (message, help) =
                (format!("{what} is a mapping of keys, and not {}", kind(node)), format!("its keys are {}", known.join(", ")));
            if !node.is_nothing() {
                self.wrong(&node.at, message, help);
                return None;
            }
            return Some(Keys { at: node.at.clone(), pairs: Vec::new() });
        };
        let mut found: Vec<(String, &'n Node)> = Vec::new();
        let written: Vec<&str> = pairs.iter().filter_map(|(key, _)| key.text()).collect();
        for (key, value) in pairs {
            let Some(name) = key.text() else {
                self.wrong(
                    &key.at,
                    format!("a key is a word, and not {}", kind(key)),
                    format!("the keys of {what} are {}", known.join(", ")),
                );
                continue;
            };
            let mut meant = name;
            if !known.contains(&name) {
                let list = format!("{what} has {}", known.join(", "));
                let near = near::word(name, known);
                let help = near.map_or_else(|| list.clone(), |near| format!("did you mean `{near}`? {list}"));
                self.wrong(&key.at, format!("`{name}` is no key of {what}"), help);
                match near.filter(|near| !written.contains(near)) {
                    Some(near) => meant = near,
                    None => continue,
                }
            } else if found.iter().any(|(own, _)| own == name) {
                self.wrong(&key.at, format!("`{name}` stands here twice"), "keep one".into());
                continue;
            }
            found.push((meant.to_string(), value));
        }
        Some(Keys { at: node.at.clone(), pairs: found })
    }

    /// The keys of a mapping in a list. A mere text counts as the value of its first key, after that was said.
    pub fn item<'n>(&mut self, node: &'n Node, what: &str, first: &str, known: &[&str]) -> Option<Keys<'n>> {
        let Some(text) = node.text().filter(|_| !node.is_nothing()) else { return self.keys(node, what, known) };
        let text = if matches!(node.value, Value::Quoted) { "...".into() } else { text.to_string() };
        self.wrong(&node.at, format!("{what} is a mapping of keys, and not a text"), format!("write `{{{first}: {text}}}`"));
        Some(Keys { at: node.at.clone(), pairs: vec![(first.to_string(), node)] })
    }

    /// The keys of a mapping behind a key.
    pub fn within<'n>(&mut self, keys: &mut Keys<'n>, key: &str, known: &[&str]) -> Option<Keys<'n>> {
        let node = keys.take(key)?;
        self.keys(node, &format!("`{key}`"), known)
    }

    /// Names with what stands behind each, in the order of the file.
    pub fn entries<'n>(&mut self, keys: &mut Keys<'n>, key: &str) -> Vec<(At, &'n Node)> {
        let Some(node) = keys.take(key) else { return Vec::new() };
        let Value::Map(pairs) = &node.value else {
            let help = "write a name with a colon, and set in below it what belongs to it".to_string();
            self.wrong(&node.at, format!("`{key}` is a mapping of names, and not {}", kind(node)), help);
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, value) in pairs {
            match name.text() {
                Some(_) => found.push((name.at.clone(), value)),
                None => self.wrong(&name.at, format!("a name is a word, and not {}", kind(name)), String::new()),
            }
        }
        found
    }

    /// A text.
    pub fn text(&mut self, keys: &mut Keys<'_>, key: &str) -> Option<At> {
        let node = keys.take(key)?;
        self.text_of(node, key)
    }

    /// The text of a node that stands behind a key.
    pub fn text_of(&mut self, node: &Node, key: &str) -> Option<At> {
        if node.text().is_none() {
            let help = match node.value {
                Value::List(_) => "write one text; if it begins with a bracket, put the whole of it in single quotes",
                _ => "if it begins with a brace or holds a colon, put the whole text in single quotes",
            };
            self.wrong(&node.at, format!("`{key}` wants a text, and not {}", kind(node)), help.into());
            return None;
        }
        Some(node.at.clone())
    }

    /// A text that must be there, with its place; with no line where it is not.
    pub fn needed_at(&mut self, keys: &mut Keys<'_>, key: &str, owner: &At) -> At {
        let node = keys.take(key);
        let found = node.and_then(|node| self.text_of(node, key));
        if node.is_none() {
            let message =
                if owner.text.is_empty() { format!("`{key}` is missing here") } else { format!("`{}` has no `{key}`", owner.text) };
            self.wrong(owner, message, format!("write `{key}: ...`"));
        }
        found.unwrap_or_default()
    }

    /// A text that must be there.
    pub fn needed(&mut self, keys: &mut Keys<'_>, key: &str, owner: &At) -> String {
        self.needed_at(keys, key, owner).text
    }

    /// The nodes of a list. A single one counts as a list of one, after that was said.
    pub fn list<'n>(&mut self, keys: &mut Keys<'n>, key: &str) -> Vec<&'n Node> {
        let Some(node) = keys.take(key) else { return Vec::new() };
        match &node.value {
            Value::List(list) => list.iter().collect(),
            _ => {
                let shown = match &node.value {
                    Value::Plain if !node.at.text.contains([',', '[', ']', '{', '}', '\n']) => format!("`{key}: [{}]`", node.at.text),
                    Value::Quoted if !node.at.text.contains('\n') => format!("`{key}: ['{}']`", node.at.text.replace('\'', "''")),
                    _ => format!("below `{key}:` a line with a dash for each"),
                };
                self.wrong(&node.at, format!("`{key}` wants a list, and not {}", kind(node)), format!("write {shown}"));
                vec![node]
            }
        }
    }

    /// The texts of a list.
    pub fn texts(&mut self, keys: &mut Keys<'_>, key: &str) -> Vec<At> {
        let nodes = self.list(keys, key);
        nodes.into_iter().filter(|node| !node.is_nothing()).filter_map(|node| self.text_of(node, key)).collect()
    }

    /// A text or a list of texts.
    pub fn one_or_many(&mut self, keys: &mut Keys<'_>, key: &str) -> Vec<At> {
        match keys.peek(key).map(|node| &node.value) {
            Some(Value::List(_)) => self.texts(keys, key),
            _ => self.text(keys, key).into_iter().collect(),
        }
    }

    /// Yes or no; no where nothing is said.
    pub fn yes_or_no(&mut self, keys: &mut Keys<'_>, key: &str) -> bool {
        let Some(at) = self.text(keys, key) else { return false };
        match at.text.to_lowercase().as_str() {
            "true" | "yes" | "on" => true,
            "false" | "no" | "off" => false,
            _ => {
                self.wrong(&at, format!("`{key}: {}` is neither yes nor no", at.text), format!("write `{key}: true`, or leave it out"));
                false
            }
        }
    }

    /// One word out of some.
    pub fn word(&mut self, keys: &mut Keys<'_>, key: &str, words: &[&str]) -> Option<At> {
        let at = self.text(keys, key)?;
        if words.contains(&at.text.as_str()) {
            return Some(at);
        }
        self.unknown_word(&at, key, words, "");
        None
    }

    /// Says which words there are.
    pub fn unknown_word(&mut self, at: &At, key: &str, words: &[&str], also: &str) {
        let list = format!("it is one of {}{also}", words.join(", "));
        let help = near::word(&at.text, words).map_or_else(|| list.clone(), |near| format!("did you mean `{near}`? {list}"));
        self.wrong(at, format!("`{key}: {}` is unknown", at.text), help);
    }
}

/// What a node is, for people.
fn kind(node: &Node) -> &'static str {
    match node.value {
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping of keys",
        Value::Quoted | Value::Plain => "a text",
    }
}
