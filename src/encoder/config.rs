//! config.json of a Hugging Face model folder.

use serde_json::Value as Json;

use super::Head;
use crate::error::Error;

/// Which forward a folder needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Architecture {
    Bert,
    /// BERT whose positions start after the padding index.
    Roberta,
    DebertaV2,
}

/// The activation between the two linear layers of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// x·Φ(x), by the error function.
    Gelu,
    /// Its approximation by the hyperbolic tangent.
    GeluTanh,
    Relu,
}

impl Activation {
    fn named(name: &str) -> Option<Self> {
        match name {
            "gelu" | "gelu_python" => Some(Activation::Gelu),
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Some(Activation::GeluTanh),
            "relu" => Some(Activation::Relu),
            _ => None,
        }
    }
}

/// What config.json says of the model, as far as inference needs it.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub architecture: Architecture,
    /// The names under which the encoder's weights may stand, most specific first.
    pub prefixes: &'static [&'static str],
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub layers: usize,
    pub attention_heads: usize,
    /// Token types; 0 for a model without them.
    pub types: usize,
    /// Rows of the position table, those before the first position included.
    pub positions: usize,
    /// Position of the first token: 0, or the padding index + 1 for RoBERTa.
    pub first_position: usize,
    pub layer_norm_epsilon: f64,
    pub activation: Activation,
    /// The labels of `classifier`, by index; empty where config.json has none.
    pub labels: Vec<String>,
    /// The further heads, by name.
    pub heads: Vec<Head>,
    /// The whole file, for what some architectures have besides.
    pub json: Json,
    /// Its name, for errors.
    file: String,
}

impl Config {
    /// Reads config.json; `file` names it in errors.
    pub fn read(bytes: &[u8], file: &str) -> Result<Self, Error> {
        let fail = |reason: String| Error::Encoder {
            file: file.to_owned(),
            reason,
        };
        let json: Json = serde_json::from_slice(bytes).map_err(|error| {
            fail(format!(
                "not JSON ({error}); save the model again with `save_pretrained`"
            ))
        })?;
        let number = |name: &str| -> Result<usize, Error> {
            let value = json.get(name).unwrap_or(&Json::Null);
            value
                .as_u64()
                .and_then(|value| usize::try_from(value).ok())
                .ok_or_else(|| fail(format!("`{name}` must be a whole number, not {value}")))
        };
        let positive = |name: &str| match number(name)? {
            0 => Err(fail(format!("`{name}` must not be 0"))),
            value => Ok(value),
        };
        let model_type = json.get("model_type").and_then(Json::as_str).unwrap_or_default();
        let (architecture, prefixes): (_, &[&str]) = match model_type {
            "bert" => (Architecture::Bert, &["bert.", ""]),
            "roberta" | "xlm-roberta" | "camembert" => (Architecture::Roberta, &["roberta.", ""]),
            "deberta-v2" => (Architecture::DebertaV2, &["deberta.", ""]),
            other => {
                return Err(fail(format!(
                    "`model_type` is `{other}`; bert, roberta, xlm-roberta, camembert and deberta-v2 can be read"
                )));
            }
        };
        let position_type = json.get("position_embedding_type").and_then(Json::as_str);
        if architecture != Architecture::DebertaV2 && position_type.is_some_and(|name| name != "absolute") {
            return Err(fail(format!(
                "`position_embedding_type` is `{}`; only absolute positions can be read",
                position_type.unwrap_or_default()
            )));
        }
        let named = json.get("hidden_act").and_then(Json::as_str).unwrap_or("gelu");
        let activation = Activation::named(named).ok_or_else(|| {
            fail(format!(
                "`hidden_act` is `{named}`; gelu, gelu_new, gelu_pytorch_tanh and relu can be computed"
            ))
        })?;
        let padding = json.get("pad_token_id").and_then(Json::as_u64);
        let (hidden_size, attention_heads) = (positive("hidden_size")?, positive("num_attention_heads")?);
        if !hidden_size.is_multiple_of(attention_heads) {
            return Err(fail(format!(
                "`hidden_size` {hidden_size} is no multiple of `num_attention_heads` {attention_heads}"
            )));
        }
        if json
            .get("attention_head_size")
            .and_then(Json::as_u64)
            .is_some_and(|size| size != (hidden_size / attention_heads) as u64)
        {
            return Err(fail(
                "`attention_head_size` is not `hidden_size` / `num_attention_heads`; such a model cannot be read"
                    .into(),
            ));
        }
        Ok(Config {
            architecture,
            prefixes,
            vocab_size: positive("vocab_size")?,
            hidden_size,
            layers: positive("num_hidden_layers")?,
            attention_heads,
            types: match json.get("type_vocab_size") {
                None | Some(Json::Null) => 0,
                Some(_) => number("type_vocab_size")?,
            },
            positions: positive("max_position_embeddings")?,
            first_position: match architecture {
                Architecture::Roberta => padding.unwrap_or(1) as usize + 1,
                _ => 0,
            },
            layer_norm_epsilon: json.get("layer_norm_eps").and_then(Json::as_f64).unwrap_or(1e-12),
            activation,
            labels: labels(&json).map_err(fail)?,
            heads: further_heads(&json).map_err(fail)?,
            json,
            file: file.to_owned(),
        })
    }

    /// A size above 0.
    pub fn size(&self, name: &str) -> Option<usize> {
        let value = self.json.get(name)?.as_u64().filter(|value| *value > 0)?;
        usize::try_from(value).ok()
    }

    /// A string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.json.get(name)?.as_str()
    }

    /// A truth value.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.json.get(name)?.as_bool()
    }

    /// The activation behind DeBERTa's convolution; `None` is the hyperbolic tangent.
    pub fn convolution_activation(&self) -> Result<Option<Activation>, Error> {
        match self.text("conv_act") {
            None | Some("tanh") => Ok(None),
            Some(name) => Activation::named(name).map(Some).ok_or_else(|| Error::Encoder {
                file: self.file.clone(),
                reason: format!("`conv_act` is `{name}`; tanh, gelu and relu can be computed"),
            }),
        }
    }
}

/// `id2label`, in the order of the ids, which must be 0, 1, 2, ….
fn labels(json: &Json) -> Result<Vec<String>, String> {
    let Some(Json::Object(names)) = json.get("id2label") else {
        return Ok(Vec::new());
    };
    let mut labels = vec![None; names.len()];
    for (id, label) in names {
        let slot = id.parse::<usize>().ok().and_then(|id| labels.get_mut(id));
        let (Some(slot), Some(label)) = (slot, label.as_str()) else {
            return Err(format!(
                "`id2label` must map \"0\", \"1\", … to strings, without gaps; found \"{id}\": {label}"
            ));
        };
        *slot = Some(label.to_owned());
    }
    Ok(labels.into_iter().flatten().collect())
}

/// `{"shorei": {"heads": {"NAME": ["label", …]}}}`, sorted by name.
fn further_heads(json: &Json) -> Result<Vec<Head>, String> {
    let Some(heads) = json.get("shorei").and_then(|shorei| shorei.get("heads")) else {
        return Ok(Vec::new());
    };
    let Json::Object(heads) = heads else {
        return Err("`shorei.heads` must be an object: a list of labels by the head's name".into());
    };
    let mut read: Vec<Head> = Vec::with_capacity(heads.len());
    for (name, labels) in heads {
        let labels = labels
            .as_array()
            .filter(|labels| !labels.is_empty())
            .and_then(|labels| {
                labels
                    .iter()
                    .map(|label| label.as_str().map(str::to_owned))
                    .collect::<Option<Vec<_>>>()
            })
            .ok_or_else(|| format!("`shorei.heads.{name}` must be a list of labels"))?;
        read.push(Head {
            name: name.clone(),
            labels,
        });
    }
    read.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERT: &str = r#"{"model_type": "bert", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 2, "max_position_embeddings": 16, "type_vocab_size": 5"#;

    fn read(rest: &str) -> Result<Config, String> {
        Config::read(format!("{BERT}{rest}}}").as_bytes(), "config.json").map_err(|error| error.to_string())
    }

    #[test]
    fn labels_come_in_the_order_of_their_ids() {
        let config = read(r#", "id2label": {"1": "B-d", "0": "O", "2": "I-d"}"#).expect("a config");
        assert_eq!(config.labels, ["O", "B-d", "I-d"]);
        let error = read(r#", "id2label": {"1": "B-d", "7": "O"}"#).expect_err("a gap");
        assert!(error.contains("without gaps") && error.contains("\"7\""), "{error}");
    }

    #[test]
    fn heads_are_sorted_by_name() {
        let config = read(r#", "shorei": {"heads": {"time": ["now", "past"], "cause": ["0", "1"]}}"#).expect("heads");
        let names: Vec<_> = config.heads.iter().map(|head| head.name.as_str()).collect();
        assert_eq!(names, ["cause", "time"]);
        assert_eq!(config.heads[1].labels, ["now", "past"]);
        assert!(
            read(r#", "shorei": {"heads": {"time": []}}"#)
                .expect_err("no labels")
                .contains("shorei.heads.time")
        );
    }

    #[test]
    fn what_cannot_be_computed_is_refused_by_name() {
        for (rest, word) in [
            (r#", "hidden_act": "silu""#, "silu"),
            (r#", "position_embedding_type": "relative_key""#, "relative_key"),
            (r#", "vocab_size": "many""#, "vocab_size"),
            (r#", "num_attention_heads": 3"#, "num_attention_heads"),
            (r#", "model_type": "t5""#, "t5"),
        ] {
            let error = read(rest).expect_err(word);
            assert!(error.starts_with("config.json: ") && error.contains(word), "{error}");
        }
        assert!(Config::read(b"[", "config.json").is_err());
    }
}
