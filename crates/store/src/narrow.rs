//! What the index can say about a query: a set of documents that holds every one the query asks for, and perhaps more.
//!
//! A query becomes a [`Need`], which each segment answers with a set of documents. For a field the values that the index holds
//! are asked the query's own test, one by one, by the same code that asks events; only the few spellings of a value that is
//! named in full are looked up directly. What cannot be narrowed stands for every document.

use crate::bits::Bits;
use crate::error::StoreError;
use crate::names::spelling;
use crate::store::Store;
use crate::terms::{self, Tag, clipped, may_be_clipped, presence, unindexed, values_of};
use std::io;
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use whyline_event::{Field, Key, Kind, Name, Origin, Record, Severity, Value};
use whyline_query::{Literal, Node, Query, Sense, Target, Test};

/// Shortest piece of a word that is sought among all words.
const SHORTEST_PIECE: usize = 3;

/// What a document needs to have.
#[derive(Debug)]
pub(crate) enum Need {
    /// Nothing that is known.
    Nothing,
    /// All of these.
    Each(Vec<Need>),
    /// One of these at least.
    Any(Vec<Need>),
    /// A word.
    Word(String),
    /// A word that contains one of these pieces.
    Piece(Vec<String>),
    /// A value of a field.
    Value(Box<Values>),
    /// One of these sources.
    Source(Vec<u32>),
}

/// Which values of a field will do.
#[derive(Debug)]
pub(crate) struct Values {
    /// Number of the field.
    number: String,
    /// What is asked of a value; `None` when any will do.
    ask: Option<Ask>,
}

#[derive(Debug)]
struct Ask {
    query: Query,
    target: Target,
    /// The only text that will do, folded.
    only: Option<String>,
}

/// The documents that a segment has to offer.
pub(crate) enum Narrowed {
    /// Every one.
    All,
    /// These.
    Some(Bits),
}

impl Store {
    /// What documents need to have for a part of a query to hold.
    pub(crate) fn need(&self, node: &Node) -> Need {
        match node {
            Node::All | Node::Not(_) => Need::Nothing,
            Node::And(nodes) => Need::Each(nodes.iter().map(|n| self.need(n)).collect()),
            Node::Or(nodes) => Need::Any(nodes.iter().map(|n| self.need(n)).collect()),
            Node::Words(phrase) => each_word(phrase.words()),
            Node::Field(target, test) => self.of_field(target, test),
        }
    }

    fn of_field(&self, target: &Target, test: &Test) -> Need {
        let values = |number: String| {
            let ask = (!matches!(test, Test::Present)).then(|| Ask::new(target, test));
            Need::Value(Box::new(Values { number, ask }))
        };
        match target {
            Target::Raw | Target::Line => Need::Nothing,
            Target::Body => in_words(test),
            Target::Format => values(terms::FORMAT.to_string()),
            Target::Source => self.sources_with(target, test),
            Target::Level => {
                let asked = |number: String| Need::Value(Box::new(Values { number, ask: Some(Ask::new(target, test)) }));
                let word = self.number(Name::Known(Key::Level), asked);
                Need::Any(vec![asked(terms::SEVERITY.to_string()), word])
            }
            Target::Key(key) if key.kind() == Kind::Text => {
                let there = self.number(Name::Known(*key), |number| Need::Value(Box::new(Values { number, ask: None })));
                Need::Each(vec![there, in_words(test)])
            }
            Target::Key(Key::HostName) => Need::Any(vec![self.number(Name::Known(Key::HostName), values), self.sources_with(target, test)]),
            Target::Key(key) => self.number(Name::Known(*key), values),
            Target::Other(name) => self.number(Name::Other(name), values),
        }
    }

    /// The need for a field by its number in the dictionary. A name that is not there occurs in no event, unless the
    /// dictionary had no place for it.
    fn number(&self, name: Name<'_>, need: impl FnOnce(String) -> Need) -> Need {
        let text = spelling(name);
        match self.names.find(&text) {
            Some(number) => need(number.to_string()),
            None if self.names.complete_for(&text) => Need::Any(Vec::new()),
            None => Need::Nothing,
        }
    }

    /// The sources that pass a test by themselves.
    fn sources_with(&self, target: &Target, test: &Test) -> Need {
        let query = Query::from_node(Node::Field(target.clone(), test.clone()));
        let record = Record::new("", Origin::default());
        let fit = (0u32..).zip(self.sources()).filter(|(_, s)| query.matches_in(&record, Some(&s.source())));
        Need::Source(fit.map(|(number, _)| number).collect())
    }

    /// The documents of a segment that have what is needed.
    pub(crate) fn narrow(&self, segment: &SegmentReader, need: &Need) -> Result<Narrowed, StoreError> {
        let failed = StoreError::index(&self.folder, "read");
        let index = |field| segment.inverted_index(field).map_err(&failed);
        let (words, values, sources) = (index(self.fields.word)?, index(self.fields.value)?, index(self.fields.source)?);
        let view = View { count: segment.max_doc(), words: &words, values: &values, sources: &sources };
        Ok(view.of(need).map_err(|e| failed(e.into()))?.map_or(Narrowed::All, Narrowed::Some))
    }
}

fn each_word(words: &[String]) -> Need {
    Need::Each(words.iter().map(|w| Need::Word(w.clone())).collect())
}

/// What a test of free text needs among the words.
fn in_words(test: &Test) -> Need {
    match test {
        Test::Is(literal) => each_word(literal.words()),
        Test::Matches(pattern) if !pattern.pieces().is_empty() => {
            let runs: Option<Vec<String>> = pattern.pieces().iter().map(|piece| longest_run(piece)).collect();
            runs.map_or(Need::Nothing, Need::Piece)
        }
        Test::Glob(glob) => {
            let run = longest_run(&glob.as_str().to_ascii_lowercase());
            run.map_or(Need::Nothing, |run| Need::Piece(vec![run]))
        }
        Test::Matches(_) | Test::Present | Test::Compare(..) | Test::Range(_) => Need::Nothing,
    }
}

/// The longest run of ASCII letters and digits: wherever it stands in a text, it lies within one word.
fn longest_run(text: &str) -> Option<String> {
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    runs.filter(|run| run.len() >= SHORTEST_PIECE).max_by_key(|run| run.len()).map(String::from)
}

impl Ask {
    fn new(target: &Target, test: &Test) -> Ask {
        let only = match test {
            Test::Is(literal) if target.sense() == Sense::Whole => only_text(literal),
            _ => None,
        };
        Ask { query: Query::from_node(Node::Field(target.clone(), test.clone())), target: target.clone(), only }
    }

    /// Whether a value will do.
    fn fits(&self, value: Value<'_>) -> bool {
        let mut record = Record::new("", Origin::default());
        match (&self.target, value) {
            (Target::Format, Value::Str(text)) => record.format = text,
            (Target::Level, Value::Str(text)) => {
                // A severity and the word as written are kept under numbers of their own and asked in the same way.
                record.severity = Severity::ALL.into_iter().find(|s| s.as_str() == text);
                record.fields.push(Field { name: Name::Known(Key::Level), value });
            }
            (Target::Level, value) => record.fields.push(Field { name: Name::Known(Key::Level), value }),
            (target, value) => match target.field() {
                Some(name) => record.fields.push(Field { name, value }),
                None => return true,
            },
        }
        self.query.matches(&record)
    }
}

/// The one text that equals a literal, unless the literal is a number or an address too, which have many spellings.
fn only_text(literal: &Literal) -> Option<String> {
    (literal.endpoint().is_none() && literal.network().is_none()).then(|| literal.folded().to_string())
}

/// What the documents of one segment have.
struct View<'s> {
    count: u32,
    words: &'s InvertedIndexReader,
    values: &'s InvertedIndexReader,
    sources: &'s InvertedIndexReader,
}

impl View<'_> {
    /// The documents that have what is needed; `None` stands for all.
    fn of(&self, need: &Need) -> io::Result<Option<Bits>> {
        match need {
            Need::Nothing => Ok(None),
            Need::Each(needs) => {
                let mut all: Option<Bits> = None;
                for need in needs {
                    if let Some(bits) = self.of(need)? {
                        match &mut all {
                            None => all = Some(bits),
                            Some(all) => all.and(&bits),
                        }
                    }
                }
                Ok(all)
            }
            Need::Any(needs) => {
                let mut any = Bits::none(self.count);
                for need in needs {
                    match self.of(need)? {
                        None => return Ok(None),
                        Some(bits) => any.or(&bits),
                    }
                }
                Ok(Some(any))
            }
            Need::Word(word) => {
                let mut bits = Bits::none(self.count);
                self.add_term(self.words, clipped(word).as_bytes(), &mut bits)?;
                Ok(Some(bits))
            }
            Need::Piece(pieces) => self.with_piece(pieces).map(Some),
            Need::Value(values) => self.with_value(values).map(Some),
            Need::Source(numbers) => {
                let mut bits = Bits::none(self.count);
                for number in numbers {
                    self.add_term(self.sources, &u64::from(*number).to_be_bytes(), &mut bits)?;
                }
                Ok(Some(bits))
            }
        }
    }

    fn with_piece(&self, pieces: &[String]) -> io::Result<Bits> {
        let mut bits = Bits::none(self.count);
        let mut stream = self.words.terms().stream()?;
        while let Some((word, info)) = stream.next() {
            let has = |text: &str| may_be_clipped(text) || pieces.iter().any(|piece| text.contains(piece.as_str()));
            if std::str::from_utf8(word).is_ok_and(has) {
                add(self.words, info, &mut bits)?;
            }
        }
        Ok(bits)
    }

    fn with_value(&self, values: &Values) -> io::Result<Bits> {
        let mut bits = Bits::none(self.count);
        let Some(ask) = &values.ask else {
            self.add_term(self.values, presence(&values.number).as_bytes(), &mut bits)?;
            if values.number == terms::FORMAT {
                self.add_fitting(&values.number, Tag::Str, &|_| true, &mut bits)?;
                self.add_term(self.values, unindexed(&values.number).as_bytes(), &mut bits)?;
            }
            return Ok(bits);
        };
        self.add_term(self.values, unindexed(&values.number).as_bytes(), &mut bits)?;
        let tags = match &ask.only {
            Some(text) => {
                self.add_term(self.values, format!("{}{text}", values_of(&values.number, Tag::Str)).as_bytes(), &mut bits)?;
                &Tag::NUMBERS[..]
            }
            None => &Tag::ALL[..],
        };
        for tag in tags {
            self.add_fitting(&values.number, *tag, &|value| ask.fits(value), &mut bits)?;
        }
        Ok(bits)
    }

    /// Adds the documents of those values of a kind that fit.
    fn add_fitting(&self, number: &str, tag: Tag, fits: &dyn Fn(Value<'_>) -> bool, bits: &mut Bits) -> io::Result<()> {
        let from = values_of(number, tag);
        let mut stream = self.values.terms().range().ge(from.as_bytes()).into_stream()?;
        while let Some((term, info)) = stream.next() {
            let Some(text) = term.strip_prefix(from.as_bytes()) else { break };
            let value = std::str::from_utf8(text).ok().and_then(|text| tag.value(text));
            // What cannot be read is left to the query.
            if value.is_none_or(fits) {
                add(self.values, info, bits)?;
            }
        }
        Ok(())
    }

    fn add_term(&self, index: &InvertedIndexReader, term: &[u8], bits: &mut Bits) -> io::Result<()> {
        match index.terms().get(term)? {
            Some(info) => add(index, &info, bits),
            None => Ok(()),
        }
    }
}

fn add(index: &InvertedIndexReader, info: &TermInfo, bits: &mut Bits) -> io::Result<()> {
    let mut postings = index.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    while !postings.docs().is_empty() {
        postings.docs().iter().for_each(|doc| bits.set(*doc));
        postings.advance();
    }
    Ok(())
}
