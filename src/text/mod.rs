//! Tokenizers and prompt templates.
