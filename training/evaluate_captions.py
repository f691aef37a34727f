"""Measure the captioner and its matching heads on validation photographs and composed scenes, from runs/caption (float32).

usage: python evaluate_captions.py [--part val|test] [--no-matching]
Prompts are simulated: what the tagger would say if it were always right, or right in 80 %, a name at random in the rest.
Names without pictures: every word of words.json, prompted before random photographs: the share of captions that name it.
"""
import argparse
import json
import re

import numpy as np
import torch

import words as W
from caption_tokenizer import tokenizer
from captioner import Captioner, Matcher, caption_state, image_vectors, text_vectors
from captions import facts, prompt
from knowledge import drawing_kinds
from matching import encode, scores
from measured import EVAL_SEED, SCENE_SEED, composed, named, rounded, tidy
from paths import CACHE, SEED
from photo_features import tokens
from photos import labels, rows
from sentences import exchanged, parse
from sentences import sentence as of_scene
from texts import icons
from tower import BATCH, Encoder, basis, preprocess

SEEDS = {"test": SCENE_SEED, "val": EVAL_SEED + 11}


class Shipped(torch.nn.Module):
    """Image tokens, decoder and heads of runs/caption; `states` takes components of the basis."""

    def __init__(self):
        super().__init__()
        state, _, _ = caption_state()
        self.captioner, self.matcher = Captioner(), Matcher()
        mean, components = (torch.from_numpy(v) for v in basis())
        t = state["image_tokens.projection.weight"]
        own = self.captioner.image_tokens
        part = lambda p: {k[len(p):]: v for k, v in state.items() if k.startswith(p)}
        own.load_state_dict({**part("image_tokens."), "scale": torch.ones(components.shape[1]), "projection.weight": t @ components,
                             "projection.bias": state["image_tokens.projection.bias"] + t @ mean})
        self.captioner.text_decoder.load_state_dict(part("text_decoder."))
        self.heads = any(k.startswith("itm_head.") for k in state)
        if self.heads:
            self.matcher.load_state_dict({k: v for k, v in state.items() if not k.startswith(("image_tokens.", "text_decoder."))}, strict=False)
        self.eval()

    @torch.inference_mode()
    def states(self, x):
        return self.captioner.image_tokens(torch.from_numpy(np.ascontiguousarray(x)))

    def said(self, x, prompts):
        tok = tokenizer()
        dec = tok.token_to_id("[DEC]")
        ids = [[dec, *tok.encode(p, add_special_tokens=False).ids] for p in prompts]
        return [c for s in range(0, len(ids), 128) for c in self.captioner.captions(self.states(x[s:s + 128]), ids[s:s + 128])]


def composed_tokens(n, seed):
    """Components (n, 81, 256) of `measured.composed`, kept, with captions and names."""
    made, file = composed(n, seed), CACHE / f"composed-{seed}-{n}.npy"
    if not file.exists():
        encoder = Encoder()
        np.save(file, np.concatenate([encoder.encode(np.stack([preprocess(m[0]) for m in made[s:s + BATCH]]))[1] for s in range(0, n, BATCH)]))
    return np.load(file), made


def words_of(word):
    kind = W.kind(word)
    return [word, *([kind] if kind else [])]


def photographs(model, part):
    x, names = tokens(part), [label for _, label in rows(part)]
    rng = np.random.default_rng(EVAL_SEED)
    pool = W.prompted()
    perfect = [W.spoken(n) for n in names]
    noisy = [w if rng.random() < 0.8 else pool[rng.integers(len(pool))] for w in perfect]
    out = {"photos": len(names)}
    any_named = lambda caption, label: any(named(caption, n) for n in W.accepted(label))
    true = facts(part)
    for key, prompts in (("perfect words", [prompt(words_of(w)) for w in perfect]), ("80 % right words", [prompt(words_of(w)) for w in noisy]),
                         ("no word is sure", [": "] * len(names)), ("no tagger", [""] * len(names))):
        said = model.said(x, prompts)
        ground = lambda c: next((g for g in re.findall(r"(?:on|in) (?:a \w+ ground|an \w+ ground|grass|water|the sky)", c)), "")
        tells = np.array([ground(c) != "" for c in said])
        known = np.array([bool(w) for w, _ in true])
        agree = np.array([ground(c) == w for c, (w, _) in zip(said, true)])
        out[key] = {"label named": np.mean([any_named(c, n) for c, n in zip(said, names)]), "ground told": tells.mean(),
                    "ground told where pixels prove one": tells[known].mean(), "right there, if told": agree[known & tells].mean(),
                    "told where pixels prove none": tells[~known].mean(), "examples": [f"{n}: {c}" for n, c in list(zip(names, said))[3::len(said) // 14]]}
    return out


def copied(model, part):
    x = tokens(part)
    rng = np.random.default_rng(EVAL_SEED + 1)
    pool = list(W.prompted())
    at = rng.integers(len(x), size=len(pool))
    said = model.said(x[at], [prompt(words_of(w)) for w in pool])
    right = [named(c, w) or tidy(W.a(w)) in tidy(c) for c, w in zip(said, pool)]
    return {"words": len(pool), "named": np.mean(right), "with kind": np.mean([W.kind(w) in c for c, w in zip(said, pool) if W.kind(w)]),
            "wrong": [f"{w}: {c}" for w, c, r in zip(pool, said, right) if not r][:20], "examples": [f"{w}: {c}" for w, c in list(zip(pool, said))[::60]]}


def scenes(model, part, n):
    x, made = composed_tokens(n, SEEDS[part])
    rng = np.random.default_rng(EVAL_SEED + 2)
    tags = {k.key: k.tags for k in drawing_kinds()}
    tag = lambda name: (tags.get(name) or [W.spoken(name)])[0]
    pick = [m[2][rng.integers(len(m[2]))] for m in made]
    wrong = rng.random(n) < 0.4
    out = {"scenes": n}
    for key, prompts in (("no word is sure", [": "] * n), ("no tagger", [""] * n),
                         ("one right word", [prompt(words_of(tag(w))) for w in pick]),
                         ("60 % one right word, else none", [": " if bad else prompt(words_of(tag(w))) for w, bad in zip(pick, wrong)])):
        said = model.said(x, prompts)
        every = np.array([all(named(s, name) for name in m[2]) for s, m in zip(said, made)])
        out[key] = {"every thing named": every.mean(), **{f"of {k}": every[[len(m[2]) == k for m in made]].mean() for k in (1, 2, 3)},
                    "things named": np.mean([named(s, name) for s, m in zip(said, made) for name in m[2]]),
                    "ground right": np.mean([tidy(s).endswith(m[1].split(" on ")[-1]) for s, m in zip(said, made)]),
                    "sentence exact": np.mean([tidy(s) == tidy(m[1]) for s, m in zip(said, made)]),
                    "examples": [f"{m[1]} | {s}" for s, m in list(zip(said, made))[:8]]}
    return out



def against(true, wrong):
    return {"accuracy": (np.mean(true > 0.5) + np.mean(wrong <= 0.5)) / 2, "choice": np.mean(true > wrong)}


@torch.inference_mode()
def matching(model, part, n_scenes):
    tok, rng = tokenizer(), np.random.default_rng(EVAL_SEED)
    p = lambda x, texts: torch.cat([scores(model.matcher, model.states(x[s:s + 64]), [[t] for t in texts[s:s + 64]], tok)[:, 0].softmax(1)[:, 1]
                                    for s in range(0, len(texts), 64)]).numpy()
    names, x = labels(), tokens(part)
    y = np.array([names.index(label) for _, label in rows(part)])
    said = [f"a photo of {W.a(W.spoken(n))}" for n in names]
    other = (y + rng.integers(1, len(names), len(y))) % len(names)
    for k in range(len(y)):
        while W.spoken(names[other[k]]) == W.spoken(names[y[k]]):
            other[k] = rng.integers(len(names))
    t = text_vectors(model.matcher, encode(tok, said))
    s = torch.cat([image_vectors(model.matcher, model.states(x[k:k + 128])) @ t.T for k in range(0, len(x), 128)])
    first = np.array([W.spoken(names[k]) == W.spoken(names[j]) for k, j in zip(s.argmax(1).tolist(), y)])
    true = p(x, [said[k] for k in y])
    out = {"photos: itc first of 159": first.mean(), "photos: random label": against(true, p(x, [said[k] for k in other]))}
    far = p(x, [f"{said[k]} on a road" for k in y])
    out["photos: with 'on a road'"] = {"mean of the true sentence": true.mean(), "with it": far.mean(), "under 1 % though over 50 % without": np.mean((far < 0.01) & (true > 0.5))}
    x, made = composed_tokens(n_scenes, SEEDS[part])
    drawn = sorted(set(icons().values()))
    told = [parse(caption, things) for _, caption, things in made]
    for what in ("thing", "ground", "relation", "number"):
        wrong = [exchanged(s, what, rng, lambda name: drawn[rng.integers(len(drawn))]) for s in told]
        of = [k for k, s in enumerate(wrong) if s]
        out[f"scenes: {what} exchanged"] = {"scenes": len(of), **against(p(x[of], [made[k][1] for k in of]), p(x[of], [of_scene(wrong[k]) for k in of]))}
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--part", default="val", choices=list(SEEDS))
    ap.add_argument("--scenes", type=int, default=400)
    ap.add_argument("--no-matching", action="store_true")
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    model = Shipped()
    out = {"captions of photographs": photographs(model, args.part), "words without pictures": copied(model, args.part),
           "captions of scenes": scenes(model, args.part, args.scenes)}
    if model.heads and not args.no_matching:
        out["matching"] = matching(model, args.part, args.scenes)
    print(json.dumps(rounded(out), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
