"""Last phase of the captioner: text encoder, projections and matching head, on features of the finished image tower.

usage: python train_matching.py [--blip blip] [--run matching] [--steps 3000] [--scenes 48000]
Image tower and decoder stay as WORK/runs/<blip>/last.pt has them. The text encoder starts as the
decoder's layers. Two objectives, as in BLIP (Li et al., 2022): the contrastive one (ITC) and the
matching one (ITM) with hard negatives, drawn by the contrastive similarities, made by changing one
part of a sentence, and said by the decoder.
The features stay in CACHE/matching-<blip>-<its step>-<scenes>.pt. Writes WORK/runs/<run>/last.pt;
resumes from it. The learning rate follows the share of `--steps` done.
"""
import argparse
import copy
import time

import numpy as np
import torch
from transformers import BlipForConditionalGeneration

import augment as A
from batches import Drawn, prefetch
from blip import MAX_WORDS, config
from matching import Matcher, Mixture, losses, nearest_names
from paths import CACHE, IMAGE, SEED
from photos import Photos, crop, random_box
from runs import Run, average, fast, load
from tokenizers_own import blip_tokenizer

VIEWS = 4
CHUNK = 192
HELD_OUT = 960
LARGEST_SCALE = 3.9  # of the similarities, as a logarithm


def photo_views(photos, rng):
    """Batches of VIEWS views of every photograph: (x (B, 3, S, S), labels).

    The first is the whole picture made square, as the captioner's image processor makes it.
    """
    for view in range(VIEWS):
        for start in range(0, len(photos), CHUNK):
            index = range(start, min(start + CHUNK, len(photos)))
            x = np.empty((len(index), IMAGE, IMAGE, 3), np.uint8)
            for j, i in enumerate(index):
                h, w = photos.shapes[i]
                box = random_box(rng, h, w, scale=(0.35, 1.0)) if view else (0, 0, w, h)
                x[j] = crop(photos[i], box, IMAGE, view and rng.random() < 0.5)
            x = torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255
            yield A.normalise(A.photometry(x, erase=0.1) if view else x), torch.from_numpy(photos.y[index.start:index.stop])


def sampled(model, states, tok):
    """One caption of every image by nucleus sampling: what the decoder says, right and wrong."""
    start = torch.full((len(states), 1), tok.token_to_id("[DEC]"))
    ids = model.text_decoder.generate(
        input_ids=start, attention_mask=torch.ones_like(start), encoder_hidden_states=states, max_new_tokens=MAX_WORDS - 2,
        eos_token_id=tok.token_to_id("[SEP]"), pad_token_id=tok.token_to_id("[PAD]"), do_sample=True, top_p=0.9, top_k=0)
    return tok.decode_batch(ids.tolist())


@torch.inference_mode()
def features(model, tok, n):
    """States of photo views and of `n` scenes as float16, with labels, (caption, names) and the decoder's own captions."""
    rng = np.random.default_rng((SEED, 41))
    torch.manual_seed(SEED + 41)
    t = time.time()
    out = {"photos": [], "labels": [], "scenes": [], "captions": [], "said": []}
    for x, y in photo_views(Photos("train"), rng):
        with fast():
            out["photos"].append(model.vision_model(pixel_values=x).last_hidden_state.half())
        out["labels"].append(y)
    print(f"{sum(map(len, out['labels']))} views of photographs in {time.time() - t:.0f} s", flush=True)
    drawn = Drawn(share=0.85)

    def make():
        x, captions, target, _ = drawn.scenes(rng, CHUNK, single=0.4, strength=0.1)
        names = [[drawn.texts[k] for k in row.nonzero()[:, 0]] for row in target]
        return A.normalise(A.photometry(x, grey=0.0, blur=0.03, erase=0)), list(zip(captions, names))

    batches = prefetch(make)
    while len(out["captions"]) < n:
        x, captions = next(batches)
        with fast():
            states = model.vision_model(pixel_values=x).last_hidden_state
            out["said"] += sampled(model, states, tok)
        out["scenes"].append(states.half())
        out["captions"] += captions
    print(f"{len(out['captions'])} scenes in {time.time() - t:.0f} s", flush=True)
    return {k: torch.cat(v) if k in ("photos", "labels", "scenes") else v for k, v in out.items()}


def held_out(model, tok, mixture):
    """The two losses and the right answers on matching and other pairs of scenes that training leaves out."""
    rng, state = np.random.default_rng(SEED + 43), torch.get_rng_state()
    torch.manual_seed(SEED + 43)
    with torch.no_grad():
        rows = [losses(model, mixture.batch(rng, held=True), tok)[1] for _ in range(4)]
    torch.set_rng_state(state)
    return np.mean(rows, 0)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--blip", default="blip")
    ap.add_argument("--run", default="matching")
    ap.add_argument("--steps", type=int, default=3000)
    ap.add_argument("--scenes", type=int, default=48000)
    ap.add_argument("--lr", type=float, default=1.3e-3)
    args = ap.parse_args()
    run = Run(args.run)
    tok = blip_tokenizer()
    blip = load(args.blip)
    captioner = BlipForConditionalGeneration(config())
    captioner.load_state_dict(blip["ema"])
    source = f"{args.blip}-{blip['step']}-{args.scenes}"
    if run.state and run.state["source"] != source:
        raise SystemExit(f"the run {args.run} was trained on {run.state['source']}, not on {source}: give it another name")
    cached = CACHE / f"matching-{source}.pt"
    if not cached.exists():
        torch.save(features(captioner.eval(), tok, args.scenes), cached.with_suffix(".tmp"))
        cached.with_suffix(".tmp").rename(cached)
    mixture = Mixture(torch.load(cached), tok, HELD_OUT)
    model = Matcher()
    model.start_from(captioner.text_decoder)
    ema = copy.deepcopy(model).requires_grad_(False)
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=0.02)
    step, used = run.resume(model, ema, [opt])
    torch.manual_seed(SEED + 47 + step)
    rng = np.random.default_rng((SEED, 47, step))
    last_save = last = time.time()
    sums, since = np.zeros(4), 0
    while step < args.steps:
        t0 = time.time()
        if step >= 200 and (mixture.near is None or step % 200 == 0):
            mixture.near = nearest_names(ema, tok, mixture.words)
        for g in opt.param_groups:
            g["lr"] = args.lr * min(1, (step + 1) / 150) * max(0.02, min(1, 1.25 * (1 - step / args.steps)))
        loss, parts = losses(model, mixture.batch(rng), tok)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        with torch.no_grad():
            model.log_scale.clamp_(max=LARGEST_SCALE)
        average(ema, model, step)
        step, used = step + 1, used + time.time() - t0
        sums, since = sums + parts, since + 1
        if step % 100 == 0:
            mean = sums / since
            print(f"step {step} {used / 60:.1f} min {(time.time() - last) / since:.2f} s/step  itc {mean[0]:.3f} "
                  f"itm {mean[1]:.3f} right: matching {mean[2]:.3f} other {mean[3]:.3f} scale {model.log_scale.exp().item():.1f}", flush=True)
            last, sums, since = time.time(), np.zeros(4), 0
        if step % 400 == 0:
            held = held_out(ema, tok, mixture)
            print(f"  held out: itc {held[0]:.3f} itm {held[1]:.3f} right: matching {held[2]:.3f} other {held[3]:.3f}", flush=True)
        if time.time() - last_save > 150:
            run.save(model, ema, [opt], step, used, source=source)
            last_save = time.time()
    run.save(model, ema, [opt], step, used, source=source)


if __name__ == "__main__":
    main()
