"""Pictures that `npm run evaluate` measures drawings and scenes with: drawings changed in kinds that training knows, scenes never seen.

Perspective, waves, JPEG and the mosaic's fineness are none that training makes; tints, dots and stripes are like some of `wear.py`.

usage: python pictures.py FOLDER [--scenes 400], then OCELLI_DRAWINGS=FOLDER npm run evaluate

drawings.json: {"names": [...], "changed": [{"file", "name"}, ...], "unseen": [...]}: the drawings in the four training
styles, each with perspective or wave distortion, then one of pixelation, JPEG artefacts, sepia, salt-and-pepper dots, on
plain or striped or chequered grounds; and the style never seen, on white. scenes.json: [{"file", "things"}, ...]:
composed scenes never seen. openmoji/<icon>.png: the drawings that knowledge/hints.tsv names. All seeded.
"""
import argparse
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from drawings import TRAIN_STYLES, UNSEEN_STYLE, load
from measured import EVAL_SEED, SCENE_SEED, composed, on_ground, pil
from texts import icons, label_texts


def changed(rgba, rng):
    """An RGB image of a drawing, bent, and coarse, compressed, tinted or dotted."""
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


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder", type=Path)
    ap.add_argument("--scenes", type=int, default=400)
    args = ap.parse_args()
    for name in ("changed", "unseen", "scenes", UNSEEN_STYLE):
        (args.folder / name).mkdir(parents=True, exist_ok=True)
    every = label_texts()
    white = Image.new("RGB", (128, 128), "white")

    def save(kind, images, names):
        rows = []
        for i, (image, name) in enumerate(zip(images, names)):
            file = f"{kind}/{i:04d}.png"
            image.save(args.folder / file)
            rows.append({"file": file, "name": name})
        return rows

    px, y, _, _ = load(TRAIN_STYLES)
    rng = np.random.default_rng(EVAL_SEED)
    changed_ones = save("changed", (changed(pil(p), rng) for p in px), [every[k] for k in y])
    px, y, _, names = load([UNSEEN_STYLE])
    unseen = save("unseen", (on_ground(pil(p), white) for p in px), [every[k] for k in y])
    for p, name in zip(px, names):
        on_ground(pil(p), white).save(args.folder / UNSEEN_STYLE / f"{name}.png")
    (args.folder / "drawings.json").write_text(json.dumps({"names": sorted(set(icons().values())), "changed": changed_ones, "unseen": unseen}))
    scenes = composed(args.scenes, SCENE_SEED)
    rows = save("scenes", (m[0] for m in scenes), [m[2] for m in scenes])
    (args.folder / "scenes.json").write_text(json.dumps([{"file": r["file"], "things": r["name"]} for r in rows]))


if __name__ == "__main__":
    main()
