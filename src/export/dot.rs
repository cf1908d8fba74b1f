//! Case maps for Graphviz.

use std::fmt::Write as _;

use super::{ConceptSource, Look, edge_tooltip, looks, node_tooltip};
use crate::types::{Case, RelationKind};

/// The case map in Graphviz's language, left to right: `shorei structure --format dot | dot -Tpdf`.
///
/// The primary disease has a bold outline, inferred nodes a dashed one; tooltips carry concepts
/// and evidence. O(nodes + edges).
pub fn to_dot(case: &Case, concepts: &dyn ConceptSource) -> String {
    let mut dot = String::from("digraph ");
    push_quoted(&mut dot, &case.id);
    dot.push_str(
        " {\n  rankdir=LR;\n  node [shape=box, style=\"filled,rounded\", fontname=\"Noto Sans CJK JP\"];\n  \
         edge [color=\"#6b7280\"];\n",
    );
    let looks = looks(case, concepts);
    for (id, _) in case.map.preorder() {
        let node = case.map.node(id);
        let (fill, stroke) = colors(looks[id.0 as usize]);
        let _ = write!(dot, "  n{} [label=", id.0);
        push_quoted(&mut dot, &node.label.to_string());
        let _ = write!(dot, ", fillcolor=\"{fill}\", color=\"{stroke}\"");
        if node.inferred {
            dot.push_str(", style=\"filled,rounded,dashed\"");
        }
        if case.map.primary == Some(id) {
            dot.push_str(", penwidth=3");
        }
        dot.push_str(", tooltip=");
        push_quoted(&mut dot, &node_tooltip(case, concepts, node));
        dot.push_str("];\n");
    }
    for edge in &case.map.edges {
        let _ = write!(
            dot,
            "  n{} -> n{} [style={}, tooltip=",
            edge.source.0,
            edge.target.0,
            style(edge.kind)
        );
        push_quoted(
            &mut dot,
            &edge_tooltip(case, edge.source, edge.target, edge.kind, &edge.why),
        );
        dot.push_str("];\n");
    }
    dot.push_str("}\n");
    dot
}

const fn colors(look: Look) -> (&'static str, &'static str) {
    match look {
        Look::Disease => ("#fdeceb", "#b42318"),
        Look::Finding => ("#fff4df", "#b06000"),
        Look::Result => ("#e8f1fd", "#1d5fbf"),
        Look::Exam => ("#e4f5f2", "#0f766e"),
        Look::History => ("#f1ebfb", "#6d3fc0"),
    }
}

const fn style(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Causes => "bold",
        RelationKind::ManifestsAs | RelationKind::Complicates => "solid",
        RelationKind::EvidencedBy => "dotted",
        RelationKind::Predisposes | RelationKind::TreatedBy => "dashed",
    }
}

/// Appends a quoted string. Graphviz reads `\` escapes in labels and entities (`&amp;`) as well:
/// both are written so that they are shown as they stand.
fn push_quoted(dot: &mut String, text: &str) {
    dot.push('"');
    for c in text.chars() {
        match c {
            '"' => dot.push_str("\\\""),
            '\\' => dot.push_str("\\\\"),
            '&' => dot.push_str("&amp;"),
            '\n' => dot.push_str("\\n"),
            c if c.is_control() => dot.push(' '),
            c => dot.push(c),
        }
    }
    dot.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::sample;
    use crate::types::CaseMap;

    #[test]
    fn a_small_map() {
        let mut case = sample::empty();
        case.id = "症例\"1".into();
        case.map = CaseMap::parse("-肺炎\n  -CRP/上昇\n").expect("a tree");
        case.map.primary = Some(crate::types::NodeId(0));
        let expected = "digraph \"症例\\\"1\" {\n  rankdir=LR;\n  \
            node [shape=box, style=\"filled,rounded\", fontname=\"Noto Sans CJK JP\"];\n  edge [color=\"#6b7280\"];\n  \
            n0 [label=\"肺炎\", fillcolor=\"#fdeceb\", color=\"#b42318\", penwidth=3, tooltip=\"肺炎\\n主病名\"];\n  \
            n1 [label=\"CRP/上昇\", fillcolor=\"#e8f1fd\", color=\"#1d5fbf\", tooltip=\"CRP/上昇\"];\n  \
            n0 -> n1 [style=bold, tooltip=\"肺炎 → CRP/上昇\\n原因\"];\n}\n";
        assert_eq!(to_dot(&case, &Vec::new()), expected);
    }

    #[test]
    fn every_node_and_edge_of_the_sample() {
        let dot = to_dot(&sample::case(), &sample::concepts());
        assert_eq!(dot.matches("label=").count(), 11);
        assert_eq!(dot.matches(" -> n").count(), 10);
        assert!(dot.contains("rounded,dashed"));
        assert!(dot.contains("本文の手がかり「による」"));
    }

    #[test]
    fn strings_cannot_break_out() {
        let mut dot = String::new();
        push_quoted(&mut dot, "a\"];\\N\u{0}&lt;");
        assert_eq!(dot, "\"a\\\"];\\\\N &amp;lt;\"");
    }
}
