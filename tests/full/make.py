"""Makes CLIP B/32 and BLIP base at their true size with seeded weights, and the reference's answers.

Run it with the packages of ../golden/requirements.txt installed, from the repository's root:

    python tests/full/make.py [--hub ../shared/hub] [--out target/full]

It writes 1.5 GB in the layout of the public hub, `<out>/<org>/<name>/resolve/<revision>/<file>`, with the
published configurations and tokenizers, or where `--hub` is no folder, with what stand_in.py has in their place; three pictures in `<out>/images`; and `<out>/expected.json`. What
is there already is kept: `--force` makes it again.

Weights are random, so the answers mean nothing; but they are large enough that answers differ between
pictures, and by margins that rounding does not reach. Both are asserted.
"""

import argparse
import json
import pathlib
import shutil

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import AutoTokenizer, BlipForConditionalGeneration, CLIPModel
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from stand_in import make_hub

CLIP = ("openai/clip-vit-base-patch32", "refs/pr/15")
BLIP = ("Salesforce/blip-image-captioning-base", "main")
LABELS = ["cat", "dog", "red bicycle", "teapot", "snowy mountain", "bowl of fruit", "violin", "lighthouse"]
TEMPLATE = "a photo of a {}."
PROMPT = "a picture of"
MAX_NEW_TOKENS = 20
# Least lead of a caption's next token over the second best; logits are of the order of 10.
MARGIN = 0.01


def pictures(folder):
    """Three pictures of different kinds and sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    y, x = numpy.mgrid[0:300, 0:400] / 100.0
    waves = [numpy.sin(3 * x + y), numpy.cos(2 * y * x), numpy.sin(5 * y - x)]
    rings = [((x - 2) ** 2 + (y - 1.5) ** 2) * k % 2 - 1 for k in (3, 5, 1)]
    noise = numpy.random.default_rng(8).normal(0, 0.4, (300, 400, 3)).cumsum(axis=1) * 0.2
    kinds = {"waves": numpy.dstack(waves)[:, :300], "rings": numpy.dstack(rings), "noise": noise[:240]}
    paths = []
    for name, values in kinds.items():
        path = folder / f"{name}.png"
        Image.fromarray(((values.clip(-1, 1) + 1) * 127.5).round().astype(numpy.uint8)).save(path)
        paths.append(path)
    return paths


def scale_of(name):
    """How large a matrix is, against one that keeps the size of what it is applied to."""
    if not name.startswith("text_decoder"):
        return 1.0
    # Twelve large random layers say the same at every position: in the decoder the words, the positions
    # and the image have to outlast them for captions to vary.
    if "crossattention.output" in name:
        return 0.5
    return 1.0 if "transform" in name else 0.3


def randomise(model, seed):
    """Parameters large enough that outputs depend on all of them."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name == "logit_scale":
                parameter.fill_(4.6052)
            elif "norm" in name.lower() or "layrnorm" in name:
                parameter.copy_(noise * 0.1 + (1.0 if name.endswith("weight") else 0.0))
            elif name.endswith("bias"):
                parameter.copy_(noise * 0.1)
            elif "position_embedding" in name:
                parameter.copy_(noise * (2.0 if name.startswith("text_decoder") else 0.5))
            elif "embedding" in name and "patch" not in name:
                parameter.copy_(noise * 0.8)
            else:
                parameter.copy_(noise * scale_of(name) / parameter[0].numel() ** 0.5)


def publish(out, repository, config, tokenizer):
    """The folder of a repository's files, with what is published of it."""
    name, revision = repository
    folder = out / name / "resolve" / revision
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("config.json", "preprocessor_config.json"):
        shutil.copy(config / file, folder)
    shutil.copy(tokenizer / "tokenizer.json", folder)
    return folder


def save(model, folder, left_out=(), pickled=False):
    """As safetensors, which the benchmark reads, and if `pickled` in the form that the hub's main branch has."""
    tensors = {name: value.detach() for name, value in model.state_dict().items() if name not in left_out}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    if pickled:
        torch.save(tensors, folder / "pytorch_model.bin")


def clip(out, hub, images):
    # The published tokenizer of this model is the same file as TinyCLIP's.
    tokenizer = hub / "TinyCLIP-ViT-8M-16-Text-3M-YFCC15M"
    folder = publish(out, CLIP, hub / "clip-vit-base-patch32", tokenizer)
    model = CLIPModel(CLIPModel.config_class.from_pretrained(folder)).eval()
    randomise(model, 1)
    save(model, folder)
    processor = CLIPImageProcessorPil.from_pretrained(folder)
    encode = AutoTokenizer.from_pretrained(tokenizer)
    texts = encode([TEMPLATE.replace("{}", label) for label in LABELS], padding=True, return_tensors="pt")
    pixels = processor([Image.open(path) for path in images], return_tensors="pt").pixel_values
    with torch.no_grad():
        output = model(input_ids=texts.input_ids, attention_mask=texts.attention_mask, pixel_values=pixels)
    logits = output.logits_per_image
    scores = logits.softmax(1)
    print("logits", logits)
    for row in scores:
        assert 0.15 < row.max() < 0.999, "scores are all alike, or certain: choose another scale"
    assert (scores[0] - scores[1]).abs().max() > 0.05 < (scores[1] - scores[2]).abs().max(), "images do not matter"
    rows = zip(images, scores.tolist(), logits.tolist())
    return {
        "model": CLIP[0],
        "labels": LABELS,
        "template": TEMPLATE,
        "images": [{"file": path.name, "scores": score, "logits": logit} for path, score, logit in rows],
    }


def caption(model, encode, states, prompt):
    """The greedy caption by the reference, and the least lead of its tokens."""
    text = model.config.text_config
    ids = torch.tensor([[text.bos_token_id, *prompt]])
    output = model.text_decoder.generate(
        input_ids=ids,
        encoder_hidden_states=states,
        eos_token_id=text.sep_token_id,
        pad_token_id=text.pad_token_id,
        max_new_tokens=MAX_NEW_TOKENS,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    best = torch.cat(output.logits).topk(2).values
    tokens = output.sequences[0].tolist()
    answer = {"tokens": tokens, "caption": encode.decode(tokens, skip_special_tokens=True)}
    return answer, (best[:, 0] - best[:, 1]).min().item()


def blip(out, hub, images):
    source = hub / "blip-image-captioning-base"
    folder = publish(out, BLIP, source, source)
    config = BlipForConditionalGeneration.config_class.from_pretrained(folder)
    model = BlipForConditionalGeneration(config).eval()
    randomise(model, 2)
    processor = BlipImageProcessorPil.from_pretrained(folder)
    encode = AutoTokenizer.from_pretrained(source)
    prompt = encode(PROMPT, add_special_tokens=False).input_ids
    pixels = processor([Image.open(path) for path in images], return_tensors="pt").pixel_values
    with torch.no_grad():
        states = [model.vision_model(pixels[i : i + 1]).last_hidden_state for i in range(len(images))]
    # The last matrix alone decides which words are taken: it is tried until no choice is a close one.
    last = model.text_decoder.cls.predictions.transform.dense.weight
    for seed in range(101, 200):
        with torch.no_grad():
            last.copy_(torch.randn(last.shape, generator=torch.Generator().manual_seed(seed)) / last.shape[1] ** 0.5)
        answers, least = [], 1e9
        for path, state in zip(images, states):
            answer = {"file": path.name}
            for name, ids in (("free", []), ("prompted", prompt)):
                answer[name], margin = caption(model, encode, state, ids)
                least = min(least, margin)
            answers.append(answer)
        all_tokens = [answer[kind]["tokens"] for answer in answers for kind in ("free", "prompted")]
        distinct = [len(set(tokens)) for tokens in all_tokens]
        print("seed", seed, "distinct tokens", distinct, "least lead", round(least, 4))
        if min(distinct) >= 8 and least >= MARGIN and len(set(map(tuple, all_tokens))) == len(all_tokens):
            break
    else:
        raise SystemExit("no seed gives varied captions")
    head = "text_decoder.cls.predictions.decoder"
    save(model, folder, (f"{head}.weight", f"{head}.bias"), pickled=True)
    return {"model": BLIP[0], "prompt": PROMPT, "max_new_tokens": MAX_NEW_TOKENS, "least_lead": least, "images": answers}


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hub", type=pathlib.Path, default=root.parent / "shared" / "hub")
    parser.add_argument("--out", type=pathlib.Path, default=root / "target" / "full")
    parser.add_argument("--force", action="store_true")
    options = parser.parse_args()
    expected = options.out / "expected.json"
    if expected.exists() and not options.force:
        print(f"{expected} is there already; --force makes it again.")
        return
    if not options.hub.is_dir():
        options.hub = options.out / "hub"
        make_hub(options.hub)
    images = pictures(options.out / "images")
    answers = {"clip": clip(options.out, options.hub, images), "blip": blip(options.out, options.hub, images)}
    expected.write_text(json.dumps(answers, indent=1) + "\n")
    print(f"Wrote {expected}.")


if __name__ == "__main__":
    main()
