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

    /// The scores of all pairs of labels, cause × effect in one row after another; 0 everywhere
    /// for a model without rows. O(labels² × width).
    pub fn scores<'l>(&self, labels: impl Iterator<Item = &'l Label>, lexicon: &Lexicon) -> Vec<f32> {
        let pieces: Vec<Vec<u32>> = labels.map(|label| pieces(label, lexicon)).collect();
        let vectors = |table: &Table| -> Vec<Vec<f32>> { pieces.iter().map(|pieces| table.vector(pieces)).collect() };
        let (causes, effects) = (vectors(&self.causes), vectors(&self.effects));
        let mut scores = Vec::with_capacity(pieces.len() * pieces.len());
        for cause in &causes {
            for effect in &effects {
                let product: f32 = cause.iter().zip(effect).map(|(a, b)| a * b).sum();
                scores.push(product * self.scale);
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
                pieces.push(bucket(text.as_bytes(), None));
            }
        }
    }
}

fn named(pieces: &mut Vec<u32>, kind: char, name: &str) {
    pieces.push(bucket(name.as_bytes(), Some(kind)));
}

fn bucket(text: &[u8], kind: Option<char>) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    if let Some(kind) = kind {
        hash.update(&[kind as u8, b':']);
    }
    hash.update(text);
    hash.finalize() % BUCKETS
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

    #[test]
    fn unlisted_findings_fit_their_disease_best() {
        let lexicon = Lexicon::load_default().expect("the dictionaries");
        let model = Affinity::load_default().expect("the model");
        let causes = ["肝硬変", "多発性硬化症", "急性心筋梗塞", "潰瘍性大腸炎", "間質性肺炎"];
        let effects = [
            "腹部CT=肝表面の高度な凹凸変形",
            "頭部MRI=脳室に接する卵形の多発高信号域",
            "心エコー=前壁中隔の高度壁運動消失",
            "下部消化管内視鏡=直腸から連続する易出血性の発赤粘膜",
            "胸部CT=両側下葉背側の網状影と牽引性の拡張",
        ];
        let labels: Vec<Label> = causes.iter().chain(&effects).map(|text| label(text)).collect();
        let scores = model.scores(labels.iter(), &lexicon);
        for (number, effect) in effects.iter().enumerate() {
            assert!(lexicon.lookup(effect).is_empty(), "{effect} is listed");
            let of = |cause: usize| scores[cause * labels.len() + causes.len() + number];
            let best = (0..causes.len()).max_by(|&a, &b| of(a).total_cmp(&of(b)));
            assert_eq!(best, Some(number), "{effect}");
        }
    }

    #[test]
    fn a_model_without_rows_says_nothing() {
        let lexicon = Lexicon::load_default().expect("the dictionaries");
        let (a, b) = (label("肝硬変"), label("腹水"));
        assert_eq!(Affinity::default().scores([&a, &b].into_iter(), &lexicon), [0.0; 4]);
    }

    #[test]
    fn broken_files_are_named() {
        for bytes in [&b""[..], b"\x08\0\0\0\0\0\0\0{}      "] {
            let error = Affinity::read(bytes).map(|_| ()).expect_err("a fault").to_string();
            assert!(error.contains(FILE) && error.contains("training/affinity"), "{error}");
        }
    }
}
