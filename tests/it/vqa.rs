//! BLIP's answers to questions against the reference on small models with quirks of configuration.

#![allow(clippy::unwrap_used, clippy::panic)]

use candle_core::Tensor;
use ocelli::ErrorKind;
use ocelli::models::blip::{BlipAnswerer, BlipConfig, CaptionState};
use ocelli::tasks::{
    BeamSearch, BeamSettings, DEFAULT_ANSWER_TOKENS, Generation, Processors, SampleSettings, Samples,
};

use crate::golden::{BOUND, Golden, IMAGES, assert_close, difference, pixels};

const MODELS: [&str; 2] = ["blip-vqa-tied", "blip-vqa-untied"];
/// Largest difference of a log-likelihood, a sum over some tokens, from the reference's.
const SCORE_BOUND: f32 = 1e-3;

fn model(golden: &Golden) -> (BlipConfig, BlipAnswerer) {
    let config = BlipConfig::from_json(&golden.config).unwrap();
    let model = BlipAnswerer::new(&config, golden.weights()).unwrap();
    (config, model)
}

/// Rows of `make_matching.py`, without its padding.
fn rows(golden: &Golden, ids: &str, lengths: &str) -> Vec<Vec<u32>> {
    let (ids, lengths) = (golden.ids(ids), golden.ids(lengths));
    let rows = ids.chunks(ids.len() / lengths.len());
    rows.zip(lengths).map(|(row, length)| row[..length as usize].to_vec()).collect()
}

fn questions(golden: &Golden) -> Vec<Vec<u32>> {
    rows(golden, "questions", "question_lengths")
}

fn states(model: &BlipAnswerer, config: &BlipConfig, image: usize) -> Tensor {
    let pixels = pixels(config.vision.image_size).narrow(0, image, 1).unwrap();
    model.vision().states(model.vision().begin(&pixels).unwrap()).unwrap()
}

fn ask(model: &BlipAnswerer, config: &BlipConfig, image: usize, question: &[u32]) -> CaptionState {
    model.ask(&model.project_image(&states(model, config, image)).unwrap(), question).unwrap()
}

#[test]
fn agrees_with_the_reference() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let answers = rows(&golden, "answers", "answer_lengths");
        let image = model.project_image(&states(&model, &config, 0)).unwrap();
        let mut all = Vec::new();
        for (q, question) in questions(&golden).iter().enumerate() {
            let found = model.question_states(&image, question).unwrap();
            assert_close(&format!("{name} states {q}"), &found, golden.floats(&format!("states_{q}")));
            let mut state = model.ask(&image, question).unwrap();
            // The third answer, which the reference was given with its padding.
            let width = golden.floats("answers").dim(1).unwrap();
            let ids = golden.ids("answers")[2 * width..][..answers[2].len()].to_vec();
            let logits = model.step_all(&mut state, &ids).unwrap();
            let expected = golden.floats(&format!("logits_{q}")).narrow(0, 0, ids.len()).unwrap();
            assert_close(&format!("{name} logits {q}"), &logits, &expected);
            all.push(expected);
        }
        assert!(difference(&all[0], &all[1]) > 100.0 * BOUND, "The questions do not show.");
    }
}

/// A search of `make_matching.py`.
struct Search {
    name: &'static str,
    num_beams: usize,
    max_tokens: usize,
    min_tokens: usize,
    length_penalty: f32,
    early_stopping: bool,
}

fn searches() -> [Search; 6] {
    let search = |name, num_beams, max_tokens| Search {
        name,
        num_beams,
        max_tokens,
        min_tokens: 0,
        length_penalty: 1.0,
        early_stopping: false,
    };
    [
        search("default", 1, DEFAULT_ANSWER_TOKENS),
        search("greedy", 1, 12),
        Search { min_tokens: 7, ..search("greedy_long", 1, 12) },
        search("beams_2", 2, 12),
        Search { length_penalty: -1.0, ..search("beams_3", 3, 8) },
        Search { early_stopping: true, ..search("beams_4", 4, 12) },
    ]
}

impl Search {
    fn begin(&self, end_token: u32) -> Generation {
        let &Self { num_beams, max_tokens, min_tokens, length_penalty, early_stopping, .. } = self;
        let processors = Processors { min_tokens, ..Processors::none(end_token) };
        if num_beams == 1 {
            let settings = SampleSettings { count: 1, sampling: None, max_tokens, processors };
            return Generation::Samples(Samples::new(settings));
        }
        let settings = BeamSettings { num_beams, max_tokens, length_penalty, early_stopping, processors };
        Generation::Beams { search: BeamSearch::new(settings), count: 1 }
    }
}

#[test]
fn answers_as_the_reference_does() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let end = config.text.sep_token_id;
        let (mut found_by, mut ended) = (std::collections::HashSet::new(), 0);
        for (i, (q, question)) in
            (0..IMAGES).flat_map(|i| questions(&golden).into_iter().enumerate().map(move |q| (i, q)))
        {
            for search in searches() {
                let (key, mut generation) = (search.name, search.begin(end));
                let mut state = ask(&model, &config, i, &question);
                let mut next = vec![config.text.bos_token_id];
                loop {
                    let logits = model.step_all(&mut state, &next).unwrap();
                    let logits = logits.flatten_all().unwrap().to_vec1().unwrap();
                    let Some(goes_on) = generation.advance(&logits) else { break };
                    state.keep(&goes_on.parents);
                    next = goes_on.ids;
                }
                let expected = golden.ids(&format!("{key}_{i}_{q}"));
                // [DEC] before it, [SEP] after it, and what fills it up.
                let length = expected.iter().position(|&id| id == end).unwrap_or(expected.len());
                assert_eq!(generation.best(), &expected[1..length], "{name} {key} image {i} question {q}");
                assert!(length > search.min_tokens, "{name} {key}");
                ended += usize::from(length < expected.len());
                found_by.insert((key, generation.best().to_vec()));
            }
        }
        assert!(found_by.len() > 18 && ended > 6, "{name}: {} answers, {ended} ended", found_by.len());
    }
}

#[test]
fn ranks_as_the_published_code_does() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let answers = rows(&golden, "answers", "answer_lengths");
        assert!(answers.iter().any(|a| answers.iter().any(|b| a != b && b.starts_with(&a[..2]))));
        let mut best = std::collections::HashSet::new();
        for i in 0..IMAGES {
            for (q, question) in questions(&golden).iter().enumerate() {
                let start = ask(&model, &config, i, question);
                let scores = model.log_likelihoods(&start, &answers).unwrap();
                let expected = golden.floats(&format!("scores_{i}_{q}")).to_vec1::<f32>().unwrap();
                assert_eq!(scores.len(), expected.len());
                for (k, (score, wanted)) in scores.iter().zip(&expected).enumerate() {
                    assert!((score - wanted).abs() <= SCORE_BOUND, "{name} {i} {q} {k}: {score} {wanted}");
                    let alone = model.log_likelihoods(&start, &answers[k..=k]).unwrap()[0];
                    assert!((score - alone).abs() <= BOUND, "{name} {i} {q} {k}: alone {alone}");
                }
                best.insert((0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap());
            }
        }
        assert!(best.len() > 2, "{name}: the same answer is always best");
    }
}

#[test]
fn a_log_likelihood_is_the_sum_of_the_steps() {
    let golden = Golden::read(MODELS[0]);
    let (config, model) = model(&golden);
    let start = ask(&model, &config, 1, &questions(&golden)[2]);
    for answer in rows(&golden, "answers", "answer_lengths") {
        let mut state = start.clone();
        let mut sum = 0.0;
        for (&id, &next) in answer.iter().zip(&answer[1..]) {
            let logits = model.step(&mut state, &[id]).unwrap().to_vec1::<f32>().unwrap();
            let total: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
            sum += f64::from(logits[next as usize]) - total.ln();
        }
        let found = model.log_likelihoods(&start, std::slice::from_ref(&answer)).unwrap()[0];
        assert!((f64::from(found) - sum).abs() < 1e-4, "{answer:?}: {found} {sum}");
    }
    assert!(start.is_empty(), "What is weighed is not remembered.");
}

#[test]
fn refuses_what_it_cannot_answer() {
    let golden = Golden::read(MODELS[0]);
    let (config, model) = model(&golden);
    let image = model.project_image(&states(&model, &config, 0)).unwrap();
    let most = config.text.max_position_embeddings;
    for question in [vec![], vec![100], vec![1; most + 1]] {
        assert_eq!(model.ask(&image, &question).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
    let start = model.ask(&image, &[1, 2]).unwrap();
    for answer in [vec![], vec![98], vec![98, 100], vec![1; most + 1]] {
        let error = model.log_likelihoods(&start, &[vec![98, 5], answer]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
    }
    assert_eq!(model.log_likelihoods(&start, &[vec![1; most]]).unwrap().len(), 1);

    // The decoder's cross-attention takes the width of texts: the weights of the reference fit no other.
    let wider = golden.config_with(|config| config["vision_config"]["hidden_size"] = 48.into());
    let error = BlipAnswerer::new(&BlipConfig::from_json(&wider).unwrap(), golden.weights()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
    assert!(!error.to_string().contains("text_decoder"), "{error}");

    let captioner = Golden::read("blip-tied");
    let config = BlipConfig::from_json(&captioner.config).unwrap();
    let error = BlipAnswerer::new(&config, captioner.weights()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
    assert!(error.to_string().contains("text_encoder."), "{error}");
}
