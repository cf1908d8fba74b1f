//! The forward of BERT, RoBERTa and DeBERTa-v2.
//!
//! A batch is not padded. The tokens of all its sequences stand one after the other as the rows of
//! one matrix, for the linear layers; attention goes sequence by sequence over its own rows. So
//! sequences of any lengths share a batch and no mask is needed.

use candle_core::{D, Tensor};

use super::Input;
use super::config::{Activation, Architecture, Config};
use super::kernels::{self, Norm};
use super::relative::{Distances, Linear, Relative};
use super::weights::Weights;
use crate::error::Error;

/// One block: attention, then the feed-forward network. A linear layer's bias stands with the step
/// that adds it.
struct Layer {
    /// Query, key and value as one; the query's part is scaled.
    attention: Linear,
    relative: Option<Relative>,
    attention_out: Tensor,
    attention_norm: Norm,
    inner: Linear,
    outer: Tensor,
    outer_norm: Norm,
}

/// DeBERTa's convolution beside the first block.
struct Convolution {
    weight: Tensor,
    bias: Tensor,
    groups: usize,
    activation: Option<Activation>,
    norm: Norm,
}

/// Embeddings and blocks.
pub(super) struct Transformer {
    words: Tensor,
    /// None for a model with relative positions only.
    positions: Option<Tensor>,
    /// None for a model without token types.
    types: Option<Tensor>,
    /// From the embeddings' width to the blocks', where they differ.
    projection: Option<Tensor>,
    norm: Norm,
    layers: Vec<Layer>,
    distances: Option<Distances>,
    convolution: Option<Convolution>,
    attention_heads: usize,
    first_position: usize,
    activation: Activation,
}

impl Transformer {
    /// Takes the weights that config.json asks for.
    pub fn load(config: &Config, weights: &Weights<'_>) -> Result<Self, Error> {
        let prefix = weights.prefix(config.prefixes)?;
        let hidden = config.hidden_size;
        let deberta = config.architecture == Architecture::DebertaV2;
        let width = if deberta {
            config.size("embedding_size").unwrap_or(hidden)
        } else {
            hidden
        };
        let table = |name: &str, rows: usize| {
            weights.take(&format!("{prefix}embeddings.{name}_embeddings.weight"), &[rows, width])
        };
        let words = table("word", config.vocab_size)?;
        let zeros = Tensor::zeros(hidden, words.dtype(), words.device())?;
        let norm = |name: &str, linear_bias: &Tensor| -> Result<Norm, Error> {
            let weight = weights.take(&format!("{prefix}{name}.weight"), &[hidden])?;
            let bias = weights.take(&format!("{prefix}{name}.bias"), &[hidden])?;
            Ok(Norm::new(linear_bias, &weight, &bias, config.layer_norm_epsilon)?)
        };
        let linear = |name: &str, rows: usize, columns: usize| -> Result<Linear, Error> {
            let weight = weights.take(&format!("{prefix}{name}.weight"), &[rows, columns])?;
            Ok((weight, weights.take(&format!("{prefix}{name}.bias"), &[rows])?))
        };

        let distances = if deberta { Distances::read(config) } else { None };
        let relative_table = match &distances {
            None => None,
            Some(distances) => {
                let name = format!("{prefix}encoder.rel_embeddings.weight");
                let table = weights.take(&name, &[distances.rows(), hidden])?;
                let normed = config
                    .text("norm_rel_ebd")
                    .is_some_and(|norms| norms.contains("layer_norm"));
                Some(if normed {
                    norm("encoder.LayerNorm", &zeros)?.add_and_norm(table.copy()?, &table.zeros_like()?)?
                } else {
                    table
                })
            }
        };
        let summands = distances.as_ref().map_or(1, Distances::summands);
        let scale = 1.0 / ((hidden / config.attention_heads * summands) as f64).sqrt();
        let projected = if deberta { "_proj" } else { "" };
        let inner_size = config.size("intermediate_size").unwrap_or(4 * hidden);
        let layers = (0..config.layers)
            .map(|index| -> Result<Layer, Error> {
                let base = format!("encoder.layer.{index}");
                let part = |name: &str| linear(&format!("{base}.attention.self.{name}{projected}"), hidden, hidden);
                let (query, key, value) = (part("query")?, part("key")?, part("value")?);
                let query = ((query.0 * scale)?, (query.1 * scale)?);
                let relative = match (&distances, &relative_table) {
                    (Some(distances), Some(table)) => Some(Relative::load(
                        distances,
                        table,
                        weights,
                        &format!("{prefix}{base}.attention.self"),
                        config.attention_heads,
                        (&query, &key),
                        scale,
                    )?),
                    _ => None,
                };
                let (attention_out, attention_bias) =
                    linear(&format!("{base}.attention.output.dense"), hidden, hidden)?;
                let (outer, outer_bias) = linear(&format!("{base}.output.dense"), hidden, inner_size)?;
                Ok(Layer {
                    attention: (
                        Tensor::cat(&[query.0, key.0, value.0], 0)?,
                        Tensor::cat(&[query.1, key.1, value.1], 0)?,
                    ),
                    relative,
                    attention_out,
                    attention_norm: norm(&format!("{base}.attention.output.LayerNorm"), &attention_bias)?,
                    inner: linear(&format!("{base}.intermediate.dense"), inner_size, hidden)?,
                    outer,
                    outer_norm: norm(&format!("{base}.output.LayerNorm"), &outer_bias)?,
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;

        let convolution = match config.size("conv_kernel_size") {
            Some(kernel) if deberta => {
                let groups = config.size("conv_groups").unwrap_or(1);
                let bias = weights.take(&format!("{prefix}encoder.conv.conv.bias"), &[hidden])?;
                Some(Convolution {
                    weight: weights.take(
                        &format!("{prefix}encoder.conv.conv.weight"),
                        &[hidden, hidden / groups, kernel],
                    )?,
                    bias,
                    groups,
                    activation: config.convolution_activation()?,
                    norm: norm("encoder.conv.LayerNorm", &zeros)?,
                })
            }
            _ => None,
        };
        // DeBERTa may have no absolute positions.
        let absolute = !deberta || config.flag("position_biased_input").unwrap_or(true);
        Ok(Transformer {
            positions: absolute.then(|| table("position", config.positions)).transpose()?,
            types: (config.types > 0)
                .then(|| table("token_type", config.types))
                .transpose()?,
            projection: (width != hidden)
                .then(|| weights.take(&format!("{prefix}embeddings.embed_proj.weight"), &[hidden, width]))
                .transpose()?,
            words,
            norm: norm("embeddings.LayerNorm", &zeros)?,
            layers,
            distances,
            convolution,
            attention_heads: config.attention_heads,
            first_position: config.first_position,
            activation: config.activation,
        })
    }

    /// The hidden states of all tokens, `[tokens, hidden]`, sequence after sequence.
    pub fn forward(&self, batch: &[Input]) -> candle_core::Result<Tensor> {
        let device = self.words.device();
        let embedded = self.embed(batch)?;
        let indices = match &self.distances {
            None => Vec::new(),
            Some(distances) => batch
                .iter()
                .map(|input| distances.index(self.attention_heads, input.ids.len(), device))
                .collect::<candle_core::Result<Vec<_>>>()?,
        };
        let mut x = embedded.clone();
        for (depth, layer) in self.layers.iter().enumerate() {
            let attended = self.attend(layer, &x, batch, &indices)?;
            let attended = attended.matmul(&layer.attention_out.t()?)?;
            let y = layer.attention_norm.add_and_norm(attended, &x)?;
            let inner = y.matmul(&layer.inner.0.t()?)?;
            let inner = kernels::add_bias(inner, &layer.inner.1, Some(self.activation))?;
            x = layer.outer_norm.add_and_norm(inner.matmul(&layer.outer.t()?)?, &y)?;
            if let (0, Some(convolution)) = (depth, &self.convolution) {
                x = convolution.add(x, &embedded, batch)?;
            }
        }
        Ok(x)
    }

    fn embed(&self, batch: &[Input]) -> candle_core::Result<Tensor> {
        let total: usize = batch.iter().map(|input| input.ids.len()).sum();
        let rows = |table: &Tensor, numbers: &mut dyn Iterator<Item = u32>| {
            let indices = Tensor::from_vec(numbers.collect::<Vec<u32>>(), total, table.device())?;
            table.index_select(&indices, 0)
        };
        let mut x = rows(
            &self.words,
            &mut batch.iter().flat_map(|input| input.ids.iter().copied()),
        )?;
        if let Some(table) = &self.positions {
            let first = self.first_position;
            let mut positions = batch
                .iter()
                .flat_map(|input| (0..input.ids.len()).map(move |at| (first + at) as u32));
            x = (x + rows(table, &mut positions)?)?;
        }
        if let Some(table) = &self.types {
            x = (x + rows(table, &mut batch.iter().flat_map(|input| input.types.iter().copied()))?)?;
        }
        if let Some(projection) = &self.projection {
            x = x.matmul(&projection.t()?)?;
        }
        let zeros = x.zeros_like()?;
        self.norm.add_and_norm(x, &zeros)
    }

    /// Self-attention of every sequence, heads joined: `[tokens, hidden]`.
    fn attend(&self, layer: &Layer, x: &Tensor, batch: &[Input], indices: &[Tensor]) -> candle_core::Result<Tensor> {
        let hidden = x.dim(D::Minus1)?;
        let (weight, bias) = &layer.attention;
        let projected = kernels::add_bias(x.matmul(&weight.t()?)?, bias, None)?;
        let mut start = 0;
        let mut contexts = Vec::with_capacity(batch.len());
        for (at, input) in batch.iter().enumerate() {
            let length = input.ids.len();
            // [3, heads, length, head size], as a view.
            let parts = projected
                .narrow(0, start, length)?
                .reshape((length, 3, self.attention_heads, hidden / self.attention_heads))?
                .permute((1, 2, 0, 3))?;
            let (query, key, value) = (parts.get(0)?, parts.get(1)?, parts.get(2)?);
            let mut scores = query.matmul(&key.transpose(1, 2)?)?;
            if let (Some(relative), Some(index)) = (&layer.relative, indices.get(at)) {
                scores = relative.add(scores, &query, &key, index)?;
            }
            let context = kernels::softmax(scores)?.matmul(&value)?;
            contexts.push(context.transpose(0, 1)?.reshape((length, hidden))?);
            start += length;
        }
        Tensor::cat(&contexts, 0)
    }
}

impl Convolution {
    /// `layer_norm(x + activation(convolution of the embeddings))`; `x` must be nobody else's.
    fn add(&self, x: Tensor, embedded: &Tensor, batch: &[Input]) -> candle_core::Result<Tensor> {
        let padding = (self.weight.dim(2)? - 1) / 2;
        let mut start = 0;
        let mut parts = Vec::with_capacity(batch.len());
        for input in batch {
            let length = input.ids.len();
            let sequence = embedded.narrow(0, start, length)?.t()?.unsqueeze(0)?.contiguous()?;
            let out = sequence.conv1d(&self.weight, padding, 1, 1, self.groups)?;
            parts.push(out.squeeze(0)?.t()?.contiguous()?);
            start += length;
        }
        let out = Tensor::cat(&parts, 0)?;
        let out = match self.activation {
            None => out.broadcast_add(&self.bias)?.tanh()?,
            activation => kernels::add_bias(out.contiguous()?, &self.bias, activation)?,
        };
        self.norm.add_and_norm(x, &out)
    }
}
