"""What CLIP Interrogator makes of features: expected.json beside this file.

Run it from the repository root, with the packages of tests/golden/requirements.txt and the reference:

    pip install --no-deps clip-interrogator==0.6.0 && python tests/golden/interrogator/make.py

The reference runs as it is published, over models that are handed to it, and with captions and features of pictures that are
given; of what it imports, open_clip is replaced. The models are:

  words      not a network: every word has a vector that its letters decide, and a text is the sum of its words', those that
             come later less. 77 tokens, so that chains are long; ranked in small chunks, too
  clip-tiny  tests/golden/trained/clip-tiny as transformers runs it: 32 tokens, so that prompts are cut

Decisions that hang on less than MARGIN would prove nothing, or fail where sums are rounded otherwise; there are none.
"""

import json
import math
import re
import sys
import tempfile
import types
from pathlib import Path

import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import CLIPModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PICTURES = ["fluent-emoji-butterfly", "noto-rocket", "twemoji-pizza"]
DIMENSIONS = 24
MARGIN = 2e-6
ALL = ["best", "fast", "classic", "negative"]

LISTS = {
    "mediums": "a photo, a drawing, an icon, a sketch, a painting of animals, a sticker, a 3d render, a clipart",
    "artists": "hokusai, rembrandt, paul klimt, john tenniel, vermeer, maria merian, odilon redon, beatrix cat, gustave doré",
    "movements": "pop art, realism, ukiyo-e, art deco, flat design, cubism, pixel art, folk art, rococo",
    "sites": "artstation, pixiv, flickr, behance hd",
    "flavors": "red and white, sharp focus, a cat, wings, flying, food, cheese, space, rocket, butterfly, blue, orange, flames, "
    "on white background, symmetrical, close-up, no outlines, glossy, tomato, insect, night sky, smoke, slice, triangle, "
    "technical drawing, toy, cute, dark, bright, fire, moon, planet, vegetable, fruit, flower, leaf, tree, water, sea, hot, "
    "bird, moth, pepperoni, launch, steel, windows, pattern, pixel art, vector art, high contrast, highly detailed, retro, "
    "from above, from the side, in motion, melting, spots, stripes, round, square, isometric, minimal, crowded, golden hour",
    "negative": "blurry, watermark, bad anatomy, cropped, text, ugly, cat ears, dog",
}  # fmt: skip
LISTS = {name: terms.split(", ") for name, terms in LISTS.items()}


def stub_open_clip():
    """What the reference imports of it: the tokenizer, which each model brings."""
    module = types.ModuleType("open_clip")
    module.get_tokenizer = lambda name: module.tokenizer
    sys.modules["open_clip"] = module
    return module


open_clip = stub_open_clip()
from clip_interrogator import Config, Interrogator  # noqa: E402
from clip_interrogator.clip_interrogator import LabelTable, _merge_tables  # noqa: E402


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def vector(word):
    """Numbers from -1 to 1 by splitmix64 from the word's hash: 24 bits each, so that f32 has them exactly."""
    state, numbers = fnv1a(word), []
    for _ in range(DIMENSIONS):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        numbers.append(((z ^ (z >> 31)) >> 40) / 2**23 - 1)
    return numbers


class Words(torch.nn.Module):
    """A text is a bag of words; one at the place i counts 1 - i / 128."""

    context = 77

    def __init__(self):
        super().__init__()
        self.words = ["", "<start>", "<end>"]

    def tokenize(self, texts):
        rows = torch.zeros(len(texts), self.context, dtype=torch.long)
        for row, text in zip(rows, texts):
            ids = [self.id(word) for word in re.findall(r"[^\s,]+|,", text)]
            ids = [1, *ids[: self.context - 2], 2]
            row[: len(ids)] = torch.tensor(ids)
        return rows

    def id(self, word):
        if word not in self.words:
            self.words.append(word)
        return self.words.index(word)

    def encode_text(self, rows):
        features = []
        for row in rows.tolist():
            words = [self.words[id] for id in row if id > 2]
            sums = [0.0] * DIMENSIONS
            for place, word in enumerate(words):
                sums = [x + y * (1 - place / 128) for x, y in zip(sums, vector(word))]
            length = math.sqrt(sum(x * x for x in sums))
            features.append([x / length for x in sums])
        return torch.tensor(features, dtype=torch.float32)


class Clip(torch.nn.Module):
    """A model of transformers behind the calls of open_clip."""

    def __init__(self, folder):
        super().__init__()
        self.model = CLIPModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.context = self.model.config.text_config.max_position_embeddings
        self.end = self.model.config.text_config.eos_token_id

    def tokenize(self, texts):
        rows = torch.zeros(len(texts), self.context, dtype=torch.long)
        for row, text in zip(rows, texts):
            ids = self.tokenizer.encode(str(text)).ids
            if len(ids) > self.context:
                ids = [*ids[: self.context - 1], self.end]
            row[: len(ids)] = torch.tensor(ids)
        return rows

    @torch.no_grad()
    def encode_text(self, rows):
        # What follows the end token changes nothing.
        return self.model.text_projection(self.model.text_model(input_ids=rows).pooler_output)

    @torch.no_grad()
    def encode_image(self, image):
        size = self.model.config.vision_config.image_size
        processor = CLIPImageProcessorPil(
            size={"shortest_edge": size}, crop_size={"height": size, "width": size}
        )
        pixels = processor(image, return_tensors="pt")["pixel_values"]
        features = self.model.visual_projection(self.model.vision_model(pixel_values=pixels).pooler_output)
        return features / features.norm(dim=-1, keepdim=True)


class Reference(Interrogator):
    """The reference over a model, which remembers how close its decisions were."""

    def __init__(self, model, **settings):
        open_clip.tokenizer = model.tokenize
        with tempfile.TemporaryDirectory() as folder:
            for name, terms in LISTS.items():
                (Path(folder) / f"{name}.txt").write_text("\n".join(terms) + "\n", encoding="utf-8")
            config = Config(
                caption_model_name=None, cache_path=None, data_path=folder, device="cpu", quiet=True, **settings
            )
            config.clip_model, config.clip_preprocess = model, None
            super().__init__(config)
        sites = LISTS["sites"]
        forms = [sites, *([f"{before}{site}{after}" for site in sites]
                          for before, after in [("trending on ", ""), ("featured on ", ""), ("", " contest winner")])]
        self.trendings = LabelTable(sum(forms, []), None, self)
        self.margin = math.inf

    def image_to_features(self, image):
        return image

    def rank_top(self, image_features, text_array, reverse=False):
        fits = sorted(super().similarities(image_features, text_array), reverse=not reverse)
        if len(fits) > 1:
            self.margin = min(self.margin, abs(fits[0] - fits[1]))
        return super().rank_top(image_features, text_array, reverse)

    def similarity(self, image_features, text):
        found = super().similarity(image_features, text)
        self.margin = min([self.margin, *(abs(abs(found) - abs(other)) for other in self.met)])
        self.met.append(found)
        return found

    def tops(self, features):
        """All terms in the order in which they fit, in one chunk."""
        merged = _merge_tables([self.artists, self.flavors, self.mediums, self.movements, self.trendings], self)
        embeds = torch.tensor([embed.tolist() for embed in merged.embeds])
        fits = (embeds @ features[0]).sort(descending=True)
        order = [merged.labels[i] for i in fits.indices]
        gaps = zip((fits.values[:-1] - fits.values[1:]).tolist(), order[:40], order[1:])
        # A term of two lists is there twice.
        self.margin = min([self.margin, *(gap for gap, term, other in gaps if term != other)])
        return order

    def run(self, mode, features, caption, least, most):
        self.met = []
        most = {} if most is None else {"max_flavors": most}
        if mode == "negative":
            return self.interrogate_negative(features, **most)
        if mode == "best":
            return self.interrogate(features, min_flavors=least, caption=caption, **most)
        return getattr(self, f"interrogate_{mode}")(features, caption=caption, **most)


def on_white(path):
    """The picture as RGB, transparency over white."""
    image = Image.open(path).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def cases(model, images, captions, kinds):
    found = []
    for modes, chunk, shortlist, least, most in kinds:
        reference = Reference(model, chunk_size=chunk, flavor_intermediate_count=shortlist)
        for image, (features, caption) in enumerate(zip(images, captions)):
            for mode in modes:
                prompt = reference.run(mode, features, caption, least, most)
                similarity = Interrogator.similarity(reference, features, prompt)
                # What negative prompts have at least is the reference's own default.
                given = {"mode": mode, "chunk": chunk, "shortlist": shortlist,
                         "min": 8 if mode == "negative" else least, "max": most}  # fmt: skip
                found.append({**given, "image": image, "caption": "" if mode == "negative" else caption,
                              "prompt": prompt, "similarity": similarity})  # fmt: skip
        print(modes, chunk, shortlist, "margin", reference.margin)
        assert reference.margin > MARGIN
    reference = Reference(model)
    tops = [reference.tops(features)[:40] for features in images]
    assert reference.margin > MARGIN, reference.margin
    return {"images": [features[0].tolist() for features in images], "tops": tops, "cases": found}


def main():
    torch.manual_seed(0)
    words, clip = Words(), Clip(ROOT / "tests/golden/trained/clip-tiny")
    images = [torch.tensor([vector(f"image {i}")]) for i in range(3)]
    images = [image / image.norm(dim=-1, keepdim=True) for image in images]
    captions = ["a cat and a dog on a table", "a painting of animals in the night", "rockets, and more of them"]
    kinds = [(ALL, 2048, 2048, 8, None), (ALL, 2048, 20, 2, 5), (ALL, 16, 24, 0, 12)]
    of_words = cases(words, images, captions, kinds)
    images = [clip.encode_image(on_white(ROOT / f"tests/images/drawings/{name}.png")) for name in PICTURES]
    captions = ["a butterfly", "a rocket in space", "a slice of pizza, on a table"]
    # Longer chains would reach the end of the context, where terms are cut off and fit as well as each other: which of
    # these the reference takes is chance.
    kinds = [(["fast", "classic"], 2048, 2048, 8, None), (ALL, 2048, 2048, 2, 3), (ALL, 64, 30, 0, 4)]
    of_clip = cases(clip, images, captions, kinds)
    expected = {"lists": LISTS, "models": {"words": of_words, "clip-tiny": of_clip}}
    text = json.dumps(expected, ensure_ascii=False, separators=(",", ":"))
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
