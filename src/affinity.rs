//! How well an effect fits a cause, for labels of all kinds: also those that no dictionary lists.
//!
//! The knowledge table says it of the pairs that it has. This model was trained on the table
//! (training/affinity) and says it of all others: each label is cut into runs of one to three
//! characters and what the dictionaries know of it (its concept and what that is a kind of, its
//! exam, result, site), each of which has a vector for causes and one for effects. The score of a
//! pair is the scalar product of the two labels' vectors: a logarithm of how much likelier the two
//! stand together than by chance, up to a constant.

use safetensors::tensor::{Dtype, SafeTensors};

use crate::error::Error;
use crate::lexicon::Lexicon;
use crate::types::{ConceptId, Direction, Label};

const FILE: &str = "models/affinity/model.safetensors";
static MODEL: &[u8] = include_bytes!("../models/affinity/model.safetensors");

/// Buckets that pieces of labels are hashed into.
pub const BUCKETS: u32 = 1 << 15;
/// Runs of characters of at most this length are pieces.
const LONGEST_RUN_CHAR: usize = 3;
/// A concept, and so many steps of what it is a kind of.
const ANCESTRY: usize = 4;

/// Vectors of pieces, of 8-bit numbers with one scale a row.
#[derive(Clone, Copy, Default)]
struct Table {
    rows: &'static [u8],
    /// 32-bit floats, little-endian.
    scales: &'static [u8],
    width: usize,
}

/// The model; cheap to copy.
#[derive(Clone, Copy, Default)]
pub struct Affinity {
    causes: Table,
    effects: Table,
    scale: f32,
}

impl Affinity {
    /// Takes up the embedded model. O(1).
    ///
    /// # Errors
    /// [`Error::Model`] when the embedded file is at fault, which the project's tests exclude.
    pub fn load_default() -> Result<Self, Error> {
        Self::read(MODEL)
    }

    fn read(bytes: &'static [u8]) -> Result<Self, Error> {
        let fault = |value: &str, reason: String| Error::Model {
            file: FILE.into(),
            line: 1,
            value: value.into(),
            reason: format!("{reason}; make it again with training/affinity"),
        };
        let file = SafeTensors::deserialize(bytes).map_err(|error| fault("", error.to_string()))?;
        let tensor = |name: &str, kind: Dtype, rows: usize| {
            let tensor = file.tensor(name).map_err(|error| fault(name, error.to_string()))?;
            if tensor.dtype() != kind || tensor.shape().first() != Some(&rows) {
                return Err(fault(
                    name,
                    format!(
                        "{:?} of {:?} where {kind:?} of {rows} rows is expected",
                        tensor.dtype(),
                        tensor.shape()
                    ),
                ));
            }
            Ok((tensor.data(), tensor.shape().get(1).copied().unwrap_or(1)))
        };
        let table = |name: &str| {
            let (rows, width) = tensor(&format!("{name}.weight"), Dtype::I8, BUCKETS as usize)?;
            let (scales, _) = tensor(&format!("{name}.scale"), Dtype::F32, BUCKETS as usize)?;
            Ok::<_, Error>(Table { rows, scales, width })
        };
        let (scale, _) = tensor("scale", Dtype::F32, 1)?;
        let (causes, effects) = (table("cause")?, table("effect")?);
        if causes.width != effects.width {
            return Err(fault("cause.weight", "width differs from effect.weight's".into()));
        }
        Ok(Affinity {
            causes,
            effects,
            scale: float(scale, 0),
        })
    }

    /// The scores of all pairs of labels, cause × effect in one row after another. `labels` come
    /// with whether they can be causes; the rows of others are 0, as is everything for a model
    /// without rows. O(labels² × width).
    pub fn scores<'l>(&self, labels: impl Iterator<Item = (&'l Label, bool)>, lexicon: &Lexicon) -> Vec<f32> {
        let labels: Vec<(Vec<u32>, bool)> = labels
            .map(|(label, is_cause)| (pieces(label, lexicon), is_cause))
            .collect();
        let effects: Vec<Vec<f32>> = labels.iter().map(|(pieces, _)| self.effects.vector(pieces)).collect();
        let mut scores = vec![0.0; labels.len() * labels.len()];
        for ((pieces, is_cause), row) in labels.iter().zip(scores.chunks_mut(labels.len().max(1))) {
            if *is_cause {
                let cause = self.causes.vector(pieces);
                for (score, effect) in row.iter_mut().zip(&effects) {
                    *score = product(&cause, effect) * self.scale;
                }
            }
        }
        scores
    }
}

impl Table {
    /// The vector of a label of these pieces: their sum, over the root of their number, squashed.
    fn vector(&self, pieces: &[u32]) -> Vec<f32> {
        let mut sum = vec![0.0; self.width];
        for &piece in pieces {
            let at = piece as usize;
            let Some(row) = self.rows.get(at * self.width..(at + 1) * self.width) else {
                continue;
            };
            let scale = float(self.scales, at);
            for (sum, &value) in sum.iter_mut().zip(row) {
                *sum += scale * f32::from(value.cast_signed());
            }
        }
        let norm = (pieces.len().max(1) as f32).sqrt();
        sum.iter().map(|value| (value / norm).tanh()).collect()
    }
}

/// The scalar product, in eight sums side by side, which processors take at once.
fn product(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks(sums.len()).zip(b.chunks(sums.len())) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// The `index`th little-endian float, 0 where there is none.
fn float(bytes: &[u8], index: usize) -> f32 {
    bytes
        .get(index * 4..)
        .and_then(|bytes| bytes.first_chunk())
        .map_or(0.0, |bytes| f32::from_le_bytes(*bytes))
}

/// What a label is made of, as buckets: training and use must cut alike. O(length).
pub fn pieces(label: &Label, lexicon: &Lexicon) -> Vec<u32> {
    let mut pieces = Vec::with_capacity(48);
    let first = |name: &str| lexicon.lookup(name).first().copied();
    let concept = match label {
        Label::Condition(name) => {
            runs(name, &mut pieces);
            first(name)
        }
        Label::AtSite { condition, site } => {
            runs(condition, &mut pieces);
            runs(site, &mut pieces);
            named(&mut pieces, 'S', site);
            for place in first(site).iter().flat_map(|&site| lexicon.ancestry(site)) {
                named(&mut pieces, 'S', &lexicon.concept(place).label);
            }
            first(condition)
        }
        Label::Result { test, result } => {
            runs(test, &mut pieces);
            named(&mut pieces, 'R', result);
            let test_concept = first(test);
            if let Some(test) = test_concept
                && let Some(direction) = lexicon.result_word(result)
            {
                put_result(&mut pieces, test, direction, lexicon);
                if let Some(state) = lexicon.result_state(test, direction) {
                    put_concept(&mut pieces, state, lexicon);
                }
            }
            test_concept
        }
        Label::ExamFinding { exam, finding } => {
            runs(finding, &mut pieces);
            for exam in first(exam).iter().flat_map(|&exam| lexicon.ancestry(exam)) {
                named(&mut pieces, 'E', &lexicon.concept(exam).label);
            }
            first(finding)
        }
        Label::History(exposure) => {
            named(&mut pieces, 'H', "");
            runs(exposure.strip_suffix("使用").unwrap_or(exposure), &mut pieces);
            lexicon.exposure(exposure)
        }
    };
    if let Some(id) = concept {
        put_concept(&mut pieces, id, lexicon);
        if let Some((test, direction)) = lexicon.state_result(id) {
            put_result(&mut pieces, test, direction, lexicon);
        }
    }
    pieces
}

/// A concept, twice, since it says more than any run of its letters, and what it is a kind of.
fn put_concept(pieces: &mut Vec<u32>, id: ConceptId, lexicon: &Lexicon) {
    named(pieces, 'C', &lexicon.concept(id).label);
    for id in lexicon.ancestry(id).take(ANCESTRY) {
        named(pieces, 'C', &lexicon.concept(id).label);
    }
}

fn put_result(pieces: &mut Vec<u32>, test: ConceptId, direction: Direction, lexicon: &Lexicon) {
    let name = format!("{}/{direction:?}", lexicon.concept(test).label);
    named(pieces, 'T', &name);
    named(pieces, 'T', &name);
}

/// All runs of one to three characters of a name between two marks of its ends.
fn runs(name: &str, pieces: &mut Vec<u32>) {
    let bounded = format!("<{name}>");
    let mut ends: Vec<usize> = bounded.char_indices().map(|(at, _)| at).collect();
    ends.push(bounded.len());
    for length in 1..=LONGEST_RUN_CHAR {
        for run in ends.windows(length + 1) {
            let text = &bounded[run[0]..run[length]];
            if text != "<" && text != ">" {
                pieces.push(bucket(text.as_bytes()));
            }
        }
    }
}

fn named(pieces: &mut Vec<u32>, kind: char, name: &str) {
    pieces.push(bucket(format!("{kind}:{name}").as_bytes()));
}

fn bucket(text: &[u8]) -> u32 {
    crc32fast::hash(text) % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> Label {
        text.parse().expect("labels never fail to parse")
    }

    #[test]
    fn synonyms_share_pieces_and_notation_tells_apart() {
        let lexicon = Lexicon::load_default().expect("the dictionaries");
        let share = |a: &str, b: &str| {
            let (a, b) = (pieces(&label(a), &lexicon), pieces(&label(b), &lexicon));
            a.iter().filter(|piece| b.contains(piece)).count() as f64 / a.len() as f64
        };
        assert_eq!(share("肝硬変", "肝硬変"), 1.0);
        // No character in common, one concept.
        assert!(share("全身性エリテマトーデス", "SLE") > 0.05);
        // A result and the state that it is.
        assert!(share("Na/低下", "低ナトリウム血症") > 0.2);
        assert!(share("Na/低下", "Na/上昇") < 1.0);
        assert!(pieces(&label(""), &lexicon).len() <= 1);
    }

    /// A model of names is a guess: most of ten freely worded findings must fit their own disease
    /// best among ten.
    #[test]
    fn most_unlisted_findings_fit_their_disease_best() {
        let lexicon = Lexicon::load_default().expect("the dictionaries");
        let model = Affinity::load_default().expect("the model");
        let pairs = [
            ("肝硬変", "腹部CT=肝表面の高度な凹凸変形"),
            ("多発性硬化症", "頭部MRI=脳室に接する卵形の多発高信号域"),
            ("急性心筋梗塞", "心エコー=前壁中隔の高度壁運動消失"),
            ("潰瘍性大腸炎", "下部消化管内視鏡=直腸から連続する易出血性の発赤粘膜"),
            ("間質性肺炎", "胸部CT=両側下葉背側の網状影と牽引性の拡張"),
            ("IgA腎症", "腎生検=メサンギウム領域へのIgAの顆粒状沈着"),
            ("関節リウマチ", "手X線=手根骨の骨びらんと裂隙の狭小化"),
            ("急性白血病", "骨髄検査=芽球の高度な増生"),
            ("バセドウ病", "甲状腺エコー=びまん性腫大と血流の著増"),
            ("肺血栓塞栓症", "胸部造影CT=左右肺動脈内の陰影欠損"),
        ];
        let labels: Vec<Label> = pairs
            .iter()
            .map(|pair| label(pair.0))
            .chain(pairs.iter().map(|pair| label(pair.1)))
            .collect();
        let scores = model.scores(labels.iter().map(|label| (label, true)), &lexicon);
        let wrong: Vec<&str> = (0..pairs.len())
            .filter(|&number| {
                let of = |cause: usize| scores[cause * labels.len() + pairs.len() + number];
                (0..pairs.len()).max_by(|&a, &b| of(a).total_cmp(&of(b))) != Some(number)
            })
            .map(|number| pairs[number].1)
            .collect();
        assert!(wrong.len() <= 2, "{wrong:?}");
    }

    #[test]
    fn a_model_without_rows_says_nothing() {
        let lexicon = Lexicon::load_default().expect("the dictionaries");
        let (a, b) = (label("肝硬変"), label("腹水"));
        let labels = [(&a, true), (&b, true)].into_iter();
        assert_eq!(Affinity::default().scores(labels, &lexicon), [0.0; 4]);
    }

    #[test]
    fn broken_files_are_named() {
        for bytes in [&b""[..], b"\x08\0\0\0\0\0\0\0{}      "] {
            let error = Affinity::read(bytes).map(|_| ()).expect_err("a fault").to_string();
            assert!(error.contains(FILE) && error.contains("training/affinity"), "{error}");
        }
    }
}
