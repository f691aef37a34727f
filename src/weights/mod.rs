//! Named tensors out of a byte stream.
