//! The files of a model, as a folder of the hub has them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// Names that weights have, in the order in which the browser looks for them.
const WEIGHTS: [&str; 9] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "model.gguf",
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.bin",
    "onnx/model_quantized.onnx",
    "onnx/model.onnx",
];

/// The files beside them that a model is read by, and what tells whose it is.
const BESIDE: [&str; 15] = [
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "decoder_tokenizer.json",
    "words.json",
    "labels.json",
    "README.md",
    "LICENSE",
    "LICENSE.txt",
];

/// Bytes that an index may have.
const MAX_INDEX: u64 = 32 << 20;

/// A model's files.
#[derive(Debug)]
pub struct ModelFolder {
    /// Its weights, in one file or several.
    pub weights: Vec<PathBuf>,
    /// What is read beside them.
    pub beside: Vec<PathBuf>,
}

impl ModelFolder {
    /// Looks through `folder`.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there are no weights, or no configuration; `WeightsInvalid` for an index that is none.
    pub fn find(folder: &Path) -> Result<Self> {
        let there = |name: &&str| folder.join(name).is_file();
        let Some(name) = WEIGHTS.into_iter().find(|name| there(name)) else {
            let names = WEIGHTS.join(", ");
            return Err(refused(format!("{} has no weights: none of {names}.", folder.display())));
        };
        let beside: Vec<PathBuf> =
            BESIDE.iter().filter(|name| there(name)).map(|name| folder.join(name)).collect();
        if !beside.iter().any(|path| path.ends_with("config.json") || path.ends_with("open_clip_config.json"))
        {
            return Err(refused(format!("{} has no config.json.", folder.display())));
        }
        let file = folder.join(name);
        let weights = if name.ends_with(".index.json") { shards(folder, &file)? } else { vec![file] };
        Ok(Self { weights, beside })
    }
}

/// The files that an index names, as `save_pretrained` of `transformers` writes it.
fn shards(folder: &Path, index: &Path) -> Result<Vec<PathBuf>> {
    let invalid = |why: &str| {
        let message = format!("{} does not tell in which files the weights are: {why}.", index.display());
        Error::new(ErrorKind::WeightsInvalid, message)
    };
    let unreadable = |error| invalid("it cannot be read").with_source(error);
    if std::fs::metadata(index).map_err(unreadable)?.len() > MAX_INDEX {
        return Err(invalid("it is too long"));
    }
    let read: Value = serde_json::from_slice(&std::fs::read(index).map_err(unreadable)?)
        .map_err(|error| invalid("it is no JSON").with_source(error))?;
    let map =
        read.get("weight_map").and_then(Value::as_object).ok_or_else(|| invalid("it has no weight_map"))?;
    let names: Option<BTreeSet<&str>> = map.values().map(Value::as_str).collect();
    let names = names.filter(|names| !names.is_empty()).ok_or_else(|| invalid("it names no files"))?;
    // Beside the index, and nowhere else.
    if names.iter().any(|name| Path::new(name).file_name().is_none_or(|file| file != Path::new(name))) {
        return Err(invalid("it names files elsewhere"));
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
