"""Training batches: photographs at the teacher's views, single drawings, captioned scenes."""
import functools
import queue
import threading

import numpy as np
import torch

import augment as A
from drawings import MORE_STYLES, TRAIN_STYLES, load
from paths import CACHE, IMAGE
from photos import Photos, crop
from scenes import layout
from texts import label_texts


class Photographs:
    """Random photos at their cached views: (x (B, 3, S, S) in [0, 1], label, teacher logits, teacher features)."""

    def __init__(self):
        self.photos = Photos("train")
        parts = [np.load(f) for f in sorted(CACHE.glob("teacher-train-*.npz"))]
        self.boxes = np.stack([p["boxes"] for p in parts])
        self.features = np.stack([p["features"] for p in parts])
        sample = self.features[0][::7].astype(np.float32)
        self.mean, self.std = sample.mean(0), sample.std(0) + 1e-2
        self.logits = np.load(CACHE / "teacher-logits.npy")
        self.views = len(parts)
        count = np.bincount(self.photos.y, minlength=159)
        weight = (np.maximum(count, 1) ** -0.25)[self.photos.y]  # mild balancing of the labels
        self.p = weight / weight.sum()

    def batch(self, rng, n):
        index = rng.choice(len(self.photos), n, p=self.p)
        view = rng.integers(self.views, size=n)
        x = np.empty((n, IMAGE, IMAGE, 3), np.uint8)
        for j in range(n):
            x[j] = crop(self.photos[index[j]], tuple(self.boxes[view[j], index[j]]), IMAGE, rng.random() < 0.5)
        f = (self.features[view, index].astype(np.float32) - self.mean) / self.std
        return (torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(self.photos.y[index]),
                torch.from_numpy(self.logits[view, index].astype(np.float32)), torch.from_numpy(f))


class Drawn:
    """Drawings and scenes. The four training styles get `share` of the picks."""

    def __init__(self, share=0.65):
        self.px, self.y, self.style, _ = load(TRAIN_STYLES + MORE_STYLES)
        self.half = torch.nn.functional.avg_pool2d(self.px.float(), 2).round().byte()
        self.texts = label_texts()
        main = self.style < len(TRAIN_STYLES)
        p = np.where(main, share / main.sum(), (1 - share) / max(1, (~main).sum()))
        self.p = np.cumsum(p / p.sum())

    @functools.cached_property
    def features(self):
        """The teacher's features of the unchanged drawings; who composes scenes alone needs no teacher."""
        f = np.load(CACHE / "teacher-drawings.npy").astype(np.float32)
        assert len(f) == len(self.y), "the drawings have changed: delete teacher-drawings.npy and run teacher.py"
        return (f - f.mean(0)) / (f.std(0) + 1e-2)

    def pick(self, rng):
        i = min(int(np.searchsorted(self.p, rng.random())), len(self.y) - 1)
        return i, self.texts[self.y[i]]

    def singles(self, rng, n, photos=None, strength=1.0):
        """x (n, 3, S, S), label (n,), patch labels (n, N), the teacher's features of the unchanged drawings (n, 1280)."""
        index = np.array([self.pick(rng)[0] for _ in range(n)])
        size = rng.uniform(0.85 - 0.35 * strength, 0.95 + 0.15 * strength, n)
        j = np.maximum(0.04, (1 - size) / 2)
        layers = A.restyle(A.place(self.px, self.half, index, 0.5 + rng.uniform(-j, j), 0.5 + rng.uniform(-j, j), size), strength)
        x = A.compose(layers, torch.arange(n), torch.zeros(n), A.grounds(n, photos))
        y = torch.from_numpy(self.y[index])
        return x, y, A.patch_labels(layers, torch.arange(n), y, n, len(self.texts)), torch.from_numpy(self.features[index])

    def scenes(self, rng, n, single=0.3, strength=0.7):
        """x (n, 3, S, S), captions, (n, L) target distribution over the labels, patch labels (n, N)."""
        index, cx, cy, size, scene, order, captions, colours = [], [], [], [], [], [], [], []
        target = torch.zeros(n, len(self.texts))
        for b in range(n):
            places, caption, names, colour = layout(rng, lambda: self.pick(rng), single)
            captions.append(caption)
            colours.append(colour)
            for k, (i, x, y, s) in enumerate(places):
                index.append(i), cx.append(x), cy.append(y), size.append(s), scene.append(b), order.append(k)
                target[b, self.y[i]] += 1 / len(places)
        index, size = np.array(index), np.array(size)
        layers = A.restyle(A.place(self.px, self.half, index, np.array(cx), np.array(cy), size, rot=12), strength)
        ground = torch.tensor(colours).float().view(n, 3, 1, 1) / 255 + (torch.rand(n, 3, 1, 1) - 0.5) * 0.12
        ground = ground.clamp(0, 1).repeat(1, 1, IMAGE, IMAGE)
        scene = torch.tensor(scene)
        x = A.compose(layers, scene, torch.tensor(order), ground)
        return x, captions, target, A.patch_labels(layers, scene, torch.from_numpy(self.y[index]), n, len(self.texts))


def prefetch(make, depth=2):
    """Run `make()` in a thread, a few batches ahead (PIL and torch release the GIL)."""
    q = queue.Queue(depth)

    def work():
        while True:
            try:
                q.put(make())
            except Exception as e:  # told where the batches are used, or training would wait for ever
                return q.put(e)

    threading.Thread(target=work, daemon=True).start()
    while True:
        batch = q.get()
        if isinstance(batch, Exception):
            raise batch
        yield batch
