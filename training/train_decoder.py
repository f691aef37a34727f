"""First phase of the captioner: only the decoder, on cached features of a fixed image tower.

usage: python train_decoder.py [--clip clip2] [--run blip] [--minutes 6]
Reads the images of cache_scenes.py, runs the BLIP image tower made from the CLIP
run once over them, and trains the decoder on the results: many more steps than
training both would give in the same time. Writes WORK/runs/<run>/last.pt, from
which train_blip.py goes on with both parts.
"""
import argparse
import glob
import json
import time

import numpy as np
import torch

import augment as A
from blip import caption_ids, config, vision_from_clip
from paths import CACHE, RUNS, SEED
from tokenizers_own import blip_tokenizer
from vit import Clip


def main():
    from transformers import BlipForConditionalGeneration
    ap = argparse.ArgumentParser()
    ap.add_argument("--clip", default="clip2")
    ap.add_argument("--run", default="blip")
    ap.add_argument("--minutes", type=float, default=6)
    ap.add_argument("--lr", type=float, default=1.5e-3)
    ap.add_argument("--batch", type=int, default=192)
    args = ap.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(SEED)
    tok = blip_tokenizer()
    model = BlipForConditionalGeneration(config())
    model.text_decoder.label_smoothing = 0.05
    start = torch.load(RUNS / args.clip / "last.pt", weights_only=False)
    clip = Clip(start["config"])
    clip.load_state_dict({k: v for k, v in start["ema"].items() if k in clip.state_dict()})
    files = sorted(glob.glob(str(CACHE / "captioned-*.npy")))
    as_input = lambda a: A.normalise(torch.from_numpy(a).float() / 255)
    vision_from_clip(model, clip, as_input(np.load(files[0], mmap_mode="r")[:256]))
    print(f"tower from {args.clip} at step {start['step']}; {len(files)} files", flush=True)
    feats, captions, t = [], [], time.time()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for f in files:
            images = np.load(f, mmap_mode="r")
            captions += json.loads(open(f[:-4] + ".json").read())
            for i in range(0, len(images), 224):
                feats.append(model.vision_model(pixel_values=as_input(images[i:i + 224])).last_hidden_state.bfloat16())
    feats = torch.cat(feats).clone()
    ids, labels = caption_ids(tok, captions)
    n = len(ids) - 448
    print(f"{len(ids)} features in {time.time() - t:.0f} s", flush=True)
    params = [p for q, p in model.named_parameters() if q.startswith("text_decoder")]
    opt = torch.optim.AdamW(params, lr=args.lr, betas=(0.9, 0.98), weight_decay=0.02)
    begin = last = time.time()
    step, total, since = 0, 0.0, 0
    model.train()

    def loss_of(i):
        with torch.autocast("cpu", torch.bfloat16):
            w = int((ids[i] > 0).sum(1).max())
            return model.text_decoder(input_ids=ids[i, :w], attention_mask=(ids[i, :w] > 0).long(), labels=labels[i, :w],
                                      encoder_hidden_states=feats[i].float(), reduction="mean").loss

    while time.time() - begin < args.minutes * 60:
        progress = (time.time() - begin) / (args.minutes * 60)
        for g in opt.param_groups:
            g["lr"] = args.lr * min(1, (step + 1) / 100) * max(0.02, min(1, 1.25 * (1 - progress)))
        loss = loss_of(torch.randint(0, n, (args.batch,)))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        step, total, since = step + 1, total + loss.item(), since + 1
        if time.time() - last > 30:
            with torch.no_grad():
                held = loss_of(torch.arange(n, n + 192)).item()
            print(f"step {step} {(time.time() - last) / since:.2f} s/step loss {total / since:.3f} held out {held:.3f}", flush=True)
            last, total, since = time.time(), 0.0, 0
    folder = RUNS / args.run
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.state_dict(), "ema": model.state_dict(), "step": step, "used": 0.0}, folder / "last.pt")


if __name__ == "__main__":
    main()
