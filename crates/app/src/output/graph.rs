//! The fault tree as a picture, for Graphviz and Mermaid. It is read from left to right: lines that were seen, the cause that
//! they speak for, the faults that it led to, what users felt. (Fault trees are mostly drawn with the top event above; labels
//! are long and screens are wide.)

use super::{safe, words};
use std::collections::BTreeMap;
use std::io::{Result, Write};
use whyline_diagnose::tree::{Gate, Kind, Node, Tree};

/// What a language needs of a label in quotes: its line break, and how it writes what could end the quotes or begin a markup.
struct Quoting {
    line_break: &'static str,
    escape: fn(char) -> Option<&'static str>,
}

const DOT: Quoting = Quoting {
    line_break: "\\n",
    escape: |c| match c {
        '"' => Some("\\\""),
        '\\' => Some("\\\\"),
        '&' => Some("&amp;"),
        _ => None,
    },
};

const MERMAID: Quoting = Quoting {
    line_break: "<br/>",
    escape: |c| match c {
        '"' => Some("#quot;"),
        '&' => Some("#amp;"),
        '<' => Some("#lt;"),
        '>' => Some("#gt;"),
        '#' => Some("#35;"),
        ';' => Some("#59;"),
        '`' => Some("#96;"),
        _ => None,
    },
};

/// Rows of a label are broken at words beyond this, and inside of words at the latest.
const ROW: usize = 42;

impl Quoting {
    /// A text that nothing in it can break out of; long ones are broken into rows.
    fn quoted(&self, text: &str) -> String {
        let mut out = String::new();
        let mut column = 0;
        for word in safe::line(text).split_whitespace() {
            if column > 0 && column + word.chars().count() >= ROW {
                out.push_str(self.line_break);
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            for c in word.chars() {
                if column >= ROW {
                    out.push_str(self.line_break);
                    column = 0;
                }
                match (self.escape)(c) {
                    Some(escape) => out.push_str(escape),
                    None => out.push(c),
                }
                column += 1;
            }
        }
        out
    }

    fn label(&self, node: &Node) -> String {
        let mut text = self.quoted(&words::sentence(&node.label));
        if let Some(belief) = node.belief {
            text.push_str(&format!("{}{:.0} % sure", self.line_break, belief * 100.0));
        }
        if node.gate == Gate::And {
            text.push_str(&format!("{}(all of)", self.line_break));
        }
        text
    }
}

/// Names of nodes that are unique over all trees.
fn names(tree: &Tree, number: usize) -> BTreeMap<&str, String> {
    tree.nodes().enumerate().map(|(i, n)| (n.id.as_str(), format!("n{number}_{i}"))).collect()
}

/// Graphviz.
pub fn dot(out: &mut dyn Write, trees: &[Tree]) -> Result<()> {
    writeln!(out, "digraph whyline {{")?;
    writeln!(out, "  graph [rankdir=LR, ranksep=0.6, nodesep=0.12, fontname=\"sans-serif\", fontsize=12];")?;
    writeln!(out, "  node [fontname=\"sans-serif\", fontsize=11, margin=\"0.12,0.06\"];")?;
    for (t, tree) in trees.iter().enumerate() {
        let names = names(tree, t);
        writeln!(out, "  subgraph cluster_{t} {{\n    label=\"incident {}\";\n    color=gray60;", t + 1)?;
        for node in tree.nodes() {
            let style = match node.kind {
                Kind::Symptom => "shape=box, style=\"filled,bold\", fillcolor=\"#f4c7c3\"",
                Kind::Root => "shape=box, style=\"filled,bold\", fillcolor=\"#fce8b2\"",
                Kind::Step => "shape=box, style=rounded",
                Kind::Basic => "shape=note, color=gray50, fontsize=9",
            };
            writeln!(out, "    {} [{style}, label=\"{}\"];", names[node.id.as_str()], DOT.label(node))?;
        }
        for (below, above) in tree.edges() {
            let style = if below.kind == Kind::Basic { " [color=gray50, style=dashed]" } else { "" };
            writeln!(out, "    {} -> {}{style};", names[below.id.as_str()], names[above.id.as_str()])?;
        }
        writeln!(out, "  }}")?;
    }
    writeln!(out, "}}")
}

/// Mermaid.
pub fn mermaid(out: &mut dyn Write, trees: &[Tree]) -> Result<()> {
    writeln!(out, "flowchart LR")?;
    writeln!(out, "  classDef symptom fill:#f4c7c3,stroke:#333,color:#000\n  classDef cause fill:#fce8b2,stroke:#333,color:#000")?;
    for (t, tree) in trees.iter().enumerate() {
        let names = names(tree, t);
        writeln!(out, "  subgraph incident_{0} [\"incident {0}\"]", t + 1)?;
        for node in tree.nodes() {
            let (open, close) = match node.kind {
                Kind::Symptom => ("[", "]:::symptom"),
                Kind::Root => ("[", "]:::cause"),
                Kind::Step => ("(", ")"),
                Kind::Basic => ("([", "])"),
            };
            writeln!(out, "    {}{open}\"{}\"{close}", names[node.id.as_str()], MERMAID.label(node))?;
        }
        for (below, above) in tree.edges() {
            let arrow = if below.kind == Kind::Basic { "-.->" } else { "-->" };
            writeln!(out, "    {} {arrow} {}", names[below.id.as_str()], names[above.id.as_str()])?;
        }
        writeln!(out, "  end")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        let node = |id: &str, kind: Kind, label: &str| Node { id: id.into(), kind, gate: Gate::Or, label: label.into(), belief: None };
        tree.node(node("top", Kind::Symptom, "http.502 at host:web01"));
        tree.node(node("cause", Kind::Root, "a \"name\"]; end & <b> \\ #1; `x`\u{202e}\n at service:api@app02"));
        tree.edge("cause", "top");
        tree
    }

    #[test]
    fn labels_cannot_break_out() {
        let mut out = Vec::new();
        dot(&mut out, &[tree()]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let label = text.lines().find(|l| l.contains("n0_1 [")).unwrap();
        assert!(
            label.contains(r#"a \"name\"]; end &amp; <b>"#) && label.contains(r#"\\u{202e}"#) && label.contains("api on app02"),
            "{label}"
        );
        assert!(text.contains("label=\"http.502 at web01\""), "{text}");
        let mut out = Vec::new();
        mermaid(&mut out, &[tree()]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let label = text.lines().find(|l| l.contains("quot")).unwrap();
        assert_eq!(label.matches('"').count(), 2, "{label}");
        assert!(!label.contains("<b>") && !label.contains('`'), "{label}");
    }

    #[test]
    fn long_words_are_broken() {
        let rows = DOT.quoted(&"x".repeat(100));
        assert_eq!(rows.split("\\n").map(str::len).collect::<Vec<_>>(), [42, 42, 16]);
    }
}
