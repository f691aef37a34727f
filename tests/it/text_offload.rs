//! Text towers as another device computes them, and the labels of a tagger whose prompts go through one.

use candle_core::{Device as Cpu, Tensor};
use ocelli::ErrorKind;
use ocelli::models::dual::{DualConfig, DualEncoder, Towers};
use ocelli::models::{LayersDescription, to_json};
use ocelli::tasks::{Label, LabelSet, Tagger};
use ocelli::text::Templates;

use crate::golden::{Golden, difference};
use crate::offload::{BOUND, Device, Layers, Rows};
use crate::tagging::Files;

/// The ends of texts are told in several ways; the tokens of the last two see the whole text.
const MODELS: [&str; 6] = [
    "clip-gelu-eos-7",
    "clip-quick-gelu-eos-2",
    "clip-silu-relu",
    "open-clip-vit",
    "open-clip-vit-whole",
    "siglip",
];

fn model(name: &str) -> (DualEncoder, Vec<Vec<u32>>) {
    let golden = Golden::read(name);
    let config = DualConfig::from_json(&golden.config).unwrap();
    (DualEncoder::with_towers(&config, Towers::Text, golden.weights()).unwrap(), golden.texts())
}

fn tensor(states: Vec<f64>, width: usize) -> Tensor {
    let states: Vec<f32> = states.into_iter().map(|x| x as f32).collect();
    let rows = states.len() / width;
    Tensor::from_vec(states, (rows, width), &Cpu::Cpu).unwrap()
}

#[test]
fn another_device_reads_the_same_from_the_description_and_the_parameters() {
    for name in MODELS {
        let (model, mut texts) = model(name);
        let tower = model.text().unwrap().offloadable().unwrap();
        let LayersDescription { width, heads, activation, epsilon, layers, causal, .. } = tower.description();
        assert_eq!(causal, !["open-clip-vit-whole", "siglip"].contains(&name), "{name}");
        let mut more = 3;
        if !causal {
            // As their tokenizer fills them up.
            let longest = texts.iter().map(Vec::len).max().unwrap();
            texts.iter_mut().for_each(|ids| ids.resize(longest, 1));
            let uneven = [texts.clone(), vec![texts[0][..longest - 1].to_vec()]].concat();
            assert!(tower.batch(uneven).unwrap().is_none(), "{name}: texts of several lengths");
            more = 0;
        }
        let expected = model.text_features(&texts).unwrap();
        let batch = tower.batch(texts).unwrap().unwrap();
        let length = batch.length() + more;
        let device = Device {
            parameter: Box::new(|name| tower.parameter(name)),
            layers: Layers { width, heads, activation, epsilon, causal },
        };
        let rows = tower.rows(&batch, length).unwrap();
        let texts: Vec<Rows> = rows
            .chunks(length * width)
            .map(|text| text.chunks(width).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect())
            .collect();
        for after in [1, layers] {
            let states = texts.iter().zip(batch.lengths()).flat_map(|(text, own)| {
                device.after(after, text.clone()).into_iter().take(own as usize).flatten()
            });
            let found = tensor(states.collect(), width);
            let own = tower.states_of(&batch, 0, batch.len(), after).unwrap();
            let off = difference(&found, &own);
            assert!(off <= BOUND, "{name}: off by {off:e} after {after} layers");
        }
        let ends = texts
            .iter()
            .zip(batch.ends())
            .flat_map(|(text, end)| device.after(layers, text.clone())[end as usize].clone());
        let pooled = tensor(ends.collect(), width);
        let last = batch.len() - 1;
        let own = tower.pooled_of(&batch, last, 1).unwrap();
        assert!(difference(&pooled.narrow(0, last, 1).unwrap(), &own) <= BOUND, "{name}");
        let states = pooled.flatten_all().unwrap().to_vec1().unwrap();
        let off = difference(&model.text_features_of(&batch, states).unwrap(), &expected);
        assert!(off <= BOUND, "{name}: off by {off:e}");
    }
}

#[test]
fn a_tower_whose_norms_come_last_is_no_other_device_s() {
    let (model, _) = model("open-clip-xlm-roberta");
    assert!(model.text().unwrap().offloadable().is_none());
}

#[test]
fn what_is_not_a_batch_s_is_refused() {
    let (model, texts) = model(MODELS[0]);
    let tower = model.text().unwrap().offloadable().unwrap();
    let width = tower.description().width;
    let batch = tower.batch(texts.clone()).unwrap().unwrap();
    let right = vec![0.5; batch.len() * width];
    model.text_features_of(&batch, right.clone()).unwrap();
    let mut infinite = right.clone();
    infinite[3] = f32::INFINITY;
    for wrong in [vec![], right[1..].to_vec(), infinite] {
        let error = model.text_features_of(&batch, wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
    }
    assert!(tower.rows(&batch, batch.length() - 1).is_err());
    for (first, count) in [(0, 0), (0, batch.len() + 1), (batch.len(), 1), (1, usize::MAX)] {
        assert!(tower.pooled_of(&batch, first, count).is_err(), "{count} from {first}");
        assert!(tower.states_of(&batch, first, count, 1).is_err(), "{count} from {first}");
    }
    assert!(tower.batch(vec![]).is_err());
    assert!(tower.batch(vec![vec![]]).is_err());
    for name in ["", "positions", "layers.99.out", "layers.0", "layers.-1.out", "final_norm.weight"] {
        assert!(tower.parameter(name).is_none(), "{name}");
    }
    assert!(to_json(&tower.description()).unwrap().contains(r#""causal":true"#));
}

/// A set of labels of which some come twice, in templates.
fn labels(tagger: &Tagger, templates: &[&str]) -> LabelSet {
    let names: Vec<String> = (0..90).map(|i| format!("label {}", i % 75)).collect();
    let labels: Vec<Label<'_>> = names.iter().map(|name| name.as_str().into()).collect();
    tagger.label_set(&labels, Templates::parse(templates).unwrap()).unwrap()
}

#[test]
fn labels_come_out_the_same_and_are_kept_the_same() {
    for templates in [&["a photo of a {}."][..], &["a {}", "the {}.", "{} itself"]] {
        let files = Files::read("clip-tiny");
        let mut own = files.tagger(Towers::Both);
        let mut expected = labels(&own, templates);
        assert_eq!(own.waiting(&expected), 75 * templates.len());
        while own.encode_labels(&mut expected, 64).unwrap() > 0 {}
        assert_eq!(own.waiting(&labels(&own, templates)), 0, "all are known");

        let mut tagger = files.tagger(Towers::Both);
        let mut set = labels(&tagger, templates);
        let mut left = set.pending();
        let mut batches = 0;
        while left > 0 {
            // Every third batch the tagger computes itself, as where a device fails.
            let Some(texts) = tagger.next_texts(&mut set, 64).unwrap().filter(|_| batches % 3 != 2) else {
                left = tagger.encode_labels(&mut set, 5).unwrap();
                batches += 1;
                continue;
            };
            assert!(texts.batch.len() <= 64);
            let tower = tagger.text_tower().unwrap();
            let states = tower.pooled_of(&texts.batch, 0, texts.batch.len()).unwrap();
            let states: Vec<f32> = states.flatten_all().unwrap().to_vec1().unwrap();
            let wrong = vec![f32::NAN; states.len()];
            assert!(tagger.take_texts(&mut set, &texts, wrong).is_err());
            left = tagger.take_texts(&mut set, &texts, states.clone()).unwrap();
            assert!(tagger.take_texts(&mut set, &texts, states).is_err(), "they come once");
            batches += 1;
        }
        assert!(tagger.next_texts(&mut set, 64).unwrap().is_none());
        assert_eq!(set.embeddings().len(), expected.embeddings().len());
        for (a, b) in set.embeddings().iter().zip(expected.embeddings()) {
            assert!(a.iter().zip(b.iter()).all(|(a, b)| (a - b).abs() <= 1e-5));
        }
        let kept = tagger.export_embeddings(usize::MAX).unwrap();
        let mut again = files.tagger(Towers::Both);
        again.import_embeddings(&kept).unwrap();
        assert_eq!(again.waiting(&labels(&again, templates)), 0);
    }
}
