//! Normalised text → tokens, by lindera with the embedded IPADIC and the medical terms.
//!
//! Alone names lindera. Both dictionaries are compiled at build time and embedded: nothing is
//! read from disk or the network.

use lindera::mode::Mode;
use lindera::segmenter::Segmenter;
use lindera::worker::SegmentWorker;
use lindera_dictionary::dictionary::UserDictionary;

use crate::error::Error;
use crate::types::{PartOfSpeech, Span, Token};

mod base {
    #![allow(missing_docs)]
    lindera_dictionary::embedded_dictionary!("/lindera-ipadic", EmbeddedIpadic);
}

/// The medical terms, compiled as a lindera user dictionary.
static MEDICAL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/medical.bin"));

/// The tokenizer's dictionaries, loaded once and shared by threads.
#[derive(Clone)]
pub struct Tokenizer {
    segmenter: Segmenter,
}

/// A tokenizer with its own working memory; one per thread.
pub struct Worker {
    worker: SegmentWorker,
}

impl Tokenizer {
    /// Loads the embedded dictionaries: a few milliseconds, the base dictionary is used in place.
    ///
    /// # Errors
    /// [`Error::Embedded`] when the embedded data does not load, which is a fault of the build.
    pub fn load() -> Result<Self, Error> {
        let fault = |error: lindera_dictionary::error::LinderaError| Error::Embedded {
            what: "tokenizer dictionary",
            reason: error.to_string(),
        };
        let dictionary = base::load().map_err(fault)?;
        let user = UserDictionary::load(MEDICAL).map_err(fault)?;
        Ok(Tokenizer {
            segmenter: Segmenter::new(Mode::Normal, dictionary, Some(user)),
        })
    }

    /// A worker for one thread. Copies the medical terms (a few megabytes), so keep it.
    pub fn worker(&self) -> Worker {
        Worker {
            worker: self.segmenter.new_worker(),
        }
    }
}

impl Worker {
    /// Tokens of `text` in reading order, without white space. Linear in the length of `text`.
    ///
    /// Text that the tokenizer refuses yields no tokens: the later stages then work from the
    /// characters alone.
    pub fn tokens(&mut self, text: &str) -> Vec<Token> {
        let Ok(tokens) = self.worker.segment(text) else {
            return Vec::new();
        };
        tokens
            .into_iter()
            .map(|token| Token {
                span: Span::new(token.byte_start, token.byte_end),
                pos: part_of_speech_of(&token),
            })
            .collect()
    }
}

/// The part of speech, from the dictionary's own bytes: a token's list of details would cost more
/// than finding the token.
fn part_of_speech_of(token: &lindera::token::Token<'_>) -> PartOfSpeech {
    let id = token.word_id.id() as usize;
    let mut details = if token.word_id.is_unknown() {
        token.dictionary.unknown_word_details_iter(id)
    } else if token.word_id.is_system() {
        token.dictionary.word_details_iter(id)
    } else {
        return PartOfSpeech::MedicalTerm;
    };
    let class = details.next().unwrap_or_default();
    part_of_speech(class, details.next().unwrap_or_default())
}

fn part_of_speech(class: &str, detail: &str) -> PartOfSpeech {
    match (class, detail) {
        ("名詞", "サ変接続") => PartOfSpeech::VerbalNoun,
        ("名詞", "接尾") => PartOfSpeech::Suffix,
        ("名詞", "数") => PartOfSpeech::Number,
        ("名詞", "非自立" | "代名詞" | "特殊" | "副詞可能") => PartOfSpeech::DependentNoun,
        ("名詞", _) => PartOfSpeech::Noun,
        ("接頭詞", _) => PartOfSpeech::Prefix,
        ("動詞", _) => PartOfSpeech::Verb,
        ("形容詞", _) => PartOfSpeech::Adjective,
        ("助詞", _) => PartOfSpeech::Particle,
        ("助動詞", _) => PartOfSpeech::Auxiliary,
        ("副詞" | "連体詞" | "接続詞" | "感動詞" | "フィラー", _) => PartOfSpeech::Adverb,
        // Unknown Latin and kanji words come as 名詞 from unk.def; what is left is punctuation.
        _ => PartOfSpeech::Symbol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_disease_name_is_one_token() {
        let tokenizer = Tokenizer::load().expect("embedded dictionaries");
        let text = "入院時に好酸球性多発血管炎性肉芽腫症と診断した。";
        let tokens = tokenizer.worker().tokens(text);
        assert!(
            tokens
                .iter()
                .any(|token| token.span.slice(text) == "好酸球性多発血管炎性肉芽腫症"
                    && token.pos == PartOfSpeech::MedicalTerm),
            "{:?}",
            tokens.iter().map(|token| token.span.slice(text)).collect::<Vec<_>>()
        );
    }
}
