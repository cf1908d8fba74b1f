//! The maximum spanning arborescence (Chu-Liu/Edmonds).

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// The parent of each node, so that the sum of the chosen edges' weights is largest and every
/// node is reached from `root`. Nodes that no path from the root reaches get `None`. O(V·E).
///
/// Ties go to the edge that was added first.
pub(super) fn maximum_arborescence(graph: &DiGraph<(), f64>, root: NodeIndex) -> Vec<Option<NodeIndex>> {
    let edges: Vec<Arc> = graph
        .edge_references()
        .enumerate()
        .filter(|(_, edge)| edge.target() != root && edge.source() != edge.target())
        .map(|(id, edge)| Arc {
            from: edge.source().index(),
            to: edge.target().index(),
            weight: *edge.weight(),
            id,
        })
        .collect();
    let ends: Vec<(NodeIndex, NodeIndex)> = graph
        .edge_references()
        .map(|edge| (edge.source(), edge.target()))
        .collect();
    let mut parents = vec![None; graph.node_count()];
    for id in solve(graph.node_count(), root.index(), &edges) {
        let (from, to) = ends[id];
        parents[to.index()] = Some(from);
    }
    debug_assert!(
        graph.neighbors_directed(root, Direction::Incoming).next().is_none() || parents[root.index()].is_none()
    );
    parents
}

#[derive(Clone, Copy)]
struct Arc {
    from: usize,
    to: usize,
    weight: f64,
    /// Number of the edge in the graph that was asked about.
    id: usize,
}

/// The chosen edges' ids.
fn solve(nodes: usize, root: usize, arcs: &[Arc]) -> Vec<usize> {
    // The best incoming arc of each node, by its position in `arcs`.
    let mut best: Vec<Option<usize>> = vec![None; nodes];
    for (position, arc) in arcs.iter().enumerate() {
        if arc.to != root && best[arc.to].is_none_or(|old| arcs[old].weight < arc.weight) {
            best[arc.to] = Some(position);
        }
    }
    let Some(cycle) = find_cycle(nodes, root, arcs, &best) else {
        return best.into_iter().flatten().map(|position| arcs[position].id).collect();
    };
    // Contract the cycle into a new node, `nodes - cycle.len()` being its number.
    let in_cycle = {
        let mut marks = vec![false; nodes];
        cycle.iter().for_each(|&node| marks[node] = true);
        marks
    };
    let mut renumber = vec![0; nodes];
    let mut next = 0;
    for node in 0..nodes {
        if !in_cycle[node] {
            renumber[node] = next;
            next += 1;
        }
    }
    cycle.iter().for_each(|&node| renumber[node] = next);
    let mut contracted = Vec::new();
    let mut origin = Vec::new();
    for (position, arc) in arcs.iter().enumerate() {
        let (from, to) = (renumber[arc.from], renumber[arc.to]);
        if from == to {
            continue;
        }
        let gain = if in_cycle[arc.to] {
            arc.weight - best[arc.to].map_or(0.0, |position| arcs[position].weight)
        } else {
            arc.weight
        };
        contracted.push(Arc {
            from,
            to,
            weight: gain,
            id: contracted.len(),
        });
        origin.push(position);
    }
    let mut chosen = Vec::new();
    let mut entered = None;
    for id in solve(next + 1, renumber[root], &contracted) {
        let arc = arcs[origin[id]];
        if in_cycle[arc.to] {
            entered = Some(arc.to);
        }
        chosen.push(arc.id);
    }
    for &node in &cycle {
        if Some(node) != entered
            && let Some(position) = best[node]
        {
            chosen.push(arcs[position].id);
        }
    }
    chosen
}

fn find_cycle(nodes: usize, root: usize, arcs: &[Arc], best: &[Option<usize>]) -> Option<Vec<usize>> {
    let mut state = vec![0usize; nodes];
    for start in 0..nodes {
        let mut node = start;
        let mark = start + 1;
        while node != root && state[node] == 0 {
            state[node] = mark;
            match best[node] {
                Some(position) => node = arcs[position].from,
                None => break,
            }
        }
        if node != root && state[node] == mark && best[node].is_some() {
            let mut cycle = vec![node];
            let mut at = arcs[best[node]?].from;
            while at != node {
                cycle.push(at);
                at = arcs[best[at]?].from;
            }
            return Some(cycle);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cycle_is_broken_where_it_costs_least() {
        let mut graph = DiGraph::new();
        let nodes: Vec<_> = (0..4).map(|_| graph.add_node(())).collect();
        for (from, to, weight) in [(0, 1, 1.0), (0, 2, 1.0), (1, 2, 10.0), (2, 1, 9.0), (2, 3, 8.0)] {
            graph.add_edge(nodes[from], nodes[to], weight);
        }
        let parents = maximum_arborescence(&graph, nodes[0]);
        assert_eq!(parents, [None, Some(nodes[0]), Some(nodes[1]), Some(nodes[2])]);
    }

    /// The best total by trying every choice of parents.
    fn brute_force(nodes: usize, weights: &[f64]) -> f64 {
        let mut best = f64::NEG_INFINITY;
        let mut parents = vec![0; nodes];
        loop {
            let acyclic = (1..nodes).all(|node| {
                let mut at = node;
                (0..nodes).any(|_| {
                    at = parents[at];
                    at == 0
                })
            });
            if acyclic && (1..nodes).all(|node| parents[node] != node) {
                best = best.max((1..nodes).map(|node| weights[parents[node] * nodes + node]).sum());
            }
            let Some(digit) = (1..nodes).find(|&node| parents[node] + 1 < nodes) else {
                return best;
            };
            parents[digit] += 1;
            parents[1..digit].fill(0);
        }
    }

    proptest! {
        #[test]
        fn the_sum_is_the_largest(weights in prop::collection::vec(0u8..20, 25)) {
            let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
            let mut graph = DiGraph::new();
            let nodes: Vec<_> = (0..5).map(|_| graph.add_node(())).collect();
            for from in 0..5 {
                for to in 1..5 {
                    if from != to {
                        graph.add_edge(nodes[from], nodes[to], weights[from * 5 + to]);
                    }
                }
            }
            let parents = maximum_arborescence(&graph, nodes[0]);
            let total: f64 = (1..5).map(|node| weights[parents[node].expect("reached").index() * 5 + node]).sum();
            prop_assert_eq!(total, brute_force(5, &weights));
        }
    }
}
