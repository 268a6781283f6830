//! A document that is a list of objects, printed over many lines: `kubectl get -o json`, exports of cloud logs. Each object is a record.

use super::Json;
use crate::format::{Cx, Fit, Format};
use whyline_event::{Bump, Record};

/// The reader of one document: its objects are known by what stands before their braces.
#[derive(Clone, Debug)]
pub struct List {
    indent: String,
}

/// Within so many lines the list begins.
const HEAD: usize = 20;

impl List {
    /// The list that the first lines of a source show: the first opens a document, and soon one opens a list, behind which an object stands on lines of
    /// its own and ends.
    pub(crate) fn of(lines: &[&str]) -> Option<List> {
        let written = || lines.iter().copied().filter(|line| !line.trim().is_empty());
        if !matches!(written().next()?.trim_end(), "{" | "[") {
            return None;
        }
        let opens = |(before, line): &(&str, &str)| before.trim_end().ends_with('[') && line.trim() == "{" && line.starts_with([' ', '\t']);
        let (_, first) = written().zip(written().skip(1)).take(HEAD).find(opens)?;
        let list = List { indent: first.get(..first.len() - first.trim_start().len())?.to_string() };
        written().any(|line| list.ends(line)).then_some(list)
    }

    /// The objects of these lines that are whole.
    pub(crate) fn objects<'a>(&self, arena: &'a Bump, lines: &[&'a str]) -> Vec<&'a str> {
        let mut objects = Vec::new();
        let mut from = None;
        for (at, line) in lines.iter().enumerate() {
            if self.begins(line) {
                from = Some(at);
            } else if self.ends(line)
                && let Some(part) = from.take().and_then(|from| lines.get(from..=at))
            {
                objects.push(&*arena.alloc_str(&part.join("\n")));
            }
        }
        objects
    }

    fn begins(&self, line: &str) -> bool {
        line.strip_prefix(&self.indent).is_some_and(|rest| rest.trim_end() == "{")
    }

    fn ends(&self, line: &str) -> bool {
        line.strip_prefix(&self.indent).is_some_and(|rest| matches!(rest.trim_end(), "}" | "},"))
    }
}

impl Format for List {
    fn name(&self) -> &'static str {
        "json.list"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let first = text.lines().next()?;
        if self.begins(first) {
            return Json.read(cx, text.trim().trim_end_matches(','), record).map(|fit| fit.max(90));
        }
        // What stands before the first object and behind the last one.
        if !matches!(first.trim().trim_end_matches(','), "{" | "[" | "]" | "}") {
            return None;
        }
        record.format = "json";
        Some(60)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        let bare = line.trim();
        let is_outside = line.len() - line.trim_start().len() < self.indent.len();
        self.begins(line) || is_outside && matches!(bare.trim_end_matches(','), "]") || matches!(line.trim_end(), "{" | "[")
    }

    fn block(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    #[test]
    fn objects_of_a_list_are_records() {
        let text = "{\n  \"kind\": \"List\",\n  \"items\": [\n    {\n      \"msg\": \"a\",\n      \"of\": [\n        {\n          \"x\": 1\n        }\n      ]\n    },\n    {\n      \"msg\": \"b\"\n    }\n  ],\n  \"n\": 2\n}\n";
        let lines: Vec<&str> = text.lines().collect();
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let list = List::of(&lines).unwrap();
        let objects = list.objects(&arena, &lines);
        let bodies: Vec<&str> = objects
            .iter()
            .map(|text| {
                let mut record = Record::new(text, Origin::default());
                assert_eq!(list.read(&cx, text, &mut record), Some(90));
                record.body
            })
            .collect();
        assert_eq!(bodies, ["a", "b"]);
        let begins: Vec<usize> = (0..lines.len()).filter(|at| list.starts(&cx, lines[*at])).collect();
        assert_eq!(begins, [0, 3, 11, 14]);
        for no in ["{\"a\": [\n  {\n  }\n]}", "text\n[\n  {\n  }\n]", "{\n  \"a\": {\n    \"b\": 1\n  }\n}", "[\n  {\n    \"cut\": 1,"] {
            assert!(List::of(&no.lines().collect::<Vec<_>>()).is_none(), "{no}");
        }
    }
}
