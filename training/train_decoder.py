"""Third phase of the captioner: its decoder, on features of the finished image tower.

usage: python train_decoder.py [--tower tower] [--run blip] [--minutes 20] [--scenes 60000]
Composes scenes and photo crops, runs the tower of WORK/runs/<tower>/last.pt once over
them and trains the decoder on the results: many more steps than training both would
give in the same time. The features stay in CACHE/features-<tower>-<its step>-<scenes>.pt.
Writes WORK/runs/<run>/last.pt, with both parts; resumes from it.
"""
import argparse
import copy
import time

import numpy as np
import torch
from transformers import BlipForConditionalGeneration

import augment as A
from batches import Drawn, Photographs, prefetch
from blip import caption_ids, config
from paths import CACHE, SEED
from runs import Run, average, fast, load
from scenes import one
from texts import label_texts
from tokenizers_own import blip_tokenizer

N_PHOTO, N_SCENE = 24, 168
HELD_OUT = 960


@torch.inference_mode()
def features(tower, n):
    """(n, tokens, D) features of photo crops and scenes as float16, and their captions."""
    photos, drawn, names = Photographs(), Drawn(share=0.85), label_texts()
    rng = np.random.default_rng((SEED, 31))
    torch.manual_seed(SEED + 31)

    def make():
        xp, yp, _, _ = photos.batch(rng, N_PHOTO)
        xc, said, _, _ = drawn.scenes(rng, N_SCENE, single=0.4, strength=0.1)
        x = torch.cat([A.photometry(xp, erase=0), A.photometry(xc, grey=0.0, blur=0.03, erase=0)])
        return A.normalise(x), [f"a photo of {one(names[i])}" for i in yp] + said

    feats, captions, t = [], [], time.time()
    batches = prefetch(make)
    while len(captions) < n:
        x, said = next(batches)
        with fast():
            feats.append(tower(pixel_values=x).last_hidden_state.half())
        captions += said
    print(f"{len(captions)} features in {time.time() - t:.0f} s", flush=True)
    return torch.cat(feats), captions


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--tower", default="tower")
    ap.add_argument("--run", default="blip")
    ap.add_argument("--minutes", type=float, default=20)
    ap.add_argument("--scenes", type=int, default=60000)
    ap.add_argument("--lr", type=float, default=1.5e-3)
    ap.add_argument("--batch", type=int, default=192)
    args = ap.parse_args()
    run = Run(args.run)
    tok = blip_tokenizer()
    model = BlipForConditionalGeneration(config())
    model.text_decoder.label_smoothing = 0.05
    tower = load(args.tower)
    model.vision_model.load_state_dict({k[6:]: v for k, v in tower["ema"].items() if k.startswith("tower.")})
    source = f"{args.tower}-{tower['step']}-{args.scenes}"
    cached = CACHE / f"features-{source}.pt"
    if not cached.exists():
        torch.save(features(model.vision_model.eval(), args.scenes), cached.with_suffix(".tmp"))
        cached.with_suffix(".tmp").rename(cached)
    feats, captions = torch.load(cached)
    ids, labels = caption_ids(tok, captions)
    n = len(ids) - HELD_OUT
    ema = copy.deepcopy(model).requires_grad_(False)
    params = [p for q, p in model.named_parameters() if q.startswith("text_decoder")]
    opt = torch.optim.AdamW(params, lr=args.lr, betas=(0.9, 0.98), weight_decay=0.02)
    if run.state and run.state["source"] != source:
        raise SystemExit(f"the run {args.run} was trained on {run.state['source']}, not on {source}: give it another name")
    step, used = run.resume(model, ema, [opt])
    torch.manual_seed(SEED + 37 + step)

    def loss_of(model, i):
        w = int((ids[i] > 0).sum(1).max())
        with fast():
            return model.text_decoder(input_ids=ids[i, :w], attention_mask=(ids[i, :w] > 0).long(), labels=labels[i, :w],
                                      encoder_hidden_states=feats[i].float(), reduction="mean").loss

    last, last_save, total, since = time.time(), time.time(), 0.0, 0
    while used < args.minutes * 60:
        t0 = time.time()
        progress = used / (args.minutes * 60)
        for g in opt.param_groups:
            g["lr"] = args.lr * min(1, (step + 1) / 200) * max(0.02, min(1, 1.25 * (1 - progress)))
        loss = loss_of(model, torch.randint(0, n, (args.batch,)))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        average(ema, model, step)
        step, total, since = step + 1, total + loss.item(), since + 1
        used += time.time() - t0
        if time.time() - last > 30:
            with torch.no_grad():
                held = loss_of(ema, torch.arange(n, len(ids))).item()
            print(f"step {step} {used / 60:.1f} min {(time.time() - last) / since:.2f} s/step loss {total / since:.3f} "
                  f"held out {held:.3f}", flush=True)
            last, total, since = time.time(), 0.0, 0
        if time.time() - last_save > 150:
            run.save(model, ema, [opt], step, used, source=source)
            last_save = time.time()
    run.save(model, ema, [opt], step, used, source=source)


if __name__ == "__main__":
    main()
