"""Measure the matching and contrastive heads of the exported captioner, through transformers.

usage: python evaluate_matching.py [--part test|val] [--folder ../pkg/models/blip-tiny] [--scenes 400]

1. photographs: ITC's top-1 among the 159 labels, and ITM's among ITC's best 16; ITM on the true
   label's sentence against another label's, at random or nearest by ITC ("a photo of a {}").
2. composed scenes never seen: ITM on the true sentence against the one with a thing, the ground's
   colour, the relation or the number exchanged.
3. captions: greedy against the best by ITM of 8 that nucleus sampling (0.9) gives.
An accuracy is balanced: the mean of the shares of true sentences that match and of wrong ones that do
not, at a probability of one half. A choice is the share in which the true sentence has more than the wrong one.
Training makes its choices on `--part val`: the validation photographs, and other scenes.
"""
import argparse
import json

import numpy as np
import torch
from PIL import Image

from matching import image_vectors, matched, text_vectors
from measured import EVAL_SEED, SCENE_SEED, chunks, composed, named, rounded
from paths import DATA, MODELS
from photos import labels as photo_labels
from photos import rows
from reference import TEMPLATE, Captioner, image_processor
from sentences import exchanged, parse, sentence
from texts import icons

SHORTLIST = 16
SAMPLES = 8
SEEDS = {"test": (EVAL_SEED, SCENE_SEED), "val": (EVAL_SEED + 10, EVAL_SEED + 11)}


class Heads:
    """BlipForImageTextRetrieval over an exported folder."""

    def __init__(self, folder):
        from transformers import AutoTokenizer, BlipForImageTextRetrieval
        self.model = BlipForImageTextRetrieval.from_pretrained(folder, dtype=torch.float32).eval()
        self.processor = image_processor(folder, "BlipImageProcessor")
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def ids(self, sentences):
        return self.tokenizer(list(sentences), padding=True, truncation=True, max_length=32, return_tensors="pt")["input_ids"]

    @torch.inference_mode()
    def states(self, images):
        """(B, tokens, D) of PIL images."""
        x = (self.processor([im.convert("RGB") for im in part], return_tensors="pt")["pixel_values"] for part in chunks(images))
        return torch.cat([self.model.vision_model(pixel_values=p).last_hidden_state for p in x])

    @torch.inference_mode()
    def match(self, states, sentences):
        """(N,) probabilities that image k and sentence k match."""
        parts = chunks(np.arange(len(sentences)), 256)
        return torch.cat([matched(self.model, states[p], self.ids([sentences[k] for k in p])).softmax(1)[:, 1] for p in parts]).numpy()

    @torch.inference_mode()
    def similarity(self, states, sentences):
        """(B, L) cosines."""
        return (image_vectors(self.model, states) @ text_vectors(self.model, self.ids(sentences)).T).numpy()


def against(true, wrong):
    """Balanced accuracy at one half, and the share in which the true sentence is the likelier one."""
    return {"accuracy": (np.mean(true > 0.5) + np.mean(wrong <= 0.5)) / 2, "choice": np.mean(true > wrong)}


def photographs(heads, part, seed):
    """ITC and ITM on the labels of photographs."""
    names, items = photo_labels(), rows(part)
    y, n = np.array([names.index(label) for _, label in items]), len(items)
    states = torch.cat([heads.states([Image.open(DATA / "photos" / p) for p, _ in c]) for c in chunks(items)])
    texts = [TEMPLATE.format(name) for name in names]
    s = heads.similarity(states, texts)
    best = np.argsort(-s, 1, kind="stable")
    rng = np.random.default_rng(seed)
    random = (y + rng.integers(1, len(names), n)) % len(names)
    hard = np.where(best[:, 0] == y, best[:, 1], best[:, 0])
    p = {k: heads.match(states, [texts[i] for i in of]) for k, of in (("true", y), ("random", random), ("hard", hard))}
    short = best[:, :SHORTLIST]
    again = heads.match(states.repeat_interleave(SHORTLIST, 0), [texts[i] for i in short.reshape(-1)]).reshape(n, SHORTLIST)
    first = short[np.arange(n), again.argmax(1)]
    return {"photos": n, "itc_top1": np.mean(best[:, 0] == y), "itc_top5": np.mean((best[:, :5] == y[:, None]).any(1)),
            "itc_best16": np.mean((short == y[:, None]).any(1)), "itm_of_best16_top1": np.mean(first == y),
            "random label": against(p["true"], p["random"]), "hard label": against(p["true"], p["hard"])}


def scenes(heads, made, states, seed):
    """ITM on sentences with one part exchanged."""
    rng = np.random.default_rng(seed)
    drawn = sorted(set(icons().values()))
    told = [parse(caption, names) for _, caption, names in made]
    out = {"scenes": len(made)}
    for part in ("thing", "ground", "relation", "number"):
        wrong = [exchanged(s, part, rng, lambda name: drawn[rng.integers(len(drawn))]) for s in told]
        of = [k for k, s in enumerate(wrong) if s]
        true = heads.match(states[of], [made[k][1] for k in of])
        out[f"{part} exchanged"] = {"scenes": len(of), **against(true, heads.match(states[of], [sentence(wrong[k]) for k in of]))}
    return out


def share(caption, names):
    """Share of the things that a caption names."""
    return np.mean([named(caption, name) for name in names])


def best_of(heads, captioner, images, states, names, seed):
    """Things named by the greedy caption, and by the likeliest of the sampled ones."""
    torch.manual_seed(seed)
    greedy = [c for part in chunks(images, 32) for c in captioner.captions(part)]
    sampled = np.array([c for part in chunks(images, 32) for c in captioner.sampled(part, SAMPLES)], dtype=object)
    p = heads.match(states.repeat_interleave(SAMPLES, 0), list(sampled.reshape(-1))).reshape(sampled.shape)
    said = {"greedy": greedy, "best of 8": sampled[np.arange(len(images)), p.argmax(1)], "first of 8": sampled[:, 0]}
    shares = {k: np.array([share(c, n) for c, n in zip(v, names)]) for k, v in said.items()}
    shares["most of 8 (knowing the truth)"] = np.array([max(share(c, n) for c in row) for row, n in zip(sampled, names)])
    return {"images": len(images), **{k: {"things_named": v.mean(), "every_thing_named": np.mean(v == 1)} for k, v in shares.items()}}


def measure(folder, part="test", n_scenes=400, n_photos=600):
    """All figures of an exported folder."""
    heads, captioner = Heads(folder), Captioner(folder)
    seed, scene_seed = SEEDS[part]
    result = {"matching of photographs": photographs(heads, part, seed)}
    made = composed(n_scenes, scene_seed)
    images = [m[0] for m in made]
    states = heads.states(images)
    result["matching of scenes"] = scenes(heads, made, states, seed)
    result["sampled captions of scenes"] = best_of(heads, captioner, images, states, [m[2] for m in made], seed)
    items = rows(part)
    items = [items[i] for i in np.random.default_rng(seed).permutation(len(items))[:n_photos]]
    images = [Image.open(DATA / "photos" / p) for p, _ in items]
    result["sampled captions of photographs"] = best_of(heads, captioner, images, heads.states(images), [[x] for _, x in items], seed)
    return result


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--part", default="test", choices=list(SEEDS))
    ap.add_argument("--folder", default=MODELS / "blip-tiny")
    ap.add_argument("--scenes", type=int, default=400)
    args = ap.parse_args()
    print(json.dumps(rounded(measure(args.folder, args.part, args.scenes)), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
