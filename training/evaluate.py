"""Measure the exported models (pkg/models) against the floors, through transformers.

usage: python evaluate.py [--scenes 400] [--limit N photos]

1. photographs: zero-shot top-1 and top-5 on the test part, 159 labels, "a photo of a {}".
2. drawings in the four training styles, each changed in ways that training never does:
   perspective or wave distortion, then one of pixelation, JPEG artefacts, sepia,
   salt-and-pepper dots, on plain or striped or chequered grounds. Seeded.
3. the style never seen (openmoji), on white, top-5.
4. captions of composed scenes never seen: share in which every thing is named.
5. the captioner's matching heads: see evaluate_matching.py.
Choices in 2 and 3 are all drawings' names; the figures among all labels are printed too.
"""
import argparse
import io
import json

import numpy as np
from PIL import Image

import evaluate_matching
from drawings import TRAIN_STYLES, UNSEEN_STYLE, load
from measured import EVAL_SEED, SCENE_SEED, chunks, composed, named, on_ground, pil, rounded, tidy
from paths import DATA, MODELS
from photos import labels as photo_labels
from photos import rows
from reference import TEMPLATE, Captioner, Tagger
from texts import icons, label_texts


def embed(tagger, images):
    return np.concatenate([tagger.images(c).numpy() for c in chunks(images)])


def ranks(e, t, y):
    """Rank (0 = best) of the right text for every image."""
    s = e @ t.T
    return (s > s[np.arange(len(y)), y][:, None]).sum(1)


def photographs(tagger, limit):
    names = photo_labels()
    items = rows("test")
    if limit:
        items = [items[i] for i in np.random.default_rng(EVAL_SEED).permutation(len(items))[:limit]]
    t = tagger.texts([TEMPLATE.format(n) for n in names]).numpy()
    e = np.concatenate([tagger.images([Image.open(DATA / "photos" / p) for p, _ in c]).numpy() for c in chunks(items)])
    y = np.array([names.index(label) for _, label in items])
    r = ranks(e, t, y)
    per = [np.mean(r[y == k] == 0) for k in sorted(set(y))]
    return {"photos": len(y), "top1": np.mean(r == 0), "top5": np.mean(r < 5), "top1_mean_over_labels": np.mean(per)}


def changed(rgba, rng):
    """An RGB image of a drawing under changes that training never makes."""
    s = 160
    im = Image.new("RGBA", (s, s))
    side = int(s * rng.uniform(0.7, 0.95))
    im.paste(rgba.resize((side, side), Image.Resampling.BICUBIC), ((s - side) // 2, (s - side) // 2))
    if rng.random() < 0.5:  # perspective: the corners move by up to 15 %
        d = rng.uniform(-0.15, 0.15, (4, 2)) * s
        src = np.array([[0, 0], [s, 0], [s, s], [0, s]]) + d
        rows_ = []
        for (u, v), (x, y) in zip([(0, 0), (s, 0), (s, s), (0, s)], src):
            rows_ += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        coef = np.linalg.solve(np.array(rows_, float), src.reshape(-1))
        im = im.transform((s, s), Image.Transform.PERSPECTIVE, tuple(coef), Image.Resampling.BICUBIC)
    else:  # waves
        a = np.asarray(im)
        amp, period, phase = rng.uniform(2, 5), rng.uniform(40, 90), rng.uniform(0, 6)
        shift = (amp * np.sin(np.arange(s) * 2 * np.pi / period + phase)).round().astype(int)
        a = np.stack([np.roll(a[i], shift[i], 0) for i in range(s)])
        im = Image.fromarray(a)
    yy, xx = np.mgrid[:s, :s]
    c1, c2 = rng.integers(150, 256, 3), rng.integers(150, 256, 3)
    kind = rng.integers(3)
    mask = [np.zeros((s, s)), ((xx + yy) // 12) % 2, ((xx // 16) + (yy // 16)) % 2][kind][..., None]
    out = on_ground(im, Image.fromarray((c1 * (1 - mask) + c2 * mask).astype(np.uint8)))
    kind = rng.integers(4)
    if kind == 0:
        out = out.resize((40, 40), Image.Resampling.BOX).resize((s, s), Image.Resampling.NEAREST)
    elif kind == 1:
        f = io.BytesIO()
        out.save(f, "JPEG", quality=18)
        out = Image.open(f).convert("RGB")
    elif kind == 2:
        g = np.asarray(out.convert("L"), float)[..., None]
        out = Image.fromarray((g * np.array([1.0, 0.86, 0.66])).astype(np.uint8))
    else:
        a = np.asarray(out).copy()
        dots = rng.random((s, s))
        a[dots < 0.02], a[dots > 0.98] = 0, 255
        out = Image.fromarray(a)
    return out


def drawings(tagger):
    every = label_texts()
    drawn = sorted(set(icons().values()))
    t_all = tagger.texts([TEMPLATE.format(n) for n in every]).numpy()
    t_drawn = t_all[[every.index(n) for n in drawn]]
    out = {}

    def score(key, images, y):
        e = embed(tagger, images)
        r = ranks(e, t_drawn, np.array([drawn.index(every[k]) for k in y]))
        ra = ranks(e, t_all, y)
        out[key] = {"images": len(y), "top1": np.mean(r == 0), "top5": np.mean(r < 5),
                    "top1_among_all_labels": np.mean(ra == 0), "top5_among_all_labels": np.mean(ra < 5)}

    white = Image.new("RGB", (128, 128), "white")
    px, y, style, _ = load(TRAIN_STYLES)
    rng = np.random.default_rng(EVAL_SEED)
    score("training styles, unseen changes", [changed(pil(p), rng) for p in px], y)
    score("training styles, plain on white", [on_ground(pil(p), white) for p in px], y)
    px, y, _, _ = load([UNSEEN_STYLE])
    score("unseen style (openmoji) on white", [on_ground(pil(p), white) for p in px], y)
    out["names"] = len(drawn)
    return out


def captions(captioner, n):
    made = composed(n, SCENE_SEED)
    said = [c for part in chunks([m[0] for m in made], 32) for c in captioner.captions(part)]
    all_named = [all(named(s, name) for name in m[2]) for s, m in zip(said, made)]
    out = {"scenes": n, "every_thing_named": np.mean(all_named),
           "exact_sentence": np.mean([tidy(s) == tidy(m[1]) for s, m in zip(said, made)]),
           "ground_right": np.mean([tidy(s).endswith(m[1].split(" on ")[-1]) for s, m in zip(said, made)])}
    for k in (1, 2, 3):
        of = [a for a, m in zip(all_named, made) if len(m[2]) == k]
        out[f"every_thing_named_{k}_kinds"] = np.mean(of)
    out["examples"] = [{"said": s, "true": m[1]} for s, m in list(zip(said, made))[:8]]
    return out


def photo_captions(captioner, n=600):
    items = rows("test")
    items = [items[i] for i in np.random.default_rng(EVAL_SEED).permutation(len(items))[:n]]
    said = [c for part in chunks(items, 32) for c in captioner.captions([Image.open(DATA / "photos" / p) for p, _ in part])]
    return {"photos": len(items), "label_named": np.mean([named(s, label) for s, (_, label) in zip(said, items)])}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--scenes", type=int, default=400)
    ap.add_argument("--limit", type=int, default=0, help="photos of the test part (0: all)")
    args = ap.parse_args()
    result = {}
    if (MODELS / "clip-tiny" / "model.safetensors").exists():
        tagger = Tagger()
        result["photographs"] = photographs(tagger, args.limit)
        result["drawings"] = drawings(tagger)
    if (MODELS / "blip-tiny" / "model.safetensors").exists():
        captioner = Captioner()
        result["captions of scenes"] = captions(captioner, args.scenes)
        result["captions of photographs"] = photo_captions(captioner)
        result.update(evaluate_matching.measure(MODELS / "blip-tiny"))
    print(json.dumps(rounded(result), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
