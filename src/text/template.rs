//! Prompt templates: sentences with a place for the label.

use crate::error::{Error, ErrorKind, Result};

/// Characters that a template may have.
const MAX_CHARACTERS: usize = 200;

/// The most templates that may be averaged; the published sets have up to 80.
pub const MAX_TEMPLATES: usize = 100;

/// A sentence with one `{}` where the label goes, such as `a photo of a {}.`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
        Self::parse_as("The prompt template", template)
    }

    /// [`Template::parse`], whose error begins with `name`.
    fn parse_as(name: &str, template: &str) -> Result<Self> {
        let invalid = |why: &str| Err(invalid(format!("{name} {why}.")));
        if template.chars().nth(MAX_CHARACTERS).is_some() {
            return invalid(&format!("is longer than {MAX_CHARACTERS} characters"));
        }
        match template.split_once("{}") {
            None => invalid("has no {} where the label goes"),
            Some((_, after)) if after.contains("{}") => invalid("has more than one {}"),
            Some((before, after)) => Ok(Self { before: before.to_owned(), after: after.to_owned() }),
        }
    }

    /// The sentence for `label`. Braces in the label are only letters.
    pub fn fill(&self, label: &str) -> String {
        [&self.before, label, &self.after].concat()
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{{}}{}", self.before, self.after)
    }
}

/// The sentences that a label is written into: its embedding is the average of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Templates(Vec<Template>);

impl Templates {
    /// Reads templates, 1 to [`MAX_TEMPLATES`] of them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TemplateInvalid`]: none or too many, or one of them is wrong.
    pub fn parse<S: AsRef<str>>(templates: &[S]) -> Result<Self> {
        if templates.is_empty() || templates.len() > MAX_TEMPLATES {
            let count = templates.len();
            return Err(invalid(format!("There are {count} prompt templates: give 1 to {MAX_TEMPLATES}.")));
        }
        if let [template] = templates {
            return Ok(Self(vec![Template::parse(template.as_ref())?]));
        }
        let parse = |(index, template): (usize, &S)| {
            Template::parse_as(&format!("The prompt template {}", index + 1), template.as_ref())
        };
        templates.iter().enumerate().map(parse).collect::<Result<_>>().map(Self)
    }

    /// No sentence at all: every text stands for itself.
    pub fn bare() -> Self {
        Self(Vec::new())
    }

    /// How many texts each label is written into; at least 1.
    pub fn count(&self) -> usize {
        self.0.len().max(1)
    }

    /// The text of `label` in the template `index`, which is below [`Templates::count`].
    pub fn fill(&self, index: usize, label: &str) -> String {
        self.0.get(index).map_or_else(|| label.to_owned(), |template| template.fill(label))
    }

    /// The templates in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Template> {
        self.0.iter()
    }

    /// Whether every text stands for itself.
    pub fn is_bare(&self) -> bool {
        self.0.is_empty()
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::TemplateInvalid, message)
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

    #[test]
    fn names_the_one_of_several_that_is_wrong() {
        let message = |templates: &[&str]| Templates::parse(templates).err().map(|error| error.to_string());
        assert_eq!(message(&["a {}", "an {}"]), None);
        assert_eq!(
            message(&["a {}", "a"]),
            Some("The prompt template 2 has no {} where the label goes.".into())
        );
        assert_eq!(message(&[]), Some("There are 0 prompt templates: give 1 to 100.".into()));
        assert_eq!(message(&["{}"; MAX_TEMPLATES]), None);
        assert!(message(&["{}"; MAX_TEMPLATES + 1]).is_some());
    }
}
