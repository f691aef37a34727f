//! The tables, one for each published naming.
//!
//! Names that models ask by, of an image tower (`vision_model`) and a text tower (`text_model`):
//!
//! ```text
//! vision_model.embeddings.{class_embedding, register_tokens, patch_embedding, position_embedding.weight}
//! vision_model.pre_layernorm
//! vision_model.encoder.layers.*.{layer_norm1, self_attn, layer_scale1, layer_norm2, mlp.fc1, mlp.fc2, layer_scale2}
//!                               self_attn.{q_proj, k_proj, v_proj} or self_attn.qkv; self_attn.out_proj
//! vision_model.post_layernorm
//! vision_model.head.{probe, qkv, out_proj, layernorm, mlp.fc1, mlp.fc2}
//! visual_projection.weight, or visual_projection.transposed
//! text_model, text_projection: likewise; those of BERT's kind keep BERT's names below text_model
//! ```

use super::Rule;

/// All tables. The first rule that a name begins as is taken.
pub(super) const TABLES: [&[Rule]; 7] = [CLIP, OPEN_CLIP_IMAGE, OPEN_CLIP_TEXT, SIGLIP, BLIP, VIT, TIMM];

/// `transformers`' `CLIPModel`, which misspells one name.
const CLIP: &[Rule] = &[("vision_model.pre_layrnorm", "vision_model.pre_layernorm")];

/// `open_clip`'s `VisionTransformer`, and so OpenAI's own.
const OPEN_CLIP_IMAGE: &[Rule] = &[
    ("visual.class_embedding$", "vision_model.embeddings.class_embedding"),
    ("visual.positional_embedding$", "vision_model.embeddings.position_embedding.weight"),
    ("visual.conv1", "vision_model.embeddings.patch_embedding"),
    ("visual.ln_pre", "vision_model.pre_layernorm"),
    ("visual.transformer.resblocks.*.ln_1", "vision_model.encoder.layers.*.layer_norm1"),
    (
        "visual.transformer.resblocks.*.attn.in_proj_weight$",
        "vision_model.encoder.layers.*.self_attn.qkv.weight",
    ),
    ("visual.transformer.resblocks.*.attn.in_proj_bias$", "vision_model.encoder.layers.*.self_attn.qkv.bias"),
    ("visual.transformer.resblocks.*.attn.out_proj", "vision_model.encoder.layers.*.self_attn.out_proj"),
    ("visual.transformer.resblocks.*.ls_1.gamma$", "vision_model.encoder.layers.*.layer_scale1"),
    ("visual.transformer.resblocks.*.ln_2", "vision_model.encoder.layers.*.layer_norm2"),
    ("visual.transformer.resblocks.*.mlp.c_fc", "vision_model.encoder.layers.*.mlp.fc1"),
    ("visual.transformer.resblocks.*.mlp.c_proj", "vision_model.encoder.layers.*.mlp.fc2"),
    ("visual.transformer.resblocks.*.ls_2.gamma$", "vision_model.encoder.layers.*.layer_scale2"),
    ("visual.ln_post", "vision_model.post_layernorm"),
    ("visual.proj$", "visual_projection.transposed"),
];

/// `open_clip`'s text towers, `TextTransformer` and `HFTextEncoder`.
const OPEN_CLIP_TEXT: &[Rule] = &[
    ("token_embedding", "text_model.embeddings.token_embedding"),
    ("positional_embedding$", "text_model.embeddings.position_embedding.weight"),
    ("transformer.resblocks.*.ln_1", "text_model.encoder.layers.*.layer_norm1"),
    ("transformer.resblocks.*.attn.in_proj_weight$", "text_model.encoder.layers.*.self_attn.qkv.weight"),
    ("transformer.resblocks.*.attn.in_proj_bias$", "text_model.encoder.layers.*.self_attn.qkv.bias"),
    ("transformer.resblocks.*.attn.out_proj", "text_model.encoder.layers.*.self_attn.out_proj"),
    ("transformer.resblocks.*.ln_2", "text_model.encoder.layers.*.layer_norm2"),
    ("transformer.resblocks.*.mlp.c_fc", "text_model.encoder.layers.*.mlp.fc1"),
    ("transformer.resblocks.*.mlp.c_proj", "text_model.encoder.layers.*.mlp.fc2"),
    ("ln_final", "text_model.final_layer_norm"),
    ("text_projection$", "text_projection.transposed"),
    ("transformer", "text_model"),
    ("proj.0", "text_projection.fc1"),
    ("proj.2", "text_projection.fc2"),
    ("proj", "text_projection"),
];

/// `transformers`' `SiglipModel`.
const SIGLIP: &[Rule] = &[
    ("vision_model.head.attention.in_proj_weight$", "vision_model.head.qkv.weight"),
    ("vision_model.head.attention.in_proj_bias$", "vision_model.head.qkv.bias"),
    ("vision_model.head.attention.out_proj", "vision_model.head.out_proj"),
    // In an ONNX file, where the layer is two products: see `nn::ProbePool`.
    ("vision_model.head.weight$", "vision_model.head.probe"),
    ("vision_model.head.attention.weight$", "vision_model.head.q.weight"),
    ("vision_model.head.attention.bias$", "vision_model.head.q.bias"),
    ("vision_model.head.attention.MatMul_1.weight$", "vision_model.head.kv.weight"),
    ("vision_model.head.attention.Add_1.bias$", "vision_model.head.kv.bias"),
    ("text_model.head", "text_projection"),
];

/// `transformers`' BLIP.
const BLIP: &[Rule] = &[
    ("vision_model.embeddings.position_embedding$", "vision_model.embeddings.position_embedding.weight"),
    (
        "vision_model.encoder.layers.*.self_attn.projection",
        "vision_model.encoder.layers.*.self_attn.out_proj",
    ),
];

/// `transformers`' ViT and DINOv2.
const VIT: &[Rule] = &[
    ("embeddings.cls_token$", "vision_model.embeddings.class_embedding"),
    ("embeddings.register_tokens$", "vision_model.embeddings.register_tokens"),
    ("embeddings.position_embeddings$", "vision_model.embeddings.position_embedding.weight"),
    ("embeddings.patch_embeddings.projection", "vision_model.embeddings.patch_embedding"),
    ("encoder.layer.*.attention.attention.query", "vision_model.encoder.layers.*.self_attn.q_proj"),
    ("encoder.layer.*.attention.attention.key", "vision_model.encoder.layers.*.self_attn.k_proj"),
    ("encoder.layer.*.attention.attention.value", "vision_model.encoder.layers.*.self_attn.v_proj"),
    ("encoder.layer.*.attention.output.dense", "vision_model.encoder.layers.*.self_attn.out_proj"),
    ("layernorm", "vision_model.post_layernorm"),
    // ViT's, as `transformers` has them in memory since version 5.
    ("layers.*.attention.o_proj", "vision_model.encoder.layers.*.self_attn.out_proj"),
    ("layers.*.attention", "vision_model.encoder.layers.*.self_attn"),
    ("layers.*.layernorm_before", "vision_model.encoder.layers.*.layer_norm1"),
    ("layers.*.layernorm_after", "vision_model.encoder.layers.*.layer_norm2"),
    ("layers.*.mlp", "vision_model.encoder.layers.*.mlp"),
    // ViT's alone.
    ("encoder.layer.*.layernorm_before", "vision_model.encoder.layers.*.layer_norm1"),
    ("encoder.layer.*.layernorm_after", "vision_model.encoder.layers.*.layer_norm2"),
    ("encoder.layer.*.intermediate.dense", "vision_model.encoder.layers.*.mlp.fc1"),
    ("encoder.layer.*.output.dense", "vision_model.encoder.layers.*.mlp.fc2"),
    // DINOv2's alone.
    ("encoder.layer.*.norm1", "vision_model.encoder.layers.*.layer_norm1"),
    ("encoder.layer.*.layer_scale1.lambda1$", "vision_model.encoder.layers.*.layer_scale1"),
    ("encoder.layer.*.norm2", "vision_model.encoder.layers.*.layer_norm2"),
    ("encoder.layer.*.mlp", "vision_model.encoder.layers.*.mlp"),
    ("encoder.layer.*.layer_scale2.lambda1$", "vision_model.encoder.layers.*.layer_scale2"),
];

/// `timm`'s `VisionTransformer`.
const TIMM: &[Rule] = &[
    ("cls_token$", "vision_model.embeddings.class_embedding"),
    ("pos_embed$", "vision_model.embeddings.position_embedding.weight"),
    ("patch_embed.proj", "vision_model.embeddings.patch_embedding"),
    ("norm_pre", "vision_model.pre_layernorm"),
    ("blocks.*.norm1", "vision_model.encoder.layers.*.layer_norm1"),
    ("blocks.*.attn.qkv", "vision_model.encoder.layers.*.self_attn.qkv"),
    ("blocks.*.attn.proj", "vision_model.encoder.layers.*.self_attn.out_proj"),
    ("blocks.*.ls1.gamma$", "vision_model.encoder.layers.*.layer_scale1"),
    ("blocks.*.norm2", "vision_model.encoder.layers.*.layer_norm2"),
    ("blocks.*.mlp", "vision_model.encoder.layers.*.mlp"),
    ("blocks.*.ls2.gamma$", "vision_model.encoder.layers.*.layer_scale2"),
    ("norm", "vision_model.post_layernorm"),
    ("fc_norm", "vision_model.post_layernorm"),
    ("head", "classifier"),
];
