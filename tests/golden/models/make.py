"""Makes the golden models beside this file: small seeded CLIP and BLIP models and what the reference computes.

Run it with the packages of ../requirements.txt installed: python tests/golden/models/make.py

Each folder has a model in the published layout (config.json, model.safetensors) and expected.safetensors.
The reference reads the same two files, so its reading of config.json is part of what is compared.
Pixels are not stored: `pixels` below and the tests compute the same numbers.
"""

import json
import pathlib
import shutil

import numpy
import torch
from safetensors.torch import load_file, save_file
from transformers import BlipForConditionalGeneration, CLIPModel

HERE = pathlib.Path(__file__).parent
TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
IMAGES = 3
# The same settings are in tests/generation.rs. The reference counts the prompt's tokens in lengths, but not in new tokens.
SEARCHES = {
    "greedy": {},
    "greedy_few": {"max_new_tokens": 3},
    "greedy_penalty": {"repetition_penalty": 1.8},
    "greedy_repeating": {"repetition_penalty": 0.7, "no_repeat_ngram_size": 3},
    "greedy_ngrams": {"no_repeat_ngram_size": 2},
    "greedy_all": {"repetition_penalty": 1.3, "no_repeat_ngram_size": 1, "min_new_tokens": 9},
    "beams_2": {"num_beams": 2},
    "beams_3": {"num_beams": 3},
    "beams_5": {"num_beams": 5, "num_return_sequences": 4},
    "beams_few": {"num_beams": 3, "max_new_tokens": 3},
    "beams_short": {"num_beams": 3, "length_penalty": -2.0},
    "beams_long": {"num_beams": 3, "min_new_tokens": 6, "length_penalty": 2.0},
    "beams_early": {"num_beams": 3, "early_stopping": True},
    "beams_penalty": {"num_beams": 3, "repetition_penalty": 1.8},
    "beams_repeating": {"num_beams": 3, "repetition_penalty": 0.7, "no_repeat_ngram_size": 3},
    "beams_ngrams": {"num_beams": 3, "no_repeat_ngram_size": 2},
    "beams_all": {
        "num_beams": 3, "repetition_penalty": 1.4, "no_repeat_ngram_size": 1, "min_new_tokens": 7, "length_penalty": 0.5,
    },
}


def pixels(size):
    """Numbers from -2 to 2, exact in f32."""
    index = numpy.arange(IMAGES * 3 * size * size, dtype=numpy.uint64)
    hashed = (index * index * numpy.uint64(2654435761) + index * numpy.uint64(40503)) & numpy.uint64(0xFFFFFFFF)
    hashed ^= hashed >> numpy.uint64(15)
    values = (hashed >> numpy.uint64(8)).astype(numpy.float64) / 2**22 - 2
    return torch.tensor(values, dtype=torch.float32).reshape(IMAGES, 3, size, size)


def randomise(model, seed):
    """Parameters large enough that every one of them shows in the outputs."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name == "logit_scale":
                parameter.fill_(2.75)
            elif "norm" in name.lower() or "layrnorm" in name:
                parameter.copy_(noise * 0.2 + (1.0 if name.endswith("weight") else 0.0))
            elif name.endswith("bias"):
                parameter.copy_(noise * 0.2)
            elif "position_embeddings" in name:
                parameter.copy_(noise * 2.5)
            elif "embedding" in name and "patch" not in name:
                parameter.copy_(noise * 0.8)
            else:
                fan_in = parameter[0].numel()
                parameter.copy_(noise * 1.5 / fan_in**0.5)


def write(folder, model, kind, extra=None):
    """The parameters in one type; `extra` tensors are added as they are."""
    tensors = {name: value.detach().to(TYPES[kind]).clone() for name, value in model.state_dict().items()}
    tensors |= extra or {}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def fresh(name, config):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    return folder


def expect(folder, tensors):
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(tensors, folder / "expected.safetensors")


def load(kind, folder):
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


def differ(*tensors):
    for i, a in enumerate(tensors):
        for b in tensors[:i]:
            assert (a - b).abs().max() > 0.05, "two inputs give the same output: choose another seed"


def clip(name, config, kind, ids, seed, extra=None):
    folder = fresh(name, config)
    model = CLIPModel(CLIPModel.config_class.from_pretrained(folder))
    randomise(model, seed)
    write(folder, model, kind, extra)
    model = load(CLIPModel, folder)

    images = pixels(model.config.vision_config.image_size)
    longest = max(map(len, ids))
    # Whatever comes after the pooled token must not matter: the id 1 is not the largest of any text.
    padded = torch.tensor([row + [1] * (longest - len(row)) for row in ids])
    with torch.no_grad():
        vision = model.vision_model(images)
        text = model.text_model(padded)
        both = model(input_ids=padded, pixel_values=images)
        image_features = model.get_image_features(images).pooler_output
        text_features = model.get_text_features(padded).pooler_output
    differ(*image_features)
    differ(*text_features)
    expect(
        folder,
        {
            "vision_states": vision.last_hidden_state[:1],
            "text_states": text.last_hidden_state[:1, : len(ids[0])],
            "image_features": image_features,
            "text_features": text_features,
            "logits_per_image": both.logits_per_image,
            "logit_scale": model.logit_scale.exp().reshape(1),
            "ids": padded,
            "lengths": torch.tensor([len(row) for row in ids]),
        },
    )
    print(name, "logits", both.logits_per_image[0].tolist())


def blip(name, config, kind, seeds, **more):
    """The first of `seeds` whose captions are worth comparing."""
    for seed in seeds:
        if blip_of(name, config, kind, seed, **more):
            return
    raise SystemExit(f"{name}: no seed gives varied captions")


def blip_of(name, config, kind, seed, prompt, untie=False, bias=0.0):
    folder = fresh(name, config)
    model = BlipForConditionalGeneration(BlipForConditionalGeneration.config_class.from_pretrained(folder))
    randomise(model, seed)
    head = model.text_decoder.cls.predictions
    generator = torch.Generator().manual_seed(seed + 1)
    text = model.config.text_config
    with torch.no_grad():
        # How soon captions end.
        head.bias[text.sep_token_id] += bias
        if head.decoder.bias is not head.bias:
            head.decoder.bias.copy_(head.bias)
    tensors = {key: value.detach().to(TYPES[kind]).clone() for key, value in model.state_dict().items()}
    decoder, words = "text_decoder.cls.predictions.decoder", "text_decoder.bert.embeddings.word_embeddings.weight"
    if untie:
        tensors[f"{decoder}.weight"] = torch.randn(tensors[words].shape, generator=generator).to(TYPES[kind])
        tensors[f"{decoder}.bias"] = tensors["text_decoder.cls.predictions.bias"] + 0.25
    else:
        del tensors[f"{decoder}.weight"], tensors[f"{decoder}.bias"]
    tensors["text_decoder.bert.embeddings.position_ids"] = torch.arange(text.max_position_embeddings)[None]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    model = load(BlipForConditionalGeneration, folder)
    head = model.text_decoder.cls.predictions
    assert (head.decoder.weight is model.get_input_embeddings().weight) != untie

    images = pixels(model.config.vision_config.image_size)
    ids = torch.tensor([[text.bos_token_id, 7, 60, 3, 3, 41, 12, 88]])
    prompt = torch.tensor([[text.bos_token_id, *prompt, text.sep_token_id]])
    expected = {}
    with torch.no_grad():
        states = model.vision_model(images).last_hidden_state
        expected["image_states"] = states[:2]
        expected["ids"] = ids[0]
        for i in range(2):
            logits = model(pixel_values=images[i : i + 1], input_ids=ids).logits[0]
            expected[f"logits_{i}"] = logits
        captions = []
        for i in range(IMAGES):
            free = model.generate(images[i : i + 1], max_length=16, do_sample=False)[0]
            # The reference overwrites the first token of its argument.
            led = model.generate(images[i : i + 1], input_ids=prompt.clone(), max_length=16, do_sample=False)[0]
            few = model.generate(images[i : i + 1], input_ids=prompt.clone(), max_new_tokens=3, do_sample=False)[0]
            captions += [free.tolist(), led.tolist()]
            assert few.tolist() == led.tolist()[: prompt.shape[1] - 1 + 3]
            expected[f"greedy_{i}"], expected[f"prompted_{i}"] = free, led
    if min(len(set(ids)) for ids in captions) < 4 or not 0 < sum(5 in ids for ids in captions) < 6:
        return False
    if len({tuple(ids) for ids in captions}) < 6:
        return False
    print(name, "seed", seed, *captions, sep="\n  ")
    expected["prompt"] = prompt[0, :-1].clone()
    for key, settings in SEARCHES.items():
        expected[key], expected[f"{key}_scores"] = search(model, images, prompt, settings)
    differ(expected["logits_0"], expected["logits_1"])
    differ(*states)
    expect(folder, expected)

    if not untie:
        # The table under its other name is the same model to the reference.
        other = HERE / "renamed"
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(folder, other)
        renamed = load_file(folder / "model.safetensors")
        renamed[f"{decoder}.weight"] = renamed.pop(words)
        renamed[f"{decoder}.bias"] = renamed.pop("text_decoder.cls.predictions.bias")
        save_file(renamed, other / "model.safetensors", metadata={"format": "pt"})
        with torch.no_grad():
            logits = load(BlipForConditionalGeneration, other)(pixel_values=images[:1], input_ids=ids).logits[0]
        assert torch.equal(logits, expected["logits_0"])
        shutil.rmtree(other)
    return True


def search(model, images, prompt, settings):
    """What `generate` finds for each image, without and with the prompt, and how good it says that is.

    New tokens with the one that ends them, filled up with -1: `(images * 2, captions, tokens)`. The scores are those
    of the beams or, without beams, the sums of the log-probabilities of the new tokens.
    """
    beams = settings.get("num_beams", 1)
    settings = {"max_new_tokens": 12, "do_sample": False, "num_return_sequences": beams} | settings
    end = model.config.text_config.sep_token_id
    sequences, scores = [], []
    for image in images:
        for begin in [None, prompt]:
            with torch.no_grad():
                out = model.generate(
                    image[None], input_ids=None if begin is None else begin.clone(), return_dict_in_generate=True,
                    output_scores=True, output_logits=True, **settings,
                )
            begun = 1 if begin is None else begin.shape[1] - 1
            new = [row[begun:] for row in out.sequences.tolist()]
            new = [row[: row.index(end) + 1] if end in row else row for row in new]
            if beams > 1:
                scores.append(out.sequences_scores)
            else:
                steps = torch.stack(out.logits)[:, 0].log_softmax(-1)
                scores.append(sum(step[token] for step, token in zip(steps, new[0], strict=True))[None])
            width = settings["max_new_tokens"]
            sequences.append([row + [-1] * (width - len(row)) for row in new])
    return torch.tensor(sequences), torch.stack(scores)


def tower(width, heads, inner, layers, **more):
    sizes = {"hidden_size": width, "num_attention_heads": heads, "intermediate_size": inner}
    return sizes | {"num_hidden_layers": layers} | more


def main():
    torch.set_num_threads(1)
    clip(
        # The historical end token: pooled at the largest id, 99, which comes twice in the last text.
        "clip-quick-gelu-eos-2",
        {
            "model_type": "clip",
            "projection_dim": 20,
            "text_config": tower(24, 2, 40, 2, vocab_size=100, max_position_embeddings=12, eos_token_id=2, pad_token_id=1),
            "vision_config": tower(32, 4, 48, 2, image_size=32, patch_size=8, projection_dim=77),
        },
        "f32",
        [[98, 5, 2, 17, 99], [98, 40, 99], [98, 2, 2, 31, 8, 60, 99], [98, 70, 71, 99], [98, 40, 12, 99, 5, 99]],
        seed=1,
    )
    clip(
        # The true end token, 7, which is not the largest id, and of which the first counts.
        "clip-gelu-eos-7",
        {
            "model_type": "clip",
            "projection_dim": 16,
            "text_config": tower(32, 4, 64, 2, vocab_size=100, max_position_embeddings=10, eos_token_id=7, hidden_act="gelu"),
            "vision_config": tower(24, 3, 40, 2, image_size=48, patch_size=16, hidden_act="gelu", layer_norm_eps=1e-3),
        },
        "f16",
        [[98, 5, 99, 17, 7], [98, 40, 7], [98, 7, 7, 31, 8, 60, 7], [98, 70, 71, 7], [98, 70, 13, 7, 30, 7]],
        seed=2,
        extra={
            "text_model.embeddings.position_ids": torch.arange(10)[None],
            "vision_model.embeddings.position_ids": torch.arange(10)[None],
        },
    )
    clip(
        # `*_config_dict` wins over `*_config`, its defaults (quick_gelu, epsilon 1e-5) included.
        "clip-config-dict",
        {
            "model_type": "clip",
            "projection_dim": 16,
            "text_config": tower(999, 7, 11, 9, vocab_size=5, eos_token_id=2, hidden_act="gelu", layer_norm_eps=0.5),
            "text_config_dict": tower(24, 4, 40, 1, vocab_size=100, max_position_embeddings=9, eos_token_id=99),
            "vision_config": tower(999, 7, 11, 9, image_size=224, hidden_act="relu", layer_norm_eps=0.5),
            "vision_config_dict": tower(24, 2, 40, 1, image_size=24, patch_size=8, hidden_act="gelu_new"),
        },
        "bf16",
        [[98, 5, 17, 99], [98, 40, 99], [98, 99, 3, 4]],
        seed=3,
    )
    clip(
        "clip-silu-relu",
        {
            "model_type": "clip",
            "projection_dim": 8,
            "text_config": tower(16, 1, 24, 1, vocab_size=100, max_position_embeddings=9, eos_token_id=99, hidden_act="relu"),
            "vision_config": tower(16, 8, 24, 1, image_size=16, patch_size=16, hidden_act="silu"),
        },
        "f16",
        [[98, 5, 17, 99], [98, 40, 99]],
        seed=4,
    )
    ends = {"bos_token_id": 98, "sep_token_id": 5, "pad_token_id": 0, "eos_token_id": 2}
    blip(
        "blip-tied",
        {
            "model_type": "blip",
            "text_config": tower(24, 2, 40, 2, vocab_size=100, max_position_embeddings=24, encoder_hidden_size=768, **ends),
            "vision_config": tower(32, 4, 48, 2, image_size=32, patch_size=8),
        },
        "f16",
        range(500, 600),
        prompt=[17, 30, 9],
        bias=4.0,
    )
    blip(
        "blip-untied",
        {
            "model_type": "blip",
            "tie_word_embeddings": False,
            "text_config": tower(32, 8, 48, 2, vocab_size=100, max_position_embeddings=24, hidden_act="gelu_new", tie_word_embeddings=False, layer_norm_eps=1e-4, **ends),
            "vision_config": tower(24, 2, 40, 2, image_size=32, patch_size=16, hidden_act="quick_gelu"),
        },
        "f32",
        range(600, 700),
        prompt=[17],
        bias=2.0,
        untie=True,
    )
    blip(
        # The configuration says tied, the file has two different tables: the reference uses both.
        "blip-two-tables",
        {
            "model_type": "blip",
            "text_config": tower(24, 3, 40, 1, vocab_size=100, max_position_embeddings=24, hidden_act="gelu_pytorch_tanh", **ends),
            "vision_config": tower(24, 3, 40, 1, image_size=16, patch_size=8),
        },
        "bf16",
        range(700, 800),
        bias=4.0,
        prompt=[60, 61, 62, 63, 64],
        untie=True,
    )


if __name__ == "__main__":
    main()
