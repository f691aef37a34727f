"""The image head, and the features that it is trained on.

    z = normalise(P s(x) + p + Q softmax(W x + w)),   s(x) = (x - mean) / deviation

W and w are the tower's own classifier, in the end with a row for each name of a drawing beside ImageNet's classes. Of
ImageNet's classes there are no pictures here, so pictures of a class are made up in feature space: a mean for the
class, from the classifier's weights and the photographs' covariance (what linear discriminant analysis would have to
see to arrive at that classifier), and a photograph's deviation from the mean of its own label. Photographs and drawings
have their real features.
"""
import torch
import torch.nn.functional as F

import knowledge as K
from drawing_features import TRAIN_ROUNDS
from drawing_features import features as drawing_features
from drawings import MORE_STYLES, TRAIN_STYLES, load
from paths import KNOWLEDGE, RUNS
from photo_features import features as photo_features
from photos import labels as photo_labels
from photos import rows as photo_rows
from texts import label_texts
from tower import classifier

DIM = 384
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
        d = torch.from_numpy(drawing_features(TRAIN_ROUNDS))
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
    """`drawn`: whether the classifier has a row for each name of a drawing beside those of the tower; see `fit_drawn`."""

    def __init__(self, data, dim=DIM, without=(), drawn=False):
        super().__init__()
        keep = torch.tensor([i for i in range(K.CLASSES) if i not in set(without)])
        for name, value in (("W", data.W[keep]), ("w", data.w[keep]), ("mean", data.mean), ("std", data.std), ("keep", keep)):
            self.register_buffer(name, value)
        centred = (data.W[keep] - data.W[keep].mean(0)) * data.std
        U, S, V = torch.linalg.svd(centred, full_matrices=False)
        start = F.normalize(U[:, :dim] * S[:dim], dim=1)  # a vector for each class
        self.D = torch.nn.Linear(len(data.mean), len(K.drawing_kinds())).requires_grad_(False) if drawn else None
        columns = len(keep) + (len(K.drawing_kinds()) if drawn else 0)
        self.P, self.Q = torch.nn.Linear(len(data.mean), dim), torch.nn.Linear(columns, dim, bias=False)
        with torch.no_grad():
            x = (data.photos[:500] - data.mean) / data.std @ V[:dim].T
            self.P.weight.copy_(V[:dim] / x.norm(dim=1).mean())
            self.P.bias.zero_()
            self.Q.weight[:, :len(keep)].copy_(start.T)
            if drawn:
                self.D.weight.zero_(), self.D.bias.zero_()
        self.start = start
        self.scale = torch.nn.Parameter(torch.tensor(3.2))

    def photographed(self, x):
        """Scores (n, classes) of the tower's own classifier."""
        return x @ self.W.T + self.w

    def classes(self, x):
        own = self.photographed(x)
        return (own if self.D is None else torch.cat([own, self.D((x - self.mean) / self.std)], 1)).softmax(1)

    def forward(self, x):
        return F.normalize(self.P((x - self.mean) / self.std) + self.Q(self.classes(x)), dim=-1)


def folded(h):
    """The tensors of the shipped file that a head's state `h` gives: standardising the features is folded into the weights."""
    # In the run without some classes their rows are gone; those of drawings come last.
    rows = [(h["W"], h["w"])]
    if "D.weight" in h:
        weight = h["D.weight"] / h["std"]
        rows.append((weight, h["D.bias"] - weight @ h["mean"]))
    weight, bias = map(torch.cat, zip(*rows))
    projection = h["P.weight"] / h["std"]
    return {"vision_model.classifier.weight": weight, "vision_model.classifier.bias": bias, "visual_projection.weight": projection,
            "visual_projection.bias": h["P.bias"] - projection @ h["mean"], "class_projection.weight": h["Q.weight"]}


@torch.no_grad()
def unfolded(state, data):
    """The head of all classes whose `folded` tensors are among those of `state`."""
    head = Head(data, drawn=len(state["vision_model.classifier.bias"]) > K.CLASSES)
    if head.D is not None:
        rows, bias = (state[f"vision_model.classifier.{n}"][K.CLASSES:] for n in ("weight", "bias"))
        head.D.weight.copy_(rows * head.std)
        head.D.bias.copy_(bias + rows @ head.mean)
    weight = state["visual_projection.weight"]
    head.P.weight.copy_(weight * head.std)
    head.P.bias.copy_(state["visual_projection.bias"] + weight @ head.mean)
    head.Q.weight.copy_(state["class_projection.weight"])
    return head


def load_head(run, data):
    """The head of a run, and what else the run kept."""
    f = torch.load(RUNS / run / "head.pt", weights_only=False)
    head = Head(data, without=f["without"], drawn="D.weight" in f["head"])
    head.load_state_dict(f["head"])
    return head, f


def fit_drawn(head, data, steps=1500, n=224):
    """Rows of the classifier for drawings, beside the tower's own, which stay: softmax regression on drawings in all
    appearances. Of photographs the softmax over both is to say what that of the tower alone says.
    """
    with torch.no_grad():
        head.D.weight.zero_(), head.D.bias.fill_(-4.0)
    opt = torch.optim.AdamW(head.D.requires_grad_(True).parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 2e-3, steps, pct_start=0.2)
    weight = torch.where(data.main_style, 1.0, 0.5)
    classes, total = len(head.keep), 0.0
    for step in range(steps):
        j = torch.multinomial(weight, n, replacement=True)
        x = torch.cat([data.drawings[j].float(), data.photos[torch.randint(len(data.photos), (n // 2,))],
                       data.sample_classes(head.keep[torch.randint(classes, (n // 4,))])])
        s = (x - head.mean) / head.std
        s[:n] += 0.2 * torch.randn(n, s.shape[1])
        own = head.photographed(x)
        said = torch.cat([own, head.D(F.dropout(s, 0.3))], 1).log_softmax(1)
        drawn = F.nll_loss(said[:n], classes + data.drawing[j])
        seen = F.kl_div(said[n:, :classes], own[n:].softmax(1), reduction="batchmean")
        opt.zero_grad()
        (drawn + 2 * seen).backward()
        opt.step()
        schedule.step()
        total += drawn.item()
        if step % 500 == 499:
            print(f"rows of drawings: {step + 1} loss {total / 500:.3f}, of photographs {seen.item():.4f}", flush=True)
            total = 0.0
    head.D.requires_grad_(False)
