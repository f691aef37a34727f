//! Every published name: the tensors that the reference's classes have at their published size, and no other, are those that the
//! models ask for. `tests/golden/names/make.py` lists them.
//!
//! The numbers are zeros, so nothing is computed. One tensor is left out: then the error names what is missing, and what nobody
//! asked for.

use std::collections::BTreeMap;

use ocelli::Error;
use ocelli::kernels::Dtype;
use ocelli::models::blip::{BlipAnswerer, BlipConfig, BlipMatcher, BlipModel};
use ocelli::models::dual::{DualConfig, DualEncoder};
use ocelli::models::vit::{VitConfig, VitModel};
use ocelli::weights::{Weights, WeightsLoader};
use serde_json::{Value, json};

/// What only training needs, and a pooler that texts are not pooled by.
const UNUSED: [&str; 3] =
    ["embeddings.mask_token", "text.transformer.pooler.dense.weight", "text.transformer.pooler.dense.bias"];
/// Bytes at a time.
const CHUNK: usize = 1 << 20;

#[derive(serde::Deserialize)]
struct Published {
    config: Value,
    /// Name, shape, and for how many numbers in place of `{}`.
    tensors: Vec<(String, Vec<usize>, usize)>,
}

/// A file of zeros with these tensors: its header, and how many bytes follow.
fn file(tensors: &[(String, Vec<usize>)]) -> (Vec<u8>, usize) {
    let (mut header, mut end) = (serde_json::Map::new(), 0);
    for (name, shape) in tensors {
        let begin = end;
        end += 2 * shape.iter().product::<usize>();
        header.insert(name.clone(), json!({"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}));
    }
    let header = Value::Object(header).to_string();
    ([&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat(), end)
}

fn weights(tensors: &[(String, Vec<usize>)]) -> Weights {
    let (header, length) = file(tensors);
    let mut loader = WeightsLoader::new(Dtype::Int8);
    loader.push(&header).unwrap();
    let zeros = vec![0; CHUNK];
    (0..length).step_by(CHUNK).for_each(|at| loader.push(&zeros[..CHUNK.min(length - at)]).unwrap());
    loader.finish().unwrap()
}

fn build(class: &str, config: &[u8], weights: Weights) -> Result<(), Error> {
    match class {
        "BlipForConditionalGeneration" => BlipModel::new(&BlipConfig::from_json(config)?, weights).map(drop),
        "BlipForImageTextRetrieval" => BlipMatcher::new(&BlipConfig::from_json(config)?, weights).map(drop),
        "BlipForQuestionAnswering" => BlipAnswerer::new(&BlipConfig::from_json(config)?, weights).map(drop),
        "ViTForImageClassification" => VitModel::new(&VitConfig::from_json(config)?, weights).map(drop),
        _ => DualEncoder::new(&DualConfig::from_json(config)?, weights).map(drop),
    }
}

#[test]
fn every_published_name_is_asked_for_and_no_other() {
    let published: BTreeMap<String, Published> =
        serde_json::from_str(include_str!("../golden/names/names.json")).unwrap();
    assert_eq!(published.len(), 12);
    for (class, Published { config, tensors }) in published {
        let mut all: Vec<(String, Vec<usize>)> = (tensors.iter())
            .flat_map(|(name, shape, count)| {
                (0..*count).map(move |i| (name.replace("{}", &i.to_string()), shape.clone()))
            })
            .collect();
        // A norm's weight, which no model does without.
        let is_norm = |(name, shape): &&(String, Vec<usize>)| shape.len() == 1 && name.ends_with(".weight");
        let left_out = all.iter().find(is_norm).unwrap().0.clone();
        all.retain(|(name, _)| *name != left_out && !UNUSED.contains(&name.as_str()));
        let error = build(&class, config.to_string().as_bytes(), weights(&all)).unwrap_err().to_string();
        let (_, problems) = error.split_once("; ").unwrap_or_else(|| panic!("{class}: {error}"));
        let is_one = problems.starts_with("missing: ") && !problems.contains([',', ';']);
        assert!(is_one && !problems.contains(" more"), "{class}, without {left_out}: {problems}");
    }
}
