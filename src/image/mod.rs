//! Pixels: decode, orient, resize, crop, normalise.
