"""Makes the golden dual encoders beside this file: small seeded models of the families besides CLIP's, and what their
references compute.

Run it with the packages of ../requirements.txt, open-clip-torch and timm: python tests/golden/models/make_dual.py

References: `open_clip` (open-clip-*), and `SiglipModel`, `Dinov2Model`, `Dinov2WithRegistersModel` and
`CLIPVisionModelWithProjection` of `transformers`. The folders are like those of make.py. Texts are padded where the model is
used with padded texts; `lengths` says how many ids of a row are the model's.
"""

import json

import torch
from make import HERE, IMAGES, differ, expect, fresh, pixels
from make_towers import padded, unit, write
from open_clip.model import CLIP, CustomTextCLIP, CLIPTextCfg, CLIPVisionCfg
import open_clip.hf_model as hf_model
from seeded import randomise
from transformers import (
    CLIPVisionConfig, CLIPVisionModelWithProjection, Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel, SiglipConfig, SiglipModel, XLMRobertaConfig,
)

TEXTS = [[98, 5, 17, 33, 99], [98, 60, 99], [98, 2, 71, 99]]


def compare(folder, model, image, text, ids, lengths):
    """What a model gives for its images and texts."""
    scale = model.logit_scale.detach().exp().reshape(1)
    logits = scale * unit(image) @ unit(text).T
    bias = getattr(model, "logit_bias", None)
    if bias is not None:
        logits = logits + bias.detach()
    differ(*image)
    differ(*text)
    expect(folder, {"ids": ids, "lengths": torch.tensor(lengths), "image_features": image, "text_features": text,
                    "logit_scale": scale, "logits_per_image": logits})


def open_clip(name, seed, vision, text, quick=False):
    """A CLIP of `open_clip` with a vision transformer."""
    model_cfg = {"embed_dim": 24, "quick_gelu": quick, "vision_cfg": vision, "text_cfg": text}
    folder = fresh(name, {"model_cfg": model_cfg, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}})
    model = CLIP(**model_cfg)
    randomise(model, seed, 1.2)
    model = write(folder, model)
    context = text["context_length"]
    ids = torch.tensor([row + [0] * (context - len(row)) for row in TEXTS])
    with torch.no_grad():
        image, words = model.encode_image(pixels(vision["image_size"])), model.encode_text(ids)
    whole = text.get("no_causal_mask", False)
    compare(folder, model, image, words, ids, [context if whole else len(row) for row in TEXTS])


def xlm_roberta(seed):
    """A CLIP of `open_clip` whose text tower is XLM-RoBERTa's, with what the library writes, and `hf_config` for its small sizes."""
    own = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100,
           "max_position_embeddings": 20, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5}
    vision = {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16}
    text = {"hf_model_name": "xlm-roberta-base", "hf_pooler_type": "mean_pooler", "hf_proj_type": "mlp"}
    model_cfg = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}
    config = {"model_cfg": {**model_cfg, "text_cfg": {**text, "hf_config": own}}, "preprocess_cfg": {}}
    folder = fresh("open-clip-xlm-roberta", config)
    encoder = hf_model.HFTextEncoder("", 24, config=XLMRobertaConfig(**own), pooler_type="mean_pooler", proj_type="mlp")
    del encoder.transformer.pooler
    encoder.transformer.pooler = None
    reference = CustomTextCLIP(24, CLIPVisionCfg(**vision), CLIPTextCfg(context_length=12, vocab_size=100, width=32, heads=2, layers=1))
    reference.text = encoder
    randomise(reference, seed, 1.2)
    model = write(folder, reference)
    ids = torch.tensor([row + [1] * (6 - len(row)) for row in TEXTS])
    with torch.no_grad():
        compare(folder, model, model.visual(pixels(32)), model.text(ids), ids, [len(row) for row in TEXTS])


def siglip(seed):
    sizes = {"hidden_size": 32, "intermediate_size": 56, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = {"model_type": "siglip", "vision_config": {**sizes, "image_size": 32, "patch_size": 8},
              "text_config": {**sizes, "vocab_size": 100, "max_position_embeddings": 8}}
    folder = fresh("siglip", config)
    model = SiglipModel(SiglipConfig(**config))
    randomise(model, seed, 1.2)
    with torch.no_grad():
        model.logit_bias.fill_(-3.5)
    model = write(folder, model)
    ids = torch.tensor([row + [1] * (8 - len(row)) for row in TEXTS])
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=pixels(32))
        image = model.vision_model(pixels(32)).pooler_output
        text = model.text_model(ids).pooler_output
    compare(folder, model, image, text, ids, [8] * 3)
    # The reference's own logits are those of `compare`.
    assert torch.allclose(out.logits_per_image, model.logit_scale.exp() * unit(image) @ unit(text).T + model.logit_bias, atol=1e-5)


def dinov2(name, seed, kind, config_class, **more):
    config = {"model_type": kind, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "mlp_ratio": 2,
              "image_size": 40, "patch_size": 8, **more}
    folder = fresh(name, config)
    model = (Dinov2WithRegistersModel if more else Dinov2Model)(config_class(**config))
    randomise(model, seed, 1.2)
    # As published: the library's own names differ from those that it saves.
    model.half().save_pretrained(folder)
    model = type(model).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    with torch.no_grad():
        # Smaller images than the positions are for: these are interpolated.
        image = model(pixels(24)).pooler_output
        whole = model(pixels(40)).pooler_output
    differ(*image)
    expect(folder, {"image_features": whole, "image_features_24": image})


def clip_vision(seed):
    config = {"model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
              "num_attention_heads": 4, "image_size": 32, "patch_size": 16, "projection_dim": 24}
    folder = fresh("clip-vision-alone", config)
    model = CLIPVisionModelWithProjection(CLIPVisionConfig(**config))
    randomise(model, seed, 1.2)
    model = write(folder, model)
    with torch.no_grad():
        image = model(pixels(32)).image_embeds
    differ(*image)
    expect(folder, {"image_features": image})


if __name__ == "__main__":
    vision = {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16, "mlp_ratio": 2.0}
    text = {"context_length": 8, "vocab_size": 100, "width": 32, "heads": 2, "layers": 2}
    open_clip("open-clip-vit", 41, vision, text, quick=True)
    open_clip("open-clip-vit-whole", 42, {**vision, "image_size": 48, "pool_type": "avg", "no_ln_pre": True, "ls_init_value": 0.5},
              {**text, "no_causal_mask": True})
    xlm_roberta(43)
    siglip(44)
    dinov2("dinov2", 45, "dinov2", Dinov2Config)
    dinov2("dinov2-registers", 46, "dinov2_with_registers", Dinov2WithRegistersConfig, num_register_tokens=3)
    clip_vision(47)
    print(IMAGES, "images each;", HERE, json.dumps(sorted(p.name for p in HERE.iterdir() if p.is_dir())))
