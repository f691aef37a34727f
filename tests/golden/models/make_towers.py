"""Makes the golden models with convolutional towers beside this file: small seeded models and what PyTorch computes.

Run it with the packages of ../requirements.txt, open-clip-torch and timm: python tests/golden/models/make_towers.py

`open-clip-resnet` is a CLIP of `open_clip` with its ModifiedResNet, in the form in which that library publishes models;
`ocelli-lite` is the reference of the built-in model (training/ocelli_model.py) over a narrow EfficientNet-Lite of timm. The
folders are like those of make.py. Maps are Grad-CAM by autograd, as Selvaraju et al. (2017) have it.
"""

import sys

import torch
from make import HERE, IMAGES, differ, expect, fresh, pixels
from open_clip.model import CLIP
from safetensors.torch import load_file, save_file
from seeded import randomise

sys.path.append(str(HERE.resolve().parents[2] / "training"))
from ocelli_model import OcelliModel  # noqa: E402

TEXTS = [[98, 5, 17, 33, 99], [98, 60, 99], [98, 2, 71, 99]]
# 97 begins and 5 ends them. The same are in tests/towers.rs.
MATCHED = [[97, 12, 40, 33, 5], [97, 60, 5]]
CAPTION = [98, 7, 60, 3, 3, 41, 12, 88]


def write(folder, model, leave_out=()):
    """Saves the model in half precision, and gives it what was saved."""
    state = {n: t for n, t in model.state_dict().items() if not n.endswith(("num_batches_tracked", "attn_mask", "position_ids"))}
    tensors = {n: t.half().contiguous().clone() for n, t in state.items() if n not in leave_out}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    saved = {n: t.float() for n, t in load_file(folder / "model.safetensors").items()}
    missing = model.load_state_dict(saved, strict=False).missing_keys
    assert all(n.endswith(("num_batches_tracked", "attn_mask", "position_ids", *leave_out)) for n in missing), missing
    return model.eval()


def grad_cam(maps, answer):
    """`maps` (1, c, h, w) of one image, and an answer that was made of them."""
    weights = torch.autograd.grad(answer, maps, retain_graph=True)[0].mean((2, 3), keepdim=True)
    return (weights * maps).sum(1).clamp(min=0).detach().flatten()


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def padded(texts):
    longest = max(map(len, texts))
    return torch.tensor([ids + [0] * (longest - len(ids)) for ids in texts])


def tags(model, maps_of, image_of, text_of, images):
    """What a tagger gives: features, logits, and a map for each of two images and texts."""
    ids = padded(TEXTS)
    expected = {"ids": ids, "lengths": torch.tensor([len(ids) for ids in TEXTS])}
    with torch.no_grad():
        text = text_of(ids)
        maps = maps_of(images)
        image = image_of(maps)
        scale = model.logit_scale.exp()
    differ(*image)
    differ(*text)
    expected |= {"image_maps": maps[:1].flatten(2).transpose(1, 2), "image_features": image, "text_features": text,
                 "logit_scale": scale.reshape(1), "logits_per_image": scale * unit(image) @ unit(text).T}
    for i in range(2):
        maps = maps_of(images[i : i + 1]).detach().requires_grad_()
        logits = scale * unit(image_of(maps)) @ unit(text).T
        for j in range(2):
            cam = grad_cam(maps, logits[0, j])
            if (cam > 0).sum() < 2:
                return None  # an empty map proves nothing
            expected[f"cam_{i}_{j}"] = cam
    return expected


def open_clip_resnet(seed):
    vision = {"image_size": 96, "layers": [1, 2, 1, 1], "width": 4, "head_width": 32, "patch_size": None}
    text = {"context_length": 12, "vocab_size": 100, "width": 32, "heads": 2, "layers": 2}
    model_cfg = {"embed_dim": 24, "quick_gelu": True, "vision_cfg": vision, "text_cfg": text}
    config = {"model_cfg": model_cfg, "preprocess_cfg": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3], "interpolation": "bicubic",
                                                         "resize_mode": "shortest"}}
    folder = fresh("open-clip-resnet", config)
    model = CLIP(**{**model_cfg, "vision_cfg": {k: v for k, v in vision.items() if v is not None} | {"patch_size": None}})
    randomise(model, seed, 1.5)
    model = write(folder, model)
    visual = model.visual

    def maps_of(images):
        x = visual.stem(images)
        for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            x = layer(x)
        return x

    # Texts are pooled at their largest id, so zeros may follow; the tower wants all of its context.
    text_of = lambda ids: model.encode_text(torch.nn.functional.pad(ids, (0, 12 - ids.shape[1])))  # noqa: E731
    images = pixels(96)
    expected = tags(model, maps_of, visual.attnpool, text_of, images)
    if expected is None:
        return False
    with torch.no_grad():
        assert torch.allclose(model.encode_image(images), expected["image_features"], atol=1e-5)
    expect(folder, expected)
    print("open-clip-resnet", seed, expected["logits_per_image"].tolist())
    return True


def match_cam(model, tokens, ids):
    """As `match_cam` of ../inside/make_maps.py, but that every token is a part of the image."""
    logits, out = model.match(tokens, ids, output_attentions=True)
    layers = model.decoder_config.num_hidden_layers
    attention = out.cross_attentions[max(min(layers * 7 // 12, layers - 2), 0)]
    gradient = torch.autograd.grad(logits[0, 1], attention)[0]
    cams = (attention * gradient.clamp(min=0))[0].mean(0).detach()
    count = ids.shape[1] - 2
    return cams[1 : count + 1].sum(0) / count


def ocelli_lite(seed):
    blip = {"vocab_size": 100, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 2,
            "max_position_embeddings": 24, "encoder_hidden_size": 24, "bos_token_id": 98, "sep_token_id": 5, "hidden_act": "gelu"}
    clip = {"model_type": "clip_text_model", "vocab_size": 100, "max_position_embeddings": 12, "hidden_size": 32, "intermediate_size": 48,
            "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_act": "gelu", "eos_token_id": 99, "bos_token_id": 98, "pad_token_id": 99}
    config = {
        "architectures": ["OcelliModel"], "model_type": "ocelli", "projection_dim": 20, "image_text_hidden_size": 16,
        "vision_config": {"model_type": "efficientnet_lite", "architecture": "tf_efficientnet_lite2", "image_size": 70, "num_classes": 30,
                          "hidden_size": 96, "width_coefficient": 0.15, "depth_coefficient": 0.4},
        "text_config": clip, "decoder_config": blip, "ocelli": {"none_offset": 1.5, "temperature": 2.0, "sure_threshold": 0.25},
    }
    folder = fresh("ocelli-lite", config)
    model = OcelliModel(config)
    randomise(model, seed, 1.2)
    model.decoder_config._attn_implementation = "eager"
    # The output layer is the table of words.
    head = "text_decoder.cls.predictions"
    with torch.no_grad():
        model.text_decoder.cls.predictions.decoder.weight = model.text_decoder.bert.embeddings.word_embeddings.weight
        model.text_decoder.cls.predictions.decoder.bias = model.text_decoder.cls.predictions.bias
    model = write(folder, model, (f"{head}.decoder.weight", f"{head}.decoder.bias"))
    images = pixels(70)
    expected = tags(model, model.maps, model.image_embeddings, model.text_embeddings, images)
    if expected is None:
        return False
    with torch.no_grad():
        tokens = model.tokens(model.maps(images))
        differ(*tokens)
        expected["image_states"] = tokens
        out = [model.decode(tokens[i : i + 1], torch.tensor([CAPTION]), output_attentions=True) for i in range(2)]
        for i in range(2):
            expected[f"logits_{i}"] = out[i].logits[0]
            layers = torch.stack([attention[0] for attention in out[i].cross_attentions])
            expected[f"saw_{i}"] = layers.mean((0, 1))[:-1]
        for j, ids in enumerate(MATCHED):
            ids = torch.tensor([ids])
            expected[f"cosines_{j}"] = model.contrast(tokens, ids)[:, 0]
            expected[f"matching_{j}"] = torch.cat([model.match(tokens[i : i + 1], ids)[0] for i in range(IMAGES)])
    for i in range(2):
        for j, ids in enumerate(MATCHED):
            expected[f"match_cam_{i}_{j}"] = match_cam(model, tokens[i : i + 1], torch.tensor([ids]))
    expect(folder, expected)
    print("ocelli-lite", seed, expected["logits_per_image"].tolist(), *(expected[f"matching_{j}"].tolist() for j in range(2)))
    return True


def main():
    torch.set_num_threads(1)
    for make in (open_clip_resnet, ocelli_lite):
        if not any(make(seed) for seed in range(3, 40)):
            raise SystemExit(f"{make.__name__}: no seed gives maps worth comparing")


if __name__ == "__main__":
    main()
