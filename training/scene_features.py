"""Features of composed scenes, kept: `scenes(chunks)`, `pooled()`.

Drawings as `scenes.layout` places them on plain grounds, and drawings and cut-out photographs on plain and natural grounds.
usage: python scene_features.py [chunks of 512] (resumes)
"""
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import augment as A
from drawings import MORE_STYLES, TRAIN_STYLES, load
from grounds import COLOURS, cut_out, main_colour, natural_pieces, spread
from paths import CACHE, IMAGE, RESIZE, SEED
from photos import Photos, labels
from scenes import GROUNDS, layout
from sentences import parse
from texts import label_texts
from tower import BATCH, COMPONENTS, FEATURES, Encoder

CHUNK, SIDE = 512, 192
NATURAL = {"grass": "on grass", "water": "in water", "sky": "in the sky"}
FOLDER = CACHE / "composed"
# names whose colour is worth saying
COLOURED = {"car", "bus", "truck", "t-shirt", "shirt", "dress", "skirt", "pants", "shorts", "hat", "shoes", "jacket", "umbrella", "balloon",
            "long sleeve shirt", "butterfly", "bird", "fish", "book", "chair", "cup", "bicycle", "rose", "tulip", "kite", "backpack",
            "handbag", "scarf", "gloves", "socks", "ball", "couch and lamp", "taxi", "pickup truck", "scooter", "gift", "bell",
            "telephone", "lollipop", "candy", "pepper", "apple", "grapes", "bikini", "kimono", "sari", "necktie", "coat", "flower"}


class Things:
    """What scenes are made of: drawings, and photographs in front of white cut out; names are indices into `label_texts()`."""

    def __init__(self):
        px, y, style, _ = load(TRAIN_STYLES + MORE_STYLES)
        photos, of = Photos("train"), label_texts()
        rng, cut, names = np.random.default_rng(SEED), [], []
        by_label = {}
        for i in rng.permutation(len(photos)):
            k = photos.y[i]
            if by_label.get(k, 0) >= 20:
                continue
            c = cut_out(photos[i])
            if c is not None:
                by_label[k] = by_label.get(k, 0) + 1
                h, w = c.shape[:2]
                s = max(h, w)
                square = np.zeros((s, s, 4), np.uint8)
                square[(s - h) // 2:(s - h) // 2 + h, (s - w) // 2:(s - w) // 2 + w] = c
                x = torch.from_numpy(square).permute(2, 0, 1)[None].float()
                cut.append(F.interpolate(x, size=(128, 128), mode="bilinear", antialias=True).round().byte()[0])
                names.append(k)
        self.px = torch.cat([px, torch.stack(cut)])
        self.half = F.avg_pool2d(self.px.float(), 2).round().byte()
        self.y = np.concatenate([y, names])
        self.drawn, self.texts = len(px), of
        main = style < len(TRAIN_STYLES)
        p = np.where(main, 0.9 / main.sum(), 0.1 / (~main).sum())
        self.p = np.cumsum(p / p.sum())
        weight = np.array([by_label[k] ** -0.6 for k in names])
        self.q = np.cumsum(weight / weight.sum())
        self.pieces = natural_pieces(photos)
        print(f"{len(px)} drawings, {len(cut)} cut out, pieces", {k: len(v) for k, v in self.pieces.items()}, flush=True)

    def pick(self, rng, photo=0.0):
        if rng.random() < photo:
            i = self.drawn + min(int(np.searchsorted(self.q, rng.random())), len(self.q) - 1)
        else:
            i = min(int(np.searchsorted(self.p, rng.random())), self.drawn - 1)
        return i, self.texts[self.y[i]]


def made(things, rng, n):
    """n scenes: (n, 260, 260, 3) uint8, their meanings, patch labels (n, 81), -1 for ground and -100 for unclear."""
    index, cx, cy, size, scene, order, meanings, ground = [], [], [], [], [], [], [], []
    for b in range(n):
        kind = rng.random()
        if kind < 0.62:
            places, caption, names, colour = layout(rng, lambda: things.pick(rng), 0.4)
        else:
            photo = 1.0 if rng.random() < 0.5 else 0.0
            places, caption, names, colour = layout(rng, lambda: things.pick(rng, photo), 0.7)
        meant = parse(caption, names)
        where = f"on a {meant.ground} ground".replace("a orange", "an orange")
        if kind > 0.72:
            piece = list(NATURAL)[rng.choice(3, p=[0.45, 0.3, 0.25])]
            pieces = things.pieces[piece]
            g, where = spread(pieces[rng.integers(len(pieces))], SIDE, rng), NATURAL[piece]
        else:
            g = np.broadcast_to(np.clip(np.array(colour) + rng.uniform(-15, 15, 3), 0, 255).astype(np.uint8), (SIDE, SIDE, 3))
        ground.append(np.array(g))
        meanings.append({"things": meant.things, "relation": meant.relation, "where": where, "colour": "",
                         "photo": bool(places[0][0] >= things.drawn)})
        for k, (i, x, y, s) in enumerate(places):
            index.append(i), cx.append(x), cy.append(y), size.append(s), scene.append(b), order.append(k)
    index, scene = np.array(index), torch.tensor(scene)
    layers = A.restyle(A.place(things.px, things.half, index, np.array(cx), np.array(cy), np.array(size), rot=12, side=SIDE), 0.1)
    for j in np.flatnonzero(np.isin([things.texts[k] for k in things.y[index]], list(COLOURED))):
        alone = (scene == scene[j]).sum() == 1
        if alone:
            inside = layers[j, 3] > 0.9
            rgb = (layers[j, :3][:, inside].T * 255).byte().numpy()
            meanings[int(scene[j])]["colour"] = main_colour(rgb)
    g = torch.from_numpy(np.stack(ground)).permute(0, 3, 1, 2).float() / 255
    x = A.compose(layers, scene, torch.tensor(order), g)
    x = A.photometry(x, grey=0.0, blur=0.03, erase=0) if rng.random() < 0.5 else x
    x = F.interpolate(x, size=(RESIZE, RESIZE), mode="bicubic", antialias=True).clamp(0, 1)
    e = (RESIZE - IMAGE) // 2
    x = (x[:, :, e:e + IMAGE, e:e + IMAGE] * 255).round().byte().permute(0, 2, 3, 1).numpy()
    c = SIDE * e // RESIZE
    area = F.adaptive_avg_pool2d(layers[:, 3:, c:SIDE - c, c:SIDE - c], 9).flatten(1)
    best, who = torch.zeros(n, 81), torch.full((n, 81), -1)
    for j, b in enumerate(scene.tolist()):
        more = area[j] > best[b]
        best[b], who[b] = torch.where(more, area[j], best[b]), torch.where(more, int(things.y[index[j]]), who[b])
    who[best < 0.3] = -100
    who[best < 0.03] = -1
    return x, meanings, who.numpy().astype(np.int16)


def pooled():
    """(n, 1280) float16 of the finished chunks: what the tagger sees of them."""
    return np.concatenate([np.load(f)["pooled"] for f in sorted(FOLDER.glob("[0-9][0-9].npz"))])


def scenes(chunks=None):
    """tokens (n, 81, 256) float16, meanings, patch labels (n, 81) of the finished chunks."""
    files = sorted(f for f in FOLDER.glob("[0-9][0-9].npz"))[:chunks]
    parts = [np.load(f) for f in files]
    meanings = [m for f in files for m in json.loads(f.with_suffix(".json").read_text())]
    return np.concatenate([p["tokens"] for p in parts]), meanings, np.concatenate([p["patches"] for p in parts])


def main(chunks):
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    things, encoder = Things(), Encoder()
    for k in range(chunks):
        target = FOLDER / f"{k:02d}.npz"
        if target.exists():
            continue
        t, rng = time.time(), np.random.default_rng((SEED, 61, k))
        torch.manual_seed(SEED + 61 + k)
        tokens, meanings, patches = np.zeros((CHUNK, 81, COMPONENTS), np.float16), [], np.zeros((CHUNK, 81), np.int16)
        pooled = np.zeros((CHUNK, FEATURES), np.float16)
        for s in range(0, CHUNK, BATCH):
            x, meant, who = made(things, rng, BATCH)
            pooled[s:s + BATCH], tokens[s:s + BATCH] = encoder.encode(x)
            patches[s:s + BATCH] = who
            meanings += meant
        target.with_suffix(".json").write_text(json.dumps(meanings))
        np.savez(target.with_suffix(".tmp.npz"), tokens=tokens, patches=patches, pooled=pooled)
        target.with_suffix(".tmp.npz").rename(target)
        print("chunk", k, f"{time.time() - t:.0f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 24)
