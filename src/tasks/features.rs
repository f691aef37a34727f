//! What a model computes of an image before it is scaled.

use super::{ImageEncoding, Tagger, finite};
use crate::{Error, ErrorKind, Result};

impl Tagger {
    /// [`Tagger::embedding_of`] before it is scaled to length 1: the reference's `image_embeds` of
    /// `CLIPVisionModelWithProjection`, or the `pooler_output` of models without a projection, such as SigLIP and DINOv2.
    pub fn features_of(&self, encoding: &ImageEncoding) -> Result<Vec<f32>> {
        finite(&self.model().image_features_of(encoding.state())?)
    }

    /// The reference's `last_hidden_state` of an image that the model is looking at, whose
    /// [`ImageEncoding::whole`] was asked for: `(tokens, width)`, row by row. Computes the layers that are left.
    ///
    /// # Errors
    /// `ArgumentInvalid` of a model with a projection ([`Tagger::projects_images`]), whose tower normalises no other state
    /// than the class token's.
    pub fn states_of(&self, encoding: &ImageEncoding) -> Result<Vec<f32>> {
        if self.projects_images() {
            let message = "This model gives one vector for a picture, and no states of its tokens.";
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        finite(&self.model().image_states_of(encoding.state())?)
    }

    /// Whether an image's vector is a projection of what the model's image tower pools.
    pub fn projects_images(&self) -> bool {
        self.model().projects_images()
    }
}
