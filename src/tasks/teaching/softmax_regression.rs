//! Softmax regression beside logits that are known already.
//!
//! Of an example `i` with features `x_i`, known logits `b_i` and class `y_i`, class `c` has the logit
//! `z_ic = b_i0 + kept (b_ic - b_i0) + <theta_c, x_i>`. `theta` is the minimum of
//!
//! ```text
//! sum_i w_i (log sum_c exp z_ic - z_i,y_i)  +  strength / 2 |theta|^2
//! ```
//!
//! which is convex: multinomial logistic regression with an L2 penalty (Bishop, 2006, section 4.3.4), whose penalty draws
//! not to zero but to what was known, or to a part of it, `kept`. One more class competes without being learnt: its logit, the
//! last of `b_i`, is `b_i0`.

use lbfgs::Lbfgs;

use crate::Result;
use crate::kernels::{Dtype, Epilogue, Layer, Matrix, linear};

/// Pairs of differences that stand for the curvature (Nocedal and Wright, 2006, section 7.2: 3 to 20).
const MEMORY: usize = 8;
/// Steps after which the minimum is near enough, whatever the gradient.
const MAX_STEPS: usize = 100;
/// Part of the first gradient that may be left.
const TOLERANCE: f64 = 1e-3;
/// Part of the decrease that the slope promises and a step must bring (Armijo's condition).
const SUFFICIENT: f64 = 1e-4;
/// Halvings of a step before there is nothing more to gain in single precision.
const MAX_HALVINGS: usize = 20;

/// Examples: their features, what was known of them, and what they are.
pub(super) struct Examples<'a> {
    /// `(count, dim)`
    pub(super) features: &'a [f32],
    /// Logits `(count, classes)`, and behind those of a row one more that is not learnt.
    pub(super) known: &'a [f32],
    /// The class of each.
    pub(super) classes: &'a [usize],
}

impl Examples<'_> {
    /// What was known of the example `i`.
    pub(super) fn known_of(&self, i: usize) -> &[f32] {
        &self.known[i * self.columns()..][..self.columns()]
    }

    /// The logits of the example `i` with `theta`.
    pub(super) fn logits(&self, i: usize, kept: f32, theta: &[f32]) -> Vec<f32> {
        let features = &self.features[i * self.dim()..][..self.dim()];
        let mut logits = self.known_of(i).to_vec();
        keep(&mut logits, kept);
        for (logit, row) in logits.iter_mut().zip(theta.chunks_exact(self.dim())) {
            *logit += row.iter().zip(features).map(|(a, b)| a * b).sum::<f32>();
        }
        logits
    }

    fn dim(&self) -> usize {
        self.features.len() / self.classes.len().max(1)
    }

    /// Classes, that which is not learnt among them.
    fn columns(&self) -> usize {
        self.known.len() / self.classes.len().max(1)
    }
}

/// Some of the examples, ready to be learnt from.
pub(super) struct Problem {
    /// `(count, dim)` as a layer that gives a number for each example.
    by_example: Matrix,
    /// `(dim, count)`: the way back.
    by_feature: Matrix,
    /// `(count, classes + 1)`
    known: Vec<f32>,
    classes: Vec<usize>,
    weights: Vec<f32>,
    learnt: usize,
}

impl Problem {
    /// The problem of the examples at `rows`. Each class that has examples weighs the same: as many as there are on average.
    pub(super) fn new(examples: &Examples<'_>, rows: &[usize]) -> Result<Self> {
        let (dim, columns) = (examples.dim(), examples.columns());
        let part = |values: &[f32], width: usize| -> Vec<f32> {
            rows.iter().flat_map(|&row| values[row * width..][..width].iter().copied()).collect()
        };
        let features = part(examples.features, dim);
        let transposed: Vec<f32> =
            (0..dim).flat_map(|at| features.chunks_exact(dim).map(move |row| row[at])).collect();
        let classes: Vec<usize> = rows.iter().map(|&row| examples.classes[row]).collect();
        let mut counts = vec![0_usize; columns];
        classes.iter().for_each(|&class| counts[class] += 1);
        let present = counts.iter().filter(|&&count| count > 0).count();
        let weight = |&class: &usize| rows.len() as f32 / (present * counts[class]) as f32;
        Ok(Self {
            by_example: Matrix::pack(Dtype::F32, rows.len(), dim, &features)?,
            by_feature: Matrix::pack(Dtype::F32, dim, rows.len(), &transposed)?,
            known: part(examples.known, columns),
            weights: classes.iter().map(weight).collect(),
            classes,
            learnt: columns - 1,
        })
    }

    /// Numbers of `theta`: `(classes, dim)`.
    pub(super) fn size(&self) -> usize {
        self.learnt * self.by_feature.rows()
    }

    /// The minimum, from `theta` on.
    pub(super) fn fit(&self, kept: f32, strength: f32, mut theta: Vec<f32>) -> Vec<f32> {
        let known = self.kept(kept);
        let mut curvature = Lbfgs::<f32>::new(self.size(), MEMORY);
        let (mut loss, mut gradient) = self.loss(&known, &theta, strength);
        let enough = TOLERANCE * norm(&gradient);
        for _ in 0..MAX_STEPS {
            if norm(&gradient) <= enough {
                break;
            }
            curvature.update_hessian(&gradient, &theta);
            let mut step = gradient.clone();
            curvature.apply_hessian(&mut step);
            let slope = dot(&gradient, &step);
            let Some((next, next_loss, next_gradient)) =
                self.descend(&known, strength, (&theta, loss), &step, slope)
            else {
                break;
            };
            (theta, loss, gradient) = (next, next_loss, next_gradient);
        }
        theta
    }

    /// The first of `theta - step`, `theta - step / 2` and so on that is far enough below `loss`.
    fn descend(
        &self,
        known: &[f32],
        strength: f32,
        (theta, loss): (&[f32], f64),
        step: &[f32],
        slope: f64,
    ) -> Option<(Vec<f32>, f64, Vec<f32>)> {
        let mut length = 1.0_f32;
        for _ in 0..MAX_HALVINGS {
            let next: Vec<f32> = theta.iter().zip(step).map(|(at, by)| at - length * by).collect();
            let (next_loss, gradient) = self.loss(known, &next, strength);
            if next_loss <= loss - SUFFICIENT * f64::from(length) * slope {
                return Some((next, next_loss, gradient));
            }
            length /= 2.0;
        }
        None
    }

    /// The known logits, of which a part is kept.
    fn kept(&self, kept: f32) -> Vec<f32> {
        let mut known = self.known.clone();
        known.chunks_exact_mut(self.learnt + 1).for_each(|row| keep(row, kept));
        known
    }

    /// What is to be minimised, and its gradient.
    fn loss(&self, known: &[f32], theta: &[f32], strength: f32) -> (f64, Vec<f32>) {
        let count = self.classes.len();
        let added = linear(theta, &[layer(&self.by_example)]);
        let mut residual = vec![0.0; self.learnt * count];
        let mut loss = f64::from(strength) / 2.0 * dot(theta, theta);
        let mut row = vec![0.0; self.learnt + 1];
        for (i, (known, (&class, &weight))) in
            known.chunks_exact(self.learnt + 1).zip(self.classes.iter().zip(&self.weights)).enumerate()
        {
            row.copy_from_slice(known);
            (0..self.learnt).for_each(|c| row[c] += added[c * count + i]);
            loss += f64::from(weight) * f64::from(log_softmax(&mut row, class));
            (0..self.learnt).for_each(|c| residual[c * count + i] = weight * row[c]);
            residual[class * count + i] -= weight;
        }
        let mut gradient = linear(&residual, &[layer(&self.by_feature)]);
        gradient.iter_mut().zip(theta).for_each(|(slope, at)| *slope += strength * at);
        (loss, gradient)
    }
}

/// Draws logits to the last of them: all where `kept` is 0, not at all where it is 1.
pub(super) fn keep(row: &mut [f32], kept: f32) {
    let Some((level, logits)) = row.split_last_mut() else { return };
    logits.iter_mut().for_each(|logit| *logit = *level + kept * (*logit - *level));
}

/// Makes probabilities of a row of logits; returns minus the logarithm of that of `class`.
pub(super) fn log_softmax(row: &mut [f32], class: usize) -> f32 {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let right = row[class] - max;
    let mut sum = 0.0;
    for logit in row.iter_mut() {
        *logit = (*logit - max).exp();
        sum += *logit;
    }
    row.iter_mut().for_each(|value| *value /= sum);
    sum.ln() - right
}

fn layer(weight: &Matrix) -> Layer<'_> {
    Layer { weight, bias: None, after: Epilogue::Nothing }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum()
}

fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}
