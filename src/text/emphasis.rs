//! Weights in a prompt: `(a cat:1.2)`, `[a dog]`, and `BREAK`.
//!
//! Source: the notation of AUTOMATIC1111's web UI, as its documentation tells it ("Attention/emphasis").

use crate::error::{Error, ErrorKind, Result};

use super::MAX_CHARACTERS;

/// The largest weight, either side of zero, that a part of a prompt can have: about that of 48 nested round brackets.
pub const MAX_EMPHASIS: f64 = 100.0;

/// Brackets that may be open at once.
const MAX_NESTING: usize = 64;

/// What a round bracket without a number multiplies weights with, and a square one divides them by.
const STEP: f64 = 1.1;

/// What ends a chunk, as a word of its own.
const BREAK: &str = "BREAK";

/// A part of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum PromptPart {
    /// Words, and the weight that they have.
    Text {
        /// The words, without the brackets and backslashes of the notation.
        text: String,
        /// 1 where no bracket changes it; at most [`MAX_EMPHASIS`] either side of zero.
        weight: f64,
    },
    /// The end of a chunk: what follows begins another.
    Break,
}

impl PromptPart {
    /// `text` with no weight of its own.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), weight: 1.0 }
    }
}

/// The parts of `prompt`, neighbours of the same weight joined.
///
/// `(…:1.2)` multiplies the weight of what it encloses by that number, `(…)` by 1.1, and `[…]` divides it by 1.1; brackets
/// nest, round ones and square ones each for themselves. Brackets that are never closed reach to the end, and those that
/// were never opened are text, as are brackets and backslashes behind a backslash. `BREAK` between two words ends a chunk,
/// also within brackets.
///
/// # Errors
/// `ArgumentInvalid`: more than [`MAX_CHARACTERS`], more than 64 brackets open at once, a weight that is no number, or one
/// past [`MAX_EMPHASIS`].
pub fn parse_emphasis(prompt: &str) -> Result<Vec<PromptPart>> {
    check_prompt(prompt)?;
    let mut parts = Parts::default();
    let mut rest = prompt;
    while let Some(&first) = rest.as_bytes().first() {
        let mut taken = 1;
        match first {
            b'\\' => {
                taken += rest.as_bytes().get(1).map_or(0, |next| usize::from(br"\()[]".contains(next)));
                parts.text(&rest[1..taken]);
            }
            b'(' => parts.open(Bracket::Round)?,
            b'[' => parts.open(Bracket::Square)?,
            b')' if parts.close(Bracket::Round, STEP) => {}
            b']' if parts.close(Bracket::Square, 1.0 / STEP) => {}
            b':' => {
                let weight = weight_at(rest);
                taken = weight.map_or(1, |(_, length)| length);
                match weight {
                    Some((number, _)) if !parts.round.is_empty() => {
                        parts.close(Bracket::Round, read_weight(number)?);
                    }
                    _ => parts.text(&rest[..taken]),
                }
            }
            b')' | b']' => parts.text(&rest[..1]),
            _ => {
                let special = rest.bytes().position(|byte| br"\()[]:".contains(&byte));
                taken = special.unwrap_or(rest.len());
                parts.words(&rest[..taken]);
            }
        }
        rest = &rest[taken..];
    }
    parts.finish()
}

/// Refuses a prompt of more than [`MAX_CHARACTERS`].
///
/// # Errors
/// `ArgumentInvalid`.
pub fn check_prompt(prompt: &str) -> Result<()> {
    // Bytes first: counting the characters of a hostile text would itself be work.
    if prompt.len() > 4 * MAX_CHARACTERS || prompt.chars().count() > MAX_CHARACTERS {
        return Err(argument(format!("The prompt is longer than {MAX_CHARACTERS} characters.")));
    }
    Ok(())
}

/// The number of `:1.2)`, with any white space around it, and how many bytes all of that has.
fn weight_at(text: &str) -> Option<(&str, usize)> {
    let inner = text[1..].trim_start();
    let sign = usize::from(matches!(inner.as_bytes().first(), Some(b'+' | b'-')));
    let digits = inner.bytes().skip(sign).position(|byte| byte != b'.' && !byte.is_ascii_digit())?;
    let rest = inner[sign + digits..].trim_start();
    (digits > 0 && rest.starts_with(')')).then(|| (&inner[..sign + digits], text.len() - rest.len() + 1))
}

/// The number of up to fifteen digits that count, maybe with a sign and a full stop.
///
/// `str::parse` would be exact for any number of digits, by tables that take ten kilobytes of the download.
fn read_weight(number: &str) -> Result<f64> {
    let (mut mantissa, mut scale, mut points, mut count) = (0.0, 1.0, 0, 0);
    for byte in number.bytes().filter(|byte| !b"+-".contains(byte)) {
        if byte == b'.' {
            points += 1;
            continue;
        }
        count += 1;
        // Whole numbers stay exact below 2^53, and their quotient by a power of ten is the nearest number.
        if points == 0 || mantissa < 1e14 {
            mantissa = mantissa * 10.0 + f64::from(byte - b'0');
            scale *= if points == 0 { 1.0 } else { 10.0 };
        }
    }
    if count == 0 || points > 1 {
        let shown: String = number.chars().take(20).collect();
        return Err(argument(format!("In the prompt, the weight \"{shown}\" is no number.")));
    }
    let weight: f64 = mantissa / scale;
    Ok(if number.starts_with('-') { -weight } else { weight })
}

#[derive(Clone, Copy)]
enum Bracket {
    Round,
    Square,
}

/// The parts read so far, and for each bracket that is open the number of parts before it.
#[derive(Default)]
struct Parts {
    all: Vec<PromptPart>,
    round: Vec<usize>,
    square: Vec<usize>,
}

impl Parts {
    fn text(&mut self, text: &str) {
        self.all.push(PromptPart::plain(text));
    }

    /// Text in which `BREAK` may stand.
    fn words(&mut self, text: &str) {
        let mut rest = text;
        while let Some((before, after)) = split_at_break(rest) {
            self.text(before);
            self.all.push(PromptPart::Break);
            rest = after;
        }
        self.text(rest);
    }

    fn open(&mut self, bracket: Bracket) -> Result<()> {
        if self.round.len() + self.square.len() == MAX_NESTING {
            return Err(argument(format!(
                "In the prompt, more than {MAX_NESTING} brackets are open at once: write \\( for a bracket that is text."
            )));
        }
        let place = self.all.len();
        self.opened(bracket).push(place);
        Ok(())
    }

    /// Closes the last bracket of that kind, if one is open: what it encloses gets its weight multiplied by `factor`.
    fn close(&mut self, bracket: Bracket, factor: f64) -> bool {
        let Some(start) = self.opened(bracket).pop() else { return false };
        for part in &mut self.all[start..] {
            if let PromptPart::Text { weight, .. } = part {
                *weight *= factor;
            }
        }
        true
    }

    fn opened(&mut self, bracket: Bracket) -> &mut Vec<usize> {
        match bracket {
            Bracket::Round => &mut self.round,
            Bracket::Square => &mut self.square,
        }
    }

    /// The parts, with the brackets that are still open closed, and neighbours of the same weight joined.
    fn finish(mut self) -> Result<Vec<PromptPart>> {
        while self.close(Bracket::Round, STEP) {}
        while self.close(Bracket::Square, 1.0 / STEP) {}
        let mut joined: Vec<PromptPart> = Vec::with_capacity(self.all.len());
        for part in self.all {
            match (joined.last_mut(), part) {
                (Some(PromptPart::Text { text, weight }), PromptPart::Text { text: more, weight: same })
                    if *weight == same =>
                {
                    text.push_str(&more)
                }
                (_, part) => joined.push(part),
            }
        }
        let heavy = |part: &PromptPart| match part {
            // Zero times infinity is no weight either.
            PromptPart::Text { weight, .. } => weight.is_nan() || weight.abs() > MAX_EMPHASIS,
            PromptPart::Break => false,
        };
        if joined.iter().any(heavy) {
            return Err(argument(format!(
                "In the prompt, a weight is past {MAX_EMPHASIS}, which is as far as weights go."
            )));
        }
        Ok(joined)
    }
}

/// What is before and behind the first `BREAK` that is a word of its own, without the white space around that.
fn split_at_break(text: &str) -> Option<(&str, &str)> {
    let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    // By bytes: the search of the standard library is as large as all that is here.
    let mut places =
        text.as_bytes().windows(BREAK.len()).enumerate().filter(|(_, word)| *word == BREAK.as_bytes());
    places.find_map(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + BREAK.len()..]);
        let alone = !in_word(before.chars().next_back()) && !in_word(after.chars().next());
        alone.then(|| (before.trim_end(), after.trim_start()))
    })
}

fn argument(message: String) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shown(prompt: &str) -> Vec<String> {
        let show = |part: &PromptPart| match part {
            PromptPart::Text { text, weight } => format!("{text}={:.3}", weight),
            PromptPart::Break => "|".to_owned(),
        };
        parse_emphasis(prompt).unwrap().iter().map(show).collect()
    }

    #[test]
    fn weights_are_read_from_brackets() {
        for (prompt, parts) in [
            ("a cat", vec!["a cat=1.000"]),
            ("a (red) cat", vec!["a =1.000", "red=1.100", " cat=1.000"]),
            ("a (red : -1.5 ) cat", vec!["a =1.000", "red =-1.500", " cat=1.000"]),
            ("((a) b:2)[c]", vec!["a=2.200", " b=2.000", "c=0.909"]),
            (r"\(a\) [b\\] \c", vec![r"(a) =1.000", r"b\=0.909", " c=1.000"]),
            ("a (b [c", vec!["a =1.000", "b =1.100", "c=1.000"]),
            ("a) b] c:1.2) d:e", vec!["a) b] c:1.2) d:e=1.000"]),
            ("(a [b) c]", vec!["a =1.100", "b=1.000", " c=0.909"]),
            ("a BREAK BREAKS (b BREAK c)", vec!["a=1.000", "|", "BREAKS =1.000", "b=1.100", "|", "c=1.100"]),
        ] {
            assert_eq!(shown(prompt), parts, "{prompt}");
        }
        assert_eq!(parse_emphasis("").unwrap(), []);
    }

    #[test]
    fn weights_are_the_nearest_numbers() {
        for number in
            ["0", "1.2", "-0.7", "+.5", "3.", "0.1000", "00012.25", "1.0000000001", "99.99", "0.000123456789"]
        {
            assert_eq!(read_weight(number).unwrap(), number.parse::<f64>().unwrap(), "{number}");
        }
        let long = "1.23456789012345678901234567890";
        assert!((read_weight(long).unwrap() - long.parse::<f64>().unwrap()).abs() < 1e-13);
        assert_eq!(read_weight(&format!("0.{}", "0".repeat(400))).unwrap(), 0.0);
        assert!(read_weight(&"9".repeat(400)).unwrap() > MAX_EMPHASIS);
        for wrong in [".", "1.2.3", "-."] {
            assert_eq!(read_weight(wrong).unwrap_err().kind(), ErrorKind::ArgumentInvalid, "{wrong}");
        }
    }

    #[test]
    fn what_goes_too_far_is_refused() {
        let most = "(".repeat(MAX_NESTING);
        assert!(parse_emphasis(&format!("[{most}x")).is_err());
        assert!(parse_emphasis(&format!("{}x", "[".repeat(MAX_NESTING))).is_ok());
        for prompt in
            [&*most, "(a:1.2.3)", "(a:.)", "(a:101)", "(a:-101)", &format!("(a:{})", "9".repeat(400))]
        {
            let result = parse_emphasis(&format!("{prompt}x"));
            assert_eq!(result.unwrap_err().kind(), ErrorKind::ArgumentInvalid, "{prompt}");
        }
        assert!(parse_emphasis(&"é".repeat(MAX_CHARACTERS + 1)).is_err());
        assert!(parse_emphasis(&"é".repeat(MAX_CHARACTERS)).is_ok());
    }
}
