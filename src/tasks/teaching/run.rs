//! Learning, one fit at a time.

use super::Taught;
use super::softmax_regression::{Examples, Problem, log_softmax};
use crate::Result;

/// How much of what the words say is kept, of the choices that are compared: see [`Taught::kept`].
const KEPT: [f32; 3] = [1.0, 0.3, 0.1];
/// Strengths of the penalty that are compared, strongest first.
const STRENGTHS: [f32; 4] = [1.0, 0.3, 0.1, 0.03];
/// The strength where no label has two examples, and none can be left out to compare with.
pub(super) const WITHOUT_COMPARING: f32 = 0.1;
/// Parts that the examples are divided into, where a label has as many.
const FOLDS: usize = 4;
/// See [`temperature_of`].
const PRIOR: f64 = 4.0;

/// A tagger learning from examples; made by [`Tagger::teach`](super::super::Tagger::teach).
///
/// Each of the examples is left out once, all others are learnt from with each choice, and the choice counts with which those
/// left out are told best: by the mean logarithm of the probability of the right label. Not to learn is one of the choices.
/// The examples of a label are left out in turn, so every fit has some of each label that has more than one.
pub struct TeachRun {
    features: Vec<f32>,
    known: Vec<f32>,
    classes: Vec<usize>,
    folds: Vec<Fold>,
    /// The choices, and how well each did so far.
    choices: Vec<Choice>,
    /// The fits that were made.
    done: usize,
    taught: Option<Taught>,
}

/// A part of the examples, and what is learnt of the others.
struct Fold {
    left_out: Vec<usize>,
    problem: Problem,
    /// What was learnt with the last choice: the next fit begins there.
    theta: Vec<f32>,
}

/// What is kept of the words, how strong the penalty is, and how examples that were left out were told so.
struct Choice {
    kept: f32,
    strength: f32,
    /// Of each, its logits and its class.
    told: Vec<(Vec<f32>, usize)>,
}

impl Choice {
    /// The mean of minus the logarithm of the probability of the right class, with logits divided by `temperature`.
    fn loss(&self, temperature: f32) -> f64 {
        loss(&self.told, temperature)
    }
}

fn loss(told: &[(Vec<f32>, usize)], temperature: f32) -> f64 {
    let losses = told.iter().map(|(logits, class)| {
        let mut row: Vec<f32> = logits.iter().map(|logit| logit / temperature).collect();
        f64::from(log_softmax(&mut row, *class))
    });
    losses.sum::<f64>() / told.len().max(1) as f64
}

impl TeachRun {
    /// `features` are `(count, dim)`, `known` the logits `(count, labels + 1)`, "none of these" last.
    pub(super) fn new(features: Vec<f32>, known: Vec<f32>, classes: Vec<usize>) -> Result<Self> {
        let examples = Examples { features: &features, known: &known, classes: &classes };
        let parts = divide(&classes);
        let mut folds = Vec::with_capacity(FOLDS);
        for fold in 0..FOLDS {
            let (left_out, rest): (Vec<usize>, Vec<usize>) =
                (0..classes.len()).partition(|&i| parts[i] == Some(fold));
            if !left_out.is_empty() {
                let problem = Problem::new(&examples, &rest)?;
                let theta = vec![0.0; problem.size()];
                folds.push(Fold { left_out, problem, theta });
            }
        }
        let choices = KEPT.iter().flat_map(|&kept| {
            STRENGTHS.iter().map(move |&strength| Choice { kept, strength, told: Vec::new() })
        });
        let choices = if folds.is_empty() { Vec::new() } else { choices.collect() };
        Ok(Self { features, known, classes, folds, choices, done: 0, taught: None })
    }

    /// How many fits are made.
    pub fn total(&self) -> usize {
        self.choices.len() * self.folds.len() + 1
    }

    /// Makes one more fit. Returns how many are left.
    pub fn step(&mut self) -> Result<usize> {
        if self.done + 1 >= self.total() {
            if self.taught.is_none() {
                self.taught = Some(self.learn()?);
                self.done = self.total();
            }
            return Ok(0);
        }
        let (choice, fold) = (self.done / self.folds.len(), self.done % self.folds.len());
        let (choice, fold) = (&mut self.choices[choice], &mut self.folds[fold]);
        fold.theta = fold.problem.fit(choice.kept, choice.strength, std::mem::take(&mut fold.theta));
        let examples = Examples { features: &self.features, known: &self.known, classes: &self.classes };
        let told = fold.left_out.iter().map(|&i| {
            let logits = examples.logits(i, choice.kept, &fold.theta);
            (logits, examples.classes[i])
        });
        choice.told.extend(told);
        self.done += 1;
        Ok(self.total() - self.done)
    }

    /// What was learnt, once no fit is left.
    pub fn taught(&self) -> Option<&Taught> {
        self.taught.as_ref()
    }

    /// Learns from all examples, with the choice that told best.
    fn learn(&self) -> Result<Taught> {
        let examples = Examples { features: &self.features, known: &self.known, classes: &self.classes };
        let all: Vec<usize> = (0..self.classes.len()).collect();
        let problem = Problem::new(&examples, &all)?;
        let nothing = vec![0.0; problem.size()];
        let unlearnt = |i: usize| (examples.known_of(i).to_vec(), self.classes[i]);
        if self.folds.is_empty() {
            // Nothing was learnt yet, so the examples themselves tell how far the words are to be believed.
            let told: Vec<_> = all.into_iter().map(unlearnt).collect();
            let right = told.iter().filter(|(logits, class)| largest(logits) == *class).count();
            let kept = (right as f32 / told.len() as f32).max(KEPT[KEPT.len() - 1]);
            let weights = problem.fit(kept, WITHOUT_COMPARING, nothing);
            return Ok(Taught { weights, kept, strength: Some(WITHOUT_COMPARING), temperature: 1.0 });
        }
        let told: Vec<_> = self.folds.iter().flat_map(|fold| &fold.left_out).map(|&i| unlearnt(i)).collect();
        let unlearnt = loss(&told, 1.0);
        let best = self.choices.iter().fold(None, |best: Option<&Choice>, choice| {
            let least = best.map_or(unlearnt, |best| best.loss(1.0));
            if choice.loss(1.0) < least { Some(choice) } else { best }
        });
        Ok(match best {
            None => {
                Taught { weights: nothing, kept: 1.0, strength: None, temperature: temperature_of(&told) }
            }
            Some(Choice { kept, strength, told }) => Taught {
                weights: problem.fit(*kept, *strength, nothing),
                kept: *kept,
                strength: Some(*strength),
                temperature: temperature_of(told),
            },
        })
    }
}

/// The place of the largest of `logits`.
fn largest(logits: &[f32]) -> usize {
    let larger = |best: usize, i: usize| if logits[i] > logits[best] { i } else { best };
    (0..logits.len()).fold(0, larger)
}

/// Of each example the part that it is left out with: the examples of a class take turns; those of a class with one stay in
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
/// loss (Guo et al., 2017), looked for from 1/4 to 4. Few examples say little of it: it is drawn to 1 as by [`PRIOR`] examples
/// more.
fn temperature_of(told: &[(Vec<f32>, usize)]) -> f32 {
    let temperatures = (-16..=16).map(|step: i8| 2.0_f32.powf(f32::from(step) / 8.0));
    let cost = |temperature: f32| {
        loss(told, temperature) + f64::from(temperature.ln()).powi(2) * PRIOR / told.len().max(1) as f64
    };
    let better = |best: (f32, f64), t: f32| {
        let cost = cost(t);
        if cost < best.1 { (t, cost) } else { best }
    };
    temperatures.fold((1.0, cost(1.0)), better).0
}
