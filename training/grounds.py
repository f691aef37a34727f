"""What can be measured in the pixels of a picture: the colour of its ground or of a thing, and natural grounds.

Colours and grounds are only named where the pixels leave no doubt; otherwise the answer is "".
"""
import functools

import numpy as np
from scipy import ndimage

from photos import labels

COLOURS = ["white", "grey", "black", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"]
SPOT = 44  # side of the pieces of photographs that natural grounds are made of
ON_LAND = {"elephant", "llama", "kangaroo", "emu", "leopards", "okapi", "gerenuk", "rhino", "dalmatian", "cougar body",
           "wild cat", "hedgehog", "rooster", "beaver", "ibis", "pigeon", "crocodile"}
IN_WATER = {"dolphin", "flamingo", "ibis", "beaver", "platypus", "crocodile"}
ON_WATER = {"ketch", "schooner", "ferry"}
IN_AIR = {"airplanes", "helicopter"}
OUTSIDE = ON_LAND | ON_WATER | IN_AIR | {"minaret", "pagoda", "pyramid", "stop sign", "dragonfly", "butterfly"}


def colours(rgb):
    """Index into COLOURS of each pixel of (..., 3) uint8, or -1 between two of them."""
    x = rgb.astype(np.float32) / 255
    high, low = x.max(-1), x.min(-1)
    chroma = high - low
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    c = np.maximum(chroma, 1e-6)
    hue = np.where(high == r, (g - b) / c % 6, np.where(high == g, (b - r) / c + 2, (r - g) / c + 4)) * 60
    out = np.full(high.shape, -1)
    plain = chroma < 0.09 + 0.06 * (1 - high)
    out[plain & (high > 0.88)] = 0
    out[plain & (high > 0.3) & (high < 0.78)] = 1
    out[(high < 0.2) & (chroma < 0.1)] = 2
    vivid = (chroma > 0.16) & (high > 0.25)
    for name, lo, hi in (("orange", 20, 40), ("yellow", 46, 66), ("green", 80, 165), ("blue", 190, 252), ("purple", 260, 295)):
        out[vivid & (hue >= lo) & (hue < hi)] = COLOURS.index(name)
    red = vivid & ((hue < 12) | (hue >= 345))
    out[red & (low < 0.42)] = COLOURS.index("red")
    out[vivid & ((hue >= 300) | (hue < 8)) & (low > 0.5)] = COLOURS.index("pink")
    out[vivid & (hue >= 8) & (hue < 44) & (high < 0.66)] = COLOURS.index("brown")
    return out


def main_colour(rgb, share=0.62):
    """The colour of at least `share` of the pixels (n, 3) uint8, or ""."""
    if len(rgb) < 30:
        return ""
    c = colours(rgb)
    count = np.bincount(c[c >= 0], minlength=len(COLOURS))
    return COLOURS[count.argmax()] if count.max() > share * len(rgb) else ""


def plain_ground(image):
    """The colour of the border of an (H, W, 3) uint8 picture if it is even, or ""."""
    h, w = image.shape[:2]
    d = max(3, min(h, w) // 14)
    edge = np.concatenate([image[:d].reshape(-1, 3), image[:, :d].reshape(-1, 3), image[:, -d:].reshape(-1, 3),
                           image[-d:].reshape(-1, 3)]).astype(np.int16)
    near = np.abs(edge - np.median(edge, 0)).max(1) < 26
    return main_colour(edge.astype(np.uint8), 0.85) if near.mean() > 0.82 else ""


def _spots(image):
    h, w = image.shape[:2]
    xs = (3, (w - SPOT) // 2, w - SPOT - 3)
    return [image[y:y + SPOT, x:x + SPOT].astype(np.int16) for y in (h - SPOT - 3, 3) for x in xs]


def _even(c):
    q = np.array([c[u:u + SPOT // 2, v:v + SPOT // 2].reshape(-1, 3).mean(0) for u in (0, SPOT // 2) for v in (0, SPOT // 2)])
    return np.abs(q - q.mean(0)).max() < 24


def _grass(c):
    r, g, b = c[..., 0], c[..., 1], c[..., 2]
    return ((g > r + 4) & (g > b + 12)).mean() > 0.75 and c.mean(2).std() > 12 and 50 < c.mean() < 190


def _blue(c):
    r, g, b = c[..., 0], c[..., 1], c[..., 2]
    return ((b > r + 8) & (b >= g)).mean()


def _water(c):
    return _blue(c) > 0.7 and c.mean(2).std() > 4 and c.max(2).mean() < 225


def _sky(c):
    return _blue(c) > 0.85 and 110 < c[..., 2].mean() < 240 and c.mean(2).std() < 22


def natural_ground(image, label):
    """"on grass", "in water", "on water" or "in the sky", if the label may be there and the pixels look so, or ""."""
    spots = _spots(image)
    if label in ON_LAND and sum(map(_grass, spots[:3])) >= 2:
        return "on grass"
    if label in IN_WATER and sum(map(_water, spots[:3])) >= 2:
        return "in water"
    if label in ON_WATER and sum(map(_water, spots[:3])) >= 2:
        return "on water"
    if label in IN_AIR and sum(map(_sky, spots)) >= 5:
        return "in the sky"
    return ""


def natural_pieces(photos):
    """{"grass", "water", "sky": [(SPOT, SPOT, 3) uint8]} cut out of photographs."""
    names, out = labels(), {"grass": [], "water": [], "sky": []}
    for i, y in enumerate(photos.y):
        label = names[y]
        if label not in OUTSIDE | IN_WATER:
            continue
        spots = _spots(photos[i])
        for k, c in enumerate(spots):
            if not _even(c):
                continue
            if k < 3 and label in ON_LAND | {"butterfly", "dragonfly"} and _grass(c):
                out["grass"].append(c.astype(np.uint8))
            elif k < 3 and label in IN_WATER | ON_WATER and _water(c):
                out["water"].append(c.astype(np.uint8))
            elif k >= 3 and label not in IN_WATER | ON_LAND and _sky(c):
                out["sky"].append(c.astype(np.uint8))
    return out


@functools.cache
def _mirror(side):
    k = np.arange(side) % (2 * SPOT)
    return np.where(k < SPOT, k, 2 * SPOT - 1 - k)


def spread(piece, side, rng):
    """(side, side, 3) uint8: a piece mirrored side by side until it fills the picture."""
    m = _mirror(side + 2 * SPOT)
    u, v = rng.integers(2 * SPOT, size=2)
    return piece[m[u:u + side]][:, m[v:v + side]]


def cut_out(image):
    """(H, W, 4) uint8: the thing in front of a white ground, or None if there is no such ground."""
    if plain_ground(image) != "white":
        return None
    white = image.min(2) > 236
    parts, _ = ndimage.label(white)
    border = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    thing = ~np.isin(parts, border[border > 0])
    if not 0.06 < thing.mean() < 0.75:
        return None
    alpha = ndimage.uniform_filter(ndimage.binary_erosion(thing).astype(np.float32), 3)
    return np.dstack([image, (alpha * 255).astype(np.uint8)])
