#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// How far a score may be from that of the same numbers in f64: f32 rounds the scales, their product, and the sum.
const BOUND: f64 = 4e-7;

const WIDTHS: [usize; 8] = [1, 7, 15, 16, 17, 100, 512, 520];

/// Vectors of length 1, the same in each run.
fn units(count: usize, width: usize, seed: u32) -> Vec<Vec<f32>> {
    let mut state = 0x9e37_79b9u32.wrapping_mul(seed + 1) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 - 0.5
    };
    let mut vectors = Vec::new();
    for _ in 0..count {
        let vector: Vec<f32> = (0..width).map(|_| next()).collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vectors.push(vector.iter().map(|x| x / length).collect());
    }
    vectors
}

fn filled(units: &[Vec<f32>]) -> Vectors {
    let mut vectors = Vectors::new(units[0].len());
    units.iter().for_each(|unit| vectors.push(unit).unwrap());
    vectors
}

/// The plain formula, on the numbers that are kept.
fn naive(query: &Query, vectors: &Vectors, index: usize) -> f64 {
    let (row, scale) = vectors.row(index);
    let sum: i64 = row.iter().zip(&query.values).map(|(&q, &x)| i64::from(q) * i64::from(x)).sum();
    sum as f64 * f64::from(scale) * f64::from(query.scale)
}

fn scores(vectors: &Vectors, query: &Query) -> Vec<f32> {
    let mut scores = vec![f32::NAN; vectors.len()];
    vectors.scores(query, &mut scores);
    scores
}

#[test]
fn scores_are_those_of_the_formula_over_odd_sizes() {
    for width in WIDTHS {
        for count in [0, 1, 2, 3, 4, 5, 9, 33] {
            let mut vectors = Vectors::new(width);
            units(count, width, 1).iter().for_each(|unit| vectors.push(unit).unwrap());
            let query = Query::new(&units(1, width, 2)[0]);
            for (index, score) in scores(&vectors, &query).into_iter().enumerate() {
                let error = (f64::from(score) - naive(&query, &vectors, index)).abs();
                assert!(error <= BOUND, "{count} x {width}: {error}");
            }
        }
    }
}

#[test]
fn a_vector_is_off_by_less_than_a_step_and_as_long_as_before() {
    for width in WIDTHS {
        let unit = &units(1, width, 3)[0];
        let most = unit.iter().fold(0f32, |most, x| most.max(x.abs()));
        let vectors = filled(std::slice::from_ref(unit));
        for (kept, x) in vectors.restore(0).iter().zip(unit) {
            assert!((kept - x).abs() <= 0.75 * most / 127.0, "{kept} instead of {x}");
        }
        let length = vectors.restore(0).iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < 1e-6, "{length}");
        let query = Query::new(unit);
        for (&kept, x) in query.values.iter().zip(unit) {
            assert!((f32::from(kept) * query.scale - x).abs() <= 0.51 * most / 32_000.0, "{kept}");
        }
    }
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    for width in [1usize, 512, 528, 4096, 16_384] {
        let mut vectors = Vectors::new(width);
        vectors.push_quantised(&vec![127; width], 1.0 / 127.0).unwrap();
        vectors.push_quantised(&vec![-127; width], 1.0 / 127.0).unwrap();
        let query = Query::new(&vec![1.0; width]);
        let found = scores(&vectors, &query);
        let expected = width as f32;
        assert!((found[0] / expected - 1.0).abs() < 1e-6, "{} instead of {expected}", found[0]);
        assert_eq!(found[1], -found[0]);
    }
}

#[test]
fn a_vector_of_zeros_is_like_nothing() {
    let mut vectors = Vectors::new(3);
    vectors.push(&[0.0; 3]).unwrap();
    assert_eq!(scores(&vectors, &Query::new(&[1.0, 0.0, 0.0])), [0.0]);
    assert_eq!(scores(&vectors, &Query::new(&[0.0; 3])), [0.0]);
}

#[test]
fn one_that_is_removed_is_replaced_by_the_last() {
    // Three rows of a segment and more: a width with few of them.
    let width = SEGMENT / 8;
    let mut vectors = Vectors::new(width);
    assert_eq!(vectors.rows, 8);
    for number in 0..19u8 {
        let mut unit = vec![0.0; width];
        unit[usize::from(number)] = 1.0;
        vectors.push(&unit).unwrap();
    }
    let mut expected: Vec<usize> = (0..19).collect();
    for index in [0, 17, 5, 15, 3, 8, 0, 0] {
        vectors.swap_remove(index);
        expected.swap_remove(index);
        let found: Vec<Option<usize>> =
            (0..vectors.len()).map(|row| vectors.numbers(row).position(|q| q == 127)).collect();
        assert_eq!(found, expected.iter().copied().map(Some).collect::<Vec<_>>());
        assert_eq!(vectors.segments.len(), vectors.len().div_ceil(8), "memory is given back");
    }
}

#[test]
fn room_is_made_by_segments() {
    let mut vectors = Vectors::new(512);
    vectors.reserve(100_000).unwrap();
    assert!(vectors.is_empty());
    assert!(vectors.memory() <= 100_000 * (512 + 4) + SEGMENT, "{} bytes", vectors.memory());
    let memory = vectors.memory();
    for _ in 0..3000 {
        vectors.push_quantised(&[1; 512], 1.0).unwrap();
    }
    assert_eq!(vectors.memory(), memory);
    assert!(vectors.reserve(usize::MAX / 2).is_err());
    assert_eq!((vectors.len(), vectors.memory()), (3000, memory));
}

#[test]
fn pairs_are_those_of_the_formula() {
    for (width, count) in [(1, 5), (3, 70), (17, 65), (64, 64), (96, 200)] {
        // Some near each other: each third is the one before it, with a little of another.
        let mut vectors = units(count, width, 5);
        let noise = units(count, width, 6);
        for index in (2..count).step_by(3) {
            let share = 0.02 * (index % 30) as f32;
            let mixed: Vec<f32> =
                vectors[index - 1].iter().zip(&noise[index]).map(|(x, n)| x + share * n).collect();
            let length = mixed.iter().map(|x| x * x).sum::<f32>().sqrt();
            vectors[index] = mixed.iter().map(|x| x / length).collect();
        }
        let vectors = filled(&vectors);
        for threshold in [-1.1, 0.0, 0.5, 0.9, 0.97] {
            let mut expected = Vec::new();
            for first in 0..count {
                let scores = scores(&vectors, &Query::of(&vectors, first));
                let later = (first + 1..count).filter(|&second| scores[second] >= threshold);
                expected.extend(later.map(|second| Pair { first, second, score: scores[second] }));
            }
            let mut found = Vec::new();
            let mut scan = PairScan::new(&vectors, threshold);
            while scan.step(&vectors, |pair| found.push(pair)) {}
            assert_eq!(scan.done(), count);
            found.sort_by_key(|pair| (pair.first, pair.second));
            assert_eq!(found, expected, "{count} x {width} from {threshold} on");
            assert!(width < 17 || threshold < 0.9 || !found.is_empty(), "a test that finds no pair");
        }
    }
}
