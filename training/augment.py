"""Batched augmentation in PyTorch: placing drawings, changing their style, photometry.

Images are float32 in [0, 1], (B, 3, S, S); layers carry premultiplied alpha, (M, 4, S, S).
"""
import math

import torch
import torch.nn.functional as F

from paths import IMAGE

GREY = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


def rnd(n, lo=0.0, hi=1.0):
    return torch.rand(n, 1, 1, 1) * (hi - lo) + lo


def some(n, p):
    """(n, 1, 1, 1) float mask, one with probability p."""
    return (torch.rand(n, 1, 1, 1) < p).float()


def mix(a, b, m):
    return a + (b - a) * m


def place(px, px_half, index, cx, cy, size, rot=20.0, stretch=0.15, shear=0.1, flip=0.5, side=IMAGE):
    """Layers (M, 4, side, side) of the drawings `index`, centred at (cx, cy) with width `size` (units of the side).

    px (N, 4, 128, 128) and px_half (N, 4, 64, 64) uint8; the half-size one is used for small drawings.
    """
    m = len(index)
    cx, cy, size = (torch.as_tensor(v, dtype=torch.float32) for v in (cx, cy, size))
    a = (torch.rand(m) * 2 - 1) * math.radians(rot)
    sx = size * (1 + (torch.rand(m) * 2 - 1) * stretch)
    sy = size * (1 + (torch.rand(m) * 2 - 1) * stretch)
    mirror = torch.where(torch.rand(m) < flip, -1.0, 1.0)
    k = (torch.rand(m) * 2 - 1) * shear
    cos, sin = a.cos(), a.sin()
    # output coordinates (in [-1, 1]) -> input coordinates: inverse of rotate, shear, scale
    t00, t01 = mirror * (cos + k * sin) / sx, mirror * (sin - k * cos) / sx
    t10, t11 = -sin / sy, cos / sy
    ox, oy = 2 * cx - 1, 2 * cy - 1
    theta = torch.stack([torch.stack([t00, t01, -(t00 * ox + t01 * oy)], 1),
                         torch.stack([t10, t11, -(t10 * ox + t11 * oy)], 1)], 1)
    out = torch.empty(m, 4, side, side)
    small = size * side < 60
    for source, which in ((px_half, small), (px, ~small)):
        w = which.nonzero()[:, 0]
        if len(w):
            x = source[torch.as_tensor(index)[w]].float() / 255
            x = torch.cat([x[:, :3] * x[:, 3:], x[:, 3:]], 1)
            grid = F.affine_grid(theta[w], (len(w), 4, side, side), align_corners=False)
            out[w] = F.grid_sample(x, grid, align_corners=False)
    return out.clamp_(0, 1)


def edges(x, gain):
    """Edge strength (M, 1, S, S) of colour and alpha (largest central difference over the channels)."""
    p = F.pad(x, (1, 1, 1, 1))
    dx = (p[:, :, 1:-1, 2:] - p[:, :, 1:-1, :-2]).abs()
    dy = (p[:, :, 2:, 1:-1] - p[:, :, :-2, 1:-1]).abs()
    e = (dx + dy).amax(1, keepdim=True)
    return ((e - 0.12) * gain).clamp(0, 1)


def restyle(x, strength=1.0, share=0.5):
    """Layers (M, 4, S, S), a random `share` of them with a changed drawing style."""
    which = (torch.rand(len(x)) < share).nonzero()[:, 0]
    if len(which):
        x[which] = restyled(x[which], strength)
    return x


def restyled(x, strength):
    """Random change of drawing style of layers (M, 4, S, S): recolour, flat fills, outlines, shading, line art."""
    m, s = len(x), strength
    alpha = x[:, 3:]
    rgb = x[:, :3] / alpha.clamp(min=1e-3)
    edge = edges(x, rnd(m, 2.0, 6.0))
    wide = F.max_pool2d(edge, 3, 1, 1)
    edge = mix(edge, wide, some(m, 0.6))
    # recolour: rotate the hue (YIQ rotation), scale saturation, jitter brightness, gamma
    angle = rnd(m, -0.5, 0.5) * some(m, 0.4 * s) + rnd(m, -math.pi, math.pi) * some(m, 0.2 * s)
    sat = 1 + rnd(m, -0.5, 0.4) * some(m, 0.5)
    y = (rgb * GREY).sum(1, keepdim=True)
    i = (rgb * torch.tensor([0.596, -0.274, -0.322]).view(1, 3, 1, 1)).sum(1, keepdim=True) * sat
    q = (rgb * torch.tensor([0.211, -0.523, 0.312]).view(1, 3, 1, 1)).sum(1, keepdim=True) * sat
    i, q = i * angle.cos() - q * angle.sin(), i * angle.sin() + q * angle.cos()
    i, q = (c * (1 - some(m, 0.15 * s)) for c in (i, q)) if torch.rand(()) < 0.5 else (i, q)
    rgb = torch.cat([y + 0.956 * i + 0.621 * q, y - 0.272 * i - 0.647 * q, y - 1.106 * i + 1.703 * q], 1).clamp(0, 1)
    rgb = mix(rgb, rgb.clamp(min=1e-3) ** rnd(m, 0.5, 1.8), some(m, 0.4))
    # flat fills: smooth, then few levels
    levels = torch.randint(2, 5, (m, 1, 1, 1)).float()
    flat = (F.avg_pool2d(rgb, 5, 1, 2, count_include_pad=False) * levels).round() / levels
    rgb = mix(rgb, flat, some(m, 0.3 * s))
    # shading across the drawing
    side = x.shape[-1]
    ramp = torch.linspace(-1, 1, side)
    t = rnd(m, 0, 2 * math.pi)
    slope = t.cos() * ramp.view(1, 1, 1, side) + t.sin() * ramp.view(1, 1, side, 1)
    rgb = (rgb * (1 + slope * rnd(m, 0, 0.5) * some(m, 0.3 * s)))
    # pastel or washed out
    rgb = mix(rgb, torch.ones(()), rnd(m, 0, 0.6) * some(m, 0.2 * s))
    # line art: fill white (or nothing but a tint), lines dark
    line = some(m, 0.18 * s)
    tint = torch.where(torch.rand(m, 1, 1, 1) < 0.7, torch.ones(m, 3, 1, 1), torch.rand(m, 3, 1, 1) * 0.4 + 0.6)
    rgb = mix(rgb, tint, line)
    ink = torch.rand(m, 3, 1, 1) * 0.25 * some(m, 0.5)
    outlined = torch.maximum(line, some(m, 0.4 * s)) * edge
    rgb = mix(rgb, ink, outlined)
    alpha = torch.maximum(alpha, outlined)
    rgb = mix(rgb, 1 - rgb, some(m, 0.03 * s))
    rgb = rgb.clamp(0, 1)
    return torch.cat([rgb * alpha, alpha], 1)


def compose(layers, scene, order, ground):
    """Paste layers over `ground` (B, 3, S, S): layer j belongs to image scene[j], at depth order[j]."""
    out = ground
    for k in range(int(order.max()) + 1 if len(order) else 0):
        w = (order == k).nonzero()[:, 0]
        if len(w):
            b = scene[w]
            out[b] = layers[w, :3] + out[b] * (1 - layers[w, 3:])
    return out


def patch_labels(layers, scene, y, n, ground, patch=16):
    """(n, patches) label of the drawing that covers most of each patch: `ground` where none does, -100 where unclear.

    y (M,): labels of the layers. A patch counts as covered from a quarter of its area, as ground below 3 %.
    """
    area = F.avg_pool2d(layers[:, 3:], patch).flatten(1)
    best, who = torch.zeros(n, area.shape[1]), torch.full((n, area.shape[1]), ground)
    for j, b in enumerate(scene.tolist()):
        more = area[j] > best[b]
        best[b] = torch.where(more, area[j], best[b])
        who[b] = torch.where(more, y[j], who[b])
    who[best < 0.25] = -100
    who[best < 0.03] = ground
    return who


def grounds(n, photos=None, side=IMAGE):
    """Random grounds (n, 3, side, side): white, plain, ramps, blurred photographs, stripes of noise."""
    out = torch.ones(n, 3, side, side)
    plain = torch.rand(n, 3, 1, 1)
    out = mix(out, plain, some(n, 0.5))
    ramp = torch.linspace(0, 1, side).view(1, 1, side, 1) * torch.ones(1, 1, side, side)
    ramp = torch.where(torch.rand(n, 1, 1, 1) < 0.5, ramp, ramp.transpose(2, 3))
    out = mix(out, plain + (torch.rand(n, 3, 1, 1) - plain) * ramp, some(n, 0.15))
    if photos is not None and len(photos):
        k = torch.randint(len(photos), (n,))
        soft = F.interpolate(F.avg_pool2d(photos[k], 4), size=(side, side), mode="bilinear", align_corners=False)
        out = mix(out, mix(photos[k], soft, some(n, 0.7)), some(n, 0.15))
    grain = F.interpolate(torch.randn(n, 1, 24, 24), size=(side, side), mode="nearest") * 0.1
    return (out + grain * some(n, 0.1)).clamp(0, 1)


def photometry(x, grey=0.1, blur=0.12, erase=0.2):
    """Random brightness, contrast, saturation, tint, greyscale, blur, noise and an erased box, for (B, 3, S, S)."""
    b, _, h, w = x.shape
    x = x * rnd(b, 0.65, 1.35)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * rnd(b, 0.65, 1.4)
    y = (x * GREY).sum(1, keepdim=True)
    sat = rnd(b, 0.5, 1.5) * (1 - some(b, grey))
    x = y + (x - y) * sat
    x = x * (1 + (torch.rand(b, 3, 1, 1) - 0.5) * 0.2)
    which = (torch.rand(b) < blur).nonzero()[:, 0]
    if len(which):
        x[which] = F.avg_pool2d(F.avg_pool2d(x[which], 3, 1, 1, count_include_pad=False), 3, 1, 1, count_include_pad=False)
    which = (torch.rand(b) < 0.15).nonzero()[:, 0]
    if len(which):
        x[which] += torch.randn(len(which), 3, h, w) * rnd(len(which), 0.02, 0.08)
    for i in (torch.rand(b) < erase).nonzero()[:, 0].tolist():
        s = torch.randint(12, 40, (2,))
        t, l = torch.randint(0, h - 12, (1,)), torch.randint(0, w - 12, (1,))
        x[i, :, t:t + s[0], l:l + s[1]] = torch.rand(3, 1, 1)
    return x.clamp_(0, 1)
