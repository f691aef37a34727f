"""Features of the training photographs, kept: `features(part, view)`.

View 0 is the shipped preprocessing; views 1 and on are seeded random crops, every other one mirrored.
usage: python photo_features.py [views] (resumes)
"""
import sys
import time

import numpy as np
from PIL import Image

from paths import CACHE, DATA, IMAGE, SEED
from photos import random_box, rows
from tower import BATCH, COMPONENTS, FEATURES, Encoder, make_basis, preprocess

CHUNK = 1024


def view_of(path, view, index):
    """(260, 260, 3) uint8."""
    image = Image.open(DATA / "photos" / path).convert("RGB")
    if view == 0:
        return preprocess(image)
    rng = np.random.default_rng((SEED, view, index))
    box = random_box(rng, image.height, image.width, scale=(0.35, 1.0))
    x = np.asarray(image.resize((IMAGE, IMAGE), Image.Resampling.BICUBIC, box=box))
    return x[:, ::-1] if rng.random() < 0.5 else x


def for_basis():
    """The images that the basis is fitted on."""
    items = rows("train")
    return [view_of(items[i][0], 1, i) for i in range(0, len(items), len(items) // 400)]


def files(part, view):
    count = len(rows(part))
    return [(CACHE / "photos" / f"{part}-{view}-{s // CHUNK:03d}.npz", range(s, min(count, s + CHUNK))) for s in range(0, count, CHUNK)]


def features(part, view):
    """pooled (n, 1280) float16 in the order of `photos.rows(part)`."""
    return np.concatenate([np.load(f)["pooled"] for f, _ in files(part, view)])


def tokens(part, view=0):
    """(n, 81, 256) float16, of view 0."""
    return np.concatenate([np.load(f)["tokens"] for f, _ in files(part, view)])


def main(views):
    (CACHE / "photos").mkdir(parents=True, exist_ok=True)
    encoder = Encoder()
    if not (CACHE / "basis.npz").exists():
        make_basis(encoder, for_basis())
    for view in range(views):
        for part in ("train", "val"):
            if part == "val" and view:
                continue
            items = rows(part)
            for target, which in files(part, view):
                if target.exists():
                    continue
                t = time.time()
                pooled = np.zeros((len(which), FEATURES), np.float16)
                maps = np.zeros((len(which), 81, COMPONENTS), np.float16)
                for s in range(0, len(which), BATCH):
                    images = np.stack([view_of(items[i][0], view, i) for i in which[s:s + BATCH]])
                    p, m = encoder.encode(images, tokens=view == 0)
                    pooled[s:s + len(images)] = p
                    if m is not None:
                        maps[s:s + len(images)] = m
                kept = {"pooled": pooled, **({"tokens": maps} if view == 0 else {})}
                np.savez(target.with_suffix(".tmp.npz"), **kept)
                target.with_suffix(".tmp.npz").rename(target)
                print(part, view, target.name, f"{time.time() - t:.0f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
