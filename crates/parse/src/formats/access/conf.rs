//! Log formats from configuration files: `log_format` of nginx, `LogFormat` and `CustomLog` of Apache.

use super::compile::{from_apache, from_log_format};
use crate::format::Format;
use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while1};
use nom::character::complete::{char, multispace0, multispace1, none_of, space1};
use nom::combinator::{opt, recognize};
use nom::multi::{fold_many0, many1};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};
use std::sync::Arc;

/// A `log_format` as it stands in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The name; empty for a format without one.
    pub name: String,
    /// The text, quotes and line breaks resolved.
    pub text: String,
}

/// Every access format that a configuration defines. What cannot be read is left out: a configuration has much else in it.
pub fn formats_in(text: &str) -> Vec<Arc<dyn Format>> {
    let nginx = nginx(text).into_iter().filter_map(|found| from_log_format("nginx.access", &found.text).ok());
    let apache = apache(text).into_iter().filter_map(|found| from_apache(&found.text).ok());
    nginx.chain(apache).collect()
}

/// The `log_format` statements of an nginx configuration.
pub fn nginx(text: &str) -> Vec<Definition> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("log_format") {
        let before = rest.get(..at).unwrap_or("");
        let line = before.rsplit('\n').next().unwrap_or("");
        let here = rest.get(at..).unwrap_or("");
        match log_format(here) {
            Ok((after, definition))
                if !line.contains('#') && line.chars().last().is_none_or(|c| c.is_whitespace() || matches!(c, ';' | '{' | '}')) =>
            {
                found.push(definition);
                rest = after;
            }
            _ => rest = here.get("log_format".len()..).unwrap_or(""),
        }
    }
    found
}

/// `log_format NAME [escape=...] 'text' "text" text;`
fn log_format(input: &str) -> IResult<&str, Definition> {
    let (rest, _) = (tag("log_format"), multispace1).parse(input)?;
    let (rest, name) = terminated(nginx_word, multispace1).parse(rest)?;
    let (rest, _) = opt((tag("escape="), nginx_word, multispace1)).parse(rest)?;
    let (rest, parts) = many1(terminated(alt((nginx_quoted('\''), nginx_quoted('"'), nginx_word)), multispace0)).parse(rest)?;
    let (rest, _) = char(';').parse(rest)?;
    Ok((rest, Definition { name, text: parts.concat() }))
}

fn nginx_word(input: &str) -> IResult<&str, String> {
    let plain = take_while1(|c: char| !c.is_whitespace() && !matches!(c, ';' | '\'' | '"' | '{' | '}'));
    plain.map(str::to_string).parse(input)
}

/// A quoted string. nginx resolves `\"`, `\'`, `\\`, `\t`, `\r`, `\n` and leaves other backslashes.
fn nginx_quoted<'i>(quote: char) -> impl Parser<&'i str, Output = String, Error = nom::error::Error<&'i str>> {
    let escaped = preceded(char('\\'), nom::character::complete::anychar).map(|c| match c {
        't' => "\t".to_string(),
        'r' => "\r".to_string(),
        'n' => "\n".to_string(),
        '"' | '\'' | '\\' => c.to_string(),
        other => format!("\\{other}"),
    });
    let plain = none_of(if quote == '"' { "\"\\" } else { "'\\" }).map(|c| c.to_string());
    let text = fold_many0(alt((escaped, plain)), String::new, |mut all, part: String| {
        all.push_str(&part);
        all
    });
    delimited(char(quote), text, char(quote))
}

/// The `LogFormat` and `CustomLog` directives of an Apache configuration.
pub fn apache(text: &str) -> Vec<Definition> {
    // A backslash at the end of a line continues it.
    let joined = text.replace("\\\r\n", "").replace("\\\n", "");
    let directive = |line: &str| alt((log_format_directive, custom_log)).parse(line).ok().map(|(_, found)| found);
    joined.lines().map(str::trim).filter_map(directive).filter(|found| found.text.contains('%')).collect()
}

/// `LogFormat "text" name`
fn log_format_directive(input: &str) -> IResult<&str, Definition> {
    let (rest, _) = (tag_no_case("LogFormat"), space1).parse(input)?;
    let (rest, text) = apache_argument(rest)?;
    let (rest, name) = opt(preceded(space1, apache_argument)).parse(rest)?;
    Ok((rest, Definition { name: name.unwrap_or("").to_string(), text: text.to_string() }))
}

/// `CustomLog file "text"`
fn custom_log(input: &str) -> IResult<&str, Definition> {
    let (rest, _) = (tag_no_case("CustomLog"), space1).parse(input)?;
    let (rest, _) = (apache_argument, space1).parse(rest)?;
    let (rest, text) = apache_argument(rest)?;
    Ok((rest, Definition { name: String::new(), text: text.to_string() }))
}

/// A word or a quoted string, whose escapes stay: they are part of the format.
fn apache_argument(input: &str) -> IResult<&str, &str> {
    let inside = |quote: &'static str| {
        let escaped = recognize((char('\\'), nom::character::complete::anychar));
        let stop = if quote == "\"" { "\"\\" } else { "'\\" };
        recognize(fold_many0(alt((escaped, recognize(none_of(stop)))), || (), |(), _| ()))
    };
    let double = delimited(char('"'), inside("\""), char('"'));
    let single = delimited(char('\''), inside("'"), char('\''));
    alt((double, single, take_while1(|c: char| !c.is_whitespace()))).parse(input)
}

#[cfg(test)]
mod tests {
    use super::super::testing::fields;
    use super::*;

    #[test]
    fn nginx_configuration() {
        let text = "http {\n  # log_format old '$remote_addr';\n  log_format  main escape=json '$remote_addr [$time_iso8601] '\n    \
                    '\"$request\" $status \\'x\\' '\n    \"rt=$request_time\";\n  access_log /var/log/a.log main;\n  my_log_format x;\n  \
                    log_format json '{\"status\":$status}';\n}\nlog_format broken '";
        let found = nginx(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].name, "main");
        assert_eq!(found[0].text, "$remote_addr [$time_iso8601] \"$request\" $status 'x' rt=$request_time");
        let formats = formats_in(text);
        assert_eq!(
            fields(&*formats[0], "10.0.0.1 [2026-11-21T10:02:09Z] \"GET / HTTP/1.0\" 200 'x' rt=0.5"),
            "nginx.access 2026-11-21T10:02:09Z - - client.address=10.0.0.1 http.request.method=GET url.path=/ \
             network.protocol.version=1.0 http.response.status_code=200 http.server.request.duration=0.5"
        );
    }

    #[test]
    fn apache_configuration() {
        let text = "  LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b\" common\n#LogFormat \"%h\" no\nlogformat '%a \\\n%s' two\nCustomLog logs/a \
                    \"%t %s\"\nCustomLog logs/b common\n";
        let found = apache(text);
        assert_eq!(found.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["common", "two", ""]);
        assert_eq!(found[0].text, "%h %l %u %t \\\"%r\\\" %>s %b");
        assert_eq!(formats_in(text).len(), 3);
    }
}
