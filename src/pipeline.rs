//! The order of the stages; no logic of its own.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::affinity::Affinity;
use crate::encoder::Encoder;
use crate::error::Error;
use crate::extract::Draft;
use crate::extract::neural::{LabelTable, Tagger};
use crate::extract::reader::{self, Reader};
use crate::lexicon::pack::Pack;
use crate::lexicon::{Lexicon, Patient};
use crate::tokenize::{Tokenizer, Worker};
use crate::types::{
    Assertion, Candidate, Case, Mention, MentionId, NodeId, NormalizedText, PartOfSpeech, Relation, Section, Sentence,
    Span, Token,
};
use crate::{arrange, extract, link, normalize, qualify, relate, segment};

/// The longest report that is read, in bytes: far beyond any case report, short enough that
/// memory stays bounded.
pub const MAX_REPORT_BYTES: usize = 1 << 20;

/// Reports → cases. Loaded once; shared by threads.
///
/// ```
/// let pipeline = shorei::Pipeline::load_default()?;
/// let case = pipeline.structure("症例1", "【主訴】発熱 【診断】肺炎と診断した。")?;
/// assert_eq!(case.primary(), "肺炎");
/// # Ok::<(), shorei::Error>(())
/// ```
pub struct Pipeline {
    lexicon: Arc<Lexicon>,
    affinity: Affinity,
    tokenizer: Tokenizer,
    reader: Option<Reader>,
    /// None for a pipeline that training starts from.
    arranger: Option<arrange::Arranger>,
    /// A token classifier of the user's.
    tagger: Option<Tagger>,
    /// Tells this pipeline's workers from another's in a thread's cache.
    serial: u64,
}

/// Which models a [`Pipeline`] has.
///
/// ```
/// let pipeline = shorei::Pipeline::builder().built_in_model().load()?;
/// assert_eq!(pipeline.structure("症例1", "【診断】肺炎と診断した。")?.primary(), "肺炎");
/// # Ok::<(), shorei::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    built_in_model: bool,
    model: Option<PathBuf>,
    labels: Option<PathBuf>,
    arranger: Option<PathBuf>,
    untrained: bool,
}

impl Builder {
    /// The built-in transformer beside dictionaries and rules: surer statuses and MedTxt phrases, case
    /// maps that are a little better, at some ten times the time (ACCURACY.md).
    pub fn built_in_model(mut self) -> Self {
        self.built_in_model = true;
        self
    }

    /// A folder with a transformer: a Hugging Face token classifier, whose mentions and statuses
    /// join those of the dictionaries; or one that `training/model` made, in place of the built-in
    /// one.
    pub fn model(mut self, folder: impl Into<PathBuf>) -> Self {
        self.model = Some(folder.into());
        self
    }

    /// What the labels of a Hugging Face folder mean: a TSV with the header label, kind, status, over
    /// the built-in table, which reads MedTxt's.
    pub fn labels(mut self, file: impl Into<PathBuf>) -> Self {
        self.labels = Some(file.into());
        self
    }

    /// Other arranger's classifiers than the built-in ones: a folder that `training/arranger` made,
    /// with the transformer or without it as this pipeline is.
    pub fn arranger(mut self, folder: impl Into<PathBuf>) -> Self {
        self.arranger = Some(folder.into());
        self
    }

    /// Leaves the arranger's classifiers out: cases have candidates and relations but an empty
    /// map. What training the arranger starts from.
    pub fn untrained(mut self) -> Self {
        self.untrained = true;
        self
    }

    /// Loads everything.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Encoder`], [`Error::Model`] and [`Error::Dictionary`] for a missing or
    /// broken file that was given; [`Error::Embedded`] when the built-in data is at fault.
    pub fn load(&self) -> Result<Pipeline, Error> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        // The tokenizer takes a tenth of the time that the dictionaries take, beside them.
        let (lexicon, tokenizer) = std::thread::scope(|scope| {
            let tokenizer = scope.spawn(Tokenizer::load);
            let lexicon = Lexicon::load_default();
            (lexicon, tokenizer.join())
        });
        let lexicon = Arc::new(lexicon?);
        let tokenizer = tokenizer.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let own = self.model.as_deref().filter(|folder| reader::is_reader(folder));
        let reader = match own {
            Some(folder) => Some(Reader::load(folder)?),
            None if self.built_in_model => Some(Reader::load_default()?),
            None => None,
        };
        let tagger = match &self.model {
            Some(folder) if own.is_none() => Some(Tagger::new(Encoder::load(folder)?, &self.table()?)?),
            _ => None,
        };
        let arranger = match &self.arranger {
            _ if self.untrained => None,
            Some(folder) => Some(arrange::Arranger::load(folder, &lexicon, reader.is_some())?),
            None => Some(arrange::Arranger::load_default(&lexicon, reader.is_some())?),
        };
        Ok(Pipeline {
            arranger,
            affinity: Affinity::load_default()?,
            reader,
            tagger,
            lexicon,
            tokenizer,
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn table(&self) -> Result<LabelTable, Error> {
        let mut table = LabelTable::built_in()?;
        if let Some(path) = &self.labels {
            let text = std::fs::read_to_string(path).map_err(|error| Error::Io {
                path: path.clone(),
                reason: format!("{error}; give a UTF-8 table of label, kind, status"),
            })?;
            table.lay_over(&text, &path.display().to_string())?;
        }
        Ok(table)
    }
}

/// Every intermediate of one report, for [`Pipeline::explain`].
#[derive(Debug)]
pub struct Explanation {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// The mentions before they were numbered, qualified and linked.
    pub drafts: Vec<Draft>,
    /// What is asserted of each draft.
    pub assertions: Vec<Assertion>,
    /// The candidates that relations were scored between.
    pub candidates: Vec<Candidate>,
    /// The scored relations; their ends are indices of the candidates, not nodes of the map.
    pub relations: Vec<Relation>,
    /// The case.
    pub case: Case,
}

thread_local! {
    /// One tokenizer worker a thread: it holds a copy of the medical terms.
    static WORKER: RefCell<Option<(u64, Worker)>> = const { RefCell::new(None) };
}

impl Pipeline {
    /// Loads the embedded dictionaries, knowledge and classifiers; no file and no network is touched.
    /// For the built-in transformer see [`Builder::built_in_model`].
    ///
    /// # Errors
    /// As [`Builder::load`], for built-in data, which the project's tests exclude.
    pub fn load_default() -> Result<Self, Error> {
        Self::builder().load()
    }

    /// Where dictionaries and models other than the built-in ones are chosen.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// This pipeline with dictionary packs over the built-in dictionaries, each over those before
    /// it. Milliseconds a pack.
    ///
    /// # Errors
    /// As [`Lexicon::layered`].
    pub fn with_dictionaries(mut self, packs: impl IntoIterator<Item = Pack>) -> Result<Self, Error> {
        self.lexicon = Arc::new(Arc::unwrap_or_clone(self.lexicon).layered(packs)?);
        Ok(self)
    }

    /// The dictionaries and the knowledge.
    pub fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    /// How well any effect fits any cause.
    pub const fn affinity(&self) -> &Affinity {
        &self.affinity
    }

    /// The dictionaries and the knowledge, to be kept beside the pipeline.
    pub fn shared_lexicon(&self) -> Arc<Lexicon> {
        Arc::clone(&self.lexicon)
    }

    /// This pipeline with more causal links, see [`Lexicon::with_knowledge`].
    ///
    /// # Errors
    /// As [`Lexicon::with_knowledge`].
    pub fn with_knowledge(mut self, file: &Path) -> Result<Self, Error> {
        self.lexicon = Arc::new(Arc::unwrap_or_clone(self.lexicon).with_knowledge(file)?);
        Ok(self)
    }

    /// The words of a report that carry meaning, normalised, in reading order: tokens of more than
    /// one character that are nouns, verbs or adjectives. O(length).
    pub fn words(&self, report: &str) -> Vec<String> {
        let text = normalize::mended(normalize::normalize(report), &self.lexicon);
        let sections = segment::sections(text.norm());
        let sentences = segment::sentences(text.norm(), &sections);
        let tokens = self.tokens(text.norm(), &sentences);
        let words = tokens.iter().filter(|token| carries_meaning(token.pos));
        words
            .map(|token| token.span.slice(text.norm()).to_lowercase())
            .filter(|word| word.chars().count() > 1)
            .collect()
    }

    /// The patient's sex and age, where the report states them. O(length).
    pub fn patient(report: &str) -> Patient {
        let (sex, age_years) = extract::measure::sex_and_age(normalize::normalize(report).norm());
        Patient { sex, age_years }
    }

    /// Structures one report. About a millisecond for 600 characters.
    ///
    /// # Errors
    /// [`Error::TooLong`] beyond [`MAX_REPORT_BYTES`]; any shorter UTF-8 text gives a case, if
    /// need be with an empty map. [`Error::Encoder`] when a model's device fails.
    pub fn structure(&self, id: &str, report: &str) -> Result<Case, Error> {
        self.explain(id, report).map(|explanation| explanation.case)
    }

    /// Structures one report and keeps every intermediate.
    ///
    /// # Errors
    /// As [`Pipeline::structure`].
    pub fn explain(&self, id: &str, report: &str) -> Result<Explanation, Error> {
        if report.len() > MAX_REPORT_BYTES {
            return Err(Error::TooLong {
                id: id.to_owned(),
                bytes: report.len(),
                limit: MAX_REPORT_BYTES,
            });
        }
        let text = normalize::mended(normalize::normalize(report), &self.lexicon);
        let sections = segment::sections(text.norm());
        let sentences = segment::sentences(text.norm(), &sections);
        let tokens = self.tokens(text.norm(), &sentences);
        let tagged = match &self.tagger {
            None => Vec::new(),
            Some(tagger) => tagger.mentions(text.norm(), &tokens)?,
        };
        let mut drafts = extract::mentions(&text, &sections, &tokens, tagged, &self.lexicon);
        link::Definitions::read(text.norm(), &drafts).apply(text.norm(), &mut drafts);
        // A heading that nothing follows says nothing.
        drafts.retain(|draft| sentences.last().is_some_and(|last| draft.span.start < last.span.end));
        let mut assertions = qualify::assertions(text.norm(), &sections, &sentences, &drafts, &self.lexicon);
        let reading = match &self.reader {
            Some(reader) => {
                let marks = extract::marks::marks(text.norm(), &drafts, &assertions, &self.lexicon);
                Some(reader.read(text.norm(), marks)?)
            }
            None => None,
        };
        if let Some(reading) = &reading {
            drafts = extract::reader::extend(text.norm(), &sentences, reading, drafts);
            assertions = qualify::assertions(text.norm(), &sections, &sentences, &drafts, &self.lexicon);
        }
        let mut mentions = self.mentions(&text, &sections, &sentences, &drafts, &assertions);
        let mut candidates = arrange::fold(&text, &sections, &sentences, &mentions, &self.lexicon);
        let mut relations = relate::relations(&text, &sentences, &mentions, &candidates, &self.lexicon);
        if arrange::add_latent(&mut candidates, &relations, &self.lexicon) {
            relations = relate::relations(&text, &sentences, &mentions, &candidates, &self.lexicon);
        }
        let (map, node_of) = self.arranger.as_ref().map_or_else(Default::default, |arranger| {
            arranger.arrange(arrange::Source {
                text: &text,
                sections: &sections,
                sentences: &sentences,
                mentions: &mentions,
                candidates: &candidates,
                relations: &relations,
                lexicon: &self.lexicon,
                affinity: &self.affinity,
                reading: reading.as_ref(),
            })
        });
        let between_nodes = |relation: &Relation| {
            let node = |candidate: NodeId| node_of.get(candidate.0 as usize).copied().flatten();
            Some(Relation {
                source: node(relation.source)?,
                target: node(relation.target)?,
                ..relation.clone()
            })
        };
        let of_nodes = relations.iter().filter_map(between_nodes).collect();
        // Candidates are made of what the cues say, generously: the arranger sees the reading, and
        // decides. What is asserted of each mention is the surer of both.
        if let Some(reading) = &reading {
            qualify::weigh(&drafts, reading, &mut assertions);
            for (mention, assertion) in mentions.iter_mut().zip(&assertions) {
                mention.assertion = *assertion;
            }
        }
        let case = Case {
            id: id.to_owned(),
            text,
            sections,
            sentences,
            mentions,
            relations: of_nodes,
            map,
            reading,
        };
        Ok(Explanation {
            tokens,
            drafts,
            assertions,
            candidates,
            relations,
            case,
        })
    }

    /// Tokens of every sentence, in offsets of the whole text.
    fn tokens(&self, text: &str, sentences: &[Sentence]) -> Vec<Token> {
        WORKER.with(|slot| {
            let mut slot = slot.borrow_mut();
            if slot.as_ref().is_none_or(|(serial, _)| *serial != self.serial) {
                *slot = Some((self.serial, self.tokenizer.worker()));
            }
            let Some((_, worker)) = slot.as_mut() else {
                return Vec::new();
            };
            let mut tokens = Vec::new();
            for sentence in sentences {
                let offset = sentence.span.start;
                tokens.extend(worker.tokens(sentence.span.slice(text)).into_iter().map(|token| Token {
                    span: Span::new(token.span.start + offset, token.span.end + offset),
                    pos: token.pos,
                }));
            }
            tokens
        })
    }

    fn mentions(
        &self,
        text: &NormalizedText,
        sections: &[Section],
        sentences: &[Sentence],
        drafts: &[Draft],
        assertions: &[Assertion],
    ) -> Vec<Mention> {
        let mut mentions = Vec::with_capacity(drafts.len());
        for (draft, assertion) in drafts.iter().zip(assertions) {
            let sentence = sentences.partition_point(|sentence| sentence.span.end <= draft.span.start);
            let section = sections.partition_point(|section| section.span.end <= draft.span.start);
            let concept = link::concept(text.norm(), draft, &self.lexicon);
            mentions.push(Mention {
                id: MentionId(mentions.len() as u32),
                span: text.to_raw(draft.span),
                norm: draft.span,
                text: draft.span.slice(text.norm()).to_owned(),
                kind: draft.kind,
                assertion: *assertion,
                concept,
                modifiers: link::modifiers(text.norm(), draft, concept, &self.lexicon),
                expansion: draft.expansion.clone(),
                value: draft.value.clone(),
                sentence,
                section,
            });
        }
        mentions
    }
}

const fn carries_meaning(pos: PartOfSpeech) -> bool {
    matches!(
        pos,
        PartOfSpeech::Noun
            | PartOfSpeech::VerbalNoun
            | PartOfSpeech::MedicalTerm
            | PartOfSpeech::Verb
            | PartOfSpeech::Adjective
    )
}
