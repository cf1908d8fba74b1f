//! The default transformer's reading of a report: characters with the marks of dictionaries and
//! rules in, probabilities and phrases out.
//!
//! The model has four heads (training/model): `mention` tags what is mentioned and with which
//! status, `node` the words of case-map nodes, `primary` those of the primary disease, `medtxt`
//! positive diseases as MedTxt marks them.

use std::collections::HashMap;
use std::path::Path;

use super::{Draft, marks};
use crate::encoder::{Encoder, Input, Matrix, TokenizerFile};
use crate::error::Error;
use crate::types::{Aspect, MentionKind, Norm, Reading, Sentence, Span};

/// True for a folder that `training/model` made, and not another token classifier's.
pub fn is_reader(folder: &Path) -> bool {
    folder.join(TRANSITIONS_FILE).is_file()
}

/// The transformer that reads marks. Loaded once; shared by threads.
pub struct Reader {
    encoder: Encoder,
    /// For each head in the encoder's order the aspect of each label.
    aspects: Vec<Vec<Option<Aspect>>>,
    node: Tags,
    positive: Tags,
}

/// A head whose tags make phrases.
struct Tags {
    head: usize,
    /// Whether a label begins a phrase, goes on with one, or neither.
    begins: Vec<Option<bool>>,
    /// What each label adds after each other, as log odds: a row of a text's start, then a row a
    /// label.
    odds: Vec<Vec<f32>>,
}

/// The file of a model folder with the odds of one tag after another, by head.
const TRANSITIONS_FILE: &str = "transitions.json";

impl Reader {
    /// The built-in model.
    ///
    /// # Errors
    /// [`Error::Encoder`] when the embedded files are at fault, which the project's tests exclude.
    pub fn load_default() -> Result<Self, Error> {
        let encoder = Encoder::from_parts(
            "models/default",
            include_bytes!("../../models/default/config.json"),
            TokenizerFile::Vocabulary {
                text: include_str!("../../models/default/vocab.txt"),
                config: Some(include_bytes!("../../models/default/tokenizer_config.json")),
            },
            include_bytes!("../../models/default/model.safetensors"),
        )?;
        Self::new(encoder, include_bytes!("../../models/default/transitions.json"))
    }

    /// A model of `training/model` from its folder.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Encoder`] for files that are missing or broken, or a model of
    /// other marks or heads.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(TRANSITIONS_FILE);
        let transitions = std::fs::read(&path).map_err(|error| Error::Io {
            path,
            reason: format!("{error}; the folder must be one that training/model made"),
        })?;
        Self::new(Encoder::load(folder)?, &transitions)
    }

    fn new(encoder: Encoder, transitions: &[u8]) -> Result<Self, Error> {
        let fail = |reason: String| Error::Encoder {
            file: encoder.name().to_owned(),
            reason,
        };
        let marks = marks::names().len();
        if encoder.types() != marks {
            return Err(fail(format!(
                "it knows {} marks and this program gives {marks}; train it again (training/README.md)",
                encoder.types()
            )));
        }
        let mut transitions: HashMap<String, Vec<Vec<f32>>> =
            serde_json::from_slice(transitions).map_err(|error| fail(format!("{TRANSITIONS_FILE}: {error}")))?;
        let mut tags = |name: &str| {
            let head = encoder.head(name).ok_or_else(|| fail(format!("no head `{name}`")))?;
            let labels = encoder.labels(head);
            let odds = transitions.remove(name).unwrap_or_default();
            if odds.len() != labels.len() + 1 || odds.iter().any(|row| row.len() != labels.len()) {
                return Err(fail(format!(
                    "{TRANSITIONS_FILE}: `{name}` must have {} rows of {} numbers",
                    labels.len() + 1,
                    labels.len()
                )));
            }
            let begins = |label: &String| match label.split_once('-')?.0 {
                "B" => Some(true),
                _ => Some(false),
            };
            Ok(Tags {
                head,
                begins: labels.iter().map(begins).collect(),
                odds,
            })
        };
        let (node, positive) = (tags("node")?, tags("medtxt")?);
        let aspects = encoder
            .heads()
            .iter()
            .map(|head| head.labels.iter().map(|label| aspect(&head.name, label)).collect())
            .collect();
        Ok(Reader {
            aspects,
            node,
            positive,
            encoder,
        })
    }

    /// Reads a text with its marks ([`marks::marks`]). O(n); about 20 ms for 600 characters.
    ///
    /// # Errors
    /// [`Error::Encoder`] when there is not one mark a character, or memory is short.
    pub fn read(&self, text: &str, marks: Vec<u32>) -> Result<Reading, Error> {
        let vocabulary = self.encoder.vocabulary();
        let mut letter = [0; 4];
        let ids = text
            .chars()
            .map(|c| {
                let token = match c {
                    // vocab.txt cannot hold these as lines.
                    ' ' => "[SP]",
                    '\n' => "[LF]",
                    _ => c.encode_utf8(&mut letter),
                };
                vocabulary.id(token).unwrap_or(vocabulary.unknown())
            })
            .collect();
        let outputs = self.encoder.run(&[Input { ids, types: marks }])?;
        let heads: Vec<Matrix> = outputs
            .into_iter()
            .flat_map(|output| output.heads)
            .map(Matrix::softmax)
            .collect();
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let mut values = vec![[0.0; Aspect::ALL.len()]; starts.len()];
        for (head, aspects) in heads.iter().zip(&self.aspects) {
            for (row, value) in values.iter_mut().enumerate() {
                for (probability, aspect) in head.row(row).iter().zip(aspects) {
                    if let Some(aspect) = aspect {
                        value[*aspect as usize] += probability;
                    }
                }
            }
        }
        let nodes = self.node.phrases(&heads[self.node.head], &starts, text.len());
        let positives = self.positive.phrases(&heads[self.positive.head], &starts, text.len());
        let mut reading = Reading::new(starts, values);
        reading.nodes = nodes;
        reading.positives = positives;
        Ok(reading)
    }
}

/// What a head's label says.
fn aspect(head: &str, label: &str) -> Option<Aspect> {
    let name = label.strip_prefix("B-").or_else(|| label.strip_prefix("I-"));
    Some(match (head, name) {
        ("primary", None) if label != "O" => Aspect::Primary,
        ("node", Some(_)) => Aspect::Node,
        ("medtxt", Some(_)) => Aspect::Positive,
        ("mention", Some("d")) => Aspect::Present,
        ("mention", Some("d-")) => Aspect::Absent,
        ("mention", Some("d?" | "ds")) => Aspect::Suspected,
        ("mention", Some("dx")) => Aspect::RuledOut,
        ("mention", Some("dp")) => Aspect::Past,
        ("mention", Some("df")) => Aspect::Family,
        ("mention", Some("dg")) => Aspect::General,
        ("mention", Some(_)) => Aspect::Other,
        _ => return None,
    })
}

impl Tags {
    /// The phrases along the likeliest path of tags (Viterbi). O(rows × labels²).
    fn phrases(&self, matrix: &Matrix, starts: &[usize], end: usize) -> Vec<Span<Norm>> {
        let labels = self.begins.len();
        let mut best = vec![0.0; labels];
        let mut back: Vec<usize> = Vec::with_capacity(matrix.rows() * labels);
        for row in 0..matrix.rows() {
            let mut next = Vec::with_capacity(labels);
            for (label, probability) in matrix.row(row).iter().enumerate() {
                let after = |before: usize| best[before] + self.odds[before + 1][label];
                let (before, score) = if row == 0 {
                    (0, self.odds[0][label])
                } else {
                    let before = (0..labels).max_by(|&a, &b| after(a).total_cmp(&after(b))).unwrap_or(0);
                    (before, after(before))
                };
                back.push(before);
                next.push(score + probability.max(1e-9).ln());
            }
            best = next;
        }
        let mut label = (0..labels).max_by(|&a, &b| best[a].total_cmp(&best[b])).unwrap_or(0);
        let mut spans = Vec::new();
        let mut until = end;
        for row in (0..matrix.rows()).rev() {
            match self.begins[label] {
                Some(true) => {
                    spans.push(Span::new(starts[row], until));
                    until = starts[row];
                }
                Some(false) => {}
                None => until = starts[row],
            }
            label = back[row * labels + label];
        }
        spans.reverse();
        spans
    }
}

/// Adds the findings that only the transformer sees: phrases of nodes within a sentence that touch
/// no condition, test, drug or treatment among the drafts. `drafts` stay in reading order.
pub fn extend(text: &str, sentences: &[Sentence], reading: &Reading, mut drafts: Vec<Draft>) -> Vec<Draft> {
    let named = drafts.len();
    for &span in &reading.nodes {
        let taken = drafts[..named].iter().any(|draft| {
            draft.span.overlaps(&span)
                && !matches!(
                    draft.kind,
                    MentionKind::Site | MentionKind::Feature | MentionKind::Change | MentionKind::Context
                )
        });
        let at = sentences.partition_point(|sentence| sentence.span.end <= span.start);
        let whole = sentences.get(at).is_some_and(|sentence| sentence.span.contains(&span));
        if !taken && whole && span.slice(text).chars().filter(|c| c.is_alphanumeric()).count() > 1 {
            drafts.push(Draft::new(span, MentionKind::Finding, None));
        }
    }
    // A site that a phrase holds is part of it.
    let phrases: Vec<Span<Norm>> = drafts[named..].iter().map(|draft| draft.span).collect();
    let mut index = 0;
    drafts.retain(|draft| {
        index += 1;
        index > named || !phrases.iter().any(|phrase| phrase.overlaps(&draft.span))
    });
    drafts.sort_by_key(|draft| (draft.span, draft.kind));
    drafts
}
