"""The matching heads: text encoder, projections and matching head, over the finished captioner's image tokens.

usage: python train_matching.py [--captioner captioner] [--run matching] [--minutes 10] (resumes; the result joins runs/caption)
The image tokens stay as they are. The text encoder starts as the decoder's layers. BLIP's contrastive (ITC) and matching (ITM)
objectives (Li et al., 2022), with hard negatives by the contrastive similarities and by changing one part of a sentence.
"""
import argparse
import copy
import time

import numpy as np
import torch

from caption_tokenizer import tokenizer
from captioner import WIDTH, Captioner, Matcher, keep
from matching import Mixture, losses
from paths import SEED
from runs import Run, average, load
from texts import label_texts

LARGEST_SCALE = 3.9  # of the similarities, as a logarithm


def captioner_of(run):
    """The averaged captioner of a run of train_captioner.py, and a number that tells its image tokens from others."""
    state = load(run)
    whole = torch.nn.ModuleDict({"captioner": Captioner(), "head": torch.nn.Linear(WIDTH, len(label_texts()) + 1)})
    whole.load_state_dict(state["ema"])
    tokens = whole["captioner"].image_tokens.projection.weight
    return whole["captioner"].eval().requires_grad_(False), round(tokens.double().abs().sum().item(), 3)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--captioner", default="captioner")
    ap.add_argument("--run", default="matching")
    ap.add_argument("--minutes", type=float, default=10)
    ap.add_argument("--lr", type=float, default=1.5e-3)
    args = ap.parse_args()
    run = Run(args.run, threads=1)
    tok, mixture = tokenizer(), Mixture()
    captioner, at = captioner_of(args.captioner)
    if run.state and run.state["source"] != at:
        raise SystemExit(f"the run {args.run} was trained on other image tokens than those of {args.captioner}: give it another name")
    model = Matcher()
    model.start_from(captioner.text_decoder)
    ema = copy.deepcopy(model).requires_grad_(False)
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=0.02)
    step, used = run.resume(model, ema, [opt])
    torch.manual_seed(SEED + 47 + step)
    rng = np.random.default_rng((SEED, 47, step))
    last, last_save, sums, since = time.time(), time.time(), np.zeros(4), 0
    while used < args.minutes * 60:
        t0 = time.time()
        for g in opt.param_groups:
            g["lr"] = args.lr * min(1, (step + 1) / 60) * max(0.02, min(1, 1.3 * (1 - used / (args.minutes * 60))))
        x, shown, texts, wrong = mixture.batch(rng)
        loss, parts = losses(model, captioner.image_tokens(x), shown, texts, wrong, tok)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        opt.zero_grad(set_to_none=True)
        with torch.no_grad():
            model.log_scale.clamp_(max=LARGEST_SCALE)
        average(ema, model, step)
        step, since, sums = step + 1, since + 1, sums + parts
        used += time.time() - t0
        if time.time() - last > 45:
            s = sums / since
            print(f"step {step} {used / 60:.1f} min {(time.time() - last) / since:.2f} s/step itc {s[0]:.3f} itm {s[1]:.3f} right: true {s[2]:.3f} "
                  f"wrong {s[3]:.3f} scale {model.log_scale.exp().item():.1f}", flush=True)
            last, sums, since = time.time(), np.zeros(4), 0
        if time.time() - last_save > 120:
            run.save(model, ema, [opt], step, used, source=at)
            keep(matcher=ema)
            last_save = time.time()
    run.save(model, ema, [opt], step, used, source=at)
    keep(matcher=ema)


if __name__ == "__main__":
    main()
