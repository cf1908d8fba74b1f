//! The causal tree for terminals.

use crate::types::{Case, Label};

const RESET: &str = "\u{1b}[0m";

/// The causal tree in the notation of the guideline, one node a line.
///
/// With `color`, the primary disease is bold red, inferred nodes (which no span of the report
/// names) are dim italics and exposures (`H:`) magenta, by ANSI escapes, and control characters
/// within labels are left out; without, it is [`crate::types::CaseMap::to_tree`]. Either way the
/// text, escapes aside, parses back. O(nodes).
pub fn to_tree_annotated(case: &Case, color: bool) -> String {
    if !color {
        return case.map.to_tree();
    }
    let mut text = String::new();
    for (id, depth) in case.map.preorder() {
        let node = case.map.node(id);
        let mut codes: Vec<&str> = Vec::new();
        if case.map.primary == Some(id) {
            codes.extend(["1", "31"]);
        } else if matches!(node.label, Label::History(_)) {
            codes.push("35");
        }
        if node.inferred {
            codes.extend(["2", "3"]);
        }
        text.extend(std::iter::repeat_n(' ', depth * 2));
        text.push('-');
        if !codes.is_empty() {
            text.push_str("\u{1b}[");
            text.push_str(&codes.join(";"));
            text.push('m');
        }
        // A report must not be able to send its own escapes to the terminal.
        text.extend(node.label.to_string().chars().filter(|c| !c.is_control()));
        if !codes.is_empty() {
            text.push_str(RESET);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::sample;
    use crate::types::CaseMap;

    #[test]
    fn plain_is_the_notation() {
        let case = sample::case();
        assert_eq!(to_tree_annotated(&case, false), case.map.to_tree());
        assert_eq!(to_tree_annotated(&sample::empty(), true), "");
    }

    #[test]
    fn colours_mark_primary_inferred_and_exposure() {
        let case = sample::case();
        let text = to_tree_annotated(&case, true);
        assert!(
            text.contains("    -\u{1b}[1;31mドキソルビシン心筋症\u{1b}[0m\n"),
            "{text}"
        );
        assert!(text.contains("  -\u{1b}[35mH:ドキソルビシン使用\u{1b}[0m\n"));
        assert!(text.contains("-\u{1b}[2;3m心筋障害\u{1b}[0m\n"));
        assert!(text.contains("        -BNP/上昇\n"));
    }

    #[test]
    fn labels_send_no_escapes() {
        let mut case = sample::empty();
        case.map = CaseMap::parse("-発熱\u{1b}[2J").expect("a tree");
        assert_eq!(to_tree_annotated(&case, true), "-発熱[2J\n");
    }
}
