//! The order of the stages; no logic of its own.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::extract::Draft;
use crate::lexicon::pack::Pack;
use crate::lexicon::{Lexicon, Sex};
use crate::tokenize::{Tokenizer, Worker};
use crate::types::{
    Assertion, Candidate, Case, CaseMap, Mention, MentionId, NormalizedText, PartOfSpeech, Section, Sentence, Span,
    Token,
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
    tokenizer: Tokenizer,
    /// None for a pipeline that training starts from.
    arranger: Option<arrange::Arranger>,
    /// Tells this pipeline's workers from another's in a thread's cache.
    serial: u64,
}

/// Every intermediate of one report, for [`Pipeline::explain`].
#[derive(Debug)]
pub struct Explanation {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// The mentions before they were numbered, qualified and linked.
    pub drafts: Vec<Draft>,
    /// The candidates that relations were scored between.
    pub candidates: Vec<Candidate>,
    /// The case.
    pub case: Case,
}

thread_local! {
    /// One tokenizer worker a thread: it holds a copy of the medical terms.
    static WORKER: RefCell<Option<(u64, Worker)>> = const { RefCell::new(None) };
}

impl Pipeline {
    /// Loads the embedded dictionaries and knowledge; no file and no network is touched. Under
    /// 200 ms.
    ///
    /// # Errors
    /// [`Error::Embedded`] or [`Error::Dictionary`] when the built-in data is at fault, which the
    /// project's tests exclude.
    pub fn load_default() -> Result<Self, Error> {
        Self::load_with(|lexicon| arrange::Arranger::load_default(lexicon).map(Some))
    }

    /// As [`Pipeline::load_default`], with the arranger's classifiers from a folder: those that
    /// `training/arranger` made of one's own case maps.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Model`] for a missing or broken file, besides those of
    /// [`Pipeline::load_default`].
    pub fn load_with_arranger(folder: &Path) -> Result<Self, Error> {
        Self::load_with(|lexicon| arrange::Arranger::load(folder, lexicon).map(Some))
    }

    /// A pipeline without the arranger's classifiers, whose cases have candidates and relations
    /// but an empty map: what training the arranger starts from.
    ///
    /// # Errors
    /// As [`Pipeline::load_default`].
    pub fn load_untrained() -> Result<Self, Error> {
        Self::load_with(|_| Ok(None))
    }

    fn load_with(arranger: impl FnOnce(&Lexicon) -> Result<Option<arrange::Arranger>, Error>) -> Result<Self, Error> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let lexicon = Arc::new(Lexicon::load_default()?);
        Ok(Pipeline {
            arranger: arranger(&lexicon)?,
            lexicon,
            tokenizer: Tokenizer::load()?,
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
        })
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
        let text = normalize::normalize(report);
        let sections = segment::sections(text.norm());
        let sentences = segment::sentences(text.norm(), &sections);
        let tokens = self.tokens(text.norm(), &sentences);
        let words = tokens.iter().filter(|token| carries_meaning(token.pos));
        words
            .map(|token| token.span.slice(text.norm()).to_lowercase())
            .filter(|word| word.chars().count() > 1)
            .collect()
    }

    /// The patient's sex and age in years, where the report states them.
    pub fn patient(&self, report: &str) -> (Option<Sex>, Option<f64>) {
        extract::measure::sex_and_age(normalize::normalize(report).norm())
    }

    /// Structures one report. About a millisecond for 600 characters.
    ///
    /// # Errors
    /// [`Error::TooLong`] beyond [`MAX_REPORT_BYTES`]; any shorter UTF-8 text gives a case, if
    /// need be with an empty map.
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
        let text = normalize::normalize(report);
        let sections = segment::sections(text.norm());
        let sentences = segment::sentences(text.norm(), &sections);
        let tokens = self.tokens(text.norm(), &sentences);
        let mut drafts = extract::mentions(&text, &sections, &tokens, &self.lexicon);
        link::Definitions::read(text.norm(), &drafts).apply(text.norm(), &mut drafts);
        // A heading that nothing follows says nothing.
        drafts.retain(|draft| sentences.last().is_some_and(|last| draft.span.start < last.span.end));
        let assertions = qualify::assertions(text.norm(), &sections, &sentences, &drafts, &self.lexicon);
        let mentions = self.mentions(&text, &sections, &sentences, &drafts, &assertions);
        let mut candidates = arrange::fold(&text, &sections, &sentences, &mentions, &self.lexicon);
        let mut relations = relate::relations(&text, &sentences, &mentions, &candidates, &self.lexicon);
        if arrange::add_latent(&mut candidates, &relations, &self.lexicon) {
            relations = relate::relations(&text, &sentences, &mentions, &candidates, &self.lexicon);
        }
        let map = self.arranger.as_ref().map_or_else(CaseMap::default, |arranger| {
            arranger.arrange(arrange::Source {
                text: &text,
                sections: &sections,
                sentences: &sentences,
                mentions: &mentions,
                candidates: &candidates,
                relations: &relations,
                lexicon: &self.lexicon,
            })
        });
        let case = Case {
            id: id.to_owned(),
            text,
            sections,
            sentences,
            mentions,
            relations,
            map,
        };
        Ok(Explanation {
            tokens,
            drafts,
            candidates,
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
            mentions.push(Mention {
                id: MentionId(mentions.len() as u32),
                span: text.to_raw(draft.span),
                norm: draft.span,
                text: draft.span.slice(text.norm()).to_owned(),
                kind: draft.kind,
                assertion: *assertion,
                concept: link::concept(text.norm(), draft, &self.lexicon),
                expansion: draft.expansion.map(|span| span.slice(text.norm()).to_owned()),
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
