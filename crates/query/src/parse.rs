//! Reads a query: `NOT` binds before `AND` (also a space), `AND` before `OR`.

use crate::ast::Node;
use crate::error::QueryError;
use crate::fields::Target;
use crate::lex::{Lexer, Spanned, Token};
use crate::query::UnknownField;
use crate::value::{bare, test};
use std::ops::Range;

/// Deepest nesting of parentheses and `NOT`.
pub(crate) const DEEPEST: usize = 100;
/// Most terms.
const MOST_TERMS: usize = 4_096;
/// Longest query, in bytes.
const LONGEST: usize = 64 << 10;

/// What was read.
pub(crate) struct Parsed {
    pub(crate) root: Node,
    pub(crate) unknown: Vec<UnknownField>,
    /// Where the expression ends: at a pipe, or at the end of the text.
    pub(crate) end: usize,
}

/// Reads an expression up to a pipe or the end. With `own_names` a short name of a field also asks for what writers call so.
pub(crate) fn parse(text: &str, own_names: bool) -> Result<Parsed, QueryError> {
    if text.len() > LONGEST {
        return Err(QueryError::new(format!("a query may have {LONGEST} bytes at most"), LONGEST..LONGEST + 1)
            .help("ask for fewer values at once, or use wildcards, ranges or a regular expression"));
    }
    let mut lexer = Lexer::new(text);
    let next = lexer.token()?;
    let mut parser = Parser { lexer, next, terms: 0, unknown: Vec::new(), own_names };
    if matches!(parser.next.0, Token::End | Token::Pipe) {
        return Err(QueryError::new("the query is empty", parser.next.1).help("* matches every record"));
    }
    let root = parser.any(0)?;
    match parser.next.0 {
        Token::End | Token::Pipe => Ok(Parsed { root, unknown: parser.unknown, end: parser.next.1.start }),
        _ => Err(QueryError::new("this parenthesis closes nothing", parser.next.1).help(QUOTE)),
    }
}

const QUOTE: &str = "text that contains parentheses goes in double quotes";

struct Parser<'q> {
    lexer: Lexer<'q>,
    next: Spanned<Token>,
    terms: usize,
    unknown: Vec<UnknownField>,
    own_names: bool,
}

/// A field that is asked, and what else its name may mean.
#[derive(Clone, Copy)]
struct Named<'t> {
    target: &'t Target,
    own: Option<&'t Target>,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Spanned<Token>, QueryError> {
        let next = self.lexer.token()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    fn any(&mut self, depth: usize) -> Result<Node, QueryError> {
        let mut nodes = vec![self.all(depth)?];
        while self.next.0 == Token::Or {
            self.advance()?;
            nodes.push(self.all(depth)?);
        }
        Ok(Node::or(nodes))
    }

    fn all(&mut self, depth: usize) -> Result<Node, QueryError> {
        let mut nodes = vec![self.one(depth)?];
        loop {
            match self.next.0 {
                Token::Or | Token::Close | Token::End | Token::Pipe => return Ok(Node::and(nodes)),
                Token::And => {
                    self.advance()?;
                }
                _ => {}
            }
            nodes.push(self.one(depth)?);
        }
    }

    fn one(&mut self, depth: usize) -> Result<Node, QueryError> {
        self.count(depth)?;
        let (token, span) = self.advance_to_operand()?;
        match token {
            Token::Not => Ok(Node::Not(Box::new(self.one(depth + 1)?))),
            Token::Open => {
                if self.next.0 == Token::Close {
                    return Err(QueryError::new("there is nothing between these parentheses", span.start..self.next.1.end).help(QUOTE));
                }
                if matches!(self.next.0, Token::End | Token::Pipe) {
                    return Err(QueryError::new("this parenthesis is never closed", span).help(QUOTE));
                }
                let node = self.any(depth + 1)?;
                if self.next.0 != Token::Close {
                    return Err(QueryError::new("this parenthesis is never closed", span).help(QUOTE));
                }
                self.advance()?;
                Ok(node)
            }
            Token::Phrase(text) => bare(&text, true, span),
            Token::Bare(text) => bare(&text, false, span),
            Token::Field(name) => self.field(&name, &span, depth),
            token => Err(misplaced(&token, span)),
        }
    }

    /// The next piece; a field's value is left to be read by other rules.
    fn advance_to_operand(&mut self) -> Result<Spanned<Token>, QueryError> {
        match &self.next.0 {
            Token::Field(name) => Ok((Token::Field(name.clone()), self.next.1.clone())),
            Token::And | Token::Or | Token::Close | Token::End | Token::Pipe => Err(misplaced(&self.next.0, self.next.1.clone())),
            _ => self.advance(),
        }
    }

    fn count(&mut self, depth: usize) -> Result<(), QueryError> {
        self.terms += 1;
        let here = self.next.1.clone();
        if depth > DEEPEST {
            return Err(QueryError::new(format!("parentheses and NOT are nested deeper than {DEEPEST}"), here));
        }
        if self.terms > MOST_TERMS {
            return Err(QueryError::new(format!("a query may have {MOST_TERMS} terms at most"), here));
        }
        Ok(())
    }

    fn field(&mut self, name: &str, span: &Range<usize>, depth: usize) -> Result<Node, QueryError> {
        let target = Target::find(name);
        if let Target::Other(name) = &target {
            let span = span.start..span.end - 1;
            self.unknown.push(UnknownField { name: name.clone(), span });
        }
        let own = target.own_name(name).filter(|_| self.own_names);
        let named = Named { target: &target, own: own.as_ref() };
        let node = if self.lexer.at_list() {
            let open = self.lexer.list_token().map_or(span.clone(), |(_, span)| span);
            let (node, closing) = self.list(named, open.clone(), depth + 1)?;
            if closing.0 != Token::Close {
                return Err(QueryError::new("this parenthesis is never closed", open).help(QUOTE));
            }
            node
        } else {
            self.value(named)?
        };
        self.next = self.lexer.token()?;
        Ok(node)
    }

    fn value(&mut self, Named { target, own }: Named<'_>) -> Result<Node, QueryError> {
        let (raw, span) = self.lexer.value()?;
        // What is nothing for a field without a kind is asked of the field alone: `bytes:>64KiB`.
        let own = own.and_then(|own| Some(Node::Field(own.clone(), test(own, raw.clone(), span.clone()).ok()?)));
        let known = Node::Field(target.clone(), test(target, raw, span)?);
        Ok(Node::or(std::iter::once(known).chain(own).collect()))
    }

    /// The values in the parentheses of a field, up to what ends them. A space or `OR` means any of them.
    fn list(&mut self, target: Named<'_>, open: Range<usize>, depth: usize) -> Result<(Node, Spanned<Token>), QueryError> {
        let mut any: Vec<Node> = Vec::new();
        let mut all: Vec<Node> = Vec::new();
        // What must follow: an operand after AND, OR and the opening parenthesis; and how often NOT stands before it.
        let mut wanting = true;
        let mut negations = 0usize;
        loop {
            self.count(depth + negations)?;
            let token = self.lexer.list_token();
            let operand = match token {
                Some((Token::Not, _)) => {
                    negations += 1;
                    continue;
                }
                Some((Token::Open, span)) => {
                    let (node, closing) = self.list(target, span.clone(), depth + negations + 1)?;
                    if closing.0 != Token::Close {
                        return Err(QueryError::new("this parenthesis is never closed", span).help(QUOTE));
                    }
                    node
                }
                Some((Token::And, span)) => {
                    if wanting || negations > 0 {
                        return Err(misplaced(&Token::And, span));
                    }
                    wanting = true;
                    continue;
                }
                Some((token, span)) => {
                    if wanting || negations > 0 {
                        return Err(if token == Token::Close && any.is_empty() && all.is_empty() && negations == 0 {
                            QueryError::new("there is nothing between these parentheses", open.start..span.end).help(QUOTE)
                        } else {
                            misplaced(&token, span)
                        });
                    }
                    if token != Token::Or {
                        any.push(Node::and(all));
                        return Ok((Node::or(any), (token, span)));
                    }
                    any.push(Node::and(std::mem::take(&mut all)));
                    wanting = true;
                    continue;
                }
                None => self.value(target)?,
            };
            let operand = (0..std::mem::take(&mut negations)).fold(operand, |node, _| Node::Not(Box::new(node)));
            if !wanting {
                any.push(Node::and(std::mem::take(&mut all)));
            }
            all.push(operand);
            wanting = false;
        }
    }
}

fn misplaced(token: &Token, span: Range<usize>) -> QueryError {
    let (what, help) = match token {
        Token::And => ("AND needs a term on both sides", "to seek the word itself, put it in double quotes"),
        Token::Or => ("OR needs a term on both sides", "to seek the word itself, put it in double quotes"),
        Token::Not => ("NOT needs a term after it", "to seek the word itself, put it in double quotes"),
        Token::Close => ("a term is missing before this parenthesis", QUOTE),
        Token::Pipe => ("a term is missing before the pipe", "pipes come after the whole expression: status:503 | count by host"),
        _ => ("a term is missing here", "* matches every record"),
    };
    QueryError::new(what, span).help(help)
}
