//! The fields of a record, in order, with a mark for every name that stands among them.

use crate::field::{Key, Name};
use crate::value::Value;
use std::fmt;
use std::ops::Deref;

/// A field with its value. A name may occur several times (the upstreams that a proxy tried); order is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// The name.
    pub name: Name<'a>,
    /// The value.
    pub value: Value<'a>,
}

/// The fields of a record. Most questions are for a field that a record does not have; a mark answers these without a walk.
#[derive(Clone, Default)]
pub struct Fields<'a> {
    list: Vec<Field<'a>>,
    /// A bit for each known name that was added; one that was taken away again may keep it.
    marks: u128,
}

/// Should there ever be more keys than marks, the last ones share one.
#[inline]
fn mark(key: Key) -> u128 {
    1 << (key as u32).min(u128::BITS - 1)
}

impl<'a> Fields<'a> {
    /// Adds a field behind the others.
    #[inline]
    pub fn push(&mut self, field: Field<'a>) {
        if let Name::Known(key) = field.name {
            self.marks |= mark(key);
        }
        self.list.push(field);
    }

    /// Takes all fields away; their room stays.
    #[inline]
    pub fn clear(&mut self) {
        self.list.clear();
        self.marks = 0;
    }

    /// Takes away all fields but the first so many.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.list.truncate(len);
    }

    /// Takes away the fields for which something does not hold.
    pub fn retain(&mut self, keep: impl FnMut(&Field<'a>) -> bool) {
        self.list.retain(keep);
    }

    /// Makes room for so many more.
    #[inline]
    pub fn reserve(&mut self, more: usize) {
        self.list.reserve(more);
    }

    /// Whether a field may be there; where not, it is not.
    #[inline]
    pub fn may_have(&self, key: Key) -> bool {
        self.marks & mark(key) != 0
    }
}

impl<'a> Deref for Fields<'a> {
    type Target = [Field<'a>];

    fn deref(&self) -> &[Field<'a>] {
        &self.list
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

impl PartialEq for Fields<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl<'a> Extend<Field<'a>> for Fields<'a> {
    fn extend<I: IntoIterator<Item = Field<'a>>>(&mut self, fields: I) {
        fields.into_iter().for_each(|field| self.push(field));
    }
}

impl<'a> FromIterator<Field<'a>> for Fields<'a> {
    fn from_iter<I: IntoIterator<Item = Field<'a>>>(fields: I) -> Self {
        let mut all = Fields::default();
        all.extend(fields);
        all
    }
}

impl<'f, 'a> IntoIterator for &'f Fields<'a> {
    type Item = &'f Field<'a>;
    type IntoIter = std::slice::Iter<'f, Field<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_marked() {
        let mut fields = Fields::default();
        fields.push(Field { name: Name::Other("x"), value: Value::Int(1) });
        for (at, key) in Key::ALL.iter().enumerate() {
            assert!(at >= u128::BITS as usize - 1 || !fields.may_have(*key));
            fields.push(Field { name: Name::Known(*key), value: Value::Int(1) });
            assert!(fields.may_have(*key));
        }
        fields.truncate(2);
        assert_eq!(fields.len(), 2);
        assert!(Key::ALL.first().is_some_and(|key| fields.may_have(*key)));
        fields.clear();
        assert!(Key::ALL.iter().all(|key| !fields.may_have(*key)));
    }
}
