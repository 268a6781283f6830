//! The fault tree as a picture: Graphviz and Mermaid.

use std::collections::BTreeMap;
use std::io::{Result, Write};
use whyline_diagnose::tree::{Gate, Kind, Node, Tree};

/// A label in quotes: nothing in it can end the quotes or begin a markup. Long ones are broken into lines.
fn quoted(text: &str, line_break: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + word.chars().count() > 42 {
            out.push_str(line_break);
            column = 0;
        } else if column > 0 {
            out.push(' ');
        }
        for c in word.chars().filter(|c| !c.is_control()) {
            match c {
                '"' => out.push('\''),
                '\\' => out.push('/'),
                '<' => out.push('\u{2039}'),
                '>' => out.push('\u{203a}'),
                '&' => out.push('+'),
                '#' | ';' => out.push(' '),
                c => out.push(c),
            }
            column += 1;
        }
    }
    out
}

fn label(node: &Node, line_break: &str) -> String {
    let mut text = quoted(&node.label, line_break);
    if let Some(belief) = node.belief {
        text.push_str(&format!("{line_break}{:.0} %", belief * 100.0));
    }
    if node.gate == Gate::And {
        text.push_str(&format!("{line_break}(all of)"));
    }
    text
}

/// Graphviz.
pub fn dot(out: &mut dyn Write, trees: &[Tree]) -> Result<()> {
    writeln!(out, "digraph whyline {{\n  rankdir=BT;\n  node [fontname=\"sans-serif\", fontsize=11];")?;
    for (t, tree) in trees.iter().enumerate() {
        writeln!(out, "  subgraph cluster_{t} {{\n    label=\"incident {}\";", t + 1)?;
        let names: BTreeMap<&str, String> = tree.nodes().enumerate().map(|(i, n)| (n.id.as_str(), format!("n{t}_{i}"))).collect();
        for node in tree.nodes() {
            let style = match node.kind {
                Kind::Symptom => "shape=box, style=\"filled,bold\", fillcolor=\"#f4c7c3\"",
                Kind::Root => "shape=box, style=filled, fillcolor=\"#fce8b2\"",
                Kind::Step => "shape=box, style=rounded",
                Kind::Basic => "shape=ellipse, color=gray40",
            };
            writeln!(out, "    {} [{style}, label=\"{}\"];", names[node.id.as_str()], label(node, "\\n"))?;
        }
        for (below, above) in tree.edges() {
            writeln!(out, "    {} -> {};", names[below.id.as_str()], names[above.id.as_str()])?;
        }
        writeln!(out, "  }}")?;
    }
    writeln!(out, "}}")
}

/// Mermaid.
pub fn mermaid(out: &mut dyn Write, trees: &[Tree]) -> Result<()> {
    writeln!(out, "flowchart BT")?;
    for (t, tree) in trees.iter().enumerate() {
        let names: BTreeMap<&str, String> = tree.nodes().enumerate().map(|(i, n)| (n.id.as_str(), format!("n{t}_{i}"))).collect();
        writeln!(out, "  subgraph incident_{0} [\"incident {0}\"]", t + 1)?;
        for node in tree.nodes() {
            let (open, close) = match node.kind {
                Kind::Symptom => ("[[", "]]"),
                Kind::Root => ("[", "]"),
                Kind::Step => ("(", ")"),
                Kind::Basic => ("([", "])"),
            };
            writeln!(out, "    {}{open}\"{}\"{close}", names[node.id.as_str()], label(node, "<br/>"))?;
        }
        for (below, above) in tree.edges() {
            writeln!(out, "    {} --> {}", names[below.id.as_str()], names[above.id.as_str()])?;
        }
        writeln!(out, "  end")?;
    }
    Ok(())
}
