//! Prompt templates: a sentence with a place for the label.

use crate::error::{Error, ErrorKind, Result};

/// Characters that a template may have.
const MAX_CHARACTERS: usize = 200;

/// A sentence with one `{}` where the label goes, such as `a photo of a {}.`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    before: String,
    after: String,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TemplateInvalid`]: not exactly one `{}`, or more than 200 characters.
    pub fn parse(template: &str) -> Result<Self> {
        let invalid =
            |why: &str| Error::new(ErrorKind::TemplateInvalid, format!("The prompt template {why}."));
        if template.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(invalid(&format!("is longer than {MAX_CHARACTERS} characters")));
        }
        let (before, after) =
            template.split_once("{}").ok_or_else(|| invalid("has no {} where the label goes"))?;
        if after.contains("{}") {
            return Err(invalid("has more than one {}"));
        }
        Ok(Self { before: before.to_owned(), after: after.to_owned() })
    }

    /// The sentence for `label`. Braces in the label are only letters.
    pub fn fill(&self, label: &str) -> String {
        [&self.before, label, &self.after].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_the_one_place() {
        let fill = |template, label| Template::parse(template).map(|template| template.fill(label)).ok();
        assert_eq!(fill("a photo of a {}.", "cat").as_deref(), Some("a photo of a cat."));
        assert_eq!(fill("{}", "{}").as_deref(), Some("{}"));
        assert_eq!(fill(&"é".repeat(198).replacen('é', "{}é", 1), "x").map(|s| s.chars().count()), Some(199));
    }

    #[test]
    fn refuses_none_two_and_too_long() {
        for template in ["", "a photo", "{ }", "{} and {}", "{}{}", &format!("{{}}{}", "é".repeat(199))] {
            let kind = Template::parse(template).err().map(|error| error.kind());
            assert_eq!(kind, Some(ErrorKind::TemplateInvalid), "{template}");
        }
    }
}
