//! CLIP and BLIP.
