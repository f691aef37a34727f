//! `selected_tags.csv`: what the logits of a tagger of drawings are for.

use crate::models::vit::{MAX_LABEL_CHARS, MAX_LABELS};
use crate::{Error, ErrorKind, Result};

/// Bytes that the table may have. That of 10,861 tags has 0.3 million.
const MAX_BYTES: usize = 4 << 20;

/// A tag, and of what kind it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableTag {
    pub(super) name: String,
    pub(super) kind: &'static str,
}

/// Reads the table: a header with `name` and `category` among its columns, then a tag a line (RFC 4180).
pub(super) fn read_tags(csv: &[u8]) -> Result<Vec<TableTag>> {
    if csv.len() > MAX_BYTES {
        return Err(invalid(format!("has {} bytes; at most {MAX_BYTES} are accepted", csv.len())));
    }
    let text = std::str::from_utf8(csv).map_err(|_| invalid("is no text"))?;
    let mut lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.is_empty());
    let header = cells(lines.next().unwrap_or_default());
    let column = |name: &str| header.iter().position(|cell| cell == name);
    let (Some(name), Some(category)) = (column("name"), column("category")) else {
        return Err(invalid("has no columns `name` and `category`"));
    };
    let mut tags = Vec::new();
    for line in lines {
        let cells = cells(line);
        let (Some(name), Some(category)) = (cells.get(name), cells.get(category)) else {
            return Err(invalid("has a line with too few cells"));
        };
        if name.is_empty() || name.chars().nth(MAX_LABEL_CHARS).is_some() {
            return Err(invalid("has a name that is empty or too long"));
        }
        tags.push(TableTag { name: name.clone(), kind: kind(category) });
        if tags.len() > MAX_LABELS {
            return Err(invalid(format!("has more than {MAX_LABELS} tags")));
        }
    }
    Ok(tags)
}

/// The kinds of Danbooru's tags, by their numbers, and the taggers' own for ratings.
fn kind(category: &str) -> &'static str {
    match category {
        "0" => "general",
        "1" => "artist",
        "3" => "copyright",
        "4" => "character",
        "5" => "meta",
        "9" => "rating",
        _ => "other",
    }
}

/// The cells of a line. Those in quotes may have commas, and quotes twice.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            letter => cell.push(letter),
        }
    }
    cells.push(cell);
    cells
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::ConfigInvalid, format!("The file selected_tags.csv {why}."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds_are_read() {
        let csv =
            b"tag_id,name,category,count\r\n9,general,9,80\n1,\"a,\"\"b\"\"\",0,3\n2,o_o,4,1\n3,>_<,7,1\n";
        let tags: Vec<_> = read_tags(csv).unwrap().into_iter().map(|tag| (tag.name, tag.kind)).collect();
        let expected =
            [("general", "rating"), ("a,\"b\"", "general"), ("o_o", "character"), (">_<", "other")];
        assert_eq!(tags, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for csv in [&b""[..], b"a,b\n", b"<html>", b"\xff\xfe", b"name,category\nx\n", b"name,category\n,0\n"]
        {
            assert_eq!(read_tags(csv).unwrap_err().kind(), ErrorKind::ConfigInvalid);
        }
        let many = format!("name,category\n{}", "x,0\n".repeat(MAX_LABELS + 1));
        assert!(read_tags(many.as_bytes()).is_err());
    }
}
