"""Makes the golden vision transformers of `timm` beside this file: small seeded models and what the reference computes.

Run it with the packages of ../requirements.txt and timm: python tests/golden/models/make_timm.py

The folders are like those of make.py. `timm-tagger` is a tagger of drawings as they are published: `selected_tags.csv` says what
its logits are for, images are padded to a square with white, and channels are blue, green, red. `scores` are of
`wide.png` and `tall.png`, read by PIL and prepared by `timm`'s own transform.
"""

import csv

import timm
import torch
from make import HERE, differ, expect, fresh, pixels
from make_towers import write
from PIL import Image
from seeded import randomise
from timm.data import create_transform, resolve_data_config

SAMPLES = HERE.parents[2] / "www/samples"
# Without loss, so that what is read is the same everywhere.
PICTURES = {"wide.png": ("cat.webp", (61, 40)), "tall.png": ("coffee.webp", (37, 52))}
for name, (sample, size) in PICTURES.items():
    Image.open(SAMPLES / sample).convert("RGB").resize(size).save(HERE / name)


def square(picture):
    """As `wdv3-timm` pads pictures."""
    side = max(picture.size)
    canvas = Image.new("RGB", (side, side), (255, 255, 255))
    canvas.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return canvas


def timm_vit(name, seed, args, cfg, classes, pool, tags=None):
    config = {"architecture": "vit_base_patch16_224", "num_classes": classes, "num_features": args["embed_dim"], "global_pool": pool,
              "model_args": args, "pretrained_cfg": cfg}
    folder = fresh(name, config)
    model = timm.create_model("vit_base_patch16_224", num_classes=classes, **({"global_pool": pool} | args))
    randomise(model, seed, 1.0)
    model = write(folder, model.eval())
    if tags:
        with open(folder / "selected_tags.csv", "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("tag_id", "name", "category", "count"), *tags])
    transform = create_transform(**resolve_data_config(cfg, model=None, pretrained_cfg=cfg))
    pictures = [Image.open(HERE / picture).convert("RGB") for picture in PICTURES]
    if tags:
        batch = torch.stack([transform(square(picture)) for picture in pictures])[:, [2, 1, 0]]
    else:
        batch = torch.stack([transform(picture) for picture in pictures])
    with torch.no_grad():
        logits, seen = model(pixels(args["img_size"])), model(batch)
    differ(*logits)
    differ(*seen)
    expect(folder, {"logits": logits, "scores": seen.sigmoid() if tags else seen.softmax(-1), "batch": batch})


SIZES = {"embed_dim": 32, "depth": 2, "num_heads": 4, "patch_size": 8, "img_size": 32}
TAGS = [(1, "general", 9, 5), (2, "sensitive", 9, 4), (3, "1girl", 0, 3), (4, "=_=", 0, 2), (5, 'a,"b"', 4, 1), (6, "long_hair", 0, 1)]
timm_vit("timm-tagger", 1, {**SIZES, "class_token": False, "global_pool": "avg", "fc_norm": False, "act_layer": "gelu_tanh"},
         {"input_size": [3, 32, 32], "interpolation": "bicubic", "crop_pct": 1.0, "crop_mode": "center", "mean": [0.5] * 3, "std": [0.5] * 3},
         len(TAGS), "avg", TAGS)
timm_vit("timm-classes", 2, {**SIZES, "init_values": 0.1, "mlp_ratio": 3},
         {"input_size": [3, 32, 32], "interpolation": "bilinear", "crop_pct": 0.9, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
         5, "token")
timm_vit("timm-mean", 3, {**SIZES, "pre_norm": True, "qkv_bias": False},
         {"input_size": [3, 32, 32], "interpolation": "bicubic", "crop_pct": 0.95, "crop_mode": "squash", "mean": [0.5] * 3, "std": [0.5] * 3},
         4, "avg")
