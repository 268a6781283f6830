//! Tables whose columns stand below their heads, with two blanks or more between them: kubectl, Docker.

/// The heads of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    heads: Vec<(String, usize)>,
}

/// Pieces of a line that two blanks or more (or tabs) divide, each with the byte at which it begins.
pub(super) fn pieces(line: &str) -> Vec<(&str, usize)> {
    let mut list = Vec::new();
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if matches!(bytes[at], b' ' | b'\t') {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at] != b'\t' && !(bytes[at] == b' ' && matches!(bytes.get(at + 1), None | Some(b' ' | b'\t'))) {
            at += 1;
        }
        list.extend(line.get(start..at).map(|piece| (piece, start)));
    }
    list
}

impl Table {
    /// By the line of heads.
    pub fn of(line: &str) -> Table {
        Table { heads: pieces(line).into_iter().map(|(head, at)| (head.to_string(), at)).collect() }
    }

    /// Whether it has all of these heads.
    pub fn has(&self, heads: &[&str]) -> bool {
        heads.iter().all(|want| self.heads.iter().any(|(head, _)| head == want))
    }

    /// The heads.
    pub fn heads(&self) -> impl Iterator<Item = &str> {
        self.heads.iter().map(|(head, _)| head.as_str())
    }

    /// The first head.
    pub fn first(&self) -> &str {
        self.heads.first().map_or("", |(head, _)| head)
    }

    /// How many heads there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// The cell of a row below a head; empty where the row has none.
    ///
    /// Cells begin below their heads. Where a row was copied without its blanks they are counted instead.
    pub fn cell<'r>(&self, row: &'r str, head: &str) -> &'r str {
        let Some(column) = self.heads.iter().position(|(h, _)| h == head) else { return "" };
        let (from, to) = (self.heads[column].1, self.heads.get(column + 1).map(|(_, at)| *at));
        if self.aligned(row) {
            let to = to.unwrap_or(row.len()).min(row.len());
            return row.get(from.min(to)..to).unwrap_or("").trim();
        }
        pieces(row).get(column).map_or("", |(piece, _)| piece)
    }

    /// Whether before each column of a row stands a blank, or the row has ended.
    fn aligned(&self, row: &str) -> bool {
        let bytes = row.as_bytes();
        self.heads.iter().all(|(_, at)| *at == 0 || bytes.len() < *at || matches!(bytes[at - 1], b' ' | b'\t'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        let table = Table::of("NAME   LAST SEEN   VOLUME   AGE");
        assert!(table.has(&["LAST SEEN", "AGE"]));
        assert_eq!(table.cell("data   5m (x2)              12m", "VOLUME"), "");
        assert_eq!(table.cell("data   5m (x2)              12m", "AGE"), "12m");
        assert_eq!(table.cell("data", "AGE"), "");
        assert_eq!(table.cell("a-name-that-is-longer   5m   v1   12m", "VOLUME"), "v1");
        assert_eq!(pieces("  a b   c\td "), [("a b", 2), ("c", 8), ("d", 10)]);
        assert_eq!(table.cell("dätä  5m", "LAST SEEN"), "5m");
    }
}
