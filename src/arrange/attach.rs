//! Candidates and relations → the forest.

use std::collections::HashMap;

use petgraph::graph::{DiGraph, NodeIndex};

use super::arborescence::maximum_arborescence;
use crate::types::{Candidate, CaseMap, Edge, Node, NodeId, Relation, RelationKind, Role, Why};

/// A past condition or an exposure stays when it causes something by at least this score.
const NEEDED_CAUSE: f64 = 1.35;
/// Score of a finding's hanging under the primary disease for want of anything better.
const UNDER_PRIMARY: f64 = 0.5;
/// Score of a complication's hanging under the primary disease.
const COMPLICATION: f64 = 0.95;
/// Score of being a root, for a disease, a symptom and anything else.
const ROOT_DISEASE: f64 = 0.55;
/// What a relation from the primary disease has before others.
const OF_PRIMARY: f64 = 0.2;
/// What a relation loses to one in smaller steps.
const DETOUR: f64 = 0.8;
/// Score of the primary disease's being a root.
const ROOT_PRIMARY: f64 = 0.75;
const ROOT_SYMPTOM: f64 = 0.2;
const ROOT_OTHER: f64 = 0.1;
/// What each finding that knowledge hangs under a disease adds to its primacy.
const EXPLAINED: f64 = 0.25;

/// Chooses the primary disease and attaches every candidate to its strongest cause. Relations
/// refer to candidates by index; the map's node ids are new. O(V·E).
pub fn attach(candidates: &[Candidate], relations: &[Relation]) -> CaseMap {
    let mut kept = kept(candidates, relations);
    let primary = primary(candidates, relations, &kept);
    loop {
        let parents = forest(candidates, relations, &kept, primary);
        // What stayed as a cause but lost its effects to stronger causes is beside the point.
        let mut has_effect = vec![false; candidates.len()];
        for (index, parent) in parents.iter().enumerate() {
            if let Some(parent) = *parent
                && !matches!(candidates[index].role, Role::Result | Role::ExamFinding)
            {
                has_effect[parent] = true;
            }
        }
        let idle = |index: usize| {
            kept[index] && candidates[index].needs_effect && !has_effect[index] && Some(index) != primary
        };
        let dropped: Vec<usize> = (0..candidates.len()).filter(|&index| idle(index)).collect();
        if dropped.is_empty() {
            return build(candidates, relations, &kept, primary, &parents);
        }
        dropped.into_iter().for_each(|index| kept[index] = false);
    }
}

/// Drops what only counts as a cause and causes nothing that stays.
fn kept(candidates: &[Candidate], relations: &[Relation]) -> Vec<bool> {
    let mut kept: Vec<bool> = candidates.iter().map(|candidate| !candidate.needs_effect).collect();
    loop {
        let before = kept.clone();
        for relation in relations {
            let (source, target) = (relation.source.0 as usize, relation.target.0 as usize);
            let target_is_condition = matches!(candidates[target].role, Role::Disease | Role::Pathology)
                || candidates[source].role == Role::Exposure
                    && relation.why.iter().any(|why| matches!(why, Why::Cue { .. }));
            if before[target] && relation.score >= NEEDED_CAUSE && target_is_condition {
                kept[source] = true;
            }
        }
        if kept == before {
            return kept;
        }
    }
}

/// The disease that the report is about: what it says of itself, and what explains the most.
fn primary(candidates: &[Candidate], relations: &[Relation], kept: &[bool]) -> Option<usize> {
    let mut scores: Vec<f64> = candidates.iter().map(|candidate| candidate.primacy).collect();
    for relation in relations {
        let known = relation.why.iter().any(|why| matches!(why, Why::Knowledge { .. }));
        if known && kept[relation.target.0 as usize] {
            scores[relation.source.0 as usize] += EXPLAINED;
        }
    }
    (0..candidates.len())
        .filter(|&index| {
            kept[index] && matches!(candidates[index].role, Role::Disease | Role::Pathology | Role::Symptom)
        })
        .max_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(b.cmp(&a)))
}

/// Pairs A → f that another A → B → f explains in smaller steps, with what that takes from their
/// score: a finding belongs under the most specific cause.
fn detours(candidates: &[Candidate], relations: &[Relation], kept: &[bool]) -> HashMap<(usize, usize), f64> {
    let score: HashMap<(usize, usize), f64> = relations
        .iter()
        .map(|relation| ((relation.source.0 as usize, relation.target.0 as usize), relation.score))
        .filter(|((source, target), _)| kept[*source] && kept[*target])
        .collect();
    let mut detours = HashMap::new();
    for (&(cause, effect), &direct) in &score {
        if !matches!(
            candidates[effect].role,
            Role::Result | Role::ExamFinding | Role::Symptom
        ) {
            continue;
        }
        let specific = (0..candidates.len()).any(|middle| {
            let step = score.get(&(cause, middle)).is_some_and(|step| *step >= 1.0);
            let back = score.get(&(middle, cause)).is_some_and(|back| *back >= 1.0);
            step && !back
                && matches!(candidates[middle].role, Role::Disease | Role::Pathology)
                && score.get(&(middle, effect)).is_some_and(|last| *last >= direct * 0.6)
        });
        if specific {
            detours.insert((cause, effect), DETOUR);
        }
    }
    detours
}

/// The parent of each candidate, by index; `None` for roots and for what is not kept.
fn forest(
    candidates: &[Candidate],
    relations: &[Relation],
    kept: &[bool],
    primary: Option<usize>,
) -> Vec<Option<usize>> {
    let between = detours(candidates, relations, kept);
    let mut graph: DiGraph<(), f64> = DiGraph::with_capacity(candidates.len() + 1, relations.len());
    let root = graph.add_node(());
    let nodes: Vec<NodeIndex> = candidates.iter().map(|_| graph.add_node(())).collect();
    for relation in relations {
        let (source, target) = (relation.source.0 as usize, relation.target.0 as usize);
        if kept[source] && kept[target] {
            let bonus = if Some(source) == primary { OF_PRIMARY } else { 0.0 };
            graph.add_edge(
                nodes[source],
                nodes[target],
                relation.score + bonus - between.get(&(source, target)).copied().unwrap_or(0.0),
            );
        }
    }
    for (index, candidate) in candidates.iter().enumerate().filter(|&(index, _)| kept[index]) {
        let as_root = match candidate.role {
            _ if Some(index) == primary => ROOT_PRIMARY,
            Role::Disease | Role::Exposure => ROOT_DISEASE,
            Role::Symptom | Role::Pathology => ROOT_SYMPTOM,
            _ => ROOT_OTHER,
        };
        graph.add_edge(root, nodes[index], as_root);
        if let Some(primary) = primary
            && index != primary
            && candidate.role != Role::Exposure
        {
            let score = if candidate.is_complication {
                COMPLICATION
            } else {
                UNDER_PRIMARY
            };
            graph.add_edge(nodes[primary], nodes[index], score);
        }
    }
    let parents = maximum_arborescence(&graph, root);
    // Graph node 0 is the virtual root; node i + 1 is candidate i.
    nodes
        .iter()
        .map(|node| parents[node.index()].and_then(|parent| parent.index().checked_sub(1)))
        .collect()
}

/// Numbers the kept nodes in reading order and gives every edge its evidence.
fn build(
    candidates: &[Candidate],
    relations: &[Relation],
    kept: &[bool],
    primary: Option<usize>,
    parents: &[Option<usize>],
) -> CaseMap {
    let mut map = CaseMap::default();
    let mut id_of = vec![None; candidates.len()];
    for (index, candidate) in candidates.iter().enumerate().filter(|&(index, _)| kept[index]) {
        let id = NodeId(map.nodes.len() as u32);
        id_of[index] = Some(id);
        map.nodes.push(Node {
            id,
            label: candidate.label.clone(),
            concept: candidate.concept,
            mentions: candidate.mentions.clone(),
            inferred: candidate.inferred,
        });
    }
    for index in 0..candidates.len() {
        let Some(target) = id_of[index] else { continue };
        let Some(cause) = parents[index] else { continue };
        let Some(source) = id_of[cause] else { continue };
        let best = relations
            .iter()
            .filter(|relation| relation.source.0 as usize == cause && relation.target.0 as usize == index)
            .max_by(|a, b| a.score.total_cmp(&b.score));
        map.edges.push(match best {
            Some(relation) => Edge {
                source,
                target,
                kind: relation.kind,
                score: relation.score,
                why: relation.why.clone(),
            },
            None => Edge {
                source,
                target,
                kind: match candidates[index].role {
                    Role::Result | Role::ExamFinding => RelationKind::EvidencedBy,
                    Role::Symptom => RelationKind::ManifestsAs,
                    _ => RelationKind::Complicates,
                },
                score: UNDER_PRIMARY,
                why: vec![Why::Primary],
            },
        });
    }
    map.primary = primary.and_then(|index| id_of[index]);
    map
}
