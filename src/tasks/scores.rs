//! Scores of labels out of their logits, and of "none of these".

/// How scores are made of the logits of labels, `logit_scale * cos(image, label)`, and of the background's.
///
/// The background is a set of prompts that name nothing, such as "a photo of something."; its logit is
/// `logit_scale * mean(cos(image, prompt)) + offset`. It stands for "none of these": without it, the softmax gives all
/// of the probability to the labels, whatever the picture shows. The mean served better than the maximum and the
/// log-mean-exp of the logits where it was measured (`training/calibrate.py`); the offset belongs to a model, see
/// [`DualConfig::none_offset`](crate::models::dual::DualConfig::none_offset).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scores {
    /// The softmax over the labels and the background: one of them is right, and all sum to 1.
    Softmax,
    /// Each label against the background alone, the sigmoid of the difference of their logits: any number of labels
    /// may be right. That none is scores as much as the best of them lacks of 1.
    Independent,
    /// The softmax over the labels alone. That none is right scores 0.
    Alone,
}

/// What labels score, and what "none of these" does.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// From 0 to 1, in label order.
    pub labels: Vec<f32>,
    /// From 0 to 1.
    pub none: f32,
}

impl Scored {
    /// The scores of the labels, and then that of none of them.
    pub fn all(self) -> Vec<f32> {
        let mut all = self.labels;
        all.push(self.none);
        all
    }
}

impl Scores {
    /// The scores of labels with these `logits`, at least one, beside a `background`'s.
    pub(super) fn of(self, mut logits: Vec<f32>, background: f32) -> Scored {
        match self {
            Self::Softmax => {
                let count = logits.len();
                logits.push(background);
                softmax(&mut logits);
                let none = logits[count];
                logits.truncate(count);
                Scored { labels: logits, none }
            }
            Self::Alone => {
                softmax(&mut logits);
                Scored { labels: logits, none: 0.0 }
            }
            Self::Independent => {
                let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                logits.iter_mut().for_each(|logit| *logit = sigmoid(*logit - background));
                Scored { labels: logits, none: sigmoid(background - best) }
            }
        }
    }
}

/// The softmax of `logits`, in place; the maximum is taken off first, so nothing overflows.
pub(super) fn softmax(logits: &mut [f32]) {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - max).exp();
        sum += *logit;
    }
    logits.iter_mut().for_each(|logit| *logit /= sum);
}

/// `1 / (1 + e^-x)`: an exponential that overflows gives 0.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_survives_large_logits() {
        let mut logits = [1000.0, 999.0, -1000.0];
        softmax(&mut logits);
        let e = std::f32::consts::E;
        assert!((logits[0] - e / (e + 1.0)).abs() < 1e-6);
        assert!((logits.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn none_takes_its_share_and_is_what_the_best_label_lacks() {
        let logits = vec![2.0, 1.0, -500.0];
        let Scored { labels, none } = Scores::Softmax.of(logits.clone(), 2.0);
        assert_eq!((labels.len(), labels[0]), (3, none));
        assert!((labels.iter().sum::<f32>() + none - 1.0).abs() < 1e-6);

        let Scored { labels, none } = Scores::Alone.of(logits.clone(), 500.0);
        assert_eq!((labels.len(), none), (3, 0.0));
        assert!((labels[0] / labels[1] - std::f32::consts::E).abs() < 1e-5);

        let Scored { labels, none } = Scores::Independent.of(logits, 2.0);
        assert_eq!((labels[0], none), (0.5, 0.5));
        assert!((labels[1] - 1.0 / (1.0 + std::f32::consts::E)).abs() < 1e-6);
        assert_eq!(labels[2], 0.0);
        let Scored { labels, none } = Scores::Independent.of(vec![-800.0, 800.0], 0.0);
        assert_eq!((labels, none), (vec![0.0, 1.0], 0.0));
    }
}
