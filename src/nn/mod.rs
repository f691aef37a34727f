//! Layers on candle tensors.
