"""The text tower: CLIP's architecture, small, taught the teacher's vectors (teacher.py).

Loss: the angle to the target; which target of the batch is the text's own; and, for images of all kinds, the answers:
how the scores of the batch's texts for an image differ from those that the targets give.

usage: python train_text.py --head head --run text --minutes 25 (resumes)
"""
import argparse
import copy
import time

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

import text_tokenizer
from image_head import DIM, Data, load_head
from muon import Muon
from paths import CACHE, RUNS, SEED
from runs import Run, average, load

TEMPLATES = ["a photo of a {}.", "a photo of a {}", "{}", "a photo of the {}.", "a {}", "a picture of a {}.", "a photo of {}.",
             "an image of a {}", "a close-up photo of a {}.", "a bad photo of a {}.", "a photo of many {}.", "a drawing of a {}.",
             "a cropped photo of a {}.", "a photo of one {}.", "itap of a {}.", "a photo of a small {}.", "a photo of a large {}.",
             "a good photo of a {}.", "art of the {}.", "a origami {}.", "a {} in a video game.", "the {}", "an icon of a {}"]
TEMPLATE_WEIGHT = np.array([0.4 if i == 0 else 0.12 if i < 4 else 0.24 / (len(TEMPLATES) - 4) for i in range(len(TEMPLATES))])
LENGTH = 32


def config(vocab, start, end):
    return CLIPTextConfig(vocab_size=vocab, hidden_size=192, intermediate_size=768, num_hidden_layers=3, num_attention_heads=3,
                          max_position_embeddings=LENGTH, hidden_act="gelu", projection_dim=DIM, bos_token_id=start,
                          eos_token_id=end, pad_token_id=end, attn_implementation="sdpa")


def tokenizer(targets):
    """The run's tokenizer, the same for all runs: made of the texts of the first."""
    file = CACHE / "text-tokenizer.json"
    if not file.exists():
        t = targets
        corpus = list(t["texts"]) * 2 + list(t["others"]) + [x.format(w) for w in t["texts"][::20] for x in TEMPLATES]
        text_tokenizer.train([str(c) for c in corpus], file)
    return Tokenizer.from_file(str(file))


def encode(tok, texts):
    """ids (n, length) of texts, padded with the end token, and the mask of what is text."""
    ids = [e.ids[:LENGTH] for e in tok.encode_batch(list(texts))]
    end = tok.token_to_id("<|endoftext|>")
    for i in ids:
        i[-1] = end
    n = max(map(len, ids))
    out, mask = torch.full((len(ids), n), end), torch.zeros(len(ids), n, dtype=torch.long)
    for k, i in enumerate(ids):
        out[k, :len(i)], mask[k, :len(i)] = torch.tensor(i), 1
    return out, mask


def vectors(net, tok, texts, parts=5):
    """(n, dim) unit vectors. No mask is needed: the tower is causal, and the first end token is what is read.

    In `parts` of texts that are about as long as each other, so that little is padded.
    """
    ids, mask = encode(tok, texts)
    lengths, out = mask.sum(1), []
    order = lengths.argsort()
    for part in order.tensor_split(min(parts, len(texts))):
        out.append(net(input_ids=ids[part, :lengths[part].max()]).text_embeds)
    return F.normalize(torch.cat(out)[order.argsort()], dim=1)


@torch.no_grad()
def embed(net, tok, texts, template="a photo of a {}."):
    net.eval()
    out = torch.cat([vectors(net, tok, [template.format(t) for t in texts[s:s + 256]]) for s in range(0, len(texts), 256)])
    net.train()
    return out


def text_tower(run):
    """The tokenizer, and the averaged tower of a run."""
    tok = tokenizer(None)
    net = CLIPTextModelWithProjection(config(tok.get_vocab_size(), tok.token_to_id("<|startoftext|>"), tok.token_to_id("<|endoftext|>")))
    net.load_state_dict(load(run)["ema"])
    return tok, net.eval()


def images(head, data, n=6000):
    """(n, dim) vectors of made-up and real images of all kinds, and their rows."""
    third = n // 3
    c = head.keep[torch.randint(len(head.keep), (third,))]
    i, j = torch.randint(len(data.photos), (third,)), torch.randint(len(data.drawings), (third,))
    x = torch.cat([data.sample_classes(c), data.photos[i], data.drawings[j].float()])
    return head(x)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--head", default="head")
    ap.add_argument("--run", default="text")
    ap.add_argument("--minutes", type=float, default=25)
    ap.add_argument("--lr", type=float, default=4e-3)
    args = ap.parse_args()
    run = Run(args.run, threads=1)
    t = np.load(RUNS / args.head / "targets.npz")
    tok = tokenizer(t)
    start, end = tok.token_to_id("<|startoftext|>"), tok.token_to_id("<|endoftext|>")
    net = CLIPTextModelWithProjection(config(tok.get_vocab_size(), start, end))
    ema = copy.deepcopy(net)
    blocks = [p for n, p in net.named_parameters() if p.dim() == 2 and ".layers." in n]
    rest = [p for n, p in net.named_parameters() if not (p.dim() == 2 and ".layers." in n)]
    opts = [Muon(blocks, args.lr), torch.optim.AdamW(rest, args.lr, weight_decay=0.01, betas=(0.9, 0.98))]
    step, used = run.resume(net, ema, opts)
    known, Y = [str(x) for x in t["texts"]], torch.from_numpy(t["Y"])
    others, V = [str(x) for x in t["others"]], torch.from_numpy(t["V"])
    p = t["weight"] ** 0.7
    p = p / p.sum()
    torch.manual_seed(SEED + step)
    rng = np.random.default_rng((SEED, step))
    data = Data(1)
    head, f = load_head(args.head, data)
    with torch.no_grad():
        pictures = images(head, data)
    scale = f["head"]["scale"].exp()
    del data
    print(f"{sum(x.numel() for x in net.parameters()) / 1e6:.2f} M parameters, {len(known)} texts known, {len(others)} others", flush=True)
    n_known, n_other = 176, 64
    last = time.time()
    sums, since, last_log, last_save = np.zeros(4), 0, time.time(), time.time()
    while used < args.minutes * 60:
        share = used / (args.minutes * 60)
        for o in opts:
            for g in o.param_groups:
                g["lr"] = args.lr * min(1, (step + 1) / 50) * max(0.01, 1 - max(0.0, share - 0.1) / 0.9)
        a, b = rng.choice(len(known), n_known, replace=False, p=p), rng.choice(len(others), n_other, replace=False)
        texts = [known[i] for i in a] + [others[i] for i in b]
        which = rng.choice(len(TEMPLATES), len(texts), p=TEMPLATE_WEIGHT)
        got = vectors(net, tok, [TEMPLATES[w].format(x) for w, x in zip(which, texts)])
        want = torch.cat([Y[torch.from_numpy(a)], V[torch.from_numpy(b)]])
        angle = 1 - (got * want).sum(1)
        alike = 30 * got @ want.T
        same = (want @ want.T > 0.995) & ~torch.eye(len(want), dtype=torch.bool)
        which_one = F.cross_entropy(alike.masked_fill(same, -1e4), torch.arange(len(want)))
        z = pictures[torch.randint(len(pictures), (512,))]
        asked, answered = scale * z @ want.T, scale * z @ got.T
        answers = F.kl_div(answered.log_softmax(1), asked.log_softmax(1), reduction="batchmean", log_target=True)
        loss = 2 * angle.mean() + 0.4 * which_one + 0.5 * answers
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        for o in opts:
            o.step()
            o.zero_grad(set_to_none=True)
        average(ema, net, step)
        step += 1
        now = time.time()
        used, last = used + now - last, now
        sums += [angle[:n_known].mean().item(), angle[n_known:].mean().item(), which_one.item(), answers.item()]
        since += 1
        if now - last_log > 60:
            print(f"step {step} {used / 60:.1f} min {(now - last_log) / since:.2f} s/step  angle known {sums[0] / since:.3f} others {sums[1] / since:.3f} "
                  f"which {sums[2] / since:.3f} answers {sums[3] / since:.3f}", flush=True)
            sums, since, last_log = np.zeros(4), 0, now
        if now - last_save > 200 or used >= args.minutes * 60:
            run.save(net, ema, opts, step, used)
            last_save = now


if __name__ == "__main__":
    main()
