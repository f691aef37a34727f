"""Pooled features of single drawings in many appearances, kept: `features(part)`.

Every appearance is a drawing of `drawings.load(TRAIN_STYLES + MORE_STYLES)`, turned, stretched, bent, set on a ground, and
mostly restyled or worn; see `augment.py` and `wear.py`. The first appearance of each is plain on white. The round after those
for training is for calibration: the main styles only, restyled but not worn, as most pictures are that people drop.
usage: python drawing_features.py (resumes; each round is every drawing once)
"""
import time

import numpy as np
import torch
import torch.nn.functional as F

import augment as A
import wear
from drawings import MORE_STYLES, TRAIN_STYLES, load
from paths import CACHE, IMAGE, SEED
from photos import Photos, centre_box, crop
from tower import BATCH, FEATURES, Encoder

TRAIN_ROUNDS = 4
SIDE = 160  # composed at this side, then enlarged as a small picture of a user's would be


def target(round_):
    return CACHE / "drawings" / f"appearances-{round_:02d}.npy"


def features(rounds=None):
    """pooled (rounds, N, 1280) float16 of all finished rounds, or of the first `rounds`."""
    done = sorted((CACHE / "drawings").glob("appearances-[0-9][0-9].npy"))
    return np.stack([np.load(f) for f in done[:rounds]])


def appearances(px, half, which, photos, rng, strength, worn=True):
    """(n, 260, 260, 3) uint8 of the drawings `which`."""
    n = len(which)
    if strength == 0:
        x = px[which].float() / 255
        x = F.pad(x[:, :3] * x[:, 3:] + 1 - x[:, 3:], (8, 8, 8, 8), value=1.0)
    else:
        size = rng.uniform(0.9 - 0.4 * strength, 1.0, n)
        j = np.maximum(0.03, (1 - size) / 2)
        layers = A.place(px, half, which, 0.5 + rng.uniform(-j, j), 0.5 + rng.uniform(-j, j), size, side=SIDE)
        layers = A.restyle(wear.bent(layers), strength)
        grounds = torch.from_numpy(np.stack([
            crop(photos[i], centre_box(*photos.shapes[i]), SIDE) for i in rng.integers(len(photos), size=4)])).permute(0, 3, 1, 2) / 255
        under = A.mix(A.grounds(n, grounds, SIDE), wear.patterned(n, SIDE), A.some(n, 0.25))
        x = A.compose(layers, torch.arange(n), torch.zeros(n), under)
        x = A.photometry(x) if rng.random() < 0.5 else x
        x = wear.worn(x) if worn else x
    x = F.interpolate(x, size=(IMAGE, IMAGE), mode="bicubic", antialias=True).clamp(0, 1)
    return (x * 255).round().byte().permute(0, 2, 3, 1).numpy()


def main():
    torch.set_num_threads(1)
    px, _, style, _ = load(TRAIN_STYLES + MORE_STYLES)
    half = F.avg_pool2d(px.float(), 2).round().byte()
    photos, encoder = Photos("train"), Encoder()
    for round_ in range(TRAIN_ROUNDS + 1):
        if target(round_).exists():
            continue
        t = time.time()
        rng = np.random.default_rng((SEED, round_))
        torch.manual_seed(SEED + round_)
        strength = 0.0 if round_ == 0 else float(min(0.9, 0.2 + 0.15 * round_))
        out = np.zeros((len(px), FEATURES), np.float16)
        training = round_ < TRAIN_ROUNDS
        chosen = np.arange(len(px)) if training else np.flatnonzero(style < len(TRAIN_STYLES))
        for s in range(0, len(chosen), BATCH):
            which = chosen[s:s + BATCH]
            out[which] = encoder.encode(appearances(px, half, which, photos, rng, strength, worn=training), tokens=False)[0]
        np.save(target(round_).with_suffix(".tmp.npy"), out)
        target(round_).with_suffix(".tmp.npy").rename(target(round_))
        print("round", round_, len(chosen), f"{time.time() - t:.0f} s", flush=True)


if __name__ == "__main__":
    main()
