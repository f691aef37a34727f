"""Make runs out of the shipped models, so that training can go on where no checkpoint is left.

usage: python import_shipped.py [tagger [captioner]]      (run names; default: shipped blip-shipped)
The float16 weights of pkg/models/clip-tiny become WORK/runs/<tagger>/last.pt, those of
pkg/models/blip-tiny's image tower and decoder WORK/runs/<captioner>/last.pt; training-only
heads and optimiser states start anew. `train_clip.py --init <tagger>` goes on from the one,
`train_matching.py --blip <captioner>` from the other.
"""
import json
import shutil
import sys

import torch
from safetensors.torch import load_file
from transformers import BlipForConditionalGeneration

from paths import CACHE, MODELS
from runs import Run
from vit import Clip, clip_state


def student(shipped, own):
    """The student's tensors `own` (name -> tensor), filled from the published names."""
    out, p = {}, "vision_model.embeddings."
    plain = {"vision.cls": p + "class_embedding", "vision.pos": p + "position_embedding.weight",
             "vision.patch_embed.weight": p + "patch_embedding.weight",
             "text.embed.weight": "text_model.embeddings.token_embedding.weight",
             "text.pos": "text_model.embeddings.position_embedding.weight",
             "vproj.weight": "visual_projection.weight", "tproj.weight": "text_projection.weight",
             "logit_scale": "logit_scale"}
    parts = {"vision.pre": "vision_model.pre_layrnorm", "vision.post": "vision_model.post_layernorm",
             "text.final": "text_model.final_layer_norm", "out": "self_attn.out_proj", "ln1": "layer_norm1",
             "ln2": "layer_norm2", "fc1": "mlp.fc1", "fc2": "mlp.fc2"}
    for name, like in own.items():
        if name in plain:
            value = shipped[plain[name]]
        elif ".blocks." in name:
            tower, _, i, part, kind = name.split(".")
            layer = f"{tower}_model.encoder.layers.{i}."
            if part == "qkv":
                value = torch.cat([shipped[f"{layer}self_attn.{c}_proj.{kind}"] for c in "qkv"])
            else:
                value = shipped[f"{layer}{parts[part]}.{kind}"]
        else:
            part, kind = name.rsplit(".", 1)
            if part not in parts:
                continue  # a training-only head
            value = shipped[f"{parts[part]}.{kind}"]
        out[name] = value.float().reshape(like.shape)
    return out


def tagger(name):
    folder = MODELS / "clip-tiny"
    cfg = json.loads((folder / "config.json").read_text())
    v, t = cfg["vision_config"], cfg["text_config"]
    size = lambda c: dict(d=c["hidden_size"], layers=c["num_hidden_layers"], heads=c["num_attention_heads"], hidden=c["intermediate_size"])
    model = Clip({"vision": dict(image=v["image_size"], patch=v["patch_size"], **size(v)),
                  "text": dict(vocab=t["vocab_size"], context=t["max_position_embeddings"], **size(t)),
                  "proj": cfg["projection_dim"]})
    shipped = load_file(folder / "model.safetensors")
    model.load_state_dict(student(shipped, model.state_dict()), strict=False)
    again = clip_state(model)
    assert again.keys() == shipped.keys() and all(torch.equal(again[k], shipped[k]) for k in shipped)
    # the ids under the embeddings are those of its vocabulary
    shutil.copy(folder / "tokenizer.json", CACHE / "clip-tokenizer.json")
    Run(name).save(model, model, [], 0, 0.0, config=model.cfg)


def captioner(name):
    folder = MODELS / "blip-tiny"
    shutil.copy(folder / "tokenizer.json", CACHE / "blip-tokenizer.json")
    model = BlipForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    shipped = load_file(folder / "model.safetensors")
    again = model.half().state_dict()
    assert all(torch.equal(again[k], x) for k, x in shipped.items() if k.startswith(("vision_model.", "text_decoder.")))
    model = model.float()
    Run(name).save(model, model, [], 0, 0.0)


def main(first="shipped", second="blip-shipped"):
    CACHE.mkdir(parents=True, exist_ok=True)
    tagger(first)
    captioner(second)


if __name__ == "__main__":
    main(*sys.argv[1:])
