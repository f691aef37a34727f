//! Learning, one fit at a time.

use super::Taught;
use super::softmax_regression::{Examples, Problem, log_softmax};
use crate::Result;

/// Strengths of the penalty that are compared, strongest first, beside not learning at all.
const STRENGTHS: [f32; 8] = [30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01];
/// Parts that the examples are divided into, where a label has as many.
const FOLDS: usize = 4;
/// The strength where no label has two examples, and none can be left out to compare with.
pub(super) const WITHOUT_COMPARING: f32 = 1.0;
/// Strengths in a row that have to be worse before weaker ones are given up.
const PATIENCE: usize = 2;

/// A tagger learning from examples; made by [`Tagger::teach`](super::super::Tagger::teach).
///
/// Each of the examples is left out once, all others are learnt from with each strength, and the strength counts with which
/// those left out are told best: by the mean logarithm of the probability of the right label. The examples of a label are
/// left out in turn, so every fit but those of labels with one example has some of each.
pub struct TeachRun {
    features: Vec<f32>,
    known: Vec<f32>,
    classes: Vec<usize>,
    folds: Vec<Fold>,
    /// Results of the strengths so far, "nothing" first.
    results: Vec<Comparison>,
    /// The next strength, and the next part to be left out.
    at: (usize, usize),
    taught: Option<Taught>,
}

/// A part of the examples, and what is learnt of the others.
struct Fold {
    left_out: Vec<usize>,
    problem: Problem,
    /// What was learnt with the last strength: the next fit begins there.
    theta: Vec<f32>,
}

/// How examples that were left out were told with one strength.
#[derive(Default)]
struct Comparison {
    /// Of each, its logits and its class.
    told: Vec<(Vec<f32>, usize)>,
}

impl Comparison {
    /// The mean of minus the logarithm of the probability of the right class, with logits divided by `temperature`.
    fn loss(&self, temperature: f32) -> f64 {
        let losses = self.told.iter().map(|(logits, class)| {
            let mut row: Vec<f32> = logits.iter().map(|logit| logit / temperature).collect();
            f64::from(log_softmax(&mut row, *class))
        });
        losses.sum::<f64>() / self.told.len().max(1) as f64
    }
}

impl TeachRun {
    /// `features` are `(count, dim)`, `known` the logits `(count, labels + 1)`, "none of these" last.
    pub(super) fn new(features: Vec<f32>, known: Vec<f32>, classes: Vec<usize>) -> Result<Self> {
        let examples = Examples { features: &features, known: &known, classes: &classes };
        let parts = divide(&classes);
        let mut folds = Vec::with_capacity(FOLDS);
        for fold in 0..FOLDS {
            let (left_out, kept): (Vec<usize>, Vec<usize>) =
                (0..classes.len()).partition(|&i| parts[i] == Some(fold));
            if !left_out.is_empty() {
                let problem = Problem::new(&examples, &kept)?;
                let theta = vec![0.0; problem.size()];
                folds.push(Fold { left_out, problem, theta });
            }
        }
        let nothing = folds.iter().flat_map(|fold| &fold.left_out);
        let told = nothing.map(|&i| (examples.known_of(i).to_vec(), classes[i])).collect();
        let results = vec![Comparison { told }];
        Ok(Self { features, known, classes, folds, results, at: (0, 0), taught: None })
    }

    /// Fits that are made at most.
    pub fn total(&self) -> usize {
        self.folds.len() * STRENGTHS.len() + 1
    }

    /// Makes one more fit. Returns how many are left, at most.
    pub fn step(&mut self) -> Result<usize> {
        let (strength, part) = self.at;
        let Some(fold) = self.folds.get_mut(part) else {
            if self.taught.is_none() {
                self.taught = Some(self.learn()?);
            }
            return Ok(0);
        };
        fold.theta = fold.problem.fit(STRENGTHS[strength], std::mem::take(&mut fold.theta));
        let examples = Examples { features: &self.features, known: &self.known, classes: &self.classes };
        let told = fold.left_out.iter().map(|&i| (examples.logits(i, &fold.theta), self.classes[i]));
        if part == 0 {
            self.results.push(Comparison::default());
        }
        if let Some(result) = self.results.last_mut() {
            result.told.extend(told);
        }
        self.at = match part + 1 {
            next if next < self.folds.len() => (strength, next),
            _ if strength + 1 < STRENGTHS.len() && !self.is_past_the_best() => (strength + 1, 0),
            _ => (strength, self.folds.len()),
        };
        let (strength, part) = self.at;
        let left = (self.folds.len() - part) + self.folds.len() * (STRENGTHS.len() - 1 - strength);
        Ok(if part == self.folds.len() { 1 } else { left + 1 })
    }

    /// What was learnt, once no fit is left.
    pub fn taught(&self) -> Option<&Taught> {
        self.taught.as_ref()
    }
}

impl TeachRun {
    /// Whether the last strengths were all worse than one before them.
    fn is_past_the_best(&self) -> bool {
        let losses: Vec<f64> = self.results.iter().map(|result| result.loss(1.0)).collect();
        let (_, best) = best_of(&losses);
        losses.len() > PATIENCE && losses[losses.len() - PATIENCE..].iter().all(|&loss| loss > best)
    }

    /// Learns from all examples, with the strength that told best.
    fn learn(&self) -> Result<Taught> {
        let examples = Examples { features: &self.features, known: &self.known, classes: &self.classes };
        let all: Vec<usize> = (0..self.classes.len()).collect();
        let problem = Problem::new(&examples, &all)?;
        let nothing = vec![0.0; problem.size()];
        if self.folds.is_empty() {
            let weights = problem.fit(WITHOUT_COMPARING, nothing);
            return Ok(Taught { weights, strength: Some(WITHOUT_COMPARING), temperature: 1.0 });
        }
        let losses: Vec<f64> = self.results.iter().map(|result| result.loss(1.0)).collect();
        let (place, _) = best_of(&losses);
        let temperature = temperature_of(&self.results[place]);
        let Some(strength) = place.checked_sub(1).map(|place| STRENGTHS[place]) else {
            return Ok(Taught { weights: nothing, strength: None, temperature });
        };
        Ok(Taught { weights: problem.fit(strength, nothing), strength: Some(strength), temperature })
    }
}

/// The place and the value of the least of `losses`; of equal ones the first.
fn best_of(losses: &[f64]) -> (usize, f64) {
    losses
        .iter()
        .copied()
        .enumerate()
        .fold((0, f64::INFINITY), |best, (i, loss)| if loss < best.1 { (i, loss) } else { best })
}

/// Of each example the part that it is left out with: the examples of a class take turns, those of a class with one stay in
/// all.
fn divide(classes: &[usize]) -> Vec<Option<usize>> {
    let most = classes.iter().copied().max().map_or(0, |class| class + 1);
    let mut counts = vec![0_usize; most];
    classes.iter().for_each(|&class| counts[class] += 1);
    let mut turns = vec![0_usize; most];
    let turn = |&class: &usize| {
        let turn = turns[class];
        turns[class] += 1;
        (counts[class] > 1).then(|| turn % FOLDS.min(counts[class]))
    };
    classes.iter().map(turn).collect()
}

/// What logits have to be divided by for probabilities that are right as often as they say: the temperature of the least
/// loss (Guo et al., 2017), looked for from 1/4 to 4. Few examples say little of it: it is drawn to 1 as by
/// [`PRIOR`] examples more.
fn temperature_of(result: &Comparison) -> f32 {
    let steps = -16..=16;
    let temperatures = steps.map(|step| 2.0_f32.powf(step as f32 / 8.0));
    let cost = |temperature: f32| {
        let drawn = f64::from(temperature.ln()).powi(2) * PRIOR / result.told.len().max(1) as f64;
        result.loss(temperature) + drawn
    };
    temperatures.fold((1.0, cost(1.0)), |best, t| if cost(t) < best.1 { (t, cost(t)) } else { best }).0
}

/// See [`temperature_of`].
const PRIOR: f64 = 4.0;
