"""What happens to pictures on their way: bent, made coarse, compressed, printed in one ink, grainy. Images as in augment.py.

`pictures.py` measures with other changes of these kinds: JPEG where this has WebP, mosaics of another fineness, shapes bent in
waves or in perspective. Its tint, its dots and its stripes are within what is drawn at random here.
"""
import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from augment import GREY, rnd


def bent(layers, most=0.05):
    """Layers (M, 4, S, S) moved by a smooth random field, by up to about `most` of the side."""
    m = len(layers)
    field = F.interpolate(torch.randn(m, 2, 4, 4) * rnd(m, 0.0, most), size=layers.shape[-2:], mode="bicubic", align_corners=True)
    same = F.affine_grid(torch.eye(2, 3).expand(m, 2, 3), layers.shape, align_corners=False)
    return F.grid_sample(layers, same + field.permute(0, 2, 3, 1), align_corners=False)


def coarse(x):
    """One image with few pixels: a mosaic, or a small picture enlarged."""
    side = int(torch.randint(22, 36, ())) if torch.rand(()) < 0.6 else int(torch.randint(46, 70, ()))
    small = F.interpolate(x[None], size=(side, side), mode="area")
    return F.interpolate(small, size=x.shape[-2:], mode="nearest" if torch.rand(()) < 0.6 else "bilinear")[0]


def compressed(x):
    """One image through WebP of a low quality."""
    file = io.BytesIO()
    Image.fromarray((x * 255).round().byte().permute(1, 2, 0).numpy()).save(file, "WEBP", quality=int(torch.randint(0, 20, ())))
    return torch.from_numpy(np.asarray(Image.open(file).convert("RGB")).copy()).permute(2, 0, 1) / 255


def inked(x):
    """One image in the shades between two colours."""
    y = (x * GREY[0]).sum(0, keepdim=True)
    dark, light = torch.rand(3, 1, 1) * 0.3, 1 - torch.rand(3, 1, 1) * 0.5
    return dark + (light - dark) * y


def grainy(x):
    """One image with noise, or with single pixels of any colour."""
    if torch.rand(()) < 0.5:
        return x + torch.randn_like(x) * (0.04 + 0.14 * torch.rand(()))
    return torch.where(torch.rand(1, *x.shape[1:]) < 0.01 + 0.05 * torch.rand(()), torch.rand_like(x), x)


def patterned(n, side):
    """Grounds (n, 3, side, side): waves and rings of two light colours."""
    at = torch.linspace(0, 1, side)
    u, v = at.view(1, 1, side), at.view(1, side, 1)
    a, b = torch.rand(n, 1, 1) * 20 + 4, torch.rand(n, 1, 1) * 20 - 10
    wave = torch.where(torch.rand(n, 1, 1) < 0.5, a * u + b * v, a * ((u - 0.5) ** 2 + (v - 0.5) ** 2).sqrt() * 2)
    share = ((wave * 6.3).sin()[:, None] * 3 + 0.5).clamp(0, 1)
    one, two = 0.5 + torch.rand(n, 3, 1, 1) / 2, 0.5 + torch.rand(n, 3, 1, 1) / 2
    return one * share + two * (1 - share)


def worn(x, share=0.65):
    """Images (B, 3, S, S), each of a random `share` changed in one of these ways, some in two."""
    for i in (torch.rand(len(x)) < share).nonzero()[:, 0].tolist():
        for k in torch.randperm(4)[:1 if torch.rand(()) < 0.75 else 2].tolist():
            x[i] = (coarse, compressed, inked, grainy)[k](x[i]).clamp(0, 1)
    return x
