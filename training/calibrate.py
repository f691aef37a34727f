"""What turns scores into probabilities: the scale of the logits, the offset of "none of these", and from where on a tag is sure.

Fitted on validation photographs and on appearances of drawings that training did not see, through the shipped labels
and the shipped tower's float32 features. Written to WORK/runs/<head run>/calibration.json, which export.py puts into
config.json.

usage: python calibrate.py --head head2 --text text [--scale 36]
"""
import argparse
import json

import numpy as np
import torch

import knowledge as K
from drawing_features import TRAIN_ROUNDS
from drawing_features import features as drawing_features
from drawings import MORE_STYLES, TRAIN_STYLES
from drawings import load as load_drawings
from image_head import Data, load_head
from paths import REPO, RUNS
from texts import label_texts
from train_text import embed, text_tower

BINS = 15
SURE = 0.5  # of those that this prints, the one whose percentages hold best in both parts


def background():
    """The prompts that name nothing, as the package has them."""
    source = (REPO / "pkg/src/worker/background.js").read_text()
    return [line.strip().strip(",").strip("'") for line in source.splitlines() if line.startswith("  '")]


def calibration_error(p, right, bins=BINS):
    """Expected calibration error (Guo et al. 2017), bins of equal width."""
    which = np.minimum((p * bins).astype(int), bins - 1)
    return sum(abs(p[which == b].mean() - right[which == b].mean()) * (which == b).mean() for b in range(bins) if (which == b).any())


def area(positive, negative):
    """Area under the ROC curve."""
    both = np.concatenate([positive, negative])
    rank = both.argsort().argsort() + 1
    n = len(positive)
    return (rank[:n].sum() - n * (n + 1) / 2) / (n * len(negative))


def at(table, index):
    """table[i, index[i]] as float32."""
    return table[torch.arange(len(table)), index].float().numpy()


def implied_in_order(tag):
    """What a tag implies, the nearest first, as `Vocabulary.implied` gives it."""
    out = [tag]
    for t in out:
        out += [p for p in K.vocabulary()[t].parents if p not in out]
    return out[1:]


def surest(p, total, ways, threshold):
    """The tag that is shown for each picture, as `Vocabulary.surest` chooses it, -1 where none is sure, and its share."""
    best = p.argmax(1)
    shown, share = torch.full_like(best, -1), torch.zeros(len(best))
    for i, b in enumerate(best.tolist()):
        for t in [b, *ways[b]]:
            if total[i, t] >= threshold:
                shown[i], share[i] = t, total[i, t]
                break
    return shown, share


def answers(z, kinds, t, tags):
    """Cosines (n, tags) of pictures, and which tags are right: those of the kind, and finer ones, which may be."""
    has = [i for i, k in enumerate(kinds) if k.tags]
    fine = {k: [tag in K.implied(k) or bool(K.closure(tag) & set(k.tags)) for tag in tags] for k in set(kinds)}
    return z[has] @ t.T, torch.tensor([fine[kinds[i]] for i in has])


def unseen_drawings(head):
    """Vectors and kinds of appearances of drawings that image_head.py leaves out, in the four main styles."""
    f = drawing_features()
    assert len(f) > TRAIN_ROUNDS, "run drawing_features.py to its end"
    texts, kinds = label_texts(), {k.key: k for k in K.drawing_kinds()}
    y, style = load_drawings(TRAIN_STYLES + MORE_STYLES)[1:3]
    which = np.flatnonzero(style < len(TRAIN_STYLES))
    return head(torch.from_numpy(f[TRAIN_ROUNDS][which]).float()), [kinds[texts[y[i]]] for i in which]


def shown_error(cos, fine, below, ways, scale, threshold):
    """Calibration error of the tag that is shown: its percentage is its own with those of all tags that imply it."""
    p = (scale * cos).softmax(1)
    shown, share = surest(p, (p @ below.T).clamp(max=1), ways, threshold)
    sure = shown >= 0
    return calibration_error(share[sure].numpy(), at(fine, shown.clamp(min=0))[sure.numpy()])


def load_models(head_run, text_run):
    data = Data(1)
    head, f = load_head(head_run, data)
    return f, data, head.eval(), *text_tower(text_run)


@torch.no_grad()
def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--head", default="head2")
    ap.add_argument("--text", default="text")
    ap.add_argument("--scale", type=float, help="in place of the one that fits best")
    args = ap.parse_args()
    torch.set_num_threads(1)
    f, data, head, tok, net = load_models(args.head, args.text)
    tags = [key for (group, key, _), k in zip(f["concepts"], f["known"]) if group == "tag" and k and key in K.vocabulary()]
    hinted = [K.hinted(t, K.vocabulary()[t].hint) for t in tags]
    t = embed(net, tok, hinted)
    below = torch.tensor([[a in K.closure(b) for b in tags] for a in tags]).float()  # (tag, tags that imply it)
    ways = [[tags.index(t) for t in implied_in_order(tag) if t in tags] for tag in tags]
    parts = {"photographs": answers(head(data.val), [K.photo_kinds()[k] for k in data.val_label], t, tags),
             "drawings": answers(*unseen_drawings(head), t, tags)}
    grid = np.geomspace(15, 100, 40)
    _, scale = min((sum(shown_error(cos, fine, below, ways, scale, SURE) for cos, fine in parts.values()), scale) for scale in grid)
    scale = args.scale or scale
    print(f"scale {scale:.1f}")
    for name, (cos, fine) in parts.items():
        p = (scale * cos).softmax(1)
        total = (p @ below.T).clamp(max=1)
        print(f"{name} ({len(p)}): best tag right {at(fine, p.argmax(1)).mean():.4f}")
        for threshold in (0.2, 0.3, 0.4, 0.5, 0.6):
            shown, share = surest(p, total, ways, threshold)
            sure = shown >= 0
            hit = at(fine, shown.clamp(min=0))[sure.numpy()]
            print(f"  from {threshold}: sure of {sure.float().mean():.3f}, right {hit.mean():.3f}, calibration error {calibration_error(share[sure].numpy(), hit):.4f}, "
                  f"the best tag itself {(shown == p.argmax(1)).float().mean():.3f}")
    z = head(data.val)
    # "none of these", as Tagger.score does it: the mean cosine of the background's prompts
    names = [k.key for k in K.photo_kinds()]
    labels = embed(net, tok, names)
    back = embed(net, tok, background(), "{}")
    rng = np.random.default_rng(0)
    zb = (z @ back.T).mean(1)
    cosines = z @ labels.T
    found, missing = {}, {}
    for count in (20, 100):
        a, b = [], []
        for i in range(len(z)):
            others = rng.permutation([c for c in range(159) if c != data.val_label[i]])[:count]
            inside = np.concatenate([others[:-1], [int(data.val_label[i])]])
            for where, out in ((inside, a), (others, b)):
                out.append((torch.logsumexp(scale * cosines[i, where], 0) - scale * zb[i]).item())
        found[count], missing[count] = np.array(a), np.array(b)
        print(f"none of {count}: area {area(found[count], missing[count]):.4f}")
    # the offset at which as many are wrongly turned down as wrongly named, among 20
    grid = np.linspace(-10, 20, 301)
    wrong = [np.mean(found[20] < o) + np.mean(missing[20] > o) for o in grid]
    offset = float(grid[int(np.argmin(wrong))])
    print(f"none offset {offset:.2f}: turned down {np.mean(found[20] < offset):.3f}, named {np.mean(missing[20] > offset):.3f}")
    out = {"logit_scale": float(scale), "none_offset": round(offset, 2), "sure_threshold": SURE}
    (RUNS / args.head / "calibration.json").write_text(json.dumps(out, indent=2) + "\n")


if __name__ == "__main__":
    main()
