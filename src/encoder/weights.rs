//! The weights of a model folder, by name, as 32-bit floats.

use std::collections::BTreeSet;
use std::path::Path;

use candle_core::pickle::PthTensors;
use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device, Tensor};

use crate::error::Error;

/// Where the weights lie.
enum Source<'a> {
    Safetensors(SliceSafetensors<'a>),
    Pickle(PthTensors),
}

/// Named tensors. Those of fp16 and bf16 files are widened when they are taken.
pub(super) struct Weights<'a> {
    source: Source<'a>,
    names: BTreeSet<String>,
    file: String,
    device: Device,
}

impl<'a> Weights<'a> {
    /// The tensors of a safetensors file. The format holds numbers only, no code.
    pub fn safetensors(bytes: &'a [u8], file: &str, device: &Device) -> Result<Self, Error> {
        let tensors = SliceSafetensors::new(bytes).map_err(|error| broken(file, &error))?;
        let names = tensors.tensors().into_iter().map(|(name, _)| name).collect();
        Ok(Weights {
            source: Source::Safetensors(tensors),
            names,
            file: file.to_owned(),
            device: device.clone(),
        })
    }

    /// The tensors of a pytorch_model.bin. Its pickle is read for tensors and never run.
    pub fn pickle(path: &Path, device: &Device) -> Result<Self, Error> {
        let file = path.display().to_string();
        let tensors = PthTensors::new(path, None).map_err(|error| broken(&file, &error))?;
        let names = tensors.tensor_infos().keys().cloned().collect();
        Ok(Weights {
            source: Source::Pickle(tensors),
            names,
            file,
            device: device.clone(),
        })
    }

    /// True when a tensor has this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The tensor `name`, which must have this shape.
    pub fn take(&self, name: &str, shape: &[usize]) -> Result<Tensor, Error> {
        // Models converted from TensorFlow call a layer norm's weights gamma and beta.
        let old = name.replace("LayerNorm.weight", "LayerNorm.gamma");
        let old = old.replace("LayerNorm.bias", "LayerNorm.beta");
        let name = if !self.has(name) && self.has(&old) { &old } else { name };
        let tensor = self.get(name)?;
        if tensor.dims() != shape {
            return Err(Error::Encoder {
                file: self.file.clone(),
                reason: format!(
                    "tensor `{name}` has the shape {:?}, config.json asks for {shape:?}; config and weights belong to different models",
                    tensor.dims()
                ),
            });
        }
        Ok(tensor)
    }

    /// The first of `prefixes` under which word embeddings stand.
    pub fn prefix(&self, prefixes: &[&'static str]) -> Result<&'static str, Error> {
        prefixes
            .iter()
            .copied()
            .find(|prefix| self.has(&format!("{prefix}embeddings.word_embeddings.weight")))
            .ok_or_else(|| self.missing(&format!("{}embeddings.word_embeddings.weight", prefixes[0])))
    }

    fn get(&self, name: &str) -> Result<Tensor, Error> {
        if !self.has(name) {
            return Err(self.missing(name));
        }
        let tensor = match &self.source {
            Source::Safetensors(tensors) => tensors.load(name, &self.device),
            Source::Pickle(tensors) => tensors
                .get(name)
                .and_then(|tensor| tensor.ok_or_else(|| candle_core::Error::Msg("no such tensor".into())))
                .and_then(|tensor| tensor.to_device(&self.device)),
        };
        tensor
            .and_then(|tensor| tensor.to_dtype(DType::F32))
            .map_err(|error| broken(&self.file, &error))
    }

    fn missing(&self, name: &str) -> Error {
        Error::Encoder {
            file: self.file.clone(),
            reason: format!(
                "no tensor `{name}`; a token classifier of the `model_type` in config.json has it. Found {} tensors: {}",
                self.names.len(),
                self.names
                    .iter()
                    .take(4)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }
    }
}

fn broken(file: &str, error: &candle_core::Error) -> Error {
    Error::Encoder {
        file: file.to_owned(),
        reason: format!("cannot be read as weights ({error}); copy it again, or save it again with `save_pretrained`"),
    }
}
