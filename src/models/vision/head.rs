//! What makes an embedding of the features of a tower.

use candle_core::Tensor;

use crate::Result;
use crate::kernels;
use crate::nn::{self, Linear};
use crate::weights::Scope;

/// The layers between what a tower pools and the embedding of an image.
#[derive(Debug, Clone)]
pub enum ImageHead {
    /// None: the tower has them itself.
    Identity,
    /// One linear layer.
    Linear(Linear),
    /// One linear layer, and beside it what the tower's classes say.
    Classes(ClassHead),
}

/// `P x + p + Q softmax(W x + w)`: a linear map of the features `x`, and a vector for each class that the tower was
/// trained to tell apart, as much of each as the tower believes in it.
///
/// Linear layers alone cannot say "this class or nothing": with them everyday tags were 10 to 28 points worse.
#[derive(Debug, Clone)]
pub struct ClassHead {
    /// `W`, `w`.
    classifier: Linear,
    /// `Q`.
    classes: Linear,
    /// `P`, `p`.
    projection: Linear,
}

impl ImageHead {
    /// `(batch, features)` to `(batch, dim)`; not of length 1 yet.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Identity => Ok(x.clone()),
            Self::Linear(projection) => projection.forward(x),
            Self::Classes(head) => head.forward(x),
        }
    }

    /// The gradient of the features `x` `(1, features)` from that of the `outputs`.
    pub(in crate::models) fn backward(&self, x: &Tensor, outputs: &[f32]) -> Result<Vec<f32>> {
        match self {
            Self::Identity => Ok(outputs.to_vec()),
            Self::Linear(projection) => projection.backward(outputs),
            Self::Classes(head) => head.backward(x, outputs),
        }
    }
}

impl ClassHead {
    /// The layers `visual_projection` and `class_projection` in `scope`, and `classifier` in `tower`.
    pub(in crate::models) fn load(
        scope: &Scope<'_>,
        tower: &Scope<'_>,
        features: usize,
        classes: usize,
        dim: usize,
    ) -> Result<Self> {
        Ok(Self {
            classifier: Linear::load(&tower.scope("classifier"), features, classes)?,
            classes: Linear::load_without_bias(&scope.scope("class_projection"), classes, dim)?,
            projection: Linear::load(&scope.scope("visual_projection"), features, dim)?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let projected = self.projection.forward(x)?;
        self.classes.forward_residual(&self.probabilities(x)?, &projected)
    }

    fn backward(&self, x: &Tensor, outputs: &[f32]) -> Result<Vec<f32>> {
        let probabilities = self.probabilities(x)?.flatten_all()?.to_vec1::<f32>()?;
        let mut logits = self.classes.backward(outputs)?;
        let mean: f32 = probabilities.iter().zip(&logits).map(|(p, g)| p * g).sum();
        for (g, p) in logits.iter_mut().zip(&probabilities) {
            *g = p * (*g - mean);
        }
        let mut inputs = self.classifier.backward(&logits)?;
        nn::accumulate(&mut inputs, &self.projection.backward(outputs)?);
        Ok(inputs)
    }

    /// What the classifier makes of features: `(batch, classes)`.
    fn probabilities(&self, x: &Tensor) -> Result<Tensor> {
        let logits = self.classifier.forward(x)?;
        let (shape, (_, classes)) = (logits.shape().clone(), logits.dims2()?);
        let mut values = logits.flatten_all()?.to_vec1::<f32>()?;
        values.chunks_exact_mut(classes.max(1)).for_each(kernels::softmax);
        Ok(Tensor::from_vec(values, shape, logits.device())?)
    }
}
