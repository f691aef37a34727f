"""The image head and a vector for every concept, fitted together on features of the frozen tower.

    z = normalise(P s(x) + p + Q softmax(W x + w)),   s(x) = (x - mean) / deviation

W and w are the tower's own classifier. Of ImageNet's classes there are no pictures here, so pictures of a class are
made up in feature space: a mean for the class, from the classifier's weights and the photographs' covariance (what
linear discriminant analysis would have to see to arrive at that classifier), and a photograph's deviation from the mean
of its own label. Photographs and drawings have their real features. This is DeViSE (Frome et al. 2013) with the
concepts' vectors learnt rather than taken from word embeddings.

usage: python train_head.py --run head [--steps 1500] [--heldout]
With --heldout the classes of knowledge/heldout.txt are unknown: their rows of the classifier go, and with them every
concept that only they show.
"""
import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F

import knowledge as K
from drawing_features import features as drawing_features
from drawings import MORE_STYLES, TRAIN_STYLES, load
from paths import KNOWLEDGE, RUNS, SEED
from photo_features import features as photo_features
from photos import labels as photo_labels
from photos import rows as photo_rows
from texts import label_texts
from tower import classifier

DIM = 384
DRAWING_ROUNDS = 3  # of drawing_features.py; the round after them is for validation
KNOWN_AGAIN = 0.85  # between the classifier's published accuracies on its validation and training pictures


def heldout():
    """Indices of the classes that the second run leaves out."""
    ids = {line.split()[0] for line in (KNOWLEDGE / "heldout.txt").read_text().splitlines() if line and not line.startswith("#")}
    return [i for i, k in enumerate(K.classes()) if k.key in ids]


class Data:
    """Features and rows (see knowledge.rows) of photographs and drawings, and made-up ones of ImageNet's classes."""

    def __init__(self, views=1):
        names = photo_labels()
        index = lambda part: torch.tensor([names.index(label) for _, label in photo_rows(part)])
        f = [torch.from_numpy(photo_features("train", v)).float() for v in range(views)]
        self.photos = torch.cat(f)
        self.label = index("train").repeat(views)
        self.val, self.val_label = torch.from_numpy(photo_features("val", 0)).float(), index("val")
        d = torch.from_numpy(drawing_features(DRAWING_ROUNDS))
        texts, drawn = label_texts(), [k.key for k in K.drawing_kinds()]
        y, style = load(TRAIN_STYLES + MORE_STYLES)[1:3]
        self.drawings = d.flatten(0, 1)
        self.drawing = torch.tensor([drawn.index(texts[i]) for i in y]).repeat(len(d))
        self.main_style = torch.from_numpy(style < len(TRAIN_STYLES)).repeat(len(d))
        self.W, self.w = classifier()
        self.mean, self.std = self.photos.mean(0), self.photos.std(0) + 1e-3
        self.made_up()

    def made_up(self):
        """Mean of each class, and deviations to add to it."""
        means = torch.stack([self.photos[self.label == c].mean(0) for c in range(159)])
        means = torch.where(means.isnan(), self.mean, means)
        self.deviations = self.photos - means[self.label]
        sigma = self.deviations.T @ self.deviations / len(self.deviations)
        sigma = sigma + 0.05 * torch.diag(sigma.diag()) + 1e-4 * torch.eye(len(sigma))
        Wc = self.W - self.W.mean(0)
        # From the mean photograph to where the classifier prefers no class,
        level = self.mean @ self.W.T + self.w
        G = Wc @ sigma @ Wc.T
        flat = self.mean - (sigma @ Wc.T) @ torch.linalg.solve(G + 0.01 * G.diag().mean() * torch.eye(len(G)), level - level.mean())
        step = Wc @ sigma
        # and from there so far that the classifier is as sure of them as of pictures: right in 85 % of them.
        low, high = 1.0, 40.0
        for _ in range(12):
            alpha = (low * high) ** 0.5
            self.class_means = flat + alpha * step
            every = torch.arange(len(step))
            hit = ((self.sample_classes(every) @ self.W.T + self.w).argmax(1) == every).float().mean()
            low, high = (alpha, high) if hit < KNOWN_AGAIN else (low, alpha)
        print(f"made-up pictures: alpha {alpha:.1f}, the classifier knows {hit:.3f} of them again", flush=True)

    def sample_classes(self, of):
        """Made-up features of the classes `of` (n,)."""
        d = self.deviations[torch.randint(len(self.deviations), (len(of),))]
        return (self.class_means[of] + d * torch.empty(len(of), 1).uniform_(0.4, 1.0)).clamp(0)


class Head(torch.nn.Module):
    def __init__(self, data, dim=DIM, without=()):
        super().__init__()
        keep = torch.tensor([i for i in range(K.CLASSES) if i not in set(without)])
        for name, value in (("W", data.W[keep]), ("w", data.w[keep]), ("mean", data.mean), ("std", data.std), ("keep", keep)):
            self.register_buffer(name, value)
        centred = (data.W[keep] - data.W[keep].mean(0)) * data.std
        U, S, V = torch.linalg.svd(centred, full_matrices=False)
        start = F.normalize(U[:, :dim] * S[:dim], dim=1)  # a vector for each class
        self.P, self.Q = torch.nn.Linear(len(data.mean), dim), torch.nn.Linear(len(keep), dim, bias=False)
        with torch.no_grad():
            x = (data.photos[:500] - data.mean) / data.std @ V[:dim].T
            self.P.weight.copy_(V[:dim] / x.norm(dim=1).mean())
            self.P.bias.zero_()
            self.Q.weight.copy_(start.T)
        self.start = start
        self.scale = torch.nn.Parameter(torch.tensor(3.2))

    def classes(self, x):
        return (x @ self.W.T + self.w).softmax(1)

    def forward(self, x):
        return F.normalize(self.P((x - self.mean) / self.std) + self.Q(self.classes(x)), dim=-1)


def start_bank(head, data, truth):
    """A first vector for every concept: the mean of what its rows have."""
    n = len(data.mean)
    vectors = torch.zeros(len(truth), head.P.out_features)
    with torch.no_grad():
        vectors[head.keep] = head.start
        for label in data.label.unique():
            vectors[K.CLASSES + label] = F.normalize(head(data.photos[data.label == label][:200]).mean(0), dim=0)
        for d in data.drawing.unique():
            vectors[K.CLASSES + 159 + d] = F.normalize(head(data.drawings[data.drawing == d][:60].float()).mean(0), dim=0)
    assert n
    positive = (truth == 1).float()
    return F.normalize(positive.T @ vectors + 1e-4 * torch.randn(truth.shape[1], vectors.shape[1]), dim=1)


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
    args = ap.parse_args()
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
    head = Head(data, without=without)
    bank = torch.nn.Parameter(start_bank(head, data, truth))
    opt = torch.optim.AdamW([{"params": [bank], "lr": 3e-3, "weight_decay": 0.0},
                             {"params": [*head.P.parameters(), *head.Q.parameters()], "lr": 1e-3, "weight_decay": 0.02},
                             {"params": [head.scale], "lr": 2e-3, "weight_decay": 0.0}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, [3e-3, 1e-3, 2e-3], args.steps, pct_start=0.1)
    n_class, n_photo, n_drawing = 224, 144, 144
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
        s = head.scale.exp() * head(x) @ F.normalize(bank, dim=1).T
        y = truth[row]
        own = named[row]
        # among the classes: what the classifier says, and the class itself
        with torch.no_grad():
            q = head.classes(x[:n_class + n_photo])
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
