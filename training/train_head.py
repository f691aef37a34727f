"""The image head (image_head.py) and a vector for every concept, fitted together: DeViSE (Frome et al. 2013) with the
concepts' vectors learnt rather than taken from word embeddings.

usage: python train_head.py --run head [--steps 1500] [--heldout] [--text RUN --start RUN]
With --heldout the classes of knowledge/heldout.txt are unknown: their rows of the classifier go, and with them every
concept that only they show. With --text the vectors are those that a finished text tower gives the concepts' texts, and
stay; the image head goes on from the run --start, learns the words as they came out, and gets its rows for drawings.
"""
import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F

import knowledge as K
from image_head import Data, Head, fit_drawn, heldout, load_head
from paths import RUNS, SEED
from train_text import embed, text_tower


def start_bank(head, data, truth):
    """A first vector for every concept: the mean of what its rows have."""
    vectors = torch.zeros(len(truth), head.P.out_features)
    with torch.no_grad():
        vectors[head.keep] = head.start
        for label in data.label.unique():
            vectors[K.CLASSES + label] = F.normalize(head(data.photos[data.label == label][:200]).mean(0), dim=0)
        for d in data.drawing.unique():
            vectors[K.CLASSES + 159 + d] = F.normalize(head(data.drawings[data.drawing == d][:60].float()).mean(0), dim=0)
    positive = (truth == 1).float()
    return F.normalize(positive.T @ vectors + 1e-4 * torch.randn(truth.shape[1], vectors.shape[1]), dim=1)


class TextBank:
    """The vectors of a finished text tower for the texts of all concepts, one text of each drawn for a step."""

    def __init__(self, run, things):
        every = sorted({t for c in things for t, _ in c.texts})
        at, most = {t: i for i, t in enumerate(every)}, max(len(c.texts) for c in things)
        tok, net = text_tower(run)
        self.vectors = embed(net, tok, every)
        self.which, self.weight = torch.zeros(len(things), most, dtype=torch.long), torch.zeros(len(things), most)
        for k, c in enumerate(things):
            for j, (t, w) in enumerate(c.texts):
                self.which[k, j], self.weight[k, j] = at[t], w

    def mean(self):
        return F.normalize((self.vectors[self.which] * self.weight[..., None]).sum(1), dim=1)

    def draw(self):
        chosen = torch.multinomial(self.weight, 1)
        return self.vectors[self.which.gather(1, chosen)[:, 0]]


def go_on(head, before, names):
    """Puts what `before` learnt into `head`, and the vectors `names` of the drawings' names into its new columns."""
    with torch.no_grad():
        head.P.load_state_dict(before.P.state_dict())
        head.scale.copy_(before.scale)
        size = before.Q.weight.norm(dim=0).mean()
        head.Q.weight.copy_(torch.cat([before.Q.weight, names.T * size], 1))


def direct_tags(things):
    """(rows, tags) float: the most specific tags of each row, of equal weight, zero where it has none; columns of tag concepts."""
    at = {c.key: j for j, c in enumerate(c for c in things if c.group == "tag")}
    out = torch.zeros(len(K.rows()), len(at))
    for r, k in enumerate(K.rows()):
        for t in k.tags:
            out[r, at[t]] = 1 / len(k.tags)
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--run", default="head")
    ap.add_argument("--steps", type=int, default=1500)
    ap.add_argument("--heldout", action="store_true")
    ap.add_argument("--text")
    ap.add_argument("--start")
    args = ap.parse_args()
    if bool(args.text) != bool(args.start):
        ap.error("--text and --start go together")
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    data, things = Data(), K.concepts()
    truth = torch.from_numpy(K.truth()).clone()
    without = heldout() if args.heldout else []
    if without:
        only = (truth == 1)
        only[without] = False
        truth[:, ~only.any(0)] = -1
        truth[without] = -1
    group = np.array([c.group for c in things])
    column = {g: torch.from_numpy((group == g).nonzero()[0]) for g in ("class", "photo", "drawing", "tag", "hypernym")}
    keep = torch.tensor([i for i in range(K.CLASSES) if i not in set(without)])
    # the concept that carries each drawing's name: a tag where there is one
    where = {c.key: j for j, c in enumerate(things) if c.group in ("tag", "drawing")}
    drawn = torch.tensor([where[k.key] for k in K.drawing_kinds()])
    asked = column["tag"][(truth[:, column["tag"]] == 1).any(0)]
    direct = direct_tags(things)[:, (truth[:, column["tag"]] == 1).any(0)]
    unknown = ~(truth == 1).any(0)
    head = Head(data, without=without, drawn=bool(args.text))
    texts = TextBank(args.text, things) if args.text else None
    if args.text:
        go_on(head, load_head(args.start, data)[0], texts.mean()[drawn])
        fit_drawn(head, data)
    bank = torch.nn.Parameter(texts.mean() if texts else start_bank(head, data, truth), requires_grad=texts is None)
    opt = torch.optim.AdamW([{"params": [bank], "lr": 3e-3, "weight_decay": 0.0},
                             {"params": [*head.P.parameters(), *head.Q.parameters()], "lr": 1e-3, "weight_decay": 0.02},
                             {"params": [head.scale], "lr": 2e-3, "weight_decay": 0.0}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, [3e-3, 1e-3, 2e-3], args.steps, pct_start=0.1)
    n_class, n_photo, n_drawing = 208, 128, 176
    photo_weight = torch.bincount(data.label, minlength=159).float().clamp(min=1)[data.label] ** -0.4
    drawing_weight = torch.where(data.main_style, 1.0, 0.4)
    named = torch.zeros(len(truth), dtype=torch.long)  # the concept that each row is
    named[:K.CLASSES] = column["class"]
    named[K.CLASSES:K.CLASSES + 159] = column["photo"]
    named[K.CLASSES + 159:] = drawn
    t0, sums = time.time(), 0
    for step in range(args.steps):
        c = keep[torch.randint(len(keep), (n_class,))]
        i = torch.multinomial(photo_weight, n_photo, replacement=True)
        j = torch.multinomial(drawing_weight, n_drawing, replacement=True)
        noise = data.deviations[torch.randint(len(data.deviations), (n_photo + n_drawing,))]
        x = torch.cat([data.sample_classes(c), data.photos[i], data.drawings[j].float()])
        x[n_class:] += noise * torch.rand(len(noise), 1) * 0.35
        row = torch.cat([c, K.CLASSES + data.label[i], K.CLASSES + 159 + data.drawing[j]])
        s = head.scale.exp() * head(x) @ (texts.draw() if texts else F.normalize(bank, dim=1)).T
        y = truth[row]
        own = named[row]
        # among the classes: what the classifier says, and the class itself
        with torch.no_grad():
            q = head.photographed(x[:n_class + n_photo]).softmax(1)
            q[:n_class] *= 0.5
            q[torch.arange(n_class), torch.searchsorted(keep, c)] += 0.5
        among_classes = -(q * s[:n_class + n_photo][:, column["class"][keep]].log_softmax(1)).sum(1).mean()
        among_photos = F.cross_entropy(s[n_class:n_class + n_photo][:, column["photo"]], data.label[i], label_smoothing=0.05)
        among_drawings = F.cross_entropy(s[n_class + n_photo:][:, drawn], data.drawing[j], label_smoothing=0.05)
        # among the tags: the most specific ones, for a class those of all that the classifier holds possible
        target = direct[row].clone()
        target[:n_class] = 0.5 * target[:n_class] + 0.5 * q[:n_class] @ direct[keep]
        has = target.sum(1) > 0.3
        target = target / target.sum(1, keepdim=True).clamp(min=1e-6)
        allowed = s[:, asked]
        finer = (y[:, asked] == -1)
        among_tags = -(target * allowed.masked_fill(finer & (target == 0), -1e4).log_softmax(1)).sum(1)[has].mean()
        # every right concept before every wrong one; what nothing shows counts little
        wrong = torch.where((y == 0) | (unknown & (torch.rand(len(unknown)) < 0.1)), s, -1e4).logsumexp(1, keepdim=True)
        right = (y == 1).float()
        right[torch.arange(len(row)), own] = 0
        ordered = F.softplus(wrong - s)
        loss_order = ((ordered * right).sum(1) / right.sum(1).clamp(min=1)).mean()
        loss_own = ordered[torch.arange(len(row)), own].mean()
        loss = among_classes + among_photos + 0.7 * among_drawings + among_tags + loss_order + 0.5 * loss_own
        opt.zero_grad()
        loss.backward()
        opt.step()
        schedule.step()
        sums += np.array([v.item() for v in (among_classes, among_photos, among_drawings, among_tags, loss_order, loss_own)])
        if (step + 1) % 200 == 0:
            with torch.no_grad():
                z = head(data.val)
                b = F.normalize(bank, dim=1)
                val = (z @ b[column["photo"]].T).argmax(1)
                tag = (z @ b[asked].T).argmax(1)
                right_tag = torch.tensor([truth[K.CLASSES + data.val_label[k], asked[tag[k]]] == 1 for k in range(len(tag))])
                has_tag = torch.tensor([bool(K.photo_kinds()[k].tags) for k in data.val_label])
            print(f"{step + 1} {time.time() - t0:.0f} s classes {sums[0] / 200:.3f} photos {sums[1] / 200:.3f} drawings {sums[2] / 200:.3f} "
                  f"tags {sums[3] / 200:.3f} order {sums[4] / 200:.3f} own {sums[5] / 200:.3f} scale {head.scale.exp():.1f}  "
                  f"val first of 159 {(val == data.val_label).float().mean():.4f} first tag right {right_tag[has_tag].float().mean():.4f}", flush=True)
            sums = 0
    folder = RUNS / args.run
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"head": head.state_dict(), "bank": F.normalize(bank.data, dim=1), "known": ~unknown, "without": without,
                "concepts": [(c.group, c.key, c.texts) for c in things]}, folder / "head.pt")


if __name__ == "__main__":
    main()
