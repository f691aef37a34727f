"""What the reference makes of labels in several templates, of hints, and of a background: expected.json beside this file.

Run it from the repository root, with the packages of tests/golden/requirements.txt and PyTorch:

    python tests/golden/tagging/make.py

For the built-in tagger and two of the golden models (which get tokenizers of single letters, `*.tokenizer.json`): the
averaged embeddings as published for CLIP, the cosines and `logits_per_image` of `CLIPModel`, and scores made of these.
"""

import json
import re
from pathlib import Path

import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import AutoTokenizer, CLIPModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PICTURES = ["fluent-emoji-butterfly", "noto-rocket", "twemoji-pizza"]
OFFSET = 1.5


def on_white(path):
    """The picture as RGB, transparency over white."""
    image = Image.open(path).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def letters(name, start, end):
    """Writes a tokenizer whose tokens are letters, and returns it."""
    vocab = {"<|startoftext|>": start, "<|endoftext|>": end}
    for i, letter in enumerate("abcdefghijklmnopqrstuvwxyz,."):
        vocab |= {letter: 8 + 2 * i, f"{letter}</w>": 9 + 2 * i}
    model = {"type": "BPE", "dropout": None, "unk_token": "<|endoftext|>", "continuing_subword_prefix": "",
             "end_of_word_suffix": "</w>", "fuse_unk": False, "vocab": vocab, "merges": []}
    path = HERE / f"{name}.tokenizer.json"
    path.write_text(json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
                                "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "WhitespaceSplit"},
                                "post_processor": None, "decoder": None, "model": model}) + "\n")
    return Tokenizer.from_file(str(path))


class Reference:
    def __init__(self, folder, encode, side):
        self.model = CLIPModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        self.encode = encode
        processor = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
        pictures = [on_white(ROOT / f"tests/images/drawings/{name}.png") for name in PICTURES]
        self.pixels = processor(pictures, return_tensors="pt")["pixel_values"]

    def ids(self, texts):
        rows = [self.encode(text) for text in texts]
        longest = max(map(len, rows))
        # Whatever comes after the first end token must not matter.
        return torch.tensor([row + [1] * (longest - len(row)) for row in rows])

    def features(self, texts):
        features = self.model.get_text_features(self.ids(texts)).pooler_output
        return features / features.norm(dim=-1, keepdim=True)

    def classifier(self, labels, templates):
        """As in the notebook Prompt_Engineering_for_ImageNet.ipynb of CLIP's repository."""
        weights = []
        for label in labels:
            mean = self.features([template.replace("{}", label) for template in templates]).mean(dim=0)
            weights.append(mean / mean.norm())
        return torch.stack(weights)

    @torch.inference_mode()
    def expect(self, labels, templates, background, texts):
        written = [f"{name}, {hint}" if hint else name for name, hint in labels]
        both = self.model(input_ids=self.ids(texts), pixel_values=self.pixels)
        scale = self.model.logit_scale.exp().item()
        images = both.image_embeds
        none = scale * (images @ self.features(background).T).mean(dim=1, keepdim=True) + OFFSET
        sets = []
        for each in templates:
            weights = self.classifier(written, each)
            logits = scale * images @ weights.T
            best = logits.max(dim=1, keepdim=True).values
            sets.append({
                "templates": each,
                "embeddings": rounded(weights),
                "scores": rounded(logits.softmax(-1)),
                "softmax": rounded(torch.cat([logits, none], 1).softmax(-1)),
                "independent": rounded(torch.cat([(logits - none).sigmoid(), (none - best).sigmoid()], 1)),
            })
            for key in ["scores", "softmax", "independent"]:
                spread = torch.tensor(sets[-1][key])
                assert (spread.amax(0) - spread.amin(0)).max() > 0.01, (key, "all alike: this proves nothing")
        alone = torch.tensor(sets[0]["embeddings"])
        for other in sets[1:]:
            assert (torch.tensor(other["embeddings"]) - alone).abs().max() > 0.01
        return {
            "labels": labels, "background": background, "offset": OFFSET, "sets": sets, "texts": texts,
            "logit_scale": scale, "cosines": rounded(both.logits_per_image / scale),
            "logits": rounded(both.logits_per_image, 5),
        }


def rounded(tensor, digits=7):
    return [[round(x, digits) for x in row] for row in tensor.tolist()]


def main():
    torch.set_num_threads(1)
    published = (ROOT / "pkg/src/page/templates.js").read_text()
    lists = {name: re.findall(r"'([^']+)'", body) for name, body in re.findall(r"const (\w+) = .*?\[(.*?)\]", published, re.S)}
    assert [len(lists[name]) for name in ["simple", "imagenet7", "imagenet80"]] == [1, 7, 80]

    folder = ROOT / "tests/golden/trained/clip-tiny"
    words = AutoTokenizer.from_pretrained(folder)
    builtin = Reference(folder, lambda text: words(text, truncation=True, max_length=32).input_ids, 96)
    expected = {"clip-tiny": builtin.expect(
        [("butterfly", None), ("rocket", None), ("rocket", "a type of vehicle"), ("pizza", "some food")],
        [lists["simple"], lists["imagenet7"], lists["imagenet80"]],
        ["a photo.", "a picture of something.", "a texture."],
        ["a photo of a rocket.", "pizza", "two apples on a green ground"],
    )}
    for name, start, end, context, side in [("clip-gelu-eos-7", 6, 7, 10, 48), ("clip-quick-gelu-eos-2", 98, 99, 12, 32)]:
        one = letters(name, start, end)

        def encode(text):
            return [start, *one.encode(text).ids[: context - 2], end]

        golden = Reference(ROOT / "tests/golden/models" / name, encode, side)
        expected[name] = golden.expect(
            [("cat", None), ("dog", None), ("bat", "x"), ("bat", None)],
            [["a {}"], ["a {}", "{} b.", "my {}"], [f"{{}} {letter}" for letter in "abcdefghijklmnopqrst"]],
            ["a", "any", "one."],
            ["a cat", "dog", "dog, or cat and more"],
        )
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in expected.items())
    (HERE / "expected.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
