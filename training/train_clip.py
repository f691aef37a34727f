"""Train the CLIP model: contrastive against all label texts, scene captions, distillation.

usage: python train_clip.py [--minutes 60] [--run clip] [--init other-run]
`--init` starts a further phase from the averaged weights of another run, with a fresh schedule.
Two linear heads over the labels are trained beside it and not exported: one on the
class vector (it teaches the image tower while the text embeddings are still close
together) and one on every patch of drawings and scenes, whose things are at known
places. The second is for the captioner, which takes over the tower's first blocks:
its decoder then finds what is where in the patches it reads.
Resumes from WORK/runs/<run>/last.pt. Learning rate and style changes follow the
share of the time budget used so far, which the checkpoint keeps.
"""
import argparse
import copy
import time

import numpy as np
import torch
import torch.nn.functional as F

import augment as A
from batches import Drawn, Photographs, prefetch
from muon import Muon
from paths import IMAGE, SEED
from photos import Photos, centre_box, crop
from runs import Run, average, fast, load
from texts import Prompts, label_texts, prompt
from tokenizers_own import clip_tokenizer, encode
from vit import Clip

CONFIG = {
    "vision": dict(image=IMAGE, patch=16, d=192, layers=6, heads=3, hidden=576),
    "text": dict(vocab=2048, context=32, d=128, layers=2, heads=2, hidden=384),
    "proj": 192,
}
N_PHOTO, N_SINGLE, N_SCENE = 72, 96, 72


def optimisers(model, lr, wd=0.05, mark="blocks"):
    """Muon for the blocks' matrices, AdamW for the rest."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and mark in n]
    ids = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in ids]
    return [Muon(matrices, lr=lr, weight_decay=wd),
            torch.optim.AdamW([{"params": [p for p in rest if p.ndim > 1], "weight_decay": wd},
                               {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0}], lr=lr, betas=(0.9, 0.98))]


def multi_positive(logits, positive):
    """Symmetric InfoNCE with several positives: mean of -log softmax over each row's and column's positives."""
    total = 0
    for z, p in ((logits, positive), (logits.T, positive.T)):
        has = p.sum(1) > 0
        total = total + -(F.log_softmax(z[has], 1) * p[has] / p[has].sum(1, keepdim=True)).sum(1).mean()
    return total / 2


def val_accuracy(model, tok, val):
    """Zero-shot top-1 over the 159 photo labels on the validation photos."""
    names = label_texts()[:159]
    with torch.inference_mode(), fast():
        t = model.texts(encode(tok, [prompt(n) for n in names], 32, tok.get_vocab_size() - 1))
        hits = 0
        for i in range(0, len(val), 128):
            x = np.stack([crop(val[j], centre_box(*val.shapes[j])) for j in range(i, min(i + 128, len(val)))])
            e, _, _ = model.image(A.normalise(torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255))
            hits += int(((e @ t.T).argmax(1).numpy() == val.y[i:i + 128]).sum())
    return hits / len(val)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--minutes", type=float, default=60)
    ap.add_argument("--run", default="clip")
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--init", help="run whose averaged weights to start from")
    ap.add_argument("--batch", type=int, nargs=3, default=(N_PHOTO, N_SINGLE, N_SCENE), help="photos, drawings, scenes")
    ap.add_argument("--fd", type=float, default=1.0, help="weight of the teacher's features")
    ap.add_argument("--style", type=float, default=1.0, help="largest strength of the style changes")
    ap.add_argument("--aux", type=float, default=1.0, help="weight of the classifier on the class vector")
    ap.add_argument("--patch", type=float, default=1.0, help="weight of the classifier on the patches")
    ap.add_argument("--own", type=float, default=0.65, help="share of the four training styles among the drawings")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--steps", type=int, default=0, help="stop early (for trying out)")
    args = ap.parse_args()
    run = Run(args.run, args.threads)
    tok = clip_tokenizer()
    pad = tok.get_vocab_size() - 1
    model = Clip({**CONFIG, "text": {**CONFIG["text"], "vocab": tok.get_vocab_size()}})
    n_photo, n_single, n_scene = args.batch
    # training only, not exported
    model.aux = torch.nn.Linear(CONFIG["vision"]["d"], len(label_texts()))
    model.aux_patch = torch.nn.Linear(CONFIG["vision"]["d"], len(label_texts()) + 1)  # the last: ground
    if args.init and not run.state:
        start = load(args.init)
        model.load_state_dict(start["ema"], strict=False)
        model.logit_scale.data.fill_(3.4)
        print(f"weights from {args.init} at step {start['step']}", flush=True)
    ema = copy.deepcopy(model)
    opts = optimisers(model, args.lr)
    step, used = run.resume(model, ema, opts)
    rng = np.random.default_rng((SEED, step))
    torch.manual_seed(SEED + step)
    photos, drawn, val = Photographs(), Drawn(share=args.own), Photos("val")
    names = label_texts()
    prompts = Prompts(names, SEED + step)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {len(names)} labels, "
          f"{len(drawn.y)} drawings, {len(photos.photos)} photos", flush=True)

    strength = [0.2]  # of the style changes, grows with progress

    def make():
        xp, yp, logits, feats = photos.batch(rng, n_photo)
        xs, ys, ps, fs = drawn.singles(rng, n_single, xp, strength=strength[0])
        xc, captions, target, pc = drawn.scenes(rng, n_scene, strength=0.5 * strength[0])
        x = torch.cat([A.photometry(xp), A.photometry(xs), A.photometry(xc, grey=0.03, erase=0)])
        hard = F.one_hot(torch.cat([yp, ys]), len(names)).float()
        return A.normalise(x), torch.cat([hard, target]), captions, logits, torch.cat([feats, fs]), torch.cat([ps, pc])

    last_save = last_log = time.time()
    sums, since = np.zeros(7), 0
    batches = prefetch(make)
    while used < args.minutes * 60:
        t0 = time.time()
        x, full, captions, logits, feats, patches = next(batches)
        progress = used / (args.minutes * 60)
        lr = args.lr * min(1, (step + 1) / (50 if args.init else 150)) * max(0.01, 1 - max(0.0, progress - 0.15) / 0.85)
        for o in opts:
            for g in o.param_groups:
                g["lr"] = lr
        strength[0] = min(args.style, 0.2 + 1.1 * progress)
        with fast():
            e, cls, tokens = model.image(x)
            # texts of this step: all photo labels, all labels in the batch, some others
            pool = torch.zeros(len(names), dtype=torch.bool)
            pool[:159] = True
            pool |= full.amax(0) > 0
            pool |= torch.rand(len(names)) < 0.2
            target, pool = full[:, pool], pool.nonzero()[:, 0]
            n_text = len(pool)
            t = model.texts(encode(tok, prompts.sample(pool.tolist()) + captions, 24, pad))
            taught = model.teach(cls[:n_photo + n_single]).float()
        scale = model.logit_scale.exp().clamp(max=100)
        z = scale * e @ t[:n_text].T
        smooth = 0.95 * target + 0.05 / n_text
        loss_all = -(F.log_softmax(z, 1) * smooth).sum(1).mean()
        with fast():
            guess = model.aux(cls).float()
            where = model.aux_patch(tokens[n_photo:]).float()
        loss_aux = -(F.log_softmax(guess, 1) * (0.95 * full + 0.05 / len(names))).sum(1).mean()
        loss_patch = F.cross_entropy(where.flatten(0, 1), patches.flatten(), label_smoothing=0.05)
        present = target.amax(0) > 0
        loss_t2i = multi_positive(z[:, present], (target[:, present] > 0).float())
        kd = F.kl_div(F.log_softmax(z[:n_photo, :159], 1), F.softmax(logits, 1), reduction="batchmean")
        # the teacher's features: same direction, and nearest to the own image's among the batch
        alike = F.normalize(taught, dim=1) @ F.normalize(feats, dim=1).T
        fd = (1 - alike.diagonal()).mean() + 0.3 * F.cross_entropy(15 * alike, torch.arange(len(alike)))
        same = torch.tensor([[float(a == b) for b in captions] for a in captions])
        loss_cap = multi_positive(scale * e[-len(captions):] @ t[n_text:].T, same)
        loss = loss_all + 0.3 * loss_t2i + 0.7 * kd + args.fd * fd + 0.2 * loss_cap + args.aux * loss_aux + args.patch * loss_patch
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        for o in opts:
            o.step()
            o.zero_grad(set_to_none=True)
        with torch.no_grad():
            model.logit_scale.clamp_(max=4.6)
        average(ema, model, step)
        step += 1
        used += time.time() - t0
        sums += [v.item() for v in (loss_all, loss_t2i, kd, fd, loss_cap, loss_aux, loss_patch)]
        since += 1
        if time.time() - last_log > 60 or step == args.steps:
            hit = (z[:n_photo].argmax(1) == target[:n_photo].argmax(1)).float().mean()
            hit2 = (z[n_photo:-n_scene].argmax(1) == target[n_photo:-n_scene].argmax(1)).float().mean()
            things = (patches >= 0) & (patches < len(names))
            hit3 = (where.argmax(2) == patches)[things].float().mean()
            print(f"step {step} {used / 60:.1f} min lr {lr:.5f} {(time.time() - last_log) / since:.2f} s/step  "
                  f"all {sums[0] / since:.3f} t2i {sums[1] / since:.3f} kd {sums[2] / since:.3f} fd {sums[3] / since:.3f} "
                  f"cap {sums[4] / since:.3f} aux {sums[5] / since:.3f} patch {sums[6] / since:.3f} scale {scale.item():.1f} photo {hit:.2f} drawn {hit2:.2f} patches {hit3:.2f}", flush=True)
            last_log, sums, since = time.time(), np.zeros(7), 0
        if step == args.steps:
            return
        if time.time() - last_save > 240 or used >= args.minutes * 60:
            run.save(model, ema, opts, step, used, config=model.cfg)
            print(f"step {step}: val zero-shot top-1 {val_accuracy(ema, tok, val):.4f}", flush=True)
            last_save = time.time()


if __name__ == "__main__":
    main()
