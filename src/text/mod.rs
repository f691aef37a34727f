//! Words: tokenizers from `tokenizer.json`, prompt templates, and weights in prompts.
//!
//! Unlike a general tokenizer, the types here do one thing each: [`ClipTokenizer`] turns a label into what
//! CLIP's text tower takes, [`CaptionTokenizer`] turns a prompt into what BLIP's decoder continues and its
//! output back into words. Both give the ids of the reference (Python's `transformers`).
//!
//! ```no_run
//! use ocelli::text::{ClipTokenizer, Template};
//! # fn main() -> ocelli::Result<()> {
//! let tokenizer = ClipTokenizer::from_json(&std::fs::read("tokenizer.json").unwrap_or_default(), 77)?;
//! let prompt = Template::parse("a photo of a {}.")?.fill("cat");
//! assert_eq!(tokenizer.encode(&prompt)?, [49406, 320, 1125, 539, 320, 2368, 269, 49407]);
//! # Ok(())
//! # }
//! ```

mod caption;
mod clip;
mod emphasis;
mod file;
mod framed;
mod roberta;
mod siglip;
mod template;
mod words;

pub use caption::CaptionTokenizer;
pub use clip::ClipTokenizer;
pub use emphasis::{MAX_EMPHASIS, PromptPart, check_prompt, parse_emphasis};
pub use roberta::RobertaTokenizer;
pub use siglip::SiglipTokenizer;
pub use template::{MAX_TEMPLATES, Template, Templates};
pub use words::Word;

/// Characters that a text may have. Anything longer is refused before it is looked at: no model here reads more
/// than a few hundred tokens, and a tokenizer's work grows with the text.
pub const MAX_CHARACTERS: usize = 10_000;
