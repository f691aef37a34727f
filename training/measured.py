"""What the measures share: composed scenes that training never saw, and whether a caption names a thing."""
import re

import numpy as np
from PIL import Image

from drawings import TRAIN_STYLES, load
from scenes import layout, many
from texts import label_texts

EVAL_SEED = 987654
SCENE_SEED = EVAL_SEED + 1


def chunks(items, n=64):
    for i in range(0, len(items), n):
        yield items[i:i + n]


def pil(px):
    return Image.fromarray(px.permute(1, 2, 0).numpy(), "RGBA")


def on_ground(rgba, ground):
    ground = ground.convert("RGBA")
    ground.alpha_composite(rgba)
    return ground.convert("RGB")


def scene_image(px, places, ground, rng, side=192):
    """Paste drawings at their places: no style changes, turned by at most 10 degrees."""
    canvas = Image.new("RGBA", (side, side), ground)
    for i, x, y, size in places:
        s = max(8, int(size * side))
        layer = pil(px[i]).rotate(rng.uniform(-10, 10), Image.Resampling.BICUBIC).resize((s, s), Image.Resampling.BICUBIC)
        full = Image.new("RGBA", canvas.size)
        full.paste(layer, (round(x * side - s / 2), round(y * side - s / 2)))
        canvas.alpha_composite(full)
    return canvas.convert("RGB")


def tidy(text):
    return re.sub(r"\s*-\s*", "-", text.lower())


def named(caption, name):
    """Is the thing named, in the singular or plural, as whole words?"""
    forms = {name, many(2, name)[4:]}
    return any(re.search(rf"\b{re.escape(tidy(f))}\b", tidy(caption)) for f in forms)


def composed(n, seed):
    """`n` scenes of training drawings in new places, pairs and colours: [(image, caption, names)]."""
    texts = label_texts()
    px, y, _, _ = load(TRAIN_STYLES)
    rng = np.random.default_rng(seed)

    def pick():
        i = int(rng.integers(len(y)))
        return i, texts[y[i]]

    made = []
    while len(made) < n:
        places, caption, names, ground = layout(rng, pick)
        made.append((scene_image(px, places, ground, rng), caption, names))
    return made


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    return round(float(x), 4) if isinstance(x, (float, np.floating)) else x
