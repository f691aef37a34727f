"""Rendered drawings: (N, 4, 128, 128) uint8 per style, with label indices."""
import json

import numpy as np
import torch

from paths import CACHE
from texts import icons, label_texts

TRAIN_STYLES = ["noto", "fluent-emoji-flat", "fluent-emoji", "twemoji"]
MORE_STYLES = ["emojione", "noto-v1", "fxemoji", "streamline-emojis", "fluent-emoji-high-contrast"]
UNSEEN_STYLE = "openmoji"
SIDE = 128


def load(styles):
    """(pixels (N, 4, 128, 128) uint8 tensor, label index (N,) array, style index (N,), icon names)."""
    text_of, texts = icons(), label_texts()
    index = {t: i for i, t in enumerate(texts)}
    px, y, st, names = [], [], [], []
    for s, style in enumerate(styles):
        found = json.loads((CACHE / "drawings" / f"{style}.json").read_text())
        raw = np.fromfile(CACHE / "drawings" / f"{style}.rgba", dtype=np.uint8).reshape(-1, SIDE, SIDE, 4)
        keep = [i for i, n in enumerate(found) if n in text_of]
        px.append(torch.from_numpy(raw[keep]).permute(0, 3, 1, 2).contiguous())
        y += [index[text_of[found[i]]] for i in keep]
        st += [s] * len(keep)
        names += [found[i] for i in keep]
    return torch.cat(px), np.array(y), np.array(st), names
