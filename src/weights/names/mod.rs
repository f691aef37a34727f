//! Published names of tensors, as the names that models ask for.
//!
//! Each library names the parts of the same network in its own way. Models here ask by one naming, that of `transformers`'
//! CLIP; the tables say how the others are read. Files are renamed as they arrive, so that whatever is kept of a model has
//! these names already.

mod tables;

use std::borrow::Cow;

use tables::TABLES;

/// A row of a table: what names begin with, and what they begin with instead. Both are whole parts of a name, between full
/// stops; `*` is a part that is a number, and `$` stands for the end of the name.
type Rule = (&'static str, &'static str);

/// What wrappers of a model put before names: `torch.nn.DataParallel`, `torch.compile`, trainers, the models that
/// `transformers` makes part of another, and `open_clip`'s `CustomTextCLIP` before those of its text tower.
const WRAPPERS: [&str; 8] = ["module.", "_orig_mod.", "model.", "clip.", "blip.", "vit.", "dinov2.", "text."];

/// What names of a tower alone begin with, which `transformers` saves since version 5 without saying which tower it is.
const BARE: [&str; 9] = [
    "embeddings.class_embedding",
    "embeddings.patch_embedding.",
    "embeddings.position_embedding.",
    "embeddings.token_embedding.",
    "encoder.layers.",
    "head.",
    "pre_layrnorm.",
    "post_layernorm.",
    "final_layer_norm.",
];

/// `name`, within the tower `tower` where it is that of a tower alone.
pub(super) fn within<'a>(name: &'a str, tower: Option<&str>) -> Cow<'a, str> {
    match tower {
        Some(tower) if BARE.iter().any(|start| name.starts_with(start)) => {
            Cow::Owned(format!("{tower}.{name}"))
        }
        _ => Cow::Borrowed(name),
    }
}

/// The name that models ask by for the tensor `name` of a file, which has the shape `shape`.
pub(super) fn canonical<'a>(name: &'a str, shape: &[usize]) -> Cow<'a, str> {
    let mut inner = name;
    while let Some(rest) = WRAPPERS.iter().find_map(|wrapper| inner.strip_prefix(wrapper)) {
        inner = rest;
    }
    // CLIP's ResNets have layers of the same name for 3 by 3 pixels. No patch is as small.
    let is_stem = inner.starts_with("visual.conv1.") && shape.last().is_some_and(|&side| side <= 3);
    let renamed = TABLES.iter().copied().flatten().find_map(|rule| rename(inner, rule));
    match renamed {
        Some(renamed) if !is_stem => Cow::Owned(renamed),
        _ => Cow::Borrowed(inner),
    }
}

/// `name` by `rule`, if it begins as that says.
fn rename(name: &str, &(pattern, replacement): &Rule) -> Option<String> {
    let (mut rest, mut numbers) = (Some(name), Vec::new());
    for wanted in pattern.split('.') {
        let whole = wanted.strip_suffix('$');
        let (part, later) = match rest?.split_once('.') {
            Some((part, later)) => (part, Some(later)),
            None => (rest?, None),
        };
        match whole.unwrap_or(wanted) {
            "*" if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) => numbers.push(part),
            wanted if wanted == part => {}
            _ => return None,
        }
        if whole.is_some() && later.is_some() {
            return None;
        }
        rest = later;
    }
    let mut numbers = numbers.into_iter();
    let parts = replacement.split('.').map(|part| if part == "*" { numbers.next() } else { Some(part) });
    let mut renamed = parts.collect::<Option<Vec<_>>>()?.join(".");
    if let Some(rest) = rest {
        renamed.push('.');
        renamed.push_str(rest);
    }
    Some(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_match_whole_parts_and_keep_the_rest() {
        let rule = ("visual.blocks.*.ln", "vision.layers.*.norm");
        assert_eq!(
            rename("visual.blocks.11.ln.weight", &rule).as_deref(),
            Some("vision.layers.11.norm.weight")
        );
        assert_eq!(rename("visual.blocks.0.ln", &rule).as_deref(), Some("vision.layers.0.norm"));
        for other in ["visual.blocks.x.ln.bias", "visual.blocks.1.ln_2.bias", "visual.blocks.1", "visual"] {
            assert_eq!(rename(other, &rule), None, "{other}");
        }
        let whole = ("proj$", "projection.transposed");
        assert_eq!(rename("proj", &whole).as_deref(), Some("projection.transposed"));
        assert_eq!(rename("proj.weight", &whole), None);
    }

    #[test]
    fn every_number_of_a_pattern_is_in_its_replacement() {
        for (pattern, replacement) in TABLES.iter().copied().flatten() {
            let count = |text: &str| text.matches('*').count();
            assert_eq!(count(pattern), count(replacement), "{pattern}");
        }
    }

    #[test]
    fn names_that_models_ask_by_stay_as_they_are() {
        for (pattern, name) in TABLES.iter().copied().flatten() {
            let end = if pattern.ends_with('$') { "" } else { ".weight" };
            let name = name.replace('*', "7") + end;
            assert_eq!(canonical(&name, &[8, 8]), name);
        }
    }

    #[test]
    fn wrappers_are_taken_off() {
        for name in ["module.visual.proj", "_orig_mod.module.visual.proj", "model.clip.visual.proj"] {
            assert_eq!(canonical(name, &[8, 8]), "visual_projection.transposed");
        }
        assert_eq!(canonical("clip.logit_scale", &[]), "logit_scale");
    }

    #[test]
    fn a_tower_alone_is_the_one_that_is_asked_for() {
        let name = |name: &'static str, tower| canonical(&within(name, tower), &[8, 8]).into_owned();
        let vision = Some("vision_model");
        assert_eq!(
            name("encoder.layers.3.mlp.fc1.bias", vision),
            "vision_model.encoder.layers.3.mlp.fc1.bias"
        );
        assert_eq!(name("head.attention.in_proj_weight", vision), "vision_model.head.qkv.weight");
        assert_eq!(name("head.weight", Some("text_model")), "text_projection.weight");
        assert_eq!(name("visual_projection.weight", vision), "visual_projection.weight");
        assert_eq!(name("head.weight", None), "classifier.weight");
    }

    #[test]
    fn a_stem_is_no_patch_embedding() {
        assert_eq!(canonical("visual.conv1.weight", &[32, 3, 3, 3]), "visual.conv1.weight");
        let patches = canonical("visual.conv1.weight", &[768, 3, 32, 32]);
        assert_eq!(patches, "vision_model.embeddings.patch_embedding.weight");
    }
}
