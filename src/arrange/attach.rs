//! Candidates and relations → the forest.
//!
//! Three classifiers decide: which candidates are nodes, which of them is the primary disease, and
//! which cause each node has. They are trained on annotated case maps (training/README.md); what
//! they see is in features.rs.

use std::path::Path;

use petgraph::graph::{DiGraph, NodeIndex};

use super::arborescence::maximum_arborescence;
use super::boosted::Boosted;
use super::features::{Features, Row, Source, Standing, leaf};
use crate::error::Error;
use crate::lexicon::Lexicon;
use crate::types::{Candidate, CaseMap, Edge, Node, NodeId, Relation, RelationKind, Role, Why};

/// A candidate is a node from this probability on: about where the node F1 is largest.
const KEEP: f64 = 0.3;
/// A cause that is only there for its effects stays in question from this probability on.
const KEEP_CAUSE: f64 = 0.03;

/// What words that say a relation outright (「AによるB」) add to its probability, times their weight:
/// the classifier has seen too few of them to trust them as a reader does.
const SAID: f64 = 0.3;

/// What a state has before other causes of the very result that defines it (低ナトリウム血症 of Na/低下),
/// and a condition of the exam's finding that names it.
const SAME: f64 = 0.25;
/// What a latent pathology has before other causes of what it is known to cause: it was put there
/// to gather them.
const LATENT: f64 = 1.0;

/// What a disease of the past or an exposure has before other causes of the primary disease where the knowledge
/// has it as one: such a history is told for it, and gold has too few for a classifier.
const PREPARES: f64 = 0.75;
/// A candidate that is less likely the primary disease neither lends nor borrows likelihood.
const LEAST_SHARE: f64 = 0.02;

/// How much a difference of two causes' scores counts: what ranks best is a little too cautious
/// as a share.
const CONTRAST: f64 = 1.4;
/// A cause that is so far behind the best one of an effect after the first trees keeps its score:
/// most do.
const FIRST_TREES: usize = 30;
const HOPELESS: f64 = 2.5;

/// So many pairs are judged at once.
const ROWS_AT_ONCE: usize = 4096;

const KEEP_FILE: &str = "keep.txt";
const PRIMARY_FILE: &str = "primary.txt";
const CAUSE_FILE: &str = "cause.txt";

/// The classifiers, loaded once; shared by threads.
pub struct Arranger {
    keep: Boosted,
    primary: Boosted,
    cause: Boosted,
}

impl Arranger {
    /// Loads the embedded classifiers: those that see a transformer's reading besides, or those
    /// that do without. A few milliseconds.
    ///
    /// # Errors
    /// [`Error::Model`] when the embedded files are at fault, which the project's tests exclude.
    pub fn load_default(lexicon: &Lexicon, read: bool) -> Result<Self, Error> {
        Self::read(lexicon, read, |name| {
            Ok(match (name, read) {
                (KEEP_FILE, false) => include_str!("../../models/arranger/keep.txt"),
                (PRIMARY_FILE, false) => include_str!("../../models/arranger/primary.txt"),
                (_, false) => include_str!("../../models/arranger/cause.txt"),
                (KEEP_FILE, true) => include_str!("../../models/default/arranger/keep.txt"),
                (PRIMARY_FILE, true) => include_str!("../../models/default/arranger/primary.txt"),
                (_, true) => include_str!("../../models/default/arranger/cause.txt"),
            }
            .to_owned())
        })
    }

    /// Loads the classifiers of a folder: `keep.txt`, `primary.txt`, `cause.txt`.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read; [`Error::Model`] for a broken one, or one
    /// that was trained for another version of this program.
    pub fn load(folder: &Path, lexicon: &Lexicon, read: bool) -> Result<Self, Error> {
        Self::read(lexicon, read, |name| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).map_err(|error| Error::Io {
                path,
                reason: format!("{error}; the folder must hold {KEEP_FILE}, {PRIMARY_FILE} and {CAUSE_FILE}"),
            })
        })
    }

    fn read(lexicon: &Lexicon, read: bool, text: impl Fn(&str) -> Result<String, Error>) -> Result<Self, Error> {
        let candidate = Features::candidate_names(lexicon, read);
        let pair = Features::pair_names(lexicon);
        let model = |name: &str, features: &[String]| Boosted::read(name, &text(name)?, features);
        Ok(Arranger {
            keep: model(KEEP_FILE, &candidate)?,
            primary: model(PRIMARY_FILE, &candidate)?,
            cause: model(CAUSE_FILE, &pair)?,
        })
    }

    /// Chooses nodes and the primary disease, and attaches every node to its likeliest cause.
    /// Relations refer to candidates by index; the map's node ids are new: the second of what is
    /// returned holds that of each candidate that became a node. O(candidates³).
    pub fn arrange(&self, source: Source<'_>) -> (CaseMap, Vec<Option<NodeId>>) {
        let Source { candidates, .. } = source;
        let features = Features::new(source);
        let standing = self.standing(&features, candidates);
        let mut kept: Vec<bool> = candidates
            .iter()
            .zip(&standing)
            .map(|(candidate, standing)| {
                let threshold = if needs_effect(candidate) { KEEP_CAUSE } else { KEEP };
                // What findings made plain stays if it gathers them: gold has too few for a classifier.
                standing.is_primary || candidate.inferred || standing.keep >= threshold
            })
            .collect();
        let primary = standing.iter().position(|standing| standing.is_primary);
        if let Some(primary) = primary {
            // What is known to lead to the primary disease stays in question, however unlikely.
            for (index, kept) in kept.iter_mut().enumerate() {
                *kept |= index != primary && candidates[index].needs_effect && features.knows(index, primary);
            }
        }
        let shares = self.shares(&features, candidates, &kept, &standing);
        loop {
            let parents = forest(&shares, &kept);
            // A past condition or an exposure that causes nothing is beside the point.
            let mut has_effect = vec![false; candidates.len()];
            for (effect, parent) in parents.iter().enumerate() {
                if let Some((cause, _)) = *parent {
                    has_effect[cause] |= matters(&candidates[cause], &candidates[effect]);
                }
            }
            let idle: Vec<usize> = (0..candidates.len())
                .filter(|&index| kept[index] && needs_effect(&candidates[index]) && !has_effect[index])
                .filter(|&index| Some(index) != primary)
                .collect();
            if idle.is_empty() {
                return build(candidates, source.relations, &kept, primary, &parents);
            }
            idle.into_iter().for_each(|index| kept[index] = false);
        }
    }

    /// How likely each candidate is a node and the primary disease. The primary disease is a node
    /// itself, so one of the past is a last resort.
    fn standing(&self, features: &Features<'_>, candidates: &[Candidate]) -> Vec<Standing> {
        let rows: Vec<_> = (0..candidates.len()).map(|index| features.candidate(index)).collect();
        let width = rows.first().map_or(0, |row| row.values.len());
        let values = rows.iter().flat_map(|row| &row.values).copied().collect::<Vec<f32>>();
        let keep = self.keep.probabilities(&values, width);
        let can_be = |index: usize| {
            let candidate = &candidates[index];
            !candidate.inferred && matches!(candidate.role, Role::Disease | Role::Pathology | Role::Symptom)
        };
        let asked: Vec<usize> = (0..candidates.len()).filter(|&index| can_be(index)).collect();
        let asked_rows: Vec<f32> = asked.iter().flat_map(|&index| &rows[index].values).copied().collect();
        let mut scores = vec![0.0; candidates.len()];
        for (&index, score) in asked.iter().zip(self.primary.scores(&asked_rows, width)) {
            scores[index] = score;
        }
        let is_node = |index: usize| keep[index] >= KEEP && !candidates[index].needs_effect;
        let total: f64 = (0..candidates.len())
            .filter(|&index| can_be(index))
            .map(|index| scores[index].exp())
            .sum();
        let share = |index: usize| {
            if can_be(index) {
                scores[index].exp() / total
            } else {
                0.0
            }
        };
        let shares: Vec<f64> = (0..candidates.len()).map(share).collect();
        // What several names of one disease share is one disease's.
        let together = |index: usize| {
            let lenders = (0..candidates.len())
                .filter(|&other| other != index && shares[other] >= LEAST_SHARE && features.lends(other, index));
            shares[index] + lenders.map(|other| shares[other]).sum::<f64>()
        };
        let mass: Vec<f64> = (0..candidates.len())
            .map(|index| {
                if shares[index] >= LEAST_SHARE {
                    together(index)
                } else {
                    shares[index]
                }
            })
            .collect();
        let best = (0..candidates.len()).filter(|&index| can_be(index)).max_by(|&a, &b| {
            let by_mass = mass[a].total_cmp(&mass[b]);
            let by_score = || by_mass.then(scores[a].total_cmp(&scores[b])).then(b.cmp(&a));
            is_node(a).cmp(&is_node(b)).then_with(by_score)
        });
        (0..candidates.len())
            .map(|index| Standing {
                keep: keep[index],
                primary: shares[index],
                is_primary: Some(index) == best,
            })
            .collect()
    }

    /// How likely each pair of kept candidates is cause and effect. O(kept²) rows.
    fn shares(
        &self,
        features: &Features<'_>,
        candidates: &[Candidate],
        kept: &[bool],
        standing: &[Standing],
    ) -> Shares {
        let n = candidates.len();
        let mut shares = Shares {
            root: vec![0.0; n],
            under: vec![0.0; n * n],
        };
        let causes: Vec<usize> = (0..n)
            .filter(|&cause| kept[cause] && !leaf(candidates[cause].role))
            .collect();
        let prepares = |cause: usize, effect: usize| {
            standing[effect].is_primary
                && candidates[cause].needs_effect
                && matches!(candidates[cause].role, Role::Disease | Role::Exposure)
                && features.knows(cause, effect)
        };
        let judged = features.judged(standing);
        let others = |effect: usize| causes.iter().copied().filter(move |&cause| cause != effect);
        let effects: Vec<usize> = (0..n).filter(|&effect| kept[effect]).collect();
        // Many effects at once, so that trees are walked by many rows; a bounded number, for memory.
        let mut rows = Row::default();
        for batch in effects.chunks((ROWS_AT_ONCE / (causes.len() + 1)).max(1)) {
            rows.values.clear();
            let mut lengths = Vec::with_capacity(batch.len());
            let mut count = 0;
            for &effect in batch {
                features.put_pair(None, effect, &judged, &mut rows);
                let mut length = 1;
                for cause in others(effect) {
                    features.put_pair(Some(cause), effect, &judged, &mut rows);
                    length += 1;
                }
                lengths.push(length);
                count += length;
            }
            let width = rows.values.len() / count;
            let mut competing = self
                .cause
                .shares(&rows.values, width, &lengths, CONTRAST, FIRST_TREES, HOPELESS)
                .into_iter();
            for &effect in batch {
                shares.root[effect] = competing.next().unwrap_or_default();
                for (cause, share) in others(effect).zip(competing.by_ref()) {
                    let latent = candidates[cause].inferred && features.knows(cause, effect);
                    shares.under[cause * n + effect] = share
                        + SAID * features.said(cause, effect)
                        + if features.is_same(cause, effect) { SAME } else { 0.0 }
                        + if latent { LATENT } else { 0.0 }
                        + if prepares(cause, effect) { PREPARES } else { 0.0 };
                }
            }
        }
        shares
    }
}

/// How likely each candidate is a root, and each cause (row) the cause of each effect (column);
/// not normalised.
struct Shares {
    root: Vec<f64>,
    under: Vec<f64>,
}

/// The parent of each candidate with the probability of that, by index; `None` for roots and for
/// what is not kept.
fn forest(shares: &Shares, kept: &[bool]) -> Vec<Option<(usize, f64)>> {
    let n = kept.len();
    let mut graph: DiGraph<(), f64> = DiGraph::with_capacity(n + 1, n * 8);
    let root = graph.add_node(());
    let nodes: Vec<NodeIndex> = kept.iter().map(|_| graph.add_node(())).collect();
    let total: Vec<f64> = (0..n)
        .map(|effect| {
            let under = (0..n)
                .filter(|&cause| kept[cause])
                .map(|cause| shares.under[cause * n + effect]);
            (shares.root[effect] + under.sum::<f64>()).max(f64::MIN_POSITIVE)
        })
        .collect();
    for effect in 0..n {
        graph.add_edge(root, nodes[effect], shares.root[effect] / total[effect]);
        for cause in (0..n).filter(|&cause| kept[effect] && kept[cause]) {
            let share = shares.under[cause * n + effect];
            if share > 0.0 {
                graph.add_edge(nodes[cause], nodes[effect], share / total[effect]);
            }
        }
    }
    let parents = maximum_arborescence(&graph, root);
    // Graph node 0 is the virtual root; node i + 1 is candidate i.
    nodes
        .iter()
        .enumerate()
        .map(|(effect, node)| {
            let cause = parents[node.index()]?.index().checked_sub(1)?;
            Some((cause, shares.under[cause * n + effect] / total[effect]))
        })
        .collect()
}

/// True for what is only there for what it causes: exposures, past conditions, latent pathologies.
fn needs_effect(candidate: &Candidate) -> bool {
    candidate.role == Role::Exposure || candidate.needs_effect || candidate.inferred
}

/// True when an effect is reason enough for what is only there for its effects: a past disease is
/// for what it prepared, not for a symptom that it might explain.
fn matters(cause: &Candidate, effect: &Candidate) -> bool {
    !cause.needs_effect || cause.role == Role::Exposure || matches!(effect.role, Role::Disease | Role::Pathology)
}

/// Numbers the kept nodes in reading order and gives every edge its evidence.
fn build(
    candidates: &[Candidate],
    relations: &[Relation],
    kept: &[bool],
    primary: Option<usize>,
    parents: &[Option<(usize, f64)>],
) -> (CaseMap, Vec<Option<NodeId>>) {
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
        let Some((cause, score)) = parents[index] else { continue };
        let Some(source) = id_of[cause] else { continue };
        let best = relations
            .iter()
            .filter(|relation| relation.source.0 as usize == cause && relation.target.0 as usize == index)
            .max_by(|a, b| a.score.total_cmp(&b.score));
        let kind = match (best, candidates[index].role) {
            (Some(relation), _) => relation.kind,
            (None, Role::Result | Role::ExamFinding) => RelationKind::EvidencedBy,
            (None, Role::Symptom) => RelationKind::ManifestsAs,
            (None, _) => RelationKind::Complicates,
        };
        let why = match best {
            Some(relation) => relation.why.clone(),
            None if Some(cause) == primary => vec![Why::Primary],
            None => vec![Why::Structure {
                reason: "place in the report".into(),
            }],
        };
        map.edges.push(Edge {
            source,
            target,
            kind,
            score,
            why,
        });
    }
    map.primary = primary.and_then(|index| id_of[index]);
    (map, id_of)
}
