//! DeBERTa's relative positions: what the distance of two tokens adds to their attention.

use candle_core::{Device, Tensor};
use serde_json::Value as Json;

use super::config::Config;
use super::weights::Weights;
use crate::error::Error;

/// What config.json says of relative positions.
#[derive(Debug, Clone)]
pub(super) struct Distances {
    /// Distances from −span to span − 1 have rows of their own.
    span: usize,
    /// Where distances share rows: how many rows and the greatest distance told apart.
    buckets: Option<(usize, usize)>,
    /// Contents look for positions.
    content_to_position: bool,
    /// Positions look for contents.
    position_to_content: bool,
    /// Positions go through the projections of contents.
    shared: bool,
}

impl Distances {
    /// None for a model without relative positions.
    pub fn read(config: &Config) -> Option<Self> {
        let json = &config.json;
        let flag = |name: &str| json.get(name).and_then(Json::as_bool).unwrap_or(false);
        let positive = |name: &str| {
            let value = json.get(name).and_then(Json::as_i64).filter(|value| *value > 0)?;
            usize::try_from(value).ok()
        };
        if !flag("relative_attention") {
            return None;
        }
        let longest = positive("max_relative_positions").unwrap_or(config.positions);
        let buckets = positive("position_buckets");
        let kinds: Vec<&str> = match json.get("pos_att_type") {
            Some(Json::String(kinds)) => kinds.split('|').map(str::trim).collect(),
            Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        Some(Distances {
            span: buckets.unwrap_or(longest),
            buckets: buckets.map(|buckets| (buckets, longest)),
            content_to_position: kinds.contains(&"c2p"),
            position_to_content: kinds.contains(&"p2c"),
            shared: flag("share_att_key"),
        })
    }

    /// How many scores an attention weight is the sum of; their scale is the root of so many sizes.
    pub fn summands(&self) -> usize {
        1 + usize::from(self.content_to_position) + usize::from(self.position_to_content)
    }

    /// Rows of the table of relative positions.
    pub fn rows(&self) -> usize {
        2 * self.span
    }

    /// The row of each pair of tokens, `[heads, length, length]`: query, key.
    pub fn index(&self, heads: usize, length: usize, device: &Device) -> candle_core::Result<Tensor> {
        let rows: Vec<u32> = (0..length)
            .flat_map(|query| (0..length).map(move |key| query as i64 - key as i64))
            .map(|distance| (self.bucket(distance) + self.span as i64).clamp(0, 2 * self.span as i64 - 1) as u32)
            .collect();
        Tensor::from_vec(rows, (1, length, length), device)?
            .expand((heads, length, length))?
            .contiguous()
    }

    /// Near distances as they are; far ones by their logarithm. In 32 bits, as PyTorch: where a
    /// logarithm falls on a whole number, other precisions round to the other bucket.
    fn bucket(&self, distance: i64) -> i64 {
        let Some((buckets, longest)) = self.buckets else {
            return distance;
        };
        let middle = (buckets / 2) as i64;
        if distance.abs() <= middle {
            return distance;
        }
        let ratio = (distance.abs() as f32 / middle as f32).ln() / ((longest as f32 - 1.0) / middle as f32).ln();
        let bucket = (ratio * (middle - 1) as f32).ceil() as i64 + middle;
        bucket * distance.signum()
    }
}

/// A layer's projections of the relative positions, `[heads, rows, head size]`.
pub(super) struct Relative {
    keys: Option<Tensor>,
    /// Scaled as the queries of contents are.
    queries: Option<Tensor>,
}

/// A weight and its bias, of a linear layer.
pub(super) type Linear = (Tensor, Tensor);

impl Relative {
    /// Projects the table of positions, `[rows, hidden]`. `query` and `key` are those of contents,
    /// the query's scaled by `scale`; `base` is the layer's attention.
    pub fn load(
        distances: &Distances,
        table: &Tensor,
        weights: &Weights<'_>,
        base: &str,
        heads: usize,
        (query, key): (&Linear, &Linear),
        scale: f64,
    ) -> Result<Self, Error> {
        let (rows, hidden) = table.dims2()?;
        let project = |(weight, bias): &Linear| -> candle_core::Result<Tensor> {
            table
                .matmul(&weight.t()?)?
                .broadcast_add(bias)?
                .reshape((rows, heads, hidden / heads))?
                .transpose(0, 1)?
                .contiguous()
        };
        let own = |name: &str| -> Result<Linear, Error> {
            Ok((
                weights.take(&format!("{base}.{name}.weight"), &[hidden, hidden])?,
                weights.take(&format!("{base}.{name}.bias"), &[hidden])?,
            ))
        };
        let keys = match (distances.content_to_position, distances.shared) {
            (false, _) => None,
            (true, true) => Some(project(key)?),
            (true, false) => Some(project(&own("pos_key_proj")?)?),
        };
        let queries = match (distances.position_to_content, distances.shared) {
            (false, _) => None,
            (true, true) => Some(project(query)?),
            (true, false) => Some((project(&own("pos_query_proj")?)? * scale)?),
        };
        Ok(Relative { keys, queries })
    }

    /// Adds to the scores `[heads, queries, keys]` of one text what its distances say.
    pub fn add(&self, mut scores: Tensor, query: &Tensor, key: &Tensor, index: &Tensor) -> candle_core::Result<Tensor> {
        if let Some(keys) = &self.keys {
            scores = (scores + query.matmul(&keys.transpose(1, 2)?)?.gather(index, 2)?)?;
        }
        if let Some(queries) = &self.queries {
            // By key and row; the distance from key to query is that from query to key negated.
            let by_key = key.matmul(&queries.transpose(1, 2)?)?;
            let index = index.transpose(1, 2)?.contiguous()?;
            scores = (scores + by_key.gather(&index, 2)?.transpose(1, 2)?)?;
        }
        Ok(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PyTorch's make_log_bucket_position gives for 256 buckets and 512 positions.
    #[test]
    fn far_distances_share_buckets() {
        let distances = Distances {
            span: 256,
            buckets: Some((256, 512)),
            content_to_position: true,
            position_to_content: true,
            shared: true,
        };
        for (distance, bucket) in [
            (0, 0),
            (-5, -5),
            (128, 128),
            (129, 129),
            (-130, -130),
            (256, 192),
            (-511, -255),
        ] {
            assert_eq!(distances.bucket(distance), bucket, "{distance}");
        }
        assert_eq!((distances.summands(), distances.rows()), (3, 512));
    }
}
