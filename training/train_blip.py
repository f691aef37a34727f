"""Train the BLIP captioner: language modelling on photographs, drawings and composed scenes.

usage: python train_blip.py [--minutes 30] [--run blip] [--clip clip]
Starts from the CLIP image tower of WORK/runs/<clip>/last.pt; resumes from its own last.pt.
"""
import argparse
import copy
import fcntl
import time

import numpy as np
import torch

import augment as A
from batches import Drawn, Photographs, prefetch
from blip import caption_ids, config, vision_from_clip
from paths import RUNS, SEED
from scenes import one
from texts import label_texts
from tokenizers_own import blip_tokenizer
from train_clip import optimisers
from vit import Clip

N_PHOTO, N_SCENE = 24, 88


def main():
    from transformers import BlipForConditionalGeneration
    ap = argparse.ArgumentParser()
    ap.add_argument("--minutes", type=float, default=30)
    ap.add_argument("--run", default="blip")
    ap.add_argument("--clip", default="clip")
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--steps", type=int, default=0, help="stop early (for trying out)")
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    folder = RUNS / args.run
    folder.mkdir(parents=True, exist_ok=True)
    lock = open(folder / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(f"the run {args.run} is being trained by another process: see its log")
    tok = blip_tokenizer()
    model = BlipForConditionalGeneration(config())
    model.text_decoder.label_smoothing = 0.05
    step, used = 0, 0.0
    state = None
    if (folder / "last.pt").exists():
        state = torch.load(folder / "last.pt", weights_only=False)
        model.load_state_dict(state["model"])
        step, used = state["step"], state["used"]
        print(f"resumed at step {step}, {used / 60:.1f} min", flush=True)
    photos, drawn = Photographs(), Drawn(share=0.8)
    rng = np.random.default_rng((SEED, 7, step))
    if not state:
        start = torch.load(RUNS / args.clip / "last.pt", weights_only=False)
        clip = Clip(start["config"])
        clip.load_state_dict({k: v for k, v in start["ema"].items() if k in clip.state_dict()}, strict=False)
        some = torch.cat([photos.batch(rng, 32)[0], drawn.scenes(rng, 96, 0.5, 0.1)[0]])
        vision_from_clip(model, clip, A.normalise(some))
        print(f"vision tower from {args.clip} at step {start['step']}", flush=True)
    names = label_texts()
    ema = copy.deepcopy(model).requires_grad_(False)
    # Muon for the image tower; the decoder normalises after its residuals and needs a lower rate, with AdamW.
    opts = optimisers(model, args.lr, mark="vision_model.encoder.layers")
    aux = torch.nn.Linear(192, len(names))
    opts.append(torch.optim.AdamW(aux.parameters(), lr=args.lr, weight_decay=0.01))
    if state and "opts" in state:
        aux.load_state_dict(state["aux"])
        ema.load_state_dict(state["ema"])
        for o, s in zip(opts, state.get("opts", [])):
            o.load_state_dict(s)
    torch.manual_seed(SEED + 7 + step)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)

    strength = [0.1]  # of the style changes, grows with progress

    def make():
        xp, yp, _, _ = photos.batch(rng, N_PHOTO)
        xc, captions, target = drawn.scenes(rng, N_SCENE, single=0.5, strength=strength[0])
        target = torch.cat([torch.nn.functional.one_hot(yp, len(names)).float(), target])
        x = torch.cat([A.photometry(xp), A.photometry(xc, grey=0.0, blur=0.05, erase=0)])
        words = [f"a photo of {one(names[i])}" for i in yp] + captions
        return A.normalise(x), target, *caption_ids(tok, words)

    def save():
        torch.save({"model": model.state_dict(), "ema": ema.state_dict(), "aux": aux.state_dict(), "opts": [o.state_dict() for o in opts],
                    "step": step, "used": used}, folder / "last.tmp")
        (folder / "last.tmp").rename(folder / "last.pt")

    last_save = last_log = time.time()
    total, total_aux, since = 0.0, 0.0, 0
    batches = prefetch(make)
    model.train()
    while used < args.minutes * 60:
        t0 = time.time()
        x, target, ids, labels = next(batches)
        progress = used / (args.minutes * 60)
        lr = args.lr * min(1, (step + 1) / 120) * max(0.01, 1 - max(0.0, progress - 0.2) / 0.8)
        strength[0] = 0.1 + 0.4 * progress
        for o, factor in zip(opts, (1.0, 1.0, 1.0)):
            for g in o.param_groups:
                g["lr"] = lr * factor
        with torch.autocast("cpu", torch.bfloat16):
            seen = model.vision_model(pixel_values=x).last_hidden_state
            loss = model.text_decoder(input_ids=ids, attention_mask=(ids > 0).long(), encoder_hidden_states=seen,
                                      labels=labels, reduction="mean").loss
            guess = aux(seen[:, 0]).float()
        # what is in the image, from the class vector (training only): teaches the image tower early
        loss_aux = -(torch.log_softmax(guess, 1) * target).sum(1).mean()
        (loss + 0.3 * loss_aux).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        for o in opts:
            o.step()
            o.zero_grad(set_to_none=True)
        d = min(0.993, (1 + step) / (20 + step))
        with torch.no_grad():
            for a, b in zip(ema.parameters(), model.parameters()):
                a.lerp_(b, 1 - d)
        step += 1
        used += time.time() - t0
        total, total_aux, since = total + loss.item(), total_aux + loss_aux.item(), since + 1
        if time.time() - last_log > 60 or step == args.steps:
            print(f"step {step} {used / 60:.1f} min lr {lr:.5f} {(time.time() - last_log) / since:.2f} s/step  "
                  f"loss {total / since:.3f} aux {total_aux / since:.3f}", flush=True)
            last_log, total, total_aux, since = time.time(), 0.0, 0.0, 0
        if step == args.steps:
            return
        if time.time() - last_save > 150:
            save()
            with torch.no_grad():
                look = slice(N_PHOTO - 3, None, 8)
                said = tok.decode_batch(ema.eval().generate(pixel_values=x[look], max_new_tokens=20).tolist())
                true = tok.decode_batch(ids[look].tolist())
            print("\n".join(f"    {a}  |  {b}" for a, b in zip(said, true)), flush=True)
            last_save = time.time()
    save()


if __name__ == "__main__":
    main()
