//! Names that were probably meant.

/// The name nearest to what was written, if no more than so many letters must be put in, taken out or changed.
pub fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>, most: usize) -> Option<&'n str> {
    let (letters, name) = names.into_iter().map(|name| (distance(wrong, name), name)).min()?;
    (letters <= most).then_some(name)
}

/// The word of a short list that was probably meant.
pub fn word<'n>(wrong: &str, words: &[&'n str]) -> Option<&'n str> {
    nearest(&wrong.to_lowercase(), words.iter().copied(), 1 + wrong.chars().count() / 4)
}

/// How many letters must be put in, taken out or changed to make one of the other (Levenshtein distance).
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant() {
        assert_eq!(word("titel", &["title", "query"]), Some("title"));
        assert_eq!(word("Strong", &["weak", "strong"]), Some("strong"));
        assert_eq!(word("colour", &["title", "query"]), None);
        assert_eq!(nearest("a.b", [], 9), None);
        assert_eq!((distance("", "abc"), distance("abc", "abc"), distance("acb", "abc")), (3, 0, 2));
    }
}
