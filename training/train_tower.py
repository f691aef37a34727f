"""Second phase of the captioner: its image tower alone, on labels of patches and of whole images.

usage: python train_tower.py [--clip clip] [--run tower] [--minutes 10]
The tower starts as the first blocks of the CLIP run's (WORK/runs/<clip>/last.pt), whose
first normalisation BLIP does not have: here it gets used to that, and to scenes.
Two linear heads, which are not exported, ask it what is in every patch of a scene and
what is in the image. Resumes from WORK/runs/<run>/last.pt; the learning rate follows
the share of the time budget used so far.
"""
import argparse
import copy
import time

import numpy as np
import torch
import torch.nn.functional as F
from transformers import BlipVisionModel

import augment as A
from batches import Drawn, Photographs, prefetch
from blip import clip_of, config, vision_from_clip
from paths import SEED
from runs import Run, average, fast
from texts import label_texts
from train_clip import optimisers

N_PHOTO, N_SCENE = 40, 152


class Tower(torch.nn.Module):
    """BLIP's image tower with the two training heads."""

    def __init__(self, labels):
        super().__init__()
        cfg = config().vision_config
        self.tower = BlipVisionModel(cfg)
        self.aux = torch.nn.Linear(cfg.hidden_size, labels)
        self.aux_patch = torch.nn.Linear(cfg.hidden_size, labels + 1)

    def forward(self, x):
        """(B, 3, S, S) -> scores of the image (B, labels), of the patches (B, N, labels + 1)."""
        seen = self.tower(pixel_values=x).last_hidden_state
        return self.aux(seen[:, 0]), self.aux_patch(seen[:, 1:])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--minutes", type=float, default=10)
    ap.add_argument("--run", default="tower")
    ap.add_argument("--clip", default="clip")
    ap.add_argument("--lr", type=float, default=1.2e-3)
    ap.add_argument("--strength", type=float, default=0.2, help="of the style changes")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--steps", type=int, default=0, help="stop early (for trying out)")
    args = ap.parse_args()
    run = Run(args.run, args.threads)
    names = label_texts()
    model = Tower(len(names))
    photos, drawn = Photographs(), Drawn(share=0.8)
    rng = np.random.default_rng((SEED, 7, run.state["step"] if run.state else 0))
    if not run.state:
        clip, heads = clip_of(args.clip)
        some = torch.cat([photos.batch(rng, 32)[0], drawn.scenes(rng, 96, 0.5, 0.1)[0]])
        vision_from_clip(model.tower, clip, A.normalise(some))
        model.aux_patch.load_state_dict({k[10:]: v for k, v in heads.items() if k.startswith("aux_patch.")})
    ema = copy.deepcopy(model).requires_grad_(False)
    opts = optimisers(model, args.lr, mark="encoder.layers")
    step, used = run.resume(model, ema, opts)
    torch.manual_seed(SEED + 7 + step)

    def make():
        xp, yp, _, _ = photos.batch(rng, N_PHOTO)
        xc, _, target, patches = drawn.scenes(rng, N_SCENE, single=0.4, strength=args.strength)
        x = torch.cat([A.photometry(xp), A.photometry(xc, grey=0.0, blur=0.05, erase=0)])
        return A.normalise(x), torch.cat([F.one_hot(yp, len(names)).float(), target]), patches

    last_save = last_log = time.time()
    sums, since = np.zeros(4), 0
    batches = prefetch(make)
    while used < args.minutes * 60:
        t0 = time.time()
        x, target, patches = next(batches)
        progress = used / (args.minutes * 60)
        for o in opts:
            for g in o.param_groups:
                g["lr"] = args.lr * min(1, (step + 1) / 30) * max(0.01, 1 - max(0.0, progress - 0.1) / 0.9)
        with fast():
            image, where = model(x)
        image, where = image.float(), where[N_PHOTO:].float()
        loss_image = -(F.log_softmax(image, 1) * target).sum(1).mean()
        loss_patch = F.cross_entropy(where.flatten(0, 1), patches.flatten(), label_smoothing=0.05)
        (loss_image + loss_patch).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        for o in opts:
            o.step()
            o.zero_grad(set_to_none=True)
        average(ema, model, step)
        step += 1
        used += time.time() - t0
        things = (patches >= 0) & (patches < len(names))
        hit = (where.argmax(2) == patches)[things].float().mean()
        photo = (image[:N_PHOTO].argmax(1) == target[:N_PHOTO].argmax(1)).float().mean()
        sums, since = sums + [v.item() for v in (loss_image, loss_patch, hit, photo)], since + 1
        if time.time() - last_log > 60 or step == args.steps:
            mean = sums / since
            print(f"step {step} {used / 60:.1f} min {(time.time() - last_log) / since:.2f} s/step  image {mean[0]:.3f} "
                  f"patch {mean[1]:.3f} patches right {mean[2]:.3f} photos right {mean[3]:.3f}", flush=True)
            last_log, sums, since = time.time(), np.zeros(4), 0
        if step == args.steps:
            return
        if time.time() - last_save > 150:
            run.save(model, ema, opts, step, used)
            last_save = time.time()
    run.save(model, ema, opts, step, used)


if __name__ == "__main__":
    main()
