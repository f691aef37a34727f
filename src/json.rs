//! JSON as Python writes it.

use std::borrow::Cow;

/// `json` with `NaN`, `Infinity` and `-Infinity`, which Python's `json` writes and JSON does not know, as `null`. No key that
/// is read here may be one of them.
pub(crate) fn without_non_finite(json: &[u8]) -> Cow<'_, [u8]> {
    let names: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];
    if !json.windows(3).any(|window| window == b"NaN" || window == b"Inf") {
        return Cow::Borrowed(json);
    }
    let mut clean = Vec::with_capacity(json.len());
    let (mut rest, mut in_string, mut escaped) = (json, false, false);
    while let Some((&byte, after)) = rest.split_first() {
        match names.iter().find(|name| !in_string && rest.starts_with(name)) {
            Some(name) => {
                clean.extend_from_slice(b"null");
                rest = &rest[name.len()..];
            }
            None => {
                in_string ^= byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                clean.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_becomes_null_outside_of_texts() {
        let clean = |json: &str| String::from_utf8_lossy(&without_non_finite(json.as_bytes())).into_owned();
        assert_eq!(clean(r#"{"a": NaN, "b": [-Infinity, Infinity]}"#), r#"{"a": null, "b": [null, null]}"#);
        for same in [r#"{"NaN": "Infinity"}"#, r#"{"a": "\"NaN, \\"}"#, "", "{}"] {
            assert_eq!(clean(same), same);
        }
        assert_eq!(clean(r#"{"a\\": NaN}"#), r#"{"a\\": null}"#);
    }
}
