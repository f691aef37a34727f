//! Writing against the reference: token for token where nothing is drawn, and where tokens are drawn, by the
//! probabilities that they are drawn from.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use ocelli::models::blip::{BlipConfig, BlipModel};
use ocelli::tasks::{
    BeamSearch, BeamSettings, Generation, Processors, SampleSettings, Samples, Sampling, Written,
};

use crate::blip::{model, states};
use crate::golden::{Golden, IMAGES};

const MODELS: [&str; 3] = ["blip-tied", "blip-untied", "blip-two-tables"];
/// New tokens of the golden texts.
const MAX_TOKENS: usize = 12;
/// Largest relative difference of a score from the reference's.
const SCORE_BOUND: f32 = 1e-4;
/// Largest difference of a probability from the reference's.
const PROBABILITY_BOUND: f64 = 1e-6;
/// Draws from each distribution.
const DRAWS: usize = 4000;
/// Draws that must be expected of a token for it to count by itself.
const LEAST_EXPECTED: f64 = 5.0;
/// Standard deviations by which a chi-square sum of the right distribution may exceed its mean.
const DEVIATIONS: f64 = 4.0;

/// A search of the golden data, before the model and the prompt are known.
struct Search {
    name: &'static str,
    num_beams: usize,
    count: usize,
    max_tokens: usize,
    min_tokens: usize,
    length_penalty: f32,
    early_stopping: bool,
    repetition_penalty: f32,
    no_repeat_ngram_size: usize,
}

/// As in `make.py`.
fn searches() -> Vec<Search> {
    let greedy = |name| Search {
        name,
        num_beams: 1,
        count: 1,
        max_tokens: MAX_TOKENS,
        min_tokens: 0,
        length_penalty: 1.0,
        early_stopping: false,
        repetition_penalty: 1.0,
        no_repeat_ngram_size: 0,
    };
    let beams = |name, num_beams| Search { num_beams, count: num_beams, ..greedy(name) };
    vec![
        greedy("greedy"),
        Search { max_tokens: 3, ..greedy("greedy_few") },
        Search { repetition_penalty: 1.8, ..greedy("greedy_penalty") },
        Search { repetition_penalty: 0.7, no_repeat_ngram_size: 3, ..greedy("greedy_repeating") },
        Search { no_repeat_ngram_size: 2, ..greedy("greedy_ngrams") },
        Search { repetition_penalty: 1.3, no_repeat_ngram_size: 1, min_tokens: 9, ..greedy("greedy_all") },
        beams("beams_2", 2),
        beams("beams_3", 3),
        Search { count: 4, ..beams("beams_5", 5) },
        Search { max_tokens: 3, ..beams("beams_few", 3) },
        Search { length_penalty: -2.0, ..beams("beams_short", 3) },
        Search { min_tokens: 6, length_penalty: 2.0, ..beams("beams_long", 3) },
        Search { early_stopping: true, ..beams("beams_early", 3) },
        Search { repetition_penalty: 1.8, ..beams("beams_penalty", 3) },
        Search { repetition_penalty: 0.7, no_repeat_ngram_size: 3, ..beams("beams_repeating", 3) },
        Search { no_repeat_ngram_size: 2, ..beams("beams_ngrams", 3) },
        Search {
            repetition_penalty: 1.4,
            no_repeat_ngram_size: 1,
            min_tokens: 7,
            length_penalty: 0.5,
            ..beams("beams_all", 3)
        },
    ]
}

impl Search {
    fn begin(&self, prompt: &[u32], end_token: u32) -> Generation {
        let processors = Processors {
            prompt: prompt.to_vec(),
            repetition_penalty: self.repetition_penalty,
            no_repeat_ngram_size: self.no_repeat_ngram_size,
            min_tokens: self.min_tokens,
            end_token,
        };
        let &Self { num_beams, count, max_tokens, length_penalty, early_stopping, .. } = self;
        if num_beams == 1 {
            let settings = SampleSettings { count, sampling: None, max_tokens, processors };
            return Generation::Samples(Samples::new(settings));
        }
        let settings = BeamSettings { num_beams, max_tokens, length_penalty, early_stopping, processors };
        Generation::Beams { search: BeamSearch::new(settings), count }
    }
}

/// Runs a model until all texts have ended.
fn write(model: &BlipModel, states: &Tensor, prompt: &[u32], mut generation: Generation) -> Vec<Written> {
    let mut state = model.start(states).unwrap();
    let mut logits = model.step(&mut state, prompt).unwrap();
    while let Some(next) = generation.advance(&logits.flatten_all().unwrap().to_vec1().unwrap()) {
        state.keep(&next.parents);
        logits = model.step_all(&mut state, &next.ids).unwrap();
    }
    generation.written()
}

/// Without a prompt, and with that of the golden data.
fn prompts(golden: &Golden, config: &BlipConfig) -> [Vec<u32>; 2] {
    [vec![config.text.bos_token_id], golden.ids("prompt")]
}

#[test]
fn writes_token_for_token_what_the_reference_writes() {
    let mut found_by: HashMap<&str, Vec<Vec<Written>>> = HashMap::new();
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let end = config.text.sep_token_id;
        for search in searches() {
            let expected = golden.floats(search.name).to_vec3::<i64>().unwrap();
            let scores = golden.floats(&format!("{}_scores", search.name)).to_vec2::<f32>().unwrap();
            assert_eq!(expected.len(), 2 * IMAGES);
            for (case, (expected, scores)) in expected.iter().zip(&scores).enumerate() {
                let what = format!("{name} {} {case}", search.name);
                let prompt = &prompts(&golden, &config)[case % 2];
                let states = states(&model, &config, case / 2);
                let written = write(&model, &states, prompt, search.begin(prompt, end));
                assert_eq!(written.len(), search.count, "{what}");
                assert_eq!(expected.len(), search.count, "{what}");
                for (written, (expected, score)) in written.iter().zip(expected.iter().zip(scores)) {
                    let expected: Vec<u32> = expected
                        .iter()
                        .filter_map(|&id| u32::try_from(id).ok())
                        .filter(|&id| id != end)
                        .collect();
                    assert_eq!(written.ids, expected, "{what}");
                    let error = (written.score - score).abs() / score.abs().max(1.0);
                    assert!(error <= SCORE_BOUND, "{what}: {} instead of {score}", written.score);
                }
                found_by.entry(search.name).or_default().push(written);
            }
        }
    }
    // Every setting changes some text, or agreeing on it would prove nothing.
    let ids = |name| -> Vec<&[u32]> { found_by[name].iter().flatten().map(|text| &*text.ids).collect() };
    for search in searches() {
        let plain = if search.num_beams == 1 { "greedy" } else { "beams_3" };
        assert!(search.name == plain || ids(search.name) != ids(plain), "{} is as {plain}", search.name);
    }
    let best = |name| -> Vec<&[u32]> { found_by[name].iter().map(|texts| &*texts[0].ids).collect() };
    assert_ne!(best("beams_3"), best("greedy"));
}

#[test]
fn texts_written_side_by_side_are_those_written_alone() {
    let golden = Golden::read(MODELS[1]);
    let (config, model) = model(&golden);
    let states = states(&model, &config, 0);
    let [prompt, _] = prompts(&golden, &config);
    let sampling = Sampling { temperature: 1.5, seed: 3, ..Sampling::default() };
    let write = |count, seed| {
        let sampling = Some(Sampling { seed, ..sampling.clone() });
        let processors = Processors { prompt: prompt.clone(), ..Processors::none(config.text.sep_token_id) };
        let settings = SampleSettings { count, sampling, max_tokens: MAX_TOKENS, processors };
        write(&model, &states, &prompt, Generation::Samples(Samples::new(settings)))
    };
    let together = write(12, 3);
    let alone = write(1, 3);
    assert!(together.iter().any(|text| text.ids == alone[0].ids), "{alone:?} is not among {together:?}");
    let lengths: std::collections::HashSet<usize> = together.iter().map(|text| text.ids.len()).collect();
    assert!(lengths.len() > 2, "all end at once: this proves nothing");

    // The score is what the model says of the text, whatever was drawn from.
    for text in &together {
        let mut state = model.start(&states).unwrap();
        let ids = [&prompt, &text.ids[..]].concat();
        let logits = model.step_all(&mut state, &ids).unwrap().to_vec2::<f32>().unwrap();
        let ended = (text.ids.len() < MAX_TOKENS).then_some(config.text.sep_token_id);
        let expected: f64 = logits
            .iter()
            .zip(text.ids.iter().copied().chain(ended))
            .map(|(row, id)| {
                let sum: f64 = row.iter().map(|&logit| f64::from(logit).exp()).sum();
                f64::from(row[id as usize]) - sum.ln()
            })
            .sum();
        assert!(
            (f64::from(text.score) - expected).abs() < f64::from(SCORE_BOUND) * expected.abs(),
            "{text:?}"
        );
    }
}

/// The golden logits, and what each setting makes of them.
struct Distributions {
    tensors: HashMap<String, Tensor>,
}

/// The settings of the golden distributions: what is done to logits, and what to draw from.
fn distributions() -> Vec<(&'static str, Processors, Sampling)> {
    let none = || Processors::none(0);
    let all = Sampling { top_k: usize::MAX, ..Sampling::default() };
    let draw = |temperature, top_k, top_p| Sampling { temperature, top_k, top_p, ..Sampling::default() };
    let every = usize::MAX;
    vec![
        ("plain", none(), all.clone()),
        ("cold", none(), draw(0.4, every, 1.0)),
        ("hot", none(), draw(2.5, every, 1.0)),
        ("top_k", none(), draw(1.0, 7, 1.0)),
        ("top_k_one", none(), draw(1.0, 1, 1.0)),
        ("top_p", none(), draw(1.0, every, 0.8)),
        ("top_p_small", none(), draw(1.0, every, 0.05)),
        ("top_p_large", none(), draw(1.0, every, 0.98)),
        ("top_k_top_p", none(), draw(1.0, 6, 0.75)),
        ("warped", none(), draw(0.7, 40, 0.9)),
        ("penalty", Processors { repetition_penalty: 1.7, ..none() }, all.clone()),
        ("repeating", Processors { repetition_penalty: 0.6, ..none() }, draw(1.0, 10, 1.0)),
        ("ngrams", Processors { no_repeat_ngram_size: 2, ..none() }, all),
        (
            "all",
            Processors { repetition_penalty: 1.2, no_repeat_ngram_size: 1, min_tokens: 9, ..none() },
            draw(1.3, 30, 0.95),
        ),
    ]
}

impl Distributions {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/generation/expected.safetensors");
        let tensors = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
        Self { tensors }
    }

    fn rows(&self, name: &str) -> Vec<Vec<f32>> {
        self.tensors[name].to_vec2().unwrap()
    }

    fn ids(&self, name: &str) -> Vec<u32> {
        let ids = self.tensors[name].to_vec1::<i64>().unwrap();
        ids.into_iter().map(|id| u32::try_from(id).unwrap()).collect()
    }

    /// With the golden text.
    fn complete(&self, processors: Processors) -> Processors {
        Processors { prompt: self.ids("prompt"), end_token: self.ids("end")[0], ..processors }
    }
}

#[test]
fn draws_from_the_probabilities_of_the_reference() {
    let golden = Distributions::read();
    for (name, processors, sampling) in distributions() {
        let processors = golden.complete(processors);
        for (logits, expected) in golden.rows("logits").into_iter().zip(golden.rows(name)) {
            let mut scores = logits;
            processors.apply(&golden.ids("new"), &mut scores);
            sampling.warp(&mut scores);
            let total: f64 = scores.iter().map(|&score| f64::from(score).exp()).sum();
            for (id, (&score, &expected)) in scores.iter().zip(&expected).enumerate() {
                let found = f64::from(score).exp() / total;
                let error = (found - f64::from(expected)).abs();
                assert!(error <= PROBABILITY_BOUND, "{name}: token {id}: {found} instead of {expected}");
            }
        }
    }
}

/// How far counts are from what is expected, in standard deviations above the mean of a chi-square sum. Tokens of
/// which few are expected count as one; those that are not expected at all must not come.
fn deviation(counts: &[usize], probabilities: &[f32]) -> f64 {
    let draws = counts.iter().sum::<usize>() as f64;
    let (mut sum, mut bins, mut rare) = (0.0, 0usize, (0.0, 0.0));
    let mut add = |count: f64, expected: f64| {
        sum += (count - expected).powi(2) / expected;
        bins += 1;
    };
    for (&count, &probability) in counts.iter().zip(probabilities) {
        let (count, expected) = (count as f64, f64::from(probability) * draws);
        if expected == 0.0 && count > 0.0 {
            return f64::INFINITY;
        }
        if expected >= LEAST_EXPECTED {
            add(count, expected);
        } else {
            rare = (rare.0 + count, rare.1 + expected);
        }
    }
    if rare.1 > 0.0 {
        add(rare.0, rare.1.max(LEAST_EXPECTED));
    }
    let freedom = bins.saturating_sub(1) as f64;
    if freedom == 0.0 { 0.0 } else { (sum - freedom) / (2.0 * freedom).sqrt() }
}

#[test]
fn what_is_drawn_fits_the_probabilities() {
    let golden = Distributions::read();
    let logits = golden.rows("logits");
    for (name, processors, sampling) in distributions() {
        // Of the text so far, all is the prompt here.
        let text = [golden.ids("prompt"), golden.ids("new")].concat();
        let processors = Processors { prompt: text, ..golden.complete(processors) };
        for (row, (logits, expected)) in logits.iter().zip(golden.rows(name)).enumerate() {
            let mut counts = vec![0; logits.len()];
            let sampling = Some(Sampling { seed: 1 + row as u64, ..sampling.clone() });
            let processors = processors.clone();
            let settings = SampleSettings { count: DRAWS, sampling, max_tokens: 1, processors };
            let end = settings.processors.end_token;
            let mut samples = Samples::new(settings);
            assert_eq!(samples.advance(logits), None);
            for text in samples.written() {
                counts[text.ids.first().copied().unwrap_or(end) as usize] += 1;
            }
            let found = deviation(&counts, &expected);
            assert!(found <= DEVIATIONS, "{name}, row {row}: {found} standard deviations off");
            // Of another distribution the same counts are far off.
            for (other, ..) in distributions() {
                let other_expected = &golden.rows(other)[row];
                let apart: f32 =
                    expected.iter().zip(other_expected).map(|(a, b)| (a - b).abs()).sum::<f32>() / 2.0;
                let off = deviation(&counts, other_expected);
                assert!(apart < 0.1 || off > DEVIATIONS, "{name} passes for {other}, row {row}: {off}");
            }
        }
    }
}
