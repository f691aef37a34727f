"""Compose captioned scenes and photo crops once: CACHE/captioned-<k>.npy, .json.

usage: python cache_scenes.py [batches of 112 per file] [files]
Used by train_decoder.py, where composing on the fly would cost more than training.
"""
import json
import sys

import numpy as np
import torch

import augment as A
from batches import Drawn, Photographs
from paths import CACHE, SEED
from scenes import one
from texts import label_texts

N_PHOTO, N_SCENE = 24, 88


def main(batches=60, files=4):
    torch.set_num_threads(1)
    photos, drawn, names = Photographs(), Drawn(share=0.85), label_texts()
    for k in range(files):
        target = CACHE / f"captioned-{k}.npy"
        if target.exists():
            continue
        rng = np.random.default_rng((SEED, 31, k))
        torch.manual_seed(SEED + 31 + k)
        images, captions = [], []
        for _ in range(batches):
            xp, yp, _, _ = photos.batch(rng, N_PHOTO)
            xc, said, _ = drawn.scenes(rng, N_SCENE, single=0.5, strength=0.15)
            x = torch.cat([A.photometry(xp, erase=0), A.photometry(xc, grey=0.0, blur=0.03, erase=0)])
            images.append((x * 255).round().byte().numpy())
            captions += [f"a photo of {one(names[i])}" for i in yp] + said
        (CACHE / f"captioned-{k}.json").write_text(json.dumps(captions))
        np.save(target, np.concatenate(images))
        print(k, len(captions), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
