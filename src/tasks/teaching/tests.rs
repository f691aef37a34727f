//! Softmax regression against scikit-learn and scipy (`tests/golden/teaching/make.py`), and what a run chooses.

#![allow(clippy::unwrap_used)]

use serde::Deserialize;

use super::TeachRun;
use super::softmax_regression::{Examples, Problem};

/// Largest difference from the reference, as part of its largest number. The minimum is flat, and found in f32.
const BOUND: f32 = 5e-3;

#[derive(Deserialize)]
struct Golden {
    dim: usize,
    features: Vec<f32>,
    known: Vec<f32>,
    classes: Vec<usize>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    strength: f32,
    plain: Vec<f32>,
    beside: Vec<f32>,
}

fn golden() -> Golden {
    let json = include_str!("../../../tests/golden/teaching/regression.json");
    serde_json::from_str(json).unwrap()
}

fn fit(golden: &Golden, known: &[f32], strength: f32) -> Vec<f32> {
    let examples = Examples { features: &golden.features, known, classes: &golden.classes };
    let rows: Vec<usize> = (0..golden.classes.len()).collect();
    let problem = Problem::new(&examples, &rows).unwrap();
    assert_eq!(problem.size(), 4 * golden.dim);
    problem.fit(1.0, strength, vec![0.0; problem.size()])
}

fn assert_near(name: &str, found: &[f32], expected: &[f32]) {
    let largest = expected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off <= BOUND * largest, "{name}: off by {off:e} of {largest}");
}

#[test]
fn the_minimum_is_that_of_the_references() {
    let golden = golden();
    // One that is never right, and takes no probability.
    let plain: Vec<f32> = golden.classes.iter().flat_map(|_| [0.0, 0.0, 0.0, 0.0, -1e4]).collect();
    for case in &golden.cases {
        assert_near(&format!("plain {}", case.strength), &fit(&golden, &plain, case.strength), &case.plain);
        let found = fit(&golden, &golden.known, case.strength);
        assert_near(&format!("beside {}", case.strength), &found, &case.beside);
    }
}

/// Features of `count` examples of each of two classes, `apart` from each other in one of 8 directions, and what they are.
fn two_classes(count: usize, apart: f32) -> (Vec<f32>, Vec<usize>) {
    let mut state = 11_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut features = Vec::new();
    let classes: Vec<usize> = (0..2 * count).map(|i| i % 2).collect();
    for &class in &classes {
        let mut row: Vec<f32> = (0..8).map(|_| noise()).collect();
        row[0] += if class == 0 { apart } else { -apart };
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        features.extend(row.into_iter().map(|x| x / length));
    }
    (features, classes)
}

fn run(features: Vec<f32>, known: Vec<f32>, classes: Vec<usize>) -> super::Taught {
    let mut run = TeachRun::new(features, known, classes).unwrap();
    let mut left = run.total();
    while left > 0 {
        let now = run.step().unwrap();
        assert_eq!(now, left - 1);
        left = now;
    }
    run.taught().unwrap().clone()
}

#[test]
fn learns_what_can_be_told_and_nothing_where_nothing_can() {
    let (features, classes) = two_classes(8, 1.0);
    let known = vec![0.0; 3 * classes.len()];
    let taught = run(features.clone(), known.clone(), classes.clone());
    assert!(taught.strength.is_some());
    let right = features.chunks_exact(8).zip(&classes).filter(|(row, class)| {
        let logit =
            |of: usize| -> f32 { row.iter().zip(&taught.weights[of * 8..]).map(|(a, b)| a * b).sum() };
        logit(**class) > logit(1 - **class)
    });
    assert_eq!(right.count(), classes.len());

    // What is known tells everything, and the features are noise.
    let (features, classes) = two_classes(8, 0.0);
    let known = classes
        .iter()
        .flat_map(|&class| if class == 0 { [9.0, 0.0, 0.0] } else { [0.0, 9.0, 0.0] })
        .collect();
    let taught = run(features, known, classes);
    assert_eq!((taught.strength, taught.kept), (None, 1.0));
    assert!(taught.weights.iter().all(|&x| x == 0.0));
}

#[test]
fn words_that_mislead_are_kept_in_part() {
    let (features, classes) = two_classes(8, 1.0);
    let wrong = |&class: &usize| if class == 1 { [9.0, 0.0, 0.0] } else { [0.0, 9.0, 0.0] };
    let known: Vec<f32> = classes.iter().flat_map(wrong).collect();
    assert!(run(features.clone(), known.clone(), classes.clone()).kept < 1.0);
    // With one example of each, the examples themselves tell.
    assert_eq!(run(features[..16].to_vec(), known[..6].to_vec(), classes[..2].to_vec()).kept, 0.1);
    let right: Vec<f32> = known.chunks(3).flat_map(|row| [row[1], row[0], row[2]]).collect();
    assert_eq!(run(features[..16].to_vec(), right[..6].to_vec(), classes[..2].to_vec()).kept, 1.0);
}

#[test]
fn one_example_of_each_is_enough_to_begin_with() {
    let (features, classes) = two_classes(1, 1.0);
    let taught = run(features, vec![0.0; 6], classes);
    assert_eq!((taught.strength, taught.temperature), (Some(super::run::WITHOUT_COMPARING), 1.0));
    // A label alone is told from "none of these".
    let (features, _) = two_classes(3, 1.0);
    let taught = run(features[..8].to_vec(), vec![0.0, 0.0], vec![0]);
    assert_eq!(taught.weights.len(), 8);
    assert!(taught.weights.iter().any(|&x| x != 0.0));
}
