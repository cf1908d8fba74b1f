//! Mentions as a token classifier names them: `--model DIR`.
//!
//! A model's labels are read in three parts: its place within a mention (`B-`, `I-`, `E-`, `S-`;
//! none for plain tags), its tag (`d`, `m-key`), and what is asserted (`_positive`). Tag and
//! assertion are looked up in a table, `labels.tsv`, over which a user may lay another.

use std::collections::HashMap;

use crate::encoder::{Encoder, Input, Piece};
use crate::error::Error;
use crate::types::{MentionKind, Norm, Span, Status, Token};

/// What MedTxt's labels mean.
const BUILT_IN: &str = include_str!("labels.tsv");

/// A label's meaning; `None` for one that is passed over.
type Meaning = Option<(MentionKind, Option<Status>)>;

/// Labels of token classifiers and what they mean.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelTable {
    meanings: HashMap<String, Meaning>,
}

impl LabelTable {
    /// The built-in table: MedTxt's tags with their certainties and states.
    ///
    /// # Errors
    /// [`Error::Dictionary`] when the built-in table is at fault, which the project's tests exclude.
    pub fn built_in() -> Result<Self, Error> {
        let mut table = LabelTable {
            meanings: HashMap::new(),
        };
        table.lay_over(BUILT_IN, "src/extract/labels.tsv")?;
        Ok(table)
    }

    /// Lays a table over this one: TSV with the header `label kind status`. The label stands without
    /// its `B-`; the kind is one of the JSON output's, or `-` for a label to pass over; the status is
    /// `present`, `absent`, `suspected`, `planned`, `general`, or empty where the rules are to tell.
    /// `file` names it in errors.
    ///
    /// # Errors
    /// [`Error::Dictionary`] with the line of a row that says something else.
    pub fn lay_over(&mut self, text: &str, file: &str) -> Result<(), Error> {
        let mut lines = text.lines().enumerate();
        let fail = |line: usize, value: &str, reason: &str| Error::Dictionary {
            file: file.to_owned(),
            line: line + 1,
            value: value.to_owned(),
            reason: reason.to_owned(),
        };
        match lines.next() {
            Some((_, header)) if header.trim_end() == "label\tkind\tstatus" => {}
            header => {
                let found = header.map_or("", |(_, header)| header);
                return Err(fail(
                    0,
                    found,
                    "the first line must be label, kind, status, with tabs between",
                ));
            }
        }
        for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
            let cells: Vec<&str> = row.split('\t').map(str::trim).collect();
            let (label, kind, status) = match cells.as_slice() {
                [label, kind] => (*label, *kind, ""),
                [label, kind, status] => (*label, *kind, *status),
                _ => return Err(fail(line, row, "a row is label, kind and status, with tabs between")),
            };
            let meaning = if kind == "-" {
                None
            } else {
                let kind = named(kind).ok_or_else(|| {
                    fail(
                        line,
                        kind,
                        "no kind; disease, finding, site, exam, test_item, test_value, drug, dose, treatment, time, change, feature, context, or - to pass over",
                    )
                })?;
                let status = match status {
                    "" => None,
                    status => Some(named(status).ok_or_else(|| {
                        fail(
                            line,
                            status,
                            "no status; present, absent, suspected, planned, general, or empty",
                        )
                    })?),
                };
                Some((kind, status))
            };
            self.meanings.insert(key(label), meaning);
        }
        Ok(())
    }

    fn get(&self, label: &str) -> Option<Meaning> {
        self.meanings.get(&key(label)).copied()
    }
}

/// Labels are told apart without regard to capitals.
fn key(label: &str) -> String {
    label.trim().to_lowercase()
}

/// A kind or status by its name in JSON.
fn named<T: serde::de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// Where a token stands in its mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// B, S, U: a mention begins here.
    Begin,
    /// I, M, E, L: it goes on.
    Inside,
    /// The scheme does not tell: neighbours with one label are one mention.
    Plain,
}

/// A label of the model's.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reading {
    place: Place,
    /// None for a token outside of any mention.
    meaning: Meaning,
}

/// What a model says of a mention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opinion {
    /// The status, where its labels have one.
    pub status: Option<Status>,
    /// The mean probability of its tokens' labels, 0 to 1.
    pub probability: f32,
}

/// A mention that a model names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tagged {
    /// Where.
    pub span: Span<Norm>,
    /// What.
    pub kind: MentionKind,
    /// How surely, and in which status.
    pub opinion: Opinion,
}

/// A token classifier and what its labels mean.
pub struct Tagger {
    encoder: Encoder,
    readings: Vec<Reading>,
}

impl Tagger {
    /// Joins a token classifier with a table of its labels.
    ///
    /// # Errors
    /// [`Error::Encoder`] for a folder without the head `classifier`, and for labels that the table
    /// does not have.
    pub fn new(encoder: Encoder, table: &LabelTable) -> Result<Self, Error> {
        let fail = |reason: String| Error::Encoder {
            file: encoder.name().to_owned(),
            reason,
        };
        if encoder.head("classifier") != Some(0) {
            return Err(fail(
                "no head `classifier`; fine-tune it for token classification".into(),
            ));
        }
        let labels = encoder.labels(0);
        let marked = labels.iter().any(|label| split(label).0 == Place::Begin);
        let mut readings = Vec::with_capacity(labels.len());
        let mut unknown = Vec::new();
        for label in labels {
            let (place, name) = if marked {
                split(label)
            } else {
                (Place::Plain, label.as_str())
            };
            let meaning = match key(name).as_str() {
                "o" => Some(None),
                _ => table.get(name),
            };
            match meaning {
                Some(meaning) => readings.push(Reading { place, meaning }),
                None => unknown.push(label.as_str()),
            }
        }
        if !unknown.is_empty() {
            return Err(fail(format!(
                "nothing is known of its labels {}; say what they mean with --labels FILE, a TSV of label, kind, status",
                unknown.join(", ")
            )));
        }
        Ok(Tagger { encoder, readings })
    }

    /// The mentions that the model finds, in reading order, none within another. `tokens` are the
    /// words of a vocabulary that asks for them. O(n) forwards.
    ///
    /// # Errors
    /// [`Error::Encoder`] when the model does not run.
    pub fn mentions(&self, text: &str, tokens: &[Token]) -> Result<Vec<Tagged>, Error> {
        let words: Vec<Span<Norm>> = tokens.iter().map(|token| token.span).collect();
        let pieces = self.encoder.vocabulary().encode(text, &words)?;
        if pieces.is_empty() {
            return Ok(Vec::new());
        }
        let input = Input {
            ids: pieces.iter().map(|piece| piece.id).collect(),
            types: Vec::new(),
        };
        let Some(mut output) = self.encoder.run(&[input])?.pop() else {
            return Ok(Vec::new());
        };
        let probabilities = output.heads.swap_remove(0).softmax();
        let best = (0..probabilities.rows()).map(|row| {
            probabilities
                .row(row)
                .iter()
                .copied()
                .enumerate()
                .max_by(|(_, a), (_, b)| a.total_cmp(b))
                .unwrap_or_default()
        });
        let units = units(&pieces, best, &words, self.encoder.vocabulary().cuts_words());
        let read = units
            .into_iter()
            .map(|unit| (unit.span, self.readings[unit.label], unit.probability));
        Ok(decode(text, read))
    }
}

/// A stretch of text that has one label.
struct Unit {
    span: Span<Norm>,
    label: usize,
    probability: f32,
}

/// Pieces with their labels; where words are cut, a word with that of its first piece: the others'
/// are not trained.
fn units(
    pieces: &[Piece],
    best: impl Iterator<Item = (usize, f32)>,
    words: &[Span<Norm>],
    cuts_words: bool,
) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::with_capacity(pieces.len());
    let mut word = None;
    for (piece, (label, probability)) in pieces.iter().zip(best) {
        if cuts_words {
            let of = words.partition_point(|word| word.end <= piece.span.start);
            if word == Some(of) {
                if let Some(unit) = units.last_mut() {
                    unit.span = unit.span.cover(&piece.span);
                }
                continue;
            }
            word = Some(of);
        }
        units.push(Unit {
            span: piece.span,
            label,
            probability,
        });
    }
    units
}

/// Labelled stretches → mentions. What a label says of its place is a hint: a mention also begins
/// where the meaning changes, and ends at a line break or full stop.
fn decode(text: &str, units: impl Iterator<Item = (Span<Norm>, Reading, f32)>) -> Vec<Tagged> {
    let mut found: Vec<(Tagged, f32, usize)> = Vec::new();
    let mut open = false;
    for (span, reading, probability) in units {
        let Some((kind, status)) = reading.meaning else {
            // A sign without text neither ends a mention nor begins one.
            open &= span.is_empty();
            continue;
        };
        let words = span.slice(text);
        if words.trim().is_empty() || words == "。" {
            open &= !words.contains(['\n', '。']);
            continue;
        }
        let goes_on = open
            && reading.place != Place::Begin
            && found.last().is_some_and(|(last, ..)| {
                last.kind == kind
                    && last.opinion.status == status
                    && text
                        .get(last.span.end..span.start)
                        .is_some_and(|between| between.trim().is_empty() && !between.contains('\n'))
            });
        match found.last_mut().filter(|_| goes_on) {
            Some((last, sum, count)) => {
                last.span = last.span.cover(&span);
                *sum += probability;
                *count += 1;
            }
            None => found.push((
                Tagged {
                    span,
                    kind,
                    opinion: Opinion {
                        status,
                        probability: 0.0,
                    },
                },
                probability,
                1,
            )),
        }
        open = true;
    }
    found
        .into_iter()
        .map(|(mut tagged, sum, count)| {
            tagged.opinion.probability = sum / count as f32;
            // A piece may begin with the blank before its word.
            let words = tagged.span.slice(text);
            let start = tagged.span.start + words.len() - words.trim_start().len();
            tagged.span = Span::new(start, start + words.trim().len());
            tagged
        })
        .collect()
}

/// A label's place and the rest of it.
fn split(label: &str) -> (Place, &str) {
    let place = match label.get(..2) {
        Some("B-" | "S-" | "U-" | "b-" | "s-" | "u-" | "B_" | "S_" | "U_") => Place::Begin,
        Some("I-" | "E-" | "M-" | "L-" | "i-" | "e-" | "l-" | "I_" | "E_" | "L_") => Place::Inside,
        _ => return (Place::Plain, label),
    };
    (place, &label[2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> LabelTable {
        LabelTable::built_in().expect("the built-in table")
    }

    /// Decodes characters with a label each.
    fn read(text: &str, labels: &[&str]) -> Vec<(String, MentionKind, Option<Status>)> {
        let marked = labels.iter().any(|label| split(label).0 == Place::Begin);
        let table = table();
        let units = text.char_indices().zip(labels).map(|((start, c), label)| {
            let (place, name) = if marked { split(label) } else { (Place::Plain, *label) };
            let meaning = if name == "O" {
                None
            } else {
                table.get(name).expect("a known label")
            };
            (Span::new(start, start + c.len_utf8()), Reading { place, meaning }, 0.5)
        });
        let mentions = decode(text, units);
        assert!(mentions.iter().all(|tagged| tagged.opinion.probability == 0.5));
        mentions
            .into_iter()
            .map(|tagged| (tagged.span.slice(text).to_owned(), tagged.kind, tagged.opinion.status))
            .collect()
    }

    fn disease(text: &str, status: Status) -> (String, MentionKind, Option<Status>) {
        (text.to_owned(), MentionKind::Disease, Some(status))
    }

    #[test]
    fn bio_tells_neighbours_apart() {
        let labels = ["B-d_positive", "I-d_positive", "B-d_positive", "I-d_positive", "O"];
        assert_eq!(
            read("発熱咳嗽有", &labels),
            [disease("発熱", Status::Present), disease("咳嗽", Status::Present)]
        );
    }

    #[test]
    fn bioes_and_broken_sequences_are_read() {
        let labels = [
            "B-d_negative",
            "E-d_negative",
            "S-d_positive",
            "I-d_positive",
            "I-d_negative",
        ];
        assert_eq!(
            read("発熱咳痰血", &labels),
            [
                disease("発熱", Status::Absent),
                // An inside without its begin goes on with what stands before it, if that is alike.
                disease("咳痰", Status::Present),
                disease("血", Status::Absent)
            ]
        );
    }

    #[test]
    fn plain_tags_join() {
        let labels = [
            "TIMEX3",
            "TIMEX3",
            "O",
            "m-key_executed",
            "m-key_executed",
            "d_positive",
        ];
        assert_eq!(
            read("2日後PS熱", &labels),
            [
                ("2日".to_owned(), MentionKind::Time, None),
                ("PS".to_owned(), MentionKind::Drug, Some(Status::Present)),
                disease("熱", Status::Present)
            ]
        );
    }

    #[test]
    fn full_stops_and_lines_end_mentions() {
        assert_eq!(
            read("熱。咳\n痰", &["d_positive"; 5]),
            ["熱", "咳", "痰"].map(|text| disease(text, Status::Present))
        );
        assert_eq!(read(" 熱 咳 ", &["d_positive"; 5]), [disease("熱 咳", Status::Present)]);
    }

    #[test]
    fn words_take_the_label_of_their_first_piece() {
        let words = [Span::new(0, 6), Span::new(6, 9)];
        let pieces = [(0, 3), (3, 6), (6, 9)].map(|(start, end)| Piece {
            id: 0,
            span: Span::new(start, end),
        });
        let best = [(1, 0.9), (0, 0.8), (2, 0.7)];
        let of = |cuts| -> Vec<(usize, usize, usize)> {
            units(&pieces, best.into_iter(), &words, cuts)
                .into_iter()
                .map(|unit| (unit.span.start, unit.span.end, unit.label))
                .collect()
        };
        assert_eq!(of(true), [(0, 6, 1), (6, 9, 2)]);
        assert_eq!(of(false), [(0, 3, 1), (3, 6, 0), (6, 9, 2)]);
    }

    #[test]
    fn the_built_in_table_reads_medtxts_labels() {
        let table = table();
        for (label, meaning) in [
            ("d", Some((MentionKind::Disease, None))),
            ("D_Suspicious", Some((MentionKind::Disease, Some(Status::Suspected)))),
            ("m-key_scheduled", Some((MentionKind::Drug, Some(Status::Planned)))),
            ("TIMEX3_DATE", Some((MentionKind::Time, None))),
            ("t-test_negated", Some((MentionKind::Exam, Some(Status::Absent)))),
            ("p", None),
        ] {
            assert_eq!(table.get(label), Some(meaning), "{label}");
        }
        assert_eq!(table.get("gene"), None);
    }

    #[test]
    fn tables_are_laid_over_and_faults_named() {
        let mut table = table();
        table
            .lay_over(
                "label\tkind\tstatus\nDrug\tdrug\nd\tfinding\tabsent\n\ngene\t-\t\n",
                "mine.tsv",
            )
            .expect("a table");
        assert_eq!(table.get("drug"), Some(Some((MentionKind::Drug, None))));
        assert_eq!(table.get("D"), Some(Some((MentionKind::Finding, Some(Status::Absent)))));
        assert_eq!(table.get("gene"), Some(None));
        for (text, at, word) in [
            ("label\tkind\n", 1, "label, kind, status"),
            ("label\tkind\tstatus\nx\tdisaese\t\n", 2, "disaese"),
            ("label\tkind\tstatus\nx\tdrug\tmaybe\n", 2, "maybe"),
            ("label\tkind\tstatus\nx\n", 2, "a row is"),
        ] {
            let error = table.lay_over(text, "mine.tsv").expect_err(word).to_string();
            assert!(
                error.starts_with(&format!("mine.tsv:{at}: ")) && error.contains(word),
                "{error}"
            );
        }
    }
}
