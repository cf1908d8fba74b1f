//! Text → the ids that a model was trained on, with the bytes that each stands for.

use std::collections::HashMap;

use serde_json::Value as Json;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::tokenizer::normalizer::{NormalizedString, Range};
use tokenizers::{Model, Tokenizer};

use super::TokenizerFile;
use crate::error::Error;
use crate::types::{Norm, Span};

/// A token of a model: a word, a part of a word, or a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Its number in the vocabulary.
    pub id: u32,
    /// The bytes of the text that it stands for; empty for a sign that stands for none.
    pub span: Span<Norm>,
}

/// How words become pieces.
enum Pieces {
    /// As tokenizer.json says, from the whole text.
    Whole(Box<Tokenizer>),
    /// Words of the caller's, cut into WordPiece.
    Words(WordPiece),
    /// Words of the caller's, cut into characters.
    Characters,
}

/// The vocabulary of a model and its way to cut words.
pub struct Vocabulary {
    pieces: Pieces,
    ids: HashMap<String, u32>,
    lowercase: bool,
    first: u32,
    last: u32,
    unknown: u32,
}

impl Vocabulary {
    /// Reads tokenizer.json or vocab.txt, the latter with its tokenizer_config.json if there is
    /// one.
    pub(super) fn read(file: TokenizerFile<'_>, name: &str) -> Result<Self, Error> {
        let fail = |reason: String| Error::Encoder {
            file: name.to_owned(),
            reason,
        };
        let config: Json = match file.config() {
            None => Json::Null,
            Some(bytes) => serde_json::from_slice(bytes)
                .map_err(|error| fail(format!("tokenizer_config.json is not JSON: {error}")))?,
        };
        let flag = |key: &str| config.get(key).and_then(Json::as_bool);
        let text = |key: &str| config.get(key).and_then(Json::as_str);
        let japanese = text("word_tokenizer_type").is_some_and(|kind| kind != "basic")
            || text("tokenizer_class").is_some_and(|class| class.starts_with("BertJapaneseTokenizer"));
        let lowercase = flag("do_lower_case").unwrap_or(false);
        let (pieces, ids) = match file {
            TokenizerFile::Json { bytes, .. } => {
                let mut tokenizer = Tokenizer::from_bytes(bytes)
                    .map_err(|error| fail(format!("not a tokenizer.json of the `tokenizers` library: {error}")))?;
                // Long texts are cut into windows and batches are made by the encoder.
                tokenizer.with_padding(None);
                tokenizer
                    .with_truncation(None)
                    .map_err(|error| fail(error.to_string()))?;
                let ids = tokenizer.get_vocab(true);
                (Pieces::Whole(Box::new(tokenizer)), ids)
            }
            TokenizerFile::Vocabulary { text: lines, .. } => {
                let mut ids = HashMap::new();
                for (id, line) in lines.lines().enumerate() {
                    // As PyTorch's reader: of two equal lines the later counts.
                    ids.insert(line.to_owned(), id as u32);
                }
                let unknown = special(&config, "unk_token", &["[UNK]", "<unk>"], &ids)
                    .map_or_else(|| "[UNK]".to_owned(), |(name, _)| name);
                let words = WordPiece::builder()
                    .vocab(
                        ids.iter()
                            .map(|(token, id)| (token.clone(), *id))
                            .collect::<ahash::AHashMap<_, _>>(),
                    )
                    .unk_token(unknown)
                    .build()
                    .map_err(|error| fail(error.to_string()))?;
                let pieces = match text("subword_tokenizer_type").unwrap_or("wordpiece") {
                    "character" => Pieces::Characters,
                    "wordpiece" if japanese || config.is_null() => Pieces::Words(words),
                    "wordpiece" => {
                        let mut tokenizer = Tokenizer::new(words);
                        tokenizer
                            .with_normalizer(Some(BertNormalizer::new(
                                true,
                                flag("tokenize_chinese_chars").unwrap_or(true),
                                Some(flag("strip_accents").unwrap_or(false)),
                                lowercase,
                            )))
                            .map_err(|error| fail(error.to_string()))?;
                        tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
                        Pieces::Whole(Box::new(tokenizer))
                    }
                    other => {
                        return Err(fail(format!(
                            "`subword_tokenizer_type` is `{other}`; wordpiece and character can be read from vocab.txt. Save the tokenizer as tokenizer.json"
                        )));
                    }
                };
                (pieces, ids)
            }
        };
        let needed = |key: &str, names: &[&str]| {
            special(&config, key, names, &ids).map(|(_, id)| id).ok_or_else(|| {
                fail(format!(
                    "no {}; name the {key} in tokenizer_config.json",
                    names.join(" or ")
                ))
            })
        };
        Ok(Vocabulary {
            first: needed("cls_token", &["[CLS]", "<s>"])?,
            last: needed("sep_token", &["[SEP]", "</s>"])?,
            unknown: needed("unk_token", &["[UNK]", "<unk>"])?,
            pieces,
            ids,
            lowercase,
        })
    }

    /// The id of a token.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// The id of whatever the vocabulary lacks.
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// The id that the encoder puts before every window: `[CLS]` or `<s>`.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// The id that it puts after: `[SEP]` or `</s>`.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True for a vocabulary without tokens.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// True when pieces are made of the words that the caller gives, so that the words matter.
    pub fn needs_words(&self) -> bool {
        !matches!(self.pieces, Pieces::Whole(_))
    }

    /// True when a word may be several pieces, of which a model labels the first.
    pub fn cuts_words(&self) -> bool {
        matches!(self.pieces, Pieces::Words(_))
    }

    /// The pieces of a text, without special tokens, in reading order. `words` are the spans of its
    /// words, in reading order; a vocabulary of a tokenizer.json reads the text itself and ignores
    /// them. Characters between words (blanks) are left out. O(n).
    ///
    /// # Errors
    /// [`Error::Encoder`] when a tokenizer.json's own steps fail.
    pub fn encode(&self, text: &str, words: &[Span<Norm>]) -> Result<Vec<Piece>, Error> {
        let fail = |error: tokenizers::Error| Error::Encoder {
            file: "tokenizer.json".into(),
            reason: error.to_string(),
        };
        if let Pieces::Whole(tokenizer) = &self.pieces {
            let encoding = tokenizer.encode(text, false).map_err(fail)?;
            return Ok(encoding
                .get_ids()
                .iter()
                .zip(encoding.get_offsets())
                .map(|(&id, &(start, end))| Piece {
                    id,
                    span: Span::new(start, end),
                })
                .collect());
        }
        let mut pieces = Vec::with_capacity(words.len());
        for word in words.iter().filter(|word| !word.slice(text).trim().is_empty()) {
            let mut read = NormalizedString::from(word.slice(text));
            if self.lowercase {
                read.lowercase();
            }
            // A letter may change its length when it is lowered: İ.
            let mut push = |id: u32, start: usize, end: usize| {
                if let Some(bytes) = read.convert_offsets(Range::Normalized(start..end)) {
                    pieces.push(Piece {
                        id,
                        span: Span::new(word.start + bytes.start, word.start + bytes.end),
                    });
                }
            };
            match &self.pieces {
                Pieces::Words(model) => {
                    for token in model.tokenize(read.get()).map_err(fail)? {
                        push(token.id, token.offsets.0, token.offsets.1);
                    }
                }
                _ => {
                    for (start, character) in read.get().char_indices() {
                        let end = start + character.len_utf8();
                        let id = self.id(&read.get()[start..end]).unwrap_or(self.unknown);
                        push(id, start, end);
                    }
                }
            }
        }
        Ok(pieces)
    }
}

/// A special token and its id: as tokenizer_config.json names it, else the first of `names` that
/// the vocabulary has.
fn special(config: &Json, key: &str, names: &[&str], ids: &HashMap<String, u32>) -> Option<(String, u32)> {
    let named = config
        .get(key)
        .and_then(|value| value.as_str().or_else(|| value.get("content").and_then(Json::as_str)));
    named
        .into_iter()
        .chain(names.iter().copied())
        .find_map(|name| Some((name.to_owned(), *ids.get(name)?)))
}
