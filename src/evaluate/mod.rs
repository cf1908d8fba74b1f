//! Predicted and gold case maps to the scores of the annotation guideline.
//!
//! Labels are compared after [`canonical`]; two match when the caller's dictionary holds them for
//! one concept, or when their [`dice`] coefficient is at least [`MATCH_THRESHOLD`]. A best
//! one-to-one assignment of gold to predicted nodes is found for each case, and node, edge and
//! path scores all count by that one assignment.

use crate::types::{CaseMap, Label};
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// The least Dice coefficient at which two labels match.
pub const MATCH_THRESHOLD: f64 = 0.6;

/// A causal tree as it is scored: gold or predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldTree {
    /// The id of the report; joins gold and predicted.
    pub id: String,
    /// The label of the primary disease; empty where none is given.
    pub primary: String,
    /// The causal tree.
    pub map: CaseMap,
}

/// What can be wrong with a file of trees or mentions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The file could not be read.
    #[error("{path}: {source}; check that it exists and may be read", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not UTF-8.
    #[error("{path}: not UTF-8 at byte {at}; convert it first, e.g. `iconv -f CP932 -t UTF-8`", path = path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// First offending byte.
        at: usize,
    },
    /// A line of the file is broken.
    #[error("{path}:{line}: {reason}: `{value}`", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The value at fault, shortened.
        value: String,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// Precision, recall and F1 with the counts that they come from.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Scores {
    /// Matched share of what was predicted; 0 where nothing was.
    pub precision: f64,
    /// Matched share of what is gold; 0 where nothing is.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// How many matched.
    pub matched: usize,
    /// How many are gold.
    pub gold: usize,
    /// How many were predicted.
    pub predicted: usize,
}

impl Scores {
    /// Scores from their counts.
    ///
    /// ```
    /// let scores = shorei::evaluate::Scores::new(2, 4, 2);
    /// assert_eq!((scores.precision, scores.recall), (1.0, 0.5));
    /// ```
    pub fn new(matched: usize, gold: usize, predicted: usize) -> Self {
        let ratio = |part: usize, whole: usize| {
            if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
        };
        Scores {
            precision: ratio(matched, predicted),
            recall: ratio(matched, gold),
            f1: ratio(2 * matched, gold + predicted),
            matched,
            gold,
            predicted,
        }
    }
}

/// Means over the cases.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct MacroScores {
    /// Mean precision.
    pub precision: f64,
    /// Mean recall.
    pub recall: f64,
    /// Mean F1.
    pub f1: f64,
    /// Cases that the means are over: those with something gold or predicted.
    pub cases: usize,
}

/// One measure over the set: pooled, and by case.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Measure {
    /// Counts pooled over the set.
    pub micro: Scores,
    /// Means by case.
    #[serde(rename = "macro")]
    pub by_case: MacroScores,
}

impl Measure {
    fn over<'s>(cases: impl Iterator<Item = &'s Scores>) -> Self {
        let (mut matched, mut gold, mut predicted) = (0, 0, 0);
        let mut by_case = MacroScores::default();
        for scores in cases.filter(|scores| scores.gold + scores.predicted > 0) {
            matched += scores.matched;
            gold += scores.gold;
            predicted += scores.predicted;
            by_case.precision += scores.precision;
            by_case.recall += scores.recall;
            by_case.f1 += scores.f1;
            by_case.cases += 1;
        }
        let cases = by_case.cases.max(1) as f64;
        by_case.precision /= cases;
        by_case.recall /= cases;
        by_case.f1 /= cases;
        Measure {
            micro: Scores::new(matched, gold, predicted),
            by_case,
        }
    }
}

/// Share of cases whose primary disease was found.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Accuracy {
    /// `matched / cases`; 0 where there are none.
    pub accuracy: f64,
    /// Cases whose predicted primary matches.
    pub matched: usize,
    /// Cases whose gold names a primary.
    pub cases: usize,
}

impl Accuracy {
    fn new(matched: usize, cases: usize) -> Self {
        Accuracy {
            accuracy: matched as f64 / cases.max(1) as f64,
            matched,
            cases,
        }
    }
}

/// A matched node that hangs under another parent than gold says. `None` is the case itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongParent {
    /// The gold node.
    pub node: String,
    /// Its parent in gold.
    pub gold: Option<String>,
    /// The parent of the node that matched it.
    pub predicted: Option<String>,
}

/// Two labels that matched without being equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paraphrase {
    /// The gold label.
    pub gold: String,
    /// The predicted label.
    pub predicted: String,
}

/// The scores of one case, and what went wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseEvaluation {
    /// The case's id.
    pub id: String,
    /// Matched labels.
    pub node: Scores,
    /// Matched (parent, child) pairs; a root's parent is the case itself.
    pub edge: Scores,
    /// Matched (ancestor, descendant) pairs.
    pub path: Scores,
    /// Whether the primary matches; `None` where gold names none.
    pub primary_matched: Option<bool>,
    /// The gold primary.
    pub primary_gold: String,
    /// The predicted primary.
    pub primary_predicted: String,
    /// Gold labels that nothing matched.
    pub missed: Vec<String>,
    /// Predicted labels that match nothing.
    pub spurious: Vec<String>,
    /// Matched nodes under another parent.
    pub wrong_parents: Vec<WrongParent>,
    /// Labels that matched without being equal.
    pub paraphrases: Vec<Paraphrase>,
}

/// The scores of a set of cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Node F1.
    pub node: Measure,
    /// Edge F1.
    pub edge: Measure,
    /// Path F1, the lenient form of edge F1.
    pub path: Measure,
    /// Primary accuracy.
    pub primary: Accuracy,
    /// Gold ids without a prediction, scored as empty predictions.
    pub missing_predicted: Vec<String>,
    /// Predicted ids without gold, not scored.
    pub missing_gold: Vec<String>,
    /// The cases, in the order of gold.
    pub cases: Vec<CaseEvaluation>,
}

/// Scores of mentions as sets of strings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MentionScores {
    /// Equal strings.
    pub exact: Measure,
    /// One holds the other, or their Dice coefficient is at least [`MATCH_THRESHOLD`]; the best
    /// one-to-one assignment counts.
    pub partial: Measure,
    /// Gold ids without a prediction, scored as empty predictions.
    pub missing_predicted: Vec<String>,
    /// Predicted ids without gold, not scored.
    pub missing_gold: Vec<String>,
}

/// Reads a file of trees: JSONL records `{"id", "primary", "causal_tree", …}`.
///
/// Other fields are ignored, so that a file of cases reads as predictions; blank lines and records
/// with `"excluded"` (other than `false` or `null`) are skipped; a record without `primary` has an
/// empty one.
///
/// # Errors
/// A file that cannot be read or is not UTF-8; a line that is no JSON object, lacks `id` or
/// `causal_tree`, repeats an id, or whose tree breaks the notation.
pub fn read_trees(path: &Path) -> Result<Vec<GoldTree>, EvaluateError> {
    let mut trees = Vec::new();
    let mut seen = HashSet::new();
    for_each_record(path, |record, fail| {
        if record
            .get("excluded")
            .is_some_and(|value| !matches!(value, Json::Null | Json::Bool(false)))
        {
            return Ok(());
        }
        let id = id_of(record, fail)?;
        if !seen.insert(id.clone()) {
            return Err(fail("this id stands twice; keep one record an id".into(), &id));
        }
        let primary = match record.get("primary") {
            None | Some(Json::Null) => String::new(),
            Some(Json::String(primary)) => primary.trim().to_owned(),
            Some(other) => {
                return Err(fail(
                    "`primary` must be a string: the label of a node".into(),
                    &other.to_string(),
                ));
            }
        };
        let tree = match record.get("causal_tree") {
            Some(Json::String(tree)) => tree,
            Some(other) => {
                return Err(fail(
                    "`causal_tree` must be a string, `-label` a line".into(),
                    &other.to_string(),
                ));
            }
            None => {
                return Err(fail(
                    "no `causal_tree`; add the tree as a string, `-label` a line".into(),
                    &id,
                ));
            }
        };
        let map = CaseMap::parse(tree).map_err(|error| fail(format!("`causal_tree` of {id}, {error}"), tree))?;
        trees.push(GoldTree { id, primary, map });
        Ok(())
    })?;
    Ok(trees)
}

/// Reads sets of mentions: JSONL records `{"id", "positive_disease": ["…", …]}`. Each mention goes
/// through `normalize` (NFKC, as predictions are); empty ones and repetitions are dropped.
///
/// # Errors
/// As [`read_trees`], for `positive_disease`.
pub fn read_mention_sets(
    path: &Path,
    normalize: &dyn Fn(&str) -> String,
) -> Result<Vec<(String, Vec<String>)>, EvaluateError> {
    let mut sets = Vec::new();
    for_each_record(path, |record, fail| {
        let id = id_of(record, fail)?;
        let Some(Json::Array(items)) = record.get("positive_disease") else {
            return Err(fail(
                "no list `positive_disease`; add it as a list of strings".into(),
                &id,
            ));
        };
        let mut mentions: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            let Json::String(item) = item else {
                return Err(fail(
                    "`positive_disease` must hold strings only".into(),
                    &item.to_string(),
                ));
            };
            let mention = normalize(item);
            if !mention.is_empty() && !mentions.contains(&mention) {
                mentions.push(mention);
            }
        }
        sets.push((id, mentions));
        Ok(())
    })?;
    Ok(sets)
}

/// Makes the error of the current line from a reason and the value at fault.
type Fail<'f> = &'f dyn Fn(String, &str) -> EvaluateError;

fn for_each_record(
    path: &Path,
    mut take: impl FnMut(&serde_json::Map<String, Json>, Fail<'_>) -> Result<(), EvaluateError>,
) -> Result<(), EvaluateError> {
    let bytes = std::fs::read(path).map_err(|source| EvaluateError::Io {
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8(bytes).map_err(|error| EvaluateError::NotUtf8 {
        path: path.to_owned(),
        at: error.utf8_error().valid_up_to(),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // Lines end at \n alone: JSON strings may hold U+2028 and the like.
    for (index, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let fail = |reason: String, value: &str| EvaluateError::Record {
            path: path.to_owned(),
            line: index + 1,
            value: shorten(value),
            reason,
        };
        match serde_json::from_str::<Json>(line) {
            Ok(Json::Object(record)) => take(&record, &fail)?,
            Ok(_) => {
                return Err(fail("not a JSON object; write one object a line".into(), line));
            }
            Err(error) => {
                return Err(fail(format!("not JSON ({error}); write one object a line"), line));
            }
        }
    }
    Ok(())
}

fn id_of(record: &serde_json::Map<String, Json>, fail: Fail<'_>) -> Result<String, EvaluateError> {
    match record.get("id") {
        Some(Json::String(id)) => Ok(id.clone()),
        Some(Json::Number(id)) => Ok(id.to_string()),
        Some(other) => Err(fail("`id` must be a string".into(), &other.to_string())),
        None => {
            let keys: Vec<&str> = record.keys().map(String::as_str).collect();
            Err(fail(
                "no `id`; add one, found only these fields".into(),
                &keys.join(", "),
            ))
        }
    }
}

fn shorten(value: &str) -> String {
    let mut short: String = value.chars().take(60).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short
}

/// Words for one result, and the word that stands for them.
const RESULTS: [(&str, &str); 9] = [
    ("高値", "上昇"),
    ("増多", "上昇"),
    ("増加", "上昇"),
    ("亢進", "上昇"),
    ("延長", "上昇"),
    ("低値", "低下"),
    ("減少", "低下"),
    ("(+)", "陽性"),
    ("(-)", "陰性"),
];

/// A label (NFKC) as it is compared: case folded, and with the guideline's word for a result that
/// stands at its end.
///
/// Only at the end: 甲状腺機能亢進症 is a name, not a result.
///
/// ```
/// use shorei::evaluate::canonical;
/// assert_eq!(canonical("BNP/高値"), "bnp/上昇");
/// assert_eq!(canonical("抗核抗体(+)"), "抗核抗体陽性");
/// ```
pub fn canonical(label: &str) -> String {
    let mut folded = label.trim().to_lowercase();
    for (word, canonical) in RESULTS {
        if let Some(stem) = folded.strip_suffix(word) {
            let length = stem.len();
            folded.truncate(length);
            folded.push_str(canonical);
            break;
        }
    }
    folded
}

/// The Dice coefficient of two labels' character bigrams, with repetitions; of their single
/// characters when either has two characters or fewer. 1 for equal labels, 0 when only one is
/// empty. O(n log n).
///
/// ```
/// use shorei::evaluate::dice;
/// assert_eq!(dice("心筋障害", "心筋障害"), 1.0);
/// assert_eq!(dice("胸水", "胸水貯留"), 2.0 / 3.0);
/// ```
pub fn dice(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let size = if a.len() <= 2 || b.len() <= 2 { 1 } else { 2 };
    let grams = |text: &[char]| {
        let mut grams: Vec<(char, char)> = text.windows(size).map(|gram| (gram[0], gram[size - 1])).collect();
        grams.sort_unstable();
        grams
    };
    let (a, b) = (grams(&a), grams(&b));
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                common += 1;
                i += 1;
                j += 1;
            }
        }
    }
    let total = a.len() + b.len();
    if total == 0 {
        0.0
    } else {
        2.0 * common as f64 / total as f64
    }
}

/// How alike two labels are: 1 for one concept, else their Dice coefficient where that reaches
/// [`MATCH_THRESHOLD`]; `None` when they do not match.
///
/// `same` is asked about the labels as given (NFKC), and about their parts when both are of one
/// form: `RF/上昇` is `リウマチ因子/高値` when RF is リウマチ因子.
pub fn similarity(a: &str, b: &str, same: &dyn Fn(&str, &str) -> bool) -> Option<f64> {
    let (canonical_a, canonical_b) = (canonical(a), canonical(b));
    if canonical_a == canonical_b || same(a, b) || same_parts(a, b, same) {
        return Some(1.0);
    }
    let dice = dice(&canonical_a, &canonical_b);
    (dice >= MATCH_THRESHOLD).then_some(dice)
}

fn same_parts(a: &str, b: &str, same: &dyn Fn(&str, &str) -> bool) -> bool {
    let same_part = |a: &str, b: &str| canonical(a) == canonical(b) || same(a, b);
    let (Ok(a), Ok(b)) = (a.parse::<Label>(), b.parse::<Label>());
    match (&a, &b) {
        (Label::AtSite { condition: a, site: at }, Label::AtSite { condition: b, site: bt })
        | (Label::Result { test: a, result: at }, Label::Result { test: b, result: bt })
        | (Label::ExamFinding { exam: a, finding: at }, Label::ExamFinding { exam: b, finding: bt }) => {
            same_part(a, b) && same_part(at, bt)
        }
        (Label::History(a), Label::History(b)) => same_part(a, b),
        _ => false,
    }
}

/// A row–column assignment of the largest total weight, one-to-one; entries of weight 0 or less
/// are never assigned. For each row: its column. O(min² · max) (the Hungarian method).
fn assign(weights: &[Vec<f64>]) -> Vec<Option<usize>> {
    let rows = weights.len();
    let columns = weights.first().map_or(0, Vec::len);
    if rows == 0 || columns == 0 {
        return vec![None; rows];
    }
    if rows > columns {
        let turned: Vec<Vec<f64>> = (0..columns)
            .map(|column| weights.iter().map(|row| row[column]).collect())
            .collect();
        let mut assigned = vec![None; rows];
        for (column, row) in assign(&turned).into_iter().enumerate() {
            if let Some(row) = row {
                assigned[row] = Some(column);
            }
        }
        return assigned;
    }
    // Rows and columns count from 1; column 0 stands for the row that is being placed.
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; columns + 1];
    let mut row_of = vec![0; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut slack = vec![f64::INFINITY; columns + 1];
        let mut previous = vec![0; columns + 1];
        let mut used = vec![false; columns + 1];
        while row_of[column] != 0 {
            used[column] = true;
            let current = row_of[column];
            let (mut least, mut next) = (f64::INFINITY, 0);
            for candidate in 1..=columns {
                if used[candidate] {
                    continue;
                }
                let reduced = -weights[current - 1][candidate - 1].max(0.0)
                    - row_potential[current]
                    - column_potential[candidate];
                if reduced < slack[candidate] {
                    slack[candidate] = reduced;
                    previous[candidate] = column;
                }
                if slack[candidate] < least {
                    least = slack[candidate];
                    next = candidate;
                }
            }
            for other in 0..=columns {
                if used[other] {
                    row_potential[row_of[other]] += least;
                    column_potential[other] -= least;
                } else {
                    slack[other] -= least;
                }
            }
            column = next;
        }
        while column != 0 {
            row_of[column] = row_of[previous[column]];
            column = previous[column];
        }
    }
    let mut assigned = vec![None; rows];
    for column in 1..=columns {
        let row = row_of[column];
        if row != 0 && weights[row - 1][column - 1] > 0.0 {
            assigned[row - 1] = Some(column - 1);
        }
    }
    assigned
}

/// Matches as many pairs as can be, then those of the largest total similarity.
fn match_pairs(similarities: &[Vec<Option<f64>>]) -> Vec<Option<usize>> {
    let columns = similarities.first().map_or(0, Vec::len);
    // One more pair outweighs any gain of similarity: that is at most 1 a pair (and the tie-break).
    let pair = (similarities.len().min(columns) + 1) as f64 * 2.0;
    let weights: Vec<Vec<f64>> = similarities
        .iter()
        .map(|row| {
            row.iter()
                .map(|alike| alike.map_or(0.0, |alike| pair + alike))
                .collect()
        })
        .collect();
    assign(&weights)
}

/// Scores predicted trees against gold.
///
/// `same(a, b)` says whether two labels, or parts of labels, are names of one concept (a
/// dictionary); `&|_, _| false` leaves it to the spelling. A gold id without a prediction counts
/// as an empty prediction; a predicted id without gold is listed and not scored; of repeated ids
/// the first prediction counts. O(n³) in the nodes of a case.
///
/// ```
/// use shorei::evaluate::{GoldTree, evaluate};
/// use shorei::types::CaseMap;
/// let tree = |text: &str| GoldTree {
///     id: "1".into(),
///     primary: "肺炎".into(),
///     map: CaseMap::parse(text).unwrap(),
/// };
/// let scores = evaluate(&[tree("-肺炎\n  -発熱\n")], &[tree("-肺炎\n-発熱\n")], &|_, _| false);
/// assert_eq!((scores.node.micro.f1, scores.edge.micro.f1), (1.0, 0.5));
/// ```
pub fn evaluate(gold: &[GoldTree], predicted: &[GoldTree], same: &dyn Fn(&str, &str) -> bool) -> Evaluation {
    let joined = join(gold, predicted, |tree| &tree.id);
    let cases: Vec<CaseEvaluation> = joined
        .pairs
        .iter()
        .map(|(gold, predicted)| evaluate_case(gold, *predicted, same))
        .collect();
    let matched = cases.iter().filter(|case| case.primary_matched == Some(true)).count();
    let with_primary = cases.iter().filter(|case| case.primary_matched.is_some()).count();
    Evaluation {
        node: Measure::over(cases.iter().map(|case| &case.node)),
        edge: Measure::over(cases.iter().map(|case| &case.edge)),
        path: Measure::over(cases.iter().map(|case| &case.path)),
        primary: Accuracy::new(matched, with_primary),
        missing_predicted: joined.missing_predicted,
        missing_gold: joined.missing_gold,
        cases,
    }
}

/// Gold and predicted records by id.
struct Joined<'r, T> {
    pairs: Vec<(&'r T, Option<&'r T>)>,
    missing_predicted: Vec<String>,
    missing_gold: Vec<String>,
}

fn join<'r, T>(gold: &'r [T], predicted: &'r [T], id: impl Fn(&T) -> &String) -> Joined<'r, T> {
    let mut by_id: HashMap<&str, &T> = HashMap::new();
    for record in predicted {
        by_id.entry(id(record)).or_insert(record);
    }
    let known: HashSet<&str> = gold.iter().map(|record| id(record).as_str()).collect();
    let pairs: Vec<_> = gold
        .iter()
        .map(|record| (record, by_id.get(id(record).as_str()).copied()))
        .collect();
    let missing_predicted = pairs
        .iter()
        .filter(|(_, predicted)| predicted.is_none())
        .map(|(gold, _)| id(gold).clone())
        .collect();
    let missing_gold = predicted
        .iter()
        .map(id)
        .filter(|id| !known.contains(id.as_str()))
        .cloned()
        .collect();
    Joined {
        pairs,
        missing_predicted,
        missing_gold,
    }
}

/// A tree as it is scored.
struct Tree {
    labels: Vec<String>,
    parents: Vec<Option<usize>>,
}

impl Tree {
    fn of(map: Option<&CaseMap>) -> Self {
        let Some(map) = map else {
            return Tree {
                labels: Vec::new(),
                parents: Vec::new(),
            };
        };
        Tree {
            labels: map.nodes.iter().map(|node| node.label.to_string()).collect(),
            parents: map
                .parents()
                .into_iter()
                .map(|parent| parent.map(|parent| parent.0 as usize))
                .collect(),
        }
    }

    /// The (ancestor, descendant) pairs, the case itself not among them.
    fn paths(&self) -> HashSet<(usize, usize)> {
        let mut paths = HashSet::new();
        for node in 0..self.parents.len() {
            let mut at = self.parents[node];
            while let Some(ancestor) = at {
                // A pair that is there already: the map is no forest but holds a cycle.
                if !paths.insert((ancestor, node)) {
                    break;
                }
                at = self.parents[ancestor];
            }
        }
        paths
    }

    fn parent_label(&self, node: usize) -> Option<String> {
        self.parents[node].map(|parent| self.labels[parent].clone())
    }
}

fn evaluate_case(gold: &GoldTree, predicted: Option<&GoldTree>, same: &dyn Fn(&str, &str) -> bool) -> CaseEvaluation {
    let gold_tree = Tree::of(Some(&gold.map));
    let tree = Tree::of(predicted.map(|predicted| &predicted.map));
    let alike: Vec<Vec<Option<f64>>> = gold_tree
        .labels
        .iter()
        .map(|gold| tree.labels.iter().map(|label| similarity(gold, label, same)).collect())
        .collect();
    // Among equal assignments (a label that stands twice), the one whose parents agree: a bonus
    // too small to outweigh a difference of similarity.
    let mut with_bonus = alike.clone();
    for (g, row) in with_bonus.iter_mut().enumerate() {
        for (p, cell) in row.iter_mut().enumerate() {
            let parents_agree = match (gold_tree.parents[g], tree.parents[p]) {
                (None, None) => true,
                (Some(g), Some(p)) => alike[g][p].is_some(),
                _ => false,
            };
            if let (Some(alike), true) = (cell.as_mut(), parents_agree) {
                *alike += 1e-7;
            }
        }
    }
    let assigned = match_pairs(&with_bonus);

    let mut taken = vec![false; tree.labels.len()];
    let mut missed = Vec::new();
    let mut paraphrases = Vec::new();
    let mut wrong_parents = Vec::new();
    let mut edges = 0;
    for (g, p) in assigned.iter().enumerate() {
        let Some(p) = *p else {
            missed.push(gold_tree.labels[g].clone());
            continue;
        };
        taken[p] = true;
        if canonical(&gold_tree.labels[g]) != canonical(&tree.labels[p]) {
            paraphrases.push(Paraphrase {
                gold: gold_tree.labels[g].clone(),
                predicted: tree.labels[p].clone(),
            });
        }
        let agrees = match (gold_tree.parents[g], tree.parents[p]) {
            (None, None) => true,
            (Some(g), Some(p)) => assigned[g] == Some(p),
            _ => false,
        };
        if agrees {
            edges += 1;
        } else {
            wrong_parents.push(WrongParent {
                node: gold_tree.labels[g].clone(),
                gold: gold_tree.parent_label(g),
                predicted: tree.parent_label(p),
            });
        }
    }
    let matched = taken.iter().filter(|taken| **taken).count();
    let spurious = tree
        .labels
        .iter()
        .zip(&taken)
        .filter(|(_, taken)| !**taken)
        .map(|(label, _)| label.clone())
        .collect();
    let (gold_paths, paths) = (gold_tree.paths(), tree.paths());
    let matched_paths = gold_paths
        .iter()
        .filter(|(ancestor, node)| match (assigned[*ancestor], assigned[*node]) {
            (Some(ancestor), Some(node)) => paths.contains(&(ancestor, node)),
            _ => false,
        })
        .count();
    let primary_predicted = predicted.map_or("", |predicted| predicted.primary.as_str());
    CaseEvaluation {
        id: gold.id.clone(),
        node: Scores::new(matched, gold_tree.labels.len(), tree.labels.len()),
        // As many edges as nodes: each has one parent, be it the case itself.
        edge: Scores::new(edges, gold_tree.labels.len(), tree.labels.len()),
        path: Scores::new(matched_paths, gold_paths.len(), paths.len()),
        primary_matched: (!gold.primary.is_empty())
            .then(|| !primary_predicted.is_empty() && similarity(&gold.primary, primary_predicted, same).is_some()),
        primary_gold: gold.primary.clone(),
        primary_predicted: primary_predicted.to_owned(),
        missed,
        spurious,
        wrong_parents,
        paraphrases,
    }
}

/// Which gold label each label matches, as [`evaluate`] matches nodes (parents aside): what
/// training takes its answers from. O(n³).
pub fn align(gold: &[String], labels: &[String], same: &dyn Fn(&str, &str) -> bool) -> Vec<Option<usize>> {
    let alike: Vec<Vec<Option<f64>>> = labels
        .iter()
        .map(|label| gold.iter().map(|gold| similarity(gold, label, same)).collect())
        .collect();
    match_pairs(&alike)
}

/// Scores sets of mentions, `(id, strings)`, as the `positive_disease` sets of JMED-LLM are
/// scored: strings are compared as given (normalise both sides alike), repetitions count once.
///
/// ```
/// let set = |mentions: &[&str]| {
///     vec![("1".to_owned(), mentions.iter().map(|m| m.to_string()).collect::<Vec<_>>())]
/// };
/// let scores = shorei::evaluate::mention_scores(&set(&["発熱", "胸水貯留"]), &set(&["発熱", "胸水"]));
/// assert_eq!((scores.exact.micro.f1, scores.partial.micro.f1), (0.5, 1.0));
/// ```
pub fn mention_scores(gold: &[(String, Vec<String>)], predicted: &[(String, Vec<String>)]) -> MentionScores {
    let joined = join(gold, predicted, |set| &set.0);
    let (mut exact, mut partial) = (Vec::new(), Vec::new());
    for (gold, predicted) in &joined.pairs {
        let gold = distinct(&gold.1);
        let predicted = distinct(predicted.map_or(&[], |set| &set.1));
        let equal = gold.iter().filter(|mention| predicted.contains(mention)).count();
        exact.push(Scores::new(equal, gold.len(), predicted.len()));
        let alike: Vec<Vec<Option<f64>>> = gold
            .iter()
            .map(|gold| predicted.iter().map(|mention| overlap(gold, mention)).collect())
            .collect();
        let overlapping = match_pairs(&alike).iter().flatten().count();
        partial.push(Scores::new(overlapping, gold.len(), predicted.len()));
    }
    MentionScores {
        exact: Measure::over(exact.iter()),
        partial: Measure::over(partial.iter()),
        missing_predicted: joined.missing_predicted,
        missing_gold: joined.missing_gold,
    }
}

fn distinct(mentions: &[String]) -> Vec<&str> {
    let mut seen = HashSet::new();
    mentions
        .iter()
        .map(String::as_str)
        .filter(|mention| !mention.is_empty() && seen.insert(*mention))
        .collect()
}

fn overlap(a: &str, b: &str) -> Option<f64> {
    let dice = dice(a, b);
    (dice >= MATCH_THRESHOLD || a.contains(b) || b.contains(a)).then_some(dice)
}

const HEADER: &str = "           precision  recall      F1   matched      gold  predicted   macro F1";

fn write_measure(f: &mut fmt::Formatter<'_>, name: &str, measure: &Measure) -> fmt::Result {
    let Scores {
        precision,
        recall,
        f1,
        matched,
        gold,
        predicted,
    } = measure.micro;
    writeln!(
        f,
        "{name:<10} {precision:>9.3} {recall:>7.3} {f1:>7.3} {matched:>9} {gold:>9} {predicted:>10} {:>10.3}",
        measure.by_case.f1
    )
}

fn write_ids(f: &mut fmt::Formatter<'_>, what: &str, ids: &[String]) -> fmt::Result {
    const SHOWN: usize = 10;
    if ids.is_empty() {
        return Ok(());
    }
    let shown: Vec<&str> = ids.iter().take(SHOWN).map(String::as_str).collect();
    let more = if ids.len() > SHOWN { ", …" } else { "" };
    writeln!(f, "{what} ({}): {}{more}", ids.len(), shown.join(", "))
}

impl fmt::Display for Evaluation {
    /// A table for terminals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        write_measure(f, "node", &self.node)?;
        write_measure(f, "edge", &self.edge)?;
        write_measure(f, "path", &self.path)?;
        let Accuracy {
            accuracy,
            matched,
            cases,
        } = self.primary;
        writeln!(f, "primary accuracy {accuracy:.3} ({matched} of {cases} cases)")?;
        write_ids(f, "no prediction, scored as empty", &self.missing_predicted)?;
        write_ids(f, "no gold, not scored", &self.missing_gold)
    }
}

impl fmt::Display for CaseEvaluation {
    /// What went wrong in the case, for terminals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: node F1 {:.3}, edge F1 {:.3}, path F1 {:.3}",
            self.id, self.node.f1, self.edge.f1, self.path.f1
        )?;
        if self.primary_matched == Some(false) {
            let (gold, predicted) = (&self.primary_gold, &self.primary_predicted);
            writeln!(f, "  primary: gold {gold}, predicted {}", or_dash(predicted))?;
        }
        for label in &self.missed {
            writeln!(f, "  missed: {label}")?;
        }
        for label in &self.spurious {
            writeln!(f, "  spurious: {label}")?;
        }
        for WrongParent { node, gold, predicted } in &self.wrong_parents {
            let name = |parent: &Option<String>| parent.clone().unwrap_or_else(|| "(root)".into());
            let (gold, predicted) = (name(gold), name(predicted));
            writeln!(f, "  wrong parent: {node}: gold {gold}, predicted {predicted}")?;
        }
        for Paraphrase { gold, predicted } in &self.paraphrases {
            writeln!(f, "  matched: {gold} by {predicted}")?;
        }
        Ok(())
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

impl fmt::Display for MentionScores {
    /// A table for terminals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        write_measure(f, "exact", &self.exact)?;
        write_measure(f, "partial", &self.partial)?;
        write_ids(f, "no prediction, scored as empty", &self.missing_predicted)?;
        write_ids(f, "no gold, not scored", &self.missing_gold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(id: &str, primary: &str, text: &str) -> GoldTree {
        let map = CaseMap::parse(text).expect("a tree of the test");
        GoldTree {
            id: id.into(),
            primary: primary.into(),
            map,
        }
    }

    fn spelling(_: &str, _: &str) -> bool {
        false
    }

    fn write(name: &str, text: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("shorei-evaluate-{}-{name}", std::process::id()));
        std::fs::write(&path, text).expect("the temporary folder is writable");
        path
    }

    #[test]
    fn results_are_canonical_only_at_the_end() {
        assert_eq!(canonical("Na/減少"), "na/低下");
        assert_eq!(canonical("好酸球増多"), "好酸球上昇");
        assert_eq!(canonical("抗CCP抗体/(-)"), "抗ccp抗体/陰性");
        assert_eq!(canonical("甲状腺機能亢進症"), "甲状腺機能亢進症");
        assert_eq!(canonical(""), "");
    }

    #[test]
    fn dice_counts_repetitions_and_short_labels_by_character() {
        assert_eq!(dice("", ""), 1.0);
        assert_eq!(dice("", "熱"), 0.0);
        assert_eq!(dice("発熱", "熱発"), 1.0);
        assert_eq!(dice("咳", "咳嗽"), 2.0 / 3.0);
        // aaaa: aa aa aa; aaab: aa aa ab.
        assert_eq!(dice("aaaa", "aaab"), 4.0 / 6.0);
        assert_eq!(dice("肺炎球菌", "心筋梗塞"), 0.0);
    }

    #[test]
    fn assignment_prefers_many_pairs_to_good_ones() {
        // Row 0 likes column 0 best, but row 1 has no other.
        let alike = vec![vec![Some(1.0), Some(0.6)], vec![Some(0.6), None]];
        assert_eq!(match_pairs(&alike), [Some(1), Some(0)]);
        let tall = vec![vec![Some(0.7)], vec![Some(0.9)], vec![None]];
        assert_eq!(match_pairs(&tall), [None, Some(0), None]);
        assert_eq!(match_pairs(&[]), []);
        assert_eq!(match_pairs(&[vec![], vec![]]), [None, None]);
    }

    /// All assignments of a few rows, by trying.
    fn best_by_trying(weights: &[Vec<f64>], row: usize, used: &mut Vec<bool>) -> f64 {
        if row == weights.len() {
            return 0.0;
        }
        let mut best = best_by_trying(weights, row + 1, used);
        for column in 0..used.len() {
            if !used[column] && weights[row][column] > 0.0 {
                used[column] = true;
                best = best.max(weights[row][column] + best_by_trying(weights, row + 1, used));
                used[column] = false;
            }
        }
        best
    }

    #[test]
    fn assignment_is_the_best_of_all() {
        let mut state = 7_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        for round in 0..200 {
            let (rows, columns) = (1 + round % 6, 1 + (round / 6) % 6);
            let weights: Vec<Vec<f64>> = (0..rows)
                .map(|_| (0..columns).map(|_| (next() - 0.4).max(0.0)).collect())
                .collect();
            let assigned = assign(&weights);
            let mut seen = HashSet::new();
            let total: f64 = assigned
                .iter()
                .enumerate()
                .filter_map(|(row, column)| column.map(|column| (row, column)))
                .map(|(row, column)| {
                    assert!(seen.insert(column), "column taken twice");
                    weights[row][column]
                })
                .sum();
            let best = best_by_trying(&weights, 0, &mut vec![false; columns]);
            assert!((total - best).abs() < 1e-9, "{total} is not {best}: {weights:?}");
        }
    }

    #[test]
    fn counts_of_a_small_case() {
        let gold = tree("1", "肺癌", "-肺癌\n  -SIADH\n    -Na/低下\n    -意識障害\n  -胸水\n");
        let predicted = tree("1", "肺がん", "-肺癌\n  -SIADH\n  -Na/低値\n  -胸水貯留\n-頭痛\n");
        let result = evaluate(&[gold], &[predicted], &spelling);
        let case = &result.cases[0];
        assert_eq!((case.node.matched, case.node.gold, case.node.predicted), (4, 5, 5));
        // (case, 肺癌), (肺癌, SIADH), (肺癌, 胸水).
        assert_eq!((case.edge.matched, case.edge.gold, case.edge.predicted), (3, 5, 5));
        // Gold: 4 under 肺癌 and 2 under SIADH; matched: 肺癌 → SIADH, Na/低下, 胸水.
        assert_eq!((case.path.matched, case.path.gold, case.path.predicted), (3, 6, 3));
        assert_eq!(case.missed, ["意識障害"]);
        assert_eq!(case.spurious, ["頭痛"]);
        assert_eq!(case.wrong_parents.len(), 1);
        assert_eq!(case.wrong_parents[0].node, "Na/低下");
        assert_eq!(case.wrong_parents[0].gold.as_deref(), Some("SIADH"));
        assert_eq!(case.wrong_parents[0].predicted.as_deref(), Some("肺癌"));
        assert_eq!(case.paraphrases.len(), 1);
        // 肺癌 and 肺がん share one of 2 + 3 characters.
        assert_eq!(case.primary_matched, Some(false));
        assert!(result.to_string().contains("primary accuracy 0.000 (0 of 1 cases)"));
        assert!(
            case.to_string()
                .contains("wrong parent: Na/低下: gold SIADH, predicted 肺癌")
        );
    }

    #[test]
    fn concepts_match_whole_and_in_parts() {
        let same = |a: &str, b: &str| matches!((a, b), ("RF", "リウマチ因子") | ("肺癌", "肺がん"));
        assert_eq!(similarity("RF/上昇", "リウマチ因子/高値", &same), Some(1.0));
        assert_eq!(similarity("RF/上昇", "リウマチ因子/陰性", &same), None);
        assert_eq!(similarity("肺癌", "肺がん", &same), Some(1.0));
        assert_eq!(similarity("肺癌", "肺がん", &spelling), None);
    }

    #[test]
    fn a_label_that_stands_twice_takes_the_parent_that_agrees() {
        let gold = tree("1", "", "-肺炎\n  -発熱\n-腎炎\n  -発熱\n    -悪寒\n");
        let predicted = tree("1", "", "-腎炎\n  -発熱\n    -悪寒\n-肺炎\n  -発熱\n");
        let result = evaluate(&[gold], &[predicted], &spelling);
        assert_eq!(result.edge.micro.f1, 1.0);
        assert_eq!(result.primary.cases, 0);
    }

    #[test]
    fn missing_ids_are_listed_and_scored_as_empty() {
        let gold = [tree("a", "肺炎", "-肺炎\n"), tree("b", "胃癌", "-胃癌\n")];
        let predicted = [tree("a", "肺炎", "-肺炎\n"), tree("c", "脳炎", "-脳炎\n")];
        let result = evaluate(&gold, &predicted, &spelling);
        assert_eq!(result.missing_predicted, ["b"]);
        assert_eq!(result.missing_gold, ["c"]);
        assert_eq!((result.node.micro.precision, result.node.micro.recall), (1.0, 0.5));
        assert_eq!(result.node.by_case.f1, 0.5);
        // No paths anywhere: no case to take the mean over.
        assert_eq!(result.path.by_case.cases, 0);
        assert_eq!(result.primary.accuracy, 0.5);
        let json = serde_json::to_value(&result).expect("serialises");
        assert_eq!(json["node"]["macro"]["cases"], 2);
        assert!(result.to_string().contains("no prediction, scored as empty (1): b"));
    }

    #[test]
    fn nothing_at_all() {
        let result = evaluate(&[], &[], &spelling);
        assert_eq!((result.node.micro.f1, result.primary.accuracy), (0.0, 0.0));
        assert_eq!(mention_scores(&[], &[]).exact.micro.f1, 0.0);
    }

    #[test]
    fn mentions_count_once_and_partly() {
        let set = |id: &str, mentions: &[&str]| {
            (
                id.to_owned(),
                mentions.iter().map(|mention| mention.to_string()).collect(),
            )
        };
        let gold = [set("1", &["発熱", "発熱", "下腿浮腫", "腎盂腎炎"]), set("2", &["咳嗽"])];
        let predicted = [set("1", &["発熱", "浮腫", "急性腎盂腎炎", "頭痛"])];
        let scores = mention_scores(&gold, &predicted);
        let exact = scores.exact.micro;
        assert_eq!((exact.matched, exact.gold, exact.predicted), (1, 4, 4));
        assert_eq!(scores.partial.micro.matched, 3);
        assert_eq!(scores.missing_predicted, ["2"]);
        assert!(scores.to_string().contains("partial"));
    }

    #[test]
    fn reads_trees_and_skips_excluded() {
        let path = write(
            "trees.jsonl",
            "\u{feff}{\"id\":\"1\",\"primary\":\"肺炎\",\"causal_tree\":\"-肺炎\\n  -発熱\",\"report\":\"x\"}\n\n{\"id\":2,\"excluded\":\"重複\"}\n{\"id\":3,\"primary\":null,\"causal_tree\":\"\",\"excluded\":false}\r\n"
                .as_bytes(),
        );
        let trees = read_trees(&path).expect("reads");
        assert_eq!(trees.len(), 2);
        assert_eq!(trees[0].map.nodes.len(), 2);
        assert_eq!((trees[1].id.as_str(), trees[1].primary.as_str()), ("3", ""));
    }

    #[test]
    fn errors_name_file_line_value_and_next_step() {
        let cases: [(&str, &[&str]); 7] = [
            ("{\"id\":\"1\"}", &[":1:", "causal_tree", "add the tree"]),
            (
                "\n{\"id\":\"1\",\"causal_tree\":\"肺炎\"}",
                &[":2:", "line 1", "-label"],
            ),
            ("{\"id\":\"1\",\"causal_tree\":7}", &["must be a string", "`7`"]),
            ("[1]", &["write one object a line", "`[1]`"]),
            ("{", &["not JSON", "write one object a line"]),
            ("{\"causal_tree\":\"\"}", &["no `id`", "`causal_tree`"]),
            (
                "{\"id\":\"1\",\"causal_tree\":\"\"}\n{\"id\":\"1\",\"causal_tree\":\"\"}",
                &[":2:", "twice", "`1`"],
            ),
        ];
        for (index, (text, parts)) in cases.into_iter().enumerate() {
            let path = write(&format!("bad{index}.jsonl"), text.as_bytes());
            let message = read_trees(&path).expect_err("broken").to_string();
            for part in parts {
                assert!(message.contains(part), "{message} lacks {part}");
            }
            assert!(message.contains("bad"), "{message} lacks the file");
        }
        let path = write("sjis.jsonl", b"{\"id\":\"\x94x\"}");
        assert!(read_trees(&path).expect_err("not UTF-8").to_string().contains("byte 7"));
        let none = read_trees(Path::new("/nowhere/gold.jsonl")).expect_err("not there");
        assert!(none.to_string().contains("/nowhere/gold.jsonl"));
    }

    #[test]
    fn reads_mention_sets_through_the_normaliser() {
        let path = write(
            "mentions.jsonl",
            "{\"id\":\"1\",\"text\":\"…\",\"positive_disease\":[\"ＤＩＣ\",\"DIC\",\"\",\"発熱\"]}".as_bytes(),
        );
        let sets = read_mention_sets(&path, &|text| text.replace("ＤＩＣ", "DIC")).expect("reads");
        assert_eq!(sets, [("1".to_owned(), vec!["DIC".to_owned(), "発熱".to_owned()])]);
        let path = write("nomentions.jsonl", b"{\"id\":\"1\"}");
        let error = read_mention_sets(&path, &str::to_owned).expect_err("no field");
        assert!(error.to_string().contains("positive_disease"));
    }
}
