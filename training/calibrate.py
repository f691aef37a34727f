"""Fit and measure "none of these" for the shipped tagger, through transformers.

usage: python calibrate.py [--limit 1000 test photos] [--write]

The tagger's background is the prompts of pkg/src/background.js. Its logit,

    scale * mean(cos(image, prompt)) + offset,

stands beside those of the labels. Of every photograph two lists of labels are made: N - 1 random other labels and its
own, and N random other labels. "None" should come first for the second list and not for the first.

1. On the validation part (photos.py): the mean against the maximum and the log-mean-exp of the prompts' logits, each
   with the offset that makes the two rates of errors, at 20 labels, smallest together. The mean's is the model's offset;
   --write puts it into the model's config.json, as `ocelli.none_offset`.
2. On a sample of the test part, with that offset: both rates, and the area under the ROC curve of the probability of
   "none", with 5, 20 and 100 labels, and for more than one template.
"""
import argparse
import json
import re

import numpy as np
from PIL import Image

from paths import DATA, MODELS, REPO, SEED
from photos import labels as photo_labels
from photos import rows
from reference import Tagger

LENGTH = 20
DRAWS = 5
FOLDER = MODELS / "clip-tiny"


def strings(path, name):
    """The strings of an array in a JavaScript file."""
    body = re.search(rf"\b{name} = Object\.freeze\(\[(.*?)\]", (REPO / path).read_text(), re.S)[1]
    return re.findall(r"'([^']+)'", body)


def classifier(tagger, names, templates):
    """(L, P) unit vectors: of each label the average over the templates."""
    mean = sum(tagger.texts([t.replace("{}", name) for name in names]).numpy() for t in templates)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def embed(tagger, items):
    images = [Image.open(DATA / "photos" / path) for path, _ in items]
    return np.concatenate([tagger.images(images[i:i + 64]).numpy() for i in range(0, len(images), 64)])


def lists(logits, y, length, draws):
    """Logits of lists with the right label and of lists without it: two arrays (draws * images, length)."""
    rng = np.random.default_rng(SEED)
    with_it, without = [], []
    for _ in range(draws):
        for row, right in zip(logits, y):
            others = np.delete(row, right)[rng.permutation(len(row) - 1)[:length]]
            without.append(others)
            with_it.append(np.append(others[1:], row[right]))
    return np.array(with_it), np.array(without)


def log_mean_exp(x):
    top = x.max(1)
    return top + np.log(np.exp(x - top[:, None]).mean(1))


LEVELS = {"mean": lambda x: x.mean(1), "maximum": lambda x: x.max(1), "log-mean-exp": log_mean_exp}


def none_probability(labels, background):
    """Softmax over the labels and the background."""
    top = np.maximum(labels.max(1), background)
    own = np.exp(background - top)
    return own / (own + np.exp(labels - top[:, None]).sum(1))


def auroc(positive, negative):
    """How often one of `positive` is larger than one of `negative`; equals count half."""
    ordered = np.sort(negative)
    below = (np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")) / 2
    return below.mean() / len(negative)


def measure(with_it, without, background):
    """`background` belongs to the images in order, draw after draw."""
    level = np.tile(background, len(with_it) // len(background))
    found = {
        "none_first_with_it": np.mean(with_it.max(1) < level),
        "none_first_without": np.mean(without.max(1) < level),
        "auroc": auroc(none_probability(without, level), none_probability(with_it, level)),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def errors(with_it, without, background):
    found = measure(with_it, without, background)
    return found["none_first_with_it"] + 1 - found["none_first_without"]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--limit", type=int, default=1000, help="photos of the test part (0: all)")
    ap.add_argument("--write", action="store_true", help="put the offset into config.json")
    args = ap.parse_args()

    tagger, names = Tagger(FOLDER), photo_labels()
    prompts = tagger.texts(strings("pkg/src/background.js", "BACKGROUND")).numpy()
    templates = {name: strings("pkg/src/templates.js", name) for name in ["simple", "imagenet7", "imagenet80"]}

    def right(items):
        return np.array([names.index(label) for _, label in items])

    items = rows("val")
    images = tagger.scale * embed(tagger, items)
    pair = lists(images @ classifier(tagger, names, templates["simple"]).T, right(items), LENGTH, DRAWS)
    result = {"validation": {"photos": len(items)}}
    offsets = {}
    for name, level in LEVELS.items():
        background = level(images @ prompts.T)
        grid = np.arange(-20, 20.05, 0.1)
        offset = offsets[name] = round(float(min(grid, key=lambda o: errors(*pair, background + o))), 1)
        result["validation"][name] = {"offset": offset, **measure(*pair, background + offset)}
    offset = offsets["mean"]

    items = rows("test")
    if args.limit:
        items = [items[i] for i in np.random.default_rng(SEED).permutation(len(items))[:args.limit]]
    images = tagger.scale * embed(tagger, items)
    background = LEVELS["mean"](images @ prompts.T) + offset
    result["test"] = {"photos": len(items), "offset": offset}
    for name in templates:
        logits = images @ classifier(tagger, names, templates[name]).T
        for length in [5, LENGTH, 100] if name == "simple" else [LENGTH]:
            pair = lists(logits, right(items), length, DRAWS)
            result["test"][f"{name}, {length} labels"] = measure(*pair, background)
    print(json.dumps(result, indent=2))

    if args.write:
        path = FOLDER / "config.json"
        config = json.loads(path.read_text()) | {"ocelli": {"none_offset": offset}}
        path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
