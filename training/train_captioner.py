"""The captioner: image tokens and decoder, on kept components of the frozen tower (photo_features.py, scene_features.py).

usage: python train_captioner.py [--minutes 20] (resumes; the result is runs/caption, see captioner.py)
First the image tokens alone, to name what covers each place of a scene; then both, on the batches of captions.py.
Beside the sentences, the last layer learns to write a thing's name when it looks at one of its places alone: that
comes to the decoder much sooner than naming by sentences only.
--start RUN goes on from another run's weights; with --fixed-tokens the image tokens, and so the matching heads, stay as they are.
"""
import argparse
import copy
import time

import numpy as np
import torch
import torch.nn.functional as F

from caption_tokenizer import tokenizer
from captioner import WIDTH, Captioner, keep
from captions import Mixture, encode, prompt, sentence
from paths import SEED
from runs import Run, average, load
from texts import label_texts

N_SCENE, N_PHOTO, N_COPY = 72, 28, 24


def patch_head(tokens, scenes, steps):
    """A classifier of places, trained with the image tokens; gives its share of right answers on the held-out scenes."""
    head = torch.nn.Linear(WIDTH, len(label_texts()) + 1)
    x = torch.from_numpy(scenes.x).float()
    y = torch.from_numpy(scenes.patches).long()
    y[y == -1] = len(label_texts())
    tokens.scale.copy_(1 / x[::4].reshape(-1, x.shape[-1]).std(0))
    keepers = (y != -100) & ((y < len(label_texts())) | (torch.rand(y.shape) < 0.04))
    held = keepers.clone()
    held[:scenes.n] = False
    keepers[scenes.n:] = False
    xs, ys = x[keepers], y[keepers]
    opt = torch.optim.AdamW([*head.parameters(), *tokens.projection.parameters(), *tokens.norm.parameters()], lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 3e-3, steps, pct_start=0.1)
    for _ in range(steps):
        i = torch.randint(len(xs), (1536,))
        noisy = xs[i] * (1 + 0.1 * torch.randn(1536, 1)) + 0.25 * torch.randn(1536, xs.shape[1]) / tokens.scale
        loss = F.cross_entropy(head(tokens.norm(tokens.projection(noisy * tokens.scale))), ys[i], label_smoothing=0.1)
        opt.zero_grad()
        loss.backward()
        opt.step()
        schedule.step()
    with torch.no_grad():
        said = head(tokens.norm(tokens.projection(x[held] * tokens.scale))).argmax(1)
    print(f"places: {len(xs)}, loss {loss.item():.2f}, right on held-out scenes {(said == y[held]).float().mean():.3f}, "
          f"of things {(said == y[held])[y[held] < len(label_texts())].float().mean():.3f}", flush=True)
    return head


def pieces(tok):
    """(names, vocabulary): the words and parts of words that each of `label_texts()` is written with, of equal weight."""
    out = torch.zeros(len(label_texts()), tok.get_vocab_size())
    for k, name in enumerate(label_texts()):
        ids = tok.encode(name, add_special_tokens=False).ids
        out[k, ids] = 1 / len(set(ids))
    return out


def name_places(model, scenes, names, steps):
    """Teaches the last layer's values to write the name of the thing at a place, before sentences do."""
    x, y = torch.from_numpy(scenes.x[:scenes.n]), torch.from_numpy(scenes.patches[:scenes.n]).long()
    xs, ys = x[y >= 0], y[y >= 0]
    at = torch.arange(y.shape[1]).expand(y.shape)[y >= 0]
    cross = model.text_decoder.bert.encoder.layer[-1].crossattention
    opt = torch.optim.AdamW([*cross.self.value.parameters(), *cross.output.dense.parameters()], lr=4e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 4e-3, steps, pct_start=0.1)
    tokens = model.image_tokens
    for k in range(steps):
        i = torch.randint(len(xs), (512,))
        with torch.no_grad():
            states = tokens.norm(tokens.projection(xs[i].float() * tokens.scale)) + tokens.position_embedding[at[i]]
        loss = -(names[ys[i]] * model.seen(states).log_softmax(1)).sum(1).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        schedule.step()
        if k % 100 == 99:
            print(f"names of places: {loss.item():.2f}", flush=True)


def loss_of(model, tok, x, prompts, said):
    ids, mask, where, targets = encode(tok, prompts, said)
    states = model.image_tokens(x)
    return F.cross_entropy(model.decode(states, ids, mask, where), targets, label_smoothing=0.03), states


def held_out(model, tok, scenes):
    rng = np.random.default_rng(SEED + 5)
    rows = [scenes.draw(rng, k, change=False) for k in range(scenes.n, len(scenes.m))]
    said = [sentence(r[2], r[3], r[4], r[5]) for r in rows]
    with torch.no_grad():
        return loss_of(model, tok, torch.from_numpy(np.stack([r[0] for r in rows])), [prompt([])] * len(rows), said)[0].item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--run", default="captioner")
    ap.add_argument("--minutes", type=float, default=20)
    ap.add_argument("--lr", type=float, default=2.5e-3)
    ap.add_argument("--chunks", type=int)
    ap.add_argument("--start")
    ap.add_argument("--fixed-tokens", action="store_true")
    ap.add_argument("--name-steps", type=int, default=500)
    ap.add_argument("--patch-steps", type=int, default=400)
    args = ap.parse_args()
    run = Run(args.run, threads=1)
    tok, mixture, model = tokenizer(), Mixture(args.chunks), Captioner()
    head = torch.nn.Linear(WIDTH, len(label_texts()) + 1)
    if run.state is None and not args.start:
        head = patch_head(model.image_tokens, mixture.scenes, args.patch_steps)
    whole = torch.nn.ModuleDict({"captioner": model, "head": head})
    if args.start:
        whole.load_state_dict(load(args.start)["ema"])
    if args.fixed_tokens:
        model.image_tokens.requires_grad_(False)
    names = pieces(tok)
    if run.state is None and not args.start:
        name_places(model, mixture.scenes, names, args.name_steps)
    ema = copy.deepcopy(whole).requires_grad_(False)
    opt = torch.optim.AdamW([p for p in whole.parameters() if p.requires_grad], lr=args.lr, betas=(0.9, 0.98), weight_decay=0.02)
    step, used = run.resume(whole, ema, [opt])
    torch.manual_seed(SEED + 71 + step)
    rng = np.random.default_rng((SEED, 71, step))
    last, last_save, sums, since = time.time(), time.time(), np.zeros(3), 0
    while used < args.minutes * 60:
        t0 = time.time()
        progress = used / (args.minutes * 60)
        for g in opt.param_groups:
            g["lr"] = args.lr * min(1, (step + 1) / 80) * max(0.02, min(1, 1.3 * (1 - progress)))
        x, who, prompts, said = mixture.batch(rng, N_SCENE, N_PHOTO, N_COPY)
        loss, states = loss_of(model, tok, x, prompts, said)
        who = torch.where(who == -1, len(label_texts()), who)
        chosen = (who >= 0) & ((who < len(label_texts())) | (torch.rand(who.shape) < 0.05))
        places = F.cross_entropy(head(states[:N_SCENE][chosen]), who[chosen])
        chosen &= (who < len(label_texts())) & (torch.rand(who.shape) < 0.3)
        written = -(names[who[chosen]] * model.seen(states[:N_SCENE][chosen]).log_softmax(1)).sum(1).mean()
        (loss + 0.3 * places + 0.5 * written).backward()
        torch.nn.utils.clip_grad_norm_(whole.parameters(), 1.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        average(ema, whole, step)
        step, since, sums = step + 1, since + 1, sums + [loss.item(), places.item(), written.item()]
        used += time.time() - t0
        if time.time() - last > 45:
            print(f"step {step} {used / 60:.1f} min {(time.time() - last) / since:.2f} s/step loss {sums[0] / since:.3f} places {sums[1] / since:.3f} "
                  f"written {sums[2] / since:.3f} "
                  f"held-out scenes {held_out(ema['captioner'], tok, mixture.scenes):.3f}", flush=True)
            last, sums, since = time.time(), np.zeros(3), 0
        if time.time() - last_save > 120:
            run.save(whole, ema, [opt], step, used)
            keep(ema["captioner"])
            last_save = time.time()
    run.save(whole, ema, [opt], step, used)
    keep(ema["captioner"])


if __name__ == "__main__":
    main()
