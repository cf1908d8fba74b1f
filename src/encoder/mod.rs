//! Token ids → numbers a label: a local transformer, from a Hugging Face folder.
//!
//! Knows no label's meaning. One forward, `transformer.rs`, serves BERT, RoBERTa and DeBERTa-v2. It
//! runs on the CPU; with the feature `cuda`, on the first GPU.
//!
//! Besides Hugging Face's `classifier` a folder may hold further linear heads over the same hidden
//! states: tensors `heads.NAME.weight` and `heads.NAME.bias`, named in config.json under
//! `"shorei": {"heads": {"NAME": ["label", …]}}`. One forward serves all.

mod config;
mod kernels;
mod relative;
mod transformer;
mod vocabulary;
mod weights;
mod window;

use std::ops::Range;
use std::path::Path;

use candle_core::{Device, Tensor};

use crate::error::Error;
use config::Config;
use transformer::Transformer;
pub use vocabulary::{Piece, Vocabulary};
use weights::Weights;

/// Tokens of one forward: so many rows fill the matrix kernels, and more would leave the cache.
const BATCH_TOKENS: usize = 4096;

/// The longest window, in tokens, special tokens included: attention's cost grows with its square.
const LONGEST_WINDOW: usize = 512;

/// The name of Hugging Face's own head.
const CLASSIFIER: &str = "classifier";

/// One text for the encoder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    /// Token ids, without special tokens: `[CLS]` and `[SEP]` are added and taken off inside.
    pub ids: Vec<u32>,
    /// Token types, one an id, or none at all where every type is 0.
    pub types: Vec<u32>,
}

/// What the heads say of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Logits, one matrix a head in the order of [`Encoder::heads`]: a row a token, a column a
    /// label.
    pub heads: Vec<Matrix>,
}

/// Numbers in rows and columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// How many columns, one at least.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One row.
    ///
    /// # Panics
    /// When `index` is not below [`Matrix::rows`].
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns..][..self.columns]
    }

    /// The logits of each row as probabilities that sum to 1. O(values).
    pub fn softmax(mut self) -> Self {
        for row in self.values.chunks_exact_mut(self.columns) {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for value in row.iter_mut() {
                *value = (*value - most).exp();
                sum += *value;
            }
            for value in row {
                *value /= sum;
            }
        }
        self
    }
}

/// A linear layer over the hidden states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// `classifier` for Hugging Face's own, else its name in config.json.
    pub name: String,
    /// The labels of its columns.
    pub labels: Vec<String>,
}

/// The file that a vocabulary is read from.
#[derive(Debug, Clone, Copy)]
pub enum TokenizerFile<'a> {
    /// tokenizer.json, which says all by itself.
    Json {
        /// Its content.
        bytes: &'a [u8],
        /// tokenizer_config.json, for the names of special tokens.
        config: Option<&'a [u8]>,
    },
    /// vocab.txt, a token a line. Without a tokenizer_config.json it is read as WordPiece over
    /// words of the caller's.
    Vocabulary {
        /// Its content.
        text: &'a str,
        /// tokenizer_config.json.
        config: Option<&'a [u8]>,
    },
}

impl<'a> TokenizerFile<'a> {
    fn config(self) -> Option<&'a [u8]> {
        match self {
            TokenizerFile::Json { config, .. } | TokenizerFile::Vocabulary { config, .. } => config,
        }
    }
}

/// A part of a text that the model reads at once.
struct Window {
    /// The text's index.
    text: usize,
    /// Its tokens.
    range: Range<usize>,
    /// How much its answer counts, a token.
    shares: Vec<f32>,
}

/// A transformer with its heads and vocabulary. Loaded once; shared by threads.
pub struct Encoder {
    model: Transformer,
    heads: Vec<Head>,
    /// All heads' weights as one, and their biases.
    weight: Tensor,
    bias: Tensor,
    vocabulary: Vocabulary,
    vocab_size: usize,
    types: usize,
    /// Tokens of a window without the two special ones.
    window: usize,
    name: String,
}

impl Encoder {
    /// Loads a Hugging Face folder: config.json; tokenizer.json, or vocab.txt with or without
    /// tokenizer_config.json; model.safetensors, else pytorch_model.bin. Of BERT, RoBERTa,
    /// XLM-RoBERTa, CamemBERT or DeBERTa-v2, in fp32, fp16 or bf16. O(weights).
    ///
    /// # Errors
    /// [`Error::Io`] for a file that is missing or cannot be read; [`Error::Encoder`] for one that
    /// is broken or of another architecture, or files that do not belong together.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|error| Error::Io {
                reason: format!("{error}; a model folder has config.json, tokenizer.json or vocab.txt, and model.safetensors or pytorch_model.bin"),
                path,
            })
        };
        let file = |name: &str| folder.join(name).display().to_string();
        let config = Config::read(&read("config.json")?, &file("config.json"))?;
        let tokenizer_config = if folder.join("tokenizer_config.json").is_file() {
            Some(read("tokenizer_config.json")?)
        } else {
            None
        };
        let vocabulary = if folder.join("tokenizer.json").is_file() {
            let bytes = read("tokenizer.json")?;
            Vocabulary::read(
                TokenizerFile::Json {
                    bytes: &bytes,
                    config: tokenizer_config.as_deref(),
                },
                &file("tokenizer.json"),
            )?
        } else {
            let text = String::from_utf8(read("vocab.txt")?).map_err(|error| Error::NotUtf8 {
                path: folder.join("vocab.txt"),
                at: error.utf8_error().valid_up_to(),
            })?;
            Vocabulary::read(
                TokenizerFile::Vocabulary {
                    text: &text,
                    config: tokenizer_config.as_deref(),
                },
                &file("vocab.txt"),
            )?
        };
        let device = device()?;
        let name = folder.display().to_string();
        if !folder.join("model.safetensors").is_file() && folder.join("pytorch_model.bin").is_file() {
            let weights = Weights::pickle(&folder.join("pytorch_model.bin"), &device)?;
            return Self::assemble(config, vocabulary, &weights, name);
        }
        let bytes = read("model.safetensors")?;
        let weights = Weights::safetensors(&bytes, &file("model.safetensors"), &device)?;
        Self::assemble(config, vocabulary, &weights, name)
    }

    /// As [`Encoder::load`], from the content of the files: config.json, the vocabulary, and
    /// model.safetensors. `name` stands for the folder in errors.
    ///
    /// # Errors
    /// As [`Encoder::load`], but for the file system.
    pub fn from_parts(name: &str, config: &[u8], tokenizer: TokenizerFile<'_>, weights: &[u8]) -> Result<Self, Error> {
        let config = Config::read(config, &format!("{name}/config.json"))?;
        let vocabulary = Vocabulary::read(tokenizer, &format!("{name}/tokenizer"))?;
        let weights = Weights::safetensors(weights, &format!("{name}/model.safetensors"), &device()?)?;
        Self::assemble(config, vocabulary, &weights, name.to_owned())
    }

    fn assemble(config: Config, vocabulary: Vocabulary, weights: &Weights<'_>, name: String) -> Result<Self, Error> {
        let mut heads = Vec::new();
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        if weights.has("classifier.weight") {
            heads.push(Head {
                name: CLASSIFIER.into(),
                labels: config.labels.clone(),
            });
        }
        heads.extend(config.heads.iter().cloned());
        for head in &heads {
            let prefix = if head.name == CLASSIFIER {
                CLASSIFIER.to_owned()
            } else {
                format!("heads.{}", head.name)
            };
            weight.push(weights.take(&format!("{prefix}.weight"), &[head.labels.len(), config.hidden_size])?);
            bias.push(weights.take(&format!("{prefix}.bias"), &[head.labels.len()])?);
        }
        if heads.is_empty() {
            return Err(Error::Encoder {
                file: name,
                reason: "no `classifier.weight` and no `shorei.heads`: this is no token classifier; fine-tune it for token classification first".into(),
            });
        }
        // Positions before the first are the padding's.
        let positions = config.positions.saturating_sub(config.first_position);
        let window = positions.min(LONGEST_WINDOW).saturating_sub(2);
        if window == 0 {
            return Err(Error::Encoder {
                file: name,
                reason: format!("`max_position_embeddings` is {}, too few for a text", config.positions),
            });
        }
        Ok(Encoder {
            model: Transformer::load(&config, weights)?,
            heads,
            weight: Tensor::cat(&weight, 0)?,
            bias: Tensor::cat(&bias, 0)?,
            vocabulary,
            vocab_size: config.vocab_size,
            types: config.types,
            window,
            name,
        })
    }

    /// The heads, in the order of [`Output::heads`]: `classifier` first where there is one, then
    /// the others by name.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The place of a head in [`Output::heads`].
    pub fn head(&self, name: &str) -> Option<usize> {
        self.heads.iter().position(|head| head.name == name)
    }

    /// The labels of a head's columns; none for an index that no head has.
    pub fn labels(&self, head: usize) -> &[String] {
        self.heads.get(head).map_or(&[], |head| &head.labels)
    }

    /// Tokens and their ids.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// How many token types the model knows; 0 for a model without them.
    pub fn types(&self) -> usize {
        self.types
    }

    /// The folder, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The logits of every token of every text, in the order of `inputs`. A text longer than the
    /// model's positions is read in overlapping windows, whose logits are averaged where they
    /// overlap, more of the one in which a token stands further from the cut. O(tokens).
    ///
    /// # Errors
    /// [`Error::Encoder`] for an id or type that the model does not know, as many types as ids
    /// missing, or a device out of memory.
    pub fn run(&self, inputs: &[Input]) -> Result<Vec<Output>, Error> {
        let mut windows = Vec::new();
        for (text, input) in inputs.iter().enumerate() {
            self.check(text, input)?;
            let ranges = window::windows(input.ids.len(), self.window);
            let shares = window::shares(&ranges, input.ids.len());
            windows.extend(
                ranges
                    .into_iter()
                    .zip(shares)
                    .filter(|(range, _)| !range.is_empty())
                    .map(|(range, shares)| Window { text, range, shares }),
            );
        }
        let columns: usize = self.heads.iter().map(|head| head.labels.len()).sum();
        let mut merged: Vec<Vec<f32>> = inputs
            .iter()
            .map(|input| vec![0.0; input.ids.len() * columns])
            .collect();
        let mut rest = windows.as_slice();
        while !rest.is_empty() {
            let mut tokens = 0;
            let fitting = rest.iter().take_while(|window| {
                tokens += window.range.len() + 2;
                tokens <= BATCH_TOKENS
            });
            let (batch, after) = rest.split_at(fitting.count().max(1));
            rest = after;
            let logits = self.logits(inputs, batch)?;
            // The row of the window's first token: a special one stands before it, one after it.
            let mut first = 1;
            for window in batch {
                let rows = logits[first * columns..].chunks_exact(columns);
                let into = merged[window.text][window.range.start * columns..].chunks_exact_mut(columns);
                for ((row, into), share) in rows.zip(into).zip(&window.shares) {
                    for (sum, logit) in into.iter_mut().zip(row) {
                        *sum += share * logit;
                    }
                }
                first += window.range.len() + 2;
            }
        }
        Ok(merged.into_iter().map(|rows| self.split(&rows, columns)).collect())
    }

    /// One forward: the logits of all tokens of a batch, special ones included, row after row.
    fn logits(&self, inputs: &[Input], batch: &[Window]) -> Result<Vec<f32>, Error> {
        let batch: Vec<Input> = batch
            .iter()
            .map(|Window { text, range, .. }| {
                let input = &inputs[*text];
                let mut ids = Vec::with_capacity(range.len() + 2);
                ids.push(self.vocabulary.first());
                ids.extend_from_slice(&input.ids[range.clone()]);
                ids.push(self.vocabulary.last());
                let mut types = vec![0; ids.len()];
                if !input.types.is_empty() {
                    types[1..=range.len()].copy_from_slice(&input.types[range.clone()]);
                }
                Input { ids, types }
            })
            .collect();
        let logits = || -> candle_core::Result<Vec<f32>> {
            self.model
                .forward(&batch)?
                .matmul(&self.weight.t()?)?
                .broadcast_add(&self.bias)?
                .flatten_all()?
                .to_vec1()
        };
        logits().map_err(|error| Error::Encoder {
            file: self.name.clone(),
            reason: format!("the model does not run: {error}"),
        })
    }

    fn check(&self, index: usize, input: &Input) -> Result<(), Error> {
        let fail = |reason: String| {
            Err(Error::Encoder {
                file: self.name.clone(),
                reason: format!("input {index}: {reason}"),
            })
        };
        if !input.types.is_empty() && input.types.len() != input.ids.len() {
            return fail(format!(
                "{} ids, {} token types; give one an id or none",
                input.ids.len(),
                input.types.len()
            ));
        }
        if let Some(id) = input.ids.iter().find(|id| **id as usize >= self.vocab_size) {
            return fail(format!(
                "token id {id}; the model knows those below {}",
                self.vocab_size
            ));
        }
        if let Some(kind) = input.types.iter().find(|kind| **kind as usize >= self.types.max(1)) {
            return fail(format!(
                "token type {kind}; the model knows those below {}",
                self.types.max(1)
            ));
        }
        Ok(())
    }

    /// Rows of all heads' columns as a matrix a head.
    fn split(&self, rows: &[f32], columns: usize) -> Output {
        let mut first = 0;
        let heads = self.heads.iter().map(|head| {
            let width = head.labels.len();
            let values = rows
                .chunks_exact(columns)
                .flat_map(|row| &row[first..first + width])
                .copied()
                .collect();
            first += width;
            Matrix { columns: width, values }
        });
        Output { heads: heads.collect() }
    }
}

/// The CPU; with the feature `cuda`, the first GPU if there is one.
fn device() -> Result<Device, Error> {
    #[cfg(feature = "cuda")]
    let device = Device::cuda_if_available(0)?;
    #[cfg(not(feature = "cuda"))]
    let device = Device::Cpu;
    Ok(device)
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Error::Encoder {
            file: "encoder".into(),
            reason: error.to_string(),
        }
    }
}
