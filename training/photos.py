"""Photographs: decoded once into one flat uint8 cache; splits; random crops.

`photos.csv` (path,label,split) has a train and a test part. A validation part
(7 % of every label, at least one photo) is carved out of train with a fixed
seed; the test part is never read by the training programs.
"""
import csv

import numpy as np
from PIL import Image

from paths import CACHE, DATA, IMAGE, SEED

VAL_SHARE = 0.07


def rows(part):
    """[(path, label)] of part "train", "val" or "test" of photos.csv."""
    with open(DATA / "photos.csv", newline="") as f:
        table = list(csv.DictReader(f))
    if part == "test":
        return [(r["path"], r["label"]) for r in table if r["split"] == "test"]
    rng = np.random.default_rng(SEED)
    by_label = {}
    for r in table:
        if r["split"] == "train":
            by_label.setdefault(r["label"], []).append((r["path"], r["label"]))
    out = []
    for label in sorted(by_label):
        items = sorted(by_label[label])
        order = rng.permutation(len(items))
        n_val = max(1, round(VAL_SHARE * len(items)))
        chosen = order[:n_val] if part == "val" else order[n_val:]
        out += [items[i] for i in sorted(chosen)]
    return out


def labels():
    """The 159 photo labels, sorted, exactly as photos.csv spells them."""
    with open(DATA / "photos.csv", newline="") as f:
        return sorted({r["label"] for r in csv.DictReader(f)})


class Photos:
    """All photos of one part in RAM: `self[i]` is an (H, W, 3) uint8 view."""

    def __init__(self, part):
        self.items = rows(part)
        names = labels()
        self.y = np.array([names.index(label) for _, label in self.items])
        flat, shapes = CACHE / f"photos-{part}.npy", CACHE / f"photos-{part}-shapes.npy"
        if not flat.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            arrays = [np.asarray(Image.open(DATA / "photos" / p).convert("RGB")) for p, _ in self.items]
            np.save(shapes, np.array([a.shape[:2] for a in arrays], dtype=np.int64))
            np.save(flat, np.concatenate([a.reshape(-1) for a in arrays]))
        self.flat = np.load(flat, mmap_mode="r")
        self.shapes = np.load(shapes)
        self.start = np.concatenate([[0], np.cumsum(self.shapes.prod(1) * 3)])

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        h, w = self.shapes[i]
        return self.flat[self.start[i]:self.start[i + 1]].reshape(h, w, 3)


def random_box(rng, h, w, scale=(0.3, 1.0), ratio=(0.75, 4 / 3)):
    """Box (left, top, right, bottom) of a random resized crop (Inception's recipe)."""
    for _ in range(10):
        area = h * w * rng.uniform(*scale)
        r = np.exp(rng.uniform(np.log(ratio[0]), np.log(ratio[1])))
        cw, ch = (area * r) ** 0.5, (area / r) ** 0.5
        if cw <= w and ch <= h:
            x, y = rng.uniform(0, w - cw), rng.uniform(0, h - ch)
            return x, y, x + cw, y + ch
    s = min(h, w)
    x, y = (w - s) / 2, (h - s) / 2
    return x, y, x + s, y + s


def centre_box(h, w):
    """The box that resize-shortest-edge plus centre crop keeps."""
    s = min(h, w)
    x, y = (w - s) // 2, (h - s) // 2
    return x, y, x + s, y + s


def crop(array, box, side=IMAGE, flip=False):
    """(side, side, 3) uint8: the box of an (H, W, 3) array, bicubic with antialiasing."""
    im = Image.fromarray(array).resize((side, side), Image.Resampling.BICUBIC, box=box)
    out = np.asarray(im)
    return out[:, ::-1] if flip else out
