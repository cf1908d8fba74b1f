//! The causal forest of a case.

use super::{ConceptId, Label, MentionId, RelationKind, Why};
use std::fmt::Write as _;

/// Number of a node within its map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A node of a case map.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its number: its index in [`CaseMap::nodes`].
    pub id: NodeId,
    /// Its label.
    pub label: Label,
    /// The dictionary entry, where it has one.
    pub concept: Option<ConceptId>,
    /// The mentions that it folds together, in reading order; none for an inferred node.
    pub mentions: Vec<MentionId>,
    /// True when no span of the report names it: knowledge made it plain.
    pub inferred: bool,
}

/// A cause → effect edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// The cause (the parent).
    pub source: NodeId,
    /// The effect (the child).
    pub target: NodeId,
    /// What kind of relation.
    pub kind: RelationKind,
    /// Its score.
    pub score: f64,
    /// Why it is believed.
    pub why: Vec<Why>,
}

/// The causal forest of one report: no node has two parents, no cycles.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CaseMap {
    /// The nodes; a node's id is its index.
    pub nodes: Vec<Node>,
    /// The edges, parents before children as the tree is printed.
    pub edges: Vec<Edge>,
    /// The node of the primary disease.
    pub primary: Option<NodeId>,
}

/// What is wrong with a tree's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeParseError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl std::fmt::Display for TreeParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for TreeParseError {}

impl CaseMap {
    /// A node by its id.
    ///
    /// # Panics
    /// When the id is of another map.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The parent of each node, by index. O(nodes + edges).
    pub fn parents(&self) -> Vec<Option<NodeId>> {
        let mut parents = vec![None; self.nodes.len()];
        for edge in &self.edges {
            parents[edge.target.0 as usize] = Some(edge.source);
        }
        parents
    }

    /// The nodes in the order in which the tree prints them, with their depth. O(nodes + edges).
    pub fn preorder(&self) -> Vec<(NodeId, usize)> {
        let mut children = vec![Vec::new(); self.nodes.len()];
        let mut is_root = vec![true; self.nodes.len()];
        for edge in &self.edges {
            children[edge.source.0 as usize].push(edge.target);
            is_root[edge.target.0 as usize] = false;
        }
        let mut stack: Vec<(NodeId, usize)> = self
            .nodes
            .iter()
            .rev()
            .filter(|node| is_root[node.id.0 as usize])
            .map(|node| (node.id, 0))
            .collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some((id, depth)) = stack.pop() {
            order.push((id, depth));
            stack.extend(children[id.0 as usize].iter().rev().map(|&child| (child, depth + 1)));
        }
        order
    }

    /// The tree in the notation of the guideline, one node a line.
    ///
    /// ```
    /// use shorei::types::CaseMap;
    /// let map = CaseMap::parse("-肺癌\n  -SIADH\n    -Na/低下\n").unwrap();
    /// assert_eq!(map.to_tree(), "-肺癌\n  -SIADH\n    -Na/低下\n");
    /// ```
    pub fn to_tree(&self) -> String {
        let mut text = String::new();
        for (id, depth) in self.preorder() {
            let _ = writeln!(text, "{:indent$}-{}", "", self.node(id).label, indent = depth * 2);
        }
        text
    }

    /// Reads a tree in the notation of the guideline.
    ///
    /// # Errors
    /// A line that does not start with `-`, an indent that is odd or that rises by more than one
    /// level, an empty label.
    pub fn parse(text: &str) -> Result<Self, TreeParseError> {
        let mut map = CaseMap::default();
        let mut path: Vec<NodeId> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let fail = |message: String| TreeParseError {
                line: index + 1,
                message,
            };
            if line.trim().is_empty() {
                continue;
            }
            let body = line.trim_start_matches(' ');
            let indent = line.len() - body.len();
            let Some(label) = body.strip_prefix('-').map(str::trim) else {
                return Err(fail(format!("expected `-label` after the indent, found `{body}`")));
            };
            if label.is_empty() {
                return Err(fail("the label is empty; write one after `-`".into()));
            }
            if indent % 2 != 0 || indent / 2 > path.len() {
                return Err(fail(format!(
                    "indent of {indent} spaces under a line of level {}; use two spaces a level",
                    path.len().saturating_sub(1)
                )));
            }
            path.truncate(indent / 2);
            let id = NodeId(map.nodes.len() as u32);
            let Ok(label) = label.parse();
            map.nodes.push(Node {
                id,
                label,
                concept: None,
                mentions: Vec::new(),
                inferred: false,
            });
            if let Some(&source) = path.last() {
                map.edges.push(Edge {
                    source,
                    target: id,
                    kind: RelationKind::Causes,
                    score: 0.0,
                    why: Vec::new(),
                });
            }
            path.push(id);
        }
        Ok(map)
    }
}
