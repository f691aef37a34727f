"""Makes the golden ViT classifiers beside this file: small seeded models and what the reference computes.

Run it with the packages of ../requirements.txt installed: python tests/golden/models/make_vit.py

The folders are like those of make.py. Tensors have the names of the published files, which the reference has since
changed inside: that it reads these files is part of what is checked.
"""

import torch
from make import IMAGES, differ, expect, fresh, load, pixels, randomise, tower
from safetensors.torch import save_file
from transformers import ViTForImageClassification

PUBLISHED = {
    "vit.layers.": "vit.encoder.layer.",
    "attention.q_proj": "attention.attention.query",
    "attention.k_proj": "attention.attention.key",
    "attention.v_proj": "attention.attention.value",
    "attention.o_proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}


def published(name):
    for new, old in PUBLISHED.items():
        name = name.replace(new, old)
    return name


def vit(name, config, kind, seeds, extra=None):
    """The first of `seeds` whose answers are worth comparing."""
    if not any(vit_of(name, config, kind, seed, extra) for seed in seeds):
        raise SystemExit(f"{name}: with no seed is each image of another class")


def vit_of(name, config, kind, seed, extra):
    folder = fresh(name, config)
    model = ViTForImageClassification(ViTForImageClassification.config_class.from_pretrained(folder))
    randomise(model, seed)
    tensors = {published(key): value.detach().to(kind).clone() for key, value in model.state_dict().items()}
    assert "vit.encoder.layer.0.attention.attention.query.weight" in tensors
    save_file(tensors | (extra or {}), folder / "model.safetensors", metadata={"format": "pt"})
    found = load(ViTForImageClassification, folder)
    for key, value in model.state_dict().items():
        assert torch.equal(found.state_dict()[key], value.to(kind).float()), f"{key} was not read"

    images = pixels(found.config.image_size)
    with torch.no_grad():
        logits = found(images).logits
    if len({row.argmax().item() for row in logits}) < IMAGES:
        return False
    differ(*logits)
    expect(folder, {"logits": logits, "best": logits.topk(2).indices})
    labels = [found.config.id2label.get(i, f"LABEL_{i}") for i in range(found.config.num_labels)]
    for row in logits:
        print(name, seed, [(labels[i], round(row[i].item(), 3)) for i in row.topk(2).indices])
    return True


def main():
    torch.set_num_threads(1)
    vit(
        # Ids out of order, one of them without a name; the layer of an earlier training that nothing asks for.
        "vit-labels",
        {
            "model_type": "vit",
            "id2label": {"3": "sea, ocean", "0": "cat", "2": "dog", "7": "never shown", "1": "hen"},
            **tower(32, 4, 48, 3, image_size=32, patch_size=8),
        },
        torch.float16,
        range(58, 99),
        extra={"vit.pooler.dense.weight": torch.zeros(32, 32), "vit.pooler.dense.bias": torch.zeros(32)},
    )
    vit(
        "vit-no-bias",
        {
            "model_type": "vit",
            "num_labels": 4,
            "qkv_bias": False,
            "hidden_act": "gelu_new",
            "layer_norm_eps": 1e-3,
            **tower(24, 3, 40, 2, image_size=48, patch_size=16),
        },
        torch.bfloat16,
        range(60, 120),
    )


if __name__ == "__main__":
    main()
